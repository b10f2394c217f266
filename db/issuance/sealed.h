/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed.h - what the record says of the seals of ca.db (db/pages/pages.h): from when on each of
 * its pages has one. So whoever takes the seals away does not have a file that never had any. As
 * issuance.h: inside a store operation, and in admit of a store.
 */
#pragma once

#include <time.h>

#include "db/store/store.h"

enum issuance_sealed {
    ISSUANCE_NEVER_SEALED,
    ISSUANCE_ROWS_SEALED, /* by an earlier version, whose seals nobody reads any more */
    ISSUANCE_PAGES_SEALED,
};
/* Reads the leaves SEALED; all leaves, in tables of an earlier version. */
int issuance_sealed(struct store_db *, enum issuance_sealed *, struct err *e);

/* The leaf SEALED, unless the record has one of pages. The file is sealed. */
int issuance_sealed_say(struct store_db *, time_t now, struct err *e);
