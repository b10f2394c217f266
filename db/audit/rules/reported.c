/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/reported.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/tlog/ra_report.h"
#include "db/audit/rules/ra_signed.h"

_Static_assert((int)RA_REPORT_ID == (int)SHA256_SIZE, "one hash");

enum { REPORTED = 6 }; /* the version of the record from which on there are reports */

struct reporter {
    uint8_t key[RA_REPORT_ID];
    uint64_t number; /* of its last; */
    uint8_t last[SHA256_SIZE];
};

struct audit_reported {
    struct audit_holders *ras;
    struct reporter *reporters;
    size_t n;
    size_t capacity;
    char issuer[2 * SHA256_SIZE + 1]; /* of the last START */
    size_t twice, missing;
};

void
audit_reported_free(struct audit_reported *r)
{
    if (r != NULL) {
        audit_holders_free(r->ras);
        mem_free(r->reporters);
        mem_free(r);
    }
}

struct audit_reported *
audit_reported_new(void)
{
    struct audit_reported *r = mem_new(sizeof(*r));

    r->ras = audit_holders_new("ra-cmp");
    return r;
}

size_t
audit_reported_twice(const struct audit_reported *r)
{
    return r->twice;
}

size_t
audit_reported_missing(const struct audit_reported *r)
{
    return r->missing;
}

static struct reporter *
reporter_of(struct audit_reported *r, const uint8_t key[RA_REPORT_ID])
{
    for (size_t i = 0; i < r->n; i++) {
        if (memcmp(r->reporters[i].key, key, RA_REPORT_ID) == 0) {
            return &r->reporters[i];
        }
    }
    r->reporters = mem_grow(r->reporters, &r->capacity, r->n + 1, sizeof(r->reporters[0]));
    r->reporters[r->n] = (struct reporter){0};
    memcpy(r->reporters[r->n].key, key, RA_REPORT_ID);
    return &r->reporters[r->n++];
}

static int
check_name(const struct leaf *leaf, struct span text, uint8_t hash[SHA256_SIZE], struct err *e)
{
    char hex[2 * SHA256_SIZE + 1];

    if (sha256(text, hash, e) != 0) {
        return -1;
    }
    hex_format(span_of(hash, SHA256_SIZE), hex);
    return strcmp(hex, leaf_text(leaf, "report")) == 0
               ? 0
               : err_set(e, ERR_CRYPTO, "a RA-REPORT under the name of another text");
}

/* It goes on from the last one of its RA, or begins with a start. */
static bool
follows(const struct reporter *by, const struct ra_report *report, struct span lines)
{
    static const uint8_t NONE[RA_REPORT_ID];
    struct ra_report_line first;

    if (memcmp(report->previous, NONE, sizeof(NONE)) == 0) {
        return ra_report_next(&lines, &first) && first.what == RA_REPORT_START;
    }
    return by->number == 0 || memcmp(report->previous, by->last, sizeof(by->last)) == 0;
}

static int
report_check(struct audit_reported *r, const struct leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(LEAF_MAX);
    struct audit_ra_text t = {.what = "RA-REPORT"};
    uint8_t hash[SHA256_SIZE];
    struct ra_report report;
    struct reporter *by;
    struct span lines;

    if (base64_parse(leaf_text(leaf, "text"), &text, e) != 0) {
        return -1;
    }
    if (ra_report_parse(buf_span(&text), &report, &lines, e) != 0) {
        e->code = ERR_CRYPTO;
        return err_wrap(e, "a RA-REPORT that is none");
    }
    t.text = buf_span(&text);
    t.key = report.ra;
    t.ca = report.ca;
    if (check_name(leaf, t.text, hash, e) != 0 ||
        audit_ra_signed_check(r->ras, leaf, &t, r->issuer, e) != 0) {
        return -1;
    }
    by = reporter_of(r, report.ra);
    r->twice += report.number <= by->number ? 1 : 0;
    r->missing += follows(by, &report, lines) ? 0 : 1;
    by->number = report.number;
    memcpy(by->last, hash, sizeof(by->last));
    return 0;
}

int
audit_reported_check(struct audit_reported *r, int64_t version, const struct leaf *leaf,
                     struct err *e)
{
    if (audit_holders_note(r->ras, leaf, e) != 0) {
        return -1;
    }
    if (leaf_kind(leaf) == LEAF_START) {
        (void)snprintf(r->issuer, sizeof(r->issuer), "%s", leaf_text(leaf, "issuer"));
    }
    if (leaf_kind(leaf) != LEAF_RA_REPORT) {
        return 0;
    }
    return version >= REPORTED
               ? report_check(r, leaf, e)
               : err_set(e, ERR_CRYPTO, "a RA-REPORT in a record of version %" PRId64, version);
}

/* ---- state ---- */

static void
reporter_state(void *element, struct state *s)
{
    struct reporter *r = element;

    state_octets(s, "key", r->key, sizeof(r->key));
    state_number(s, "number", &r->number);
    state_octets(s, "last", r->last, sizeof(r->last));
}

void
audit_reported_state(struct audit_reported *r, struct state *s)
{
    audit_holders_state(r->ras, s);
    state_chars(s, "issuer", r->issuer, sizeof(r->issuer));
    state_size(s, "twice", &r->twice);
    state_size(s, "missing", &r->missing);
    r->reporters = state_list(s, "reporters", r->reporters, &r->n, &r->capacity,
                              sizeof(*r->reporters), reporter_state);
}
