/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks, and may they? Cheap checks first, then the one that costs, then what it entitles to
 * (R37 of TS 33.310 and RFC 9483 3.5). An unknown reference and a wrong MAC do the same work and
 * get the same answer: nobody learns here which references exist.
 *
 * Stage 1 is form.c; here is stage 2: mac.c or protection.c, then for a first
 * message, as stage 3, its registration, the profile and what is asked for (names.c,
 * profile.c, own.c, revoke.c, support.c), for a later one its transaction.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/cmp/weakness.h"
#include "ca/registration/registration.h"
#include "ra/judge/job.h"
#include "ra/judge/mac.h"
#include "ra/judge/names.h"
#include "ra/judge/own.h"
#include "ra/judge/profile.h"
#include "ra/judge/protection.h"
#include "ra/judge/recipient.h"
#include "ra/judge/revoke.h"
#include "ra/judge/support.h"
#include "ra/judge/time.h"
#include "ra/queue/rewrap.h"

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
    return rewrap_part(job->ra, &entry, job->msg, &job->part, &job->e) == 0
               ? 0
               : job_fail(job, CMP_SYSTEM_FAILURE);
}

/* When nobody names one: that of the certificate that signs, else the first registered one. */
static const char *
default_profile(const struct job *job, const struct registration *registration)
{
    return judge_own_profile(job)[0] != '\0' ? judge_own_profile(job)
                                             : registration->profiles[0].profile->name;
}

/* Which profile: the one that certProfile names (RFC 9810 5.1.1.4), or the path, who must not
 * disagree; else the default. */
