/* SPDX-License-Identifier: Apache-2.0 */
/* What an attacker with the published folder, or with the log key, can do to it is noticed. */
#include "db/audit/verify.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/ledger.h"

enum { FILE_MAX = 1 << 20 };

static int
verify_with(const char *dir, const struct log_key *trusted, struct err *e)
{
    struct audit_figures figures;
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(dir, trusted, e);

    return log == NULL ? -1 : audit_verify(log, NULL, NULL, NULL, &figures, e);
}

static int
verify(const struct audit_ledger *l, struct err *e)
{
    return verify_with(l->dir, NULL, e);
}

static void
assert_named(const struct err *e, const char *name)
{
    if (strstr(e->text, name) == NULL) {
        fail_msg("\"%s\" does not name \"%s\"", e->text, name);
    }
}

static char *
path_of(const struct audit_ledger *l, const char *name)
{
    return mem_printf("%s/%s", l->dir, name);
}

static void
load(const struct audit_ledger *l, const char *name, struct buf *out)
{
    CLEANUP(mem_cleanup) char *path = path_of(l, name);
    struct err e = {0};

    assert_ok(file_read(path, out, &e), &e);
}

/* Writes in place: fast, for the flips. */
static void
save(const struct audit_ledger *l, const char *name, struct span bytes)
{
    CLEANUP(mem_cleanup) char *path = path_of(l, name);
    FILE *file;

    (void)unlink(path);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    assert_int_equal(fclose(file), 0);
}

static void
drop(const struct audit_ledger *l, const char *name)
{
    CLEANUP(mem_cleanup) char *path = path_of(l, name);

    assert_int_equal(unlink(path), 0);
}

/* Leaf `i` of a ledger whose content does not matter. */
static void
append_stops(struct audit_ledger *l, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct leaf *leaf = audit_ledger_leaf(l, LEAF_STOP);

        leaf_set_text(leaf, "reason", "x");
        (void)audit_ledger_append(l, leaf);
    }
}

typedef void visit(const struct audit_ledger *, const char *name);

static unsigned
for_each_file(const struct audit_ledger *l, const char *folder, visit *v)
{
    CLEANUP(mem_cleanup) char *path = path_of(l, folder);
    DIR *dir = opendir(path);
    const struct dirent *entry;
    unsigned n = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        CLEANUP(mem_cleanup) char *name = NULL;
        CLEANUP(mem_cleanup) char *full = NULL;
        struct stat st;

        if (entry->d_name[0] == '.') {
            continue;
        }
        name = folder[0] == '\0' ? mem_strdup(entry->d_name)
                                 : mem_printf("%s/%s", folder, entry->d_name);
        full = path_of(l, name);
        assert_int_equal(stat(full, &st), 0);
        if (S_ISDIR(st.st_mode)) {
            n += for_each_file(l, name, v);
        } else {
            v(l, name);
            n++;
        }
    }
    (void)closedir(dir);
    return n;
}

/* ---- tests ---- */

static void
sizes_around_the_width_of_tiles_verify(void **state)
{
    static const unsigned steps[] = {1, 4, 250, 1, 1, 254, 1, 1};
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        append_stops(&l, steps[i]);
        audit_ledger_publish(&l);
        assert_ok(verify(&l, &e), &e);
    }
}

static void
flip_every_octet(const struct audit_ledger *l, const char *name)
{
    CLEANUP(buf_free) struct buf was = BUF_INIT(FILE_MAX);
    CLEANUP(buf_free) struct buf now = BUF_INIT(FILE_MAX);
    struct err e = {0};

    load(l, name, &was);
    for (size_t i = 0; i < was.n; i++) {
        assert_ok(buf_set(&now, buf_span(&was), &e), &e);
        now.p[i] ^= (uint8_t)(1U << (i % 8));
        save(l, name, buf_span(&now));
        if (verify(l, &e) == 0) {
            fail_msg("%s: octet %zu of %zu flipped, and nobody notices", name, i, was.n);
        }
    }
    save(l, name, buf_span(&was));
}

static void
cut_and_lengthen(const struct audit_ledger *l, const char *name)
{
    CLEANUP(buf_free) struct buf was = BUF_INIT(FILE_MAX);
    CLEANUP(buf_free) struct buf now = BUF_INIT(FILE_MAX);
    struct err e = {0};

    load(l, name, &was);
    assert_ok(buf_set(&now, buf_span(&was), &e), &e);
    buf_truncate(&now, was.n - 1);
    save(l, name, buf_span(&now));
    if (verify(l, &e) == 0) {
        fail_msg("%s: cut by one octet, and nobody notices", name);
    }
    assert_ok(buf_set(&now, buf_span(&was), &e), &e);
    assert_ok(buf_append_str(&now, "\n", &e), &e);
    save(l, name, buf_span(&now));
    if (verify(l, &e) == 0) {
        fail_msg("%s: one octet more, and nobody notices", name);
    }
    save(l, name, buf_span(&was));
}

