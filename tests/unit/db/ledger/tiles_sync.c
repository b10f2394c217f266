/* SPDX-License-Identifier: Apache-2.0 */
/* What a power cut may take while tiles are published: the order of their system calls. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "db/ledger/tiles.h"
#include "tests/support/disk.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

/* ---- a log whose content does not matter ---- */

struct fuse {
    int calls; /* of the source that succeed; < 0: all */
};

static int
burn(void *arg, struct err *e)
{
    struct fuse *fuse = arg;

    if (fuse->calls == 0) {
        return err_set(e, ERR_STORE, "the source failed");
    }
    fuse->calls -= fuse->calls > 0 ? 1 : 0;
    return 0;
}

static int
hashes(void *arg, unsigned level, uint64_t begin, uint64_t count, struct buf *out, struct err *e)
{
    static const uint8_t hash[MERKLE_HASH];

    (void)level;
    (void)begin;
    if (burn(arg, e) != 0) {
        return -1;
    }
    while (count-- > 0) {
        assert_ok(buf_append(out, span_of(hash, sizeof(hash)), e), e);
    }
    return 0;
}

static int
leaves(void *arg, uint64_t begin, uint64_t count, struct buf *out, struct err *e)
{
    (void)begin;
    if (burn(arg, e) != 0) {
        return -1;
    }
    while (count-- > 0) {
        assert_ok(buf_append(out, span_of("\0\1x", 3), e), e);
    }
    return 0;
}

static int
publish(const char *dir, uint64_t from, uint64_t to, bool only_missing, int calls, struct err *e)
{
    struct fuse fuse = {.calls = calls};
    const struct tiles_job job = {
        .dir = dir,
        .from = from,
        .to = to,
        .only_missing = only_missing,
        .source = {.hashes = hashes, .leaves = leaves, .arg = &fuse},
        .note = SPAN_LITERAL("checkpoint\n"),
    };

    return tiles_publish(&job, e);
}

/* ---- what must be so at each call ---- */

static const char *row; /* printed when it is not */
static size_t checkpoints;

static bool
is_checkpoint(const char *path)
{
    static const char name[] = "/checkpoint";
    size_t n = strlen(path);

    return n >= sizeof(name) && strcmp(path + n - (sizeof(name) - 1), name) == 0;
}

static void
must_all_be_durable(const char *when)
{
    const char *path = disk_not_durable(NULL);

    if (path != NULL) {
        fail_msg("%s: %s: %s is not durable", row, when, path);
    }
}

static void
see(enum disk_call call, const char *path)
{
    switch (call) {
    case DISK_RENAME:
        if (is_checkpoint(path)) {
            must_all_be_durable("when the checkpoint gets its name");
            checkpoints++;
        }
        return;
    case DISK_UNLINK:
    case DISK_RMDIR:
        must_all_be_durable("when what an older checkpoint needs is removed");
        return;
    case DISK_WRITE:
    case DISK_SYNC:
    case DISK_LINK:
    case DISK_MKDIR:
        return;
    }
}

static void
check_end(void)
{
    must_all_be_durable("at the end");
    if (disk_named_early() != NULL) {
        fail_msg("%s: %s was not synced when it got its name", row, disk_named_early());
    }
}

struct step {
    const char *name;
    uint64_t from;
    uint64_t to;
};

static const struct step steps[] = {
    {"the first leaf", 0, 1},
    {"one more", 1, 2},
    {"a tile that stays partial", 2, 255},
    {"the tile becomes full", 255, 256},
    {"a tile begins", 256, 257},
    {"over the end of a tile", 257, 520},
    {"a third level", 65535, 65537},
};

static void
a_checkpoint_is_published_after_what_it_speaks_of_and_before_what_it_replaces(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        row = steps[i].name;
        checkpoints = 0;
        disk_begin(dir, see);
        assert_ok(publish(dir, steps[i].from, steps[i].to, false, -1, &e), &e);
        check_end();
        disk_end();
        assert_int_equal(checkpoints, 1);
    }
}

/* What a process left that was killed before it synced the folders: its files have their right
 * size, so the next start would not write them again. */
