/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: a struct key exists only when both halves were found once, match the pinned public key
 * and have every attribute of their policy. */
#include "pkcs11/key.h"

#include <string.h>

#include "base/ossl.h"
#include "pkcs11/key_public.h"

enum { PIN_MAX = 255, RAW_MAX = 512 };

struct key {
    struct session *session;
    const CK_FUNCTION_LIST *f;
    const struct key_policy *policy;
    enum key_algorithm algorithm;
    CK_OBJECT_HANDLE private;
    CK_OBJECT_HANDLE public;
    uint8_t id[KEY_ID_SIZE];
    struct buf spki;
    EVP_PKEY *pinned;
    EVP_PKEY_CTX *verifier; /* of `pinned` */
    key_pin_source *pin_source;
    void *pin_context;
};

void
key_free(struct key *key)
{
    if (key == NULL) {
        return;
    }
    buf_free(&key->spki);
    EVP_PKEY_CTX_free(key->verifier);
    EVP_PKEY_free(key->pinned);
    mem_free(key);
}

/* The one object of this class and CKA_ID. */
static int
find_half(struct key *key, CK_OBJECT_CLASS class, const char *half, CK_OBJECT_HANDLE *out,
          struct err *e)
{
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_ID, key->id, sizeof(key->id)},
    };
    CK_OBJECT_HANDLE found[2] = {0};
    CK_SESSION_HANDLE session = session_handle(key->session);
    CK_ULONG n = 0;
    char id[2 * KEY_ID_SIZE + 1];
    CK_RV rv = key->f->C_FindObjectsInit(session, template, ARRAY_LEN(template));

    if (rv != CKR_OK) {
        return session_err(key->session, rv, "C_FindObjectsInit", e);
    }
    rv = key->f->C_FindObjects(session, found, ARRAY_LEN(found), &n);
    (void)key->f->C_FindObjectsFinal(session);
    if (rv != CKR_OK) {
        return session_err(key->session, rv, "C_FindObjects", e);
    }
    hex_format(span_of(key->id, sizeof(key->id)), id);
    if (n == 0) {
        return err_set(e, ERR_NOTFOUND, "token '%s' has no %s key with CKA_ID %s",
                       session_token(key->session)->label, half, id);
    }
    if (n > 1) {
        return err_set(e, ERR_CONFLICT, "token '%s' has more than one %s key with CKA_ID %s",
                       session_token(key->session)->label, half, id);
    }
    *out = found[0];
    return 0;
}

static int
compare_public(struct key *key, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);

    if (key_public_read(key->session, key->algorithm, key->public, &spki, e) != 0) {
        return -1;
    }
    if (!span_equal(buf_span(&spki), buf_span(&key->spki))) {
        return err_set(e, ERR_DENIED,
                       "the public key on token '%s' is not the pinned one: wrong token, or the "
                       "key was replaced",
                       session_token(key->session)->label);
    }
    return 0;
}

int
key_read_back(struct key *key, key_attribute_seen *seen, void *context, struct err *e)
{
    struct span id = key_get_id(key);

    if (key_policy_check(key->session, key->policy, key->algorithm, KEY_PRIVATE, key->private, id,
                         seen, context, e) != 0 ||
        key_policy_check(key->session, key->policy, key->algorithm, KEY_PUBLIC, key->public, id,
                         seen, context, e) != 0) {
        return -1;
    }
    return compare_public(key, e);
}

struct key *
key_find(struct session *session, const struct key_policy *policy, struct span id, struct span spki,
         struct err *e)
{
    CLEANUP(key_cleanup) struct key *key = NULL;

    if (id.n != KEY_ID_SIZE) {
        (void)err_set(e, ERR_INPUT, "a CKA_ID of %zu octets, %d are needed", id.n, KEY_ID_SIZE);
        return NULL;
    }
    key = mem_new(sizeof(*key));
    key->session = session;
    key->f = module_functions(session_module(session));
    key->policy = policy;
    key->spki = BUF_INIT(SPKI_MAX);
    memcpy(key->id, id.p, id.n);
    key->pinned = key_public_parse(spki, &key->algorithm, e);
    key->verifier =
        key->pinned == NULL ? NULL : key_public_verifier(key->pinned, key->algorithm, e);
    if (key->verifier == NULL || buf_set(&key->spki, spki, e) != 0 ||
        find_half(key, CKO_PRIVATE_KEY, "private", &key->private, e) != 0 ||
        find_half(key, CKO_PUBLIC_KEY, "public", &key->public, e) != 0 ||
        compare_public(key, e) != 0 || key_read_back(key, NULL, NULL, e) != 0) {
        return NULL;
    }
    return TAKE(key);
}

