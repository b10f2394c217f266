/* SPDX-License-Identifier: Apache-2.0 */
/* What must be true of a record: each finding by a story that has it, and the story without. */
#include "db/audit/check/record.h"

#include <string.h>

#include "base/tlog/ra_report.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/lint/made.h"

static struct made_authority authority;
static struct record *record;

static int
begin(void **state)
{
    (void)state;
    made_begin(&authority);
    record = NULL;
    return 0;
}

static int
end(void **state)
{
    (void)state;
    record_free(record);
    made_end(&authority);
    return 0;
}

/* A record with one START. */
static void
again(void)
{
    authority.each = NULL;
    made_again(&authority, NULL, NULL);
    record_free(record);
    record = record_new(authority.findings);
    authority.each = record_leaf;
    authority.arg = record;
}

/* The next finding that is not of staff, from *i on. */
static const struct finding *
next_finding(size_t *i, bool staff)
{
    const struct finding *found;

    do {
        found = findings_at(authority.findings, (*i)++);
    } while (found != NULL && !staff && strcmp(found->kind->id, "check.staff.alone") == 0);
    return found;
}

/* The one finding is this one; NULL: there is none. */
static void
must_find(const char *id, uint64_t leaf)
{
    const bool staff = id != NULL && strcmp(id, "check.staff.alone") == 0;
    size_t i = 0;
    const struct finding *found = next_finding(&i, staff);

    if (id == NULL) {
        if (found != NULL) {
            fail_msg("%s: %s", found->kind->id, found->text);
        }
        return;
    }
    assert_non_null(found);
    assert_string_equal(found->kind->id, id);
    assert_int_equal(found->leaf, leaf);
    assert_null(next_finding(&i, staff));
}

/* ---- leaves ---- */

#define SERIAL(n) #n "404142434445464748495051525354"
#define REGISTRATION "00112233445566778899aabbccddeeff"

static uint64_t
tell(enum leaf_kind kind, time_t at, const char *serial, const char *member, const char *value)
{
    struct leaf *leaf = leaf_new(kind, at);

    if (serial != NULL) {
        leaf_set_text(leaf, "serial", serial);
    }
    if (kind == LEAF_ISSUED || kind == LEAF_REJECTED || kind == LEAF_APPROVAL) {
        leaf_set_text(leaf, "rid", MADE_BUILT_IN);
    }
    if (member != NULL) {
        leaf_set_text(leaf, member, value);
    }
    return made_tell(&authority, leaf);
}

static uint64_t
tell_start(time_t at, bool software, bool set_back)
{
    struct leaf *leaf = leaf_new(LEAF_START, at);

    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "0");
    leaf_set_text(leaf, "config", MADE_BUILT_IN);
    leaf_set_text(leaf, "issuer", MADE_BUILT_IN);
    leaf_set_bool(leaf, "softwareToken", software);
    if (set_back) {
        leaf_set_time(leaf, "clockSetBack", at + 1000);
    }
    return made_tell(&authority, leaf);
}

static void
tell_registration(int certificates, time_t from, time_t until, const char *registrar)
{
    struct leaf *leaf = leaf_new(LEAF_REGISTRATION, MADE_AT);

    leaf_set_text(leaf, "registration", REGISTRATION);
    leaf_set_text(leaf, "sha256", MADE_BUILT_IN);
    leaf_set_text(leaf, "nfInstanceId", MADE_NF);
    leaf_set_text(leaf, "registrar", registrar);
    leaf_set_text(leaf, "proof", "mac");
    leaf_set_int(leaf, "certificates", certificates);
    leaf_set_time(leaf, "notBefore", from);
    leaf_set_time(leaf, "notAfter", until);
    (void)made_tell(&authority, leaf);
}

