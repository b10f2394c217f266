/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.h - when which transaction is begun: all at once, or so many a second whatever becomes
 * of those before, and again those that were told to come again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct schedule;
void schedule_free(struct schedule *);
/* Of transactions 0 to `count` - 1; `rate` a second, 0: as soon as somebody takes one. From now. */
struct schedule *schedule_new(size_t count, unsigned rate) OWNED(schedule_free);
/* Waits until one is due, and says which and when it was; false when all have ended. Any thread. */
bool schedule_take(struct schedule *, size_t *which, int64_t *due_ms);
/* It comes again, `wait_ms` from now; or it has ended. */
void schedule_again(struct schedule *, size_t which, int64_t wait_ms);
void schedule_ended(struct schedule *);
