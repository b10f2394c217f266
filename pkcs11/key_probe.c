/* SPDX-License-Identifier: Apache-2.0 */
/* Every probe runs in a session of its own that is closed right after, so that an operation which a
 * token wrongly starts is gone with it. */
#include <string.h>

#include "base/ossl.h"
#include "pkcs11/ckr.h"
#include "pkcs11/key.h"

struct probes {
    struct key *key;
    const CK_FUNCTION_LIST *f;
    key_probe_seen *seen;
    void *context;
    size_t passed_wrongly;
    char first[96];
};

static CK_BBOOL yes = CK_TRUE;
static CK_BBOOL no = CK_FALSE;

/* A second session of the same token shares the login (PKCS #11 v2.40 2.6.6). */
static int
open_session(struct probes *p, CK_SESSION_HANDLE *session, struct err *e)
{
    const struct session *own = key_get_session(p->key);
    CK_RV rv = p->f->C_OpenSession(session_token(own)->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                   NULL, NULL, session);

    return rv == CKR_OK ? 0 : session_err(own, rv, "C_OpenSession", e);
}

static int
report(struct probes *p, const char *probe, CK_RV rv, struct err *e)
{
    bool refused = rv != CKR_OK;

    if (!refused && p->passed_wrongly++ == 0) {
        (void)strncpy(p->first, probe, sizeof(p->first) - 1);
    }
    return p->seen == NULL ? 0 : p->seen(p->context, probe, ckr_name(rv), refused, e);
}

