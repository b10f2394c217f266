/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cmp_client.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/field.h"
#include "tests/support/cmp_client_algorithm.h"

enum { SMALL = 2048, EXTRA_MAX = CMP_EXTRA_CERTS_MAX - 1 };

static const EVP_MD *
digest_of(const struct cmp_client *c)
{
    return c->digest != NULL ? c->digest : EVP_sha256();
}

/* certProfile, behind the recipient in the buf that the header borrows from. */
static int
append_profile(const struct cmp_client *c, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf name = BUF_INIT(SMALL);

    if (c->profile == NULL) {
        return 0;
    }
    return der_append(&name, 0x0c, span_str(c->profile), e) != 0
               ? -1
               : der_append(out, DER_SEQUENCE, buf_span(&name), e);
}

int
cmp_client_header(const struct cmp_client *c, struct cmp_header *h, X509_NAME **name,
                  struct buf *recipient, struct err *e)
{
    const ASN1_OCTET_STRING *ski;
    size_t n;

    *recipient = BUF_INIT(CMP_MESSAGE_MAX);
    h->implicit_confirm = c->implicit_confirm;
    if (cmp_general_name(c->recipient, recipient, e) != 0) {
        return -1;
    }
    n = recipient->n;
    if (append_profile(c, recipient, e) != 0) {
        return -1;
    }
    h->recipient = span_of(recipient->p, n);
    if (c->profile != NULL) {
        h->info_oid = "1.3.6.1.5.5.7.4.21";
        h->info_value = span_of(recipient->p + n, recipient->n - n);
    }
    if (c->certificate != NULL) {
        ski = X509_get0_subject_key_id(c->certificate);
        *name = X509_NAME_dup(X509_get_subject_name(c->certificate));
        h->sender_kid = field_span(ski);
    } else {
        *name = X509_NAME_new();
        h->sender_kid = span_str(c->reference);
        if (*name == NULL ||
            X509_NAME_add_entry_by_NID(*name, NID_commonName, MBSTRING_UTF8,
                                       (const unsigned char *)c->reference, -1, -1, 0) != 1) {
            return ossl_err(e, ERR_CRYPTO, "sender");
        }
    }
    h->sender = *name;
    return 0;
}

int
cmp_client_protect(const struct cmp_client *c, struct span part, const struct span *extra,
                   size_t n_extra, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf protection = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct span all[1 + EXTRA_MAX];
    size_t n = 0;

    if (n_extra > EXTRA_MAX) {
        return err_set(e, ERR_INPUT, "more than %d extra certificates", EXTRA_MAX);
    }
    if (c->certificate == NULL) {
        enum cmp_failure failure;
        CLEANUP(cmp_mac_key_cleanup)
        struct cmp_mac_key *key =
            cmp_mac_key_new(c->algorithm, c->secret, &cmp_client_any_count, &failure, e);

        if (key == NULL || cmp_mac_make(key, part, &protection, e) != 0) {
            return -1;
        }
    } else {
        if (OSSL_ENCODE(X509, c->certificate, &der, e) != 0 ||
            cmp_client_sign(c->key, digest_of(c), part, &protection, e) != 0) {
            return -1;
        }
        all[n++] = buf_span(&der);
    }
    for (size_t i = 0; i < n_extra; i++) {
        all[n++] = extra[i];
    }
    return cmp_build_finish(part, buf_span(&protection), all, n, out, e);
}

int
cmp_client_seal(const struct cmp_client *c, const struct cmp_header *header, struct span body,
                struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_header h = *header;

    if (c->certificate != NULL &&
        cmp_client_signature_algorithm(c->key, digest_of(c), &algorithm, e) != 0) {
        return -1;
    }
    h.algorithm = c->certificate != NULL ? buf_span(&algorithm) : c->algorithm;
    if (cmp_build_part(&h, body, &part, e) != 0) {
        return -1;
    }
    return cmp_client_protect(c, buf_span(&part), NULL, 0, out, e);
}

/* Nonces of the state into the header (later messages), or of the header into the state (first). */
int
cmp_client_message(const struct cmp_client *c, bool first, struct span body,
                   struct cmp_client_state *state, struct buf *out, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    struct cmp_header h;

    if (cmp_header_first(&h, e) != 0 || cmp_client_header(c, &h, &name, &recipient, e) != 0) {
        return -1;
    }
    if (c->pvno != 0) {
        h.pvno = c->pvno;
    }
    if (first) {
        h.time = c->no_time ? 0 : c->time != 0 ? c->time : h.time;
        *state = (struct cmp_client_state){0};
        memcpy(state->transaction_id, h.transaction_id.p, CMP_NONCE_SIZE);
    } else {
        h.implicit_confirm = false;
        h.info_oid = NULL;
        h.transaction_id = span_of(state->transaction_id, CMP_NONCE_SIZE);
        h.recip_nonce = span_of(state->recip_nonce, state->recip_nonce_size);
    }
    memcpy(state->sender_nonce, h.sender_nonce.p, h.sender_nonce.n);
    state->sender_nonce_size = h.sender_nonce.n;
    return cmp_client_seal(c, &h, body, out, e);
}

int
cmp_client_rr(const struct cmp_client *c, const X509 *target, int reason,
              struct cmp_client_state *state, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    if (cmp_client_body_rr(X509_get_issuer_name(target), X509_get0_serialNumber(target), reason,
                           &body, e) != 0) {
        return -1;
    }
    return cmp_client_message(c, true, buf_span(&body), state, out, e);
}

int
cmp_client_request(const struct cmp_client *c, enum cmp_body type, EVP_PKEY *key,
                   const X509_NAME *subject, struct cmp_client_state *state, struct buf *out,
                   struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    if (cmp_client_body_request(type, key, subject, &body, e) != 0) {
        return -1;
    }
    return cmp_client_message(c, true, buf_span(&body), state, out, e);
}

int
cmp_client_certconf(const struct cmp_client *c, const X509 *certificate, bool accept,
                    struct cmp_client_state *state, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    if (cmp_client_body_certconf(certificate, accept, &body, e) != 0) {
        return -1;
    }
    return cmp_client_message(c, false, buf_span(&body), state, out, e);
}

int
cmp_client_pollreq(const struct cmp_client *c, int cert_req_id, struct cmp_client_state *state,
                   struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    if (cmp_client_body_pollreq(cert_req_id, &body, e) != 0) {
        return -1;
    }
    return cmp_client_message(c, false, buf_span(&body), state, out, e);
}
