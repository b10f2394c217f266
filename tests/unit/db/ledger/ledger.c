/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves and checkpoints: what is in the record, what is signed and what is shown of it. */
#include <openssl/ec.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "base/tlog/checkpoint.h"
#include "db/store/batch.h"
#include "tests/support/test.h"
#include "tests/unit/db/ledger/scene.h"

struct root_op {
    struct store_op op;
    uint64_t size;
    uint8_t root[LEAF_HASH_SIZE];
};

static int
run_root(struct store_op *op, struct store_db *db, struct err *e)
{
    struct root_op *r = CONTAINER_OF(op, struct root_op, op);

    return ledger_size(db, &r->size, e) != 0 || ledger_root(db, r->size, r->root, e) != 0 ? -1 : 0;
}

struct sql_op {
    struct store_op op;
    const char *sql;
};

static int
run_sql(struct store_op *op, struct store_db *db, struct err *e)
{
    return store_exec(db, CONTAINER_OF(op, struct sql_op, op)->sql, STORE_NO_VALUES, e);
}

static void
the_root_is_that_of_the_leaves_at_every_size(void **state)
{
    struct scene *f = *state;
    struct merkle_edge edge = {0};
    struct err e = {0};

    for (unsigned i = 0; i < 300; i++) {
        char reason[16];
        struct root_op r = {.op = {.run = run_root}};
        CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;
        struct merkle_hash hash;

        (void)snprintf(reason, sizeof(reason), "%u", i);
        leaf = scene_leaf(reason);
        assert_ok(leaf_seal(leaf, &e), &e);
        hash = merkle_leaf(leaf_body(leaf));
        scene_append(f, i, i + 1);
        assert_ok(store_call(f->store, &r.op, &e), &e);
        assert_ok(merkle_append(&edge, &hash, NULL, NULL, &e), &e);
        hash = merkle_root(&edge);
        assert_int_equal(r.size, i + 1);
        assert_memory_equal(r.root, hash.octets, LEAF_HASH_SIZE);
    }
}

struct prove_op {
    struct store_op op;
    const struct ledger *ledger;
    uint64_t index, size; /* size 0: that of the newest checkpoint */
    struct buf note, leaf, path;
};

static int
run_prove(struct store_op *op, struct store_db *db, struct err *e)
{
    struct prove_op *p = CONTAINER_OF(op, struct prove_op, op);
    uint64_t size;

    if (ledger_newest(p->ledger, db, &p->note, &size, e) != 0) {
        return -1;
    }
    p->size = p->size == 0 ? size : p->size;
    return ledger_prove(db, p->index, p->size, &p->leaf, &p->path, e);
}

static void
prove(const struct scene *f, uint64_t index, struct prove_op *p)
{
    *p = (struct prove_op){.op = {.run = run_prove},
                           .ledger = f->ledger,
                           .index = index,
                           .note = BUF_INIT(CHECKPOINT_MAX),
                           .leaf = BUF_INIT(LEAF_MAX),
                           .path = BUF_INIT(MERKLE_PROOF_MAX * MERKLE_HASH)};
}

static void
free_prove(struct prove_op *p)
{
    buf_free(&p->note);
    buf_free(&p->leaf);
    buf_free(&p->path);
}

/* With what was published a stranger sees that the leaf is there. */
static void
every_leaf_is_shown_to_be_under_the_newest_checkpoint(void **state)
{
    struct scene *f = *state;
    struct err e = {0};

    scene_append(f, 0, 5);
    scene_checkpoint(f, 5);
    scene_append(f, 5, 23);
    scene_checkpoint(f, 23);
    scene_append(f, 23, 30); /* nothing covers these */
    for (uint64_t i = 0; i < 23; i++) {
        struct checkpoint found = scene_published(f);
        struct merkle_proof proof = {0};
        struct merkle_hash hash;
        struct prove_op p;
        char text[32];

        prove(f, i, &p);
        assert_ok(store_call(f->store, &p.op, &e), &e);
        assert_int_equal(p.size, 23);
        (void)snprintf(text, sizeof(text), "\"reason\":\"%u\"", (unsigned)i);
        assert_non_null(memmem(p.leaf.p, p.leaf.n, text, strlen(text)));
        hash = merkle_leaf(buf_span(&p.leaf));
        proof.n = p.path.n / MERKLE_HASH;
        memcpy(proof.hashes, p.path.p, p.path.n);
        assert_ok(merkle_verify_inclusion(i, p.size, &hash, &proof, &found.root, &e), &e);
        free_prove(&p);
    }
}

