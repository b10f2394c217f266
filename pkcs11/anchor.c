/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/anchor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "nfpki-anchor 1 "
#define LABEL "nfpki-anchor "

enum {
    TEXT_SIZE = 256, /* of the value, with a NUL */
    LABEL_SIZE = sizeof(LABEL) + 2 * (size_t)KEY_ID_SIZE,
    RUN_AT = sizeof(BEGIN) - 1,
    GENERATION_AT = RUN_AT + 2 * ANCHOR_RUN_SIZE + 1,
    SIZE_AT = GENERATION_AT + 21,
    ROOT_AT = SIZE_AT + 21,
    TEXT_LENGTH = ROOT_AT + 64,
};

static CK_BBOOL no = CK_FALSE;
static CK_BBOOL yes = CK_TRUE;
static CK_OBJECT_CLASS class_data = CKO_DATA;
static char application[] = "nfpki";

/* ---- the value: one line of text, which tools for tokens show, too ---- */

static void
format(const struct anchor *a, char out[TEXT_SIZE])
{
    char run[2 * ANCHOR_RUN_SIZE + 1];
    char root[2 * sizeof(a->root) + 1];

    hex_format(span_of(a->run, sizeof(a->run)), run);
    hex_format(span_of(a->root, sizeof(a->root)), root);
    (void)snprintf(out, TEXT_SIZE, BEGIN "%s %020" PRIu64 " %020" PRIu64 " %s", run, a->generation,
                   a->size, root);
}

static bool
parse_octets(const char *text, uint8_t *out, size_t n)
{
    char hex[2 * sizeof(((struct anchor *)NULL)->root) + 1];
    struct err e = {0};

    (void)snprintf(hex, sizeof(hex), "%.*s", (int)(2 * n), text);
    return hex_parse(hex, out, n, &e) == 0;
}

/* Only what format() gives. */
static bool
parse(const char text[TEXT_SIZE], struct anchor *out)
{
    char again[TEXT_SIZE];

    if (strlen(text) != TEXT_LENGTH || !parse_octets(text + RUN_AT, out->run, sizeof(out->run)) ||
        !parse_octets(text + ROOT_AT, out->root, sizeof(out->root))) {
        return false;
    }
    out->generation = strtoull(text + GENERATION_AT, NULL, 10);
    out->size = strtoull(text + SIZE_AT, NULL, 10);
    format(out, again);
    return strcmp(text, again) == 0;
}

bool
anchor_equal(const struct anchor *a, const struct anchor *b)
{
    return memcmp(a->run, b->run, sizeof(a->run)) == 0 && a->generation == b->generation &&
           a->size == b->size && memcmp(a->root, b->root, sizeof(a->root)) == 0;
}

static bool
is_newer(const struct anchor *a, const struct anchor *b)
{
    return a->generation != b->generation ? a->generation > b->generation
                                          : memcmp(a->run, b->run, sizeof(a->run)) > 0;
}

/* ---- the objects ---- */

struct objects {
    CK_OBJECT_HANDLE at[ANCHOR_OBJECTS_MAX + 1];
    CK_ULONG n;
    bool found;
    struct anchor newest;
    CK_OBJECT_HANDLE newest_at;
};

static void
label_of(const uint8_t id[KEY_ID_SIZE], char out[LABEL_SIZE])
{
    char hex[2 * KEY_ID_SIZE + 1];

    hex_format(span_of(id, KEY_ID_SIZE), hex);
    (void)snprintf(out, LABEL_SIZE, LABEL "%s", hex);
}

/* Who cannot log in cannot make private ones: others do not count. */
static int
find(struct session *s, const uint8_t id[KEY_ID_SIZE], struct objects *o, struct err *e)
{
    const CK_FUNCTION_LIST *f = module_functions(session_module(s));
    char label[LABEL_SIZE];
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class_data, sizeof(class_data)},
        {CKA_PRIVATE, &yes, sizeof(yes)},
        {CKA_APPLICATION, application, sizeof(application) - 1},
        {CKA_LABEL, label, sizeof(label) - 1},
    };
    CK_RV rv;

    label_of(id, label);
    rv = f->C_FindObjectsInit(session_handle(s), template, ARRAY_LEN(template));
    if (rv != CKR_OK) {
        return session_err(s, rv, "C_FindObjectsInit", e);
    }
    rv = f->C_FindObjects(session_handle(s), o->at, ARRAY_LEN(o->at), &o->n);
    (void)f->C_FindObjectsFinal(session_handle(s));
    if (rv != CKR_OK) {
        return session_err(s, rv, "C_FindObjects", e);
    }
    return o->n <= ANCHOR_OBJECTS_MAX
               ? 0
               : err_set(e, ERR_TOKEN,
                         "token '%s' has more than %d data objects '%s': it does not destroy them",
                         session_token(s)->label, ANCHOR_OBJECTS_MAX, label);
}

