/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attributes that a key must have been born with, written down once more: the verifier does not
 * share the table with the code that generates keys, so that a mistake in one is seen by the other.
 */
#include <string.h>

#include "ceremony/bundle/steps.h"
#include "ceremony/transcript/fact.h"

static const char *const ATTRIBUTES[] = {
    "private CKA_TOKEN TRUE",
    "private CKA_PRIVATE TRUE",
    "private CKA_SENSITIVE TRUE",
    "private CKA_EXTRACTABLE FALSE",
    "private CKA_ALWAYS_SENSITIVE TRUE",
    "private CKA_NEVER_EXTRACTABLE TRUE",
    "private CKA_LOCAL TRUE",
    "private CKA_MODIFIABLE FALSE",
    "private CKA_COPYABLE FALSE",
    "private CKA_DESTROYABLE TRUE",
    "private CKA_SIGN TRUE",
    "private CKA_SIGN_RECOVER FALSE",
    "private CKA_DECRYPT FALSE",
    "private CKA_UNWRAP FALSE",
    "private CKA_DERIVE FALSE",
    "private CKA_WRAP_WITH_TRUSTED TRUE",
    "public CKA_TOKEN TRUE",
    "public CKA_PRIVATE FALSE",
    "public CKA_LOCAL TRUE",
    "public CKA_MODIFIABLE FALSE",
    "public CKA_COPYABLE FALSE",
    "public CKA_DESTROYABLE TRUE",
    "public CKA_VERIFY TRUE",
    "public CKA_VERIFY_RECOVER FALSE",
    "public CKA_ENCRYPT FALSE",
    "public CKA_WRAP FALSE",
    "public CKA_DERIVE FALSE",
    "public CKA_TRUSTED FALSE",
};

/* Numbers are recorded as the octets of a CK_ULONG: little-endian, 8 octets. */
static const char *const EC_ATTRIBUTES[] = {
    "private CKA_KEY_GEN_MECHANISM 4010000000000000",  /* CKM_EC_KEY_PAIR_GEN */
    "private CKA_ALLOWED_MECHANISMS 4110000000000000", /* CKM_ECDSA and no other */
};
static const char *const RSA_ATTRIBUTES[] = {
    "private CKA_KEY_GEN_MECHANISM 0000000000000000",  /* CKM_RSA_PKCS_KEY_PAIR_GEN */
    "private CKA_ALLOWED_MECHANISMS 0100000000000000", /* CKM_RSA_PKCS and no other */
};

/* Operations that a token must have refused. */
static const char *const PROBES[] = {
    "set CKA_EXTRACTABLE TRUE",       "set CKA_SENSITIVE FALSE",
    "set CKA_MODIFIABLE TRUE",        "set CKA_UNWRAP TRUE",
    "set CKA_DECRYPT TRUE",           "set CKA_DERIVE TRUE",
    "copy with CKA_EXTRACTABLE TRUE", "wrap under a session AES key",
};
static const char *const EC_PROBES[] = {
    "read CKA_VALUE",
    "sign with CKM_ECDSA_SHA1",
};
static const char *const RSA_PROBES[] = {
    "read CKA_PRIVATE_EXPONENT",     "read CKA_PRIME_1",
    "sign with CKM_RSA_X_509",       "sign with CKM_SHA1_RSA_PKCS",
    "sign with CKM_SHA256_RSA_PKCS",
};
/* Of a key that wants the PIN for each signature. */
static const char *const ROOT_PROBES[] = {"sign without context-specific login"};

static bool
is_root(const char *policy)
{
    return strcmp(policy, "root-signing-v1") == 0;
}

static int
want_rows(struct verifier *v, const json_t *rows, const char *const *wanted, size_t n,
          struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (!fact_has_row(rows, wanted[i])) {
            return verifier_bad(v, e, "the token did not show '%s'", wanted[i]);
        }
    }
    return 0;
}

int
verifier_take_attributes(struct verifier *v, const char *label, const char *policy,
                         enum pubkey_kind kind, const uint8_t id[STATE_KEY_ID_SIZE], struct err *e)
{
    const json_t *fact = verifier_take(v, "attributes", e);
    const json_t *rows = json_object_get(fact, "rows");
    CLEANUP(mem_cleanup) char *id_hex = hex_dup(span_of(id, STATE_KEY_ID_SIZE));
    CLEANUP(mem_cleanup) char *private_id = mem_printf("private CKA_ID %s", id_hex);
    CLEANUP(mem_cleanup) char *public_id = mem_printf("public CKA_ID %s", id_hex);
    const char *own[3] = {private_id, public_id, "private CKA_ALWAYS_AUTHENTICATE FALSE"};

    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "label", label) || !fact_is(fact, "policy", policy)) {
        return verifier_bad(v, e, "are not of key %s under policy %s", label, policy);
    }
    if (is_root(policy)) {
        own[2] = "private CKA_ALWAYS_AUTHENTICATE TRUE";
    }
    if (want_rows(v, rows, ATTRIBUTES, ARRAY_LEN(ATTRIBUTES), e) != 0 ||
        want_rows(v, rows, own, ARRAY_LEN(own), e) != 0) {
        return -1;
    }
    return kind == PUBKEY_RSA ? want_rows(v, rows, RSA_ATTRIBUTES, ARRAY_LEN(RSA_ATTRIBUTES), e)
                              : want_rows(v, rows, EC_ATTRIBUTES, ARRAY_LEN(EC_ATTRIBUTES), e);
}

