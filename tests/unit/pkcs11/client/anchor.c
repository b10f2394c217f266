/* SPDX-License-Identifier: Apache-2.0 */
/* The real signer of a log, and what it keeps in the token: asked by who may only say that what was
 * signed is committed. */
#include "pkcs11/client/client.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "pkcs11/client/evidence.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/client/world.h"

enum { JOURNAL_MAX = 64 * 1024 };

static struct scene_log log_;

/* A token for each test, because what it keeps outlives the files. */
static int
setup(void **state)
{
    assert_int_equal(world_make(state), 0);
    scene_log_begin(&log_, "log.example");
    for (int i = 0; i < 16; i++) {
        (void)scene_log_add(&log_, span_of(&i, sizeof(i)));
    }
    return world_setup(state);
}

static int
teardown(void **state)
{
    scene_log_end(&log_);
    (void)world_teardown(state);
    return world_free(state);
}

static struct signer *
start(const char *purpose)
{
    world_write_policy(FAULTY, "issuing-signing-v1", purpose);
    return world_start_well();
}

/* What is signed for the first `to` leaves. */
static void
make(uint64_t from, uint64_t to, struct buf *text, struct buf *evidence)
{
    struct checkpoint c = {.size = to, .root = scene_log_root(&log_, to)};
    struct err e = {0};

    memcpy(c.origin, log_.pinned.origin, sizeof(c.origin));
    assert_ok(checkpoint_text(&c, text, &e), &e);
    scene_log_growth(&log_, from, to, evidence);
}

static int
sign(struct signer *s, uint64_t from, uint64_t to, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(GROWTH_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);

    make(from, to, &text, &evidence);
    return signer_sign_logged(s, SIGNER_CHECKPOINT, buf_span(&text), buf_span(&evidence),
                              &signature, e);
}

static void
anchored_is(struct signer *s, uint64_t generation, uint64_t size)
{
    struct signer_anchored now;
    struct err e = {0};

    assert_ok(signer_anchor(s, &now, &e), &e);
    assert_int_equal(now.generation, generation);
    assert_int_equal(now.size, size);
}

static void
copy_journal(const char *from, const char *to)
{
    CLEANUP(mem_cleanup) char *source = mem_printf("%s/%s", world.dir, from);
    CLEANUP(mem_cleanup) char *target = mem_printf("%s/%s", world.dir, to);
    CLEANUP(buf_free) struct buf text = BUF_INIT(JOURNAL_MAX);
    struct err e = {0};

    assert_ok(file_read(source, &text, &e), &e);
    assert_ok(file_write(target, buf_span(&text), 0600, &e), &e);
}

static void
it_is_what_was_signed_last_and_outlives_the_files(void **state)
{
    struct err e = {0};
    CLEANUP(signer_cleanup) struct signer *s = start(LOG);
    uint64_t attempts;

    (void)state;
    assert_true(signer_has_anchor(s));
    anchored_is(s, 1, 0); /* that this run signs */
    assert_ok(sign(s, 0, 5, &e), &e);
    attempts = signer_attempts(s);
    anchored_is(s, 2, 5);
    anchored_is(s, 2, 5);
    assert_int_equal(signer_attempts(s), attempts); /* it has no line */
    copy_journal("journal", "yesterday");
    assert_ok(sign(s, 5, 9, &e), &e);
    anchored_is(s, 3, 9);
    signer_free(TAKE(s));
    s = world_start_well();
    assert_int_equal(signer_attempts(s), attempts + 1);
    anchored_is(s, 4, 9);
    signer_free(TAKE(s));
    /* everything but the token, as it was */
    copy_journal("yesterday", "journal");
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_STALE);
    assert_non_null(strstr(e.text, "knows a checkpoint of 9 leaves, the journal ends at 5"));
    assert_int_equal(unlink(world.journal), 0);
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_STALE);
    assert_non_null(strstr(e.text, "the journal ends at 0"));
}

static void
nothing_is_taken_from_who_asks(void **state)
{
    CLEANUP(buf_free) struct buf answer = BUF_INIT(SIGNATURE_MAX);
    struct err e = {0};
    CLEANUP(signer_cleanup) struct signer *s = start(LOG);

    (void)state;
    assert_ok(sign(s, 0, 5, &e), &e);
    assert_err(signer_sign(s, SIGNER_ANCHOR, SPAN_LITERAL("9"), &answer, &e), ERR_DENIED, &e);
    assert_err(
        signer_sign_logged(s, SIGNER_ANCHOR, SIGNER_ANCHOR_TEXT, SPAN_LITERAL("9"), &answer, &e),
        ERR_INPUT, &e);
    anchored_is(s, 2, 5);
}

static void
done(struct task *task)
{
    (void)task;
}

