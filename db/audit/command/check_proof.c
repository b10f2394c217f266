/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/der/certificate.h"
#include "db/audit/print.h"
#include "db/audit/proof.h"

struct asked_proof {
    struct log_key key;
    char *certificate; /* base64; NULL: of any */
};

static void
asked_proof_free(struct asked_proof *a)
{
    log_key_free(&a->key);
    mem_free(a->certificate);
}

/* What the options name. */
static int
load(struct asked_proof *a, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    CLEANUP(x509_cleanup) X509 *certificate = NULL;

    if (ask_key(&a->key, e) != 0) {
        return err_wrap(e, "--key");
    }
    if (asked.certificate == NULL) {
        return 0;
    }
    certificate = certificate_load(asked.certificate, e);
    if (certificate == NULL || OSSL_ENCODE(X509, certificate, &der, e) != 0) {
        return err_wrap(e, "--certificate");
    }
    a->certificate = base64_dup(buf_span(&der));
    return 0;
}

/* The holder's own certificate is what was issued. */
static int
certificate_check(const struct asked_proof *a, const struct leaf *leaf, struct err *e)
{
    return a->certificate == NULL || (leaf_kind(leaf) == LEAF_ISSUED &&
                                      strcmp(leaf_text(leaf, "certificate"), a->certificate) == 0)
               ? 0
               : err_set(e, ERR_CRYPTO, "it is not of %s", asked.certificate);
}

static int
check(const struct asked_proof *a, const char *path, struct proof *proof, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(PROOF_MAX);

    if (file_read(path, &text, e) != 0) {
        return -1;
    }
    return proof_open(&a->key, buf_span(&text), proof, e) != 0 ||
                   certificate_check(a, proof->leaf, e) != 0
               ? err_wrap(e, "%s", path)
               : 0;
}

int
check_proof_run(int argc, char **argv)
{
    CLEANUP(asked_proof_free) struct asked_proof a = {0};
    CLEANUP(proof_free) struct proof proof = {0};
    struct err e = {0};

    if (ask_parse(argc, argv) != 0 || optind != argc - 1 || !ask_only(ASK_CERTIFICATE | ASK_JSON)) {
        return ask_usage("check-proof");
    }
    if (asked.key == NULL) {
        return ask_misuse("check-proof needs --key: a proof is as good as the log key");
    }
    if (load(&a, &e) != 0) {
        return ask_misuse(e.text);
    }
    if (check(&a, argv[optind], &proof, &e) != 0) {
        return ask_failed(&e);
    }
    return ask_finish(asked.json ? audit_json_proof(stdout, &proof, &e)
                                 : audit_print_proof(stdout, &proof, &e),
                      &e);
}
