/* SPDX-License-Identifier: Apache-2.0 */
/* nf.h - a network function that is registered at the CA of world.h, and its requests. */
#pragma once

#include "ca/x509/profile/nf.h"
#include "tests/unit/ca/daemon/world.h"

#define MAC "{\"kind\":\"mac\"}"

enum proof_by { BY_MAC, BY_CERTIFICATE, BY_VENDOR };

/* One network function on its way. */
struct nf {
    char id[CMP_REGISTRATION_ID_SIZE + 1];
    struct buf cms;
    EVP_PKEY *key;
    X509 *certificate; /* that protects; NULL: a MAC */
    struct buf algorithm;
    struct cmp_client client;
    struct cmp_client_state state;
    struct buf request;
    struct buf nested;
};

void nf_free(struct nf *);

void nf_uuid(char out[NF_INSTANCE_ID_SIZE]);
/* Registered, with its first request ready. */
struct nf nf_new(struct world *, enum proof_by, int certificates);
/* Another request of it, nested. */
void nf_request(struct world *, struct nf *);

/* The certificate in this answer; fails the test when there is none. */
X509 *nf_issued(const struct answer *);
/* Its request, and the certificate that it gets. */
X509 *nf_enrol(struct world *, const struct nf *);
/* The row that a CA which was killed after T1 leaves for the request: from so many seconds before
 * it was judged. The daemon does not run. */
void nf_leave_intent(struct world *, const struct nf *, int backdate);
void nf_is_refused(const struct answer *, enum cmp_failure);
/* With these words in the statusString. */
void nf_is_refused_for(const struct answer *, enum cmp_failure, const char *words);
/* Nothing is decided, for it is the RA's fault or ours: the words for its log contain `why`. */
void nf_is_deferred(const struct answer *, enum cmp_failure, const char *why);
