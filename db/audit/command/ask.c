/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/command/ask.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "db/audit/print.h"

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
    const char **files = option == 'i' ? asked.issuers : asked.crls;
    size_t *n = option == 'i' ? &asked.n_issuers : &asked.n_crls;

    if (*n == FILES_MAX) {
        return -1;
    }
    files[(*n)++] = path;
    return 0;
}

int
ask_parse(int argc, char **argv)
{
    static const struct option table[] = {
        {"ledger", required_argument, NULL, 'l'},
        {"key", required_argument, NULL, 'k'},
        {"state", required_argument, NULL, 's'},
        {"certificate", required_argument, NULL, 'c'},
        {"nf", required_argument, NULL, 'n'},
        {"issuer", required_argument, NULL, 'i'},
        {"crl", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0},
    };
    int option;

    optind = 0;
    while ((option = getopt_long(argc, argv, "+l:k:s:c:n:i:r:j", table, NULL)) != -1) {
        switch (option) {
        case 'l':
            asked.ledger = optarg;
            break;
        case 'k':
            asked.key = optarg;
            break;
        case 's':
            asked.state = optarg;
            break;
        case 'c':
            asked.certificate = optarg;
            break;
        case 'n':
            asked.nf = optarg;
            break;
        case 'i':
        case 'r':
            if (file_add(option, optarg) != 0) {
                return -1;
            }
            break;
        case 'j':
            asked.json = true;
            break;
        default:
            return -1;
        }
    }
    return 0;
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
