/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmp_say OPTION... HOST PORT PATH: says one thing to an RA, and prints in one line what it
 * answers: type of the answer, failInfo or "waiting", how it is protected, its pvno The message
 * begins a transaction, or goes on with the one of --continue FILE, the last answer in it. For
 * flows.
 */
#include <getopt.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/protection/protect.h"
#include "tests/support/cmp_client.h"
#include "tests/support/http_client.h"

enum { TIMEOUT_MS = 60000, PBM_COUNT = 500, NESTED_MAX = 3 };

struct said {
    struct cmp_client client; /* who speaks; its profile is the certProfile */
    const char *body;         /* "genm" */
    const char *content;      /* file: DER inside the body's tag */
    const char *info;         /* genm: last arc of id-it */
    const char *value;        /* genm: file with infoValue */
    const char *out;          /* file for the answer */
    const char *value_out;    /* file for the infoValue of a genp */
    const char *request_out;  /* file for the message */
    const char *secret;
    const char *before; /* file: the answer that this message follows */
    const char *certificate;
    const char *key;
    const char *upstream[2];  /* certificate and key of who nests it */
    const char *break_nested; /* "id": outer transactionID differs; "nonce"; "two"; "twice" */
    int iterations;
    int pvno;
    bool pbmac1;
    int key_size; /* of PBMAC1 */
    bool central; /* ir without a public key */
    bool ra_verified;
    bool no_time;
    bool no_nonce; /* --continue as if the answer had been lost */
};

_Noreturn static void
stop(const char *what, const struct err *e)
{
    (void)fprintf(stderr, "cmp_say: %s: %s\n", what, e->text);
    exit(1);
}

static void
load(const char *path, struct buf *out)
{
    struct err e = {0};

    *out = BUF_INIT(CMP_MESSAGE_MAX);
    if (file_read(path, out, &e) != 0) {
        stop(path, &e);
    }
}

static void
load_credential(const char *certificate, const char *key, struct cmp_client *c)
{
    struct err e = {0};
    BIO *bio = BIO_new_file(key, "r");

    c->certificate = certificate_load(certificate, &e);
    c->key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (c->certificate == NULL || c->key == NULL) {
        stop(certificate, &e);
    }
}

static int
number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static enum cmp_body
body_type(const char *name)
{
    for (int i = 0; i < CMP_BODY_COUNT; i++) {
        if (strcmp(name, cmp_body_name((enum cmp_body)i)) == 0) {
            return (enum cmp_body)i;
        }
    }
    (void)fprintf(stderr, "cmp_say: no body is called %s\n", name);
    exit(2);
}

/* { id-it ARC, value } */
static void
genm_content(const struct said *s, struct buf *out)
{
    uint8_t oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, (uint8_t)number(s->info)};
    CLEANUP(buf_free) struct buf info = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf list = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf value = {0};
    struct err e = {0};

    if (s->value != NULL) {
        load(s->value, &value);
    }
    if (der_append(&info, DER_OID, span_of(oid, sizeof(oid)), &e) != 0 ||
        (value.n != 0 && buf_append(&info, buf_span(&value), &e) != 0) ||
        der_append(&list, DER_SEQUENCE, buf_span(&info), &e) != 0 ||
        der_append(out, DER_SEQUENCE, buf_span(&list), &e) != 0) {
        stop("genm", &e);
    }
}

/* CertReqMessages with one CertReqMsg that has neither publicKey nor proof of possession. */
static void
no_key_request(struct buf *out)
{
    /* certReqId 0, CertTemplate { subject [5] {} } */
    static const uint8_t no_key[] = {0x30, 0x0d, 0x30, 0x0b, 0x30, 0x09, 0x02, 0x01,
                                     0x00, 0x30, 0x04, 0xa5, 0x02, 0x30, 0x00};
    struct err e = {0};

    if (buf_append(out, span_of(no_key, sizeof(no_key)), &e) != 0) {
        stop("request", &e);
    }
}

