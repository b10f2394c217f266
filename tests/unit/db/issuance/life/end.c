/* SPDX-License-Identifier: Apache-2.0 */
/* Renewal, supersession, revocation on request, and the end of registrations. */
#include <string.h>

#include "tests/unit/db/issuance/scene.h"

struct ending {
    time_t before;
    enum issuance_confirm least;
    int n;
};

struct asking {
    struct issuance_asked a;
    uint64_t leaf;
    enum issuance_outcome outcome;
};

struct holding {
    struct span serial;
    struct span der;
    struct issuance_holder out;
    bool found;
};

static int
do_end(struct store_db *db, void *arg, struct err *e)
{
    struct ending *x = arg;

    return issuance_end_unconfirmed(db, x->before, x->least, 10, WHEN, &x->n, e);
}

static int
do_ask(struct store_db *db, void *arg, struct err *e)
{
    struct asking *x = arg;

    return issuance_revoke_asked(db, &x->a, &x->leaf, &x->outcome, e);
}

static int
do_hold(struct store_db *db, void *arg, struct err *e)
{
    struct holding *x = arg;

    return issuance_holder_find(db, x->serial, x->der, &x->out, &x->found, e);
}

static int
do_check(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return issuance_check(db, e);
}

static struct span
serial_of(const struct octets *o)
{
    return span_of(o->serial, sizeof(o->serial));
}

static struct span
rid_of(const struct octets *o)
{
    return span_of(o->rid, sizeof(o->rid));
}

static struct span
der_of(const struct octets *o)
{
    return scene_certificate_of(rid_of(o));
}

static enum issuance_outcome
intend(struct scene *s, struct intend *i)
{
    struct err e = {0};

    assert_ok(verb_call(s->store, do_intend, i, &e), &e);
    return i->outcome;
}

static void
issue(struct scene *s, const struct octets *o)
{
    struct issue done = {.rid = rid_of(o), .certificate = der_of(o)};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
}

/* An initial certificate under this registration. */
static struct octets
initial(struct scene *s, uint8_t n, const char *registration, enum issuance_confirm confirm)
{
    const struct octets o = scene_octets(n);
    struct intend i = scene_nf(&o, registration, span_of(&n, 1));

    i.intent.confirm = confirm;
    assert_int_equal(intend(s, &i), ISSUANCE_DONE);
    issue(s, &o);
    return o;
}

/* A kur for `old`. */
static struct intend
update_of(const struct octets *o, const char *registration, const struct octets *old)
{
    struct intend i = scene_nf(o, registration, span_of(o->rid, 1));

    i.intent.holder = serial_of(old);
    i.intent.renews = serial_of(old);
    i.intent.is_update = true;
    i.intent.confirm = ISSUANCE_REQUIRED;
    return i;
}

static enum issuance_outcome
confirm(struct scene *s, const struct octets *of, uint8_t n, bool accepted, bool *revoked)
{
    const struct octets o = scene_octets(n);
    struct confirming c = {.c = {.rid = rid_of(&o),
                                 .ra_der = RA,
                                 .request = rid_of(of),
                                 .accepted = accepted,
                                 .evidence = SPAN_LITERAL("certConf"),
                                 .reason = "not wanted",
                                 .when = WHEN}};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_confirm, &c, &e), &e);
    *revoked = c.revoked;
    return c.outcome;
}

static bool
is_revoked(struct scene *s, const struct octets *o)
{
    struct holding h = {.serial = serial_of(o), .der = der_of(o)};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_hold, &h, &e), &e);
    assert_true(h.found);
    return h.out.revoked;
}

static void
agrees(struct scene *s)
{
    struct err e = {0};

    assert_ok(verb_call(s->store, do_check, NULL, &e), &e);
}

