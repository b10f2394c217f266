/* SPDX-License-Identifier: Apache-2.0 */
/* A web server that does what it likes (tests/support/hostile_http.py), and what is fetched of it.
 */
#include "db/audit/fetch/fetch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <openssl/ec.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/ledger/messages.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/audit/program_scene.h"

extern char **environ;

enum { FIRST_SIZE = 600, GROWN_SIZE = 1100 };

struct web {
    pid_t pid;
    int input;    /* it ends when we close this, or end */
    bool is_slow; /* on purpose: that is not waited for */
    char *url;
    char *log;
    char *certificate;
};

/* ---- the server ---- */

static void
web_start(const struct scene *s, const char *mode, bool tls, struct web *web)
{
    posix_spawn_file_actions_t actions;
    char *argv[] = {mem_strdup("python3"),
                    mem_strdup(TEST_SOURCE_DIR "/support/hostile_http.py"),
                    mem_strdup(s->l.dir),
                    mem_strdup(mode),
                    scene_path(s, "requests"),
                    tls ? scene_path(s, "web.pem") : NULL,
                    NULL};
    char port[16] = "";
    int ends[2];
    int input[2];

    web->log = mem_strdup(argv[4]);
    web->certificate = scene_path(s, "web.pem");
    (void)unlink(web->log);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    web->input = input[1];
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], 1), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, input[0], 0), 0);
    assert_int_equal(posix_spawnp(&web->pid, "python3", &actions, NULL, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    (void)close(input[0]);
    for (size_t n = 0; n + 1 < sizeof(port) && (n == 0 || port[n - 1] != '\n'); n++) {
        assert_int_equal(read(ends[0], port + n, 1), 1);
    }
    (void)close(ends[0]);
    web->url =
        mem_printf("http%s://127.0.0.1:%d/ledger", tls ? "s" : "", (int)strtol(port, NULL, 10));
    for (size_t i = 0; i < ARRAY_LEN(argv); i++) {
        mem_free(argv[i]);
    }
}

static void
web_stop(struct web *web)
{
    if (web->pid > 0) {
        (void)kill(web->pid, SIGKILL);
        (void)waitpid(web->pid, NULL, 0);
        (void)close(web->input);
    }
    mem_free(web->url);
    mem_free(web->log);
    mem_free(web->certificate);
    *web = (struct web){0};
}

/* How often something was asked for whose line begins so. */
static unsigned
asked_for(const struct web *web, const char *line)
{
    CLEANUP(buf_free) struct buf b = BUF_INIT(1 << 20);
    CLEANUP(mem_cleanup) char *text = NULL;
    struct err e = {0};
    unsigned n = 0;

    if (file_read(web->log, &b, &e) != 0) {
        return 0; /* nothing was asked for */
    }
    text = mem_printf("\n%.*s", (int)b.n, (const char *)b.p);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
        n += strncmp(at + 1, line, strlen(line)) == 0 ? 1 : 0;
    }
    return n;
}

/* ---- the ledger ---- */

/* One for all tests, each of which has a copy of its folder. */
static struct scene *scene;
static char *first; /* the folder as it was published at FIRST_SIZE */

static char *
file_path(const struct scene *s, int level, uint64_t index, unsigned width)
{
    char name[AUDIT_NAME_MAX];

    audit_name(level, index, name);
    return width == AUDIT_WIDTH ? mem_printf("%s/%s", s->l.dir, name)
                                : mem_printf("%s/%s.p/%u", s->l.dir, name, width);
}

/* Files of messages, of which the CA has none. */
static void
nobodys_put(const struct scene *s, unsigned size)
{
    static const uint8_t none[4 * AUDIT_WIDTH];

    for (unsigned at = 0; at < size; at += AUDIT_WIDTH) {
        const unsigned width = size - at < AUDIT_WIDTH ? size - at : (unsigned)AUDIT_WIDTH;
        CLEANUP(mem_cleanup) char *from = file_path(s, AUDIT_ENTRIES, at / AUDIT_WIDTH, width);
        CLEANUP(mem_cleanup) char *to = file_path(s, AUDIT_MESSAGES, at / AUDIT_WIDTH, width);
        CLEANUP(mem_cleanup) char *folder = mem_strdup(to);
        CLEANUP(buf_free) struct buf entries = BUF_INIT(PLAN_BUNDLE_MAX);
        struct messages m = {.file = span_of(none, sizeof(none))};
        struct message message;
        bool more = true;
        struct err e = {0};

        assert_ok(file_read(from, &entries, &e), &e);
        m.entries = buf_span(&entries);
        while (more) {
            assert_ok(messages_next(&m, &message, &more, &e), &e);
        }
        *strrchr(folder, '/') = '\0';
        assert_ok(file_mkdirs(folder, 0755, &e), &e);
        assert_ok(file_write(to, span_of(none, sizeof(none) - m.file.n), 0644, &e), &e);
    }
}

