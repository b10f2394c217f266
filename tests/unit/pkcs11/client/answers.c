/* SPDX-License-Identifier: Apache-2.0 */
/* What the client does with a signer that answers something else (fakesigner.c). */
#include "tests/support/test.h"

#include "pkcs11/client/client.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "pkcs11/client/attempted.h"
#include "pkcs11/client/evidence.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define FAKE TEST_BINARY_DIR "/fakesigner"
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"
/* The generator of P-256, and twice it. */
#define P256 "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
#define KEY                                                                                        \
    P256 "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"                        \
         "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define OTHER                                                                                      \
    P256 "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"                        \
         "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1"
#define HELLO(attempts, hash, key)                                                                 \
    "send 0101000000000000" attempts "04" hash "0000000000000003" key "\n"
#define RIGHT HELLO("0005", HASH "ff", KEY)
#define N(number) "000000000000000" number
#define SIGNED(number) "send 0400" N(number) "616263\n"

enum { TIMEOUT_MS = 60000 };

static char *dir;
static char *script;

static int
setup(void **state)
{
    (void)state;
    dir = tmpdir_new();
    script = mem_printf("%s/script", dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mem_free(script);
    tmpdir_remove(dir);
    return 0;
}

static void
say(const char *hello, const char *text)
{
    CLEANUP(mem_cleanup) char *all = mem_printf("%s%s", hello, text);
    struct err e = {0};

    assert_ok(file_write(script, span_str(all), 0600, &e), &e);
}

static struct signer *
start(struct tasks *finished, int timeout_ms)
{
    const struct signer_options options = {.program = FAKE,
                                           .policy = script,
                                           .pin_fd = -1,
                                           .timeout_ms = timeout_ms,
                                           .finished = finished};
    struct err e = {0};
    struct signer *s = signer_start(&options, &e);

    if (s == NULL) {
        fail_msg("%s", e.text);
    }
    return s;
}

static const struct {
    const char *name;
    const char *says;
    enum err_code code;
    const char *reason; /* NULL: signed */
    bool lives;         /* the process is kept */
    uint64_t attempts;
} ANSWERS[] = {
    {"signed", SIGNED("1"), ERR_NONE, NULL, true, 6},
    {"refused: input", "send 0501" N("1") "6e6f\n", ERR_INPUT, "no", true, 5},
    {"refused: denied", "send 0502" N("1") "6e6f\n", ERR_DENIED, "no", true, 5},
    {"refused: not found", "send 0503" N("1") "6e6f\n", ERR_NOTFOUND, "no", false, 5},
    {"refused: token", "send 0507" N("1") "6e6f\n", ERR_TOKEN, "no", false, 5},
    {"refused: PIN", "send 0506" N("1") "6e6f\n", ERR_PIN, "no", false, 5},
    {"refused: no reason", "send 0500" N("1") "6e6f\n", ERR_TOKEN, "no", false, 5},
    {"an answer to another job", SIGNED("2"), ERR_TOKEN,
     "the signer answered a job that is not there", false, 5},
    {"a refusal of another job", "send 0502" N("0") "6e6f\n", ERR_TOKEN,
     "the signer answered a job that is not there", false, 5},
    {"a HELLO", "send 0100" N("1") "\n", ERR_TOKEN, "the signer answered with a frame of type 1",
     false, 5},
    {"a SIGN", "send 0354" N("1") "00000000\n", ERR_TOKEN,
     "the signer answered with a frame of type 3", false, 5},
    {"a PROVED", "send 0601" N("1") "\n", ERR_TOKEN, "the signer answered with a frame of type 6",
     false, 5},
    {"failed: denied", "send 0202" N("0") "6e6f\n", ERR_TOKEN, "no", false, 5},
    {"failed: PIN", "send 0206" N("0") "6e6f\n", ERR_PIN, "no", false, 5},
    {"an unknown frame", "send 0700" N("1") "\n", ERR_TOKEN, "a frame of unknown type 7", false, 5},
    {"half a head", "send 0400\n", ERR_TOKEN, "a frame of 2 octets", false, 5},
    {"a frame too long", "raw 0000400100\n", ERR_TOKEN, "", false, 5},
};

static void
each_answer_is_taken_for_what_it_is(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ANSWERS); i++) {
        CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
        CLEANUP(mem_cleanup) char *says = mem_printf("read\n%sstay\n", ANSWERS[i].says);
        CLEANUP(signer_cleanup) struct signer *s = NULL;
        struct err e = {0};
        pid_t pid;
        bool row;

        say(RIGHT, says);
        s = start(NULL, TIMEOUT_MS);
        pid = signer_pid(s);
        assert_ok(buf_append_str(&signature, "what was there", &e), &e);
        row = scene_expect(ANSWERS[i].name,
                           signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("tbs"), &signature, &e),
                           &e, ANSWERS[i].code, ANSWERS[i].reason);
        if (ANSWERS[i].reason == NULL) {
            row = row && span_equal(buf_span(&signature), SPAN_LITERAL("abc"));
        }
        row = row && signer_attempts(s) == ANSWERS[i].attempts;
        if (ANSWERS[i].lives) {
            row = row && signer_pid(s) == pid;
        } else {
            while (signer_pid(s) != -1) { /* after its last answer */
                (void)poll(NULL, 0, 1);
            }
        }
        if (!row) {
            print_error("row '%s'\n", ANSWERS[i].name);
        }
        good += row;
    }
    assert_int_equal(good, ARRAY_LEN(ANSWERS));
}

