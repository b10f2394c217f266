/* SPDX-License-Identifier: Apache-2.0 */
/* What is found in a message, and which are refused. */
#include "ca/cmp/message/msg.h"

#include "ca/cmp/message/der.h"
#include "tests/unit/ca/cmp/fixture.h"

static void
parts_of_a_message_of_openssl_are_found(void **state)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg("pbm-ir.der");
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(x509_name_cleanup) X509_NAME *sender = NULL;
    CLEANUP(x509_name_cleanup) X509_NAME *expected = name_of("x");
    struct err e = {0};
    struct span value;
    time_t time;

    (void)state;
    vector("pbm-ir.der", &der);
    assert_true(span_equal(cmp_msg_der(msg), buf_span(&der)));
    assert_int_equal(cmp_msg_pvno(msg), 2);
    assert_int_equal(cmp_msg_body(msg), CMP_IR);
    assert_true(span_equal(cmp_msg_sender_kid(msg), SPAN_LITERAL("reference-1")));
    assert_int_equal(cmp_msg_transaction_id(msg).n, 16);
    assert_int_equal(cmp_msg_sender_nonce(msg).n, 16);
    assert_null(cmp_msg_recip_nonce(msg).p);
    assert_true(cmp_msg_time(msg, &time));
    assert_int_equal(time, 1795467171); /* 2026-11-23T20:52:51Z */
    assert_int_equal(cmp_msg_info_count(msg), 1);
    assert_true(cmp_msg_implicit_confirm(msg));
    assert_true(cmp_msg_info(msg, CMP_OID_IMPLICIT_CONFIRM, &value));
    assert_true(span_equal(value, span_of("\x05\x00", 2)));
    assert_false(cmp_msg_info(msg, CMP_OID_CONFIRM_WAIT_TIME, &value));
    assert_int_equal(cmp_msg_protection(msg).n, 20);
    assert_int_equal(cmp_msg_extra_count(msg), 0);
    assert_null(cmp_msg_extra(msg, 0).p);
    assert_null(cmp_msg_signer(msg, &e));
    sender = cmp_msg_sender_name(msg, &e);
    assert_non_null(sender);
    assert_int_equal(X509_NAME_cmp(sender, expected), 0);
}

static void
extra_certs_stay_raw_until_asked(void **state)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vector_msg("sig-ir.der");
    CLEANUP(x509_cleanup) X509 *expected = vector_cert("dev.crt");
    CLEANUP(x509_cleanup) X509 *signer = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(cmp_msg_extra_count(msg), 1);
    signer = cmp_msg_signer(msg, &e);
    assert_non_null(signer);
    assert_int_equal(X509_cmp(signer, expected), 0);
}

static void
every_body_type_has_its_number_and_others_are_refused(void **state)
{
    static const char *const names[CMP_BODY_COUNT] = {
        "ir",   "ip",     "cr",    "cp",       "p10cr",   "popdecc", "popdecr",
        "kur",  "kup",    "krr",   "krp",      "rr",      "rp",      "ccr",
        "ccp",  "ckuann", "cann",  "rann",     "crlann",  "pkiConf", "nested",
        "genm", "genp",   "error", "certConf", "pollReq", "pollRep"};
    struct world *w = *state;
    struct err e = {0};
    struct cmp_header h;

    assert_ok(cmp_header_first(&h, &e), &e);
    for (unsigned i = 0; i < 31; i++) {
        const uint8_t body[] = {(uint8_t)(0xa0 | i), 2, 5, 0};
        CLEANUP(buf_free) struct buf part = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf der = BUF_INIT(1000);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;

        assert_ok(cmp_build_part(&h, span_of(body, sizeof(body)), &part, &e), &e);
        assert_ok(cmp_build_finish(buf_span(&part), span_of("12345678", 8), NULL, 0, &der, &e), &e);
        msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
        if (i < CMP_BODY_COUNT) {
            assert_non_null(msg);
            assert_int_equal(cmp_msg_body(msg), i);
            assert_string_equal(cmp_body_name(cmp_msg_body(msg)), names[i]);
        } else {
            assert_null(msg);
            assert_int_equal(e.code, ERR_INPUT);
        }
    }
    (void)w;
}

