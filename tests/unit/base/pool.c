/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <openssl/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/ossl.h"
#include "tests/support/test.h"

enum { JOBS = 500 };

struct job {
    struct task task;
    unsigned input;
    unsigned output;
    pthread_t ran_on;
    OSSL_LIB_CTX *libctx;
};

static unsigned finished;

static void
square(struct task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, task);

    job->output = job->input * job->input;
    job->ran_on = pthread_self();
    job->libctx = OSSL_LIB_CTX_set0_default(NULL);
}

static void
count(struct task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, task);

    assert_int_equal(job->output, job->input * job->input);
    finished++;
}

static void
every_job_runs_once_elsewhere_and_comes_back_here(void **state)
{
    static struct job jobs[JOBS];
    struct err e = {0};
    struct tasks *tasks = tasks_new(&e);
    struct pool *pool = pool_new(3, tasks, &e);

    (void)state;
    assert_non_null(pool);
    finished = 0;
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.task = {.run = square, .done = count}, .input = i};
        pool_submit(pool, &jobs[i].task);
    }
    while (finished < JOBS) {
        struct pollfd p = {.fd = tasks_fd(tasks), .events = POLLIN};

        assert_int_equal(poll(&p, 1, 10000), 1);
        tasks_finish(tasks);
    }
    for (unsigned i = 0; i < JOBS; i++) {
        assert_false(pthread_equal(jobs[i].ran_on, pthread_self()));
        assert_ptr_not_equal(jobs[i].libctx, OSSL_LIB_CTX_set0_default(NULL));
    }
    pool_free(pool);
    tasks_free(tasks);
}

static void
freeing_the_pool_finishes_what_is_queued(void **state)
{
    static struct job jobs[JOBS];
    struct err e = {0};
    struct tasks *tasks = tasks_new(&e);
    struct pool *pool = pool_new(1, tasks, &e);

    (void)state;
    finished = 0;
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.task = {.run = square, .done = count}, .input = i};
        pool_submit(pool, &jobs[i].task);
    }
    pool_free(pool);
    tasks_finish(tasks);
    assert_int_equal(finished, JOBS);
    tasks_free(tasks);
}

/* Also of a pool that is not there, and of contexts that nobody has. */
static void
what_is_freed_is_gone(void **state)
{
    struct err e = {0};
    struct tasks *tasks = tasks_new(&e);

    (void)state;
    tasks_finish(tasks); /* of nothing */
    tasks_free(tasks);
    pool_free(NULL);
    tasks_free(NULL);
    pool_contexts_free();
    pool_contexts_free();
    freeing_the_pool_finishes_what_is_queued(state);
    pool_contexts_free();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_once_elsewhere_and_comes_back_here),
        cmocka_unit_test(freeing_the_pool_finishes_what_is_queued),
        cmocka_unit_test(what_is_freed_is_gone),
    };
    struct err e = {0};

    return ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
