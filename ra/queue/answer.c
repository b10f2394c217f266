/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/answer.h"

#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/cmp/message/failure.h"
#include "ca/x509/der.h"
#include "db/store/batch.h"

/* What people decided can be fetched so long after the CA said last that it waits. */
enum { WAITING_KEEP_S = 7 * 86400 };

static int
store_refusal(struct queue_answer *a, struct store_db *db, struct err *e)
{
    if (requests_refused(db, &a->asked, a->fail_info, a->phrase, e) != 0) {
        return -1;
    }
    return a->fail_info == CMP_CERT_REVOKED ? requests_signer_revoked(db, &a->asked, e) : 0;
}

static int
store(struct queue_answer *a, struct store_db *db, struct err *e)
{
    const int64_t now = clock_now();
    const int64_t again_at = now + a->check_after;
    const struct requests_wait wait = {.check_after = a->check_after,
                                       .phrase = a->phrase,
                                       .again_at = again_at,
                                       .until = again_at + WAITING_KEEP_S};

    a->asked.confirm_by = a->confirm_wait > 0 ? now + a->confirm_wait : 0;
    return a->type == LINK_ISSUED
               ? requests_issued(db, &a->asked, buf_span(&a->certificate), &a->delivered, e)
           : a->type == LINK_CONFIRMED ? requests_confirmed(db, &a->asked, e)
           : a->type == LINK_REVOKED   ? requests_revoked(db, &a->asked, e)
           : a->type == LINK_WAITING   ? requests_waiting(db, &a->asked, &wait, e)
                                       : store_refusal(a, db, e);
}

/* Given to the store at once. */
struct queue_round {
    struct store_op op;
    struct queue_answers *of;
    struct queue_answer *first;
    bool rests;
    struct queue_round *next; /* that rests */
};

static void
answer_free(struct queue_answer *a)
{
    requests_asked_clear(&a->asked);
    buf_free(&a->certificate);
    mem_free(a);
}

static int
answer_run(void *arg, struct store_db *db, struct err *e)
{
    struct queue_answer *a = arg;
    struct span rid = span_of(a->rid, sizeof(a->rid));

    if (a->type == LINK_DEFERRED) {
        return requests_deferred(db, rid, clock_now() + a->check_after,
                                 a->fail_info == CMP_TIME_NOT_AVAILABLE, e);
    }
    a->found =
        requests_asked_find(db, rid, a->enrolment, &a->asked, e) == 0 && store(a, db, e) == 0;
    return a->found ? 0 : -1;
}

static int
round_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct queue_round *round = CONTAINER_OF(op, struct queue_round, op);

    (void)e;
    for (struct queue_answer *a = round->first; a != NULL; a = a->next) {
        a->result = store_part(db, answer_run, a, &a->e);
    }
    return 0;
}

static void
free_all(struct queue_answer *first)
{
    while (first != NULL) {
        struct queue_answer *a = first;

        first = a->next;
        answer_free(a);
    }
}

static void
rests_no_more(struct queue_round *round)
{
    struct queue_round **place = &round->of->resting;

    while (*place != round) {
        place = &(*place)->next;
    }
    *place = round->next;
}

static void
round_done(struct task *task)
{
    struct queue_round *round = CONTAINER_OF(task, struct queue_round, op.task);

    if (round->rests) {
        rests_no_more(round);
    }
    for (struct queue_answer *a = round->first; a != NULL; a = a->next) {
        if (round->op.result != 0) { /* nothing of it is there */
            a->result = -1;
            a->e = round->op.e;
        }
        round->of->stored(round->of->arg, a);
    }
    free_all(round->first);
    mem_free(round);
}

void
queue_answers_clear(struct queue_answers *all)
{
    free_all(all->first);
    all->first = NULL;
    all->last = NULL;
}

/* Of one enrolment there is none that waits and one that rests: it has one place at a time. */
static bool
all_rest(const struct queue_answer *first)
{
    for (const struct queue_answer *a = first; a != NULL; a = a->next) {
        if (a->type != LINK_CONFIRMED || a->enrolment == 0) {
            return false;
        }
    }
    return true;
}

void
queue_answers_store(struct queue_answers *all)
{
    struct queue_round *round;

    if (all->first == NULL) {
        return;
    }
    round = mem_new(sizeof(*round));
    *round = (struct queue_round){.op = {.task.done = round_done, .run = round_run},
                                  .of = all,
                                  .first = all->first,
                                  .rests = all_rest(all->first)};
    all->first = NULL;
    all->last = NULL;
    if (round->rests) {
        round->next = all->resting;
        all->resting = round;
        store_rest(all->store, &round->op);
    } else {
        store_submit(all->store, &round->op);
    }
}

