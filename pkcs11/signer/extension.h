/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extension.h - nothing is signed that was not understood: names and extensions down to their last
 * octet.
 */
#pragma once

#include <openssl/x509.h>

#include "base/buf.h"

/* All extensions are of those that the CA issues, each encodes to the same octets again, and names
 * in them are of the kinds that it uses. ERR_INPUT what cannot be decoded, ERR_DENIED what is
 * another. */
int extension_check_certificate(const X509 *, struct err *e);
/* The same for a CRL and its entries. */
int extension_check_crl(X509_CRL *, struct err *e);
/* Attributes are text without control characters. */
int extension_check_name(const X509_NAME *, struct err *e);
