/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enlist.h - one registration on its way: verified here, accepted by the CA, and only then stored.
 *
 * Its reference and one-time secret are in the `struct enlisting` until that is cleared, sealed in
 * ra.db, and nowhere else. Private to ra/; everything is called on the loop's thread.
 */
#pragma once

#include "ca/registration/registration.h"
#include "db/requests/requests.h"
#include "ra/daemon/ra.h"
#include "ra/secret/seal.h"

struct enlisting {
    /* What the caller sets; the rest all zero. */
    struct ra *ra;
    struct buf input; /* what a registrar signed */
    void (*done)(struct enlisting *);

    /* What came of it. */
    int result;
    struct err e; /* ERR_CONFLICT: something that is registered stands against it */
    bool known;   /* it is registered already, and its secret was shown then */
    struct registration_signed *registration; /* NULL when it did not verify */
    char reference[SEAL_REFERENCE_SIZE + 1];  /* "" unless proof mac, as the secret */
    struct buf secret;

    /* Private. */
    struct task task;
    struct store_op op;
    uint8_t hash[SHA256_SIZE];
    bool is_proven; /* by what `proven` pins, too */
    char proven[REQUESTS_ID_SIZE];
};

/* Begins; `done` is called once, later. A database that does not work any more ends the program. */
void enlist(struct enlisting *);
/* Wipes and releases what it holds. */
void enlisting_clear(struct enlisting *);
