/* SPDX-License-Identifier: Apache-2.0 */
/* The process of nfpki-signer: its token, its journal, its start and its end. */
#include "pkcs11/client/client.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "pkcs11/client/hello.h"
#include "tests/support/kill.h"
#include "tests/support/softhsm.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/client/departure.h"
#include "tests/unit/pkcs11/client/world.h"

static size_t
journal_lines(void)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf journal = BUF_INIT(8192);
    size_t n = 0;

    assert_ok(file_read(world.journal, &journal, &e), &e);
    for (size_t i = 0; i < journal.n; i++) {
        n += journal.p[i] == '\n' ? 1 : 0;
    }
    return n;
}

static void
the_journal_has_the_line_before_the_token_signs(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf journal = BUF_INIT(8192);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    (void)state;
    assert_int_equal(setenv("FAULTP11", "sign-fails", 1), 0);
    s = world_start_well();
    departure_make(NOTHING, &tbs);
    assert_err(departure_sign(s, buf_span(&tbs), &signature, &e), ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "CKR_DEVICE_ERROR"));
    assert_ok(sha256(buf_span(&tbs), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), hex);
    assert_ok(file_read(world.journal, &journal, &e), &e);
    assert_non_null(memmem(journal.p, journal.n, hex, strlen(hex)));
    /* The token is well again: the next job starts a new process, which counts on. */
    assert_int_equal(unsetenv("FAULTP11"), 0);
    assert_ok(departure_sign(s, buf_span(&tbs), &signature, &e), &e);
    assert_int_equal(signer_attempts(s), 2);
}

static void
a_killed_or_hanging_signer_is_started_again(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct pollfd nothing = {.fd = -1};
    pid_t pid;

    (void)state;
    assert_int_equal(setenv("FAULTP11", "hang", 1), 0);
    s = world_start(NULL, 1500, &e);
    assert_non_null(s);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    pid = signer_pid(s);
    departure_make(NOTHING, &tbs);
    assert_err(departure_sign(s, buf_span(&tbs), &signature, &e), ERR_TOKEN, &e);
    assert_int_equal(kill(pid, 0), -1);
    assert_ok(departure_sign(s, buf_span(&tbs), &signature, &e), &e);
    assert_int_not_equal(signer_pid(s), pid);
    assert_int_equal(test_kill(signer_pid(s), SIGKILL), 0);
    /* Death may be noticed by the job that meets it; the one after that must succeed. */
    (void)poll(&nothing, 0, 50);
    if (departure_sign(s, buf_span(&tbs), &signature, &e) != 0) {
        assert_int_equal(e.code, ERR_TOKEN);
        assert_ok(departure_sign(s, buf_span(&tbs), &signature, &e), &e);
    }
    world_verify(buf_span(&tbs), &signature);
}

/* The parent is killed while its signer hangs in the token; this process inherits the signer. */
static void
a_hanging_signer_does_not_outlive_its_parent(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    pid_t signer = -1;
    pid_t parent;
    int ends[2];
    int status = 0;

    (void)state;
    departure_make(NOTHING, &tbs);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(setenv("FAULTP11", "hang", 1), 0);
    parent = fork();
    if (parent == 0) {
        struct signer *s = world_start(NULL, 0, &e);

        signer = s == NULL ? -1 : signer_pid(s);
        if (write(ends[1], &signer, sizeof(signer)) == (ssize_t)sizeof(signer)) {
            (void)departure_sign(s, buf_span(&tbs), &signature, &e);
        }
        _exit(1);
    }
    assert_int_equal(read(ends[0], &signer, sizeof(signer)), sizeof(signer));
    assert_true(signer > 0);
    while (journal_lines() < 2) { /* from then on the token hangs */
        (void)poll(NULL, 0, 10);
    }
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_int_equal(waitpid(signer, &status, 0), signer);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void
a_wrong_signature_of_the_token_does_not_leave(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    assert_int_equal(setenv("FAULTP11", "bad-sign", 1), 0);
    s = world_start_well();
    departure_make(NOTHING, &tbs);
    assert_err(departure_sign(s, buf_span(&tbs), &signature, &e), ERR_CRYPTO, &e);
    assert_int_equal(signature.n, 0);
}

static void
a_signer_with_another_policy_is_not_accepted(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();
    struct pollfd nothing = {.fd = -1};

    (void)state;
    departure_make(NOTHING, &tbs);
    world_write_policy(FAULTY, "issuing-signing-v1", AUTHORITY "\n# changed");
    assert_int_equal(test_kill(signer_pid(s), SIGKILL), 0);
    (void)poll(&nothing, 0, 50);
    for (int i = 0; i < 3; i++) {
        assert_err(departure_sign(s, buf_span(&tbs), &signature, &e), ERR_TOKEN, &e);
    }
    assert_non_null(strstr(e.text, "another key or policy"));
}

static void
a_refused_pin_is_not_tried_again(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = world_start_well();
    struct pollfd nothing = {.fd = -1};

    (void)state;
    departure_make(NOTHING, &tbs);
    world_write_pin(SPAN_LITERAL("wrong-pin"));
    assert_int_equal(test_kill(signer_pid(s), SIGKILL), 0);
    while (e.code != ERR_PIN) {
        assert_int_equal(departure_sign(s, buf_span(&tbs), &signature, &e), -1);
    }
    world_write_pin(USER_PIN);
    (void)poll(&nothing, 0, 300); /* longer than the first pause */
    assert_err(departure_sign(s, buf_span(&tbs), &signature, &e), ERR_PIN, &e);
}

static void
a_start_that_cannot_be_says_why(void **state)
{
    struct err e = {0};

    (void)state;
    world_write_pin(SPAN_LITERAL("wrong-pin"));
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_PIN);
    world_write_pin(USER_PIN);
    world_write_policy(FAULTY, "root-signing-v1", AUTHORITY);
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_DENIED);
    world_write_policy(FAULTY, "issuing-signing-v1", "self_test {}");
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_DENIED);
    world_write_policy(FAULTY, "issuing-signing-v1", AUTHORITY "\n" LOG);
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_INPUT);
    world_write_policy(FAULTY, "issuing-signing-v1",
                       "cmp {\n sender = \"issuing.der\"\n bodies = {\"ir\"}\n}");
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_INPUT);
    world_write_policy(FAULTY, "issuing-signing-v1", AUTHORITY);
    assert_int_equal(setenv("FAULTP11", "final-try no-login", 1), 0);
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_PIN);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    assert_ok(file_write(world.journal, SPAN_LITERAL("damaged line\n"), 0600, &e), &e);
    assert_null(world_start(NULL, 0, &e));
    assert_int_equal(e.code, ERR_STORE);
}

