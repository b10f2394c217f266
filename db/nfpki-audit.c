/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-audit: reads the published folder of a ledger, verifies all of it, and only then answers.
 *
 * Trusts the log key that it is given and nothing else. Reads files; no lock, no database, no
 * network, no access to the CA.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cmd.h"
#include "base/file.h"
#include "base/proc.h"
#include "db/audit/der/certificate.h"
#include "db/audit/print.h"

enum { EXIT_VERIFIED = 0, EXIT_FAILED = 1, EXIT_MISUSE = 2, EXIT_NOTHING = 3, EXIT_FINDINGS = 4 };

enum { FILES_MAX = 16 /* of each */, CRL_MAX = 32 * 1024 * 1024 };

static const struct program program;

static struct {
    const char *ledger;
    const char *key;
    const char *state;
    const char *certificate;
    const char *nf;
    const char *issuers[FILES_MAX];
    size_t n_issuers;
    const char *crls[FILES_MAX];
    size_t n_crls;
    bool json;
} options;

static int
file_add(int option, const char *path)
{
    const char **files = option == 'i' ? options.issuers : options.crls;
    size_t *n = option == 'i' ? &options.n_issuers : &options.n_crls;

    if (*n == FILES_MAX) {
        return -1;
    }
    files[(*n)++] = path;
    return 0;
}

/* Options stand before or behind the name of the command. */
static int
options_parse(int argc, char **argv)
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
            options.ledger = optarg;
            break;
        case 'k':
            options.key = optarg;
            break;
        case 's':
            options.state = optarg;
            break;
        case 'c':
            options.certificate = optarg;
            break;
        case 'n':
            options.nf = optarg;
            break;
        case 'i':
        case 'r':
            if (file_add(option, optarg) != 0) {
                return -1;
            }
            break;
        case 'j':
            options.json = true;
            break;
        default:
            return -1;
        }
    }
    return 0;
}

static int
misuse(const char *text)
{
    (void)fprintf(stderr, "nfpki-audit: %s\n", text);
    return EXIT_MISUSE;
}

static int
failed(const struct err *reason)
{
    struct err e;

    (void)fprintf(stderr, "nfpki-audit: NOT VERIFIED: %s\n", reason->text);
    if (options.json) {
        (void)audit_json_failure(stdout, reason, &e);
    }
    return EXIT_FAILED;
}

/* --key is a file, or the text itself. */
static int
key_load(struct log_key *key, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);

    if (strchr(options.key, '+') != NULL && access(options.key, F_OK) != 0) {
        return log_key_parse(key, span_str(options.key), e);
    }
    if (file_read(options.key, &text, e) != 0) {
        return -1;
    }
    return log_key_parse(key, buf_span(&text), e);
}

/* EXIT_VERIFIED and the opened log, or another status after the reason was printed. */
static int
ledger_open(struct audit_log **log)
{
    CLEANUP(log_key_free) struct log_key key = {0};
    struct err e = {0};

    if (options.ledger == NULL) {
        return misuse("which ledger? Give its folder with --ledger DIR or in $NFPKI_LEDGER");
    }
    if (access(options.ledger, R_OK | X_OK) != 0) {
        (void)fprintf(stderr, "nfpki-audit: %s: %s\n", options.ledger, strerror(errno));
        return EXIT_MISUSE;
    }
    if (options.key != NULL && key_load(&key, &e) != 0) {
        (void)fprintf(stderr, "nfpki-audit: --key: %s\n", e.text);
        return EXIT_MISUSE;
    }
    if (options.key == NULL) {
        (void)fprintf(stderr,
                      "nfpki-audit: warning: the log key was read from the ledger itself "
                      "(%s/log.vkey): get it by another way and give it with --key\n",
                      options.ledger);
    }
    *log = audit_open(options.ledger, options.key == NULL ? NULL : &key, &e);
    return *log == NULL ? failed(&e) : EXIT_VERIFIED;
}

/* What was said must have arrived: a full disk is not a verified ledger. */
static int
finish(int result, const struct err *reason)
{
    struct err e = {0};

    if (result != 0) {
        return failed(reason);
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        (void)err_set(&e, ERR_IO, "standard output could not be written");
        return failed(&e);
    }
    return EXIT_VERIFIED;
}

/* ---- verify ---- */

