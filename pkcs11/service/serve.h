/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.h - one connection: whole objects in, signatures out, one thread, blocking
 * (client/PROTOCOL.md).
 *
 * Order, and none of it may be swapped: the whole object is understood and allowed -> its line is
 * in the journal and on disk -> the token signs -> the signature verified -> it leaves.
 */
#pragma once

#include "pkcs11/client/client.h"
#include "pkcs11/client/protocol.h"
#include "pkcs11/service/held.h"

struct serve_request {
    struct buf frame;
    struct signer_frame sign; /* borrows from frame */
    int result;
    struct err e;
};

struct serve {
    const struct held *held;
    int fd; /* the connection */
    struct buf out;
    struct serve_request batch[SIGNER_BATCH_MAX];
    size_t n;
};

void serve_init(struct serve *, const struct held *, int fd);

/* HELLO, and then what is asked for, until the other end closes: 0. After a failure the
 * process must end. */
int serve_connection(struct serve *, struct err *e);
/* HELLO and PROVED. */
int serve_self_test(struct serve *, struct err *e);
/* FAILED, the last frame. */
void serve_failed(struct serve *, const struct err *why);
