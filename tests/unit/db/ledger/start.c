/* SPDX-License-Identifier: Apache-2.0 */
/* Starts: after a crash, with another database or one that was edited, in the folder of another. */
#include <openssl/ec.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/ledger/rows.h"
#include "tests/support/disk.h"
#include "tests/support/test.h"
#include "tests/unit/db/ledger/scene.h"

/* ---- starts ---- */

static int
restart(struct scene *f, struct err *e)
{
    store_free(f->store);
    ledger_free(f->ledger);
    f->store = scene_store(f);
    f->ledger = scene_ledger(f);
    return ledger_start(f->ledger, f->store, e);
}

static void
copy(const char *from, const char *to)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT((size_t)64 * 1024 * 1024);
    struct err e = {0};

    assert_ok(file_read(from, &bytes, &e), &e);
    assert_ok(file_write(to, buf_span(&bytes), 0600, &e), &e);
}

static void
a_start_publishes_what_was_stored_and_not_published(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *moved = mem_printf("%s/moved", f->dir);
    CLEANUP(mem_cleanup) char *old = mem_printf("%s/old", f->dir);
    CLEANUP(mem_cleanup) char *now = mem_printf("%s/checkpoint", f->folder);
    struct err e = {0};

    scene_append(f, 0, 300);
    scene_checkpoint(f, 300);
    copy(now, old);
    scene_append(f, 300, 520);
    scene_checkpoint(f, 520);
    scene_append(f, 520, 530);
    copy(old, now); /* as if the process had died before the rename */
    assert_ok(restart(f, &e), &e);
    scene_check_files(f, 520);
    assert_int_equal(rename(f->folder, moved), 0);
    assert_ok(restart(f, &e), &e);
    scene_check_files(f, 520);
    scene_checkpoint(f, 530);
    scene_check_files(f, 530);
}

/* Appends and publishes for ever, and says what was published. */
static void
publish_until_killed(struct scene *f, int told)
{
    unsigned size = 0;

    for (;;) {
        unsigned group = 1 + size % 7;
        uint64_t covered;

        scene_append(f, size, size + group);
        size += group;
        scene_checkpoint(f, size);
        covered = size;
        if (write(told, &covered, sizeof(covered)) != sizeof(covered)) {
            _exit(1);
        }
    }
}

static void
what_was_published_survives_a_kill_at_any_moment(void **state)
{
    struct scene *f = *state;
    struct err e = {0};

    for (unsigned round = 0; round < 12; round++) {
        uint64_t published_size = 0;
        int told[2];
        int status;
        pid_t child;

        store_free(f->store);
        mem_free(f->folder);
        ledger_free(f->ledger);
        f->folder = mem_printf("%s/ledger%u", f->dir, round);
        mem_free(f->database);
        f->database = mem_printf("%s/ca%u.db", f->dir, round);
        assert_int_equal(pipe(told), 0);
        child = fork();
        if (child == 0) {
            f->store = scene_store(f);
            f->ledger = scene_ledger(f);
            publish_until_killed(f, told[1]);
        }
        (void)close(told[1]);
        for (unsigned i = 0; i < 3 * round + 1; i++) {
            assert_int_equal(read(told[0], &published_size, sizeof(published_size)),
                             sizeof(published_size));
        }
        (void)usleep(137 * round); /* somewhere inside the next one */
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        (void)close(told[0]);
        f->store = scene_store(f);
        f->ledger = scene_ledger(f);
        assert_ok(ledger_start(f->ledger, f->store, &e), &e);
        assert_true(ledger_published(f->ledger) >= published_size);
        scene_check_files(f, ledger_published(f->ledger));
    }
}

/* In an older copy of the folder, or one that is lost. */
static void
a_start_finds_what_was_published(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", f->folder);
    CLEANUP(mem_cleanup) char *backup = mem_printf("%s/backup", f->dir);
    struct err e = {0};

    assert_int_equal(ledger_found(f->ledger), 0);
    scene_append(f, 0, 5);
    scene_checkpoint(f, 5);
    copy(path, backup);
    scene_append(f, 5, 10);
    scene_checkpoint(f, 10);
    assert_ok(restart(f, &e), &e);
    assert_int_equal(ledger_found(f->ledger), 10);
    copy(backup, path);
    assert_ok(restart(f, &e), &e);
    assert_int_equal(ledger_found(f->ledger), 5);
    assert_int_equal(ledger_published(f->ledger), 10);
    assert_int_equal(scene_published(f).size, 10);
    assert_int_equal(unlink(path), 0);
    assert_ok(restart(f, &e), &e);
    assert_int_equal(ledger_found(f->ledger), 0);
    assert_int_equal(scene_published(f).size, 10);
}

