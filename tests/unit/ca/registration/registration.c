/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/registration.h"

#include <openssl/pem.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "ca/x509/name.h"
#include "ca/x509/profile/profiles.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { DAY = 24 * 60 * 60, CMS_MAX = 128 * 1024 };

#define HEX_15 "000102030405060708090a0b0c0d0e"
#define HEX_32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* The members of a good document; a test replaces one of them. */
static const char *const members[][2] = {
    {"version", "1"},
    {"nfInstanceId", "\"9C5B94B1-35ad-49bb-b118-8e8fc24abf80\""},
    {"nfTypes", "[\"AMF\",\"SMF\"]"},
    {"fqdns", "[\"amf1.5gc.mnc012.mcc345.3gppnetwork.org\"]"},
    {"homeDomain", "\"5gc.mnc012.mcc345.3gppnetwork.org\""},
    {"country", "\"SE\""},
    {"profiles", "[{\"name\":\"nf-tls\",\"maxValidityDays\":30},"
                 "{\"name\":\"nf-tls-client\",\"maxValidityDays\":1095}]"},
    {"notBefore", "\"2026-09-21T00:00:00Z\""},
    {"notAfter", "\"2026-10-21T00:00:00Z\""},
    {"certificates", "3"},
    {"proof", "{\"kind\":\"mac\"}"},
};

/* The document with `key` given as `value`: replaced, left out (NULL), or added when unknown. */
static struct buf
document(const char *key, const char *value)
{
    struct buf out = BUF_INIT(REGISTRATION_JSON_MAX);
    struct err e = {0};
    const char *comma = "";
    bool known = key == NULL;

    assert_ok(buf_append_str(&out, "{", &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const char *text = members[i][1];
        CLEANUP(mem_cleanup) char *member = NULL;

        if (key != NULL && strcmp(key, members[i][0]) == 0) {
            known = true;
            text = value;
        }
        if (text != NULL) {
            member = mem_printf("%s\"%s\":%s", comma, members[i][0], text);
            assert_ok(buf_append_str(&out, member, &e), &e);
            comma = ",";
        }
    }
    if (!known) {
        CLEANUP(mem_cleanup) char *member = mem_printf(",\"%s\":%s", key, value);

        assert_ok(buf_append_str(&out, member, &e), &e);
    }
    assert_ok(buf_append_str(&out, "}", &e), &e);
    return out;
}

static void
a_good_document_is_read_whole(void **state)
{
    CLEANUP(buf_free) struct buf json = document(NULL, NULL);
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
    CLEANUP(buf_free) struct buf json = document("certificates", NULL);
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
        CLEANUP(buf_free) struct buf json = document(rows[i].key, rows[i].value);
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
        CLEANUP(buf_free) struct buf json = document(rows[i].key, rows[i].value);
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
        CLEANUP(buf_free) struct buf json = document("proof", proof);
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
        CLEANUP(buf_free) struct buf json = document("profiles", rows[i].profiles);
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
        CLEANUP(buf_free) struct buf json = document("profiles", rows[5].profiles);
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
    CLEANUP(buf_free) struct buf good = document(NULL, NULL);
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
    CLEANUP(buf_free) struct buf json = document(key, value);
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

/* ---- the envelope ---- */

struct fixture {
    struct pki *pki;
    EVP_PKEY *key;
    X509 *registrar;
    struct buf json;
    struct buf cms;
};

static int
make(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));

    f->pki = pki_new("P-384", "P-256");
    f->key = pki_key("P-256");
    f->registrar = pki_issue_officer(f->pki, "registrar", f->key);
    f->json = document(NULL, NULL);
    f->cms = pki_cms(buf_span(&f->json), f->registrar, f->key);
    *state = f;
    return 0;
}

static int
drop(void **state)
{
    struct fixture *f = *state;

    pki_free(f->pki);
    EVP_PKEY_free(f->key);
    X509_free(f->registrar);
    buf_free(&f->json);
    buf_free(&f->cms);
    mem_free(f);
    return 0;
}

static struct registration_signed *
verified(const struct fixture *f, struct span cms, struct err *e)
{
    return registration_verify(cms, f->pki->issuing, f->pki->root, PKI_NOW, NULL, NULL, e);
}

static void
a_signed_registration_verifies_and_is_named_by_its_hash(void **state)
{
    const struct fixture *f = *state;
    struct err e = {0};
    CLEANUP(registration_signed_cleanup)
    struct registration_signed *r = verified(f, buf_span(&f->cms), &e);
    uint8_t hash[SHA256_SIZE];
    char id[2 * 16 + 1];

    assert_non_null(r);
    assert_ok(sha256(buf_span(&f->cms), hash, &e), &e);
    hex_format(span_of(hash, 16), id);
    assert_string_equal(r->id, id);
    assert_ok(sha256(buf_span(&f->json), hash, &e), &e);
    assert_memory_equal(r->content_hash, hash, sizeof(hash));
    assert_true(span_equal(buf_span(&r->json), buf_span(&f->json)));
    assert_true(span_equal(buf_span(&r->cms), buf_span(&f->cms)));
    assert_int_equal(X509_cmp(r->signer, f->registrar), 0);
    assert_string_equal(r->content.nf.country, "SE");
}

