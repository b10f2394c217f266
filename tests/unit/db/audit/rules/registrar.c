/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations and their ends that a CA claims to have from a registrar. */
#include "db/audit/rules/registrar.h"

#include <string.h>

#include "ca/registration/batch.h"
#include "db/audit/der/certificate.h"
#include "tests/support/test.h"

#define ID "aabbccddeeff00112233445566778899"
#define OTHER "00000000000000000000000000000000"
#define HASH ID ID

enum { AT = 1790000000, LIFE = 5000 };

static int64_t version = 2; /* of the record */

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
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), AT - LIFE));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), AT + LIFE));
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

static struct buf
sign_text(struct span text, bool spoiled)
{
    CLEANUP(bio_cleanup) BIO *content = BIO_new_mem_buf(text.p, (int)text.n);
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *cms = CMS_sign(certificate, key, NULL, content, CMS_BINARY | CMS_NOSMIMECAP);
    struct buf der = BUF_INIT(8192);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(CMS_ContentInfo, cms, &der, &e), &e);
    der.p[der.n - 1] ^= spoiled ? 1 : 0;
    return der;
}

/* `id` is what was signed; a broken signature when `spoiled`. */
static void
sign(struct leaf *leaf, const char *id, bool spoiled)
{
    CLEANUP(mem_cleanup)
    char *text = mem_printf("{\"version\":1,\"cancel\":{\"registrationId\":\"%s\"}}", id);
    CLEANUP(buf_free) struct buf der = sign_text(span_str(text), spoiled);

    leaf_set_text(leaf, "registrar", serial);
    leaf_set_base64(leaf, "cms", buf_span(&der));
}

/* ---- a registration ---- */

#define NF "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
#define DOCUMENT(NF_, PROOF, FROM, UNTIL, MORE)                                                    \
    "{\"version\":1,\"nfInstanceId\":\"" NF_ "\",\"proof\":{\"kind\":\"" PROOF                     \
    "\"},\"notBefore\":\"" FROM "\",\"notAfter\":\"" UNTIL "\"" MORE "}"
#define FROM "2026-09-21T14:13:20Z" /* AT */
#define UNTIL "2026-09-21T14:30:00Z"
#define SIGNED DOCUMENT(NF, "mac", FROM, UNTIL, ",\"certificates\":2")

/* The leaf that says SIGNED, of this evidence. */
static struct leaf *
registration_of(const char *member, struct span evidence, time_t at)
{
    struct leaf *leaf = leaf_new(LEAF_REGISTRATION, at);
    uint8_t hash[SHA256_SIZE] = {0};
    struct err e = {0};

    assert_ok(sha256(evidence, hash, &e), &e);
    leaf_set_hex(leaf, "registration", span_of(hash, sizeof(hash) / 2));
    leaf_set_hex(leaf, "sha256", span_of(hash, sizeof(hash)));
    leaf_set_text(leaf, "nfInstanceId", NF);
    leaf_set_text(leaf, "proof", "mac");
    leaf_set_int(leaf, "certificates", 2);
    leaf_set_time(leaf, "notBefore", AT);
    leaf_set_time(leaf, "notAfter", AT + 1000);
    leaf_set_text(leaf, "registrar", serial);
    if (member != NULL) {
        leaf_set_base64(leaf, member, evidence);
    }
    return leaf;
}

static struct leaf *
registration_at(const char *document, bool spoiled, time_t at)
{
    CLEANUP(buf_free) struct buf der = sign_text(span_str(document), spoiled);

    return registration_of("cms", buf_span(&der), at);
}

static struct leaf *
registration(bool spoiled)
{
    return registration_at(SIGNED, spoiled, AT);
}

static struct leaf *
bare(void)
{
    return registration_of(NULL, SPAN_LITERAL("kept elsewhere"), AT);
}

/* Under the name of other octets. */
static struct leaf *
misnamed(const char *member, const char *name)
{
    struct leaf *leaf = registration(false);

    leaf_set_text(leaf, member, name);
    return leaf;
}

/* ---- one of many ---- */

enum element {
    OF_BATCH,
    NEXT_OF_BATCH,
    NOT_SIGNED, /* the document is another one */
    BAD_MANIFEST,
    NO_MANIFEST, /* what is signed is something else */
    TOO_LONG,
};

