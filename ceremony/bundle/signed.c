/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that was signed is built again from the definition and the facts. */
#include <string.h>

#include "base/validity.h"
#include "ca/x509/csr.h"
#include "ca/x509/lint/lint.h"
#include "ca/x509/signed.h"
#include "ceremony/bundle/steps.h"
#include "ceremony/transcript/fact.h"

/* tbs: exactly the octets that we get. */
static int
take_tbs(struct verifier *v, const char *kind, struct span expected, struct err *e)
{
    CLEANUP(buf_free) struct buf recorded = BUF_INIT(CRL_TBS_MAX);
    const json_t *fact = verifier_take(v, "tbs", e);
    CLEANUP(mem_cleanup) char *hex = NULL;
    uint8_t hash[SHA256_SIZE];

    if (fact == NULL) {
        return -1;
    }
    if (fact_base64(fact, "der", &recorded, e) != 0 || sha256(expected, hash, e) != 0) {
        return verifier_wrap(v, e);
    }
    hex = hex_dup(span_of(hash, sizeof(hash)));
    if (!fact_is(fact, "kind", kind) || !span_equal(buf_span(&recorded), expected) ||
        !fact_is(fact, "sha256", hex)) {
        return verifier_bad(v, e, "is not the %s that the definition and the facts give", kind);
    }
    return 0;
}

static int
take_lint(struct verifier *v, const char *phase, struct err *e)
{
    const json_t *fact = verifier_take(v, "lint", e);

    if (fact == NULL) {
        return -1;
    }
    return fact_is(fact, "phase", phase) && fact_is(fact, "result", "passed")
               ? 0
               : verifier_bad(v, e, "did not pass %s the signature", phase);
}

/* intent and done of one C_Sign over `tbs`. */
static int
take_signature(struct verifier *v, const char *label, struct span tbs, struct err *e)
{
    CLEANUP(mem_cleanup) char *hex = NULL;
    uint8_t hash[SHA256_SIZE];
    const json_t *fact = verifier_take(v, "p11.intent", e);

    if (fact == NULL || sha256(tbs, hash, e) != 0) {
        return -1;
    }
    hex = hex_dup(span_of(hash, sizeof(hash)));
    if (!fact_is(fact, "function", "C_Sign") || !fact_is(fact, "label", label) ||
        !fact_is(fact, "sha256", hex)) {
        return verifier_bad(v, e, "is not a signature of %s over this object", label);
    }
    fact = verifier_take(v, "p11.done", e);
    if (fact == NULL) {
        return -1;
    }
    return fact_is(fact, "function", "C_Sign") && fact_is(fact, "result", "CKR_OK")
               ? 0
               : verifier_bad(v, e, "the signature is not closed");
}

static int
take_sign_prompt(struct verifier *v, struct span tbs, struct err *e)
{
    CLEANUP(mem_cleanup) char *word = NULL;
    uint8_t hash[SHA256_SIZE];

    if (sha256(tbs, hash, e) != 0) {
        return -1;
    }
    word = plan_word_sign(hash);
    return verifier_take_prompt(v, word, e);
}

static int
request(struct verifier *v, size_t i, struct err *e)
{
    const struct key_plan *plan = &v->bundle->definition->keys[i];
    CLEANUP(buf_free) struct buf info = BUF_INIT(CSR_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CSR_MAX);
    CLEANUP(mem_cleanup) char *file = mem_printf("%s.csr.pem", plan->label);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pubkey_parse(buf_span(&v->keys[i].spki), NULL, e);

    if (key == NULL ||
        plan_csr(plan, v->bundle->rehearsal, buf_span(&v->keys[i].spki), &info, e) != 0 ||
        take_tbs(v, "csr", buf_span(&info), e) != 0 ||
        take_signature(v, plan->label, buf_span(&info), e) != 0 ||
        verifier_read_artifact(v, file, "CERTIFICATE REQUEST", &der, e) != 0) {
        return -1;
    }
    return signed_verify(SIGNED_CSR, buf_span(&der), buf_span(&info), key, e) == 0
               ? 0
               : verifier_wrap(v, e);
}

