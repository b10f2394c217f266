/* SPDX-License-Identifier: Apache-2.0 */
/* What a registration says: members, profiles, window and proof. */
#include "ca/registration/registration.h"

#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "ca/x509/profile/profiles.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/ca/registration/members.h"

enum { DAY = 24 * 60 * 60 };

#define HEX_15 "000102030405060708090a0b0c0d0e"
#define HEX_32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void
a_good_document_is_read_whole(void **state)
{
    CLEANUP(buf_free) struct buf json = members_json(NULL, NULL);
    struct registration r;
    struct err e = {0};

    (void)state;
    assert_ok(registration_parse(buf_span(&json), NULL, &r, &e), &e);
    assert_string_equal(r.nf.instance_id, "9c5b94b1-35ad-49bb-b118-8e8fc24abf80");
    assert_int_equal(r.nf.n_types, 2);
    assert_string_equal(r.nf.types[1], "SMF");
    assert_int_equal(r.nf.n_fqdns, 1);
    assert_string_equal(r.nf.country, "SE");
    assert_int_equal(r.n_profiles, 2);
    assert_string_equal(r.profiles[0].profile->name, "nf-tls");
    assert_int_equal(r.profiles[0].max_days, 30);
    assert_int_equal(r.not_after - r.not_before, 30 * DAY);
    assert_int_equal(r.certificates, 3);
    assert_int_equal(r.proof.kind, PROOF_MAC);
}

static void
certificates_is_one_when_it_is_not_said(void **state)
{
    CLEANUP(buf_free) struct buf json = members_json("certificates", NULL);
    struct registration r;
    struct err e = {0};

    (void)state;
    assert_ok(registration_parse(buf_span(&json), NULL, &r, &e), &e);
    assert_int_equal(r.certificates, 1);
}

