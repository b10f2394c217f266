/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-ca - issues what is registered, records it, and releases what is recorded.
 *
 * One loop owns all state; workers compute, one thread writes the database, one thread for each
 * signer talks to it. No network, no PKCS #11 module: the link and the admin socket are local.
 */
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "ca/acknowledge/acknowledge.h"
#include "ca/acknowledge/believed.h"
#include "ca/daemon/verify.h"
#include "ca/due/clock.h"
#include "ca/due/scrub.h"
#include "ca/due/waiting.h"
#include "ca/office/office.h"
#include "ca/office/register.h"
#include "ca/office/report.h"
#include "ca/office/role.h"
#include "ca/publish/crl.h"
#include "ca/publish/greet.h"
#include "ca/request/stages.h"
#include "ca/request/submit.h"
#include "ca/restore/restore.h"
#include "ca/start.h"

enum { DRAIN_STEP_MS = 20, DRAIN_STEPS = 750 };

/* The link's request table; the server lets only requests through. */
static void
on_request(void *arg, link_peer peer, const struct link_message *m)
{
    struct ca *ca = arg;

    switch (m->type) {
    case LINK_HELLO:
        greet(ca, peer, m);
        return;
    case LINK_SUBMIT:
        request_submit(ca, peer, m);
        return;
    case LINK_REGISTER:
        register_submit(ca, peer, m);
        return;
    case LINK_CANCEL:
        register_cancel(ca, peer, m);
        return;
    case LINK_ROLE:
        role_tell(ca, peer, m);
        return;
    case LINK_REPORT:
        report_submit(ca, peer, m);
        return;
    case LINK_WELCOME:
    case LINK_ISSUED:
    case LINK_CONFIRMED:
    case LINK_REFUSED:
    case LINK_REGISTERED:
    case LINK_CANCELLED:
    case LINK_BUSY:
    case LINK_WAITING:
    case LINK_DEFERRED:
    case LINK_REVOKED:
    case LINK_ROLE_IS:
    case LINK_CHECKPOINT:
    case LINK_REPORTED:
        break;
    }
    ca_die(&(struct err){.code = ERR_INPUT, .text = "not a request"}, "link");
}

static void
on_closed(void *arg, link_peer peer, const struct err *why)
{
    (void)arg;
    log_err(LOG_WARNING, "ra-closed", why, "peer %llu", (unsigned long long)peer);
}

static int
open_link(struct ca *ca, struct err *e)
{
    const struct link_server_options options = {
        .base = ca->base,
        .path = ca->conf.link_socket,
        .uids = ca->conf.link_uids,
        .n_uids = ca->conf.n_link_uids,
        .request = on_request,
        .closed = on_closed,
        .arg = ca,
    };

    ca->link = link_server_new(&options, e);
    return ca->link == NULL ? -1 : 0;
}

struct first_crl {
    struct crl_waiter waiter;
    struct ca *ca;
};

/* Relying parties come first: no certificate leaves before its CRL can be fetched. */
static void
on_first_crl(struct crl_waiter *waiter, uint64_t number, const struct err *why)
{
    struct first_crl *first = CONTAINER_OF(waiter, struct first_crl, waiter);
    struct ca *ca = first->ca;
    struct err e = {0};

    (void)number;
    mem_free(first);
    if (why != NULL) {
        ca_die(why, "the first CRL");
    }
    if (!ca->stopping && open_link(ca, &e) != 0) {
        ca_die(&e, "the link");
    }
    waiting_look(ca->waiting);
    scrub_begin(ca->scrub);
    log_event(LOG_INFO, "ready", "%s", ca->conf.link_socket);
}

static void
on_recovered(struct ca *ca, struct recovery recovered)
{
    struct first_crl *first;
    struct err e = {0};

    if (ca_begin(ca, recovered, &e) != 0) {
        ca_die(&e, "start");
    }
    ca->admin = admin_server_new(ca->base, ca->conf.admin_socket, office_handle, ca, &e);
    if (ca->admin == NULL) {
        ca_die(&e, "start");
    }
    first = mem_new(sizeof(*first));
    first->waiter.done = on_first_crl;
    first->ca = ca;
    ca->has_begun = true;
    ca->clock_watch = clock_watch_new(ca);
    crl_make(ca->crl, &first->waiter);
}

static void
on_finished(evutil_socket_t fd, short what, void *arg)
{
    struct ca *ca = arg;

    (void)fd;
    (void)what;
    tasks_finish(ca->finished);
}

/* Ends the loop when the last job has; a job that never ends (a token that hangs) does not keep the
 * program: what is durable is found at the next start. */
