/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asn1.h - the ASN.1 of CMP (RFC 9810 appendix A) and CRMF (RFC 4211 appendix B) that we speak, as
 * templates of OpenSSL. Private to this folder and its tests.
 *
 * What need not be decoded is ANY, which keeps the octets. CMP's module has EXPLICIT tags, CRMF's
 * has IMPLICIT ones. The typedefs are there because the template macros of OpenSSL want one word.
 */
#pragma once

#include <openssl/asn1t.h>
#include <openssl/x509v3.h>

/* PKIHeader */
typedef struct {
    ASN1_INTEGER *pvno;
    ASN1_TYPE *sender;    /* GeneralName */
    ASN1_TYPE *recipient; /* GeneralName */
    ASN1_GENERALIZEDTIME *message_time;
    X509_ALGOR *protection_alg;
    ASN1_OCTET_STRING *sender_kid;
    ASN1_OCTET_STRING *recip_kid;
    ASN1_OCTET_STRING *transaction_id;
    ASN1_OCTET_STRING *sender_nonce;
    ASN1_OCTET_STRING *recip_nonce;
    STACK_OF(ASN1_UTF8STRING) * free_text;
    STACK_OF(ASN1_TYPE) * general_info; /* of InfoTypeAndValue */
} CMP_HEADER;
DECLARE_ASN1_FUNCTIONS(CMP_HEADER)

/* PKIMessage */
typedef struct {
    CMP_HEADER *header;
    ASN1_TYPE *body;
    ASN1_BIT_STRING *protection;
    STACK_OF(ASN1_TYPE) * extra_certs;
} CMP_MESSAGE;
DECLARE_ASN1_FUNCTIONS(CMP_MESSAGE)

/* PBMParameter */
typedef struct {
    ASN1_OCTET_STRING *salt;
    X509_ALGOR *owf;
    ASN1_INTEGER *iteration_count;
    X509_ALGOR *mac;
} CMP_PBM;
DECLARE_ASN1_FUNCTIONS(CMP_PBM)

/* PBMAC1-params (RFC 8018 A.5) */
typedef struct {
    X509_ALGOR *kdf;
    X509_ALGOR *mac;
} CMP_PBMAC1;
DECLARE_ASN1_FUNCTIONS(CMP_PBMAC1)

/* PKIStatusInfo */
typedef struct {
    ASN1_INTEGER *status;
    STACK_OF(ASN1_UTF8STRING) * text;
    ASN1_BIT_STRING *failures;
} CMP_STATUS;
DECLARE_ASN1_FUNCTIONS(CMP_STATUS)
DEFINE_STACK_OF(CMP_STATUS)

/* CertifiedKeyPair: the certificate alone, nobody makes keys for others here */
typedef struct {
    ASN1_TYPE *certificate; /* CertOrEncCert: [0] { Certificate } */
} CMP_KEY_PAIR;
DECLARE_ASN1_FUNCTIONS(CMP_KEY_PAIR)

/* CertResponse */
typedef struct {
    ASN1_INTEGER *cert_req_id;
    CMP_STATUS *status;
    CMP_KEY_PAIR *key_pair;
    ASN1_OCTET_STRING *info;
} CMP_RESPONSE;
DECLARE_ASN1_FUNCTIONS(CMP_RESPONSE)
DEFINE_STACK_OF(CMP_RESPONSE)

/* CertRepMessage */
typedef struct {
    STACK_OF(ASN1_TYPE) * ca_pubs;
    STACK_OF(CMP_RESPONSE) * responses;
} CMP_CERT_REP;
DECLARE_ASN1_FUNCTIONS(CMP_CERT_REP)

/* RevRepContent: one PKIStatusInfo; revCerts and crls are not sent */
typedef struct {
    STACK_OF(CMP_STATUS) * status;
} CMP_REV_REP;
DECLARE_ASN1_FUNCTIONS(CMP_REV_REP)

/* ErrorMsgContent */
typedef struct {
    CMP_STATUS *status;
    ASN1_INTEGER *code;
    STACK_OF(ASN1_UTF8STRING) * details;
} CMP_ERROR_BODY;
DECLARE_ASN1_FUNCTIONS(CMP_ERROR_BODY)

/* CertStatus, and CertConfirmContent */
typedef struct {
    ASN1_OCTET_STRING *hash;
    ASN1_INTEGER *cert_req_id;
    CMP_STATUS *status;
    X509_ALGOR *hash_alg;
} CMP_CERT_STATUS;
DECLARE_ASN1_FUNCTIONS(CMP_CERT_STATUS)
DEFINE_STACK_OF(CMP_CERT_STATUS)
typedef STACK_OF(CMP_CERT_STATUS) CMP_CERT_CONF;
DECLARE_ASN1_FUNCTIONS(CMP_CERT_CONF)

