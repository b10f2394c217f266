/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h - values of a definition file, checked, with the place in every reason.
 *
 * An option is named as places.h does ("token.label", "key.root.algorithm"); its last part is the
 * name inside `cfg`. All set ERR_INPUT "file:line: option: reason".
 */
#pragma once

#include "base/conf.h"
#include "ceremony/definition/definition.h"
#include "ceremony/definition/place.h"

/* One file while it is read. */
struct reader {
    struct definition *d;
    struct places *places;
    cfg_t *cfg;
};

int value_wrong(const struct reader *, const char *option, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts the place in front of the reason that `e` holds. */
int value_misplaced(const struct reader *, const char *option, struct err *e);

/* NULL when it is not there. */
cfg_t *value_section(const struct reader *, const char *name);
/* "" when it is not there. */
const char *value_get(cfg_t *cfg, const char *option);
int value_required(const struct reader *, cfg_t *cfg, const char *option, const char **out,
                   struct err *e);
int value_text(const struct reader *, cfg_t *cfg, const char *option,
               char out[DEFINITION_TEXT_SIZE], struct err *e);
/* Becomes part of a file name: letters, digits, '.', '_', '-', not first a dot. */
int value_check_label(const struct reader *, const char *option, const char *value, char *out,
                      size_t size, struct err *e);
int value_label(const struct reader *, cfg_t *cfg, const char *option, char *out, size_t size,
                struct err *e);
int value_time(const struct reader *, cfg_t *cfg, const char *option, time_t *out, struct err *e);
int value_order(const struct reader *, const char *option, time_t first, time_t last,
                struct err *e);
int value_hash(const struct reader *, cfg_t *cfg, const char *option, uint8_t out[SHA256_SIZE],
               struct err *e);
/* A name with a CN, without the mark of a rehearsal. */
int value_name(const struct reader *, cfg_t *cfg, const char *option, struct name *out,
               struct err *e);
/* A relative path is taken from the folder of `file`. NULL when it is not there. */
char *value_path(cfg_t *cfg, const char *option, const char *file) OWNED(mem_free);
