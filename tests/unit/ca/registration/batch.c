/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/batch.h"

#include <stdio.h>
#include <string.h>

#include "ca/x509/der.h"
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
a_file_is_taken_up_to_its_limits(void **state)
{
    enum { SHORT = 2 };
    static const struct {
        size_t n;    /* lines */
        size_t size; /* of the last one, without its line feed; the others have one octet */
        const char *reason;
    } rows[] = {
        {1, REGISTRATION_JSON_MAX, NULL},
        {1, REGISTRATION_JSON_MAX + 1, "registrations[0]: longer than 16384 octets"},
        {3, REGISTRATION_JSON_MAX + 1, "registrations[2]: longer than 16384 octets"},
        {BATCH_REGISTRATIONS_MAX, 1, NULL},
        {BATCH_REGISTRATIONS_MAX + 1, 1, "more than 50000 registrations: make several batches"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t size = (rows[i].n - 1) * SHORT + rows[i].size;
        CLEANUP(mem_cleanup) char *text = mem_zalloc(size, 1);
        CLEANUP(batch_cleanup) struct batch *batch = NULL;
        struct err e = {0};

        memset(text, 'x', size);
        for (size_t k = 0; k + 1 < rows[i].n; k++) {
            text[k * SHORT + 1] = '\n';
        }
        batch = batch_new(span_of(text, size), &e);
        if (rows[i].reason == NULL
                ? batch == NULL || batch_count(batch) != rows[i].n ||
                      batch_document(batch, rows[i].n - 1).n != rows[i].size
                : batch != NULL || e.code != ERR_INPUT || strcmp(e.text, rows[i].reason) != 0) {
            fail_msg("row %zu: %s", i, batch != NULL ? "taken" : e.text);
        }
    }
}

static void
a_file_of_too_many_octets_is_not_looked_at(void **state)
{
    CLEANUP(mem_cleanup) char *text = mem_zalloc((size_t)BATCH_OCTETS_MAX + 1, 1);
    struct err e = {0};

    (void)state;
    assert_null(batch_new(span_of(text, (size_t)BATCH_OCTETS_MAX + 1), &e));
    assert_string_equal(e.text, "more than 32 MiB: make several batches");
    assert_null(batch_new(span_of(text, BATCH_OCTETS_MAX), &e));
    assert_string_equal(e.text, "registrations[0]: longer than 16384 octets");
}

/* A BatchElement of these octets; the path has so many. */
static struct buf
element_of(struct span version, size_t manifest, struct span index, size_t path)
{
    static const uint8_t zeros[BATCH_MANIFEST_MAX + 1];
    struct buf out = BUF_INIT(REGISTRATION_MAX);
    struct err e = {0};
    struct der der = DER_WRITER(&out, &e);

    der_begin(&der, DER_SEQUENCE);
    der_put(&der, DER_INTEGER, version);
    der_put(&der, DER_OCTET_STRING, span_of(zeros, manifest));
    der_put(&der, DER_INTEGER, index);
    der_put(&der, DER_OCTET_STRING, span_of(zeros, path));
    der_put_str(&der, DER_OCTET_STRING, "{}");
    der_end(&der);
    assert_ok(der_finish(&der), &e);
    return out;
}

static void
an_element_has_one_form(void **state)
{
#define NUMBER "batch element: a number is not in DER or too large"
#define PART "batch element: another version, or a part is too long"
#define PATH_OF(n) ((size_t)(n)*MERKLE_HASH)
    const struct {
        struct span version;
        size_t manifest;
        struct span index;
        size_t path;
        const char *reason; /* NULL: taken */
        uint64_t read;      /* the index */
    } rows[] = {
        {SPAN_LITERAL("\1"), 0, SPAN_LITERAL("\0"), 0, NULL, 0},
        {SPAN_LITERAL("\1"), BATCH_MANIFEST_MAX, SPAN_LITERAL("\x7f"), PATH_OF(1), NULL, 0x7f},
        {SPAN_LITERAL("\1"), 1, SPAN_LITERAL("\0\x80"), PATH_OF(2), NULL, 0x80},
        {SPAN_LITERAL("\1"), 1, SPAN_LITERAL("\x7f\xff\xff\xfe"), PATH_OF(BATCH_PATH_MAX), NULL,
         0x7ffffffe},
        {SPAN_LITERAL("\0"), 1, SPAN_LITERAL("\0"), 0, PART, 0},
        {SPAN_LITERAL("\2"), 1, SPAN_LITERAL("\0"), 0, PART, 0},
        {SPAN_LITERAL("\1"), BATCH_MANIFEST_MAX + 1, SPAN_LITERAL("\0"), 0, PART, 0},
        {SPAN_LITERAL("\1"), 1, SPAN_LITERAL("\0"), PATH_OF(1) - 1, PART, 0},
        {SPAN_LITERAL("\1"), 1, SPAN_LITERAL("\0"), PATH_OF(1) + 1, PART, 0},
        {SPAN_LITERAL("\1"), 1, SPAN_LITERAL("\0"), PATH_OF(BATCH_PATH_MAX + 1), PART, 0},
        {SPAN_LITERAL(""), 1, SPAN_LITERAL("\0"), 0, NUMBER, 0},
        {SPAN_LITERAL("\0\1"), 1, SPAN_LITERAL("\0"), 0, NUMBER, 0},
        {SPAN_LITERAL("\1"), 1, SPAN_LITERAL(""), 0, NUMBER, 0},
        {SPAN_LITERAL("\1"), 1, SPAN_LITERAL("\x80"), 0, NUMBER, 0},
        {SPAN_LITERAL("\1"), 1, SPAN_LITERAL("\0\x7f"), 0, NUMBER, 0},
        {SPAN_LITERAL("\1"), 1, SPAN_LITERAL("\1\0\0\0\0"), 0, NUMBER, 0},
    };
    struct batch_element read;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free)
        struct buf der = element_of(rows[i].version, rows[i].manifest, rows[i].index, rows[i].path);
        struct err e = {0};
        int result = batch_element_parse(buf_span(&der), &read, &e);

        if (rows[i].reason == NULL
                ? result != 0 || read.index != rows[i].read ||
                      read.path.n != rows[i].path / MERKLE_HASH ||
                      read.manifest.n != rows[i].manifest || read.document.n != 2
                : result == 0 || e.code != ERR_INPUT || strcmp(e.text, rows[i].reason) != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : e.text);
        }
    }
}

