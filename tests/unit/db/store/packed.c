/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/packed.h"

#include <string.h>

#include "db/store/batch.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { LIKE = 600, OWN = 60, DIGITS = 400, MANY = 400 };

static const struct store_migration schema[] = {
    {1, "CREATE TABLE item (id INTEGER PRIMARY KEY, octets BLOB) STRICT;"
        "CREATE TABLE dictionary (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, octets BLOB NOT "
        "NULL) STRICT;"},
    {0, NULL},
};

struct scene {
    char *dir;
    char *path;
    struct store *store;
};

static void
open_store(struct scene *s)
{
    const struct store_options options = {
        .path = s->path, .application = STORE_APPLICATION('t', 'e', 's', 't'), .schemas = {schema}};
    struct err e = {0};

    s->store = store_open(&options, &e);
    assert_non_null(s->store);
}

static int
set_up(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    s->dir = tmpdir_new();
    s->path = mem_printf("%s/db", s->dir);
    open_store(s);
    *state = s;
    return 0;
}

static int
tear_down(void **state)
{
    struct scene *s = *state;

    store_free(s->store);
    tmpdir_remove(s->dir);
    mem_free(s->path);
    mem_free(s);
    return 0;
}

/* The same numbers in each run (xorshift). */
static uint8_t
random_octet(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return (uint8_t)(*seed >> 8);
}

/* Most of it is that of all; the kind of all changes behind `changes`. */
static struct span
value_of(unsigned i, unsigned changes, uint8_t out[LIKE + OWN])
{
    uint32_t all = i < changes ? 4711 : 815;
    uint32_t own = i + 1;

    out[0] = '{';
    for (size_t k = 1; k < LIKE + OWN; k++) {
        out[k] = random_octet(k < LIKE ? &all : &own);
    }
    return span_of(out, LIKE + OWN);
}

struct item_op {
    struct store_op op;
    int64_t id;
    struct span octets; /* to be stored; read: expected */
    const char *sql;
    size_t n; /* out: as it is stored */
    bool fails;
};

static int
put(void *arg, struct store_db *db, struct err *e)
{
    const struct item_op *i = arg;
    CLEANUP(buf_free) struct buf packed = {0};

    if (packed_make(db, "item", i->octets, &packed, e) != 0 ||
        store_exec(db, "INSERT OR REPLACE INTO item(id, octets) VALUES(?1, ?2)",
                   STORE_VALUES(store_int(i->id), store_blob(buf_span(&packed))), e) != 0) {
        return -1;
    }
    return i->fails ? err_set(e, ERR_DENIED, "after all no") : 0;
}

static int
run_put(struct store_op *op, struct store_db *db, struct err *e)
{
    return put(CONTAINER_OF(op, struct item_op, op), db, e);
}

static int
run_get(struct store_op *op, struct store_db *db, struct err *e)
{
    struct item_op *i = CONTAINER_OF(op, struct item_op, op);
    CLEANUP(store_end) struct store_rows rows = {0};

    if (store_query_one(db, &rows, "SELECT unpacked(octets), length(octets) FROM item WHERE id = ?",
                        STORE_VALUES(store_int(i->id)), e) != 0) {
        return -1;
    }
    i->n = (size_t)row_int(&rows, 1);
    return span_equal(row_blob(&rows, 0), i->octets) ? 0 : err_set(e, ERR_STORE, "another value");
}

static int
run_sql(struct store_op *op, struct store_db *db, struct err *e)
{
    return store_exec(db, CONTAINER_OF(op, struct item_op, op)->sql, STORE_NO_VALUES, e);
}

static void
put_value(const struct scene *s, int64_t id, struct span octets)
{
    struct item_op op = {.op.run = run_put, .id = id, .octets = octets};
    struct err e = {0};

    assert_ok(store_call(s->store, &op.op, &e), &e);
}

/* It is this one; how many octets it takes. */
static size_t
get_value(const struct scene *s, int64_t id, struct span octets)
{
    struct item_op op = {.op.run = run_get, .id = id, .octets = octets};
    struct err e = {0};

    assert_ok(store_call(s->store, &op.op, &e), &e);
    return op.n;
}

static void
run(const struct scene *s, const char *sql)
{
    struct item_op op = {.op.run = run_sql, .sql = sql};
    struct err e = {0};

    assert_ok(store_call(s->store, &op.op, &e), &e);
}

static void
put_many(const struct scene *s, unsigned from, unsigned to, unsigned changes)
{
    uint8_t octets[LIKE + OWN];

    for (unsigned i = from; i < to; i++) {
        put_value(s, i, value_of(i, changes, octets));
    }
}

