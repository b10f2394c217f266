/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protection.h - is the message signed by whom it says it is from? Private to ra/; runs in
 * workers. (With a shared secret: mac.h.)
 *
 * With job->registered and job->registration as the database has them. On success
 * job->authenticated; else -1 with job->failure and job->e.
 */
#pragma once

#include "ra/judge/job.h"

/* A registered certificate, key or vendor, or a certificate of ours, with its path to an anchor of
 * that purpose. badMessageCheck, signerNotTrusted, certRevoked, notAuthorized. */
int judge_signature(struct job *);
