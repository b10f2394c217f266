/* SPDX-License-Identifier: Apache-2.0 */
/* The program itself: its arguments, what it says from its start to its end, and its status. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/kill.h"
#include "tests/unit/ra/running.h"

enum { ARGS_MAX = 4, SAID_MAX = 256 * 1024, PATIENCE_MS = 60 * 1000 };

struct program {
    struct running *w;
    pid_t pid;
    int fd;     /* what it says, on both */
    char *said; /* of SAID_MAX octets */
    size_t n;
    bool is_over; /* it has closed both */
};

static struct program
start(struct running *w, const char *const *args)
{
    struct program p = {.w = w, .said = mem_zalloc(1, SAID_MAX)};
    char *argv[ARGS_MAX + 2] = {(char[]){"nfpki-ra"}};
    int to[2];

    for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++) {
        argv[i + 1] = (char *)(uintptr_t)args[i];
    }
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    p.pid = fork();
    assert_true(p.pid >= 0);
    if (p.pid == 0) {
        (void)dup2(to[1], 1);
        (void)dup2(to[1], 2);
        (void)execv(TEST_BINARY_DIR "/nfpki-ra", argv);
        _exit(99);
    }
    (void)close(to[1]);
    p.fd = to[0];
    assert_int_equal(fcntl(p.fd, F_SETFL, O_NONBLOCK), 0);
    return p;
}

/* One turn: of the CA's loop, and of what the program says. */
static void
turn(struct program *p)
{
    ssize_t n = read(p->fd, p->said + p->n, SAID_MAX - 1 - p->n);

    p->n += n > 0 ? (size_t)n : 0;
    p->is_over = n == 0;
    if (n < 0) {
        assert_int_equal(errno, EAGAIN);
        running_for(p->w, 1);
    }
}

static void
says(struct program *p, const char *text)
{
    const int64_t end = clock_monotonic_ms() + PATIENCE_MS;

    while (strstr(p->said, text) == NULL) {
        turn(p);
        if (p->is_over || clock_monotonic_ms() > end) {
            fail_msg("no \"%s\" in:\n%s", text, p->said);
        }
    }
}

static size_t
count(const struct program *p, const char *text)
{
    size_t n = 0;

    for (const char *at = p->said; (at = strstr(at, text)) != NULL; at++) {
        n++;
    }
    return n;
}

static void
ends(struct program *p, int status)
{
    const int64_t end = clock_monotonic_ms() + PATIENCE_MS;
    int got = 0;

    while (!p->is_over) {
        turn(p);
        if (clock_monotonic_ms() > end) {
            fail_msg("it does not end:\n%s", p->said);
        }
    }
    assert_int_equal(waitpid(p->pid, &got, 0), p->pid);
    if (!WIFEXITED(got) || WEXITSTATUS(got) != status) {
        fail_msg("%d instead of %d:\n%s", got, status, p->said);
    }
    (void)close(p->fd);
}

static void
program_free(struct program *p)
{
    mem_free(p->said);
    p->said = NULL;
}

static char *
path_of(const struct running *w, const char *name)
{
    return mem_printf("%s/%s", w->dir, name);
}

/* The configuration of the group with this option, in place of its own. */
static char *
configure(const struct running *w, const char *name, const char *option)
{
    CLEANUP(mem_cleanup) char *from = path_of(w, "nfpki-ra.conf");
    CLEANUP(buf_free) struct buf text = BUF_INIT(SAID_MAX);
    CLEANUP(buf_free) struct buf out = BUF_INIT(SAID_MAX);
    const size_t n = strcspn(option, "=");
    char *path = path_of(w, name);
    struct err e = {0};

    assert_ok(file_read(from, &text, &e), &e);
    for (size_t at = 0; at < text.n;) {
        const char *line = (const char *)text.p + at;
        const char *end = memchr(line, '\n', text.n - at);
        size_t length = (size_t)(end - line) + 1;

        assert_non_null(end);
        if (n == 0 || strncmp(line, option, n) != 0) {
            assert_ok(buf_append(&out, span_of(line, length), &e), &e);
        }
        at += length;
    }
    assert_ok(buf_append_str(&out, option, &e), &e);
    assert_ok(file_write(path, buf_span(&out), 0600, &e), &e);
    return path;
}

/* ---- arguments ---- */

