/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/submission.h"

#include <string.h>

#include "ca/cmp/message/msg.h"
#include "tests/support/der_text.h"
#include "tests/support/test.h"

#define MESSAGE "04{'message'}"
#define ENTRY "04{'entry'}"
#define PATH "04{'path'}"
#define HEAD "04{'head'}"
#define SIGNATURE "04{'signature'}"
#define CERTIFICATE "04{'certificate'}"
#define INDEX "02{05}"
#define END PATH HEAD SIGNATURE CERTIFICATE
#define ALL "30{02{02}" MESSAGE ENTRY INDEX END "}"

static struct cmp_submission
submission(void)
{
    return (struct cmp_submission){.message = SPAN_LITERAL("message"),
                                   .entry = SPAN_LITERAL("entry"),
                                   .index = 5,
                                   .path = SPAN_LITERAL("path"),
                                   .head = SPAN_LITERAL("head"),
                                   .signature = SPAN_LITERAL("signature"),
                                   .certificate = SPAN_LITERAL("certificate")};
}

static void
is_same(const struct cmp_submission *a, const struct cmp_submission *b)
{
    assert_true(span_equal(a->message, b->message));
    assert_true(span_equal(a->entry, b->entry));
    assert_int_equal(a->index, b->index);
    assert_true(span_equal(a->path, b->path));
    assert_true(span_equal(a->head, b->head));
    assert_true(span_equal(a->signature, b->signature));
    assert_true(span_equal(a->certificate, b->certificate));
}

static void
a_submission_is_written_and_read(void **state)
{
    CLEANUP(buf_free) struct buf wanted = BUF_INIT(CMP_NESTED_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_NESTED_MAX);
    const struct cmp_submission s = submission();
    struct cmp_submission back;
    struct err e = {0};

    (void)state;
    der_text(ALL, &wanted);
    assert_ok(cmp_submission_encode(&s, &der, &e), &e);
    assert_true(span_equal(buf_span(&der), buf_span(&wanted)));
    assert_true(cmp_submission_is(buf_span(&der)));
    assert_ok(cmp_submission_decode(buf_span(&der), &back, &e), &e);
    is_same(&s, &back);
}

static void
every_index_comes_out_as_it_went_in(void **state)
{
    (void)state;
    for (uint64_t i = 0; i <= 256; i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_NESTED_MAX);
        struct cmp_submission s = submission();
        struct cmp_submission back;
        struct err e = {0};

        s.index = i;
        if (i == 256) {
            assert_err(cmp_submission_encode(&s, &der, &e), ERR_INPUT, &e);
            assert_non_null(strstr(e.text, "submission: index is not 0 to 255"));
            return;
        }
        assert_ok(cmp_submission_encode(&s, &der, &e), &e);
        assert_ok(cmp_submission_decode(buf_span(&der), &back, &e), &e);
        is_same(&s, &back);
    }
}

static const uint8_t zeros[CMP_MESSAGE_MAX + 1];

/* An octet more than its limit, the limit, nothing. */
static void
each_part_has_its_limits(void **state)
{
    struct cmp_submission s = submission();
    const struct {
        const char *name;
        struct span *part;
        size_t max;
        bool may_be_empty;
    } rows[] = {
        {"message", &s.message, CMP_MESSAGE_MAX, false},
        {"entry", &s.entry, 256, false},
        {"path", &s.path, 256, true},
        {"head", &s.head, 512, false},
        {"signature", &s.signature, CMP_HEAD_SIGNATURE_MAX, false},
        {"certificate", &s.certificate, CMP_RA_CERTIFICATE_MAX, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_NESTED_MAX);
        struct cmp_submission back;
        struct err e = {0};

        s = submission();
        *rows[i].part = span_of(zeros, rows[i].max);
        assert_ok(cmp_submission_encode(&s, &der, &e), &e);
        assert_ok(cmp_submission_decode(buf_span(&der), &back, &e), &e);
        is_same(&s, &back);
        *rows[i].part = span_of(zeros, rows[i].max + 1);
        assert_err(cmp_submission_encode(&s, &der, &e), ERR_INPUT, &e);
        assert_non_null(strstr(e.text, rows[i].name));
        *rows[i].part = span_of(zeros, 0);
        if ((cmp_submission_encode(&s, &der, &e) == 0) != rows[i].may_be_empty) {
            fail_msg("%s: empty", rows[i].name);
        }
    }
}

static void
all_parts_at_their_limits_fit(void **state)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_NESTED_MAX);
    const struct cmp_submission s = {.message = span_of(zeros, CMP_MESSAGE_MAX),
                                     .entry = span_of(zeros, 256),
                                     .index = 255,
                                     .path = span_of(zeros, 256),
                                     .head = span_of(zeros, 512),
                                     .signature = span_of(zeros, CMP_HEAD_SIGNATURE_MAX),
                                     .certificate = span_of(zeros, CMP_RA_CERTIFICATE_MAX)};
    struct err e = {0};

    (void)state;
    assert_ok(cmp_submission_encode(&s, &der, &e), &e);
}

