/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/report.h"

#include <string.h>

#include "base/ossl.h"
#include "base/tlog/ra_report.h"
#include "ca/cmp/heads.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/submission.h"

enum { DER_OCTET_STRING = 0x04, FIELDS = 3 };

static const struct {
    const char *name;
    size_t max;
} limits[FIELDS] = {
    {"text", RA_REPORT_TEXT_MAX},
    {"signature", CMP_HEAD_SIGNATURE_MAX},
    {"certificate", CMP_RA_CERTIFICATE_MAX},
};

static int
check(size_t field, struct span value, struct err *e)
{
    return value.n >= 1 && value.n <= limits[field].max
               ? 0
               : err_set(e, ERR_INPUT, "report: %s of %zu octets, allowed are 1 to %zu",
                         limits[field].name, value.n, limits[field].max);
}

int
cmp_report_encode(const struct cmp_report *r, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(CMP_REPORT_MAX);
    const struct span values[FIELDS] = {r->text, r->signature, r->certificate};

    for (size_t i = 0; i < FIELDS; i++) {
        if (check(i, values[i], e) != 0 ||
            der_append(&content, DER_OCTET_STRING, values[i], e) != 0) {
            return -1;
        }
    }
    buf_truncate(out, 0);
    return der_append(out, DER_SEQUENCE, buf_span(&content), e);
}

int
cmp_report_decode(struct span der, struct cmp_report *out, struct err *e)
{
    struct span *const values[FIELDS] = {&out->text, &out->signature, &out->certificate};
    struct der whole;

    if (!der_only(der, DER_SEQUENCE, &whole)) {
        return err_set(e, ERR_INPUT, "report: not one SEQUENCE in DER");
    }
    for (size_t i = 0; i < FIELDS; i++) {
        struct der d;

        if (!der_next(&whole.content, &d) || d.tag != DER_OCTET_STRING) {
            return err_set(e, ERR_INPUT, "report: %s is not an OCTET STRING in DER",
                           limits[i].name);
        }
        *values[i] = d.content;
        if (check(i, d.content, e) != 0) {
            return -1;
        }
    }
    return whole.content.n == 0 ? 0 : err_set(e, ERR_INPUT, "report: octets behind it");
}

int
cmp_report_verify(const struct cmp_report *r, X509 *ra, struct span ca_hash, struct err *e)
{
    struct ra_report said;
    struct span lines;
    uint8_t hash[SHA256_SIZE];

    if (ra_report_parse(r->text, &said, &lines, e) != 0 || certificate_key_hash(ra, hash, e) != 0) {
        return -1;
    }
    if (memcmp(said.ra, hash, sizeof(hash)) != 0) {
        return err_set(e, ERR_DENIED,
                       "report: names another key than that of the RA's certificate");
    }
    if (!span_equal(span_of(said.ca, sizeof(said.ca)), ca_hash)) {
        return err_set(e, ERR_DENIED, "report: meant for another CA");
    }
    return cmp_heads_verify(NULL, ra, r->text, r->signature, e) == 0 ? 0 : err_wrap(e, "report");
}
