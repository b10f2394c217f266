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
    assert_non_null(strstr(e.text, "x.conf:5: found duplicate title 'x'"));
    assert_err(load(dir, taken, &d, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "trust \"vendor_roots\": there are two of this name"));
    assert_ok(load(dir, none, &f, &e), &e);
    assert_int_equal(f.n, 0);
}

/* n elements "<prefix>0", ... */
static char *
elements(const char *prefix, int n)
{
    char *text = mem_strdup("");

    for (int i = 0; i < n; i++) {
        char *longer = mem_printf("%s%s\"%s%d\"", text, i == 0 ? "" : ", ", prefix, i);

        mem_free(text);
        text = longer;
    }
    return text;
}

static void
lists_are_taken_up_to_their_limit(void **state)
{
    static const struct {
        const char *option;
        const char *prefix;
    } rows[] = {{"roots", "/x"}, {"crls", "/x"}, {"names", "O="}, {"policies", "1.2."}};
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int over = 0; over < 2; over++) {
            CLEANUP(mem_cleanup) char *list = elements(rows[i].prefix, TRUST_LIST_MAX + over);
            CLEANUP(mem_cleanup)
            char *text = mem_printf("trust \"x\" {\n purpose = \"vendor\"\n %s = {%s}\n%s}\n",
                                    rows[i].option, list, i == 0 ? "" : " roots = {\"/x.pem\"}\n");
            CLEANUP(mem_cleanup)
            char *says = mem_printf("x.conf:3: %s: at most 32", rows[i].option);
            CLEANUP(trust_conf_free) struct trust_conf c = {0};
            struct err e = {0};
            int result = load(dir, text, &c, &e);

            if (over == 0 ? result != 0
                          : result == 0 || e.code != ERR_INPUT || strstr(e.text, says) == NULL) {
                fail_msg("%s: %s", rows[i].option, result == 0 ? "taken" : e.text);
            }
        }
    }
    for (int over = 0; over < 2; over++) { /* the short form */
        CLEANUP(mem_cleanup) char *list = elements("/v", TRUST_LIST_MAX + over);
        CLEANUP(mem_cleanup) char *text = mem_printf("\nvendor_roots = {%s}\n", list);
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        struct err e = {0};

        assert_int_equal(load(dir, text, &c, &e), over == 0 ? 0 : -1);
        if (over == 0) {
            assert_int_equal(c.sets[0].roots.n, TRUST_LIST_MAX);
        } else {
            assert_non_null(strstr(e.text, "x.conf:2: vendor_roots: at most 32"));
        }
    }
}

static void
a_file_has_as_many_sections_as_allowed(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (int n = TRUST_SECTIONS_MAX; n <= TRUST_SECTIONS_MAX + 1; n++) {
        CLEANUP(mem_cleanup) char *text = mem_strdup("vendor_roots = {\"/v.pem\"}\n");
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        struct err e = {0};

        for (int i = 0; i < n; i++) {
            char *longer =
                mem_printf("%strust \"s%d\" { purpose = \"ra\" roots = {\"/x.pem\"} }\n", text, i);

            mem_free(text);
            text = longer;
        }
        if (n <= TRUST_SECTIONS_MAX) {
            assert_ok(load(dir, text, &c, &e), &e);
            assert_int_equal(c.n, n + 1);
        } else {
            assert_err(load(dir, text, &c, &e), ERR_INPUT, &e);
            assert_non_null(strstr(e.text, "x.conf:"));
            assert_non_null(strstr(e.text, "trust: at most 30 sections"));
        }
    }
}

static void
each_option_at_its_limit_and_past_it(void **state)
{
    static const struct {
        const char *inside; /* in line 4, after purpose and roots */
        const char *says;   /* NULL: taken */
    } rows[] = {
        {"crl_max_age_hours = 0", NULL},
        {"crl_max_age_hours = 1", NULL},
        {"crl_max_age_hours = 8784", NULL},
        {"crl_max_age_hours = 8785", "x.conf:4: crl_max_age_hours: 0 to 8784"},
        {"crl_max_age_hours = -1", "x.conf:4: crl_max_age_hours: 0 to 8784"},
        {"crls = {\"\"}", "x.conf:4: crls: an empty element"},
        {"names = {\"\"}", "x.conf:4: names: an empty element"},
        {"policies = {\"\"}", "x.conf:4: policies: an empty element"},
        {"crls = {}", NULL},
        {"names = {}", NULL},
        {"names = {\"=\"}", NULL},
        {"names = {\"O=a\", \"b\"}", "x.conf:4: names: 'b' is no name"},
        {"policies = {\"1.2\"}", NULL},
        {"policies = {\"1\"}", "x.conf:4: policies: '1' is no dotted object identifier"},
        {"policies = {\"1.2.3\", \"1..2\"}", "x.conf:4: policies: '1..2' is no dotted"},
        {"policies = {\"anyPolicy\"}", "x.conf:4: policies: 'anyPolicy' is no dotted"},
        {"crls = {\"x\"}", NULL},
        {"crls = {\"\"}", "x.conf:4: crls: an empty element"},
        {"allow = {}", NULL},
        {"allow = {\"\"}", "x.conf:4: allow: '': write"},
        {"allow = {\"no-aki \"}", "x.conf:4: allow: 'no-aki ': write"},
        {"crl_policy = \"none\"", NULL},
        {"crl_policy = \"if-present\"", NULL},
        {"crl_policy = \"\"", "x.conf:4: crl_policy: 'require', 'if-present' or 'none'"},
        {"crl_policy = \"require\"", "x.conf:4: crl_policy: \"require\" needs files in crls"},
        {"crl_policy = \"require\" crls = {\"/x\"}", NULL},
        {"crl_policy = \"requires\" crls = {\"/x\"}", "x.conf:4: crl_policy: 'require'"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *text =
            mem_printf("trust \"x\" {\n purpose = \"vendor\"\n roots = {\"/x.pem\"}\n %s\n}\n",
                       rows[i].inside);
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        struct err e = {0};
        int result = load(dir, text, &c, &e);

        if (rows[i].says == NULL
                ? result != 0
                : result == 0 || e.code != ERR_INPUT || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : e.text);
        }
    }
}

static void
each_purpose_is_its_word(void **state)
{
    static const struct {
        const char *word;
        int purpose; /* -1: refused */
    } rows[] = {{"vendor", TRUST_VENDOR}, {"operator", TRUST_OPERATOR},
                {"ra", TRUST_RA},         {"", -1},
                {"vendors", -1},          {"RA", -1}};
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *text = mem_printf("trust \"x\" {\n purpose = \"%s\"\n roots = {\"/x.pem\"}\n}\n",
                                rows[i].word);
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        struct err e = {0};

        assert_int_equal(load(dir, text, &c, &e), rows[i].purpose < 0 ? -1 : 0);
        if (rows[i].purpose < 0) {
            assert_non_null(strstr(e.text, "x.conf:2: purpose: 'vendor', 'operator' or 'ra'"));
        } else {
            assert_int_equal(c.sets[0].purpose, rows[i].purpose);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(two_sections_of_one_name_are_refused),
        cmocka_unit_test(lists_are_taken_up_to_their_limit),
        cmocka_unit_test(a_file_has_as_many_sections_as_allowed),
        cmocka_unit_test(each_option_at_its_limit_and_past_it),
        cmocka_unit_test(each_purpose_is_its_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
