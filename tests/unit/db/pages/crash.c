/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each state that a kill or a power cut leaves opens, has what was acknowledged, and nobody takes
 * it for an edit. PAGES_STRIDE in the environment: how many states are left out between two (1:
 * none).
 */
#include <stdlib.h>

#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/pages/files.h"
#include "tests/unit/db/pages/recorder.h"
#include "tests/unit/db/pages/scene.h"

enum { MARKS_MAX = 500, CHANCES = 3 };

/* What the caller was told, and behind which change. */
static struct mark {
    size_t change;
    int64_t begun;
    int64_t acknowledged;
    bool sealed;
} marks[MARKS_MAX];
static size_t marks_n;

static void
mark(int64_t begun, int64_t acknowledged, bool sealed)
{
    assert_true(marks_n < MARKS_MAX);
    marks[marks_n++] = (struct mark){recorder_count(), begun, acknowledged, sealed};
}

static void
steps(struct store *store, int64_t from, int64_t to, bool sealed)
{
    struct err e = {0};

    for (int64_t k = from; k < to; k++) {
        mark(k + 1, k, sealed);
        assert_ok(scene_step(store, &e), &e);
        mark(k + 1, k + 1, sealed);
    }
}

/* Often, so that there are many. */
static struct store *
open_here(const char *path, bool key)
{
    struct store *store = scene_must_open(path, key);
    struct err e = {0};

    assert_ok(scene_run(store, "PRAGMA wal_autocheckpoint = 25", &e), &e);
    return store;
}

/* ---- what happens ---- */

static void
from_its_first_octet(const char *path)
{
    struct store *store;

    mark(0, 0, false);
    store = open_here(path, true);
    assert_int_equal(scene_seal_state(store), STORE_SEALED);
    mark(0, 0, true);
    steps(store, 0, 12, true);
    store_free(store);
    store = open_here(path, true);
    steps(store, 12, 16, true);
    store_free(store);
}

static void
sealed_later(const char *path)
{
    struct err e = {0};
    struct store *store = open_here(path, true);

    assert_int_equal(scene_seal_state(store), STORE_NOT_SEALED);
    steps(store, 5, 8, false);
    assert_ok(store_seal(store, &e), &e);
    mark(8, 8, true);
    steps(store, 8, 12, true);
    store_free(store);
}

static void
make_unsealed(const char *path)
{
    struct store *store = scene_must_open(path, false);
    struct err e = {0};

    for (int k = 0; k < 5; k++) {
        assert_ok(scene_step(store, &e), &e);
    }
    store_free(store);
}

/* ---- and then ---- */

static struct mark
known_at(size_t change)
{
    struct mark known = marks[0];

    for (size_t i = 0; i < marks_n && marks[i].change <= change; i++) {
        known = marks[i];
    }
    return known;
}

/* Whoever reopens it may go on. */
static void
must_be_whole(const char *path, size_t change, const char *how)
{
    const struct mark known = known_at(change);
    struct err e = {0};
    struct store *store = scene_open(path, true, &e);
    uint64_t pages;
    int64_t state;

    if (store == NULL) {
        fail_msg("change %zu, %s: %s", change, how, e.text);
    }
    state = scene_state(store, &e);
    if (state < known.acknowledged || state > known.begun) {
        fail_msg("change %zu, %s: %lld to %lld wanted, not %lld: %s", change, how,
                 (long long)known.acknowledged, (long long)known.begun, (long long)state, e.text);
    }
    if (known.sealed && scene_seal_state(store) != STORE_SEALED) {
        fail_msg("change %zu, %s: not sealed", change, how);
    }
    if (scene_check(store, &e) != 0 || scene_scrub(store, &pages, &e) != 0 ||
        scene_step(store, &e) != 0 || scene_state(store, &e) != state + 1) {
        fail_msg("change %zu, %s: %s", change, how, e.text);
    }
    store_free(store);
}

static size_t
stride(void)
{
    const char *text = getenv("PAGES_STRIDE");

    return text == NULL ? 7 : (size_t)strtoul(text, NULL, 10);
}

static void
sweep(void (*happens)(const char *path), bool unsealed)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a.db", dir);
    CLEANUP(mem_cleanup) char *copy = mem_printf("%s/b.db", dir);
    struct playback *p;
    size_t change = 0;

    marks_n = 0;
    if (unsealed) {
        make_unsealed(path);
        mark(5, 5, false);
    }
    recorder_begin(path);
    happens(path);
    recorder_end();
    p = playback_new();
    while (playback_next(p)) {
        if (++change % stride() == 0) {
            playback_kill(p, copy);
            must_be_whole(copy, change, "killed");
            for (unsigned i = 0; i < CHANCES; i++) {
                playback_cut(p, copy, i == 0 ? 0 : (unsigned)change * 16 + i);
                must_be_whole(copy, change, "power cut");
            }
        }
    }
    assert_true(change > 200);
    playback_free(p);
    recorder_free();
}

