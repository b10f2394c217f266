/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf.h - one entry of the ledger: a JSON object with sorted keys, compact, ASCII, at most
 * LEAF_MAX octets. Every kind has a closed list of members; a leaf with another one is no leaf. The
 * kinds, their members and what they mean are in db/LEDGER.md.
 *
 * A leaf is built and sealed in any thread, by one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"

enum { LEAF_MAX = 65535, LEAF_HASH_SIZE = 32 };
/* What this program writes. An older record is read by the rules of its time, a newer one is
 * refused. */
enum { LEAF_RECORD_VERSION = 7 };
/* Seconds by which the notBefore of an INTENT may be before the time at which it was judged, and
 * the revocationDate of a REVOKED before its time. */
enum { LEAF_BACKDATE_MAX = 3600 };

/* Seconds by which a leaf may be dated before the one before it: threads date what one appends, and
 * a clock is set by a little now and then. */
enum { LEAF_BACK_MAX = 300 };

/* Seconds by which the QUEUE-HEAD that a leaf rests on may be older than that. */
enum { LEAF_HEAD_AGE_MAX = 86400 };

enum leaf_kind {
    LEAF_START,
    LEAF_STOP,
    LEAF_CONFIG,
    LEAF_REGISTRATION,
    LEAF_CANCEL,
    LEAF_REQUEST,
    LEAF_REFUSAL,
    LEAF_INTENT,
    LEAF_ISSUED,
    LEAF_CONFIRMED,
    LEAF_REJECTED,
    LEAF_REVOKED,
    LEAF_CRL,
    LEAF_RECOVERED,
    LEAF_CEREMONY,
    LEAF_APPROVAL,
    LEAF_AGAIN,
    LEAF_CRL_INTENT,
    LEAF_QUEUE_HEAD,
    LEAF_SEALED,
    LEAF_RESTORED,
    LEAF_ADOPTED,
    LEAF_ACKNOWLEDGED,
    LEAF_RA_REPORT,
    LEAF_OPERATION,
    LEAF_CLOCK,
    LEAF_KINDS, /* how many */
};

const char *leaf_kind_name(enum leaf_kind);

struct leaf;
void leaf_free(struct leaf *);
struct leaf *leaf_new(enum leaf_kind kind, time_t at) OWNED(leaf_free);
DEFINE_CLEANUP(leaf_cleanup, struct leaf, leaf_free)

/* Set a member. A name or type that the kind does not have, or text that is not UTF-8, is found by
 * leaf_seal(). */
void leaf_set_text(struct leaf *, const char *name, const char *text);
void leaf_set_int(struct leaf *, const char *name, int64_t number);
void leaf_set_bool(struct leaf *, const char *name, bool value);
void leaf_set_hex(struct leaf *, const char *name, struct span bytes);
void leaf_set_base64(struct leaf *, const char *name, struct span bytes);
void leaf_set_time(struct leaf *, const char *name, time_t at);

/* Checks the members, makes the bytes and their hash; no more members afterwards. ERR_INPUT names
 * kind and member. Sealing twice is fine. ledger_append() seals what is not sealed: do it in a
 * worker to spare the writer. */
int leaf_seal(struct leaf *, struct err *e);

/* Exactly the bytes that leaf_seal() makes, or ERR_INPUT. */
struct leaf *leaf_parse(struct span body, struct err *e) OWNED(leaf_free);

enum leaf_kind leaf_kind(const struct leaf *);
time_t leaf_time(const struct leaf *);
/* Of a sealed or parsed leaf; borrowed. */
struct span leaf_body(const struct leaf *);
/* SHA-256(0x00 || body) (RFC 6962 2.1); LEAF_HASH_SIZE octets. */
const uint8_t *leaf_hash(const struct leaf *);
/* Text, hex, base64 and time members as their text, NULL when missing; borrowed. */
const char *leaf_text(const struct leaf *, const char *name);
/* `missing` when there is none. */
int64_t leaf_int(const struct leaf *, const char *name, int64_t missing);
/* false when there is none. */
bool leaf_bool(const struct leaf *, const char *name);
