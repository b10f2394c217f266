/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-signer - one process, one session, one key, one thread (service/serve.h).
 *
 * Started by its parent it serves the socket that it was given. With --listen it is a service: this
 * process then never sees the PIN or the token, it supervises the one that does, which it starts
 * with --supervised (service/supervise.h).
 *
 * A failure of token or journal ends the process with the session; a fresh one is started.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "pkcs11/service/control.h"
#include "pkcs11/service/held.h"
#include "pkcs11/service/serve.h"
#include "pkcs11/service/supervise.h"

enum {
    PARENT_FD = 3,
    ORPHAN_SECONDS = 5, /* what a token that hangs gets when the parent is gone */
};

struct options {
    const char *policy;
    const char *listen;
    int pin_fd;
    bool self_test;
    bool supervised;
};

/* Of the process that will have the session: a call that is cut off can leave a software token
 * damaged, and there is a parent. */
static int
prepare(struct err *e)
{
    return proc_finish_calls(ORPHAN_SECONDS, e) != 0 || proc_harden(e) != 0 || ossl_init(e) != 0
               ? -1
               : 0;
}

/* The parent is at the other end of the socket. */
static int
run_child(const struct options *o, struct err *e)
{
    static struct held held;
    static struct serve s;
    int result = prepare(e);

    serve_init(&s, &held, PARENT_FD, -1);
    if (result == 0) {
        result = held_open(&held, o->policy, o->pin_fd, o->self_test, e);
    }
    if (result == 0) {
        result = o->self_test ? serve_self_test(&s, e) : serve_connection(&s, e);
    }
    held_end(&held);
    if (result != 0) {
        serve_failed(&s, e);
    }
    return result;
}

/* One connection after the other, as the supervisor hands them over. */
static int
serve_connections(struct serve *s, struct err *e)
{
    control_say(PARENT_FD, CONTROL_READY);
    for (;;) {
        bool its_fault = false;
        int result;

        if (control_take(PARENT_FD, &s->fd, e) != 0) {
            return -1;
        }
        if (s->fd < 0) {
            return 0;
        }
        result = serve_connection(s, e);
        if (result != 0) {
            its_fault = s->its_fault;
            serve_failed(s, e);
        }
        (void)close(s->fd);
        if (result != 0 && !its_fault) {
            return -1;
        }
        if (result != 0) {
            log_err(LOG_WARNING, "client-failed", e, "%s", "its connection is closed");
        }
        control_say(PARENT_FD, CONTROL_OVER);
    }
}

static int
run_supervised(const struct options *o, struct err *e)
{
    static struct held held;
    static struct serve s;
    int result = prepare(e);

    if (result == 0) {
        result = held_open(&held, o->policy, o->pin_fd, false, e);
    }
    if (result == 0) {
        serve_init(&s, &held, -1, PARENT_FD);
        result = serve_connections(&s, e);
    }
    held_end(&held);
    if (result != 0) {
        control_fail(PARENT_FD, e);
    }
    return result;
}

static int
run_service(const struct options *o, struct err *e)
{
    CLEANUP(policy_cleanup) struct policy *policy = NULL;
    char program[PATH_MAX] = "";

    if (proc_harden(e) != 0 || ossl_init(e) != 0) {
        return -1;
    }
    policy = policy_load(o->policy, e);
    if (policy == NULL) {
        return -1;
    }
    if (policy->purpose == POLICY_SELF_TEST) {
        return err_set(e, ERR_DENIED, "%s: its purpose is self_test; use --self-test", o->policy);
    }
    if (!policy->has_client) {
        return err_set(e, ERR_INPUT, "%s: option 'client_user' is missing: who may come to %s",
                       o->policy, o->listen);
    }
    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0) {
        return err_errno(e, ERR_IO, errno, "/proc/self/exe");
    }
    if (policy->client == geteuid()) {
        log_event(LOG_WARNING, "client-is-own-user",
                  "%s: client_user is the user of this service: PIN, token and journal are within "
                  "reach of the client",
                  o->policy);
    }
    return supervise(&(struct supervise_options){.program = program,
                                                 .policy = o->policy,
                                                 .socket = o->listen,
                                                 .client = policy->client,
                                                 .deadline_ms = policy->deadline_ms,
                                                 .pin_fd = o->pin_fd},
                     e);
}

static int
parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"policy", required_argument, NULL, 'p'}, {"pin-fd", required_argument, NULL, 'f'},
        {"listen", required_argument, NULL, 'l'}, {"self-test", no_argument, NULL, 't'},
        {"supervised", no_argument, NULL, 's'},   {NULL, 0, NULL, 0},
    };
    char *end = NULL;
    int c;

    *options = (struct options){.pin_fd = -1};
    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'p':
            options->policy = optarg;
            break;
        case 'f':
            options->pin_fd = (int)strtol(optarg, &end, 10);
            if (*end != '\0' || options->pin_fd < 4 || options->pin_fd > 1023) {
                return -1;
            }
            break;
        case 'l':
            options->listen = optarg;
            break;
        case 't':
            options->self_test = true;
            break;
        case 's':
            options->supervised = true;
            break;
        default:
            return -1;
        }
    }
    /* at most one way to run */
    if ((options->listen != NULL ? 1 : 0) + (options->self_test ? 1 : 0) +
            (options->supervised ? 1 : 0) >
        1) {
        return -1;
    }
    return options->policy != NULL && optind == argc ? 0 : -1;
}

static int
run(const struct options *o, struct err *e)
{
    if (o->listen != NULL) {
        return run_service(o, e);
    }
    return o->supervised ? run_supervised(o, e) : run_child(o, e);
}

/* _exit: some modules crash in their destructors, and leaving the process is the only sure logout
 * (SoftHSM issue 900). */
static _Noreturn void
leave(int status)
{
    (void)fflush(NULL);
    _exit(status);
}

int
main(int argc, char **argv)
{
    struct options options;
    struct err e = {0};

    if (parse_options(argc, argv, &options) != 0) {
        (void)fprintf(stderr,
                      "usage: nfpki-signer --policy FILE [--pin-fd N] --listen SOCKET\n"
                      "       nfpki-signer --policy FILE [--pin-fd N] [--self-test]\n"
                      "without --listen started by its parent with a socket as descriptor 3\n");
        leave(2);
    }
    log_open("nfpki-signer", LOG_INFO);
    if (run(&options, &e) != 0) {
        log_err(LOG_ERROR, "ended", &e, "%s", options.policy);
        leave(err_exit_status(e.code));
    }
    if (options.listen != NULL) {
        log_event(LOG_INFO, "stopped", "in order");
    }
    leave(0);
}
