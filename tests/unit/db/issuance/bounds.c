/* SPDX-License-Identifier: Apache-2.0 */
/* The last second in which something is so, and the first in which it is not. */
#include <string.h>

#include "db/issuance/rows.h"
#include "tests/unit/db/issuance/scene.h"

enum { ENDS = NOW + 100 };

static const struct octets officer = {.rid = {0x70}, .serial = {0x40, 0x70}, .key = {0x70}};

/* ---- first certificates and registrations ---- */

static void
a_window_has_both_ends(void **state)
{
    struct scene *s = *state;
    static const struct {
        time_t now;
        enum issuance_outcome outcome;
    } rows[] = {
        {NOW - 11, ISSUANCE_NOT_REGISTERED}, /* scene_registration() opens ten seconds ago */
        {NOW - 10, ISSUANCE_DONE},
        {LATER, ISSUANCE_DONE},
        {LATER + 1, ISSUANCE_NOT_REGISTERED},
    };

    for (uint8_t n = 0; n < ARRAY_LEN(rows); n++) {
        const struct octets o = scene_octets((uint8_t)(n + 1));
        struct intend i = scene_nf(&o, s->id, span_of(&n, 1));
        struct err e = {0};

        i.intent.now = rows[n].now;
        assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
        if (i.outcome != rows[n].outcome) {
            fail_msg("%lld: %s", (long long)(rows[n].now - NOW), issuance_outcome_text(i.outcome));
        }
    }
}

static enum issuance_outcome
registered(struct scene *s, const char *uuid, const char *cms, time_t ends, time_t now,
           char id[ISSUANCE_ID_SIZE])
{
    struct registering r = scene_registration(uuid, cms, 1);
    struct err e = {0};

    r.row.not_after = ends;
    r.now = now;
    assert_ok(verb_call(s->store, do_register, &r, &e), &e);
    memcpy(id, r.row.id, ISSUANCE_ID_SIZE);
    issuance_registration_free(&r.row);
    return r.outcome;
}

static void
nobody_registers_what_has_ended(void **state)
{
    struct scene *s = *state;
    char id[ISSUANCE_ID_SIZE];

    assert_int_equal(registered(s, UUID_2, "ended", ENDS, ENDS + 1, id), ISSUANCE_NOT_REGISTERED);
    assert_int_equal(registered(s, UUID_2, "ended", ENDS, ENDS, id), ISSUANCE_DONE);
}

static void
another_registration_comes_when_the_former_has_ended(void **state)
{
    struct scene *s = *state;
    char id[ISSUANCE_ID_SIZE];

    assert_int_equal(registered(s, UUID_2, "former", ENDS, NOW, id), ISSUANCE_DONE);
    assert_int_equal(registered(s, UUID_2, "next", LATER, ENDS, id), ISSUANCE_OWNED);
    assert_int_equal(registered(s, UUID_2, "next", LATER, ENDS + 1, id), ISSUANCE_DONE);
}

/* Used up, and its certificate ends. */
static void
another_registration_comes_when_nothing_is_live(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    char id[ISSUANCE_ID_SIZE];
    char next[ISSUANCE_ID_SIZE];
    struct intend i;
    struct issue done = {.rid = span_of(o.rid, sizeof(o.rid)),
                         .certificate = scene_certificate_of(span_of(o.rid, sizeof(o.rid)))};
    struct err e = {0};

    assert_int_equal(registered(s, UUID_2, "used", LATER, NOW, id), ISSUANCE_DONE);
    i = scene_nf(&o, id, SPAN_LITERAL("transaction"));
    i.intent.nf_instance = UUID_2;
    i.intent.certificates = 1;
    i.intent.not_after = ENDS;
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    assert_int_equal(registered(s, UUID_2, "next", LATER, ENDS, next), ISSUANCE_OWNED);
    assert_int_equal(registered(s, UUID_2, "next", LATER, ENDS + 1, next), ISSUANCE_DONE);
}

/* ---- ends ---- */

struct cancelling {
    struct issuance_cancellation c;
    uint64_t leaf;
    int revoked;
    enum issuance_outcome outcome;
};

