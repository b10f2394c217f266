/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state as large as is wanted, in the time that it takes to write it: registrations, requests,
 * certificates and confirmations go through the verbs of db/issuance into ca.db, sealed, with all
 * their leaves, and then into the published ledger; each certificate has its line in the issuing
 * key's journal and the token's signature. nfpki-ca starts on it and nfpki-audit verifies it.
 *
 *   bench.fill PKI CERTIFICATES [REVOKED-PERCENT]
 *
 * PKI is what ceremony/quickstart.sh made, both daemons stopped; $CREDENTIALS_DIRECTORY has the
 * PINs of both hosts. Each certificate is a network function's of its own, registered in a batch,
 * MAC protected, confirmed. Not as in life: many in one commit, and no signer, no link and no
 * judge.
 *
 *   [make lots: documents, messages, heads, TBS, journal, C_Sign]   a thread
 *        --> [store them: one commit]                               the store's thread
 *   at the end: checkpoints, tiles                                  the log's signer
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/daemon/record.h"
#include "ca/publish/checkpoint.h"
#include "ca/start.h"
#include "ca/x509/tbs/tbs.h"
#include "tests/bench/fill/issuer.h"
#include "tests/bench/fill/sent.h"
#include "tests/support/pki.h"

enum {
    LOT = 32, /* as at 32 connections; each path in its tree costs as much as the tree */
    LOTS = 64,
    SUPERSEDED = 4,
    DAYS = 2,
    DAY = 24 * 60 * 60
};
#define FIRST_PLACE (UINT64_C(1) << 32) /* behind whatever the RA's own queue has */

struct one {
    uint8_t serial[SERIAL_SIZE];
    time_t not_before;
    time_t not_after;
    struct buf tbs;
    struct buf certificate;
};

/* What one RA head covers. */
struct lot {
    size_t n;
    time_t now;      /* all of it, as its documents and heads say */
    struct buf text; /* the registrations */
    struct sent sent[LOT];
    struct one made[LOT];
    struct queued requests[LOT];
    struct queued confirmations[LOT];
    struct buf head, signature;
    struct buf head_2, signature_2;
    uint8_t head_hash[SENT_HASH];
    uint64_t first;
};

/* What one operation stores, alone in its commit. */
struct part {
    struct store_op op;
    struct fill *fill;
    size_t n;
    struct lot lots[LOTS];
    int result;
    struct err e;
};

struct fill {
    struct ca ca;
    struct sent_by by;
    struct buf ra_der;
    struct buf registrar_der;
    struct buf registrar_serial;
    struct issuer *issuer;
    const struct profile *profile;
    uint8_t previous[QUEUE_HEAD_ID];
    uint64_t place;
    size_t wanted;
    size_t begun;
    size_t revoked_percent;
};

/* ---- made, in a thread of its own ---- */

static int
certify(struct fill *f, const struct sent *s, struct one *o, struct err *e)
{
    const struct policy *p = &f->ca.policy;
    struct tbs_request t = {.profile = f->profile,
                            .issuer = p->issuing,
                            .nf = &s->nf,
                            .nf_rules = &p->rules,
                            .spki = buf_span(&s->spki),
                            .not_before = f->by.now - p->backdate_s,
                            .crl_url = p->crl_url,
                            .rehearsal = p->rehearsal};

    t.not_after = t.not_before + (time_t)DAYS * DAY;
    o->tbs = BUF_INIT(TBS_MAX);
    o->certificate = BUF_INIT(TBS_MAX);
    o->not_before = t.not_before;
    o->not_after = t.not_after;
    if (serial_new(t.serial, clock_now(), e) != 0) {
        return -1;
    }
    memcpy(o->serial, t.serial, sizeof(o->serial));
    return tbs_build(&t, &o->tbs, e) != 0
               ? -1
               : issuer_announce(f->issuer, buf_span(&o->tbs), o->serial, e);
}

static int
hand_over(struct fill *f, struct lot *l, bool confirm, struct err *e)
{
    struct span messages[LOT];

    for (size_t i = 0; i < l->n; i++) {
        messages[i] = buf_span(confirm ? &l->sent[i].confirmation : &l->sent[i].request);
    }
    l->first = confirm ? l->first : f->place;
    if (queued_make(&f->by, l->sent, messages, l->n, f->place, f->previous,
                    confirm ? &l->head_2 : &l->head, confirm ? &l->signature_2 : &l->signature,
                    confirm ? l->confirmations : l->requests, e) != 0) {
        return -1;
    }
    f->place += l->n;
    return 0;
}

