/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/transaction/charge.h"

#include "ra/daemon/budget.h"

bool
charge_take(struct job *job)
{
    int wait =
        budget_take(job->ra->by_registration, span_str(job->registration.id), clock_monotonic_ms());

    if (wait == 0) {
        job->charge = CHARGE_TAKEN;
        return true;
    }
    job->retry_after = wait;
    job->in_body = false;
    (void)err_set(&job->e, ERR_BUSY, "registration %s begins more than its budget allows",
                  job->registration.id);
    (void)job_say(job, PHRASE_BUDGET);
    return false;
}

void
charge_give_back(struct job *job)
{
    if (job->charge != CHARGE_NONE) {
        budget_give_back(job->ra->by_registration, span_str(job->registration.id));
        job->charge = CHARGE_NONE;
    }
}
