/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/client/attempted.h"

#include <string.h>

#include "base/ossl.h"

enum { NUMBER = 8 };

static void
put_number(uint8_t *out, uint64_t number)
{
    for (size_t i = 0; i < NUMBER; i++) {
        out[i] = (uint8_t)(number >> (8 * (NUMBER - 1 - i)));
    }
}

static uint64_t
get_number(const uint8_t *in)
{
    uint64_t number = 0;

    for (size_t i = 0; i < NUMBER; i++) {
        number = number << 8 | in[i];
    }
    return number;
}

int
attempted_chain(uint8_t chain[ATTEMPTED_HASH], uint64_t number, char kind,
                const uint8_t hash[ATTEMPTED_HASH], struct err *e)
{
    uint8_t link[ATTEMPTED_HASH + NUMBER + 1 + ATTEMPTED_HASH];

    memcpy(link, chain, ATTEMPTED_HASH);
    put_number(link + ATTEMPTED_HASH, number);
    link[ATTEMPTED_HASH + NUMBER] = (uint8_t)kind;
    memcpy(link + ATTEMPTED_HASH + NUMBER + 1, hash, ATTEMPTED_HASH);
    return sha256(span_of(link, sizeof(link)), chain, e);
}

void
attempted_ask(uint64_t first, uint8_t out[ATTEMPTED_QUESTION_SIZE])
{
    put_number(out, first);
}

int
attempted_asked(struct span question, uint64_t *first, struct err *e)
{
    if (question.n != ATTEMPTED_QUESTION_SIZE || get_number(question.p) == 0) {
        return err_set(e, ERR_INPUT, "not the number of a line, from 1, in %d octets",
                       ATTEMPTED_QUESTION_SIZE);
    }
    *first = get_number(question.p);
    return 0;
}

/* ---- what stands behind the hash ---- */

static size_t
rest_size(const struct attempted *a)
{
    if (a->bare) {
        return 0;
    }
    switch (a->kind) {
    case 'T':
        return ATTEMPTED_SERIAL;
    case 'L':
        return NUMBER;
    case 'K':
        return NUMBER + ATTEMPTED_HASH;
    default:
        return 0;
    }
}

static void
put_rest(const struct attempted *a, uint8_t *out)
{
    if (a->kind == 'T') {
        memcpy(out, a->serial, ATTEMPTED_SERIAL);
        return;
    }
    put_number(out, a->size);
    if (a->kind == 'K') {
        memcpy(out + NUMBER, a->root, ATTEMPTED_HASH);
    }
}

static void
get_rest(struct attempted *a, const uint8_t *in)
{
    if (a->kind == 'T') {
        memcpy(a->serial, in, ATTEMPTED_SERIAL);
        return;
    }
    a->size = get_number(in);
    if (a->kind == 'K') {
        memcpy(a->root, in + NUMBER, ATTEMPTED_HASH);
    }
}

/* ---- the answer ---- */

int
attempted_begin(struct buf *out, uint64_t lines, struct err *e)
{
    uint8_t octets[NUMBER];

    put_number(octets, lines);
    return buf_set(out, span_of(octets, sizeof(octets)), e);
}

int
attempted_begin_chain(struct buf *out, const uint8_t chain[ATTEMPTED_HASH], struct err *e)
{
    return buf_append(out, span_of(chain, ATTEMPTED_HASH), e);
}

bool
attempted_add(struct buf *out, const struct attempted *a)
{
    const size_t rest = rest_size(a);
    uint8_t line[ATTEMPTED_LINE_MAX];
    struct err ignored = {0};

    line[0] = (uint8_t)a->kind;
    line[1] = (uint8_t)rest;
    memcpy(line + 2, a->hash, ATTEMPTED_HASH);
    if (rest > 0) {
        put_rest(a, line + 2 + ATTEMPTED_HASH);
    }
    return buf_append(out, span_of(line, 2 + ATTEMPTED_HASH + rest), &ignored) == 0;
}

int
attempted_open(struct span answer, uint64_t first, struct attempted_page *page, struct err *e)
{
    *page = (struct attempted_page){.first = first, .next = first};
    if (answer.n < NUMBER) {
        return err_set(e, ERR_INPUT, "what was attempted: an answer of %zu octets", answer.n);
    }
    page->lines = get_number(answer.p);
    page->is_short = page->lines < first - 1;
    if (page->is_short ? answer.n != NUMBER : answer.n < ATTEMPTED_HEAD) {
        return err_set(e, ERR_INPUT, "what was attempted: an answer of %zu octets", answer.n);
    }
    if (!page->is_short) {
        memcpy(page->chain, answer.p + NUMBER, ATTEMPTED_HASH);
        page->rest = span_of(answer.p + ATTEMPTED_HEAD, answer.n - ATTEMPTED_HEAD);
    }
    return 0;
}

int
attempted_next(struct attempted_page *page, struct attempted *a, bool *there, struct err *e)
{
    const struct span in = page->rest;
    size_t size;

    *there = in.n > 0;
    if (!*there) {
        return 0;
    }
    *a = (struct attempted){.number = page->next};
    if (in.n >= 2 + ATTEMPTED_HASH) {
        a->kind = (char)in.p[0];
        a->bare = in.p[1] == 0;
        memcpy(a->hash, in.p + 2, ATTEMPTED_HASH);
    }
    size = 2 + ATTEMPTED_HASH + rest_size(a);
    if (in.n < size || in.p[1] != size - 2 - ATTEMPTED_HASH || page->next > page->lines) {
        return err_set(e, ERR_INPUT, "what was attempted: line %llu is not one",
                       (unsigned long long)page->next);
    }
    if (!a->bare) {
        get_rest(a, in.p + 2 + ATTEMPTED_HASH);
    }
    page->rest = span_of(in.p + size, in.n - size);
    page->next++;
    return 0;
}
