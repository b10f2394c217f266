/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/ledger.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/tlog/checkpoint.h"
#include "db/ledger/check.h"
#include "db/ledger/rows.h"
#include "db/ledger/source.h"

struct ledger {
    char *dir;
    struct log_key key;
    char *vkey; /* the same as text */
    ledger_message *message;
    bool checked; /* ledger_check() said yes to the database that ledger_start() gets */
    _Atomic uint64_t stored, published; /* written by the writer thread only */
    _Atomic uint64_t found;             /* published, when a start looked */
};

static void
destroy(struct ledger *ledger)
{
    log_key_free(&ledger->key);
    mem_free(ledger->vkey);
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

/* Another log's folder is refused. */
static int
look_at_folder(const struct ledger *ledger, bool *is_new, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/log.vkey", ledger->dir);
    CLEANUP(buf_free) struct buf found = BUF_INIT(CHECKPOINT_MAX);
    int result = file_read(path, &found, e);

    *is_new = result != 0 && e->code == ERR_NOTFOUND;
    if (result != 0) {
        return *is_new ? 0 : -1;
    }
    return span_equal(buf_span(&found), span_str(ledger->vkey))
               ? 0
               : err_set(e, ERR_CONFLICT, "%s is of another log: give this log another folder",
                         path);
}

/* Writes the key once. */
static int
claim_folder(const struct ledger *ledger, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/log.vkey", ledger->dir);
    bool is_new;

    if (file_mkdirs(ledger->dir, S_IRWXU, e) != 0) {
        return -1;
    }
    if (chmod(ledger->dir, 0755) != 0) {
        return err_set(e, ERR_IO, "%s must belong to this user", ledger->dir);
    }
    if (look_at_folder(ledger, &is_new, e) != 0) {
        return -1;
    }
    return is_new ? file_create(path, span_str(ledger->vkey), 0644, e) : 0;
}

struct ledger *
ledger_new(const struct ledger_options *options, struct err *e)
{
    CLEANUP(destroy_cleanup) struct ledger *ledger = mem_new(sizeof(*ledger));
    bool is_new;

    ledger->dir = mem_strdup(options->dir);
    ledger->message = options->message;
    if (log_key_set(&ledger->key, options->origin, options->spki, e) != 0) {
        return NULL;
    }
    ledger->vkey = log_key_format(&ledger->key);
    if (look_at_folder(ledger, &is_new, e) != 0) {
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

const char *
ledger_vkey(const struct ledger *ledger)
{
    return ledger->vkey;
}

const struct log_key *
ledger_key(const struct ledger *ledger)
{
    return &ledger->key;
}

const char *
ledger_dir(const struct ledger *ledger)
{
    return ledger->dir;
}

int
ledger_has(const struct ledger *ledger, struct store_db *db, struct span note, struct err *e)
{
    struct checkpoint there;
    struct merkle_hash root;
    uint64_t size;

    if (checkpoint_open(&ledger->key, note, &there, e) != 0 || ledger_size(db, &size, e) != 0) {
        return -1;
    }
    if (there.size > size) {
        return err_set(e, ERR_STALE, "it covers %" PRIu64 " leaves, ca.db has %" PRIu64, there.size,
                       size);
    }
    if (there.size == 0) {
        return 0;
    }
    if (ledger_root_at(db, there.size, &root, e) != 0) {
        return -1;
    }
    return merkle_equal(&root, &there.root)
               ? 0
               : err_set(e, ERR_STALE, "over %" PRIu64 " leaves it has another root than ca.db",
                         there.size);
}

static int
publish(struct ledger *ledger, struct store_db *db, bool only_missing, struct err *e)
{
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    struct ledger_source source = {.db = db, .message = ledger->message};
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
        .from = atomic_load(only_missing ? &ledger->found : &ledger->published),
        .to = last.size,
        .only_missing = only_missing,
        .source = ledger_tile_source(&source),
        .note = buf_span(&note),
    };
    if (tiles_publish(&job, e) != 0) {
        return err_wrap(e, "ledger");
    }
    atomic_store(&ledger->published, last.size);
    atomic_store(&ledger->stored, last.size);
    return 0;
}

static int
read_published(const struct ledger *ledger, struct checkpoint *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", ledger->dir);
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);

    *out = (struct checkpoint){0};
    if (file_read(path, &note, e) != 0) {
        return e->code == ERR_NOTFOUND ? 0 : -1;
    }
    return checkpoint_open(&ledger->key, buf_span(&note), out, e) != 0 ? err_wrap(e, "%s", path)
                                                                       : 0;
}

int
ledger_check(struct ledger *ledger, struct store_db *db, const struct ledger_signed *signed_last,
             bool whole, struct err *e)
{
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    struct check_against against = {.signed_last = signed_last, .whole = whole};
    bool has_tables = false;

    if (read_published(ledger, &against.published, e) != 0 ||
        (db != NULL && store_has_row(db, "SELECT 1 FROM sqlite_schema WHERE name = 'leaf'",
                                     STORE_NO_VALUES, &has_tables, e) != 0)) {
        return -1;
    }
    if (!has_tables) {
        return check_record(NULL, &against, e);
    }
    if (last_checkpoint(ledger, db, &against.stored, &note, e) != 0) {
        return err_wrap(e, "ledger");
    }
    atomic_store(&ledger->found, against.published.size);
    ledger->checked = check_record(db, &against, e) == 0;
    if (!ledger->checked) {
        return -1;
    }
    atomic_store(&ledger->stored, against.stored.size);
    return 0;
}

int
ledger_recover(struct ledger *ledger, struct store_db *db, struct err *e)
{
    if ((!ledger->checked && ledger_check(ledger, db, NULL, false, e) != 0) ||
        claim_folder(ledger, e) != 0) {
        return -1;
    }
    ledger->checked = false; /* of this database */
    return publish(ledger, db, true, e);
}

int
ledger_mend(const struct ledger *ledger, struct store_db *db, uint64_t from, uint64_t to,
            size_t *put, struct err *e)
{
    const uint64_t published = ledger_published(ledger);
    struct ledger_source source = {.db = db, .message = ledger->message};
    const struct tiles_job job = {
        .dir = ledger->dir,
        .from = from,
        .to = to < published ? to : published,
        .source = ledger_tile_source(&source),
    };

    return tiles_mend(&job, put, e) != 0 ? err_wrap(e, "ledger") : 0;
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
    if (ledger_prepare_root(db, next.size, &next.root, e) != 0) {
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
        ledger_prepare_root(db, checkpoint.size, &root, e) != 0) {
        return -1;
    }
    if (!merkle_equal(&root, &checkpoint.root)) {
        return err_set(e, ERR_CONFLICT, "the checkpoint to be stored has another root");
    }
    text = mem_printf("%.*s", (int)note.n, (const char *)note.p);
    if (store_exec(db, "INSERT INTO checkpoint(size, root, note) VALUES(?, ?, ?)",
                   STORE_VALUES(store_int((int64_t)checkpoint.size),
                                store_blob(span_of(root.octets, MERKLE_HASH)), store_text(text)),
                   e) != 0) {
        return -1;
    }
    return l->along == NULL ? 0 : l->along(l, db, buf_span(&note), e);
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
