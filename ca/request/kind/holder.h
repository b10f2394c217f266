/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holder.h - who signs a request with a certificate of ours: what it says is looked up in ca.db,
 * for whoever judges it. For the kinds that such a certificate may sign. Private to nfpki-ca.
 */
#pragma once

#include "ca/request/kind/request.h"

/* All zero before. */
struct request_holder {
    struct span der; /* of a certificate that names us as its issuer; borrowed, empty: none does */
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    struct issuance_holder row;
    bool is_held; /* ca.db has that very certificate */
};

/* On a worker. -1: memory is short, so r->failure is systemFailure, which decides nothing. */
int request_holder_read(struct request *r, struct request_holder *);
/* A part of an operation of the store. */
int request_holder_look(struct request_holder *, struct store_db *, struct err *);
/* For the judge; NULL: none of ours. */
const struct issuance_holder *request_holder_of(const struct request_holder *);
