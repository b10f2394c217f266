/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/batch.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { LINES_MAX = 64 * 1024, MINUTE = 60 };

struct fixture {
    struct pki *pki;
    EVP_PKEY *key;
    X509 *registrar;
};

static int
make(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));

    f->pki = pki_new("P-256", "P-256");
    f->key = pki_key("P-256");
    f->registrar = pki_issue_officer(f->pki, "registrar", f->key);
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
    mem_free(f);
    return 0;
}

/* n good documents, one on each line. */
static struct buf
lines(size_t n)
{
    struct buf out = BUF_INIT(LINES_MAX);
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        CLEANUP(mem_cleanup)
        char *line = mem_printf(
            "{\"version\":1,\"nfInstanceId\":\"9c5b94b1-35ad-49bb-b118-8e8fc24a%04zx\","
            "\"nfTypes\":[\"AMF\"],\"fqdns\":[\"amf%zu.5gc.mnc012.mcc345.3gppnetwork.org\"],"
            "\"homeDomain\":\"5gc.mnc012.mcc345.3gppnetwork.org\",\"country\":\"SE\","
            "\"profiles\":[{\"name\":\"nf-tls\",\"maxValidityDays\":30}],"
            "\"notBefore\":\"2026-09-21T00:00:00Z\",\"notAfter\":\"2026-10-21T00:00:00Z\","
            "\"proof\":{\"kind\":\"mac\"}}\n",
            i, i);

        assert_ok(buf_append_str(&out, line, &e), &e);
    }
    return out;
}

static struct buf
signed_manifest(const struct fixture *f, const struct batch *batch)
{
    CLEANUP(mem_cleanup) char *manifest = batch_manifest_format(batch);

    return pki_cms(span_str(manifest), f->registrar, f->key);
}

static struct registration_signed *
verified(const struct fixture *f, struct span element, struct batch_manifests *cache, time_t at,
         struct err *e)
{
    return registration_verify(element, f->pki->issuing, f->pki->root, at, NULL, cache, e);
}

static void
each_line_of_a_batch_is_a_registration_of_its_own(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 4, 7, 8, 9, 33};
    const struct fixture *f = *state;

    for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
        CLEANUP(buf_free) struct buf text = lines(sizes[s]);
        struct err e = {0};
        CLEANUP(batch_cleanup) struct batch *batch = batch_new(buf_span(&text), &e);
        CLEANUP(buf_free) struct buf manifest = signed_manifest(f, batch);
        struct batch_manifests *cache = batch_manifests_new();

        assert_int_equal(batch_count(batch), sizes[s]);
        for (size_t i = 0; i < sizes[s]; i++) {
            CLEANUP(buf_free) struct buf element = BUF_INIT(REGISTRATION_MAX);
            CLEANUP(registration_signed_cleanup) struct registration_signed *r = NULL;
            uint8_t hash[SHA256_SIZE];
            char id[2 * 16 + 1];

            assert_ok(batch_check(batch, i, NULL, &e), &e);
            assert_ok(batch_element(batch, buf_span(&manifest), i, &element, &e), &e);
            assert_true(batch_is_element(buf_span(&element)));
            r = verified(f, buf_span(&element), i % 2 == 0 ? cache : NULL, PKI_NOW, &e);
            assert_non_null(r);
            assert_true(r->of_batch);
            assert_true(span_equal(buf_span(&r->json), batch_document(batch, i)));
            assert_int_equal(X509_cmp(r->signer, f->registrar), 0);
            assert_ok(sha256(buf_span(&element), hash, &e), &e);
            hex_format(span_of(hash, 16), id);
            assert_string_equal(r->id, id);
        }
        batch_manifests_free(cache);
    }
}

static void
no_flipped_octet_of_an_element_changes_what_was_signed(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf text = lines(5);
    CLEANUP(buf_free) struct buf element = BUF_INIT(REGISTRATION_MAX);
    struct err e = {0};
    CLEANUP(batch_cleanup) struct batch *batch = batch_new(buf_span(&text), &e);
    CLEANUP(buf_free) struct buf manifest = signed_manifest(f, batch);
    struct batch_manifests *cache = batch_manifests_new();
    struct registration_signed *r;
    size_t passed = 0;

    assert_ok(batch_element(batch, buf_span(&manifest), 3, &element, &e), &e);
    r = verified(f, buf_span(&element), cache, PKI_NOW, &e); /* the cache is warm */
    assert_non_null(r);
    registration_signed_free(r);
    for (size_t i = 0; i < element.n; i++) {
        element.p[i] ^= 1;
        r = verified(f, buf_span(&element), cache, PKI_NOW, &e);
        element.p[i] ^= 1;
        if (r != NULL) { /* versions in the CMS, which no signature covers: another id, no more */
            assert_true(span_equal(buf_span(&r->json), batch_document(batch, 3)));
            assert_int_equal(X509_cmp(r->signer, f->registrar), 0);
            registration_signed_free(r);
            passed++;
        }
    }
    assert_true(passed < 20);
    assert_ok(buf_append_str(&element, "x", &e), &e);
    assert_null(verified(f, buf_span(&element), cache, PKI_NOW, &e));
    assert_int_equal(e.code, ERR_INPUT);
    batch_manifests_free(cache);
}

