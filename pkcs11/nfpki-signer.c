/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-signer - one process, one session, one key, one thread (service/serve.h).
 *
 * A failure of token or journal ends the process; the parent starts a fresh one
 * (client/PROTOCOL.md).
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "pkcs11/service/held.h"
#include "pkcs11/service/serve.h"

enum {
    PARENT_FD = 3,
    ORPHAN_SECONDS = 5, /* what a token that hangs gets when the parent is gone */
};

struct options {
    const char *policy;
    int pin_fd;
    bool self_test;
};

static int
run(struct serve *s, const struct options *options, struct err *e)
{
    static struct held held;

    serve_init(s, &held, PARENT_FD);
    if (proc_finish_calls(ORPHAN_SECONDS, e) != 0 || proc_harden(e) != 0 || ossl_init(e) != 0 ||
        held_open(&held, options->policy, options->pin_fd, options->self_test, e) != 0) {
        return -1;
    }
    return options->self_test ? serve_self_test(s, e) : serve_connection(s, e);
}

static int
parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"policy", required_argument, NULL, 'p'},
        {"pin-fd", required_argument, NULL, 'f'},
        {"self-test", no_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
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
        case 't':
            options->self_test = true;
            break;
        default:
            return -1;
        }
    }
    return options->policy != NULL && optind == argc ? 0 : -1;
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
    static struct serve s;
    struct options options;
    struct err e = {0};

    if (parse_options(argc, argv, &options) != 0) {
        (void)fprintf(stderr, "usage: nfpki-signer --policy FILE [--pin-fd N] [--self-test]\n"
                              "started by its parent with a socket as descriptor 3\n");
        leave(2);
    }
    log_open("nfpki-signer", LOG_INFO);
    if (run(&s, &options, &e) != 0) {
        log_err(LOG_ERROR, "ended", &e, "%s", options.policy);
        serve_failed(&s, &e);
        leave(err_exit_status(e.code));
    }
    leave(0);
}
