/* SPDX-License-Identifier: Apache-2.0 */
/* heads.h - a row of the table of heads, for who goes through it. Private to db/requests/. */
#pragma once

#include "db/requests/requests.h"

#define REQUESTS_HEAD_COLUMNS "first, text, leaves, stamp"

/* Of a query that gives these columns; what `out` had is freed. */
int requests_head_read(const struct store_rows *, struct requests_head *out, struct err *e);
