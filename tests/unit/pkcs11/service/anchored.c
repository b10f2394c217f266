/* SPDX-License-Identifier: Apache-2.0 */
/* Two logs on one token, each with a journal of its own, as copies of one state have them. */
#include "pkcs11/service/anchored.h"

#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ossl.h"
#include "tests/support/journal_open.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/hsm.h"

static struct hsm world;
static const uint8_t ID[KEY_ID_SIZE] = {0xaa, 1};
static const uint8_t KEY[32] = {7};
static int64_t now_ms = 1000000;

/* A journal and what stands before the key. */
struct holder {
    char *path;
    struct journal *journal;
    struct anchored *anchored;
};

static void
open_journal(struct holder *h)
{
    struct err e = {0};
    size_t torn;

    h->journal = journal_open(h->path, KEY, &torn, &e);
    if (h->journal == NULL) {
        fail_msg("%s", e.text);
    }
}

static int
holder_start(struct holder *h, const char *name, struct err *e)
{
    h->path = mem_printf("%s/%s", world.dir, name);
    open_journal(h);
    h->anchored = anchored_open(world.session, ID, h->journal, e);
    return h->anchored == NULL ? -1 : 0;
}

static void
holder_end(struct holder *h)
{
    anchored_free(h->anchored);
    journal_close(h->journal);
    mem_free(h->path);
    *h = (struct holder){0};
}

static void
start_well(struct holder *h, const char *name)
{
    struct err e = {0};

    assert_ok(holder_start(h, name, &e), &e);
}

static struct tree_head
head_of(uint64_t size, int root)
{
    struct tree_head head = {.size = size};

    memset(head.root, root, sizeof(head.root));
    return head;
}

static void
write_line(struct holder *h, uint64_t size, int root)
{
    const struct tree_head head = head_of(size, root);
    struct err e = {0};

    assert_ok(journal_add(h->journal, 'K', KEY, &head, &e), &e);
    assert_ok(journal_commit(h->journal, &e), &e);
}

/* As serve.c does. */
static void
attempt(struct holder *h, uint64_t size, int root)
{
    struct err e = {0};

    assert_ok(anchored_hold(h->anchored, now_ms, &e), &e);
    write_line(h, size, root);
    anchored_signs(h->anchored, journal_checkpoint(h->journal), now_ms);
}

static int
commit(struct holder *h, struct anchor *now, struct err *e)
{
    return anchored_commit(h->anchored, journal_checkpoint(h->journal), now_ms, now, e);
}

static void
commit_well(struct holder *h, uint64_t generation, uint64_t size)
{
    struct anchor now;
    struct err e = {0};

    assert_ok(commit(h, &now, &e), &e);
    assert_int_equal(now.generation, generation);
    assert_int_equal(now.size, size);
}

