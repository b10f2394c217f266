/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/queue.h"

#include "tests/support/der_edit.h"
#include "tests/support/pki.h"
#include "tests/support/submit.h"
#include "tests/unit/ca/cmp/fixture.h"

enum { AT = 1795467171, FIRST = 100, SIZE = 5, INDEX = 2 };

static struct cmp_queue_entry
entry(void)
{
    return (struct cmp_queue_entry){.registration_id = "0123456789abcdef0123456789abcdef",
                                    .assurance = CMP_ASSURANCE_MAC,
                                    .profile = "nf-tls",
                                    .received_at = AT};
}

/* The RA of these tests is the fixture's device, which is its own CA, too. */
static struct submit_head
head(const struct world *w)
{
    return (struct submit_head){
        .ra = w->device, .key = w->device_key, .ca = w->device, .first = FIRST, .time = AT};
}

static struct submit
submitted(const struct world *w)
{
    const struct submit_head h = head(w);
    CLEANUP(buf_free) struct buf inner = {0};

    request_der(w, &w->mac, &inner);
    return submit_one(&h, entry(), buf_span(&inner), INDEX, SIZE);
}

static struct cmp_parties
parties(const struct world *w, uint8_t hash[SHA256_SIZE])
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, w->device, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), hash, &e), &e);
    return (struct cmp_parties){
        .ra = w->device, .ca = w->subject, .ca_hash = span_of(hash, SHA256_SIZE)};
}

static void
a_submission_comes_out_as_it_went_in(void **state)
{
    const struct world *w = *state;
    CLEANUP(submit_free) struct submit s = submitted(w);
    CLEANUP(buf_free) struct buf der = submit_der(&s);
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    uint8_t ca[SHA256_SIZE];
    uint8_t hash[SHA256_SIZE];
    const struct cmp_parties with = parties(w, ca);
    struct err e = {0};

    q = cmp_queued_parse(buf_span(&der), &e);
    if (q == NULL) {
        fail_msg("%s", e.text);
    }
    buf_free(&der); /* nothing is borrowed */
    assert_ok(cmp_queued_verify(q, &with, &e), &e);
    assert_string_equal(cmp_queued_entry(q)->registration_id, entry().registration_id);
    assert_string_equal(cmp_queued_entry(q)->profile, "nf-tls");
    assert_int_equal(cmp_queued_entry(q)->assurance, CMP_ASSURANCE_MAC);
    assert_int_equal(cmp_queued_entry(q)->received_at, AT);
    assert_true(span_equal(cmp_msg_der(cmp_queued_inner(q)), buf_span(&s.message)));
    assert_true(span_equal(cmp_queued_ra(q), buf_span(&s.certificate)));
    assert_int_equal(cmp_queued_sequence(q), FIRST + INDEX);
    assert_ok(sha256(buf_span(&s.head), hash, &e), &e);
    assert_true(span_equal(cmp_queued_head_hash(q), span_of(hash, sizeof(hash))));
    assert_true(span_equal(cmp_queued_submission(q)->entry, buf_span(&s.entry)));
    assert_true(span_equal(cmp_queued_submission(q)->path, buf_span(&s.path)));
    assert_true(span_equal(cmp_queued_submission(q)->head, buf_span(&s.head)));
    assert_true(span_equal(cmp_queued_submission(q)->signature, buf_span(&s.signature)));
    assert_int_equal(cmp_queued_submission(q)->index, INDEX);
}

static void
one_flipped_bit_at_every_octet_is_refused(void **state)
{
    const struct world *w = *state;
    CLEANUP(submit_free) struct submit s = submitted(w);
    CLEANUP(buf_free) struct buf der = submit_der(&s);
    CLEANUP(cmp_heads_cleanup) struct cmp_heads *heads = cmp_heads_new();
    uint8_t ca[SHA256_SIZE];
    struct cmp_parties with = parties(w, ca);
    size_t parsed = 0;

    with.heads = heads;
    for (size_t i = 0; i < der.n; i++) {
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
        const uint8_t flip = (uint8_t)(1U << (i % 8));
        struct err e = {0};

        der.p[i] ^= flip;
        q = cmp_queued_parse(buf_span(&der), &e);
        if (q != NULL) {
            parsed++;
            if (cmp_queued_verify(q, &with, &e) == 0) {
                fail_msg("octet %zu may be changed", i);
            }
        }
        der.p[i] ^= flip;
    }
    assert_true(parsed > 100);
}

