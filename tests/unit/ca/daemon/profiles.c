/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intent that a stop left behind, and a start with another file of profiles: it is finished when
 * the file leads to the same octets, else given up. What is signed follows from what RA and
 * requester signed and from the file of today, never from a row.
 */
#include <string.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "ca/registration/registration.h"
#include "ca/x509/profile/profiles.h"
#include "db/issuance/issuance.h"
#include "db/store/store.h"
#include "tests/support/test.h"
#include "tests/unit/ca/daemon/nf.h"

#define NF_TLS(NAME, DAYS_TEXT)                                                                    \
    "profile \"" NAME "\" {\n extended_key_usage = {serverAuth, clientAuth}\n server = true\n"     \
    " max_validity_days = " DAYS_TEXT "\n}\n"

static void
use_file(struct world *w, const char *text)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/profiles.conf", w->dir);
    struct err e = {0};

    assert_ok(file_write(path, span_str(text), 0600, &e), &e);
    world_configure(w, "profiles = \"profiles.conf\"\n");
}

static void
an_intent_is_finished_only_when_the_new_file_says_the_same(void **state)
{
    static const struct {
        const char *file;
        bool finished;
    } rows[] = {
        {"# the same, in other words\n" NF_TLS("nf-tls", "1095"), true},
        {NF_TLS("nf-tls", "40") NF_TLS("other", "1"), true},
        {NF_TLS("nf-tls", "10"), false},  /* another notAfter */
        {NF_TLS("other", "1095"), false}, /* the profile is gone */
        {"profile \"nf-tls\" { extended_key_usage = {clientAuth} }", false}, /* another purpose */
        {"profile \"nf-tls\" { extended_key_usage = {serverAuth, clientAuth} server = true\n"
         "assurance = signature }",
         false}, /* not with a MAC any more */
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
        CLEANUP(answer_free) struct answer answer = {0};
        json_int_t certificates = world_record(w, "certificates");
        json_int_t revoked = world_record(w, "revoked");

        assert_int_equal(world_stop(w), 0);
        nf_leave_intent(w, &n, 0);
        use_file(w, rows[i].file);
        world_start(w);
        assert_int_equal(world_record(w, "open"), 0);
        if (world_record(w, "certificates") != certificates + rows[i].finished ||
            world_record(w, "revoked") != revoked + !rows[i].finished) {
            fail_msg("row %zu: %s", i, rows[i].file);
        }
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        if (rows[i].finished) {
            X509_free(nf_issued(&answer));
        } else {
            nf_is_refused(&answer, CMP_SYSTEM_FAILURE);
        }
        world_restart(w, "");
    }
}

static void
a_profile_that_left_the_file_is_not_issued_and_others_are(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 2);
    CLEANUP(answer_free) struct answer answer = {0};

    assert_int_equal(world_stop(w), 0);
    use_file(w, NF_TLS("other", "10"));
    world_start(w);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
    assert_int_equal(world_stop(w), 0);
    use_file(w, NF_TLS("nf-tls", "10"));
    world_start(w);
    nf_request(w, &n);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    X509_free(nf_issued(&answer));
    world_restart(w, "");
}

static void
a_bad_file_is_not_started_with(void **state)
{
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    use_file(w, "profile \"nf-tls\" {\n extended_key_usage = {\"2.5.29.37.0\"}\n}\n");
    assert_true(world_start_fails(w));
    world_configure(w, "");
    world_start(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_intent_is_finished_only_when_the_new_file_says_the_same),
        cmocka_unit_test(a_profile_that_left_the_file_is_not_issued_and_others_are),
        cmocka_unit_test(a_bad_file_is_not_started_with),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
