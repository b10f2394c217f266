/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - what rows rest on, said with them, and how a command that gave rows ends. */
#pragma once

#include <time.h>

#include "db/audit/mirror/mirror.h"
#include "db/audit/print_leaf.h"
#include "db/audit/query/query.h"

/* Borrowed from the mirror. */
struct basis answer_basis(const struct mirror *);
/* JSON of the log's key, for a member of each object. */
char *answer_key(const struct mirror *) OWNED(mem_free);
/* Behind the rows; gives the exit status. `noun`: of what there may be none. */
int answer_end(const struct mirror *, const char *noun, enum sink_format, time_t now,
               const struct query_result *);
