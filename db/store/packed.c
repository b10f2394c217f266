/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/packed.h"

#include <assert.h>
#include <string.h>
#include <zstd.h>

#include "db/store/connection.h"
#include "db/store/packing.h"

enum {
    WORTH = 192, /* what is shorter stays as it is */
    EVERY = 256, /* so many values a dictionary is tried, */
    FIRST = 16,  /* from here on, */
    TRIALS = 8   /* on so many */
};

static void
number_put(uint8_t *packed, int64_t id)
{
    packed[0] = 0;
    packed[1] = (uint8_t)(id >> 16);
    packed[2] = (uint8_t)(id >> 8);
    packed[3] = (uint8_t)id;
}

/* Into p->packed; what is not shorter stays as it is. */
static size_t
pack(struct packing *p, const ZSTD_CDict *dictionary, int64_t id, struct span octets)
{
    size_t n = dictionary == NULL ? ZSTD_compressCCtx(p->packer, p->packed, packing_room(),
                                                      octets.p, octets.n, PACKING_OCTETS)
                                  : ZSTD_compress_usingCDict(p->packer, p->packed, packing_room(),
                                                             octets.p, octets.n, dictionary);

    assert(!ZSTD_isError(n));
    number_put(p->packed, id);
    return n < octets.n || octets.p[0] == 0 ? n : octets.n;
}

static int
kind_load(struct store_db *db, struct packing_kind *kind, struct err *e)
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
        if (!packing_can_use(octets)) {
            return err_set(e, ERR_STALE, "dictionary %lld is none that was made here",
                           (long long)kind->id);
        }
        kind->dictionary = packing_dictionary_new(octets);
    }
    return 0;
}

static int
kind_get(struct store_db *db, const char *name, struct packing_kind **out, struct err *e)
{
    struct packing_kind *kind = db->packing->kinds;

    while (kind->name != NULL && strcmp(kind->name, name) != 0) {
        kind++;
        assert(kind < db->packing->kinds + PACKING_KINDS);
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
insert(struct store_db *db, struct packing_kind *kind, struct err *e)
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
trial_begin(struct packing_kind *kind, struct err *e)
{
    struct packing_trial *trial = &kind->trial;

    trial->octets = BUF_INIT((size_t)PACKING_SAMPLES * PACKING_SAMPLE_MAX);
    for (unsigned i = 0; i < PACKING_SAMPLES; i++) { /* the newest last, where it is the nearest */
        if (buf_append(&trial->octets, buf_span(&kind->samples[(kind->seen + i) % PACKING_SAMPLES]),
                       e) != 0) {
            return -1;
        }
    }
    if (!packing_can_use(buf_span(&trial->octets))) {
        packing_trial_end(trial);
        return 0;
    }
    trial->dictionary = packing_dictionary_new(buf_span(&trial->octets));
    return 0;
}

/* `n` octets is this value with the dictionary that there is. */
static int
learn(struct store_db *db, struct packing_kind *kind, struct span octets, size_t n, struct err *e)
{
    struct packing_trial *trial = &kind->trial;
    struct buf *sample = &kind->samples[kind->seen % PACKING_SAMPLES];

    sample->max = PACKING_SAMPLE_MAX;
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
        packing_trial_end(trial);
    }
    return 0;
}

int
packed_make(struct store_db *db, const char *kind, struct span octets, struct buf *out,
            struct err *e)
{
    const bool must = octets.n > 0 && octets.p[0] == 0;
    const bool worth = octets.n >= WORTH;
    struct packing_kind *its;
    size_t n = octets.n;

    if (octets.n > PACKED_MAX) {
        return err_set(e, ERR_INPUT, "%s of %zu octets, allowed are %d", kind, octets.n,
                       PACKED_MAX);
    }
    buf_free(out);
    *out = BUF_INIT(packing_room());
    if (kind_get(db, kind, &its, e) != 0) {
        return -1;
    }
    if (must || (worth && its->dictionary != NULL)) {
        n = pack(db->packing, its->dictionary, its->id, octets);
    }
    if (buf_set(out, must || n < octets.n ? span_of(db->packing->packed, n) : octets, e) != 0) {
        return -1;
    }
    return worth && octets.n <= PACKING_SAMPLE_MAX ? learn(db, its, octets, n, e) : 0;
}
