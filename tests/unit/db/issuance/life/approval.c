/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/life/approval.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/db/issuance/scene.h"

enum { EXPIRES = NOW + 7 * 24 * 60 * 60, DEMANDED = 2 };

#define ALICE SCENE_CERTIFICATE("\322")
#define BOB SCENE_CERTIFICATE("\323")

struct pend {
    struct issuance_intent intent;
    uint64_t leaf;
    enum issuance_outcome outcome;
};

struct decide {
    struct issuance_decision d;
    struct issuance_pending after;
    uint64_t leaf;
    enum issuance_outcome outcome;
};

struct look {
    time_t now;
    size_t due;
    size_t seen;
};

static int
do_pend(struct store_db *db, void *arg, struct err *e)
{
    struct pend *p = arg;

    return issuance_pend(db, &p->intent, EXPIRES, &p->leaf, &p->outcome, e);
}

static int
do_decide(struct store_db *db, void *arg, struct err *e)
{
    struct decide *d = arg;

    issuance_pending_free(&d->after);
    return issuance_decide(db, &d->d, &d->leaf, &d->after, &d->outcome, e);
}

static void
count_due(void *arg, struct span rid)
{
    struct look *l = arg;

    assert_int_equal(rid.n, ISSUANCE_RID_SIZE);
    l->due++;
}

static int
do_due(struct store_db *db, void *arg, struct err *e)
{
    struct look *l = arg;

    l->due = 0;
    return issuance_pending_due(db, l->now, 10, count_due, l, e);
}

static void
count_open(void *arg, const struct issuance_pending *p)
{
    struct look *l = arg;

    assert_string_equal(p->nf_instance, UUID_1);
    assert_true(p->open);
    l->seen++;
}

static int
do_each(struct store_db *db, void *arg, struct err *e)
{
    struct look *l = arg;

    l->seen = 0;
    return issuance_pending_each(db, 10, count_open, l, e);
}

static int
do_late(struct store_db *db, void *arg, struct err *e)
{
    struct decide *d = arg;

    return issuance_pending_refuse(db, d->d.rid, 23, "not authorized", "not approved in time", NOW,
                                   &d->leaf, &d->outcome, e);
}

static int
do_check(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return issuance_check(db, e);
}

static void
check(struct scene *s)
{
    struct err e = {0};

    assert_ok(verb_call(s->store, do_check, NULL, &e), &e);
}

static int
setup(void **state)
{
    (void)scene_setup(state);
    scene_issue(((struct scene *)*state)->store, 210, "officer", ALICE);
    scene_issue(((struct scene *)*state)->store, 211, "officer", BOB);
    return 0;
}

/* The intent of a network function that needs approvals. */
static struct issuance_intent
wanted(const struct scene *s, const struct octets *o, struct span transaction_id)
{
    struct intend i = scene_nf(o, s->id, transaction_id);

    i.intent.approvals = DEMANDED;
    return i.intent;
}

static struct pend
pend(struct scene *s, const struct octets *o)
{
    struct pend p = {.intent = wanted(s, o, span_of(o->rid, 1))};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_pend, &p, &e), &e);
    return p;
}

/* What Alice (210) or Bob (211) decides about the request of `o`. */
static struct decide
decision(const struct octets *o, const struct octets *officer, bool approves)
{
    const bool alice = officer->rid[0] == 210;

    return (struct decide){
        .d = {.rid = span_of(o->rid, sizeof(o->rid)),
              .approves = approves,
              .officer = span_of(officer->serial, sizeof(officer->serial)),
              .officer_der = alice ? ALICE : BOB,
              .subject = alice ? "CN=Alice" : "CN=Bob",
              .key_sha256 = span_of(officer->key, sizeof(officer->key)),
              .cms = alice ? SPAN_LITERAL("signed by Alice") : SPAN_LITERAL("signed by Bob"),
              .reason = "",
              .by = "uid 0 (root)",
              .fail_info = 23,
              .phrase = "not authorized",
              .now = NOW + 1}};
}

static enum issuance_outcome
decide(struct scene *s, struct decide *d)
{
    struct err e = {0};

    assert_ok(verb_call(s->store, do_decide, d, &e), &e);
    return d->outcome;
}

