/* SPDX-License-Identifier: Apache-2.0 */
/* What nobody will sign, for the signer's policy forbids it or it is not this RA's: it stays, and
 * nobody is asked for it, or told of it, over and over. */
#include "ra/queue/queue.h"

#include <stdio.h>

#include "base/ossl.h"
#include "tests/unit/ra/queue/filling.h"
#include "tests/unit/ra/queue/telling.h"

enum { HEADS = 10, MORE = 5, SECOND_MS = 1000, SHORT_MS = 900, COARSE_MS = 20 };

#define REFUSED "object Q of"

static void
goes(struct running *w)
{
    running_ca_goes(w);
    running_until(w, running_is_down);
}

static int64_t
count_open(struct running *w)
{
    return running_number(w, "SELECT count(*) FROM queue", STORE_NO_VALUES);
}

static void
begin(struct running *w)
{
    goes(w);
    tap_mark();
    running_ca_comes(w);
}

/* So often, or more; not before the time that it gives. */
static int64_t
until_refused(struct running *w, size_t n)
{
    int64_t before;

    do {
        before = clock_monotonic_ms();
        running_for(w, 5);
    } while (tap_count(REFUSED) < n);
    return before;
}

/* At 0, 1, 3 and 7 s, not each second. */
static void
what_is_denied_is_asked_for_less_and_less(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    int64_t began;

    goes(w);
    for (size_t i = 0; i < HEADS; i++) {
        fill(w, &m, 1, 1);
    }
    began = clock_monotonic_ms();
    begin(w);
    (void)until_refused(w, 2 * HEADS + 1);
    if (clock_monotonic_ms() - began < 3 * SECOND_MS - COARSE_MS) {
        fail_msg("asked for the third time after %lld ms",
                 (long long)(clock_monotonic_ms() - began));
    }
    assert_int_equal(tap_count("\"not-wrapped\""), 1);
    tap_need("queue_heads");
    assert_int_equal(count_open(w), HEADS);
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
}

/* Whoever asks meanwhile does not make it more. */
static void
who_asks_meanwhile_waits_in_the_queue(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    int64_t elapsed;
    int64_t began;
    int64_t pause;
    size_t may;

    goes(w);
    for (size_t i = 0; i < HEADS; i++) {
        fill(w, &m, 1, 1);
    }
    begin(w);
    began = until_refused(w, 3 * HEADS);
    for (size_t i = 0; i < MORE; i++) {
        CLEANUP(member_free) struct member n = running_member(w);

        member_requests(&n, CMP_IR); /* it hears so as soon as the signer has refused */
        telling_hears(w, &n, CMP_IP, CMP_WAITING);
        running_for(w, SECOND_MS / 3);
    }
    elapsed = clock_monotonic_ms() - began;
    /* Each of them once, and all at 7 s; again at 15 s, ... if it took so long. */
    may = 3 * HEADS + MORE + HEADS + MORE;
    pause = 8 * SECOND_MS;
    for (int64_t at = 4 * SECOND_MS - COARSE_MS + pause; at <= elapsed; at += pause) {
        may += HEADS + MORE;
        pause *= 2;
    }
    if (tap_count(REFUSED) > may) {
        fail_msg("asked for %zu times, not %zu", tap_count(REFUSED), may);
    }
}

static X509 *
certificate_of(struct running *w, const struct member *m)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(m->key);
    struct nf_identity nf = pki_nf();
    struct tbs_request request;

    (void)snprintf(nf.instance_id, sizeof(nf.instance_id), "%s", m->instance);
    request = pki_request(w->pki, &nf, buf_span(&spki));
    request.not_before = clock_now() - 60;
    request.not_after = clock_now() + 24 * 60 * 60;
    return pki_issue(&request, w->pki->issuing_key);
}

/* It is not asked for again within sync_wait, as when the signer is away; but nobody is told before
 * that is over, and asks the sooner. */
static void
what_is_denied_is_asked_for_once_within_sync_wait(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(heard_free) struct heard h = {0};
    int64_t began;

    m.certificate = certificate_of(w, &m);
    m.client.certificate = m.certificate;
    w->settings->sync_wait = SHORT_MS; /* it is left before the queue is looked at again */
    member_requests(&m, CMP_KUR);
    began = clock_monotonic_ms();
    h = running_post(w, buf_span(&m.message));
    assert_true(clock_monotonic_ms() - began >= SHORT_MS - COARSE_MS);
    w->settings->sync_wait = 60000;
    assert_int_equal(h.status, 503);
    tap_need("queue_heads");
    assert_int_equal(tap_count(REFUSED), 1);
    assert_int_equal(count_open(w), 0);
}

static int
stamp_of_another(void *arg, struct span text, uint8_t out[REQUESTS_STAMP_SIZE], struct err *e)
{
    (void)arg;
    return sha256(text, out, e);
}

static bool
is_not_ours(struct running *w)
{
    (void)w;
    return tap_has("is not sealed by this RA");
}

/* Somebody wrote two of them into ra.db. */
static void
what_is_not_ours_is_said_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    goes(w);
    for (size_t i = 0; i < 2; i++) {
        struct filling f = filling_of(w, &m, 1, 1);

        f.author.stamp = stamp_of_another;
        filling_run(w, &f);
        filling_clear(&f);
    }
    begin(w);
    running_until(w, is_not_ours);
    running_for(w, SECOND_MS + SECOND_MS / 3); /* it is looked at again */
    assert_int_equal(tap_count("\"not-wrapped\""), 1);
    assert_int_equal(count_open(w), 2);
}

static int
set_up(void **state)
{
    running_sign_no_heads();
    return running_setup(state);
}

#define TEST(name) cmocka_unit_test_setup(name, telling_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_denied_is_asked_for_less_and_less),
        TEST(who_asks_meanwhile_waits_in_the_queue),
        TEST(what_is_denied_is_asked_for_once_within_sync_wait),
        TEST(what_is_not_ours_is_said_once),
    };

    return cmocka_run_group_tests(tests, set_up, running_teardown);
}
