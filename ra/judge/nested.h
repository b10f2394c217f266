/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nested.h - requests that another RA has checked and signed (RFC 9483 5.2.2.1, "adding
 * protection"). Private to ra/; runs in workers.
 *
 * An upstream RA is one whose certificate has id-kp-cmcRA and is of our issuing CA, but not our
 * own, or leads to an anchor of purpose ra (ca/trust). Its word opens the door and proves
 * nothing of what is inside: the inner message is judged as if it had come alone, the CA gets its
 * octets, and the answer is to it.
 */
#pragma once

struct job;

/* job->msg is a nested message: checks it and puts the one inside in its place; job->outer keeps
 * the wrapper. -1 with job->failure, and then job->msg is what the answer is to. */
int nested_open(struct job *);
