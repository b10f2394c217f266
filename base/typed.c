/* SPDX-License-Identifier: Apache-2.0 */
#include "base/typed.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"

enum { DIGITS_MAX = 256 };

static bool
is_between(char c)
{
    return c == ':' || c == ' ';
}

int
typed_hex(const char *text, char *out, size_t size)
{
    size_t n = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
    }
    for (; *text != '\0'; text++) {
        if (is_between(*text) && n > 0 && n % 2 == 0 && isxdigit((unsigned char)text[1]) != 0) {
            continue;
        }
        if (isxdigit((unsigned char)*text) == 0 || n + 1 >= size) {
            return -1;
        }
        out[n++] = (char)tolower((unsigned char)*text);
    }
    if (n == 0 || n % 2 != 0) {
        return -1;
    }
    out[n] = '\0';
    return 0;
}

int
typed_hex_parse(const char *text, const char *what, uint8_t *out, size_t n, struct err *e)
{
    char digits[DIGITS_MAX + 1];
    const char *from = digits;

    if (typed_hex(text, digits, sizeof(digits)) == 0) {
        while (strlen(from) > 2 * n && from[0] == '0' && from[1] == '0') {
            from += 2;
        }
        if (strlen(from) == 2 * n) {
            return hex_parse(from, out, n, e);
        }
    }
    return err_set(
        e, ERR_INPUT,
        "%s: '%.80s': %zu hexadecimal digits are wanted, of either case, with or without "
        "0x in front and colons or blanks between octets",
        what, text, 2 * n);
}
