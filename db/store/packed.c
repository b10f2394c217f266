/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/packed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "db/store/connection.h"
#include "db/store/packing.h"

enum {
    LEVEL = 3,
    MAGIC = 4,   /* octets, of which the first is 0 here, and the others a dictionary's number */
    WORTH = 192, /* what is shorter stays as it is */
    SAMPLES = 3, /* a dictionary's, */
    SAMPLE_MAX = 8 * 1024, /* each */
    KINDS = 32,
    READ = 16,  /* dictionaries that are kept to read with */
    EVERY = 64, /* so many values a dictionary is tried, */
    FIRST = 16, /* from here on, */
    TRIALS = 8  /* on so many */
};

static const uint8_t magic[MAGIC] = {0x28, 0xb5, 0x2f, 0xfd};

static int64_t
number_of(const uint8_t *packed)
{
    return packed[1] << 16 | packed[2] << 8 | packed[3];
}

static void
number_put(uint8_t *packed, int64_t id)
{
    packed[0] = 0;
    packed[1] = (uint8_t)(id >> 16);
    packed[2] = (uint8_t)(id >> 8);
    packed[3] = (uint8_t)id;
}

/* One that may take the place of another. */
struct trial {
    ZSTD_CDict *dictionary;
    struct buf octets;
    unsigned n;
    size_t was, would; /* octets of n values */
};

struct kind {
    const char *name;
    int64_t id;
    ZSTD_CDict *dictionary; /* NULL: there is none */
    struct buf samples[SAMPLES];
    unsigned seen;
    struct trial trial;
};

struct dictionary {
    int64_t id; /* 0: none */
    ZSTD_DDict *octets;
};

struct packing {
    ZSTD_CCtx *packer;
    ZSTD_DCtx *unpacker;
    struct kind kinds[KINDS];
    struct dictionary read[READ];
    unsigned next;   /* of read, to be replaced */
    bool is_new;     /* a dictionary was made since something was undone */
    uint8_t *packed; /* room for any value, */
    uint8_t *octets; /* and for what it is */
};

static size_t
room(void)
{
    return ZSTD_compressBound(PACKED_MAX);
}

/* Only no memory can make it fail, and then the program ends (base/mem.h). */
static void *
or_die(void *p)
{
    if (p == NULL) {
        abort();
    }
    return p;
}

struct packing *
packing_new(void)
{
    struct packing *p = mem_new(sizeof(*p));

    p->packer = or_die(ZSTD_createCCtx());
    p->unpacker = or_die(ZSTD_createDCtx());
    p->packed = mem_new(room());
    p->octets = mem_new(PACKED_MAX);
    return p;
}

static void
trial_end(struct trial *trial)
{
    (void)ZSTD_freeCDict(trial->dictionary);
    buf_free(&trial->octets);
    *trial = (struct trial){0};
}

