/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: what is admitted, through which states it goes, and how it ends. */
#include <string.h>

#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/requests/verb.h"

static int
verb_count(struct store_db *db, void *arg, struct err *e)
{
    return requests_count_open(db, arg, e);
}

static int
count_open(struct store *store)
{
    struct err e;
    int open = -1;

    assert_ok(verb_call(store, verb_count, &open, &e), &e);
    return open;
}

static int
verb_issued_other(struct store_db *db, void *arg, struct err *e)
{
    return verb_answer_issued(db, span_of(arg, REQUESTS_RID_SIZE), SPAN_LITERAL("another"), e);
}

static int
verb_done(struct store_db *db, void *arg, struct err *e)
{
    return verb_answer(db, span_of(arg, REQUESTS_RID_SIZE), requests_done, e);
}

static int
verb_confirmed(struct store_db *db, void *arg, struct err *e)
{
    return verb_answer(db, span_of(arg, REQUESTS_RID_SIZE), requests_confirmed, e);
}

static int
verb_close(struct store_db *db, void *arg, struct err *e)
{
    const struct sending *s = arg;

    return requests_close(db, s->enrolment, e);
}

struct confirming {
    int64_t enrolment;
    bool accepted;
    uint8_t rid[REQUESTS_RID_SIZE];
    const char *nonce; /* NULL: it is not known */
    uint64_t sequence;
};

static int
verb_confirm(struct store_db *db, void *arg, struct err *e)
{
    struct confirming *c = arg;

    return requests_admit_confirmation(
        db, c->enrolment, c->accepted,
        &(struct requests_item){.rid = span_of(c->rid, sizeof(c->rid)),
                                .nonce = c->nonce == NULL ? span_of(NULL, 0) : span_str(c->nonce),
                                .message = SPAN_LITERAL("message"),
                                .entry = SPAN_LITERAL("entry")},
        &c->sequence, e);
}

static int
verb_seen(struct store_db *db, void *arg, struct err *e)
{
    bool seen = true;

    if (requests_is_seen(db, "mac:ref", span_str(arg), &seen, e) != 0) {
        return -1;
    }
    return seen ? 0 : err_set(e, ERR_NOTFOUND, "it was not seen");
}

static void
a_transaction_id_is_used_once_per_identity(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting first = verb_admitting("tid", 1);
    struct admitting again = verb_admitting("tid", 2);
    struct admitting same_octets = verb_admitting("other", 1);
    struct admitting stranger = verb_admitting("tid", 3);
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 5);
    assert_ok(verb_call(store, verb_admit, &first, &e), &e);
    assert_err(verb_call(store, verb_admit, &again, &e), ERR_CONFLICT, &e);
    assert_err(verb_call(store, verb_admit, &same_octets, &e), ERR_CONFLICT, &e);
    assert_int_equal(count_open(store), 1);
    stranger.identity = "cert:00";
    assert_ok(verb_call(store, verb_admit, &stranger, &e), &e);
}

static void
a_refused_first_message_is_remembered_too(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("tid", 1);
    char tid[] = "tid";
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 5);
    assert_err(verb_call(store, verb_seen, tid, &e), ERR_NOTFOUND, &e);
    assert_ok(verb_call(store, verb_remember, tid, &e), &e);
    assert_ok(verb_call(store, verb_seen, tid, &e), &e);
    assert_err(verb_call(store, verb_remember, tid, &e), ERR_CONFLICT, &e);
    assert_err(verb_call(store, verb_admit, &in, &e), ERR_CONFLICT, &e);
    assert_int_equal(count_open(store), 0);
}

static void
a_registration_is_used_as_often_as_it_says(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting first = verb_admitting("a", 1);
    struct admitting second = verb_admitting("b", 2);
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 1);
    assert_ok(verb_call(store, verb_admit, &first, &e), &e);
    assert_err(verb_call(store, verb_admit, &second, &e), ERR_DENIED, &e);
    /* The CA refuses: the use comes back, and the answer again changes nothing. */
    assert_ok(verb_call(store, verb_refused, first.rid, &e), &e);
    assert_ok(verb_call(store, verb_refused, first.rid, &e), &e);
    verb_assert_state(store, "a", REQUESTS_REJECTED);
    second = verb_admitting("c", 3);
    assert_ok(verb_call(store, verb_admit, &second, &e), &e);
}