/* The value of one; *is_one is false when it is something else, or gone again. */
static int
read_one(struct session *s, CK_OBJECT_HANDLE object, bool *is_one, struct anchor *out,
         struct err *e)
{
    char text[TEXT_SIZE] = {0};
    CK_ATTRIBUTE value = {CKA_VALUE, text, sizeof(text) - 1};
    CK_RV rv = module_functions(session_module(s))
                   ->C_GetAttributeValue(session_handle(s), object, &value, 1);

    *is_one = rv == CKR_OK && parse(text, out);
    switch (rv) {
    case CKR_OK:
    case CKR_BUFFER_TOO_SMALL:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_ATTRIBUTE_TYPE_INVALID:
    case CKR_ATTRIBUTE_SENSITIVE:
        return 0;
    default: /* of PKCS #11 there are a hundred */
        return session_err(s, rv, "C_GetAttributeValue", e);
    }
}

static int
read_all(struct session *s, const uint8_t id[KEY_ID_SIZE], struct objects *o, struct err *e)
{
    if (find(s, id, o, e) != 0) {
        return -1;
    }
    for (CK_ULONG i = 0; i < o->n; i++) {
        struct anchor a = {0};
        bool is_one;

        if (read_one(s, o->at[i], &is_one, &a, e) != 0) {
            return -1;
        }
        if (is_one && (!o->found || is_newer(&a, &o->newest))) {
            o->found = true;
            o->newest = a;
            o->newest_at = o->at[i];
        }
    }
    return o->found || o->n == 0
               ? 0
               : err_set(e, ERR_TOKEN,
                         "token '%s': a data object of nfpki (CKA_APPLICATION) that nothing can be "
                         "read from: look who wrote it",
                         session_token(s)->label);
}

int
anchor_read(struct session *s, const uint8_t id[KEY_ID_SIZE], bool *found, struct anchor *out,
            struct err *e)
{
    struct objects o = {0};

    if (read_all(s, id, &o, e) != 0) {
        return -1;
    }
    *found = o.found;
    *out = o.newest;
    return 0;
}

static int
create(struct session *s, const uint8_t id[KEY_ID_SIZE], const struct anchor *a, struct err *e)
{
    char text[TEXT_SIZE];
    char label[LABEL_SIZE];
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class_data, sizeof(class_data)},
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &yes, sizeof(yes)},
        {CKA_MODIFIABLE, &no, sizeof(no)},
        {CKA_APPLICATION, application, sizeof(application) - 1},
        {CKA_LABEL, label, sizeof(label) - 1},
        {CKA_VALUE, text, TEXT_LENGTH},
    };
    CK_OBJECT_HANDLE object = 0;
    CK_RV rv;

    format(a, text);
    label_of(id, label);
    rv = module_functions(session_module(s))
             ->C_CreateObject(session_handle(s), template, ARRAY_LEN(template), &object);
    return rv == CKR_OK ? 0 : session_err(s, rv, "C_CreateObject of a data object", e);
}

int
anchor_write(struct session *s, const uint8_t id[KEY_ID_SIZE], const struct anchor *a,
             struct anchor *newest, size_t *left, struct err *e)
{
    struct objects o = {0};

    *left = 0;
    if (create(s, id, a, e) != 0 || read_all(s, id, &o, e) != 0) {
        return -1;
    }
    if (!o.found) {
        return err_set(e, ERR_TOKEN, "token '%s' does not show the data object that it took",
                       session_token(s)->label);
    }
    *newest = o.newest;
    if (!anchor_equal(newest, a)) {
        return 0; /* whose the newest is destroys the others */
    }
    for (CK_ULONG i = 0; i < o.n; i++) {
        if (o.at[i] != o.newest_at &&
            module_functions(session_module(s))->C_DestroyObject(session_handle(s), o.at[i]) !=
                CKR_OK) {
            (*left)++;
        }
    }
    return 0;
}