static void
pem_gives_the_same_registration(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    CLEANUP(registration_signed_cleanup) struct registration_signed *r = NULL;
    CLEANUP(registration_signed_cleanup) struct registration_signed *s = NULL;
    struct err e = {0};
    char *text;
    long n;

    assert_true(PEM_write_bio(bio, "CMS", "", f->cms.p, (long)f->cms.n) > 0);
    n = BIO_get_mem_data(bio, &text);
    r = verified(f, span_of(text, (size_t)n), &e);
    assert_non_null(r);
    s = verified(f, buf_span(&f->cms), &e);
    assert_non_null(s);
    assert_string_equal(r->id, s->id);
}

/* The few octets that no signature covers (versions, the set of digests) may change the id; they
 * never change who signed what. */
static void
no_flipped_octet_changes_what_was_signed(void **state)
{
    const struct fixture *f = *state;
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};
    size_t passed = 0;

    assert_ok(sha256(buf_span(&f->json), hash, &e), &e);
    for (size_t i = 0; i < f->cms.n; i++) {
        struct registration_signed *r;

        f->cms.p[i] ^= 1;
        r = verified(f, buf_span(&f->cms), &e);
        f->cms.p[i] ^= 1;
        if (r != NULL) {
            assert_memory_equal(r->content_hash, hash, sizeof(hash));
            assert_int_equal(X509_cmp(r->signer, f->registrar), 0);
            registration_signed_free(r);
            passed++;
        }
    }
    assert_true(passed < 20);
}

static void
expect_refused(const struct fixture *f, struct span cms, enum err_code code, const char *why)
{
    struct err e = {0};
    struct registration_signed *r = verified(f, cms, &e);

    if (r != NULL || e.code != code || strstr(e.text, why) == NULL) {
        registration_signed_free(r);
        fail_msg("\"%s\" (%s) where \"%s\" was expected", r != NULL ? "verified" : e.text,
                 err_code_name(e.code), why);
    }
}

static void
only_a_person_of_our_issuing_ca_may_sign(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf spki = pki_spki(f->key);
    struct nf_identity identity = pki_nf();
    struct tbs_request request = pki_request(f->pki, &identity, buf_span(&spki));
    struct pki *other = pki_new("P-256", "P-256");
    CLEANUP(x509_cleanup) X509 *nf = pki_issue(&request, f->pki->issuing_key);
    CLEANUP(x509_cleanup) X509 *foreign = pki_issue_officer(other, "registrar", f->key);
    CLEANUP(buf_free) struct buf by_nf = pki_cms(buf_span(&f->json), nf, f->key);
    CLEANUP(buf_free) struct buf by_foreign = pki_cms(buf_span(&f->json), foreign, f->key);
    struct err e = {0};

    /* Who of them is a registrar is in the CA's record: tests/unit/ca/daemon/roles.c */
    expect_refused(f, buf_span(&by_nf), ERR_DENIED, "subjectAltName");
    expect_refused(f, buf_span(&by_foreign), ERR_DENIED, "signer");
    assert_null(registration_verify(buf_span(&f->cms), f->pki->issuing, f->pki->root,
                                    PKI_NOW + (time_t)31 * DAY, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_DENIED);
    pki_free(other);
}

/* CMS made with other flags, digests, signers. */
static struct buf
cms_with(const struct fixture *f, unsigned flags, const EVP_MD *md, int signers, bool attribute)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new_mem_buf(f->json.p, (int)f->json.n);
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, bio, flags | CMS_PARTIAL | CMS_BINARY);
    CMS_SignerInfo *signer = NULL;
    struct buf out = BUF_INIT(CMS_MAX);
    struct err e = {0};

    assert_non_null(cms);
    for (int i = 0; i < signers; i++) {
        signer = CMS_add1_signer(cms, f->registrar, f->key, md,
                                 (flags & CMS_NOCERTS) | (i == 0 ? 0 : CMS_NOCERTS));
        assert_non_null(signer);
    }
    assert_int_equal(CMS_final(cms, bio, NULL, flags | CMS_BINARY), 1);
    if (attribute) {
        assert_int_equal(CMS_unsigned_add1_attr_by_NID(signer, NID_pkcs9_unstructuredName,
                                                       V_ASN1_IA5STRING, "x", 1),
                         1);
    }
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, cms, &out, &e), &e);
    return out;
}

