/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a closed file is found at the start, at use, and by the scrub. */
#include <string.h>

#include "tests/support/test.h"
#include "tests/unit/db/sealed/scene.h"

enum found_at { AT_START, AT_ROW, AT_OWNER };

static const struct {
    const char *what;
    const char *sql;
    enum found_at at;
    const struct sealed_table *table; /* AT_ROW: which row is asked for; a note is number 3 */
    const char *key;                  /* or the owner */
    const char *says;
} attacks[] = {
    {"a number is edited", "UPDATE thing SET number = 3 WHERE id = 'a'", AT_ROW, &scene_thing, "a",
     "thing a: edited, or not written"},
    {"a NULL becomes a value", "UPDATE thing SET bytes = x'00' WHERE id = 'a'", AT_ROW,
     &scene_thing, "a", "thing a: edited"},
    {"a NULL becomes an empty blob", "UPDATE thing SET bytes = x'' WHERE id = 'a'", AT_ROW,
     &scene_thing, "a", "thing a: edited"},
    {"a value becomes NULL", "UPDATE thing SET text = NULL WHERE id = 'a'", AT_ROW, &scene_thing,
     "a", "thing a: edited"},
    {"a text becomes a blob", "UPDATE thing SET any = x'6162' WHERE id = 'a'", AT_ROW, &scene_thing,
     "a", "thing a: edited"},
    {"a number becomes a fraction", "UPDATE thing SET any = 4.0 WHERE id = 'b'", AT_ROW,
     &scene_thing, "b", "thing b: edited"},
    {"there is a fraction where nothing was", "UPDATE thing SET any = 0.5 WHERE id = 'c'", AT_ROW,
     &scene_thing, "c", "thing c: edited"},
    {"a value moves to the next column", "UPDATE thing SET bytes = CAST(text AS BLOB), text = NULL",
     AT_ROW, &scene_thing, "a", "edited"},
    {"a row is given to another owner", "UPDATE thing SET owner = 'B' WHERE id = 'a'", AT_ROW,
     &scene_thing, "a", "thing a:"},
    {"a row is given to nobody", "UPDATE thing SET owner = NULL WHERE id = 'a'", AT_ROW,
     &scene_thing, "a", "thing a:"},
    {"a key is edited", "UPDATE name SET name = x'04' WHERE name = x'01'", AT_ROW, &scene_name,
     "\x04", "name 04: has no seal"},
    {"and asked for by its own", "UPDATE name SET name = x'04' WHERE name = x'01'", AT_ROW,
     &scene_name, "\x01", "name 01: deleted"},
    {"a column behind the last is edited", "UPDATE note SET weight = 1 WHERE number = 3", AT_ROW,
     &scene_note, NULL, "note 3: edited"},
    {"a row is deleted", "DELETE FROM note WHERE number = 3", AT_OWNER, NULL, "A",
     "note 3: deleted"},
    {"and another row of its owner is asked for", "DELETE FROM note WHERE number = 3", AT_ROW,
     &scene_thing, "a", "note 3: deleted"},
    {"a row is deleted, with its seal",
     "DELETE FROM note WHERE number = 3; DELETE FROM seal WHERE tbl = 2 AND key = "
     "x'0100080000000000000003'",
     AT_START, NULL, NULL, "were put back to what they were before, or deleted, with their seals"},
    {"a row that is its own owner is deleted", "DELETE FROM name WHERE name = x'03'", AT_ROW,
     &scene_name, "\x03", "name 03: deleted"},
    {"with its seal",
     "DELETE FROM name WHERE name = x'03'; DELETE FROM seal WHERE tbl = 7 AND key = x'03000103'",
     AT_START, NULL, NULL, "were put back to what they were before, or deleted, with their seals"},
    {"a row is inserted", "INSERT INTO thing VALUES('d', 'A', 1, NULL, 'one', NULL)", AT_ROW,
     &scene_thing, "d", "thing d: has no seal"},
    {"and a query is over its owner's rows",
     "INSERT INTO thing VALUES('d', 'A', 1, NULL, 'one', NULL)", AT_OWNER, NULL, "A",
     "thing d: has no seal"},
    {"a row is inserted with the seal of another",
     "INSERT INTO name VALUES(x'05', 'A'); INSERT INTO seal SELECT bucket, tbl, x'03000105', leaf, "
     "mac FROM seal WHERE tbl = 7 AND key = x'03000103'",
     AT_START, NULL, NULL, "were put back to what they were before, or deleted, with their seals"},
    {"a seal is there that is of no key",
     "INSERT INTO seal SELECT bucket, tbl, x'0200016100', leaf, mac FROM seal WHERE tbl = 1 AND "
     "key "
     "= x'02000161'",
     AT_START, NULL, NULL, "there is a seal that is none"},
    {"two rows are swapped",
     "UPDATE thing SET id = 'x' WHERE id = 'a'; UPDATE thing SET id = 'a' WHERE id = 'b';"
     "UPDATE thing SET id = 'b' WHERE id = 'x'",
     AT_ROW, &scene_thing, "a", ": edited"},
    {"two rows are swapped with their seals",
     "UPDATE name SET name = x'0a' WHERE name = x'01'; UPDATE name SET name = x'01' WHERE name = "
     "x'02'; UPDATE name SET name = x'02' WHERE name = x'0a';"
     "UPDATE seal SET key = x'0300010a' WHERE tbl = 7 AND key = x'03000101';"
     "UPDATE seal SET key = x'03000101' WHERE tbl = 7 AND key = x'03000102';"
     "UPDATE seal SET key = x'03000102' WHERE tbl = 7 AND key = x'0300010a'",
     AT_START, NULL, NULL, "were put back to what they were before, or deleted, with their seals"},
    {"a row is put back",
     "UPDATE thing SET number = (SELECT number FROM old.thing o WHERE o.id = thing.id)", AT_ROW,
     &scene_thing, "a", "thing a: edited"},
    {"with its seal",
     "UPDATE thing SET number = (SELECT number FROM old.thing o WHERE o.id = thing.id);"
     "REPLACE INTO seal SELECT * FROM old.seal",
     AT_START, NULL, NULL, "were put back to what they were before, or deleted, with their seals"},
    {"with all that there is but the record",
     "DELETE FROM thing; INSERT INTO thing SELECT * FROM old.thing; DELETE FROM note WHERE number "
     "= 3; DELETE FROM name WHERE name = x'03'; DELETE FROM seal; INSERT INTO seal SELECT * FROM "
     "old.seal; REPLACE INTO seal_head SELECT * FROM old.seal_head",
     AT_START, NULL, NULL, "its rows are those of 1 leaves, and the record has 4"},
    {"the head is put back", "REPLACE INTO seal_head SELECT * FROM old.seal_head", AT_START, NULL,
     NULL, "its rows are those of 1 leaves, and the record has 4"},
    {"the head is put back, and its number edited",
     "REPLACE INTO seal_head SELECT * FROM old.seal_head; UPDATE seal_head SET leaf = 4", AT_START,
     NULL, NULL, "the head of its seals was edited"},
    {"the number of rows is edited", "UPDATE seal_head SET rows = 1", AT_START, NULL, NULL,
     "the head of its seals was edited"},
    {"the sum is edited", "UPDATE seal_head SET sum = zeroblob(32)", AT_START, NULL, NULL,
     "the head of its seals was edited"},
    {"the nonce is edited", "UPDATE seal_head SET nonce = zeroblob(16)", AT_START, NULL, NULL,
     "the head of its seals was edited"},
    {"the head is deleted", "DELETE FROM seal_head", AT_START, NULL, NULL,
     "the head of its seals was deleted"},
    {"all seals are deleted", "DELETE FROM seal", AT_START, NULL, NULL,
     "were put back to what they were before, or deleted, with their seals"},
    {"a seal is edited", "UPDATE seal SET mac = zeroblob(32)", AT_START, NULL, NULL,
     "were put back to what they were before, or deleted, with their seals"},
    {"of when it is is edited", "UPDATE seal SET leaf = leaf + 1", AT_START, NULL, NULL,
     "were put back to what they were before, or deleted, with their seals"},
    {"each seal is there three times",
     "CREATE TABLE s AS SELECT * FROM seal UNION ALL SELECT * FROM seal UNION ALL SELECT * FROM "
     "seal; DROP TABLE seal; ALTER TABLE s RENAME TO seal",
     AT_START, NULL, NULL, "there is a seal that is none"},
    {"a seal of no table", "UPDATE seal SET tbl = 99 WHERE tbl = 1", AT_START, NULL, NULL,
     "there is a seal that is none"},
    {"leaves are taken away", "DELETE FROM leaf WHERE idx = 4", AT_START, NULL, NULL,
     "its rows are those of 4 leaves, and the record has 3"},
};

