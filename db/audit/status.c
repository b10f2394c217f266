/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/status.h"

#include <assert.h>

const char *
audit_status_name(enum audit_status status)
{
    switch (status) {
    case AUDIT_PENDING:
        return "pending";
    case AUDIT_ISSUED:
        return "issued";
    case AUDIT_CONFIRMED:
        return "confirmed";
    case AUDIT_REJECTED:
        return "rejected";
    case AUDIT_REVOKED:
        return "revoked";
    }
    assert(false);
    return "";
}

enum audit_status
audit_status_next(enum audit_status status, enum leaf_kind kind)
{
    if (status == AUDIT_REVOKED) {
        return status; /* there is no way back */
    }
    if (kind == LEAF_ISSUED) {
        return AUDIT_ISSUED;
    }
    if (kind == LEAF_CONFIRMED) {
        return AUDIT_CONFIRMED;
    }
    if (kind == LEAF_REJECTED) {
        return AUDIT_REJECTED;
    }
    return kind == LEAF_REVOKED ? AUDIT_REVOKED : status;
}
