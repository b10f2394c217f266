/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of a record with everything in it, as a browser asks for them, and who else may ask. */
#include "db/audit/serve/serve.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pool.h"
#include "db/audit/mirror/run.h"
#include "tests/support/history/history.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static struct history h;
static struct history_told told;
static char *folder;
static char *file; /* of the mirror */
static struct audit_issuers *issuers;

/* ---- a server, and who asks it ---- */

struct site {
    struct serve *serve;
    pthread_t thread;
};

static void *
go(void *arg)
{
    struct site *site = arg;

    serve_run(site->serve);
    return NULL;
}

static void
site_begin(struct site *site, const struct serve_options *more)
{
    struct serve_options options = *more;
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open(file, &e);

    assert_ok(m == NULL ? -1 : 0, &e);
    options.mirror = file;
    options.listen = "127.0.0.1:0";
    options.key = mirror_key(m);
    options.issuers = issuers;
    site->serve = serve_new(&options, &e);
    assert_ok(site->serve == NULL ? -1 : 0, &e);
    assert_int_equal(pthread_create(&site->thread, NULL, go, site), 0);
}

static void
site_end(struct site *site)
{
    serve_stop(site->serve);
    assert_int_equal(pthread_join(site->thread, NULL), 0);
    serve_free(site->serve);
}

/* All that comes until the connection is closed. */
static char *
say(const struct site *site, const char *text)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)serve_port(site->serve)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *all = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&all, &n);
    char octets[4096];
    ssize_t got;

    assert_true(fd >= 0 && memory != NULL);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to)), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    while ((got = read(fd, octets, sizeof(octets))) > 0) {
        (void)fwrite(octets, 1, (size_t)got, memory);
    }
    assert_int_equal(fclose(memory), 0);
    (void)close(fd);
    return all;
}

static char *
ask(const struct site *site, const char *path)
{
    CLEANUP(mem_cleanup)
    char *text =
        mem_printf("GET %s HTTP/1.0\r\nHost: localhost:%u\r\n\r\n", path, serve_port(site->serve));

    return say(site, text);
}

static int
status_of(const char *answer)
{
    int status = 0;

    (void)sscanf(answer, "HTTP/1.1 %3d", &status);
    return status;
}

static void
expect(const struct site *site, const char *path, int status, const char *has)
{
    CLEANUP(mem_cleanup) char *answer = ask(site, path);

    if (status_of(answer) != status || strstr(answer, has) == NULL) {
        fail_msg("%s: not %d with \"%s\": %s", path, status, has, answer);
    }
}

/* ---- the record ---- */

