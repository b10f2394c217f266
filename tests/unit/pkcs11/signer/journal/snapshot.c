/* SPDX-License-Identifier: Apache-2.0 */
/* A start from a snapshot knows what one from all lines does; and what is no snapshot of this very
 * journal is not believed. */
#include "pkcs11/signer/journal/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "pkcs11/client/attempted.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/signer/journal/attempts.h"

enum { LINES = 2 * MARKS_EACH + 40, MORE = 60, FILE_MAX = 1024 * 1024, NOW = 1795000000 };

/* In the place of the token's. */
static int
make_mac(void *arg, struct span text, uint8_t mac[SNAPSHOT_MAC], struct err *e)
{
    CLEANUP(buf_free) struct buf both = BUF_INIT(1024);

    return buf_append_str(&both, arg, e) != 0 || buf_append(&both, text, e) != 0
               ? -1
               : sha256(buf_span(&both), mac, e);
}

static const struct snapshot_key ours = {.make = make_mac, .arg = (char[]){"ours"}};
static const struct snapshot_key others = {.make = make_mac, .arg = (char[]){"other"}};

static int
cannot(void *arg, struct span text, uint8_t mac[SNAPSHOT_MAC], struct err *e)
{
    (void)arg;
    (void)text;
    (void)mac;
    return err_set(e, ERR_TOKEN, "the token is away");
}

static const struct snapshot_key broken = {.make = cannot};

/* ---- journals ---- */

static void
add(struct journal *j, uint64_t number)
{
    const uint8_t hash[32] = {(uint8_t)number, (uint8_t)(number >> 8), 0x77};
    const uint8_t serial[AGAIN_SERIAL] = {0x40, (uint8_t)number, [14] = (uint8_t)(number >> 8)};
    const struct tree_head checkpoint = {.size = number, .root = {(uint8_t)number}};
    const struct crl_head crl = {.number = number, .this_update = NOW, .hash = {9}};
    struct err e = {0};

    switch (number % 4) {
    case 0:
        assert_ok(journal_add_crl(j, &crl, &e), &e);
        break;
    case 1:
        assert_ok(journal_add(j, 'K', hash, &checkpoint, &e), &e);
        break;
    default:
        assert_ok(journal_add_certificate(j, hash, serial, &e), &e);
        break;
    }
    assert_ok(number % 50 == 0 ? journal_commit(j, &e) : 0, &e);
    journal_signed(j);
}

static struct journal *
load(const char *path, const struct snapshot_key *key, struct err *why)
{
    struct err e = {0};
    struct journal *j = journal_claim(path, &e);
    size_t torn;

    assert_non_null(j);
    assert_ok(journal_load(j, KEY, key, &torn, why, &e), &e);
    return j;
}

static char *
beside(const char *path)
{
    return mem_printf("%s-snapshot", path);
}

/* With a snapshot behind LINES lines, and MORE behind that. */
static char *
write_journal(const char *dir, const char *name)
{
    char *path = mem_printf("%s/%s", dir, name);
    struct err why = {0};
    CLEANUP(journal_cleanup) struct journal *j = load(path, &ours, &why);
    struct err e = {0};
    const uint64_t other = name[0] == 'o' ? 1 : 0;

    assert_int_equal(why.code, ERR_NOTFOUND);
    for (uint64_t number = 1; number <= LINES; number++) {
        add(j, number + other);
    }
    assert_ok(journal_commit(j, &e), &e);
    assert_ok(journal_keep(j, 1, &e), &e);
    for (uint64_t number = LINES + 1; number <= LINES + MORE; number++) {
        add(j, number + other);
    }
    assert_ok(journal_commit(j, &e), &e);
    assert_ok(journal_keep(j, MORE + 1, &e), &e); /* too few: none is made */
    return path;
}

static bool
count(void *arg, const struct journal_attempt *a)
{
    uint64_t *n = arg;

    assert_int_equal(a->number, ++*n);
    return true;
}

