/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>

#include "ca/x509/lint/extensions.h"

int
lint_departs(struct err *e, const char *field, const char *why)
{
    ERR_clear_error();
    return err_set(e, ERR_DENIED, "lint: %s: %s", field, why);
}
