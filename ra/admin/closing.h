/* SPDX-License-Identifier: Apache-2.0 */
/*
 * closing.h - cancelled registrations whose end the CA has not confirmed: the CA was away, or one
 * of us was killed in between. It is told again, with what a registrar signed, after each new
 * connection and every few seconds, until it says CANCELLED; then what was delivered under them is
 * noted as revoked. When it says REFUSED an operator has to look, and the log says so. On the
 * loop's thread.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"

struct ra;

struct closing;
void closing_free(struct closing *);
struct closing *closing_new(struct ra *) OWNED(closing_free);

/* Begins a round unless one is under way or the CA is not there. */
void closing_run(struct closing *);
/* Is a round under way? The daemon ends after it. */
bool closing_is_busy(const struct closing *);
