/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approval.h - what an officer decided about one waiting request, signed.
 *
 * A JSON document in an envelope (envelope.h) whose signer is an officer. It names exactly one
 * request by the hash of the network function's own octets, and what would be issued for it, so it
 * says nothing about any other. Pure and thread-safe.
 *
 *   {"version":1, "kind":"approval", "decision":"approve",
 *    "rid":"<64 hex>", "registration":"<32 hex>", "nfInstanceId":"uuid", "profile":"nf-tls",
 *    "publicKey":"<64 hex>", "time":"2026-11-23T00:00:00Z", "expires":"2026-11-30T00:00:00Z",
 *    "reason":"why, may be missing"}
 *
 * publicKey is the SHA-256 of the SubjectPublicKeyInfo in DER that is to be certified.
 */
#pragma once

#include <time.h>

#include "ca/registration/registration.h"

enum {
    APPROVAL_REASON_SIZE = 129,
    APPROVAL_PROFILE_SIZE = 64,
    APPROVAL_CMS_MAX = 16 * 1024, /* so that it fits into a leaf of the record */
    APPROVAL_DAYS_MAX = 31,       /* from time to expires */
    APPROVAL_SKEW_S = 300,        /* of an officer's clock */
};

struct approval {
    bool approves; /* decision: "approve"; else "reject" */
    uint8_t rid[SHA256_SIZE];
    char registration[REGISTRATION_ID_SIZE];
    char nf_instance[NF_INSTANCE_ID_SIZE];
    char profile[APPROVAL_PROFILE_SIZE];
    uint8_t public_key[SHA256_SIZE];
    time_t time;
    time_t expires;
    char reason[APPROVAL_REASON_SIZE]; /* printable ASCII; "": none */
};

/* The document. */
char *approval_format(const struct approval *) OWNED(mem_free);
/* Strict: no duplicate or unknown member, every value checked. ERR_INPUT names the member. */
int approval_parse(struct span json, struct approval *out, struct err *e);
/* Same request, registration, network function, profile and public key. ERR_DENIED names the one
 * that differs; window and decision are not compared. */
int approval_binds(const struct approval *, const struct approval *request, struct err *e);
/* Made by `at`, with allowance for the officer's clock, and not expired then. ERR_DENIED. */
int approval_check_window(const struct approval *, time_t at, struct err *e);

struct approval_signed {
    struct buf cms; /* DER */
    X509 *officer;
    char *subject;                 /* of the officer, RFC 2253 */
    uint8_t key_hash[SHA256_SIZE]; /* of the officer's SubjectPublicKeyInfo */
    struct approval content;
};
void approval_signed_free(struct approval_signed *);
DEFINE_CLEANUP(approval_signed_cleanup, struct approval_signed, approval_signed_free)

/* An envelope of an officer whose path is good at `at`, with the document in its window. Not asked
 * here: whether the certificate is revoked, and what the request is. ERR_INPUT, ERR_CRYPTO,
 * ERR_DENIED as envelope_open(). */
struct approval_signed *approval_verify(struct span cms, X509 *issuing, X509 *root, time_t at,
                                        struct err *e) OWNED(approval_signed_free);

/* On the officer's side: `document` signed, with the certificate attached. ERR_INPUT when the key
 * is not the certificate's. */
int approval_sign(struct span document, X509 *officer, EVP_PKEY *key, struct buf *cms,
                  struct err *e);

/* Two certificates of one person: the same subject or the same key. */
bool approval_same_person(const X509 *, const X509 *);
