/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmp_probe HOST PORT PATH REFERENCE SECRET OTHER-REFERENCE OTHER-SECRET
 *
 * Sends what a client should not send, and what it should in between, and prints for each message
 * one line: what it was, type of the answer, failInfo, how the answer is protected. For flows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/protection/protect.h"
#include "tests/support/cmp_client.h"
#include "tests/support/http_client.h"

enum { TIMEOUT_MS = 60000, PBM_COUNT = 500, HOUR = 3600 };

struct probe {
    struct http_client http;
    const char *path;
    struct cmp_client client;
    struct cmp_client other;
    struct cmp_client_state state;
    EVP_PKEY *key;
};

_Noreturn static void
stop(const char *what, const struct err *e)
{
    (void)fprintf(stderr, "cmp_probe: %s: %s\n", what, e->text);
    exit(1);
}

/* Sends, reads and prints. `as`: whose secret the answer may be protected with. */
static void
say(struct probe *p, const char *what, const struct cmp_client *as, struct span message,
    struct cmp_client_answer *answer)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *m = NULL;
    struct cmp_client_state state = p->state;
    struct err e = {0};
    int status = 0;

    if (http_client_post(&p->http, p->path, message, &status, &body, &e) != 0 ||
        cmp_client_read(as, buf_span(&body), NULL, &state, answer, &e) != 0) {
        (void)printf("%s: HTTP %d\n", what, status);
        stop(what, &e);
    }
    m = cmp_msg_parse(buf_span(&body), CMP_MESSAGE_MAX, &e);
    (void)printf("%s: %s", what, cmp_body_name(answer->body));
    for (int bit = 0; bit < CMP_FAILURE_COUNT; bit++) {
        if ((answer->status.failures >> bit & 1U) != 0) {
            (void)printf(" %s", cmp_failure_name((enum cmp_failure)bit));
        }
    }
    (void)printf(" %s\n", cmp_protection_of(m) == CMP_PROTECTION_MAC ? "mac" : "signature");
    if (answer->body == CMP_IP || answer->body == CMP_PKICONF) {
        p->state = state;
    }
}

/* A message with this body and whatever the header says beyond a first message's. */
static void
send_as(struct probe *p, const char *what, const struct cmp_client *as, struct cmp_header *h,
        struct span body)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer answer = {0};
    struct cmp_client_state before = p->state;
    struct err e = {0};

    if (cmp_client_header(as, h, &name, &recipient, &e) != 0 ||
        cmp_client_seal(as, h, body, &message, &e) != 0) {
        stop(what, &e);
    }
    memcpy(p->state.transaction_id, h->transaction_id.p, CMP_NONCE_SIZE);
    memcpy(p->state.sender_nonce, h->sender_nonce.p, h->sender_nonce.n);
    p->state.sender_nonce_size = h->sender_nonce.n;
    say(p, what, as, buf_span(&message), &answer);
    p->state = before;
}

static void
first(struct cmp_header *h)
{
    struct err e = {0};

    if (cmp_header_first(h, &e) != 0) {
        stop("header", &e);
    }
}

/* Every type but ir, protected by the right MAC. */
static void
other_bodies(struct probe *p, struct span ir)
{
    for (int type = CMP_IP; type <= CMP_POLLREP; type++) {
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        struct cmp_header h;
        const uint8_t nonce[CMP_NONCE_SIZE] = {1};
        struct err e = {0};

        if (buf_set(&body, ir, &e) != 0) {
            stop("body", &e);
        }
        first(&h);
        body.p[0] = (uint8_t)(0xa0U | (unsigned)type);
        if (type == CMP_CERTCONF || type == CMP_POLLREQ) {
            h.recip_nonce = span_of(nonce, sizeof(nonce));
        }
        send_as(p, cmp_body_name((enum cmp_body)type), &p->client, &h, buf_span(&body));
    }
}

