/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record with everything in it, and what becomes of it when somebody changes its files: each
 * octet flipped (a sample of FLIPS of them, all with FLIPS=all), leaves deleted, exchanged,
 * cut off, and, with the log's own key, a shorter history or another one. Each is found and named.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "db/audit/verify.h"
#include "db/audit/walk.h"
#include "db/ledger/messages.h"
#include "tests/support/history/history.h"
#include "tests/support/test.h"

enum { FLIPS = 5000, FILE_MAX = 1 << 20, LEAVES_MAX = 255 };

static struct history h;
static struct history_told told;
static struct log_key key;
static struct checkpoint whole; /* of the folder as it is */

static int
setup(void **state)
{
    struct err e = {0};

    (void)state;
    history_begin(&h, 1768204800); /* 2026-01-12T08:00:00Z */
    history_tell(&h, &told);
    assert_ok(log_key_set(&key, "nfpki.test/audit", buf_span(&h.l.spki), &e), &e);
    assert_true(told.size <= LEAVES_MAX);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    log_key_free(&key);
    history_end(&h);
    return 0;
}

static char *
path_of(const char *name)
{
    return mem_printf("%s/%s", h.l.dir, name);
}

static struct buf
content(const char *name)
{
    CLEANUP(mem_cleanup) char *path = path_of(name);
    struct buf b = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &b, &e), &e);
    return b;
}

static void
put(const char *name, struct span octets)
{
    CLEANUP(mem_cleanup) char *path = path_of(name);
    FILE *f = fopen(path, "wb");

    assert_non_null(f); /* in place, and not synced: thousands of times */
    assert_int_equal(fwrite(octets.p, 1, octets.n, f), octets.n);
    assert_int_equal(fclose(f), 0);
}

static int
pass(void *arg, uint64_t index, const char *file, struct span body, struct err *e)
{
    (void)arg;
    (void)index;
    (void)file;
    (void)body;
    (void)e;
    return 0;
}

/* All hashes, up to the signature; what must be true of leaves is not asked here. */
static int
hashes_verify(struct err *e)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(h.l.dir, &key, e);

    return log == NULL ? -1 : audit_walk(log, pass, NULL, e);
}

static void
must_be_named(const char *what, size_t at, const char *name, int result, const struct err *e)
{
    if (result == 0 || strstr(e->text, name) == NULL) {
        fail_msg("%s at %zu: %s, and not named %s", what, at, result == 0 ? "verified" : e->text,
                 name);
    }
}

/* ---- as it is ---- */

static void
the_record_verifies_and_has_every_kind(void **state)
{
    struct audit_figures figures;
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *issuers = audit_issuers_new();
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(h.l.dir, &key, &e);

    (void)state;
    assert_non_null(log);
    assert_ok(audit_issuers_add(issuers, "issuing", h.pki->issuing, &e), &e);
    assert_ok(audit_issuers_add_crl(issuers, "crl", buf_span(&h.crl), &e), &e);
    assert_ok(audit_verify(log, issuers, NULL, NULL, &figures, &e), &e);
    whole = *audit_checkpoint(log);
    assert_int_equal(whole.size, told.size);
    for (int kind = 0; kind < LEAF_KINDS; kind++) {
        if (h.kinds[kind] == 0 || figures.kinds[kind] != h.kinds[kind]) {
            fail_msg("%s: %" PRIu64 " told, %" PRIu64 " found",
                     leaf_kind_name((enum leaf_kind)kind), h.kinds[kind], figures.kinds[kind]);
        }
    }
    assert_int_equal(figures.signatures.verified, h.kinds[LEAF_ISSUED]);
    assert_int_equal(figures.signatures.crls, 1);
    assert_int_equal(figures.open, 1);
    assert_int_equal(figures.waiting, 1);
    assert_int_equal(figures.times.findings, 0);
    assert_int_equal(figures.times.taken, 1);
}

/* ---- octets ---- */

/* Of the files that a verifier reads. */
struct files {
    char entries[64];
    char tile[64];
};

static struct files
files_are(void)
{
    struct files f;

    (void)snprintf(f.entries, sizeof(f.entries), "tile/entries/000.p/%" PRIu64, told.size);
    (void)snprintf(f.tile, sizeof(f.tile), "tile/0/000.p/%" PRIu64, told.size);
    return f;
}

static void
flips(const char *name, const char *named, size_t step)
{
    CLEANUP(buf_free) struct buf b = content(name);

    for (size_t at = 0; at < b.n; at += step) {
        struct err e = {0};

        b.p[at] ^= (uint8_t)(1 << at % 8);
        put(name, buf_span(&b));
        must_be_named(name, at, named, hashes_verify(&e), &e);
        b.p[at] ^= (uint8_t)(1 << at % 8);
    }
    put(name, buf_span(&b));
}

