/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ossl.h - what everybody needs of OpenSSL: release on scope exit, a reason with OpenSSL's own
 * words (ossl_err.h), SHA-256 and public keys (ossl_thread.h), random bytes, base64, times.
 */
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/ossl_err.h"
#include "base/ossl_thread.h"

DEFINE_CLEANUP(asn1_integer_cleanup, ASN1_INTEGER, ASN1_INTEGER_free)
DEFINE_CLEANUP(asn1_octet_string_cleanup, ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
DEFINE_CLEANUP(asn1_time_cleanup, ASN1_TIME, ASN1_TIME_free)
DEFINE_CLEANUP(bio_cleanup, BIO, BIO_free_all)
DEFINE_CLEANUP(bn_cleanup, BIGNUM, BN_free)
DEFINE_CLEANUP(cms_cleanup, CMS_ContentInfo, CMS_ContentInfo_free)
DEFINE_CLEANUP(evp_md_ctx_cleanup, EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_CLEANUP(evp_pkey_cleanup, EVP_PKEY, EVP_PKEY_free)
DEFINE_CLEANUP(evp_pkey_ctx_cleanup, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(general_names_cleanup, GENERAL_NAMES, GENERAL_NAMES_free)
DEFINE_CLEANUP(x509_cleanup, X509, X509_free)
DEFINE_CLEANUP(x509_algor_cleanup, X509_ALGOR, X509_ALGOR_free)
DEFINE_CLEANUP(x509_crl_cleanup, X509_CRL, X509_CRL_free)
DEFINE_CLEANUP(x509_extension_cleanup, X509_EXTENSION, X509_EXTENSION_free)
DEFINE_CLEANUP(x509_name_cleanup, X509_NAME, X509_NAME_free)
DEFINE_CLEANUP(x509_pubkey_cleanup, X509_PUBKEY, X509_PUBKEY_free)
DEFINE_CLEANUP(x509_req_cleanup, X509_REQ, X509_REQ_free)
DEFINE_CLEANUP(x509_store_cleanup, X509_STORE, X509_STORE_free)
DEFINE_CLEANUP(x509_store_ctx_cleanup, X509_STORE_CTX, X509_STORE_CTX_free)

/* Secure memory, and no configuration file of the host: call first in main(). */
int ossl_init(struct err *e);

/* CSPRNG; ERR_CRYPTO when it fails, and then nothing may go on. */
int random_bytes(uint8_t *out, size_t n, struct err *e);

/* Standard base64 without line breaks. */
char *base64_dup(struct span bytes) OWNED(mem_free);
int base64_parse(const char *text, struct buf *out, struct err *e);

/* DER of any i2d object: int i2d_X509(const X509 *, unsigned char **) and its kin.
 * Usage: OSSL_ENCODE(X509, certificate, &out, e). Appends to `out`. */
typedef int ossl_i2d(const void *, unsigned char **);
int ossl_encode(ossl_i2d *i2d, const void *object, struct buf *out, struct err *e);
#define OSSL_ENCODE(type, object, out, e)                                                          \
    ossl_encode((ossl_i2d *)(void (*)(void))i2d_##type, (object), (out), (e))

/* Exactly one certificate, DER or PEM, nothing behind it. */
X509 *certificate_parse(struct span bytes, struct err *e) __attribute__((warn_unused_result));
X509 *certificate_load(const char *path, struct err *e) __attribute__((warn_unused_result));
/* The same with its DER, `max` octets at most. Both are the caller's to free, after -1 too. */
int certificate_load_der(const char *path, size_t max, X509 **certificate, struct buf *der,
                         struct err *e);

/* The extension of this kind, decoded, to be freed as its type is; NULL when there is none. Where
 * there is one that cannot be read (malformed, there twice, or memory is short), NULL and *unread:
 * X509_get_ext_d2i() says NULL of all of these, and what is not read must not be taken for absent.
 */
void *certificate_extension(const X509 *, int nid, bool *unread)
    __attribute__((warn_unused_result));

/* OpenSSL 3.0 searches all its decoders for the key of every certificate that it parses, which
 * costs more than a verification. This one does not, nor does public_key_parse():
 * one certificate in DER of which only the other fields are of interest: X509_get0_pubkey() gives
 * NULL, X509_get_X509_PUBKEY() has the octets; ERR_INPUT, or ERR_BUSY when memory is short. */
X509 *certificate_parse_keyless(struct span der, struct err *e) __attribute__((warn_unused_result));
/* SHA-256 of its DER SubjectPublicKeyInfo, of at most 2048 octets. */
int certificate_key_hash(const X509 *, uint8_t out[SHA256_SIZE], struct err *e);

/* Is there one of this kind? Of a certificate, a CRL, a template; NULL: it has none at all. */
bool ossl_has_extension(const STACK_OF(X509_EXTENSION) * extensions, int nid);

/* The clock seam: the only place that reads the time of day. */
time_t clock_now(void);
/* Milliseconds that never go back. */
int64_t clock_monotonic_ms(void);
/* 2026-11-23T20:00:00Z */
enum { TIME_TEXT_SIZE = 21 };
void time_format(time_t t, char out[TIME_TEXT_SIZE]);
int time_parse(const char *text, time_t *out, struct err *e);
