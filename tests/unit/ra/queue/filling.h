/* SPDX-License-Identifier: Apache-2.0 */
/* filling.h - entries that are in the queue already, as an RA that was killed may have left them.
 */
#pragma once

#include "ra/queue/heads.h"
#include "tests/unit/ra/running.h"

/* So many under one head. */
struct filling {
    struct store_op op;
    struct requests_author author; /* this RA, unless it is changed */
    const char *registration;
    size_t n;
    size_t size;       /* of each message; its octets are no message */
    struct span whole; /* unless it is this */
    time_t received_at;
    struct requests_head head; /* out */
    /* out, of the last one */
    uint8_t rid[REQUESTS_RID_SIZE];
    struct buf message;
    struct buf entry;
};
struct filling filling_of(struct running *, const struct member *, size_t n, size_t size);
void filling_clear(struct filling *);
void filling_run(struct running *, struct filling *);
/* Its last entry as it was said before there were heads: the ProtectedPart around its message, by
 * an RA with this certificate; or that with the signature of an earlier key of this RA. */
struct buf filling_part(struct running *, const struct filling *, X509 *ra);
struct buf filling_signed(struct running *, const struct filling *);
/* What it made is not needed. */
void fill(struct running *, const struct member *, size_t n, size_t size);

DEFINE_CLEANUP(heads_cleanup, struct heads, heads_free)
/* requests_head_clear() it. */
struct requests_head requests_copy(const struct requests_head *);
