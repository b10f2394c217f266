/* SPDX-License-Identifier: Apache-2.0 */
/* What a network function asks for, and what it is refused for. */
#include "ca/policy/policy.h"

#include "base/file.h"
#include "ca/cmp/message/der.h"
#include "ca/x509/profile/profiles.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ca/policy/grant.h"

#define TWO "[{\"name\":\"nf-tls\",\"maxValidityDays\":20},{\"name\":\"signed\"}]"

/* nf-tls as it is built in; `signed` is for signed requests with a P-256 key, and refuses
 * extensions that it has not. */
static const char profiles_text[] =
    "profile \"nf-tls\" {\n extended_key_usage = {serverAuth, clientAuth}\n server = true\n}\n"
    "profile \"nf-tls-client\" {\n extended_key_usage = {clientAuth}\n}\n"
    "profile \"signed\" {\n extended_key_usage = {clientAuth}\n assurance = signature\n"
    " keys = {P-256}\n unknown_extensions = reject\n no_rev_avail = true\n"
    " max_validity_hours = 24\n}\n";

/* ---- what is asked for ---- */

/* The body of a request, with its one CertReqMsg twice. */
static struct buf
two_requests(const struct scene *s)
{
    CLEANUP(buf_free) struct buf one = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf both = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf list = BUF_INIT(SMALL);
    struct buf out = BUF_INIT(SMALL);
    struct span message;
    struct err e = {0};

    assert_ok(cmp_client_body_request(CMP_IR, s->key, X509_get_subject_name(s->held), &one, &e),
              &e);
    message = der_at(buf_span(&one), "0.0");
    assert_true(message.n > 0);
    assert_ok(buf_append(&both, message, &e), &e);
    assert_ok(buf_append(&both, message, &e), &e);
    assert_ok(der_append(&list, DER_SEQUENCE, buf_span(&both), &e), &e);
    assert_ok(der_append(&out, DER_CONTEXT, buf_span(&list), &e), &e);
    return out;
}

/* A PKCS #10 request with this extension. */
static struct buf
pkcs10(const struct scene *s, const char *oid, struct span value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    CLEANUP(asn1_octet_string_cleanup) ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    CLEANUP(x509_extension_cleanup) X509_EXTENSION *extension = NULL;
    struct buf out = BUF_INIT(SMALL);
    struct err e = {0};

    assert_int_equal(ASN1_OCTET_STRING_set(octets, value.p, (int)value.n), 1);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
    ASN1_OBJECT_free(object);
    assert_ok(cmp_client_body_p10cr(s->key, X509_get_subject_name(s->held), extension, &out, &e),
              &e);
    return out;
}

#define NF_TYPES "1.3.6.1.5.5.7.1.34"

