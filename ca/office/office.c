/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/office/office.h"

#include <string.h>

#include "ca/daemon/seals.h"
#include "ca/due/scrub.h"
#include "ca/journals/journals.h"
#include "ca/office/approve.h"
#include "ca/office/ceremony.h"
#include "ca/office/register.h"
#include "ca/office/witness.h"
#include "ca/publish/committed.h"
#include "ca/publish/crl.h"
#include "ca/publish/operation.h"
#include "ca/request/submit.h"
#include "db/issuance/life/approval.h"

/* A question to the database. */
struct asking {
    struct ca *ca;
    struct admin_call *call;
    struct store_op op;
    struct crl_waiter crl;
    struct issuance_counts counts;
    struct issuance_journal issuing[SIGNER_POOL_MAX];
    struct issuance_journal log;
    int64_t pending;
    json_t *scrub;
    json_t *seals;
    json_t *list;
};

static struct asking *
asking_new(struct ca *ca, struct admin_call *call)
{
    struct asking *a = mem_new(sizeof(*a));

    a->ca = ca;
    a->call = call;
    ca->jobs++;
    return a;
}

static void
asking_free(struct asking *a)
{
    a->ca->jobs--;
    mem_free(a);
}

static void
ask(struct asking *a, int (*run)(struct store_op *, struct store_db *, struct err *),
    void (*done)(struct task *))
{
    a->op = (struct store_op){.run = run, .task = {.done = done}};
    store_submit(a->ca->store, &a->op);
}

/* ---- status ---- */

static int
run_count(struct store_op *op, struct store_db *db, struct err *e)
{
    struct asking *a = CONTAINER_OF(op, struct asking, op);

    if (issuance_count(db, &a->counts, e) != 0 || issuance_pending_count(db, &a->pending, e) != 0 ||
        journals_row(db, a->ca->log, &a->ca->conf.log, ISSUANCE_JOURNAL_CHECKPOINTS, &a->log, e) !=
            0) {
        return -1;
    }
    for (size_t i = 0; i < a->ca->conf.n_issuing; i++) {
        if (journals_row(db, signer_pool_at(a->ca->issuing, i), &a->ca->conf.issuing[i],
                         ISSUANCE_JOURNAL_OBJECTS, &a->issuing[i], e) != 0) {
            return -1;
        }
    }
    a->seals = ca_seals_status(db);
    a->scrub = scrub_status(a->ca->scrub, db, clock_now(), e);
    return a->scrub == NULL ? -1 : 0;
}

/* Of a key whose journals have `stored` lines of what is stored. */
static json_t *
signer_figures(json_int_t signatures, json_int_t stored)
{
    /* What is stored was signed, and may be from before the signer counted, or of what a kill left
     * uncounted. */
    return json_pack("{s:I,s:I}", "signatures", signatures < stored ? stored : signatures,
                     "storedSignatures", stored);
}

static json_t *
signer_status(struct signer *s, const struct ca_signer *conf, const struct issuance_journal *j)
{
    return json_pack("{s:s,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:b}", "name", ca_signer_name(conf),
                     "number", (int)conf->number + 1, "pid", (int)signer_pid(s), "attempts",
                     (json_int_t)signer_attempts(s), "signatures", (json_int_t)signer_signatures(s),
                     "compared", (json_int_t)j->compared, "exempt", (json_int_t)j->exempt, "again",
                     (json_int_t)j->again, "waiting", (json_int_t)signer_waiting(s), "software",
                     signer_is_software(s), "apart", signer_is_apart(s));
}

static json_t *
log_status(const struct asking *a)
{
    json_t *status = signer_status(a->ca->log, &a->ca->conf.log, &a->log);
    json_t *figures =
        signer_figures((json_int_t)signer_signatures(a->ca->log), (json_int_t)a->log.stored);

    (void)json_object_update(status, figures);
    json_decref(figures);
    return status;
}

static void
add_to(json_t *sum, const json_t *status, const char *figure)
{
    (void)json_object_set_new(sum, figure,
                              json_integer(json_integer_value(json_object_get(sum, figure)) +
                                           json_integer_value(json_object_get(status, figure))));
}

/* The sums, and each. */
static json_t *
issuing_status(const struct asking *a)
{
    static const char *const summed[] = {"attempts", "signatures", "compared",
                                         "exempt",   "again",      "waiting"};
    const struct ca *ca = a->ca;
    json_t *sum = json_object();
    json_t *each = json_array();
    json_t *figures;
    bool apart = true;

    for (size_t i = 0; i < ca->conf.n_issuing; i++) {
        json_t *status =
            signer_status(signer_pool_at(ca->issuing, i), &ca->conf.issuing[i], &a->issuing[i]);

        for (size_t k = 0; k < ARRAY_LEN(summed); k++) {
            add_to(sum, status, summed[k]);
        }
        apart = apart && json_is_true(json_object_get(status, "apart"));
        (void)json_array_append_new(each, status);
    }
    figures = signer_figures(json_integer_value(json_object_get(sum, "signatures")),
                             (json_int_t)a->issuing[0].stored);
    (void)json_object_update(sum, figures);
    json_decref(figures);
    (void)json_object_set_new(sum, "pid", json_integer(signer_pid(signer_pool_first(ca->issuing))));
    (void)json_object_set_new(sum, "software", json_boolean(signer_pool_is_software(ca->issuing)));
    (void)json_object_set_new(sum, "apart", json_boolean(apart));
    (void)json_object_set_new(sum, "each", each);
    return sum;
}

