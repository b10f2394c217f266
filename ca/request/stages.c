/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which thread does what to a request. A stage gets what has come as a batch; while one is out, or
 * workers or a signer have what may join a commit, the next gathers, so load makes the batches and
 * no timer does.
 */
#include "ca/request/stages.h"

#include <string.h>

#include "base/hurry.h"
#include "ca/cmp/protection/signers.h"
#include "ca/publish/inclusion.h"
#include "ca/request/answer.h"
#include "ca/request/kind/intent.h"
#include "ca/request/kind/refusal.h"
#include "ca/request/open.h"
#include "pkcs11/client/evidence.h"

enum {
    PIECE = 16,       /* what a worker gets at once */
    GROUP = 256,      /* what is committed at once: STORE_GROUP_MAX */
    AT_ONCE_MAX = 16, /* batches of a stage that are out at once */
};

/* A batch that is out with a worker or the store. */
struct crew {
    struct requests *requests;
    struct batch batch;
    struct task work;
    enum request_stage (*compute)(struct request *);
    struct store_op op;
};

struct requests {
    struct ca *ca;
    struct pipeline *pipeline;
    struct hurry *hurry;
    struct crew crews[REQUEST_STAGES][AT_ONCE_MAX];
};

static struct request *
request_of(struct pipeline_job *job)
{
    return job == NULL ? NULL : CONTAINER_OF(job, struct request, job);
}

static struct crew *
muster(struct pipeline *p, enum request_stage stage, const struct batch *batch)
{
    struct requests *all = pipeline_context(p);
    struct crew *crew = &all->crews[stage][batch->slot];
    const time_t now = clock_now();

    crew->requests = all;
    crew->batch = *batch;
    for (struct pipeline_job *job = batch->first; job != NULL; job = job->next) {
        request_of(job)->now = now;
    }
    return crew;
}

/* One goes on, whatever became of the others. */
static void
go_on(struct request *r, struct pipeline *p, enum request_stage next)
{
    struct batch one = {0};

    r->job.stage = next;
    batch_add(&one, &r->job);
    pipeline_return(p, &one);
}

/* ---- workers ---- */

static void
worked(struct task *task)
{
    struct crew *crew = CONTAINER_OF(task, struct crew, work);

    pipeline_return(crew->requests->pipeline, &crew->batch);
}

static void
run_work(struct task *task)
{
    const struct crew *crew = CONTAINER_OF(task, struct crew, work);

    for (struct pipeline_job *job = crew->batch.first; job != NULL; job = job->next) {
        job->stage = crew->compute(request_of(job));
    }
}

static void
work(struct crew *crew, enum request_stage (*compute)(struct request *))
{
    crew->compute = compute;
    crew->work = (struct task){.run = run_work, .done = worked};
    pool_submit(crew->requests->ca->pool, &crew->work);
}

static void
start_open(struct pipeline *p, struct batch *batch)
{
    work(muster(p, STAGE_OPEN, batch), request_open);
}

static enum request_stage
judge(struct request *r)
{
    return r->kind->judge(r);
}

static void
start_judge(struct pipeline *p, struct batch *batch)
{
    work(muster(p, STAGE_JUDGE, batch), judge);
}

static void
start_seal(struct pipeline *p, struct batch *batch)
{
    work(muster(p, STAGE_SEAL, batch), intent_seal);
}

/* ---- the store: one operation for a batch ---- */

static void
stored(struct task *task)
{
    struct crew *crew = CONTAINER_OF(task, struct crew, op.task);

    ca_check_store(&crew->op, "requests");
    pipeline_return(crew->requests->pipeline, &crew->batch);
}

static void
store(struct crew *crew, int (*run)(struct store_op *, struct store_db *, struct err *))
{
    crew->op = (struct store_op){.run = run, .task = {.done = stored}};
    store_submit(crew->requests->ca->store, &crew->op);
}

static int
run_look(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct crew *crew = CONTAINER_OF(op, struct crew, op);

    for (struct pipeline_job *job = crew->batch.first; job != NULL; job = job->next) {
        enum request_stage next = STAGE_RELEASE;

        if (request_look(request_of(job), db, &next, e) != 0) {
            return err_wrap(e, "look a request up");
        }
        job->stage = next;
    }
    return 0;
}

static void
start_look(struct pipeline *p, struct batch *batch)
{
    store(muster(p, STAGE_LOOK, batch), run_look);
}

static int
run_intend(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct crew *crew = CONTAINER_OF(op, struct crew, op);

    for (struct pipeline_job *job = crew->batch.first; job != NULL; job = job->next) {
        struct request *r = request_of(job);
        enum request_stage next = STAGE_RELEASE;

        if (r->kind->intend(r, db, &next, e) != 0) {
            return err_wrap(e, "store an intent");
        }
        job->stage = next;
    }
    return 0;
}

