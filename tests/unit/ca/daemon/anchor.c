/* SPDX-License-Identifier: Apache-2.0 */
/* The log's anchor, while nfpki-ca runs: a token that takes no object for a while. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "tests/support/softhsm.h"
#include "tests/unit/ca/daemon/world.h"

enum { FILE_MAX = 16 * 1024 * 1024, STEP_NS = 50000000, STEPS = 1200 };

static bool
has_logged(const struct world *w, const char *what)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf log = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &log, &e), &e);
    return memmem(log.p, log.n, what, strlen(what)) != NULL;
}

static void
a_moment(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = STEP_NS}, NULL);
}

static void
must_log(const struct world *w, const char *what)
{
    for (int i = 0; i < STEPS; i++) {
        if (has_logged(w, what)) {
            return;
        }
        a_moment();
    }
    fail_msg("not logged: %s", what);
}

/* What the anchor says: leaves. */
static json_int_t
leaves_of(struct world *w)
{
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};

    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_non_null(status);
    return json_integer_value(json_object_get(json_object_get(status, "anchor"), "leaves"));
}

/* Each CRL is followed by one. The answer waits until it is in the record who asked, for as long as
 * the log's signer is away. */
static void *
make_crl(void *world)
{
    struct err e = {0};
    json_t *answer = world_ask(world, json_pack("{s:s}", "command", "crl"), &e);

    admin_json_cleanup(&answer);
    return NULL;
}

/* The log's signer uses the module that fails. */
static void
use_module(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/log.conf", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX);
    CLEANUP(mem_cleanup) char *changed = NULL;
    const char *at;
    struct err e = {0};

    assert_ok(file_read(path, &text, &e), &e);
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    at = strstr((const char *)text.p, SOFTHSM_MODULE);
    assert_non_null(at);
    changed = mem_printf("%.*s%s%s", (int)(at - (const char *)text.p), (const char *)text.p,
                         TEST_BINARY_DIR "/faultp11.so", at + strlen(SOFTHSM_MODULE));
    assert_ok(file_write(path, span_str(changed), 0600, &e), &e);
}

static void
a_token_that_takes_no_anchor_for_a_while_is_told_and_asked_again(void **state)
{
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/full", w->dir);
    pthread_t waiting;
    json_int_t before;
    struct err e = {0};

    assert_int_equal(world_stop(w), 0);
    use_module(w);
    assert_int_equal(setenv("FAULTP11", "later:C_CreateObject", 1), 0);
    assert_int_equal(setenv("FAULTP11_FILE", file, 1), 0);
    world_start(w);
    world_settle(w);
    before = leaves_of(w);
    assert_true(before > 0);
    assert_false(has_logged(w, "\"event\":\"anchor-not-written\""));

    assert_ok(file_write(file, SPAN_LITERAL("full"), 0600, &e), &e);
    assert_int_equal(pthread_create(&waiting, NULL, make_crl, w), 0);
    must_log(w, "\"event\":\"anchor-not-written\"");
    must_log(w, "the policy says anchor = \\\"none\\\"");
    assert_int_equal(leaves_of(w), before);

    assert_int_equal(unlink(file), 0);
    assert_int_equal(pthread_join(waiting, NULL), 0);
    for (int i = 0; i < STEPS && leaves_of(w) == before; i++) {
        (void)make_crl(w);
        a_moment();
    }
    assert_true(leaves_of(w) > before);
    assert_int_equal(world_stop(w), 0);

    assert_ok(file_write(file, SPAN_LITERAL("full"), 0600, &e), &e);
    assert_true(world_start_fails(w)); /* a start needs it */
    assert_int_equal(unlink(file), 0);
    world_start(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_that_takes_no_anchor_for_a_while_is_told_and_asked_again),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
