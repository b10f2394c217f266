/* SPDX-License-Identifier: Apache-2.0 */
/* scene.h - the CA of world.h, which does not run: as it was yesterday, as it is today, and as it
 * would be if it had gone on otherwise; and nfpki-ca --restore. */
#pragma once

#include "tests/unit/ca/daemon/copies.h"

enum { OUTPUT_MAX = 1024 * 1024 };

struct scene {
    struct world *w;
    EVP_PKEY *alice_key;
    X509 *alice;
    EVP_PKEY *bob_key;
    X509 *bob;
    char *yesterday; /* copies of the parts */
    char *today;
    char *elsewhere; /* went on from yesterday's otherwise: one step, */
    char *further;   /* and a second one, as many as today */
};

/* For cmocka: *state is a struct scene. */
int scene_setup(void **state);
int scene_teardown(void **state);

/* Where a file of the world is; mem_free() it. */
char *scene_path(const struct scene *, const char *name);
void scene_put(const struct scene *, const char *name, struct span octets);
/* What this person signs, as a file. */
void scene_sign(const struct scene *, const char *name, const char *text, X509 *, EVP_PKEY *);
/* Makes the plan, which Alice and Bob sign, and does it. */
void scene_approve(const struct scene *);
/* All is of today but the database. */
void scene_lose_the_day(const struct scene *);

/* nfpki-ca --restore with these arguments, NULL behind the last: its exit status, what it wrote
 * into *plan, and what it said in *said, each with a NUL. */
int scene_restore(const struct world *, const char *const *arguments, struct buf *plan,
                  struct buf *said);
/* It fails, writes no plan, and says this. */
void scene_is_refused(const struct world *, const char *row, const char *const *arguments,
                      const char *says);
