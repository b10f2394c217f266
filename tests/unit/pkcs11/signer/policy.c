/* SPDX-License-Identifier: Apache-2.0 */
/* The pinned policy file: what each option may be, and where the file is wrong. */
#include "tests/support/test.h"

#include "tests/unit/pkcs11/signer/pinned.h"
#include "tests/unit/pkcs11/signer/scene.h"

#define ONLY(objects) "certificate_authority {\n issuer = \"issuer.der\"\n " objects "\n}"
#define ALONE(more) "certificate_authority {\n issuer = \"issuer.der\"" BOTH more "\n}"
#define AUTHORITY(more) ALONE(more) "\n" LEDGER
#define ORIGIN_64 "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-0123456789"
#define ORIGIN_255                                                                                 \
    ORIGIN_64 ORIGIN_64 ORIGIN_64 "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-"         \
                                  "012345678"

static const struct row KEY_ROWS[] = {
    {.name = "right"},
    {"no module", "module", "", NULL, "/p.conf:12: option 'module' is missing", 0},
    {"an empty module", "module", "module = \"\"", NULL, "/p.conf:1: option 'module' is", 0},
    {"no token", "token", "", NULL, "/p.conf:12: option 'token' is missing", 0},
    {"no serial", "serial", "", NULL, "/p.conf:12: option 'serial' is missing", 0},
    {"no attributes", "attributes", "", NULL, "/p.conf:12: option 'attributes' is missing", 0},
    {"no credential", "credential", "", NULL, "/p.conf:12: option 'credential' is missing", 0},
    {"a credential in a folder", "credential", "credential = \"a/b\"", NULL,
     "/p.conf:8: 'credential' is a name, not a path", 0},
    {"an absolute credential", "credential", "credential = \"/\"", NULL,
     "/p.conf:8: 'credential' is a name, not a path", 0},
    {"no key_id", "key_id", "", NULL, "/p.conf:12: option 'key_id' is missing", 0},
    {"key_id of 31 digits", "key_id", "key_id = \"000102030405060708090a0b0c0d0e0\"", NULL,
     "/p.conf:5: 'key_id' must be 32 hexadecimal digits", 0},
    {"key_id of 33 digits", "key_id", "key_id = \"000102030405060708090a0b0c0d0e0f0\"", NULL,
     "/p.conf:5: 'key_id' must be 32 hexadecimal digits", 0},
    {"key_id of other characters", "key_id", "key_id = \"000102030405060708090a0b0c0d0e0g\"", NULL,
     "/p.conf:5: 'key_id' must be 32 hexadecimal digits", 0},
    {"no module_config", "module_config", "", NULL, NULL, 0},
    {"an empty module_config", "module_config", "module_config = \"\"", NULL,
     "/p.conf:2: option 'module_config' is missing or empty", 0},
    {"no public_key", "public_key", "", NULL, "/p.conf:12: option 'public_key' is missing", 0},
    {"no such public_key", "public_key", "public_key = \"none\"", NULL, "/none", ERR_NOTFOUND},
    {"public_key in PEM", "public_key", "public_key = \"key.pem\"", NULL, NULL, 0},
    {"public_key in bad PEM", "public_key", "public_key = \"bad.pem\"", NULL,
     "/bad.pem: not a public key in PEM", 0},
    {"an empty public_key", "public_key", "public_key = \"empty\"", NULL,
     "/empty: a public key of 0 octets", 0},
    {"octets behind public_key", "public_key", "public_key = \"behind\"", NULL,
     "/behind: the SubjectPublicKeyInfo is not in canonical form", 0},
    {"a public_key that is a certificate", "public_key", "public_key = \"issuer.der\"", NULL,
     "/issuer.der: not a DER SubjectPublicKeyInfo", 0},
    {"a public_key of 8192 octets", "public_key", "public_key = \"largest\"", NULL,
     "/largest: a public key of 8192 octets", 0},
    {"a public_key of 8193 octets", "public_key", "public_key = \"large\"", NULL,
     "/large: more than the allowed 8192 octets", 0},
    {"a public_key of one hyphen", "public_key", "public_key = \"hyphen\"", NULL,
     "/hyphen: not a public key in PEM", 0},
    {"a public_key that begins with a hyphen", "public_key", "public_key = \"hyphen-x\"", NULL,
     "/hyphen-x: not a public key in PEM", 0},
    {"no journal", "journal", "", NULL, "/p.conf:12: option 'journal' is missing", 0},
    {"an empty journal", "journal", "journal = \"\"", NULL, "option 'journal' is missing", 0},
    {"an unknown option", "module_config", "slot = 7", NULL, "/p.conf:2: no such option 'slot'", 0},
    {"an option twice", "module_config", "token = \"t\"", NULL,
     "/p.conf:3: option 'token' stands there twice", 0},
    {"an environment variable", "module_config", "module_config = \"${HOME}\"", NULL,
     "/p.conf:2: `$` is not allowed", 0},
};

