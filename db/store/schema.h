/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - has a database the tables, indexes and triggers that the migrations make, as they make
 * them, and no others? A trigger that somebody added acts with every statement of ours; one that
 * was dropped refuses nothing.
 */
#pragma once

#include "db/store/store.h"

/* Reads only. `differs` gets each that is missing, is another one, or is not ours, for example
 * "trigger registration_kept: missing"; a version that is not the newest is the only one that is
 * told. Not for tables of SQLite's own. */
int store_check_schema(struct store_db *,
                       const struct store_migration *const schemas[STORE_SCHEMAS_MAX],
                       void (*differs)(void *arg, const char *what), void *arg, struct err *e);
/* The same at a start, which needs them to agree: ERR_STORE with the first difference, the name of
 * the file, and what to do then. */
int store_require_schema(struct store_db *,
                         const struct store_migration *const schemas[STORE_SCHEMAS_MAX],
                         const char *file, const char *advice, struct err *e);
