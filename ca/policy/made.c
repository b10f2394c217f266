/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/policy/made.h"

#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/check.h"

static int
refuse_before(const struct made *made, time_t begins, enum cmp_failure *failure, struct err *e)
{
    char at[TIME_TEXT_SIZE];
    char begin[TIME_TEXT_SIZE];

    time_format(made->at, at);
    time_format(begins, begin);
    (void)phrase_refuse(failure, PHRASE_MADE_BEFORE, e,
                        "made at %s, says the %s: before the registration, which is of %s", at,
                        made->by_requester ? "requester" : "RA", begin);
    return phrase_value(e, "%s", begin);
}

static int
refuse_after(const struct made *made, time_t ends, enum cmp_failure *failure, struct err *e)
{
    char at[TIME_TEXT_SIZE];
    char end[TIME_TEXT_SIZE];

    time_format(made->at, at);
    time_format(ends, end);
    (void)phrase_refuse(failure, PHRASE_ENDED, e,
                        "made at %s, says the %s: after the registration, which ended at %s", at,
                        made->by_requester ? "requester" : "RA", end);
    return phrase_value(e, "%s", end);
}

int
made_judge(const struct made_question *q, struct made *out, enum cmp_failure *failure,
           struct err *e)
{
    const struct cmp_msg *m = cmp_queued_inner(q->queued);
    const time_t received = cmp_queued_entry(q->queued)->received_at;
    enum cmp_failure off;
    int behind_s = MADE_CLOCKS_APART_S;

    *out = (struct made){.at = received};
    if (cmp_msg_time(m, &out->at)) {
        out->by_requester = true;
        behind_s = q->behind_s;
        if (cmp_check_time(m, received, q->window_s, q->window_s, &off, e) != 0) {
            *failure = off;
            return err_wrap(e, "when the RA says that it came");
        }
    } else if (q->required) {
        return phrase_refuse(failure, PHRASE_NO_TIME, e, "messageTime is missing");
    }
    if (out->at < q->begins - behind_s) {
        return refuse_before(out, q->begins, failure, e);
    }
    return q->ends == 0 || out->at <= q->ends ? 0 : refuse_after(out, q->ends, failure, e);
}
