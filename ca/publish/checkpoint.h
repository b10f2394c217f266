/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.h - nothing leaves before the record of it is signed and stored: checkpoints, one at a
 * time, each over everything that is committed when it begins. The published files follow within a
 * second. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

/* Embedded in a job. */
struct release_item {
    uint64_t leaf;
    void (*released)(struct release_item *);
    /* May be NULL. In the operation that stores the first checkpoint over the leaf, `note`, of
     * `size` leaves: so what shows that the leaf is in it costs no operation of its own. Not called
     * when a stored one covers the leaf already. */
    int (*prove)(struct release_item *, struct store_db *, struct span note, uint64_t size,
                 struct err *e);
    struct release_item *next;
};

void release_free(struct release *);
struct release *release_new(struct ca *) OWNED(release_free);

/* Calls item->released, perhaps at once, when a signed, stored checkpoint covers item->leaf. */
void release_wait(struct release *, struct release_item *);
/* What was submitted to the store just now brings leaves: the checkpoint over them is prepared in
 * the same commit, unless one is under way. */
void release_soon(struct release *);
/* At start and end, without the loop: publishes a checkpoint over everything. */
int release_now(struct ca *, struct err *e);
