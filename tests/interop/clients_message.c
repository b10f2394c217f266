/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/interop/clients_message.h"

#include "base/mem.h"
#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/protection/check.h"
#include "tests/support/der_edit.h"

void
client_transaction_begin(struct client_transaction *t)
{
    struct err e = {0};

    *t = (struct client_transaction){.recip_nonce = BUF_INIT(CMP_NONCE_MAX)};
    verdict_must(random_bytes(t->id, sizeof(t->id), &e), "random", &e);
    verdict_must(random_bytes(t->nonce, sizeof(t->nonce), &e), "random", &e);
}

void
client_transaction_end(struct client_transaction *t)
{
    buf_free(&t->recip_nonce);
    X509_free(t->certificate);
    *t = (struct client_transaction){0};
}

/* extraCerts are covered by no protection: another certificate is put before the first. */
static void
put_before(const struct client_run *r, struct buf *message)
{
    CLEANUP(buf_free) struct buf changed = BUF_INIT(CLIENT_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf both = BUF_INIT(CLIENT_MESSAGE_MAX);
    struct err e = {0};

    verdict_must(OSSL_ENCODE(X509, r->issuing, &both, &e), "issuing", &e);
    verdict_must(buf_append(&both, der_at(buf_span(message), "3.0.0"), &e), "extraCerts", &e);
    verdict_must(der_edit(buf_span(message), "3.0.0", buf_span(&both), &changed, &e), "extraCerts",
                 &e);
    buf_move(message, &changed);
}

void
client_make(const struct client_run *r, const struct cmp_client *as, const struct client_quirk *q,
            struct span body, struct client_transaction *t, struct buf *message)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    struct cmp_client client = *as;
    struct cmp_header h;
    struct err e = {0};

    client.recipient = q->recipient;
    verdict_must(cmp_header_first(&h, &e), "header", &e);
    verdict_must(cmp_client_header(&client, &h, &name, &recipient, &e), "header", &e);
    h.transaction_id = span_of(t->id, q->id_size == 0 ? CMP_NONCE_SIZE : q->id_size);
    h.sender_nonce = span_of(t->nonce, q->nonce_size == 0 ? CMP_NONCE_SIZE : q->nonce_size);
    h.recip_nonce = buf_span(&t->recip_nonce);
    h.sender_kid = q->no_kid ? span_of(NULL, 0) : h.sender_kid;
    h.time = q->no_time ? 0 : h.time;
    h.info_oid = q->info;
    h.info_value = q->value;
    h.implicit_confirm = q->implicit;
    h.confirm_wait = q->wait;
    h.pvno = q->pvno == 0 ? CMP_PVNO_2000 : q->pvno;
    if (q->spoilt) {
        client.secret = SPAN_LITERAL("a guess");
        client.key = r->key;
    }
    verdict_must(cmp_client_seal(&client, &h, body, message, &e), "seal", &e);
    if (q->ca_first) {
        put_before(r, message);
    }
}

/* "ip", "error badAlg", "ip grantedWithMods": what it says; the nonce goes on. */
static void
read_answer(const char *what, struct span octets, const struct client_quirk *q,
            struct client_transaction *t, struct buf *said)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *m = NULL;
    CLEANUP(cmp_client_answer_free)
    struct cmp_client_answer answer = {.certificate = BUF_INIT(CMP_MESSAGE_MAX)};
    struct err e = {0};

    m = cmp_msg_parse(octets, CMP_MESSAGE_MAX, &e);
    if (m == NULL) {
        verdict_stop(what, "the answer is no CMP message");
    }
    verdict_read(what, m, &answer, said);
    if (answer.certificate.n == 0) {
        return;
    }
    if (answer.cert_req_id != q->cert_req_id) {
        verdict_must(buf_append_str(said, " with another certReqId", &e), what, &e);
    }
    if (!span_equal(cmp_msg_recip_nonce(m),
                    span_of(t->nonce, q->nonce_size == 0 ? CMP_NONCE_SIZE : q->nonce_size)) ||
        !span_equal(cmp_msg_transaction_id(m),
                    span_of(t->id, q->id_size == 0 ? CMP_NONCE_SIZE : q->id_size))) {
        verdict_must(buf_append_str(said, " of another transaction", &e), what, &e);
    }
    if (cmp_msg_implicit_confirm(m)) {
        verdict_must(buf_append_str(said, " confirmed", &e), what, &e);
    }
    verdict_must(buf_set(&t->recip_nonce, cmp_msg_sender_nonce(m), &e), what, &e);
    X509_free(t->certificate);
    t->certificate = certificate_parse(buf_span(&answer.certificate), &e);
}

