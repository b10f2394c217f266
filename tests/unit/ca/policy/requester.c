/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: every kind of proof with every kind of protection, and what is wrong with each. */
#include "ca/policy/requester.h"

#include <string.h>

#include "ca/cmp/message/phrase.h"
#include "tests/support/forge.h"
#include "tests/unit/ca/policy/scene.h"

/* What is registered. */
enum registered {
    MAC,
    DEVICE,
    OTHER_DEVICE,
    VENDOR,
    OTHER_VENDOR,
    DEVICE_KEY,
    HELD,
    HELD_KEY,
    KINDS
};

/* Whose certificate protects the request. */
enum signer { NOBODY, BY_DEVICE, BY_STRANGER, BY_HELD };

struct row {
    const char *name;
    enum registered proof;
    enum signer signer;
    struct scene_request request;
    bool of_ours; /* ca.db has the certificate that signs */
    bool renews;  /* when it is granted */
    enum cmp_failure failure;
    const char *why;
    enum phrase phrase; /* PHRASE_NONE: not asked */
    time_t now;         /* 0: PKI_NOW + 1 */
    const char *supersedes;
    const char *of_former; /* the registration of the holder, when it is not the one that governs */
};

struct cast {
    const struct scene *s;
    char *proofs[KINDS];
    X509 *stranger; /* CN=device 1 of a root that nobody trusts, with the same names */
};

static X509 *
make_stranger(const struct scene *s, EVP_PKEY *key)
{
    const struct forge root = {.subject = "O=Vendor/CN=Vendor Root",
                               .key = key,
                               .not_before = PKI_NOW - SCENE_DAY,
                               .not_after = PKI_NOW + 365L * SCENE_DAY,
                               .extensions = {FORGE_CA}};
    CLEANUP(x509_cleanup) X509 *issuer = forge_certificate(&root);
    const struct forge device = {.subject = "O=Vendor/CN=device 1",
                                 .key = s->device_key,
                                 .issuer = issuer,
                                 .issuer_key = key,
                                 .not_before = PKI_NOW,
                                 .not_after = SCENE_END,
                                 .serial = "2001",
                                 .extensions = {FORGE_LEAF}};

    return forge_certificate(&device);
}

static struct issuance_holder
make_holder(const struct row *row)
{
    struct issuance_holder h = {.nf_instance = SCENE_INSTANCE,
                                .profile = "nf-tls",
                                .registration = SCENE_REGISTRATION,
                                .governs = SCENE_REGISTRATION};

    if (row->of_former != NULL) {
        memcpy(h.registration, row->of_former, strlen(row->of_former) + 1);
    }
    return h;
}

static struct scene_request
complete(const struct cast *c, const struct row *row)
{
    struct scene_request r = row->request;
    X509 *const certificates[] = {NULL, c->s->device, c->stranger, c->s->held};
    EVP_PKEY *const keys[] = {NULL, c->s->device_key, c->s->device_key, c->s->held_key};

    r.certificate = certificates[row->signer];
    r.signs = r.signs != NULL ? r.signs : keys[row->signer];
    if (r.asked == NULL && row->proof == DEVICE_KEY) {
        r.asked = c->s->device_key;
    }
    return r;
}

