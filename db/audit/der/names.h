/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - of whom a certificate says that it is: subject and subjectAltName, read without a
 * decoder for its key. What others chose comes out as text that drives no terminal and has no NUL
 * (base/text.h).
 */
#pragma once

#include "db/audit/der/outline.h"

/* RFC 2253; NULL when it is no Name. */
char *audit_names_subject(const struct audit_outline *) OWNED(mem_free);

/* `type`: "CN", "DNS", "URI", "IP", "email", "other". */
typedef int audit_names_each(void *arg, const char *type, const char *value, struct err *e);
/* *whole false: something in it is not as RFC 5280 has it, and what came before was told. */
int audit_names_read(const struct audit_outline *, audit_names_each *, void *arg, bool *whole,
                     struct err *e);