/* What is stored can be waited for; the files come later, for many checkpoints at once. */
static void
files_follow_what_is_stored(void **state)
{
    struct scene *f = *state;
    struct ledger_op files = {0};
    struct err e = {0};

    scene_append(f, 0, 5);
    scene_checkpoint(f, 5);
    for (unsigned size = 5; size < 300; size += 59) {
        struct ledger_op l = {0};
        CLEANUP(buf_free) struct buf signature = BUF_INIT(128);

        scene_append(f, size, size + 59);
        ledger_prepare_op(&l, f->ledger);
        assert_ok(store_call(f->store, &l.op, &e), &e);
        assert_int_equal(ledger_stored(f->ledger), size);
        scene_sign(f->private, buf_span(&l.note), &signature);
        ledger_store_op(&l, f->ledger, buf_span(&signature));
        assert_ok(store_call(f->store, &l.op, &e), &e);
        ledger_op_free(&l);
        assert_int_equal(ledger_stored(f->ledger), size + 59);
        assert_int_equal(ledger_published(f->ledger), 5);
        scene_check_files(f, 5);
    }
    ledger_files_op(&files, f->ledger);
    assert_ok(store_call(f->store, &files.op, &e), &e);
    assert_int_equal(ledger_published(f->ledger), 300);
    scene_check_files(f, 300);
}

/* The log signer takes so many leaves at once. */
static void
what_is_too_much_for_one_checkpoint_is_for_the_next(void **state)
{
    struct scene *f = *state;

    scene_append(f, 0, 3);
    scene_checkpoint(f, 3);
    scene_append(f, 3, 3 + LEDGER_GROWTH_MAX + 1);
    scene_checkpoint(f, 3 + LEDGER_GROWTH_MAX);
    scene_checkpoint(f, 3 + LEDGER_GROWTH_MAX + 1);
}

static void
what_no_checkpoint_covers_is_not_shown(void **state)
{
    struct scene *f = *state;
    struct err e = {0};
    struct prove_op p;

    scene_append(f, 0, 5);
    prove(f, 4, &p); /* there is no checkpoint at all */
    assert_err(store_call(f->store, &p.op, &e), ERR_INPUT, &e);
    assert_int_equal(p.note.n, 0);
    assert_non_null(strstr(e.text, "leaf 4 is not in a tree of 0"));
    free_prove(&p);
    scene_checkpoint(f, 5);
    scene_append(f, 5, 7);
    prove(f, 5, &p);
    assert_err(store_call(f->store, &p.op, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "ledger: prove leaf 5: leaf 5 is not in a tree of 5"));
    free_prove(&p);
    prove(f, 7, &p);
    p.size = 8; /* as many leaves as there are not */
    assert_err(store_call(f->store, &p.op, &e), ERR_NOTFOUND, &e);
    free_prove(&p);
    prove(f, 0, &p);
    p.path.max = MERKLE_HASH; /* it needs more */
    assert_err(store_call(f->store, &p.op, &e), ERR_INPUT, &e);
    free_prove(&p);
}

static void
leaves_of_an_operation_that_fails_are_not_in_the_record(void **state)
{
    struct scene *f = *state;
    struct append_op failing = {.op = {.run = scene_run_append}, .from = 5, .to = 20, .fail = true};
    struct err e = {0};

    scene_append(f, 0, 5);
    assert_err(store_call(f->store, &failing.op, &e), ERR_DENIED, &e);
    scene_append(f, 5, 12);
    scene_checkpoint(f, 12);
    scene_check_files(f, 12);
}

