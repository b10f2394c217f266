/* SPDX-License-Identifier: Apache-2.0 */
/* GET /crl/NAME.crl: what is served, and for how long it may be kept. */
#include "ra/front/crl.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/http/message/condition.h"
#include "base/ossl.h"
#include "ra/front/front.h"
#include "tests/support/forge.h"
#include "tests/unit/ra/running.h"

enum { LEFT = 1000 };

static struct heard
get(struct running *w, const char *name, const char *more)
{
    struct talk t = {.port = front_port(w->front), .request = BUF_INIT(4096)};
    CLEANUP(mem_cleanup)
    char *text =
        mem_printf("GET /crl/%s HTTP/1.1\r\nHost: ra\r\nConnection: close\r\n%s\r\n", name, more);
    struct err e = {0};

    assert_ok(buf_append_str(&t.request, text, &e), &e);
    running_do(w, talk_run, &t);
    buf_free(&t.request);
    return t.heard;
}

static char *
path_of(struct running *w, const char *name)
{
    return mem_printf("%s/%s", w->settings->crl_dir, name);
}

/* Until so many seconds from now; 0: for ever. */
static void
put(struct running *w, const char *name, int seconds)
{
    CLEANUP(mem_cleanup) char *path = path_of(w, name);
    X509_CRL *crl =
        forge_crl(&(struct forge_crl){.issuer = w->pki->issuing,
                                      .issuer_key = w->pki->issuing_key,
                                      .this_update = clock_now() - 100000,
                                      .next_update = seconds == 0 ? 0 : clock_now() + seconds,
                                      .number = "1"});

    forge_crl_write(crl, path);
    X509_CRL_free(crl);
}

/* However long it took to ask. */
static bool
has_what_is_left(const struct heard *h)
{
    for (int left = 1; left <= LEFT; left++) {
        CLEANUP(mem_cleanup)
        char *field = mem_printf("Cache-Control: max-age=%d, must-revalidate", left);

        if (heard_has(h, field)) {
            return true;
        }
    }
    return false;
}

static void
no_cache_keeps_it_longer_than_it_may(void **state)
{
    static const struct {
        const char *name;
        int max_age;
        int until;         /* seconds; 0: it has no end */
        const char *field; /* NULL: max-age is of what is left of it */
    } rows[] = {
        {"as configured", 60, 3600, "Cache-Control: max-age=60, must-revalidate"},
        {"without an end", 60, 0, "Cache-Control: max-age=60, must-revalidate"},
        {"it ends before", 6000, LEFT, NULL},
        {"it has ended", 60, -10, "Cache-Control: no-cache"},
        {"never without asking", 0, 3600, "Cache-Control: no-cache"},
        {"one second", 1, 3600, "Cache-Control: max-age=1, must-revalidate"},
    };
    struct running *w = *state;
    const int before = w->settings->crl_max_age;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *path = path_of(w, "one.crl");
        CLEANUP(buf_free) struct buf der = BUF_INIT(8192);
        CLEANUP(heard_free) struct heard h = {0};
        struct err e = {0};

        put(w, "one.crl", rows[i].until);
        w->settings->crl_max_age = rows[i].max_age;
        h = get(w, "one.crl", "");
        assert_ok(file_read(path, &der, &e), &e);
        if (h.status != 200 || !span_equal(h.body, buf_span(&der)) ||
            !heard_has(&h, "Content-Type: application/pkix-crl") ||
            !(rows[i].field != NULL ? heard_has(&h, rows[i].field) : has_what_is_left(&h))) {
            fail_msg("%s: %d, %.*s", rows[i].name, h.status, (int)h.octets.n,
                     (const char *)h.octets.p);
        }
    }
    w->settings->crl_max_age = before;
}

/* By its hash; the time of the file says it only for whole seconds that have passed. */
static void
what_has_not_changed_is_not_sent_again(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *path = path_of(w, "two.crl");
    CLEANUP(buf_free) struct buf der = BUF_INIT(8192);
    CLEANUP(mem_cleanup) char *same = NULL;
    char hex[2 * SHA256_SIZE + 1];
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    put(w, "two.crl", 3600);
    assert_ok(file_read(path, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), hex);
    same = mem_printf("If-None-Match: \"%s\"\r\n", hex);
    {
        CLEANUP(heard_free) struct heard h = get(w, "two.crl", same);

        assert_int_equal(h.status, 304);
        assert_int_equal(h.body.n, 0);
        assert_true(heard_has(&h, "Cache-Control: max-age=60, must-revalidate"));
        assert_false(heard_has(&h, "Content-Type: application/pkix-crl"));
    }
    {
        CLEANUP(heard_free)
        struct heard h = get(w, "two.crl", "If-None-Match: \"another\"\r\n");

        assert_int_equal(h.status, 200);
    }
}

/* A file that came long ago: it is told as of the next full second. */
static void
what_came_long_ago_has_its_time(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *path = path_of(w, "old.crl");
    char *at = NULL;
    char date[HTTP_DATE_MAX + 1];
    struct stat st;
    static const struct {
        int seconds; /* from that time on */
        int status;
    } rows[] = {{-1, 200}, {0, 304}, {1, 304}};

    assert_int_equal(symlink(TEST_SOURCE_DIR "/README.md", path), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_ctim.tv_sec + 2 < clock_now());
    http_date_format(st.st_ctim.tv_sec + 1, date);
    at = mem_printf("Last-Modified: %s", date);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char since[HTTP_DATE_MAX + 1];
        CLEANUP(mem_cleanup) char *condition = NULL;
        CLEANUP(heard_free) struct heard h = {0};

        http_date_format(st.st_ctim.tv_sec + 1 + rows[i].seconds, since);
        condition = mem_printf("If-Modified-Since: %s\r\n", since);
        h = get(w, "old.crl", condition);
        assert_int_equal(h.status, rows[i].status);
        assert_true(heard_has(&h, at));
    }
    mem_free(at);
    (void)unlink(path);
}

/* What stands there is served as it is: a client says itself what is wrong with it. */
static void
what_is_no_crl_is_served_with_a_warning(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *path = path_of(w, "three.crl");
    CLEANUP(heard_free) struct heard h = {0};
    struct err e = {0};

    assert_ok(file_write(path, SPAN_LITERAL("no CRL"), 0644, &e), &e);
    tap_mark();
    h = get(w, "three.crl", "");
    assert_int_equal(h.status, 200);
    assert_true(span_equal(h.body, SPAN_LITERAL("no CRL")));
    tap_need("crl-unusable");
}

static void
what_is_not_there_is_not_found(void **state)
{
    struct running *w = *state;
    char *dir = w->settings->crl_dir;
    CLEANUP(mem_cleanup) char *folder = path_of(w, "folder.crl");
    CLEANUP(heard_free) struct heard none = get(w, "none.crl", "");

    assert_int_equal(none.status, 404);
    put(w, "four.crl", 3600);
    {
        CLEANUP(heard_free) struct heard h = {0};

        w->settings->crl_dir = NULL;
        h = get(w, "four.crl", "");
        w->settings->crl_dir = dir;
        assert_int_equal(h.status, 404);
    }
    assert_int_equal(mkdir(folder, 0700), 0);
    {
        CLEANUP(heard_free) struct heard h = get(w, "folder.crl", "");

        assert_int_equal(h.status, 500); /* there, and no file */
    }
    (void)rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_cache_keeps_it_longer_than_it_may), TEST(what_has_not_changed_is_not_sent_again),
        TEST(what_came_long_ago_has_its_time),      TEST(what_is_no_crl_is_served_with_a_warning),
        TEST(what_is_not_there_is_not_found),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