static void
every_flipped_octet_and_every_cut_of_a_small_ledger_is_noticed(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 3);
    audit_ledger_publish(&l);
    append_stops(&l, 4);
    audit_ledger_publish(&l);
    assert_ok(verify(&l, &e), &e);
    /* log.vkey, checkpoint, and for the sizes 3 and 7 one tile and one bundle each */
    assert_int_equal(for_each_file(&l, "", flip_every_octet), 6);
    assert_int_equal(for_each_file(&l, "", cut_and_lengthen), 6);
    assert_ok(verify(&l, &e), &e);
}

static void
remove_and_name(const struct audit_ledger *l, const char *name)
{
    CLEANUP(buf_free) struct buf was = BUF_INIT(FILE_MAX);
    struct err e = {0};

    load(l, name, &was);
    drop(l, name);
    assert_int_equal(verify(l, &e), -1);
    assert_named(&e, name);
    save(l, name, buf_span(&was));
}

static void
a_missing_file_is_named(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 260);
    audit_ledger_publish(&l);
    /* tile/0/000, tile/0/001.p/4, tile/1/000.p/1, both bundles, checkpoint, log.vkey */
    assert_int_equal(for_each_file(&l, "", remove_and_name), 7);
    assert_ok(verify(&l, &e), &e);
}

/* Offset of entry `i` in a bundle. */
static size_t
entry_at(const struct buf *bundle, unsigned i)
{
    size_t at = 0;

    for (; i > 0; i--) {
        at += 2 + ((size_t)bundle->p[at] << 8 | bundle->p[at + 1]);
    }
    return at;
}

static void
changed_moved_and_deleted_leaves_are_named(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    CLEANUP(buf_free) struct buf was = BUF_INIT(FILE_MAX);
    CLEANUP(buf_free) struct buf now = BUF_INIT(FILE_MAX);
    struct span second;
    struct span third;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 260);
    audit_ledger_publish(&l);
    load(&l, "tile/entries/001.p/4", &was);
    second = span_of(was.p + entry_at(&was, 1), entry_at(&was, 2) - entry_at(&was, 1));
    third = span_of(was.p + entry_at(&was, 2), entry_at(&was, 3) - entry_at(&was, 2));

    assert_ok(buf_set(&now, buf_span(&was), &e), &e);
    now.p[entry_at(&now, 2) - 5] ^= 1;
    save(&l, "tile/entries/001.p/4", buf_span(&now));
    assert_err(verify(&l, &e), ERR_CRYPTO, &e);
    assert_named(&e, "tile/entries/001.p/4: leaf 257 was changed");

    buf_truncate(&now, 0);
    assert_ok(buf_append(&now, span_of(was.p, entry_at(&was, 1)), &e), &e);
    assert_ok(buf_append(&now, third, &e), &e);
    assert_ok(buf_append(&now, second, &e), &e);
    assert_ok(buf_append(&now, span_of(was.p + entry_at(&was, 3), was.n - entry_at(&was, 3)), &e),
              &e);
    save(&l, "tile/entries/001.p/4", buf_span(&now));
    assert_err(verify(&l, &e), ERR_CRYPTO, &e);
    assert_named(&e, "tile/entries/001.p/4: leaf 257 was moved: what stands there is leaf 258");

    buf_truncate(&now, entry_at(&now, 3));
    save(&l, "tile/entries/001.p/4", buf_span(&now));
    assert_err(verify(&l, &e), ERR_INPUT, &e);
    assert_named(&e, "tile/entries/001.p/4: leaf 259: the file has 3 entries, not 4");
}

static void
a_changed_tile_is_named_also_when_the_entries_were_changed_with_it(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    CLEANUP(buf_free) struct buf bundle = BUF_INIT(FILE_MAX);
    CLEANUP(buf_free) struct buf tile = BUF_INIT(FILE_MAX);
    struct merkle_hash hash;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 260);
    audit_ledger_publish(&l);
    load(&l, "tile/entries/000", &bundle);
    load(&l, "tile/0/000", &tile);
    bundle.p[entry_at(&bundle, 1) - 5] ^= 1;
    hash = merkle_leaf(span_of(bundle.p + 2, entry_at(&bundle, 1) - 2));
    memcpy(tile.p, hash.octets, MERKLE_HASH);
    save(&l, "tile/entries/000", buf_span(&bundle));
    save(&l, "tile/0/000", buf_span(&tile));
    assert_err(verify(&l, &e), ERR_CRYPTO, &e);
    assert_named(&e, "tile/0/000 was changed: it is not the tile that tile/1/000.p/1 covers");
}

