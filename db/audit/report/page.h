/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h - the one page of a report: a header that lets nothing in from anywhere (no script, no
 * network, one style sheet of ours), tables, and text from leaves as escape.h has it, in <bdi>.
 * What is not called `text` is ours, and HTML.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "db/audit/out/sink.h"

void page_begin(FILE *, const char *title);
/* The style sheet that it has, as it stands between its tags. */
struct span page_style(void);
void page_end(FILE *);
/* Of others: escaped, for the direction of its letters apart from what is around it. */
void page_text(FILE *, const char *text);
/* A part of a query or path, each octet but letters, digits and -._~ by its number. */
void page_part(FILE *, struct span text);
/* A cell as people read it, escaped; times with their zone. */
void page_cell(FILE *, const struct cell *);

/* A table with its rows; heads are ours, and stand as the cells of the first row do. */
void page_table_begin(FILE *, const char *caption, const char *const *heads,
                      const struct cell *first, size_t n);
/* Of each bit in `shown` the cell leads to /show/CELL: a leaf, a serial number or what is no
 * longer, or a UUID, and nothing else. */
void page_table_row(FILE *, const struct cell *, size_t n, uint64_t shown);
void page_table_end(FILE *);
