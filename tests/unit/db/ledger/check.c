/* SPDX-License-Identifier: Apache-2.0 */
/* Is the database the record over which the log's key was asked last? */
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ossl.h"
#include "db/ledger/rows.h"
#include "tests/support/test.h"
#include "tests/unit/db/ledger/scene.h"

enum { LEAVES = 8, STORED = 6 };

struct ask_op {
    struct store_op op;
    struct ledger *ledger;
    const struct ledger_signed *last;
    struct merkle_hash root;
    uint64_t size;
};

static int
run_root(struct store_op *op, struct store_db *db, struct err *e)
{
    struct ask_op *ask = CONTAINER_OF(op, struct ask_op, op);

    return ledger_root_at(db, ask->size, &ask->root, e);
}

static int
run_check(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct ask_op *ask = CONTAINER_OF(op, struct ask_op, op);

    return ledger_check(ask->ledger, db, ask->last, false, e);
}

/* The root over the first leaves, as the journal of the log's signer has it. */
static struct ledger_signed
signed_over(struct scene *f, uint64_t size)
{
    struct ask_op ask = {.op = {.run = run_root}, .size = size};
    struct ledger_signed last = {.size = size};
    struct err e = {0};

    if (size > 0 && size <= LEAVES) {
        assert_ok(store_call(f->store, &ask.op, &e), &e);
        memcpy(last.root, ask.root.octets, sizeof(last.root));
    }
    return last;
}

static int
check(struct scene *f, const struct ledger_signed *last, struct err *e)
{
    struct ask_op ask = {.op = {.run = run_check}, .ledger = f->ledger, .last = last};

    return store_call(f->store, &ask.op, e);
}

#define OLDER "ca.db is older than what was signed: "
#define OTHER "ca.db has another history than what was signed: "
#define JOURNAL "the log signer's journal is older than ca.db: "

/* LEAVES leaves, and a stored and published checkpoint over STORED of them. */
static void
what_was_signed_last_is_in_the_database_or_it_is_refused(void **state)
{
    static const struct {
        const char *name;
        uint64_t size; /* of the journal's checkpoint */
        bool other_root;
        const char *says[2]; /* NULL: it is right */
    } rows[] = {
        {"the stored one", STORED, false, {NULL}},
        {"signed and not stored", STORED + 1, false, {NULL}},
        {"over all", LEAVES, false, {NULL}},
        {"one leaf more", LEAVES + 1, false, {OLDER "8 leaves, root ", "journal ends at 9, root "}},
        {"far more", UINT64_MAX, false, {OLDER, "ends at 18446744073709551615"}},
        {"another root of the stored one", STORED, true, {OTHER "over 6 leaves", "put back"}},
        {"another root of a newer one", STORED + 1, true, {OTHER "over 7 leaves", "put back"}},
        {"another root of all", LEAVES, true, {OTHER "over 8 leaves", "put back"}},
        {"another root of an older one", 3, true, {OTHER "over 3 leaves", "put back"}},
        {"another root of more", LEAVES + 1, true, {OLDER, "put back the newest ca.db"}},
        {"an older one", STORED - 1, false, {JOURNAL "it ends at 5; ", "checkpoint over 6, root "}},
        {"the first", 1, false, {JOURNAL "it ends at 1; ", "put back the newest journal"}},
        {"none", 0, false, {JOURNAL "it ends at 0; ", "put back the newest journal"}},
    };
    struct scene *f = *state;
    struct err none = {0};

    scene_append(f, 0, STORED);
    scene_checkpoint(f, STORED);
    scene_append(f, STORED, LEAVES);
    assert_ok(check(f, NULL, &none), &none); /* nobody was asked */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ledger_signed last = signed_over(f, rows[i].size);
        CLEANUP(mem_cleanup) char *root = NULL;
        struct err e = {0};
        int result;

        last.root[0] ^= rows[i].other_root ? 1 : 0;
        root = base64_dup(span_of(last.root, sizeof(last.root)));
        result = check(f, &last, &e);
        if (rows[i].says[0] == NULL) {
            assert_ok(result, &e);
        } else if (result == 0 || e.code != ERR_STALE || strstr(e.text, rows[i].says[0]) == NULL ||
                   (strstr(e.text, rows[i].says[1]) == NULL &&
                    strstr(e.text, "do not start with it") == NULL) ||
                   (strstr(e.text, JOURNAL) == NULL && strstr(e.text, root) == NULL) ||
                   strlen(e.text) > 255) { /* it is said whole */
            fail_msg("%s: %d %s", rows[i].name, result, e.text);
        }
    }
}

