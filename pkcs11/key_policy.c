/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table below is the policy. A row says what one half must have; `given` rows are also in the
 * template for C_GenerateKeyPair, the others are set by the token and cannot be asked for
 * (PKCS #11 v2.40 4.4, 4.9: CKA_ALWAYS_SENSITIVE in a template is CKR_ATTRIBUTE_READ_ONLY).
 */
#include "pkcs11/key_policy.h"

#include <stdio.h>
#include <string.h>

struct key_policy {
    const char *name;
    bool always_authenticate;
};

static const struct key_policy POLICIES[] = {
    {"root-signing-v1", true},
    {"issuing-signing-v1", false},
    {"log-signing-v1", false},
    {"ra-signing-v1", false},
};

enum rule_value {
    FALSE_,
    TRUE_,
    AUTHENTICATE, /* as the policy says */
    CLASS,
    KEY_TYPE,
    GENERATED_BY,
    MECHANISMS, /* exactly the one signing mechanism */
    CURVE,      /* EC only */
    ID,
    BITS,     /* RSA only */
    EXPONENT, /* RSA only */
};

enum rule_use {
    BOTH,    /* both halves */
    PRIVATE, /* private half only */
    PUBLIC,  /* public half only */
};

struct rule {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
    enum rule_use use;
    enum rule_value value;
    bool given; /* in the template */
};

#define RULE(use, type, value, given)                                                              \
    {                                                                                              \
        type, #type, use, value, given                                                             \
    }

static const struct rule RULES[] = {
    RULE(BOTH, CKA_CLASS, CLASS, true),
    RULE(BOTH, CKA_KEY_TYPE, KEY_TYPE, true),
    RULE(BOTH, CKA_TOKEN, TRUE_, true),
    RULE(PRIVATE, CKA_PRIVATE, TRUE_, true),
    RULE(PUBLIC, CKA_PRIVATE, FALSE_, true),
    RULE(PRIVATE, CKA_SENSITIVE, TRUE_, true),
    RULE(PRIVATE, CKA_EXTRACTABLE, FALSE_, true),
    RULE(PRIVATE, CKA_ALWAYS_SENSITIVE, TRUE_, false),
    RULE(PRIVATE, CKA_NEVER_EXTRACTABLE, TRUE_, false),
    RULE(BOTH, CKA_LOCAL, TRUE_, false),
    RULE(BOTH, CKA_KEY_GEN_MECHANISM, GENERATED_BY, false),
    /* While TRUE, UNWRAP, DERIVE and DECRYPT can be switched on later. */
    RULE(BOTH, CKA_MODIFIABLE, FALSE_, true),
    RULE(BOTH, CKA_COPYABLE, FALSE_, true),
    /* TRUE: FALSE would leave C_InitToken as the only way to decommission a key. */
    RULE(BOTH, CKA_DESTROYABLE, TRUE_, true),
    RULE(PRIVATE, CKA_SIGN, TRUE_, true),
    RULE(PRIVATE, CKA_SIGN_RECOVER, FALSE_, true),
    RULE(PRIVATE, CKA_DECRYPT, FALSE_, true),
    RULE(PRIVATE, CKA_UNWRAP, FALSE_, true),
    RULE(BOTH, CKA_DERIVE, FALSE_, true),
    RULE(PUBLIC, CKA_VERIFY, TRUE_, true),
    RULE(PUBLIC, CKA_VERIFY_RECOVER, FALSE_, true),
    RULE(PUBLIC, CKA_ENCRYPT, FALSE_, true),
    RULE(PUBLIC, CKA_WRAP, FALSE_, true),
    RULE(PRIVATE, CKA_WRAP_WITH_TRUSTED, TRUE_, true),
    RULE(PRIVATE, CKA_ALWAYS_AUTHENTICATE, AUTHENTICATE, true),
    RULE(PRIVATE, CKA_ALLOWED_MECHANISMS, MECHANISMS, true),
    RULE(PUBLIC, CKA_TRUSTED, FALSE_, false),
    RULE(BOTH, CKA_ID, ID, false), /* given by the caller: random for each key */
    RULE(PUBLIC, CKA_EC_PARAMS, CURVE, true),
    RULE(PUBLIC, CKA_MODULUS_BITS, BITS, true),
    RULE(PUBLIC, CKA_PUBLIC_EXPONENT, EXPONENT, true),
};

/* What the templates point at. PKCS #11 wants pointers that are not const but reads only. */
static CK_BBOOL value_false = CK_FALSE;
static CK_BBOOL value_true = CK_TRUE;
static CK_OBJECT_CLASS class_private = CKO_PRIVATE_KEY;
static CK_OBJECT_CLASS class_public = CKO_PUBLIC_KEY;
static CK_KEY_TYPE type_ec = CKK_EC;
static CK_KEY_TYPE type_rsa = CKK_RSA;
static CK_MECHANISM_TYPE generate_ec = CKM_EC_KEY_PAIR_GEN;
static CK_MECHANISM_TYPE generate_rsa = CKM_RSA_PKCS_KEY_PAIR_GEN;
static CK_MECHANISM_TYPE sign_ec = CKM_ECDSA;
static CK_MECHANISM_TYPE sign_rsa = CKM_RSA_PKCS;
static CK_ULONG rsa_bits = 3072;
static uint8_t rsa_exponent[] = {0x01, 0x00, 0x01};
/* DER OBJECT IDENTIFIERs secp256r1 and secp384r1 (RFC 5480 2.1.1.1). */
static uint8_t curve_p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static uint8_t curve_p384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};