/* Replaces the proof of possession [1] by raVerified [0] NULL. */
static void
make_ra_verified(struct buf *body)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf one = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf list = BUF_INIT(CMP_MESSAGE_MAX);
    static const uint8_t verified[] = {0x80, 0x00};
    struct span in = buf_span(body);
    struct der all;
    struct der messages;
    struct der message;
    struct der request;
    uint8_t tag = body->p[0];
    struct err e = {0};

    if (!der_next(&in, &all) || !der_next(&all.content, &messages) ||
        !der_next(&messages.content, &message) || !der_next(&message.content, &request) ||
        buf_append(&content, request.whole, &e) != 0 ||
        buf_append(&content, span_of(verified, sizeof(verified)), &e) != 0 ||
        der_append(&one, DER_SEQUENCE, buf_span(&content), &e) != 0 ||
        der_append(&list, DER_SEQUENCE, buf_span(&one), &e) != 0) {
        stop("raVerified", &e);
    }
    buf_truncate(body, 0);
    if (der_append(body, tag, buf_span(&list), &e) != 0) {
        stop("raVerified", &e);
    }
}

static void
make_body(const struct said *s, enum cmp_body type, struct buf *body)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    *body = BUF_INIT(CMP_MESSAGE_MAX);
    if (s->content != NULL) {
        load(s->content, &content);
    } else if (s->info != NULL) {
        genm_content(s, &content);
    } else if (s->central) {
        no_key_request(&content);
    } else {
        EVP_PKEY *key = cmp_client_key(&e);
        CLEANUP(x509_name_cleanup) X509_NAME *name = X509_NAME_new();

        if (key == NULL || name == NULL ||
            X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                       (const unsigned char *)"x", -1, -1, 0) != 1 ||
            cmp_client_body_request(type, key, name, body, &e) != 0) {
            stop("request", &e);
        }
        EVP_PKEY_free(key);
        if (s->ra_verified) {
            make_ra_verified(body);
        }
        return;
    }
    if (der_append(body, (uint8_t)(DER_CONTEXT | (unsigned)type), buf_span(&content), &e) != 0) {
        stop("body", &e);
    }
}

static void
seal(const struct said *s, const struct cmp_client *c, struct cmp_header *h, struct span body,
     struct buf *out)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    struct err e = {0};

    if (s->pvno != 0) {
        h->pvno = s->pvno;
    }
    if (s->no_time) {
        h->time = 0;
    }
    *out = BUF_INIT(CMP_MESSAGE_MAX);
    if (cmp_client_header(c, h, &name, &recipient, &e) != 0 ||
        cmp_client_seal(c, h, body, out, &e) != 0) {
        stop("message", &e);
    }
}

/* The transaction of an answer, and its nonce; kept in `*answer`. */
static void
go_on(const struct said *s, struct cmp_header *h, struct cmp_msg **answer)
{
    CLEANUP(buf_free) struct buf der = {0};
    struct err e = {0};

    if (s->before == NULL) {
        return;
    }
    load(s->before, &der);
    *answer = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
    if (*answer == NULL) {
        stop(s->before, &e);
    }
    h->transaction_id = cmp_msg_transaction_id(*answer);
    if (!s->no_nonce) {
        h->recip_nonce = cmp_msg_sender_nonce(*answer);
    }
}

/* RFC 9483 5.2.2.1, or what it does not allow. */
static void
nest(const struct said *s, const struct cmp_client *upstream, const struct cmp_header *inner,
     struct buf *message)
{
    CLEANUP(buf_free) struct buf list = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf outer = {0};
    const char *broken = s->break_nested != NULL ? s->break_nested : "";
    struct said plain = *s;
    struct cmp_header h;
    struct err e = {0};

    plain.pvno = 0;
    if (cmp_header_first(&h, &e) != 0 || buf_append(&list, buf_span(message), &e) != 0 ||
        (strcmp(broken, "two") == 0 && buf_append(&list, buf_span(message), &e) != 0)) {
        stop("nested", &e);
    }
    if (strcmp(broken, "id") != 0) {
        h.transaction_id = inner->transaction_id;
    }
    if (strcmp(broken, "nonce") != 0) {
        h.sender_nonce = inner->sender_nonce;
    }
    {
        CLEANUP(buf_free) struct buf sequence = BUF_INIT(CMP_MESSAGE_MAX);

        if (der_append(&sequence, DER_SEQUENCE, buf_span(&list), &e) != 0 ||
            der_append(&body, DER_CONTEXT | 20, buf_span(&sequence), &e) != 0) {
            stop("nested", &e);
        }
    }
    seal(&plain, upstream, &h, buf_span(&body), &outer);
    buf_move(message, &outer);
    if (strcmp(broken, "twice") == 0) {
        struct said once = *s;

        once.break_nested = NULL;
        nest(&once, upstream, inner, message);
    }
}

