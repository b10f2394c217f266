/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever writes the file or its map, and has no key. What he does is found at the opening or when
 * it is read.
 */
#include "tests/unit/db/pages/attack.h"

#include <string.h>

#include "tests/support/test.h"

static void
what_nobody_touched_is_whole(void **state)
{
    const struct world *w = *state;
    struct err e = {0};

    assert_int_equal(attack_open_all(w, &w->old, &e), OLD);
    assert_int_equal(attack_open_all(w, &w->now, &e), NEW);
    assert_int_equal(attack_open_all(w, &w->live, &e), NEW);
}

/* ---- the file ---- */

static void
a_page_that_was_edited(void **state)
{
    static const size_t places[] = {0, 18, 27, 60, 99, 100, 2000, PAGE - 1};
    const struct world *w = *state;

    for (size_t i = 0; i < w->now.of[FILE_MAIN].n; i += PAGE) {
        for (size_t k = 0; k < ARRAY_LEN(places); k++) {
            CLEANUP(files_free) struct files files = attack_copy(&w->now);

            files_flip(&files, FILE_MAIN, i + places[k]);
            attack_must_be_found(w, &files, "page", i / PAGE);
        }
    }
}

static void
two_pages_that_were_swapped(void **state)
{
    const struct world *w = *state;

    for (size_t i = PAGE; i < w->now.of[FILE_MAIN].n; i += PAGE) {
        CLEANUP(files_free) struct files files = attack_copy(&w->now);

        if (memcmp(files.of[FILE_MAIN].p + i, files.of[FILE_MAIN].p + i - PAGE, PAGE) == 0) {
            continue; /* zeros: SQLite has them free, and had nothing to write there */
        }
        memcpy(files.of[FILE_MAIN].p + i, w->now.of[FILE_MAIN].p + i - PAGE, PAGE);
        memcpy(files.of[FILE_MAIN].p + i - PAGE, w->now.of[FILE_MAIN].p + i, PAGE);
        attack_must_be_found(w, &files, "page", i / PAGE);
    }
}

static bool
differs(const struct world *w, size_t at)
{
    return at + PAGE <= w->old.of[FILE_MAIN].n &&
           memcmp(w->old.of[FILE_MAIN].p + at, w->now.of[FILE_MAIN].p + at, PAGE) != 0;
}

/* Alone; with each block of the map; and with the whole map but its headers. */
static void
a_page_that_was_put_back(void **state)
{
    const struct world *w = *state;
    size_t n = 0;

    for (size_t i = 0; i < w->now.of[FILE_MAIN].n; i += PAGE) {
        if (!differs(w, i)) {
            continue;
        }
        n++;
        for (size_t block = 0; block <= w->now.of[FILE_SEAL].n; block += BLOCK) {
            CLEANUP(files_free) struct files files = attack_copy(&w->now);

            files_put_back(&files, FILE_MAIN, i, PAGE, &w->old);
            files_put_back(&files, FILE_SEAL, block, BLOCK, &w->old);
            attack_must_be_found(w, &files, "page", i / PAGE);
        }
    }
    assert_true(n > 3);
}

static void
all_pages_that_were_put_back(void **state)
{
    const struct world *w = *state;
    CLEANUP(files_free) struct files pages = attack_copy(&w->now);
    CLEANUP(files_free) struct files map = attack_copy(&w->now);
    CLEANUP(files_free) struct files nodes = attack_copy(&w->now);
    CLEANUP(files_free) struct files both = attack_copy(&w->old);
    struct err e = {0};

    assert_ok(buf_set(&pages.of[FILE_MAIN], buf_span(&w->old.of[FILE_MAIN]), &e), &e);
    attack_must_be_found(w, &pages, "the file", 0);
    assert_ok(buf_set(&map.of[FILE_SEAL], buf_span(&w->old.of[FILE_SEAL]), &e), &e);
    attack_must_be_found(w, &map, "its seals", 0);
    assert_ok(buf_set(&nodes.of[FILE_MAIN], buf_span(&w->old.of[FILE_MAIN]), &e), &e);
    files_put_back(&nodes, FILE_SEAL, (size_t)2 * BLOCK, SIZE_MAX / 2, &w->old);
    attack_must_be_found(w, &nodes, "all but the headers", 0);
    /* That is what whoever has something newer finds. */
    assert_int_equal(attack_open_all(w, &both, &e), OLD);
}

