/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutants_make.h - what the mutants are made of: files, credentials, and a generator that makes the
 * same out of them for the same seed. Everything ends the program when it cannot be done.
 */
#pragma once

#include "tests/interop/mutate.h"
#include "tests/support/cmp_client.h"

enum { MATERIAL_TEXTS = 4, MATERIAL_MESSAGE_MAX = 192 * 1024 };

struct material {
    struct mutator random;
    struct buf *files;
    size_t n_files;
    struct cmp_client spent;
    struct cmp_client pinned;
    struct cmp_client open;
    EVP_PKEY *key; /* to be certified, and another NF's */
    struct buf algorithm;
    char *texts[MATERIAL_TEXTS];
    size_t n_texts;
};

/* Files of all folders (a list that ends with NULL), credentials as mutants.c says. */
void material_read(struct material *, uint64_t seed, const char *credentials, char **folders);
void material_free(struct material *);
/* Mutant number `kind`; `out` has MATERIAL_MESSAGE_MAX. */
void material_mutant(struct material *, size_t kind, struct buf *out);
