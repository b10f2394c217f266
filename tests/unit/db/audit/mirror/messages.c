/* SPDX-License-Identifier: Apache-2.0 */
/* A mirror keeps the messages that leaves name, and says of each that is missing or wrong why; so
 * does `check`. */
#include "db/audit/mirror/messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/audit/check/messages.h"
#include "db/audit/files.h"
#include "db/audit/mirror/found.h"
#include "db/audit/mirror/inside.h"
#include "db/audit/mirror/run.h"
#include "db/ledger/messages.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define FOLDER TEST_SOURCE_DIR "/vectors/ledger/7/asked"
#define FILE_OF "tile/messages/000.p/77"
enum { SIZE = 77, NAMED = 19, OCTETS_MAX = 1 << 20 };

struct scene {
    char *base, *dir, *path;
    struct log_key key;
};

static void
copy(const struct scene *s, const char *name)
{
    CLEANUP(mem_cleanup) char *from = mem_printf("%s/%s", FOLDER, name);
    CLEANUP(mem_cleanup) char *to = mem_printf("%s/%s", s->dir, name);
    CLEANUP(mem_cleanup) char *folder = mem_strdup(to);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(OCTETS_MAX);
    struct err e = {0};

    *strrchr(folder, '/') = '\0';
    assert_ok(file_mkdirs(folder, 0700, &e), &e);
    assert_ok(file_read(from, &octets, &e), &e);
    assert_ok(file_write(to, buf_span(&octets), 0600, &e), &e);
}

static int
begin(void **state)
{
    static const char *const names[] = {"checkpoint", "log.vkey", "tile/0/000.p/77",
                                        "tile/entries/000.p/77", FILE_OF};
    struct scene *s = mem_zalloc(1, sizeof(*s));
    CLEANUP(buf_free) struct buf key = BUF_INIT(OCTETS_MAX);
    struct err e = {0};

    s->base = tmpdir_new();
    s->dir = mem_printf("%s/ledger", s->base);
    s->path = mem_printf("%s/audit.db", s->base);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        copy(s, names[i]);
    }
    assert_ok(file_read(FOLDER "/log.vkey", &key, &e), &e);
    assert_ok(log_key_parse(&s->key, buf_span(&key), &e), &e);
    assert_ok(mirror_init(s->path, &s->key, true, &e), &e);
    *state = s;
    return 0;
}

static int
end(void **state)
{
    struct scene *s = *state;

    log_key_free(&s->key);
    mem_free(s->dir);
    mem_free(s->path);
    tmpdir_remove(s->base);
    mem_free(s);
    return 0;
}

static struct mirror *
run(const struct scene *s)
{
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    struct err e = {0};
    struct mirror *m = mirror_open_writable(s->path, &e);

    assert_ok(m == NULL ? -1 : 0, &e);
    assert_ok(mirror_run(m, s->dir, NULL, NULL, &outcome, &e), &e);
    assert_int_equal(mirror_checkpoint(m)->size, SIZE);
    return m;
}

static void
edit(const struct scene *s, size_t at, size_t cut)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" FILE_OF, s->dir);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(OCTETS_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &octets, &e), &e);
    octets.p[at] ^= 1;
    assert_ok(file_write(path, span_of(octets.p, octets.n - cut), 0600, &e), &e);
}

/* How many leaves have their message; what is said of the others must begin so. */
static unsigned
there(struct mirror *m, enum err_code code, const char *says)
{
    unsigned n = 0;

    for (uint64_t i = 0; i < SIZE; i++) {
        CLEANUP(buf_free) struct buf leaf = BUF_INIT(LEAF_MAX);
        CLEANUP(buf_free) struct buf octets = BUF_INIT(MESSAGE_MAX);
        struct message named;
        uint8_t hash[SHA256_SIZE];
        struct err e = {0};

        assert_ok(mirror_leaf(m, i, &leaf, &e), &e);
        if (!message_named(buf_span(&leaf), &named)) {
            continue;
        }
        if (mirror_message(m, i, &octets, &e) == 0) {
            assert_ok(sha256(buf_span(&octets), hash, &e), &e);
            assert_memory_equal(hash, named.sha256, sizeof(hash));
            n++;
        } else if (says == NULL || e.code != code || strstr(e.text, says) == NULL) {
            fail_msg("leaf %" PRIu64 ": %s: %s", i, err_code_name(e.code), e.text);
        }
    }
    return n;
}

