/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - what a ceremony must sign, computed from the definition, the facts and the register
 * alone. The run builds with it and the verifier builds again, octet for octet.
 *
 * A rehearsal differs in what marks it: CN prefix, 7 days at most, serial numbers from the
 * definition's hash, which is public. It may be held on another day than the definition's: then it
 * begins at its own time.
 */
#pragma once

#include "ca/x509/tbs/crl.h"
#include "ca/x509/tbs/tbs.h"
#include "ceremony/definition/definition.h"
#include "ceremony/transcript/state.h"

enum { ENTROPY_SIZE = 32 };

struct circumstances {
    bool rehearsal;
    time_t now;                          /* the fact `clock` */
    uint8_t token_random[ENTROPY_SIZE];  /* the fact `entropy`: drawn for this purpose, */
    uint8_t kernel_random[ENTROPY_SIZE]; /* and public afterwards */
};

/* With the mark of a rehearsal in front of the CN. */
int plan_subject(const struct name *subject, bool rehearsal, struct name *out, struct err *e);

/* HKDF-SHA-256 of the entropy (rehearsal: of the definition's hash): random, and anybody can derive
 * again that it was not chosen. */
int plan_serial(const struct definition *, const struct circumstances *, uint8_t out[SERIAL_SIZE],
                struct err *e);

/* Also checks that the clock stands in a rehearsal or within the day after not_before (BR 7.1.2.1.1
 * for roots), and not past not_after. `issuer` is NULL for the root. `subject` is storage for the
 * request. */
int plan_certificate(const struct definition *, const struct circumstances *, X509 *issuer,
                     struct span spki, struct name *subject, struct tbs_request *out,
                     struct err *e);

/* Adds the new revocations, number and time to `state` (which must be a copy of the register) and
 * describes the CRL from it; `out` borrows from `state`. */
int plan_crl(const struct definition *, const struct circumstances *, struct state *state,
             struct crl_request *out, struct err *e);

/* DER CertificationRequestInfo of a key. Appends. */
int plan_csr(const struct key_plan *, bool rehearsal, struct span spki, struct buf *out,
             struct err *e);

/* What the administrator types exactly before something that cannot be undone. */
char *plan_word_initialise(const struct definition *) OWNED(mem_free);
char *plan_word_generate_secret(const struct secret_plan *) OWNED(mem_free);
char *plan_word_generate(const struct key_plan *) OWNED(mem_free);
/* A signature: "sign " and the first 16 hex digits of the SHA-256 of what is signed. */
char *plan_word_sign(const uint8_t hash[SHA256_SIZE]) OWNED(mem_free);
/* The last 16 hex digits of the definition's hash, read from paper. */
char *plan_word_definition(const struct definition *) OWNED(mem_free);
#define REHEARSED_ANSWER "(rehearsal)"

/* head.txt of a sealed transcript. `artifacts` is the list of the fact `seal`. */
int plan_head_text(const struct definition *, bool rehearsal, bool software,
                   const uint8_t head[SHA256_SIZE], const json_t *artifacts, struct buf *out,
                   struct err *e);