static void
a_remembered_manifest_is_no_longer_good_than_its_signer(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf text = lines(2);
    CLEANUP(buf_free) struct buf element = BUF_INIT(REGISTRATION_MAX);
    struct err e = {0};
    CLEANUP(batch_cleanup) struct batch *batch = batch_new(buf_span(&text), &e);
    CLEANUP(buf_free) struct buf manifest = signed_manifest(f, batch);
    const time_t end = PKI_NOW + (time_t)30 * 24 * 60 * MINUTE; /* of the registrar */
    struct batch_manifests *cache = batch_manifests_new();
    struct registration_signed *r;

    assert_ok(batch_element(batch, buf_span(&manifest), 0, &element, &e), &e);
    r = verified(f, buf_span(&element), cache, end - 10, &e);
    assert_non_null(r);
    registration_signed_free(r);
    assert_null(verified(f, buf_span(&element), cache, end + 10, &e));
    assert_int_equal(e.code, ERR_DENIED);
    batch_manifests_free(cache);
}

static void
a_line_of_another_batch_or_place_is_refused(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(buf_free) struct buf text = lines(4);
    CLEANUP(buf_free) struct buf other_text = lines(3);
    CLEANUP(buf_free) struct buf element = BUF_INIT(REGISTRATION_MAX);
    CLEANUP(buf_free) struct buf fake = BUF_INIT(REGISTRATION_MAX);
    struct err e = {0};
    CLEANUP(batch_cleanup) struct batch *batch = batch_new(buf_span(&text), &e);
    CLEANUP(batch_cleanup) struct batch *other = batch_new(buf_span(&other_text), &e);
    CLEANUP(buf_free) struct buf manifest = signed_manifest(f, batch);

    /* The lines are the same, the tree is not. */
    assert_ok(batch_element(other, buf_span(&manifest), 1, &element, &e), &e);
    assert_null(verified(f, buf_span(&element), NULL, PKI_NOW, &e));
    assert_int_equal(e.code, ERR_CRYPTO);
    /* A manifest is no registration, and a registration no manifest. */
    assert_null(verified(f, buf_span(&manifest), NULL, PKI_NOW, &e));
    assert_int_equal(e.code, ERR_INPUT);
    {
        CLEANUP(buf_free)
        struct buf single = pki_cms(batch_document(batch, 0), f->registrar, f->key);

        assert_ok(batch_element(batch, buf_span(&single), 0, &fake, &e), &e);
        assert_null(verified(f, buf_span(&fake), NULL, PKI_NOW, &e));
        assert_int_equal(e.code, ERR_INPUT);
    }
}

static void
a_wrong_line_is_named_with_its_member(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } files[] = {
        {"", "no registration"},
        {"\n", "registrations[0]: empty line"},
        {"{}\n\n{}\n", "registrations[1]: empty line"},
    };
    CLEANUP(buf_free) struct buf text = lines(3);
    struct err e = {0};
    CLEANUP(batch_cleanup) struct batch *batch = NULL;
    CLEANUP(batch_cleanup) struct batch *twice = NULL;
    CLEANUP(buf_free) struct buf same = lines(2);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        assert_null(batch_new(span_str(files[i].text), &e));
        assert_int_equal(e.code, ERR_INPUT);
        assert_non_null(strstr(e.text, files[i].reason));
    }
    ((char *)memmem(text.p, text.n, "amf1.5gc", 8))[7] = 'x';
    batch = batch_new(buf_span(&text), &e);
    assert_ok(batch_check(batch, 0, NULL, &e), &e);
    assert_err(batch_check(batch, 1, NULL, &e), ERR_INPUT, &e);
    assert_int_equal(strncmp(e.text, "registrations[1].fqdns[0]: ", 27), 0);
    ((char *)memmem(same.p, same.n, "24a0001", 7))[6] = '0';
    twice = batch_new(buf_span(&same), &e);
    assert_ok(batch_check(twice, 0, NULL, &e), &e);
    assert_err(batch_check(twice, 1, NULL, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "registrations[1].nfInstanceId: the same as in registrations[0]");
}

static void
a_manifest_has_one_form(void **state)
{
#define ROOT "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\""
    static const struct {
        const char *json;
        const char *reason; /* NULL: good */
    } rows[] = {
        {"{\"version\":1,\"batch\":{\"registrations\":9,\"root\":" ROOT "}}", NULL},
        {"{\"version\":2,\"batch\":{\"registrations\":9,\"root\":" ROOT "}}", "version"},
        {"{\"version\":1,\"batch\":{\"registrations\":0,\"root\":" ROOT "}}",
         "batch.registrations: must be 1.."},
        {"{\"version\":1,\"batch\":{\"registrations\":50001,\"root\":" ROOT "}}",
         "batch.registrations: must be 1.."},
        {"{\"version\":1,\"batch\":{\"registrations\":9,\"root\":\"00\"}}", "batch.root: must be"},
        {"{\"version\":1,\"batch\":{\"registrations\":9,\"root\":" ROOT ",\"x\":1}}", "x"},
        {"{\"version\":1,\"batch\":{\"registrations\":9}}", "root"},
        {"{\"version\":1,\"version\":1,\"batch\":{\"registrations\":9,\"root\":" ROOT "}}",
         "line 1"},
        {"[]", "manifest"},
    };
    struct batch_manifest m;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int result = batch_manifest_parse(span_str(rows[i].json), &m, &e);

        if ((result == 0) != (rows[i].reason == NULL) ||
            (result != 0 && strstr(e.text, rows[i].reason) == NULL)) {
            fail_msg("%s: %s", rows[i].json, result == 0 ? "accepted" : e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_of_a_batch_is_a_registration_of_its_own),
        cmocka_unit_test(no_flipped_octet_of_an_element_changes_what_was_signed),
        cmocka_unit_test(a_remembered_manifest_is_no_longer_good_than_its_signer),
        cmocka_unit_test(a_line_of_another_batch_or_place_is_refused),
        cmocka_unit_test(a_wrong_line_is_named_with_its_member),
        cmocka_unit_test(a_manifest_has_one_form),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
