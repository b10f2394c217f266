/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conformance HOST PORT PATH CREDENTIALS
 *
 * Requests that are right but for one thing, and what a CMP server must answer (RFC 9483 3.5, 3.6,
 * 4.1; RFC 9810 5.1, 7): type of the body, failInfo, how the answer is protected. Prints each and
 * ends with 1 when one is not as the tables say. The rows of vulnerabilities have their numbers.
 * CREDENTIALS is a folder with mac.{reference,secret} of a registration with certificates left,
 * pinned.{pem,key} of one that is registered by its certificate.
 */
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/protection/mac.h"
#include "ca/cmp/protection/protect.h"
#include "tests/interop/conformance_rows.h"
#include "tests/interop/credentials.h"
#include "tests/interop/verdict.h"
#include "tests/support/cmp_client.h"
#include "tests/support/der_edit.h"
#include "tests/support/http_client.h"

enum { TIMEOUT_MS = 60000, MESSAGE_MAX = 128 * 1024 };

struct run {
    struct http_client http;
    const char *path;
    struct credentials_mac mac;
    struct cmp_client pinned;
    EVP_PKEY *key;
    struct verdict verdict;
};

/* Is the protection of the answer right, whoever made it? */
static const char *
protection_of(struct run *r, const struct cmp_msg *m)
{
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    CLEANUP(x509_cleanup) X509 *signer = NULL;
    enum cmp_failure failure;
    struct err e = {0};

    if (cmp_protection_of(m) == CMP_PROTECTION_MAC) {
        key = cmp_mac_key_new(cmp_msg_protection_alg(m), r->mac.client.secret, NULL, &failure, &e);
        return key != NULL && cmp_mac_verify(key, m, &failure, &e) == 0 ? "mac" : "a wrong MAC";
    }
    signer = cmp_msg_signer(m, &e);
    return signer != NULL && cmp_signature_verify(m, signer, &failure, &e) == 0
               ? "signature"
               : "a wrong signature";
}

/* A part of the header of a message, whatever is wrong with the rest of it. */
static struct span
header_part(struct span message, uint8_t tag)
{
    enum { HEAD = 4 }; /* 30 82, and the length, of each message here that has a header */
    struct span rest =
        message.n < HEAD ? span_of(NULL, 0) : span_of(message.p + HEAD, message.n - HEAD);
    struct der header;
    struct der part;

    if (!der_next(&rest, &header)) {
        return span_of(NULL, 0);
    }
    while (der_next(&header.content, &part)) {
        if (part.tag == tag && part.content.n == 2 + CMP_NONCE_SIZE) {
            return span_of(part.content.p + 2, CMP_NONCE_SIZE);
        }
    }
    return span_of(NULL, 0);
}

/* RFC 9483 3.1: transactionID as it came, senderNonce as recipNonce. */
static void
expect_echo(struct run *r, const char *what, struct span message, const struct cmp_msg *answer)
{
    struct span id = header_part(message, DER_CONTEXT | 4);
    struct span nonce = header_part(message, DER_CONTEXT | 5);

    if ((id.n > 0 && !span_equal(id, cmp_msg_transaction_id(answer))) ||
        (nonce.n > 0 && !span_equal(nonce, cmp_msg_recip_nonce(answer)))) {
        r->verdict.wrong++;
        (void)printf("WRONG: %s: the answer is not about that message\n", what);
    }
}

/* Sends, and compares what the answer says. Returns the answer, for who needs more of it. */
static struct cmp_msg *
expect(struct run *r, const char *what, const char *wanted, struct span message)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(MESSAGE_MAX);
    CLEANUP(cmp_client_answer_free)
    struct cmp_client_answer answer = {.certificate = BUF_INIT(CMP_MESSAGE_MAX)};
    CLEANUP(buf_free) struct buf said = BUF_INIT(1024);
    struct cmp_msg *m;
    struct err e = {0};
    int status = 0;

    verdict_must(http_client_post(&r->http, r->path, message, &status, &body, &e), what, &e);
    m = cmp_msg_parse(buf_span(&body), CMP_MESSAGE_MAX, &e);
    if (m == NULL) {
        verdict_stop(what, "the answer is no CMP message");
    }
    expect_echo(r, what, message, m);
    verdict_read(what, m, &answer, &said);
    verdict_must(buf_append_str(&said, " ", &e), what, &e);
    verdict_must(buf_append_str(&said, protection_of(r, m), &e), what, &e);
    verdict_compare(&r->verdict, what, wanted, buf_span(&said));
    return m;
}

