/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/plmn.h"

#include <stdio.h>
#include <string.h>

#define SHAPE ".5gc.mnc###.mcc###.3gppnetwork.org"

enum { SHAPE_SIZE = sizeof(SHAPE) - 1, MNC_AT = 8, MCC_AT = 15 };

static bool
is_digits(const char *text, size_t least, size_t most)
{
    size_t n = strspn(text, "0123456789");

    return text[n] == '\0' && n >= least && n <= most;
}

int
plmn_set(struct plmn *plmn, const char *mcc, const char *mnc, struct err *e)
{
    if (!is_digits(mcc, 3, 3)) {
        return err_set(e, ERR_INPUT, "mcc: must be three digits");
    }
    if (!is_digits(mnc, 2, 3)) {
        return err_set(e, ERR_INPUT, "mnc: must be two or three digits");
    }
    memcpy(plmn->mcc, mcc, sizeof(plmn->mcc));
    (void)snprintf(plmn->mnc, sizeof(plmn->mnc), strlen(mnc) == 2 ? "0%.2s" : "%.3s", mnc);
    return 0;
}

bool
plmn_equal(const struct plmn *a, const struct plmn *b)
{
    return strcmp(a->mcc, b->mcc) == 0 && strcmp(a->mnc, b->mnc) == 0;
}

void
plmn_domain(const struct plmn *plmn, char out[PLMN_DOMAIN_SIZE])
{
    (void)snprintf(out, PLMN_DOMAIN_SIZE, "5gc.mnc%.3s.mcc%.3s.3gppnetwork.org", plmn->mnc,
                   plmn->mcc);
}

bool
plmn_of_sepp(const char *fqdn, struct plmn *out)
{
    size_t n = strlen(fqdn);
    const char *domain = n > SHAPE_SIZE ? fqdn + n - SHAPE_SIZE : NULL;
    const char *label = domain;

    if (domain == NULL) {
        return false;
    }
    for (size_t i = 0; i < SHAPE_SIZE; i++) {
        if (SHAPE[i] == '#' ? domain[i] < '0' || domain[i] > '9' : domain[i] != SHAPE[i]) {
            return false;
        }
    }
    while (label > fqdn && label[-1] != '.') {
        label--;
    }
    if (domain - label < 4 || memcmp(label, "sepp", 4) != 0) {
        return false;
    }
    memcpy(out->mnc, domain + MNC_AT, 3);
    memcpy(out->mcc, domain + MCC_AT, 3);
    out->mnc[3] = '\0';
    out->mcc[3] = '\0';
    return true;
}
