/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two contexts: in the one behind is OpenSSL's default provider, in the one in front a provider
 * that hands on what that one has, but for the two lists that are shorter.
 */
#include "base/ossl_context.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct ossl_context {
    OSSL_LIB_CTX *behind;
    OSSL_PROVIDER *all;
    OSSL_LIB_CTX *front;
    OSSL_PROVIDER *some;
};

/* ---- which algorithms ---- */

/* What ca/x509/path takes of others, and more than we issue for. */
static const char *const kinds[] = {"EC", "RSA", "RSA-PSS", "ED25519", "ED448"};
enum { KINDS = ARRAY_LEN(kinds) };

static const OSSL_ALGORITHM *chosen[OSSL_OP__HIGHEST + 1];
static OSSL_ALGORITHM managers[KINDS + 1]; /* as chosen[OSSL_OP_KEYMGMT] */
static OSSL_ALGORITHM decoders[KINDS + 1];

/* An algorithm's names stand behind each other, with colons between them; the first counts. */
static bool
is_kind(const OSSL_ALGORITHM *algorithm)
{
    const size_t n = strcspn(algorithm->algorithm_names, ":");

    for (size_t i = 0; i < KINDS; i++) {
        if (strlen(kinds[i]) == n && memcmp(kinds[i], algorithm->algorithm_names, n) == 0) {
            return true;
        }
    }
    return false;
}

/* One of each kind, with this among its properties; all of `list` when it is not as that of the
 * OpenSSL that we know. */
static const OSSL_ALGORITHM *
choose(const OSSL_ALGORITHM *list, const char *property, OSSL_ALGORITHM to[KINDS + 1])
{
    size_t n = 0;

    for (const OSSL_ALGORITHM *a = list; a->algorithm_names != NULL; a++) {
        if (!is_kind(a) || strstr(a->property_definition, property) == NULL) {
            continue;
        }
        if (n == KINDS) {
            return list;
        }
        to[n++] = *a;
    }
    return n == KINDS ? to : list;
}

/* The lists are OpenSSL's constants, whichever context they are asked for in. */
static pthread_mutex_t chosen_lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_chosen;

static void
choose_once(const OSSL_PROVIDER *all)
{
    int no_cache;

    (void)pthread_mutex_lock(&chosen_lock);
    for (int i = 1; !is_chosen && i <= OSSL_OP__HIGHEST; i++) {
        chosen[i] = OSSL_PROVIDER_query_operation(all, i, &no_cache);
    }
    if (!is_chosen) {
        chosen[OSSL_OP_KEYMGMT] = choose(chosen[OSSL_OP_KEYMGMT], "", managers);
        chosen[OSSL_OP_DECODER] =
            choose(chosen[OSSL_OP_DECODER], "structure=SubjectPublicKeyInfo", decoders);
        is_chosen = true;
    }
    (void)pthread_mutex_unlock(&chosen_lock);
}

/* ---- the provider in front ---- */

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
    (void)provider;
    *no_cache = 0;
    return operation < 1 || operation > OSSL_OP__HIGHEST ? NULL : chosen[operation];
}

static const OSSL_DISPATCH functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
    {0, NULL},
};

/* The one that is behind what this thread loads. */
static _Thread_local const OSSL_PROVIDER *loading;

/* What an algorithm gets is what it had from its own provider. */
static int
init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
     void **provider)
{
    (void)handle;
    (void)in;
    *out = functions;
    *provider = OSSL_PROVIDER_get0_provider_ctx(loading);
    return 1;
}

/* ---- contexts ---- */

#define IN_FRONT "nfpki"

struct ossl_context *
ossl_context_new(void)
{
    struct ossl_context *c = mem_new(sizeof(*c));

    c->behind = OSSL_LIB_CTX_new();
    c->front = OSSL_LIB_CTX_new();
    c->all = c->behind == NULL ? NULL : OSSL_PROVIDER_load(c->behind, "default");
    if (c->front == NULL || c->all == NULL ||
        OSSL_PROVIDER_add_builtin(c->front, IN_FRONT, init) != 1) {
        abort();
    }
    choose_once(c->all);
    loading = c->all;
    c->some = OSSL_PROVIDER_load(c->front, IN_FRONT);
    if (c->some == NULL) {
        abort();
    }
    return c;
}

void
ossl_context_free(struct ossl_context *c)
{
    if (c != NULL) {
        (void)OSSL_PROVIDER_unload(c->some);
        OSSL_LIB_CTX_free(c->front);
        (void)OSSL_PROVIDER_unload(c->all);
        OSSL_LIB_CTX_free(c->behind);
        mem_free(c);
    }
}

void
ossl_context_enter(const struct ossl_context *c)
{
    (void)OSSL_LIB_CTX_set0_default(c->front);
}

void
ossl_context_leave(const struct ossl_context *c)
{
    OPENSSL_thread_stop_ex(c->front);
    OPENSSL_thread_stop_ex(c->behind);
}
