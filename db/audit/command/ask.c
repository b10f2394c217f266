/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/command/ask.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/audit/mirror/import.h"
#include "db/audit/print.h"
#include "db/audit/print_leaf.h"

#define LETTERS "l:k:s:c:n:i:r:p:jm:"

/* Long options without a letter: filters begin there. */
enum {
    OPTION_COLUMNS = 256,
    OPTION_FORMAT,
    OPTION_RAW,
    OPTION_LIMIT,
    OPTION_AS_OF,
    OPTION_TIMEOUT,
    OPTION_HTML,
    OPTION_DATA,
    OPTION_CHECK,
    OPTION_KEY_FILE,
    OPTION_CACERT,
    OPTION_CACHE,
    OPTION_LISTEN,
    OPTION_PROFILES,
    OPTION_CERTIFICATES,
    OPTION_EXPORT,
    OPTION_INIT,
    OPTION_STALE,
    OPTION_PROGRESS,
    OPTION_VENDOR,
    OPTION_FILTER = 512
};

struct asked asked;
static const struct program *program;

void
ask_program(const struct program *p)
{
    program = p;
}

int
ask_usage(const char *command)
{
    return cmd_misuse(program, command);
}

static int
file_add(int option, const char *path)
{
    const char **files = option == 'i'               ? asked.issuers
                         : option == OPTION_PROFILES ? asked.profiles
                         : option == OPTION_VENDOR   ? asked.vendors
                                                     : asked.crls;
    size_t *n = option == 'i'               ? &asked.n_issuers
                : option == OPTION_PROFILES ? &asked.n_profiles
                : option == OPTION_VENDOR   ? &asked.n_vendors
                                            : &asked.n_crls;

    if (*n == FILES_MAX) {
        return -1;
    }
    files[(*n)++] = path;
    return 0;
}

static const struct {
    struct option option;
    unsigned bit;
} options[] = {
    {{"ledger", required_argument, NULL, 'l'}, ASK_LEDGER},
    {{"key", required_argument, NULL, 'k'}, ASK_KEY},
    {{"state", required_argument, NULL, 's'}, ASK_STATE},
    {{"certificate", required_argument, NULL, 'c'}, ASK_CERTIFICATE},
    {{"issuer", required_argument, NULL, 'i'}, ASK_ISSUER},
    {{"vendor", required_argument, NULL, OPTION_VENDOR}, ASK_VENDOR},
    {{"crl", required_argument, NULL, 'r'}, ASK_CRL},
    {{"policy", required_argument, NULL, 'p'}, ASK_POLICY},
    {{"key-file", required_argument, NULL, OPTION_KEY_FILE}, ASK_KEY_FILE},
    {{"cacert", required_argument, NULL, OPTION_CACERT}, ASK_CACERT},
    {{"cache", required_argument, NULL, OPTION_CACHE}, ASK_CACHE},
    {{"listen", required_argument, NULL, OPTION_LISTEN}, ASK_LISTEN},
    {{"profiles", required_argument, NULL, OPTION_PROFILES}, ASK_PROFILES},
    {{"certificates", no_argument, NULL, OPTION_CERTIFICATES}, ASK_CERTIFICATES},
    {{"check", no_argument, NULL, OPTION_CHECK}, ASK_CHECK},
    {{"export", required_argument, NULL, OPTION_EXPORT}, ASK_EXPORT},
    {{"init", no_argument, NULL, OPTION_INIT}, ASK_INIT},
    {{"stale", required_argument, NULL, OPTION_STALE}, ASK_STALE},
    {{"progress", no_argument, NULL, OPTION_PROGRESS}, ASK_PROGRESS},
    {{"json", no_argument, NULL, 'j'}, ASK_JSON},
    {{"mirror", required_argument, NULL, 'm'}, ASK_MIRROR},
    {{"columns", required_argument, NULL, OPTION_COLUMNS}, ASK_COLUMNS},
    {{"format", required_argument, NULL, OPTION_FORMAT}, ASK_FORMAT},
    {{"raw", no_argument, NULL, OPTION_RAW}, ASK_FORMAT},
    {{"limit", required_argument, NULL, OPTION_LIMIT}, ASK_LIMIT},
    {{"as-of", required_argument, NULL, OPTION_AS_OF}, ASK_AS_OF},
    {{"timeout", required_argument, NULL, OPTION_TIMEOUT}, ASK_TIMEOUT},
    {{"html", required_argument, NULL, OPTION_HTML}, ASK_HTML},
    {{"data", required_argument, NULL, OPTION_DATA}, ASK_DATA},
};

