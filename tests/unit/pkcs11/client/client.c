/* SPDX-License-Identifier: Apache-2.0 */
/* What the real nfpki-signer signs with a real token, through its client. */
#include "pkcs11/client/client.h"

#include <string.h>
#include <unistd.h>

#include "base/ossl.h"
#include "pkcs11/client/attempted.h"
#include "pkcs11/secret.h"
#include "tests/support/softhsm.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/client/departure.h"
#include "tests/unit/pkcs11/client/world.h"

#define ROOT_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

#define CMP "cmp {\n sender = \"issuing.der\"\n bodies = {\"ip\", \"cp\"}\n}"

static void
a_certificate_on_policy_is_signed(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();

    (void)state;
    assert_true(signer_is_software(s));
    assert_true(signer_pid(s) > 0);
    assert_int_equal(signer_algorithm(s), KEY_P256);
    assert_true(span_equal(signer_spki(s), buf_span(&world.spki)));
    assert_int_equal(signer_attempts(s), 0);
    departure_make(NOTHING, &tbs);
    assert_ok(departure_sign(s, buf_span(&tbs), &signature, &e), &e);
    world_verify(buf_span(&tbs), &signature);
    assert_int_equal(signer_attempts(s), 1);
}

/* The signer's own table is signer/logged.c; this is that it is asked. */
static void
a_certificate_that_the_ledger_does_not_have_is_refused_and_not_journaled(void **state)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf other = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();
    struct err e = {0};

    (void)state;
    departure_make(NOTHING, &tbs);
    departure_make(NOTHING, &other);
    assert_err(signer_sign(s, SIGNER_CERTIFICATE, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    scene_log_announce(&world.ledger, buf_span(&other), &evidence);
    assert_err(signer_sign_logged(s, SIGNER_CERTIFICATE, buf_span(&tbs), buf_span(&evidence),
                                  &signature, &e),
               ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "leaf: its tbs is not"));
    assert_int_equal(signature.n, 0);
    signer_free(TAKE(s));
    s = world_start_well();
    assert_int_equal(signer_attempts(s), 0);
}

/* The parent's log and the ledger call it one, whatever stands between. */
static void
a_signer_behind_p11_kit_is_in_a_software_token(void **state)
{
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    world_write_policy(PROXY, "issuing-signing-v1", AUTHORITY);
    s = world_start_well();
    assert_true(signer_is_software(s));
}

static void
a_certificate_off_policy_is_refused_and_not_journaled(void **state)
{
    static const struct {
        enum departure departure;
        const char *reason;
    } rows[] = {
        {CA_TRUE, "CA:TRUE"},
        {WRONG_ISSUER, "issuer"},
        {SELF_ISSUED, "self-issued"},
        {TOO_LONG, "policy allows"},
        {BEYOND_ISSUER, "within the issuing"},
        {SERIAL_SHORT, "serial"},
        {SERIAL_FORM, "serial"},
        {SERIAL_NEGATIVE, "serial"},
        {CERT_SIGN, "keyCertSign"},
        {NO_KEY_USAGE, "keyUsage"},
        {NO_AKI, "authorityKeyIdentifier"},
        {UNKNOWN_CRITICAL, "critical extension"},
        {WRONG_ALGORITHM, "signature algorithm"},
        {OWN_KEY, "own key"},
        {VERSION_1, "version 3"},
        {TWICE, "twice"},
        {NO_PURPOSE, "no purpose"},
        {ANY_PURPOSE, "anyExtendedKeyUsage"},
        {OCSP_PURPOSE, "OCSPSigning"},
        {POLICY_FOREIGN, "certificatePolicies"},
        {POLICY_QUALIFIED, "certificatePolicies"},
        {ENCIPHERMENT, "keyUsage has a bit"},
        {WILDCARD, "wildcard"},
        {NO_POINT, "no cRLDistributionPoints"},
        {NO_REV_AVAIL, "no_rev_avail"},
    };
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
        CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);

        departure_make(rows[i].departure, &tbs);
        assert_err(departure_sign(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
        if (strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("%s: %s", rows[i].reason, e.text);
        }
        assert_int_equal(signature.n, 0);
    }
    signer_free(TAKE(s));
    s = world_start_well();
    assert_int_equal(signer_attempts(s), 0);
}

