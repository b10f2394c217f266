/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge.h - a bundle in memory, changed and chained anew as a forger would: hashes, numbers and
 * head.txt are right again, so that what the verifier says is about the change alone.
 */
#pragma once

#include <jansson.h>

#include "base/ossl.h"

enum { FORGE_FILES_MAX = 24 };

struct forge {
    char *directory; /* where the changed bundle is written */
    struct {
        char *name;
        struct buf bytes;
    } files[FORGE_FILES_MAX]; /* but the transcript */
    size_t n_files;
    json_t *header;
    json_t *records; /* [{"a": {...}, "fact": {...}}] */
    char head[2 * SHA256_SIZE + 1];
};

void forge_free(struct forge *);
/* Reads the bundle `from`; what is changed goes to the folder `to`. */
struct forge *forge_load(const char *from, const char *to) OWNED(forge_free);
/* A copy to change. */
struct forge *forge_dup(const struct forge *) OWNED(forge_free);
DEFINE_CLEANUP(forge_cleanup, struct forge, forge_free)

size_t forge_count(const struct forge *);
/* The fact of record i, counted from 0. Borrowed. */
json_t *forge_fact(const struct forge *, size_t i);
const char *forge_type(const struct forge *, size_t i);

/*
 * One change:
 *   "TYPE#N/MEMBER/..."  a member of the N-th fact of this type becomes `value`, which is JSON; a
 *                        number is a place in a list; NULL removes it. "^" flips the last bit of
 *                        base64, "+" of hex, and "=TYPE#N/MEMBER/..." copies what stands there
 *   "TYPE#N"             NULL: the record goes; else it is put in front of it
 *   "TYPE#N@t"           of the record's own members: t, up, lvl; "*@t" of all records from the
 *                        second on
 *   "header/MEMBER"      of the header
 *   "definition:TEXT"    the first TEXT in the definition becomes `value`; its hash changes
 *                        wherever it stands
 *   "file:NAME"          becomes `value`; NULL: the file goes
 *   "end"                a fact behind the last
 *   "reseal"             hashes and files of all artifacts follow their contents again, and the
 *                        seal lists them
 */
void forge_edit(struct forge *, const char *at, const char *value);
/* Chains and writes everything. */
void forge_write(struct forge *);
