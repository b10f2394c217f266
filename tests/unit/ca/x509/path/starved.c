/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, while memory is short inside OpenSSL: one that is good is good or not judged, and one that
 * is not is never good. */
#include <string.h>

#include "ca/x509/path/check.h"
#include "ca/x509/path/names.h"
#include "ca/x509/path/path.h"
#include "tests/support/forge.h"
#include "tests/support/starve.h"
#include "tests/support/test.h"

enum { AT = 1790000000, DAY = 24 * 60 * 60, DER_MAX = 64 * 1024, JUDGED_RUNS = 8 };

static struct {
    EVP_PKEY *root_key;
    EVP_PKEY *ca_key;
    EVP_PKEY *leaf_key;
    X509 *root;
    X509 *ca;
    X509 *sibling; /* of the CA's name, with another key */
} w;

static struct forge
recipe(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    return (struct forge){.subject = subject,
                          .key = key,
                          .issuer = issuer,
                          .issuer_key = issuer_key,
                          .not_before = AT - DAY,
                          .not_after = AT + 10L * DAY,
                          .extensions = {FORGE_CA}};
}

static int
make(void **state)
{
    struct forge r;

    (void)state;
    w.root_key = EVP_EC_gen("P-256");
    w.ca_key = EVP_EC_gen("P-256");
    w.leaf_key = EVP_EC_gen("P-256");
    r = recipe("O=Vendor/CN=Root", w.root_key, NULL, NULL);
    w.root = forge_certificate(&r);
    r = recipe("O=Vendor/CN=CA", w.ca_key, w.root, w.root_key);
    w.ca = forge_certificate(&r);
    r = recipe("O=Vendor/CN=CA", w.leaf_key, w.root, w.root_key);
    w.sibling = forge_certificate(&r);
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    EVP_PKEY_free(w.root_key);
    EVP_PKEY_free(w.ca_key);
    EVP_PKEY_free(w.leaf_key);
    X509_free(w.root);
    X509_free(w.ca);
    X509_free(w.sibling);
    return 0;
}

/* What is judged: octets, because whoever asks sends octets, and OpenSSL keeps what it has found
 * out in the objects. */
struct scene {
    struct buf leaf;
    struct buf ca; /* as it is, but for the extension of the row */
    struct buf crl;
    enum path_status status;
    enum path_purpose purpose;
    bool sibling; /* in front of the CA: the first way leads nowhere */
    int (*check)(X509 *, struct err *);
};

static void
scene_free(struct scene *s)
{
    buf_free(&s->leaf);
    buf_free(&s->ca);
    buf_free(&s->crl);
}

static struct buf
der_of(X509 *certificate)
{
    struct buf der = BUF_INIT(DER_MAX);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    return der;
}

static X509 *
parsed(const struct buf *der)
{
    struct err e = {0};
    X509 *certificate = certificate_parse(buf_span(der), &e);

    assert_non_null(certificate);
    return certificate;
}

static int
judged(const void *arg, struct buf *out, struct err *e)
{
    const struct scene *s = arg;
    X509 *untrusted[2];
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    CLEANUP(x509_cleanup) X509 *ca = NULL;
    CLEANUP(x509_cleanup) X509 *root = NULL;
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    struct path_request request = {.purpose = s->purpose,
                                   .at = AT,
                                   .anchors = &root,
                                   .n_anchors = 1,
                                   .untrusted = untrusted,
                                   .n_untrusted = s->sibling ? 2 : 1,
                                   .status = s->status,
                                   .crls = &crl};
    const unsigned char *p = s->crl.p;

    (void)out;
    starve_pause();
    leaf = parsed(&s->leaf);
    ca = parsed(&s->ca);
    root = X509_dup(w.root);
    if (s->crl.n > 0) {
        crl = d2i_X509_CRL(NULL, &p, (long)s->crl.n);
        request.n_crls = 1;
    }
    untrusted[0] = s->sibling ? w.sibling : ca;
    untrusted[1] = ca;
    starve_resume();
    return path_verify(leaf, &request, e);
}

static int
checked(const void *arg, struct buf *out, struct err *e)
{
    const struct scene *s = arg;
    CLEANUP(x509_cleanup) X509 *leaf = NULL;

    (void)out;
    starve_pause();
    leaf = parsed(&s->leaf);
    starve_resume();
    return s->check(leaf, e);
}