static void
mirror_make(const char *path)
{
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    struct err e = {0};

    log = audit_open(h.l.dir, NULL, &e);
    assert_ok(log == NULL ? -1 : 0, &e);
    assert_ok(mirror_init(path, audit_key(log), true, &e), &e);
    m = mirror_open_writable(path, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    assert_ok(mirror_run(m, h.l.dir, NULL, NULL, &outcome, &e), &e);
}

static int
set_up(void **state)
{
    (void)state;
    history_begin(&h, 1768204800); /* 2026-01-12T08:00:00Z */
    history_tell(&h, &told);
    folder = tmpdir_new();
    file = mem_printf("%s/audit.db", folder);
    mirror_make(file);
    issuers = audit_issuers_new();
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    audit_issuers_free(issuers);
    mem_free(file);
    tmpdir_remove(folder);
    history_end(&h);
    pool_contexts_free();
    return 0;
}

/* ---- tests ---- */

static void
each_page_has_what_it_is_for(void **state)
{
    CLEANUP(mem_cleanup) char *show = mem_printf("/show/%s", told.compromised);
    CLEANUP(mem_cleanup) char *json = mem_printf("/show/%s.json", told.compromised);
    CLEANUP(mem_cleanup) char *explain = mem_printf("/explain/%s", told.compromised);
    CLEANUP(mem_cleanup) char *prove = mem_printf("/prove/%s", told.compromised);
    CLEANUP(mem_cleanup) char *find = mem_printf("/certificates?serial=%s", told.compromised);
    CLEANUP(mem_cleanup) char *led = mem_printf("<a href=\"/show/%s\">", told.compromised);
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    expect(&site, "/", 200, "The record is verified");
    expect(&site, "/help", 200, "expires-within");
    expect(&site, find, 200, led);
    expect(&site, "/events?way=down", 200, "rel=\"next\"");
    expect(&site, "/certificates?status=revoked&column=serial&column=profile", 200,
           "<p class=\"asked\">Status: <bdi>revoked</bdi>");
    expect(&site, "/certificates?as-of=2020-01-01&status=expired", 200,
           "no certificates like that");
    expect(&site, "/certificates?after=0", 200, ", up to the end");
    expect(&site, "/changes", 200, ": all of them");
    expect(&site, "/certificates.csv?status=revoked", 200, "filename=\"certificates.csv\"");
    expect(&site, "/certificates.jsonl", 200, "\"key\":{\"from\":\"given\"");
    expect(&site, show, 200, "was revoked: keyCompromise");
    expect(&site, "/show?q=Ada", 200, "What the record has about <bdi>Ada</bdi>");
    expect(&site, json, 200, "\"leaves\":[");
    expect(&site, explain, 200, "verified again");
    expect(&site, prove, 200, "c2sp.org/tlog-proof@v1");
    expect(&site, "/prove/0", 200, "filename=\"0.tlog-proof\"");
    site_end(&site);
}

static void
what_cannot_be_asked_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *has;
    } rows[] = {
        {"/nothing", 404, "Nothing is at this path"},
        {"/certificates?color=red", 400, "expires-within"},
        {"/certificates?status=happy", 400, "is one of"},
        {"/certificates?since=yesterday", 400, "YYYY-MM-DD"},
        {"/certificates?as-of=now", 400, "YYYY-MM-DD"},
        {"/certificates?rows=501", 400, "at most 500"},
        {"/certificates?rows=1x", 400, "at most 500"},
        {"/certificates?after=x", 400, "after is a number"},
        {"/certificates?after=0&sort=profile", 400, "no row of certificates has this leaf"},
        {"/certificates?way=left", 400, "up or down"},
        {"/certificates?sort=color", 400, "have no column color"},
        {"/certificates?column=color", 400, "have no column color"},
        {"/certificates?column=serial&column=serial", 400, "twice"},
        {"/certificates?rows=1&rows=2", 400, "asked twice"},
        {"/events?sort=time", 400, "in the order of their leaves"},
        {"/certificates?serial=%zz", 400, "two hexadecimal digits"},
        {"/?x=y", 400, "nothing behind ?"},
        {"/show", 400, "/show?q="},
        {"/show?what=x", 400, "/show?q="},
        {"/show/0?q=x", 400, "/show?q="},
        {"/show?q=nobody", 404, "nothing about that"},
        {"/show/999999", 404, ""},
        {"/explain/0", 400, "not one certificate or request"},
        {"/prove/nobody", 400, "a leaf by its index"},
        {"/prove/999999", 404, "no such leaf"},
        {"/prove/5a5a", 404, "no such leaf"},
    };
    CLEANUP(buf_free) struct buf long_path = BUF_INIT(8192);
    struct site site;
    struct err e = {0};

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        expect(&site, rows[i].path, rows[i].status, rows[i].has);
    }
    assert_ok(buf_append_str(&long_path, "/certificates?", &e), &e);
    for (int i = 0; i < 90; i++) {
        assert_ok(buf_append_str(&long_path, "column=abcdefghijkl&", &e), &e);
    }
    assert_ok(buf_append(&long_path, SPAN_LITERAL("\0"), &e), &e);
    expect(&site, (const char *)long_path.p, 400, "too many columns");
    site_end(&site);
}

