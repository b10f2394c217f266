/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmp_client.h - the other end of CMP: requests of an NF, and what the answers say. For tests and
 * the benchmark; pure functions, the caller carries the bytes.
 *
 * The identity is borrowed by every call. Output bufs are replaced; CMP_MESSAGE_MAX is enough.
 */
#pragma once

#include <openssl/evp.h>

#include "ca/cmp/build.h"
#include "ca/cmp/message/body.h"

/* Who asks: with a secret, or with a certificate. */
struct cmp_client {
    const char *reference; /* with a MAC: senderKID, and CN of the sender */
    struct span secret;
    struct span algorithm; /* with a MAC: DER AlgorithmIdentifier (cmp_client_pbm, _pbmac1) */
    X509 *certificate;     /* with a signature; then the three above are ignored */
    EVP_PKEY *key;
    const EVP_MD *digest;       /* of the signature; NULL: SHA-256 (none for EdDSA) */
    const X509_NAME *recipient; /* NULL: the NULL-DN */
    bool implicit_confirm;
    const char *profile; /* certProfile of a request; NULL: none */
    int pvno;            /* 0: 2 */
    time_t time;         /* messageTime of a first message; 0: now */
    bool no_time;        /* none */
};

/* A transaction as the client remembers it. */
struct cmp_client_state {
    uint8_t transaction_id[CMP_NONCE_SIZE];
    uint8_t sender_nonce[CMP_NONCE_MAX]; /* of our last message */
    size_t sender_nonce_size;
    uint8_t recip_nonce[CMP_NONCE_MAX]; /* of the last answer; size 0: none yet */
    size_t recip_nonce_size;
};

/* What an answer said. */
struct cmp_client_answer {
    enum cmp_body body;
    int cert_req_id;
    struct cmp_status_info status; /* ip, cp, kup, rp, error */
    struct buf certificate;        /* DER; empty when there is none. cmp_client_answer_free() */
    int64_t check_after;           /* pollRep */
    bool implicit_confirm;         /* granted */
};
void cmp_client_answer_free(struct cmp_client_answer *);

/* AlgorithmIdentifiers with a random salt of 16 octets. `owf` or `prf` and `mac` are NIDs. */
int cmp_client_pbm(int owf, uint32_t count, int mac, struct buf *out, struct err *e);
int cmp_client_pbmac1(int prf, uint32_t count, int mac, struct buf *out, struct err *e);
/* With another keyLength than 32. */
int cmp_client_pbmac1_key(int prf, uint32_t count, int mac, int key_size, struct buf *out,
                          struct err *e);

/* A new P-256 key. */
EVP_PKEY *cmp_client_key(struct err *e) OWNED(EVP_PKEY_free);
/* Its SubjectPublicKeyInfo, or another key's; replaces `out`. What OpenSSL has for it searches all
 * its encoders, so for P-256 it is not asked. */
int cmp_client_spki(const EVP_PKEY *, struct buf *out, struct err *e);

/* CertReqMessages with their tag: a template with this subject (NULL: none) and the public half of
 * `key`, and a proof of possession with it. */
int cmp_client_body_request(enum cmp_body type, EVP_PKEY *key, const X509_NAME *subject,
                            struct buf *body, struct err *e);
/* The same with more in it. */
struct cmp_client_wish {
    const X509_NAME *subject; /* NULL: none */
    int cert_req_id;
    const X509_NAME *old_issuer; /* of oldCertID; NULL: there is none */
    const ASN1_INTEGER *old_serial;
    const STACK_OF(X509_EXTENSION) * extensions; /* NULL: none */
};
int cmp_client_body_wish(enum cmp_body type, EVP_PKEY *key, const struct cmp_client_wish *,
                         struct buf *body, struct err *e);
/* A PKCS #10 request in DER, for this subject (NULL: none) and with this extension (NULL: none);
 * and the p10cr of it. */
int cmp_client_pkcs10(EVP_PKEY *key, const X509_NAME *subject, X509_EXTENSION *, struct buf *out,
                      struct err *e);
int cmp_client_body_p10cr(EVP_PKEY *key, const X509_NAME *subject, X509_EXTENSION *,
                          struct buf *body, struct err *e);
int cmp_client_body_certconf(const X509 *certificate, bool accept, struct buf *body, struct err *e);
/* One RevDetails; NULL leaves a field out, and so does a reason below 0. */
int cmp_client_body_rr(const X509_NAME *issuer, const ASN1_INTEGER *serial, int reason,
                       struct buf *body, struct err *e);
/* With hashAlg, which wants pvno 3; NULL: without. */
int cmp_client_body_certconf_with(const X509 *certificate, const EVP_MD *md, bool accept,
                                  struct buf *body, struct err *e);
int cmp_client_body_pollreq(int cert_req_id, struct buf *body, struct err *e);

/* Fills sender, recipient, senderKID and algorithm of a header for this client. `name` and
 * `recipient` keep what the header borrows (X509_NAME_free() the name, buf_free() the buf). */
int cmp_client_header(const struct cmp_client *, struct cmp_header *, X509_NAME **name,
                      struct buf *recipient, struct err *e);
/* Protects a header and a body as this client does. */
int cmp_client_seal(const struct cmp_client *, const struct cmp_header *, struct span body,
                    struct buf *out, struct err *e);
/* Protects a ProtectedPart that is there already, whatever it says (of 64 KiB at most). `extra` are
 * certificates after the client's own. */
int cmp_client_protect(const struct cmp_client *, struct span part, const struct span *extra,
                       size_t n_extra, struct buf *out, struct err *e);

/* A whole message with this body, which begins a transaction in `state` or goes on with it. */
int cmp_client_message(const struct cmp_client *, bool first, struct span body,
                       struct cmp_client_state *state, struct buf *out, struct err *e);
/* The usual ones. The requests begin a transaction in `state`. */
int cmp_client_request(const struct cmp_client *, enum cmp_body type, EVP_PKEY *key,
                       const X509_NAME *subject, struct cmp_client_state *state, struct buf *out,
                       struct err *e);
int cmp_client_rr(const struct cmp_client *, const X509 *target, int reason,
                  struct cmp_client_state *state, struct buf *out, struct err *e);
int cmp_client_certconf(const struct cmp_client *, const X509 *certificate, bool accept,
                        struct cmp_client_state *state, struct buf *out, struct err *e);
int cmp_client_pollreq(const struct cmp_client *, int cert_req_id, struct cmp_client_state *state,
                       struct buf *out, struct err *e);

/* What the body of an answer says; `out->body` is set before. Checks nothing else. */
int cmp_client_read_body(const struct cmp_msg *, struct cmp_client_answer *out, struct err *e);
/*
 * Decodes an answer and checks transactionID and recipNonce against `state`, which it moves on, and
 * the protection: a MAC with the client's secret, a signature with `server` (NULL: with the
 * certificate that the answer brings, whoever that is).
 */
int cmp_client_read(const struct cmp_client *, struct span der, X509 *server,
                    struct cmp_client_state *state, struct cmp_client_answer *out, struct err *e);
