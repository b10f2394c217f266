/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_policy.h - the named attribute policies: one table makes the templates for generation and the
 * read-back, so that what is asked for is what is checked.
 */
#pragma once

#include "pkcs11/algorithm.h"
#include "pkcs11/session.h"

enum {
    KEY_ID_SIZE = 16,
    KEY_LABEL_MAX = 64,
    KEY_TEMPLATE_MAX = 32,
};

/*
 * All demand the table of PKCS #11 attributes in key_policy.c; they differ in
 * CKA_ALWAYS_AUTHENTICATE: "root-signing-v1" TRUE; "issuing-signing-v1", "log-signing-v1" and
 * "ra-signing-v1" FALSE.
 */
struct key_policy;
/* ERR_INPUT lists the names. The policy lives for ever. */
const struct key_policy *key_policy_find(const char *name, struct err *e);
const char *key_policy_name(const struct key_policy *);
bool key_policy_always_authenticate(const struct key_policy *);

enum key_half { KEY_PRIVATE, KEY_PUBLIC };

/* What C_GenerateKeyPair gets for one half, without CKA_ID and CKA_LABEL; the values live for ever.
 * Returns how many were written to `out`. */
size_t key_policy_template(const struct key_policy *, enum key_algorithm, enum key_half,
                           CK_ATTRIBUTE out[KEY_TEMPLATE_MAX]);

/* Each attribute as it was read back, for the transcript: "private", "CKA_SENSITIVE", "TRUE". */
typedef int key_attribute_seen(void *context, const char *half, const char *attribute,
                               const char *value, struct err *e);

/* One attribute of `object` is as wanted. ERR_TOKEN names `half` and attribute. */
int key_attribute_check(struct session *, const char *half, const char *name,
                        const CK_ATTRIBUTE *want, CK_OBJECT_HANDLE object, key_attribute_seen *seen,
                        void *context, struct err *e);

/* Reads every attribute of the policy from `object`. ERR_TOKEN names half and attribute of the
 * first that cannot be read or has another value. `seen` may be NULL. */
int key_policy_check(struct session *, const struct key_policy *, enum key_algorithm, enum key_half,
                     CK_OBJECT_HANDLE object, struct span id, key_attribute_seen *seen,
                     void *context, struct err *e);

CK_MECHANISM_TYPE key_generation_mechanism(enum key_algorithm);
/* CKM_ECDSA or CKM_RSA_PKCS: the only one that the key may be used with. */
CK_MECHANISM_TYPE key_signing_mechanism(enum key_algorithm);
