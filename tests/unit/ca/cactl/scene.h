/* SPDX-License-Identifier: Apache-2.0 */
/* scene.h - nfpki-cactl as it is called, with a daemon of the test's own at its socket that
 * answers what the test says. Everything fails the test when it cannot be made. */
#pragma once

#include <jansson.h>

#include "base/buf.h"

enum { CACTL_ARGS_MAX = 14, CACTL_CALLS_MAX = 4, CACTL_OUTPUT_MAX = 64 * 1024 };

struct cactl_scene {
    char *dir;
    char *socket;
    struct event_base *base;
    struct admin_server *server;
    const char *answers[CACTL_CALLS_MAX]; /* JSON objects, one for each call; NULL: refused */
    const char *refusal;
    enum err_code refusal_code;
    json_t *asked[CACTL_CALLS_MAX];
    size_t n_asked;
    /* What the next run gets. */
    int stdin_fd;      /* -1: /dev/null */
    int passphrase_fd; /* becomes descriptor 3; -1: none */
    /* What came of it. */
    int status;
    char out[CACTL_OUTPUT_MAX];
    char errors[CACTL_OUTPUT_MAX];
};

/* For cmocka: *state is a struct cactl_scene. */
int cactl_scene_setup(void **state);
int cactl_scene_teardown(void **state);

/* Runs it with these words (NULL ends them) behind --socket; serves what it asks meanwhile. */
void cactl_run(struct cactl_scene *, const char *const *words);
#define CACTL_RUN(s, ...) cactl_run((s), (const char *const[]){__VA_ARGS__, NULL})
/* The run ended with this status and said this (NULL: nothing) at its standard error. */
void cactl_expect(const struct cactl_scene *, const char *row, int status, const char *says);
/* Writes a file into the folder; its path is owned. */
char *cactl_file(const struct cactl_scene *, const char *name, struct span bytes);
