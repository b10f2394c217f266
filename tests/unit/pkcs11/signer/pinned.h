/* SPDX-License-Identifier: Apache-2.0 */
/* pinned.h - a policy file that is right, but for what a test says of it. */
#pragma once

#include "pkcs11/signer/policy.h"

#define EC_KEY(curve, point) "30{30{06{2a8648ce3d0201}06{" curve "}}03{00 " point "}}"
#define P256 "2a8648ce3d030107"
/* The generator of P-256, and twice it (SEC 2 2.4.2). */
#define POINT                                                                                      \
    "04 6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"                          \
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define POINT_2                                                                                    \
    "04 7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"                          \
    "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1"
#define KEY EC_KEY(P256, POINT)

#define LOG "log {\n origin = \"log.example\"\n}"
#define LEDGER_OF(origin, key) "ledger {\n origin = " origin "\n public_key = \"" key "\"\n}"
#define LEDGER LEDGER_OF("\"log.example\"", "log.spki")
#define BOTH " objects = {certificate, crl}\n "
#define CMP(bodies) "cmp {\n sender = \"issuer.der\"\n bodies = " bodies "\n}"

struct row {
    const char *name;
    const char *option, *line; /* another line for this option; NULL: as above */
    const char *purpose;       /* NULL: LOG */
    const char *reason;        /* NULL: it is loaded; else ERR_INPUT, but for files */
    enum err_code code;        /* 0: ERR_INPUT */
};

/* The folder, and the file in it. */
extern char *pinned_dir;
extern char *pinned_conf;

/* For cmocka_run_group_tests(): with the files that a policy may name. */
int pinned_set_up(void **state);
int pinned_tear_down(void **state);

/* Writes the file of this row, and loads it. */
struct policy *pinned_load(const struct row *, struct err *) OWNED(policy_free);
