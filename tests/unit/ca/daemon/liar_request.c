/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for a first certificate, and for another one, that the RA should not have passed on. */
#include <string.h>

#include "ca/cmp/message/der.h"
#include "ca/cmp/message/phrase.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ca/daemon/lie.h"

enum { SMALL = 4096, HOUR = 3600 };

#define SAYS(phrase) .words = phrase_text(phrase)
#define TWO "[{\"name\":\"nf-tls\",\"maxValidityDays\":30},{\"name\":\"nf-tls-server\"}]"

/* One that signs with what its registration pins. */
static struct nf
device_nf(struct world *w, EVP_PKEY *key, X509 *device)
{
    CLEANUP(mem_cleanup) char *proof = scene_pins_certificate(device);
    struct nf n = lie_nf(w, &(struct lie_terms){.proof = proof});

    EVP_PKEY_free(n.key);
    assert_int_equal(EVP_PKEY_up_ref(key), 1);
    n.key = key;
    return n;
}

/* The body of a request with its CertReqMsg twice. */
static struct buf
twice(const struct nf *n, const X509 *subject)
{
    CLEANUP(buf_free) struct buf one = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf both = BUF_INIT(SMALL);
    struct buf out = BUF_INIT(SMALL);
    struct span message;
    struct err e = {0};

    assert_ok(cmp_client_body_request(CMP_IR, n->key, X509_get_subject_name(subject), &one, &e),
              &e);
    message = der_at(buf_span(&one), "0.0");
    assert_ok(buf_append(&both, message, &e), &e);
    assert_ok(buf_append(&both, message, &e), &e);
    assert_ok(der_edit(buf_span(&one), "0.0", buf_span(&both), &out, &e), &e);
    return out;
}

