/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/queue_entry.h"

#include <string.h>

#include "tests/support/der_text.h"
#include "tests/support/test.h"

#define ID "'0123456789abcdef0123456789abcdef'"
#define HEAD "0c{" ID "}0a{00}0c{'nf-tls'}"
#define TIME "18{'20261123205251Z'}"
#define RID "04{ab*32}"

static struct cmp_queue_entry
entry(void)
{
    struct cmp_queue_entry out = {.registration_id = "0123456789abcdef0123456789abcdef",
                                  .assurance = CMP_ASSURANCE_MAC,
                                  .profile = "nf-tls",
                                  .received_at = 1795467171};

    memset(out.rid, 0xab, sizeof(out.rid));
    return out;
}

static void
a_leaf_is_written_and_read(void **state)
{
    CLEANUP(buf_free) struct buf wanted = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    struct cmp_queue_entry of = entry();
    struct cmp_queue_entry back;
    struct err e = {0};

    (void)state;
    der_text("30{" HEAD TIME RID "}", &wanted);
    assert_ok(cmp_queue_entry_encode(&of, &der, &e), &e);
    assert_true(span_equal(buf_span(&der), buf_span(&wanted)));
    assert_ok(cmp_queue_entry_decode(buf_span(&der), &back, &e), &e);
    assert_string_equal(back.registration_id, of.registration_id);
    assert_string_equal(back.profile, of.profile);
    assert_int_equal(back.assurance, of.assurance);
    assert_int_equal(back.received_at, of.received_at);
    assert_memory_equal(back.rid, of.rid, sizeof(of.rid));
}

static void
the_longest_leaf_has_room(void **state)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    struct cmp_queue_entry of = entry();
    struct cmp_queue_entry back;
    struct err e = {0};

    (void)state;
    memset(of.profile, 'p', CMP_PROFILE_MAX);
    of.assurance = CMP_ASSURANCE_SIGNATURE;
    assert_ok(cmp_queue_entry_encode(&of, &der, &e), &e);
    assert_ok(cmp_queue_entry_decode(buf_span(&der), &back, &e), &e);
    assert_string_equal(back.profile, of.profile);
    assert_int_equal(back.assurance, CMP_ASSURANCE_SIGNATURE);
}

static void
what_is_out_of_form_is_not_written(void **state)
{
    struct cmp_queue_entry bad[5] = {entry(), entry(), entry(), entry(), entry()};
    static const char *const says[] = {
        "registrationId is not 32 lower-case hex digits",
        "registrationId is not 32 lower-case hex digits",
        "profile is not 1 to",
        "profile is not 1 to",
        "assurance is neither mac nor signature",
    };
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    struct err e = {0};

    (void)state;
    bad[0].registration_id[3] = 'G';
    bad[1].registration_id[31] = '\0';
    bad[2].profile[0] = '\0';
    bad[3].profile[0] = '/';
    bad[4].assurance = (enum cmp_assurance)2;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_err(cmp_queue_entry_encode(&bad[i], &der, &e), ERR_INPUT, &e);
        assert_non_null(strstr(e.text, says[i]));
    }
}

