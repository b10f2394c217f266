/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/serve/serve.h"

#include <assert.h>
#include <event2/event.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/http/http.h"
#include "base/http/message/answer.h"
#include "base/ossl.h"
#include "base/pool.h"
#include "db/audit/serve/frame.h"
#include "db/audit/serve/list.h"
#include "db/audit/serve/loopback.h"

enum {
    RETRY_AFTER = 1,
    STOP_WAIT_MS = 3000,
    TICK_MS = 20,
};

struct serve {
    struct serve_options options;
    struct serve_limits limits; /* all of them */
    char *key;                  /* of the log, as text */
    struct event_base *base;
    struct http_server *http;
    struct tasks *tasks;
    struct pool *pool;
    struct event *tasks_event;
    struct event *signals[2];
    struct event *tick;
    char *fields; /* of each answer */
    size_t jobs;
    struct job *first; /* of them */
    size_t octets;     /* of answers on their way */
    atomic_bool is_stopping;
    bool stopped; /* nobody new is taken */
    int64_t stop_by;
};

struct job {
    struct task task;
    struct job *next;
    struct serve *serve;
    struct http_exchange *exchange;
    struct visit visit;
    char *form;
    int64_t deadline;
    bool is_late;
    atomic_bool is_left; /* who asked has gone */
    int status;
    char *text;
    size_t n;
};

/* What keeps everything from anywhere out of a page, and a page out of everything else. */
static char *
fields_of(void)
{
    CLEANUP(mem_cleanup) char *styles = frame_styles();

    return mem_printf("Content-Security-Policy: default-src 'none'; style-src %s; form-action "
                      "'self'; base-uri 'none'; frame-ancestors 'none'\r\n"
                      "X-Content-Type-Options: nosniff\r\n"
                      "X-Frame-Options: DENY\r\n"
                      "Referrer-Policy: no-referrer\r\n"
                      "Cross-Origin-Opener-Policy: same-origin\r\n"
                      "Cross-Origin-Embedder-Policy: require-corp\r\n"
                      "Cross-Origin-Resource-Policy: same-origin\r\n"
                      "Cache-Control: no-store\r\n",
                      styles);
}

/* ---- on the worker ---- */

/* mirror_over */
static int
on_progress(void *arg)
{
    struct job *job = arg;

    job->is_late = clock_monotonic_ms() >= job->deadline || atomic_load(&job->serve->is_stopping) ||
                   atomic_load(&job->is_left);
    return job->is_late ? 1 : 0;
}

/* Another log's mirror in the place of the one that was asked for is not shown. */
static int
open_mirror(struct job *job, struct err *e)
{
    const char *file = job->serve->options.mirror;
    CLEANUP(mem_cleanup) char *key = NULL;

    job->visit.mirror = mirror_open(file, e);
    if (job->visit.mirror == NULL) {
        return -1;
    }
    key = log_key_format(mirror_key(job->visit.mirror));
    if (strcmp(key, job->serve->key) != 0) {
        return err_set(e, ERR_STALE, "%s is of another log now", file);
    }
    mirror_watch(job->visit.mirror, on_progress, job);
    return 0;
}

static visit_page *
page_of(const struct route *route)
{
    switch (route->kind) {
    case ROUTE_REPORT:
        return report_front;
    case ROUTE_LIST:
        return route->format == ROUTE_HTML ? list_page : list_data;
    case ROUTE_SHOW:
        return route->format == ROUTE_HTML ? show_page : show_data;
    case ROUTE_EXPLAIN:
        return explain_page;
    case ROUTE_PROVE:
        return prove_data;
    case ROUTE_HELP:
        return help_page;
    }
    return help_page;
}

static int
make(struct job *job, struct err *e)
{
    if (on_progress(job) != 0 || form_parse(&job->visit.form, job->form, e) != 0 ||
        open_mirror(job, e) != 0) {
        return -1;
    }
    return page_of(&job->visit.route)(&job->visit, e);
}

/* Begins what is written anew. */
static void
open_text(struct job *job)
{
    mem_free(job->text);
    job->text = NULL;
    job->visit.out = open_memstream(&job->text, &job->n);
    assert(job->visit.out != NULL);
}

