/* SPDX-License-Identifier: Apache-2.0 */
/* What network functions and people ask with: real messages, which leaves name by their hash. */
#include "tests/support/history/asked.h"

#include <openssl/obj_mac.h>

#include "db/store/store.h"
#include "tests/support/history/private.h"
#include "tests/support/test.h"

enum { ITERATIONS = 500, YEAR = 366 * 86400 };

/* ---- kept ---- */

struct keep {
    struct store_op op;
    struct span octets;
    uint8_t sha256[SHA256_SIZE];
};

static int
table_run(struct store_op *op, struct store_db *db, struct err *e)
{
    (void)op;
    return store_exec(db, "CREATE TABLE told (sha256 BLOB PRIMARY KEY, octets BLOB NOT NULL)",
                      STORE_NO_VALUES, e);
}

void
asked_begin(struct history *h)
{
    struct store_op op = {.run = table_run};
    struct err e = {0};

    assert_ok(store_call(h->l.store, &op, &e), &e);
    h->algorithm = BUF_INIT(256);
    assert_ok(cmp_client_pbm(NID_sha256, ITERATIONS, NID_hmacWithSHA256, &h->algorithm, &e), &e);
}

int
asked_message(struct store_db *db, const struct message *named, struct buf *out, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    bool row;

    if (store_query(db, &rows, "SELECT octets FROM told WHERE sha256 = ?",
                    STORE_VALUES(store_blob(span_of(named->sha256, SHA256_SIZE))), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    return buf_set(out, row ? row_blob(&rows, 0) : span_of(NULL, 0), e);
}

static int
keep_run(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct keep *k = CONTAINER_OF(op, struct keep, op);

    return store_exec(
        db, "INSERT OR IGNORE INTO told VALUES (?, ?)",
        STORE_VALUES(store_blob(span_of(k->sha256, SHA256_SIZE)), store_blob(k->octets)), e);
}

static void
keep(struct history *h, struct span octets, char hash[HISTORY_HEX])
{
    struct keep k = {.op.run = keep_run, .octets = octets};
    struct err e = {0};

    assert_ok(sha256(octets, k.sha256, &e), &e);
    hex_format(span_of(k.sha256, sizeof(k.sha256)), hash);
    assert_ok(store_call(h->l.store, &k.op, &e), &e);
}

/* ---- who asks ---- */

/* A certificate by nobody for what a device is pinned by. */
static X509 *
self_signed(EVP_PKEY *key, time_t from)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);

    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)"device", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(x, name), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), from));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), from + YEAR));
    assert_int_equal(X509_set_pubkey(x, key), 1);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

void
asked_pin(struct history *h, struct history_nf *nf, const char *proof, char hash[HISTORY_HEX])
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *device = self_signed(key, h->l.now);
    CLEANUP(buf_free) struct buf der = pki_spki(key);
    uint8_t octets[SHA256_SIZE];
    struct err e = {0};

    if (strcmp(proof, "certificate") == 0) {
        buf_free(&der);
        der = BUF_INIT(4096);
        assert_ok(OSSL_ENCODE(X509, device, &der, &e), &e);
    }
    assert_ok(sha256(buf_span(&der), octets, &e), &e);
    hex_format(span_of(octets, sizeof(octets)), hash);
    asked_as(nf, device, key);
}

void
asked_as(struct history_nf *nf, X509 *certificate, EVP_PKEY *key)
{
    X509 *before = nf->asks_with;
    EVP_PKEY *key_before = nf->asks_by;

    assert_true(certificate == NULL || X509_up_ref(certificate) == 1);
    assert_true(key == NULL || EVP_PKEY_up_ref(key) == 1);
    nf->asks_with = certificate;
    nf->asks_by = key;
    X509_free(before);
    EVP_PKEY_free(key_before);
}

bool
asked_by_signature(const struct history_nf *nf)
{
    return nf->asks_with != NULL;
}

static struct cmp_client
client_of(const struct history *h, const struct history_nf *nf, time_t at)
{
    return (struct cmp_client){.reference = nf->registration,
                               .secret = SPAN_LITERAL("a secret that the RA alone has"),
                               .algorithm = buf_span(&h->algorithm),
                               .certificate = nf->asks_with,
                               .key = nf->asks_by,
                               .recipient = X509_get_subject_name(h->pki->issuing),
                               .time = at};
}

/* ---- what they ask ---- */

struct buf
asked_request(struct history *h, struct history_nf *nf, enum cmp_body body, EVP_PKEY *key,
              char hash[HISTORY_HEX])
{
    const struct cmp_client client = client_of(h, nf, h->l.now - 1);
    struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(
        cmp_client_request(&client, body, key,
                           nf->certificate == NULL ? NULL : X509_get_subject_name(nf->certificate),
                           &nf->state, &message, &e),
        &e);
    keep(h, buf_span(&message), hash);
    return message;
}

void
asked_certconf(struct history *h, struct history_nf *nf, bool accept, char hash[HISTORY_HEX])
{
    const struct cmp_client client = client_of(h, nf, 0);
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_certconf(&client, nf->certificate, accept, &nf->state, &message, &e), &e);
    keep(h, buf_span(&message), hash);
}

void
asked_rr(struct history *h, struct history_nf *nf, X509 *certificate, int reason,
         char hash[HISTORY_HEX])
{
    const struct cmp_client client = client_of(h, nf, h->l.now - 1);
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_rr(&client, certificate, reason, &nf->state, &message, &e), &e);
    keep(h, buf_span(&message), hash);
}

void
asked_pkcs10(struct history *h, EVP_PKEY *key, const X509_NAME *subject, char hash[HISTORY_HEX])
{
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(cmp_client_pkcs10(key, subject, NULL, &message, &e), &e);
    keep(h, buf_span(&message), hash);
}
