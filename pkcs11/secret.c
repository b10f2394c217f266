/* SPDX-License-Identifier: Apache-2.0 */
/* The table is the policy: it makes the template and is what is read back, as in key_policy.c. */
#include "pkcs11/secret.h"

#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "pkcs11/ckr.h"

struct secret {
    struct session *session;
    const CK_FUNCTION_LIST *f;
    CK_OBJECT_HANDLE object;
    uint8_t id[KEY_ID_SIZE];
};

static CK_BBOOL no = CK_FALSE;
static CK_BBOOL yes = CK_TRUE;
static CK_OBJECT_CLASS class_secret = CKO_SECRET_KEY;
static CK_KEY_TYPE type_generic = CKK_GENERIC_SECRET;
static CK_MECHANISM_TYPE generated_by = CKM_GENERIC_SECRET_KEY_GEN;
static CK_MECHANISM_TYPE hmac = CKM_SHA256_HMAC;
static CK_ULONG octets = 32;

#define ROW(type, value, given)                                                                    \
    {                                                                                              \
        {type, &(value), sizeof(value)}, #type, given                                              \
    }

/* Those that are not given are set by the token and cannot be asked for. */
static const struct {
    CK_ATTRIBUTE attribute;
    const char *name;
    bool given;
} ROWS[] = {
    ROW(CKA_CLASS, class_secret, true),
    ROW(CKA_KEY_TYPE, type_generic, true),
    ROW(CKA_VALUE_LEN, octets, true),
    ROW(CKA_TOKEN, yes, true),
    ROW(CKA_PRIVATE, yes, true),
    ROW(CKA_SENSITIVE, yes, true),
    ROW(CKA_EXTRACTABLE, no, true),
    ROW(CKA_ALWAYS_SENSITIVE, yes, false),
    ROW(CKA_NEVER_EXTRACTABLE, yes, false),
    ROW(CKA_LOCAL, yes, false),
    ROW(CKA_KEY_GEN_MECHANISM, generated_by, false),
    ROW(CKA_MODIFIABLE, no, true),
    ROW(CKA_COPYABLE, no, true),
    ROW(CKA_DESTROYABLE, yes, true),
    ROW(CKA_SIGN, yes, true),
    ROW(CKA_VERIFY, no, true),
    ROW(CKA_ENCRYPT, no, true),
    ROW(CKA_DECRYPT, no, true),
    ROW(CKA_WRAP, no, true),
    ROW(CKA_UNWRAP, no, true),
    ROW(CKA_DERIVE, no, true),
    ROW(CKA_WRAP_WITH_TRUSTED, yes, true),
    ROW(CKA_ALLOWED_MECHANISMS, hmac, true),
};

bool
secret_is_policy(const char *name)
{
    return strcmp(name, "ra-seal-v1") == 0 || strcmp(name, "ca-seal-v1") == 0;
}

void
secret_free(struct secret *s)
{
    mem_free(s);
}

int
secret_read_back(struct secret *s, key_attribute_seen *seen, void *context, struct err *e)
{
    const CK_ATTRIBUTE id = {CKA_ID, s->id, sizeof(s->id)};

    for (size_t i = 0; i <= ARRAY_LEN(ROWS); i++) {
        bool last = i == ARRAY_LEN(ROWS);

        if (key_attribute_check(s->session, "secret", last ? "CKA_ID" : ROWS[i].name,
                                last ? &id : &ROWS[i].attribute, s->object, seen, context,
                                e) != 0) {
            return err_wrap(e, "policies ra-seal-v1 and ca-seal-v1, token '%s'",
                            session_token(s->session)->label);
        }
    }
    return 0;
}

static int
find_object(struct secret *s, struct err *e)
{
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class_secret, sizeof(class_secret)},
        {CKA_ID, s->id, sizeof(s->id)},
    };
    CK_OBJECT_HANDLE found[2] = {0};
    CK_ULONG n = 0;
    char id[2 * KEY_ID_SIZE + 1];
    CK_RV rv = s->f->C_FindObjectsInit(session_handle(s->session), template, ARRAY_LEN(template));

    if (rv != CKR_OK) {
        return session_err(s->session, rv, "C_FindObjectsInit", e);
    }
    rv = s->f->C_FindObjects(session_handle(s->session), found, ARRAY_LEN(found), &n);
    (void)s->f->C_FindObjectsFinal(session_handle(s->session));
    if (rv != CKR_OK) {
        return session_err(s->session, rv, "C_FindObjects", e);
    }
    hex_format(span_of(s->id, sizeof(s->id)), id);
    if (n != 1) {
        return err_set(e, n == 0 ? ERR_NOTFOUND : ERR_CONFLICT,
                       "token '%s' has %s secret key with CKA_ID %s",
                       session_token(s->session)->label, n == 0 ? "no" : "more than one", id);
    }
    s->object = found[0];
    return 0;
}

static struct secret *
secret_new(struct session *session, const uint8_t *id)
{
    struct secret *s = mem_new(sizeof(*s));

    s->session = session;
    s->f = module_functions(session_module(session));
    memcpy(s->id, id, sizeof(s->id));
    return s;
}

