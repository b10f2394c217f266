/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/policy/backdate.h"

#include "base/validity.h"
#include "db/ledger/leaf.h"

int
backdate_begin(const X509 *issuing, int backdate_s, time_t now, time_t *out, struct err *e)
{
    time_t from;
    time_t until;

    if (validity_read(issuing, &from, &until, e) != 0) {
        return -1;
    }
    *out = now - backdate_s > from ? now - backdate_s : from;
    return 0;
}

int
backdate_check(const X509 *issuing, time_t begin, time_t now, struct err *e)
{
    time_t from;
    time_t until;

    if (validity_read(issuing, &from, &until, e) != 0) {
        return -1;
    }
    if (from > now) {
        return err_set(e, ERR_CRYPTO,
                       "the clock here is %lld s before the issuing certificate begins",
                       (long long)(from - now));
    }
    return begin >= from && begin <= now && now - begin <= LEAF_BACKDATE_MAX
               ? 0
               : err_set(e, ERR_DENIED, "notBefore: not of the time of the judgement");
}
