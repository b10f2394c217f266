/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - ceremonies that are refused or stop, and what nfpki-ceremony says to each. */
#pragma once

#include "tests/unit/ceremony/scene.h"

enum kind { ROOT, KEYS, SUB, CRL, SECRET };

/* What happens while a question waits for its answer. */
enum meanwhile {
    NOTHING,
    DATA_OBJECT,      /* somebody puts an object on the token, */
    ANOTHER_PAIR,     /* a key pair, */
    ANOTHER_SECRET,   /* a secret key; */
    FILE_CERTIFICATE, /* into the bundle the certificate, */
    FILE_SERIAL,      /* the token's serial, */
    FILE_DEFINITION,  /* or another definition */
};

enum { ROW_TYPED_MAX = 2 };

struct run_row {
    const char *what;
    enum kind kind;
    const char *command; /* "run alone": without a terminal */
    int status;
    const char *says;
    const char *also; /* NULL: nothing else */
    struct change changes[SCENE_CHANGES_MAX];
    struct typed typed[ROW_TYPED_MAX];
    enum meanwhile meanwhile;  /* at the question typed[0], which may have its right answer */
    const char *fault;         /* of tests/unit/pkcs11/faultp11.c */
    struct scene_times *times; /* NULL: as always */
};

extern const struct run_row run_rows[];
extern const size_t n_run_rows;