static void
folder_copy(const char *from, const char *to)
{
    char *argv[] = {mem_strdup("cp"), mem_strdup("-a"), mem_strdup(from), mem_strdup(to), NULL};
    int status = -1;
    pid_t pid;

    assert_int_equal(posix_spawnp(&pid, "cp", NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < ARRAY_LEN(argv); i++) {
        mem_free(argv[i]);
    }
}

static int
grow_all(void **state)
{
    if (scene_begin(state) != 0) {
        return -1;
    }
    scene = *state;
    first = scene_path(scene, "first");
    audit_ledger_refuse(&scene->l, scene->issued.rid, FIRST_SIZE - 19);
    audit_ledger_publish(&scene->l);
    nobodys_put(scene, FIRST_SIZE);
    folder_copy(scene->l.dir, first);
    audit_ledger_refuse(&scene->l, scene->issued.rid, GROWN_SIZE - FIRST_SIZE);
    audit_ledger_publish(&scene->l);
    nobodys_put(scene, GROWN_SIZE);
    return 0;
}

static int
end_all(void **state)
{
    *state = scene;
    mem_free(first);
    return scene_end(state);
}

/* From FIRST_SIZE to GROWN_SIZE. */
static void
grow(const struct scene *s)
{
    CLEANUP(mem_cleanup) char *before = scene_path(s, "before");

    assert_int_equal(rename(s->l.dir, before), 0);
    folder_copy(scene->l.dir, s->l.dir);
}

static int
set_up(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));

    s->l = scene->l; /* its key, and what is the test's own: */
    s->l.base = tmpdir_new();
    s->l.dir = scene_path(s, "ledger");
    folder_copy(first, s->l.dir);
    *state = s;
    return 0;
}

static int
tear_down(void **state)
{
    struct scene *s = *state;

    mem_free(s->l.dir);
    tmpdir_remove(s->l.base);
    mem_free(s);
    return 0;
}
#define WEB(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static int
fetch(const struct scene *s, const struct web *web, struct fetch_result *result, struct err *e)
{
    CLEANUP(mem_cleanup) char *dir = scene_path(s, "copy");
    const struct fetch f = {.from = {.url = web->url,
                                     .stalled = web->is_slow ? 1 : 30,
                                     .tries = web->is_slow ? 2 : 4,
                                     .wait = 10},
                            .dir = dir};

    return fetch_folder(&f, result, e);
}

static void
assert_fetched(struct scene *s, uint64_t size)
{
    CLEANUP(mem_cleanup) char *dir = scene_path(s, "copy");
    CLEANUP(mem_cleanup) char *said = mem_printf("size         %" PRIu64 " leaves", size);

    if (RUN(s, "--ledger", dir, "verify") != 0) {
        fail_msg("%s", s->errors);
    }
    assert_says(s->out, said);
}

static bool
is_there(const struct scene *s, const char *name)
{
    CLEANUP(mem_cleanup) char *path = scene_path(s, name);

    return access(path, F_OK) == 0;
}

static void
assert_file(const struct scene *s, const char *name, struct span octets)
{
    CLEANUP(mem_cleanup) char *path = scene_path(s, name);
    CLEANUP(buf_free) struct buf got = BUF_INIT(MESSAGES_FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &got, &e), &e);
    if (!span_equal(buf_span(&got), octets)) {
        fail_msg("%s: %.*s", name, (int)got.n, (const char *)got.p);
    }
}

/* The log's key signs another root. */
static void
lie(const struct scene *s, uint64_t size, const char *name)
{
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(buf_free) struct buf vkey = BUF_INIT(NOTE_KEY_MAX);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(mem_cleanup) char *key_path = scene_key(s);
    CLEANUP(mem_cleanup) char *path = scene_path(s, name);
    struct checkpoint c = {.size = size, .root = merkle_leaf(SPAN_LITERAL("another past"))};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[128];
    size_t n = sizeof(der);
    struct err e = {0};

    assert_ok(file_read(key_path, &vkey, &e), &e);
    assert_ok(log_key_parse(&key, buf_span(&vkey), &e), &e);
    memcpy(c.origin, key.origin, sizeof(c.origin));
    assert_ok(checkpoint_text(&c, &text, &e), &e);
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, s->l.key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, text.p, text.n), 1);
    EVP_MD_CTX_free(ctx);
    assert_ok(checkpoint_seal(&key, buf_span(&text), span_of(der, n), &note, &e), &e);
    assert_ok(file_write(path, buf_span(&note), 0644, &e), &e);
}

