/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nf.h - who a network function is: the identity that its registration states and its certificate
 * repeats.
 *
 * A struct nf_identity is a plain value without pointers. Nothing is normalised in silence except
 * letters to lower case in nf_identity_check(); what is not in form is refused with the field named
 * ("fqdns[1]: ..."). Pure and thread-safe.
 */
#pragma once

#include "base/buf.h"
#include "ca/x509/profile/plmn.h"

enum {
    NF_INSTANCE_ID_SIZE = 37, /* text of a UUID with its NUL */
    NF_TYPES_MAX = 16,
    NF_TYPE_SIZE = 33, /* RFC 9310 4: IA5String (SIZE (1..32)) */
    NF_FQDNS_MAX = 16,
    NF_PLMNS_MAX = 16,
    NF_FQDN_SIZE = 254,       /* 253 octets, RFC 1035 2.3.4 in text form */
    NF_HOME_DOMAIN_SIZE = 65, /* ub-organization-name: it becomes the O of the subject */
    NF_TYPES_DER_MAX = 4 + NF_TYPES_MAX * (NF_TYPE_SIZE + 1),
};

struct nf_identity {
    char instance_id[NF_INSTANCE_ID_SIZE]; /* UUID, lower case (TS 29.571) */
    char types[NF_TYPES_MAX][NF_TYPE_SIZE];
    size_t n_types;
    char fqdns[NF_FQDNS_MAX][NF_FQDN_SIZE]; /* lower case */
    size_t n_fqdns;
    struct plmn plmns[NF_PLMNS_MAX]; /* that a SEPP speaks for */
    size_t n_plmns;
    char home_domain[NF_HOME_DOMAIN_SIZE]; /* TS 23.003 28.2, lower case */
    char country[3];
};

struct profiles;

/* What the operator allows beyond the strict default; all zero, or NULL, is strict. */
struct nf_rules {
    bool any_uuid_version;            /* test vectors of RFC 9310 carry a version 1 UUID */
    bool operator_types;              /* NF types outside the table of TS 29.510 */
    const char *const *fqdn_suffixes; /* domains besides the home domain, without leading dot */
    size_t n_fqdn_suffixes;
    const char *const *home_domains; /* the operator's own; empty: any well-formed one */
    size_t n_home_domains;
    const struct profiles *profiles; /* that may be registered; NULL: the built-in ones */
    bool lab_profiles;               /* those for laboratories, too */
    bool stored; /* a registration that was accepted before: profiles that it may not name any more
                    are passed over */
};

/*
 * Checks every field and turns letters to lower case where case has no meaning.
 *   instanceId  UUID text 8-4-4-4-12, version 4, variant 10 (RFC 4122 4.1.1, TS 29.571)
 *   types       1..16, of the table of TS 29.510, unique, ascending by ASCII value (RFC 9310 3)
 *   fqdns       0..16, LDH labels, two labels at least, no trailing dot, unique, the home domain or
 *               below it or a SEPP's in one of plmns; there the first label may be a wildcard in
 *               front of the SEPP's own name (TS 33.501 13.1.1.0: telescopic FQDN)
 *   homeDomain  5gc.[nid<11 hex>.]mnc<3 digits>.mcc<3 digits>.3gppnetwork.org
 *   plmns       0..16, unique, of a SEPP only; the operator's own when home_domains are given
 *   country     two upper-case letters
 * ERR_INPUT for form, ERR_DENIED for what only a rule forbids; the text names the field.
 */
int nf_identity_check(struct nf_identity *, const struct nf_rules *, struct err *e);

/* Adds one element to `types` or `fqdns`; ERR_INPUT when it is too long or one too many. */
int nf_identity_add_type(struct nf_identity *, const char *type, struct err *e);
int nf_identity_add_fqdn(struct nf_identity *, const char *fqdn, struct err *e);

int nf_identity_add_plmn(struct nf_identity *, const struct plmn *, struct err *e);

/* All fields equal. */
bool nf_identity_equal(const struct nf_identity *, const struct nf_identity *);

/* 1..32 octets of 33..126 (RFC 9310 3). */
bool nf_type_is_formed(const char *type);
/* In the table of TS 29.510 6.1.6.3.3-1 as RFC 9310 Appendix A lists it. */
bool nf_type_is_standard(const char *type);

/* The DER NFTypes of RFC 9310 3, content of the extension id-pe-nftype 1.3.6.1.5.5.7.1.34. */
int nf_types_encode(const struct nf_identity *, struct buf *out, struct err *e);
/* Reads it into `types` and n_types of `out`; strict: form, order, no duplicate, nothing behind. */
int nf_types_decode(struct span der, struct nf_identity *out, struct err *e);
