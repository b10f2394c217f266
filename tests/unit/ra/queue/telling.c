/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/queue/telling.h"

#include <string.h>

#include "base/tlog/queue_head.h"
#include "ca/cmp/submission.h"

struct telling_ca telling_ca;

/* In the RA's queue, as it signed it. */
static uint64_t
place_of(struct span body)
{
    struct cmp_submission s;
    struct queue_head head;
    struct err e = {0};

    assert_ok(cmp_submission_decode(body, &s, &e), &e);
    assert_ok(queue_head_parse(s.head, &head, &e), &e);
    return head.first + s.index;
}

static void
does(struct running *w, link_peer peer, const struct link_message *m)
{
    struct link_message answer = {.type = LINK_BUSY, .id = m->id};
    uint64_t place;

    if (m->type != LINK_SUBMIT) {
        running_ca_does(w, peer, m);
        return;
    }
    place = place_of(m->body);
    telling_ca.in_order = telling_ca.in_order && place > telling_ca.last;
    telling_ca.last = place;
    if (telling_ca.holds) {
        telling_ca.held++;
        return;
    }
    if (telling_ca.busy > 0) {
        telling_ca.busy--;
        link_server_answer(w->ca, peer, &answer);
        if (telling_ca.after.type != 0) {
            telling_ca.after.id = m->id;
            link_server_tell(w->ca, peer, &telling_ca.after);
        }
        return;
    }
    if (telling_ca.first.type != 0) {
        link_server_tell(w->ca, peer, &telling_ca.first);
    }
    if (telling_ca.then.type != 0) {
        answer = telling_ca.then;
        answer.id = telling_ca.then.id.n == 0 ? m->id : telling_ca.then.id;
        link_server_answer(w->ca, peer, &answer);
        return;
    }
    running_ca_does(w, peer, m);
}

int
telling_reset(void **state)
{
    struct running *w = *state;

    memset(&telling_ca, 0, sizeof(telling_ca));
    telling_ca.in_order = true;
    /* what other tests left in the queue is of no more interest */
    running_sql(w, "DELETE FROM queue", STORE_NO_VALUES);
    (void)running_reset(state);
    w->ca_does = does;
    return 0;
}

void
telling_hears(struct running *w, struct member *m, enum cmp_body body, enum cmp_status status)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = member_asks(w, m);

    if (a.body != body || a.status.status != status) {
        fail_msg("%s %d \"%s\"", cmp_body_name(a.body), (int)a.status.status, a.status.text);
    }
}

/* Until the log has said it so often. */
void
telling_is_said(struct running *w, const char *text, size_t n)
{
    for (int i = 0; tap_count(text) < n; i++) {
        running_for(w, 5);
        if (i == 2000) {
            fail_msg("it is not said %zu times: %s", n, text);
        }
    }
    assert_int_equal(tap_count(text), n);
}

void
telling_waits(struct running *w, struct member *m)
{
    w->settings->sync_wait = TELLING_WAIT_MS;
    member_requests(m, CMP_IR);
    telling_hears(w, m, CMP_IP, CMP_WAITING);
    w->settings->sync_wait = 60000;
}

/* The same, and the CA has got it. */
void
telling_waits_there(struct running *w, struct member *m)
{
    w->asked[LINK_SUBMIT] = 0;
    telling_waits(w, m);
    running_until(w, running_is_submitted);
}

bool
telling_is_held(struct running *w)
{
    (void)w;
    return telling_ca.held > 0;
}
