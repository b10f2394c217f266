/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-ra - the registration authority: finds out who asks, checks, queues, answers.
 *
 * Order of start: configuration, what every part works with (start.h), the loop, the listeners, the
 * link. "ready" is logged when it serves and the CA has said WELCOME, or after READY_WAIT_MS
 * without it. It cannot sign a certificate: its key signs CMP messages and nothing else, in another
 * process.
 */
#include <event2/event.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/ossl.h"
#include "base/pipeline.h"
#include "base/proc.h"
#include "ca/x509/profile/profiles.h"
#include "db/requests/requests.h"
#include "ra/admin/closing.h"
#include "ra/admin/socket.h"
#include "ra/daemon/ra.h"
#include "ra/front/api_server.h"
#include "ra/front/front.h"
#include "ra/queue/queue.h"
#include "ra/queue/roles.h"
#include "ra/report/report.h"
#include "ra/secret/lane.h"
#include "ra/secret/mac_cache.h"
#include "ra/secret/page_scrub.h"
#include "ra/start.h"

#ifndef RA_CONF
#define RA_CONF "/etc/nfpki/nfpki-ra.conf"
#endif

enum {
    READY_WAIT_MS = 2000,
    STOP_WAIT_MS = 10000,
    STOP_TICK_MS = 10,
    SWEEP_S = 10,
};

struct daemon {
    struct ra ra;
    struct front *front;
    struct admin_server *admin;
    struct api_server *api;
    struct event *tasks_event;
    struct event *signals[3];
    struct event *ready_timer;
    struct event *sweep_timer;
    struct event *stop_timer;
    bool ready;
    bool stopping;
    int64_t stop_by;
    bool sweeping;
    bool sweep_more; /* than one operation takes */
    struct store_op sweep;
    int overdue;     /* of this operation, */
    int overdue_all; /* and of those before */
};

/* ---- events ---- */

static void
say_ready(struct daemon *d)
{
    if (!d->ready) {
        d->ready = true;
        log_event(LOG_INFO, "ready", "serving on port %u, the CA is %s", front_port(d->front),
                  queue_is_up(d->ra.queue) ? "there" : "not there yet");
    }
}

static void
on_link_up(void *arg)
{
    struct daemon *d = arg;

    say_ready(d);
    closing_run(d->ra.closing);
}

static void
on_ready_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    say_ready(arg);
}

static void
on_tasks(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void)fd;
    (void)what;
    tasks_finish(d->ra.tasks);
}

/* While stopping: has everybody got an answer, down to the last octet? */
static void
on_stop_timer(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void)fd;
    (void)what;
    if ((d->ra.jobs == 0 && d->ra.heads_asked == 0 && !d->sweeping &&
         !page_scrub_is_busy(d->ra.page_scrub) && !closing_is_busy(d->ra.closing) &&
         !queue_is_busy(d->ra.queue) && !report_is_busy(d->ra.report) && front_is_idle(d->front) &&
         api_server_is_idle(d->api)) ||
        clock_monotonic_ms() > d->stop_by) {
        (void)event_base_loopbreak(d->ra.base);
    }
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;
    const struct timeval tick = {.tv_usec = STOP_TICK_MS * 1000};

    (void)fd;
    (void)what;
    if (d->stopping) {
        return;
    }
    d->stopping = true;
    d->stop_by = clock_monotonic_ms() + STOP_WAIT_MS + d->ra.settings->sync_wait;
    log_event(LOG_INFO, "stopping", "%zu requests under way", d->ra.jobs);
    front_stop(d->front);
    api_server_stop(d->api);
    lane_stop(d->ra.lane);
    report_stop(d->ra.report, "told to");
    page_scrub_stop(d->ra.page_scrub);
    (void)event_add(d->stop_timer, &tick);
}

static void
on_hangup(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void)fd;
    (void)what;
    if (!d->stopping) {
        front_reload(d->front);
        api_server_reload(d->api);
    }
}

static int
sweep_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct daemon *d = CONTAINER_OF(op, struct daemon, sweep);

    return requests_expire(db, clock_now(), &d->overdue, &d->sweep_more, e);
}

static void sweep_on(struct daemon *);

static void
sweep_done(struct task *task)
{
    struct daemon *d = CONTAINER_OF(task, struct daemon, sweep.task);

    d->sweeping = false;
    if (d->sweep.result != 0) {
        ra_fail(&d->ra, &d->sweep.e);
        return;
    }
    d->overdue_all += d->overdue;
    if (d->sweep_more && !d->stopping) {
        sweep_on(d); /* others had their turn */
        return;
    }
    if (d->overdue_all > 0) {
        log_event(LOG_WARNING, "unconfirmed", "%d certificates were not confirmed in time",
                  d->overdue_all);
    }
    d->overdue_all = 0;
    if (!d->stopping && !d->ra.failed) {
        closing_run(d->ra.closing);
    }
}

