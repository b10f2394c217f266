/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/office/report.h"

#include <string.h>

#include "base/validity.h"
#include "ca/cmp/report.h"
#include "ca/publish/checkpoint.h"
#include "ca/x509/serial.h"
#include "db/issuance/role.h"

enum { HOUR = 3600 };

struct reporting {
    struct ca *ca;
    link_peer peer;
    struct ras *ras;
    uint8_t id[LINK_RID_SIZE];
    struct buf der;
    struct cmp_report report; /* borrows from der */
    const struct policy_ra *ra;
    uint8_t certificate[SHA256_SIZE]; /* its */
    struct task work;
    struct store_op op;
    struct release_item release;
    uint64_t leaf;
    bool is_there; /* in the record, as that leaf */
    bool is_gone;  /* whose it is was revoked before it had its place in the record */
    time_t now;
    int result;
    struct err e;
};

static void
reporting_free(struct reporting *r)
{
    r->ca->jobs--;
    ca_ras_drop(r->ras);
    buf_free(&r->der);
    mem_free(r);
}

static void
on_released(struct release_item *item)
{
    struct reporting *r = CONTAINER_OF(item, struct reporting, release);
    const struct link_message m = {.type = LINK_REPORTED, .id = span_of(r->id, sizeof(r->id))};

    ca_answer(r->ca, r->peer, &m);
    reporting_free(r);
}

static int
run_look(struct store_op *op, struct store_db *db, struct err *e)
{
    struct reporting *r = CONTAINER_OF(op, struct reporting, op);

    return ledger_find(db, LEAF_RA_REPORT, span_of(r->id, sizeof(r->id)), &r->leaf, &r->is_there,
                       e);
}

/* Two of the same, both new, may be on their way: the second one is there by now. */
static int
run_append(struct store_op *op, struct store_db *db, struct err *e)
{
    struct reporting *r = CONTAINER_OF(op, struct reporting, op);
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_RA_REPORT, r->now);
    enum issuance_role role;

    if (run_look(op, db, e) != 0) {
        return -1;
    }
    if (r->is_there) {
        return 0;
    }
    if (issuance_role_of(db, buf_span(&r->ra->der), &role, e) != 0) {
        return -1;
    }
    if (role != ISSUANCE_RA) {
        r->is_gone = true;
        return 0;
    }
    leaf_set_hex(leaf, "report", span_of(r->id, sizeof(r->id)));
    leaf_set_base64(leaf, "text", r->report.text);
    leaf_set_base64(leaf, "signature", r->report.signature);
    leaf_set_hex(leaf, "ra", serial_of(r->ra->certificate));
    return ledger_append(db, leaf, &r->leaf, e);
}

static void
refuse(struct reporting *r)
{
    log_err(LOG_WARNING, "report-refused", &r->e, "an RA says something of itself");
    ca_answer_refused(r->ca, r->peer, span_of(r->id, sizeof(r->id)), CMP_BAD_MESSAGE_CHECK,
                      "no report of an RA that is one now");
    reporting_free(r);
}

static void
answer_when_published(struct reporting *r)
{
    r->release = (struct release_item){.leaf = r->leaf, .released = on_released};
    release_wait(r->ca->release, &r->release);
}

static void
on_appended(struct task *task)
{
    struct reporting *r = CONTAINER_OF(task, struct reporting, op.task);

    ca_check_store(&r->op, "a report of an RA");
    if (r->is_gone) {
        (void)err_set(&r->e, ERR_DENIED, "report: by an RA that was revoked meanwhile");
        refuse(r);
        return;
    }
    answer_when_published(r);
}