static void
only_these_octets_are_read(void **state)
{
    static const char form[] = "QueueEntry does not decode";
    static const struct {
        const char *name;
        const char *text;
        const char *why; /* NULL: it is read */
    } rows[] = {
        {"right", "30{" HEAD TIME RID "}", NULL},
        {"nothing", "", "QueueEntry is empty"},
        {"a SET", "31{" HEAD TIME RID "}", form},
        {"an octet behind", "30{" HEAD TIME RID "}00", "QueueEntry has octets behind its end"},
        {"an element more", "30{" HEAD TIME RID "0500}", form},
        {"a long length", "308160" HEAD TIME RID, "QueueEntry is not written as it must be"},
        {"a long length inside", "30{0c8120" ID "0a{00}0c{'nf-tls'}" TIME RID "}",
         "QueueEntry is not written as it must be"},
        {"a length without end", "3080" HEAD TIME RID "0000",
         "QueueEntry is not written as it must be"},
        {"a string in parts", "30{" HEAD TIME "24{04{ab*16}04{ab*16}}}",
         "QueueEntry is not written as it must be"},

        {"no rid", "30{" HEAD TIME "}", "no rid"},
        {"rid of 31 octets", "30{" HEAD TIME "04{ab*31}}", "rid is not 32 octets"},
        {"rid of 33 octets", "30{" HEAD TIME "04{ab*33}}", "rid is not 32 octets"},
        {"an empty rid", "30{" HEAD TIME "0400}", "rid is not 32 octets"},
        {"rid twice", "30{" HEAD TIME RID RID "}", form},

        {"no registrationId", "30{0a{00}0c{'nf-tls'}" TIME RID "}", form},
        {"registrationId in another string", "30{13{" ID "}0a{00}0c{'nf-tls'}" TIME RID "}", form},
        {"registrationId of 31",
         "30{0c{'0123456789abcdef0123456789abcde'}0a{00}0c{'nf-tls'}" TIME RID "}",
         "registrationId is not 32"},
        {"registrationId of 33", "30{0c{" ID "'0'}0a{00}0c{'nf-tls'}" TIME RID "}",
         "text is too long or has a NUL"},
        {"upper case", "30{0c{'0123456789ABCDEF0123456789abcdef'}0a{00}0c{'nf-tls'}" TIME RID "}",
         "registrationId is not 32"},
        {"assurance 1", "30{0c{" ID "}0a{01}0c{'nf-tls'}" TIME RID "}", NULL},
        {"assurance 2", "30{0c{" ID "}0a{02}0c{'nf-tls'}" TIME RID "}", "assurance is neither"},
        {"assurance -1", "30{0c{" ID "}0a{ff}0c{'nf-tls'}" TIME RID "}", "assurance is neither"},
        {"assurance in two octets", "30{0c{" ID "}0a{0001}0c{'nf-tls'}" TIME RID "}",
         "does not decode"},
        {"assurance an INTEGER", "30{0c{" ID "}02{00}0c{'nf-tls'}" TIME RID "}", form},
        {"assurance of 9 octets", "30{0c{" ID "}0a{01 00*8}0c{'nf-tls'}" TIME RID "}",
         "assurance is neither"},
        {"no profile", "30{0c{" ID "}0a{00}0c00" TIME RID "}", "profile is not 1 to"},
        {"a NUL in the profile", "30{0c{" ID "}0a{00}0c{'nf' 00 'tls'}" TIME RID "}",
         "text is too long or has a NUL"},
        {"a profile of 63", "30{0c{" ID "}0a{00}0c{61*63}" TIME RID "}", NULL},
        {"a profile of 64", "30{0c{" ID "}0a{00}0c{61*64}" TIME RID "}",
         "text is too long or has a NUL"},
        {"a fraction of a second", "30{" HEAD "18{'20261123205251.5Z'}" RID "}",
         "time is not YYYYMMDDHHMMSSZ"},
        {"a time zone", "30{" HEAD "18{'20261123205251+0000'}" RID "}",
         "time is not YYYYMMDDHHMMSSZ"},
        {"no seconds", "30{" HEAD "18{'202611232052Z'}" RID "}", "time is not YYYYMMDDHHMMSSZ"},
        {"a UTCTime", "30{" HEAD "17{'261123205251Z'}" RID "}", form},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(2L * CMP_QUEUE_ENTRY_MAX);
        struct cmp_queue_entry out;
        struct err e = {0};
        int result;

        der_text(rows[i].text, &der);
        result = cmp_queue_entry_decode(buf_span(&der), &out, &e);
        if ((result == 0) != (rows[i].why == NULL) ||
            (result != 0 && (e.code != ERR_INPUT || strstr(e.text, rows[i].why) == NULL))) {
            fail_msg("%s: %s", rows[i].name, result == 0 ? "read" : e.text);
        }
    }
}

static void
before_there_was_no_rid(void **state)
{
    CLEANUP(buf_free) struct buf before = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    const struct cmp_queue_entry of = entry();
    static const uint8_t none[CMP_RID_SIZE];
    struct cmp_queue_entry back;
    struct err e = {0};

    (void)state;
    der_text("30{" HEAD TIME "}", &before);
    assert_ok(cmp_queue_entry_decode_before(buf_span(&before), &back, &e), &e);
    assert_string_equal(back.registration_id, of.registration_id);
    assert_string_equal(back.profile, of.profile);
    assert_int_equal(back.assurance, of.assurance);
    assert_int_equal(back.received_at, of.received_at);
    assert_memory_equal(back.rid, none, sizeof(none));
    assert_ok(cmp_queue_entry_encode(&of, &der, &e), &e);
    assert_err(cmp_queue_entry_decode_before(buf_span(&der), &back, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "a rid, where none belongs"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_is_written_and_read),
        cmocka_unit_test(the_longest_leaf_has_room),
        cmocka_unit_test(what_is_out_of_form_is_not_written),
        cmocka_unit_test(only_these_octets_are_read),
        cmocka_unit_test(before_there_was_no_rid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
