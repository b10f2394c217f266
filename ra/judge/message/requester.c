/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks, and may they? Cheap checks first, then the one that costs, then what it entitles to
 * (R37 of TS 33.310 and RFC 9483 3.5). An unknown reference and a wrong MAC do the same work and
 * get the same answer: nobody learns here which references exist.
 *
 * Stage 1 is form.c; here is stage 2: mac.c or protection.c, then for a first
 * message, as stage 3, its registration, the profile and what is asked for (
 * profile.c, own.c, revoke.c, support.c), for a later one its transaction (later.c). What each kind
 * of message must show is a row of needs_of().
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/names.h"
#include "ca/cmp/weakness.h"
#include "ca/registration/registration.h"
#include "ra/judge/job.h"
#include "ra/judge/mac.h"
#include "ra/judge/message/later.h"
#include "ra/judge/message/profile.h"
#include "ra/judge/message/revoke.h"
#include "ra/judge/message/support.h"
#include "ra/judge/own.h"
#include "ra/judge/protection.h"
#include "ra/judge/recipient.h"
#include "ra/judge/time.h"

static int
check_proof(struct job *job, const struct registration *registration)
{
    if (job->protection == CMP_PROTECTION_SIGNATURE &&
        weakness_check_signer(job->signer, job->ra->settings->blocked, &job->failure, &job->e) !=
            0) {
        return -1;
    }
    if (judge_own_right(job) != 0) {
        return -1;
    }
    if (judge_own_applies(job)) {
        return 0; /* the CA issued it to this network function */
    }
    switch (registration->proof.kind) {
    case PROOF_MAC:
        if (job->protection == CMP_PROTECTION_MAC) {
            return 0;
        }
        break;
    case PROOF_CERTIFICATE:
    case PROOF_VENDOR:
        if (job->protection == CMP_PROTECTION_SIGNATURE) {
            return registration_matches_certificate(registration, job->signer, &job->e) == 0
                       ? 0
                       : job_say(job, PHRASE_OTHER_CERTIFICATE);
        }
        break;
    case PROOF_PUBLIC_KEY:
        if (job->protection == CMP_PROTECTION_SIGNATURE) {
            return 0; /* check_asked_key(), when the key that it asks for is known */
        }
        break;
    }
    (void)err_set(&job->e, ERR_DENIED, "the registration wants another proof");
    return job_say(job, PHRASE_PROOF);
}

