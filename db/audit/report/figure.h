/* SPDX-License-Identifier: Apache-2.0 */
/* figure.h - a section's rows as a <figure>. Private to report/. */
#pragma once

#include "db/audit/report/rows.h"

int figure_write(const struct report *, const struct section *, const struct rows_window *,
                 FILE *out, struct err *e);
