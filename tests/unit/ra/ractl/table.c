/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/ractl/table.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/link/admin.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { TEXT_MAX = 256 * 1024 };

struct table {
    char *dir;
    struct event_base *base;
    struct admin_server *server;
    struct event *child; /* SIGCHLD */
    char *bundle;
    char *of_key;
    const struct row *row;
    size_t asked;
    char *wrong; /* what was asked instead */
};

/* ---- the daemon ---- */

char *
table_placed(const struct table *s, const char *text)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(TEXT_MAX);
    struct err e;

    for (const char *p = text; *p != '\0'; p++) {
        assert_ok(
            *p == '@' ? buf_append_str(&out, s->dir, &e) : buf_append(&out, span_of(p, 1), &e), &e);
    }
    return mem_printf("%.*s", (int)out.n, (const char *)out.p);
}

/* Nothing fails here: the loop runs. */
static void
answer_with(struct admin_call *call, const char *text)
{
    const char *end;
    struct err e = {.code = ERR_INPUT};

    while ((end = strchr(text, '\n')) != NULL) {
        admin_row(call, json_loadb(text, (size_t)(end - text), 0, NULL));
        text = end + 1;
    }
    if (text[0] == '!') {
        e.code = strncmp(text, "!io:", 4) == 0 ? ERR_IO : ERR_INPUT;
        (void)snprintf(e.text, sizeof(e.text), "%s", strchr(text, ':') + 1);
        admin_refuse(call, &e);
        return;
    }
    admin_answer(call, json_loads(text, 0, NULL));
}

static void
on_call(void *arg, struct admin_call *call, const char *command, const json_t *request)
{
    struct table *s = arg;
    CLEANUP(buf_free) struct buf attachment = {0};
    CLEANUP(mem_cleanup) char *json = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
    CLEANUP(mem_cleanup) char *asked = NULL;
    const char *expected = s->asked < ASKED_MAX ? s->row->asked[s->asked] : NULL;
    const char *answer = s->asked < ASKED_MAX ? s->row->answers[s->asked] : NULL;

    (void)command;
    admin_take_attachment(call, &attachment);
    asked = mem_printf("%s%s%.*s", json, attachment.n == 0 ? "" : "+", (int)attachment.n,
                       (const char *)attachment.p);
    if (s->wrong == NULL && (expected == NULL || strcmp(asked, expected) != 0)) {
        s->wrong = mem_strdup(asked);
    }
    s->asked++;
    answer_with(call, answer == NULL                  ? "!input:nobody asked for this"
                      : strcmp(answer, "BUNDLE") == 0 ? s->bundle
                      : strcmp(answer, "KEY") == 0    ? s->of_key
                                                      : answer);
}

/* ---- the program ---- */

static pid_t
start(const struct table *s, const struct row *row, const int *to, enum ground ground)
{
    CLEANUP(mem_cleanup) char *socket = table_placed(s, "@/admin.sock");
    char *argv[ARGS_MAX + 4] = {(char[]){"nfpki-ractl"}, (char[]){"--socket"}, socket};
    pid_t pid;

    for (size_t i = 0; i < ARGS_MAX && row->args[i] != NULL; i++) {
        argv[i + 3] = table_placed(s, row->args[i]);
    }
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit none = {0};

        (void)signal(SIGXFSZ, SIG_IGN);
        (void)dup2(ground == FULL ? open("/dev/full", O_WRONLY | O_CLOEXEC) : to[0], 1);
        (void)dup2(to[1], 2);
        if (ground == NO_ROOM) {
            (void)setrlimit(RLIMIT_FSIZE, &none);
        }
        (void)execv(TEST_BINARY_DIR "/nfpki-ractl", argv);
        _exit(99);
    }
    for (size_t i = 3; argv[i] != NULL; i++) {
        mem_free(argv[i]);
    }
    return pid;
}

static void
on_child(evutil_socket_t signal, short what, void *arg)
{
    (void)signal;
    (void)what;
    (void)event_base_loopbreak(arg);
}

/* What is in a pipe whose other end is closed; the folder is "@" again. */
static char *
said(const struct table *s, int fd)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(TEXT_MAX);
    char *text = mem_zalloc(1, TEXT_MAX);
    size_t n = 0;
    ssize_t got;
    struct err e;

    while ((got = read(fd, text + n, TEXT_MAX - 1 - n)) > 0) {
        n += (size_t)got;
    }
    (void)close(fd);
    for (const char *p = text; *p != '\0'; p++) {
        bool is_dir = strncmp(p, s->dir, strlen(s->dir)) == 0;

        assert_ok(buf_append(&out, is_dir ? SPAN_LITERAL("@") : span_of(p, 1), &e), &e);
        p += is_dir ? strlen(s->dir) - 1 : 0;
    }
    mem_free(text);
    return mem_printf("%.*s", (int)out.n, (const char *)out.p);
}

