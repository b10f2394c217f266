/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempted.h - lines of a signer's journal as its parent is told them (SIGNER_ATTEMPTED,
 * PROTOCOL.md), and the chain over them: who has it over the first n lines knows of each of them
 * that it is the one it was.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    ATTEMPTED_HASH = 32,
    ATTEMPTED_SERIAL = 16,
    ATTEMPTED_QUESTION_SIZE = 8,
    ATTEMPTED_LINE_MAX = 2 + ATTEMPTED_HASH + 8 + ATTEMPTED_HASH,
    ATTEMPTED_HEAD = 8 + ATTEMPTED_HASH,
    ATTEMPTED_MAX = 16 * 1024 - 10, /* of an answer: some 320 lines */
};

/* One attempt to sign. */
struct attempted {
    uint64_t number;                  /* from 1 */
    char kind;                        /* enum signer_object */
    uint8_t hash[ATTEMPTED_HASH];     /* SHA-256 of the object */
    bool bare;                        /* nothing besides: what signers of before wrote, too */
    uint8_t serial[ATTEMPTED_SERIAL]; /* of a certificate */
    uint64_t size;                    /* of a checkpoint: its leaves; of a CRL: its number */
    uint8_t root[ATTEMPTED_HASH];     /* of a checkpoint */
};

/* Over no line it is all zero. Takes line `number` in. */
int attempted_chain(uint8_t chain[ATTEMPTED_HASH], uint64_t number, char kind,
                    const uint8_t hash[ATTEMPTED_HASH], struct err *e);

/* The question, and back: ERR_INPUT when it is none, or not a line's number. */
void attempted_ask(uint64_t first, uint8_t out[ATTEMPTED_QUESTION_SIZE]);
int attempted_asked(struct span question, uint64_t *first, struct err *e);

/* An answer. When there is no line before `first` that the journal has not, its chain is that over
 * all of those, and lines follow; not of need all there are. */
struct attempted_page {
    uint64_t first;
    uint64_t lines; /* that the journal has */
    bool is_short;  /* it ends before first - 1: no chain, no line */
    uint8_t chain[ATTEMPTED_HASH];
    uint64_t next; /* of the line that attempted_next() gives */
    struct span rest;
};

/* Replaces `out`, whose maximum is the answer's. */
int attempted_begin(struct buf *out, uint64_t lines, struct err *e);
int attempted_begin_chain(struct buf *out, const uint8_t chain[ATTEMPTED_HASH], struct err *e);
/* false when there is no room: ask again from there. */
bool attempted_add(struct buf *out, const struct attempted *);

/* Borrows. ERR_INPUT when it is no answer to this question. */
int attempted_open(struct span answer, uint64_t first, struct attempted_page *, struct err *e);
/* *there is false behind the last. ERR_INPUT when it is not whole. */
int attempted_next(struct attempted_page *, struct attempted *, bool *there, struct err *e);