static void
print_answer(const struct said *s, const struct cmp_msg *m)
{
    CLEANUP(cmp_client_answer_free)
    struct cmp_client_answer a = {.body = cmp_msg_body(m),
                                  .certificate = BUF_INIT(CMP_MESSAGE_MAX)};
    struct err e = {0};

    if (cmp_client_read_body(m, &a, &e) != 0) {
        stop("answer", &e);
    }
    (void)printf("%s", cmp_body_name(a.body));
    for (int bit = 0; bit < CMP_FAILURE_COUNT; bit++) {
        if ((a.status.failures >> bit & 1U) != 0) {
            (void)printf(" %s", cmp_failure_name((enum cmp_failure)bit));
        }
    }
    (void)printf("%s %s pvno %d\n", a.status.status == CMP_WAITING ? " waiting" : "",
                 cmp_protection_of(m) == CMP_PROTECTION_MAC ? "mac" : "signature", cmp_msg_pvno(m));
    if (a.status.text[0] != '\0') {
        (void)fprintf(stderr, "%s\n", a.status.text);
    }
    if (a.body == CMP_GENP && s->value_out != NULL) {
        struct span in = cmp_msg_content(m);
        struct der list;
        struct der info;
        struct der oid;

        if (!der_next(&in, &list) || !der_next(&list.content, &info) ||
            !der_next(&info.content, &oid)) {
            stop("genp", &e);
        }
        if (file_write(s->value_out, info.content, 0600, &e) != 0) {
            stop(s->value_out, &e);
        }
    }
}

/* The answer is to this message, and protected by somebody who may. */
static struct cmp_msg *
check_answer(const struct said *s, const struct cmp_header *h, struct span der)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct cmp_client_state state = {.sender_nonce_size = h->sender_nonce.n};
    struct err e = {0};
    struct cmp_msg *m;

    memcpy(state.transaction_id, h->transaction_id.p, CMP_NONCE_SIZE);
    memcpy(state.sender_nonce, h->sender_nonce.p, h->sender_nonce.n);
    /* What is nested wrongly is answered to the outer message, whose nonces are other ones. */
    if ((s->break_nested == NULL && cmp_client_read(&s->client, der, NULL, &state, &a, &e) != 0) ||
        (m = cmp_msg_parse(der, 2 * CMP_MESSAGE_MAX, &e)) == NULL) {
        stop("answer", &e);
    }
    return m;
}

