/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.h - whose certificates are believed, and for what: the anchors of each purpose and the path
 * checks of requesters. The same for RA and CA, so that both give the same answer.
 *
 * An anchor of one purpose vouches for nothing of another: a vendor's root does not renew one of
 * our certificates, our own root is no vendor; and one vendor's root vouches for no name of another
 * vendor's. Candidates for the middle of a path are what the message has in extraCerts, which is
 * believed in nothing else (RFC 9483 3.3). CRL files are looked at in each check, and read again
 * when they have changed: on a worker, never on the loop.
 * Threads: constant after it is made, but for CRL files, which have their own lock; any may check.
 */
#pragma once

#include <time.h>

#include "ca/cmp/message/failure.h"
#include "ca/cmp/message/msg.h"
#include "ca/trust/conf.h"
#include "ca/x509/path/path.h"

struct trust;
void trust_free(struct trust *);
DEFINE_CLEANUP(trust_cleanup, struct trust, trust_free)

/* Our own root and issuing certificate, and the sets of the configuration. ERR_INPUT, ERR_NOTFOUND,
 * ERR_IO name the section and the file. */
struct trust *trust_new(X509 *root, X509 *issuing, const struct trust_conf *, struct err *e)
    OWNED(trust_free);

/* Is there an anchor for first certificates (proof kind vendor)? */
bool trust_has_initial(const struct trust *);

/* Is there an anchor under which nothing could verify? -1 with file and line of the set, the
 * anchor's file, why and what to do. For --check: a start, which may be one after a crash, only
 * says so. */
int trust_check_anchors(const struct trust *, time_t now, struct err *e);

/* What the operator should know about the configuration now: an anchor under which nothing
 * verifies, or nothing yet, a set that vouches for the names of others, a CRL with which requests
 * will be refused. Nothing of it is an error. */
void trust_remarks(const struct trust *, time_t now, void (*say)(const struct err *));

/*
 * Each of these: may this certificate, which has signed `msg` (the signature is verified already),
 * stand for its holder at time `at`? -1 with signerNotTrusted, certRevoked or, when it could not be
 * found out, systemFailure (RFC 9483 3.5), and in `e` the set, the depth, the subject and the
 * reason. Whether it is registered, live, or allowed to do what it asks is not asked here.
 *
 * initial: of the network function before it has one of ours: a path to an anchor of purpose
 *          vendor or operator, whose set vouches for the name. Where one of the sets has it revoked
 *          it is revoked.
 * pinned:  named by its registration itself, so that no issuer is needed: validity, keyUsage and
 *          form are. Revoked where a set that knows its issuer has it revoked.
 * own:     one of ours: a path over the issuing CA to our root (renewal, revocation). Whether it is
 *          revoked is known to ca.db, and asked there.
 * ra:      an RA with id-kp-cmcRA (RFC 9483 5.2.2) under our own root or an anchor of purpose ra.
 * person:  the operator's OAM or an officer, whose certificate is one of ours and no network
 *          function's. Which of them it is is known to the record, and asked there.
 */
int trust_check_initial(const struct trust *, const struct cmp_msg *msg, X509 *signer, time_t at,
                        enum cmp_failure *failure, struct err *e);
int trust_check_pinned(const struct trust *, const struct cmp_msg *msg, X509 *signer, time_t at,
                       enum cmp_failure *failure, struct err *e);
int trust_check_own(const struct trust *, const struct cmp_msg *msg, X509 *signer, time_t at,
                    enum cmp_failure *failure, struct err *e);
int trust_check_ra(const struct trust *, const struct cmp_msg *msg, X509 *signer, time_t at,
                   enum cmp_failure *failure, struct err *e);
int trust_check_person(const struct trust *, const struct cmp_msg *msg, X509 *signer, time_t at,
                       enum cmp_failure *failure, struct err *e);
