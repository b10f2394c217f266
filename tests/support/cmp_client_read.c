/* SPDX-License-Identifier: Apache-2.0 */
/* What the answers of cmp_client.h say. */
#include "tests/support/cmp_client.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/protection/protect.h"
#include "tests/support/cmp_client_algorithm.h"

DEFINE_CLEANUP(cert_rep_cleanup, CMP_CERT_REP, CMP_CERT_REP_free)
DEFINE_CLEANUP(rev_rep_cleanup, CMP_REV_REP, CMP_REV_REP_free)

void
cmp_client_answer_free(struct cmp_client_answer *a)
{
    buf_free(&a->certificate);
}

static int
verify(const struct cmp_client *c, const struct cmp_msg *msg, X509 *server, struct err *e)
{
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    CLEANUP(x509_cleanup) X509 *signer = NULL;
    enum cmp_failure failure;

    switch (cmp_protection_of(msg)) {
    case CMP_PROTECTION_MAC:
        key = cmp_mac_key_new(cmp_msg_protection_alg(msg), c->secret, &cmp_client_any_count,
                              &failure, e);
        return key == NULL ? -1 : cmp_mac_verify(key, msg, &failure, e);
    case CMP_PROTECTION_SIGNATURE:
        signer = server == NULL ? cmp_msg_signer(msg, e) : NULL;
        if (server == NULL && signer == NULL) {
            return -1;
        }
        return cmp_signature_verify(msg, server != NULL ? server : signer, &failure, e);
    case CMP_UNPROTECTED:
    case CMP_PROTECTION_UNKNOWN:
        break;
    }
    return err_set(e, ERR_CRYPTO, "answer is not protected");
}

static int
read_status(const CMP_STATUS *status, struct cmp_status_info *out, struct err *e)
{
    int64_t value;

    if (!field_int(status->status, &value)) {
        return err_set(e, ERR_INPUT, "status");
    }
    out->status = (enum cmp_status)value;
    for (int i = 0; status->failures != NULL && i < CMP_FAILURE_COUNT; i++) {
        out->failures |= ASN1_BIT_STRING_get_bit(status->failures, i) == 1 ? 1U << (unsigned)i : 0;
    }
    if (sk_ASN1_UTF8STRING_num(status->text) > 0) {
        struct span s = field_span(sk_ASN1_UTF8STRING_value(status->text, 0));

        memcpy(out->text, s.p, s.n < sizeof(out->text) - 1 ? s.n : sizeof(out->text) - 1);
    }
    return 0;
}

static int
read_cert_rep(const struct cmp_msg *msg, struct cmp_client_answer *out, struct err *e)
{
    CLEANUP(cert_rep_cleanup)
    CMP_CERT_REP *rep =
        field_decode(ASN1_ITEM_rptr(CMP_CERT_REP), cmp_msg_content(msg), "CertRepMessage", e);
    const CMP_RESPONSE *r;
    int64_t id;

    if (rep == NULL) {
        return -1;
    }
    if (sk_CMP_RESPONSE_num(rep->responses) != 1) {
        return err_set(e, ERR_INPUT, "not exactly one CertResponse");
    }
    r = sk_CMP_RESPONSE_value(rep->responses, 0);
    if (!field_int(r->cert_req_id, &id) || read_status(r->status, &out->status, e) != 0) {
        return err_set(e, ERR_INPUT, "CertResponse");
    }
    out->cert_req_id = (int)id;
    return r->key_pair == NULL ? 0
                               : buf_set(&out->certificate, field_raw(r->key_pair->certificate), e);
}

static int
read_rp(const struct cmp_msg *msg, struct cmp_client_answer *out, struct err *e)
{
    CLEANUP(rev_rep_cleanup)
    CMP_REV_REP *rep = field_decode(ASN1_ITEM_rptr(CMP_REV_REP), cmp_msg_content(msg), "rp", e);

    if (rep == NULL) {
        return -1;
    }
    if (sk_CMP_STATUS_num(rep->status) != 1) {
        return err_set(e, ERR_INPUT, "rp: not exactly one status");
    }
    return read_status(sk_CMP_STATUS_value(rep->status, 0), &out->status, e);
}

static int
read_pollrep(const struct cmp_msg *msg, struct cmp_client_answer *out, struct err *e)
{
    CMP_POLL_REP *rep =
        field_decode(ASN1_ITEM_rptr(CMP_POLL_REP), cmp_msg_content(msg), "pollRep", e);
    const CMP_POLL_ANSWER *one;
    int64_t id = 0;
    bool ok;

    if (rep == NULL) {
        return -1;
    }
    one = sk_CMP_POLL_ANSWER_value(rep, 0);
    ok = sk_CMP_POLL_ANSWER_num(rep) == 1 && field_int(one->cert_req_id, &id) &&
         field_int(one->check_after, &out->check_after);
    out->cert_req_id = (int)id;
    sk_CMP_POLL_ANSWER_pop_free(rep, CMP_POLL_ANSWER_free);
    return ok ? 0 : err_set(e, ERR_INPUT, "pollRep");
}

int
cmp_client_read_body(const struct cmp_msg *msg, struct cmp_client_answer *out, struct err *e)
{
    enum cmp_failure failure;

    if (out->body == CMP_IP || out->body == CMP_CP || out->body == CMP_KUP) {
        return read_cert_rep(msg, out, e);
    }
    if (out->body == CMP_POLLREP) {
        return read_pollrep(msg, out, e);
    }
    if (out->body == CMP_ERROR) {
        return cmp_error_read(msg, &out->status, &failure, e);
    }
    if (out->body == CMP_RP) {
        return read_rp(msg, out, e);
    }
    return out->body == CMP_PKICONF || out->body == CMP_GENP
               ? 0
               : err_set(e, ERR_INPUT, "answer is a %s", cmp_body_name(out->body));
}

int
cmp_client_read(const struct cmp_client *c, struct span der, X509 *server,
                struct cmp_client_state *state, struct cmp_client_answer *out, struct err *e)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = cmp_msg_parse(der, CMP_MESSAGE_MAX, e);
    struct span nonce;

    *out = (struct cmp_client_answer){.certificate = BUF_INIT(CMP_MESSAGE_MAX)};
    if (msg == NULL) {
        return err_wrap(e, "answer");
    }
    out->body = cmp_msg_body(msg);
    out->implicit_confirm = cmp_msg_implicit_confirm(msg);
    nonce = cmp_msg_sender_nonce(msg);
    if (!span_equal(cmp_msg_transaction_id(msg), span_of(state->transaction_id, CMP_NONCE_SIZE)) ||
        !span_equal(cmp_msg_recip_nonce(msg),
                    span_of(state->sender_nonce, state->sender_nonce_size)) ||
        nonce.n < CMP_NONCE_SIZE) {
        return err_set(e, ERR_INPUT, "answer: transactionID or nonces are not right");
    }
    if (verify(c, msg, server, e) != 0 || cmp_client_read_body(msg, out, e) != 0) {
        return err_wrap(e, "answer");
    }
    memcpy(state->recip_nonce, nonce.p, nonce.n);
    state->recip_nonce_size = nonce.n;
    return 0;
}
