/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/fill/sent.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/queue.h"
#include "ca/registration/batch.h"
#include "ca/x509/pubkey.h"
#include "tests/support/cmp_client.h"
#include "tests/support/pki.h"

enum { DOCUMENT_MAX = 1024, MAC_COUNT = 100, FIRST_MINUTE = 300, DAY = 24 * 60 * 60 };
#define DOMAIN "5gc.mnc012.mcc345.3gppnetwork.org"

void
sent_free(struct sent *s)
{
    buf_free(&s->element);
    buf_free(&s->spki);
    buf_free(&s->request);
    buf_free(&s->confirmation);
}

void
queued_free(struct queued *q)
{
    buf_free(&q->entry);
    buf_free(&q->path);
    buf_free(&q->whole);
}

/* ---- the registrar ---- */

EVP_PKEY *
sent_key(const char *path, struct err *e)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new_file(path, "r");
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    if (key == NULL) {
        (void)ossl_err(e, ERR_INPUT, "%s: no private key", path);
    }
    return key;
}

/* A random UUID of version 4. */
static int
new_instance(char out[NF_INSTANCE_ID_SIZE], struct err *e)
{
    uint8_t r[16];
    char hex[2 * sizeof(r) + 1];

    if (random_bytes(r, sizeof(r), e) != 0) {
        return -1;
    }
    r[6] = (uint8_t)((r[6] & 0x0fU) | 0x40U);
    r[8] = (uint8_t)((r[8] & 0x3fU) | 0x80U);
    hex_format(span_of(r, sizeof(r)), hex);
    (void)snprintf(out, NF_INSTANCE_ID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                   hex + 16, hex + 20);
    return 0;
}

static int
describe(struct sent *s, time_t now, struct buf *text, struct err *e)
{
    char from[TIME_TEXT_SIZE];
    char to[TIME_TEXT_SIZE];
    char line[DOCUMENT_MAX];
    struct nf_identity *nf = &s->nf;

    *nf = (struct nf_identity){.types = {"SMF"}, .n_types = 1, .n_fqdns = 1, .country = "SE"};
    if (new_instance(nf->instance_id, e) != 0) {
        return -1;
    }
    (void)snprintf(nf->home_domain, sizeof(nf->home_domain), "%s", DOMAIN);
    (void)snprintf(nf->fqdns[0], sizeof(nf->fqdns[0]), "smf-%.8s.smf.%s", nf->instance_id, DOMAIN);
    time_format(now - FIRST_MINUTE, from);
    time_format(now + DAY, to);
    (void)snprintf(line, sizeof(line),
                   "{\"version\":1,\"nfInstanceId\":\"%s\",\"nfTypes\":[\"SMF\"],\"fqdns\":[\"%s\"]"
                   ",\"homeDomain\":\"%s\",\"country\":\"SE\",\"profiles\":[{\"name\":\"nf-tls\","
                   "\"maxValidityDays\":2}],\"notBefore\":\"%s\",\"notAfter\":\"%s\","
                   "\"certificates\":1,\"proof\":{\"kind\":\"mac\"}}\n",
                   nf->instance_id, nf->fqdns[0], DOMAIN, from, to);
    return buf_append_str(text, line, e);
}

static int
take_element(struct sent *s, const struct batch *batch, struct span manifest, size_t i,
             struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    s->element = BUF_INIT(REGISTRATION_MAX);
    s->json = batch_document(batch, i);
    if (batch_element(batch, manifest, i, &s->element, e) != 0 ||
        sha256(buf_span(&s->element), hash, e) != 0) {
        return -1;
    }
    hex_format(span_of(hash, (SENT_ID - 1) / 2), s->id);
    return 0;
}

