/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/ledger.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/tlog/checkpoint.h"
#include "db/ledger/rows.h"
#include "db/ledger/tiles.h"

struct ledger {
    char *dir;
    struct log_key key;
    _Atomic uint64_t stored, published; /* written by the writer thread only */
    _Atomic uint64_t found;             /* published, when a start looked */
};

static void
destroy(struct ledger *ledger)
{
    log_key_free(&ledger->key);
    mem_free(ledger->dir);
    mem_free(ledger);
}

DEFINE_CLEANUP(destroy_cleanup, struct ledger, destroy)

void
ledger_free(struct ledger *ledger)
{
    if (ledger != NULL) {
        destroy(ledger);
    }
}

/* Writes the key once; another log's folder is refused. */
static int
claim_folder(const struct ledger *ledger, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/log.vkey", ledger->dir);
    CLEANUP(mem_cleanup) char *text = log_key_format(&ledger->key);
    CLEANUP(buf_free) struct buf found = BUF_INIT(CHECKPOINT_MAX);

    if (file_mkdirs(ledger->dir, S_IRWXU, e) != 0) {
        return -1;
    }
    if (chmod(ledger->dir, 0755) != 0) {
        return err_set(e, ERR_IO, "%s must belong to this user", ledger->dir);
    }
    if (file_read(path, &found, e) != 0) {
        return e->code == ERR_NOTFOUND ? file_create(path, span_str(text), 0644, e) : -1;
    }
    return span_equal(buf_span(&found), span_str(text))
               ? 0
               : err_set(e, ERR_CONFLICT, "%s is of another log: give this log another folder",
                         path);
}

struct ledger *
ledger_new(const struct ledger_options *options, struct err *e)
{
    CLEANUP(destroy_cleanup) struct ledger *ledger = mem_new(sizeof(*ledger));

    ledger->dir = mem_strdup(options->dir);
    if (log_key_set(&ledger->key, options->origin, options->spki, e) != 0 ||
        claim_folder(ledger, e) != 0) {
        return NULL;
    }
    return TAKE(ledger);
}

uint64_t
ledger_stored(const struct ledger *ledger)
{
    return atomic_load(&ledger->stored);
}

uint64_t
ledger_found(const struct ledger *ledger)
{
    return atomic_load(&ledger->found);
}

uint64_t
ledger_published(const struct ledger *ledger)
{
    return atomic_load(&ledger->published);
}

