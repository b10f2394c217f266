/* SPDX-License-Identifier: Apache-2.0 */
/* ossl_err.h - what OpenSSL says of a failure, in a struct err. By way of ossl.h. */
#pragma once

#include "base/err.h"

/* As err_set, with OpenSSL's most recent reason behind it; empties its queue. */
#define ossl_err(e, code, ...) err_failed(ossl_err_text((e), (code), __VA_ARGS__))
int ossl_err_text(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Why a decoder found nothing, whose queue was empty before (ERR_clear_error()): ERR_BUSY when
 * memory was short, for the same octets may decode later, else `otherwise`. Before ossl_err(). */
enum err_code ossl_code(enum err_code otherwise);
