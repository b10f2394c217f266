/* SPDX-License-Identifier: Apache-2.0 */
/* What an end entity's certificate may be good for under a policy. */
#include "tests/support/test.h"

#include "pkcs11/signer/purpose.h"

#include "base/ossl.h"
#include "pkcs11/signer/der.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define PURPOSES(list) SCENE_EXTENSION("551d25", "30{" list "}")
#define SERVER "06{2b06010505070301}"
#define ANY "06{551d2500}"
#define OCSP "06{2b06010505070309}"
#define POLICIES(list) SCENE_EXTENSION("551d20", "30{" list "}")
#define OWN "30{06{2b06010401 868d1f 01}}" /* 1.3.6.1.4.1.99999.1 */
#define NAMES(list) SCENE_CRITICAL("551d11", "30{" list "}")
#define NONE SCENE_EXTENSION("551d38", "0500")
#define ACCESS(method) SCENE_EXTENSION("2b06010505070101", "30{30{06{" method "}86{'http://a/'}}}")
#define FRESHEST SCENE_EXTENSION("551d2e", "30{30{a0{a0{86{'http://pki.example/d.crl'}}}}}")

#define MORE_THAN_OIDS "certificatePolicies has more than OIDs below 1.3.6.1.4.1."
#define NO_PURPOSE "extendedKeyUsage states no purpose"
#define BAD_NONE "noRevAvail is critical, not NULL, or beside a place that tells revocation"

struct row {
    const char *name;
    struct scene_certificate c;
    bool wildcard, no_rev_avail; /* of the policy */
    enum err_code code;
    const char *reason; /* NULL: it is signed */
};