static void
close_text(struct job *job)
{
    if (fclose(job->visit.out) != 0) {
        abort(); /* there is no more memory */
    }
    job->visit.out = NULL;
}

static void
sorry(struct job *job, int status, const char *title, const char *text)
{
    open_text(job);
    frame_sorry(job->visit.out, title, text);
    close_text(job);
    job->status = status;
    job->visit.route.format = ROUTE_HTML;
}

static void
apologize(struct job *job, const struct err *e)
{
    if (job->is_late && atomic_load(&job->serve->is_stopping)) {
        sorry(job, 503, "It ends", "nfpki-audit serve was told to end.");
    } else if (job->is_late) {
        sorry(job, 503, "That takes too long",
              "Narrow it with a filter, or sort it by leaf; nfpki-audit list and nfpki-audit sql "
              "take as long as it takes.");
    } else if (e->code == ERR_INPUT) {
        sorry(job, 400, "That cannot be asked", e->text);
    } else if (e->code == ERR_NOTFOUND && job->visit.mirror != NULL) {
        sorry(job, 404, "There is nothing like that", e->text);
    } else if (e->code == ERR_BUSY) {
        sorry(job, 503, "The mirror is busy", "Somebody writes it now. Come again.");
    } else {
        sorry(job, 500, "The mirror does not answer", e->text);
    }
}

static void
run(struct task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, task);
    const int ms = job->serve->limits.ms;
    const struct route *route = &job->visit.route;
    const bool is_long =
        route->kind == ROUTE_REPORT || (route->kind == ROUTE_LIST && route->format != ROUTE_HTML);
    struct err e = {0};
    int failed;

    job->deadline = clock_monotonic_ms() + (ms != 0 ? ms : is_long ? SERVE_LONG_MS : SERVE_MS);
    job->status = 200;
    open_text(job);
    failed = make(job, &e);
    close_text(job);
    if (failed != 0 || job->is_late) { /* what was ended may pass for an answer */
        apologize(job, &e);
    }
    mirror_close(job->visit.mirror);
    job->visit.mirror = NULL;
}

/* ---- on the loop ---- */

static void
job_free(struct job *job)
{
    form_free(&job->visit.form);
    mem_free(job->form);
    mem_free(job->text);
    mem_free(job);
}

/* It is made: nobody's work any more. */
static void
job_leave(struct job *job)
{
    struct job **at = &job->serve->first;

    while (*at != job) {
        at = &(*at)->next;
    }
    *at = job->next;
    job->serve->jobs--;
}

/* Whom nobody waits for any more, ends. */
static void
jobs_look(const struct serve *s)
{
    for (struct job *job = s->first; job != NULL; job = job->next) {
        if (http_exchange_is_dead(job->exchange)) {
            atomic_store(&job->is_left, true);
        }
    }
}

static void
on_release(const void *octets, size_t n, void *arg)
{
    struct job *job = arg;

    (void)octets;
    job->serve->octets -= n;
    job_free(job);
}

static const char *
type_of(enum route_format format)
{
    switch (format) {
    case ROUTE_HTML:
        return "text/html; charset=utf-8";
    case ROUTE_CSV:
        return "text/csv; charset=utf-8; header=present";
    case ROUTE_JSONL:
        return "application/jsonl";
    case ROUTE_JSON:
        return "application/json";
    case ROUTE_PROOF:
        return "text/plain; charset=utf-8";
    }
    return "application/octet-stream";
}

/* Another time than now, of a list that was made: it is in the file's name alone. */
static const char *
as_of(const struct form *form)
{
    const char *typed = NULL;

    for (size_t i = 0; i < form->n; i++) {
        typed = strcmp(form->fields[i].name, "as-of") == 0 ? form->fields[i].value : typed;
    }
    return typed;
}

/* A file is kept under a name that is made of what route_parse() and list_parse() have let through:
 * an index, a digest, a time. */
