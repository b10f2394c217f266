/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the file: a journal that is whole, one with a torn end, or none. */
#include "tests/support/test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/journal_open.h"
#include "tests/unit/pkcs11/signer/journal/attempts.h"
#include "tests/unit/pkcs11/signer/scene.h"

/* Overwrites the file, without the syncs of file_write(): hundreds of times here. */
static void
put(const char *path, struct span bytes)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    (void)close(fd);
}

static void
a_torn_last_line_is_cut_off(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    CLEANUP(buf_free) struct buf all = BUF_INIT(4096);
    const uint8_t *last;

    assert_ok(file_read(path, &all, &e), &e);
    last = memrchr(all.p, '\n', all.n - 1);
    for (size_t n = (size_t)(last + 1 - all.p); n < all.n; n += 3) {
        size_t torn = 0;
        struct journal *j;

        put(path, span_of(all.p, n));
        j = journal_open(path, KEY, &torn, &e);
        assert_non_null(j);
        assert_int_equal(journal_attempts(j), 1);
        assert_null(journal_checkpoint(j));
        assert_int_equal(torn, n - (size_t)(last + 1 - all.p));
        assert_ok(journal_add(j, 'T', HASH, NULL, &e), &e);
        assert_ok(journal_commit(j, &e), &e);
        journal_close(j);
        j = journal_open(path, KEY, &torn, &e);
        assert_non_null(j);
        assert_int_equal(journal_attempts(j), 2);
        journal_close(j);
    }
}

