/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.h - a random sample of what was issued in a period, which whoever has the mirror can draw
 * again: certificates are ranked by SHA-256(root || serial), where root is that of the first
 * checkpoint that the mirror accepted with a leaf behind the period; the lowest 3 %, one at least,
 * are the sample (BR 8.7).
 */
#pragma once

#include <sqlite3.h>
#include <time.h>

#include "base/tlog/merkle.h"
#include "db/audit/out/sink.h"

struct sample {
    uint64_t size; /* of the checkpoint, */
    struct merkle_hash root;
    size_t issued; /* in the period, */
    size_t drawn;
};

/* Rows: rank, serial, profile, hash, leaf. ERR_NOTFOUND: no checkpoint has a leaf behind `until`.
 */
int sample_write(sqlite3 *, time_t since, time_t until, enum sink_format, FILE *, struct sample *,
                 struct err *e);
