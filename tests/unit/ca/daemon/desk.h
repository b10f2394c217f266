/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk.h - the CA of world.h with a profile that demands two officers' approvals, Alice and Bob who
 * give them, and network functions that wait for them.
 */
#pragma once

#include "ca/registration/approval.h"
#include "tests/unit/ca/daemon/nf.h"

struct desk {
    struct world *w;
    EVP_PKEY *alice_key;
    X509 *alice;
    EVP_PKEY *bob_key;
    X509 *bob;
};

/* For cmocka: *state is a struct desk. */
int desk_setup(void **state);
int desk_teardown(void **state);

/* SUBMIT of its request, and the answer; that answer says that it waits. */
void desk_submit(struct desk *, const struct nf *, struct answer *);
void desk_is_waiting(const struct answer *);
/* A new one whose request waits. */
struct nf desk_nf(struct desk *);
/* What the daemon says of it; admin_json_cleanup(), NULL with the code in e. A text of such an
 * entry. */
json_t *desk_pending(struct desk *, const struct nf *, struct err *e);
const char *desk_text(const json_t *entry, const char *name);
/* The document that the daemon's list leads to. */
struct approval desk_document(struct desk *, const struct nf *);
/* Hands it in, signed or to be signed; the daemon's answer, NULL with the code in e. */
json_t *desk_hand_in(struct desk *, struct span cms, struct err *e);
json_t *desk_decide(struct desk *, const struct approval *, X509 *officer, EVP_PKEY *key,
                    struct err *e);
/* Alice or Bob decides; the state that the daemon answers with. */
void desk_officer(struct desk *, const struct nf *, bool alice, bool approves, const char *state);
