/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_file.h - which files of a published ledger there can be, by name: what db/LEDGER.md lists,
 * and nothing else of the folder. Pure.
 *
 *   checkpoint, log.vkey, witness/0123abcd, tile/0/x001/234[.p/17], tile/entries/x001/234[.p/17],
 *   tile/messages/x001/234[.p/17]
 */
#pragma once

#include <stdbool.h>

/* Is it one, spelled as the one who publishes spells it? */
bool ledger_file_is_one(const char *name);
/* Of one: it is never another. */
bool ledger_file_stays(const char *name);