/* All that is told of it. */
static void
must_be_the_same(struct journal *a, struct journal *b)
{
    const uint8_t last[AGAIN_SERIAL] = {0x40,
                                        (LINES + MORE - 1) & 0xff, [14] = (LINES + MORE - 1) >> 8};
    const struct crl_head lower = {.number = 4, .this_update = NOW};
    uint8_t chain_a[32];
    uint8_t chain_b[32];
    uint64_t n = 0;
    struct err e = {0};

    assert_int_equal(journal_attempts(a), journal_attempts(b));
    assert_int_equal(journal_signatures(a), journal_signatures(b));
    assert_int_equal(journal_checkpoint(a)->size, journal_checkpoint(b)->size);
    assert_int_equal(again_count(journal_again(a)), again_count(journal_again(b)));
    for (uint64_t first = 1; first <= journal_attempts(a) + 1; first += 37) {
        assert_ok(journal_chain(a, first, chain_a, &e), &e);
        assert_ok(journal_chain(b, first, chain_b, &e), &e);
        assert_memory_equal(chain_a, chain_b, sizeof(chain_a));
    }
    assert_ok(journal_each(a, 1, count, &n, &e), &e);
    assert_int_equal(n, LINES + MORE);
    assert_err(again_check_crl(journal_again(a), &lower, NOW, &e), ERR_DENIED, &e);
    assert_err(again_check_certificate(journal_again(a), last, HASH, &e), ERR_DENIED, &e);
}

/* ---- tests ---- */

static void
a_start_from_a_snapshot_knows_the_same(void **state)
{
    CLEANUP(mem_cleanup) char *path = write_journal(*state, "journal");
    struct err why = {0};
    struct err none = {0};
    CLEANUP(journal_cleanup) struct journal *from = load(path, &ours, &why);
    CLEANUP(journal_cleanup) struct journal *whole = NULL;
    CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX);
    CLEANUP(mem_cleanup) char *copy = mem_printf("%s-copy", path);
    struct err e = {0};

    assert_int_equal(why.text[0], '\0'); /* it was believed */
    assert_ok(file_read(path, &text, &e), &e);
    assert_ok(file_write(copy, buf_span(&text), 0600, &e), &e);
    whole = load(copy, NULL, &none);
    must_be_the_same(from, whole);
    must_be_the_same(whole, from);
    add(from, LINES + MORE + 1); /* and it goes on */
    assert_ok(journal_commit(from, &e), &e);
    journal_close(TAKE(from));
    from = load(path, &ours, &why);
    assert_int_equal(why.text[0], '\0');
    assert_int_equal(journal_attempts(from), LINES + MORE + 1);
    assert_ok(journal_scrub(from, 100, &e), &e);
}

enum change { EDITED, CUT, OF_OTHER_KEY, EMPTY, OTHER_VERSION, NOT_WHOLE };

/* The MAC of what is before it is right again. */
static void
authenticate(struct buf *snapshot)
{
    static const char begin[] = "nfpki-signer: a snapshot of this journal, 1\n";
    const size_t n = snapshot->n - SNAPSHOT_MAC;
    uint8_t text[sizeof(begin) - 1 + SHA256_SIZE];
    struct err e = {0};

    memcpy(text, begin, sizeof(begin) - 1);
    assert_ok(sha256(span_of(snapshot->p, n), text + sizeof(begin) - 1, &e), &e);
    assert_ok(make_mac(ours.arg, span_of(text, sizeof(text)), snapshot->p + n, &e), &e);
}