static void
on_counted(struct task *task)
{
    struct asking *a = CONTAINER_OF(task, struct asking, op.task);
    const struct issuance_counts *c = &a->counts;
    const struct ca *ca = a->ca;
    char next_update[TIME_TEXT_SIZE];
    json_t *answer;

    ca_check_store(&a->op, "status");
    time_format((time_t)c->crl_next_update, next_update);
    answer = json_pack(
        "{s:s,s:{s:I,s:I,s:I,s:I,s:I,s:I},s:{s:I,s:s},s:{s:I,s:I},s:{s:o,s:o},s:o,s:I,s:I,s:b}",
        "version", NFPKI_VERSION, "record", "registrations", (json_int_t)c->registrations,
        "certificates", (json_int_t)c->certificates, "open", (json_int_t)c->open, "waiting",
        (json_int_t)a->pending, "refused", (json_int_t)c->refused, "revoked",
        (json_int_t)c->revoked, "crl", "number", (json_int_t)c->crl_number, "nextUpdate",
        next_update, "link", "peers",
        (json_int_t)(ca->link == NULL ? 0 : link_server_peers(ca->link)), "jobs",
        (json_int_t)ca->jobs, "signers", "issuing", issuing_status(a), "log", log_status(a),
        "scrub", a->scrub, "stored", (json_int_t)ledger_stored(ca->ledger), "published",
        (json_int_t)ledger_published(ca->ledger), "rehearsal", ca->policy.rehearsal);
    (void)json_object_set_new(answer, "anchor", committed_status(ca->committed));
    (void)json_object_set_new(answer, "seals", a->seals);
    admin_answer(a->call, answer);
    asking_free(a);
}

/* ---- registrations ---- */

static void
add_registration(void *arg, const struct issuance_registration *r)
{
    static const char *const states[] = {"live", "cancelled", "followed"};
    char not_after[TIME_TEXT_SIZE];

    time_format(r->not_after, not_after);
    (void)json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:i,s:i,s:s}", "id", r->id,
                                               "nfInstanceId", r->nf_instance, "notAfter",
                                               not_after, "certificates", r->certificates, "used",
                                               r->used, "state", states[r->state]));
}

static int
run_list(struct store_op *op, struct store_db *db, struct err *e)
{
    enum { LIST_MAX = 1000 };
    struct asking *a = CONTAINER_OF(op, struct asking, op);

    return issuance_registration_each(db, LIST_MAX, add_registration, a->list, e);
}

static void
on_listed(struct task *task)
{
    struct asking *a = CONTAINER_OF(task, struct asking, op.task);

    ca_check_store(&a->op, "list registrations");
    admin_answer(a->call, json_pack("{s:o}", "registrations", a->list));
    asking_free(a);
}

/* ---- crl ---- */

static void
on_crl(struct crl_waiter *waiter, uint64_t number, const struct err *why)
{
    struct asking *a = CONTAINER_OF(waiter, struct asking, crl);

    if (why == NULL) {
        operation_answer(a->ca, a->call, json_pack("{s:I}", "crlNumber", (json_int_t)number));
    } else {
        operation_refuse(a->ca, a->call, why);
    }
    asking_free(a);
}

void
office_handle(void *arg, struct admin_call *call, const char *command, const json_t *request)
{
    struct ca *ca = arg;
    struct asking *a;
    struct err e = {0};

    log_event(LOG_INFO, "officer", "%s: %s", admin_who(call), command);
    if (ca->stopping) {
        (void)err_set(&e, ERR_BUSY, "the daemon is stopping");
        admin_refuse(call, &e);
    } else if (strcmp(command, "status") == 0) {
        ask(asking_new(ca, call), run_count, on_counted);
    } else if (strcmp(command, "registrations") == 0) {
        a = asking_new(ca, call);
        a->list = json_array();
        ask(a, run_list, on_listed);
    } else if (strcmp(command, "crl") == 0) {
        a = asking_new(ca, call);
        a->crl.done = on_crl;
        crl_make(ca->crl, &a->crl);
    } else if (strcmp(command, "issue") == 0) {
        request_officer(ca, call, request);
    } else if (strcmp(command, "pending") == 0) {
        pending_officer(ca, call, request);
    } else if (strcmp(command, "approve") == 0) {
        approve_officer(ca, call, request);
    } else if (strcmp(command, "revoke") == 0) {
        revoke_officer(ca, call, request);
    } else if (strcmp(command, "witness") == 0) {
        witness_officer(ca, call, request);
    } else if (strcmp(command, "ceremony") == 0) {
        ceremony_officer(ca, call, request);
    } else if (strcmp(command, "cancel") == 0) {
        cancel_officer(ca, call, request);
    } else {
        (void)err_set(&e, ERR_INPUT, "unknown command");
        admin_refuse(call, &e);
    }
}
