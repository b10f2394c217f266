/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root_update.h - a root certificate on its way to be replaced (RFC 9483 4.3.2, RFC 9810 4.4): the
 * three certificates that lead a holder of the old one to the new one. Constant after start.
 */
#pragma once

#include "base/ossl.h"
#include "ra/daemon/settings.h"

struct root_update {
    bool there;
    struct buf new_with_new;
    struct buf new_with_old;
    struct buf old_with_new;
    struct buf old_spki; /* DER SubjectPublicKeyInfo of the old root */
};
void root_update_free(struct root_update *);

/* No files: no update. Else newWithNew, newWithOld, oldWithNew, in this order, which must be what
 * their names say. ERR_INPUT with the name of the file. */
int root_update_load(const struct settings_list *files, struct root_update *out, struct err *e);

/* Is there an update for this root certificate? NULL: for whichever the asker has. */
bool root_update_is_for(const struct root_update *, const X509 *root);
