/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an RA says of itself (base/tlog/ra_report.h). The whole text is decoded; that it is true is
 * the RA's word, which is what it signs. No DER begins so, and no head of a queue.
 */
#include "base/tlog/ra_report.h"

#include <string.h>

#include "base/ossl.h"
#include "pkcs11/signer/object.h"

int
object_check_ra_report(const struct policy *p, struct span text, struct err *e)
{
    struct ra_report report;
    struct span lines;
    uint8_t own[SHA256_SIZE];

    if (ra_report_parse(text, &report, &lines, e) != 0 || sha256(buf_span(&p->spki), own, e) != 0) {
        return -1;
    }
    return memcmp(report.ra, own, sizeof(own)) == 0
               ? 0
               : err_set(e, ERR_DENIED, "report: ra is not the key of this signer");
}
