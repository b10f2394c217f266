/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - the signer's process and what is said to it: started, or connected to where it is a
 * service, and again after a pause, always with the same key and policy; a batch of jobs out, their
 * answers in.
 *
 *   DOWN --start--> UP --jobs--> frames out, answers in --> UP
 *   UP --end of file, deadline, nonsense--> DOWN: who asked stops it
 *   DOWN --ERR_PIN, ERR_DENIED, ERR_STALE or another key--> SHUT: no start is tried again. Of a
 * service it is tried: its supervisor knows what may not be (service/supervise.h)
 *
 * For client.c, on its thread alone; no lock.
 */
#pragma once

#include "pkcs11/client/client.h"
#include "pkcs11/client/hello.h"

struct signer_process {
    char *program, *policy;
    char *socket; /* of a service; NULL: program and policy are there */
    int pin_fd, timeout_ms;
    struct child child;
    struct unix_peer service;   /* who listens at `socket` */
    struct signer_hello pinned; /* of the first start; its spki is empty before */
    struct buf out, in, frames;
    uint64_t number;
    bool shut;
    struct err shut_error;
    int64_t not_before; /* clock_monotonic_ms() of the next start that may be tried */
    int pause_ms;
};

void signer_process_init(struct signer_process *, const struct signer_options *);
/* Stopped before. */
void signer_process_clear(struct signer_process *);

bool signer_process_is_up(const struct signer_process *);
/* Of one that is stopped. *counts gets what its HELLO says. Failed or shut before: the reason of
 * then, until the pause is over. */
int signer_process_start(struct signer_process *, struct signer_counts *counts, struct err *e);
/* Of one that is up: itself, or the service. */
pid_t signer_process_pid(const struct signer_process *);
/* A service of another user. */
bool signer_process_is_apart(const struct signer_process *);
/* Nothing when it is stopped already. */
void signer_process_stop(struct signer_process *, int grace_ms);

/* Gets a job with its result when it is answered; `attempted`: there is a line in the journal. */
typedef void signer_answered(void *context, struct signer_job *, bool attempted);
/* Of one that is up. A job's slot becomes NULL when it is answered. After -1 stop the process: the
 * jobs that are left have no answer. *ending: so that it can end, stop it within SIGNER_GRACE_MS.
 */
int signer_process_ask(struct signer_process *, struct signer_job **jobs, size_t n,
                       signer_answered *answered, void *context, bool *ending, struct err *e);