/* store_part: append_op */
static int
append_part(void *arg, struct store_db *db, struct err *e)
{
    struct append_op *append = arg;

    return append->op.run(&append->op, db, e);
}

/* Each may fail, and the operation goes on. */
static int
run_parts(struct store_op *op, struct store_db *db, struct err *e)
{
    struct append_op parts[] = {
        {.op = {.run = scene_run_append}, .from = 5, .to = 8},
        {.op = {.run = scene_run_append}, .from = 8, .to = 20, .fail = true},
        {.op = {.run = scene_run_append}, .from = 8, .to = 12},
    };
    struct append_op tried = {.op = {.run = scene_run_append}, .from = 12, .to = 15};

    (void)op;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct err no = {0};

        if ((store_part(db, append_part, &parts[i], &no) != 0) != parts[i].fail) {
            return err_set(e, ERR_STORE, "part %zu: %s", i, no.text);
        }
    }
    return store_try(db, append_part, &tried, e);
}

static void
leaves_of_a_part_that_fails_or_is_tried_are_not_in_the_record(void **state)
{
    struct scene *f = *state;
    struct store_op op = {.run = run_parts};
    struct err e = {0};

    scene_append(f, 0, 5);
    assert_ok(store_call(f->store, &op, &e), &e);
    scene_append(f, 12, 17);
    scene_checkpoint(f, 17);
    scene_check_files(f, 17);
}

static void
the_record_is_never_changed_by_sql(void **state)
{
    static const char *const rows[] = {
        "UPDATE leaf SET kind = 'START' WHERE idx = 1",
        "DELETE FROM leaf WHERE idx = 9",
        "DELETE FROM leaf",
        "INSERT INTO leaf SELECT 12, kind, time, body, hash FROM leaf WHERE idx = 1",
        "INSERT INTO leaf SELECT -1, kind, time, body, hash FROM leaf WHERE idx = 1",
        "INSERT OR REPLACE INTO leaf SELECT 3, kind, time, body, hash FROM leaf WHERE idx = 1",
        "REPLACE INTO completed SELECT 1, hash FROM leaf WHERE idx = 1",
        "REPLACE INTO completed SELECT 9, hash FROM leaf WHERE idx = 1",
        "UPDATE completed SET hashes = zeroblob(32)",
        "DELETE FROM completed WHERE idx = 1",
        "UPDATE dictionary SET octets = x'00'",
        "DELETE FROM dictionary",
        "UPDATE checkpoint SET size = 5",
        "DELETE FROM checkpoint",
        "INSERT INTO checkpoint VALUES(10, zeroblob(32), 'again')",
        "INSERT INTO checkpoint VALUES(9, zeroblob(32), 'older')",
        "INSERT INTO checkpoint VALUES(11, zeroblob(32), 'of the future')",
    };
    struct sql_op dictionary = {.op = {.run = run_sql},
                                .sql = "INSERT INTO dictionary VALUES(1, 'STOP', x'7b')"};
    struct scene *f = *state;
    struct err no = {0};

    scene_append(f, 0, 10);
    scene_checkpoint(f, 10);
    assert_ok(store_call(f->store, &dictionary.op, &no), &no);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_op s = {.op = {.run = run_sql}, .sql = rows[i]};
        struct err e = {0};

        if (store_call(f->store, &s.op, &e) == 0 || e.code != ERR_DENIED) {
            fail_msg("%s: %s %s", rows[i], err_code_name(e.code), e.text);
        }
    }
    scene_append(f, 10, 11);
    scene_checkpoint(f, 11);
    scene_check_files(f, 11);
}