static void
entries_and_tiles_that_were_forged_together_do_not_give_the_root(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    CLEANUP(buf_free) struct buf bundle = BUF_INIT(FILE_MAX);
    CLEANUP(buf_free) struct buf tile = BUF_INIT(FILE_MAX);
    struct merkle_hash hash;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 4);
    audit_ledger_publish(&l);
    load(&l, "tile/entries/000.p/4", &bundle);
    load(&l, "tile/0/000.p/4", &tile);
    bundle.p[entry_at(&bundle, 1) - 5] ^= 1;
    hash = merkle_leaf(span_of(bundle.p + 2, entry_at(&bundle, 1) - 2));
    memcpy(tile.p, hash.octets, MERKLE_HASH);
    save(&l, "tile/entries/000.p/4", buf_span(&bundle));
    save(&l, "tile/0/000.p/4", buf_span(&tile));
    assert_err(verify(&l, &e), ERR_CRYPTO, &e);
    assert_named(&e, "tile/0/000.p/4 was changed, or another checkpoint was put here");
}

static void
files_of_a_wrong_length_are_named(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    CLEANUP(buf_free) struct buf was = BUF_INIT(FILE_MAX);
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 4);
    audit_ledger_publish(&l);
    load(&l, "tile/0/000.p/4", &was);
    assert_ok(buf_append_str(&was, "x", &e), &e);
    save(&l, "tile/0/000.p/4", buf_span(&was));
    assert_err(verify(&l, &e), ERR_INPUT, &e);
    assert_named(&e, "tile/0/000.p/4 has 129 octets, not 128");
    buf_truncate(&was, was.n - 1);
    save(&l, "tile/0/000.p/4", buf_span(&was));

    load(&l, "tile/entries/000.p/4", &was);
    buf_truncate(&was, was.n - 1);
    save(&l, "tile/entries/000.p/4", buf_span(&was));
    assert_err(verify(&l, &e), ERR_INPUT, &e);
    assert_named(&e, "tile/entries/000.p/4: leaf 3: the file is cut or has too much");
}

/* In the folder of partial files are those of older checkpoints, and temporary ones. */
static void
partial_files_are_the_beginning_of_their_tile_and_other_names_are_none(void **state)
{
    static const struct {
        const char *file;
        bool looked_at;
    } rows[] = {
        {"1", true},    {"2", true},     {"3", true},   {"7", true},     {"255", true},
        {"0", false},   {"01", false},   {"1a", false}, {"a1", false},   {"256", false},
        {"300", false}, {"1000", false}, {":", false},  {".new", false},
    };
    static const char *const folders[] = {"tile/0/000.p", "tile/entries/000.p"};
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 4);
    audit_ledger_publish(&l);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t k = 0; k < ARRAY_LEN(folders); k++) {
            CLEANUP(mem_cleanup) char *name = mem_printf("%s/%s", folders[k], rows[i].file);

            save(&l, name, SPAN_LITERAL("x"));
            if (!rows[i].looked_at) {
                assert_ok(verify(&l, &e), &e);
            } else {
                assert_err(verify(&l, &e), ERR_CRYPTO, &e);
                assert_named(&e, name);
                assert_named(&e, "it is not the beginning of its tile");
            }
            drop(&l, name);
        }
    }
    assert_ok(verify(&l, &e), &e);
}

static void
a_ledger_of_another_key_or_origin_is_refused(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    CLEANUP(audit_ledger_end) struct audit_ledger other;
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(log_key_free) struct log_key origin = {0};
    CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX);
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 2);
    audit_ledger_publish(&l);
    audit_ledger_begin(&other);
    append_stops(&other, 2);
    audit_ledger_publish(&other);
    load(&other, "log.vkey", &text);
    assert_ok(log_key_parse(&key, buf_span(&text), &e), &e);
    assert_err(verify_with(l.dir, &key, &e), ERR_CRYPTO, &e);
    assert_named(&e, "log.vkey is not the trusted key");
    save(&l, "log.vkey", buf_span(&text));
    assert_err(verify_with(l.dir, &key, &e), ERR_CRYPTO, &e);
    assert_named(&e, "checkpoint");
    assert_ok(log_key_set(&origin, "nfpki.test/another", buf_span(&l.spki), &e), &e);
    assert_int_equal(verify_with(l.dir, &origin, &e), -1);
}

