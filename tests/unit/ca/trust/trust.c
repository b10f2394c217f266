/* SPDX-License-Identifier: Apache-2.0 */
/* Two vendors, each with a root, a CA and a device; the operator's own CA; our own PKI. */
#include "ca/trust/trust.h"

#include <openssl/dsa.h>
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
message_with(const struct span *extra, size_t n)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_header header = {0};
    struct cmp_msg *msg;
    struct err e = {0};

    assert_ok(cmp_header_first(&header, &e), &e);
    assert_ok(cmp_body_error(CMP_BAD_REQUEST, NULL, &body, &e), &e);
    assert_ok(cmp_build_part(&header, buf_span(&body), &part, &e), &e);
    assert_ok(cmp_build_finish(buf_span(&part), (struct span){0}, extra, n, &out, &e), &e);
    msg = cmp_msg_parse(buf_span(&out), CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    return msg;
}

static struct cmp_msg *
message(X509 *const *certificates, size_t n)
{
    struct buf der[CMP_EXTRA_CERTS_MAX];
    struct span extra[CMP_EXTRA_CERTS_MAX];
    struct cmp_msg *msg;
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        der[i] = BUF_INIT(CMP_MESSAGE_MAX);
        assert_ok(OSSL_ENCODE(X509, certificates[i], &der[i], &e), &e);
        extra[i] = buf_span(&der[i]);
    }
    msg = message_with(extra, n);
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

/* One that its vendor's anchor has issued itself: what else the message brings is not needed, and
 * cannot hide that it is revoked. */
static void
what_cannot_be_read_hides_no_revocation(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf conf = {0};
    CLEANUP(trust_conf_free) struct trust_conf silent = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    CLEANUP(trust_cleanup) struct trust *asks_nothing = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct span extra[2] = {{0}, SPAN_LITERAL("\x30\x00")};
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};

    (void)state;
    set(&conf, TRUST_VENDOR, "x", "x-ca.der");
    list(&conf.sets[0].crls, "x-ca.crl");
    conf.sets[0].crl_policy = PATH_STATUS_IF_PRESENT;
    set(&silent, TRUST_VENDOR, "x", "x-ca.der");
    t = trust_of(pki, &conf);
    asks_nothing = trust_of(pki, &silent);
    write_crl("x-ca.crl", x.ca, x.keys[1], x.device, -2, 5);
    assert_ok(OSSL_ENCODE(X509, x.device, &der, &e), &e);
    extra[0] = buf_span(&der);
    msg = message_with(extra, ARRAY_LEN(extra));
    assert_int_equal(ask(trust_check_pinned, t, x.device, NULL, now, &e), CMP_CERT_REVOKED);
    assert_int_equal(trust_check_pinned(t, msg, x.device, now, &failure, &e), -1);
    assert_int_equal(failure, CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "extraCerts[1]"));
    /* where nobody is asked it does not matter */
    assert_ok(trust_check_pinned(asks_nothing, msg, x.device, now, &failure, &e), &e);
    unlink_crl("x-ca.crl");
}

/* ---- remarks ---- */

/* ---- a vendor's root in the middle of its roll-over ---- */

/* A root with two keys, a CA that both have issued, and one of its devices. */
struct rollover {
    EVP_PKEY *keys[4]; /* old, new, of the CA, of the device */
    X509 *old_root;
    X509 *new_root;
    X509 *new_with_old; /* the new key, signed with the old one (RFC 9810 4.4) */
    X509 *old_with_new;
    X509 *ca_by_old;
    X509 *ca_by_new;
    X509 *device;
};

static X509 *
certificate_of(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    static int number = 0x3000;
    CLEANUP(mem_cleanup) char *serial = mem_printf("%x", ++number);
    const struct forge f = {.subject = subject,
                            .serial = serial,
                            .key = key,
                            .issuer = issuer,
                            .issuer_key = issuer_key,
                            .not_before = now - HOUR,
                            .not_after = now + 100L * HOUR,
                            .extensions = {FORGE_CA}};

    return forge_certificate(&f);
}

static X509 *
device_of(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, bool bare)
{
    const struct forge f = {.subject = "O=Z/CN=device",
                            .key = key,
                            .issuer = issuer,
                            .issuer_key = issuer_key,
                            .not_before = now - HOUR,
                            .not_after = now + 100L * HOUR,
                            .bare = bare,
                            .extensions = {FORGE_LEAF}};

    return forge_certificate(&f);
}

