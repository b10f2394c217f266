/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/tiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/disk.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { SIZES = 800 };

/* ---- a log in memory: leaf i is "leaf i" ---- */

static struct merkle_hash subtrees[SIZES];

static int
make_leaves(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        char text[32];
        int n = snprintf(text, sizeof(text), "leaf %zu", i);

        subtrees[i] = merkle_leaf(span_of(text, (size_t)n));
    }
    return 0;
}

static struct merkle_hash
subtree(unsigned level, uint64_t index)
{
    struct merkle_hash left;
    struct merkle_hash right;

    if (level == 0) {
        return subtrees[index];
    }
    left = subtree(level - 1, 2 * index);
    right = subtree(level - 1, 2 * index + 1);
    return merkle_node(&left, &right);
}

/* What the source does when its calls run out. */
struct fuse {
    int calls; /* < 0: never */
    bool die;
};

static int
burn(struct fuse *fuse, struct err *e)
{
    if (fuse->calls == 0) {
        if (fuse->die) {
            _exit(7);
        }
        return err_set(e, ERR_STORE, "the source failed");
    }
    fuse->calls -= fuse->calls > 0 ? 1 : 0;
    return 0;
}

static int
hashes(void *arg, unsigned level, uint64_t begin, uint64_t count, struct buf *out, struct err *e)
{
    if (burn(arg, e) != 0) {
        return -1;
    }
    for (uint64_t i = begin; i < begin + count; i++) {
        struct merkle_hash hash = subtree(level, i);

        if (buf_append(out, span_of(hash.octets, MERKLE_HASH), e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
leaves(void *arg, uint64_t begin, uint64_t count, struct buf *out, struct err *e)
{
    if (burn(arg, e) != 0) {
        return -1;
    }
    for (uint64_t i = begin; i < begin + count; i++) {
        char text[34];
        int n = snprintf(text + 2, sizeof(text) - 2, "leaf %llu", (unsigned long long)i);

        text[0] = 0;
        text[1] = (char)n;
        if (buf_append(out, span_of(text, (size_t)n + 2), e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
publish(const char *dir, uint64_t from, uint64_t to, bool only_missing, struct fuse *fuse,
        struct err *e)
{
    char note[32];
    int n = snprintf(note, sizeof(note), "checkpoint %llu\n", (unsigned long long)to);
    const struct tiles_job job = {
        .dir = dir,
        .from = from,
        .to = to,
        .only_missing = only_missing,
        .source = {.hashes = hashes, .leaves = leaves, .arg = fuse},
        .note = span_of(note, (size_t)n),
    };

    return tiles_publish(&job, e);
}

/* ---- the auditor's view: what C2SP tlog-tiles says must be there ---- */

static void
check_tile(const char *dir, int level, uint64_t index, unsigned width)
{
    CLEANUP(mem_cleanup) char *path = tile_path(dir, level, index, width);
    CLEANUP(mem_cleanup) char *full = tile_path(dir, level, index, TILE_WIDTH);
    CLEANUP(buf_free) struct buf found = BUF_INIT(BUNDLE_FILE_MAX);
    CLEANUP(buf_free) struct buf wanted = BUF_INIT(BUNDLE_FILE_MAX);
    struct fuse fuse = {.calls = -1};
    struct err e = {0};
    uint64_t begin = index * TILE_WIDTH;
    struct stat st;

    if (level == TILE_ENTRIES) {
        assert_ok(leaves(&fuse, begin, width, &wanted, &e), &e);
    } else {
        assert_ok(hashes(&fuse, (unsigned)level * 8, begin, width, &wanted, &e), &e);
    }
    if (file_read(path, &found, &e) != 0) {
        assert_ok(file_read(full, &found, &e), &e); /* a reader with an older checkpoint */
        buf_truncate(&found, wanted.n);
    }
    assert_true(span_equal(buf_span(&found), buf_span(&wanted)));
    if (width == TILE_WIDTH) {
        CLEANUP(mem_cleanup) char *partials = tile_partials(dir, level, index);

        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0644);
        assert_int_equal(access(partials, F_OK), -1);
    }
}

static void
check_tiles(const char *dir, uint64_t size)
{
    for (int level = TILE_ENTRIES; level < TILE_LEVELS; level++) {
        uint64_t count = level == TILE_ENTRIES ? size : size >> 8 * level;

        for (uint64_t index = 0; index * TILE_WIDTH < count; index++) {
            uint64_t left = count - index * TILE_WIDTH;

            check_tile(dir, level, index, left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH);
        }
    }
}

static uint64_t
published(const char *dir)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", dir);
    CLEANUP(buf_free) struct buf found = BUF_INIT(64);
    struct err e = {0};
    uint64_t size = 0;

    if (file_read(path, &found, &e) != 0) {
        return 0;
    }
    for (size_t i = strlen("checkpoint "); i + 1 < found.n; i++) {
        size = 10 * size + found.p[i] - '0';
    }
    return size;
}

/* ---- tests ---- */

static void
paths_are_those_of_tlog_tiles(void **state)
{
    static const struct {
        int level;
        uint64_t index;
        unsigned width;
        const char *path;
    } rows[] = {
        {0, 0, 256, "d/tile/0/000"},
        {0, 0, 5, "d/tile/0/000.p/5"},
        {1, 67, 256, "d/tile/1/067"},
        {2, 1234067, 256, "d/tile/2/x001/x234/067"},
        {0, 1000, 255, "d/tile/0/x001/000.p/255"},
        {TILE_ENTRIES, 1234067, 1, "d/tile/entries/x001/x234/067.p/1"},
        {0, 999999999999999999, 256, "d/tile/0/x999/x999/x999/x999/x999/999"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *path = tile_path("d", rows[i].level, rows[i].index, rows[i].width);

        assert_string_equal(path, rows[i].path);
    }
}

static void
every_size_has_its_tiles_as_the_log_grows(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct fuse fuse = {.calls = -1};
    struct err e = {0};

    (void)state;
    for (uint64_t size = 1; size <= SIZES; size++) {
        assert_ok(publish(dir, size - 1, size, false, &fuse, &e), &e);
        assert_int_equal(published(dir), size);
        if (size % 16 == 0 || size % 256 <= 1 || size % 256 == 255) {
            check_tiles(dir, size);
            check_tiles(dir, size - 1); /* for who read the checkpoint just before */
        }
    }
    check_tiles(dir, SIZES);
}

static void
growing_at_once_gives_the_tiles_of_the_size(void **state)
{
    static const uint64_t sizes[] = {1, 2, 255, 256, 257, 511, 512, 513, 600};
    struct fuse fuse = {.calls = -1};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        for (size_t j = 0; j < i; j++) {
            CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

            assert_ok(publish(dir, 0, sizes[j], false, &fuse, &e), &e);
            assert_ok(publish(dir, sizes[j], sizes[i], false, &fuse, &e), &e);
            check_tiles(dir, sizes[i]);
        }
    }
}

static void
a_failure_anywhere_keeps_the_old_checkpoint_and_a_second_try_heals(void **state)
{
    struct err e = {0};
    int calls = 0;
    int result = -1;

    (void)state;
    for (calls = 0; result != 0; calls++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        struct fuse fuse = {.calls = -1};

        assert_ok(publish(dir, 0, 250, false, &fuse, &e), &e);
        fuse.calls = calls;
        result = publish(dir, 250, 520, false, &fuse, &e);
        check_tiles(dir, 250);
        if (result != 0) {
            assert_int_equal(e.code, ERR_STORE);
            assert_int_equal(published(dir), 250);
            fuse.calls = -1;
            assert_ok(publish(dir, calls % 2 == 0 ? 250 : 0, 520, calls % 2 != 0, &fuse, &e), &e);
        }
        assert_int_equal(published(dir), 520);
        check_tiles(dir, 520);
    }
    assert_int_equal(calls, 3 + 3 + 1 + 1); /* entries, level 0, level 1; and the one that worked */
}

static void
a_process_that_dies_anywhere_leaves_what_a_start_heals(void **state)
{
    int status = -1;

    (void)state;
    for (int calls = 0; status != 0; calls++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        struct fuse fuse = {.calls = -1};
        struct err e = {0};
        pid_t child;

        assert_ok(publish(dir, 0, 250, false, &fuse, &e), &e);
        child = fork();
        if (child == 0) {
            fuse = (struct fuse){.calls = calls, .die = true};
            _exit(publish(dir, 250, 520, false, &fuse, &e) == 0 ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        check_tiles(dir, 250);
        assert_int_equal(published(dir), status == 0 ? 520 : 250);
        assert_ok(publish(dir, 0, 520, true, &fuse, &e), &e);
        check_tiles(dir, 520);
    }
}

static size_t
mend(const char *dir, uint64_t from, uint64_t to)
{
    struct fuse fuse = {.calls = -1};
    const struct tiles_job job = {
        .dir = dir,
        .from = from,
        .to = to,
        .source = {.hashes = hashes, .leaves = leaves, .arg = &fuse},
    };
    struct err e = {0};
    size_t put = 99;

    assert_ok(tiles_mend(&job, &put, &e), &e);
    return put;
}

/* Those that became full with the leaves that are asked for, and no other. */
static void
a_full_file_that_was_taken_away_is_made_again(void **state)
{
    static const struct {
        int level;
        uint64_t index;
    } lost[] = {{TILE_ENTRIES, 0}, {TILE_ENTRIES, 1}, {0, 1}, {0, 2}};
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *partials = tile_partials(dir, 0, 1);
    CLEANUP(mem_cleanup) char *partial = tile_path(dir, 0, 1, 7);
    struct fuse fuse = {.calls = -1};
    struct err e = {0};

    (void)state;
    assert_ok(publish(dir, 0, 800, false, &fuse, &e), &e);
    assert_int_equal(mend(dir, 0, 800), 0);
    for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
        CLEANUP(mem_cleanup) char *path = tile_path(dir, lost[i].level, lost[i].index, TILE_WIDTH);

        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(mkdir(partials, 0755), 0); /* of who was killed before it was removed */
    assert_ok(file_write(partial, SPAN_LITERAL("x"), 0644, &e), &e);
    assert_int_equal(mend(dir, 0, 255), 0);
    assert_int_equal(mend(dir, 255, 256), 1);
    assert_int_equal(mend(dir, 300, 511), 0);
    assert_int_equal(access(partials, F_OK), 0);
    assert_int_equal(mend(dir, 300, 600), 2);
    assert_int_equal(access(partials, F_OK), -1);
    assert_int_equal(mend(dir, 600, 800), 1);
    check_tiles(dir, 800);
    assert_int_equal(published(dir), 800);
}

static void
one_more_leaf_touches_the_last_tiles_only(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *first = tile_path(dir, 0, 0, TILE_WIDTH);
    CLEANUP(mem_cleanup) char *checkpoint = mem_printf("%s/checkpoint", dir);
    CLEANUP(mem_cleanup) char *folder = mem_printf("%s/tile/entries", dir);
    struct fuse fuse = {.calls = -1};
    struct stat st;
    struct err e = {0};

    (void)state;
    assert_ok(publish(dir, 0, 300, false, &fuse, &e), &e);
    fuse.calls = 2; /* the last bundle and the last tile of level 0 */
    assert_ok(publish(dir, 300, 301, false, &fuse, &e), &e);
    check_tiles(dir, 301);
    assert_int_equal(stat(first, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(stat(checkpoint, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
}

static void
only_what_is_missing_is_written_again(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *first = tile_path(dir, 0, 0, TILE_WIDTH);
    CLEANUP(mem_cleanup) char *second = tile_path(dir, 0, 1, TILE_WIDTH);
    struct fuse fuse = {.calls = -1};
    struct stat before;
    struct stat after;
    struct err e = {0};

    (void)state;
    assert_ok(publish(dir, 0, 600, false, &fuse, &e), &e);
    assert_int_equal(stat(first, &before), 0);
    assert_int_equal(truncate(second, 100), 0);
    fuse.calls = 1;
    assert_ok(publish(dir, 0, 600, true, &fuse, &e), &e);
    assert_int_equal(stat(first, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    check_tiles(dir, 600);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_file_that_was_taken_away_is_made_again),
        cmocka_unit_test(one_more_leaf_touches_the_last_tiles_only),
        cmocka_unit_test(paths_are_those_of_tlog_tiles),
        cmocka_unit_test(every_size_has_its_tiles_as_the_log_grows),
        cmocka_unit_test(growing_at_once_gives_the_tiles_of_the_size),
        cmocka_unit_test(a_failure_anywhere_keeps_the_old_checkpoint_and_a_second_try_heals),
        cmocka_unit_test(a_process_that_dies_anywhere_leaves_what_a_start_heals),
        cmocka_unit_test(only_what_is_missing_is_written_again),
    };

    (void)umask(077); /* as the programs do */
    /* tiles_sync.c looks at what is synced: here nothing really is, which is quick. */
    disk_begin(getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"), NULL);
    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
