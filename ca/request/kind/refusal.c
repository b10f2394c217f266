/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/kind/refusal.h"

#include <stdio.h>

#include "db/issuance/renewal.h"

/* ---- where to ---- */

enum request_stage
request_busy(struct request *r)
{
    r->outcome = OUTCOME_BUSY;
    return STAGE_RELEASE;
}

enum request_stage
request_defer(struct request *r)
{
    if (r->call != NULL) {
        return request_busy(r);
    }
    ca_printable(r->e.text);
    r->outcome = OUTCOME_DEFERRED;
    return STAGE_RELEASE;
}

static void
refuse(struct request *r, enum cmp_failure failure)
{
    r->outcome = OUTCOME_REFUSED;
    r->fail_info = (int)failure;
    ca_printable(r->e.text);
}

enum request_stage
request_refuse(struct request *r)
{
    if (r->failure == CMP_NO_FAILURE || r->failure == CMP_SYSTEM_FAILURE) {
        /* Ours, not the requester's: nothing is decided. */
        if (r->call == NULL) {
            return request_defer(r);
        }
        log_err(LOG_ERROR, "not-judged", &r->e, "will be asked again");
    }
    refuse(r, r->failure);
    if (!r->stood_for) {
        phrase_tell(r->failure, &(struct err){0}, r->phrase);
        return STAGE_ANSWER;
    }
    phrase_tell(r->failure, &r->e, r->phrase);
    log_err(LOG_INFO, "refused", &r->e, "%s", cmp_failure_name(r->failure));
    return STAGE_RECORD;
}

enum request_stage
request_refuse_phrase(struct request *r, enum phrase phrase)
{
    (void)phrase_refuse(&r->failure, phrase, &r->e, "%s", phrase_text(phrase));
    return request_refuse(r);
}

static enum request_stage
give_up(struct request *r, enum cmp_failure failure, enum phrase phrase, const char *reason)
{
    if (reason != NULL) {
        (void)err_set(&r->e, ERR_DENIED, "%s", reason);
    }
    refuse(r, failure);
    phrase_format(phrase, "", r->phrase);
    return STAGE_RECORD;
}

enum request_stage
request_give_up(struct request *r, const char *reason)
{
    return give_up(r, CMP_SYSTEM_FAILURE, PHRASE_GIVEN_UP, reason);
}

enum request_stage
request_give_up_cancelled(struct request *r)
{
    return give_up(r, CMP_NOT_AUTHORIZED, PHRASE_CANCELLED, "the registration was cancelled");
}

/* ---- what the database says ---- */

/* What the peer is told of each outcome; PHRASE_NONE: it is no refusal, or has a way of its own. */
static enum phrase
phrase_of(const struct request *r, enum issuance_outcome outcome)
{
    switch (outcome) {
    case ISSUANCE_NOT_REGISTERED:
    case ISSUANCE_OWNED:
    case ISSUANCE_REPEATED:
    case ISSUANCE_SUPERSEDES_NOTHING:
        return PHRASE_NOT_REGISTERED;
    case ISSUANCE_PROOF_SHARED:
        return PHRASE_PROOF_SHARED;
    case ISSUANCE_USED_UP:
        return PHRASE_USED_UP;
    case ISSUANCE_UNWANTED:
        return PHRASE_UNWANTED;
    case ISSUANCE_TRANSACTION_IN_USE:
        return phrase_of_failure(CMP_TRANSACTION_ID_IN_USE);
    case ISSUANCE_KEY_TAKEN:
        return PHRASE_KEY_TAKEN;
    case ISSUANCE_CLOSED:
        return phrase_of_failure(r->kind->closed);
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
    case ISSUANCE_SIGNER_UNKNOWN:
    case ISSUANCE_NOT_APPROVED:
    case ISSUANCE_SIGNING:
    case ISSUANCE_REPLACED:
    case ISSUANCE_AGAIN:
    case ISSUANCE_DONE:
    case ISSUANCE_KNOWN:
        break;
    }
    return phrase_of_failure(CMP_SYSTEM_FAILURE);
}

