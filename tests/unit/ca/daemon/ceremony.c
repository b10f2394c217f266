/* SPDX-License-Identifier: Apache-2.0 */
/* A ceremony's bundle is handed in at the office: what is recorded of it, and what is not. */
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "ceremony/bundle/bundle.h"
#include "tests/unit/ca/daemon/world.h"
#include "tests/unit/ceremony/scene.h"

enum { AT_ONCE = 4, HEAD_MAX = 64 * 1024 };

static struct scene *scene;

static int
setup(void **state)
{
    scene = scene_new(); /* before the world: each has tokens of its own */
    scene_rehearse(scene, scene_root(scene, "root", NULL));
    scene_rehearse(scene, scene_keys(scene, "keys", NULL));
    scene_rehearse(scene, scene_sub(scene, "sub", "root", "keys", NULL));
    return world_setup(state);
}

static int
teardown(void **state)
{
    scene_free(scene);
    return world_teardown(state);
}

static json_t *
hand_in(struct world *w, const char *name, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", scene->dir, name);

    return world_ask(w, json_pack("{s:s,s:s}", "command", "ceremony", "bundle", path), e);
}

static bool
is(const json_t *answer, const char *name, const char *value)
{
    const char *text = json_string_value(json_object_get(answer, name));

    return text != NULL && strcmp(text, value) == 0;
}

static void
a_bundle_is_recorded_once_as_it_was_verified(void **state)
{
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/sub", scene->dir);
    CLEANUP(bundle_cleanup) struct bundle *b = NULL;
    CLEANUP(mem_cleanup) char *head = NULL;
    CLEANUP(mem_cleanup) char *hash = NULL;
    CLEANUP(mem_cleanup) char *previous = NULL;
    CLEANUP(mem_cleanup) char *what = NULL;
    CLEANUP(mem_cleanup) char *rest = NULL;
    struct err e = {0};

    b = bundle_load(path, &e);
    assert_non_null(b);
    head = hex_dup(span_of(b->head, sizeof(b->head)));
    hash = hex_dup(span_of(b->sha256, sizeof(b->sha256)));
    previous = hex_dup(span_of(b->prev_head, sizeof(b->prev_head)));
    for (int i = 0; i < 2; i++) {
        CLEANUP(admin_json_cleanup) json_t *answer = hand_in(w, "sub", &e);

        assert_true(is(answer, "name", "sub"));
        assert_true(is(answer, "type", "sub-issue"));
        assert_true(is(answer, "head", head));
        assert_true(json_is_false(json_object_get(answer, "production")));
        assert_int_equal(json_is_true(json_object_get(answer, "already")), i);
    }
    what = mem_printf("{\"by\":\"uid %u", (unsigned)geteuid());
    rest = mem_printf("\"head\":\"%s\",\"kind\":\"CEREMONY\",\"name\":\"sub\",\"previous\":"
                      "\"%s\",\"production\":false,\"sha256\":\"%s\",",
                      head, previous, hash);
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "CEREMONY", what, rest), 1);
    assert_int_equal(world_leaves(w, "CEREMONY", "\"type\":\"sub-issue\"}", ""), 1);
    assert_int_equal(world_leaves(w, "CEREMONY", "", ""), 1);
    assert_int_equal(world_leaves(w, "OPERATION", "\"command\":\"ceremony\"", path), 1);
    world_start(w);
}

struct asking {
    pthread_t thread;
    struct world *world;
    json_t *answer;
};

static void *
ask_for_root(void *arg)
{
    struct asking *a = arg;
    struct err e = {0};

    a->answer = hand_in(a->world, "root", &e);
    return NULL;
}