static const struct row PURPOSE_ROWS[] = {
    {"no purpose", NULL, NULL, "", "/p.conf:10: exactly one of certificate_authority, log, cmp", 0},
    {"two purposes", NULL, NULL, LOG "\nself_test {}", "/p.conf:13: exactly one of", 0},
    {"authority and log", NULL, NULL, AUTHORITY("") "\n" LOG, "/p.conf:20: exactly one of", 0},
    {"log and CMP", NULL, NULL, LOG "\n" CMP("{}"), "/p.conf:16: exactly one of", 0},
    {"self-test", NULL, NULL, "self_test {}", NULL, 0},
    {"self-test without a journal", "journal", "", "self_test {}", NULL, 0},
    {"an option of a self-test", NULL, NULL, "self_test {\n a = 1\n}", "/p.conf:11: no such option",
     0},

    {"no origin", NULL, NULL, "log {\n}", "/p.conf:11: option 'origin' is missing", 0},
    {"an anchor in the token", NULL, NULL,
     "log {\n origin = \"log.example\"\n anchor = \"token\"\n}", NULL, 0},
    {"no anchor", NULL, NULL, "log {\n origin = \"log.example\"\n anchor = \"none\"\n}", NULL, 0},
    {"another anchor", NULL, NULL, "log {\n origin = \"log.example\"\n anchor = \"file\"\n}",
     "/p.conf:12: 'anchor' must be token or none", 0},
    {"an empty anchor", NULL, NULL, "log {\n origin = \"log.example\"\n anchor = \"\"\n}",
     "/p.conf:12: 'anchor' must be token or none", 0},
    {"origin of 255 octets", NULL, NULL, "log {\n origin = \"" ORIGIN_255 "\"\n}", NULL, 0},
    {"origin of 256 octets", NULL, NULL, "log {\n origin = \"" ORIGIN_255 "9\"\n}",
     "/p.conf:11: 'origin' must be one word of at most 255 octets without '+'", 0},
    {"origin with a blank", NULL, NULL, "log {\n origin = \"a b\"\n}", "/p.conf:11: 'origin' must",
     0},
    {"origin with a tab", NULL, NULL, "log {\n origin = \"a\\tb\"\n}", "/p.conf:11: 'origin' must",
     0},
    {"origin with a line break", NULL, NULL, "log {\n origin = \"a\\nb\"\n}",
     "/p.conf:11: 'origin' must", 0},
    {"origin with a carriage return", NULL, NULL, "log {\n origin = \"a\\rb\"\n}",
     "/p.conf:11: 'origin' must", 0},
    {"origin with a plus", NULL, NULL, "log {\n origin = \"a+\"\n}", "/p.conf:11: 'origin' must",
     0},

    {"authority", NULL, NULL, AUTHORITY(""), NULL, 0},
    {"no issuer", NULL, NULL, "certificate_authority {\n}",
     "/p.conf:11: option 'issuer' is missing", 0},
    {"no such issuer", NULL, NULL, "certificate_authority {\n issuer = \"none\"\n}", "/none",
     ERR_NOTFOUND},
    {"issuer that is no certificate", NULL, NULL,
     "certificate_authority {\n issuer = \"key.spki\"\n}", "/key.spki: ", 0},
    {"issuer of another key", NULL, NULL, "certificate_authority {\n issuer = \"other.der\"\n}",
     "/other.der is not that of 'public_key'", 0},
    {"issuer of another key, its line", NULL, NULL,
     "certificate_authority {\n issuer = \"other.der\"\n}", "/p.conf:11: the public key of ", 0},
    {"issuer that is no CA", NULL, NULL, "certificate_authority {\n issuer = \"leaf.der\"\n}",
     "/p.conf:11: 'issuer' is not a CA certificate", 0},
    {"issuer without a key identifier", NULL, NULL,
     "certificate_authority {\n issuer = \"no-ski.der\"\n}",
     "/p.conf:11: 'issuer' is not a CA certificate with a subjectKeyIdentifier", 0},
    {"a key identifier of 0 octets", NULL, NULL,
     "certificate_authority {\n issuer = \"ski-0.der\"\n}",
     "/p.conf:11: 'issuer' is not a CA certificate with a subjectKeyIdentifier of 1 to 64 octets",
     0},
    {"a key identifier of 1 octet", NULL, NULL,
     "certificate_authority {\n issuer = \"ski-1.der\"" BOTH "}\n" LEDGER, NULL, 0},
    {"a name of 4096 octets", NULL, NULL, "cmp {\n sender = \"name-4096.der\"\n}", NULL, 0},
    {"a sender's name of 4097 octets", NULL, NULL, "cmp {\n sender = \"name-4097.der\"\n}",
     "more than the allowed 4096 octets", 0},
    {"an issuer's name of 4097 octets", NULL, NULL,
     "certificate_authority {\n issuer = \"name-4097.der\"\n}", "more than the allowed 4096 octets",
     0},
    {"a key identifier of 64 octets", NULL, NULL,
     "certificate_authority {\n issuer = \"ski-64.der\"" BOTH "}\n" LEDGER, NULL, 0},
    {"a key identifier of 65 octets", NULL, NULL,
     "certificate_authority {\n issuer = \"ski-65.der\"\n}",
     "/p.conf:11: 'issuer' is not a CA certificate with a subjectKeyIdentifier of 1 to 64", 0},
    {"issuer from month 13", NULL, NULL, "certificate_authority {\n issuer = \"from-13.der\"\n}",
     "not a time", 0},
    {"issuer to month 13", NULL, NULL, "certificate_authority {\n issuer = \"to-13.der\"\n}",
     "not a time", 0},

    {"max_validity 0", NULL, NULL, AUTHORITY("max_validity = 0"),
     "/p.conf:12: 'max_validity' must be 1 to 36500 days", 0},
    {"max_validity -1", NULL, NULL, AUTHORITY("max_validity = -1"),
     "/p.conf:12: 'max_validity' must be", 0},
    {"max_validity 1", NULL, NULL, AUTHORITY("max_validity = 1"), NULL, 0},
    {"max_validity 36500", NULL, NULL, AUTHORITY("max_validity = 36500"), NULL, 0},
    {"max_validity 36501", NULL, NULL, AUTHORITY("max_validity = 36501"),
     "/p.conf:12: 'max_validity' must be", 0},
    {"max_validity that is no number", NULL, NULL, AUTHORITY("max_validity = ever"),
     "/p.conf:12: invalid integer value", 0},
    {"max_crl_validity 0", NULL, NULL, AUTHORITY("max_crl_validity = 0"),
     "/p.conf:12: 'max_crl_validity' must be 1 to 36500 days", 0},
    {"max_crl_validity 1", NULL, NULL, AUTHORITY("max_crl_validity = 1"), NULL, 0},
    {"max_crl_validity 36500", NULL, NULL, AUTHORITY("max_crl_validity = 36500"), NULL, 0},
    {"max_crl_validity 36501", NULL, NULL, AUTHORITY("max_crl_validity = 36501"),
     "/p.conf:12: 'max_crl_validity' must be", 0},
    {"an object that no authority signs", NULL, NULL,
     ONLY("objects = {crl, checkpoint}") "\n" LEDGER,
     "/p.conf:12: object 'checkpoint': use certificate or crl", 0},
    {"no objects", NULL, NULL, ONLY("max_validity = 1") "\n" LEDGER,
     "/p.conf:13: 'objects' must list certificate, crl or both", 0},
    {"an empty list of objects", NULL, NULL, ONLY("objects = {}") "\n" LEDGER,
     "/p.conf:13: 'objects' must list certificate, crl or both", 0},
    {"a longer object", NULL, NULL, ONLY("objects = {certificates}") "\n" LEDGER,
     "/p.conf:12: object 'certificates': use certificate or crl", 0},
    {"keyCertSign", NULL, NULL, AUTHORITY("key_usage = {digitalSignature, keyCertSign}"),
     "/p.conf:12: key_usage 'keyCertSign' cannot be allowed", 0},
    {"cRLSign", NULL, NULL, AUTHORITY("key_usage = {cRLSign}"),
     "/p.conf:12: key_usage 'cRLSign' cannot be allowed", 0},
    {"wildcard that is no boolean", NULL, NULL, AUTHORITY("wildcard = some"), "/p.conf:12: ", 0},
    {"an option of a log", NULL, NULL, AUTHORITY("origin = \"a\""), "/p.conf:12: no such option",
     0},

    {"no ledger", NULL, NULL, ALONE(""), "/p.conf:13: section ledger is missing", 0},
    {"no ledger, CRLs only", NULL, NULL, ONLY("objects = {crl}"),
     "/p.conf:13: section ledger is missing", 0},
    {"a ledger without origin", NULL, NULL, ALONE("") "\nledger {\n public_key = \"log.spki\"\n}",
     "/p.conf:16: option 'origin' is missing", 0},
    {"a ledger without a key", NULL, NULL, ALONE("") "\nledger {\n origin = \"log.example\"\n}",
     "/p.conf:16: option 'public_key' is missing", 0},
    {"a ledger's key in no file", NULL, NULL, ALONE("") "\n" LEDGER_OF("\"log.example\"", "none"),
     "/none", ERR_NOTFOUND},
    {"a ledger's key in bad PEM", NULL, NULL,
     ALONE("") "\n" LEDGER_OF("\"log.example\"", "bad.pem"), "/bad.pem: not a public key in PEM",
     0},
    {"a ledger's key on P-384", NULL, NULL,
     ALONE("") "\n" LEDGER_OF("\"log.example\"", "p384.spki"),
     "/p.conf: section ledger: the log key is not a P-256 SubjectPublicKeyInfo", 0},
    {"a ledger's origin with a plus", NULL, NULL, ALONE("") "\n" LEDGER_OF("\"a+b\"", "log.spki"),
     "/p.conf: section ledger: the origin of the log", 0},
    {"a ledger with this signer's own key", NULL, NULL,
     ALONE("") "\n" LEDGER_OF("\"log.example\"", "key.pem"),
     "/p.conf:16: the log has a key of its own, not this one", 0},
    {"a ledger of a log", NULL, NULL, LOG "\n" LEDGER,
     "section ledger belongs to section certificate_authority", 0},
    {"a ledger of CMP", NULL, NULL, CMP("{ip}") "\n" LEDGER,
     "section ledger belongs to section certificate_authority", 0},

    {"CMP", NULL, NULL, CMP("{ip}"), NULL, 0},
    {"no sender", NULL, NULL, "cmp {\n}", "/p.conf:11: option 'sender' is missing", 0},
    {"sender of another key", NULL, NULL, "cmp {\n sender = \"other.der\"\n}",
     "/p.conf:11: the public key of ", 0},
    {"a request", NULL, NULL, CMP("{ip, ir}"),
     "/p.conf:12: body 'ir' cannot be allowed; possible are ip, cp,", 0},
    {"nested, which RAs once sent", NULL, NULL, CMP("{ip, nested}"),
     "/p.conf:12: body 'nested' cannot be allowed; possible are ip, cp, kup, rp, pkiconf, genp, "
     "error, pollRep",
     0},
    {"a body in other letters", NULL, NULL, CMP("{IP}"), "/p.conf:12: body 'IP' cannot be", 0},
    {"a longer body", NULL, NULL, CMP("{ipx}"), "/p.conf:12: body 'ipx' cannot be", 0},

    {"seal", NULL, NULL, CMP("{ip}") "\nseal {\n key_id = \"f0e0102030405060708090a0b0c0d0e0\"\n}",
     NULL, 0},
    {"seal without a key", NULL, NULL, CMP("{ip}") "\nseal {\n}",
     "/p.conf:15: option 'key_id' is missing", 0},
    {"seal with 31 digits", NULL, NULL,
     CMP("{ip}") "\nseal {\n key_id = \"f0e0102030405060708090a0b0c0d0e\"\n}",
     "/p.conf:15: 'key_id' must be 32 hexadecimal digits", 0},
    {"seal of a log", NULL, NULL, LOG "\nseal {\n key_id = \"f0e0102030405060708090a0b0c0d0e0\"\n}",
     NULL, 0},
    {"seal of an authority", NULL, NULL,
     AUTHORITY("") "\nseal {\n key_id = \"f0e0102030405060708090a0b0c0d0e0\"\n}", NULL, 0},
    {"seal of a self-test", NULL, NULL,
     "self_test {}\nseal {\n key_id = \"f0e0102030405060708090a0b0c0d0e0\"\n}",
     "section seal belongs to section certificate_authority, log or cmp", 0},
};

static void
check(const struct row *rows, size_t n)
{
    size_t good = 0;

    for (size_t i = 0; i < n; i++) {
        struct err e = {0};
        CLEANUP(policy_cleanup) struct policy *p = pinned_load(&rows[i], &e);

        good += scene_expect(rows[i].name, p == NULL ? -1 : 0, &e,
                             rows[i].code == ERR_NONE ? ERR_INPUT : rows[i].code, rows[i].reason);
    }
    assert_int_equal(good, n);
}

static void
the_key_is_named_without_a_doubt(void **state)
{
    (void)state;
    check(KEY_ROWS, ARRAY_LEN(KEY_ROWS));
}

static void
a_key_has_one_purpose_within_its_limits(void **state)
{
    (void)state;
    check(PURPOSE_ROWS, ARRAY_LEN(PURPOSE_ROWS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_named_without_a_doubt),
        cmocka_unit_test(a_key_has_one_purpose_within_its_limits),
    };

    return cmocka_run_group_tests(tests, pinned_set_up, pinned_tear_down);
}
