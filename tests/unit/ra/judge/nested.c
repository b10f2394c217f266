/* SPDX-License-Identifier: Apache-2.0 */
/* What another RA has signed is opened when it is one, with a good certificate. */
#include "ra/judge/nested.h"

#include <unistd.h>

#include "base/ossl.h"
#include "tests/unit/ra/judge/wrapping.h"

/* ---- who ---- */

static void
only_another_ra_with_a_good_certificate_may_wrap(void **state)
{
    static const struct {
        const char *name;
        enum wrapped_by signer;
        struct fixture_verdict verdict;
    } rows[] = {
        {"an RA of ours", OURS, {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"a partner's RA", PARTNER, {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"in its last second", PARTNER_ENDS, {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"in its first second", PARTNER_BEGINS, {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"ours, expired",
         OURS_EXPIRED,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "expired", PHRASE_NONE}},
        {"a partner's, expired",
         PARTNER_ENDED,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "expired", PHRASE_NONE}},
        {"a partner's, not yet valid",
         PARTNER_EARLY,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "not yet valid", PHRASE_NONE}},
        {"a network function",
         OUR_NF,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "extendedKeyUsage", PHRASE_NONE}},
        {"a registrar",
         OUR_REGISTRAR,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "extendedKeyUsage", PHRASE_NONE}},
        {"a partner's, no RA",
         PARTNER_NO_RA,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "extendedKeyUsage", PHRASE_NONE}},
        {"a key that may not sign",
         PARTNER_NO_SIGNS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "keyUsage", PHRASE_NONE}},
        {"an RA of a vendor's",
         VENDOR,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "unable to get local issuer", PHRASE_NONE}},
        {"nobody", NOBODY, {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "self-signed", PHRASE_NONE}},
        {"this RA", ITSELF, {FIXTURE_FORM, CMP_NOT_AUTHORIZED, "nested by ourselves", PHRASE_NONE}},
        {"this RA's key",
         ITSELF_BEFORE,
         {FIXTURE_FORM, CMP_NOT_AUTHORIZED, "nested by ourselves", PHRASE_NONE}},
    };
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client by = wrapping_client(f, rows[i].signer);

        wrong += wrapping_expect(f, &by, buf_span(&wrapping.body),
                                 &(struct fixture_message){.around = wrapping.msg},
                                 &rows[i].verdict, rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* ---- is it not revoked? ---- */

enum status {
    GOOD,
    REVOKED,
    STALE,
    LAST_SECOND,
    NEVER_ENDS, /* no nextUpdate */
    NOT_THERE,
    OF_ANOTHER,      /* another issuer's */
    BEHIND_ANOTHERS, /* another issuer's stands before it */
    FORGED,          /* our issuer's name, another key */
    NO_FOLDER,
    NOT_CONFIGURED,
};

static void
remove_crls(const struct fixture *f)
{
    static const char *const names[] = {"a.crl", "issuing.crl"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", f->settings->crl_dir, names[i]);

        (void)unlink(path);
    }
}

static void
put_crl(const struct fixture *f, const char *name, X509 *issuer, EVP_PKEY *key)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", f->settings->crl_dir, name);
    const struct forge_crl forge = {.issuer = issuer,
                                    .issuer_key = key,
                                    .this_update = f->now - FIXTURE_DAY,
                                    .next_update = f->now + FIXTURE_DAY,
                                    .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&forge);

    forge_crl_write(crl, path);
}

static void
set_status(struct fixture *f, enum status status)
{
    remove_crls(f);
    switch (status) {
    case GOOD:
    case NO_FOLDER:
    case NOT_CONFIGURED:
        fixture_crl(f, wrapping.of[OUR_NF], 1000);
        return;
    case REVOKED:
        fixture_crl(f, wrapping.of[OURS], 1000);
        return;
    case STALE:
        fixture_crl(f, NULL, -1);
        return;
    case LAST_SECOND:
        fixture_crl(f, NULL, 0);
        return;
    case NEVER_ENDS:
        fixture_crl(f, NULL, FIXTURE_NO_END);
        return;
    case NOT_THERE:
        return;
    case OF_ANOTHER:
        put_crl(f, "a.crl", f->upstream, f->vendor_key);
        return;
    case BEHIND_ANOTHERS:
        put_crl(f, "a.crl", f->upstream, f->vendor_key);
        fixture_crl(f, wrapping.of[OURS], 1000);
        return;
    case FORGED:
        put_crl(f, "a.crl", f->pki->issuing, wrapping.other_key);
        return;
    }
}

