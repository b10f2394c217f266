/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
err_text(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    assert(code != ERR_NONE);
    e->code = code;
    e->said = 0;
    e->value[0] = '\0';
    va_start(ap, fmt);
    (void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    return -1;
}

int
err_errno_text(struct err *e, enum err_code code, int errnum, const char *fmt, ...)
{
    char text[sizeof(e->text)];
    char reason[128];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_text(e, code, "%s: %s", text, strerror_r(errnum, reason, sizeof(reason)));
}

int
err_context(struct err *e, const char *fmt, ...)
{
    char context[sizeof(e->text)];
    char reason[sizeof(e->text)];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(context, sizeof(context), fmt, ap);
    va_end(ap);
    memcpy(reason, e->text, sizeof(reason));
    (void)snprintf(e->text, sizeof(e->text), "%.254s: %.254s", context, reason);
    return -1;
}

const char *
err_code_name(enum err_code code)
{
    switch (code) {
    case ERR_NONE:
        return "none";
    case ERR_INPUT:
        return "input";
    case ERR_DENIED:
        return "denied";
    case ERR_NOTFOUND:
        return "not-found";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_BUSY:
        return "busy";
    case ERR_PIN:
        return "pin";
    case ERR_TOKEN:
        return "token";
    case ERR_STORE:
        return "store";
    case ERR_CRYPTO:
        return "crypto";
    case ERR_IO:
        return "io";
    case ERR_STALE:
        return "stale";
    }
    return "unknown";
}

int
err_exit_status(enum err_code code)
{
    return code == ERR_INPUT ? 2 : code == ERR_STALE ? 3 : 1;
}