static struct store_value
key_of(const struct sealed_table *table, const char *key)
{
    return table == &scene_note   ? store_int(3)
           : table == &scene_name ? store_blob(span_of(key, 1))
                                  : store_text(key);
}

static void
check_says(const char *what, const char *says, const struct err *e)
{
    if (e->code != ERR_STALE || strstr(e->text, says) == NULL ||
        strstr(e->text, "a.db: ") == NULL || strstr(e->text, "see scene(8)") == NULL) {
        fail_msg("%s: %s: %s", what, err_code_name(e->code), e->text);
    }
}

static int
use(struct scene *s, size_t i, struct err *e)
{
    bool found;

    return attacks[i].at == AT_OWNER
               ? scene_owner(s, SCENE_OWNERS, store_text(attacks[i].key), e)
               : scene_row(s, attacks[i].table, key_of(attacks[i].table, attacks[i].key), &found,
                           e);
}

static void
what_is_done_to_a_closed_file_is_found_before_it_is_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
        struct scene s = scene_new();
        enum sealed_state opened;
        struct err e = {0};
        int result;

        scene_fill(&s);
        scene_attack(&s, attacks[i].sql);
        result = scene_open(&s, &opened, &e);
        if (attacks[i].at != AT_START) {
            if (result != 0) {
                fail_msg("%s: at the start: %s", attacks[i].what, e.text);
            }
            result = use(&s, i, &e);
        }
        if (result == 0) {
            fail_msg("%s: not found", attacks[i].what);
        }
        check_says(attacks[i].what, attacks[i].says, &e);
        scene_end(&s);
    }
}

