/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/anchor.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <strings.h>

#include "ca/x509/name.h"
#include "ca/x509/path/path.h"

enum { RSA_BITS = 1024 }; /* of a key that signs once and nobody verifies */

bool
anchor_is_early(const X509 *anchor, time_t now)
{
    return ASN1_TIME_cmp_time_t(X509_get0_notBefore(anchor), now) > 0;
}

/* ---- an end entity ---- */

/* A key that signs as the anchor's does. */
static EVP_PKEY *
key_like(EVP_PKEY *anchor, struct err *e)
{
    EVP_PKEY *key = NULL;
    CLEANUP(evp_pkey_ctx_cleanup) EVP_PKEY_CTX *ctx = NULL;

    if (EVP_PKEY_is_a(anchor, "EC") == 1) {
        key = EVP_EC_gen("P-256");
    } else {
        ctx = EVP_PKEY_CTX_new_from_name(NULL, EVP_PKEY_get0_type_name(anchor), NULL);
        if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
            (EVP_PKEY_get_id(anchor) != EVP_PKEY_ED25519 &&
             EVP_PKEY_get_id(anchor) != EVP_PKEY_ED448 &&
             EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, RSA_BITS) != 1) ||
            EVP_PKEY_generate(ctx, &key) != 1) {
            key = NULL;
        }
    }
    if (key == NULL) {
        (void)ossl_err(e, ERR_CRYPTO, "throw-away key");
    }
    return key;
}

/* What it lacks is its own fault, and those are passed over: see below. */
static int
fill(X509 *leaf, X509 *anchor, EVP_PKEY *own, EVP_PKEY *signs, time_t at)
{
    bool edwards =
        EVP_PKEY_get_id(signs) == EVP_PKEY_ED25519 || EVP_PKEY_get_id(signs) == EVP_PKEY_ED448;

    if (X509_set_version(leaf, X509_VERSION_3) != 1 ||
        X509_set_issuer_name(leaf, X509_get_subject_name(anchor)) != 1 ||
        ASN1_TIME_set(X509_getm_notBefore(leaf), at) == NULL ||
        ASN1_TIME_set(X509_getm_notAfter(leaf), at) == NULL || X509_set_pubkey(leaf, own) != 1) {
        return -1;
    }
    return X509_sign(leaf, signs, edwards ? NULL : EVP_sha256()) > 0 ? 0 : -1;
}

static X509 *
end_entity(X509 *anchor, time_t at, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *own = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *signs = key_like(X509_get0_pubkey(anchor), e);
    X509 *leaf = X509_new();

    if (signs == NULL || own == NULL || leaf == NULL || fill(leaf, anchor, own, signs, at) != 0) {
        X509_free(leaf);
        (void)ossl_err(e, ERR_CRYPTO, "throw-away certificate");
        return NULL;
    }
    return leaf;
}

/* ---- its path ---- */

/* What is wrong at depth 0 is the end entity's: its signature, its name, its extensions. */
static int
on_error(int ok, X509_STORE_CTX *ctx)
{
    return ok == 1 || X509_STORE_CTX_get_error_depth(ctx) == 0 ||
                   X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CA_BCONS_NOT_CRITICAL
               ? 1
               : 0;
}

static int
verify(X509 *anchor, X509 *leaf, time_t at, struct err *e)
{
    CLEANUP(x509_store_cleanup) X509_STORE *store = X509_STORE_new();
    CLEANUP(x509_store_ctx_cleanup) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *parameters;

    if (store == NULL || ctx == NULL || X509_STORE_add_cert(store, anchor) != 1 ||
        X509_STORE_CTX_init(ctx, store, leaf, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "verifier");
    }
    parameters = X509_STORE_CTX_get0_param(ctx);
    (void)X509_VERIFY_PARAM_set_flags(parameters,
                                      X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(parameters, at);
    X509_VERIFY_PARAM_set_auth_level(parameters, PATH_AUTH_LEVEL);
    X509_STORE_CTX_set_verify_cb(ctx, on_error);
    if (X509_verify_cert(ctx) != 1) {
        return err_set(e, ERR_DENIED, "%s",
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    return sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) == 2
               ? 0
               : err_set(e, ERR_DENIED, "no certificate can name it as its issuer");
}

/* ---- its names ---- */

/* "CN=x,O=y" is below "O=y". The case does not matter, as in nameConstraints. */
static bool
is_below(const char *name, const char *above)
{
    size_t n = strlen(name);
    size_t m = strlen(above);

    return n >= m && strcasecmp(name + n - m, above) == 0 &&
           (n == m || m == 0 || (name[n - m - 1] == ',' && (n - m < 2 || name[n - m - 2] != '\\')));
}

/* Some name that begins as `name` does could be within the subtree; or, `whole`, each is. */
static bool
touches(const GENERAL_SUBTREE *subtree, const char *name, bool whole)
{
    CLEANUP(mem_cleanup) char *base = NULL;

    if (subtree->base->type != GEN_DIRNAME) {
        return false;
    }
    base = name_text(subtree->base->d.directoryName);
    return is_below(name, base) || (!whole && is_below(base, name));
}

static bool
is_possible(const NAME_CONSTRAINTS *constraints, const char *name)
{
    bool limited = false;
    bool permitted = false;

    for (int i = 0; i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); i++) {
        const GENERAL_SUBTREE *subtree =
            sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i);

        limited = limited || subtree->base->type == GEN_DIRNAME;
        permitted = permitted || touches(subtree, name, false);
    }
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees); i++) {
        if (touches(sk_GENERAL_SUBTREE_value(constraints->excludedSubtrees, i), name, true)) {
            return false;
        }
    }
    return permitted || !limited;
}

static int
check_names(X509 *anchor, const char *const *names, size_t n_names, struct err *e)
{
    NAME_CONSTRAINTS *constraints = X509_get_ext_d2i(anchor, NID_name_constraints, NULL, NULL);
    bool possible = n_names == 0 || constraints == NULL;

    for (size_t i = 0; !possible && i < n_names; i++) {
        possible = is_possible(constraints, names[i]);
    }
    NAME_CONSTRAINTS_free(constraints);
    return possible ? 0
                    : err_set(e, ERR_DENIED, "its nameConstraints exclude all of the set's names");
}

int
anchor_check(X509 *anchor, const char *const *names, size_t n_names, time_t now, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *leaf = NULL;
    time_t at = now;
    struct tm begins;
    int result;

    if (anchor_is_early(anchor, now)) {
        if (ASN1_TIME_to_tm(X509_get0_notBefore(anchor), &begins) != 1) {
            return ossl_err(e, ERR_DENIED, "notBefore");
        }
        at = timegm(&begins);
    }
    leaf = end_entity(anchor, at, e);
    if (leaf == NULL) {
        return -1;
    }
    result = verify(anchor, leaf, at, e);
    ERR_clear_error();
    return result != 0 ? -1 : check_names(anchor, names, n_names, e);
}
