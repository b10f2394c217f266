/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a network function, judged by themselves: whatever the builder, and the comparison
 * octet for octet, say. What stands behind the last of a list is not in it. */
#include <stdio.h>
#include <string.h>

#include "ca/x509/lint/extensions.h"
#include "tests/support/test.h"

#define UUID "9c5b94b1-35ad-49bb-b118-8e8fc24abf80"
#define URI "URI:urn:uuid:" UUID
#define TAIL "mnc012.mcc345.3gppnetwork.org"
#define AMF "amf1.5gc." TAIL
#define SEPP "sepp1.5gc." TAIL

static const char strange[] = "lint: subjectAltName: a dNSName that is not registered";
static const char wildcard[] = "lint: subjectAltName: a wildcard that is not allowed";
static const char kind[] = "lint: subjectAltName: a name of another kind, or a second URI";
static const char uri[] = "lint: subjectAltName: the first URI is not urn:uuid:<nfInstanceId>";
static const char none[] = "lint: subjectAltName: no urn:uuid, or no dNSName of a server";
static const char plmn[] = "lint: subjectAltName: a dNSName that is in no registered PLMN";
static const char unnamed[] = "lint: subjectAltName: a registered PLMN without a dNSName";

/* Two of each, of which as many are registered as the row says. */
static struct nf_identity
identity(const char *first, const char *type, size_t n_plmns)
{
    struct nf_identity nf = {
        .instance_id = UUID,
        .n_types = 1,
        .n_fqdns = 1,
        .plmns = {{.mcc = "345", .mnc = "012"}, {.mcc = "345", .mnc = "013"}},
        .n_plmns = n_plmns,
    };

    (void)snprintf(nf.types[0], sizeof(nf.types[0]), "%s", type);
    (void)snprintf(nf.types[1], sizeof(nf.types[1]), "SEPP");
    (void)snprintf(nf.fqdns[0], sizeof(nf.fqdns[0]), "%s", first);
    (void)snprintf(nf.fqdns[1], sizeof(nf.fqdns[1]), "behind.example");
    return nf;
}

static X509 *
with_names(const char *names)
{
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    X509 *x = X509_new();

    if (extension == NULL) {
        fail_msg("%s", names);
    }
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    return x;
}

static void
judge(const char *names, const struct nf_identity *nf, const struct profile *profile,
      const char *says)
{
    const struct tbs_request expected = {.profile = profile, .nf = nf};
    CLEANUP(x509_cleanup) X509 *x = with_names(names);
    struct err e = {0};
    int result = lint_names(x, &expected, &e);

    if (says == NULL ? result != 0
                     : result == 0 || e.code != ERR_DENIED || strcmp(e.text, says) != 0) {
        fail_msg("%s: %s", names, result == 0 ? "passed" : e.text);
    }
}

static void
names_are_the_registered_ones(void **state)
{
    enum { CLIENT, SERVER, TYPES };
    static const struct {
        const char *names;
        int profile;
        const char *says; /* NULL: right */
    } rows[] = {
        {"DNS:" AMF "," URI, SERVER, NULL},
        {URI ",DNS:" AMF, SERVER, NULL},
        {"DNS:" AMF ",DNS:" AMF "," URI, CLIENT, NULL},
        {"DNS:behind.example," URI, CLIENT, strange},
        {"DNS:amf1.5gc.mnc012.mcc345.3gppnetwork.orh," URI, CLIENT, strange},
        {"DNS:amf1.5gc.mnc012.mcc345.3gppnetwork.or," URI, CLIENT, strange},
        {"DNS:" AMF ",DNS:AMF," URI, TYPES, NULL},
        {"DNS:" AMF ",DNS:AMF," URI, CLIENT, strange},
        {"DNS:" AMF ",DNS:SEPP," URI, TYPES, strange},
        {"DNS:" AMF ",DNS:AM," URI, TYPES, strange},
        {URI, CLIENT, NULL},
        {URI, SERVER, none},
        {"DNS:" AMF, SERVER, none},
        {"DNS:" AMF, CLIENT, none},
        {URI "," URI, CLIENT, kind},
        {"DNS:" AMF "," URI "," URI, CLIENT, kind},
        {"DNS:" AMF ",email:a@a.example," URI, CLIENT, kind},
        {"DNS:" AMF ",IP:192.0.2.1," URI, CLIENT, kind},
        {"URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf81", CLIENT, uri},
        {"URI:urn:uuid:8c5b94b1-35ad-49bb-b118-8e8fc24abf80", CLIENT, uri},
        {"URI:urn:uuid:9c5b94b1-35ad-49bb-b118-8e8fc24abf8", CLIENT, uri},
        {URI "0", CLIENT, uri},
        {"URI:urn:uuid;" UUID, CLIENT, uri},
        {"URI:vrn:uuid:" UUID, CLIENT, uri},
    };
    const struct nf_identity nf = identity(AMF, "AMF", 0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct profile profile = {.server = rows[i].profile == SERVER,
                                        .extra_dns_nf_type = rows[i].profile == TYPES};

        judge(rows[i].names, &nf, &profile, rows[i].says);
    }
}