static int
form(X509 *certificate, struct err *e)
{
    return path_check_certificate(certificate, 0, e);
}

static int
ra(X509 *certificate, struct err *e)
{
    return path_check_purpose(certificate, PATH_RA_CMP, e);
}

static int
wildcard(X509 *certificate, struct err *e)
{
    return path_has_wildcard(certificate) ? err_set(e, ERR_DENIED, "wildcard") : 0;
}

static int
constraint(X509 *certificate, struct err *e)
{
    return path_constrains_dns(certificate) ? err_set(e, ERR_DENIED, "constraint") : 0;
}

#define BASIC "basicConstraints=critical,CA:FALSE"
#define USAGE "keyUsage=critical,digitalSignature"

static void
what_is_not_in_form_stays_refused(void **state)
{
    static const struct {
        int (*check)(X509 *, struct err *);
        const char *extensions[4];
        const char *serial;
        const char *why; /* NULL: good */
    } rows[] = {
        {path_check_limits, {BASIC, USAGE, "subjectAltName=DNS:a.example"}, NULL, NULL},
        {path_check_limits, {BASIC, "policyMappings=DER:0500"}, NULL, "policyMappings"},
        {form, {BASIC, USAGE, "subjectAltName=DNS:a.example"}, NULL, NULL},
        {form, {BASIC, USAGE}, "-05", "serial number"},
        {form, {BASIC, USAGE, USAGE}, NULL, "twice"},
        {form, {BASIC, USAGE, "subjectAltName=DNS:a_b.example"}, NULL, "name 1"},
        {form, {BASIC, USAGE, "subjectAltName=email:example"}, NULL, "name 1"},
        {form, {BASIC, USAGE, "extendedKeyUsage=DER:3000"}, NULL, "without a purpose"},
        {form,
         {BASIC, USAGE, "certificatePolicies=critical,DER:3011300f06022a033009300706032a03040500"},
         NULL,
         "a qualifier that is not known"},
        {form, {FORGE_CA, "nameConstraints=critical,permitted;DNS:example"}, NULL, NULL},
        {form, {FORGE_CA, "nameConstraints=critical,DER:3000"}, NULL, "without a subtree"},
        {form, {FORGE_CA, "nameConstraints=critical,permitted;DNS:.example"}, NULL, "a subtree"},
        {form, {"basicConstraints=CA:TRUE", "keyUsage=critical,keyCertSign"}, NULL, "critical"},
        {path_check_anchor, {FORGE_CA}, NULL, NULL},
        {path_check_anchor, {FORGE_LEAF}, NULL, "not a CA"},
        {ra, {USAGE, "extendedKeyUsage=1.3.6.1.5.5.7.3.28"}, NULL, NULL},
        {ra, {USAGE, "extendedKeyUsage=clientAuth"}, NULL, "extendedKeyUsage"},
        {ra, {FORGE_CA, "extendedKeyUsage=1.3.6.1.5.5.7.3.28"}, NULL, "a CA certificate"},
        {ra, {"keyUsage=DER:0500"}, NULL, "malformed"},
        {wildcard, {"subjectAltName=DNS:a.example"}, NULL, NULL},
        {wildcard, {"subjectAltName=DNS:*.example"}, NULL, "wildcard"},
        {constraint, {"nameConstraints=critical,permitted;email:a"}, NULL, NULL},
        {constraint, {"nameConstraints=critical,permitted;DNS:a"}, NULL, "constraint"},
    };
    size_t findings = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *name = mem_printf("form, row %zu", i);
        struct forge r = recipe("O=Vendor/CN=dev", w.leaf_key, w.ca, w.ca_key);
        CLEANUP(x509_cleanup) X509 *leaf = NULL;
        CLEANUP(scene_free) struct scene s = {.check = rows[i].check};
        const struct starve sweep = {name, checked, rows[i].why, &s, 0};

        memcpy(r.extensions, rows[i].extensions, sizeof(rows[i].extensions));
        r.serial = rows[i].serial;
        leaf = forge_certificate(&r);
        s.leaf = der_of(leaf);
        findings += starve_sweep(&sweep, 1);
    }
    assert_int_equal(findings, 0);
}

