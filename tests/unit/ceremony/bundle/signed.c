/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "tests/unit/ceremony/bundle/signed.h"

#include <string.h>

#include "ca/x509/signed.h"
#include "ceremony/bundle/bundle.h"
#include "ceremony/transcript/fact.h"

enum { HOUR = 3600, YEAR = 365 * 24 * HOUR };

struct own_root {
    long begin; /* seconds from now */
    long end;
    bool flipped;       /* one bit of its signature of itself */
    bool other_key;     /* what it certifies is signed by another key */
    const char *reason; /* NULL: the bundle verifies */
};

/* The DER of `tbs` signed by `key`. */
static void
sign(enum signed_kind kind, struct span tbs, EVP_PKEY *key, struct buf *der)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[256];
    size_t n = sizeof(signature);
    struct err e = {0};

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &n, tbs.p, tbs.n), 1);
    assert_ok(signed_assemble(kind, tbs, span_of(signature, n), key, der, &e), &e);
}

static void
make_root(const struct own_root *row, EVP_PKEY *key, struct buf *der)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    struct name subject;
    struct tbs_request request = {.profile = profile_by_name("root"), .subject = &subject};
    struct err e = {0};

    assert_ok(OSSL_ENCODE(PUBKEY, key, &spki, &e), &e);
    assert_ok(name_set(&subject, "SE", "Example", "Root", &e), &e);
    request.not_before = clock_now() + row->begin;
    request.not_after = clock_now() + row->end;
    request.serial[0] = 0x40;
    request.spki = buf_span(&spki);
    assert_ok(tbs_build(&request, &tbs, &e), &e);
    sign(SIGNED_CERTIFICATE, buf_span(&tbs), key, der);
    der->p[der->n - 1] ^= row->flipped ? 1 : 0;
}

static void
put(struct forge *f, const char *at, json_t *value)
{
    CLEANUP(json_cleanup) json_t *owned = value;
    CLEANUP(mem_cleanup) char *json = mem_printf("\"%s\"", json_string_value(owned));

    forge_edit(f, at, json);
}

/* As the ceremony would have gone with this root; as far as a certificate can be built under it. */
static int
certify(struct forge *f, const struct bundle *b, const struct own_root *row, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-384");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-384");
    CLEANUP(buf_free) struct buf root_der = BUF_INIT(TBS_MAX);
    CLEANUP(x509_cleanup) X509 *root = NULL;
    CLEANUP(buf_free) struct buf content = BUF_INIT(TBS_MAX);
    CLEANUP(x509_cleanup) X509 *issued = NULL;
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(TBS_MAX + SIGNED_OVERHEAD);
    CLEANUP(mem_cleanup) char *word = NULL;
    struct tbs_request plan;
    struct name subject;
    uint8_t hash[SHA256_SIZE];
    size_t i = 0;

    make_root(row, key, &root_der);
    root = certificate_parse(buf_span(&root_der), e);
    assert_non_null(root);
    put(f, "previous#0/state/root/certificate", fact_of_base64(buf_span(&root_der)));
    put(f, "state#0/state/root/certificate", fact_of_base64(buf_span(&root_der)));
    put(f, "artifact#2/content", fact_of_base64(buf_span(&root_der)));
    while (strcmp(forge_type(f, i), "artifact") != 0) {
        i++;
    }
    assert_ok(fact_base64(forge_fact(f, i), "content", &content, e), e);
    issued = certificate_parse(buf_span(&content), e);
    assert_ok(OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(issued), &spki, e), e);
    if (plan_certificate(b->definition, &b->circumstances, root, buf_span(&spki), &subject, &plan,
                         e) != 0 ||
        tbs_build(&plan, &tbs, e) != 0) {
        return -1;
    }
    assert_ok(sha256(buf_span(&tbs), hash, e), e);
    sign(SIGNED_CERTIFICATE, buf_span(&tbs), row->other_key ? other : key, &der);
    word = plan_word_sign(hash);
    put(f, "tbs#0/der", fact_of_base64(buf_span(&tbs)));
    put(f, "tbs#0/sha256", fact_of_hex(span_of(hash, sizeof(hash))));
    put(f, "prompt#4/answer", json_string(word));
    put(f, "p11.intent#0/sha256", fact_of_hex(span_of(hash, sizeof(hash))));
    put(f, "artifact#0/content", fact_of_base64(buf_span(&der)));
    return 0;
}

void
a_forger_s_own_root_is_no_better_than_it_is(const struct forge *sub)
{
    static const struct own_root rows[] = {
        {-HOUR, 20L * YEAR, false, false, NULL},
        {-HOUR, 20L * YEAR, true, false,
         "artifact: does not verify: certificate signature failure"},
        {-HOUR, 20L * YEAR, false, true, "artifact: signed object: the signature does not verify"},
        {-HOUR, YEAR, false, false, "notAfter: past the end of the issuer's certificate"},
        {-30, 20L * YEAR, false, false, "notBefore: before the issuer's certificate begins"},
    };
    CLEANUP(forge_cleanup) struct forge *plain = forge_dup(sub);
    CLEANUP(bundle_cleanup) struct bundle *b = NULL;
    struct err e = {0};

    forge_write(plain);
    b = bundle_load(plain->directory, &e);
    assert_non_null(b);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(forge_cleanup) struct forge *f = forge_dup(sub);
        CLEANUP(bundle_cleanup) struct bundle *loaded = NULL;

        (void)certify(f, b, &rows[i], &e);
        forge_edit(f, "reseal", NULL);
        forge_write(f);
        e = (struct err){0};
        loaded = bundle_load(f->directory, &e);
        if ((loaded != NULL) != (rows[i].reason == NULL) ||
            (loaded == NULL && strstr(e.text, rows[i].reason) == NULL)) {
            fail_msg("row %zu: not '%s' but '%s'", i, rows[i].reason == NULL ? "" : rows[i].reason,
                     e.text);
        }
    }
}
