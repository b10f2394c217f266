/* SPDX-License-Identifier: Apache-2.0 */
/* What the key signs, while memory is short inside OpenSSL: nothing that it would not sign. */
#include "pkcs11/signer/object.h"
#include "tests/support/der_text.h"
#include "tests/support/starve.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/signer/scene.h"

enum { TBS_SIZE = 8192 };

static struct policy *policy;

static int
make(void **state)
{
    (void)state;
    policy = scene_policy(POLICY_CERTIFICATE_AUTHORITY);
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    policy_free(policy);
    return 0;
}

static int
certificate(const void *arg, struct buf *out, struct err *e)
{
    (void)out;
    return object_check_certificate(policy, buf_span(arg), e);
}

static int
crl(const void *arg, struct buf *out, struct err *e)
{
    struct crl_said said;

    return object_check_crl(policy, buf_span(arg), &said, e) != 0
               ? -1
               : buf_set(out, span_of(said.revocations, sizeof(said.revocations)), e);
}

static void
a_certificate_that_is_refused_stays_so(void **state)
{
    static const struct {
        const char *name;
        struct scene_certificate c;
        const char *why; /* NULL: it is signed */
    } rows[] = {
        {"right", {.behind = ""}, NULL},
        {"algorithm", {.algorithm = SCENE_P384}, "the signature algorithm"},
        {"serial", {.serial = "02{41}"}, "serial number"},
        {"issuer", {.issuer = SCENE_NAME("Issuing CB")}, "the issuer is not"},
        {"self-issued", {.subject = SCENE_ISSUER}, "self-issued"},
        {"too long", {.validity = "30{17{'260201000000Z'}17{'261201000000Z'}}"}, "valid for"},
        {"own key", {.key = SCENE_KEY("ff")}, "own key"},
        {"keyCertSign", {.key_usage = SCENE_CRITICAL("551d0f", "03{02 84}")}, "keyCertSign"},
        {"usage", {.key_usage = SCENE_CRITICAL("551d0f", "03{06 40}")}, "key_usage has not"},
        {"CA", {.basic_constraints = SCENE_CRITICAL("551d13", "30{0101ff}")}, "CA:TRUE"},
        {"authority",
         {.authority_key = SCENE_EXTENSION("551d23", SCENE_AKI("a1*19 a3"))},
         "authorityKeyIdentifier is not"},
        {"purpose",
         {.purposes = SCENE_EXTENSION("551d25", "30{06{551d2500}}")},
         "extendedKeyUsage has"},
        {"no purpose", {.purposes = ""}, "no purpose"},
        {"policy",
         {.policies = SCENE_EXTENSION("551d20", "30{30{06{2a0304}}}")},
         "certificatePolicies"},
        {"wildcard", {.names = SCENE_CRITICAL("551d11", "30{82{'*.example'}}")}, "a wildcard"},
        {"noRevAvail", {.more = SCENE_EXTENSION("551d38", "0500")}, "noRevAvail"},
        {"no CRL", {.points = ""}, "no cRLDistributionPoints"},
        {"octets behind",
         {.key_usage = SCENE_CRITICAL("551d0f", "03{07 80}00")},
         "does not encode to the same octets"},
        {"mail", {.names = SCENE_CRITICAL("551d11", "30{81{'a@a'}}")}, "no dNSName or URI"},
        {"point", {.points = SCENE_EXTENSION("551d1f", "30{30{}}")}, "more than a fullName"},
        {"access",
         {.more = SCENE_EXTENSION("2b06010505070101", "30{30{06{2b06010505073002}82{'a'}}}")},
         "no URI"},
        {"types", {.more = SCENE_EXTENSION("2b06010505070122", "30{}")}, "NFTypes"},
        {"subject", {.subject = "30{31{30{06{55040a}14{'a'}}}}"}, "attribute of type"},
        {"known to none", {.more = SCENE_EXTENSION("2a0304", "0500")}, "does not know"},
        {"unknown", {.more = SCENE_CRITICAL("2a0304", "0500")}, "a critical extension"},
        {"twice", {.more = SCENE_EXTENSION("551d25", "30{06{2b06010505070301}}")}, "twice"},
    };
    size_t findings = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_SIZE);
        const struct starve sweep = {rows[i].name, certificate, rows[i].why, &tbs, 0};

        scene_certificate(&rows[i].c, &tbs);
        findings += starve_sweep(&sweep, 1);
    }
    assert_int_equal(findings, 0);
}

#define NUMBER SCENE_EXTENSION("551d14", "02{01}")
#define AUTHORITY SCENE_EXTENSION("551d23", SCENE_AKI(SCENE_SKI))
#define CRL(issuer, to, entries, extensions)                                                       \
    "30{02{01}" SCENE_P256 issuer "17{'260101000000Z'}17{'" to "'}" entries "a0{30{" extensions    \
    "}}}"
#define ENTRY(time, more) "30{30{02{05}17{'" time "'}" more "}}"

static void
a_crl_that_is_refused_stays_so(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *why; /* NULL: it is signed */
    } rows[] = {
        {"right", CRL(SCENE_ISSUER, "260108000000Z", ENTRY("251231000000Z", ""), AUTHORITY NUMBER),
         NULL},
        {"a reason",
         CRL(SCENE_ISSUER, "260108000000Z",
             ENTRY("251231000000Z", "30{" SCENE_EXTENSION("551d15", "0a{01}") "}"),
             AUTHORITY NUMBER),
         NULL},
        {"issuer", CRL(SCENE_NAME("x"), "260108000000Z", "", AUTHORITY NUMBER),
         "the issuer is not"},
        {"too long", CRL(SCENE_ISSUER, "261231000000Z", "", AUTHORITY NUMBER), "a CRL for"},
        {"late", CRL(SCENE_ISSUER, "260108000000Z", ENTRY("260101000001Z", ""), AUTHORITY NUMBER),
         "revoked after"},
        {"entry",
         CRL(SCENE_ISSUER, "260108000000Z",
             ENTRY("251231000000Z", "30{" SCENE_CRITICAL("2a03", "0500") "}"), AUTHORITY NUMBER),
         "critical"},
        {"an entry's, known to none",
         CRL(SCENE_ISSUER, "260108000000Z",
             ENTRY("251231000000Z", "30{" SCENE_EXTENSION("2a03", "0500") "}"), AUTHORITY NUMBER),
         "does not know"},
        {"octets behind",
         CRL(SCENE_ISSUER, "260108000000Z", "", AUTHORITY SCENE_EXTENSION("551d14", "02{01}00")),
         "does not encode to the same octets"},
        {"no number", CRL(SCENE_ISSUER, "260108000000Z", "", AUTHORITY), "no cRLNumber"},
        {"no authority", CRL(SCENE_ISSUER, "260108000000Z", "", NUMBER), "authorityKeyIdentifier"},
        {"delta",
         CRL(SCENE_ISSUER, "260108000000Z", "",
             AUTHORITY NUMBER SCENE_CRITICAL("551d1b", "020101")),
         "a delta"},
    };
    size_t findings = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_SIZE);
        const struct starve sweep = {rows[i].name, crl, rows[i].why, &tbs, 0};

        der_text(rows[i].text, &tbs);
        findings += starve_sweep(&sweep, 1);
    }
    assert_int_equal(findings, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_that_is_refused_stays_so),
        cmocka_unit_test(a_crl_that_is_refused_stays_so),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
