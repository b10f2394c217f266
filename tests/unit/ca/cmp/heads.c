/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/heads.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/pki.h"
#include "tests/support/test.h"

struct world {
    struct pki *pki;
    EVP_PKEY *key;
    X509 *ra;
    X509 *again; /* another certificate of the same key */
    EVP_PKEY *other_key;
    X509 *other;
    struct buf signature; /* of TEXT by key */
};

#define TEXT SPAN_LITERAL("the text of a head")

static int
setup(void **state)
{
    struct world *w = mem_new(sizeof(*w));

    w->pki = pki_new("P-256", "P-256");
    w->key = pki_key("P-256");
    w->ra = pki_issue_officer(w->pki, "ra-cmp", w->key);
    w->again = pki_issue_officer(w->pki, "ra-cmp", w->key);
    w->other_key = pki_key("P-256");
    w->other = pki_issue_officer(w->pki, "ra-cmp", w->other_key);
    w->signature = pki_sign(w->key, TEXT);
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;

    buf_free(&w->signature);
    X509_free(w->ra);
    X509_free(w->again);
    X509_free(w->other);
    EVP_PKEY_free(w->key);
    EVP_PKEY_free(w->other_key);
    pki_free(w->pki);
    mem_free(w);
    return 0;
}

static void
a_signature_is_right_or_not_the_first_time_and_the_second(void **state)
{
    const struct world *w = *state;
    CLEANUP(cmp_heads_cleanup) struct cmp_heads *heads = cmp_heads_new();
    CLEANUP(buf_free) struct buf other = pki_sign(w->other_key, TEXT);
    CLEANUP(buf_free) struct buf another = pki_sign(w->key, SPAN_LITERAL("another text"));
    const struct {
        const char *name;
        X509 *ra;
        struct span text;
        struct span signature;
        bool is_right;
    } rows[] = {
        {"right", w->ra, TEXT, buf_span(&w->signature), true},
        {"right, with another certificate of the key", w->again, TEXT, buf_span(&w->signature),
         true},
        {"another key's certificate", w->other, TEXT, buf_span(&w->signature), false},
        {"another key's signature", w->ra, TEXT, buf_span(&other), false},
        {"another text", w->ra, SPAN_LITERAL("the text of a hea"), buf_span(&w->signature), false},
        {"another text's signature", w->ra, TEXT, buf_span(&another), false},
        {"an octet less", w->ra, TEXT, span_of(w->signature.p, w->signature.n - 1), false},
        {"none", w->ra, TEXT, span_of(NULL, 0), false},
    };

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            struct cmp_heads *with = round < 2 ? heads : NULL;
            struct err e = {0};
            const int result =
                cmp_heads_verify(with, rows[i].ra, rows[i].text, rows[i].signature, &e);

            if ((result == 0) != rows[i].is_right ||
                (result != 0 &&
                 (e.code != ERR_CRYPTO || strstr(e.text, "signature does not verify") == NULL))) {
                fail_msg("%s: %s", rows[i].name, result == 0 ? "right" : e.text);
            }
        }
    }
}

static void
a_head_is_verified_once_and_forgotten_after_as_many_others(void **state)
{
    const struct world *w = *state;
    CLEANUP(cmp_heads_cleanup) struct cmp_heads *heads = cmp_heads_new();
    struct err e = {0};

    assert_ok(cmp_heads_verify(heads, w->ra, TEXT, buf_span(&w->signature), &e), &e);
    for (int i = 1; i <= CMP_HEADS_MAX; i++) {
        char text[32];
        CLEANUP(buf_free) struct buf signature = {0};

        assert_true(cmp_heads_has(heads, w->ra, TEXT, buf_span(&w->signature)));
        assert_false(cmp_heads_has(heads, w->again, TEXT, buf_span(&w->signature)));
        (void)snprintf(text, sizeof(text), "head %d", i);
        signature = pki_sign(w->key, span_str(text));
        assert_ok(cmp_heads_verify(heads, w->ra, span_str(text), buf_span(&signature), &e), &e);
        /* again: it takes no other room */
        assert_ok(cmp_heads_verify(heads, w->ra, span_str(text), buf_span(&signature), &e), &e);
    }
    assert_false(cmp_heads_has(heads, w->ra, TEXT, buf_span(&w->signature)));
    assert_ok(cmp_heads_verify(heads, w->ra, TEXT, buf_span(&w->signature), &e), &e);
    assert_true(cmp_heads_has(heads, w->ra, TEXT, buf_span(&w->signature)));
}

