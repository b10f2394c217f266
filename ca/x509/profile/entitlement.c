/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/entitlement.h"

#include <string.h>

bool
entitlement_has_fqdn(const struct profile *profile, const char *fqdn)
{
    return fqdn[0] != '*' || profile->wildcard;
}

static int
check_types(const struct profile *profile, const struct nf_identity *nf, struct err *e)
{
    for (size_t i = 0; i < PROFILE_TYPES_MAX && profile->nf_types[i] != NULL; i++) {
        for (size_t k = 0; k < nf->n_types; k++) {
            if (strcmp(profile->nf_types[i], nf->types[k]) == 0) {
                return 0;
            }
        }
    }
    return profile->nf_types[0] == NULL
               ? 0
               : err_set(e, ERR_DENIED, "nfTypes: profile %s is for %s%s", profile->name,
                         profile->nf_types[0], profile->nf_types[1] != NULL ? " and others" : "");
}

static int
check_names(const struct profile *profile, const struct nf_identity *nf, struct err *e)
{
    size_t n = 0;

    for (size_t i = 0; i < nf->n_fqdns; i++) {
        if (entitlement_has_fqdn(profile, nf->fqdns[i])) {
            n++;
        } else if (profile->server) {
            return err_set(e, ERR_DENIED, "fqdns[%zu]: profile %s has no wildcards", i,
                           profile->name);
        }
    }
    /* TS 33.310 6.1.3c.3: a TLS server is named by its FQDN */
    return profile->server && n == 0
               ? err_set(e, ERR_DENIED, "fqdns: profile %s needs one", profile->name)
               : 0;
}

/* TS 33.501 13.1.2: the other SEPP reads the PLMN ids out of the names, and takes no others. */
static int
check_plmns(const struct profile *profile, const struct nf_identity *nf, struct err *e)
{
    bool named[NF_PLMNS_MAX] = {false};

    if (nf->n_plmns == 0) {
        return err_set(e, ERR_DENIED, "plmns: profile %s needs them", profile->name);
    }
    for (size_t i = 0; i < nf->n_fqdns; i++) {
        struct plmn plmn;
        bool sepp = plmn_of_sepp(nf->fqdns[i], &plmn);
        bool known = false;

        for (size_t k = 0; sepp && k < nf->n_plmns; k++) {
            if (plmn_equal(&plmn, &nf->plmns[k])) {
                named[k] = true;
                known = true;
            }
        }
        if (!known) {
            return err_set(e, ERR_DENIED,
                           "fqdns[%zu]: profile %s needs sepp<any>.5gc.mnc<3>.mcc<3>"
                           ".3gppnetwork.org of a PLMN in plmns",
                           i, profile->name);
        }
    }
    for (size_t k = 0; k < nf->n_plmns; k++) {
        if (!named[k]) {
            return err_set(e, ERR_DENIED, "plmns[%zu]: no FQDN of a SEPP is in it", k);
        }
    }
    return 0;
}

int
entitlement_check(const struct profile *profile, const struct nf_identity *nf, struct err *e)
{
    if (check_types(profile, nf, e) != 0 || check_names(profile, nf, e) != 0) {
        return -1;
    }
    return profile->plmns ? check_plmns(profile, nf, e) : 0;
}
