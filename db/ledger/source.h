/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - where the published files come from: the database, and of messages (messages.h) what
 * was published before, which a database that was restored does not have any more. Private to
 * db/ledger/.
 */
#pragma once

#include "db/ledger/ledger.h"
#include "db/ledger/tiles.h"

struct ledger_source {
    struct store_db *db;
    ledger_message *message; /* NULL: nobody has any */
};
/* Borrows. */
struct tile_source ledger_tile_source(struct ledger_source *);
