/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - what we issue. A certificate has exactly the fields of its profile (TS 33.310
 * 6.1.3c.3 for network functions, 6.1.2 and RFC 5280 4.2.1.9 for the CAs).
 *
 * The table of this module is built in: the profiles of our own processes, officers and CAs, which
 * nothing can redefine, and the 3GPP ones of network functions, which are used when the operator
 * has no file of profiles. A loaded set is in profiles.h. All of it is constant.
 */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "base/err.h"
#include "ca/x509/profile/cert_policy.h"
#include "ca/x509/pubkey.h"

enum profile_class {
    PROFILE_NF,             /* subject C + O, critical subjectAltName, nfTypes */
    PROFILE_INFRASTRUCTURE, /* of our own processes and officers: subject from C, O, CN */
    PROFILE_ISSUING,        /* CA certificate, pathLenConstraint 0, signed by the root */
    PROFILE_ROOT,           /* self-signed */
};

/* Bit n is the named bit n of KeyUsage (RFC 5280 4.2.1.3). */
enum profile_key_usage {
    KEY_USAGE_DIGITAL_SIGNATURE = 1 << 0,
    KEY_USAGE_NON_REPUDIATION = 1 << 1,
    KEY_USAGE_KEY_ENCIPHERMENT = 1 << 2,
    KEY_USAGE_KEY_CERT_SIGN = 1 << 5,
    KEY_USAGE_CRL_SIGN = 1 << 6,
};

#define EKU_SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define EKU_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define EKU_CMC_RA "1.3.6.1.5.5.7.3.28" /* RFC 6402 2.10, RFC 9810 4.5 */
#define EKU_JWT "1.3.6.1.5.5.7.3.37"    /* this and the next two: RFC 9509 3 */
#define EKU_HTTP_CONTENT_ENCRYPT "1.3.6.1.5.5.7.3.38"
#define EKU_OAUTH_TOKEN_SIGNING "1.3.6.1.5.5.7.3.39"

enum {
    PROFILE_NAME_SIZE = 64, /* a-z 0-9 -, with its NUL */
    PROFILE_EKU_MAX = 2,
    PROFILE_TYPES_MAX = 16,
    PROFILE_APPROVALS_MAX = 8,
    PROFILE_DAY = 24 * 60 * 60,
    PROFILE_NF_MAX = 3 * 365 * PROFILE_DAY, /* TS 33.310 6.1.3c.3: three years or less */
    REHEARSAL_DAYS_MAX = 7,
};
/* Stands in front of the CN of every CA certificate that a rehearsal makes. */
#define REHEARSAL_PREFIX "REHEARSAL "

struct profile {
    const char *name; /* "nf-tls" */
    enum profile_class class;
    unsigned key_usage;               /* enum profile_key_usage */
    const char *eku[PROFILE_EKU_MAX]; /* dotted, in the order of the extension; NULL: no more */
    const char
        *policies[CERT_POLICIES_MAX]; /* certificatePolicies, the same; NULL: none, no more */
    const char *nf_types[PROFILE_TYPES_MAX]; /* one of them must be registered; none: any may be */
    bool server;                             /* an FQDN is needed (TS 33.310 6.1.3c.3) */
    bool wildcard;                           /* an FQDN may be one (TS 33.501 13.1.1.0) */
    bool plmns; /* each FQDN is a SEPP's in a registered PLMN, each PLMN has one (13.1.2) */
    bool extra_dns_nf_type; /* a dNSName more for each NF type: what free5GC looks for */
    bool no_rev_avail;      /* RFC 9608: noRevAvail instead of cRLDistributionPoints */
    bool lab;               /* issued only where the CA's configuration allows laboratories */
    unsigned ec_keys;       /* bit PUBKEY_P256, bit PUBKEY_P384 */
    int rsa_bits;           /* of an RSA modulus, at least; 0: no RSA key */
    time_t max_validity;    /* seconds; hard cap, whatever else allows more */
    time_t validity;        /* seconds; when the registration says nothing */
    bool signature_only;    /* no request that is protected by a MAC */
    int approvals;          /* officers who must approve each issuance */
    bool implicit_confirm;  /* may be granted (RFC 9810 5.1.1.1) */
    bool reject_unknown;    /* a requested extension that we do not have: refused, not dropped */
    unsigned ignored;       /* ignored_bit()s: what a subject may be asked for and not have */
    bool replace_names;     /* a requested subjectAltName that is not registered: passed over */
};

/* The built-in ones: nf-tls-server nf-tls-client nf-tls ra-cmp registrar officer issuing root; NULL
 * when there is none. A network function's profile is looked up with profiles_find(). */
const struct profile *profile_by_name(const char *name);
/* The table in order, for lists; NULL behind the end. */
const struct profile *profile_at(size_t i);
/* An end entity profile that a registration may name. */
bool profile_is_nf(const struct profile *);
bool profile_is_ca(const struct profile *);

/* May a key of this kind and size be certified? (bits: pubkey_bits()) */
bool profile_takes_key(const struct profile *, enum pubkey_kind, int bits);
/* The same of a SubjectPublicKeyInfo that has passed pubkey_parse(). ERR_INPUT says what is taken.
 */
int profile_check_key(const struct profile *, struct span spki, struct err *e);