void
a_request_that_an_honest_ra_refuses_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *device_key = pki_key("P-256");
    CLEANUP(x509_cleanup)
    X509 *device = world_vendor(w->vendor, w->vendor_key, device_key, "device 1");
    CLEANUP(x509_cleanup)
    X509 *same_name = world_vendor(w->vendor, w->vendor_key, device_key, "device 1");
    CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){.profiles = TWO});
    CLEANUP(nf_free) struct nf pinned = device_nf(w, device_key, device);
    CLEANUP(nf_free) struct nf later = lie_nf(w, &(struct lie_terms){.opens_in = HOUR});
    CLEANUP(nf_free) struct nf gone = lie_nf(w, &(struct lie_terms){0});
    CLEANUP(nf_free) struct nf used = lie_nf(w, &(struct lie_terms){0});
    CLEANUP(nf_free) struct nf busy = lie_nf(w, &(struct lie_terms){.certificates = 2});
    CLEANUP(buf_free) struct buf two = twice(&n, w->ra);
    struct cmp_client_state in_use;

    world_cancel(w, gone.id);
    X509_free(lie_is_granted(w, &(struct lie){.name = "the only one", .of = &used}));
    /* one whose transactionID is known here */
    nf_request(w, &busy);
    X509_free(nf_enrol(w, &busy));
    in_use = busy.state;
    {
        const struct lie lies[] = {
            /* who asks */
            {.name = "not protected",
             .of = &n,
             .request = {.unprotected = true},
             .failure = CMP_BAD_MESSAGE_CHECK,
             SAYS(PHRASE_UNPROTECTED),
             .reason = "not protected, or in a way that we do not know"},
            {.name = "a MAC attested as a signature",
             .of = &n,
             .request = {.lies = true},
             .failure = CMP_WRONG_INTEGRITY,
             SAYS(PHRASE_PROOF),
             .reason = "protected by a MAC, but not registered or attested so"},
            {.name = "signed, and registered for MAC",
             .of = &n,
             .request = {.certificate = device, .signs = device_key},
             .failure = CMP_WRONG_INTEGRITY,
             SAYS(PHRASE_PROOF),
             .reason = "registered for MAC, but protected by a signature"},
            {.name = "signed, and attested as a MAC",
             .of = &pinned,
             .request = {.certificate = device, .signs = device_key, .lies = true},
             .failure = CMP_WRONG_INTEGRITY,
             SAYS(PHRASE_PROOF),
             .reason = "protected by a signature, but not attested so"},
            {.name = "by MAC, and registered by certificate",
             .of = &pinned,
             .request = {.asked = n.key},
             .failure = CMP_WRONG_INTEGRITY,
             SAYS(PHRASE_PROOF),
             .reason = "protected by a MAC, but not registered or attested so"},
            {.name = "signed with another certificate of the same key",
             .of = &pinned,
             .request = {.certificate = same_name, .signs = device_key},
             .failure = CMP_SIGNER_NOT_TRUSTED,
             SAYS(phrase_of_failure(CMP_SIGNER_NOT_TRUSTED)),
             .reason = "registration: pins another certificate"},
            {.name = "signed with another key",
             .of = &pinned,
             .request = {.certificate = device, .signs = n.key},
             .failure = CMP_BAD_MESSAGE_CHECK,
             SAYS(phrase_of_failure(CMP_BAD_MESSAGE_CHECK)),
             .reason = "does not verify"},
            {.name = "an update by MAC",
             .of = &n,
             .request = {.body = CMP_KUR},
             .failure = CMP_WRONG_INTEGRITY,
             SAYS(PHRASE_UPDATE_MAC),
             .reason = "kur is signed with the certificate that it updates"},
            {.name = "one more, signed with what is not ours",
             .of = &pinned,
             .request = {.body = CMP_CR, .certificate = device, .signs = device_key},
             .failure = CMP_NOT_AUTHORIZED,
             .words = "cr is signed with a certificate of ours",
             .reason = "cr is signed with a certificate that is not ours"},
            /* under what */
            {.name = "under a registration that nobody made",
             .of = &n,
             .request = {.registration = SCENE_REGISTRATION},
             .failure = CMP_NOT_AUTHORIZED,
             SAYS(PHRASE_NOT_REGISTERED),
             .reason = "no such registration"},
            {.name = "under one that was cancelled",
             .of = &gone,
             .failure = CMP_NOT_AUTHORIZED,
             SAYS(PHRASE_NOT_REGISTERED),
             .reason = "not registered, cancelled, or out of the registration's window"},
            {.name = "before it opens",
             .of = &later,
             .failure = CMP_NOT_AUTHORIZED,
             .words = "the registration begins at ",
             .reason = "the registration begins at "},
            {.name = "once more than is registered",
             .of = &used,
             .request = {.asked = n.key},
             .failure = CMP_NOT_AUTHORIZED,
             SAYS(PHRASE_USED_UP),
             .reason = "all certificates of the registration were issued"},
            {.name = "for somebody else's key",
             .of = &n,
             .request = {.asked = used.key},
             .failure = CMP_BAD_CERT_TEMPLATE,
             SAYS(PHRASE_KEY_TAKEN),
             .reason = "the public key is certified to another owner"},
            {.name = "in a transaction that is known",
             .of = &busy,
             .request = {.asked = n.key, .goes_on = &in_use},
             .failure = CMP_TRANSACTION_ID_IN_USE,
             SAYS(phrase_of_failure(CMP_TRANSACTION_ID_IN_USE)),
             .reason = "the transactionID is in use"},
            {.name = "under a profile that is not registered",
             .of = &n,
             .request = {.profile = "nf-tls-client"},
             .failure = CMP_NOT_AUTHORIZED,
             SAYS(PHRASE_PROFILE),
             .reason = "registration: not for profile nf-tls-client"},
            {.name = "under a profile that nobody knows",
             .of = &n,
             .request = {.profile = "no-such"},
             .failure = CMP_SYSTEM_FAILURE,
             .words = "profile no-such is not in the CA's file of profiles"},
            {.name = "under another profile than is wished for",
             .of = &n,
             .request = {.wish = "nf-tls-server"},
             .failure = CMP_NOT_AUTHORIZED,
             .words = "the signing certificate is of profile nf-tls",
             .reason = "certProfile is nf-tls-server, and what is granted nf-tls"},
            /* for what */
            {.name = "no request",
             .of = &n,
             .request = {.content = SPAN_LITERAL("\xa0\x02\x05\x00")},
             .failure = CMP_BAD_DATA_FORMAT,
             SAYS(phrase_of_failure(CMP_BAD_DATA_FORMAT)),
             .reason = "CertReqMessages"},
            {.name = "two in one message",
             .of = &n,
             .request = {.content = buf_span(&two)},
             .failure = CMP_BAD_REQUEST,
             SAYS(PHRASE_ONE_REQUEST),
             .reason = "2 requests; exactly one is accepted"},
            {.name = "without a proof of possession",
             .of = &n,
             .request = {.edit = "1.0.0.1"},
             .failure = CMP_BAD_POP,
             SAYS(PHRASE_NO_POP),
             .reason = "no proof of possession"},
            {.name = "checked by the RA, says the request",
             .of = &n,
             .request = {.edit = "1.0.0.1", .with = SPAN_LITERAL("\x80\x00")},
             .failure = CMP_NOT_AUTHORIZED,
             SAYS(PHRASE_RA_VERIFIED),
             .reason = "raVerified is not accepted"},
            {.name = "with a proof that is none",
             .of = &n,
             .request = {.edit = "1.0.0.1.1",
                         .with = SPAN_LITERAL("\x03\x09\x00\x30\x06\x02\x01\x01\x02\x01\x01")},
             .failure = CMP_BAD_POP,
             SAYS(PHRASE_POP),
             .reason = "does not verify"},
        };

        lies_are_found_out(w, lies, ARRAY_LEN(lies));
    }
    /* and nothing of that used it */
    X509_free(lie_is_granted(w, &(struct lie){.name = "as registered", .of = &n}));
}

