/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/crl_files.h"

#include <string.h>

#include "base/file.h"
#include "tests/support/der_edit.h"
#include "tests/support/forge.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { THEN = 1795464000 };

static X509_NAME *
name_of(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();

    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                                (const unsigned char *)common_name, -1, -1, 0),
                     1);
    return name;
}

/* DER of an empty CRL of this issuer. */
static void
write_crl(const char *dir, const char *file, const char *issuer)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", dir, file);
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = X509_CRL_new();
    CLEANUP(x509_name_cleanup) X509_NAME *name = name_of(issuer);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    ASN1_TIME *t = ASN1_TIME_set(NULL, THEN);
    struct err e;

    assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
    assert_int_equal(X509_CRL_set_issuer_name(crl, name), 1);
    assert_int_equal(X509_CRL_set1_lastUpdate(crl, t), 1);
    ASN1_TIME_free(t);
    t = ASN1_TIME_set(NULL, THEN + 60);
    if (strcmp(issuer, "a") == 0) {
        assert_int_equal(X509_CRL_set1_nextUpdate(crl, t), 1);
    }
    ASN1_TIME_free(t);
    assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    assert_ok(OSSL_ENCODE(X509_CRL, crl, &der, &e), &e);
    assert_ok(file_write(path, buf_span(&der), 0600, &e), &e);
}

static void
every_crl_of_the_folder_is_read_and_nothing_else(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *broken = mem_printf("%s/broken.crl", dir);
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/readme.txt", dir);
    CLEANUP(crl_files_cleanup) struct crl_files *c = NULL;
    CLEANUP(x509_name_cleanup) X509_NAME *a = name_of("a");
    struct err e;

    (void)state;
    write_crl(dir, "second.crl", "b");
    write_crl(dir, "first.crl", "a");
    assert_ok(file_write(broken, SPAN_LITERAL("0"), 0600, &e), &e);
    assert_ok(file_write(other, SPAN_LITERAL("text"), 0600, &e), &e);
    c = crl_files_read(dir, &e);
    if (c == NULL) {
        fail_msg("%s", e.text);
        return;
    }
    assert_int_equal(c->n, 2);
    assert_string_equal(c->files[0].name, "first.crl");
    assert_string_equal(c->files[1].name, "second.crl");
    assert_int_equal(c->files[0].this_update, THEN);
    assert_int_equal(c->files[0].next_update, THEN + 60);
    assert_int_equal(c->files[1].next_update, 0);
    assert_true(crl_file_is_of(&c->files[0], a));
    assert_false(crl_file_is_of(&c->files[1], a));
}

static void
a_distribution_point_names_a_file_by_its_last_part(void **state)
{
    const struct crl_file file = {.name = "issuing.crl"};

    (void)state;
    assert_true(crl_file_is_at(&file, SPAN_LITERAL("http://pki.example/crl/issuing.crl")));
    assert_false(crl_file_is_at(&file, SPAN_LITERAL("http://pki.example/crl/non-issuing.crl")));
    assert_false(crl_file_is_at(&file, SPAN_LITERAL("issuing.crl")));
    assert_true(crl_file_is_at(&file, SPAN_LITERAL("/issuing.crl")));
    assert_false(crl_file_is_at(&file, SPAN_LITERAL("http://pki.example/crl/issuing.crk")));
    assert_false(crl_file_is_at(&file, SPAN_LITERAL("http://pki.example/crl/jssuing.crl")));
    assert_false(crl_file_is_at(&file, SPAN_LITERAL("http://pki.example/crl/issuing.crl?x")));
    assert_false(crl_file_is_at(&file, SPAN_LITERAL("")));
}

