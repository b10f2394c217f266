/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front.h - the first screen of a report: the verdict, what it rests on, and the figures that
 * everybody asks for; and at its end how anybody checks it. Private to report/.
 */
#pragma once

#include "db/audit/report/report.h"

/* Begins <main>; front_end() ends it. */
int front_write(const struct report *, FILE *out, struct err *e);
void front_end(const struct report *, FILE *out);
