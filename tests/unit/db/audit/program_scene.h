/* SPDX-License-Identifier: Apache-2.0 */
/* program_scene.h - nfpki-audit, run over a ledger with one of everything. */
#pragma once

#include "tests/unit/db/audit/ledger.h"

enum { OUTPUT_MAX = 4 << 20, ARGS_MAX = 10 };

/* A ledger with one of everything. */
struct scene {
    struct audit_ledger l;
    struct audit_enrolment registrar;
    struct audit_enrolment revoked;
    struct audit_enrolment confirmed;
    struct audit_enrolment rejected;
    struct audit_enrolment issued;
    const char *out_path;    /* where its output goes; NULL: into `out` */
    const char *environment; /* "NAME=value"; NULL: none */
    char out[OUTPUT_MAX];
    char errors[OUTPUT_MAX];
};

/* A test's set-up and tear-down. */
int scene_begin(void **state);
int scene_end(void **state);
#define SCENE(test) cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)

/* Runs it with these arguments (NULL ends them), gives its exit status. */
int scene_run(struct scene *, const char *const *args);
#define RUN(s, ...) scene_run((s), (const char *const[]){__VA_ARGS__, NULL})
void assert_says(const char *text, const char *wanted);
/* Beside the ledger. */
char *scene_path(const struct scene *, const char *name) OWNED(mem_free);
/* The file of the log's key. */
char *scene_key(const struct scene *) OWNED(mem_free);
