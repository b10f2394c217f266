/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - the reason why something failed.
 *
 * A function that can fail returns 0 or -1 (or an owned pointer or NULL) and takes a `struct err *`
 * as its last parameter. The origin sets it, callers put context in front, the top loop of the
 * program logs or answers once. Nobody branches on the text; a peer never sees it. What a peer may
 * be told is a row of the caller's own table: its number rides along (ca/cmp/message/phrase.h). The
 * caller owns the struct, normally on its stack: no globals, no allocation.
 */
#pragma once

/* Chosen by what the caller will do about it. */
enum err_code {
    ERR_NONE = 0,
    ERR_INPUT,    /* what we were given is malformed or out of range */
    ERR_DENIED,   /* well formed, but not allowed */
    ERR_NOTFOUND, /* what was named does not exist */
    ERR_CONFLICT, /* it exists already, or its state forbids this */
    ERR_BUSY,     /* not now; the same call may succeed later */
    ERR_PIN,      /* a PIN was refused, or must not be tried again */
    ERR_TOKEN,    /* the PKCS #11 token or its module failed */
    ERR_STORE,    /* the database failed */
    ERR_CRYPTO,   /* a cryptographic operation failed or did not verify */
    ERR_IO,       /* files, sockets, processes */
    ERR_STALE,    /* stored is what is older or other than what was signed; no link peer hears it */
};

enum { ERR_VALUE_SIZE = 48 };

struct err {
    enum err_code code;
    char text[512];
    int said;                   /* to the peer: a number of the caller's table; 0: nothing */
    char value[ERR_VALUE_SIZE]; /* and what is filled in there */
};

/*
 * Each of these is -1, visibly so for the compiler and the analyser, so that
 * `return err_set(e, ERR_INPUT, "...")` ends a function.
 *
 * err_set    sets the reason, replacing an earlier one, and what is said to the peer by nothing
 * err_errno  the same with ": " and the text of an errno value behind it
 * err_wrap   puts "context: " in front of the reason; all else stays
 */
#define err_set(e, code, ...) err_failed(err_text((e), (code), __VA_ARGS__))
#define err_errno(e, code, errnum, ...)                                                            \
    err_failed(err_errno_text((e), (code), (errnum), __VA_ARGS__))
#define err_wrap(e, ...) err_failed(err_context((e), __VA_ARGS__))

static inline int
err_failed(int ignored)
{
    (void)ignored;
    return -1;
}

int err_text(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int err_errno_text(struct err *e, enum err_code code, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "input", "denied", ... for logs. Never NULL. */
const char *err_code_name(enum err_code code);

/* The exit status of a program that ends with this reason: 2 for ERR_INPUT (misuse), 3 for
 * ERR_STALE (another start is no use), else 1. */
int err_exit_status(enum err_code code);
