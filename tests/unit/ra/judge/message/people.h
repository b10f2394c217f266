/* SPDX-License-Identifier: Apache-2.0 */
/* people.h - an RA, and certificates of network functions with what is registered of each. */
#pragma once

#include "tests/unit/ra/fixture.h"

#define NF(n) "1d5b94b1-35ad-49bb-b118-8e8fc24abf" n
#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SAYS_MAC "{\"kind\":\"mac\"}"
#define SAYS_CERTIFICATE "{\"kind\":\"certificate\",\"sha256\":\"" HASH "\"}"
#define SAYS_KEY "{\"kind\":\"publicKey\",\"sha256\":\"" HASH "\"}"
#define SAYS_VENDOR "{\"kind\":\"vendor\",\"issuer\":\"CN=a\",\"subject\":\"CN=b\"}"

/* Certificates that sign. */
enum who {
    HOLDER,        /* of FIXTURE_NF, delivered for nf-tls-client */
    DEVICE,        /* registered by its names */
    DEVICE_OTHER,  /* the same; the document has other names */
    DEVICE_BY_MAC, /* the same; the document wants a MAC */
    PINNED,
    PINNED_OTHER, /* the document has another hash */
    KEY,          /* registered by its key, which is f->key */
    KEY_OTHER,    /* the document has another hash */
    LISTED,       /* with a key of the operator's list */
    PEOPLE,
};

struct people {
    EVP_PKEY *key;
    EVP_PKEY *key_other;
    EVP_PKEY *listed;
    X509 *of[PEOPLE];
    char id[REGISTRATION_ID_SIZE]; /* of FIXTURE_NF */
};
extern struct people people;

/* For cmocka: *state is a struct fixture. */
int people_set_up(void **state);
int people_tear_down(void **state);
/* Who signs with this certificate. */
struct cmp_client people_client(struct fixture *, enum who);