static void
messages_are_taken_in(void **state)
{
    CLEANUP(mirror_cleanup) struct mirror *m = run(*state);

    assert_int_equal(there(m, ERR_NONE, NULL), NAMED);
}

/* It is looked for again, and found when it comes. */
static void
a_missing_file_is_named_until_it_comes(void **state)
{
    const struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" FILE_OF, s->dir);

    assert_int_equal(unlink(path), 0);
    for (int i = 0; i < 2; i++) {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(
            there(m, ERR_NOTFOUND, "tile/messages/000 is not published, or was not fetched"), 0);
    }
    copy(s, FILE_OF);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(there(m, ERR_NONE, NULL), NAMED);
    }
}

static void
edit_mirror(const struct scene *s, const char *sql)
{
    struct err e = {0};
    CLEANUP(sql_cleanup) struct sql *db = sql_open(s->path, SQLITE_OPEN_READWRITE, &e);

    assert_non_null(db);
    assert_ok(sql_script(db, sql, &e), &e);
}

/* It takes the others of its file not away; what is behind the place where that ends is not there.
 */
static void
a_wrong_message_is_named(void **state)
{
    const struct scene *s = *state;

    edit(s, 99, 0);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(there(m, ERR_CRYPTO, "names is another one"), NAMED - 1);
    }
    edit_mirror(s, "DELETE FROM message_file");
    copy(s, FILE_OF);
    edit(s, 4, 1);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(there(m, ERR_CRYPTO, "tile/messages/000: the message that entry "),
                         NAMED - 2);
    }
}

#define EMPTY "x'28b52ffd2000010000'" /* of Zstandard; and one octet */
#define ONE "x'28b52ffd200109000078'"

static void
what_the_authority_does_not_have_is_named(void **state)
{
    static const uint8_t none[4 * NAMED];
    const struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" FILE_OF, s->dir);
    struct err e = {0};

    assert_ok(file_write(path, span_of(none, sizeof(none)), 0600, &e), &e);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(there(m, ERR_NOTFOUND, "the CA did not have it"), 0);
    }
}

/* As if the last leaf had come since. */
#define GROWN "UPDATE message_file SET width = 76"

static void
what_was_good_stays(void **state)
{
    static const struct {
        size_t at, cut; /* of what is published then; at 0: nothing */
    } rows[] = {{0, 0}, {99, 0}, {4, 1}, {99, 9000}};
    const struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" FILE_OF, s->dir);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        mirror_close(run(s));
        edit_mirror(s, GROWN);
        if (rows[i].at == 0) {
            assert_int_equal(unlink(path), 0);
        } else {
            edit(s, rows[i].at, rows[i].cut);
        }
        {
            CLEANUP(mirror_cleanup) struct mirror *m = run(s);

            assert_int_equal(there(m, ERR_NONE, NULL), NAMED);
        }
        copy(s, FILE_OF);
    }
}

/* Of the leaf that came since nothing was published. */
static void
what_is_not_there_beside_it_is_named(void **state)
{
    static const uint8_t none[4];
    const struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" FILE_OF, s->dir);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(OCTETS_MAX);
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    size_t last = 0;
    struct err e = {0};

    assert_ok(file_read(path, &octets, &e), &e);
    for (int i = 0; i < NAMED - 1; i++) {
        last += 4 + ((size_t)octets.p[last + 2] << 8 | octets.p[last + 3]);
    }
    buf_truncate(&octets, last);
    assert_ok(buf_append(&octets, span_of(none, sizeof(none)), &e), &e);
    assert_ok(file_write(path, buf_span(&octets), 0600, &e), &e);
    mirror_close(run(s));
    edit_mirror(s, GROWN);
    assert_int_equal(unlink(path), 0);
    m = run(s);
    assert_int_equal(
        there(m, ERR_NOTFOUND, "tile/messages/000 is not published, or was not fetched"),
        NAMED - 1);
}

