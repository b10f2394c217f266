/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clients HOST PORT OLD_PORT PATH CREDENTIALS
 *
 * What other people's clients send and no client of ours would: gencmpclient, CmpRaComponent's and
 * base stations that know RFC 4210 alone, each message made as theirs were. PORT is a listener of
 * cmp_strictness "rfc9483", with message_time_required, OLD_PORT one of "rfc4210". What the former
 * refuses and the latter takes is refused there, too, when its protection is wrong. Prints each and
 * ends with 1 when an answer is not as it should be.
 * CREDENTIALS is a folder with mac.{reference,secret}, registered; pinned.{pem,key} and
 * second.{pem,key}, registered by certificate; held.{pem,key}, issued to a network function;
 * ra.pem, issuing.pem.
 */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/ossl.h"
#include "ca/cmp/check.h"
#include "ca/cmp/der.h"
#include "tests/support/cmp_client.h"
#include "tests/support/der_edit.h"
#include "tests/support/http_client.h"

enum { TIMEOUT_MS = 60000, PBM_COUNT = 500, MESSAGE_MAX = 128 * 1024, OLD_ID = 7 };

struct run {
    struct http_client strict;
    struct http_client old;
    const char *path;
    struct cmp_client mac;
    struct cmp_client pinned;
    struct cmp_client second;
    struct cmp_client held;
    X509 *ra;
    X509 *issuing;
    EVP_PKEY *key;        /* to be certified, of who has the secret */
    EVP_PKEY *signed_key; /* and of who signs: a key has one owner */
    X509_NAME *subject;
    struct buf algorithm;
    char *texts[2];
    int wrong;
    int count;
};

_Noreturn static void
stop(const char *what, const char *why)
{
    (void)fprintf(stderr, "clients: %s: %s\n", what, why);
    (void)fflush(NULL);
    _Exit(1);
}

static void
must(int result, const char *what, const struct err *e)
{
    if (result != 0) {
        stop(what, e->text);
    }
}

/* ---- one message ---- */

/* What is otherwise than in a message of ours. */
struct quirk {
    size_t id_size;             /* of transactionID; 0: 16 */
    size_t nonce_size;          /* of senderNonce; 0: 16 */
    bool no_kid;                /* no senderKID */
    bool no_time;               /* no messageTime */
    bool ca_first;              /* another certificate before the protection certificate */
    int cert_req_id;            /* of CertRequest and certConf */
    const char *info;           /* a generalInfo entry; NULL: none */
    struct span value;          /* its value; may be empty */
    bool implicit;              /* implicitConfirm as it should be */
    time_t wait;                /* confirmWaitTime */
    int pvno;                   /* 0: 2 */
    const X509_NAME *recipient; /* NULL: the NULL-DN */
    bool spoilt;                /* the protection is wrong */
};

/* A transaction; its nonces are as long as the quirk has them. */
struct transaction {
    uint8_t id[CMP_NONCE_SIZE];
    uint8_t nonce[CMP_NONCE_MAX + 1];
    struct buf recip_nonce;
    X509 *certificate;
};

static void
transaction_begin(struct transaction *t)
{
    struct err e = {0};

    *t = (struct transaction){.recip_nonce = BUF_INIT(CMP_NONCE_MAX)};
    must(random_bytes(t->id, sizeof(t->id), &e), "random", &e);
    must(random_bytes(t->nonce, sizeof(t->nonce), &e), "random", &e);
}

static void
transaction_end(struct transaction *t)
{
    buf_free(&t->recip_nonce);
    X509_free(t->certificate);
    *t = (struct transaction){0};
}

/* extraCerts are covered by no protection: another certificate is put before the first. */
static void
put_before(const struct run *r, struct buf *message)
{
    CLEANUP(buf_free) struct buf changed = BUF_INIT(MESSAGE_MAX);
    CLEANUP(buf_free) struct buf both = BUF_INIT(MESSAGE_MAX);
    struct err e = {0};

    must(OSSL_ENCODE(X509, r->issuing, &both, &e), "issuing", &e);
    must(buf_append(&both, der_at(buf_span(message), "3.0.0"), &e), "extraCerts", &e);
    must(der_edit(buf_span(message), "3.0.0", buf_span(&both), &changed, &e), "extraCerts", &e);
    buf_move(message, &changed);
}

