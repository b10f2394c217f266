/* SPDX-License-Identifier: Apache-2.0 */
/* Who is who stands in the record: what somebody could write into the rows makes nobody another. */
#include <string.h>

#include "db/issuance/role.h"
#include "tests/unit/db/issuance/scene.h"

#define OFFICER SCENE_CERTIFICATE("\322")
#define NF SCENE_CERTIFICATE("\001")
/* The registrar's serial number on other octets. */
#define TWIN                                                                                       \
    SPAN_LITERAL("\x30\x1b\x30\x17\xa0\x03\x02\x01\x03\x02\x10\x40\311"                            \
                 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\0")

struct look {
    struct span der;
    enum issuance_role recorded;
    enum issuance_role now;
    enum issuance_role found;
    time_t at;
};

static int
do_look(struct store_db *db, void *arg, struct err *e)
{
    struct look *l = arg;
    uint8_t hash[SHA256_SIZE];

    if (sha256(l->der, hash, e) != 0 || issuance_role_recorded(db, l->der, &l->recorded, e) != 0 ||
        issuance_role_of(db, l->der, &l->now, e) != 0) {
        return -1;
    }
    return issuance_role_find(db, span_of(hash, sizeof(hash)), l->at, &l->found, e);
}

static void
is(struct scene *s, struct span der, time_t at, enum issuance_role recorded, enum issuance_role now,
   enum issuance_role found)
{
    struct look l = {.der = der, .at = at};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_look, &l, &e), &e);
    assert_int_equal(l.recorded, recorded);
    assert_int_equal(l.now, now);
    assert_int_equal(l.found, found);
}

static void
everybody_is_what_the_intent_says(void **state)
{
    struct scene *s = *state;

    scene_issue(s->store, 210, "officer", OFFICER);
    is(s, RA, NOW, ISSUANCE_RA, ISSUANCE_RA, ISSUANCE_RA);
    is(s, REGISTRAR, NOW, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR);
    is(s, OFFICER, NOW, ISSUANCE_OFFICER, ISSUANCE_OFFICER, ISSUANCE_OFFICER);
    is(s, TWIN, NOW, ISSUANCE_NOBODY, ISSUANCE_NOBODY, ISSUANCE_NOBODY);
    is(s, SPAN_LITERAL("no certificate"), NOW, ISSUANCE_NOBODY, ISSUANCE_NOBODY, ISSUANCE_NOBODY);
    is(s, span_of(NULL, 0), NOW, ISSUANCE_NOBODY, ISSUANCE_NOBODY, ISSUANCE_NOBODY);
}

/* The octets of the registrar's certificate with one element of another kind, or with more. */
static void
what_is_no_certificate_is_nobodys(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        uint8_t octet;
    } rows[] = {
        {"a SET around it", 0, 0x31},
        {"a SET of what is signed", 3, 0x31},
        {"an OCTET STRING as serial number", 11, 0x04},
        {"a serial number of no octets", 12, 0x00},
        {"a length beyond the end", 2, 0xb6},
        {"a length before the end", 2, 0xb4},
        {"an inner length beyond the end", 5, 0xc0},
        {"an indefinite length", 1, 0x80},
    };
    struct scene *s = *state;
    uint8_t octets[256];
    const size_t n = REGISTRAR.n;

    assert_true(n < sizeof(octets));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].name);
        memcpy(octets, REGISTRAR.p, n);
        octets[rows[i].at] = rows[i].octet;
        is(s, span_of(octets, n), NOW, ISSUANCE_NOBODY, ISSUANCE_NOBODY, ISSUANCE_NOBODY);
    }
    memcpy(octets, REGISTRAR.p, n);
    octets[n] = 0;
    is(s, span_of(octets, n + 1), NOW, ISSUANCE_NOBODY, ISSUANCE_NOBODY, ISSUANCE_NOBODY);
    is(s, span_of(octets, n), NOW, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR);
}

struct registered {
    const char *id;
    const char *edit; /* NULL: nothing */
    struct issuance_registration found;
    bool is_found;
};

