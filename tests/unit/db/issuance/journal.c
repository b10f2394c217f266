/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of several journals of one key, and those from before there were several. */
#include "db/issuance/journal.h"

#include <string.h>
#include <sys/stat.h>

#include "db/issuance/issuance.h"
#include "db/ledger/ledger.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { MIGRATIONS_MAX = 64, BEFORE = 29 };

#define KEY "x'0707070707070707070707070707070707070707070707070707070707070707'"

static const uint8_t key[ISSUANCE_JOURNAL_HASH] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
                                                   7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

static struct issuance_journal
journal_of(unsigned number)
{
    struct issuance_journal j = {.number = number, .kind = ISSUANCE_JOURNAL_OBJECTS};

    memcpy(j.key, key, sizeof(j.key));
    return j;
}

static struct store *
open_with(const char *dir, int newest)
{
    static struct store_migration some[MIGRATIONS_MAX];
    const struct store_migration *const all[] = {ledger_migrations, issuance_migrations};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.db", dir);
    const struct store_options options = {
        .path = path, .application = STORE_APPLICATION('t', 'e', 's', 't'), .schemas = {some}};
    struct err e = {0};
    struct store *store;
    size_t n = 0;

    memset(some, 0, sizeof(some));
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (const struct store_migration *m = all[i]; m->sql != NULL; m++) {
            if (m->version <= newest) {
                some[n++] = *m;
            }
        }
    }
    store = store_open(&options, &e);
    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

static void
call(struct store *store, int (*run)(struct store_op *, struct store_db *, struct err *))
{
    struct store_op op = {.run = run};
    struct err e = {0};

    assert_ok(store_call(store, &op, &e), &e);
}

static int
write_before(struct store_op *op, struct store_db *db, struct err *e)
{
    (void)op;
    return store_exec(db,
                      "INSERT INTO journal (key, kind, exempt, compared, chain, again, stored, "
                      "checked) VALUES (" KEY ", 0, 2, 9, " KEY ", 1, 6, 44)",
                      STORE_NO_VALUES, e);
}

static int
read_now(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issuance_journal j = journal_of(0);
    uint64_t lines = 0;
    size_t n = 0;
    bool found = false;

    (void)op;
    assert_ok(issuance_journal_find(db, &j, &found, e), e);
    assert_true(found);
    assert_int_equal(j.exempt, 2);
    assert_int_equal(j.compared, 9);
    assert_int_equal(j.again, 1);
    assert_int_equal(j.stored, 6);
    assert_int_equal(j.checked, 44);
    assert_memory_equal(j.chain, key, sizeof(key));
    assert_ok(issuance_journal_known(db, key, &n, &lines, e), e);
    assert_int_equal(n, 1);
    assert_int_equal(lines, 9);
    return 0;
}

static void
a_journal_of_before_is_that_of_the_first_signer(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct store *store = open_with(dir, BEFORE);

    (void)state;
    call(store, write_before);
    store_free(store);
    store = open_with(dir, MIGRATIONS_MAX);
    call(store, read_now);
    store_free(store);
}

/* What is stored is of the key: a row that is added has it, and each save gives it to all. */
static int
add_another(struct store_op *op, struct store_db *db, struct err *e)
{
    struct issuance_journal first = journal_of(0);
    struct issuance_journal second = journal_of(1);
    uint64_t lines = 0;
    size_t n = 0;
    bool found = true;

    (void)op;
    assert_ok(issuance_journal_find(db, &second, &found, e), e);
    assert_false(found);
    assert_ok(issuance_journal_begin(db, &second, e), e);
    assert_int_equal(second.stored, 6);
    assert_int_equal(second.checked, 44);
    second.compared = 5;
    second.stored = 8;
    second.checked = 50;
    assert_ok(issuance_journal_save(db, &second, e), e);
    assert_ok(issuance_journal_find(db, &first, &found, e), e);
    assert_int_equal(first.compared, 9);
    assert_int_equal(first.stored, 8);
    assert_int_equal(first.checked, 50);
    assert_ok(issuance_journal_known(db, key, &n, &lines, e), e);
    assert_int_equal(n, 2);
    assert_int_equal(lines, 14);
    return 0;
}

static void
what_is_stored_is_counted_for_the_key(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct store *store = open_with(dir, BEFORE);

    (void)state;
    call(store, write_before);
    store_free(store);
    store = open_with(dir, MIGRATIONS_MAX);
    call(store, add_another);
    store_free(store);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_of_before_is_that_of_the_first_signer),
        cmocka_unit_test(what_is_stored_is_counted_for_the_key),
    };

    (void)umask(077); /* as the programs do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
