/* SPDX-License-Identifier: Apache-2.0 */
/* With a key and without, before rows are sealed and after. */
#include <string.h>

#include "tests/support/test.h"
#include "tests/unit/db/sealed/scene.h"

static void
each_state_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(sealed_state_name(SEALED_CLOSED), "not open");
    assert_string_equal(sealed_state_name(SEALED_NO_KEY), "no key");
    assert_string_equal(sealed_state_name(SEALED_NOT_YET), "not yet");
    assert_string_equal(sealed_state_name(SEALED_ON), "sealed");
}

static void
without_a_key_nothing_is_sealed(void **state)
{
    struct scene s = scene_new();
    enum sealed_state opened;
    struct err e = {0};
    bool found;
    size_t seen;

    (void)state;
    s.no_key = true;
    assert_ok(scene_open(&s, &opened, &e), &e);
    assert_int_equal(opened, SEALED_NO_KEY);
    assert_ok(scene_change(&s, &scene_thing, store_text("a"),
                           "INSERT INTO thing VALUES(?1, 'A', ?2, NULL, NULL, NULL)", 1, &e),
              &e);
    assert_ok(scene_row(&s, &scene_thing, store_text("a"), &found, &e), &e);
    assert_true(found);
    assert_ok(scene_row(&s, &scene_thing, store_text("b"), &found, &e), &e);
    assert_false(found);
    assert_ok(scene_owner(&s, SCENE_OWNERS, store_text("A"), &e), &e);
    assert_ok(scene_scrub(&s, 10, &seen, &e), &e);
    assert_int_equal(seen, 0);
    scene_close(&s);
    assert_ok(scene_open(&s, &opened, &e), &e);
    scene_end(&s);
}

