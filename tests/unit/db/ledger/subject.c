/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves are found by stands beside their octets, and nothing else does. */
#include "db/ledger/subject.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "db/issuance/issuance.h"
#include "db/ledger/ledger.h"
#include "tests/support/test.h"
#include "tests/unit/db/ledger/scene.h"

enum {
    BEFORE = 25,
    OF_BEFORE = 9 /* the rows of kinds that were there then */,
    MIGRATIONS_MAX = 64
};

/* ---- leaves, one of each kind that has a subject, and one that has none ---- */

static const struct {
    enum leaf_kind kind;
    const char *members; /* name and value of each, blanks between; '#' before a number */
    const char *subject; /* as quote() has it */
} rows[] = {
    {LEAF_STOP, "reason \\\"serial\\\":\\\"00ff\\\"", "NULL"},
    {LEAF_REGISTRATION,
     "registration 0123456789abcdef0123456789abcdef sha256 01 nfInstanceId a registrar 02 proof "
     "mac "
     "certificates #1 notBefore 2026-11-23T20:00:00Z notAfter 2026-11-24T20:00:00Z",
     "X'0123456789ABCDEF0123456789ABCDEF'"},
    {LEAF_INTENT,
     "rid 01 serial 77000000000000000000000000000001 profile p tbs 02 notBefore "
     "2026-11-23T20:00:00Z notAfter 2026-11-24T20:00:00Z",
     "X'77000000000000000000000000000001'"},
    {LEAF_ISSUED, "rid 01 serial 77000000000000000000000000000001 certificate AAAA",
     "X'77000000000000000000000000000001'"},
    {LEAF_CONFIRMED, "rid 01 serial 77000000000000000000000000000001", "NULL"},
    {LEAF_REVOKED, "serial 7f01 reason #4", "X'7F01'"},
    {LEAF_CRL_INTENT,
     "number #9007199254740993 tbs 01 thisUpdate 2026-11-23T20:00:00Z nextUpdate "
     "2026-11-24T20:00:00Z entries #0 upTo #1 revocations 02",
     "9007199254740993"},
    {LEAF_CRL,
     "number #7 sha256 01 thisUpdate 2026-11-23T20:00:00Z nextUpdate 2026-11-24T20:00:00Z entries "
     "#0",
     "7"},
    {LEAF_ACKNOWLEDGED,
     "record #4 key 01 line #1 object C sha256 "
     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff reason r plan 02 officer 03 "
     "cms AAAA secondOfficer 04 secondCms AAAA",
     "X'00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF'"},
    {LEAF_RA_REPORT, "report 0a0b0c text AAAA signature AAAA ra 01", "X'0A0B0C'"},
    {LEAF_CEREMONY, "head 0d0e0f name n", "X'0D0E0F'"},
    {LEAF_OPERATION, "command crl by nobody outcome done", "NULL"},
};

static struct leaf *
leaf_make(size_t row)
{
    struct leaf *leaf = leaf_new(rows[row].kind, scene_leaf_at);
    CLEANUP(mem_cleanup) char *members = mem_strdup(rows[row].members);
    char *rest = members;
    const char *name;

    while ((name = strsep(&rest, " ")) != NULL) {
        const char *value = strsep(&rest, " ");

        if (value[0] == '#') {
            leaf_set_int(leaf, name, strtoll(value + 1, NULL, 10));
        } else {
            leaf_set_text(leaf, name, value);
        }
    }
    return leaf;
}

struct some_leaves {
    struct store_op op;
    size_t n;
};

static int
run_append(struct store_op *op, struct store_db *db, struct err *e)
{
    for (size_t i = 0; i < CONTAINER_OF(op, struct some_leaves, op)->n; i++) {
        CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_make(i);

        assert_ok(ledger_append(db, leaf, NULL, e), e);
    }
    return 0;
}

/* The first n. */
static void
append(struct scene *f, size_t n)
{
    struct some_leaves append = {.op = {.run = run_append}, .n = n};
    struct err e = {0};

    assert_ok(store_call(f->store, &append.op, &e), &e);
}

/* ---- what is there ---- */

