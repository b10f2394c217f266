/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pkcs11/hsm.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/module.h"
#include "tests/support/softhsm.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

int
hsm_folder(void **state)
{
    char *dir = tmpdir_new();

    softhsm_use(dir);
    *state = dir;
    return unsetenv("FAULTP11");
}

int
hsm_folder_end(void **state)
{
    tmpdir_remove(*state);
    return unsetenv("FAULTP11");
}

struct token
hsm_token(struct module *m, const char *label)
{
    struct err e = {0};
    struct token t = {0};

    assert_ok(module_init_token(m, label, SO_PIN, USER_PIN, &t, &e), &e);
    return t;
}

static void
open_module(struct hsm *h)
{
    struct err e = {0};

    h->module = module_open(TEST_BINARY_DIR "/faultp11.so", NULL, &e);
    assert_non_null(h->module);
}

static void
log_in(struct hsm *h)
{
    struct err e = {0};

    h->session = session_open(h->module, "t", h->serial, SESSION_READ_WRITE, &e);
    assert_non_null(h->session);
    assert_ok(session_login(h->session, USER_PIN, &e), &e);
}

void
hsm_open(struct hsm *h)
{
    struct token t;
    void *dir;

    (void)hsm_folder(&dir);
    h->dir = dir;
    open_module(h);
    t = hsm_token(h->module, "t");
    memcpy(h->serial, t.serial, sizeof(h->serial));
    log_in(h);
}

void
hsm_again(struct hsm *h)
{
    session_close(h->session);
    module_close(h->module);
    open_module(h);
    log_in(h);
}

void
hsm_close(struct hsm *h)
{
    (void)unsetenv("FAULTP11");
    session_close(h->session);
    module_close(h->module);
    tmpdir_remove(h->dir);
}