/* Leaves that are not there any more name nothing that could be looked for. */
static void
leaves_that_somebody_took_away_are_named(void **state)
{
    const struct scene *s = *state;
    CLEANUP(sql_cleanup) struct sql *db = NULL;
    struct err e = {0};

    mirror_close(run(s));
    edit_mirror(s, "DELETE FROM message_file; UPDATE bundle SET octets = 1, body = "
                   "x'28b52ffd200109000078'");
    db = sql_open(s->path, SQLITE_OPEN_READWRITE, &e);
    assert_non_null(db);
    assert_err(messages_import(db, s->base, SIZE, &e), ERR_STALE, &e);
    assert_string_equal(e.text, "bundle 0 was edited");
    assert_err(messages_import(db, s->dir, SIZE, &e), ERR_STALE, &e);
    assert_string_equal(e.text, "bundle 0 was edited");
}

static void
a_mirror_that_somebody_edited_is_named(void **state)
{
    static const struct {
        const char *sql;
        enum err_code code;
        const char *says;
    } edits[] = {
        {"UPDATE message_file SET body = zeroblob(9)", ERR_STALE, "a file of messages was edited"},
        {"UPDATE message_file SET octets = -1", ERR_STALE, "a file of messages was edited"},
        {"DELETE FROM message_file", ERR_NOTFOUND, "it was not published, or not fetched"},
        {"UPDATE message_file SET octets = 1, body = " ONE, ERR_STALE,
         "a file of messages was edited"},
        {"UPDATE message_file SET octets = 0, body = " EMPTY, ERR_STALE,
         "a file of messages was edited"},
    };
    const struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        struct err e = {0};

        mirror_close(run(s));
        edit_mirror(s, edits[i].sql);
        {
            CLEANUP(mirror_cleanup) struct mirror *m = mirror_open(s->path, &e);

            assert_non_null(m);
            assert_int_equal(there(m, edits[i].code, edits[i].says), 0);
        }
        edit_mirror(s, "DELETE FROM message_file");
    }
}

/* ---- check ---- */

/* Leaves: of the first message and of the last one; of one of which is EARLY in the file; where
 * what is judged begins, and the first behind it that names one. */
enum { FIRST = 13, EARLY_LEAF = 24, STATE = 53, BEHIND = 56, LAST = 76 };
enum { OCTETS = 12126, EARLY = 1000 };
#define OTHER "check.message.other"
#define MISSING "check.message.missing"

/* lint_messages_load */
static int
load(void *arg, uint64_t n, struct buf *out, struct err *e)
{
    return mirror_messages(arg, n, out, e);
}

static int
tell(void *arg, uint64_t index, struct span body, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_parse(body, e);

    if (leaf == NULL) {
        return -1;
    }
    lint_messages_leaf(arg, index, leaf);
    return 0;
}

static void
find(struct mirror *m, lint_messages_load *from, void *arg, struct findings *findings)
{
    CLEANUP(lint_messages_cleanup)
    struct lint_messages *l = lint_messages_new(findings, from, arg);
    struct err e = {0};

    assert_ok(mirror_each(m, NULL, tell, l, &e), &e);
    lint_messages_end(l);
}

static size_t
found_in(struct mirror *m)
{
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();

    find(m, load, m, findings);
    return findings_count(findings);
}

/* lint_messages_load, of the folder as it is, whoever edited it. */
static int
load_folder(void *arg, uint64_t n, struct buf *out, struct err *e)
{
    const struct scene *s = arg;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" FILE_OF, s->dir);

    (void)n;
    return file_read(path, out, e);
}

/* When leaves from here on are judged: the finding that is the only one; its leaf, -1: none. */
static int64_t
found_from(lint_messages_load *loads, void *arg, struct mirror *m, uint64_t from, const char *id)
{
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();

    (void)findings_from(findings, from);
    find(m, loads, arg, findings);
    if (findings_at(findings, 0) == NULL) {
        return -1;
    }
    assert_null(findings_at(findings, 1));
    assert_string_equal(findings_at(findings, 0)->kind->id, id);
    return (int64_t)findings_at(findings, 0)->leaf;
}