static void
only_these_octets_are_read(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *why; /* NULL: it is read */
    } rows[] = {
        {"right", ALL, NULL},
        {"nothing", "", "not one SEQUENCE in DER"},
        {"a SET", "31{02{02}" MESSAGE ENTRY INDEX END "}", "not one SEQUENCE in DER"},
        {"an octet behind", ALL "00", "not one SEQUENCE in DER"},
        {"a length without end", "308002{02}" MESSAGE ENTRY INDEX END "0000",
         "not one SEQUENCE in DER"},
        {"an element more", "30{02{02}" MESSAGE ENTRY INDEX END "0500}", "octets behind it"},
        {"empty", "3000", "version is not a small number"},
        {"no version", "30{" MESSAGE ENTRY INDEX END "}", "version is not a small number"},
        {"version 1", "30{02{01}" MESSAGE ENTRY INDEX END "}", "version is not 2"},
        {"version 3", "30{02{03}" MESSAGE ENTRY INDEX END "}", "version is not 2"},
        {"version 258", "30{02{0102}" MESSAGE ENTRY INDEX END "}", "version is not 2"},
        {"version in two octets", "30{02{0002}" MESSAGE ENTRY INDEX END "}",
         "version is not a small number in DER"},
        {"version of no octets", "30{0200" MESSAGE ENTRY INDEX END "}",
         "version is not a small number in DER"},
        {"no message", "30{02{02}" ENTRY INDEX END "}", "entry is not an OCTET STRING"},
        {"a message that is a SEQUENCE", "30{02{02}30{'message'}" ENTRY INDEX END "}",
         "message is not an OCTET STRING in DER"},
        {"a message in parts", "30{02{02}24{04{'message'}}" ENTRY INDEX END "}",
         "message is not an OCTET STRING in DER"},
        {"an empty message", "30{02{02}0400" ENTRY INDEX END "}", "message of 0 octets"},
        {"a long length", "30{02{02}048107'message'" ENTRY INDEX END "}",
         "message is not an OCTET STRING in DER"},
        {"an empty entry", "30{02{02}" MESSAGE "0400" INDEX END "}", "entry of 0 octets"},
        {"an entry of 256", "30{02{02}" MESSAGE "04{00*256}" INDEX END "}", NULL},
        {"an entry of 257", "30{02{02}" MESSAGE "04{00*257}" INDEX END "}", "entry of 257 octets"},
        {"no index", "30{02{02}" MESSAGE ENTRY END "}", "index is not a small number"},
        {"index 0", "30{02{02}" MESSAGE ENTRY "02{00}" END "}", NULL},
        {"index 127", "30{02{02}" MESSAGE ENTRY "02{7f}" END "}", NULL},
        {"index 128", "30{02{02}" MESSAGE ENTRY "02{0080}" END "}", NULL},
        {"index 255", "30{02{02}" MESSAGE ENTRY "02{00ff}" END "}", NULL},
        {"index 256", "30{02{02}" MESSAGE ENTRY "02{0100}" END "}", "index is not 0 to 255"},
        {"index -1", "30{02{02}" MESSAGE ENTRY "02{ff}" END "}", "index is not a small number"},
        {"index 127 in two octets", "30{02{02}" MESSAGE ENTRY "02{007f}" END "}",
         "index is not a small number in DER"},
        {"index in three octets", "30{02{02}" MESSAGE ENTRY "02{000005}" END "}",
         "index is not a small number in DER"},
        {"no path at all", "30{02{02}" MESSAGE ENTRY INDEX HEAD SIGNATURE CERTIFICATE "}",
         "certificate is not an OCTET STRING"},
        {"an empty path", "30{02{02}" MESSAGE ENTRY INDEX "0400" HEAD SIGNATURE CERTIFICATE "}",
         NULL},
        {"a path of 257",
         "30{02{02}" MESSAGE ENTRY INDEX "04{00*257}" HEAD SIGNATURE CERTIFICATE "}",
         "path of 257 octets"},
        {"an empty head", "30{02{02}" MESSAGE ENTRY INDEX PATH "0400" SIGNATURE CERTIFICATE "}",
         "head of 0 octets"},
        {"a head of 513",
         "30{02{02}" MESSAGE ENTRY INDEX PATH "04{00*513}" SIGNATURE CERTIFICATE "}",
         "head of 513 octets"},
        {"no signature", "30{02{02}" MESSAGE ENTRY INDEX PATH HEAD "0400" CERTIFICATE "}",
         "signature of 0 octets"},
        {"a signature of 513",
         "30{02{02}" MESSAGE ENTRY INDEX PATH HEAD "04{00*513}" CERTIFICATE "}",
         "signature of 513 octets"},
        {"no certificate", "30{02{02}" MESSAGE ENTRY INDEX PATH HEAD SIGNATURE "}",
         "certificate is not an OCTET STRING"},
        {"a certificate of 8193",
         "30{02{02}" MESSAGE ENTRY INDEX PATH HEAD SIGNATURE "04{00*8193}}",
         "certificate of 8193 octets"},
        {"cut off inside", "30{02{02}" MESSAGE ENTRY INDEX PATH HEAD SIGNATURE "04 0b 'certi'}",
         "certificate is not an OCTET STRING in DER"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_NESTED_MAX);
        struct cmp_submission out;
        struct err e = {0};
        int result;

        der_text(rows[i].text, &der);
        result = cmp_submission_decode(buf_span(&der), &out, &e);
        if ((result == 0) != (rows[i].why == NULL) ||
            (result != 0 && (e.code != ERR_INPUT || strstr(e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %s", rows[i].name, result == 0 ? "read" : e.text);
        }
    }
}

static void
a_wrapper_of_before_is_none(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        {"30{02{02}}", true}, {"30{30{02{02}}}", false}, {"3000", false},
        {"02{02}", false},    {"30{02{02}}00", false},   {"", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(64);

        der_text(rows[i].text, &der);
        if (cmp_submission_is(buf_span(&der)) != rows[i].is) {
            fail_msg("'%s'", rows[i].text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submission_is_written_and_read),
        cmocka_unit_test(every_index_comes_out_as_it_went_in),
        cmocka_unit_test(each_part_has_its_limits),
        cmocka_unit_test(all_parts_at_their_limits_fit),
        cmocka_unit_test(only_these_octets_are_read),
        cmocka_unit_test(a_wrapper_of_before_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
