/* SPDX-License-Identifier: Apache-2.0 */
/* Secret keys in a bundle: the attributes that they must have been born with, written down once
 * more (see keys.c). */
#include <string.h>

#include "ceremony/bundle/steps.h"
#include "ceremony/transcript/fact.h"

/* Numbers are recorded as the octets of a CK_ULONG: little-endian, 8 octets. */
static const char *const ATTRIBUTES[] = {
    "secret CKA_CLASS 0400000000000000",
    "secret CKA_KEY_TYPE 1000000000000000", /* CKK_GENERIC_SECRET */
    "secret CKA_VALUE_LEN 2000000000000000",
    "secret CKA_TOKEN TRUE",
    "secret CKA_PRIVATE TRUE",
    "secret CKA_SENSITIVE TRUE",
    "secret CKA_EXTRACTABLE FALSE",
    "secret CKA_ALWAYS_SENSITIVE TRUE",
    "secret CKA_NEVER_EXTRACTABLE TRUE",
    "secret CKA_LOCAL TRUE",
    "secret CKA_KEY_GEN_MECHANISM 5003000000000000", /* CKM_GENERIC_SECRET_KEY_GEN */
    "secret CKA_MODIFIABLE FALSE",
    "secret CKA_COPYABLE FALSE",
    "secret CKA_DESTROYABLE TRUE",
    "secret CKA_SIGN TRUE",
    "secret CKA_VERIFY FALSE",
    "secret CKA_ENCRYPT FALSE",
    "secret CKA_DECRYPT FALSE",
    "secret CKA_WRAP FALSE",
    "secret CKA_UNWRAP FALSE",
    "secret CKA_DERIVE FALSE",
    "secret CKA_WRAP_WITH_TRUSTED TRUE",
    "secret CKA_ALLOWED_MECHANISMS 5102000000000000", /* CKM_SHA256_HMAC and no other */
};

static const char *const PROBES[] = {
    "read CKA_VALUE",
    "set CKA_EXTRACTABLE TRUE",
    "set CKA_SENSITIVE FALSE",
    "set CKA_DERIVE TRUE",
};

static int
take_generation(struct verifier *v, size_t i, struct err *e)
{
    const struct secret_plan *plan = &v->bundle->definition->secrets[i];
    const char *label = plan->label;
    const json_t *fact = verifier_take(v, "p11.intent", e);

    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "function", "C_GenerateKey") || !fact_is(fact, "label", label) ||
        !fact_is(fact, "attributes", plan->attributes)) {
        return verifier_bad(v, e, "is not the generation of secret key %s", label);
    }
    fact = verifier_take(v, "p11.done", e);
    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "function", "C_GenerateKey") || !fact_is(fact, "label", label) ||
        !fact_is(fact, "result", "CKR_OK")) {
        return verifier_bad(v, e, "the generation of secret key %s is not closed", label);
    }
    return fact_hex(fact, "id", v->secrets[i], sizeof(v->secrets[i]), e) == 0 ? 0
                                                                              : verifier_wrap(v, e);
}

int
verifier_secrets(struct verifier *v, struct err *e)
{
    const struct definition *d = v->bundle->definition;

    for (size_t i = 0; i < d->n_secrets; i++) {
        CLEANUP(mem_cleanup) char *word = plan_word_generate_secret(&d->secrets[i]);

        if (verifier_take_prompt(v, word, e) != 0 || take_generation(v, i, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
take_attributes(struct verifier *v, size_t i, struct err *e)
{
    const json_t *fact = verifier_take(v, "attributes", e);
    const json_t *rows = json_object_get(fact, "rows");
    CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(v->secrets[i], sizeof(v->secrets[i])));
    CLEANUP(mem_cleanup) char *id = mem_printf("secret CKA_ID %s", hex);

    if (fact == NULL) {
        return -1;
    }
    if (!fact_is(fact, "label", v->bundle->definition->secrets[i].label) ||
        !fact_is(fact, "policy", v->bundle->definition->secrets[i].attributes)) {
        return verifier_bad(v, e, "are not of secret key %s",
                            v->bundle->definition->secrets[i].label);
    }
    for (size_t k = 0; k < ARRAY_LEN(ATTRIBUTES); k++) {
        if (!fact_has_row(rows, ATTRIBUTES[k])) {
            return verifier_bad(v, e, "the token did not show '%s'", ATTRIBUTES[k]);
        }
    }
    return fact_has_row(rows, id) ? 0 : verifier_bad(v, e, "the token did not show '%s'", id);
}

static int
take_checks(struct verifier *v, size_t i, struct err *e)
{
    const char *label = v->bundle->definition->secrets[i].label;
    const json_t *fact = take_attributes(v, i, e) == 0 ? verifier_take_probes(v, label, e) : NULL;

    if (fact == NULL || verifier_want_probes(v, json_object_get(fact, "probes"), PROBES,
                                             ARRAY_LEN(PROBES), e) != 0) {
        return -1;
    }
    fact = verifier_take(v, "fresh-process", e);
    if (fact == NULL) {
        return -1;
    }
    return fact_is(fact, "label", label) && fact_is(fact, "result", "found") &&
                   fact_is_true(fact, "signed")
               ? 0
               : verifier_bad(v, e, "secret key %s was not found by a fresh process", label);
}

int
verifier_secret_checks(struct verifier *v, struct err *e)
{
    for (size_t i = 0; i < v->bundle->definition->n_secrets; i++) {
        if (take_checks(v, i, e) != 0) {
            return -1;
        }
    }
    return 0;
}
