/* SPDX-License-Identifier: Apache-2.0 */
/*
 * greet.h - what an RA remembers of the record: each is told the newest checkpoint that is signed
 * and stored, with its WELCOME and then, while there are newer ones, each second. It keeps the last
 * one and shows it when it connects again. Private to nfpki-ca.
 *
 * Nothing else of that RA is read before (link/server.h). When our log's key signed what it shows,
 * and ca.db is older or another history, the program ends with ERR_STALE: it would issue what was
 * issued, and forget what was revoked. What our key did not sign ends that connection alone.
 */
#pragma once

#include "ca/daemon/daemon.h"

void greeter_free(struct greeter *);
/* `connected` hears of each RA that is welcome. */
struct greeter *greeter_new(struct ca *, void (*connected)(struct ca *)) OWNED(greeter_free);

/* HELLO, which is answered with WELCOME. */
void greet(struct ca *, link_peer, const struct link_message *hello);
/* A checkpoint was stored. */
void greeter_stored(struct greeter *);
