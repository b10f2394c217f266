/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/der/outline.h"
#include "db/audit/rules/approval.h"
#include "db/audit/rules/attested.h"
#include "db/audit/rules/crl.h"
#include "db/audit/rules/operator.h"
#include "db/audit/rules/registrar.h"
#include "db/audit/rules/renewal.h"
#include "db/audit/rules/reported.h"
#include "db/audit/rules/restored.h"
#include "db/audit/rules/retry.h"

/* Between the judgement of a request and the leaf: nothing, unless somebody sets the clock. */
enum { JUDGING_MAX_S = 3600 };
/* The version of the record from which on an INTENT has its certificate's times. */
enum { TIMES_KEPT = 2 };

struct intent {
    char *serial;
    char *rid;
    char *tbs;
    char *not_before, *not_after;
};

struct audit_rules {
    struct intent *open; /* oldest first: the next answer is nearly always at the front */
    size_t n;
    size_t capacity;
    struct audit_approvals *approvals;
    struct audit_renewals *renewals;
    struct audit_retries *retries;
    struct audit_record *record;
    struct audit_registrars *registrars;
    struct audit_crls *crls;
    struct audit_attested *attested;
    struct audit_restored *restored;
    struct audit_reported *reported;
    struct audit_operators *operators;
    struct audit_issuers *issuers; /* NULL: nobody's signatures */
};

static void
intent_free(struct intent *intent)
{
    mem_free(intent->serial);
    mem_free(intent->rid);
    mem_free(intent->tbs);
    mem_free(intent->not_before);
    mem_free(intent->not_after);
}

void
audit_rules_free(struct audit_rules *rules)
{
    if (rules != NULL) {
        for (size_t i = 0; i < rules->n; i++) {
            intent_free(&rules->open[i]);
        }
        audit_approvals_free(rules->approvals);
        audit_renewals_free(rules->renewals);
        audit_retries_free(rules->retries);
        audit_record_free(rules->record);
        audit_registrars_free(rules->registrars);
        audit_crls_free(rules->crls);
        audit_attested_free(rules->attested);
        audit_restored_free(rules->restored);
        audit_reported_free(rules->reported);
        audit_operators_free(rules->operators);
        mem_free(rules->open);
        mem_free(rules);
    }
}

struct audit_rules *
audit_rules_new(void)
{
    struct audit_rules *rules = mem_new(sizeof(*rules));

    rules->approvals = audit_approvals_new();
    rules->renewals = audit_renewals_new();
    rules->retries = audit_retries_new();
    rules->record = audit_record_new();
    rules->registrars = audit_registrars_new();
    rules->crls = audit_crls_new();
    rules->attested = audit_attested_new();
    rules->restored = audit_restored_new();
    rules->reported = audit_reported_new();
    rules->operators = audit_operators_new();
    return rules;
}

void
audit_rules_use(struct audit_rules *rules, struct audit_issuers *issuers)
{
    rules->issuers = issuers;
}

size_t
audit_rules_open(const struct audit_rules *rules)
{
    return rules->n;
}

size_t
audit_rules_waiting(const struct audit_rules *rules)
{
    return audit_approvals_waiting(rules->approvals);
}

const struct audit_times *
audit_rules_times(const struct audit_rules *rules)
{
    return audit_record_times(rules->record);
}

size_t
audit_rules_acknowledged(const struct audit_rules *rules)
{
    return audit_record_acknowledged(rules->record);
}

size_t
audit_rules_twice(const struct audit_rules *rules)
{
    return audit_attested_twice(rules->attested) + audit_reported_twice(rules->reported);
}

size_t
audit_rules_missing(const struct audit_rules *rules)
{
    return audit_reported_missing(rules->reported);
}

static struct intent *
intent_find(const struct audit_rules *rules, const char *serial)
{
    for (size_t i = 0; i < rules->n; i++) {
        if (strcmp(rules->open[i].serial, serial) == 0) {
            return &rules->open[i];
        }
    }
    return NULL;
}

static void
intent_close(struct audit_rules *rules, struct intent *intent)
{
    intent_free(intent);
    mem_remove(rules->open, &rules->n, intent, sizeof(*intent));
}

/* No certificate begins long before it was asked for, nor after: nobody could say then that it
 * existed, or did not, at some time. */
