/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/officers.h"

#include <string.h>

#include "base/ossl.h"
#include "db/audit/rules/signed.h"

static const struct audit_holder *
officer_check(const struct audit_holders *officers, const struct leaf *leaf, const char *who,
              const char *cms, audit_officers_fits *fits, const void *arg, struct err *e)
{
    const char *kind = leaf_kind_name(leaf_kind(leaf));
    const char *serial = leaf_text(leaf, who);
    const struct audit_holder *o = audit_holders_find(officers, serial);
    CLEANUP(buf_free) struct buf content = BUF_INIT(LEAF_MAX);
    char hex[2 * SHA256_SIZE + 1];
    uint8_t hash[SHA256_SIZE];

    if (o == NULL) {
        (void)err_set(e, ERR_CRYPTO, "%s by serial %s, which is no officer", kind, serial);
        return NULL;
    }
    if (audit_signed_member(leaf, cms, o->certificate, &content, e) != 0 ||
        fits(arg, buf_span(&content), leaf, e) != 0 || sha256(buf_span(&content), hash, e) != 0) {
        return NULL;
    }
    hex_format(span_of(hash, sizeof(hash)), hex);
    if (strcmp(hex, leaf_text(leaf, "plan")) != 0) {
        (void)err_set(e, ERR_CRYPTO, "serial %s signed another plan than the %s names", serial,
                      kind);
        return NULL;
    }
    return o;
}

int
audit_officers_check(const struct audit_holders *officers, const struct leaf *leaf,
                     audit_officers_fits *fits, const void *arg, struct err *e)
{
    const struct audit_holder *first =
        officer_check(officers, leaf, "officer", "cms", fits, arg, e);
    const struct audit_holder *second =
        first == NULL ? NULL
                      : officer_check(officers, leaf, "secondOfficer", "secondCms", fits, arg, e);

    if (second == NULL) {
        return -1;
    }
    return audit_holder_is_same_person(first, second)
               ? err_set(e, ERR_CRYPTO, "%s, which one person signed twice",
                         leaf_kind_name(leaf_kind(leaf)))
               : 0;
}