/* What is no size and no hash is not believed; and none of it is an attempt to sign. */
static void
a_last_checkpoint_is_whole_or_refused(void **state)
{
#define SIZE_7 "0000000000000007"
    static const struct {
        const char *name;
        const char *says;
        enum err_code code;
        const char *reason;
    } rows[] = {
        {"right", "send 0400" N("1") SIZE_7 HASH "ff\n", ERR_NONE, NULL},
        {"refused", "send 0502" N("1") "6e6f\n", ERR_DENIED, "no"},
        {"short", "send 0400" N("1") SIZE_7 HASH "\n", ERR_INPUT, "not a size and a hash"},
        {"long", "send 0400" N("1") SIZE_7 HASH "ff00\n", ERR_INPUT, "not a size and a hash"},
        {"nothing", "send 0400" N("1") "\n", ERR_INPUT, "not a size and a hash"},
    };
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *says = mem_printf("read\n%sstay\n", rows[i].says);
        CLEANUP(signer_cleanup) struct signer *s = NULL;
        struct signed_last last = {0};
        struct err e = {0};

        say(RIGHT, says);
        s = start(NULL, TIMEOUT_MS);
        good += scene_expect(rows[i].name, signer_last(s, &last, &e), &e, rows[i].code,
                             rows[i].reason) &&
                (rows[i].reason != NULL || (last.size == 7 && last.root[31] == 0xff)) &&
                signer_attempts(s) == 5;
    }
    assert_int_equal(good, ARRAY_LEN(rows));
}

static void
the_hello_is_given_out(void **state)
{
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    CLEANUP(mem_cleanup) char *key = NULL;
    CLEANUP(mem_cleanup) char *hash = NULL;

    (void)state;
    say(RIGHT, "stay\n");
    s = start(NULL, 0);
    key = hex_dup(signer_spki(s));
    hash = hex_dup(signer_policy_hash(s));
    assert_string_equal(key, KEY);
    assert_string_equal(hash, HASH "ff");
    assert_int_equal(signer_algorithm(s), KEY_P256);
    assert_true(span_equal(signer_algorithm_identifier(s), key_algorithm_identifier(KEY_P256)));
    assert_true(signer_is_software(s));
    assert_int_equal(signer_attempts(s), 5);
    assert_int_equal(signer_signatures(s), 3);
}

/* 16 MiB is what a frame holds, and as evidence what a log may grow by at once; more, or nothing,
 * is not sent. */
static void
an_object_has_its_limits_here_too(void **state)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    uint8_t *octets = mem_zalloc(SIGNER_TBS_MAX + 1, 1);
    struct err e = {0};

    (void)state;
    say(RIGHT, "read\n" SIGNED("1") "read\n" SIGNED("2") "stay\n");
    s = start(NULL, TIMEOUT_MS);
    assert_err(signer_sign(s, SIGNER_CRL, span_of(octets, 0), &signature, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "an object of 0 octets");
    assert_err(signer_sign(s, SIGNER_CRL, span_of(octets, SIGNER_TBS_MAX + 1), &signature, &e),
               ERR_INPUT, &e);
    assert_string_equal(e.text, "an object of 16777217 octets");
    assert_err(signer_sign_logged(s, SIGNER_CHECKPOINT, span_of(octets, 96),
                                  span_of(octets, GROWTH_MAX + 1), &signature, &e),
               ERR_INPUT, &e);
    assert_string_equal(e.text, "an object of 96 octets");
    assert_ok(signer_sign_logged(s, SIGNER_CHECKPOINT, span_of(octets, SIGNER_TBS_MAX),
                                 span_of(octets, GROWTH_MAX), &signature, &e),
              &e);
    mem_free(octets);
}

