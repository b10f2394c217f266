/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ossl_err.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

int
ossl_err_text(struct err *e, enum err_code code, const char *fmt, ...)
{
    unsigned long last = ERR_peek_last_error();
    const char *reason = last == 0 ? NULL : ERR_reason_error_string(last);
    char text[sizeof(e->text)];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    ERR_clear_error();
    return err_text(e, code, "%s%s%s", text, reason == NULL ? "" : ": ",
                    reason == NULL ? "" : reason);
}

enum err_code
ossl_code(enum err_code otherwise)
{
    return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE ? ERR_BUSY : otherwise;
}