static int
do_find_registration(struct store_db *db, void *arg, struct err *e)
{
    struct registered *r = arg;

    if (r->edit != NULL &&
        (store_exec(db, "DROP TRIGGER registration_fixed", STORE_NO_VALUES, e) != 0 ||
         store_exec(db, r->edit, STORE_NO_VALUES, e) != 0)) {
        return -1;
    }
    return issuance_registration_find(db, r->id, &r->found, &r->is_found, e);
}

static void
a_registration_is_a_registrars_only_by_the_record(void **state)
{
    struct scene *s = *state;
    struct registered rows[] = {
        {.id = s->id},
        {.id = s->id,
         .edit = "UPDATE registration SET registrar = (SELECT serial FROM request WHERE "
                 "profile = 'ra-cmp')"},
    };
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_ok(verb_call(s->store, do_find_registration, &rows[i], &e), &e);
        assert_true(rows[i].is_found);
        assert_int_equal(rows[i].found.by_registrar, i == 0);
        issuance_registration_free(&rows[i].found);
    }
}

/* A row that says a later end than the record. */
static int
do_prolong(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return store_exec(db, "DROP TRIGGER certificate_fixed", STORE_NO_VALUES, e) != 0
               ? -1
               : store_exec(db, "UPDATE certificate SET not_after = not_after + 1000",
                            STORE_NO_VALUES, e);
}

static void
the_end_of_a_validity_is_the_records(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    assert_ok(verb_call(s->store, do_prolong, NULL, &e), &e);
    is(s, REGISTRAR, LATER, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR);
    is(s, REGISTRAR, LATER + 1, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR, ISSUANCE_NOBODY);
}

static void
nobody_is_somebody_outside_of_the_validity(void **state)
{
    struct scene *s = *state;

    is(s, REGISTRAR, NOW - 301, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR, ISSUANCE_NOBODY);
    is(s, REGISTRAR, NOW - 300, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR);
    is(s, REGISTRAR, LATER, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR);
    is(s, REGISTRAR, LATER + 1, ISSUANCE_REGISTRAR, ISSUANCE_REGISTRAR, ISSUANCE_NOBODY);
}

static void
what_is_revoked_is_nobody_from_then_on(void **state)
{
    struct scene *s = *state;
    struct revoking r = {.serial = scene_serial(REGISTRAR)};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_revoke, &r, &e), &e);
    is(s, REGISTRAR, NOW, ISSUANCE_REGISTRAR, ISSUANCE_NOBODY, ISSUANCE_NOBODY);
}

struct before {
    uint64_t leaves; /* at each of these places, and at the one behind the last */
    enum issuance_role role[64];
};

