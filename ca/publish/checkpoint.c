/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   IDLE --somebody waits, or will--> prepare (store) --> sign (log key) --> store (store) --> IDLE
 *                                              |                                |
 *                                              |                                +-- the files, soon
 *                                              +-- the token is away: again after a second
 *
 * A checkpoint costs a signature and a commit, however many leaves are new in it. One is under way
 * at a time, and what comes meanwhile shares the next: load makes the groups, and who is alone
 * waits for nobody.
 *
 * What is signed and stored is in the log signer's journal and in ca.db: it can be waited for. The
 * tiles and then the file `checkpoint` follow for many at once (pause.h); a start publishes what
 * a crash left out.
 */
#include "ca/publish/checkpoint.h"

#include <event2/event.h>

#include "ca/publish/committed.h"
#include "ca/publish/greet.h"
#include "ca/publish/pause.h"
#include "pkcs11/client/evidence.h"

struct release {
    struct ca *ca;
    struct ledger_op files;
    struct event *soon; /* publishes */
    bool publishing;    /* now, or soon */
    int64_t began;      /* when the last ones began (clock_monotonic_ms()) */
    struct ledger_op op;
    struct signer_job sign;
    struct buf growth; /* what shows the log signer that the size and the root are those */
    struct release_item *waiting;
    struct release_item *covered; /* by what is being stored; the store's until then */
    struct event *again;          /* signs again */
    bool busy;
};

static void begin(struct release *r);

/* Takes those whose leaf is below `size` out of the list. */
static struct release_item *
take_covered(struct release_item **list, uint64_t size)
{
    struct release_item *covered = NULL;
    struct release_item *waiting = *list;

    *list = NULL;
    while (waiting != NULL) {
        struct release_item *item = waiting;
        struct release_item **to = item->leaf < size ? &covered : list;

        waiting = item->next;
        item->next = *to;
        *to = item;
    }
    return covered;
}

static void
let_go(struct release_item *item)
{
    while (item != NULL) {
        struct release_item *next = item->next;

        item->released(item);
        item = next;
    }
}

static void
finish(struct release *r)
{
    struct release_item *covered = r->covered;

    ledger_op_free(&r->op);
    buf_free(&r->growth);
    r->covered = NULL;
    r->busy = false;
    r->ca->jobs--;
    let_go(covered);
    let_go(take_covered(&r->waiting, ledger_stored(r->ca->ledger)));
    if (r->waiting != NULL && !r->busy) {
        begin(r);
    }
}

/* ---- files ---- */

static void
publish_soon(struct release *r, int64_t begun)
{
    const int64_t ms = files_pause(begun, clock_monotonic_ms());
    const struct timeval pause = {.tv_usec = (suseconds_t)ms * 1000};

    if (!r->publishing && ledger_published(r->ca->ledger) < ledger_stored(r->ca->ledger)) {
        r->publishing = true;
        (void)event_add(r->soon, &pause);
    }
}

static void
on_published(struct task *task)
{
    struct release *r = CONTAINER_OF(task, struct release, files.op.task);

    if (r->files.op.result != 0) {
        ca_die(&r->files.op.e, "publish a checkpoint");
    }
    r->publishing = false;
    r->ca->jobs--;
    publish_soon(r, r->began); /* what was stored meanwhile */
}

static void
on_soon(evutil_socket_t fd, short what, void *arg)
{
    struct release *r = arg;

    (void)fd;
    (void)what;
    r->ca->jobs++;
    r->began = clock_monotonic_ms();
    ledger_files_op(&r->files, r->ca->ledger);
    r->files.op.task.done = on_published;
    store_submit(r->ca->store, &r->files.op);
}

/* ---- signed and stored ---- */

static void
on_stored(struct task *task)
{
    struct release *r = CONTAINER_OF(task, struct release, op.op.task);

    if (r->op.op.result != 0) {
        ca_die(&r->op.op.e, "store a checkpoint");
    }
    buf_free(&r->sign.signature);
    committed_go(r->ca->committed);
    publish_soon(r, clock_monotonic_ms());
    greeter_stored(r->ca->greeter);
    finish(r);
}

