/* SPDX-License-Identifier: Apache-2.0 */
/* form.h - what a form asks for, its escapes undone (WHATWG URL 5.1). Pure. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum { FORM_FIELDS = 96 };

struct form {
    char *text;
    struct {
        const char *name;
        const char *value; /* never empty */
    } fields[FORM_FIELDS];
    size_t n;
};
/* Zeroed is empty; for CLEANUP. */
void form_free(struct form *);
/* "a=b&c=d"; what has no value was not filled in. ERR_INPUT. */
int form_parse(struct form *, const char *query, struct err *e);
