/* SPDX-License-Identifier: Apache-2.0 */
/* Who signed a registration, and in which envelope. */
#include "ca/registration/registration.h"

#include <openssl/pem.h>
#include <string.h>

#include "ca/x509/name.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/unit/ca/registration/members.h"

enum { DAY = 24 * 60 * 60, CMS_MAX = 128 * 1024 };

struct fixture {
    struct pki *pki;
    EVP_PKEY *key;
    X509 *registrar;
    struct buf json;
    struct buf cms;
};

static int
make(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));

    f->pki = pki_new("P-384", "P-256");
    f->key = pki_key("P-256");
    f->registrar = pki_issue_officer(f->pki, "registrar", f->key);
    f->json = members_json(NULL, NULL);
    f->cms = pki_cms(buf_span(&f->json), f->registrar, f->key);
    *state = f;
    return 0;
}

static int
drop(void **state)
{
    struct fixture *f = *state;

    pki_free(f->pki);
    EVP_PKEY_free(f->key);
    X509_free(f->registrar);
    buf_free(&f->json);
    buf_free(&f->cms);
    mem_free(f);
    return 0;
}

static struct registration_signed *
verified(const struct fixture *f, struct span cms, struct err *e)
{
    return registration_verify(cms, f->pki->issuing, f->pki->root, PKI_NOW, NULL, NULL, e);
}

static void
a_signed_registration_verifies_and_is_named_by_its_hash(void **state)
{
    const struct fixture *f = *state;
    struct err e = {0};
    CLEANUP(registration_signed_cleanup)
    struct registration_signed *r = verified(f, buf_span(&f->cms), &e);
    uint8_t hash[SHA256_SIZE];
    char id[2 * 16 + 1];

    assert_non_null(r);
    assert_ok(sha256(buf_span(&f->cms), hash, &e), &e);
    hex_format(span_of(hash, 16), id);
    assert_string_equal(r->id, id);
    assert_ok(sha256(buf_span(&f->json), hash, &e), &e);
    assert_memory_equal(r->content_hash, hash, sizeof(hash));
    assert_true(span_equal(buf_span(&r->json), buf_span(&f->json)));
    assert_true(span_equal(buf_span(&r->cms), buf_span(&f->cms)));
    assert_int_equal(X509_cmp(r->signer, f->registrar), 0);
    assert_string_equal(r->content.nf.country, "SE");
}

static void
pem_gives_the_same_registration(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    CLEANUP(registration_signed_cleanup) struct registration_signed *r = NULL;
    CLEANUP(registration_signed_cleanup) struct registration_signed *s = NULL;
    struct err e = {0};
    char *text;
    long n;

    assert_true(PEM_write_bio(bio, "CMS", "", f->cms.p, (long)f->cms.n) > 0);
    n = BIO_get_mem_data(bio, &text);
    r = verified(f, span_of(text, (size_t)n), &e);
    assert_non_null(r);
    s = verified(f, buf_span(&f->cms), &e);
    assert_non_null(s);
    assert_string_equal(r->id, s->id);
}

/* The few octets that no signature covers (versions, the set of digests) may change the id; they
 * never change who signed what. */
static void
no_flipped_octet_changes_what_was_signed(void **state)
{
    const struct fixture *f = *state;
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};
    size_t passed = 0;

    assert_ok(sha256(buf_span(&f->json), hash, &e), &e);
    for (size_t i = 0; i < f->cms.n; i++) {
        struct registration_signed *r;

        f->cms.p[i] ^= 1;
        r = verified(f, buf_span(&f->cms), &e);
        f->cms.p[i] ^= 1;
        if (r != NULL) {
            assert_memory_equal(r->content_hash, hash, sizeof(hash));
            assert_int_equal(X509_cmp(r->signer, f->registrar), 0);
            registration_signed_free(r);
            passed++;
        }
    }
    assert_true(passed < 20);
}