/* Then all lines are read, and it is as if there was none. */
static void
what_is_no_snapshot_of_it_is_not_believed(void **state)
{
    static const struct {
        enum change change;
        const char *says;
    } rows[] = {
        {EDITED, "its MAC is not right"},
        {CUT, "its MAC is not right"},
        {OF_OTHER_KEY, "its MAC is not right"},
        {EMPTY, "a snapshot of 0 octets"},
        {OTHER_VERSION, "a snapshot of another version, or of another key"},
        {NOT_WHOLE, "a snapshot that is not whole"},
    };
    CLEANUP(mem_cleanup) char *path = write_journal(*state, "journal");
    CLEANUP(mem_cleanup) char *file = beside(path);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf genuine = BUF_INIT(FILE_MAX);
        CLEANUP(buf_free) struct buf changed = BUF_INIT(FILE_MAX);
        CLEANUP(journal_cleanup) struct journal *j = NULL;
        struct err why = {0};
        struct err e = {0};

        assert_ok(file_read(file, &genuine, &e), &e);
        assert_ok(file_read(file, &changed, &e), &e);
        changed.p[changed.n / 2] ^= rows[i].change == EDITED ? 1 : 0;
        changed.p[0] ^= rows[i].change == OTHER_VERSION ? 1 : 0;
        buf_truncate(&changed, rows[i].change == CUT || rows[i].change == NOT_WHOLE ? changed.n - 1
                               : rows[i].change == EMPTY                            ? 0
                                                                                    : changed.n);
        if (rows[i].change >= OTHER_VERSION) {
            authenticate(&changed);
        }
        assert_ok(file_write(file, buf_span(&changed), 0600, &e), &e);
        j = load(path, rows[i].change == OF_OTHER_KEY ? &others : &ours, &why);
        if (why.code != ERR_DENIED || strstr(why.text, rows[i].says) == NULL) {
            fail_msg("%d: %s", (int)rows[i].change, why.text);
        }
        assert_int_equal(journal_attempts(j), LINES + MORE);
        assert_int_equal(journal_signatures(j), LINES + MORE - 1); /* as the last line says */
        assert_ok(file_write(file, buf_span(&genuine), 0600, &e), &e);
    }
}

/* What it says of lines that are not there stands, whoever reads the journal next; and where the
 * journal is meant to be this one, the snapshot is deleted. */
static void
must_be_refused(const char *path, const char *says)
{
    CLEANUP(mem_cleanup) char *file = beside(path);
    CLEANUP(buf_free) struct buf before = BUF_INIT(FILE_MAX);
    CLEANUP(buf_free) struct buf after = BUF_INIT(FILE_MAX);
    CLEANUP(journal_cleanup) struct journal *j = NULL;
    struct err why;
    struct err e = {0};
    size_t torn;

    assert_ok(file_read(file, &before, &e), &e);
    j = journal_claim(path, &e);
    assert_non_null(j);
    assert_err(journal_load(j, KEY, &ours, &torn, &why, &e), ERR_STALE, &e);
    if (strstr(e.text, says) == NULL) {
        fail_msg("%s", e.text);
    }
    assert_ok(journal_keep(j, 0, &e), &e);
    assert_ok(file_read(file, &after, &e), &e);
    assert_true(span_equal(buf_span(&before), buf_span(&after)));
    journal_close(TAKE(j));
    assert_int_equal(unlink(file), 0);
    j = load(path, &ours, &why);
    assert_int_equal(why.code, ERR_NOTFOUND);
}

static void
a_journal_that_is_older_than_it_is_refused(void **state)
{
    CLEANUP(mem_cleanup) char *path = write_journal(*state, "journal");

    assert_int_equal(truncate(path, 100 * 100L), 0);
    must_be_refused(path, "it has no line that ends where that was made");
}

static void
a_journal_that_was_emptied_is_refused(void **state)
{
    CLEANUP(mem_cleanup) char *path = write_journal(*state, "journal");

    assert_int_equal(truncate(path, 0), 0);
    must_be_refused(path, "it has no line that ends where that was made");
}

static void
another_journal_of_the_key_is_refused(void **state)
{
    CLEANUP(mem_cleanup) char *path = write_journal(*state, "journal");
    CLEANUP(mem_cleanup) char *other = write_journal(*state, "other");

    assert_int_equal(rename(other, path), 0);
    must_be_refused(path, "is older than its snapshot, or another");
}

/* The first attempt, with a right CRC-32, but of something else. */
static void
edit_first_attempt(const char *path)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX);
    CLEANUP(mem_cleanup) char *line = NULL;
    CLEANUP(mem_cleanup) char *sealed = NULL;
    struct err e = {0};
    uint8_t *at;
    size_t n;

    assert_ok(file_read(path, &text, &e), &e);
    at = memchr(text.p, '\n', text.n);
    at++;
    n = (size_t)((uint8_t *)memchr(at, '\n', text.n - (size_t)(at - text.p)) - at);
    line = mem_printf("%.*s", (int)n, (const char *)at);
    assert_true(journal_line_unseal(line));
    line[30] = line[30] == '0' ? '1' : '0';
    sealed = journal_line_seal(line);
    memcpy(at, sealed, n);
    assert_ok(file_write(path, buf_span(&text), 0600, &e), &e);
}