/* What nobody uses. */
static void
the_scrub_finds_each_of_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
        struct scene s = scene_new();
        struct err e = {0};
        size_t seen;

        if (attacks[i].at != AT_START) {
            scene_fill(&s);
            scene_attack(&s, attacks[i].sql);
            scene_must_open(&s);
            if (scene_scrub(&s, 1 + i % 5, &seen, &e) == 0) {
                fail_msg("%s: not found", attacks[i].what);
            }
            assert_int_equal(e.code, ERR_STALE);
        }
        scene_end(&s);
    }
}

static void
what_nobody_touched_is_believed(void **state)
{
    struct scene s = scene_new();
    struct err e = {0};
    bool found;
    size_t seen;

    (void)state;
    scene_fill(&s);
    for (size_t max = 1; max < 12; max++) {
        scene_must_open(&s);
        assert_ok(scene_row(&s, &scene_thing, store_text("a"), &found, &e), &e);
        assert_true(found);
        assert_ok(scene_row(&s, &scene_thing, store_text("none"), &found, &e), &e);
        assert_false(found);
        assert_ok(scene_row(&s, &scene_name, store_blob(SPAN_LITERAL("\x03")), &found, &e), &e);
        assert_true(found);
        assert_ok(scene_row(&s, &scene_name, store_blob(SPAN_LITERAL("\x09")), &found, &e), &e);
        assert_false(found);
        assert_ok(scene_owner(&s, SCENE_OWNERS, store_text("A"), &e), &e);
        assert_ok(scene_owner(&s, SCENE_OWNERS, store_null(), &e), &e);
        assert_ok(scene_owner(&s, SCENE_OWNERS, store_text("nobody"), &e), &e);
        assert_ok(scene_scrub(&s, max, &seen, &e), &e);
        assert_in_range(seen, 18, 18); /* 9 rows by their seals, and by their tables */
        scene_close(&s);
    }
    scene_end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_done_to_a_closed_file_is_found_before_it_is_used),
        cmocka_unit_test(the_scrub_finds_each_of_them),
        cmocka_unit_test(what_nobody_touched_is_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
