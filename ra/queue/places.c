/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/places.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/cmp/queue.h"
#include "ra/queue/wrapper.h"

struct place {
    struct requests_entry entry; /* as it was; then `message` and `entry` as they will be */
    struct head *head;           /* NULL: none */
    bool ours;
};

struct places {
    struct ra *ra;
    struct task task;
    struct store_op op;
    struct place all[PLACES_MAX];
    size_t n;
    size_t taken;
    struct err why; /* of the first that is not ours */
    places_done *done;
    void *arg;
};

bool
places_are_needed(const struct ra *ra, const struct requests_entry *entry, const struct head *head)
{
    return head == NULL || entry->untimely || !head_is_current(ra, head);
}

/* ---- is it ours, and what does it say? ---- */

/* From before there were heads: the message inside comes out. */
static int
open_wrapper(const struct ra *ra, struct place *place, struct cmp_queue_entry *says, struct err *e)
{
    const struct credentials *c = &ra->credentials;
    const struct wrapper_owner owner = {
        .seal_key = buf_span(&ra->seal_key), .issuing = c->issuing, .root = c->root};
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);

    if (wrapper_open(&owner, buf_span(&place->entry.message), clock_now(), says, &message, e) !=
        0) {
        return -1;
    }
    buf_move(&place->entry.message, &message);
    return 0;
}

static int
open_leaf(const struct ra *ra, const struct place *place, struct cmp_queue_entry *says,
          struct err *e)
{
    const struct span entry = buf_span(&place->entry.entry);

    return head_check_stamp(ra, place->head, e) != 0 ||
                   head_covers(place->head, place->entry.sequence, entry, e) != 0
               ? -1
               : cmp_queue_entry_decode(entry, says, e);
}

static int
renew(const struct ra *ra, struct place *place, struct err *e)
{
    const struct span rid = span_of(place->entry.rid, sizeof(place->entry.rid));
    struct cmp_queue_entry says;
    uint8_t hash[SHA256_SIZE];

    if ((place->head == NULL ? open_wrapper(ra, place, &says, e)
                             : open_leaf(ra, place, &says, e)) != 0 ||
        sha256(buf_span(&place->entry.message), hash, e) != 0) {
        return -1;
    }
    if (!span_equal(rid, span_of(hash, sizeof(hash)))) {
        return err_set(e, ERR_DENIED, "queue entry: about another message");
    }
    if (says.received_at > clock_now()) {
        says.received_at = clock_now(); /* by a clock that was set back since */
    }
    memcpy(says.rid, rid.p, sizeof(says.rid));
    buf_free(&place->entry.entry);
    place->entry.entry = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    return cmp_queue_entry_encode(&says, &place->entry.entry, e);
}

static void
run_renew(struct task *task)
{
    struct places *p = CONTAINER_OF(task, struct places, task);

    for (size_t i = 0; i < p->n; i++) {
        struct err e = {0};

        p->all[i].ours = renew(p->ra, &p->all[i], &e) == 0;
        if (!p->all[i].ours && p->why.code == ERR_NONE) {
            p->why = e;
        }
    }
}

/* ---- another place ---- */

static int
run_take(struct store_op *op, struct store_db *db, struct err *e)
{
    struct places *p = CONTAINER_OF(op, struct places, op);
    CLEANUP(requests_head_clear) struct requests_head head = {0};
    const struct requests_author author = heads_author(p->ra);

    p->taken = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct requests_entry *entry = &p->all[i].entry;
        const struct requests_item item = {.rid = span_of(entry->rid, sizeof(entry->rid)),
                                           .message = buf_span(&entry->message),
                                           .entry = buf_span(&entry->entry)};
        bool taken = false;

        if (p->all[i].ours && requests_take_place(db, &item, &taken, e) != 0) {
            return -1;
        }
        p->taken += taken;
    }
    return requests_put_head(db, &author, &head, e);
}

static void
on_taken(struct task *task)
{
    struct places *p = CONTAINER_OF(task, struct places, op.task);

    if (p->op.result != 0) {
        p->taken = 0;
        p->why = p->op.e;
        if (ra_store_is_lost(&p->why)) {
            ra_fail(p->ra, &p->why);
        }
    }
    if (p->why.code != ERR_NONE) {
        heads_say_not_ours(p->ra, &p->why);
    }
    p->done(p->arg, p->taken);
    places_free(p);
}

static void
on_renewed(struct task *task)
{
    struct places *p = CONTAINER_OF(task, struct places, task);

    p->op = (struct store_op){.task.done = on_taken, .run = run_take};
    store_submit(p->ra->store, &p->op);
}

void
places_begin(struct places *p, places_done *done, void *arg)
{
    p->done = done;
    p->arg = arg;
    p->task = (struct task){.run = run_renew, .done = on_renewed};
    pool_submit(p->ra->pool, &p->task);
}

/* ---- life ---- */

struct places *
places_new(struct ra *ra)
{
    struct places *p = mem_new(sizeof(*p));

    p->ra = ra;
    return p;
}

void
places_add(struct places *p, struct requests_entry *entry, struct head *head)
{
    struct place *place = &p->all[p->n++];

    assert(p->n <= PLACES_MAX);
    place->entry = *entry;
    memset(entry, 0, sizeof(*entry));
    place->head = head != NULL ? head_use(head) : NULL;
}

size_t
places_count(const struct places *p)
{
    return p->n;
}

void
places_free(struct places *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        requests_entry_clear(&p->all[i].entry);
        head_release(p->ra->heads, p->all[i].head);
    }
    mem_free(p);
}