static int
do_cancel_at(struct store_db *db, void *arg, struct err *e)
{
    struct cancelling *c = arg;

    return issuance_cancel(db, &c->c, &c->leaf, &c->revoked, &c->outcome, e);
}

static struct cancelling
cancelled(struct scene *s, time_t signed_at, time_t now)
{
    struct cancelling c = {.c = {.id = s->id,
                                 .registrar_der = REGISTRAR,
                                 .registrar = scene_serial(REGISTRAR),
                                 .cms = SPAN_LITERAL("cancel"),
                                 .signed_at = signed_at,
                                 .when = {now, now}}};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_cancel_at, &c, &e), &e);
    return c;
}

static void
what_was_signed_before_a_registration_does_not_end_it(void **state)
{
    struct scene *s = *state;

    assert_int_equal(cancelled(s, NOW - 1, NOW).outcome, ISSUANCE_NOT_REGISTERED);
    assert_int_equal(cancelled(s, NOW, NOW).outcome, ISSUANCE_DONE);
}

static void
issue_under(struct scene *s, time_t not_after)
{
    const struct octets o = scene_octets(1);
    struct intend i = scene_nf(&o, s->id, SPAN_LITERAL("transaction"));
    struct issue done = {.rid = span_of(o.rid, sizeof(o.rid)),
                         .certificate = scene_certificate_of(span_of(o.rid, sizeof(o.rid)))};
    struct err e = {0};

    i.intent.not_after = not_after;
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
}

static void
what_ends_in_this_second_is_revoked_with_its_registration(void **state)
{
    struct scene *s = *state;

    issue_under(s, ENDS);
    assert_int_equal(cancelled(s, ENDS, ENDS).revoked, 1);
}

static void
what_has_ended_is_not(void **state)
{
    struct scene *s = *state;

    issue_under(s, ENDS);
    assert_int_equal(cancelled(s, ENDS, ENDS + 1).revoked, 0);
}

struct unconfirmed {
    int limit;
    int n;
};

static int
do_end(struct store_db *db, void *arg, struct err *e)
{
    struct unconfirmed *u = arg;

    return issuance_end_unconfirmed(db, NOW + 1, ISSUANCE_EXPECTED, u->limit, WHEN, &u->n, e);
}

static void
no_more_are_ended_at_once_than_are_asked_for(void **state)
{
    struct scene *s = *state;
    static const struct {
        int limit;
        int ended;
    } rows[] = {{0, 0}, {1, 1}, {2, 1}, {1, 0}};

    for (uint8_t n = 1; n <= 2; n++) {
        const struct octets o = scene_octets(n);
        struct intend i = scene_nf(&o, s->id, span_of(&n, 1));
        struct issue done = {.rid = i.intent.rid,
                             .certificate = scene_certificate_of(i.intent.rid)};
        struct err e = {0};

        i.intent.confirm = ISSUANCE_EXPECTED;
        assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
        assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct unconfirmed u = {.limit = rows[i].limit};
        struct err e = {0};

        assert_ok(verb_call(s->store, do_end, &u, &e), &e);
        assert_int_equal(u.n, rows[i].ended);
    }
}

/* ---- what is listed ---- */

struct listing {
    time_t at;
    int limit;
    int n;
};

static void
count_entry(void *arg, struct span serial, time_t revoked, int reason)
{
    (void)serial;
    (void)revoked;
    (void)reason;
    ((struct listing *)arg)->n++;
}

static int
do_crl(struct store_db *db, void *arg, struct err *e)
{
    struct listing *l = arg;

    return issuance_crl_each(db, l->at, count_entry, l, e);
}

static void
count_der(void *arg, struct span der)
{
    (void)der;
    ((struct listing *)arg)->n++;
}

static int
do_ras(struct store_db *db, void *arg, struct err *e)
{
    struct listing *l = arg;

    return issuance_infrastructure_each(db, ISSUANCE_RA, l->at, count_der, l, e);
}

static void
count_registration(void *arg, const struct issuance_registration *r)
{
    (void)r;
    ((struct listing *)arg)->n++;
}

