/* SPDX-License-Identifier: Apache-2.0 */
/* hello.h - the start of a signer: run it, or connect to it, and read its HELLO. For process.c. */
#pragma once

#include "base/ossl.h"
#include "base/proc.h"
#include "base/unix.h"
#include "pkcs11/algorithm.h"
#include "pkcs11/client/protocol.h"

enum { SIGNER_TIMEOUT_MS = 10000, SIGNER_GRACE_MS = 1000 };

struct signer_counts {
    uint64_t attempts;
    uint64_t signatures; /* that are known of */
};

/* A HELLO, checked. */
struct signer_hello {
    bool software;
    bool anchor;
    struct signer_counts counts;
    uint8_t policy_hash[SHA256_SIZE];
    struct buf spki;
    enum key_algorithm algorithm;
};

/* One frame from the signer into `in`, which `frame` borrows from. */
int signer_read_frame(int fd, int timeout_ms, struct buf *in, struct signer_frame *frame,
                      struct err *e);
/* The reason in a FAILED or REFUSED frame, as the signer gave it. Always returns -1. */
int signer_reason(const struct signer_frame *frame, struct err *e);
/* Starts the program and reads its HELLO; hello->spki has its maximum. The child is gone again
 * after a failure. */
int signer_greet(const char *program, const char *policy, int pin_fd, bool self_test,
                 int timeout_ms, struct child *child, struct buf *in, struct signer_hello *hello,
                 struct err *e);
/* The same of a service that listens at `socket`: child->fd is the connection, child->pid -1, and
 * `who` the service. */
int signer_call(const char *socket, int timeout_ms, struct child *child, struct buf *in,
                struct signer_hello *hello, struct unix_peer *who, struct err *e);
