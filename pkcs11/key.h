/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h - one signing key on a token: born with exactly the attributes of a named policy, read back
 * attribute by attribute, found by CKA_ID *and* public half, and never believed unverified.
 *
 * Does: generate, find, read back, sign (CKM_ECDSA, CKM_RSA_PKCS raw), probe.
 * Does not: know what the signed bytes mean (nfpki-signer and the ceremony do), log.
 * Ownership: a key borrows its session.
 */
#pragma once

#include "pkcs11/algorithm.h"
#include "pkcs11/key_policy.h"
#include "pkcs11/session.h"

/*
 * Generates a pair in a logged-in read/write session, with 16 random octets as CKA_ID, and reads
 * back every attribute of both halves. A missing or different attribute is ERR_TOKEN naming half
 * and attribute; the pair then stays on the token as evidence. `id` and `spki` (DER) are what
 * key_find() wants. Not yet durable: see key_sync() below for what must follow.
 */
int key_generate(struct session *, const struct key_policy *, enum key_algorithm, const char *label,
                 uint8_t id[KEY_ID_SIZE], struct buf *spki, struct err *e);

/*
 * After generation the token is asked again by somebody else, because SoftHSM calls no fsync while
 * it generates and a killed generation leaves half pairs (reference: 25 of 150):
 *   1. close the session and the module, file_sync_tree(token directory)   [software tokens]
 *   2. a fresh process (ceremony/run/self_check.h; `nfpki-signer --self-test` does the same for a
 * policy file) opens the token, reads every attribute back, compares the public half, and (without
 *      ALWAYS_AUTHENTICATE) signs a fixed text, which this process verifies.
 * key_sync() is step 1 without the closing; a token directory of NULL is a hardware token and
 * nothing is done.
 */
int key_sync(const char *token_directory, struct err *e);

struct key;
void key_free(struct key *);
/*
 * The pair with CKA_ID `id` whose public half is exactly `spki`. ERR_NOTFOUND when one half is
 * missing, ERR_CONFLICT when CKA_ID has more than one private or public key, ERR_DENIED when the
 * public half is another one, ERR_TOKEN when an attribute departs from `policy` (all are read).
 */
struct key *key_find(struct session *, const struct key_policy *, struct span id, struct span spki,
                     struct err *e) OWNED(key_free);
DEFINE_CLEANUP(key_cleanup, struct key, key_free)

/* Where the PIN for context-specific logins comes from; called once per signature. `pin` is a
 * BUF_SECRET(255), wiped right after. Needed for keys of root-signing-v1. */
typedef int key_pin_source(void *context, struct buf *pin, struct err *e);
void key_set_pin_source(struct key *, key_pin_source *source, void *context);

/* Signs the bytes `tbs`: hashes them with the key's digest, signs, verifies under the pinned public
 * key. `signature` is replaced: DER ECDSA-Sig-Value, or the RSA signature; its maximum must be
 * SIGNATURE_MAX at least. ERR_CRYPTO when the token's signature does not verify: never released. */
int key_sign(struct key *, struct span tbs, struct buf *signature, struct err *e);

/* As key_sign() with a digest of exactly the key's size; any other length is ERR_INPUT before the
 * token is asked (SoftHSM would sign 0 or 300 octets). */
int key_sign_digest(struct key *, struct span digest, struct buf *signature, struct err *e);

enum key_algorithm key_get_algorithm(const struct key *);
const struct key_policy *key_get_policy(const struct key *);
struct span key_get_id(const struct key *);
struct span key_get_spki(const struct key *);
struct session *key_get_session(const struct key *);
CK_OBJECT_HANDLE key_get_private(const struct key *);
/* The public key; borrowed. */
EVP_PKEY *key_get_public(const struct key *);

/* Reads every attribute of both halves again; `seen` (may be NULL) gets each, for the transcript.
 * Errors as of key_find(). */
int key_read_back(struct key *, key_attribute_seen *seen, void *context, struct err *e);

/*
 * Negative probes: each must be refused by the token. Nothing is signed, nothing is left behind.
 * `seen` gets one line per probe: name ("read CKA_VALUE"), the CKR name that came, and whether that
 * is a refusal. ERR_TOKEN when a probe was not refused (after all were run).
 * Wants a logged-in read/write session.
 */
typedef int key_probe_seen(void *context, const char *probe, const char *ckr, bool refused,
                           struct err *e);
int key_probe(struct key *, key_probe_seen *seen, void *context, struct err *e);
