/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   verify (worker): signature, path, window -> decide (store): a registrar's, closed and revoked
 * -> CRL -> release -> answer
 *
 * The end of a registration: closed, and everything live under it revoked, in one transaction; then
 * a CRL, then the answer. A crash after the transaction leaves nothing to be done but the CRL,
 * which every start makes; a crash before it, everything, and whoever asked asks again.
 */
#include <string.h>

#include "ca/due/waiting.h"
#include "ca/office/register.h"
#include "ca/publish/checkpoint.h"
#include "ca/publish/crl.h"
#include "ca/publish/operation.h"
#include "ca/registration/cancellation.h"
#include "ca/x509/serial.h"

struct cancelling {
    struct ca *ca;
    link_peer peer;
    struct admin_call *call; /* NULL: from the link */
    uint8_t id[LINK_REGISTRATION_SIZE];
    char text[ISSUANCE_ID_SIZE]; /* the same */
    struct buf cms;
    struct cancellation_signed *verified;
    struct buf registrar; /* certificate */
    const char *by;       /* the officer */
    struct task work;
    struct store_op op;
    struct crl_waiter crl;
    struct release_item release;
    enum issuance_outcome outcome;
    uint64_t leaf;
    int revoked;
    time_t now;
    int result;
    struct err e;
};

static struct cancelling *
cancelling_new(struct ca *ca)
{
    struct cancelling *c = mem_new(sizeof(*c));

    c->ca = ca;
    c->now = clock_now();
    ca->jobs++;
    return c;
}

static void
cancelling_free(struct cancelling *c)
{
    c->ca->jobs--;
    cancellation_signed_free(c->verified);
    buf_free(&c->cms);
    buf_free(&c->registrar);
    mem_free(c);
}

static void
end_done(struct release_item *item)
{
    struct cancelling *c = CONTAINER_OF(item, struct cancelling, release);
    const struct link_message m = {.type = LINK_CANCELLED, .id = span_of(c->id, sizeof(c->id))};

    if (c->call == NULL) {
        ca_answer(c->ca, c->peer, &m);
    } else {
        json_t *object = json_pack("{s:s,s:i,s:b}", "registration", c->text, "revoked", c->revoked,
                                   "already", c->outcome == ISSUANCE_KNOWN);

        if (c->outcome == ISSUANCE_KNOWN) { /* no leaf says so yet */
            operation_answer(c->ca, c->call, object);
        } else {
            admin_answer(c->call, object);
        }
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

/* ---- decide ---- */

static int
run_cancel(struct store_op *op, struct store_db *db, struct err *e)
{
    struct cancelling *c = CONTAINER_OF(op, struct cancelling, op);
    const struct cancellation_signed *v = c->verified;
    struct issuance_cancellation i = {.id = c->text, .by = c->by, .when = ca_when(c->ca, c->now)};

    if (v != NULL) {
        i.registrar_der = buf_span(&c->registrar);
        i.registrar = serial_of(v->signer);
        i.cms = buf_span(&v->cms);
        i.signed_at = v->content.time + CANCELLATION_SKEW_S;
    }
    return issuance_cancel(db, &i, &c->leaf, &c->revoked, &c->outcome, e);
}

static void
refuse(struct cancelling *c, const char *phrase)
{
    log_err(LOG_WARNING, "cancel-refused", &c->e, "%s", c->text);
    if (c->call != NULL) {
        operation_refuse(c->ca, c->call, &c->e);
    } else {
        ca_answer_refused(c->ca, c->peer, span_of(c->id, sizeof(c->id)), CMP_NOT_AUTHORIZED,
                          phrase);
    }
    cancelling_free(c);
}

static void
refuse_outcome(struct cancelling *c)
{
    const char *phrase = c->outcome == ISSUANCE_NOT_REGISTERED
                             ? "no such registration, or not yet when that was signed"
                             : issuance_outcome_text(c->outcome);

    (void)err_set(&c->e, c->outcome == ISSUANCE_NOT_REGISTERED ? ERR_NOTFOUND : ERR_DENIED, "%s",
                  c->call != NULL ? "no such registration: 'registrations' lists them" : phrase);
    refuse(c, phrase);
}

static void
on_cancelled(struct task *task)
{
    struct cancelling *c = CONTAINER_OF(task, struct cancelling, op.task);

    ca_check_store(&c->op, "cancel a registration");
    waiting_look(c->ca->waiting); /* what waits for officers under it comes to nothing */
    if (c->outcome != ISSUANCE_DONE && c->outcome != ISSUANCE_KNOWN) {
        refuse_outcome(c);
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
decide(struct cancelling *c)
{
    c->op = (struct store_op){.run = run_cancel, .task = {.done = on_cancelled}};
    store_submit(c->ca->store, &c->op);
}

/* ---- who ---- */

static int
verify(struct cancelling *c, struct err *e)
{
    const struct policy *p = &c->ca->policy;

    c->verified = cancellation_verify(buf_span(&c->cms), p->issuing, p->root, c->now, e);
    if (c->verified == NULL) {
        return -1;
    }
    if (strcmp(c->verified->content.registration, c->text) != 0) {
        return err_set(e, ERR_INPUT, "cancel.registrationId: another one than was sent beside it");
    }
    c->registrar = BUF_INIT(LINK_CERTIFICATE_MAX);
    return OSSL_ENCODE(X509, c->verified->signer, &c->registrar, e);
}

static void
run_who(struct task *task)
{
    struct cancelling *c = CONTAINER_OF(task, struct cancelling, work);

    c->result = verify(c, &c->e);
}

static void
on_who(struct task *task)
{
    struct cancelling *c = CONTAINER_OF(task, struct cancelling, work);

    if (c->result != 0) {
        ca_printable(c->e.text);
        refuse(c, c->e.code == ERR_CRYPTO ? "the signature does not verify" : c->e.text);
        return;
    }
    decide(c);
}

static void
begin(struct cancelling *c)
{
    hex_format(span_of(c->id, sizeof(c->id)), c->text);
    if (c->call != NULL) {
        decide(c);
        return;
    }
    c->work = (struct task){.run = run_who, .done = on_who};
    pool_submit(c->ca->pool, &c->work);
}

void
register_cancel(struct ca *ca, link_peer peer, const struct link_message *m)
{
    struct cancelling *c = cancelling_new(ca);

    c->peer = peer;
    memcpy(c->id, m->id.p, sizeof(c->id)); /* the link's shape: exactly so many */
    c->cms = BUF_INIT(LINK_CANCEL_MAX);
    if (buf_set(&c->cms, m->body, &c->e) != 0) {
        ca_die(&c->e, "a cancellation"); /* the link's limit is ours */
    }
    begin(c);
}

void
cancel_officer(struct ca *ca, struct admin_call *call, const json_t *request)
{
    const char *id = json_string_value(json_object_get(request, "registration"));
    struct cancelling *c = cancelling_new(ca);

    c->call = call;
    c->by = admin_who(call);
    admin_about(call, id);
    if (id == NULL || hex_parse(id, c->id, sizeof(c->id), &c->e) != 0) {
        (void)err_set(&c->e, ERR_INPUT, "cancel: the 32 hex digits of a registration are needed");
        operation_refuse(ca, call, &c->e);
        cancelling_free(c);
        return;
    }
    begin(c);
}
