/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - frames (a length of 4 octets, then that many) in libevent's buffers. Private to
 * ca/link.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct evbuffer;

enum { FRAME_HEAD = 4 };

/* *there tells whether a whole frame stands in front of `in`; then *body is its content, borrowed
 * until frame_drop() or any other change of `in`. A length of 0 or above `max` is ERR_INPUT. */
int frame_next(struct evbuffer *in, size_t max, bool *there, struct span *body, struct err *e);
/* Removes the frame that frame_next() showed. */
void frame_drop(struct evbuffer *in, size_t body_size);
/* Appends a frame. */
int frame_put(struct evbuffer *out, struct span body, struct err *e);
