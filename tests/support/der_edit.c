/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/der_edit.h"

#include <stdlib.h>

#include "ca/cmp/message/der.h"

/* Child number `n` of the first element of `in`. */
static bool
child(struct span in, size_t n, struct der *outer, struct der *inner)
{
    struct span content;

    if (!der_next(&in, outer)) {
        return false;
    }
    content = outer->content;
    for (size_t i = 0; i <= n; i++) {
        if (!der_next(&content, inner)) {
            return false;
        }
    }
    return true;
}

/* The first number of the path, and what follows it. */
static size_t
step(const char **path)
{
    char *end;
    size_t n = strtoul(*path, &end, 10);

    *path = *end == '.' ? end + 1 : end;
    return n;
}

struct span
der_at(struct span in, const char *path)
{
    while (*path != '\0') {
        struct der outer;
        struct der inner;

        if (!child(in, step(&path), &outer, &inner)) {
            return (struct span){0};
        }
        in = inner.whole;
    }
    return in;
}

static int
edit(struct span in, const char *path, struct span with, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(out->max);
    CLEANUP(buf_free) struct buf changed = BUF_INIT(out->max);
    struct der outer;
    struct der inner;
    size_t before;
    size_t after;

    if (*path == '\0') {
        return buf_append(out, with, e);
    }
    if (!child(in, step(&path), &outer, &inner)) {
        return err_set(e, ERR_NOTFOUND, "no such element");
    }
    before = (size_t)(inner.whole.p - outer.content.p);
    after = before + inner.whole.n;
    if (edit(inner.whole, path, with, &changed, e) != 0 ||
        buf_append(&content, span_of(outer.content.p, before), e) != 0 ||
        buf_append(&content, buf_span(&changed), e) != 0 ||
        buf_append(&content, span_of(outer.content.p + after, outer.content.n - after), e) != 0) {
        return -1;
    }
    return der_append(out, outer.tag, buf_span(&content), e);
}

int
der_edit(struct span in, const char *path, struct span with, struct buf *out, struct err *e)
{
    buf_truncate(out, 0);
    return edit(in, path, with, out, e);
}