/* Nobody else is on the way whose leaves could share a checkpoint: it begins with this commit. */
static void
release_alone(struct pipeline *p, const struct batch *batch)
{
    const struct requests *all = pipeline_context(p);

    if (pipeline_jobs(p) == batch->n) {
        release_soon(all->ca->release);
    }
}

static void
start_intend(struct pipeline *p, struct batch *batch)
{
    store(muster(p, STAGE_INTEND, batch), run_intend);
    release_alone(p, batch);
}

/* Those whose intent had a stored checkpoint before they asked for one. One for all: whatever
 * covers the last of them covers the others. */
static int
run_prove(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct crew *crew = CONTAINER_OF(op, struct crew, op);
    CLEANUP(buf_free) struct buf note = BUF_INIT(EVIDENCE_NOTE_MAX);
    uint64_t size;

    if (ledger_newest(crew->requests->ca->ledger, db, &note, &size, e) != 0) {
        return -1;
    }
    for (struct pipeline_job *job = crew->batch.first; job != NULL; job = job->next) {
        struct request *r = request_of(job);

        if (inclusion_prove(db, r->row.leaf, buf_span(&note), size, &r->inclusion, e) != 0) {
            return -1;
        }
        job->stage = STAGE_SIGN;
    }
    return 0;
}

static void
start_prove(struct pipeline *p, struct batch *batch)
{
    store(muster(p, STAGE_PROVE, batch), run_prove);
}

static int
run_record(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct crew *crew = CONTAINER_OF(op, struct crew, op);

    for (struct pipeline_job *job = crew->batch.first; job != NULL; job = job->next) {
        struct request *r = request_of(job);

        if ((r->outcome == OUTCOME_REFUSED ? request_record_refusal(r, db, e)
                                           : r->kind->record(r, db, e)) != 0) {
            return err_wrap(e, "record a request");
        }
        job->stage = r->outcome == OUTCOME_BUSY || r->outcome == OUTCOME_DEFERRED ? STAGE_RELEASE
                                                                                  : STAGE_LOG;
    }
    return 0;
}

static void
start_record(struct pipeline *p, struct batch *batch)
{
    store(muster(p, STAGE_RECORD, batch), run_record);
    release_alone(p, batch);
}

/* ---- the token ---- */

static void
on_signed(struct task *task)
{
    struct request *r = CONTAINER_OF(task, struct request, sign.task);

    go_on(r, r->ca->requests->pipeline, intent_signed(r));
}

static void
start_sign(struct pipeline *p, struct batch *batch)
{
    const struct requests *all = pipeline_context(p);
    struct request *r;

    while ((r = request_of(batch_take(batch))) != NULL) {
        r->sign = (struct signer_job){.task = {.done = on_signed},
                                      .object = SIGNER_CERTIFICATE,
                                      .tbs = buf_span(&r->row.tbs),
                                      .evidence = buf_span(&r->inclusion)};
        signer_pool_submit(all->ca->issuing, &r->sign);
    }
}

/* ---- checkpoints and CRLs ---- */

static void
on_intent_logged(struct release_item *item)
{
    struct request *r = CONTAINER_OF(item, struct request, release);

    go_on(r, r->ca->requests->pipeline, r->inclusion.n > 0 ? STAGE_SIGN : STAGE_PROVE);
}

static int
prove_intent(struct release_item *item, struct store_db *db, struct span note, uint64_t size,
             struct err *e)
{
    struct request *r = CONTAINER_OF(item, struct request, release);

    return inclusion_prove(db, r->row.leaf, note, size, &r->inclusion, e);
}

static void
start_log_intent(struct pipeline *p, struct batch *batch)
{
    struct request *r;

    (void)p;
    while ((r = request_of(batch_take(batch))) != NULL) {
        r->release = (struct release_item){
            .leaf = r->row.leaf, .released = on_intent_logged, .prove = prove_intent};
        release_wait(r->ca->release, &r->release);
    }
}

static void
on_logged(struct release_item *item)
{
    struct request *r = CONTAINER_OF(item, struct request, release);

    go_on(r, r->ca->requests->pipeline, STAGE_RELEASE);
}

static void
start_log(struct pipeline *p, struct batch *batch)
{
    struct request *r;

    (void)p;
    while ((r = request_of(batch_take(batch))) != NULL) {
        r->release = (struct release_item){.leaf = r->leaf, .released = on_logged};
        release_wait(r->ca->release, &r->release);
    }
}

/* When the token is away the CRL comes later; the revocation is in the record, and that is what
 * counts. */
