/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mac_algorithm.h - the AlgorithmIdentifier of a MAC with a shared secret: what it asks for, and
 * whether that is within the limits. Derives nothing: cheap.
 *
 * PasswordBasedMac (RFC 9810 5.1.3.1, RFC 9481 6.1.1) and PBMAC1 (RFC 9481 6.1.2, RFC 8018 A.5).
 * Each has a ceiling of its own: what PasswordBasedMac iterates is a hash and today's clients say
 * some hundred; PBMAC1 iterates an HMAC, and its clients say what is recommended for passwords.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "ca/cmp/message/failure.h"

enum {
    CMP_MAC_COUNT_MIN = 100,           /* RFC 4211 4.4 */
    CMP_MAC_COUNT_MAX = 10000,         /* default: a few ms for a message of unknown origin */
    CMP_MAC_PBMAC1_COUNT_MAX = 300000, /* default: clients say 100,000 to 262,144 */
    CMP_MAC_COUNT_LIMIT = 1000000,     /* of both, by configuration */
    CMP_MAC_SALT_MIN = 8,              /* RFC 9045 / RFC 4211 4.4 */
    CMP_MAC_SALT_MAX = 128,
    CMP_MAC_KEY_MIN = 16,
    CMP_MAC_KEY_MAX = 4096, /* what CmpRaComponent asks for */
    CMP_MAC_SIZE_MAX = 64,
};

/* PBKDF2 iterates anew for each block of its output (RFC 8018 5.2): a long key costs as much as
 * that many times the iterations, and all of them together may be so many ceilings. */
enum { CMP_MAC_CEILINGS = 5 };

/* Iterations that are accepted; 0 is the default of each. The floor is for those who want more than
 * the standard's, never less. */
struct cmp_mac_limits {
    uint32_t count_min;
    uint32_t count_max;  /* PasswordBasedMac */
    uint32_t pbmac1_max; /* PBMAC1 */
};

struct cmp_mac_algorithm {
    bool pbmac1;
    uint8_t salt[CMP_MAC_SALT_MAX];
    size_t salt_size;
    int count;
    const EVP_MD *kdf_md; /* OWF, or the hash of the PRF */
    const EVP_MD *mac_md;
    size_t key_size;
};

/* Within the limits (NULL: the defaults); else -1, and which number is out of range is told to the
 * one who sent it (message/phrase.h). */
int cmp_mac_algorithm_read(struct span der, const struct cmp_mac_limits *,
                           struct cmp_mac_algorithm *out, struct err *e);
/* Is this AlgorithmIdentifier (cmp_msg_protection_alg) a MAC of ours, and within the limits?
 * -1 with badAlg. */
int cmp_mac_algorithm_check(struct span der, const struct cmp_mac_limits *,
                            enum cmp_failure *failure, struct err *e);
/* PBMAC1, and not PasswordBasedMac or anything else. */
bool cmp_mac_is_pbmac1(const X509_ALGOR *algorithm);

/* What deriving its key costs: so many steps of this kind. A step is one hash or one HMAC. */
struct cmp_mac_work {
    unsigned kind; /* below CMP_MAC_KINDS: which function is iterated */
    uint64_t steps;
};
enum { CMP_MAC_KINDS = 10 };
/* ERR_INPUT when it is no MAC of ours; its number of iterations may be any. */
int cmp_mac_algorithm_work(struct span der, struct cmp_mac_work *out, struct err *e);
/* One of that kind, with so many steps and a salt of zeros: to measure them. */
void cmp_mac_algorithm_of_work(const struct cmp_mac_work *, struct cmp_mac_algorithm *out);
