/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk.h - where the people of a ceremony read and type.
 *
 * In a production run everything is typed at /dev/tty; in a rehearsal nobody is asked. SIGINT,
 * SIGTERM and SIGHUP only set a flag, which is looked at before and after each prompt: what the
 * token is doing is never cut in half.
 */
#pragma once

#include <stdio.h>

#include "base/buf.h"

enum { DESK_ANSWER_SIZE = 128 };

struct desk {
    bool rehearsal;
    FILE *out;
    FILE *in; /* NULL in a rehearsal */
};

/* Installs the signal handlers. ERR_DENIED when people shall type and there is no terminal. */
int desk_open(struct desk *, bool rehearsal, struct err *e);
void desk_close(struct desk *);
void desk_say(const struct desk *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* ERR_CONFLICT when somebody asked to stop. */
int desk_check_stop(const struct desk *, struct err *e);
/* One line; in a rehearsal REHEARSED_ANSWER. ERR_CONFLICT when the input ends. */
int desk_ask(const struct desk *, const char *question, char answer[DESK_ANSWER_SIZE],
             struct err *e);
/* A secret, echo off. Not in a rehearsal. */
int desk_secret(const struct desk *, const char *question, struct buf *out, struct err *e);
