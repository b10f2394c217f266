/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acknowledgement.h - what two officers sign to acknowledge a line of a journal that belongs to
 * nothing.
 *
 *   {"version":1, "kind":"acknowledgement", "time":"2026-11-29T20:00:00Z",
 *    "log":{"origin":"nfpki.example.net/ca1", "leaves":207, "root":"<64 hex>"},
 *    "signer":"issuing", "key":"<64 hex>", "line":41, "object":"T", "sha256":"<64 hex>",
 *    "serial":"<32 hex>", "number":0, "reason":"..."}
 *
 * Of several signers of the issuing key the others are "issuing 2" and so on.
 * `log` is the record as it is: the same line of the same state at the same time, with the same
 * reason, gives the same octets. Pure; also for nfpki-cactl, of a file that anybody may have made.
 */
#pragma once

#include "base/ossl.h"

#define ACKNOWLEDGEMENT_KIND "acknowledgement"
enum {
    ACKNOWLEDGEMENT_REASON_MAX = 200,
    ACKNOWLEDGEMENT_ORIGIN_MAX = 256,
    ACKNOWLEDGEMENT_SERIAL = 16,
    ACKNOWLEDGEMENT_SIGNERS = 32
};

struct acknowledgement {
    time_t time;
    char origin[ACKNOWLEDGEMENT_ORIGIN_MAX];
    uint64_t leaves;
    uint8_t root[SHA256_SIZE];
    bool of_log;              /* the signer is the log's, or else one of the issuing key's, */
    unsigned signer;          /* this one, from 0 */
    uint8_t key[SHA256_SIZE]; /* of its SubjectPublicKeyInfo */
    uint64_t line;
    char object;               /* its letter, as of enum signer_object */
    uint8_t hash[SHA256_SIZE]; /* of what was to be signed */
    bool has_serial;
    uint8_t serial[ACKNOWLEDGEMENT_SERIAL];
    uint64_t number; /* of a CRL; 0: none */
    char reason[ACKNOWLEDGEMENT_REASON_MAX + 1];
};

/* 1 to ACKNOWLEDGEMENT_REASON_MAX characters of printable ASCII. ERR_INPUT. */
int acknowledgement_reason_check(const char *reason, struct err *e);
char *acknowledgement_format(const struct acknowledgement *) OWNED(mem_free);
/* Strict: ERR_INPUT names what is missing, unknown, or no value of such a text. */
int acknowledgement_parse(struct span json, struct acknowledgement *out, struct err *e);
/* The same, as an officer reads it. */
char *acknowledgement_show(struct span json, struct err *e) OWNED(mem_free);