static void
on_crl(struct crl_waiter *waiter, uint64_t number, const struct err *why)
{
    struct request *r = CONTAINER_OF(waiter, struct request, crl);

    (void)number;
    if (why != NULL) {
        log_err(LOG_WARNING, "revoked", why, "the CRL follows");
    }
    go_on(r, r->ca->requests->pipeline, STAGE_ANSWER);
}

static void
start_release(struct pipeline *p, struct batch *batch)
{
    const struct requests *all = pipeline_context(p);
    struct batch free = {0};
    bool follows = false;
    struct request *r;

    while ((r = request_of(batch_take(batch))) != NULL) {
        if (r->revoked && r->kind->awaits_crl) {
            r->crl.done = on_crl;
            crl_make(all->ca->crl, &r->crl);
            continue;
        }
        follows = follows || (r->revoked && r->opened_at == 0); /* a start makes one at its end */
        r->job.stage = STAGE_ANSWER;
        batch_add(&free, &r->job);
    }
    if (follows) {
        crl_make(all->ca->crl, NULL);
    }
    pipeline_return(p, &free);
}

static void
start_answer(struct pipeline *p, struct batch *batch)
{
    const struct requests *all = pipeline_context(p);
    struct request *r;

    while ((r = request_of(batch_take(batch))) != NULL) {
        if (r->call != NULL) { /* it may be an RA's */
            ca_ras_reload(all->ca);
        }
        request_answer(all->ca, r);
        pipeline_end(p, &r->job);
        if (r->ended != NULL) {
            r->ended(r);
        }
        request_free(all->ca, r);
    }
}

/* ---- the table ---- */

enum { WORKERS = AT_ONCE_MAX }; /* as many as the pool has, but not more */

static const struct stage table[REQUEST_STAGES] = {
    [STAGE_OPEN] = {"open", PIECE, WORKERS, start_open},
    [STAGE_LOOK] = {"look", GROUP, 1, start_look},
    [STAGE_JUDGE] = {"judge", PIECE, WORKERS, start_judge},
    [STAGE_INTEND] = {"intend", GROUP, 1, start_intend},
    [STAGE_LOG_INTENT] = {"log-intent", GROUP, PIPELINE_ANY, start_log_intent},
    [STAGE_PROVE] = {"prove", GROUP, 1, start_prove},
    [STAGE_SIGN] = {"sign", PIECE, 8, start_sign},
    [STAGE_SEAL] = {"seal", PIECE, WORKERS, start_seal},
    [STAGE_RECORD] = {"record", GROUP, 1, start_record},
    [STAGE_LOG] = {"log", GROUP, PIPELINE_ANY, start_log},
    [STAGE_RELEASE] = {"release", GROUP, PIPELINE_ANY, start_release},
    [STAGE_ANSWER] = {"answer", GROUP, PIPELINE_ANY, start_answer},
};

static void
wait_briefly(void *context)
{
    const struct requests *all = context;

    hurry_begin(all->hurry);
}

static void
start_soon(void *context)
{
    const struct requests *all = context;

    hurry_soon(all->hurry);
}

enum { COMPUTING = 1U << STAGE_OPEN | 1U << STAGE_JUDGE | 1U << STAGE_SEAL };

struct requests *
requests_new(struct ca *ca)
{
    static const struct gathering gathering = {
        .awaits = {[STAGE_LOOK] = COMPUTING,
                   [STAGE_INTEND] = COMPUTING,
                   [STAGE_PROVE] = COMPUTING,
                   [STAGE_RECORD] = COMPUTING | 1U << STAGE_SIGN},
        .wait = wait_briefly,
        .soon = start_soon,
    };
    struct requests *all = mem_new(sizeof(*all));
    struct stage stages[REQUEST_STAGES];

    all->ca = ca;
    memcpy(stages, table, sizeof(stages));
    for (size_t i = 0; i < REQUEST_STAGES; i++) {
        if (stages[i].at_once == WORKERS && (size_t)ca->conf.workers < WORKERS) {
            stages[i].at_once = (unsigned)ca->conf.workers;
        }
    }
    all->pipeline = pipeline_new(stages, REQUEST_STAGES, &gathering, all);
    all->hurry = hurry_new(ca->base, all->pipeline);
    signers_keep();
    return all;
}

void
requests_free(struct requests *all)
{
    if (all != NULL) {
        signers_forget();
        pipeline_free(all->pipeline);
        hurry_free(all->hurry);
        mem_free(all);
    }
}

/* ---- ways in ---- */

void
requests_enter(struct requests *all, struct request *r, enum request_stage stage)
{
    pipeline_enter(all->pipeline, &r->job, stage);
}