/* Each field of another type, each one missing, and something behind the last. */
static void
an_element_has_its_fields_and_no_others(void **state)
{
    static const struct {
        const char *name;
        uint8_t tag;
    } fields[] = {{"version", DER_INTEGER},
                  {"manifest", DER_OCTET_STRING},
                  {"index", DER_INTEGER},
                  {"path", DER_OCTET_STRING},
                  {"document", DER_OCTET_STRING}};

    (void)state;
    for (size_t wrong = 0; wrong <= ARRAY_LEN(fields); wrong++) {
        for (size_t missing = 0; missing < 2; missing++) {
            const char *name = wrong < ARRAY_LEN(fields) ? fields[wrong].name : "batch element";
            size_t n = missing ? wrong : ARRAY_LEN(fields);
            CLEANUP(buf_free) struct buf der = BUF_INIT(REGISTRATION_MAX);
            struct batch_element read;
            struct err e = {0};
            struct der w = DER_WRITER(&der, &e);

            der_begin(&w, DER_SEQUENCE);
            for (size_t i = 0; i < n; i++) {
                uint8_t tag = i == wrong ? DER_UTF8_STRING : fields[i].tag;

                der_put(&w, tag,
                        fields[i].tag == DER_INTEGER ? SPAN_LITERAL("\1") : span_of("", 0));
            }
            if (wrong == ARRAY_LEN(fields) && !missing) {
                der_put(&w, DER_NULL, span_of("", 0));
            }
            der_end(&w);
            if (wrong == ARRAY_LEN(fields) && missing) {
                der_put(&w, DER_NULL, span_of("", 0));
            }
            assert_ok(der_finish(&w), &e);
            if (batch_element_parse(buf_span(&der), &read, &e) == 0 || e.code != ERR_INPUT ||
                strncmp(e.text, name, strlen(name)) != 0) {
                fail_msg("%s, %s: %s", name, missing ? "missing" : "another", e.text);
            }
        }
    }
}

