/* SPDX-License-Identifier: Apache-2.0 */
/* open.h - the first two stages of what an RA signed, before its kind has the word. Private to
 * nfpki-ca. */
#pragma once

#include "ca/request/kind/request.h"

/* STAGE_OPEN, in a worker: the RA's signature, and which kind it is. */
enum request_stage request_open(struct request *);
/* STAGE_LOOK: is it known, is it registered; then what its kind looks at. */
int request_look(struct request *, struct store_db *, enum request_stage *next, struct err *e);
