/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h - frames to the other end of a connection. Those of a batch leave together, when a few
 * milliseconds have passed since the last ones left and at its end, so that who waits for them
 * wakes up once. Private to service/.
 */
#pragma once

#include "pkcs11/service/serve.h"

/* Leaves at once, unless they gather. -1, its_fault: the other end does not take it. */
int serve_answer(struct serve *, enum signer_frame_type, uint8_t detail, uint64_t number,
                 struct span bytes, struct err *e);
/* From here they gather; at the end what is left leaves. */
void serve_gather(struct serve *);
int serve_end_gather(struct serve *, struct err *e);