static char *
fields_with_name(const struct job *job)
{
    const struct route *route = &job->visit.route;
    const char *time = as_of(&job->visit.form);
    CLEANUP(mem_cleanup)
    char *what = route->format == ROUTE_PROOF
                     ? mem_strdup(route->what)
                     : mem_printf("%s%s%s", route->noun->name, time == NULL ? "" : "-as-of-",
                                  time == NULL ? "" : time);

    for (char *c = what; *c != '\0'; c++) {
        if (*c == ':') {
            *c = '-';
        }
    }
    return route->format == ROUTE_PROOF
               ? mem_printf("%sContent-Disposition: attachment; filename=\"%s.tlog-proof\"\r\n",
                            job->serve->fields, what)
               : mem_printf("%sContent-Disposition: attachment; filename=\"%s.%s\"\r\n",
                            job->serve->fields, what, route->format == ROUTE_CSV ? "csv" : "jsonl");
}

/* An answer for which nobody looks into the mirror. */
static void
refuse(struct http_exchange *x, int status, const char *title, const char *text)
{
    char *body = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&body, &n);

    assert(out != NULL);
    frame_sorry(out, title, text);
    if (fclose(out) != 0) {
        abort(); /* there is no more memory */
    }
    http_reply_with(x, &(struct http_answer){.status = status,
                                             .retry_after = status == 503 ? RETRY_AFTER : 0,
                                             .content_type = type_of(ROUTE_HTML),
                                             .body = span_of(body, n)});
    mem_free(body);
}

static void
done(struct task *task)
{
    struct job *job = CONTAINER_OF(task, struct job, task);
    struct serve *s = job->serve;
    const enum route_format format = job->visit.route.format;
    const bool is_file = format == ROUTE_PROOF || format == ROUTE_CSV || format == ROUTE_JSONL;
    CLEANUP(mem_cleanup) char *fields = is_file ? fields_with_name(job) : NULL;

    job_leave(job);
    if (job->n > s->limits.octets - s->octets) {
        refuse(job->exchange, 503, "Too much at once",
               "Answers before this one are still on their way. Come again in a second.");
        job_free(job);
        return;
    }
    s->octets += job->n;
    http_reply_with(job->exchange, &(struct http_answer){.status = job->status,
                                                         .retry_after = job->status == 503,
                                                         .content_type = type_of(format),
                                                         .fields = fields,
                                                         .body = span_of(job->text, job->n),
                                                         .release = on_release,
                                                         .arg = job});
}

static void
on_request(struct http_exchange *x, void *arg)
{
    struct serve *s = arg;
    const struct http_request *request = http_exchange_request(x);
    struct route route;
    struct job *job;

    if (request->is_absolute || !loopback_is_host(request->host, http_server_port(s->http))) {
        refuse(x, 421, "Asked by another name",
               "These pages are for a browser on this machine: ask for localhost, 127.0.0.1 or "
               "[::1] and the port.");
    } else if (request->is_embedded) {
        refuse(x, 403, "Asked by another page",
               "A page of somebody else's loads this one into itself: it may only lead here.");
    } else if (request->method != HTTP_METHOD_GET) {
        refuse(x, 405, "Nothing can be changed here", "There is GET and HEAD.");
    } else if (!route_parse(request->path, &route)) {
        refuse(x, 404, "There is no such page", "Nothing is at this path.");
    } else if (s->jobs >= s->limits.jobs || s->octets >= s->limits.octets) {
        refuse(x, 503, "Too many questions at once", "Come again in a second.");
    } else {
        s->jobs++;
        job = mem_new(sizeof(*job));
        job->next = s->first;
        s->first = job;
        job->task = (struct task){.run = run, .done = done};
        job->serve = s;
        job->exchange = x;
        job->form = mem_strdup(request->form);
        job->visit = (struct visit){.key_is_given = s->options.key_is_given,
                                    .issuers = s->options.issuers,
                                    .vendors = s->options.vendors,
                                    .policy = s->options.policy,
                                    .now = clock_now(),
                                    .rows = s->limits.rows,
                                    .route = route};
        pool_submit(s->pool, &job->task);
    }
}

static void
on_tasks(evutil_socket_t fd, short what, void *arg)
{
    struct serve *s = arg;

    (void)fd;
    (void)what;
    tasks_finish(s->tasks);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    serve_stop(arg);
}

