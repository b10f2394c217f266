/* SPDX-License-Identifier: Apache-2.0 */
/* scene.h - ca.db with an RA, a registrar and one registration; each verb of issuance.h as
 * a store operation of its own, so that a verb that fails leaves nothing behind. */
#pragma once

#include "base/ossl.h"
#include "db/issuance/issuance.h"
#include "db/ledger/ledger.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/support/verb.h"

enum { NOW = 1790000000, LATER = NOW + 100 * 24 * 60 * 60, SUPERSEDED = 4 };
/* The date of what ends NOW. */
#define WHEN ((struct issuance_when){NOW, NOW - 300})

#define UUID_1 "b5f0a1de-5b0e-4a6c-9f5e-0d4f8f2f0001"
#define UUID_2 "b5f0a1de-5b0e-4a6c-9f5e-0d4f8f2f0002"
/* The certificate of scene_octets(N), whose key is the one that these name. */
#define SCENE_CERTIFICATE(N) scene_certificate((uint8_t)(N)[0])
#define RA SCENE_CERTIFICATE("\310")
#define REGISTRAR SCENE_CERTIFICATE("\311")

struct intend {
    struct issuance_intent intent;
    enum issuance_outcome outcome;
};

struct issue {
    struct span rid;
    struct span certificate;
    uint64_t leaf;
};

struct find {
    struct span rid;                 /* empty: the next open one, */
    uint8_t open[ISSUANCE_RID_SIZE]; /* which is this */
    struct issuance_request found;
    bool is_found;
};

struct registering {
    struct issuance_registration row;
    struct span registrar;
    time_t now;
    int revoked; /* by do_cancel() */
    enum issuance_outcome outcome;
};

struct confirming {
    struct issuance_confirmation c;
    uint64_t leaf;
    bool revoked;
    enum issuance_outcome outcome;
};

struct refusing {
    struct issuance_refusal r;
    uint64_t leaf;
    enum issuance_outcome outcome;
};

struct revoking {
    struct span serial;
    uint64_t leaf;
    enum issuance_outcome outcome;
};

struct octets {
    uint8_t rid[ISSUANCE_RID_SIZE];
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    uint8_t key[SHA256_SIZE];
};

struct scene {
    char *dir;
    struct store *store;
    char id[ISSUANCE_ID_SIZE];
};

struct store *scene_open(const char *dir);
/* Anew, with the key that seals it (NULL: there is none); the same of a file that may be refused.
 */
void scene_reopen(struct scene *, const uint8_t *key);
int scene_try_reopen(struct scene *, const uint8_t *key, struct err *e);
enum store_seal scene_seal_state(struct scene *);
/* All of it is compared with its seals. */
int do_pages(struct store_db *db, void *none, struct err *e);
int do_intend(struct store_db *db, void *arg, struct err *e);
int do_issue(struct store_db *db, void *arg, struct err *e);
int do_abandon(struct store_db *db, void *arg, struct err *e);
int do_find(struct store_db *db, void *arg, struct err *e);
int do_register(struct store_db *db, void *arg, struct err *e);
int do_cancel(struct store_db *db, void *arg, struct err *e);
int do_confirm(struct store_db *db, void *arg, struct err *e);
int do_refuse(struct store_db *db, void *arg, struct err *e);
int do_revoke(struct store_db *db, void *arg, struct err *e);
int do_count(struct store_db *db, void *arg, struct err *e);
uint64_t scene_leaves(struct store *store);
/* Its rid, serial number, and the hash of its SubjectPublicKeyInfo, which is a point of P-256. */
struct octets scene_octets(uint8_t n);
/* Its certificate, for as long as the test runs; names are empty, the signature is none. */
struct span scene_certificate(uint8_t n);
/* The same by the rid. */
struct span scene_certificate_of(struct span rid);
struct span scene_tbs(struct span certificate);
struct span scene_serial(struct span certificate);
struct intend scene_officer(const struct octets *o, const char *profile);
/* Intends and issues it under an infrastructure profile; `der` is SCENE_CERTIFICATE of `n`. */
void scene_issue(struct store *store, uint8_t n, const char *profile, struct span der);
struct intend scene_nf(const struct octets *o, const char *registration,
                       struct span transaction_id);
struct registering scene_registration(const char *uuid, const char *cms, int certificates);
int scene_setup(void **state);
int scene_teardown(void **state);
