/* SPDX-License-Identifier: Apache-2.0 */
/* verb.h - one verb of a room of db/ as an operation of its own, so that one that fails leaves
 * nothing behind. */
#pragma once

#include "db/store/store.h"

int verb_call(struct store *, int (*verb)(struct store_db *, void *arg, struct err *), void *arg,
              struct err *);
