/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "tests/unit/ceremony/root.h"

#include <string.h>

#include "ca/x509/signed.h"

void
test_root(struct state *out)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-384");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(TBS_MAX + SIGNED_OVERHEAD);
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct name subject;
    struct tbs_request request = {.profile = profile_by_name("root"), .subject = &subject};
    uint8_t signature[256];
    size_t n = sizeof(signature);
    struct err e = {0};

    assert_non_null(key);
    assert_ok(OSSL_ENCODE(PUBKEY, key, &spki, &e), &e);
    assert_ok(name_set(&subject, "SE", "Example", "Root", &e), &e);
    assert_ok(time_parse("2026-11-23T12:00:00Z", &request.not_before, &e), &e);
    assert_ok(time_parse("2046-11-18T11:59:59Z", &request.not_after, &e), &e);
    request.serial[0] = 0x40;
    request.serial[1] = 1;
    request.spki = buf_span(&spki);
    assert_ok(tbs_build(&request, &tbs, &e), &e);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &n, tbs.p, tbs.n), 1);
    assert_ok(
        signed_assemble(SIGNED_CERTIFICATE, buf_span(&tbs), span_of(signature, n), key, &der, &e),
        &e);
    out->root = certificate_parse(buf_span(&der), &e);
    assert_non_null(out->root);
    memcpy(out->token_label, "root-token", sizeof("root-token"));
    memcpy(out->token_serial, "0123456789abcdef", sizeof("0123456789abcdef"));
}