static void
what_begins_as_an_element_is_told_from_a_cms(void **state)
{
    const struct {
        struct span octets;
        bool is;
    } rows[] = {
        {SPAN_LITERAL("\x30\x03\x02\x01\x01"), true},
        {SPAN_LITERAL("\x30\x03\x06\x01\x2a"), false},
        {SPAN_LITERAL("\x31\x03\x02\x01\x01"), false},
        {SPAN_LITERAL("\x30\x00"), false},
        {SPAN_LITERAL("\x30\x04\x02\x01\x01"), false},
        {SPAN_LITERAL(""), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (batch_is_element(rows[i].octets) != rows[i].is) {
            fail_msg("row %zu", i);
        }
    }
}

static void
there_is_no_evidence_of_a_line_that_is_not_there(void **state)
{
    CLEANUP(buf_free) struct buf text = lines(3);
    CLEANUP(buf_free) struct buf out = BUF_INIT(REGISTRATION_MAX);
    CLEANUP(buf_free) struct buf little = BUF_INIT(64);
    struct err e = {0};
    CLEANUP(batch_cleanup) struct batch *batch = batch_new(buf_span(&text), &e);

    (void)state;
    assert_ok(batch_element(batch, span_str("manifest"), 2, &out, &e), &e);
    assert_err(batch_element(batch, span_str("manifest"), 3, &out, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "leaf 3 is not in a tree of 3");
    assert_err(batch_element(batch, span_str("manifest"), 2, &little, &e), ERR_INPUT, &e);
}

/* For a minute of `at` a manifest is not verified again: another root does not matter then. */
static void
a_manifest_is_remembered_for_a_minute_and_among_four(void **state)
{
    static const struct {
        time_t at; /* against the time of the verification */
        bool remembered;
    } rows[] = {
        {0, true}, {MINUTE, true}, {MINUTE + 1, false}, {-MINUTE, true}, {-MINUTE - 1, false}};
    const time_t then = PKI_NOW + (time_t)60 * MINUTE;
    const struct fixture *f = *state;
    struct pki *other = pki_new("P-256", "P-256");
    struct buf manifests[5];
    struct batch_manifest m;
    X509 *signer = NULL;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(manifests); i++) {
        CLEANUP(buf_free) struct buf text = lines(i + 1);
        CLEANUP(batch_cleanup) struct batch *batch = batch_new(buf_span(&text), &e);

        manifests[i] = signed_manifest(f, batch);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct batch_manifests *cache = batch_manifests_new();
        int result;

        assert_ok(batch_manifest_verify(buf_span(&manifests[0]), f->pki->issuing, f->pki->root,
                                        then, cache, &m, &signer, &e),
                  &e);
        X509_free(signer);
        signer = NULL;
        result = batch_manifest_verify(buf_span(&manifests[0]), other->issuing, other->root,
                                       then + rows[i].at, cache, &m, &signer, &e);
        if ((result == 0) != rows[i].remembered) {
            fail_msg("%lld s: %s", (long long)rows[i].at, result == 0 ? "remembered" : e.text);
        }
        assert_int_equal(m.registrations, rows[i].remembered ? 1 : m.registrations);
        X509_free(signer);
        signer = NULL;
        batch_manifests_free(cache);
    }
    {
        struct batch_manifests *cache = batch_manifests_new();

        for (size_t i = 0; i < ARRAY_LEN(manifests); i++) {
            assert_ok(batch_manifest_verify(buf_span(&manifests[i]), f->pki->issuing, f->pki->root,
                                            then, cache, &m, &signer, &e),
                      &e);
            X509_free(signer);
            signer = NULL;
        }
        /* the fifth took the place of the first */
        for (size_t i = 0; i < ARRAY_LEN(manifests); i++) {
            int result = batch_manifest_verify(buf_span(&manifests[i]), other->issuing, other->root,
                                               then, cache, &m, &signer, &e);

            assert_int_equal(result, i == 0 ? -1 : 0);
            if (result == 0) {
                assert_int_equal(m.registrations, i + 1);
                assert_int_equal(X509_cmp(signer, f->registrar), 0);
            }
            X509_free(signer);
            signer = NULL;
        }
        batch_manifests_free(cache);
    }
    for (size_t i = 0; i < ARRAY_LEN(manifests); i++) {
        buf_free(&manifests[i]);
    }
    pki_free(other);
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
        {"{\"version\":1,\"batch\":{\"registrations\":1,\"root\":" ROOT "}}", NULL},
        {"{\"version\":1,\"batch\":{\"registrations\":50000,\"root\":" ROOT "}}", NULL},
        {"{\"version\":0,\"batch\":{\"registrations\":9,\"root\":" ROOT "}}", "version: must be 1"},
        {"{\"version\":1,\"batch\":{\"registrations\":-1,\"root\":" ROOT "}}",
         "batch.registrations: must be 1.."},
        {"{\"version\":1,\"more\":1,\"batch\":{\"registrations\":9,\"root\":" ROOT "}}", "more"},
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
        cmocka_unit_test(a_file_is_taken_up_to_its_limits),
        cmocka_unit_test(a_file_of_too_many_octets_is_not_looked_at),
        cmocka_unit_test(an_element_has_one_form),
        cmocka_unit_test(an_element_has_its_fields_and_no_others),
        cmocka_unit_test(what_begins_as_an_element_is_told_from_a_cms),
        cmocka_unit_test(there_is_no_evidence_of_a_line_that_is_not_there),
        cmocka_unit_test(a_manifest_is_remembered_for_a_minute_and_among_four),
        cmocka_unit_test(a_manifest_has_one_form),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
