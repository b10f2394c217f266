/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certreq.h - a request for a certificate: CertReqMessages of ir, cr and kur (RFC 4211, RFC 9483
 * 4.1.1, 4.1.3) and the PKCS #10 of p10cr (RFC 2986, RFC 9483 4.1.4), behind one struct.
 *
 * What it says is a wish. The only thing that a certificate takes from here is the public key.
 * Ownership: owns what it hands out; independent of the message that it was read from.
 * Threads: constant after cmp_certreq_read().
 */
#pragma once

#include <openssl/x509v3.h>

#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"

enum { CMP_CERT_REQ_ID = 0, CMP_CERT_REQ_ID_P10 = -1 };

struct cmp_certreq;
void cmp_certreq_free(struct cmp_certreq *);
/*
 * Decodes the body of `msg`; assert: it is ir, cr, kur or p10cr. Decodes the public key, once.
 * NULL with ERR_INPUT (ERR_DENIED: the CA shall make the key, RFC 9483 4.1.6, which it does not)
 * and *failure, to be answered in ip, cp or kup (RFC 9483 3.6.2):
 *   badDataFormat    not what the RFC describes; a PKCS #10 of another version than 0
 *   badRequest       not exactly one CertReqMsg, or certReqId not 0 to INT_MAX
 *   badCertTemplate  no subject and no subjectAltName, no or not acceptable public key, version not
 *                    v3, fields set that only a CA sets
 *   badPOP           no proof of possession, or one of a kind that we do not do
 *   notAuthorized    raVerified: only an RA may say so (RFC 9483 5.1.1)
 */
struct cmp_certreq *cmp_certreq_read(const struct cmp_msg *msg, enum cmp_failure *failure,
                                     struct err *e) OWNED(cmp_certreq_free);
DEFINE_CLEANUP(cmp_certreq_cleanup, struct cmp_certreq, cmp_certreq_free)

/* The proof of possession: POPOSigningKey over CertRequest without poposkInput, or the signature of
 * the PKCS #10. Pure computation, one signature verification. -1 with badPOP or badAlg. */
int cmp_certreq_check_pop(const struct cmp_certreq *, enum cmp_failure *failure, struct err *e);

/* What certConf, waiting and pollReq must name: -1 for p10cr, else what the request says, which is
 * 0 where RFC 9483 4.1.1 is kept. */
int cmp_certreq_id(const struct cmp_certreq *);
/* The same of ir, cr and kur without reading the rest; 0 when there is none that can be read. */
int cmp_certreq_peek_id(const struct cmp_msg *);
/* DER SubjectPublicKeyInfo, and the key in it. */
struct span cmp_certreq_spki(const struct cmp_certreq *);
EVP_PKEY *cmp_certreq_key(const struct cmp_certreq *);
/* Never NULL; may be the NULL-DN. */
const X509_NAME *cmp_certreq_subject(const struct cmp_certreq *);
/* Requested extensions; NULL when there are none. */
const STACK_OF(X509_EXTENSION) * cmp_certreq_extensions(const struct cmp_certreq *);
/* What it asks for besides the key: appends a DER CertTemplate (RFC 4211 5) of issuer, validity,
 * subject and extensions, as far as they are there; nothing when none of them is. message/asked.h
 * compares it. ERR_INPUT: longer than the buf takes. */
int cmp_certreq_encode_asked(const struct cmp_certreq *, struct buf *out, struct err *e);
/* regCtrl-oldCertID (RFC 4211 6.5) of a kur: issuer (borrowed) and serial number; false: none. */
bool cmp_certreq_old_cert(const struct cmp_certreq *, const X509_NAME **issuer,
                          const ASN1_INTEGER **serial);
