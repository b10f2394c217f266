/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - a sealed database of three tables: things have notes, both belong to who owns the
 * thing, and a name belongs to itself. And whoever can write its file.
 */
#pragma once

#include "db/sealed/sealed.h"

enum { SCENE_OWNERS = 1, SCENE_NAMES = 2 };

extern const struct sealed_table scene_thing; /* key: id */
extern const struct sealed_table scene_note;  /* key: number */
extern const struct sealed_table scene_name;  /* key: name, by_key */

struct scene {
    char *dir;
    char *path;
    char *old; /* a copy of the file, of scene_keep() */
    uint8_t key[SEALED_KEY_SIZE];
    bool no_key;
    bool no_leaves; /* there is no record, commits are counted */
    int more;       /* migrations of later */
    struct sealed *sealed;
    struct store *store;
};

/* An empty folder. */
struct scene scene_new(void);
void scene_end(struct scene *);
/* Opens the store and looks at its seals; closed again after -1. */
int scene_open(struct scene *, enum sealed_state *state, struct err *e);
/* The same, which must be ON. */
void scene_must_open(struct scene *);
void scene_close(struct scene *);
/* Keeps a copy of the file, of a closed store. */
void scene_keep(struct scene *);
/* Things a and b of the owners A and B, a note of each, two names; sealed; kept (scene_keep); then
 * another commit: a has another number, another note, and there is another name. Closed. */
void scene_fill(struct scene *);

/* With SQLite's own library on the closed file; the kept one is ATTACHed as `old`. */
void scene_attack(const struct scene *, const char *sql);
/* In an operation of the running store, past all seals. */
void scene_attack_running(struct scene *, const char *sql);

/* One verb in an operation of its own. */
struct verb {
    struct store_op op;
    int (*run)(struct verb *, struct store_db *, struct err *e);
    struct store_value key; /* or owner */
    const struct sealed_table *table;
    unsigned owners;
    const char *sql; /* with ?1 = key, ?2 = number */
    int64_t number;
    bool found;
    bool fails; /* after all that succeeded */
};
int scene_do(struct scene *, struct verb *, struct err *e);

/* sealed_row, sealed_owner */
int scene_row(struct scene *, const struct sealed_table *, struct store_value key, bool *found,
              struct err *e);
int scene_owner(struct scene *, unsigned owners, struct store_value owner, struct err *e);
/* sealed_change and then this statement, and a leaf. */
int scene_change(struct scene *, const struct sealed_table *, struct store_value key,
                 const char *sql, int64_t number, struct err *e);
/* A whole pass, `max` rows at a time. */
int scene_scrub(struct scene *, size_t max, size_t *seen, struct err *e);
