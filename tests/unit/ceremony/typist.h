/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typist.h - runs a program at a terminal of its own and types what nfpki-ceremony asks for: the
 * words that a question wants, the time, the hash of the definition, PINs.
 */
#pragma once

#include "base/buf.h"

enum { TYPIST_OUTPUT_MAX = 256 * 1024 };

#define TYPIST_PIN "user-secret-1"
#define TYPIST_SO_PIN "so-secret-1"
#define TYPIST_INTERRUPT "\003" /* ^C */
#define TYPIST_END "\004"       /* ^D: the input ends */

/* Something else than the right answer to the questions that contain `question`. */
struct typed {
    const char *question;
    const char *answer;
    void (*before)(void); /* what happens first; NULL: nothing */
};

/* Runs argv (NULL at its end; argv[0] is a path) at a new terminal. `hash` are the digits that are
 * typed for the definition's. What is on the screen goes to `out`. The exit status; 128 and more
 * for a signal. */
int typist_run(char *const argv[], const char *hash, const struct typed *other, size_t n_other,
               struct buf *out);
/* Runs argv without any terminal; what it writes goes to `out`. */
int typist_run_alone(char *const argv[], struct buf *out);
