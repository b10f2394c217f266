/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/job.h"

#include <event2/event.h>

#include "base/ossl.h"
#include "ca/registration/registration.h"
#include "ra/queue/heads.h"
#include "ra/queue/queue.h"

struct job *
job_new(struct ra *ra, struct http_exchange *exchange, const struct route *route)
{
    struct job *job = mem_new(sizeof(*job));

    ra->jobs++;
    job->ra = ra;
    job->exchange = exchange;
    job->raw = http_exchange_request(exchange)->body;
    job->address = http_exchange_address(exchange);
    job->route = *route;
    job->rules = http_exchange_tag(exchange);
    job->now = clock_now();
    job->behind_s = ra->behind_s;
    job->failure = CMP_NO_FAILURE;
    return job;
}

static void
clear_facts(struct job *job)
{
    if (cmp_body_asks_certificate(job->body)) {
        cmp_certreq_free(job->facts.enrolment.certreq);
        buf_free(&job->facts.enrolment.asked);
    }
}

/* The CA may be away: then it says nothing how long it took. */
static void
leave_place(struct job *job)
{
    struct ra *ra = job->ra;
    const bool telling = ra->queue != NULL && queue_is_up(ra->queue);

    crowd_leave(ra->beginning, &job->place, telling, clock_monotonic_ms());
}

void
job_free(struct job *job)
{
    job->ra->jobs--;
    job->ra->refusals -= job->turned_away;
    leave_place(job);
    if (job->timer != NULL) {
        event_free(job->timer);
    }
    clear_facts(job);
    cmp_msg_free(job->msg);
    cmp_msg_free(job->outer);
    mem_free(job->upstream);
    X509_free(job->signer);
    mem_free(job->signer_issuer);
    mem_free(job->signer_subject);
    requests_registration_clear(&job->registration);
    requests_enrolment_clear(&job->enrolment);
    cmp_mac_key_free(job->key);
    buf_free(&job->entry);
    head_release(job->ra->heads, job->head);
    buf_free(&job->answer_part);
    buf_free(&job->out);
    buf_free(&job->sign.signature);
    mem_free(job);
}

bool
job_is_mac(const struct job *job)
{
    return job->authenticated && job->key != NULL;
}

struct span
job_nonce(const struct job *job)
{
    return span_of(job->nonce, job->nonce_kept ? sizeof(job->nonce) : 0);
}

int
job_fail(struct job *job, enum cmp_failure failure)
{
    job->failure = failure;
    return -1;
}

int
job_say(struct job *job, enum phrase phrase)
{
    return phrase_say(&job->failure, phrase, &job->e);
}

int
job_say_window(struct job *job, const struct registration *registration)
{
    char when[ERR_VALUE_SIZE];
    bool ended = false;

    (void)registration_is_closed(registration, job->now, &ended, when, sizeof(when));
    (void)job_say(job, ended ? PHRASE_ENDED : PHRASE_NOT_OPEN);
    return phrase_value(&job->e, "%s", when);
}
