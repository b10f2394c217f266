/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/lint/judge.h"

#include <openssl/err.h>
#include <string.h>

#include "db/audit/der/certificate.h"
#include "db/audit/lint/seen.h"
#include "db/audit/rules/evidence.h"

enum { ISSUERS_MAX = 16 };

struct issuer {
    X509 *certificate;
    char hash[2 * SHA256_SIZE + 1];
};

struct lint_judge {
    const struct lint_table *table;
    struct findings *findings;
    uint64_t from;
    struct issuer issuers[ISSUERS_MAX];
    size_t n_issuers;
    X509 *issuer;           /* as the last START says; NULL: not given */
    struct seen *intents;   /* struct leaf, by serial */
    struct seen *documents; /* JSON text of what was signed, by registration */
    struct seen *serials;
    struct seen *keys; /* whose, by SHA-256 */
    struct lint_verdict *verdicts;
    size_t n, capacity;
    struct lint_lack *lacks;
    size_t n_lacks, lacks_capacity;
};

static void
release_leaf(void *leaf)
{
    leaf_free(leaf);
}

struct lint_judge *
lint_judge_new(const struct lint_table *table, struct findings *findings)
{
    struct lint_judge *j = mem_new(sizeof(*j));

    j->table = table;
    j->findings = findings;
    j->intents = seen_new(release_leaf);
    j->documents = seen_new(mem_free);
    j->serials = seen_new(NULL);
    j->keys = seen_new(mem_free);
    return j;
}

void
lint_judge_free(struct lint_judge *j)
{
    if (j == NULL) {
        return;
    }
    for (size_t i = 0; i < j->n_issuers; i++) {
        X509_free(j->issuers[i].certificate);
    }
    for (size_t i = 0; i < j->n; i++) {
        mem_free(j->verdicts[i].serial);
        mem_free(j->verdicts[i].profile);
    }
    for (size_t i = 0; i < j->n_lacks; i++) {
        mem_free(j->lacks[i].text);
    }
    mem_free(j->verdicts);
    mem_free(j->lacks);
    seen_free(j->intents);
    seen_free(j->documents);
    seen_free(j->serials);
    seen_free(j->keys);
    mem_free(j);
}

int
lint_judge_issuer(struct lint_judge *j, X509 *certificate, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    uint8_t hash[SHA256_SIZE];

    if (j->n_issuers == ISSUERS_MAX) {
        return err_set(e, ERR_INPUT, "at most %d issuing certificates", ISSUERS_MAX);
    }
    if (OSSL_ENCODE(X509, certificate, &der, e) != 0 || sha256(buf_span(&der), hash, e) != 0) {
        return -1;
    }
    if (X509_up_ref(certificate) != 1) {
        return ossl_err(e, ERR_CRYPTO, "certificate");
    }
    hex_format(span_of(hash, sizeof(hash)), j->issuers[j->n_issuers].hash);
    j->issuers[j->n_issuers++].certificate = certificate;
    return 0;
}

void
lint_judge_from(struct lint_judge *j, uint64_t leaf)
{
    j->from = leaf;
}

size_t
lint_judge_count(const struct lint_judge *j)
{
    return j->n;
}

const struct lint_verdict *
lint_judge_at(const struct lint_judge *j, size_t i)
{
    return &j->verdicts[i];
}

const struct lint_lack *
lint_judge_lack(const struct lint_judge *j, size_t i)
{
    return i < j->n_lacks ? &j->lacks[i] : NULL;
}

/* ---- one certificate ---- */

static void
lack_note(struct lint_judge *j, const char *text)
{
    for (size_t i = 0; i < j->n_lacks; i++) {
        if (strcmp(j->lacks[i].text, text) == 0) {
            j->lacks[i].n++;
            return;
        }
    }
    j->lacks = mem_grow(j->lacks, &j->lacks_capacity, j->n_lacks + 1, sizeof(*j->lacks));
    j->lacks[j->n_lacks++] = (struct lint_lack){.text = mem_strdup(text), .n = 1};
}

static void
ask_all(struct lint_judge *j, const struct lint_case *c, struct lint_verdict *v)
{
    for (size_t i = 0; lint_at(i) != NULL; i++) {
        const uint64_t bit = UINT64_C(1) << i;
        struct err why = {0};

        switch (lint_ask(lint_at(i), c, &why)) {
        case LINT_PASSED:
            v->passed |= bit;
            break;
        case LINT_FAILED:
            v->failed |= bit;
            findings_add(j->findings, &lint_at(i)->kind, v->leaf, v->serial, "%s", why.text);
            break;
        case LINT_NOT_RUN:
            v->not_run |= bit;
            lack_note(j, why.text);
            break;
        case LINT_APART:
            break;
        }
    }
}

/* Whose key it is: the NF instance, or the subject of who works for the authority. */
static char *
owner_of(const struct lint_case *c)
{
    const char *nf = leaf_text(c->intent, "nfInstanceId");
    struct audit_summary summary = {0};
    struct err ignored;
    char *owner;

    if (nf != NULL) {
        return mem_printf("NF instance %s", nf);
    }
    if (c->certificate == NULL || audit_summarize(c->certificate, &summary, &ignored) != 0) {
        audit_summary_free(&summary);
        return mem_strdup("?");
    }
    owner = mem_strdup(summary.subject);
    audit_summary_free(&summary);
    return owner;
}

