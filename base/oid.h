/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oid.h - object identifiers of the project's own arc (UUID based, ITU-T X.667), one place for all.
 *
 * An arc of 128 bits is more than many decoders read (Go's crypto/x509, GnuTLS, zlint): nothing of
 * it leaves the pair of RA and CA: no certificate, CRL, leaf of the record or bundle has it.
 */
#pragma once

#define NFPKI_OID "2.25.146746973955696582463241471912985749617"
/* CMP generalInfo: what an RA attested about a request that it wrapped by itself, before there were
 * heads (ca/cmp/wrapper.h). */
#define NFPKI_OID_QUEUE_ENTRY NFPKI_OID ".1"
/* .2 and .3 were extended key usages of registrars and officers: not to be used again. */
