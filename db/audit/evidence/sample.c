/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/evidence/sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/query/cells.h"

enum { COLUMNS = 5, PERCENT = 3, SERIAL_TEXT = 2 * 20 + 1, PROFILE_TEXT = 65 };

struct drawn {
    uint8_t hash[SHA256_SIZE];
    char serial[SERIAL_TEXT];
    char profile[PROFILE_TEXT];
    int64_t leaf;
};

static sqlite3_stmt *
ask(sqlite3 *db, const char *sql, int64_t first, int64_t second, struct err *e)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK ||
        sqlite3_bind_int64(s, 1, first) != SQLITE_OK ||
        (second != 0 && sqlite3_bind_int64(s, 2, second) != SQLITE_OK)) {
        (void)err_set(e, ERR_STORE, "%s", sqlite3_errmsg(db));
        statement_cleanup(&s);
    }
    return s;
}

static int
root_find(sqlite3 *db, time_t until, struct sample *out, struct err *e)
{
    CLEANUP(statement_cleanup)
    sqlite3_stmt *s = ask(db,
                          "SELECT c.size, c.root FROM checkpoint c JOIN leaves l ON l.leaf = "
                          "c.size - 1 WHERE c.state = 'accepted' AND l.time > ?1 ORDER BY c.size "
                          "LIMIT 1",
                          (int64_t)until, 0, e);
    int step;

    if (s == NULL) {
        return -1;
    }
    step = sqlite3_step(s);
    if (step == SQLITE_DONE) {
        return err_set(e, ERR_NOTFOUND,
                       "no checkpoint has a leaf behind the period: it is not over in this record");
    }
    if (step != SQLITE_ROW || sqlite3_column_bytes(s, 1) != MERKLE_HASH) {
        return err_set(e, ERR_STORE, "%s", sqlite3_errmsg(db));
    }
    out->size = (uint64_t)sqlite3_column_int64(s, 0);
    memcpy(out->root.octets, sqlite3_column_blob(s, 1), MERKLE_HASH);
    return 0;
}

static int
row_read(sqlite3_stmt *s, const struct sample *of, struct drawn *out, struct err *e)
{
    const struct span serial =
        span_of(sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
    const struct span parts[] = {span_of(of->root.octets, MERKLE_HASH), serial};

    if (serial.n > (SERIAL_TEXT - 1) / 2) {
        return err_set(e, ERR_STORE, "a serial number of %zu octets", serial.n);
    }
    hex_format(serial, out->serial);
    (void)snprintf(out->profile, sizeof(out->profile), "%s",
                   (const char *)sqlite3_column_text(s, 1));
    out->leaf = sqlite3_column_int64(s, 2);
    return sha256_parts(parts, ARRAY_LEN(parts), out->hash, e);
}

static int
compare(const void *a, const void *b)
{
    const struct drawn *first = a;
    const struct drawn *second = b;

    return memcmp(first->hash, second->hash, sizeof(first->hash));
}

static void
rows_write(struct sink *sink, const struct drawn *all, size_t n)
{
    for (size_t i = 0; all != NULL && i < n; i++) {
        char hash[2 * SHA256_SIZE + 1];

        hex_format(span_of(all[i].hash, SHA256_SIZE), hash);
        sink_row(sink, (const struct cell[COLUMNS]){
                           {.kind = CELL_INT, .number = (int64_t)i + 1},
                           {.kind = CELL_HEX, .text = span_str(all[i].serial)},
                           {.kind = CELL_TEXT, .text = span_str(all[i].profile)},
                           {.kind = CELL_HEX, .text = span_str(hash)},
                           {.kind = CELL_INT, .number = all[i].leaf},
                       });
    }
    sink_end(sink);
}

int
sample_write(sqlite3 *db, time_t since, time_t until, enum sink_format format, FILE *out,
             struct sample *sample, struct err *e)
{
    static const char *const columns[COLUMNS] = {"rank", "serial", "profile", "hash", "leaf"};
    CLEANUP(sink_cleanup) struct sink *sink = sink_new(format, out, columns, COLUMNS, e);
    CLEANUP(statement_cleanup) sqlite3_stmt *s = NULL;
    CLEANUP(mem_cleanup) struct drawn *all = NULL;
    size_t capacity = 0;
    int step;

    *sample = (struct sample){0};
    if (sink == NULL || root_find(db, until, sample, e) != 0) {
        return -1;
    }
    s = ask(db,
            "SELECT serial, profile, issued FROM certificates WHERE issued IS NOT NULL AND "
            "issued_at BETWEEN ?1 AND ?2",
            (int64_t)since, (int64_t)until, e);
    while (s != NULL && (step = sqlite3_step(s)) == SQLITE_ROW) {
        all = mem_grow(all, &capacity, sample->issued + 1, sizeof(*all));
        if (row_read(s, sample, &all[sample->issued], e) != 0) {
            return -1;
        }
        sample->issued++;
    }
    if (s == NULL || step != SQLITE_DONE) {
        return s == NULL ? -1 : err_set(e, ERR_STORE, "%s", sqlite3_errmsg(db));
    }
    if (all != NULL) {
        qsort(all, sample->issued, sizeof(*all), compare);
        sample->drawn = (sample->issued * PERCENT + 99) / 100;
    }
    rows_write(sink, all, sample->drawn);
    return 0;
}
