/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ending.h - when the certificate of a serial number ends: a table that forgets what has ended.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"

enum { AUDIT_SERIAL_MAX = 20 }; /* RFC 5280 4.1.2.2 */

struct audit_serial {
    uint8_t octets[AUDIT_SERIAL_MAX];
    uint8_t n;
};
/* From hex. ERR_CRYPTO when it is longer than a serial number can be. */
int audit_serial_parse(const char *hex, struct audit_serial *out, struct err *e);
/* As numbers without leading zeros are ordered: shorter ones first. */
int audit_serial_compare(const struct audit_serial *, const struct audit_serial *);

struct audit_ending {
    struct audit_serial serial;
    bool issued, revoked;
    time_t not_after;
};

struct audit_endings;
void audit_endings_free(struct audit_endings *);
struct audit_endings *audit_endings_new(void) OWNED(audit_endings_free);
/* The later end counts when it is there. What ended before `forget` may be forgotten. */
void audit_endings_add(struct audit_endings *, const struct audit_serial *, time_t not_after,
                       time_t forget);
/* Borrowed until the next is added; NULL when it is not there. */
struct audit_ending *audit_endings_find(const struct audit_endings *, const struct audit_serial *);