static int
take(int option, const char *value)
{
    switch (option) {
    case 'l':
        asked.ledger = value;
        return 0;
    case 'k':
        asked.key = value;
        return 0;
    case 's':
        asked.state = value;
        return 0;
    case 'c':
        asked.certificate = value;
        return 0;
    case 'n':
        asked.filters.typed[FILTER_NF] = value;
        return 0;
    case 'm':
        asked.mirror = value;
        return 0;
    case OPTION_COLUMNS:
        asked.columns = value;
        return 0;
    case OPTION_FORMAT:
        asked.format = value;
        return 0;
    case OPTION_RAW:
        asked.raw = true;
        return 0;
    case OPTION_LIMIT:
        asked.limit = value;
        return 0;
    case OPTION_AS_OF:
        asked.as_of = value;
        return 0;
    case OPTION_HTML:
        asked.html = value;
        return 0;
    case OPTION_CHECK:
        asked.check = true;
        return 0;
    case OPTION_DATA:
        asked.data = value;
        return 0;
    case OPTION_TIMEOUT:
        asked.timeout = value;
        return 0;
    case 'i':
    case 'r':
    case OPTION_PROFILES:
    case OPTION_VENDOR:
        return file_add(option, value);
    case 'p':
        asked.policy = value;
        return 0;
    case OPTION_CACHE:
        asked.cache = value;
        return 0;
    case OPTION_LISTEN:
        asked.listen = value;
        return 0;
    case OPTION_CACERT:
        asked.cacert = value;
        return 0;
    case OPTION_KEY_FILE:
        asked.key_file = value;
        return 0;
    case OPTION_EXPORT:
        asked.export = value;
        return 0;
    case OPTION_CERTIFICATES:
        asked.certificates = true;
        return 0;
    case OPTION_INIT:
        asked.init = true;
        return 0;
    case OPTION_STALE:
        asked.stale = value;
        return 0;
    case OPTION_PROGRESS:
        asked.progress = true;
        return 0;
    case 'j':
        asked.json = true;
        return 0;
    default:
        break;
    }
    if (option < OPTION_FILTER || option >= OPTION_FILTER + FILTERS) {
        return -1;
    }
    asked.filters.typed[option - OPTION_FILTER] = value == NULL ? "" : value;
    return 0;
}

/* Of the options, and of the filters that are no option of another command, too. */
static void
make_table(struct option table[ARRAY_LEN(options) + FILTERS + 1])
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        table[n++] = options[i].option;
    }
    for (int f = 0; f < FILTERS; f++) {
        if (f != FILTER_ISSUER) {
            table[n++] =
                (struct option){filter_option((enum filter)f),
                                filter_has_value((enum filter)f) ? required_argument : no_argument,
                                NULL, OPTION_FILTER + f};
        }
    }
}

static int
parse(int argc, char **argv, const char *letters)
{
    struct option table[ARRAY_LEN(options) + FILTERS + 1] = {{0}};
    int option;

    make_table(table);
    optind = 0;
    while ((option = getopt_long(argc, argv, letters, table, NULL)) != -1) {
        if (take(option, optarg) != 0) {
            return -1;
        }
        for (size_t i = 0; i < ARRAY_LEN(options); i++) {
            asked.given |= options[i].option.val == option ? options[i].bit : 0;
        }
        asked.given |= option == 'n' || option >= OPTION_FILTER ? ASK_FILTERS : 0;
    }
    return 0;
}

int
ask_before(int argc, char **argv)
{
    return parse(argc, argv, "+" LETTERS);
}

int
ask_parse(int argc, char **argv)
{
    return parse(argc, argv, LETTERS);
}

