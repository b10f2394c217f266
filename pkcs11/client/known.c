/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a signer without asking it: from its HELLO, and what it answered since. */
#include "pkcs11/client/signer.h"

struct span
signer_spki(const struct signer *s)
{
    return buf_span(&s->process.pinned.spki);
}

enum key_algorithm
signer_algorithm(const struct signer *s)
{
    return s->process.pinned.algorithm;
}

struct span
signer_algorithm_identifier(const struct signer *s)
{
    return key_algorithm_identifier(s->process.pinned.algorithm);
}

bool
signer_is_software(const struct signer *s)
{
    return s->process.pinned.software;
}

bool
signer_has_anchor(const struct signer *s)
{
    return s->process.pinned.anchor;
}

bool
signer_is_apart(struct signer *s)
{
    bool apart;

    (void)pthread_mutex_lock(&s->lock);
    apart = s->apart;
    (void)pthread_mutex_unlock(&s->lock);
    return apart;
}

struct span
signer_policy_hash(const struct signer *s)
{
    return span_of(s->process.pinned.policy_hash, SHA256_SIZE);
}

pid_t
signer_pid(struct signer *s)
{
    pid_t pid;

    (void)pthread_mutex_lock(&s->lock);
    pid = s->pid;
    (void)pthread_mutex_unlock(&s->lock);
    return pid;
}

size_t
signer_waiting(struct signer *s)
{
    size_t waiting;

    (void)pthread_mutex_lock(&s->lock);
    waiting = s->waiting;
    (void)pthread_mutex_unlock(&s->lock);
    return waiting;
}

static uint64_t
counted(struct signer *s, const uint64_t *count)
{
    uint64_t n;

    (void)pthread_mutex_lock(&s->lock);
    n = *count;
    (void)pthread_mutex_unlock(&s->lock);
    return n;
}

uint64_t
signer_attempts(struct signer *s)
{
    return counted(s, &s->counts.attempts);
}

uint64_t
signer_signatures(struct signer *s)
{
    return counted(s, &s->counts.signatures);
}