/* ---- messages ---- */

static X509_NAME *
some_name(void)
{
    X509_NAME *name = X509_NAME_new();

    if (name == NULL || X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                                   (const unsigned char *)"x", -1, -1, 0) != 1) {
        verdict_stop("name", "OpenSSL");
    }
    return name;
}

static void
request_body(EVP_PKEY *key, struct buf *body)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = some_name();
    struct err e = {0};

    verdict_must(cmp_client_body_request(CMP_IR, key, name, body, &e), "request", &e);
}

/* SEQUENCE { header, body } of a right message; a later one when there is a state. */
static void
make_part(const struct cmp_client *as, struct span body, const struct cmp_client_state *state,
          struct buf *part)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = NULL;
    CLEANUP(buf_free) struct buf recipient = {0};
    CLEANUP(buf_free) struct buf message = BUF_INIT(MESSAGE_MAX);
    struct cmp_header h;
    struct err e = {0};
    struct span header;

    verdict_must(cmp_header_first(&h, &e), "header", &e);
    verdict_must(cmp_client_header(as, &h, &name, &recipient, &e), "header", &e);
    if (state != NULL) {
        h.transaction_id = span_of(state->transaction_id, CMP_NONCE_SIZE);
        h.recip_nonce = span_of(state->recip_nonce, state->recip_nonce_size);
    }
    verdict_must(cmp_client_seal(as, &h, body, &message, &e), "seal", &e);
    header = der_at(buf_span(&message), "0");
    buf_truncate(part, 0);
    verdict_must(der_append(part, DER_SEQUENCE, span_of(header.p, header.n + body.n), &e), "part",
                 &e);
}

/* The proof of possession again, after a change in what it proves. */
static void
prove(struct run *r, struct buf *part)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    CLEANUP(buf_free) struct buf changed = BUF_INIT(MESSAGE_MAX);
    CLEANUP(buf_free) struct buf bits = BUF_INIT(256);
    struct span request = der_at(buf_span(part), "1.0.0.0");
    uint8_t signature[129] = {0}; /* the first octet: no unused bits */
    size_t n = sizeof(signature) - 1;
    struct err e = {0};

    if (context == NULL || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, r->key) != 1 ||
        EVP_DigestSign(context, signature + 1, &n, request.p, request.n) != 1) {
        verdict_stop("sign", "OpenSSL");
    }
    verdict_must(der_append(&bits, DER_BIT_STRING, span_of(signature, n + 1), &e), "bits", &e);
    verdict_must(der_edit(buf_span(part), "1.0.0.1.1", buf_span(&bits), &changed, &e), "POP", &e);
    buf_move(part, &changed);
}

static void
apply(struct run *r, const struct row *row, struct buf *part)
{
    CLEANUP(buf_free) struct buf with = BUF_INIT(MESSAGE_MAX);
    CLEANUP(buf_free) struct buf changed = BUF_INIT(MESSAGE_MAX);
    struct span there = der_at(buf_span(part), row->path);
    const char *hex = row->hex;
    struct err e = {0};
    size_t n;

    if (hex[0] == '=') {
        verdict_must(buf_set(&with, there, &e), row->what, &e);
    }
    if (hex[0] == '=' || hex[0] == '!') {
        verdict_must(buf_append(&with, there, &e), row->what, &e);
        hex++;
    }
    n = strlen(hex) / 2;
    if (n > 0) {
        uint8_t *room = buf_extend(&with, n, &e);

        verdict_must(room == NULL ? -1 : hex_parse(hex, room, n, &e), row->what, &e);
    }
    verdict_must(der_edit(buf_span(part), row->path, buf_span(&with), &changed, &e), row->what, &e);
    buf_move(part, &changed);
    if (strncmp(row->path, "1.0.0.0.", 8) == 0 && row->hex[0] != '!') {
        prove(r, part);
    }
}

/* With the row's change, protected rightly. */
static void
check_row(struct run *r, const struct cmp_client *as, const struct row *row, struct span body,
          const struct cmp_client_state *state)
{
    CLEANUP(buf_free) struct buf part = BUF_INIT(MESSAGE_MAX);
    CLEANUP(buf_free) struct buf message = BUF_INIT(MESSAGE_MAX);
    struct err e = {0};

    make_part(as, body, state, &part);
    apply(r, row, &part);
    verdict_must(cmp_client_protect(as, buf_span(&part), NULL, 0, &message, &e), row->what, &e);
    cmp_msg_free(expect(r, row->what, row->wanted, buf_span(&message)));
}

