/* SPDX-License-Identifier: Apache-2.0 */
/* What RAs say of themselves: each start has its stop. */
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "base/tlog/ra_report.h"
#include "db/audit/check/record.h"
#include "db/audit/lint/seen.h"

static const struct finding_kind NO_STOP = {"check.ra.stop.missing", SEVERITY_WARNING,
                                            "BR 5.4.1(3)"};
static const struct finding_kind NO_START = {"check.ra.start.missing", SEVERITY_WARNING,
                                             "BR 5.4.1(3)"};

/* An RA, by its key. */
struct reporter {
    bool runs;
};

struct record_reports {
    struct findings *findings;
    struct seen *reporters; /* struct reporter, by the hash of the key */
};

struct record_reports *
record_reports_new(struct findings *findings)
{
    struct record_reports *r = mem_new(sizeof(*r));

    r->findings = findings;
    r->reporters = seen_new(mem_free);
    return r;
}

void
record_reports_free(struct record_reports *r)
{
    if (r != NULL) {
        seen_free(r->reporters);
        mem_free(r);
    }
}

static void
line_note(struct record_reports *r, uint64_t index, const char *ra, const struct ra_report_line *l)
{
    struct reporter *by = seen_find(r->reporters, ra);
    const bool starts = l->what == RA_REPORT_START;
    char at[TIME_TEXT_SIZE];

    if (!starts && l->what != RA_REPORT_STOP) {
        return;
    }
    time_format(l->at, at);
    if (by == NULL) { /* how it was before this record nobody says */
        by = mem_new(sizeof(*by));
        seen_add(r->reporters, ra, by);
    } else if (starts && by->runs) {
        findings_add(r->findings, &NO_STOP, index, NULL,
                     "the RA with key %s began at %s without a stop before: it was killed, or the "
                     "power failed",
                     ra, at);
    } else if (!starts && !by->runs) {
        findings_add(r->findings, &NO_START, index, NULL,
                     "the RA with key %s stopped at %s without a start before", ra, at);
    }
    by->runs = starts;
}

/* That it is one, and whose, is a rule's (rules/reported.h). */
void
record_reports_leaf(struct record_reports *r, uint64_t index, const struct leaf *leaf)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(LEAF_MAX);
    char ra[2 * RA_REPORT_ID + 1];
    struct ra_report report;
    struct ra_report_line line;
    struct span lines;
    struct err e;

    if (leaf_kind(leaf) != LEAF_RA_REPORT ||
        base64_parse(leaf_text(leaf, "text"), &text, &e) != 0 ||
        ra_report_parse(buf_span(&text), &report, &lines, &e) != 0) {
        return;
    }
    hex_format(span_of(report.ra, sizeof(report.ra)), ra);
    while (ra_report_next(&lines, &line)) {
        line_note(r, index, ra, &line);
    }
}