/* Nobody ever asked the key, or there is nothing here. */
static void
an_empty_record_is_right_for_a_key_that_signed_nothing(void **state)
{
    static const struct ledger_signed rows[] = {{.size = 0}, {.size = 5}};
    struct scene *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int there = 0; there < 2; there++) { /* is a database? */
            struct err e = {0};
            int result = there == 0 ? ledger_check(f->ledger, NULL, &rows[i], false, &e)
                                    : check(f, &rows[i], &e);

            if (rows[i].size == 0 ? result != 0
                                  : result == 0 || e.code != ERR_STALE ||
                                        strstr(e.text, OLDER "0 leaves") == NULL) {
                fail_msg("%d leaves, %s: %s", (int)rows[i].size, there ? "no leaf" : "no database",
                         e.text);
            }
        }
    }
}

/* A database of another program's making, or of before the first migration. */
static void
a_database_without_tables_is_an_empty_record(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/empty.db", f->dir);
    const struct store_options options = {.path = path,
                                          .application = STORE_APPLICATION('t', 'e', 's', 't')};
    struct ledger_signed last = {.size = 0};
    struct err e = {0};

    store_free(f->store);
    f->store = store_open(&options, &e);
    assert_non_null(f->store);
    assert_ok(check(f, &last, &e), &e);
    last.size = 1;
    assert_err(check(f, &last, &e), ERR_STALE, &e);
}

/* What is published is newer than an empty record, too. */
static void
a_database_that_is_gone_is_not_begun_anew_beside_what_was_published(void **state)
{
    struct scene *f = *state;
    struct err e = {0};

    scene_append(f, 0, STORED);
    scene_checkpoint(f, STORED);
    assert_err(ledger_check(f->ledger, NULL, NULL, false, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "the published checkpoint covers 6 leaves, the database has 0"));
}

/* Puts this hash above the first four leaves, where no root of eight is made of it. */
static void
set_node(struct scene *f, const uint8_t hash[MERKLE_HASH])
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(hash, MERKLE_HASH));
    CLEANUP(mem_cleanup)
    char *sql = mem_printf(
        "DROP TRIGGER completed_stays;"
        "UPDATE completed SET hashes = CAST(substr(hashes, 1, 32) || x'%s' AS BLOB) WHERE idx = 3",
        hex);
    sqlite3 *db = NULL;
    char *text = NULL;

    store_free(f->store);
    assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) {
        fail_msg("%s", text);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    f->store = scene_store(f);
}

/* Hashes of the tree that fit what was signed, above leaves that do not. */
static void
a_node_that_was_made_to_fit_what_was_signed_hides_no_leaf(void **state)
{
    struct scene *f = *state;
    struct ledger_signed last;
    struct err e = {0};

    scene_append(f, 0, 2);
    scene_checkpoint(f, 2);
    scene_append(f, 2, LEAVES);
    last = signed_over(f, 4);
    assert_ok(check(f, &last, &e), &e);
    last.root[0] ^= 1;
    set_node(f, last.root);
    assert_err(check(f, &last, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "the leaves are not those of the log signer's checkpoint"));
}

static void
a_node_that_was_made_to_fit_what_was_published_hides_no_leaf(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *first = mem_strdup(f->folder);
    struct checkpoint published;
    struct err e = {0};

    scene_append(f, 0, 4);
    scene_checkpoint(f, 4);
    published = scene_published(f);
    store_free(f->store);
    assert_int_equal(unlink(f->database), 0);
    f->store = scene_store(f);
    mem_free(f->folder);
    f->folder = mem_printf("%s/second", f->dir);
    ledger_free(f->ledger);
    f->ledger = scene_ledger(f);
    scene_leaf_at++;
    scene_append(f, 0, LEAVES);
    scene_leaf_at--;
    assert_ok(ledger_start(f->ledger, f->store, &e), &e);
    scene_checkpoint(f, LEAVES);
    set_node(f, published.root.octets);
    mem_free(f->folder);
    f->folder = TAKE(first);
    ledger_free(f->ledger);
    f->ledger = scene_ledger(f);
    assert_err(check(f, NULL, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "the leaves are not those of the published checkpoint"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_signed_last_is_in_the_database_or_it_is_refused,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(an_empty_record_is_right_for_a_key_that_signed_nothing,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_database_without_tables_is_an_empty_record, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(
            a_database_that_is_gone_is_not_begun_anew_beside_what_was_published, scene_set_up,
            scene_tear_down),
        cmocka_unit_test_setup_teardown(a_node_that_was_made_to_fit_what_was_signed_hides_no_leaf,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(
            a_node_that_was_made_to_fit_what_was_published_hides_no_leaf, scene_set_up,
            scene_tear_down),
    };

    (void)umask(077); /* as the programs do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
