/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile.h"

#include <string.h>

#include "base/mem.h"
#include "base/oid.h"

#define EKU_SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define EKU_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define EKU_CMC_RA "1.3.6.1.5.5.7.3.28" /* RFC 6402 2.10, RFC 9810 4.5 */

enum {
    NF_DAYS = 3 * 365,   /* TS 33.310 6.1.3c.3: three years or less */
    ISSUING_DAYS = 3653, /* ten years */
    ROOT_DAYS = 9132,    /* 25 years, CA/B Forum BR 7.1.2.1.1 */
};

static const struct profile table[] = {
    {.name = "nf-tls-server",
     .class = PROFILE_NF,
     .eku = {EKU_SERVER_AUTH},
     .server = true,
     .max_days = NF_DAYS},
    {.name = "nf-tls-client", .class = PROFILE_NF, .eku = {EKU_CLIENT_AUTH}, .max_days = NF_DAYS},
    {.name = "nf-tls",
     .class = PROFILE_NF,
     .eku = {EKU_SERVER_AUTH, EKU_CLIENT_AUTH},
     .server = true,
     .max_days = NF_DAYS},
    {.name = "ra-cmp", .class = PROFILE_INFRASTRUCTURE, .eku = {EKU_CMC_RA}, .max_days = NF_DAYS},
    {.name = "registrar",
     .class = PROFILE_INFRASTRUCTURE,
     .eku = {NFPKI_OID_KP_REGISTRAR},
     .max_days = NF_DAYS},
    {.name = "officer",
     .class = PROFILE_INFRASTRUCTURE,
     .eku = {NFPKI_OID_KP_OFFICER},
     .max_days = NF_DAYS},
    {.name = "issuing", .class = PROFILE_ISSUING, .max_days = ISSUING_DAYS},
    {.name = "root", .class = PROFILE_ROOT, .max_days = ROOT_DAYS},
};

const struct profile *
profile_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

const struct profile *
profile_at(size_t i)
{
    return i < ARRAY_LEN(table) ? &table[i] : NULL;
}

bool
profile_is_nf(const struct profile *profile)
{
    return profile->class == PROFILE_NF;
}

bool
profile_is_ca(const struct profile *profile)
{
    return profile->class == PROFILE_ISSUING || profile->class == PROFILE_ROOT;
}
