/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/ledger.h"

#include <openssl/ec.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "base/tlog/checkpoint.h"
#include "db/ledger/rows.h"
#include "db/ledger/tiles.h"
#include "tests/support/disk.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static const char origin[] = "log.test/ca1";

struct fixture {
    char *dir;
    char *database;
    char *folder;
    EVP_PKEY *private;
    struct buf spki;
    struct tasks *tasks;
    struct store *store;
    struct ledger *ledger;
};

static struct store *
open_store(const struct fixture *f)
{
    const struct store_options options = {
        .path = f->database,
        .application = STORE_APPLICATION('t', 'e', 's', 't'),
        .schemas = {ledger_migrations},
        .finished = f->tasks,
    };
    struct err e = {0};
    struct store *store = store_open(&options, &e);

    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

static struct ledger *
open_ledger(const struct fixture *f)
{
    const struct ledger_options options = {
        .dir = f->folder, .origin = origin, .spki = buf_span(&f->spki)};
    struct err e = {0};
    struct ledger *ledger = ledger_new(&options, &e);

    if (ledger == NULL) {
        fail_msg("%s", e.text);
    }
    return ledger;
}

static int
set_up(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));
    struct err e = {0};

    f->dir = tmpdir_new();
    f->database = mem_printf("%s/ca.db", f->dir);
    f->folder = mem_printf("%s/ledger", f->dir);
    f->private = EVP_EC_gen("P-256");
    f->spki = BUF_INIT(1024);
    f->tasks = tasks_new(&e);
    assert_ok(OSSL_ENCODE(PUBKEY, f->private, &f->spki, &e), &e);
    f->store = open_store(f);
    f->ledger = open_ledger(f);
    assert_ok(ledger_start(f->ledger, f->store, &e), &e);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    store_free(f->store);
    ledger_free(f->ledger);
    tasks_free(f->tasks);
    buf_free(&f->spki);
    EVP_PKEY_free(f->private);
    mem_free(f->database);
    mem_free(f->folder);
    tmpdir_remove(f->dir);
    mem_free(f);
    return 0;
}

/* ---- operations ---- */

/* Time of the leaves: another one makes another record. */
static time_t leaf_at = 1795000000;

static struct leaf *
stop_leaf(const char *reason)
{
    struct leaf *leaf = leaf_new(LEAF_STOP, leaf_at);

    leaf_set_text(leaf, "reason", reason);
    return leaf;
}

struct append_op {
    struct store_op op;
    unsigned from;
    unsigned to;
    bool fail;
};

static int
run_append(struct store_op *op, struct store_db *db, struct err *e)
{
    struct append_op *a = CONTAINER_OF(op, struct append_op, op);

    for (unsigned i = a->from; i < a->to; i++) {
        char reason[16];
        uint64_t index;
        CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;

        (void)snprintf(reason, sizeof(reason), "%u", i);
        leaf = stop_leaf(reason);
        if (ledger_append(db, leaf, &index, e) != 0) {
            return -1;
        }
        assert_int_equal(index, i);
    }
    return a->fail ? err_set(e, ERR_DENIED, "after all no") : 0;
}

static void
append(struct fixture *f, unsigned from, unsigned to)
{
    struct append_op a = {.op = {.run = run_append}, .from = from, .to = to};
    struct err e = {0};

    assert_ok(store_call(f->store, &a.op, &e), &e);
}

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
sign(EVP_PKEY *key, struct span text, struct buf *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct err e = {0};
    uint8_t der[128];
    size_t n = sizeof(der);

    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, text.p, text.n), 1);
    assert_ok(buf_set(signature, span_of(der, n), &e), &e);
    EVP_MD_CTX_free(ctx);
}