static int
take_generation(struct verifier *v, size_t i, struct err *e)
{
    const struct key_plan *plan = &v->bundle->definition->keys[i];
    struct verified_key *key = &v->keys[i];
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *parsed = NULL;
    enum pubkey_kind kind;
    const json_t *fact = verifier_take(v, "p11.intent", e);

    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "function", "C_GenerateKeyPair") || !fact_is(fact, "label", plan->label) ||
        !fact_is(fact, "algorithm", plan->algorithm) ||
        !fact_is(fact, "attributes", plan->attributes)) {
        return verifier_bad(v, e, "is not the generation of key %s", plan->label);
    }
    fact = verifier_take(v, "p11.done", e);
    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "function", "C_GenerateKeyPair") || !fact_is(fact, "result", "CKR_OK")) {
        return verifier_bad(v, e, "the generation of key %s is not closed", plan->label);
    }
    if (fact_hex(fact, "id", key->id, sizeof(key->id), e) != 0 ||
        fact_base64(fact, "spki", &key->spki, e) != 0) {
        return verifier_wrap(v, e);
    }
    parsed = pubkey_parse(buf_span(&key->spki), &kind, e);
    if (parsed == NULL) {
        return verifier_wrap(v, e);
    }
    return kind == plan->kind ? 0 : verifier_bad(v, e, "is not a %s key", plan->algorithm);
}

int
verifier_keys(struct verifier *v, struct err *e)
{
    const struct definition *d = v->bundle->definition;

    for (size_t i = 0; i < d->n_keys; i++) {
        CLEANUP(mem_cleanup) char *word = plan_word_generate(&d->keys[i]);

        if (verifier_take_prompt(v, word, e) != 0 || take_generation(v, i, e) != 0) {
            return -1;
        }
        for (size_t k = 0; k < i; k++) {
            if (span_equal(buf_span(&v->keys[k].spki), buf_span(&v->keys[i].spki))) {
                return verifier_bad(v, e, "the same key as %s: the token's generator is broken",
                                    d->keys[k].label);
            }
        }
    }
    return 0;
}

int
verifier_want_probes(const struct verifier *v, const json_t *made, const char *const *probes,
                     size_t n, struct err *e)
{
    size_t i;
    json_t *probe;

    for (size_t k = 0; k < n; k++) {
        bool asked = false;

        json_array_foreach(made, i, probe)
        {
            asked = asked || fact_is(probe, "probe", probes[k]);
        }
        if (!asked) {
            return verifier_bad(v, e, "the token was not asked to: %s", probes[k]);
        }
    }
    return 0;
}

const json_t *
verifier_take_probes(struct verifier *v, const char *label, struct err *e)
{
    const json_t *fact = verifier_take(v, "probes", e);
    const json_t *made = json_object_get(fact, "probes");
    size_t i;
    json_t *probe;

    if (fact == NULL) {
        return NULL;
    }
    if (!fact_is(fact, "label", label)) {
        (void)verifier_bad(v, e, "are not of key %s", label);
        return NULL;
    }
    json_array_foreach(made, i, probe)
    {
        if (!fact_is_true(probe, "refused") || fact_is(probe, "result", "CKR_OK")) {
            (void)verifier_bad(v, e, "the token allowed: %s", fact_text(probe, "probe"));
            return NULL;
        }
    }
    return fact;
}

static int
take_key_probes(struct verifier *v, const struct key_plan *plan, struct err *e)
{
    const json_t *fact = verifier_take_probes(v, plan->label, e);
    const json_t *made = json_object_get(fact, "probes");

    if (fact == NULL || verifier_want_probes(v, made, PROBES, ARRAY_LEN(PROBES), e) != 0) {
        return -1;
    }
    if (is_root(plan->attributes) &&
        verifier_want_probes(v, made, ROOT_PROBES, ARRAY_LEN(ROOT_PROBES), e) != 0) {
        return -1;
    }
    return plan->kind == PUBKEY_RSA
               ? verifier_want_probes(v, made, RSA_PROBES, ARRAY_LEN(RSA_PROBES), e)
               : verifier_want_probes(v, made, EC_PROBES, ARRAY_LEN(EC_PROBES), e);
}

int
verifier_key_checks(struct verifier *v, struct err *e)
{
    const struct definition *d = v->bundle->definition;

    for (size_t i = 0; i < d->n_keys; i++) {
        const struct key_plan *plan = &d->keys[i];
        const json_t *fact;

        if (verifier_take_attributes(v, plan->label, plan->attributes, plan->kind, v->keys[i].id,
                                     e) != 0 ||
            take_key_probes(v, plan, e) != 0) {
            return -1;
        }
        fact = verifier_take(v, "fresh-process", e);
        if (fact == NULL) {
            return -1;
        }
        if (!fact_is(fact, "label", plan->label) || !fact_is(fact, "result", "found")) {
            return verifier_bad(v, e, "key %s was not found by a fresh process", plan->label);
        }
        /* The root key signs certificates and CRLs only. */
        if (fact_is_true(fact, "signed") == is_root(plan->attributes)) {
            return verifier_bad(
                v, e, "key %s: a fresh process signs with it unless it is the root's", plan->label);
        }
    }
    return 0;
}
