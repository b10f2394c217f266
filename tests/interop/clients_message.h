/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clients_message.h - one message as somebody else's client makes it, and what is answered.
 */
#pragma once

#include "tests/interop/credentials.h"
#include "tests/interop/verdict.h"
#include "tests/support/http_client.h"

enum { CLIENT_MESSAGE_MAX = 128 * 1024 };

struct client_run {
    struct http_client strict;
    struct http_client old;
    const char *path;
    struct credentials_mac mac;
    struct cmp_client pinned;
    struct cmp_client second;
    struct cmp_client held;
    X509 *ra;
    X509 *issuing;
    EVP_PKEY *key;        /* to be certified, of who has the secret */
    EVP_PKEY *signed_key; /* and of who signs: a key has one owner */
    X509_NAME *subject;
    struct verdict verdict;
};

/* What is otherwise than in a message of ours. */
struct client_quirk {
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
struct client_transaction {
    uint8_t id[CMP_NONCE_SIZE];
    uint8_t nonce[CMP_NONCE_MAX + 1];
    struct buf recip_nonce;
    X509 *certificate;
};

void client_transaction_begin(struct client_transaction *);
void client_transaction_end(struct client_transaction *);

/* A message with this body; the first of a transaction, or the next one in `t`. */
void client_make(const struct client_run *, const struct cmp_client *as,
                 const struct client_quirk *, struct span body, struct client_transaction *t,
                 struct buf *message);
/* Sends a message that is made, and compares what is answered. */
void client_expect(struct client_run *, struct http_client *to, const char *what,
                   const char *wanted, struct span message, const struct client_quirk *,
                   struct client_transaction *t);
/* Both. */
void client_say(struct client_run *, struct http_client *to, const struct cmp_client *as,
                const struct client_quirk *, struct span body, struct client_transaction *t,
                const char *what, const char *wanted);

/* Of an ir, and of the certConf of what it got. */
void client_body_of_request(const struct client_run *, const struct cmp_client *as,
                            const struct client_quirk *, struct buf *body);
void client_certconf_body(const struct client_transaction *, const struct client_quirk *,
                          struct buf *body);

/* An ir alone. */
void client_ask(struct client_run *, struct http_client *to, const struct cmp_client *as,
                const struct client_quirk *, const char *what, const char *wanted);
/* An ir and its certConf. */
void client_enrol(struct client_run *, struct http_client *to, const struct cmp_client *as,
                  const struct client_quirk *, const char *what);