/* ---- what does not hold together, whoever signed it ---- */

static void
other_registration(struct submit *s, const struct world *w)
{
    struct cmp_queue_entry of = entry();
    struct err e = {0};

    (void)w;
    assert_ok(sha256(buf_span(&s->message), of.rid, &e), &e);
    of.registration_id[0] = 'f';
    submit_entry(s, of);
}

static void
other_message(struct submit *s, const struct world *w)
{
    buf_free(&s->message);
    request_der(w, &w->mac, &s->message);
}

static void
no_message(struct submit *s, const struct world *w)
{
    const struct submit_head h = head(w);

    submit_free(s);
    *s = submit_one(&h, entry(), SPAN_LITERAL("no message"), INDEX, SIZE);
}

static void
no_transaction(struct submit *s, const struct world *w)
{
    const struct submit_head h = head(w);
    CLEANUP(buf_free) struct buf bare = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    for (char at[] = "0.3"; bare.n == 0; at[2]++) { /* the field [4] of the header */
        const struct span field = der_at(buf_span(&s->message), at);

        assert_true(field.n > 0);
        if (field.p[0] == 0xa4) {
            assert_ok(der_edit(buf_span(&s->message), at, span_of(NULL, 0), &bare, &e), &e);
        }
    }
    submit_free(s);
    *s = submit_one(&h, entry(), buf_span(&bare), INDEX, SIZE);
}

static void
other_index(struct submit *s, const struct world *w)
{
    (void)w;
    s->index++;
}

static void
other_path(struct submit *s, const struct world *w)
{
    (void)w;
    s->path.p[0] ^= 1;
}

static void
no_path(struct submit *s, const struct world *w)
{
    (void)w;
    buf_truncate(&s->path, 0);
}

static void
an_octet_of_path(struct submit *s, const struct world *w)
{
    (void)w;
    buf_truncate(&s->path, s->path.n - 1);
}

static void
no_head(struct submit *s, const struct world *w)
{
    struct err e = {0};

    (void)w;
    assert_ok(buf_set(&s->head, SPAN_LITERAL("no head"), &e), &e);
}

static void
head_in_capitals(struct submit *s, const struct world *w)
{
    uint8_t *p = memmem(s->head.p, s->head.n, "root ", 5);

    assert_non_null(p);
    for (p += 5; *p < 'a'; p++) {
    }
    *p = (uint8_t)(*p - 'a' + 'A');
    buf_free(&s->signature);
    s->signature = pki_sign(w->device_key, buf_span(&s->head));
}

static void
entry_that_is_none(struct submit *s, const struct world *w)
{
    (void)w;
    s->entry.p[0] = 0x31;
}