struct mend_op {
    struct store_op op;
    struct ledger *ledger;
    uint64_t from;
    size_t put;
};

static int
run_mend(struct store_op *op, struct store_db *db, struct err *e)
{
    struct mend_op *m = CONTAINER_OF(op, struct mend_op, op);

    return ledger_mend(m->ledger, db, m->from, UINT64_MAX, &m->put, e);
}

/* Nor at any file of what is published: so a start takes as long for a large record. */
static void
a_start_looks_at_what_is_new(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *full = mem_printf("%s/tile/entries/000", f->folder);
    struct mend_op mend = {.op.run = run_mend};
    struct err e = {0};

    scene_append(f, 0, 700);
    scene_checkpoint(f, 700);
    assert_int_equal(unlink(full), 0);
    assert_ok(restart(f, &e), &e);
    assert_int_equal(access(full, F_OK), -1);
    mend.ledger = f->ledger;
    mend.from = 256;
    assert_ok(store_call(f->store, &mend.op, &e), &e);
    assert_int_equal(mend.put, 0);
    mend = (struct mend_op){.op.run = run_mend, .ledger = f->ledger};
    assert_ok(store_call(f->store, &mend.op, &e), &e);
    assert_int_equal(mend.put, 1);
    scene_check_files(f, 700);
    assert_int_equal(unlink(full), 0);
    assert_int_equal(mkdir(full, 0755), 0); /* in its way */
    mend = (struct mend_op){.op.run = run_mend, .ledger = f->ledger};
    assert_err(store_call(f->store, &mend.op, &e), ERR_IO, &e);
}

static void
an_older_copy_of_the_database_is_refused(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *backup = mem_printf("%s/backup", f->dir);
    struct err e = {0};

    scene_append(f, 0, 5);
    scene_checkpoint(f, 5);
    store_free(f->store);
    copy(f->database, backup);
    f->store = scene_store(f);
    scene_append(f, 5, 10);
    scene_checkpoint(f, 10);
    store_free(f->store);
    copy(backup, f->database);
    f->store = scene_store(f);
    assert_err(ledger_start(f->ledger, f->store, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "older copy"));
    /* Growing it again does not help: the published root is another one. */
    scene_append(f, 5, 9);
    {
        struct append_op other = {.op = {.run = scene_run_append}, .from = 9, .to = 11};

        assert_ok(store_call(f->store, &other.op, &e), &e);
    }
    assert_err(restart(f, &e), ERR_STALE, &e);
}

static void
another_record_than_the_published_one_is_refused(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *first = mem_strdup(f->folder);
    struct err e = {0};

    scene_append(f, 0, 5);
    scene_checkpoint(f, 5);
    mem_free(f->folder);
    f->folder = mem_printf("%s/second", f->dir);
    store_free(f->store);
    assert_int_equal(unlink(f->database), 0);
    f->store = scene_store(f);
    ledger_free(f->ledger);
    f->ledger = scene_ledger(f);
    scene_leaf_at++;
    scene_append(f, 0, 6);
    scene_leaf_at--;
    scene_checkpoint(f, 6);
    mem_free(f->folder);
    f->folder = mem_strdup(first);
    assert_err(restart(f, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "published checkpoint has another root"));
}

/* ---- what was edited in the file ---- */