static void
rollover_make(struct rollover *r)
{
    static const char root[] = "O=Z/CN=Root";

    for (size_t i = 0; i < ARRAY_LEN(r->keys); i++) {
        r->keys[i] = EVP_EC_gen("P-256");
    }
    r->old_root = certificate_of(root, r->keys[0], NULL, NULL);
    r->new_root = certificate_of(root, r->keys[1], NULL, NULL);
    r->new_with_old = certificate_of(root, r->keys[1], r->old_root, r->keys[0]);
    r->old_with_new = certificate_of(root, r->keys[0], r->new_root, r->keys[1]);
    r->ca_by_old = certificate_of("O=Z/CN=CA", r->keys[2], r->old_root, r->keys[0]);
    r->ca_by_new = certificate_of("O=Z/CN=CA", r->keys[2], r->new_root, r->keys[1]);
    r->device = device_of(r->keys[3], r->ca_by_old, r->keys[2], false);
    write_certificate(r->old_root, "z-old.der");
    write_certificate(r->new_root, "z-new.der");
}

static void
rollover_free(struct rollover *r)
{
    X509 *all[] = {r->old_root,  r->new_root,  r->new_with_old, r->old_with_new,
                   r->ca_by_old, r->ca_by_new, r->device};

    for (size_t i = 0; i < ARRAY_LEN(r->keys); i++) {
        EVP_PKEY_free(r->keys[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        X509_free(all[i]);
    }
}

enum { MIDDLE_MAX = 5 };

static bool
next_order(size_t *order, size_t n)
{
    size_t i = n - 1;
    size_t k = n - 1;
    size_t swap;

    while (i > 0 && order[i - 1] > order[i]) {
        i--;
    }
    if (i == 0) {
        return false;
    }
    while (order[k] < order[i - 1]) {
        k--;
    }
    swap = order[i - 1];
    order[i - 1] = order[k];
    order[k] = swap;
    for (size_t low = i, high = n - 1; low < high; low++, high--) {
        swap = order[low];
        order[low] = order[high];
        order[high] = swap;
    }
    return true;
}

/* The same answer in every order. */
static void
every_order(const char *what, const struct trust *t, X509 *leaf, X509 *const *middle, size_t n,
            enum cmp_failure wanted)
{
    size_t order[MIDDLE_MAX];
    size_t orders = 0;

    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    do {
        X509 *certificates[MIDDLE_MAX + 1] = {leaf};
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        for (size_t i = 0; i < n; i++) {
            certificates[i + 1] = middle[order[i]];
        }
        {
            CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message(certificates, n + 1);

            (void)trust_check_initial(t, msg, leaf, now, &failure, &e);
        }
        if (failure != wanted) {
            fail_msg("%s, order %zu: %s: %s", what, orders, cmp_failure_name(failure), e.text);
        }
        orders++;
    } while (next_order(order, n));
    assert_int_equal(orders, n == 2 ? 2 : n == 3 ? 6 : n == 4 ? 24 : 120);
}

static void
a_roll_over_verifies_whatever_the_order(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(rollover_free) struct rollover r = {0};
    X509 *forged_root;
    X509 *forged_ca;
    X509 *forged;

    (void)state;
    rollover_make(&r);
    forged_root = certificate_of("O=Z/CN=Root", r.keys[3], NULL, NULL);
    forged_ca = certificate_of("O=Z/CN=CA", r.keys[2], forged_root, r.keys[3]);
    forged = device_of(r.keys[3], forged_ca, r.keys[3], false);
    for (size_t i = 0; i < 3; i++) {
        static const char *const anchors[] = {"z-old.der", "z-new.der"};
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        CLEANUP(trust_cleanup) struct trust *t = NULL;
        X509 *all[] = {r.new_root, r.new_with_old, r.ca_by_new, r.old_root, r.ca_by_old};
        X509 *by_new[] = {r.new_root, r.ca_by_new, r.old_with_new, r.new_with_old};
        X509 *by_old[] = {r.old_root, r.ca_by_old, r.old_with_new, r.new_with_old};
        X509 *both[] = {r.ca_by_new, r.ca_by_old};
        X509 *foreign[] = {r.new_with_old, forged_root, forged_ca, r.ca_by_old};

        set(&c, TRUST_VENDOR, "z", anchors[i % 2]);
        if (i == 2) {
            list(&c.sets[0].roots, anchors[1]);
        }
        t = trust_of(pki, &c);
        every_order("all", t, r.device, all, ARRAY_LEN(all), CMP_NO_FAILURE);
        every_order("a CA of the new root", t, r.device, by_new, ARRAY_LEN(by_new), CMP_NO_FAILURE);
        every_order("a CA of the old root", t, r.device, by_old, ARRAY_LEN(by_old), CMP_NO_FAILURE);
        every_order("a CA of each", t, r.device, both, ARRAY_LEN(both), CMP_NO_FAILURE);
        every_order("a stranger", t, forged, foreign, ARRAY_LEN(foreign), CMP_SIGNER_NOT_TRUSTED);
    }
    X509_free(forged_root);
    X509_free(forged_ca);
    X509_free(forged);
}

/* The keys of the CA were changed, and nothing but the signature says which one it was. */
static void
an_end_entity_without_key_identifier_is_found_by_its_signature(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(rollover_free) struct rollover r = {0};
    X509 *next_ca;
    X509 *bare;
    X509 *by_next;

    (void)state;
    rollover_make(&r);
    next_ca = certificate_of("O=Z/CN=CA", r.keys[3], r.old_root, r.keys[0]);
    bare = device_of(r.keys[3], r.ca_by_old, r.keys[2], true);
    by_next = device_of(r.keys[2], next_ca, r.keys[3], true);
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        CLEANUP(trust_cleanup) struct trust *t = NULL;
        X509 *middle[] = {next_ca, r.ca_by_old, r.new_with_old};
        enum cmp_failure wanted = i == 0 ? CMP_SIGNER_NOT_TRUSTED : CMP_NO_FAILURE;

        set(&c, TRUST_VENDOR, "z", "z-old.der");
        c.sets[0].allow = i == 0 ? 0 : PATH_ALLOW_NO_AKI;
        t = trust_of(pki, &c);
        every_order("of the CA's first key", t, bare, middle, ARRAY_LEN(middle), wanted);
        every_order("of its second", t, by_next, middle, ARRAY_LEN(middle), wanted);
    }
    X509_free(next_ca);
    X509_free(bare);
    X509_free(by_next);
}

/* A revoked cross certificate is no reason where another way is good; a revoked device is, on all.
 */
static void
a_revoked_way_is_no_reason_when_another_is_good(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(rollover_free) struct rollover r = {0};
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    X509 *middle[] = {r.new_with_old, r.ca_by_new, r.ca_by_old};

    (void)state;
    rollover_make(&r);
    middle[0] = r.new_with_old;
    middle[1] = r.ca_by_new;
    middle[2] = r.ca_by_old;
    set(&c, TRUST_VENDOR, "z", "z-old.der");
    list(&c.sets[0].crls, "z-old.crl");
    list(&c.sets[0].crls, "z-ca.crl");
    c.sets[0].crl_policy = PATH_STATUS_IF_PRESENT;
    t = trust_of(pki, &c);
    write_crl("z-old.crl", r.old_root, r.keys[0], r.new_with_old, -1, 10);
    every_order("a revoked cross certificate", t, r.device, middle, ARRAY_LEN(middle),
                CMP_NO_FAILURE);
    write_crl("z-ca.crl", r.ca_by_old, r.keys[2], r.device, -1, 10);
    every_order("a revoked device", t, r.device, middle, ARRAY_LEN(middle), CMP_CERT_REVOKED);
    unlink_crl("z-ca.crl");
    {
        /* one way is refused for a matter of form, and the other one has a revoked CA in it */
        const struct forge f = {
            .subject = "O=Z/CN=CA",
            .serial = "4000",
            .key = r.keys[2],
            .issuer = r.old_root,
            .issuer_key = r.keys[0],
            .not_before = now - HOUR,
            .not_after = now + 100L * HOUR,
            .extensions = {"basicConstraints=CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"}};
        CLEANUP(x509_cleanup) X509 *formless = forge_certificate(&f);
        X509 *two[] = {formless, r.ca_by_old};

        write_crl("z-old.crl", r.old_root, r.keys[0], r.ca_by_old, -1, 10);
        every_order("a revoked CA beside one without form", t, r.device, two, ARRAY_LEN(two),
                    CMP_CERT_REVOKED);
    }
    unlink_crl("z-old.crl");
    unlink_crl("z-ca.crl");
}

/* ---- anchors ---- */

static EVP_PKEY *
dsa_key(void)
{
    CLEANUP(evp_pkey_ctx_cleanup)
    EVP_PKEY_CTX *parameters = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *group = NULL;
    CLEANUP(evp_pkey_ctx_cleanup) EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_paramgen_init(parameters), 1);
    assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_bits(parameters, 1024), 1);
    assert_int_equal(EVP_PKEY_generate(parameters, &group), 1);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, group, NULL);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    return key;
}