static int
choose_profile(struct job *job, const struct registration *registration)
{
    const struct registered_profile *chosen;
    char wish[CMP_PROFILE_NAME_MAX + 1];
    const char *name = job->route.profile;

    if (cmp_profile_read(job->msg, wish, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (wish[0] != '\0' && name[0] != '\0' && strcmp(wish, name) != 0) {
        (void)err_set(&job->e, ERR_DENIED, "certProfile is %s and the path's profile %s", wish,
                      name);
        return job_say(job, PHRASE_PATH_PROFILE);
    }
    if (wish[0] != '\0') {
        name = wish;
    } else if (name[0] == '\0') {
        name = default_profile(job, registration);
    }
    chosen = registration_profile(registration, name);
    if (chosen == NULL) {
        (void)err_set(&job->e, ERR_DENIED, "profile %s is not registered", name);
        return job_say(job, PHRASE_PROFILE);
    }
    if (job->body == CMP_KUR && job->held.profile[0] != '\0' &&
        strcmp(name, job->held.profile) != 0) {
        (void)err_set(&job->e, ERR_DENIED, "a kur for another profile than its certificate's");
        (void)job_say(job, PHRASE_PROFILE_HELD);
        return phrase_value(&job->e, "%s", job->held.profile);
    }
    /* The window is that of initial certificates; the CA says what a holder may. */
    if (!judge_own_applies(job) &&
        registration_allows(registration, chosen->profile, job->now, &job->e) != 0) {
        return job_say_window(job, registration);
    }
    (void)snprintf(job->profile, sizeof(job->profile), "%s", name);
    return 0;
}

/* The CA asks the same again. */
static int
check_weakness(struct job *job)
{
    return weakness_check(cmp_certreq_spki(job->facts.enrolment.certreq),
                          job->ra->settings->blocked, &job->failure, &job->e);
}

/* What is asked for, against what the registration and its profile have. */
static int
check_asked(struct job *job, const struct registration *registration)
{
    const struct nf_identity *nf = &registration->nf;
    const struct profile *profile = registration_profile(registration, job->profile)->profile;

    return check_weakness(job) != 0 || check_asked_key(job, registration) != 0 ||
                   judge_names(job, nf, profile) != 0 || judge_profile(job, profile, nf) != 0
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
judge_first(struct job *job)
{
    struct registration *registration = mem_new(sizeof(*registration));
    int result = -1;

    job->in_body = job->body != CMP_GENM;
    job->uncounted = judge_own_applies(job);
    if (job->held.revoked) {
        (void)err_set(&job->e, ERR_DENIED, "signed with a certificate that is revoked");
        (void)job_fail(job, CMP_CERT_REVOKED);
    } else if (job->body == CMP_RR) {
        result = judge_revoke(job);
    } else if (registration_parse(buf_span(&job->registration.json), &job->ra->stored_rules,
                                  registration, &job->e) != 0) {
        (void)job_fail(job, job->e.code == ERR_DENIED ? CMP_NOT_AUTHORIZED : CMP_SYSTEM_FAILURE);
    } else if (job->body == CMP_GENM) {
        result = check_proof(job, registration) == 0 ? support_judge(job, registration) : -1;
        if (result == 0 && support_asks_keys(job)) {
            result = choose_profile(job, registration);
            if (result == 0) {
                support_set_keys(job, registration_profile(registration, job->profile)->profile);
            }
        }
        mem_free(registration);
        return result;
    } else if (check_proof(job, registration) == 0 && choose_profile(job, registration) == 0) {
        job->facts.enrolment.superseding = registration->supersedes[0] != '\0';
        job->facts.enrolment.certreq = cmp_certreq_read(job->msg, &job->failure, &job->e);
        if (job->facts.enrolment.certreq != NULL && check_id(job) == 0 &&
            check_asked(job, registration) == 0 && judge_own_wishes(job) == 0 &&
            cmp_certreq_check_pop(job->facts.enrolment.certreq, &job->failure, &job->e) == 0) {
            result = keep_wishes(job);
        }
    }
    mem_free(registration);
    return result == 0 ? prepare_entry(job) : -1;
}

/* Our last senderNonce, or the one before it, when the last answer got lost on its way. A poll may
 * have none: a client that lost our only answer knows none (RFC 9483 4.4). */
static int
check_nonce(struct job *job)
{
    struct span given = cmp_msg_recip_nonce(job->msg);
    struct span last = buf_span(&job->enrolment.nonce);
    struct span before = buf_span(&job->enrolment.nonce_before);

    if (given.n == 0 && job->body == CMP_POLLREQ) {
        return 0;
    }
    if (given.n > 0 && (span_equal_secret(given, last) || span_equal_secret(given, before))) {
        return 0;
    }
    (void)err_set(&job->e, ERR_DENIED, "recipNonce is none of our senderNonces");
    return job_fail(job, CMP_BAD_RECIPIENT_NONCE);
}

/* The same octets as before, and the last answer that left is the one that they answer, with the
 * certificate: a signer was away when the pkiConf was to be signed, say. */
static bool
pkiconf_never_left(const struct job *job)
{
    return job->facts.confirmation.queued &&
           span_equal_secret(cmp_msg_recip_nonce(job->msg), buf_span(&job->enrolment.nonce));
}

static int
judge_certconf(struct job *job)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    const struct requests_enrolment *x = &job->enrolment;

    if ((x->state == REQUESTS_CONFIRMED && !pkiconf_never_left(job)) ||
        x->state == REQUESTS_REJECTED) {
        (void)err_set(&job->e, ERR_CONFLICT, "certConf after the end of the transaction");
        return job_fail(job, CMP_CERT_CONFIRMED);
    }
    if (x->certificate.n == 0) {
        (void)err_set(&job->e, ERR_CONFLICT, "certConf without a certificate");
        return job_say(job, PHRASE_NOTHING_TO_CONFIRM);
    }
    certificate = certificate_parse_keyless(buf_span(&x->certificate), &job->e);
    if (certificate == NULL) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    if (cmp_certconf_read(job->msg, x->cert_req_id, &job->facts.confirmation.certconf,
                          &job->failure, &job->e) != 0 ||
        cmp_certconf_match(&job->facts.confirmation.certconf, certificate, &job->failure,
                           &job->e) != 0) {
        return -1;
    }
    if (x->state == REQUESTS_CONFIRMING || x->state == REQUESTS_CONFIRMED) {
        if (job->facts.confirmation.certconf.accepted == x->accepted) {
            return 0; /* says the same again */
        }
        (void)err_set(&job->e, ERR_CONFLICT, "another certConf than the one before");
        return job_fail(job, CMP_CERT_CONFIRMED);
    }
    (void)snprintf(job->profile, sizeof(job->profile), "%s", x->profile);
    return prepare_entry(job);
}

/* RFC 9483 4.4: the certReqId of the request, or -1 for the pkiConf and whatever is no certificate.
 */
static int
judge_pollreq(struct job *job)
{
    if (cmp_pollreq_read(job->msg, &job->facts.question.poll_id, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (job->facts.question.poll_id != CMP_POLL_OTHER &&
        job->facts.question.poll_id != job->enrolment.cert_req_id) {
        (void)err_set(&job->e, ERR_INPUT, "pollReq: certReqId is not that of the request");
        return job_say(job, PHRASE_POLL_ID);
    }
    return job->enrolment.body == CMP_GENM ? support_poll(job) : 0;
}

/* RFC 9483 3.6.1 has no errors of end entities; RFC 9810 5.3.21 has them answered with pkiConf.
 * What it says is for the log, and its transaction is over. */
static int
judge_error(struct job *job)
{
    struct cmp_status_info said;

    if (cmp_error_read(job->msg, &said, &job->failure, &job->e) != 0) {
        return -1;
    }
    log_event(LOG_WARNING, "client-error", "%s ends its transaction: status %d, failInfo 0x%x, %s",
              job->identity, (int)said.status, said.failures, said.text);
    return 0;
}

/* RFC 9483 3.5: nobody has begun it, or somebody else has. Protection of another kind is
 * wrongIntegrity; of the same kind it does not verify under the credentials that began it. */
static int
judge_stranger(struct job *job)
{
    const char *what = cmp_body_name(job->body);

    switch (job->owner) {
    case REQUESTS_ANOTHER_KIND:
        return phrase_refuse(&job->failure, PHRASE_OTHER_PROTECTION, &job->e,
                             "%s protected in another way than its request", what);
    case REQUESTS_SAME_KIND:
        return phrase_refuse(&job->failure, PHRASE_OTHER_CREDENTIALS, &job->e,
                             "%s under other credentials than its request", what);
    case REQUESTS_NOBODY:
    case REQUESTS_SELF:
        break;
    }
    (void)phrase_refuse(&job->failure, PHRASE_NO_TRANSACTION, &job->e, "%s without its transaction",
                        what);
    return phrase_value(&job->e, "%s", what);
}

int
judge_requester(struct job *job)
{
    bool later = cmp_is_later(job->body);

    job->failure = CMP_NO_FAILURE;
    if (later && !job->found) {
        (void)judge_stranger(job);
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
    if (check_nonce(job) != 0) {
        return -1;
    }
    if (job->body == CMP_CERTCONF) {
        return judge_certconf(job);
    }
    return job->body == CMP_ERROR ? judge_error(job) : judge_pollreq(job);
}

int
judge_request(struct job *job)
{
    return judge_recipient(job) != 0 ? -1 : judge_first(job);
}
