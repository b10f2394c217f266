/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer.h - what client.c and known.c share. The thread alone owns the process (process.h). What
 * other threads touch is under `lock`: the queue, `pid`, `counts`, `waiting` and the state of the
 * start. Private to them.
 */
#pragma once

#include <pthread.h>

#include "pkcs11/client/attempted.h"
#include "pkcs11/client/process.h"

struct signer {
    struct tasks *finished;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* work came, a start ended, or a blocking job was answered */
    struct task *first, **last;
    bool stopping;
    bool started; /* the first start has ended, well or with start_error */
    int start_result;
    struct err start_error;
    pid_t pid;
    bool apart; /* as of the last start */
    struct signer_counts counts;
    size_t waiting; /* submitted, and not finished */
    int (*look)(void *arg, struct signer *, struct err *e);
    void *look_arg;
    struct signer_job trial; /* of signer_try(); under way until trial_ended */
    uint8_t trial_question[ATTEMPTED_QUESTION_SIZE];
    bool trial_ended;

    /* The thread's own; `pinned` is written before `started`, and then only read. */
    struct signer_process process;
};