/* Proof publicKey: the registered key protects the request and is what the request asks for. */
static int
check_asked_key(struct job *job, const struct registration *registration)
{
    struct span spki = cmp_certreq_spki(job->facts.enrolment.certreq);
    uint8_t asked[SHA256_SIZE];

    if (registration->proof.kind != PROOF_PUBLIC_KEY || judge_own_applies(job)) {
        return 0;
    }
    if (sha256(spki, asked, &job->e) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    if (memcmp(asked, job->signer_key, sizeof(asked)) != 0) {
        (void)err_set(&job->e, ERR_DENIED,
                      "the request is not protected by the key that it asks for");
        return job_say(job, PHRASE_KEY_REGISTERED);
    }
    return registration_matches_spki(registration, spki, &job->e) == 0
               ? 0
               : job_say(job, PHRASE_KEY_REGISTERED);
}

static int
prepare_entry(struct job *job)
{
    struct cmp_queue_entry entry = {.received_at = job->now};

    entry.assurance =
        job->protection == CMP_PROTECTION_MAC ? CMP_ASSURANCE_MAC : CMP_ASSURANCE_SIGNATURE;
    (void)snprintf(entry.registration_id, sizeof(entry.registration_id), "%s",
                   job->registration.id);
    (void)snprintf(entry.profile, sizeof(entry.profile), "%s", job->profile);
    memcpy(entry.rid, job->rid, sizeof(entry.rid));
    job->entry = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    job->nonce_kept = job_is_mac(job);
    return cmp_queue_entry_encode(&entry, &job->entry, &job->e) == 0 &&
                   (!job->nonce_kept || random_bytes(job->nonce, sizeof(job->nonce), &job->e) == 0)
               ? 0
               : job_fail(job, CMP_SYSTEM_FAILURE);
}

/* The CA asks the same again. */
static int
check_weakness(struct job *job)
{
    return weakness_check(cmp_certreq_spki(job->facts.enrolment.certreq),
                          job->ra->settings->blocked, &job->failure, &job->e);
}

/* The CA compares them again. */
static int
check_names(struct job *job, const struct nf_identity *nf, const struct profile *profile)
{
    const struct cmp_certreq *certreq = job->facts.enrolment.certreq;
    const struct cmp_names asked = {.subject = cmp_certreq_subject(certreq),
                                    .extensions = cmp_certreq_extensions(certreq),
                                    .is_update = job->body == CMP_KUR};

    return cmp_names_check(&asked, nf, profile, &job->failure, &job->e);
}

/* What is asked for, against what the registration and its profile have. */
static int
check_asked(struct job *job, const struct registration *registration)
{
    const struct nf_identity *nf = &registration->nf;
    const struct profile *profile = registration_profile(registration, job->profile)->profile;

    return check_weakness(job) != 0 || check_asked_key(job, registration) != 0 ||
                   check_names(job, nf, profile) != 0 || judge_profile(job, profile, nf) != 0
               ? -1
               : 0;
}

/* RFC 9483 4.1.1 has one request in a message, and so one number for it. */
static int
check_id(struct job *job)
{
    return job->body == CMP_P10CR || job->rules->old.any_cert_req_id ||
                   cmp_certreq_id(job->facts.enrolment.certreq) == CMP_CERT_REQ_ID
               ? 0
               : phrase_refuse(&job->failure, PHRASE_CERT_REQ_ID, &job->e, "certReqId is not 0");
}

/* For the answer, which may be fetched later. */
static int
keep_wishes(struct job *job)
{
    job->facts.enrolment.asked = BUF_INIT(CMP_MESSAGE_MAX);
    return cmp_certreq_encode_asked(job->facts.enrolment.certreq, &job->facts.enrolment.asked,
                                    &job->e) != 0
               ? job_fail(job, CMP_SYSTEM_FAILURE)
               : 0;
}

static int
judge_enrolment(struct job *job, const struct registration *registration)
{
    if (judge_profile_choose(job, registration) != 0) {
        return -1;
    }
    job->facts.enrolment.superseding = registration->supersedes[0] != '\0';
    job->facts.enrolment.certreq = cmp_certreq_read(job->msg, &job->failure, &job->e);
    if (job->facts.enrolment.certreq == NULL || check_id(job) != 0 ||
        check_asked(job, registration) != 0 || judge_own_wishes(job) != 0 ||
        cmp_certreq_check_pop(job->facts.enrolment.certreq, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (keep_wishes(job) != 0) {
        return -1;
    }
    /* Nobody asks for it any more: it goes on the thread that made it, not on the loop's. */
    cmp_certreq_free(job->facts.enrolment.certreq);
    job->facts.enrolment.certreq = NULL;
    return 0;
}

static int
judge_question(struct job *job, const struct registration *registration)
{
    if (support_judge(job, registration) != 0) {
        return -1;
    }
    if (!support_asks_keys(job)) {
        return 0;
    }
    if (judge_profile_choose(job, registration) != 0) {
        return -1;
    }
    support_set_keys(job, registration_profile(registration, job->profile)->profile);
    return 0;
}

/* ---- what a kind of message must show ---- */

struct needs {
    enum cmp_body body;
    bool in_body; /* its failures go into ip, cp, kup, rp */
    bool queued;  /* it goes on to the CA */
    /* A first message, whose registration is read again and proved: is what it asks for registered?
     */
    int (*registered)(struct job *, const struct registration *);
    /* A first message of which the signer's certificate says who may ask. */
    int (*signed_by)(struct job *);
    /* One that continues its transaction. */
    int (*later)(struct job *);
};

static const struct needs *
needs_of(const struct job *job)
{
    static const struct needs rows[] = {
        {CMP_IR, .in_body = true, .queued = true, .registered = judge_enrolment},
        {CMP_CR, .in_body = true, .queued = true, .registered = judge_enrolment},
        {CMP_P10CR, .in_body = true, .queued = true, .registered = judge_enrolment},
        {CMP_KUR, .in_body = true, .queued = true, .registered = judge_enrolment},
        {CMP_RR, .in_body = true, .queued = true, .signed_by = judge_revoke},
        {CMP_GENM, .registered = judge_question},
        {CMP_CERTCONF, .queued = true, .later = judge_certconf},
        {CMP_POLLREQ, .later = judge_pollreq},
        {CMP_ERROR, .later = judge_error},
    };
    size_t i = 0;

    while (i < ARRAY_LEN(rows) && rows[i].body != job->body) {
        i++;
    }
    assert(i < ARRAY_LEN(rows)); /* no path takes another one (daemon/route.h) */
    return &rows[i];
}

static int
judge_registered(struct job *job, const struct needs *needs)
{
    struct registration *registration = mem_new(sizeof(*registration));
    int result = -1;

    if (registration_parse(buf_span(&job->registration.json), &job->ra->stored_rules, registration,
                           &job->e) != 0) {
        (void)job_fail(job, job->e.code == ERR_DENIED ? CMP_NOT_AUTHORIZED : CMP_SYSTEM_FAILURE);
    } else if (check_proof(job, registration) == 0) {
        result = needs->registered(job, registration);
    }
    mem_free(registration);
    return result;
}

static int
judge_first(struct job *job)
{
    const struct needs *needs = needs_of(job);

    job->in_body = needs->in_body;
    job->uncounted = judge_own_applies(job);
    if (job->held.revoked) {
        (void)err_set(&job->e, ERR_DENIED, "signed with a certificate that is revoked");
        return job_fail(job, CMP_CERT_REVOKED);
    }
    if ((needs->signed_by != NULL ? needs->signed_by(job) : judge_registered(job, needs)) != 0) {
        return -1;
    }
    return needs->queued ? prepare_entry(job) : 0;
}

int
judge_requester(struct job *job)
{
    bool later = cmp_is_later(job->body);

    job->failure = CMP_NO_FAILURE;
    if (later && !job->found) {
        (void)judge_later_stranger(job);
        return judge_time_stranger(job);
    }
    if ((job->protection == CMP_PROTECTION_MAC ? judge_mac(job) : judge_signature(job)) != 0) {
        return judge_time_stranger(job);
    }
    if (judge_time(job) != 0) {
        return -1;
    }
    if (!later) {
        return 0;
    }
    if (judge_later_nonce(job) != 0 || needs_of(job)->later(job) != 0) {
        return -1;
    }
    return needs_of(job)->queued && !job->facts.confirmation.again ? prepare_entry(job) : 0;
}

int
judge_request(struct job *job)
{
    return judge_recipient(job) != 0 ? -1 : judge_first(job);
}
