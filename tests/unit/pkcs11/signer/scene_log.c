/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "tests/unit/pkcs11/signer/scene_log.h"

#include <openssl/ec.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/ossl.h"
#include "pkcs11/algorithm.h"
#include "pkcs11/signer/der.h"

void
scene_log_begin(struct scene_log *log, const char *origin)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(LOG_KEY_SPKI_MAX);
    struct err e = {0};

    memset(log, 0, sizeof(*log));
    log->key = EVP_EC_gen("P-256");
    assert_ok(OSSL_ENCODE(PUBKEY, log->key, &spki, &e), &e);
    assert_ok(log_key_set(&log->pinned, origin, buf_span(&spki), &e), &e);
}

void
scene_log_end(struct scene_log *log)
{
    log_key_free(&log->pinned);
    EVP_PKEY_free(log->key);
    log->key = NULL;
}

uint64_t
scene_log_add(struct scene_log *log, struct span leaf)
{
    assert_true(log->n < SCENE_LOG_MAX);
    log->hashes[log->n] = merkle_leaf(leaf);
    return log->n++;
}

/* merkle_get */
static int
get(void *arg, unsigned level, uint64_t index, struct merkle_hash *out, struct err *e)
{
    const struct scene_log *log = arg;
    struct merkle_edge edge = {0};

    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        assert_ok(merkle_append(&edge, &log->hashes[i], NULL, NULL, e), e);
    }
    *out = merkle_root(&edge);
    return 0;
}

struct merkle_hash
scene_log_root(const struct scene_log *log, uint64_t size)
{
    struct merkle_edge edge = {0};
    struct err e = {0};

    for (uint64_t i = 0; i < size; i++) {
        assert_ok(merkle_append(&edge, &log->hashes[i], NULL, NULL, &e), &e);
    }
    return merkle_root(&edge);
}

void
scene_log_note(const struct scene_log *log, uint64_t size, const struct merkle_hash *root,
               struct buf *note)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct checkpoint c = {.size = size, .root = scene_log_root(log, size)};
    uint8_t signature[128];
    size_t n = sizeof(signature);
    struct err e = {0};

    memcpy(c.origin, log->pinned.origin, sizeof(c.origin));
    c.root = root == NULL ? c.root : *root;
    assert_ok(checkpoint_text(&c, &text, &e), &e);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, log->key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &n, text.p, text.n), 1);
    assert_ok(checkpoint_seal(&log->pinned, buf_span(&text), span_of(signature, n), note, &e), &e);
}

void
scene_log_path(const struct scene_log *log, uint64_t index, uint64_t size, struct buf *path)
{
    struct scene_log copy = *log; /* merkle_get's argument is not const */
    struct merkle_proof proof;
    struct err e = {0};

    buf_truncate(path, 0);
    assert_ok(merkle_prove_inclusion(index, size, get, &copy, &proof, &e), &e);
    for (size_t i = 0; i < proof.n; i++) {
        assert_ok(buf_append(path, span_of(proof.hashes[i].octets, MERKLE_HASH), &e), &e);
    }
}

void
scene_log_growth(const struct scene_log *log, uint64_t from, uint64_t to, struct buf *evidence)
{
    CLEANUP(buf_free)
    struct buf hashes = BUF_INIT((size_t)(SCENE_LOG_MAX + MERKLE_LEVELS) * MERKLE_HASH);
    struct scene_log copy = *log;
    struct merkle_edge edge;
    struct growth g = {.from = from};
    struct err e = {0};

    assert_ok(merkle_edge_load(&edge, from, get, &copy, &e), &e);
    for (unsigned i = 0; i < edge.n; i++) {
        assert_ok(buf_append(&hashes, span_of(edge.subtrees[i].octets, MERKLE_HASH), &e), &e);
    }
    for (uint64_t i = from; i < to; i++) {
        assert_ok(buf_append(&hashes, span_of(log->hashes[i].octets, MERKLE_HASH), &e), &e);
    }
    g.hashes = buf_span(&hashes);
    assert_ok(growth_encode(&g, evidence, &e), &e);
}

/* Where the serial number of ours begins: 16 octets. */
static struct span
serial_of(struct span tbs)
{
    static const uint8_t before[] = {0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x10};
    const uint8_t *at = tbs.n == 0 ? NULL : memmem(tbs.p, tbs.n, before, sizeof(before));

    return at == NULL ? SPAN_LITERAL("none") : span_of(at + sizeof(before), 16);
}

static void
print_time(const ASN1_TIME *time, char out[TIME_TEXT_SIZE])
{
    struct tm tm;

    assert_int_equal(ASN1_TIME_to_tm(time, &tm), 1);
    time_format(timegm(&tm), out);
}

