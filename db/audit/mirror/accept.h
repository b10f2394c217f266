/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.h - the tree that is here is what the log's key signed: from here on views see it. Private
 * to db/audit/mirror/.
 */
#pragma once

#include "db/audit/files.h"
#include "db/audit/mirror/sql.h"
#include "db/audit/rules/rules.h"

/* In the transaction of the last leaves. */
int accept_tree(struct sql *, struct audit_log *, const struct audit_rules *, int64_t sync,
                struct err *e);
/* What questions go by (indexes.sql), when it is not there yet. */
int accept_indexes(struct sql *, struct err *e);
/* A checkpoint that was seen, with all signatures: 'importing', 'accepted', 'refused'. One that is
 * there, octet for octet, gets this state. */
int accept_note(struct sql *, const struct checkpoint *, struct span note, const char *source,
                const char *state, struct err *e);
