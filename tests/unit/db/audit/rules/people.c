/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/audit/rules/people.h"

#include <openssl/ec.h>
#include <string.h>

void
people_free(struct people_person *p)
{
    EVP_PKEY_free(p->key);
    X509_free(p->certificate);
}

struct people_person
people_new(uint8_t number, const char *name)
{
    struct people_person p = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
    uint8_t octets[16] = {0x50, number};
    CLEANUP(bn_cleanup) BIGNUM *serial = BN_bin2bn(octets, sizeof(octets), NULL);
    X509_NAME *subject = X509_get_subject_name(p.certificate);

    hex_format(span_of(octets, sizeof(octets)), p.serial);
    assert_int_equal(X509_set_version(p.certificate, X509_VERSION_3), 1);
    assert_non_null(BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(p.certificate)));
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(p.certificate, subject), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(p.certificate), PEOPLE_AT));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(p.certificate), PEOPLE_AT + 9));
    assert_int_equal(X509_set_pubkey(p.certificate, p.key), 1);
    assert_true(X509_sign(p.certificate, p.key, EVP_sha256()) > 0);
    return p;
}

int
people_append(struct people_log *l, struct leaf *leaf, struct err *e)
{
    struct merkle_hash hash;
    int result;

    assert_ok(leaf_seal(leaf, e), e);
    result = audit_restored_check(l->rules, leaf, e);
    memcpy(hash.octets, leaf_hash(leaf), sizeof(hash.octets));
    assert_ok(merkle_append(&l->edge, &hash, NULL, NULL, e), e);
    leaf_free(leaf);
    return result;
}

void
people_certify_one(struct people_log *l, const struct people_person *p, const char *profile)
{
    const uint8_t hash[SHA256_SIZE] = {1};
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    struct leaf *leaf = leaf_new(LEAF_INTENT, PEOPLE_AT);
    struct err e = {0};

    leaf_set_hex(leaf, "rid", span_of(hash, sizeof(hash)));
    leaf_set_text(leaf, "serial", p->serial);
    leaf_set_text(leaf, "profile", profile);
    leaf_set_hex(leaf, "tbs", span_of(hash, sizeof(hash)));
    leaf_set_time(leaf, "notBefore", PEOPLE_AT);
    leaf_set_time(leaf, "notAfter", PEOPLE_AT + 9);
    assert_ok(people_append(l, leaf, &e), &e);
    assert_ok(OSSL_ENCODE(X509, p->certificate, &der, &e), &e);
    leaf = leaf_new(LEAF_ISSUED, PEOPLE_AT);
    leaf_set_hex(leaf, "rid", span_of(hash, sizeof(hash)));
    leaf_set_text(leaf, "serial", p->serial);
    leaf_set_base64(leaf, "certificate", buf_span(&der));
    assert_ok(people_append(l, leaf, &e), &e);
}

void
people_revoke(struct people_log *l, const struct people_person *p)
{
    struct leaf *leaf = leaf_new(LEAF_REVOKED, PEOPLE_AT);
    struct err e = {0};

    leaf_set_text(leaf, "serial", p->serial);
    leaf_set_int(leaf, "reason", 1);
    assert_ok(people_append(l, leaf, &e), &e);
}

void
people_sign(const struct people_person *p, const char *text, struct leaf *leaf, const char *member)
{
    CLEANUP(bio_cleanup) BIO *content = BIO_new_mem_buf(text, -1);
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *cms =
        CMS_sign(p->certificate, p->key, NULL, content, CMS_BINARY | CMS_NOSMIMECAP);
    CLEANUP(buf_free) struct buf der = BUF_INIT(8192);
    struct err e = {0};

    assert_non_null(cms);
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, cms, &der, &e), &e);
    leaf_set_base64(leaf, member, buf_span(&der));
}

void
people_certify(struct people_log *l, const struct people_person people[4])
{
    people_certify_one(l, &people[0], "officer");
    people_certify_one(l, &people[1], "officer");
    people_certify_one(l, &people[2], "registrar");
    people_certify_one(l, &people[3], "officer");
    people_revoke(l, &people[2]);
    assert_int_equal(l->edge.size, PEOPLE_LEAVES);
}

void
people_must(const char *name, const char *says_what, int result, const struct err *e)
{
    if ((result == 0) != (says_what == NULL) ||
        (result != 0 && (e->code != ERR_CRYPTO || strstr(e->text, says_what) == NULL))) {
        fail_msg("%s: %d %s", name, result, e->text);
    }
}
