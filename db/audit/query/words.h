/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h - a word that a filter of a noun can never find is a mistake of who typed it, not an
 * answer: it is refused, with those that there are. Private to query/.
 */
#pragma once

#include "db/audit/query/noun.h"

/* Of what is the same in every record. ERR_INPUT. */
int words_check(const struct noun *, const struct filters *, struct err *e);
/* And of what this record has beside that. ERR_INPUT; ERR_STORE. */
int words_ask(sqlite3 *, const struct noun *, const struct filters *, struct err *e);
