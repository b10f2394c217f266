/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/issuance.h"

#include "tests/unit/db/issuance/scene.h"

static void
a_rid_has_one_intent_for_ever(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets other = scene_octets(2);
    struct intend first = scene_nf(&o, s->id, SPAN_LITERAL("transaction"));
    struct intend again = scene_nf(&other, s->id, SPAN_LITERAL("another one"));
    CLEANUP(issuance_request_free) struct issuance_request found = {0};
    struct find f = {.rid = first.intent.rid};
    struct err e = {0};
    uint64_t leaves;

    again.intent.rid = first.intent.rid;
    assert_ok(verb_call(s->store, do_intend, &first, &e), &e);
    assert_int_equal(first.outcome, ISSUANCE_DONE);
    leaves = scene_leaves(s->store);
    assert_ok(verb_call(s->store, do_intend, &again, &e), &e);
    assert_int_equal(again.outcome, ISSUANCE_KNOWN);
    assert_int_equal(scene_leaves(s->store), leaves);
    assert_ok(verb_call(s->store, do_find, &f, &e), &e);
    found = f.found;
    assert_true(f.is_found);
    assert_int_equal(found.state, ISSUANCE_INTENT);
    assert_memory_equal(found.serial, o.serial, sizeof(o.serial));
    assert_int_equal(found.leaf, leaves - 1);
}

static void
a_serial_is_given_once(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets other = scene_octets(2);
    struct intend first = scene_nf(&o, s->id, SPAN_LITERAL("transaction"));
    struct intend second = scene_nf(&other, s->id, SPAN_LITERAL("another one"));
    struct err e = {0};
    uint64_t leaves;

    second.intent.serial = first.intent.serial;
    assert_ok(verb_call(s->store, do_intend, &first, &e), &e);
    leaves = scene_leaves(s->store);
    assert_err(verb_call(s->store, do_intend, &second, &e), ERR_CONFLICT, &e);
    assert_int_equal(scene_leaves(s->store), leaves);
}

static void
uses_are_counted_and_given_back_by_an_abandoned_intent(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    for (uint8_t n = 1; n <= 3; n++) {
        const struct octets o = scene_octets(n);
        struct intend i = scene_nf(&o, s->id, span_of(&n, 1));

        assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
        assert_int_equal(i.outcome, n <= 2 ? ISSUANCE_DONE : ISSUANCE_USED_UP);
    }
    {
        const struct octets o = scene_octets(1);
        const struct octets next = scene_octets(4);
        struct issue gone = {.rid = span_of(o.rid, sizeof(o.rid))};
        struct intend i = scene_nf(&next, s->id, SPAN_LITERAL("fourth"));
        struct issuance_counts counts;

        assert_ok(verb_call(s->store, do_abandon, &gone, &e), &e);
        assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
        assert_int_equal(i.outcome, ISSUANCE_DONE);
        assert_ok(verb_call(s->store, do_count, &counts, &e), &e);
        assert_int_equal(counts.revoked, 1);
        assert_int_equal(counts.open, 2);
        assert_err(verb_call(s->store, do_abandon, &gone, &e), ERR_CONFLICT, &e);
        gone.certificate = SPAN_LITERAL("late");
        assert_err(verb_call(s->store, do_issue, &gone, &e), ERR_CONFLICT, &e);
    }
}

static void
what_the_database_alone_can_refuse_is_refused(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets p = scene_octets(2);
    const struct octets ra = scene_octets(200);
    struct intend good = scene_nf(&o, s->id, SPAN_LITERAL("transaction"));
    struct intend bad;
    uint64_t leaves;
    struct err e = {0};

    assert_ok(verb_call(s->store, do_intend, &good, &e), &e);
    leaves = scene_leaves(s->store);
    for (int row = 0; row < 6; row++) {
        enum issuance_outcome expected = ISSUANCE_NOT_REGISTERED;

        bad = scene_nf(&p, s->id, SPAN_LITERAL("another one"));
        switch (row) {
        case 0:
            bad.intent.transaction_id = SPAN_LITERAL("transaction");
            expected = ISSUANCE_TRANSACTION_IN_USE;
            break;
        case 1:
            bad.intent.ra_der = REGISTRAR;
            expected = ISSUANCE_SIGNER_UNKNOWN;
            break;
        case 2:
            bad.intent.nf_instance = UUID_2;
            break;
        case 3:
            bad.intent.now = LATER + 1; /* its last second is LATER */
            break;
        case 4:
            bad.intent.registration = "00000000000000000000000000000000";
            break;
        default:
            bad.intent.spki_sha256 = span_of(ra.key, sizeof(ra.key));
            expected = ISSUANCE_KEY_TAKEN;
            break;
        }
        print_message("row %d\n", row);
        assert_ok(verb_call(s->store, do_intend, &bad, &e), &e);
        assert_int_equal(bad.outcome, expected);
    }
    assert_int_equal(scene_leaves(s->store), leaves);
    bad = scene_nf(&p, s->id, SPAN_LITERAL("in the last second"));
    bad.intent.now = LATER;
    assert_ok(verb_call(s->store, do_intend, &bad, &e), &e);
    assert_int_equal(bad.outcome, ISSUANCE_DONE);
}