static void
zeros_at_the_end_are_a_torn_line(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    const uint8_t zeros[600] = {0};
    size_t torn = 0;
    struct journal *j;

    assert_int_equal(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
    (void)close(fd);
    j = journal_open(path, KEY, &torn, &e);
    assert_non_null(j);
    assert_int_equal(torn, sizeof(zeros));
    assert_int_equal(journal_attempts(j), 2);
    journal_close(j);
}

static void
a_changed_octet_before_the_end_is_refused(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    CLEANUP(buf_free) struct buf all = BUF_INIT(4096);
    size_t torn;

    assert_ok(file_read(path, &all, &e), &e);
    for (size_t i = 0; i + 1 < all.n; i++) {
        all.p[i] ^= 1;
        put(path, buf_span(&all));
        if (journal_open(path, KEY, &torn, &e) != NULL) {
            fail_msg("octet %zu", i);
        }
        assert_int_equal(e.code, ERR_STORE);
        all.p[i] ^= 1;
    }
}

static void
a_removed_line_is_refused(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    CLEANUP(buf_free) struct buf all = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf without = BUF_INIT(4096);
    const uint8_t *first;
    const uint8_t *second;
    size_t torn;

    assert_ok(file_read(path, &all, &e), &e);
    first = memchr(all.p, '\n', all.n);
    second = memrchr(all.p, '\n', all.n - 1);
    assert_ok(buf_append(&without, span_of(all.p, (size_t)(first + 1 - all.p)), &e), &e);
    assert_ok(buf_append(&without, span_of(second + 1, (size_t)(all.p + all.n - second - 1)), &e),
              &e);
    assert_ok(file_write(path, buf_span(&without), 0600, &e), &e);
    assert_null(journal_open(path, KEY, &torn, &e));
    assert_int_equal(e.code, ERR_STORE);
}

#define KEY_HEX "0100000000000000000000000000000000000000000000000000000000000000"
#define HASH_HEX "ab00000000000000000000000000000000000000000000000000000000000000"
#define FIRST "nfpki-signer-journal 1 " KEY_HEX "\n"
#define ONE "00000000000000000001 T " HASH_HEX "\n"
#define SIZE_7 "00000000000000000007"

#define NO_JOURNAL "is not a journal of nfpki-signer"
#define DAMAGED "damaged line; the record was changed"
#define NOT_HERE "not the attempt that belongs here"

/* As ISO 3309 has it, written down a second time: "123456789" gives cbf43926. */
static uint32_t
crc_of(const char *text, size_t n)
{
    uint32_t crc = ~0U;

    for (size_t i = 0; i < n; i++) {
        crc ^= (uint8_t)text[i];
        for (int k = 0; k < 8; k++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
        }
    }
    return ~crc;
}

/* A file of these lines, each with its CRC, and what stands behind them as it is. */
static char *
journal_of(const char *dir, const char *lines, const char *behind, size_t n_behind)
{
    char *path = mem_printf("%s/journal", dir);
    CLEANUP(buf_free) struct buf all = BUF_INIT(16384);
    struct err e = {0};

    for (const char *end; (end = strchr(lines, '\n')) != NULL; lines = end + 1) {
        size_t n = (size_t)(end - lines);
        CLEANUP(mem_cleanup) char *crc = mem_printf(" %08x\n", crc_of(lines, n));

        assert_ok(buf_append(&all, span_of(lines, n), &e), &e);
        assert_ok(buf_append_str(&all, crc, &e), &e);
    }
    assert_ok(buf_append(&all, span_of(behind, n_behind), &e), &e);
    assert_ok(file_write(path, buf_span(&all), 0600, &e), &e);
    return path;
}

#define BEHIND(text) (text), sizeof(text) - 1

struct row {
    const char *name;
    const char *lines;
    const char *behind;
    size_t n_behind;
    enum err_code code;
    const char *reason; /* NULL: it is opened */
    uint64_t attempts;  /* and then has these */
    uint64_t size;      /* of the last checkpoint; 0: none */
};

#define ZEROS                                                                                      \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"             \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"             \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

#define RIGHT ERR_NONE, NULL
#define FOREIGN ERR_STORE, NO_JOURNAL, 0, 0
#define CHANGED ERR_STORE, DAMAGED, 0, 0
#define MISPLACED ERR_STORE, NOT_HERE, 0, 0

static const struct row ROWS[] = {
    {"nothing", "", BEHIND(""), RIGHT, 0, 0},
    {"no attempt", FIRST, BEHIND(""), RIGHT, 0, 0},
    {"one of each kind",
     FIRST ONE "00000000000000000002 L " HASH_HEX "\n00000000000000000003 P " HASH_HEX
               "\n00000000000000000004 S " HASH_HEX "\n00000000000000000005 K " HASH_HEX " " SIZE_7
               " " HASH_HEX "\n00000000000000000006 Q " HASH_HEX "\n",
     BEHIND(""), RIGHT, 6, 7},
    {"the last checkpoint is the one that counts",
     FIRST "00000000000000000001 K " HASH_HEX " " SIZE_7 " " HASH_HEX
           "\n00000000000000000002 K " HASH_HEX " 00000000000000000008 " HASH_HEX "\n",
     BEHIND(""), RIGHT, 2, 8},
    {"a size of two digits",
     FIRST "00000000000000000001 K " HASH_HEX " 00000000000000000010 " HASH_HEX "\n", BEHIND(""),
     RIGHT, 1, 10},
    {"the greatest size",
     FIRST "00000000000000000001 K " HASH_HEX " 18446744073709551615 " HASH_HEX "\n", BEHIND(""),
     RIGHT, 1, UINT64_MAX},

    {"the first line is torn", "", BEHIND("nfpki-signer-journal 1 01"), RIGHT, 0, 0},
    {"the first line is torn, and zeros", "", BEHIND("nfpki-\0\0\0"), RIGHT, 0, 0},
    {"somebody's file of no line", "", BEHIND("nfpki-ra\0\0"), FOREIGN},
    {"somebody's one octet", "", BEHIND("x"), FOREIGN},
    {"a torn first line of another key", "", BEHIND("nfpki-signer-journal 1 02"), FOREIGN},
    {"octets behind the zeros", "", BEHIND("nfpki-\0\0\0x"), FOREIGN},
    {"somebody's long line", "", BEHIND(HASH_HEX HASH_HEX HASH_HEX HASH_HEX HASH_HEX), FOREIGN},
    {"somebody's text", "", BEHIND("key_id = 7\n"), FOREIGN},
    {"another version", "nfpki-signer-journal 2 " KEY_HEX "\n", BEHIND(""), FOREIGN},
    {"an empty first line", "", BEHIND("\n"), FOREIGN},
    {"no first line", ONE, BEHIND(""), FOREIGN},
    {"another key", "nfpki-signer-journal 1 " HASH_HEX "\n", BEHIND(""), ERR_DENIED,
     "is the journal of another key", 0, 0},
    {"a longer key", "nfpki-signer-journal 1 " KEY_HEX "0\n", BEHIND(""), ERR_DENIED,
     "is the journal of another key", 0, 0},
    {"no key", "nfpki-signer-journal 1 \n", BEHIND(""), ERR_DENIED, "is the journal of another key",
     0, 0},

    {"a first line without its CRC", "", BEHIND("nfpki-signer-journal 1 " KEY_HEX "\n"), CHANGED},
    {"a line without its CRC", FIRST, BEHIND("00000000000000000001 T " HASH_HEX "\n"), CHANGED},
    {"an empty line", FIRST, BEHIND("\n"), CHANGED},
    {"a line of a CRC alone", FIRST, BEHIND("00000000\n"), CHANGED},
    {"a CRC of nothing", FIRST, BEHIND(" 00000000\n"), CHANGED},
    {"no blank before the CRC", FIRST, BEHIND("12345678900000000\n"), CHANGED},
    {"an octet behind the CRC", FIRST ONE, BEHIND("00000000000000000002 T 0 00000000 \n"), CHANGED},
    {"a line too long", FIRST, BEHIND(HASH_HEX HASH_HEX HASH_HEX HASH_HEX HASH_HEX "\n"), CHANGED},
    {"zeros, and a line behind", FIRST, BEHIND("\0\0\n"), CHANGED},
    {"zeros, lines behind", FIRST, BEHIND("\0\0" ONE), CHANGED},
    {"a zero before the line break", FIRST, BEHIND("00000000000000000001 T 0\0\n"), CHANGED},
    {"a line too long, of zeros", FIRST, BEHIND(ZEROS ZEROS ZEROS "\n"), CHANGED},

    {"the first attempt is the second", FIRST "00000000000000000002 T " HASH_HEX "\n", BEHIND(""),
     MISPLACED},
    {"an attempt again", FIRST ONE ONE, BEHIND(""), MISPLACED},
    {"attempt 0", FIRST "00000000000000000000 T " HASH_HEX "\n", BEHIND(""), MISPLACED},
    {"a short counter", FIRST "1 T " HASH_HEX "\n", BEHIND(""), MISPLACED},
    {"one character", FIRST "x\n", BEHIND(""), MISPLACED},
    {"the first line again", FIRST FIRST, BEHIND(""), MISPLACED},
    {"a counter alone", FIRST "00000000000000000001\n", BEHIND(""), MISPLACED},
    {"no hash", FIRST "00000000000000000001 T\n", BEHIND(""), MISPLACED},
    {"no kind", FIRST "00000000000000000001  " HASH_HEX "\n", BEHIND(""), MISPLACED},
    {"an unknown kind", FIRST "00000000000000000001 X " HASH_HEX "\n", BEHIND(""), MISPLACED},
    {"two kinds", FIRST "00000000000000000001 TL " HASH_HEX "\n", BEHIND(""), MISPLACED},
    {"a short hash", FIRST "00000000000000000001 T " KEY_HEX "0\n", BEHIND(""), MISPLACED},
    {"a hash that is no hex",
     FIRST "00000000000000000001 T "
           "xb00000000000000000000000000000000000000000000000000000000000000\n",
     BEHIND(""), MISPLACED},
    {"a certificate with half a serial number",
     FIRST "00000000000000000001 T " HASH_HEX " 41414141414141414141414141414\n", BEHIND(""),
     MISPLACED},
    {"a certificate with more than a serial number",
     FIRST "00000000000000000001 T " HASH_HEX " 41414141414141414141414141414141 0\n", BEHIND(""),
     MISPLACED},
    {"a CRL with a number and no time", FIRST "00000000000000000001 L " HASH_HEX " " SIZE_7 "\n",
     BEHIND(""), MISPLACED},
    {"a CRL with a short number",
     FIRST "00000000000000000001 L " HASH_HEX " 7 00000000001795000000\n", BEHIND(""), MISPLACED},
    {"a CRL with a short time", FIRST "00000000000000000001 L " HASH_HEX " " SIZE_7 " 1795000000\n",
     BEHIND(""), MISPLACED},
    {"a CRL of a time above 63 bits",
     FIRST "00000000000000000001 L " HASH_HEX " " SIZE_7 " 09223372036854775808\n", BEHIND(""),
     MISPLACED},
    {"a CRL with more",
     FIRST "00000000000000000001 L " HASH_HEX " " SIZE_7 " 00000000001795000000 0\n", BEHIND(""),
     MISPLACED},
    {"a message with more", FIRST "00000000000000000001 P " HASH_HEX " 0\n", BEHIND(""), MISPLACED},
    {"a certificate with a size", FIRST "00000000000000000001 T " HASH_HEX " " SIZE_7 "\n",
     BEHIND(""), MISPLACED},
    {"a certificate with size and root",
     FIRST "00000000000000000001 T " HASH_HEX " " SIZE_7 " " HASH_HEX "\n", BEHIND(""), MISPLACED},
    {"a checkpoint without size", FIRST "00000000000000000001 K " HASH_HEX "\n", BEHIND(""),
     MISPLACED},
    {"a checkpoint without root", FIRST "00000000000000000001 K " HASH_HEX " " SIZE_7 "\n",
     BEHIND(""), MISPLACED},
    {"a checkpoint with more",
     FIRST "00000000000000000001 K " HASH_HEX " " SIZE_7 " " HASH_HEX " 0\n", BEHIND(""),
     MISPLACED},
    {"a short root", FIRST "00000000000000000001 K " HASH_HEX " " SIZE_7 " ab\n", BEHIND(""),
     MISPLACED},
    {"a short size", FIRST "00000000000000000001 K " HASH_HEX " 7 " HASH_HEX "\n", BEHIND(""),
     MISPLACED},
    {"a size that is no number",
     FIRST "00000000000000000001 K " HASH_HEX " 0000000000000000000x " HASH_HEX "\n", BEHIND(""),
     MISPLACED},
    {"a size above 64 bits",
     FIRST "00000000000000000001 K " HASH_HEX " 18446744073709551616 " HASH_HEX "\n", BEHIND(""),
     MISPLACED},
};

static bool
check(const char *dir, const struct row *row)
{
    CLEANUP(mem_cleanup) char *path = journal_of(dir, row->lines, row->behind, row->n_behind);
    CLEANUP(buf_free) struct buf before = BUF_INIT(16384);
    CLEANUP(buf_free) struct buf after = BUF_INIT(16384);
    struct err e = {0};
    size_t torn = 0;
    CLEANUP(journal_cleanup) struct journal *j = NULL;
    bool good;

    assert_ok(file_read(path, &before, &e), &e);
    j = journal_open(path, KEY, &torn, &e);
    good = scene_expect(row->name, j == NULL ? -1 : 0, &e, row->code, row->reason);
    if (j != NULL) {
        const struct tree_head *c = journal_checkpoint(j);

        good = good && journal_attempts(j) == row->attempts &&
               (c == NULL ? 0 : c->size) == row->size && torn == row->n_behind;
    } else {
        /* What is refused is left as it is. */
        assert_ok(file_read(path, &after, &e), &e);
        good = good && span_equal(buf_span(&before), buf_span(&after));
    }
    if (!good) {
        print_error("row '%s'\n", row->name);
    }
    return good;
}

static void
a_journal_is_whole_and_of_this_key_or_refused(void **state)
{
    size_t good = 0;

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        good += check(*state, &ROWS[i]);
    }
    assert_int_equal(good, ARRAY_LEN(ROWS));
}

