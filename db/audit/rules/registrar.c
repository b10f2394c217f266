/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/registrar.h"

#include <jansson.h>
#include <string.h>

#include "base/ossl.h"
#include "base/validity.h"
#include "db/audit/rules/evidence.h"
#include "db/audit/rules/holder.h"
#include "db/audit/rules/signed.h"

enum { EVIDENT = 2 }; /* the version of the record from which on each REGISTRATION has evidence */

struct audit_registrars {
    struct audit_holders *registrars;
    struct audit_evidence *evidence;
    bool ends_say_who; /* one did: all that follow must */
};

struct audit_registrars *
audit_registrars_new(void)
{
    struct audit_registrars *a = mem_new(sizeof(*a));

    a->registrars = audit_holders_new("registrar");
    a->evidence = audit_evidence_new();
    return a;
}

void
audit_registrars_free(struct audit_registrars *a)
{
    if (a != NULL) {
        audit_holders_free(a->registrars);
        audit_evidence_free(a->evidence);
        mem_free(a);
    }
}

/* Whose certificate it is, when it may sign at this place of the record. */
static const struct audit_holder *
signer_of(const struct audit_registrars *a, const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "registrar");
    const struct audit_holder *r = audit_holders_find(a->registrars, serial);

    if (r == NULL || !validity_has(r->certificate, leaf_time(leaf))) {
        (void)err_set(e, ERR_CRYPTO, "a %s of %s by serial %s, which is no registrar%s",
                      leaf_kind_name(leaf_kind(leaf)), leaf_text(leaf, "registration"), serial,
                      r == NULL ? "" : " then");
        return NULL;
    }
    return r;
}

static int
registration_check(struct audit_registrars *a, int64_t version, const struct leaf *leaf,
                   struct err *e)
{
    const struct audit_holder *r = signer_of(a, leaf, e);
    const bool has = leaf_text(leaf, "cms") != NULL || leaf_text(leaf, "batch") != NULL;

    if (r == NULL) {
        return -1;
    }
    if (!has) {
        return version < EVIDENT
                   ? 0
                   : err_set(e, ERR_CRYPTO, "the REGISTRATION %s does not have what was signed",
                             leaf_text(leaf, "registration"));
    }
    return audit_evidence_check(a->evidence, leaf, r->certificate, e);
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
cancel_check(struct audit_registrars *a, int64_t version, const struct leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(LEAF_MAX);
    const struct audit_holder *r;

    (void)version;
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

typedef int check_leaf(struct audit_registrars *, int64_t version, const struct leaf *,
                       struct err *);

/* The other kinds say nothing of a registrar. */
static check_leaf *const CHECKS[LEAF_KINDS] = {
    [LEAF_REGISTRATION] = registration_check,
    [LEAF_CANCEL] = cancel_check,
};

int
audit_registrars_check(struct audit_registrars *a, int64_t version, const struct leaf *leaf,
                       struct err *e)
{
    check_leaf *check = CHECKS[leaf_kind(leaf)];

    if (audit_holders_note(a->registrars, leaf, e) != 0) {
        return -1;
    }
    return check == NULL ? 0 : check(a, version, leaf, e);
}

/* A manifest that was verified for the leaf before is verified once more: it is no state. */
void
audit_registrars_state(struct audit_registrars *a, struct state *s)
{
    audit_holders_state(a->registrars, s);
    state_bool(s, "endsSayWho", &a->ends_say_who);
}
