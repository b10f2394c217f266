/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/transaction/talking.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/body.h"
#include "ra/daemon/budget.h"

/* Refused by HTTP status and in CMP. */
void
talking_is_busy(const struct heard *h, const struct member *m, enum cmp_failure failure,
                const char *phrase, const char *retry_after)
{
    struct cmp_client_state state = m->state;
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct err e = {0};

    assert_int_equal(h->status, 503);
    assert_true(retry_after == NULL || heard_has(h, retry_after));
    assert_ok(cmp_client_read(&m->client, h->body, NULL, &state, &a, &e), &e);
    if (a.body != CMP_ERROR || a.status.failures != 1U << (unsigned)failure ||
        strstr(a.status.text, phrase) == NULL) {
        fail_msg("%s %#x \"%s\"", cmp_body_name(a.body), a.status.failures, a.status.text);
    }
}

/* Protected in whatever way. */
void
talking_is_error(const struct heard *h, enum cmp_failure failure)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *answer = NULL;
    struct cmp_status_info said;
    enum cmp_failure why;
    struct err e = {0};

    answer = cmp_msg_parse(h->body, CMP_MESSAGE_MAX, &e);
    assert_non_null(answer);
    assert_int_equal(cmp_msg_body(answer), CMP_ERROR);
    assert_ok(cmp_error_read(answer, &said, &why, &e), &e);
    assert_int_equal(said.failures, 1U << (unsigned)failure);
}

void
talking_is_bare(const struct heard *h, const char *retry_after)
{
    assert_int_equal(h->status, 503);
    assert_int_equal(h->body.n, 0);
    assert_true(heard_has(h, retry_after));
}

void
talking_hears(struct running *w, struct member *m, enum cmp_body body)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = member_asks(w, m);

    if (a.body != body) {
        fail_msg("%s \"%s\" instead of %s", cmp_body_name(a.body), a.status.text,
                 cmp_body_name(body));
    }
}

void
talking_hears_waiting(struct running *w, struct member *m, enum cmp_body body)
{
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = member_asks(w, m);

    assert_int_equal(a.body, body);
    assert_int_equal(a.status.status, CMP_WAITING);
}

void
talking_polls(struct member *m, int cert_req_id)
{
    struct err e = {0};

    assert_ok(cmp_client_pollreq(&m->client, cert_req_id, &m->state, &m->message, &e), &e);
}

void
talking_confirms(struct member *m, const struct buf *certificate, bool accept)
{
    struct err e = {0};
    CLEANUP(x509_cleanup) X509 *x = certificate_parse(buf_span(certificate), &e);

    assert_non_null(x);
    assert_ok(cmp_client_certconf(&m->client, x, accept, &m->state, &m->message, &e), &e);
}

/* A CA that waits for people. */
void
talking_waits(struct running *w, link_peer peer, const struct link_message *m)
{
    const struct link_message waiting = {.type = LINK_WAITING,
                                         .id = m->id,
                                         .phrase = span_str("officers look at it"),
                                         .check_after = 4711};

    if (m->type == LINK_SUBMIT) {
        link_server_answer(w->ca, peer, &waiting);
    } else {
        running_ca_does(w, peer, m);
    }
}

/* RFC 9483 3.2: protected as the request was where that proved who asks, else signed. */
enum cmp_protection
talking_protection_of(struct span answer)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct err e = {0};

    msg = cmp_msg_parse(answer, CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    return cmp_protection_of(msg);
}

/* Enrolled, and signs from now on. */
struct member
talking_signer(struct running *w)
{
    struct member m = running_member(w);

    member_enrols(w, &m);
    m.client.certificate = m.certificate;
    w->asked[LINK_SUBMIT] = 0;
    return m;
}

void
talking_asks(struct member *m, uint8_t what)
{
    const uint8_t body[] = {0xb5, 0x0e, 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x08,
                            0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x04, what};

    member_says(m, true, span_of(body, sizeof(body)));
}

/* Of its last transaction. */

int64_t
talking_last_number(struct running *w, const struct member *m, const char *sql)
{
    return running_number(w, sql, STORE_VALUES(store_text(m->id)));
}

void
talking_becomes(struct running *w, const struct member *m, enum requests_state state)
{
    for (int i = 0; talking_last_number(w, m, TALKING_LAST("state")) != (int64_t)state; i++) {
        running_for(w, 2);
        if (i == 5000) {
            fail_msg("it stays in state %d", (int)talking_last_number(w, m, TALKING_LAST("state")));
        }
    }
}

int
talking_tokens_left(struct running *w, const struct member *m)
{
    int n = 0;

    while (budget_take(w->ra.by_registration, span_str(m->id), clock_monotonic_ms()) == 0) {
        n++;
    }
    for (int i = 0; i < n; i++) {
        budget_give_back(w->ra.by_registration, span_str(m->id));
    }
    return n;
}

/* The RA says so itself, by HTTP and in CMP. */
void
talking_is_our_failure(struct running *w, struct member *m)
{
    CLEANUP(heard_free) struct heard h = running_post(w, buf_span(&m->message));
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct cmp_client_state state = m->state;
    struct err e = {0};

    assert_int_equal(h.status, 503);
    assert_true(heard_has(&h, "Retry-After: 5"));
    assert_ok(cmp_client_read(&m->client, h.body, NULL, &state, &a, &e), &e);
    assert_int_equal(a.body, CMP_ERROR);
    assert_int_equal(a.status.failures, 1U << CMP_SYSTEM_FAILURE);
    assert_false(w->ra.failed);
    tap_need("\"no-answer\"");
}

void
talking_says_nothing(struct running *w, link_peer peer, const struct link_message *m)
{
    if (m->type != LINK_SUBMIT) {
        running_ca_does(w, peer, m);
    }
}

/* Nothing comes back to a budget while a test runs, on whatever machine. */
int
talking_setup(void **state)
{
    static const struct budget_limit limit = {.interval_us = (int64_t)3600 * 1000 * 1000,
                                              .burst = TALKING_BURST};
    struct running *w;

    (void)running_setup(state);
    w = *state;
    budget_free(w->ra.by_registration);
    w->ra.by_registration = budget_new(&limit, 1024);
    return 0;
}
