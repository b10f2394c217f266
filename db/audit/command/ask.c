/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/command/ask.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "db/audit/print.h"

/* What has a long name alone. */
enum { KEY_FILE = 256, PROFILES, CERTIFICATES };

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
    const char **files = option == 'i'        ? asked.issuers
                         : option == PROFILES ? asked.profiles
                                              : asked.crls;
    size_t *n = option == 'i'        ? &asked.n_issuers
                : option == PROFILES ? &asked.n_profiles
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
    {{"nf", required_argument, NULL, 'n'}, ASK_NF},
    {{"issuer", required_argument, NULL, 'i'}, ASK_ISSUER},
    {{"crl", required_argument, NULL, 'r'}, ASK_CRL},
    {{"policy", required_argument, NULL, 'p'}, ASK_POLICY},
    {{"key-file", required_argument, NULL, KEY_FILE}, ASK_KEY_FILE},
    {{"profiles", required_argument, NULL, PROFILES}, ASK_PROFILES},
    {{"certificates", no_argument, NULL, CERTIFICATES}, ASK_CERTIFICATES},
    {{"json", no_argument, NULL, 'j'}, ASK_JSON},
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
        asked.nf = value;
        return 0;
    case 'i':
    case 'r':
    case PROFILES:
        return file_add(option, value);
    case 'p':
        asked.policy = value;
        return 0;
    case KEY_FILE:
        asked.key_file = value;
        return 0;
    case CERTIFICATES:
        asked.certificates = true;
        return 0;
    case 'j':
        asked.json = true;
        return 0;
    default:
        return -1;
    }
}

int
ask_parse(int argc, char **argv)
{
    struct option table[ARRAY_LEN(options) + 1] = {{0}};
    int option;

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        table[i] = options[i].option;
    }
    optind = 0;
    while ((option = getopt_long(argc, argv, "+l:k:s:c:n:i:r:p:j", table, NULL)) != -1) {
        if (take(option, optarg) != 0) {
            return -1;
        }
        for (size_t i = 0; i < ARRAY_LEN(options); i++) {
            asked.given |= options[i].option.val == option ? options[i].bit : 0;
        }
    }
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

int
ask_finish(int result, const struct err *reason)
{
    struct err e = {0};

    if (result != 0) {
        return ask_failed(reason);
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        (void)err_set(&e, ERR_IO, "standard output could not be written");
        return ask_failed(&e);
    }
    return EXIT_VERIFIED;
}
