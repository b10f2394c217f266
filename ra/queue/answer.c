/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/answer.h"

#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/cmp/message/failure.h"

/* What people decided can be fetched so long after the CA said last that it waits. */
enum { WAITING_KEEP_S = 7 * 86400 };

static int
answer_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct queue_answer *a = CONTAINER_OF(op, struct queue_answer, op);
    struct span rid = span_of(a->rid, sizeof(a->rid));
    int result;

    if (a->type == LINK_ISSUED) {
        result = requests_issued(db, rid, buf_span(&a->certificate), e);
        if (result == 0) {
            result = requests_delivered(db, rid, &a->delivered, e);
        }
    } else if (a->type == LINK_CONFIRMED) {
        result = requests_confirmed(db, rid, e);
    } else if (a->type == LINK_REVOKED) {
        result = requests_revoked(db, rid, e);
    } else if (a->type == LINK_WAITING) {
        const int64_t again_at = clock_now() + a->check_after;
        const struct requests_wait wait = {.check_after = a->check_after,
                                           .phrase = a->phrase,
                                           .again_at = again_at,
                                           .until = again_at + WAITING_KEEP_S};

        result = requests_waiting(db, rid, &wait, e);
    } else if (a->type == LINK_DEFERRED) {
        return requests_deferred(db, rid, clock_now() + a->check_after,
                                 a->fail_info == CMP_TIME_NOT_AVAILABLE, e);
    } else {
        result = requests_refused(db, rid, a->fail_info, a->phrase, e);
        if (result == 0 && a->fail_info == CMP_CERT_REVOKED) {
            result = requests_signer_revoked(db, rid, e);
        }
    }
    if (result != 0) {
        return -1;
    }
    return requests_enrolment_by_rid(db, rid, &a->enrolment, &a->found, e);
}

static void
answer_done(struct task *task)
{
    struct queue_answer *a = CONTAINER_OF(task, struct queue_answer, op.task);

    a->stored(a->arg, a);
    requests_enrolment_clear(&a->enrolment);
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