struct ask_op {
    struct store_op op;
    struct ledger *ledger;
};

static int
run_check(struct store_op *op, struct store_db *db, struct err *e)
{
    return ledger_check(CONTAINER_OF(op, struct ask_op, op)->ledger, db, NULL, false, e);
}

static int
check(struct scene *f, struct err *e)
{
    struct ask_op ask = {.op = {.run = run_check}, .ledger = f->ledger};

    return store_call(f->store, &ask.op, e);
}

static int
run_compare(struct store_op *op, struct store_db *db, struct err *e)
{
    for (size_t i = 0; i < CONTAINER_OF(op, struct some_leaves, op)->n; i++) {
        CLEANUP(store_end) struct store_rows found = {0};

        assert_ok(store_query_one(db, &found,
                                  "SELECT quote((SELECT subject FROM leaf_subject WHERE idx = ?1))",
                                  STORE_VALUES(store_int((int64_t)i)), e),
                  e);
        assert_string_equal(row_text(&found, 0), rows[i].subject);
    }
    return 0;
}

static void
each_leaf_has_its_subject(struct scene *f, size_t n)
{
    struct some_leaves compare = {.op = {.run = run_compare}, .n = n};
    struct err e = {0};

    assert_ok(store_call(f->store, &compare.op, &e), &e);
    assert_ok(check(f, &e), &e);
}

static void
what_is_appended_has_its_subject(void **state)
{
    append(*state, ARRAY_LEN(rows));
    each_leaf_has_its_subject(*state, ARRAY_LEN(rows));
}

/* ---- whoever edits it ---- */