static void
edit(const struct scene *f, const char *sql)
{
    sqlite3 *db = NULL;
    char *reason = NULL;

    assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
    if (sqlite3_exec(
            db,
            "DROP TRIGGER leaf_stays; DROP TRIGGER leaf_remains; DROP TRIGGER completed_stays;"
            "DROP TRIGGER completed_remains; DROP TRIGGER checkpoint_stays;",
            NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, sql, NULL, NULL, &reason) != SQLITE_OK) {
        fail_msg("%s: %s", sql, reason == NULL ? "triggers" : reason);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Leaf 1 with another octet in its body, and the hash that belongs to it. */
static char *
another_leaf(void)
{
    CLEANUP(mem_cleanup) char *body = NULL;
    CLEANUP(mem_cleanup) char *hash_hex = NULL;
    struct leaf *leaf = scene_leaf("another");
    struct err e = {0};
    char *sql;

    assert_ok(leaf_seal(leaf, &e), &e);
    body = hex_dup(leaf_body(leaf));
    hash_hex = hex_dup(span_of(leaf_hash(leaf), LEAF_HASH_SIZE));
    sql = mem_printf("UPDATE leaf SET body = x'%s', hash = x'%s' WHERE idx = 1", body, hash_hex);
    leaf_free(leaf);
    return sql;
}

static void
a_record_that_was_edited_is_not_started_with(void **state)
{
    static const struct {
        const char *name;
        const char *sql; /* NULL: another leaf in the place of leaf 1, hash and all */
        const char *says;
        enum err_code code;
    } rows[] = {
        {"the last leaf is gone", "DELETE FROM leaf WHERE idx > 4", "older copy", ERR_STALE},
        {"a leaf behind the checkpoint is gone", "DELETE FROM leaf WHERE idx = 6",
         "leaf 7 is missing", ERR_STALE},
        {"a leaf of another content", "UPDATE leaf SET body = x'7b7d' WHERE idx = 1",
         "leaf 1 was edited", ERR_STALE},
        {"the first leaf", "UPDATE leaf SET body = x'7b7d' WHERE idx = 0", "leaf 0 was edited",
         ERR_STALE},
        {"the last leaf", "UPDATE leaf SET body = x'7b7d' WHERE idx = 7", "leaf 7 was edited",
         ERR_STALE},
        {"another leaf and its hash", NULL, "the leaves are not those of the stored checkpoint",
         ERR_STALE},
        {"another leaf's hash under the checkpoint",
         "UPDATE leaf SET hash = zeroblob(32) WHERE idx = 5", "leaf 5 was edited", ERR_STALE},
        {"a node under the checkpoint",
         "UPDATE completed SET hashes = CAST(substr(hashes, 1, 32) || zeroblob(32) AS BLOB) WHERE "
         "idx = 3",
         "the stored checkpoint has another root than the database", ERR_STALE},
        {"a node above it",
         "UPDATE completed SET hashes = CAST(substr(hashes, 1, 64) || zeroblob(32) AS BLOB) WHERE "
         "idx = 7",
         "the hashes are not those of the leaves", ERR_STALE},
        {"a node is gone", "DELETE FROM completed WHERE idx = 3", "hash 2/0", ERR_NOTFOUND},
        {"a hash of another length",
         "PRAGMA ignore_check_constraints = ON; UPDATE completed SET hashes = substr(hashes, 1, "
         "33) WHERE idx = 3",
         "1 octets where 32 belong", ERR_STORE},
        {"a leaf's hash of another length",
         "PRAGMA ignore_check_constraints = ON; UPDATE leaf SET hash = x'00' WHERE idx = 6",
         "leaf 6 is missing", ERR_STALE},
        {"another checkpoint", "UPDATE checkpoint SET note = replace(note, '6', '5')",
         "the last checkpoint in the database", ERR_CRYPTO},
    };
    struct scene *first = *state;
    CLEANUP(mem_cleanup)
    char *above = mem_printf("%.*s", (int)(strrchr(first->dir, '/') - first->dir), first->dir);

    disk_begin(above, NULL); /* nothing is really synced: this is quick */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene *f = *state;
        CLEANUP(mem_cleanup)
        char *sql = rows[i].sql == NULL ? another_leaf() : mem_strdup(rows[i].sql);
        struct err e = {0};

        scene_append(f, 0, 6);
        scene_checkpoint(f, 6);
        scene_append(f, 6, 8);
        store_free(f->store);
        edit(f, sql);
        f->store = scene_store(f);
        if (ledger_start(f->ledger, f->store, &e) == 0 || e.code != rows[i].code ||
            strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
        (void)scene_tear_down(state);
        (void)scene_set_up(state);
    }
    disk_end();
}

static int
run_too_much(struct store_op *op, struct store_db *db, struct err *e)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(1024 * 1024);
    struct err why = {0};

    (void)op;
    (void)e;
    assert_ok(ledger_append_hashes(db, 0, 0, 3, &out, &why), &why);
    assert_int_equal(out.n, 3 * MERKLE_HASH);
    assert_ok(ledger_append_hashes(db, 1, 0, 1, &out, &why), &why);
    assert_err(ledger_append_hashes(db, 0, 1, 3, &out, &why), ERR_STORE, &why);
    assert_string_equal(why.text, "ledger: hash 0/3 is missing");
    assert_err(ledger_append_hashes(db, 1, 1, 1, &out, &why), ERR_NOTFOUND, &why);
    assert_non_null(strstr(why.text, "ledger: hash 1/1: "));
    assert_ok(ledger_append_leaves(db, 0, 3, &out, &why), &why);
    assert_err(ledger_append_leaves(db, 2, 2, &out, &why), ERR_STORE, &why);
    assert_string_equal(why.text, "ledger: leaf 3 is missing");
    return 0;
}

static void
what_is_not_there_is_not_published(void **state)
{
    struct scene *f = *state;
    struct store_op op = {.run = run_too_much};
    struct err e = {0};

    scene_append(f, 0, 3);
    assert_ok(store_call(f->store, &op, &e), &e);
}

/* ---- the folder ---- */

static void
a_folder_that_cannot_be_claimed_is_named(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *key = mem_printf("%s/log.vkey", f->folder);
    CLEANUP(mem_cleanup) char *checkpoint_path = mem_printf("%s/checkpoint", f->folder);
    struct ledger_options options = {
        .dir = "/proc/self", .origin = SCENE_ORIGIN, .spki = buf_span(&f->spki)};
    struct err e = {0};

    ledger_free(f->ledger);
    f->ledger = ledger_new(&options, &e); /* nothing is changed before it is said to begin */
    assert_non_null(f->ledger);
    assert_err(ledger_start(f->ledger, f->store, &e), ERR_IO, &e);
    assert_string_equal(e.text, "/proc/self must belong to this user");
    ledger_free(f->ledger);
    f->ledger = scene_ledger(f);
    options.dir = f->database;
    assert_null(ledger_new(&options, &e));
    assert_non_null(strstr(e.text, "/log.vkey: Not a directory"));
    options.dir = f->folder;
    options.origin = "no origin";
    assert_null(ledger_new(&options, &e));
    assert_non_null(strstr(e.text, "printable ASCII"));
    options.origin = SCENE_ORIGIN;
    assert_int_equal(unlink(key), 0);
    assert_int_equal(mkdir(key, 0700), 0);
    assert_null(ledger_new(&options, &e));
    assert_non_null(strstr(e.text, "log.vkey is not a regular file"));
    /* What was published is not a checkpoint of this log any more. */
    scene_append(f, 0, 2);
    scene_checkpoint(f, 2);
    assert_ok(file_write(checkpoint_path, SPAN_LITERAL("x\n"), 0644, &e), &e);
    assert_err(ledger_start(f->ledger, f->store, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, checkpoint_path));
    assert_int_equal(unlink(checkpoint_path), 0);
    assert_int_equal(mkdir(checkpoint_path, 0700), 0);
    assert_err(ledger_start(f->ledger, f->store, &e), ERR_IO, &e);
    assert_non_null(strstr(e.text, "checkpoint is not a regular file"));
}

static void
the_folder_of_another_log_is_refused(void **state)
{
    struct scene *f = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    struct ledger_options options = {.dir = f->folder, .origin = "log.test/ca2"};
    struct err e = {0};

    options.spki = buf_span(&f->spki);
    assert_null(ledger_new(&options, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_ok(OSSL_ENCODE(PUBKEY, other, &spki, &e), &e);
    options.origin = SCENE_ORIGIN;
    options.spki = buf_span(&spki);
    assert_null(ledger_new(&options, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_start_publishes_what_was_stored_and_not_published,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(what_was_published_survives_a_kill_at_any_moment,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_start_finds_what_was_published, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(a_start_looks_at_what_is_new, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(an_older_copy_of_the_database_is_refused, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(another_record_than_the_published_one_is_refused,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_record_that_was_edited_is_not_started_with, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_not_published, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_claimed_is_named, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(the_folder_of_another_log_is_refused, scene_set_up,
                                        scene_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
