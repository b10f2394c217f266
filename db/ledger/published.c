/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/published.h"

#include <inttypes.h>

#include "base/file.h"
#include "db/ledger/rows.h"
#include "db/ledger/tiles.h"

enum { LENGTH = 2 /* octets in front of each leaf */ };

struct published {
    char *dir;
    struct checkpoint checkpoint;
    struct buf note;
    struct merkle_edge edge; /* of what was read */
    struct buf bundle;       /* the file of entries that is being read, */
    size_t at;               /* up to here */
};

static void
destroy(struct published *p)
{
    mem_free(p->dir);
    buf_free(&p->note);
    buf_free(&p->bundle);
    mem_free(p);
}

DEFINE_CLEANUP(destroy_cleanup, struct published, destroy)

void
published_free(struct published *p)
{
    if (p != NULL) {
        destroy(p);
    }
}

struct published *
published_open(const char *dir, const struct log_key *key, struct err *e)
{
    CLEANUP(destroy_cleanup) struct published *p = mem_new(sizeof(*p));
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", dir);

    p->dir = mem_strdup(dir);
    p->note = BUF_INIT(NOTE_MAX);
    p->bundle = BUF_INIT(BUNDLE_FILE_MAX);
    if (file_read(path, &p->note, e) != 0) {
        return NULL;
    }
    if (checkpoint_open(key, buf_span(&p->note), &p->checkpoint, e) != 0) {
        (void)err_wrap(e, "%s", path);
        return NULL;
    }
    return TAKE(p);
}

const struct checkpoint *
published_checkpoint(const struct published *p)
{
    return &p->checkpoint;
}

/* The full file, or a partial one: of a width that is at least what the checkpoint covers. */
static int
read_bundle(struct published *p, struct err *e)
{
    const uint64_t index = p->edge.size / TILE_WIDTH;
    const uint64_t left = p->checkpoint.size - index * TILE_WIDTH;
    const unsigned width = left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
    CLEANUP(mem_cleanup) char *full = tile_path(p->dir, TILE_ENTRIES, index, TILE_WIDTH);
    CLEANUP(mem_cleanup) char *partial = tile_path(p->dir, TILE_ENTRIES, index, width);

    p->at = 0;
    return file_read(full, &p->bundle, e) == 0 ||
                   (e->code == ERR_NOTFOUND && file_read(partial, &p->bundle, e) == 0)
               ? 0
               : -1;
}

/* Its length, and it. */
static int
take(struct published *p, struct span *body, struct err *e)
{
    const size_t rest = p->bundle.n - p->at;
    const uint8_t *octets = p->bundle.p + p->at;
    const size_t n = rest < LENGTH ? 0 : (size_t)octets[0] << 8 | octets[1];

    if (n == 0 || rest - LENGTH < n) {
        return err_set(e, ERR_CRYPTO, "the published leaf %" PRIu64 " is cut", p->edge.size);
    }
    *body = span_of(octets + LENGTH, n);
    p->at += LENGTH + n;
    return 0;
}

int
published_next(struct published *p, struct span *body, bool *more, struct err *e)
{
    struct merkle_hash hash;

    *more = p->edge.size < p->checkpoint.size;
    if (!*more) {
        return 0;
    }
    if ((p->edge.size % TILE_WIDTH == 0 && read_bundle(p, e) != 0) || take(p, body, e) != 0) {
        return err_wrap(e, "%s", p->dir);
    }
    hash = merkle_leaf(*body);
    return merkle_append(&p->edge, &hash, NULL, NULL, e);
}

uint64_t
published_size(const struct published *p)
{
    return p->edge.size;
}

struct merkle_hash
published_root(const struct published *p)
{
    return merkle_root(&p->edge);
}

int
published_end(const struct published *p, struct err *e)
{
    const struct merkle_hash root = published_root(p);

    return p->edge.size == p->checkpoint.size && merkle_equal(&root, &p->checkpoint.root)
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "%s: the leaves are not those of its checkpoint: put back another copy of "
                         "the folder",
                         p->dir);
}

int
published_store(const struct published *p, struct store_db *db, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = mem_printf("%.*s", (int)p->note.n, (const char *)p->note.p);
    struct merkle_hash root;

    if (ledger_root_at(db, p->checkpoint.size, &root, e) != 0) {
        return -1;
    }
    if (!merkle_equal(&root, &p->checkpoint.root)) {
        return err_set(e, ERR_CONFLICT, "ca.db has other leaves than %s", p->dir);
    }
    return store_exec(db,
                      "INSERT INTO checkpoint(size, root, note) SELECT ?1, ?2, ?3 WHERE ?1 > "
                      "(SELECT coalesce(max(size), 0) FROM checkpoint)",
                      STORE_VALUES(store_int((int64_t)p->checkpoint.size),
                                   store_blob(span_of(root.octets, MERKLE_HASH)), store_text(text)),
                      e);
}

/* The only place where rows of the record go: of another log. */
int
published_succeed(struct store_db *db, struct err *e)
{
    return store_exec(db, "DROP TRIGGER checkpoint_remains", STORE_NO_VALUES, e) != 0 ||
                   store_exec(db, "DELETE FROM checkpoint", STORE_NO_VALUES, e) != 0
               ? -1
               : store_exec(db,
                            "CREATE TRIGGER checkpoint_remains BEFORE DELETE ON checkpoint\n"
                            "BEGIN SELECT RAISE(ABORT, 'the record is never deleted'); END",
                            STORE_NO_VALUES, e);
}
