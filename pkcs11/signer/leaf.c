/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/leaf.h"

#include <ctype.h>
#include <string.h>

static bool
take(struct span *in, char c)
{
    if (in->n == 0 || in->p[0] != (uint8_t)c) {
        return false;
    }
    *in = span_of(in->p + 1, in->n - 1);
    return true;
}

static size_t
digits(struct span in)
{
    size_t n = 0;

    while (n < in.n && in.p[n] >= '0' && in.p[n] <= '9') {
        n++;
    }
    return n;
}

static bool
is_hex(struct span in)
{
    for (size_t i = 0; i < in.n; i++) {
        if (isxdigit(in.p[i]) == 0) {
            return false;
        }
    }
    return true;
}

/* Behind a backslash: how many octets belong to the escape; 0: it is none (RFC 8259 7). */
static size_t
escape(struct span in)
{
    if (in.n >= 5 && in.p[0] == 'u' && is_hex(span_of(in.p + 1, 4))) {
        return 5;
    }
    return in.n >= 1 && in.p[0] != '\0' && strchr("\"\\/bfnrt", in.p[0]) != NULL ? 1 : 0;
}

/* A string; *text is what is between its quotes, {NULL} when there is an escape in it. */
static bool
take_string(struct span *in, struct span *text)
{
    struct span rest = *in;
    bool plain = true;
    size_t n = 0;

    if (!take(&rest, '"')) {
        return false;
    }
    while (n < rest.n && rest.p[n] != '"') {
        size_t step = 0;

        if (rest.p[n] < ' ' || rest.p[n] > '~') {
            return false;
        }
        if (rest.p[n] == '\\') {
            plain = false;
            step = escape(span_of(rest.p + n + 1, rest.n - n - 1));
            if (step == 0) {
                return false;
            }
        }
        n += 1 + step;
    }
    if (n >= rest.n) {
        return false;
    }
    *text = plain ? span_of(rest.p, n) : span_of(NULL, 0);
    *in = span_of(rest.p + n + 1, rest.n - n - 1);
    return true;
}

static bool
take_word(struct span *in, const char *word)
{
    size_t n = strlen(word);

    if (in->n < n || memcmp(in->p, word, n) != 0) {
        return false;
    }
    *in = span_of(in->p + n, in->n - n);
    return true;
}

/* A whole number, or true or false, which nobody wants. */
static bool
take_other(struct span *in, struct span *number)
{
    struct span rest = *in;
    size_t n;

    if (take_word(in, "true") || take_word(in, "false")) {
        return true;
    }
    (void)take(&rest, '-');
    n = digits(rest);
    if (n == 0 || (n > 1 && rest.p[0] == '0')) {
        return false;
    }
    *number = span_of(in->p, (size_t)(rest.p + n - in->p));
    *in = span_of(rest.p + n, rest.n - n);
    return true;
}

/* Each name is behind the one before, so none is there twice. An empty one is behind none, and so
 * is one with an escape, which take_string() leaves empty. */
static bool
is_behind(struct span name, struct span before)
{
    size_t n = name.n < before.n ? name.n : before.n;
    int order = n == 0 ? 0 : memcmp(name.p, before.p, n);

    return order > 0 || (order == 0 && name.n > before.n);
}

static bool
take_member(struct span *in, struct span *before, struct leaf_member *wanted, size_t n)
{
    struct span name = {0};
    struct span text = {0};
    struct span number = {0};

    if (!take_string(in, &name) || !is_behind(name, *before) || !take(in, ':') ||
        !(take_string(in, &text) || take_other(in, &number))) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (span_equal(name, span_str(wanted[i].name))) {
            wanted[i].text = wanted[i].is_number ? number : text;
        }
    }
    *before = name;
    return true;
}

int
leaf_read(struct span leaf, struct leaf_member *wanted, size_t n, struct err *e)
{
    struct span before = {0};
    bool good = take(&leaf, '{') && take_member(&leaf, &before, wanted, n);

    while (good && take(&leaf, ',')) {
        good = take_member(&leaf, &before, wanted, n);
    }
    if (!good || !take(&leaf, '}') || leaf.n != 0) {
        return err_set(e, ERR_INPUT, "not a flat object with ascending names");
    }
    return 0;
}