static enum issuance_outcome
intend(struct scene *s, const struct octets *o)
{
    struct intend i = {.intent = wanted(s, o, span_of(o->rid, 1))};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    return i.outcome;
}

static size_t
due(struct scene *s, time_t now)
{
    struct look l = {.now = now};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_due, &l, &e), &e);
    return l.due;
}

static size_t
open_requests(struct scene *s)
{
    struct look l = {0};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_each, &l, &e), &e);
    return l.seen;
}

static void
only_as_many_officers_as_it_takes_open_the_way(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets alice = scene_octets(210);
    const struct octets bob = scene_octets(211);
    CLEANUP(issuance_pending_free) struct issuance_pending last = {0};
    struct decide by_alice = decision(&o, &alice, true);
    struct decide by_bob = decision(&o, &bob, true);
    struct decide late = decision(&o, &bob, false);
    struct pend p;

    assert_int_equal(intend(s, &o), ISSUANCE_NOT_APPROVED); /* it does not even wait */
    p = pend(s, &o);
    assert_int_equal(p.outcome, ISSUANCE_DONE);
    assert_int_equal(pend(s, &o).outcome, ISSUANCE_KNOWN);
    assert_int_equal(pend(s, &o).leaf, p.leaf);
    assert_int_equal(open_requests(s), 1);
    assert_int_equal(intend(s, &o), ISSUANCE_NOT_APPROVED);
    assert_int_equal(decide(s, &by_alice), ISSUANCE_DONE);
    assert_int_equal(by_alice.after.approved, 1);
    assert_int_equal(due(s, NOW), 0);
    assert_int_equal(intend(s, &o), ISSUANCE_NOT_APPROVED);
    assert_int_equal(decide(s, &by_alice), ISSUANCE_KNOWN);
    assert_int_equal(by_alice.after.approved, 1);
    assert_int_equal(decide(s, &by_bob), ISSUANCE_DONE);
    assert_int_equal(by_bob.after.approved, DEMANDED);
    assert_int_equal(due(s, NOW), 1);
    check(s);
    assert_int_equal(intend(s, &o), ISSUANCE_DONE);
    assert_int_equal(due(s, NOW), 0);
    assert_int_equal(open_requests(s), 0);
    assert_int_equal(decide(s, &late), ISSUANCE_CLOSED);
    check(s);
    issuance_pending_free(&by_alice.after);
    issuance_pending_free(&by_bob.after);
    last = late.after;
    assert_false(last.open);
}

/* The same name with a new key, and the same key under a new name. */
static void
one_person_counts_once(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets alice = scene_octets(210);
    const struct octets bob = scene_octets(211);
    struct decide d = decision(&o, &alice, true);

    (void)pend(s, &o);
    assert_int_equal(decide(s, &d), ISSUANCE_DONE);
    issuance_pending_free(&d.after);
    d = decision(&o, &bob, true);
    d.d.subject = "CN=Alice";
    assert_int_equal(decide(s, &d), ISSUANCE_KNOWN);
    issuance_pending_free(&d.after);
    d = decision(&o, &bob, true);
    d.d.key_sha256 = span_of(alice.key, sizeof(alice.key));
    assert_int_equal(decide(s, &d), ISSUANCE_KNOWN);
    assert_int_equal(d.after.approved, 1);
    issuance_pending_free(&d.after);
    check(s);
}

static void
the_approval_of_a_revoked_officer_does_not_count(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets alice = scene_octets(210);
    const struct octets bob = scene_octets(211);
    struct decide by_alice = decision(&o, &alice, true);
    struct decide by_bob = decision(&o, &bob, true);
    struct revoking r = {.serial = span_of(alice.serial, sizeof(alice.serial))};
    struct err e = {0};

    (void)pend(s, &o);
    assert_int_equal(decide(s, &by_alice), ISSUANCE_DONE);
    assert_int_equal(decide(s, &by_bob), ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_revoke, &r, &e), &e);
    assert_int_equal(intend(s, &o), ISSUANCE_NOT_APPROVED);
    assert_int_equal(due(s, NOW), 0);
    by_alice.d.approves = false;
    assert_int_equal(decide(s, &by_alice), ISSUANCE_SIGNER_UNKNOWN);
    by_alice.d.officer_der = REGISTRAR; /* ours, but no officer's */
    assert_int_equal(decide(s, &by_alice), ISSUANCE_SIGNER_UNKNOWN);
    issuance_pending_free(&by_alice.after);
    issuance_pending_free(&by_bob.after);
    check(s);
}

