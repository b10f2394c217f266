/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit_registrar.h"

#include <jansson.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit_certificate.h"
#include "db/audit_signed.h"

struct registrar {
    char *serial;
    X509 *certificate; /* NULL: intended, not issued yet */
    bool revoked;
};

struct audit_registrars {
    struct registrar *list;
    size_t n;
    size_t capacity;
    bool ends_say_who; /* one did: all that follow must */
};

struct audit_registrars *
audit_registrars_new(void)
{
    return mem_zalloc(1, sizeof(struct audit_registrars));
}

void
audit_registrars_free(struct audit_registrars *a)
{
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        mem_free(a->list[i].serial);
        X509_free(a->list[i].certificate);
    }
    mem_free(a->list);
    mem_free(a);
}

static struct registrar *
find(const struct audit_registrars *a, const char *serial)
{
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->list[i].serial, serial) == 0) {
            return &a->list[i];
        }
    }
    return NULL;
}

/* The first INTENT of a certificate says what it is; a network function's is nobody's. */
static void
note_intent(struct audit_registrars *a, const struct leaf *leaf)
{
    const char *serial = leaf_text(leaf, "serial");

    if (strcmp(leaf_text(leaf, "profile"), "registrar") == 0 &&
        leaf_text(leaf, "registration") == NULL && find(a, serial) == NULL) {
        a->list = mem_grow(a->list, &a->capacity, a->n + 1, sizeof(a->list[0]));
        a->list[a->n++] = (struct registrar){.serial = mem_strdup(serial)};
    }
}

static int
note_issued(const struct audit_registrars *a, const struct leaf *leaf, struct err *e)
{
    struct registrar *r = find(a, leaf_text(leaf, "serial"));

    if (r == NULL || r->certificate != NULL) {
        return 0;
    }
    r->certificate = audit_certificate(leaf, e);
    return r->certificate == NULL ? -1 : 0;
}

static void
note_revoked(const struct audit_registrars *a, const struct leaf *leaf)
{
    struct registrar *r = find(a, leaf_text(leaf, "serial"));

    if (r != NULL) {
        r->revoked = true;
    }
}

/* Whose certificate it is, when it may sign at this place of the record. */
static const struct registrar *
signer_of(const struct audit_registrars *a, const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "registrar");
    const struct registrar *r = find(a, serial);

    if (r == NULL || r->certificate == NULL || r->revoked) {
        (void)err_set(e, ERR_CRYPTO, "a %s of %s by serial %s, which is no registrar",
                      leaf_kind_name(leaf_kind(leaf)), leaf_text(leaf, "registration"), serial);
        return NULL;
    }
    return r;
}

static int
registration_check(const struct audit_registrars *a, const struct leaf *leaf, struct err *e)
{
    const struct registrar *r = signer_of(a, leaf, e);
    CLEANUP(buf_free) struct buf content = BUF_INIT(LEAF_MAX);

    return r == NULL ? -1
           : leaf_text(leaf, "cms") == NULL
               ? 0
               : audit_signed_content(leaf, r->certificate, &content, e);
}

/* What was signed ends this registration. */
static int
document_check(struct span content, const struct leaf *leaf, struct err *e)
{
    json_t *document = json_loadb((const char *)content.p, content.n, JSON_REJECT_DUPLICATES, NULL);
    const char *id =
        json_string_value(json_object_get(json_object_get(document, "cancel"), "registrationId"));
    bool fits = id != NULL && strcmp(id, leaf_text(leaf, "registration")) == 0;

    json_decref(document);
    return fits ? 0
                : err_set(e, ERR_CRYPTO,
                          "the registrar signed something else than the CANCEL of %s says",
                          leaf_text(leaf, "registration"));
}

static int
cancel_check(struct audit_registrars *a, const struct leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(LEAF_MAX);
    const struct registrar *r;

    if (leaf_text(leaf, "cms") == NULL || leaf_text(leaf, "registrar") == NULL) {
        bool by = leaf_text(leaf, "by") != NULL;

        a->ends_say_who = a->ends_say_who || by;
        return by || !a->ends_say_who ? 0
                                      : err_set(e, ERR_CRYPTO, "a CANCEL of %s by nobody",
                                                leaf_text(leaf, "registration"));
    }
    a->ends_say_who = true;
    r = signer_of(a, leaf, e);
    return r == NULL || audit_signed_content(leaf, r->certificate, &content, e) != 0
               ? -1
               : document_check(buf_span(&content), leaf, e);
}

int
audit_registrars_check(struct audit_registrars *a, const struct leaf *leaf, struct err *e)
{
    switch ((int)leaf_kind(leaf)) { /* the others are about nobody's role */
    case LEAF_INTENT:
        note_intent(a, leaf);
        return 0;
    case LEAF_ISSUED:
        return note_issued(a, leaf, e);
    case LEAF_REVOKED:
        note_revoked(a, leaf);
        return 0;
    case LEAF_REGISTRATION:
        return registration_check(a, leaf, e);
    case LEAF_CANCEL:
        return cancel_check(a, leaf, e);
    default:
        return 0;
    }
}
