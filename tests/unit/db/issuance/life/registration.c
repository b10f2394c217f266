/* SPDX-License-Identifier: Apache-2.0 */
/* What a registrar signed is in a leaf, and is read from there. */
#include <string.h>

#include "tests/support/test.h"
#include "tests/unit/db/issuance/scene.h"

struct asking {
    const char *id;
    const char *edit; /* before it is asked; NULL: nothing */
    int64_t in_row;   /* octets */
    struct buf cms;
};

static int
do_ask(struct store_db *db, void *arg, struct err *e)
{
    struct asking *a = arg;
    CLEANUP(issuance_registration_free) struct issuance_registration r = {0};
    CLEANUP(store_end) struct store_rows rows = {0};
    bool found;

    if (a->edit != NULL) {
        static const char *const drops[] = {"DROP TRIGGER IF EXISTS leaf_subject_stays",
                                            "DROP TRIGGER IF EXISTS leaf_subject_remains",
                                            "DROP TRIGGER IF EXISTS leaf_stays",
                                            "DROP TRIGGER IF EXISTS registration_fixed"};

        for (size_t i = 0; i < ARRAY_LEN(drops); i++) {
            assert_ok(store_exec(db, drops[i], STORE_NO_VALUES, e), e);
        }
        assert_ok(store_exec(db, a->edit, STORE_NO_VALUES, e), e);
    }
    if (issuance_registration_find(db, a->id, &r, &found, e) != 0) {
        return -1;
    }
    assert_true(found);
    buf_free(&a->cms);
    a->cms = BUF_INIT(256);
    assert_ok(buf_set(&a->cms, buf_span(&r.cms), e), e);
    assert_ok(store_query_one(db, &rows, "SELECT length(cms) FROM registration WHERE id = ?1",
                              STORE_VALUES(store_text(a->id)), e),
              e);
    a->in_row = row_int(&rows, 0);
    return 0;
}

static void
is_asked(struct scene *s, struct asking *a, const char *cms, int64_t in_row)
{
    struct err e = {0};

    assert_ok(verb_call(s->store, do_ask, a, &e), &e);
    assert_true(span_equal(buf_span(&a->cms), span_str(cms)));
    assert_int_equal(a->in_row, in_row);
    buf_free(&a->cms);
}

static void
what_was_signed_is_kept_once(void **state)
{
    struct scene *s = *state;
    struct registering batch = scene_registration(UUID_2, "of a batch", 1);
    struct asking first = {.id = s->id};
    struct asking second = {.id = batch.row.id};
    struct err e = {0};

    batch.row.of_batch = true;
    assert_ok(verb_call(s->store, do_register, &batch, &e), &e);
    is_asked(s, &first, "first", 0);
    is_asked(s, &second, "of a batch", 0);
    issuance_registration_free(&batch.row);
}

static void
a_row_of_before_has_its_own(void **state)
{
    struct scene *s = *state;
    struct asking a = {.id = s->id, .edit = "UPDATE registration SET cms = CAST('first' AS BLOB)"};

    is_asked(s, &a, "first", 5);
}

static void
a_leaf_that_is_not_its_own_is_refused(void **state)
{
    static const struct {
        const char *edit;
        const char *says;
    } rows[] = {
        {"DELETE FROM leaf_subject WHERE idx IN (SELECT idx FROM leaf WHERE kind = 'REGISTRATION')",
         "its leaf is missing"},
        {"UPDATE leaf SET kind = 'CANCEL' WHERE kind = 'REGISTRATION'", "its leaf is missing"},
        {"UPDATE leaf SET body = CAST(replace(CAST(body AS TEXT), '\"cms\":\"', '\"cms\":\"AAAA') "
         "AS BLOB) WHERE kind = 'REGISTRATION'",
         "its leaf is of another"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asking a = {.id = s->id, .edit = rows[i].edit};
        struct err e = {0};

        assert_err(verb_call(s->store, do_ask, &a, &e), ERR_STALE, &e); /* and rolled back */
        if (strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].edit, e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_signed_is_kept_once, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_row_of_before_has_its_own, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(a_leaf_that_is_not_its_own_is_refused, scene_setup,
                                        scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
