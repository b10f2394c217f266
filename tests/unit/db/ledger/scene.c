/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/ledger/scene.h"

#include <openssl/ec.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/issuance/issuance.h"
#include "db/ledger/tiles.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

struct store *
scene_store(const struct scene *f)
{
    const struct store_options options = {
        .path = f->database,
        .application = STORE_APPLICATION('t', 'e', 's', 't'),
        .schemas = {ledger_migrations, issuance_migrations},
        .finished = f->tasks,
    };
    struct err e = {0};
    struct store *store = store_open(&options, &e);

    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

struct ledger *
scene_ledger(const struct scene *f)
{
    const struct ledger_options options = {
        .dir = f->folder, .origin = SCENE_ORIGIN, .spki = buf_span(&f->spki)};
    struct err e = {0};
    struct ledger *ledger = ledger_new(&options, &e);

    if (ledger == NULL) {
        fail_msg("%s", e.text);
    }
    return ledger;
}

int
scene_set_up(void **state)
{
    struct scene *f = mem_zalloc(1, sizeof(*f));
    struct err e = {0};

    f->dir = tmpdir_new();
    f->database = mem_printf("%s/ca.db", f->dir);
    f->folder = mem_printf("%s/ledger", f->dir);
    f->private = EVP_EC_gen("P-256");
    f->spki = BUF_INIT(1024);
    f->tasks = tasks_new(&e);
    assert_ok(OSSL_ENCODE(PUBKEY, f->private, &f->spki, &e), &e);
    f->store = scene_store(f);
    f->ledger = scene_ledger(f);
    assert_ok(ledger_start(f->ledger, f->store, &e), &e);
    *state = f;
    return 0;
}

int
scene_tear_down(void **state)
{
    struct scene *f = *state;

    store_free(f->store);
    ledger_free(f->ledger);
    tasks_free(f->tasks);
    buf_free(&f->spki);
    EVP_PKEY_free(f->private);
    mem_free(f->database);
    mem_free(f->folder);
    tmpdir_remove(f->dir);
    mem_free(f);
    return 0;
}

time_t scene_leaf_at = 1795000000;

struct leaf *
scene_leaf(const char *reason)
{
    struct leaf *leaf = leaf_new(LEAF_STOP, scene_leaf_at);

    leaf_set_text(leaf, "reason", reason);
    return leaf;
}

int
scene_run_append(struct store_op *op, struct store_db *db, struct err *e)
{
    struct append_op *a = CONTAINER_OF(op, struct append_op, op);

    for (unsigned i = a->from; i < a->to; i++) {
        char reason[16];
        uint64_t index;
        CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;

        (void)snprintf(reason, sizeof(reason), "%u", i);
        leaf = scene_leaf(reason);
        if (ledger_append(db, leaf, &index, e) != 0) {
            return -1;
        }
        assert_int_equal(index, i);
    }
    return a->fail ? err_set(e, ERR_DENIED, "after all no") : 0;
}

void
scene_append(struct scene *f, unsigned from, unsigned to)
{
    struct append_op a = {.op = {.run = scene_run_append}, .from = from, .to = to};
    struct err e = {0};

    assert_ok(store_call(f->store, &a.op, &e), &e);
}

void
scene_sign(EVP_PKEY *key, struct span text, struct buf *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct err e = {0};
    uint8_t der[128];
    size_t n = sizeof(der);

    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, text.p, text.n), 1);
    assert_ok(buf_set(signature, span_of(der, n), &e), &e);
    EVP_MD_CTX_free(ctx);
}

/* The new leaves, on top of the right edge of what was there, give what is to be signed. */
static void
check_growth(const struct ledger_op *l)
{
    const unsigned edges = (unsigned)__builtin_popcountll(l->from);
    struct merkle_edge edge = {.size = l->from, .n = edges};
    struct checkpoint asked;
    struct merkle_hash root;
    struct err e = {0};

    assert_ok(checkpoint_parse(buf_span(&l->note), &asked, &e), &e);
    assert_int_equal(asked.size, l->size);
    assert_int_equal(l->hashes.n, (edges + l->size - l->from) * MERKLE_HASH);
    memcpy(edge.subtrees, l->hashes.p, (size_t)edges * MERKLE_HASH);
    for (uint64_t i = 0; i < l->size - l->from; i++) {
        struct merkle_hash leaf;

        memcpy(leaf.octets, l->hashes.p + (edges + i) * MERKLE_HASH, MERKLE_HASH);
        assert_ok(merkle_append(&edge, &leaf, NULL, NULL, &e), &e);
    }
    root = merkle_root(&edge);
    assert_true(merkle_equal(&root, &asked.root));
}

int
scene_checkpoint_with(struct scene *f, EVP_PKEY *key, uint64_t *size, struct err *e)
{
    struct ledger_op l = {0};
    CLEANUP(buf_free) struct buf signature = BUF_INIT(128);
    int result;

    ledger_prepare_op(&l, f->ledger);
    assert_ok(store_call(f->store, &l.op, e), e);
    *size = l.size;
    if (l.note.n == 0) {
        return 0;
    }
    check_growth(&l);
    scene_sign(key, buf_span(&l.note), &signature);
    ledger_publish_op(&l, f->ledger, buf_span(&signature));
    result = store_call(f->store, &l.op, e);
    ledger_op_free(&l);
    return result;
}

void
scene_checkpoint(struct scene *f, uint64_t size)
{
    struct err e = {0};
    uint64_t covered;

    assert_ok(scene_checkpoint_with(f, f->private, &covered, &e), &e);
    assert_int_equal(covered, size);
    assert_int_equal(ledger_published(f->ledger), size);
}

struct checkpoint
scene_published(const struct scene *f)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/checkpoint", f->folder);
    CLEANUP(mem_cleanup) char *key_path = mem_printf("%s/log.vkey", f->folder);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(log_key_free) struct log_key key = {0};
    struct checkpoint found;
    struct err e = {0};

    assert_ok(file_read(key_path, &text, &e), &e);
    assert_ok(log_key_parse(&key, buf_span(&text), &e), &e);
    assert_ok(file_read(path, &text, &e), &e);
    assert_ok(checkpoint_open(&key, buf_span(&text), &found, &e), &e);
    return found;
}

void
scene_check_files(const struct scene *f, uint64_t size)
{
    struct checkpoint found = scene_published(f);
    struct merkle_edge edge = {0};
    struct merkle_hash root;
    struct err e = {0};

    assert_int_equal(found.size, size);
    for (uint64_t index = 0; edge.size < size; index++) {
        uint64_t left = size - edge.size;
        CLEANUP(mem_cleanup)
        char *path = tile_path(f->folder, TILE_ENTRIES, index,
                               left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH);
        CLEANUP(buf_free) struct buf bundle = BUF_INIT(BUNDLE_FILE_MAX);

        assert_ok(file_read(path, &bundle, &e), &e);
        for (size_t p = 0; p < bundle.n;) {
            size_t n = (size_t)bundle.p[p] << 8 | bundle.p[p + 1];
            struct merkle_hash hash = merkle_leaf(span_of(bundle.p + p + 2, n));
            struct leaf *leaf = leaf_parse(span_of(bundle.p + p + 2, n), &e);

            assert_non_null(leaf);
            leaf_free(leaf);
            assert_ok(merkle_append(&edge, &hash, NULL, NULL, &e), &e);
            p += 2 + n;
        }
    }
    root = merkle_root(&edge);
    assert_true(merkle_equal(&root, &found.root));
}