static void
a_new_file(void **state)
{
    (void)state;
    sweep(from_its_first_octet, false);
}

static void
a_file_that_is_sealed_later(void **state)
{
    (void)state;
    sweep(sealed_later, true);
}

/* ---- and once more ---- */

struct left {
    struct files files;
    struct mark known;
};

/* What power cuts leave of a new file. */
static struct left *
cut_often(const char *path, const char *copy, size_t *n)
{
    struct left *left = NULL;
    size_t room = 0;
    size_t change = 0;
    struct playback *p;

    marks_n = 0;
    recorder_begin(path);
    from_its_first_octet(path);
    recorder_end();
    p = playback_new();
    while (playback_next(p)) {
        if (++change % (2 * stride()) == 0) {
            playback_cut(p, copy, (unsigned)change);
            left = mem_grow(left, &room, *n + 1, sizeof(*left));
            left[(*n)++] = (struct left){files_read(copy), known_at(change)};
        }
    }
    playback_free(p);
    recorder_free();
    return left;
}

/* While it is opened, brought into the file, and used. What was read is not lost either. */
static void
cut_again(const struct left *left, const char *path, const char *copy)
{
    struct err e = {0};
    struct store *store;
    struct playback *p;
    size_t change = 0;
    int64_t state;

    files_write(&left->files, path);
    marks_n = 0;
    recorder_begin(path);
    mark(left->known.begun, left->known.acknowledged, left->known.sealed);
    store = open_here(path, true);
    state = scene_state(store, &e);
    mark(state, state, true);
    steps(store, state, state + 1, true);
    store_free(store);
    recorder_end();
    p = playback_new();
    while (playback_next(p)) {
        if (++change % stride() == 0) {
            playback_cut(p, copy, (unsigned)change);
            must_be_whole(copy, change, "power cut again");
        }
    }
    playback_free(p);
    recorder_free();
}

static void
a_crash_behind_a_crash(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a.db", dir);
    CLEANUP(mem_cleanup) char *copy = mem_printf("%s/b.db", dir);
    size_t n = 0;
    struct left *left = cut_often(path, copy, &n);

    (void)state;
    assert_true(n > 10);
    for (size_t i = 0; i < n; i++) {
        cut_again(&left[i], path, copy);
        files_free(&left[i].files);
    }
    mem_free(left);
}

/* ---- and whoever cuts the WAL then ---- */

static void
must_be_one_state(const char *path, size_t change, size_t frames)
{
    struct err e = {0};
    struct store *store = scene_open(path, true, &e);

    if ((store == NULL || scene_state(store, &e) < 0 || scene_check(store, &e) != 0) &&
        e.code != ERR_STALE) {
        fail_msg("change %zu, cut behind %zu frames: %s", change, frames, e.text);
    }
    store_free(store);
}

/* While the WAL is brought into the file its pages are of other states than those of the file: it
 * is not believed with a part of them. */
static void
a_wal_that_is_cut_then(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/a.db", dir);
    CLEANUP(mem_cleanup) char *copy = mem_printf("%s/b.db", dir);
    struct playback *p;
    size_t change = 0;
    size_t cuts = 0;

    (void)state;
    marks_n = 0;
    recorder_begin(path);
    from_its_first_octet(path);
    recorder_end();
    p = playback_new();
    while (playback_next(p)) {
        if (++change % (2 * stride()) != 0) {
            continue;
        }
        for (size_t frames = 0;; frames += stride()) {
            CLEANUP(files_free) struct files files = {0};
            size_t at;
            size_t n;

            playback_kill(p, copy);
            files = files_read(copy);
            if (!files_frame(&files, frames, &at, &n)) {
                break;
            }
            buf_truncate(&files.of[FILE_WAL], at);
            files_write(&files, copy);
            must_be_one_state(copy, change, frames);
            cuts++;
        }
    }
    assert_true(cuts > 50);
    playback_free(p);
    recorder_free();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file),
        cmocka_unit_test(a_file_that_is_sealed_later),
        cmocka_unit_test(a_crash_behind_a_crash),
        cmocka_unit_test(a_wal_that_is_cut_then),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
