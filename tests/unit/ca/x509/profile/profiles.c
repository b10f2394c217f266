/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/profiles.h"

#include "ca/x509/profile/ignored.h"

#include <string.h>

#include "base/file.h"
#include "ca/x509/profile/matrix.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define SHIPPED TEST_SOURCE_DIR "/../ca/x509/nfpki-profiles.conf"

static struct profiles *
load(const char *text, struct err *e)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/p.conf", dir);

    assert_ok(file_write(path, span_str(text), 0600, e), e);
    return profiles_load(path, e);
}

static void
equal_texts(const char *const *a, const char *const *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(a[i] == NULL, b[i] == NULL);
        if (a[i] == NULL) {
            return;
        }
        assert_string_equal(a[i], b[i]);
    }
}

static void
equal_profiles(const struct profile *a, const struct profile *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->class, b->class);
    assert_int_equal(a->key_usage, b->key_usage);
    equal_texts(a->eku, b->eku, PROFILE_EKU_MAX);
    equal_texts(a->nf_types, b->nf_types, PROFILE_TYPES_MAX);
    assert_int_equal(a->server, b->server);
    assert_int_equal(a->wildcard, b->wildcard);
    assert_int_equal(a->plmns, b->plmns);
    assert_int_equal(a->extra_dns_nf_type, b->extra_dns_nf_type);
    assert_int_equal(a->no_rev_avail, b->no_rev_avail);
    assert_int_equal(a->lab, b->lab);
    assert_int_equal(a->ec_keys, b->ec_keys);
    assert_int_equal(a->rsa_bits, b->rsa_bits);
    assert_int_equal(a->max_validity, b->max_validity);
    assert_int_equal(a->validity, b->validity);
    assert_int_equal(a->signature_only, b->signature_only);
    assert_int_equal(a->approvals, b->approvals);
    assert_int_equal(a->implicit_confirm, b->implicit_confirm);
    assert_int_equal(a->reject_unknown, b->reject_unknown);
    assert_int_equal(a->replace_names, b->replace_names);
}

static void
the_built_in_set_is_the_shipped_file_s_3gpp_part(void **state)
{
    CLEANUP(profiles_cleanup) struct profiles *shipped = NULL;
    static const char *const names[] = {"nf-tls",  "nf-tls-client", "nf-tls-server",
                                        "sepp",    "nrf-token",     "cca-jwt",
                                        "n32-jwe", "free5gc-lab"};
    struct err e = {0};
    size_t n = 0;

    (void)state;
    shipped = profiles_load(SHIPPED, &e);
    if (shipped == NULL) {
        fail_msg("%s", e.text);
    }
    for (; profiles_at(NULL, n) != NULL; n++) {
        const struct profile *found = profiles_find(shipped, profiles_at(NULL, n)->name);

        assert_non_null(found);
        equal_profiles(profiles_at(NULL, n), found);
    }
    assert_int_equal(n, 3);
    for (n = 0; profiles_at(shipped, n) != NULL; n++) {
        assert_string_equal(profiles_at(shipped, n)->name, names[n]);
    }
    assert_int_equal(n, ARRAY_LEN(names));
    assert_null(profiles_find(shipped, "nf-tls-short")); /* switched off */
    assert_null(profiles_find(shipped, "registrar"));
    assert_null(profiles_find(NULL, "registrar"));
    assert_null(profiles_find(NULL, "sepp"));
}