int
ask_noun(int argc, char **argv, const char **noun)
{
    if (ask_parse(argc, argv) != 0 || argc - optind > 1) {
        return -1;
    }
    *noun = optind < argc ? argv[optind] : "certificates";
    return 0;
}

bool
ask_only(unsigned bits)
{
    return (asked.given & ~(bits | ASK_EVERYWHERE)) == 0;
}

int
ask_misuse(const char *text)
{
    (void)fprintf(stderr, "nfpki-audit: %s\n", text);
    return EXIT_MISUSE;
}

int
ask_failed(const struct err *reason)
{
    struct err e;

    (void)fprintf(stderr, "nfpki-audit: NOT VERIFIED: %s\n", reason->text);
    if (asked.json) {
        (void)audit_json_failure(stdout, reason, &e);
    }
    return EXIT_FAILED;
}

int
ask_nothing(const char *what, const char *typed)
{
    (void)fprintf(stderr, "nfpki-audit: %s ", what);
    print_text(stderr, typed);
    (void)fprintf(stderr, " in this ledger\n");
    return EXIT_NOTHING;
}

int
ask_key(struct log_key *key, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);

    if (strchr(asked.key, '+') != NULL && access(asked.key, F_OK) != 0) {
        return log_key_parse(key, span_str(asked.key), e);
    }
    if (file_read(asked.key, &text, e) != 0) {
        return -1;
    }
    return log_key_parse(key, buf_span(&text), e);
}

int
ask_ledger(struct audit_log **log)
{
    CLEANUP(log_key_free) struct log_key key = {0};
    struct err e = {0};

    if (asked.ledger == NULL) {
        return ask_misuse("which ledger? Give its folder with --ledger DIR or in $NFPKI_LEDGER");
    }
    if (access(asked.ledger, R_OK | X_OK) != 0) {
        (void)fprintf(stderr, "nfpki-audit: %s: %s\n", asked.ledger, strerror(errno));
        return EXIT_MISUSE;
    }
    if (asked.key != NULL && ask_key(&key, &e) != 0) {
        (void)fprintf(stderr, "nfpki-audit: --key: %s\n", e.text);
        return EXIT_MISUSE;
    }
    if (asked.key == NULL) {
        (void)fprintf(stderr,
                      "nfpki-audit: warning: the log key was read from the ledger itself "
                      "(%s/log.vkey): get it by another way and give it with --key\n",
                      asked.ledger);
    }
    *log = audit_open(asked.ledger, asked.key == NULL ? NULL : &key, &e);
    return *log == NULL ? ask_failed(&e) : EXIT_VERIFIED;
}

/* A mirror that remembers another key than the one that is given is of another log. */
static int
mirror_key_check(const struct mirror *m, struct err *e)
{
    CLEANUP(log_key_free) struct log_key key = {0};

    if (asked.key == NULL) {
        return 0;
    }
    if (ask_key(&key, e) != 0) {
        return err_wrap(e, "--key");
    }
    return strcmp(key.origin, mirror_key(m)->origin) == 0 &&
                   span_equal(span_of(key.spki, key.spki_n),
                              span_of(mirror_key(m)->spki, mirror_key(m)->spki_n))
               ? 0
               : err_set(e, ERR_CRYPTO, "%s is of a log with another key", mirror_path(m));
}

/* An answer has all that was accepted: what nobody beside the log has seen is said before it. */
static void
behind_warn(const struct mirror *m)
{
    const int64_t cosigned = mirror_cosigned(m);

    if (cosigned >= 0 && (uint64_t)cosigned < mirror_checkpoint(m)->size) {
        (void)fprintf(stderr,
                      "nfpki-audit: warning: leaves from %" PRId64 " on are not witnessed: the "
                      "quorum has cosigned the first %" PRId64 " of %" PRIu64 "\n",
                      cosigned, cosigned, mirror_checkpoint(m)->size);
    }
}

