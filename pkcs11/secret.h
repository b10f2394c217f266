/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h - one secret key on a token, which derives the key that seals the RA's one-time secrets
 * and, by way of that, ra.db; or the one that seals ca.db.
 *
 * It is 256 random bits that never leave the token; with CKM_SHA256_HMAC over a fixed text it gives
 * the same key at each start (a key derivation in counter mode of one block, NIST SP 800-108 with
 * HMAC). Born with exactly the attributes of policy "ra-seal-v1" or "ca-seal-v1", which are the
 * same and tell people whose it is, read back one by one, found by CKA_ID. Process: nfpki-signer
 * and nfpki-ceremony only.
 */
#pragma once

#include "pkcs11/key_policy.h"
#include "pkcs11/session.h"

enum { SECRET_MAC_SIZE = 32 };

/* Is it the name of a policy of secret keys? */
bool secret_is_policy(const char *name);

/* Generates in a logged-in read/write session, with 16 random octets as CKA_ID, and reads back
 * every attribute. Not yet durable: key_sync() of key.h. */
int secret_generate(struct session *, const char *label, uint8_t id[KEY_ID_SIZE], struct err *e);

struct secret;
void secret_free(struct secret *);
/* ERR_NOTFOUND, ERR_CONFLICT (more than one with this CKA_ID), ERR_TOKEN when an attribute departs
 * from the policy (all are read). Borrows the session. */
struct secret *secret_find(struct session *, struct span id, struct err *e) OWNED(secret_free);
DEFINE_CLEANUP(secret_cleanup, struct secret, secret_free)

/* HMAC-SHA-256 of `text`; replaces `out`, which should be a BUF_SECRET. */
int secret_mac(struct secret *, struct span text, struct buf *out, struct err *e);

/* Reads every attribute again; `seen` (may be NULL) gets each, for the transcript. */
int secret_read_back(struct secret *, key_attribute_seen *seen, void *context, struct err *e);

/* Negative probes: each must be refused by the token; see key_probe() of key.h. */
typedef int secret_probe_seen(void *context, const char *probe, const char *ckr, bool refused,
                              struct err *e);
int secret_probe(struct secret *, secret_probe_seen *seen, void *context, struct err *e);
