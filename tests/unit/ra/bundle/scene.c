/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/bundle/scene.h"

#include "base/ossl.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

char *
scene_base64(X509 *x)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(64 * 1024);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, x, &der, &e), &e);
    return base64_dup(buf_span(&der));
}

int
scene_set_up(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));
    EVP_PKEY *key = pki_key("P-256");

    s->pki = pki_new("P-256", "P-256");
    s->ra = pki_issue_officer(s->pki, "ra-cmp", key);
    s->root = scene_base64(s->pki->root);
    s->issuing = scene_base64(s->pki->issuing);
    s->of_ra = scene_base64(s->ra);
    EVP_PKEY_free(key);
    *state = s;
    return 0;
}

int
scene_tear_down(void **state)
{
    struct scene *s = *state;

    pki_free(s->pki);
    X509_free(s->ra);
    mem_free(s->root);
    mem_free(s->issuing);
    mem_free(s->of_ra);
    mem_free(s);
    return 0;
}

json_t *
scene_answer(const struct scene *s, const char *proof, const char *url)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s], s:s, s:{s:s, s:s, s:s, s:[s], "
        "s:[{s:s, s:i}, {s:s, s:i}]}}",
        "id", "0123", "state", "open", "notAfter", "2026-12-01T00:00:00Z", "proof", proof,
        "reference", "amf-1", "root", s->root, "issuing", s->issuing, "ra", s->of_ra, "publicUrls",
        url, "tlsRoot", "TLS ROOT\n", "registration", "nfInstanceId",
        "9c5b94b1-35ad-49bb-b118-8e8fc24abf80", "country", "SE", "homeDomain", "5gc.example",
        "fqdns", "amf1.5gc.example", "profiles", "name", "nf-tls", "maxValidityDays", 30, "name",
        "nf-tls-client", "maxValidityDays", 10);
}
