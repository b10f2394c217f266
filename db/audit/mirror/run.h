/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - one run of `mirror`: what a folder has that the mirror has not is verified and taken in;
 * a folder that tells another history than the one before is named, and both checkpoints are kept.
 */
#pragma once

#include "db/audit/mirror/import.h"

/* A new one of this log; `given`: a person gave the key. ERR_CONFLICT when the file is there. */
int mirror_init(const char *path, const struct log_key *, bool given, struct err *e);
/* One that can be imported into. ERR_NOTFOUND: it is not made for you. */
struct mirror *mirror_open_writable(const char *path, struct err *e) OWNED(mirror_close);
/* Somebody gave the log's key: ERR_CONFLICT when it is another one. From here on the mirror says
 * so.
 */
int mirror_trust(struct mirror *, const struct log_key *, struct err *e);

/* A source showed a checkpoint of `size` leaves that was refused before it came here: kept is that
 * it did, and of a fork that nothing of this log is accepted any more. */
int mirror_refused(struct mirror *, const char *source, uint64_t size, bool is_fork,
                   const char *reason, struct err *e);

/* What is taken in from here on begins with the tree of this checkpoint, about which somebody was
 * asked: a folder that tells another history now is BROKEN. */
void mirror_expect(struct mirror *, const struct checkpoint *);

/* The quorum of a policy has cosigned so many of the first leaves. */
int mirror_note_cosigned(struct mirror *, uint64_t size, struct err *e);

enum mirror_result {
    MIRROR_ACCEPTED,    /* there was more, and it is taken in */
    MIRROR_NOTHING_NEW, /* the same checkpoint as before */
    MIRROR_ROLLED_BACK, /* an earlier one */
    MIRROR_FORK,        /* one that contradicts what was signed before: never anything after it */
    MIRROR_BROKEN,      /* files that are missing, or wrong */
    MIRROR_FOREIGN,     /* of another log, or signed by nobody: nothing is kept of it */
    MIRROR_FAILED,      /* the mirror's own file, or its disk */
};
const char *mirror_result_name(enum mirror_result);

struct mirror_outcome {
    enum mirror_result result;
    uint64_t from, to;
    char *evidence; /* the file with both checkpoints; NULL: there is none */
};
/* For CLEANUP. */
void mirror_outcome_free(struct mirror_outcome *);

/* 0 for the first two results, else the reason; the mirror has all that it had. */
int mirror_run(struct mirror *, const char *dir, mirror_progress *, void *arg,
               struct mirror_outcome *, struct err *e);
/* Time of the newest leaf that was accepted; 0: there is none. And what the rules found. */
int mirror_newest(struct mirror *, time_t *newest, struct err *e);
int mirror_figure(struct mirror *, const char *name, uint64_t *n, struct err *e);