static void
a_signature_has_its_limit(void **state)
{
    (void)state;
    for (size_t n = SIGNATURE_MAX; n <= SIGNATURE_MAX + 1; n++) {
        CLEANUP(buf_free) struct buf signature = BUF_INIT((size_t)2 * SIGNATURE_MAX);
        uint8_t octets[SIGNATURE_MAX + 1] = {0};
        CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(octets, n));
        CLEANUP(mem_cleanup) char *says = mem_printf("read\nsend 0400" N("1") "%s\nstay\n", hex);
        CLEANUP(signer_cleanup) struct signer *s = NULL;
        struct err e = {0};

        say(RIGHT, says);
        s = start(NULL, TIMEOUT_MS);
        if (n == SIGNATURE_MAX) {
            assert_ok(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), &e);
            assert_int_equal(signature.n, n);
        } else {
            assert_err(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e),
                       ERR_INPUT, &e);
        }
    }
}

/* What the caller's buffer cannot hold is an error, too. */
static void
a_small_buffer_is_told(void **state)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(2);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};

    (void)state;
    say(RIGHT, "read\n" SIGNED("1") "stay\n");
    s = start(NULL, TIMEOUT_MS);
    assert_err(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), ERR_INPUT,
               &e);
}

/* It has nothing to say unasked: it is ended, and the next job starts another. */
static void
a_signer_that_speaks_unasked_is_started_again(void **state)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};
    pid_t pid;

    (void)state;
    /* Both in one write: the second is there when the first is. */
    say(RIGHT, "read\nraw 0000000d0400" N("1") "6162630000000d0400" N("2") "616263\nstay\n");
    s = start(NULL, TIMEOUT_MS);
    pid = signer_pid(s);
    assert_ok(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("tbs"), &signature, &e), &e);
    say(HELLO("0006", HASH "ff", KEY), "read\nsend 0400" N("2") "646566\nstay\n");
    assert_ok(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("tbs"), &signature, &e), &e);
    assert_true(span_equal(buf_span(&signature), SPAN_LITERAL("def")));
    assert_true(signer_pid(s) != pid);
}

static void
a_signer_that_came_back_as_another_is_never_asked(void **state)
{
    static const struct {
        const char *name;
        const char *hello;
    } rows[] = {
        {"another key", HELLO("0005", HASH "ff", OTHER)},
        {"another policy", HELLO("0005", HASH "fe", KEY)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
        CLEANUP(signer_cleanup) struct signer *s = NULL;
        struct err e = {0};

        say(RIGHT, "read\n"); /* ends without an answer */
        s = start(NULL, TIMEOUT_MS);
        assert_err(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), ERR_TOKEN,
                   &e);
        say(rows[i].hello, "read\n" SIGNED("2") "stay\n");
        for (int k = 0; k < 2; k++) {
            assert_err(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e),
                       ERR_TOKEN, &e);
            if (strstr(e.text, "the signer came back with another key or policy") == NULL) {
                fail_msg("row '%s': %s", rows[i].name, e.text);
            }
            assert_int_equal(signer_pid(s), -1);
            /* The right one comes too late, also after the pause: an operator has to look. */
            say(RIGHT, "read\n" SIGNED("3") "stay\n");
            (void)poll(NULL, 0, 300);
        }
    }
}

/* What it answered is in its journal, or that is an older copy. */
static void
a_signer_that_came_back_with_fewer_attempts_is_not_asked(void **state)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};

    (void)state;
    say(RIGHT, "read\n" SIGNED("1") "read\n"); /* ends without a second answer */
    s = start(NULL, TIMEOUT_MS);
    assert_ok(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), &e);
    assert_err(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), ERR_TOKEN,
               &e);
    say(RIGHT, "read\n" SIGNED("3") "stay\n");
    assert_err(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), ERR_TOKEN,
               &e);
    assert_non_null(strstr(e.text, "an older journal: it has 5 attempts, and had 6"));
    assert_int_equal(signer_attempts(s), 6);
    assert_int_equal(signer_pid(s), -1);
}

struct looked {
    int times;
    enum err_code answer; /* of the next time */
    uint64_t lines;       /* that it told */
};

