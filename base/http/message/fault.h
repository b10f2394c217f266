/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.h - everything that a request can be refused for before anybody looks at its path: the
 * status, the reason in words and the clause. nfpki-ra.conf(5) lists the same under REFUSED.
 *
 * The words are ours alone: no octet of a peer is in them. Pure.
 */
#pragma once

enum http_fault {
    HTTP_FAULT_NONE,
    HTTP_FAULT_BARE_LF,
    HTTP_FAULT_BARE_CR,
    HTTP_FAULT_NUL,
    HTTP_FAULT_FOLD,
    HTTP_FAULT_EMPTY_LINES,
    HTTP_FAULT_REQUEST_LINE,
    HTTP_FAULT_TARGET,
    HTTP_FAULT_TARGET_CHARACTER,
    HTTP_FAULT_TARGET_LENGTH,
    HTTP_FAULT_METHOD,
    HTTP_FAULT_VERSION,
    HTTP_FAULT_FIELD,
    HTTP_FAULT_HEADER_SIZE,
    HTTP_FAULT_NO_HOST,
    HTTP_FAULT_HOSTS,
    HTTP_FAULT_TYPE,
    HTTP_FAULT_EXPECT,
    HTTP_FAULT_LENGTH,
    HTTP_FAULT_LENGTHS,
    HTTP_FAULT_NO_LENGTH,
    HTTP_FAULT_FRAMINGS,
    HTTP_FAULT_CODING,
    HTTP_FAULT_CODINGS,
    HTTP_FAULT_CODING_1_0,
    HTTP_FAULT_CHUNK,
    HTTP_FAULT_IGNORED,
    HTTP_FAULT_CONTENT,
    HTTP_FAULT_CONTENT_SIZE,
    HTTP_FAULTS /* how many */
};

/* 0 for HTTP_FAULT_NONE. */
int http_fault_status(enum http_fault);
/* "a folded header line" */
const char *http_fault_reason(enum http_fault);
/* "RFC 9112 5.2" */
const char *http_fault_clause(enum http_fault);