/* Is it told to end, and is everything answered? */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct serve *s = arg;

    (void)fd;
    (void)what;
    jobs_look(s);
    if (!atomic_load(&s->is_stopping)) {
        return;
    }
    if (!s->stopped) {
        s->stopped = true;
        s->stop_by = clock_monotonic_ms() + STOP_WAIT_MS;
        http_server_stop_accepting(s->http);
    }
    if ((s->jobs == 0 && http_server_is_idle(s->http)) || clock_monotonic_ms() > s->stop_by) {
        (void)event_base_loopbreak(s->base);
    }
}

/* ---- beginning and end ---- */

void
serve_free(struct serve *s)
{
    if (s == NULL) {
        return;
    }
    atomic_store(&s->is_stopping, true);
    http_server_free(s->http);
    pool_free(s->pool); /* finishes what is under way */
    if (s->tasks != NULL) {
        tasks_finish(s->tasks); /* to exchanges that are dead */
    }
    for (size_t i = 0; i < ARRAY_LEN(s->signals); i++) {
        if (s->signals[i] != NULL) {
            event_free(s->signals[i]);
        }
    }
    if (s->tasks_event != NULL) {
        event_free(s->tasks_event);
    }
    if (s->tick != NULL) {
        event_free(s->tick);
    }
    tasks_free(s->tasks);
    if (s->base != NULL) {
        event_base_free(s->base);
    }
    mem_free(s->fields);
    mem_free(s->key);
    mem_free(s);
}

static struct event *
event_must(struct event *event, const struct timeval *every)
{
    if (event == NULL || event_add(event, every) != 0) {
        abort(); /* there is no memory */
    }
    return event;
}

static void
watch(struct serve *s)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    const struct timeval tick = {.tv_usec = TICK_MS * 1000};

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        s->signals[i] = event_must(evsignal_new(s->base, numbers[i], on_signal, s), NULL);
    }
    s->tasks_event =
        event_must(event_new(s->base, tasks_fd(s->tasks), EV_READ | EV_PERSIST, on_tasks, s), NULL);
    s->tick = event_must(event_new(s->base, -1, EV_PERSIST, on_tick, s), &tick);
}

static struct serve_limits
limits_of(const struct serve_limits *given)
{
    struct serve_limits all = *given;

    all.connections = all.connections != 0 ? all.connections : SERVE_CONNECTIONS;
    all.jobs = all.jobs != 0 ? all.jobs : SERVE_JOBS;
    all.octets = all.octets != 0 ? all.octets : SERVE_OCTETS;
    all.rows = all.rows != 0 ? all.rows : (uint64_t)LIST_ROWS_FILE;
    return all;
}

struct serve *
serve_new(const struct serve_options *options, struct err *e)
{
    CLEANUP(serve_cleanup) struct serve *s = mem_new(sizeof(*s));
    struct http_options http = {
        .handler = on_request, .user = s, .body_max = 1, .forms = true, .allow = "GET, HEAD"};

    if (loopback_check(options->listen, e) != 0) {
        return NULL;
    }
    s->options = *options;
    s->limits = limits_of(&options->limits);
    http.connections_max = s->limits.connections;
    http.connections_per_address_max = s->limits.connections;
    s->key = log_key_format(options->key);
    s->fields = fields_of();
    http.fields = s->fields;
    s->base = event_base_new();
    if (s->base == NULL) {
        abort(); /* there is no memory */
    }
    s->tasks = tasks_new(e);
    s->pool = s->tasks == NULL ? NULL : pool_new(1, s->tasks, e);
    if (s->pool == NULL) {
        return NULL;
    }
    s->http = http_server_new(s->base, &http);
    watch(s);
    return http_server_listen(s->http, options->listen, NULL, e) == 0 ? TAKE(s) : NULL;
}

unsigned
serve_port(const struct serve *s)
{
    return http_server_port(s->http);
}

char *
serve_url(const struct serve *s)
{
    const char *listen = s->options.listen;

    return mem_printf("http://%.*s:%u/", (int)(strrchr(listen, ':') - listen), listen,
                      serve_port(s));
}

void
serve_run(struct serve *s)
{
    (void)event_base_dispatch(s->base);
}

void
serve_stop(struct serve *s)
{
    atomic_store(&s->is_stopping, true);
}
