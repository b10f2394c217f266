/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cactl/document.h"

#include <jansson.h>
#include <string.h>

#include "ca/registration/acknowledgement.h"
#include "ca/registration/restore_plan.h"

struct kind {
    const char *name; /* the first line; of JSON the member "kind" */
    bool json;
    const char *question;
    char *(*read)(struct span text, struct err *e);
};
static const struct kind KINDS[] = {
    {RESTORE_PLAN_KIND, true, "Sign this restore", restore_plan_read},
    {ACKNOWLEDGEMENT_KIND, true, "Sign that you know of this line", acknowledgement_show},
};

static void
json_cleanup(json_t **value)
{
    json_decref(*value);
}

static struct span
first_line(struct span text)
{
    const uint8_t *end = text.n == 0 ? NULL : memchr(text.p, '\n', text.n);

    return end == NULL ? text : span_of(text.p, (size_t)(end - text.p));
}

static const struct kind *
find(struct span name, bool json)
{
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        if (KINDS[i].json == json && span_equal(span_str(KINDS[i].name), name)) {
            return &KINDS[i];
        }
    }
    return NULL;
}

static const struct kind *
kind_of(struct span text)
{
    const struct span line = first_line(text);
    CLEANUP(json_cleanup) json_t *object = NULL;
    const char *kind;

    if (!span_equal(line, SPAN_LITERAL("{"))) {
        return find(line, false);
    }
    object = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    kind = json_string_value(json_object_get(object, "kind"));
    return kind == NULL ? NULL : find(span_str(kind), true);
}

char *
document_read(struct span text, const char **question, struct err *e)
{
    const struct kind *kind = kind_of(text);

    if (kind == NULL) {
        (void)err_set(e, ERR_INPUT,
                      "no document that officers sign: give the file as nfpki-ca --restore or "
                      "--acknowledge printed it; a request is signed with approve or reject");
        return NULL;
    }
    *question = kind->question;
    return kind->read(text, e);
}