static void
make(const struct run *r, const struct cmp_client *as, const struct quirk *q, struct span body,
     struct transaction *t, struct buf *message)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    struct cmp_client client = *as;
    struct cmp_header h;
    struct err e = {0};

    client.recipient = q->recipient;
    must(cmp_header_first(&h, &e), "header", &e);
    must(cmp_client_header(&client, &h, &name, &recipient, &e), "header", &e);
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
    must(cmp_client_seal(&client, &h, body, message, &e), "seal", &e);
    if (q->ca_first) {
        put_before(r, message);
    }
}

/* "ip", "error badAlg", "ip grantedWithMods": what it says; the nonce goes on. */
static void
read_answer(const char *what, struct span octets, const struct quirk *q, struct transaction *t,
            struct buf *said)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *m = NULL;
    CLEANUP(cmp_client_answer_free)
    struct cmp_client_answer answer = {.certificate = BUF_INIT(CMP_MESSAGE_MAX)};
    struct err e = {0};

    m = cmp_msg_parse(octets, CMP_MESSAGE_MAX, &e);
    if (m == NULL) {
        stop(what, "the answer is no CMP message");
    }
    answer.body = cmp_msg_body(m);
    must(buf_append_str(said, cmp_body_name(answer.body), &e), what, &e);
    must(cmp_client_read_body(m, &answer, &e), what, &e);
    for (int bit = 0; bit < CMP_FAILURE_COUNT; bit++) {
        if ((answer.status.failures >> bit & 1U) != 0) {
            must(buf_append_str(said, " ", &e), what, &e);
            must(buf_append_str(said, cmp_failure_name((enum cmp_failure)bit), &e), what, &e);
        }
    }
    if (answer.certificate.n == 0) {
        return;
    }
    if (answer.cert_req_id != q->cert_req_id) {
        must(buf_append_str(said, " with another certReqId", &e), what, &e);
    }
    if (!span_equal(cmp_msg_recip_nonce(m),
                    span_of(t->nonce, q->nonce_size == 0 ? CMP_NONCE_SIZE : q->nonce_size)) ||
        !span_equal(cmp_msg_transaction_id(m),
                    span_of(t->id, q->id_size == 0 ? CMP_NONCE_SIZE : q->id_size))) {
        must(buf_append_str(said, " of another transaction", &e), what, &e);
    }
    if (cmp_msg_implicit_confirm(m)) {
        must(buf_append_str(said, " confirmed", &e), what, &e);
    }
    must(buf_set(&t->recip_nonce, cmp_msg_sender_nonce(m), &e), what, &e);
    X509_free(t->certificate);
    t->certificate = certificate_parse(buf_span(&answer.certificate), &e);
}

static void
expect(struct run *r, struct http_client *to, const char *what, const char *wanted,
       struct span message, const struct quirk *q, struct transaction *t)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(MESSAGE_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT(1024);
    const char *where = to == &r->old ? "rfc4210" : "rfc9483";
    struct err e = {0};
    int status = 0;

    must(http_client_post(to, r->path, message, &status, &body, &e), what, &e);
    read_answer(what, buf_span(&body), q, t, &said);
    r->count++;
    if (!span_equal(buf_span(&said), span_str(wanted))) {
        r->wrong++;
        (void)printf("WRONG: %s, %s: %.*s, not %s\n", where, what, (int)said.n,
                     (const char *)said.p, wanted);
    } else {
        (void)printf("ok: %s, %s: %s\n", where, what, wanted);
    }
}

/* A message with this body; the first of a transaction, or the next one in `t`. */
static void
say(struct run *r, struct http_client *to, const struct cmp_client *as, const struct quirk *q,
    struct span body, struct transaction *t, const char *what, const char *wanted)
{
    CLEANUP(buf_free) struct buf message = BUF_INIT(MESSAGE_MAX);

