/* SPDX-License-Identifier: Apache-2.0 */
/*
 * starve.h - what a function says when memory is short inside OpenSSL: each allocation that the
 * library makes for it fails in turn.
 *
 * Our own memory aborts when there is none (base/mem.h); OpenSSL's calls return NULL, 0 or -1, and
 * each such return is a check of ours that nothing else in a test can reach.
 *
 * A sweep runs a function fed and counts its allocations, then with the n-th failing, then with all
 * from the n-th on failing. Each run must say what the fed run said, octet for octet, or fail with
 * a reason; what the fed run refuses must be refused. Nothing that was allocated is left, and the
 * fed function says again what it said.
 *
 * Linking this installs its allocator before main(). One thread; no secure heap.
 */
#pragma once

#include "base/buf.h"

enum { STARVE_OUT_MAX = 256 * 1024, STARVE_RUNS = 24 };

/* Puts what it finds into `out`, in octets that are the same each time; 0, or -1 and a reason. */
typedef int starve_run(const void *arg, struct buf *out, struct err *e);

struct starve {
    const char *name;
    starve_run *run;
    const char *why; /* a part of the reason why the fed run refuses; NULL: it succeeds */
    const void *arg;
    size_t runs; /* of each pass, spread evenly; 0: STARVE_RUNS. Besides, alone, the first and the
                    last allocation of each line of OpenSSL */
};

/* NULL, or an owned text about the first run that breaks the rule. STARVE=all in the environment
 * leaves no allocation out. */
char *starve_find(const struct starve *) OWNED(mem_free);
/* Prints what is found; how many of them break the rule. */
size_t starve_sweep(const struct starve *, size_t n);

/* In a run: between these it is fed. For what is there before, or for telling what was found. */
void starve_pause(void);
void starve_resume(void);
