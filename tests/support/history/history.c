/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/history/history.h"

#include <string.h>

#include "ca/x509/serial.h"
#include "ca/x509/signed.h"
#include "db/ledger/leaf.h"
#include "tests/support/history/asked.h"
#include "tests/support/history/private.h"
#include "tests/support/test.h"

enum { DAY = 86400 };

void
history_begin(struct history *h, time_t begin)
{
    *h = (struct history){.begin = begin, .crl = BUF_INIT(1 << 20)};
    audit_ledger_begin_with(&h->l, asked_message);
    asked_begin(h);
    h->l.now = begin;
    h->pki = pki_new_at("P-384", "P-256", begin);
}

void
history_end(struct history *h)
{
    for (size_t i = 0; i < h->n_people; i++) {
        EVP_PKEY_free(h->people[i]->key);
        X509_free(h->people[i]->certificate);
        mem_free(h->people[i]);
    }
    for (size_t i = 0; i < h->n_nfs; i++) {
        EVP_PKEY_free(h->nfs[i]->key);
        X509_free(h->nfs[i]->certificate);
        EVP_PKEY_free(h->nfs[i]->next_key);
        asked_as(h->nfs[i], NULL, NULL);
        mem_free(h->nfs[i]);
    }
    pki_free(h->pki);
    buf_free(&h->crl);
    buf_free(&h->algorithm);
    audit_ledger_end(&h->l);
}

time_t
history_time(const struct history *h, int day, int hour, int minute)
{
    return h->begin + (time_t)day * DAY + (time_t)hour * 3600 + (time_t)minute * 60;
}

void
history_at(struct history *h, int day, int hour, int minute)
{
    h->l.now = history_time(h, day, hour, minute);
}

struct leaf *
history_leaf(struct history *h, enum leaf_kind kind)
{
    return audit_ledger_leaf(&h->l, kind);
}

void
history_append(struct history *h, struct leaf *leaf)
{
    const enum leaf_kind kind = leaf_kind(leaf);
    struct merkle_hash hash;
    struct err e = {0};

    assert_ok(leaf_seal(leaf, &e), &e);
    memcpy(hash.octets, leaf_hash(leaf), sizeof(hash.octets));
    assert_ok(merkle_append(&h->edge, &hash, NULL, NULL, &e), &e);
    h->kinds[kind]++;
    h->last[kind] = audit_ledger_append(&h->l, leaf);
}

void
history_hash(struct leaf *leaf, const char *member, struct span octets)
{
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(octets, hash, &e), &e);
    leaf_set_hex(leaf, member, span_of(hash, sizeof(hash)));
}

/* ---- the CA itself ---- */

void
history_start(struct history *h, const char *version, const time_t *clock_set_back)
{
    CLEANUP(buf_free) struct buf issuing = BUF_INIT(4096);
    struct leaf *leaf = history_leaf(h, LEAF_START);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, h->pki->issuing, &issuing, &e), &e);
    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", version);
    history_hash(leaf, "config", span_str(version));
    leaf_set_bool(leaf, "softwareToken", false);
    history_hash(leaf, "issuer", buf_span(&issuing));
    leaf_set_int(leaf, "record", HISTORY_RECORD);
    history_hash(leaf, "root", SPAN_LITERAL("root"));
    history_hash(leaf, "logKey", buf_span(&h->l.spki));
    if (clock_set_back != NULL) {
        leaf_set_time(leaf, "clockSetBack", *clock_set_back);
    }
    history_append(h, leaf);
}

void
history_stop(struct history *h, const char *reason)
{
    struct leaf *leaf = history_leaf(h, LEAF_STOP);

    leaf_set_text(leaf, "reason", reason);
    history_append(h, leaf);
}

void
history_config(struct history *h, const char *file, const char *content, const char *previous)
{
    struct leaf *leaf = history_leaf(h, LEAF_CONFIG);

    leaf_set_text(leaf, "file", file);
    history_hash(leaf, "sha256", span_str(content));
    if (previous != NULL) {
        history_hash(leaf, "previous", span_str(previous));
    }
    history_append(h, leaf);
}

