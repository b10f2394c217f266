/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/office/witness.h"

#include "ca/publish/operation.h"
#include "db/ledger/witnesses.h"

struct witnessing {
    struct ca *ca;
    struct admin_call *call;
    struct buf note;
    struct store_op op;
    struct ledger_witnessed result;
    int status;
    struct err e;
};

static void
witnessing_free(struct witnessing *w)
{
    w->ca->jobs--;
    buf_free(&w->note);
    mem_free(w);
}

/* A note that is refused is no fault of the store's. */
static int
run_witness(struct store_op *op, struct store_db *db, struct err *e)
{
    struct witnessing *w = CONTAINER_OF(op, struct witnessing, op);

    w->status = ledger_witness(w->ca->ledger, db, buf_span(&w->note), w->ca->conf.witnesses,
                               w->ca->conf.n_witnesses, &w->result, &w->e);
    if (w->status != 0 && w->e.code == ERR_STORE) {
        *e = w->e;
        return -1;
    }
    return 0;
}

static void
on_witnessed(struct task *task)
{
    struct witnessing *w = CONTAINER_OF(task, struct witnessing, op.task);

    ca_check_store(&w->op, "compare what a witness gave back");
    if (w->status != 0) {
        /* ERR_STALE: our log's key signed a history that is not ours. */
        log_err(w->e.code == ERR_STALE ? LOG_ERROR : LOG_WARNING, "witness-refused", &w->e,
                "a note that came back");
        operation_refuse(w->ca, w->call, &w->e);
    } else {
        admin_answer(w->call,
                     json_pack("{s:I, s:I, s:I}", "size", (json_int_t)w->result.size, "published",
                               (json_int_t)w->result.kept, "older", (json_int_t)w->result.older));
    }
    witnessing_free(w);
}

void
witness_officer(struct ca *ca, struct admin_call *call, const json_t *request)
{
    const char *note = json_string_value(json_object_get(request, "note"));
    struct witnessing *w;
    struct err e = {0};

    if (note == NULL) {
        (void)err_set(&e, ERR_INPUT, "\"note\" is missing");
        operation_refuse(ca, call, &e);
        return;
    }
    w = mem_new(sizeof(*w));
    w->ca = ca;
    w->call = call;
    w->note = BUF_INIT(ADMIN_REQUEST_MAX);
    (void)buf_set(&w->note, span_str(note), &e); /* shorter than the request that it is in */
    w->op = (struct store_op){.run = run_witness, .task = {.done = on_witnessed}};
    ca->jobs++;
    store_submit(ca->store, &w->op);
}