#define USAGE                                                                                      \
    "usage: nfpki-ra [--config FILE] [--check | --verify | --seal]\n"                              \
    "       nfpki-ra --help | --version\n"                                                         \
    "Registration authority; see nfpki-ra(8) and nfpki-ra.conf(5).\n"

static void
an_argument_that_is_none_ends_with_2(void **state)
{
    static const struct {
        const char *args[ARGS_MAX];
        int status;
        const char *said;
    } rows[] = {
        {{"--help"}, 0, USAGE},
        {{"-h"}, 0, USAGE},
        {{"--version"}, 0, "nfpki-ra " NFPKI_VERSION "\n"},
        {{"-V"}, 0, "nfpki-ra " NFPKI_VERSION "\n"},
        {{"--nonsense"}, 2, "nfpki-ra: unrecognized option '--nonsense'\n" USAGE},
        {{"--config"}, 2, "nfpki-ra: option '--config' requires an argument\n" USAGE},
        {{"more"}, 2, USAGE},
        {{"--check", "more"}, 2, USAGE},
        {{"--check", "--seal"}, 2, USAGE},
        {{"--verify", "--seal"}, 2, USAGE},
        {{"--seal", "more"}, 2, USAGE},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(program_free) struct program p = start(*state, rows[i].args);

        ends(&p, rows[i].status);
        assert_string_equal(p.said, rows[i].said);
    }
}

