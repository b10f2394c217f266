/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile demands of a request. */
#include "ra/judge/message/profile.h"

#include <string.h>

#include "base/ossl.h"
#include "tests/unit/ra/fixture.h"

/* NFTypes of RFC 9310: SEQUENCE OF IA5String. */
#define TYPES_AMF                                                                                  \
    "\x30\x05\x16\x03"                                                                             \
    "AMF"
#define TYPES_SMF                                                                                  \
    "\x30\x05\x16\x03"                                                                             \
    "SMF"

enum key { P256, P384, RSA2048, KEYS };

static struct {
    EVP_PKEY *key[KEYS];
    EVP_PKEY *device_key;
    X509 *device;
} w;

static int
set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];

    *state = f;
    w.key[P256] = pki_key("P-256");
    w.key[P384] = pki_key("P-384");
    w.key[RSA2048] = pki_key("RSA-2048");
    w.device_key = pki_key("P-256");
    w.device = fixture_device(f, "device", w.device_key);
    fixture_register(f, &(struct fixture_registration){.reference = "amf-1"}, id);
    return 0;
}

static int
tear_down(void **state)
{
    for (size_t i = 0; i < KEYS; i++) {
        EVP_PKEY_free(w.key[i]);
    }
    EVP_PKEY_free(w.device_key);
    X509_free(w.device);
    return fixture_teardown(state);
}

static X509_EXTENSION *
extension_of(const char *oid, struct span value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    assert_int_equal(ASN1_OCTET_STRING_set(octets, value.p, (int)value.n), 1);
    extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
    assert_non_null(extension);
    ASN1_OBJECT_free(object);
    ASN1_OCTET_STRING_free(octets);
    return extension;
}

struct row {
    const char *name;
    struct profile profile;
    enum key key;
    bool is_signed;
    const char *oid; /* of an extension that is asked for; NULL: none */
    struct span value;
    enum cmp_failure failure;
    const char *why;
    enum phrase phrase;
};

static int
check(struct fixture *f, const struct row *r)
{
    const struct cmp_client mac = fixture_mac(f, "amf-1");
    const struct cmp_client signer = fixture_signer(f, w.device, w.device_key);
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    struct nf_identity nf = pki_nf();
    EVP_PKEY *before = f->key;
    CLEANUP(buf_free) struct buf body = {0};
    CLEANUP(buf_free) struct buf message = {0};
    struct job *job;
    int wrong;

    if (r->oid != NULL) {
        assert_true(sk_X509_EXTENSION_push(extensions, extension_of(r->oid, r->value)) > 0);
    }
    f->key = w.key[r->key];
    body = fixture_body(
        f, CMP_IR,
        &(struct cmp_client_wish){.subject = f->subject, .extensions = r->oid ? extensions : NULL});
    f->key = before;
    message = fixture_message(f, r->is_signed ? &signer : &mac, buf_span(&body), NULL, NULL);
    job = fixture_job(f, buf_span(&message));
    fixture_look_up(job);
    job->facts.enrolment.certreq = cmp_certreq_read(job->msg, &job->failure, &job->e);
    assert_non_null(job->facts.enrolment.certreq);
    job->failure = CMP_SYSTEM_FAILURE;
    wrong = judge_profile(job, &r->profile, &nf) != (r->failure == CMP_NO_FAILURE ? 0 : -1) ||
            job->failure != r->failure ||
            (r->failure != CMP_NO_FAILURE &&
             (strstr(job->e.text, r->why) == NULL || (enum phrase)job->e.said != r->phrase));
    if (wrong) {
        print_error("%s: failInfo %d, \"%s\"\n", r->name, (int)job->failure, job->e.text);
    }
    job_free(job);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return wrong;
}

static void
a_profile_says_what_may_ask_for_it(void **state)
{
#define ANY .name = "test", .ec_keys = 1U << PUBKEY_P256 | 1U << PUBKEY_P384, .rsa_bits = 2048
    const struct row rows[] = {
        {"with a secret", {ANY}, P256, false, NULL, {0}, CMP_NO_FAILURE, "", PHRASE_NONE},
        {"signed", {ANY}, P256, true, NULL, {0}, CMP_NO_FAILURE, "", PHRASE_NONE},
        {"signed, as it must be",
         {ANY, .signature_only = true},
         P256,
         true,
         NULL,
         {0},
         CMP_NO_FAILURE,
         "",
         PHRASE_NONE},
        {"with a secret, where it must be signed",
         {ANY, .signature_only = true},
         P256,
         false,
         NULL,
         {0},
         CMP_NOT_AUTHORIZED,
         "profile test: only for requests that are signed",
         PHRASE_SIGNED_ONLY},
        {"P-384", {ANY}, P384, false, NULL, {0}, CMP_NO_FAILURE, "", PHRASE_NONE},
        {"P-384 where only P-256 is taken",
         {.name = "test", .ec_keys = 1U << PUBKEY_P256},
         P384,
         false,
         NULL,
         {0},
         CMP_BAD_CERT_TEMPLATE,
         "profile test takes P-256",
         PHRASE_KEY_PROFILE},
        {"RSA of as many bits", {ANY}, RSA2048, false, NULL, {0}, CMP_NO_FAILURE, "", PHRASE_NONE},
        {"RSA of too few bits",
         {.name = "test", .rsa_bits = 2049},
         RSA2048,
         false,
         NULL,
         {0},
         CMP_BAD_CERT_TEMPLATE,
         "RSA of 2049 bits or more",
         PHRASE_KEY_PROFILE},
        {"RSA where there is none",
         {.name = "test", .ec_keys = 1U << PUBKEY_P256},
         RSA2048,
         false,
         NULL,
         {0},
         CMP_BAD_CERT_TEMPLATE,
         "profile test takes P-256",
         PHRASE_KEY_PROFILE},
        {"the registered NF type",
         {ANY},
         P256,
         false,
         "1.3.6.1.5.5.7.1.34",
         SPAN_LITERAL(TYPES_AMF),
         CMP_NO_FAILURE,
         "",
         PHRASE_NONE},
        {"another NF type",
         {ANY},
         P256,
         false,
         "1.3.6.1.5.5.7.1.34",
         SPAN_LITERAL(TYPES_SMF),
         CMP_NOT_AUTHORIZED,
         "an NF type is asked for that is not registered",
         PHRASE_NF_TYPE},
        {"an extension that is passed over",
         {ANY},
         P256,
         false,
         "1.2.3.4",
         SPAN_LITERAL("\x05\x00"),
         CMP_NO_FAILURE,
         "",
         PHRASE_NONE},
        {"an extension that is refused",
         {ANY, .reject_unknown = true},
         P256,
         false,
         "1.2.3.4",
         SPAN_LITERAL("\x05\x00"),
         CMP_BAD_CERT_TEMPLATE,
         "an extension 1.2.3.4",
         PHRASE_EXTENSION},
    };
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        wrong += check(*state, &rows[i]);
    }
    assert_int_equal(wrong, 0);
}

static void
a_profile_says_whether_a_confirmation_may_be_left_out(void **state)
{
    struct fixture *f = *state;
    struct job job = {.ra = &f->ra, .profile = "nf-tls"};

    assert_true(judge_profile_is_implicit(&job)); /* of the built-in ones */
    memcpy(job.profile, "ra-cmp", sizeof("ra-cmp"));
    assert_false(judge_profile_is_implicit(&job));
    job.profile[0] = '\0';
    assert_false(judge_profile_is_implicit(&job));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_says_what_may_ask_for_it),
        cmocka_unit_test(a_profile_says_whether_a_confirmation_may_be_left_out),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