static void
a_certificate_is_renewed_once_at_a_time_and_for_no_use(void **state)
{
    struct scene *s = *state;
    const struct octets old = initial(s, 1, s->id, ISSUANCE_EXPECTED);
    const struct octets one = scene_octets(2);
    const struct octets two = scene_octets(3);
    const struct octets three = scene_octets(4);
    struct intend first = update_of(&one, s->id, &old);
    struct intend second = update_of(&two, s->id, &old);
    struct intend third = update_of(&three, s->id, &old);
    bool revoked;

    (void)initial(s, 5, s->id, ISSUANCE_EXPECTED); /* the registration is used up */
    assert_int_equal(intend(s, &first), ISSUANCE_DONE);
    assert_int_equal(intend(s, &second), ISSUANCE_SIGNING);
    issue(s, &one);
    assert_int_equal(intend(s, &second), ISSUANCE_RENEWED);
    assert_int_equal(confirm(s, &one, 50, false, &revoked), ISSUANCE_DONE);
    assert_false(is_revoked(s, &old));
    assert_true(is_revoked(s, &one));
    assert_int_equal(intend(s, &third), ISSUANCE_DONE);
    issue(s, &three);
    assert_false(is_revoked(s, &old));
    assert_int_equal(confirm(s, &three, 51, true, &revoked), ISSUANCE_DONE);
    assert_true(revoked);
    assert_true(is_revoked(s, &old));
    assert_false(is_revoked(s, &three));
    assert_int_equal(intend(s, &second), ISSUANCE_HOLDER_REVOKED);
    agrees(s);
}

static void
what_a_revoked_certificate_asked_for_is_not_confirmed(void **state)
{
    struct scene *s = *state;
    const struct octets old = initial(s, 1, s->id, ISSUANCE_EXPECTED);
    const struct octets new = scene_octets(2);
    struct intend i = update_of(&new, s->id, &old);
    struct revoking r = {.serial = serial_of(&old)};
    struct err e = {0};
    bool revoked;

    assert_int_equal(intend(s, &i), ISSUANCE_DONE);
    issue(s, &new);
    assert_ok(verb_call(s->store, do_revoke, &r, &e), &e);
    assert_int_equal(confirm(s, &new, 50, true, &revoked), ISSUANCE_HOLDER_REVOKED);
    assert_int_equal(confirm(s, &new, 51, false, &revoked), ISSUANCE_DONE);
    assert_true(is_revoked(s, &new));
}

static void
what_is_not_confirmed_in_time_is_rejected(void **state)
{
    struct scene *s = *state;
    const struct octets expected = initial(s, 1, s->id, ISSUANCE_EXPECTED);
    const struct octets implicit = initial(s, 2, s->id, ISSUANCE_IMPLICIT);
    const struct octets update = scene_octets(3);
    struct intend i = update_of(&update, s->id, &expected);
    struct ending early = {.before = NOW, .least = ISSUANCE_EXPECTED};
    struct ending keep = {.before = NOW + 1, .least = ISSUANCE_REQUIRED};
    struct ending all = {.before = NOW + 1, .least = ISSUANCE_EXPECTED};
    struct err e = {0};
    bool revoked;

    assert_int_equal(intend(s, &i), ISSUANCE_DONE);
    issue(s, &update);
    assert_ok(verb_call(s->store, do_end, &early, &e), &e);
    assert_int_equal(early.n, 0);
    assert_ok(verb_call(s->store, do_end, &keep, &e), &e);
    assert_int_equal(keep.n, 1);
    assert_true(is_revoked(s, &update));
    assert_false(is_revoked(s, &expected));
    assert_ok(verb_call(s->store, do_end, &all, &e), &e);
    assert_int_equal(all.n, 1);
    assert_true(is_revoked(s, &expected));
    assert_false(is_revoked(s, &implicit));
    assert_int_equal(confirm(s, &expected, 50, true, &revoked), ISSUANCE_CLOSED);
    agrees(s);
}

