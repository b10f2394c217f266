/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.h - a mirror as pages, on a loopback address, for a browser on the same machine.
 *
 * Nobody logs in, so nothing can be changed: GET and HEAD alone, no cookie, no script, a name of
 * this machine in Host (loopback.h), and no page of another origin that loads one of these. The
 * loop takes requests and sends answers; one worker makes them, each from the mirror as it is then
 * (visit.h), within SERVE_MS. What comes while SERVE_JOBS wait, or while SERVE_OCTETS of answers
 * are on their way to slow readers, is asked to come again.
 */
#pragma once

#include <stdbool.h>

#include "base/tlog/checkpoint.h"
#include "base/tlog/policy.h"
#include "db/audit/rules/issuer.h"

/* Of each limit that is not given. */
enum {
    SERVE_CONNECTIONS = 64,
    SERVE_JOBS = 16,
    SERVE_OCTETS = 64 * 1024 * 1024,
    SERVE_MS = 10000,       /* for one answer */
    SERVE_LONG_MS = 120000, /* for the report, and for a file to be kept */
};

/* 0: as above. */
struct serve_limits {
    size_t connections;
    size_t jobs;
    size_t octets;
    int ms;        /* for each answer, the long ones, too; below 0: none is in time */
    uint64_t rows; /* of a file; LIST_ROWS_FILE */
};

struct serve_options {
    const char *mirror;        /* its file */
    const char *listen;        /* "127.0.0.1:8830"; port 0 is any */
    const struct log_key *key; /* of the mirror: copied */
    bool key_is_given;
    struct audit_issuers *issuers;
    STACK_OF(X509) * vendors;         /* roots of those whose devices may ask; NULL: none */
    const struct tlog_policy *policy; /* by which witnesses are verified; NULL: they are not */
    struct serve_limits limits;
};

struct serve;
void serve_free(struct serve *);
/* Listens. All is borrowed, but the key. ERR_INPUT: no loopback address; ERR_IO. */
struct serve *serve_new(const struct serve_options *, struct err *e) OWNED(serve_free);
DEFINE_CLEANUP(serve_cleanup, struct serve, serve_free)
unsigned serve_port(const struct serve *);
/* "http://127.0.0.1:8830/" */
char *serve_url(const struct serve *) OWNED(mem_free);
/* Until SIGINT or SIGTERM comes, or serve_stop() was called: what was asked by then is answered,
 * but what takes long is ended. */
void serve_run(struct serve *);
/* From a signal handler or another thread, too. */
void serve_stop(struct serve *);
