/* SPDX-License-Identifier: Apache-2.0 */
/* How the authority ran: its stops, what it left undone, and its CRLs. */
#include <inttypes.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/check/record.h"
#include "db/audit/lint/seen.h"

enum {
    OPEN_MAX_S = 3600,  /* an INTENT without an end: it is being signed, or forgotten */
    LATE_MAX_S = 86400, /* from REVOKED to the CRL that has it (BR 4.9) */
    CRLS_MAX = 16,
};

static const struct finding_kind NO_STOP = {"check.stop.missing", SEVERITY_WARNING, "BR 5.4.1(3)"};
static const struct finding_kind OPEN = {"check.intent.open", SEVERITY_WARNING, "db/LEDGER.md"};
static const struct finding_kind CRL_GAP = {"check.crl.gap", SEVERITY_WARNING,
                                            "BR 5.4.1(2), RFC 5280 5.1.2.5"};
static const struct finding_kind CRL_MISSING = {"check.crl.missing", SEVERITY_WARNING, "BR 4.9"};
static const struct finding_kind CRL_LATE = {"check.crl.late", SEVERITY_WARNING, "BR 4.9"};
static const struct finding_kind CRL_CONTENT = {"check.crl.content", SEVERITY_ERROR,
                                                "RFC 5280 5.1.2.6"};
static const struct finding_kind CRL_UNSAID = {"check.crl.unsaid", SEVERITY_NOTICE, "db/LEDGER.md"};
static const struct finding_kind SOFTWARE = {"check.token.software", SEVERITY_WARNING,
                                             "BR 5.4.1(3)"};
static const struct finding_kind LINE = {"check.journal.acknowledged", SEVERITY_WARNING,
                                         "db/LEDGER.md"};
static const struct finding_kind SET_BACK = {"check.clock.set_back", SEVERITY_NOTICE, "ISO A.8.17"};

struct waiting {
    uint64_t leaf;
    time_t at;
    char *serial;
};

struct brought {
    char *name;
    int64_t number;
    char digest[2 * SHA256_SIZE + 1]; /* of its entries, as CRL-INTENT has it */
};

struct open_intent {
    uint64_t leaf;
    time_t at;
};

struct record_service {
    struct findings *findings;
    bool started, stopped;
    bool said_software;
    time_t newest;
    struct seen *open; /* struct open_intent, by serial */
    /* revocations that no CRL has yet, oldest first */
    struct waiting *waiting;
    size_t n_waiting, waiting_capacity;
    time_t next_update; /* of the last CRL; 0: none yet */
    bool announced;     /* a CRL-INTENT says up to where the next CRL goes, */
    uint64_t up_to;
    char revocations[2 * SHA256_SIZE + 1]; /* and what it has */
    struct brought crls[CRLS_MAX];
    size_t n_crls;
};

struct record_service *
record_service_new(struct findings *findings)
{
    struct record_service *s = mem_new(sizeof(*s));

    s->findings = findings;
    s->open = seen_new(mem_free);
    return s;
}

void
record_service_free(struct record_service *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->n_waiting; i++) {
        mem_free(s->waiting[i].serial);
    }
    for (size_t i = 0; i < s->n_crls; i++) {
        mem_free(s->crls[i].name);
    }
    mem_free(s->waiting);
    seen_free(s->open);
    mem_free(s);
}

/* ---- CRLs that were brought ---- */

/* Shorter ones first, then octet by octet. */
static int
by_serial(const void *a, const void *b)
{
    const char *const *first = a;
    const char *const *second = b;
    const size_t n = strcspn(*first, " ");
    const size_t m = strcspn(*second, " ");

    return n != m ? (n < m ? -1 : 1) : strncmp(*first, *second, n);
}