static void
a_sealed_database_without_its_key_is_refused(void **state)
{
    struct scene s = scene_new();
    enum sealed_state opened;
    struct err e = {0};

    (void)state;
    scene_fill(&s);
    s.no_key = true;
    assert_err(scene_open(&s, &opened, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "a.db is sealed, and the scene gives no key: it needs the key that "
                                "it was sealed with, see scene(8)");
    s.no_key = false;
    s.key[7] ^= 1;
    assert_err(scene_open(&s, &opened, &e), ERR_DENIED, &e);
    assert_string_equal(e.text,
                        "a.db is sealed under another key than that of the scene: use the token "
                        "that it belongs to, see scene(8)");
    s.key[7] ^= 1;
    scene_must_open(&s);
    scene_end(&s);
}

static int
do_nothing(struct verb *verb, struct store_db *db, struct err *e)
{
    uint64_t rows;

    (void)verb;
    return sealed_begin(db, &rows, e);
}

static void
what_is_sealed_is_not_sealed_again(void **state)
{
    struct scene s = scene_new();
    struct verb verb = {.run = do_nothing};
    enum sealed_state opened;
    struct err e = {0};

    (void)state;
    s.no_key = true;
    assert_ok(scene_open(&s, &opened, &e), &e);
    assert_err(scene_do(&s, &verb, &e), ERR_CONFLICT, &e);
    scene_close(&s);
    s.no_key = false;
    scene_fill(&s);
    scene_must_open(&s);
    assert_err(scene_do(&s, &verb, &e), ERR_CONFLICT, &e);
    scene_end(&s);
}

/* The operation that sealed them failed in its end. */
static void
a_beginning_that_is_rolled_back_was_none(void **state)
{
    struct scene s = scene_new();
    struct verb verb = {.run = do_nothing, .fails = true};
    enum sealed_state opened;
    struct err e = {0};
    bool found;
    size_t seen;

    (void)state;
    assert_ok(scene_open(&s, &opened, &e), &e);
    scene_attack_running(&s, "INSERT INTO thing VALUES('a', 'A', 1, NULL, NULL, NULL)");
    assert_err(scene_do(&s, &verb, &e), ERR_DENIED, &e);
    assert_ok(scene_change(&s, &scene_thing, store_text("b"),
                           "INSERT INTO thing VALUES(?1, 'B', ?2, NULL, NULL, NULL)", 1, &e),
              &e);
    assert_ok(scene_row(&s, &scene_thing, store_text("a"), &found, &e), &e);
    scene_close(&s);
    assert_ok(scene_open(&s, &opened, &e), &e);
    assert_int_equal(opened, SEALED_NOT_YET);
    verb.fails = false;
    assert_ok(scene_do(&s, &verb, &e), &e);
    assert_ok(scene_scrub(&s, 10, &seen, &e), &e);
    assert_int_equal(seen, 4);
    scene_close(&s);
    scene_must_open(&s);
    scene_end(&s);
}

static int
do_end(struct verb *verb, struct store_db *db, struct err *e)
{
    (void)verb;
    return sealed_end(db, e);
}

static int
do_begin_anew(struct verb *verb, struct store_db *db, struct err *e)
{
    enum sealed_state state;
    uint64_t rows;

    (void)verb;
    if (sealed_open(db, &state, e) != 0) {
        return -1;
    }
    assert_int_equal(state, SEALED_NOT_YET);
    return sealed_begin(db, &rows, e);
}

/* In one store, as a restore does it. */
static void
seals_end_and_begin_anew(void **state)
{
    struct scene s = scene_new();
    struct verb end = {.run = do_end};
    struct verb begin = {.run = do_begin_anew};
    struct err e = {0};
    bool found;
    size_t before;
    size_t seen;

    (void)state;
    scene_fill(&s);
    scene_must_open(&s);
    assert_ok(scene_scrub(&s, 10, &before, &e), &e);
    assert_ok(scene_row(&s, &scene_thing, store_text("a"), &found, &e), &e);
    assert_ok(scene_do(&s, &end, &e), &e);
    assert_ok(scene_scrub(&s, 10, &seen, &e), &e);
    assert_int_equal(seen, 0);
    assert_ok(scene_change(&s, &scene_thing, store_text("a"),
                           "UPDATE thing SET number = ?2 WHERE id = ?1", 77, &e),
              &e);
    assert_ok(scene_do(&s, &begin, &e), &e);
    assert_ok(scene_scrub(&s, 10, &seen, &e), &e);
    assert_int_equal(seen, before);
    scene_close(&s);
    scene_must_open(&s);
    assert_ok(scene_scrub(&s, 10, &seen, &e), &e);
    scene_end(&s);
}

static int
do_row_first(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct store_value key = store_text("a");
    bool found;

    (void)op;
    return sealed_row(db, &scene_thing, &key, 1, &found, e);
}

static void
no_row_is_believed_before_the_head_was_looked_at(void **state)
{
    struct scene s = scene_new();
    struct store_op op = {.run = do_row_first};
    const struct sealed_options sealing = {.file = "a.db", .program = "scene", .token = "none"};
    struct err e = {0};
    CLEANUP(sealed_cleanup) struct sealed *sealed = sealed_new(&sealing, &e);
    struct store_options options = {.path = s.path,
                                    .application = STORE_APPLICATION('t', 's', 'e', 'a'),
                                    .context = sealed,
                                    .settle = sealed_settle};
    struct store *store;

    (void)state;
    assert_non_null(sealed);
    store = store_open(&options, &e);
    assert_non_null(store);
    assert_err(store_call(store, &op, &e), ERR_CONFLICT, &e);
    store_free(store);
    scene_end(&s);
}

static void
a_column_can_be_added_to_sealed_rows(void **state)
{
    struct scene s = scene_new();
    struct err e = {0};
    bool found;
    size_t seen;

    (void)state;
    scene_fill(&s);
    s.more = 1;
    scene_must_open(&s);
    assert_ok(scene_scrub(&s, 10, &seen, &e), &e);
    assert_ok(scene_change(&s, &scene_thing, store_text("a"),
                           "UPDATE thing SET added = ?2 WHERE id = ?1", 4, &e),
              &e);
    scene_close(&s);
    scene_must_open(&s);
    assert_ok(scene_row(&s, &scene_thing, store_text("a"), &found, &e), &e);
    scene_close(&s);
    scene_attack(&s, "UPDATE thing SET added = 5 WHERE id = 'a'");
    scene_must_open(&s);
    assert_err(scene_row(&s, &scene_thing, store_text("a"), &found, &e), ERR_STALE, &e);
    scene_close(&s);
    scene_attack(&s, "UPDATE thing SET added = 4 WHERE id = 'a'; UPDATE thing SET added = 5 WHERE "
                     "id = 'b'");
    scene_must_open(&s);
    assert_err(scene_row(&s, &scene_thing, store_text("b"), &found, &e), ERR_STALE, &e);
    scene_end(&s);
}

/* Where there is no record, too, an older state of some rows is told from a newer one. */
static void
without_a_record_commits_are_counted(void **state)
{
    struct scene s = scene_new();
    enum sealed_state opened;
    struct err e = {0};
    size_t seen;

    (void)state;
    s.no_leaves = true;
    scene_fill(&s);
    scene_must_open(&s);
    assert_ok(scene_scrub(&s, 3, &seen, &e), &e);
    scene_close(&s);
    scene_attack(&s, "REPLACE INTO seal_head SELECT * FROM old.seal_head");
    assert_err(scene_open(&s, &opened, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "put back to what they were before"));
    scene_end(&s);
}

/* The seals of scene_fill(), as the version wrote them that had sums of buckets. */
static const char of_before[] =
    "DELETE FROM seal; DELETE FROM seal_head;"
    "INSERT INTO seal "
    "VALUES(63409,1,x'02000162',1,x'"
    "7cc48b61b33d31af7c7ca41d1355c39a11e84a70d5b08d21f94f73221581f224');"
    "INSERT INTO seal "
    "VALUES(63409,2,x'0100080000000000000002',1,x'"
    "11be45e8017839d6ae48fbd7f4f798c466c466a17890a3b6212e87a47601b760');"
    "INSERT INTO seal "
    "VALUES(135335,7,x'03000101',1,x'"
    "3def634c64e3c8f28355046b1982f7e62df1931f5b5e24a6fbf692c34cc9acdd');"
    "INSERT INTO seal "
    "VALUES(172102,7,x'03000102',1,x'"
    "89a84f73222c096e6a62431519d980690b154acce7c310c3291218ef4c94ede5');"
    "INSERT INTO seal "
    "VALUES(177250,1,x'02000161',2,x'"
    "7a40c34bb93ef381929a9bc8d8f66f38423065e422fb4bfae0633fedda75ef41');"
    "INSERT INTO seal "
    "VALUES(177250,2,x'0100080000000000000001',1,x'"
    "ebc564c4a7c5a9941f8050b482ca88f492e9adf70200896176a1308f0fcd4116');"
    "INSERT INTO seal "
    "VALUES(177250,2,x'0100080000000000000003',3,x'"
    "15ac19a70c306e3750642a0ab04fbcc25c1251f3c97b4eb200cbe10f40d71737');"
    "INSERT INTO seal "
    "VALUES(645746,1,x'02000163',1,x'"
    "2c34dbac14db599444521e3c79973b408546c9f797c3bc76fc795ccc75fca21e');"
    "INSERT INTO seal "
    "VALUES(679215,7,x'03000103',4,x'"
    "85d65301f8703d360b069f87e9c1dd39b7dd1d8c8e64b76f75f235025f54f0e3');"
    "INSERT INTO seal_bucket "
    "VALUES(63409,x'2710ec8d0505298eec79f943da97bf35',x'"
    "4b8ea79aeb6506254766886b09548cb5e52c0b0a199bc7c5b3b7c89b46b3eff7');"
    "INSERT INTO seal_bucket "
    "VALUES(135335,x'20c3be373e79caccb63d7533096bc56d',x'"
    "8c6b4b7c583f100d84d0f8bfe33cae893a157dcddaf42a0a15db8f110a24906b');"
    "INSERT INTO seal_bucket "
    "VALUES(172102,x'e4dbe9188c332658fd7e633292a6d639',x'"
    "6bf8a81d22bede057e47397cab53162c89fabbd461d6066744b7e0249e499bfc');"
    "INSERT INTO seal_bucket "
    "VALUES(177250,x'ce69413bbf9497b5399de05da9b7dedc',x'"
    "0868cf7b841c365ef7571c4a223fa1c3f05558d6c18ff7e03c1b4b29de7fc340');"
    "INSERT INTO seal_bucket "
    "VALUES(645746,x'c7b2922a98e7e7f12d2ce074a5e09c46',x'"
    "00a34ff4a2a18c5b4ae588001d33bc06e833e39d9f7ce9caf63644743d0bbc6f');"
    "INSERT INTO seal_bucket "
    "VALUES(679215,x'aab82d759747990d4c7c772ac8059b31',x'"
    "dbe11c195e028c9a27a273a8a55e691df20a994648798e1680c5f81f8363de2c');"
    "INSERT INTO seal_head "
    "VALUES(1,x'66e78f689d0424d6679ed51a987793521f8b45493ac2280c9fa510c08ebd11c0',x'"
    "7b5d8d31a6abaa3f39e8f2f8043c548f',x'"
    "ebcbbecc9c30c99bc28fc7507c3524e797e5fe87807f98f07affd7518789c038',4,9,x'"
    "8b19d5d97c9fe1a067dbf15fdc300036021b7b47d910e6e50c56cc67c8013a7e');";

static void
a_head_of_before_becomes_one_of_now(void **state)
{
    struct scene s = scene_new();
    enum sealed_state opened;
    struct err e = {0};
    bool found;
    size_t seen;

    (void)state;
    scene_fill(&s);
    scene_attack(&s, of_before);
    for (int i = 0; i < 2; i++) { /* at the second start it is one of now */
        scene_must_open(&s);
        assert_ok(scene_row(&s, &scene_name, store_blob(SPAN_LITERAL("\x03")), &found, &e), &e);
        assert_true(found);
        assert_ok(scene_scrub(&s, 3, &seen, &e), &e);
        assert_int_equal(seen, 18);
        scene_close(&s);
    }
    /* The head of before is no other way in. */
    scene_attack(&s, of_before);
    scene_attack(&s, "DELETE FROM seal_bucket");
    assert_err(scene_open(&s, &opened, &e), ERR_STALE, &e);
    scene_end(&s);
}

static const struct {
    const char *sql;
    const char *says;
} edits_of_before[] = {
    {"UPDATE seal SET leaf = 2 WHERE tbl = 7", "rows of one owner were put back"},
    {"DELETE FROM seal WHERE tbl = 2", "rows of one owner were put back"},
    {"DELETE FROM seal WHERE tbl = 7; DELETE FROM seal_bucket WHERE bucket IN (135335, 172102, "
     "679215)",
     "rows were put back"},
    {"DELETE FROM seal_bucket", "rows were put back"},
    {"DELETE FROM seal_bucket WHERE bucket = 63409", "rows were put back"},
    {"UPDATE seal_bucket SET nonce = zeroblob(16)", "rows of one owner were put back"},
    {"INSERT INTO seal_bucket VALUES(-1, zeroblob(16), zeroblob(32))",
     "there is a bucket that is none"},
    {"UPDATE seal_head SET rows = 8", "the head of its seals was edited"},
    {"DELETE FROM leaf WHERE idx = 4", "its rows are those of 4 leaves"},
};

static void
who_edits_what_is_of_before_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(edits_of_before); i++) {
        struct scene s = scene_new();
        enum sealed_state opened;
        struct err e = {0};

        scene_fill(&s);
        scene_attack(&s, of_before);
        scene_attack(&s, edits_of_before[i].sql);
        if (scene_open(&s, &opened, &e) == 0 || e.code != ERR_STALE ||
            strstr(e.text, edits_of_before[i].says) == NULL) {
            fail_msg("%s: %s", edits_of_before[i].sql, e.text);
        }
        scene_end(&s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_has_a_name),
        cmocka_unit_test(without_a_key_nothing_is_sealed),
        cmocka_unit_test(a_sealed_database_without_its_key_is_refused),
        cmocka_unit_test(what_is_sealed_is_not_sealed_again),
        cmocka_unit_test(a_beginning_that_is_rolled_back_was_none),
        cmocka_unit_test(seals_end_and_begin_anew),
        cmocka_unit_test(no_row_is_believed_before_the_head_was_looked_at),
        cmocka_unit_test(a_column_can_be_added_to_sealed_rows),
        cmocka_unit_test(without_a_record_commits_are_counted),
        cmocka_unit_test(a_head_of_before_becomes_one_of_now),
        cmocka_unit_test(who_edits_what_is_of_before_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
