/* SPDX-License-Identifier: Apache-2.0 */
/* The queue over a real link: to a CA that is busy, away or wrong. */
#include "ra/queue/queue.h"

#include <signal.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/failure.h"
#include "ca/cmp/queue.h"
#include "ca/x509/profile/profiles.h"
#include "pkcs11/client/pool.h"
#include "tests/support/kill.h"
#include "tests/unit/ra/queue/filling.h"
#include "tests/unit/ra/queue/telling.h"

enum { MESSAGE_LARGE = 60 * 1024, WRAPS_MAX = 64 };

/* ---- entries that are there already ---- */

/* So many, each under a head of its own. */
static void
fill_heads(struct running *w, const struct member *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fill(w, m, 1, 1);
    }
}

static int64_t
count_open(struct running *w)
{
    return running_number(w, "SELECT count(*) FROM queue", STORE_NO_VALUES);
}

static bool
is_empty(struct running *w)
{
    return count_open(w) == 0;
}

static bool
one_is_left(struct running *w)
{
    return count_open(w) == 1;
}

static int
stamp_of_another(void *arg, struct span text, uint8_t out[REQUESTS_STAMP_SIZE], struct err *e)
{
    (void)arg;
    return sha256(text, out, e);
}

/* ---- the link ---- */

static void
a_busy_ca_is_asked_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    telling_ca.busy = 2;
    member_enrols(w, &m);
    assert_int_equal(w->asked[LINK_SUBMIT], 4); /* ir three times, certConf */
}

static void
what_nobody_waits_for_is_sent_again_too(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    telling_ca.holds = true;
    telling_waits(w, &m);
    running_until(w, telling_is_held);
    running_ca_says(w, &(struct link_message){.type = LINK_BUSY,
                                              .id = span_of(w->last_id, sizeof(w->last_id))});
    telling_ca.holds = false;
    running_becomes(w, &m, REQUESTS_ANSWERED);
    assert_int_equal(w->asked[LINK_SUBMIT], 2);
}

/* More than a page of the queue (64). */
static void
a_long_queue_is_sent_in_order_and_each_entry_once(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const size_t rows[] = {1, 64, 65};

    telling_ca.then = (struct link_message){.type = LINK_CONFIRMED};
    telling_ca.then.type = LINK_REFUSED;
    telling_ca.then.fail_info = CMP_BAD_REQUEST;
    telling_ca.then.phrase = span_str("no");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        running_ca_goes(w);
        running_until(w, running_is_down);
        fill(w, &m, rows[i], 1);
        w->asked[LINK_SUBMIT] = 0;
        telling_ca.last = 0;
        running_ca_comes(w);
        running_until(w, is_empty);
        if (w->asked[LINK_SUBMIT] != rows[i] || !telling_ca.in_order) {
            fail_msg("%zu entries: %zu sent", rows[i], w->asked[LINK_SUBMIT]);
        }
    }
}

/* The CA reads no more, and the link takes 1 MiB at most. */
static void
a_link_that_is_full_is_tried_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const size_t n = 26;

    running_ca_goes(w);
    running_until(w, running_is_down);
    fill(w, &m, n, MESSAGE_LARGE);
    w->open_max = 1;
    telling_ca.holds = true;
    running_ca_comes(w);
    running_until(w, telling_is_held);
    running_for(w, 300); /* more than the pause between tries */
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
    telling_ca.holds = false;
    telling_ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    running_ca_says(w, &(struct link_message){.type = LINK_REFUSED,
                                              .id = span_of(w->last_id, sizeof(w->last_id)),
                                              .fail_info = CMP_BAD_REQUEST,
                                              .phrase = span_str("no")});
    running_until(w, is_empty);
    assert_int_equal(w->asked[LINK_SUBMIT], n);
    assert_true(telling_ca.in_order);
}

static bool
is_wrapping(struct running *w)
{
    return w->ra.heads_asked == WRAPS_MAX;
}

/* More heads than are asked for at once. */
static void
what_nobody_has_signed_is_signed_all_of_it(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const pid_t signer = signer_pid(signer_pool_first(w->ra.signers));

    telling_ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    running_ca_goes(w);
    running_until(w, running_is_down);
    fill_heads(w, &m, WRAPS_MAX + 1);
    assert_int_equal(test_kill(signer, SIGSTOP), 0);
    w->asked[LINK_SUBMIT] = 0;
    running_ca_comes(w);
    running_until(w, is_wrapping);
    running_for(w, 20); /* the last one is looked at, too */
    assert_int_equal(test_kill(signer, SIGCONT), 0);
    running_until(w, is_empty);
    assert_int_equal(w->asked[LINK_SUBMIT], WRAPS_MAX + 1);
    assert_true(telling_ca.in_order);
}

