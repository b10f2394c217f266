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
    struct release_item *next;
};

void release_free(struct release *);
struct release *release_new(struct ca *) OWNED(release_free);

/* Calls item->released, perhaps at once, when a signed, stored checkpoint covers item->leaf. */
void release_wait(struct release *, struct release_item *);
/* At start and end, without the loop: publishes a checkpoint over everything. */
int release_now(struct ca *, struct err *e);
