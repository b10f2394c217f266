/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In this order: limits; the path without status; what OpenSSL leaves out; the path again with
 * CRLs; the purpose. So no CRL, which may be large, is looked at for a certificate whose signatures
 * do not verify, and a certificate that is called revoked is good otherwise.
 */
#include "ca/x509/path/path.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "base/validity.h"
#include "ca/x509/name.h"
#include "ca/x509/path/check.h"
#include "ca/x509/path/names.h"

#define ANY_POLICY "2.5.29.32.0"

/* ---- the verifier's input ---- */

struct run {
    const struct path_request *request;
    X509_STORE *store;
    STACK_OF(X509) * untrusted; /* borrows the certificates */
    STACK_OF(X509_CRL) * crls;  /* in a store OpenSSL would not find an indirect one */
    bool with_form;             /* path_check_certificate() */
    bool with_status;
    bool left_out[PATH_CRLS_MAX]; /* of request->crls */
    struct err crl;               /* why the last of them was */
};

static void
run_free(struct run *run)
{
    X509_STORE_free(run->store);
    sk_X509_free(run->untrusted);
    sk_X509_CRL_free(run->crls);
}

static int
check_crl(const struct path_request *request, X509_CRL *crl, struct err *e)
{
    if (request->crls_since > 0 &&
        ASN1_TIME_cmp_time_t(X509_CRL_get0_lastUpdate(crl), request->crls_since) < 0) {
        return err_set(e, ERR_DENIED, "thisUpdate is too long ago");
    }
    return path_check_crl(crl, e);
}

static int
add_crls(struct run *run)
{
    for (size_t i = 0; i < run->request->n_crls; i++) {
        struct err why = {0};

        if (check_crl(run->request, run->request->crls[i], &why) != 0) {
            run->left_out[i] = true;
            run->crl = why;
        } else if (sk_X509_CRL_push(run->crls, run->request->crls[i]) <= 0) {
            return -1;
        }
    }
    return 0;
}

/* Is a CRL of the issuer of this certificate there, but left out? */
static bool
is_left_out(const struct run *run, const X509 *certificate)
{
    for (size_t i = 0; i < run->request->n_crls; i++) {
        if (run->left_out[i] && name_equal(X509_CRL_get_issuer(run->request->crls[i]),
                                           X509_get_issuer_name(certificate))) {
            return true;
        }
    }
    return false;
}

static int
run_fill(struct run *run, const struct path_request *request)
{
    run->request = request;
    run->store = X509_STORE_new();
    run->untrusted = sk_X509_new_null();
    run->crls = sk_X509_CRL_new_null();
    if (run->store == NULL || run->untrusted == NULL || run->crls == NULL) {
        return -1;
    }
    for (size_t i = 0; i < request->n_anchors; i++) {
        if (X509_STORE_add_cert(run->store, request->anchors[i]) != 1) {
            return -1;
        }
    }
    for (size_t i = 0; i < request->n_untrusted; i++) {
        if (path_is_link(request->untrusted[i]) &&
            sk_X509_push(run->untrusted, request->untrusted[i]) <= 0) {
            return -1;
        }
    }
    return request->status == PATH_STATUS_NONE ? 0 : add_crls(run);
}

static int
policy_add(X509_VERIFY_PARAM *parameters, const char *dotted)
{
    ASN1_OBJECT *policy = OBJ_txt2obj(dotted, 1);

    if (policy == NULL || X509_VERIFY_PARAM_add0_policy(parameters, policy) != 1) {
        ASN1_OBJECT_free(policy);
        return -1;
    }
    return 0;
}

/* To OpenSSL no policies at all are the empty set, not the one of RFC 5280 6.1.1 (c) that has
 * anyPolicy: a path that must have an explicit policy would never be good. */
static int
policies_set(X509_VERIFY_PARAM *parameters, const struct path_request *request)
{
    for (size_t i = 0; i < request->n_policies; i++) {
        if (policy_add(parameters, request->policies[i]) != 0) {
            return -1;
        }
    }
    return request->n_policies > 0 ? 0 : policy_add(parameters, ANY_POLICY);
}