static uint64_t
tell_intent(const char *serial, time_t at, const char *member, const char *value)
{
    struct leaf *leaf = leaf_new(LEAF_INTENT, at);

    leaf_set_text(leaf, "rid", MADE_BUILT_IN);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_text(leaf, "profile", "nf-tls");
    leaf_set_text(leaf, "tbs", MADE_BUILT_IN);
    leaf_set_time(leaf, "notBefore", at);
    leaf_set_time(leaf, "notAfter", at + MADE_DAY);
    leaf_set_text(leaf, "nfInstanceId", MADE_NF);
    leaf_set_text(leaf, "registration", REGISTRATION);
    if (member != NULL) {
        leaf_set_text(leaf, member, value);
    }
    return made_tell(&authority, leaf);
}

/* ---- registrations ---- */

static void
a_registration_is_used_as_often_as_it_allows(void **state)
{
    uint64_t leaf;

    (void)state;
    again();
    tell_registration(1, MADE_AT, MADE_AT + MADE_DAY, SERIAL(77));
    (void)tell_intent(SERIAL(01), MADE_AT, NULL, NULL);
    /* given up: no use; and what follows another one is none */
    (void)tell(LEAF_REJECTED, MADE_AT, SERIAL(01), "reason", "given up");
    (void)tell_intent(SERIAL(02), MADE_AT, NULL, NULL);
    (void)tell_intent(SERIAL(03), MADE_AT, "updates", SERIAL(02));
    (void)tell_intent(SERIAL(04), MADE_AT, "renews", SERIAL(03));
    (void)tell_intent(SERIAL(05), MADE_AT, "insteadOf", SERIAL(04));
    must_find(NULL, 0);
    leaf = tell_intent(SERIAL(06), MADE_AT, NULL, NULL);
    must_find("check.registration.exceeded", leaf);
    assert_string_equal(findings_at(authority.findings, 0)->text,
                        "it is number 2 under registration " REGISTRATION ", which allows 1");
}