/* The certificate of --certificate, while the leaves go by. */
struct wanted {
    char *base64; /* NULL: none is wanted */
    char *serial;
    bool found;
    uint64_t leaf;
    struct merkle_hash hash;
    enum audit_status status;
};

static void
wanted_free(struct wanted *wanted)
{
    mem_free(wanted->base64);
    mem_free(wanted->serial);
}

static void
wanted_look(void *arg, uint64_t index, const struct leaf *leaf)
{
    struct wanted *wanted = arg;
    const char *serial = leaf_text(leaf, "serial");

    if (wanted->base64 == NULL || serial == NULL || strcmp(serial, wanted->serial) != 0) {
        return;
    }
    if (leaf_kind(leaf) == LEAF_ISSUED &&
        strcmp(leaf_text(leaf, "certificate"), wanted->base64) == 0) {
        wanted->found = true;
        wanted->leaf = index;
        wanted->hash = merkle_leaf(leaf_body(leaf));
    }
    wanted->status = audit_status_next(wanted->status, leaf_kind(leaf));
}

static int
wanted_load(struct wanted *wanted, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    CLEANUP(x509_cleanup) X509 *certificate = certificate_load(options.certificate, e);

    if (certificate == NULL || OSSL_ENCODE(X509, certificate, &der, e) != 0) {
        return -1;
    }
    wanted->base64 = base64_dup(buf_span(&der));
    wanted->serial = audit_certificate_serial(certificate);
    return 0;
}

/* The remembered state first: it names what happened when the log was replaced as a whole. */
static int
state_check(struct audit_log *log, struct audit_verdict *verdict, struct err *e)
{
    struct checkpoint earlier;

    if (options.state == NULL) {
        return 0;
    }
    verdict->state = options.state;
    if (audit_state_load(options.state, log, &verdict->known, &earlier, e) != 0) {
        return -1;
    }
    verdict->earlier = earlier.size;
    return verdict->known ? audit_consistency(log, &earlier, e) : 0;
}

