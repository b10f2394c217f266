/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h - the inside of the store: the SQLite connection and its statements. For store.c,
 * statement.c and batch.c only; everybody else uses store.h. Belongs to one thread at a time.
 */
#pragma once

#include <sqlite3.h>

#include "db/pages/pages.h"
#include "db/store/store.h"

enum { CONNECTION_BUCKETS = 64, CONNECTION_PLACES = 256, CONNECTION_MEMORIES = 4 };

struct store_statement {
    struct store_statement *next;
    sqlite3_stmt *sqlite;
    char *sql; /* its own copy */
    bool running;
};

/* Which statement the text at an address was. */
struct connection_place {
    const char *sql;
    struct store_statement *statement;
};

/* What a module keeps beside the connection (store_memory). */
struct connection_memory {
    const void *whose;
    void *octets;
    size_t n;
};

struct store_db {
    sqlite3 *sqlite;
    struct packing *packing;
    struct pages *pages;
    char *path;
    /* The disk or the file failed: whatever a transaction did since cannot be believed. */
    bool broken;
    bool is_edited; /* a value does not decode: of the statement that says so (packed.h) */
    bool current;   /* its schema is this program's */
    bool is_new;    /* nothing was in it, and it was nobody's, when it was opened */
    struct store_statement *statements[CONNECTION_BUCKETS]; /* by their text */
    struct connection_place places[CONNECTION_PLACES];      /* by the address of the text */
    struct connection_memory memories[CONNECTION_MEMORIES];
};

/* Opens, checks whose file it is, brings the schema up to date. On failure connection_close() it.
 */
int connection_open(struct store_db *, const struct store_options *, struct err *e);
void connection_close(struct store_db *);

/* The reason of SQLite result `rc`, by what the caller will do about it. Always returns -1. */
int connection_error(struct store_db *, int rc, const char *doing, struct err *e);
/* ERR_STALE when a page of the file is another than it was, ERR_DENIED when there is no key. */
int connection_check_pages(struct store_db *, struct err *e);
/* Outside of a transaction: all of the WAL goes into the file, and each page gets a seal. */
int connection_seal(struct store_db *, struct err *e);
/* ROLLBACK, or ROLLBACK TO a savepoint: nothing is remembered of what is gone. */
int connection_undo(struct store_db *, const char *sql, struct err *e);
void connection_undone(struct store_db *); /* the second half of it */
/* At the end. */
void connection_forget(struct store_db *);
/* Any number of statements that give no rows. */
int connection_run(struct store_db *, const char *sql, const char *doing, struct err *e);
