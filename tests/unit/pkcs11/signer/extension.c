/* SPDX-License-Identifier: Apache-2.0 */
/* Names and extensions are understood down to their last octet, or nothing is signed. */
#include "tests/support/test.h"

#include "pkcs11/signer/extension.h"

#include "base/ossl.h"
#include "pkcs11/signer/der.h"
#include "tests/support/der_text.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define NAMES(list) SCENE_CRITICAL("551d11", "30{" list "}")
#define POINTS(list) SCENE_EXTENSION("551d1f", "30{" list "}")
#define FULL(names) "a0{a0{" names "}}"
#define URI "86{'http://a/'}"
#define ACCESS(location)                                                                           \
    SCENE_EXTENSION("2b06010505070101", "30{30{06{2b06010505073002}" location "}}")
#define TYPES(value) SCENE_EXTENSION("2b06010505070122", value)
#define SUBJECT(type, octets) "30{31{30{06{55040a}" type "{" octets "}}}}"
#define ORGANIZATION "0c{'a'}"

#define AGAIN " does not encode to the same octets again"
#define KIND "subjectAltName has a name that is no dNSName or URI"
#define CHARACTERS "subjectAltName has a name with other than printable characters"
#define NO_URI "cRLDistributionPoints has a name that is no URI"
#define NO_FULL "cRLDistributionPoints has more than a fullName, or none"
#define UNKNOWN "an extension that this signer does not know: "

