/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/audit/mirror/synthetic.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/audit/files.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { START = 1800000000, FILE_LIMIT = 1 << 20, BODY_MAX = 256, LEVELS = 3 };

void
synthetic_begin(struct synthetic *s)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(256);
    struct err e = {0};

    *s = (struct synthetic){.base = tmpdir_new()};
    s->dir = mem_printf("%s/ledger", s->base);
    s->path = mem_printf("%s/mirror.db", s->base);
    s->signer = EVP_EC_gen("P-256");
    assert_non_null(s->signer);
    assert_ok(OSSL_ENCODE(PUBKEY, s->signer, &spki, &e), &e);
    assert_ok(log_key_set(&s->key, "nfpki.test/synthetic", buf_span(&spki), &e), &e);
}

void
synthetic_end(struct synthetic *s)
{
    EVP_PKEY_free(s->signer);
    log_key_free(&s->key);
    mem_free(s->dir);
    mem_free(s->path);
    tmpdir_remove(s->base);
}

struct made {
    uint64_t fork;
    char text[BODY_MAX];
};

static struct span
body_of(void *arg, uint64_t index)
{
    struct made *made = arg;
    char at[TIME_TEXT_SIZE];
    int n;

    time_format(START + (time_t)(index / 10), at);
    n = snprintf(made->text, BODY_MAX,
                 "{\"file\":\"%" PRIu64
                 "%s\",\"kind\":\"CONFIG\",\"sha256\":\"00\",\"time\":\"%s\"}",
                 index, index >= made->fork ? "x" : "", at);
    return span_of(made->text, (size_t)n);
}

static void
put(const char *dir, const char *name, struct span octets)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    CLEANUP(mem_cleanup) char *folder = mem_strdup(path);
    CLEANUP(buf_free) struct buf same = BUF_INIT(FILE_LIMIT);
    struct err e = {0};
    FILE *f;

    *strrchr(folder, '/') = '\0';
    if (file_read(path, &same, &e) == 0 && span_equal(buf_span(&same), octets)) {
        return;
    }
    assert_ok(file_mkdirs(folder, 0755, &e), &e);
    f = fopen(path, "we"); /* nothing here must survive a power cut */
    assert_non_null(f);
    assert_int_equal(fwrite(octets.p, 1, octets.n, f), octets.n);
    assert_int_equal(fclose(f), 0);
}

static void
put_tile(const char *dir, int level, uint64_t index, size_t width, struct span octets)
{
    char name[AUDIT_NAME_MAX];
    CLEANUP(mem_cleanup) char *partial = NULL;

    audit_name(level, index, name);
    partial = mem_printf("%s.p/%zu", name, width);
    put(dir, width == AUDIT_WIDTH ? name : partial, octets);
}

struct tree {
    const char *dir;
    struct merkle_edge edge;
    struct buf tiles[LEVELS];
};

static int
node(void *arg, unsigned level, uint64_t index, const struct merkle_hash *hash, struct err *e)
{
    struct tree *t = arg;
    struct buf *tile;

    if (level % 8 != 0) {
        return 0;
    }
    tile = &t->tiles[level / 8];
    assert_ok(buf_append(tile, span_of(hash->octets, MERKLE_HASH), e), e);
    if (tile->n == AUDIT_TILE_SIZE) {
        put_tile(t->dir, (int)level / 8, index / AUDIT_WIDTH, AUDIT_WIDTH, buf_span(tile));
        buf_truncate(tile, 0);
    }
    return 0;
}

static void
put_checkpoint(struct synthetic *s, const char *dir, const struct merkle_edge *edge)
{
    struct checkpoint c = {.size = edge->size, .root = merkle_root(edge)};
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    CLEANUP(mem_cleanup) char *vkey = log_key_format(&s->key);
    uint8_t signature[80];
    size_t n = sizeof(signature);
    struct err e = {0};

    memcpy(c.origin, s->key.origin, sizeof(c.origin));
    assert_ok(checkpoint_text(&c, &text, &e), &e);
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, s->signer), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &n, text.p, text.n), 1);
    assert_ok(checkpoint_seal(&s->key, buf_span(&text), span_of(signature, n), &note, &e), &e);
    put(dir, "log.vkey", span_str(vkey));
    put(dir, "checkpoint", buf_span(&note));
}

void
synthetic_publish(struct synthetic *s, const char *dir, uint64_t size, uint64_t fork)
{
    struct made made = {.fork = fork};

    synthetic_put(s, dir, size, body_of, &made);
}

void
synthetic_put(struct synthetic *s, const char *dir, uint64_t size, synthetic_body *body, void *arg)
{
    struct tree t = {.dir = dir};
    CLEANUP(buf_free) struct buf bundle = BUF_INIT(FILE_LIMIT);
    struct err e = {0};

    for (unsigned level = 0; level < LEVELS; level++) {
        t.tiles[level] = BUF_INIT(AUDIT_TILE_SIZE);
    }
    for (uint64_t i = 0; i < size; i++) {
        const struct span octets = body(arg, i);
        const uint8_t length[2] = {(uint8_t)(octets.n >> 8), (uint8_t)octets.n};
        const struct merkle_hash hash = merkle_leaf(octets);

        assert_ok(buf_append(&bundle, span_of(length, 2), &e), &e);
        assert_ok(buf_append(&bundle, octets, &e), &e);
        assert_ok(node(&t, 0, i, &hash, &e), &e);
        assert_ok(merkle_append(&t.edge, &hash, node, &t, &e), &e);
        if ((i + 1) % AUDIT_WIDTH == 0 || i + 1 == size) {
            put_tile(dir, AUDIT_ENTRIES, i / AUDIT_WIDTH, i % AUDIT_WIDTH + 1, buf_span(&bundle));
            buf_truncate(&bundle, 0);
        }
    }
    for (unsigned level = 0; level < LEVELS; level++) {
        if (t.tiles[level].n > 0) {
            put_tile(dir, (int)level, (size >> 8 * level) / AUDIT_WIDTH,
                     t.tiles[level].n / MERKLE_HASH, buf_span(&t.tiles[level]));
        }
        buf_free(&t.tiles[level]);
    }
    put_checkpoint(s, dir, &t.edge);
}

void
synthetic_spoil(const char *dir, const char *name, long at)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, name);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(FILE_LIMIT);
    struct err e = {0};

    if (at == -2) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    assert_ok(file_read(path, &octets, &e), &e);
    if (at >= 0) {
        octets.p[at] ^= 1;
    } else {
        octets.n--;
    }
    assert_ok(file_write(path, buf_span(&octets), 0644, &e), &e);
}