static void
what_is_wrong_before_the_start_is_said(void **state)
{
    struct running *w = *state;
    static const struct {
        const char *more;
        bool check;
        int status;
        const char *says[2];
    } rows[] = {
        {"", true, 0, {"", ""}},
        {"alias \"/a/b\" {\n profile = \"nf-tls\"\n}\n", true, 0, {"", ""}},
        {"alias \"/a/b\" {\n profile = \"nf-tl\"\n}\n",
         true,
         2,
         {"start-failed", "alias \\\"/a/b\\\": no profile of network functions is \\\"nf-tl\\\""}},
        {"alias \"/a/b\" {\n profile = \"nf-tl\"\n}\n",
         false,
         2,
         {"start-failed", "no profile of network functions"}},
        {"nonsense = 1\n", true, 2, {"start-failed", "configuration"}},
        {"ra_certificate = \"issuing.pem\"\n", true, 1, {"start-failed", "configuration"}},
        {"ra_certificate = \"issuing.pem\"\n", false, 1, {"start-failed", "see nfpki-ra(8)"}},
        {"ra_certificate = \"nothing.pem\"\n", false, 1, {"start-failed", "see nfpki-ra(8)"}},
        {"signer_policy = \"nothing.conf\"\n",
         false,
         1,
         {"start-failed", "see nfpki-ra(8): signer: "}},
        {"state_dir = \"ra.der/state\"\n", false, 1, {"start-failed", "ra.der"}},
        {"admin_socket = \"nothing/admin.sock\"\n", false, 1, {"start-failed", "see nfpki-ra(8)"}},
        {"listen = {\"127.0.0.1:0\", \"192.0.2.1:1\"}\n",
         false,
         1,
         {"start-failed", "listen on 192.0.2.1:1"}},
        {"admin_listen = {\"192.0.2.1:1\"}\n", false, 1, {"start-failed", "listen on 192.0.2.1:1"}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *conf = configure(w, "row.conf", rows[i].more);
        const char *const args[] = {"--config", conf, rows[i].check ? "--check" : NULL, NULL};
        CLEANUP(program_free) struct program p = start(w, args);

        ends(&p, rows[i].status);
        if (strstr(p.said, rows[i].says[0]) == NULL || strstr(p.said, rows[i].says[1]) == NULL ||
            strstr(p.said, "\"ready\"") != NULL || (rows[i].status == 0 && p.said[0] != '\0')) {
            fail_msg("row %zu:\n%s", i, p.said);
        }
    }
}

static void
what_seals_secrets_must_be_there(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *conf = configure(w, "unsealed.conf", "");
    CLEANUP(mem_cleanup) char *key = path_of(w, "ra-seal-key");
    CLEANUP(mem_cleanup) char *away = path_of(w, "away");
    CLEANUP(program_free) struct program p = {0};

    assert_int_equal(rename(key, away), 0);
    p = start(w, (const char *const[]){"--config", conf, NULL, NULL});
    ends(&p, 1);
    assert_int_equal(rename(away, key), 0);
    assert_non_null(strstr(p.said, "see nfpki-ra(8): no key seals one-time secrets"));
    assert_null(strstr(p.said, "\"ready\""));
}

/* The token of these tests has no key for it. */
static void
ra_db_is_sealed_by_a_key_of_the_token_only(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *conf = configure(w, "sealing.conf", "");
    CLEANUP(program_free)
    struct program p = start(w, (const char *const[]){"--config", conf, "--seal", NULL});

    ends(&p, 2);
    assert_non_null(strstr(p.said, "see nfpki-ra(8): --seal, and the RA's signer gives no key"));
    assert_null(strstr(p.said, "\"ready\""));
}

/* ---- from the start to the end ---- */

static unsigned
port_of(const struct program *p)
{
    static const char before[] = "serving on port ";

    return (unsigned)strtoul(strstr(p->said, before) + sizeof(before) - 1, NULL, 10);
}

static int
dial(unsigned port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static bool
is_greeted(struct running *w)
{
    return w->asked[LINK_HELLO] > 0;
}

static void
without_a_ca_it_is_ready_nevertheless(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *conf = configure(w, "alone.conf", "");
    CLEANUP(mem_cleanup) char *state_dir = path_of(w, "state");
    struct stat st;
    CLEANUP(program_free)
    struct program p = start(w, (const char *const[]){"--config", conf, NULL, NULL});
    char answer[64] = "";
    int fd;

    says(&p, "the CA is not there yet");
    says(&p, "the RA's key is in software: for tests only");
    running_ca_comes(w);
    running_until(w, is_greeted);
    says(&p, "link-up");
    assert_int_equal(kill(p.pid, SIGHUP), 0);
    says(&p, "0 TLS listeners; the configuration is read at start only");
    fd = dial(port_of(&p));
    assert_int_equal(send(fd, "GET /x HTTP/1.1\r\nHo", 19, 0), 19);
    says(&p, "\"ready\"");
    assert_int_equal(kill(p.pid, SIGTERM), 0);
    says(&p, "0 requests under way");
    assert_int_equal(kill(p.pid, SIGTERM), 0);
    assert_int_equal(kill(p.pid, SIGHUP), 0);
    running_for(w, 100); /* it does not end meanwhile */
    assert_int_equal(send(fd, "st: x\r\n\r\n", 9, 0), 9);
    assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 12);
    assert_memory_equal(answer, "HTTP/1.1 404", 12);
    (void)close(fd);
    ends(&p, 0);
    assert_non_null(strstr(p.said, "nothing under way"));
    assert_int_equal(stat(state_dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(count(&p, "\"ready\""), 1);
    assert_int_equal(count(&p, "\"stopping\""), 1);
    assert_int_equal(count(&p, "\"reloaded\""), 1);
    running_ca_goes(w);
}

static void
an_interrupt_ends_it_too(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *conf = configure(w, "other.conf", "");
    struct program p;

    w->asked[LINK_HELLO] = 0;
    running_ca_comes(w);
    p = start(w, (const char *const[]){"-c", conf, NULL, NULL});
    says(&p, "the CA is there\""); /* and it did not wait */
    assert_int_equal(count(&p, "\"ready\""), 1);
    assert_int_equal(w->asked[LINK_HELLO], 1);
    assert_int_equal(kill(p.pid, SIGINT), 0);
    ends(&p, 0);
    assert_non_null(strstr(p.said, "nothing under way"));
    program_free(&p);
    running_ca_goes(w);
}

static void
hold(struct running *w, link_peer peer, const struct link_message *m)
{
    if (m->type != LINK_SUBMIT) {
        running_ca_does(w, peer, m);
    }
}

/* The request of a network function that is registered now. */
static struct buf
request_of(struct running *w)
{
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(mem_cleanup) char *head = NULL;
    struct buf out = BUF_INIT(SAID_MAX);
    struct err e = {0};

    member_requests(&m, CMP_IR);
    head = mem_printf("POST /.well-known/cmp/p/nf-tls HTTP/1.1\r\nHost: ra\r\nContent-Type: "
                      "application/pkixcmp\r\nContent-Length: %zu\r\n\r\n",
                      m.message.n);
    assert_ok(buf_append_str(&out, head, &e), &e);
    assert_ok(buf_append(&out, buf_span(&m.message), &e), &e);
    return out;
}

/* Whoever asked is answered; and what was begun for one who has gone is brought to its end. */
static void
what_was_asked_before_the_end_is_answered(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *conf = configure(w, "asked.conf", "");

    running_ca_comes(w);
    for (int gone = 0; gone <= 1; gone++) {
        CLEANUP(program_free)
        struct program p = start(w, (const char *const[]){"--config", conf, NULL, NULL});
        CLEANUP(buf_free) struct buf request = {0};
        char answer[64] = "";
        int fd;

        says(&p, "the CA is there");
        request = request_of(w);
        w->asked[LINK_SUBMIT] = 0;
        w->ca_does = hold;
        fd = dial(port_of(&p));
        assert_int_equal(send(fd, request.p, request.n, 0), request.n);
        running_until(w, running_is_submitted);
        if (gone) {
            (void)close(fd);
        }
        assert_int_equal(kill(p.pid, SIGTERM), 0);
        says(&p, "1 requests under way");
        running_for(w, 100); /* it does not end meanwhile */
        w->ca_does = NULL;
        running_ca_does(w, w->peer,
                        &(struct link_message){.type = LINK_SUBMIT,
                                               .id = span_of(w->last_id, LINK_RID_SIZE),
                                               .body = buf_span(&w->last)});
        ends(&p, 0);
        assert_non_null(strstr(p.said, "nothing under way"));
        if (!gone) {
            assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 12);
            assert_memory_equal(answer, "HTTP/1.1 200", 12);
            (void)close(fd);
        }
    }
    running_ca_goes(w);
}

/* Its child: it starts no other. */
static pid_t
signer_of(const struct program *p)
{
    CLEANUP(mem_cleanup) char *pattern = mem_printf("/proc/%d/task/*/children", (int)p->pid);
    pid_t pid = -1;
    glob_t found;

    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc && pid <= 0; i++) {
        char text[32] = "";
        FILE *in = fopen(found.gl_pathv[i], "r");

        assert_non_null(in);
        if (fgets(text, sizeof(text), in) != NULL) { /* this thread has a child */
            pid = (pid_t)strtol(text, NULL, 10);
        }
        (void)fclose(in);
    }
    globfree(&found);
    return pid;
}

/* While nobody signs: what waits for the signature hears that, and is there at the next start. */
static void
what_waits_for_a_signature_at_the_end_is_kept(void **state)
{
    static const int ms[] = {0, 100,
                             400}; /* before the end: on its way there, asked, and waiting */
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *conf = configure(w, "waits.conf", "sync_wait = 300\n");

    running_ca_comes(w);
    for (size_t i = 0; i < ARRAY_LEN(ms); i++) {
        CLEANUP(program_free)
        struct program p = start(w, (const char *const[]){"--config", conf, NULL, NULL});
        CLEANUP(buf_free) struct buf request = {0};
        char answer[64] = "";
        int fd;

        says(&p, "the CA is there");
        while (i > 0 && w->asked[LINK_SUBMIT] == 0) {
            running_for(w, 1);
        }
        request = request_of(w);
        w->asked[LINK_SUBMIT] = 0;
        assert_int_equal(test_kill(signer_of(&p), SIGSTOP), 0);
        fd = dial(port_of(&p));
        assert_int_equal(send(fd, request.p, request.n, 0), request.n);
        running_for(w, 20 + ms[i]);
        assert_int_equal(kill(p.pid, SIGTERM), 0);
        running_for(w, 700);
        assert_int_equal(w->asked[LINK_SUBMIT], 0);
        assert_int_equal(test_kill(signer_of(&p), SIGCONT), 0);
        ends(&p, 0);
        assert_non_null(strstr(p.said, "nothing under way"));
        assert_int_equal(recv(fd, answer, 12, MSG_WAITALL), 12);
        assert_string_equal(answer, "HTTP/1.1 200");
        (void)close(fd);
    }
    running_ca_goes(w);
}

/* An administrator who is in the middle of a request has his time, too. */
static void
an_administrator_is_waited_for(void **state)
{
    static const char half[] = "GET /v1/registrations HTTP/1.1\r\nHo";
    static const char before[] = "\"text\":\"127.0.0.1:";
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *conf = configure(w, "administrator.conf", "");
    CLEANUP(program_free)
    struct program p = start(w, (const char *const[]){"--config", conf, NULL, NULL});
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    const char *at;
    SSL *ssl;
    int status;
    int fd;

    running_ca_comes(w);
    says(&p, "for administrators");
    says(&p, "the CA is there");
    at = strstr(p.said, "for administrators");
    while (strncmp(at, before, sizeof(before) - 1) != 0) {
        at--;
    }
    assert_int_equal(SSL_CTX_use_certificate(ctx, w->registrar), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, w->registrar_key), 1);
    ssl = SSL_new(ctx);
    fd = dial((unsigned)strtoul(at + sizeof(before) - 1, NULL, 10));
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    assert_int_equal(SSL_connect(ssl), 1);
    assert_int_equal(SSL_write(ssl, half, sizeof(half) - 1), sizeof(half) - 1);
    running_for(w, 100); /* who that is is known then, and the half is read */
    assert_int_equal(kill(p.pid, SIGTERM), 0);
    says(&p, "0 requests under way");
    running_for(w, 100);
    assert_int_equal(waitpid(p.pid, &status, WNOHANG), 0);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    (void)close(fd);
    ends(&p, 0);
    running_ca_goes(w);
}