static void
recovery_finds_every_open_intent(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    for (uint8_t n = 1; n <= 2; n++) {
        const struct octets o = scene_octets(n);
        struct intend i = scene_nf(&o, s->id, span_of(&n, 1));

        assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    }
    store_free(s->store);
    s->store = scene_open(s->dir);
    for (int left = 2; left >= 0; left--) {
        struct find f = {0};
        struct issue done = {.certificate = SPAN_LITERAL("certificate")};

        assert_ok(verb_call(s->store, do_find, &f, &e), &e);
        assert_int_equal(f.is_found, left > 0);
        if (left > 0) {
            assert_true(span_equal(buf_span(&f.found.tbs), SPAN_LITERAL("TBS")));
            done.rid = span_of(f.found.rid, sizeof(f.found.rid));
            assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
        }
        issuance_request_free(&f.found);
    }
}

static void
a_confirmation_is_answered_again_and_another_one_is_not(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    for (uint8_t n = 1; n <= 2; n++) {
        const bool accepted = n == 1;
        const struct octets o = scene_octets(n);
        const struct octets c1 = scene_octets((uint8_t)(n + 100));
        const struct octets c2 = scene_octets((uint8_t)(n + 110));
        struct intend i = scene_nf(&o, s->id, span_of(&n, 1));
        struct issue done = {.rid = i.intent.rid,
                             .certificate = scene_certificate_of(i.intent.rid)};
        struct confirming c = {.c = {.rid = span_of(c1.rid, sizeof(c1.rid)),
                                     .ra_der = RA,
                                     .request = i.intent.rid,
                                     .accepted = accepted,
                                     .evidence = SPAN_LITERAL("certConf"),
                                     .reason = "does not fit",
                                     .when = WHEN}};
        struct issuance_counts counts;
        uint64_t leaf;

        assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
        assert_ok(verb_call(s->store, do_confirm, &c, &e), &e);
        assert_int_equal(c.outcome, ISSUANCE_CLOSED); /* nothing is issued yet */
        assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
        c.c.ra_der = REGISTRAR;
        assert_ok(verb_call(s->store, do_confirm, &c, &e), &e);
        assert_int_equal(c.outcome, ISSUANCE_SIGNER_UNKNOWN);
        c.c.ra_der = RA;
        assert_ok(verb_call(s->store, do_confirm, &c, &e), &e);
        assert_int_equal(c.outcome, ISSUANCE_DONE);
        leaf = c.leaf;
        assert_ok(verb_call(s->store, do_confirm, &c, &e), &e);
        assert_int_equal(c.outcome, ISSUANCE_KNOWN);
        assert_int_equal(c.leaf, leaf);
        c.c.rid = span_of(c2.rid, sizeof(c2.rid));
        assert_ok(verb_call(s->store, do_confirm, &c, &e), &e);
        assert_int_equal(c.outcome, ISSUANCE_CLOSED);
        assert_ok(verb_call(s->store, do_count, &counts, &e), &e);
        assert_int_equal(counts.revoked, accepted ? 0 : 1);
    }
}

static void
a_refusal_is_kept_and_takes_no_transaction(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    const struct octets p = scene_octets(2);
    struct refusing r = {.r = {.rid = span_of(o.rid, sizeof(o.rid)),
                               .registration = s->id,
                               .ra_der = RA,
                               .profile = "nf-tls",
                               .evidence = SPAN_LITERAL("nested"),
                               .queue_sequence = 1,
                               .queue_previous = span_of(o.key, sizeof(o.key)),
                               .fail_info = 9,
                               .phrase = "proof of possession",
                               .reason = "bad signature",
                               .now = NOW}};
    struct intend same = scene_nf(&o, s->id, SPAN_LITERAL("transaction"));
    struct intend next = scene_nf(&p, s->id, SPAN_LITERAL("transaction"));
    struct find f = {.rid = span_of(o.rid, sizeof(o.rid))};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_refuse, &r, &e), &e);
    assert_int_equal(r.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_refuse, &r, &e), &e);
    assert_int_equal(r.outcome, ISSUANCE_KNOWN);
    assert_ok(verb_call(s->store, do_intend, &same, &e), &e);
    assert_int_equal(same.outcome, ISSUANCE_KNOWN);
    assert_ok(verb_call(s->store, do_intend, &next, &e), &e);
    assert_int_equal(next.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_find, &f, &e), &e);
    assert_int_equal(f.found.state, ISSUANCE_REFUSED);
    assert_int_equal(f.found.fail_info, 9);
    assert_string_equal(f.found.phrase, "proof of possession");
    issuance_request_free(&f.found);
}

