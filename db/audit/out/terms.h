/* SPDX-License-Identifier: Apache-2.0 */
/* terms.h - numbers in leaves, by the names that their standards give them. */
#pragma once

#include <stdint.h>

/* "keyCompromise" (RFC 5280 5.3.1); NULL: there is none of this number. */
const char *term_crl_reason(int64_t number);
/* Of either case; -1. */
int term_crl_reason_parse(const char *name);
/* "badPOP" (RFC 4210 5.2.3, RFC 9480); NULL. */
const char *term_fail_info(int64_t bit);
