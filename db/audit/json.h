/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - what all JSON of the auditor is made of. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/tlog/checkpoint.h"
#include "db/ledger/messages.h"

DEFINE_CLEANUP(json_cleanup, json_t, json_decref)

/* One value, its members ascending, in ASCII, and a line break. */
int json_say(FILE *, const json_t *, struct err *e);
/* The key, and who gave it. */
json_t *json_key(const struct log_key *, bool given);
/* How many messages leaves name, and where they are. */
json_t *json_messages(const struct message_count *);
/* The log, its size, its root and the key that all rests on. */
json_t *json_basis(const struct checkpoint *, const struct log_key *, bool given);