static void
a_torn_first_line_is_written_anew(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = journal_of(*state, FIRST, BEHIND(""));
    CLEANUP(buf_free) struct buf all = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf again = BUF_INIT(4096);

    assert_ok(file_read(path, &all, &e), &e);
    for (size_t n = 0; n < all.n; n++) {
        size_t torn = 0;
        struct journal *j;

        put(path, span_of(all.p, n));
        j = journal_open(path, KEY, &torn, &e);
        assert_non_null(j);
        assert_int_equal(torn, n);
        assert_int_equal(journal_attempts(j), 0);
        journal_close(j);
        buf_truncate(&again, 0);
        assert_ok(file_read(path, &again, &e), &e);
        assert_true(span_equal(buf_span(&all), buf_span(&again)));
    }
}

static void
a_refused_line_is_named(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = journal_of(*state, FIRST ONE ONE, BEHIND(""));
    CLEANUP(mem_cleanup) char *damaged = NULL;
    size_t torn;

    assert_null(journal_open(path, KEY, &torn, &e));
    assert_non_null(strstr(e.text, "/journal:3: not the attempt"));
    damaged = journal_of(*state, FIRST, BEHIND("x\n"));
    assert_null(journal_open(damaged, KEY, &torn, &e));
    assert_non_null(strstr(e.text, "/journal:2: damaged line"));
}

