/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/packing.h"

#include <stdlib.h>
#include <string.h>

#include "db/store/connection.h"

static const uint8_t magic[PACKING_MAGIC] = {0x28, 0xb5, 0x2f, 0xfd};

static int64_t
number_of(const uint8_t *packed)
{
    return packed[1] << 16 | packed[2] << 8 | packed[3];
}

size_t
packing_room(void)
{
    return ZSTD_compressBound(PACKED_MAX);
}

bool
packing_can_use(struct span octets)
{
    static const uint8_t own[] = {0x37, 0xa4, 0x30, 0xec};

    return octets.n <= (size_t)PACKING_SAMPLES * PACKING_SAMPLE_MAX &&
           (octets.n < sizeof(own) || memcmp(octets.p, own, sizeof(own)) != 0);
}

void *
packing_or_die(void *p)
{
    if (p == NULL) {
        abort();
    }
    return p;
}

static int
level_of(struct span octets)
{
    return octets.n > 0 && octets.p[0] == '{' ? PACKING_TEXT : PACKING_OCTETS;
}

ZSTD_CDict *
packing_dictionary_new(struct span octets)
{
    return packing_or_die(ZSTD_createCDict(octets.p, octets.n, level_of(octets)));
}

struct packing *
packing_new(void)
{
    struct packing *p = mem_new(sizeof(*p));

    p->packer = packing_or_die(ZSTD_createCCtx());
    p->unpacker = packing_or_die(ZSTD_createDCtx());
    p->packed = mem_new(packing_room());
    p->octets = mem_new(PACKED_MAX);
    return p;
}

void
packing_trial_end(struct packing_trial *trial)
{
    (void)ZSTD_freeCDict(trial->dictionary);
    buf_free(&trial->octets);
    *trial = (struct packing_trial){0};
}

static void
forget(struct packing *p)
{
    for (size_t i = 0; i < PACKING_KINDS && p->kinds[i].name != NULL; i++) {
        struct packing_kind *kind = &p->kinds[i];

        (void)ZSTD_freeCDict(kind->dictionary);
        for (size_t k = 0; k < PACKING_SAMPLES; k++) {
            buf_free(&kind->samples[k]);
        }
        packing_trial_end(&kind->trial);
        *kind = (struct packing_kind){0};
    }
    for (size_t i = 0; i < PACKING_READ; i++) {
        (void)ZSTD_freeDDict(p->read[i].octets);
        p->read[i] = (struct packing_dictionary){0};
    }
    p->is_new = false;
}

void
packing_free(struct packing *p)
{
    if (p != NULL) {
        forget(p);
        (void)ZSTD_freeCCtx(p->packer);
        (void)ZSTD_freeDCtx(p->unpacker);
        mem_free(p->packed);
        mem_free(p->octets);
        mem_free(p);
    }
}

void
packing_undone(struct packing *p)
{
    if (p->is_new) {
        forget(p);
    }
}

/* ---- to read with ---- */

/* Within another statement, so by SQLite's own verbs. SQLITE_ROW when it is there, SQLITE_DONE when
 * it is not, or is none that was made here. */
static int
dictionary_read(struct store_db *db, int64_t id, struct packing_dictionary *out)
{
    sqlite3_stmt *rows = NULL;
    int rc = sqlite3_prepare_v2(db->sqlite, "SELECT octets FROM dictionary WHERE id = ?", -1, &rows,
                                NULL);

    if (rc == SQLITE_OK) {
        (void)sqlite3_bind_int64(rows, 1, id);
        rc = sqlite3_step(rows);
    }
    if (rc == SQLITE_ROW) {
        const void *p = sqlite3_column_blob(rows, 0);
        const struct span octets = span_of(p, (size_t)sqlite3_column_bytes(rows, 0));

        if (packing_can_use(octets)) {
            (void)ZSTD_freeDDict(out->octets);
            *out = (struct packing_dictionary){
                id, packing_or_die(ZSTD_createDDict(octets.p, octets.n))};
        } else {
            rc = SQLITE_DONE;
        }
    }
    (void)sqlite3_finalize(rows);
    return rc;
}

static int
dictionary_get(struct store_db *db, int64_t id, const ZSTD_DDict **out)
{
    struct packing *p = db->packing;
    int rc;

    *out = NULL;
    for (size_t i = 0; i < PACKING_READ && id != 0; i++) {
        if (p->read[i].id == id) {
            *out = p->read[i].octets;
            return SQLITE_ROW;
        }
    }
    if (id == 0) {
        return SQLITE_ROW;
    }
    rc = dictionary_read(db, id, &p->read[p->next]);
    if (rc == SQLITE_ROW) {
        *out = p->read[p->next].octets;
        p->next = (p->next + 1) % PACKING_READ;
    }
    return rc;
}

/* How many octets they are, in p->octets; 0: it does not decode. */
static size_t
unpack(struct packing *p, struct span packed, const ZSTD_DDict *dictionary)
{
    unsigned long long wanted;
    size_t n;

    memcpy(p->packed, packed.p, packed.n);
    memcpy(p->packed, magic, PACKING_MAGIC);
    wanted = ZSTD_getFrameContentSize(p->packed, packed.n);
    if (wanted > PACKED_MAX) { /* or it is not said */
        return 0;
    }
    n = ZSTD_decompress_usingDDict(p->unpacker, p->octets, (size_t)wanted, p->packed, packed.n,
                                   dictionary);
    return ZSTD_isError(n) || n != wanted ? 0 : n;
}

static void
unpacked(sqlite3_context *context, int n_values, sqlite3_value **values)
{
    struct store_db *db = sqlite3_user_data(context);
    const uint8_t *p = sqlite3_value_blob(values[0]);
    const struct span packed = span_of(p, (size_t)sqlite3_value_bytes(values[0]));
    const ZSTD_DDict *dictionary = NULL;
    int rc = SQLITE_DONE;
    size_t n = 0;

    (void)n_values;
    if (packed.n == 0 || packed.p[0] != 0) {
        sqlite3_result_value(context, values[0]);
        return;
    }
    if (packed.n > PACKING_MAGIC && packed.n <= packing_room()) {
        rc = dictionary_get(db, number_of(packed.p), &dictionary);
    }
    if (rc == SQLITE_ROW) {
        n = unpack(db->packing, packed, dictionary);
    } else if (rc != SQLITE_DONE) {
        sqlite3_result_error_code(context, rc);
        return;
    }
    if (n == 0) {
        db->is_edited = true;
        sqlite3_result_error(context, "packed octets do not decode", -1);
        return;
    }
    sqlite3_result_blob(context, db->packing->octets, (int)n, SQLITE_TRANSIENT);
}

int
packing_register(struct store_db *db, sqlite3 *sqlite)
{
    return sqlite3_create_function_v2(sqlite, "unpacked", 1, SQLITE_UTF8 | SQLITE_DIRECTONLY, db,
                                      unpacked, NULL, NULL, NULL);
}
