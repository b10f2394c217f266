/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/ossl.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/ask_policy.h"
#include "db/audit/command/commands.h"
#include "db/audit/witness/cosign.h"
#include "db/audit/witness/key.h"

int
witness_key_run(int argc, char **argv)
{
    CLEANUP(mem_cleanup) char *text = NULL;
    struct cosigner made;
    struct err e = {0};

    if (ask_parse(argc, argv) != 0 || optind != argc - 1 || !ask_only(ASK_KEY_FILE)) {
        return ask_usage("witness-key");
    }
    if (asked.key_file == NULL) {
        return ask_misuse("witness-key needs --key-file FILE: where is the key to be?");
    }
    if (witness_key_make(asked.key_file, argv[optind], &made, &e) != 0) {
        return ask_misuse(e.text);
    }
    text = cosigner_format(&made);
    (void)fputs(text, stdout);
    return ask_finish(0, &e);
}

static int
run(struct audit_log *log, const struct cosigner *c, EVP_PKEY *key)
{
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    const struct witnessed_log view = ask_policy_view(log);
    struct cosign_result result;
    struct err e = {0};

    if (cosign(asked.state, &view, audit_note(log), c, key, &note, &result, &e) != 0) {
        return ask_failed(&e);
    }
    if (result.first) {
        (void)fprintf(stderr, "nfpki-audit: first contact: nothing to compare with\n");
    } else {
        (void)fprintf(stderr,
                      "nfpki-audit: %" PRIu64 " leaves, which begin with the %" PRIu64
                      " that were cosigned last\n",
                      view.checkpoint.size, result.earlier);
    }
    (void)fwrite(note.p, 1, note.n, stdout);
    return ask_finish(0, &e);
}

int
witness_run(int argc, char **argv)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    struct cosigner c;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc || !ask_only(ASK_KEY_FILE | ASK_STATE)) {
        return ask_usage("witness");
    }
    if (asked.key_file == NULL || asked.state == NULL) {
        return ask_misuse("witness needs --key-file FILE and --state FILE");
    }
    key = witness_key_load(asked.key_file, &c, &e);
    if (key == NULL) {
        return ask_misuse(e.text);
    }
    status = ask_ledger(&log);
    return status == EXIT_VERIFIED ? run(log, &c, key) : status;
}
