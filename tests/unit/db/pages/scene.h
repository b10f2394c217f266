/* SPDX-License-Identifier: Apache-2.0 */
/* scene.h - a store with a key, and a table whose rows say themselves whether they are all of one
 * state. */
#pragma once

#include "db/store/store.h"

extern const struct store_migration scene_tables[];
extern const uint8_t scene_key[STORE_KEY_SIZE];

/* With the key, or without one. */
struct store *scene_open(const char *path, bool key, struct err *e);
struct store *scene_must_open(const char *path, bool key);
/* Under this key, of STORE_KEY_SIZE octets. */
struct store *scene_open_under(const char *path, const uint8_t *key, struct err *e);

/* State `k` becomes `k` + 1: some rows are written, some changed, some deleted. */
int scene_step(struct store *, struct err *e);
/* Which state it is, all of it; -1 when it is none, or reading fails. SQLite's memory is emptied
 * before: each page is read. */
int64_t scene_state(struct store *, struct err *e);
/* SQLite's own check of all that is reachable. */
int scene_check(struct store *, struct err *e);
/* All pages of the file are what their seals say. */
int scene_scrub(struct store *, uint64_t *pages, struct err *e);
enum store_seal scene_seal_state(struct store *);
/* Any SQL that SQLite takes within a transaction. */
int scene_run(struct store *, const char *sql, struct err *e);