static void
the_envelope_has_one_form(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf good = cms_with(f, 0, EVP_sha384(), 1, false);
    CLEANUP(buf_free) struct buf detached = cms_with(f, CMS_DETACHED, EVP_sha256(), 1, false);
    CLEANUP(buf_free) struct buf sha1 = cms_with(f, 0, EVP_sha1(), 1, false);
    CLEANUP(buf_free) struct buf two = cms_with(f, 0, EVP_sha256(), 2, false);
    CLEANUP(buf_free) struct buf bare = cms_with(f, CMS_NOCERTS, EVP_sha256(), 1, false);
    CLEANUP(buf_free) struct buf extra = cms_with(f, 0, EVP_sha256(), 1, true);
    CLEANUP(buf_free) struct buf behind = BUF_INIT(CMS_MAX);
    CLEANUP(buf_free) struct buf big = BUF_INIT(CMS_MAX);
    struct err e = {0};
    struct registration_signed *r = verified(f, buf_span(&good), &e);

    assert_non_null(r);
    registration_signed_free(r);
    expect_refused(f, buf_span(&detached), ERR_INPUT, "no attached content");
    expect_refused(f, buf_span(&sha1), ERR_INPUT, "digest must be");
    expect_refused(f, buf_span(&two), ERR_INPUT, "exactly one signer");
    expect_refused(f, buf_span(&bare), ERR_CRYPTO, "does not verify");
    expect_refused(f, buf_span(&extra), ERR_INPUT, "unsigned attributes");
    expect_refused(f, SPAN_LITERAL("{}"), ERR_INPUT, "not signed");
    expect_refused(f, SPAN_LITERAL("[]"), ERR_INPUT, "neither DER nor PEM");
    expect_refused(f, SPAN_LITERAL("\x30\x00"), ERR_INPUT, "not exactly one CMS");
    assert_ok(buf_append(&behind, buf_span(&f->cms), &e), &e);
    assert_ok(buf_append(&behind, SPAN_LITERAL("\0"), &e), &e);
    expect_refused(f, buf_span(&behind), ERR_INPUT, "not exactly one CMS");
    assert_non_null(buf_extend(&big, REGISTRATION_MAX + 1, &e));
    big.p[0] = 0x30;
    expect_refused(f, buf_span(&big), ERR_INPUT, "32768");
}

static void
other_kinds_of_cms_are_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(bio_cleanup) BIO *bio = BIO_new_mem_buf(f->json.p, (int)f->json.n);
    CLEANUP(bio_cleanup) BIO *again = BIO_new_mem_buf(f->json.p, (int)f->json.n);
    CLEANUP(cms_cleanup) CMS_ContentInfo *plain = CMS_data_create(bio, CMS_BINARY);
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *typed = CMS_sign(NULL, NULL, NULL, again, CMS_PARTIAL | CMS_BINARY);
    CLEANUP(buf_free) struct buf a = BUF_INIT(CMS_MAX);
    CLEANUP(buf_free) struct buf b = BUF_INIT(CMS_MAX);
    struct err e = {0};

    assert_int_equal(CMS_set1_eContentType(typed, OBJ_nid2obj(NID_id_smime_ct_TSTInfo)), 1);
    assert_non_null(CMS_add1_signer(typed, f->registrar, f->key, EVP_sha256(), 0));
    assert_int_equal(CMS_final(typed, again, NULL, CMS_BINARY), 1);
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, plain, &a, &e), &e);
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, typed, &b, &e), &e);
    expect_refused(f, buf_span(&a), ERR_INPUT, "not SignedData");
    expect_refused(f, buf_span(&b), ERR_INPUT, "content type");
}

/* The root may have signed it, and the purpose may be right: it is not our issuing CA's. */
static void
a_registrar_of_the_root_is_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf spki = pki_spki(f->key);
    struct tbs_request request = pki_request(f->pki, NULL, buf_span(&spki));
    CLEANUP(x509_cleanup) X509 *registrar = NULL;
    CLEANUP(buf_free) struct buf cms = {0};
    struct name subject;
    struct err e = {0};

    assert_ok(name_set(&subject, "SE", "Operator", "Registrar", &e), &e);
    request.profile = profile_by_name("registrar");
    request.subject = &subject;
    request.issuer = f->pki->root;
    registrar = pki_issue(&request, f->pki->root_key);
    cms = pki_cms(buf_span(&f->json), registrar, f->key);
    expect_refused(f, buf_span(&cms), ERR_DENIED, "not issued by the issuing CA");
}

static void
a_signed_document_that_is_wrong_is_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf json = document("country", "\"se\"");
    CLEANUP(buf_free) struct buf cms = pki_cms(buf_span(&json), f->registrar, f->key);

    expect_refused(f, buf_span(&cms), ERR_INPUT, "country");
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
        cmocka_unit_test(a_signed_registration_verifies_and_is_named_by_its_hash),
        cmocka_unit_test(pem_gives_the_same_registration),
        cmocka_unit_test(no_flipped_octet_changes_what_was_signed),
        cmocka_unit_test(only_a_person_of_our_issuing_ca_may_sign),
        cmocka_unit_test(the_envelope_has_one_form),
        cmocka_unit_test(other_kinds_of_cms_are_refused),
        cmocka_unit_test(a_registrar_of_the_root_is_refused),
        cmocka_unit_test(a_signed_document_that_is_wrong_is_refused),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