/* The new leaves, on top of the right edge of what was there, give what is to be signed. */
static void
check_growth(const struct ledger_op *l)
{
    const unsigned edges = (unsigned)__builtin_popcountll(l->from);
    struct merkle_edge edge = {.size = l->from, .n = edges};
    struct checkpoint asked;
    struct merkle_hash root;
    struct err e = {0};

    assert_ok(checkpoint_parse(buf_span(&l->note), &asked, &e), &e);
    assert_int_equal(asked.size, l->size);
    assert_int_equal(l->hashes.n, (edges + l->size - l->from) * MERKLE_HASH);
    memcpy(edge.subtrees, l->hashes.p, (size_t)edges * MERKLE_HASH);
    for (uint64_t i = 0; i < l->size - l->from; i++) {
        struct merkle_hash leaf;

        memcpy(leaf.octets, l->hashes.p + (edges + i) * MERKLE_HASH, MERKLE_HASH);
        assert_ok(merkle_append(&edge, &leaf, NULL, NULL, &e), &e);
    }
    root = merkle_root(&edge);
    assert_true(merkle_equal(&root, &asked.root));
}

/* Prepares, signs with `key`, publishes: the result of the last step. */
static int
checkpoint_with(struct fixture *f, EVP_PKEY *key, uint64_t *size, struct err *e)
{
    struct ledger_op l = {0};
    CLEANUP(buf_free) struct buf signature = BUF_INIT(128);
    int result;

    ledger_prepare_op(&l, f->ledger);
    assert_ok(store_call(f->store, &l.op, e), e);
    *size = l.size;
    if (l.note.n == 0) {
        return 0;
    }
    check_growth(&l);
    sign(key, buf_span(&l.note), &signature);
    ledger_publish_op(&l, f->ledger, buf_span(&signature));
    result = store_call(f->store, &l.op, e);
    ledger_op_free(&l);
    return result;
}

static void
checkpoint(struct fixture *f, uint64_t size)
{
    struct err e = {0};
    uint64_t covered;

    assert_ok(checkpoint_with(f, f->private, &covered, &e), &e);
    assert_int_equal(covered, size);
    assert_int_equal(ledger_published(f->ledger), size);
}

static struct checkpoint
published(const struct fixture *f)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", f->folder);
    CLEANUP(mem_cleanup) char *key_path = mem_printf("%s/log.vkey", f->folder);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(log_key_free) struct log_key key = {0};
    struct checkpoint found;
    struct err e = {0};

    assert_ok(file_read(key_path, &text, &e), &e);
    assert_ok(log_key_parse(&key, buf_span(&text), &e), &e);
    assert_ok(file_read(path, &text, &e), &e);
    assert_ok(checkpoint_open(&key, buf_span(&text), &found, &e), &e);
    return found;
}

/* Everything from the files alone: entries, hashes, root. */
static void
check_files(const struct fixture *f, uint64_t size)
{
    struct checkpoint found = published(f);
    struct merkle_edge edge = {0};
    struct merkle_hash root;
    struct err e = {0};

    assert_int_equal(found.size, size);
    for (uint64_t index = 0; edge.size < size; index++) {
        uint64_t left = size - edge.size;
        CLEANUP(mem_cleanup)
        char *path = tile_path(f->folder, TILE_ENTRIES, index,
                               left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH);
        CLEANUP(buf_free) struct buf bundle = BUF_INIT(BUNDLE_FILE_MAX);

        assert_ok(file_read(path, &bundle, &e), &e);
        for (size_t p = 0; p < bundle.n;) {
            size_t n = (size_t)bundle.p[p] << 8 | bundle.p[p + 1];
            struct merkle_hash hash = merkle_leaf(span_of(bundle.p + p + 2, n));
            struct leaf *leaf = leaf_parse(span_of(bundle.p + p + 2, n), &e);

            assert_non_null(leaf);
            leaf_free(leaf);
            assert_ok(merkle_append(&edge, &hash, NULL, NULL, &e), &e);
            p += 2 + n;
        }
    }
    root = merkle_root(&edge);
    assert_true(merkle_equal(&root, &found.root));
}

/* ---- tests ---- */

