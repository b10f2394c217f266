/* SPDX-License-Identifier: Apache-2.0 */
/* journal_lines.h - the signers' journals, as somebody else may write them, and what nfpki-ca says.
 */
#pragma once

#include "pkcs11/signer/journal/journal.h"
#include "tests/unit/ca/daemon/world.h"

enum { LINES_REFUSED = 3 }; /* exit status */

/* A file of the world's folder, whole. */
struct buf lines_load(const struct world *, const char *name);
void lines_save(const struct world *, const char *name, const struct buf *octets);

/* Where the daemon's log ends, and does it say this behind there? */
size_t lines_log_end(const struct world *);
bool lines_log_says(const struct world *, size_t from, const char *says);

/* The journal of "issuing" or "log" while its signer does not run, the newest line of this kind in
 * it, and a line as it is. */
struct journal *lines_open(const struct world *, const char *name);
struct journal_attempt lines_newest(const struct journal *, char kind);
void lines_add(struct journal *, const struct journal_attempt *);

/* Of a signer in the status. */
json_int_t lines_figure(struct world *, const char *signer, const char *name);
void lines_make_crl(struct world *);
/* A start ends with LINES_REFUSED, and says this. */
void lines_must_refuse(struct world *, const char *row, const char *says);