static void
an_operator_s_own_profile_is_read_option_by_option(void **state)
{
    CLEANUP(profiles_cleanup) struct profiles *set = NULL;
    struct profile expected = {
        .name = "own-1",
        .class = PROFILE_NF,
        .key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_NON_REPUDIATION,
        .eku = {EKU_JWT},
        .nf_types = {"AMF", "SMF"},
        .ec_keys = 1 << PUBKEY_P384,
        .rsa_bits = 4096,
        .max_validity = 90 * PROFILE_DAY,
        .validity = 36 * 3600,
        .signature_only = true,
        .approvals = 2,
        .reject_unknown = true,
        .replace_names = true,
        .ignored = ignored_bit("CN") | ignored_bit("OU"),
    };
    uint8_t hash[SHA256_SIZE];
    uint8_t wanted[SHA256_SIZE];
    const char *text = "profile \"own-1\" {\n"
                       "key_usage = {digitalSignature, contentCommitment}\n"
                       "extended_key_usage = {\"1.3.6.1.5.5.7.3.37\"}\n"
                       "nf_types = {AMF, SMF}\nkeys = {P-384, RSA-4096}\n"
                       "max_validity_days = 90\nvalidity_hours = 36\nassurance = signature\n"
                       "approvals = 2\nimplicit_confirm = false\nunknown_extensions = reject\n"
                       "unregistered_names = replace\nignored = {CN, OU}\n}\n"
                       "profile \"own-2\" { extended_key_usage = {\"1.3.6.1.4.1.99999.1\"} }\n";
    struct err e = {0};

    (void)state;
    set = load(text, &e);
    if (set == NULL) {
        fail_msg("%s", e.text);
    }
    equal_profiles(profiles_at(set, 0), &expected);
    assert_string_equal(profiles_at(set, 1)->eku[0], "1.3.6.1.4.1.99999.1");
    assert_null(profiles_find(set, "nf-tls")); /* only what the file has */
    assert_ok(profiles_hash(set, hash, &e), &e);
    assert_ok(sha256(span_str(text), wanted, &e), &e);
    assert_memory_equal(hash, wanted, SHA256_SIZE);
    assert_ok(profiles_hash(NULL, hash, &e), &e);
    assert_ok(sha256(span_str(""), wanted, &e), &e);
    assert_memory_equal(hash, wanted, SHA256_SIZE);
}

/* A good profile with `line` in its third line. */
static void
refused(const char *line, const char *reason)
{
    const bool purpose = strstr(line, "extended_key_usage") != NULL;
    CLEANUP(mem_cleanup)
    char *text = mem_printf("# comment\nprofile \"x\" {\n%s\n%s}\n", line,
                            purpose ? "" : "extended_key_usage = {clientAuth}\n");
    CLEANUP(profiles_cleanup) struct profiles *set = NULL;
    struct err e = {0};

    set = load(text, &e);
    if (set != NULL || e.code != ERR_INPUT || strstr(e.text, reason) == NULL) {
        fail_msg("%s: %s", line, set != NULL ? "taken" : e.text);
    }
}

