/* SPDX-License-Identifier: Apache-2.0 */
/* Two vendors, each with a root, a CA and a device; the operator's own CA; our own PKI. */
#include "ca/trust/trust.h"

#include <string.h>
#include <unistd.h>

#include "ca/cmp/build.h"
#include "tests/support/forge.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { HOUR = 3600 };

struct vendor {
    EVP_PKEY *keys[3];
    X509 *root;
    X509 *ca;
    X509 *device;
};

static char *dir;
static time_t now;
static struct vendor x; /* O=X */
static struct vendor y; /* O=Y */

/* ---- what there is ---- */

static void
vendor_make(struct vendor *v, const char *root, const char *ca, const char *device)
{
    struct forge f = {.subject = root,
                      .not_before = now - HOUR,
                      .not_after = now + 100L * HOUR,
                      .extensions = {FORGE_CA}};

    for (size_t i = 0; i < ARRAY_LEN(v->keys); i++) {
        v->keys[i] = EVP_EC_gen("P-256");
    }
    f.key = v->keys[0];
    v->root = forge_certificate(&f);
    f.subject = ca;
    f.key = v->keys[1];
    f.issuer = v->root;
    f.issuer_key = v->keys[0];
    v->ca = forge_certificate(&f);
    f = (struct forge){.subject = device,
                       .key = v->keys[2],
                       .issuer = v->ca,
                       .issuer_key = v->keys[1],
                       .not_before = now - HOUR,
                       .not_after = now + 50L * HOUR,
                       .serial = "2000",
                       .extensions = {FORGE_LEAF}};
    v->device = forge_certificate(&f);
}

static void
vendor_free(struct vendor *v)
{
    for (size_t i = 0; i < ARRAY_LEN(v->keys); i++) {
        EVP_PKEY_free(v->keys[i]);
    }
    X509_free(v->root);
    X509_free(v->ca);
    X509_free(v->device);
}

static void
write_certificate(X509 *certificate, const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);

    forge_certificate_write(certificate, path);
}

static int
make(void **state)
{
    (void)state;
    now = clock_now();
    dir = tmpdir_new();
    vendor_make(&x, "O=X/CN=Root", "O=X/CN=CA", "O=X/CN=device");
    vendor_make(&y, "O=Y/CN=Root", "O=Y/CN=CA", "O=X/CN=stolen name");
    write_certificate(x.root, "x.der");
    write_certificate(x.ca, "x-ca.der");
    write_certificate(x.device, "x-device.der");
    write_certificate(y.root, "y.der");
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    vendor_free(&x);
    vendor_free(&y);
    tmpdir_remove(dir);
    return 0;
}

/* A message with these extraCerts; its protection is not asked here. */
static struct cmp_msg *
message(X509 *const *certificates, size_t n)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    struct buf der[CMP_EXTRA_CERTS_MAX];
    struct span extra[CMP_EXTRA_CERTS_MAX];
    struct cmp_header header = {0};
    struct cmp_msg *msg;
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        der[i] = BUF_INIT(CMP_MESSAGE_MAX);
        assert_ok(OSSL_ENCODE(X509, certificates[i], &der[i], &e), &e);
        extra[i] = buf_span(&der[i]);
    }
    assert_ok(cmp_header_first(&header, &e), &e);
    assert_ok(cmp_body_error(CMP_BAD_REQUEST, NULL, &body, &e), &e);
    assert_ok(cmp_build_part(&header, buf_span(&body), &part, &e), &e);
    assert_ok(cmp_build_finish(buf_span(&part), (struct span){0}, extra, n, &out, &e), &e);
    msg = cmp_msg_parse(buf_span(&out), CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    for (size_t i = 0; i < n; i++) {
        buf_free(&der[i]);
    }
    return msg;
}

static void
list(struct trust_list *out, const char *value)
{
    out->items[out->n++] = strchr(value, '=') != NULL || value[0] == '1'
                               ? mem_strdup(value)
                               : mem_printf("%s/%s", dir, value);
}