static void
run(const char *program, const char *option, const char *from, const char *to)
{
    CLEANUP(mem_cleanup) char *name = mem_strdup(program);
    CLEANUP(mem_cleanup) char *flag = mem_strdup(option);
    CLEANUP(mem_cleanup) char *source = mem_printf("%s/%s", world.dir, from);
    CLEANUP(mem_cleanup) char *target = to == NULL ? NULL : mem_printf("%s/%s", world.dir, to);
    char *argv[] = {name, flag, source, target, NULL};
    int status = -1;
    pid_t child;

    assert_int_equal(posix_spawnp(&child, program, NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void
copy(const char *from, const char *to)
{
    run("cp", "-a", from, to);
}

static int
setup(void **state)
{
    (void)state;
    hsm_open(&world);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    hsm_close(&world);
    return 0;
}

static void
a_log_goes_on_over_restarts(void **state)
{
    struct holder h = {0};

    (void)state;
    start_well(&h, "j");
    commit_well(&h, 1, 0); /* nothing was signed yet: the run alone */
    commit_well(&h, 1, 0);
    attempt(&h, 5, 1); /* which this run says before */
    commit_well(&h, 2, 5);
    commit_well(&h, 2, 5); /* nothing new */
    attempt(&h, 9, 2);
    attempt(&h, 12, 3);
    commit_well(&h, 3, 12);
    attempt(&h, 12, 3); /* once more, as after a crash */
    commit_well(&h, 3, 12);
    holder_end(&h);
    start_well(&h, "j");
    commit_well(&h, 4, 12); /* another run */
    attempt(&h, 13, 4);     /* which is killed before it says so */
    holder_end(&h);
    start_well(&h, "j");
    attempt(&h, 14, 5); /* 5: this run, and what was committed before */
    holder_end(&h);
    start_well(&h, "j");
    commit_well(&h, 6, 14);
    holder_end(&h);
}

static void
a_run_that_came_to_no_commit_binds_nobody(void **state)
{
    struct holder h = {0};

    (void)state;
    start_well(&h, "j");
    attempt(&h, 5, 1);
    holder_end(&h);
    start_well(&h, "j");
    commit_well(&h, 2, 5);
    holder_end(&h);
}

static void
an_older_or_another_journal_is_refused_and_nothing_is_written(void **state)
{
    static const struct {
        const char *name;
        const char *says;
    } rows[] = {
        {"old", "knows a checkpoint of 12 leaves, the journal ends at 5: this is an older copy"},
        {"none", "knows a checkpoint of 12 leaves, the journal ends at 0: this is an older copy"},
        {"other", "which the journal does not have: it went on from an older copy"},
        {"further", "which the journal does not have: it went on from an older copy"},
    };
    struct holder h = {0};
    struct err e = {0};
    struct anchor before;
    struct anchor after;
    bool found;

    (void)state;
    start_well(&h, "j");
    attempt(&h, 5, 1);
    commit_well(&h, 2, 5);
    copy("j", "old");
    copy("j", "other");
    copy("j", "further");
    attempt(&h, 12, 2);
    commit_well(&h, 3, 12);
    holder_end(&h);
    h.path = mem_printf("%s/other", world.dir);
    open_journal(&h);
    write_line(&h, 12, 3); /* as many leaves, others */
    holder_end(&h);
    h.path = mem_printf("%s/further", world.dir);
    open_journal(&h);
    write_line(&h, 11, 3);
    write_line(&h, 40, 4);
    holder_end(&h);
    assert_ok(anchor_read(world.session, ID, &found, &before, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_err(holder_start(&h, rows[i].name, &e), ERR_STALE, &e);
        if (strstr(e.text, rows[i].says) == NULL) {
            fail_msg("'%s': %s", rows[i].name, e.text);
        }
        holder_end(&h);
    }
    assert_ok(anchor_read(world.session, ID, &found, &after, &e), &e);
    assert_true(anchor_equal(&before, &after));
    start_well(&h, "j"); /* the right one */
    holder_end(&h);
}

static void
a_start_alone_takes_nothing_over(void **state)
{
    struct holder h = {0};
    struct holder copied = {0};

    (void)state;
    start_well(&h, "j");
    attempt(&h, 5, 1);
    commit_well(&h, 2, 5);
    copy("j", "copy");
    start_well(&copied, "copy");
    holder_end(&copied);
    attempt(&h, 6, 2);
    commit_well(&h, 3, 6);
    holder_end(&h);
}

static void
of_two_the_one_that_was_there_signs_nothing_any_more(void **state)
{
    struct holder first = {0};
    struct holder second = {0};
    struct anchor now;
    struct err e = {0};

    (void)state;
    start_well(&first, "j");
    attempt(&first, 5, 1);
    commit_well(&first, 2, 5);
    copy("j", "copy");
    start_well(&second, "copy");
    assert_ok(anchored_hold(first.anchored, now_ms, &e), &e);
    attempt(&second, 6, 2);
    /* from before the second's first checkpoint on */
    assert_err(anchored_hold(first.anchored, now_ms, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "another signer has taken this log over"));
    assert_non_null(strstr(e.text, "has generation 3 of run "));
    /* for ever */
    assert_err(anchored_is_lost(first.anchored, &e), ERR_STALE, &e);
    write_line(&first, 7, 3);
    assert_err(commit(&first, &now, &e), ERR_STALE, &e);
    assert_err(anchored_hold(first.anchored, now_ms, &e), ERR_STALE, &e);
    /* the second goes on */
    commit_well(&second, 4, 6);
    attempt(&second, 8, 4);
    commit_well(&second, 5, 8);
    holder_end(&second);
    holder_end(&first);
    /* and the first does not come back */
    assert_err(holder_start(&first, "j", &e), ERR_STALE, &e);
    holder_end(&first);
}

static void
who_only_commits_finds_it_too(void **state)
{
    struct holder first = {0};
    struct holder second = {0};
    struct anchor now;
    struct err e = {0};

    (void)state;
    start_well(&first, "j");
    attempt(&first, 5, 1);
    commit_well(&first, 2, 5);
    copy("j", "copy");
    start_well(&second, "copy");
    commit_well(&second, 3, 5);                          /* the same checkpoint, and another run */
    assert_err(commit(&first, &now, &e), ERR_STALE, &e); /* with nothing new to say */
    holder_end(&second);
    holder_end(&first);
}

static void
of_two_that_begin_one_goes_on(void **state)
{
    struct holder first = {0};
    struct holder second = {0};
    struct err e = {0};

    (void)state;
    start_well(&first, "j");
    start_well(&second, "k"); /* there is nothing yet, for both */
    attempt(&second, 5, 1);
    assert_err(anchored_hold(first.anchored, now_ms, &e), ERR_STALE, &e);
    commit_well(&second, 2, 5);
    holder_end(&second);
    holder_end(&first);
}

static void
read_now(struct anchor *now)
{
    struct err e = {0};
    bool found;

    assert_ok(anchor_read(world.session, ID, &found, now, &e), &e);
    assert_true(found);
}

static void
who_says_it_too_often_is_not_obeyed(void **state)
{
    struct holder h = {0};
    struct anchor now;
    struct err e = {0};
    uint64_t size = 5;

    (void)state;
    start_well(&h, "j");
    attempt(&h, size, 1); /* the first generation */
    for (uint64_t i = 1; i <= ANCHORED_BURST; i++, size++) {
        commit_well(&h, 1 + i, size);
        attempt(&h, size + 1, 1);
    }
    for (int i = 0; i < 3; i++) { /* it is told what is there */
        commit_well(&h, 1 + ANCHORED_BURST, size - 1);
        now_ms += ANCHORED_EACH_MS / 3 - 1;
    }
    now_ms += 3;
    commit_well(&h, 2 + ANCHORED_BURST, size);
    attempt(&h, ++size, 2);
    commit_well(&h, 2 + ANCHORED_BURST, size - 1);
    /* after a rest it may be as many again, and no more */
    now_ms += (int64_t)ANCHORED_EACH_MS * ANCHORED_BURST * 5;
    for (uint64_t i = 1; i <= ANCHORED_BURST; i++) {
        commit_well(&h, 2 + ANCHORED_BURST + i, size);
        attempt(&h, ++size, 3);
    }
    assert_ok(commit(&h, &now, &e), &e);
    assert_int_equal(now.generation, 2 + 2 * ANCHORED_BURST);
    holder_end(&h);
}

static void
what_is_built_upon_is_written_unasked(void **state)
{
    struct holder h = {0};
    struct anchor now;
    struct err e = {0};

    (void)state;
    start_well(&h, "j");
    attempt(&h, 5, 1);
    now_ms += ANCHORED_LAG_MS;
    assert_ok(anchored_hold(h.anchored, now_ms, &e), &e);
    read_now(&now);
    assert_int_equal(now.size, 0); /* nothing is built upon it yet */
    attempt(&h, 7, 2);
    attempt(&h, 7, 2); /* once more is not further */
    now_ms += ANCHORED_LAG_MS - 1;
    attempt(&h, 9, 3);
    read_now(&now);
    assert_int_equal(now.size, 0);
    now_ms++;
    assert_ok(anchored_hold(h.anchored, now_ms, &e), &e);
    read_now(&now);
    assert_int_equal(now.size, 7); /* and not 9, which may not be committed */
    assert_int_equal(now.generation, 2);
    now_ms += 10 * ANCHORED_LAG_MS;
    assert_ok(anchored_hold(h.anchored, now_ms, &e), &e);
    read_now(&now);
    assert_int_equal(now.generation, 2); /* nothing new */
    holder_end(&h);
    /* Over a restart, too. */
    start_well(&h, "j");
    attempt(&h, 12, 4);
    now_ms += ANCHORED_LAG_MS;
    assert_ok(anchored_hold(h.anchored, now_ms, &e), &e);
    read_now(&now);
    assert_int_equal(now.size, 9);
    holder_end(&h);
}

/* As the token does what the killed run asked for. */
static void
write_late(const uint8_t run_before[ANCHOR_RUN_SIZE], uint64_t generation, uint64_t size, int root)
{
    struct anchor late = {.generation = generation, .size = size};
    struct anchor newest;
    struct err e = {0};
    size_t left;

    memcpy(late.run, run_before, sizeof(late.run));
    memset(late.root, root, sizeof(late.root));
    assert_ok(anchor_write(world.session, ID, &late, &newest, &left, &e), &e);
}

static void
what_the_run_before_wrote_late_is_no_other_ca(void **state)
{
    struct holder h = {0};
    struct anchor before;
    struct anchor now;
    struct err e = {0};

    (void)state;
    for (int taken = 0; taken < 2; taken++) {
        start_well(&h, taken == 0 ? "j" : "k");
        attempt(&h, 5, 1);
        assert_ok(commit(&h, &now, &e), &e);
        read_now(&before);
        attempt(&h, 7, 2);
        holder_end(&h);
        start_well(&h, taken == 0 ? "j" : "k");
        if (taken == 1) { /* the new run has said already that it is there */
            assert_ok(anchored_hold(h.anchored, now_ms, &e), &e);
        }
        write_late(before.run, before.generation + 1 + (uint64_t)taken, 7, 2);
        assert_ok(anchored_hold(h.anchored, now_ms, &e), &e);
        read_now(&now);
        assert_memory_not_equal(now.run, before.run, sizeof(now.run));
        assert_int_equal(now.size, 7);
        assert_true(now.generation > before.generation + 1 + (uint64_t)taken);
        /* What we do not have was written by somebody who lives. */
        write_late(before.run, now.generation + 1, 8, 2);
        assert_err(anchored_hold(h.anchored, now_ms, &e), ERR_STALE, &e);
        assert_non_null(strstr(e.text, "another signer has taken this log over"));
        holder_end(&h);
        hsm_close(&world);
        hsm_open(&world);
    }
}

static void
a_token_that_was_put_back_is_told(void **state)
{
    struct holder h = {0};
    struct anchor now;
    struct err e = {0};

    (void)state;
    start_well(&h, "j");
    attempt(&h, 5, 1);
    commit_well(&h, 2, 5);
    copy("tokens", "yesterday");
    attempt(&h, 6, 2);
    commit_well(&h, 3, 6);
    run("rm", "-rf", "tokens", NULL);
    copy("yesterday", "tokens");
    assert_err(commit(&h, &now, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "older copy"));
    holder_end(&h);
}

static void
a_token_that_has_lost_it_is_told(void **state)
{
    struct holder h = {0};
    struct anchor now;
    struct err e = {0};

    (void)state;
    copy("tokens", "before");
    start_well(&h, "j");
    attempt(&h, 5, 1);
    commit_well(&h, 2, 5);
    run("rm", "-rf", "tokens", NULL);
    copy("before", "tokens");
    assert_err(commit(&h, &now, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "has lost what this signer wrote there"));
    holder_end(&h);
}

static void
a_token_that_keeps_nothing_is_told(void **state)
{
    struct holder h = {0};
    struct anchor now;
    struct err e = {0};

    (void)state;
    start_well(&h, "j");
    (void)setenv("FAULTP11", "fails:C_CreateObject", 1);
    assert_err(anchored_hold(h.anchored, now_ms, &e), ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "anchor = \"none\""));
    (void)unsetenv("FAULTP11");
    attempt(&h, 5, 1);
    (void)setenv("FAULTP11", "fails:C_CreateObject", 1);
    assert_err(commit(&h, &now, &e), ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "anchor = \"none\""));
    assert_ok(anchored_is_lost(h.anchored, &e), &e); /* which is no reason to give up */
    (void)unsetenv("FAULTP11");
    commit_well(&h, 2, 5);
    (void)setenv("FAULTP11", "fails:C_FindObjects", 1);
    assert_err(anchored_hold(h.anchored, now_ms, &e), ERR_TOKEN, &e);
    assert_null(anchored_open(world.session, ID, h.journal, &e));
    assert_int_equal(e.code, ERR_TOKEN);
    (void)unsetenv("FAULTP11");
    holder_end(&h);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_log_goes_on_over_restarts),
        CASE(a_run_that_came_to_no_commit_binds_nobody),
        CASE(an_older_or_another_journal_is_refused_and_nothing_is_written),
        CASE(a_start_alone_takes_nothing_over),
        CASE(of_two_the_one_that_was_there_signs_nothing_any_more),
        CASE(who_only_commits_finds_it_too),
        CASE(of_two_that_begin_one_goes_on),
        CASE(who_says_it_too_often_is_not_obeyed),
        CASE(what_is_built_upon_is_written_unasked),
        CASE(what_the_run_before_wrote_late_is_no_other_ca),
        CASE(a_token_that_was_put_back_is_told),
        CASE(a_token_that_has_lost_it_is_told),
        CASE(a_token_that_keeps_nothing_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
