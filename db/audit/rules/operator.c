/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/operator.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"

enum { SAID = 6 }; /* the version of the record from which on it is said */

struct audit_operators {
    char **heads; /* of ceremonies */
    size_t n;
    size_t capacity;
    int64_t version; /* of the record, at this leaf */
};

void
audit_operators_free(struct audit_operators *o)
{
    if (o != NULL) {
        for (size_t i = 0; i < o->n; i++) {
            mem_free(o->heads[i]);
        }
        mem_free(o->heads);
        mem_free(o);
    }
}

struct audit_operators *
audit_operators_new(void)
{
    return mem_new(sizeof(struct audit_operators));
}

static int
too_early(const struct audit_operators *o, const struct leaf *leaf, struct err *e)
{
    return err_set(e, ERR_CRYPTO, "such a %s in a record of version %" PRId64,
                   leaf_kind_name(leaf_kind(leaf)), o->version);
}

static bool
has(const struct leaf *leaf, const char *name)
{
    return leaf_text(leaf, name) != NULL;
}

static bool
is(const struct leaf *leaf, const char *name, const char *value)
{
    return has(leaf, name) && strcmp(leaf_text(leaf, name), value) == 0;
}

static bool
is_hash(const struct leaf *leaf, const char *name)
{
    return has(leaf, name) && strlen(leaf_text(leaf, name)) == 2 * (size_t)SHA256_SIZE;
}

static int
start_check(const struct audit_operators *o, const struct leaf *leaf, struct err *e)
{
    const bool said = leaf_int(leaf, "record", 1) >= SAID;

    if (!said && (has(leaf, "root") || has(leaf, "logKey"))) {
        return too_early(o, leaf, e);
    }
    return !said || (is_hash(leaf, "root") && is_hash(leaf, "logKey"))
               ? 0
               : err_set(e, ERR_CRYPTO, "a START that does not say which root and log key it has");
}

/* For a network function it is its registration that says why. */
static int
intent_check(const struct audit_operators *o, const struct leaf *leaf, bool adopted, struct err *e)
{
    const bool needed = o->version >= SAID && !has(leaf, "registration") && !adopted;

    return has(leaf, "by") == needed
               ? 0
               : err_set(e, ERR_CRYPTO, "the INTENT for serial %s %s", leaf_text(leaf, "serial"),
                         needed ? "does not say who asked for it"
                                : "says who asked, where nobody did");
}

static int
approval_check(const struct audit_operators *o, const struct leaf *leaf, struct err *e)
{
    return has(leaf, "by") == (o->version >= SAID)
               ? 0
               : err_set(e, ERR_CRYPTO, "the APPROVAL of request %s %s", leaf_text(leaf, "rid"),
                         has(leaf, "by") ? "says who handed it in, in a record of before"
                                         : "does not say who handed it in");
}

static int
operation_check(const struct audit_operators *o, const struct leaf *leaf, struct err *e)
{
    if (o->version < SAID) {
        return too_early(o, leaf, e);
    }
    return is(leaf, "outcome", has(leaf, "reason") ? "refused" : "done")
               ? 0
               : err_set(e, ERR_CRYPTO, "an OPERATION %s whose outcome is neither done nor refused",
                         leaf_text(leaf, "command"));
}

static int
ceremony_once(struct audit_operators *o, const struct leaf *leaf, struct err *e)
{
    const char *head = leaf_text(leaf, "head");

    for (size_t i = 0; i < o->n; i++) {
        if (strcmp(o->heads[i], head) == 0) {
            return err_set(e, ERR_CRYPTO, "a second CEREMONY with the head %s", head);
        }
    }
    o->heads = mem_grow(o->heads, &o->capacity, o->n + 1, sizeof(o->heads[0]));
    o->heads[o->n++] = mem_strdup(head);
    return 0;
}

static int
ceremony_check(struct audit_operators *o, const struct leaf *leaf, struct err *e)
{
    if (o->version < SAID) {
        return has(leaf, "type") || has(leaf, "by") ? too_early(o, leaf, e) : 0;
    }
    return is_hash(leaf, "head") && is_hash(leaf, "sha256") && has(leaf, "type")
               ? ceremony_once(o, leaf, e)
               : err_set(e, ERR_CRYPTO, "a CEREMONY that does not say what its bundle is");
}

int
audit_operators_check(struct audit_operators *o, int64_t version, const struct leaf *leaf,
                      bool adopted, struct err *e)
{
    o->version = version;
    switch (leaf_kind(leaf)) {
    case LEAF_START:
        return start_check(o, leaf, e);
    case LEAF_INTENT:
        return intent_check(o, leaf, adopted, e);
    case LEAF_APPROVAL:
        return approval_check(o, leaf, e);
    case LEAF_OPERATION:
        return operation_check(o, leaf, e);
    case LEAF_CEREMONY:
        return ceremony_check(o, leaf, e);
    case LEAF_CLOCK:
        return version < SAID ? too_early(o, leaf, e) : 0;
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_REGISTRATION:
    case LEAF_CANCEL:
    case LEAF_REQUEST:
    case LEAF_REFUSAL:
    case LEAF_ISSUED:
    case LEAF_CONFIRMED:
    case LEAF_REJECTED:
    case LEAF_REVOKED:
    case LEAF_CRL:
    case LEAF_CRL_INTENT:
    case LEAF_RECOVERED:
    case LEAF_AGAIN:
    case LEAF_QUEUE_HEAD:
    case LEAF_SEALED:
    case LEAF_RESTORED:
    case LEAF_ADOPTED:
    case LEAF_ACKNOWLEDGED:
    case LEAF_RA_REPORT:
    case LEAF_KINDS:
        break;
    }
    return 0;
}

/* ---- state ---- */

static void
head_state(void *element, struct state *s)
{
    state_text(s, "head", element);
}

void
audit_operators_state(struct audit_operators *o, struct state *s)
{
    state_int(s, "version", &o->version);
    o->heads =
        state_list(s, "ceremonies", o->heads, &o->n, &o->capacity, sizeof(*o->heads), head_state);
}
