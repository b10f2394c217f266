/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "db/store/store.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static const struct store_migration schema[] = {
    {1, "CREATE TABLE item (id INTEGER PRIMARY KEY, body BLOB) STRICT;"},
    {0, NULL},
};

/* What the SQL function gives for a member "b" of this; NULL: NULL. */
struct asked {
    struct store_op op;
    const char *json;
    const char *octets;
};

static int
run_ask(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct asked *a = CONTAINER_OF(op, struct asked, op);
    CLEANUP(store_end) struct store_rows rows = {0};
    const struct store_value json = a->json == NULL ? store_null() : store_blob(span_str(a->json));

    if (store_query_one(db, &rows, "SELECT base64_member(?1, 'b')", STORE_VALUES(json), e) != 0) {
        return -1;
    }
    return row_is_null(&rows, 0) != (a->octets == NULL) ||
                   (a->octets != NULL && !span_equal(row_blob(&rows, 0), span_str(a->octets)))
               ? err_set(e, ERR_STORE, "another value")
               : 0;
}

static void
it_is_the_members_octets_or_null(void **state)
{
    static const struct asked cases[] = {
        {.json = "{\"b\":\"eHl6\",\"c\":\"x\"}", .octets = "xyz"},
        {.json = "{\"a\":\"eA==\",\"b\":\"eQ==\"}", .octets = "y"},
        {.json = "{\"a\":\"\\\"b\\\":\\\"eA==\",\"b\":\"eQ==\"}", .octets = "y"}, /* in a text */
        {.json = "{\"a\":\"eA==\"}"},
        {.json = "{\"ab\":\"eA==\"}"},
        {.json = "{\"b\":1}"},
        {.json = "{\"b\":\"no base64\"}"},
        {.json = "{\"b\":\"eA==\\u0000\"}"},
        {.json = "{\"b\":\"eA=="}, /* it ends there */
        {.json = ""},
        {.json = NULL},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/db", dir);
    const struct store_options options = {
        .path = path, .application = STORE_APPLICATION('t', 'e', 's', 't'), .schemas = {schema}};
    struct err e = {0};
    CLEANUP(store_cleanup) struct store *store = store_open(&options, &e);

    (void)state;
    assert_non_null(store);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct asked a = cases[i];

        a.op.run = run_ask;
        if (store_call(store, &a.op, &e) != 0) {
            fail_msg("%s: %s", a.json, e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_members_octets_or_null),
    };

    (void)umask(077); /* as the programs do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
