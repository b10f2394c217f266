/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pkcs11/service/service.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/kill.h"
#include "tests/support/softhsm.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define PROGRAM TEST_BINARY_DIR "/nfpki-signer"
#define TOKEN "service"
#define ORIGIN "log.example"

enum { PAUSE_MS = 20, TRIES = 3000, LOG_MAX = 1024 * 1024, HELLO_MS = 60000 };

/* ---- files ---- */

static void
make_token(struct world *w)
{
    struct err e = {0};
    struct token t;
    struct module *m = module_open(SOFTHSM_MODULE, NULL, &e);
    struct session *s;

    assert_non_null(m);
    assert_ok(module_init_token(m, TOKEN, SPAN_LITERAL("so-pin-0123456789"), USER_PIN, &t, &e), &e);
    s = session_open(m, TOKEN, t.serial, SESSION_READ_WRITE, &e);
    assert_non_null(s);
    assert_ok(session_login(s, USER_PIN, &e), &e);
    w->spki = BUF_INIT(SPKI_MAX);
    assert_ok(key_generate(s, key_policy_find("log-signing-v1", &e), KEY_P256, "log", w->id,
                           &w->spki, &e),
              &e);
    memcpy(w->serial, t.serial, sizeof(t.serial));
    session_close(s);
    module_close(m);
}

int
world_make(void **state)
{
    struct world *w = mem_new(sizeof(*w));

    w->dir = tmpdir_new();
    w->policy = mem_printf("%s/signer.conf", w->dir);
    w->socket = mem_printf("%s/socket", w->dir);
    w->journal = mem_printf("%s/journal", w->dir);
    w->log = mem_printf("%s/log", w->dir);
    w->stands = mem_printf("%s/stands", w->dir);
    softhsm_use(w->dir);
    make_token(w);
    *state = w;
    return 0;
}

int
world_free(void **state)
{
    struct world *w = *state;

    buf_free(&w->spki);
    mem_free(w->policy);
    mem_free(w->socket);
    mem_free(w->journal);
    mem_free(w->log);
    mem_free(w->stands);
    tmpdir_remove(w->dir);
    mem_free(w);
    return 0;
}

void
write_pin(const struct world *w, struct span pin)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/t.pin", w->dir);
    struct err e = {0};

    assert_ok(file_write(path, pin, 0600, &e), &e);
}

void
write_policy_for(const struct world *w, const char *more, const char *purpose)
{
    struct err e = {0};
    char id[2 * KEY_ID_SIZE + 1];
    CLEANUP(mem_cleanup) char *spki = mem_printf("%s/key.spki", w->dir);
    CLEANUP(mem_cleanup) char *text = NULL;

    hex_format(span_of(w->id, sizeof(w->id)), id);
    text = mem_printf("module = \"" TEST_BINARY_DIR "/faultp11.so\"\n"
                      "module_config = \"softhsm2.conf\"\ntoken = \"" TOKEN "\"\n"
                      "serial = \"%s\"\nkey_id = \"%s\"\npublic_key = \"key.spki\"\n"
                      "attributes = \"log-signing-v1\"\ncredential = \"t.pin\"\n"
                      "journal = \"journal\"\n%s\n%s\n",
                      w->serial, id, more, purpose);
    assert_ok(file_write(spki, buf_span(&w->spki), 0600, &e), &e);
    assert_ok(file_write(w->policy, span_str(text), 0600, &e), &e);
}

void
write_policy(const struct world *w, const char *more)
{
    write_policy_for(w, more, "log { origin = \"" ORIGIN "\" }");
}

void
stands(const struct world *w, bool on)
{
    struct err e = {0};

    if (on) {
        assert_ok(file_write(w->stands, SPAN_LITERAL("x"), 0600, &e), &e);
    } else {
        assert_int_equal(unlink(w->stands), 0);
    }
}

int
service_setup(void **state)
{
    struct world *w = *state;

    (void)unlink(w->journal);
    (void)unlink(w->log);
    (void)unlink(w->stands);
    (void)unlink(w->socket);
    w->service = -1;
    w->client = getuid();
    w->pin_fd = -1;
    w->deadline_ms = DEADLINE_MS;
    w->more = "";
    scene_log_begin(&w->ledger, ORIGIN);
    write_pin(w, USER_PIN);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", w->dir, 1), 0);
    assert_int_equal(setenv("FAULTP11_FILE", w->stands, 1), 0);
    return 0;
}