static void
a_dsa_anchor_is_refused(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = dsa_key();
    CLEANUP(x509_cleanup) X509 *root = certificate_of("O=D/CN=Root", key, NULL, NULL);
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    struct err e = {0};

    (void)state;
    write_certificate(root, "dsa.der");
    set(&c, TRUST_VENDOR, "d", "dsa.der");
    assert_null(trust_new(pki->root, pki->issuing, &c, &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_non_null(strstr(e.text, "dsa.der: its key is of kind DSA"));
}

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
    assert_null(strstr(remarks, ".der"));
}

/* The line of the configuration comes first, where there is one. */
static void
a_root_that_cannot_be_loaded_is_named_with_its_place(void **state)
{
    static const struct {
        const char *root;
        const char *where;
        const char *begins;
        const char *says;
    } rows[] = {
        {"none.der", "/etc/x.conf:7", "/etc/x.conf:7: trust \"n\": ", "none.der"},
        {"none.der", NULL, "trust \"n\": ", "none.der"},
        {"x-device.der", "/etc/x.conf:7",
         "/etc/x.conf:7: trust \"n\": ", "x-device.der: not a CA certificate"},
    };
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-256", "P-256");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        struct err e = {0};

        set(&c, TRUST_VENDOR, "n", rows[i].root);
        c.sets[0].where = rows[i].where == NULL ? NULL : mem_strdup(rows[i].where);
        assert_null(trust_new(pki->root, pki->issuing, &c, &e));
        if (strncmp(e.text, rows[i].begins, strlen(rows[i].begins)) != 0 ||
            strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
an_anchor_under_which_nothing_verifies_is_named(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    struct forge f = {.subject = "O=Old/CN=Root",
                      .key = key,
                      .not_before = now - 10L * HOUR,
                      .not_after = now + HOUR,
                      .extensions = {FORGE_CA}};
    CLEANUP(x509_cleanup) X509 *root = forge_certificate(&f);
    struct err e = {0};

    (void)state;
    write_certificate(root, "old.der");
    set(&c, TRUST_VENDOR, "x", "x.der");
    set(&c, TRUST_VENDOR, "old", "old.der");
    t = trust_of(pki, &c);
    assert_ok(trust_check_anchors(t, now, &e), &e);
    assert_err(trust_check_anchors(t, now + 2L * HOUR, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "trust \"old\""));
    assert_non_null(strstr(e.text, "old.der: nothing verifies under it"));
    assert_non_null(strstr(e.text, "certificate has expired"));
    remarks[0] = '\0';
    trust_remarks(t, now + 2L * HOUR, remember);
    assert_non_null(strstr(remarks, "old.der: nothing verifies under it"));
    remarks[0] = '\0';
    trust_remarks(t, now - 20L * HOUR, remember);
    assert_non_null(strstr(remarks, "before its notBefore"));
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
        cmocka_unit_test(what_cannot_be_read_hides_no_revocation),
        cmocka_unit_test(a_roll_over_verifies_whatever_the_order),
        cmocka_unit_test(an_end_entity_without_key_identifier_is_found_by_its_signature),
        cmocka_unit_test(a_revoked_way_is_no_reason_when_another_is_good),
        cmocka_unit_test(a_dsa_anchor_is_refused),
        cmocka_unit_test(a_start_says_what_will_go_wrong),
        cmocka_unit_test(a_root_that_cannot_be_loaded_is_named_with_its_place),
        cmocka_unit_test(an_anchor_under_which_nothing_verifies_is_named),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
