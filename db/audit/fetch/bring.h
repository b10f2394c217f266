/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bring.h - the tiles and entries of a checkpoint, from the source into the folder. Nothing stays
 * there that is not what the checkpoint covers: the partial tiles give its root, each tile is asked
 * for after the one above it, which says what it must be, and entries after their hashes. So a
 * wrong answer is asked for again, and not taken for what is there already, next time.
 */
#pragma once

#include "db/audit/fetch/fetch.h"

char *bring_path(const struct fetch *, const char *name) OWNED(mem_free);
int bring_put(const struct fetch *, const char *name, struct span octets, struct err *e);

struct bring {
    const struct fetch *f;
    const struct log_key *key;
    struct span note; /* of the checkpoint, */
    uint64_t size;    /* which covers so many */
    uint64_t earlier; /* leaves of the checkpoint in the folder, whose files stay as they are */
};
/* The folder as this checkpoint covers it; *files: so many came. NULL + e. */
struct audit_log *bring_files(const struct bring *, uint64_t *files, struct err *e)
    OWNED(audit_close);