static void
sweep_on(struct daemon *d)
{
    d->sweeping = true;
    d->sweep = (struct store_op){.task.done = sweep_done, .run = sweep_run};
    store_submit(d->ra.store, &d->sweep);
}

static void
on_sweep_timer(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;

    (void)fd;
    (void)what;
    if (d->sweeping || d->stopping) {
        return;
    }
    (void)mac_cache_sweep(d->ra.mac_cache, clock_now());
    (void)own_certificate_look(&d->ra);
    sweep_on(d);
}

/* ---- start ---- */

static struct event *
must_event(struct event_base *base, evutil_socket_t fd, short what, event_callback_fn callback,
           void *arg)
{
    struct event *event = event_new(base, fd, what, callback, arg);

    if (event == NULL) {
        abort(); /* out of memory */
    }
    return event;
}

static void
must_add(struct event *event, const struct timeval *after)
{
    if (event_add(event, after) != 0) {
        abort(); /* out of memory */
    }
}

static void
start_loop(struct daemon *d)
{
    const struct timeval sweep = {.tv_sec = SWEEP_S};
    struct event_base *base = d->ra.base;

    d->tasks_event = must_event(base, tasks_fd(d->ra.tasks), EV_READ | EV_PERSIST, on_tasks, d);
    d->signals[0] = must_event(base, SIGTERM, EV_SIGNAL | EV_PERSIST, on_signal, d);
    d->signals[1] = must_event(base, SIGINT, EV_SIGNAL | EV_PERSIST, on_signal, d);
    d->signals[2] = must_event(base, SIGHUP, EV_SIGNAL | EV_PERSIST, on_hangup, d);
    d->ready_timer = must_event(base, -1, 0, on_ready_timer, d);
    d->sweep_timer = must_event(base, -1, EV_PERSIST, on_sweep_timer, d);
    d->stop_timer = must_event(base, -1, EV_PERSIST, on_stop_timer, d);
    must_add(d->tasks_event, NULL);
    for (size_t i = 0; i < ARRAY_LEN(d->signals); i++) {
        must_add(d->signals[i], NULL);
    }
    must_add(d->sweep_timer, &sweep);
}

static int
ask_ca(void *user, const struct link_message *m, ask_reply *reply, void *arg, struct err *e)
{
    const struct daemon *d = user;

    return queue_ask(d->ra.queue, m, reply, arg, e);
}

static int
start_services(struct daemon *d, struct err *e)
{
    const struct timeval ready = {.tv_sec = READY_WAIT_MS / 1000};
    const struct queue_options queue = {.ra = &d->ra, .up = on_link_up, .arg = d};
    const struct roles_options roles = {.base = d->ra.base, .ask = ask_ca, .user = d};
    const struct settings *s = d->ra.settings;

    d->ra.closing = closing_new(&d->ra);
    d->ra.roles = roles_new(&roles);
    d->front = front_new(&d->ra, e);
    if (d->front == NULL) {
        return -1;
    }
    d->admin = admin_server_new(d->ra.base, s->admin, register_handle, &d->ra, e);
    if (d->admin == NULL) {
        return -1;
    }
    d->api = api_server_new(&d->ra, e);
    if (d->api == NULL) {
        return -1;
    }
    d->ra.queue = queue_new(&queue, e);
    if (d->ra.queue == NULL) {
        return -1;
    }
    d->ra.page_scrub = page_scrub_new(&d->ra);
    d->ra.report = report_new(&d->ra, REPORT_TICK_MS);
    (void)event_add(d->ready_timer, &ready);
    return 0;
}

static int
start(struct daemon *d, const struct settings *settings, struct err *e)
{
    if (ra_open(&d->ra, settings, e) != 0) {
        return -1;
    }
    start_loop(d);
    return start_services(d, e);
}

/* ---- end ---- */

static void
free_event(struct event **event)
{
    if (*event != NULL) {
        event_free(*event);
        *event = NULL;
    }
}

/* Nothing is under way: everything goes, in the opposite order of start(). */
static void
stop(struct daemon *d)
{
    page_scrub_free(d->ra.page_scrub);
    report_free(d->ra.report);
    front_free(d->front);
    api_server_free(d->api);
    queue_free(d->ra.queue);
    roles_free(d->ra.roles);
    closing_free(d->ra.closing);
    admin_server_free(d->admin);
    free_event(&d->tasks_event);
    free_event(&d->signals[0]);
    free_event(&d->signals[1]);
    free_event(&d->signals[2]);
    free_event(&d->ready_timer);
    free_event(&d->sweep_timer);
    free_event(&d->stop_timer);
    ra_close(&d->ra);
    pool_contexts_free();
    OPENSSL_cleanup();
}

/* A profile that does not exist would be refused to everybody who comes there. */
static int
check_aliases(const char *path, const struct settings *s, struct err *e)
{
    for (size_t i = 0; i < s->http.n_aliases; i++) {
        const struct route_alias *alias = &s->http.aliases[i];

        if (profiles_find(s->profiles, alias->profile) == NULL) {
            return err_set(e, ERR_INPUT,
                           "%s:%d: alias \"%s\": no profile of network functions is \"%s\"", path,
                           alias->line, alias->path, alias->profile);
        }
    }
    return 0;
}

