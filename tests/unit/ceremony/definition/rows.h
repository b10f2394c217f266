/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - definitions with every option, and one change each. */
#pragma once

#include <stddef.h>

enum which { A_ROOT, A_KEYS, A_SUB, A_CRL, A_SECRET, DEFINITIONS };

extern const char *const definition_texts[DEFINITIONS];

struct definition_row {
    enum which which;
    const char *from; /* the first one becomes */
    const char *to;
    const char *reason; /* in the text behind the file's name; NULL: it is good */
};

extern const struct definition_row definition_rows[];
extern const size_t n_definition_rows;