/* ---- tests ---- */

static void
a_folder_comes_and_grows(void **state)
{
    struct scene *s = *state;
    CLEANUP(web_stop) struct web web = {0};
    struct fetch_result result;
    struct err e = {0};

    web_start(s, "plain", false, &web);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.key_from, FETCH_KEY_FIRST);
    assert_int_equal(result.size, FIRST_SIZE);
    assert_int_equal(result.earlier, 0);
    assert_int_equal(result.files, 3 + 3 + 1 + 3); /* entries, level 0, level 1, messages */
    assert_int_equal(result.messages_absent, 0);
    assert_fetched(s, FIRST_SIZE);
    assert_int_equal(asked_for(&web, "/ledger/checkpoint no-cache"), 1);
    assert_int_equal(asked_for(&web, "/ledger/checkpoint"), 1);

    /* again: nothing but the checkpoint is asked for */
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.key_from, FETCH_KEY_KEPT);
    assert_int_equal(result.files, 0);
    assert_int_equal(asked_for(&web, "/ledger/tile"), 10);
    assert_int_equal(asked_for(&web, "/ledger/log.vkey"), 1);

    web_stop(&web);
    grow(s);
    web_start(s, "plain", false, &web);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.earlier, FIRST_SIZE);
    assert_int_equal(result.files, 3 + 3 + 1 + 3);
    assert_fetched(s, GROWN_SIZE);
    assert_false(is_there(s, "copy/tile/0/002.p"));
    assert_false(is_there(s, "copy/tile/messages/002.p"));
    assert_true(is_there(s, "copy/tile/messages/002"));
    assert_false(is_there(s, "copy/tile/1/000.p/2"));
    assert_true(is_there(s, "copy/tile/1/000.p/4"));
}

/* The log grew behind the checkpoint that is asked for, and its partial files are gone. */
static void
a_log_that_grows_meanwhile(void **state)
{
    struct scene *s = *state;
    CLEANUP(web_stop) struct web web = {0};
    struct fetch_result result;
    struct err e = {0};

    web_start(s, "plain", false, &web);
    grow(s);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.size, FIRST_SIZE);
    assert_int_equal(asked_for(&web, "/ledger/tile/0/002.p/88"), 1);
    assert_int_equal(asked_for(&web, "/ledger/tile/0/002 "), 1);
    assert_true(is_there(s, "copy/tile/0/002.p/88")); /* what the checkpoint covers of it */
    assert_false(is_there(s, "copy/tile/0/002"));
    assert_true(is_there(s, "copy/tile/entries/002.p/88"));
    assert_true(is_there(s, "copy/tile/messages/002.p/88"));
    assert_false(is_there(s, "copy/tile/messages/002"));
    assert_fetched(s, FIRST_SIZE);
}

/* The copy, and a mirror that is made anew of the URL, say it; neither is stopped by it. */
static void
assert_wrong(struct scene *s, const struct web *web)
{
    CLEANUP(mem_cleanup) char *dir = scene_path(s, "copy");
    CLEANUP(mem_cleanup) char *cache = scene_path(s, "cache");
    CLEANUP(mem_cleanup) char *db = scene_path(s, "audit.db");

    assert_int_equal(RUN(s, "--ledger", dir, "verify"), 4);
    assert_says(s->out, "OTHER");
    (void)RUN(s, "mirror", "--init", "--stale", "999999", "--cache", cache, web->url, db);
    assert_says(s->out, "accepted");
    assert_says(s->out, "OTHER");
    assert_int_equal(unlink(db), 0);
}

/* Before version 7 nobody had any; what is not what the leaves name is kept for who looks at it,
 * and asked for again. */