static int
begin_check(const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "serial");
    time_t from;

    if (time_parse(leaf_text(leaf, "notBefore"), &from, e) != 0) {
        return -1;
    }
    if (from > leaf_time(leaf) || leaf_time(leaf) - from > LEAF_BACKDATE_MAX + JUDGING_MAX_S) {
        return err_set(e, ERR_CRYPTO,
                       "the INTENT for serial %s begins at %s, which is not when "
                       "it was recorded",
                       serial, leaf_text(leaf, "notBefore"));
    }
    return 0;
}

static int
intent_check(struct audit_rules *rules, const struct leaf *leaf, bool adopted, struct err *e)
{
    const char *serial = leaf_text(leaf, "serial");

    if (!adopted && begin_check(leaf, e) != 0) {
        return -1;
    }
    if (intent_find(rules, serial) != NULL) {
        return err_set(e, ERR_CRYPTO, "a second INTENT for serial %s", serial);
    }
    rules->open = mem_grow(rules->open, &rules->capacity, rules->n + 1, sizeof(rules->open[0]));
    rules->open[rules->n++] = (struct intent){
        .serial = mem_strdup(serial),
        .rid = mem_strdup(leaf_text(leaf, "rid")),
        .tbs = mem_strdup(leaf_text(leaf, "tbs")),
        .not_before = mem_strdup(leaf_text(leaf, "notBefore")),
        .not_after = mem_strdup(leaf_text(leaf, "notAfter")),
    };
    return 0;
}

static void
rejected_note(struct audit_rules *rules, const struct leaf *leaf)
{
    struct intent *intent = intent_find(rules, leaf_text(leaf, "serial"));

    if (intent != NULL) {
        intent_close(rules, intent); /* given up before a signature was stored */
    }
}

/* By its end a revocation stays on CRLs (crl.h). */
static int
validity_check(const struct intent *intent, const struct audit_outline *certificate, struct err *e)
{
    return strcmp(certificate->not_before, intent->not_before) == 0 &&
                   strcmp(certificate->not_after, intent->not_after) == 0
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "serial %s was issued with another validity than its INTENT says",
                         intent->serial);
}

static int
content_check(const struct intent *intent, const struct leaf *leaf,
              const struct audit_outline *certificate, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    char tbs[2 * SHA256_SIZE + 1];

    if (sha256(certificate->tbs, hash, e) != 0) {
        return -1;
    }
    hex_format(span_of(hash, sizeof(hash)), tbs);
    return strcmp(intent->rid, leaf_text(leaf, "rid")) == 0 && strcmp(intent->tbs, tbs) == 0
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "serial %s was issued with another content than its INTENT says",
                         intent->serial);
}

/* The signature was made over what the INTENT recorded before it. */
static int
issued_check(struct audit_rules *rules, const struct leaf *leaf, struct err *e)
{
    const char *serial = leaf_text(leaf, "serial");
    struct intent *intent = intent_find(rules, serial);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    CLEANUP(mem_cleanup) char *own = NULL;
    struct audit_outline certificate;

    if (audit_outline_octets(leaf, &der, e) != 0 ||
        audit_outline_read(buf_span(&der), &certificate, e) != 0) {
        return -1;
    }
    own = hex_dup(certificate.serial);
    if (strcmp(own, serial) != 0) {
        return err_set(e, ERR_CRYPTO, "the certificate has serial %s, its ISSUED leaf %s", own,
                       serial);
    }
    if (intent == NULL) {
        return err_set(e, ERR_CRYPTO, "serial %s was issued without an INTENT before", serial);
    }
    if (content_check(intent, leaf, &certificate, e) != 0 ||
        (audit_record_version(rules->record) >= TIMES_KEPT &&
         validity_check(intent, &certificate, e) != 0)) {
        return -1;
    }
    intent_close(rules, intent);
    return 0;
}

