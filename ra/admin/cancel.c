/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   worker verifies -> CA: the signer's role -> store: cancelled here, kept -> link CANCEL ->
 * store: closed -> done
 *
 * Between the two store steps closing.c tells the CA again, with what was kept.
 */
#include "ra/admin/cancel.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/phrase.h"
#include "ca/link/msg.h"
#include "ra/queue/queue.h"
#include "ra/secret/mac_cache.h"

void
cancelling_clear(struct cancelling *c)
{
    buf_free(&c->input);
    cancellation_signed_free(c->cancellation);
    c->cancellation = NULL;
}

static void
end(struct cancelling *c, int result)
{
    c->result = result;
    c->done(c);
}

static const char *
id_of(const struct cancelling *c)
{
    return c->cancellation->content.registration;
}

static void
on_store(struct cancelling *c, int (*run)(struct store_op *, struct store_db *, struct err *),
         void (*done)(struct task *))
{
    c->op = (struct store_op){.task.done = done, .run = run};
    store_submit(c->ra->store, &c->op);
}

/* ---- the CA has it ---- */

static int
closed_run(struct store_op *op, struct store_db *db, struct err *e)
{
    return requests_closed(db, id_of(CONTAINER_OF(op, struct cancelling, op)), e);
}

static void
closed_done(struct task *task)
{
    struct cancelling *c = CONTAINER_OF(task, struct cancelling, op.task);

    c->e = c->op.e;
    end(c, c->op.result);
}

static void
on_reply(void *arg, const struct link_message *reply)
{
    struct cancelling *c = arg;

    if (reply != NULL && reply->type == LINK_CANCELLED) {
        on_store(c, closed_run, closed_done);
        return;
    }
    if (reply != NULL && reply->type == LINK_REFUSED) {
        (void)err_set(&c->e, ERR_DENIED, "cancelled here, but the CA says: %.*s",
                      (int)reply->phrase.n, (const char *)reply->phrase.p);
    } else {
        (void)err_set(&c->e, ERR_BUSY,
                      "cancelled here; the CA did not answer and is told again until it does: "
                      "what was issued is not revoked before");
    }
    end(c, -1);
}

/* ---- cancelled here ---- */

static int
cancel_run(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct cancelling *c = CONTAINER_OF(op, struct cancelling, op);

    return requests_cancel(db, id_of(c), buf_span(&c->cancellation->cms),
                           phrase_text(PHRASE_CANCELLED), e);
}

static void
cancel_done(struct task *task)
{
    struct cancelling *c = CONTAINER_OF(task, struct cancelling, op.task);
    uint8_t id[LINK_REGISTRATION_SIZE] = {0};
    struct link_message m = {.type = LINK_CANCEL, .id = span_of(id, sizeof(id))};

    if (c->op.result != 0) {
        c->e = c->op.e;
        end(c, -1);
        return;
    }
    mac_cache_forget(c->ra->mac_cache, id_of(c));
    m.body = buf_span(&c->cancellation->cms);
    if (hex_parse(id_of(c), id, sizeof(id), &c->e) != 0) {
        end(c, -1);
    } else if (queue_ask(c->ra->queue, &m, on_reply, c, &c->e) != 0) {
        (void)err_wrap(&c->e, "cancelled here; the CA is told when it is there: what was issued is "
                              "not revoked before");
        end(c, -1);
    }
}

/* ---- who signed ---- */

static void
on_role(struct role_waiter *w, enum role role)
{
    struct cancelling *c = CONTAINER_OF(w, struct cancelling, waiter);

    if (role == ROLE_UNKNOWN) {
        (void)err_set(&c->e, ERR_BUSY,
                      "the CA, which knows whose signature this is, does not answer: nothing is "
                      "cancelled, try again");
        end(c, -1);
    } else if (role != ROLE_REGISTRAR) {
        (void)err_set(&c->e, ERR_DENIED,
                      "the signer's role is %s by the CA's record: a registrar cancels",
                      role_name(role));
        end(c, -1);
    } else {
        on_store(c, cancel_run, cancel_done);
    }
}

static int
verify(struct cancelling *c)
{
    const struct credentials *credentials = &c->ra->credentials;
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);

    c->cancellation = cancellation_verify(buf_span(&c->input), credentials->issuing,
                                          credentials->root, clock_now(), &c->e);
    return c->cancellation == NULL ||
                   OSSL_ENCODE(X509, c->cancellation->signer, &der, &c->e) != 0 ||
                   sha256(buf_span(&der), c->signer, &c->e) != 0
               ? -1
               : 0;
}

static void
verify_run(struct task *task)
{
    struct cancelling *c = CONTAINER_OF(task, struct cancelling, task);

    c->result = verify(c);
}

static void
verify_done(struct task *task)
{
    struct cancelling *c = CONTAINER_OF(task, struct cancelling, task);

    if (c->result != 0) {
        end(c, -1);
        return;
    }
    c->waiter.done = on_role;
    roles_ask(c->ra->roles, c->signer, false, &c->waiter);
}

void
cancel(struct cancelling *c)
{
    c->task = (struct task){.run = verify_run, .done = verify_done};
    pool_submit(c->ra->pool, &c->task);
}