static void
set(struct trust_conf *c, enum trust_purpose purpose, const char *name, const char *root)
{
    struct trust_conf_set *s = &c->sets[c->n++];

    s->name = mem_strdup(name);
    s->purpose = purpose;
    list(&s->roots, root);
}

static struct trust *
trust_of(const struct pki *pki, const struct trust_conf *c)
{
    struct err e = {0};
    struct trust *t = trust_new(pki->root, pki->issuing, c, &e);

    if (t == NULL) {
        fail_msg("%s", e.text);
    }
    return t;
}

typedef int check(const struct trust *, const struct cmp_msg *, X509 *, time_t, enum cmp_failure *,
                  struct err *);

/* The failInfo, and the reason in `e`. */
static enum cmp_failure
ask(check *what, const struct trust *t, X509 *leaf, X509 *ca, time_t at, struct err *e)
{
    X509 *certificates[] = {leaf, ca};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(certificates, ca == NULL ? 1 : 2);
    enum cmp_failure failure = CMP_NO_FAILURE;
    int result;

    *e = (struct err){0};
    result = what(t, msg, leaf, at, &failure, e);
    assert_int_equal(result == 0, failure == CMP_NO_FAILURE);
    return failure;
}

static void
write_crl(const char *name, X509 *issuer, EVP_PKEY *key, X509 *revoked, long from, long to)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    const struct forge_crl f = {.issuer = issuer,
                                .issuer_key = key,
                                .this_update = now + from * HOUR,
                                .next_update = now + to * HOUR,
                                .revoked = revoked,
                                .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&f);

    forge_crl_write(crl, path);
}

static void
unlink_crl(const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);

    (void)unlink(path);
}

/* ---- anchors ---- */