int
service_teardown(void **state)
{
    struct world *w = *state;

    if (w->service > 0) {
        (void)service_stop(w, SIGTERM);
    }
    scene_log_end(&w->ledger);
    if (w->pin_fd >= 0) {
        (void)close(w->pin_fd);
    }
    return 0;
}

/* ---- the service ---- */

static pid_t
spawn(const struct world *w, const char *socket)
{
    CLEANUP(mem_cleanup) char *number = mem_printf("%d", w->pin_fd);
    pid_t pid = fork();

    if (pid == 0) {
        int log = open(w->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

        if (log >= 0 && dup2(log, STDERR_FILENO) >= 0) {
            (void)execl(PROGRAM, PROGRAM, "--policy", w->policy, "--listen", socket,
                        w->pin_fd < 0 ? NULL : "--pin-fd", number, NULL);
        }
        _exit(99);
    }
    assert_true(pid > 0);
    return pid;
}

void
service_start(struct world *w, const char *faults)
{
    CLEANUP(mem_cleanup)
    char *more = mem_printf("client_user = %u\ndeadline_ms = %d\n%s", (unsigned)w->client,
                            w->deadline_ms, w->more);
    size_t before = log_count(w, "listening");

    write_policy(w, more);
    assert_int_equal(setenv("FAULTP11", faults, 1), 0);
    w->service = spawn(w, w->socket);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    wait_log(w, "listening", before + 1);
}

static int
ended(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
service_stop(struct world *w, int signal)
{
    pid_t pid = w->service;

    w->service = -1;
    assert_int_equal(test_kill(pid, signal), 0);
    return ended(pid);
}

int
service_run(const struct world *w, const char *socket)
{
    pid_t pid = spawn(w, socket);
    int status = 0;

    for (int i = 0; waitpid(pid, &status, WNOHANG) != pid; i++) {
        if (i == TRIES) {
            (void)test_kill(pid, SIGKILL);
            (void)waitpid(pid, NULL, 0);
            fail_msg("it has started and serves %s", socket);
        }
        (void)poll(NULL, 0, PAUSE_MS);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- its log and its journal ---- */

static void
read_text(const char *path, struct buf *out)
{
    struct err e = {0};

    if (file_read(path, out, &e) != 0) {
        buf_truncate(out, 0);
    }
    assert_ok(buf_append(out, SPAN_LITERAL("\0"), &e), &e);
}

size_t
log_count(const struct world *w, const char *event)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(LOG_MAX);
    CLEANUP(mem_cleanup) char *wanted = mem_printf("\"event\":\"%s\"", event);
    size_t n = 0;

    read_text(w->log, &text);
    for (const char *at = (const char *)text.p; (at = strstr(at, wanted)) != NULL; at++) {
        n++;
    }
    return n;
}

bool
log_has(const struct world *w, const char *words)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(LOG_MAX);

    read_text(w->log, &text);
    return strstr((const char *)text.p, words) != NULL;
}

pid_t
log_session(const struct world *w)
{
    static const char wanted[] = "\"event\":\"session-ready\",\"text\":\"process ";
    CLEANUP(buf_free) struct buf text = BUF_INIT(LOG_MAX);
    const char *last = NULL;

    read_text(w->log, &text);
    for (const char *at = (const char *)text.p; (at = strstr(at, wanted)) != NULL; at++) {
        last = at;
    }
    return last == NULL ? -1 : (pid_t)strtol(last + sizeof(wanted) - 1, NULL, 10);
}

void
wait_log(const struct world *w, const char *event, size_t n)
{
    for (int i = 0; log_count(w, event) < n; i++) {
        if (i == TRIES) {
            fail_msg("the log has no %zu lines of %s", n, event);
        }
        (void)poll(NULL, 0, PAUSE_MS);
    }
}

void
wait_journal(const struct world *w, size_t attempts)
{
    size_t lines = 0;

    for (int i = 0; lines < attempts + 1 && i < TRIES; i++) { /* the first is its head */
        CLEANUP(buf_free) struct buf text = BUF_INIT(LOG_MAX);

        read_text(w->journal, &text);
        lines = 0;
        for (size_t k = 0; k < text.n; k++) {
            lines += text.p[k] == '\n' ? 1 : 0;
        }
        (void)poll(NULL, 0, PAUSE_MS);
    }
    assert_true(lines >= attempts + 1);
}

/* ---- clients ---- */

struct signer *
client_try(const struct world *w, struct err *e)
{
    const struct signer_options options = {
        .socket = w->socket, .pin_fd = -1, .timeout_ms = HELLO_MS};

    return signer_start(&options, e);
}

struct signer *
client_start(const struct world *w, struct err *e)
{
    struct signer *s = client_try(w, e);

    for (int i = 0; s == NULL && e->code == ERR_TOKEN && i < TRIES; i++) {
        (void)poll(NULL, 0, PAUSE_MS);
        s = client_try(w, e);
    }
    if (s == NULL) {
        fail_msg("%s: %s", err_code_name(e->code), e->text);
    }
    return s;
}

/* A leaf more, and the checkpoint over all with its evidence. */
static void
next_checkpoint(struct world *w, struct buf *text, struct buf *evidence)
{
    struct checkpoint c = {.size = w->ledger.n + 1};
    struct err e = {0};

    (void)scene_log_add(&w->ledger, span_of(&c.size, sizeof(c.size)));
    c.root = scene_log_root(&w->ledger, c.size);
    memcpy(c.origin, ORIGIN, sizeof(ORIGIN));
    assert_ok(checkpoint_text(&c, text, &e), &e);
    scene_log_growth(&w->ledger, 0, c.size, evidence);
}

int
client_sign(struct world *w, struct signer *s, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(GROWTH_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    enum key_algorithm algorithm;

    next_checkpoint(w, &text, &evidence);
    if (signer_sign_logged(s, SIGNER_CHECKPOINT, buf_span(&text), buf_span(&evidence), &signature,
                           e) != 0) {
        return -1;
    }
    key = key_public_parse(buf_span(&w->spki), &algorithm, e);
    assert_ok(key_public_verify(key, algorithm, buf_span(&text), buf_span(&signature), e), e);
    return 0;
}

void
client_sign_soon(struct world *w, struct signer *s, enum err_code meanwhile)
{
    struct err e = {0};
    int i = 0;

    while (client_sign(w, s, &e) != 0) {
        if ((e.code != ERR_TOKEN && e.code != meanwhile) || i++ == TRIES / 10) {
            fail_msg("%s: %s", err_code_name(e.code), e.text);
        }
        (void)poll(NULL, 0, PAUSE_MS);
    }
}

static bool
next_frame(int fd, struct buf *in, struct signer_frame *frame)
{
    struct err e = {0};

    return frame_read(fd, SIGNER_ANSWER_MAX, in, HELLO_MS, &e) == 0 &&
           signer_frame_decode(buf_span(in), frame, &e) == 0;
}

bool
greeted(int fd)
{
    CLEANUP(buf_free) struct buf in = BUF_INIT(SIGNER_ANSWER_MAX);
    struct signer_frame frame;

    return next_frame(fd, &in, &frame) && frame.type == SIGNER_HELLO;
}

bool
closed(int fd)
{
    CLEANUP(buf_free) struct buf in = BUF_INIT(SIGNER_ANSWER_MAX);
    struct err e = {0};

    return frame_read(fd, SIGNER_ANSWER_MAX, &in, HELLO_MS, &e) != 0 && e.code == ERR_NOTFOUND;
}

bool
told(int fd, enum err_code code, const char *text)
{
    CLEANUP(buf_free) struct buf in = BUF_INIT(SIGNER_ANSWER_MAX);
    struct signer_frame frame;

    return next_frame(fd, &in, &frame) && frame.type == SIGNER_FAILED && frame.detail == code &&
           memmem(frame.bytes.p, frame.bytes.n, text, strlen(text)) != NULL;
}

void
ask(struct world *w, int fd)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf evidence = BUF_INIT(GROWTH_MAX);
    CLEANUP(buf_free) struct buf body = BUF_INIT(SIGNER_FRAME_MAX);
    struct signer_frame frame = {.type = SIGNER_SIGN, .detail = SIGNER_CHECKPOINT, .number = 1};
    struct err e = {0};

    next_checkpoint(w, &text, &evidence);
    frame.bytes = buf_span(&text);
    frame.evidence = buf_span(&evidence);
    assert_ok(signer_frame_encode(&frame, &body, &e), &e);
    assert_ok(frame_write(fd, buf_span(&body), HELLO_MS, &e), &e);
}
