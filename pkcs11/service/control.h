/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.h - what the process with the session and its supervisor say to each other, on the
 * socketpair that child_start() makes.
 *
 *   session    R                            ready: the token is open
 *   supervisor c, with a descriptor         a connection to serve; one at a time
 *   session    w ... w  r                   works: the deadline begins (anew); rests: all answered
 *   session    o                            the connection is over; ready for the next
 *   session    f, code, text                failed, its last words
 *
 * The end of the stream is the end of the other process.
 */
#pragma once

#include "base/buf.h"

enum control {
    CONTROL_READY = 'R',
    CONTROL_CONNECTION = 'c',
    CONTROL_WORKS = 'w',
    CONTROL_RESTS = 'r',
    CONTROL_OVER = 'o',
    CONTROL_FAILED = 'f',
};

enum { CONTROL_WORDS_MAX = 600 }; /* of FAILED: code and text */

/* The session's side. What cannot be said, because the supervisor is gone, is seen by
 * control_take(). */
void control_say(int fd, enum control);
void control_fail(int fd, const struct err *why);
/* Waits; *connection is -1 when the supervisor is gone. */
int control_take(int fd, int *connection, struct err *e);

/* The supervisor's side. The descriptor stays the caller's, too. */
int control_give(int fd, int connection, struct err *e);
/* What stands behind CONTROL_FAILED. */
void control_reason(struct span words, struct err *out);
