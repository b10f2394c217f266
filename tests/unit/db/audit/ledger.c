/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/audit/ledger.h"

#include <openssl/ec.h>
#include <string.h>

#include "base/tlog/queue_head.h"
#include "base/tlog/ra_report.h"
#include "db/audit/der/certificate.h"
#include "db/issuance/issuance.h"
#include "tests/support/tbs_hash.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/audit/rules/ra.h"

enum { START = 1800000000, REPORTED = 6 };

void
audit_ledger_end(struct audit_ledger *l)
{
    ledger_free(l->ledger);
    store_free(l->store);
    EVP_PKEY_free(l->key);
    buf_free(&l->spki);
    mem_free(l->dir);
    tmpdir_remove(l->base);
}

void
audit_ledger_begin(struct audit_ledger *l)
{
    audit_ledger_begin_with(l, NULL);
}

void
audit_ledger_begin_with(struct audit_ledger *l, ledger_message *message)
{
    struct err e = {0};
    CLEANUP(mem_cleanup) char *path = NULL;
    struct store_options store = {.application = 0x6e664341,
                                  .schemas = {ledger_migrations, issuance_migrations}};
    struct ledger_options options = {.origin = "nfpki.test/audit", .message = message};

    *l = (struct audit_ledger){.base = tmpdir_new(), .now = START, .spki = BUF_INIT(256)};
    l->dir = mem_printf("%s/ledger", l->base);
    path = mem_printf("%s/ca.db", l->base);
    store.path = path;
    l->store = store_open(&store, &e);
    if (l->store == NULL) {
        fail_msg("%s", e.text);
    }
    l->key = EVP_EC_gen("P-256");
    assert_non_null(l->key);
    assert_ok(OSSL_ENCODE(PUBKEY, l->key, &l->spki, &e), &e);
    options.dir = l->dir;
    options.spki = buf_span(&l->spki);
    l->ledger = ledger_new(&options, &e);
    if (l->ledger == NULL) {
        fail_msg("%s", e.text);
    }
    assert_ok(ledger_start(l->ledger, l->store, &e), &e);
}

struct leaf *
audit_ledger_leaf(struct audit_ledger *l, enum leaf_kind kind)
{
    return leaf_new(kind, l->now++);
}

struct append {
    struct store_op op;
    struct leaf *leaf;
    uint64_t index;
};

static int
append_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct append *a = CONTAINER_OF(op, struct append, op);

    return ledger_append(db, a->leaf, &a->index, e);
}

uint64_t
audit_ledger_append(struct audit_ledger *l, struct leaf *leaf)
{
    struct append a = {.op.run = append_run, .leaf = leaf};
    struct err e = {0};

    assert_ok(store_call(l->store, &a.op, &e), &e);
    leaf_free(leaf);
    return a.index;
}

struct refuse {
    struct store_op op;
    struct audit_ledger *l;
    const char *rid;
    unsigned n;
};

static int
refuse_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct refuse *r = CONTAINER_OF(op, struct refuse, op);
    uint64_t index;

    for (unsigned i = 0; i < r->n; i++) {
        struct leaf *leaf = audit_ledger_leaf(r->l, LEAF_REFUSAL);

        leaf_set_text(leaf, "rid", r->rid);
        leaf_set_int(leaf, "failInfo", 2);
        leaf_set_text(leaf, "reason", "once more");
        assert_ok(ledger_append(db, leaf, &index, e), e);
        leaf_free(leaf);
    }
    return 0;
}

void
audit_ledger_refuse(struct audit_ledger *l, const char *rid, unsigned n)
{
    struct refuse r = {.op.run = refuse_run, .l = l, .rid = rid, .n = n};
    struct err e = {0};

    assert_ok(store_call(l->store, &r.op, &e), &e);
}