static int
verify(struct reporting *r)
{
    const struct policy *p = &r->ca->policy;
    uint8_t hash[SHA256_SIZE];

    if (cmp_report_decode(buf_span(&r->der), &r->report, &r->e) != 0 ||
        sha256(r->report.text, hash, &r->e) != 0) {
        return -1;
    }
    if (memcmp(hash, r->id, sizeof(hash)) != 0) {
        return err_set(&r->e, ERR_INPUT, "report: under the name of another text");
    }
    for (size_t i = 0; r->ra == NULL && i < r->ras->n; i++) {
        const struct policy_ra *ra = &r->ras->list[i];

        r->ra = span_equal(buf_span(&ra->der), r->report.certificate) &&
                        validity_has(ra->certificate, r->now)
                    ? ra
                    : NULL;
    }
    if (r->ra == NULL) {
        return err_set(&r->e, ERR_DENIED, "report: by nobody who is an RA now");
    }
    return sha256(r->report.certificate, r->certificate, &r->e) != 0
               ? -1
               : cmp_report_verify(&r->report, r->ra->certificate,
                                   span_of(p->issuing_hash, sizeof(p->issuing_hash)), &r->e);
}

static void
run_verify(struct task *task)
{
    struct reporting *r = CONTAINER_OF(task, struct reporting, work);

    r->result = verify(r);
}

/* One more of him and this hour, when there may be. */
static bool
is_one_more(struct reports *all, const uint8_t who[SHA256_SIZE], unsigned most, time_t now)
{
    struct reporter *by = NULL;

    if (all->hour != now / HOUR) {
        all->hour = now / HOUR;
        all->n = 0;
    }
    for (size_t i = 0; i < all->n && by == NULL; i++) {
        by = memcmp(all->by[i].who, who, SHA256_SIZE) == 0 ? &all->by[i] : NULL;
    }
    if (by == NULL) {
        all->by = mem_grow(all->by, &all->capacity, all->n + 1, sizeof(*all->by));
        by = &all->by[all->n++];
        *by = (struct reporter){.told = 0};
        memcpy(by->who, who, SHA256_SIZE);
    }
    by->told += by->told <= most ? 1 : 0;
    return by->told <= most;
}

static void
tell_to_wait(struct reporting *r)
{
    ca_answer_busy(r->ca, r->peer, span_of(r->id, sizeof(r->id)));
    reporting_free(r);
}

/* What is in the record everybody can read and send again: it counts as nobody's. */
static void
on_looked(struct task *task)
{
    struct reporting *r = CONTAINER_OF(task, struct reporting, op.task);

    ca_check_store(&r->op, "a report of an RA");
    if (r->is_there) {
        answer_when_published(r);
    } else if (!is_one_more(&r->ca->reports, r->certificate, REPORTS_MAX, r->now)) {
        tell_to_wait(r);
    } else {
        r->op = (struct store_op){.run = run_append, .task = {.done = on_appended}};
        store_submit(r->ca->store, &r->op);
    }
}

/* Who it is must be known before it counts as his: nobody uses up what another one may tell. */
static void
on_verified(struct task *task)
{
    struct reporting *r = CONTAINER_OF(task, struct reporting, work);

    if (r->result != 0) {
        refuse(r);
        return;
    }
    r->op = (struct store_op){.run = run_look, .reads = true, .task = {.done = on_looked}};
    store_submit(r->ca->store, &r->op);
}

/* Before any work: one that is forged costs as much as a true one. */
static bool
may_send(struct ca *ca, link_peer peer)
{
    const uid_t user = link_server_user(ca->link, peer);
    uint8_t who[SHA256_SIZE] = {0};

    memcpy(who, &user, sizeof(user));
    return is_one_more(&ca->reports, who, REPORTS_SENT_MAX, clock_now());
}

void
report_submit(struct ca *ca, link_peer peer, const struct link_message *m)
{
    struct reporting *r;

    if (!may_send(ca, peer)) {
        ca_answer_busy(ca, peer, m->id);
        return;
    }
    r = mem_new(sizeof(*r));
    r->ca = ca;
    r->peer = peer;
    r->ras = ca_ras_hold(ca);
    r->now = clock_now();
    memcpy(r->id, m->id.p, sizeof(r->id)); /* the link's shape: exactly so many */
    r->der = BUF_INIT(LINK_REPORT_MAX);
    ca->jobs++;
    if (buf_set(&r->der, m->body, &r->e) != 0) {
        ca_die(&r->e, "a report"); /* the link's limit is ours */
    }
    r->work = (struct task){.run = run_verify, .done = on_verified};
    pool_submit(ca->pool, &r->work);
}
