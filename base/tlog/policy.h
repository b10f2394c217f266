/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - which logs, which witnesses, and how many of these: a C2SP tlog-policy file. Pure.
 *
 *   log <vkey> [<url>]
 *   witness <name> <vkey> [<url>]
 *   group <name> all|any|<k> <name>...
 *   quorum <name>|none
 *
 * Items are separated by blanks and tabs; a line whose first item begins with # is a comment. Names
 * are octets, and belong to the file alone.
 */
#pragma once

#include "base/tlog/checkpoint.h"
#include "base/tlog/cosigner.h"

enum {
    TLOG_POLICY_MAX = 64 * 1024, /* of the file */
    TLOG_POLICY_EACH = 32,       /* logs, witnesses, groups */
};

struct tlog_policy;
void tlog_policy_free(struct tlog_policy *);
DEFINE_CLEANUP(tlog_policy_cleanup, struct tlog_policy, tlog_policy_free)
/* ERR_INPUT names the line. */
struct tlog_policy *tlog_policy_parse(struct span text, struct err *e) OWNED(tlog_policy_free);

/* Does it name logs? Without any it holds for every log. */
bool tlog_policy_has_logs(const struct tlog_policy *);
/* Is this one among them? */
bool tlog_policy_has_log(const struct tlog_policy *, const struct log_key *);

struct tlog_witness {
    char *name; /* in the file */
    struct cosigner key;
};
size_t tlog_policy_witnesses(const struct tlog_policy *);
const struct tlog_witness *tlog_policy_witness(const struct tlog_policy *, size_t i);

/* The name behind "quorum". */
const char *tlog_policy_quorum(const struct tlog_policy *);
/* Is it reached by these, of each witness whether it cosigned? */
bool tlog_policy_met(const struct tlog_policy *, const bool *cosigned);
