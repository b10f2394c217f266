/* SPDX-License-Identifier: Apache-2.0 */
/* Confirmations and revocations that the RA should not have passed on. */
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "ca/cmp/message/der.h"
#include "ca/cmp/message/phrase.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ca/daemon/lie.h"

enum { SMALL = 4096, KEY_COMPROMISE = 1, HOLD = 6 };

#define SAYS(phrase) .words = phrase_text(phrase)

/* ---- certConf ---- */

static struct buf
certconf(const X509 *of, bool accept)
{
    struct buf body = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(cmp_client_body_certconf(of, accept, &body, &e), &e);
    return body;
}

/* With the CRL that follows in the record, so that what is counted later is not of it. */
static void
reject(struct world *w, struct nf *n, X509 *certificate)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    const int64_t crls = record_read(w).figures[RECORD_CRLS];

    holder_confirms(w, n, certificate, false);
    while (record_read(w).figures[RECORD_CRLS] == crls) {
        (void)nanosleep(&pause, NULL);
    }
}

void
a_confirmation_that_an_honest_ra_refuses_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *issued = NULL;
    CLEANUP(x509_cleanup) X509 *of_other = NULL;
    CLEANUP(x509_cleanup) X509 *of_done = NULL;
    CLEANUP(x509_cleanup) X509 *of_rejected = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 2, &issued);
    CLEANUP(nf_free) struct nf other = holder_enrolled(w, 1, &of_other);
    CLEANUP(nf_free) struct nf done = holder_enrolled(w, 1, &of_done);
    CLEANUP(nf_free) struct nf rejected = holder_enrolled(w, 1, &of_rejected);
    CLEANUP(buf_free) struct buf accepts = certconf(issued, true);
    CLEANUP(buf_free) struct buf rejects = certconf(issued, false);
    CLEANUP(buf_free) struct buf of_another = certconf(of_other, true);
    CLEANUP(buf_free) struct buf again = certconf(of_done, true);
    CLEANUP(buf_free) struct buf after_all = certconf(of_rejected, true);
    struct cmp_client_state nowhere = {.transaction_id = "0123456789abcde"};
    struct cmp_client_state here;
    struct cmp_client_state elsewhere;
    struct cmp_client_state is_done;
    struct cmp_client_state is_rejected;

    holder_confirms(w, &done, of_done, true);
    reject(w, &rejected, of_rejected);
    here = n.state;
    elsewhere = other.state;
    is_done = done.state;
    is_rejected = rejected.state;
    {
        const struct lie lies[] = {
            {.name = "signed, after a request by MAC",
             .of = &n,
             .request = {.certificate = issued,
                         .signs = n.key,
                         .content = buf_span(&accepts),
                         .goes_on = &here},
             .failure = CMP_WRONG_INTEGRITY,
             SAYS(PHRASE_OTHER_PROTECTION),
             .reason = "certConf: not protected as the request was"},
            {.name = "attested otherwise",
             .of = &n,
             .request = {.content = buf_span(&accepts), .goes_on = &here, .lies = true},
             .failure = CMP_WRONG_INTEGRITY,
             SAYS(PHRASE_OTHER_PROTECTION),
             .reason = "certConf: not protected as the request was"},
            {.name = "under another reference",
             .of = &n,
             .request = {.content = buf_span(&rejects), .goes_on = &here, .reference = "another"},
             .failure = CMP_BAD_MESSAGE_CHECK,
             SAYS(PHRASE_OTHER_CREDENTIALS),
             .reason = "certConf: under other credentials than the request"},
            {.name = "of somebody else's transaction, under its own registration",
             .of = &n,
             .request = {.content = buf_span(&of_another), .goes_on = &elsewhere},
             .failure = CMP_BAD_REQUEST,
             SAYS(PHRASE_NOTHING_TO_CONFIRM),
             .reason = "certConf: nothing waits for a confirmation"},
            {.name = "of a transaction that nobody began",
             .of = &n,
             .request = {.content = buf_span(&accepts), .goes_on = &nowhere},
             .failure = CMP_BAD_REQUEST,
             SAYS(PHRASE_NOTHING_TO_CONFIRM),
             .reason = "certConf: nothing waits for a confirmation"},
            {.name = "about another certificate",
             .of = &n,
             .request = {.content = buf_span(&of_another), .goes_on = &here},
             .failure = CMP_BAD_CERT_ID,
             SAYS(PHRASE_CERT_HASH),
             .reason = "certHash"},
            {.name = "without a status",
             .of = &n,
             .request = {.content = SPAN_LITERAL("\xb8\x02\x30\x00"), .goes_on = &here},
             .failure = CMP_BAD_REQUEST,
             SAYS(PHRASE_CERT_STATUS),
             .reason = "0 CertStatus; exactly one is accepted"},
            {.name = "malformed",
             .of = &n,
             .request = {.content = SPAN_LITERAL("\xb8\x02\x05\x00"), .goes_on = &here},
             .failure = CMP_BAD_DATA_FORMAT,
             SAYS(phrase_of_failure(CMP_BAD_DATA_FORMAT)),
             .reason = "certConf"},
            {.name = "of what is confirmed",
             .of = &done,
             .request = {.content = buf_span(&again), .goes_on = &is_done},
             .failure = CMP_CERT_CONFIRMED,
             SAYS(phrase_of_failure(CMP_CERT_CONFIRMED)),
             .reason = "certConf: the certificate is confirmed or rejected already"},
            {.name = "of what is rejected",
             .of = &rejected,
             .request = {.content = buf_span(&after_all), .goes_on = &is_rejected},
             .failure = CMP_CERT_CONFIRMED,
             SAYS(PHRASE_NOT_KEPT),
             .reason = "certConf: the certificate was rejected, replaced or given up"},
            {.name = "under a registration that nobody made",
             .of = &n,
             .request = {.registration = SCENE_REGISTRATION,
                         .content = buf_span(&accepts),
                         .goes_on = &here},
             .failure = CMP_NOT_AUTHORIZED,
             SAYS(PHRASE_NOT_REGISTERED),
             .reason = "no such registration"},
        };

        lies_are_found_out(w, lies, ARRAY_LEN(lies));
    }
    holder_confirms(w, &n, issued, true); /* and it waits still */
}

