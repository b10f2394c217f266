/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what this RA says of itself for the record (base/tlog/ra_report.h): whom it refused,
 * when it began and stopped, what administrators did here.
 *
 * Does: count in memory, and each report_period sign and send what came together, again until the
 * CA has it; the beginning and the end at once. Nothing waits for
 * it, and it writes nothing to the disk: what a kill finds untold is lost, and the next report
 * begins with a start that has no stop before it. Does not: tell more than REPORT_HOUR_MAX
 * different refusals an hour by themselves: the others are counted by their failInfo. More than
 * REPORT_DID_MAX lines of commands in one report: when it has so many it is due, at most
 * REPORT_FULL_MAX times an hour, since the CA takes only so many reports; what comes until it is
 * under way is counted, and in the log, but for a stop.
 *
 * All functions take NULL, and do nothing then. Private to ra/; on the loop's thread.
 */
#pragma once

#include "ca/cmp/message/failure.h"
#include "ra/daemon/ra.h"

enum { REPORT_LINES_MAX = 64, REPORT_HOUR_MAX = 256, REPORT_DID_MAX = 32, REPORT_FULL_MAX = 10 };
enum { REPORT_TICK_MS = 1000 };

struct report;
/* When it is not busy. */
void report_free(struct report *);
/* Begins with a start. It looks what is due each `tick_ms`. */
struct report *report_new(struct ra *, int tick_ms) OWNED(report_free);

/* registration: "" when none is known. `why` is a text of ours, not of who asked. */
void report_refused(struct report *, const char *registration, enum cmp_failure, const char *why);
/* object: a registration; NULL: nothing that has a name. */
void report_did(struct report *, const char *command, bool done, const char *object,
                const char *who);
/* What is left is told now. */
void report_stop(struct report *, const char *why);
/* The signer has it; or the CA, that is there, and may answer still (a little while, when this
 * stops).
 */
bool report_is_busy(const struct report *);
/* The first of these: report_free() must wait. */
bool report_with_signer(const struct report *);
