/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h - what the units of ca/cmp share: a client with a secret, one with a certificate, and
 * files of tests/vectors/cmp. Included by one test each, so everything is static. */
#pragma once

#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/cmp_client.h"
#include "tests/support/test.h"

#define FIXTURE __attribute__((unused)) static

/* Reads tests/vectors/cmp/<name>. */
FIXTURE void
vector(const char *name, struct buf *out)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/vectors/cmp/%s", TEST_SOURCE_DIR, name);
    struct err e = {0};

    *out = BUF_INIT(CMP_NESTED_MAX);
    assert_ok(file_read(path, out, &e), &e);
}

FIXTURE struct cmp_msg *
vector_msg(const char *name)
{
    CLEANUP(buf_free) struct buf der = {0};
    struct cmp_msg *msg;
    struct err e = {0};

    vector(name, &der);
    msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
    if (msg == NULL) {
        fail_msg("%s: %s", name, e.text);
    }
    return msg;
}

FIXTURE X509 *
vector_cert(const char *name)
{
    CLEANUP(buf_free) struct buf pem = {0};
    struct err e = {0};
    X509 *cert;

    vector(name, &pem);
    cert = certificate_parse(buf_span(&pem), &e);
    assert_non_null(cert);
    return cert;
}

FIXTURE X509_NAME *
name_of(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();

    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                                (const unsigned char *)common_name, -1, -1, 0),
                     1);
    return name;
}

/* Self-signed, with a subjectKeyIdentifier. */
FIXTURE X509 *
certificate_of(EVP_PKEY *key, const char *common_name)
{
    X509 *cert = X509_new();
    X509V3_CTX context;
    X509_EXTENSION *ski;
    CLEANUP(x509_name_cleanup) X509_NAME *name = name_of(common_name);
    int type = EVP_PKEY_get_base_id(key);
    const EVP_MD *md = type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448 ? NULL : EVP_sha256();

    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set_int64(X509_get_serialNumber(cert), 4711), 1);
    assert_int_equal(X509_set_subject_name(cert, name), 1);
    assert_int_equal(X509_set_issuer_name(cert, name), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 86400));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    ski = X509V3_EXT_conf_nid(NULL, &context, NID_subject_key_identifier, "hash");
    assert_non_null(ski);
    assert_int_equal(X509_add_ext(cert, ski, -1), 1);
    X509_EXTENSION_free(ski);
    assert_true(X509_sign(cert, key, md) > 0);
    /* Fresh from its DER, as a peer would see it. */
    {
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
        struct err e = {0};

        assert_ok(OSSL_ENCODE(X509, cert, &der, &e), &e);
        X509_free(cert);
        cert = certificate_parse(buf_span(&der), &e);
        assert_non_null(cert);
    }
    return cert;
}

struct world {
    struct buf pbm;
    EVP_PKEY *key; /* to be certified */
    EVP_PKEY *device_key;
    X509 *device;
    X509_NAME *subject;
    struct cmp_client mac;
    struct cmp_client signature;
};

#define REFERENCE "nf-0001"
#define SECRET "a secret of the test"

FIXTURE int
world_setup(void **state)
{
    struct world *w = mem_zalloc(1, sizeof(*w));
    struct err e = {0};

    w->pbm = BUF_INIT(1024);
    assert_ok(cmp_client_pbm(NID_sha256, 500, NID_hmac_sha1, &w->pbm, &e), &e);
    w->key = cmp_client_key(&e);
    w->device_key = cmp_client_key(&e);
    assert_non_null(w->key);
    assert_non_null(w->device_key);
    w->device = certificate_of(w->device_key, "device");
    w->subject = name_of("nf");
    w->mac = (struct cmp_client){
        .reference = REFERENCE, .secret = SPAN_LITERAL(SECRET), .algorithm = buf_span(&w->pbm)};
    w->signature = (struct cmp_client){.certificate = w->device, .key = w->device_key};
    *state = w;
    return 0;
}

FIXTURE int
world_teardown(void **state)
{
    struct world *w = *state;

    buf_free(&w->pbm);
    EVP_PKEY_free(w->key);
    EVP_PKEY_free(w->device_key);
    X509_free(w->device);
    X509_NAME_free(w->subject);
    mem_free(w);
    return 0;
}

/* An ir of this client, as DER. */
FIXTURE void
request_der(const struct world *w, const struct cmp_client *c, struct buf *out)
{
    struct cmp_client_state state;
    struct err e = {0};

    *out = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(cmp_client_request(c, CMP_IR, w->key, w->subject, &state, out, &e), &e);
}

FIXTURE struct cmp_msg *
parse_ok(struct span der)
{
    struct err e = {0};
    struct cmp_msg *msg = cmp_msg_parse(der, CMP_NESTED_MAX, &e);

    if (msg == NULL) {
        fail_msg("%s", e.text);
    }
    return msg;
}

/* With the room that it needs it is made, and with no octet less. */
FIXTURE void
needs_its_room(const char *row, int (*make)(const void *arg, struct buf *out, struct err *e),
               const void *arg)
{
    CLEANUP(buf_free) struct buf whole = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(make(arg, &whole, &e), &e);
    for (size_t room = 0; room <= whole.n; room++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT(room);
        int result = make(arg, &out, &e);

        if (room < whole.n ? result != -1 : result != 0 || out.n != whole.n) {
            fail_msg("%s, %zu octets of %zu: %d", row, room, whole.n, result);
        }
    }
}

/* Header and body sealed by the client, parsed. */
FIXTURE struct cmp_msg *
sealed(const struct cmp_client *c, const struct cmp_header *h, struct span body)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_seal(c, h, body, &der, &e), &e);
    return parse_ok(buf_span(&der));
}
