/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.h - what a program of interop/ says of each answer that it got, and in the end.
 */
#pragma once

#include "tests/support/cmp_client.h"

/* Ends the program with 1. */
_Noreturn void verdict_stop(const char *what, const char *why);
/* The same, with what `e` says, when `result` is not 0. */
void verdict_must(int result, const char *what, const struct err *e);

/* How many answers were compared, and how many of them were not as wanted. */
struct verdict {
    int count;
    int wrong;
};
/* "ip", "error badAlg": appends what the message says, and gives the whole of it. */
void verdict_read(const char *what, const struct cmp_msg *, struct cmp_client_answer *,
                  struct buf *said);
/* Prints the row. */
void verdict_compare(struct verdict *, const char *what, const char *wanted, struct span said);
/* Prints the sum; the exit status of the program. */
int verdict_end(const struct verdict *);