/* By the CA's own code, which is not the auditor's. */
static struct leaf *
one_of(enum element what)
{
    CLEANUP(batch_cleanup) struct batch *b = NULL;
    CLEANUP(mem_cleanup) char *manifest = NULL;
    CLEANUP(buf_free) struct buf cms = {0};
    CLEANUP(buf_free) struct buf element = BUF_INIT(16384);
    struct err e = {0};

    b = batch_new(SPAN_LITERAL("{}\n" SIGNED "\n" SIGNED "\n{}\n{}\n"), &e);
    assert_non_null(b);
    manifest = what == NO_MANIFEST ? mem_strdup("{}") : batch_manifest_format(b);
    cms = sign_text(span_str(manifest), what == BAD_MANIFEST);
    assert_ok(batch_element(b, buf_span(&cms), what == NEXT_OF_BATCH ? 2 : 1, &element, &e), &e);
    if (what == NOT_SIGNED) {
        element.p[element.n - 3] ^= 1; /* of its number of certificates */
    } else if (what == TOO_LONG) {
        assert_ok(buf_append(&element, span_of("", 1), &e), &e);
    }
    return registration_of("batch", buf_span(&element), AT);
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
        if (audit_registrars_check(a, version, leaves[i], &e) != 0) {
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

#define REGISTRAR_ intent("registrar", false), issued()

static void
a_registration_says_what_was_signed(void **state)
{
    static const struct {
        const char *document;
        const char *says;
    } rows[] = {
        {SIGNED, NULL},
        {DOCUMENT("6BA7B810-9DAD-41D1-80B4-00C04FD430C8", "mac", FROM, UNTIL,
                  ",\"certificates\":2"),
         NULL},
        {DOCUMENT(NF, "mac", FROM, UNTIL, ""), "something else"}, /* one */
        {DOCUMENT(NF, "mac", FROM, UNTIL, ",\"certificates\":3"), "something else"},
        {DOCUMENT(NF, "mac", FROM, UNTIL, ",\"certificates\":\"2\""), "something else"},
        {DOCUMENT(NF, "publicKey", FROM, UNTIL, ",\"certificates\":2"), "something else"},
        {DOCUMENT(NF, "mac", UNTIL, UNTIL, ",\"certificates\":2"), "something else"},
        {DOCUMENT(NF, "mac", FROM, FROM, ",\"certificates\":2"), "something else"},
        {DOCUMENT(NF, "mac", FROM, "never", ",\"certificates\":2"), "something else"},
        {DOCUMENT("6ba7b810-9dad-41d1-80b4-00c04fd430c9", "mac", FROM, UNTIL,
                  ",\"certificates\":2"),
         "something else"},
        {DOCUMENT(NF, "mac", FROM, UNTIL, ",\"certificates\":2,\"supersedes\":\"" ID "\""),
         "something else"},
        {"{}", "something else"},
        {"no JSON", "something else"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        EXPECT(rows[i].document, rows[i].says, REGISTRAR_,
               registration_at(rows[i].document, false, AT));
    }
    EXPECT("another sha256", "under the name of other octets", REGISTRAR_,
           misnamed("sha256", HASH));
    EXPECT("another registration", "under the name of other octets", REGISTRAR_,
           misnamed("registration", ID));
    EXPECT("none", "does not have what was signed", REGISTRAR_, bare());
    version = 1;
    EXPECT("none, once", NULL, REGISTRAR_, bare());
    version = 2;
}

static void
a_registrar_signs_within_its_time(void **state)
{
    (void)state;
    EXPECT("its last second", NULL, REGISTRAR_, registration_at(SIGNED, false, AT + LIFE));
    EXPECT("too late", "no registrar then", REGISTRAR_,
           registration_at(SIGNED, false, AT + LIFE + 1));
    EXPECT("too early", "no registrar then", REGISTRAR_,
           registration_at(SIGNED, false, AT - LIFE - 1));
}

static void
one_of_many_is_what_was_signed_for_all(void **state)
{
    (void)state;
    EXPECT("two of a batch", NULL, REGISTRAR_, one_of(OF_BATCH), one_of(NEXT_OF_BATCH));
    EXPECT("another document", "not of the batch that was signed", REGISTRAR_, one_of(OF_BATCH),
           one_of(NOT_SIGNED));
    EXPECT("a spoiled manifest", "does not verify", REGISTRAR_, one_of(BAD_MANIFEST));
    EXPECT("no manifest", "no manifest of a batch", REGISTRAR_, one_of(NO_MANIFEST));
    EXPECT("octets behind", "no element of a batch", REGISTRAR_, one_of(TOO_LONG));
    EXPECT("no registrar's", "no registrar", intent("officer", false), issued(), one_of(OF_BATCH));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registrations_and_their_ends_are_a_registrars),
        cmocka_unit_test(a_registration_says_what_was_signed),
        cmocka_unit_test(a_registrar_signs_within_its_time),
        cmocka_unit_test(one_of_many_is_what_was_signed_for_all),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
