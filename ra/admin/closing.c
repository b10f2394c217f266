/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/admin/closing.h"

#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ra/queue/queue.h"

enum { ROUND_MAX = 8 };

struct item {
    struct closing *closing;
    char id[REQUESTS_ID_SIZE];
    struct buf cms;
    bool closed;
    bool refused;
};

struct closing {
    struct store_op op;
    struct ra *ra;
    struct item items[ROUND_MAX];
    size_t n;
    size_t open; /* asked, not answered */
    bool busy;
};

struct closing *
closing_new(struct ra *ra)
{
    struct closing *c = mem_new(sizeof(*c));

    c->ra = ra;
    return c;
}

void
closing_free(struct closing *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < ROUND_MAX; i++) {
        buf_free(&c->items[i].cms);
    }
    mem_free(c);
}

bool
closing_is_busy(const struct closing *c)
{
    return c->busy;
}

static void
on_store(struct closing *c, int (*run)(struct store_op *, struct store_db *, struct err *),
         void (*done)(struct task *))
{
    c->op = (struct store_op){.task.done = done, .run = run};
    store_submit(c->ra->store, &c->op);
}

static int
note(struct store_db *db, const struct item *item, struct err *e)
{
    return item->closed    ? requests_closed(db, item->id, e)
           : item->refused ? requests_not_closed(db, item->id, e)
                           : 0;
}

static int
closed_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct closing *c = CONTAINER_OF(op, struct closing, op);

    for (size_t i = 0; i < c->n; i++) {
        if (note(db, &c->items[i], e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Another round follows only when this one brought each to its end: a CA that decides nothing would
 * be asked about the same without a pause. */
static bool
is_more(const struct closing *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (!c->items[i].closed && !c->items[i].refused) {
            return false;
        }
    }
    return c->n == ROUND_MAX;
}

static void
closed_done(struct task *task)
{
    struct closing *c = CONTAINER_OF(task, struct closing, op.task);
    const bool more = is_more(c);

    c->busy = false;
    if (c->op.result != 0) {
        ra_fail(c->ra, &c->op.e);
    } else if (more) {
        closing_run(c);
    }
}

static void
end_of_one(struct closing *c)
{
    c->open--;
    if (c->open == 0) {
        on_store(c, closed_run, closed_done);
    }
}

/* REFUSED: the same octets would be refused again. */
static void
on_reply(void *arg, const struct link_message *reply)
{
    struct item *item = arg;

    struct err e = {0};

    item->closed = reply != NULL && reply->type == LINK_CANCELLED;
    item->refused = reply != NULL && reply->type == LINK_REFUSED;
    if (item->closed) {
        log_event(LOG_INFO, "cancelled", "registration %s, at the CA too", item->id);
    } else if (item->refused) {
        (void)err_set(&e, ERR_DENIED, "the CA says: %.*s; what was issued is not revoked",
                      (int)reply->phrase.n, (const char *)reply->phrase.p);
        log_err(LOG_ERROR, "cancel-refused", &e, "registration %s is cancelled here only",
                item->id);
    }
    end_of_one(item->closing);
}

static void
ask(struct closing *c, struct item *item)
{
    uint8_t id[LINK_REGISTRATION_SIZE] = {0};
    const struct link_message m = {
        .type = LINK_CANCEL, .id = span_of(id, sizeof(id)), .body = buf_span(&item->cms)};
    struct err e = {0};

    if (hex_parse(item->id, id, sizeof(id), &e) != 0 ||
        queue_ask(c->ra->queue, &m, on_reply, item, &e) != 0) {
        end_of_one(c); /* in the next round */
    }
}

static void
visit(void *arg, const char *id, struct span cms)
{
    struct closing *c = arg;
    struct item *item = &c->items[c->n++];
    struct err e;

    buf_free(&item->cms);
    *item = (struct item){.closing = c, .cms = BUF_INIT(LINK_CANCEL_MAX)};
    (void)buf_set(&item->cms, cms, &e); /* a longer one was never taken */
    memcpy(item->id, id, sizeof(item->id) - 1);
}

static int
list_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct closing *c = CONTAINER_OF(op, struct closing, op);

    c->n = 0;
    return requests_closing_each(db, ROUND_MAX, visit, c, e);
}

static void
list_done(struct task *task)
{
    struct closing *c = CONTAINER_OF(task, struct closing, op.task);

    if (c->op.result != 0) {
        c->busy = false;
        ra_fail(c->ra, &c->op.e);
        return;
    }
    if (c->n == 0 || !queue_is_up(c->ra->queue)) {
        c->busy = false;
        return;
    }
    c->open = c->n + 1; /* one for this loop, so that no answer ends the round within it */
    for (size_t i = 0; i < c->n; i++) {
        ask(c, &c->items[i]);
    }
    end_of_one(c);
}

void
closing_run(struct closing *c)
{
    if (c->busy || c->ra->failed || !queue_is_up(c->ra->queue)) {
        return;
    }
    c->busy = true;
    on_store(c, list_run, list_done);
}