static void
say(const struct said *s, struct http_client *http, const char *path,
    const struct cmp_client *upstream)
{
    CLEANUP(buf_free) struct buf body = {0};
    CLEANUP(buf_free) struct buf message = {0};
    CLEANUP(buf_free) struct buf answer = BUF_INIT(2 * CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *m = NULL;
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *before = NULL;
    struct cmp_header h;
    struct err e = {0};
    int status = 0;

    make_body(s, body_type(s->body), &body);
    if (cmp_header_first(&h, &e) != 0) {
        stop("header", &e);
    }
    go_on(s, &h, &before);
    seal(s, &s->client, &h, buf_span(&body), &message);
    if (upstream->certificate != NULL) {
        nest(s, upstream, &h, &message);
    }
    if (s->request_out != NULL && file_write(s->request_out, buf_span(&message), 0600, &e) != 0) {
        stop(s->request_out, &e);
    }
    if (http_client_post(http, path, buf_span(&message), &status, &answer, &e) != 0 ||
        status != 200) {
        (void)printf("HTTP %d\n", status);
        (void)fflush(stdout); /* the leak checker ends a program that stops here without this */
        stop("post", &e);
    }
    if (s->out != NULL && file_write(s->out, buf_span(&answer), 0600, &e) != 0) {
        stop(s->out, &e);
    }
    m = check_answer(s, &h, buf_span(&answer));
    print_answer(s, m);
}

static void
read_options(int argc, char **argv, struct said *s)
{
    static const struct option options[] = {{"body", 1, NULL, 'b'},
                                            {"content", 1, NULL, 'c'},
                                            {"info", 1, NULL, 'i'},
                                            {"value", 1, NULL, 'v'},
                                            {"profile", 1, NULL, 'p'},
                                            {"out", 1, NULL, 'o'},
                                            {"value-out", 1, NULL, 'V'},
                                            {"request-out", 1, NULL, 'R'},
                                            {"reference", 1, NULL, 'r'},
                                            {"secret", 1, NULL, 's'},
                                            {"certificate", 1, NULL, 'C'},
                                            {"key", 1, NULL, 'k'},
                                            {"upstream", 1, NULL, 'u'},
                                            {"upstream-key", 1, NULL, 'U'},
                                            {"broken", 1, NULL, 'B'},
                                            {"iterations", 1, NULL, 'n'},
                                            {"pvno", 1, NULL, 'P'},
                                            {"pbmac1", 0, NULL, '1'},
                                            {"continue", 1, NULL, 'x'},
                                            {"central", 0, NULL, 'e'},
                                            {"ra-verified", 0, NULL, 'w'},
                                            {"no-time", 0, NULL, 't'},
                                            {"no-nonce", 0, NULL, 'N'},
                                            {"key-size", 1, NULL, 'K'},
                                            {NULL, 0, NULL, 0}};
    const char **const texts[] = {
        ['b'] = &s->body,        ['c'] = &s->content,        ['i'] = &s->info,
        ['v'] = &s->value,       ['p'] = &s->client.profile, ['o'] = &s->out,
        ['V'] = &s->value_out,   ['R'] = &s->request_out,    ['r'] = &s->client.reference,
        ['s'] = &s->secret,      ['x'] = &s->before,         ['C'] = &s->certificate,
        ['k'] = &s->key,         ['u'] = &s->upstream[0],    ['U'] = &s->upstream[1],
        ['B'] = &s->break_nested};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'n':
            s->iterations = number(optarg);
            break;
        case 'P':
            s->pvno = number(optarg);
            break;
        case '1':
            s->pbmac1 = true;
            break;
        case 'K':
            s->key_size = number(optarg);
            break;
        case 'e':
            s->central = true;
            break;
        case 'w':
            s->ra_verified = true;
            break;
        case 't':
            s->no_time = true;
            break;
        case 'N':
            s->no_nonce = true;
            break;
        default:
            if (c == '?' || (size_t)c >= ARRAY_LEN(texts) || texts[c] == NULL) {
                exit(2);
            }
            *texts[c] = optarg;
            break;
        }
    }
}

static void
credential_free(struct cmp_client *c)
{
    X509_free(c->certificate);
    EVP_PKEY_free(c->key);
}

int
main(int argc, char **argv)
{
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(512);
    struct said s = {.body = "genm", .iterations = PBM_COUNT, .key_size = 32};
    struct http_client http = {.fd = -1, .timeout_ms = TIMEOUT_MS};
    struct cmp_client *c = &s.client;
    struct cmp_client upstream = {0};
    struct err e = {0};

    read_options(argc, argv, &s);
    if (argc - optind != 3) {
        (void)fprintf(stderr, "usage: cmp_say [option ...] HOST PORT PATH\n");
        return 2;
    }
    http.host = argv[optind];
    http.port = number(argv[optind + 1]);
    if (ossl_init(&e) != 0 ||
        (s.pbmac1 ? cmp_client_pbmac1_key(NID_hmacWithSHA256, (uint32_t)s.iterations,
                                          NID_hmacWithSHA256, s.key_size, &algorithm, &e)
                  : cmp_client_pbm(NID_sha256, (uint32_t)s.iterations, NID_hmacWithSHA256,
                                   &algorithm, &e)) != 0) {
        stop("start", &e);
    }
    c->algorithm = buf_span(&algorithm);
    if (s.secret != NULL) {
        c->secret = span_str(s.secret);
    }
    if (s.certificate != NULL) {
        load_credential(s.certificate, s.key, c);
    }
    if (s.upstream[0] != NULL) {
        load_credential(s.upstream[0], s.upstream[1], &upstream);
    }
    say(&s, &http, argv[optind + 2], &upstream);
    http_client_close(&http);
    credential_free(c);
    credential_free(&upstream);
    OPENSSL_cleanup();
    return 0;
}