static void
on_drain(evutil_socket_t fd, short what, void *arg)
{
    static int steps;
    const struct timeval step = {.tv_usec = DRAIN_STEP_MS * 1000};
    struct ca *ca = arg;
    struct err e = {0};

    (void)fd;
    (void)what;
    if (ca->jobs == 0) {
        (void)event_base_loopexit(ca->base, NULL);
    } else if (steps++ > DRAIN_STEPS) {
        (void)err_set(&e, ERR_BUSY, "%zu jobs did not end", ca->jobs);
        ca_die(&e, "stop");
    } else {
        (void)event_add(ca->drained, &step);
    }
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
    struct ca *ca = arg;

    (void)what;
    if (ca->stopping) {
        return;
    }
    log_event(LOG_INFO, "stopping", "signal %d, %zu jobs", (int)number, ca->jobs);
    ca->stopping = true;
    link_server_free(ca->link);
    ca->link = NULL;
    event_active(ca->drained, EV_TIMEOUT, 0);
}

static int
watch(struct ca *ca, struct err *e)
{
    ca->finishing =
        event_new(ca->base, tasks_fd(ca->finished), EV_READ | EV_PERSIST, on_finished, ca);
    ca->signals[0] = evsignal_new(ca->base, SIGTERM, on_signal, ca);
    ca->signals[1] = evsignal_new(ca->base, SIGINT, on_signal, ca);
    ca->drained = ca_timer(ca, on_drain, ca);
    if (ca->finishing == NULL || ca->signals[0] == NULL || ca->signals[1] == NULL ||
        event_add(ca->finishing, NULL) != 0 || event_add(ca->signals[0], NULL) != 0 ||
        event_add(ca->signals[1], NULL) != 0) {
        return err_set(e, ERR_IO, "libevent: no memory");
    }
    return 0;
}

static int
run(struct ca *ca, struct err *e)
{
    if (ca_open(ca, e) != 0 || watch(ca, e) != 0) {
        return -1;
    }
    recover_begin(ca, on_recovered);
    if (event_base_dispatch(ca->base) < 0) {
        return err_set(e, ERR_IO, "the event loop failed");
    }
    if (ca->has_begun && ca_finish(ca, "signal", e) != 0) {
        return -1;
    }
    log_event(LOG_INFO, "stopped", "in order");
    return 0;
}

/* For whoever called. */
static int
print(const char *text, struct err *e)
{
    return fputs(text, stdout) < 0 || fflush(stdout) != 0
               ? err_set(e, ERR_IO, "standard output cannot be written")
               : 0;
}

/* What a restore would do, or has done. */
static int
restore(struct ca *ca, const struct restore_options *options, struct err *e)
{
    CLEANUP(mem_cleanup) char *plan = NULL;

    return ca_open_signers(ca, e) != 0 || restore_run(ca, options, &plan, e) != 0 ? -1
                                                                                  : print(plan, e);
}

/* The same of an acknowledgement. */
static int
acknowledge(struct ca *ca, const struct acknowledge_options *options, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = NULL;

    return ca_open_signers(ca, e) != 0 || acknowledge_run(ca, options, &text, e) != 0
               ? -1
               : print(text, e);
}

static int
usage(FILE *out)
{
    (void)fprintf(out, "usage: nfpki-ca [--debug] [--check | --verify | --seal] --config FILE\n"
                       "       nfpki-ca [--debug] --restore [--approval FILE --approval FILE] "
                       "[--adopt FILE]\n"
                       "                [--old-ledger DIR --signed SIZE:ROOT] --config FILE\n"
                       "       nfpki-ca [--debug] --acknowledge --reason TEXT --config FILE\n"
                       "       nfpki-ca [--debug] --acknowledge --approval FILE --approval FILE "
                       "--config FILE\n"
                       "       nfpki-ca --help | --version\n");
    return 2;
}

/* What it was started for: to serve, also when ca.db is to be sealed anew; to look at its files; to
 * compare ca.db with its record; to read back what ca.db lost; to go on after a line of a journal
 * that belongs to nothing. */
enum mode { RUN, SEAL, CHECK, VERIFY, RESTORE, ACKNOWLEDGE };

struct arguments {
    const char *path;
    enum log_level least;
    enum mode mode;
    struct restore_options restore;
    const char *approvals[2];
    size_t n_approvals;
    const char *reason;
};

/* -1: go on; else the exit status. */
static int
take_mode(struct arguments *a, enum mode mode)
{
    if (a->mode != RUN) {
        return usage(stderr);
    }
    a->mode = mode;
    return -1;
}

