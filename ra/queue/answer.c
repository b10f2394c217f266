/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/answer.h"

#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/cmp/message/failure.h"

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
    const int64_t again_at = clock_now() + a->check_after;
    const struct requests_wait wait = {.check_after = a->check_after,
                                       .phrase = a->phrase,
                                       .again_at = again_at,
                                       .until = again_at + WAITING_KEEP_S};

    return a->type == LINK_ISSUED
               ? requests_issued(db, &a->asked, buf_span(&a->certificate), &a->delivered, e)
           : a->type == LINK_CONFIRMED ? requests_confirmed(db, &a->asked, e)
           : a->type == LINK_REVOKED   ? requests_revoked(db, &a->asked, e)
           : a->type == LINK_WAITING   ? requests_waiting(db, &a->asked, &wait, e)
                                       : store_refusal(a, db, e);
}

static int
answer_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct queue_answer *a = CONTAINER_OF(op, struct queue_answer, op);
    struct span rid = span_of(a->rid, sizeof(a->rid));

    if (a->type == LINK_DEFERRED) {
        return requests_deferred(db, rid, clock_now() + a->check_after,
                                 a->fail_info == CMP_TIME_NOT_AVAILABLE, e);
    }
    a->found = requests_asked_find(db, rid, &a->asked, e) == 0 && store(a, db, e) == 0;
    return a->found ? 0 : -1;
}

static void
answer_done(struct task *task)
{
    struct queue_answer *a = CONTAINER_OF(task, struct queue_answer, op.task);

    a->stored(a->arg, a);
    requests_asked_clear(&a->asked);
    buf_free(&a->certificate);
    mem_free(a);
}

/* What is kept of a certificate that was delivered. */
static int
describe(struct span der, struct requests_certificate *out, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse_keyless(der, e);
    const ASN1_INTEGER *serial;
    struct tm tm;

    if (certificate == NULL || sha256(der, out->fingerprint, e) != 0) {
        return -1;
    }
    serial = X509_get0_serialNumber(certificate);
    out->serial_size = (size_t)ASN1_STRING_length(serial);
    if (out->serial_size > sizeof(out->serial) ||
        ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1) {
        return ossl_err(e, ERR_INPUT, "serial number or validity");
    }
    memcpy(out->serial, ASN1_STRING_get0_data(serial), out->serial_size);
    out->not_after = timegm(&tm);
    return 0;
}

void
queue_answer_store(struct store *store, const struct link_message *m, queue_answer_stored *stored,
                   void *arg)
{
    struct queue_answer *a = mem_new(sizeof(*a));
    size_t n = m->phrase.n < sizeof(a->phrase) - 1 ? m->phrase.n : sizeof(a->phrase) - 1;
    struct err e;

    a->op = (struct store_op){.task.done = answer_done, .run = answer_run};
    a->type = m->type;
    a->stored = stored;
    a->arg = arg;
    memcpy(a->rid, m->id.p, sizeof(a->rid));
    a->fail_info = (int)m->fail_info;
    a->check_after = (int)m->check_after;
    if (n > 0) {
        memcpy(a->phrase, m->phrase.p, n);
    }
    a->certificate = BUF_INIT(LINK_CERTIFICATE_MAX);
    if (m->type == LINK_ISSUED && describe(m->body, &a->delivered, &e) != 0) {
        log_err(LOG_ERROR, "answer-refused", &e, "the CA's certificate");
        mem_free(a);
        return;
    }
    if (buf_set(&a->certificate, m->body, &e) != 0) {
        mem_free(a); /* the link's limit is the same: cannot be */
        return;
    }
    store_submit(store, &a->op);
}