    make(r, as, q, body, t, &message);
    expect(r, to, what, wanted, buf_span(&message), q, t);
}

static void
body_of_request(const struct run *r, const struct cmp_client *as, const struct quirk *q,
                struct buf *body)
{
    const struct cmp_client_wish wish = {.subject = r->subject, .cert_req_id = q->cert_req_id};
    struct err e = {0};

    must(cmp_client_body_wish(CMP_IR, as->certificate != NULL ? r->signed_key : r->key, &wish, body,
                              &e),
         "request", &e);
}

/* A first message alone. */
static void
ask(struct run *r, struct http_client *to, const struct cmp_client *as, const struct quirk *q,
    const char *what, const char *wanted)
{
    CLEANUP(transaction_end) struct transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    transaction_begin(&t);
    body_of_request(r, as, q, &body);
    say(r, to, as, q, buf_span(&body), &t, what, wanted);
}

static void
certconf_body(const struct transaction *t, const struct quirk *q, struct buf *body)
{
    CLEANUP(buf_free) struct buf id = BUF_INIT(16);
    CLEANUP(buf_free) struct buf changed = BUF_INIT(CMP_MESSAGE_MAX);
    const uint8_t octet = (uint8_t)q->cert_req_id;
    struct err e = {0};

    must(cmp_client_body_certconf(t->certificate, true, body, &e), "certConf", &e);
    must(der_append(&id, DER_INTEGER, span_of(&octet, 1), &e), "certReqId", &e);
    must(der_edit(buf_span(body), "0.0.1", buf_span(&id), &changed, &e), "certReqId", &e);
    buf_move(body, &changed);
}

/* An ir and its certConf. */
static void
enrol(struct run *r, struct http_client *to, const struct cmp_client *as, const struct quirk *q,
      const char *what)
{
    CLEANUP(transaction_end) struct transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    transaction_begin(&t);
    body_of_request(r, as, q, &body);
    say(r, to, as, q, buf_span(&body), &t, what, "ip");
    if (t.certificate != NULL) {
        CLEANUP(mem_cleanup) char *confirms = mem_printf("%s, certConf", what);

        certconf_body(&t, q, &body);
        say(r, to, as, q, buf_span(&body), &t, confirms, "pkiConf");
    }
}

/* ---- base stations ---- */

