/* SPDX-License-Identifier: Apache-2.0 */
/* compare_row.h - is there the row that a leaf speaks of? Private to compare.c. */
#pragma once

#include "db/store/store.h"

/* The query gives a row. ERR_STALE names `what`. */
int compare_need_row(struct store_db *, const char *sql, const struct store_value *values, size_t n,
                     const char *what, struct err *e);
/* The octets that the query gives have this SHA-256, in hex digits. A row may lack what its leaf
 * has, a registration, or what nobody asks for any more, an older CRL; one that was made again
 * (rebuild.h) what no leaf has: a CRL, the TBSCertificate of what was given up. */
int compare_need_hash(struct store_db *, const char *sql, const struct store_value *values,
                      size_t n, const char *hex, bool may_lack, const char *what, struct err *e);
/* Always -1: the record has `what`, and ca.db has not. */
int compare_missing(const char *what, struct err *e);
