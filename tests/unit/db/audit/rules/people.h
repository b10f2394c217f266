/* SPDX-License-Identifier: Apache-2.0 */
/* people.h - officers and a registrar in a record, and what they sign together. */
#pragma once

#include "base/ossl.h"
#include "base/tlog/merkle.h"
#include "db/audit/rules/restored.h"
#include "tests/support/test.h"

enum { PEOPLE_AT = 1790000000, PEOPLE_LEAVES = 9 };

struct people_person {
    EVP_PKEY *key;
    X509 *certificate;
    char serial[33];
};
struct people_person people_new(uint8_t number, const char *name);
void people_free(struct people_person *);

struct people_log {
    struct audit_restored *rules;
    struct merkle_edge edge;
};
/* The next leaf, judged and freed. */
int people_append(struct people_log *, struct leaf *, struct err *e);
void people_certify_one(struct people_log *, const struct people_person *, const char *profile);
void people_revoke(struct people_log *, const struct people_person *);
/* Two officers, a registrar, who is revoked, and an officer: PEOPLE_LEAVES. */
void people_certify(struct people_log *, const struct people_person people[4]);

/* What this person signed, into a member. */
void people_sign(const struct people_person *, const char *text, struct leaf *, const char *member);
/* `says_what`: NULL, or what the reason has in it. */
void people_must(const char *name, const char *says_what, int result, const struct err *e);