/* It looks every ten seconds. */
static void
what_nobody_confirms_is_told(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *conf = configure(w, "unconfirmed.conf", "confirm_wait = 1\n");
    CLEANUP(program_free) struct program p = {0};
    CLEANUP(buf_free) struct buf request = {0};
    char answer[64] = "";
    int fd;

    running_ca_comes(w);
    p = start(w, (const char *const[]){"--config", conf, NULL, NULL});
    says(&p, "the CA is there");
    request = request_of(w);
    fd = dial(port_of(&p));
    assert_int_equal(send(fd, request.p, request.n, 0), request.n);
    says(&p, "1 certificates were not confirmed in time");
    assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 12);
    assert_memory_equal(answer, "HTTP/1.1 200", 12);
    (void)close(fd);
    assert_int_equal(kill(p.pid, SIGTERM), 0);
    ends(&p, 0);
    running_ca_goes(w);
}

/* A table is missing from its database. */
/* An entry of the queue that is none, in an ra.db without seals. */
static void
break_store(struct running *w)
{
    CLEANUP(mem_cleanup) char *path = path_of(w, "state/ra.db");
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db,
                     "INSERT INTO registration (id, nf_instance, proof, not_after, "
                     "certificates, registered) VALUES ('x', 'nf', 2, 1, 1, 1);"
                     "INSERT INTO enrolment (id, identity, transaction_id, registration, profile, "
                     "body, cert_req_id, implicit, uncounted, state, until) VALUES (99, 'mac:x', "
                     "x'00', 'x', 'nf-tls', 0, 0, 0, 0, 0, 1);"
                     "INSERT INTO queue (sequence, rid, enrolment, message) VALUES (99, x'00', 99, "
                     "x'00')",
                     NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s", sqlite3_errmsg(db));
    }
    (void)sqlite3_close(db);
}

