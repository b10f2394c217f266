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

/* The document of the request with `from` in it replaced; NULL when it is not there. */
static char *
changed(const struct fixture *f, const char *from, const char *to)
{
    CLEANUP(mem_cleanup) char *good = approval_format(&f->request);
    const char *at = strstr(good, from);

    return at == NULL ? NULL
                      : mem_printf("%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
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
        {"\"version\": 1", "\"version\": 0", "version: must be 1"},
        {"\"version\": 1", "\"version\": 2", "version: must be 1"},
        {"\"kind\": \"approval\"", "\"kind\": \"registration\"", "kind: must be"},
        {"\"kind\": \"approval\"", "\"kind\": \"approval1\"", "kind: must be"},
        {"\"decision\": \"approve\"", "\"decision\": \"perhaps\"", "decision: must be"},
        {"\"decision\": \"approve\"", "\"decision\": \"\"", "decision: must be"},
        {"\"decision\": \"approve\"", "\"decision\": true", "string"},
        {"\"rid\": \"01", "\"rid\": \"", "rid: must be 64 hex digits"},
        {"\"rid\": \"01", "\"rid\": \"0", "rid: must be 64 hex digits"},
        {"\"rid\": \"01", "\"rid\": \"0101", "rid: must be 64 hex digits"},
        {"\"rid\": \"01", "\"rid\": \"0g", "rid: must be 64 hex digits"},
        {"\"rid\": \"", "\"red\": \"", "rid"},
        {"\"registration\": \"00", "\"registration\": \"zz", "registration: must be 32"},
        {"\"registration\": \"00", "\"registration\": \"", "registration: must be 32"},
        {"\"registration\": \"00", "\"registration\": \"0000", "registration: must be 32"},
        {"\"publicKey\": \"04", "\"publicKey\": \"0", "publicKey: must be 64"},
        {"\"publicKey\": \"04", "\"publicKey\": \"040", "publicKey: must be 64"},
        {"\"nfInstanceId\": \"6", "\"nfInstanceId\": \"66", "nfInstanceId: must have 1..36"},
        {"\"nfInstanceId\": \"" UUID, "\"nfInstanceId\": \"", "nfInstanceId: must have 1..36"},
        {"\"nfInstanceId\": \"6", "\"nfInstanceId\": \"\u00e9", "nfInstanceId: must be print"},
        {"\"profile\": \"nf-tls\"", "\"profile\": \"\"", "profile: must have 1..63"},
        {"ticket 4711", "", "reason: must have 1..128"},
        {"ticket 4711", "ticket\\n4711", "reason: must be printable ASCII"},
        {"ticket 4711", "ticket\\u001f4711", "reason: must be printable ASCII"},
        {"ticket 4711",
         "ticket\x7f"
         "4711",
         "reason: must be printable ASCII"},
        {"\"ticket 4711\"", "null", "string"},
        {"\"version\": 1", "\"version\": \"1\"", "integer"},
        {"\"version\": 1", "\"version\": 1, \"version\": 1", "duplicate"},
        {"\"version\": 1", "\"version\": 1, \"more\": 1", "more"},
        {"{", "[{", "approval: not JSON: line"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *bad = changed(f, rows[i].from, rows[i].to);
        struct approval out;
        struct err e = {0};

        assert_non_null(bad);
        if (approval_parse(span_str(bad), &out, &e) == 0 || e.code != ERR_INPUT ||
            strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu (%s): \"%s\" does not say %s", i, rows[i].to, e.text, rows[i].says);
        }
    }
}

static void
each_member_must_be_there(void **state)
{
    static const char *const names[] = {"version",      "kind",    "decision",     "rid",
                                        "registration", "profile", "nfInstanceId", "publicKey",
                                        "time",         "expires"};
    const struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(mem_cleanup) char *from = mem_printf("\"%s\":", names[i]);
        CLEANUP(mem_cleanup) char *to = mem_printf("\"reason\": \"\", \"%s \":", names[i]);
        CLEANUP(mem_cleanup) char *bad = NULL;
        struct approval request = f->request;
        struct fixture without = {.request = request};
        struct approval out;
        struct err e = {0};

        without.request.reason[0] = '\0';
        bad = changed(&without, from, to);
        assert_non_null(bad);
        assert_err(approval_parse(span_str(bad), &out, &e), ERR_INPUT, &e);
        if (strstr(e.text, "Object item not found") == NULL || strstr(e.text, names[i]) == NULL) {
            fail_msg("%s: %s", names[i], e.text);
        }
    }
}