static void
an_anchor_vouches_for_its_own_purpose_only(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf vendor = {0};
    CLEANUP(trust_conf_free) struct trust_conf ra = {0};
    CLEANUP(trust_conf_free) struct trust_conf none = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *our_ra = pki_issue_officer(pki, "ra-cmp", key);
    const struct forge f = {.subject = "O=Y/CN=RA",
                            .key = key,
                            .issuer = y.ca,
                            .issuer_key = y.keys[1],
                            .not_before = now - HOUR,
                            .not_after = now + HOUR,
                            .extensions = {FORGE_LEAF, "extendedKeyUsage=1.3.6.1.5.5.7.3.28"}};
    CLEANUP(x509_cleanup) X509 *their_ra = forge_certificate(&f);
    CLEANUP(trust_cleanup) struct trust *v = NULL;
    CLEANUP(trust_cleanup) struct trust *r = NULL;
    CLEANUP(trust_cleanup) struct trust *n = NULL;
    struct err e;

    (void)state;
    set(&vendor, TRUST_VENDOR, "x", "x.der");
    set(&vendor, TRUST_OPERATOR, "o", "y.der");
    set(&ra, TRUST_RA, "y", "y.der");
    v = trust_of(pki, &vendor);
    r = trust_of(pki, &ra);
    n = trust_of(pki, &none);
    assert_true(trust_has_initial(v));
    assert_false(trust_has_initial(r));
    assert_false(trust_has_initial(n));

    assert_int_equal(ask(trust_check_initial, v, x.device, x.ca, now, &e), CMP_NO_FAILURE);
    assert_int_equal(ask(trust_check_initial, v, y.device, y.ca, now, &e), CMP_NO_FAILURE);
    assert_int_equal(ask(trust_check_initial, v, our_ra, pki->issuing, PKI_NOW + HOUR, &e),
                     CMP_SIGNER_NOT_TRUSTED);
    assert_int_equal(ask(trust_check_initial, r, y.device, y.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_int_equal(ask(trust_check_initial, n, x.device, x.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "no vendor_roots"));

    assert_int_equal(ask(trust_check_own, v, x.device, x.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_int_equal(ask(trust_check_own, v, our_ra, NULL, PKI_NOW + HOUR, &e), CMP_NO_FAILURE);
    assert_int_equal(ask(trust_check_own, v, our_ra, NULL, PKI_NOW - HOUR, &e),
                     CMP_SIGNER_NOT_TRUSTED);

    assert_int_equal(ask(trust_check_ra, n, our_ra, NULL, PKI_NOW + HOUR, &e), CMP_NO_FAILURE);
    assert_int_equal(ask(trust_check_ra, v, their_ra, y.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_int_equal(ask(trust_check_ra, r, their_ra, y.ca, now, &e), CMP_NO_FAILURE);
    assert_int_equal(ask(trust_check_ra, r, y.device, y.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "extendedKeyUsage"));
}

static void
one_vendor_does_not_vouch_for_the_names_of_another(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf open = {0};
    CLEANUP(trust_conf_free) struct trust_conf named = {0};
    CLEANUP(trust_cleanup) struct trust *o = NULL;
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    struct err e;

    (void)state;
    set(&open, TRUST_VENDOR, "x", "x.der");
    set(&open, TRUST_VENDOR, "y", "y.der");
    o = trust_of(pki, &open);
    assert_int_equal(ask(trust_check_initial, o, y.device, y.ca, now, &e), CMP_NO_FAILURE);
    set(&named, TRUST_VENDOR, "x", "x.der");
    list(&named.sets[0].names, "O=X");
    set(&named, TRUST_VENDOR, "y", "y.der");
    list(&named.sets[1].names, "O=Z");
    list(&named.sets[1].names, "O=Y");
    t = trust_of(pki, &named);
    assert_int_equal(ask(trust_check_initial, t, x.device, x.ca, now, &e), CMP_NO_FAILURE);
    assert_int_equal(ask(trust_check_initial, t, y.device, y.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "trust \"y\""));
    assert_non_null(strstr(e.text, "CN=stolen name,O=X begins with none of the names"));
}

static void
an_anchor_may_be_a_ca_below_another_but_no_end_entity(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf below = {0};
    CLEANUP(trust_conf_free) struct trust_conf leaf = {0};
    CLEANUP(trust_conf_free) struct trust_conf missing = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    struct err e;

    (void)state;
    set(&below, TRUST_OPERATOR, "x", "x-ca.der");
    t = trust_of(pki, &below);
    assert_int_equal(ask(trust_check_initial, t, x.device, NULL, now, &e), CMP_NO_FAILURE);
    set(&leaf, TRUST_OPERATOR, "x", "x-device.der");
    assert_null(trust_new(pki->root, pki->issuing, &leaf, &e));
    assert_non_null(strstr(e.text, "trust \"x\""));
    assert_non_null(strstr(e.text, "not a CA certificate"));
    set(&missing, TRUST_OPERATOR, "m", "nothing.der");
    assert_null(trust_new(pki->root, pki->issuing, &missing, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_non_null(strstr(e.text, "nothing.der"));
}

static void
policies_are_demanded_where_they_are_named(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    struct err e;

    (void)state;
    set(&c, TRUST_VENDOR, "x", "x.der");
    list(&c.sets[0].policies, "1.2.3.4");
    t = trust_of(pki, &c);
    assert_int_equal(ask(trust_check_initial, t, x.device, x.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "no explicit policy"));
}

/* ---- status ---- */

/* Vendor x with the CRL of its root (fine) and of its CA, under `policy`. */
static struct trust *
with_crls(const struct pki *pki, enum path_status policy, int max_age_hours)
{
    CLEANUP(trust_conf_free) struct trust_conf c = {0};

    set(&c, TRUST_VENDOR, "x", "x.der");
    list(&c.sets[0].crls, "x-root.crl");
    list(&c.sets[0].crls, "x-ca.crl");
    c.sets[0].crl_policy = policy;
    c.sets[0].crl_max_age_s = max_age_hours * HOUR;
    write_crl("x-root.crl", x.root, x.keys[0], NULL, -1, 90);
    return trust_of(pki, &c);
}

static void
the_policy_decides_about_a_crl_that_is_missing_stale_or_old(void **state)
{
    static const struct row {
        const char *what;
        long from, to; /* hours from now; 0, 0: there is no file */
        bool revoked;
        int max_age_hours;
        enum cmp_failure require, if_present;
        const char *why;
    } rows[] = {
        {"good", -2, 5, false, 0, CMP_NO_FAILURE, CMP_NO_FAILURE, ""},
        {"young enough", -2, 5, false, 3, CMP_NO_FAILURE, CMP_NO_FAILURE, ""},
        {"revoked", -2, 5, true, 0, CMP_CERT_REVOKED, CMP_CERT_REVOKED, "depth 0, CN=device,O=X"},
        {"missing", 0, 0, false, 0, CMP_SIGNER_NOT_TRUSTED, CMP_NO_FAILURE,
         "x-ca.crl: does not exist: fetch"},
        {"stale", -9, -1, false, 0, CMP_SIGNER_NOT_TRUSTED, CMP_SIGNER_NOT_TRUSTED,
         "x-ca.crl: its nextUpdate has passed: fetch"},
        {"old", -5, 5, false, 3, CMP_SIGNER_NOT_TRUSTED, CMP_SIGNER_NOT_TRUSTED,
         "x-ca.crl: older than crl_max_age_hours: fetch"},
        {"of tomorrow", 24, 48, false, 0, CMP_SIGNER_NOT_TRUSTED, CMP_SIGNER_NOT_TRUSTED,
         "CRL is not yet valid"},
    };
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        CLEANUP(trust_cleanup)
        struct trust *require = with_crls(pki, PATH_STATUS_REQUIRED, r->max_age_hours);
        CLEANUP(trust_cleanup)
        struct trust *if_present = with_crls(pki, PATH_STATUS_IF_PRESENT, r->max_age_hours);
        CLEANUP(trust_cleanup)
        struct trust *none = with_crls(pki, PATH_STATUS_NONE, r->max_age_hours);
        enum cmp_failure a;
        enum cmp_failure b;
        struct err e;
        struct err ignored;

        unlink_crl("x-ca.crl");
        if (r->from != r->to) {
            write_crl("x-ca.crl", x.ca, x.keys[1], r->revoked ? x.device : NULL, r->from, r->to);
        }
        a = ask(trust_check_initial, require, x.device, x.ca, now, &e);
        b = ask(trust_check_initial, if_present, x.device, x.ca, now, &ignored);
        if (a != r->require || b != r->if_present || strstr(e.text, r->why) == NULL) {
            fail_msg("%s: %s, %s: %s", r->what, cmp_failure_name(a), cmp_failure_name(b), e.text);
        }
        assert_int_equal(ask(trust_check_initial, none, x.device, x.ca, now, &e), CMP_NO_FAILURE);
    }
}

static void
a_crl_is_believed_from_its_issuer_only(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_cleanup) struct trust *t = with_crls(pki, PATH_STATUS_REQUIRED, 0);
    struct err e;

    (void)state;
    write_crl("x-ca.crl", x.ca, y.keys[1], NULL, -2, 5); /* signed by somebody else */
    assert_int_equal(ask(trust_check_initial, t, x.device, x.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "CRL signature failure"));
    write_crl("x-ca.crl", y.ca, y.keys[1], NULL, -2, 5); /* about somebody else's certificates */
    assert_int_equal(ask(trust_check_initial, t, x.device, x.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "unable to get certificate CRL"));
}

static void
a_file_that_is_no_crl_is_never_passed_over(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_cleanup) struct trust *t = with_crls(pki, PATH_STATUS_IF_PRESENT, 0);
    struct err e;

    (void)state;
    write_certificate(x.ca, "x-ca.crl");
    assert_int_equal(ask(trust_check_initial, t, x.device, x.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "x-ca.crl: not a CRL"));
}

static void
a_new_file_counts_at_once(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_cleanup) struct trust *t = with_crls(pki, PATH_STATUS_REQUIRED, 0);
    struct err e;

    (void)state;
    write_crl("x-ca.crl", x.ca, x.keys[1], NULL, -2, 5);
    assert_int_equal(ask(trust_check_initial, t, x.device, x.ca, now, &e), CMP_NO_FAILURE);
    write_crl("x-ca.crl", x.ca, x.keys[1], x.device, -2, 5);
    assert_int_equal(ask(trust_check_initial, t, x.device, x.ca, now, &e), CMP_CERT_REVOKED);
    write_crl("x-ca.crl", x.ca, x.keys[1], NULL, -2, 5);
    assert_int_equal(ask(trust_check_initial, t, x.device, x.ca, now, &e), CMP_NO_FAILURE);
}

/* A stranger who gives the serial number of a revoked certificate is a stranger. */
static void
revoked_is_said_of_genuine_certificates_only(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_cleanup) struct trust *t = with_crls(pki, PATH_STATUS_REQUIRED, 0);
    CLEANUP(x509_cleanup) X509 *forged = X509_dup(x.device);
    struct err e;

    (void)state;
    write_crl("x-ca.crl", x.ca, x.keys[1], x.device, -2, 5);
    assert_true(X509_sign(forged, y.keys[1], EVP_sha256()) > 0);
    assert_int_equal(ask(trust_check_initial, t, x.device, x.ca, now, &e), CMP_CERT_REVOKED);
    assert_int_equal(ask(trust_check_initial, t, forged, x.ca, now, &e), CMP_SIGNER_NOT_TRUSTED);
}

static void
a_pinned_certificate_may_be_revoked_by_its_vendor(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_cleanup) struct trust *t = with_crls(pki, PATH_STATUS_REQUIRED, 0);
    struct err e;

    (void)state;
    write_crl("x-ca.crl", x.ca, x.keys[1], NULL, -2, 5);
    assert_int_equal(ask(trust_check_pinned, t, x.device, x.ca, now, &e), CMP_NO_FAILURE);
    assert_int_equal(ask(trust_check_pinned, t, x.device, NULL, now, &e), CMP_NO_FAILURE);
    assert_int_equal(ask(trust_check_pinned, t, y.device, NULL, now, &e), CMP_NO_FAILURE);
    assert_int_equal(ask(trust_check_pinned, t, x.device, NULL, now - 2 * HOUR, &e),
                     CMP_SIGNER_NOT_TRUSTED);
    write_crl("x-ca.crl", x.ca, x.keys[1], x.device, -2, 5);
    assert_int_equal(ask(trust_check_pinned, t, x.device, x.ca, now, &e), CMP_CERT_REVOKED);
}

/* ---- remarks ---- */

static char remarks[4096];

static void
remember(const struct err *e)
{
    (void)strncat(remarks, e->text, sizeof(remarks) - strlen(remarks) - 2);
    (void)strncat(remarks, "\n", 2);
}

static void
a_start_says_what_will_go_wrong(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;

    (void)state;
    set(&c, TRUST_VENDOR, "x", "x.der");
    list(&c.sets[0].crls, "none.crl");
    c.sets[0].crl_policy = PATH_STATUS_REQUIRED;
    list(&c.sets[0].names, "O=X");
    set(&c, TRUST_VENDOR, "y", "y.der");
    t = trust_of(pki, &c);
    remarks[0] = '\0';
    trust_remarks(t, now, remember);
    assert_non_null(strstr(remarks, "trust \"y\" has no names"));
    assert_null(strstr(remarks, "trust \"x\" has no names"));
    assert_non_null(strstr(remarks, "none.crl: does not exist"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_anchor_vouches_for_its_own_purpose_only),
        cmocka_unit_test(one_vendor_does_not_vouch_for_the_names_of_another),
        cmocka_unit_test(an_anchor_may_be_a_ca_below_another_but_no_end_entity),
        cmocka_unit_test(policies_are_demanded_where_they_are_named),
        cmocka_unit_test(the_policy_decides_about_a_crl_that_is_missing_stale_or_old),
        cmocka_unit_test(a_crl_is_believed_from_its_issuer_only),
        cmocka_unit_test(a_file_that_is_no_crl_is_never_passed_over),
        cmocka_unit_test(a_new_file_counts_at_once),
        cmocka_unit_test(revoked_is_said_of_genuine_certificates_only),
        cmocka_unit_test(a_pinned_certificate_may_be_revoked_by_its_vendor),
        cmocka_unit_test(a_start_says_what_will_go_wrong),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