int
audit_rules_check(struct audit_rules *rules, const struct leaf *leaf, struct err *e)
{
    const bool adopted =
        leaf_kind(leaf) == LEAF_INTENT && audit_restored_adopts(rules->restored, leaf);

    if (audit_record_check(rules->record, leaf, e) != 0 ||
        audit_approvals_check(rules->approvals, leaf, e) != 0 ||
        audit_renewals_check(rules->renewals, leaf, e) != 0 ||
        audit_retries_check(rules->retries, leaf, e) != 0 ||
        audit_registrars_check(rules->registrars, audit_record_version(rules->record), leaf, e) !=
            0 ||
        audit_crls_check(rules->crls, audit_record_version(rules->record), leaf, e) != 0 ||
        audit_attested_check(rules->attested, audit_record_version(rules->record), leaf, e) != 0 ||
        audit_reported_check(rules->reported, audit_record_version(rules->record), leaf, e) != 0 ||
        audit_operators_check(rules->operators, audit_record_version(rules->record), leaf, adopted,
                              e) != 0 ||
        audit_restored_check(rules->restored, leaf, e) != 0 ||
        (rules->issuers != NULL && audit_issuers_check(rules->issuers, leaf, e) != 0)) {
        return -1;
    }
    switch (leaf_kind(leaf)) {
    case LEAF_INTENT:
        return intent_check(rules, leaf, adopted, e);
    case LEAF_ISSUED:
        return issued_check(rules, leaf, e);
    case LEAF_REJECTED:
        rejected_note(rules, leaf);
        return 0;
    /* Every kind is named here: a new one is thought of here, and in the tables of all of these. */
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_REGISTRATION:
    case LEAF_CANCEL:
    case LEAF_REQUEST:
    case LEAF_REFUSAL:
    case LEAF_CRL:
    case LEAF_CRL_INTENT:
    case LEAF_QUEUE_HEAD:
    case LEAF_SEALED:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_RESTORED:
    case LEAF_ADOPTED:
    case LEAF_ACKNOWLEDGED:
    case LEAF_RA_REPORT:
    case LEAF_OPERATION:
    case LEAF_CLOCK:
    case LEAF_APPROVAL:
    case LEAF_CONFIRMED:
    case LEAF_REVOKED:
    case LEAF_AGAIN:
    case LEAF_KINDS:
        break;
    }
    return 0;
}

/* ---- another run goes on from here ---- */

static void
intent_state(void *element, struct state *s)
{
    struct intent *intent = element;

    state_text(s, "serial", &intent->serial);
    state_text(s, "rid", &intent->rid);
    state_text(s, "tbs", &intent->tbs);
    state_text(s, "notBefore", &intent->not_before);
    state_text(s, "notAfter", &intent->not_after);
}

static void
rules_state(struct audit_rules *rules, struct state *s)
{
    int64_t record = LEAF_RECORD_VERSION;
    struct state approvals = state_object(s, "approvals");
    struct state renewals = state_object(s, "renewals");
    struct state retries = state_object(s, "retries");
    struct state of_record = state_object(s, "record");
    struct state registrars = state_object(s, "registrars");
    struct state crls = state_object(s, "crls");
    struct state attested = state_object(s, "attested");
    struct state restored = state_object(s, "restored");
    struct state reported = state_object(s, "reported");
    struct state operators = state_object(s, "operators");

    state_int(s, "version", &record);
    if (record != LEAF_RECORD_VERSION) {
        state_spoil(s); /* a program with other rules */
    }
    rules->open = state_list(s, "open", rules->open, &rules->n, &rules->capacity,
                             sizeof(*rules->open), intent_state);
    audit_approvals_state(rules->approvals, &approvals);
    audit_renewals_state(rules->renewals, &renewals);
    audit_retries_state(rules->retries, &retries);
    audit_record_state(rules->record, &of_record);
    audit_registrars_state(rules->registrars, &registrars);
    audit_crls_state(rules->crls, &crls);
    audit_attested_state(rules->attested, &attested);
    audit_restored_state(rules->restored, &restored);
    audit_reported_state(rules->reported, &reported);
    audit_operators_state(rules->operators, &operators);
}

void
audit_rules_past(struct audit_rules *rules, const struct audit_past *past)
{
    audit_crls_use(rules->crls, past);
}

char *
audit_rules_save(struct audit_rules *rules)
{
    bool bad = false;
    struct state s = {.at = json_object(), .saves = true, .bad = &bad};
    char *dumped;
    char *saved;

    rules_state(rules, &s);
    dumped = json_dumps(s.at, JSON_COMPACT);
    saved = bad || dumped == NULL ? mem_strdup("") : mem_strdup(dumped);
    free(dumped);
    json_decref(s.at);
    return saved;
}

struct audit_rules *
audit_rules_load(struct span saved, const struct audit_past *past, struct err *e)
{
    CLEANUP(audit_rules_cleanup) struct audit_rules *rules = audit_rules_new();
    bool bad = false;
    struct state s = {.at =
                          json_loadb((const char *)saved.p, saved.n, JSON_REJECT_DUPLICATES, NULL),
                      .bad = &bad};

    audit_rules_past(rules, past);
    rules_state(rules, &s);
    json_decref(s.at);
    if (bad) {
        (void)err_set(e, ERR_STALE, "the state of the rules is not one of this program's");
        return NULL;
    }
    return audit_crls_load(rules->crls, e) == 0 ? TAKE(rules) : NULL;
}