static void
a_registration_is_used_in_its_time(void **state)
{
    static const struct {
        time_t at;
        const char *finds;
    } rows[] = {
        {MADE_AT - LEAF_BACK_MAX, NULL},
        {MADE_AT - LEAF_BACK_MAX - 1, "check.registration.time"},
        {MADE_AT + MADE_DAY + LEAF_BACK_MAX, NULL},
        {MADE_AT + MADE_DAY + LEAF_BACK_MAX + 1, "check.registration.time"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        again();
        tell_registration(1, MADE_AT, MADE_AT + MADE_DAY, SERIAL(77));
        (void)tell_intent(SERIAL(01), MADE_AT + 30 * MADE_DAY, "updates", SERIAL(02));
        must_find(NULL, 0);
        must_find(rows[i].finds, tell_intent(SERIAL(03), rows[i].at, NULL, NULL));
    }
}

static void
a_registration_is_there_and_not_ended(void **state)
{
    (void)state;
    again();
    must_find("check.registration.unknown", tell_intent(SERIAL(01), MADE_AT, NULL, NULL));
    again();
    tell_registration(1, MADE_AT, MADE_AT + MADE_DAY, SERIAL(77));
    (void)tell(LEAF_CANCEL, MADE_AT, NULL, "registration", REGISTRATION);
    must_find("check.registration.ended", tell_intent(SERIAL(01), MADE_AT, "updates", SERIAL(02)));
}

/* ---- names, keys, people ---- */

static void
a_name_of_two_is_told(void **state)
{
    struct made m = made_nf("nf-tls");

    (void)state;
    again();
    tell_registration(3, MADE_AT, MADE_AT + MADE_DAY, SERIAL(77));
    m.document = NULL;
    made_issue(&authority, &m);
    m.serial = SERIAL(41);
    made_set(&m, "subjectAltName", "critical,DNS:AMF1.amf." MADE_HOME ",URI:urn:uuid:" MADE_NF);
    made_issue(&authority, &m); /* the same one, in another case */
    must_find(NULL, 0);
    m.serial = SERIAL(42);
    m.nf = "9ba7b810-9dad-41d1-80b4-00c04fd430c8";
    made_issue(&authority, &m);
    must_find("check.name.shared", authority.leaves - 1);
    assert_string_equal(findings_at(authority.findings, 0)->text,
                        MADE_FQDN " is a name of NF instance 9ba7b810-9dad-41d1-80b4-00c04fd430c8,"
                                  " and was one of " MADE_NF);
}

/* Until the record has approvals of such. */
static void
who_gets_a_certificate_of_the_authoritys_own_is_told(void **state)
{
    static const char *const who[] = {NULL, "uid 0 (root)"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(who); i++) {
        struct leaf *leaf = leaf_new(LEAF_INTENT, MADE_AT);
        CLEANUP(mem_cleanup)
        char *says = mem_printf("asked for by %s: ", who[i] == NULL ? "somebody" : who[i]);

        again();
        leaf_set_text(leaf, "rid", MADE_BUILT_IN);
        leaf_set_text(leaf, "serial", SERIAL(41));
        leaf_set_text(leaf, "profile", "officer");
        leaf_set_text(leaf, "tbs", MADE_BUILT_IN);
        leaf_set_time(leaf, "notBefore", MADE_AT);
        leaf_set_time(leaf, "notAfter", MADE_AT + MADE_DAY);
        if (who[i] != NULL) {
            leaf_set_text(leaf, "by", who[i]);
        }
        must_find("check.staff.alone", made_tell(&authority, leaf));
        assert_non_null(strstr(findings_at(authority.findings, 0)->text, says));
        assert_int_equal(findings_count(authority.findings), 0);
    }
}

static void
a_key_that_was_compromised_is_not_used_again(void **state)
{
    static const int reasons[] = {4, 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
        struct made m = made_person("officer");
        struct leaf *revoked = leaf_new(LEAF_REVOKED, MADE_AT);

        again();
        m.key = key;
        made_issue(&authority, &m);
        leaf_set_text(revoked, "serial", m.serial);
        leaf_set_int(revoked, "reason", reasons[i]);
        (void)made_tell(&authority, revoked);
        m.serial = SERIAL(41);
        made_issue(&authority, &m);
        must_find(reasons[i] == 1 ? "check.key.compromised" : NULL, authority.leaves - 1);
    }
}

static void
who_registers_does_not_approve(void **state)
{
    static const struct {
        const char *subject, *decision, *finds;
    } rows[] = {
        {"CN=Another,O=Operator", "approve", NULL},
        {"CN=Somebody,O=Operator", "reject", NULL},
        {"CN=Somebody,O=Operator", "approve", "check.approval.registrar"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made m = made_person("registrar");
        struct leaf *leaf = leaf_new(LEAF_APPROVAL, MADE_AT);

        again();
        made_issue(&authority, &m);
        tell_registration(1, MADE_AT, MADE_AT + MADE_DAY, m.serial);
        leaf_set_text(leaf, "rid", MADE_BUILT_IN);
        leaf_set_text(leaf, "registration", REGISTRATION);
        leaf_set_text(leaf, "decision", rows[i].decision);
        leaf_set_text(leaf, "officer", SERIAL(41));
        leaf_set_text(leaf, "key", MADE_BUILT_IN);
        leaf_set_text(leaf, "subject", rows[i].subject);
        leaf_set_base64(leaf, "cms", SPAN_LITERAL("x"));
        must_find(rows[i].finds, made_tell(&authority, leaf));
    }
}

/* ---- service ---- */

static void
what_stops_says_so(void **state)
{
    (void)state;
    again(); /* which is a START that the record does not know yet */
    (void)tell_start(MADE_AT, false, false);
    (void)tell(LEAF_STOP, MADE_AT, NULL, "reason", "signal");
    (void)tell_start(MADE_AT, false, false);
    must_find(NULL, 0);
    must_find("check.stop.missing", tell_start(MADE_AT, false, false));
}

static void
what_starts_says_with_what(void **state)
{
    (void)state;
    again();
    must_find("check.token.software", tell_start(MADE_AT, true, false));
    again();
    must_find("check.clock.set_back", tell_start(MADE_AT, false, true));
    assert_int_equal(findings_count(authority.findings), 0); /* a notice */
}

/* A report of an RA with these lines. */
static uint64_t
tell_report(uint8_t ra, const char *lines)
{
    static uint64_t number;
    CLEANUP(buf_free) struct buf text = BUF_INIT(RA_REPORT_TEXT_MAX);
    const struct ra_report report = {.ra = {ra}, .number = ++number, .from = 1000, .to = 2000};
    struct leaf *leaf = leaf_new(LEAF_RA_REPORT, MADE_AT);
    struct err e = {0};

    assert_ok(ra_report_format(&report, span_str(lines), &text, &e), &e);
    leaf_set_text(leaf, "report", MADE_BUILT_IN);
    leaf_set_base64(leaf, "text", buf_span(&text));
    leaf_set_base64(leaf, "signature", SPAN_LITERAL("nobody asks here"));
    leaf_set_text(leaf, "ra", SERIAL(77));
    return made_tell(&authority, leaf);
}

#define BEGAN "start 2026-11-23T20:00:00Z 1.0 " MADE_BUILT_IN " " MADE_BUILT_IN "\n"
#define ENDED "stop 2026-11-23T20:10:00Z SIGTERM\n"

static void
an_ra_that_stops_says_so(void **state)
{
    uint64_t leaf;

    (void)state;
    again();
    (void)tell_report(1, BEGAN);
    (void)tell_report(2, ENDED); /* it began before this record */
    (void)tell_report(1, ENDED BEGAN);
    (void)tell_report(1, "others 3 2\n" ENDED);
    (void)tell_report(2, BEGAN);
    must_find(NULL, 0);
    leaf = tell_report(2, BEGAN);
    must_find("check.ra.stop.missing", leaf);
    again();
    (void)tell_report(1, BEGAN ENDED);
    leaf = tell_report(1, ENDED);
    must_find("check.ra.start.missing", leaf);
}

/* NULL: it does not say. */
static uint64_t
tell_keys(const char *root, const char *log_key)
{
    struct leaf *leaf = leaf_new(LEAF_START, MADE_AT);

    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "0");
    leaf_set_text(leaf, "config", MADE_BUILT_IN);
    leaf_set_text(leaf, "issuer", MADE_BUILT_IN);
    leaf_set_bool(leaf, "softwareToken", false);
    leaf_set_int(leaf, "record", 6);
    leaf_set_text(leaf, "root", root);
    leaf_set_text(leaf, "logKey", log_key);
    made_tell(&authority, leaf);
    (void)tell(LEAF_STOP, MADE_AT, NULL, "reason", "signal");
    return authority.leaves - 2;
}

static void
tell_ceremony(const char *type)
{
    struct leaf *leaf = leaf_new(LEAF_CEREMONY, MADE_AT);

    leaf_set_text(leaf, "head", MADE_BUILT_IN);
    leaf_set_text(leaf, "name", "one");
    leaf_set_text(leaf, "sha256", MADE_BUILT_IN);
    leaf_set_text(leaf, "type", type);
    leaf_set_bool(leaf, "production", true);
    leaf_set_text(leaf, "by", "somebody");
    (void)made_tell(&authority, leaf);
}

#define OTHER MADE_NO_FILE

static void
a_start_names_the_log_key_that_verifies(void **state)
{
    struct err e = {0};

    (void)state;
    again();
    (void)tell_keys(MADE_BUILT_IN, OTHER); /* nobody says which it is */
    must_find(NULL, 0);
    must_find("check.key.log", tell_keys(MADE_BUILT_IN, MADE_BUILT_IN));
    again();
    assert_ok(record_log_key(record, SPAN_LITERAL(""), &e), &e); /* MADE_BUILT_IN */
    (void)tell_keys(MADE_BUILT_IN, MADE_BUILT_IN);
    must_find(NULL, 0);
    must_find("check.key.log", tell_keys(MADE_BUILT_IN, OTHER));
    again();
    assert_ok(record_log_key(record, SPAN_LITERAL(""), &e), &e);
    must_find("check.key.log", tell_keys(MADE_BUILT_IN, OTHER)); /* the first one, too */
}

static void
a_root_stays_and_comes_of_a_ceremony(void **state)
{
    uint64_t leaf;

    (void)state;
    again();
    (void)tell_keys(MADE_BUILT_IN, MADE_BUILT_IN);
    (void)tell_keys(MADE_BUILT_IN, MADE_BUILT_IN);
    record_end(record); /* no ceremony is in this record at all */
    must_find(NULL, 0);
    must_find("check.root.changed", tell_keys(OTHER, MADE_BUILT_IN));
    again();
    (void)tell_keys(MADE_BUILT_IN, MADE_BUILT_IN);
    tell_ceremony("sub-issue");
    tell_ceremony("root-generate");
    record_end(record);
    must_find(NULL, 0);
    again();
    leaf = tell_keys(MADE_BUILT_IN, MADE_BUILT_IN);
    tell_ceremony("sub-issue");
    record_end(record);
    must_find("check.root.ceremony", leaf);
    assert_int_equal(findings_count(authority.findings), 0); /* a notice */
}

static void
an_intent_comes_to_an_end(void **state)
{
    uint64_t leaf;

    (void)state;
    again();
    tell_registration(3, MADE_AT, MADE_AT + MADE_DAY, SERIAL(77));
    (void)tell_intent(SERIAL(01), MADE_AT, NULL, NULL);
    (void)tell(LEAF_REJECTED, MADE_AT, SERIAL(01), "reason", "given up");
    leaf = tell_intent(SERIAL(02), MADE_AT, NULL, NULL);
    (void)tell_intent(SERIAL(03), MADE_AT + 1, NULL, NULL);
    (void)tell(LEAF_STOP, MADE_AT + 3601, NULL, "reason", "signal");
    (void)findings_from(authority.findings, leaf + 1);
    record_end(record);
    must_find("check.intent.open", leaf);
}

static struct leaf *
crl_leaf(enum leaf_kind kind, time_t at, int number, const char *revocations, uint64_t up_to)
{
    struct leaf *leaf = leaf_new(kind, at);

    leaf_set_int(leaf, "number", number);
    leaf_set_time(leaf, "thisUpdate", at);
    leaf_set_time(leaf, "nextUpdate", at + MADE_DAY);
    leaf_set_int(leaf, "entries", 0);
    leaf_set_text(leaf, "tbs", MADE_BUILT_IN);
    if (kind == LEAF_CRL) {
        leaf_set_text(leaf, "sha256", MADE_BUILT_IN);
    } else {
        leaf_set_text(leaf, "revocations", revocations);
        leaf_set_int(leaf, "upTo", (int64_t)up_to);
    }
    return leaf;
}

static uint64_t
tell_revoked(time_t at)
{
    struct leaf *leaf = leaf_new(LEAF_REVOKED, at);

    leaf_set_text(leaf, "serial", SERIAL(41));
    leaf_set_int(leaf, "reason", 4);
    return made_tell(&authority, leaf);
}

static void
crls_follow_in_time(void **state)
{
    (void)state;
    again();
    (void)made_tell(&authority, crl_leaf(LEAF_CRL, MADE_AT, 1, NULL, 0));
    (void)made_tell(&authority, crl_leaf(LEAF_CRL, MADE_AT + MADE_DAY, 2, NULL, 0));
    must_find(NULL, 0);
    must_find("check.crl.gap",
              made_tell(&authority, crl_leaf(LEAF_CRL, MADE_AT + 2 * MADE_DAY + 1, 3, NULL, 0)));
}

static void
what_is_revoked_is_on_a_crl_within_a_day(void **state)
{
    uint64_t leaf;

    (void)state;
    again();
    (void)tell_revoked(MADE_AT);
    (void)made_tell(&authority, crl_leaf(LEAF_CRL, MADE_AT + MADE_DAY, 1, NULL, 0));
    record_end(record);
    must_find(NULL, 0);

    again();
    (void)tell_revoked(MADE_AT);
    must_find("check.crl.late",
              made_tell(&authority, crl_leaf(LEAF_CRL, MADE_AT + MADE_DAY + 1, 1, NULL, 0)));

    /* a CRL that does not go so far; and the end of the record */
    again();
    leaf = tell_revoked(MADE_AT);
    (void)made_tell(&authority, crl_leaf(LEAF_CRL_INTENT, MADE_AT + 10, 1, MADE_BUILT_IN, leaf));
    (void)made_tell(&authority, crl_leaf(LEAF_CRL, MADE_AT + 10, 1, NULL, 0));
    (void)tell(LEAF_STOP, MADE_AT + MADE_DAY + 1, NULL, "reason", "signal");
    must_find(NULL, 0);
    (void)findings_from(authority.findings,
                        leaf + 1); /* it lasts, whoever has seen its leaf before */
    record_end(record);
    must_find("check.crl.missing", leaf);
}

static void
a_line_that_belongs_to_nothing_is_told(void **state)
{
    struct leaf *leaf = leaf_new(LEAF_ACKNOWLEDGED, MADE_AT);
    static const char *const hashes[] = {"key", "sha256", "plan"};

    (void)state;
    again();
    leaf_set_int(leaf, "record", 4);
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        leaf_set_text(leaf, hashes[i], MADE_BUILT_IN);
    }
    leaf_set_int(leaf, "line", 1);
    leaf_set_text(leaf, "object", "T");
    leaf_set_text(leaf, "reason", "lost");
    leaf_set_text(leaf, "officer", SERIAL(41));
    leaf_set_text(leaf, "secondOfficer", SERIAL(42));
    leaf_set_base64(leaf, "cms", SPAN_LITERAL("x"));
    leaf_set_base64(leaf, "secondCms", SPAN_LITERAL("x"));
    must_find("check.journal.acknowledged", made_tell(&authority, leaf));
}

