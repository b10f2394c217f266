/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h - what the record can say to a clause of those who certify authorities, and what it
 * cannot: a table (evidence.conf) of questions to a mirror, each with how many rows answer it.
 */
#pragma once

#include <sqlite3.h>

#include "db/audit/out/sink.h"

/* What is asked for is a part of the clause or of the name of its document, in any case; NULL: all.
 * *found is how many there are. For people a paragraph for each, else rows. ERR_STORE. */
int evidence_write(sqlite3 *, const char *clause, enum sink_format, FILE *, size_t *found,
                   struct err *e);