void
audit_ledger_publish(struct audit_ledger *l)
{
    struct ledger_op op;
    struct err e = {0};
    uint8_t signature[80];
    size_t n = sizeof(signature);
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();

    ledger_prepare_op(&op, l->ledger);
    assert_ok(store_call(l->store, &op.op, &e), &e);
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, l->key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &n, op.note.p, op.note.n), 1);
    ledger_publish_op(&op, l->ledger, span_of(signature, n));
    assert_ok(store_call(l->store, &op.op, &e), &e);
    ledger_op_free(&op);
}

void
audit_ledger_register(struct audit_ledger *l, const char *registrar)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_REGISTRATION);

    leaf_set_text(leaf, "registration", AUDIT_REGISTRATION);
    leaf_set_text(leaf, "sha256", AUDIT_REGISTRATION AUDIT_REGISTRATION);
    leaf_set_text(leaf, "nfInstanceId", AUDIT_NF);
    leaf_set_text(leaf, "registrar", registrar);
    leaf_set_text(leaf, "proof", "mac");
    leaf_set_int(leaf, "certificates", 1);
    leaf_set_time(leaf, "notBefore", START);
    leaf_set_time(leaf, "notAfter", START + 86400);
    (void)audit_ledger_append(l, leaf);
}

/* No text format of OpenSSL's has octets that are no UTF-8. */
static void
spoil(ASN1_OCTET_STRING *value)
{
    CLEANUP(mem_cleanup)
    uint8_t *octets = mem_dup(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));

    for (int i = 0; i < ASN1_STRING_length(value); i++) {
        octets[i] = octets[i] == '^' ? 0xff : octets[i];
    }
    assert_int_equal(ASN1_STRING_set(value, octets, ASN1_STRING_length(value)), 1);
}

/* A certificate of this serial, signed by the key of the test. */
static X509 *
certificate_new(struct audit_ledger *l, const uint8_t serial[16], bool nf)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_NAME_new();
    CLEANUP(bn_cleanup) BIGNUM *number = BN_bin2bn(serial, 16, NULL);
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *names = X509V3_EXT_nconf_nid(
        NULL, NULL, NID_subject_alt_name,
        l->alt_names != NULL ? l->alt_names : "DNS:amf1.5gc.example,URI:urn:uuid:" AUDIT_NF);

    assert_non_null(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)));
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(
                         name, "O", MBSTRING_UTF8,
                         (const unsigned char *)(nf ? "5gc.example" : "Registrar One"), -1, -1, 0),
                     1);
    assert_int_equal(X509_set_subject_name(certificate, name), 1);
    assert_int_equal(X509_set_issuer_name(certificate, name), 1);
    X509_NAME_free(name);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), START));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), START + 86400));
    if (l->no_time) {
        assert_int_equal(ASN1_STRING_set(X509_getm_notAfter(certificate), "991399000000Z", 13), 1);
    }
    assert_int_equal(X509_set_pubkey(certificate, l->key), 1);
    assert_non_null(names);
    if (l->alt_names != NULL) {
        spoil(X509_EXTENSION_get_data(names));
    }
    assert_int_equal(X509_add_ext(certificate, names, -1), 1);
    assert_true(X509_sign(certificate, l->key, EVP_sha256()) > 0);
    return certificate;
}

static void
request_append(struct audit_ledger *l, const struct audit_enrolment *enrolment, unsigned number)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_REQUEST);

    leaf_set_text(leaf, "rid", enrolment->rid);
    leaf_set_text(leaf, "registration", AUDIT_REGISTRATION);
    leaf_set_text(leaf, "profile", "nf-tls");
    leaf_set_text(leaf, "assurance", "mac");
    leaf_set_int(leaf, "qseq", number);
    (void)audit_ledger_append(l, leaf);
}

