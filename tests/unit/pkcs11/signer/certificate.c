/* SPDX-License-Identifier: Apache-2.0 */
/* Which TBSCertificates the key signs: what an end entity's certificate is good for has its own
 * table (purpose.c). */
#include "tests/support/test.h"

#include "pkcs11/signer/object.h"

#include "tests/unit/pkcs11/signer/scene.h"

#define VALID(from, to) "30{17{'" from "'}17{'" to "'}}"
#define KEY_USAGE(bits) SCENE_CRITICAL("551d0f", "03{" bits "}")
#define BASIC(value) SCENE_CRITICAL("551d13", value)
#define AUTHORITY(value) SCENE_EXTENSION("551d23", value)

struct row {
    const char *name;
    struct scene_certificate c;
    enum err_code code;
    const char *reason; /* NULL: it is signed */
};

static const struct row FORM[] = {
    {"right", {.behind = ""}, ERR_NONE, NULL},
    {"indefinite length", {.behind = "3080"}, ERR_INPUT, "not DER"},
    {"octets behind", {.behind = "0500"}, ERR_INPUT, "TBSCertificate: "},
    {"no name", {.issuer = ""}, ERR_INPUT, "TBSCertificate: "},
    {"a BOOLEAN of 1",
     {.names = "30{06{551d11}010101 04{30{82{'amf.example'}}}}"},
     ERR_INPUT,
     "BOOLEAN"},
    {"an OCTET STRING in parts",
     {.points = "30{06{551d1f}24{04{30}04{00}}}"},
     ERR_INPUT,
     "the TBSCertificate does not encode to the same bytes again"},
    {"unused bits of the key",
     {.key = "30{30{06{2a8648ce3d0201}06{2a8648ce3d030107}}03{0104 11*63 01}}"},
     ERR_INPUT,
     "the TBSCertificate does not encode to the same bytes again"},
};

static const struct row HEAD[] = {
    {"version 1", {.version = ""}, ERR_DENIED, "not version 3"},
    {"version 1, spelled out", {.version = "a0{02{00}}"}, ERR_DENIED, "not version 3"},
    {"version 2", {.version = "a0{02{01}}"}, ERR_DENIED, "not version 3"},
    {"version 4", {.version = "a0{02{03}}"}, ERR_DENIED, "not version 3"},
    {"issuerUniqueID", {.ids = "81{00aa}"}, ERR_DENIED, "unique identifiers"},
    {"subjectUniqueID", {.ids = "82{00aa}"}, ERR_DENIED, "unique identifiers"},
    {"algorithm of P-384",
     {.algorithm = SCENE_P384},
     ERR_DENIED,
     "the signature algorithm is not that of a P-256 key"},
    {"algorithm of RSA", {.algorithm = SCENE_RSA}, ERR_DENIED, "the signature algorithm"},
    {"parameters where none belong",
     {.algorithm = "30{06{2a8648ce3d040302}0500}"},
     ERR_DENIED,
     "the signature algorithm"},
};

static const struct row SERIAL[] = {
    {"least", {.serial = "02{40 00*15}"}, ERR_NONE, NULL},
    {"greatest", {.serial = "02{7f ff*15}"}, ERR_NONE, NULL},
    {"of 1 octet", {.serial = "02{41}"}, ERR_DENIED, "serial number"},
    {"of 15 octets", {.serial = "02{41*15}"}, ERR_DENIED, "serial number"},
    {"of 17 octets", {.serial = "02{41*17}"}, ERR_DENIED, "serial number"},
    {"begins with 00", {.serial = "02{3f ff*15}"}, ERR_DENIED, "serial number"},
    {"begins with 10", {.serial = "02{00 80*16}"}, ERR_DENIED, "serial number"},
    {"begins with 11", {.serial = "02{00 c0*16}"}, ERR_DENIED, "serial number"},
    {"negative, its magnitude begins with 01", {.serial = "02{bf ff*15}"}, ERR_DENIED, "serial"},
};

static const struct row NAMES[] = {
    {"no subject", {.subject = "3000"}, ERR_NONE, NULL},
    {"subject with more than the issuer's",
     {.subject = SCENE_NAME("Issuing CA 2")},
     ERR_NONE,
     NULL},
    {"another issuer", {.issuer = SCENE_NAME("Issuing CB")}, ERR_DENIED, "the issuer is not"},
    {"no issuer", {.issuer = "3000"}, ERR_DENIED, "the issuer is not"},
    {"issuer with more", {.issuer = SCENE_NAME("Issuing CA ")}, ERR_DENIED, "the issuer is not"},
    {"self-issued", {.subject = SCENE_ISSUER}, ERR_DENIED, "self-issued"},
};

