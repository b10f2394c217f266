/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/submit.h"

#include <string.h>

#include "base/ossl.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

void
submit_free(struct submit *s)
{
    buf_free(&s->message);
    buf_free(&s->entry);
    buf_free(&s->path);
    buf_free(&s->head);
    buf_free(&s->signature);
    buf_free(&s->certificate);
}

static void
id_of(ossl_i2d *i2d, const void *object, uint8_t out[QUEUE_HEAD_ID])
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(ossl_encode(i2d, object, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), out, &e), &e);
}

static struct submit
begin(struct cmp_queue_entry entry, struct span message, uint64_t index)
{
    struct submit s = {.message = BUF_INIT(CMP_MESSAGE_MAX),
                       .entry = BUF_INIT(CMP_QUEUE_ENTRY_MAX),
                       .index = index,
                       .path = BUF_INIT(CMP_MESSAGE_MAX),
                       .head = BUF_INIT(QUEUE_HEAD_TEXT_MAX),
                       .signature = BUF_INIT(CMP_MESSAGE_MAX),
                       .certificate = BUF_INIT(CMP_MESSAGE_MAX)};
    struct err e = {0};

    assert_ok(buf_set(&s.message, message, &e), &e);
    assert_ok(sha256(message, entry.rid, &e), &e);
    submit_entry(&s, entry);
    return s;
}

void
submit_entry(struct submit *s, struct cmp_queue_entry entry)
{
    struct err e = {0};

    assert_ok(cmp_queue_entry_encode(&entry, &s->entry, &e), &e);
}

void
submit_sign(struct submit *s, const struct queue_head *head, EVP_PKEY *key)
{
    struct err e = {0};

    assert_ok(queue_head_format(head, &s->head, &e), &e);
    buf_free(&s->signature);
    s->signature = pki_sign(key, buf_span(&s->head));
}

/* The way from each to the head over all of `leaves`. */
static void
finish(const struct submit_head *h, struct span leaves, struct submit *s, size_t n)
{
    struct queue_head head = {.first = h->first, .size = leaves.n / MERKLE_HASH, .time = h->time};
    struct err e = {0};

    id_of((ossl_i2d *)(void (*)(void))i2d_X509_PUBKEY, X509_get_X509_PUBKEY(h->ra), head.ra);
    id_of((ossl_i2d *)(void (*)(void))i2d_X509, h->ca, head.ca);
    memcpy(head.previous, h->previous, sizeof(head.previous));
    assert_ok(queue_head_root(leaves, &head.root, &e), &e);
    for (size_t i = 0; i < n; i++) {
        assert_ok(queue_head_path(leaves, s[i].index, &s[i].path, &e), &e);
        assert_ok(OSSL_ENCODE(X509, h->ra, &s[i].certificate, &e), &e);
    }
    submit_sign(s, &head, h->key); /* once, for all */
    for (size_t i = 1; i < n; i++) {
        assert_ok(buf_set(&s[i].head, buf_span(&s->head), &e), &e);
        assert_ok(buf_set(&s[i].signature, buf_span(&s->signature), &e), &e);
    }
}

static void
set_leaf(uint8_t *leaves, uint64_t index, struct span entry)
{
    const struct merkle_hash hash = merkle_leaf(entry);

    memcpy(leaves + index * MERKLE_HASH, hash.octets, MERKLE_HASH);
}

struct submit
submit_one(const struct submit_head *h, struct cmp_queue_entry entry, struct span message,
           uint64_t index, uint64_t size)
{
    uint8_t leaves[QUEUE_HEAD_SIZE_MAX * MERKLE_HASH];
    struct submit s = begin(entry, message, index);

    assert_true(index < size && size <= QUEUE_HEAD_SIZE_MAX);
    for (uint64_t i = 0; i < size; i++) {
        set_leaf(leaves, i, SPAN_LITERAL("another entry"));
    }
    set_leaf(leaves, index, buf_span(&s.entry));
    finish(h, span_of(leaves, size * MERKLE_HASH), &s, 1);
    return s;
}

void
submit_all(const struct submit_head *h, const struct cmp_queue_entry *entries,
           const struct span *messages, size_t n, struct submit *out)
{
    uint8_t leaves[QUEUE_HEAD_SIZE_MAX * MERKLE_HASH];

    assert_true(n > 0 && n <= QUEUE_HEAD_SIZE_MAX);
    for (size_t i = 0; i < n; i++) {
        out[i] = begin(entries[i], messages[i], i);
        set_leaf(leaves, i, buf_span(&out[i].entry));
    }
    finish(h, span_of(leaves, n * MERKLE_HASH), out, n);
}

struct buf
submit_der(const struct submit *s)
{
    const struct cmp_submission parts = {.message = buf_span(&s->message),
                                         .entry = buf_span(&s->entry),
                                         .index = s->index,
                                         .path = buf_span(&s->path),
                                         .head = buf_span(&s->head),
                                         .signature = buf_span(&s->signature),
                                         .certificate = buf_span(&s->certificate)};
    struct buf out = BUF_INIT(CMP_NESTED_MAX);
    struct err e = {0};

    assert_ok(cmp_submission_encode(&parts, &out, &e), &e);
    return out;
}
