/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h - is this certificate good for this purpose at this time, under these anchors?
 *
 * RFC 5280 section 6 in full: signatures, validity, names, basicConstraints, keyUsage, name
 * constraints, policies with their mappings and inhibitions, unknown critical extensions, and
 * revocation by CRLs, be they complete, delta, indirect or partitioned. OpenSSL is the engine
 * (X509_V_FLAG_X509_STRICT, 112 bits of strength: no SHA-1, no RSA below 2048 bits); on top comes
 * what it leaves out (check.h), other ways when its own is no good (ways.h), and what
 * bounds its work. No trust comes from the host.
 * Thread-safe, no files.
 */
#pragma once

#include <time.h>

#include "ca/x509/path/purpose.h"
#include "ca/x509/path/ways.h"

enum { PATH_CRLS_MAX = 32 };

/* The strength of signatures and keys that we want, in OpenSSL's terms: 112 bits. */
enum { PATH_AUTH_LEVEL = 2 };

/* Of which certificates below the anchor must the status be known? */
enum path_status {
    PATH_STATUS_NONE,       /* not asked */
    PATH_STATUS_IF_PRESENT, /* of those whose issuer has a CRL among the given ones */
    PATH_STATUS_REQUIRED,   /* of all */
};

/* Everything is borrowed during the call. */
struct path_request {
    enum path_purpose purpose;
    time_t at;
    X509 *const *anchors;
    size_t n_anchors;
    bool pinned;            /* an anchor need not be self-signed; it may be the leaf itself (a
                               registration that pins a certificate) */
    X509 *const *untrusted; /* candidates for the middle of the path, in any order; what is
                               self-signed is left out */
    size_t n_untrusted;     /* up to PATH_UNTRUSTED_MAX */
    unsigned allow;         /* bits of check.h: what others have wrong and we may take */

    enum path_status status;
    time_t status_at;      /* when the CRLs must be current; 0: `at` */
    time_t crls_since;     /* the least thisUpdate; 0: any */
    X509_CRL *const *crls; /* one that is older, or that path_check_crl() refuses, is left out; then
                              the status of what its issuer has issued is not known */
    size_t n_crls;         /* up to PATH_CRLS_MAX */

    /* Initial policy inputs (RFC 5280 6.1.1 c, e, f, g); all zero: any policy will do. */
    const char *const *policies; /* dotted object identifiers */
    size_t n_policies;
    bool explicit_policy;
    bool inhibit_mapping;
    bool inhibit_any_policy;
};

/* What a caller may want to tell apart; all but the first set `e`: the depth, the subject there and
 * the reason. */
enum path_verdict {
    PATH_GOOD,
    PATH_NO_ANCHOR, /* the certificates do not lead to any of the anchors */
    PATH_REFUSED,   /* they do, but the path is not good, or the status is not known */
    PATH_REVOKED,   /* good but for this: a certificate in it is revoked */
    PATH_FAILED,    /* it could not be found out (memory); ERR_CRYPTO */
};
enum path_verdict path_judge(X509 *leaf, const struct path_request *, struct err *e);

/* The algorithm of section 6 alone, within the limits: neither the form of the certificates
 * (path_check_certificate()) nor `purpose` counts. For whoever wants to know which of them refused.
 */
enum path_verdict path_validate(X509 *leaf, const struct path_request *, struct err *e);

/* path_judge() where only one verdict counts: -1 for all but PATH_GOOD. ERR_DENIED. */
int path_verify(X509 *leaf, const struct path_request *, struct err *e);
