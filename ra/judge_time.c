/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge_time.h"

#include <stdio.h>

void
judge_time_see(struct job *job)
{
    enum cmp_failure failure;
    struct err e = {0};

    job->untimely = cmp_check_time(job->msg, &job->ra->rules, job->now, job->clock,
                                   sizeof(job->clock), &failure, &e) != 0;
}

int
judge_time_stranger(struct job *job)
{
    if (job->untimely && job->failure != CMP_SYSTEM_FAILURE) {
        job->failure = CMP_BAD_TIME;
        job->in_body = false;
    }
    return -1;
}

int
judge_time(struct job *job)
{
    if (!job->untimely) {
        return 0;
    }
    job->phrase = job->clock;
    job->in_body = false;
    (void)err_set(&job->e, ERR_INPUT, "%s", job->clock);
    return job_fail(job, CMP_BAD_TIME);
}
