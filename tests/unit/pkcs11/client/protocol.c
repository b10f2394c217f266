/* SPDX-License-Identifier: Apache-2.0 */
/* The frames between signer and parent, octet for octet as PROTOCOL.md has them. */
#include "tests/support/test.h"

#include "pkcs11/client/protocol.h"

#include <stdlib.h>
#include <string.h>

#define HEAD "\x03T\x01\x02\x03\x04\x05\x06\x07\x08"

static void
a_frame_is_written_as_it_is_read(void **state)
{
    const struct signer_frame frame = {.type = SIGNER_SIGN,
                                       .detail = 'T',
                                       .number = 0x0102030405060708,
                                       .bytes = SPAN_LITERAL("tbs"),
                                       .evidence = SPAN_LITERAL("proof")};
    struct signer_frame again;
    CLEANUP(buf_free) struct buf out = BUF_INIT(64);
    struct err e = {0};

    (void)state;
    assert_ok(buf_append_str(&out, "what was there", &e), &e);
    assert_ok(signer_frame_encode(&frame, &out, &e), &e);
    assert_true(span_equal(buf_span(&out), SPAN_LITERAL(HEAD "\0\0\0\3tbsproof")));
    assert_ok(signer_frame_decode(buf_span(&out), &again, &e), &e);
    assert_int_equal(again.type, SIGNER_SIGN);
    assert_int_equal(again.detail, 'T');
    assert_true(again.number == 0x0102030405060708);
    assert_true(span_equal(again.bytes, SPAN_LITERAL("tbs")));
    assert_true(span_equal(again.evidence, SPAN_LITERAL("proof")));
}

static void
a_frame_that_finds_no_room_is_refused(void **state)
{
    const struct signer_frame frame = {
        .type = SIGNER_SIGN, .bytes = SPAN_LITERAL("tbs"), .evidence = SPAN_LITERAL("e")};
    const size_t whole = SIGNER_FRAME_HEAD + SIGNER_OBJECT_LENGTH + 3 + 1;
    struct err e = {0};

    (void)state;
    for (size_t max = 8; max <= whole; max++) {
        CLEANUP(buf_free) struct buf out = BUF_INIT(max);

        if (max < whole) {
            assert_err(signer_frame_encode(&frame, &out, &e), ERR_INPUT, &e);
        } else {
            assert_ok(signer_frame_encode(&frame, &out, &e), &e);
        }
    }
}

static void
a_frame_has_a_head_and_a_type_that_is_known(void **state)
{
    struct err e = {0};
    struct signer_frame frame;

    (void)state;
    for (size_t n = 0; n < SIGNER_FRAME_HEAD; n++) {
        assert_err(signer_frame_decode(span_of(HEAD, n), &frame, &e), ERR_INPUT, &e);
        assert_non_null(strstr(e.text, "octets, 10 are the least"));
    }
    assert_ok(signer_frame_decode(SPAN_LITERAL("\x04" HEAD), &frame, &e), &e);
    assert_int_equal(frame.bytes.n, 1);
    assert_int_equal(frame.evidence.n, 0);
    for (unsigned type = 0; type < 256; type++) {
        uint8_t octets[SIGNER_FRAME_HEAD + SIGNER_OBJECT_LENGTH] = {(uint8_t)type};

        if (type >= 1 && type <= 6) {
            assert_ok(signer_frame_decode(span_of(octets, sizeof(octets)), &frame, &e), &e);
            assert_int_equal(frame.type, type);
        } else {
            assert_err(signer_frame_decode(span_of(octets, sizeof(octets)), &frame, &e), ERR_INPUT,
                       &e);
            assert_int_equal(strncmp(e.text, "a frame of unknown type ", 24), 0);
            assert_int_equal(strtoul(e.text + 24, NULL, 10), type);
        }
    }
}

/* The length of a SIGN's object, at each octet where it ends. */
static void
a_sign_tells_where_its_object_ends(void **state)
{
    static const struct {
        const char *name;
        const char *octets;
        size_t n;
        size_t object, evidence;
        const char *reason;
    } rows[] = {
        {"no length", HEAD, 10, 0, 0, "a SIGN without the length of its object"},
        {"half a length", HEAD "\0\0\0", 13, 0, 0, "a SIGN without the length of its object"},
        {"nothing", HEAD "\0\0\0\0", 14, 0, 0, NULL},
        {"an object alone", HEAD "\0\0\0\2ab", 16, 2, 0, NULL},
        {"evidence alone", HEAD "\0\0\0\0ab", 16, 0, 2, NULL},
        {"both", HEAD "\0\0\0\1ab", 16, 1, 1, NULL},
        {"one too long", HEAD "\0\0\0\3ab", 16, 0, 0,
         "a SIGN whose object is longer than the frame"},
        {"far too long",
         HEAD "\xff\xff\xff\xff"
              "ab",
         16, 0, 0, "a SIGN whose object is longer than the frame"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct signer_frame frame;
        struct err e = {0};
        int result = signer_frame_decode(span_of(rows[i].octets, rows[i].n), &frame, &e);
        bool good = rows[i].reason == NULL ? result == 0 && frame.bytes.n == rows[i].object &&
                                                 frame.evidence.n == rows[i].evidence
                                           : result == -1 && e.code == ERR_INPUT &&
                                                 strcmp(e.text, rows[i].reason) == 0;

        if (!good) {
            fail_msg("row '%s': %s", rows[i].name, e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_written_as_it_is_read),
        cmocka_unit_test(a_frame_that_finds_no_room_is_refused),
        cmocka_unit_test(a_frame_has_a_head_and_a_type_that_is_known),
        cmocka_unit_test(a_sign_tells_where_its_object_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
