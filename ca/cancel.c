/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a registration: closed, and everything live under it revoked, in one transaction; then
 * a CRL, then the answer. A crash after the transaction leaves nothing to be done but the CRL,
 * which every start makes; a crash before it, everything, and whoever asked asks again.
 */
#include <string.h>

#include "ca/crl_maker.h"
#include "ca/register.h"
#include "ca/release.h"
#include "ca/waiting.h"

struct cancelling {
    struct ca *ca;
    link_peer peer;
    struct admin_call *call; /* NULL: from the link */
    uint8_t id[LINK_REGISTRATION_SIZE];
    struct store_op op;
    struct crl_waiter crl;
    struct release_item release;
    enum issuance_outcome outcome;
    uint64_t leaf;
    int revoked;
    time_t now;
};

static struct cancelling *
cancelling_new(struct ca *ca)
{
    struct cancelling *c = mem_zalloc(1, sizeof(*c));

    c->ca = ca;
    c->now = clock_now();
    ca->jobs++;
    return c;
}

static void
cancelling_free(struct cancelling *c)
{
    c->ca->jobs--;
    mem_free(c);
}

static void
end_done(struct release_item *item)
{
    struct cancelling *c = CONTAINER_OF(item, struct cancelling, release);
    const struct link_message m = {.type = LINK_CANCELLED, .id = span_of(c->id, sizeof(c->id))};
    char id[ISSUANCE_ID_SIZE];

    if (c->call == NULL) {
        ca_answer(c->ca, c->peer, &m);
    } else {
        hex_format(span_of(c->id, sizeof(c->id)), id);
        admin_answer(c->call, json_pack("{s:s,s:i,s:b}", "registration", id, "revoked", c->revoked,
                                        "already", c->outcome == ISSUANCE_KNOWN));
    }
    cancelling_free(c);
}

static void
wait_for_release(struct cancelling *c)
{
    c->release = (struct release_item){.leaf = c->leaf, .released = end_done};
    release_wait(c->ca->release, &c->release);
}

static void
on_published(struct crl_waiter *waiter, uint64_t number, const struct err *why)
{
    struct cancelling *c = CONTAINER_OF(waiter, struct cancelling, crl);

    (void)number;
    if (why != NULL) {
        log_err(LOG_WARNING, "cancelled", why, "the CRL follows");
    }
    wait_for_release(c);
}

static int
run_cancel(struct store_op *op, struct store_db *db, struct err *e)
{
    struct cancelling *c = CONTAINER_OF(op, struct cancelling, op);
    char id[ISSUANCE_ID_SIZE];

    hex_format(span_of(c->id, sizeof(c->id)), id);
    return issuance_cancel(db, id, c->now, &c->leaf, &c->revoked, &c->outcome, e);
}

static void
refuse(struct cancelling *c)
{
    struct err e = {0};

    (void)err_set(&e, ERR_NOTFOUND, "no such registration: 'registrations' lists them");
    log_err(LOG_WARNING, "cancel-refused", &e, "%s", issuance_outcome_text(c->outcome));
    if (c->call != NULL) {
        admin_refuse(c->call, &e);
    } else {
        ca_answer_refused(c->ca, c->peer, span_of(c->id, sizeof(c->id)), CMP_NOT_AUTHORIZED,
                          "no such registration");
    }
    cancelling_free(c);
}

static void
on_cancelled(struct task *task)
{
    struct cancelling *c = CONTAINER_OF(task, struct cancelling, op.task);

    ca_check_store(&c->op, "cancel a registration");
    waiting_look(c->ca->waiting); /* what waits for officers under it comes to nothing */
    if (c->outcome != ISSUANCE_DONE && c->outcome != ISSUANCE_KNOWN) {
        refuse(c);
        return;
    }
    if (c->revoked > 0) {
        log_event(LOG_INFO, "cancelled", "%d certificates revoked", c->revoked);
        c->crl.done = on_published;
        crl_make(c->ca->crl, &c->crl);
    } else {
        wait_for_release(c);
    }
}

static void
begin(struct cancelling *c)
{
    c->op = (struct store_op){.run = run_cancel, .task = {.done = on_cancelled}};
    store_submit(c->ca->store, &c->op);
}

void
register_cancel(struct ca *ca, link_peer peer, const struct link_message *m)
{
    struct cancelling *c = cancelling_new(ca);

    c->peer = peer;
    memcpy(c->id, m->id.p, sizeof(c->id)); /* the link's shape: exactly so many */
    begin(c);
}

void
cancel_officer(struct ca *ca, struct admin_call *call, const json_t *request)
{
    const char *id = json_string_value(json_object_get(request, "registration"));
    struct cancelling *c = cancelling_new(ca);
    struct err e = {0};

    c->call = call;
    if (id == NULL || hex_parse(id, c->id, sizeof(c->id), &e) != 0) {
        (void)err_set(&e, ERR_INPUT, "cancel: the 32 hex digits of a registration are needed");
        admin_refuse(call, &e);
        cancelling_free(c);
        return;
    }
    begin(c);
}
