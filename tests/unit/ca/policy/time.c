/* SPDX-License-Identifier: Apache-2.0 */
/* When a network function is granted something, from when to when, and what it says. */
#include "ca/policy/policy.h"

#include <string.h>

#include "ca/policy/backdate.h"
#include "db/ledger/leaf.h"
#include "tests/unit/ca/policy/grant.h"

/* ---- times ---- */

static struct issuance_holder
holder_of_nf(void)
{
    return (struct issuance_holder){.nf_instance = SCENE_INSTANCE,
                                    .profile = "nf-tls",
                                    .registration = SCENE_REGISTRATION,
                                    .governs = SCENE_REGISTRATION};
}

/* The registration's window is that of first certificates: what renews needs the profile only. */
static void
the_window_is_kept_at_both_ends(void **state)
{
    const struct scene *s = *state;
    struct policy policy = s->policy;
    const struct issuance_holder holder = holder_of_nf();
    const struct scene_request kur = {
        .body = CMP_KUR, .certificate = s->held, .signs = s->held_key};
    const struct scene_request cr = {.body = CMP_CR, .certificate = s->held, .signs = s->held_key};
    const struct grant_row rows[] = {
        {.name = "a second early",
         .now = PKI_NOW - 1,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "the registration begins at 2026-09-21T14:13:20Z",
         .phrase = PHRASE_NOT_OPEN,
         .value = "2026-09-21T14:13:20Z, in 1 s"},
        {.name = "when it opens", .now = PKI_NOW, .failure = CMP_NO_FAILURE},
        {.name = "in its last second", .now = SCENE_END, .failure = CMP_NO_FAILURE},
        {.name = "a second late",
         .now = SCENE_END + 1,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "the registration ended at 2026-10-21T14:13:20Z",
         .phrase = PHRASE_ENDED,
         .value = "2026-10-21T14:13:20Z, 1 s ago"},
        {.name = "an update late",
         .request = kur,
         .holder = &holder,
         .now = SCENE_END + 1,
         .failure = CMP_NO_FAILURE},
        {.name = "an update of another profile than is registered",
         .request = {.body = CMP_KUR,
                     .certificate = s->held,
                     .signs = s->held_key,
                     .profile = "nf-tls-client"}, /* what the RA says does not count */
         .holder = &holder,
         .failure = CMP_NO_FAILURE},
        {.name = "one more certificate within",
         .request = cr,
         .holder = &holder,
         .now = SCENE_END - SCENE_DAY,
         .failure = CMP_NO_FAILURE},
    };
    struct issuance_holder of_client = holder;

    policy.renew = (struct renew_rules){.reenrolment = true, .expired_days = 1};
    grant_judge_all(s, &policy, rows, ARRAY_LEN(rows));
    memcpy(of_client.profile, "nf-tls-client", sizeof("nf-tls-client"));
    grant_judge(s, &policy,
                &(struct grant_row){.name = "an update of what is not registered any more",
                                    .request = kur,
                                    .holder = &of_client,
                                    .failure = CMP_NOT_AUTHORIZED,
                                    .why = "registration: not for profile nf-tls-client",
                                    .phrase = PHRASE_PROFILE});
    policy.renew.window = 99;
    grant_judge(s, &policy,
                &(struct grant_row){.name = "one more certificate late",
                                    .request = cr,
                                    .holder = &of_client,
                                    .now = SCENE_END,
                                    .failure = CMP_NO_FAILURE});
}

static void
begins(const struct scene *s, int backdate, time_t recorded, time_t now, time_t from,
       const char *why)
{
    struct policy policy = s->policy;
    CLEANUP(policy_grant_free) struct policy_grant g = {.request.not_before = recorded};
    const struct grant_row row = {.now = now};
    enum cmp_failure failure;
    struct err e = {0};
    int result;

    policy.backdate_s = backdate;
    result = grant(s, &policy, &row, &g, &failure, &e);
    if (why != NULL) {
        if (result == 0 || strstr(e.text, why) == NULL) {
            fail_msg("%lld: %s, not %s", (long long)recorded, e.text, why);
        }
        assert_int_equal(failure, CMP_SYSTEM_FAILURE);
        return;
    }
    assert_ok(result, &e);
    assert_int_equal(g.judged, now);
    assert_int_equal(g.request.not_before, from);
    assert_int_equal(g.request.not_after, from + 20L * SCENE_DAY); /* its life counts from there */
}

#define NOT_OF_THEN "notBefore: not of the time of the judgement"

static void
it_begins_before_now_by_so_much_and_no_more(void **state)
{
    const struct scene *s = *state;
    const time_t now = PKI_NOW + SCENE_DAY;

    begins(s, 0, 0, now, now, NULL);
    begins(s, 600, 0, now, now - 600, NULL);
    /* as an intent recorded it, whatever the configuration says by now */
    begins(s, 0, now, now, now, NULL);
    begins(s, 0, now - LEAF_BACKDATE_MAX, now, now - LEAF_BACKDATE_MAX, NULL);
    begins(s, 0, now - LEAF_BACKDATE_MAX - 1, now, 0, NOT_OF_THEN);
    begins(s, 600, now + 1, now, 0, NOT_OF_THEN);
}

/* An issuing certificate whose validity nobody can read gives nothing. */
static void
it_begins_at_no_time_when_the_issuers_cannot_be_read(void **state)
{
    const struct scene *s = *state;
    CLEANUP(x509_cleanup) X509 *odd = X509_dup(s->pki->issuing);
    time_t begin;
    struct err e = {0};

    assert_int_equal(ASN1_STRING_set(X509_getm_notBefore(odd), "once", -1), 1);
    assert_err(backdate_begin(odd, 0, PKI_NOW, &begin, &e), ERR_INPUT, &e);
    assert_err(backdate_check(odd, PKI_NOW, PKI_NOW, &e), ERR_INPUT, &e);
}

