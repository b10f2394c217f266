/* SPDX-License-Identifier: Apache-2.0 */
/* What was published is read back: exactly the leaves, or an error that says what is wrong. */
#include "db/ledger/published.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/unit/db/ledger/scene.h"

enum { LEAVES = 300 /* a full file of entries, and a partial one */ };

static struct published *
open_folder(const struct scene *f, struct log_key *key, struct err *e)
{
    assert_ok(log_key_set(key, SCENE_ORIGIN, buf_span(&f->spki), e), e);
    return published_open(f->folder, key, e);
}

/* Reads all; how many there were before it failed or ended. */
static int
read_all(struct published *p, uint64_t *n, struct err *e)
{
    struct span body;
    bool more = true;

    for (*n = 0; more; *n += more ? 1 : 0) {
        if (published_next(p, &body, &more, e) != 0) {
            return -1;
        }
    }
    return published_end(p, e);
}

static void
what_was_published_comes_back(void **state)
{
    struct scene *f = *state;
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(published_cleanup) struct published *p = NULL;
    struct err e = {0};
    struct span body;
    bool more;

    scene_append(f, 0, LEAVES);
    scene_checkpoint(f, LEAVES);
    p = open_folder(f, &key, &e);
    assert_non_null(p);
    assert_int_equal(published_checkpoint(p)->size, LEAVES);
    for (unsigned i = 0; i < LEAVES; i++) {
        CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;

        assert_int_equal(published_size(p), i);
        assert_ok(published_next(p, &body, &more, &e), &e);
        assert_true(more);
        leaf = leaf_parse(body, &e);
        assert_non_null(leaf);
    }
    assert_ok(published_next(p, &body, &more, &e), &e);
    assert_false(more);
    assert_ok(published_end(p, &e), &e);
}

static void
what_is_not_read_to_its_end_is_not_believed(void **state)
{
    struct scene *f = *state;
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(published_cleanup) struct published *p = NULL;
    struct err e = {0};
    struct span body;
    bool more;

    scene_append(f, 0, LEAVES);
    scene_checkpoint(f, LEAVES);
    p = open_folder(f, &key, &e);
    assert_non_null(p);
    assert_ok(published_next(p, &body, &more, &e), &e);
    assert_int_equal(published_end(p, &e), -1);
    assert_int_equal(e.code, ERR_CRYPTO);
}

static void
another_log_is_refused(void **state)
{
    struct scene *f = *state;
    CLEANUP(log_key_free) struct log_key key = {0};
    struct err e = {0};

    scene_append(f, 0, 2);
    scene_checkpoint(f, 2);
    assert_ok(log_key_set(&key, "another.test/log", buf_span(&f->spki), &e), &e);
    assert_null(published_open(f->folder, &key, &e));
    assert_int_equal(e.code, ERR_CRYPTO);
    assert_null(published_open("/nowhere", &key, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
}

/* One octet of the entries, anywhere: the length of one, what it says, its end. */
static void
an_octet_that_was_changed_is_found(void **state)
{
    struct scene *f = *state;
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/tile/entries/001.p/44", f->folder);
    CLEANUP(buf_free) struct buf octets = BUF_INIT((size_t)1024 * 1024);
    struct err e = {0};

    scene_append(f, 0, LEAVES);
    scene_checkpoint(f, LEAVES);
    assert_ok(file_read(path, &octets, &e), &e);
    assert_ok(log_key_set(&key, SCENE_ORIGIN, buf_span(&f->spki), &e), &e);
    for (size_t at = 0; at < octets.n; at += 7) {
        CLEANUP(published_cleanup) struct published *p = NULL;
        uint64_t n;

        octets.p[at] ^= 1;
        assert_ok(file_write(path, buf_span(&octets), 0644, &e), &e);
        octets.p[at] ^= 1;
        p = published_open(f->folder, &key, &e);
        assert_non_null(p);
        if (read_all(p, &n, &e) == 0 || e.code != ERR_CRYPTO) {
            fail_msg("octet %zu: %llu leaves, %s", at, (unsigned long long)n, e.text);
        }
    }
}

static void
a_file_that_is_cut_or_missing_is_found(void **state)
{
    struct scene *f = *state;
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/tile/entries/001.p/44", f->folder);
    CLEANUP(buf_free) struct buf octets = BUF_INIT((size_t)1024 * 1024);
    struct published *p;
    uint64_t n;
    struct err e = {0};

    scene_append(f, 0, LEAVES);
    scene_checkpoint(f, LEAVES);
    assert_ok(file_read(path, &octets, &e), &e);
    assert_ok(file_write(path, span_of(octets.p, octets.n - 1), 0644, &e), &e);
    p = open_folder(f, &key, &e);
    assert_non_null(p);
    assert_int_equal(read_all(p, &n, &e), -1);
    assert_int_equal(e.code, ERR_CRYPTO);
    assert_int_equal(n, LEAVES - 1);
    published_free(p);
    assert_int_equal(unlink(path), 0);
    p = published_open(f->folder, &key, &e);
    assert_non_null(p);
    assert_int_equal(read_all(p, &n, &e), -1);
    assert_int_equal(e.code, ERR_NOTFOUND);
    published_free(p);
}

struct storing {
    struct store_op op;
    struct published *p;
};

static int
run_store(struct store_op *op, struct store_db *db, struct err *e)
{
    return published_store(CONTAINER_OF(op, struct storing, op)->p, db, e);
}

static void
a_checkpoint_is_stored_for_these_leaves_alone(void **state)
{
    struct scene *f = *state;
    struct scene *other;
    void *others = NULL;
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(published_cleanup) struct published *p = NULL;
    struct storing s = {.op = {.run = run_store}};
    struct err e = {0};

    scene_append(f, 0, LEAVES);
    scene_checkpoint(f, LEAVES);
    p = open_folder(f, &key, &e);
    assert_non_null(p);
    s.p = p;
    assert_ok(store_call(f->store, &s.op, &e), &e); /* it is there: nothing happens */
    assert_int_equal(scene_set_up(&others), 0);
    other = others;
    scene_leaf_at++;
    scene_append(other, 0, LEAVES);
    scene_leaf_at--;
    assert_int_equal(store_call(other->store, &s.op, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(scene_tear_down(&others), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_published_comes_back, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_read_to_its_end_is_not_believed, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(another_log_is_refused, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(an_octet_that_was_changed_is_found, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_cut_or_missing_is_found, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(a_checkpoint_is_stored_for_these_leaves_alone, scene_set_up,
                                        scene_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