/* Lines before it are not read at a start; whoever looks at them finds it out, and then the next
 * start reads all: the process that found it makes no other one, and adds no line. */
static void
a_line_that_was_edited_before_it_is_found_by_the_scrub(void **state)
{
    CLEANUP(mem_cleanup) char *path = write_journal(*state, "journal");
    CLEANUP(mem_cleanup) char *file = beside(path);
    CLEANUP(journal_cleanup) struct journal *j = NULL;
    struct err why = {0};
    struct err e = {0};

    edit_first_attempt(path);
    j = load(path, &ours, &why);
    assert_int_equal(why.text[0], '\0');
    assert_int_equal(journal_attempts(j), LINES + MORE);
    journal_signed(j);
    assert_err(journal_scrub(j, 1, &e), ERR_STORE, &e);
    assert_non_null(strstr(e.text, "are not those that were made"));
    assert_ok(journal_keep(j, 1, &e), &e);
    assert_ok(journal_end(j, &e), &e);
    assert_int_equal(access(file, F_OK), -1);
    journal_close(TAKE(j));
    j = load(path, &ours, &why);
    assert_int_equal(journal_signatures(j), LINES + MORE - 1); /* as the last line says */
}

/* Of a journal that is refused, what was read of it is no state of it. */
static void
of_a_damaged_journal_none_is_made(void **state)
{
    CLEANUP(mem_cleanup) char *path = write_journal(*state, "journal");
    CLEANUP(mem_cleanup) char *file = beside(path);
    CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX);
    CLEANUP(buf_free) struct buf before = BUF_INIT(FILE_MAX);
    CLEANUP(buf_free) struct buf after = BUF_INIT(FILE_MAX);
    CLEANUP(journal_cleanup) struct journal *j = NULL;
    struct err why;
    struct err e = {0};
    size_t torn;

    assert_ok(file_read(path, &text, &e), &e);
    text.p[text.n - 2] ^= 1; /* of the CRC-32 of the last line */
    assert_ok(file_write(path, buf_span(&text), 0600, &e), &e);
    assert_ok(file_read(file, &before, &e), &e);
    j = journal_claim(path, &e);
    assert_non_null(j);
    assert_err(journal_load(j, KEY, &ours, &torn, &why, &e), ERR_STORE, &e);
    assert_ok(journal_keep(j, 1, &e), &e);
    assert_ok(journal_end(j, &e), &e);
    assert_ok(file_read(file, &after, &e), &e);
    assert_true(span_equal(buf_span(&before), buf_span(&after)));
}

/* What the token, or the disk, does not do costs a start, and nothing else. */
static void
without_a_snapshot_it_goes_on(void **state)
{
    CLEANUP(mem_cleanup) char *path = write_journal(*state, "journal");
    CLEANUP(mem_cleanup) char *file = beside(path);
    struct err why = {0};
    CLEANUP(journal_cleanup) struct journal *j = load(path, &broken, &why);
    struct err e = {0};

    assert_int_equal(why.code, ERR_TOKEN);
    assert_int_equal(journal_attempts(j), LINES + MORE);
    assert_err(journal_keep(j, 1, &e), ERR_TOKEN, &e);
    assert_ok(journal_keep(j, 1, &e), &e); /* it is not tried again at once */
    journal_close(TAKE(j));
    assert_int_equal(unlink(file), 0);
    j = load(path, &ours, &why);
    assert_int_equal(why.code, ERR_NOTFOUND);
    assert_int_equal(journal_attempts(j), LINES + MORE);
    journal_close(TAKE(j));
    j = load(path, NULL, &why);
    assert_ok(journal_keep(j, 0, &e), &e);
    assert_int_equal(access(file, F_OK), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_start_from_a_snapshot_knows_the_same, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_snapshot_of_it_is_not_believed, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_journal_that_is_older_than_it_is_refused, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_journal_that_was_emptied_is_refused, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(another_journal_of_the_key_is_refused, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_was_edited_before_it_is_found_by_the_scrub,
                                        attempts_set_up, attempts_tear_down),
        cmocka_unit_test_setup_teardown(of_a_damaged_journal_none_is_made, attempts_set_up,
                                        attempts_tear_down),
        cmocka_unit_test_setup_teardown(without_a_snapshot_it_goes_on, attempts_set_up,
                                        attempts_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
