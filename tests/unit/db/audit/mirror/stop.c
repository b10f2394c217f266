/* SPDX-License-Identifier: Apache-2.0 */
/* An import that is killed before any write, and one whose disk fails there: the next run ends with
 * what one that nothing happened to has. */
#include "db/audit/mirror/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/disk.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/mirror/synthetic.h"

enum {
    FIRST = 300,  /* leaves before, */
    LATER = 8500, /* and of the run that is stopped: three transactions */
    POINTS = 8,   /* spread over its calls; STOP=all in the environment: all of them, 200 at most */
    POINTS_ALL = 200,
    KILLED = 9,
    FILE_MAX = 64 << 20
};

static size_t left; /* calls until the end */

static void
see(enum disk_call call, const char *path)
{
    (void)call;
    (void)path;
    if (left-- == 0) {
        _exit(KILLED);
    }
}

static void
count(enum disk_call call, const char *path)
{
    (void)call;
    (void)path;
    left++;
}

static int
run(struct synthetic *s, enum mirror_result *result, uint64_t *size, struct err *e)
{
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open_writable(s->path, e);
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    int status;

    *result = MIRROR_FAILED;
    *size = 0;
    if (m == NULL) {
        return -1;
    }
    status = mirror_run(m, s->dir, NULL, NULL, &outcome, e);
    *result = outcome.result;
    *size = mirror_checkpoint(m)->size;
    return status;
}

/* Everything that is in it, but for times of our clock and the runs themselves. */
static char *
digest(const char *path)
{
    static const char *const tables[] = {
        "SELECT * FROM leaf",
        "SELECT n, width, octets, hex(body) FROM bundle",
        "SELECT level, n, hex(hashes) FROM tile",
        "SELECT * FROM configuration",
        "SELECT * FROM day",
        "SELECT * FROM gap",
        "SELECT * FROM figure",
        "SELECT accepted, next, hex(edge) FROM position",
    };
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open(path, &e);
    uint8_t hash[SHA256_SIZE];

    assert_ok(m == NULL ? -1 : 0, &e);
    assert_int_equal(EVP_DigestInit_ex2(context, EVP_sha256(), NULL), 1);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        sqlite3_stmt *stmt = NULL;

        assert_int_equal(sqlite3_prepare_v2(mirror_sqlite(m), tables[i], -1, &stmt, NULL), 0);
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(stmt); c++) {
                const char *text = (const char *)sqlite3_column_text(stmt, c);

                assert_int_equal(
                    EVP_DigestUpdate(context, text, text == NULL ? 0 : strlen(text) + 1), 1);
            }
        }
        assert_int_equal(sqlite3_finalize(stmt), 0);
    }
    assert_int_equal(EVP_DigestFinal_ex(context, hash, NULL), 1);
    return hex_dup(span_of(hash, sizeof(hash)));
}

/* A mirror of FIRST leaves, beside a folder of LATER. */
static void
scene(struct synthetic *s)
{
    enum mirror_result result;
    struct err e = {0};
    uint64_t size;

    assert_ok(mirror_init(s->path, &s->key, true, &e), &e);
    synthetic_publish(s, s->dir, FIRST, SYNTHETIC_NEVER);
    assert_ok(run(s, &result, &size, &e), &e);
    synthetic_publish(s, s->dir, LATER, SYNTHETIC_NEVER);
}

static void
copy(const char *from, const char *to)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(from, &octets, &e), &e);
    assert_ok(file_write(to, buf_span(&octets), 0600, &e), &e);
}

static void
restart(const struct synthetic *s, const char *saved)
{
    CLEANUP(mem_cleanup) char *wal = mem_printf("%s-wal", s->path);
    CLEANUP(mem_cleanup) char *shm = mem_printf("%s-shm", s->path);

    (void)unlink(wal);
    (void)unlink(shm);
    copy(saved, s->path);
}

static size_t
calls_of(struct synthetic *s)
{
    enum mirror_result result;
    struct err e = {0};
    uint64_t size;

    left = 0;
    disk_begin(s->base, count);
    assert_ok(run(s, &result, &size, &e), &e);
    disk_end();
    assert_int_equal(size, LATER);
    return left;
}

static size_t
points(size_t calls)
{
    const char *all = getenv("STOP");
    const size_t wanted = all != NULL && strcmp(all, "all") == 0 ? POINTS_ALL : POINTS;

    return calls < wanted ? calls : wanted;
}

static void
goes_on(struct synthetic *s, const char *wanted, size_t at)
{
    enum mirror_result result;
    struct err e = {0};
    uint64_t size;
    CLEANUP(mem_cleanup) char *is = NULL;

    if (run(s, &result, &size, &e) != 0 || size != LATER) {
        fail_msg("behind call %zu: %s: %s", at, mirror_result_name(result), e.text);
    }
    is = digest(s->path);
    if (strcmp(is, wanted) != 0) {
        fail_msg("behind call %zu the mirror has other rows", at);
    }
}

static void
killed_before_any_call_it_goes_on_to_the_same_rows(void **state)
{
    struct synthetic s;
    CLEANUP(mem_cleanup) char *saved = NULL;
    CLEANUP(mem_cleanup) char *wanted = NULL;
    size_t calls;
    size_t n;

    (void)state;
    synthetic_begin(&s);
    scene(&s);
    saved = mem_printf("%s/saved", s.base);
    copy(s.path, saved);
    calls = calls_of(&s);
    wanted = digest(s.path);
    n = points(calls);
    assert_true(n == POINTS || n == POINTS_ALL);
    for (size_t i = 0; i < n; i++) {
        const size_t at = i * calls / n;
        int status;
        pid_t pid;

        restart(&s, saved);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            enum mirror_result result;
            struct err e = {0};
            uint64_t size;

            left = at;
            disk_begin(s.base, see);
            (void)run(&s, &result, &size, &e);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == KILLED);
        goes_on(&s, wanted, at);
    }
    synthetic_end(&s);
}

static void
a_disk_that_fails_ends_the_run_with_a_reason_and_the_next_goes_on(void **state)
{
    struct synthetic s;
    CLEANUP(mem_cleanup) char *saved = NULL;
    CLEANUP(mem_cleanup) char *wanted = NULL;
    size_t calls;
    size_t n;

    (void)state;
    synthetic_begin(&s);
    scene(&s);
    saved = mem_printf("%s/saved", s.base);
    copy(s.path, saved);
    calls = calls_of(&s);
    wanted = digest(s.path);
    n = points(calls);
    for (size_t i = 0; i < n; i++) {
        const size_t at = i * calls / n;
        enum mirror_result result;
        struct err e = {0};
        uint64_t size;

        restart(&s, saved);
        disk_begin(s.base, NULL);
        disk_fail(at);
        if (run(&s, &result, &size, &e) != 0 && result != MIRROR_FAILED) {
            fail_msg("at call %zu: %s: %s", at, mirror_result_name(result), e.text);
        }
        disk_end();
        goes_on(&s, wanted, at);
    }
    synthetic_end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_before_any_call_it_goes_on_to_the_same_rows),
        cmocka_unit_test(a_disk_that_fails_ends_the_run_with_a_reason_and_the_next_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