static void
an_enrolment_goes_through_its_states(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("tid", 1);
    struct confirming c = {.accepted = true};
    struct sending s = {.nonce = "nonce-1"};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 1);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    verb_assert_state(store, "tid", REQUESTS_QUEUED);
    s.enrolment = c.enrolment = in.enrolment;
    memset(c.rid, 9, sizeof(c.rid));
    assert_err(verb_call(store, verb_confirm, &c, &e), ERR_CONFLICT, &e);
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e);
    verb_assert_state(store, "tid", REQUESTS_ANSWERED);
    assert_ok(verb_call(store, verb_sent, &s, &e), &e);
    verb_assert_state(store, "tid", REQUESTS_SENT);
    s.nonce = "nonce-2";
    assert_ok(verb_call(store, verb_sent, &s, &e), &e);
    assert_ok(verb_call(store, verb_sent, &s, &e), &e); /* said again, nothing moves on */
    {
        CLEANUP(requests_enrolment_clear)
        struct requests_enrolment x = verb_enrolment(store, "tid");

        assert_true(span_equal(buf_span(&x.nonce), SPAN_LITERAL("nonce-2")));
        assert_true(span_equal(buf_span(&x.nonce_before), SPAN_LITERAL("nonce-1")));
        assert_true(span_equal(buf_span(&x.certificate), SPAN_LITERAL("certificate")));
        assert_true(span_equal(buf_span(&x.asked), SPAN_LITERAL("asked")));
    }
    assert_ok(verb_call(store, verb_confirm, &c, &e), &e);
    verb_assert_state(store, "tid", REQUESTS_CONFIRMING);
    assert_int_equal(count_open(store), 1);
    assert_ok(verb_call(store, verb_confirmed, c.rid, &e), &e);
    assert_ok(verb_call(store, verb_confirmed, c.rid, &e), &e);
    verb_assert_state(store, "tid", REQUESTS_CONFIRMED);
    assert_err(verb_call(store, verb_confirm, &c, &e), ERR_CONFLICT, &e);
    assert_int_equal(count_open(store), 0);
}

static void
a_rejecting_certconf_ends_in_rejected(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("tid", 1);
    struct confirming c = {.accepted = false};
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 1);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    s.enrolment = c.enrolment = in.enrolment;
    memset(c.rid, 9, sizeof(c.rid));
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e);
    assert_ok(verb_call(store, verb_sent, &s, &e), &e);
    assert_ok(verb_call(store, verb_confirm, &c, &e), &e);
    assert_ok(verb_call(store, verb_confirmed, c.rid, &e), &e);
    verb_assert_state(store, "tid", REQUESTS_REJECTED);
}

static int
verb_used(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(requests_registration_clear) struct requests_registration r = {0};
    bool found;

    if (requests_registration_by_id(db, ID, &r, &found, e) != 0) {
        return -1;
    }
    *(int *)arg = r.used;
    return 0;
}

/* Whether it may be tried again is the CA's to say: it knows why not, and "used up" would be
 * untrue. */
