/* SPDX-License-Identifier: Apache-2.0 */
/* What a network function is told when the database says no: what is so, and what to do next. */
#include <stdio.h>

#include "ca/issue.h"
#include "db/issuance_renewal.h"

static int
explain_former(struct issue *j, struct store_db *db, const struct issuance_intent *i, struct err *e)
{
    struct issuance_former former;
    char serial[2 * ISSUANCE_SERIAL_SIZE + 1];
    bool found;

    if (issuance_former_find(db, i->renews, &former, &found, e) != 0) {
        return -1;
    }
    hex_format(span_of(former.serial, sizeof(former.serial)), serial);
    if (j->outcome == ISSUANCE_RENEWED) {
        j->phrase = PHRASE_RENEWED;
    } else {
        j->phrase = former.revoked ? PHRASE_SUCCESSOR_REVOKED : PHRASE_SUCCESSOR;
    }
    (void)snprintf(j->value, sizeof(j->value), "%s", serial);
    return 0;
}

static int
explain_wait(struct issue *j, struct store_db *db, const struct issuance_intent *i, struct err *e)
{
    char text[TIME_TEXT_SIZE];
    time_t until;

    if (issuance_renewal_waits(db, i->registration, i->now, &until, e) != 0) {
        return -1;
    }
    time_format(until, text);
    j->phrase = PHRASE_TOO_OFTEN;
    (void)snprintf(j->value, sizeof(j->value), "%s", text);
    return 0;
}

int
issue_explain(struct issue *j, struct store_db *db, const struct issuance_intent *i, struct err *e)
{
    if (j->outcome == ISSUANCE_RENEWED || j->outcome == ISSUANCE_SUCCEEDED) {
        return explain_former(j, db, i, e);
    }
    return j->outcome == ISSUANCE_TOO_OFTEN ? explain_wait(j, db, i, e) : 0;
}

void
issue_refuse_change(struct issue *j, const char *what, enum cmp_failure closed)
{
    switch (j->outcome) {
    case ISSUANCE_CLOSED:
        j->failure = closed;
        break;
    case ISSUANCE_HOLDER_REVOKED:
        j->failure = CMP_CERT_REVOKED;
        break;
    case ISSUANCE_SIGNER_UNKNOWN:
        issue_end_ra_unknown(j);
        return;
    case ISSUANCE_DONE:
    case ISSUANCE_KNOWN:
    case ISSUANCE_NOT_REGISTERED:
    case ISSUANCE_USED_UP:
    case ISSUANCE_TRANSACTION_IN_USE:
    case ISSUANCE_KEY_TAKEN:
    case ISSUANCE_OWNED:
    case ISSUANCE_REPEATED:
    case ISSUANCE_NOT_APPROVED:
    case ISSUANCE_SUPERSEDES_NOTHING:
    case ISSUANCE_UNWANTED:
    case ISSUANCE_REPLACED:
    case ISSUANCE_AGAIN:
    case ISSUANCE_SIGNING:
    case ISSUANCE_RENEWED:
    case ISSUANCE_RENEWAL_WAITS:
    case ISSUANCE_SUCCEEDED:
    case ISSUANCE_TOO_OFTEN:
        j->failure = CMP_SYSTEM_FAILURE; /* no outcome of this */
        break;
    }
    (void)err_set(&j->e, ERR_DENIED, "%s: %s", what, issuance_outcome_text(j->outcome));
    issue_refuse(j);
}
