/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise.h - nfpki-signer --listen: the process that is there all the time. It starts the one
 * that holds the session (nfpki-signer --supervised), hands one client's connection after the
 * other to it, and kills and restarts it when it does not come back from a call within the
 * deadline: no PKCS #11 call has a time-out of its own.
 *
 * Does not: read a PIN, load a module, look into a frame.
 *
 *   DOWN --pause over--> STARTING --ready--> FREE --connection--> SERVING --over--> FREE
 *   any --end, deadline--> DOWN; after a PIN that was refused for good
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

struct supervise_options {
    const char *program; /* nfpki-signer, a path */
    const char *policy;  /* its policy file, */
    const char *socket;  /* where it listens, */
    uid_t client;        /* to whom, */
    int deadline_ms;     /* for a start and for each call, */
    int pin_fd;          /* and the PIN, as in client.h */
};

/* Until SIGTERM, SIGINT or SIGHUP: 0, the process has ended and the socket is gone. */
int supervise(const struct supervise_options *, struct err *e);