static enum issuance_outcome
reregister(struct scene *s, const char *cms, const char *supersedes, char id[ISSUANCE_ID_SIZE])
{
    struct registering r = scene_registration(UUID_1, cms, 1);
    struct err e = {0};

    r.row.supersedes = supersedes;
    assert_ok(verb_call(s->store, do_register, &r, &e), &e);
    memcpy(id, r.row.id, ISSUANCE_ID_SIZE);
    issuance_registration_free(&r.row);
    return r.outcome;
}

static void
a_live_certificate_is_replaced_on_purpose_only(void **state)
{
    struct scene *s = *state;
    const struct octets one = initial(s, 1, s->id, ISSUANCE_EXPECTED);
    const struct octets two = initial(s, 2, s->id, ISSUANCE_EXPECTED);
    struct holding h = {.serial = serial_of(&one), .der = der_of(&one)};
    struct octets new;
    char id[ISSUANCE_ID_SIZE];
    struct err e = {0};
    bool revoked;

    /* used up, and yet: two owners would be */
    assert_int_equal(reregister(s, "without a word", NULL, id), ISSUANCE_OWNED);
    assert_int_equal(reregister(s, "wrong", "00112233445566778899aabbccddeeff", id),
                     ISSUANCE_SUPERSEDES_NOTHING);
    assert_int_equal(reregister(s, "right", s->id, id), ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_hold, &h, &e), &e);
    assert_string_equal(h.out.governs, id);
    assert_string_equal(h.out.registration, s->id);
    new = initial(s, 3, id, ISSUANCE_REQUIRED);
    assert_false(is_revoked(s, &one));
    assert_int_equal(confirm(s, &new, 50, true, &revoked), ISSUANCE_DONE);
    assert_true(revoked);
    assert_true(is_revoked(s, &one));
    assert_true(is_revoked(s, &two));
    assert_false(is_revoked(s, &new));
    agrees(s);
}

static int
cancel(struct scene *s, const char *id)
{
    struct registering r = {0};
    struct err e = {0};

    memcpy(r.row.id, id, ISSUANCE_ID_SIZE);
    assert_ok(verb_call(s->store, do_cancel, &r, &e), &e);
    assert_int_equal(r.outcome, ISSUANCE_DONE);
    return r.revoked;
}

static void
cancelling_revokes_what_it_follows_but_not_what_follows_it(void **state)
{
    for (int first = 0; first < 2; first++) {
        struct scene *s = *state;
        const struct octets one = initial(s, 1, s->id, ISSUANCE_EXPECTED);
        struct octets new;
        char id[ISSUANCE_ID_SIZE];

        assert_int_equal(reregister(s, "next", s->id, id), ISSUANCE_DONE);
        new = initial(s, 3, id, ISSUANCE_REQUIRED);
        assert_int_equal(cancel(s, first == 0 ? s->id : id), first == 0 ? 1 : 2);
        assert_true(is_revoked(s, &one));
        assert_int_equal(is_revoked(s, &new), first != 0);
        agrees(s);
        if (first == 0) {
            (void)scene_teardown(&(void *){s});
            assert_int_equal(scene_setup(state), 0);
        }
    }
}

static void
a_registration_is_followed_when_nothing_of_it_is_live(void **state)
{
    struct scene *s = *state;
    const struct octets one = initial(s, 1, s->id, ISSUANCE_EXPECTED);
    const struct octets two = initial(s, 2, s->id, ISSUANCE_EXPECTED);
    struct registering another = scene_registration(UUID_2, "of another", 1);
    struct revoking first = {.serial = serial_of(&one)};
    struct revoking second = {.serial = serial_of(&two)};
    const struct octets three = scene_octets(3);
    struct issue done = {.rid = span_of(three.rid, sizeof(three.rid))};
    struct intend i;
    char id[ISSUANCE_ID_SIZE];
    struct err e = {0};

    assert_ok(verb_call(s->store, do_register, &another, &e), &e);
    i = scene_nf(&three, another.row.id, SPAN_LITERAL("three"));
    i.intent.nf_instance = UUID_2;
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
    done.certificate = der_of(&three);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    issuance_registration_free(&another.row);
    assert_ok(verb_call(s->store, do_revoke, &first, &e), &e);
    assert_int_equal(reregister(s, "too early", NULL, id), ISSUANCE_OWNED);
    assert_ok(verb_call(s->store, do_revoke, &second, &e), &e);
    assert_int_equal(reregister(s, "next", NULL, id), ISSUANCE_DONE);
    agrees(s);
}

