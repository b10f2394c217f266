/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.h - is what leaves name by its SHA-256 published, and is it that?
 */
#pragma once

#include "db/audit/lint/findings.h"
#include "db/ledger/leaf.h"
#include "db/ledger/messages.h"

/* The n-th file of tile/messages/; replaces `out`. ERR_NOTFOUND: there is none; ERR_CRYPTO: it has
 * another message than a leaf names. */
typedef int lint_messages_load(void *arg, uint64_t n, struct buf *out, struct err *e);

struct lint_messages;
void lint_messages_free(struct lint_messages *);
struct lint_messages *lint_messages_new(struct findings *, lint_messages_load *, void *arg)
    OWNED(lint_messages_free);
DEFINE_CLEANUP(lint_messages_cleanup, struct lint_messages, lint_messages_free)
/* Each leaf, in order. */
void lint_messages_leaf(struct lint_messages *, uint64_t index, const struct leaf *);
/* Behind the last one. */
void lint_messages_end(struct lint_messages *);
/* Behind the end; of each version. */
struct message_count lint_messages_count(const struct lint_messages *);