int
verifier_requests(struct verifier *v, struct err *e)
{
    for (size_t i = 0; i < v->bundle->definition->n_keys; i++) {
        if (v->bundle->definition->keys[i].has_subject && request(v, i, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
verifier_incoming(struct verifier *v, struct err *e)
{
    const struct definition *d = v->bundle->definition;
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(CSR_MAX);
    CLEANUP(csr_cleanup) struct csr *csr = NULL;
    CLEANUP(buf_free) struct buf subject = BUF_INIT(NAME_DER_MAX);
    const json_t *fact = verifier_take(v, "request", e);
    struct name expected;
    struct span found;
    uint8_t hash[SHA256_SIZE];

    if (fact == NULL) {
        return -1;
    }
    if (fact_base64(fact, "content", &bytes, e) != 0 || sha256(buf_span(&bytes), hash, e) != 0) {
        return verifier_wrap(v, e);
    }
    if (memcmp(hash, d->csr.sha256, sizeof(hash)) != 0) {
        return verifier_bad(v, e, "is not the file that the definition names by hash");
    }
    csr = csr_parse(buf_span(&bytes), e);
    if (csr == NULL || plan_subject(&d->certificate.subject, v->bundle->rehearsal, &expected, e) ||
        name_encode(&expected, &subject, e) != 0 || name_der(csr_subject(csr), &found, e) != 0) {
        return verifier_wrap(v, e);
    }
    if (!span_equal(found, buf_span(&subject))) {
        return verifier_bad(v, e, "its subject is not the definition's");
    }
    return buf_set(&v->subject_spki, csr_spki(csr), e);
}

/* By OpenSSL's own path validation, besides ours. */
static int
check_chain(struct verifier *v, X509 *certificate, struct err *e)
{
    CLEANUP(x509_store_cleanup) X509_STORE *store = X509_STORE_new();
    CLEANUP(x509_store_ctx_cleanup) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509 *root = v->bundle->after.root;

    if (store == NULL || ctx == NULL || X509_STORE_add_cert(store, root) != 1 ||
        X509_STORE_CTX_init(ctx, store, certificate, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "X509_STORE");
    }
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    X509_STORE_CTX_set_time(ctx, 0, v->bundle->circumstances.now);
    X509_STORE_CTX_set_verify_cb(ctx, validity_on_verify);
    if (X509_verify_cert(ctx) != 1) {
        return verifier_bad(v, e, "does not verify: %s",
                            X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    return 0;
}

static int
check_certificate(struct verifier *v, const struct tbs_request *plan, struct span tbs,
                  struct span der, struct err *e)
{
    struct bundle *b = v->bundle;
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse(der, e);
    X509 *issuer = plan->issuer == NULL ? certificate : plan->issuer;

    if (certificate == NULL || lint_tbs(tbs, plan, e) != 0 ||
        signed_verify(SIGNED_CERTIFICATE, der, tbs, X509_get0_pubkey(issuer), e) != 0) {
        return verifier_wrap(v, e);
    }
    if (plan->issuer == NULL) {
        b->after.root = certificate;
        certificate = NULL;
        memcpy(b->after.key_id, v->keys[0].id, sizeof(b->after.key_id));
        memcpy(b->after.token_label, b->definition->token.label, sizeof(b->after.token_label));
        memcpy(b->after.token_serial, v->token_serial, sizeof(b->after.token_serial));
        return check_chain(v, b->after.root, e);
    }
    if (state_add_issued(&b->after, plan->serial, plan->spki, plan->not_after, e) != 0) {
        return verifier_wrap(v, e);
    }
    return check_chain(v, certificate, e);
}

int
verifier_certificate(struct verifier *v, struct err *e)
{
    const struct bundle *b = v->bundle;
    bool root = b->definition->type == ROOT_GENERATE;
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(TBS_MAX + SIGNED_OVERHEAD);
    struct tbs_request plan;
    struct name subject;

    if (plan_certificate(b->definition, &b->circumstances, root ? NULL : b->before.root,
                         root ? buf_span(&v->keys[0].spki) : buf_span(&v->subject_spki), &subject,
                         &plan, e) != 0 ||
        tbs_build(&plan, &tbs, e) != 0) {
        return verifier_wrap(v, e);
    }
    if (take_tbs(v, "certificate", buf_span(&tbs), e) != 0 || take_lint(v, "before", e) != 0 ||
        take_sign_prompt(v, buf_span(&tbs), e) != 0 ||
        take_signature(v, root ? b->definition->keys[0].label : "root", buf_span(&tbs), e) != 0 ||
        take_lint(v, "after", e) != 0 ||
        verifier_read_artifact(v, root ? "root.cert.pem" : "issuing.cert.pem", "CERTIFICATE", &der,
                               e) != 0) {
        return -1;
    }
    return check_certificate(v, &plan, buf_span(&tbs), buf_span(&der), e);
}

int
verifier_crl(struct verifier *v, struct err *e)
{
    struct bundle *b = v->bundle;
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_TBS_MAX + SIGNED_OVERHEAD);
    struct crl_request plan;

    if (plan_crl(b->definition, &b->circumstances, &b->after, &plan, e) != 0 ||
        crl_build(&plan, &tbs, e) != 0) {
        return verifier_wrap(v, e);
    }
    if (take_tbs(v, "crl", buf_span(&tbs), e) != 0 || take_lint(v, "before", e) != 0 ||
        take_sign_prompt(v, buf_span(&tbs), e) != 0 ||
        take_signature(v, "root", buf_span(&tbs), e) != 0 || take_lint(v, "after", e) != 0 ||
        verifier_read_artifact(v, "root.crl.der", "DER", &der, e) != 0 ||
        verifier_take_artifact(v, "root.crl.pem", "X509 CRL", buf_span(&der), e) != 0) {
        return -1;
    }
    if (crl_lint(buf_span(&tbs), &plan, e) != 0 ||
        signed_verify(SIGNED_CRL, buf_span(&der), buf_span(&tbs), X509_get0_pubkey(b->before.root),
                      e) != 0) {
        return verifier_wrap(v, e);
    }
    return 0;
}