static void
check_old(struct run *r)
{
    const struct {
        const char *what;
        const struct cmp_client *as;
        struct quirk quirk;
        const char *strict;
        const char *once; /* the answer when nothing is to be confirmed; NULL: certConf follows */
    } rows[] = {
        {"transactionID of 8 octets", &r->mac, {.id_size = 8}, "error badDataFormat", NULL},
        {"senderNonce of 8 octets", &r->mac, {.nonce_size = 8}, "error badSenderNonce", NULL},
        {"both, signed", &r->pinned, {.id_size = 8, .nonce_size = 8}, "error badDataFormat", NULL},
        {"certReqId 7", &r->mac, {.cert_req_id = OLD_ID}, "ip badRequest", NULL},
        {"certReqId 7, signed", &r->pinned, {.cert_req_id = OLD_ID}, "ip badRequest", NULL},
        {"the CA's certificate first",
         &r->pinned,
         {.ca_first = true},
         "error badMessageCheck",
         NULL},
        {"no senderKID", &r->pinned, {.no_kid = true}, "error badMessageCheck", NULL},
        {"neither of them",
         &r->pinned,
         {.no_kid = true, .ca_first = true},
         "error badMessageCheck",
         NULL},
        {"implicitConfirm without NULL",
         &r->mac,
         {.info = CMP_OID_IMPLICIT_CONFIRM},
         "error badDataFormat",
         "ip confirmed"},
        {"no messageTime", &r->mac, {.no_time = true}, "error badTime", NULL},
        {"all of it",
         &r->pinned,
         {.id_size = 8,
          .nonce_size = 8,
          .no_kid = true,
          .no_time = true,
          .ca_first = true,
          .cert_req_id = OLD_ID},
         "error badDataFormat",
         NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *forged = mem_printf("%s, forged", rows[i].what);
        struct quirk spoilt = rows[i].quirk;

        spoilt.spoilt = true;
        ask(r, &r->strict, rows[i].as, &rows[i].quirk, rows[i].what, rows[i].strict);
        ask(r, &r->old, rows[i].as, &spoilt, forged, "error badMessageCheck");
        if (rows[i].once != NULL) {
            ask(r, &r->old, rows[i].as, &rows[i].quirk, rows[i].what, rows[i].once);
        } else {
            enrol(r, &r->old, rows[i].as, &rows[i].quirk, rows[i].what);
        }
    }
    /* and what neither takes */
    ask(r, &r->old, &r->mac, &(struct quirk){.no_kid = true}, "a MAC without senderKID",
        "error badMessageCheck");
    ask(r, &r->old, &r->mac, &(struct quirk){.id_size = 7}, "transactionID of 7 octets",
        "error badDataFormat");
    ask(r, &r->old, &r->mac, &(struct quirk){.nonce_size = 7}, "senderNonce of 7 octets",
        "error badSenderNonce");
    ask(r, &r->old, &r->mac, &(struct quirk){.cert_req_id = -1}, "certReqId -1", "ip badRequest");
}

/* The same octets again: remembered under an id of 8 octets as under one of 16. */
static void
check_old_replay(struct run *r)
{
    CLEANUP(transaction_end) struct transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf message = BUF_INIT(MESSAGE_MAX);
    const struct quirk q = {.id_size = 8, .nonce_size = 8, .no_time = true};

    transaction_begin(&t);
    body_of_request(r, &r->mac, &q, &body);
    make(r, &r->mac, &q, buf_span(&body), &t, &message);
    expect(r, &r->old, "8 octets, once", "ip", buf_span(&message), &q, &t);
    expect(r, &r->old, "8 octets, twice", "error transactionIdInUse", buf_span(&message), &q, &t);
}

/* ---- recipient ---- */

static X509_NAME *
reversed(const X509_NAME *name)
{
    X509_NAME *out = X509_NAME_new();

    for (int i = X509_NAME_entry_count(name) - 1; out != NULL && i >= 0; i--) {
        if (X509_NAME_add_entry(out, X509_NAME_get_entry(name, i), -1, 0) != 1) {
            stop("name", "OpenSSL");
        }
    }
    return out;
}

static void
check_recipients(struct run *r)
{
    const X509_NAME *issuing = X509_get_subject_name(r->issuing);
    CLEANUP(x509_name_cleanup) X509_NAME *from_the_end = reversed(issuing);
    const struct {
        const char *what;
        const struct cmp_client *as;
        const X509_NAME *recipient;
        const char *wanted;
    } rows[] = {
        {"recipient is the RA", &r->mac, X509_get_subject_name(r->ra), "ip"},
        {"recipient is the issuing CA", &r->mac, issuing, "ip"},
        {"recipient is the issuing CA, from the end", &r->mac, from_the_end, "ip"},
        {"recipient is the root", &r->mac, X509_get_issuer_name(r->issuing), "ip"},
        {"recipient is nobody", &r->mac, NULL, "ip"},
        {"recipient is the signer's issuer", &r->pinned,
         X509_get_issuer_name(r->pinned.certificate), "ip"},
        {"recipient is the signer's issuer, by MAC", &r->mac,
         X509_get_issuer_name(r->pinned.certificate), "error wrongAuthority"},
        {"recipient is somebody else", &r->mac, r->subject, "error wrongAuthority"},
        {"recipient is somebody else, signed", &r->pinned, r->subject, "error wrongAuthority"},
    };

    /* a stranger hears that it is one */
    ask(r, &r->strict, &r->mac, &(struct quirk){.recipient = r->subject, .spoilt = true},
        "recipient is somebody else, forged", "error badMessageCheck");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask(r, &r->strict, rows[i].as, &(struct quirk){.recipient = rows[i].recipient},
            rows[i].what, rows[i].wanted);
    }
}