/* Closes the store. */
static void
edit(struct scene *f, const char *sql)
{
    CLEANUP(mem_cleanup)
    char *whole = mem_printf("DROP TRIGGER IF EXISTS leaf_subject_new;"
                             "DROP TRIGGER IF EXISTS leaf_subject_stays;"
                             "DROP TRIGGER IF EXISTS leaf_subject_remains;"
                             "DROP TRIGGER IF EXISTS leaf_stays; %s",
                             sql);
    sqlite3 *db = NULL;
    char *text = NULL;

    store_free(f->store);
    f->store = NULL;
    assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
    if (sqlite3_exec(db, whole, NULL, NULL, &text) != SQLITE_OK) {
        fail_msg("%s: %s", sql, text);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
what_is_beside_a_leaf_is_what_its_octets_say(void **state)
{
    static const struct {
        const char *sql;
        const char *says;
    } edits[] = {
        {"UPDATE leaf SET kind = 'STOP' WHERE idx = 2", "leaf 2: it is of another kind"},
        {"UPDATE leaf SET kind = '' WHERE idx = 0", "leaf 0: it is of another kind"},
        {"UPDATE leaf_subject SET subject = x'00' WHERE idx = 1",
         "leaf 1: its row in leaf_subject"},
        {"UPDATE leaf_subject SET subject = x'' WHERE idx = 2", "leaf 2: its row in leaf_subject"},
        {"UPDATE leaf_subject SET subject = '7' WHERE idx = 7", "leaf 7: its row in leaf_subject"},
        {"UPDATE leaf_subject SET subject = 8 WHERE idx = 7", "leaf 7: its row in leaf_subject"},
        {"UPDATE leaf_subject SET subject = 7 WHERE idx = 3", "leaf 3: its row in leaf_subject"},
        {"DELETE FROM leaf_subject WHERE idx = 5", "leaf 5: its row in leaf_subject"},
        {"INSERT INTO leaf_subject VALUES(4, x'77000000000000000000000000000001')",
         "leaf 4: it has a row in leaf_subject"},
        {"INSERT INTO leaf_subject VALUES(0, x'00ff')", "leaf 0: it has a row in leaf_subject"},
        {"INSERT INTO leaf_subject VALUES(12, x'7f01')", "leaf_subject has rows of leaves that"},
        {"INSERT INTO leaf_subject VALUES(-1, x'7f01')", "leaf_subject has rows of leaves that"},
    };
    struct scene *f = *state;
    CLEANUP(buf_free) struct buf original = BUF_INIT(16 << 20);
    struct err e = {0};

    append(f, ARRAY_LEN(rows));
    store_free(f->store);
    assert_ok(file_read(f->database, &original, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        f->store = NULL;
        assert_ok(file_write(f->database, buf_span(&original), 0600, &e), &e);
        edit(f, edits[i].sql);
        f->store = scene_store(f);
        e = (struct err){0};
        if (check(f, &e) == 0 || e.code != ERR_STALE || strstr(e.text, edits[i].says) == NULL) {
            fail_msg("%s: %s", edits[i].sql, e.text);
        }
        store_free(f->store);
    }
    f->store = NULL;
}

static int
run_sql(struct store_op *op, struct store_db *db, struct err *e)
{
    static const char *const refused[] = {
        "UPDATE leaf_subject SET subject = x'00'",
        "DELETE FROM leaf_subject WHERE idx = 5",
        "INSERT INTO leaf_subject VALUES(4, x'00')",
        "INSERT INTO leaf_subject VALUES(12, x'00')",
        "INSERT OR REPLACE INTO leaf_subject VALUES(8, x'00')",
    };

    (void)op;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        if (store_exec(db, refused[i], STORE_NO_VALUES, e) == 0 || e->code != ERR_DENIED) {
            fail_msg("%s: %s", refused[i], e->text);
        }
    }
    return 0;
}

static void
nothing_but_an_append_writes_it(void **state)
{
    struct scene *f = *state;
    struct store_op op = {.run = run_sql};
    struct err e = {0};

    append(f, ARRAY_LEN(rows));
    assert_ok(store_call(f->store, &op, &e), &e);
}

/* ---- a record of before ---- */

/* As migration 25 left it, but for what its indexes were on. */
static const char go_back[] =
    "DROP TABLE leaf_subject; CREATE INDEX leaf_intent ON leaf (kind);"
    "CREATE INDEX leaf_issued ON leaf (kind); CREATE INDEX leaf_revoked ON leaf (kind);"
    "CREATE INDEX leaf_crl ON leaf (kind); CREATE INDEX leaf_crl_intent ON leaf (kind);"
    "CREATE INDEX leaf_registration ON leaf (kind); CREATE INDEX leaf_acknowledged ON leaf (kind);"
    "PRAGMA user_version = 25;";

static size_t
take(const struct store_migration *from, int newest, struct store_migration *some, size_t n)
{
    for (; from->sql != NULL; from++) {
        if (from->version <= newest) {
            some[n++] = *from;
        }
    }
    return n;
}

static void
leaves_of_before_get_theirs_by_the_migration(void **state)
{
    struct scene *f = *state;
    struct store_migration some[MIGRATIONS_MAX] = {{0}};
    const struct store_options options = {.path = f->database,
                                          .application = STORE_APPLICATION('t', 'e', 's', 't'),
                                          .schemas = {some}};
    struct err e = {0};

    append(f, OF_BEFORE);
    edit(f, go_back);
    (void)take(issuance_migrations, BEFORE, some, take(ledger_migrations, BEFORE, some, 0));
    f->store = store_open(&options, &e);
    assert_non_null(f->store);
    assert_ok(check(f, &e), &e);
    edit(f, "UPDATE leaf SET kind = 'ISSUED' WHERE idx = 2");
    f->store = store_open(&options, &e);
    assert_non_null(f->store);
    assert_err(check(f, &e), ERR_STALE, &e); /* before it is migrated by what its rows say */
    edit(f, "UPDATE leaf SET kind = 'INTENT' WHERE idx = 2");
    memset(some, 0, sizeof(some));
    (void)take(issuance_migrations, BEFORE + 1, some, take(ledger_migrations, BEFORE + 1, some, 0));
    f->store = store_open(&options, &e);
    assert_non_null(f->store);
    each_leaf_has_its_subject(f, OF_BEFORE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_appended_has_its_subject, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(what_is_beside_a_leaf_is_what_its_octets_say, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(nothing_but_an_append_writes_it, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(leaves_of_before_get_theirs_by_the_migration, scene_set_up,
                                        scene_tear_down),
    };

    (void)umask(077); /* as the programs do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