static int
check_files(const struct settings *settings)
{
    struct err e;
    int status = 0;

    if (ra_check(settings, &e) != 0) {
        log_err(LOG_ERROR, "start-failed", &e, "configuration");
        status = err_exit_status(e.code);
    }
    pool_contexts_free();
    OPENSSL_cleanup();
    return status;
}

enum mode { MODE_SERVE, MODE_CHECK, MODE_VERIFY, MODE_SEAL };

static void
print_page(void *path, const char *what)
{
    (void)printf("%s: %s: edited, or not written by nfpki-ra\n", (const char *)path, what);
}

static int
verify(struct daemon *d, const struct settings *settings)
{
    const int64_t begun = clock_monotonic_ms();
    struct ra_verified v = {.tell = print_page, .arg = settings->database};
    struct err e;
    int status = 0;

    if (ra_verify(&d->ra, settings, &v, &e) != 0) {
        (void)printf("%s: %s\n", settings->database, e.text);
        status = err_exit_status(v.differ > 0 ? ERR_STALE : e.code);
    } else if (v.differ > 0) {
        status = err_exit_status(ERR_STALE);
    } else if (!v.sealed) {
        (void)printf(
            "%s: it is not sealed, or there is no key, and no seal was compared: nfpki-ra(8)\n",
            settings->database);
        status = 1;
    } else {
        (void)printf("%s: %" PRIu64 " pages compared in %.3f s: no difference\n",
                     settings->database, v.pages, (double)(clock_monotonic_ms() - begun) / 1000);
    }
    stop(d);
    return status;
}

static int
run(const char *path, enum mode mode)
{
    CLEANUP(settings_cleanup) struct settings *settings = NULL;
    static struct daemon daemon;
    struct err e;

    if (proc_harden(&e) != 0 || ossl_init(&e) != 0) {
        log_err(LOG_ERROR, "start-failed", &e, "process");
        return 1;
    }
    settings = settings_load(path, &e);
    if (settings == NULL || check_aliases(path, settings, &e) != 0) {
        log_err(LOG_ERROR, "start-failed", &e, "configuration");
        return err_exit_status(e.code);
    }
    if (mode == MODE_CHECK) {
        return check_files(settings);
    }
    if (mode == MODE_VERIFY) {
        return verify(&daemon, settings);
    }
    daemon.ra.may_seal = mode == MODE_SEAL;
    if (start(&daemon, settings, &e) != 0) {
        log_err(LOG_ERROR, "start-failed", &e, "see nfpki-ra(8)");
        stop(&daemon);
        return err_exit_status(e.code);
    }
    (void)event_base_dispatch(daemon.ra.base);
    if (daemon.ra.failed || daemon.ra.jobs > 0 || daemon.ra.heads_asked > 0 ||
        page_scrub_is_busy(daemon.ra.page_scrub) || report_with_signer(daemon.ra.report) ||
        queue_is_busy(daemon.ra.queue)) {
        /* What is durable is found at the next start; what is in memory belongs to other threads.
         */
        log_event(daemon.ra.failed ? LOG_ERROR : LOG_WARNING, "stopped", "%zu requests unanswered",
                  daemon.ra.jobs);
        _exit(daemon.ra.status);
    }
    stop(&daemon);
    log_event(LOG_INFO, "stopped", "nothing under way");
    return 0;
}

static void
usage(FILE *out)
{
    (void)fprintf(out, "usage: nfpki-ra [--config FILE] [--check | --verify | --seal]\n"
                       "       nfpki-ra --help | --version\n"
                       "Registration authority; see nfpki-ra(8) and nfpki-ra.conf(5).\n");
}

/* jansson holds a one-time secret for the length of one answer. */
static void
wiping_free(void *p)
{
    if (p != NULL) {
        OPENSSL_cleanse(p, malloc_usable_size(p));
        free(p);
    }
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, 'n'},
        {"verify", no_argument, NULL, 'v'},
        {"seal", no_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    const char *path = RA_CONF;
    enum mode mode = MODE_SERVE;
    int c;

    log_open("nfpki-ra", LOG_INFO);
    json_set_alloc_funcs(malloc, wiping_free);
    while ((c = getopt_long(argc, argv, "c:nvshV", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            path = optarg;
            break;
        case 'n':
        case 'v':
        case 's':
            if (mode != MODE_SERVE) {
                usage(stderr);
                return 2;
            }
            mode = c == 'n' ? MODE_CHECK : c == 'v' ? MODE_VERIFY : MODE_SEAL;
            break;
        case 'h':
            usage(stdout);
            return 0;
        case 'V':
            (void)printf("nfpki-ra %s\n", NFPKI_VERSION);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (optind != argc) {
        usage(stderr);
        return 2;
    }
    return run(path, mode);
}