static void
every_truncation_and_every_trailing_octet_is_refused(void **state)
{
    CLEANUP(buf_free) struct buf der = {0};
    struct err e = {0};

    (void)state;
    vector("sig-ir.der", &der);
    for (size_t n = 0; n < der.n; n++) {
        assert_null(cmp_msg_parse(span_of(der.p, n), CMP_MESSAGE_MAX, &e));
        assert_int_equal(e.code, ERR_INPUT);
    }
    assert_ok(buf_append(&der, span_of("", 1), &e), &e);
    assert_null(cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e));
    assert_non_null(strstr(e.text, "behind the end"));
}

static void
size_is_limited_before_anything_is_decoded(void **state)
{
    CLEANUP(buf_free) struct buf der = {0};
    struct err e = {0};

    (void)state;
    vector("pbm-ir.der", &der);
    assert_null(cmp_msg_parse(buf_span(&der), der.n - 1, &e));
    assert_non_null(strstr(e.text, "at most"));
}

/* PKIMessage { header, body ir { NULL }, [0] protection, [1] extraCerts } from a header's content
 */
static void
message_of(struct span header, struct span rest, struct buf *out)
{
    static const uint8_t body[] = {0xa0, 2, 5, 0};
    CLEANUP(buf_free) struct buf content = BUF_INIT(CMP_NESTED_MAX);
    struct err e = {0};

    *out = BUF_INIT(CMP_NESTED_MAX);
    assert_ok(der_append(&content, DER_SEQUENCE, header, &e), &e);
    assert_ok(buf_append(&content, span_of(body, sizeof(body)), &e), &e);
    if (rest.n != 0) {
        assert_ok(buf_append(&content, rest, &e), &e);
    }
    assert_ok(der_append(out, DER_SEQUENCE, buf_span(&content), &e), &e);
}

#define PVNO "\x02\x01\x02"
#define NULL_DN "\xa4\x02\x30\x00"
#define HEADER PVNO NULL_DN NULL_DN