static void
the_root_is_that_of_the_leaves_at_every_size(void **state)
{
    struct fixture *f = *state;
    struct merkle_edge edge = {0};
    struct err e = {0};

    for (unsigned i = 0; i < 300; i++) {
        char reason[16];
        struct root_op r = {.op = {.run = run_root}};
        CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;
        struct merkle_hash hash;

        (void)snprintf(reason, sizeof(reason), "%u", i);
        leaf = stop_leaf(reason);
        assert_ok(leaf_seal(leaf, &e), &e);
        hash = merkle_leaf(leaf_body(leaf));
        append(f, i, i + 1);
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
prove(const struct fixture *f, uint64_t index, struct prove_op *p)
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
    struct fixture *f = *state;
    struct err e = {0};

    append(f, 0, 5);
    checkpoint(f, 5);
    append(f, 5, 23);
    checkpoint(f, 23);
    append(f, 23, 30); /* nothing covers these */
    for (uint64_t i = 0; i < 23; i++) {
        struct checkpoint found = published(f);
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
    struct fixture *f = *state;
    struct ledger_op files = {0};
    struct err e = {0};

    append(f, 0, 5);
    checkpoint(f, 5);
    for (unsigned size = 5; size < 300; size += 59) {
        struct ledger_op l = {0};
        CLEANUP(buf_free) struct buf signature = BUF_INIT(128);

        append(f, size, size + 59);
        ledger_prepare_op(&l, f->ledger);
        assert_ok(store_call(f->store, &l.op, &e), &e);
        assert_int_equal(ledger_stored(f->ledger), size);
        sign(f->private, buf_span(&l.note), &signature);
        ledger_store_op(&l, f->ledger, buf_span(&signature));
        assert_ok(store_call(f->store, &l.op, &e), &e);
        ledger_op_free(&l);
        assert_int_equal(ledger_stored(f->ledger), size + 59);
        assert_int_equal(ledger_published(f->ledger), 5);
        check_files(f, 5);
    }
    ledger_files_op(&files, f->ledger);
    assert_ok(store_call(f->store, &files.op, &e), &e);
    assert_int_equal(ledger_published(f->ledger), 300);
    check_files(f, 300);
}

/* The log signer takes so many leaves at once. */
static void
what_is_too_much_for_one_checkpoint_is_for_the_next(void **state)
{
    struct fixture *f = *state;

    append(f, 0, 3);
    checkpoint(f, 3);
    append(f, 3, 3 + LEDGER_GROWTH_MAX + 1);
    checkpoint(f, 3 + LEDGER_GROWTH_MAX);
    checkpoint(f, 3 + LEDGER_GROWTH_MAX + 1);
}

static void
what_no_checkpoint_covers_is_not_shown(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct prove_op p;

    append(f, 0, 5);
    prove(f, 4, &p); /* there is no checkpoint at all */
    assert_err(store_call(f->store, &p.op, &e), ERR_INPUT, &e);
    assert_int_equal(p.note.n, 0);
    assert_non_null(strstr(e.text, "leaf 4 is not in a tree of 0"));
    free_prove(&p);
    checkpoint(f, 5);
    append(f, 5, 7);
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
    struct fixture *f = *state;
    struct append_op failing = {.op = {.run = run_append}, .from = 5, .to = 20, .fail = true};
    struct err e = {0};

    append(f, 0, 5);
    assert_err(store_call(f->store, &failing.op, &e), ERR_DENIED, &e);
    append(f, 5, 12);
    checkpoint(f, 12);
    check_files(f, 12);
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
        "REPLACE INTO node SELECT 1, 0, hash FROM leaf WHERE idx = 1",
        "UPDATE node SET hash = zeroblob(32)",
        "DELETE FROM node WHERE level = 1",
        "UPDATE checkpoint SET size = 5",
        "DELETE FROM checkpoint",
        "INSERT INTO checkpoint VALUES(10, zeroblob(32), 'again')",
        "INSERT INTO checkpoint VALUES(9, zeroblob(32), 'older')",
        "INSERT INTO checkpoint VALUES(11, zeroblob(32), 'of the future')",
    };
    struct fixture *f = *state;

    append(f, 0, 10);
    checkpoint(f, 10);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_op s = {.op = {.run = run_sql}, .sql = rows[i]};
        struct err e = {0};

        if (store_call(f->store, &s.op, &e) == 0 || e.code != ERR_DENIED) {
            fail_msg("%s: %s %s", rows[i], err_code_name(e.code), e.text);
        }
    }
    append(f, 10, 11);
    checkpoint(f, 11);
    check_files(f, 11);
}

