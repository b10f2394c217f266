/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asked.h - what a request asks for besides its key, and whether a certificate has it.
 *
 * The answer says so (RFC 9810 5.2.3): accepted(0), "you got exactly what you asked for", or
 * grantedWithMods(1), "you got something like what you asked for; the requester is responsible for
 * ascertaining the differences". It is judged by what things mean, not by their octets, because
 * some clients reject what is not accepted(0). An extension that the certificate has besides is no
 * difference: nobody asked for it to be left out.
 * Pure.
 */
#pragma once

#include <openssl/x509.h>

#include "base/buf.h"

/*
 * *granted: the certificate `der` has each thing that `asked` (cmp_certreq_encode_asked(); may be
 * empty) has: the same names (RDNs as sets, by the rules of RFC 5280 7.1, without the attributes of
 * `ignored`, ignored.h, that the subject of the certificate has none of), the same ends of its
 * validity, each extension that was asked for: the same subjectAltNames, purposes and key usages as
 * sets, any other one octet for octet; "no CA" is granted by saying nothing about it (RFC 5280
 * 4.2.1.9). Whether an extension is critical is not compared: RFC 5280 and the profile say that.
 * ERR_INPUT: `asked` is no CertTemplate, or `der` is no certificate in DER.
 */
int cmp_asked_is_granted(struct span asked, struct span der, unsigned ignored, bool *granted,
                         struct err *e);