static void
a_file_that_was_cut_or_grew(void **state)
{
    const struct world *w = *state;
    CLEANUP(files_free) struct files cut = attack_copy(&w->now);
    CLEANUP(files_free) struct files none = attack_copy(&w->now);
    CLEANUP(files_free) struct files grown = attack_copy(&w->now);
    struct err e = {0};

    buf_truncate(&cut.of[FILE_MAIN], cut.of[FILE_MAIN].n / 2);
    attack_must_be_found(w, &cut, "the last pages are missing", 0);
    buf_truncate(&none.of[FILE_MAIN], 0);
    attack_must_be_found(w, &none, "all pages are missing", 0);
    assert_ok(
        buf_append(&grown.of[FILE_MAIN], span_of(w->now.of[FILE_MAIN].p, 2 * (size_t)PAGE), &e),
        &e);
    assert_int_equal(attack_open_all(w, &grown, &e), NEW); /* it ends where its map says */
}

/* ---- the map ---- */

static void
a_block_of_the_map_that_was_edited_or_put_back(void **state)
{
    const struct world *w = *state;
    size_t found = 0;

    for (size_t i = 0; i < w->now.of[FILE_SEAL].n; i += BLOCK) {
        CLEANUP(files_free) struct files files = attack_copy(&w->now);
        CLEANUP(files_free) struct files back = attack_copy(&w->now);

        for (size_t at = 0; at < BLOCK; at += 16) {
            files_flip(&files, FILE_SEAL, i + at);
        }
        found += attack_must_be_whole(w, &files, NEW, NEW, "block", i / BLOCK) < 0;
        files_put_back(&back, FILE_SEAL, i, BLOCK, &w->old);
        (void)attack_must_be_whole(w, &back, NEW, NEW, "block put back", i / BLOCK);
    }
    assert_int_equal(found, 5); /* one header, and of four nodes the place that counts */
}

static void
a_header_in_the_place_of_the_other(void **state)
{
    const struct world *w = *state;

    for (size_t i = 0; i < 2; i++) {
        CLEANUP(files_free) struct files files = attack_copy(&w->now);

        memcpy(files.of[FILE_SEAL].p + i * BLOCK, w->now.of[FILE_SEAL].p + (1 - i) * BLOCK, BLOCK);
        (void)attack_must_be_whole(w, &files, NEW, NEW, "header", i);
    }
}

/* The first one alone is none yet, when it is torn: nothing rests on it. */
static void
both_headers(void **state)
{
    static const size_t places[] = {0, 8, 12, 16, 24, 32, 48, 64, 72, 104};
    const struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        CLEANUP(files_free) struct files files = attack_copy(&w->now);

        files_flip(&files, FILE_SEAL, places[i]);
        files_flip(&files, FILE_SEAL, BLOCK + places[i]);
        attack_must_be_found(w, &files, "octet", places[i]);
    }
}

/* As if nothing was sealed, and that is what is said: who opens it knows better. But what a WAL
 * that is sealed belongs to is missing. */
static void
a_map_that_is_missing(void **state)
{
    const struct world *w = *state;
    CLEANUP(files_free) struct files closed = attack_copy(&w->now);
    CLEANUP(files_free) struct files killed = attack_copy(&w->live);
    struct store *store;

    buf_truncate(&closed.of[FILE_SEAL], 0);
    buf_truncate(&killed.of[FILE_SEAL], 0);
    files_write(&closed, w->path);
    store = scene_must_open(w->path, true);
    assert_int_equal(scene_seal_state(store), STORE_NOT_SEALED);
    store_free(store);
    attack_must_be_found(w, &killed, "a WAL that is sealed", 0);
}

static void
another_key_or_none(void **state)
{
    const struct world *w = *state;
    const struct files *const each[] = {&w->now, &w->live};
    const uint8_t other[STORE_KEY_SIZE] = {9};
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(each); i++) {
        CLEANUP(files_free) struct files after = {0};

        files_write(each[i], w->path);
        assert_null(scene_open_under(w->path, other, &e));
        assert_int_equal(e.code, ERR_DENIED);
        assert_non_null(strstr(e.text, "another key"));
        assert_null(scene_open(w->path, false, &e));
        assert_int_equal(e.code, ERR_DENIED);
        assert_non_null(strstr(e.text, "no key"));
        after = files_read(w->path); /* and nothing was changed */
        for (size_t k = 0; k < FILE_KINDS; k++) {
            assert_true(span_equal(buf_span(&after.of[k]), buf_span(&each[i]->of[k])));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(what_nobody_touched_is_whole),
        ATTACK(a_page_that_was_edited),
        ATTACK(two_pages_that_were_swapped),
        ATTACK(a_page_that_was_put_back),
        ATTACK(all_pages_that_were_put_back),
        ATTACK(a_file_that_was_cut_or_grew),
        ATTACK(a_block_of_the_map_that_was_edited_or_put_back),
        ATTACK(a_header_in_the_place_of_the_other),
        ATTACK(both_headers),
        ATTACK(a_map_that_is_missing),
        ATTACK(another_key_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
