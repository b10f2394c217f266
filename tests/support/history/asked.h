/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asked.h - what network functions and people of a history ask with: real messages. Each is kept
 * by its hash, to be published beside the leaves that name it. Private to history/.
 */
#pragma once

#include "db/ledger/ledger.h"
#include "tests/support/history/history.h"

void asked_begin(struct history *);
/* A ledger_message, of what was kept. */
ledger_message asked_message;

/* A device of its own, whose certificate or key the registration has by this hash. */
void asked_pin(struct history *, struct history_nf *, const char *proof, char hash[HISTORY_HEX]);
/* From here on it signs with this; NULL: a MAC. */
void asked_as(struct history_nf *, X509 *certificate, EVP_PKEY *key);
bool asked_by_signature(const struct history_nf *);

/* For this key; the next message is made a second before now. buf_free() it. */
struct buf asked_request(struct history *, struct history_nf *, enum cmp_body, EVP_PKEY *key,
                         char hash[HISTORY_HEX]);
void asked_certconf(struct history *, struct history_nf *, bool accept, char hash[HISTORY_HEX]);
void asked_rr(struct history *, struct history_nf *, X509 *certificate, int reason,
              char hash[HISTORY_HEX]);
void asked_pkcs10(struct history *, EVP_PKEY *key, const X509_NAME *subject,
                  char hash[HISTORY_HEX]);