static int
make_lot(struct fill *f, struct lot *l, struct err *e)
{
    l->now = clock_now();
    f->by.now = l->now;
    if (sent_register(&f->by, l->sent, l->n, &l->text, e) != 0 || hand_over(f, l, false, e) != 0 ||
        sha256(buf_span(&l->head), l->head_hash, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < l->n; i++) {
        if (certify(f, &l->sent[i], &l->made[i], e) != 0) {
            return -1;
        }
    }
    if (issuer_commit(f->issuer, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < l->n; i++) {
        struct one *o = &l->made[i];

        if (issuer_sign(f->issuer, buf_span(&o->tbs), &o->certificate, e) != 0 ||
            sent_confirm(&l->sent[i], buf_span(&o->certificate), e) != 0) {
            return -1;
        }
    }
    return hand_over(f, l, true, e);
}

static void *
make_part(void *arg)
{
    struct part *p = arg;
    struct fill *f = p->fill;

    p->result = 0;
    for (p->n = 0; p->n < LOTS && f->begun < f->wanted && p->result == 0; p->n++) {
        struct lot *l = &p->lots[p->n];

        l->n = f->wanted - f->begun < LOT ? f->wanted - f->begun : LOT;
        f->begun += l->n;
        p->result = make_lot(f, l, &p->e);
    }
    return NULL;
}

static void
part_free(struct part *p)
{
    for (size_t k = 0; k < p->n; k++) {
        struct lot *l = &p->lots[k];

        for (size_t i = 0; i < l->n; i++) {
            sent_free(&l->sent[i]);
            queued_free(&l->requests[i]);
            queued_free(&l->confirmations[i]);
            buf_free(&l->made[i].tbs);
            buf_free(&l->made[i].certificate);
        }
        buf_free(&l->text);
        buf_free(&l->head);
        buf_free(&l->signature);
        buf_free(&l->head_2);
        buf_free(&l->signature_2);
    }
    mem_free(p);
}

/* ---- stored, in the store's thread ---- */

static int
expect(enum issuance_outcome outcome, const char *what, struct err *e)
{
    return outcome == ISSUANCE_DONE
               ? 0
               : err_set(e, ERR_CONFLICT, "%s: %s", what, issuance_outcome_text(outcome));
}

static int
put_registration(const struct fill *f, const struct sent *s, time_t now, struct store_db *db,
                 struct err *e)
{
    CLEANUP(issuance_registration_free)
    struct issuance_registration r = {.proof = "mac",
                                      .of_batch = true,
                                      .not_before = now - 300,
                                      .not_after = now + DAY,
                                      .certificates = 1,
                                      .cms = BUF_INIT(REGISTRATION_MAX),
                                      .json = BUF_INIT(REGISTRATION_JSON_MAX),
                                      .registrar = BUF_INIT(20)};
    enum issuance_outcome outcome;

    (void)snprintf(r.id, sizeof(r.id), "%s", s->id);
    (void)snprintf(r.nf_instance, sizeof(r.nf_instance), "%s", s->nf.instance_id);
    if (buf_set(&r.cms, buf_span(&s->element), e) != 0 || buf_set(&r.json, s->json, e) != 0 ||
        buf_set(&r.registrar, buf_span(&f->registrar_serial), e) != 0 ||
        issuance_register(db, &r, buf_span(&f->registrar_der), now, &outcome, e) != 0) {
        return -1;
    }
    return expect(outcome, "a registration", e);
}

static int
put_intent(const struct fill *f, const struct lot *l, size_t i, time_t now, struct store_db *db,
           struct err *e)
{
    const struct sent *s = &l->sent[i];
    const struct one *o = &l->made[i];
    const struct queued *q = &l->requests[i];
    const struct issuance_attested attested = {.entry = buf_span(&q->entry),
                                               .path = buf_span(&q->path),
                                               .head = buf_span(&l->head),
                                               .signature = buf_span(&l->signature)};
    const struct issuance_intent intent = {
        .rid = span_of(q->rid, sizeof(q->rid)),
        .registration = s->id,
        .ra_der = buf_span(&f->ra_der),
        .nf_instance = s->nf.instance_id,
        .transaction_id = span_of(s->transaction_id, sizeof(s->transaction_id)),
        .assurance = ISSUANCE_MAC,
        .queue_sequence = l->first + i,
        .queue_previous = span_of(l->head_hash, sizeof(l->head_hash)),
        .attested = &attested,
        .profile = f->profile->name,
        .profile_file = span_of(f->ca.profile_file, SHA256_SIZE),
        .evidence = buf_span(&q->whole),
        .spki_sha256 = span_of(s->spki_sha256, sizeof(s->spki_sha256)),
        .serial = span_of(o->serial, sizeof(o->serial)),
        .tbs = buf_span(&o->tbs),
        .not_before = o->not_before,
        .not_after = o->not_after,
        .judged = now,
        .certificates = 1,
        .confirm = ISSUANCE_EXPECTED,
        .message_time = now,
        .made = now,
        .now = now,
        .date = now - f->ca.policy.backdate_s};
    enum issuance_outcome outcome;

    return issuance_intend(db, &intent, &outcome, e) != 0 ? -1 : expect(outcome, "an intent", e);
}

static int
put_confirmation(const struct fill *f, const struct lot *l, size_t i, struct issuance_when when,
                 struct store_db *db, struct err *e)
{
    const struct queued *q = &l->confirmations[i];
    const struct issuance_confirmation c = {.rid = span_of(q->rid, sizeof(q->rid)),
                                            .ra_der = buf_span(&f->ra_der),
                                            .request = span_of(l->requests[i].rid, SENT_HASH),
                                            .accepted = true,
                                            .evidence = buf_span(&q->whole),
                                            .when = when};
    enum issuance_outcome outcome;
    uint64_t leaf;
    bool revoked;

    return issuance_confirm(db, &c, &leaf, &revoked, &outcome, e) != 0
               ? -1
               : expect(outcome, "a confirmation", e);
}

static int
put_end(const struct fill *f, const struct lot *l, size_t i, time_t now, struct store_db *db,
        struct err *e)
{
    const struct one *o = &l->made[i];
    const struct issuance_when when = {.now = now, .date = now - f->ca.policy.backdate_s};
    enum issuance_outcome outcome = ISSUANCE_DONE;
    uint64_t leaf;

    if (issuance_issue(db, span_of(l->requests[i].rid, SENT_HASH), buf_span(&o->certificate), now,
                       &leaf, e) != 0 ||
        put_confirmation(f, l, i, when, db, e) != 0) {
        return -1;
    }
    if (i * f->revoked_percent / 100 != (i + 1) * f->revoked_percent / 100 &&
        issuance_revoke(db, span_of(o->serial, sizeof(o->serial)), SUPERSEDED, "uid 0", when, &leaf,
                        &outcome, e) != 0) {
        return -1;
    }
    return expect(outcome, "a revocation", e);
}

static int
put_lot(const struct fill *f, const struct lot *l, struct store_db *db, struct err *e)
{
    for (size_t i = 0; i < l->n; i++) {
        if (put_registration(f, &l->sent[i], l->now, db, e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < l->n; i++) {
        if (put_intent(f, l, i, l->now, db, e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < l->n; i++) {
        if (put_end(f, l, i, l->now, db, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
run_part(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct part *p = CONTAINER_OF(op, struct part, op);

    for (size_t k = 0; k < p->n; k++) {
        if (put_lot(p->fill, &p->lots[k], db, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* One part is made while the one before is stored. */
static int
fill_all(struct fill *f, struct err *e)
{
    struct part *part = mem_new(sizeof(*part));
    int result;

    part->op.run = run_part;
    part->fill = f;
    (void)make_part(part);
    for (result = part->result; result == 0 && part->n > 0;) {
        struct part *next = mem_new(sizeof(*next));
        pthread_t maker;

        next->op.run = run_part;
        next->fill = f;
        if (pthread_create(&maker, NULL, make_part, next) != 0) {
            abort();
        }
        result = store_call(f->ca.store, &part->op, e);
        (void)pthread_join(maker, NULL);
        part_free(part);
        part = next;
        if (result == 0 && part->result != 0) {
            *e = part->e;
            result = -1;
        }
    }
    if (part->result != 0) {
        *e = part->e;
    }
    part_free(part);
    return result;
}

/* ---- opened as nfpki-ca opens it ---- */

/* Of the filling alone: a commit of two thousand certificates is within the cache. */
#define LARGE_CACHE "PRAGMA cache_size = -524288"

struct sizing {
    struct store_op op;
    uint64_t leaves;
};

static int
run_sizing(struct store_op *op, struct store_db *db, struct err *e)
{
    struct sizing *s = CONTAINER_OF(op, struct sizing, op);

    return store_exec(db, LARGE_CACHE, STORE_NO_VALUES, e) != 0 ? -1
                                                                : ledger_size(db, &s->leaves, e);
}

/* Places in the RA's queue that no other one had: there are more leaves than requests. */
static int
find_place(struct fill *f, struct err *e)
{
    struct sizing s = {.op = {.run = run_sizing}};

    if (store_call(f->ca.store, &s.op, e) != 0) {
        return -1;
    }
    f->place = FIRST_PLACE + s.leaves;
    return 0;
}

static int
load_people(struct fill *f, const char *pki, struct err *e)
{
    CLEANUP(mem_cleanup) char *ra = mem_printf("%s/ra/ra.pem", pki);
    CLEANUP(mem_cleanup) char *registrar = mem_printf("%s/oam/registrar.pem", pki);
    CLEANUP(mem_cleanup) char *key = mem_printf("%s/oam/registrar.key", pki);
    struct sent_by *by = &f->by;
    const ASN1_INTEGER *serial;

    f->registrar_serial = BUF_INIT(20);
    if (certificate_load_der(ra, LINK_CERTIFICATE_MAX, &by->ra, &f->ra_der, e) != 0 ||
        certificate_load_der(registrar, LINK_CERTIFICATE_MAX, &by->registrar, &f->registrar_der,
                             e) != 0) {
        return -1;
    }
    by->ra_der = buf_span(&f->ra_der);
    serial = X509_get0_serialNumber(by->registrar);
    memcpy(by->ca, f->ca.policy.issuing_hash, sizeof(by->ca));
    by->registrar_key = sent_key(key, e);
    return by->registrar_key == NULL || certificate_key_hash(by->ra, by->ra_key, e) != 0
               ? -1
               : buf_set(&f->registrar_serial,
                         span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
                         e);
}

static int
start_ra_signer(struct fill *f, const char *pki, struct err *e)
{
    CLEANUP(mem_cleanup) char *policy = mem_printf("%s/ra/ra-signer.conf", pki);
    const struct signer_options options = {
        .program = f->ca.conf.signer_program, .policy = policy, .pin_fd = -1};

    f->by.ra_signer = signer_start(&options, e);
    return f->by.ra_signer == NULL ? -1 : 0;
}

static int
open_all(struct fill *f, const char *pki, struct err *e)
{
    CLEANUP(mem_cleanup) char *conf = mem_printf("%s/ca/nfpki-ca.conf", pki);

    f->profile = profile_by_name("nf-tls");
    if (ca_conf_load(conf, &f->ca.conf, e) != 0 || ca_open(&f->ca, e) != 0 ||
        ca_begin(&f->ca, (struct recovery){0}, e) != 0 || load_people(f, pki, e) != 0 ||
        start_ra_signer(f, pki, e) != 0 || find_place(f, e) != 0) {
        return -1;
    }
    signer_pool_free(TAKE(f->ca.issuing)); /* gives its journal away, until it is filled */
    f->issuer = issuer_open(pki, e);
    return f->issuer == NULL ? -1 : 0;
}

/* What is in the journal is compared by the stop. */
static int
start_issuing_signer(struct fill *f, struct err *e)
{
    const struct signer_options options = {.program = f->ca.conf.signer_program,
                                           .policy = f->ca.conf.issuing[0].policy,
                                           .pin_fd = -1,
                                           .finished = f->ca.finished};
    struct signer *s = NULL;

    issuer_free(TAKE(f->issuer));
    f->ca.issuing = signer_pool_new();
    s = signer_start(&options, e);
    return s == NULL ? -1 : signer_pool_add(f->ca.issuing, s, e);
}

static void
close_all(struct fill *f)
{
    issuer_free(f->issuer);
    signer_free(f->by.ra_signer);
    X509_free(f->by.ra);
    X509_free(f->by.registrar);
    EVP_PKEY_free(f->by.registrar_key);
    buf_free(&f->ra_der);
    buf_free(&f->registrar_der);
    buf_free(&f->registrar_serial);
    ca_close(&f->ca);
}

static int
work(struct fill *f, const char *pki, struct err *e)
{
    int64_t start;
    int64_t stored;

    if (open_all(f, pki, e) != 0) {
        return -1;
    }
    start = clock_monotonic_ms();
    if (fill_all(f, e) != 0) {
        return -1;
    }
    stored = clock_monotonic_ms();
    if (start_issuing_signer(f, e) != 0 || ca_finish(&f->ca, "filled", e) != 0) {
        return -1;
    }
    (void)printf("certificates %zu\nstored %.1f s\nrate %.0f /s\npublished %.1f s\n", f->wanted,
                 (double)(stored - start) / 1e3,
                 (double)f->wanted * 1e3 / (double)(stored - start + 1),
                 (double)(clock_monotonic_ms() - stored) / 1e3);
    return 0;
}

int
main(int argc, char **argv)
{
    struct fill *f = mem_new(sizeof(*f));
    struct err e = {0};
    int status = 0;

    if (argc < 3 || argc > 4) {
        (void)fprintf(stderr, "usage: bench.fill PKI CERTIFICATES [REVOKED-PERCENT]\n");
        return 2;
    }
    f->wanted = strtoul(argv[2], NULL, 10);
    f->revoked_percent = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    log_open("bench.fill", LOG_ERROR);
    if (ossl_init(&e) != 0 || work(f, argv[1], &e) != 0) {
        (void)fprintf(stderr, "bench.fill: %s\n", e.text);
        status = 1;
    }
    close_all(f);
    pool_contexts_free();
    mem_free(f);
    OPENSSL_cleanup();
    return status;
}