bool
queue_answers_confirmed(const struct queue_answers *all, int64_t enrolment)
{
    for (const struct queue_round *round = all->resting; round != NULL; round = round->next) {
        for (const struct queue_answer *a = round->first; a != NULL; a = a->next) {
            if (a->enrolment == enrolment) {
                return true;
            }
        }
    }
    return false;
}

/* The last of the two of `validity`. */
static bool
read_not_after(struct span validity, int64_t *out)
{
    CLEANUP(asn1_time_cleanup) ASN1_TIME *time = NULL;
    struct span rest = validity;
    struct span passed;
    const unsigned char *p;
    struct tm tm;
    uint8_t tag;
    struct err e;

    if (der_take(&rest, &tag, &passed, NULL, &e) != 0) {
        return false;
    }
    p = rest.p;
    time = d2i_ASN1_TIME(NULL, &p, (long)rest.n);
    if (time == NULL || p != rest.p + rest.n || ASN1_TIME_to_tm(time, &tm) != 1) {
        return false;
    }
    *out = timegm(&tm);
    return true;
}

static bool
read_serial(struct span content, struct requests_certificate *out)
{
    const size_t sign = content.n > 1 && content.p[0] == 0 ? 1 : 0;

    out->serial_size = content.n - sign;
    if (out->serial_size > sizeof(out->serial)) {
        return false;
    }
    memcpy(out->serial, content.p + sign, out->serial_size);
    return true;
}

/* What is kept of a certificate that was delivered: no more of it is decoded. */
static int
describe(struct span der, struct requests_certificate *out, struct err *e)
{
    struct span rest = der;
    struct span tbs;
    struct span serial;
    struct span passed;
    struct span validity;

    if (der_expect(&rest, DER_SEQUENCE, "certificate", &tbs, e) != 0 ||
        der_empty(rest, "certificate", e) != 0 ||
        der_expect(&tbs, DER_SEQUENCE, "tbsCertificate", &rest, e) != 0 ||
        der_expect(&rest, DER_CONSTRUCTED, "version", &passed, e) != 0 ||
        der_expect(&rest, DER_INTEGER, "serialNumber", &serial, e) != 0 ||
        der_expect(&rest, DER_SEQUENCE, "signature", &passed, e) != 0 ||
        der_expect(&rest, DER_SEQUENCE, "issuer", &passed, e) != 0 ||
        der_expect(&rest, DER_SEQUENCE, "validity", &validity, e) != 0) {
        return -1;
    }
    return read_serial(serial, out) && read_not_after(validity, &out->not_after)
               ? sha256(der, out->fingerprint, e)
               : ossl_err(e, ERR_INPUT, "serial number or validity");
}

static struct queue_answer *
answer_new(const struct link_message *m, const struct flight *flight)
{
    struct queue_answer *a = mem_new(sizeof(*a));
    size_t n = m->phrase.n < sizeof(a->phrase) - 1 ? m->phrase.n : sizeof(a->phrase) - 1;

    a->type = m->type;
    memcpy(a->rid, m->id.p, sizeof(a->rid));
    if (flight != NULL) {
        a->enrolment = flight->enrolment;
        a->confirm_wait = flight->waiter != NULL ? flight->confirm_wait : 0;
    }
    a->fail_info = (int)m->fail_info;
    a->check_after = (int)m->check_after;
    if (n > 0) {
        memcpy(a->phrase, m->phrase.p, n);
    }
    a->certificate = BUF_INIT(LINK_CERTIFICATE_MAX);
    return a;
}

void
queue_answers_add(struct queue_answers *all, const struct link_message *m,
                  const struct flight *flight)
{
    struct queue_answer *a = answer_new(m, flight);
    struct err e;

    if (m->type == LINK_ISSUED && describe(m->body, &a->delivered, &e) != 0) {
        log_err(LOG_ERROR, "answer-refused", &e, "the CA's certificate");
        answer_free(a);
        return;
    }
    if (buf_set(&a->certificate, m->body, &e) != 0) {
        answer_free(a); /* the link's limit is the same: cannot be */
        return;
    }
    if (all->last == NULL) {
        all->first = a;
    } else {
        all->last->next = a;
    }
    all->last = a;
}
