/* SPDX-License-Identifier: Apache-2.0 */
/*
 * charge.h - who begins a transaction pays for it: daemon/budget.h, by registration. Private to
 * ra/; on the thread that has the job.
 *
 * Only what is proven to come from the registered one counts, so nobody uses up another's budget;
 * and only what begins a transaction, so one that is under way can be finished.
 */
#pragma once

#include "ra/judge/job.h"

/* False: the budget is used up, and it is refused. */
bool charge_take(struct job *);
void charge_give_back(struct job *);
