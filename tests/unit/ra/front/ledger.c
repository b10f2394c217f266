/* SPDX-License-Identifier: Apache-2.0 */
/* GET /ledger/...: the published files, and nothing else of the folder; and how much of them is
 * held for who does not take it. */
#include "ra/front/ledger.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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

/* ---- who asks and does not read ---- */

enum { READERS = 4, STATUS_LINE = 12, PATIENCE_S = 60 };

struct reader {
    unsigned port;
    unsigned from;    /* 127.0.0.n */
    const char *name; /* NULL: the largest file */
    int fd;
    char status[STATUS_LINE + 1]; /* "HTTP/1.1 200" */
    size_t n;                     /* octets behind that */
    uint8_t last;
};

/* Reads the status, and nothing more; none for whoever gets no answer. */
static void
reader_asks(void *arg)
{
    struct reader *r = arg;
    CLEANUP(mem_cleanup)
    char *request = mem_printf("GET /ledger/%s HTTP/1.1\r\nHost: ra\r\nConnection: close\r\n\r\n",
                               r->name == NULL ? "tile/entries/000" : r->name);
    const struct sockaddr_in from = {.sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + r->from)};
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)r->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int small = 4096;

    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    (void)setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (bind(r->fd, (const struct sockaddr *)&from, sizeof(from)) == 0 &&
        connect(r->fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
        send(r->fd, request, strlen(request), MSG_NOSIGNAL) > 0) {
        (void)recv(r->fd, r->status, STATUS_LINE, MSG_WAITALL);
    }
}

static void
reader_leaves(void *arg)
{
    static const char request[] = "GET /ledger/log.vkey HTTP/1.1\r\nHost: ra\r\n\r\n";
    const struct linger at_once = {.l_onoff = 1};
    struct reader *r = arg;
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)r->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(r->fd, (const struct sockaddr *)&to, sizeof(to)) == 0) {
        (void)send(r->fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
    }
    (void)setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(r->fd);
}

static void
reader_takes_all(void *arg)
{
    static uint8_t octets[1 << 16];
    struct reader *r = arg;
    ssize_t n;

    while ((n = recv(r->fd, octets, sizeof(octets), 0)) > 0) {
        r->n += (size_t)n;
        r->last = octets[n - 1];
    }
}

static bool
one_is_done(struct running *w)
{
    return w->ra.ledger_octets == (size_t)(READERS - 1) * LEDGER_FILE_SIZE_MAX;
}

static bool
all_are_done(struct running *w)
{
    return w->ra.ledger_octets == 0;
}

static void
slow_readers_are_held_a_bounded_number_of_octets(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/ledger", w->dir);
    CLEANUP(mem_cleanup) char *bundle = mem_zalloc(LEDGER_FILE_SIZE_MAX + 1, 1);
    struct reader readers[READERS] = {0};

    memset(bundle, 'b', LEDGER_FILE_SIZE_MAX - 1);
    bundle[LEDGER_FILE_SIZE_MAX - 1] = 'e';
    put(w, "tile/entries/000", bundle);
    put(w, "checkpoint", "x");
    w->settings->ledger_dir = dir;
    for (size_t i = 0; i < READERS; i++) {
        readers[i].port = front_port(w->front);
        readers[i].from = 2 + (unsigned)i;
        running_do(w, reader_asks, &readers[i]);
        assert_string_equal(readers[i].status, "HTTP/1.1 200");
        assert_int_equal(w->ra.ledger_octets, (i + 1) * LEDGER_FILE_SIZE_MAX);
    }
    {
        CLEANUP(heard_free) struct heard h = get(w, "GET", "tile/entries/000");
        CLEANUP(heard_free) struct heard small = get(w, "GET", "checkpoint");

        assert_int_equal(h.status, 503);
        assert_true(heard_has(&h, "Retry-After: 1"));
        assert_int_equal(small.status, 503);
    }
    /* One goes away, and there is room again, but not for more than there is. */
    (void)close(readers[0].fd);
    running_until(w, one_is_done);
    {
        CLEANUP(heard_free) struct heard small = get(w, "GET", "checkpoint");

        assert_int_equal(small.status, 200);
        assert_true(span_equal(small.body, SPAN_LITERAL("x")));
        running_until(w, one_is_done);
    }
    running_do(w, reader_asks, &readers[0]);
    assert_string_equal(readers[0].status, "HTTP/1.1 200");
    running_do(w, reader_takes_all, &readers[0]);
    assert_true(readers[0].n > LEDGER_FILE_SIZE_MAX);
    assert_int_equal(readers[0].last, 'e');
    running_until(w, one_is_done);
    for (size_t i = 0; i < READERS; i++) {
        (void)close(readers[i].fd);
    }
    running_until(w, all_are_done);
    w->settings->ledger_dir = NULL;
}

static bool
two_are_asked(struct running *w)
{
    return w->ra.ledger_jobs == 2;
}