static const struct row VALIDITY[] = {
    {"0 s", {.validity = VALID("260201000000Z", "260201000000Z")}, ERR_NONE, NULL},
    {"-1 s",
     {.validity = VALID("260201000001Z", "260201000000Z")},
     ERR_DENIED,
     "valid for -1 s, the policy allows 8640000 s"},
    {"as long as is allowed, from the issuer's notBefore",
     {.validity = VALID("260101000000Z", "260411000000Z")},
     ERR_NONE,
     NULL},
    {"1 s longer",
     {.validity = VALID("260101000000Z", "260411000001Z")},
     ERR_DENIED,
     "valid for 8640001 s, the policy allows 8640000 s"},
    {"1 s before the issuer",
     {.validity = VALID("251231235959Z", "260301000000Z")},
     ERR_DENIED,
     "not within the issuing certificate's"},
    {"to the issuer's notAfter",
     {.validity = VALID("261201000000Z", "270101000000Z")},
     ERR_NONE,
     NULL},
    {"1 s behind the issuer",
     {.validity = VALID("261201000000Z", "270101000001Z")},
     ERR_DENIED,
     "not within the issuing certificate's"},
    {"from month 13", {.validity = VALID("261301000000Z", "261201000000Z")}, ERR_INPUT, "validity"},
    {"to month 13", {.validity = VALID("260201000000Z", "261301000000Z")}, ERR_INPUT, "validity"},
};

static const struct row KEY[] = {
    {"all but the last octet of the signer's", {.key = SCENE_KEY("fe")}, ERR_NONE, NULL},
    {"the signer's own", {.key = SCENE_KEY("ff")}, ERR_DENIED, "this signer's own key"},
};

static const struct row EXTENSIONS[] = {
    {"basicConstraints without CA", {.basic_constraints = BASIC("30{}")}, ERR_NONE, NULL},
    {"subjectAltName twice",
     {.more = SCENE_EXTENSION("551d11", "30{82{'smf.example'}}")},
     ERR_DENIED,
     "an extension is there twice"},
    {"the first extension again at the end",
     {.more = KEY_USAGE("0780")},
     ERR_DENIED,
     "an extension is there twice"},
    {"critical extendedKeyUsage",
     {.purposes = SCENE_CRITICAL("551d25", "30{06{2b06010505070301}}")},
     ERR_DENIED,
     "a critical extension that this signer does not know"},
    {"critical, unknown, the last",
     {.more = SCENE_CRITICAL("2a03", "0500")},
     ERR_DENIED,
     "a critical extension that this signer does not know"},
    {"unknown, not critical",
     {.more = SCENE_EXTENSION("2a03", "0500")},
     ERR_DENIED,
     "an extension that this signer does not know: 1.2.3"},
    {"no keyUsage", {.key_usage = ""}, ERR_DENIED, "no critical keyUsage"},
    {"keyUsage not critical",
     {.key_usage = SCENE_EXTENSION("551d0f", "03{0780}")},
     ERR_DENIED,
     "no critical keyUsage"},
    {"keyUsage that cannot be decoded",
     {.key_usage = SCENE_CRITICAL("551d0f", "04{0780}")},
     ERR_DENIED,
     "no critical keyUsage"},
    {"keyCertSign", {.key_usage = KEY_USAGE("0284")}, ERR_DENIED, "keyCertSign or cRLSign"},
    {"cRLSign", {.key_usage = KEY_USAGE("0182")}, ERR_DENIED, "keyCertSign or cRLSign"},
    {"CA:TRUE", {.basic_constraints = BASIC("30{0101ff}")}, ERR_DENIED, "CA:TRUE"},
    {"CA:FALSE with a pathLen", {.basic_constraints = BASIC("30{0201 00}")}, ERR_DENIED, "CA:TRUE"},
    {"basicConstraints that cannot be decoded",
     {.basic_constraints = BASIC("0400")},
     ERR_INPUT,
     "basicConstraints cannot be decoded"},
};