static void
expect_refused(const struct fixture *f, struct span cms, enum err_code code, const char *why)
{
    struct err e = {0};
    struct registration_signed *r = verified(f, cms, &e);

    if (r != NULL || e.code != code || strstr(e.text, why) == NULL) {
        registration_signed_free(r);
        fail_msg("\"%s\" (%s) where \"%s\" was expected", r != NULL ? "verified" : e.text,
                 err_code_name(e.code), why);
    }
}

static void
only_a_person_of_our_issuing_ca_may_sign(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf spki = pki_spki(f->key);
    struct nf_identity identity = pki_nf();
    struct tbs_request request = pki_request(f->pki, &identity, buf_span(&spki));
    struct pki *other = pki_new("P-256", "P-256");
    CLEANUP(x509_cleanup) X509 *nf = pki_issue(&request, f->pki->issuing_key);
    CLEANUP(x509_cleanup) X509 *foreign = pki_issue_officer(other, "registrar", f->key);
    CLEANUP(buf_free) struct buf by_nf = pki_cms(buf_span(&f->json), nf, f->key);
    CLEANUP(buf_free) struct buf by_foreign = pki_cms(buf_span(&f->json), foreign, f->key);
    struct err e = {0};

    /* Who of them is a registrar is in the CA's record: tests/unit/ca/daemon/roles.c */
    expect_refused(f, buf_span(&by_nf), ERR_DENIED, "subjectAltName");
    expect_refused(f, buf_span(&by_foreign), ERR_DENIED, "signer");
    assert_null(registration_verify(buf_span(&f->cms), f->pki->issuing, f->pki->root,
                                    PKI_NOW + (time_t)31 * DAY, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_DENIED);
    pki_free(other);
}

/* CMS made with other flags, digests, signers. */
static struct buf
cms_with(const struct fixture *f, unsigned flags, const EVP_MD *md, int signers, bool attribute)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new_mem_buf(f->json.p, (int)f->json.n);
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, bio, flags | CMS_PARTIAL | CMS_BINARY);
    CMS_SignerInfo *signer = NULL;
    struct buf out = BUF_INIT(CMS_MAX);
    struct err e = {0};

    assert_non_null(cms);
    for (int i = 0; i < signers; i++) {
        signer = CMS_add1_signer(cms, f->registrar, f->key, md,
                                 (flags & CMS_NOCERTS) | (i == 0 ? 0 : CMS_NOCERTS));
        assert_non_null(signer);
    }
    assert_int_equal(CMS_final(cms, bio, NULL, flags | CMS_BINARY), 1);
    if (attribute) {
        assert_int_equal(CMS_unsigned_add1_attr_by_NID(signer, NID_pkcs9_unstructuredName,
                                                       V_ASN1_IA5STRING, "x", 1),
                         1);
    }
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, cms, &out, &e), &e);
    return out;
}

static void
the_envelope_has_one_form(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf good = cms_with(f, 0, EVP_sha384(), 1, false);
    CLEANUP(buf_free) struct buf detached = cms_with(f, CMS_DETACHED, EVP_sha256(), 1, false);
    CLEANUP(buf_free) struct buf sha1 = cms_with(f, 0, EVP_sha1(), 1, false);
    CLEANUP(buf_free) struct buf two = cms_with(f, 0, EVP_sha256(), 2, false);
    CLEANUP(buf_free) struct buf bare = cms_with(f, CMS_NOCERTS, EVP_sha256(), 1, false);
    CLEANUP(buf_free) struct buf extra = cms_with(f, 0, EVP_sha256(), 1, true);
    CLEANUP(buf_free) struct buf behind = BUF_INIT(CMS_MAX);
    CLEANUP(buf_free) struct buf big = BUF_INIT(CMS_MAX);
    struct err e = {0};
    struct registration_signed *r = verified(f, buf_span(&good), &e);

    assert_non_null(r);
    registration_signed_free(r);
    expect_refused(f, buf_span(&detached), ERR_INPUT, "no attached content");
    expect_refused(f, buf_span(&sha1), ERR_INPUT, "digest must be");
    expect_refused(f, buf_span(&two), ERR_INPUT, "exactly one signer");
    expect_refused(f, buf_span(&bare), ERR_CRYPTO, "does not verify");
    expect_refused(f, buf_span(&extra), ERR_INPUT, "unsigned attributes");
    expect_refused(f, SPAN_LITERAL("{}"), ERR_INPUT, "not signed");
    expect_refused(f, SPAN_LITERAL("[]"), ERR_INPUT, "neither DER nor PEM");
    expect_refused(f, SPAN_LITERAL("\x30\x00"), ERR_INPUT, "not exactly one CMS");
    assert_ok(buf_append(&behind, buf_span(&f->cms), &e), &e);
    assert_ok(buf_append(&behind, SPAN_LITERAL("\0"), &e), &e);
    expect_refused(f, buf_span(&behind), ERR_INPUT, "not exactly one CMS");
    assert_non_null(buf_extend(&big, REGISTRATION_MAX + 1, &e));
    big.p[0] = 0x30;
    expect_refused(f, buf_span(&big), ERR_INPUT, "32768");
}