/* ---- rr ---- */

static struct buf
rr(const X509_NAME *issuer, const ASN1_INTEGER *serial, int reason)
{
    struct buf body = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(cmp_client_body_rr(issuer, serial, reason, &body, &e), &e);
    return body;
}

static struct buf
rr_of(const X509 *certificate)
{
    return rr(X509_get_issuer_name(certificate), X509_get0_serialNumber(certificate),
              KEY_COMPROMISE);
}

/* For a serial number of n octets, the last of them this one. */
static struct buf
rr_of_octets(const X509 *like, size_t n, uint8_t last)
{
    CLEANUP(asn1_integer_cleanup) ASN1_INTEGER *serial = ASN1_INTEGER_new();
    uint8_t octets[32] = {0x41};
    const struct span own = serial_of(like);

    assert_true(own.n == 16 && n <= sizeof(octets));
    memcpy(octets, own.p, own.n);
    octets[n > 0 ? n - 1 : 0] = last;
    assert_int_equal(ASN1_STRING_set(serial, octets, (int)n), 1);
    return rr(X509_get_issuer_name(like), serial, KEY_COMPROMISE);
}

/* Its template names this key besides: publicKey [6] behind the issuer [3]. */
static struct buf
rr_with_key(const X509 *certificate, EVP_PKEY *key)
{
    CLEANUP(buf_free) struct buf plain = rr_of(certificate);
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    CLEANUP(buf_free) struct buf two = BUF_INIT(SMALL);
    struct buf out = BUF_INIT(SMALL);
    struct span issuer = der_at(buf_span(&plain), "0.0.0.1");
    struct err e = {0};

    assert_ok(buf_set(&two, issuer, &e), &e);
    spki.p[0] = 0xa6;
    assert_ok(buf_append(&two, buf_span(&spki), &e), &e);
    assert_ok(der_edit(buf_span(&plain), "0.0.0.1", buf_span(&two), &out, &e), &e);
    return out;
}

static struct buf
two_in_one(const X509 *certificate)
{
    CLEANUP(buf_free) struct buf plain = rr_of(certificate);
    CLEANUP(buf_free) struct buf both = BUF_INIT(SMALL);
    struct span one = der_at(buf_span(&plain), "0.0");
    struct buf out = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(buf_set(&both, one, &e), &e);
    assert_ok(buf_append(&both, one, &e), &e);
    assert_ok(der_edit(buf_span(&plain), "0.0", buf_span(&both), &out, &e), &e);
    return out;
}

#define BY(WHO, KEY, BODY)                                                                         \
    {                                                                                              \
        .certificate = (WHO), .signs = (KEY), .content = buf_span(&(BODY))                         \
    }
#define BAD_CERT_ID phrase_text(phrase_of_failure(CMP_BAD_CERT_ID))

