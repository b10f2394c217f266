/* SPDX-License-Identifier: Apache-2.0 */
/*
 * marks.h - where each 256th line of a journal begins, and the chain over those before it
 * (client/attempted.h): so any of ten million lines is found, and what is before it is known,
 * without reading more than 256 others. For journal.c.
 */
#pragma once

#include "pkcs11/signer/journal/line.h"

enum { MARKS_EACH = 256 };

struct mark {
    uint64_t offset;
    uint8_t chain[AGAIN_HASH];
};

/* All zero is none. */
struct marks {
    struct mark *list;
    size_t n;
    size_t capacity;
    uint64_t lines;
    uint8_t chain[AGAIN_HASH]; /* over all lines */
};
void marks_free(struct marks *);

/* The line behind the last; it begins at `offset`. */
int marks_add(struct marks *, const struct journal_attempt *, uint64_t offset, struct err *e);

/* The chain over the lines before `first`, at most one behind the last, and then each line from
 * there on, until `visit` says false. ERR_STORE "path: ..." when the file has others than it had
 * when they were added. */
struct marks_file {
    int fd;
    const char *path;
};
/* The lines from this mark to the next, or to the last: are they those that were added? ERR_STORE
 * as below. */
int marks_check(const struct marks *, struct marks_file, size_t mark, struct err *e);
int marks_chain(const struct marks *, struct marks_file, uint64_t first, uint8_t chain[AGAIN_HASH],
                struct err *e);
int marks_each(const struct marks *, struct marks_file, uint64_t first,
               bool (*visit)(void *arg, const struct journal_attempt *), void *arg, struct err *e);