static void
other_kinds_of_cms_are_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(bio_cleanup) BIO *bio = BIO_new_mem_buf(f->json.p, (int)f->json.n);
    CLEANUP(bio_cleanup) BIO *again = BIO_new_mem_buf(f->json.p, (int)f->json.n);
    CLEANUP(cms_cleanup) CMS_ContentInfo *plain = CMS_data_create(bio, CMS_BINARY);
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *typed = CMS_sign(NULL, NULL, NULL, again, CMS_PARTIAL | CMS_BINARY);
    CLEANUP(buf_free) struct buf a = BUF_INIT(CMS_MAX);
    CLEANUP(buf_free) struct buf b = BUF_INIT(CMS_MAX);
    struct err e = {0};

    assert_int_equal(CMS_set1_eContentType(typed, OBJ_nid2obj(NID_id_smime_ct_TSTInfo)), 1);
    assert_non_null(CMS_add1_signer(typed, f->registrar, f->key, EVP_sha256(), 0));
    assert_int_equal(CMS_final(typed, again, NULL, CMS_BINARY), 1);
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, plain, &a, &e), &e);
    assert_ok(OSSL_ENCODE(CMS_ContentInfo, typed, &b, &e), &e);
    expect_refused(f, buf_span(&a), ERR_INPUT, "not SignedData");
    expect_refused(f, buf_span(&b), ERR_INPUT, "content type");
}

/* The root may have signed it, and the purpose may be right: it is not our issuing CA's. */
static void
a_registrar_of_the_root_is_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf spki = pki_spki(f->key);
    struct tbs_request request = pki_request(f->pki, NULL, buf_span(&spki));
    CLEANUP(x509_cleanup) X509 *registrar = NULL;
    CLEANUP(buf_free) struct buf cms = {0};
    struct name subject;
    struct err e = {0};

    assert_ok(name_set(&subject, "SE", "Operator", "Registrar", &e), &e);
    request.profile = profile_by_name("registrar");
    request.subject = &subject;
    request.issuer = f->pki->root;
    registrar = pki_issue(&request, f->pki->root_key);
    cms = pki_cms(buf_span(&f->json), registrar, f->key);
    expect_refused(f, buf_span(&cms), ERR_DENIED, "not issued by the issuing CA");
}

static void
a_signed_document_that_is_wrong_is_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf json = members_json("country", "\"se\"");
    CLEANUP(buf_free) struct buf cms = pki_cms(buf_span(&json), f->registrar, f->key);

    expect_refused(f, buf_span(&cms), ERR_INPUT, "country");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_registration_verifies_and_is_named_by_its_hash),
        cmocka_unit_test(pem_gives_the_same_registration),
        cmocka_unit_test(no_flipped_octet_changes_what_was_signed),
        cmocka_unit_test(only_a_person_of_our_issuing_ca_may_sign),
        cmocka_unit_test(the_envelope_has_one_form),
        cmocka_unit_test(other_kinds_of_cms_are_refused),
        cmocka_unit_test(a_registrar_of_the_root_is_refused),
        cmocka_unit_test(a_signed_document_that_is_wrong_is_refused),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
