/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.h - what all commands of nfpki-audit share: their options, the ledger that is opened and
 * verified top down, and how they end. One thread, one command.
 */
#pragma once

#include "base/cmd.h"
#include "db/audit/files.h"
#include "db/audit/mirror/mirror.h"
#include "db/audit/out/sink.h"
#include "db/audit/query/filter.h"

enum { EXIT_VERIFIED = 0, EXIT_FAILED = 1, EXIT_MISUSE = 2, EXIT_NOTHING = 3, EXIT_FINDINGS = 4 };

enum { FILES_MAX = 16 /* of each */ };

/* Which options were given. */
enum {
    ASK_LEDGER = 1 << 0,
    ASK_KEY = 1 << 1,
    ASK_STATE = 1 << 2,
    ASK_CERTIFICATE = 1 << 3,
    ASK_FILTERS = 1 << 4, /* any of those of a list (db/audit/query/filter.h) */
    ASK_ISSUER = 1 << 5,
    ASK_CRL = 1 << 6,
    ASK_JSON = 1 << 7,
    ASK_POLICY = 1 << 8,
    ASK_KEY_FILE = 1 << 9,
    ASK_PROFILES = 1 << 10,
    ASK_CERTIFICATES = 1 << 11,
    ASK_MIRROR = 1 << 12,
    ASK_FORMAT = 1 << 13, /* and --raw */
    ASK_COLUMNS = 1 << 14,
    ASK_LIMIT = 1 << 15,
    ASK_AS_OF = 1 << 16,
    ASK_TIMEOUT = 1 << 17,
    ASK_CACERT = 1 << 18,
    ASK_HTML = 1 << 19,
    ASK_DATA = 1 << 20,
    ASK_EXPORT = 1 << 21,
    ASK_INIT = 1 << 22,
    ASK_STALE = 1 << 23,
    ASK_PROGRESS = 1 << 24,
    ASK_CHECK = 1 << 25,
    ASK_CACHE = 1 << 26,
    ASK_LISTEN = 1 << 27,
    ASK_VENDOR = 1 << 28,
    ASK_EVERYWHERE = ASK_LEDGER | ASK_KEY | ASK_MIRROR,
};

struct asked {
    unsigned given;
    const char *ledger;
    const char *mirror;
    const char *key;
    const char *state;
    const char *certificate;
    const char *policy;
    const char *cacert;   /* of whom TLS trusts */
    const char *cache;    /* folder of what is fetched */
    const char *key_file; /* of the auditor's own key */
    struct filters filters;
    const char *columns;
    const char *format;
    const char *limit;
    const char *timeout;
    const char *as_of;
    const char *html; /* file of a report, */
    const char *data; /* and the folder of its numbers */
    bool check;       /* a report has the findings of that, too */
    bool raw;
    const char *issuers[FILES_MAX];
    size_t n_issuers;
    const char *crls[FILES_MAX];
    size_t n_crls;
    const char *profiles[FILES_MAX];
    size_t n_profiles;
    const char *vendors[FILES_MAX]; /* roots */
    size_t n_vendors;
    const char *stale; /* hours */
    bool certificates; /* a row for each */
    const char *export;
    bool init;
    bool progress;
    const char *listen; /* an address with its port */
    bool json;
};
extern struct asked asked;

/* The program whose usage is printed. */
void ask_program(const struct program *);
/* Options that stand before the name of the command, where optind is then. */
int ask_before(int argc, char **argv);
/* And those behind it, at any place: optind is at the first word that is none. */
int ask_parse(int argc, char **argv);
/* The same with one word among them, which is "certificates" when there is none. */
int ask_noun(int argc, char **argv, const char **noun);
/* No other options were given than these and ASK_EVERYWHERE. */
bool ask_only(unsigned options);

/* Each prints what it has to say, and gives the exit status. */
int ask_misuse(const char *text);
int ask_usage(const char *command);
int ask_failed(const struct err *reason);
/* `what` 5a01 "in this ledger" */
int ask_nothing(const char *what, const char *typed);
/* What was said must have arrived: a full disk, or a pager that was left, is no whole answer; it is
 * not a record that is not verified, either. */
int ask_finish(int result, const struct err *reason);

/* --key: a file, or the text itself. */
int ask_key(struct log_key *, struct err *e);
/* EXIT_VERIFIED and the opened log, or another status after the reason was printed. */
int ask_ledger(struct audit_log **);
/* The same of a mirror: that of --mirror, or the folder of --ledger, imported into memory. What was
 * found in it is on standard error. */
int ask_mirror(struct mirror **);

/* Somebody gave the key that it rests on, now or when it was made. */
bool ask_key_is_given(const struct mirror *);

/* --json, --format, --raw; --as-of or now; a number up to `most`. ERR_INPUT names the option. */
int ask_format(enum sink_format *, struct err *e);
int ask_as_of(time_t *, struct err *e);
int ask_number(const char *option, const char *typed, uint64_t missing, uint64_t most,
               uint64_t *out, struct err *e);
