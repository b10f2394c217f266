/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listed.h - what the record says that a CRL has: for who compares one that is out. As issuance.h:
 * inside a store operation. The rows of what is revoked are believed: issuance_verify() compares
 * them with their leaves.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "db/store/store.h"

/* Each entry by its serial number, shorter ones first, as the CRL-INTENT of this number says it:
 * what was revoked before it and had not ended before what it leaves out. *announced false: there
 * is none, as in a record of before version 2, or for a CRL that a restore found. */
int issuance_listed_each(struct store_db *, uint64_t number,
                         void (*visit)(void *arg, struct span serial, time_t date, int reason),
                         void *arg, bool *announced, struct err *e);