static void
each_wrong_member_is_refused_and_named(void **state)
{
    static const struct {
        const char *key;
        const char *value;
        const char *reason; /* with which the error begins */
    } rows[] = {
        {"version", NULL, "version: missing"},
        {"version", "2", "version: must be 1..1"},
        {"version", "\"1\"", "version: must be"},
        {"nfInstanceId", NULL, "nfInstanceId: missing"},
        {"nfInstanceId", "\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"", "nfInstanceId: UUID"},
        {"nfInstanceId", "7", "nfInstanceId: must be a string"},
        {"nfTypes", "[]", "nfTypes: must have"},
        {"nfTypes", "[\"SMF\",\"AMF\"]", "nfTypes[1]: not in ascending"},
        {"nfTypes", "[1]", "nfTypes[0]: must be a string"},
        {"nfTypes", "[\"ROBOT\"]", "nfTypes[0]"},
        {"nfTypes", "\"AMF\"", "nfTypes: must be an array"},
        {"fqdns", "[\"*.5gc.mnc012.mcc345.3gppnetwork.org\"]", "fqdns[0]: wildcards"},
        {"fqdns", "[\"amf.example.com\"]", "fqdns[0]: not below"},
        {"fqdns", "[]", "profiles[0].name: nf-tls needs"},
        {"homeDomain", "\"5gc.mnc12.mcc345.3gppnetwork.org\"", "homeDomain"},
        {"homeDomain", "\"\"", "homeDomain: must have"},
        {"homeDomain", NULL, "homeDomain: missing"},
        {"country", NULL, "country: missing"},
        {"country", "\"\"", "country: must have 1..2"},
        {"country", "\"SWE\"", "country: must have 1..2"},
        {"country", "46", "country: must be a string"},
        {"fqdns", NULL, "fqdns: missing"},
        {"fqdns", "{}", "fqdns: must be an array"},
        {"fqdns", "[null]", "fqdns[0]: must be a string"},
        {"nfTypes", NULL, "nfTypes: missing"},
        {"profiles", NULL, "profiles: missing"},
        {"profiles", "{}", "profiles: must be an array"},
        {"profiles", "[{}]", "profiles[0].name: missing"},
        {"profiles", "[{\"name\":1}]", "profiles[0].name: must be a string"},
        {"profiles", "[1,1,1,1,1,1,1,1]", "profiles[0]: must be an object"},
        {"profiles", "[1,1,1,1,1,1,1,1,1]", "profiles: must have 1..8 elements"},
        {"profiles", "[]", "profiles: must have"},
        {"profiles", "[1]", "profiles[0]: must be an object"},
        {"profiles", "[{\"name\":\"root\",\"maxValidityDays\":1}]", "profiles[0].name"},
        {"profiles", "[{\"name\":\"registrar\",\"maxValidityDays\":1}]", "profiles[0].name"},
        {"profiles", "[{\"name\":\"nf-tls\",\"maxValidityDays\":0}]",
         "profiles[0].maxValidityDays: must be 1..1095"},
        {"profiles", "[{\"name\":\"nf-tls\",\"maxValidityDays\":1096}]",
         "profiles[0].maxValidityDays: must be 1..1095"},
        {"profiles", "[{\"name\":\"nf-tls\",\"maxValidityDays\":1.5}]",
         "profiles[0].maxValidityDays: must be 1..1095"},
        {"profiles", "[{\"name\":\"nf-tls\",\"maxValidityDays\":null}]",
         "profiles[0].maxValidityDays: must be 1..1095"},
        {"profiles", "[{\"name\":\"nf-tls\"},{\"name\":\"sepp\"}]",
         "profiles[1].name: not a profile of network functions"},
        {"plmns", "{}", "plmns: must be an array"},
        {"plmns", "[1]", "plmns[0]: must be an object"},
        {"plmns", "[{\"mcc\":\"345\"}]", "plmns[0].mnc: missing"},
        {"plmns", "[{\"mcc\":345,\"mnc\":\"12\"}]", "plmns[0].mcc: must be a string"},
        {"plmns", "[{\"mcc\":\"345\",\"mnc\":\"1\"}]", "plmns[0]: mcc must be 3 digits"},
        {"plmns", "[{\"mcc\":\"345\",\"mnc\":\"12\",\"nid\":\"1\"}]", "plmns[0].nid: unknown"},
        {"plmns", "[{\"mcc\":\"345\",\"mnc\":\"12\"}]", "plmns: nfTypes has no SEPP"},
        {"profiles", "[{\"name\":\"nf-tls\",\"maxValidityDays\":1,\"ca\":true}]",
         "profiles[0].ca: unknown member"},
        {"profiles",
         "[{\"name\":\"nf-tls\",\"maxValidityDays\":1},{\"name\":\"nf-tls\",\"maxValidityDays\":2}"
         "]",
         "profiles[1].name: stands there twice"},
        {"notBefore", NULL, "notBefore: missing"},
        {"notAfter", NULL, "notAfter: missing"},
        {"notBefore", "\"2026-09-21\"", "notBefore: must be a time"},
        {"notAfter", "\"2026-09-31T00:00:00Z\"", "notAfter: must be a time"},
        {"notAfter", "\"2026-09-21T00:00:00Z\"", "notAfter: not after"},
        {"notAfter", "1790000000", "notAfter: must be a string"},
        {"certificates", "0", "certificates: must be 1..1000"},
        {"certificates", "1001", "certificates: must be 1..1000"},
        {"certificates", "-1", "certificates: must be 1..1000"},
        {"certificates", "4294967297", "certificates: must be 1..1000"},
        {"certificates", "99999999999999999", "certificates: must be 1..1000"},
        {"certificates", "true", "certificates: must be 1..1000"},
        {"supersedes", "\"" HEX_15 "\"", "supersedes: must be the 32"},
        {"supersedes", "\"" HEX_15 "0f0\"", "supersedes: must be the 32"},
        {"supersedes", "\"" HEX_15 "0f10\"", "supersedes: must be the 32"},
        {"supersedes", "\"" HEX_15 "0F\"", "supersedes: must be the 32"},
        {"supersedes", "\"" HEX_15 "0g\"", "supersedes: must be the 32"},
        {"supersedes", "\"\"", "supersedes: must be the 32"},
        {"supersedes", "7", "supersedes: must be the 32"},
        {"supersedes", "null", "supersedes: must be the 32"},
        {"proof", NULL, "proof: missing"},
        {"proof", "\"mac\"", "proof: must be an object"},
        {"proof", "{}", "proof.kind: missing"},
        {"proof", "{\"kind\":\"none\"}", "proof.kind: must be"},
        {"proof", "{\"kind\":\"mac\",\"secret\":\"x\"}", "proof.secret: unknown member"},
        {"proof", "{\"kind\":\"certificate\"}", "proof.sha256: missing"},
        {"proof", "{\"kind\":\"certificate\",\"sha256\":\"00\"}", "proof.sha256: must be 64"},
        {"proof", "{\"kind\":\"certificate\",\"sha256\":\"" HEX_32 "0\"}",
         "proof.sha256: must be 64"},
        {"proof", "{\"kind\":\"publicKey\",\"sha256\":7}", "proof.sha256: must be a string"},
        {"proof", "{\"kind\":\"publicKey\",\"sha256\":\"" HEX_32 "\",\"issuer\":\"CN=x\"}",
         "proof.issuer: unknown member"},
        {"proof", "{\"kind\":\"vendor\",\"issuer\":\"CN=x\",\"subject\":\"CN=y\",\"sha256\":\"\"}",
         "proof.sha256: unknown member"},
        {"proof", "{\"kind\":7}", "proof.kind: must be a string"},
        {"proof", "{\"kind\":\"mac \"}", "proof.kind: must be mac, certificate, vendor or"},
        {"proof", "{\"kind\":\"vendor\",\"subject\":\"CN=x\"}", "proof.issuer: missing"},
        {"proof", "{\"kind\":\"vendor\",\"issuer\":\"CN=x\"}", "proof.subject: missing"},
        {"proof", "{\"kind\":\"vendor\",\"issuer\":\"\",\"subject\":\"CN=x\"}", "proof.issuer"},
        {"serialNumber", "1", "serialNumber: unknown member"},
        {"version\":1,\"version", "1", "registration: JSON"},
        {"country\\u0000", "1", "registration: JSON, line 1 column"},
        {"[", "1", "[: unknown member"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf json = members_json(rows[i].key, rows[i].value);
        struct registration r;
        struct err e = {0};

        if (registration_parse(buf_span(&json), NULL, &r, &e) == 0 ||
            strncmp(e.text, rows[i].reason, strlen(rows[i].reason)) != 0) {
            fail_msg("row %zu (%s = %s): \"%s\"", i, rows[i].key,
                     rows[i].value == NULL ? "-" : rows[i].value, e.text);
        }
    }
}

static void
each_member_is_taken_up_to_its_limit(void **state)
{
    static const struct {
        const char *key;
        const char *value;
    } rows[] = {
        {"certificates", "1"},
        {"certificates", "1000"},
        {"plmns", "[]"},
        {"notAfter", "\"2026-09-21T00:00:01Z\""},
        {"supersedes", "\"" HEX_15 "0f\""},
        {"profiles", "[{\"name\":\"nf-tls\",\"maxValidityDays\":1}]"},
        {"proof", "{\"kind\":\"certificate\",\"sha256\":\"" HEX_32 "\"}"},
        {"proof", "{\"kind\":\"publicKey\",\"sha256\":\"" HEX_32 "\"}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf json = members_json(rows[i].key, rows[i].value);
        struct registration r;
        struct err e = {0};

        if (registration_parse(buf_span(&json), NULL, &r, &e) != 0) {
            fail_msg("%s = %s: %s", rows[i].key, rows[i].value, e.text);
        }
        assert_string_equal(r.supersedes,
                            strcmp(rows[i].key, "supersedes") == 0 ? HEX_15 "0f" : "");
    }
}

/* Names of a vendor's certificate, which a registrar may have taken from anywhere. */
static void
a_vendor_s_names_are_taken_up_to_their_limit(void **state)
{
    static const struct {
        size_t issuer;
        size_t subject;
        const char *reason; /* NULL: taken */
    } rows[] = {
        {1, 1, NULL},
        {REGISTRATION_DN_SIZE - 1, REGISTRATION_DN_SIZE - 1, NULL},
        {REGISTRATION_DN_SIZE, 1, "proof.issuer: must have 1..512 characters"},
        {1, REGISTRATION_DN_SIZE, "proof.subject: must have 1..512 characters"},
        {1, 0, "proof.subject: must have 1..512 characters"},
    };
    char text[REGISTRATION_DN_SIZE];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *proof = mem_printf("{\"kind\":\"vendor\",\"issuer\":\"%.*s\",\"subject\":\"%.*s\"}",
                                 (int)rows[i].issuer, text, (int)rows[i].subject, text);
        CLEANUP(buf_free) struct buf json = members_json("proof", proof);
        struct registration r;
        struct err e = {0};
        int result = registration_parse(buf_span(&json), NULL, &r, &e);

        if (rows[i].reason == NULL ? result != 0 || strlen(r.proof.subject) != rows[i].subject
                                   : result == 0 || strcmp(e.text, rows[i].reason) != 0) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
a_reason_says_which_member_it_is_about(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } rows[] = {
        {"profiles[0].maxValidityDays: must be 1..1095", 27},
        {"a: b", 1},
        {"", 0},
        {": b", 0},
        {"a:b", 0},
        {"a", 0},
        {"not a member: b", 0},
        {"registration: longer", 0},
        {"registrations[0]: empty line", 16},
        {"registratio: x", 11},
        {"manifest: not JSON", 0},
        {"manifests: not JSON", 9},
        {"cancellation: not JSON", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (registration_error_member(rows[i].text) != rows[i].n) {
            fail_msg("%s: %zu", rows[i].text, registration_error_member(rows[i].text));
        }
    }
}

/* Profiles of a file: what the shipped one and an own one in it say. */
static struct profiles *
loaded(const char *more)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/p.conf", dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CONF_FILE_MAX);
    struct profiles *set;
    struct err e = {0};

    assert_ok(file_read(TEST_SOURCE_DIR "/../ca/x509/nfpki-profiles.conf", &text, &e), &e);
    assert_ok(buf_append_str(&text, more, &e), &e);
    assert_ok(file_write(path, buf_span(&text), 0600, &e), &e);
    set = profiles_load(path, &e);
    if (set == NULL) {
        fail_msg("%s", e.text);
    }
    return set;
}

static void
profiles_are_looked_up_in_the_operator_s_file(void **state)
{
    static const struct {
        const char *profiles;
        const char *reason; /* NULL: taken */
        const char *stored; /* when it was accepted before */
    } rows[] = {
        {"[{\"name\":\"cca-jwt\"}]", NULL, NULL},
        {"[{\"name\":\"nrf-token\"},{\"name\":\"cca-jwt\"}]",
         "profiles[0].name: nfTypes: profile nrf-token is for NRF", NULL},
        {"[{\"name\":\"sepp\"}]", "profiles[0].name: nfTypes: profile sepp is for SEPP",
         "profiles: the file of profiles has none of them"},
        {"[{\"name\":\"nf-tls-short\"}]", "profiles[0].name: not a profile",
         "profiles: the file of profiles has none of them"},
        {"[{\"name\":\"cca-jwt\"},{\"name\":\"gone\"}]", "profiles[1].name: not a profile", NULL},
        {"[{\"name\":\"free5gc-lab\"},{\"name\":\"nf-tls\"}]",
         "profiles[0].name: free5gc-lab is for laboratories", NULL},
        {"[{\"name\":\"high\"},{\"name\":\"nf-tls\"}]",
         "profiles[0].name: high needs assurance by signature, proof.kind is mac", NULL},
    };
    struct profiles *set =
        loaded("profile \"high\" { extended_key_usage = {jwt} assurance = signature }\n");
    struct nf_rules rules = {.profiles = set};
    struct nf_rules stored = {.profiles = set, .stored = true};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf json = members_json("profiles", rows[i].profiles);
        struct registration r;
        struct err e = {0};
        int result = registration_parse(buf_span(&json), &rules, &r, &e);

        if (rows[i].reason == NULL ? result != 0
                                   : result == 0 || strstr(e.text, rows[i].reason) != e.text) {
            fail_msg("row %zu: %s", i, e.text);
        }
        result = registration_parse(buf_span(&json), &stored, &r, &e);
        if (rows[i].stored == NULL ? result != 0 || r.n_profiles != 1
                                   : result == 0 || strstr(e.text, rows[i].stored) != e.text) {
            fail_msg("row %zu, stored: %s", i, e.text);
        }
    }
    rules.lab_profiles = true;
    {
        CLEANUP(buf_free) struct buf json = members_json("profiles", rows[5].profiles);
        struct registration r;
        struct err e = {0};

        assert_ok(registration_parse(buf_span(&json), &rules, &r, &e), &e);
        assert_int_equal(r.n_profiles, 2);
    }
    profiles_free(set);
}

static void
a_sepp_s_plmns_are_read(void **state)
{
    static const char text[] =
        "{\"version\":1,\"nfInstanceId\":\"9c5b94b1-35ad-49bb-b118-8e8fc24abf80\","
        "\"nfTypes\":[\"SEPP\"],\"fqdns\":[\"*.sepp1.5gc.mnc012.mcc345.3gppnetwork.org\","
        "\"sepp1.5gc.mnc345.mcc001.3gppnetwork.org\"],"
        "\"homeDomain\":\"5gc.mnc012.mcc345.3gppnetwork.org\",\"country\":\"SE\","
        "\"plmns\":[{\"mcc\":\"345\",\"mnc\":\"12\"},{\"mnc\":\"345\",\"mcc\":\"001\"}],"
        "\"profiles\":[{\"name\":\"sepp\"},{\"name\":\"n32-jwe\",\"maxValidityDays\":5}],"
        "\"notBefore\":\"2026-09-21T00:00:00Z\",\"notAfter\":\"2026-10-21T00:00:00Z\","
        "\"proof\":{\"kind\":\"mac\"}}";
    struct profiles *set = loaded("");
    const struct nf_rules rules = {.profiles = set};
    struct pki *pki = pki_new("P-256", "P-256");
    struct registration r;
    time_t end;
    struct err e = {0};

    (void)state;
    assert_ok(registration_parse(span_str(text), &rules, &r, &e), &e);
    assert_int_equal(r.nf.n_plmns, 2);
    assert_string_equal(r.nf.plmns[0].mnc, "012");
    assert_string_equal(r.nf.plmns[1].mcc, "001");
    assert_string_equal(r.nf.plmns[1].mnc, "345");
    /* without maxValidityDays the profile says how long, else the registration */
    assert_int_equal(r.profiles[0].max_days, 0);
    assert_ok(
        registration_not_after(&r, profiles_find(set, "sepp"), PKI_NOW, pki->issuing, &end, &e),
        &e);
    assert_int_equal(end, PKI_NOW + (time_t)365 * DAY);
    assert_ok(
        registration_not_after(&r, profiles_find(set, "n32-jwe"), PKI_NOW, pki->issuing, &end, &e),
        &e);
    assert_int_equal(end, PKI_NOW + (time_t)5 * DAY);
    pki_free(pki);
    profiles_free(set);
}

static void
what_is_no_document_is_refused(void **state)
{
    const struct span rows[] = {SPAN_LITERAL(""), SPAN_LITERAL("[]"), SPAN_LITERAL("{"),
                                SPAN_LITERAL("{}x"), SPAN_LITERAL("{\"version\":1}\xff")};
    CLEANUP(buf_free) struct buf good = members_json(NULL, NULL);
    CLEANUP(buf_free) struct buf big = BUF_INIT(REGISTRATION_JSON_MAX + 1);
    struct registration r;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_err(registration_parse(rows[i], NULL, &r, &e), ERR_INPUT, &e);
    }
    assert_ok(buf_append(&big, buf_span(&good), &e), &e);
    memset(buf_extend(&big, REGISTRATION_JSON_MAX - good.n, &e), ' ',
           REGISTRATION_JSON_MAX - good.n);
    assert_ok(registration_parse(buf_span(&big), NULL, &r, &e), &e);
    assert_ok(buf_append_str(&big, " ", &e), &e);
    assert_err(registration_parse(buf_span(&big), NULL, &r, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "registration: longer than 16384 octets");
    assert_err(registration_parse(SPAN_LITERAL("[]"), NULL, &r, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "registration: must be an object");
}

static struct registration
parsed(const char *key, const char *value)
{
    CLEANUP(buf_free) struct buf json = members_json(key, value);
    struct registration r;
    struct err e = {0};

    assert_ok(registration_parse(buf_span(&json), NULL, &r, &e), &e);
    return r;
}

static void
window_and_profile_decide_what_is_allowed(void **state)
{
    struct registration r = parsed(NULL, NULL);
    const struct profile *tls = profile_by_name("nf-tls");
    struct err e = {0};

    (void)state;
    assert_ok(registration_allows(&r, tls, r.not_before, &e), &e);
    assert_ok(registration_allows(&r, tls, r.not_after, &e), &e);
    assert_err(registration_allows(&r, tls, r.not_before - 1, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "registration: not open yet");
    assert_err(registration_allows(&r, tls, r.not_after + 1, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "registration: expired");
    assert_err(registration_allows(&r, profile_by_name("nf-tls-server"), r.not_before, &e),
               ERR_DENIED, &e);
    assert_string_equal(e.text, "registration: not for profile nf-tls-server");
    assert_err(registration_allows(&r, profile_by_name("ra-cmp"), r.not_before, &e), ERR_DENIED,
               &e);
}

static void
the_window_says_how_far_it_is(void **state)
{
    struct registration r = parsed(NULL, NULL);
    char when[ERR_VALUE_SIZE];
    char wanted[2 * ERR_VALUE_SIZE];
    char at[TIME_TEXT_SIZE];
    bool ended;

    (void)state;
    assert_false(registration_is_closed(&r, r.not_before, &ended, when, sizeof(when)));
    assert_false(registration_is_closed(&r, r.not_after, &ended, when, sizeof(when)));
    assert_true(registration_is_closed(&r, r.not_before - 90, &ended, when, sizeof(when)));
    assert_false(ended);
    time_format(r.not_before, at);
    (void)snprintf(wanted, sizeof(wanted), "%s, in 90 s", at);
    assert_string_equal(when, wanted);
    assert_true(registration_is_closed(&r, r.not_after + 1, &ended, when, sizeof(when)));
    assert_true(ended);
    time_format(r.not_after, at);
    (void)snprintf(wanted, sizeof(wanted), "%s, 1 s ago", at);
    assert_string_equal(when, wanted);
}

static void
validity_ends_at_the_earliest_limit(void **state)
{
    struct registration r = parsed(NULL, NULL);
    struct pki *pki = pki_new("P-256", "P-256");
    const struct profile *client = profile_by_name("nf-tls-client");
    time_t end;
    struct err e = {0};

    (void)state;
    assert_ok(
        registration_not_after(&r, profile_by_name("nf-tls"), PKI_NOW, pki->issuing, &end, &e), &e);
    assert_int_equal(end, PKI_NOW + 30 * DAY);
    /* the issuing certificate ends after five years less a day */
    assert_ok(
        registration_not_after(&r, client, PKI_NOW + (time_t)4 * 365 * DAY, pki->issuing, &end, &e),
        &e);
    assert_int_equal(end, PKI_NOW - DAY + (time_t)5 * 365 * DAY);
    assert_err(
        registration_not_after(&r, client, PKI_NOW + (time_t)5 * 365 * DAY, pki->issuing, &end, &e),
        ERR_DENIED, &e);
    assert_err(registration_not_after(&r, profile_by_name("nf-tls-server"), PKI_NOW, pki->issuing,
                                      &end, &e),
               ERR_DENIED, &e);
    pki_free(pki);
}

static void
the_proof_must_be_the_registered_one(void **state)
{
    struct pki *pki = pki_new("P-256", "P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(x509_cleanup) X509 *vendor = pki_issue_officer(pki, "ra-cmp", key);
    CLEANUP(mem_cleanup) char *pinned = NULL;
    CLEANUP(mem_cleanup) char *named = NULL;
    CLEANUP(mem_cleanup) char *hashed = NULL;
    CLEANUP(mem_cleanup) char *fingerprint = NULL;
    CLEANUP(mem_cleanup) char *key_hash = NULL;
    uint8_t hash[SHA256_SIZE];
    struct registration r;
    struct err e = {0};

    (void)state;
    assert_int_equal(X509_digest(vendor, EVP_sha256(), hash, NULL), 1);
    fingerprint = hex_dup(span_of(hash, sizeof(hash)));
    assert_ok(sha256(buf_span(&spki), hash, &e), &e);
    key_hash = hex_dup(span_of(hash, sizeof(hash)));
    pinned = mem_printf("{\"kind\":\"certificate\",\"sha256\":\"%s\"}", fingerprint);
    hashed = mem_printf("{\"kind\":\"publicKey\",\"sha256\":\"%s\"}", key_hash);
    named = mem_printf("{\"kind\":\"vendor\",\"issuer\":\"CN=Example Issuing,O=Example "
                       "Operator,C=SE\",\"subject\":\"CN=ra-cmp,O=Example Operator,C=SE\"}");

    r = parsed("proof", pinned);
    assert_ok(registration_matches_certificate(&r, vendor, &e), &e);
    assert_err(registration_matches_certificate(&r, pki->issuing, &e), ERR_DENIED, &e);
    assert_err(registration_matches_spki(&r, buf_span(&spki), &e), ERR_DENIED, &e);
    r = parsed("proof", named);
    assert_ok(registration_matches_certificate(&r, vendor, &e), &e);
    assert_err(registration_matches_certificate(&r, pki->issuing, &e), ERR_DENIED, &e);
    r = parsed("proof", hashed);
    assert_ok(registration_matches_spki(&r, buf_span(&spki), &e), &e);
    assert_err(registration_matches_spki(&r, SPAN_LITERAL("x"), &e), ERR_DENIED, &e);
    assert_err(registration_matches_certificate(&r, vendor, &e), ERR_DENIED, &e);
    r = parsed(NULL, NULL);
    assert_err(registration_matches_certificate(&r, vendor, &e), ERR_DENIED, &e);
    assert_err(registration_matches_spki(&r, buf_span(&spki), &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "its proof is mac"));
    pki_free(pki);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_document_is_read_whole),
        cmocka_unit_test(certificates_is_one_when_it_is_not_said),
        cmocka_unit_test(each_wrong_member_is_refused_and_named),
        cmocka_unit_test(each_member_is_taken_up_to_its_limit),
        cmocka_unit_test(a_vendor_s_names_are_taken_up_to_their_limit),
        cmocka_unit_test(a_reason_says_which_member_it_is_about),
        cmocka_unit_test(profiles_are_looked_up_in_the_operator_s_file),
        cmocka_unit_test(a_sepp_s_plmns_are_read),
        cmocka_unit_test(what_is_no_document_is_refused),
        cmocka_unit_test(window_and_profile_decide_what_is_allowed),
        cmocka_unit_test(the_window_says_how_far_it_is),
        cmocka_unit_test(validity_ends_at_the_earliest_limit),
        cmocka_unit_test(the_proof_must_be_the_registered_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