/* Slow as he is, the others have theirs. */
static void
one_address_has_a_share(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/ledger", w->dir);
    CLEANUP(mem_cleanup) char *bundle = mem_zalloc(LEDGER_FILE_SIZE_MAX + 1, 1);
    struct reader both[] = {{.port = front_port(w->front), .from = 2},
                            {.port = front_port(w->front), .from = 2}};
    struct running_task *tasks[ARRAY_LEN(both)];
    size_t served;
    struct reader again = {.port = front_port(w->front), .from = 2, .name = "checkpoint"};
    struct reader other = {.port = front_port(w->front), .from = 3, .name = "checkpoint"};
    struct gate *gate;

    memset(bundle, 'b', LEDGER_FILE_SIZE_MAX);
    put(w, "tile/entries/000", bundle);
    put(w, "checkpoint", "x");
    w->settings->ledger_dir = dir;
    /* he asks twice while he holds nothing: there is room for one of them */
    gate = running_hold_workers(w);
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        tasks[i] = running_begin(w, reader_asks, &both[i]);
    }
    running_until(w, two_are_asked);
    running_release(w, gate);
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        running_end(w, tasks[i]);
    }
    /* nothing is read for him then: no worker could */
    gate = running_hold_workers(w);
    running_do(w, reader_asks, &again);
    running_release(w, gate);
    running_do(w, reader_asks, &other);
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        (void)close(both[i].fd);
    }
    (void)close(again.fd);
    (void)close(other.fd);
    running_until(w, all_are_done);
    w->settings->ledger_dir = NULL;
    served = strcmp(both[0].status, "HTTP/1.1 200") == 0 ? 0 : 1;
    assert_string_equal(both[served].status, "HTTP/1.1 200");
    assert_string_equal(both[1 - served].status, "HTTP/1.1 503");
    assert_string_equal(again.status, "HTTP/1.1 503");
    assert_string_equal(other.status, "HTTP/1.1 200");
}

/* There would be room for a part of it. */
static void
what_does_not_fit_is_not_held(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/ledger", w->dir);

    put(w, "tile/2/000", "four");
    w->settings->ledger_dir = dir;
    w->ra.ledger_octets = LEDGER_OCTETS_MAX - 3;
    {
        CLEANUP(heard_free) struct heard h = get(w, "GET", "tile/2/000");

        assert_int_equal(h.status, 503);
        assert_int_equal(w->ra.ledger_octets, LEDGER_OCTETS_MAX - 3);
    }
    w->ra.ledger_octets = 0;
    w->settings->ledger_dir = NULL;
}

static bool
all_are_asked(struct running *w)
{
    return w->ra.ledger_jobs == LEDGER_JOBS_MAX;
}

static bool
none_is_read(struct running *w)
{
    return w->ra.ledger_jobs == 0 && w->ra.ledger_octets == 0;
}

static bool
its_share_is_asked(struct running *w)
{
    return w->ra.ledger_jobs == LEDGER_JOBS_SHARE;
}

static void
workers_have_a_bounded_number_of_files(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/ledger", w->dir);
    struct running_task *tasks[LEDGER_JOBS_MAX];
    struct reader readers[LEDGER_JOBS_MAX];
    struct reader refused = {0};
    struct gate *gate;

    put(w, "log.vkey", "x");
    w->settings->ledger_dir = dir;
    gate = running_hold_workers(w);
    for (size_t i = 0; i < LEDGER_JOBS_MAX; i++) {
        if (i == LEDGER_JOBS_SHARE) { /* one address has its share of them */
            running_until(w, its_share_is_asked);
            refused = (struct reader){.port = front_port(w->front), .from = 2, .name = "log.vkey"};
            running_do(w, reader_asks, &refused);
            (void)close(refused.fd);
        }
        readers[i] = (struct reader){.port = front_port(w->front),
                                     .from = i < LEDGER_JOBS_SHARE ? 2 : 3,
                                     .name = "log.vkey"};
        tasks[i] = running_begin(w, reader_asks, &readers[i]);
    }
    running_until(w, all_are_asked);
    {
        CLEANUP(heard_free) struct heard h = get(w, "GET", "log.vkey");

        assert_int_equal(h.status, 503);
        assert_true(heard_has(&h, "Retry-After: 1"));
    }
    running_release(w, gate);
    assert_string_equal(refused.status, "HTTP/1.1 503");
    for (size_t i = 0; i < LEDGER_JOBS_MAX; i++) {
        running_end(w, tasks[i]);
        assert_string_equal(readers[i].status, "HTTP/1.1 200");
        (void)close(readers[i].fd);
    }
    running_until(w, none_is_read);
    w->settings->ledger_dir = NULL;
}

static void
who_leaves_before_the_answer_holds_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/ledger", w->dir);
    struct reader r = {.port = front_port(w->front)};
    struct gate *gate;

    put(w, "log.vkey", "x");
    w->settings->ledger_dir = dir;
    gate = running_hold_workers(w);
    running_do(w, reader_leaves, &r);
    running_for(w, 20);
    running_release(w, gate);
    running_until(w, none_is_read);
    w->settings->ledger_dir = NULL;
}

#define TEST(name) cmocka_unit_test_setup(name, running_reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_files_are_served_and_how_long_they_may_be_kept),
        TEST(nothing_else_is_served),
        TEST(slow_readers_are_held_a_bounded_number_of_octets),
        TEST(one_address_has_a_share),
        TEST(what_does_not_fit_is_not_held),
        TEST(workers_have_a_bounded_number_of_files),
        TEST(who_leaves_before_the_answer_holds_nothing),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