static int
parameters_set(X509_VERIFY_PARAM *parameters, const struct run *run)
{
    const struct path_request *request = run->request;
    unsigned long flags = X509_V_FLAG_X509_STRICT | X509_V_FLAG_POLICY_CHECK;
    time_t at = request->at;

    if (request->pinned) {
        flags |= X509_V_FLAG_PARTIAL_CHAIN;
    }
    if (request->explicit_policy) {
        flags |= X509_V_FLAG_EXPLICIT_POLICY;
    }
    if (request->inhibit_mapping) {
        flags |= X509_V_FLAG_INHIBIT_MAP;
    }
    if (request->inhibit_any_policy) {
        flags |= X509_V_FLAG_INHIBIT_ANY;
    }
    if (run->with_status) {
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
                 X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS;
        at = request->status_at == 0 ? at : request->status_at;
    }
    (void)X509_VERIFY_PARAM_set_flags(parameters, flags);
    X509_VERIFY_PARAM_set_time(parameters, at);
    X509_VERIFY_PARAM_set_depth(parameters, PATH_LENGTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(parameters, PATH_AUTH_LEVEL);
    return policies_set(parameters, request);
}

/* ---- the verifier's answer ---- */

/* `ctx` stands before an error in the run with status: does it count? The path was found good
 * before, at its own time; and the status of an anchor is not asked (RFC 5280 6.1: it is an input).
 * With a parent, `ctx` is about the path of a CRL's issuer. */
static bool
is_tolerated(X509_STORE_CTX *ctx, X509_STORE_CTX *parent, const struct run *run)
{
    int depth = X509_STORE_CTX_get_error_depth(ctx);
    int last = sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1;

    if (depth == last && last > 0) {
        return true;
    }
    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return parent == NULL;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
        return run->request->status == PATH_STATUS_IF_PRESENT &&
               !is_left_out(run, X509_STORE_CTX_get_current_cert(ctx));
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
        /* The status of the issuer of an indirect CRL may stand in that CRL itself. */
        return parent != NULL &&
               X509_STORE_CTX_get0_current_crl(ctx) == X509_STORE_CTX_get0_current_crl(parent);
    default:
        return false;
    }
}

/* A matter of form (check.h), which the algorithm does not ask for; or one that the operator
 * lets pass, of an end entity. */
static bool
is_form(X509_STORE_CTX *ctx, const struct run *run)
{
    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_CA_BCONS_NOT_CRITICAL:
        return true;
    case X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER:
        return (run->request->allow & PATH_ALLOW_NO_AKI) != 0 &&
               X509_STORE_CTX_get_error_depth(ctx) == 0;
    default:
        return false;
    }
}

static int
on_error(int ok, X509_STORE_CTX *ctx)
{
    X509_STORE_CTX *parent = X509_STORE_CTX_get0_parent_ctx(ctx);
    const struct run *run = X509_STORE_CTX_get_app_data(parent == NULL ? ctx : parent);

    if (ok == 1 || is_form(ctx, run) || validity_is_last_second(ctx)) {
        return 1;
    }
    return run->with_status && is_tolerated(ctx, parent, run) ? 1 : 0;
}

/* Which of OpenSSL's reasons mean that no anchor was reached. */
static bool
is_without_anchor(int why)
{
    switch (why) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return true;
    default:
        return false;
    }
}

static enum path_verdict
refusal(X509_STORE_CTX *ctx, const struct run *run, struct err *e)
{
    int why = X509_STORE_CTX_get_error(ctx);
    X509 *certificate = X509_STORE_CTX_get_current_cert(ctx);
    CLEANUP(mem_cleanup)
    char *subject = certificate == NULL ? NULL : name_text(X509_get_subject_name(certificate));

    ERR_clear_error();
    (void)err_set(e, ERR_DENIED, "depth %d, %s: %s%s%s", X509_STORE_CTX_get_error_depth(ctx),
                  subject == NULL ? "no certificate" : subject, X509_verify_cert_error_string(why),
                  why == X509_V_ERR_UNABLE_TO_GET_CRL && run->crl.code != ERR_NONE
                      ? "; one was left out: "
                      : "",
                  why == X509_V_ERR_UNABLE_TO_GET_CRL ? run->crl.text : "");
    if (why == X509_V_ERR_OUT_OF_MEM || why == X509_V_ERR_UNSPECIFIED) {
        e->code = ERR_CRYPTO;
        return PATH_FAILED;
    }
    if (why == X509_V_ERR_CERT_REVOKED) {
        return PATH_REVOKED;
    }
    return is_without_anchor(why) ? PATH_NO_ANCHOR : PATH_REFUSED;
}

/* A wildcard name below a CA that constrains dNSNames? The anchor may be that CA. */
static int
wildcard_check(const STACK_OF(X509) * chain, int depth, struct err *e)
{
    if (!path_has_wildcard(sk_X509_value(chain, depth))) {
        return 0;
    }
    for (int i = depth + 1; i < sk_X509_num(chain); i++) {
        if (path_constrains_dns(sk_X509_value(chain, i))) {
            return err_set(e, ERR_DENIED, "a dNSName with \"*\" below nameConstraints");
        }
    }
    return 0;
}

/* What OpenSSL leaves out, on everything below the anchor (whose form was the operator's choice);
 * the leaf is always checked. */
static enum path_verdict
chain_check(X509_STORE_CTX *ctx, unsigned allow, struct err *e)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    int n = sk_X509_num(chain);

    for (int i = 0; i == 0 || i < n - 1; i++) {
        X509 *certificate = sk_X509_value(chain, i);
        CLEANUP(mem_cleanup) char *subject = NULL;

        if (path_check_certificate(certificate, allow, e) != 0 ||
            wildcard_check(chain, i, e) != 0) {
            subject = name_text(X509_get_subject_name(certificate));
            (void)err_wrap(e, "depth %d, %s", i, subject);
            return PATH_REFUSED;
        }
    }
    return PATH_GOOD;
}

