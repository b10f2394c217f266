/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/key_owner.h"

#include "db/issuance/rows.h"

int
key_owner_check(struct store_db *db, struct span serial, struct span der, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse_keyless(der, e);
    uint8_t hash[SHA256_SIZE];
    bool row;

    if (certificate == NULL || certificate_key_hash(certificate, hash, e) != 0 ||
        store_has_row(
            db,
            "SELECT 1 FROM public_key k JOIN request q ON q.serial = ?2 JOIN " ISSUANCE_CERTIFICATE
            "WHERE "
            "k.sha256 = ?1 AND (k.owner = coalesce(c.nf_instance, 'infrastructure') OR "
            "c.profile = 'adopted')",
            STORE_VALUES(store_blob(span_of(hash, sizeof(hash))), store_blob(serial)), &row,
            e) != 0) {
        return -1;
    }
    return row ? 0
               : err_set(e, ERR_STALE,
                         "the record has a certificate whose key ca.db has not, or as another "
                         "owner's");
}
