/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo.h - what an answer repeats of a message that cannot be decoded (RFC 9483 3.1): of its
 * header, when that much can be read, whatever is wrong with it otherwise, with the body or behind
 * it.
 *
 * Does: find sender, transactionID, senderNonce and pvno by tags and lengths alone, within limits.
 * Does not: believe any of it, or own it: every span is into the octets that were given. Pure.
 */
#pragma once

#include "base/buf.h"

/* An absent part is an empty span, and so is one that is longer than CMP_ID_MAX octets. */
struct cmp_echo {
    int pvno;           /* 2 when it is none of ours */
    struct span sender; /* DER GeneralName directoryName */
    struct span transaction_id;
    struct span sender_nonce;
};

/* All empty when there is no header to be read, or it is longer than `max` octets. */
void cmp_echo_read(struct span octets, size_t max, struct cmp_echo *out);