/* ---- generalInfo and nonces ---- */

static void
check_headers(struct run *r)
{
    static const uint8_t profile[] = {0x30, 8, 0x0c, 6, 'n', 'f', '-', 't', 'l', 's'};
    const struct {
        const char *what;
        struct quirk quirk;
        const char *wanted;
    } rows[] = {
        {"senderNonce of 255 octets", {.nonce_size = CMP_NONCE_MAX}, "ip"},
        {"senderNonce of 256 octets", {.nonce_size = CMP_NONCE_MAX + 1}, "error badDataFormat"},
        {"generalInfo of gencmpclient: -geninfo 1.2.3:int:987",
         {.info = "1.2.3", .value = {(const uint8_t *)"\x02\x02\x03\xdb", 4}},
         "ip"},
        {"generalInfo without a value", {.info = "1.2.3.4"}, "ip"},
        {"confirmWaitTime", {.wait = 1795467171}, "ip"},
        {"certProfile, pvno 3",
         {.info = "1.3.6.1.5.5.7.4.21", .value = {profile, sizeof(profile)}, .pvno = 3},
         "ip"},
        {"implicitConfirm", {.implicit = true}, "ip confirmed"},
        {"implicitConfirm and confirmWaitTime",
         {.info = CMP_OID_IMPLICIT_CONFIRM,
          .value = {(const uint8_t *)"\x05\x00", 2},
          .wait = 1795467171},
         "error badRequest"},
        {"implicitConfirm that is an INTEGER",
         {.info = CMP_OID_IMPLICIT_CONFIRM, .value = {(const uint8_t *)"\x02\x01\x00", 3}},
         "error badDataFormat"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask(r, &r->strict, &r->mac, &rows[i].quirk, rows[i].what, rows[i].wanted);
    }
}

/* ---- confirmations ---- */

static void
check_confirmations(struct run *r)
{
    CLEANUP(transaction_end) struct transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf changed = BUF_INIT(CMP_MESSAGE_MAX);
    const struct quirk none = {0};
    const struct quirk implicit = {.implicit = true};
    struct err e = {0};

    transaction_begin(&t);
    body_of_request(r, &r->pinned, &none, &body);
    say(r, &r->strict, &r->pinned, &none, buf_span(&body), &t, "an ir that is signed", "ip");
    certconf_body(&t, &none, &body);
    say(r, &r->strict, &r->second, &none, buf_span(&body), &t, "certConf of another certificate",
        "error badMessageCheck");
    say(r, &r->strict, &r->mac, &none, buf_span(&body), &t, "certConf by MAC",
        "error wrongIntegrity");
    say(r, &r->strict, &r->pinned, &(struct quirk){.spoilt = true}, buf_span(&body), &t,
        "certConf with another key", "error badMessageCheck");
    /* PKIStatusInfo { accepted, failInfo badAlg } */
    must(der_edit(buf_span(&body), "0.0.2", SPAN_LITERAL("\x30\x07\x02\x01\x00\x03\x02\x07\x80"),
                  &changed, &e),
         "certConf", &e);
    say(r, &r->strict, &r->pinned, &none, buf_span(&changed), &t,
        "certConf: accepted, with a failInfo", "error badRequest");
    say(r, &r->strict, &r->pinned, &implicit, buf_span(&body), &t, "certConf with implicitConfirm",
        "pkiConf");
}

/* ---- PKCS #10 ---- */

static void
check_pkcs10(struct run *r)
{
    for (long version = 0; version <= 1; version++) {
        CLEANUP(transaction_end) struct transaction t = {0};
        CLEANUP(x509_req_cleanup) X509_REQ *request = X509_REQ_new();
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        struct err e = {0};

        if (request == NULL || X509_REQ_set_version(request, version) != 1 ||
            X509_REQ_set_subject_name(request, r->subject) != 1 ||
            X509_REQ_set_pubkey(request, r->key) != 1 ||
            X509_REQ_sign(request, r->key, EVP_sha256()) <= 0) {
            stop("PKCS #10", "OpenSSL");
        }
        must(OSSL_ENCODE(X509_REQ, request, &der, &e), "PKCS #10", &e);
        must(der_append(&body, DER_CONTEXT | CMP_P10CR, buf_span(&der), &e), "p10cr", &e);
        transaction_begin(&t);
        say(r, &r->strict, &r->mac, &(struct quirk){.cert_req_id = -1}, buf_span(&body), &t,
            version == 0 ? "PKCS #10 of version 0" : "PKCS #10 of version 1",
            version == 0 ? "cp" : "cp badDataFormat");
    }
}

/* ---- what a holder asks ---- */

static void
update(struct run *r, const X509_NAME *subject, const X509_NAME *issuer, const char *what,
       const char *wanted)
{
    CLEANUP(transaction_end) struct transaction t = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};
    const struct cmp_client_wish wish = {.subject = subject,
                                         .old_issuer = issuer,
                                         .old_serial = X509_get0_serialNumber(r->held.certificate)};

    key = cmp_client_key(&e);
    must(key == NULL, "key", &e);
    must(cmp_client_body_wish(CMP_KUR, key, &wish, &body, &e), "kur", &e);
    transaction_begin(&t);
    say(r, &r->strict, &r->held, &(struct quirk){0}, buf_span(&body), &t, what, wanted);
}