/* What is no name of a CRL is not looked at; of names that are too many some are left out. */
static void
a_name_says_that_it_is_a_crl(void **state)
{
    static const char longest[] = "0123456789012345678901234567890123456789012345678901234567890";
    CLEANUP(mem_cleanup) char *sixty_four = mem_printf("%.60s.crl", longest);
    CLEANUP(mem_cleanup) char *sixty_five = mem_printf("%.61s.crl", longest);
    const struct {
        const char *name;
        bool read;
    } rows[] = {
        {"a.crl", true},  {".crl", false},    {".a.crl", false},   {"a.crl.bak", false},
        {"a.CRL", false}, {"acrl", false},    {"crl", false},      {"a.der", false},
        {"aXcrl", false}, {sixty_four, true}, {sixty_five, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        CLEANUP(crl_files_cleanup) struct crl_files *c = NULL;
        struct err e;

        write_crl(dir, rows[i].name, "a");
        c = crl_files_read(dir, &e);
        assert_non_null(c);
        if (c->n != rows[i].read) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void
as_many_are_read_as_there_is_room_for(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *first = mem_printf("%s/00.crl", dir);
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    struct err e;

    (void)state;
    write_crl(dir, "00.crl", "a");
    assert_ok(file_read(first, &der, &e), &e);
    for (int i = 1; i <= CRL_FILES_MAX; i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/%02d.crl", dir, i);
        CLEANUP(crl_files_cleanup) struct crl_files *c = crl_files_read(dir, &e);

        assert_non_null(c);
        assert_int_equal(c->n, i);
        assert_ok(file_write(path, buf_span(&der), 0600, &e), &e);
    }
    {
        CLEANUP(crl_files_cleanup) struct crl_files *c = crl_files_read(dir, &e);

        assert_non_null(c);
        assert_int_equal(c->n, CRL_FILES_MAX);
    }
}

/* ---- the form ---- */

/* One of version 2 with a nextUpdate, `revoked` in it or nothing. */
static struct buf
crl_of(X509 *issuer, EVP_PKEY *key, X509 *revoked, time_t next)
{
    const struct forge_crl forge = {.issuer = issuer,
                                    .issuer_key = key,
                                    .this_update = THEN,
                                    .next_update = next,
                                    .revoked = revoked,
                                    .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&forge);
    struct buf der = BUF_INIT(8192);
    struct err e;

    assert_ok(OSSL_ENCODE(X509_CRL, crl, &der, &e), &e);
    return der;
}

/* How the octets are read, whose element at `edit` gives way to `with`. */
static void
check_form(const char *name, struct span crl, const char *edit, struct span with, const char *why,
           time_t this_update, time_t next_update)
{
    struct crl_file f = {.der = BUF_INIT(8192)};
    struct err e = {0};
    int result;

    assert_ok(edit == NULL ? buf_set(&f.der, crl, &e) : der_edit(crl, edit, with, &f.der, &e), &e);
    result = crl_file_parse(&f, &e);
    if ((result == 0) != (why == NULL) ||
        (why != NULL && (e.code != ERR_INPUT || strstr(e.text, why) == NULL)) ||
        (why == NULL && (f.this_update != this_update || f.next_update != next_update))) {
        fail_msg("%s: %d, %s", name, result, e.text);
    }
    crl_file_clear(&f);
}

static void
a_crl_is_of_version_2_with_times_that_are_times(void **state)
{
    static const char form[] = "not a CRL of version 2 in DER";
    static const char times[] = "issuer or thisUpdate of the CRL does not decode";
    static const char next[] = "nextUpdate of the CRL does not decode";
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    const struct forge forge = {.subject = "CN=a",
                                .key = key,
                                .not_before = THEN - 1000,
                                .not_after = THEN + 1000,
                                .extensions = {FORGE_CA}};
    CLEANUP(x509_cleanup) X509 *issuer = forge_certificate(&forge);
    CLEANUP(buf_free) struct buf good = crl_of(issuer, key, NULL, THEN + 60);
    CLEANUP(buf_free) struct buf endless = crl_of(issuer, key, NULL, 0);
    CLEANUP(buf_free) struct buf endless_with = crl_of(issuer, key, issuer, 0);
    CLEANUP(buf_free) struct buf trailing = BUF_INIT(8192);
    const struct span none = {0};
    const struct span g = buf_span(&good);
    struct err e;

    (void)state;
    assert_ok(buf_append(&trailing, g, &e), &e);
    assert_ok(buf_append_str(&trailing, "x", &e), &e);
    check_form("good", g, NULL, none, NULL, THEN, THEN + 60);
    check_form("no nextUpdate, extensions follow", buf_span(&endless), NULL, none, NULL, THEN, 0);
    check_form("no nextUpdate, entries follow", buf_span(&endless_with), NULL, none, NULL, THEN, 0);
    check_form("nothing behind thisUpdate", buf_span(&endless), "0.4", none, NULL, THEN, 0);
    check_form("an octet behind it", buf_span(&trailing), NULL, none, form, 0, 0);
    check_form("nothing", span_of(g.p, 0), NULL, none, form, 0, 0);
    check_form("a SET", SPAN_LITERAL("\x31\x00"), NULL, none, form, 0, 0);
    check_form("empty", SPAN_LITERAL("\x30\x00"), NULL, none, form, 0, 0);
    check_form("an empty list", SPAN_LITERAL("\x30\x02\x30\x00"), NULL, none, form, 0, 0);
    check_form("no version", g, "0.0", none, form, 0, 0);
    check_form("an issuer that is a number", g, "0.2", SPAN_LITERAL("\x02\x01\x01"), form, 0, 0);
    check_form("an issuer that is none", g, "0.2", SPAN_LITERAL("\x30\x03\x02\x01\x01"), times, 0,
               0);
    check_form("thisUpdate is a number", g, "0.3", SPAN_LITERAL("\x02\x01\x01"), times, 0, 0);
    check_form("thisUpdate is no time", g, "0.3", SPAN_LITERAL("\x17\x0dx61123000000Z"), times, 0,
               0);
    check_form("thisUpdate is too long", g, "0.3",
               SPAN_LITERAL("\x18\x10"
                            "20261123000000.Z"),
               times, 0, 0);
    check_form("thisUpdate as GeneralizedTime", g, "0.3",
               SPAN_LITERAL("\x18\x0f"
                            "20261123200000Z"),
               NULL, THEN, THEN + 60);
    check_form("nextUpdate is a number", g, "0.4", SPAN_LITERAL("\x02\x01\x01"), next, 0, 0);
    check_form("nextUpdate is no time", g, "0.4", SPAN_LITERAL("\x17\x0dx61123000000Z"), next, 0,
               0);
}

static void
a_file_is_read_by_its_name(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct crl_file f = {0};
    struct err e;

    (void)state;
    write_crl(dir, "a.crl", "a");
    write_crl(dir, "a-longer-name.crl", "a");
    assert_ok(crl_file_read(dir, "a-longer-name.crl", &f, &e), &e);
    crl_file_clear(&f);
    assert_ok(crl_file_read(dir, "a.crl", &f, &e), &e);
    assert_string_equal(f.name, "a.crl"); /* nothing is left of another one */
    assert_true(f.der.n > 0);
    crl_file_clear(&f);
    assert_err(crl_file_read(dir, "b.crl", &f, &e), ERR_NOTFOUND, &e);
    crl_file_clear(&f);
}

static void
a_folder_that_is_not_there_is_an_error(void **state)
{
    struct err e;

    (void)state;
    assert_null(crl_files_read("/nonexistent/nfpki", &e));
    assert_int_equal(e.code, ERR_IO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_crl_of_the_folder_is_read_and_nothing_else),
        cmocka_unit_test(a_distribution_point_names_a_file_by_its_last_part),
        cmocka_unit_test(a_name_says_that_it_is_a_crl),
        cmocka_unit_test(as_many_are_read_as_there_is_room_for),
        cmocka_unit_test(a_crl_is_of_version_2_with_times_that_are_times),
        cmocka_unit_test(a_file_is_read_by_its_name),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