void
a_revocation_that_an_honest_ra_refuses_is_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *held = NULL;
    CLEANUP(x509_cleanup) X509 *of_other = NULL;
    CLEANUP(x509_cleanup) X509 *of_gone = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &held);
    CLEANUP(nf_free) struct nf other = holder_enrolled(w, 1, &of_other);
    CLEANUP(nf_free) struct nf gone = holder_enrolled(w, 1, &of_gone);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *officer = world_officer(w, "officer", "A. Person", key);
    CLEANUP(x509_cleanup) X509 *pretends = pki_issue_officer(w->pki, "ra-cmp", key);
    CLEANUP(buf_free) struct buf own = rr_of(held);
    CLEANUP(buf_free) struct buf others = rr_of(of_other);
    CLEANUP(buf_free) struct buf gones = rr_of(of_gone);
    CLEANUP(buf_free) struct buf ras = rr_of(w->ra);
    CLEANUP(buf_free) struct buf officers = rr_of(officer);
    CLEANUP(buf_free) struct buf vendors = rr_of(w->vendor);
    CLEANUP(buf_free)
    struct buf unknown = rr_of_octets(held, 16, (uint8_t)(serial_of(held).p[15] ^ 1));
    CLEANUP(buf_free) struct buf empty = rr_of_octets(held, 0, 0);
    CLEANUP(buf_free) struct buf of15 = rr_of_octets(held, 15, serial_of(held).p[14]);
    CLEANUP(buf_free) struct buf of17 = rr_of_octets(held, 17, 0);
    CLEANUP(buf_free) struct buf of21 = rr_of_octets(held, 21, 0);
    CLEANUP(buf_free) struct buf other_key = rr_with_key(held, key);
    CLEANUP(buf_free) struct buf two = two_in_one(held);
    CLEANUP(buf_free)
    struct buf hold = rr(X509_get_issuer_name(held), X509_get0_serialNumber(held), HOLD);
    CLEANUP(buf_free)
    struct buf no_reason = rr(X509_get_issuer_name(held), X509_get0_serialNumber(held), -1);
    struct lie lies[] = {
        /* who asks */
        {.name = "by MAC",
         .request = {.content = buf_span(&own)},
         .failure = CMP_WRONG_INTEGRITY,
         SAYS(PHRASE_REVOKE_MAC),
         .reason = "rr that is not signed, or not attested so"},
        {.name = "by MAC, and attested as signed",
         .request = {.content = buf_span(&own), .lies = true},
         .failure = CMP_WRONG_INTEGRITY,
         SAYS(PHRASE_REVOKE_MAC),
         .reason = "rr that is not signed, or not attested so"},
        {.name = "signed, and attested as a MAC",
         .request = {.certificate = held, .signs = n.key, .content = buf_span(&own), .lies = true},
         .failure = CMP_WRONG_INTEGRITY,
         SAYS(PHRASE_REVOKE_MAC),
         .reason = "rr that is not signed, or not attested so"},
        {.name = "not protected",
         .request = {.content = buf_span(&own), .unprotected = true},
         .failure = CMP_WRONG_INTEGRITY,
         SAYS(PHRASE_REVOKE_MAC),
         .reason = "rr that is not signed, or not attested so"},
        {.name = "without a certificate",
         .request = {.certificate = held, .signs = n.key, .content = buf_span(&own), .edit = "3"},
         .failure = CMP_BAD_MESSAGE_CHECK,
         SAYS(PHRASE_NO_SIGNER),
         .reason = "no extraCerts"},
        {.name = "with another key",
         .request = BY(held, key, own),
         .failure = CMP_BAD_MESSAGE_CHECK,
         SAYS(phrase_of_failure(CMP_BAD_MESSAGE_CHECK)),
         .reason = "does not verify"},
        {.name = "with a certificate that says that it is ours",
         .request = BY(pretends, key, own),
         .failure = CMP_NOT_AUTHORIZED,
         .words = "rr is signed with a certificate of ours",
         .reason = "rr signed with a certificate that is not ours"},
        {.name = "with one that is revoked",
         .request = BY(of_gone, gone.key, gones),
         .failure = CMP_CERT_REVOKED,
         SAYS(phrase_of_failure(CMP_CERT_REVOKED)),
         .reason = "rr signed with a certificate that is revoked"},
        {.name = "an officer, under its profile",
         .request = BY(officer, key, own),
         .failure = CMP_NOT_AUTHORIZED,
         SAYS(phrase_of_failure(CMP_NOT_AUTHORIZED)),
         .reason = "rr signed under profile officer"},
        /* for what */
        {.name = "for somebody else's",
         .request = BY(held, n.key, others),
         .failure = CMP_NOT_AUTHORIZED,
         SAYS(PHRASE_REVOKE_OTHERS),
         .reason = "rr for somebody else's certificate"},
        {.name = "for the RA's own",
         .request = BY(w->ra, w->ra_key, ras),
         .failure = CMP_NOT_AUTHORIZED,
         SAYS(PHRASE_REVOKE_OTHERS),
         .reason = "rr for a certificate of our own processes or officers"},
        {.name = "for an officer's",
         .request = BY(w->registrar, w->registrar_key, officers),
         .failure = CMP_NOT_AUTHORIZED,
         SAYS(PHRASE_REVOKE_OTHERS),
         .reason = "rr for a certificate of our own processes or officers"},
        {.name = "for a serial number that nobody has",
         .request = BY(w->ra, w->ra_key, unknown),
         .failure = CMP_BAD_CERT_ID,
         SAYS(PHRASE_REVOKE_UNKNOWN),
         .reason = "rr for a certificate that was not issued here"},
        {.name = "for one, by who has another",
         .request = BY(held, n.key, unknown),
         .failure = CMP_BAD_CERT_ID,
         SAYS(PHRASE_REVOKE_UNKNOWN),
         .reason = "rr for a certificate that was not issued here"},
        {.name = "for a shorter one",
         .request = BY(held, n.key, of15),
         .failure = CMP_BAD_CERT_ID,
         SAYS(PHRASE_REVOKE_UNKNOWN),
         .reason = "rr for a certificate that was not issued here"},
        {.name = "for one of no octets",
         .request = BY(held, n.key, empty),
         .failure = CMP_BAD_CERT_ID,
         .words = "",
         .reason = "rr"},
        {.name = "for one of 17 octets",
         .request = BY(held, n.key, of17),
         .failure = CMP_BAD_CERT_ID,
         .words = "",
         .reason = "rr"},
        {.name = "for one of 21 octets",
         .request = BY(held, n.key, of21),
         .failure = CMP_BAD_CERT_ID,
         .words = "",
         .reason = "rr"},
        {.name = "for one of another issuer",
         .request = BY(w->ra, w->ra_key, vendors),
         .failure = CMP_BAD_CERT_ID,
         SAYS(phrase_of_failure(CMP_BAD_CERT_ID)),
         .reason = "rr for a certificate of another issuer"},
        {.name = "for another key",
         .request = BY(held, n.key, other_key),
         .failure = CMP_BAD_CERT_ID,
         SAYS(PHRASE_REVOKE_KEY),
         .reason = "rr names another key than the certificate's"},
        {.name = "for what is revoked",
         .request = BY(w->ra, w->ra_key, gones),
         .failure = CMP_CERT_REVOKED,
         SAYS(PHRASE_REVOKE_AGAIN),
         .reason = "rr for what is revoked already"},
        /* how */
        {.name = "for a while",
         .request = BY(held, n.key, hold),
         .failure = CMP_BAD_REQUEST,
         SAYS(phrase_of_failure(CMP_BAD_REQUEST)),
         .reason = "hold and its end are not done here"},
        {.name = "without a reason",
         .request = BY(held, n.key, no_reason),
         .failure = CMP_ADD_INFO_NOT_AVAILABLE,
         SAYS(phrase_of_failure(CMP_ADD_INFO_NOT_AVAILABLE)),
         .reason = "rr without reasonCode"},
        {.name = "two in one",
         .request = BY(held, n.key, two),
         .failure = CMP_BAD_REQUEST,
         SAYS(phrase_of_failure(CMP_BAD_REQUEST)),
         .reason = "2 RevDetails; exactly one is accepted"},
        {.name = "malformed",
         .request = {.certificate = held,
                     .signs = n.key,
                     .content = SPAN_LITERAL("\xab\x02\x05\x00")},
         .failure = CMP_BAD_DATA_FORMAT,
         SAYS(phrase_of_failure(CMP_BAD_DATA_FORMAT)),
         .reason = "rr"},
        {.name = "under a registration that nobody made",
         .request = {.certificate = held,
                     .signs = n.key,
                     .content = buf_span(&own),
                     .registration = SCENE_REGISTRATION},
         .failure = CMP_NOT_AUTHORIZED,
         SAYS(PHRASE_NOT_REGISTERED),
         .reason = "no such registration"},
    };

    world_revoke(w, of_gone, "cessationOfOperation");
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        lies[i].of = &n;
    }
    lies_are_found_out(w, lies, ARRAY_LEN(lies));
    holder_is_live(w, &n, held, n.key);
    holder_is_live(w, &other, of_other, other.key);
}
