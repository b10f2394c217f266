/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf.h - strict configuration files on libconfuse: the schema is in code, an error names file and
 * line. A file with `$` (environment expansion) or an include is refused, and so is an option that
 * stands there twice: what was reviewed is what runs.
 */
#pragma once

#include <confuse.h>
#include <sys/types.h>

#include "base/buf.h"

enum { CONF_FILE_MAX = 64 * 1024 };

void conf_free(cfg_t *);
DEFINE_CLEANUP(conf_cleanup, cfg_t, conf_free)

/* Parses what stands in `path`, of at most CONF_FILE_MAX octets, against `options` (which must
 * outlive the result). ERR_INPUT "file:line: reason". When `hash` is not NULL it receives the
 * SHA-256 of the file's bytes (32 octets). */
cfg_t *conf_load(const char *path, cfg_opt_t *options, uint8_t *hash, struct err *e)
    __attribute__((warn_unused_result));
/* The same of octets that were read already, so that nobody can change them between two looks. */
cfg_t *conf_parse(const char *path, struct span bytes, cfg_opt_t *options, struct err *e)
    __attribute__((warn_unused_result));

/* The line where the value of `option` of this section (or of the file) ends; when it is not there,
 * or NULL, the last of its section (or of the file). */
int conf_line(cfg_t *section, const char *option);
/* Is the option, which is no list, written there? Else it has its default. */
bool conf_is_written(cfg_t *section, const char *option);
/* ERR_INPUT "file:line: ..." with the line of conf_line(); returns -1. */
int conf_fault(cfg_t *section, const char *option, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A string that must be there and not empty: ERR_INPUT names file, line and option. Borrowed. */
const char *conf_string(cfg_t *cfg, const char *option, struct err *e);

/* The path in `option`, relative ones taken from the folder of the configuration file. Owned. */
char *conf_path(cfg_t *cfg, const char *option, struct err *e) OWNED(mem_free);
/* The same of a list: *n elements, at most `max`, of which one at least is there; an empty one is
 * NULL, and none is there twice. Owned, after a failure, too. */
int conf_paths(cfg_t *cfg, const char *option, char **out, size_t max, size_t *n, struct err *e);

/* The user, by name or number, that is element `index` of `option` (which is there); of what is no
 * list, element 0. ERR_INPUT when there is none of that name. */
int conf_user(cfg_t *cfg, const char *option, unsigned int index, uid_t *out, struct err *e);
