/* SPDX-License-Identifier: Apache-2.0 */
/* What its network function rejected is not made again and again. */
#include <string.h>

#include "tests/unit/db/issuance/scene.h"

static struct span
rid_of(const struct octets *o)
{
    return span_of(o->rid, sizeof(o->rid));
}

/* An initial request; signed when it may be. */
static enum issuance_outcome
ask(struct scene *s, uint8_t n, const char *profile, bool retry, enum issuance_confirm confirm)
{
    const struct octets o = scene_octets(n);
    struct intend i = scene_nf(&o, s->id, span_of(&n, 1));
    struct issue done = {.rid = rid_of(&o), .certificate = scene_certificate_of(rid_of(&o))};
    struct err e = {0};

    i.intent.profile = profile;
    i.intent.retry_rejected = retry;
    i.intent.confirm = confirm;
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    if (i.outcome == ISSUANCE_DONE) {
        assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    }
    return i.outcome;
}

static void
end(struct scene *s, uint8_t n, bool accepted)
{
    const struct octets of = scene_octets(n);
    const struct octets o = scene_octets((uint8_t)(100 + n));
    struct confirming c = {.c = {.rid = rid_of(&o),
                                 .ra_der = RA,
                                 .request = rid_of(&of),
                                 .accepted = accepted,
                                 .evidence = SPAN_LITERAL("certConf"),
                                 .reason = "not wanted",
                                 .when = WHEN}};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_confirm, &c, &e), &e);
    assert_int_equal(c.outcome, ISSUANCE_DONE);
}

static int
do_check(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return issuance_check(db, e);
}

static void
agrees(struct scene *s)
{
    struct err e = {0};

    assert_ok(verb_call(s->store, do_check, NULL, &e), &e);
}

struct used {
    const char *id;
    struct issuance_registration row;
    bool found;
};

static int
do_used(struct store_db *db, void *arg, struct err *e)
{
    struct used *u = arg;

    return issuance_registration_find(db, u->id, &u->row, &u->found, e);
}

static int
used(struct scene *s)
{
    struct used u = {.id = s->id};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_used, &u, &e), &e);
    issuance_registration_free(&u.row);
    return u.row.used;
}