/* `key` NULL: certDetails name none. */
static void
revoke(struct run *r, const X509_NAME *issuer, EVP_PKEY *key, const char *what, const char *wanted)
{
    CLEANUP(transaction_end) struct transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    must(cmp_client_body_rr(issuer, X509_get0_serialNumber(r->held.certificate), 1, &body, &e),
         "rr", &e);
    if (key != NULL) { /* [6] behind [1] serialNumber and [3] issuer */
        CLEANUP(buf_free) struct buf with = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf changed = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf spki = BUF_INIT(4096);
        struct der inside;

        must(OSSL_ENCODE(PUBKEY, key, &spki, &e), "key", &e);
        if (!der_only(buf_span(&spki), DER_SEQUENCE, &inside)) {
            stop("rr", "no SubjectPublicKeyInfo");
        }
        must(buf_append(&with, der_at(buf_span(&body), "0.0.0.1"), &e), "rr", &e);
        must(der_append(&with, DER_CONTEXT | 6, inside.content, &e), "rr", &e);
        must(der_edit(buf_span(&body), "0.0.0.1", buf_span(&with), &changed, &e), "rr", &e);
        buf_move(&body, &changed);
    }
    transaction_begin(&t);
    say(r, &r->strict, &r->held, &(struct quirk){0}, buf_span(&body), &t, what, wanted);
}

static void
check_holder(struct run *r)
{
    const X509_NAME *own = X509_get_subject_name(r->held.certificate);
    const X509_NAME *issuing = X509_get_subject_name(r->issuing);
    CLEANUP(x509_name_cleanup) X509_NAME *from_the_end = reversed(issuing);

    update(r, NULL, issuing, "kur for nobody", "kup badCertTemplate");
    update(r, own, r->subject, "kur: oldCertID of another issuer", "kup badCertId");
    update(r, own, from_the_end, "kur of CmpRaComponent: oldCertID from the end", "kup");
    revoke(r, r->subject, NULL, "rr of another issuer", "rp badCertId");
    revoke(r, issuing, r->key, "rr that names another key", "rp badCertId");
    revoke(r, from_the_end, r->held.key, "rr with the issuer from the end and its own key", "rp");
}

/* ---- the whole ---- */

static FILE *
open_in(const char *folder, const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "re");

    if (f == NULL) {
        stop(path, "cannot be opened");
    }
    return f;
}

