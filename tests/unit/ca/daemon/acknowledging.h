/* SPDX-License-Identifier: Apache-2.0 */
/* acknowledging.h - people who acknowledge a line of a journal that belongs to nothing. */
#pragma once

#include "pkcs11/signer/journal/line.h"
#include "tests/unit/ca/daemon/world.h"

enum { PROGRAM_OUTPUT_MAX = 1024 * 1024 };

/* Two officers, one of them with a second certificate, one who is revoked; a registrar; and one
 * with a certificate of her own making, who says that she is the first. */
enum who { ALICE, BOB, ALICE_AGAIN, EVE, OAM, MALLORY, N_PEOPLE };

struct person {
    EVP_PKEY *key;
    X509 *certificate;
};

struct acknowledging {
    struct world *w; /* which does not run */
    struct person people[N_PEOPLE];
};
/* For cmocka: *state is one. */
int acknowledging_setup(void **state);
int acknowledging_teardown(void **state);

/* Its exit status; what it printed and what it logged, each with a NUL. */
int acknowledging_program(const struct world *, const char *program, const char *const *arguments,
                          struct buf *out, struct buf *said);
/* nfpki-ca --acknowledge with these arguments, up to four. */
int acknowledging_run(const struct world *, const char *const more[4], struct buf *out,
                      struct buf *said);
/* The text to sign, with its NUL. */
struct buf acknowledging_text(const struct world *, const char *reason);
/* A line with what the newest line of this kind has, but for other octets; or as the one of `like`.
 */
struct journal_attempt acknowledging_add(const struct world *, const char *key, char kind,
                                         const struct journal_attempt *like);
/* What this person signed of a text; a file of it, outside of what is compared. */
struct buf acknowledging_cms(const struct acknowledging *, enum who, const char *text);
char *acknowledging_sign(const struct acknowledging *, enum who, const char *name,
                         const char *text);
