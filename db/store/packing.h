/* SPDX-License-Identifier: Apache-2.0 */
/* packing.h - what a connection has for packed.h, and unpacked(X). Private to db/store/. */
#pragma once

#include <sqlite3.h>
#include <zstd.h>

#include "db/store/packed.h"

/* Levels of Zstandard. JSON is digits of hex and base64 for the most part, which stay 8 bits each
 * below 1; DER becomes no shorter by more. */
enum { PACKING_TEXT = 1, PACKING_OCTETS = -1 };

enum {
    PACKING_MAGIC =
        4, /* octets, of which the first is 0 here, and the others a dictionary's number */
    PACKING_SAMPLES = 3,           /* a dictionary's, */
    PACKING_SAMPLE_MAX = 8 * 1024, /* each */
    PACKING_KINDS = 32,
    PACKING_READ = 16, /* dictionaries that are kept to read with */
};

/* One that may take the place of another. */
struct packing_trial {
    ZSTD_CDict *dictionary;
    struct buf octets;
    unsigned n;
    size_t was, would; /* octets of n values */
};

struct packing_kind {
    const char *name;
    int64_t id;
    ZSTD_CDict *dictionary; /* NULL: there is none */
    struct buf samples[PACKING_SAMPLES];
    unsigned seen;
    struct packing_trial trial;
};

struct packing_dictionary {
    int64_t id; /* 0: none */
    ZSTD_DDict *octets;
};

struct packing {
    ZSTD_CCtx *packer;
    ZSTD_DCtx *unpacker;
    struct packing_kind kinds[PACKING_KINDS];
    struct packing_dictionary read[PACKING_READ];
    unsigned next;   /* of read, to be replaced */
    bool is_new;     /* a dictionary was made since something was undone */
    uint8_t *packed; /* room for any value, */
    uint8_t *octets; /* and for what it is */
};

/* Octets that any packed value has at most. */
size_t packing_room(void);
/* Can it be a dictionary? Zstandard reads more than octets from what begins like one of its own. */
bool packing_can_use(struct span octets);
/* Only no memory makes it NULL, and then the program ends (base/mem.h). */
void *packing_or_die(void *);
/* With what values are packed that are like these, which packing_can_use(). */
ZSTD_CDict *packing_dictionary_new(struct span octets);
void packing_trial_end(struct packing_trial *);
void packing_free(struct packing *);
struct packing *packing_new(void) OWNED(packing_free);
/* Dictionaries of before may not be there any more. */
void packing_undone(struct packing *);
/* unpacked(X) for `sqlite`, which is db's. Returns an SQLite result code. */
int packing_register(struct store_db *, sqlite3 *sqlite);
