/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - may this be issued, and what exactly?
 *
 * Everything is judged again here from the octets that came (design section 3): the RA is believed
 * in nothing but its order of arrival and, for proof kind mac, that the MAC was right.
 * Pure: no database, no file, no key; runs in workers. The rules that need the database are checked
 * again by db/issuance inside the transaction. Private to nfpki-ca.
 */
#pragma once

#include <time.h>

#include "ca/cmp/certreq.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/queue.h"
#include "ca/policy/made.h"
#include "ca/policy/renew.h"
#include "ca/registration/proof.h"
#include "ca/registration/registration.h"
#include "ca/trust/trust.h"
#include "ca/x509/blocked_keys.h"
#include "ca/x509/tbs/tbs.h"

/* Constant after start but for `heads`, shared by all workers. */
struct policy {
    X509 *issuing;
    X509 *root;
    EVP_PKEY *issuing_key;             /* the public half, from the issuing certificate */
    const X509_NAME *name;             /* of the issuing CA */
    uint8_t issuing_hash[SHA256_SIZE]; /* of the issuing certificate */
    struct cmp_heads *heads;           /* of RAs' queues, verified before; NULL: each is verified */
    struct trust *trust;               /* of requesters' certificates */
    struct nf_rules rules;             /* of a registration that comes in */
    struct nf_rules stored_rules;      /* of one that was accepted before */
    const char *crl_url;
    const struct blocked_keys *blocked; /* NULL: none */
    struct renew_rules renew;
    int backdate_s;           /* clocks of those who verify may be behind so far */
    int message_window_s;     /* messageTime is at most so far from when the RA took it (made.h), */
    bool message_required;    /* and must be there */
    bool rehearsal;           /* the issuing certificate says so */
    struct profile registrar; /* the built-in ones, with this operator's policies */
    struct profile officer;
};

/* RA certificates that ca.db has as issued by us and not revoked. */
struct policy_ra {
    X509 *certificate;
    struct buf der;
};

/*
 * What the TBS is made from, kept until the certificate is linted a last time.
 * A certificate begins policy.backdate_s before it is judged, but not before its issuer's does; its
 * life counts from there. After a restart request.not_before is set before, from what the intent
 * recorded: it counts when it is within LEAF_BACKDATE_MAX before the time of the judgement, so that
 * another backdate in the configuration does not give up what was promised.
 */
struct policy_grant {
    struct registration registration;
    struct name subject; /* infrastructure */
    struct buf spki;
    uint8_t spki_sha256[SHA256_SIZE];
    struct tbs_request request; /* borrows from the members above */
    time_t judged;              /* at this time; request.not_before is earlier */
    struct buf tbs;
    int cert_req_id;          /* what the confirmation must name */
    struct renewal renewal;   /* of a request that a certificate of ours signs */
    struct made made;         /* of a network function's request */
    struct proof_shown shown; /* what could be registered as its proof; none with a MAC, or when the
                                 holder of a certificate of ours is known by that */
};
void policy_grant_free(struct policy_grant *);

/* Decodes what an RA handed in, finds the RA among `ras`, verifies its signature and that the entry
 * is under it, that the message hashes to `rid`, and that it was not received in the future. NULL
 * with *failure and a reason for the RA's operator (ca/link/PROTOCOL.md, DEFERRED):
 * signerNotTrusted, badMessageCheck, badDataFormat, timeNotAvailable, systemFailure. Nothing of
 * that is recorded, for nobody stands for it, or is the network function's fault. */
struct cmp_queued *policy_open(const struct policy *, struct span submitted, struct span rid,
                               const struct policy_ra *ras, size_t n_ras, time_t now,
                               enum cmp_failure *failure, struct err *e) OWNED(cmp_queued_free);

/* What ca.db has about a first message. */
struct policy_facts {
    struct span json;                     /* the registration that the entry names */
    time_t registered;                    /* when it was taken in */
    const struct issuance_holder *holder; /* of the certificate that signs; NULL: none of ours */
};
/* A first message: protection, path, proof of possession, names, time, registration -> TBS, linted.
 * `grant` is all zero before, but for a recorded request.not_before. *requester is the certificate
 * that protects the request (freed by the caller), NULL with a MAC. */
int policy_grant_request(const struct policy *, const struct cmp_queued *,
                         const struct policy_facts *, time_t now, struct policy_grant *grant,
                         X509 **requester, enum cmp_failure *failure, struct err *e);

/* When the message is signed and its certificate names us as issuer: the certificate's serial
 * number, under which ca.db is asked for the holder, and its octets, borrowed; else none. -1,
 * ERR_BUSY: memory is too short to tell, and nobody's is not said of what was not read. */
int policy_holder_serial(const struct policy *, const struct cmp_msg *,
                         uint8_t serial[ISSUANCE_SERIAL_SIZE], struct span *der, struct err *e);

/* An officer's request for a certificate of our own processes or people. */
int policy_grant_officer(const struct policy *, struct span csr, const char *profile,
                         const char *common_name, int days, time_t now, struct policy_grant *grant,
                         struct err *e);

/* After a restart: is `tbs`, with this serial number, what `grant` gives? The grant must have been
 * made for the time and the notBefore that the intent recorded. ERR_DENIED. */
int policy_same(struct policy_grant *grant, struct span serial, struct span tbs, struct err *e);

/* Signature -> certificate: verified under the issuing key, its TBS equal to `tbs`. With `grant`
 * (NULL after a restart) it is linted again, unless it is the grant's TBS, which was. */
int policy_seal(const struct policy *, struct span tbs, struct span signature,
                const struct policy_grant *grant, struct buf *certificate, struct err *e);
