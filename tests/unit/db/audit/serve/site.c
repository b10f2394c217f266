/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/audit/serve/site.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pool.h"
#include "db/audit/mirror/run.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { BEGIN = 1768204800 /* 2026-01-12T08:00:00Z */ };

struct site_record site_record;

/* ---- the record ---- */

void
site_mirror_new(const char *mirror)
{
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(site_record.h.l.dir, NULL, &e);

    assert_ok(log == NULL ? -1 : 0, &e);
    assert_ok(mirror_init(mirror, audit_key(log), true, &e), &e);
}

void
site_import(const char *mirror)
{
    struct err e = {0};
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open_writable(mirror, &e);

    assert_ok(m == NULL ? -1 : 0, &e);
    assert_ok(mirror_run(m, site_record.h.l.dir, NULL, NULL, &outcome, &e), &e);
}

int
site_set_up(void **state)
{
    struct site_record *r = &site_record;

    (void)state;
    history_begin(&r->h, BEGIN);
    history_tell(&r->h, &r->told);
    r->folder = tmpdir_new();
    r->file = mem_printf("%s/audit.db", r->folder);
    site_mirror_new(r->file);
    site_import(r->file);
    r->issuers = audit_issuers_new();
    return 0;
}

int
site_tear_down(void **state)
{
    struct site_record *r = &site_record;

    (void)state;
    audit_issuers_free(r->issuers);
    mem_free(r->file);
    tmpdir_remove(r->folder);
    history_end(&r->h);
    pool_contexts_free();
    return 0;
}

/* ---- the server ---- */

static void *
go(void *arg)
{
    struct site *site = arg;

    serve_run(site->serve);
    return NULL;
}

void
site_begin(struct site *site, const struct serve_options *more)
{
    struct serve_options options = *more;
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;

    options.mirror = options.mirror == NULL ? site_record.file : options.mirror;
    m = mirror_open(options.mirror, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    options.listen = "127.0.0.1:0";
    options.key = mirror_key(m);
    options.issuers = site_record.issuers;
    site->serve = serve_new(&options, &e);
    assert_ok(site->serve == NULL ? -1 : 0, &e);
    assert_int_equal(pthread_create(&site->thread, NULL, go, site), 0);
}

void
site_end(struct site *site)
{
    serve_stop(site->serve);
    assert_int_equal(pthread_join(site->thread, NULL), 0);
    serve_free(site->serve);
}

/* ---- who asks ---- */

static int
connect_by(const struct site *site, int fd, const char *text)
{
    const struct timeval limit = {.tv_sec = SITE_LONG_S};
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)serve_port(site->serve)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&to, sizeof(to)), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

int
site_connect(const struct site *site, const char *text)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    return connect_by(site, fd, text);
}

/* Small segments and a small window keep the server's own buffer small, too. */
int
site_connect_slowly(const struct site *site, const char *text)
{
    const struct sockaddr_in from = {.sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int segment = 536;
    const int window = 1;

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window)), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&from, sizeof(from)), 0);
    return connect_by(site, fd, text);
}

char *
site_get_text(const struct site *site, const char *path)
{
    return mem_printf("GET %s HTTP/1.0\r\nHost: localhost:%u\r\n\r\n", path,
                      serve_port(site->serve));
}

int
site_get(const struct site *site, const char *path)
{
    CLEANUP(mem_cleanup) char *text = site_get_text(site, path);

    return site_connect(site, text);
}

char *
site_read(int fd)
{
    char *all = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&all, &n);
    char octets[4096];
    ssize_t got;

    assert_non_null(memory);
    while ((got = read(fd, octets, sizeof(octets))) > 0) {
        (void)fwrite(octets, 1, (size_t)got, memory);
    }
    assert_int_equal(fclose(memory), 0);
    (void)close(fd);
    return all;
}

char *
site_say(const struct site *site, const char *text)
{
    return site_read(site_connect(site, text));
}

char *
site_ask(const struct site *site, const char *path)
{
    return site_read(site_get(site, path));
}

int
site_status(const char *answer)
{
    int status = 0;

    (void)sscanf(answer, "HTTP/1.1 %3d", &status);
    return status;
}

void
site_expect(const struct site *site, const char *path, int status, const char *has)
{
    CLEANUP(mem_cleanup) char *answer = site_ask(site, path);

    if (site_status(answer) != status || strstr(answer, has) == NULL) {
        fail_msg("%s: not %d with \"%s\": %s", path, status, has, answer);
    }
}
