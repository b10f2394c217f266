/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/ledger_file.h"

#include <stddef.h>
#include <string.h>

enum { GROUP = 3, GROUPS_MAX = 7, LEVEL_DIGITS = 2, WIDTH_DIGITS = 3, WIDTH_MAX = 255, KEY_ID = 8 };

static const char digits[] = "0123456789";

/* Digits without a zero in front; their value, or -1. */
static int
take_number(const char **at, size_t most)
{
    const size_t n = strspn(*at, digits);
    int value = 0;

    if (n == 0 || n > most || (n > 1 && **at == '0')) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        value = 10 * value + ((*at)[i] - '0');
    }
    *at += n;
    return value;
}

static bool
take(const char **at, const char *text)
{
    const size_t n = strlen(text);
    const bool is = strncmp(*at, text, n) == 0;

    *at += is ? n : 0;
    return is;
}

static bool
take_group(const char **at)
{
    const bool is = strspn(*at, digits) == GROUP;

    *at += is ? GROUP : 0;
    return is;
}

/* x001/x234/067: no group of zeros stands in front. */
static bool
take_index(const char **at)
{
    bool good = strncmp(*at, "x000", 4) != 0;

    for (int n = 1; good && take(at, "x"); n++) {
        good = n < GROUPS_MAX && take_group(at) && take(at, "/");
    }
    return good && take_group(at);
}

static bool
is_tile(const char *at)
{
    int width;

    if (!take(&at, "entries/") && !take(&at, "messages/") &&
        (take_number(&at, LEVEL_DIGITS) < 0 || !take(&at, "/"))) {
        return false;
    }
    if (!take_index(&at)) {
        return false;
    }
    if (*at == '\0') {
        return true;
    }
    if (!take(&at, ".p/")) {
        return false;
    }
    width = take_number(&at, WIDTH_DIGITS);
    return width >= 1 && width <= WIDTH_MAX && *at == '\0';
}

bool
ledger_file_is_one(const char *name)
{
    if (take(&name, "tile/")) {
        return is_tile(name);
    }
    if (take(&name, "witness/")) {
        return strlen(name) == KEY_ID && strspn(name, "0123456789abcdef") == KEY_ID;
    }
    return strcmp(name, "checkpoint") == 0 || strcmp(name, "log.vkey") == 0;
}

bool
ledger_file_stays(const char *name)
{
    return take(&name, "tile/");
}
