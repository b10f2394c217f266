/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every signature goes the same way: TBS built, linted under a throw-away key, recorded, read back
 * by its hash, intent, C_Sign, verified in software, compared octet for octet, linted again.
 */
#include <string.h>

#include "base/file.h"
#include "ca/x509/csr.h"
#include "ca/x509/signed.h"
#include "ceremony/run/dummy.h"
#include "ceremony/run/run.h"

/* CKA_ALWAYS_AUTHENTICATE: the PIN once more, for this one signature (BR 4.3.1.1: a direct command
 * for each signature of a root). */
static int
pin_for_signature(void *context, struct buf *pin, struct err *e)
{
    struct run *r = context;

    if (r->rehearsal) {
        return buf_set(pin, buf_span(&r->pin), e);
    }
    return desk_secret(&r->desk, "User PIN, for this one signature", pin, e);
}

static int
record_tbs(struct run *r, const char *kind, struct span tbs, uint8_t hash[SHA256_SIZE],
           struct err *e)
{
    if (sha256(tbs, hash, e) != 0) {
        return -1;
    }
    return run_record(r,
                      json_pack("{s:s,s:s,s:o,s:o}", "type", "tbs", "kind", kind, "der",
                                fact_of_base64(tbs), "sha256",
                                fact_of_hex(span_of(hash, SHA256_SIZE))),
                      e);
}

static int
record_lint(struct run *r, const char *phase, struct err *e)
{
    desk_say(&r->desk, "  linter: passed %s the signature\n", phase);
    return run_record(
        r, json_pack("{s:s,s:s,s:s}", "type", "lint", "phase", phase, "result", "passed"), e);
}

/* `der` gets the signed object: verified under the key, its TBS the very octets that were shown. */
static int
sign(struct run *r, struct key *key, const char *label, enum signed_kind kind, struct span tbs,
     const uint8_t hash[SHA256_SIZE], struct buf *der, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);

    key_set_pin_source(key, pin_for_signature, r);
    if (run_intent(r, "C_Sign",
                   json_pack("{s:s,s:o}", "label", label, "sha256",
                             fact_of_hex(span_of(hash, SHA256_SIZE))),
                   e) != 0) {
        return -1;
    }
    r->left = LEFT_SIGN_OPEN;
    if (key_sign(key, tbs, &signature, e) != 0 ||
        run_done(r, "C_Sign", json_pack("{s:s}", "label", label), e) != 0) {
        return -1;
    }
    r->left = LEFT_UNCHECKED;
    if (signed_assemble(kind, tbs, buf_span(&signature), key_get_public(key), der, e) != 0) {
        return -1;
    }
    return signed_verify(kind, buf_span(der), tbs, key_get_public(key), e);
}

static int
confirm_signature(struct run *r, const char *what, const uint8_t hash[SHA256_SIZE], struct err *e)
{
    CLEANUP(mem_cleanup) char *word = plan_word_sign(hash);
    CLEANUP(mem_cleanup)
    char *question =
        mem_printf("Administrator, read to the witness: type '%s' to sign the %s.", word, what);

    return run_confirm(r, question, word, e);
}

/* ---- certificate requests ---------------------------------------------------------------------
 */

static int
make_request(struct run *r, size_t i, struct err *e)
{
    const struct key_plan *plan = &r->d->keys[i];
    const struct key_policy *policy = key_policy_find(plan->attributes, e);
    CLEANUP(mem_cleanup) char *file = mem_printf("%s.csr.pem", plan->label);
    CLEANUP(buf_free) struct buf info = BUF_INIT(CSR_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CSR_MAX + SIGNED_OVERHEAD);
    CLEANUP(key_cleanup) struct key *key = NULL;
    CLEANUP(csr_cleanup) struct csr *csr = NULL;
    uint8_t hash[SHA256_SIZE];

    if (policy == NULL || plan_csr(plan, r->rehearsal, buf_span(&r->keys[i].spki), &info, e) != 0 ||
        record_tbs(r, "csr", buf_span(&info), hash, e) != 0) {
        return -1;
    }
    key = key_find(r->session, policy, span_of(r->keys[i].id, KEY_ID_SIZE),
                   buf_span(&r->keys[i].spki), e);
    if (key == NULL || sign(r, key, plan->label, SIGNED_CSR, buf_span(&info), hash, &der, e) != 0) {
        return -1;
    }
    /* As the other side will read it. */
    csr = csr_parse(buf_span(&der), e);
    return csr == NULL ? -1 : run_artifact(r, file, "CERTIFICATE REQUEST", buf_span(&der), e);
}

int
run_requests(struct run *r, struct err *e)
{
    for (size_t i = 0; i < r->d->n_keys; i++) {
        if (r->d->keys[i].has_subject && make_request(r, i, e) != 0) {
            return err_wrap(e, "key %s", r->d->keys[i].label);
        }
    }
    r->left = LEFT_WORK_DONE;
    return 0;
}

int
run_read_request(const struct definition *d, bool rehearsal, struct buf *bytes, struct buf *spki,
                 struct err *e)
{
    CLEANUP(csr_cleanup) struct csr *csr = NULL;
    CLEANUP(buf_free) struct buf subject = BUF_INIT(NAME_DER_MAX);
    struct name expected;
    struct span found;
    uint8_t hash[SHA256_SIZE];