static void
each_flipped_octet_is_found_and_named(void **state)
{
    const struct files f = files_are();
    const char *how_many = getenv("FLIPS");
    CLEANUP(buf_free) struct buf entries = content(f.entries);
    const bool all = how_many != NULL && strcmp(how_many, "all") == 0;

    (void)state;
    flips("log.vkey", "key", 1);
    flips("checkpoint", "", 1);
    flips(f.tile, f.tile, all ? 1 : 7);
    flips(f.entries, f.entries, all ? 1 : entries.n / (FLIPS - 1500) + 1);
}

/* ---- messages ---- */

/* All that its leaves name; `named` leaf is the one at which that ends. */
static int
messages_verify(struct span entries, const char *name, unsigned *named, unsigned *count,
                struct err *e)
{
    CLEANUP(buf_free) struct buf file = content(name);
    struct messages m = {.entries = entries, .file = buf_span(&file)};
    struct message message;
    bool more = true;

    for (*count = 0; messages_next(&m, &message, &more, e) == 0 && more;) {
        *count += message.octets.n > 0 ? 1 : 0;
    }
    *named = message.leaf;
    return more ? -1 : m.file.n == 0 ? 0 : err_set(e, ERR_CRYPTO, "too long");
}

static void
each_flipped_octet_of_a_message_is_found_and_named(void **state)
{
    const struct files f = files_are();
    CLEANUP(mem_cleanup) char *name = mem_printf("tile/messages/000.p/%" PRIu64, told.size);
    CLEANUP(buf_free) struct buf entries = content(f.entries);
    CLEANUP(buf_free) struct buf b = content(name);
    const char *how_many = getenv("FLIPS");
    const bool all = how_many != NULL && strcmp(how_many, "all") == 0;
    unsigned named;
    unsigned count;
    unsigned there;
    struct err e = {0};

    (void)state;
    assert_ok(messages_verify(buf_span(&entries), name, &named, &count, &e), &e);
    there = count;
    assert_true(there > 50);
    for (size_t at = 0; at < b.n; at += all ? 1 : 29) {
        CLEANUP(mem_cleanup) char *says = NULL;

        b.p[at] ^= (uint8_t)(1 << at % 8);
        put(name, buf_span(&b));
        must_be_named(name, at, "entry ",
                      messages_verify(buf_span(&entries), name, &named, &count, &e), &e);
        says = mem_printf("entry %u ", named);
        must_be_named(name, at, says, -1, &e);
        b.p[at] ^= (uint8_t)(1 << at % 8);
    }
    put(name, buf_span(&b));
}

/* ---- leaves ---- */

struct leaves {
    struct buf file;
    size_t ends[LEAVES_MAX + 1]; /* the first is 0 */
    size_t n;
};

static struct leaves
leaves_are(void)
{
    const struct files f = files_are();
    struct leaves l = {.file = content(f.entries)};

    for (size_t at = 0; at < l.file.n; l.n++) {
        at += 2 + ((size_t)l.file.p[at] << 8 | l.file.p[at + 1]);
        l.ends[l.n + 1] = at;
    }
    return l;
}

static struct span
leaf_of(const struct leaves *l, size_t i)
{
    return span_of(l->file.p + l->ends[i], l->ends[i + 1] - l->ends[i]);
}

/* The leaves in this order, those of NONE left out. */
enum { NONE = 1000 };
static struct buf
ordered(const struct leaves *l, const size_t *order, size_t n)
{
    struct buf b = BUF_INIT(FILE_MAX);
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        if (order[i] != NONE) {
            assert_ok(buf_append(&b, leaf_of(l, order[i]), &e), &e);
        }
    }
    return b;
}