static size_t
get_many(const struct scene *s, unsigned from, unsigned to, unsigned changes)
{
    uint8_t octets[LIKE + OWN];
    size_t n = 0;

    for (unsigned i = from; i < to; i++) {
        n += get_value(s, i, value_of(i, changes, octets));
    }
    return n / (to - from);
}

static void
values_that_are_like_others_take_less_room_and_come_back(void **state)
{
    struct scene *s = *state;

    put_many(s, 0, MANY, MANY);
    (void)get_many(s, 0, MANY, MANY);
    assert_in_range(get_many(s, MANY / 2, MANY, MANY), OWN, 2 * OWN);
    store_free(s->store);
    open_store(s);
    assert_in_range(get_many(s, MANY / 2, MANY, MANY), OWN, 2 * OWN);
    put_many(s, MANY, MANY + 1, 2 * MANY); /* with the dictionary of before */
    assert_in_range(get_many(s, MANY, MANY + 1, 2 * MANY), OWN, 2 * OWN);
}

/* JSON, or not: much of all, and digits of its own. */
static struct span
digits_of(unsigned i, uint8_t first, uint8_t out[LIKE + DIGITS])
{
    uint32_t all = 4711;
    uint32_t own = i + 1;

    out[0] = first;
    for (size_t k = 1; k < LIKE + DIGITS; k++) {
        out[k] =
            k < LIKE ? random_octet(&all) : (uint8_t) "0123456789abcdef"[random_octet(&own) & 15];
    }
    return span_of(out, LIKE + DIGITS);
}

static void
digits_take_half_an_octet_in_text(void **state)
{
    static const struct {
        uint8_t first;
        size_t most;
    } kinds[] = {{'{', DIGITS * 2 / 3}, {0x30, DIGITS + OWN}};

    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct scene *s = *state;
        uint8_t octets[LIKE + DIGITS];

        for (unsigned i = 0; i < MANY; i++) {
            put_value(s, i, digits_of(i, kinds[k].first, octets));
        }
        for (unsigned i = 0; i < MANY; i++) {
            const size_t n = get_value(s, i, digits_of(i, kinds[k].first, octets));

            assert_true(i < MANY / 2 || n <= kinds[k].most);
        }
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

static void
a_dictionary_gives_way_to_a_better_one(void **state)
{
    struct scene *s = *state;

    put_many(s, 0, 2 * MANY, MANY);
    (void)get_many(s, 0, 2 * MANY, MANY);
    assert_in_range(get_many(s, MANY / 2, MANY, MANY), OWN, 2 * OWN);
    assert_in_range(get_many(s, MANY, MANY + 1, MANY), LIKE, LIKE + OWN);
    assert_in_range(get_many(s, 2 * MANY - 100, 2 * MANY, MANY), OWN, 2 * OWN);
}

struct part_op {
    struct store_op op;
    unsigned from, to;
};

static int
put_some(void *arg, struct store_db *db, struct err *e)
{
    const struct part_op *p = arg;
    uint8_t octets[LIKE + OWN];

    for (unsigned i = p->from; i < p->to; i++) {
        struct item_op item = {.id = i, .octets = value_of(i, 0, octets)};

        if (put(&item, db, e) != 0) {
            return -1;
        }
    }
    return err_set(e, ERR_DENIED, "after all no");
}

static int
run_part(struct store_op *op, struct store_db *db, struct err *e)
{
    struct part_op *p = CONTAINER_OF(op, struct part_op, op);
    struct err no = {0};

    return store_part(db, put_some, p, &no) == 0 ? err_set(e, ERR_STORE, "it did not fail") : 0;
}

/* Else what comes behind would need a dictionary that is not there, or another one under its
 * number. */
static void
a_dictionary_that_was_undone_is_not_used(void **state)
{
    struct scene *s = *state;
    struct part_op p = {.op.run = run_part, .from = 0, .to = 100};
    struct err e = {0};

    assert_ok(store_call(s->store, &p.op, &e), &e);
    put_many(s, 0, MANY, MANY);
    (void)get_many(s, 0, MANY, MANY);
    store_free(s->store);
    open_store(s);
    (void)get_many(s, 0, MANY, MANY);
}

static void
any_value_comes_back(void **state)
{
    struct scene *s = *state;
    uint8_t *octets = mem_new(PACKED_MAX + 1);
    const struct {
        size_t n;
        uint8_t first;
        bool random;
    } rows[] = {
        {0, 0, false},
        {1, 0, false},
        {1, 1, false},
        {5, 0, true},
        {191, 'x', true},
        {192, 'x', true},
        {3000, 0, true},
        {3000, 0, false},
        {3000, 'x', false},
        {PACKED_MAX, 0, true},
        {PACKED_MAX, 'x', true},
        {PACKED_MAX, 0, false},
        {PACKED_MAX, 0x28, true},
    };
    struct item_op long_one = {.op.run = run_put, .octets = span_of(octets, PACKED_MAX + 1)};
    struct err e = {0};

    put_many(s, 0, 100, MANY); /* there is a dictionary */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t seed = 17;

        for (size_t k = 0; k < rows[i].n; k++) {
            octets[k] = k == 0 ? rows[i].first : rows[i].random ? random_octet(&seed) : 'y';
        }
        put_value(s, 1000, span_of(octets, rows[i].n));
        (void)get_value(s, 1000, span_of(octets, rows[i].n));
    }
    assert_err(store_call(s->store, &long_one.op, &e), ERR_INPUT, &e);
    run(s, "UPDATE item SET octets = NULL WHERE id = 1000");
    (void)get_value(s, 1000, span_of(NULL, 0));
    mem_free(octets);
}