/* The newest stored checkpoint; size 0 when there is none. */
static int
last_checkpoint(const struct ledger *ledger, struct store_db *db, struct checkpoint *last,
                struct buf *note, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    *last = (struct checkpoint){0};
    if (store_query(db, &rows, "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1",
                    STORE_NO_VALUES, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return 0;
    }
    if (buf_set(note, row_blob(&rows, 0), e) != 0 ||
        checkpoint_open(&ledger->key, buf_span(note), last, e) != 0) {
        return err_wrap(e, "the last checkpoint in the database");
    }
    return 0;
}

int
ledger_newest(const struct ledger *ledger, struct store_db *db, struct buf *note, uint64_t *size,
              struct err *e)
{
    struct checkpoint last;

    buf_truncate(note, 0);
    if (last_checkpoint(ledger, db, &last, note, e) != 0) {
        return -1;
    }
    *size = last.size;
    return 0;
}

static int
publish(struct ledger *ledger, struct store_db *db, bool only_missing, struct err *e)
{
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    struct checkpoint last;
    struct tiles_job job;

    if (last_checkpoint(ledger, db, &last, &note, e) != 0) {
        return -1;
    }
    if (last.size == 0) {
        return 0;
    }
    job = (struct tiles_job){
        .dir = ledger->dir,
        .from = only_missing ? 0 : atomic_load(&ledger->published),
        .to = last.size,
        .only_missing = only_missing,
        .source = {.hashes = ledger_append_hashes, .leaves = ledger_append_leaves, .arg = db},
        .note = buf_span(&note),
    };
    if (tiles_publish(&job, e) != 0) {
        return err_wrap(e, "ledger");
    }
    atomic_store(&ledger->published, last.size);
    atomic_store(&ledger->stored, last.size);
    return 0;
}

/* What was once published or signed is still the beginning of what is stored. */
static int
check_agrees(struct store_db *db, const struct checkpoint *checkpoint, uint64_t size,
             const char *whose, struct err *e)
{
    struct merkle_hash root;

    if (checkpoint->size == 0) {
        return 0; /* there was none yet */
    }
    if (checkpoint->size > size) {
        return err_set(e, ERR_STORE,
                       "the %s checkpoint covers %llu leaves, the database has %llu: it is an "
                       "older copy, do not start with it",
                       whose, (unsigned long long)checkpoint->size, (unsigned long long)size);
    }
    if (ledger_root_at(db, checkpoint->size, &root, e) != 0) {
        return -1;
    }
    return merkle_equal(&root, &checkpoint->root)
               ? 0
               : err_set(e, ERR_STORE, "the %s checkpoint has another root than the database",
                         whose);
}

/* From the leaves themselves: hashes beside them could have been edited with them, or not. */
static int
check_bodies(struct store_db *db, const struct checkpoint *last, uint64_t size, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct merkle_edge edge = {0};
    struct merkle_hash root;
    bool row;

    if (store_query(db, &rows, "SELECT hash, body FROM leaf ORDER BY idx", STORE_NO_VALUES, e) !=
        0) {
        return -1;
    }
    for (uint64_t i = 0; i < size; i++) {
        struct merkle_hash stored;
        struct merkle_hash hash;

        if (store_next(&rows, &row, e) != 0) {
            return -1;
        }
        if (!row || ledger_copy_hash(&rows, &stored, e) != 0) {
            return err_set(e, ERR_STORE, "leaf %llu is missing", (unsigned long long)i);
        }
        hash = merkle_leaf(row_blob(&rows, 1));
        if (!merkle_equal(&hash, &stored)) {
            return err_set(e, ERR_STORE, "leaf %llu was edited", (unsigned long long)i);
        }
        if (merkle_append(&edge, &hash, NULL, NULL, e) != 0) {
            return -1;
        }
        if (edge.size != last->size) {
            continue;
        }
        root = merkle_root(&edge);
        if (!merkle_equal(&root, &last->root)) {
            return err_set(e, ERR_STORE, "the leaves are not those of the stored checkpoint");
        }
    }
    if (size == 0) {
        return 0;
    }
    store_end(&rows);
    if (ledger_root_at(db, size, &root, e) != 0) {
        return -1;
    }
    {
        const struct merkle_hash all = merkle_root(&edge);

        return merkle_equal(&root, &all)
                   ? 0
                   : err_set(e, ERR_STORE, "the hashes are not those of the leaves");
    }
}

int
ledger_recover(struct ledger *ledger, struct store_db *db, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", ledger->dir);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf published_note = BUF_INIT(CHECKPOINT_MAX);
    struct checkpoint last;
    struct checkpoint published;
    uint64_t size;

    if (ledger_size(db, &size, e) != 0 || last_checkpoint(ledger, db, &last, &note, e) != 0 ||
        check_agrees(db, &last, size, "stored", e) != 0 || check_bodies(db, &last, size, e) != 0) {
        return err_wrap(e, "ledger");
    }
    if (file_read(path, &published_note, e) == 0) {
        if (checkpoint_open(&ledger->key, buf_span(&published_note), &published, e) != 0) {
            return err_wrap(e, "%s", path);
        }
        if (check_agrees(db, &published, last.size, "published", e) != 0) {
            return err_wrap(e, "%s", path);
        }
        atomic_store(&ledger->found, published.size);
    } else if (e->code != ERR_NOTFOUND) {
        return -1;
    }
    return publish(ledger, db, true, e);
}

struct start_op {
    struct store_op op;
    struct ledger *ledger;
};

static int
run_start(struct store_op *op, struct store_db *db, struct err *e)
{
    return ledger_recover(CONTAINER_OF(op, struct start_op, op)->ledger, db, e);
}

int
ledger_start(struct ledger *ledger, struct store *store, struct err *e)
{
    struct start_op start = {.op = {.run = run_start}, .ledger = ledger};

    return store_call(store, &start.op, e);
}

/* ---- one checkpoint ---- */

static int
run_prepare(struct store_op *op, struct store_db *db, struct err *e)
{
    struct ledger_op *l = CONTAINER_OF(op, struct ledger_op, op);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    struct checkpoint last;
    struct checkpoint next = {0};

    if (last_checkpoint(l->ledger, db, &last, &note, e) != 0 ||
        ledger_size(db, &next.size, e) != 0) {
        return -1;
    }
    if (next.size - last.size > LEDGER_GROWTH_MAX) {
        next.size = last.size + LEDGER_GROWTH_MAX;
    }
    l->size = next.size;
    l->from = last.size;
    if (next.size == last.size) {
        return 0;
    }
    if (ledger_append_edge(db, last.size, &l->hashes, e) != 0 ||
        ledger_append_hashes(db, 0, last.size, next.size - last.size, &l->hashes, e) != 0) {
        return -1;
    }
    memcpy(next.origin, l->ledger->key.origin, sizeof(next.origin));
    if (ledger_root_at(db, next.size, &next.root, e) != 0) {
        return -1;
    }
    return checkpoint_text(&next, &l->note, e);
}

static int
run_publish(struct store_op *op, struct store_db *db, struct err *e)
{
    struct ledger_op *l = CONTAINER_OF(op, struct ledger_op, op);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    struct checkpoint checkpoint;
    struct merkle_hash root;
    CLEANUP(mem_cleanup) char *text = NULL;

    if (checkpoint_seal(&l->ledger->key, buf_span(&l->note), l->signature, &note, e) != 0 ||
        checkpoint_parse(buf_span(&l->note), &checkpoint, e) != 0 ||
        ledger_root_at(db, checkpoint.size, &root, e) != 0) {
        return -1;
    }
    if (!merkle_equal(&root, &checkpoint.root)) {
        return err_set(e, ERR_CONFLICT, "the checkpoint to be stored has another root");
    }
    text = mem_printf("%.*s", (int)note.n, (const char *)note.p);
    return store_exec(db, "INSERT INTO checkpoint(size, root, note) VALUES(?, ?, ?)",
                      STORE_VALUES(store_int((int64_t)checkpoint.size),
                                   store_blob(span_of(root.octets, MERKLE_HASH)), store_text(text)),
                      e);
}

static int
publish_files(struct store_op *op, struct store_db *db, struct err *e)
{
    return publish(CONTAINER_OF(op, struct ledger_op, op)->ledger, db, false, e);
}

void
ledger_prepare_op(struct ledger_op *l, struct ledger *ledger)
{
    void (*done)(struct task *) = l->op.task.done;

    *l = (struct ledger_op){
        .op = {.run = run_prepare, .task = {.done = done}},
        .ledger = ledger,
        .note = BUF_INIT(CHECKPOINT_MAX),
        .hashes = BUF_INIT((size_t)(MERKLE_LEVELS + LEDGER_GROWTH_MAX) * MERKLE_HASH),
    };
}

void
ledger_op_free(struct ledger_op *l)
{
    buf_free(&l->note);
    buf_free(&l->hashes);
}

void
ledger_publish_op(struct ledger_op *l, struct ledger *ledger, struct span signature)
{
    void (*done)(struct task *) = l->op.task.done;

    l->op = (struct store_op){
        .run = run_publish,
        .after_commit = publish_files,
        .task = {.done = done},
    };
    l->ledger = ledger;
    l->signature = signature;
}

/* after_commit */
static int
mark_stored(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct ledger_op *l = CONTAINER_OF(op, struct ledger_op, op);

    (void)db;
    (void)e;
    atomic_store(&l->ledger->stored, l->size);
    return 0;
}

void
ledger_store_op(struct ledger_op *l, struct ledger *ledger, struct span signature)
{
    ledger_publish_op(l, ledger, signature);
    l->op.after_commit = mark_stored;
}

static int
run_nothing(struct store_op *op, struct store_db *db, struct err *e)
{
    (void)op;
    (void)db;
    (void)e;
    return 0;
}

void
ledger_files_op(struct ledger_op *l, struct ledger *ledger)
{
    void (*done)(struct task *) = l->op.task.done;

    *l = (struct ledger_op){
        .op = {.run = run_nothing, .after_commit = publish_files, .task = {.done = done}},
        .ledger = ledger,
    };
}
