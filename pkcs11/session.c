/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/session.h"

#include <string.h>

struct session {
    struct module *module;
    const CK_FUNCTION_LIST *f;
    CK_SESSION_HANDLE handle;
    struct token token;
};

enum { FIND_BATCH = 64, PIN_MAX = 256 };

struct session *
session_open(struct module *module, const char *label, const char *serial, enum session_mode mode,
             struct err *e)
{
    CK_FLAGS flags = CKF_SERIAL_SESSION | (mode == SESSION_READ_WRITE ? CKF_RW_SESSION : 0);
    CK_SESSION_HANDLE handle = 0;
    struct session *s;
    struct token token = {0};
    CK_RV rv;

    if (serial == NULL || serial[0] == '\0') {
        (void)err_set(e, ERR_INPUT, "token '%s': the serial must be named, a label is not unique",
                      label);
        return NULL;
    }
    if (module_find_token(module, label, serial, &token, e) != 0) {
        return NULL;
    }
    rv = module_functions(module)->C_OpenSession(token.slot, flags, NULL, NULL, &handle);
    if (rv != CKR_OK) {
        (void)module_err(module, rv, "C_OpenSession", label, e);
        return NULL;
    }
    s = mem_new(sizeof(*s));
    s->module = module;
    s->f = module_functions(module);
    s->handle = handle;
    s->token = token;
    return s;
}

void
session_close(struct session *s)
{
    if (s == NULL) {
        return;
    }
    (void)s->f->C_CloseSession(s->handle);
    mem_free(s);
}

int
session_err(const struct session *s, CK_RV rv, const char *function, struct err *e)
{
    return module_err(s->module, rv, function, s->token.label, e);
}

/* A wrong PIN on the final try locks the token, for a CA key perhaps for ever: the flags are read
 * anew each time, and only a human may make that try (PKCS #11 v2.40 3.2, CK_TOKEN_INFO). */
static int
pin_guard(struct session *s, struct err *e)
{
    CK_TOKEN_INFO info = {0};
    CK_RV rv = s->f->C_GetTokenInfo(s->token.slot, &info);

    if (rv != CKR_OK) {
        return session_err(s, rv, "C_GetTokenInfo", e);
    }
    s->token.flags = info.flags;
    if ((info.flags & CKF_USER_PIN_LOCKED) != 0) {
        return err_set(e, ERR_PIN, "token '%s': the user PIN is locked; the SO must set a new one",
                       s->token.label);
    }
    if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0) {
        return err_set(e, ERR_PIN,
                       "token '%s': only one PIN try is left; not tried. Log in by hand with the "
                       "right PIN to reset the counter",
                       s->token.label);
    }
    if ((info.flags & CKF_USER_PIN_TO_BE_CHANGED) != 0) {
        return err_set(e, ERR_PIN, "token '%s': the user PIN must be changed first",
                       s->token.label);
    }
    return 0;
}

static int
login(struct session *s, CK_USER_TYPE user, const char *function, struct span pin, struct err *e)
{
    /* C_Login takes a pointer that is not const; the copy is wiped. */
    CLEANUP(buf_free) struct buf copy = BUF_SECRET(PIN_MAX);
    CK_RV rv;

    if (buf_set(&copy, pin, e) != 0 || pin_guard(s, e) != 0) {
        return -1;
    }
    rv = s->f->C_Login(s->handle, user, copy.p, copy.n);
    return rv == CKR_OK ? 0 : session_err(s, rv, function, e);
}

int
session_login(struct session *s, struct span pin, struct err *e)
{
    return login(s, CKU_USER, "C_Login", pin, e);
}

int
session_login_context(struct session *s, struct span pin, struct err *e)
{
    return login(s, CKU_CONTEXT_SPECIFIC, "C_Login (context specific)", pin, e);
}

int
session_logout(struct session *s, struct err *e)
{
    CK_RV rv = s->f->C_Logout(s->handle);

    return rv == CKR_OK ? 0 : session_err(s, rv, "C_Logout", e);
}

static void
count_object(struct session *s, CK_OBJECT_HANDLE object, struct inventory *out)
{
    CK_OBJECT_CLASS class = 0;
    CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof(class)};

    out->objects++;
    if (s->f->C_GetAttributeValue(s->handle, object, &a, 1) != CKR_OK ||
        a.ulValueLen != sizeof(class)) {
        out->unreadable++;
        return;
    }
    switch (class) {
    case CKO_PRIVATE_KEY:
        out->private_keys++;
        break;
    case CKO_PUBLIC_KEY:
        out->public_keys++;
        break;
    case CKO_SECRET_KEY:
        out->secret_keys++;
        break;
    case CKO_CERTIFICATE:
        out->certificates++;
        break;
    case CKO_DATA:
        out->data++;
        break;
    default: /* counted in `objects` only */
        break;
    }
}

int
session_inventory(struct session *s, struct inventory *out, struct err *e)
{
    CK_OBJECT_HANDLE found[FIND_BATCH];
    CK_ULONG n = 0;
    CK_RV rv = s->f->C_FindObjectsInit(s->handle, NULL, 0);

    memset(out, 0, sizeof(*out));
    if (rv != CKR_OK) {
        return session_err(s, rv, "C_FindObjectsInit", e);
    }
    do {
        rv = s->f->C_FindObjects(s->handle, found, FIND_BATCH, &n);
        for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++) {
            count_object(s, found[i], out);
        }
    } while (rv == CKR_OK && n > 0);
    (void)s->f->C_FindObjectsFinal(s->handle);
    return rv == CKR_OK ? 0 : session_err(s, rv, "C_FindObjects", e);
}

int
session_random(struct session *s, uint8_t *out, size_t n, struct err *e)
{
    CK_RV rv = s->f->C_GenerateRandom(s->handle, out, n);

    return rv == CKR_OK ? 0 : session_err(s, rv, "C_GenerateRandom", e);
}

struct module *
session_module(const struct session *s)
{
    return s->module;
}

const struct token *
session_token(const struct session *s)
{
    return &s->token;
}

CK_SESSION_HANDLE
session_handle(const struct session *s)
{
    return s->handle;
}
