/* SPDX-License-Identifier: Apache-2.0 */
/* The types of ceremonies. */
#include <string.h>

#include "ceremony/definition/definition.h"

static const char *const type_names[] = {"root-generate", "key-generate", "sub-issue", "root-crl",
                                         "secret-generate"};

const char *
ceremony_type_name(enum ceremony_type type)
{
    return type_names[type];
}

bool
definition_makes_token(const struct definition *d)
{
    return d->type == ROOT_GENERATE || d->type == KEY_GENERATE;
}

bool
definition_uses_root(const struct definition *d)
{
    return d->type == SUB_ISSUE || d->type == ROOT_CRL;
}

bool
definition_makes_keys(const struct definition *d)
{
    return !definition_uses_root(d);
}

bool
ceremony_type_by_name(const char *name, enum ceremony_type *out)
{
    for (size_t i = 0; i < ARRAY_LEN(type_names); i++) {
        if (strcmp(name, type_names[i]) == 0) {
            *out = (enum ceremony_type)i;
            return true;
        }
    }
    return false;
}
