/* SPDX-License-Identifier: Apache-2.0 */
/* People and programs of the CA, and what two officers sign together. */
#include <string.h>

#include "base/tlog/ra_report.h"
#include "ca/x509/name.h"
#include "ca/x509/serial.h"
#include "db/ledger/leaf.h"
#include "tests/support/history/asked.h"
#include "tests/support/history/private.h"
#include "tests/support/test.h"

enum { DAY = 86400, BEFORE = 300 /* notBefore of certificates */ };

void
history_sign(const struct history_person *p, const char *text, struct leaf *leaf,
             const char *member)
{
    CLEANUP(buf_free) struct buf cms = pki_cms(span_str(text), p->certificate, p->key);

    leaf_set_base64(leaf, member, buf_span(&cms));
}

void
history_acknowledge(struct history *h, const struct history_person *first,
                    const struct history_person *second, const char *reason)
{
    const struct merkle_hash root = merkle_root(&h->edge);
    CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(root.octets, sizeof(root.octets)));
    CLEANUP(mem_cleanup)
    char *text = mem_printf("{\"version\":1,\"kind\":\"acknowledgement\",\"log\":{\"leaves\":%d,"
                            "\"root\":\"%s\"},\"key\":\"%s\",\"line\":41,\"object\":\"T\","
                            "\"sha256\":\"%s\",\"serial\":\"\",\"number\":0,\"reason\":\"%s\"}",
                            (int)h->edge.size, hex, hex, hex, reason);
    struct leaf *leaf = history_leaf(h, LEAF_ACKNOWLEDGED);

    leaf_set_int(leaf, "record", HISTORY_RECORD);
    leaf_set_text(leaf, "key", hex);
    leaf_set_int(leaf, "line", 41);
    leaf_set_text(leaf, "object", "T");
    leaf_set_text(leaf, "sha256", hex);
    leaf_set_text(leaf, "reason", reason);
    history_hash(leaf, "plan", span_str(text));
    leaf_set_text(leaf, "officer", first->serial);
    leaf_set_text(leaf, "secondOfficer", second->serial);
    history_sign(first, text, leaf, "cms");
    history_sign(second, text, leaf, "secondCms");
    history_append(h, leaf);
}

/* INTENT and ISSUED; the leaf is begun by who knows more of it. */
void
history_certificate(struct history *h, struct leaf *intent, const char *rid, X509 *certificate)
{
    unsigned char *der = NULL;
    const int n = i2d_re_X509_tbs(certificate, &der);
    char serial[HISTORY_HEX];
    struct tm end = {0};

    assert_true(n > 0);
    hex_format(serial_of(certificate), serial);
    leaf_set_text(intent, "rid", rid);
    leaf_set_text(intent, "serial", serial);
    history_hash(intent, "tbs", span_of(der, (size_t)n));
    OPENSSL_free(der);
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notBefore(certificate), &end), 1);
    leaf_set_time(intent, "notBefore", timegm(&end));
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end), 1);
    leaf_set_time(intent, "notAfter", timegm(&end));
    history_append(h, intent);
}

void
history_certificate_issued(struct history *h, const char *rid, X509 *certificate)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(8192);
    struct leaf *leaf = history_leaf(h, LEAF_ISSUED);
    char serial[HISTORY_HEX];
    struct err e = {0};

    hex_format(serial_of(certificate), serial);
    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    leaf_set_text(leaf, "rid", rid);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_base64(leaf, "certificate", buf_span(&der));
    history_append(h, leaf);
}

static struct history_person *
person_add(struct history *h, const char *role, X509 *certificate, EVP_PKEY *key)
{
    struct history_person *p = mem_new(sizeof(*p));
    struct leaf *leaf = history_leaf(h, LEAF_INTENT);
    char hex[HISTORY_HEX];

    assert_true(h->n_people < HISTORY_PEOPLE);
    h->people[h->n_people++] = p;
    *p = (struct history_person){.key = key, .certificate = certificate};
    hex_format(serial_of(certificate), p->serial);
    (void)X509_NAME_oneline(X509_get_subject_name(certificate), p->subject, sizeof(p->subject));
    asked_pkcs10(h, key, X509_get_subject_name(certificate), hex);
    leaf_set_text(leaf, "profile", role);
    leaf_set_text(leaf, "by", "uid 0 (root)");
    history_certificate(h, leaf, hex, certificate);
    history_certificate_issued(h, hex, certificate);
    return p;
}

struct history_person *
history_person(struct history *h, const char *role, const char *name, int days)
{
    EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    struct tbs_request request = pki_request(h->pki, NULL, buf_span(&spki));
    struct name subject;
    struct err e = {0};

    assert_ok(name_set(&subject, "SE", "Example Operator", name, &e), &e);
    request.profile = profile_by_name(role);
    request.subject = &subject;
    request.not_before = h->l.now - BEFORE;
    request.not_after = h->l.now + (time_t)days * DAY;
    return person_add(h, role, pki_issue(&request, h->pki->issuing_key), key);
}

