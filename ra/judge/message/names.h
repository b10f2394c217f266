/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - the names that a request asks for, against the registered ones. Private to ra/;
 * runs in workers.
 */
#pragma once

#include "ca/x509/profile/nf.h"
#include "ca/x509/profile/profile.h"
#include "ra/judge/job.h"

/* Of job->facts.enrolment.certreq. The certificate says what the registration says in any case;
 * whoever asks for something else came to the wrong place: notAuthorized. */
int judge_names(struct job *, const struct nf_identity *, const struct profile *);