static enum path_verdict
verify(struct run *run, X509 *leaf, struct err *e)
{
    CLEANUP(x509_store_ctx_cleanup) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    if (ctx == NULL || X509_STORE_CTX_init(ctx, run->store, leaf, run->untrusted) != 1 ||
        X509_STORE_CTX_set_app_data(ctx, run) != 1 ||
        parameters_set(X509_STORE_CTX_get0_param(ctx), run) != 0) {
        (void)ossl_err(e, ERR_CRYPTO, "verifier");
        return PATH_FAILED;
    }
    X509_STORE_CTX_set0_crls(ctx, run->crls);
    X509_STORE_CTX_set_verify_cb(ctx, on_error);
    if (X509_verify_cert(ctx) != 1) {
        return refusal(ctx, run, e);
    }
    return run->with_status || !run->with_form ? PATH_GOOD
                                               : chain_check(ctx, run->request->allow, e);
}

/* ---- all of it ---- */

static int
limits_check(X509 *leaf, const struct path_request *request, struct err *e)
{
    if (request->n_untrusted > PATH_UNTRUSTED_MAX) {
        return err_set(e, ERR_DENIED, "more than %d certificates", PATH_UNTRUSTED_MAX);
    }
    if (request->n_crls > PATH_CRLS_MAX) {
        return err_set(e, ERR_DENIED, "more than %d CRLs", PATH_CRLS_MAX);
    }
    if (path_check_limits(leaf, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < request->n_untrusted; i++) {
        if (path_check_limits(request->untrusted[i], e) != 0) {
            return err_wrap(e, "certificate %zu beside it", i + 1);
        }
    }
    return 0;
}

/* The way that OpenSSL takes. */
static enum path_verdict
validate_one(X509 *leaf, const struct path_request *request, bool with_form, struct err *e)
{
    CLEANUP(run_free) struct run run = {.with_form = with_form};
    enum path_verdict verdict;

    if (run_fill(&run, request) != 0) {
        (void)ossl_err(e, ERR_CRYPTO, "verifier");
        return PATH_FAILED;
    }
    verdict = verify(&run, leaf, e);
    if (verdict == PATH_GOOD && request->status != PATH_STATUS_NONE) {
        run.with_status = true;
        verdict = verify(&run, leaf, e);
    }
    return verdict;
}

/* One good way is enough. Else what the first says, unless it led nowhere and another leads to an
 * anchor, or another has a certificate in it that is revoked. */
static enum path_verdict
validate_others(X509 *leaf, const struct path_request *request, bool with_form,
                enum path_verdict first, struct err *e)
{
    const struct path_map map = {.anchors = request->anchors,
                                 .n_anchors = request->n_anchors,
                                 .untrusted = request->untrusted,
                                 .n_untrusted = request->n_untrusted};
    struct path_way ways[PATH_WAYS_MAX];
    size_t n = path_has_choice(&map) ? path_find_ways(leaf, &map, ways) : 0;

    for (size_t i = 0; i < n; i++) {
        struct path_request one = *request;
        struct err why = {0};
        enum path_verdict verdict;

        one.anchors = &ways[i].anchor;
        one.n_anchors = 1;
        one.untrusted = ways[i].middle;
        one.n_untrusted = ways[i].n;
        verdict = validate_one(leaf, &one, with_form, &why);
        if (verdict == PATH_GOOD || verdict == PATH_FAILED) {
            *e = why;
            return verdict;
        }
        if (verdict == PATH_REVOKED || first == PATH_NO_ANCHOR) {
            *e = why;
            first = verdict;
        }
    }
    return first;
}

static enum path_verdict
validate(X509 *leaf, const struct path_request *request, bool with_form, struct err *e)
{
    enum path_verdict verdict;

    if (limits_check(leaf, request, e) != 0) {
        return PATH_REFUSED;
    }
    verdict = validate_one(leaf, request, with_form, e);
    return verdict == PATH_GOOD || verdict == PATH_FAILED
               ? verdict
               : validate_others(leaf, request, with_form, verdict, e);
}

static enum path_verdict
judge(X509 *leaf, const struct path_request *request, struct err *e)
{
    enum path_verdict verdict = validate(leaf, request, true, e);

    if (verdict == PATH_GOOD && path_check_purpose(leaf, request->purpose, e) != 0) {
        verdict = PATH_REFUSED;
    }
    return verdict;
}

/* Nothing is left in OpenSSL's queue for the next who asks it why. */
static enum path_verdict
conclude(enum path_verdict verdict, struct err *e)
{
    ERR_clear_error();
    if (verdict != PATH_GOOD) {
        (void)err_wrap(e, "certification path");
    }
    return verdict;
}

enum path_verdict
path_validate(X509 *leaf, const struct path_request *request, struct err *e)
{
    enum path_verdict verdict = validate(leaf, request, false, e);

    return conclude(verdict, e);
}

enum path_verdict
path_judge(X509 *leaf, const struct path_request *request, struct err *e)
{
    enum path_verdict verdict = judge(leaf, request, e);

    return conclude(verdict, e);
}

int
path_verify(X509 *leaf, const struct path_request *request, struct err *e)
{
    return path_judge(leaf, request, e) == PATH_GOOD ? 0 : -1;
}
