/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pkcs11/hsm.h"

#include <stdlib.h>

#include "pkcs11/module.h"
#include "tests/support/softhsm.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

void
hsm_open(struct hsm *h)
{
    struct err e = {0};
    struct token t;

    (void)unsetenv("FAULTP11");
    h->dir = tmpdir_new();
    softhsm_use(h->dir);
    h->module = module_open(TEST_BINARY_DIR "/faultp11.so", NULL, &e);
    assert_non_null(h->module);
    assert_ok(module_init_token(h->module, "t", SO_PIN, USER_PIN, &t, &e), &e);
    h->session = session_open(h->module, "t", t.serial, SESSION_READ_WRITE, &e);
    assert_non_null(h->session);
    assert_ok(session_login(h->session, USER_PIN, &e), &e);
}

void
hsm_close(struct hsm *h)
{
    (void)unsetenv("FAULTP11");
    session_close(h->session);
    module_close(h->module);
    tmpdir_remove(h->dir);
}
