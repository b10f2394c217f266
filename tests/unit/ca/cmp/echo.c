/* SPDX-License-Identifier: Apache-2.0 */
/* What is repeated of a message that cannot be decoded: all that a damaged one still shows. */
#include "ca/cmp/echo.h"

#include "ca/cmp/message/der.h"
#include "ca/cmp/message/msg.h"
#include "ca/cmp/protection/check.h"
#include "tests/unit/ca/cmp/fixture.h"

static const char *const messages[] = {"pbm-ir.der", "sig-kur.der", "unprotected-ir.der"};

struct whole {
    struct buf der;
    struct cmp_msg *msg;
    size_t header_end;
};

static void
whole_free(struct whole *w)
{
    buf_free(&w->der);
    cmp_msg_free(w->msg);
}

static struct whole
load(const char *name)
{
    struct whole w = {0};
    struct err e = {0};

    vector(name, &w.der);
    w.msg = cmp_msg_parse(buf_span(&w.der), CMP_MESSAGE_MAX, &e);
    assert_non_null(w.msg);
    /* 30 82, and 30, 81 or 82: the header is the first element. */
    assert_int_equal(w.der.p[4], 0x30);
    w.header_end = w.der.p[5] == 0x82   ? 8U + ((size_t)w.der.p[6] << 8) + w.der.p[7]
                   : w.der.p[5] == 0x81 ? 7U + w.der.p[6]
                                        : 6U + w.der.p[5];
    return w;
}

static bool
is_echoed(const struct whole *w, struct span octets)
{
    struct cmp_echo echo;

    cmp_echo_read(octets, CMP_MESSAGE_MAX, &echo);
    return span_equal(echo.transaction_id, cmp_msg_transaction_id(w->msg)) &&
           span_equal(echo.sender_nonce, cmp_msg_sender_nonce(w->msg)) &&
           span_equal(echo.sender, cmp_msg_sender(w->msg)) && echo.pvno == cmp_msg_pvno(w->msg);
}

static void
a_cut_message_is_echoed_once_its_header_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        CLEANUP(whole_free) struct whole w = load(messages[i]);

        for (size_t n = 0; n <= w.der.n; n++) {
            if (is_echoed(&w, span_of(w.der.p, n)) != (n >= w.header_end)) {
                fail_msg("%s: the first %zu of %zu octets", messages[i], n, w.der.n);
            }
        }
    }
}

static void
whatever_is_behind_the_header_is_passed_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        CLEANUP(whole_free) struct whole w = load(messages[i]);
        CLEANUP(buf_free) struct buf more = BUF_INIT(CMP_MESSAGE_MAX);
        struct err e = {0};

        assert_ok(buf_set(&more, buf_span(&w.der), &e), &e);
        assert_ok(buf_append(&more, SPAN_LITERAL("\0"), &e), &e);
        assert_true(is_echoed(&w, buf_span(&more)));
        for (size_t at = w.header_end; at < w.der.n; at++) {
            w.der.p[at] ^= 0xff;
        }
        assert_true(is_echoed(&w, buf_span(&w.der)));
    }
}

static void
a_damaged_header_is_echoed_in_what_it_shows(void **state)
{
    CLEANUP(whole_free) struct whole w = load(messages[0]);
    struct cmp_echo echo;

    (void)state;
    /* Each octet in turn: no reading outside of it, and never more than an identifier may have. */
    for (size_t at = 0; at < w.header_end; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            w.der.p[at] ^= (uint8_t)(1U << bit);
            cmp_echo_read(buf_span(&w.der), CMP_MESSAGE_MAX, &echo);
            assert_true(echo.transaction_id.n <= CMP_ID_MAX && echo.sender_nonce.n <= CMP_ID_MAX);
            assert_true(echo.pvno == CMP_PVNO_2000 || echo.pvno == CMP_PVNO_2021);
            w.der.p[at] ^= (uint8_t)(1U << bit);
        }
    }
}

static void
what_is_no_message_is_not_echoed(void **state)
{
    static const struct span octets[] = {
        {NULL, 0},
        {(const uint8_t *)"\x30", 1},
        {(const uint8_t *)"\x30\x80\x30\x03\x02\x01\x02\x00\x00", 9},
        {(const uint8_t *)"\x30\xff\xff", 3},
        {(const uint8_t *)"\x30\x05\x30\x03\x02\x01\x02", 7},
        {(const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18},
    };
    CLEANUP(whole_free) struct whole w = load(messages[0]);
    struct cmp_echo echo;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(octets); i++) {
        cmp_echo_read(octets[i], CMP_MESSAGE_MAX, &echo);
        assert_int_equal(echo.transaction_id.n + echo.sender_nonce.n + echo.sender.n, 0);
        assert_int_equal(echo.pvno, CMP_PVNO_2000);
    }
    cmp_echo_read(buf_span(&w.der), 16, &echo);
    assert_int_equal(echo.transaction_id.n, 0);
}

