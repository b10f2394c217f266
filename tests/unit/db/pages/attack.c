/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/pages/attack.h"

#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

void
attack_step_to(struct store *store, int64_t to)
{
    struct err e = {0};
    int64_t state = scene_state(store, &e);

    assert_true(state >= 0);
    for (; state < to; state++) {
        assert_ok(scene_step(store, &e), &e);
    }
}

int
attack_make(void **state)
{
    struct world *w = mem_new(sizeof(*w));
    struct store *store;
    struct err e = {0};

    w->dir = tmpdir_new();
    w->path = mem_printf("%s/a.db", w->dir);
    store = scene_must_open(w->path, true);
    attack_step_to(store, OLD);
    store_free(store);
    w->old = files_read(w->path);
    store = scene_must_open(w->path, true);
    assert_ok(
        scene_run(store, "CREATE TABLE gone AS SELECT randomblob(50000); DROP TABLE gone", &e),
        &e); /* pages that were never written */
    attack_step_to(store, NEW);
    w->live = files_read(w->path);
    store_free(store);
    w->now = files_read(w->path);
    assert_int_equal(w->now.of[FILE_WAL].n, 0);
    {
        size_t at;
        size_t n;

        assert_true(files_frame(&w->live, FRAMES_MIN, &at, &n));
    }
    *state = w;
    return 0;
}

int
attack_unmake(void **state)
{
    struct world *w = *state;

    files_free(&w->old);
    files_free(&w->now);
    files_free(&w->live);
    mem_free(w->path);
    tmpdir_remove(w->dir);
    mem_free(w);
    return 0;
}

struct files
attack_copy(const struct files *from)
{
    struct files to;
    struct err e = {0};

    for (size_t i = 0; i < FILE_KINDS; i++) {
        to.of[i] = BUF_INIT(from->of[i].max);
        assert_ok(buf_set(&to.of[i], buf_span(&from->of[i]), &e), &e);
    }
    return to;
}

int64_t
attack_open_all(const struct world *w, const struct files *files, struct err *e)
{
    struct store *store;
    uint64_t pages;
    int64_t state;

    files_write(files, w->path);
    store = scene_open(w->path, true, e);
    if (store == NULL) {
        return -1;
    }
    state = scene_state(store, e);
    if (state >= 0 && (scene_check(store, e) != 0 || scene_scrub(store, &pages, e) != 0)) {
        state = -1;
    }
    store_free(store);
    return state;
}

void
attack_must_be_found(const struct world *w, const struct files *files, const char *what, size_t i)
{
    struct err e = {0};
    const int64_t state = attack_open_all(w, files, &e);

    if (state >= 0 || e.code != ERR_STALE) {
        fail_msg("%s (%zu): state %lld, %s: %s", what, i, (long long)state, err_code_name(e.code),
                 e.text);
    }
}

int64_t
attack_must_be_whole(const struct world *w, const struct files *files, int64_t from, int64_t to,
                     const char *what, size_t i)
{
    struct err e = {0};
    const int64_t state = attack_open_all(w, files, &e);

    if ((state < 0 && e.code != ERR_STALE) || (state >= 0 && (state < from || state > to))) {
        fail_msg("%s (%zu): state %lld, %s: %s", what, i, (long long)state, err_code_name(e.code),
                 e.text);
    }
    return state;
}
