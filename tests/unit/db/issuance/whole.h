/* SPDX-License-Identifier: Apache-2.0 */
/* whole.h - a sealed ca.db with two rows at least in each table, made by the verbs alone, and what
 * it was a while before. */
#pragma once

#include "db/issuance/journal.h"
#include "tests/unit/db/issuance/scene.h"

enum { WHOLE_IDS = 3 };

extern const uint8_t whole_key[STORE_KEY_SIZE];

struct whole {
    struct scene *s;
    char *path;     /* of ca.db */
    char *older;    /* copies: when a part of it was there, */
    char *original; /* and all of it */
    char ids[WHOLE_IDS][ISSUANCE_ID_SIZE];
};

/* For cmocka: *state is a struct whole, whose store is closed. */
int whole_setup(void **state);
int whole_teardown(void **state);

/* The certificate of scene_octets(n). */
struct span whole_der(uint8_t n);
struct span whole_rid(uint8_t n);
struct span whole_serial(uint8_t n);
/* A request under registration `k` (0 to 2). */
struct intend whole_asks(const struct whole *, int k, uint8_t n);
/* What the RA signed, the same for all with this `head` (0, 1). */
const struct issuance_attested *whole_attested(int head);
struct span whole_head(int head);
struct issuance_decision whole_decision(uint8_t n, uint8_t officer, bool approves);
/* Of a key of this kind. */
struct issuance_journal whole_journal(int kind);
/* With its seals. */
void whole_copy(const char *from, const char *to);