/* In one batch with it a checkpoint that comes behind it: that one is not committed. */
static void
what_comes_behind_it_is_not_committed(void **state)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(GROWTH_MAX);
    struct err e = {0};
    struct tasks *tasks = tasks_new(&e);
    struct signer *s;
    struct signer_anchored now;

    (void)state;
    assert_non_null(tasks);
    world_write_policy(FAULTY, "issuing-signing-v1", LOG);
    s = world_start(tasks, 0, &e);
    assert_non_null(s);
    assert_ok(sign(s, 0, 5, &e), &e);
    make(5, 9, &text, &evidence);
    {
        struct signer_job said = {
            .task = {.done = done}, .object = SIGNER_ANCHOR, .tbs = SIGNER_ANCHOR_TEXT};
        struct signer_job next = {.task = {.done = done},
                                  .object = SIGNER_CHECKPOINT,
                                  .tbs = buf_span(&text),
                                  .evidence = buf_span(&evidence)};

        assert_int_equal(kill(signer_pid(s), SIGSTOP), 0); /* so that both are there */
        signer_submit(s, &said);
        signer_submit(s, &next);
        assert_int_equal(kill(signer_pid(s), SIGCONT), 0);
        while (signer_waiting(s) > 0) {
            const struct timespec pause = {.tv_nsec = 1000000};

            (void)nanosleep(&pause, NULL);
        }
        tasks_finish(tasks);
        assert_ok(said.result, &said.e);
        assert_ok(next.result, &next.e);
        assert_ok(signer_anchored_decode(buf_span(&said.signature), &now, &e), &e);
        assert_int_equal(now.size, 5);
        buf_free(&said.signature);
        buf_free(&next.signature);
    }
    anchored_is(s, 3, 9);
    signer_free(s);
    tasks_free(tasks);
}

/* Of two signers with a copy each. */
static void
the_one_that_was_there_refuses_everything_and_says_why(void **state)
{
    CLEANUP(buf_free) struct buf seal = BUF_SECRET(SIGNATURE_MAX);
    struct signer_anchored now;
    struct signed_last last;
    struct err e = {0};
    CLEANUP(signer_cleanup) struct signer *first = start(LOG);
    CLEANUP(signer_cleanup) struct signer *second = NULL;
    pid_t pid = signer_pid(first);

    (void)state;
    assert_ok(sign(first, 0, 5, &e), &e);
    anchored_is(first, 2, 5);
    copy_journal("journal", "second");
    world.second_journal = true;
    second = start(LOG);
    assert_ok(sign(first, 5, 6, &e), &e); /* who only starts takes nothing over */
    assert_ok(sign(second, 5, 7, &e), &e);
    assert_err(sign(first, 6, 8, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "another signer has taken this log over"));
    assert_err(signer_anchor(first, &now, &e), ERR_STALE, &e);
    assert_err(signer_last(first, &last, &e), ERR_STALE, &e);
    assert_err(signer_seal_key(first, SIGNER_SEAL_TEXT_CA, &seal, &e), ERR_STALE, &e);
    assert_int_equal(signer_pid(first), pid); /* it does not come back as another run */
    anchored_is(second, 4, 7);
    assert_ok(sign(second, 7, 8, &e), &e);
    anchored_is(second, 5, 8);
}

static void
a_policy_can_say_none(void **state)
{
    struct signer_anchored now;
    struct err e = {0};
    CLEANUP(signer_cleanup)
    struct signer *s = start("log {\n origin = \"log.example\"\n anchor = \"none\"\n}");

    (void)state;
    assert_false(signer_has_anchor(s));
    assert_ok(sign(s, 0, 5, &e), &e);
    assert_err(signer_anchor(s, &now, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "says none"));
    copy_journal("journal", "yesterday");
    assert_ok(sign(s, 5, 9, &e), &e);
    signer_free(TAKE(s));
    copy_journal("yesterday", "journal");
    s = world_start_well(); /* which is what it gives up */
    signer_free(TAKE(s));
    s = start(AUTHORITY);
    assert_false(signer_has_anchor(s));
    assert_err(signer_anchor(s, &now, &e), ERR_DENIED, &e);
}

static void
a_token_that_keeps_nothing_is_told_and_names_the_setting(void **state)
{
    struct signer_anchored now;
    struct err e = {0};
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    (void)setenv("FAULTP11", "fails:C_CreateObject", 1);
    s = start(LOG);
    assert_err(sign(s, 0, 5, &e), ERR_TOKEN, &e);
    (void)unsetenv("FAULTP11");
    assert_ok(sign(s, 0, 5, &e), &e); /* by a fresh process */
    signer_free(TAKE(s));
    (void)setenv("FAULTP11", "fails:C_CreateObject", 1);
    s = world_start_well();
    assert_err(signer_anchor(s, &now, &e), ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "anchor = \"none\""));
    (void)unsetenv("FAULTP11");
    anchored_is(s, 2, 5);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_is_what_was_signed_last_and_outlives_the_files),
        CASE(nothing_is_taken_from_who_asks),
        CASE(what_comes_behind_it_is_not_committed),
        CASE(the_one_that_was_there_refuses_everything_and_says_why),
        CASE(a_policy_can_say_none),
        CASE(a_token_that_keeps_nothing_is_told_and_names_the_setting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