static void
checkpoints_cover_groups_of_leaves_and_publish_their_files(void **state)
{
    static const unsigned sizes[] = {1, 2, 9, 200, 256, 257, 300, 600};
    struct scene *f = *state;
    unsigned before = 0;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        scene_append(f, before, sizes[i]);
        scene_checkpoint(f, sizes[i]);
        scene_check_files(f, sizes[i]);
        scene_checkpoint(f, sizes[i]); /* nothing new: nothing to sign */
        before = sizes[i];
    }
}

static void
a_wrong_signature_is_not_stored(void **state)
{
    struct scene *f = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    struct err e = {0};
    uint64_t size;

    scene_append(f, 0, 3);
    assert_err(scene_checkpoint_with(f, other, &size, &e), ERR_CRYPTO, &e);
    assert_int_equal(ledger_published(f->ledger), 0);
    scene_checkpoint(f, 3);
    scene_check_files(f, 3);
}

static void
a_checkpoint_about_another_record_is_not_stored(void **state)
{
    struct scene *f = *state;
    CLEANUP(buf_free) struct buf signature = BUF_INIT(128);
    struct checkpoint wrong = {.size = 3};
    struct ledger_op l = {.note = BUF_INIT(CHECKPOINT_MAX)};
    struct err e = {0};

    scene_append(f, 0, 3);
    memcpy(wrong.origin, SCENE_ORIGIN, sizeof(SCENE_ORIGIN));
    assert_ok(checkpoint_text(&wrong, &l.note, &e), &e);
    scene_sign(f->private, buf_span(&l.note), &signature);
    ledger_publish_op(&l, f->ledger, buf_span(&signature));
    assert_err(store_call(f->store, &l.op, &e), ERR_CONFLICT, &e);
    ledger_op_free(&l);
}

static struct ledger_op loop_op;

static bool loop_done;

static void
on_done(struct task *task)
{
    assert_ptr_equal(task, &loop_op.op.task);
    loop_done = true;
}

static void
wait_done(const struct scene *f)
{
    while (!loop_done) {
        struct pollfd p = {.fd = tasks_fd(f->tasks), .events = POLLIN};

        assert_int_equal(poll(&p, 1, -1), 1);
        tasks_finish(f->tasks);
    }
    loop_done = false;
}

static void
a_loop_makes_a_checkpoint_in_two_steps(void **state)
{
    struct scene *f = *state;
    CLEANUP(buf_free) struct buf signature = BUF_INIT(128);

    scene_append(f, 0, 4);
    loop_op = (struct ledger_op){.op = {.task = {.done = on_done}}};
    ledger_prepare_op(&loop_op, f->ledger);
    store_submit(f->store, &loop_op.op);
    scene_append(f, 4, 8); /* later leaves belong to the next one */
    wait_done(f);
    assert_int_equal(loop_op.op.result, 0);
    assert_in_range(loop_op.size, 4, 8);
    scene_sign(f->private, buf_span(&loop_op.note), &signature);
    ledger_publish_op(&loop_op, f->ledger, buf_span(&signature));
    store_submit(f->store, &loop_op.op);
    wait_done(f);
    assert_int_equal(loop_op.op.result, 0);
    scene_check_files(f, loop_op.size);
    ledger_op_free(&loop_op);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_root_is_that_of_the_leaves_at_every_size, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(every_leaf_is_shown_to_be_under_the_newest_checkpoint,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(files_follow_what_is_stored, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_much_for_one_checkpoint_is_for_the_next,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(what_no_checkpoint_covers_is_not_shown, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(leaves_of_an_operation_that_fails_are_not_in_the_record,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(
            leaves_of_a_part_that_fails_or_is_tried_are_not_in_the_record, scene_set_up,
            scene_tear_down),
        cmocka_unit_test_setup_teardown(the_record_is_never_changed_by_sql, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(checkpoints_cover_groups_of_leaves_and_publish_their_files,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_signature_is_not_stored, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(a_checkpoint_about_another_record_is_not_stored,
                                        scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_loop_makes_a_checkpoint_in_two_steps, scene_set_up,
                                        scene_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
