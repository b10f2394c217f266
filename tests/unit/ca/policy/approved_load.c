/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of ca.db are looked at when approvals are counted, and how many at most. */
#include "ca/policy/approved.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/db/issuance/scene.h"

enum { EXPIRES = NOW + 7 * 24 * 60 * 60 };

#define ALICE SCENE_CERTIFICATE("\322")
#define BOB SCENE_CERTIFICATE("\323")

static int
do_pend(struct store_db *db, void *arg, struct err *e)
{
    enum issuance_outcome outcome;
    uint64_t leaf;

    return issuance_pend(db, arg, EXPIRES, &leaf, &outcome, e);
}

static int
do_decide(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(issuance_pending_free) struct issuance_pending after = {0};
    enum issuance_outcome outcome;
    uint64_t leaf;

    if (issuance_decide(db, arg, &leaf, &after, &outcome, e) != 0) {
        return -1;
    }
    assert_int_equal(outcome, ISSUANCE_DONE);
    return 0;
}

struct loading {
    struct span rid;
    struct approved approved;
};

static int
do_load(struct store_db *db, void *arg, struct err *e)
{
    struct loading *l = arg;

    return approved_load(db, l->rid, &l->approved, e);
}

static size_t
loaded(struct scene *s, const struct octets *o)
{
    struct loading l = {.rid = span_of(o->rid, sizeof(o->rid))};
    size_t n;
    struct err e = {0};

    assert_ok(verb_call(s->store, do_load, &l, &e), &e);
    n = l.approved.n;
    approved_free(&l.approved);
    return n;
}

static void
decides(struct scene *s, const struct octets *o, bool alice, bool approves, int who)
{
    const struct octets officer = scene_octets(alice ? 210 : 211);
    const uint8_t key[SHA256_SIZE] = {(uint8_t)who, alice ? 1 : 2};
    char subject[32];
    struct issuance_decision d = {.rid = span_of(o->rid, sizeof(o->rid)),
                                  .approves = approves,
                                  .officer = span_of(officer.serial, sizeof(officer.serial)),
                                  .officer_der = alice ? ALICE : BOB,
                                  .subject = subject,
                                  .key_sha256 = span_of(key, sizeof(key)),
                                  .cms = SPAN_LITERAL("signed"),
                                  .reason = "",
                                  .by = "uid 0",
                                  .fail_info = 23,
                                  .phrase = "not authorized",
                                  .now = NOW + 1};
    struct err e = {0};

    (void)snprintf(subject, sizeof(subject), "CN=%s %d", alice ? "Alice" : "Bob", who);
    assert_ok(verb_call(s->store, do_decide, &d, &e), &e);
}

static struct octets
pends(struct scene *s, uint8_t n)
{
    const struct octets o = scene_octets(n);
    struct intend i = scene_nf(&o, s->id, span_of(&n, 1));
    struct err e = {0};

    i.intent.approvals = 2;
    assert_ok(verb_call(s->store, do_pend, &i.intent, &e), &e);
    return o;
}

static void
only_good_approvals_are_loaded(void **state)
{
    struct scene *s = *state;
    const struct octets o = pends(s, 1);
    const struct octets other = pends(s, 2);
    struct revoking bob = {.serial = scene_serial(BOB)};
    struct err e = {0};

    assert_int_equal(loaded(s, &o), 0);
    decides(s, &o, true, true, 0);
    decides(s, &o, false, true, 0);
    decides(s, &other, false, true, 0);
    decides(s, &other, true, false, 0);
    assert_int_equal(loaded(s, &o), 2);
    assert_int_equal(loaded(s, &other), 1); /* a rejection is none */
    assert_ok(verb_call(s->store, do_revoke, &bob, &e), &e);
    assert_int_equal(loaded(s, &o), 1);
    assert_int_equal(loaded(s, &other), 0);
}

static void
as_many_are_loaded_as_there_are_places_for(void **state)
{
    struct scene *s = *state;
    const struct octets o = pends(s, 1);

    for (int who = 1; who <= APPROVED_MAX + 2; who++) {
        decides(s, &o, true, true, who);
        assert_int_equal(loaded(s, &o), who < APPROVED_MAX ? who : APPROVED_MAX);
    }
}

static int
setup(void **state)
{
    (void)scene_setup(state);
    scene_issue(((struct scene *)*state)->store, 210, "officer", ALICE);
    scene_issue(((struct scene *)*state)->store, 211, "officer", BOB);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_good_approvals_are_loaded, setup, scene_teardown),
        cmocka_unit_test_setup_teardown(as_many_are_loaded_as_there_are_places_for, setup,
                                        scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
