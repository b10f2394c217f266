/* SPDX-License-Identifier: Apache-2.0 */
/* The names that a request asks for, against the registered ones. */
#include "ca/cmp/message/names.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/phrase.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

#define HOME "5gc.mnc012.mcc345.3gppnetwork.org"
#define URN "urn:uuid:"
#define REGISTERED_NF "9c5b94b1-35ad-49bb-b118-8e8fc24abf80"
#define OTHER_NF "1d5b94b1-35ad-49bb-b118-8e8fc24abf81"
#define REGISTERED_FQDN "amf1.amf.5gc.mnc012.mcc345.3gppnetwork.org"
#define FOREIGN "a subjectAltName asked for is not registered"
#define BROKEN "the subjectAltName asked for does not decode, or is there twice"

static struct profile profile = {.name = "test"};

static X509_NAME *
subject_of(const char *country, const char *organization, const char *unit)
{
    const struct {
        const char *field;
        const char *value;
    } parts[] = {{"C", country}, {"O", organization}, {"OU", unit}};
    X509_NAME *name = X509_NAME_new();

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i].value != NULL) {
            /* Without OpenSSL's opinion on how long a country is. */
            X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_txt(
                NULL, parts[i].field, V_ASN1_UTF8STRING, (const unsigned char *)parts[i].value, -1);

            assert_non_null(entry);
            assert_int_equal(X509_NAME_add_entry(name, entry, -1, 0), 1);
            X509_NAME_ENTRY_free(entry);
        }
    }
    return name;
}

/* What is said to a template with these; `alt_names` with '|' between extensions. */
static int
row(bool is_update, const X509_NAME *subject, const char *alt_names, enum phrase phrase,
    const char *why, const char *name)
{
    CLEANUP(x509_name_cleanup) X509_NAME *none = X509_NAME_new();
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    const struct cmp_names asked = {.subject = subject != NULL ? subject : none,
                                    .extensions = alt_names != NULL ? extensions : NULL,
                                    .is_update = is_update};
    const struct nf_identity nf = pki_nf();
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};
    int wrong;

    for (const char *each = alt_names; each != NULL; each = strchr(each, '|')) {
        CLEANUP(mem_cleanup) char *one = NULL;
        X509_EXTENSION *extension;

        each += each[0] == '|';
        one = mem_printf("%.*s", (int)strcspn(each, "|"), each);
        extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, one);
        assert_non_null(extension);
        assert_true(sk_X509_EXTENSION_push(extensions, extension) > 0);
    }
    wrong =
        cmp_names_check(&asked, &nf, &profile, &failure, &e) != (phrase == PHRASE_NONE ? 0 : -1) ||
        failure != (phrase == PHRASE_NONE ? CMP_NO_FAILURE : CMP_NOT_AUTHORIZED) ||
        (phrase != PHRASE_NONE &&
         ((enum phrase)e.said != phrase ||
          strcmp(e.text, phrase == PHRASE_SUBJECT
                             ? "the subject asked for is not the registered one"
                             : why) != 0));
    if (wrong) {
        print_error("%s: failInfo %d, \"%s\"\n", name, (int)failure, e.text);
    }
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return wrong;
}

/* A country or an organization that is not the registered one is a request that went to the wrong
 * place; case does not matter, and all other parts do not either. */
