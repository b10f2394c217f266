/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What RA and CA do with the certificates of anybody: an end entity and candidates for its path
 * (extraCerts), and a CRL of a file, against one fixed anchor. The input is a row of objects in
 * DER, each behind its length in two octets: the first is the end entity, the others are
 * certificates or CRLs, whatever they decode to.
 */
#include <assert.h>
#include <openssl/err.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/x509/path/check.h"
#include "ca/x509/path/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AT = 1790000000, OBJECTS_MAX = 8 };

/* P-256, "O=Vendor/CN=Root", valid until 2046: the anchor of the seeds (corpus/path). */
static const char anchor_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBkzCCATmgAwIBAgICEAAwCgYIKoZIzj0EAwIwIDEPMA0GA1UECgwGVmVuZG9y\n"
    "MQ0wCwYDVQQDDARSb290MB4XDTI2MDkyMDE0MTMyMFoXDTQ2MDkxNjE0MTMyMFow\n"
    "IDEPMA0GA1UECgwGVmVuZG9yMQ0wCwYDVQQDDARSb290MFkwEwYHKoZIzj0CAQYI\n"
    "KoZIzj0DAQcDQgAEYfbbYX4CqHuk/XWKNtzB2vQ3TjCEza5Vogmxmj4rE8YS4MN8\n"
    "mWGA/ekGpF+HNNVFJWDlbiE2d/t/Tm8Fb+Uzl6NjMGEwHQYDVR0OBBYEFOH126gd\n"
    "Uwdj/hNVdQ3T1aPyw0LtMB8GA1UdIwQYMBaAFOH126gdUwdj/hNVdQ3T1aPyw0Lt\n"
    "MA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMAoGCCqGSM49BAMCA0gA\n"
    "MEUCIDGwGl9aHxidUJi2H79xNISMpC2FAB/YlR5jILH2wZnhAiEA8bn2fjGCNhcY\n"
    "sVAntftpKPbg5lB+KKlrr2HnB/NbP/4=\n"
    "-----END CERTIFICATE-----\n";

struct objects {
    X509 *certificates[OBJECTS_MAX];
    size_t n_certificates;
    X509_CRL *crls[OBJECTS_MAX];
    size_t n_crls;
};

static void
objects_free(struct objects *o)
{
    for (size_t i = 0; i < o->n_certificates; i++) {
        X509_free(o->certificates[i]);
    }
    for (size_t i = 0; i < o->n_crls; i++) {
        X509_CRL_free(o->crls[i]);
    }
}

static void
objects_read(const uint8_t *data, size_t size, struct objects *out)
{
    while (size > 2 && out->n_certificates < OBJECTS_MAX && out->n_crls < OBJECTS_MAX) {
        size_t n = (size_t)data[0] << 8 | data[1];
        const unsigned char *p = data + 2;
        struct err e;
        X509 *certificate;
        X509_CRL *crl;

        n = n > size - 2 ? size - 2 : n;
        certificate = certificate_parse(span_of(data + 2, n), &e);
        crl = certificate == NULL ? d2i_X509_CRL(NULL, &p, (long)n) : NULL;
        if (certificate != NULL) {
            out->certificates[out->n_certificates++] = certificate;
        } else if (crl != NULL) {
            out->crls[out->n_crls++] = crl;
        }
        data += 2 + n;
        size -= 2 + n;
    }
    ERR_clear_error();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum path_status statuses[] = {PATH_STATUS_NONE, PATH_STATUS_IF_PRESENT,
                                                PATH_STATUS_REQUIRED};
    CLEANUP(objects_free) struct objects o = {0};
    CLEANUP(x509_cleanup) X509 *anchor = NULL;
    enum path_verdict without = PATH_FAILED;
    struct err e = {0};

    objects_read(data, size, &o);
    if (o.n_certificates == 0) {
        return 0;
    }
    anchor = certificate_parse(span_of(anchor_pem, sizeof(anchor_pem) - 1), &e);
    assert(anchor != NULL);
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        const struct path_request request = {.purpose = PATH_REQUESTER,
                                             .at = AT,
                                             .anchors = &anchor,
                                             .n_anchors = 1,
                                             .untrusted = o.certificates + 1,
                                             .n_untrusted = o.n_certificates - 1,
                                             .status = statuses[i],
                                             .crls = o.crls,
                                             .n_crls = o.n_crls};
        enum path_verdict verdict = path_judge(o.certificates[0], &request, &e);

        assert(verdict == PATH_GOOD || e.code == ERR_DENIED || e.code == ERR_CRYPTO);
        if (statuses[i] == PATH_STATUS_NONE) {
            without = verdict;
        }
        /* A CRL never makes a path good. */
        assert(verdict != PATH_GOOD || without == PATH_GOOD);
        assert(verdict != PATH_REVOKED || (without == PATH_GOOD && o.n_crls > 0));
    }
    assert(ERR_peek_error() == 0); /* nothing is left for the next who asks OpenSSL why */
    for (size_t i = 0; i < o.n_certificates; i++) {
        if (path_check_limits(o.certificates[i], &e) == 0) {
            (void)path_check_certificate(o.certificates[i], 0, &e);
        }
    }
    ERR_clear_error();
    return 0;
}