/* Each answer, a refusal too, keeps everything out of the page. */
static void
nobody_else_gets_or_changes_anything(void **state)
{
    static const struct {
        const char *line;
        const char *host; /* up to the port */
        const char *rest; /* behind it */
        int status;
    } rows[] = {
        {"GET /", "rebound.example:", "", 421},
        {"GET /certificates", "localhost:1", "", 421},
        {"GET /", "localhost.:", "", 421},
        {"POST /certificates", "localhost:", "\r\nContent-Length: 0", 405},
        {"POST /", "localhost:", "\r\nContent-Length: 2\r\n\r\nab", 413},
        {"PUT /", "localhost:", "", 405},
        {"DELETE /certificates", "localhost:", "", 405},
        {"GET /<script>", "localhost:", "", 404},
        {"GET /%41", "localhost:", "", 400},
        {"GET /help", "LOCALHOST:", "", 200},
        {"HEAD /help", "127.0.0.1:", "", 200},
    };
    static const char *const fields[] = {
        "Content-Security-Policy: default-src 'none'; style-src 'sha256-",
        "X-Content-Type-Options: nosniff\r\n",
        "Referrer-Policy: no-referrer\r\n",
        "Cross-Origin-Resource-Policy: same-origin\r\n",
        "Cache-Control: no-store\r\n",
    };
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *request = mem_printf("%s HTTP/1.0\r\nHost: %s%u%s\r\n\r\n", rows[i].line,
                                   rows[i].host, serve_port(site.serve), rows[i].rest);
        CLEANUP(mem_cleanup) char *answer = say(&site, request);

        print_message("row %s", request);
        assert_int_equal(status_of(answer), rows[i].status);
        for (size_t k = 0; k < ARRAY_LEN(fields); k++) {
            assert_non_null(strstr(answer, fields[k]));
        }
        assert_null(strstr(answer, "Set-Cookie"));
        assert_null(strstr(answer, "<script"));
        if (rows[i].status == 405) {
            assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
        }
        if (request[0] == 'H') {
            assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
        }
    }
    site_end(&site);
}

/* HTTP/1.0 needs no Host; here it does. */
static void
who_says_no_name_is_not_answered(void **state)
{
    CLEANUP(mem_cleanup) char *answer = NULL;
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    answer = say(&site, "GET / HTTP/1.0\r\n\r\n");
    assert_int_equal(status_of(answer), 421);
    site_end(&site);
}

/* A network function and people whose names would rather be something else. */
static void
hostile_names_are_text(void **state)
{
    static const char *const paths[] = {
        "/",
        "/certificates?column=subject&column=serial",
        "/staff",
        "/approvals",
        "/events",
        "/show?q=%3Cscript%3E",
        "/registrations",
        "/refusals",
        "/certificates?subject=%22%3E%3Cscript%3E%E2%80%AE",
    };
    CLEANUP(mem_cleanup) char *person = mem_printf("/show/%s", told.hostile->serial);
    CLEANUP(mem_cleanup) char *registration = mem_printf("/show/%s", told.hostile_nf->registration);
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = false});
    for (size_t i = 0; i < ARRAY_LEN(paths) + 2; i++) {
        CLEANUP(mem_cleanup)
        char *answer = ask(&site, i < ARRAY_LEN(paths)    ? paths[i]
                                  : i == ARRAY_LEN(paths) ? person
                                                          : registration);

        assert_null(strstr(answer, "<script"));
        assert_null(strstr(answer, "\xe2\x80\xae"));
        assert_null(strchr(answer, '\x1b'));
        assert_null(strstr(answer, "javascript:"));
    }
    expect(&site, "/approvals", 200, "&lt;img src=http://x&gt;");
    expect(&site, "/refusals", 200, "\\u{202e}&lt;/script&gt;");
    expect(&site, paths[ARRAY_LEN(paths) - 1], 200, "\\u{202e}");
    expect(&site, "/", 200, "the log key came from the ledger itself");
    site_end(&site);
}

