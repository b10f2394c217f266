/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-audit: reads the published folder of a ledger, verifies all of it, and only then answers.
 *
 * Trusts the log key that it is given and nothing else. Reads files; no lock, no access to the
 * CA. The network is in `fetch` alone, which copies files and believes none of them; `serve` shows
 * a mirror to this machine.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/ossl.h"
#include "base/pool.h"
#include "base/proc.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"

static const struct cmd commands[] = {
    {"check",
     "[--state FILE] [--profiles FILE]... [--issuer FILE]... [--crl FILE]... [--certificates] "
     "[--export DIR] [--json] [--format FORMAT]",
     "all of `verify` and `lint`, and what else must be true of the record", check_run},
    {"evidence", "[CLAUSE] [--json] [--format FORMAT]",
     "what the record says to an auditor's clause, and what it cannot", evidence_run},
    {"sample", "--since TIME --until TIME [--json] [--format FORMAT]",
     "3 % of what was issued then, drawn by a rule that can be repeated", sample_run},
    {"lint",
     "[--state FILE] [--profiles FILE]... [--issuer FILE]... [--certificates] [--json] "
     "[--format FORMAT]",
     "each certificate judged once more, by the table of the auditor", lint_run},
    {"list",
     "[NOUN] [--FILTER VALUE]... [--columns NAME,...] [--limit N] [--format table|csv|jsonl]",
     "certificates, registrations, requests, refusals, revocations, approvals, staff, ceremonies, "
     "events, crls, changes, findings, outages",
     list_run},
    {"sql", "[--timeout MS] [--limit N] [--format table|csv|jsonl] SELECT",
     "a question of your own to the views of the mirror", sql_run},
    {"mirror",
     "[--init] [--policy FILE] [--cacert FILE] [--cache DIR] [--stale HOURS] [--progress] "
     "[--json] SOURCE DB",
     "what is new in the ledger, verified and taken into a database of yours", mirror_command_run},
    {"report",
     "[--html FILE] [--data DIR] [--as-of TIME] [--check] [--profiles FILE]... [--issuer FILE]...",
     "all of it on one page, with figures; and its rows as CSV and JSON Lines", report_run},
    {"serve", "[--listen ADDRESS:PORT] [--policy FILE] [--issuer FILE]... [--vendor FILE]...",
     "the report and the lists as pages for a browser on this machine, from a mirror",
     serve_command_run},
    {"show", "[--json] SERIAL|INDEX|REQUEST|REGISTRATION|UUID|NAME",
     "everything that the ledger has about it, and the proofs", show_run},
    {"explain",
     "[--issuer FILE]... [--vendor FILE]... [--as-of TIME] [--format table|csv|jsonl] "
     "SERIAL|REQUEST",
     "how a certificate came about, in sentences, with what was signed verified again",
     explain_run},
    {"prove", "SERIAL|INDEX", "a proof that needs the log key alone, on standard output",
     prove_run},
    {"check-proof", "[--certificate FILE] [--json] FILE",
     "what `prove` wrote, with the log key and nothing else", check_proof_run},
    {"verify",
     "[--state FILE] [--policy FILE] [--certificate FILE] [--issuer FILE]... [--crl FILE]... "
     "[--json]",
     "the whole ledger, its history since FILE, and that a certificate is in it", verify_run},
    {"fetch", "[--policy FILE] [--cacert FILE] URL DIR",
     "what a web server has of the ledger, into a folder, to be verified there", fetch_run},
    {"witness", "--key-file FILE --state FILE",
     "signs the checkpoint, when it continues what was signed last", witness_run},
    {"witness-key", "--key-file FILE NAME", "makes a key for that, prints its verifier key",
     witness_key_run},
};

static const struct program program = {
    .name = "nfpki-audit",
    .summary = "Verifies the record of an nfpki certificate authority and answers from it.",
    .options = "[--ledger DIR | --mirror DB] [--key FILE|TEXT] ",
    .commands = commands,
    .n_commands = ARRAY_LEN(commands),
};

static int
run(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0)) {
        return cmd_run(&program, argc - 1, argv + 1);
    }
    if (ask_before(argc, argv) != 0) {
        cmd_usage(&program, stderr);
        return EXIT_MISUSE;
    }
    return cmd_run(&program, argc - optind, argv + optind);
}

int
main(int argc, char **argv)
{
    struct err e = {0};
    int status;

    if (proc_harden(&e) != 0 || ossl_init(&e) != 0) {
        (void)fprintf(stderr, "nfpki-audit: %s\n", e.text);
        return EXIT_FAILED;
    }
    ask_program(&program);
    asked.ledger = getenv("NFPKI_LEDGER");
    asked.mirror = getenv("NFPKI_MIRROR");
    status = run(argc, argv);
    pool_contexts_free();
    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
    return status;
}