static void
leaves_deleted_exchanged_and_cut_off_are_found_and_named(void **state)
{
    const struct files f = files_are();
    struct leaves l = leaves_are();

    (void)state;
    assert_int_equal(l.n, told.size);
    for (size_t i = 0; i < l.n; i++) {
        CLEANUP(mem_cleanup) char *leaf = mem_printf("leaf %zu ", i);
        CLEANUP(mem_cleanup) char *cut = mem_printf("leaf %zu: the file", l.n - 1);
        size_t order[LEAVES_MAX];
        struct err e = {0};

        for (size_t k = 0; k < l.n; k++) {
            order[k] = k == i ? NONE : k;
        }
        {
            CLEANUP(buf_free) struct buf b = ordered(&l, order, l.n);

            put(f.entries, buf_span(&b)); /* it has one too few */
            must_be_named("deleted", i, cut, hashes_verify(&e), &e);
        }
        put(f.entries, span_of(l.file.p, l.ends[i + 1] - 1));
        must_be_named("cut off", i, ": the file is cut", hashes_verify(&e), &e);
        if (i + 1 < l.n) {
            CLEANUP(buf_free) struct buf b = {0};

            order[i] = i + 1;
            order[i + 1] = i;
            b = ordered(&l, order, l.n);
            put(f.entries, buf_span(&b));
            must_be_named("exchanged", i, leaf, hashes_verify(&e), &e);
            assert_non_null(strstr(e.text, "was moved"));
        }
    }
    put(f.entries, buf_span(&l.file));
    buf_free(&l.file);
}

/* ---- with the log's key ---- */

/* The folder as the log would sign it with these leaves: the hashes are right. */
static void
sign_instead(const struct buf *entries)
{
    CLEANUP(buf_free) struct buf hashes = BUF_INIT(FILE_MAX);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf signature = {0};
    CLEANUP(mem_cleanup) char *entries_name = NULL;
    CLEANUP(mem_cleanup) char *tile_name = NULL;
    struct checkpoint c = {.origin = "nfpki.test/audit"};
    struct merkle_edge edge = {0};
    struct err e = {0};

    for (size_t at = 0; at < entries->n;) {
        const size_t n = (size_t)entries->p[at] << 8 | entries->p[at + 1];
        const struct merkle_hash hash = merkle_leaf(span_of(entries->p + at + 2, n));

        assert_ok(merkle_append(&edge, &hash, NULL, NULL, &e), &e);
        assert_ok(buf_append(&hashes, span_of(hash.octets, sizeof(hash.octets)), &e), &e);
        at += 2 + n;
    }
    c.size = edge.size;
    c.root = merkle_root(&edge);
    assert_ok(checkpoint_text(&c, &text, &e), &e);
    signature = pki_sign(h.l.key, buf_span(&text));
    assert_ok(checkpoint_seal(&key, buf_span(&text), buf_span(&signature), &note, &e), &e);
    entries_name = mem_printf("tile/entries/000.p/%" PRIu64, c.size);
    tile_name = mem_printf("tile/0/000.p/%" PRIu64, c.size);
    put(entries_name, buf_span(entries));
    put(tile_name, buf_span(&hashes));
    put("checkpoint", buf_span(&note));
}

static int
compare_with_before(struct err *e)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(h.l.dir, &key, e);

    return log == NULL ? -1 : audit_consistency(log, &whole, e);
}

/* Whoever remembers a checkpoint needs no leaf to see it. */
static void
another_history_under_the_same_key_is_a_fork_and_a_shorter_one_rolled_back(void **state)
{
    const struct files f = files_are();
    struct leaves l = leaves_are();
    CLEANUP(buf_free) struct buf checkpoint = content("checkpoint");
    CLEANUP(buf_free) struct buf tile = content(f.tile);

    (void)state;
    for (size_t i = 0; i + 1 < l.n; i += 9) {
        size_t order[LEAVES_MAX + 1];
        struct err e = {0};

        for (size_t k = 0; k < l.n; k++) {
            order[k] = k < i ? k : k + 1 < l.n ? k + 1 : i; /* i moved to the end */
        }
        {
            CLEANUP(buf_free) struct buf b = ordered(&l, order, l.n);

            sign_instead(&b);
            assert_ok(hashes_verify(&e), &e); /* in itself it is whole */
            must_be_named("moved", i, "fork", compare_with_before(&e), &e);
        }
        {
            CLEANUP(buf_free) struct buf b = ordered(&l, order, i); /* only those before */

            if (i == 0) {
                continue;
            }
            sign_instead(&b);
            must_be_named("shorter", i, "rolled back", compare_with_before(&e), &e);
        }
    }
    put(f.entries, buf_span(&l.file));
    put(f.tile, buf_span(&tile));
    put("checkpoint", buf_span(&checkpoint));
    buf_free(&l.file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_verifies_and_has_every_kind),
        cmocka_unit_test(each_flipped_octet_is_found_and_named),
        cmocka_unit_test(each_flipped_octet_of_a_message_is_found_and_named),
        cmocka_unit_test(leaves_deleted_exchanged_and_cut_off_are_found_and_named),
        cmocka_unit_test(
            another_history_under_the_same_key_is_a_fork_and_a_shorter_one_rolled_back),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