static void
messages_that_are_absent_or_wrong(void **state)
{
    static const uint8_t one[] = {0, 0, 0, 1, 'x'};
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = file_path(s, AUDIT_MESSAGES, 0, AUDIT_WIDTH);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(MESSAGES_FILE_MAX);
    CLEANUP(web_stop) struct web web = {0};
    struct fetch_result result;
    struct err e = {0};

    web_start(s, "plain", false, &web);
    assert_ok(file_read(path, &octets, &e), &e);
    assert_int_equal(unlink(path), 0);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.messages_absent, 1);
    assert_false(is_there(s, "copy/tile/messages/000"));

    assert_ok(file_write(path, span_of(one, sizeof(one)), 0644, &e), &e);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.messages_wrong, 1);
    assert_int_equal(result.messages_absent, 0);
    assert_file(s, "copy/tile/messages/000", span_of(one, sizeof(one)));
    assert_file(s, "copy/tile/messages/000.wrong",
                SPAN_LITERAL("the message that entry 0 names is another one"));
    assert_int_equal(asked_for(&web, "/ledger/tile/messages/000 "), 1 + 3);
    assert_wrong(s, &web);

    assert_ok(buf_append(&octets, span_of(one, 1), &e), &e);
    assert_ok(file_write(path, buf_span(&octets), 0644, &e), &e);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.messages_wrong, 1);
    assert_file(s, "copy/tile/messages/000.wrong", SPAN_LITERAL("1 octets too many"));
    assert_int_equal(truncate(path, MESSAGES_FILE_MAX + 1), 0);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.messages_wrong, 1);
    assert_ok(file_write(path, span_of(octets.p, octets.n - 1), 0644, &e), &e);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.messages_absent, 0);
    assert_int_equal(result.messages_wrong, 0);
    assert_file(s, "copy/tile/messages/000", span_of(octets.p, octets.n - 1));
    assert_false(is_there(s, "copy/tile/messages/000.wrong"));
    assert_fetched(s, FIRST_SIZE);
}

/* What was fetched stays until what is in its place has come. */
static void
messages_stay_until_others_come(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *messages = NULL;
    CLEANUP(mem_cleanup) char *away = scene_path(s, "away");
    CLEANUP(web_stop) struct web web = {0};
    struct fetch_result result;
    struct err e = {0};

    web_start(s, "plain", false, &web);
    assert_ok(fetch(s, &web, &result, &e), &e);
    web_stop(&web);
    grow(s);
    messages = scene_path(s, "ledger/tile/messages");
    assert_int_equal(rename(messages, away), 0);
    web_start(s, "plain", false, &web);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.messages_absent, 3);
    assert_true(is_there(s, "copy/tile/messages/001"));
    assert_true(is_there(s, "copy/tile/messages/002.p/88"));

    assert_int_equal(rename(away, messages), 0);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.messages_absent, 0);
    assert_true(is_there(s, "copy/tile/messages/002"));
    assert_false(is_there(s, "copy/tile/messages/002.p"));
}

static void
what_passes_is_asked_for_again(void **state)
{
    static const char *const modes[] = {"busy", "html_once", "cut_once", "lie_entries_once",
                                        "gzip"};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        CLEANUP(web_stop) struct web web = {0};
        struct fetch_result result;
        struct err e = {0};

        web_start(s, modes[i], false, &web);
        assert_ok(fetch(s, &web, &result, &e), &e);
        assert_fetched(s, FIRST_SIZE);
        if (i + 1 < ARRAY_LEN(modes)) {
            CLEANUP(mem_cleanup) char *from = scene_path(s, "copy");
            CLEANUP(mem_cleanup) char *to = mem_printf("%s-%s", from, modes[i]);

            assert_int_equal(rename(from, to), 0);
        }
    }
}

