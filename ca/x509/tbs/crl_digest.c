/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/tbs/crl.h"

int
crl_digest(const struct crl_request *request, uint8_t out[SHA256_SIZE], struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx == NULL || EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "digest of a CRL's entries");
    }
    for (size_t i = 0; i < request->n_entries; i++) {
        const struct crl_entry *entry = &request->entries[i];
        CLEANUP(mem_cleanup) char *serial = hex_dup(span_of(entry->serial, entry->serial_size));
        CLEANUP(mem_cleanup) char *line = NULL;
        char date[TIME_TEXT_SIZE];

        time_format(entry->revoked_at, date);
        line = mem_printf("%s %s %d\n", serial, date, (int)entry->reason);
        if (EVP_DigestUpdate(ctx, line, span_str(line).n) != 1) {
            return ossl_err(e, ERR_CRYPTO, "digest of a CRL's entries");
        }
    }
    return EVP_DigestFinal_ex(ctx, out, NULL) == 1
               ? 0
               : ossl_err(e, ERR_CRYPTO, "digest of a CRL's entries");
}
