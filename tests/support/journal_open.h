/* SPDX-License-Identifier: Apache-2.0 */
/* journal_open.h - a signer's journal, of which all lines are read. */
#pragma once

#include "pkcs11/signer/journal/journal.h"

/* As journal_claim() and journal_load() without a snapshot. */
struct journal *journal_open(const char *path, const uint8_t key_hash[32], size_t *torn,
                             struct err *e) OWNED(journal_close);