static void
checkpoints_cover_groups_of_leaves_and_publish_their_files(void **state)
{
    static const unsigned sizes[] = {1, 2, 9, 200, 256, 257, 300, 600};
    struct fixture *f = *state;
    unsigned before = 0;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        append(f, before, sizes[i]);
        checkpoint(f, sizes[i]);
        check_files(f, sizes[i]);
        checkpoint(f, sizes[i]); /* nothing new: nothing to sign */
        before = sizes[i];
    }
}

static void
a_wrong_signature_is_not_stored(void **state)
{
    struct fixture *f = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    struct err e = {0};
    uint64_t size;

    append(f, 0, 3);
    assert_err(checkpoint_with(f, other, &size, &e), ERR_CRYPTO, &e);
    assert_int_equal(ledger_published(f->ledger), 0);
    checkpoint(f, 3);
    check_files(f, 3);
}

static void
a_checkpoint_about_another_record_is_not_stored(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf signature = BUF_INIT(128);
    struct checkpoint wrong = {.size = 3};
    struct ledger_op l = {.note = BUF_INIT(CHECKPOINT_MAX)};
    struct err e = {0};

    append(f, 0, 3);
    memcpy(wrong.origin, origin, sizeof(origin));
    assert_ok(checkpoint_text(&wrong, &l.note, &e), &e);
    sign(f->private, buf_span(&l.note), &signature);
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
wait_done(const struct fixture *f)
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
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf signature = BUF_INIT(128);

    append(f, 0, 4);
    loop_op = (struct ledger_op){.op = {.task = {.done = on_done}}};
    ledger_prepare_op(&loop_op, f->ledger);
    store_submit(f->store, &loop_op.op);
    append(f, 4, 8); /* later leaves belong to the next one */
    wait_done(f);
    assert_int_equal(loop_op.op.result, 0);
    assert_in_range(loop_op.size, 4, 8);
    sign(f->private, buf_span(&loop_op.note), &signature);
    ledger_publish_op(&loop_op, f->ledger, buf_span(&signature));
    store_submit(f->store, &loop_op.op);
    wait_done(f);
    assert_int_equal(loop_op.op.result, 0);
    check_files(f, loop_op.size);
    ledger_op_free(&loop_op);
}

/* ---- starts ---- */

static int
restart(struct fixture *f, struct err *e)
{
    store_free(f->store);
    ledger_free(f->ledger);
    f->store = open_store(f);
    f->ledger = open_ledger(f);
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
    struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *moved = mem_printf("%s/moved", f->dir);
    CLEANUP(mem_cleanup) char *old = mem_printf("%s/old", f->dir);
    CLEANUP(mem_cleanup) char *now = mem_printf("%s/checkpoint", f->folder);
    struct err e = {0};

    append(f, 0, 300);
    checkpoint(f, 300);
    copy(now, old);
    append(f, 300, 520);
    checkpoint(f, 520);
    append(f, 520, 530);
    copy(old, now); /* as if the process had died before the rename */
    assert_ok(restart(f, &e), &e);
    check_files(f, 520);
    assert_int_equal(rename(f->folder, moved), 0);
    assert_ok(restart(f, &e), &e);
    check_files(f, 520);
    checkpoint(f, 530);
    check_files(f, 530);
}

/* Appends and publishes for ever, and says what was published. */
static void
publish_until_killed(struct fixture *f, int told)
{
    unsigned size = 0;

    for (;;) {
        unsigned group = 1 + size % 7;
        uint64_t covered;

        append(f, size, size + group);
        size += group;
        checkpoint(f, size);
        covered = size;
        if (write(told, &covered, sizeof(covered)) != sizeof(covered)) {
            _exit(1);
        }
    }
}

static void
what_was_published_survives_a_kill_at_any_moment(void **state)
{
    struct fixture *f = *state;
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
            f->store = open_store(f);
            f->ledger = open_ledger(f);
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
        f->store = open_store(f);
        f->ledger = open_ledger(f);
        assert_ok(ledger_start(f->ledger, f->store, &e), &e);
        assert_true(ledger_published(f->ledger) >= published_size);
        check_files(f, ledger_published(f->ledger));
    }
}