char *
scene_intent(struct span tbs)
{
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(tbs));
    CLEANUP(mem_cleanup) char *hex = NULL;
    CLEANUP(buf_free) struct buf whole = BUF_INIT(tbs.n + 64);
    CLEANUP(x509_cleanup) X509 *x = NULL;
    char from[TIME_TEXT_SIZE] = "2026-02-01T00:00:00Z";
    char to[TIME_TEXT_SIZE] = "2026-03-01T00:00:00Z";
    uint8_t hash[SHA256_SIZE];
    const unsigned char *at;
    struct err e = {0};

    assert_ok(der_wrap_signed(tbs, key_algorithm_identifier(KEY_P256), &whole, &e), &e);
    at = whole.p;
    x = d2i_X509(NULL, &at, (long)whole.n);
    if (x != NULL) { /* some are none on purpose */
        print_time(X509_get0_notBefore(x), from);
        print_time(X509_get0_notAfter(x), to);
    }
    assert_ok(sha256(tbs, hash, &e), &e);
    hex = hex_dup(span_of(hash, sizeof(hash)));
    return mem_printf("{\"approvals\":1,\"kind\":\"INTENT\",\"notAfter\":\"%s\","
                      "\"notBefore\":\"%s\",\"profile\":\"nf\",\"rid\":\"00\","
                      "\"serial\":\"%s\",\"tbs\":\"%s\",\"time\":\"2026-02-01T00:00:00Z\"}",
                      to, from, serial, hex);
}

/* A line for each entry. */
static char *
entries_of(X509_CRL *crl, int *n)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    char *lines = mem_strdup("");

    *n = revoked == NULL ? 0 : sk_X509_REVOKED_num(revoked);
    for (int i = 0; i < *n; i++) {
        const X509_REVOKED *entry = sk_X509_REVOKED_value(revoked, i);
        const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(entry);
        CLEANUP(mem_cleanup)
        char *hex =
            hex_dup(span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
        ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
        char date[TIME_TEXT_SIZE];
        char *longer;

        print_time(X509_REVOKED_get0_revocationDate(entry), date);
        longer = mem_printf("%s%s %s %ld\n", lines, hex, date,
                            reason == NULL ? 0 : ASN1_ENUMERATED_get(reason));
        ASN1_ENUMERATED_free(reason);
        mem_free(lines);
        lines = longer;
    }
    return lines;
}

char *
scene_crl_intent(struct span tbs)
{
    CLEANUP(buf_free) struct buf whole = BUF_INIT(tbs.n + 64);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *number = NULL;
    CLEANUP(mem_cleanup) char *lines = NULL;
    CLEANUP(mem_cleanup) char *hex = NULL;
    CLEANUP(mem_cleanup) char *digest = NULL;
    char from[TIME_TEXT_SIZE];
    char to[TIME_TEXT_SIZE];
    uint8_t hash[SHA256_SIZE];
    const unsigned char *at;
    struct err e = {0};
    int n;

    assert_ok(der_wrap_signed(tbs, key_algorithm_identifier(KEY_P256), &whole, &e), &e);
    at = whole.p;
    crl = d2i_X509_CRL(NULL, &at, (long)whole.n);
    assert_non_null(crl);
    number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    print_time(X509_CRL_get0_lastUpdate(crl), from);
    print_time(X509_CRL_get0_nextUpdate(crl), to);
    lines = entries_of(crl, &n);
    assert_ok(sha256(tbs, hash, &e), &e);
    hex = hex_dup(span_of(hash, sizeof(hash)));
    assert_ok(sha256(span_str(lines), hash, &e), &e);
    digest = hex_dup(span_of(hash, sizeof(hash)));
    return mem_printf("{\"entries\":%d,\"kind\":\"CRL-INTENT\",\"nextUpdate\":\"%s\","
                      "\"number\":%ld,\"revocations\":\"%s\",\"tbs\":\"%s\","
                      "\"thisUpdate\":\"%s\",\"upTo\":7}",
                      n, to, number == NULL ? 0 : ASN1_INTEGER_get(number), digest, hex, from);
}

void
scene_log_announce_leaf(struct scene_log *log, const char *leaf, struct buf *evidence)
{
    CLEANUP(buf_free) struct buf note = BUF_INIT(EVIDENCE_NOTE_MAX);
    CLEANUP(buf_free) struct buf path = BUF_INIT(EVIDENCE_PATH_MAX);
    struct evidence v = {.leaf = span_str(leaf)};
    struct err e = {0};

    v.index = scene_log_add(log, v.leaf);
    scene_log_note(log, log->n, NULL, &note);
    scene_log_path(log, v.index, log->n, &path);
    v.note = buf_span(&note);
    v.path = buf_span(&path);
    assert_ok(evidence_encode(&v, evidence, &e), &e);
}

void
scene_log_announce(struct scene_log *log, struct span tbs, struct buf *evidence)
{
    CLEANUP(mem_cleanup) char *leaf = scene_intent(tbs);

    scene_log_announce_leaf(log, leaf, evidence);
}

void
scene_log_announce_crl(struct scene_log *log, struct span tbs, struct buf *evidence)
{
    CLEANUP(mem_cleanup) char *leaf = scene_crl_intent(tbs);

    scene_log_announce_leaf(log, leaf, evidence);
}
