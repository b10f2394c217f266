/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/trace.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/ossl.h"

enum { TAIL = 640, FILE_MAX = 64 * 1024 * 1024, FDS = 16 };

/* ---- files ---- */

static struct buf seen; /* by look_at */

static int
look_at(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(FILE_MAX);
    CLEANUP(mem_cleanup) char *line = NULL;
    char hex[2 * SHA256_SIZE + 1] = "";
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    (void)ftw;
    if (S_ISSOCK(st->st_mode) || strstr(path, "/ca.log") != NULL ||
        strstr(path, "/token.object") != NULL) { /* where SoftHSM notes each log-in */
        return 0;
    }
    if (type == FTW_F) {
        assert_ok(file_read(path, &octets, &e), &e);
        assert_ok(sha256(buf_span(&octets), hash, &e), &e);
        hex_format(span_of(hash, sizeof(hash)), hex);
    }
    line = mem_printf("%s %o %s\n", path, (unsigned)st->st_mode, hex);
    assert_ok(buf_append_str(&seen, line, &e), &e);
    return 0;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names, modes and hashes of all that is in the world's folder: policies, token and all. */
char *
trace_snapshot(const struct world *w)
{
    CLEANUP(buf_free) struct buf sorted = BUF_INIT(FILE_MAX);
    char *lines[4096];
    size_t n = 0;
    char *rest;
    struct err e = {0};

    seen = BUF_INIT(FILE_MAX);
    assert_int_equal(nftw(w->dir, look_at, FDS, FTW_PHYS), 0);
    assert_ok(buf_append(&seen, span_of("", 1), &e), &e);
    rest = (char *)seen.p;
    while ((lines[n] = strsep(&rest, "\n")) != NULL) {
        n++;
        assert_true(n < ARRAY_LEN(lines));
    }
    qsort(lines, n, sizeof(lines[0]), by_name);
    for (size_t i = 0; i < n; i++) {
        assert_ok(buf_append_str(&sorted, lines[i], &e), &e);
        assert_ok(buf_append_str(&sorted, "\n", &e), &e);
    }
    buf_free(&seen);
    return mem_printf("%.*s", (int)sorted.n, (const char *)sorted.p);
}

static void
show_difference(const char *row, int start, const char *before, const char *after)
{
    print_error("%s: start %d changed\n", row, start);
    for (const char *const *side = (const char *const[]){before, after, NULL}; *side != NULL;
         side++) {
        const char *other = *side == before ? after : before;
        CLEANUP(mem_cleanup) char *text = mem_strdup(*side);
        char *rest = text;

        for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
            if (strstr(other, line) == NULL) {
                print_error("  %s %s\n", *side == before ? "was" : "is ", line);
            }
        }
    }
}

/* ---- starts ---- */

static size_t
log_end(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (size_t)st.st_size;
}

static void
must_say(const struct world *w, const char *row, size_t from, const char *says)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf log = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &log, &e), &e);
    if (memmem(log.p + from, log.n - from, says, strlen(says)) == NULL) {
        const size_t n = log.n - from < TAIL ? log.n - from : TAIL; /* the reason is last */

        fail_msg("%s: no \"%s\" in:\n%.*s", row, says, (int)n, (const char *)log.p + log.n - n);
    }
}

void
trace_must_refuse(struct world *w, const char *row, int starts, int refused, const char *says)
{
    CLEANUP(mem_cleanup) char *before = trace_snapshot(w);

    for (int i = 1; i <= starts; i++) {
        const size_t from = log_end(w);
        const int status = world_start_status(w);
        CLEANUP(mem_cleanup) char *after = trace_snapshot(w);

        if (strcmp(before, after) != 0) {
            show_difference(row, i, before, after);
        }
        if (status != refused || strcmp(before, after) != 0) {
            fail_msg("%s: start %d: status %d", row, i, status);
        }
        must_say(w, row, from, says);
    }
}