/* Where there is more to say than the outcome does: what is so, and what to do next. */
static int
explain_former(struct store_db *db, const struct issuance_intent *i, enum phrase *phrase,
               char value[ERR_VALUE_SIZE], struct err *e)
{
    struct issuance_former former;
    char serial[2 * ISSUANCE_SERIAL_SIZE + 1];
    bool found;

    if (issuance_former_find(db, i->renews, &former, &found, e) != 0) {
        return -1;
    }
    hex_format(span_of(former.serial, sizeof(former.serial)), serial);
    if (*phrase == PHRASE_SUCCESSOR && former.revoked) {
        *phrase = PHRASE_SUCCESSOR_REVOKED;
    }
    (void)snprintf(value, ERR_VALUE_SIZE, "%s", serial);
    return 0;
}

static int
explain_wait(struct store_db *db, const struct issuance_intent *i, char value[ERR_VALUE_SIZE],
             struct err *e)
{
    char text[TIME_TEXT_SIZE];
    time_t until;

    if (issuance_renewal_waits(db, i->registration, i->now, &until, e) != 0) {
        return -1;
    }
    time_format(until, text);
    (void)snprintf(value, ERR_VALUE_SIZE, "%s", text);
    return 0;
}

static int
explain(struct store_db *db, const struct issuance_intent *i, enum phrase *phrase,
        char value[ERR_VALUE_SIZE], struct err *e)
{
    value[0] = '\0';
    if (i != NULL && (*phrase == PHRASE_RENEWED || *phrase == PHRASE_SUCCESSOR)) {
        return explain_former(db, i, phrase, value, e);
    }
    return i != NULL && *phrase == PHRASE_TOO_OFTEN ? explain_wait(db, i, value, e) : 0;
}

static enum request_stage
ra_unknown(struct request *r)
{
    r->failure = CMP_SIGNER_NOT_TRUSTED;
    (void)err_set(&r->e, ERR_DENIED,
                  "the RA's certificate is revoked: nfpki-cactl issue ra-cmp, and restart the RA");
    return request_defer(r);
}

int
request_refuse_outcome(struct request *r, struct store_db *db, const struct issuance_intent *i,
                       enum issuance_outcome outcome, enum request_stage *next, struct err *e)
{
    enum phrase phrase = phrase_of(r, outcome);
    char value[ERR_VALUE_SIZE];

    if (outcome == ISSUANCE_SIGNER_UNKNOWN) {
        *next = ra_unknown(r);
        return 0;
    }
    if (explain(db, i, &phrase, value, e) != 0) {
        return -1;
    }
    (void)phrase_refuse(&r->failure, phrase, &r->e, "%s%s", r->kind->name,
                        issuance_outcome_text(outcome));
    (void)phrase_value(&r->e, "%s", value);
    *next = request_refuse(r);
    return 0;
}

/* ---- the record of it ---- */

int
request_record_first(struct request *r, struct store_db *db, struct err *e)
{
    const struct cmp_queue_entry *entry = cmp_queued_entry(r->queued);
    const struct issuance_refusal refusal = {
        .rid = request_rid(r),
        .registration = r->is_registered ? r->registration.id : NULL,
        .ra_der = request_ra_der(r),
        .profile = entry->profile,
        .evidence = buf_span(&r->asked),
        .queue_sequence = r->queue_sequence,
        .queue_previous = span_of(r->queue_previous, sizeof(r->queue_previous)),
        .fail_info = r->fail_info,
        .phrase = r->phrase,
        .reason = r->e.text,
        .now = r->now,
    };
    enum issuance_outcome outcome;

    if (issuance_refuse(db, &refusal, &r->leaf, &outcome, e) != 0) {
        return -1;
    }
    if (outcome != ISSUANCE_DONE) {
        (void)ra_unknown(r); /* meanwhile; or the rid is known, which its flight excludes */
    }
    return 0;
}

int
request_record_refusal(struct request *r, struct store_db *db, struct err *e)
{
    return r->kind == NULL || r->kind->refuse == NULL ? request_record_first(r, db, e)
                                                      : r->kind->refuse(r, db, e);
}

int
request_record_no(struct request *r, struct store_db *db, const struct issuance_intent *i,
                  enum issuance_outcome outcome, struct err *e)
{
    enum request_stage next;

    if (request_refuse_outcome(r, db, i, outcome, &next, e) != 0) {
        return -1;
    }
    return next == STAGE_RECORD ? request_record_refusal(r, db, e) : 0;
}
