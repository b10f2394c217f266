/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/request/answer.h"

#include <stdio.h>
#include <string.h>

#include "ca/request/watchers.h"

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

static struct link_message
deferral(struct ca *ca, const struct request *r)
{
    const char *text = r->e.text[0] != '\0' ? r->e.text : "failed";
    const size_t n = strlen(text);

    log_deferral(ca, &r->e);
    return (struct link_message){.type = LINK_DEFERRED,
                                 .id = request_rid(r),
                                 .fail_info = r->failure < 0 ? (unsigned)CMP_SYSTEM_FAILURE
                                                             : (unsigned)r->failure,
                                 .phrase = span_of(text, n > LINK_PHRASE_MAX ? LINK_PHRASE_MAX : n),
                                 .check_after = DEFER_S};
}

static struct link_message
wait(struct ca *ca, const struct request *r)
{
    watchers_add(ca->watchers, request_rid(r), r->flight->peer);
    return (struct link_message){.type = LINK_WAITING,
                                 .id = request_rid(r),
                                 .phrase = span_str(phrase_text(PHRASE_WAITING)),
                                 .check_after = (uint32_t)ca->conf.approval_check_after_s};
}

static struct link_message
message_of(struct ca *ca, const struct request *r)
{
    const struct span rid = request_rid(r);

    switch (r->outcome) {
    case OUTCOME_ISSUED:
        return (struct link_message){
            .type = LINK_ISSUED, .id = rid, .body = buf_span(&r->certificate)};
    case OUTCOME_CONFIRMED:
        return (struct link_message){.type = LINK_CONFIRMED, .id = rid};
    case OUTCOME_REVOKED:
        return (struct link_message){.type = LINK_REVOKED, .id = rid};
    case OUTCOME_REFUSED:
        return ca_refusal(rid, r->fail_info, r->phrase);
    case OUTCOME_WAITING:
        return wait(ca, r);
    case OUTCOME_DEFERRED:
        return deferral(ca, r);
    case OUTCOME_NONE:
    case OUTCOME_BUSY:
        break;
    }
    return (struct link_message){.type = LINK_BUSY, .id = rid};
}

void
request_answer(struct ca *ca, struct request *r)
{
    struct link_message m;

    if (r->kind != NULL && r->kind->answer != NULL) {
        r->kind->answer(ca, r);
        return;
    }
    m = message_of(ca, r);
    ca_answer(ca, r->flight->peer, &m);
    /* What is refused unread is nobody else's answer. */
    if (r->waited && (r->outcome == OUTCOME_ISSUED || r->outcome == OUTCOME_REFUSED)) {
        watchers_tell(ca->watchers, r->flight->peer, &m);
    }
}
