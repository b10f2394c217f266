/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/protection/mac_algorithm.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/asn1.h"
#include "ca/cmp/message/field.h"
#include "ca/cmp/message/phrase.h"

static const struct {
    const EVP_MD *(*md)(void);
    int hash;
    int hmac;
    int hmac_too; /* HMAC-SHA1 has two names */
} functions[] = {
    {EVP_sha1, NID_sha1, NID_hmacWithSHA1, NID_hmac_sha1},
    {EVP_sha224, NID_sha224, NID_hmacWithSHA224, NID_undef},
    {EVP_sha256, NID_sha256, NID_hmacWithSHA256, NID_undef},
    {EVP_sha384, NID_sha384, NID_hmacWithSHA384, NID_undef},
    {EVP_sha512, NID_sha512, NID_hmacWithSHA512, NID_undef},
};
static_assert(CMP_MAC_KINDS == 2 * ARRAY_LEN(functions), "each as PBM's hash and as PBMAC1's HMAC");

/* The hash of an OWF: SHA-1 and SHA-2 (RFC 9481 2). NULL for MD5 and whatever else. */
static const EVP_MD *
hash_of(const X509_ALGOR *algorithm)
{
    int nid = OBJ_obj2nid(algorithm->algorithm);

    for (size_t i = 0; nid != NID_undef && i < ARRAY_LEN(functions); i++) {
        if (nid == functions[i].hash) {
            return functions[i].md();
        }
    }
    return NULL;
}

/* The hash of an HMAC (RFC 9481 6.2.1). */
static const EVP_MD *
hmac_of(const X509_ALGOR *algorithm)
{
    int nid = OBJ_obj2nid(algorithm->algorithm);

    for (size_t i = 0; nid != NID_undef && i < ARRAY_LEN(functions); i++) {
        if (nid == functions[i].hmac || nid == functions[i].hmac_too) {
            return functions[i].md();
        }
    }
    return NULL;
}

/* The parameters of an algorithm, empty unless they are of a structured type: what the union holds
 * for other types is no string, and using it unseen was CVE-2026-63076. */
static struct span
sequence_parameter(const X509_ALGOR *algorithm)
{
    return field_raw(algorithm->parameter);
}

/* A number that is out of range: for the log, and for the peer, who gets nothing of its own back
 * but that number. */
