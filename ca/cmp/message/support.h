/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support.h - support messages (RFC 9483 4.3): what a genm asks, and the body of its genp.
 *
 * Exactly one InfoTypeAndValue each way. Answers take DER that the caller has; nothing in here
 * knows where it comes from. Spans in the results are borrowed from the message. Pure.
 */
#pragma once

#include <time.h>

#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"

enum {
    CMP_CRL_STATUS_MAX = 16,     /* CRLs that one genm may ask for */
    CMP_SUPPORT_MAX = 88 * 1024, /* octets of a genp: CMP clients read 100 KiB over HTTP */
    CMP_PROFILE_NAME_MAX = 63,   /* octets of a certProfile; a-z 0-9 - */
};

/* Questions, with id-it of question and answer. */
enum cmp_info {
    CMP_INFO_SIGN_KEY_TYPES, /* 2: which keys may ask for certificates */
    CMP_INFO_CURRENT_CRL,    /* 6 */
    CMP_INFO_CA_CERTS,       /* 17 (RFC 9483 4.3.1) */
    CMP_INFO_ROOT_UPDATE,    /* 20 -> 18 (4.3.2) */
    CMP_INFO_TEMPLATE,       /* 19 (4.3.3) */
    CMP_INFO_CRLS,           /* 22 -> 23 (4.3.4) */
};
/* "caCerts", ... as the question is called. Never NULL. */
const char *cmp_info_name(enum cmp_info);

struct cmp_genm {
    enum cmp_info info;
    struct span value; /* DER infoValue; empty: none */
};
/* Asserts a genm. badRequest: not one of these questions, or not exactly one, or a value where
 * there is none; badDataFormat. With CMP_INFO_ROOT_UPDATE the value is a certificate or absent,
 * with CMP_INFO_CRLS a list for cmp_crl_status_read(). */
int cmp_genm_read(const struct cmp_msg *, struct cmp_genm *out, enum cmp_failure *failure,
                  struct err *e);
/* The same of what is inside the body's tag. */
int cmp_genm_parse(struct span content, struct cmp_genm *out, enum cmp_failure *failure,
                   struct err *e);

/* CRLStatus: which CRL, and since when it is known. */
struct cmp_crl_status {
    bool is_issuer;     /* `names` are the CRL's issuer, else of a distribution point */
    struct span names;  /* GeneralNames, DER, one behind the other; empty: a kind not looked at */
    time_t this_update; /* 0: none is known */
};
/* 1..CMP_CRL_STATUS_MAX of them, in order. badDataFormat, badRequest for too many. */
int cmp_crl_status_read(struct span value, struct cmp_crl_status out[CMP_CRL_STATUS_MAX], size_t *n,
                        enum cmp_failure *failure, struct err *e);

/* generalInfo certProfile (id-it 21, RFC 9810 5.1.1.4): exactly one name into `out`, "" when there
 * is no such entry. badRequest for several, notAuthorized for a name that no profile can have;
 * badDataFormat. */
int cmp_profile_read(const struct cmp_msg *, char out[CMP_PROFILE_NAME_MAX + 1],
                     enum cmp_failure *failure, struct err *e);
#define CMP_OID_CERT_PROFILE "1.3.6.1.5.5.7.4.21"

/* ---- genp: bodies, DER with their tag; replace `out` ---- */

/* The infoType that answers, without a value: there is nothing (new). */
int cmp_body_genp_none(enum cmp_info, struct buf *out, struct err *e);
/* One value as it is: CMP_INFO_CURRENT_CRL. */
int cmp_body_genp_one(enum cmp_info, struct span value, struct buf *out, struct err *e);
/* A SEQUENCE OF values: certificates, CRLs, AlgorithmIdentifiers. None: as cmp_body_genp_none(). */
int cmp_body_genp_list(enum cmp_info, const struct span *values, size_t n, struct buf *out,
                       struct err *e);
/* RootCaKeyUpdateContent. */
int cmp_body_genp_root(struct span new_with_new, struct span new_with_old, struct span old_with_new,
                       struct buf *out, struct err *e);
/* CertReqTemplateContent: a CertTemplate with this subject (DER Name), and in keySpec the keys that
 * may be asked for, as AlgorithmIdentifiers, and as lengths of RSA keys. */
struct cmp_key_spec {
    const struct span *algorithms;
    size_t n_algorithms;
    const int *rsa_bits;
    size_t n_rsa_bits;
};
int cmp_body_genp_template(struct span subject, const struct cmp_key_spec *, struct buf *out,
                           struct err *e);