struct secret *
secret_find(struct session *session, struct span id, struct err *e)
{
    CLEANUP(secret_cleanup) struct secret *s = NULL;

    if (id.n != KEY_ID_SIZE) {
        (void)err_set(e, ERR_INPUT, "a CKA_ID of %zu octets, %d are needed", id.n, KEY_ID_SIZE);
        return NULL;
    }
    s = secret_new(session, id.p);
    return find_object(s, e) != 0 || secret_read_back(s, NULL, NULL, e) != 0 ? NULL : TAKE(s);
}

int
secret_generate(struct session *session, const char *label, uint8_t id[KEY_ID_SIZE], struct err *e)
{
    CK_MECHANISM mechanism = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
    CK_ATTRIBUTE template[ARRAY_LEN(ROWS) + 2];
    char label_copy[KEY_LABEL_MAX + 1];
    CLEANUP(secret_cleanup) struct secret *s = NULL;
    size_t n = 0;
    CK_RV rv;

    if (label[0] == '\0' || strlen(label) > KEY_LABEL_MAX) {
        return err_set(e, ERR_INPUT, "the key label '%s' must have 1 to %d octets", label,
                       KEY_LABEL_MAX);
    }
    (void)snprintf(label_copy, sizeof(label_copy), "%s", label);
    if (random_bytes(id, KEY_ID_SIZE, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        if (ROWS[i].given) {
            template[n++] = ROWS[i].attribute;
        }
    }
    template[n++] = (CK_ATTRIBUTE){CKA_ID, id, KEY_ID_SIZE};
    template[n++] = (CK_ATTRIBUTE){CKA_LABEL, label_copy, strlen(label_copy)};
    s = secret_new(session, id);
    rv = s->f->C_GenerateKey(session_handle(session), &mechanism, template, n, &s->object);
    if (rv != CKR_OK) {
        return session_err(session, rv, "C_GenerateKey", e);
    }
    return secret_read_back(s, NULL, NULL, e);
}

int
secret_mac(struct secret *s, struct span text, struct buf *out, struct err *e)
{
    CK_MECHANISM mechanism = {CKM_SHA256_HMAC, NULL, 0};
    CK_SESSION_HANDLE session = session_handle(s->session);
    CLEANUP(buf_free) struct buf input = BUF_INIT(text.n); /* PKCS #11 wants it not const */
    CK_ULONG n = SECRET_MAC_SIZE;
    uint8_t *mac;
    CK_RV rv;

    buf_truncate(out, 0);
    mac = buf_extend(out, SECRET_MAC_SIZE, e);
    if (mac == NULL || buf_set(&input, text, e) != 0) {
        return -1; /* before the token begins what would not be ended */
    }
    rv = s->f->C_SignInit(session, &mechanism, s->object);
    if (rv != CKR_OK) {
        buf_truncate(out, 0);
        return session_err(s->session, rv, "C_SignInit", e);
    }
    rv = s->f->C_Sign(session, input.p, input.n, mac, &n);
    if (rv != CKR_OK || n != SECRET_MAC_SIZE) {
        buf_truncate(out, 0);
        return rv != CKR_OK ? session_err(s->session, rv, "C_Sign", e)
                            : err_set(e, ERR_TOKEN, "C_Sign: an HMAC of %lu octets", n);
    }
    return 0;
}

/* ---- probes ---- */

int
secret_probe(struct secret *s, secret_probe_seen *seen, void *context, struct err *e)
{
    const struct {
        const char *probe;
        CK_ATTRIBUTE change;
    } changes[] = {
        {"set CKA_EXTRACTABLE TRUE", {CKA_EXTRACTABLE, &yes, sizeof(yes)}},
        {"set CKA_SENSITIVE FALSE", {CKA_SENSITIVE, &no, sizeof(no)}},
        {"set CKA_DERIVE TRUE", {CKA_DERIVE, &yes, sizeof(yes)}},
    };
    /* Only the length is asked for: a key that leaks must not leak into this process. */
    CK_ATTRIBUTE value = {CKA_VALUE, NULL, 0};
    CK_SESSION_HANDLE session = session_handle(s->session);
    CK_RV rv = s->f->C_GetAttributeValue(session, s->object, &value, 1);
    const char *allowed = rv == CKR_OK ? "read CKA_VALUE" : NULL;

    if (seen(context, "read CKA_VALUE", ckr_name(rv), rv != CKR_OK, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        CK_ATTRIBUTE change = changes[i].change;

        rv = s->f->C_SetAttributeValue(session, s->object, &change, 1);
        allowed = rv == CKR_OK && allowed == NULL ? changes[i].probe : allowed;
        if (seen(context, changes[i].probe, ckr_name(rv), rv != CKR_OK, e) != 0) {
            return -1;
        }
    }
    return allowed == NULL ? 0
                           : err_set(e, ERR_TOKEN, "token '%s' allowed: %s",
                                     session_token(s->session)->label, allowed);
}