static void
it_ends_when_its_store_fails(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *conf = configure(w, "broken.conf", "");
    struct program p;
    const char *line;

    break_store(w); /* those before have made it */
    running_ca_comes(w);
    p = start(w, (const char *const[]){"--config", conf, NULL, NULL});
    ends(&p, 1);
    assert_non_null(strstr(p.said, "store-failed"));
    line = strstr(p.said, "0 requests unanswered");
    assert_non_null(line);
    while (line > p.said && line[-1] != '\n') {
        line--;
    }
    assert_int_equal(strncmp(strstr(line, "\"level\":"), "\"level\":\"error\"", 15), 0);
    program_free(&p);
    running_ca_goes(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_argument_that_is_none_ends_with_2),
        cmocka_unit_test(what_is_wrong_before_the_start_is_said),
        cmocka_unit_test(what_seals_secrets_must_be_there),
        cmocka_unit_test(ra_db_is_sealed_by_a_key_of_the_token_only),
        cmocka_unit_test(without_a_ca_it_is_ready_nevertheless),
        cmocka_unit_test(an_interrupt_ends_it_too),
        cmocka_unit_test(what_was_asked_before_the_end_is_answered),
        cmocka_unit_test(what_waits_for_a_signature_at_the_end_is_kept),
        cmocka_unit_test(an_administrator_is_waited_for),
        cmocka_unit_test(what_nobody_confirms_is_told),
        cmocka_unit_test(it_ends_when_its_store_fails),
    };

    return cmocka_run_group_tests(tests, running_files_setup, running_files_teardown);
}
