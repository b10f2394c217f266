/* SPDX-License-Identifier: Apache-2.0 */
/* What nfpki-ca --restore refuses, and only a test that has the token's keys can make. */
#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/x509/signed.h"
#include "pkcs11/key.h"
#include "pkcs11/signer/policy.h"
#include "tests/support/pki.h"
#include "tests/unit/ca/restore/scene.h"

enum { CONF_MAX = 16 * 1024 };

/* ---- the token ---- */

struct token_open {
    struct policy *policy; /* of the signer of this key */
    struct module *module;
    struct session *session;
};

static struct token_open
open_token(const struct scene *s, const char *conf, enum session_mode mode)
{
    CLEANUP(mem_cleanup) char *path = scene_path(s, conf);
    struct err e = {0};
    struct token_open t = {.policy = policy_load(path, &e)};

    assert_non_null(t.policy);
    t.module = module_open(t.policy->module, t.policy->module_config, &e);
    assert_non_null(t.module);
    t.session = session_open(t.module, t.policy->token, t.policy->serial, mode, &e);
    assert_non_null(t.session);
    assert_ok(session_login(t.session, SPAN_LITERAL(WORLD_PIN), &e), &e);
    return t;
}

static void
close_token(struct token_open *t)
{
    session_close(t->session);
    module_close(t->module);
    policy_free(t->policy);
}

static void
make_key(const struct scene *s, uint8_t id[KEY_ID_SIZE], struct buf *spki)
{
    struct token_open t = open_token(s, "log.conf", SESSION_READ_WRITE);
    struct err e = {0};

    assert_ok(key_generate(t.session, key_policy_find(t.policy->attributes, &e), KEY_P256, "log 2",
                           id, spki, &e),
              &e);
    close_token(&t);
}

static void
sign(const struct scene *s, struct span tbs, struct buf *signature)
{
    struct token_open t = open_token(s, "issuing.conf", SESSION_READ_ONLY);
    struct err e = {0};
    struct key *key = key_find(t.session, key_policy_find(t.policy->attributes, &e),
                               span_of(t.policy->key_id, sizeof(t.policy->key_id)),
                               buf_span(&t.policy->spki), &e);

    assert_non_null(key);
    assert_ok(key_sign(key, tbs, signature, &e), &e);
    key_free(key);
    close_token(&t);
}

/* ---- a certificate that has no version ---- */

/* Of X.509 version 1, to be signed by the issuing key; buf_free() it. */
static struct buf
old_tbs(const struct scene *s)
{
    CLEANUP(x509_cleanup) X509 *x = X509_dup(s->alice);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *any = pki_key("P-256");
    const uint8_t serial[16] = {0x41, 1};
    struct buf tbs = BUF_INIT(LINK_CERTIFICATE_MAX);
    struct err e = {0};

    assert_int_equal(X509_set_version(x, X509_VERSION_1), 1);
    assert_int_equal(ASN1_STRING_set(X509_get_serialNumber(x), serial, sizeof(serial)), 1);
    while (X509_get_ext_count(x) > 0) {
        X509_EXTENSION_free(X509_delete_ext(x, 0));
    }
    assert_true(X509_sign(x, any, EVP_sha256()) > 0); /* for the algorithm that is named inside */
    assert_ok(OSSL_ENCODE(re_X509_tbs, x, &tbs, &e), &e);
    return tbs;
}

static void
one_without_a_version_is_not_adopted(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = scene_path(s, "adopt.pem");
    CLEANUP(buf_free) struct buf tbs = old_tbs(s);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(bio_cleanup) BIO *out = BIO_new_file(path, "w");
    const char *const arguments[] = {"--adopt", path, NULL};
    struct err e = {0};

    sign(s, buf_span(&tbs), &signature);
    /* Without a version its parts stand where a CRL has them. */
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature),
                              X509_get0_pubkey(s->w->issuing), &der, &e),
              &e);
    assert_true(PEM_write_bio(out, PEM_STRING_X509, "", der.p, (long)der.n) > 0);
    assert_int_equal(BIO_flush(out), 1);
    scene_lose_the_day(s);
    scene_is_refused(s->w, "version 1", arguments, "adopt.pem: certificate 1: it cannot be read");
}

/* ---- another log ---- */

/* What stands behind the first `key` becomes `value`, which is as long. */
static void
set(const struct scene *s, const char *name, const char *key, const char *value)
{
    CLEANUP(mem_cleanup) char *path = scene_path(s, name);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CONF_MAX);
    struct err e = {0};
    char *at;

    assert_ok(file_read(path, &text, &e), &e);
    at = memmem(text.p, text.n, key, strlen(key));
    assert_non_null(at);
    memcpy(at + strlen(key), value, strlen(value));
    scene_put(s, name, buf_span(&text));
}

/* Another key and origin, a journal and a ledger that have nothing. */
static void
begin_a_new_log(const struct scene *s)
{
    CLEANUP(mem_cleanup) char *ledger = scene_path(s, "ledger");
    CLEANUP(mem_cleanup) char *journal = scene_path(s, "log.journal");
    CLEANUP(mem_cleanup) char *public = scene_path(s, "log.pub.pem");
    CLEANUP(mem_cleanup) char *hex = NULL;
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    CLEANUP(bio_cleanup) BIO *out = NULL;
    uint8_t id[KEY_ID_SIZE];
    const unsigned char *p;

    make_key(s, id, &spki);
    p = spki.p;
    key = d2i_PUBKEY(NULL, &p, (long)spki.n);
    out = BIO_new_file(public, "w");
    assert_int_equal(PEM_write_bio_PUBKEY(out, key), 1);
    hex = hex_dup(span_of(id, sizeof(id)));
    set(s, "log.conf", "key_id = \"", hex);
    set(s, "log.conf", "origin = \"", "test.example/cb");
    set(s, "issuing.conf", "origin = \"", "test.example/cb");
    set(s, "nfpki-ca.conf", "log_origin = \"", "test.example/cb");
    copies_remove(ledger);
    assert_int_equal(unlink(journal), 0);
}

static void
a_database_that_has_more_than_is_published_is_refused(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *ledger = mem_printf("%s/ledger", s->yesterday);
    const char *const arguments[] = {"--old-ledger", ledger, "--signed",
                                     "1000000:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=", NULL};

    begin_a_new_log(s);
    copy_parts(s->today, s->w->dir, STATE);
    scene_is_refused(s->w, "more than is published", arguments,
                     "are published: move it away, and keep it, to restore without it");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_without_a_version_is_not_adopted),
        cmocka_unit_test(a_database_that_has_more_than_is_published_is_refused),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