static void
what_was_rejected_may_be_asked_for_again_though_it_is_used_up(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("tid", 1);
    struct admitting next = verb_admitting("next", 2);
    struct admitting after = verb_admitting("after", 3);
    char id[] = ID;
    int used = 0;
    struct confirming c = {.accepted = false};
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 1);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    assert_err(verb_call(store, verb_admit, &next, &e), ERR_DENIED, &e);
    s.enrolment = c.enrolment = in.enrolment;
    memset(c.rid, 9, sizeof(c.rid));
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e);
    assert_ok(verb_call(store, verb_sent, &s, &e), &e);
    assert_ok(verb_call(store, verb_confirm, &c, &e), &e);
    assert_ok(verb_call(store, verb_confirmed, c.rid, &e), &e);
    assert_ok(verb_call(store, verb_admit, &next, &e), &e);
    /* refused by the CA, it gives no use back: it took none */
    assert_ok(verb_call(store, verb_refused, next.rid, &e), &e);
    assert_ok(verb_call(store, verb_used, &used, &e), &e);
    assert_int_equal(used, 1);
    assert_ok(verb_call(store, verb_cancel, id, &e), &e);
    assert_err(verb_call(store, verb_admit, &after, &e), ERR_DENIED, &e);
}

/* Answers got lost, and later requests got the same certificate: whichever the client goes on with.
 * The CA may say all of it again. */
static void
what_is_confirmed_ends_the_other_transactions_about_it(void **state)
{
    static const char *const tids[] = {"lost", "other", "later", "last"};
    static const size_t which[] = {0, 2, 3};

    (void)state;
    for (size_t w = 0; w < ARRAY_LEN(which); w++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
        struct admitting in[ARRAY_LEN(tids)];
        struct confirming c = {.accepted = true};
        struct err e;

        verb_registration(store, ID, "ref", 4);
        for (size_t i = 0; i < ARRAY_LEN(tids); i++) {
            struct sending s = {.nonce = "n"};

            in[i] = verb_admitting(tids[i], (uint8_t)(1 + i));
            assert_ok(verb_call(store, verb_admit, &in[i], &e), &e);
            assert_ok(verb_call(store, i == 1 ? verb_issued_other : verb_issued, in[i].rid, &e),
                      &e);
            s.enrolment = in[i].enrolment;
            assert_ok(verb_call(store, verb_sent, &s, &e), &e);
            for (size_t k = 0; k <= i; k++) {
                assert_ok(verb_call(store, k == 1 ? verb_issued_other : verb_issued, in[k].rid, &e),
                          &e);
            }
        }
        c.enrolment = in[which[w]].enrolment;
        memset(c.rid, 9, sizeof(c.rid));
        assert_ok(verb_call(store, verb_confirm, &c, &e), &e);
        assert_ok(verb_call(store, verb_confirmed, c.rid, &e), &e);
        for (size_t i = 0; i < ARRAY_LEN(tids); i++) {
            verb_assert_state(store, tids[i], i == 1 ? REQUESTS_SENT : REQUESTS_CONFIRMED);
        }
    }
}

static void
a_client_that_gives_up_ends_its_transaction(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("tid", 1);
    struct confirming c = {.accepted = true};
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 1);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    s.enrolment = c.enrolment = in.enrolment;
    memset(c.rid, 9, sizeof(c.rid));
    assert_ok(verb_call(store, verb_close, &s, &e), &e);
    verb_assert_state(store, "tid", REQUESTS_REJECTED);
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e); /* too late, and not lost at the CA */
    verb_assert_state(store, "tid", REQUESTS_REJECTED);
    assert_err(verb_call(store, verb_confirm, &c, &e), ERR_CONFLICT, &e);
    /* What has ended stays as it ended. */
    in = verb_admitting("other", 2);
    in.uncounted = in.implicit = true;
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    s.enrolment = in.enrolment;
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e);
    assert_ok(verb_call(store, verb_sent, &s, &e), &e);
    assert_ok(verb_call(store, verb_close, &s, &e), &e);
    verb_assert_state(store, "other", REQUESTS_CONFIRMED);
}

struct delivering {
    const uint8_t *rid;
    int64_t confirm_by;
    enum requests_state state;
};

static int
verb_deliver(struct store_db *db, void *arg, struct err *e)
{
    struct delivering *d = arg;
    CLEANUP(requests_asked_clear) struct requests_asked asked = {0};
    const struct requests_certificate c = {
        .fingerprint = {d->rid[0]}, .serial = {d->rid[0]}, .serial_size = 1, .not_after = 9000};

    if (verb_asked(db, span_of(d->rid, REQUESTS_RID_SIZE), &asked, e) != 0) {
        return -1;
    }
    asked.confirm_by = d->confirm_by;
    if (requests_issued(db, &asked, SPAN_LITERAL("certificate"), &c, e) != 0) {
        return -1;
    }
    d->state = asked.enrolment.state;
    return 0;
}

