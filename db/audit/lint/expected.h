/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expected.h - what each certificate must be, by the auditor's own table (expected.conf, which is
 * in the program) and, for an operator's own profiles, by the file that an INTENT names by its
 * SHA-256. Not a line is shared with who issues.
 *
 * Constant once all files are added; then any thread may ask.
 */
#pragma once

#include <confuse.h>
#include <stdbool.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/ossl.h"

struct lint_table;
void lint_table_free(struct lint_table *);
struct lint_table *lint_table_new(struct err *e) OWNED(lint_table_free);
DEFINE_CLEANUP(lint_table_cleanup, struct lint_table, lint_table_free)
enum { LINT_FILES_MAX = 16 };
/* An operator's nfpki-profiles.conf(5). ERR_INPUT "file:line: ..."; also of one too many. */
int lint_table_add(struct lint_table *, const char *path, struct err *e);

/* SHA-256 of what it has: our own table and the operator's files, in their order. */
int lint_table_hash(const struct lint_table *, uint8_t out[SHA256_SIZE], struct err *e);

/* A profile, with all that its class has. Borrowed from the table. */
struct lint_profile {
    cfg_t *profile;
    cfg_t *class;
    const struct lint_table *table;
};

/* The profile of this name in the file of this SHA-256 (hex): of no octets, or NULL for those of
 * the authority's own, it is the table itself. ERR_NOTFOUND: that file is not here; ERR_DENIED: it
 * has no such profile. */
int lint_table_find(const struct lint_table *, const char *file, const char *name,
                    struct lint_profile *out, struct err *e);

/* Does the list `option` of a section have this text? */
bool lint_has(cfg_t *section, const char *option, const char *text);
/* Of a network function, that is. */
bool lint_profile_is_nf(const struct lint_profile *);
/* In seconds. */
time_t lint_profile_longest(const struct lint_profile *);
/* The section of an extension or a purpose by its object identifier; NULL: there is none. */
cfg_t *lint_table_extension(const struct lint_table *, const char *oid);
cfg_t *lint_table_purpose(const struct lint_table *, const char *oid);
/* The object identifier of a purpose: of a name in the table, else the text itself. */
const char *lint_table_purpose_oid(const struct lint_table *, const char *text);
/* The object identifier of an extension of the table. */
const char *lint_table_extension_oid(const struct lint_table *, const char *name);
