/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocked_keys.h - an operator's file of public keys that others know the private half of:
 * Debian's of 2008, published default keys, keys found in firmware.
 *
 * One key a line: the SHA-256 of its DER SubjectPublicKeyInfo in hexadecimal digits of any case, or
 * its first 30 digits or more (120 bits, as large public lists have them); what stands behind a
 * blank is a remark, so that a line of sha256sum(1) is one. '#' begins a comment.
 * Threads: constant after it is loaded.
 */
#pragma once

#include "base/conf.h"
#include "base/ossl.h"

enum { BLOCKED_KEYS_MAX = 1000000, BLOCKED_KEYS_FILE_MAX = 128 * 1024 * 1024 };

struct blocked_keys;
void blocked_keys_free(struct blocked_keys *);
/* ERR_INPUT "file:line: ..."; a file without any key is an error, too. */
struct blocked_keys *blocked_keys_load(const char *path, struct err *e) OWNED(blocked_keys_free);
/* The file that a daemon's option `blocked_keys` names; *out is NULL when it names none. */
int blocked_keys_read(cfg_t *, struct blocked_keys **out, struct err *e);
DEFINE_CLEANUP(blocked_keys_cleanup, struct blocked_keys, blocked_keys_free)

/* Is it one of them? NULL: a list of none. */
bool blocked_keys_has(const struct blocked_keys *, const uint8_t spki_sha256[SHA256_SIZE]);
size_t blocked_keys_count(const struct blocked_keys *);
/* SHA-256 of the file; NULL: of nothing. */
int blocked_keys_hash(const struct blocked_keys *, uint8_t out[SHA256_SIZE], struct err *e);
