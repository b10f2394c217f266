/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/sealed.h"

#include <assert.h>

#include "db/sealed/bucket.h"
#include "db/sealed/head.h"

void
sealed_free(struct sealed *sealed)
{
    if (sealed != NULL) {
        noted_end(&sealed->noted);
        seen_end(&sealed->owners);
        mac_keys_free(&sealed->keys);
        mem_free(sealed->checked);
        mem_free(sealed);
    }
}

struct sealed *
sealed_new(const struct sealed_options *options, struct err *e)
{
    CLEANUP(sealed_cleanup) struct sealed *sealed = mem_new(sizeof(*sealed));

    assert(options->key.n == 0 || options->key.n == SEALED_KEY_SIZE);
    assert(options->n <= SEALED_TABLES_MAX);
    sealed->options = *options;
    sealed->options.key = (struct span){0}; /* not ours to keep */
    sealed->has_key = options->key.n > 0;
    if (sealed->has_key && mac_keys_make(&sealed->keys, options->key, e) != 0) {
        return NULL;
    }
    if (sealed->has_key) {
        sealed->checked = mem_zalloc(SEALED_BUCKETS / 8, 1);
    }
    return TAKE(sealed);
}

static int
refuse_without_key(const struct sealed *sealed, struct err *e)
{
    return err_set(e, ERR_DENIED,
                   "%s is sealed, and %s gives no key: it needs the key that it was sealed with, "
                   "see %s(8)",
                   sealed->options.file, sealed->options.token, sealed->options.program);
}

int
sealed_open(struct store_db *db, enum sealed_state *state, struct err *e)
{
    struct sealed *sealed = sealed_of(db);
    bool head;
    bool seals;

    *state = SEALED_CLOSED;
    if (sealed == NULL) {
        return 0;
    }
    if (head_exists(db, &head, e) != 0 ||
        store_has_row(db, "SELECT 1 FROM seal UNION ALL SELECT 1 FROM seal_bucket", STORE_NO_VALUES,
                      &seals, e) != 0) {
        return -1;
    }
    if (!head && seals) {
        return sealed_violation_all(sealed, "the head of its seals was deleted", e);
    }
    if (head && !sealed->has_key) {
        return refuse_without_key(sealed, e);
    }
    if (head && head_open(sealed, db, e) != 0) {
        return -1;
    }
    sealed->state = head ? SEALED_ON : sealed->has_key ? SEALED_NOT_YET : SEALED_NO_KEY;
    *state = sealed->state;
    return 0;
}

/* *on: is there anything to do? */
static int
begin(struct sealed *sealed, bool *on, struct err *e)
{
    *on = sealed != NULL && sealed->state == SEALED_ON;
    if (sealed == NULL) {
        return 0;
    }
    if (sealed->violated) {
        *e = sealed->violation;
        return -1;
    }
    return sealed->state != SEALED_CLOSED
               ? 0
               : err_set(e, ERR_CONFLICT, "%s is used before its seals were looked at",
                         sealed->options.file);
}

/* A bucket that is used first has its rows read, which this one stands in the way of; it may be
 * compared then, too. */
static int
open_bucket(struct sealed *sealed, struct store_db *db, struct row *row, struct err *e)
{
    const struct sealed_table *table = row->table;
    const struct span key = row->key;
    const struct noted *noted;

    if (bucket_is_checked(sealed, row->bucket)) {
        return 0;
    }
    row_end(row);
    if (bucket_use(sealed, db, row->bucket, e) != 0) {
        return -1;
    }
    noted = noted_find(&sealed->noted, table, key);
    return noted != NULL && noted->compared ? 0 : row_read(sealed, db, table, key, row, e);
}

static int
find_seal(struct sealed *sealed, struct store_db *db, const struct row *row, struct noted **out,
          struct err *e)
{
    struct seal seal;
    bool there;

    *out = noted_find(&sealed->noted, row->table, row->key);
    if (*out != NULL) {
        return 0;
    }
    if (seal_load(db, row->table, row->bucket, row->key, &seal, &there, e) != 0) {
        return -1;
    }
    *out = noted_add(&sealed->noted, row->table, row->key);
    (*out)->was = there;
    if (there) {
        (*out)->seal = seal;
    }
    return 0;
}

static int
compare(struct sealed *sealed, const struct row *row, struct noted *noted, struct err *e)
{
    uint8_t mac[MAC_SIZE];

    if (row->found && !noted->was) {
        return sealed_violation(sealed, row->table, row->key, NO_SEAL, e);
    }
    if (!row->found && noted->was) {
        return sealed_violation(sealed, row->table, row->key, "deleted", e);
    }
    if (row->found) {
        if (row_mac(sealed, row, noted->seal.leaf, mac, e) != 0) {
            return -1;
        }
        if (row->bucket != noted->seal.bucket || !mac_equal(mac, noted->seal.mac)) {
            return sealed_violation(sealed, row->table, row->key, ROW_EDITED, e);
        }
    }
    noted->compared = true;
    return 0;
}

