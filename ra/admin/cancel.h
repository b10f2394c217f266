/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cancel.h - one cancellation on its way: verified here, its signer a registrar by the CA's record,
 * cancelled here, kept until the CA has it, and then done.
 *
 * Private to ra/; everything is called on the loop's thread.
 */
#pragma once

#include "ca/registration/cancellation.h"
#include "db/requests/requests.h"
#include "ra/daemon/ra.h"
#include "ra/queue/roles.h"

struct cancelling {
    /* What the caller sets; the rest all zero. */
    struct ra *ra;
    struct buf input; /* what a registrar signed */
    void (*done)(struct cancelling *);

    /* What came of it. */
    int result;
    struct err e;
    struct cancellation_signed *cancellation; /* NULL when it did not verify */

    /* Private. */
    struct task task;
    struct store_op op;
    struct role_waiter waiter;
    uint8_t signer[SHA256_SIZE];
};

/* Begins; `done` is called once, later. ERR_BUSY: the CA does not answer. When it was cancelled
 * here already it is told until it knows (closing.h), and `e` says so. */
void cancel(struct cancelling *);
void cancelling_clear(struct cancelling *);
