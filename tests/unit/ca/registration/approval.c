/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/approval.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { DAY = 24 * 60 * 60 };

#define HEX_16 "00112233445566778899aabbccddeeff"
#define UUID "6ba7b810-9dad-41d1-80b4-00c04fd430c8"

struct fixture {
    struct pki *pki;
    EVP_PKEY *key;
    X509 *officer;
    struct approval request;
    struct buf cms;
};

static struct approval
approval(void)
{
    struct approval a = {.approves = true,
                         .rid = {1, 2, 3},
                         .registration = HEX_16,
                         .nf_instance = UUID,
                         .profile = "nf-tls",
                         .public_key = {4, 5, 6},
                         .time = PKI_NOW - 10,
                         .expires = PKI_NOW + DAY,
                         .reason = "ticket 4711"};

    return a;
}

static struct buf
sign(struct fixture *f, const struct approval *a, X509 *officer, EVP_PKEY *key)
{
    CLEANUP(mem_cleanup) char *document = approval_format(a);
    struct buf cms = BUF_INIT(APPROVAL_CMS_MAX);
    struct err e = {0};

    (void)f;
    assert_ok(approval_sign(span_str(document), officer, key, &cms, &e), &e);
    return cms;
}

static int
make(void **state)
{
    struct fixture *f = mem_zalloc(1, sizeof(*f));

    f->pki = pki_new("P-384", "P-256");
    f->key = pki_key("P-256");
    f->officer = pki_issue_officer(f->pki, "officer", f->key);
    f->request = approval();
    f->cms = sign(f, &f->request, f->officer, f->key);
    *state = f;
    return 0;
}

static int
drop(void **state)
{
    struct fixture *f = *state;

    pki_free(f->pki);
    EVP_PKEY_free(f->key);
    X509_free(f->officer);
    buf_free(&f->cms);
    mem_free(f);
    return 0;
}

static struct approval_signed *
verified(const struct fixture *f, struct span cms, time_t at, struct err *e)
{
    return approval_verify(cms, f->pki->issuing, f->pki->root, at, e);
}

static void
what_an_officer_signs_is_what_is_read(void **state)
{
    const struct fixture *f = *state;
    struct err e = {0};
    CLEANUP(approval_signed_cleanup)
    struct approval_signed *a = verified(f, buf_span(&f->cms), PKI_NOW, &e);

    if (a == NULL) {
        fail_msg("%s", e.text);
        return;
    }
    assert_true(a->content.approves);
    assert_ok(approval_binds(&a->content, &f->request, &e), &e);
    assert_string_equal(a->content.reason, "ticket 4711");
    assert_int_equal(a->content.time, f->request.time);
    assert_int_equal(a->content.expires, f->request.expires);
    assert_int_equal(X509_cmp(a->officer, f->officer), 0);
    assert_non_null(strstr(a->subject, "CN=officer"));
}

static void
only_a_person_of_our_issuing_ca_may_sign(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf spki = pki_spki(f->key);
    struct nf_identity identity = pki_nf();
    struct tbs_request request = pki_request(f->pki, &identity, buf_span(&spki));
    CLEANUP(x509_cleanup) X509 *nf = pki_issue(&request, f->pki->issuing_key);
    CLEANUP(buf_free) struct buf by_nf = sign(f, &f->request, nf, f->key);
    struct pki *other = pki_new("P-256", "P-256");
    CLEANUP(x509_cleanup) X509 *foreign = pki_issue_officer(other, "officer", f->key);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf cms = sign(f, &f->request, foreign, f->key);
    CLEANUP(buf_free) struct buf none = BUF_INIT(APPROVAL_CMS_MAX);
    struct err e = {0};

    assert_null(verified(f, buf_span(&cms), PKI_NOW, &e));
    assert_int_equal(e.code, ERR_DENIED);
    /* Who of them is an officer is in the CA's record: tests/unit/ca/daemon/roles.c */
    assert_null(verified(f, buf_span(&by_nf), PKI_NOW, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "subjectAltName"));
    assert_err(approval_sign(SPAN_LITERAL("{}"), f->officer, key, &none, &e), ERR_INPUT, &e);
    pki_free(other);
}

static void
no_flipped_octet_changes_a_decision(void **state)
{
    struct fixture *f = *state;
    size_t passed = 0;

    for (size_t i = 0; i < f->cms.n; i++) {
        struct err e = {0};
        struct approval_signed *a;

        f->cms.p[i] ^= 1;
        a = verified(f, buf_span(&f->cms), PKI_NOW, &e);
        f->cms.p[i] ^= 1;
        if (a != NULL) {
            assert_true(a->content.approves);
            assert_ok(approval_binds(&a->content, &f->request, &e), &e);
            approval_signed_free(a);
            passed++;
        }
    }
    assert_true(passed < 20);
}

