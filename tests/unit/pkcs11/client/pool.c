/* SPDX-License-Identifier: Apache-2.0 */
/* Several signers of one key, real ones, each with a journal of its own. */
#include "pkcs11/client/pool.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/kill.h"
#include "tests/support/softhsm.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/client/departure.h"
#include "tests/unit/pkcs11/client/world.h"

enum { JOBS = 24, BACK_MS = 20000 };

/* What is to be signed, again and again. */
struct work {
    struct buf tbs;
    struct buf evidence;
    struct signer_job jobs[JOBS];
    int answered;
    int failed;
};

static struct work work;

static void
on_signed(struct task *task)
{
    struct signer_job *job = CONTAINER_OF(task, struct signer_job, task);

    work.answered++;
    if (job->result == 0) {
        world_verify(buf_span(&work.tbs), &job->signature);
    } else {
        assert_int_equal(job->e.code, ERR_TOKEN);
        work.failed++;
    }
    buf_free(&job->signature);
}

static void
submit(struct signer_pool *p, int n)
{
    work.answered = 0;
    work.failed = 0;
    for (int i = 0; i < n; i++) {
        work.jobs[i] = (struct signer_job){.task = {.done = on_signed},
                                           .object = SIGNER_CERTIFICATE,
                                           .tbs = buf_span(&work.tbs),
                                           .evidence = buf_span(&work.evidence)};
        signer_pool_submit(p, &work.jobs[i]);
    }
}

static void
settle(struct tasks *finished, int n)
{
    while (work.answered < n) {
        struct pollfd p = {.fd = tasks_fd(finished), .events = POLLIN};

        assert_true(poll(&p, 1, BACK_MS) > 0);
        tasks_finish(finished);
    }
}

/* One more, with the policy of the world and the journal that it says. */
static void
add(struct signer_pool *p, struct tasks *finished)
{
    struct err e = {0};
    struct signer *s = world_start(finished, 0, &e);

    assert_non_null(s);
    assert_ok(signer_pool_add(p, s, &e), &e);
}

/* Of two; the policy of the second is beside that of the first. */
static struct signer_pool *
pool_of_two(struct tasks *finished)
{
    struct signer_pool *p = signer_pool_new();
    CLEANUP(mem_cleanup) char *second = mem_printf("%s/second.conf", world.dir);
    CLEANUP(mem_cleanup) char *journal = mem_printf("%s/second", world.dir);
    char *first = world.policy;

    (void)unlink(journal);
    add(p, finished);
    world.policy = second;
    world.second_journal = true;
    world_write_policy(FAULTY, "issuing-signing-v1", AUTHORITY);
    add(p, finished);
    world.policy = first;
    world.second_journal = false;
    return p;
}

static int
setup(void **state)
{
    work.tbs = BUF_INIT(8192);
    work.evidence = BUF_INIT(EVIDENCE_MAX);
    if (world_setup(state) != 0) {
        return -1;
    }
    departure_make(NOTHING, &work.tbs);
    scene_log_announce(&world.ledger, buf_span(&work.tbs), &work.evidence);
    return 0;
}

static int
teardown(void **state)
{
    buf_free(&work.tbs);
    buf_free(&work.evidence);
    return world_teardown(state);
}

static void
tell_all(const struct signer_pool *p, int sig)
{
    for (size_t i = 0; i < signer_pool_n(p); i++) {
        assert_int_equal(test_kill(signer_pid(signer_pool_at(p, i)), sig), 0);
    }
}

static void
each_has_its_share(void **state)
{
    struct err e = {0};
    struct tasks *finished = tasks_new(&e);
    CLEANUP(signer_pool_cleanup) struct signer_pool *p = pool_of_two(finished);

    (void)state;
    tell_all(p, SIGSTOP); /* none is ahead before all is submitted */
    submit(p, JOBS);
    tell_all(p, SIGCONT);
    settle(finished, JOBS);
    assert_int_equal(work.failed, 0);
    assert_int_equal(signer_pool_attempts(p), JOBS);
    for (size_t i = 0; i < signer_pool_n(p); i++) {
        assert_int_equal(signer_attempts(signer_pool_at(p, i)), JOBS / 2);
    }
    assert_ptr_equal(signer_pool_first(p), signer_pool_at(p, 0));
    assert_true(signer_pool_is_software(p));
    signer_pool_free(TAKE(p));
    tasks_free(finished);
}

