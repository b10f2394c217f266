/* SPDX-License-Identifier: Apache-2.0 */
/* How a job ends: a refusal and its record, the answers, and what is released. */
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "ca/issue.h"
#include "ca/waiting.h"

static void
issue_free(struct issue *j)
{
    struct ca *ca = j->ca;

    ca_flight_end(ca, j->flight);
    if (j->ras != NULL) {
        ca_ras_drop(j->ras);
    }
    cmp_queued_free(j->queued);
    X509_free(j->requester);
    issuance_registration_free(&j->registration);
    issuance_request_free(&j->found);
    issuance_request_free(&j->first);
    issuance_pending_free(&j->pending);
    approved_free(&j->approved);
    issuance_target_free(&j->target);
    policy_grant_free(&j->grant);
    buf_free(&j->asked);
    buf_free(&j->first_evidence);
    buf_free(&j->certificate);
    mem_free(j->confirmation_reason);
    mem_free(j->by);
    mem_free(j->profile);
    mem_free(j->common_name);
    mem_free(j);
    ca->jobs--;
}

static void
refuse_officer(struct issue *j, enum err_code code, const char *text)
{
    struct err e = {0};

    (void)err_set(&e, code, "%s", text);
    admin_refuse(j->call, &e);
}

void
issue_end_busy(struct issue *j)
{
    if (j->call != NULL) {
        refuse_officer(j, ERR_BUSY, "the token does not sign now: see the log, try again");
    } else {
        ca_answer_busy(j->ca, j->flight->peer, issue_rid(j));
    }
    issue_free(j);
}

enum { DEFER_S = 10 /* after which the RA tries again */, SAME_S = 60 /* what is logged once */ };

/* One cause stands behind a whole queue of an RA. */
static void
log_deferral(struct ca *ca, const struct err *why)
{
    const time_t now = clock_now();

    if (strcmp(ca->deferred, why->text) != 0 || now < ca->deferred_at ||
        now >= ca->deferred_at + SAME_S) {
        (void)snprintf(ca->deferred, sizeof(ca->deferred), "%s", why->text);
        ca->deferred_at = now;
        log_err(LOG_WARNING, "deferred", why, "nothing is decided, and will be asked again");
    }
}

void
issue_end_deferred(struct issue *j)
{
    const char *text = j->e.text[0] != '\0' ? j->e.text : "failed";
    const size_t n = strlen(text);
    const struct link_message m = {
        .type = LINK_DEFERRED,
        .id = issue_rid(j),
        .fail_info = j->failure < 0 ? (unsigned)CMP_SYSTEM_FAILURE : (unsigned)j->failure,
        .phrase = span_of(text, n > LINK_PHRASE_MAX ? LINK_PHRASE_MAX : n),
        .check_after = DEFER_S};

    if (j->call != NULL) {
        issue_end_busy(j);
        return;
    }
    ca_printable(j->e.text);
    log_deferral(j->ca, &j->e);
    ca_answer(j->ca, j->flight->peer, &m);
    issue_free(j);
}

void
issue_end_ra_unknown(struct issue *j)
{
    j->failure = CMP_SIGNER_NOT_TRUSTED;
    (void)err_set(&j->e, ERR_DENIED,
                  "the RA's certificate is revoked: nfpki-cactl issue ra-cmp, and restart the RA");
    issue_end_deferred(j);
}

/* To who asked, and to who was told to wait. What is refused unread is nobody else's answer. */
static void
tell(struct issue *j, const struct link_message *m)
{
    ca_answer(j->ca, j->flight->peer, m);
    if (j->is_pending) {
        waiting_tell(j->ca->waiting, j->flight->peer, m);
    }
}

void
issue_end_refused(struct issue *j, int fail_info, const char *phrase)
{
    const struct link_message m = ca_refusal(issue_rid(j), fail_info, phrase);

    if (j->call != NULL) {
        if (j->e.text[0] != '\0') {
            refuse_officer(j, j->e.code, j->e.text);
        } else {
            refuse_officer(j, ERR_DENIED, phrase);
        }
    } else {
        tell(j, &m);
    }
    j->ca->count.refused++;
    issue_free(j);
}

void
issue_end_waiting(struct issue *j)
{
    const struct link_message m = {.type = LINK_WAITING,
                                   .id = issue_rid(j),
                                   .phrase = span_str(phrase_text(PHRASE_WAITING)),
                                   .check_after = (uint32_t)j->ca->conf.approval_check_after_s};

    if (j->flight->peer != 0) {
        waiting_watch(j->ca->waiting, issue_rid(j), j->flight->peer);
        ca_answer(j->ca, j->flight->peer, &m);
    }
    issue_free(j);
}

static void
end_confirmed(struct issue *j)
{
    const struct link_message m = {.type = LINK_CONFIRMED, .id = issue_rid(j)};

    ca_answer(j->ca, j->flight->peer, &m);
    j->ca->count.confirmed++;
    issue_free(j);
}

