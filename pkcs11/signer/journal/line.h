/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line.h - the journal's lines as octets (client/PROTOCOL.md, "Journal"). Pure: which line
 * may stand where, and what follows from it, is journal.c's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "pkcs11/signer/journal/again.h"

enum { JOURNAL_LINE_SIZE = 256 }; /* a line with its line break, and a NUL */

struct tree_head {
    uint64_t size;
    uint8_t root[32];
};

/* `text` with its CRC-32 and a line break behind it. */
char *journal_line_seal(const char *text) OWNED(mem_free);
/* Cuts the CRC-32 off again, of a line without its line break; false when it is another text's. */
bool journal_line_unseal(char *line);

/* What a line says of one attempt to sign. */
struct journal_attempt {
    uint64_t number; /* from 1 */
    char kind;
    uint8_t hash[AGAIN_HASH]; /* SHA-256 of the object */
    bool bare;                /* nothing behind the hash: P, Q; of signers of before T, L and S */
    struct tree_head checkpoint;  /* of K, which is never bare */
    uint8_t serial[AGAIN_SERIAL]; /* of T, when it is not bare */
    struct crl_head crl;          /* of L, when it is not bare */
    bool counts;                  /* false: of signers of before, which did not */
    uint64_t signatures;          /* that were known to be made when this line was added */
};

/* A line that is of no attempt: what was known when a signer ended. */
struct journal_count {
    uint64_t number; /* of the attempt before; 0: none */
    uint64_t signatures;
};
char *journal_count_format(const struct journal_count *) OWNED(mem_free);
/* As below, but that `text` is left as it is when it is anything else. */
bool journal_count_parse(const char *text, struct journal_count *);

/* The text without its CRC-32. */
char *journal_attempt_format(const struct journal_attempt *) OWNED(mem_free);
/* false when `text`, which is taken apart, is anything else. */
bool journal_attempt_parse(char *text, struct journal_attempt *);