static void
judge(const struct cast *c, const struct row *row)
{
    CLEANUP(mem_cleanup)
    char *more = row->supersedes != NULL ? mem_printf(",\"supersedes\":\"%s\"", row->supersedes)
                                         : mem_strdup("");
    CLEANUP(mem_cleanup)
    char *json = scene_registration(c->proofs[row->proof], SCENE_PROFILES, more);
    const struct scene_request request = complete(c, row);
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *queued = scene_queued(c->s, &request);
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *asked = NULL;
    CLEANUP(x509_cleanup) X509 *requester = NULL;
    const struct issuance_holder holder = make_holder(row);
    const struct renew_rules rules = {.reenrolment = true};
    struct registration registration;
    struct requester_question q = {.queued = queued,
                                   .registration = &registration,
                                   .holder = row->of_ours ? &holder : NULL,
                                   .trust = c->s->policy.trust,
                                   .renew = &rules,
                                   .now = row->now != 0 ? row->now : PKI_NOW + 1};
    struct renewal renewal = {0};
    enum cmp_failure failure = CMP_BAD_ALG;
    struct err e = {0};
    int result;

    assert_ok(registration_parse(span_str(json), NULL, &registration, &e), &e);
    asked = cmp_certreq_read(cmp_queued_inner(queued), &failure, &e);
    assert_non_null(asked);
    q.asked = asked;
    failure = CMP_BAD_ALG;
    result = requester_check(&q, &renewal, &requester, &failure, &e);
    if ((result == 0) != (row->failure == CMP_NO_FAILURE) || failure != row->failure ||
        (row->why != NULL && strstr(e.text, row->why) == NULL) ||
        (row->phrase != PHRASE_NONE && e.said != (int)row->phrase)) {
        fail_msg("%s: %s: %s (%d)", row->name, cmp_failure_name(failure), e.text, e.said);
    }
    /* Only a certificate of ours renews. */
    if (result == 0 && (renewal.profile != NULL) != row->renews) {
        fail_msg("%s: %s", row->name, row->renews ? "renews nothing" : "renews");
    }
    if (result == 0) {
        assert_int_equal(requester != NULL, row->signer != NOBODY);
    }
}

static void
judge_all(const struct scene *s, const struct row *rows, size_t n)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    struct cast c = {.s = s, .stranger = make_stranger(s, key)};

    c.proofs[MAC] = mem_strdup(SCENE_MAC);
    c.proofs[DEVICE] = scene_pins_certificate(s->device);
    c.proofs[OTHER_DEVICE] = scene_pins_certificate(s->vendor);
    c.proofs[VENDOR] = scene_of_vendor(s->device);
    c.proofs[OTHER_VENDOR] = scene_of_vendor(s->vendor);
    c.proofs[DEVICE_KEY] = scene_pins_key(s->device_key);
    c.proofs[HELD] = scene_pins_certificate(s->held);
    c.proofs[HELD_KEY] = scene_pins_key(s->held_key);
    for (size_t i = 0; i < n; i++) {
        judge(&c, &rows[i]);
    }
    for (size_t i = 0; i < KINDS; i++) {
        mem_free(c.proofs[i]);
    }
    X509_free(c.stranger);
}

#define ATTESTED "but not registered or attested so"

static void
a_mac_is_for_who_is_registered_so(void **state)
{
    const struct scene *s = *state;
    const struct row rows[] = {
        {.name = "ir", .proof = MAC, .failure = CMP_NO_FAILURE},
        {.name = "cr", .proof = MAC, .request = {.body = CMP_CR}, .failure = CMP_NO_FAILURE},
        {.name = "kur",
         .proof = MAC,
         .request = {.body = CMP_KUR},
         .failure = CMP_WRONG_INTEGRITY,
         .why = "kur is signed with the certificate that it updates",
         .phrase = PHRASE_UPDATE_MAC},
        {.name = "attested as a signature",
         .proof = MAC,
         .request = {.lies = true},
         .failure = CMP_WRONG_INTEGRITY,
         .why = "protected by a MAC, " ATTESTED,
         .phrase = PHRASE_PROOF},
        {.name = "registered by certificate",
         .proof = DEVICE,
         .failure = CMP_WRONG_INTEGRITY,
         .why = "protected by a MAC, " ATTESTED,
         .phrase = PHRASE_PROOF},
        {.name = "registered by vendor",
         .proof = VENDOR,
         .failure = CMP_WRONG_INTEGRITY,
         .why = "protected by a MAC, " ATTESTED,
         .phrase = PHRASE_PROOF},
        {.name = "registered by key",
         .proof = DEVICE_KEY,
         .failure = CMP_WRONG_INTEGRITY,
         .why = "protected by a MAC, " ATTESTED,
         .phrase = PHRASE_PROOF},
        {.name = "not protected",
         .proof = MAC,
         .request = {.unprotected = true},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "not protected, or in a way that we do not know",
         .phrase = PHRASE_UNPROTECTED},
        {.name = "protected by what nobody knows", /* protectionAlg 1.2.3.4 */
         .proof = MAC,
         .request = {.edit = "0.4.0.0", .with = SPAN_LITERAL("\x06\x03\x2a\x03\x04")},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "not protected, or in a way that we do not know",
         .phrase = PHRASE_UNPROTECTED},
    };

    judge_all(s, rows, ARRAY_LEN(rows));
}

