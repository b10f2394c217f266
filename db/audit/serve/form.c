/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/serve/form.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

void
form_free(struct form *form)
{
    mem_free(form->text);
    *form = (struct form){0};
}

/* In place: it gets no longer. */
static int
unescape(char *text, struct err *e)
{
    const char *from = text;
    char *to = text;
    uint8_t octet;

    for (; *from != '\0'; from++) {
        if (*from != '%') {
            *to++ = (char)(*from == '+' ? ' ' : *from);
            continue;
        }
        if (strlen(from) < 3 ||
            hex_parse((const char[]){from[1], from[2], '\0'}, &octet, 1, e) != 0 || octet == 0) {
            return err_set(e, ERR_INPUT, "behind %% stand two hexadecimal digits, and not 00");
        }
        *to++ = (char)octet;
        from += 2;
    }
    *to = '\0';
    return 0;
}

static int
is_text(const char *text, struct err *e)
{
    struct span rest = span_str(text);
    uint32_t code;

    while (rest.n > 0) {
        const size_t n = text_character(rest, &code);

        if (n == 0) {
            return err_set(e, ERR_INPUT, "what is asked for is no UTF-8");
        }
        rest = span_of(rest.p + n, rest.n - n);
    }
    return 0;
}

static int
take(struct form *form, char *field, struct err *e)
{
    char *value = strchr(field, '=');

    if (value == NULL || value[1] == '\0') {
        return 0;
    }
    *value++ = '\0';
    if (unescape(field, e) != 0 || unescape(value, e) != 0 || is_text(field, e) != 0 ||
        is_text(value, e) != 0) {
        return -1;
    }
    if (form->n == FORM_FIELDS) {
        return err_set(e, ERR_INPUT, "more than %d fields", FORM_FIELDS);
    }
    form->fields[form->n].name = field;
    form->fields[form->n++].value = value;
    return 0;
}

int
form_parse(struct form *form, const char *query, struct err *e)
{
    char *rest;

    form->text = mem_strdup(query);
    rest = form->text;
    for (char *field = strsep(&rest, "&"); field != NULL; field = strsep(&rest, "&")) {
        if (take(form, field, e) != 0) {
            return -1;
        }
    }
    return 0;
}
