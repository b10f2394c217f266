/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lots.h - certificates are judged by threads, a lot of them at a time, and come back in the order
 * in which they were given. Each thread has a library context of its own (base/pool.h).
 *
 *   [lots_add: gather]  -- at most 2 lots for each thread -->  [judge]  -->  [told, in order]
 */
#pragma once

#include "db/audit/lint/asked.h"

struct lots;
void lots_free(struct lots *);
/* `told` is called for each, by lots_add() and lots_end(), in the thread that calls these. */
typedef void lots_told(void *arg, struct lint_asked *);
struct lots *lots_new(size_t threads, lots_told *, void *arg, struct err *e) OWNED(lots_free);

/* Takes what is asked. `issuer` in DER is borrowed until lots_end(); empty: it is not here. */
void lots_add(struct lots *, struct lint_asked *, struct span issuer);
/* Waits for all. */
void lots_end(struct lots *);
