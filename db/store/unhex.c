/* SPDX-License-Identifier: Apache-2.0 */
#include "db/store/unhex.h"

#include <stdint.h>

#include "base/mem.h"

static int
digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
unhex(sqlite3_context *context, int n_values, sqlite3_value **values)
{
    const unsigned char *text = sqlite3_value_text(values[0]);
    const int n = sqlite3_value_bytes(values[0]);
    CLEANUP(mem_cleanup) uint8_t *octets = NULL;

    (void)n_values;
    if (text == NULL || n % 2 != 0) {
        return; /* NULL */
    }
    octets = mem_new((size_t)n / 2 + 1);
    for (int i = 0; i < n; i += 2) {
        const int high = digit(text[i]);
        const int low = digit(text[i + 1]);

        if (high < 0 || low < 0) {
            return;
        }
        octets[i / 2] = (uint8_t)(high << 4 | low);
    }
    sqlite3_result_blob(context, octets, n / 2, SQLITE_TRANSIENT);
}

int
unhex_register(sqlite3 *sqlite)
{
    return sqlite3_create_function_v2(sqlite, "unhex", 1,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                      unhex, NULL, NULL, NULL);
}
