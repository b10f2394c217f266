/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/interop/mutate.h"

#include "base/mem.h"
#include "ca/cmp/message/der.h"

enum { ELEMENTS_MAX = 512, DEPTH_MAX = 32, CONSTRUCTED = 0x20, HIGH_TAG = 0x1f };

struct element {
    struct der der;
    int parent; /* -1: the outermost */
};

struct elements {
    struct element e[ELEMENTS_MAX];
    size_t n;
};

struct mutator
mutator_new(uint64_t seed)
{
    return (struct mutator){seed * 0x9e3779b97f4a7c15U + 1};
}

/* xorshift64* */
size_t
mutator_below(struct mutator *m, size_t bound)
{
    m->state ^= m->state >> 12;
    m->state ^= m->state << 25;
    m->state ^= m->state >> 27;
    return bound == 0 ? 0 : (size_t)((m->state * 0x2545f4914f6cdd1dU) >> 11) % bound;
}

int
mutate_bits(struct mutator *m, struct span in, struct buf *out, struct err *e)
{
    size_t count = 1 + mutator_below(m, 8);

    if (buf_set(out, in, e) != 0) {
        return -1;
    }
    for (size_t i = 0; in.n > 0 && i < count; i++) {
        out->p[mutator_below(m, in.n)] ^= (uint8_t)(1U << mutator_below(m, 8));
    }
    return 0;
}

int
mutate_truncate(struct mutator *m, struct span in, struct buf *out, struct err *e)
{
    return buf_set(out, span_of(in.p, mutator_below(m, in.n)), e);
}

/* Depth first, so a parent stands before its children. */
static void
collect(struct elements *all, struct span in, int parent, int depth)
{
    struct der der;

    while (all->n < ELEMENTS_MAX && der_next(&in, &der)) {
        int own = (int)all->n;

        all->e[all->n++] = (struct element){der, parent};
        if ((der.tag & CONSTRUCTED) != 0 && depth < DEPTH_MAX) {
            collect(all, der.content, own, depth + 1);
        }
    }
}

static struct elements *
elements_of(struct span in)
{
    struct elements *all = mem_zalloc(1, sizeof(*all));

    collect(all, in, -1, 0);
    return all;
}

size_t
mutate_elements(struct span in)
{
    struct elements *all = elements_of(in);
    size_t n = all->n;

    mem_free(all);
    return n;
}

/* Where in `in` the head of a random element is; in.n when there is none. */
static size_t
head_of_any(struct mutator *m, struct span in)
{
    struct elements *all = elements_of(in);
    size_t at = in.n;

    if (all->n > 0) {
        at = (size_t)(all->e[mutator_below(m, all->n)].der.whole.p - in.p);
    }
    mem_free(all);
    return at;
}

int
mutate_length(struct mutator *m, struct span in, struct buf *out, struct err *e)
{
    static const uint8_t lengths[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x88, 0xff};
    size_t at = head_of_any(m, in);

    if (at + 2 > in.n) {
        return mutate_bits(m, in, out, e);
    }
    if (buf_set(out, in, e) != 0) {
        return -1;
    }
    out->p[at + 1] = mutator_below(m, 2) == 0 ? lengths[mutator_below(m, sizeof(lengths))]
                                              : (uint8_t)mutator_below(m, 256);
    return 0;
}

int
mutate_tag(struct mutator *m, struct span in, struct buf *out, struct err *e)
{
    size_t at = head_of_any(m, in);

    if (at >= in.n) {
        return mutate_bits(m, in, out, e);
    }
    if (buf_set(out, in, e) != 0) {
        return -1;
    }
    out->p[at] = (uint8_t)mutator_below(m, 256);
    return 0;
}

int
mutate_splice(struct mutator *m, struct span in, struct span other, struct buf *out, struct err *e)
{
    size_t head = mutator_below(m, in.n + 1);
    size_t tail = mutator_below(m, other.n + 1);

    if (buf_set(out, span_of(in.p, head), e) != 0) {
        return -1;
    }
    return buf_append(out, span_of(other.p + other.n - tail, tail), e);
}

static struct span
any_of(struct mutator *m, const struct elements *all)
{
    return all->n == 0 ? (struct span){0} : all->e[mutator_below(m, all->n)].der.whole;
}

/* The same element with other octets inside. */
static int
scramble(struct mutator *m, const struct der *der, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(64 * 1024);
    size_t n = mutator_below(m, 4) == 0 ? mutator_below(m, 300) : der->content.n;

    for (size_t i = 0; i < n; i++) {
        uint8_t octet = i < der->content.n && mutator_below(m, 4) != 0
                            ? der->content.p[i]
                            : (uint8_t)mutator_below(m, 256);

        if (buf_append(&content, span_of(&octet, 1), e) != 0) {
            return -1;
        }
    }
    return der_append(out, der->tag, buf_span(&content), e);
}

static int
replacement(struct mutator *m, const struct elements *all, const struct der *der, struct span other,
            struct buf *out, struct err *e)
{
    struct elements *others;
    struct span foreign;

    switch (mutator_below(m, 7)) {
    case 0:
        return 0;
    case 1:
        return buf_append(out, der->whole, e) != 0 ? -1 : buf_append(out, der->whole, e);
    case 2:
        return buf_append(out, any_of(m, all), e);
    case 3:
        others = elements_of(other);
        foreign = any_of(m, others);
        mem_free(others); /* the span is of `other` itself */
        return buf_append(out, foreign, e);
    case 4:
        return der_append(out, der->tag, (struct span){0}, e);
    case 5:
        return der_append(out, (uint8_t)(mutator_below(m, 8) << 5 | mutator_below(m, HIGH_TAG)),
                          der->content, e);
    default:
        return scramble(m, der, out, e);
    }
}

/* From the changed element outwards: each element around it gets its new content and length. */
static int
rebuild(const struct elements *all, size_t i, struct buf *changed, struct buf *out, struct err *e)
{
    for (int at = (int)i; all->e[at].parent >= 0; at = all->e[at].parent) {
        const struct der *inner = &all->e[at].der;
        const struct der *outer = &all->e[all->e[at].parent].der;
        size_t before = (size_t)(inner->whole.p - outer->content.p);
        size_t after = before + inner->whole.n;
        CLEANUP(buf_free) struct buf content = BUF_INIT(out->max);

        if (buf_append(&content, span_of(outer->content.p, before), e) != 0 ||
            buf_append(&content, buf_span(changed), e) != 0 ||
            buf_append(&content, span_of(outer->content.p + after, outer->content.n - after), e) !=
                0) {
            return -1;
        }
        buf_truncate(changed, 0);
        if (der_append(changed, outer->tag, buf_span(&content), e) != 0) {
            return -1;
        }
    }
    return buf_set(out, buf_span(changed), e);
}

int
mutate_element(struct mutator *m, struct span in, size_t first, struct span other, struct buf *out,
               struct err *e)
{
    CLEANUP(buf_free) struct buf changed = BUF_INIT(out->max);
    struct elements *all = elements_of(in);
    int result;

    if (all->n <= first) {
        result = mutate_bits(m, in, out, e);
    } else {
        size_t i = first + mutator_below(m, all->n - first);

        result = replacement(m, all, &all->e[i].der, other, &changed, e);
        if (result == 0) {
            result = rebuild(all, i, &changed, out, e);
        }
    }
    mem_free(all);
    return result;
}