static void
what_does_not_pass_ends_it(void **state)
{
    static const struct {
        const char *mode;
        enum err_code code;
        const char *says;
    } rows[] = {
        {"always_busy", ERR_BUSY, ", tried 4 times: status 503"},
        {"always_500", ERR_BUSY, ", tried 4 times: status 500"},
        {"always_429", ERR_BUSY, ", tried 4 times: status 429"},
        {"html", ERR_INPUT, ", tried 3 times: "},
        {"short", ERR_INPUT, ", tried 3 times: "},
        {"redirect", ERR_DENIED, "status 302, a redirect"},
        {"forbidden", ERR_DENIED, "status 403"},
        {"absent", ERR_NOTFOUND, " is not there"},
        {"bomb", ERR_DENIED, "more than "},
        {"endless", ERR_DENIED, "more than "},
        {"headers", ERR_DENIED, "65536 in its header"},
        {"drip", ERR_BUSY, ", tried 2 times: "},
        {"bad_gzip", ERR_IO, "tile/"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(web_stop) struct web web = {0};
        struct fetch_result result;
        struct err e = {0};

        web.is_slow = strcmp(rows[i].mode, "drip") == 0;
        web_start(s, rows[i].mode, false, &web);
        if (fetch(s, &web, &result, &e) == 0 || e.code != rows[i].code ||
            strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%s: %s: %s", rows[i].mode, err_code_name(e.code), e.text);
        }
        assert_false(is_there(s, "copy/checkpoint"));
        assert_true(asked_for(&web, "/ledger/tile/0/002.p/88") <= 4);
        assert_true(asked_for(&web, "/ledger/tile/1/000.p/2") <= 4);
    }
}

/* Of the right form, and not what the checkpoint covers: it is not kept, and so the next source
 * that is honest is good enough. */
static void
a_wrong_answer_does_not_stay(void **state)
{
    static const struct {
        const char *mode;
        const char *name; /* in the folder */
        enum err_code code;
        const char *says;
    } rows[] = {
        {"lie_entries", "copy/tile/entries/001", ERR_INPUT,
         "tile/entries/001, tried 3 times: its entry 0 is not the one that tile/0/001 covers"},
        {"lie_entries_edge", "copy/tile/entries/002.p/88", ERR_INPUT,
         "its entry 0 is not the one that tile/0/002.p/88 covers"},
        {"lie_tile", "copy/tile/0/001", ERR_INPUT,
         "tile/0/001, tried 3 times: it is not the tile that tile/1/000.p/2 covers"},
        {"lie_edge", "copy/tile/0/002.p/88", ERR_CRYPTO, "do not give the root of the checkpoint"},
        {"lie_top", "copy/tile/1/000.p/2", ERR_CRYPTO, "do not give the root of the checkpoint"},
    };
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *dir = scene_path(s, "copy");

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *done = mem_printf("%s-%zu", dir, i);
        CLEANUP(web_stop) struct web liar = {0};
        CLEANUP(web_stop) struct web web = {0};
        struct fetch_result result;
        struct err e = {0};

        web_start(s, rows[i].mode, false, &liar);
        if (fetch(s, &liar, &result, &e) == 0 || e.code != rows[i].code ||
            strstr(e.text, rows[i].says) == NULL) {
            fail_msg("%s: %s: %s", rows[i].mode, err_code_name(e.code), e.text);
        }
        assert_false(is_there(s, rows[i].name));
        assert_false(is_there(s, "copy/checkpoint"));
        web_start(s, "plain", false, &web);
        assert_ok(fetch(s, &web, &result, &e), &e);
        assert_fetched(s, FIRST_SIZE);
        assert_int_equal(rename(dir, done), 0);
    }
}

/* What came stays, and is not asked for again. */
static void
an_end_in_between_is_gone_on_from(void **state)
{
    static const char *const entries[] = {"copy/tile/entries/000", "copy/tile/entries/001",
                                          "copy/tile/entries/002.p/88"};
    struct scene *s = *state;
    CLEANUP(web_stop) struct web web = {0};
    struct fetch_result result;
    struct err e = {0};
    unsigned there = 0;

    web_start(s, "half", false, &web);
    assert_err(fetch(s, &web, &result, &e), ERR_DENIED, &e);
    assert_false(is_there(s, "copy/checkpoint"));
    for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
        there += is_there(s, entries[i]) ? 1 : 0;
    }
    assert_true(there > 0);
    web_stop(&web);
    web_start(s, "plain", false, &web);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_int_equal(result.files, 3 - there + 3); /* and the messages */
    assert_int_equal(asked_for(&web, "/ledger/tile/entries"), 3 - there);
    assert_fetched(s, FIRST_SIZE);
}

/* Nobody is there, or not who was asked for. */
static void
a_source_that_is_none(void **state)
{
    static const char *const urls[] = {
        "ftp://127.0.0.1/",
        "file:///etc",
        "127.0.0.1",
        "http://",
        "http://a/b?c",
        "http://a/b#c",
        "HTTP://a/",
        "http://u@a/",
        "https://u:p@a.example/x",
        "gopher://127.0.0.1/",
        "http://a b/c",
        "",
    };
    struct scene *s = *state;
    CLEANUP(web_stop) struct web web = {.pid = 0};
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    struct fetch_result result;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        if (transfer_url(urls[i], &e) == 0) {
            fail_msg("%s", urls[i]);
        }
    }
    web.url = mem_strdup("http://127.0.0.1:9/ledger");
    assert_err(fetch(s, &web, &result, &e), ERR_BUSY, &e);
    assert_says(e.text, "log.vkey, tried 4 times: ");
    web_stop(&web);
    assert_ok(file_write(key, SPAN_LITERAL(""), 0644, &e), &e);
    web_start(s, "plain", false, &web);
    assert_err(fetch(s, &web, &result, &e), ERR_INPUT, &e);
    assert_says(e.text, "log.vkey, tried 3 times: it is empty");
}

