/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/x509/profile/shipped.h"

#include <string.h>

#include "tests/support/test.h"

#define SHIPPED TEST_SOURCE_DIR "/../ca/x509/nfpki-profiles.conf"

struct pki *shipped_pki;
struct profiles *shipped_profiles;
EVP_PKEY *shipped_p256;
EVP_PKEY *shipped_rsa;

int
shipped_make(void **state)
{
    struct err e = {0};

    (void)state;
    shipped_pki = pki_new("P-384", "P-256");
    shipped_p256 = pki_key("P-256");
    shipped_rsa = pki_key("RSA-3072");
    shipped_profiles = profiles_load(SHIPPED, &e);
    if (shipped_profiles == NULL) {
        fail_msg("%s", e.text);
    }
    return 0;
}

int
shipped_drop(void **state)
{
    (void)state;
    pki_free(shipped_pki);
    EVP_PKEY_free(shipped_p256);
    EVP_PKEY_free(shipped_rsa);
    profiles_free(shipped_profiles);
    return 0;
}

struct nf_identity
shipped_identity(const char *type)
{
    struct nf_identity nf = pki_nf();
    struct err e = {0};

    nf.n_types = 0;
    nf.n_fqdns = 0;
    assert_ok(nf_identity_add_type(&nf, type, &e), &e);
    assert_ok(nf_identity_add_fqdn(&nf, "sepp1." DOMAIN, &e), &e);
    if (strcmp(type, "SEPP") == 0) {
        struct plmn plmn;

        assert_ok(plmn_set(&plmn, "345", "12", &e), &e);
        assert_ok(nf_identity_add_plmn(&nf, &plmn, &e), &e);
        assert_ok(nf_identity_add_fqdn(&nf, "*.sepp1." DOMAIN, &e), &e);
    }
    return nf;
}

struct profile
shipped_short_lived(void)
{
    struct profile p = *profile_by_name("nf-tls");

    p.name = "nf-tls-short";
    p.no_rev_avail = true;
    p.max_validity = PROFILE_DAY;
    return p;
}