static void
check_firsts(struct run *r)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);

    request_body(r->key, &body);
    for (size_t i = 0; i < n_firsts; i++) {
        check_row(r, &r->mac.client, &firsts[i], buf_span(&body), NULL);
    }
}

/* ---- signatures ---- */

static void
check_signed(struct run *r)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf part = BUF_INIT(MESSAGE_MAX);
    CLEANUP(buf_free) struct buf message = BUF_INIT(MESSAGE_MAX);
    struct err e = {0};

    request_body(r->key, &body);
    for (size_t i = 0; i < n_signed_firsts; i++) {
        check_row(r, &r->pinned, &signed_firsts[i], buf_span(&body), NULL);
    }
    make_part(&r->pinned, buf_span(&body), NULL, &part);
    verdict_must(cmp_client_protect(&r->pinned, buf_span(&part), NULL, 0, &message, &e), "protect",
                 &e);
    part.p[part.n - 1] ^= 1; /* the last octet of the proof of possession */
    {
        CLEANUP(buf_free) struct buf changed = BUF_INIT(MESSAGE_MAX);

        verdict_must(der_edit(buf_span(&message), "1", der_at(buf_span(&part), "1"), &changed, &e),
                     "edit", &e);
        cmp_msg_free(expect(r, "one bit of a signed message", "error badMessageCheck signature",
                            buf_span(&changed)));
    }
}

/* ---- messages whose outside is wrong ---- */

static void
check_outside(struct run *r)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf part = BUF_INIT(MESSAGE_MAX);
    CLEANUP(buf_free) struct buf good = BUF_INIT(MESSAGE_MAX);
    CLEANUP(buf_free) struct buf bad = BUF_INIT(MESSAGE_MAX);
    struct span extra[CMP_EXTRA_CERTS_MAX];
    static const uint8_t zero = 0;
    struct err e = {0};

    request_body(r->key, &body);
    make_part(&r->mac.client, buf_span(&body), NULL, &part);
    verdict_must(cmp_client_protect(&r->mac.client, buf_span(&part), NULL, 0, &good, &e), "protect",
                 &e);
    cmp_msg_free(expect(r, "one octet", "error badDataFormat signature", span_of(&zero, 1)));
    cmp_msg_free(
        expect(r, "the first half", "error badDataFormat signature", span_of(good.p, good.n / 2)));
    verdict_must(buf_set(&bad, buf_span(&good), &e), "copy", &e);
    verdict_must(buf_append(&bad, span_of(&zero, 1), &e), "copy", &e);
    cmp_msg_free(expect(r, "one octet too many", "error badDataFormat signature", buf_span(&bad)));
    verdict_must(der_edit(buf_span(&good), "2", (struct span){0}, &bad, &e), "edit", &e);
    cmp_msg_free(expect(r, "protectionAlg without protection", "error badMessageCheck signature",
                        buf_span(&bad)));
    verdict_must(der_edit(buf_span(&bad), ALGORITHM, (struct span){0}, &part, &e), "edit", &e);
    cmp_msg_free(
        expect(r, "no protection at all", "error badMessageCheck signature", buf_span(&part)));
    verdict_must(der_edit(buf_span(&good), "2",
                          SPAN_LITERAL("\xa0\x17\x03\x15\x00"
                                       "ABCDEFGHIJKLMNOPQRST"),
                          &bad, &e),
                 "edit", &e);
    cmp_msg_free(expect(r, "a MAC of zeros and the like", "error badMessageCheck signature",
                        buf_span(&bad)));
    for (size_t i = 0; i < CMP_EXTRA_CERTS_MAX; i++) {
        extra[i] = SPAN_LITERAL("\x30\x00");
    }
    make_part(&r->mac.client, buf_span(&body), NULL, &part);
    verdict_must(cmp_client_protect(&r->mac.client, buf_span(&part), extra, CMP_EXTRA_CERTS_MAX - 1,
                                    &good, &e),
                 "protect", &e);
    verdict_must(
        der_edit(buf_span(&good), "3.0.0", SPAN_LITERAL("\x30\x00\x30\x00\x30\x00"), &bad, &e),
        "edit", &e);
    cmp_msg_free(expect(r, "CVE-2026-63074: more extraCerts than 16",
                        "error badDataFormat signature", buf_span(&bad)));
}

