/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oid.h - object identifiers of the project's own arc (UUID based, ITU-T X.667), one place for all.
 */
#pragma once

#define NFPKI_OID "2.25.146746973955696582463241471912985749617"
/* CMP generalInfo: what the RA attests about the request that it wraps (ca/link/PROTOCOL.md). */
#define NFPKI_OID_QUEUE_ENTRY NFPKI_OID ".1"
/* Extended key usage of a registrar: may sign registrations of NFs. */
#define NFPKI_OID_KP_REGISTRAR NFPKI_OID ".2"
/* Extended key usage of an officer: may sign approvals of requests. */
#define NFPKI_OID_KP_OFFICER NFPKI_OID ".3"
