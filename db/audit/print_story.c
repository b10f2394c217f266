/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "db/audit/der/certificate.h"
#include "db/audit/print.h"
#include "db/audit/print_leaf.h"

/* Who signed the registration: the certificate that the ledger has under the serial that the
 * REGISTRATION leaf names. */
static int
print_registrar(FILE *out, const struct story *story, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(audit_summary_free) struct audit_summary summary = {0};

    if (story->names.registrar[0] == '\0') {
        return 0;
    }
    (void)fprintf(out, "  %-12s ", "registrar");
    if (story->registrar.leaf != NULL) {
        certificate = audit_certificate(story->registrar.leaf, e);
        if (certificate == NULL || audit_summarize(certificate, &summary, e) != 0) {
            return -1;
        }
        print_text(out, summary.subject);
        (void)fprintf(out, PRINT_BELOW "serial %s, issued as leaf %" PRIu64 "\n",
                      story->names.registrar, story->registrar.index);
        return 0;
    }
    (void)fprintf(out, "serial %s, whose certificate is not in this ledger\n",
                  story->names.registrar);
    return 0;
}

int
audit_print_story(FILE *out, const struct audit_log *log, const struct story *story, struct err *e)
{
    const struct story_leaf *issued = story_find(story, LEAF_ISSUED);

    if (issued != NULL && story->names.serial[0] != '\0' &&
        print_certificate(out, issued->leaf, audit_status_name(story->status), e) != 0) {
        return -1;
    }
    (void)fprintf(out, "Record\n");
    for (size_t i = 0; i < story->n; i++) {
        const struct story_leaf *leaf = &story->leaves[i];
        char time[TIME_TEXT_SIZE];

        time_format(leaf_time(leaf->leaf), time);
        (void)fprintf(out, "  %-12s %s  leaf %" PRIu64, print_fact_name(leaf_kind(leaf->leaf)),
                      time, leaf->index);
        print_facts(out, leaf->leaf, story->names.serial[0] == '\0');
        (void)fputc('\n', out);
        if (leaf_kind(leaf->leaf) == LEAF_REGISTRATION && print_registrar(out, story, e) != 0) {
            return -1;
        }
    }
    (void)fprintf(out, "Proof\n");
    for (size_t i = 0; i < story->n; i++) {
        (void)fprintf(
            out,
            "  leaf %" PRIu64 ": inclusion proof verified against checkpoint size %" PRIu64
            " (%zu hashes)\n",
            story->leaves[i].index, audit_checkpoint(log)->size, story->leaves[i].proof.n);
    }
    print_checkpoint(out, log);
    return 0;
}

/* ---- a proof ---- */

int
audit_print_proof(FILE *out, const struct proof *proof, struct err *e)
{
    char time[TIME_TEXT_SIZE];

    if (leaf_kind(proof->leaf) == LEAF_ISSUED &&
        print_certificate(out, proof->leaf, NULL, e) != 0) {
        return -1;
    }
    time_format(leaf_time(proof->leaf), time);
    (void)fprintf(out, "Record\n  %-12s %s  leaf %" PRIu64, print_fact_name(leaf_kind(proof->leaf)),
                  time, proof->index);
    print_facts(out, proof->leaf, true);
    (void)fprintf(out,
                  "\nProof\n  leaf %" PRIu64
                  ": inclusion proof verified against checkpoint size %" PRIu64 " of %s\n",
                  proof->index, proof->checkpoint.size, proof->checkpoint.origin);
    print_key(out, proof->key, true);
    return 0;
}
