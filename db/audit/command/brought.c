/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/command/brought.h"

#include "base/file.h"
#include "base/ossl.h"
#include "db/audit/command/ask.h"

enum { CRL_MAX = 32 * 1024 * 1024 };

int
brought_issuers(struct audit_issuers *issuers, struct err *e)
{
    for (size_t i = 0; i < asked.n_issuers; i++) {
        CLEANUP(x509_cleanup) X509 *certificate = certificate_load(asked.issuers[i], e);

        if (certificate == NULL ||
            audit_issuers_add(issuers, asked.issuers[i], certificate, e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < asked.n_crls; i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_MAX);

        if (file_read(asked.crls[i], &der, e) != 0 ||
            audit_issuers_add_crl(issuers, asked.crls[i], buf_span(&der), e) != 0) {
            return -1;
        }
    }
    return 0;
}

void
brought_free(STACK_OF(X509) * *certificates)
{
    sk_X509_pop_free(*certificates, X509_free);
}

int
brought_vendors(STACK_OF(X509) * roots, struct err *e)
{
    for (size_t i = 0; i < asked.n_vendors; i++) {
        X509 *root = certificate_load(asked.vendors[i], e);

        if (root == NULL || sk_X509_push(roots, root) == 0) {
            X509_free(root);
            return -1;
        }
    }
    return 0;
}

int
brought_crls(struct record *record, struct err *e)
{
    for (size_t i = 0; i < asked.n_crls; i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_MAX);

        if (file_read(asked.crls[i], &der, e) != 0 ||
            record_crl(record, asked.crls[i], buf_span(&der), e) != 0) {
            return -1;
        }
    }
    return 0;
}
