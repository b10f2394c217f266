/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/daemon/published.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/x509/tbs/crl.h"

enum { ENVELOPE = 1024 }; /* around a TBSCertList */

void
published_crl_free(struct published_crl *p)
{
    mem_free(p->path);
    *p = (struct published_crl){0};
}

char *
published_crl_path(const struct ca_conf *conf)
{
    return mem_printf("%s/issuing.crl", conf->crl_dir);
}

static int
read_number(const X509_CRL *crl, uint64_t *number)
{
    CLEANUP(asn1_integer_cleanup)
    ASN1_INTEGER *value = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);

    return value != NULL && ASN1_INTEGER_get_uint64(number, value) == 1 && *number > 0 &&
                   *number <= INT64_MAX
               ? 0
               : -1;
}

int
published_crl_read(const struct ca_conf *conf, X509 *issuing, struct published_crl *out,
                   struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_TBS_MAX + ENVELOPE);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    const unsigned char *p;

    out->path = published_crl_path(conf);
    out->number = 0;
    if (file_read(out->path, &der, e) != 0) {
        return e->code == ERR_NOTFOUND ? 0 : err_wrap(e, "the CRL that is out");
    }
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    if (crl == NULL || p != der.p + der.n || read_number(crl, &out->number) != 0 ||
        X509_CRL_verify(crl, X509_get0_pubkey(issuing)) != 1) {
        return ossl_err(
            e, ERR_CONFLICT,
            "%s: not a CRL that %s signed: if no other CA publishes there, move it away", out->path,
            conf->issuing_certificate);
    }
    return sha256(buf_span(&der), out->sha256, e);
}

int
published_crl_check(const struct published_crl *p, struct store_db *db, struct err *e)
{
    struct issuance_crl_stored stored = {0};

    if (p->number == 0) {
        return 0;
    }
    if (db != NULL && issuance_crl_find(db, p->number, &stored, e) != 0) {
        return -1;
    }
    if (p->number > stored.newest) {
        return err_set(e, ERR_STALE,
                       "ca.db is older than the CRL that is out: %s has number %" PRIu64
                       ", ca.db ends at %" PRIu64 ": put back the newest ca.db, nfpki-ca(8)",
                       p->path, p->number, stored.newest);
    }
    if (!stored.found || memcmp(stored.sha256, p->sha256, sizeof(p->sha256)) != 0) {
        return err_set(
            e, ERR_STALE,
            "ca.db has another history than the CRL that is out: %s has number %" PRIu64
            ", and ca.db another CRL with it, or none: do not start with it, nfpki-ca(8)",
            p->path, p->number);
    }
    return 0;
}
