/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/query/words.h"

#include <stdio.h>
#include <string.h>

#include "db/audit/query/cells.h"

enum { TOLD_MAX = 40, SEPARATOR = '|' };

static bool
has_word(const char *words, const char *typed)
{
    while (words != NULL && *words != '\0') {
        const size_t n = strcspn(words, "|");

        if (n == strlen(typed) && memcmp(words, typed, n) == 0) {
            return true;
        }
        words += n + (words[n] == SEPARATOR ? 1 : 0);
    }
    return false;
}

static void
tell(struct err *e, const char *word, size_t n, bool is_first)
{
    const size_t at = strlen(e->text);

    (void)snprintf(e->text + at, sizeof(e->text) - at, "%s%.*s", is_first ? " " : " | ", (int)n,
                   word);
}

static void
refuse(const struct noun *noun, int filter, struct err *e)
{
    const char *words = noun->words[filter];

    (void)err_set(e, ERR_INPUT, "--%s of %s is one of:", filter_option((enum filter)filter),
                  noun->name);
    for (const char *w = words; w != NULL && *w != '\0';) {
        const size_t n = strcspn(w, "|");

        tell(e, w, n, w == words);
        w += n + (w[n] == SEPARATOR ? 1 : 0);
    }
}

int
words_check(const struct noun *noun, const struct filters *filters, struct err *e)
{
    for (int f = 0; f < FILTERS; f++) {
        const char *typed = filters->typed[f];

        if (typed != NULL && noun->words[f] != NULL && noun->there[f] == NULL &&
            !has_word(noun->words[f], typed)) {
            refuse(noun, f, e);
            return -1;
        }
    }
    return 0;
}

/* What others chose is told when it is a word, and drives no terminal. */
static bool
is_word(const char *text)
{
    return *text != '\0' && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789-_., ")] == '\0';
}

/* 1: the record has it; 0: it has not, and `e` tells what it has. */
static int
ask(sqlite3 *db, const struct noun *noun, int filter, const char *typed, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    struct err told = {0};
    size_t n = 0;
    int rc;

    if (statement_prepare(db, noun->there[filter], &statement, e) != 0) {
        return -1;
    }
    refuse(noun, filter, &told);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *word = (const char *)sqlite3_column_text(statement, 0);

        if (word != NULL && sqlite3_stricmp(word, typed) == 0) {
            return 1;
        }
        if (word != NULL && is_word(word) && !has_word(noun->words[filter], word) &&
            n++ < TOLD_MAX) {
            tell(&told, word, strlen(word), noun->words[filter] == NULL && n == 1);
        }
    }
    if (statement_ended(statement, rc, e) != 0) {
        return -1;
    }
    *e = told;
    return 0;
}

int
words_ask(sqlite3 *db, const struct noun *noun, const struct filters *filters, struct err *e)
{
    for (int f = 0; f < FILTERS; f++) {
        const char *typed = filters->typed[f];

        if (typed != NULL && noun->there[f] != NULL && !has_word(noun->words[f], typed) &&
            ask(db, noun, f, typed, e) != 1) {
            return -1;
        }
    }
    return 0;
}
