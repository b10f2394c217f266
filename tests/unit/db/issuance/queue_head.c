/* SPDX-License-Identifier: Apache-2.0 */
/* What an RA signed is in the record before what rests on it: once, and again when it must be. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/db/issuance/scene.h"

enum { DAY = LEAF_HEAD_AGE_MAX };

#define SECOND_RA SCENE_CERTIFICATE("\312")

/* The newest leaves, oldest first: their kinds. */
struct newest {
    int64_t from; /* index */
    char kinds[256];
    char heads[256]; /* the first four digits of what each of them names */
};

static int
do_newest(struct store_db *db, void *arg, struct err *e)
{
    struct newest *x = arg;
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row = true;

    x->kinds[0] = x->heads[0] = '\0';
    if (store_query(db, &rows, "SELECT body FROM leaf WHERE idx >= ?1 ORDER BY idx",
                    STORE_VALUES(store_int(x->from)), e) != 0) {
        return -1;
    }
    while (store_next(&rows, &row, e) == 0 && row) {
        CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(row_blob(&rows, 0), e);
        const size_t n = strlen(x->kinds);
        const size_t k = strlen(x->heads);
        const char *head;

        assert_non_null(leaf);
        head = leaf_text(leaf, "head");
        (void)snprintf(x->kinds + n, sizeof(x->kinds) - n, "%s ", leaf_kind_name(leaf_kind(leaf)));
        (void)snprintf(x->heads + k, sizeof(x->heads) - k, "%.4s ", head == NULL ? "-" : head);
        x->from++;
    }
    return row ? -1 : 0;
}

static int
do_check(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return issuance_check(db, e);
}

static const struct issuance_attested ATTESTED = {.entry = {(const uint8_t *)"entry", 5},
                                                  .path = {(const uint8_t *)"path", 4},
                                                  .head = {(const uint8_t *)"head", 4},
                                                  .signature = {(const uint8_t *)"signature", 9}};

#define NEW "QUEUE-HEAD REQUEST INTENT "
#define KNOWN "REQUEST INTENT "

static void
a_head_is_recorded_once_a_day_for_each_certificate(void **state)
{
    static const struct {
        const char *name;
        uint8_t head; /* octets of its hash; 0: wrapped as before */
        bool second;  /* RA */
        time_t now;
        const char *kinds;
        const char *heads;
    } rows[] = {
        {"the first of a head", 0xa1, false, NOW, NEW, "a1a1 a1a1 - "},
        {"the second", 0xa1, false, NOW + 1, KNOWN, "a1a1 - "},
        {"another head", 0xa2, false, NOW + 2, NEW, "a2a2 a2a2 - "},
        {"as RAs did before", 0, false, NOW + 3, KNOWN, "- - "},
        {"the first again", 0xa1, false, NOW + DAY - 1, KNOWN, "a1a1 - "},
        {"a day later", 0xa1, false, NOW + DAY, NEW, "a1a1 a1a1 - "},
        {"and known again", 0xa1, false, NOW + DAY + 1, KNOWN, "a1a1 - "},
        {"another certificate", 0xa1, true, NOW + DAY + 2, NEW, "a1a1 a1a1 - "},
        {"known of that", 0xa1, true, NOW + DAY + 3, KNOWN, "a1a1 - "},
        {"the first one's again", 0xa1, false, NOW + DAY + 4, NEW, "a1a1 a1a1 - "},
    };
    struct scene *s = *state;
    struct registering r = scene_registration(UUID_2, "many", 100);
    struct newest newest = {0};
    struct err e = {0};

    scene_issue(s->store, 202, "ra-cmp", SECOND_RA);
    assert_ok(verb_call(s->store, do_register, &r, &e), &e);
    assert_ok(verb_call(s->store, do_newest, &newest, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct octets o = scene_octets((uint8_t)(i + 1));
        struct intend x = scene_nf(&o, r.row.id, span_of(&rows[i].name, sizeof(rows[i].name)));
        uint8_t hash[SHA256_SIZE];

        memset(hash, rows[i].head, sizeof(hash));
        x.intent.nf_instance = UUID_2;
        x.intent.certificates = 100;
        x.intent.now = rows[i].now;
        x.intent.queue_previous = span_of(hash, sizeof(hash));
        x.intent.attested = rows[i].head != 0 ? &ATTESTED : NULL;
        x.intent.ra_der = rows[i].second ? SECOND_RA : RA;
        assert_ok(verb_call(s->store, do_intend, &x, &e), &e);
        assert_int_equal(x.outcome, ISSUANCE_DONE);
        assert_ok(verb_call(s->store, do_newest, &newest, &e), &e);
        if (strcmp(newest.kinds, rows[i].kinds) != 0 || strcmp(newest.heads, rows[i].heads) != 0) {
            fail_msg("%s: %s(%s)", rows[i].name, newest.kinds, newest.heads);
        }
        assert_ok(verb_call(s->store, do_check, NULL, &e), &e);
    }
    issuance_registration_free(&r.row);
}

/* What is undone was not recorded. */
static void
what_the_database_refuses_leaves_no_head(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(1);
    struct newest newest = {0};
    struct intend x = scene_nf(&o, s->id, SPAN_LITERAL("transaction"));
    struct err e = {0};

    assert_ok(verb_call(s->store, do_newest, &newest, &e), &e);
    x.intent.attested = &ATTESTED;
    x.intent.certificates = 0; /* used up */
    assert_ok(verb_call(s->store, do_intend, &x, &e), &e);
    assert_int_equal(x.outcome, ISSUANCE_USED_UP);
    x.intent.certificates = 2;
    x.intent.ra_der = SPAN_LITERAL("\x30\x00"); /* no RA's */
    if (verb_call(s->store, do_intend, &x, &e) == 0) {
        assert_int_equal(x.outcome, ISSUANCE_SIGNER_UNKNOWN);
    }
    assert_ok(verb_call(s->store, do_newest, &newest, &e), &e);
    assert_string_equal(newest.kinds, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_head_is_recorded_once_a_day_for_each_certificate,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_the_database_refuses_leaves_no_head, scene_setup,
                                        scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