/* ---- holders ---- */

static struct nf
confirmed(struct world *w, X509 **certificate)
{
    struct nf n = holder_enrolled(w, 1, certificate);
    CLEANUP(buf_free) struct buf message = holder_certconf(&n, *certificate, true);
    CLEANUP(buf_free)
    struct buf nested =
        world_wrap(w, buf_span(&message), n.id, CMP_ASSURANCE_MAC, w->ra_key, w->ra);
    CLEANUP(answer_free) struct answer answer = {0};

    world_submit(w, buf_span(&message), buf_span(&nested), &answer);
    assert_int_equal(answer.m.type, LINK_CONFIRMED);
    return n;
}

/* Its certificate, renewed: what it had before is superseded. */
static X509 *
updated(struct world *w, const struct nf *of, X509 *holder)
{
    CLEANUP(nf_free) struct nf n = holder_asking(w, of, CMP_KUR, holder, of->key, NULL);
    CLEANUP(answer_free) struct answer answer = {0};
    X509 *certificate = nf_enrol(w, &n);

    holder_confirm(w, &n, certificate, true, &answer);
    assert_int_equal(answer.m.type, LINK_CONFIRMED);
    return certificate;
}

static struct buf
kur_naming(X509 *subject, X509 *old)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    const struct cmp_client_wish wish = {.subject = X509_get_subject_name(subject),
                                         .old_issuer = X509_get_issuer_name(old),
                                         .old_serial = X509_get0_serialNumber(old)};
    struct buf body = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(cmp_client_body_wish(CMP_KUR, key, &wish, &body, &e), &e);
    return body;
}

