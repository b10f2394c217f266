/* SPDX-License-Identifier: Apache-2.0 */
/* row.h - a row of a sealed table: where it belongs and what its seal must be. Private to
 * db/sealed/. */
#pragma once

#include "db/sealed/context.h"

int row_owner(struct sealed *, unsigned owners, struct span octets, struct owner *, struct err *e);

/* All zero is none; CLEANUP(row_end). While it is open no other row of the table can be read. */
struct row {
    const struct sealed_table *table;
    struct span key; /* borrowed */
    bool found;
    uint32_t bucket; /* when it is found, or by_key */
    struct store_rows rows;
};
int row_read(struct sealed *, struct store_db *, const struct sealed_table *, struct span key,
             struct row *, struct err *e);
void row_end(struct row *);
/* The MAC of a row that was found, in this bucket at so many leaves. */
int row_mac(const struct sealed *, const struct row *, uint64_t leaf, uint8_t mac[MAC_SIZE],
            struct err *e);
