/* SPDX-License-Identifier: Apache-2.0 */
/* copies.h - the files of the CA of world.h, put away and put back while it does not run. */
#pragma once

#include "tests/unit/ca/daemon/world.h"

/* What a state is made of; and the token, which of a software token are files, too. */
enum { STATE = 1, LEDGER = 2, CRL = 4, ISSUING = 8, LOG = 16, ALL = 31, TOKEN = 32 };

/* From one folder to another, in the place of what is there. */
void copy_parts(const char *from, const char *to, unsigned which);
void copies_remove(const char *path);

/* The database, with its seals, is kept in a folder of the world; and is what was kept. */
void world_keep(const struct world *);
void world_put_back(const struct world *);