void
client_expect(struct client_run *r, struct http_client *to, const char *what, const char *wanted,
              struct span message, const struct client_quirk *q, struct client_transaction *t)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CLIENT_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT(1024);
    CLEANUP(mem_cleanup)
    char *row = mem_printf("%s, %s", to == &r->old ? "rfc4210" : "rfc9483", what);
    struct err e = {0};
    int status = 0;

    verdict_must(http_client_post(to, r->path, message, &status, &body, &e), what, &e);
    read_answer(what, buf_span(&body), q, t, &said);
    verdict_compare(&r->verdict, row, wanted, buf_span(&said));
}

void
client_say(struct client_run *r, struct http_client *to, const struct cmp_client *as,
           const struct client_quirk *q, struct span body, struct client_transaction *t,
           const char *what, const char *wanted)
{
    CLEANUP(buf_free) struct buf message = BUF_INIT(CLIENT_MESSAGE_MAX);

    client_make(r, as, q, body, t, &message);
    client_expect(r, to, what, wanted, buf_span(&message), q, t);
}

void
client_body_of_request(const struct client_run *r, const struct cmp_client *as,
                       const struct client_quirk *q, struct buf *body)
{
    const struct cmp_client_wish wish = {.subject = r->subject, .cert_req_id = q->cert_req_id};
    struct err e = {0};

    verdict_must(cmp_client_body_wish(CMP_IR, as->certificate != NULL ? r->signed_key : r->key,
                                      &wish, body, &e),
                 "request", &e);
}

void
client_ask(struct client_run *r, struct http_client *to, const struct cmp_client *as,
           const struct client_quirk *q, const char *what, const char *wanted)
{
    CLEANUP(client_transaction_end) struct client_transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    client_transaction_begin(&t);
    client_body_of_request(r, as, q, &body);
    client_say(r, to, as, q, buf_span(&body), &t, what, wanted);
}

void
client_certconf_body(const struct client_transaction *t, const struct client_quirk *q,
                     struct buf *body)
{
    CLEANUP(buf_free) struct buf id = BUF_INIT(16);
    CLEANUP(buf_free) struct buf changed = BUF_INIT(CMP_MESSAGE_MAX);
    const uint8_t octet = (uint8_t)q->cert_req_id;
    struct err e = {0};

    verdict_must(cmp_client_body_certconf(t->certificate, true, body, &e), "certConf", &e);
    verdict_must(der_append(&id, DER_INTEGER, span_of(&octet, 1), &e), "certReqId", &e);
    verdict_must(der_edit(buf_span(body), "0.0.1", buf_span(&id), &changed, &e), "certReqId", &e);
    buf_move(body, &changed);
}

void
client_enrol(struct client_run *r, struct http_client *to, const struct cmp_client *as,
             const struct client_quirk *q, const char *what)
{
    CLEANUP(client_transaction_end) struct client_transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    client_transaction_begin(&t);
    client_body_of_request(r, as, q, &body);
    client_say(r, to, as, q, buf_span(&body), &t, what, "ip");
    if (t.certificate != NULL) {
        CLEANUP(mem_cleanup) char *confirms = mem_printf("%s, certConf", what);

        client_certconf_body(&t, q, &body);
        client_say(r, to, as, q, buf_span(&body), &t, confirms, "pkiConf");
    }
}
