/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held.h - a page of the certificates that ra.db has: for a CA that lost its own record of them
 * (nfpki-ca --restore --adopt). Private to ra/.
 */
#pragma once

#include <jansson.h>

#include "db/requests/requests.h"

enum {
    HELD_PAGE_MAX = 200
}; /* of certificates as long as may be, it is half of ADMIN_ANSWER_MAX */

struct held_page {
    int64_t after; /* 0: from the beginning; then the "next" of the page before */
    int limit;     /* 1 to HELD_PAGE_MAX */
};
/* ERR_INPUT names what is wrong. */
int held_parse_page(const json_t *after, const json_t *limit, struct held_page *out, struct err *e);

/* In an operation of the store: {"certificates":[{"certificate":base64, "registration":..,
 * "profile":.., "revoked":bool}], "next":12}; no "next": there are no more. NULL after a failure.
 */
json_t *held_answer(struct store_db *, const struct held_page *, struct err *e)
    __attribute__((warn_unused_result));