/* With the commit of what was admitted, and with that of the CA's answer: no other one is needed.
 */
static void
who_waits_has_it_with_the_commit(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("tid", 1);
    struct admitting implicit = verb_admitting("implicit", 2);
    struct delivering d = {.rid = in.rid, .confirm_by = 100};
    struct confirming c = {.accepted = true, .nonce = "second nonce ...", .rid = {9}};
    struct err e;

    (void)state;
    in.nonce = "first nonce ....";
    implicit.nonce = "first nonce ....";
    implicit.implicit = true;
    verb_registration(store, ID, "ref", 5);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    assert_ok(verb_call(store, verb_deliver, &d, &e), &e);
    assert_int_equal(d.state, REQUESTS_SENT);
    verb_assert_state(store, "tid", REQUESTS_SENT);
    c.enrolment = in.enrolment;
    assert_ok(verb_call(store, verb_confirm, &c, &e), &e);
    {
        CLEANUP(requests_enrolment_clear)
        struct requests_enrolment x = verb_enrolment(store, "tid");

        assert_true(span_equal(buf_span(&x.nonce), span_str(c.nonce)));
        assert_true(span_equal(buf_span(&x.nonce_before), span_str(in.nonce)));
    }
    assert_ok(verb_call(store, verb_admit, &implicit, &e), &e);
    d.rid = implicit.rid;
    assert_ok(verb_call(store, verb_deliver, &d, &e), &e);
    assert_int_equal(d.state, REQUESTS_CONFIRMED);
    verb_assert_state(store, "implicit", REQUESTS_CONFIRMED);
}

static void
implicit_confirmation_ends_with_the_answer(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("tid", 1);
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    in.implicit = true;
    verb_registration(store, ID, "ref", 1);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    s.enrolment = in.enrolment;
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e);
    assert_ok(verb_call(store, verb_sent, &s, &e), &e);
    verb_assert_state(store, "tid", REQUESTS_CONFIRMED);
}

static void
what_is_no_enrolment_takes_no_certificate_and_ends_with_its_answer(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting first = verb_admitting("a", 1);
    struct admitting done = verb_admitting("b", 2);
    struct admitting refused = verb_admitting("c", 3);
    struct admitting more = verb_admitting("d", 4);
    uint8_t unasked[REQUESTS_RID_SIZE] = {0};
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 1);
    assert_ok(verb_call(store, verb_admit, &first, &e), &e); /* uses it up */
    done.uncounted = refused.uncounted = true;
    done.implicit = refused.implicit = true;
    assert_ok(verb_call(store, verb_admit, &done, &e), &e);
    assert_ok(verb_call(store, verb_admit, &refused, &e), &e);
    s.enrolment = done.enrolment;
    assert_ok(verb_call(store, verb_done, done.rid, &e), &e);
    verb_assert_state(store, "b", REQUESTS_ANSWERED);
    assert_ok(verb_call(store, verb_sent, &s, &e), &e);
    verb_assert_state(store, "b", REQUESTS_CONFIRMED);
    assert_ok(verb_call(store, verb_done, done.rid, &e), &e); /* the same again */
    verb_assert_state(store, "b", REQUESTS_CONFIRMED);
    assert_err(verb_call(store, verb_done, unasked, &e), ERR_NOTFOUND, &e);
    /* What was not taken is not given back. */
    assert_ok(verb_call(store, verb_refused, refused.rid, &e), &e);
    assert_err(verb_call(store, verb_admit, &more, &e), ERR_DENIED, &e);
}