/* ---- CRLs that are brought ---- */

static void
entry_add(X509_CRL *crl, const char *serial, const char *date, int reason)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    CLEANUP(asn1_time_cleanup) ASN1_TIME *at = ASN1_TIME_new();
    ASN1_INTEGER *integer;
    ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();
    BIGNUM *number = NULL;

    assert_true(BN_hex2bn(&number, serial) > 0);
    integer = BN_to_ASN1_INTEGER(number, NULL);
    if (date != NULL) {
        assert_int_equal(ASN1_TIME_set_string(at, date), 1);
    } else {
        assert_int_equal(ASN1_STRING_set(at, "999999999999Z", -1), 1);
        at->type = V_ASN1_UTCTIME;
    }
    assert_int_equal(X509_REVOKED_set_serialNumber(entry, integer), 1);
    assert_int_equal(X509_REVOKED_set_revocationDate(entry, at), 1);
    if (reason != 0) {
        assert_int_equal(ASN1_ENUMERATED_set(code, reason), 1);
        assert_int_equal(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, 0), 1);
    }
    assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
    ASN1_ENUMERATED_free(code);
    ASN1_INTEGER_free(integer);
    BN_free(number);
}

/* Two entries, the longer serial number first; or one whose date is none. */
static void
crl_new(struct buf *der, bool numbered, bool odd)
{
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = X509_CRL_new();
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *number = ASN1_INTEGER_new();
    CLEANUP(asn1_time_cleanup) ASN1_TIME *at = ASN1_TIME_set(NULL, MADE_AT);
    struct err e = {0};

    assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
    assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(authority.certificate)),
                     1);
    assert_int_equal(X509_CRL_set1_lastUpdate(crl, at), 1);
    assert_int_equal(ASN1_INTEGER_set(number, 7), 1);
    if (numbered) {
        assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0), 1);
    }
    entry_add(crl, "0102030405060708", "20270115080000Z", 1);
    entry_add(crl, "7f", odd ? NULL : "20270115080001Z", 0);
    assert_true(X509_CRL_sign(crl, authority.key, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509_CRL, crl, der, &e), &e);
}

