/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h - many registrations under one signature of a registrar.
 *
 * A batch is a text file: one registration (registration.h) on each line. What the registrar signs
 * is its manifest, which has the root of the Merkle tree (RFC 9162 2.1) over the lines:
 *
 *   {"version":1, "batch":{"registrations":10000, "root":"<64 hex>"}}
 *
 * So each registration stands on its own: its evidence is a BatchElement, which shows that its line
 * is the one that was signed, without the other 9,999. It goes over the link, into the database and
 * into the record as the CMS of a single registration does, and is verified anew wherever it is
 * used.
 *
 *   BatchElement ::= SEQUENCE {
 *       version   INTEGER (1),
 *       manifest  OCTET STRING,   -- CMS SignedData, DER
 *       index     INTEGER,        -- of the line, from 0
 *       path      OCTET STRING,   -- audit path, RFC 9162 2.1.3.1: hashes of 32 octets
 *       document  OCTET STRING    -- the line, without its line feed
 *   }
 *
 * Pure and thread-safe, but for the cache, which has a lock.
 */
#pragma once

#include "base/tlog/merkle.h"
#include "ca/registration/registration.h"

enum {
    BATCH_OCTETS_MAX = 32 * 1024 * 1024,
    BATCH_REGISTRATIONS_MAX = 50000,
    BATCH_MANIFEST_MAX = 8 * 1024, /* octets of its CMS */
    BATCH_PATH_MAX = 17,           /* hashes: 2^17 > BATCH_REGISTRATIONS_MAX */
};

/* ---- the file ---- */

struct batch;
void batch_free(struct batch *);
/* Splits into lines and hashes them; `text` is borrowed until batch_free(). Documents are not read.
 * ERR_INPUT: empty, an empty line ("registrations[7]: empty line"), too long, too many. */
struct batch *batch_new(struct span text, struct err *e) OWNED(batch_free);
DEFINE_CLEANUP(batch_cleanup, struct batch, batch_free)

size_t batch_count(const struct batch *);
/* The line, without its line feed. */
struct span batch_document(const struct batch *, size_t i);
struct merkle_hash batch_root(const struct batch *);
/* The document of the manifest: what a registrar signs. */
char *batch_manifest_format(const struct batch *) OWNED(mem_free);

/* registration_parse() of line i; ERR_INPUT "registrations[4711].fqdns[0]: ...". Also that no line
 * before has the same nfInstanceId, when they are checked from 0 up without a gap. */
int batch_check(struct batch *, size_t i, const struct nf_rules *rules, struct err *e);

/* ---- evidence ---- */

/* Appends the BatchElement of line i under a manifest whose CMS is `manifest` (DER). */
int batch_element(const struct batch *, struct span manifest, size_t i, struct buf *out,
                  struct err *e);
/* Does it begin as a BatchElement does, and not as a CMS? Says nothing about the rest. */
bool batch_is_element(struct span);

struct batch_element {
    struct span manifest; /* borrowed from the octets */
    uint64_t index;
    struct merkle_proof path;
    struct span document;
};
/* Strict DER, nothing behind it. ERR_INPUT. */
int batch_element_parse(struct span der, struct batch_element *out, struct err *e);

struct batch_manifest {
    uint64_t registrations;
    struct merkle_hash root;
};
/* Strict, as registration_parse(). ERR_INPUT names the member ("batch.root: ..."). */
int batch_manifest_parse(struct span json, struct batch_manifest *out, struct err *e);

/* ---- manifests that verified ---- */

/*
 * Elements of one batch come one after the other: their manifest is verified once. The cache has
 * the last few, each for a minute of time `at` and within the validity of its signer.
 */
struct batch_manifests;
void batch_manifests_free(struct batch_manifests *);
struct batch_manifests *batch_manifests_new(void) OWNED(batch_manifests_free);

/* Verifies a manifest as registration_verify() does a registration. `cache` may be NULL. *signer is
 * the caller's. ERR_INPUT, ERR_CRYPTO, ERR_DENIED. */
int batch_manifest_verify(struct span cms, X509 *issuing, X509 *root, time_t at,
                          struct batch_manifests *cache, struct batch_manifest *out, X509 **signer,
                          struct err *e);