static void
who_comes_at_once_is_answered_one_by_one(void **state)
{
    struct asking all[AT_ONCE] = {0};
    int already = 0;

    for (size_t i = 0; i < AT_ONCE; i++) {
        all[i].world = *state;
        assert_int_equal(pthread_create(&all[i].thread, NULL, ask_for_root, &all[i]), 0);
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        assert_int_equal(pthread_join(all[i].thread, NULL), 0);
        assert_true(is(all[i].answer, "type", "root-generate"));
        already += json_is_true(json_object_get(all[i].answer, "already"));
        json_decref(all[i].answer);
    }
    assert_int_equal(already, AT_ONCE - 1);
}

static void
refused(struct world *w, json_t *request, enum err_code code, const char *why)
{
    struct err e = {0};

    assert_null(world_ask(w, request, &e));
    if (e.code != code || strstr(e.text, why) == NULL) {
        fail_msg("not '%s' but %s: '%s'", why, err_code_name(e.code), e.text);
    }
}

static void
refused_bundle(struct world *w, const char *name, enum err_code code, const char *why)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", scene->dir, name);

    refused(w, json_pack("{s:s,s:s}", "command", "ceremony", "bundle", path), code, why);
}

static void
what_is_no_path_is_refused(void **state)
{
    static const char why[] = "the absolute path of a bundle is needed";
    CLEANUP(mem_cleanup) char *longest = mem_zalloc(PATH_MAX + 1, 1);

    memset(longest, '/', PATH_MAX);
    refused(*state, json_pack("{s:s}", "command", "ceremony"), ERR_INPUT, why);
    refused(*state, json_pack("{s:s,s:i}", "command", "ceremony", "bundle", 1), ERR_INPUT, why);
    refused(*state, json_pack("{s:s,s:s}", "command", "ceremony", "bundle", ""), ERR_INPUT, why);
    refused(*state, json_pack("{s:s,s:s}", "command", "ceremony", "bundle", "keys"), ERR_INPUT,
            why);
    refused(*state, json_pack("{s:s,s:s}", "command", "ceremony", "bundle", longest), ERR_INPUT,
            why);
}

static void
a_bundle_that_does_not_verify_is_not_recorded(void **state)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/keys/" BUNDLE_HEAD, scene->dir);
    CLEANUP(mem_cleanup) char *transcript = mem_printf("%s/keys/" BUNDLE_TRANSCRIPT, scene->dir);
    CLEANUP(buf_free) struct buf head = BUF_INIT(HEAD_MAX);
    CLEANUP(mem_cleanup) char *by = mem_printf("\"by\":\"uid %u", (unsigned)geteuid());
    struct err e = {0};

    refused_bundle(*state, "none\xc3\xa4", ERR_NOTFOUND, "none\?\?/definition.conf");
    assert_ok(file_read(path, &head, &e), &e);
    head.p[head.n - 2] ^= 1;
    assert_ok(file_write(path, buf_span(&head), 0644, &e), &e);
    refused_bundle(*state, "keys", ERR_INPUT, "is not the head of this transcript");
    head.p[head.n - 2] ^= 1;
    assert_ok(file_write(path, buf_span(&head), 0644, &e), &e);
    assert_int_equal(truncate(transcript, (off_t)TRANSCRIPT_MAX + 1), 0);
    refused_bundle(*state, "keys", ERR_INPUT, "more than the allowed");
    assert_int_equal(world_stop(*state), 0);
    /* those of the tests before */
    assert_int_equal(world_leaves(*state, "CEREMONY", "\"name\":\"sub\"", ""), 1);
    assert_int_equal(world_leaves(*state, "CEREMONY", "\"name\":\"root\"", ""), 1);
    assert_int_equal(world_leaves(*state, "CEREMONY", "", ""), 2);
    assert_int_equal(world_leaves(*state, "OPERATION", by, "is not the head of this transcript"),
                     1);
    world_start(*state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_is_recorded_once_as_it_was_verified),
        cmocka_unit_test(who_comes_at_once_is_answered_one_by_one),
        cmocka_unit_test(what_is_no_path_is_refused),
        cmocka_unit_test(a_bundle_that_does_not_verify_is_not_recorded),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