static void
released_confirmed(struct release_item *item)
{
    end_confirmed(CONTAINER_OF(item, struct issue, release));
}

void
issue_release_confirmed(struct issue *j)
{
    issue_release(j, j->found.leaf, released_confirmed);
}

void
issue_end_revoked(struct issue *j)
{
    const struct link_message m = {.type = LINK_REVOKED, .id = issue_rid(j)};

    ca_answer(j->ca, j->flight->peer, &m);
    issue_free(j);
}

static char *
pem_of(struct span der, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *out = BIO_new(BIO_s_mem());
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse(der, e);
    char *text = NULL;
    long n;

    if (out == NULL || certificate == NULL || PEM_write_bio_X509(out, certificate) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "write PEM");
        return NULL;
    }
    n = BIO_get_mem_data(out, &text);
    return mem_printf("%.*s", (int)n, text);
}

static bool
is_named(struct span der, const char *common_name)
{
    struct err e = {0};
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse(der, &e);
    const X509_NAME *subject;
    const ASN1_STRING *value;
    int at;

    if (certificate == NULL) {
        return false;
    }
    subject = X509_get_subject_name(certificate);
    at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) {
        return false;
    }
    value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    return span_equal(span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
                      span_str(common_name));
}

static void
answer_officer(struct issue *j)
{
    const struct issuance_request *q = &j->found;
    CLEANUP(mem_cleanup) char *serial = hex_dup(span_of(q->serial, sizeof(q->serial)));
    CLEANUP(mem_cleanup) char *pem = NULL;
    struct err e = {0};

    if (q->registration[0] != '\0' || strcmp(q->profile, j->profile) != 0 || q->revoked ||
        !is_named(buf_span(&j->certificate), j->common_name)) {
        refuse_officer(j, ERR_CONFLICT,
                       "this request was used before, for something else: make a new one");
        return;
    }
    pem = pem_of(buf_span(&j->certificate), &e);
    if (pem == NULL) {
        admin_refuse(j->call, &e);
        return;
    }
    admin_answer(j->call, json_pack("{s:s,s:s}", "certificate", pem, "serial", serial));
}

void
issue_end_issued(struct issue *j)
{
    const struct link_message m = {
        .type = LINK_ISSUED, .id = issue_rid(j), .body = buf_span(&j->certificate)};

    if (j->call != NULL) {
        answer_officer(j);
    } else {
        tell(j, &m);
    }
    issue_free(j);
}

/* ---- refusal ---- */

static int
run_refuse(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);
    const struct cmp_queue_entry *entry;
    char phrase[PHRASE_SIZE];
    struct issuance_refusal r;

    phrase_tell(j->failure, &j->e, phrase);
    if (j->is_pending) {
        return issuance_pending_refuse(db, issue_rid(j), (int)j->failure, phrase, j->e.text, j->now,
                                       &j->found.leaf, &j->outcome, e);
    }
    entry = cmp_queued_entry(j->queued);
    r = (struct issuance_refusal){
        .rid = issue_rid(j),
        .registration = j->is_registered ? j->registration.id : NULL,
        .ra_der = issue_ra_der(j),
        .profile = entry->profile,
        .evidence = buf_span(&j->asked),
        .queue_sequence = j->queue_sequence,
        .queue_previous = span_of(j->queue_previous, sizeof(j->queue_previous)),
        .fail_info = (int)j->failure,
        .phrase = phrase,
        .reason = j->e.text,
        .now = j->now,
    };
    return issuance_refuse(db, &r, &j->found.leaf, &j->outcome, e);
}

static void
released_refused(struct release_item *item)
{
    struct issue *j = CONTAINER_OF(item, struct issue, release);
    char phrase[PHRASE_SIZE];

    phrase_tell(j->failure, &j->e, phrase);
    issue_end_refused(j, (int)j->failure, phrase);
}

static void
on_refused(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "store a refusal");
    if (j->outcome == ISSUANCE_DONE) {
        issue_release(j, j->found.leaf, released_refused);
        return;
    }
    if (j->is_pending) {
        issue_end_busy(j); /* an officer was faster: asked again, it is answered so */
        return;
    }
    issue_end_ra_unknown(j); /* meanwhile; or the rid is known, which its flight excludes */
}

void
issue_refuse(struct issue *j)
{
    if (j->failure == CMP_NO_FAILURE || j->failure == CMP_SYSTEM_FAILURE) {
        /* Ours, not the requester's: nothing is decided. */
        if (j->call == NULL) {
            issue_end_deferred(j);
            return;
        }
        log_err(LOG_ERROR, "not-judged", &j->e, "will be asked again");
    }
    ca_printable(j->e.text);
    if (!j->may_refuse) {
        issue_end_refused(j, (int)j->failure, phrase_text(phrase_of_failure(j->failure)));
        return;
    }
    log_err(LOG_INFO, "refused", &j->e, "%s", cmp_failure_name(j->failure));
    issue_store(j, run_refuse, on_refused);
}
