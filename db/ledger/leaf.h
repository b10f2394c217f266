/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf.h - one entry of the ledger: a JSON object with sorted keys, compact, ASCII, at most
 * LEAF_MAX octets. Every kind has a closed list of members; a leaf with another one is no leaf.
 *
 * All kinds: "kind" text, "time" RFC 3339 Z. The members of each kind (? = may be missing):
 *
 *   START         program text, version text, config hex (SHA-256 of the file), softwareToken bool,
 *                 issuer hex (SHA-256 of the issuing certificate), record? int: version of the
 *                 record from here on (LEAF_RECORD_VERSION), 1 when it is missing
 *   STOP          reason text
 *   CONFIG        file text, sha256 hex, previous? hex
 *   REGISTRATION  registration hex, sha256 hex (of the CMS), nfInstanceId text, registrar hex
 * (serial of its certificate), proof text (mac certificate vendor publicKey), certificates int,
 * notBefore time, notAfter time, cms? base64 or batch? base64 (DER of a CMS, or of one element of a
 * batch; when it fits) CANCEL        registration hex, reason? text, and who: registrar hex (serial
 * of its certificate) and cms base64 (what it signed), or by text (the officer at the CA) REQUEST
 * rid hex, registration hex, profile text, assurance text (mac signature), qseq int REFUSAL rid
 * hex, registration? hex, failInfo int (bit of PKIFailureInfo), reason text INTENT        rid hex,
 * serial hex, profile text, tbs hex (SHA-256 of the TBSCertificate), notBefore time, notAfter time,
 * nfInstanceId? text, registration? hex, assurance? text (the last three are missing for
 * infrastructure certificates) ISSUED        rid hex, serial hex, certificate base64 (DER)
 * CONFIRMED     rid hex, serial hex REJECTED      rid hex, serial hex, reason text: the end entity
 * did not want it, or the intent was given up before a signature was stored REVOKED       serial
 * hex, reason int (CRLReason), by? text, revocationDate? time CRL number int, sha256 hex,
 * thisUpdate time, nextUpdate time, entries int RECOVERED     resumed int, abandoned int, text?
 * text: what a start found unfinished CEREMONY      head hex (of the transcript), name text,
 * sha256? hex (of the bundle)
 *
 * REGISTRATION has supersedes? hex (the registration that it replaces on purpose). INTENT has
 * updates? hex (of a kur: serial of the certificate that is superseded when this one is
 * confirmed) and renews? hex (of a cr or p10cr: serial of the one whose place it takes). REVOKED
 * has supersededBy? hex (serial; only directly behind its CONFIRMED), rr? hex (rid of the request
 * for it) and invalidityDate? time.
 *
 *   APPROVAL      rid hex, registration hex, decision text (approve reject), officer hex (serial of
 *                 the certificate), key hex (SHA-256 of its public key), subject text, cms base64
 *                 (what the officer signed), reason? text
 *
 *   AGAIN         rid hex, serial hex: of the kur that got the certificate, again hex (rid of the
 *                 newer kur of the same holder that is answered with it), registration hex,
 *                 messageTime time (of that), qseq int
 *
 *   CRL-INTENT    before a CRL is signed: number int, tbs hex (SHA-256 of the TBSCertList),
 * thisUpdate time, nextUpdate time, entries int, upTo int (the revocations in so many leaves of the
 * record are on it), revocations hex (SHA-256 of its entries, in their order: for each a line of
 * serial in hex, date and CRLReason, with a blank between them), expiredBefore? time (revocations
 * of certificates that ended before are not on it; missing: all are)
 *
 * CRL has tbs? hex, that of its CRL-INTENT; from version 2 of the record on both are there.
 *
 * REJECTED has registration? hex, when its network function did not want an initial certificate
 * under it. INTENT has insteadOf? hex: serial of that one, when this is the further try that policy
 * allows once for each registration, and no use of it.
 * INTENT has messageTime? time: of a request that updates or renews, when it said one.
 * INTENT's notBefore is at most LEAF_BACKDATE_MAX seconds before its time, for clocks that are
 * behind, and not after it; CRL's thisUpdate is before its time for the same reason.
 * REVOKED's revocationDate, before its time for the same reason, is the date that every CRL has;
 * when it is missing that is its time. INTENT has profileFile? hex: SHA-256 of the file of profiles
 * that it was made under, of no octets for the built-in ones; missing for infrastructure
 * certificates. REQUEST and INTENT have approvals? int: how many officers had to approve, missing
 * when none.
 *
 * hex is lower case, an even number of digits; serial is the serial number's octets (32 digits when
 * ours); rid is SHA-256 of what was asked with (PKIMessage, or the PKCS #10 of an officer's
 * request). A leaf is built and sealed in any thread, by one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"

enum { LEAF_MAX = 65535, LEAF_HASH_SIZE = 32 };
/* What this program writes. An older record is read by the rules of its time, a newer one is
 * refused. */
enum { LEAF_RECORD_VERSION = 2 };
/* Seconds by which the notBefore of an INTENT may be before the time at which it was judged, and
 * the revocationDate of a REVOKED before its time. */
enum { LEAF_BACKDATE_MAX = 3600 };

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
