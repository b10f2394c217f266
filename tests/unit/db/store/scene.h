/* SPDX-License-Identifier: Apache-2.0 */
/* scene.h - a folder with a database of two schemas, and what is told and asked of it. */
#pragma once

#include "db/store/store.h"

enum { SCENE_APPLICATION = STORE_APPLICATION('t', 'e', 's', 't') };

/* Of one client each. */
extern const struct store_migration scene_first[];
extern const struct store_migration scene_second[];

struct scene {
    char *dir;
    char *path;
    struct tasks *tasks;
};

/* An empty folder; scene_end() it. */
struct scene scene_new(void);
void scene_end(struct scene *);
/* The database in it, NULL with the reason in e; the other fails the test instead. */
struct store *scene_open(const struct scene *, struct err *e);
struct store *scene_must_open(const struct scene *);

struct sql_op {
    struct store_op op;
    const char *sql;
    const char *name; /* bound when not NULL */
    int64_t number;
    int64_t answer;
    struct err e;
};

int scene_run_insert(struct store_op *, struct store_db *, struct err *);
int scene_insert(struct store *, const char *name, int64_t number, struct err *e);
/* The one number that this query has for an answer. */
int64_t scene_number(struct store *, const char *sql);