static void
a_signature_is_by_what_is_registered(void **state)
{
    const struct scene *s = *state;
    const struct row rows[] = {
        {.name = "certificate", .proof = DEVICE, .signer = BY_DEVICE, .failure = CMP_NO_FAILURE},
        {.name = "vendor", .proof = VENDOR, .signer = BY_DEVICE, .failure = CMP_NO_FAILURE},
        {.name = "key", .proof = DEVICE_KEY, .signer = BY_DEVICE, .failure = CMP_NO_FAILURE},
        {.name = "attested as a MAC",
         .proof = DEVICE,
         .signer = BY_DEVICE,
         .request = {.lies = true},
         .failure = CMP_WRONG_INTEGRITY,
         .why = "protected by a signature, but not attested so",
         .phrase = PHRASE_PROOF},
        {.name = "registered for MAC",
         .proof = MAC,
         .signer = BY_DEVICE,
         .failure = CMP_WRONG_INTEGRITY,
         .why = "registered for MAC, but protected by a signature",
         .phrase = PHRASE_PROOF},
        {.name = "another certificate than the pinned one",
         .proof = OTHER_DEVICE,
         .signer = BY_DEVICE,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "registration: pins another certificate"},
        {.name = "another certificate with the same key and names",
         .proof = DEVICE,
         .signer = BY_STRANGER,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "registration: pins another certificate"},
        {.name = "the pinned one, ended",
         .proof = DEVICE,
         .signer = BY_DEVICE,
         .now = SCENE_END + 1,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "certificate has expired"},
        {.name = "the pinned one, in its last second",
         .proof = DEVICE,
         .signer = BY_DEVICE,
         .now = SCENE_END,
         .failure = CMP_NO_FAILURE},
        {.name = "the vendor's names under another root",
         .proof = VENDOR,
         .signer = BY_STRANGER,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "vendor_roots"},
        {.name = "another device of that vendor",
         .proof = OTHER_VENDOR,
         .signer = BY_DEVICE,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "registration: names another vendor certificate"},
        {.name = "the vendor's, ended",
         .proof = VENDOR,
         .signer = BY_DEVICE,
         .now = SCENE_END + 1,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "expired"},
        {.name = "for another key than the one that signs",
         .proof = DEVICE_KEY,
         .signer = BY_DEVICE,
         .request = {.asked = s->key},
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "the request is not protected by the key that it asks for"},
        {.name = "for another key than the registered one",
         .proof = DEVICE_KEY,
         .signer = BY_HELD,
         .request = {.asked = s->held_key},
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "registration: pins another public key"},
        {.name = "the registered key, ended",
         .proof = DEVICE_KEY,
         .signer = BY_DEVICE,
         .now = SCENE_END + 1,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "certificate has expired"},
        {.name = "signed with another key",
         .proof = DEVICE,
         .signer = BY_DEVICE,
         .request = {.signs = s->key},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "does not verify"},
        {.name = "without its certificate",
         .proof = DEVICE,
         .signer = BY_DEVICE,
         .request = {.edit = "3"},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "no extraCerts: the protection certificate must be there",
         .phrase = PHRASE_NO_SIGNER},
        {.name = "with a certificate that is none",
         .proof = DEVICE,
         .signer = BY_DEVICE,
         .request = {.edit = "3.0.0", .with = SPAN_LITERAL("\x30\x00")},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "protection certificate",
         .phrase = PHRASE_NO_SIGNER},
        {.name = "cr",
         .proof = DEVICE,
         .signer = BY_DEVICE,
         .request = {.body = CMP_CR},
         .failure = CMP_NOT_AUTHORIZED,
         .why = "cr is signed with a certificate that is not ours",
         .phrase = PHRASE_NOT_OURS},
        {.name = "kur",
         .proof = DEVICE,
         .signer = BY_DEVICE,
         .request = {.body = CMP_KUR},
         .failure = CMP_NOT_AUTHORIZED,
         .why = "kur is signed with a certificate that is not ours",
         .phrase = PHRASE_NOT_OURS},
        {.name = "ours by its issuer, and not in ca.db",
         .proof = VENDOR,
         .signer = BY_HELD,
         .request = {.body = CMP_KUR},
         .failure = CMP_NOT_AUTHORIZED,
         .why = "kur is signed with a certificate that is not ours",
         .phrase = PHRASE_NOT_OURS},
    };

    judge_all(s, rows, ARRAY_LEN(rows));
}

