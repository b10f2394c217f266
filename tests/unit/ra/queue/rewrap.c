/* SPDX-License-Identifier: Apache-2.0 */
/* What another certificate signed, or nobody, is signed by ours, when it was this RA that put it
 * into the queue. */
#include "ra/queue/rewrap.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ra/queue/wrapper.h"
#include "ra/secret/seal.h"
#include "tests/support/forge.h"
#include "tests/unit/ra/running.h"

enum { AT_ONCE = 64 };

#define ID "0123456789abcdef0123456789abcdef"

static struct {
    size_t done;
    size_t failed;
    struct buf nested;
    struct cmp_msg *inner;
    time_t received_at;
} it;

static void
on_done(void *arg, const struct requests_entry *entry, struct span nested)
{
    struct err e = {0};

    (void)arg;
    it.done++;
    it.failed += nested.n == 0;
    assert_int_equal(entry->sequence, 7);
    buf_free(&it.nested);
    it.nested = BUF_INIT(CMP_NESTED_MAX);
    assert_ok(buf_set(&it.nested, nested, &e), &e);
}

/* The loop, until so many are done. */
static void
wait_for(struct running *w, size_t n)
{
    while (it.done < n) {
        running_for(w, 1);
    }
}

static int
set_up(void **state)
{
    CLEANUP(buf_free) struct buf pbm = BUF_INIT(256);
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    struct cmp_client c = {.reference = "amf-1", .secret = SPAN_LITERAL("secret")};
    struct cmp_client_state going;
    struct err e = {0};

    if (running_setup(state) != 0) {
        return -1;
    }
    assert_ok(cmp_client_pbm(NID_sha256, 100, NID_hmacWithSHA256, &pbm, &e), &e);
    c.algorithm = buf_span(&pbm);
    assert_ok(cmp_client_request(&c, CMP_IR, key, NULL, &going, &message, &e), &e);
    it.inner = cmp_msg_parse(buf_span(&message), CMP_MESSAGE_MAX, &e);
    assert_non_null(it.inner);
    return 0;
}

static int
tear_down(void **state)
{
    cmp_msg_free(it.inner);
    buf_free(&it.nested);
    return running_teardown(state);
}

static int
reset(void **state)
{
    (void)running_reset(state);
    it.done = 0;
    it.failed = 0;
    it.received_at = clock_now() - 100;
    return 0;
}

static struct buf
part_of(struct running *w)
{
    const struct cmp_queue_entry entry = {.registration_id = ID,
                                          .assurance = CMP_ASSURANCE_MAC,
                                          .profile = "nf-tls",
                                          .received_at = it.received_at};
    struct buf part = {0};
    struct err e = {0};

    assert_ok(rewrap_part(&w->ra, &entry, it.inner, &part, &e), &e);
    return part;
}

/* A wrapper that nobody signed, under this key. */
static struct buf
unsigned_under(struct running *w, struct span key)
{
    CLEANUP(buf_free) struct buf part = part_of(w);
    struct buf nested = {0};
    struct err e = {0};

    assert_ok(wrapper_unsigned(key, buf_span(&part), &nested, &e), &e);
    return nested;
}

static void
begin(struct running *w, struct span nested)
{
    const struct requests_entry entry = {.sequence = 7, .untimely = true};

    it.done = 0;
    it.failed = 0;
    assert_true(rewrap_begin(&w->ra, &entry, nested, on_done, NULL));
}

/* ---- is it needed? ---- */

/* The certificate is the last field of a wrapper. */
static void
what_ends_with_our_certificate_is_ours(void **state)
{
    struct running *w = *state;
    struct span own = buf_span(&w->ra.credentials.certificate_der);
    CLEANUP(buf_free) struct buf behind = BUF_INIT(LINK_CERTIFICATE_MAX + 8);
    struct err e = {0};

    assert_ok(buf_append_str(&behind, "before", &e), &e);
    assert_ok(buf_append(&behind, own, &e), &e);
    assert_false(rewrap_is_needed(&w->ra, buf_span(&behind)));
    assert_false(rewrap_is_needed(&w->ra, own));
    assert_true(rewrap_is_needed(&w->ra, span_of(own.p, own.n - 1)));
    assert_true(rewrap_is_needed(&w->ra, span_of(own.p + 1, own.n - 1)));
    assert_true(rewrap_is_needed(&w->ra, (struct span){0}));
    behind.p[behind.n - 1] ^= 1;
    assert_true(rewrap_is_needed(&w->ra, buf_span(&behind)));
    behind.p[behind.n - 1] ^= 1;
    behind.p[6] ^= 1; /* its first octet */
    assert_true(rewrap_is_needed(&w->ra, buf_span(&behind)));
}

/* ---- what becomes of it ---- */

static void
what_nobody_signed_is_signed(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf nested = unsigned_under(w, buf_span(&w->ra.seal_key));
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    const struct cmp_queue_entry *entry;
    struct err e = {0};

    begin(w, buf_span(&nested));
    wait_for(w, 1);
    assert_int_equal(it.failed, 0);
    assert_int_equal(w->ra.rewraps, 0);
    assert_false(rewrap_is_needed(&w->ra, buf_span(&it.nested)));
    q = cmp_queued_parse(buf_span(&it.nested), &e);
    assert_non_null(q);
    assert_ok(cmp_queued_verify(q,
                                &(struct cmp_parties){.ra = w->certificate,
                                                      .ca = X509_get_subject_name(w->pki->issuing)},
                                &e),
              &e);
    entry = cmp_queued_entry(q);
    assert_string_equal(entry->registration_id, ID);
    assert_int_equal(entry->received_at, it.received_at);
    assert_int_equal(entry->assurance, CMP_ASSURANCE_MAC);
    assert_true(span_equal(cmp_msg_der(cmp_queued_inner(q)), cmp_msg_der(it.inner)));
}

