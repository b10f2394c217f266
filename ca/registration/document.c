/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a registration's JSON. */
#include "ca/registration/document.h"

#include <string.h>

/* Every member of the object is one of `names` (which NULL ends). */
int
document_members_check(struct document_at at, const char *const *names, struct err *e)
{
    const char *key;
    json_t *value;

    json_object_foreach(at.object, key, value)
    {
        size_t i = 0;

        while (names[i] != NULL && strcmp(names[i], key) != 0) {
            i++;
        }
        if (names[i] == NULL) {
            return err_set(e, ERR_INPUT, "%s%.40s: unknown member", at.prefix, key);
        }
    }
    return 0;
}

int
document_string_get(struct document_at at, const char *key, const char **out, struct err *e)
{
    const json_t *value = json_object_get(at.object, key);

    if (!json_is_string(value)) {
        return err_set(e, ERR_INPUT, "%s%s: %s", at.prefix, key,
                       value == NULL ? "missing" : "must be a string");
    }
    *out = json_string_value(value);
    return 0;
}

int
document_integer_get(struct document_at at, const char *key, int least, int most, int *out,
                     struct err *e)
{
    const json_t *value = json_object_get(at.object, key);
    json_int_t n = json_integer_value(value);

    if (value == NULL) {
        return err_set(e, ERR_INPUT, "%s%s: missing", at.prefix, key);
    }
    if (!json_is_integer(value) || n < least || n > most) {
        return err_set(e, ERR_INPUT, "%s%s: must be %d..%d", at.prefix, key, least, most);
    }
    *out = (int)n;
    return 0;
}

int
document_array_get(struct document_at at, const char *key, const json_t **out, struct err *e)
{
    *out = json_object_get(at.object, key);
    if (!json_is_array(*out)) {
        return err_set(e, ERR_INPUT, "%s%s: %s", at.prefix, key,
                       *out == NULL ? "missing" : "must be an array");
    }
    return 0;
}

const struct registered_profile *
registration_profile(const struct registration *registration, const char *name)
{
    for (size_t i = 0; i < registration->n_profiles; i++) {
        if (strcmp(registration->profiles[i].profile->name, name) == 0) {
            return &registration->profiles[i];
        }
    }
    return NULL;
}
