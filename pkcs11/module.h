/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.h - a PKCS #11 module, loaded by its absolute path.
 *
 * Does: dlopen, C_Initialize (with CKF_OS_LOCKING_OK), find tokens, initialise a fresh token.
 * Does not: dlclose (modules crash in their tear-down; libp11 #534, #629), search. One open module
 * per path and process: a second module_open() of it is ERR_CONFLICT. Ownership: sessions borrow
 * the module; close them first. Process: nfpki-signer and nfpki-ceremony only; one thread.
 */
#pragma once

#include <stdbool.h>

#include <p11-kit/pkcs11.h>

#include "base/text.h"

enum {
    TOKEN_LABEL_OCTETS = 32,
    TOKEN_SERIAL_OCTETS = 16,
    TOKEN_LABEL_SIZE = TEXT_SHOWN_SIZE(TOKEN_LABEL_OCTETS),
    TOKEN_SERIAL_SIZE = TEXT_SHOWN_SIZE(TOKEN_SERIAL_OCTETS),
};

/* One present token. Its texts are UTF-8 (PKCS #11 v2.40 3.2), here without the padding and as
 * text_show() has them. */
struct token {
    CK_SLOT_ID slot; /* never kept across restarts: slot numbers move */
    char label[TOKEN_LABEL_SIZE];
    char serial[TOKEN_SERIAL_SIZE];
    char model[TOKEN_SERIAL_SIZE];
    char manufacturer[TOKEN_LABEL_SIZE];
    char firmware[8]; /* "2.6" */
    /* A software token: for rehearsals, tests and demonstrations only. Every program that meets one
     * must say so. Its module, its slot or itself says so by name: behind p11-kit's proxy only the
     * last two do. */
    bool software;
    CK_FLAGS flags;
    unsigned long pin_min, pin_max;
};

struct module;

/* C_Finalize; the library stays mapped, and the module may be opened again. */
void module_close(struct module *);

/*
 * Loads and initialises the module. `path` must be absolute and the file not writable
 * by others (ERR_DENIED). `config` (may be NULL) is the module's own configuration file: it is
 * exported as SOFTHSM2_CONF before C_Initialize, so that a policy or definition file names exactly
 * one token directory. ERR_TOKEN when the library cannot be loaded or initialised.
 */
struct module *module_open(const char *path, const char *config, struct err *e) OWNED(module_close);
DEFINE_CLEANUP(module_cleanup, struct module, module_close)

const CK_FUNCTION_LIST *module_functions(const struct module *);
/* "SoftHSM 2.6": manufacturer or description and version of the library, from C_GetInfo. */
const char *module_description(const struct module *);

/* The one initialised token with this label, and this serial unless NULL or empty: octet for octet,
 * or as text_show() writes it. ERR_NOTFOUND lists what is there; ERR_CONFLICT when more than one
 * matches. */
int module_find_token(struct module *, const char *label, const char *serial, struct token *out,
                      struct err *e);

/* The first slot whose token is not initialised; ERR_NOTFOUND when there is none. */
int module_find_free(struct module *, struct token *out, struct err *e);

/*
 * Initialises the first uninitialised slot with this label, sets the user PIN, and finds the token
 * again by label and serial. ERR_CONFLICT when a token of that label is there already, ERR_NOTFOUND
 * when no slot is free. No session may be open (PKCS #11 v2.40 5.5, C_InitToken).
 * The PINs are 4 .. 255 octets on SoftHSM; another token's limits are checked before anything is
 * done where the token tells them.
 */
int module_init_token(struct module *, const char *label, struct span so_pin, struct span user_pin,
                      struct token *out, struct err *e);

/* The generic reason: "function: CKR_NAME (module ..., token ...)". Always returns -1. */
int module_err(const struct module *, CK_RV rv, const char *function, const char *token,
               struct err *e);
