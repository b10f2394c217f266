/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/conf.h"

#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static int
load(const char *dir, const char *text, struct trust_conf *out, struct err *e)
{
    static cfg_opt_t options[] = {TRUST_OPTIONS, CFG_END()};
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/x.conf", dir);
    CLEANUP(conf_cleanup) cfg_t *cfg = NULL;

    assert_ok(file_write(path, span_of(text, strlen(text)), 0644, e), e);
    cfg = conf_load(path, options, NULL, e);
    return cfg == NULL ? -1 : trust_conf_read(cfg, out, e);
}

static void
every_option_is_read(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *crl = mem_printf("%s/x.crl", dir);
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    struct err e = {0};

    (void)state;
    assert_ok(load(dir,
                   "vendor_roots = {\"/v.pem\"}\n"
                   "trust \"x\" {\n purpose = \"operator\"\n roots = {\"/x.pem\", \"/y.pem\"}\n"
                   " crls = {\"x.crl\"}\n crl_policy = \"if-present\"\n crl_max_age_hours = 2\n"
                   " names = {\"O=X,C=SE\", \"O=Y\"}\n policies = {\"1.2.3\"}\n"
                   " allow = {\"no-aki\", \"serial-zero\", \"serial-negative\","
                   " \"serial-21-octets\"}\n}\n"
                   "trust \"r\" {\n purpose = \"ra\"\n roots = {\"/r.pem\"}\n}\n"
                   "trust \"z\" {\n purpose = \"vendor\"\n roots = {\"/z.pem\"}\n"
                   " crls = {\"/z.crl\"}\n}\n",
                   &c, &e),
              &e);
    assert_int_equal(c.n, 4);
    assert_string_equal(c.sets[0].name, "vendor_roots");
    assert_non_null(strstr(c.sets[0].where, "/x.conf:1"));
    assert_non_null(strstr(c.sets[1].where, "/x.conf:4"));
    assert_int_equal(c.sets[0].purpose, TRUST_VENDOR);
    assert_int_equal(c.sets[0].crl_policy, PATH_STATUS_NONE);
    assert_int_equal(c.sets[1].purpose, TRUST_OPERATOR);
    assert_int_equal(c.sets[1].roots.n, 2);
    assert_string_equal(c.sets[1].crls.items[0], crl);
    assert_int_equal(c.sets[1].crl_policy, PATH_STATUS_IF_PRESENT);
    assert_int_equal(c.sets[1].crl_max_age_s, 7200);
    assert_string_equal(c.sets[1].names.items[1], "O=Y");
    assert_string_equal(c.sets[1].policies.items[0], "1.2.3");
    assert_int_equal(c.sets[1].allow, PATH_ALLOW_NO_AKI | PATH_ALLOW_SERIAL_ZERO |
                                          PATH_ALLOW_SERIAL_NEGATIVE | PATH_ALLOW_SERIAL_21);
    assert_int_equal(c.sets[0].allow, 0);
    assert_int_equal(c.sets[2].allow, 0);
    assert_int_equal(c.sets[2].purpose, TRUST_RA);
    assert_int_equal(c.sets[2].crl_policy, PATH_STATUS_NONE);
    assert_int_equal(c.sets[3].crl_policy, PATH_STATUS_REQUIRED); /* it has CRLs */
}

static void
what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *inside;
        const char *word;
    } rows[] = {
        {"roots = {\"/x.pem\"}", "purpose: 'vendor', 'operator' or 'ra' is wanted"},
        {"purpose = \"own\"\n roots = {\"/x.pem\"}", "purpose"},
        {"purpose = \"vendor\"", "roots: one at least"},
        {"purpose = \"vendor\"\n roots = {\"\"}", "roots: an empty element"},
        {"purpose = \"vendor\"\n roots = {\"/x.pem\"}\n crl_policy = \"require\"", "crls"},
        {"purpose = \"vendor\"\n roots = {\"/x.pem\"}\n crl_policy = \"maybe\"", "crl_policy"},
        {"purpose = \"vendor\"\n roots = {\"/x.pem\"}\n crl_max_age_hours = -1", "crl_max_age"},
        {"purpose = \"vendor\"\n roots = {\"/x.pem\"}\n names = {\"Vendor\"}", "names: 'Vendor'"},
        {"purpose = \"vendor\"\n roots = {\"/x.pem\"}\n policies = {\"gold\"}", "policies: 'gold'"},
        {"purpose = \"vendor\"\n roots = {\"/x.pem\"}\n allow = {\"no-aki\", \"all\"}",
         ":4: allow: 'all': write \"no-aki\""},
        {"purpose = \"vendor\"\n roots = {\"/x.pem\"}\n crl = {\"/x.crl\"}", "no such option"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *text = mem_printf("trust \"x\" {\n %s\n}\n", rows[i].inside);
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        struct err e = {0};

        assert_err(load(dir, text, &c, &e), ERR_INPUT, &e);
        if (strstr(e.text, rows[i].word) == NULL || strstr(e.text, "x.conf:") == NULL) {
            fail_msg("row %zu: %s", i, e.text);
        }
    }
}

static void
two_sections_of_one_name_are_refused(void **state)
{
    static const char section[] =
        "trust \"x\" {\n purpose = \"vendor\"\n roots = {\"/x.pem\"}\n}\n";
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *two = mem_printf("%s%s", section, section);
    CLEANUP(mem_cleanup) char *none = mem_printf("vendor_roots = {}\n");
    CLEANUP(mem_cleanup)
    char *taken =
        mem_printf("vendor_roots = {\"/v.pem\"}\ntrust \"vendor_roots\" {\n purpose = \"vendor\"\n"
                   " roots = {\"/x.pem\"}\n}\n");
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    CLEANUP(trust_conf_free) struct trust_conf d = {0};
    CLEANUP(trust_conf_free) struct trust_conf f = {0};
    struct err e = {0};

    (void)state;
    assert_err(load(dir, two, &c, &e), ERR_INPUT, &e);
    assert_err(load(dir, taken, &d, &e), ERR_INPUT, &e);
    assert_ok(load(dir, none, &f, &e), &e);
    assert_int_equal(f.n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(two_sections_of_one_name_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