/* Admitted under another key, in a batch; and one that somebody wrote into ra.db. */
static void
what_another_key_committed_takes_another_place(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    struct filling f = filling_of(w, &m, 3, 1);
    struct filling forged = filling_of(w, &m, 1, 1);
    struct err e = {0};

    telling_ca.then = (struct link_message){
        .type = LINK_REFUSED, .fail_info = CMP_BAD_REQUEST, .phrase = span_str("no")};
    running_ca_goes(w);
    running_until(w, running_is_down);
    forged.author.stamp = stamp_of_another;
    filling_run(w, &forged);
    f.author.ra[0] ^= 1;
    filling_run(w, &f);
    w->asked[LINK_SUBMIT] = 0;
    telling_ca.last = f.head.first + 2;
    running_ca_comes(w);
    running_until(w, one_is_left);
    running_for(w, 1200); /* it is looked at again */
    assert_int_equal(w->asked[LINK_SUBMIT], 3);
    assert_true(telling_ca.in_order); /* behind where they were */
    assert_ok(running_chain(w, &e), &e);
    assert_int_equal(tap_count("\"not-wrapped\""), 1);
    tap_need("is not sealed by this RA");
    filling_clear(&f);
    filling_clear(&forged);
}

/* Before there were heads. */
static void
what_was_wrapped_by_itself_goes_under_a_head(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(filling_clear) struct filling f = filling_of(w, &m, 1, 1);
    CLEANUP(buf_free) struct buf wrapped = {0};
    struct cmp_submission s;
    struct err e = {0};

    running_ca_goes(w);
    running_until(w, running_is_down);
    member_requests(&m, CMP_IR);
    f.whole = buf_span(&m.message);
    filling_run(w, &f);
    wrapped = filling_signed(w, &f);
    running_sql(
        w, "UPDATE queue SET message = ?, entry = NULL WHERE rid = ?",
        STORE_VALUES(store_blob(buf_span(&wrapped)), store_blob(span_of(f.rid, sizeof(f.rid)))));
    w->asked[LINK_SUBMIT] = 0;
    running_ca_comes(w);
    running_until(w, is_empty);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
    assert_ok(cmp_submission_decode(buf_span(&w->last), &s, &e), &e);
    assert_true(span_equal(s.message, buf_span(&m.message)));
    assert_memory_equal(w->last_id, f.rid, sizeof(f.rid));
}

static void
a_link_that_breaks_loses_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(talk_free) struct talk t = {0};
    CLEANUP(cmp_client_answer_free) struct cmp_client_answer a = {0};
    struct running_task *task;
    struct err e = {0};

    telling_ca.holds = true;
    member_requests(&m, CMP_IR);
    t = running_cmp(w, "/.well-known/cmp", "Connection: close\r\n", buf_span(&m.message));
    task = running_begin(w, talk_run, &t);
    running_until(w, telling_is_held);
    running_ca_goes(w);
    running_until(w, running_is_down);
    running_for(w, 400); /* two tries at least */
    assert_int_equal(tap_count("\"link-down\""), 1);
    assert_false(running_is_over(task));
    telling_ca.holds = false;
    running_ca_comes(w);
    running_end(w, task);
    assert_int_equal(t.heard.status, 200);
    assert_ok(cmp_client_read(&m.client, t.heard.body, NULL, &m.state, &a, &e), &e);
    assert_int_equal(a.body, CMP_IP);
    assert_int_equal(w->asked[LINK_SUBMIT], 2);
    /* It was up: when it breaks again that is news. */
    running_ca_goes(w);
    running_until(w, running_is_down);
    assert_int_equal(tap_count("\"link-down\""), 2);
}

/* What is on the wire stays there when something else is sent again. */
static void
what_is_on_the_wire_is_not_sent_twice(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);

    telling_ca.holds = true;
    telling_waits(w, &m);
    running_until(w, telling_is_held);
    telling_ca.holds = false;
    telling_ca.busy = 1;
    member_enrols(w, &n);
    assert_int_equal(w->asked[LINK_SUBMIT], 4); /* of m once; of n ir twice, certConf */
    assert_int_equal(running_state(w, &m), REQUESTS_QUEUED);
}

/* The CA tells the end of what waits to whom it has from. */
static void
over_a_new_connection_what_rests_is_sent_too(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    telling_ca.then = (struct link_message){
        .type = LINK_WAITING, .check_after = 3600, .phrase = span_str("officers look at it")};
    member_requests(&m, CMP_IR);
    telling_hears(w, &m, CMP_IP, CMP_WAITING);
    running_ca_goes(w);
    running_until(w, running_is_down);
    telling_ca.then.type = 0;
    w->asked[LINK_SUBMIT] = 0;
    running_ca_comes(w);
    running_becomes(w, &m, REQUESTS_ANSWERED);
    assert_int_equal(w->asked[LINK_SUBMIT], 1);
}

/* ---- WELCOME ---- */

static bool
is_met(struct running *w)
{
    (void)w;
    return tap_has("\"link-up\"") || tap_has("\"wrong-ca\"");
}

static void
meet(struct running *w)
{
    running_ca_goes(w);
    running_until(w, running_is_down);
    tap_mark();
    w->asked[LINK_HELLO] = 0;
    w->ca_is_mute = true; /* so that nobody waits for its being up */
    running_ca_comes(w);
    w->ca_is_mute = false;
    running_until(w, is_met);
}