static int
verb_ask(struct store_db *db, void *arg, struct err *e)
{
    struct admitting *in = arg;
    const struct requests_admission a = {
        .identity = in->identity,
        .transaction_id = span_str(in->tid),
        .registration = ID,
        .profile = "nf-tls",
        .body = 21,
        .cert_req_id = -1,
        .until = 1000,
    };

    return requests_ask(db, &a, SPAN_LITERAL("question"), &in->enrolment, e);
}

static void
a_question_is_kept_for_its_polls_and_asks_the_ca_nothing(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    CLEANUP(requests_enrolment_clear) struct requests_enrolment x = {0};
    struct admitting in = verb_admitting("tid", 1);
    struct sending s = {.nonce = "n"};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 1);
    assert_ok(verb_call(store, verb_ask, &in, &e), &e);
    assert_err(verb_call(store, verb_ask, &in, &e), ERR_CONFLICT, &e);
    assert_int_equal(count_open(store), 0);
    x = verb_enrolment(store, "tid");
    assert_int_equal(x.state, REQUESTS_ANSWERED);
    assert_true(span_equal(buf_span(&x.question), SPAN_LITERAL("question")));
    s.enrolment = in.enrolment;
    assert_ok(verb_call(store, verb_sent, &s, &e), &e);
    verb_assert_state(store, "tid", REQUESTS_CONFIRMED);
}

static void
two_certificates_for_one_request_are_a_conflict(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("tid", 1);
    uint8_t stranger[REQUESTS_RID_SIZE] = {0};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 1);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e);
    assert_ok(verb_call(store, verb_issued, in.rid, &e), &e);
    assert_err(verb_call(store, verb_issued_other, in.rid, &e), ERR_CONFLICT, &e);
    assert_err(verb_call(store, verb_issued, stranger, &e), ERR_NOTFOUND, &e);
    assert_err(verb_call(store, verb_refused, stranger, &e), ERR_NOTFOUND, &e);
}

static void
a_transaction_of_another_credential_is_known_but_not_found(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct admitting in = verb_admitting("tid", 1);
    static const struct {
        const char *identity;
        enum requests_owner owner;
    } rows[] = {
        {"mac:ref", REQUESTS_SELF},         {"mac:ref2", REQUESTS_SAME_KIND},
        {"mac:", REQUESTS_SAME_KIND},       {"pbmac1:ref", REQUESTS_ANOTHER_KIND},
        {"cert:00", REQUESTS_ANOTHER_KIND},
    };
    struct state_query q = {.tid = "tid"};
    struct err e;

    (void)state;
    verb_registration(store, ID, "ref", 1);
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        q.identity = rows[i].identity;
        assert_ok(verb_call(store, verb_find, &q, &e), &e);
        assert_int_equal(q.owner, rows[i].owner);
        requests_enrolment_clear(&q.out);
    }
    q.tid = "nobody's";
    assert_ok(verb_call(store, verb_find, &q, &e), &e);
    assert_int_equal(q.owner, REQUESTS_NOBODY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_id_is_used_once_per_identity),
        cmocka_unit_test(a_refused_first_message_is_remembered_too),
        cmocka_unit_test(a_registration_is_used_as_often_as_it_says),
        cmocka_unit_test(an_enrolment_goes_through_its_states),
        cmocka_unit_test(a_rejecting_certconf_ends_in_rejected),
        cmocka_unit_test(what_was_rejected_may_be_asked_for_again_though_it_is_used_up),
        cmocka_unit_test(what_is_confirmed_ends_the_other_transactions_about_it),
        cmocka_unit_test(a_client_that_gives_up_ends_its_transaction),
        cmocka_unit_test(who_waits_has_it_with_the_commit),
        cmocka_unit_test(implicit_confirmation_ends_with_the_answer),
        cmocka_unit_test(what_is_no_enrolment_takes_no_certificate_and_ends_with_its_answer),
        cmocka_unit_test(a_question_is_kept_for_its_polls_and_asks_the_ca_nothing),
        cmocka_unit_test(two_certificates_for_one_request_are_a_conflict),
        cmocka_unit_test(a_transaction_of_another_credential_is_known_but_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