/* What it had under way is unknown; what comes then goes to the others, until it is back, which it
 * is though it gets nothing to sign. */
static void
one_that_is_away_is_left_out_and_comes_back(void **state)
{
    CLEANUP(mem_cleanup) char *policy = mem_printf("%s/second.conf", world.dir);
    CLEANUP(mem_cleanup) char *aside = mem_printf("%s/aside.conf", world.dir);
    struct err e = {0};
    struct tasks *finished = tasks_new(&e);
    CLEANUP(signer_pool_cleanup) struct signer_pool *p = pool_of_two(finished);
    struct signer *lost = signer_pool_at(p, 1);

    (void)state;
    assert_int_equal(rename(policy, aside), 0); /* so that no start succeeds */
    assert_int_equal(test_kill(signer_pid(lost), SIGKILL), 0);
    submit(p, 2); /* the kill is found by who asks it */
    settle(finished, 2);
    assert_int_equal(work.failed, 1);
    assert_int_equal(signer_pid(lost), -1);
    submit(p, 4);
    settle(finished, 4);
    assert_int_equal(work.failed, 0);
    assert_int_equal(signer_attempts(lost), 0);
    assert_int_equal(rename(aside, policy), 0);
    for (int waited = 0; signer_pid(lost) == -1 || signer_waiting(lost) > 0; waited += 100) {
        assert_true(waited < BACK_MS);
        (void)poll(NULL, 0, 100);
        if (signer_pid(lost) == -1) {
            submit(p, 1); /* to the other: only for these it is tried again */
            settle(finished, 1);
            assert_int_equal(work.failed, 0);
        }
    }
    submit(p, 2);
    settle(finished, 2);
    assert_int_equal(work.failed, 0);
    assert_true(signer_attempts(lost) > 0);
    signer_pool_free(TAKE(p));
    tasks_free(finished);
}

/* Whoever submits is told, as with one. */
static void
where_all_are_away_one_is_asked(void **state)
{
    struct err e = {0};
    struct tasks *finished = tasks_new(&e);
    CLEANUP(signer_pool_cleanup) struct signer_pool *p = pool_of_two(finished);

    (void)state;
    tell_all(p, SIGKILL);
    do { /* at once when the client saw the kill before, else after it was told */
        submit(p, 2);
        settle(finished, 2);
    } while (work.failed > 0);
    signer_pool_free(TAKE(p));
    tasks_free(finished);
}

static void
a_signer_of_another_key_is_refused(void **state)
{
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/key.spki", world.dir);
    CLEANUP(mem_cleanup) char *journal = mem_printf("%s/second", world.dir);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    struct err e = {0};
    struct tasks *finished = tasks_new(&e);
    struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    CLEANUP(signer_pool_cleanup) struct signer_pool *p = signer_pool_new();
    struct session *s;
    struct signer *other;

    (void)state;
    add(p, finished);
    s = session_open(m, TOKEN, world.serial, SESSION_READ_WRITE, &e);
    assert_non_null(s);
    assert_ok(session_login(s, USER_PIN, &e), &e);
    assert_ok(key_generate(s, key_policy_find("log-signing-v1", &e), KEY_P256, "other", world.id,
                           &spki, &e),
              &e);
    session_close(s);
    module_close(m);
    assert_ok(file_write(file, buf_span(&spki), 0600, &e), &e);
    (void)unlink(journal);
    world.second_journal = true;
    world_write_policy(FAULTY, "log-signing-v1", LOG);
    other = world_start(finished, 0, &e);
    if (other == NULL) {
        fail_msg("%s", e.text);
    }
    assert_err(signer_pool_add(p, other, &e), ERR_DENIED, &e);
    assert_int_equal(signer_pool_n(p), 1);
    signer_pool_free(TAKE(p));
    tasks_free(finished);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_has_its_share, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_away_is_left_out_and_comes_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(where_all_are_away_one_is_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_signer_of_another_key_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, world_make, world_free);
}
