/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - the form of subjectAltName and nameConstraints, which OpenSSL compares as they
 * are: a name that is none may be within a subtree, or outside of one, that does not mean it. Pure
 * and thread-safe.
 */
#pragma once

#include "base/ossl.h"

/*
 * ERR_DENIED: a dNSName that is not in the preferred syntax (RFC 5280 4.2.1.6: labels of letters,
 * digits and hyphens; "*" may be the first) or is an address, an rfc822Name without exactly one
 * "@", an iPAddress of neither 4 nor 16 octets; in nameConstraints a dNSName that begins with a dot
 * (4.2.1.10 has that for URIs only) and an iPAddress of neither 8 nor 32 octets.
 */
int path_check_names(X509 *certificate, struct err *e);

/* Both say yes of an extension that cannot be read. */
/* Has a dNSName with "*"? Whether that is within a subtree nobody can say. */
bool path_has_wildcard(X509 *certificate);
/* Constrains dNSNames? */
bool path_constrains_dns(X509 *certificate);