static int
probe_reads(struct probes *p, CK_SESSION_HANDLE session, struct err *e)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        const char *probe;
        bool rsa;
    } secrets[] = {
        {CKA_VALUE, "read CKA_VALUE", false},
        {CKA_PRIVATE_EXPONENT, "read CKA_PRIVATE_EXPONENT", true},
        {CKA_PRIME_1, "read CKA_PRIME_1", true},
    };
    bool rsa = key_get_algorithm(p->key) == KEY_RSA3072;

    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        /* Only the length is asked for: a key that leaks must not leak into this process. */
        CK_ATTRIBUTE a = {secrets[i].type, NULL, 0};
        CK_RV rv;

        if (secrets[i].rsa != rsa) {
            continue;
        }
        rv = p->f->C_GetAttributeValue(session, key_get_private(p->key), &a, 1);
        if (report(p, secrets[i].probe, rv, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
probe_changes(struct probes *p, CK_SESSION_HANDLE session, struct err *e)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        CK_BBOOL *value;
        const char *probe;
    } changes[] = {
        {CKA_EXTRACTABLE, &yes, "set CKA_EXTRACTABLE TRUE"},
        {CKA_SENSITIVE, &no, "set CKA_SENSITIVE FALSE"},
        {CKA_MODIFIABLE, &yes, "set CKA_MODIFIABLE TRUE"},
        {CKA_UNWRAP, &yes, "set CKA_UNWRAP TRUE"},
        {CKA_DECRYPT, &yes, "set CKA_DECRYPT TRUE"},
        {CKA_DERIVE, &yes, "set CKA_DERIVE TRUE"},
    };

    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        CK_ATTRIBUTE a = {changes[i].type, changes[i].value, sizeof(CK_BBOOL)};
        CK_RV rv = p->f->C_SetAttributeValue(session, key_get_private(p->key), &a, 1);

        if (report(p, changes[i].probe, rv, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
probe_copy(struct probes *p, CK_SESSION_HANDLE session, struct err *e)
{
    CK_ATTRIBUTE template[] = {
        {CKA_TOKEN, &no, sizeof(no)},
        {CKA_EXTRACTABLE, &yes, sizeof(yes)},
    };
    CK_OBJECT_HANDLE copy = 0;
    CK_RV rv =
        p->f->C_CopyObject(session, key_get_private(p->key), template, ARRAY_LEN(template), &copy);

    if (rv == CKR_OK) {
        (void)p->f->C_DestroyObject(session, copy);
    }
    return report(p, "copy with CKA_EXTRACTABLE TRUE", rv, e);
}

/* Wraps under a session AES key; a token without AES cannot be asked, which is a refusal too. */
static int
probe_wrap(struct probes *p, CK_SESSION_HANDLE session, struct err *e)
{
    CK_MECHANISM generate = {CKM_AES_KEY_GEN, NULL, 0};
    CK_MECHANISM wrap = {CKM_AES_KEY_WRAP, NULL, 0};
    CK_ULONG length = 32;
    CK_ATTRIBUTE template[] = {
        {CKA_TOKEN, &no, sizeof(no)},
        {CKA_WRAP, &yes, sizeof(yes)},
        {CKA_VALUE_LEN, &length, sizeof(length)},
    };
    CK_OBJECT_HANDLE aes = 0;
    CK_ULONG n = 0;
    CK_RV rv = p->f->C_GenerateKey(session, &generate, template, ARRAY_LEN(template), &aes);

    if (rv == CKR_OK) {
        /* Without a buffer: the answer is the length, no wrapped key leaves the token. */
        rv = p->f->C_WrapKey(session, &wrap, aes, key_get_private(p->key), NULL, &n);
        (void)p->f->C_DestroyObject(session, aes);
    }
    return report(p, "wrap under a session AES key", rv, e);
}

/* C_SignInit only, never C_Sign: what a wrong mechanism would sign is not ours to choose. */
static int
probe_mechanisms(struct probes *p, struct err *e)
{
    static const struct {
        CK_MECHANISM_TYPE type;
        const char *probe;
    } others[] = {
        {CKM_ECDSA_SHA1, "sign with CKM_ECDSA_SHA1"},
        {CKM_ECDSA, "sign with CKM_ECDSA"},
        {CKM_RSA_PKCS, "sign with CKM_RSA_PKCS"},
        {CKM_RSA_X_509, "sign with CKM_RSA_X_509"},
        {CKM_SHA1_RSA_PKCS, "sign with CKM_SHA1_RSA_PKCS"},
        {CKM_SHA256_RSA_PKCS, "sign with CKM_SHA256_RSA_PKCS"},
    };

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        CK_MECHANISM mechanism = {others[i].type, NULL, 0};
        CK_SESSION_HANDLE session = 0;
        CK_RV rv;

        if (others[i].type == key_signing_mechanism(key_get_algorithm(p->key))) {
            continue;
        }
        if (open_session(p, &session, e) != 0) {
            return -1;
        }
        rv = p->f->C_SignInit(session, &mechanism, key_get_private(p->key));
        (void)p->f->C_CloseSession(session);
        if (report(p, others[i].probe, rv, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
probe_unauthenticated(struct probes *p, CK_SESSION_HANDLE session, struct err *e)
{
    enum key_algorithm algorithm = key_get_algorithm(p->key);
    CK_MECHANISM mechanism = {key_signing_mechanism(algorithm), NULL, 0};
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t signature[SIGNATURE_MAX];
    CK_ULONG n = sizeof(signature);
    unsigned int n_digest = 0;
    struct span text = SPAN_LITERAL("ceremony probe, not a certificate");
    CK_RV rv;

    if (EVP_Digest(text.p, text.n, digest, &n_digest, key_algorithm_digest(algorithm), NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "digest");
    }
    rv = p->f->C_SignInit(session, &mechanism, key_get_private(p->key));
    if (rv == CKR_OK) {
        rv = p->f->C_Sign(session, digest, n_digest, signature, &n);
    }
    OPENSSL_cleanse(signature, sizeof(signature));
    return report(p, "sign without context-specific login", rv, e);
}

int
key_probe(struct key *key, key_probe_seen *seen, void *context, struct err *e)
{
    struct probes p = {.key = key,
                       .f = module_functions(session_module(key_get_session(key))),
                       .seen = seen,
                       .context = context};
    CK_SESSION_HANDLE session = 0;
    int result;

    if (open_session(&p, &session, e) != 0) {
        return -1;
    }
    result = probe_reads(&p, session, e);
    result = result != 0 ? result : probe_changes(&p, session, e);
    result = result != 0 ? result : probe_copy(&p, session, e);
    result = result != 0 ? result : probe_wrap(&p, session, e);
    result = result != 0 ? result : probe_mechanisms(&p, e);
    if (result == 0 && key_policy_always_authenticate(key_get_policy(key))) {
        result = probe_unauthenticated(&p, session, e);
    }
    (void)p.f->C_CloseSession(session);
    if (result != 0) {
        return -1;
    }
    if (p.passed_wrongly > 0) {
        return err_set(e, ERR_TOKEN, "token '%s' allowed %zu of the forbidden: %s",
                       session_token(key_get_session(key))->label, p.passed_wrongly, p.first);
    }
    return 0;
}