const struct key_policy *
key_policy_find(const char *name, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(POLICIES); i++) {
        if (strcmp(POLICIES[i].name, name) == 0) {
            return &POLICIES[i];
        }
    }
    (void)err_set(e, ERR_INPUT,
                  "attribute policy '%s': use root-signing-v1, issuing-signing-v1, "
                  "log-signing-v1 or ra-signing-v1",
                  name);
    return NULL;
}

const char *
key_policy_name(const struct key_policy *policy)
{
    return policy->name;
}

bool
key_policy_always_authenticate(const struct key_policy *policy)
{
    return policy->always_authenticate;
}

CK_MECHANISM_TYPE
key_generation_mechanism(enum key_algorithm algorithm)
{
    return algorithm == KEY_RSA3072 ? generate_rsa : generate_ec;
}

CK_MECHANISM_TYPE
key_signing_mechanism(enum key_algorithm algorithm)
{
    return algorithm == KEY_RSA3072 ? sign_rsa : sign_ec;
}

static bool
applies(const struct rule *rule, enum key_algorithm algorithm, enum key_half half)
{
    bool rsa = algorithm == KEY_RSA3072;

    if (rule->use != BOTH && (rule->use == PRIVATE) != (half == KEY_PRIVATE)) {
        return false;
    }
    if (rule->value == CURVE) {
        return !rsa;
    }
    return rsa || (rule->value != BITS && rule->value != EXPONENT);
}

static CK_ATTRIBUTE
boolean(CK_ATTRIBUTE_TYPE type, bool value)
{
    return (CK_ATTRIBUTE){type, value ? &value_true : &value_false, sizeof(CK_BBOOL)};
}

/* The value that the rule demands; CKA_ID is the caller's and gives an empty value here. */
static CK_ATTRIBUTE
wanted(const struct rule *rule, const struct key_policy *policy, enum key_algorithm algorithm,
       enum key_half half)
{
    bool rsa = algorithm == KEY_RSA3072;
    CK_ATTRIBUTE a = {rule->type, NULL, 0};

    switch (rule->value) {
    case FALSE_:
        return boolean(rule->type, false);
    case TRUE_:
        return boolean(rule->type, true);
    case AUTHENTICATE:
        return boolean(rule->type, policy->always_authenticate);
    case CLASS:
        a.pValue = half == KEY_PRIVATE ? &class_private : &class_public;
        a.ulValueLen = sizeof(CK_OBJECT_CLASS);
        break;
    case KEY_TYPE:
        a.pValue = rsa ? &type_rsa : &type_ec;
        a.ulValueLen = sizeof(CK_KEY_TYPE);
        break;
    case GENERATED_BY:
        a.pValue = rsa ? &generate_rsa : &generate_ec;
        a.ulValueLen = sizeof(CK_MECHANISM_TYPE);
        break;
    case MECHANISMS:
        a.pValue = rsa ? &sign_rsa : &sign_ec;
        a.ulValueLen = sizeof(CK_MECHANISM_TYPE);
        break;
    case CURVE:
        a.pValue = algorithm == KEY_P256 ? curve_p256 : curve_p384;
        a.ulValueLen = algorithm == KEY_P256 ? sizeof(curve_p256) : sizeof(curve_p384);
        break;
    case BITS:
        a.pValue = &rsa_bits;
        a.ulValueLen = sizeof(rsa_bits);
        break;
    case EXPONENT:
        a.pValue = rsa_exponent;
        a.ulValueLen = sizeof(rsa_exponent);
        break;
    case ID:
        break;
    }
    return a;
}

