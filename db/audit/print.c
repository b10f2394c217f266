/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/print.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/print_leaf.h"

/* ---- verify ---- */

/* Nobody takes for verified what was not. */
static void
print_signatures(FILE *out, const struct audit_signatures *s)
{
    if (s->verified > 0) {
        (void)fprintf(out, "  %-12s %zu certificates and %zu CRLs, verified with the issuing key\n",
                      "signatures", s->verified, s->crls);
    }
    if (s->unverified > 0) {
        (void)fprintf(out,
                      "  %-12s %zu certificates are NOT VERIFIED with the issuing key: give its "
                      "certificate with --issuer\n",
                      "signatures", s->unverified);
    }
}

/* Nothing is said of times that are in order. */
static void
print_times(FILE *out, const struct audit_times *t)
{
    if (t->back > 0) {
        (void)fprintf(out, "  %-12s %zu, by %lld s at most\n", "times back", t->back,
                      (long long)t->most);
    }
    if (t->taken > 0) {
        (void)fprintf(out, "  %-12s %zu\n", "set back", t->taken);
    }
    if (t->findings > 0) {
        (void)fprintf(out, "  %-12s %zu\n", "findings", t->findings);
    }
}

/* Who saw what, when; and for how much of it that is enough. */
static void
print_witnesses(FILE *out, const struct witnessed *w, uint64_t size)
{
    (void)fprintf(out, "  %-12s quorum \"", "witnesses");
    print_text(out, tlog_policy_quorum(w->policy));
    (void)fprintf(out, "\" over the first %" PRIu64 " of %" PRIu64 " leaves", w->size, size);
    for (size_t i = 0; i < tlog_policy_witnesses(w->policy); i++) {
        const struct tlog_witness *witness = tlog_policy_witness(w->policy, i);
        const struct witnessed_by *by = &w->by[i];
        char id[2 * NOTE_KEY_ID + 1];
        char time[TIME_TEXT_SIZE] = "undated";

        hex_format(span_of(witness->key.id, NOTE_KEY_ID), id);
        (void)fputs(PRINT_BELOW, out);
        print_text(out, witness->name);
        (void)fputs(", ", out);
        print_text(out, witness->key.name);
        (void)fprintf(out, ", key %s: ", id);
        if (by->time > 0) {
            time_format((time_t)by->time, time);
        }
        if (by->found) {
            (void)fprintf(out, "%" PRIu64 " leaves, %s", by->size, time);
        } else {
            (void)fputs("has not cosigned it", out);
        }
        if (by->beyond > 0) {
            (void)fprintf(out, "; and %" PRIu64 " leaves, more than are here", by->beyond);
        }
    }
    (void)fputc('\n', out);
}

void
audit_print_findings(FILE *out, const struct audit_figures *figures)
{
    const struct audit_times *t = &figures->times;

    for (size_t i = 0; i < t->findings && i < AUDIT_TIMES_KEPT; i++) {
        const struct audit_time_back *b = &t->found[i];
        char at[TIME_TEXT_SIZE];

        time_format(b->at, at);
        (void)fprintf(out,
                      "nfpki-audit: finding: leaf %" PRIu64 " is dated %s, %lld s before the leaf "
                      "before it: the clock was set back while the authority ran, or it is not of "
                      "its date\n",
                      b->leaf, at, (long long)(b->before - b->at));
    }
    if (t->findings > AUDIT_TIMES_KEPT) {
        (void)fprintf(out, "nfpki-audit: finding: there are more\n");
    }
}

void
audit_print_verdict(FILE *out, const struct audit_log *log, const struct audit_verdict *verdict)
{
    const struct audit_figures *figures = verdict->figures;
    char newest[TIME_TEXT_SIZE] = "-";

    (void)fprintf(out, "verified: checkpoint, tiles and every leaf\n");
    print_checkpoint(out, log);
    if (figures->newest != 0) {
        time_format(figures->newest, newest);
    }
    print_line(out, "last leaf", newest);
    (void)fprintf(out, "  %-12s", "leaves");
    for (int kind = 0; kind < LEAF_KINDS; kind++) {
        if (figures->kinds[kind] != 0) {
            (void)fprintf(out, " %s %" PRIu64, leaf_kind_name((enum leaf_kind)kind),
                          figures->kinds[kind]);
        }
    }
    (void)fprintf(out, "\n  %-12s %zu\n", "open intents", figures->open);
    (void)fprintf(out, "  %-12s %zu\n", "unapproved", figures->waiting);
    if (figures->twice > 0) {
        (void)fprintf(out, "  %-12s %zu\n", "queue twice", figures->twice);
    }
    if (figures->missing > 0) {
        (void)fprintf(out, "  %-12s %zu: an RA names one before that is not in the record\n",
                      "RA reports", figures->missing);
    }
    if (figures->acknowledged > 0) {
        (void)fprintf(out, "  %-12s %zu: a key of the CA may have signed what the record has not\n",
                      "acknowledged", figures->acknowledged);
    }
    print_messages(out, &verdict->messages);
    print_times(out, &figures->times);
    print_signatures(out, &figures->signatures);
    if (verdict->state != NULL && verdict->known) {
        (void)fprintf(out, "  %-12s consistent with the remembered size %" PRIu64 "\n", "state",
                      verdict->earlier);
    } else if (verdict->state != NULL) {
        (void)fprintf(out, "  %-12s remembered for the first time\n", "state");
    }
    if (verdict->witnessed != NULL) {
        print_witnesses(out, verdict->witnessed, audit_checkpoint(log)->size);
    }
    if (verdict->certificate) {
        (void)fprintf(out,
                      "  %-12s leaf %" PRIu64 ", %s, inclusion proof verified against checkpoint "
                      "size %" PRIu64 "\n",
                      "certificate", verdict->leaf, audit_status_name(verdict->status),
                      audit_checkpoint(log)->size);
    }
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