static void
malformed_headers_are_refused(void **state)
{
#define ROW(name, header, rest, says)                                                              \
    {                                                                                              \
        name, SPAN_LITERAL(header), SPAN_LITERAL(rest), says                                       \
    }
#define GENERAL_NAME(tag) tag "\x02\x05\x00"
    const struct {
        const char *name;
        struct span header;
        struct span rest;
        const char *says; /* NULL: good */
    } rows[] = {
        ROW("good", HEADER, "", NULL),
        ROW("otherName", PVNO GENERAL_NAME("\xa0") NULL_DN, "", NULL),
        ROW("rfc822Name", PVNO GENERAL_NAME("\x81") NULL_DN, "", NULL),
        ROW("dNSName", PVNO GENERAL_NAME("\x82") NULL_DN, "", NULL),
        ROW("x400Address", PVNO GENERAL_NAME("\xa3") NULL_DN, "", NULL),
        ROW("ediPartyName", PVNO GENERAL_NAME("\xa5") NULL_DN, "", NULL),
        ROW("URI", PVNO GENERAL_NAME("\x86") NULL_DN, "", NULL),
        ROW("iPAddress", PVNO GENERAL_NAME("\x87") NULL_DN, "", NULL),
        ROW("registeredID", PVNO GENERAL_NAME("\x88") NULL_DN, "", NULL),
        ROW("primitive otherName", PVNO GENERAL_NAME("\x80") NULL_DN, "",
            "sender is not a GeneralName"),
        ROW("constructed rfc822Name", PVNO GENERAL_NAME("\xa1") NULL_DN, "",
            "sender is not a GeneralName"),
        ROW("constructed dNSName", PVNO GENERAL_NAME("\xa2") NULL_DN, "",
            "sender is not a GeneralName"),
        ROW("primitive directoryName", PVNO GENERAL_NAME("\x84") NULL_DN, "",
            "sender is not a GeneralName"),
        ROW("[9]", PVNO GENERAL_NAME("\x89") NULL_DN, "", "sender is not a GeneralName"),
        ROW("sender is an INTEGER", PVNO "\x02\x01\x02" NULL_DN, "", "sender is not a GeneralName"),
        ROW("sender is a SEQUENCE", PVNO "\x30\x00" NULL_DN, "", "sender is not a GeneralName"),
        ROW("recipient is no GeneralName", PVNO NULL_DN "\xa9\x02\x05\x00", "",
            "recipient is not a GeneralName"),
        ROW("no recipient", PVNO NULL_DN, "", "PKIMessage does not decode"),
        ROW("pvno is not minimal", "\x02\x02\x00\x02" NULL_DN NULL_DN, "",
            "value with tag 0x02 is not DER"),
        ROW("length is not minimal", PVNO NULL_DN "\xa4\x81\x02\x30\x00", "",
            "tag or length is not DER"),
        ROW("indefinite length", PVNO NULL_DN "\xa4\x80\x30\x00\x00\x00", "",
            "tag or length is not DER"),
        ROW("unknown field [9]", HEADER "\xa9\x02\x05\x00", "", "PKIMessage does not decode"),
        ROW("empty generalInfo", HEADER "\xa8\x02\x30\x00", "", "is there and empty"),
        ROW("empty freeText", HEADER "\xa7\x02\x30\x00", "", "is there and empty"),
        ROW("generalInfo without OID", HEADER "\xa8\x06\x30\x04\x30\x02\x05\x00", "",
            "generalInfo entry 0 is malformed"),
        ROW("generalInfo that is empty", HEADER "\xa8\x04\x30\x02\x30\x00", "",
            "generalInfo entry 0 is malformed"),
        ROW("generalInfo that is no SEQUENCE", HEADER "\xa8\x05\x30\x03\x06\x01\x2a", "",
            "generalInfo entry 0 is malformed"),
        ROW("generalInfo with one value", HEADER "\xa8\x09\x30\x07\x30\x05\x06\x01\x2a\x05\x00", "",
            NULL),
        ROW("generalInfo with two values",
            HEADER "\xa8\x0b\x30\x09\x30\x07\x06\x01\x2a\x05\x00\x05\x00", "",
            "generalInfo entry 0 is malformed"),
        ROW("time without Z",
            HEADER "\xa0\x10\x18\x0e"
                   "20261123205251",
            "", "messageTime: time is not"),
        ROW("time in month 13",
            HEADER "\xa0\x11\x18\x0f"
                   "20261323205251Z",
            "", "messageTime: time is not"),
        ROW("protection with unused bits", HEADER, "\xa0\x04\x03\x02\x01\x02",
            "protection has unused bits"),
        ROW("protection with dirty unused bits", HEADER, "\xa0\x04\x03\x02\x01\x03",
            "value with tag 0x03 is not DER"),
        ROW("empty extraCerts", HEADER, "\xa1\x02\x30\x00", "is there and empty"),
        ROW("extraCerts is no certificate", HEADER, "\xa1\x04\x30\x02\x05\x00",
            "extraCerts entry 0 is not a certificate"),
        ROW("constructed OCTET STRING", HEADER "\xa4\x05\x24\x03\x04\x01\x61", "",
            "constructed tag 0x24 is not accepted"),
        ROW("fields out of order", HEADER "\xa5\x03\x04\x01\x61\xa4\x03\x04\x01\x61", "",
            "PKIMessage does not decode"),
    };
#undef ROW

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        struct err e = {0};

        message_of(rows[i].header, rows[i].rest, &der);
        msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
        if (rows[i].says == NULL
                ? msg == NULL
                : msg != NULL || e.code != ERR_INPUT || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].name, msg != NULL ? "accepted" : e.text);
        }
    }
}

