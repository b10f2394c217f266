/* SPDX-License-Identifier: Apache-2.0 */
/* hsm.h - a fresh SoftHSM token "t" behind faultp11.so, with a session that is logged in: what the
 * tests of keys stand on. FAULTP11 is unset at both ends. */
#pragma once

#include "base/buf.h"
#include "pkcs11/session.h"

#define SO_PIN SPAN_LITERAL("so-pin-0123456789")
#define USER_PIN SPAN_LITERAL("user-pin-0123456789")

struct hsm {
    char *dir;
    struct module *module;
    struct session *session;
};

void hsm_open(struct hsm *);
void hsm_close(struct hsm *);