/* "0a0b 2026-11-23T20:00:00Z 1\n"; NULL: it is none. */
static char *
line_of(const X509_REVOKED *entry)
{
    const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(entry);
    CLEANUP(mem_cleanup)
    char *hex = hex_dup(span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    const long number = reason == NULL ? 0 : ASN1_ENUMERATED_get(reason);
    char date[TIME_TEXT_SIZE];
    struct tm tm = {0};

    ASN1_ENUMERATED_free(reason);
    if (ASN1_TIME_to_tm(X509_REVOKED_get0_revocationDate(entry), &tm) != 1) {
        return NULL;
    }
    time_format(timegm(&tm), date);
    return mem_printf("%s %s %ld\n", hex, date, number);
}

static int
digest_lines(char **lines, int n, char out[2 * SHA256_SIZE + 1], struct err *e)
{
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t hash[SHA256_SIZE];
    bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    if (n > 0) {
        qsort(lines, (size_t)n, sizeof(*lines), by_serial);
    }
    for (int i = 0; good && i < n; i++) {
        good = EVP_DigestUpdate(context, lines[i], strlen(lines[i])) == 1;
    }
    if (!good || EVP_DigestFinal_ex(context, hash, NULL) != 1) {
        return ossl_err(e, ERR_CRYPTO, "SHA-256");
    }
    hex_format(span_of(hash, sizeof(hash)), out);
    return 0;
}

static int
digest_crl(X509_CRL *crl, const char *name, char out[2 * SHA256_SIZE + 1], struct err *e)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
    const int n = sk_X509_REVOKED_num(entries);
    char **lines = mem_zalloc(n < 1 ? 1 : (size_t)n, sizeof(*lines));
    int result = 0;

    for (int i = 0; i < n && result == 0; i++) {
        lines[i] = line_of(sk_X509_REVOKED_value(entries, i));
        if (lines[i] == NULL) {
            result = err_set(e, ERR_INPUT, "%s: a revocationDate that is none", name);
        }
    }
    if (result == 0) {
        result = digest_lines(lines, n, out, e);
    }
    for (int i = 0; i < n; i++) {
        mem_free(lines[i]);
    }
    mem_free(lines);
    return result;
}

int
record_service_crl(struct record_service *s, const char *name, struct span der, struct err *e)
{
    const unsigned char *p = der.p;
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *number = NULL;
    struct brought b = {0};

    if (s->n_crls == CRLS_MAX) {
        return err_set(e, ERR_INPUT, "at most %d CRLs", CRLS_MAX);
    }
    number = crl == NULL ? NULL : X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    if (number == NULL || ASN1_INTEGER_get_int64(&b.number, number) != 1) {
        return ossl_err(e, ERR_INPUT, "%s: not one CRL with a number in DER", name);
    }
    if (digest_crl(crl, name, b.digest, e) != 0) {
        return -1;
    }
    ERR_clear_error();
    b.name = mem_strdup(name);
    s->crls[s->n_crls++] = b;
    return 0;
}

/* ---- leaves ---- */

static void
start_note(struct record_service *s, uint64_t index, const struct leaf *leaf)
{
    const struct span body = leaf_body(leaf);
    static const char software[] = "\"softwareToken\":true";

    if (s->started && !s->stopped) {
        findings_add(s->findings, &NO_STOP, index, NULL,
                     "a START without a STOP before: it was killed, or the power failed");
    }
    if (!s->said_software && memmem(body.p, body.n, software, sizeof(software) - 1) != NULL) {
        s->said_software = true;
        findings_add(s->findings, &SOFTWARE, index, NULL,
                     "a key of the authority is in a software token, from here on");
    }
    if (leaf_text(leaf, "clockSetBack") != NULL) {
        findings_add(s->findings, &SET_BACK, index, NULL, "people let it go on behind a leaf of %s",
                     leaf_text(leaf, "clockSetBack"));
    }
    s->started = true;
    s->stopped = false;
}

/* A restore, too, says why there was none. */
static void
stop_note(struct record_service *s, uint64_t index, const struct leaf *leaf)
{
    (void)index;
    (void)leaf;
    s->stopped = true;
}

static void
intent_note(struct record_service *s, uint64_t index, const struct leaf *leaf)
{
    struct open_intent *open = mem_new(sizeof(*open));

    *open = (struct open_intent){.leaf = index, .at = leaf_time(leaf)};
    mem_free(seen_take(s->open, leaf_text(leaf, "serial")));
    seen_add(s->open, leaf_text(leaf, "serial"), open);
}

static void
end_note(struct record_service *s, uint64_t index, const struct leaf *leaf)
{
    (void)index;
    mem_free(seen_take(s->open, leaf_text(leaf, "serial")));
}

static void
revoked_note(struct record_service *s, uint64_t index, const struct leaf *leaf)
{
    s->waiting = mem_grow(s->waiting, &s->waiting_capacity, s->n_waiting + 1, sizeof(*s->waiting));
    s->waiting[s->n_waiting++] =
        (struct waiting){index, leaf_time(leaf), mem_strdup(leaf_text(leaf, "serial"))};
}

static void
crl_intent_note(struct record_service *s, uint64_t index, const struct leaf *leaf)
{
    (void)index;
    s->announced = true;
    s->up_to = (uint64_t)leaf_int(leaf, "upTo", 0);
    (void)snprintf(s->revocations, sizeof(s->revocations), "%s", leaf_text(leaf, "revocations"));
}

