/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conformance_rows.h - what conformance.c sends and what must be answered.
 */
#pragma once

#include <stddef.h>

/* Where things stand in SEQUENCE { header, body } of our requests. */
#define PVNO "0.0"
#define SENDER "0.1"
#define TIME "0.3"
#define ALGORITHM "0.4"
#define ALGORITHM_OID "0.4.0.0"
#define PBM_SALT "0.4.0.1.0"
#define PBM_OWF "0.4.0.1.1.0"
#define PBM_ITERATIONS "0.4.0.1.2"
#define SENDER_KID "0.5"
#define TRANSACTION_ID "0.6"
#define SENDER_NONCE "0.7"
#define BODY "1"
#define CONTENT "1.0"
#define REQUEST "1.0.0"
#define CERT_REQ_ID "1.0.0.0.0"
#define TEMPLATE "1.0.0.0.1"
#define SUBJECT "1.0.0.0.1.0"
#define PUBLIC_KEY "1.0.0.0.1.1"
#define POP "1.0.0.1"

#define RECIP_NONCE "0.8"
#define CERT_STATUS "1.0.0"
#define CERT_HASH "1.0.0.0"
#define CONFIRM_ID "1.0.0.1"

struct row {
    const char *what;
    const char *path;
    /* In its place; "" takes it out, "=" puts it there twice, "!..." stands behind it and is not
     * proved again. */
    const char *hex;
    const char *wanted;
};

/* First messages, protected with the right MAC. */
extern const struct row firsts[];
extern const size_t n_firsts;
/* First messages that are signed. */
extern const struct row signed_firsts[];
extern const size_t n_signed_firsts;
/* Confirmations of a certificate that waits for one. */
extern const struct row laters[];
extern const size_t n_laters;
