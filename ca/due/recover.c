/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/due/recover.h"

#include <string.h>

#include "ca/request/stages.h"

enum { AT_ONCE = 64, OFFICERS_AGE_S = 24 * 60 * 60 };

/* An intent, as it is found. */
struct found {
    uint8_t rid[ISSUANCE_RID_SIZE];
    time_t created;
    bool is_officers;
    struct buf evidence; /* what it was made with */
};

struct recover {
    struct ca *ca;
    void (*done)(struct ca *, struct recovery);
    struct recovery count;
    struct store_op op;
    struct found open[AT_ONCE];
    size_t n;
    size_t left;
};

static void look(struct recover *v);

static void
on_ended(struct request *r)
{
    struct recover *v = r->owner;

    switch (r->outcome) {
    case OUTCOME_ISSUED:
        v->count.resumed++;
        break;
    case OUTCOME_REFUSED:
        v->count.abandoned++;
        break;
    case OUTCOME_NONE:
    case OUTCOME_CONFIRMED:
    case OUTCOME_REVOKED:
    case OUTCOME_WAITING:
    case OUTCOME_BUSY:
    case OUTCOME_DEFERRED:
        ca_die(&r->e, "finish an intent");
    }
    v->left--;
    if (v->left == 0) {
        look(v);
    }
}

static void
submit(struct recover *v, const struct found *o)
{
    struct ca *ca = v->ca;
    struct flight *busy = NULL;
    struct flight *flight = ca_flight_begin(ca, span_of(o->rid, sizeof(o->rid)), 0, &busy);
    struct request *r;

    if (flight == NULL) { /* a rid has one row, and nobody else is served yet */
        ca_die(&(struct err){.code = ERR_BUSY, .text = "it is under way"}, "finish an intent");
    }
    r = request_new(ca, flight, buf_span(&o->evidence));
    r->is_due = true;
    r->opened_at = o->created;
    r->ended = on_ended;
    r->owner = v;
    r->ras = ca_ras_hold(ca);
    v->left++;
    if (o->is_officers) {
        request_be(r, &kind_officer);
        requests_enter(ca->requests, r, STAGE_LOOK);
    } else {
        requests_enter(ca->requests, r, STAGE_OPEN);
    }
}

static void
add(void *arg, const struct issuance_request *row)
{
    struct recover *v = arg;
    struct found *o = &v->open[v->n++];

    memcpy(o->rid, row->rid, sizeof(o->rid));
    o->created = row->created;
    o->is_officers = row->registration[0] == '\0';
    o->evidence = BUF_INIT(ISSUANCE_EVIDENCE_MAX);
}

static int
run_look(struct store_op *op, struct store_db *db, struct err *e)
{
    struct recover *v = CONTAINER_OF(op, struct recover, op);

    v->n = 0;
    if (issuance_open_each(db, clock_now() - OFFICERS_AGE_S, AT_ONCE, add, v, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < v->n; i++) {
        struct found *o = &v->open[i];

        if (issuance_evidence(db, span_of(o->rid, sizeof(o->rid)), &o->evidence, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* A stop leaves what is left to the next start. */
static void
end(struct recover *v)
{
    if (!v->ca->stopping) {
        v->done(v->ca, v->count);
    }
    mem_free(v);
}

static void
on_look(struct task *task)
{
    struct recover *v = CONTAINER_OF(task, struct recover, op.task);
    const bool over = v->n == 0 || v->ca->stopping;

    ca_check_store(&v->op, "look for intents");
    v->ca->jobs--;
    for (size_t i = 0; i < v->n; i++) {
        if (!over) {
            submit(v, &v->open[i]);
        }
        buf_free(&v->open[i].evidence);
    }
    if (over) {
        end(v);
    }
}

static void
look(struct recover *v)
{
    v->ca->jobs++;
    v->op = (struct store_op){.run = run_look, .task = {.done = on_look}};
    store_submit(v->ca->store, &v->op);
}

void
recover_begin(struct ca *ca, void (*done)(struct ca *, struct recovery))
{
    struct recover *v = mem_new(sizeof(*v));

    v->ca = ca;
    v->done = done;
    look(v);
}