void
a_holder_that_an_honest_ra_refuses_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *held = NULL;
    CLEANUP(x509_cleanup) X509 *of_revoked = NULL;
    CLEANUP(x509_cleanup) X509 *of_former = NULL;
    CLEANUP(nf_free) struct nf n = confirmed(w, &held);
    CLEANUP(nf_free) struct nf revoked = confirmed(w, &of_revoked);
    CLEANUP(nf_free) struct nf former = confirmed(w, &of_former);
    CLEANUP(x509_cleanup) X509 *of_later = updated(w, &former, of_former);
    CLEANUP(nf_free) struct nf other = lie_nf(w, &(struct lie_terms){0});
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *pretends = pki_issue_officer(w->pki, "ra-cmp", key);
    CLEANUP(buf_free) struct buf other_old = kur_naming(held, of_later);
    CLEANUP(buf_free) struct buf other_name = kur_naming(w->registrar, held);
    const struct lie lies[] = {
        {.name = "revoked",
         .of = &revoked,
         .request =
             {.body = CMP_KUR, .certificate = of_revoked, .signs = revoked.key, .asked = key},
         .failure = CMP_CERT_REVOKED,
         SAYS(phrase_of_failure(CMP_CERT_REVOKED)),
         .reason = "the certificate that signs is revoked"},
        {.name = "superseded",
         .of = &former,
         .request = {.body = CMP_KUR, .certificate = of_former, .signs = former.key, .asked = key},
         .failure = CMP_CERT_REVOKED,
         SAYS(phrase_of_failure(CMP_CERT_REVOKED)),
         .reason = "the certificate that signs is revoked"},
        {.name = "under somebody else's registration",
         .of = &other,
         .request = {.body = CMP_KUR, .certificate = held, .signs = n.key},
         .failure = CMP_NOT_AUTHORIZED,
         SAYS(PHRASE_NOT_REGISTERED),
         .reason = "the live registration of the signer is "},
        {.name = "with a certificate of our own processes",
         .of = &other,
         .request = {.body = CMP_KUR, .certificate = w->ra, .signs = w->ra_key},
         .failure = CMP_NOT_AUTHORIZED,
         SAYS(PHRASE_NOT_REGISTERED),
         .reason = "signed with a certificate of our own processes or officers"},
        {.name = "with a certificate that says that it is ours",
         .of = &other,
         .request = {.body = CMP_KUR, .certificate = pretends, .signs = key},
         .failure = CMP_NOT_AUTHORIZED,
         .words = "kur is signed with a certificate of ours",
         .reason = "kur is signed with a certificate that is not ours"},
        {.name = "attested as a MAC",
         .of = &n,
         .request =
             {.body = CMP_KUR, .certificate = held, .signs = n.key, .asked = key, .lies = true},
         .failure = CMP_WRONG_INTEGRITY,
         SAYS(PHRASE_PROOF),
         .reason = "protected by a signature, but not attested so"},
        {.name = "with another key than the certificate's",
         .of = &n,
         .request = {.body = CMP_KUR, .certificate = held, .signs = key, .asked = key},
         .failure = CMP_BAD_MESSAGE_CHECK,
         SAYS(phrase_of_failure(CMP_BAD_MESSAGE_CHECK)),
         .reason = "does not verify"},
        {.name = "for the key that it has",
         .of = &n,
         .request = {.body = CMP_KUR, .certificate = held, .signs = n.key, .subject_of = held},
         .failure = CMP_BAD_CERT_TEMPLATE,
         SAYS(PHRASE_KEY_SAME),
         .reason = "a new one is needed"},
        {.name = "for the key of another network function",
         .of = &n,
         .request = {.body = CMP_KUR,
                     .certificate = held,
                     .signs = n.key,
                     .asked = former.key,
                     .subject_of = held},
         .failure = CMP_BAD_CERT_TEMPLATE,
         SAYS(PHRASE_KEY_TAKEN),
         .reason = "the public key is certified to another owner"},
        {.name = "of another certificate",
         .of = &n,
         .request = {.content = buf_span(&other_old), .certificate = held, .signs = n.key},
         .failure = CMP_BAD_CERT_ID,
         SAYS(PHRASE_OLD_CERT),
         .reason = "oldCertId is not the certificate that protects the request"},
        {.name = "with another subject",
         .of = &n,
         .request = {.content = buf_span(&other_name), .certificate = held, .signs = n.key},
         .failure = CMP_NOT_AUTHORIZED,
         .words = "kur asks for another subject",
         .reason = "the update asks for another subject"},
        {.name = "one more, where only updates are made",
         .of = &n,
         .request = {.body = CMP_CR, .certificate = held, .signs = n.key, .asked = key},
         .failure = CMP_NOT_AUTHORIZED,
         .words = "cr is not accepted",
         .reason = "reenrolment = \"refuse\""},
    };

    world_revoke(w, of_revoked, "keyCompromise");
    lies_are_found_out(w, lies, ARRAY_LEN(lies));
    /* nothing of that took its place */
    X509_free(updated(w, &n, held));
}