static void
a_smaller_or_another_log_is_refused(void **state)
{
    struct scene *s = *state;
    CLEANUP(web_stop) struct web web = {0};
    CLEANUP(web_stop) struct web old = {0};
    struct fetch_result result;
    struct err e = {0};

    web_start(s, "plain", false, &old); /* shows the checkpoint of now for ever */
    grow(s);
    web_start(s, "plain", false, &web);
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_err(fetch(s, &old, &result, &e), ERR_CONFLICT, &e);
    assert_says(e.text,
                "was rolled back: its checkpoint covers 600 leaves, that of the folder 1100");
    assert_says(e.text, "copy/checkpoint.refused-");
    assert_fetched(s, GROWN_SIZE);
    web_stop(&web);

    lie(s, GROWN_SIZE, "ledger/checkpoint");
    web_start(s, "plain", false, &web);
    assert_err(fetch(s, &web, &result, &e), ERR_CONFLICT, &e);
    assert_says(e.text, "fork: the source has another root for the 1100 leaves");
    assert_fetched(s, GROWN_SIZE);
}

/* Larger, and with another past than what was here. */
static void
another_past_is_found_when_all_came(void **state)
{
    struct scene *s = *state;
    CLEANUP(web_stop) struct web web = {0};
    CLEANUP(buf_free) struct buf before = BUF_INIT(NOTE_MAX);
    CLEANUP(buf_free) struct buf after = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *path = scene_path(s, "copy/checkpoint");
    struct fetch_result result;
    struct err e = {0};

    web_start(s, "plain", false, &web);
    assert_ok(fetch(s, &web, &result, &e), &e);
    lie(s, 100, "copy/checkpoint");
    assert_ok(file_read(path, &before, &e), &e);
    assert_err(fetch(s, &web, &result, &e), ERR_CONFLICT, &e);
    assert_says(e.text, "fork: the first 100 leaves");
    assert_says(e.text, "checkpoint.refused-");
    assert_ok(file_read(path, &after, &e), &e);
    assert_true(span_equal(buf_span(&before), buf_span(&after)));
}

static void
another_key_is_not_this_log(void **state)
{
    struct scene *s = *state;
    CLEANUP(web_stop) struct web web = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(mem_cleanup) char *dir = scene_path(s, "copy");
    CLEANUP(mem_cleanup) char *vkey = scene_path(s, "copy/log.vkey");
    struct fetch f = {.from = {.stalled = 30, .tries = 1, .wait = 10}, .dir = dir, .key = &key};
    struct fetch_result result;
    struct err e = {0};

    assert_ok(OSSL_ENCODE(PUBKEY, other, &spki, &e), &e);
    assert_ok(log_key_set(&key, "another.example/log", buf_span(&spki), &e), &e);
    web_start(s, "plain", false, &web);
    f.from.url = web.url;
    assert_err(fetch_folder(&f, &result, &e), ERR_CRYPTO, &e);
    assert_says(e.text, "of another log");
    assert_int_equal(asked_for(&web, "/ledger/tile"), 0);
    assert_false(is_there(s, "copy/log.vkey"));
    assert_ok(fetch(s, &web, &result, &e), &e);
    assert_err(fetch_folder(&f, &result, &e), ERR_CRYPTO, &e);
    assert_says(e.text, "log.vkey is not the trusted key");
    assert_ok(file_write(vkey, SPAN_LITERAL("x"), 0644, &e), &e);
    assert_err(fetch(s, &web, &result, &e), ERR_INPUT, &e);
    assert_says(e.text, "log.vkey: not a verifier key");
}

