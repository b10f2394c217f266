/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support.h - support messages (RFC 9483 4.3): genm is answered by the RA alone, from its
 * configuration, the registration of who asks, and the CRLs that the CA wrote. Private to ra/.
 *
 *   caCerts          the issuing certificate
 *   rootCaCert       rootCaKeyUpdate, when root_update is configured and the root asked about is
 * the old one certReqTemplate  the registered subject, and the keys that may be certified
 *   crlStatusList    crls: those of crl_dir that are newer than the asker's
 *   currentCRL       the issuing CA's
 *   signKeyPairTypes the keys that may be certified
 *
 * All run on a worker.
 */
#pragma once

#include <stdbool.h>

struct buf;
struct err;
struct job;
struct profile;
struct registration;

/* After authentication: is it a question that we answer? job->facts.question.genm, or -1 with
 * job->failure. Sets job->facts.question.waits when it asks for the CRL of our CA and there is no
 * current one, because the CA is away: a client that polls gets it later (RFC 9483 4.4). */
int support_judge(struct job *, const struct registration *);
/* The keys that this profile takes, for certReqTemplate and signKeyPairTypes. */
bool support_asks_keys(const struct job *);
void support_set_keys(struct job *, const struct profile *);
/* A poll for such a question, with what is stored of it: job->facts.question.genm and
 * job->facts.question.waits again. */
int support_poll(struct job *);

/* The body of the genp for job->facts.question.genm. -1 with job->failure, to be answered with
 * error. */
int support_body(struct job *, struct buf *body, struct err *e);