static void
what_a_killed_process_left_is_durable_before_the_checkpoint_of_the_next(void **state)
{
    struct err e = {0};
    int result = -1;

    (void)state;
    for (int calls = 0; result != 0; calls++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        char name[32];

        (void)snprintf(name, sizeof(name), "killed after %d", calls);
        row = name;
        disk_begin(dir, see);
        result = publish(dir, 0, 520, false, calls, &e);
        assert_ok(publish(dir, 0, 520, true, -1, &e), &e);
        check_end();
        disk_end();
    }
}

/* A ledger that was copied here a moment ago. */
static void
what_somebody_copied_is_durable_before_the_checkpoint(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *tile = tile_path(dir, 0, 0, TILE_WIDTH);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(TILE_FILE_MAX);
    struct err e = {0};
    int fd;

    (void)state;
    row = "a copied tile";
    assert_ok(publish(dir, 0, 520, false, -1, &e), &e);
    assert_ok(file_read(tile, &octets, &e), &e);
    disk_begin(dir, see);
    fd = open(tile, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, octets.p, octets.n), (ssize_t)octets.n);
    (void)close(fd);
    checkpoints = 0;
    assert_ok(publish(dir, 0, 520, true, -1, &e), &e);
    check_end();
    disk_end();
    assert_int_equal(checkpoints, 1);
}

/* Each call of the disk fails once; then the same again heals it. */
static void
a_disk_that_fails_anywhere_is_an_error_and_a_second_try_heals(void **state)
{
    bool failed = true;
    size_t n = 0;

    (void)state;
    for (n = 0; failed; n++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        char name[32];
        struct err e = {0};
        int result;

        (void)snprintf(name, sizeof(name), "call %zu fails", n);
        row = name;
        disk_begin(dir, NULL);
        assert_ok(publish(dir, 0, 255, false, -1, &e), &e);
        disk_begin(dir, see);
        disk_fail(n);
        result = publish(dir, 255, 260, false, -1, &e);
        failed = disk_has_failed();
        disk_fail(SIZE_MAX);
        if (failed && (result == 0 || e.code != ERR_IO || strstr(e.text, dir) == NULL ||
                       (strstr(e.text, "Input/output error") == NULL &&
                        strstr(e.text, "No space left") == NULL))) {
            fail_msg("%s: %d: %s", row, result, e.text);
        }
        assert_ok(publish(dir, n % 2 == 0 ? 255 : 0, 260, n % 2 != 0, -1, &e), &e);
        check_end();
        disk_end();
    }
    assert_true(n > 20);
}

/* ---- what is in the way ---- */

static void
what_is_in_the_way_is_named(void **state)
{
    static const struct {
        const char *name;
        const char *in_the_way; /* below the folder, a file */
        const char *folder;     /* or a folder */
        const char *reason;
    } rows[] = {
        {"a file instead of a folder of tiles", "tile", NULL, "open"},
        {"a folder instead of a tile", NULL, "tile/0/000.p/1", "publish"},
        {"a folder instead of the checkpoint", NULL, "checkpoint", "publish"},
        {"a folder among partial files", NULL, "tile/0/000.p/7", "remove"},
        {"a file instead of partial files", "tile/0/000.p", NULL, "open"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        const char *what = rows[i].folder != NULL ? rows[i].folder : rows[i].in_the_way;
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, what);
        CLEANUP(mem_cleanup) char *tiles = mem_printf("%s/tile/0", dir);
        uint64_t to = i < 3 ? 1 : 256;
        struct err e = {0};

        if (strchr(what, '/') != NULL) {
            assert_ok(file_mkdirs(tiles, 0755, &e), &e);
        }
        if (rows[i].folder != NULL) {
            assert_ok(file_mkdirs(path, 0755, &e), &e);
        } else {
            assert_ok(file_write(path, SPAN_LITERAL("x"), 0644, &e), &e);
        }
        assert_err(publish(dir, 0, to, false, -1, &e), ERR_IO, &e);
        if (strstr(e.text, rows[i].reason) == NULL || strstr(e.text, what) == NULL) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_checkpoint_is_published_after_what_it_speaks_of_and_before_what_it_replaces),
        cmocka_unit_test(what_a_killed_process_left_is_durable_before_the_checkpoint_of_the_next),
        cmocka_unit_test(what_somebody_copied_is_durable_before_the_checkpoint),
        cmocka_unit_test(a_disk_that_fails_anywhere_is_an_error_and_a_second_try_heals),
        cmocka_unit_test(what_is_in_the_way_is_named),
    };

    (void)umask(077); /* as the programs do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