static void
each_bad_option_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *line;
        const char *reason;
    } rows[] = {
        {"colour = blue", "p.conf:3: no such option 'colour'"},
        {"server = maybe", "p.conf:3: "},
        {"ignored = {CN, nonsense}", "p.conf:3: ignored: 'nonsense': possible are CN, OU, L, "},
        {"ignored = {cn}", "p.conf:3: ignored: 'cn': possible are CN, "},
        {"ignored = {C}", "p.conf:3: ignored: 'C': possible are CN, "}, /* each certificate has */
        {"ignored = {O}", "p.conf:3: ignored: 'O': possible are CN, "}, /* these two */
        {"ignored = {\"\"}", "p.conf:3: ignored: ''"},
        {"keys = {P-256}\nkeys = {P-384}", "p.conf:4: option 'keys' stands there twice"},
        {"key_usage = {keyCertSign}", "p.conf:3: key_usage: 'keyCertSign' is not for"},
        {"key_usage = {cRLSign}", "p.conf:3: key_usage: 'cRLSign'"},
        {"key_usage = {keyAgreement}", "p.conf:3: key_usage: 'keyAgreement'"},
        {"key_usage = {}", "profile x: key_usage: clientAuth goes with"},
        {"key_usage = {keyEncipherment}", "p.conf:3: profile x: key_usage: clientAuth goes with "
                                          "digitalSignature alone"},
        {"key_usage = {digitalSignature, nonRepudiation}", "p.conf:3: profile x: key_usage"},
        {"extended_key_usage = {}", "profile x: extended_key_usage: a purpose is needed"},
        {"extended_key_usage = {anyExtendedKeyUsage}", "p.conf:3: extended_key_usage: 'any"},
        {"extended_key_usage = {\"2.5.29.37.0\"}", "p.conf:3: profile x: extended_key_usage: "
                                                   "purpose 2.5.29.37.0 is none of"},
        {"extended_key_usage = {\"1.3.6.1.5.5.7.3.28\"}", "p.conf:3: profile x: extended_key"},
        {"extended_key_usage = {\"1.3.6.1.5.5.7.3.9\"}", "p.conf:3: profile x: extended_key"},
        {"policies = {\"2.25.1\"}", "p.conf:3: policies: policy '2.25.1': not below 1.3.6.1.4.1."},
        {"policies = {\"1.3.6.1.4.1.9.1\", \"1.3.6.1.4.1.9.1\"}", "twice"},
        {"policies = {\"1.3.6.1.4.1.9.268435456\"}", "2^28"},
        {"extended_key_usage = {\"2.25.146746973955696582463241471912985749617.2\"}",
         "p.conf:3: profile x: extended_key"},
        {"extended_key_usage = {serverauth}", "p.conf:3: extended_key_usage: 'serverauth' is "
                                              "neither"},
        {"extended_key_usage = {clientAuth, jwt}", "p.conf:3: profile x: extended_key_usage: "
                                                   "clientAuth and jwt are not for one key"},
        {"extended_key_usage = {clientAuth, clientAuth}",
         "p.conf:3: profile x: extended_key_usage"},
        {"extended_key_usage = {jwt, clientAuth, serverAuth}", "p.conf:3: extended_key_usage: at"},
        {"extended_key_usage = {oauthAccessTokenSigning}", "p.conf:4: profile x: nf_types: "
                                                           "oauthAccessTokenSigning is for NRF"},
        {"extended_key_usage = {oauthAccessTokenSigning}\nnf_types = {NRF, AMF}",
         "p.conf:4: profile x: nf_types: oauthAccessTokenSigning is for NRF"},
        {"extended_key_usage = {httpContentEncrypt}\nnf_types = {SEPP}\nkeys = {RSA-3072}",
         "p.conf:2: profile x: key_usage: httpContentEncrypt goes with keyEncipherment alone"},
        {"extended_key_usage = {httpContentEncrypt}\nnf_types = {SEPP}\nkey_usage = "
         "{keyEncipherment}\nkeys = {RSA-3072, P-256}",
         "p.conf:6: profile x: keys: keyEncipherment is for RSA keys only"},
        {"extended_key_usage = {httpContentEncrypt}\nkey_usage = {keyEncipherment}\n"
         "keys = {RSA-3072}",
         "profile x: nf_types: httpContentEncrypt is for SEPP"},
        {"extended_key_usage = {serverAuth}", "profile x: server: serverAuth needs"},
        {"wildcard = true", "p.conf:3: profile x: wildcard: a wildcard is for"},
        {"nf_types = {SEPP}\nwildcard = true\nplmns = true", "p.conf:4: profile x: wildcard"},
        {"extended_key_usage = {serverAuth}\nserver = true\nnf_types = {SEPP}\nwildcard = true",
         "p.conf:6: profile x: wildcard"},
        {"plmns = true", "p.conf:3: profile x: plmns: PLMN ids are for SEPPs"},
        {"extra_dns_nf_type = true", "p.conf:3: profile x: extra_dns_nf_type: is for lab"},
        {"max_validity_days = 1096", "p.conf:3: max_validity_days: at most three years"},
        {"max_validity_days = -1", "p.conf:3: max_validity_days"},
        {"max_validity_hours = 26281", "p.conf:3: max_validity_hours: at most three years"},
        {"max_validity_hours = 1\nmax_validity_days = 1", "p.conf:3: max_validity_hours and max"},
        {"max_validity_days = 10\nvalidity_days = 11", "profile x: validity_hours: the validity"},
        {"no_rev_avail = true\nmax_validity_hours = 169", "p.conf:3: profile x: no_rev_avail"},
        {"keys = {}", "profile x: keys: a kind of key is needed"},
        {"keys = {RSA-1024}", "p.conf:3: keys: 'RSA-1024': possible are"},
        {"keys = {RSA-2048, RSA-3072}", "p.conf:3: keys: one RSA size"},
        {"nf_types = {\"A B\"}", "p.conf:3: nf_types: 'A B'"},
        {"assurance = none", "p.conf:3: assurance: 'none': possible are mac, signature"},
        {"unknown_extensions = ignore", "p.conf:3: unknown_extensions"},
        {"approvals = 9", "p.conf:3: approvals: 0 to 8"},
        {"approvals = -1", "p.conf:3: approvals: 0 to 8"},
        {"enabled = false\nwildcard = true", "p.conf:4: profile x: wildcard"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        refused(rows[i].line, rows[i].reason);
    }
}