static void
intent_append(struct audit_ledger *l, struct audit_enrolment *enrolment, X509 *certificate, bool nf)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_INTENT);
    unsigned char *tbs = NULL;
    int n = i2d_re_X509_tbs(certificate, &tbs);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_true(n > 0);
    assert_ok(sha256(span_of(tbs, (size_t)n), hash, &e), &e);
    OPENSSL_free(tbs);
    leaf_set_text(leaf, "rid", enrolment->rid);
    leaf_set_text(leaf, "serial", enrolment->serial);
    leaf_set_text(leaf, "profile", nf ? "nf-tls" : "registrar");
    leaf_set_hex(leaf, "tbs", span_of(hash, sizeof(hash)));
    leaf_set_time(leaf, "notBefore", START);
    leaf_set_time(leaf, "notAfter", START + 86400);
    if (nf) {
        leaf_set_text(leaf, "nfInstanceId", AUDIT_NF);
        leaf_set_text(leaf, "registration", AUDIT_REGISTRATION);
        leaf_set_text(leaf, "assurance", "mac");
    }
    enrolment->intent = audit_ledger_append(l, leaf);
}

X509 *
audit_ledger_certify(struct audit_ledger *l, unsigned number, bool nf,
                     struct audit_enrolment *enrolment)
{
    uint8_t octets[32] = {0x5a, (uint8_t)(number >> 8), (uint8_t)number, 7};
    X509 *certificate = certificate_new(l, octets, nf);
    struct err e = {0};

    *enrolment = (struct audit_enrolment){.certificate = BUF_INIT(4096)};
    hex_format(span_of(octets, 16), enrolment->serial);
    octets[0] = 0xee;
    hex_format(span_of(octets, 32), enrolment->rid);
    assert_ok(OSSL_ENCODE(X509, certificate, &enrolment->certificate, &e), &e);
    return certificate;
}

void
audit_ledger_enrol(struct audit_ledger *l, unsigned number, bool nf,
                   struct audit_enrolment *enrolment)
{
    CLEANUP(x509_cleanup) X509 *certificate = audit_ledger_certify(l, number, nf, enrolment);
    struct leaf *leaf;

    if (nf) {
        request_append(l, enrolment, number);
    }
    intent_append(l, enrolment, certificate, nf);
    leaf = audit_ledger_leaf(l, LEAF_ISSUED);
    leaf_set_text(leaf, "rid", enrolment->rid);
    leaf_set_text(leaf, "serial", enrolment->serial);
    leaf_set_base64(leaf, "certificate", buf_span(&enrolment->certificate));
    enrolment->issued = audit_ledger_append(l, leaf);
}

uint64_t
audit_ledger_about(struct audit_ledger *l, enum leaf_kind kind,
                   const struct audit_enrolment *enrolment)
{
    struct leaf *leaf = audit_ledger_leaf(l, kind);

    leaf_set_text(leaf, "serial", enrolment->serial);
    if (kind == LEAF_REVOKED) {
        leaf_set_int(leaf, "reason", 1);
        leaf_set_text(leaf, "by", "officer\x1b[2J");
    } else {
        leaf_set_text(leaf, "rid", enrolment->rid);
    }
    if (kind == LEAF_REJECTED) {
        leaf_set_text(leaf, "reason", "not wanted");
    }
    return audit_ledger_append(l, leaf);
}

/* ---- an RA ---- */

#define RA_RID AUDIT_REGISTRATION AUDIT_REGISTRATION

static void
ra_append(struct audit_ledger *l, const struct audit_ra *ra)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    struct err e = {0};
    CLEANUP(mem_cleanup) char *tbs = test_tbs_hash(ra->certificate);
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_INTENT);

    assert_non_null(tbs);
    leaf_set_text(leaf, "rid", RA_RID);
    leaf_set_text(leaf, "serial", ra->serial);
    leaf_set_text(leaf, "profile", "ra-cmp");
    leaf_set_text(leaf, "tbs", tbs);
    leaf_set_time(leaf, "notBefore", START);
    leaf_set_time(leaf, "notAfter", START + 86400);
    (void)audit_ledger_append(l, leaf);
    leaf = audit_ledger_leaf(l, LEAF_ISSUED);
    assert_ok(OSSL_ENCODE(X509, ra->certificate, &der, &e), &e);
    leaf_set_text(leaf, "rid", RA_RID);
    leaf_set_text(leaf, "serial", ra->serial);
    leaf_set_base64(leaf, "certificate", buf_span(&der));
    (void)audit_ledger_append(l, leaf);
}

