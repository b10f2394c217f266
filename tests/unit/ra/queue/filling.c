/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/queue/filling.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/queue.h"
#include "tests/support/wrapper.h"

static int
make_message(struct filling *f, struct err *e)
{
    memset(buf_extend(&f->message, f->size + SHA256_SIZE, e), 'x', f->size);
    return random_bytes(f->message.p + f->size, SHA256_SIZE, e);
}

static int
fill_one(struct filling *f, struct store_db *db, struct err *e)
{
    struct cmp_queue_entry says = {
        .assurance = CMP_ASSURANCE_MAC, .profile = "nf-tls", .received_at = f->received_at};
    struct requests_admission a = {.identity = "mac:filling",
                                   .registration = f->registration,
                                   .profile = "nf-tls",
                                   .uncounted = true,
                                   .until = INT64_MAX,
                                   .rid = span_of(f->rid, sizeof(f->rid))};
    uint64_t sequence;
    int64_t enrolment;

    (void)snprintf(says.registration_id, sizeof(says.registration_id), "%s", f->registration);
    f->message = BUF_INIT(CMP_MESSAGE_MAX);
    f->entry = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    if (f->whole.n > 0 ? buf_set(&f->message, f->whole, e) != 0 : make_message(f, e) != 0) {
        return -1;
    }
    if (sha256(buf_span(&f->message), f->rid, e) != 0) {
        return -1;
    }
    memcpy(says.rid, f->rid, sizeof(says.rid));
    if (cmp_queue_entry_encode(&says, &f->entry, e) != 0) {
        return -1;
    }
    a.transaction_id = span_of(f->rid, 16);
    a.message = buf_span(&f->message);
    a.entry = buf_span(&f->entry);
    return requests_admit(db, &a, &enrolment, &sequence, e);
}

static int
run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct filling *f = CONTAINER_OF(op, struct filling, op);

    for (size_t i = 0; i < f->n; i++) {
        buf_free(&f->message);
        buf_free(&f->entry);
        if (fill_one(f, db, e) != 0) {
            return -1;
        }
    }
    return requests_put_head(db, &f->author, &f->head, e);
}

struct filling
filling_of(struct running *w, const struct member *m, size_t n, size_t size)
{
    return (struct filling){.op.run = run,
                            .author = heads_author(&w->ra),
                            .registration = m->id,
                            .n = n,
                            .size = size,
                            .received_at = clock_now()};
}

void
filling_clear(struct filling *f)
{
    requests_head_clear(&f->head);
    buf_free(&f->message);
    buf_free(&f->entry);
}

void
filling_run(struct running *w, struct filling *f)
{
    struct err e = {0};

    assert_ok(store_call(w->ra.store, &f->op, &e), &e);
}

struct buf
filling_part(struct running *w, const struct filling *f, X509 *ra)
{
    const struct wrapper by =
        wrapper_by(ra, X509_get_subject_name(w->ra.credentials.issuing), clock_now());
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct cmp_queue_entry says;
    struct err e = {0};

    msg = cmp_msg_parse(buf_span(&f->message), CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    assert_ok(cmp_queue_entry_decode(buf_span(&f->entry), &says, &e), &e);
    return wrapper_part(&by, &says, msg);
}

struct buf
filling_signed(struct running *w, const struct filling *f)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *ra = pki_issue_officer(w->pki, "ra-cmp", key);
    CLEANUP(buf_free) struct buf part = filling_part(w, f, ra);

    return wrapper_sign(buf_span(&part), key, ra);
}

void
fill(struct running *w, const struct member *m, size_t n, size_t size)
{
    struct filling f = filling_of(w, m, n, size);

    filling_run(w, &f);
    filling_clear(&f);
}

struct requests_head
requests_copy(const struct requests_head *from)
{
    struct requests_head to = *from;
    struct err e;

    to.text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    to.leaves = BUF_INIT(REQUESTS_LEAVES_MAX);
    assert_ok(buf_set(&to.text, buf_span(&from->text), &e), &e);
    assert_ok(buf_set(&to.leaves, buf_span(&from->leaves), &e), &e);
    return to;
}