static int
look(struct sealed *sealed, struct store_db *db, const struct sealed_table *table, struct span key,
     struct noted **out, struct err *e)
{
    CLEANUP(row_end) struct row row = {0};

    if (row_read(sealed, db, table, key, &row, e) != 0) {
        return -1;
    }
    if ((row.found || table->by_key) && open_bucket(sealed, db, &row, e) != 0) {
        return -1;
    }
    if (row.found || table->by_key) {
        if (find_seal(sealed, db, &row, out, e) != 0) {
            return -1;
        }
    } else {
        *out = noted_find(&sealed->noted, table, key);
        *out = *out != NULL ? *out : noted_add(&sealed->noted, table, key);
    }
    return (*out)->compared ? 0 : compare(sealed, &row, *out, e);
}

/* At the first time in a transaction. */
static int
look_once(struct sealed *sealed, struct store_db *db, const struct sealed_table *table,
          const struct store_value *values, size_t n, struct noted **out, struct err *e)
{
    struct key key;

    assert(n == table->keys);
    if (key_encode(values, n, &key, e) != 0) {
        return -1;
    }
    *out = noted_find(&sealed->noted, table, key_span(&key));
    return *out != NULL && (*out)->compared ? 0 : look(sealed, db, table, key_span(&key), out, e);
}

int
sealed_row(struct store_db *db, const struct sealed_table *table, const struct store_value *key,
           size_t n, bool *found, struct err *e)
{
    struct sealed *sealed = sealed_of(db);
    struct noted *noted;
    bool on;

    if (begin(sealed, &on, e) != 0) {
        return -1;
    }
    if (!on) {
        return store_has_row(db, table->row, key, n, found, e);
    }
    if (look_once(sealed, db, table, key, n, &noted, e) != 0) {
        return -1;
    }
    *found = noted->was;
    return noted->changed ? store_has_row(db, table->row, key, n, found, e) : 0;
}

int
sealed_change(struct store_db *db, const struct sealed_table *table, const struct store_value *key,
              size_t n, struct err *e)
{
    struct sealed *sealed = sealed_of(db);
    struct noted *noted;
    bool on;

    if (begin(sealed, &on, e) != 0) {
        return -1;
    }
    if (!on) {
        return 0;
    }
    if (look_once(sealed, db, table, key, n, &noted, e) != 0) {
        return -1;
    }
    sealed->changes += noted->changed ? 0 : 1;
    noted->changed = true;
    return 0;
}

/* Those that have a seal, and none that has not. */
static int
check_rows_of(struct sealed *sealed, struct store_db *db, const struct sealed_table *table,
              struct store_value owner, bool *any, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct store_value values[SEALED_KEYS_MAX];
    struct noted *noted;
    bool row;

    if (store_query(db, &rows, table->of_owner, &owner, 1, e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    *any = *any || row;
    while (row) {
        for (size_t i = 0; i < table->keys; i++) {
            values[i] = row_value(&rows, (int)i);
        }
        if (look_once(sealed, db, table, values, table->keys, &noted, e) != 0 ||
            store_next(&rows, &row, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
check_owner(struct sealed *sealed, struct store_db *db, unsigned owners, struct store_value value,
            bool *any, struct err *e)
{
    for (size_t i = 0; i < sealed->options.n; i++) {
        const struct sealed_table *table = sealed->options.tables[i];

        if (table->owners == owners && table->of_owner != NULL &&
            check_rows_of(sealed, db, table, value, any, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
sealed_owner(struct store_db *db, unsigned owners, struct store_value owner, struct err *e)
{
    struct sealed *sealed = sealed_of(db);
    struct owner found;
    struct key key;
    bool any = false;
    bool on;

    if (begin(sealed, &on, e) != 0) {
        return -1;
    }
    if (!on) {
        return 0;
    }
    if (key_encode(&owner, 1, &key, e) != 0 ||
        row_owner(sealed, owners, key_span(&key), &found, e) != 0) {
        return -1;
    }
    if (seen_has(&sealed->owners, found.number)) {
        return 0;
    }
    if (bucket_use(sealed, db, found.bucket, e) != 0 ||
        check_owner(sealed, db, owners, owner, &any, e) != 0) {
        return -1;
    }
    /* Not one that has nothing: whoever sends a request chooses whom it asks for. */
    if (any) {
        seen_add(&sealed->owners, found.number);
    }
    return 0;
}

enum sealed_state
sealed_state(const struct store_db *db)
{
    const struct sealed *sealed = sealed_of(db);

    return sealed == NULL ? SEALED_CLOSED : sealed->state;
}

const char *
sealed_state_name(enum sealed_state state)
{
    switch (state) {
    case SEALED_CLOSED:
    case SEALED_ENDED:
        break;
    case SEALED_NO_KEY:
        return "no key";
    case SEALED_NOT_YET:
        return "not yet";
    case SEALED_ON:
        return "sealed";
    }
    return "not open";
}

uint64_t
sealed_rows(const struct store_db *db)
{
    const struct sealed *sealed = sealed_of(db);

    return sealed == NULL ? 0 : sealed->head.rows;
}
