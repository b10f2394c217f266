/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h - is the form of a header right (RFC 9483 3.1, 3.5)? Everything that can be said before a
 * secret, a certificate or a database is touched.
 *
 * Order, and so which failInfo wins: pvno, body type, protectionAlg, iteration count, sender,
 * transactionID, senderNonce, recipNonce, messageTime (is it there?), generalInfo. How far
 * messageTime is from now is told when it is known who asks: cmp_check_time().
 */
#pragma once

#include <time.h>

#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"
#include "ca/cmp/protection/mac.h"

/*
 * What clients of RFC 4210 do otherwise than RFC 9483 has it, and a listener may take:
 * `cmp_strictness` of nfpki-ra.conf(5). All of it is form. Who asks, and whether again, is judged
 * the same whatever is here: protection, path, registration, proof of possession, replays.
 */
struct cmp_lenience {
    bool short_ids;       /* transactionID and senderNonce of CMP_OLD_NONCE_MIN octets (3.1) */
    bool any_cert_req_id; /* certReqId 1 and more, which comes back (4.1.1: 0) */
    bool signer_anywhere; /* in extraCerts, where it has to be the first (3.3) */
    bool no_sender_kid;   /* with a signature, when its certificate has an SKI (3.1) */
    bool implicit_without_null; /* implicitConfirm whose value is left out (3.1) */
    bool no_time;               /* no messageTime, where `time_required` wants one */
};
enum { CMP_OLD_NONCE_MIN = 8 };
extern const struct cmp_lenience cmp_lenience_rfc4210; /* all of them */

/* What a listener accepts. */
struct cmp_rules {
    uint32_t bodies;           /* CMP_BODY_BIT()s; others are badRequest */
    bool time_required;        /* absent messageTime is badTime */
    struct cmp_mac_limits mac; /* iterations of PasswordBasedMac and PBMAC1 */
    struct cmp_lenience old;   /* all false: RFC 9483 */
};
#define CMP_BODY_BIT(body) (UINT32_C(1) << (unsigned)(body))

enum { CMP_PVNO_2000 = 2, CMP_PVNO_2021 = 3 };

/* Goes on with a transaction: certConf, pollReq, error (which an end entity SHALL NOT send, RFC
 * 9483 3.6.1, and which ends one when it does, RFC 9810 5.3.21). */
bool cmp_is_later(enum cmp_body);
/* By its tags alone, of what nobody has decoded: it may be one. */
bool cmp_looks_later(struct span der);

/*
 * The first message of a transaction (ir, cr, kur, p10cr, ...), and a later one. 0, or -1 with
 * *failure: unsupportedVersion, badRequest, badMessageCheck (not protected), badAlg, badDataFormat,
 * badSenderNonce, badRecipientNonce, badTime (missing).
 */
int cmp_check_first(const struct cmp_msg *, const struct cmp_rules *, enum cmp_failure *failure,
                    struct err *e);
int cmp_check_later(const struct cmp_msg *, const struct cmp_rules *, enum cmp_failure *failure,
                    struct err *e);

/* What RFC 9483 3.1 asks of a signed message besides: senderKID when the certificate that shall
 * have signed it has a subjectKeyIdentifier. Whether it is the right one: protect.h.
 * badMessageCheck. */
int cmp_check_signer(const struct cmp_msg *, const struct cmp_rules *, const X509 *signer,
                     enum cmp_failure *failure, struct err *e);

/* Is messageTime at most so many seconds behind `now`, or ahead of it? Else badTime, with a phrase
 * that says how far it is: for a sender whose protection verified. An absent one is. */
int cmp_check_time(const struct cmp_msg *, time_t now, int behind_s, int ahead_s,
                   enum cmp_failure *failure, struct err *e);

/* Is the later message's recipNonce this one? Else badRecipientNonce. */
int cmp_check_recip_nonce(const struct cmp_msg *, struct span nonce, enum cmp_failure *failure,
                          struct err *e);