static void
another_ca_gets_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(mem_cleanup) char *document = NULL;
    CLEANUP(mem_cleanup) char *base64 = NULL;
    CLEANUP(buf_free) struct buf cms = {0};
    CLEANUP(buf_free) struct buf almost = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(buf_free) struct buf almost_root = BUF_INIT(LINK_CERTIFICATE_MAX);
    const struct link_message good = w->welcome;
    char instance[37];
    struct err e = {0};

    running_instance(instance);
    document = running_document(instance, "", 1);
    cms = running_signed(w, document);
    base64 = base64_dup(buf_span(&cms));
    assert_ok(buf_set(&almost, good.body, &e), &e);
    almost.p[almost.n - 1] ^= 1;
    assert_ok(buf_set(&almost_root, good.root, &e), &e);
    almost_root.p[almost_root.n - 1] ^= 1;
    for (int i = 0; i < 4; i++) {
        w->welcome = good;
        w->welcome.body = i == 0 ? good.root : i == 2 ? buf_span(&almost) : good.body;
        w->welcome.root = i == 1 ? good.body : i == 3 ? buf_span(&almost_root) : good.root;
        meet(w);
        tap_need("the CA has another issuing or root certificate");
        assert_false(queue_is_up(w->ra.queue));
        assert_null(
            running_ask(w, json_pack("{s:s, s:s}", "command", "register", "cms", base64), &e));
        assert_int_equal(e.code, ERR_DENIED);
        assert_string_equal(e.text,
                            "the CA at link_socket is not the configured one, or an older copy");
    }
    telling_waits(w, &m);
    assert_int_equal(w->asked[LINK_SUBMIT], 0);
    assert_int_equal(w->asked[LINK_REGISTER], 1); /* of the member */
    w->welcome = good;
    meet(w);
    running_becomes(w, &m, REQUESTS_ANSWERED);
}

static void
a_welcome_says_how_long_ago_certificates_begin(void **state)
{
    struct running *w = *state;
    const struct link_message good = w->welcome;
    const int window = w->settings->message_time_window;
    const struct {
        uint32_t backdate;
        int behind;
        bool said;
    } rows[] = {{0, window, false},
                {1, 1, true},
                {(uint32_t)window - 1, window - 1, true},
                {(uint32_t)window, window, false},
                {(uint32_t)window + 1, window, false}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        w->welcome.backdate = rows[i].backdate;
        meet(w);
        if (w->ra.behind_s != rows[i].behind || tap_has("\"backdate-short\"") != rows[i].said) {
            fail_msg("backdate %u: %d s", rows[i].backdate, w->ra.behind_s);
        }
    }
    w->welcome = good;
    meet(w);
}

static void
a_welcome_says_what_should_be_known_of_a_ca(void **state)
{
    struct running *w = *state;
    const struct link_message good = w->welcome;
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(profiles_hash(w->settings->profiles, hash, &e), &e);
    w->welcome.id = span_of(hash, sizeof(hash));
    meet(w);
    assert_false(tap_has("\"profiles-differ\""));
    hash[SHA256_SIZE - 1] ^= 1;
    meet(w);
    tap_need("the CA has another file of profiles");
    w->welcome = good;
    w->welcome.software = true;
    meet(w);
    assert_false(tap_has("\"software-token\"")); /* that was said when it came first, or not */
    w->welcome = good;
    meet(w);
    tap_need("\"link-up\"");
    assert_false(tap_has("\"profiles-differ\"")); /* it does not say which it has */
}

static void
who_asks_while_the_link_is_down_hears_so(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *document = NULL;
    CLEANUP(mem_cleanup) char *base64 = NULL;
    CLEANUP(buf_free) struct buf cms = {0};
    char instance[37];
    struct err e = {0};

    running_instance(instance);
    document = running_document(instance, "", 1);
    cms = running_signed(w, document);
    base64 = base64_dup(buf_span(&cms));
    running_ca_goes(w);
    running_until(w, running_is_down);
    assert_null(running_ask(w, json_pack("{s:s, s:s}", "command", "register", "cms", base64), &e));
    assert_int_equal(e.code, ERR_BUSY);
    assert_non_null(strstr(e.text, "link to the CA: "));
}

#define TEST(name) cmocka_unit_test_setup(name, telling_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_busy_ca_is_asked_again),
        TEST(what_nobody_waits_for_is_sent_again_too),
        TEST(a_long_queue_is_sent_in_order_and_each_entry_once),
        TEST(a_link_that_is_full_is_tried_again),
        TEST(what_nobody_has_signed_is_signed_all_of_it),
        TEST(what_another_key_committed_takes_another_place),
        TEST(what_was_wrapped_by_itself_goes_under_a_head),
        TEST(a_link_that_breaks_loses_nothing),
        TEST(what_is_on_the_wire_is_not_sent_twice),
        TEST(over_a_new_connection_what_rests_is_sent_too),
        TEST(another_ca_gets_nothing),
        TEST(a_welcome_says_how_long_ago_certificates_begin),
        TEST(a_welcome_says_what_should_be_known_of_a_ca),
        TEST(who_asks_while_the_link_is_down_hears_so),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
