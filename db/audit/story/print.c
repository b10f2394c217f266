/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/print.h"

#include <inttypes.h>
#include <string.h>

#include "db/audit/der/certificate.h"
#include "db/audit/story/message.h"

/* Who signed the registration: the certificate that the ledger has under the serial that the
 * REGISTRATION leaf names. */
static int
print_registrar(FILE *out, const struct story *story, const struct leaf *leaf, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(audit_summary_free) struct audit_summary summary = {0};
    const char *serial = leaf_text(leaf, "registrar");

    (void)fprintf(out, "  %-12s ", "registrar");
    if (strcmp(serial, story->names.registrar) != 0) {
        (void)fprintf(out, "serial %s\n", serial);
        return 0;
    }
    if (story->registrar.leaf == NULL) {
        (void)fprintf(out, "serial %s, whose certificate is not in this ledger\n", serial);
        return 0;
    }
    certificate = audit_certificate(story->registrar.leaf, e);
    if (certificate == NULL || audit_summarize(certificate, &summary, e) != 0) {
        return -1;
    }
    print_text(out, summary.subject);
    (void)fprintf(out, PRINT_BELOW "serial %s, issued as leaf %" PRIu64 "\n", serial,
                  story->registrar.index);
    return 0;
}

static void
print_message(FILE *out, struct mirror *mirror, const struct story_leaf *leaf)
{
    struct story_message message;

    if (story_message(mirror, leaf, &message)) {
        CLEANUP(mem_cleanup) char *text = story_message_text(&message);

        (void)fprintf(out, PRINT_BELOW "message %s" PRINT_BELOW, message.sha256);
        print_text(out, text);
    }
}

int
story_print(FILE *out, const struct basis *basis, struct mirror *mirror, const struct story *story,
            struct err *e)
{
    const struct story_leaf *issued = story_find(story, LEAF_ISSUED);

    if (issued != NULL && story->names.serial[0] != '\0' &&
        print_certificate(out, issued->leaf, story->status, e) != 0) {
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
        print_message(out, mirror, leaf);
        (void)fputc('\n', out);
        if (leaf_kind(leaf->leaf) == LEAF_REGISTRATION &&
            print_registrar(out, story, leaf->leaf, e) != 0) {
            return -1;
        }
    }
    (void)fprintf(out, "Proof\n");
    for (size_t i = 0; i < story->n; i++) {
        (void)fprintf(out,
                      "  leaf %" PRIu64
                      ": inclusion proof verified against checkpoint size %" PRIu64
                      " (%zu hashes)\n",
                      story->leaves[i].index, basis->checkpoint->size, story->leaves[i].proof.n);
    }
    print_basis(out, basis);
    return 0;
}