void
table_run(struct table *s, const struct row *row, enum ground ground)
{
    CLEANUP(mem_cleanup) char *out = NULL;
    CLEANUP(mem_cleanup) char *errors = NULL;
    int of_out[2];
    int of_errors[2];
    int status = 0;
    size_t expected = 0;
    pid_t pid;

    s->row = row;
    s->asked = 0;
    assert_int_equal(pipe2(of_out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(of_errors, O_CLOEXEC), 0);
    assert_true(fcntl(of_out[1], F_SETPIPE_SZ, TEXT_MAX) >= TEXT_MAX);
    pid = start(s, row, (const int[]){of_out[1], of_errors[1]}, ground);
    (void)close(of_out[1]);
    (void)close(of_errors[1]);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        (void)event_base_loop(s->base, EVLOOP_ONCE);
    }
    out = said(s, of_out[0]);
    errors = said(s, of_errors[0]);
    while (expected < ASKED_MAX && row->asked[expected] != NULL) {
        expected++;
    }
    if (s->wrong != NULL || s->asked != expected) {
        fail_msg("%s %s: asked %zu times, and %s", row->args[0], row->args[1], s->asked,
                 s->wrong == NULL ? "all as it should" : s->wrong);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != row->status || strcmp(out, row->out) != 0 ||
        strcmp(errors, row->errors) != 0) {
        fail_msg("%s %s: %d\n%s---\n%s", row->args[0], row->args[1] == NULL ? "" : row->args[1],
                 WEXITSTATUS(status), out, errors);
    }
}

void
table_run_all(struct table *s, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        table_run(s, &rows[i], GOOD);
    }
}

void
table_put(const struct table *s, const char *name, struct span octets)
{
    CLEANUP(mem_cleanup) char *path = table_placed(s, name);
    struct err e;

    assert_ok(file_write(path, octets, 0600, &e), &e);
}

void
table_expect_file(const struct table *s, const char *name, const char *content)
{
    CLEANUP(mem_cleanup) char *path = table_placed(s, name);
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    struct stat st;
    struct err e;

    if (content == NULL) {
        assert_int_equal(stat(path, &st), -1);
        return;
    }
    assert_ok(file_read(path, &text, &e), &e);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    if (!span_equal(buf_span(&text), span_str(content))) {
        fail_msg("%s: %.*s", name, (int)text.n, (const char *)text.p);
    }
}

/* ---- set up ---- */

static char *
base64_of(X509 *x)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    struct err e;

    assert_ok(OSSL_ENCODE(X509, x, &der, &e), &e);
    return base64_dup(buf_span(&der));
}

static char *
make_bundle(const char *proof)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-256", "P-256");
    CLEANUP(mem_cleanup) char *root = base64_of(pki->root);
    CLEANUP(mem_cleanup) char *issuing = base64_of(pki->issuing);
    json_t *answer = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s], s:{s:s, s:s, s:s, s:[], s:[{s:s, s:i}]}}",
        "id", "b", "state", "open", "notAfter", "2026-12-01T00:00:00Z", "proof", proof, "reference",
        "amf-1", "root", root, "issuing", issuing, "ra", issuing, "publicUrls", "http://x/cmp",
        "registration", "nfInstanceId", "i", "country", "SE", "homeDomain", "x", "fqdns",
        "profiles", "name", "nf-tls", "maxValidityDays", 30);
    char *text = json_dumps(answer, JSON_COMPACT);

    json_decref(answer);
    return text;
}

int
table_set_up(void **state)
{
    struct table *s = mem_zalloc(1, sizeof(*s));
    CLEANUP(mem_cleanup) char *path = NULL;
    struct err e;

    s->dir = tmpdir_new();
    path = table_placed(s, "@/admin.sock");
    s->base = event_base_new();
    s->server = admin_server_new(s->base, path, on_call, s, &e);
    assert_non_null(s->server);
    s->child = evsignal_new(s->base, SIGCHLD, on_child, s->base);
    assert_int_equal(event_add(s->child, NULL), 0);
    s->bundle = make_bundle("mac");
    s->of_key = make_bundle("publicKey");
    table_put(s, "@/hello", SPAN_LITERAL("hello"));
    table_put(s, "@/list", SPAN_LITERAL("{\"a\":1}\n"));
    *state = s;
    return 0;
}

int
table_tear_down(void **state)
{
    struct table *s = *state;

    event_free(s->child);
    admin_server_free(s->server);
    event_base_free(s->base);
    tmpdir_remove(s->dir);
    mem_free(s->bundle);
    mem_free(s->of_key);
    mem_free(s->wrong);
    mem_free(s);
    return 0;
}