static int
do_look_before(struct store_db *db, void *arg, struct err *e)
{
    struct before *b = arg;

    if (ledger_size(db, &b->leaves, e) != 0) {
        return -1;
    }
    assert_true(b->leaves < ARRAY_LEN(b->role));
    for (uint64_t place = 0; place <= b->leaves; place++) {
        if (issuance_role_before(db, OFFICER, place, &b->role[place], e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Behind the leaf with which the certificate is out, up to that with which it is revoked. */
static void
somebody_is_what_the_leaves_before_a_place_say(void **state)
{
    struct scene *s = *state;
    struct revoking r = {.serial = scene_serial(OFFICER)};
    struct before none = {0};
    struct before issued = {0};
    struct before revoked = {0};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_look_before, &none, &e), &e);
    scene_issue(s->store, 210, "officer", OFFICER);
    assert_ok(verb_call(s->store, do_look_before, &issued, &e), &e);
    scene_issue(s->store, 211, "officer", SCENE_CERTIFICATE("\323"));
    assert_ok(verb_call(s->store, do_revoke, &r, &e), &e);
    assert_ok(verb_call(s->store, do_look_before, &revoked, &e), &e);
    for (uint64_t place = 0; place <= revoked.leaves; place++) {
        const bool is_officer = place >= issued.leaves && place < revoked.leaves;

        assert_int_equal(revoked.role[place], is_officer ? ISSUANCE_OFFICER : ISSUANCE_NOBODY);
        assert_true(place > none.leaves || none.role[place] == ISSUANCE_NOBODY);
    }
    assert_int_equal(issued.role[issued.leaves], ISSUANCE_OFFICER);
}

/* Under a registration, with a profile that is called so. */
static void
a_network_function_is_nobody_whatever_its_profile_is_called(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    struct intend i = scene_nf(&o, s->id, SPAN_LITERAL("transaction"));
    struct issue done = {.rid = i.intent.rid, .certificate = scene_certificate_of(i.intent.rid)};
    struct err e = {0};

    i.intent.profile = "registrar";
    i.intent.tbs = scene_tbs(NF);
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    is(s, NF, NOW, ISSUANCE_NOBODY, ISSUANCE_NOBODY, ISSUANCE_NOBODY);
}

static int
do_edit(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return store_exec(db, "DROP TRIGGER certificate_fixed", STORE_NO_VALUES, e) != 0 ||
                   store_exec(db, "DROP TRIGGER request_fixed", STORE_NO_VALUES, e) != 0 ||
                   store_exec(db, "UPDATE certificate SET profile = 'registrar'", STORE_NO_VALUES,
                              e) != 0
               ? -1
               : store_exec(db, "UPDATE request SET profile = 'registrar' WHERE serial NOT NULL",
                            STORE_NO_VALUES, e);
}

static int
do_append(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_INTENT, NOW);
    uint8_t hash[SHA256_SIZE];

    (void)arg;
    if (sha256(scene_tbs(OFFICER), hash, e) != 0) {
        return -1;
    }
    leaf_set_hex(leaf, "rid", span_of(hash, sizeof(hash)));
    leaf_set_hex(leaf, "serial", scene_serial(OFFICER));
    leaf_set_text(leaf, "profile", "registrar");
    leaf_set_hex(leaf, "tbs", span_of(hash, sizeof(hash)));
    leaf_set_time(leaf, "notBefore", NOW);
    leaf_set_time(leaf, "notAfter", LATER);
    return ledger_append(db, leaf, NULL, e);
}

static void
neither_a_row_nor_a_later_leaf_makes_an_officer_a_registrar(void **state)
{
    struct scene *s = *state;
    struct err e = {0};

    scene_issue(s->store, 210, "officer", OFFICER);
    assert_ok(verb_call(s->store, do_edit, NULL, &e), &e);
    is(s, OFFICER, NOW, ISSUANCE_OFFICER, ISSUANCE_OFFICER, ISSUANCE_OFFICER);
    is(s, RA, NOW, ISSUANCE_RA, ISSUANCE_RA, ISSUANCE_RA);
    assert_ok(verb_call(s->store, do_append, NULL, &e), &e);
    is(s, OFFICER, NOW, ISSUANCE_OFFICER, ISSUANCE_OFFICER, ISSUANCE_OFFICER);
}

static int
do_break(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return store_exec(db, "DROP TRIGGER leaf_stays", STORE_NO_VALUES, e) != 0
               ? -1
               : store_exec(db,
                            "UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT), "
                            "'\"officer\"', '\"registrar\"') AS BLOB) WHERE kind = 'INTENT'",
                            STORE_NO_VALUES, e);
}

static void
a_leaf_that_its_hash_does_not_stand_for_is_an_error(void **state)
{
    struct scene *s = *state;
    struct look l = {.der = OFFICER, .at = NOW};
    struct err e = {0};

    scene_issue(s->store, 210, "officer", OFFICER);
    assert_ok(verb_call(s->store, do_break, NULL, &e), &e);
    assert_err(verb_call(s->store, do_look, &l, &e), ERR_STALE, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everybody_is_what_the_intent_says, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_certificate_is_nobodys, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_registration_is_a_registrars_only_by_the_record,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(the_end_of_a_validity_is_the_records, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(nobody_is_somebody_outside_of_the_validity, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(what_is_revoked_is_nobody_from_then_on, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(somebody_is_what_the_leaves_before_a_place_say, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(a_network_function_is_nobody_whatever_its_profile_is_called,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(neither_a_row_nor_a_later_leaf_makes_an_officer_a_registrar,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_leaf_that_its_hash_does_not_stand_for_is_an_error,
                                        scene_setup, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