static int
look(void *arg, struct signer *s, struct err *e)
{
    CLEANUP(buf_free) struct buf answer = BUF_INIT(ATTEMPTED_MAX);
    struct looked *l = arg;
    struct attempted_page page;

    l->times++;
    if (signer_attempted(s, 9, &answer, e) != 0 ||
        attempted_open(buf_span(&answer), 9, &page, e) != 0) {
        return -1;
    }
    l->lines = page.lines;
    return l->answer == ERR_NONE ? 0 : err_set(e, l->answer, "it is not liked");
}

/* Before it gets a job, it is asked from within, and let go or not. */
static void
who_looks_is_asked_before_one_that_came_back_gets_a_job(void **state)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct looked l = {.answer = ERR_DENIED};
    struct err e = {0};

    (void)state;
    say(RIGHT, "read\n" SIGNED("1") "read\n");
    s = start(NULL, TIMEOUT_MS);
    signer_look(s, look, &l);
    assert_ok(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), &e);
    assert_err(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), ERR_TOKEN,
               &e);
    assert_int_equal(l.times, 0);
    say(RIGHT, "read\nsend 0400" N("3") "0000000000000004\nstay\n");
    assert_err(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), ERR_TOKEN,
               &e);
    assert_string_equal(e.text, "it is not liked");
    assert_int_equal(l.times, 1);
    assert_int_equal(l.lines, 4);
    assert_int_equal(signer_pid(s), -1);
    say(RIGHT, "read\n"); /* no answer to the question */
    assert_err(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), ERR_TOKEN,
               &e);
    assert_int_equal(l.times, 2);
    l.answer = ERR_NONE;
    say(RIGHT, "read\nsend 0400" N("5") "0000000000000004\nread\n" SIGNED("6") "stay\n");
    assert_ok(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), &e);
    assert_int_equal(l.times, 3);
    assert_int_equal(signer_attempts(s), 7); /* the question was none */
}

static void
attempts_go_on_from_the_journal_of_a_new_start(void **state)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(signer_cleanup) struct signer *s = NULL;
    struct err e = {0};

    (void)state;
    say(RIGHT, "read\n" SIGNED("1"));
    s = start(NULL, TIMEOUT_MS);
    assert_ok(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), &e);
    assert_int_equal(signer_attempts(s), 6);
    say(HELLO("0107", HASH "ff", KEY), "read\n" SIGNED("2") SIGNED("3") "stay\n");
    if (signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e) != 0) {
        /* The job that met its end. */
        assert_int_equal(e.code, ERR_TOKEN);
        say(HELLO("0107", HASH "ff", KEY), "read\n" SIGNED("3") "stay\n");
        assert_ok(signer_sign(s, SIGNER_CERTIFICATE, SPAN_LITERAL("t"), &signature, &e), &e);
    }
    assert_int_equal(signer_attempts(s), 0x107 + 1);
    assert_int_equal(signer_signatures(s), 3 + 2); /* it had not counted the first */
}

enum { JOBS = 71 };

static struct signer_job jobs[JOBS];
static size_t posted;

static void
count(struct task *task)
{
    (void)task;
    posted++;
}

static void
submit(struct signer *s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        jobs[i] = (struct signer_job){
            .task.done = count, .object = SIGNER_CERTIFICATE, .tbs = SPAN_LITERAL("t")};
        signer_submit(s, &jobs[i]);
    }
}

static void
collect(struct tasks *finished, size_t n)
{
    while (posted < n) {
        struct pollfd p = {.fd = tasks_fd(finished), .events = POLLIN};

        (void)poll(&p, 1, -1);
        tasks_finish(finished);
    }
}

/* The first job is alone with the signer, and stays until open_gate(); what is submitted meanwhile
 * is the next batch. */
#define ALONE "read\ntell taken\nuntil gate\n"

static void
submit_alone(struct signer *s)
{
    CLEANUP(mem_cleanup) char *taken = mem_printf("%s/taken", dir);
    CLEANUP(mem_cleanup) char *gate = mem_printf("%s/gate", dir);

    (void)unlink(taken);
    (void)unlink(gate);
    submit(s, 0, 1);
    while (access(taken, F_OK) != 0) {
        (void)poll(NULL, 0, 1);
    }
}

static void
open_gate(void)
{
    CLEANUP(mem_cleanup) char *gate = mem_printf("%s/gate", dir);
    struct err e = {0};

    assert_ok(file_write(gate, SPAN_LITERAL(""), 0600, &e), &e);
}

