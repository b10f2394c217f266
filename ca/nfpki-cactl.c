/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-cactl - what officers ask of nfpki-ca, over its local admin socket. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cmd.h"
#include "base/file.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "ca/cactl/cactl.h"
#include "ca/link/admin.h"

enum { CSR_FILE_MAX = 32 * 1024 };

static int
run_simple(int argc, char **argv)
{
    if (argc != 1) {
        return cactl_misuse(argv[0]);
    }
    return cactl_print_answer(json_pack("{s:s}", "command", argv[0]));
}

struct issue_options {
    const char *profile;
    const char *common_name;
    long days;
};

static int
parse_issue(int argc, char **argv, struct issue_options *o)
{
    static const struct option options[] = {
        {"profile", required_argument, NULL, 'p'},
        {"subject-cn", required_argument, NULL, 'n'},
        {"days", required_argument, NULL, 'd'},
        {NULL, 0, NULL, 0},
    };
    char *end = NULL;
    int option;

    optind = 0; /* glibc: begin anew, with options anywhere */
    while ((option = getopt_long(argc, argv, "p:n:d:", options, NULL)) != -1) {
        switch (option) {
        case 'p':
            o->profile = optarg;
            break;
        case 'n':
            o->common_name = optarg;
            break;
        case 'd':
            o->days = strtol(optarg, &end, 10);
            if (*end != '\0') {
                return -1;
            }
            break;
        default:
            return -1;
        }
    }
    return o->profile == NULL || o->common_name == NULL || o->days < 1 || argc - optind != 1 ? -1
                                                                                             : 0;
}

static int
run_issue(int argc, char **argv)
{
    static const char pem_begin[] = "-----BEGIN ";
    struct issue_options o = {0};
    CLEANUP(buf_free) struct buf csr = BUF_INIT(CSR_FILE_MAX);
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    struct err e = {0};
    int status;

    if (parse_issue(argc, argv, &o) != 0) {
        return cactl_misuse(argv[0]);
    }
    if (file_read(argv[optind], &csr, &e) != 0) {
        return cactl_fail(&e);
    }
    if (memmem(csr.p, csr.n, pem_begin, sizeof(pem_begin) - 1) == NULL) {
        (void)err_set(&e, ERR_INPUT, "%s: not PEM: convert it with openssl req -inform DER",
                      argv[optind]);
        return cactl_fail(&e);
    }
    answer = cactl_ask(json_pack("{s:s,s:s,s:s,s:I,s:s%}", "command", "issue", "profile", o.profile,
                                 "commonName", o.common_name, "days", (json_int_t)o.days, "csr",
                                 (const char *)csr.p, csr.n),
                       &status);
    if (answer != NULL) {
        (void)fputs(json_string_value(json_object_get(answer, "certificate")), stdout);
    }
    return status;
}

