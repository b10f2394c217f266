/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.h - messages that we send.
 *
 *   struct cmp_header h;
 *   cmp_header_reply(request, &h, e);              who, nonces, time
 *   h.sender = ...; h.sender_kid = ...; h.algorithm = ...;
 *   cmp_body_issued(CMP_IP, 0, CMP_ACCEPTED, certificate, NULL, 0, &body, e);
 * and then either, MAC protected,
 *   cmp_build_mac(&h, body, key, extra, n, &out, e);
 * or, signed elsewhere, in two steps,
 *   cmp_build_part(&h, body, &part, e);            DER ProtectedPart: give this to the signer
 *   cmp_build_finish(part, signature, extra, n, &out, e);
 *
 * Every function replaces the content of its output buf, whose maximum the caller set
 * (CMP_MESSAGE_MAX does). Errors: ERR_INPUT over the maximum, ERR_CRYPTO.
 */
#pragma once

#include <openssl/x509.h>
#include <time.h>

#include "ca/cmp/echo.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"
#include "ca/cmp/protection/mac.h"

/* PKIHeader. Everything is borrowed; an empty span leaves the field out. */
struct cmp_header {
    int pvno;
    const X509_NAME *sender; /* NULL: the NULL-DN */
    struct span recipient;   /* DER GeneralName; empty: the NULL-DN */
    time_t time;             /* 0: absent */
    struct span algorithm;   /* DER AlgorithmIdentifier */
    struct span sender_kid;  /* content octets */
    struct span transaction_id;
    struct span sender_nonce;
    struct span recip_nonce;
    bool implicit_confirm;               /* request it, or grant it */
    time_t confirm_wait;                 /* 0: absent. Never together with implicit_confirm */
    const char *info_oid;                /* one more generalInfo entry; NULL: none */
    struct span info_value;              /* its DER value */
    uint8_t fresh_id[CMP_NONCE_SIZE];    /* where cmp_header_* keep what they make: */
    uint8_t fresh_nonce[CMP_NONCE_SIZE]; /* do not copy the struct afterwards */
};

/* An answer to `request` (RFC 9483 3.1): recipient, transactionID, recipNonce and pvno (the nearest
 * that we speak) from it, a fresh senderNonce, messageTime now. `request` must outlive the header.
 */
int cmp_header_reply(const struct cmp_msg *request, struct cmp_header *out, struct err *e);
/* The same to what could not be decoded, with what could be read of its header; a fresh
 * transactionID when there was none. */
int cmp_header_echo(const struct cmp_echo *request, struct cmp_header *out, struct err *e);
/* The first message of a transaction: fresh transactionID and senderNonce, pvno 2, time now. */
int cmp_header_first(struct cmp_header *out, struct err *e);

/* DER GeneralName directoryName of a name. */
int cmp_general_name(const X509_NAME *name, struct buf *out, struct err *e);

/* ir, cr, p10cr, kur: is answered with a certificate. */
bool cmp_body_asks_certificate(enum cmp_body request);
/* The answer to ir, cr, p10cr, kur, rr, genm: ip, cp, cp, kup, rp, genp. Assert: it is one of them.
 */
enum cmp_body cmp_body_answer(enum cmp_body request);

/* Bodies, DER with their tag. `type` is CMP_IP, CMP_CP or CMP_KUP; caPubs in CMP_IP only
 * (RFC 9483 4.1.2, 4.1.3). `status`: CMP_ACCEPTED or CMP_GRANTED_WITH_MODS (message/asked.h). */
int cmp_body_issued(enum cmp_body type, int cert_req_id, enum cmp_status status,
                    struct span certificate, const struct span *ca_pubs, size_t ca_pub_count,
                    struct buf *out, struct err *e);
int cmp_body_waiting(enum cmp_body type, int cert_req_id, struct buf *out, struct err *e);
/* `text` NULL: the failure's own phrase (message/phrase.h). */
int cmp_body_rejected(enum cmp_body type, int cert_req_id, enum cmp_failure failure,
                      const char *text, struct buf *out, struct err *e);
/* rp with one PKIStatusInfo (RFC 9483 4.2): accepted, or a rejection with `failure` and `text`
 * (NULL: the failure's own phrase). */
int cmp_body_revoked(struct buf *out, struct err *e);
int cmp_body_not_revoked(enum cmp_failure failure, const char *text, struct buf *out,
                         struct err *e);
int cmp_body_pkiconf(struct buf *out, struct err *e);
int cmp_body_pollrep(int cert_req_id, uint32_t check_after_s, const char *reason, struct buf *out,
                     struct err *e);
int cmp_body_error(enum cmp_failure failure, const char *text, struct buf *out, struct err *e);
/* error with status waiting (RFC 9483 4.4): what is not a request for a certificate cannot be
 * answered yet; poll with -1. */
int cmp_body_error_waiting(struct buf *out, struct err *e);
/* One PKIMessage, its octets unchanged. */
int cmp_body_nested(struct span inner, struct buf *out, struct err *e);

/* Step one: DER ProtectedPart, SEQUENCE { header, body }. */
int cmp_build_part(const struct cmp_header *, struct span body, struct buf *out, struct err *e);
/* Step two: PKIMessage with this protection (MAC or signature; empty: unprotected). `extra` are DER
 * certificates, the protection certificate first (RFC 9483 3.3). */
int cmp_build_finish(struct span protected_part, struct span protection, const struct span *extra,
                     size_t extra_count, struct buf *out, struct err *e);
/* Both steps with a key derived for the request; ignores header->algorithm, takes the key's. */
int cmp_build_mac(const struct cmp_header *, struct span body, const struct cmp_mac_key *,
                  const struct span *extra, size_t extra_count, struct buf *out, struct err *e);