static void
a_file_that_is_none_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"", "1 to 64 sections 'profile'"},
        {"profile {\n}\n", "p.conf:1: "},
        {"profile \"A\" { extended_key_usage = {jwt} }\n", "p.conf:1: profile 'A': a name has"},
        {"profile \"\" { extended_key_usage = {jwt} }\n", "p.conf:1: profile '': a name has"},
        {"\nprofile \"registrar\" { extended_key_usage = {jwt} }\n",
         "p.conf:2: profile registrar is built in"},
        {"\nprofile \"root\" { extended_key_usage = {jwt} }\n", "p.conf:2: profile root is built"},
        {"profile \"a\" { extended_key_usage = {jwt} }\n\n\nprofile \"a\" {}\n",
         "p.conf:4: found duplicate title 'a'"},
        {"profile \"a\" {\nextended_key_usage = {\"$HOME\"}\n}\n", "p.conf:2: `$`"},
        {"include(\"other\")\n", "p.conf:1: include"},
        {"days = 3\n", "p.conf:1: no such option 'days'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        if (load(rows[i].text, &e) != NULL || e.code != ERR_INPUT ||
            strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("%s: %s", rows[i].text, e.text);
        }
    }
}

static void
keys_are_taken_by_kind_and_size(void **state)
{
    const struct profile *tls = profile_by_name("nf-tls");
    const struct profile rsa = {.rsa_bits = 3072};
    const struct profile ec = {.ec_keys = 1 << PUBKEY_P384};

    (void)state;
    assert_true(profile_takes_key(tls, PUBKEY_P256, 256));
    assert_true(profile_takes_key(tls, PUBKEY_P384, 384));
    assert_true(profile_takes_key(tls, PUBKEY_RSA, 2048));
    assert_false(profile_takes_key(tls, PUBKEY_RSA, 2047));
    assert_true(profile_takes_key(&rsa, PUBKEY_RSA, 4096));
    assert_false(profile_takes_key(&rsa, PUBKEY_RSA, 3071));
    assert_false(profile_takes_key(&rsa, PUBKEY_P256, 256));
    assert_false(profile_takes_key(&ec, PUBKEY_P256, 256));
    assert_true(profile_takes_key(&ec, PUBKEY_P384, 384));
    assert_false(profile_takes_key(&ec, PUBKEY_RSA, 8192));
}

static void
built_in_profiles_keep_the_matrix(void **state)
{
    const struct profile *p;
    const char *option;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; (p = profiles_at(NULL, i)) != NULL; i++) {
        assert_ok(profile_matrix_check(p, &option, &e), &e);
    }
    assert_string_equal(profile_purpose_name(EKU_JWT), "jwt");
    assert_string_equal(profile_purpose("clientAuth"), EKU_CLIENT_AUTH);
    assert_null(profile_purpose("OCSPSigning"));
}

/* n elements "x0", "x1", ... */
static char *
elements(const char *prefix, int n)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CONF_FILE_MAX);
    struct err e = {0};

    for (int i = 0; i < n; i++) {
        CLEANUP(mem_cleanup) char *one = mem_printf("%s\"%s%d\"", i == 0 ? "" : ", ", prefix, i);

        assert_ok(buf_append_str(&text, one, &e), &e);
    }
    return mem_printf("%.*s", (int)text.n, (const char *)text.p);
}

static void
lists_are_taken_up_to_their_limit(void **state)
{
    static const struct {
        const char *option;
        const char *prefix;
        int most;
        const char *says;
    } rows[] = {
        {"nf_types", "T", PROFILE_TYPES_MAX, "p.conf:3: nf_types: at most 16"},
        {"policies", "1.3.6.1.4.1.9.", CERT_POLICIES_MAX, "p.conf:3: policies: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int over = 0; over < 2; over++) {
            CLEANUP(mem_cleanup) char *list = elements(rows[i].prefix, rows[i].most + over);
            CLEANUP(mem_cleanup)
            char *text = mem_printf("\nprofile \"x\" {\n%s = {%s}\n"
                                    "extended_key_usage = {clientAuth}\n}\n",
                                    rows[i].option, list);
            struct err e = {0};
            CLEANUP(profiles_cleanup) struct profiles *set = load(text, &e);

            if ((set != NULL) != (over == 0) ||
                (over == 1 && strstr(e.text, rows[i].says) == NULL)) {
                fail_msg("%s: %s", rows[i].option, set != NULL ? "taken" : e.text);
            }
        }
    }
}

