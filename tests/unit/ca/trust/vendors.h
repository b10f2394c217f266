/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vendors.h - two vendors, each with a root, a CA and a device, and what is asked about them and
 * the operator's own PKI.
 */
#pragma once

#include "ca/trust/trust.h"
#include "tests/support/forge.h"
#include "tests/support/pki.h"

enum { HOUR = 3600 };

struct vendor {
    EVP_PKEY *keys[3];
    X509 *root;
    X509 *ca;
    X509 *device;
};

/* For cmocka: makes and drops them, with their files in vendors_dir. */
int vendors_make(void **state);
int vendors_drop(void **state);
extern char *vendors_dir;
extern time_t vendors_now;
extern struct vendor vendor_x; /* O=X */
extern struct vendor vendor_y; /* O=Y */

void vendors_write(X509 *, const char *name);
/* A CA certificate that begins an hour ago, with a serial number of its own. */
X509 *vendors_certificate(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);

/* A name, a policy, or a file in vendors_dir. */
void vendors_list(struct trust_list *out, const char *value);
void vendors_set(struct trust_conf *, enum trust_purpose, const char *name, const char *root);
struct trust *vendors_trust(const struct pki *, const struct trust_conf *);

/* A message with these extraCerts; its protection is not asked here. */
struct cmp_msg *vendors_message_with(const struct span *extra, size_t n);
struct cmp_msg *vendors_message(X509 *const *certificates, size_t n);

typedef int vendors_check(const struct trust *, const struct cmp_msg *, X509 *, time_t,
                          enum cmp_failure *, struct err *);
/* The failInfo, and the reason in `e`. */
enum cmp_failure vendors_ask(vendors_check *, const struct trust *, X509 *leaf, X509 *ca, time_t at,
                             struct err *e);
