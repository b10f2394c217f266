/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nfpki-ractl asks, and what it makes of the answers: the daemon is a table. ra/ractl/ractl.c
 * has the same program before a real one.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

enum { ARGS_MAX = 10, ASKED_MAX = 5, TEXT_MAX = 256 * 1024 };

/* In all of them "@" is the test's folder. */
struct row {
    const char *args[ARGS_MAX];
    /* What the daemon says: JSON; "!input:why", a refusal; "{"row":...}" lines before an answer are
     * its rows; "BUNDLE" and "KEY" are what it says of a registration by a secret, by a key. */
    const char *answers[ASKED_MAX];
    const char *asked[ASKED_MAX]; /* exactly; an attachment stands behind "+" */
    int status;
    const char *out;
    const char *errors;
};

struct scene {
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

/* The text with the folder in place of "@". */
static char *
placed(const struct scene *s, const char *text)
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
    struct scene *s = arg;
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

/* How it is run, besides: nothing that it writes fits, or its standard output takes nothing. */
enum ground { GOOD, NO_ROOM, FULL };

static pid_t
start(const struct scene *s, const struct row *row, const int *to, enum ground ground)
{
    CLEANUP(mem_cleanup) char *socket = placed(s, "@/admin.sock");
    char *argv[ARGS_MAX + 4] = {(char[]){"nfpki-ractl"}, (char[]){"--socket"}, socket};
    pid_t pid;

    for (size_t i = 0; i < ARGS_MAX && row->args[i] != NULL; i++) {
        argv[i + 3] = placed(s, row->args[i]);
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
said(const struct scene *s, int fd)
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

static void
run(struct scene *s, const struct row *row, enum ground ground)
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

static void
run_all(struct scene *s, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        run(s, &rows[i], GOOD);
    }
}

static void
put(const struct scene *s, const char *name, struct span octets)
{
    CLEANUP(mem_cleanup) char *path = placed(s, name);
    struct err e;

    assert_ok(file_write(path, octets, 0600, &e), &e);
}

static void
expect_file(const struct scene *s, const char *name, const char *content)
{
    CLEANUP(mem_cleanup) char *path = placed(s, name);
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

static void
expect_folder(const struct scene *s, const char *name)
{
    CLEANUP(mem_cleanup) char *path = placed(s, name);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700); /* nobody else's: secrets are in it */
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

static int
set_up(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));
    CLEANUP(mem_cleanup) char *path = NULL;
    struct err e;

    s->dir = tmpdir_new();
    path = placed(s, "@/admin.sock");
    s->base = event_base_new();
    s->server = admin_server_new(s->base, path, on_call, s, &e);
    assert_non_null(s->server);
    s->child = evsignal_new(s->base, SIGCHLD, on_child, s->base);
    assert_int_equal(event_add(s->child, NULL), 0);
    s->bundle = make_bundle("mac");
    s->of_key = make_bundle("publicKey");
    put(s, "@/hello", SPAN_LITERAL("hello"));
    put(s, "@/list", SPAN_LITERAL("{\"a\":1}\n"));
    *state = s;
    return 0;
}

static int
tear_down(void **state)
{
    struct scene *s = *state;

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

/* ---- list, show ---- */

#define HEAD                                                                                       \
    "REGISTRATION                      NFINSTANCEID                          PROOF        STATE "  \
    "     USED\n"
#define NONE                                                                                       \
    "-                                 -                                     -            -     "  \
    "     0/0\n"

static void
a_list_is_asked_for_page_by_page(void **state)
{
    static const struct row rows[] = {
        {{"list"},
         {"{\"registrations\":[{\"id\":\"00112233445566778899aabbccddeeff\",\"nfInstanceId\":"
          "\"9c5b94b1-35ad-49bb-b118-8e8fc24abf80\",\"proof\":\"certificate\",\"state\":"
          "\"cancelled\",\"used\":1,\"certificates\":12}]}"},
         {"{\"command\":\"list\",\"limit\":1000}"},
         0,
         HEAD "00112233445566778899aabbccddeeff  9c5b94b1-35ad-49bb-b118-8e8fc24abf80  certificate "
              " cancelled  1/12\n",
         ""},
        {{"list"},
         {"{\"registrations\":[{}],\"next\":\"n1\"}", "{\"registrations\":[{},{}]}"},
         {"{\"command\":\"list\",\"limit\":1000}",
          "{\"after\":\"n1\",\"command\":\"list\",\"limit\":1000}"},
         0,
         HEAD NONE NONE NONE,
         ""},
        {{"list", "--limit", "5", "--state", "open", "--nf", "i"},
         {"{\"registrations\":[{},{},{}],\"next\":\"n1\"}",
          "{\"registrations\":[{},{}],\"next\":\"n2\"}"},
         {"{\"command\":\"list\",\"limit\":5,\"nfInstanceId\":\"i\",\"state\":\"open\"}",
          "{\"after\":\"n1\",\"command\":\"list\",\"limit\":2,\"nfInstanceId\":\"i\",\"state\":"
          "\"open\"}"},
         0,
         HEAD NONE NONE NONE NONE NONE,
         ""},
        {{"list", "--limit", "1"},
         {"{\"registrations\":[{}],\"next\":\"n\"}"},
         {"{\"command\":\"list\",\"limit\":1}"},
         0,
         HEAD NONE,
         ""},
        {{"list", "--limit", "999"},
         {"{\"registrations\":[]}"},
         {"{\"command\":\"list\",\"limit\":999}"},
         0,
         HEAD,
         ""},
        {{"list", "--limit", "1001"},
         {"{\"registrations\":[{}],\"next\":\"n\"}", "{\"registrations\":[{}]}"},
         {"{\"command\":\"list\",\"limit\":1000}",
          "{\"after\":\"n\",\"command\":\"list\",\"limit\":1000}"},
         0,
         HEAD NONE NONE,
         ""},
        {{"list", "--json"},
         {"{\"registrations\":[{\"id\":\"a\"}],\"next\":\"n\"}",
          "{\"registrations\":[{\"id\":\"b\"}]}"},
         {"{\"command\":\"list\",\"limit\":1000}",
          "{\"after\":\"n\",\"command\":\"list\",\"limit\":1000}"},
         0,
         "{\n  \"ok\": true,\n  \"registrations\": [\n    {\n      \"id\": \"a\"\n    },\n    {\n  "
         "    \"id\": \"b\"\n    }\n  ]\n}\n",
         ""},
        {{"list"},
         {"!input:no"},
         {"{\"command\":\"list\",\"limit\":1000}"},
         2,
         "",
         "nfpki-ractl: no\n"},
        {{"list"},
         {"{\"registrations\":[{}],\"next\":\"n\"}", "!io:gone"},
         {"{\"command\":\"list\",\"limit\":1000}",
          "{\"after\":\"n\",\"command\":\"list\",\"limit\":1000}"},
         1,
         HEAD NONE,
         "nfpki-ractl: is nfpki-ra running, and is this its admin_socket?: gone\n"},
        {{"show", "a"},
         {"{\"id\":\"a\",\"b\":1}"},
         {"{\"command\":\"show\",\"id\":\"a\"}"},
         0,
         "{\n  \"b\": 1,\n  \"id\": \"a\",\n  \"ok\": true\n}\n",
         ""},
        {{"--json", "show", "a"},
         {"{\"id\":\"a\"}"},
         {"{\"command\":\"show\",\"id\":\"a\"}"},
         0,
         "{\n  \"id\": \"a\",\n  \"ok\": true\n}\n",
         ""},
        {{"-j", "show", "a"},
         {"{\"id\":\"a\"}"},
         {"{\"command\":\"show\",\"id\":\"a\"}"},
         0,
         "{\n  \"id\": \"a\",\n  \"ok\": true\n}\n",
         ""},
        {{"--version"}, {NULL}, {NULL}, 0, "nfpki-ractl " NFPKI_VERSION "\n", ""},
        {{"-V"}, {NULL}, {NULL}, 0, "nfpki-ractl " NFPKI_VERSION "\n", ""},
        {{"-s", "@/nothing.sock", "show", "a"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: is nfpki-ra running, and is this its admin_socket?: is the daemon running?: "
         "connect to @/nothing.sock: No such file or directory\n"},
        {{"show", "a"},
         {"!input:no"},
         {"{\"command\":\"show\",\"id\":\"a\"}"},
         2,
         "",
         "nfpki-ractl: no\n"},
    };

    run_all(*state, rows, ARRAY_LEN(rows));
}

static void
what_cannot_be_written_is_a_failure(void **state)
{
    static const struct row rows[] = {
        {{"list"},
         {"{\"registrations\":[{}]}"},
         {"{\"command\":\"list\",\"limit\":1000}"},
         1,
         "",
         ""},
        {{"show", "a"}, {"{}"}, {"{\"command\":\"show\",\"id\":\"a\"}"}, 1, "", ""},
        {{"register", "@/hello"},
         {"{\"id\":\"a\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"register\"}"},
         1,
         "",
         ""},
        {{"cancel", "@/hello"},
         {"{\"id\":\"a\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"cancel\"}"},
         1,
         "",
         ""},
        {{"cancellation", "00112233445566778899aabbccddeeff"}, {NULL}, {NULL}, 1, "", ""},
        {{"bundle", "b"}, {"BUNDLE"}, {"{\"command\":\"bundle\",\"id\":\"b\"}"}, 1, "", ""},
        {{"--json", "bundle", "b"}, {"{}"}, {"{\"command\":\"bundle\",\"id\":\"b\"}"}, 1, "", ""},
        {{"import", "@/hello", "@/list"},
         {"{\"registrations\":0}"},
         {"{\"attachment\":8,\"command\":\"import\",\"manifest\":\"aGVsbG8=\"}+{\"a\":1}\n"},
         0, /* nothing was to be written */
         "",
         "0 registrations: 0 new, 0 known, 0 refused, 0 busy\n"},
        {{"import", "@/hello", "@/list"},
         {"{\"index\":1}\n{\"registrations\":1}"},
         {"{\"attachment\":8,\"command\":\"import\",\"manifest\":\"aGVsbG8=\"}+{\"a\":1}\n"},
         1,
         "",
         "1 registrations: 0 new, 0 known, 0 refused, 0 busy\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        run(*state, &rows[i], FULL);
    }
}

/* ---- register, cancel ---- */

static void
what_was_signed_is_handed_in_as_it_is(void **state)
{
    static const struct row rows[] = {
        {{"register", "@/hello"},
         {"{\"id\":\"a\",\"nfInstanceId\":\"b\",\"proof\":\"mac\",\"reference\":\"c\",\"secret\":"
          "\"d\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"register\"}"},
         0,
         "registration  a\nnfInstanceId  b\nproof         mac\nreference     c\nsecret        d\n",
         "The secret is shown this once.\n"},
        {{"register", "@/hello"},
         {"{\"id\":\"a\",\"proof\":\"vendor\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"register\"}"},
         0,
         "registration  a\nnfInstanceId  -\nproof         vendor\n",
         ""},
        {{"register", "--json", "@/hello"},
         {"{\"secret\":\"d\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"register\"}"},
         0,
         "{\n  \"ok\": true,\n  \"secret\": \"d\"\n}\n",
         ""},
        {{"register", "@/hello"},
         {"!input:no"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"register\"}"},
         2,
         "",
         "nfpki-ractl: no\n"},
        {{"cancel", "@/hello"},
         {"{\"id\":\"a\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"cancel\"}"},
         0,
         "cancelled a\n",
         ""},
        {{"cancel", "@/hello", "--json"},
         {"{\"id\":\"a\"}"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"cancel\"}"},
         0,
         "{\n  \"id\": \"a\",\n  \"ok\": true\n}\n",
         ""},
        {{"cancel", "@/hello"},
         {"!io:gone"},
         {"{\"cms\":\"aGVsbG8=\",\"command\":\"cancel\"}"},
         1,
         "",
         "nfpki-ractl: is nfpki-ra running, and is this its admin_socket?: gone\n"},
        {{"cancel", "@"}, {NULL}, {NULL}, 1, "", "nfpki-ractl: @ is not a regular file\n"},
    };

    run_all(*state, rows, ARRAY_LEN(rows));
}

/* ---- import ---- */

#define IMPORT "{\"attachment\":8,\"command\":\"import\",\"manifest\":\"aGVsbG8=\"}+{\"a\":1}\n"
#define ROW_NEW                                                                                    \
    "{\"index\":1,\"id\":\"a\",\"nfInstanceId\":\"b\",\"result\":\"registered\",\"reference\":"    \
    "\"c\",\"secret\":\"d\"}\n"
#define ROW_REFUSED                                                                                \
    "{\"index\":2,\"nfInstanceId\":\"e\",\"result\":\"refused\",\"reason\":\"f g\"}\n"
#define LINE_NEW                                                                                   \
    "     1  a                                 b                                     registered"
#define LINE_REFUSED                                                                               \
    "     2  -                                 e                                     refused   "   \
    "  f g\n"

static void
each_row_of_an_import_is_printed(void **state)
{
    struct scene *s = *state;
    static const struct row rows[] = {
        {{"import", "@/hello", "@/list"},
         {ROW_NEW ROW_REFUSED "{\"registrations\":2,\"registered\":1,\"refused\":1}"},
         {IMPORT},
         1,
         LINE_NEW "  c  d\n" LINE_REFUSED,
         "2 registrations: 1 new, 0 known, 1 refused, 0 busy\n"},
        {{"import", "@/hello", "@/list"},
         {"{\"registrations\":3,\"known\":2,\"busy\":1}"},
         {IMPORT},
         1,
         "",
         "3 registrations: 0 new, 2 known, 0 refused, 1 busy\n"
         "The CA did not take all of them in time: import the same files again.\n"},
        {{"import", "--secrets", "@/secrets", "@/hello", "@/list"},
         {ROW_NEW ROW_REFUSED "{\"registrations\":2,\"registered\":2}"},
         {IMPORT},
         0,
         LINE_NEW "\n" LINE_REFUSED,
         "2 registrations: 2 new, 0 known, 0 refused, 0 busy\n"},
        {{"import", "@/hello", "@/list", "--secrets", "@/more", "--json"},
         {ROW_NEW ROW_REFUSED "{\"registrations\":2,\"registered\":2}"},
         {IMPORT},
         0,
         "{\"id\":\"a\",\"index\":1,\"nfInstanceId\":\"b\",\"result\":\"registered\"}\n"
         "{\"index\":2,\"nfInstanceId\":\"e\",\"reason\":\"f g\",\"result\":\"refused\"}\n",
         "2 registrations: 2 new, 0 known, 0 refused, 0 busy\n"},
        {{"--json", "import", "@/hello", "@/list"},
         {ROW_NEW "{\"registrations\":1,\"registered\":1}"},
         {IMPORT},
         0,
         "{\"id\":\"a\",\"index\":1,\"nfInstanceId\":\"b\",\"reference\":\"c\",\"result\":"
         "\"registered\",\"secret\":\"d\"}\n",
         "1 registrations: 1 new, 0 known, 0 refused, 0 busy\n"},
        {{"import", "--secrets", "@/secrets", "@/hello", "@/list"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: @/secrets is there already: name a new file\n"},
        {{"import", "--secrets", "@/no/secrets", "@/hello", "@/list"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: @/no/secrets: No such file or directory\n"},
        {{"import", "--secrets", "@/none", "@/hello", "@/list"},
         {ROW_REFUSED "{\"registrations\":1,\"refused\":1}"},
         {IMPORT},
         1,
         LINE_REFUSED,
         "1 registrations: 0 new, 0 known, 1 refused, 0 busy\n"},
        {{"import", "--secrets", "@/none", "@/hello", "@/list"},
         {ROW_NEW "!input:no"},
         {IMPORT},
         2,
         LINE_NEW "\n",
         "nfpki-ractl: no\n"},
        {{"import", "@/nothing", "@/list"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: open @/nothing: No such file or directory\n"},
    };

    run_all(s, rows, ARRAY_LEN(rows));
    expect_file(s, "@/secrets",
                "{\"id\":\"a\",\"nfInstanceId\":\"b\",\"reference\":\"c\",\"secret\":\"d\"}\n");
    expect_file(s, "@/more",
                "{\"id\":\"a\",\"nfInstanceId\":\"b\",\"reference\":\"c\",\"secret\":\"d\"}\n");
    /* kept although the daemon went away in the middle: what was shown is shown once */
    expect_file(s, "@/none",
                "{\"id\":\"a\",\"nfInstanceId\":\"b\",\"reference\":\"c\",\"secret\":\"d\"}\n");
}

static void
secrets_that_cannot_be_kept_are_a_failure(void **state)
{
    static const struct row rows[] = {
        {{"import", "--secrets", "@/no-room", "@/hello", "@/list"},
         {ROW_NEW "{\"registrations\":1,\"registered\":1}"},
         {IMPORT},
         1,
         LINE_NEW "\n",
         "1 registrations: 1 new, 0 known, 0 refused, 0 busy\n"
         "nfpki-ractl: @/no-room could not be written whole: cancel what it lacks\n"},
    };

    run(*state, &rows[0], NO_ROOM);
    expect_file(*state, "@/no-room", "");
}

/* ---- manifest ---- */

#define DOCUMENT(profile)                                                                          \
    "{\"version\":1,\"nfInstanceId\":\"9c5b94b1-35ad-49bb-b118-8e8fc24abf80\",\"nfTypes\":["       \
    "\"AMF\"],\"fqdns\":[\"amf1.5gc.mnc012.mcc345.3gppnetwork.org\"],\"homeDomain\":"              \
    "\"5gc.mnc012.mcc345.3gppnetwork.org\",\"country\":\"SE\",\"profiles\":[{\"name\":\"" profile  \
    "\"}],\"notBefore\":\"2026-01-01T00:00:00Z\",\"notAfter\":\"2026-12-01T00:00:00Z\","           \
    "\"certificates\":1,\"proof\":{\"kind\":\"mac\"}}\n"

/* The operator's file of profiles: what is shipped, and one of his own. */
static void
put_profiles(const struct scene *s)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    struct err e;

    assert_ok(file_read(TEST_SOURCE_DIR "/../ca/x509/nfpki-profiles.conf", &text, &e), &e);
    assert_ok(buf_append_str(&text, "profile \"own\" { extended_key_usage = {jwt} }\n", &e), &e);
    put(s, "@/profiles", buf_span(&text));
}

static void
a_manifest_goes_by_the_profiles_that_it_is_given(void **state)
{
    struct scene *s = *state;
    static const struct row rows[] = {
        {{"manifest", "@/own"},
         {NULL},
         {NULL},
         2,
         "",
         "@/own:1: registrations[0].profiles[0].name: not a profile of network functions\n"},
        {{"manifest", "--profiles", "@/profiles", "@/own"},
         {NULL},
         {NULL},
         0,
         "{\"version\":1,\"batch\":{\"registrations\":1,\"root\":"
         "\"3f25b697bc259dfb5e6d9c1ab72bf4eebc8ecb538f4e5848d04a1dbc91405fee\"}}\n",
         ""},
        {{"manifest", "--profiles", "@/profiles", "@/lab"},
         {NULL},
         {NULL},
         0,
         "{\"version\":1,\"batch\":{\"registrations\":1,\"root\":"
         "\"f032a1d18a3cc0eafa6c044467f6003c3547bd6b277745108a41b376e7526ddb\"}}\n",
         ""},
        {{"manifest", "--profiles", "@/hello", "@/own"},
         {NULL},
         {NULL},
         2,
         "",
         "nfpki-ractl: @/hello:1: no such option 'hello'\n"},
        {{"manifest", "@/empty-list"},
         {NULL},
         {NULL},
         2,
         "",
         "nfpki-ractl: @/empty-list: no registration: one is expected on each line\n"},
    };

    put_profiles(s);
    put(s, "@/own", SPAN_LITERAL(DOCUMENT("own")));
    put(s, "@/lab", SPAN_LITERAL(DOCUMENT("free5gc-lab")));
    put(s, "@/empty-list", (struct span){0});
    run_all(s, rows, ARRAY_LEN(rows));
}

static void
the_first_twenty_that_are_wrong_are_told(void **state)
{
    struct scene *s = *state;

    for (unsigned n = 20; n <= 21; n++) {
        CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
        CLEANUP(buf_free) struct buf errors = BUF_INIT(TEXT_MAX);
        CLEANUP(mem_cleanup) char *all = NULL;
        struct err e;

        for (unsigned i = 0; i < n; i++) {
            CLEANUP(mem_cleanup)
            char *line = mem_printf("@/wrong:%u: registrations[%u].version: missing\n", i + 1, i);

            assert_ok(buf_append_str(&text, "{}\n", &e), &e);
            assert_ok(i < 20 ? buf_append_str(&errors, line, &e) : 0, &e);
        }
        assert_ok(n < 21 ? 0 : buf_append_str(&errors, "@/wrong: and 1 more\n", &e), &e);
        all = mem_printf("%.*s", (int)errors.n, (const char *)errors.p);
        put(s, "@/wrong", buf_span(&text));
        run(s, &(struct row){{"manifest", "@/wrong"}, {NULL}, {NULL}, 2, "", all}, GOOD);
    }
}

/* ---- bundle ---- */

static void
folder(const struct scene *s, const char *name)
{
    CLEANUP(mem_cleanup) char *path = placed(s, name);

    assert_int_equal(mkdir(path, 0700), 0);
}

#define LIST "{\"command\":\"list\",\"limit\":1000,\"state\":\"open\"}"
#define ASK(id) "{\"command\":\"bundle\",\"id\":\"" id "\"}"

static void
all_bundles_are_made_of_all_pages(void **state)
{
    struct scene *s = *state;
    static const struct row rows[] = {
        {{"bundle", "--all", "--output", "@/all", "--secrets", "@/two-secrets"},
         {"{\"registrations\":[{\"id\":\"b\",\"nfInstanceId\":\"i\"},{\"id\":\"c\"}],\"next\":"
          "\"n\"}",
          "BUNDLE", "!input:no such thing", "{\"registrations\":[{\"id\":\"d\"}]}", "BUNDLE"},
         {LIST, ASK("b"), ASK("c"),
          "{\"after\":\"n\",\"command\":\"list\",\"limit\":1000,\"state\":\"open\"}", ASK("d")},
         1,
         "",
         "nfpki-ractl: c: no such thing\n@/all: 2 bundles, 1 that could not be made\n"},
        {{"bundle", "--all", "--output", "@/empty"}, /* that is there */
         {"{\"registrations\":[]}"},
         {LIST},
         0,
         "",
         "@/empty: 0 bundles, 0 that could not be made\n"},
        {{"bundle", "--all", "--output", "@/gone"},
         {"!io:gone"},
         {LIST},
         1,
         "",
         "nfpki-ractl: is nfpki-ra running, and is this its admin_socket?: gone\n"},
        {{"bundle", "--all", "--output", "@/later"},
         {"{\"registrations\":[],\"next\":\"n\"}", "!input:no"},
         {LIST, "{\"after\":\"n\",\"command\":\"list\",\"limit\":1000,\"state\":\"open\"}"},
         2,
         "",
         "nfpki-ractl: no\n"},
        {{"bundle", "--all", "--output", "@/clash"},
         {"{\"registrations\":[{\"id\":\"index.jsonl\"}]}", "BUNDLE"},
         {LIST, ASK("index.jsonl")},
         1,
         "",
         "nfpki-ractl: create @/clash/index.jsonl: File exists\n"},
        {{"bundle", "--all", "--output", "@/keys", "--client", "cert-manager"},
         {"{\"registrations\":[{\"id\":\"b\"}]}", "KEY"},
         {LIST, ASK("b")},
         1,
         "",
         "nfpki-ractl: b: cert-manager makes its keys itself: register the network function by "
         "another proof than publicKey\n@/keys: 0 bundles, 1 that could not be made\n"},
        {{"bundle", "--all", "--output", "/proc/nfpki"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: mkdir /proc/nfpki: No such file or directory\n"},
        {{"bundle", "--all", "--output", "@/twice"},
         {"{\"registrations\":[{\"id\":\"b\"},{\"id\":\"b\"}]}", "BUNDLE", "BUNDLE"},
         {LIST, ASK("b"), ASK("b")},
         1,
         "",
         "nfpki-ractl: b: create @/twice/b/bundle.sh: File exists\n"
         "@/twice: 1 bundles, 1 that could not be made\n"},
        {{"bundle", "--all", "--output", "@/hello"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: @/hello: Not a directory\n"},
        {{"bundle", "--all", "--output", "@/full"},
         {NULL},
         {NULL},
         1,
         "",
         "nfpki-ractl: @/full is not empty: name a new folder\n"},
        {{"bundle", "--all", "--output", "@/other", "--profile", "nf-tls-client"},
         {"{\"registrations\":[{\"id\":\"b\"}]}", "BUNDLE"},
         {LIST, ASK("b")},
         1,
         "",
         "nfpki-ractl: b: profile nf-tls-client is not registered; see `nfpki-ractl show b`\n"
         "@/other: 0 bundles, 1 that could not be made\n"},
    };

    put(s, "@/two-secrets",
        SPAN_LITERAL("{\"id\":\"b\",\"secret\":\"s\"}\n"
                     "{\"id\":\"x\",\"secret\":\"t\"}")); /* no line end */
    folder(s, "@/empty");
    folder(s, "@/full");
    put(s, "@/full/a", SPAN_LITERAL("a"));
    run_all(s, rows, ARRAY_LEN(rows));
    expect_folder(s, "@/all");
    expect_folder(s, "@/all/b");
    expect_file(s, "@/all/b/secret.txt", "s");
    expect_file(s, "@/all/d/secret.txt", NULL);
    expect_file(s, "@/all/c/bundle.sh", NULL);
    expect_file(s, "@/all/index.jsonl",
                "{\"file\":\"b/bundle.sh\",\"id\":\"b\",\"nfInstanceId\":\"i\",\"profile\":"
                "\"nf-tls\",\"proof\":\"mac\",\"secret\":true}\n"
                "{\"file\":\"d/bundle.sh\",\"id\":\"d\",\"nfInstanceId\":\"\",\"profile\":"
                "\"nf-tls\",\"proof\":\"mac\",\"secret\":false}\n");
    expect_file(s, "@/empty/index.jsonl", "");
    expect_file(s, "@/gone/index.jsonl", NULL);
}

#define NO_SECRET                                                                                  \
    "no \"id\" and \"secret\": take the file that `nfpki-ractl import --secrets` wrote\n"

static void
secrets_are_what_import_wrote(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *text;
        const char *line; /* the first that is wrong */
    } rows[] = {
        {"{\"id\":\"b\",\"secret\":\"s\"}\n{\"id\":\"b\"}\n", "2"},
        {"{\"secret\":\"s\"}", "1"},
        {"{\"id\":\"b\",\"secret\":\"\"}", "1"},
        {"{\"id\":\"b\",\"secret\":\"s\"}\n\n", "2"},
        {"{\"id\":\"b\",\"secret\":\"s\",\"secret\":\"t\"}\n", "1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *errors = mem_printf("nfpki-ractl: @/secrets-of-import:%s: " NO_SECRET, rows[i].line);
        const struct row row = {
            {"bundle", "--all", "--output", "@/never", "--secrets", "@/secrets-of-import"},
            {NULL},
            {NULL},
            2,
            "",
            errors};

        put(s, "@/secrets-of-import", span_str(rows[i].text));
        run(s, &row, GOOD);
    }
}

static void
one_bundle_is_saved_or_printed(void **state)
{
    struct scene *s = *state;
    static const struct row rows[] = {
        {{"bundle", "--output", "@/one", "b"}, {"BUNDLE"}, {ASK("b")}, 0, "", "@/one/bundle.sh\n"},
        {{"bundle", "--revocation", "--output", "@/one", "b"},
         {"BUNDLE"},
         {ASK("b")},
         0,
         "",
         "@/one/revoke.sh\n"},
        {{"bundle", "--client", "cert-manager", "--output", "@/one", "b"},
         {"BUNDLE"},
         {ASK("b")},
         0,
         "",
         "@/one/bundle.yaml\n"},
        {{"bundle", "--output", "@/one", "b"},
         {"BUNDLE"},
         {ASK("b")},
         1,
         "",
         "nfpki-ractl: create @/one/bundle.sh: File exists\n"},
        {{"bundle", "--output", "@/hello/one", "b"},
         {"BUNDLE"},
         {ASK("b")},
         1,
         "",
         "nfpki-ractl: mkdir @/hello/one: Not a directory\n"},
        {{"bundle", "--client", "cert-manager", "b"},
         {"KEY"},
         {ASK("b")},
         2,
         "",
         "nfpki-ractl: cert-manager makes its keys itself: register the network function by "
         "another "
         "proof than publicKey\n"},
        {{"bundle", "--json", "b"},
         {"{\"id\":\"b\"}"},
         {ASK("b")},
         0,
         "{\n  \"id\": \"b\",\n  \"ok\": true\n}\n",
         ""},
        {{"bundle", "b"}, {"!input:no"}, {ASK("b")}, 2, "", "nfpki-ractl: no\n"},
        {{"bundle", "--profile", "x", "b"},
         {"BUNDLE"},
         {ASK("b")},
         2,
         "",
         "nfpki-ractl: profile x is not registered; see `nfpki-ractl show b`\n"},
    };

    run_all(s, rows, ARRAY_LEN(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_asked_for_page_by_page),
        cmocka_unit_test(what_cannot_be_written_is_a_failure),
        cmocka_unit_test(what_was_signed_is_handed_in_as_it_is),
        cmocka_unit_test(each_row_of_an_import_is_printed),
        cmocka_unit_test(secrets_that_cannot_be_kept_are_a_failure),
        cmocka_unit_test(a_manifest_goes_by_the_profiles_that_it_is_given),
        cmocka_unit_test(the_first_twenty_that_are_wrong_are_told),
        cmocka_unit_test(all_bundles_are_made_of_all_pages),
        cmocka_unit_test(secrets_are_what_import_wrote),
        cmocka_unit_test(one_bundle_is_saved_or_printed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
