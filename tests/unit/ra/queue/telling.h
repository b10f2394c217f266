/* SPDX-License-Identifier: Apache-2.0 */
/* telling.h - an RA whose CA is busy, away, wrong or out of its mind, as a test says. */
#pragma once

#include "tests/unit/ra/running.h"

enum { TELLING_WAIT_MS = 60 };

/* What it does; telling_reset() makes it a good one. */
struct telling_ca {
    size_t busy;               /* so many times first */
    struct link_message after; /* said of the same behind that; type 0: nothing */
    uint64_t last;             /* sequence */
    bool in_order;             /* never one before it */
    bool holds;                /* says nothing to SUBMIT */
    size_t held;
    struct link_message first; /* said before anything else; type 0: nothing */
    struct link_message then;  /* instead of the good answer; type 0: that */
};
extern struct telling_ca telling_ca;

int telling_reset(void **state);
void telling_hears(struct running *w, struct member *m, enum cmp_body body, enum cmp_status status);
/* Until the log has said it so often. */
void telling_is_said(struct running *w, const char *text, size_t n);
/* Its ir is kept, and hears so. */
void telling_waits(struct running *w, struct member *m);
/* The same, and the CA has got it. */
void telling_waits_there(struct running *w, struct member *m);
bool telling_is_held(struct running *w);