static void
head_append(struct audit_ledger *l, const struct audit_ra *ra, uint64_t first)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    struct queue_head h = {.first = first, .size = 2, .time = START};
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_QUEUE_HEAD);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    memcpy(h.ra, ra->key_hash, sizeof(h.ra));
    assert_ok(hex_parse(RA_RID, h.ca, sizeof(h.ca), &e), &e);
    assert_ok(queue_head_format(&h, &text, &e), &e);
    assert_ok(sha256(buf_span(&text), hash, &e), &e);
    leaf_set_hex(leaf, "head", span_of(hash, sizeof(hash)));
    leaf_set_base64(leaf, "text", buf_span(&text));
    leaf_set_text(leaf, "ra", ra->serial);
    audit_ra_sign(ra->key, false, buf_span(&text), leaf);
    (void)audit_ledger_append(l, leaf);
}

static void
start_append(struct audit_ledger *l, int version)
{
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_START);

    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "0");
    leaf_set_text(leaf, "config", RA_RID);
    leaf_set_bool(leaf, "softwareToken", false);
    leaf_set_text(leaf, "issuer", RA_RID);
    leaf_set_int(leaf, "record", version);
    if (version >= REPORTED) {
        leaf_set_text(leaf, "root", RA_RID);
        leaf_set_text(leaf, "logKey", RA_RID);
    }
    (void)audit_ledger_append(l, leaf);
}

void
audit_ledger_two_heads(struct audit_ledger *l)
{
    struct audit_ra ra = audit_ra_new(EVP_EC_gen("P-256"), 0x41424344, START, START + 86400);

    start_append(l, 2);
    ra_append(l, &ra);
    head_append(l, &ra, 1);
    head_append(l, &ra, 2);
    audit_ra_end(&ra);
}

static void
report_append(struct audit_ledger *l, const struct audit_ra *ra, uint64_t number, const char *lines)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(RA_REPORT_TEXT_MAX);
    struct ra_report r = {.number = number, .from = START, .to = START};
    struct leaf *leaf = audit_ledger_leaf(l, LEAF_RA_REPORT);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    r.previous[0] = number > 1 ? 1 : 0; /* of a text that nobody has */
    memcpy(r.ra, ra->key_hash, sizeof(r.ra));
    assert_ok(hex_parse(RA_RID, r.ca, sizeof(r.ca), &e), &e);
    assert_ok(ra_report_format(&r, span_str(lines), &text, &e), &e);
    assert_ok(sha256(buf_span(&text), hash, &e), &e);
    leaf_set_hex(leaf, "report", span_of(hash, sizeof(hash)));
    leaf_set_base64(leaf, "text", buf_span(&text));
    leaf_set_text(leaf, "ra", ra->serial);
    audit_ra_sign(ra->key, false, buf_span(&text), leaf);
    (void)audit_ledger_append(l, leaf);
}

void
audit_ledger_lost_report(struct audit_ledger *l)
{
    struct audit_ra ra = audit_ra_new(EVP_EC_gen("P-256"), 0x41424344, START, START + 86400);

    start_append(l, REPORTED - 1);
    ra_append(l, &ra);
    start_append(l, REPORTED);
    report_append(l, &ra, 1, "start 2027-01-15T08:00:00Z 1 " RA_RID " " RA_RID "\n");
    report_append(l, &ra, 3, "others 1 2\n");
    audit_ra_end(&ra);
}
