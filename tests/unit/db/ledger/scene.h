/* SPDX-License-Identifier: Apache-2.0 */
/* scene.h - a log with its key, its database and its folder, leaves in it and checkpoints over
 * them. */
#pragma once

#include "base/tlog/checkpoint.h"
#include "db/ledger/ledger.h"

#define SCENE_ORIGIN "log.test/ca1"

struct scene {
    char *dir;
    char *database;
    char *folder;
    EVP_PKEY *private;
    struct buf spki;
    struct tasks *tasks;
    struct store *store;
    struct ledger *ledger;
};

/* For cmocka: *state is a struct scene, with an empty record that was started. */
int scene_set_up(void **state);
int scene_tear_down(void **state);
/* Once more, as another start does. */
struct store *scene_store(const struct scene *);
struct ledger *scene_ledger(const struct scene *);

/* Time of the leaves: another one makes another record. */
extern time_t scene_leaf_at;
struct leaf *scene_leaf(const char *reason);

struct append_op {
    struct store_op op;
    unsigned from;
    unsigned to;
    bool fail;
};

int scene_run_append(struct store_op *, struct store_db *, struct err *);
/* The leaves with these numbers. */
void scene_append(struct scene *, unsigned from, unsigned to);

void scene_sign(EVP_PKEY *key, struct span text, struct buf *signature);
/* Prepares, signs with `key`, publishes: the result of the last step. */
int scene_checkpoint_with(struct scene *, EVP_PKEY *key, uint64_t *size, struct err *e);
/* The same with the right key, and it covers as many leaves. */
void scene_checkpoint(struct scene *, uint64_t size);
/* The checkpoint in the folder. */
struct checkpoint scene_published(const struct scene *);
/* Everything from the files alone: entries, hashes, root. */
void scene_check_files(const struct scene *, uint64_t size);