static const struct {
    const char *name;
    struct scene_certificate c;
    enum err_code code;
    const char *reason; /* NULL: it is understood */
} ROWS[] = {
    {"right", {.behind = ""}, ERR_NONE, NULL},
    {"all that the CA issues",
     {.basic_constraints = SCENE_CRITICAL("551d13", "30{}"),
      .policies = SCENE_EXTENSION("551d20", "30{30{06{2b06010401 868d1f 01}}}"),
      .names = NAMES("82{'amf.example'}86{'urn:uuid:x'}"),
      .more = SCENE_EXTENSION("551d0e", "04{a1*20}") TYPES("30{16{'AMF'}16{'SMF_1'}}") ACCESS(URI)},
     ERR_NONE,
     NULL},
    {"noRevAvail, which has its own check",
     {.points = "", .more = SCENE_EXTENSION("551d38", "0500")},
     ERR_NONE,
     NULL},

    {"unknown", {.more = SCENE_EXTENSION("2a03", "0500")}, ERR_DENIED, UNKNOWN "1.2.3"},
    {"known, but not of an end entity: nameConstraints",
     {.more = SCENE_EXTENSION("551d1e", "30{a0{30{82{'example'}}}}")},
     ERR_DENIED,
     UNKNOWN "2.5.29.30"},
    {"a freshest CRL, which the CA does not make",
     {.more = SCENE_EXTENSION("551d2e", "30{30{" FULL(URI) "}}")},
     ERR_DENIED,
     UNKNOWN "2.5.29.46"},

    {"octets behind keyUsage",
     {.key_usage = SCENE_CRITICAL("551d0f", "03{0780}00")},
     ERR_INPUT,
     "keyUsage" AGAIN},
    {"unused bits of keyUsage",
     {.key_usage = SCENE_CRITICAL("551d0f", "03{07ff}")},
     ERR_INPUT,
     "keyUsage" AGAIN},
    {"octets behind basicConstraints",
     {.basic_constraints = SCENE_CRITICAL("551d13", "30{}0500")},
     ERR_INPUT,
     "basicConstraints" AGAIN},
    {"octets behind the authority's key identifier",
     {.authority_key = SCENE_EXTENSION("551d23", SCENE_AKI(SCENE_SKI) "00")},
     ERR_INPUT,
     "authorityKeyIdentifier" AGAIN},
    {"octets behind the purposes",
     {.purposes = SCENE_EXTENSION("551d25", "30{06{2b06010505070301}}0500")},
     ERR_INPUT,
     "extendedKeyUsage" AGAIN},
    {"octets behind the policies",
     {.policies = SCENE_EXTENSION("551d20", "30{30{06{2b06010401 868d1f 01}}}00")},
     ERR_INPUT,
     "certificatePolicies" AGAIN},
    {"octets behind the names",
     {.names = SCENE_CRITICAL("551d11", "30{82{'amf.example'}}82{'smf.example'}")},
     ERR_INPUT,
     "subjectAltName" AGAIN},
    {"octets behind the points",
     {.points = SCENE_EXTENSION("551d1f", "30{30{" FULL(URI) "}}00")},
     ERR_INPUT,
     "cRLDistributionPoints" AGAIN},
    {"octets behind the access",
     {.more = SCENE_EXTENSION("2b06010505070101", "30{30{06{2b06010505073002}" URI "}}00")},
     ERR_INPUT,
     "authorityInfoAccess" AGAIN},
    {"a subject key identifier that cannot be decoded",
     {.more = SCENE_EXTENSION("551d0e", "0500")},
     ERR_INPUT,
     "subjectKeyIdentifier cannot be decoded"},
    {"names that cannot be decoded",
     {.names = SCENE_CRITICAL("551d11", "0500")},
     ERR_INPUT,
     "subjectAltName cannot be decoded"},
    {"a length that is longer than it must be",
     {.names = SCENE_CRITICAL("551d11", "3081 0d 82{'amf.example'}")},
     ERR_INPUT,
     "subjectAltName" AGAIN},

    {"no name in the list", {.names = NAMES("")}, ERR_DENIED, "subjectAltName has no name"},
    {"an address for mail", {.names = NAMES("81{'a@a.example'}")}, ERR_DENIED, KIND},
    {"an address behind a name",
     {.names = NAMES("82{'amf.example'}87{0a000001}")},
     ERR_DENIED,
     KIND},
    {"a directory name", {.names = NAMES("a4{" SCENE_ISSUER "}")}, ERR_DENIED, KIND},
    {"another name", {.names = NAMES("a0{06{2a03}a0{0500}}")}, ERR_DENIED, KIND},
    {"an identifier", {.names = NAMES("88{2a03}")}, ERR_DENIED, KIND},
    {"an empty name", {.names = NAMES("82{}")}, ERR_DENIED, CHARACTERS},
    {"a name with a NUL", {.names = NAMES("82{'amf' 00 '.example'}")}, ERR_DENIED, CHARACTERS},
    {"a name with a blank", {.names = NAMES("82{'amf.example '}")}, ERR_DENIED, CHARACTERS},
    {"a URI with another character than ASCII",
     {.names = NAMES("86{'urn:' 7f}")},
     ERR_DENIED,
     CHARACTERS},
    {"the last printable characters", {.names = NAMES("86{'!~'}")}, ERR_NONE, NULL},

    {"two points", {.points = POINTS("30{" FULL(URI) "}30{" FULL(URI) "}")}, ERR_NONE, NULL},
    {"a point of two URIs", {.points = POINTS("30{" FULL(URI URI) "}")}, ERR_NONE, NULL},
    {"a point without a place", {.points = POINTS("30{}")}, ERR_DENIED, NO_FULL},
    {"a point of no name",
     {.points = POINTS("30{" FULL("") "}")},
     ERR_DENIED,
     "cRLDistributionPoints has no name"},
    {"a point for some reasons",
     {.points = POINTS("30{" FULL(URI) "81{0640}}")},
     ERR_DENIED,
     NO_FULL},
    {"a point of another issuer",
     {.points = POINTS("30{" FULL(URI) "a2{a4{" SCENE_ISSUER "}}}")},
     ERR_DENIED,
     NO_FULL},
    {"a point relative to the issuer",
     {.points = POINTS("30{a0{a1{30{06{550403}" ORGANIZATION "}}}}")},
     ERR_DENIED,
     NO_FULL},
    {"a point in a directory",
     {.points = POINTS("30{" FULL("a4{" SCENE_ISSUER "}") "}")},
     ERR_DENIED,
     NO_URI},
    {"a point at a name", {.points = POINTS("30{" FULL("82{'a'}") "}")}, ERR_DENIED, NO_URI},
    {"the second point is another",
     {.points = POINTS("30{" FULL(URI) "}30{}")},
     ERR_DENIED,
     NO_FULL},
    {"an access at a name",
     {.more = ACCESS("82{'a'}")},
     ERR_DENIED,
     "authorityInfoAccess has a name that is no URI"},

    {"types of 32 characters", {.more = TYPES("30{16{41*32}}")}, ERR_NONE, NULL},
    {"types of 33 characters",
     {.more = TYPES("30{16{41*33}}")},
     ERR_DENIED,
     "NFType: 33 characters"},
    {"an empty type", {.more = TYPES("30{16{}}")}, ERR_DENIED, "NFType: 0 characters"},
    {"a type with a control character",
     {.more = TYPES("30{16{'AM' 0a}}")},
     ERR_DENIED,
     "NFType: a character that is not printable"},
    {"a type in UTF-8",
     {.more = TYPES("30{16{'AMF'}0c{'AMF'}}")},
     ERR_INPUT,
     "NFType: tag 0x0c where 0x16 belongs"},
    {"no types", {.more = TYPES("30{}")}, ERR_INPUT, "NFTypes: empty, or octets behind it"},
    {"octets behind the types",
     {.more = TYPES("30{16{'AMF'}}00")},
     ERR_INPUT,
     "NFTypes: empty, or octets behind it"},
    {"types that are no list",
     {.more = TYPES("16{'AMF'}")},
     ERR_INPUT,
     "NFTypes: tag 0x16 where 0x30 belongs"},

    {"a subject in PrintableString", {.subject = SUBJECT("13", "'a'")}, ERR_NONE, NULL},
    {"a subject in IA5String", {.subject = SUBJECT("16", "'a'")}, ERR_NONE, NULL},
    {"a subject with an umlaut", {.subject = SUBJECT("0c", "c3a4")}, ERR_NONE, NULL},
    {"a subject in T61String",
     {.subject = SUBJECT("14", "'a'")},
     ERR_DENIED,
     "the subject has an attribute of type 20"},
    {"a subject in BMPString",
     {.subject = SUBJECT("1e", "0041")},
     ERR_DENIED,
     "the subject has an attribute of type 30"},
    {"a subject with a NUL",
     {.subject = SUBJECT("0c", "'a' 00")},
     ERR_DENIED,
     "the subject has an attribute that is no text"},
    {"a subject with DEL",
     {.subject = SUBJECT("0c", "'a' 7f")},
     ERR_DENIED,
     "the subject has an attribute that is no text"},
    {"an empty attribute",
     {.subject = SUBJECT("0c", "")},
     ERR_DENIED,
     "the subject has an attribute that is no text"},
    {"no UTF-8", {.subject = SUBJECT("0c", "c3")}, ERR_INPUT, "not an X.509 certificate"},
};

static int
check(const struct scene_certificate *c, struct err *e)
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
        *e = failed;
        return -1;
    }
    return extension_check_certificate(x, e);
}

static void
what_is_not_understood_is_refused(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct err e = {0};

        good += scene_expect(ROWS[i].name, check(&ROWS[i].c, &e), &e, ROWS[i].code, ROWS[i].reason);
    }
    assert_int_equal(good, ARRAY_LEN(ROWS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_understood_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