static void
what_does_not_decode_is_refused(void **state)
{
    static const char *const rows[] = {
        "x'00'",
        "x'00000000'",
        "x'0000000000'",
        "substr(octets, 1, 4)",
        "substr(octets, 1, length(octets) - 1)",
        "CAST(octets || x'00' AS BLOB)",
        "CAST(x'000000ff' || substr(octets, 5) AS BLOB)", /* a dictionary that is not there */
        "CAST(x'00000000' || substr(octets, 5) AS BLOB)", /* that it was not packed with */
        "CAST(substr(octets, 1, 4) || x'ff' || substr(octets, 6) AS BLOB)", /* another header */
        "x'00000000a000000400010000'",                                      /* 64 MiB, it says */
        "zeroblob(1000000)",
    };
    struct scene *s = *state;
    uint8_t octets[LIKE + OWN];

    put_many(s, 0, 100, MANY);
    assert_in_range(get_many(s, 99, 100, MANY), OWN, 2 * OWN);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *sql = mem_printf("INSERT OR REPLACE INTO item(id, octets) SELECT 1000, %s FROM item "
                               "WHERE id = 99",
                               rows[i]);
        struct item_op op = {.op.run = run_get, .id = 1000};
        struct err e = {0};

        run(s, sql);
        if (store_call(s->store, &op.op, &e) == 0 || e.code != ERR_STALE) {
            fail_msg("%s: %s %s", rows[i], err_code_name(e.code), e.text);
        }
    }
    assert_false(store_is_failed(s->store));
    (void)get_value(s, 99, value_of(99, MANY, octets));
    run(s, "UPDATE dictionary SET octets = zeroblob(10)");
    store_free(s->store);
    open_store(s);
    {
        struct item_op op = {.op.run = run_get, .id = 99, .octets = value_of(99, MANY, octets)};
        struct err e = {0};

        assert_err(store_call(s->store, &op.op, &e), ERR_STALE, &e);
    }
}

/* What Zstandard would read as a dictionary of its own, or as one of any size. */
static void
a_dictionary_that_was_edited_is_refused(void **state)
{
    static const char *const rows[] = {
        "CAST(x'37a430ec' || randomblob(600) AS BLOB)",
        "x'37a430ec'",
        "zeroblob(24577)",
    };
    struct scene *s = *state;
    uint8_t octets[LIKE + OWN];

    put_many(s, 0, 100, MANY);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *sql = mem_printf("UPDATE dictionary SET octets = %s", rows[i]);
        struct item_op get = {.op.run = run_get, .id = 99, .octets = value_of(99, MANY, octets)};
        struct item_op more = {.op.run = run_put, .id = 100, .octets = get.octets};
        struct err e = {0};

        run(s, sql);
        store_free(s->store);
        open_store(s);
        assert_err(store_call(s->store, &get.op, &e), ERR_STALE, &e);
        e = (struct err){0};
        assert_err(store_call(s->store, &more.op, &e), ERR_STALE, &e);
        assert_string_equal(e.text, "dictionary 1 is none that was made here");
    }
}

/* Values may be anything. */
static void
values_that_begin_like_a_dictionary_come_back(void **state)
{
    struct scene *s = *state;
    uint8_t octets[LIKE + OWN];

    for (unsigned i = 0; i < 100; i++) {
        struct span value = value_of(i, MANY, octets);

        memcpy(octets, "\x37\xa4\x30\xec", 4);
        put_value(s, i, value);
        (void)get_value(s, i, value);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_that_are_like_others_take_less_room_and_come_back,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(digits_take_half_an_octet_in_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_dictionary_gives_way_to_a_better_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_dictionary_that_was_undone_is_not_used, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(any_value_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_does_not_decode_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_dictionary_that_was_edited_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_that_begin_like_a_dictionary_come_back, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
