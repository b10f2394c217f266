/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what a mirror is. Private to db/audit/mirror/. */
#pragma once

#include "db/audit/mirror/mirror.h"
#include "db/audit/mirror/sql.h"

struct mirror {
    struct sql *db;
    struct log_key key;
    bool key_is_given;
    int64_t cosigned;             /* -1: nobody asked */
    struct checkpoint checkpoint; /* the accepted one */
    struct buf note;
    uint64_t contradicted; /* the size of the checkpoint that an import ended at: a fork */
    mirror_over *is_over;  /* NULL: nobody is in a hurry */
    void *over_arg;
    struct checkpoint asked; /* what is taken in begins with its tree; of size 0: with any */
};

/* An empty one of this log, in the file that `db` is, which has no table yet. */
int mirror_make(struct sql *db, const struct log_key *, bool given, struct err *e);
/* Of the file that `db` is, which is taken in any case. ERR_DENIED when it is no mirror, or of
 * another schema than this program's. */
struct mirror *mirror_load(struct sql *db, struct err *e) OWNED(mirror_close);
/* What was accepted, read again. */
int mirror_load_accepted(struct mirror *, struct err *e);
