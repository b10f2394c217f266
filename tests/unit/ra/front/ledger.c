/* SPDX-License-Identifier: Apache-2.0 */
/* GET /ledger/...: the published files, and nothing else of the folder. */
#include "ra/front/ledger.h"

#include <string.h>

#include "base/file.h"
#include "ra/front/front.h"
#include "tests/unit/ra/running.h"

static struct heard
get(struct running *w, const char *method, const char *name)
{
    struct talk t = {.port = front_port(w->front), .request = BUF_INIT(4096)};
    CLEANUP(mem_cleanup)
    char *text = mem_printf("%s /ledger/%s HTTP/1.1\r\nHost: ra\r\nConnection: close\r\n%s\r\n",
                            method, name, method[0] == 'P' ? "Content-Length: 0\r\n" : "");
    struct err e = {0};

    assert_ok(buf_append_str(&t.request, text, &e), &e);
    running_do(w, talk_run, &t);
    buf_free(&t.request);
    return t.heard;
}

static void
put(const struct running *w, const char *name, const char *text)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ledger/%s", w->dir, name);
    CLEANUP(mem_cleanup) char *folder = mem_strdup(path);
    struct err e = {0};

    *strrchr(folder, '/') = '\0';
    assert_ok(file_mkdirs(folder, 0755, &e), &e);
    assert_ok(file_write(path, span_str(text), 0644, &e), &e);
}

static void
its_files_are_served_and_how_long_they_may_be_kept(void **state)
{
    static const struct {
        const char *name;
        const char *type;
        const char *cache;
    } rows[] = {
        {"checkpoint", "Content-Type: text/plain; charset=utf-8", "Cache-Control: no-cache"},
        {"log.vkey", "Content-Type: text/plain; charset=utf-8", "Cache-Control: no-cache"},
        {"witness/0123abcd", "Content-Type: text/plain; charset=utf-8", "Cache-Control: no-cache"},
        {"tile/0/000.p/1", "Content-Type: application/octet-stream",
         "Cache-Control: max-age=31536000, immutable"},
        {"tile/entries/x001/000", "Content-Type: application/octet-stream",
         "Cache-Control: max-age=31536000, immutable"},
    };
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/ledger", w->dir);

    w->settings->ledger_dir = dir;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(heard_free) struct heard before = get(w, "GET", rows[i].name);
        CLEANUP(heard_free) struct heard h = {0};
        CLEANUP(heard_free) struct heard head = {0};
        CLEANUP(heard_free) struct heard post = {0};

        assert_int_equal(before.status, 404);
        put(w, rows[i].name, rows[i].name);
        h = get(w, "GET", rows[i].name);
        if (h.status != 200 || !span_equal(h.body, span_str(rows[i].name)) ||
            !heard_has(&h, rows[i].type) || !heard_has(&h, rows[i].cache)) {
            fail_msg("%s: %d, %.*s", rows[i].name, h.status, (int)h.octets.n,
                     (const char *)h.octets.p);
        }
        head = get(w, "HEAD", rows[i].name);
        assert_int_equal(head.status, 200);
        post = get(w, "POST", rows[i].name);
        assert_int_equal(post.status, 405);
    }
    w->settings->ledger_dir = NULL;
}

static void
nothing_else_is_served(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/ledger", w->dir);

    put(w, "checkpoint", "x");
    put(w, ".new", "x");
    put(w, "tile/1/000/file", "x");
    {
        CLEANUP(heard_free) struct heard h = get(w, "GET", "checkpoint");

        assert_int_equal(h.status, 404); /* no ledger_dir */
    }
    w->settings->ledger_dir = dir;
    {
        CLEANUP(heard_free) struct heard hidden = get(w, "GET", ".new");
        CLEANUP(heard_free) struct heard folder = get(w, "GET", "tile/1/000");

        assert_int_equal(hidden.status, 404);
        assert_int_equal(folder.status, 500); /* there, and no file */
    }
    w->settings->ledger_dir = NULL;
}

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_files_are_served_and_how_long_they_may_be_kept),
        TEST(nothing_else_is_served),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
