/* SPDX-License-Identifier: Apache-2.0 */
/* Which profiles, and what of the identity only some of them need. */
#include <stdio.h>
#include <string.h>

#include "ca/registration/document.h"
#include "ca/x509/profile/entitlement.h"
#include "ca/x509/profile/profiles.h"

enum { DAYS_MAX = 1095 };

int
document_plmns(struct document_at top, struct nf_identity *nf, struct err *e)
{
    static const char *const names[] = {"mcc", "mnc", NULL};
    const json_t *array;

    if (json_object_get(top.object, "plmns") == NULL) {
        return 0;
    }
    if (document_array_get(top, "plmns", &array, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        char prefix[32];
        struct document_at at = {json_array_get(array, i), prefix};
        struct plmn plmn;
        const char *mcc;
        const char *mnc;

        (void)snprintf(prefix, sizeof(prefix), "plmns[%zu].", i);
        if (!json_is_object(at.object)) {
            return err_set(e, ERR_INPUT, "plmns[%zu]: must be an object", i);
        }
        if (document_members_check(at, names, e) != 0 ||
            document_string_get(at, "mcc", &mcc, e) != 0 ||
            document_string_get(at, "mnc", &mnc, e) != 0) {
            return -1;
        }
        if (plmn_set(&plmn, mcc, mnc, e) != 0) {
            return err_set(e, ERR_INPUT, "plmns[%zu]: mcc must be 3 digits, mnc 2 or 3", i);
        }
        if (nf_identity_add_plmn(nf, &plmn, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* May this network function be registered for it? */
static int
check_profile(const struct registration *r, const char *name, const struct profile *profile,
              const struct nf_rules *rules, struct err *e)
{
    if (profile == NULL) {
        return err_set(e, ERR_INPUT, "not a profile of network functions");
    }
    if (profile->lab && (rules == NULL || !rules->lab_profiles)) {
        return err_set(e, ERR_INPUT, "%s is for laboratories: lab_profiles of nfpki-ca.conf", name);
    }
    if (profile->signature_only && r->proof.kind == PROOF_MAC) {
        return err_set(e, ERR_INPUT, "%s needs assurance by signature, proof.kind is mac", name);
    }
    if (profile->server && r->nf.n_fqdns == 0) {
        return err_set(e, ERR_INPUT, "%s needs an element in fqdns", name);
    }
    return entitlement_check(profile, &r->nf, e);
}

static int
profile_read(json_t *element, size_t i, const struct nf_rules *rules, struct registration *out,
             struct err *e)
{
    static const char *const names[] = {"name", "maxValidityDays", NULL};
    struct registered_profile *to = &out->profiles[out->n_profiles];
    char prefix[32];
    struct document_at at = {element, prefix};
    const char *name;

    (void)snprintf(prefix, sizeof(prefix), "profiles[%zu].", i);
    if (!json_is_object(element)) {
        return err_set(e, ERR_INPUT, "profiles[%zu]: must be an object", i);
    }
    to->max_days = 0;
    if (document_members_check(at, names, e) != 0 ||
        document_string_get(at, "name", &name, e) != 0 ||
        (json_object_get(element, "maxValidityDays") != NULL &&
         document_integer_get(at, "maxValidityDays", 1, DAYS_MAX, &to->max_days, e) != 0)) {
        return -1;
    }
    if (registration_profile(out, name) != NULL) {
        return err_set(e, ERR_INPUT, "profiles[%zu].name: stands there twice", i);
    }
    to->profile = profiles_find(rules == NULL ? NULL : rules->profiles, name);
    if (check_profile(out, name, to->profile, rules, e) != 0) {
        if (rules != NULL && rules->stored) {
            return 0; /* it was one when it was registered: the file has changed */
        }
        e->code = ERR_INPUT;
        return err_wrap(e, "profiles[%zu].name", i);
    }
    out->n_profiles++;
    return 0;
}

int
document_profiles(struct document_at top, const struct nf_rules *rules, struct registration *out,
                  struct err *e)
{
    const json_t *array;

    if (document_array_get(top, "profiles", &array, e) != 0) {
        return -1;
    }
    if (json_array_size(array) == 0 || json_array_size(array) > REGISTRATION_PROFILES_MAX) {
        return err_set(e, ERR_INPUT, "profiles: must have 1..%d elements",
                       REGISTRATION_PROFILES_MAX);
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (profile_read(json_array_get(array, i), i, rules, out, e) != 0) {
            return -1;
        }
    }
    return out->n_profiles > 0
               ? 0
               : err_set(e, ERR_DENIED,
                         "profiles: the file of profiles has none of them any more: register anew");
}
