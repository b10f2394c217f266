/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer.h - files over http or https, several at once, from a source that nobody believes:
 * bounded in octets (after they are decoded) and in time, without redirects; asked again later when
 * it is busy or broken, as it says itself or ever longer. libcurl. One thread.
 */
#pragma once

#include "base/buf.h"
#include "db/audit/fetch/plan.h"

enum { TRANSFER_PARALLEL = 8 };

struct transfer_from {
    const char *url;    /* transfer_url() took it */
    const char *cacert; /* PEM; NULL: those of the host */
    unsigned stalled;   /* seconds of less than 512 octets each, after which it is broken off */
    unsigned tries;     /* of each file */
    unsigned wait;      /* milliseconds before the second try; then twice as long each time */
    /* A file is asked for again, so much later; why. NULL: nobody wants to know. */
    void (*waits)(void *arg, const char *name, const char *why, int64_t ms);
    void *arg;
};

/* Is it http or https, with a host, and without user, query and fragment? ERR_INPUT. */
int transfer_url(const char *url, struct err *e);

struct transfer_job {
    struct plan_file file;
    bool optional; /* may be missing */
    bool fresh;    /* no cache on the way */
};

struct transfer_calls {
    /* The next file to ask for; false: there are no more. */
    bool (*next)(void *arg, struct transfer_job *);
    /* One that came; `whole`: the full one in place of a partial one. ERR_INPUT: it is none; it is
     * asked for again. Another reason ends all. */
    int (*take)(void *arg, const struct transfer_job *, bool whole, struct span octets,
                struct err *e);
    /* One that may be missing, and that is none after all tries, or is longer than it may be: what
     * came of it. NULL: that ends all, too. */
    int (*wrong)(void *arg, const struct transfer_job *, struct span octets, const struct err *why,
                 struct err *e);
    void *arg;
};

/* Until all have come, or one does not. ERR_NOTFOUND: it is not there; ERR_DENIED: what was
 * answered is not allowed; ERR_INPUT: it is none; ERR_BUSY: after all tries; ERR_IO. */
int transfer_run(const struct transfer_from *, const struct transfer_calls *, struct err *e);