static int
sign_batch(const struct sent_by *by, struct sent *s, size_t n, struct buf *text, struct err *e)
{
    CLEANUP(buf_free) struct buf manifest = {0};
    CLEANUP(batch_cleanup) struct batch *batch = NULL;
    CLEANUP(mem_cleanup) char *said = NULL;

    for (size_t i = 0; i < n; i++) {
        if (describe(&s[i], by->now, text, e) != 0) {
            return -1;
        }
    }
    batch = batch_new(buf_span(text), e);
    if (batch == NULL) {
        return -1;
    }
    said = batch_manifest_format(batch);
    manifest = pki_cms(span_str(said), by->registrar, by->registrar_key);
    for (size_t i = 0; i < n; i++) {
        if (take_element(&s[i], batch, buf_span(&manifest), i, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- network functions ---- */

static int
client_of(const struct sent *s, struct buf *algorithm, struct cmp_client *out, struct err *e)
{
    *algorithm = BUF_INIT(1024);
    if (cmp_client_pbm(NID_sha256, MAC_COUNT, NID_hmac_sha1, algorithm, e) != 0) {
        return -1;
    }
    *out = (struct cmp_client){.reference = s->id,
                               .secret = SPAN_LITERAL("a secret that the RA made"),
                               .algorithm = buf_span(algorithm)};
    return 0;
}

static int
ask(struct sent *s, const X509_NAME *subject, EVP_PKEY_CTX *keys, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    CLEANUP(buf_free) struct buf algorithm = {0};
    struct cmp_client_state state;
    struct cmp_client client;

    s->request = BUF_INIT(CMP_MESSAGE_MAX);
    if (EVP_PKEY_generate(keys, &key) != 1) {
        return ossl_err(e, ERR_CRYPTO, "P-256 key");
    }
    if (cmp_client_spki(key, &s->spki, e) != 0 ||
        sha256(buf_span(&s->spki), s->spki_sha256, e) != 0 ||
        client_of(s, &algorithm, &client, e) != 0 ||
        cmp_client_request(&client, CMP_IR, key, subject, &state, &s->request, e) != 0) {
        return -1;
    }
    memcpy(s->transaction_id, state.transaction_id, sizeof(s->transaction_id));
    return 0;
}

int
sent_confirm(struct sent *s, struct span certificate, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *parsed = certificate_parse_keyless(certificate, e);
    CLEANUP(buf_free) struct buf algorithm = {0};
    struct cmp_client_state state = {.recip_nonce_size = SENT_NONCE};
    struct cmp_client client;

    s->confirmation = BUF_INIT(CMP_MESSAGE_MAX);
    memcpy(state.transaction_id, s->transaction_id, sizeof(s->transaction_id));
    return parsed == NULL || client_of(s, &algorithm, &client, e) != 0
               ? -1
               : cmp_client_certconf(&client, parsed, true, &state, &s->confirmation, e);
}

int
sent_register(const struct sent_by *by, struct sent *s, size_t n, struct buf *text, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *subject = X509_NAME_new();
    CLEANUP(evp_pkey_ctx_cleanup) EVP_PKEY_CTX *keys = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

    if (EVP_PKEY_keygen_init(keys) != 1 || EVP_PKEY_CTX_set_group_name(keys, "P-256") != 1) {
        return ossl_err(e, ERR_CRYPTO, "P-256 keys");
    }
    *text = BUF_INIT(QUEUE_HEAD_SIZE_MAX * DOCUMENT_MAX);
    if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"nf", -1, -1,
                                   0) != 1) {
        return ossl_err(e, ERR_CRYPTO, "subject");
    }
    if (sign_batch(by, s, n, text, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (ask(&s[i], subject, keys, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the RA ---- */

static int
take_entry(const struct sent *s, struct span message, time_t now, struct queued *q, struct err *e)
{
    struct cmp_queue_entry entry = {
        .assurance = CMP_ASSURANCE_MAC, .profile = "nf-tls", .received_at = now};

    q->entry = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    q->path = BUF_INIT(QUEUE_HEAD_PATH_MAX);
    q->whole = BUF_INIT(CMP_NESTED_MAX);
    (void)snprintf(entry.registration_id, sizeof(entry.registration_id), "%s", s->id);
    if (sha256(message, q->rid, e) != 0) {
        return -1;
    }
    memcpy(entry.rid, q->rid, sizeof(entry.rid));
    return cmp_queue_entry_encode(&entry, &q->entry, e);
}

static int
sign_head(const struct sent_by *by, const struct queue_head *h, struct buf *head,
          struct buf *signature, struct err *e)
{
    *head = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    *signature = BUF_INIT(SIGNATURE_MAX);
    return queue_head_format(h, head, e) != 0
               ? -1
               : signer_sign(by->ra_signer, SIGNER_QUEUE_HEAD, buf_span(head), signature, e);
}

int
queued_make(const struct sent_by *by, const struct sent *s, const struct span *messages, size_t n,
            uint64_t first, uint8_t previous[QUEUE_HEAD_ID], struct buf *head,
            struct buf *signature, struct queued *out, struct err *e)
{
    uint8_t leaves[QUEUE_HEAD_SIZE_MAX * MERKLE_HASH];
    struct queue_head h = {.first = first, .size = n, .time = by->now};

    for (size_t i = 0; i < n; i++) {
        struct merkle_hash leaf;

        if (take_entry(&s[i], messages[i], by->now, &out[i], e) != 0) {
            return -1;
        }
        leaf = merkle_leaf(buf_span(&out[i].entry));
        memcpy(leaves + i * MERKLE_HASH, leaf.octets, MERKLE_HASH);
    }
    memcpy(h.ra, by->ra_key, sizeof(h.ra));
    memcpy(h.ca, by->ca, sizeof(h.ca));
    memcpy(h.previous, previous, sizeof(h.previous));
    if (queue_head_root(span_of(leaves, n * MERKLE_HASH), &h.root, e) != 0 ||
        sign_head(by, &h, head, signature, e) != 0 || sha256(buf_span(head), previous, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        struct queued *q = &out[i];

        if (queue_head_path(span_of(leaves, n * MERKLE_HASH), i, &q->path, e) != 0) {
            return -1;
        }
        const struct cmp_submission parts = {.message = messages[i],
                                             .entry = buf_span(&q->entry),
                                             .index = i,
                                             .path = buf_span(&q->path),
                                             .head = buf_span(head),
                                             .signature = buf_span(signature),
                                             .certificate = by->ra_der};
        if (cmp_submission_encode(&parts, &q->whole, e) != 0) {
            return -1;
        }
    }
    return 0;
}
