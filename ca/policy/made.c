/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/policy/made.h"

#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/check.h"

static int
refuse(const struct made *made, bool early, time_t bound, enum cmp_failure *failure, struct err *e)
{
    char at[TIME_TEXT_SIZE];
    char limit[TIME_TEXT_SIZE];

    time_format(made->at, at);
    time_format(bound, limit);
    (void)phrase_refuse(failure, early ? PHRASE_MADE_BEFORE : PHRASE_ENDED, e,
                        "made at %s, says the %s: %s the registration, which %s %s", at,
                        made->by_requester ? "requester" : "RA", early ? "before" : "after",
                        early ? "is of" : "ended at", limit);
    return phrase_value(e, "%s", limit);
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
        return refuse(out, true, q->begins, failure, e);
    }
    return q->ends == 0 || out->at <= q->ends ? 0 : refuse(out, false, q->ends, failure, e);
}
