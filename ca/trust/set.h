/* SPDX-License-Identifier: Apache-2.0 */
/*
 * set.h - one set of anchors with its CRLs, and what it vouches for. Private to ca/trust/.
 *
 * Threads: constant but for its CRL files, which have their own lock.
 */
#pragma once

#include "ca/trust/conf.h"

struct trust_set;
void trust_set_free(struct trust_set *);
DEFINE_CLEANUP(trust_set_cleanup, struct trust_set, trust_set_free)
/* Reads the roots; copies what it needs. ERR_INPUT, ERR_NOTFOUND, ERR_IO name the file. */
struct trust_set *trust_set_new(const struct trust_conf_set *, struct err *e) OWNED(trust_set_free);

const char *trust_set_name(const struct trust_set *);
enum trust_purpose trust_set_purpose(const struct trust_set *);
bool trust_set_has_names(const struct trust_set *);
bool trust_set_asks_status(const struct trust_set *);

/* Its anchors, by their number: could anything verify under it, and could it now? -1 with the file
 * and what to do. */
size_t trust_set_anchors(const struct trust_set *);
int trust_set_check_anchor(const struct trust_set *, size_t i, time_t now, struct err *e);
int trust_set_check_early(const struct trust_set *, size_t i, time_t now, struct err *e);

/* The candidates are borrowed. `e` names the set, and the CRL file that is the reason. */
enum path_verdict trust_set_judge(const struct trust_set *, X509 *leaf, enum path_purpose,
                                  X509 *const *untrusted, size_t n, time_t at, struct err *e);

/* The first CRL file with which a request would be refused now: -1, with what to do. */
int trust_set_check_crls(const struct trust_set *, time_t now, struct err *e);