static void
a_wildcard_is_the_whole_first_label_of_a_sepp(void **state)
{
    static const struct {
        const char *name; /* that is registered, too */
        const char *type;
        bool wildcards; /* the profile has them */
        const char *says;
    } rows[] = {
        {"*." SEPP, "SEPP", true, NULL},
        {"*." SEPP, "AMF", true, wildcard},
        {"*." SEPP, "SEPP", false, wildcard},
        {"a*." SEPP, "SEPP", true, wildcard},
        {"*a." SEPP, "SEPP", true, wildcard},
        {"*", "SEPP", true, wildcard},
        {"*.", "SEPP", true, NULL},
        {"*.*." SEPP, "SEPP", true, wildcard},
        {"*.sepp1.5gc.*", "SEPP", true, wildcard},
        {"sepp1.*", "SEPP", true, wildcard},
        {SEPP, "AMF", false, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct nf_identity nf = identity(rows[i].name, rows[i].type, 0);
        const struct profile profile = {.wildcard = rows[i].wildcards};
        CLEANUP(mem_cleanup) char *names = mem_printf("DNS:%s," URI, rows[i].name);

        judge(names, &nf, &profile, rows[i].says);
    }
}

static void
a_name_is_in_a_registered_plmn_and_each_has_one(void **state)
{
    static const struct {
        const char *name; /* that is registered, too; NULL: none */
        size_t plmns;
        const char *says;
    } rows[] = {
        {"a.5gc." TAIL, 1, NULL},
        {".5gc." TAIL, 1, plmn}, /* of no host */
        {"a.4gc." TAIL, 1, plmn},
        {"a.5gcx" TAIL, 1, plmn},
        {"a.5gc.mnc012.mcc345.3gppnetwork.orx", 1, plmn},
        {"a.5gc.mnc012.mcc345x3gppnetwork.org", 1, plmn},
        {"a.5gc.mnc012.mcc346.3gppnetwork.org", 1, plmn},
        {"a.5gc.mnc013.mcc345.3gppnetwork.org", 1, plmn},
        {"a.5gc." TAIL, 2, unnamed},
        {"a.5gc.mnc013.mcc345.3gppnetwork.org", 2, unnamed},
        {"a.5gc." TAIL, 0, plmn},
        {NULL, 1, unnamed},
        {NULL, 0, unnamed},
    };
    const struct profile profile = {.plmns = true};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *name = rows[i].name == NULL ? AMF : rows[i].name;
        const struct nf_identity nf = identity(name, "SEPP", rows[i].plmns);
        CLEANUP(mem_cleanup) char *names = mem_printf("DNS:%s," URI, name);

        judge(rows[i].name == NULL ? URI : names, &nf, &profile, rows[i].says);
    }
    {
        struct nf_identity both = identity("a.5gc." TAIL, "SEPP", 2);

        both.n_fqdns = 2;
        (void)snprintf(both.fqdns[1], sizeof(both.fqdns[1]), "%s",
                       "a.5gc.mnc013.mcc345.3gppnetwork.org");
        judge("DNS:a.5gc." TAIL ",DNS:a.5gc.mnc013.mcc345.3gppnetwork.org," URI, &both, &profile,
              NULL);
        judge("DNS:a.5gc.mnc013.mcc345.3gppnetwork.org,DNS:a.5gc." TAIL "," URI, &both, &profile,
              NULL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_the_registered_ones),
        cmocka_unit_test(a_wildcard_is_the_whole_first_label_of_a_sepp),
        cmocka_unit_test(a_name_is_in_a_registered_plmn_and_each_has_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
