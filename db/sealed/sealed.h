/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed.h - rows that only the program itself can have written.
 *
 * Whoever can write the file can edit a row, insert one, delete one, swap two, and put one back to
 * what it was. Each of that is found before a decision rests on the row (sealed_row, sealed_owner),
 * or by the scrub. It does not hold against who runs as the program's user: that process has the
 * key.
 *
 * Each row of a sealed table has a seal: HMAC-SHA-256 under a key of the token over table, key,
 * every column, and the number of leaves in the record at its last change. The seals of all rows of
 * one owner (of a network function, of a public key) stand together, in one of SEALED_BUCKETS
 * buckets. One head has a keyed sum over all seals, how many there are, and the number of leaves:
 * so it says which rows there are, and of when. The sum is MSet-XOR-Hash (Clarke, Devadas, van
 * Dijk, Gassend, Suh: Incremental Multiset Hash Functions and Their Application to Memory Integrity
 * Checking, ASIACRYPT 2003), with a new random nonce at each change. A start reads all seals, no
 * row.
 *
 * What a commit writes besides the rows is the page of each changed seal and the head's: of an
 * enrolment the seals of its network function, three times, and the one of its key.
 *
 * An owner's seals are compared with its rows at its first use since the start, and by the scrub;
 * later uses look at their own row alone. So a request costs the same whatever its network
 * function did before. What was found at the first use stays true, because nobody else can change
 * what the running program has read: the store remembers each page (db/pages/pages.h), and an edit
 * of one, a row that was put back with its seal, or one that was deleted, fails the read itself.
 * So no sum over an owner's seals is made at each use: it would find no more.
 *
 * Use, inside operations of the store:
 *
 *   if (sealed_row(db, &table_registration, STORE_VALUES(store_text(id)), &found, e) != 0) {
 *       return -1;                                       what is read of it now is believed
 *   }
 *   if (sealed_change(db, &table_registration, STORE_VALUES(store_text(id)), e) != 0 ||
 *       store_exec(db, "UPDATE registration SET used = used + 1 WHERE id = ?1", ...) != 0) {
 *
 * New seals are made once, when the transaction ends (sealed_settle), of the rows as they are then:
 * what an operation or a part that failed had noted is taken back with it.
 *
 * A violation is ERR_STALE with table, key and what is wrong with it in the text ("ca.db:
 * registration 0f3a...: edited, or not written by nfpki-ca"). The transaction cannot be committed
 * any more, nor a later one: the store fails (store_is_failed), and nothing is answered from it.
 *
 * Without a context in the store (tests, tools), without a key, and before sealed_begin() all verbs
 * do nothing, and sealed_row() says whether the row is there.
 *
 * Does not: know a table (their owners describe them), log, ask a token.
 */
#pragma once

#include "db/store/store.h"

enum {
    SEALED_KEY_SIZE = 32,
    SEALED_BUCKETS = 1 << 20,
    SEALED_KEYS_MAX = 3,      /* values in the key of a row */
    SEALED_KEY_OCTETS = 1024, /* all values of a key */
    SEALED_TABLES_MAX = 32,
};

/* What is sealed of a table. All texts are constant SQL, and prepared once: nobody else runs the
 * same text. Later migrations may add columns to a sealed table that are NULL in the rows that are
 * there (a NULL is not part of the MAC), and nothing else. */
struct sealed_table {
    unsigned number;  /* 1 to 255, never given to another table */
    const char *name; /* in messages */
    size_t keys;      /* values in a key: a text, a blob or a number each */
    unsigned owners;  /* 1 to 255: tables with the same number have their owners in common */
    bool by_key;      /* the key is the owner: so it is also found that a row was deleted */
    /* The owner (one value; it never changes), then every column:
     * "SELECT nf_instance, * FROM registration WHERE id = ?1". */
    const char *row;
    /* Keys of an owner's rows: "SELECT id FROM registration WHERE nf_instance = ?1". NULL: by_key.
     */
    const char *of_owner;
    /* All keys, in the order of an index: "SELECT id FROM registration ORDER BY id"; and behind
     * one: "SELECT id FROM registration WHERE id > ?1 ORDER BY id". */
    const char *all;
    const char *behind;
};

struct sealed_options {
    const char *file;    /* "ca.db": in messages */
    const char *program; /* "nfpki-ca" */
    const char *token;   /* where the key comes from: "the log signer (section seal)" */
    struct span key;     /* SEALED_KEY_SIZE octets, of the token; empty: there is none */
    const struct sealed_table *const *tables;
    size_t n;
    /* Leaves in the record (ledger_size). NULL: there is no record, commits are counted instead. */
    int (*leaves)(struct store_db *, uint64_t *n, struct err *e);
};

/* ---- the context: one for each store, given to it in store_options ---- */

struct sealed;
/* After store_free. */
void sealed_free(struct sealed *);
/* The key is not kept, but for what is derived from it; all else is borrowed. */
struct sealed *sealed_new(const struct sealed_options *, struct err *e) OWNED(sealed_free);
DEFINE_CLEANUP(sealed_cleanup, struct sealed, sealed_free)
/* store_options.settle, with the context as store_options.context. */
int sealed_settle(void *context, struct store_db *, struct err *e);

/* Behind a transaction that was rolled back without it (store_try): what was noted there is not
 * settled. */
void sealed_forget(struct store_db *);

enum sealed_state {
    SEALED_CLOSED,  /* sealed_open() did not run: verbs fail */
    SEALED_NO_KEY,  /* neither key nor head: nothing is sealed */
    SEALED_NOT_YET, /* a key, and no head: sealed_begin() */
    SEALED_ON,
    SEALED_ENDED, /* sealed_end() ran: verbs do nothing, as without a context */
};

/* ---- at start, each in an operation of its own ---- */

/* The first operation of all. Is the head ours, of as many leaves as there are, and over the
 * seals that there are? ERR_DENIED: a head and no key, or one of another key; ERR_STALE: edited,
 * or put back; both with what to do. Reads all seals (some 100 octets each), no row. A head
 * of an earlier version is taken, too, and the commit of this operation writes one of now. */
int sealed_open(struct store_db *, enum sealed_state *state, struct err *e);
/* How many rows a sealed_begin() would seal. */
int sealed_count(struct store_db *, uint64_t *rows, struct err *e);
/* NOT_YET becomes ON: every row of every table is sealed as it is. The caller has verified all of
 * them in this operation, and appended the leaf that says so. */
int sealed_begin(struct store_db *, uint64_t *rows, struct err *e);
/* All seals are deleted, when there are any, and the state is ENDED until the next sealed_open().
 * The caller believes the rows, and goes on with them in this store, where nobody else changes
 * them. When the operation fails behind it, the store is no more use. */
int sealed_end(struct store_db *, struct err *e);

/* ---- verbs ---- */

/* Before a row is believed. *found tells whether it is there. Its bucket is checked whole (each
 * seal has its row with this MAC) when it is used first since the start,
 * and this row each time. That there is no such row is checked for tables `by_key`; for others
 * sealed_owner() says it. What was changed in this transaction was checked before. */
int sealed_row(struct store_db *, const struct sealed_table *, const struct store_value *key,
               size_t n, bool *found, struct err *e);
/* Before a query over the rows of an owner, at its first use since the start: checks each of them,
 * in all tables with this number of owners, and that none is missing. A NULL is an owner, too. */
int sealed_owner(struct store_db *, unsigned owners, struct store_value owner, struct err *e);
/* Before INSERT, UPDATE or DELETE of this row, by a trigger, too: checks it as sealed_row() does;
 * what it is at the end of the transaction is sealed then. */
int sealed_change(struct store_db *, const struct sealed_table *, const struct store_value *key,
                  size_t n, struct err *e);

/* ---- the scrub, and what status says ---- */

/* All zero is the beginning of a pass. sealed_cursor_free() it. */
struct sealed_cursor {
    bool rows;       /* all seals were seen, now each row of each table: has it a seal? */
    uint32_t bucket; /* of the last seal */
    size_t table;    /* its number; then which of sealed_options.tables */
    struct buf key;  /* of the last seal or row that was seen; empty: none */
};
void sealed_cursor_free(struct sealed_cursor *);
/* Goes on with a pass over everything: `max` seals or rows, also within one owner's; the rows may
 * change in between. *seen: so many. *end: the pass is over, and the cursor is at the beginning
 * again. */
int sealed_scrub(struct store_db *, struct sealed_cursor *, size_t max, size_t *seen, bool *end,
                 struct err *e);

/* "sealed", "no key", "not yet", "not open". */
const char *sealed_state_name(enum sealed_state);
/* In an operation. CLOSED when the store has no context. */
enum sealed_state sealed_state(const struct store_db *);
/* Sealed rows. */
uint64_t sealed_rows(const struct store_db *);
