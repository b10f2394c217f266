/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - the files of a store as they are, for who puts them back, and edits them. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum { FILE_MAIN, FILE_WAL, FILE_SEAL, FILE_KINDS };

/* One that is not there is empty. */
struct files {
    struct buf of[FILE_KINDS];
};

void files_free(struct files *);
struct files files_read(const char *path);
/* As they were; an empty one is removed. A rollback journal, too. */
void files_write(const struct files *, const char *path);
/* Some octet of it becomes another. */
void files_flip(struct files *, int kind, size_t at);
/* `n` octets at `at` are those of the other one, as far as both have them. */
void files_put_back(struct files *, int kind, size_t at, size_t n, const struct files *other);
/* Frame `i` of the WAL, with its seal: where it is, and how many octets. False: there is none. */
bool files_frame(const struct files *, size_t i, size_t *at, size_t *n);
