/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipient.h - is a first message meant for us (RFC 9483 3.1)? Private to ra/.
 */
#pragma once

#include "ra/judge/job.h"

/*
 * The recipient is the RA, the issuing CA, the NULL-DN, or, since clients put these there when
 * nobody tells them more: our root, the issuer of the certificate that signs, and the upstream RA
 * that handed the message on. Names as sets of RDNs. Else -1 with wrongAuthority. Judged when
 * its protection verified, so that a stranger hears that and nothing else. A later message is tied
 * to its transaction by more than a name.
 */
int judge_recipient(struct job *);