static void
one_rejection_ends_it(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets alice = scene_octets(210);
    const struct octets bob = scene_octets(211);
    struct decide yes = decision(&o, &alice, true);
    struct decide no = decision(&o, &alice, false); /* the same officer, on second thought */
    struct decide after = decision(&o, &bob, true);
    struct find f = {.rid = yes.d.rid};
    struct err e = {0};

    (void)pend(s, &o);
    assert_int_equal(decide(s, &yes), ISSUANCE_DONE);
    no.d.reason = "unknown site";
    assert_int_equal(decide(s, &no), ISSUANCE_DONE);
    assert_false(no.after.open);
    assert_int_equal(decide(s, &after), ISSUANCE_CLOSED);
    assert_ok(verb_call(s->store, do_find, &f, &e), &e);
    assert_int_equal(f.found.state, ISSUANCE_REFUSED);
    assert_int_equal(f.found.fail_info, 23);
    assert_int_equal(intend(s, &o), ISSUANCE_KNOWN);
    issuance_request_free(&f.found);
    issuance_pending_free(&yes.after);
    issuance_pending_free(&no.after);
    issuance_pending_free(&after.after);
    check(s);
}

static void
what_is_too_late_is_due_and_refused_once(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets alice = scene_octets(210);
    struct decide d = decision(&o, &alice, true);
    struct err e = {0};
    uint64_t leaves;

    assert_err(verb_call(s->store, do_late, &d, &e), ERR_NOTFOUND, &e);
    assert_err(verb_call(s->store, do_decide, &d, &e), ERR_NOTFOUND, &e);
    (void)pend(s, &o);
    assert_int_equal(due(s, EXPIRES - 1), 0);
    assert_int_equal(due(s, EXPIRES), 1);
    d.d.now = EXPIRES;
    assert_int_equal(decide(s, &d), ISSUANCE_NOT_APPROVED);
    issuance_pending_free(&d.after);
    leaves = scene_leaves(s->store);
    assert_ok(verb_call(s->store, do_late, &d, &e), &e);
    assert_int_equal(d.outcome, ISSUANCE_DONE);
    assert_int_equal(d.leaf, leaves);
    assert_ok(verb_call(s->store, do_late, &d, &e), &e);
    assert_int_equal(d.outcome, ISSUANCE_KNOWN);
    assert_int_equal(d.leaf, leaves);
    assert_int_equal(due(s, EXPIRES), 0);
    check(s);
}

static void
approvals_of_what_is_too_late_open_nothing(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets alice = scene_octets(210);
    const struct octets bob = scene_octets(211);
    struct decide by_alice = decision(&o, &alice, true);
    struct decide by_bob = decision(&o, &bob, true);
    struct intend i = {.intent = wanted(s, &o, span_of(o.rid, 1))};
    struct err e = {0};

    (void)pend(s, &o);
    assert_int_equal(decide(s, &by_alice), ISSUANCE_DONE);
    assert_int_equal(decide(s, &by_bob), ISSUANCE_DONE);
    issuance_pending_free(&by_alice.after);
    issuance_pending_free(&by_bob.after);
    i.intent.now = EXPIRES;
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_NOT_APPROVED);
    i.intent.now = EXPIRES - 1;
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
}

static void
what_waits_holds_a_place_of_its_registration(void **state)
{
    struct scene *s = *state; /* two certificates */
    const struct octets first = scene_octets(1);
    const struct octets second = scene_octets(2);
    const struct octets third = scene_octets(3);
    struct registering cancelled = {0};
    struct pend again = {.intent = wanted(s, &second, span_of(first.rid, 1))};
    struct err e = {0};

    assert_int_equal(pend(s, &first).outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_pend, &again, &e), &e);
    assert_int_equal(again.outcome, ISSUANCE_TRANSACTION_IN_USE);
    assert_int_equal(pend(s, &second).outcome, ISSUANCE_DONE);
    assert_int_equal(pend(s, &third).outcome, ISSUANCE_USED_UP);
    {
        struct intend plain = scene_nf(&third, s->id, SPAN_LITERAL("plain"));

        assert_ok(verb_call(s->store, do_intend, &plain, &e), &e);
        assert_int_equal(plain.outcome, ISSUANCE_USED_UP);
    }
    (void)snprintf(cancelled.row.id, sizeof(cancelled.row.id), "%s", s->id);
    assert_ok(verb_call(s->store, do_cancel, &cancelled, &e), &e);
    assert_int_equal(due(s, NOW), 2); /* nothing will come of them */
    check(s);
}