static void
a_file_has_as_many_profiles_as_allowed(void **state)
{
    (void)state;
    for (int n = PROFILES_MAX; n <= PROFILES_MAX + 1; n++) {
        CLEANUP(buf_free) struct buf text = BUF_INIT(CONF_FILE_MAX);
        CLEANUP(mem_cleanup) char *all = NULL;
        CLEANUP(profiles_cleanup) struct profiles *set = NULL;
        struct err e = {0};

        for (int i = 0; i < n; i++) {
            CLEANUP(mem_cleanup)
            char *one = mem_printf("profile \"p%d\" { extended_key_usage = {jwt} }\n", i);

            assert_ok(buf_append_str(&text, one, &e), &e);
        }
        all = mem_printf("%.*s", (int)text.n, (const char *)text.p);
        set = load(all, &e);
        if (n <= PROFILES_MAX) {
            assert_non_null(set);
            assert_non_null(profiles_at(set, (size_t)n - 1));
            assert_null(profiles_at(set, (size_t)n));
        } else {
            assert_null(set);
            assert_non_null(strstr(e.text, "p.conf:"));
            assert_non_null(strstr(e.text, "1 to 64 sections 'profile' are expected"));
        }
    }
}

static void
values_are_taken_up_to_their_limit(void **state)
{
    static const struct {
        const char *name;
        const char *options;
        const char *says; /* NULL: taken */
    } rows[] = {
        {"x", "max_validity_days = 1095", NULL},
        {"x", "max_validity_hours = 26280", NULL},
        {"x", "max_validity_hours = 1", NULL},
        {"x", "max_validity_hours = -1", "p.conf:2: max_validity_hours: at most three years"},
        {"x", "validity_hours = 26281", "p.conf:2: validity_hours: at most three years"},
        {"x", "validity_days = 1096", "p.conf:2: validity_days: at most three years"},
        {"x", "validity_days = -1", "p.conf:2: validity_days: at most three years"},
        {"x", "max_validity_hours = 24\nvalidity_hours = 24", NULL},
        {"x", "max_validity_hours = 24\nvalidity_hours = 25", "validity_hours: the validity is"},
        {"x", "max_validity_days = 1\nvalidity_hours = 24", NULL},
        {"x", "no_rev_avail = true\nmax_validity_hours = 168", NULL},
        {"x", "no_rev_avail = true\nmax_validity_days = 7", NULL},
        {"x", "no_rev_avail = true\nmax_validity_days = 8", "no_rev_avail: what cannot be revoked"},
        {"x", "no_rev_avail = true", "no_rev_avail: what cannot be revoked is valid for 7 days"},
        {"x", "approvals = 0", NULL},
        {"x", "approvals = 8", NULL},
        {"x", "key_usage = {digitalSignature}\nkeys = {RSA-4096}", NULL},
        {"x", "nf_types = {\"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF\"}", NULL},
        {"x", "nf_types = {\"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG\"}", "p.conf:2: nf_types: 'ABC"},
        {"x", "nf_types = {\"\"}", "p.conf:2: nf_types: ''"},
        {"a23456789-123456789-123456789-123456789-123456789-123456789-123", "", NULL},
        {"a23456789-123456789-123456789-123456789-123456789-123456789-1234", "",
         "p.conf:4: profile 'a23456789-123456789-123456789-123456789-123456789-123456789-1234': a "
         "name has 1 to 63 characters"},
        {"a_b", "", "p.conf:4: profile 'a_b': a name has"},
        {"nf-tls", "", NULL}, /* of network functions, so it may be another here */
        {"issuing", "", "p.conf:4: profile issuing is built in and cannot be changed"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *text = mem_printf("profile \"%s\" {\n%s\nextended_key_usage = {clientAuth}\n}\n",
                                rows[i].name, rows[i].options);
        struct err e = {0};
        CLEANUP(profiles_cleanup) struct profiles *set = load(text, &e);

        if (rows[i].says == NULL
                ? set == NULL
                : set != NULL || e.code != ERR_INPUT || strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, set != NULL ? "taken" : e.text);
        }
    }
}

