/* SPDX-License-Identifier: Apache-2.0 */
/* Every table of ca.db is sealed, but for those of the record; each row's owner has it. */
#include "db/issuance/seals.h"

#include <string.h>

#include "db/issuance/issuance.h"
#include "db/ledger/ledger.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/support/verb.h"

/* A row of each table, and where a row can have another kind of owner another one. */
static const char *const rows[] = {
    "INSERT INTO leaf VALUES(0, 'X', 1, x'00', zeroblob(32))",
    "INSERT INTO registration(id, cms, json, nf_instance, registrar, not_before, not_after, "
    "certificates, registered, leaf) VALUES('r1', x'01', x'02', 'nf-1', x'03', 1, 2, 3, 4, 5)",
    "INSERT INTO registration(id, cms, json, nf_instance, registrar, not_before, not_after, "
    "certificates, registered, leaf) VALUES('r2', x'01', x'02', 'nf-2', x'03', 1, 2, 3, 4, 5)",
    "INSERT INTO pending(rid, registration, transaction_id, profile, assurance, requester, "
    "spki_sha256, evidence, queue_sequence, queue_previous, approvals, created, expires, leaf) "
    "VALUES(zeroblob(32), 'r1', x'01', 'p', 0, x'', x'', x'', 1, x'', 1, 1, 2, 1)",
    "INSERT INTO request(rid, state, registration, transaction_id, profile, evidence, serial, "
    "created, leaf) VALUES(zeroblob(32), 0, 'r1', x'01', 'p', x'', zeroblob(16), 1, 1)",
    "INSERT INTO request(rid, state, registration, transaction_id, profile, evidence, serial, "
    "created, leaf) VALUES(CAST('0123456789abcdef0123456789abcdef' AS BLOB), 0, NULL, NULL, 'p', "
    "x'', CAST('0123456789abcdef' AS BLOB), 1, 1)",
    "INSERT INTO certificate(serial, rid, der, nf_instance, profile, not_after, issued) SELECT "
    "q.serial, q.rid, x'01', g.nf_instance, 'p', 90000, 1 FROM request q LEFT JOIN registration g "
    "ON g.id = q.registration",
    "INSERT INTO confirmation(rid, request, accepted, evidence, created, leaf) SELECT rid, rid, 1, "
    "x'', 1, 1 FROM request",
    "INSERT INTO again(rid, request, registration, transaction_id, cert_req_id, message_time, "
    "evidence, queue_sequence, queue_previous, created, leaf) VALUES(zeroblob(32), zeroblob(32), "
    "'r1', x'01', 0, 1, x'', 1, x'', 1, 1)",
    "INSERT INTO pending(rid, registration, transaction_id, profile, assurance, requester, "
    "spki_sha256, evidence, queue_sequence, queue_previous, approvals, created, expires, leaf) "
    "VALUES(CAST('0123456789abcdef0123456789abcde2' AS BLOB), 'r2', x'01', 'p', 0, x'', x'', x'', "
    "1, x'', 1, 1, 2, 1)",
    "INSERT INTO approval(rid, approves, officer, subject, key_sha256, cms, created, leaf) SELECT "
    "p.rid, 1, c.serial, 's', x'', x'', 1, 1 FROM pending p JOIN certificate c WHERE "
    "p.open = 1 LIMIT 1",
    "INSERT INTO revocation(serial, revoked, reason, not_after) SELECT serial, 1, 0, not_after "
    "FROM certificate",
    "INSERT INTO revocation_request(rid, serial, evidence, created, leaf) SELECT zeroblob(32), "
    "serial, x'', 1, 1 FROM revocation LIMIT 1",
    "INSERT INTO public_key VALUES(x'01', 'nf-1')",
    "INSERT INTO crl(this_update, next_update) VALUES(1, 2)",
    "INSERT INTO setting VALUES('a', x'01')",
    "INSERT INTO scrub VALUES(1, x'', 0, 0, 0, 0)",
    "INSERT INTO journal VALUES(zeroblob(32), 0, 0, 0, zeroblob(32), 0, 0, 0)",
    "INSERT INTO queue_head(hash, ra, recorded, leaf) VALUES(zeroblob(32), zeroblob(16), 1, 1)",
};

static int
do_fill(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (store_exec(db, rows[i], STORE_NO_VALUES, e) != 0) {
            return err_wrap(e, "%.60s", rows[i]);
        }
    }
    return 0;
}

static int
do_begin(struct store_db *db, void *arg, struct err *e)
{
    enum sealed_state state;

    return sealed_open(db, &state, e) != 0 ? -1 : sealed_begin(db, arg, e);
}

struct scene {
    char *dir;
    struct sealed *sealed;
    struct store *store;
};

static void
start(struct scene *s)
{
    static const uint8_t key[SEALED_KEY_SIZE] = {1};
    const struct sealed_options sealing = {.file = "ca.db",
                                           .program = "nfpki-ca",
                                           .token = "a test",
                                           .key = span_of(key, sizeof(key)),
                                           .tables = issuance_tables,
                                           .n = ISSUANCE_TABLES,
                                           .leaves = ledger_size};
    struct store_options options = {.application = 0x6e664341,
                                    .schemas = {ledger_migrations, issuance_migrations},
                                    .settle = sealed_settle};
    CLEANUP(mem_cleanup) char *path = NULL;
    struct err e = {0};

    s->dir = tmpdir_new();
    path = mem_printf("%s/ca.db", s->dir);
    s->sealed = sealed_new(&sealing, &e);
    assert_non_null(s->sealed);
    options.path = path;
    options.context = s->sealed;
    s->store = store_open(&options, &e);
    if (s->store == NULL) {
        fail_msg("%s", e.text);
    }
}

