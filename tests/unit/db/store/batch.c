/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/batch.h"

#include <string.h>

#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static const struct store_migration schema[] = {
    {1, "CREATE TABLE item (name TEXT PRIMARY KEY, number INTEGER NOT NULL CHECK (number > 0)) "
        "STRICT;"},
    {0, NULL},
};

/* Two rows, which are there both or neither. */
struct pair {
    const char *name;
    const char *other;
    int64_t number; /* of the second */
    int result;
    struct err e;
};

static int
insert(struct store_db *db, const char *name, int64_t number, struct err *e)
{
    return store_exec(db, "INSERT INTO item(name, number) VALUES(?, ?)",
                      STORE_VALUES(store_text(name), store_int(number)), e);
}

static int
pair_run(void *arg, struct store_db *db, struct err *e)
{
    const struct pair *pair = arg;

    return insert(db, pair->name, 1, e) != 0 ? -1 : insert(db, pair->other, pair->number, e);
}

enum { PAIRS_MAX = 3 };

struct many {
    struct store_op op;
    struct pair *pairs;
    size_t n;
    bool fails; /* the operation as a whole */
    int64_t rows;
};

static int
many_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct many *many = CONTAINER_OF(op, struct many, op);

    for (size_t i = 0; i < many->n; i++) {
        struct pair *pair = &many->pairs[i];

        pair->result = store_part(db, pair_run, pair, &pair->e);
    }
    return many->fails ? err_set(e, ERR_DENIED, "the test says so") : 0;
}

static int
count_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct many *many = CONTAINER_OF(op, struct many, op);
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT count(*) FROM item", STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    many->rows = row_int(&rows, 0);
    return 0;
}

static void
a_part_that_fails_is_undone_alone(void **state)
{
    static const struct {
        const char *name;
        struct pair pairs[PAIRS_MAX];
        enum err_code codes[PAIRS_MAX]; /* ERR_NONE: it is kept */
        bool fails;
        int64_t rows;
    } rows[] = {
        {"all are right",
         {{.name = "a", .other = "b", .number = 1},
          {.name = "c", .other = "d", .number = 1},
          {.name = "e", .other = "f", .number = 1}},
         {ERR_NONE, ERR_NONE, ERR_NONE},
         false,
         6},
        {"the second half of one",
         {{.name = "a", .other = "b", .number = 1},
          {.name = "c", .other = "d", .number = 0},
          {.name = "e", .other = "f", .number = 1}},
         {ERR_NONE, ERR_INPUT, ERR_NONE},
         false,
         4},
        {"what was undone may come again",
         {{.name = "a", .other = "b", .number = 0},
          {.name = "a", .other = "b", .number = 1},
          {.name = "c", .other = "b", .number = 1}},
         {ERR_INPUT, ERR_NONE, ERR_CONFLICT},
         false,
         2},
        {"the whole operation",
         {{.name = "a", .other = "b", .number = 1},
          {.name = "c", .other = "d", .number = 0},
          {.name = "e", .other = "f", .number = 1}},
         {ERR_NONE, ERR_INPUT, ERR_NONE},
         true,
         0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *dir = tmpdir_new();
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/a.db", dir);
        const struct store_options options = {.path = path,
                                              .application = STORE_APPLICATION('t', 'e', 's', 't'),
                                              .schemas = {schema}};
        struct pair pairs[PAIRS_MAX];
        struct many many = {
            .op.run = many_run, .pairs = pairs, .n = PAIRS_MAX, .fails = rows[i].fails};
        struct err e = {0};
        struct store *store = store_open(&options, &e);

        assert_non_null(store);
        memcpy(pairs, rows[i].pairs, sizeof(pairs));
        assert_int_equal(store_call(store, &many.op, &e), rows[i].fails ? -1 : 0);
        for (size_t k = 0; k < PAIRS_MAX; k++) {
            const enum err_code code = pairs[k].result == 0 ? ERR_NONE : pairs[k].e.code;

            if (code != rows[i].codes[k]) {
                fail_msg("%s: %zu: %s", rows[i].name, k, err_code_name(code));
            }
        }
        many.op.run = count_run;
        assert_ok(store_call(store, &many.op, &e), &e);
        if (many.rows != rows[i].rows) {
            fail_msg("%s: %lld rows", rows[i].name, (long long)many.rows);
        }
        store_free(store);
        tmpdir_remove(dir);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_that_fails_is_undone_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