/* What no file can say any more when it comes here, but a program of ours could. */
static void
the_matrix_judges_what_no_file_can_say(void **state)
{
    const struct profile good = *profile_by_name("nf-tls-client");
    static const struct {
        const char *option; /* NULL: good */
        const char *says;
        time_t max_validity;
        time_t validity;
        int approvals;
        int rsa_bits;
        bool no_rev_avail;
    } rows[] = {
        {NULL, NULL, PROFILE_NF_MAX, PROFILE_NF_MAX, 0, 2048, false},
        {NULL, NULL, 3600, 3600, PROFILE_APPROVALS_MAX, 2048, false},
        {"max_validity_days", "one hour to three years", 3599, 3599, 0, 2048, false},
        {"max_validity_days", "one hour to three years", PROFILE_NF_MAX + 1, 3600, 0, 2048, false},
        {"validity_hours", "one hour to the longest one", 7200, 3599, 0, 2048, false},
        {"validity_hours", "one hour to the longest one", 7200, 7201, 0, 2048, false},
        {"approvals", "0 to 8 are possible", 7200, 7200, -1, 2048, false},
        {"approvals", "0 to 8 are possible", 7200, 7200, PROFILE_APPROVALS_MAX + 1, 2048, false},
        {"keys", "RSA keys have 2048 bits or more", 7200, 7200, 0, 2047, false},
        {NULL, NULL, 7200, 7200, 0, 0, false},
        {NULL, NULL, 7 * PROFILE_DAY, 7200, 0, 2048, true},
        {"no_rev_avail", "valid for 7 days at most", 7 * PROFILE_DAY + 1, 7200, 0, 2048, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct profile p = good;
        const char *option = NULL;
        struct err e = {0};
        int result;

        p.max_validity = rows[i].max_validity;
        p.validity = rows[i].validity;
        p.approvals = rows[i].approvals;
        p.rsa_bits = rows[i].rsa_bits;
        p.no_rev_avail = rows[i].no_rev_avail;
        result = profile_matrix_check(&p, &option, &e);
        if (rows[i].option == NULL ? result != 0
                                   : result == 0 || strcmp(option, rows[i].option) != 0 ||
                                         strstr(e.text, rows[i].says) == NULL) {
            fail_msg("row %zu: %s", i, result == 0 ? "taken" : e.text);
        }
    }
    {
        struct profile p = good;
        const char *option = NULL;
        struct err e = {0};

        p.eku[1] = p.eku[0];
        assert_err(profile_matrix_check(&p, &option, &e), ERR_INPUT, &e);
        assert_non_null(strstr(e.text, "stands there twice"));
        p = good;
        p.eku[0] = "1.3.6.1.4.1";
        assert_err(profile_matrix_check(&p, &option, &e), ERR_INPUT, &e);
        assert_non_null(strstr(e.text, "is none of a network function"));
        p.eku[0] = "1.3.6.1.4.2.1";
        assert_err(profile_matrix_check(&p, &option, &e), ERR_INPUT, &e);
        p.eku[0] = "1.3.6.1.4.1.1";
        assert_ok(profile_matrix_check(&p, &option, &e), &e);
    }
}

static void
a_daemon_s_option_names_the_file_or_none(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    static const struct {
        const char *text;
        bool good;
        bool there;
    } rows[] = {
        {"", true, false},
        {"profiles = \"p.conf\"\n", true, true},
        {"profiles = \"none.conf\"\n", false, false},
    };
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/p.conf", dir);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/d.conf", dir);
    struct err e = {0};

    (void)state;
    assert_ok(
        file_write(file, span_str("profile \"a\" { extended_key_usage = {jwt} }\n"), 0600, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cfg_opt_t options[] = {CFG_STR("profiles", NULL, CFGF_NODEFAULT), CFG_END()};
        CLEANUP(profiles_cleanup) struct profiles *set = NULL;
        CLEANUP(conf_cleanup) cfg_t *cfg = NULL;

        assert_ok(file_write(path, span_str(rows[i].text), 0600, &e), &e);
        cfg = conf_load(path, options, NULL, &e);
        assert_non_null(cfg);
        assert_int_equal(profiles_read(cfg, &set, &e) == 0, rows[i].good);
        assert_int_equal(set != NULL, rows[i].there);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_set_is_the_shipped_file_s_3gpp_part),
        cmocka_unit_test(an_operator_s_own_profile_is_read_option_by_option),
        cmocka_unit_test(each_bad_option_is_refused_with_its_line),
        cmocka_unit_test(a_file_that_is_none_is_refused),
        cmocka_unit_test(keys_are_taken_by_kind_and_size),
        cmocka_unit_test(built_in_profiles_keep_the_matrix),
        cmocka_unit_test(lists_are_taken_up_to_their_limit),
        cmocka_unit_test(a_file_has_as_many_profiles_as_allowed),
        cmocka_unit_test(values_are_taken_up_to_their_limit),
        cmocka_unit_test(the_matrix_judges_what_no_file_can_say),
        cmocka_unit_test(a_daemon_s_option_names_the_file_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
