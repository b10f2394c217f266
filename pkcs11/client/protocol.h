/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocol.h - the frames between nfpki-signer and its parent; PROTOCOL.md says what they mean.
 */
#pragma once

#include "base/buf.h"
#include "pkcs11/client/evidence.h"

enum {
    SIGNER_PROTOCOL_VERSION = 4,
    SIGNER_FRAME_HEAD = 10,
    SIGNER_OBJECT_LENGTH = 4, /* of a SIGN: octets that tell where the evidence begins */
    SIGNER_OBJECT_MAX = 16 * 1024 * 1024,
    SIGNER_EVIDENCE_MAX = GROWTH_MAX,
    SIGNER_FRAME_MAX =
        SIGNER_FRAME_HEAD + SIGNER_OBJECT_LENGTH + SIGNER_OBJECT_MAX + SIGNER_EVIDENCE_MAX,
    SIGNER_ANSWER_MAX = 16 * 1024, /* of a frame from the signer; one of these fits into a socket
                                      beside 63 signatures */
};

enum signer_frame_type {
    SIGNER_HELLO = 1,
    SIGNER_FAILED = 2,
    SIGNER_SIGN = 3,
    SIGNER_SIGNED = 4,
    SIGNER_REFUSED = 5,
    SIGNER_PROVED = 6,
};

/* Bits of the detail of a HELLO. */
enum {
    SIGNER_HELLO_SOFTWARE = 1, /* a software token */
    SIGNER_HELLO_ANCHOR = 2,   /* what was signed last is in the token, too */
};

/* Before the key in the bytes of a HELLO: version, SHA-256 of the policy, signatures. */
enum { SIGNER_NUMBER_SIZE = 8, SIGNER_HELLO_HEAD = 1 + 32 + SIGNER_NUMBER_SIZE };

struct signer_frame {
    enum signer_frame_type type;
    uint8_t detail;
    uint64_t number;
    struct span bytes;    /* borrowed from what was decoded; of a SIGN: the object, */
    struct span evidence; /* and what shows that it may be signed */
};

/* What `nfpki-signer --self-test` signs: not the DER of anything, not a note. */
#define SIGNER_SELF_TEST_TEXT                                                                      \
    SPAN_LITERAL("nfpki-signer self-test: not a certificate, CRL, checkpoint or message\n")

/* Network order. */
void signer_number_put(uint8_t out[SIGNER_NUMBER_SIZE], uint64_t number);
uint64_t signer_number_get(const uint8_t in[SIGNER_NUMBER_SIZE]);

/* Replaces `out`. */
int signer_frame_encode(const struct signer_frame *, struct buf *out, struct err *e);
/* ERR_INPUT for an unknown type, a frame that is too short, or an object that is longer than it. */
int signer_frame_decode(struct span body, struct signer_frame *out, struct err *e);
