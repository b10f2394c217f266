/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/journal/torn.h"

#include <string.h>

#include "pkcs11/signer/journal/line.h"

bool
torn_tail(FILE *file)
{
    int c;

    do {
        c = fgetc(file);
    } while (c != EOF && c != '\n');
    return c == EOF;
}

bool
torn_first(FILE *file, const char *text)
{
    CLEANUP(mem_cleanup) char *line = journal_line_seal(text);
    size_t i = 0;
    int c;

    rewind(file);
    while ((c = fgetc(file)) != EOF && (c == 0 || (i < strlen(line) && c == line[i]))) {
        i++;
    }
    return c == EOF;
}