static void
the_subject_says_where_it_belongs(void **state)
{
    static const struct {
        const char *name;
        const char *country;
        const char *organization;
        const char *unit;
        enum phrase phrase;
    } rows[] = {
        {"as registered", "SE", HOME, NULL, PHRASE_NONE},
        {"in other letters", "se", "5GC.mnc012.MCC345.3gppnetwork.org", NULL, PHRASE_NONE},
        {"the organization alone", NULL, HOME, NULL, PHRASE_NONE},
        {"a unit more", "SE", HOME, "any", PHRASE_NONE},
        {"a unit alone", NULL, NULL, "any", PHRASE_NONE},
        {"another country", "NO", HOME, NULL, PHRASE_SUBJECT},
        {"another last letter", "SI", HOME, NULL, PHRASE_SUBJECT},
        {"one letter", "S", HOME, NULL, PHRASE_SUBJECT},
        {"three letters", "SEE", HOME, NULL, PHRASE_SUBJECT},
        {"another organization", "SE", "5gc.mnc013.mcc345.3gppnetwork.org", NULL, PHRASE_SUBJECT},
        {"another last character", "SE", "5gc.mnc012.mcc345.3gppnetwork.orx", NULL, PHRASE_SUBJECT},
        {"one character less", "SE", "5gc.mnc012.mcc345.3gppnetwork.or", NULL, PHRASE_SUBJECT},
        {"one character more", "SE", HOME "g", NULL, PHRASE_SUBJECT},
    };
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_name_cleanup)
        X509_NAME *subject = subject_of(rows[i].country, rows[i].organization, rows[i].unit);

        wrong += row(false, subject, NULL, rows[i].phrase, FOREIGN, rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* A GeneralName of any kind but these two is none that anybody has registered. */
static void
a_subject_alt_name_is_one_of_the_registered(void **state)
{
    static const struct {
        const char *name;
        const char *alt_names;
        enum phrase phrase;
    } rows[] = {
        {"the FQDN", "DNS:" REGISTERED_FQDN, PHRASE_NONE},
        {"in other letters", "DNS:AMF1.amf.5gc.mnc012.mcc345.3GPPnetwork.org", PHRASE_NONE},
        {"another last character", "DNS:amf1.amf.5gc.mnc012.mcc345.3gppnetwork.orx",
         PHRASE_ALT_NAME},
        {"one character less", "DNS:amf1.amf.5gc.mnc012.mcc345.3gppnetwork.or", PHRASE_ALT_NAME},
        {"one character more", "DNS:" REGISTERED_FQDN "g", PHRASE_ALT_NAME},
        {"another", "DNS:amf2.amf.5gc.mnc012.mcc345.3gppnetwork.org", PHRASE_ALT_NAME},
        {"both", "DNS:" REGISTERED_FQDN ",DNS:amf2.example", PHRASE_ALT_NAME},
        {"both, the other way round", "DNS:amf2.example,DNS:" REGISTERED_FQDN, PHRASE_ALT_NAME},
        {"the instance", "URI:" URN REGISTERED_NF, PHRASE_NONE},
        {"in other letters", "URI:URN:UUID:9C5B94B1-35ad-49bb-b118-8e8fc24abf80", PHRASE_NONE},
        {"both registered ones", "DNS:" REGISTERED_FQDN ",URI:" URN REGISTERED_NF, PHRASE_NONE},
        {"another instance", "URI:" URN OTHER_NF, PHRASE_ALT_NAME},
        {"an instance, one character less", "URI:" URN "9c5b94b1-35ad-49bb-b118-8e8fc24abf8",
         PHRASE_ALT_NAME},
        {"an instance, one character more", "URI:" URN REGISTERED_NF "0", PHRASE_ALT_NAME},
        {"an instance, another at its end", "URI:" URN "9c5b94b1-35ad-49bb-b118-8e8fc24abf81",
         PHRASE_ALT_NAME},
        {"as long, another prefix", "URI:urn:uuie:" REGISTERED_NF, PHRASE_ALT_NAME},
        {"as long, another end of the prefix", "URI:urn:uuid;" REGISTERED_NF, PHRASE_ALT_NAME},
        {"a URI of the FQDN", "URI:" REGISTERED_FQDN, PHRASE_ALT_NAME},
        {"a DNS name of the instance", "DNS:" URN REGISTERED_NF, PHRASE_ALT_NAME},
        {"a mail address of the FQDN", "email:" REGISTERED_FQDN, PHRASE_ALT_NAME},
        {"a mail address of the instance", "email:" URN REGISTERED_NF, PHRASE_ALT_NAME},
        {"an empty DNS name", "DER:30028200", PHRASE_ALT_NAME},
        {"an IP address", "IP:10.0.0.1", PHRASE_ALT_NAME},
        {"a registered ID", "RID:1.2.3.4", PHRASE_ALT_NAME},
        {"an otherName", "otherName:1.2.3.4;UTF8:" REGISTERED_FQDN, PHRASE_ALT_NAME},
        {"an NF type", "DNS:AMF", PHRASE_ALT_NAME},
    };
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        wrong += row(false, NULL, rows[i].alt_names, rows[i].phrase, FOREIGN, rows[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* A name that cannot be read is none that is registered; nor is a second extension a way around. */
static void
what_does_not_decode_is_not_passed_over(void **state)
{
    static const struct {
        const char *name;
        const char *alt_names;
    } rows[] = {
        {"no names", "DER:0500"},
        {"not all of them", "DER:30058201"},
        {"twice the registered ones", "DNS:" REGISTERED_FQDN "|DNS:" REGISTERED_FQDN},
        {"registered ones, and others", "DNS:" REGISTERED_FQDN "|DNS:other.example"},
        {"others, and others", "DNS:other.example|DNS:another.example"},
    };
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        wrong += row(false, NULL, rows[i].alt_names, PHRASE_ALT_NAME, BROKEN, rows[i].name);
    }
    profile.replace_names = true;
    wrong += row(false, NULL, rows[0].alt_names, PHRASE_NONE, BROKEN, "replaced");
    wrong += row(true, NULL, rows[0].alt_names, PHRASE_ALT_NAME, BROKEN, "kur");
    profile.replace_names = false;
    assert_int_equal(wrong, 0);
}

/* What certificates of the profile have besides may be asked for, too. */
static void
nf_types_are_names_where_the_profile_has_them_so(void **state)
{
    static const struct {
        const char *name;
        const char *alt_names;
        enum phrase phrase;
    } rows[] = {
        {"the type", "DNS:AMF", PHRASE_NONE},
        {"in other letters", "DNS:amf", PHRASE_ALT_NAME},
        {"another type", "DNS:SMF", PHRASE_ALT_NAME},
        {"another last letter", "DNS:AMX", PHRASE_ALT_NAME},
        {"less of it", "DNS:AM", PHRASE_ALT_NAME},
        {"more of it", "DNS:AMFF", PHRASE_ALT_NAME},
        {"nothing", "DER:30028200", PHRASE_ALT_NAME},
        {"the FQDN still", "DNS:" REGISTERED_FQDN, PHRASE_NONE},
    };
    int wrong = 0;

    (void)state;
    profile.extra_dns_nf_type = true;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        wrong += row(false, NULL, rows[i].alt_names, rows[i].phrase, FOREIGN, rows[i].name);
    }
    profile.extra_dns_nf_type = false;
    assert_int_equal(wrong, 0);
}

/* RFC 9810 5.2.3, grantedWithMods; not of a kur (RFC 9483 4.1.3), and never of the subject. */
static void
names_are_replaced_where_the_profile_has_it_so(void **state)
{
    CLEANUP(x509_name_cleanup) X509_NAME *subject = subject_of("SE", HOME, NULL);
    CLEANUP(x509_name_cleanup) X509_NAME *other = subject_of("NO", HOME, NULL);
    int wrong = 0;

    (void)state;
    profile.replace_names = true;
    wrong += row(false, subject, "DNS:other.example", PHRASE_NONE, FOREIGN, "ir");
    wrong += row(true, subject, "DNS:other.example", PHRASE_ALT_NAME, FOREIGN, "kur");
    wrong += row(false, other, "DNS:other.example", PHRASE_SUBJECT, FOREIGN, "another subject");
    profile.replace_names = false;
    wrong += row(false, subject, "DNS:other.example", PHRASE_ALT_NAME, FOREIGN, "not replaced");
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_subject_says_where_it_belongs),
        cmocka_unit_test(a_subject_alt_name_is_one_of_the_registered),
        cmocka_unit_test(what_does_not_decode_is_not_passed_over),
        cmocka_unit_test(nf_types_are_names_where_the_profile_has_them_so),
        cmocka_unit_test(names_are_replaced_where_the_profile_has_it_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