void
history_report(struct history *h, const char *lines)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(RA_REPORT_TEXT_MAX);
    CLEANUP(buf_free) struct buf spki = pki_spki(h->ra->key);
    CLEANUP(buf_free) struct buf issuing = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf signature = {0};
    struct ra_report r = {.number = ++h->reports, .from = h->l.now - (time_t)300, .to = h->l.now};
    struct leaf *leaf = history_leaf(h, LEAF_RA_REPORT);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, h->pki->issuing, &issuing, &e), &e);
    assert_ok(sha256(buf_span(&spki), r.ra, &e), &e);
    assert_ok(sha256(buf_span(&issuing), r.ca, &e), &e);
    if (strncmp(lines, "start ", strlen("start ")) != 0) {
        memcpy(r.previous, h->report, sizeof(r.previous));
    }
    assert_ok(ra_report_format(&r, span_str(lines), &text, &e), &e);
    assert_ok(sha256(buf_span(&text), h->report, &e), &e);
    signature = pki_sign(h->ra->key, buf_span(&text));
    history_hash(leaf, "report", buf_span(&text));
    leaf_set_base64(leaf, "text", buf_span(&text));
    leaf_set_base64(leaf, "signature", buf_span(&signature));
    leaf_set_text(leaf, "ra", h->ra->serial);
    history_append(h, leaf);
}

/* ---- a restore ---- */

static void
adopt(struct history *h, char adopted[HISTORY_HEX])
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    const struct nf_identity nf = pki_nf();
    struct tbs_request request = pki_request(h->pki, &nf, buf_span(&spki));
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    struct leaf *leaf = history_leaf(h, LEAF_ADOPTED);
    uint8_t hash[SHA256_SIZE];
    char rid[HISTORY_HEX]; /* nobody knows what it was asked for with */
    struct err e = {0};

    request.not_before = h->l.now - (time_t)30 * DAY;
    request.not_after = h->l.now + (time_t)15 * DAY;
    certificate = pki_issue(&request, h->pki->issuing_key);
    hex_format(serial_of(certificate), adopted);
    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    assert_ok(sha256(buf_span(&der), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), rid);
    leaf_set_text(leaf, "serial", adopted);
    leaf_set_text(leaf, "from", "certificate");
    history_append(h, leaf);
    leaf = history_leaf(h, LEAF_INTENT);
    leaf_set_text(leaf, "profile", "adopted");
    history_certificate(h, leaf, rid, certificate);
    history_certificate_issued(h, rid, certificate);
}

void
history_restored(struct history *h, const struct history_person *first,
                 const struct history_person *second, uint64_t from, char adopted[HISTORY_HEX])
{
    static const char *const none[] = {"registrations", "revocations", "crls",   "abandoned",
                                       "refused",       "void",        "fromCrl"};
    const struct merkle_hash root = merkle_root(&h->edge);
    CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(root.octets, sizeof(root.octets)));
    CLEANUP(mem_cleanup)
    char *plan = mem_printf("{\"version\":1,\"kind\":\"restore\",\"log\":{\"leaves\":%d,"
                            "\"root\":\"%s\"}}",
                            (int)h->edge.size, hex);
    struct leaf *leaf = history_leaf(h, LEAF_RESTORED);

    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        leaf_set_int(leaf, none[i], 0);
    }
    leaf_set_int(leaf, "certificates", 1);
    leaf_set_int(leaf, "record", HISTORY_RECORD);
    leaf_set_int(leaf, "from", (int64_t)from);
    leaf_set_int(leaf, "to", (int64_t)h->edge.size);
    leaf_set_text(leaf, "root", hex);
    history_hash(leaf, "plan", span_str(plan));
    leaf_set_text(leaf, "officer", first->serial);
    leaf_set_text(leaf, "secondOfficer", second->serial);
    leaf_set_int(leaf, "adopted", 1);
    history_sign(first, plan, leaf, "cms");
    history_sign(second, plan, leaf, "secondCms");
    history_append(h, leaf);
    adopt(h, adopted);
}

/* ---- what no code of ours would sign ---- */

static void
hostile_names(X509 *certificate)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    static const char dns[] = HISTORY_HOSTILE_DNS;

    assert_int_equal(ASN1_STRING_set(text, dns, sizeof(dns) - 1), 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    assert_true(sk_GENERAL_NAME_push(names, name) > 0);
    assert_int_equal(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
}

X509 *
history_hostile_certificate(struct history *h, EVP_PKEY *key, int days)
{
    X509 *x = X509_new();
    X509_NAME *subject = X509_get_subject_name(x);
    static const char cn[] = HISTORY_HOSTILE;
    CLEANUP(bn_cleanup) BIGNUM *number = NULL;
    uint8_t serial[SERIAL_SIZE];
    struct err e = {0};

    assert_ok(serial_new(serial, clock_now(), &e), &e);
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_non_null(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)));
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)cn, sizeof(cn) - 1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(h->pki->issuing)), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), h->l.now - BEFORE));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), h->l.now + (time_t)days * DAY));
    assert_int_equal(X509_set_pubkey(x, key), 1);
    hostile_names(x);
    assert_true(X509_sign(x, h->pki->issuing_key, EVP_sha256()) > 0);
    return x;
}

struct history_person *
history_hostile_person(struct history *h)
{
    EVP_PKEY *key = pki_key("P-256");

    return person_add(h, "registrar", history_hostile_certificate(h, key, 300), key);
}