/* By its user, over TLS with a private authority, with a policy. */
static void
the_command_says_what_it_rests_on(void **state)
{
    struct scene *s = *state;
    CLEANUP(web_stop) struct web web = {0};
    CLEANUP(mem_cleanup) char *dir = scene_path(s, "copy");
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *witness = scene_path(s, "w1");
    CLEANUP(mem_cleanup) char *memory = scene_path(s, "state");
    CLEANUP(mem_cleanup) char *path = scene_path(s, "policy");
    CLEANUP(mem_cleanup) char *folder = scene_path(s, "ledger/witness");
    CLEANUP(mem_cleanup) char *note = NULL;
    CLEANUP(mem_cleanup) char *policy = NULL;
    struct cosigner c;
    struct stat st;
    struct err e = {0};

    assert_int_equal(RUN(s, "witness-key", "--key-file", witness, "w1"), 0);
    assert_ok(cosigner_parse(&c, span_str(s->out), &e), &e);
    policy = mem_printf("witness w %squorum w\n", s->out);
    assert_ok(file_write(path, span_str(policy), 0600, &e), &e);
    web_start(s, "busy_once", true, &web);
    assert_int_equal(RUN(s, "fetch", web.url, dir), 1);
    assert_says(s->errors, "nfpki-audit: not fetched: log.vkey: ");
    assert_string_equal(s->out, "");
    assert_int_equal(RUN(s, "fetch", "--cacert", web.certificate, web.url, dir), 0);
    assert_says(s->out, "FROM THE SOURCE ITSELF, for the first time");
    assert_says(s->errors, "tile/1/000.p/2: status 503: asked again in 1 s, and 8 times at most");
    assert_says(s->out, "size         600 leaves, 0 before\n");
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
    assert_int_equal(RUN(s, "--ledger", dir, "verify", "--policy", path), 1);

    assert_int_equal(RUN(s, "--ledger", dir, "witness", "--key-file", witness, "--state", memory),
                     0);
    assert_ok(file_mkdirs(folder, 0755, &e), &e);
    note = mem_printf("%s/%02x%02x%02x%02x", folder, c.id[0], c.id[1], c.id[2], c.id[3]);
    assert_ok(file_write(note, span_str(s->out), 0644, &e), &e);
    assert_int_equal(
        RUN(s, "--key", key, "fetch", "--cacert", web.certificate, "--policy", path, web.url, dir),
        0);
    assert_says(s->out, ", given\n");
    assert_int_equal(RUN(s, "--ledger", dir, "--key", key, "verify", "--policy", path), 0);
    assert_says(s->out, "quorum \"w\" over the first 600 of 600 leaves");

    /* a note of another log is none of this one's witnesses */
    assert_ok(file_write(note, SPAN_LITERAL("x\n"), 0644, &e), &e);
    assert_int_equal(RUN(s, "fetch", "--cacert", web.certificate, "--policy", path, web.url, dir),
                     1);
    assert_says(s->errors, "not fetched: witness/");
    assert_ok(file_write(path,
                         SPAN_LITERAL("log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2L"
                                      "KaANYcrnKv3U2k\nquorum none\n"),
                         0600, &e),
              &e);
    assert_int_equal(RUN(s, "fetch", "--cacert", web.certificate, "--policy", path, web.url, dir),
                     1);
    assert_says(s->errors, "the policy does not name this log");
    assert_int_equal(RUN(s, "fetch", web.url), 2);
    assert_int_equal(RUN(s, "fetch", "ftp://127.0.0.1/", dir), 2);
    assert_int_equal(RUN(s, "fetch", web.url, dir, "--json"), 2);
    assert_int_equal(RUN(s, "fetch", web.url, dir, "--policy", "/nonexistent"), 2);
    assert_int_equal(RUN(s, "fetch", web.url, dir, "--key", "/nonexistent"), 2);
    assert_int_equal(RUN(s, "fetch", "--cacert", "/nonexistent", web.url, dir), 1);
}

