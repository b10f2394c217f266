/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/x509/tbs/revoked.h"

enum { DAY = 24 * 60 * 60 };

struct pki *revoked_pki;

const struct crl_entry revoked_entries[] = {
    {.serial = {0x05}, .serial_size = 1, .revoked_at = PKI_NOW - 100, .reason = CRL_SUPERSEDED},
    {.serial = {0x90, 0x01}, .serial_size = 2, .revoked_at = PKI_NOW - 50},
    {.serial = {0x41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
     .serial_size = 16,
     .revoked_at = PKI_NOW,
     .reason = CRL_KEY_COMPROMISE},
};

int
revoked_make(void **state)
{
    (void)state;
    revoked_pki = pki_new("P-384", "RSA-3072");
    return 0;
}

int
revoked_drop(void **state)
{
    (void)state;
    pki_free(revoked_pki);
    return 0;
}

struct crl_request
revoked_request(void)
{
    struct crl_request r = {.issuer = revoked_pki->issuing,
                            .number = 7,
                            .this_update = PKI_NOW,
                            .next_update = PKI_NOW + DAY,
                            .entries = revoked_entries,
                            .n_entries = ARRAY_LEN(revoked_entries)};

    return r;
}