static int
do_registrations(struct store_db *db, void *arg, struct err *e)
{
    struct listing *l = arg;

    return issuance_registration_each(db, l->limit, count_registration, l, e);
}

static void
what_has_ended_is_on_no_list(void **state)
{
    struct scene *s = *state;
    struct revoking r = {.serial = scene_serial(REGISTRAR)};
    struct listing rows[] = {{.at = LATER}, {.at = LATER + 1}};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_revoke, &r, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct listing crl = rows[i];
        struct listing ras = rows[i];

        assert_ok(verb_call(s->store, do_crl, &crl, &e), &e);
        assert_int_equal(crl.n, i == 0 ? 1 : 0);
        assert_ok(verb_call(s->store, do_ras, &ras, &e), &e);
        assert_int_equal(ras.n, i == 0 ? 1 : 0);
    }
    for (int limit = 0; limit <= 2; limit++) {
        struct listing l = {.limit = limit};

        assert_ok(verb_call(s->store, do_registrations, &l, &e), &e);
        assert_int_equal(l.n, limit > 0 ? 1 : 0);
    }
}

struct opening {
    time_t before;
    int limit;
    int found;
};

static void
count_open(void *arg, const struct issuance_request *row)
{
    struct opening *o = arg;

    assert_int_equal(row->state, ISSUANCE_INTENT);
    o->found++;
}

static int
do_open(struct store_db *db, void *arg, struct err *e)
{
    struct opening *o = arg;

    return issuance_open_each(db, o->before, o->limit, count_open, o, e);
}

static void
an_officers_intent_is_open_when_it_is_older(void **state)
{
    struct scene *s = *state;
    struct intend i = scene_officer(&officer, "officer");
    struct opening rows[] = {{.before = NOW, .limit = 1},
                             {.before = NOW + 1, .limit = 1},
                             {.before = NOW + 1, .limit = 0}};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        assert_ok(verb_call(s->store, do_open, &rows[k], &e), &e);
        assert_int_equal(rows[k].found, k == 1);
    }
}

/* ---- what cannot be ---- */

static int
do_advance(struct store_db *db, void *arg, struct err *e)
{
    const enum issuance_state *from = arg;

    return issuance_advance(db, span_of(officer.rid, sizeof(officer.rid)), *from, ISSUANCE_ISSUED,
                            0, e);
}

static void
a_step_begins_where_the_request_is(void **state)
{
    struct scene *s = *state;
    struct intend i = scene_officer(&officer, "officer");
    enum issuance_state from = ISSUANCE_INTENT;
    struct revoking unknown = {.serial = span_of(officer.serial, sizeof(officer.serial))};
    struct err e = {0};

    assert_err(verb_call(s->store, do_advance, &from, &e), ERR_CONFLICT, &e);
    assert_string_equal(e.text, "the request's state is another");
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    from = ISSUANCE_CONFIRMED;
    assert_err(verb_call(s->store, do_advance, &from, &e), ERR_CONFLICT, &e);
    /* an intent is no certificate */
    assert_err(verb_call(s->store, do_revoke, &unknown, &e), ERR_NOTFOUND, &e);
    assert_string_equal(e.text, "no certificate with this serial number was issued");
}

#define AT_THE_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        AT_THE_SCENE(a_window_has_both_ends),
        AT_THE_SCENE(nobody_registers_what_has_ended),
        AT_THE_SCENE(another_registration_comes_when_the_former_has_ended),
        AT_THE_SCENE(another_registration_comes_when_nothing_is_live),
        AT_THE_SCENE(what_was_signed_before_a_registration_does_not_end_it),
        AT_THE_SCENE(what_ends_in_this_second_is_revoked_with_its_registration),
        AT_THE_SCENE(what_has_ended_is_not),
        AT_THE_SCENE(no_more_are_ended_at_once_than_are_asked_for),
        AT_THE_SCENE(what_has_ended_is_on_no_list),
        AT_THE_SCENE(an_officers_intent_is_open_when_it_is_older),
        AT_THE_SCENE(a_step_begins_where_the_request_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