static void
end(struct scene *s)
{
    store_free(s->store);
    sealed_free(s->sealed);
    tmpdir_remove(s->dir);
}

static bool
is_sealed(const char *table)
{
    for (size_t i = 0; i < ISSUANCE_TABLES; i++) {
        if (strcmp(issuance_tables[i]->name, table) == 0) {
            return true;
        }
    }
    return false;
}

static int
do_tables(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(store_end) struct store_rows found = {0};
    bool row = true;

    (void)arg;
    assert_ok(store_query(db, &found,
                          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN "
                          "('leaf', 'node', 'checkpoint', 'seal', 'seal_bucket', 'seal_head', "
                          "'leaf_subject', 'attempted', 'sqlite_sequence')",
                          STORE_NO_VALUES, e),
              e);
    while (store_next(&found, &row, e) == 0 && row) {
        if (!is_sealed(row_text(&found, 0))) {
            fail_msg("table %s is not sealed", row_text(&found, 0));
        }
    }
    return 0;
}

static void
every_table_is_sealed_but_the_record(void **state)
{
    struct scene s = {0};
    struct err e = {0};

    (void)state;
    start(&s);
    assert_ok(verb_call(s.store, do_tables, NULL, &e), &e);
    for (size_t i = 0; i < ISSUANCE_TABLES; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(issuance_tables[i]->number, issuance_tables[k]->number);
            assert_true(!issuance_tables[i]->by_key ||
                        issuance_tables[i]->owners != issuance_tables[k]->owners);
        }
    }
    end(&s);
}

/* Among the keys of its owner's rows. */
static bool
is_owned(struct store_db *db, const struct sealed_table *table, struct store_value key)
{
    CLEANUP(store_end) struct store_rows found = {0};
    CLEANUP(store_end) struct store_rows owned = {0};
    struct store_value owner;
    struct err e = {0};
    bool row = true;

    assert_ok(store_query_one(db, &found, table->row, &key, 1, &e), &e);
    owner = row_value(&found, 0);
    assert_int_not_equal(owner.type, STORE_NULL);
    assert_ok(store_query(db, &owned, table->of_owner, &owner, 1, &e), &e);
    while (store_next(&owned, &row, &e) == 0 && row) {
        const struct store_value value = row_value(&owned, 0);

        if (value.type == key.type && value.number == key.number &&
            span_equal(value.bytes, key.bytes)) {
            return true;
        }
    }
    return false;
}

/* And behind each there are all that come later in the order. */
static size_t
count_behind(struct store_db *db, const struct sealed_table *table, struct store_value key)
{
    CLEANUP(store_end) struct store_rows found = {0};
    struct err e = {0};
    size_t n = 0;
    bool row = true;

    assert_ok(store_query(db, &found, table->behind, &key, 1, &e), &e);
    while (store_next(&found, &row, &e) == 0 && row) {
        n++;
    }
    return n;
}

static int
do_owned(struct store_db *db, void *arg, struct err *e)
{
    const struct sealed_table *table = arg;
    CLEANUP(store_end) struct store_rows all = {0};
    size_t behind[8];
    size_t n = 0;
    bool row = true;

    assert_ok(store_query(db, &all, table->all, STORE_NO_VALUES, e), e);
    while (store_next(&all, &row, e) == 0 && row) {
        const struct store_value key = row_value(&all, 0);

        if (!table->by_key && !is_owned(db, table, key)) {
            fail_msg("a row of %s is not its owner's", table->name);
        }
        assert_true(n < ARRAY_LEN(behind));
        behind[n++] = count_behind(db, table, key);
    }
    if (n == 0) {
        fail_msg("there is no row of %s", table->name);
    }
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(behind[i], n - 1 - i);
    }
    return 0;
}

static int
do_scrub(struct store_db *db, void *arg, struct err *e)
{
    CLEANUP(sealed_cursor_free) struct sealed_cursor cursor = {0};
    bool over;

    return sealed_scrub(db, &cursor, SIZE_MAX, arg, &over, e);
}

static void
all_rows_can_be_sealed_and_scrubbed(void **state)
{
    struct scene s = {0};
    uint64_t sealed = 0;
    size_t seen = 0;
    struct err e = {0};

    (void)state;
    start(&s);
    assert_ok(verb_call(s.store, do_fill, NULL, &e), &e);
    for (size_t i = 0; i < ISSUANCE_TABLES; i++) {
        struct sealed_table table = *issuance_tables[i];

        assert_ok(verb_call(s.store, do_owned, &table, &e), &e);
    }
    assert_ok(verb_call(s.store, do_begin, &sealed, &e), &e);
    assert_ok(verb_call(s.store, do_scrub, &seen, &e), &e);
    assert_true(sealed > ISSUANCE_TABLES);
    assert_int_equal(seen, 2 * sealed);
    end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_is_sealed_but_the_record),
        cmocka_unit_test(all_rows_can_be_sealed_and_scrubbed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