size_t
key_policy_template(const struct key_policy *policy, enum key_algorithm algorithm,
                    enum key_half half, CK_ATTRIBUTE out[KEY_TEMPLATE_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(RULES); i++) {
        if (RULES[i].given && applies(&RULES[i], algorithm, half)) {
            out[n++] = wanted(&RULES[i], policy, algorithm, half);
        }
    }
    return n;
}

/* "TRUE", "FALSE", or hex. */
static void
show(const CK_ATTRIBUTE *want, struct span value, char *text, size_t size)
{
    char hex[2 * 64 + 1];

    if (want->ulValueLen == sizeof(CK_BBOOL) && value.n == sizeof(CK_BBOOL)) {
        (void)snprintf(text, size, "%s", value.p[0] == CK_FALSE ? "FALSE" : "TRUE");
        return;
    }
    hex_format(span_of(value.p, value.n > 64 ? 64 : value.n), hex);
    (void)snprintf(text, size, "%s", hex);
}

static int
check_one(struct session *s, const CK_ATTRIBUTE *want, const char *half, const char *name,
          CK_OBJECT_HANDLE object, char *text, size_t size, struct err *e)
{
    uint8_t value[64];
    char expected[2 * 64 + 1];
    CK_ATTRIBUTE got = {want->type, value, sizeof(value)};
    CK_RV rv = module_functions(session_module(s))
                   ->C_GetAttributeValue(session_handle(s), object, &got, 1);

    if (rv != CKR_OK || got.ulValueLen > sizeof(value)) {
        (void)session_err(s, rv, "C_GetAttributeValue", e);
        e->code = ERR_TOKEN;
        return err_wrap(e, "the %s key has no readable %s", half, name);
    }
    show(want, span_of(value, got.ulValueLen), text, size);
    if (!span_equal(span_of(value, got.ulValueLen), span_of(want->pValue, want->ulValueLen))) {
        show(want, span_of(want->pValue, want->ulValueLen), expected, sizeof(expected));
        return err_set(e, ERR_TOKEN, "the %s key has %s '%s' where the policy wants '%s'", half,
                       name, text, expected);
    }
    return 0;
}

int
key_attribute_check(struct session *s, const char *half, const char *name, const CK_ATTRIBUTE *want,
                    CK_OBJECT_HANDLE object, key_attribute_seen *seen, void *context, struct err *e)
{
    char text[2 * 64 + 1];

    if (check_one(s, want, half, name, object, text, sizeof(text), e) != 0) {
        return -1;
    }
    return seen == NULL ? 0 : seen(context, half, name, text, e);
}

int
key_policy_check(struct session *s, const struct key_policy *policy, enum key_algorithm algorithm,
                 enum key_half half, CK_OBJECT_HANDLE object, struct span id,
                 key_attribute_seen *seen, void *context, struct err *e)
{
    const char *half_name = half == KEY_PRIVATE ? "private" : "public";
    uint8_t id_copy[KEY_ID_SIZE] = {0};

    if (id.n != KEY_ID_SIZE) {
        return err_set(e, ERR_INPUT, "a CKA_ID of %zu octets, %d are needed", id.n, KEY_ID_SIZE);
    }
    memcpy(id_copy, id.p, id.n);
    for (size_t i = 0; i < ARRAY_LEN(RULES); i++) {
        CK_ATTRIBUTE want;

        if (!applies(&RULES[i], algorithm, half)) {
            continue;
        }
        want = wanted(&RULES[i], policy, algorithm, half);
        if (RULES[i].value == ID) {
            want.pValue = id_copy;
            want.ulValueLen = sizeof(id_copy);
        }
        if (key_attribute_check(s, half_name, RULES[i].name, &want, object, seen, context, e) !=
            0) {
            return err_wrap(e, "policy %s, token '%s'", policy->name, session_token(s)->label);
        }
    }
    return 0;
}
