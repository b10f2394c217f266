/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg.h - one PKIMessage (RFC 9810 5.1) as it came: decoded strictly, nothing believed.
 *
 * Does: decode DER within limits and hand out the parts. Certificates and bodies stay raw bytes
 *       until somebody asks, because decoding a public key costs more than checking a signature.
 * Does not: judge the header (protection/check.h), verify protection (protection/protect.h,
 * protection/mac.h), read bodies (certreq.h, body.h). Ownership: a message owns a copy of its
 * bytes; every span from a getter is borrowed until cmp_msg_free(). An absent field is an empty
 * span (p == NULL). Threads: a message is constant after cmp_msg_parse(); any thread may read it.
 */
#pragma once

#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#include "base/buf.h"

enum {
    CMP_MESSAGE_MAX = 64 * 1024,                  /* a message from the network */
    CMP_NESTED_MAX = CMP_MESSAGE_MAX + 16 * 1024, /* around one: submission.h, wrapper.h */
    CMP_DEPTH_MAX = 32,                           /* TLVs inside one another */
    CMP_EXTRA_CERTS_MAX = 16,
    CMP_GENERAL_INFO_MAX = 16,
    CMP_NONCE_SIZE = 16, /* transactionID and nonces that we make; the least that we accept */
    CMP_ID_MAX = 64,     /* longest transactionID or senderKID that we store */
    CMP_NONCE_MAX = 255, /* longest nonce that we give back */
};

/* PKIBody (RFC 9810 5.1.2): the numbers are the tags. */
enum cmp_body {
    CMP_IR = 0,
    CMP_IP = 1,
    CMP_CR = 2,
    CMP_CP = 3,
    CMP_P10CR = 4,
    CMP_POPDECC = 5,
    CMP_POPDECR = 6,
    CMP_KUR = 7,
    CMP_KUP = 8,
    CMP_KRR = 9,
    CMP_KRP = 10,
    CMP_RR = 11,
    CMP_RP = 12,
    CMP_CCR = 13,
    CMP_CCP = 14,
    CMP_CKUANN = 15,
    CMP_CANN = 16,
    CMP_RANN = 17,
    CMP_CRLANN = 18,
    CMP_PKICONF = 19,
    CMP_NESTED = 20,
    CMP_GENM = 21,
    CMP_GENP = 22,
    CMP_ERROR = 23,
    CMP_CERTCONF = 24,
    CMP_POLLREQ = 25,
    CMP_POLLREP = 26,
};
enum { CMP_BODY_COUNT = 27 };

/* "ir", "certConf", ... Never NULL. */
const char *cmp_body_name(enum cmp_body);

struct cmp_msg;
void cmp_msg_free(struct cmp_msg *);
/*
 * Decodes exactly one PKIMessage of at most `max` octets (CMP_MESSAGE_MAX from the network).
 * ERR_INPUT for everything else: the answer is then badDataFormat. Refused are BER, trailing
 * octets, nesting deeper than CMP_DEPTH_MAX, empty SEQUENCE OFs, more than CMP_EXTRA_CERTS_MAX
 * certificates, identifiers over CMP_ID_MAX and nonces over CMP_NONCE_MAX octets, times other than
 * YYYYMMDDHHMMSSZ.
 */
struct cmp_msg *cmp_msg_parse(struct span der, size_t max, struct err *e) OWNED(cmp_msg_free);
DEFINE_CLEANUP(cmp_msg_cleanup, struct cmp_msg, cmp_msg_free)

/* The message as it came. */
struct span cmp_msg_der(const struct cmp_msg *);

/* Header */
/* 0 .. INT_MAX; an absurd number is INT_MAX. */
int cmp_msg_pvno(const struct cmp_msg *);
/* DER GeneralName, ready to be the recipient of an answer. */
struct span cmp_msg_sender(const struct cmp_msg *);
struct span cmp_msg_recipient(const struct cmp_msg *);
/* Decodes the directoryName; NULL + ERR_INPUT when it is another kind of GeneralName. */
X509_NAME *cmp_msg_sender_name(const struct cmp_msg *, struct err *e) OWNED(X509_NAME_free);
X509_NAME *cmp_msg_recipient_name(const struct cmp_msg *, struct err *e) OWNED(X509_NAME_free);
/* Content octets: with MAC protection the reference, with a signature the signer's SKI. */
struct span cmp_msg_sender_kid(const struct cmp_msg *);
struct span cmp_msg_transaction_id(const struct cmp_msg *);
struct span cmp_msg_sender_nonce(const struct cmp_msg *);
struct span cmp_msg_recip_nonce(const struct cmp_msg *);
/* false when there is none. */
bool cmp_msg_time(const struct cmp_msg *, time_t *out);
/* DER AlgorithmIdentifier; and decoded, NULL when it is absent. */
struct span cmp_msg_protection_alg(const struct cmp_msg *);
const X509_ALGOR *cmp_msg_protection_algorithm(const struct cmp_msg *);
/* Content of the BIT STRING without its count of unused bits; they are none. */
struct span cmp_msg_protection(const struct cmp_msg *);

/* generalInfo: the value (DER, any type) of the first entry with this dotted object identifier.
 * false when there is none; an entry without value is an empty span. */
bool cmp_msg_info(const struct cmp_msg *, const char *oid, struct span *value);
size_t cmp_msg_info_count(const struct cmp_msg *);
/* The one that the check (protection/check.h) has found well formed. */
bool cmp_msg_implicit_confirm(const struct cmp_msg *);
#define CMP_OID_IMPLICIT_CONFIRM "1.3.6.1.5.5.7.4.13"
#define CMP_OID_CONFIRM_WAIT_TIME "1.3.6.1.5.5.7.4.14"

/* Body */
enum cmp_body cmp_msg_body(const struct cmp_msg *);
/* DER of what is inside the body's tag. */
struct span cmp_msg_content(const struct cmp_msg *);
/* Appends DER SEQUENCE { header, body }: what MAC and signature are computed over. The octets are
 * those that came; a re-encoding could not differ, because what is not DER was refused. */
int cmp_msg_protected_part(const struct cmp_msg *, struct buf *out, struct err *e);

/* extraCerts: DER of certificate i; empty span when there is none. */
size_t cmp_msg_extra_count(const struct cmp_msg *);
struct span cmp_msg_extra(const struct cmp_msg *, size_t i);
/* Decodes the first, which is the protection certificate (RFC 9483 3.3; of clients that send it
 * elsewhere: protection/protect.h); NULL + ERR_INPUT. */
X509 *cmp_msg_signer(const struct cmp_msg *, struct err *e) OWNED(X509_free);
