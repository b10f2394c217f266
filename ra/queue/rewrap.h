/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rewrap.h - an entry of the queue that is not signed by the certificate that the RA has now gets a
 * wrapper by it: admitted under an earlier certificate, or while the signer was away; or by a clock
 * that was ahead. The network function's octets, and what the RA attests about them, stay. Private
 * to ra/; on the loop's thread.
 *
 *   needed -> worker: ours? (wrapper.h) unwrap, ProtectedPart -> signer -> store: ra.db keeps it ->
 * done
 */
#pragma once

#include "ca/cmp/queue.h"
#include "db/requests/requests.h"
#include "ra/daemon/ra.h"

/* `nested` empty: it failed, which was logged unless it failed before. Both borrowed. */
typedef void rewrap_done(void *arg, const struct requests_entry *, struct span nested);

bool rewrap_is_needed(const struct ra *, struct span nested);
/* Copies what it needs. False, and nothing begun: as many as may be are under way. */
bool rewrap_begin(struct ra *, const struct requests_entry *, struct span nested, rewrap_done *,
                  void *arg);

/* The ProtectedPart of a wrapper by the certificate that we have: replaces `part`. On a worker. */
int rewrap_part(const struct ra *, const struct cmp_queue_entry *, const struct cmp_msg *,
                struct buf *part, struct err *e);
