/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - what the real nfpki-signer needs: a token with a key, an issuer, a ledger, a policy. */
#pragma once

#include "pkcs11/client/client.h"
#include "pkcs11/key.h"
#include "tests/unit/pkcs11/signer/scene_log.h"

#define USER_PIN SPAN_LITERAL("user-pin-0123456789")
#define FAULTY TEST_BINARY_DIR "/faultp11.so"
#define TOKEN "Schl\xc3\xbcssel"

/* Purpose sections of a policy. */
#define LEDGER "ledger {\n origin = \"" SCENE_LOG_ORIGIN "\"\n public_key = \"log.spki\"\n}"
#define AUTHORITY                                                                                  \
    "certificate_authority {\n issuer = \"issuing.der\"\n objects = {certificate, crl}\n"          \
    " max_validity = 100\n}\n" LEDGER
#define LOG "log {\n origin = \"log.example\"\n}"

enum { ISSUER_DAYS = 3650, DAY = 86400 };

struct world {
    enum key_algorithm algorithm; /* of its key; before world_make() */
    char *dir;
    char serial[TOKEN_SERIAL_SIZE];
    uint8_t id[KEY_ID_SIZE]; /* in the policy */
    uint8_t first_id[KEY_ID_SIZE];
    struct buf spki;
    EVP_PKEY *dummy; /* signs in the place of the token to make a TBS */
    X509 *issuer;
    char *policy;
    char *journal;
    bool second_journal; /* of a policy that is written: in a file beside it */
    struct scene_log ledger;
};
extern struct world world;

/* For cmocka: one token, with the one key, for all tests of a program; and before each of them,
 * everything beside the token is as it was in the beginning. */
int world_make(void **state);
int world_free(void **state);
int world_setup(void **state);
int world_teardown(void **state);

/* Writes the policy with this module and purpose section. */
void world_write_policy(const char *module, const char *attributes, const char *purpose);
void world_write_pin(struct span pin);
/* A secret key in the token, for a section seal; its CKA_ID. */
void world_make_secret(char id[2 * KEY_ID_SIZE + 1]);

/* Signs in the place of the token, with the right algorithm. */
void world_sign_dummy(X509 *);

struct signer *world_start(struct tasks *finished, int timeout_ms, struct err *e);
/* Fails the test when it does not start. */
struct signer *world_start_well(void);
/* The token's signature. */
void world_verify(struct span tbs, const struct buf *signature);

/* Parts of what is to be signed. */
void world_set_name(X509_NAME *, const char *o);
void world_add_extension(X509 *, int nid, const char *value);
/* Of the next certificate. */
extern uint8_t world_last_octet;
void world_set_serial(X509 *, size_t n, uint8_t first);
