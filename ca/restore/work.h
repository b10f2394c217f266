/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.h - the copy of ca.db in which a restore works, with its seals, and how both take their
 * places.
 *
 * While it is there, ca.db is locked as SQLite locks it: a nfpki-ca that is started meanwhile says
 * that another process has it.
 */
#pragma once

#include "base/err.h"

struct restore_work {
    char *original; /* ca.db */
    char *copy;
    char *next; /* where the seals of the copy are while it takes its place */
    int fd;     /* of the original, with the lock; -1: there is none */
};
/* Ends the lock. The copy stays for work_remove(), or until the next restore begins anew. */
void work_free(struct restore_work *);
void work_init(struct restore_work *, const char *original);

/* Locks the original, when there is one. ERR_BUSY: a process has it, or left its WAL; there are
 * seals and no original. */
int work_lock(struct restore_work *, struct err *e);
/* The copy, durable; without an original it is not there. */
int work_copy(struct restore_work *, struct err *e);
int work_remove(struct restore_work *, struct err *e);
/* The copy, which is closed, durable. */
int work_sync(struct restore_work *, struct err *e);
/* The original gets the name `kept` besides, and the copy its own, durable; so do their seals. A
 * kill leaves the original, or what work_finish() makes the copy of. */
int work_swap(struct restore_work *, const char *kept, struct err *e);
/* Before `original` is opened: brings a swap to its end, or back to its beginning. */
int work_finish(const char *original, struct err *e);
