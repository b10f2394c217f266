/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/audit/here.h"

#include "db/audit/mirror/import.h"
#include "tests/support/test.h"

struct mirror *
mirror_here(const char *dir)
{
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(dir, NULL, &e);
    struct mirror *m = log == NULL ? NULL : mirror_of(log, &e);

    assert_ok(m == NULL ? -1 : 0, &e);
    return m;
}
