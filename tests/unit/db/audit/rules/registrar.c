/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations and their ends that a CA claims to have from a registrar. */
#include "db/audit/rules/registrar.h"

#include <string.h>

#include "db/audit/rules/certificate.h"
#include "tests/support/test.h"

#define ID "aabbccddeeff00112233445566778899"
#define OTHER "00000000000000000000000000000000"
#define HASH ID ID

enum { AT = 1790000000 };

static EVP_PKEY *key;
static X509 *certificate;
static char *serial;

static int
setup(void **state)
{
    X509_NAME *name;

    (void)state;
    key = EVP_EC_gen("P-256");
    certificate = X509_new();
    name = X509_get_subject_name(certificate);
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 0x41424344), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)"OAM", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(certificate, name), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), 1));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), 2));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    serial = audit_certificate_serial(certificate);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mem_free(serial);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return 0;
}

static struct leaf *
intent(const char *profile, bool nf)
{
    struct leaf *leaf = leaf_new(LEAF_INTENT, AT);

    leaf_set_text(leaf, "rid", HASH);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_text(leaf, "profile", profile);
    leaf_set_text(leaf, "tbs", HASH);
    leaf_set_time(leaf, "notBefore", AT);
    leaf_set_time(leaf, "notAfter", AT + 1000);
    if (nf) {
        leaf_set_text(leaf, "registration", ID);
    }
    return leaf;
}

static struct leaf *
issued(void)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    struct leaf *leaf = leaf_new(LEAF_ISSUED, AT);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    leaf_set_text(leaf, "rid", HASH);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_base64(leaf, "certificate", buf_span(&der));
    return leaf;
}

static struct leaf *
revoked(void)
{
    struct leaf *leaf = leaf_new(LEAF_REVOKED, AT);

    leaf_set_text(leaf, "serial", serial);
    leaf_set_int(leaf, "reason", 1);
    return leaf;
}

/* `id` is what was signed; a broken signature when `spoiled`. */
static void
sign(struct leaf *leaf, const char *id, bool spoiled)
{
    CLEANUP(mem_cleanup)
    char *text = mem_printf("{\"version\":1,\"cancel\":{\"registrationId\":\"%s\"}}", id);
    CLEANUP(bio_cleanup) BIO *content = BIO_new_mem_buf(text, -1);
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *cms = CMS_sign(certificate, key, NULL, content, CMS_BINARY | CMS_NOSMIMECAP);
    CLEANUP(buf_free) struct buf der = BUF_INIT(8192);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(CMS_ContentInfo, cms, &der, &e), &e);
    der.p[der.n - 1] ^= spoiled ? 1 : 0;
    leaf_set_text(leaf, "registrar", serial);
    leaf_set_base64(leaf, "cms", buf_span(&der));
}

static struct leaf *
registration(bool spoiled)
{
    struct leaf *leaf = leaf_new(LEAF_REGISTRATION, AT);

    leaf_set_text(leaf, "registration", ID);
    leaf_set_text(leaf, "sha256", HASH);
    leaf_set_text(leaf, "nfInstanceId", "6ba7b810-9dad-41d1-80b4-00c04fd430c8");
    leaf_set_text(leaf, "proof", "mac");
    leaf_set_int(leaf, "certificates", 1);
    leaf_set_time(leaf, "notBefore", AT);
    leaf_set_time(leaf, "notAfter", AT + 1000);
    sign(leaf, ID, spoiled);
    return leaf;
}

enum who { NOBODY, OFFICER, REGISTRAR, OF_ANOTHER, SPOILED };

static struct leaf *
end(enum who who)
{
    struct leaf *leaf = leaf_new(LEAF_CANCEL, AT);

    leaf_set_text(leaf, "registration", ID);
    if (who == OFFICER) {
        leaf_set_text(leaf, "by", "uid 0 (root)");
    } else if (who != NOBODY) {
        sign(leaf, who == OF_ANOTHER ? OTHER : ID, who == SPOILED);
    }
    return leaf;
}

/* Takes the leaves, which NULL ends: the last of them is refused, unless `says` is NULL. */
static void
expect(const char *what, struct leaf **leaves, const char *says)
{
    struct audit_registrars *a = audit_registrars_new();
    struct err e = {0};

    for (size_t i = 0; leaves[i] != NULL; i++) {
        bool last = leaves[i + 1] == NULL;

        assert_ok(leaf_seal(leaves[i], &e), &e);
        if (audit_registrars_check(a, leaves[i], &e) != 0) {
            if (!last || says == NULL || strstr(e.text, says) == NULL) {
                fail_msg("%s: leaf %zu: %s", what, i, e.text);
            }
        } else if (last && says != NULL) {
            fail_msg("%s: taken", what);
        }
        leaf_free(leaves[i]);
    }
    audit_registrars_free(a);
}

#define EXPECT(WHAT, SAYS, ...) expect(WHAT, (struct leaf *[]){__VA_ARGS__, NULL}, SAYS)

static void
registrations_and_their_ends_are_a_registrars(void **state)
{
    (void)state;
    EXPECT("as it is", NULL, intent("registrar", false), issued(), registration(false),
           end(REGISTRAR));
    EXPECT("an officer's end", NULL, intent("registrar", false), issued(), registration(false),
           end(OFFICER));
    EXPECT("of before", NULL, end(NOBODY), end(NOBODY), end(OFFICER));
    EXPECT("by nobody", "by nobody", end(OFFICER), end(NOBODY));
    EXPECT("by nobody", "by nobody", intent("registrar", false), issued(), end(REGISTRAR),
           end(NOBODY));
    EXPECT("never certified", "no registrar", registration(false));
    EXPECT("not issued yet", "no registrar", intent("registrar", false), registration(false));
    EXPECT("an officer's certificate", "no registrar", intent("officer", false), issued(),
           registration(false));
    EXPECT("a network function's", "no registrar", intent("registrar", true), issued(),
           registration(false));
    EXPECT("revoked", "no registrar", intent("registrar", false), issued(), revoked(),
           registration(false));
    EXPECT("before it was revoked", NULL, intent("registrar", false), issued(), registration(false),
           revoked());
    EXPECT("spoiled", "does not verify", intent("registrar", false), issued(), registration(true));
    EXPECT("end by an officer's certificate", "no registrar", intent("officer", false), issued(),
           end(REGISTRAR));
    EXPECT("end by a revoked one", "no registrar", intent("registrar", false), issued(), revoked(),
           end(REGISTRAR));
    EXPECT("end of another", "something else", intent("registrar", false), issued(),
           end(OF_ANOTHER));
    EXPECT("spoiled end", "does not verify", intent("registrar", false), issued(), end(SPOILED));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registrations_and_their_ends_are_a_registrars),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