static void
an_older_copy_of_the_database_is_refused(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *backup = mem_printf("%s/backup", f->dir);
    struct err e = {0};

    append(f, 0, 5);
    checkpoint(f, 5);
    store_free(f->store);
    copy(f->database, backup);
    f->store = open_store(f);
    append(f, 5, 10);
    checkpoint(f, 10);
    store_free(f->store);
    copy(backup, f->database);
    f->store = open_store(f);
    assert_err(ledger_start(f->ledger, f->store, &e), ERR_STORE, &e);
    assert_non_null(strstr(e.text, "older copy"));
    /* Growing it again does not help: the published root is another one. */
    append(f, 5, 9);
    {
        struct append_op other = {.op = {.run = run_append}, .from = 9, .to = 11};

        assert_ok(store_call(f->store, &other.op, &e), &e);
    }
    assert_err(restart(f, &e), ERR_STORE, &e);
}

static void
another_record_than_the_published_one_is_refused(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *first = mem_strdup(f->folder);
    struct err e = {0};

    append(f, 0, 5);
    checkpoint(f, 5);
    mem_free(f->folder);
    f->folder = mem_printf("%s/second", f->dir);
    store_free(f->store);
    assert_int_equal(unlink(f->database), 0);
    f->store = open_store(f);
    ledger_free(f->ledger);
    f->ledger = open_ledger(f);
    leaf_at++;
    append(f, 0, 6);
    leaf_at--;
    checkpoint(f, 6);
    mem_free(f->folder);
    f->folder = mem_strdup(first);
    assert_err(restart(f, &e), ERR_STORE, &e);
    assert_non_null(strstr(e.text, "published checkpoint has another root"));
}

/* ---- what was edited in the file ---- */