/* PollReqContent and PollRepContent */
typedef struct {
    ASN1_INTEGER *cert_req_id;
} CMP_POLL;
DECLARE_ASN1_FUNCTIONS(CMP_POLL)
DEFINE_STACK_OF(CMP_POLL)
typedef STACK_OF(CMP_POLL) CMP_POLL_REQ;
DECLARE_ASN1_FUNCTIONS(CMP_POLL_REQ)
typedef struct {
    ASN1_INTEGER *cert_req_id;
    ASN1_INTEGER *check_after;
    STACK_OF(ASN1_UTF8STRING) * reason;
} CMP_POLL_ANSWER;
DECLARE_ASN1_FUNCTIONS(CMP_POLL_ANSWER)
DEFINE_STACK_OF(CMP_POLL_ANSWER)
typedef STACK_OF(CMP_POLL_ANSWER) CMP_POLL_REP;
DECLARE_ASN1_FUNCTIONS(CMP_POLL_REP)

/* SubjectPublicKeyInfo, undecoded: OpenSSL's own decodes the key at once */
typedef struct {
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *key;
} CMP_SPKI;
DECLARE_ASN1_FUNCTIONS(CMP_SPKI)

/* OptionalValidity */
typedef struct {
    ASN1_TIME *not_before;
    ASN1_TIME *not_after;
} CMP_VALIDITY;
DECLARE_ASN1_FUNCTIONS(CMP_VALIDITY)

/* CertTemplate */
typedef struct {
    ASN1_INTEGER *version;
    ASN1_INTEGER *serial;
    X509_ALGOR *signing_alg;
    X509_NAME *issuer;
    CMP_VALIDITY *validity;
    X509_NAME *subject;
    CMP_SPKI *public_key;
    ASN1_BIT_STRING *issuer_uid;
    ASN1_BIT_STRING *subject_uid;
    STACK_OF(X509_EXTENSION) * extensions;
} CMP_TEMPLATE;
DECLARE_ASN1_FUNCTIONS(CMP_TEMPLATE)

/* AttributeTypeAndValue of CRMF: controls and regInfo */
typedef struct {
    ASN1_OBJECT *type;
    ASN1_TYPE *value;
} CMP_CONTROL;
DECLARE_ASN1_FUNCTIONS(CMP_CONTROL)
DEFINE_STACK_OF(CMP_CONTROL)

/* CertId: the value of regCtrl-oldCertID */
typedef struct {
    GENERAL_NAME *issuer;
    ASN1_INTEGER *serial;
} CMP_CERT_ID;
DECLARE_ASN1_FUNCTIONS(CMP_CERT_ID)

/* CertRequest */
typedef struct {
    ASN1_INTEGER *cert_req_id;
    CMP_TEMPLATE *template;
    STACK_OF(CMP_CONTROL) * controls;
} CMP_CERT_REQUEST;
DECLARE_ASN1_FUNCTIONS(CMP_CERT_REQUEST)

/* POPOSigningKey */
typedef struct {
    STACK_OF(ASN1_TYPE) * input; /* POPOSigningKeyInput */
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *signature;
} CMP_POP_SIGNING;
DECLARE_ASN1_FUNCTIONS(CMP_POP_SIGNING)

/* ProofOfPossession */
enum { CMP_POP_RA_VERIFIED, CMP_POP_SIGNATURE, CMP_POP_ENCIPHERMENT, CMP_POP_AGREEMENT };
typedef struct {
    int type;
    union {
        ASN1_NULL *ra_verified;
        CMP_POP_SIGNING *signature;
        ASN1_TYPE *other;
    } d;
} CMP_POP;
DECLARE_ASN1_FUNCTIONS(CMP_POP)

/* CertReqMsg, and CertReqMessages */
typedef struct {
    ASN1_TYPE *request; /* CertRequest, raw: the proof of possession signs its octets */
    CMP_POP *pop;
    STACK_OF(CMP_CONTROL) * reg_info;
} CMP_REQ_MSG;
DECLARE_ASN1_FUNCTIONS(CMP_REQ_MSG)
DEFINE_STACK_OF(CMP_REQ_MSG)
typedef STACK_OF(CMP_REQ_MSG) CMP_REQ_MSGS;
DECLARE_ASN1_FUNCTIONS(CMP_REQ_MSGS)

/* RevDetails, and RevReqContent */
typedef struct {
    CMP_TEMPLATE *certificate;
    STACK_OF(X509_EXTENSION) * entry;
} CMP_REV_DETAILS;
DECLARE_ASN1_FUNCTIONS(CMP_REV_DETAILS)
DEFINE_STACK_OF(CMP_REV_DETAILS)
typedef STACK_OF(CMP_REV_DETAILS) CMP_REV_REQ;
DECLARE_ASN1_FUNCTIONS(CMP_REV_REQ)

/* QueueEntry (queue_entry.h) */
typedef struct {
    ASN1_UTF8STRING *registration_id;
    ASN1_ENUMERATED *assurance;
    ASN1_UTF8STRING *profile;
    ASN1_GENERALIZEDTIME *received_at;
    ASN1_OCTET_STRING *rid; /* NULL: of a wrapper of before */
} CMP_QUEUE_ENTRY;
DECLARE_ASN1_FUNCTIONS(CMP_QUEUE_ENTRY)