/* The end is that of first certificates; the begin is everybody's, and no clock is taken for
 * further behind than those that are let in, or than certificates begin before they are made. */
static void
it_was_made_in_the_life_of_its_registration(void **state)
{
    const struct scene *s = *state;
    struct policy policy = s->policy;
    const struct issuance_holder holder = holder_of_nf();
    const struct scene_request kur = {
        .body = CMP_KUR, .certificate = s->held, .signs = s->held_key};
    const struct {
        int window;
        int backdate;
        int registered; /* since it was made */
        bool taken;
    } rows[] = {{300, 60, 0, true},  {300, 60, 60, true}, {300, 60, 61, false}, {10, 60, 10, true},
                {10, 60, 11, false}, {300, 0, 1, false},  {300, 60, -60, true}};

    for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
        const struct scene_request asked = i % 2 == 0 ? (struct scene_request){0} : kur;
        const bool taken = rows[i / 2].taken;

        policy.message_window_s = rows[i / 2].window;
        policy.backdate_s = rows[i / 2].backdate;
        grant_judge(s, &policy,
                    &(struct grant_row){.name = i % 2 == 0 ? "the first" : "an update",
                                        .request = asked,
                                        .holder = i % 2 == 0 ? NULL : &holder,
                                        .registered = PKI_NOW + rows[i / 2].registered,
                                        .failure = taken ? CMP_NO_FAILURE : CMP_BAD_TIME,
                                        .phrase = taken ? PHRASE_NONE : PHRASE_MADE_BEFORE});
    }
    policy.message_required = true;
    grant_judge(s, &policy,
                &(struct grant_row){.name = "no messageTime",
                                    .request = {.no_time = true},
                                    .failure = CMP_BAD_TIME,
                                    .phrase = PHRASE_NO_TIME});
}

/* ---- what is made of it ---- */

static void
a_rehearsal_ends_after_a_week_and_never_later(void **state)
{
    const struct scene *s = *state;
    static const struct {
        const char *days;
        bool rehearsal;
        int wanted;
    } rows[] = {{"[{\"name\":\"nf-tls\",\"maxValidityDays\":8}]", true, REHEARSAL_DAYS_MAX},
                {"[{\"name\":\"nf-tls\",\"maxValidityDays\":7}]", true, 7},
                {"[{\"name\":\"nf-tls\",\"maxValidityDays\":6}]", true, 6},
                {"[{\"name\":\"nf-tls\",\"maxValidityDays\":8}]", false, 8}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct policy policy = s->policy;
        CLEANUP(mem_cleanup) char *json = scene_registration(SCENE_MAC, rows[i].days, "");
        CLEANUP(policy_grant_free) struct policy_grant g = {0};
        const struct grant_row row = {.json = json};
        enum cmp_failure failure;
        struct err e = {0};

        policy.rehearsal = rows[i].rehearsal;
        assert_ok(grant(s, &policy, &row, &g, &failure, &e), &e);
        assert_int_equal(g.request.not_after - g.request.not_before, rows[i].wanted * SCENE_DAY);
    }
}

static void
what_is_granted_is_what_is_registered(void **state)
{
    const struct scene *s = *state;
    CLEANUP(policy_grant_free) struct policy_grant g = {0};
    CLEANUP(buf_free) struct buf spki = pki_spki(s->key);
    CLEANUP(buf_free) struct buf body = BUF_INIT(SMALL);
    CLEANUP(x509_name_cleanup) X509_NAME *other = X509_NAME_new();
    const struct cmp_client_wish wish = {.subject = other, .cert_req_id = 7};
    struct grant_row row = {.name = "for somebody else"};
    uint8_t hash[SHA256_SIZE];
    enum cmp_failure failure;
    struct err e = {0};

    /* Whatever CN is asked for: the registration alone says who it is. */
    assert_int_equal(X509_NAME_add_entry_by_txt(other, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)"somebody else", -1, -1, 0),
                     1);
    assert_ok(cmp_client_body_wish(CMP_IR, s->key, &wish, &body, &e), &e);
    row.request.content = buf_span(&body);
    assert_ok(grant(s, &s->policy, &row, &g, &failure, &e), &e);
    assert_int_equal(failure, CMP_NO_FAILURE);
    assert_int_equal(g.cert_req_id, 7);
    assert_ok(sha256(buf_span(&spki), hash, &e), &e);
    assert_memory_equal(g.spki_sha256, hash, sizeof(hash));
    assert_string_equal(g.request.nf->instance_id, SCENE_INSTANCE);
    assert_string_equal(g.request.crl_url, s->policy.crl_url);
    assert_ptr_equal(g.request.issuer, s->policy.issuing);
    assert_non_null(memmem(g.tbs.p, g.tbs.n, SCENE_INSTANCE, strlen(SCENE_INSTANCE)));
    assert_null(memmem(g.tbs.p, g.tbs.n, "Vendor", strlen("Vendor")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_is_kept_at_both_ends),
        cmocka_unit_test(it_was_made_in_the_life_of_its_registration),
        cmocka_unit_test(it_begins_before_now_by_so_much_and_no_more),
        cmocka_unit_test(it_begins_at_no_time_when_the_issuers_cannot_be_read),
        cmocka_unit_test(a_rehearsal_ends_after_a_week_and_never_later),
        cmocka_unit_test(what_is_granted_is_what_is_registered),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