static void
what_is_revoked_stays_revoked_and_signs_nothing(void **state)
{
    struct scene *s = *state;
    const struct octets ra = scene_octets(200);
    const struct octets o = scene_octets(1);
    struct revoking r = {.serial = span_of(ra.serial, sizeof(ra.serial))};
    struct intend i = scene_nf(&o, s->id, SPAN_LITERAL("transaction"));
    struct err e = {0};

    assert_ok(verb_call(s->store, do_revoke, &r, &e), &e);
    assert_int_equal(r.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_revoke, &r, &e), &e);
    assert_int_equal(r.outcome, ISSUANCE_KNOWN);
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_SIGNER_UNKNOWN);
    r.serial = span_of(o.serial, sizeof(o.serial));
    assert_err(verb_call(s->store, do_revoke, &r, &e), ERR_NOTFOUND, &e);
}

static void
an_instance_has_one_live_registration(void **state)
{
    struct scene *s = *state;
    struct registering known = scene_registration(UUID_1, "first", 2);
    struct registering second = scene_registration(UUID_1, "second", 1);
    struct registering stranger = scene_registration(UUID_2, "third", 1);
    struct err e = {0};

    assert_ok(verb_call(s->store, do_register, &known, &e), &e);
    assert_int_equal(known.outcome, ISSUANCE_KNOWN);
    assert_int_equal(known.row.state, ISSUANCE_LIVE);
    assert_ok(verb_call(s->store, do_register, &second, &e), &e);
    assert_int_equal(second.outcome, ISSUANCE_OWNED);
    stranger.registrar = RA;
    assert_ok(verb_call(s->store, do_register, &stranger, &e), &e);
    assert_int_equal(stranger.outcome, ISSUANCE_SIGNER_UNKNOWN);
    stranger.registrar = REGISTRAR;
    stranger.now = LATER + 1;
    assert_ok(verb_call(s->store, do_register, &stranger, &e), &e);
    assert_int_equal(stranger.outcome, ISSUANCE_NOT_REGISTERED);
    /* used up: the next one follows */
    for (uint8_t n = 1; n <= 2; n++) {
        const struct octets o = scene_octets(n);
        struct intend i = scene_nf(&o, s->id, span_of(&n, 1));

        assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    }
    assert_ok(verb_call(s->store, do_register, &second, &e), &e);
    assert_int_equal(second.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_register, &known, &e), &e);
    assert_int_equal(known.row.state, ISSUANCE_FOLLOWED);
    assert_ok(verb_call(s->store, do_cancel, &second, &e), &e);
    assert_int_equal(second.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_cancel, &second, &e), &e);
    assert_int_equal(second.outcome, ISSUANCE_KNOWN);
    issuance_registration_free(&known.row);
    issuance_registration_free(&second.row);
    issuance_registration_free(&stranger.row);
}

struct crl {
    uint64_t number;
    size_t entries;
    uint64_t leaf;
};

static void
count_entry(void *arg, struct span serial, time_t revoked, int reason)
{
    struct crl *c = arg;

    assert_int_equal(serial.n, ISSUANCE_SERIAL_SIZE);
    assert_int_equal(revoked, WHEN.date);
    assert_int_equal(reason, SUPERSEDED);
    c->entries++;
}

static int
do_reserve(struct store_db *db, void *arg, struct err *e)
{
    struct crl *c = arg;

    return issuance_crl_each(db, NOW, count_entry, c, e) != 0
               ? -1
               : issuance_crl_reserve(db, NOW, LATER, &c->number, e);
}

