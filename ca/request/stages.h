/* SPDX-License-Identifier: Apache-2.0 */
/* stages.h - the way of requests through the CA: the table, and the ways in. Private to nfpki-ca.
 */
#pragma once

#include "ca/request/kind/request.h"

/* No request may be under way. */
void requests_free(struct requests *);
struct requests *requests_new(struct ca *) OWNED(requests_free);

/* The request belongs to the stages from now on. */
void requests_enter(struct requests *, struct request *, enum request_stage);