static int
mirror_take(struct mirror **m)
{
    struct err e = {0};

    *m = mirror_open(asked.mirror, &e);
    if (*m == NULL) {
        return e.code == ERR_NOTFOUND || e.code == ERR_DENIED ? ask_misuse(e.text) : ask_failed(&e);
    }
    if (mirror_key_check(*m, &e) != 0) {
        return e.code == ERR_CRYPTO ? ask_failed(&e) : ask_misuse(e.text);
    }
    if (!mirror_key_is_given(*m) && asked.key == NULL) {
        (void)fprintf(
            stderr,
            "nfpki-audit: warning: the log key of %s was read from the ledger itself: get "
            "it by another way and give it with --key\n",
            asked.mirror);
    }
    behind_warn(*m);
    return EXIT_VERIFIED;
}

/* What the import found, named as `verify` names it; what was found later is listed. */
static void
tell_findings(struct mirror *m)
{
    enum { TOLD = 20 };
    sqlite3_stmt *statement = NULL;
    int n = 0;

    (void)sqlite3_prepare_v2(
        mirror_sqlite(m), "SELECT leaf, text FROM findings WHERE found_by = 'mirror' ORDER BY id",
        -1, &statement, NULL);
    while (statement != NULL && sqlite3_step(statement) == SQLITE_ROW && n++ <= TOLD) {
        if (n > TOLD) {
            (void)fprintf(stderr, "nfpki-audit: finding: there are more\n");
            break;
        }
        (void)fprintf(stderr, "nfpki-audit: finding: leaf %lld ",
                      (long long)sqlite3_column_int64(statement, 0));
        print_text(stderr, (const char *)sqlite3_column_text(statement, 1));
        (void)fputc('\n', stderr);
    }
    (void)sqlite3_finalize(statement);
}

int
ask_mirror(struct mirror **m)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    const unsigned both = ASK_LEDGER | ASK_MIRROR;
    struct err e = {0};
    int status;

    if ((asked.given & both) == both) {
        return ask_misuse("--ledger DIR or --mirror DB, not both");
    }
    if (asked.mirror != NULL && (asked.given & ASK_LEDGER) == 0) {
        status = mirror_take(m);
    } else {
        status = ask_ledger(&log);
        if (status == EXIT_VERIFIED) {
            *m = mirror_of(log, &e);
            status = *m == NULL ? ask_failed(&e) : EXIT_VERIFIED;
        }
    }
    if (status == EXIT_VERIFIED) {
        tell_findings(*m);
    }
    return status;
}

bool
ask_key_is_given(const struct mirror *m)
{
    return mirror_key_is_given(m) || asked.key != NULL;
}

int
ask_format(enum sink_format *format, struct err *e)
{
    *format = asked.json ? SINK_JSONL : SINK_TABLE;
    if (asked.format != NULL && sink_format_parse(asked.format, format, e) != 0) {
        return err_wrap(e, "--format");
    }
    if (asked.json && *format != SINK_JSONL) {
        return err_set(e, ERR_INPUT, "--json is --format jsonl");
    }
    if (asked.raw && *format != SINK_CSV) {
        return err_set(e, ERR_INPUT, "--raw is of --format csv");
    }
    *format = asked.raw ? SINK_CSV_RAW : *format;
    return 0;
}

int
ask_as_of(time_t *now, struct err *e)
{
    *now = clock_now();
    return asked.as_of == NULL || filter_time_parse(asked.as_of, true, now, e) == 0
               ? 0
               : err_wrap(e, "--as-of");
}

int
ask_number(const char *option, const char *typed, uint64_t missing, uint64_t most, uint64_t *out,
           struct err *e)
{
    const size_t digits = typed == NULL ? 0 : strspn(typed, "0123456789");

    *out = typed == NULL ? missing : strtoull(typed, NULL, 10);
    return typed == NULL ||
                   (digits > 0 && digits < 16 && typed[digits] == '\0' && *out > 0 && *out <= most)
               ? 0
               : err_set(e, ERR_INPUT, "%s: a number from 1 to %" PRIu64, option, most);
}

int
ask_finish(int result, const struct err *reason)
{
    const bool written = fflush(stdout) == 0 && ferror(stdout) == 0;

    if (result != 0 && (written || reason->code != ERR_IO)) {
        return ask_failed(reason);
    }
    if (!written) {
        (void)fprintf(stderr, "nfpki-audit: standard output could not be written: the answer is "
                              "not whole\n");
        return EXIT_FAILED;
    }
    return EXIT_VERIFIED;
}