/* By a clock that was set back since. */
static void
what_came_in_the_future_came_now(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf nested = {0};
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    struct err e = {0};

    it.received_at = clock_now() + 10000;
    nested = unsigned_under(w, buf_span(&w->ra.seal_key));
    begin(w, buf_span(&nested));
    wait_for(w, 1);
    q = cmp_queued_parse(buf_span(&it.nested), &e);
    assert_non_null(q);
    assert_true(cmp_queued_entry(q)->received_at <= clock_now());
    assert_true(cmp_queued_entry(q)->received_at > clock_now() - 60);
}

/* Whoever can write a file must not make the RA say it; and it is logged once in a row. */
static void
what_is_not_ours_is_not_signed(void **state)
{
    static const uint8_t other[SEAL_KEY_SIZE] = {1};
    struct running *w = *state;
    CLEANUP(buf_free) struct buf forged = unsigned_under(w, span_of(other, sizeof(other)));
    CLEANUP(buf_free) struct buf good = unsigned_under(w, buf_span(&w->ra.seal_key));
    CLEANUP(buf_free) struct buf huge = BUF_INIT(CMP_NESTED_MAX + 1);
    struct err e = {0};
    uint8_t *p = buf_extend(&huge, CMP_NESTED_MAX + 1, &e);
    const struct {
        const char *name;
        struct span nested;
        const char *why;
    } rows[] = {{"another seal", buf_span(&forged), "not sealed by this RA"},
                {"no wrapper", SPAN_LITERAL("octets"), "queue entry"},
                {"nothing", {0}, "queue entry"},
                {"too long", {0}, "queue entry"}};

    memset(p, 0x30, CMP_NESTED_MAX + 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        w->ra.rewrap_failed = false;
        for (int again = 0; again <= 1; again++) {
            tap_mark();
            begin(w, i == 3 ? buf_span(&huge) : rows[i].nested);
            wait_for(w, 1);
            if (it.failed != 1 || !w->ra.rewrap_failed || w->ra.rewraps != 0 ||
                tap_has("not-wrapped") != (again == 0) || tap_has(rows[i].why) != (again == 0)) {
                fail_msg("%s, %s: %zu of %zu", rows[i].name, again ? "again" : "first", it.failed,
                         it.done);
            }
        }
    }
    begin(w, buf_span(&good));
    wait_for(w, 1);
    assert_int_equal(it.failed, 0);
    assert_false(w->ra.rewrap_failed);
}

/* The signer's policy does not let it through, say. */
static void
what_the_signer_refuses_waits(void **state)
{
    struct running *w = *state;
    X509 *own = w->ra.credentials.certificate;
    CLEANUP(buf_free) struct buf nested = unsigned_under(w, buf_span(&w->ra.seal_key));

    w->ra.credentials.certificate = w->pki->issuing; /* a sender that is not the policy's */
    w->ra.rewrap_failed = false;
    tap_mark();
    begin(w, buf_span(&nested));
    wait_for(w, 1);
    w->ra.credentials.certificate = own;
    assert_int_equal(it.failed, 1);
    tap_need("not-wrapped");
}

/* It could not be kept: the RA ends, and the entry waits as it is. */
static void
a_queue_that_cannot_be_written_ends_the_ra(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf nested = unsigned_under(w, buf_span(&w->ra.seal_key));

    w->ra.rewrap_failed = false;
    running_sql(w, "ALTER TABLE queue RENAME COLUMN rewrapped TO gone", STORE_NO_VALUES);
    begin(w, buf_span(&nested));
    wait_for(w, 1);
    running_sql(w, "ALTER TABLE queue RENAME COLUMN gone TO rewrapped", STORE_NO_VALUES);
    assert_int_equal(it.failed, 1);
    assert_true(w->ra.failed);
    tap_need("\"not-wrapped\"");
    w->ra.failed = false;
    w->ra.rewrap_failed = false;
}

static void
so_many_are_under_way_at_once(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf nested = unsigned_under(w, buf_span(&w->ra.seal_key));
    const struct requests_entry entry = {.sequence = 7};

    it.done = 0;
    for (size_t i = 0; i < AT_ONCE; i++) {
        assert_true(rewrap_begin(&w->ra, &entry, buf_span(&nested), on_done, NULL));
    }
    assert_false(rewrap_begin(&w->ra, &entry, buf_span(&nested), on_done, NULL));
    assert_int_equal(w->ra.rewraps, AT_ONCE);
    wait_for(w, AT_ONCE);
    assert_int_equal(w->ra.rewraps, 0);
    assert_int_equal(it.failed, 0);
    begin(w, buf_span(&nested));
    wait_for(w, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_ends_with_our_certificate_is_ours),
        TEST(what_nobody_signed_is_signed),
        TEST(what_came_in_the_future_came_now),
        TEST(what_is_not_ours_is_not_signed),
        TEST(what_the_signer_refuses_waits),
        TEST(a_queue_that_cannot_be_written_ends_the_ra),
        TEST(so_many_are_under_way_at_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