static void
a_policy_can_allow_more_and_no_nonsense(void **state)
{
    static const struct {
        enum departure departure;
        bool signed_;
    } rows[] = {
        {ENCIPHERMENT, true},
        {WILDCARD, true},
        {NO_REV_AVAIL, true},
        {NO_POINT, false},
        {NO_REV_AVAIL_AND_POINT, false},
        {NO_REV_AVAIL_AND_OCSP, false},
        {NO_REV_AVAIL_CRITICAL, false},
        {NO_REV_AVAIL_VALUE, false},
        {ANY_PURPOSE, false},
        {CERT_SIGN, false},
    };
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    world_write_policy(FAULTY, "issuing-signing-v1",
                       "certificate_authority {\n issuer = \"issuing.der\"\n max_validity = 100\n"
                       "objects = {certificate}\n"
                       "key_usage = {digitalSignature, keyEncipherment}\n wildcard = true\n"
                       "no_rev_avail = true\n}\n" LEDGER);
    s = world_start_well();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
        CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);

        departure_make(rows[i].departure, &tbs);
        if (rows[i].signed_) {
            assert_ok(departure_sign(s, buf_span(&tbs), &signature, &e), &e);
        } else {
            assert_err(departure_sign(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
        }
    }
}

static void
garbage_is_refused_and_the_signer_lives_on(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();
    pid_t pid = signer_pid(s);

    (void)state;
    departure_make(NOTHING, &tbs);
    assert_err(departure_sign(s, SPAN_LITERAL("garbage"), &signature, &e), ERR_INPUT, &e);
    assert_err(departure_sign(s, span_of(tbs.p, tbs.n - 1), &signature, &e), ERR_INPUT, &e);
    assert_err(signer_sign(s, SIGNER_CRL, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    assert_err(signer_sign(s, (enum signer_object)'X', buf_span(&tbs), &signature, &e), ERR_INPUT,
               &e);
    assert_err(departure_sign(s, span_of(NULL, 0), &signature, &e), ERR_INPUT, &e);
    /* A digest instead of an object, and objects of other purposes. */
    assert_err(departure_sign(s, span_of(world.id, 16), &signature, &e), ERR_INPUT, &e);
    assert_err(signer_sign(s, SIGNER_CHECKPOINT, SPAN_LITERAL("log.example\n1\n" ROOT_A "\n"),
                           &signature, &e),
               ERR_DENIED, &e);
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    assert_ok(buf_append_str(&tbs, "x", &e), &e);
    assert_err(departure_sign(s, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    assert_int_equal(signer_pid(s), pid);
}

static void
an_encoding_that_hides_something_is_refused(void **state)
{
    static const uint8_t critical[] = {0x06, 0x03, 0x55, 0x1d, 0x11, 0x01, 0x01, 0xff};
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();
    uint8_t *at;

    (void)state;
    departure_make(NOTHING, &tbs);
    at = memmem(tbs.p, tbs.n, critical, sizeof(critical));
    assert_non_null(at);
    at[7] = 0x01; /* TRUE, but not its DER */
    assert_err(departure_sign(s, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    at[7] = 0x00; /* the default, spelled out: not DER (X.690 11.5) */
    assert_err(departure_sign(s, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
}

static void
make_crl(const char *issuer, long days, bool number, bool critical, long revoked, struct buf *tbs)
{
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = X509_CRL_new();
    CLEANUP(x509_name_cleanup) X509_NAME *name = X509_NAME_new();
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *one = ASN1_INTEGER_new();
    ASN1_TIME *t = ASN1_TIME_new();
    X509V3_CTX ctx;
    X509_EXTENSION *aki;
    time_t now = clock_now();
    struct err e = {0};
    unsigned char *der = NULL;
    int n;

    (void)X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    world_set_name(name, issuer);
    (void)X509_CRL_set_issuer_name(crl, name);
    (void)X509_CRL_set1_lastUpdate(crl, X509_time_adj_ex(t, 0, 0, &now));
    (void)X509_CRL_set1_nextUpdate(crl, X509_time_adj_ex(t, (int)days, 0, &now));
    ASN1_TIME_free(t);
    (void)ASN1_INTEGER_set(one, 1);
    X509V3_set_ctx(&ctx, world.issuer, NULL, NULL, crl, 0);
    aki = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
    assert_int_equal(X509_CRL_add_ext(crl, aki, -1), 1);
    X509_EXTENSION_free(aki);
    if (number) {
        assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, one, 0, 0), 1);
    }
    if (critical) {
        assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, one, 1, 0), 1);
    }
    {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_TIME *date = X509_time_adj_ex(NULL, 0, revoked, &now);

        assert_int_equal(X509_REVOKED_set_serialNumber(entry, one), 1);
        assert_int_equal(X509_REVOKED_set_revocationDate(entry, date), 1);
        assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
        ASN1_TIME_free(date);
    }
    assert_true(X509_CRL_sign(crl, world.dummy, EVP_sha256()) > 0);
    n = i2d_re_X509_CRL_tbs(crl, &der);
    assert_true(n > 0);
    assert_ok(buf_set(tbs, span_of(der, (size_t)n), &e), &e);
    OPENSSL_free(der);
}

static int
sign_crl(struct signer *s, struct span tbs, struct buf *signature, struct err *e)
{
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);

    scene_log_announce_crl(&world.ledger, tbs, &evidence);
    return signer_sign_logged(s, SIGNER_CRL, tbs, buf_span(&evidence), signature, e);
}

static void
a_crl_on_policy_is_signed_and_others_refused(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();

    (void)state;
    make_crl("Issuing CA", 7, true, false, 0, &tbs);
    assert_ok(sign_crl(s, buf_span(&tbs), &signature, &e), &e);
    world_verify(buf_span(&tbs), &signature);
    make_crl("Issuing CA", 32, true, false, 0, &tbs);
    assert_err(sign_crl(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    make_crl("Root CA", 7, true, false, 0, &tbs);
    assert_err(sign_crl(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    make_crl("Issuing CA", 7, false, false, 0, &tbs);
    assert_err(sign_crl(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    make_crl("Issuing CA", 7, true, true, 0, &tbs);
    assert_err(sign_crl(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    make_crl("Issuing CA", 7, true, false, 1, &tbs); /* revoked a second after thisUpdate */
    assert_err(sign_crl(s, buf_span(&tbs), &signature, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "after thisUpdate"));
    make_crl("Issuing CA", 7, true, false, 0, &tbs); /* nobody has announced it */
    assert_err(signer_sign(s, SIGNER_CRL, buf_span(&tbs), &signature, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "evidence"));
}

/* Each with its own journal: what the one signs, the other does not know of. */
static void
of_two_signers_of_one_key_one_signs_crls(void **state)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf crl = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *first = world_start_well();
    CLEANUP(signer_cleanup) struct signer *second = NULL;
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/second", world.dir);
    struct err e = {0};

    (void)state;
    make_crl("Issuing CA", 7, true, false, 0, &crl);
    world.second_journal = true;
    world_write_policy(FAULTY, "issuing-signing-v1",
                       "certificate_authority {\n issuer = \"issuing.der\"\n max_validity = 100\n"
                       "objects = {certificate}\n}\n" LEDGER);
    second = world_start_well();
    departure_make(NOTHING, &tbs);
    assert_ok(departure_sign(second, buf_span(&tbs), &signature, &e), &e);
    world_verify(buf_span(&tbs), &signature);
    assert_err(sign_crl(second, buf_span(&crl), &signature, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "objects: the policy of this signer has no crl"));
    assert_ok(sign_crl(first, buf_span(&crl), &signature, &e), &e);
    world_verify(buf_span(&crl), &signature);
    (void)unlink(other);
}

/* The signer's own table is signer/journal/again.c; this is that it remembers. */
static void
what_has_a_number_is_not_signed_otherwise_also_after_a_restart(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf first = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf second = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf crl = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf other_crl = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();

    (void)state;
    departure_make(NOTHING, &first);
    world_last_octet--;
    departure_make(NOTHING, &second); /* for another key */
    make_crl("Issuing CA", 7, true, false, 0, &crl);
    make_crl("Issuing CA", 8, true, false, 0, &other_crl);
    for (int round = 0; round < 2; round++) {
        assert_ok(departure_sign(s, buf_span(&first), &signature, &e), &e);
        assert_err(departure_sign(s, buf_span(&second), &signature, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "again, with other octets"));
        assert_non_null(strstr(e.text, "serial number 7f010203"));
        assert_ok(sign_crl(s, buf_span(&crl), &signature, &e), &e);
        assert_err(sign_crl(s, buf_span(&other_crl), &signature, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "CRL number 1 again, with other octets"));
        signer_free(TAKE(s));
        s = world_start_well();
        assert_int_equal(signer_attempts(s), 2 * (round + 1));
    }
}

/* The first `to` leaves, on top of the first `from`. */
static int
sign_log(struct signer *s, const struct scene_log *log, uint64_t from, uint64_t to, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(GROWTH_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    struct checkpoint c = {.size = to, .root = scene_log_root(log, to)};

    memcpy(c.origin, log->pinned.origin, sizeof(c.origin));
    assert_ok(checkpoint_text(&c, &text, e), e);
    scene_log_growth(log, from, to, &evidence);
    if (signer_sign_logged(s, SIGNER_CHECKPOINT, buf_span(&text), buf_span(&evidence), &signature,
                           e) != 0) {
        return -1;
    }
    world_verify(buf_span(&text), &signature);
    return 0;
}

/* Asked, it says what it signed. */
static void
last_is(struct signer *s, const struct scene_log *log, uint64_t size)
{
    const struct merkle_hash root = scene_log_root(log, size);
    struct signed_last last;
    struct err e = {0};

    assert_ok(signer_last(s, &last, &e), &e);
    assert_int_equal(last.size, size);
    if (size > 0) {
        assert_memory_equal(last.root, root.octets, sizeof(last.root));
    }
}

struct told {
    uint64_t lines;
    uint8_t before[ATTEMPTED_HASH]; /* the chain */
    uint8_t chain[ATTEMPTED_HASH];  /* with the lines */
    struct attempted last;
};

static struct told
ask_lines(struct signer *s, uint64_t first, uint64_t n)
{
    CLEANUP(buf_free) struct buf answer = BUF_INIT(ATTEMPTED_MAX);
    struct attempted_page page;
    struct told told = {0};
    struct err e = {0};
    bool there = true;

    assert_ok(signer_attempted(s, first, &answer, &e), &e);
    assert_ok(attempted_open(buf_span(&answer), first, &page, &e), &e);
    told.lines = page.lines;
    memcpy(told.before, page.chain, sizeof(told.before));
    memcpy(told.chain, page.chain, sizeof(told.chain));
    for (uint64_t i = 0; there; i++) {
        assert_ok(attempted_next(&page, &told.last, &there, &e), &e);
        assert_int_equal(there, i < n);
        if (there) {
            assert_ok(
                attempted_chain(told.chain, told.last.number, told.last.kind, told.last.hash, &e),
                &e);
        }
    }
    return told;
}

/* Whoever has the chain over what was told before knows that it is the same journal still. */
static void
the_journal_is_told_from_any_line_on(void **state)
{
    struct err e = {0};
    struct scene_log log;
    struct told all;
    struct attempted_page page;
    CLEANUP(buf_free) struct buf answer = BUF_INIT(ATTEMPTED_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    scene_log_begin(&log, "log.example");
    for (int i = 0; i < 6; i++) {
        (void)scene_log_add(&log, span_of(&i, sizeof(i)));
    }
    world_write_policy(FAULTY, "issuing-signing-v1", LOG);
    s = world_start_well();
    all = ask_lines(s, 1, 0);
    assert_int_equal(all.lines, 0);
    for (uint64_t to = 1; to <= 6; to++) {
        const struct merkle_hash root = scene_log_root(&log, to);
        struct told told;

        assert_ok(sign_log(s, &log, 0, to, &e), &e);
        told = ask_lines(s, to, 1);
        assert_memory_equal(told.before, all.chain, sizeof(all.chain));
        assert_int_equal(told.last.size, to);
        assert_memory_equal(told.last.root, root.octets, sizeof(told.last.root));
        assert_int_equal(told.lines, to);
        all = ask_lines(s, 1, to);
        assert_memory_equal(told.chain, all.chain, sizeof(all.chain));
        assert_int_equal(signer_attempts(s), to); /* questions have no line */
    }
    signer_free(TAKE(s));
    s = world_start_well();
    assert_memory_equal(ask_lines(s, 7, 0).chain, all.chain, sizeof(all.chain));
    assert_memory_equal(ask_lines(s, 1, 6).chain, all.chain, sizeof(all.chain));
    assert_ok(signer_attempted(s, 8, &answer, &e), &e);
    assert_ok(attempted_open(buf_span(&answer), 8, &page, &e), &e);
    assert_true(page.is_short);
    assert_int_equal(page.lines, 6);
    assert_err(signer_attempted(s, 0, &answer, &e), ERR_INPUT, &e);
    scene_log_end(&log);
}

/* The signer's own table is signer/checkpoint.c; this is that it remembers. */
static void
a_log_never_rolls_back_or_forks_also_after_a_restart(void **state)
{
    struct err e = {0};
    struct scene_log log;
    struct scene_log other;
    uint64_t attempts;
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    scene_log_begin(&log, "log.example");
    for (int i = 0; i < 12; i++) {
        (void)scene_log_add(&log, span_of(&i, sizeof(i)));
    }
    other = log;
    other.hashes[3].octets[0] ^= 1;
    world_write_policy(FAULTY, "issuing-signing-v1", LOG);
    s = world_start_well();
    last_is(s, &log, 0);
    assert_ok(sign_log(s, &log, 0, 0, &e), &e);
    assert_ok(sign_log(s, &log, 0, 10, &e), &e);
    assert_ok(sign_log(s, &log, 10, 10, &e), &e);
    attempts = signer_attempts(s);
    for (int round = 0; round < 2; round++) {
        assert_err(sign_log(s, &log, 9, 9, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "roll-back"));
        assert_err(sign_log(s, &other, 0, 10, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "fork"));
        assert_err(sign_log(s, &other, 10, 12, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "fork"));
        assert_err(sign_log(s, &log, 11, 12, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, "10 was signed last"));
        last_is(s, &log, 10);
        assert_int_equal(signer_attempts(s), attempts); /* questions have no line */
        signer_free(TAKE(s));
        s = world_start_well();
    }
    assert_ok(sign_log(s, &log, 8, 12, &e), &e);
    last_is(s, &log, 12);
    scene_log_end(&log);
}

/* Appends tag, length (below 128) and content. */
static void
tlv(struct buf *out, uint8_t tag, struct span content)
{
    struct err e = {0};
    const uint8_t head[2] = {tag, (uint8_t)content.n};

    assert_true(content.n < 128);
    assert_ok(buf_append(out, span_of(head, 2), &e), &e);
    assert_ok(buf_append(out, content, &e), &e);
}

/* SEQUENCE { header { pvno, sender, recipient, [1] protectionAlg }, body [body] } */
static void
make_part(uint8_t body, const char *sender, bool algorithm, struct buf *out)
{
    struct err e = {0};
    CLEANUP(x509_name_cleanup) X509_NAME *name = X509_NAME_new();
    CLEANUP(buf_free) struct buf name_der = BUF_INIT(256);
    CLEANUP(buf_free) struct buf header = BUF_INIT(256);
    CLEANUP(buf_free) struct buf content = BUF_INIT(256);

    world_set_name(name, sender);
    assert_ok(OSSL_ENCODE(X509_NAME, name, &name_der, &e), &e);
    tlv(&header, 0x02, SPAN_LITERAL("\x02"));
    tlv(&header, 0xa4, buf_span(&name_der));
    tlv(&header, 0xa4, buf_span(&name_der));
    if (algorithm) {
        tlv(&header, 0xa1, key_algorithm_identifier(KEY_P256));
    }
    tlv(&header, 0xa4, SPAN_LITERAL("\x04\x01\x01"));
    tlv(&content, 0x30, buf_span(&header));
    tlv(&content, body, SPAN_LITERAL("\x30\x00"));
    buf_truncate(out, 0);
    tlv(out, 0x30, buf_span(&content));
}

static void
a_cmp_key_signs_answers_of_its_own_name_only(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf part = BUF_INIT(512);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    world_write_policy(FAULTY, "issuing-signing-v1", CMP);
    s = world_start_well();
    make_part(0xa1, "Issuing CA", true, &part); /* ip */
    assert_ok(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), &e);
    world_verify(buf_span(&part), &signature);
    make_part(0xa3, "Issuing CA", true, &part); /* cp */
    assert_ok(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), &e);
    make_part(0xa0, "Issuing CA", true, &part); /* ir: a request */
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), ERR_DENIED, &e);
    make_part(0xb3, "Issuing CA", true, &part); /* pkiconf: not in this policy */
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), ERR_DENIED, &e);
    make_part(0xa1, "Somebody", true, &part);
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), ERR_DENIED, &e);
    make_part(0xa1, "Issuing CA", false, &part);
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), ERR_DENIED, &e);
    make_part(0x21, "Issuing CA", true, &part);
    assert_err(signer_sign(s, SIGNER_CMP, buf_span(&part), &signature, &e), ERR_INPUT, &e);
    departure_make(NOTHING, &part);
    assert_err(departure_sign(s, buf_span(&part), &signature, &e), ERR_DENIED, &e);
}

/* A secret key beside the pair; its identifier in hex. */
static void
a_seal_key_is_the_same_at_each_start_and_for_one_text_only(void **state)
{
    struct err e = {0};
    char id[2 * KEY_ID_SIZE + 1];
    CLEANUP(mem_cleanup) char *purpose = NULL;
    CLEANUP(mem_cleanup) char *ledger = NULL;
    CLEANUP(mem_cleanup) char *authority = NULL;
    CLEANUP(buf_free) struct buf first = BUF_SECRET(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf again = BUF_SECRET(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    world_make_secret(id);
    purpose = mem_printf(CMP "\nseal { key_id = \"%s\" }", id);
    world_write_policy(SOFTHSM_MODULE, "issuing-signing-v1", purpose);
    s = world_start_well();
    assert_ok(signer_seal_key(s, SIGNER_SEAL_TEXT_RA, &first, &e), &e);
    assert_int_equal(first.n, 32);
    assert_int_equal(signer_attempts(s), 0); /* which is no signature, and leaves no line */
    assert_err(signer_seal_key(s, SPAN_LITERAL("another text"), &again, &e), ERR_DENIED, &e);
    assert_err(signer_seal_key(s, SIGNER_SEAL_TEXT_CA, &again, &e), ERR_DENIED, &e);
    signer_free(TAKE(s));
    s = world_start_well();
    assert_int_equal(signer_attempts(s), 0);
    assert_ok(signer_seal_key(s, SIGNER_SEAL_TEXT_RA, &again, &e), &e);
    assert_true(span_equal(buf_span(&first), buf_span(&again)));
    signer_free(TAKE(s));
    /* of one secret key in the token a log's signer gives another key, and not that one */
    ledger = mem_printf(LOG "\nseal { key_id = \"%s\" }", id);
    world_write_policy(SOFTHSM_MODULE, "issuing-signing-v1", ledger);
    s = world_start_well();
    assert_ok(signer_seal_key(s, SIGNER_SEAL_TEXT_CA, &again, &e), &e);
    assert_int_equal(again.n, 32);
    assert_false(span_equal(buf_span(&first), buf_span(&again)));
    assert_err(signer_seal_key(s, SIGNER_SEAL_TEXT_RA, &again, &e), ERR_DENIED, &e);
    signer_free(TAKE(s));
    /* a policy without the section; beside certificate_authority it is for its journal, and gives
     * neither key; a key that is not there */
    world_write_policy(SOFTHSM_MODULE, "issuing-signing-v1", CMP);
    s = world_start_well();
    assert_err(signer_seal_key(s, SIGNER_SEAL_TEXT_RA, &again, &e), ERR_DENIED, &e);
    signer_free(TAKE(s));
    authority = mem_printf(AUTHORITY "\nseal { key_id = \"%s\" }", id);
    world_write_policy(SOFTHSM_MODULE, "issuing-signing-v1", authority);
    s = world_start_well();
    assert_err(signer_seal_key(s, SIGNER_SEAL_TEXT_RA, &again, &e), ERR_DENIED, &e);
    assert_err(signer_seal_key(s, SIGNER_SEAL_TEXT_CA, &again, &e), ERR_DENIED, &e);
    signer_free(TAKE(s));
    world_write_policy(SOFTHSM_MODULE, "issuing-signing-v1",
                       AUTHORITY "\nseal { key_id = \"00112233445566778899aabbccddeeff\" }");
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    world_write_policy(SOFTHSM_MODULE, "issuing-signing-v1",
                       CMP "\nseal { key_id = \"00112233445566778899aabbccddeeff\" }");
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_on_policy_is_signed),
        TEST(a_certificate_that_the_ledger_does_not_have_is_refused_and_not_journaled),
        TEST(a_signer_behind_p11_kit_is_in_a_software_token),
        TEST(a_certificate_off_policy_is_refused_and_not_journaled),
        TEST(a_policy_can_allow_more_and_no_nonsense),
        TEST(garbage_is_refused_and_the_signer_lives_on),
        TEST(an_encoding_that_hides_something_is_refused),
        TEST(a_crl_on_policy_is_signed_and_others_refused),
        TEST(of_two_signers_of_one_key_one_signs_crls),
        TEST(what_has_a_number_is_not_signed_otherwise_also_after_a_restart),
        TEST(the_journal_is_told_from_any_line_on),
        TEST(a_log_never_rolls_back_or_forks_also_after_a_restart),
        TEST(a_cmp_key_signs_answers_of_its_own_name_only),
        TEST(a_seal_key_is_the_same_at_each_start_and_for_one_text_only),
    };

    return cmocka_run_group_tests(tests, world_make, world_free);
}