static void
edit(const struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    char *reason = NULL;

    assert_int_equal(sqlite3_open(f->database, &db), SQLITE_OK);
    if (sqlite3_exec(db,
                     "DROP TRIGGER leaf_stays; DROP TRIGGER leaf_remains; DROP TRIGGER node_stays;"
                     "DROP TRIGGER node_remains; DROP TRIGGER checkpoint_stays;",
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
    struct leaf *leaf = stop_leaf("another");
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
    } rows[] = {
        {"the last leaf is gone", "DELETE FROM leaf WHERE idx > 4", "older copy"},
        {"a leaf behind the checkpoint is gone", "DELETE FROM leaf WHERE idx = 6",
         "leaf 7 is missing"},
        {"a leaf of another content", "UPDATE leaf SET body = x'7b7d' WHERE idx = 1",
         "leaf 1 was edited"},
        {"the first leaf", "UPDATE leaf SET body = x'7b7d' WHERE idx = 0", "leaf 0 was edited"},
        {"the last leaf", "UPDATE leaf SET body = x'7b7d' WHERE idx = 7", "leaf 7 was edited"},
        {"another leaf and its hash", NULL, "the leaves are not those of the stored checkpoint"},
        {"another leaf's hash under the checkpoint",
         "UPDATE leaf SET hash = zeroblob(32) WHERE idx = 5", "leaf 5 was edited"},
        {"a node under the checkpoint",
         "UPDATE node SET hash = zeroblob(32) WHERE level = 2 AND idx = 0",
         "the stored checkpoint has another root than the database"},
        {"a node above it", "UPDATE node SET hash = zeroblob(32) WHERE level = 3",
         "the hashes are not those of the leaves"},
        {"a node is gone", "DELETE FROM node WHERE level = 2 AND idx = 0", "hash 2/0"},
        {"a hash of another length",
         "PRAGMA ignore_check_constraints = ON; UPDATE node SET hash = x'00' WHERE level = 2",
         "1 octets where 32 belong"},
        {"another checkpoint", "UPDATE checkpoint SET note = replace(note, '6', '5')",
         "the last checkpoint in the database"},
    };
    struct fixture *first = *state;
    CLEANUP(mem_cleanup)
    char *above = mem_printf("%.*s", (int)(strrchr(first->dir, '/') - first->dir), first->dir);

    disk_begin(above, NULL); /* nothing is really synced: this is quick */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture *f = *state;
        CLEANUP(mem_cleanup)
        char *sql = rows[i].sql == NULL ? another_leaf() : mem_strdup(rows[i].sql);
        struct err e = {0};

        append(f, 0, 6);
        checkpoint(f, 6);
        append(f, 6, 8);
        store_free(f->store);
        edit(f, sql);
        f->store = open_store(f);
        if (ledger_start(f->ledger, f->store, &e) == 0 ||
            (e.code != ERR_STORE && e.code != ERR_NOTFOUND && e.code != ERR_CRYPTO) ||
            strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
        (void)tear_down(state);
        (void)set_up(state);
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
    assert_err(ledger_append_hashes(db, 1, 1, 1, &out, &why), ERR_STORE, &why);
    assert_string_equal(why.text, "ledger: hash 1/1 is missing");
    assert_ok(ledger_append_leaves(db, 0, 3, &out, &why), &why);
    assert_err(ledger_append_leaves(db, 2, 2, &out, &why), ERR_STORE, &why);
    assert_string_equal(why.text, "ledger: leaf 3 is missing");
    return 0;
}

static void
what_is_not_there_is_not_published(void **state)
{
    struct fixture *f = *state;
    struct store_op op = {.run = run_too_much};
    struct err e = {0};

    append(f, 0, 3);
    assert_ok(store_call(f->store, &op, &e), &e);
}

/* ---- the folder ---- */

static void
a_folder_that_cannot_be_claimed_is_named(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *key = mem_printf("%s/log.vkey", f->folder);
    CLEANUP(mem_cleanup) char *checkpoint_path = mem_printf("%s/checkpoint", f->folder);
    struct ledger_options options = {
        .dir = "/proc/self", .origin = origin, .spki = buf_span(&f->spki)};
    struct err e = {0};

    assert_null(ledger_new(&options, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_string_equal(e.text, "/proc/self must belong to this user");
    options.dir = f->database;
    assert_null(ledger_new(&options, &e));
    assert_non_null(strstr(e.text, "is not a directory"));
    options.dir = f->folder;
    options.origin = "no origin";
    assert_null(ledger_new(&options, &e));
    assert_non_null(strstr(e.text, "printable ASCII"));
    options.origin = origin;
    assert_int_equal(unlink(key), 0);
    assert_int_equal(mkdir(key, 0700), 0);
    assert_null(ledger_new(&options, &e));
    assert_non_null(strstr(e.text, "log.vkey is not a regular file"));
    /* What was published is not a checkpoint of this log any more. */
    append(f, 0, 2);
    checkpoint(f, 2);
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
    struct fixture *f = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    struct ledger_options options = {.dir = f->folder, .origin = "log.test/ca2"};
    struct err e = {0};

    options.spki = buf_span(&f->spki);
    assert_null(ledger_new(&options, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_ok(OSSL_ENCODE(PUBKEY, other, &spki, &e), &e);
    options.origin = origin;
    options.spki = buf_span(&spki);
    assert_null(ledger_new(&options, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_root_is_that_of_the_leaves_at_every_size, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_leaf_is_shown_to_be_under_the_newest_checkpoint,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_follow_what_is_stored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_much_for_one_checkpoint_is_for_the_next, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_no_checkpoint_covers_is_not_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_of_an_operation_that_fails_are_not_in_the_record,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_record_is_never_changed_by_sql, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checkpoints_cover_groups_of_leaves_and_publish_their_files,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_signature_is_not_stored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_checkpoint_about_another_record_is_not_stored, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_loop_makes_a_checkpoint_in_two_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_publishes_what_was_stored_and_not_published, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_published_survives_a_kill_at_any_moment, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_older_copy_of_the_database_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_record_than_the_published_one_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_record_that_was_edited_is_not_started_with, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_not_published, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_claimed_is_named, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_folder_of_another_log_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