static const struct row ROWS[] = {
    {.name = "right"},
    {.name = "no purpose", .c = {.purposes = ""}, .code = ERR_DENIED, .reason = NO_PURPOSE},
    {.name = "no purpose and no name in the network", .c = {.purposes = "", .names = ""}},
    {.name = "a purpose and no name in the network", .c = {.names = ""}},
    {.name = "an empty list of purposes",
     .c = {.purposes = PURPOSES("")},
     .code = ERR_DENIED,
     .reason = NO_PURPOSE},
    {.name = "an empty list of purposes and no name",
     .c = {.purposes = PURPOSES(""), .names = ""},
     .code = ERR_DENIED,
     .reason = NO_PURPOSE},
    {.name = "purposes that cannot be decoded, and no name",
     .c = {.purposes = SCENE_EXTENSION("551d25", "0500"), .names = ""},
     .code = ERR_DENIED,
     .reason = NO_PURPOSE},
    {.name = "any purpose",
     .c = {.purposes = PURPOSES(ANY)},
     .code = ERR_DENIED,
     .reason = "extendedKeyUsage has anyExtendedKeyUsage"},
    {.name = "any purpose behind another",
     .c = {.purposes = PURPOSES(SERVER ANY)},
     .code = ERR_DENIED,
     .reason = "extendedKeyUsage has anyExtendedKeyUsage"},
    {.name = "to answer about revocation",
     .c = {.purposes = PURPOSES(OCSP)},
     .code = ERR_DENIED,
     .reason = "extendedKeyUsage has OCSPSigning"},
    {.name = "to answer about revocation, behind another",
     .c = {.purposes = PURPOSES(SERVER OCSP)},
     .code = ERR_DENIED,
     .reason = "extendedKeyUsage has OCSPSigning"},
    {.name = "to answer about revocation, without a name",
     .c = {.purposes = PURPOSES(OCSP), .names = ""},
     .code = ERR_DENIED,
     .reason = "extendedKeyUsage has OCSPSigning"},
    {.name = "a purpose that nobody knows", .c = {.purposes = PURPOSES("06{2a03}")}},

    {.name = "an operator's policy", .c = {.policies = POLICIES(OWN)}},
    {.name = "two of an operator's policies",
     .c = {.policies = POLICIES(OWN "30{06{2b06010401 868d1f 02}}")}},
    {.name = "no policy in the list",
     .c = {.policies = POLICIES("")},
     .code = ERR_DENIED,
     .reason = "certificatePolicies cannot be decoded"},
    {.name = "policies that cannot be decoded",
     .c = {.policies = SCENE_EXTENSION("551d20", "0500")},
     .code = ERR_DENIED,
     .reason = "certificatePolicies cannot be decoded"},
    {.name = "anyPolicy",
     .c = {.policies = POLICIES("30{06{551d2000}}")},
     .code = ERR_DENIED,
     .reason = MORE_THAN_OIDS},
    {.name = "anyPolicy behind an operator's",
     .c = {.policies = POLICIES(OWN "30{06{551d2000}}")},
     .code = ERR_DENIED,
     .reason = MORE_THAN_OIDS},
    {.name = "enterprises itself",
     .c = {.policies = POLICIES("30{06{2b06010401}}")},
     .code = ERR_DENIED,
     .reason = MORE_THAN_OIDS},
    {.name = "1.3.6.1.4.16",
     .c = {.policies = POLICIES("30{06{2b06010410}}")},
     .code = ERR_DENIED,
     .reason = MORE_THAN_OIDS},
    {.name = "1.3.6.1.4.2.1",
     .c = {.policies = POLICIES("30{06{2b0601040201}}")},
     .code = ERR_DENIED,
     .reason = MORE_THAN_OIDS},
    {.name = "a policy of 127 characters", .c = {.policies = POLICIES("30{06{2b06010401 01*58}}")}},
    {.name = "a policy of 128 characters",
     .c = {.policies = POLICIES("30{06{2b06010401 01*57 0a}}")},
     .code = ERR_DENIED,
     .reason = MORE_THAN_OIDS},
    {.name = "a policy with a cPSuri",
     .c = {.policies =
               POLICIES("30{06{2b06010401 868d1f 01}30{30{06{2b06010505070201}16{'h://'}}}}")},
     .code = ERR_DENIED,
     .reason = MORE_THAN_OIDS},

    {.name = "a wildcard",
     .c = {.names = NAMES("82{'*.sepp.example'}")},
     .code = ERR_DENIED,
     .reason = "a wildcard, but the policy has no wildcard = true"},
    {.name = "a wildcard in the last character of the last name",
     .c = {.names = NAMES("82{'amf.example'}82{'sepp*'}")},
     .code = ERR_DENIED,
     .reason = "a wildcard, but the policy has no wildcard = true"},
    {.name = "a wildcard that is allowed",
     .c = {.names = NAMES("82{'*.sepp.example'}")},
     .wildcard = true},
    {.name = "a star in a URI", .c = {.names = NAMES("86{'urn:x:*'}")}},
    {.name = "names that cannot be decoded",
     .c = {.names = SCENE_CRITICAL("551d11", "0500")},
     .code = ERR_INPUT,
     .reason = "subjectAltName cannot be decoded"},

    {.name = "no point",
     .c = {.points = ""},
     .code = ERR_DENIED,
     .reason = "no cRLDistributionPoints"},
    {.name = "no point where none need be",
     .c = {.points = ""},
     .no_rev_avail = true,
     .code = ERR_DENIED,
     .reason = "no cRLDistributionPoints"},
    {.name = "a point where none need be", .no_rev_avail = true},
    {.name = "a point that cannot be decoded",
     .c = {.points = SCENE_EXTENSION("551d1f", "0500")},
     .code = ERR_INPUT,
     .reason = "cRLDistributionPoints cannot be decoded"},
    {.name = "an empty list of points",
     .c = {.points = SCENE_EXTENSION("551d1f", "30{}")},
     .code = ERR_INPUT,
     .reason = "cRLDistributionPoints cannot be decoded"},
    {.name = "a freshest CRL beside the point", .c = {.more = FRESHEST}},
    {.name = "noRevAvail",
     .c = {.points = "", .more = NONE},
     .code = ERR_DENIED,
     .reason = "noRevAvail, but the policy has no no_rev_avail = true"},
    {.name = "noRevAvail that is allowed", .c = {.points = "", .more = NONE}, .no_rev_avail = true},
    {.name = "noRevAvail with caIssuers",
     .c = {.points = "", .more = NONE ACCESS("2b06010505073002")},
     .no_rev_avail = true},
    {.name = "noRevAvail with OCSP",
     .c = {.points = "", .more = NONE ACCESS("2b06010505073001")},
     .no_rev_avail = true,
     .code = ERR_DENIED,
     .reason = BAD_NONE},
    {.name = "noRevAvail with OCSP before caIssuers",
     .c = {.points = "",
           .more = NONE SCENE_EXTENSION("2b06010505070101",
                                        "30{30{06{2b06010505073001}86{'http://a/'}}"
                                        "30{06{2b06010505073002}86{'http://a/'}}}")},
     .no_rev_avail = true,
     .code = ERR_DENIED,
     .reason = BAD_NONE},
    {.name = "noRevAvail with an access that cannot be decoded",
     .c = {.points = "", .more = NONE SCENE_EXTENSION("2b06010505070101", "0500")},
     .no_rev_avail = true,
     .code = ERR_INPUT,
     .reason = "authorityInfoAccess cannot be decoded"},
    {.name = "noRevAvail with a point",
     .c = {.more = NONE},
     .no_rev_avail = true,
     .code = ERR_DENIED,
     .reason = BAD_NONE},
    {.name = "noRevAvail with a freshest CRL",
     .c = {.points = "", .more = NONE FRESHEST},
     .no_rev_avail = true,
     .code = ERR_DENIED,
     .reason = BAD_NONE},
    {.name = "noRevAvail, critical",
     .c = {.points = "", .more = SCENE_CRITICAL("551d38", "0500")},
     .no_rev_avail = true,
     .code = ERR_DENIED,
     .reason = BAD_NONE},
    {.name = "noRevAvail of another value",
     .c = {.points = "", .more = SCENE_EXTENSION("551d38", "0400")},
     .no_rev_avail = true,
     .code = ERR_DENIED,
     .reason = BAD_NONE},
    {.name = "noRevAvail with octets behind NULL",
     .c = {.points = "", .more = SCENE_EXTENSION("551d38", "0500 00")},
     .no_rev_avail = true,
     .code = ERR_DENIED,
     .reason = BAD_NONE},
    {.name = "noRevAvail with half a NULL",
     .c = {.points = "", .more = SCENE_EXTENSION("551d38", "05")},
     .no_rev_avail = true,
     .code = ERR_DENIED,
     .reason = BAD_NONE},
};