/* PKIMessage { header { pvno, sender, recipient, more } }; nothing behind it is looked at. */
static void
a_header_is_echoed_by_its_fields(void **state)
{
#define NULL_DN "\xa4\x02\x30\x00"
#define ID16                                                                                       \
    "\xa4\x12\x04\x10"                                                                             \
    "0123456789abcdef"
    static const char id64[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const struct {
        const char *name;
        struct span header;
        int pvno;
        size_t sender;
        size_t id;
    } rows[] = {
        {"pvno 3", SPAN_LITERAL("\x02\x01\x03" NULL_DN NULL_DN ID16), CMP_PVNO_2021, 4, 16},
        {"pvno 2", SPAN_LITERAL("\x02\x01\x02" NULL_DN NULL_DN ID16), CMP_PVNO_2000, 4, 16},
        {"pvno 768", SPAN_LITERAL("\x02\x02\x03\x00" NULL_DN NULL_DN ID16), CMP_PVNO_2000, 4, 16},
        {"pvno of no octets", SPAN_LITERAL("\x02\x00" NULL_DN NULL_DN ID16), CMP_PVNO_2000, 4, 16},
        {"pvno is no INTEGER", SPAN_LITERAL("\x04\x01\x03" NULL_DN NULL_DN ID16), CMP_PVNO_2000, 0,
         0},
        {"no recipient", SPAN_LITERAL("\x02\x01\x03" NULL_DN), CMP_PVNO_2000, 0, 0},
        {"sender is a dNSName", SPAN_LITERAL("\x02\x01\x03\x82\x01x" NULL_DN ID16), CMP_PVNO_2021,
         0, 16},
        {"sender is no DER", SPAN_LITERAL("\x02\x01\x03\xa4\x02\x30\x01" NULL_DN ID16),
         CMP_PVNO_2021, 0, 16},
        {"transactionID in two strings",
         SPAN_LITERAL("\x02\x01\x03" NULL_DN NULL_DN "\xa4\x06\x04\x01x\x04\x01y"), CMP_PVNO_2021,
         4, 0},
        {"transactionID is a UTF8String",
         SPAN_LITERAL("\x02\x01\x03" NULL_DN NULL_DN "\xa4\x03\x0c\x01x"), CMP_PVNO_2021, 4, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf header = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf der = BUF_INIT(1000);
        struct cmp_echo echo;
        struct err e = {0};

        assert_ok(der_append(&header, DER_SEQUENCE, rows[i].header, &e), &e);
        assert_ok(der_append(&der, DER_SEQUENCE, buf_span(&header), &e), &e);
        cmp_echo_read(buf_span(&der), 1000, &echo);
        if (echo.pvno != rows[i].pvno || echo.sender.n != rows[i].sender ||
            echo.transaction_id.n != rows[i].id) {
            fail_msg("%s: %d %zu %zu", rows[i].name, echo.pvno, echo.sender.n,
                     echo.transaction_id.n);
        }
        /* a header is looked at up to the limit, and not past it */
        cmp_echo_read(buf_span(&der), header.n, &echo);
        assert_int_equal(echo.transaction_id.n, rows[i].id);
        cmp_echo_read(buf_span(&der), header.n - 1, &echo);
        assert_int_equal(echo.transaction_id.n + echo.sender.n, 0);
    }
    for (size_t n = CMP_ID_MAX; n <= CMP_ID_MAX + 1; n++) {
        CLEANUP(buf_free) struct buf string = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf fields = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf header = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf der = BUF_INIT(1000);
        struct cmp_echo echo;
        struct err e = {0};

        assert_ok(der_append(&string, 0x04, span_of(id64, n), &e), &e);
        assert_ok(buf_append(&fields, SPAN_LITERAL("\x02\x01\x02" NULL_DN NULL_DN), &e), &e);
        assert_ok(der_append(&fields, DER_CONTEXT | 5, buf_span(&string), &e), &e);
        assert_ok(der_append(&header, DER_SEQUENCE, buf_span(&fields), &e), &e);
        assert_ok(der_append(&der, DER_SEQUENCE, buf_span(&header), &e), &e);
        cmp_echo_read(buf_span(&der), 1000, &echo);
        assert_int_equal(echo.sender_nonce.n, n <= CMP_ID_MAX ? n : 0);
        assert_int_equal(echo.transaction_id.n, 0);
    }
}

/* The header of a message behind each form of tag and length that a PKIMessage may begin with. */
static void
a_message_begins_with_a_sequence_and_a_length(void **state)
{
    const struct {
        struct span head;
        bool seen;
    } rows[] = {
        {SPAN_LITERAL("\x30\x7f"), true},
        {SPAN_LITERAL("\x30\x81\xff"), true},
        {SPAN_LITERAL("\x30\x82\xff\xff"), true},
        {SPAN_LITERAL("\x30\x84\x00\x00\x00\x00"), true}, /* the length may be wrong */
        {SPAN_LITERAL("\x31\x7f"), false},
        {SPAN_LITERAL("\x30\x80"), false},
        {SPAN_LITERAL("\x30\x85\x00\x00\x00\x00\x00"), false},
        {SPAN_LITERAL("\x30\xff"), false},
        {SPAN_LITERAL(""), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(1000);
        struct cmp_echo echo;
        struct err e = {0};

        assert_ok(buf_append(&der, rows[i].head, &e), &e);
        assert_ok(
            der_append(&der, DER_SEQUENCE, SPAN_LITERAL("\x02\x01\x02" NULL_DN NULL_DN ID16), &e),
            &e);
        cmp_echo_read(buf_span(&der), 1000, &echo);
        if ((echo.transaction_id.n == 16) != rows[i].seen) {
            fail_msg("row %zu: %zu", i, echo.transaction_id.n);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_message_is_echoed_once_its_header_is_whole),
        cmocka_unit_test(whatever_is_behind_the_header_is_passed_over),
        cmocka_unit_test(a_damaged_header_is_echoed_in_what_it_shows),
        cmocka_unit_test(what_is_no_message_is_not_echoed),
        cmocka_unit_test(a_header_is_echoed_by_its_fields),
        cmocka_unit_test(a_message_begins_with_a_sequence_and_a_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
