/* SPDX-License-Identifier: Apache-2.0 */
/* A ca.db of an earlier version becomes one of this, and everything in it still agrees. */
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "db/store/schema.h"
#include "tests/unit/db/issuance/go_back.h"
#include "tests/unit/db/issuance/whole.h"

/* As a version wrote it that sealed nothing. */
static void
make_before(const struct whole *w, const char *sql)
{
    CLEANUP(mem_cleanup) char *seals = mem_printf("%s-seal", w->path);
    char *text = NULL;
    sqlite3 *db = NULL;

    whole_copy(w->original, w->path);
    assert_int_equal(unlink(seals), 0);
    assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) {
        fail_msg("%s: %s", sql, text);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int
do_look(struct store_db *db, void *arg, struct err *e)
{
    static const struct store_migration *const schemas[STORE_SCHEMAS_MAX] = {ledger_migrations,
                                                                             issuance_migrations};

    (void)arg;
    return store_require_schema(db, schemas, "ca.db", "", e) != 0 || issuance_check(db, e) != 0 ? -1
                                                                                                : 0;
}

static void
it_has_our_schema_then_and_agrees_with_its_record(void **state)
{
    static const char *const before[] = {GO_BACK_TO_33, GO_BACK_TO_32};
    struct whole *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        struct err e = {0};

        make_before(w, before[i]);
        assert_ok(scene_try_reopen(w->s, NULL, &e), &e);
        assert_ok(verb_call(w->s->store, do_look, NULL, &e), &e);
        store_free(w->s->store);
        w->s->store = NULL;
    }
}

/* A certificate confirmed twice by one leaf: no version ever wrote that. */
static void
what_cannot_be_is_not_migrated(void **state)
{
    struct whole *w = *state;
    struct err e = {0};

    make_before(w, GO_BACK_TO_32 "INSERT INTO confirmation SELECT zeroblob(32), request, accepted, "
                                 "evidence, created, leaf FROM confirmation LIMIT 1");
    assert_err(scene_try_reopen(w->s, NULL, &e), ERR_CONFLICT, &e);
    assert_non_null(strstr(e.text, "migration 33"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_our_schema_then_and_agrees_with_its_record),
        cmocka_unit_test(what_cannot_be_is_not_migrated),
    };

    return cmocka_run_group_tests(tests, whole_setup, whole_teardown);
}
