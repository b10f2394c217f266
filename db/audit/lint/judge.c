/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/lint/judge.h"

#include <stdlib.h>
#include <string.h>

#include "db/audit/der/names.h"
#include "db/audit/lint/lots.h"
#include "db/audit/lint/seen.h"
#include "db/audit/rules/evidence.h"

enum { ISSUERS_MAX = 16 };

struct issuer {
    X509 *certificate;
    struct buf der;
    char hash[2 * SHA256_SIZE + 1];
};

struct lint_judge {
    const struct lint_table *table;
    struct findings *findings;
    uint64_t from;
    struct issuer issuers[ISSUERS_MAX];
    size_t n_issuers;
    const struct issuer *issuer; /* as the last START says; NULL: not given */
    struct lots *lots;           /* NULL: each is judged when it comes */
    struct seen *intents;        /* struct leaf, by serial */
    struct seen *documents;      /* JSON text of what was signed, by registration */
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
    lots_free(j->lots);
    for (size_t i = 0; i < j->n_issuers; i++) {
        X509_free(j->issuers[i].certificate);
        buf_free(&j->issuers[i].der);
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
    struct issuer *issuer = &j->issuers[j->n_issuers];
    uint8_t hash[SHA256_SIZE];

    if (j->n_issuers == ISSUERS_MAX) {
        return err_set(e, ERR_INPUT, "at most %d issuing certificates", ISSUERS_MAX);
    }
    issuer->der = BUF_INIT(LEAF_MAX);
    if (OSSL_ENCODE(X509, certificate, &issuer->der, e) != 0 ||
        sha256(buf_span(&issuer->der), hash, e) != 0) {
        return -1;
    }
    if (X509_up_ref(certificate) != 1) {
        return ossl_err(e, ERR_CRYPTO, "certificate");
    }
    hex_format(span_of(hash, sizeof(hash)), issuer->hash);
    issuer->certificate = certificate;
    j->n_issuers++;
    return 0;
}

static int
by_hash(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
lint_judge_hash(const struct lint_judge *j, uint8_t out[SHA256_SIZE], struct err *e)
{
    uint8_t table[SHA256_SIZE];
    const char *hashes[ISSUERS_MAX];
    struct span parts[2 + ISSUERS_MAX];

    if (lint_table_hash(j->table, table, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < j->n_issuers; i++) {
        hashes[i] = j->issuers[i].hash;
    }
    qsort(hashes, j->n_issuers, sizeof(hashes[0]), by_hash);
    parts[0] = SPAN_LITERAL(NFPKI_VERSION);
    parts[1] = span_of(table, sizeof(table));
    for (size_t i = 0; i < j->n_issuers; i++) {
        parts[2 + i] = span_str(hashes[i]);
    }
    return sha256_parts(parts, 2 + j->n_issuers, out, e);
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

const struct lint_verdict *
lint_judge_forged(const struct lint_judge *j)
{
    uint64_t signature = 0;

    for (size_t i = 0; lint_at(i) != NULL; i++) {
        signature |= lint_at(i)->check == lint_signature_issuer ? UINT64_C(1) << i : 0;
    }
    for (size_t i = 0; i < j->n; i++) {
        if ((j->verdicts[i].failed & signature) != 0) {
            return &j->verdicts[i];
        }
    }
    return NULL;
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

/* What came of one; it is not needed any more. */
static void
verdict_take(void *judge, struct lint_asked *a)
{
    struct lint_judge *j = judge;
    struct lint_verdict *v = &a->verdict;

    for (size_t i = 0; lint_at(i) != NULL; i++) {
        if ((v->failed >> i & 1) != 0) {
            findings_add(j->findings, &lint_at(i)->kind, v->leaf, v->serial, "%s", a->why[i]);
        } else if ((v->not_run >> i & 1) != 0) {
            lack_note(j, a->why[i]);
        }
    }
    j->verdicts = mem_grow(j->verdicts, &j->capacity, j->n + 1, sizeof(*j->verdicts));
    j->verdicts[j->n++] = *v;
    v->serial = NULL;
    v->profile = NULL;
}

int
lint_judge_threads(struct lint_judge *j, size_t threads, struct err *e)
{
    j->lots = lots_new(threads, verdict_take, j, e);
    return j->lots == NULL ? -1 : 0;
}

void
lint_judge_end(struct lint_judge *j)
{
    if (j->lots != NULL) {
        lots_end(j->lots);
    }
}

/* Whose key it is: the NF instance, or the subject of who works for the authority. */
static char *
owner_of(const struct leaf *intent, const struct audit_outline *outline)
{
    const char *nf = leaf_text(intent, "nfInstanceId");
    char *subject;

    if (nf != NULL) {
        return mem_printf("NF instance %s", nf);
    }
    subject = audit_names_subject(outline);
    return subject == NULL ? mem_strdup("?") : subject;
}

/* The first owner of a key stays its owner; NULL: it is this one. */
static const char *
key_note(struct lint_judge *j, const struct leaf *intent, const struct audit_outline *outline)
{
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    CLEANUP(mem_cleanup) char *own = owner_of(intent, outline);
    const char *first;
    struct err ignored;

    if (sha256(outline->spki, hash, &ignored) != 0) {
        return NULL;
    }
    hex_format(span_of(hash, sizeof(hash)), hex);
    first = seen_find(j->keys, hex);
    if (first == NULL) {
        seen_add(j->keys, hex, TAKE(own));
        return NULL;
    }
    return strcmp(first, own) == 0 ? NULL : first;
}

/* True: another certificate has it. */
static bool
serial_note(struct lint_judge *j, const struct audit_outline *outline)
{
    CLEANUP(mem_cleanup) char *serial = hex_dup(outline->serial);

    if (seen_find(j->serials, serial) != NULL) {
        return true;
    }
    seen_add(j->serials, serial, j);
    return false;
}

static void
judge(struct lint_judge *j, struct lint_asked *a)
{
    const char *registration = leaf_text(a->intent, "registration");

    a->table = j->table;
    a->document = registration == NULL ? NULL : seen_find(j->documents, registration);
    if (j->lots != NULL) {
        lots_add(j->lots, a, j->issuer == NULL ? SPAN_LITERAL("") : buf_span(&j->issuer->der));
        return;
    }
    lint_asked_judge(a, j->issuer == NULL ? NULL : j->issuer->certificate);
    verdict_take(j, a);
}

/* ---- leaves ---- */

/* The DER is walked over here; who is to be judged is decoded, which is dear, by who judges. */
static void
issued_note(struct lint_judge *j, uint64_t index, const struct leaf *leaf)
{
    CLEANUP(lint_asked_clear)
    struct lint_asked a = {
        .intent = seen_take(j->intents, leaf_text(leaf, "serial")),
        .der = BUF_INIT(LEAF_MAX),
        .issued = leaf_time(leaf),
        .verdict = {.leaf = index},
    };
    struct audit_outline outline;
    struct err e;

    /* Both hold where the rules do (rules.h), of which all that is said here depends. */
    if (a.intent == NULL || audit_outline_octets(leaf, &a.der, &e) != 0 ||
        audit_outline_read(buf_span(&a.der), &outline, &e) != 0) {
        return;
    }
    a.key_owner = key_note(j, a.intent, &outline);
    a.serial_twice = serial_note(j, &outline);
    if (index >= j->from) {
        judge(j, &a);
    }
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
            j->issuer = &j->issuers[i];
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