static void
what_is_not_asked_for_rightly_is_refused(void **state)
{
    const struct scene *s = *state;
    CLEANUP(buf_free) struct buf twice = two_requests(s);
    CLEANUP(buf_free)
    struct buf as_smf = pkcs10(s, NF_TYPES, SPAN_LITERAL("\x30\x05\x16\x03SMF"));
    CLEANUP(buf_free)
    struct buf as_amf = pkcs10(s, NF_TYPES,
                               SPAN_LITERAL("\x30\x05\x16\x03"
                                            "AMF"));
    CLEANUP(buf_free)
    struct buf other_name = pkcs10(s, "2.5.29.17",
                                   SPAN_LITERAL("\x30\x06\x82\x04"
                                                "evil"));
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *small = pki_key("RSA-1024");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = pki_key("P-521");
    const struct grant_row rows[] = {
        {.name = "as it should be", .failure = CMP_NO_FAILURE},
        {.name = "two certificates in one message",
         .request = {.content = buf_span(&twice)},
         .failure = CMP_BAD_REQUEST,
         .why = "2 requests; exactly one is accepted",
         .phrase = PHRASE_ONE_REQUEST},
        {.name = "malformed", /* a NULL for the list */
         .request = {.content = SPAN_LITERAL("\xa0\x02\x05\x00")},
         .failure = CMP_BAD_DATA_FORMAT,
         .why = "CertReqMessages"},
        {.name = "no names at all: template without subject",
         .request = {.edit = "1.0.0.0.1.0"},
         .failure = CMP_BAD_CERT_TEMPLATE,
         .phrase = PHRASE_NO_NAME},
        {.name = "possession not proven: another signature",
         .request = {.edit = "1.0.0.1.1",
                     .with = SPAN_LITERAL("\x03\x09\x00\x30\x06\x02\x01\x01\x02\x01\x01")},
         .failure = CMP_BAD_POP,
         .why = "does not verify",
         .phrase = PHRASE_POP},
        {.name = "possession not said",
         .request = {.edit = "1.0.0.1"},
         .failure = CMP_BAD_POP,
         .phrase = PHRASE_NO_POP},
        {.name = "a small RSA key",
         .request = {.asked = small},
         .failure = CMP_BAD_CERT_TEMPLATE,
         .why = "RSA key of 1024 bits",
         .phrase = PHRASE_KEY_KIND},
        {.name = "a key of a kind that no profile takes",
         .request = {.asked = other},
         .failure = CMP_BAD_CERT_TEMPLATE,
         .phrase = PHRASE_KEY_KIND},
        {.name = "an NF type that is not registered",
         .request = {.content = buf_span(&as_smf)},
         .failure = CMP_NOT_AUTHORIZED,
         .why = "an NF type is asked for that is not registered",
         .phrase = PHRASE_NF_TYPE},
        {.name = "a name that is not registered",
         .request = {.content = buf_span(&other_name)},
         .failure = CMP_NOT_AUTHORIZED,
         .why = "a subjectAltName asked for is not registered",
         .phrase = PHRASE_ALT_NAME},
        {.name = "one that is",
         .request = {.content = buf_span(&as_amf)},
         .failure = CMP_NO_FAILURE},
        {.name = "no registration in the row",
         .json = "{",
         .failure = CMP_NOT_AUTHORIZED,
         .why = "registration: JSON"},
        {.name = "not the registered requester",
         .request = {.lies = true},
         .failure = CMP_WRONG_INTEGRITY,
         .phrase = PHRASE_PROOF},
    };

    grant_judge_all(s, &s->policy, rows, ARRAY_LEN(rows));
}

/* The operator's list has the key that is asked for, or the one that signs. */
static void
a_key_that_others_have_is_refused(void **state)
{
    const struct scene *s = *state;
    EVP_PKEY *const listed[] = {s->key, s->device_key};
    CLEANUP(mem_cleanup) char *pinned = scene_pins_certificate(s->device);
    CLEANUP(mem_cleanup) char *json = scene_registration(pinned, SCENE_PROFILES, "");
    const struct grant_row rows[] = {
        {.name = "asked for",
         .json = json,
         .request = {.certificate = s->device, .signs = s->device_key},
         .failure = CMP_BAD_CERT_TEMPLATE,
         .phrase = PHRASE_KEY_LISTED},
        {.name = "signs",
         .json = json,
         .request = {.certificate = s->device, .signs = s->device_key},
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .phrase = PHRASE_SIGNER_LISTED},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *path = mem_printf("%s/blocked", s->dir);
        CLEANUP(buf_free) struct buf spki = pki_spki(listed[i]);
        CLEANUP(blocked_keys_cleanup) struct blocked_keys *blocked = NULL;
        struct policy policy = s->policy;
        uint8_t hash[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        struct err e = {0};

        assert_ok(sha256(buf_span(&spki), hash, &e), &e);
        hex_format(span_of(hash, sizeof(hash)), hex);
        assert_ok(file_write(path, span_str(hex), 0600, &e), &e);
        blocked = blocked_keys_load(path, &e);
        assert_non_null(blocked);
        policy.blocked = blocked;
        grant_judge(s, &policy, &rows[i]);
    }
}

/* ---- profiles ---- */

static struct profiles *
load_profiles(const struct scene *s)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/profiles.conf", s->dir);
    struct profiles *set;
    struct err e = {0};

    assert_ok(file_write(path, span_str(profiles_text), 0600, &e), &e);
    set = profiles_load(path, &e);
    if (set == NULL) {
        fail_msg("%s", e.text);
    }
    return set;
}

