/* SPDX-License-Identifier: Apache-2.0 */
/* T1: what is judged becomes an intent, or a refusal by what the database alone knows. */
#include "ca/issue.h"

static int
fill_requester(const struct issue *j, uint8_t fingerprint[SHA256_SIZE], struct issuance_intent *i,
               struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);

    if (j->requester != NULL && (OSSL_ENCODE(X509, j->requester, &der, e) != 0 ||
                                 sha256(buf_span(&der), fingerprint, e) != 0)) {
        return -1;
    }
    i->assurance = j->requester != NULL ? ISSUANCE_SIGNATURE : ISSUANCE_MAC;
    i->requester = span_of(fingerprint, j->requester != NULL ? SHA256_SIZE : 0);
    return 0;
}

/* What takes the place of something does so when it is confirmed, so its certConf must come. */
static enum issuance_confirm
confirm_of(const struct issue *j)
{
    if (j->grant.renewal.is_update || j->grant.registration.supersedes[0] != '\0') {
        return ISSUANCE_REQUIRED;
    }
    return cmp_msg_implicit_confirm(cmp_queued_inner(j->queued)) &&
                   j->grant.request.profile->implicit_confirm
               ? ISSUANCE_IMPLICIT
               : ISSUANCE_EXPECTED;
}

int
issue_fill_intent(const struct issue *j, uint8_t fingerprint[SHA256_SIZE],
                  struct issuance_intent *i, struct err *e)
{
    const struct tbs_request *t = &j->grant.request;

    *i = (struct issuance_intent){
        .rid = issue_rid(j),
        .profile = t->profile->name,
        .evidence = buf_span(&j->asked),
        .spki_sha256 = span_of(j->grant.spki_sha256, SHA256_SIZE),
        .serial = span_of(t->serial, sizeof(t->serial)),
        .tbs = buf_span(&j->grant.tbs),
        .not_before = t->not_before,
        .not_after = t->not_after,
        .judged = j->grant.judged,
        .approvals = j->approvals,
        .now = j->now,
    };
    if (j->call != NULL) {
        return 0;
    }
    i->profile_file = span_of(j->ca->profile_file, SHA256_SIZE);
    i->registration = j->registration.id;
    i->ra_der = issue_ra_der(j);
    i->nf_instance = j->grant.registration.nf.instance_id;
    i->certificates = j->grant.registration.certificates;
    i->retry_rejected = j->ca->conf.retry_rejected;
    i->transaction_id = cmp_msg_transaction_id(cmp_queued_inner(j->queued));
    i->queue_sequence = j->queue_sequence;
    i->queue_previous = span_of(j->queue_previous, sizeof(j->queue_previous));
    i->cert_req_id = j->grant.cert_req_id;
    if (j->is_held) {
        i->holder = span_of(j->holder.serial, sizeof(j->holder.serial));
    }
    if (j->grant.renewal.replaces) {
        i->renews = i->holder;
    }
    i->is_update = j->grant.renewal.is_update;
    i->confirm = confirm_of(j);
    if (!cmp_msg_time(cmp_queued_inner(j->queued), &i->message_time)) {
        i->message_time = 0;
    }
    if (!j->ca->conf.revoke_unconfirmed) {
        i->kept_before = j->now - j->ca->conf.confirm_wait_s;
    }
    return fill_requester(j, fingerprint, i, e);
}

static int
run_intend(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issue *j = CONTAINER_OF(op, struct issue, op);
    uint8_t fingerprint[SHA256_SIZE];
    struct issuance_intent i;
    bool found;

    if (issue_fill_intent(j, fingerprint, &i, e) != 0) {
        return -1;
    }
    if (issuance_intend(db, &i, &j->outcome, e) != 0) {
        return -1;
    }
    /* What is signed is what is stored, now and after a crash. */
    if (j->outcome == ISSUANCE_DONE || j->outcome == ISSUANCE_REPLACED ||
        j->outcome == ISSUANCE_KNOWN || j->outcome == ISSUANCE_AGAIN) {
        issuance_request_free(&j->found);
        return issuance_find(db, i.rid, &j->found, &found, e);
    }
    return issue_explain(j, db, &i, e);
}