#define FORMER "ffeeddccbbaa99887766554433221100"

static void
a_holder_renews_and_a_pinned_one_enrols(void **state)
{
    const struct scene *s = *state;
    const struct row rows[] = {
        {.name = "kur",
         .proof = MAC,
         .signer = BY_HELD,
         .request = {.body = CMP_KUR},
         .of_ours = true,
         .renews = true,
         .failure = CMP_NO_FAILURE},
        {.name = "cr",
         .proof = MAC,
         .signer = BY_HELD,
         .request = {.body = CMP_CR},
         .of_ours = true,
         .renews = true,
         .failure = CMP_NO_FAILURE},
        {.name = "ir of one that is not pinned",
         .proof = MAC,
         .signer = BY_HELD,
         .of_ours = true,
         .renews = true,
         .failure = CMP_NO_FAILURE},
        {.name = "ir of one that is pinned", /* enrols, and renews nothing */
         .proof = HELD,
         .signer = BY_HELD,
         .of_ours = true,
         .failure = CMP_NO_FAILURE},
        {.name = "ir of one whose key is pinned",
         .proof = HELD_KEY,
         .signer = BY_HELD,
         .request = {.asked = s->held_key},
         .of_ours = true,
         .failure = CMP_NO_FAILURE},
        {.name = "ir under a registration that pins another key",
         .proof = DEVICE_KEY,
         .signer = BY_HELD,
         .of_ours = true,
         .renews = true,
         .failure = CMP_NO_FAILURE},
        {.name = "cr of one that is pinned",
         .proof = HELD,
         .signer = BY_HELD,
         .request = {.body = CMP_CR},
         .of_ours = true,
         .renews = true,
         .failure = CMP_NO_FAILURE},
        {.name = "ir under a registration that pins another",
         .proof = DEVICE,
         .signer = BY_HELD,
         .of_ours = true,
         .renews = true,
         .failure = CMP_NO_FAILURE},
        {.name = "of a registration that another took the place of on purpose",
         .proof = MAC,
         .signer = BY_HELD,
         .request = {.body = CMP_KUR},
         .of_ours = true,
         .supersedes = FORMER,
         .of_former = FORMER,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "registration " FORMER " was superseded by " SCENE_REGISTRATION,
         .phrase = PHRASE_SUPERSEDED},
        {.name = "of one that was followed",
         .proof = MAC,
         .signer = BY_HELD,
         .request = {.body = CMP_KUR},
         .of_ours = true,
         .renews = true,
         .of_former = FORMER,
         .failure = CMP_NO_FAILURE},
        {.name = "of the one that superseded",
         .proof = MAC,
         .signer = BY_HELD,
         .request = {.body = CMP_KUR},
         .of_ours = true,
         .renews = true,
         .supersedes = FORMER,
         .failure = CMP_NO_FAILURE},
        {.name = "signed with another key",
         .proof = MAC,
         .signer = BY_HELD,
         .request = {.body = CMP_KUR, .signs = s->key},
         .of_ours = true,
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "does not verify"},
        {.name = "attested as a MAC",
         .proof = MAC,
         .signer = BY_HELD,
         .request = {.body = CMP_KUR, .lies = true},
         .of_ours = true,
         .failure = CMP_WRONG_INTEGRITY,
         .why = "protected by a signature, but not attested so"},
    };

    judge_all(s, rows, ARRAY_LEN(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mac_is_for_who_is_registered_so),
        cmocka_unit_test(a_signature_is_by_what_is_registered),
        cmocka_unit_test(a_holder_renews_and_a_pinned_one_enrols),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
