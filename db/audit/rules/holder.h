/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holder.h - who of the CA's own people has a certificate at some place of the record: those
 * of one role (officer, registrar), from INTENT over ISSUED to REVOKED. Private to the rules that
 * ask whose signature counts.
 *
 * Memory: the certificates of that role; an entry stays where it is until all are freed.
 */
#pragma once

#include <openssl/x509.h>

#include "db/audit/rules/state.h"
#include "db/ledger/leaf.h"

struct audit_holder {
    char *serial;
    X509 *certificate; /* NULL: intended, not issued yet */
    bool revoked;
    struct audit_holder *next;
};

struct audit_holders;
void audit_holders_free(struct audit_holders *);
/* `role` is the profile of their certificates; it must outlive the list. */
struct audit_holders *audit_holders_new(const char *role) OWNED(audit_holders_free);

/* The next leaf, of any kind. ERR_CRYPTO: what was issued to one of them cannot be read. */
int audit_holders_note(struct audit_holders *, const struct leaf *, struct err *e);
/* NULL: nobody of this role, or one that has no certificate yet or not any more. Borrowed. */
const struct audit_holder *audit_holders_find(const struct audit_holders *, const char *serial);
/* Two certificates of one person: the same subject or the same key. */
bool audit_holder_is_same_person(const struct audit_holder *, const struct audit_holder *);
/* Also one that has no certificate yet, or not any more: for what a state names. */
const struct audit_holder *audit_holders_any(const struct audit_holders *, const char *serial);
void audit_holders_state(struct audit_holders *, struct state *);
