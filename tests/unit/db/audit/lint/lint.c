/* SPDX-License-Identifier: Apache-2.0 */
/* Each lint by a certificate that breaks exactly what it asks; and good ones of each profile. */
#include <openssl/ec.h>
#include <string.h>

#include "tests/support/test.h"
#include "tests/unit/db/audit/lint/bad.h"

static struct made_authority authority;

static int
begin(void **state)
{
    (void)state;
    made_begin(&authority);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    made_end(&authority);
    return 0;
}

static size_t
lint_of(const char *id)
{
    for (size_t i = 0; lint_at(i) != NULL; i++) {
        if (strcmp(lint_at(i)->kind.id, id) == 0) {
            return i;
        }
    }
    fail_msg("no lint %s", id);
    return 0;
}

static void
print_mask(const char *what, uint64_t mask)
{
    for (size_t i = 0; lint_at(i) != NULL; i++) {
        if ((mask >> i & 1) != 0) {
            print_message("  %s %s\n", what, lint_at(i)->kind.id);
        }
    }
}

/* ---- good ones ---- */

static void
a_good_certificate_of_each_profile_passes(void **state)
{
    static const char *const network[] = {"nf-tls", "nf-tls-client", "nf-tls-server"};
    static const char *const people[] = {"ra-cmp", "registrar", "officer"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(network) + ARRAY_LEN(people); i++) {
        const bool nf = i < ARRAY_LEN(network);
        const struct made m =
            nf ? made_nf(network[i]) : made_person(people[i - ARRAY_LEN(network)]);
        const struct lint_verdict *v;

        made_again(&authority, NULL, NULL);
        made_issue(&authority, &m);
        assert_int_equal(lint_judge_count(authority.judge), 1);
        v = lint_judge_at(authority.judge, 0);
        if (v->failed != 0 || v->not_run != 0 || findings_at(authority.findings, 0) != NULL) {
            print_mask("failed", v->failed);
            print_mask("not run", v->not_run);
            fail_msg("%s: %s", m.profile,
                     v->failed == 0 ? "" : findings_at(authority.findings, 0)->text);
        }
        assert_null(lint_judge_lack(authority.judge, 0));
        assert_string_equal(v->serial, m.serial);
        assert_string_equal(v->profile, m.profile);
        assert_true((v->passed >> lint_of("lint.ku.value") & 1) != 0);
        assert_int_equal((int)(v->passed >> lint_of("lint.san.uuid") & 1), nf);
    }
}

/* ---- bad ones ---- */

static uint64_t
wanted_of(const struct bad *r)
{
    uint64_t wanted = UINT64_C(1) << lint_of(r->lint);

    for (size_t i = 0; r->besides[i] != NULL; i++) {
        wanted |= UINT64_C(1) << lint_of(r->besides[i]);
    }
    return wanted;
}

static void
each_lint_finds_what_it_is_for_and_no_other_does(void **state)
{
    uint64_t tried = 0;

    (void)state;
    for (size_t i = 0; i < n_bad_rows; i++) {
        struct bad r = {.lint = bad_rows[i].lint, .m = made_nf("nf-tls"), .by = &authority};
        char hash[2 * SHA256_SIZE + 1];
        const struct lint_verdict *v;

        bad_rows[i].change(&r);
        made_again(&authority, r.operators, hash);
        if (r.operators != NULL) {
            r.m.profile = "own";
            r.m.profile_file = hash;
        }
        if (r.twice) {
            struct made first = made_nf("nf-tls");

            r.key = r.m.key = first.key = EVP_EC_gen("P-256");
            first.nf = "9ba7b810-9dad-41d1-80b4-00c04fd430c8";
            first.document = NULL;
            made_issue(&authority, &first);
        }
        made_issue(&authority, &r.m);
        v = lint_judge_at(authority.judge, lint_judge_count(authority.judge) - 1);
        if (v->failed != wanted_of(&r)) {
            print_mask("failed", v->failed);
            fail_msg("row %zu: %s: %s", i, r.lint,
                     v->failed == 0 ? "passed" : findings_at(authority.findings, 0)->text);
        }
        tried |= v->failed;
        EVP_PKEY_free(r.key);
    }
    for (size_t i = 0; lint_at(i) != NULL; i++) {
        if ((tried >> i & 1) == 0) {
            fail_msg("%s was tried by no row", lint_at(i)->kind.id);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_certificate_of_each_profile_passes),
        cmocka_unit_test(each_lint_finds_what_it_is_for_and_no_other_does),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
