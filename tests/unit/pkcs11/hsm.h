/* SPDX-License-Identifier: Apache-2.0 */
/* hsm.h - SoftHSM in a folder of its own, and a fresh token "t" in it behind faultp11.so, with a
 * session that is logged in: what the tests of keys stand on. FAULTP11 is unset at both ends. */
#pragma once

#include "base/buf.h"
#include "pkcs11/session.h"

#define SO_PIN SPAN_LITERAL("so-pin-0123456789")
#define USER_PIN SPAN_LITERAL("user-pin-0123456789")

/* For cmocka: *state is an empty folder, which SoftHSM uses. And a new token in it. */
int hsm_folder(void **state);
int hsm_folder_end(void **state);
struct token hsm_token(struct module *, const char *label);

struct hsm {
    char *dir;
    char serial[TOKEN_SERIAL_SIZE];
    struct module *module;
    struct session *session;
};

void hsm_open(struct hsm *);
void hsm_close(struct hsm *);
/* The module and the session are opened again. */
void hsm_again(struct hsm *);