static X509_CRL *
crl_of(X509 *revoked, const char *number)
{
    const struct forge_crl f = {.issuer = w.ca,
                                .issuer_key = w.ca_key,
                                .this_update = AT - DAY,
                                .next_update = AT + DAY,
                                .revoked = revoked,
                                .number = number};

    return forge_crl(&f);
}

static void
a_path_that_is_not_good_stays_so(void **state)
{
    static const struct {
        const char *leaf[2]; /* besides keyUsage */
        const char *ca;
        enum path_status status;
        enum { NO_CRL, EMPTY, REVOKES, BAD } crl;
        bool sibling;
        enum path_purpose purpose;
        const char *why; /* NULL: good */
    } rows[] = {
        {{NULL}, NULL, PATH_STATUS_NONE, NO_CRL, false, PATH_REQUESTER, NULL},
        {{NULL}, NULL, PATH_STATUS_NONE, NO_CRL, true, PATH_REQUESTER, NULL},
        {{"subjectAltName=DNS:*.a.example"},
         "nameConstraints=critical,permitted;DNS:example",
         PATH_STATUS_NONE,
         NO_CRL,
         false,
         PATH_REQUESTER,
         "below nameConstraints"},
        {{"subjectAltName=DNS:a.other"},
         "nameConstraints=critical,permitted;DNS:example",
         PATH_STATUS_NONE,
         NO_CRL,
         false,
         PATH_REQUESTER,
         "permitted subtree"},
        {{"1.2.3.4=critical,DER:0500"},
         NULL,
         PATH_STATUS_NONE,
         NO_CRL,
         false,
         PATH_REQUESTER,
         "unhandled critical"},
        {{"certificatePolicies=1.2.9"},
         "policyConstraints=critical,requireExplicitPolicy:0",
         PATH_STATUS_NONE,
         NO_CRL,
         false,
         PATH_REQUESTER,
         "policyConstraints without"},
        {{NULL}, NULL, PATH_STATUS_IF_PRESENT, EMPTY, false, PATH_REQUESTER, NULL},
        {{NULL}, NULL, PATH_STATUS_IF_PRESENT, REVOKES, false, PATH_REQUESTER, "revoked"},
        {{NULL}, NULL, PATH_STATUS_IF_PRESENT, BAD, false, PATH_REQUESTER, "left out"},
        {{NULL}, NULL, PATH_STATUS_REQUIRED, NO_CRL, false, PATH_REQUESTER, "CRL"},
        {{NULL}, NULL, PATH_STATUS_NONE, NO_CRL, false, PATH_RA_CMP, "extendedKeyUsage"},
    };
    size_t findings = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *name = mem_printf("path, row %zu", i);
        struct forge r = recipe("O=Vendor/CN=CA", w.ca_key, w.root, w.root_key);
        CLEANUP(x509_cleanup) X509 *ca = NULL;
        CLEANUP(x509_cleanup) X509 *leaf = NULL;
        CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
        CLEANUP(scene_free)
        struct scene s = {.purpose = rows[i].purpose,
                          .status = rows[i].status,
                          .sibling = rows[i].sibling,
                          .crl = BUF_INIT(DER_MAX)};
        const struct starve sweep = {name, judged, rows[i].why, &s, JUDGED_RUNS};
        struct err e = {0};

        r.extensions[2] = rows[i].ca;
        ca = forge_certificate(&r);
        r = recipe("O=Vendor/CN=dev", w.leaf_key, ca, w.ca_key);
        r.extensions[0] = USAGE;
        r.extensions[1] = rows[i].leaf[0];
        leaf = forge_certificate(&r);
        s.leaf = der_of(leaf);
        s.ca = der_of(ca);
        if (rows[i].crl != NO_CRL) {
            crl = crl_of(rows[i].crl == REVOKES ? leaf : NULL, rows[i].crl == BAD ? NULL : "1");
            assert_ok(OSSL_ENCODE(X509_CRL, crl, &s.crl, &e), &e);
        }
        findings += starve_sweep(&sweep, 1);
    }
    assert_int_equal(findings, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_in_form_stays_refused),
        cmocka_unit_test(a_path_that_is_not_good_stays_so),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
