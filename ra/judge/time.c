/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/time.h"

void
judge_time_see(struct job *job)
{
    enum cmp_failure failure;

    job->untimely =
        cmp_check_time(job->msg, job->now, job->behind_s, job->ra->settings->message_time_window,
                       &failure, &job->clock) != 0;
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
    job->e = job->clock;
    job->in_body = false;
    return job_fail(job, CMP_BAD_TIME);
}