static void
the_pin_may_come_through_a_descriptor(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(fd_cleanup) int fd = memfd_create("pin", MFD_CLOEXEC);
    const struct signer_options options = {
        .program = TEST_BINARY_DIR "/nfpki-signer", .policy = world.policy, .pin_fd = fd};
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct pollfd nothing = {.fd = -1};

    (void)state;
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_true(write(fd, USER_PIN.p, USER_PIN.n) > 0);
    s = signer_start(&options, &e);
    assert_non_null(s);
    assert_int_equal(test_kill(signer_pid(s), SIGKILL), 0);
    (void)poll(&nothing, 0, 50);
    departure_make(NOTHING, &tbs);
    if (departure_sign(s, buf_span(&tbs), &signature, &e) != 0) {
        assert_ok(departure_sign(s, buf_span(&tbs), &signature, &e), &e);
    }
}

static void
a_fresh_process_proves_a_new_key(void **state)
{
    struct err e = {0};
    CLEANUP(buf_free) struct buf root = BUF_INIT(SPKI_MAX);
    CLEANUP(mem_cleanup) char *spki = mem_printf("%s/key.spki", world.dir);
    struct module *m;
    struct session *session;
    bool signed_text = false;

    (void)state;
    world_write_policy(SOFTHSM_MODULE, "issuing-signing-v1", "self_test {}");
    assert_ok(signer_self_test(TEST_BINARY_DIR "/nfpki-signer", world.policy, -1, 0,
                               buf_span(&world.spki), &signed_text, &e),
              &e);
    assert_true(signed_text);
    assert_err(signer_self_test(TEST_BINARY_DIR "/nfpki-signer", world.policy, -1, 0,
                                span_of(world.spki.p, world.spki.n - 1), &signed_text, &e),
               ERR_DENIED, &e);
    /* a token that does not sign says so, too */
    world_write_policy(FAULTY, "issuing-signing-v1", "self_test {}");
    assert_int_equal(setenv("FAULTP11", "sign-fails", 1), 0);
    assert_err(signer_self_test(TEST_BINARY_DIR "/nfpki-signer", world.policy, -1, 0,
                                buf_span(&world.spki), &signed_text, &e),
               ERR_TOKEN, &e);
    assert_non_null(strstr(e.text, "CKR_DEVICE_ERROR"));
    assert_int_equal(unsetenv("FAULTP11"), 0);
    m = module_open(SOFTHSM_MODULE, NULL, &e);
    session = session_open(m, TOKEN, world.serial, SESSION_READ_WRITE, &e);
    assert_ok(session_login(session, USER_PIN, &e), &e);
    assert_ok(key_generate(session, key_policy_find("root-signing-v1", &e), KEY_P384, "root",
                           world.id, &root, &e),
              &e);
    session_close(session);
    module_close(m);
    assert_ok(file_write(spki, buf_span(&root), 0600, &e), &e);
    world_write_policy(SOFTHSM_MODULE, "root-signing-v1", "self_test {}");
    assert_ok(signer_self_test(TEST_BINARY_DIR "/nfpki-signer", world.policy, -1, 0,
                               buf_span(&root), &signed_text, &e),
              &e);
    assert_false(signed_text);
}

