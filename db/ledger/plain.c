/* SPDX-License-Identifier: Apache-2.0 */
/* Names and texts stay where they are in a copy of the octets; the quotes behind them become NUL.
 */
#include "db/ledger/plain.h"

#include <string.h>

enum { MEMBERS_MAX = 40, DIGITS_MAX = 18 /* whatever they are, an int64_t has room */ };

struct plain {
    struct plain_member members[MEMBERS_MAX];
    size_t n;
    char octets[]; /* and a NUL, which is none of theirs */
};

void
plain_free(struct plain *p)
{
    mem_free(p);
}
DEFINE_CLEANUP(plain_cleanup, struct plain, plain_free)

/* A text from its first quote on; NULL: it has something to escape, or is none. */
static const char *
take_text(char **at)
{
    char *text = *at + 1;
    char *end = text;

    if (**at != '"') {
        return NULL;
    }
    while (*end >= ' ' && *end < 0x7f && *end != '"' && *end != '\\') {
        end++;
    }
    if (*end != '"') {
        return NULL;
    }
    *end = '\0';
    *at = end + 1;
    return text;
}

static bool
take_int(char **at, int64_t *out)
{
    const bool negative = **at == '-';
    const char *first = *at + (negative ? 1 : 0);
    size_t n = 0;

    for (*out = 0; n < DIGITS_MAX && first[n] >= '0' && first[n] <= '9'; n++) {
        *out = *out * 10 + (first[n] - '0');
    }
    if (n == 0 || (first[0] == '0' && (n > 1 || negative))) {
        return false;
    }
    *out = negative ? -*out : *out;
    *at += n + (negative ? 1 : 0);
    return true;
}

static bool
take_word(char **at, const char *word)
{
    const size_t n = strlen(word);

    if (strncmp(*at, word, n) != 0) {
        return false;
    }
    *at += n;
    return true;
}

static bool
take_value(char **at, struct plain_member *m)
{
    if (**at == '"') {
        m->type = PLAIN_TEXT;
        m->text = take_text(at);
        return m->text != NULL;
    }
    if (**at == 't' || **at == 'f') {
        m->type = PLAIN_BOOL;
        m->number = **at == 't' ? 1 : 0;
        return take_word(at, m->number == 1 ? "true" : "false");
    }
    m->type = PLAIN_INT;
    return take_int(at, &m->number);
}

static bool
take_member(struct plain *p, char **at)
{
    struct plain_member *m = &p->members[p->n];

    if (p->n == MEMBERS_MAX) {
        return false;
    }
    m->name = take_text(at);
    if (m->name == NULL || (p->n > 0 && strcmp(p->members[p->n - 1].name, m->name) >= 0) ||
        !take_word(at, ":") || !take_value(at, m)) {
        return false;
    }
    p->n++;
    return true;
}

struct plain *
plain_read(struct span octets)
{
    CLEANUP(plain_cleanup) struct plain *p = mem_zalloc(1, sizeof(*p) + octets.n + 1);
    char *at = p->octets;
    bool more = true;

    memcpy(p->octets, octets.p, octets.n);
    if (!take_word(&at, "{")) {
        return NULL;
    }
    while (more) {
        if (!take_member(p, &at)) {
            return NULL;
        }
        more = *at == ',';
        at += more ? 1 : 0;
    }
    return take_word(&at, "}") && at == p->octets + octets.n ? TAKE(p) : NULL;
}

const struct plain_member *
plain_find(const struct plain *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->members[i].name, name) == 0) {
            return &p->members[i];
        }
    }
    return NULL;
}

size_t
plain_count(const struct plain *p)
{
    return p->n;
}