static void
a_rejection_is_the_last_word_about_its_profile(void **state)
{
    struct scene *s = *state;
    uint64_t leaves;

    assert_int_equal(ask(s, 1, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    end(s, 1, false);
    leaves = scene_leaves(s->store);
    assert_int_equal(ask(s, 2, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_UNWANTED);
    assert_int_equal(ask(s, 2, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_UNWANTED);
    assert_int_equal(scene_leaves(s->store), leaves);
    assert_int_equal(used(s), 1);
    /* another profile is another content */
    assert_int_equal(ask(s, 3, "nf-tls-client", false, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    end(s, 3, true);
    assert_int_equal(used(s), 2);
    assert_int_equal(ask(s, 4, "nf-tls-client", false, ISSUANCE_EXPECTED), ISSUANCE_USED_UP);
    /* and used up or not: the reason is that it was rejected */
    assert_int_equal(ask(s, 5, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_UNWANTED);
    agrees(s);
}

static void
policy_allows_one_further_try_for_no_use(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask(s, 1, "nf-tls", true, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    end(s, 1, false);
    assert_int_equal(ask(s, 2, "nf-tls", true, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    assert_int_equal(used(s), 1);
    agrees(s);
    end(s, 2, false);
    assert_int_equal(ask(s, 3, "nf-tls", true, ISSUANCE_EXPECTED), ISSUANCE_UNWANTED);
    /* once for the registration, not for each profile */
    assert_int_equal(ask(s, 4, "nf-tls-client", true, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    end(s, 4, false);
    assert_int_equal(ask(s, 5, "nf-tls-client", true, ISSUANCE_EXPECTED), ISSUANCE_UNWANTED);
    assert_int_equal(used(s), 2);
    agrees(s);
}

static void
what_was_accepted_is_the_last_word_as_well(void **state)
{
    static const enum issuance_confirm confirms[] = {ISSUANCE_EXPECTED, ISSUANCE_IMPLICIT};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(confirms); i++) {
        assert_int_equal(ask(s, 1, "nf-tls", true, ISSUANCE_EXPECTED), ISSUANCE_DONE);
        end(s, 1, false);
        assert_int_equal(ask(s, 2, "nf-tls", true, confirms[i]), ISSUANCE_DONE);
        if (confirms[i] == ISSUANCE_EXPECTED) {
            end(s, 2, true);
        }
        assert_int_equal(ask(s, 3, "nf-tls", true, ISSUANCE_EXPECTED), ISSUANCE_DONE);
        assert_int_equal(used(s), 2);
        agrees(s);
        if (i == 0) {
            (void)scene_teardown(&(void *){s});
            assert_int_equal(scene_setup(state), 0);
            s = *state;
        }
    }
}

static void
what_was_accepted_before_a_rejection_is_not(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask(s, 1, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    end(s, 1, true);
    assert_int_equal(ask(s, 2, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    end(s, 2, false);
    assert_int_equal(ask(s, 3, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_UNWANTED);
    agrees(s);
}

/* By its holder, with the certificate of request `of`. */
static void
renew(struct scene *s, uint8_t n, uint8_t of, bool accepted)
{
    const struct octets o = scene_octets(n);
    const struct octets old = scene_octets(of);
    const struct span serial = span_of(old.serial, sizeof(old.serial));
    struct intend i = scene_nf(&o, s->id, span_of(&n, 1));
    struct issue done = {.rid = rid_of(&o), .certificate = scene_certificate_of(rid_of(&o))};
    struct err e = {0};

    i.intent.renews = serial;
    i.intent.holder = serial;
    i.intent.message_time = NOW;
    i.intent.confirm = ISSUANCE_EXPECTED;
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    end(s, n, accepted);
}

static void
a_renewal_says_nothing_about_initial_ones(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask(s, 1, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    end(s, 1, true);
    renew(s, 2, 1, false);
    assert_int_equal(ask(s, 3, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    end(s, 3, false);
    renew(s, 4, 1, true);
    assert_int_equal(ask(s, 5, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_UNWANTED);
    agrees(s);
}

static int
do_end(struct store_db *db, void *arg, struct err *e)
{
    int n;

    (void)arg;
    return issuance_end_unconfirmed(db, NOW + 1, ISSUANCE_EXPECTED, 10, WHEN, &n, e);
}

/* Nobody said anything about its content; it was a use all the same. */
static void
what_is_not_confirmed_in_time_is_no_rejection(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    assert_int_equal(ask(s, 1, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_end, NULL, &e), &e);
    assert_int_equal(ask(s, 2, "nf-tls", false, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    assert_int_equal(used(s), 2);
    agrees(s);
}

static void
a_further_try_that_is_given_up_was_none(void **state)
{
    const struct octets o = scene_octets(2);
    struct scene *s = *state;
    struct issue gone = {.rid = rid_of(&o)};
    struct intend i = scene_nf(&o, s->id, SPAN_LITERAL("t"));
    struct err e = {0};

    assert_int_equal(ask(s, 1, "nf-tls", true, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    end(s, 1, false);
    i.intent.retry_rejected = true;
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
    assert_int_equal(ask(s, 3, "nf-tls", true, ISSUANCE_EXPECTED), ISSUANCE_UNWANTED);
    assert_ok(verb_call(s->store, do_abandon, &gone, &e), &e);
    assert_int_equal(used(s), 1);
    assert_int_equal(ask(s, 4, "nf-tls", true, ISSUANCE_EXPECTED), ISSUANCE_DONE);
    assert_int_equal(used(s), 1);
    agrees(s);
}

static int
do_edit(struct store_db *db, void *arg, struct err *e)
{
    return store_exec(db, *(const char *const *)arg, STORE_NO_VALUES, e);
}

static void
edit(struct scene *s, const char *sql)
{
    struct err e = {0};

    assert_ok(verb_call(s->store, do_edit, &sql, &e), &e);
}

static void
a_use_that_was_edited_away_is_found_at_start(void **state)
{
    static const char *const edits[][2] = {
        {"DROP TRIGGER request_fixed_instead_of", "UPDATE request SET instead_of = NULL"},
        {"DROP TRIGGER confirmation_fixed", "UPDATE confirmation SET accepted = 1"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        struct err e = {0};

        assert_int_equal(ask(s, 1, "nf-tls", true, ISSUANCE_EXPECTED), ISSUANCE_DONE);
        end(s, 1, false);
        assert_int_equal(ask(s, 2, "nf-tls", true, ISSUANCE_EXPECTED), ISSUANCE_DONE);
        agrees(s);
        edit(s, edits[i][0]);
        edit(s, edits[i][1]);
        assert_err(verb_call(s->store, do_check, NULL, &e), ERR_STALE, &e);
        if (i == 0) {
            (void)scene_teardown(&(void *){s});
            assert_int_equal(scene_setup(state), 0);
            s = *state;
        }
    }
}

#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCENE(a_rejection_is_the_last_word_about_its_profile),
        IN_SCENE(policy_allows_one_further_try_for_no_use),
        IN_SCENE(what_was_accepted_is_the_last_word_as_well),
        IN_SCENE(what_was_accepted_before_a_rejection_is_not),
        IN_SCENE(a_renewal_says_nothing_about_initial_ones),
        IN_SCENE(what_is_not_confirmed_in_time_is_no_rejection),
        IN_SCENE(a_further_try_that_is_given_up_was_none),
        IN_SCENE(a_use_that_was_edited_away_is_found_at_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
