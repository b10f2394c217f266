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
a_wrong_file_is_named(void **state)
{
    const struct scene *s = *state;

    edit(s, 99, 0);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(there(m, ERR_CRYPTO, "names is another one"), 0);
    }
    copy(s, FILE_OF);
    edit(s, 4, 1);
    {
        CLEANUP(mirror_cleanup) struct mirror *m = run(s);

        assert_int_equal(there(m, ERR_CRYPTO, "tile/messages/000: the message that entry "), 0);
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

#define EMPTY "x'28b52ffd2000010000'" /* of Zstandard */

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

static size_t
found_in(struct mirror *m)
{
    CLEANUP(findings_cleanup) struct findings *findings = findings_new();
    CLEANUP(lint_messages_cleanup)
    struct lint_messages *l = lint_messages_new(findings, load, m);
    struct err e = {0};

    assert_ok(mirror_each(m, NULL, tell, l, &e), &e);
    lint_messages_end(l);
    return findings_count(findings);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_are_taken_in, begin, end),
        cmocka_unit_test_setup_teardown(a_missing_file_is_named_until_it_comes, begin, end),
        cmocka_unit_test_setup_teardown(a_wrong_file_is_named, begin, end),
        cmocka_unit_test_setup_teardown(a_mirror_that_somebody_edited_is_named, begin, end),
        cmocka_unit_test_setup_teardown(what_the_authority_does_not_have_is_named, begin, end),
        cmocka_unit_test_setup_teardown(leaves_that_somebody_took_away_are_named, begin, end),
        cmocka_unit_test_setup_teardown(check_finds_what_is_wrong_or_missing, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