static void
cancelling_revokes_what_is_live_once(void **state)
{
    struct scene *s = *state;
    const struct octets one = initial(s, 1, s->id, ISSUANCE_EXPECTED);
    const struct octets two = initial(s, 2, s->id, ISSUANCE_EXPECTED);
    struct revoking already = {.serial = serial_of(&two)};
    struct registering r = {0};
    char id[ISSUANCE_ID_SIZE];
    struct err e = {0};

    assert_ok(verb_call(s->store, do_revoke, &already, &e), &e);
    memcpy(r.row.id, s->id, sizeof(r.row.id));
    assert_ok(verb_call(s->store, do_cancel, &r, &e), &e);
    assert_int_equal(r.outcome, ISSUANCE_DONE);
    assert_int_equal(r.revoked, 1);
    assert_true(is_revoked(s, &one));
    assert_ok(verb_call(s->store, do_cancel, &r, &e), &e);
    assert_int_equal(r.outcome, ISSUANCE_KNOWN);
    assert_int_equal(r.revoked, 0);
    /* nothing is live: another owner may come */
    assert_int_equal(reregister(s, "after", NULL, id), ISSUANCE_DONE);
    agrees(s);
}

static void
a_revocation_is_asked_for_by_the_living_and_once(void **state)
{
    struct scene *s = *state;
    const struct octets one = initial(s, 1, s->id, ISSUANCE_EXPECTED);
    const struct octets rid = scene_octets(70);
    const struct octets other = scene_octets(71);
    struct asking x = {.a = {.rid = rid_of(&rid),
                             .ra_der = RA,
                             .holder = serial_of(&one),
                             .serial = serial_of(&one),
                             .reason = 1,
                             .by = "rr of its holder",
                             .has_invalidity = true,
                             .invalidity_date = NOW - 100,
                             .evidence = SPAN_LITERAL("rr"),
                             .when = WHEN}};
    struct err e = {0};
    uint64_t leaf;

    x.a.ra_der = SPAN_LITERAL("certificate of nobody");
    assert_ok(verb_call(s->store, do_ask, &x, &e), &e);
    assert_int_equal(x.outcome, ISSUANCE_SIGNER_UNKNOWN);
    x.a.ra_der = RA;
    x.a.serial = serial_of(&other);
    assert_ok(verb_call(s->store, do_ask, &x, &e), &e);
    assert_int_equal(x.outcome, ISSUANCE_CLOSED);
    x.a.serial = serial_of(&one);
    assert_ok(verb_call(s->store, do_ask, &x, &e), &e);
    assert_int_equal(x.outcome, ISSUANCE_DONE);
    assert_true(is_revoked(s, &one));
    leaf = x.leaf;
    assert_ok(verb_call(s->store, do_ask, &x, &e), &e);
    assert_int_equal(x.outcome, ISSUANCE_KNOWN);
    assert_int_equal(x.leaf, leaf);
    x.a.rid = rid_of(&other);
    assert_ok(verb_call(s->store, do_ask, &x, &e), &e);
    assert_int_equal(x.outcome, ISSUANCE_HOLDER_REVOKED);
    agrees(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_is_renewed_once_at_a_time_and_for_no_use,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_a_revoked_certificate_asked_for_is_not_confirmed,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_confirmed_in_time_is_rejected, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_live_certificate_is_replaced_on_purpose_only, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(cancelling_revokes_what_is_live_once, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(cancelling_revokes_what_it_follows_but_not_what_follows_it,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_registration_is_followed_when_nothing_of_it_is_live,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_revocation_is_asked_for_by_the_living_and_once,
                                        scene_setup, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