static struct audit_log *
open_it(const struct audit_ledger *l)
{
    struct err e = {0};
    struct audit_log *log = audit_open(l->dir, NULL, &e);

    if (log == NULL) {
        fail_msg("%s", e.text);
    }
    return log;
}

static void
growth_is_consistent_with_what_was_remembered(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    CLEANUP(mem_cleanup) char *path = NULL;
    struct checkpoint earlier;
    bool known = true;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    path = mem_printf("%s/state", l.base);
    for (unsigned round = 0; round < 4; round++) {
        CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;

        append_stops(&l, 100);
        audit_ledger_publish(&l);
        log = open_it(&l);
        assert_ok(audit_state_load(path, audit_key(log), &known, &earlier, &e), &e);
        assert_int_equal(known, round > 0);
        assert_int_equal(earlier.size, round * 100);
        assert_ok(audit_consistency(log, &earlier, &e), &e);
        assert_ok(audit_consistency(log, audit_checkpoint(log), &e), &e);
        assert_ok(audit_state_save(path, audit_note(log), &e), &e);
    }
}

static void
a_fork_is_named_at_every_earlier_size(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 300);
    audit_ledger_publish(&l);
    log = open_it(&l);
    for (uint64_t size = 1; size <= 300; size++) {
        struct checkpoint earlier = {.size = size, .root = audit_checkpoint(log)->root};

        earlier.root.octets[size % MERKLE_HASH] ^= 1;
        assert_err(audit_consistency(log, &earlier, &e), ERR_CONFLICT, &e);
        assert_named(&e, "fork: the first ");
    }
}

static void
a_roll_back_is_named_although_the_old_files_verify(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(buf_free) struct buf note = BUF_INIT(FILE_MAX);
    struct checkpoint newest;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 3);
    audit_ledger_publish(&l);
    load(&l, "checkpoint", &note);
    append_stops(&l, 600);
    audit_ledger_publish(&l);
    log = open_it(&l);
    newest = *audit_checkpoint(log);
    audit_close(TAKE(log));
    save(&l, "checkpoint", buf_span(&note));
    assert_ok(verify(&l, &e), &e);
    log = open_it(&l);
    assert_err(audit_consistency(log, &newest, &e), ERR_CONFLICT, &e);
    assert_named(&e, "rolled back: it covers 3 leaves, the remembered one 603");
}

static void
a_remembered_state_that_was_changed_is_refused(void **state)
{
    CLEANUP(audit_ledger_end) struct audit_ledger l;
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(mem_cleanup) char *path = NULL;
    struct checkpoint earlier;
    bool known;
    struct err e = {0};

    (void)state;
    audit_ledger_begin(&l);
    append_stops(&l, 3);
    audit_ledger_publish(&l);
    log = audit_open(l.dir, NULL, &e);
    assert_non_null(log);
    path = mem_printf("%s/checkpoint", l.dir);
    assert_ok(audit_state_load(path, audit_key(log), &known, &earlier, &e), &e);
    flip_every_octet(&l, "checkpoint");
    save(&l, "checkpoint", SPAN_LITERAL("3\n"));
    assert_int_equal(audit_state_load(path, audit_key(log), &known, &earlier, &e), -1);
    assert_named(&e, "checkpoint is not a remembered checkpoint of this log");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_around_the_width_of_tiles_verify),
        cmocka_unit_test(every_flipped_octet_and_every_cut_of_a_small_ledger_is_noticed),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(changed_moved_and_deleted_leaves_are_named),
        cmocka_unit_test(a_changed_tile_is_named_also_when_the_entries_were_changed_with_it),
        cmocka_unit_test(entries_and_tiles_that_were_forged_together_do_not_give_the_root),
        cmocka_unit_test(files_of_a_wrong_length_are_named),
        cmocka_unit_test(partial_files_are_the_beginning_of_their_tile_and_other_names_are_none),
        cmocka_unit_test(a_ledger_of_another_key_or_origin_is_refused),
        cmocka_unit_test(growth_is_consistent_with_what_was_remembered),
        cmocka_unit_test(a_fork_is_named_at_every_earlier_size),
        cmocka_unit_test(a_roll_back_is_named_although_the_old_files_verify),
        cmocka_unit_test(a_remembered_state_that_was_changed_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