/* ---- keys ---- */

static void
check_keys(struct run *r)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf message = BUF_INIT(MESSAGE_MAX);
    struct {
        const char *what;
        EVP_PKEY *key;
    } keys[] = {
        {"an RSA key of 1024 bits", EVP_RSA_gen(1024)},
        {"a key on secp224r1", EVP_EC_gen("secp224r1")},
        {"a key on brainpoolP256r1", EVP_EC_gen("brainpoolP256r1")},
    };
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        CLEANUP(buf_free) struct buf part = BUF_INIT(MESSAGE_MAX);

        if (keys[i].key == NULL) {
            verdict_stop(keys[i].what, "OpenSSL cannot make it");
        }
        request_body(keys[i].key, &body);
        make_part(&r->mac.client, buf_span(&body), NULL, &part);
        verdict_must(cmp_client_protect(&r->mac.client, buf_span(&part), NULL, 0, &message, &e),
                     keys[i].what, &e);
        cmp_msg_free(expect(r, keys[i].what, "ip badCertTemplate mac", buf_span(&message)));
        EVP_PKEY_free(keys[i].key);
    }
}

/* ---- confirmations ---- */

static void
check_transaction(struct run *r)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf message = BUF_INIT(MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *ip = NULL;
    CLEANUP(cmp_client_answer_free)
    struct cmp_client_answer answer = {.body = CMP_IP, .certificate = BUF_INIT(CMP_MESSAGE_MAX)};
    CLEANUP(x509_name_cleanup) X509_NAME *name = some_name();
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    struct cmp_client_state state;
    struct err e = {0};

    verdict_must(cmp_client_request(&r->mac.client, CMP_IR, r->key, name, &state, &message, &e),
                 "ir", &e);
    ip = expect(r, "the request that is right", "ip mac", buf_span(&message));
    verdict_must(cmp_client_read_body(ip, &answer, &e), "ip", &e);
    certificate = certificate_parse(buf_span(&answer.certificate), &e);
    verdict_must(certificate == NULL, "certificate", &e);
    state.recip_nonce_size = cmp_msg_sender_nonce(ip).n;
    memcpy(state.recip_nonce, cmp_msg_sender_nonce(ip).p, state.recip_nonce_size);
    cmp_msg_free(expect(r, "the same request", "error transactionIdInUse mac", buf_span(&message)));
    verdict_must(cmp_client_body_certconf(certificate, true, &body, &e), "certConf", &e);
    for (size_t i = 0; i < n_laters; i++) {
        check_row(r, &r->mac.client, &laters[i], buf_span(&body), &state);
    }
    {
        const struct row other = {"certConf: signed, after a MAC", PVNO, "020102",
                                  "error wrongIntegrity signature"};
        const struct row right = {"certConf that is right", PVNO, "020102", "pkiConf mac"};
        const struct row again = {"certConf after pkiConf", PVNO, "020102",
                                  "error certConfirmed mac"};

        check_row(r, &r->pinned, &other, buf_span(&body), &state);
        check_row(r, &r->mac.client, &right, buf_span(&body), &state);
        check_row(r, &r->mac.client, &again, buf_span(&body), &state);
    }
}

/* ---- the whole ---- */

static void
become(struct run *r, const char *folder)
{
    struct err e = {0};

    credentials_mac_load(&r->mac, folder);
    r->pinned = credentials_client(folder, "pinned");
    r->key = cmp_client_key(&e);
    verdict_must(r->key == NULL, "key", &e);
}

int
main(int argc, char **argv)
{
    struct run r = {0};
    struct err e = {0};

    if (argc != 5) {
        (void)fprintf(stderr, "usage: conformance HOST PORT PATH CREDENTIALS\n");
        return 2;
    }
    verdict_must(ossl_init(&e), "start", &e);
    r.http = (struct http_client){.host = argv[1],
                                  .port = (int)strtol(argv[2], NULL, 10),
                                  .fd = -1,
                                  .timeout_ms = TIMEOUT_MS};
    r.path = argv[3];
    become(&r, argv[4]);
    check_firsts(&r);
    check_signed(&r);
    check_outside(&r);
    check_keys(&r);
    check_transaction(&r);
    credentials_mac_free(&r.mac);
    credentials_client_free(&r.pinned);
    EVP_PKEY_free(r.key);
    http_client_close(&r.http);
    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
    return verdict_end(&r.verdict);
}