static void
forget(struct packing *p)
{
    for (size_t i = 0; i < KINDS && p->kinds[i].name != NULL; i++) {
        struct kind *kind = &p->kinds[i];

        (void)ZSTD_freeCDict(kind->dictionary);
        for (size_t k = 0; k < SAMPLES; k++) {
            buf_free(&kind->samples[k]);
        }
        trial_end(&kind->trial);
        *kind = (struct kind){0};
    }
    for (size_t i = 0; i < READ; i++) {
        (void)ZSTD_freeDDict(p->read[i].octets);
        p->read[i] = (struct dictionary){0};
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

static int
dictionary_read(struct store_db *db, int64_t id, struct dictionary *out, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct span octets;

    if (store_query_one(db, &rows, "SELECT octets FROM dictionary WHERE id = ?1",
                        STORE_VALUES(store_int(id)), e) != 0) {
        return -1;
    }
    octets = row_blob(&rows, 0);
    (void)ZSTD_freeDDict(out->octets);
    *out = (struct dictionary){id, or_die(ZSTD_createDDict(octets.p, octets.n))};
    return 0;
}

static int
dictionary_get(struct store_db *db, int64_t id, const ZSTD_DDict **out, struct err *e)
{
    struct packing *p = db->packing;

    *out = NULL;
    for (size_t i = 0; i < READ && id != 0; i++) {
        if (p->read[i].id == id) {
            *out = p->read[i].octets;
            return 0;
        }
    }
    if (id == 0) {
        return 0;
    }
    if (dictionary_read(db, id, &p->read[p->next], e) != 0) {
        return -1;
    }
    *out = p->read[p->next].octets;
    p->next = (p->next + 1) % READ;
    return 0;
}

/* How many octets they are, in p->octets; 0: it does not decode. */
static size_t
unpack(struct packing *p, struct span packed, const ZSTD_DDict *dictionary)
{
    unsigned long long wanted;
    size_t n;

    memcpy(p->packed, packed.p, packed.n);
    memcpy(p->packed, magic, MAGIC);
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
    const ZSTD_DDict *dictionary;
    struct err e = {0};
    size_t n = 0;

    (void)n_values;
    if (packed.n == 0 || packed.p[0] != 0) {
        sqlite3_result_value(context, values[0]);
        return;
    }
    if (packed.n > MAGIC && packed.n <= room() &&
        dictionary_get(db, number_of(packed.p), &dictionary, &e) == 0) {
        n = unpack(db->packing, packed, dictionary);
    }
    if (n == 0) {
        db->is_edited = true;
        sqlite3_result_error(context, e.text[0] != '\0' ? e.text : "packed octets do not decode",
                             -1);
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

/* ---- to write with ---- */

/* Into p->packed; what is not shorter stays as it is. */
static size_t
pack(struct packing *p, const ZSTD_CDict *dictionary, int64_t id, struct span octets)
{
    size_t n = dictionary == NULL
                   ? ZSTD_compressCCtx(p->packer, p->packed, room(), octets.p, octets.n, LEVEL)
                   : ZSTD_compress_usingCDict(p->packer, p->packed, room(), octets.p, octets.n,
                                              dictionary);

    assert(!ZSTD_isError(n));
    number_put(p->packed, id);
    return n < octets.n || octets.p[0] == 0 ? n : octets.n;
}

static int
kind_load(struct store_db *db, struct kind *kind, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct span octets;
    bool row;

    if (store_query(db, &rows,
                    "SELECT id, octets FROM dictionary WHERE kind = ?1 ORDER BY id DESC LIMIT 1",
                    STORE_VALUES(store_text(kind->name)), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    if (row) {
        kind->id = row_int(&rows, 0);
        octets = row_blob(&rows, 1);
        kind->dictionary = or_die(ZSTD_createCDict(octets.p, octets.n, LEVEL));
    }
    return 0;
}

static int
kind_get(struct store_db *db, const char *name, struct kind **out, struct err *e)
{
    struct kind *kind = db->packing->kinds;

    while (kind->name != NULL && strcmp(kind->name, name) != 0) {
        kind++;
        assert(kind < db->packing->kinds + KINDS);
    }
    *out = kind;
    if (kind->name != NULL) {
        return 0;
    }
    kind->name = name;
    if (kind_load(db, kind, e) != 0) {
        kind->name = NULL;
        return -1;
    }
    return 0;
}

static int
insert(struct store_db *db, struct kind *kind, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    int64_t id;

    if (store_query_one(db, &rows, "SELECT coalesce(max(id), 0) + 1 FROM dictionary",
                        STORE_NO_VALUES, e) != 0) {
        return -1;
    }
    id = row_int(&rows, 0);
    store_end(&rows);
    if (store_exec(db, "INSERT INTO dictionary(id, kind, octets) VALUES(?1, ?2, ?3)",
                   STORE_VALUES(store_int(id), store_text(kind->name),
                                store_blob(buf_span(&kind->trial.octets))),
                   e) != 0) {
        return -1;
    }
    db->packing->is_new = true;
    (void)ZSTD_freeCDict(kind->dictionary);
    kind->dictionary = kind->trial.dictionary;
    kind->trial.dictionary = NULL;
    kind->id = id;
    return 0;
}

static int
trial_begin(struct kind *kind, struct err *e)
{
    struct trial *trial = &kind->trial;

    trial->octets = BUF_INIT((size_t)SAMPLES * SAMPLE_MAX);
    for (unsigned i = 0; i < SAMPLES; i++) { /* the newest last, where it is the nearest */
        if (buf_append(&trial->octets, buf_span(&kind->samples[(kind->seen + i) % SAMPLES]), e) !=
            0) {
            return -1;
        }
    }
    trial->dictionary = or_die(ZSTD_createCDict(trial->octets.p, trial->octets.n, LEVEL));
    return 0;
}

/* `n` octets is this value with the dictionary that there is. */
static int
learn(struct store_db *db, struct kind *kind, struct span octets, size_t n, struct err *e)
{
    struct trial *trial = &kind->trial;
    struct buf *sample = &kind->samples[kind->seen % SAMPLES];

    sample->max = SAMPLE_MAX;
    if (buf_set(sample, octets, e) != 0) {
        return -1;
    }
    kind->seen++;
    if (trial->dictionary == NULL) {
        return kind->seen % EVERY == FIRST ? trial_begin(kind, e) : 0;
    }
    trial->was += n;
    trial->would += pack(db->packing, trial->dictionary, 0, octets);
    if (++trial->n == TRIALS) {
        if (trial->would * 5 < trial->was * 4 && insert(db, kind, e) != 0) {
            return -1;
        }
        trial_end(trial);
    }
    return 0;
}

int
packed_make(struct store_db *db, const char *name, struct span octets, struct buf *out,
            struct err *e)
{
    const bool must = octets.n > 0 && octets.p[0] == 0;
    const bool worth = octets.n >= WORTH;
    struct kind *kind;
    size_t n = octets.n;

    if (octets.n > PACKED_MAX) {
        return err_set(e, ERR_INPUT, "%s of %zu octets, allowed are %d", name, octets.n,
                       PACKED_MAX);
    }
    buf_free(out);
    *out = BUF_INIT(room());
    if (kind_get(db, name, &kind, e) != 0) {
        return -1;
    }
    if (must || (worth && kind->dictionary != NULL)) {
        n = pack(db->packing, kind->dictionary, kind->id, octets);
    }
    if (buf_set(out, must || n < octets.n ? span_of(db->packing->packed, n) : octets, e) != 0) {
        return -1;
    }
    return worth && octets.n <= SAMPLE_MAX ? learn(db, kind, octets, n, e) : 0;
}