static void
bodies_have_a_tag_of_their_own(void **state)
{
    static const struct {
        uint8_t tag;
        const char *says; /* NULL: good */
    } rows[] = {
        {0xa0, NULL},
        {0xba, NULL},
        {0xbb, "body has tag 0xbb"},
        {0x30, "body has tag 0x30"},
        {0x9a, "body has tag 0x9a"},
        {0x7a, "body has tag 0x7a"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf content = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf der = BUF_INIT(1000);
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        struct err e = {0};

        assert_ok(der_append(&content, DER_SEQUENCE, SPAN_LITERAL(HEADER), &e), &e);
        assert_ok(der_append(&content, rows[i].tag, SPAN_LITERAL("\x05\x00"), &e), &e);
        assert_ok(der_append(&der, DER_SEQUENCE, buf_span(&content), &e), &e);
        msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
        if (rows[i].says == NULL ? msg == NULL
                                 : msg != NULL || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%02x: %s", rows[i].tag, msg != NULL ? "accepted" : e.text);
        }
    }
}

static void
general_infos_are_counted(void **state)
{
    (void)state;
    for (size_t n = CMP_GENERAL_INFO_MAX; n <= CMP_GENERAL_INFO_MAX + 1; n++) {
        CLEANUP(buf_free) struct buf infos = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf sequence = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf header = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        struct err e = {0};

        for (size_t i = 0; i < n; i++) {
            assert_ok(buf_append(&infos, SPAN_LITERAL("\x30\x03\x06\x01\x2a"), &e), &e);
        }
        assert_ok(der_append(&sequence, DER_SEQUENCE, buf_span(&infos), &e), &e);
        assert_ok(buf_append(&header, SPAN_LITERAL(HEADER), &e), &e);
        assert_ok(der_append(&header, DER_CONTEXT | 8, buf_span(&sequence), &e), &e);
        message_of(buf_span(&header), span_of(NULL, 0), &der);
        msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
        if (n <= CMP_GENERAL_INFO_MAX) {
            assert_non_null(msg);
            assert_int_equal(cmp_msg_info_count(msg), n);
        } else {
            assert_null(msg);
            assert_string_equal(e.text, "more than 16 entries in generalInfo");
        }
    }
}

static void
versions_are_seen_as_numbers(void **state)
{
    const struct {
        struct span pvno;
        int seen;
    } rows[] = {
        {SPAN_LITERAL("\x02\x01\x00"), 0},
        {SPAN_LITERAL("\x02\x01\x03"), 3},
        {SPAN_LITERAL("\x02\x01\xff"), INT32_MAX},
        {SPAN_LITERAL("\x02\x04\x7f\xff\xff\xff"), INT32_MAX},
        {SPAN_LITERAL("\x02\x04\x7f\xff\xff\xfe"), INT32_MAX - 1},
        {SPAN_LITERAL("\x02\x05\x00\x80\x00\x00\x02"), INT32_MAX},
        {SPAN_LITERAL("\x02\x05\x01\x00\x00\x00\x02"), INT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf header = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        struct err e = {0};

        assert_ok(buf_append(&header, rows[i].pvno, &e), &e);
        assert_ok(buf_append(&header, SPAN_LITERAL(NULL_DN NULL_DN), &e), &e);
        message_of(buf_span(&header), span_of(NULL, 0), &der);
        msg = parse_ok(buf_span(&der));
        assert_int_equal(cmp_msg_pvno(msg), rows[i].seen);
    }
}

/* X.690 11.7: no zero at the end of a fraction, a point and no comma, UTC. */
static void
a_message_time_may_have_a_fraction_of_a_second(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"20261123205251Z", true},
        {"20261123205251.5Z", true},
        {"20261123205251.05Z", true},
        {"20261123205251.123Z", true},
        {"20261123205251.123456Z", true},
        {"20261123205251.123456789Z", true},
        {"20261123205251.123456789012345678Z", true},
        {"20261123205251.1234567890123456789Z", false}, /* longer than any clock has digits */
        {"20261123205251.0Z", false},
        {"20261123205251.120Z", false},
        {"20261123205251.Z", false},
        {"20261123205251,5Z", false},
        {"20261123205251.5", false},
        {"20261123205251.5+0000", false},
        {"20261123205251.+5Z", false},
        {"20261123205251.5 Z", false},
        {"20261123205251.5.5Z", false},
        {"202611232052.5Z", false},
        {"20261123205260.5Z", false},
        {"20261323205251.5Z", false},
        {"261123205251.5Z", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf time = BUF_INIT(100);
        CLEANUP(buf_free) struct buf header = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        time_t found = 0;
        struct err e = {0};

        assert_ok(der_append(&time, 0x18, span_str(rows[i].text), &e), &e);
        assert_ok(buf_append(&header, SPAN_LITERAL(HEADER), &e), &e);
        assert_ok(der_append(&header, DER_CONTEXT, buf_span(&time), &e), &e);
        message_of(buf_span(&header), span_of(NULL, 0), &der);
        msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
        if ((msg != NULL) != rows[i].good) {
            fail_msg("%s: %s", rows[i].text, msg != NULL ? "accepted" : e.text);
        }
        if (msg != NULL) {
            assert_true(cmp_msg_time(msg, &found));
            assert_int_equal(found, 1795467171);
        }
    }
}

static void
extra_certs_are_counted(void **state)
{
    (void)state;
    for (size_t n = 15; n <= 18; n++) {
        CLEANUP(buf_free) struct buf certs = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf sequence = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf extra = BUF_INIT(1000);
        CLEANUP(buf_free) struct buf der = {0};
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
        struct err e = {0};

        for (size_t i = 0; i < n; i++) {
            assert_ok(der_append(&certs, DER_SEQUENCE, span_of("\x05\x00", 2), &e), &e);
        }
        assert_ok(der_append(&sequence, DER_SEQUENCE, buf_span(&certs), &e), &e);
        assert_ok(der_append(&extra, DER_CONTEXT | 1, buf_span(&sequence), &e), &e);
        message_of(SPAN_LITERAL(HEADER), buf_span(&extra), &der);
        msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
        assert_true((msg != NULL) == (n <= CMP_EXTRA_CERTS_MAX));
        if (msg != NULL) {
            assert_int_equal(cmp_msg_extra_count(msg), n);
            /* raw, so not yet known to be none */
            assert_null(cmp_msg_signer(msg, &e));
        }
    }
}

static void
long_identifiers_are_refused(void **state)
{
    (void)state;
    for (uint8_t tag = 2; tag <= 6; tag++) { /* the last two are the nonces */
        const size_t max = tag >= 5 ? CMP_NONCE_MAX : CMP_ID_MAX;

        for (size_t n = max; n <= max + 1; n++) {
            uint8_t id[CMP_NONCE_MAX + 1] = {0};
            CLEANUP(buf_free) struct buf string = BUF_INIT(1000);
            CLEANUP(buf_free) struct buf header = BUF_INIT(1000);
            CLEANUP(buf_free) struct buf der = {0};
            CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
            struct err e = {0};

            assert_ok(buf_append(&header, SPAN_LITERAL(HEADER), &e), &e);
            assert_ok(der_append(&string, 0x04, span_of(id, n), &e), &e);
            assert_ok(der_append(&header, (uint8_t)(DER_CONTEXT | tag), buf_span(&string), &e), &e);
            message_of(buf_span(&header), span_of(NULL, 0), &der);
            msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e);
            assert_true((msg != NULL) == (n == max));
            if (msg == NULL) {
                static const char *const names[] = {"senderKID", "recipKID", "transactionID",
                                                    "senderNonce", "recipNonce"};
                CLEANUP(mem_cleanup)
                char *says = mem_printf("%s is longer than %zu octets", names[tag - 2], max);

                assert_string_equal(e.text, says);
            }
        }
    }
}

static void
an_absurd_version_is_still_a_number(void **state)
{
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;

    (void)state;
    message_of(SPAN_LITERAL("\x02\x09\x7f\xff\xff\xff\xff\xff\xff\xff\xff" NULL_DN NULL_DN),
               span_of(NULL, 0), &der);
    msg = parse_ok(buf_span(&der));
    assert_int_equal(cmp_msg_pvno(msg), INT32_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_message_of_openssl_are_found),
        cmocka_unit_test(extra_certs_stay_raw_until_asked),
        cmocka_unit_test(every_body_type_has_its_number_and_others_are_refused),
        cmocka_unit_test(every_truncation_and_every_trailing_octet_is_refused),
        cmocka_unit_test(size_is_limited_before_anything_is_decoded),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(bodies_have_a_tag_of_their_own),
        cmocka_unit_test(general_infos_are_counted),
        cmocka_unit_test(versions_are_seen_as_numbers),
        cmocka_unit_test(a_message_time_may_have_a_fraction_of_a_second),
        cmocka_unit_test(extra_certs_are_counted),
        cmocka_unit_test(long_identifiers_are_refused),
        cmocka_unit_test(an_absurd_version_is_still_a_number),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
