/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sent.h - what came in life before a certificate was in ca.db: a batch of registrations under one
 * registrar's signature, the requests of their network functions with what the RA says of them
 * under one signed head, and their certConfs. Every octet is what the product would have been
 * given; MACs have the least iterations that are taken, to be quick.
 */
#pragma once

#include <time.h>

#include "base/tlog/queue_head.h"
#include "ca/x509/profile/nf.h"
#include "pkcs11/client/client.h"

enum { SENT_ID = 33, SENT_HASH = 32, SENT_NONCE = 16 };

/* One network function on its way. */
struct sent {
    struct nf_identity nf;
    struct buf element; /* BatchElement: the registration's evidence */
    struct span json;   /* its line, borrowed from the lot */
    char id[SENT_ID];
    uint8_t transaction_id[SENT_NONCE];
    uint8_t spki_sha256[SENT_HASH];
    struct buf spki;
    struct buf request;      /* its PKIMessage */
    struct buf confirmation; /* its certConf */
};

/* Whom they talk to, and who signs for them; everything borrowed. */
struct sent_by {
    X509 *registrar;
    EVP_PKEY *registrar_key;
    X509 *ra;
    struct span ra_der;
    struct signer *ra_signer;
    uint8_t ra_key[QUEUE_HEAD_ID];
    uint8_t ca[QUEUE_HEAD_ID];
    time_t now;
};

/* A private key in PEM without a passphrase. */
EVP_PKEY *sent_key(const char *path, struct err *e) OWNED(EVP_PKEY_free);

/* Up to `n` of QUEUE_HEAD_SIZE_MAX registrations, signed together, and what their network functions
 * ask. sent_free() each; `text` is theirs, too. */
int sent_register(const struct sent_by *, struct sent *, size_t n, struct buf *text, struct err *e);
/* The certConf for this certificate. */
int sent_confirm(struct sent *, struct span certificate, struct err *e);
void sent_free(struct sent *);

/* What an RA hands over of one message. */
struct queued {
    uint8_t rid[SENT_HASH];
    struct buf entry;
    struct buf path;
    struct buf whole; /* the Submission */
};
void queued_free(struct queued *);
/* The head over all of them, from place `first` on behind the head `previous`, which becomes this
 * one; `head` and `signature` are replaced. */
int queued_make(const struct sent_by *, const struct sent *, const struct span *messages, size_t n,
                uint64_t first, uint8_t previous[QUEUE_HEAD_ID], struct buf *head,
                struct buf *signature, struct queued *out, struct err *e);