static void
what_is_not_right_is_not_remembered(void **state)
{
    const struct world *w = *state;
    CLEANUP(cmp_heads_cleanup) struct cmp_heads *heads = cmp_heads_new();
    struct err e = {0};

    assert_err(cmp_heads_verify(heads, w->other, TEXT, buf_span(&w->signature), &e), ERR_CRYPTO,
               &e);
    assert_false(cmp_heads_has(heads, w->other, TEXT, buf_span(&w->signature)));
}

static void
keys_that_no_ra_has_are_none(void **state)
{
    static const struct {
        const char *kind;
        bool is_good;
    } rows[] = {{"P-256", true},
                {"P-384", true},
                {"RSA-3072", true},
                {"RSA-2048", false},
                {"P-521", false}};
    const struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key(rows[i].kind);
        CLEANUP(x509_cleanup) X509 *certificate = X509_dup(w->ra);
        CLEANUP(buf_free) struct buf signature = BUF_INIT(1024);
        struct err e = {0};

        assert_int_equal(X509_set_pubkey(certificate, key), 1);
        if (rows[i].is_good) {
            signature = pki_sign(key, TEXT);
            assert_ok(cmp_heads_verify(NULL, certificate, TEXT, buf_span(&signature), &e), &e);
        } else {
            assert_err(cmp_heads_verify(NULL, certificate, TEXT, buf_span(&w->signature), &e),
                       ERR_CRYPTO, &e);
            assert_non_null(strstr(e.text, "the RA's key is not P-256, P-384 or RSA of 3072 bits"));
        }
    }
}

/* ---- at once ---- */

enum { THREADS = 4, ROUNDS = 200, TEXTS = CMP_HEADS_MAX + 8 };

struct worker {
    pthread_t thread;
    const struct world *w;
    struct cmp_heads *heads;
    const struct buf *signatures;
    unsigned wrong;
};

static void *
work(void *arg)
{
    struct worker *own = arg;

    for (size_t i = 0; i < ROUNDS; i++) {
        char text[32];
        struct err e = {0};

        (void)snprintf(text, sizeof(text), "head %zu", i % TEXTS);
        own->wrong += cmp_heads_verify(own->heads, own->w->ra, span_str(text),
                                       buf_span(&own->signatures[i % TEXTS]), &e) == 0
                          ? 0
                          : 1;
        own->wrong += cmp_heads_verify(own->heads, own->w->ra, span_str(text),
                                       buf_span(&own->signatures[(i + 1) % TEXTS]), &e) != 0
                          ? 0
                          : 1;
    }
    return NULL;
}

static void
workers_share_it(void **state)
{
    const struct world *w = *state;
    CLEANUP(cmp_heads_cleanup) struct cmp_heads *heads = cmp_heads_new();
    struct buf signatures[TEXTS];
    struct worker workers[THREADS];

    for (size_t i = 0; i < TEXTS; i++) {
        char text[32];

        (void)snprintf(text, sizeof(text), "head %zu", i);
        signatures[i] = pki_sign(w->key, span_str(text));
    }
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.w = w, .heads = heads, .signatures = signatures};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
    }
    for (size_t i = 0; i < TEXTS; i++) {
        buf_free(&signatures[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_right_or_not_the_first_time_and_the_second),
        cmocka_unit_test(a_head_is_verified_once_and_forgotten_after_as_many_others),
        cmocka_unit_test(what_is_not_right_is_not_remembered),
        cmocka_unit_test(keys_that_no_ra_has_are_none),
        cmocka_unit_test(workers_share_it),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