static void
an_ra_of_ours_needs_a_good_crl(void **state)
{
    static const struct {
        const char *name;
        enum status status;
        enum wrapped_by signer;
        struct fixture_verdict verdict;
    } rows[] = {
        {"another one is in it", GOOD, OURS, {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"it is in it",
         REVOKED,
         OURS,
         {FIXTURE_FORM, CMP_CERT_REVOKED, "the upstream RA's certificate is revoked", PHRASE_NONE}},
        {"behind another issuer's",
         BEHIND_ANOTHERS,
         OURS,
         {FIXTURE_FORM, CMP_CERT_REVOKED, "the upstream RA's certificate is revoked", PHRASE_NONE}},
        {"stale",
         STALE,
         OURS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "no good CRL of the upstream RA's", PHRASE_NONE}},
        {"in its last second",
         LAST_SECOND,
         OURS,
         {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"without an end",
         NEVER_ENDS,
         OURS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "no good CRL of the upstream RA's", PHRASE_NONE}},
        {"none",
         NOT_THERE,
         OURS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "no good CRL of the upstream RA's", PHRASE_NONE}},
        {"another issuer's alone",
         OF_ANOTHER,
         OURS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "no good CRL of the upstream RA's", PHRASE_NONE}},
        {"forged",
         FORGED,
         OURS,
         {FIXTURE_FORM, CMP_SIGNER_NOT_TRUSTED, "no good CRL of the upstream RA's", PHRASE_NONE}},
        {"a folder that is not there",
         NO_FOLDER,
         OURS,
         {FIXTURE_FORM, CMP_SYSTEM_FAILURE, "No such file", PHRASE_NONE}},
        {"no folder is configured",
         NOT_CONFIGURED,
         OURS,
         {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
        {"a partner's RA needs none of ours",
         NOT_THERE,
         PARTNER,
         {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE}},
    };
    struct fixture *f = *state;
    int wrong = 0;
    char *dir = f->settings->crl_dir;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client by = wrapping_client(f, rows[i].signer);

        set_status(f, rows[i].status);
        if (rows[i].status == NO_FOLDER) {
            f->settings->crl_dir = f->settings->link; /* a path where nothing is */
        } else if (rows[i].status == NOT_CONFIGURED) {
            f->settings->crl_dir = NULL;
        }
        wrong += wrapping_expect(f, &by, buf_span(&wrapping.body),
                                 &(struct fixture_message){.around = wrapping.msg},
                                 &rows[i].verdict, rows[i].name);
        f->settings->crl_dir = dir;
    }
    set_status(f, GOOD);
    assert_int_equal(wrong, 0);
}

/* ---- what is inside ---- */

/* It comes on the path for wrappers, or on that of what is inside. */
static void
a_wrapper_has_a_path_of_its_own(void **state)
{
    static const struct {
        const char *name;
        int path;
        struct fixture_verdict verdict;
    } rows[] = {
        {"that for nested", CMP_NESTED, FIXTURE_GOOD},
        {"that for all", -1, FIXTURE_GOOD},
        {"that for ir", CMP_IR, FIXTURE_GOOD},
        {"that for cr",
         CMP_CR,
         {FIXTURE_FORM, CMP_BAD_REQUEST, "ir on a path for another operation",
          PHRASE_PATH_OPERATION}},
    };
    struct fixture *f = *state;
    const struct cmp_client by = wrapping_client(f, PARTNER);
    CLEANUP(buf_free)
    struct buf message = fixture_message(f, &by, buf_span(&wrapping.body),
                                         &(struct fixture_message){.around = wrapping.msg}, NULL);
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct job *job = fixture_job(f, buf_span(&message));

        job->route.body = rows[i].path;
        wrong += fixture_expect(job, &rows[i].verdict, rows[i].name);
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_another_ra_with_a_good_certificate_may_wrap),
        cmocka_unit_test(an_ra_of_ours_needs_a_good_crl),
        cmocka_unit_test(a_wrapper_has_a_path_of_its_own),
    };

    return cmocka_run_group_tests(tests, wrapping_set_up, wrapping_tear_down);
}