static int
run_revoke(int argc, char **argv)
{
    static const struct option options[] = {
        {"reason", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    const char *reason = NULL;
    int option;

    optind = 0; /* glibc: begin anew, with options anywhere */
    while ((option = getopt_long(argc, argv, "r:", options, NULL)) != -1) {
        if (option != 'r') {
            return cactl_misuse(argv[0]);
        }
        reason = optarg;
    }
    if (reason == NULL || argc - optind != 1) {
        return cactl_misuse(argv[0]);
    }
    return cactl_print_answer(
        json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", argv[optind], "reason", reason));
}

#define APPROVE_SYNOPSIS                                                                           \
    "--certificate FILE --key FILE [--passphrase-fd N] [--reason TEXT] [--yes] RID | --signed "    \
    "FILE"

static int
run_cancel(int argc, char **argv)
{
    if (argc != 2) {
        return cactl_misuse(argv[0]);
    }
    return cactl_print_answer(json_pack("{s:s,s:s}", "command", "cancel", "registration", argv[1]));
}

/* The whole standard input. */
static int
read_input(struct buf *out, struct err *e)
{
    char octets[4096];
    size_t n;

    while ((n = fread(octets, 1, sizeof(octets), stdin)) > 0) {
        if (buf_append(out, span_of(octets, n), e) != 0) {
            return -1;
        }
    }
    return ferror(stdin) == 0 ? 0 : err_set(e, ERR_IO, "standard input could not be read");
}

static int
run_witness(int argc, char **argv)
{
    CLEANUP(buf_free) struct buf note = BUF_INIT(ADMIN_REQUEST_MAX);
    json_t *request;
    struct err e = {0};

    if (argc != 3 || strcmp(argv[1], "add") != 0) {
        return cactl_misuse(argv[0]);
    }
    if ((strcmp(argv[2], "-") == 0 ? read_input(&note, &e) : file_read(argv[2], &note, &e)) != 0) {
        return cactl_fail(&e);
    }
    request = json_pack("{s:s,s:s%}", "command", "witness", "note",
                        note.n == 0 ? "" : (const char *)note.p, note.n);
    if (request == NULL) {
        (void)err_set(&e, ERR_INPUT, "%s: not the text of a signed note", argv[2]);
        return cactl_fail(&e);
    }
    return cactl_print_answer(request);
}

static int
run_ceremony(int argc, char **argv)
{
    char path[PATH_MAX];
    struct err e = {0};

    if (argc != 3 || strcmp(argv[1], "add") != 0) {
        return cactl_misuse(argv[0]);
    }
    if (realpath(argv[2], path) == NULL) { /* the daemon works elsewhere */
        (void)err_errno(&e, ERR_IO, errno, "%s", argv[2]);
        return cactl_fail(&e);
    }
    return cactl_print_answer(json_pack("{s:s,s:s}", "command", "ceremony", "bundle", path));
}

static const struct cmd commands[] = {
    {"status", "", "what the CA has, and whether its signers run", run_simple},
    {"issue", "--profile ra-cmp|registrar|officer --subject-cn NAME --days N CSR.pem",
     "certificate for a process or an officer of ours", run_issue},
    {"revoke", "SERIAL --reason REASON", "revoke, and publish a CRL with it", run_revoke},
    {"pending", "[--json] [RID] | --document RID [--decision approve|reject] [--reason TEXT]",
     "what waits for officers; the document to sign about one", cactl_pending},
    {"approve", APPROVE_SYNOPSIS, "sign and hand in that a request may be issued", cactl_approve},
    {"reject", APPROVE_SYNOPSIS, "sign and hand in that it may not", cactl_approve},
    {"sign",
     "--certificate FILE --key FILE [--passphrase-fd N] [--yes] --out FILE DOCUMENT | "
     "--show DOCUMENT",
     "show and sign the plan of a restore, or that a line of a journal is known", cactl_sign},
    {"cancel", "REGISTRATION", "close a registration, revoke what is live under it", run_cancel},
    {"witness", "add FILE|-", "publish what a witness gave back: our checkpoint, cosigned",
     run_witness},
    {"ceremony", "add BUNDLE", "have a ceremony's bundle verified, and recorded", run_ceremony},
    {"crl", "", "make and publish a CRL now", run_simple},
    {"registrations", "", "what is registered, newest first", run_simple},
};

static const struct program program = {
    .name = "nfpki-cactl",
    .summary = "administer nfpki-ca",
    .options = "[--socket PATH]",
    .commands = commands,
    .n_commands = ARRAY_LEN(commands),
};

static int
run(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int option;

    if (argc == 2 && strncmp(argv[1], "--", 2) == 0) {
        return cmd_run(&program, argc - 1, argv + 1); /* --help, --version */
    }
    /* '+': what follows the subcommand is the subcommand's */
    while ((option = getopt_long(argc, argv, "+s:", options, NULL)) != -1) {
        if (option != 's') {
            cmd_usage(&program, stderr);
            return 2;
        }
        cactl_use_socket(optarg);
    }
    return cmd_run(&program, argc - optind, argv + optind);
}

int
main(int argc, char **argv)
{
    struct err e = {0};
    int status;

    if (proc_harden(&e) != 0 || ossl_init(&e) != 0) {
        return cactl_fail(&e);
    }
    cactl_begin(&program);
    status = run(argc, argv);
    OPENSSL_cleanup();
    return status;
}