static void
a_renewal_waits_without_a_place_and_one_at_a_time(void **state)
{
    struct scene *s = *state; /* two certificates */
    const struct octets live = scene_octets(1);
    const struct octets renewal = scene_octets(2);
    const struct octets another = scene_octets(3);
    const struct octets initial = scene_octets(4);
    struct intend i = scene_nf(&live, s->id, SPAN_LITERAL("live"));
    struct issue done = {.rid = i.intent.rid, .certificate = scene_certificate_of(i.intent.rid)};
    struct pend first = {.intent = wanted(s, &renewal, SPAN_LITERAL("first"))};
    struct pend second = {.intent = wanted(s, &another, SPAN_LITERAL("second"))};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    first.intent.holder = span_of(live.serial, sizeof(live.serial));
    first.intent.renews = first.intent.holder;
    second.intent.holder = first.intent.holder;
    second.intent.renews = first.intent.holder;
    assert_ok(verb_call(s->store, do_pend, &first, &e), &e);
    assert_int_equal(first.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_pend, &second, &e), &e);
    assert_int_equal(second.outcome, ISSUANCE_RENEWAL_WAITS);
    assert_int_equal(pend(s, &initial).outcome, ISSUANCE_DONE); /* the other place is free */
    check(s);
}

static int
do_vandalise(struct store_db *db, void *arg, struct err *e)
{
    const char *const *sql = arg;

    return store_exec(db, *sql, STORE_NO_VALUES, e);
}

static void
the_database_refuses_to_forget(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets alice = scene_octets(210);
    struct decide d = decision(&o, &alice, true);
    const char *rows[] = {
        "DELETE FROM pending",
        "DELETE FROM approval",
        "UPDATE pending SET approvals = 1",
        "UPDATE pending SET expires = expires + 1",
        "UPDATE pending SET open = 0",
        "UPDATE pending SET evidence = x'00'",
        "UPDATE approval SET approves = 0",
        "UPDATE approval SET cms = x'00'",
    };
    struct err e = {0};

    (void)pend(s, &o);
    assert_int_equal(decide(s, &d), ISSUANCE_DONE);
    issuance_pending_free(&d.after);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i]);
        assert_err(verb_call(s->store, do_vandalise, &rows[i], &e), ERR_DENIED, &e);
    }
}

/* Whoever can write the file can write rows, but no leaves. */
static void
rows_that_the_record_does_not_have_are_found(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const char *forged = "INSERT INTO approval SELECT rid, 1, (SELECT serial FROM request "
                         "WHERE profile = 'officer' LIMIT 1), 'CN=Mallory', x'00', x'00', 1, 999 "
                         "FROM pending";
    struct err e = {0};

    (void)pend(s, &o);
    check(s);
    assert_ok(verb_call(s->store, do_vandalise, &forged, &e), &e);
    assert_err(verb_call(s->store, do_check, NULL, &e), ERR_STALE, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_as_many_officers_as_it_takes_open_the_way, setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(one_person_counts_once, setup, scene_teardown),
        cmocka_unit_test_setup_teardown(the_approval_of_a_revoked_officer_does_not_count, setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(one_rejection_ends_it, setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_is_too_late_is_due_and_refused_once, setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(approvals_of_what_is_too_late_open_nothing, setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(what_waits_holds_a_place_of_its_registration, setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_renewal_waits_without_a_place_and_one_at_a_time, setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(the_database_refuses_to_forget, setup, scene_teardown),
        cmocka_unit_test_setup_teardown(rows_that_the_record_does_not_have_are_found, setup,
                                        scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