static void
what_does_not_hold_together_is_refused(void **state)
{
    const struct world *w = *state;
    static const struct {
        const char *name;
        void (*change)(struct submit *, const struct world *);
        enum err_code code;
        const char *why;
    } rows[] = {
        {"another entry", other_registration, ERR_CRYPTO, "not under the head that the RA signed"},
        {"another message", other_message, ERR_INPUT,
         "the entry's rid is not the hash of the message"},
        {"no message", no_message, ERR_INPUT, "message inside: "},
        {"no transactionID", no_transaction, ERR_INPUT, "message inside: without transactionID"},
        {"another index", other_index, ERR_CRYPTO, "not under the head that the RA signed"},
        {"another path", other_path, ERR_CRYPTO, "not under the head that the RA signed"},
        {"no path", no_path, ERR_CRYPTO, "not under the head that the RA signed"},
        {"a part of a hash", an_octet_of_path, ERR_CRYPTO, "not under the head that the RA signed"},
        {"no head", no_head, ERR_INPUT, "queue head: does not begin as one"},
        {"a head in capitals", head_in_capitals, ERR_INPUT,
         "queue head: not written as it must be"},
        {"an entry that is none", entry_that_is_none, ERR_INPUT, "QueueEntry does not decode"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(submit_free) struct submit s = submitted(w);
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
        struct err e = {0};

        rows[i].change(&s, w);
        der = submit_der(&s);
        q = cmp_queued_parse(buf_span(&der), &e);
        if (q != NULL || e.code != rows[i].code || strstr(e.text, rows[i].why) == NULL ||
            strncmp(e.text, "queue entry: ", 13) != 0) {
            fail_msg("%s: %s", rows[i].name, q != NULL ? "parsed" : e.text);
        }
    }
}

/* ---- whose it is, and for whom ---- */

static void
it_is_of_the_pinned_ra_for_this_ca(void **state)
{
    const struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *other = certificate_of(w->key, "device");
    CLEANUP(x509_cleanup) X509 *again = certificate_of(w->device_key, "device 2");
    enum change { NOTHING, PINNED, CERTIFICATE, RA, CA, KEY, TEXT, RENEWED };
    static const struct {
        const char *name;
        enum change change;
        enum err_code code; /* ERR_NONE: it is right */
        const char *why;
    } rows[] = {
        {"right", NOTHING, ERR_NONE, NULL},
        {"another RA is pinned", PINNED, ERR_DENIED, "not from the RA that is configured"},
        {"another RA's certificate", CERTIFICATE, ERR_DENIED,
         "the head names another key than that of the RA's certificate"},
        {"another RA's head", RA, ERR_DENIED,
         "the head names another key than that of the RA's certificate"},
        {"for another CA", CA, ERR_DENIED, "meant for another CA"},
        {"signed by another key", KEY, ERR_CRYPTO,
         "signature of the RA: signature does not verify"},
        {"signed over another text", TEXT, ERR_CRYPTO,
         "signature of the RA: signature does not verify"},
        {"another certificate of the same key", RENEWED, ERR_NONE, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(submit_free) struct submit s = submitted(w);
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
        uint8_t ca[SHA256_SIZE];
        struct cmp_parties with = parties(w, ca);
        struct queue_head h;
        struct err e = {0};
        int result;

        assert_ok(queue_head_parse(buf_span(&s.head), &h, &e), &e);
        switch (rows[i].change) {
        case NOTHING:
            break;
        case PINNED:
            with.ra = other;
            break;
        case CERTIFICATE:
        case RENEWED:
            with.ra = rows[i].change == RENEWED ? again : other;
            buf_free(&s.certificate);
            assert_ok(OSSL_ENCODE(X509, with.ra, &s.certificate, &e), &e);
            break;
        case RA:
            h.ra[0] ^= 1;
            submit_sign(&s, &h, w->device_key);
            break;
        case CA:
            h.ca[0] ^= 1;
            submit_sign(&s, &h, w->device_key);
            break;
        case KEY:
            submit_sign(&s, &h, w->key);
            break;
        case TEXT: {
            struct queue_head text = h;

            text.time++;
            submit_sign(&s, &text, w->device_key);
            assert_ok(queue_head_format(&h, &s.head, &e), &e);
            break;
        }
        }
        der = submit_der(&s);
        q = cmp_queued_parse(buf_span(&der), &e);
        if (q == NULL) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
        result = cmp_queued_verify(q, &with, &e);
        if ((result == 0) != (rows[i].code == ERR_NONE) ||
            (result != 0 && (e.code != rows[i].code || strstr(e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %s", rows[i].name, result == 0 ? "right" : e.text);
        }
    }
}

static void
all_of_a_batch_are_under_one_head(void **state)
{
    const struct world *w = *state;
    const struct submit_head h = head(w);
    enum { N = 3 };
    struct buf messages[N];
    struct span spans[N];
    struct cmp_queue_entry entries[N];
    struct submit s[N];
    uint8_t ca[SHA256_SIZE];
    const struct cmp_parties with = parties(w, ca);

    for (size_t i = 0; i < N; i++) {
        request_der(w, &w->mac, &messages[i]);
        spans[i] = buf_span(&messages[i]);
        entries[i] = entry();
    }
    submit_all(&h, entries, spans, N, s);
    for (size_t i = 0; i < N; i++) {
        CLEANUP(buf_free) struct buf der = submit_der(&s[i]);
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
        struct err e = {0};

        q = cmp_queued_parse(buf_span(&der), &e);
        if (q == NULL) {
            fail_msg("%zu: %s", i, e.text);
        }
        assert_ok(cmp_queued_verify(q, &with, &e), &e);
        assert_int_equal(cmp_queued_sequence(q), FIRST + i);
        submit_free(&s[i]);
        buf_free(&messages[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submission_comes_out_as_it_went_in),
        cmocka_unit_test(one_flipped_bit_at_every_octet_is_refused),
        cmocka_unit_test(what_does_not_hold_together_is_refused),
        cmocka_unit_test(it_is_of_the_pinned_ra_for_this_ca),
        cmocka_unit_test(all_of_a_batch_are_under_one_head),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
