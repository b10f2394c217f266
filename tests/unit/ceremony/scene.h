/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - a folder in which ceremonies are held for real: nfpki-ceremony with SoftHSM, at a
 * scripted desk (typist.h), with definitions of today.
 */
#pragma once

#include <time.h>

#include "base/mem.h"
#include "tests/unit/ceremony/typist.h"

/* In seconds from now: the beginning of what is certified, and the clock's window. */
struct scene_times {
    long begin;
    long from;
    long until;
    long days; /* that what is certified is good for; 0: as many as it may */
};
extern const struct scene_times scene_usual_times;

struct scene {
    char *dir;
    time_t now; /* of all its definitions */
    struct scene_times times;
    const char *around; /* a command of the shell that runs what is behind it; NULL: none */
};

void scene_free(struct scene *);
struct scene *scene_new(void) OWNED(scene_free);
DEFINE_CLEANUP(scene_cleanup, struct scene, scene_free)

/* One change of a text: the first `from` becomes `to`. NULL: none. */
struct change {
    const char *from;
    const char *to;
};

/* The definitions: NAME.conf is written to the folder with these changes (as many as are given, the
 * rest NULL), for a bundle NAME. The path. */
enum { SCENE_CHANGES_MAX = 4 };
char *scene_root(const struct scene *, const char *name, const struct change *) OWNED(mem_free);
char *scene_keys(const struct scene *, const char *name, const struct change *) OWNED(mem_free);
/* Certifies the issuing key of the bundle `keys` behind the bundle `prev`. */
/* A secret key in the token that the bundle `keys` made. */
char *scene_secret(const struct scene *, const char *name, const char *keys,
                   const struct change *changes);
char *scene_sub(const struct scene *, const char *name, const char *prev, const char *keys,
                const struct change *) OWNED(mem_free);
char *scene_crl(const struct scene *, const char *name, const char *prev, const struct change *)
    OWNED(mem_free);

/* `nfpki-ceremony COMMAND DEFINITION`, "run" at a desk and all others without one, as is "run
 * alone". The status; what was said is a text in `out`. */
int scene_hold(const struct scene *, const char *command, const char *definition,
               const struct typed *other, size_t n_other, struct buf *out);
/* The ceremony is run and sealed, or the test fails. */
void scene_run(const struct scene *, char *definition);
/* The same, rehearsed. */
void scene_rehearse(const struct scene *, char *definition);
