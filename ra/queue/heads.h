/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heads.h - the RA's signature on the heads of its queue (base/tlog/queue_head.h): one for all that
 * was committed together.
 *
 * Does: ask the signer for one head once at a time, tell everybody who waits for it; keep a bounded
 * number of those that nobody uses, with their signatures. Does not: keep a signature on disk: the
 * same text is signed again; sign a text that does not have this RA's stamp and name its key and
 * its CA: whoever can write ra.db must not make the RA say it. Private to ra/; on the loop's
 * thread, but for head_new(), head_made() and heads_author().
 */
#pragma once

#include "db/requests/requests.h"
#include "ra/daemon/ra.h"

enum { HEADS_KEPT = 128 };

struct heads;
/* When nobody uses one and the signer has none. */
void heads_free(struct heads *);
struct heads *heads_new(struct ra *) OWNED(heads_free);

/* Who makes them, for requests_put_head(); `ra` outlives it. From any thread. */
struct requests_author heads_author(struct ra *);

/* ---- one of them; each use is counted ---- */

struct head;
/* Takes what is in the row over. ERR_INPUT: its text is none. Used once, and known to nobody. */
struct head *head_new(struct requests_head *row, struct err *e);
/* The same of one that this process has just stamped: it was nowhere else. */
struct head *head_made(struct requests_head *row, struct err *e);
/* One more use, and one less. */
struct head *head_use(struct head *);
void head_release(struct heads *, struct head *);
/* The one that is known with this text, else this one; with its use. */
struct head *heads_know(struct heads *, struct head *);

/* Does it name the key that this RA has, and its CA? Else its entries take a new place
 * (queue/places.h). */
bool head_is_current(const struct ra *, const struct head *);
/* Is it this RA that made it? ERR_DENIED. Pure. */
int head_check_stamp(const struct ra *, const struct head *, struct err *e);
uint64_t head_first(const struct head *);
/* ERR_CRYPTO unless `entry` is its leaf at this sequence. */
int head_covers(const struct head *, uint64_t sequence, struct span entry, struct err *e);

/* ---- its signature ---- */

struct head_waiter {
    void (*done)(struct head_waiter *, const struct err *why); /* NULL: it is signed */
    struct head_waiter *next;
};
bool head_is_signed(const struct head *);
/* `done` comes once, later, unless heads_forget() is first. -1, and it does not come: no signer
 * will ever be asked for it (ERR_DENIED). */
int heads_ask(struct heads *, struct head *, struct head_waiter *, struct err *e);
void heads_forget(struct head *, struct head_waiter *);
/* Something stays in the queue, for this RA has not put it there: the first of a run (pump.h) is
 * logged, unless it was that of the run before. */
void heads_say_not_ours(struct ra *, const struct err *why);

/* An entry, and the head over it; all borrowed. */
struct queue_item {
    const uint8_t *rid;
    uint64_t sequence;
    int64_t enrolment; /* whose it is */
    struct span message;
    struct span entry;
    const struct head *head;
    int64_t confirm_wait; /* > 0: who waits for the answer has what is issued when it is stored, and
                             so many seconds to confirm it */
    bool stands; /* that the CA took it changes nothing of what who waits is told: a certConf, whose
                    pkiConf needs its place in the queue and no more */
};
/* What the link carries of it, when its head is signed: replaces `out`. */
int head_submission(const struct ra *, const struct queue_item *, struct buf *out, struct err *e);
