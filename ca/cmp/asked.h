/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asked.h - what a request asks for besides its key, and whether a certificate has it.
 *
 * The answer says so (RFC 9810 5.2.3): accepted(0), "you got exactly what you asked for", or
 * grantedWithMods(1), "you got something like what you asked for; the requester is responsible for
 * ascertaining the differences". What a certificate has besides is no difference: nobody asked for
 * it to be left out.
 * Pure.
 */
#pragma once

#include <openssl/x509.h>

#include "base/buf.h"

/*
 * *granted: the certificate has each thing that `asked` (cmp_certreq_encode_asked(); may be empty)
 * has: the same names, the same ends of its validity, each extension with the value that was asked
 * for. Whether it is critical is not compared: RFC 5280 and the profile say that. ERR_INPUT:
 * `asked` is no CertTemplate.
 */
int cmp_asked_is_granted(struct span asked, const X509 *certificate, bool *granted, struct err *e);