static void
check_finds_what_is_wrong_or_missing(void **state)
{
    const struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" FILE_OF, s->dir);

    assert_int_equal(unlink(path), 0);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(found_in(m), 1);
    }
    copy(s, FILE_OF);
    edit(s, 99, 0);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(found_in(m), 1);
    }
    copy(s, FILE_OF);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(found_in(m), 0);
    }
}

/* A state stands in the midst of a file: what is wrong in front of it is not said again, and does
 * not hide what is wrong behind it. */
static void
check_behind_a_state_finds_a_wrong_message(void **state)
{
    struct scene *s = *state;
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;

    edit(s, OCTETS - 1, 0);
    m = run(s);
    assert_int_equal(found_from(load_folder, s, m, 0, OTHER), LAST);
    assert_int_equal(found_from(load_folder, s, m, STATE, OTHER), LAST);
    assert_int_equal(found_from(load_folder, s, m, LAST + 1, OTHER), -1);
    assert_in_range(found_from(load, m, m, STATE, OTHER), STATE, LAST);
    edit(s, EARLY, 0);
    assert_int_equal(found_from(load_folder, s, m, STATE, OTHER), LAST);
    edit(s, EARLY, OCTETS - EARLY - 1); /* what is wrong there is the end */
    assert_int_equal(found_from(load_folder, s, m, 0, OTHER), EARLY_LEAF);
    assert_int_equal(found_from(load_folder, s, m, STATE, OTHER), BEHIND);
}

static int64_t
kept(const struct scene *s, const char *what)
{
    struct err e = {0};
    CLEANUP(sql_cleanup) struct sql *db = sql_open(s->path, SQLITE_OPEN_READONLY, &e);
    int64_t n;

    assert_non_null(db);
    assert_ok(sql_number(db, what, SQL_NO_VALUES, -1, &n, &e), &e);
    return n;
}

static void
keep(struct mirror *m, uint64_t from)
{
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();
    struct err e = {0};

    (void)findings_from(findings, from);
    find(m, load, m, findings);
    assert_ok(mirror_keep(m, true, from, findings, &e), &e);
}

#define MISSING_KEPT "SELECT count(*) FROM finding WHERE code = 'check.message.missing'"

/* Once one is missing, others are found that are missing behind it; and it is, until it comes. */
static void
check_behind_a_state_finds_missing_messages(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" FILE_OF, s->dir);

    assert_int_equal(unlink(path), 0);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(found_from(load, m, m, 0, MISSING), FIRST);
        assert_int_equal(found_from(load, m, m, STATE, MISSING), BEHIND);
        assert_int_equal(found_from(load, m, m, LAST + 1, MISSING), -1);
        keep(m, 0);
        assert_int_equal(kept(s, MISSING_KEPT), 1);
        keep(m, STATE);
        assert_int_equal(kept(s, MISSING_KEPT), 2);
        keep(m, LAST + 1);
        assert_int_equal(kept(s, MISSING_KEPT), 2);
        keep(m, 0);
        assert_int_equal(kept(s, MISSING_KEPT), 1);
    }
    copy(s, FILE_OF);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        keep(m, LAST + 1);
        assert_int_equal(kept(s, MISSING_KEPT), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_are_taken_in, begin, end),
        cmocka_unit_test_setup_teardown(a_missing_file_is_named_until_it_comes, begin, end),
        cmocka_unit_test_setup_teardown(a_wrong_message_is_named, begin, end),
        cmocka_unit_test_setup_teardown(a_mirror_that_somebody_edited_is_named, begin, end),
        cmocka_unit_test_setup_teardown(what_the_authority_does_not_have_is_named, begin, end),
        cmocka_unit_test_setup_teardown(what_was_good_stays, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_there_beside_it_is_named, begin, end),
        cmocka_unit_test_setup_teardown(leaves_that_somebody_took_away_are_named, begin, end),
        cmocka_unit_test_setup_teardown(check_finds_what_is_wrong_or_missing, begin, end),
        cmocka_unit_test_setup_teardown(check_behind_a_state_finds_a_wrong_message, begin, end),
        cmocka_unit_test_setup_teardown(check_behind_a_state_finds_missing_messages, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