/* What signed, and what was signed and is not in the ledger itself. */
static int
issuers_load(struct audit_issuers *issuers, struct err *e)
{
    for (size_t i = 0; i < options.n_issuers; i++) {
        CLEANUP(x509_cleanup) X509 *certificate = certificate_load(options.issuers[i], e);

        if (certificate == NULL ||
            audit_issuers_add(issuers, options.issuers[i], certificate, e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < options.n_crls; i++) {
        CLEANUP(buf_free) struct buf der = BUF_INIT(CRL_MAX);

        if (file_read(options.crls[i], &der, e) != 0 ||
            audit_issuers_add_crl(issuers, options.crls[i], buf_span(&der), e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
verify_all(struct audit_log *log, struct audit_issuers *issuers, struct wanted *wanted,
           struct audit_verdict *verdict, struct audit_figures *figures, struct err *e)
{
    struct merkle_proof proof;

    if (state_check(log, verdict, e) != 0 ||
        audit_verify_signed(log, issuers, wanted_look, wanted, figures, e) != 0) {
        return -1;
    }
    if (wanted->found) {
        verdict->certificate = true;
        verdict->leaf = wanted->leaf;
        verdict->status = wanted->status;
        if (audit_inclusion(log, wanted->leaf, &wanted->hash, &proof, e) != 0) {
            return -1;
        }
    }
    return options.state == NULL ? 0 : audit_state_save(options.state, log, e);
}

static int
verify_run(int argc, char **argv)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(wanted_free) struct wanted wanted = {0};
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *issuers = audit_issuers_new();
    struct audit_figures figures;
    struct audit_verdict verdict = {.figures = &figures};
    struct err e = {0};
    int status;

    if (options_parse(argc, argv) != 0 || optind != argc || options.nf != NULL) {
        return cmd_misuse(&program, "verify");
    }
    if (options.n_crls > 0 && options.n_issuers == 0) {
        return misuse("--crl needs --issuer FILE: who signed it?");
    }
    if ((options.certificate != NULL && wanted_load(&wanted, &e) != 0) ||
        issuers_load(issuers, &e) != 0) {
        return misuse(e.text);
    }
    status = ledger_open(&log);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (verify_all(log, issuers, &wanted, &verdict, &figures, &e) != 0) {
        return failed(&e);
    }
    audit_print_findings(stderr, &figures);
    if (options.json) {
        status = finish(audit_json_verdict(stdout, log, &verdict, &e), &e);
    } else {
        audit_print_verdict(stdout, log, &verdict);
        status = finish(0, &e);
    }
    if (status == EXIT_VERIFIED && options.certificate != NULL && !wanted.found) {
        (void)fprintf(stderr, "nfpki-audit: %s is not in this ledger\n", options.certificate);
        return EXIT_NOTHING;
    }
    return status == EXIT_VERIFIED && figures.times.findings > 0 ? EXIT_FINDINGS : status;
}

/* ---- list ---- */

static void
list_look(void *arg, uint64_t index, const struct leaf *leaf)
{
    audit_index_add(arg, index, leaf);
}

static int
list_run(int argc, char **argv)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(audit_index_cleanup) struct audit_index *rows = NULL;
    struct audit_figures figures;
    struct err e = {0};
    int status;

    if (options_parse(argc, argv) != 0 || optind != argc || options.state != NULL ||
        options.certificate != NULL || options.n_issuers + options.n_crls > 0) {
        return cmd_misuse(&program, "list");
    }
    status = ledger_open(&log);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    rows = audit_index_new(options.nf);
    if (audit_verify(log, list_look, rows, &figures, &e) != 0) {
        return failed(&e);
    }
    audit_print_findings(stderr, &figures);
    if (audit_index_size(rows) == 0) {
        (void)fprintf(stderr, "nfpki-audit: no certificate%s%s in this ledger\n",
                      options.nf == NULL ? "" : " of NF ", options.nf == NULL ? "" : options.nf);
        return EXIT_NOTHING;
    }
    if (options.json) {
        return finish(audit_json_list(stdout, log, rows, &e), &e);
    }
    audit_print_list(stdout, log, rows);
    return finish(0, &e);
}

/* ---- show ---- */

static void
show_look(void *arg, uint64_t index, const struct leaf *leaf)
{
    story_search(arg, index, leaf);
}

static int
show_run(int argc, char **argv)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(story_free) struct story story = {0};
    struct story_search search = {0};
    struct audit_figures figures;
    struct err e = {0};
    int status;

    if (options_parse(argc, argv) != 0 || optind != argc - 1 || options.state != NULL ||
        options.certificate != NULL || options.nf != NULL ||
        options.n_issuers + options.n_crls > 0) {
        return cmd_misuse(&program, "show");
    }
    if (story_target_parse(argv[optind], &search.target, &e) != 0) {
        return misuse(e.text);
    }
    status = ledger_open(&log);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (audit_verify(log, show_look, &search, &figures, &e) != 0) {
        return failed(&e);
    }
    audit_print_findings(stderr, &figures);
    if (!search.found) {
        (void)fprintf(stderr, "nfpki-audit: nothing about %s in this ledger\n", argv[optind]);
        return EXIT_NOTHING;
    }
    if (story_collect(log, &search, &story, &e) != 0) {
        return failed(&e);
    }
    return finish(options.json ? audit_json_story(stdout, log, &story, &e)
                               : audit_print_story(stdout, log, &story, &e),
                  &e);
}

static const struct cmd commands[] = {
    {"list", "[--nf UUID] [--json]", "one row per certificate, with its status", list_run},
    {"show", "[--json] SERIAL|INDEX|REQUEST|REGISTRATION",
     "everything that the ledger has about it, and the proofs", show_run},
    {"verify", "[--state FILE] [--certificate FILE] [--issuer FILE]... [--crl FILE]... [--json]",
     "the whole ledger, its history since FILE, and that a certificate is in it", verify_run},
};

static const struct program program = {
    .name = "nfpki-audit",
    .summary = "Verifies the record of an nfpki certificate authority and answers from it.",
    .options = "[--ledger DIR] [--key FILE|TEXT] ",
    .commands = commands,
    .n_commands = ARRAY_LEN(commands),
};

int
main(int argc, char **argv)
{
    struct err e = {0};

    if (proc_harden(&e) != 0 || ossl_init(&e) != 0) {
        (void)fprintf(stderr, "nfpki-audit: %s\n", e.text);
        return EXIT_FAILED;
    }
    options.ledger = getenv("NFPKI_LEDGER");
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0)) {
        return cmd_run(&program, argc - 1, argv + 1);
    }
    if (options_parse(argc, argv) != 0) {
        cmd_usage(&program, stderr);
        return EXIT_MISUSE;
    }
    return cmd_run(&program, argc - optind, argv + optind);
}
