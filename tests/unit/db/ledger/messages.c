/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves name is published beside them, found by its hash, and stays published. */
#include "db/ledger/messages.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "db/ledger/tiles.h"
#include "tests/support/test.h"
#include "tests/unit/db/ledger/scene.h"

enum { EVERY = 3 /* a leaf names a message */ };

static unsigned lost_below; /* the database does not have these any more */

static void
message_make(unsigned i, char out[32])
{
    (void)snprintf(out, 32, "what %u was asked with", i);
}

static int
find(struct store_db *db, const struct message *named, struct buf *out, struct err *e)
{
    (void)db;
    assert_int_equal(named->kind, LEAF_REFUSAL);
    for (unsigned i = lost_below; i < 1024; i++) {
        uint8_t hash[SHA256_SIZE];
        char text[32];

        message_make(i, text);
        assert_ok(sha256(span_str(text), hash, e), e);
        if (memcmp(hash, named->sha256, sizeof(hash)) == 0) {
            return buf_set(out, span_str(text), e);
        }
    }
    return 0;
}

static int
run_append(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct append_op *a = CONTAINER_OF(op, struct append_op, op);

    for (unsigned i = a->from; i < a->to; i++) {
        CLEANUP(leaf_cleanup)
        struct leaf *leaf = leaf_new(i % EVERY == 0 ? LEAF_REFUSAL : LEAF_STOP, scene_leaf_at);
        uint8_t hash[SHA256_SIZE];
        char text[32];

        leaf_set_text(leaf, "reason", "so");
        if (i % EVERY == 0) {
            message_make(i, text);
            assert_ok(sha256(span_str(text), hash, e), e);
            leaf_set_hex(leaf, "rid", span_of(hash, sizeof(hash)));
            leaf_set_int(leaf, "failInfo", 2);
        }
        if (ledger_append(db, leaf, NULL, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static void
grow(struct scene *f, unsigned from, unsigned to)
{
    struct append_op a = {.op = {.run = run_append}, .from = from, .to = to};
    struct err e = {0};

    assert_ok(store_call(f->store, &a.op, &e), &e);
    scene_checkpoint(f, to);
}

static int
set_up(void **state)
{
    struct ledger_options options = {.origin = SCENE_ORIGIN, .message = find};
    struct scene *f;
    struct err e = {0};

    assert_int_equal(scene_set_up(state), 0);
    f = *state;
    lost_below = 0;
    options.dir = f->folder;
    options.spki = buf_span(&f->spki);
    ledger_free(f->ledger);
    f->ledger = ledger_new(&options, &e);
    assert_non_null(f->ledger);
    assert_ok(ledger_start(f->ledger, f->store, &e), &e);
    return 0;
}

static void
load(const struct scene *f, int level, uint64_t index, unsigned width, struct buf *out)
{
    CLEANUP(mem_cleanup) char *path = tile_path(f->folder, level, index, width);
    struct err e = {0};

    *out = BUF_INIT(MESSAGES_FILE_MAX);
    assert_ok(file_read(path, out, &e), &e);
}

/* How many of the messages in these files are there. */
static unsigned
there(const struct scene *f, uint64_t index, unsigned width)
{
    CLEANUP(buf_free) struct buf entries;
    CLEANUP(buf_free) struct buf file;
    struct messages m = {0};
    struct message message;
    struct err e = {0};
    unsigned n = 0;
    unsigned named = 0;
    bool more;

    load(f, TILE_ENTRIES, index, width, &entries);
    load(f, TILE_MESSAGES, index, width, &file);
    m.entries = buf_span(&entries);
    m.file = buf_span(&file);
    for (;;) {
        char text[32];

        assert_ok(messages_next(&m, &message, &more, &e), &e);
        if (!more) {
            break;
        }
        named++;
        assert_int_equal((index * TILE_WIDTH + message.leaf) % EVERY, 0);
        message_make((unsigned)index * TILE_WIDTH + message.leaf, text);
        if (message.octets.n > 0) {
            assert_true(span_equal(message.octets, span_str(text)));
            n++;
        }
    }
    assert_int_equal(m.file.n, 0);
    assert_in_range(named, width / EVERY, width / EVERY + 1);
    return n;
}

static void
messages_are_beside_their_leaves(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *partials = tile_partials(f->folder, TILE_MESSAGES, 0);

    grow(f, 0, 10);
    assert_int_equal(there(f, 0, 10), 4);
    grow(f, 10, 300);
    assert_int_equal(there(f, 0, TILE_WIDTH), 86);
    assert_int_equal(there(f, 1, 44), 14);
    assert_int_equal(access(partials, F_OK), -1);
    grow(f, 300, 512);
    assert_int_equal(there(f, 1, TILE_WIDTH), 85);
}

static bool
is_there(const struct scene *f, int level, unsigned width)
{
    CLEANUP(mem_cleanup) char *path = tile_path(f->folder, level, 0, width);

    return access(path, F_OK) == 0;
}

/* Each has all that those before it have: as many of them as leaves would be the square of that. */
static void
the_newest_partial_files_stay(void **state)
{
    enum { SIZE = 20, OLDEST = SIZE - TILE_MESSAGES_KEPT + 1 };
    struct scene *f = *state;

    for (unsigned i = 0; i < SIZE; i++) {
        grow(f, i, i + 1);
    }
    for (unsigned width = 1; width <= SIZE; width++) {
        assert_true(is_there(f, TILE_ENTRIES, width));
        assert_int_equal(is_there(f, TILE_MESSAGES, width), width >= OLDEST);
    }
    assert_int_equal(there(f, 0, OLDEST), 5);
    assert_int_equal(there(f, 0, SIZE), 7);
    lost_below = 1024;
    grow(f, SIZE, SIZE + 9);
    assert_int_equal(there(f, 0, SIZE + 9), 7);
}

/* A restored database has leaves without what they name. */
static void
what_was_published_stays(void **state)
{
    struct scene *f = *state;

    grow(f, 0, 100);
    lost_below = 100;
    grow(f, 100, 200);
    assert_int_equal(there(f, 0, 200), 67);
    lost_below = 1024;
    grow(f, 200, 300);
    assert_int_equal(there(f, 0, TILE_WIDTH), 67);
    assert_int_equal(there(f, 1, 44), 0);
}

/* Whoever edits a file of the folder: the CA publishes no message that its leaf does not name. */
static void
an_edited_file_is_not_gone_on_with(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *path = tile_path(f->folder, TILE_MESSAGES, 0, 100);
    CLEANUP(buf_free) struct buf file;
    struct err e = {0};

    grow(f, 0, 100);
    load(f, TILE_MESSAGES, 0, 100, &file);
    file.p[4] ^= 1;
    assert_ok(file_write(path, buf_span(&file), 0644, &e), &e);
    grow(f, 100, 200);
    assert_int_equal(there(f, 0, 200), 67);
}

/* Nor does it take away the others of that file, which a restored database does not have. */
static void
what_is_beside_an_edited_one_stays(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *path = tile_path(f->folder, TILE_MESSAGES, 0, 100);
    CLEANUP(buf_free) struct buf file;
    struct err e = {0};

    grow(f, 0, 100);
    load(f, TILE_MESSAGES, 0, 100, &file);
    file.p[4] ^= 1;
    assert_ok(file_write(path, span_of(file.p, file.n - 1), 0644, &e), &e);
    lost_below = 100;
    grow(f, 100, 200);
    assert_int_equal(there(f, 0, 200), 67 - 2); /* the edited one, and the last one, which is cut */
}

struct mend_op {
    struct store_op op;
    struct ledger *ledger;
    size_t put;
};

static int
run_mend(struct store_op *op, struct store_db *db, struct err *e)
{
    struct mend_op *m = CONTAINER_OF(op, struct mend_op, op);

    return ledger_mend(m->ledger, db, 0, UINT64_MAX, &m->put, e);
}

/* As of a folder of before version 7. */
static void
a_file_that_is_missing_is_made_again(void **state)
{
    struct scene *f = *state;
    CLEANUP(mem_cleanup) char *path = tile_path(f->folder, TILE_MESSAGES, 0, TILE_WIDTH);
    struct mend_op mend = {.op = {.run = run_mend}, .ledger = f->ledger};
    struct err e = {0};

    grow(f, 0, 300);
    assert_ok(store_call(f->store, &mend.op, &e), &e);
    assert_int_equal(mend.put, 0);
    assert_int_equal(unlink(path), 0);
    assert_ok(store_call(f->store, &mend.op, &e), &e);
    assert_int_equal(mend.put, 1);
    assert_int_equal(there(f, 0, TILE_WIDTH), 86);
}

/* ---- one file ---- */

static void
what_is_another_or_cut_is_named(void **state)
{
    static const struct {
        size_t at; /* octets from here on are others */
        size_t cut;
        const char *says;
    } wrong[] = {
        {4, 0, "the message that entry 0 names is another one"},
        {0, 0, "the message that entry 0 names is cut"},
        {SIZE_MAX, 1, "the message that entry 3 names is cut"},
        {SIZE_MAX, 24, "the message that entry 3 names is cut"},
    };
    struct scene *f = *state;
    CLEANUP(buf_free) struct buf entries;
    struct err e = {0};

    grow(f, 0, 4);
    load(f, TILE_ENTRIES, 0, 4, &entries);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        CLEANUP(buf_free) struct buf file;
        struct messages m = {.entries = buf_span(&entries)};
        struct message message;
        bool more = true;
        int got = 0;

        load(f, TILE_MESSAGES, 0, 4, &file);
        if (wrong[i].at < file.n) {
            file.p[wrong[i].at] ^= 0x40;
        }
        m.file = span_of(file.p, file.n - wrong[i].cut);
        while (got == 0 && more) {
            got = messages_next(&m, &message, &more, &e);
        }
        assert_int_equal(got, -1);
        assert_int_equal(e.code, ERR_CRYPTO);
        assert_string_equal(e.text, wrong[i].says);
        assert_int_equal(message.octets.n, 0);
    }
    for (size_t cut = 1; cut < 4; cut++) {
        struct messages m = {.entries = span_of(entries.p, cut)};
        struct message message;
        bool more;

        assert_err(messages_next(&m, &message, &more, &e), ERR_INPUT, &e);
        assert_string_equal(e.text, "entry 0 is cut");
    }
}

static void
no_message_is_too_long(void **state)
{
    CLEANUP(buf_free) struct buf file = BUF_INIT(MESSAGES_FILE_MAX);
    uint8_t *octets = mem_zalloc(1, MESSAGE_MAX + 1);
    struct err e = {0};

    (void)state;
    assert_ok(messages_put(&file, span_of(octets, MESSAGE_MAX), &e), &e);
    assert_err(messages_put(&file, span_of(octets, MESSAGE_MAX + 1), &e), ERR_INPUT, &e);
    mem_free(octets);
}

static void
which_leaves_name_one(void **state)
{
#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    static const struct {
        const char *leaf;
        bool names;
        enum leaf_kind kind;
    } leaves[] = {
        {"{\"kind\":\"REQUEST\",\"rid\":\"" HASH "\"}", true, LEAF_REQUEST},
        {"{\"kind\":\"INTENT\",\"rid\":\"" HASH "\"}", true, LEAF_INTENT},
        {"{\"kind\":\"INTENT\",\"registration\":\"00\",\"rid\":\"" HASH "\"}", false, LEAF_INTENT},
        {"{\"again\":\"" HASH "\",\"kind\":\"AGAIN\",\"rid\":\"00\"}", true, LEAF_AGAIN},
        {"{\"kind\":\"REFUSAL\",\"rid\":\"" HASH "\"}", true, LEAF_REFUSAL},
        {"{\"certConf\":\"" HASH "\",\"kind\":\"CONFIRMED\"}", true, LEAF_CONFIRMED},
        {"{\"kind\":\"CONFIRMED\",\"rid\":\"" HASH "\"}", false, LEAF_CONFIRMED},
        {"{\"certConf\":\"" HASH "\",\"kind\":\"REJECTED\"}", true, LEAF_REJECTED},
        {"{\"kind\":\"REJECTED\",\"rid\":\"" HASH "\"}", false, LEAF_REJECTED},
        {"{\"kind\":\"REVOKED\",\"rr\":\"" HASH "\"}", true, LEAF_REVOKED},
        {"{\"kind\":\"REVOKED\",\"serial\":\"" HASH "\"}", false, LEAF_REVOKED},
        {"{\"kind\":\"ISSUED\",\"rid\":\"" HASH "\"}", false, LEAF_ISSUED},
        {"{\"kind\":\"REQUEST\",\"rid\":\"0001\"}", false, LEAF_REQUEST},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
        struct message m;

        assert_int_equal(message_named(span_str(leaves[i].leaf), &m), leaves[i].names);
        if (leaves[i].names) {
            assert_int_equal(m.kind, leaves[i].kind);
            assert_int_equal(m.sha256[31], 31);
        }
    }
#undef HASH
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_are_beside_their_leaves, set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(the_newest_partial_files_stay, set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(what_was_published_stays, set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(what_is_beside_an_edited_one_stays, set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(an_edited_file_is_not_gone_on_with, set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_missing_is_made_again, set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(what_is_another_or_cut_is_named, set_up, scene_tear_down),
        cmocka_unit_test(no_message_is_too_long),
        cmocka_unit_test(which_leaves_name_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