/* This CRL has what was revoked before `up_to`. */
static void
waiting_end(struct record_service *s, uint64_t index, uint64_t up_to, time_t at)
{
    size_t n = 0;

    while (n < s->n_waiting && s->waiting[n].leaf < up_to) {
        if (at - s->waiting[n].at > LATE_MAX_S) {
            findings_add(s->findings, &CRL_LATE, index, s->waiting[n].serial,
                         "no CRL had it for %lld s", (long long)(at - s->waiting[n].at));
        }
        mem_free(s->waiting[n].serial);
        n++;
    }
    if (n > 0) {
        memmove(s->waiting, s->waiting + n, (s->n_waiting - n) * sizeof(*s->waiting));
        s->n_waiting -= n;
    }
}

static void
brought_compare(struct record_service *s, uint64_t index, const struct leaf *leaf)
{
    for (size_t i = 0; i < s->n_crls; i++) {
        const struct brought *b = &s->crls[i];

        if (b->number != leaf_int(leaf, "number", -1)) {
            continue;
        }
        if (!s->announced) {
            findings_add(s->findings, &CRL_UNSAID, index, NULL,
                         "the record does not say what CRL number %" PRId64 " has", b->number);
        } else if (strcmp(b->digest, s->revocations) != 0) {
            findings_add(s->findings, &CRL_CONTENT, index, NULL,
                         "%.200s has other entries than the record says", b->name);
        }
    }
}

static void
crl_note(struct record_service *s, uint64_t index, const struct leaf *leaf)
{
    struct err e;

    if (s->next_update != 0 && leaf_time(leaf) > s->next_update) {
        findings_add(s->findings, &CRL_GAP, index, NULL,
                     "CRL number %" PRId64 " came %lld s after the nextUpdate of the one before",
                     leaf_int(leaf, "number", 0), (long long)(leaf_time(leaf) - s->next_update));
    }
    if (time_parse(leaf_text(leaf, "nextUpdate"), &s->next_update, &e) != 0) {
        s->next_update = 0;
    }
    waiting_end(s, index, s->announced ? s->up_to : index, leaf_time(leaf));
    brought_compare(s, index, leaf);
    s->announced = false;
}

static void
acknowledged_note(struct record_service *s, uint64_t index, const struct leaf *leaf)
{
    findings_add(s->findings, &LINE, index, leaf_text(leaf, "serial"),
                 "a key of the authority may have signed what the record does not have: ask what "
                 "was found out");
}

typedef void note_leaf(struct record_service *, uint64_t index, const struct leaf *);

static note_leaf *const NOTES[LEAF_KINDS] = {
    [LEAF_START] = start_note,
    [LEAF_STOP] = stop_note,
    [LEAF_INTENT] = intent_note,
    [LEAF_ISSUED] = end_note,
    [LEAF_REJECTED] = end_note,
    [LEAF_REVOKED] = revoked_note,
    [LEAF_CRL_INTENT] = crl_intent_note,
    [LEAF_CRL] = crl_note,
    [LEAF_ACKNOWLEDGED] = acknowledged_note,
    [LEAF_RESTORED] = stop_note,
};

void
record_service_leaf(struct record_service *s, uint64_t index, const struct leaf *leaf)
{
    note_leaf *note = NOTES[leaf_kind(leaf)];

    if (note != NULL) {
        note(s, index, leaf);
    }
    s->newest = leaf_time(leaf) > s->newest ? leaf_time(leaf) : s->newest;
}

static void
open_judge(void *arg, const char *serial, void *value)
{
    struct record_service *s = arg;
    const struct open_intent *open = value;

    if (s->newest - open->at > OPEN_MAX_S) {
        findings_add(s->findings, &OPEN, open->leaf, serial,
                     "it was intended, and neither issued nor given up since");
    }
}

/* What is so is so, whenever its leaf came. */
void
record_service_end(struct record_service *s)
{
    const uint64_t from = findings_from(s->findings, 0);

    for (size_t i = 0; i < s->n_waiting; i++) {
        const struct waiting *w = &s->waiting[i];

        if (s->newest - w->at > LATE_MAX_S) {
            findings_add(s->findings, &CRL_MISSING, w->leaf, w->serial,
                         "no CRL has it, %lld s later", (long long)(s->newest - w->at));
        }
    }
    seen_each(s->open, open_judge, s);
    (void)findings_from(s->findings, from);
}
