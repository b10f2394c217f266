/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/compare_row.h"

#include <string.h>

#include "base/ossl.h"

int
compare_missing(const char *what, struct err *e)
{
    return err_set(e, ERR_STALE, "the record has %s that ca.db has not, or has in another state",
                   what);
}

int
compare_need_row(struct store_db *db, const char *sql, const struct store_value *values, size_t n,
                 const char *what, struct err *e)
{
    bool row;

    if (store_has_row(db, sql, values, n, &row, e) != 0) {
        return -1;
    }
    return row ? 0 : compare_missing(what, e);
}

int
compare_need_hash(struct store_db *db, const char *sql, const struct store_value *values, size_t n,
                  const char *hex, bool may_lack, const char *what, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    CLEANUP(mem_cleanup) char *found = NULL;
    uint8_t hash[SHA256_SIZE];
    bool row;

    if (store_query(db, &rows, sql, values, n, e) != 0 || store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (!row) {
        return compare_missing(what, e);
    }
    if (may_lack && row_blob(&rows, 0).n == 0) {
        return 0;
    }
    if (sha256(row_blob(&rows, 0), hash, e) != 0) {
        return -1;
    }
    found = hex_dup(span_of(hash, sizeof(hash)));
    return strcmp(found, hex) == 0 ? 0 : compare_missing(what, e);
}
