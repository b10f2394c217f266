/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - somebody set the clock while this ran: a leaf CLOCK, so that who reads times knows
 * which do not compare. The clock goes as the monotonic one until it is set; when it is more than
 * CLOCK_STEP_S apart from where it was at the start, or when this was told last, that is told, and
 * the log has it, too: at once or in small steps, which so do not add up unseen. Looks every ten
 * seconds, on the loop's thread. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

enum { CLOCK_STEP_S = 60 };

struct clock_watch;
void clock_watch_free(struct clock_watch *);
/* Once, when the leaf START is there. */
struct clock_watch *clock_watch_new(struct ca *) OWNED(clock_watch_free);
