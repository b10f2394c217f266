/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/rewrap.h"

#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/cmp/build.h"
#include "pkcs11/client/client.h"
#include "ra/queue/wrapper.h"

enum { UNDER_WAY_MAX = 64 };

struct rewrap {
    struct task task;
    struct store_op op;
    struct signer_job sign;
    struct ra *ra;
    struct requests_entry entry; /* `nested`: the old one, then the new one */
    struct buf part;
    int result;
    struct err e;
    rewrap_done *done;
    void *arg;
};

/* The certificate is the last field of a wrapper. */
bool
rewrap_is_needed(const struct ra *ra, struct span nested)
{
    struct span own = buf_span(&ra->credentials.certificate_der);

    return nested.n < own.n || memcmp(nested.p + (nested.n - own.n), own.p, own.n) != 0;
}

int
rewrap_part(const struct ra *ra, const struct cmp_queue_entry *entry, const struct cmp_msg *msg,
            struct buf *part, struct err *e)
{
    const struct credentials *c = &ra->credentials;
    const struct cmp_wrapper wrapper = {
        .ra = X509_get_subject_name(c->certificate),
        .ca = X509_get_subject_name(c->issuing),
        .sender_kid = c->ski,
        .algorithm = c->algorithm,
        .time = clock_now(),
    };

    *part = BUF_INIT(CMP_NESTED_MAX);
    return cmp_queue_build(entry, msg, &wrapper, part, e);
}

/* ---- the way ---- */

static void
end(struct rewrap *r)
{
    struct ra *ra = r->ra;

    if (r->result == 0) {
        ra->rewrap_failed = false;
        r->done(r->arg, &r->entry, buf_span(&r->entry.nested));
    } else {
        if (!ra->rewrap_failed) {
            log_err(LOG_ERROR, "not-wrapped", &r->e,
                    "requests wait in the queue until they can be signed");
        }
        ra->rewrap_failed = true;
        r->done(r->arg, &r->entry, span_of(NULL, 0));
    }
    ra->rewraps--;
    requests_entry_clear(&r->entry);
    buf_free(&r->part);
    buf_free(&r->sign.signature);
    mem_free(r);
}

static int
run_keep(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct rewrap *r = CONTAINER_OF(op, struct rewrap, op);

    return requests_rewrapped(db, span_of(r->entry.rid, sizeof(r->entry.rid)),
                              buf_span(&r->entry.nested), e);
}

static void
on_kept(struct task *task)
{
    struct rewrap *r = CONTAINER_OF(task, struct rewrap, op.task);

    if (r->op.result != 0) {
        r->result = -1;
        r->e = r->op.e;
        if (r->e.code == ERR_STORE) {
            ra_fail(r->ra, &r->e);
        }
    }
    end(r);
}

static void
on_signed(struct task *task)
{
    struct rewrap *r = CONTAINER_OF(task, struct rewrap, sign.task);
    struct span certificate = buf_span(&r->ra->credentials.certificate_der);

    r->result = r->sign.result;
    r->e = r->sign.e;
    if (r->result == 0) {
        buf_free(&r->entry.nested);
        r->entry.nested = BUF_INIT(CMP_NESTED_MAX);
        r->result = cmp_build_finish(buf_span(&r->part), buf_span(&r->sign.signature), &certificate,
                                     1, &r->entry.nested, &r->e);
    }
    if (r->result != 0) {
        end(r);
        return;
    }
    r->op = (struct store_op){.task.done = on_kept, .run = run_keep};
    store_submit(r->ra->store, &r->op);
}

static void
run_build(struct task *task)
{
    struct rewrap *r = CONTAINER_OF(task, struct rewrap, task);
    CLEANUP(cmp_queued_cleanup)
    struct cmp_queued *q = cmp_queued_parse(buf_span(&r->entry.nested), &r->e);
    const struct credentials *c = &r->ra->credentials;
    const struct wrapper_owner owner = {
        .seal_key = buf_span(&r->ra->seal_key), .issuing = c->issuing, .root = c->root};
    struct cmp_queue_entry entry;

    r->result = -1;
    if (q == NULL || wrapper_check(&owner, q, clock_now(), &r->e) != 0) {
        return;
    }
    entry = *cmp_queued_entry(q);
    if (entry.received_at > clock_now()) {
        entry.received_at = clock_now(); /* by a clock that was set back since */
    }
    r->result = rewrap_part(r->ra, &entry, cmp_queued_inner(q), &r->part, &r->e);
}

static void
on_built(struct task *task)
{
    struct rewrap *r = CONTAINER_OF(task, struct rewrap, task);

    if (r->result != 0) {
        end(r);
        return;
    }
    r->sign = (struct signer_job){
        .task.done = on_signed, .object = SIGNER_CMP, .tbs = buf_span(&r->part)};
    signer_submit(r->ra->signer, &r->sign);
}

bool
rewrap_begin(struct ra *ra, const struct requests_entry *entry, struct span nested,
             rewrap_done *done, void *arg)
{
    struct rewrap *r;
    struct err e;

    if (ra->rewraps >= UNDER_WAY_MAX) {
        return false;
    }
    r = mem_new(sizeof(*r));
    r->ra = ra;
    r->entry = *entry;
    r->entry.untimely = false;
    r->entry.nested = BUF_INIT(CMP_NESTED_MAX);
    r->done = done;
    r->arg = arg;
    ra->rewraps++;
    if (buf_set(&r->entry.nested, nested, &e) != 0) {
        buf_truncate(&r->entry.nested, 0); /* damaged: the parser says so */
    }
    r->task = (struct task){.run = run_build, .done = on_built};
    pool_submit(ra->pool, &r->task);
    return true;
}