static int
do_store(struct store_db *db, void *arg, struct err *e)
{
    struct crl *c = arg;

    const uint8_t digest[SHA256_SIZE] = {1};
    const struct issuance_crl crl = {.number = c->number,
                                     .tbs = SPAN_LITERAL("TBS"),
                                     .entries = c->entries,
                                     .up_to = 7,
                                     .digest = span_of(digest, sizeof(digest)),
                                     .now = NOW};

    return issuance_crl_intend(db, &crl, &c->leaf, e) != 0
               ? -1
               : issuance_crl_store(db, &crl, SPAN_LITERAL("CRL"), &c->leaf, e);
}

static void
a_crl_number_is_never_used_again(void **state)
{
    struct scene *s = *state;
    const struct octets ra = scene_octets(200);
    struct revoking r = {.serial = span_of(ra.serial, sizeof(ra.serial))};
    struct crl lost = {0};
    struct crl next = {0};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_reserve, &lost, &e), &e);
    assert_ok(verb_call(s->store, do_revoke, &r, &e), &e);
    store_free(s->store);
    s->store = scene_open(s->dir);
    assert_ok(verb_call(s->store, do_reserve, &next, &e), &e);
    assert_int_equal(next.number, lost.number + 1);
    assert_int_equal(lost.entries, 0);
    assert_int_equal(next.entries, 1);
    assert_ok(verb_call(s->store, do_store, &next, &e), &e);
    assert_err(verb_call(s->store, do_store, &next, &e), ERR_NOTFOUND, &e);
}

static int
do_edit_sequence(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return store_exec(db, "UPDATE sqlite_sequence SET seq = 1000000000000 WHERE name = 'crl'",
                      STORE_NO_VALUES, e);
}

/* The signer refuses a number that is far ahead: it would be the last CRL of all. */
static void
a_crl_number_is_the_next_one_whatever_sqlite_sequence_says(void **state)
{
    struct scene *s = *state;
    struct crl first = {0};
    struct crl next = {0};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_reserve, &first, &e), &e);
    assert_ok(verb_call(s->store, do_edit_sequence, NULL, &e), &e);
    assert_ok(verb_call(s->store, do_reserve, &next, &e), &e);
    assert_int_equal(next.number, first.number + 1);
}

struct window {
    time_t from, to;
    bool stored;
};

struct passing {
    time_t at;
    time_t this_update;
};

static int
do_window(struct store_db *db, void *arg, struct err *e)
{
    const struct window *w = arg;
    struct crl c = {0};

    return issuance_crl_reserve(db, w->from, w->to, &c.number, e) != 0 ? -1
           : w->stored                                                 ? do_store(db, &c, e)
                                                                       : 0;
}

static int
do_passed(struct store_db *db, void *arg, struct err *e)
{
    struct passing *p = arg;

    return issuance_crl_passed(db, p->at, &p->this_update, e);
}

static void
the_newest_stored_crl_that_has_run_out_is_told(void **state)
{
    struct window windows[] = {{NOW, NOW + 100, true},
                               {NOW + 50, NOW + 150, false},
                               {NOW + 60, NOW + 160, true},
                               {NOW + 70, NOW + 170, true}};
    static const struct passing rows[] = {{NOW + 99, 0},         {NOW + 100, NOW},
                                          {NOW + 159, NOW},      {NOW + 160, NOW + 60},
                                          {NOW + 170, NOW + 70}, {LATER, NOW + 70}};
    struct scene *s = *state;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        assert_ok(verb_call(s->store, do_window, &windows[i], &e), &e);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct passing p = {.at = rows[i].at};

        assert_ok(verb_call(s->store, do_passed, &p, &e), &e);
        assert_int_equal(p.this_update, rows[i].this_update);
    }
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
    const char *rows[] = {
        "DELETE FROM certificate",
        "UPDATE certificate SET leaf = 0",
        "DELETE FROM request",
        "UPDATE request SET state = 0",
        "UPDATE request SET tbs = x'00'",
        "DELETE FROM registration",
        "UPDATE registration SET certificates = 1000",
    };
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i]);
        assert_err(verb_call(s->store, do_vandalise, &rows[i], &e), ERR_DENIED, &e);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_rid_has_one_intent_for_ever, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_serial_is_given_once, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(uses_are_counted_and_given_back_by_an_abandoned_intent,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_the_database_alone_can_refuse_is_refused, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(recovery_finds_every_open_intent, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_confirmation_is_answered_again_and_another_one_is_not,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_refusal_is_kept_and_takes_no_transaction, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(what_is_revoked_stays_revoked_and_signs_nothing,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(an_instance_has_one_live_registration, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_crl_number_is_never_used_again, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_crl_number_is_the_next_one_whatever_sqlite_sequence_says,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(the_newest_stored_crl_that_has_run_out_is_told, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(the_database_refuses_to_forget, scene_setup,
                                        scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