/* Every frame but SIGN, and what is no frame: the parent is broken. */
static void
a_frame_that_is_no_job_ends_the_signer(void **state)
{
    static const struct {
        uint8_t octets[SIGNER_FRAME_HEAD];
        size_t n;
        const char *reason;
    } rows[] = {
        {{1}, SIGNER_FRAME_HEAD, "a frame of type 1 from the parent"},
        {{2}, SIGNER_FRAME_HEAD, "a frame of type 2 from the parent"},
        {{4}, SIGNER_FRAME_HEAD, "a frame of type 4 from the parent"},
        {{5}, SIGNER_FRAME_HEAD, "a frame of type 5 from the parent"},
        {{6}, SIGNER_FRAME_HEAD, "a frame of type 6 from the parent"},
        {{7}, SIGNER_FRAME_HEAD, "a frame of unknown type 7"},
        {{3}, SIGNER_FRAME_HEAD - 1, "a frame of 9 octets, 10 are the least"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf in = BUF_INIT(SIGNER_ANSWER_MAX);
        struct signer_hello hello = {.spki = BUF_INIT(SPKI_MAX)};
        struct child child = {.pid = -1, .fd = -1};
        struct signer_frame frame = {0};
        struct err e = {0};

        assert_ok(signer_greet(TEST_BINARY_DIR "/nfpki-signer", world.policy, -1, false,
                               SIGNER_TIMEOUT_MS, &child, &in, &hello, &e),
                  &e);
        assert_ok(frame_write(child.fd, span_of(rows[i].octets, rows[i].n), SIGNER_TIMEOUT_MS, &e),
                  &e);
        assert_ok(signer_read_frame(child.fd, SIGNER_TIMEOUT_MS, &in, &frame, &e), &e);
        assert_int_equal(frame.type, SIGNER_FAILED);
        assert_int_equal(frame.detail, ERR_INPUT);
        assert_true(span_equal(frame.bytes, span_str(rows[i].reason)));
        child_stop(&child, SIGNER_TIMEOUT_MS);
        buf_free(&hello.spki);
    }
    assert_int_equal(journal_lines(), 1); /* nothing was signed */
}

static int
run_signer(char *const argv[])
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (freopen("/dev/null", "w", stderr) != NULL) {
            (void)execv(argv[0], argv);
        }
        _exit(99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
options_that_it_does_not_know_are_misuse(void **state)
{
    char program[] = TEST_BINARY_DIR "/nfpki-signer";
    char policy[] = "--policy";
    char file[] = "/nonexistent";
    char pin_fd[] = "--pin-fd";
    char three[] = "3";
    char thousand[] = "1024";
    char words[] = "4x";
    char other[] = "--sign";
    char *const rows[][6] = {
        {program, NULL},
        {program, policy, NULL},
        {program, policy, file, file, NULL},
        {program, policy, file, other, NULL},
        {program, policy, file, pin_fd, three, NULL},
        {program, policy, file, pin_fd, thousand, NULL},
        {program, policy, file, pin_fd, words, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (run_signer(rows[i]) != 2) {
            fail_msg("row %zu", i);
        }
    }
}

enum { JOBS = 200 };

static int jobs_done;

static void
job_done(struct task *task)
{
    const struct signer_job *job = CONTAINER_OF(task, struct signer_job, task);

    if (job->result != 0) {
        fail_msg("%s", job->e.text);
    }
    world_verify(job->tbs, &job->signature);
    jobs_done++;
}

static void
many_jobs_come_back_through_the_loop(void **state)
{
    static struct signer_job jobs[JOBS];
    struct err e = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(EVIDENCE_MAX);
    struct tasks *finished = tasks_new(&e);
    struct signer *s = world_start(finished, 0, &e);

    (void)state;
    assert_non_null(s);
    departure_make(NOTHING, &tbs);
    scene_log_announce(&world.ledger, buf_span(&tbs), &evidence);
    jobs_done = 0;
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct signer_job){.task.done = job_done,
                                      .object = SIGNER_CERTIFICATE,
                                      .tbs = buf_span(&tbs),
                                      .evidence = buf_span(&evidence)};
        signer_submit(s, &jobs[i]);
    }
    while (jobs_done < JOBS) {
        struct pollfd p = {.fd = tasks_fd(finished), .events = POLLIN};

        (void)poll(&p, 1, -1);
        tasks_finish(finished);
    }
    assert_int_equal(signer_attempts(s), JOBS);
    signer_free(s);
    tasks_free(finished);
    for (size_t i = 0; i < JOBS; i++) {
        buf_free(&jobs[i].signature);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_journal_has_the_line_before_the_token_signs),
        TEST(a_killed_or_hanging_signer_is_started_again),
        TEST(a_hanging_signer_does_not_outlive_its_parent),
        TEST(a_wrong_signature_of_the_token_does_not_leave),
        TEST(a_signer_with_another_policy_is_not_accepted),
        TEST(a_refused_pin_is_not_tried_again),
        TEST(a_start_that_cannot_be_says_why),
        TEST(the_pin_may_come_through_a_descriptor),
        TEST(a_fresh_process_proves_a_new_key),
        TEST(a_frame_that_is_no_job_ends_the_signer),
        TEST(options_that_it_does_not_know_are_misuse),
        TEST(many_jobs_come_back_through_the_loop),
    };

    return cmocka_run_group_tests(tests, world_make, world_free);
}
