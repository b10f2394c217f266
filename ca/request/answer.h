/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - what a peer hears of an outcome: one table. Private to nfpki-ca. */
#pragma once

#include "ca/request/kind/request.h"

/* STAGE_ANSWER: exactly one for each request. */
void request_answer(struct ca *, struct request *);
