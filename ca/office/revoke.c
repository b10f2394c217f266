/* SPDX-License-Identifier: Apache-2.0 */
/* A revocation is answered when the CRL that has it can be fetched. */
#include <string.h>

#include "base/typed.h"
#include "ca/office/register.h"
#include "ca/publish/crl.h"
#include "ca/publish/operation.h"
#include "ca/x509/tbs/crl.h"

struct revoking {
    struct ca *ca;
    struct admin_call *call;
    struct store_op op;
    struct crl_waiter crl;
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    enum crl_reason reason;
    char *by;
    enum issuance_outcome outcome;
    uint64_t leaf;
    time_t now;
};

static void
revoking_free(struct revoking *r)
{
    r->ca->jobs--;
    mem_free(r->by);
    mem_free(r);
}

static void
on_published(struct crl_waiter *waiter, uint64_t number, const struct err *why)
{
    struct revoking *r = CONTAINER_OF(waiter, struct revoking, crl);
    struct err e = {0};

    if (why == NULL) {
        json_t *object = json_pack("{s:I,s:b}", "crlNumber", (json_int_t)number, "already",
                                   r->outcome == ISSUANCE_KNOWN);

        if (r->outcome == ISSUANCE_KNOWN) { /* no leaf says so yet */
            operation_answer(r->ca, r->call, object);
        } else {
            admin_answer(r->call, object);
        }
    } else {
        e = *why;
        (void)err_wrap(&e, "revoked, but the CRL could not be published yet");
        operation_refuse(r->ca, r->call, &e);
    }
    revoking_free(r);
}

static int
run_revoke(struct store_op *op, struct store_db *db, struct err *e)
{
    struct revoking *r = CONTAINER_OF(op, struct revoking, op);

    return issuance_revoke(db, span_of(r->serial, sizeof(r->serial)), (int)r->reason, r->by,
                           ca_when(r->ca, r->now), &r->leaf, &r->outcome, e);
}

static void
on_revoked(struct task *task)
{
    struct revoking *r = CONTAINER_OF(task, struct revoking, op.task);

    if (r->op.result != 0 && r->op.e.code == ERR_NOTFOUND) {
        operation_refuse(r->ca, r->call, &r->op.e);
        revoking_free(r);
        return;
    }
    ca_check_store(&r->op, "revoke");
    ca_ras_reload(r->ca);
    crl_make(r->ca->crl, &r->crl);
}

void
revoke_officer(struct ca *ca, struct admin_call *call, const json_t *request)
{
    const char *serial = json_string_value(json_object_get(request, "serial"));
    const char *reason = json_string_value(json_object_get(request, "reason"));
    struct revoking *r = mem_new(sizeof(*r));
    struct err e = {0};

    r->ca = ca;
    r->call = call;
    r->now = clock_now();
    r->by = mem_strdup(admin_who(call));
    r->crl.done = on_published;
    r->op = (struct store_op){.run = run_revoke, .task = {.done = on_revoked}};
    ca->jobs++;
    admin_about(call, serial);
    if (serial == NULL || reason == NULL) {
        (void)err_set(&e, ERR_INPUT, "revoke: serial and reason are needed");
    } else if (typed_hex_parse(serial, "serial", r->serial, sizeof(r->serial), &e) == 0 &&
               crl_reason_parse(reason, &r->reason, &e) == 0) {
        store_submit(ca->store, &r->op);
        return;
    }
    operation_refuse(ca, call, &e);
    revoking_free(r);
}
