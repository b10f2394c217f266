/* SPDX-License-Identifier: Apache-2.0 */
/* What a network function may be: each field, its limits, and when two are one. */
#include "ca/x509/profile/nf.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/pki.h"
#include "tests/support/test.h"

struct row {
    const char *field; /* stands at the beginning of the reason */
    enum err_code code;
    const char *id;
    const char *type;
    const char *fqdn;
    const char *domain;
    const char *country;
};

static void
each_field_is_checked_and_named(void **state)
{
    static const struct row rows[] = {
        {"nfInstanceId", ERR_INPUT, .id = "9c5b94b1-35ad-49bb-b118-8e8fc24abf8"},
        {"nfInstanceId", ERR_INPUT, .id = "9c5b94b135ad-49bb-b118-8e8fc24abf8000"},
        {"nfInstanceId", ERR_INPUT, .id = "9c5b94b1-35ad-49bb-b118-8e8fc24abg80"},
        {"nfInstanceId", ERR_INPUT, .id = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
        {"nfInstanceId", ERR_INPUT, .id = "9c5b94b1-35ad-49bb-7118-8e8fc24abf80"},
        {"nfTypes[0]", ERR_DENIED, .type = "XYZ"},
        {"nfTypes[0]", ERR_DENIED, .type = "amf"},
        {"nfTypes[0]", ERR_INPUT, .type = "A F"},
        {"fqdns[0]", ERR_DENIED, .fqdn = "*.5gc.mnc012.mcc345.3gppnetwork.org"},
        {"fqdns[0]", ERR_DENIED, .fqdn = "amf.5gc.mnc013.mcc345.3gppnetwork.org"},
        {"fqdns[0]", ERR_DENIED, .fqdn = "evil5gc.mnc012.mcc345.3gppnetwork.org"},
        {"fqdns[0]", ERR_INPUT, .fqdn = "amf.5gc.mnc012.mcc345.3gppnetwork.org."},
        {"fqdns[0]", ERR_INPUT, .fqdn = "a_b.5gc.mnc012.mcc345.3gppnetwork.org"},
        {"fqdns[0]", ERR_INPUT, .fqdn = "-a.5gc.mnc012.mcc345.3gppnetwork.org"},
        {"fqdns[0]", ERR_INPUT, .fqdn = "a..5gc.mnc012.mcc345.3gppnetwork.org"},
        {"fqdns[0]", ERR_INPUT, .fqdn = "10.0.0.1"},
        {"fqdns[0]", ERR_INPUT, .fqdn = "amf"},
        {"fqdns[0]", ERR_INPUT, .fqdn = "\xc3\xa5.5gc.mnc012.mcc345.3gppnetwork.org"},
        {"fqdns[0]", ERR_INPUT,
         .fqdn = "a123456789012345678901234567890123456789012345678901234567890123"
                 ".5gc.mnc012.mcc345.3gppnetwork.org"},
        {"homeDomain", ERR_INPUT, .domain = "5gc.mnc12.mcc345.3gppnetwork.org"},
        {"homeDomain", ERR_INPUT, .domain = "epc.mnc012.mcc345.3gppnetwork.org"},
        {"homeDomain", ERR_INPUT, .domain = "5gc.mnc012.mcc345.3gppnetwork.org.x"},
        {"homeDomain", ERR_INPUT, .domain = "5gc.nid07ed9d5.mnc012.mcc345.3gppnetwork.org"},
        {"country", ERR_INPUT, .country = "se"},
        {"country", ERR_INPUT, .country = "S"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        struct nf_identity nf = pki_nf();
        struct err e = {0};

        if (r->id != NULL) {
            (void)snprintf(nf.instance_id, sizeof(nf.instance_id), "%s", r->id);
        }
        if (r->type != NULL) {
            (void)snprintf(nf.types[0], sizeof(nf.types[0]), "%s", r->type);
        }
        if (r->fqdn != NULL) {
            (void)snprintf(nf.fqdns[0], sizeof(nf.fqdns[0]), "%s", r->fqdn);
        }
        if (r->domain != NULL) {
            (void)snprintf(nf.home_domain, sizeof(nf.home_domain), "%s", r->domain);
        }
        if (r->country != NULL) {
            (void)snprintf(nf.country, sizeof(nf.country), "%s", r->country);
        }
        if (nf_identity_check(&nf, NULL, &e) == 0 || e.code != r->code ||
            strncmp(e.text, r->field, strlen(r->field)) != 0) {
            fail_msg("row %zu (%s): \"%s\"", i, r->field, e.text);
        }
    }
}

static void
letters_become_lower_case_where_case_has_no_meaning(void **state)
{
    struct nf_identity nf = pki_nf();
    struct err e = {0};

    (void)state;
    nf.instance_id[1] = 'C';
    nf.fqdns[0][0] = 'A';
    nf.home_domain[2] = 'C';
    assert_ok(nf_identity_check(&nf, NULL, &e), &e);
    assert_string_equal(nf.instance_id, "9c5b94b1-35ad-49bb-b118-8e8fc24abf80");
    assert_string_equal(nf.fqdns[0], "amf1.amf.5gc.mnc012.mcc345.3gppnetwork.org");
    assert_string_equal(nf.home_domain, "5gc.mnc012.mcc345.3gppnetwork.org");
}

static void
order_and_repetition_are_checked(void **state)
{
    struct nf_identity sorted = pki_nf_of("SMSF", "SMS_GMSC");
    struct nf_identity unsorted = pki_nf_of("SMF", "AMF");
    struct nf_identity twice = pki_nf_of("AMF", "AMF");
    struct nf_identity nf = pki_nf();
    struct err e = {0};

    (void)state;
    assert_ok(nf_identity_check(&sorted, NULL, &e), &e); /* '_' sorts behind the letters */
    assert_err(nf_identity_check(&unsorted, NULL, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "nfTypes[1]: not in ascending"));
    assert_err(nf_identity_check(&twice, NULL, &e), ERR_INPUT, &e);
    assert_ok(nf_identity_add_fqdn(&nf, "AMF1.amf.5gc.mnc012.mcc345.3gppnetwork.org", &e), &e);
    assert_err(nf_identity_check(&nf, NULL, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "fqdns[1]: stands there twice"));
    nf.n_types = 0;
    assert_err(nf_identity_check(&nf, NULL, &e), ERR_INPUT, &e);
}

static void
the_operator_may_allow_more(void **state)
{
    static const char *const suffixes[] = {"svc.example.net"};
    static const char *const domains[] = {"5gc.mnc001.mcc001.3gppnetwork.org"};
    struct nf_rules rules = {.operator_types = true,
                             .fqdn_suffixes = suffixes,
                             .n_fqdn_suffixes = 1,
                             .any_uuid_version = true};
    struct nf_identity nf = pki_nf_of("OP_X", NULL);
    struct nf_identity colliding = pki_nf_of("Amf", NULL);
    struct nf_identity snpn = pki_nf();
    struct err e = {0};

    (void)state;
    (void)snprintf(nf.fqdns[0], NF_FQDN_SIZE, "amf.svc.example.net");
    (void)snprintf(nf.instance_id, NF_INSTANCE_ID_SIZE, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    assert_ok(nf_identity_check(&nf, &rules, &e), &e);
    assert_err(nf_identity_check(&colliding, &rules, &e), ERR_DENIED, &e); /* RFC 9310 5 */
    rules.home_domains = domains;
    rules.n_home_domains = 1;
    assert_err(nf_identity_check(&nf, &rules, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "homeDomain"));

    (void)snprintf(snpn.home_domain, NF_HOME_DOMAIN_SIZE,
                   "5gc.nid000007ed9d5.mnc012.mcc345.3gppnetwork.org");
    (void)snprintf(snpn.fqdns[0], NF_FQDN_SIZE,
                   "nrf.5gc.nid000007ed9d5.mnc012.mcc345.3gppnetwork.org");
    assert_ok(nf_identity_check(&snpn, NULL, &e), &e);
}

static void
the_limits_of_the_lists_hold(void **state)
{
    struct nf_identity nf = {0};
    struct err e = {0};
    char name[300];

    (void)state;
    for (int i = 0; i < NF_TYPES_MAX; i++) {
        assert_ok(nf_identity_add_type(&nf, "AMF", &e), &e);
        assert_ok(nf_identity_add_fqdn(&nf, "a.b", &e), &e);
    }
    assert_err(nf_identity_add_type(&nf, "AMF", &e), ERR_INPUT, &e);
    assert_err(nf_identity_add_fqdn(&nf, "a.b", &e), ERR_INPUT, &e);
    memset(name, 'a', sizeof(name));
    name[254] = '\0';
    nf.n_fqdns = 0;
    assert_err(nf_identity_add_fqdn(&nf, name, &e), ERR_INPUT, &e);
    name[33] = '\0';
    nf.n_types = 0;
    assert_err(nf_identity_add_type(&nf, name, &e), ERR_INPUT, &e);
    assert_true(nf_type_is_standard("TSCTSF"));
    assert_false(nf_type_is_standard("tsctsf"));
}

#define L63 "a12345678901234567890123456789012345678901234567890123456789012"

static void
each_boundary_of_a_field(void **state)
{
    static const char letters[] = "country: must be two upper-case letters";
    static const char host[] = "fqdns[0]: not a fully qualified name";
    static const struct {
        const char *says; /* NULL: good */
        const char *id;
        const char *type;
        const char *fqdn;
        const char *domain;
        const char *country;
    } rows[] = {
        {letters, .country = "@A"},
        {letters, .country = "A@"},
        {letters, .country = "[A"},
        {letters, .country = "A["},
        {letters, .country = ""},
        {NULL, .country = "AZ"},
        {NULL, .country = "ZA"},
        {NULL, .fqdn = L63 ".5gc.mnc012.mcc345.3gppnetwork.org"},
        {host, .fqdn = L63 "x.5gc.mnc012.mcc345.3gppnetwork.org"},
        {NULL, .fqdn = "a-1.5gc.mnc012.mcc345.3gppnetwork.org"},
        {host, .fqdn = "a-.5gc.mnc012.mcc345.3gppnetwork.org"},
        {host, .fqdn = "a/.5gc.mnc012.mcc345.3gppnetwork.org"},
        {host, .fqdn = "a:.5gc.mnc012.mcc345.3gppnetwork.org"},
        {host, .fqdn = "a`.5gc.mnc012.mcc345.3gppnetwork.org"},
        {host, .fqdn = "a{.5gc.mnc012.mcc345.3gppnetwork.org"},
        {NULL, .fqdn = "5gc.mnc012.mcc345.3gppnetwork.org"},
        {NULL, .fqdn = "0.9.z.5gc.mnc012.mcc345.3gppnetwork.org"},
        {host, .fqdn = "localhost"},
        {host, .fqdn = "a.1"},
        {host, .fqdn = ""},
        {"fqdns[0]: not below", .fqdn = "gc.mnc012.mcc345.3gppnetwork.org"},
        {"homeDomain: must begin with 5gc", .domain = ""},
        {"homeDomain: must be 5gc.", .domain = "5gc"},
        {"homeDomain: must be 5gc.", .domain = "5gc.mnc01.mcc345.3gppnetwork.org"},
        {"homeDomain: must be 5gc.", .domain = "5gc.mnc0123.mcc345.3gppnetwork.org"},
        {"homeDomain: must be 5gc.", .domain = "5gc.mnc012.mcc34.3gppnetwork.org"},
        {"homeDomain: must be 5gc.", .domain = "5gc.mnc012.mcc34x.3gppnetwork.org"},
        {"homeDomain: must be 5gc.", .domain = "5gc.mnc012.mcc345.3gppnetwork.or"},
        {"homeDomain: must be 5gc.", .domain = "5gc.nid0000007ed9d5.mnc012.mcc345.3gppnetwork.org"},
        {"homeDomain: must be 5gc.", .domain = "5gc.nid000007ed9dg.mnc012.mcc345.3gppnetwork.org"},
        {"nfInstanceId: not a UUID of 36", .id = ""},
        {"nfInstanceId: not a UUID in the form", .id = "9c5b94b-135ad-49bb-b118-8e8fc24abf80"},
        {"nfInstanceId: not a UUID in the form", .id = "9c5b94b1-35ad-49bb-b118-8e8fc24abf8/"},
        {"nfInstanceId: not a UUID in the form", .id = "9c5b94b1-35ad-49bb-b118-8e8fc24abf8:"},
        {"nfInstanceId: not a UUID in the form", .id = "9c5b94b1-35ad-49bb-b118-8e8fc24abf8`"},
        {NULL, .id = "9c5b94b1-35ad-49bb-8118-8e8fc24abf80"},
        {NULL, .id = "0c5b94b1-35ad-49bb-a118-8e8fc24abf8f"},
        {NULL, .id = "ac5b94b1-35ad-49bb-9118-8e8fc24abf89"},
        {"nfInstanceId: not a UUID of RFC 4122", .id = "9c5b94b1-35ad-49bb-c118-8e8fc24abf80"},
        {"nfInstanceId: UUID of version 5", .id = "9c5b94b1-35ad-59bb-b118-8e8fc24abf80"},
        {"nfTypes[0]: must be 1..32 printable", .type = ""},
        {"nfTypes[0]: must be 1..32 printable", .type = "A\x7f"},
        {"nfTypes[0]: must be 1..32 printable", .type = "A\x1f"},
        {"nfTypes[0]: \"!~\" is not in the table", .type = "!~"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct nf_identity nf = pki_nf();
        struct err e = {0};
        int result;

        if (rows[i].id != NULL) {
            (void)snprintf(nf.instance_id, sizeof(nf.instance_id), "%s", rows[i].id);
        }
        if (rows[i].type != NULL) {
            (void)snprintf(nf.types[0], sizeof(nf.types[0]), "%s", rows[i].type);
        }
        if (rows[i].fqdn != NULL) {
            (void)snprintf(nf.fqdns[0], sizeof(nf.fqdns[0]), "%s", rows[i].fqdn);
        }
        if (rows[i].domain != NULL) {
            (void)snprintf(nf.home_domain, sizeof(nf.home_domain), "%s", rows[i].domain);
        }
        if (rows[i].country != NULL) {
            (void)snprintf(nf.country, sizeof(nf.country), "%s", rows[i].country);
        }
        result = nf_identity_check(&nf, NULL, &e);
        if (rows[i].says == NULL
                ? result != 0
                : result == 0 || strncmp(e.text, rows[i].says, strlen(rows[i].says)) != 0) {
            fail_msg("row %zu: %s", i, result == 0 ? "accepted" : e.text);
        }
    }
}

/* What is counted by whoever fills the struct is counted again by who judges it. */
static void
lists_longer_than_their_limit_are_refused(void **state)
{
    struct nf_identity fqdns = pki_nf();
    struct nf_identity types = pki_nf();
    struct nf_identity none = pki_nf();
    struct err e = {0};

    (void)state;
    fqdns.n_fqdns = NF_FQDNS_MAX + 1;
    assert_err(nf_identity_check(&fqdns, NULL, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "fqdns: more than 16");
    types.n_types = NF_TYPES_MAX + 1;
    assert_err(nf_identity_check(&types, NULL, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "nfTypes: must have 1..16 elements");
    none.n_types = 0;
    assert_err(nf_identity_check(&none, NULL, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "nfTypes: must have 1..16 elements");
}

static void
elements_are_taken_up_to_their_limit(void **state)
{
    struct nf_identity nf = {0};
    struct plmn plmn;
    char text[NF_FQDN_SIZE + 1];
    struct err e = {0};

    (void)state;
    memset(text, 'a', sizeof(text));
    text[NF_FQDN_SIZE - 1] = '\0';
    assert_ok(nf_identity_add_fqdn(&nf, text, &e), &e);
    text[NF_FQDN_SIZE - 1] = 'a';
    text[NF_FQDN_SIZE] = '\0';
    assert_err(nf_identity_add_fqdn(&nf, text, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "fqdns[1]: longer than 253 characters");
    text[NF_TYPE_SIZE - 1] = '\0';
    assert_ok(nf_identity_add_type(&nf, text, &e), &e);
    assert_true(nf_type_is_formed(text));
    text[NF_TYPE_SIZE - 1] = 'a';
    text[NF_TYPE_SIZE] = '\0';
    assert_err(nf_identity_add_type(&nf, text, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "nfTypes[1]: must be 1..32 characters");
    assert_false(nf_type_is_formed(text));
    assert_ok(plmn_set(&plmn, "345", "12", &e), &e);
    for (int i = 0; i < NF_PLMNS_MAX; i++) {
        assert_ok(nf_identity_add_plmn(&nf, &plmn, &e), &e);
    }
    assert_err(nf_identity_add_plmn(&nf, &plmn, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "plmns: more than 16");
    for (nf.n_types = 0; nf.n_types < NF_TYPES_MAX;) {
        assert_ok(nf_identity_add_type(&nf, "AMF", &e), &e);
    }
    assert_err(nf_identity_add_type(&nf, "AMF", &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "nfTypes: more than 16");
    for (nf.n_fqdns = 0; nf.n_fqdns < NF_FQDNS_MAX;) {
        assert_ok(nf_identity_add_fqdn(&nf, "a.b", &e), &e);
    }
    assert_err(nf_identity_add_fqdn(&nf, "a.b", &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "fqdns: more than 16");
}

/* A SEPP with these two PLMNs, the second one of its MNC. */
static struct nf_identity
sepp(const char *mnc)
{
    struct nf_identity nf = pki_nf_of("SEPP", NULL);
    struct plmn plmn;
    struct err e = {0};

    assert_ok(plmn_set(&plmn, "345", "12", &e), &e);
    assert_ok(nf_identity_add_plmn(&nf, &plmn, &e), &e);
    assert_ok(plmn_set(&plmn, "345", mnc, &e), &e);
    assert_ok(nf_identity_add_plmn(&nf, &plmn, &e), &e);
    return nf;
}

static void
plmns_are_a_sepp_s_and_the_operator_s(void **state)
{
    static const char *const domains[] = {"5gc.mnc012.mcc345.3gppnetwork.org",
                                          "5GC.mnc013.mcc345.3gppnetwork.org"};
    struct nf_rules rules = {.home_domains = domains, .n_home_domains = 1};
    struct nf_identity two = sepp("13");
    struct nf_identity twice = sepp("12");
    struct nf_identity other = sepp("13");
    struct err e = {0};

    (void)state;
    assert_ok(nf_identity_check(&two, NULL, &e), &e);
    assert_err(nf_identity_check(&two, &rules, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "plmns[1]: 5gc.mnc013.mcc345.3gppnetwork.org is not one of"));
    rules.n_home_domains = 2;
    assert_ok(nf_identity_check(&two, &rules, &e), &e);
    assert_err(nf_identity_check(&twice, NULL, &e), ERR_INPUT, &e);
    assert_string_equal(e.text, "plmns[1]: stands there twice");
    (void)snprintf(other.types[0], sizeof(other.types[0]), "SMF");
    assert_err(nf_identity_check(&other, NULL, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "plmns: nfTypes has no SEPP");
    /* a wildcard below a SEPP of a registered PLMN, and of none */
    (void)snprintf(two.fqdns[0], NF_FQDN_SIZE, "*.sepp1.5gc.mnc013.mcc345.3gppnetwork.org");
    assert_ok(nf_identity_check(&two, NULL, &e), &e);
    (void)snprintf(two.fqdns[0], NF_FQDN_SIZE, "*.sepp1.5gc.mnc014.mcc345.3gppnetwork.org");
    assert_err(nf_identity_check(&two, NULL, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "fqdns[0]: wildcards are for SEPP"));
    (void)snprintf(two.fqdns[0], NF_FQDN_SIZE, "a*.sepp1.5gc.mnc013.mcc345.3gppnetwork.org");
    assert_err(nf_identity_check(&two, NULL, &e), ERR_DENIED, &e);
    (void)snprintf(two.fqdns[0], NF_FQDN_SIZE, "*.*.sepp1.5gc.mnc013.mcc345.3gppnetwork.org");
    assert_err(nf_identity_check(&two, NULL, &e), ERR_INPUT, &e);
    (void)snprintf(two.fqdns[0], NF_FQDN_SIZE, "sepp1.5gc.mnc014.mcc345.3gppnetwork.org");
    assert_err(nf_identity_check(&two, NULL, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "fqdns[0]: not below"));
}

static void
identities_are_equal_in_every_field(void **state)
{
    struct nf_identity a = sepp("13");

    (void)state;
    assert_true(nf_identity_equal(&a, &a));
    for (int i = 0; i < 9; i++) {
        struct nf_identity b = a;

        switch (i) {
        case 0:
            b.instance_id[35] = '1';
            break;
        case 1:
            b.home_domain[0] = '6';
            break;
        case 2:
            b.country[1] = 'X';
            break;
        case 3:
            b.n_types = 0;
            break;
        case 4:
            b.n_fqdns = 0;
            break;
        case 5:
            b.n_plmns = 1;
            break;
        case 6:
            b.types[0][3] = 'X';
            break;
        case 7:
            b.fqdns[0][0] = 'x';
            break;
        default:
            b.plmns[1].mnc[2] = '4';
            break;
        }
        if (nf_identity_equal(&a, &b)) {
            fail_msg("change %d is not seen", i);
        }
    }
}

/* Whatever is left there from before. */
static void
what_stands_behind_the_last_of_a_list_is_not_in_it(void **state)
{
    static const char *const suffixes[] = {"svc.example.net", "other.example.net"};
    static const char *const domains[] = {"5gc.mnc012.mcc345.3gppnetwork.org",
                                          "5gc.mnc013.mcc345.3gppnetwork.org"};
    const struct nf_rules one_suffix = {.fqdn_suffixes = suffixes, .n_fqdn_suffixes = 1};
    const struct nf_rules one_domain = {.home_domains = domains, .n_home_domains = 1};
    struct nf_identity a = sepp("13");
    struct nf_identity b = a;
    struct nf_identity nf = pki_nf();
    struct err e = {0};

    (void)state;
    a.n_plmns = b.n_plmns = 1;
    (void)snprintf(a.types[a.n_types], NF_TYPE_SIZE, "~");
    (void)snprintf(a.fqdns[a.n_fqdns], NF_FQDN_SIZE, "*");
    assert_true(nf_identity_equal(&a, &b));
    assert_true(nf_identity_equal(&b, &a));
    assert_ok(nf_identity_check(&a, NULL, &e), &e);
    b.plmns[1].mnc[2] = '4';
    assert_true(nf_identity_equal(&a, &b));
    assert_ok(nf_identity_check(&a, &one_domain, &e), &e);
    /* neither a PLMN nor an operator's domain that is not counted */
    (void)snprintf(a.fqdns[0], NF_FQDN_SIZE, "sepp1.5gc.mnc013.mcc345.3gppnetwork.org");
    assert_err(nf_identity_check(&a, NULL, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "fqdns[0]: not below"));
    (void)snprintf(nf.fqdns[0], NF_FQDN_SIZE, "amf.other.example.net");
    assert_err(nf_identity_check(&nf, &one_suffix, &e), ERR_DENIED, &e);
    nf = pki_nf();
    (void)snprintf(nf.home_domain, NF_HOME_DOMAIN_SIZE, "%s", domains[1]);
    assert_err(nf_identity_check(&nf, &one_domain, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "homeDomain: "));
    /* nor makes a type that is not counted a SEPP of it */
    a = sepp("13");
    a.n_types = 1;
    (void)snprintf(a.types[0], NF_TYPE_SIZE, "AMF");
    (void)snprintf(a.types[1], NF_TYPE_SIZE, "SEPP");
    assert_err(nf_identity_check(&a, NULL, &e), ERR_DENIED, &e);
    assert_string_equal(e.text, "plmns: nfTypes has no SEPP");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_is_checked_and_named),
        cmocka_unit_test(letters_become_lower_case_where_case_has_no_meaning),
        cmocka_unit_test(order_and_repetition_are_checked),
        cmocka_unit_test(the_operator_may_allow_more),
        cmocka_unit_test(the_limits_of_the_lists_hold),
        cmocka_unit_test(each_boundary_of_a_field),
        cmocka_unit_test(lists_longer_than_their_limit_are_refused),
        cmocka_unit_test(elements_are_taken_up_to_their_limit),
        cmocka_unit_test(plmns_are_a_sepp_s_and_the_operator_s),
        cmocka_unit_test(identities_are_equal_in_every_field),
        cmocka_unit_test(what_stands_behind_the_last_of_a_list_is_not_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