static const struct row AUTHORITY_KEY[] = {
    {"with issuer and serial beside the identifier",
     {.authority_key = AUTHORITY("30{80{" SCENE_SKI "}a1{a4{" SCENE_ISSUER "}}8201 05}")},
     ERR_NONE,
     NULL},
    {"none", {.authority_key = ""}, ERR_DENIED, "authorityKeyIdentifier is not"},
    {"empty", {.authority_key = AUTHORITY("3000")}, ERR_DENIED, "authorityKeyIdentifier is not"},
    {"without an identifier",
     {.authority_key = AUTHORITY("30{a1{a4{" SCENE_ISSUER "}}8201 05}")},
     ERR_DENIED,
     "authorityKeyIdentifier is not"},
    {"last octet differs",
     {.authority_key = AUTHORITY(SCENE_AKI("a1*19 a3"))},
     ERR_DENIED,
     "authorityKeyIdentifier is not"},
    {"first octet differs",
     {.authority_key = AUTHORITY(SCENE_AKI("a2 a1*18 a2"))},
     ERR_DENIED,
     "authorityKeyIdentifier is not"},
    {"one octet less",
     {.authority_key = AUTHORITY(SCENE_AKI("a1*19"))},
     ERR_DENIED,
     "authorityKeyIdentifier is not"},
    {"one octet more",
     {.authority_key = AUTHORITY(SCENE_AKI("a1*19 a2 a2"))},
     ERR_DENIED,
     "authorityKeyIdentifier is not"},
    {"that cannot be decoded",
     {.authority_key = AUTHORITY("0400")},
     ERR_DENIED,
     "authorityKeyIdentifier is not"},
};

static void
check(const struct row *rows, size_t n)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CERTIFICATE_AUTHORITY);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(OBJECT_CERTIFICATE_MAX);
    size_t good = 0;

    /* The checks of this module must do without those of purpose.c. */
    p->key_usage = ~0U;
    for (size_t i = 0; i < n; i++) {
        struct err e = {0};

        scene_certificate(&rows[i].c, &tbs);
        good += scene_expect(rows[i].name, object_check_certificate(p, buf_span(&tbs), &e), &e,
                             rows[i].code, rows[i].reason);
    }
    assert_int_equal(good, n);
}

static void
what_is_not_der_or_hides_something_is_refused(void **state)
{
    (void)state;
    check(FORM, ARRAY_LEN(FORM));
}

static void
version_3_under_the_algorithm_of_the_key(void **state)
{
    (void)state;
    check(HEAD, ARRAY_LEN(HEAD));
}

static void
a_serial_number_has_16_octets_that_begin_with_01(void **state)
{
    (void)state;
    check(SERIAL, ARRAY_LEN(SERIAL));
}

static void
the_issuer_is_the_certificate_of_the_key_and_never_the_subject(void **state)
{
    (void)state;
    check(NAMES, ARRAY_LEN(NAMES));
}

static void
the_validity_is_within_the_policy_and_the_issuer(void **state)
{
    (void)state;
    check(VALIDITY, ARRAY_LEN(VALIDITY));
}

static void
the_key_is_not_the_signers(void **state)
{
    (void)state;
    check(KEY, ARRAY_LEN(KEY));
}

static void
extensions_are_known_and_never_those_of_a_ca(void **state)
{
    (void)state;
    check(EXTENSIONS, ARRAY_LEN(EXTENSIONS));
}

static void
the_authority_key_identifier_is_the_issuers(void **state)
{
    (void)state;
    check(AUTHORITY_KEY, ARRAY_LEN(AUTHORITY_KEY));
}

/* The last word is that of purpose.c. */
static void
what_the_certificate_is_good_for_is_asked_too(void **state)
{
    CLEANUP(policy_cleanup) struct policy *p = scene_policy(POLICY_CERTIFICATE_AUTHORITY);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(OBJECT_CERTIFICATE_MAX);
    const struct scene_certificate c = {.points = ""};
    struct err e = {0};

    (void)state;
    scene_certificate(&c, &tbs);
    assert_err(object_check_certificate(p, buf_span(&tbs), &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "no cRLDistributionPoints");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_der_or_hides_something_is_refused),
        cmocka_unit_test(version_3_under_the_algorithm_of_the_key),
        cmocka_unit_test(a_serial_number_has_16_octets_that_begin_with_01),
        cmocka_unit_test(the_issuer_is_the_certificate_of_the_key_and_never_the_subject),
        cmocka_unit_test(the_validity_is_within_the_policy_and_the_issuer),
        cmocka_unit_test(the_key_is_not_the_signers),
        cmocka_unit_test(extensions_are_known_and_never_those_of_a_ca),
        cmocka_unit_test(the_authority_key_identifier_is_the_issuers),
        cmocka_unit_test(what_the_certificate_is_good_for_is_asked_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