/* A mirror of a URL: fetched beside it, and verified there. */
static void
a_mirror_follows_a_url(void **state)
{
    struct scene *s = *state;
    CLEANUP(web_stop) struct web web = {0};
    CLEANUP(web_stop) struct web old = {0};
    CLEANUP(mem_cleanup) char *db = scene_path(s, "copy");
    CLEANUP(mem_cleanup) char *cache = scene_path(s, "cache");
    CLEANUP(mem_cleanup) char *other = scene_path(s, "other");
    CLEANUP(mem_cleanup) char *witness = scene_path(s, "w1");
    CLEANUP(mem_cleanup) char *policy = scene_path(s, "policy");
    CLEANUP(mem_cleanup) char *text = NULL;
    struct err e = {0};

    web_start(s, "plain", false, &old);
    assert_int_equal(RUN(s, "mirror", old.url, db), 2);
    assert_says(s->errors, "--init makes a new one");
    assert_int_equal(asked_for(&old, "/"), 0);
    assert_int_equal(RUN(s, "mirror", "--stale", "999999", "--init", old.url, db), 0);
    assert_says(s->out, "accepted");
    assert_says(s->out, "600 leaves, 600 of them new");
    assert_true(is_there(s, "copy-ledger/checkpoint"));
    grow(s);
    web_start(s, "plain", false, &web);
    assert_int_equal(RUN(s, "mirror", "--stale", "999999", web.url, db), 0);
    assert_says(s->out, "1100 leaves, 500 of them new");
    assert_int_equal(RUN(s, "mirror", old.url, db), 1);
    assert_says(s->errors, "NOT VERIFIED: the source is behind, or was rolled back");
    assert_int_equal(RUN(s, "--mirror", db, "list", "--json"), 0);

    assert_int_equal(RUN(s, "witness-key", "--key-file", witness, "w1"), 0);
    text = mem_printf("witness w %squorum w\n", s->out);
    assert_ok(file_write(policy, span_str(text), 0600, &e), &e);
    assert_int_equal(
        RUN(s, "mirror", "--init", "--cache", cache, "--policy", policy, web.url, other), 1);
    assert_says(s->errors, "the quorum \"w\" of the policy has not cosigned this log");
    assert_false(is_there(s, "other"));
    assert_true(is_there(s, "cache/checkpoint"));
    assert_ok(file_write(policy, SPAN_LITERAL("quorum none\n"), 0600, &e), &e);
    assert_int_equal(RUN(s, "mirror", "--init", "--cache", cache, "--policy", policy,
                         "--stale=999999", web.url, other),
                     0);
    assert_says(s->out, "has cosigned the first 1100 of 1100 leaves");
    assert_int_equal(RUN(s, "mirror", "--cache", cache, s->l.dir, db), 2);
    assert_says(s->errors, "are for a source that is a URL");
    assert_int_equal(RUN(s, "mirror", "http://u@a/", db), 2);
    assert_int_equal(RUN(s, "mirror", "--policy", "/nonexistent", web.url, db), 2);
}

/* What is taken on trust is the log of the first time, whoever stands at the URL later. */
static void
a_mirror_has_its_key_already(void **state)
{
    struct scene *s = *state;
    CLEANUP(web_stop) struct web web = {0};
    CLEANUP(web_stop) struct web good = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    EVP_PKEY *own = s->l.key;
    CLEANUP(buf_free) struct buf spki = BUF_INIT(1024);
    CLEANUP(buf_free) struct buf vkey = BUF_INIT(NOTE_KEY_MAX);
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(mem_cleanup) char *text = NULL;
    CLEANUP(mem_cleanup) char *path = scene_key(s);
    CLEANUP(mem_cleanup) char *db = scene_path(s, "copy");
    struct err e = {0};

    assert_int_equal(RUN(s, "mirror", "--stale", "999999", "--init", s->l.dir, db), 0);
    web_start(s, "plain", false, &good);
    assert_ok(file_read(path, &vkey, &e), &e);
    assert_ok(OSSL_ENCODE(PUBKEY, other, &spki, &e), &e);
    assert_ok(log_key_set(&key, "another.example/log", buf_span(&spki), &e), &e);
    text = log_key_format(&key);
    assert_ok(file_write(path, span_str(text), 0644, &e), &e);
    s->l.key = other;
    lie(s, UINT64_C(1) << 40, "ledger/checkpoint");
    s->l.key = own;
    web_start(s, "plain", false, &web);
    assert_int_equal(RUN(s, "mirror", web.url, db), 1);
    assert_says(s->errors, "of another log");
    assert_int_equal(asked_for(&web, "/ledger/log.vkey"), 0);
    assert_int_equal(asked_for(&web, "/ledger/tile"), 0);
    assert_false(is_there(s, "copy-ledger/log.vkey"));

    assert_ok(file_write(path, buf_span(&vkey), 0644, &e), &e);
    assert_int_equal(RUN(s, "mirror", "--stale", "999999", good.url, db), 0);
    assert_int_equal(asked_for(&good, "/ledger/log.vkey"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WEB(a_folder_comes_and_grows),
        WEB(a_log_that_grows_meanwhile),
        WEB(messages_that_are_absent_or_wrong),
        WEB(messages_stay_until_others_come),
        WEB(what_passes_is_asked_for_again),
        WEB(what_does_not_pass_ends_it),
        WEB(a_wrong_answer_does_not_stay),
        WEB(an_end_in_between_is_gone_on_from),
        WEB(a_source_that_is_none),
        WEB(a_smaller_or_another_log_is_refused),
        WEB(another_past_is_found_when_all_came),
        WEB(another_key_is_not_this_log),
        WEB(the_command_says_what_it_rests_on),
        WEB(a_mirror_follows_a_url),
        WEB(a_mirror_has_its_key_already),
    };

    const int failed = cmocka_run_group_tests(tests, grow_all, end_all);

    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
    return failed;
}
