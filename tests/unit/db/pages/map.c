/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/map.h"

#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { LEAVES = 6000 };

struct world {
    char *dir;
    char *path;
    struct tag_keys keys;
    struct watch watch;
    sqlite3_file *file;
};

static struct world
world_new(void)
{
    static const uint8_t key[32] = {7};
    struct world w = {.dir = tmpdir_new()};
    CLEANUP(mem_cleanup) char *file = NULL;
    sqlite3_vfs *vfs;
    struct err e = {0};

    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
    vfs = sqlite3_vfs_find(NULL);
    w.path = mem_printf("%s/a.db-seal%c", w.dir, '\0');
    file = mem_printf("%s/a.db", w.dir); /* whose mode it gets */
    assert_ok(file_write(file, span_of(NULL, 0), 0600, &e), &e);
    w.file = mem_zalloc(1, (size_t)vfs->szOsFile);
    assert_ok(tag_keys_make(&w.keys, span_of(key, sizeof(key)), &e), &e);
    assert_int_equal(vfs->xOpen(vfs, w.path, w.file,
                                SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL, NULL),
                     SQLITE_OK);
    return w;
}

static void
world_end(struct world *w)
{
    (void)w->file->pMethods->xClose(w->file);
    mem_free(w->file);
    mem_free(w->path);
    tag_keys_free(&w->keys);
    tmpdir_remove(w->dir);
}

/* Nobody has a file of 2^32 pages: but they are all over the tree. */
static uint64_t
page_of(uint64_t i)
{
    return i * 2654435761U % 4294967291U;
}

static struct tag
tag_of(uint64_t i, uint8_t round)
{
    struct tag tag = {{1, round}};

    octets_put(tag.octets + 8, i, 8);
    return tag;
}

static void
set_all(struct map *map, uint64_t from, uint64_t to, uint8_t round)
{
    for (uint64_t i = from; i < to; i++) {
        const struct tag tag = tag_of(i, round);

        assert_int_equal(map_set(map, page_of(i), &tag), SQLITE_OK);
    }
}

static void
must_have(struct map *map, uint64_t from, uint64_t to, uint8_t round)
{
    for (uint64_t i = from; i < to; i++) {
        const struct tag wanted = tag_of(i, round);
        struct tag tag;

        assert_int_equal(map_get(map, page_of(i), &tag), SQLITE_OK);
        assert_true(tag_equal(&tag, &wanted));
        assert_true(map->nodes.unchanged <= NODES_MAX);
    }
}

static struct map *
map_of(struct world *w)
{
    struct map *map = mem_new(sizeof(*map));

    map->keys = &w->keys;
    map->watch = &w->watch;
    return map;
}

static void
map_end(struct map *map)
{
    map_clear(map);
    mem_free(map);
}

static struct map *
reopen(struct world *w)
{
    struct map *map = map_of(w);
    enum map_found found;

    assert_int_equal(map_open(map, w->file, &found), SQLITE_OK);
    assert_int_equal(found, MAP_OURS);
    return map;
}

static void
what_was_written_is_there_with_little_in_memory(void **state)
{
    struct world w = world_new();
    struct map *map = map_of(&w);
    const struct slot_wal none = {0};

    (void)state;
    set_all(map, 0, LEAVES, 1);
    map_attach(map, w.file);
    assert_int_equal(map_write(map, &none), SQLITE_OK);
    assert_int_equal(map->nodes.changed, 0);
    must_have(map, 0, LEAVES, 1);
    for (uint8_t round = 2; round < 5; round++) {
        set_all(map, 0, LEAVES / 2, round);
        assert_int_equal(map_write(map, &none), SQLITE_OK);
        map_end(map);
        map = reopen(&w);
        must_have(map, 0, LEAVES / 2, round);
        must_have(map, LEAVES / 2, LEAVES, 1);
    }
    map_end(map);
    world_end(&w);
}

/* As a crash does in front of the new header. */
static void
what_was_not_finished_is_as_before(void **state)
{
    struct world w = world_new();
    struct map *map = map_of(&w);
    const struct slot_wal none = {0};
    uint8_t slots[2][SLOT_SIZE];

    (void)state;
    set_all(map, 0, 500, 1);
    map_attach(map, w.file);
    assert_int_equal(map_write(map, &none), SQLITE_OK);
    for (uint8_t round = 2; round < 6; round++) {
        assert_int_equal(w.file->pMethods->xRead(w.file, slots, sizeof(slots), 0), SQLITE_OK);
        set_all(map, 0, 300, round);
        assert_int_equal(map_write(map, &none), SQLITE_OK);
        map_end(map);
        assert_int_equal(w.file->pMethods->xWrite(w.file, slots, sizeof(slots), 0), SQLITE_OK);
        map = reopen(&w);
        must_have(map, 0, 300, 1);
        must_have(map, 300, 500, 1);
    }
    map_end(map);
    world_end(&w);
}

static void
what_is_behind_the_end_is_forgotten(void **state)
{
    struct world w = world_new();
    struct map *map = map_of(&w);
    const struct slot_wal none = {0};
    const struct tag tag = tag_of(1, 1);
    struct tag found;

    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(map_set(map, i, &tag), SQLITE_OK);
    }
    map_attach(map, w.file);
    assert_int_equal(map_write(map, &none), SQLITE_OK);
    assert_int_equal(map_resize(map, 300), SQLITE_OK);
    assert_int_equal(map_get(map, 299, &found), SQLITE_OK);
    assert_true(tag_equal(&tag, &found));
    assert_int_equal(map_resize(map, 1000), SQLITE_OK); /* it grows again */
    for (uint64_t i = 300; i < 1000; i++) {
        assert_int_equal(map_get(map, i, &found), SQLITE_OK);
        assert_true(tag_is_none(&found));
    }
    map_end(map);
    world_end(&w);
}

/* SQLite tells nobody of a checkpoint that failed. */
static int
sync_fails(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_IOERR_FSYNC;
}

static void
a_map_that_cannot_be_written_is_the_end(void **state)
{
    static const struct slot_wal none;
    struct world w = world_new();
    const sqlite3_io_methods *whole = w.file->pMethods;
    sqlite3_io_methods broken = *whole;
    struct map *map = map_of(&w);

    (void)state;
    map_attach(map, w.file);
    set_all(map, 0, 3, 1);
    assert_int_equal(map_write(map, &none), SQLITE_OK);
    assert_int_equal(w.watch.why.code, ERR_NONE);
    set_all(map, 0, 3, 2);
    broken.xSync = sync_fails;
    w.file->pMethods = &broken;
    assert_int_equal(map_write(map, &none), SQLITE_IOERR_FSYNC);
    w.file->pMethods = whole;
    assert_int_equal(w.watch.why.code, ERR_STORE);
    assert_non_null(strstr(w.watch.why.text, "its seals (FILE-seal) cannot be written"));
    assert_int_equal(map_write(map, &none), SQLITE_IOERR_WRITE);
    map_end(map);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_that_cannot_be_written_is_the_end),
        cmocka_unit_test(what_was_written_is_there_with_little_in_memory),
        cmocka_unit_test(what_was_not_finished_is_as_before),
        cmocka_unit_test(what_is_behind_the_end_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