static void
wrong_headers(struct probe *p, struct span ir)
{
    static const uint8_t nonce[CMP_NONCE_SIZE] = {1};
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(256);
    struct cmp_client slow = p->client;
    struct cmp_client guess = p->client;
    struct cmp_header h;
    struct err e = {0};

    first(&h);
    h.time -= 2 * HOUR;
    send_as(p, "two hours old", &p->client, &h, ir);
    first(&h);
    h.time += 2 * HOUR;
    send_as(p, "from the future", &p->client, &h, ir);
    first(&h);
    h.time -= 2 * HOUR;
    guess.secret = SPAN_LITERAL("a guess");
    send_as(p, "two hours old, with a wrong MAC", &guess, &h, ir);
    first(&h);
    h.recip_nonce = span_of(nonce, sizeof(nonce));
    send_as(p, "recipNonce", &p->client, &h, ir);
    first(&h);
    h.sender_nonce.n = 8;
    send_as(p, "short senderNonce", &p->client, &h, ir);
    if (cmp_client_pbm(NID_sha256, 1000000, NID_hmacWithSHA256, &algorithm, &e) != 0) {
        stop("algorithm", &e);
    }
    slow.algorithm = buf_span(&algorithm);
    first(&h);
    send_as(p, "a million iterations", &slow, &h, ir);
}

static void
certconf(struct probe *p, const char *what, const struct cmp_client *as, X509 *certificate,
         bool wrong_nonce)
{
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer answer = {0};
    struct cmp_client_state before = p->state;
    struct err e = {0};

    if (wrong_nonce) {
        p->state.recip_nonce[0] ^= 1;
    }
    if (cmp_client_certconf(as, certificate, true, &p->state, &message, &e) != 0) {
        stop(what, &e);
    }
    say(p, what, as, buf_span(&message), &answer);
    if (answer.body == CMP_PKICONF) {
        CLEANUP(cmp_client_answer_free) struct cmp_client_answer again = {0};

        say(p, "the same certConf again", as, buf_span(&message), &again);
        return;
    }
    p->state = before;
}

/* Forgeries around a true enrolment, which they must not hurt. */
static void
confirmations(struct probe *p)
{
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer answer = {0};
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(x509_name_cleanup) X509_NAME *name = X509_NAME_new();
    struct cmp_client guess = p->client;
    struct err e = {0};

    if (name == NULL ||
        X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)"x",
                                   -1, -1, 0) != 1 ||
        cmp_client_request(&p->client, CMP_IR, p->key, name, &p->state, &message, &e) != 0) {
        stop("ir", &e);
    }
    say(p, "ir", &p->client, buf_span(&message), &answer);
    certificate = certificate_parse(buf_span(&answer.certificate), &e);
    if (certificate == NULL) {
        stop("certificate", &e);
    }
    guess.secret = SPAN_LITERAL("a guess");
    certconf(p, "certConf with a wrong MAC", &guess, certificate, false);
    certconf(p, "certConf of somebody else", &p->other, certificate, false);
    certconf(p, "certConf with a wrong recipNonce", &p->client, certificate, true);
    certconf(p, "certConf", &p->client, certificate, false);
}

int
main(int argc, char **argv)
{
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(256);
    CLEANUP(buf_free) struct buf ir = BUF_INIT(CMP_MESSAGE_MAX);
    struct probe p = {0};
    struct err e = {0};

    if (argc != 8) {
        (void)fprintf(stderr,
                      "usage: cmp_probe HOST PORT PATH REFERENCE SECRET REFERENCE SECRET\n");
        return 2;
    }
    p.http = (struct http_client){.host = argv[1],
                                  .port = (int)strtol(argv[2], NULL, 10),
                                  .fd = -1,
                                  .timeout_ms = TIMEOUT_MS};
    p.path = argv[3];
    (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (ossl_init(&e) != 0 ||
        cmp_client_pbm(NID_sha256, PBM_COUNT, NID_hmacWithSHA256, &algorithm, &e) != 0 ||
        (p.key = cmp_client_key(&e)) == NULL ||
        cmp_client_body_request(CMP_IR, p.key, NULL, &ir, &e) != 0) {
        stop("start", &e);
    }
    p.client = (struct cmp_client){
        .reference = argv[4], .secret = span_str(argv[5]), .algorithm = buf_span(&algorithm)};
    p.other = (struct cmp_client){
        .reference = argv[6], .secret = span_str(argv[7]), .algorithm = buf_span(&algorithm)};
    other_bodies(&p, buf_span(&ir));
    wrong_headers(&p, buf_span(&ir));
    confirmations(&p);
    EVP_PKEY_free(p.key);
    http_client_close(&p.http);
    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
    return 0;
}