void
key_set_pin_source(struct key *key, key_pin_source *source, void *context)
{
    key->pin_source = source;
    key->pin_context = context;
}

static int
context_login(struct key *key, struct err *e)
{
    CLEANUP(buf_free) struct buf pin = BUF_SECRET(PIN_MAX);

    if (!key_policy_always_authenticate(key->policy)) {
        return 0;
    }
    if (key->pin_source(key->pin_context, &pin, e) != 0) {
        return -1;
    }
    return session_login_context(key->session, buf_span(&pin), e);
}

/* What the token signs: the digest for CKM_ECDSA; DigestInfo for CKM_RSA_PKCS (RFC 8017 9.2). */
static size_t
to_be_signed(const struct key *key, struct span digest, uint8_t out[DIGEST_MAX + 19])
{
    static const uint8_t sha256_info[19] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                            0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                            0x01, 0x05, 0x00, 0x04, 0x20};
    size_t n = 0;

    if (key->algorithm == KEY_RSA3072) {
        memcpy(out, sha256_info, sizeof(sha256_info));
        n = sizeof(sha256_info);
    }
    memcpy(out + n, digest.p, digest.n);
    return n + digest.n;
}

static int
token_sign(struct key *key, struct span digest, uint8_t raw[RAW_MAX], CK_ULONG *n, struct err *e)
{
    CK_MECHANISM mechanism = {key_signing_mechanism(key->algorithm), NULL, 0};
    CK_SESSION_HANDLE session = session_handle(key->session);
    uint8_t input[DIGEST_MAX + 19];
    size_t n_input = to_be_signed(key, digest, input);
    CK_RV rv;

    if (key_policy_always_authenticate(key->policy) && key->pin_source == NULL) {
        return err_set(e, ERR_PIN, "the key wants its PIN for each signature, and there is none");
    }
    rv = key->f->C_SignInit(session, &mechanism, key->private);
    if (rv != CKR_OK) {
        return session_err(key->session, rv, "C_SignInit", e);
    }
    if (context_login(key, e) != 0) {
        return -1;
    }
    rv = key->f->C_Sign(session, input, n_input, raw, n);
    return rv == CKR_OK ? 0 : session_err(key->session, rv, "C_Sign", e);
}

int
key_sign_digest(struct key *key, struct span digest, struct buf *signature, struct err *e)
{
    uint8_t raw[RAW_MAX];
    CK_ULONG n = sizeof(raw);

    /* SoftHSM signs any length with CKM_ECDSA, also none. */
    if (digest.n != key_algorithm_digest_size(key->algorithm)) {
        return err_set(e, ERR_INPUT, "a digest of %zu octets where %s wants %zu", digest.n,
                       key_algorithm_name(key->algorithm),
                       key_algorithm_digest_size(key->algorithm));
    }
    if (token_sign(key, digest, raw, &n, e) != 0 ||
        key_signature_der(key->algorithm, span_of(raw, n), signature, e) != 0) {
        buf_truncate(signature, 0);
        return -1;
    }
    /* A fault in the token must not get out: one wrong ECDSA signature can give the key away. */
    if (key_public_verify_with(key->verifier, key->algorithm, digest, buf_span(signature), e) !=
        0) {
        buf_truncate(signature, 0);
        return err_wrap(e, "token '%s'", session_token(key->session)->label);
    }
    return 0;
}

int
key_sign(struct key *key, struct span tbs, struct buf *signature, struct err *e)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int n = 0;

    if (EVP_Digest(tbs.p, tbs.n, digest, &n, key_algorithm_digest(key->algorithm), NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "digest");
    }
    return key_sign_digest(key, span_of(digest, n), signature, e);
}

enum key_algorithm
key_get_algorithm(const struct key *key)
{
    return key->algorithm;
}

const struct key_policy *
key_get_policy(const struct key *key)
{
    return key->policy;
}

struct session *
key_get_session(const struct key *key)
{
    return key->session;
}

CK_OBJECT_HANDLE
key_get_private(const struct key *key)
{
    return key->private;
}

struct span
key_get_id(const struct key *key)
{
    return span_of(key->id, sizeof(key->id));
}

struct span
key_get_spki(const struct key *key)
{
    return buf_span(&key->spki);
}

EVP_PKEY *
key_get_public(const struct key *key)
{
    return key->pinned;
}
