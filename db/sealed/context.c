/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/context.h"

const struct sealed_table *
sealed_table_find(const struct sealed *sealed, unsigned number)
{
    for (size_t i = 0; i < sealed->options.n; i++) {
        if (sealed->options.tables[i]->number == number) {
            return sealed->options.tables[i];
        }
    }
    return NULL;
}

static int
remember(struct sealed *sealed, const struct err *e)
{
    if (!sealed->violated) {
        sealed->violated = true;
        sealed->violation = *e;
    }
    return -1;
}

int
sealed_violation(struct sealed *sealed, const struct sealed_table *table, struct span key,
                 const char *what, struct err *e)
{
    const size_t n = table == NULL ? 1 : table->keys;
    struct store_value values[SEALED_KEYS_MAX];
    char text[KEY_TEXT_SIZE] = "?";

    if (key_decode(key, values, n)) {
        key_text(values, n, text);
    }
    (void)err_set(e, ERR_STALE, "%s: %s %s: %s; see %s(8)", sealed->options.file,
                  table == NULL ? "the rows of" : table->name, text, what, sealed->options.program);
    return remember(sealed, e);
}

int
sealed_violation_all(struct sealed *sealed, const char *what, struct err *e)
{
    (void)err_set(e, ERR_STALE, "%s: %s; see %s(8)", sealed->options.file, what,
                  sealed->options.program);
    return remember(sealed, e);
}
