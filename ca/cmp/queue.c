/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/queue.h"

#include <string.h>

#include "base/ossl.h"
#include "base/tlog/queue_head.h"

struct cmp_queued {
    struct cmp_msg *inner;
    struct cmp_queue_entry entry;
    struct cmp_msg *outer; /* a wrapper of before; else NULL, and: */
    struct buf der;
    struct cmp_submission submission; /* borrows from der */
    struct queue_head head;
    uint8_t head_hash[SHA256_SIZE];
};

static void
destroy(struct cmp_queued *q)
{
    if (q != NULL) {
        cmp_msg_free(q->outer);
        cmp_msg_free(q->inner);
        buf_free(&q->der);
        mem_free(q);
    }
}

DEFINE_CLEANUP(destroy_cleanup, struct cmp_queued, destroy)

void
cmp_queued_free(struct cmp_queued *q)
{
    destroy(q);
}

static int
read_message(struct cmp_queued *q, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    if (sha256(q->submission.message, hash, e) != 0) {
        return -1;
    }
    if (memcmp(hash, q->entry.rid, sizeof(hash)) != 0) {
        return err_set(e, ERR_INPUT, "the entry's rid is not the hash of the message");
    }
    q->inner = cmp_msg_parse(q->submission.message, CMP_MESSAGE_MAX, e);
    if (q->inner == NULL) {
        return err_wrap(e, "message inside");
    }
    return cmp_msg_transaction_id(q->inner).n != 0
               ? 0
               : err_set(e, ERR_INPUT, "message inside: without transactionID");
}

static int
read_submission(struct cmp_queued *q, struct span der, struct err *e)
{
    const struct cmp_submission *s = &q->submission;

    q->der = BUF_INIT(CMP_NESTED_MAX);
    if (buf_set(&q->der, der, e) != 0 ||
        cmp_submission_decode(buf_span(&q->der), &q->submission, e) != 0 ||
        cmp_queue_entry_decode(s->entry, &q->entry, e) != 0 || read_message(q, e) != 0 ||
        queue_head_parse(s->head, &q->head, e) != 0 || sha256(s->head, q->head_hash, e) != 0) {
        return -1;
    }
    return queue_head_covers(&q->head, s->entry, s->index, s->path, e) == 0
               ? 0
               : err_wrap(e, "not under the head that the RA signed");
}

struct cmp_queued *
cmp_queued_parse(struct span der, struct err *e)
{
    CLEANUP(destroy_cleanup) struct cmp_queued *q = mem_new(sizeof(*q));

    if ((cmp_submission_is(der) ? read_submission(q, der, e)
                                : cmp_wrapper_read(der, &q->outer, &q->inner, &q->entry, e)) != 0) {
        (void)err_wrap(e, "queue entry");
        return NULL;
    }
    return TAKE(q);
}

/* The signature is by the key that the head names, and the head says whom it is meant for: so it is
 * good with no other certificate and at no other CA. */
static int
check_head(const struct queue_head *h, const struct cmp_parties *with, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(CMP_MESSAGE_MAX);
    uint8_t hash[SHA256_SIZE];

    if (OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(with->ra), &spki, e) != 0 ||
        sha256(buf_span(&spki), hash, e) != 0) {
        return -1;
    }
    if (memcmp(hash, h->ra, sizeof(hash)) != 0) {
        return err_set(e, ERR_DENIED,
                       "the head names another key than that of the RA's certificate");
    }
    return span_equal(span_of(h->ca, sizeof(h->ca)), with->ca_hash)
               ? 0
               : err_set(e, ERR_DENIED,
                         "meant for another CA: its issuing certificate is not this CA's");
}

static int
verify(const struct cmp_queued *q, const struct cmp_parties *with, struct err *e)
{
    if (q->outer != NULL) {
        return cmp_wrapper_verify(q->outer, with->ra, with->ca, e);
    }
    if (check_head(&q->head, with, e) != 0) {
        return -1;
    }
    return cmp_heads_verify(with->heads, with->ra, q->submission.head, q->submission.signature,
                            e) == 0
               ? 0
               : err_wrap(e, "signature of the RA");
}

int
cmp_queued_verify(const struct cmp_queued *q, const struct cmp_parties *with, struct err *e)
{
    CLEANUP(buf_free) struct buf pinned = BUF_INIT(CMP_MESSAGE_MAX);

    if (OSSL_ENCODE(X509, with->ra, &pinned, e) != 0) {
        return -1;
    }
    if (!span_equal(cmp_queued_ra(q), buf_span(&pinned))) {
        return err_set(e, ERR_DENIED, "queue entry: not from the RA that is configured");
    }
    return verify(q, with, e) == 0 ? 0 : err_wrap(e, "queue entry");
}

const struct cmp_queue_entry *
cmp_queued_entry(const struct cmp_queued *q)
{
    return &q->entry;
}

const struct cmp_msg *
cmp_queued_inner(const struct cmp_queued *q)
{
    return q->inner;
}

struct span
cmp_queued_ra(const struct cmp_queued *q)
{
    return q->outer != NULL ? cmp_msg_extra(q->outer, 0) : q->submission.certificate;
}

const struct cmp_submission *
cmp_queued_submission(const struct cmp_queued *q)
{
    return q->outer != NULL ? NULL : &q->submission;
}

const struct cmp_msg *
cmp_queued_outer(const struct cmp_queued *q)
{
    return q->outer;
}

uint64_t
cmp_queued_sequence(const struct cmp_queued *q)
{
    return q->outer != NULL ? 0 : q->head.first + q->submission.index;
}

struct span
cmp_queued_head_hash(const struct cmp_queued *q)
{
    return q->outer != NULL ? span_of(NULL, 0) : span_of(q->head_hash, sizeof(q->head_hash));
}