static void
what_a_crl_has_is_what_the_record_says(void **state)
{
    static const char lines[] =
        "7f 2027-01-15T08:00:01Z 0\n0102030405060708 2027-01-15T08:00:00Z 1\n";
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    uint8_t hash[SHA256_SIZE];
    char digest[2 * SHA256_SIZE + 1];
    struct err e = {0};

    (void)state;
    assert_ok(sha256(span_str(lines), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), digest);
    crl_new(&der, true, false);
    for (int i = 0; i < 4; i++) {
        again();
        assert_ok(record_crl(record, "a.crl", buf_span(&der), &e), &e);
        if (i < 3) {
            (void)made_tell(&authority, crl_leaf(LEAF_CRL_INTENT, MADE_AT, i == 0 ? 8 : 7,
                                                 i == 1 ? digest : MADE_BUILT_IN, 0));
        }
        must_find(i == 2   ? "check.crl.content"
                  : i == 3 ? "check.crl.unsaid"
                           : NULL,
                  made_tell(&authority, crl_leaf(LEAF_CRL, MADE_AT, i == 0 ? 8 : 7, NULL, 0)));
    }
}

static void
what_is_no_crl_is_refused(void **state)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    struct err e = {0};

    (void)state;
    again();
    assert_int_equal(record_crl(record, "a.crl", SPAN_LITERAL("x"), &e), -1);
    assert_non_null(strstr(e.text, "a.crl: not one CRL with a number"));
    crl_new(&der, false, false);
    assert_int_equal(record_crl(record, "a.crl", buf_span(&der), &e), -1);
    buf_free(&der);
    crl_new(&der, true, true);
    assert_int_equal(record_crl(record, "a.crl", buf_span(&der), &e), -1);
    assert_string_equal(e.text, "a.crl: a revocationDate that is none");
    buf_free(&der);
    crl_new(&der, true, false);
    for (int i = 0; i < 16; i++) {
        assert_ok(record_crl(record, "a.crl", buf_span(&der), &e), &e);
    }
    assert_int_equal(record_crl(record, "a.crl", buf_span(&der), &e), -1);
    assert_string_equal(e.text, "at most 16 CRLs");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registration_is_used_as_often_as_it_allows),
        cmocka_unit_test(a_registration_is_used_in_its_time),
        cmocka_unit_test(a_registration_is_there_and_not_ended),
        cmocka_unit_test(a_name_of_two_is_told),
        cmocka_unit_test(who_gets_a_certificate_of_the_authoritys_own_is_told),
        cmocka_unit_test(a_key_that_was_compromised_is_not_used_again),
        cmocka_unit_test(who_registers_does_not_approve),
        cmocka_unit_test(what_stops_says_so),
        cmocka_unit_test(what_starts_says_with_what),
        cmocka_unit_test(an_ra_that_stops_says_so),
        cmocka_unit_test(a_start_names_the_log_key_that_verifies),
        cmocka_unit_test(a_root_stays_and_comes_of_a_ceremony),
        cmocka_unit_test(an_intent_comes_to_an_end),
        cmocka_unit_test(crls_follow_in_time),
        cmocka_unit_test(what_is_revoked_is_on_a_crl_within_a_day),
        cmocka_unit_test(a_line_that_belongs_to_nothing_is_told),
        cmocka_unit_test(what_a_crl_has_is_what_the_record_says),
        cmocka_unit_test(what_is_no_crl_is_refused),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
