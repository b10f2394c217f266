/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers: protected as the request was where that proved who asks, signed by the RA otherwise
 * (RFC 9483 3.2, 3.6). A MAC under the client's own AlgorithmIdentifier.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/cmp/message/asked.h"
#include "ra/judge/job.h"
#include "ra/judge/message/support.h"
#include "ra/judge/own.h"

enum { ANSWER_MAX = CMP_SUPPORT_MAX + 8 * 1024 }; /* with header and certificates */

/* The type of the transaction's answer: of its first message, whatever came now. */
static enum cmp_body
answer_type(const struct job *job)
{
    return cmp_body_answer(job->found ? (enum cmp_body)job->enrolment.body : job->body);
}

static int
cert_req_id(const struct job *job)
{
    return job->found ? job->enrolment.cert_req_id : job->cert_req_id;
}

/* RFC 9483 3.6.2: in the answer's own body where it has a place for it, else in error. */
static int
failure_body(const struct job *job, struct buf *body, struct err *e)
{
    char phrase[PHRASE_SIZE];
    const char *text = job->told != NULL ? job->told : phrase;

    phrase_tell(job->failure, &job->e, phrase);
    if (!job->in_body || answer_type(job) == CMP_GENP) {
        return cmp_body_error(job->failure, text, body, e);
    }
    if (answer_type(job) == CMP_RP) {
        return cmp_body_not_revoked(job->failure, text, body, e);
    }
    return cmp_body_rejected(answer_type(job), cert_req_id(job), job->failure, text, body, e);
}

/* What cannot be answered, the file system willing, is an error that says so. */
static int
support_answer(struct job *job, struct buf *body, struct err *e)
{
    if (support_body(job, body, e) == 0) {
        return 0;
    }
    log_err(LOG_ERROR, "genm-unanswered", e, "%s asked for %s", job->identity,
            cmp_info_name(job->facts.question.genm.info));
    return cmp_body_error(job->failure, NULL, body, e);
}

/* The certificate says what the registration says; the client is told when that is not what it
 * asked for (RFC 9810 5.2.3), and the same each time that it asks. */
static int
issued_body(const struct job *job, struct buf *body, struct err *e)
{
    const struct requests_enrolment *x = &job->enrolment;
    const struct span root = buf_span(&job->ra->credentials.root_der);
    const struct profile *profile = profiles_find(job->ra->settings->profiles, x->profile);
    bool granted = true;

    if (cmp_asked_is_granted(buf_span(&x->asked), buf_span(&x->certificate),
                             profile == NULL ? 0 : profile->ignored, &granted, e) != 0) {
        return -1;
    }
    /* RFC 9483 4.1.2, 4.1.3: caPubs in ip only, and not for who knows this PKI by a certificate of
     * it */
    return cmp_body_issued(answer_type(job), cert_req_id(job),
                           granted ? CMP_ACCEPTED : CMP_GRANTED_WITH_MODS,
                           buf_span(&x->certificate), &root,
                           answer_type(job) == CMP_IP && !judge_own_applies(job), body, e);
}

static int
body_of(struct job *job, struct buf *body, struct err *e)
{
    switch (job->answer) {
    case ANSWER_FAILURE:
    case ANSWER_EXCUSE:
        return failure_body(job, body, e);
    case ANSWER_ISSUED:
        return issued_body(job, body, e);
    case ANSWER_DONE:
        return cmp_body_revoked(body, e);
    case ANSWER_WAITING:
        if (answer_type(job) == CMP_RP || answer_type(job) == CMP_GENP) {
            return cmp_body_error_waiting(body, e);
        }
        return cmp_body_waiting(answer_type(job), cert_req_id(job), body, e);
    case ANSWER_SUPPORT:
        return support_answer(job, body, e);
    case ANSWER_POLL:
        return cmp_body_pollrep(job->facts.question.poll_id, job->check_after, job->reason, body,
                                e);
    case ANSWER_CONFIRM:
        return cmp_body_pkiconf(body, e);
    case ANSWER_STATE:
    case ANSWER_NONE:
        break;
    }
    abort(); /* a kind that is none is a bug of ours */
}

/* RFC 9483 3.3: the protection certificate first, then the chain of what is issued. */
static size_t
extra_certificates(const struct job *job, struct span extra[3])
{
    const struct credentials *c = &job->ra->credentials;
    size_t n = 0;

    if (!job_is_mac(job)) {
        extra[n++] = buf_span(&c->certificate_der);
    }
    extra[n++] = buf_span(&c->issuing_der);
    extra[n++] = buf_span(&c->root_der);
    return n;
}

/* A client that lost our only answer polls without recipNonce, and again when it loses the next
 * one. Nothing tells these from copies that somebody else sends, so each gets our last senderNonce:
 * the nonces of the transaction stand still, and its client goes on with what it has. */
static void
keep_nonce(struct job *job)
{
    if (job->nonce_kept) {
        job->header.sender_nonce = job_nonce(job);
    } else if (job->enrolment.nonce.n > 0 && job->body == CMP_POLLREQ &&
               cmp_msg_recip_nonce(job->msg).n == 0) {
        job->header.sender_nonce = buf_span(&job->enrolment.nonce);
    }
}

int
answer_build(struct job *job)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_SUPPORT_MAX);
    const struct credentials *c = &job->ra->credentials;
    struct cmp_header *h = &job->header;
    struct span extra[3];
    size_t n = extra_certificates(job, extra);

    if ((job->msg != NULL ? cmp_header_reply(job->msg, h, &job->e)
                          : cmp_header_echo(&job->echo, h, &job->e)) != 0 ||
        body_of(job, &body, &job->e) != 0) {
        return -1;
    }
    keep_nonce(job);
    h->sender = X509_get_subject_name(c->certificate);
    if (job->answer == ANSWER_ISSUED) {
        h->implicit_confirm = job->enrolment.implicit;
        h->confirm_wait = job->enrolment.implicit ? 0 : job->now + job->ra->settings->confirm_wait;
    }
    if (job_is_mac(job)) {
        h->sender_kid = cmp_msg_sender_kid(job->msg);
        job->out = BUF_INIT(ANSWER_MAX);
        return cmp_build_mac(h, buf_span(&body), job->key, extra, n, &job->out, &job->e);
    }
    h->sender_kid = c->ski;
    h->algorithm = job->ra->credentials.algorithm;
    job->answer_part = BUF_INIT(ANSWER_MAX);
    return cmp_build_part(h, buf_span(&body), &job->answer_part, &job->e);
}

int
answer_finish(struct job *job, struct span signature)
{
    struct span extra[3];
    size_t n = extra_certificates(job, extra);

    job->out = BUF_INIT(ANSWER_MAX);
    return cmp_build_finish(buf_span(&job->answer_part), signature, extra, n, &job->out, &job->e);
}
