/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.h - whose certificates are believed, and for what: the anchors of each purpose and the path
 * checks of requesters. The same for RA and CA, so that both give the same answer.
 *
 * An anchor of one purpose vouches for nothing of another: a vendor's root does not renew one of
 * our certificates, our own root is no vendor. Candidates for the middle of a path are what the
 * message has in extraCerts, which is believed in nothing else (RFC 9483 3.3).
 * Threads: constant after it is made; any thread may check.
 */
#pragma once

#include <time.h>

#include "ca/cmp/failure.h"
#include "ca/cmp/msg.h"
#include "ca/x509/path.h"

struct trust;
void trust_free(struct trust *);
DEFINE_CLEANUP(trust_cleanup, struct trust, trust_free)

/* Our own root and issuing certificate, and the files of vendors' roots. ERR_INPUT, ERR_NOTFOUND,
 * ERR_IO name the file. */
struct trust *trust_new(X509 *root, X509 *issuing, char *const *vendor_roots, size_t n,
                        struct err *e) OWNED(trust_free);

/* Is there an anchor for first certificates (proof kind vendor)? */
bool trust_has_initial(const struct trust *);

/*
 * Each of these: may this certificate, which has signed `msg` (the signature is verified already),
 * stand for its holder at time `at`? -1 with signerNotTrusted, certRevoked or, when it could not be
 * found out, systemFailure (reference: RFC 9483 3.5), and in `e` the depth, the subject and the
 * reason. Whether it is registered, live, or allowed to do what it asks is not asked here.
 *
 * initial: of the network function before it has one of ours: a path to a vendor's root.
 * pinned:  named by its registration itself, so that no issuer is needed: validity, keyUsage and
 *          form are.
 * own:     one of ours: a path over the issuing CA to our root (renewal, revocation). Whether it is
 *          revoked is known to ca.db, and asked there.
 * ra:      an RA whose certificate is one of ours with id-kp-cmcRA (RFC 9483 5.2.2).
 * registrar: the operator's OAM, whose certificate is one of ours for registrars.
 */
int trust_check_initial(const struct trust *, const struct cmp_msg *msg, X509 *signer, time_t at,
                        enum cmp_failure *failure, struct err *e);
int trust_check_pinned(const struct trust *, const struct cmp_msg *msg, X509 *signer, time_t at,
                       enum cmp_failure *failure, struct err *e);
int trust_check_own(const struct trust *, const struct cmp_msg *msg, X509 *signer, time_t at,
                    enum cmp_failure *failure, struct err *e);
int trust_check_ra(const struct trust *, const struct cmp_msg *msg, X509 *signer, time_t at,
                   enum cmp_failure *failure, struct err *e);
int trust_check_registrar(const struct trust *, const struct cmp_msg *msg, X509 *signer, time_t at,
                          enum cmp_failure *failure, struct err *e);