/* A text of n characters, of which the last is `last`. */
static void
fill(char *out, size_t n, char last)
{
    memset(out, 'a', n);
    out[n - 1] = last;
    out[n] = '\0';
}

static void
texts_are_taken_up_to_their_limit(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        size_t reason;
        size_t profile;
        char last;
        const char *says; /* NULL: taken */
    } rows[] = {
        {1, 1, '~', NULL},
        {1, 1, ' ', NULL},
        {APPROVAL_REASON_SIZE - 1, APPROVAL_PROFILE_SIZE - 1, 'a', NULL},
        {APPROVAL_REASON_SIZE, APPROVAL_PROFILE_SIZE - 1, 'a', "reason: must have 1..128"},
        {APPROVAL_REASON_SIZE - 1, APPROVAL_PROFILE_SIZE, 'a', "profile: must have 1..63"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture with = {.request = f->request};
        char reason[APPROVAL_REASON_SIZE + 1];
        char profile[APPROVAL_PROFILE_SIZE + 1];
        CLEANUP(mem_cleanup) char *quoted = NULL;
        CLEANUP(mem_cleanup) char *half = NULL;
        CLEANUP(mem_cleanup) char *text = NULL;
        const char *at;
        struct approval out;
        struct err e = {0};
        int result;

        fill(reason, rows[i].reason, rows[i].last);
        fill(profile, rows[i].profile, rows[i].last);
        quoted = mem_printf("\"profile\": \"%s\"", profile);
        half = changed(&with, "\"profile\": \"nf-tls\"", quoted);
        assert_non_null(half);
        at = strstr(half, "ticket 4711");
        assert_non_null(at);
        text = mem_printf("%.*s%s%s", (int)(at - half), half, reason, at + strlen("ticket 4711"));
        result = approval_parse(span_str(text), &out, &e);
        if (rows[i].says == NULL ? result != 0 || strcmp(out.reason, reason) != 0 ||
                                       strcmp(out.profile, profile) != 0
                                 : result == 0 || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
a_time_that_is_wrong_is_refused_and_named(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        const char *time;
        const char *expires;
        const char *says; /* NULL: taken */
    } rows[] = {
        {"2026-09-21T14:13:10Z", "2026-09-21T14:13:11Z", NULL},
        {"2026-09-21T14:13:10Z", "2026-10-22T14:13:10Z", NULL},
        {"2026-09-21T14:13:10Z", "2026-10-22T14:13:11Z", "expires: must be after time, by 31 days"},
        {"2026-09-21T14:13:10Z", "2026-09-21T14:13:10Z", "expires: must be after time, by 31 days"},
        {"2026-09-21T14:13:10Z", "2026-09-21T14:13:09Z", "expires: must be after time, by 31 days"},
        {"2026-09-21T14:13:10Z", "2027-09-21T14:13:10Z", "expires: must be after time, by 31 days"},
        {"2026/09-21T14:13:10Z", "2026-09-22T14:13:10Z", "approval: time: must be a time like"},
        {"2026-09-21T14:13:10", "2026-09-22T14:13:10Z", "approval: time: must be a time like"},
        {"2026-09-21T14:13:10+00:00", "2026-09-22T14:13:10Z", "approval: time: must be a time"},
        {"2026-09-21T14:13:10.5Z", "2026-09-22T14:13:10Z", "approval: time: must be a time like"},
        {"2026-02-30T14:13:10Z", "2026-03-03T14:13:10Z", "approval: time: must be a time like"},
        {"2026-09-21T24:00:00Z", "2026-09-22T14:13:10Z", "approval: time: must be a time like"},
        {"", "2026-09-22T14:13:10Z", "approval: time: must be a time like"},
        {"2026-09-21T14:13:10Z", "never", "approval: expires: must be a time like"},
        {"2026-09-21T14:13:10Z", "2026-09-31T14:13:10Z", "approval: expires: must be a time like"},
        {"2026-09-21T14:13:10Z", "", "approval: expires: must be a time like"},
    };
    char time[TIME_TEXT_SIZE];
    char expires[TIME_TEXT_SIZE];
    CLEANUP(mem_cleanup) char *from = NULL;

    time_format(f->request.time, time);
    time_format(f->request.expires, expires);
    from = mem_printf("\"time\": \"%s\",\n \"expires\": \"%s\"", time, expires);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *to =
            mem_printf("\"time\": \"%s\", \"expires\": \"%s\"", rows[i].time, rows[i].expires);
        CLEANUP(mem_cleanup) char *text = changed(f, from, to);
        struct approval out;
        struct err e = {0};
        int result;

        assert_non_null(text);
        result = approval_parse(span_str(text), &out, &e);
        if (rows[i].says == NULL
                ? result != 0
                : result == 0 || e.code != ERR_INPUT || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu (%s): %s", i, to, result == 0 ? "taken" : e.text);
        }
    }
}

/* What is signed by the right officer is still no approval outside its window. */
static void
a_signed_approval_is_good_in_its_window_only(void **state)
{
    struct fixture *f = *state;
    static const struct {
        time_t made;    /* against PKI_NOW */
        time_t expires; /* the same */
        const char *says;
    } rows[] = {
        {0, 1, NULL},
        {APPROVAL_SKEW_S, DAY, NULL},
        {APPROVAL_SKEW_S + 1, DAY, "approval: time is in the future"},
        {-DAY, 0, "approval: expired"},
        {-DAY, -1, "approval: expired"},
        {-(time_t)APPROVAL_DAYS_MAX * DAY + 1, 1, NULL},
        {-(time_t)40 * DAY, -(time_t)9 * DAY, "approval: expired"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct approval a = f->request;
        CLEANUP(buf_free) struct buf cms = {0};
        CLEANUP(approval_signed_cleanup) struct approval_signed *got = NULL;
        struct err e = {0};

        a.time = PKI_NOW + rows[i].made;
        a.expires = PKI_NOW + rows[i].expires;
        cms = sign(f, &a, f->officer, f->key);
        got = verified(f, buf_span(&cms), PKI_NOW, &e);
        if ((got != NULL) != (rows[i].says == NULL) ||
            (got == NULL && (e.code != ERR_DENIED || strstr(e.text, rows[i].says) == NULL))) {
            fail_msg("row %zu: %s", i, got != NULL ? "taken" : e.text);
        }
    }
}

/* An approval must fit into a leaf of the record, though an envelope may be longer. */
static void
an_approval_is_taken_up_to_its_limit(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *text = approval_format(&f->request);

    for (size_t over = 0; over < 2; over++) {
        const size_t wanted = APPROVAL_CMS_MAX + over;
        CLEANUP(buf_free) struct buf cms = BUF_INIT((size_t)2 * APPROVAL_CMS_MAX);
        CLEANUP(approval_signed_cleanup) struct approval_signed *got = NULL;
        size_t blanks = wanted - f->cms.n - 8;
        struct err e = {0};

        /* The length of a signature differs by an octet or two. */
        for (int tries = 0; cms.n != wanted; tries++) {
            CLEANUP(buf_free) struct buf document = BUF_INIT((size_t)2 * APPROVAL_CMS_MAX);

            assert_true(tries < 100);
            assert_ok(buf_append_str(&document, text, &e), &e);
            memset(buf_extend(&document, blanks, &e), ' ', blanks);
            buf_truncate(&cms, 0);
            assert_ok(approval_sign(buf_span(&document), f->officer, f->key, &cms, &e), &e);
            blanks = blanks + wanted - cms.n;
        }
        got = verified(f, buf_span(&cms), PKI_NOW, &e);
        if (over == 0) {
            assert_non_null(got);
        } else {
            assert_null(got);
            assert_int_equal(e.code, ERR_INPUT);
            assert_string_equal(e.text, "approval: longer than 16384 octets");
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
        cmocka_unit_test(each_member_must_be_there),
        cmocka_unit_test(texts_are_taken_up_to_their_limit),
        cmocka_unit_test(a_time_that_is_wrong_is_refused_and_named),
        cmocka_unit_test(a_signed_approval_is_good_in_its_window_only),
        cmocka_unit_test(an_approval_is_taken_up_to_its_limit),
        cmocka_unit_test(the_same_name_or_the_same_key_is_the_same_person),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
