/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ra_report.h - what an RA says of itself and signs: whom it refused, when it began and stopped and
 * with which configuration, and what administrators did there. The CA puts it into the record as it
 * is (db/LEDGER.md, RA-REPORT); it is the RA's word and no more.
 *
 *   nfpki-ra-report/v1
 *   ra <SHA-256 of the SubjectPublicKeyInfo of the key that signs, hex>
 *   ca <SHA-256 of the issuing certificate of the CA that it is meant for, hex>
 *   number <greater than that of the report before, from 1>
 *   previous <SHA-256 of the text of the report before; 64 zeros: there is none since the start>
 *   from <RFC 3339 Z: it tells what happened from here>
 *   to <to here>
 *
 * Then 1 to RA_REPORT_LINES_MAX lines of these, in which a word has no blank and a text goes to the
 * end of its line:
 *
 *   start <time> <version: word> <SHA-256 of its configuration> <of its file of profiles>
 *   stop <time> <why: text>
 *   refused <count> <bit of PKIFailureInfo> <registration, 32 hex digits, or "unknown"> <why: text>
 *   others <count> <bit of PKIFailureInfo>      refused, too, and too many to tell each
 *   did <time> <command: word> <outcome: word> <on what: word> <who: text>
 *
 * Printable ASCII, each line with its line break; numbers in decimal without leading zeros, hex in
 * lower case. The first line keeps it apart from all else that a key of the RA signs: no DER begins
 * so, and no head of a queue. Pure.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/buf.h"

enum {
    RA_REPORT_LINES_MAX = 128,
    RA_REPORT_TEXT_MAX = 24 * 1024,
    RA_REPORT_ID = 32, /* SHA-256 */
    RA_REPORT_WORD_MAX = 64,
    RA_REPORT_WHY_MAX = 160,
    RA_REPORT_FAIL_INFO_MAX = 26, /* the last bit (RFC 9810 5.2.3) */
    RA_REPORT_WORDS = 3,
};

struct ra_report {
    uint8_t ra[RA_REPORT_ID];
    uint8_t ca[RA_REPORT_ID];
    uint64_t number;
    uint8_t previous[RA_REPORT_ID];
    time_t from, to;
};

enum ra_report_what {
    RA_REPORT_START,
    RA_REPORT_STOP,
    RA_REPORT_REFUSED,
    RA_REPORT_OTHERS,
    RA_REPORT_DID,
    RA_REPORT_WHATS
};
/* "refused" */
const char *ra_report_what_name(enum ra_report_what);

/* Everything borrowed; what a line does not have is empty. */
struct ra_report_line {
    enum ra_report_what what;
    time_t at;
    uint64_t count;
    unsigned fail_info;
    struct span word[RA_REPORT_WORDS]; /* in their order */
    struct span text;
};

/* Appends the line. ERR_INPUT for what would not be read: a word that is empty, too long or has a
 * blank, and so on. */
int ra_report_put(struct buf *lines, const struct ra_report_line *, struct err *e);
/* The text that is signed; replaces `out` (maximum RA_REPORT_TEXT_MAX). ERR_INPUT for what
 * ra_report_parse() would not take. */
int ra_report_format(const struct ra_report *, struct span lines, struct buf *out, struct err *e);
/* Strict inverse: exactly these octets, all lines. ERR_INPUT names what is wrong. `lines` borrows
 * from `text`. */
int ra_report_parse(struct span text, struct ra_report *, struct span *lines, struct err *e);
/* The next of lines that were parsed; false behind the last. */
bool ra_report_next(struct span *lines, struct ra_report_line *);