void
history_ceremony(struct history *h, const char *name)
{
    struct leaf *leaf = history_leaf(h, LEAF_CEREMONY);

    history_hash(leaf, "head", span_str(name));
    leaf_set_text(leaf, "name", name);
    history_hash(leaf, "sha256", span_str(name));
    leaf_set_text(leaf, "type", "root-generate");
    leaf_set_bool(leaf, "production", true);
    leaf_set_text(leaf, "by", "uid 0 (root)");
    history_append(h, leaf);
}

void
history_operation(struct history *h, const char *command, const char *by, const char *object,
                  const char *reason)
{
    struct leaf *leaf = history_leaf(h, LEAF_OPERATION);

    leaf_set_text(leaf, "command", command);
    leaf_set_text(leaf, "by", by);
    leaf_set_text(leaf, "outcome", reason == NULL ? "done" : "refused");
    if (object != NULL) {
        leaf_set_text(leaf, "object", object);
    }
    if (reason != NULL) {
        leaf_set_text(leaf, "reason", reason);
    }
    history_append(h, leaf);
}

void
history_clock(struct history *h, time_t expected)
{
    struct leaf *leaf = history_leaf(h, LEAF_CLOCK);

    leaf_set_time(leaf, "expected", expected);
    history_append(h, leaf);
}

void
history_sealed(struct history *h, int pages)
{
    struct leaf *leaf = history_leaf(h, LEAF_SEALED);

    leaf_set_int(leaf, "pages", pages);
    history_append(h, leaf);
}

void
history_recovered(struct history *h, int resumed, int abandoned, const char *text)
{
    struct leaf *leaf = history_leaf(h, LEAF_RECOVERED);

    leaf_set_int(leaf, "resumed", resumed);
    leaf_set_int(leaf, "abandoned", abandoned);
    leaf_set_text(leaf, "text", text);
    history_append(h, leaf);
}

static int
by_serial(const void *a, const void *b)
{
    return memcmp(((const struct crl_entry *)a)->serial, ((const struct crl_entry *)b)->serial,
                  SERIAL_SIZE);
}

static void
crl_members(struct leaf *leaf, const struct crl_request *r, struct span tbs)
{
    leaf_set_int(leaf, "number", (int64_t)r->number);
    history_hash(leaf, "tbs", tbs);
    leaf_set_time(leaf, "thisUpdate", r->this_update);
    leaf_set_time(leaf, "nextUpdate", r->next_update);
    leaf_set_int(leaf, "entries", (int64_t)r->n_entries);
}

void
history_crl(struct history *h, int days)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(1 << 20);
    CLEANUP(buf_free) struct buf signature = {0};
    struct crl_request r = {.issuer = h->pki->issuing,
                            .number = ++h->crls,
                            .this_update = h->l.now,
                            .next_update = h->l.now + (time_t)days * DAY,
                            .entries = h->revoked,
                            .n_entries = h->n_revoked};
    struct leaf *leaf = history_leaf(h, LEAF_CRL_INTENT);
    uint8_t digest[SHA256_SIZE];
    struct err e = {0};

    qsort(h->revoked, h->n_revoked, sizeof(h->revoked[0]), by_serial);
    assert_ok(crl_build(&r, &tbs, &e), &e);
    assert_ok(crl_digest(&r, digest, &e), &e);
    crl_members(leaf, &r, buf_span(&tbs));
    leaf_set_hex(leaf, "revocations", span_of(digest, sizeof(digest)));
    leaf_set_int(leaf, "upTo", (int64_t)h->edge.size);
    history_append(h, leaf);
    signature = pki_sign(h->pki->issuing_key, buf_span(&tbs));
    buf_truncate(&h->crl, 0);
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature), h->pki->issuing_key,
                              &h->crl, &e),
              &e);
    leaf = history_leaf(h, LEAF_CRL);
    crl_members(leaf, &r, buf_span(&tbs));
    history_hash(leaf, "sha256", buf_span(&h->crl));
    history_append(h, leaf);
}