__attribute__((format(printf, 3, 4))) static int
refuse(const struct cmp_mac_algorithm *a, struct err *e, const char *fmt, ...)
{
    const enum phrase phrase = a->pbmac1 ? PHRASE_PBMAC1 : PHRASE_PBM;
    enum cmp_failure failure;
    char value[ERR_VALUE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    (void)phrase_refuse(&failure, phrase, e, "%s with %s",
                        a->pbmac1 ? "PBMAC1" : "PasswordBasedMac", value);
    return phrase_value(e, "%s", value);
}

static int
read_salt(struct cmp_mac_algorithm *a, struct span salt, struct err *e)
{
    if (salt.n < CMP_MAC_SALT_MIN || salt.n > CMP_MAC_SALT_MAX) {
        return refuse(a, e, "a salt of %zu octets, %d to %d", salt.n, CMP_MAC_SALT_MIN,
                      CMP_MAC_SALT_MAX);
    }
    memcpy(a->salt, salt.p, salt.n);
    a->salt_size = salt.n;
    return 0;
}

static int64_t
ceiling(const struct cmp_mac_algorithm *a, const struct cmp_mac_limits *limits)
{
    const uint32_t given = a->pbmac1 ? limits->pbmac1_max : limits->count_max;
    const int64_t standard = a->pbmac1 ? CMP_MAC_PBMAC1_COUNT_MAX : CMP_MAC_COUNT_MAX;

    return given != 0 ? (int64_t)given : standard;
}

static int
read_count(struct cmp_mac_algorithm *a, const ASN1_INTEGER *count,
           const struct cmp_mac_limits *limits, struct err *e)
{
    const int64_t most = ceiling(a, limits);
    const int64_t least = limits->count_min > CMP_MAC_COUNT_MIN ? (int64_t)limits->count_min
                                                                : (int64_t)CMP_MAC_COUNT_MIN;
    int64_t n;

    if (!field_int(count, &n)) {
        return refuse(a, e, "another count, %" PRId64 " to %" PRId64, least, most);
    }
    if (n < least) {
        return refuse(a, e, "%" PRId64 " iterations, at least %" PRId64, n, least);
    }
    if (n > most || n > INT32_MAX) {
        return refuse(a, e, "%" PRId64 " iterations, at most %" PRId64, n, most);
    }
    a->count = (int)n;
    return 0;
}

static int
check_functions(const struct cmp_mac_algorithm *a, struct err *e)
{
    return a->kdf_md != NULL && a->mac_md != NULL
               ? 0
               : err_set(e, ERR_INPUT, "hash or HMAC is not SHA-1 or SHA-2");
}

static int
read_pbm(const X509_ALGOR *algorithm, const struct cmp_mac_limits *limits,
         struct cmp_mac_algorithm *a, struct err *e)
{
    CMP_PBM *pbm =
        field_decode(ASN1_ITEM_rptr(CMP_PBM), sequence_parameter(algorithm), "PBMParameter", e);
    int result = -1;

    if (pbm == NULL) {
        return -1;
    }
    a->kdf_md = hash_of(pbm->owf);
    a->mac_md = hmac_of(pbm->mac);
    if (read_salt(a, field_span(pbm->salt), e) == 0 &&
        read_count(a, pbm->iteration_count, limits, e) == 0 && check_functions(a, e) == 0) {
        a->key_size = (size_t)EVP_MD_get_size(a->kdf_md);
        result = 0;
    }
    CMP_PBM_free(pbm);
    return result;
}

/* Blocks of output, each of which is iterated for. */
static int64_t
blocks(const struct cmp_mac_algorithm *a)
{
    const int64_t block = EVP_MD_get_size(a->kdf_md);

    return ((int64_t)a->key_size + block - 1) / block;
}

static int
read_key_size(struct cmp_mac_algorithm *a, const ASN1_INTEGER *given,
              const struct cmp_mac_limits *limits, struct err *e)
{
    int64_t size = EVP_MD_get_size(a->mac_md);

    if (given != NULL &&
        (!field_int(given, &size) || size < CMP_MAC_KEY_MIN || size > CMP_MAC_KEY_MAX)) {
        return refuse(a, e, "another keyLength, %d to %d octets", CMP_MAC_KEY_MIN, CMP_MAC_KEY_MAX);
    }
    a->key_size = (size_t)size;
    if (a->count * blocks(a) > CMP_MAC_CEILINGS * ceiling(a, limits)) {
        return refuse(a, e, "keyLength %zu and %d iterations, fewer", a->key_size, a->count);
    }
    return 0;
}

static int
read_pbkdf2(const PBKDF2PARAM *pbkdf2, const struct cmp_mac_limits *limits,
            struct cmp_mac_algorithm *a, struct err *e)
{
    if (pbkdf2->salt == NULL || pbkdf2->salt->type != V_ASN1_OCTET_STRING) {
        return err_set(e, ERR_INPUT, "salt of PBKDF2 is not an OCTET STRING");
    }
    /* RFC 8018 A.2: the default is HMAC with SHA-1 */
    a->kdf_md = pbkdf2->prf == NULL ? EVP_sha1() : hmac_of(pbkdf2->prf);
    if (read_salt(a, field_span(pbkdf2->salt->value.octet_string), e) != 0 ||
        read_count(a, pbkdf2->iter, limits, e) != 0 || check_functions(a, e) != 0) {
        return -1;
    }
    return read_key_size(a, pbkdf2->keylength, limits, e);
}

static int
read_pbmac1(const X509_ALGOR *algorithm, const struct cmp_mac_limits *limits,
            struct cmp_mac_algorithm *a, struct err *e)
{
    CMP_PBMAC1 *two =
        field_decode(ASN1_ITEM_rptr(CMP_PBMAC1), sequence_parameter(algorithm), "PBMAC1-params", e);
    PBKDF2PARAM *pbkdf2;
    int result = -1;

    if (two == NULL) {
        return -1;
    }
    a->mac_md = hmac_of(two->mac);
    if (OBJ_obj2nid(two->kdf->algorithm) != NID_id_pbkdf2) {
        (void)err_set(e, ERR_INPUT, "key derivation of PBMAC1 is not PBKDF2");
    } else {
        pbkdf2 = field_decode(ASN1_ITEM_rptr(PBKDF2PARAM), sequence_parameter(two->kdf),
                              "PBKDF2-params", e);
        result = pbkdf2 == NULL ? -1 : read_pbkdf2(pbkdf2, limits, a, e);
        PBKDF2PARAM_free(pbkdf2);
    }
    CMP_PBMAC1_free(two);
    return result;
}

int
cmp_mac_algorithm_read(struct span der, const struct cmp_mac_limits *limits,
                       struct cmp_mac_algorithm *out, struct err *e)
{
    static const struct cmp_mac_limits standard = {0};
    CLEANUP(x509_algor_cleanup)
    X509_ALGOR *algorithm = field_decode(ASN1_ITEM_rptr(X509_ALGOR), der, "protectionAlg", e);

    *out = (struct cmp_mac_algorithm){0};
    if (algorithm == NULL) {
        return -1;
    }
    limits = limits != NULL ? limits : &standard;
    switch (OBJ_obj2nid(algorithm->algorithm)) {
    case NID_id_PasswordBasedMAC:
        return read_pbm(algorithm, limits, out, e);
    case NID_pbmac1:
        out->pbmac1 = true;
        return read_pbmac1(algorithm, limits, out, e);
    default:
        return err_set(e, ERR_INPUT, "protectionAlg is not a MAC that is accepted");
    }
}

int
cmp_mac_algorithm_check(struct span der, const struct cmp_mac_limits *limits,
                        enum cmp_failure *failure, struct err *e)
{
    struct cmp_mac_algorithm a;

    if (cmp_mac_algorithm_read(der, limits, &a, e) != 0) {
        *failure = CMP_BAD_ALG;
        return -1;
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}

bool
cmp_mac_is_pbmac1(const X509_ALGOR *algorithm)
{
    return algorithm != NULL && OBJ_obj2nid(algorithm->algorithm) == NID_pbmac1;
}

int
cmp_mac_algorithm_work(struct span der, struct cmp_mac_work *out, struct err *e)
{
    const struct cmp_mac_limits any = {.count_max = INT32_MAX, .pbmac1_max = INT32_MAX};
    struct cmp_mac_algorithm a;

    if (cmp_mac_algorithm_read(der, &any, &a, e) != 0) {
        return -1;
    }
    *out = (struct cmp_mac_work){.kind = a.pbmac1 ? (unsigned)ARRAY_LEN(functions) : 0};
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (functions[i].md() == a.kdf_md) {
            out->kind += (unsigned)i;
        }
    }
    out->steps = (uint64_t)(a.count * blocks(&a));
    return 0;
}

void
cmp_mac_algorithm_of_work(const struct cmp_mac_work *work, struct cmp_mac_algorithm *out)
{
    const EVP_MD *md = functions[work->kind % ARRAY_LEN(functions)].md();

    *out = (struct cmp_mac_algorithm){
        .pbmac1 = work->kind >= ARRAY_LEN(functions),
        .salt_size = CMP_MAC_SALT_MAX,
        .count = (int)work->steps,
        .kdf_md = md,
        .mac_md = md,
        .key_size = (size_t)EVP_MD_get_size(md),
    };
}
