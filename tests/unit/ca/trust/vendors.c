/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/trust/vendors.h"

#include <string.h>

#include "ca/cmp/build.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

char *vendors_dir;
time_t vendors_now;
struct vendor vendor_x; /* O=X */
struct vendor vendor_y; /* O=Y */

static void
vendor_make(struct vendor *v, const char *root, const char *ca, const char *device)
{
    struct forge f = {.subject = root,
                      .not_before = vendors_now - HOUR,
                      .not_after = vendors_now + 100L * HOUR,
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
                       .not_before = vendors_now - HOUR,
                       .not_after = vendors_now + 50L * HOUR,
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

void
vendors_write(X509 *certificate, const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", vendors_dir, name);

    forge_certificate_write(certificate, path);
}

int
vendors_make(void **state)
{
    (void)state;
    vendors_now = clock_now();
    vendors_dir = tmpdir_new();
    vendor_make(&vendor_x, "O=X/CN=Root", "O=X/CN=CA", "O=X/CN=device");
    vendor_make(&vendor_y, "O=Y/CN=Root", "O=Y/CN=CA", "O=X/CN=stolen name");
    vendors_write(vendor_x.root, "x.der");
    vendors_write(vendor_x.ca, "x-ca.der");
    vendors_write(vendor_x.device, "x-device.der");
    vendors_write(vendor_y.root, "y.der");
    return 0;
}

int
vendors_drop(void **state)
{
    (void)state;
    vendor_free(&vendor_x);
    vendor_free(&vendor_y);
    tmpdir_remove(vendors_dir);
    return 0;
}

struct cmp_msg *
vendors_message_with(const struct span *extra, size_t n)
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

struct cmp_msg *
vendors_message(X509 *const *certificates, size_t n)
{
    struct buf der[CMP_EXTRA_CERTS_MAX];
    struct span extra[CMP_EXTRA_CERTS_MAX] = {0};
    struct cmp_msg *msg;
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        der[i] = BUF_INIT(CMP_MESSAGE_MAX);
        assert_ok(OSSL_ENCODE(X509, certificates[i], &der[i], &e), &e);
        extra[i] = buf_span(&der[i]);
    }
    msg = vendors_message_with(extra, n);
    for (size_t i = 0; i < n; i++) {
        buf_free(&der[i]);
    }
    return msg;
}

void
vendors_list(struct trust_list *out, const char *value)
{
    out->items[out->n++] = strchr(value, '=') != NULL || value[0] == '1'
                               ? mem_strdup(value)
                               : mem_printf("%s/%s", vendors_dir, value);
}

void
vendors_set(struct trust_conf *c, enum trust_purpose purpose, const char *name, const char *root)
{
    struct trust_conf_set *s = &c->sets[c->n++];

    s->name = mem_strdup(name);
    s->purpose = purpose;
    vendors_list(&s->roots, root);
}

struct trust *
vendors_trust(const struct pki *pki, const struct trust_conf *c)
{
    struct err e = {0};
    struct trust *t = trust_new(pki->root, pki->issuing, c, &e);

    if (t == NULL) {
        fail_msg("%s", e.text);
    }
    return t;
}

enum cmp_failure
vendors_ask(vendors_check *what, const struct trust *t, X509 *leaf, X509 *ca, time_t at,
            struct err *e)
{
    X509 *certificates[] = {leaf, ca};
    CLEANUP(cmp_msg_cleanup)
    struct cmp_msg *msg = vendors_message(certificates, ca == NULL ? 1 : 2);
    enum cmp_failure failure = CMP_NO_FAILURE;
    int result;

    *e = (struct err){0};
    result = what(t, msg, leaf, at, &failure, e);
    assert_int_equal(result == 0, failure == CMP_NO_FAILURE);
    return failure;
}

X509 *
vendors_certificate(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    static int number = 0x3000;
    CLEANUP(mem_cleanup) char *serial = mem_printf("%x", ++number);
    const struct forge f = {.subject = subject,
                            .serial = serial,
                            .key = key,
                            .issuer = issuer,
                            .issuer_key = issuer_key,
                            .not_before = vendors_now - HOUR,
                            .not_after = vendors_now + 100L * HOUR,
                            .extensions = {FORGE_CA}};

    return forge_certificate(&f);
}
