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
    struct tree_head committed; /* of SIGNER_ANCHOR: the last checkpoint before it */
    bool has_committed;
    struct tree_head checkpoint; /* of SIGNER_CHECKPOINT */
};

struct serve {
    const struct held *held;
    int fd;         /* the connection */
    int control;    /* to the supervisor (control.h); -1: there is none */
    bool its_fault; /* out: what failed is the other end, and the token is as good as before */
    int64_t said;   /* when the supervisor last heard that this works */
    int64_t looked; /* when lines of the journal were last read again */
    struct buf out;
    struct buf frames; /* that are to leave (answer.h) */
    int64_t left;      /* when others did */
    bool gathers;
    struct serve_request batch[SIGNER_BATCH_MAX];
    size_t n;
};

void serve_init(struct serve *, const struct held *, int fd, int control);

/* HELLO, and then what is asked for, until the other end closes (or the supervisor is gone): 0.
 * After a failure that is not its_fault the process must end. */
int serve_connection(struct serve *, struct err *e);
/* HELLO and PROVED. */
int serve_self_test(struct serve *, struct err *e);
/* FAILED, the last frame. */
void serve_failed(struct serve *, const struct err *why);
