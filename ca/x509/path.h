/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h - is this certificate good for this purpose at this time, under these anchors?
 *
 * OpenSSL validates strictly (RFC 5280 6, X509_V_FLAG_X509_STRICT, 112 bits of strength: no SHA-1,
 * no RSA below 2048 bits); on top come checks that it leaves out: serial numbers positive and
 * within 20 octets (RFC 5280 4.1.2.2), no extension twice (4.2), critical or not where RFC 5280
 * says MUST, keys of accepted kinds. No trust comes from the host. Thread-safe.
 */
#pragma once

#include <time.h>

#include "base/ossl.h"

enum path_purpose {
    PATH_REQUESTER, /* signs CMP messages: keyUsage, when there, has digitalSignature (RFC 9483 1.5)
                     */
    PATH_OWN,       /* a certificate of ours signs CMP messages: keyUsage digitalSignature */
    PATH_RA_CMP,    /* our RA: keyUsage digitalSignature, EKU id-kp-cmcRA (RFC 9810 4.5) */
    PATH_REGISTRAR, /* signs registrations: keyUsage digitalSignature, EKU of registrars */
    PATH_OFFICER,   /* signs approvals: keyUsage digitalSignature, EKU of officers */
};

enum { PATH_LENGTH_MAX = 6, PATH_UNTRUSTED_MAX = 16 };

/* Everything is borrowed during the call. */
struct path_request {
    enum path_purpose purpose;
    time_t at;
    X509 *const *anchors;
    size_t n_anchors;
    bool pinned;            /* an anchor need not be self-signed; it may be the leaf itself (a
                               registration that pins a certificate) */
    X509 *const *untrusted; /* candidates for the middle of the path */
    size_t n_untrusted;     /* up to PATH_UNTRUSTED_MAX */
    X509_CRL *const *crls;  /* when there are some, the leaf's issuer must have a current one */
    size_t n_crls;
};

/* What a caller may want to tell apart; all but the first set `e`. */
enum path_verdict {
    PATH_GOOD,
    PATH_NO_ANCHOR, /* the certificates do not lead to any of the anchors */
    PATH_REFUSED,   /* they do, but the path is not good */
    PATH_REVOKED,   /* good but for this: a certificate in it is revoked */
    PATH_FAILED,    /* it could not be found out (memory); ERR_CRYPTO */
};
enum path_verdict path_judge(X509 *leaf, const struct path_request *, struct err *e);

/* The same where only one verdict counts: -1 for all but PATH_GOOD. ERR_DENIED with the depth, the
 * subject at that depth and the reason. */
int path_verify(X509 *leaf, const struct path_request *, struct err *e);

/* Only the check of the purpose (keyUsage, extendedKeyUsage, not a CA). */
int path_check_purpose(X509 *leaf, enum path_purpose purpose, struct err *e);