static void
an_approval_is_good_in_its_window_only(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        time_t at;
        const char *says;
    } rows[] = {
        {PKI_NOW - 10 - APPROVAL_SKEW_S, NULL},
        {PKI_NOW - 11 - APPROVAL_SKEW_S, "future"},
        {PKI_NOW + DAY - 1, NULL},
        {PKI_NOW + DAY, "expired"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        assert_int_equal(approval_check_window(&f->request, rows[i].at, &e),
                         rows[i].says == NULL ? 0 : -1);
        assert_true(rows[i].says == NULL || strstr(e.text, rows[i].says) != NULL);
    }
    {
        struct err e = {0};

        assert_null(verified(f, buf_span(&f->cms), PKI_NOW + DAY, &e));
        assert_int_equal(e.code, ERR_DENIED);
    }
}

static void
an_approval_is_for_one_request_only(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"rid", "registration", "nfInstanceId", "profile",
                                        "publicKey"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct approval other = f->request;
        struct err e = {0};

        switch (i) {
        case 0:
            other.rid[31] ^= 1;
            break;
        case 1:
            other.registration[0] = 'f';
            break;
        case 2:
            other.nf_instance[0] = '7';
            break;
        case 3:
            (void)snprintf(other.profile, sizeof(other.profile), "sepp");
            break;
        default:
            other.public_key[0] ^= 1;
            break;
        }
        assert_err(approval_binds(&f->request, &other, &e), ERR_DENIED, &e);
        assert_non_null(strstr(e.text, names[i]));
    }
}

static void
a_document_with_anything_else_is_refused(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        const char *from;
        const char *to;
        const char *says;
    } rows[] = {
        {"\"version\": 1", "\"version\": 2", "version"},
        {"\"kind\": \"approval\"", "\"kind\": \"registration\"", "kind"},
        {"\"decision\": \"approve\"", "\"decision\": \"perhaps\"", "decision"},
        {"\"decision\": \"approve\"", "\"decision\": true", "string"},
        {"\"rid\": \"01", "\"rid\": \"", "rid"},
        {"\"rid\": \"", "\"red\": \"", "rid"},
        {"\"registration\": \"00", "\"registration\": \"zz", "registration"},
        {"\"publicKey\": \"04", "\"publicKey\": \"0", "publicKey"},
        {"\"profile\": \"nf-tls\"", "\"profile\": \"\"", "profile"},
        {"\"expires\": \"2026", "\"expires\": \"2025", "expires"},
        {"\"expires\": \"2026", "\"expires\": \"2027", "expires"},
        {"\"time\": \"2026-", "\"time\": \"2026/", "time"},
        {"ticket 4711", "ticket\\n4711", "reason"},
        {"\"version\": 1", "\"version\": 1, \"version\": 1", "version"},
        {"\"version\": 1", "\"version\": 1, \"more\": 1", "more"},
        {"{", "[{", "approval"},
    };
    CLEANUP(mem_cleanup) char *good = approval_format(&f->request);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *at = strstr(good, rows[i].from);
        CLEANUP(mem_cleanup) char *bad = NULL;
        struct approval out;
        struct err e = {0};

        assert_non_null(at);
        bad = mem_printf("%.*s%s%s", (int)(at - good), good, rows[i].to, at + strlen(rows[i].from));
        if (approval_parse(span_str(bad), &out, &e) == 0 || e.code != ERR_INPUT ||
            strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: \"%s\" does not name %s", i, e.text, rows[i].says);
        }
    }
}

static void
the_same_name_or_the_same_key_is_the_same_person(void **state)
{
    const struct fixture *f = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other_key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *renewed = pki_issue_officer(f->pki, "officer", other_key);
    CLEANUP(x509_cleanup) X509 *other_name = pki_issue_officer(f->pki, "registrar", f->key);
    CLEANUP(x509_cleanup) X509 *other = pki_issue_officer(f->pki, "registrar", other_key);

    assert_true(approval_same_person(f->officer, renewed));
    assert_true(approval_same_person(f->officer, other_name));
    assert_false(approval_same_person(f->officer, other));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_officer_signs_is_what_is_read),
        cmocka_unit_test(only_a_person_of_our_issuing_ca_may_sign),
        cmocka_unit_test(no_flipped_octet_changes_a_decision),
        cmocka_unit_test(an_approval_is_good_in_its_window_only),
        cmocka_unit_test(an_approval_is_for_one_request_only),
        cmocka_unit_test(a_document_with_anything_else_is_refused),
        cmocka_unit_test(the_same_name_or_the_same_key_is_the_same_person),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
