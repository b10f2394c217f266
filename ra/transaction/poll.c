/* SPDX-License-Identifier: Apache-2.0 */
/* pollReq: whoever was told to wait asks again (RFC 9483 4.4). */
#include "ra/transaction/kind.h"
#include "ra/transaction/reply.h"

const struct message_kind message_poll = {.judged = reply_by_state};
