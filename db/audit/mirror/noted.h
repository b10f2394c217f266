/* SPDX-License-Identifier: Apache-2.0 */
/*
 * noted.h - checkpoints of this log with what others signed below them: those that were accepted,
 * and what witnesses gave back (table witness_note). Whoever reads them verifies them.
 */
#pragma once

#include "db/audit/mirror/mirror.h"

/* The newest of this key. The mirror is a writable one. */
int mirror_note_keep(struct mirror *, struct span key_id, struct span note, struct err *e);
/* Told of the newest accepted ones, and of all of the other kind. */
typedef int mirror_noted(void *arg, struct span note, struct err *e);
int mirror_notes(struct mirror *, mirror_noted *, void *arg, struct err *e);
/* ERR_CONFLICT when the tree of `earlier`, which is not larger, is no beginning of the accepted
 * one. */
int mirror_begins_with(struct mirror *, const struct checkpoint *earlier, struct err *e);