static void
what_is_written_is_what_the_protocol_says(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    CLEANUP(mem_cleanup) char *expected = NULL;
    CLEANUP(buf_free) struct buf all = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf again = BUF_INIT(4096);

    assert_ok(file_read(path, &all, &e), &e);
    expected = journal_of(*state,
                          FIRST "00000000000000000001 T " HASH_HEX " s00000000000000000000\n"
                                "00000000000000000002 K " HASH_HEX " " SIZE_7
                                " 0900000000000000000000000000000000000000000000000000000000000"
                                "000 s00000000000000000000\n",
                          BEHIND(""));
    assert_ok(file_read(expected, &again, &e), &e);
    assert_true(span_equal(buf_span(&all), buf_span(&again)));
    assert_int_equal(crc_of("123456789", 9), 0xcbf43926U);
}

/* A line that is right up to a zero, and then goes on. */
static void
a_zero_hides_nothing(void **state)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = attempts_two(*state);
    CLEANUP(buf_free) struct buf all = BUF_INIT(4096);
    size_t torn;

    assert_ok(file_read(path, &all, &e), &e);
    all.p[all.n - 1] = '\0';
    assert_ok(buf_append(&all, SPAN_LITERAL("0123\n"), &e), &e);
    put(path, buf_span(&all));
    assert_null(journal_open(path, KEY, &torn, &e));
    assert_int_equal(e.code, ERR_STORE);
    assert_non_null(strstr(e.text, ":3: damaged line"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_torn_last_line_is_cut_off, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(zeros_at_the_end_are_a_torn_line, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_changed_octet_before_the_end_is_refused, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_removed_line_is_refused, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_journal_is_whole_and_of_this_key_or_refused,
                                        attempts_set_up, attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_torn_first_line_is_written_anew, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_zero_hides_nothing, attempts_set_up, attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_refused_line_is_named, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_is_what_the_protocol_says, attempts_set_up,
                                        attempts_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
