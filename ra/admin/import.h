/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.h - a batch of registrations (ca/registration/batch.h) on its way.
 *
 * First the whole batch is checked: the registrar's signature, the tree, every document. One that
 * is wrong refuses all, and nothing has happened. Then each registration goes the way of enlist.h
 * on its own, a few at a time, and ends in a row. Importing the same batch again gives the same
 * ids, makes what is missing, and says "known" of the rest. Private to ra/; on the loop's thread.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "ra/daemon/ra.h"

struct import_request {
    struct ra *ra;
    struct buf manifest; /* CMS, DER or PEM; taken */
    struct buf text;     /* the lines; taken */
    const char *who;     /* for the log; borrowed until the end */
    /* One registration: {"index", "id", "nfInstanceId", "proof", "result", ...}; takes the
     * reference. */
    void (*row)(void *arg, json_t *row);
    /* The end: a summary, whose reference is taken, or NULL and why nothing was done. */
    void (*done)(void *arg, json_t *summary, const struct err *why);
    void *arg;
};

/* Nothing is called inside. */
void import_begin(struct import_request *);