static void
a_profile_is_the_registered_one_and_has_its_demands(void **state)
{
    const struct scene *s = *state;
    CLEANUP(profiles_cleanup) struct profiles *set = load_profiles(s);
    struct policy policy = s->policy;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *p384 = pki_key("P-384");
    CLEANUP(buf_free) struct buf unknown = pkcs10(s, "1.2.3.4", SPAN_LITERAL("\x05\x00"));
    CLEANUP(mem_cleanup) char *pinned = scene_pins_certificate(s->device);
    CLEANUP(mem_cleanup) char *by_mac = NULL;
    CLEANUP(mem_cleanup) char *by_device = NULL;

    policy.rules.profiles = set;
    policy.stored_rules.profiles = set;
    policy.rules.lab_profiles = true;
    policy.stored_rules.lab_profiles = true;
    by_mac = scene_registration(SCENE_MAC, TWO, "");
    by_device = scene_registration(pinned, TWO, "");
    {
        const struct grant_row rows[] = {
            {.name = "registered", .json = by_mac, .failure = CMP_NO_FAILURE},
            {.name = "in the file, and not registered",
             .json = by_mac,
             .request = {.profile = "nf-tls-client"},
             .failure = CMP_NOT_AUTHORIZED,
             .why = "registration: not for profile nf-tls-client",
             .phrase = PHRASE_PROFILE},
            {.name = "not in the file",
             .json = by_mac,
             .request = {.profile = "nf-tls-server"},
             .failure = CMP_SYSTEM_FAILURE,
             .why = "profile nf-tls-server is not in the CA's file of profiles"},
            {.name = "of our own processes",
             .json = by_mac,
             .request = {.profile = "ra-cmp"},
             .failure = CMP_SYSTEM_FAILURE,
             .why = "profile ra-cmp is not in the CA's file of profiles"},
            {.name = "another than the network function wishes",
             .json = by_mac,
             .request = {.wish = "nf-tls-client"},
             .failure = CMP_NOT_AUTHORIZED,
             .why = "certProfile is nf-tls-client, and what is granted nf-tls",
             .phrase = PHRASE_PROFILE_HELD,
             .value = "nf-tls"},
            {.name = "a longer name than it wishes",
             .json = by_mac,
             .request = {.wish = "nf-tl"},
             .failure = CMP_NOT_AUTHORIZED,
             .phrase = PHRASE_PROFILE_HELD},
            {.name = "as it wishes",
             .json = by_mac,
             .request = {.wish = "nf-tls"},
             .failure = CMP_NO_FAILURE},
            {.name = "a wish that no profile can be",
             .json = by_mac,
             .request = {.wish = "../x"},
             .failure = CMP_NOT_AUTHORIZED},
            {.name = "for signed requests only",
             .json = by_mac,
             .request = {.profile = "signed"},
             .failure = CMP_NOT_AUTHORIZED,
             .why = "profile signed: only for requests that are signed",
             .phrase = PHRASE_SIGNED_ONLY},
            {.name = "and it is signed",
             .json = by_device,
             .request = {.profile = "signed", .certificate = s->device, .signs = s->device_key},
             .failure = CMP_NO_FAILURE},
            {.name = "with a key that the profile does not take",
             .json = by_device,
             .request = {.profile = "signed",
                         .certificate = s->device,
                         .signs = s->device_key,
                         .asked = p384},
             .failure = CMP_BAD_CERT_TEMPLATE,
             .why = "profile signed takes P-256",
             .phrase = PHRASE_KEY_PROFILE},
            {.name = "with an extension that the profile does not take",
             .json = by_device,
             .request = {.profile = "signed",
                         .certificate = s->device,
                         .signs = s->device_key,
                         .content = buf_span(&unknown)},
             .failure = CMP_BAD_CERT_TEMPLATE,
             .why = "profile signed: an extension 1.2.3.4",
             .phrase = PHRASE_EXTENSION},
            {.name = "and which another passes over",
             .json = by_mac,
             .request = {.content = buf_span(&unknown)},
             .failure = CMP_NO_FAILURE},
        };

        grant_judge_all(s, &policy, rows, ARRAY_LEN(rows));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_asked_for_rightly_is_refused),
        cmocka_unit_test(a_key_that_others_have_is_refused),
        cmocka_unit_test(a_profile_is_the_registered_one_and_has_its_demands),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
