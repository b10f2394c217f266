/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - one session with one token, found by label and serial.
 *
 * Does: open, log in with the PIN tries guard, count objects, random bytes of the token.
 * Does not: know what is signed, keep the PIN, log, retry a PIN.
 * Ownership: the session owns nothing but its handle; keys borrow it and must not outlive it.
 * Process: nfpki-signer and nfpki-ceremony only; not thread-safe.
 */
#pragma once

#include "pkcs11/module.h"

enum session_mode {
    SESSION_READ_ONLY,  /* service: cannot create or change token objects */
    SESSION_READ_WRITE, /* ceremony: key generation; of a log's signer its anchor (anchor.h) */
};

struct session;

/* Closes; with it a login of this process ends when it is the last session of the token. */
void session_close(struct session *);
/* `serial` is required. Errors as of module_find_token(). */
struct session *session_open(struct module *, const char *label, const char *serial,
                             enum session_mode, struct err *e) OWNED(session_close);
DEFINE_CLEANUP(session_cleanup, struct session, session_close)

/*
 * C_Login as the user. ERR_PIN, without trying, when the token says that the PIN is locked, that
 * this is the final try or that the PIN must be changed; ERR_PIN when the PIN is wrong. Whoever
 * gets ERR_PIN must not try again on its own.
 */
int session_login(struct session *, struct span pin, struct err *e);

/* For CKA_ALWAYS_AUTHENTICATE: C_Login(CKU_CONTEXT_SPECIFIC) with the same guard, between
 * C_SignInit and C_Sign. key.h calls it. */
int session_login_context(struct session *, struct span pin, struct err *e);
int session_logout(struct session *, struct err *e);

/* What is on the token, as this session may see it (log in first to see private objects). */
struct inventory {
    size_t objects; /* of every class, also those whose class cannot be read */
    size_t private_keys, public_keys, secret_keys, certificates, data;
    size_t unreadable; /* class could not be read */
};
int session_inventory(struct session *, struct inventory *out, struct err *e);

/* C_GenerateRandom. */
int session_random(struct session *, uint8_t *out, size_t n, struct err *e);

struct module *session_module(const struct session *);
const struct token *session_token(const struct session *);
CK_SESSION_HANDLE session_handle(const struct session *);
/* module_err() with this session's token. */
int session_err(const struct session *, CK_RV rv, const char *function, struct err *e);