static int
prove(struct ledger_op *op, struct store_db *db, struct span note, struct err *e)
{
    const struct release *r = CONTAINER_OF(op, struct release, op);

    for (struct release_item *item = r->covered; item != NULL; item = item->next) {
        if (item->prove != NULL && item->prove(item, db, note, op->size, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static void
on_signed(struct task *task)
{
    struct release *r = CONTAINER_OF(task, struct release, sign.task);
    const struct timeval pause = {.tv_sec = 1};

    if (r->sign.result != 0 && r->sign.e.code == ERR_STALE) {
        ca_die(&r->sign.e, "sign a checkpoint"); /* another CA has this log */
    }
    if (r->sign.result != 0) {
        /* Everything stays as it is and waits: nothing is released without its record. */
        log_err(LOG_ERROR, "checkpoint-not-signed", &r->sign.e, "answers wait");
        buf_free(&r->sign.signature);
        (void)event_add(r->again, &pause);
        return;
    }
    r->covered = take_covered(&r->waiting, r->op.size);
    ledger_store_op(&r->op, r->ca->ledger, buf_span(&r->sign.signature));
    r->op.along = prove;
    r->op.op.task.done = on_stored;
    store_submit(r->ca->store, &r->op.op);
}

static int
show_growth(const struct ledger_op *op, struct buf *growth, struct err *e)
{
    const struct growth g = {.from = op->from, .hashes = buf_span(&op->hashes)};

    buf_free(growth);
    *growth = BUF_INIT(GROWTH_MAX);
    return growth_encode(&g, growth, e);
}

static void
sign(struct release *r)
{
    struct err e = {0};

    if (show_growth(&r->op, &r->growth, &e) != 0) {
        ca_die(&e, "a checkpoint"); /* its limit is that of the ledger */
    }
    r->sign = (struct signer_job){.task = {.done = on_signed},
                                  .object = SIGNER_CHECKPOINT,
                                  .tbs = buf_span(&r->op.note),
                                  .evidence = buf_span(&r->growth)};
    committed_wait(r->ca->committed);
    signer_submit(r->ca->log, &r->sign);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    sign(arg);
}

static void
on_prepared(struct task *task)
{
    struct release *r = CONTAINER_OF(task, struct release, op.op.task);

    ca_check_store(&r->op.op, "prepare a checkpoint");
    if (r->op.note.n == 0) {
        finish(r); /* the stored one covers everything */
        return;
    }
    sign(r);
}

static void
begin(struct release *r)
{
    r->busy = true;
    r->ca->jobs++;
    ledger_prepare_op(&r->op, r->ca->ledger);
    r->op.op.task.done = on_prepared;
    store_submit(r->ca->store, &r->op.op);
}

void
release_wait(struct release *r, struct release_item *item)
{
    if (item->leaf < ledger_stored(r->ca->ledger)) {
        item->released(item);
        return;
    }
    item->next = r->waiting;
    r->waiting = item;
    if (!r->busy) {
        begin(r);
    }
}

void
release_soon(struct release *r)
{
    if (!r->busy) {
        begin(r);
    }
}

/* One checkpoint; *more when there was something for it to cover. */
static int
release_one(struct ca *ca, struct ledger_op *op, bool *more, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf growth = {0};

    ledger_prepare_op(op, ca->ledger);
    if (store_call(ca->store, &op->op, e) != 0) {
        return err_wrap(e, "prepare a checkpoint");
    }
    *more = op->note.n > 0;
    if (!*more) {
        return 0;
    }
    if (show_growth(op, &growth, e) != 0 ||
        signer_sign_logged(ca->log, SIGNER_CHECKPOINT, buf_span(&op->note), buf_span(&growth),
                           &signature, e) != 0) {
        return err_wrap(e, "publish a checkpoint");
    }
    ledger_publish_op(op, ca->ledger, buf_span(&signature));
    return store_call(ca->store, &op->op, e) != 0 ? err_wrap(e, "publish a checkpoint") : 0;
}

/* What the loop has not published. */
static int
release_files(struct ca *ca, struct err *e)
{
    struct ledger_op op = {0};

    if (ledger_published(ca->ledger) == ledger_stored(ca->ledger)) {
        return 0;
    }
    ledger_files_op(&op, ca->ledger);
    return store_call(ca->store, &op.op, e) != 0 ? err_wrap(e, "publish a checkpoint") : 0;
}

int
release_now(struct ca *ca, struct err *e)
{
    bool more = true;
    int result = release_files(ca, e);

    while (more && result == 0) {
        struct ledger_op op = {0};

        result = release_one(ca, &op, &more, e);
        ledger_op_free(&op);
    }
    return result;
}

struct release *
release_new(struct ca *ca)
{
    struct release *r = mem_new(sizeof(*r));

    r->ca = ca;
    r->again = ca_timer(ca, on_again, r);
    r->soon = ca_timer(ca, on_soon, r);
    return r;
}

void
release_free(struct release *r)
{
    if (r == NULL) {
        return;
    }
    event_free(r->again);
    event_free(r->soon);
    ledger_op_free(&r->op);
    buf_free(&r->growth);
    mem_free(r);
}
