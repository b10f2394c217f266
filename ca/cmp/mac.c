/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/mac.h"

#include <openssl/hmac.h>
#include <stdatomic.h>

#include "base/ossl.h"
#include "ca/cmp/asn1.h"
#include "ca/cmp/field.h"

/* Both kinds, decoded and within the limits. */
struct parameters {
    bool pbmac1;
    struct span salt; /* borrowed from what was decoded */
    int count;
    const EVP_MD *kdf_md; /* OWF, or the hash of the PRF */
    const EVP_MD *mac_md;
    size_t key_size; /* PBMAC1 */
    CMP_PBM *pbm;
    CMP_PBMAC1 *two;
    PBKDF2PARAM *pbkdf2;
};

struct cmp_mac_key {
    struct buf algorithm;
    struct buf key; /* secret */
    const EVP_MD *md;
    atomic_int owners;
};

enum { MAC_ALGORITHM_MAX = 1024 };

static void
parameters_release(struct parameters *p)
{
    CMP_PBM_free(p->pbm);
    CMP_PBMAC1_free(p->two);
    PBKDF2PARAM_free(p->pbkdf2);
}

/* The hash of an OWF: SHA-1 and SHA-2 (RFC 9481 2). NULL for MD5 and whatever else. */
static const EVP_MD *
hash_of(const X509_ALGOR *algorithm)
{
    switch (OBJ_obj2nid(algorithm->algorithm)) {
    case NID_sha1:
        return EVP_sha1();
    case NID_sha224:
        return EVP_sha224();
    case NID_sha256:
        return EVP_sha256();
    case NID_sha384:
        return EVP_sha384();
    case NID_sha512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

/* The hash of an HMAC (RFC 9481 6.2.1); HMAC-SHA1 has two names. */
static const EVP_MD *
hmac_of(const X509_ALGOR *algorithm)
{
    switch (OBJ_obj2nid(algorithm->algorithm)) {
    case NID_hmac_sha1:
    case NID_hmacWithSHA1:
        return EVP_sha1();
    case NID_hmacWithSHA224:
        return EVP_sha224();
    case NID_hmacWithSHA256:
        return EVP_sha256();
    case NID_hmacWithSHA384:
        return EVP_sha384();
    case NID_hmacWithSHA512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

/* The parameters of an algorithm, empty unless they are of a structured type: what the union holds
 * for other types is no string, and using it unseen was CVE-2026-63076. */
static struct span
sequence_parameter(const X509_ALGOR *algorithm)
{
    return field_raw(algorithm->parameter);
}

static int
check_numbers(struct parameters *p, const ASN1_INTEGER *count, const struct cmp_mac_limits *limits,
              struct err *e)
{
    const uint32_t least =
        limits->count_min > CMP_MAC_COUNT_MIN ? limits->count_min : CMP_MAC_COUNT_MIN;
    const uint32_t most = limits->count_max != 0 ? limits->count_max : CMP_MAC_COUNT_MAX;
    int64_t n;

    if (p->salt.n < CMP_MAC_SALT_MIN || p->salt.n > CMP_MAC_SALT_MAX) {
        return err_set(e, ERR_INPUT, "salt of %zu octets; %d to %d are accepted", p->salt.n,
                       CMP_MAC_SALT_MIN, CMP_MAC_SALT_MAX);
    }
    if (!field_int(count, &n) || n < (int64_t)least || n > (int64_t)most || n > INT32_MAX) {
        return err_set(e, ERR_INPUT, "iteration count is not between %u and %u", least, most);
    }
    p->count = (int)n;
    if (p->kdf_md == NULL || p->mac_md == NULL) {
        return err_set(e, ERR_INPUT, "hash or HMAC is not SHA-1 or SHA-2");
    }
    return 0;
}

static int
read_pbm(const X509_ALGOR *algorithm, const struct cmp_mac_limits *limits, struct parameters *p,
         struct err *e)
{
    p->pbm =
        field_decode(ASN1_ITEM_rptr(CMP_PBM), sequence_parameter(algorithm), "PBMParameter", e);
    if (p->pbm == NULL) {
        return -1;
    }
    p->salt = field_span(p->pbm->salt);
    p->kdf_md = hash_of(p->pbm->owf);
    p->mac_md = hmac_of(p->pbm->mac);
    return check_numbers(p, p->pbm->iteration_count, limits, e);
}

static int
read_pbmac1(const X509_ALGOR *algorithm, const struct cmp_mac_limits *limits, struct parameters *p,
            struct err *e)
{
    int64_t size;

    p->pbmac1 = true;
    p->two =
        field_decode(ASN1_ITEM_rptr(CMP_PBMAC1), sequence_parameter(algorithm), "PBMAC1-params", e);
    if (p->two == NULL) {
        return -1;
    }
    if (OBJ_obj2nid(p->two->kdf->algorithm) != NID_id_pbkdf2) {
        return err_set(e, ERR_INPUT, "key derivation of PBMAC1 is not PBKDF2");
    }
    p->pbkdf2 = field_decode(ASN1_ITEM_rptr(PBKDF2PARAM), sequence_parameter(p->two->kdf),
                             "PBKDF2-params", e);
    if (p->pbkdf2 == NULL) {
        return -1;
    }
    if (p->pbkdf2->salt == NULL || p->pbkdf2->salt->type != V_ASN1_OCTET_STRING) {
        return err_set(e, ERR_INPUT, "salt of PBKDF2 is not an OCTET STRING");
    }
    p->salt = field_span(p->pbkdf2->salt->value.octet_string);
    /* RFC 8018 A.2: the default is HMAC with SHA-1 */
    p->kdf_md = p->pbkdf2->prf == NULL ? EVP_sha1() : hmac_of(p->pbkdf2->prf);
    p->mac_md = hmac_of(p->two->mac);
    if (check_numbers(p, p->pbkdf2->iter, limits, e) != 0) {
        return -1;
    }
    size = EVP_MD_get_size(p->mac_md);
    if (p->pbkdf2->keylength != NULL &&
        (!field_int(p->pbkdf2->keylength, &size) || size < 16 || size > CMP_MAC_SIZE_MAX)) {
        return err_set(e, ERR_INPUT, "keyLength of PBKDF2 is not between 16 and %d",
                       CMP_MAC_SIZE_MAX);
    }
    p->key_size = (size_t)size;
    return 0;
}

static int
read_parameters(struct span der, const struct cmp_mac_limits *limits, struct parameters *p,
                struct err *e)
{
    CLEANUP(x509_algor_cleanup)
    X509_ALGOR *algorithm = field_decode(ASN1_ITEM_rptr(X509_ALGOR), der, "protectionAlg", e);

    if (algorithm == NULL) {
        return -1;
    }
    switch (OBJ_obj2nid(algorithm->algorithm)) {
    case NID_id_PasswordBasedMAC:
        return read_pbm(algorithm, limits, p, e);
    case NID_pbmac1:
        return read_pbmac1(algorithm, limits, p, e);
    default:
        return err_set(e, ERR_INPUT, "protectionAlg is not a MAC that is accepted");
    }
}

bool
cmp_mac_is_pbmac1(struct span algorithm)
{
    struct err e;
    CLEANUP(x509_algor_cleanup)
    X509_ALGOR *decoded = field_decode(ASN1_ITEM_rptr(X509_ALGOR), algorithm, "protectionAlg", &e);

    return decoded != NULL && OBJ_obj2nid(decoded->algorithm) == NID_pbmac1;
}

int
cmp_mac_algorithm_check(struct span algorithm, const struct cmp_mac_limits *limits,
                        enum cmp_failure *failure, struct err *e)
{
    CLEANUP(parameters_release) struct parameters p = {0};

    if (read_parameters(algorithm, limits, &p, e) != 0) {
        *failure = CMP_BAD_ALG;
        return -1;
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}

/* RFC 9810 5.1.3.1: OWF(secret || salt), then OWF over itself until `count` times in all. The
 * result is the HMAC key as it is: HMAC takes keys of any length. */
static int
derive_pbm(const struct parameters *p, struct span secret, struct buf *key, struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned size = (unsigned)EVP_MD_get_size(p->kdf_md);
    uint8_t *k = buf_extend(key, size, e);
    bool ok;

    if (k == NULL) {
        return -1;
    }
    ok = context != NULL && EVP_DigestInit_ex2(context, p->kdf_md, NULL) == 1 &&
         EVP_DigestUpdate(context, secret.p, secret.n) == 1 &&
         EVP_DigestUpdate(context, p->salt.p, p->salt.n) == 1 &&
         EVP_DigestFinal_ex(context, k, NULL) == 1;
    for (int i = 1; ok && i < p->count; i++) {
        /* NULL: the same digest again, without looking it up */
        ok = EVP_DigestInit_ex2(context, NULL, NULL) == 1 &&
             EVP_DigestUpdate(context, k, size) == 1 && EVP_DigestFinal_ex(context, k, NULL) == 1;
    }
    return ok ? 0 : ossl_err(e, ERR_CRYPTO, "derive a key for PasswordBasedMac");
}

static int
derive_pbmac1(const struct parameters *p, struct span secret, struct buf *key, struct err *e)
{
    uint8_t *k = buf_extend(key, p->key_size, e);

    if (k == NULL) {
        return -1;
    }
    if (PKCS5_PBKDF2_HMAC((const char *)secret.p, (int)secret.n, p->salt.p, (int)p->salt.n,
                          p->count, p->kdf_md, (int)p->key_size, k) != 1) {
        return ossl_err(e, ERR_CRYPTO, "derive a key for PBMAC1");
    }
    return 0;
}

void
cmp_mac_key_free(struct cmp_mac_key *key)
{
    if (key != NULL && atomic_fetch_sub(&key->owners, 1) == 1) {
        buf_free(&key->key);
        buf_free(&key->algorithm);
        mem_free(key);
    }
}

struct cmp_mac_key *
cmp_mac_key_hold(struct cmp_mac_key *key)
{
    (void)atomic_fetch_add(&key->owners, 1);
    return key;
}

struct cmp_mac_key *
cmp_mac_key_new(struct span algorithm, struct span secret, uint32_t count_max,
                enum cmp_failure *failure, struct err *e)
{
    CLEANUP(parameters_release) struct parameters p = {0};
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    const struct cmp_mac_limits limits = {.count_max = count_max};

    if (read_parameters(algorithm, &limits, &p, e) != 0) {
        *failure = CMP_BAD_ALG;
        return NULL;
    }
    if (secret.n == 0 || secret.n > INT32_MAX) {
        (void)cmp_fault(failure, CMP_SYSTEM_FAILURE, e, "the secret is empty or too long");
        return NULL;
    }
    key = mem_zalloc(1, sizeof(*key));
    atomic_init(&key->owners, 1);
    key->algorithm = BUF_INIT(MAC_ALGORITHM_MAX);
    key->key = BUF_SECRET(CMP_MAC_SIZE_MAX);
    key->md = p.mac_md;
    *failure = CMP_SYSTEM_FAILURE;
    if (buf_set(&key->algorithm, algorithm, e) != 0 ||
        (p.pbmac1 ? derive_pbmac1(&p, secret, &key->key, e)
                  : derive_pbm(&p, secret, &key->key, e)) != 0) {
        return NULL;
    }
    *failure = CMP_NO_FAILURE;
    return TAKE(key);
}

struct span
cmp_mac_key_algorithm(const struct cmp_mac_key *key)
{
    return buf_span(&key->algorithm);
}

bool
cmp_mac_key_fits(const struct cmp_mac_key *key, const struct cmp_msg *msg)
{
    return span_equal(buf_span(&key->algorithm), cmp_msg_protection_alg(msg));
}

int
cmp_mac_make(const struct cmp_mac_key *key, struct span protected_part, struct buf *mac,
             struct err *e)
{
    uint8_t out[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (HMAC(key->md, key->key.p, (int)key->key.n, protected_part.p, protected_part.n, out, &n) ==
        NULL) {
        return ossl_err(e, ERR_CRYPTO, "HMAC");
    }
    return buf_set(mac, span_of(out, n), e);
}

int
cmp_mac_verify(const struct cmp_mac_key *key, const struct cmp_msg *msg, enum cmp_failure *failure,
               struct err *e)
{
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_NESTED_MAX);
    CLEANUP(buf_free) struct buf mac = BUF_INIT(CMP_MAC_SIZE_MAX);

    if (!cmp_mac_key_fits(key, msg)) {
        return cmp_fault(failure, CMP_BAD_MESSAGE_CHECK, e,
                         "the key was derived with other parameters than the message's");
    }
    *failure = CMP_SYSTEM_FAILURE;
    if (cmp_msg_protected_part(msg, &part, e) != 0 ||
        cmp_mac_make(key, buf_span(&part), &mac, e) != 0) {
        return -1;
    }
    if (!span_equal_secret(cmp_msg_protection(msg), buf_span(&mac))) {
        return cmp_fault(failure, CMP_BAD_MESSAGE_CHECK, e, "MAC does not verify");
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}