static enum phrase
phrase_of(enum issuance_outcome outcome)
{
    switch (outcome) {
    case ISSUANCE_SIGNER_UNKNOWN:
        return phrase_of_failure(CMP_SIGNER_NOT_TRUSTED);
    case ISSUANCE_NOT_REGISTERED:
    case ISSUANCE_OWNED:
    case ISSUANCE_REPEATED:
    case ISSUANCE_SUPERSEDES_NOTHING:
        return PHRASE_NOT_REGISTERED;
    case ISSUANCE_USED_UP:
        return PHRASE_USED_UP;
    case ISSUANCE_UNWANTED:
        return PHRASE_UNWANTED;
    case ISSUANCE_NOT_APPROVED:
        return PHRASE_LATE_APPROVAL;
    case ISSUANCE_TRANSACTION_IN_USE:
        return phrase_of_failure(CMP_TRANSACTION_ID_IN_USE);
    case ISSUANCE_KEY_TAKEN:
        return PHRASE_KEY_TAKEN;
    case ISSUANCE_CLOSED:
        return phrase_of_failure(CMP_BAD_REQUEST);
    case ISSUANCE_HOLDER_REVOKED:
        return phrase_of_failure(CMP_CERT_REVOKED);
    case ISSUANCE_RENEWED:
        return PHRASE_RENEWED;
    case ISSUANCE_RENEWAL_WAITS:
        return PHRASE_RENEWAL_WAITS;
    case ISSUANCE_SUCCEEDED:
        return PHRASE_SUCCESSOR;
    case ISSUANCE_TOO_OFTEN:
        return PHRASE_TOO_OFTEN; /* the one that says that it will be otherwise later */
    case ISSUANCE_SIGNING:
    case ISSUANCE_REPLACED:
    case ISSUANCE_AGAIN:
    case ISSUANCE_DONE:
    case ISSUANCE_KNOWN:
        break;
    }
    return phrase_of_failure(CMP_SYSTEM_FAILURE);
}

void
issue_refuse_outcome(struct issue *j)
{
    const enum phrase phrase = j->phrase != PHRASE_NONE ? j->phrase : phrase_of(j->outcome);

    if (j->outcome == ISSUANCE_SIGNER_UNKNOWN) {
        issue_end_ra_unknown(j);
        return;
    }
    (void)phrase_refuse(&j->failure, phrase, &j->e, "%s", issuance_outcome_text(j->outcome));
    (void)phrase_value(&j->e, "%s", j->value);
    issue_refuse(j);
}

static void
on_intended(struct task *task)
{
    struct issue *j = CONTAINER_OF(task, struct issue, op.task);

    ca_check_store(&j->op, "store an intent");
    switch (j->outcome) {
    case ISSUANCE_REPLACED:
        crl_make(j->ca->crl, NULL); /* with what was not confirmed */
        issue_sign(j);
        return;
    case ISSUANCE_DONE:
        issue_sign(j);
        return;
    case ISSUANCE_KNOWN:
    case ISSUANCE_AGAIN:
        j->is_granted = false; /* the stored TBS is another one than ours */
        issue_answer_again(j);
        return;
    case ISSUANCE_SIGNING:
        issue_end_busy(j); /* when that is signed it is the answer, or is replaced */
        return;
    case ISSUANCE_SIGNER_UNKNOWN:
    case ISSUANCE_NOT_REGISTERED:
    case ISSUANCE_USED_UP:
    case ISSUANCE_TRANSACTION_IN_USE:
    case ISSUANCE_KEY_TAKEN:
    case ISSUANCE_OWNED:
    case ISSUANCE_REPEATED:
    case ISSUANCE_CLOSED:
    case ISSUANCE_HOLDER_REVOKED:
    case ISSUANCE_SUPERSEDES_NOTHING:
    case ISSUANCE_UNWANTED:
    case ISSUANCE_RENEWED:
    case ISSUANCE_RENEWAL_WAITS:
    case ISSUANCE_SUCCEEDED:
    case ISSUANCE_TOO_OFTEN:
        break;
    case ISSUANCE_NOT_APPROVED: /* an officer was revoked, or it is late: the next look says */
        issue_await(j);
        return;
    }
    issue_refuse_outcome(j);
}

void
issue_intend(struct issue *j)
{
    issue_store(j, run_intend, on_intended);
}