    if (file_read(d->csr.file, bytes, e) != 0 || sha256(buf_span(bytes), hash, e) != 0) {
        return -1;
    }
    if (memcmp(hash, d->csr.sha256, sizeof(hash)) != 0) {
        return err_set(e, ERR_DENIED, "csr.sha256: %s is another file than the definition names",
                       d->csr.file);
    }
    csr = csr_parse(buf_span(bytes), e);
    if (csr == NULL || plan_subject(&d->certificate.subject, rehearsal, &expected, e) != 0 ||
        name_encode(&expected, &subject, e) != 0 || name_der(csr_subject(csr), &found, e) != 0) {
        return err_wrap(e, "%s", d->csr.file);
    }
    if (!span_equal(found, buf_span(&subject))) {
        CLEANUP(mem_cleanup) char *text = name_text(csr_subject(csr));

        return err_set(e, ERR_DENIED, "%s: its subject %.200s is not the definition's", d->csr.file,
                       text);
    }
    return buf_set(spki, csr_spki(csr), e);
}

int
run_incoming(struct run *r, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(CSR_MAX);

    if (run_read_request(r->d, r->rehearsal, &bytes, &r->subject_spki, e) != 0) {
        return -1;
    }
    desk_say(&r->desk, "  request %s: possession of the key is proven\n", r->d->csr.file);
    return run_record(r,
                      json_pack("{s:s,s:s,s:o}", "type", "request", "file", r->d->csr.file,
                                "content", fact_of_base64(buf_span(&bytes))),
                      e);
}

/* ---- certificates -----------------------------------------------------------------------------
 */

static struct key *
signing_key(struct run *r, struct err *e)
{
    const struct key_policy *policy = key_policy_find("root-signing-v1", e);

    if (r->d->type != ROOT_GENERATE) {
        return run_find_root(r, e);
    }
    return policy == NULL ? NULL
                          : key_find(r->session, policy, span_of(r->keys[0].id, KEY_ID_SIZE),
                                     buf_span(&r->keys[0].spki), e);
}

/* The register gets the certificate when it is intended: a signature that might exist is never
 * forgotten. */
static int
register_certificate(struct run *r, const struct tbs_request *plan, struct err *e)
{
    if (plan->issuer == NULL) {
        return 0;
    }
    return state_add_issued(&r->state, plan->serial, plan->spki, plan->not_after, e);
}

static int
register_root(struct run *r, struct span der, struct err *e)
{
    r->state.root = certificate_parse(der, e);
    if (r->state.root == NULL) {
        return -1;
    }
    memcpy(r->state.key_id, r->keys[0].id, sizeof(r->state.key_id));
    memcpy(r->state.token_label, r->d->token.label, sizeof(r->state.token_label));
    memcpy(r->state.token_serial, r->serial, sizeof(r->state.token_serial));
    return 0;
}

int
run_certificate(struct run *r, struct err *e)
{
    bool root = r->d->type == ROOT_GENERATE;
    const char *file = root ? "root.cert.pem" : "issuing.cert.pem";
    CLEANUP(key_cleanup) struct key *key = signing_key(r, e);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(TBS_MAX + SIGNED_OVERHEAD);
    struct span spki = root ? buf_span(&r->keys[0].spki) : buf_span(&r->subject_spki);
    struct tbs_request plan;
    struct name subject;
    uint8_t hash[SHA256_SIZE];

    if (key == NULL ||
        plan_certificate(r->d, &r->circumstances, root ? NULL : r->state.root, spki, &subject,
                         &plan, e) != 0 ||
        tbs_build(&plan, &tbs, e) != 0 ||
        dummy_lint_certificate(buf_span(&tbs), &plan, key_get_public(key), e) != 0 ||
        register_certificate(r, &plan, e) != 0 ||
        record_tbs(r, "certificate", buf_span(&tbs), hash, e) != 0 ||
        record_lint(r, "before", e) != 0) {
        return -1;
    }
    desk_say(&r->desk, "  subject C=%s, O=%s, CN=%s\n", subject.country, subject.organization,
             subject.common_name);
    if (confirm_signature(r, "certificate", hash, e) != 0 ||
        sign(r, key, root ? r->d->keys[0].label : "root", SIGNED_CERTIFICATE, buf_span(&tbs), hash,
             &der, e) != 0 ||
        lint_tbs(buf_span(&tbs), &plan, e) != 0 || record_lint(r, "after", e) != 0 ||
        run_artifact(r, file, "CERTIFICATE", buf_span(&der), e) != 0 ||
        (root && register_root(r, buf_span(&der), e) != 0)) {
        return -1;
    }
    r->left = LEFT_WORK_DONE;
    return 0;
}

/* ---- CRL --------------------------------------------------------------------------------------
 */

int
run_crl(struct run *r, struct err *e)
{
    CLEANUP(key_cleanup) struct key *key = signing_key(r, e);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_TBS_MAX + SIGNED_OVERHEAD);
    struct crl_request plan;
    uint8_t hash[SHA256_SIZE];

    if (key == NULL || plan_crl(r->d, &r->circumstances, &r->state, &plan, e) != 0 ||
        crl_build(&plan, &tbs, e) != 0 ||
        dummy_lint_crl(buf_span(&tbs), &plan, key_get_public(key), e) != 0 ||
        record_tbs(r, "crl", buf_span(&tbs), hash, e) != 0 || record_lint(r, "before", e) != 0) {
        return -1;
    }
    desk_say(&r->desk, "  CRL number %llu, %zu entries\n", (unsigned long long)plan.number,
             plan.n_entries);
    if (confirm_signature(r, "CRL", hash, e) != 0 ||
        sign(r, key, "root", SIGNED_CRL, buf_span(&tbs), hash, &der, e) != 0 ||
        crl_lint(buf_span(&tbs), &plan, e) != 0 || record_lint(r, "after", e) != 0 ||
        run_artifact(r, "root.crl.der", "DER", buf_span(&der), e) != 0 ||
        run_artifact(r, "root.crl.pem", "X509 CRL", buf_span(&der), e) != 0) {
        return -1;
    }
    r->left = LEFT_WORK_DONE;
    return 0;
}
