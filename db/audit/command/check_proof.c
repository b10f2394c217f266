/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/der/certificate.h"
#include "db/audit/print.h"
#include "db/audit/proof.h"

/* The holder's own certificate is what was issued. */
static int
certificate_check(const struct leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    CLEANUP(x509_cleanup) X509 *certificate = certificate_load(asked.certificate, e);
    CLEANUP(mem_cleanup) char *base64 = NULL;
    const char *issued = leaf_text(leaf, "certificate");

    if (certificate == NULL || OSSL_ENCODE(X509, certificate, &der, e) != 0) {
        return -1;
    }
    base64 = base64_dup(buf_span(&der));
    return leaf_kind(leaf) == LEAF_ISSUED && strcmp(issued, base64) == 0
               ? 0
               : err_set(e, ERR_CRYPTO, "the proof is not of %s", asked.certificate);
}

static int
check(const char *path, struct proof *proof, struct err *e)
{
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(buf_free) struct buf text = BUF_INIT(PROOF_MAX);

    return ask_key(&key, e) != 0 || file_read(path, &text, e) != 0 ||
                   proof_open(&key, buf_span(&text), proof, e) != 0 ||
                   (asked.certificate != NULL && certificate_check(proof->leaf, e) != 0)
               ? -1
               : 0;
}

int
check_proof_run(int argc, char **argv)
{
    CLEANUP(proof_free) struct proof proof = {0};
    struct err e = {0};

    if (ask_parse(argc, argv) != 0 || optind != argc - 1 || asked.state != NULL ||
        asked.nf != NULL || asked.n_issuers + asked.n_crls > 0) {
        return ask_usage("check-proof");
    }
    if (asked.key == NULL) {
        return ask_misuse("check-proof needs --key: a proof is as good as the log key");
    }
    if (check(argv[optind], &proof, &e) != 0) {
        return ask_failed(&e);
    }
    return ask_finish(asked.json ? audit_json_proof(stdout, &proof, &e)
                                 : audit_print_proof(stdout, &proof, &e),
                      &e);
}