static int
take_approval(struct arguments *a, const char *file)
{
    if (a->n_approvals == ARRAY_LEN(a->approvals)) {
        return usage(stderr);
    }
    a->approvals[a->n_approvals++] = file;
    return -1;
}

/* Both approvals or none, and only with --restore and --acknowledge; that has a reason instead. */
static int
check_arguments(const struct arguments *a)
{
    const bool half =
        a->n_approvals == 1 || (a->n_approvals > 0 && a->mode != RESTORE && a->mode != ACKNOWLEDGE);
    const bool reasonless = (a->reason != NULL) != (a->mode == ACKNOWLEDGE && a->n_approvals == 0);

    const struct restore_options *r = &a->restore;
    const bool more = r->adopt != NULL || r->old_ledger != NULL || r->signed_head != NULL;

    return a->path == NULL || half || reasonless || (more && a->mode != RESTORE) ||
                   (r->old_ledger == NULL) != (r->signed_head == NULL)
               ? usage(stderr)
               : -1;
}

static int
take(struct arguments *a, int option)
{
    switch (option) {
    case 'c':
        a->path = optarg;
        return -1;
    case 'n':
        return take_mode(a, CHECK);
    case 'v':
        return take_mode(a, VERIFY);
    case 's':
        return take_mode(a, SEAL);
    case 'R':
        return take_mode(a, RESTORE);
    case 'K':
        return take_mode(a, ACKNOWLEDGE);
    case 'r':
        a->reason = optarg;
        return -1;
    case 'a':
        return take_approval(a, optarg);
    case 'A':
        a->restore.adopt = optarg;
        return -1;
    case 'O':
        a->restore.old_ledger = optarg;
        return -1;
    case 'S':
        a->restore.signed_head = optarg;
        return -1;
    case 'd':
        a->least = LOG_DEBUG;
        return -1;
    case 'h':
        (void)usage(stdout);
        return 0;
    case 'V':
        (void)printf("nfpki-ca %s\n", NFPKI_VERSION);
        return 0;
    default:
        return usage(stderr);
    }
}

static int
parse_arguments(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, 'n'},
        {"verify", no_argument, NULL, 'v'},
        {"seal", no_argument, NULL, 's'},
        {"restore", no_argument, NULL, 'R'},
        {"acknowledge", no_argument, NULL, 'K'},
        {"reason", required_argument, NULL, 'r'},
        {"approval", required_argument, NULL, 'a'},
        {"adopt", required_argument, NULL, 'A'},
        {"old-ledger", required_argument, NULL, 'O'},
        {"signed", required_argument, NULL, 'S'},
        {"debug", no_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int status = -1;
    int option;

    while (status < 0 &&
           (option = getopt_long(argc, argv, "c:nvsRKr:a:A:O:S:dhV", options, NULL)) != -1) {
        status = take(a, option);
    }
    return status >= 0 ? status : optind != argc ? usage(stderr) : check_arguments(a);
}

/* *status: of what went well. */
static int
work(struct ca *ca, const struct arguments *a, int *status, struct err *e)
{
    struct restore_options options = a->restore;
    const struct acknowledge_options line = {.approvals = {a->approvals[0], a->approvals[1]},
                                             .reason = a->reason};
    bool agrees = true;
    int result = -1;

    switch (a->mode) {
    case RUN:
    case SEAL:
        ca->may_seal = a->mode == SEAL;
        result = run(ca, e);
        break;
    case CHECK:
        result = ca_check(ca, e);
        break;
    case VERIFY:
        result = ca_verify(ca, &agrees, e);
        break;
    case RESTORE:
        options.approvals[0] = a->approvals[0];
        options.approvals[1] = a->approvals[1];
        result = restore(ca, &options, e);
        break;
    case ACKNOWLEDGE:
        result = acknowledge(ca, &line, e);
        break;
    }
    *status = agrees ? 0 : 1;
    return result;
}

int
main(int argc, char **argv)
{
    struct arguments a = {.least = LOG_INFO};
    struct ca ca = {.believes_acknowledged = acknowledged_believe};
    struct err e = {0};
    int status = parse_arguments(argc, argv, &a);

    if (status >= 0) {
        return status;
    }
    status = 0;
    log_open("nfpki-ca", a.least);
    if (proc_harden(&e) != 0 || ossl_init(&e) != 0 || ca_conf_load(a.path, &ca.conf, &e) != 0 ||
        work(&ca, &a, &status, &e) != 0) {
        log_err(LOG_ERROR, "failed", &e, "%s", a.path);
        status = err_exit_status(e.code);
    }
    ca_close(&ca);
    pool_contexts_free();
    OPENSSL_cleanup();
    return status;
}