static void
answers_in_another_order_find_their_jobs(void **state)
{
    struct err e = {0};
    struct tasks *finished = tasks_new(&e);
    struct signer *s;

    (void)state;
    posted = 0;
    say(RIGHT, ALONE "send 0400" N("1") "61\nread\nread\nsend 0400" N("3") "63\nsend 0502" N(
                   "2") "6e6f\nstay\n");
    s = start(finished, TIMEOUT_MS);
    submit_alone(s);
    submit(s, 1, 3);
    assert_int_equal(signer_waiting(s), 3);
    open_gate();
    collect(finished, 3);
    assert_int_equal(signer_waiting(s), 0);
    assert_ok(jobs[0].result, &jobs[0].e);
    assert_true(span_equal(buf_span(&jobs[0].signature), SPAN_LITERAL("a")));
    assert_int_equal(jobs[1].result, -1);
    assert_int_equal(jobs[1].e.code, ERR_DENIED);
    assert_ok(jobs[2].result, &jobs[2].e);
    assert_true(span_equal(buf_span(&jobs[2].signature), SPAN_LITERAL("c")));
    signer_free(s);
    tasks_free(finished);
    for (size_t i = 0; i < 3; i++) {
        buf_free(&jobs[i].signature);
    }
}

/* One that is too large does not take the others of its batch with it. */
static void
a_job_that_cannot_be_sent_leaves_the_others(void **state)
{
    struct err e = {0};
    struct tasks *finished = tasks_new(&e);
    struct signer *s;

    (void)state;
    posted = 0;
    say(RIGHT, ALONE SIGNED("1") "read\nread\n" SIGNED("3") SIGNED("2") "stay\n");
    s = start(finished, TIMEOUT_MS);
    submit_alone(s);
    jobs[1] = (struct signer_job){.task.done = count, .object = SIGNER_CERTIFICATE};
    signer_submit(s, &jobs[1]);
    submit(s, 2, 4);
    open_gate();
    collect(finished, 4);
    assert_int_equal(jobs[1].result, -1);
    assert_string_equal(jobs[1].e.text, "an object of 0 octets");
    assert_ok(jobs[0].result, &jobs[0].e);
    assert_ok(jobs[2].result, &jobs[2].e);
    assert_ok(jobs[3].result, &jobs[3].e);
    signer_free(s);
    tasks_free(finished);
    for (size_t i = 0; i < 4; i++) {
        buf_free(&jobs[i].signature);
    }
}

static void
what_waits_is_posted_when_the_client_stops(void **state)
{
    struct err e = {0};
    struct tasks *finished = tasks_new(&e);
    struct signer *s;

    (void)state;
    posted = 0;
    say(RIGHT, "read\nstay\n");
    s = start(finished, 200);
    submit(s, 0, JOBS);
    signer_free(s);
    collect(finished, JOBS);
    assert_int_equal(posted, JOBS);
    for (size_t i = 0; i < JOBS; i++) {
        assert_int_equal(jobs[i].result, -1);
        assert_int_equal(jobs[i].e.code, ERR_TOKEN);
        buf_free(&jobs[i].signature);
    }
    /* More than one batch was there. */
    assert_string_equal(jobs[JOBS - 1].e.text, "the signer was stopped");
    tasks_free(finished);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_is_taken_for_what_it_is),
        cmocka_unit_test(a_last_checkpoint_is_whole_or_refused),
        cmocka_unit_test(the_hello_is_given_out),
        cmocka_unit_test(an_object_has_its_limits_here_too),
        cmocka_unit_test(a_signature_has_its_limit),
        cmocka_unit_test(a_small_buffer_is_told),
        cmocka_unit_test(a_signer_that_speaks_unasked_is_started_again),
        cmocka_unit_test(a_signer_that_came_back_as_another_is_never_asked),
        cmocka_unit_test(a_signer_that_came_back_with_fewer_attempts_is_not_asked),
        cmocka_unit_test(who_looks_is_asked_before_one_that_came_back_gets_a_job),
        cmocka_unit_test(attempts_go_on_from_the_journal_of_a_new_start),
        cmocka_unit_test(answers_in_another_order_find_their_jobs),
        cmocka_unit_test(a_job_that_cannot_be_sent_leaves_the_others),
        cmocka_unit_test(what_waits_is_posted_when_the_client_stops),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