static int
check(const struct policy *p, const struct scene_certificate *c, struct err *e)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf whole = BUF_INIT(8192);
    CLEANUP(x509_cleanup) X509 *x = NULL;
    struct err failed = {0};

    scene_certificate(c, &tbs);
    assert_ok(der_wrap_signed(buf_span(&tbs), key_algorithm_identifier(KEY_P256), &whole, &failed),
              &failed);
    x = certificate_parse_keyless(buf_span(&whole), &failed);
    if (x == NULL) {
        fail_msg("%s", failed.text);
    }
    return purpose_check(p, x, e);
}

static void
a_purpose_is_stated_and_revocation_is_told(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CERTIFICATE_AUTHORITY);
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct err e = {0};

        p->wildcard = ROWS[i].wildcard;
        p->no_rev_avail = ROWS[i].no_rev_avail;
        good +=
            scene_expect(ROWS[i].name, check(p, &ROWS[i].c, &e), &e, ROWS[i].code, ROWS[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(ROWS));
}

/* All nine bits of KeyUsage (RFC 5280 4.2.1.3), alone under a policy that has only this one, or all
 * others. */
static void
each_key_usage_needs_its_own_bit(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CERTIFICATE_AUTHORITY);

    (void)state;
    for (unsigned bit = 0; bit < 9; bit++) {
        CLEANUP(mem_cleanup)
        char *usage =
            bit < 8 ? mem_printf(SCENE_CRITICAL("551d0f", "03{%02x%02x}"), 7 - bit, 0x80 >> bit)
                    : mem_strdup(SCENE_CRITICAL("551d0f", "03{070080}"));
        const struct scene_certificate c = {.key_usage = usage};
        struct err e = {0};

        p->key_usage = 1U << bit;
        assert_ok(check(p, &c, &e), &e);
        p->key_usage = ~(1U << bit);
        assert_err(check(p, &c, &e), ERR_DENIED, &e);
        assert_string_equal(e.text, "keyUsage has a bit that the policy's key_usage has not");
    }
}

/* What nobody has named is no policy's. */
static void
a_key_usage_beyond_the_nine_bits_is_refused(void **state)
{
    static const char *const usages[] = {"03{06 8040}", "03{00 8001}", "03{07 800080}",
                                         "03{00 8000000001}"};
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CERTIFICATE_AUTHORITY);

    (void)state;
    p->key_usage = ~0U;
    for (size_t i = 0; i < ARRAY_LEN(usages); i++) {
        CLEANUP(mem_cleanup) char *usage = mem_printf(SCENE_CRITICAL("551d0f", "%s"), usages[i]);
        const struct scene_certificate c = {.key_usage = usage};
        struct err e = {0};

        assert_err(check(p, &c, &e), ERR_DENIED, &e);
        assert_string_equal(e.text, "keyUsage has a bit that the policy's key_usage has not");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_purpose_is_stated_and_revocation_is_told),
        cmocka_unit_test(each_key_usage_needs_its_own_bit),
        cmocka_unit_test(a_key_usage_beyond_the_nine_bits_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
