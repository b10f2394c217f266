/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - the message that a leaf names by its SHA-256 (ledger/messages.h), in short: is it
 * there, and what is it. What it proves tells asked.h.
 */
#pragma once

#include "db/audit/story/story.h"
#include "db/ledger/messages.h"

struct story_message {
    char sha256[2 * SHA256_SIZE + 1];
    const char *body; /* "ir", "PKCS #10"; "unknown" of what was refused and is neither */
    size_t octets;    /* 0: it is not there, */
    struct err why;
};

/* False: the leaf names none. What the mirror has was hashed. */
bool story_message(struct mirror *, const struct story_leaf *, struct story_message *);
/* "ir of 1234 octets" or "not there: ..."; one line, escaped by who shows it. */
char *story_message_text(const struct story_message *) OWNED(mem_free);
