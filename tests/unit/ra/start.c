/* SPDX-License-Identifier: Apache-2.0 */
/* What nfpki-ra --check finds in the files that its configuration names. */
#include "ra/start.h"

#include <string.h>

#include "base/file.h"
#include "tests/support/tap.h"
#include "tests/unit/ra/fixture.h"

/* The RA's certificate, made of these. */
static X509 *
ra_of(struct fixture *f, X509 *issuer, EVP_PKEY *issuer_key, const char *eku, int from, int days,
      bool bare)
{
    struct forge forge = {.subject = "C=SE/O=Example Operator/CN=RA",
                          .key = f->ra_key,
                          .issuer = issuer,
                          .issuer_key = issuer_key,
                          .not_before = f->now + (time_t)from * FIXTURE_DAY,
                          .not_after = f->now + (time_t)(from + days) * FIXTURE_DAY,
                          .extensions = {"basicConstraints=critical,CA:FALSE",
                                         "keyUsage=critical,digitalSignature", eku},
                          .bare = bare};

    return forge_certificate(&forge);
}

static void
a_file_that_does_not_do_is_named(void **state)
{
    struct fixture *f = *state;
    X509 *issuing = f->pki->issuing;
    EVP_PKEY *key = f->pki->issuing_key;
    static const char cmc_ra[] = "extendedKeyUsage=1.3.6.1.5.5.7.3.28";
    const struct {
        const char *name;
        X509 *certificate;
        const char *why;  /* NULL: taken */
        const char *says; /* NULL: nothing */
    } rows[] = {
        {"good", ra_of(f, issuing, key, cmc_ra, -1, 30, false), NULL, NULL},
        {"ended", ra_of(f, issuing, key, cmc_ra, -2, 1, false), NULL, "own.der ended at "},
        {"not begun", ra_of(f, issuing, key, cmc_ra, 1, 30, false), NULL, "own.der begins at "},
        {"no purpose", ra_of(f, issuing, key, NULL, -1, 30, false), "own.der", NULL},
        {"another purpose", ra_of(f, issuing, key, "extendedKeyUsage=clientAuth", -1, 30, false),
         "own.der", NULL},
        {"of somebody else", ra_of(f, f->vendor, f->vendor_key, cmc_ra, -1, 30, false), "own.der",
         NULL},
        {"signed by another key", ra_of(f, issuing, f->vendor_key, cmc_ra, -1, 30, false),
         "own.der", NULL},
        {"no subjectKeyIdentifier", ra_of(f, issuing, key, cmc_ra, -1, 30, true),
         "own.der has no subjectKeyIdentifier", NULL},
    };
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/own.der", f->dir);
    char *configured = f->settings->certificate;

    f->settings->certificate = path;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        forge_certificate_write(rows[i].certificate, path);
        tap_mark();
        if ((ra_check(f->settings, &e) == 0) != (rows[i].why == NULL) ||
            (rows[i].why != NULL && strstr(e.text, rows[i].why) == NULL)) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
        if (rows[i].says != NULL) {
            tap_need(rows[i].says);
        } else {
            assert_false(tap_has("own-certificate"));
        }
        X509_free(rows[i].certificate);
    }
    f->settings->certificate = configured;
}

static void
a_file_that_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;
    static char nowhere[] = "/nonexistent/x";
    struct settings *s = f->settings;
    const struct {
        char **path;
        const char *why;
    } rows[] = {{&s->certificate, "/nonexistent/x"},
                {&s->issuing, "/nonexistent/x"},
                {&s->root, "/nonexistent/x"},
                {&s->public_tls_root, "public_tls_root: "},
                {&s->log_key, "log_key: /nonexistent/x"}};
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *configured = *rows[i].path;

        *rows[i].path = nowhere;
        assert_int_equal(ra_check(s, &e), -1);
        if (strstr(e.text, rows[i].why) == NULL) {
            fail_msg("%s: %s", rows[i].why, e.text);
        }
        *rows[i].path = configured;
    }
    s->root_update.items[0] = nowhere;
    s->root_update.n = 1;
    assert_int_equal(ra_check(s, &e), -1);
    assert_non_null(strstr(e.text, "root_update: three files are needed"));
    s->root_update.n = 0;
    assert_ok(ra_check(s, &e), &e);
}

/* An anchor under which nothing could verify is wrong when it is looked for. */
static void
an_anchor_that_has_ended_is_named(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ended.der", f->dir);
    char **roots = f->settings->trust.sets[0].roots.items;
    char *configured = roots[0];
    X509 *ended = forge_certificate(&(struct forge){.subject = "O=Vendor/CN=Ended",
                                                    .key = f->vendor_key,
                                                    .issuer_key = f->vendor_key,
                                                    .not_before = f->now - 2 * FIXTURE_DAY,
                                                    .not_after = f->now - FIXTURE_DAY,
                                                    .extensions = {FORGE_CA}});
    struct err e = {0};

    forge_certificate_write(ended, path);
    roots[0] = path;
    assert_int_equal(ra_check(f->settings, &e), -1);
    roots[0] = configured;
    assert_non_null(strstr(e.text, "ended.der: nothing verifies under it"));
    X509_free(ended);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_does_not_do_is_named),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(an_anchor_that_has_ended_is_named),
    };

    tap_open();
    return cmocka_run_group_tests(tests, fixture_setup_now, fixture_teardown);
}