/* From page to page by the links, and each row once, in either order and by a column. */
static void
pages_have_each_row_once(void **state)
{
    static const char *const begins[] = {
        "/certificates?rows=9&column=serial",
        "/certificates?rows=9&column=serial&way=down",
        "/certificates?rows=9&column=serial&sort=nfInstanceId",
        "/certificates?rows=9&column=serial&sort=nfInstanceId&way=down",
        "/certificates?rows=9&column=serial&sort=expired&way=down",
        "/events?rows=50&column=object",
    };
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
        CLEANUP(mem_cleanup) char *csv = NULL;
        CLEANUP(mem_cleanup) char *path = mem_strdup(begins[i]);
        size_t rows = 0;
        size_t wanted = 0;

        while (path != NULL) {
            CLEANUP(mem_cleanup) char *answer = ask(&site, path);
            const char *next = strstr(answer, "rel=\"next\" href=\"");

            assert_int_equal(status_of(answer), 200);
            for (const char *p = strstr(answer, "<tr><th scope=\"row\""); p != NULL;
                 p = strstr(p + 1, "<tr><th scope=\"row\"")) {
                rows++;
            }
            mem_free(path);
            path = NULL;
            if (next != NULL) {
                const char *from = strchr(next, '/');
                char *to;

                path = mem_zalloc(strlen(from) + 1, 1);
                to = path;
                for (; *from != '"'; from++) {
                    *to++ = *from;
                    from += strncmp(from, "&amp;", 5) == 0 ? 4 : 0;
                }
            }
        }
        csv = ask(&site, i + 1 == ARRAY_LEN(begins) ? "/events.csv?column=time"
                                                    : "/certificates.csv?column=notAfter");
        for (const char *p = strstr(csv, "\r\n\r\n") + 4; (p = strchr(p, '\n')) != NULL; p++) {
            wanted++;
        }
        print_message("row %s\n", begins[i]);
        assert_int_equal(rows, wanted - 1);
    }
    site_end(&site);
}

static void
what_is_too_much_is_not_half_an_answer(void **state)
{
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true, .rows = 3});
    expect(&site, "/certificates.csv", 400, "more than 3 rows");
    expect(&site, "/ceremonies.csv", 200, "filename=\"ceremonies.csv\"");
    site_end(&site);
    site_begin(&site, &(struct serve_options){.key_is_given = true, .ms = -1});
    expect(&site, "/", 503, "takes too long");
    site_end(&site);
}

/* The file is looked at anew for each answer. */
static void
another_mirror_in_its_place_is_not_shown(void **state)
{
    CLEANUP(mem_cleanup) char *kept = mem_printf("%s/kept.db", folder);
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/other.db", folder);
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    struct site site;
    struct err e = {0};

    (void)state;
    m = mirror_open(file, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    assert_ok(log_key_set(&key, "another.example/log",
                          span_of(mirror_key(m)->spki, mirror_key(m)->spki_n), &e),
              &e);
    assert_ok(mirror_init(other, &key, true, &e), &e);
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    expect(&site, "/changes", 200, ": all of them");
    assert_int_equal(rename(file, kept), 0);
    expect(&site, "/changes", 500, "does not answer");
    assert_int_equal(rename(other, file), 0);
    expect(&site, "/changes", 500, "of another log now");
    assert_int_equal(rename(kept, file), 0);
    expect(&site, "/changes", 200, ": all of them");
    site_end(&site);
}

static void
it_does_not_listen_to_others(void **state)
{
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open(file, &e);
    struct serve_options options = {.mirror = file, .listen = "0.0.0.0:0"};

    (void)state;
    options.key = mirror_key(m);
    assert_null(serve_new(&options, &e));
    assert_int_equal(e.code, ERR_INPUT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_page_has_what_it_is_for),
        cmocka_unit_test(what_cannot_be_asked_is_refused_with_a_reason),
        cmocka_unit_test(nobody_else_gets_or_changes_anything),
        cmocka_unit_test(who_says_no_name_is_not_answered),
        cmocka_unit_test(hostile_names_are_text),
        cmocka_unit_test(pages_have_each_row_once),
        cmocka_unit_test(what_is_too_much_is_not_half_an_answer),
        cmocka_unit_test(another_mirror_in_its_place_is_not_shown),
        cmocka_unit_test(it_does_not_listen_to_others),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