/* The first owner of a key stays its owner. */
static void
key_note(struct lint_judge *j, struct lint_case *c)
{
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    CLEANUP(mem_cleanup) char *own = owner_of(c);
    const char *first;
    struct err ignored;

    if (sha256(c->outline.spki, hash, &ignored) != 0) {
        return;
    }
    hex_format(span_of(hash, sizeof(hash)), hex);
    first = seen_find(j->keys, hex);
    if (first == NULL) {
        seen_add(j->keys, hex, TAKE(own));
    } else if (strcmp(first, own) != 0) {
        c->key_owner = first;
    }
}

static void
serial_note(struct lint_judge *j, struct lint_case *c)
{
    CLEANUP(mem_cleanup) char *serial = hex_dup(c->outline.serial);

    c->serial_twice = seen_find(j->serials, serial) != NULL;
    if (!c->serial_twice) {
        seen_add(j->serials, serial, j);
    }
}

static void
case_judge(struct lint_judge *j, uint64_t index, struct lint_case *c)
{
    struct lint_verdict v = {.leaf = index};

    v.serial = mem_strdup(leaf_text(c->intent, "serial"));
    v.profile = mem_strdup(leaf_text(c->intent, "profile"));
    ask_all(j, c, &v);
    j->verdicts = mem_grow(j->verdicts, &j->capacity, j->n + 1, sizeof(*j->verdicts));
    j->verdicts[j->n++] = v;
}

static json_t *
document_of(const struct lint_judge *j, const struct leaf *intent)
{
    const char *registration = leaf_text(intent, "registration");
    const char *text = registration == NULL ? NULL : seen_find(j->documents, registration);

    return text == NULL ? NULL : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
}

static void
octets_judge(struct lint_judge *j, uint64_t index, const struct lint_case *given)
{
    const unsigned char *p = given->der.p;
    CLEANUP(x509_cleanup) X509 *certificate = d2i_X509(NULL, &p, (long)given->der.n);
    struct lint_case c = *given;
    struct lint_profile profile;
    struct err unknown = {0};
    json_t *document;

    c.certificate = p == c.der.p + c.der.n ? certificate : NULL;
    ERR_clear_error();
    key_note(j, &c);
    serial_note(j, &c);
    if (index < j->from) {
        return;
    }
    if (lint_table_find(j->table, leaf_text(c.intent, "profileFile"),
                        leaf_text(c.intent, "profile"), &profile, &unknown) == 0) {
        c.profile = &profile;
    }
    c.unknown = unknown.text;
    c.no_profile = unknown.code == ERR_DENIED;
    c.issuer = j->issuer;
    document = document_of(j, c.intent);
    c.document = document;
    case_judge(j, index, &c);
    json_decref(document);
}

/* ---- leaves ---- */

static void
issued_note(struct lint_judge *j, uint64_t index, const struct leaf *leaf)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    CLEANUP(leaf_cleanup) struct leaf *intent = seen_take(j->intents, leaf_text(leaf, "serial"));
    struct lint_case c = {.intent = intent, .issued = leaf_time(leaf)};
    struct err e;

    /* Both hold where the rules do (rules.h), of which all that is said here depends. */
    if (intent == NULL || audit_outline_octets(leaf, &der, &e) != 0 ||
        audit_outline_read(buf_span(&der), &c.outline, &e) != 0) {
        return;
    }
    c.der = buf_span(&der);
    octets_judge(j, index, &c);
}

static void
intent_note(struct lint_judge *j, uint64_t index, const struct leaf *leaf)
{
    struct err e;

    (void)index;
    if (seen_find(j->intents, leaf_text(leaf, "serial")) == NULL) {
        seen_add(j->intents, leaf_text(leaf, "serial"), leaf_parse(leaf_body(leaf), &e));
    }
}

static void
rejected_note(struct lint_judge *j, uint64_t index, const struct leaf *leaf)
{
    (void)index;
    leaf_free(seen_take(j->intents, leaf_text(leaf, "serial")));
}

static void
registration_note(struct lint_judge *j, uint64_t index, const struct leaf *leaf)
{
    CLEANUP(buf_free) struct buf document = BUF_INIT(LEAF_MAX);
    const char *registration = leaf_text(leaf, "registration");
    struct err e;

    (void)index;
    if (audit_evidence_document(leaf, &document, &e) == 0 &&
        seen_find(j->documents, registration) == NULL) {
        seen_add(j->documents, registration,
                 mem_printf("%.*s", (int)document.n, (const char *)document.p));
    }
}

static void
start_note(struct lint_judge *j, uint64_t index, const struct leaf *leaf)
{
    (void)index;
    j->issuer = NULL;
    for (size_t i = 0; i < j->n_issuers; i++) {
        if (strcmp(j->issuers[i].hash, leaf_text(leaf, "issuer")) == 0) {
            j->issuer = j->issuers[i].certificate;
        }
    }
}

typedef void note_leaf(struct lint_judge *, uint64_t index, const struct leaf *);

/* The other kinds say nothing of what a certificate must be. */
static note_leaf *const NOTES[LEAF_KINDS] = {
    [LEAF_START] = start_note,   [LEAF_REGISTRATION] = registration_note,
    [LEAF_INTENT] = intent_note, [LEAF_REJECTED] = rejected_note,
    [LEAF_ISSUED] = issued_note,
};

void
lint_judge_leaf(void *judge, uint64_t index, const struct leaf *leaf)
{
    note_leaf *note = NOTES[leaf_kind(leaf)];

    if (note != NULL) {
        note(judge, index, leaf);
    }
}