static char *
text_of(const char *folder, const char *name)
{
    FILE *f = open_in(folder, name);
    char *text = mem_zalloc(1, 256);

    if (fgets(text, 256, f) == NULL) {
        stop(name, "empty");
    }
    (void)fclose(f);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static X509 *
certificate_in(const char *folder, const char *name)
{
    FILE *f = open_in(folder, name);
    X509 *certificate = PEM_read_X509(f, NULL, NULL, NULL);

    (void)fclose(f);
    if (certificate == NULL) {
        stop(name, "no certificate");
    }
    return certificate;
}

static struct cmp_client
client_in(const char *folder, const char *name)
{
    CLEANUP(mem_cleanup) char *certificate = mem_printf("%s.pem", name);
    CLEANUP(mem_cleanup) char *key = mem_printf("%s.key", name);
    FILE *f = open_in(folder, key);
    struct cmp_client c = {.certificate = certificate_in(folder, certificate),
                           .key = PEM_read_PrivateKey(f, NULL, NULL, NULL)};

    (void)fclose(f);
    if (c.key == NULL) {
        stop(key, "no key");
    }
    return c;
}

static void
become(struct run *r, const char *folder)
{
    struct err e = {0};

    r->texts[0] = text_of(folder, "mac.reference");
    r->texts[1] = text_of(folder, "mac.secret");
    r->algorithm = BUF_INIT(256);
    must(cmp_client_pbm(NID_sha256, PBM_COUNT, NID_hmacWithSHA256, &r->algorithm, &e), "PBM", &e);
    r->mac = (struct cmp_client){.reference = r->texts[0],
                                 .secret = span_str(r->texts[1]),
                                 .algorithm = buf_span(&r->algorithm)};
    r->pinned = client_in(folder, "pinned");
    r->second = client_in(folder, "second");
    r->held = client_in(folder, "held");
    r->ra = certificate_in(folder, "ra.pem");
    r->issuing = certificate_in(folder, "issuing.pem");
    r->key = cmp_client_key(&e);
    r->signed_key = cmp_client_key(&e);
    r->subject = X509_NAME_new();
    if (r->key == NULL || r->signed_key == NULL || r->subject == NULL ||
        X509_NAME_add_entry_by_NID(r->subject, NID_commonName, MBSTRING_UTF8,
                                   (const unsigned char *)"x", -1, -1, 0) != 1) {
        stop("keys", "OpenSSL");
    }
}

static void
client_end(struct cmp_client *c)
{
    X509_free(c->certificate);
    EVP_PKEY_free(c->key);
}

static void
end(struct run *r)
{
    client_end(&r->pinned);
    client_end(&r->second);
    client_end(&r->held);
    X509_free(r->ra);
    X509_free(r->issuing);
    EVP_PKEY_free(r->key);
    EVP_PKEY_free(r->signed_key);
    X509_NAME_free(r->subject);
    buf_free(&r->algorithm);
    mem_free(r->texts[0]);
    mem_free(r->texts[1]);
    http_client_close(&r->strict);
    http_client_close(&r->old);
    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
}

int
main(int argc, char **argv)
{
    struct run r = {0};
    struct err e = {0};

    if (argc != 6) {
        (void)fprintf(stderr, "usage: clients HOST PORT OLD_PORT PATH CREDENTIALS\n");
        return 2;
    }
    must(ossl_init(&e), "start", &e);
    r.strict = (struct http_client){.host = argv[1],
                                    .port = (int)strtol(argv[2], NULL, 10),
                                    .fd = -1,
                                    .timeout_ms = TIMEOUT_MS};
    r.old = r.strict;
    r.old.port = (int)strtol(argv[3], NULL, 10);
    r.path = argv[4];
    become(&r, argv[5]);
    check_old(&r);
    check_old_replay(&r);
    check_recipients(&r);
    check_headers(&r);
    check_confirmations(&r);
    check_pkcs10(&r);
    check_holder(&r);
    (void)printf("%d messages, %d wrong\n", r.count, r.wrong);
    end(&r);
    return r.wrong == 0 ? 0 : 1;
}
