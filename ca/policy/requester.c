/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/policy/requester.h"

#include <assert.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/protect.h"
#include "ca/x509/pubkey.h"

static int
check_registered_key(const struct registration *r, X509 *signer, struct span spki, struct err *e)
{
    CLEANUP(buf_free) struct buf signers = BUF_INIT(PUBKEY_SPKI_MAX);

    if (OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(signer), &signers, e) != 0) {
        return -1;
    }
    if (!span_equal(buf_span(&signers), spki)) {
        return err_set(e, ERR_DENIED, "the request is not protected by the key that it asks for");
    }
    return registration_matches_spki(r, spki, e);
}

/* Is the holder of this certificate the registered network function? */
static int
check_signer(const struct requester_question *q, X509 *signer, enum cmp_failure *failure,
             struct err *e)
{
    const struct cmp_msg *m = cmp_queued_inner(q->queued);
    const struct registration *r = q->registration;

    *failure = CMP_SIGNER_NOT_TRUSTED; /* where the registration has another one */
    switch (r->proof.kind) {
    case PROOF_MAC:
        return phrase_refuse(failure, PHRASE_PROOF, e,
                             "registered for MAC, but protected by a signature");
    case PROOF_CERTIFICATE:
        return registration_matches_certificate(r, signer, e) != 0 ||
                       trust_check_pinned(q->trust, m, signer, q->now, failure, e) != 0
                   ? -1
                   : 0;
    case PROOF_VENDOR:
        if (trust_check_initial(q->trust, m, signer, q->now, failure, e) != 0) {
            return -1;
        }
        if (registration_matches_certificate(r, signer, e) != 0) {
            *failure = CMP_SIGNER_NOT_TRUSTED;
            return -1;
        }
        return 0;
    case PROOF_PUBLIC_KEY:
        return check_registered_key(r, signer, cmp_certreq_spki(q->asked), e) != 0 ||
                       trust_check_pinned(q->trust, m, signer, q->now, failure, e) != 0
                   ? -1
                   : 0;
    }
    assert(false); /* registration_parse() makes no other */
    return -1;
}

/* Is what signs the very certificate or key that the registration names as its proof? */
static bool
is_pinned(const struct registration *r, X509 *signer)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    struct err e = {0};

    switch (r->proof.kind) {
    case PROOF_CERTIFICATE:
        return registration_matches_certificate(r, signer, &e) == 0;
    case PROOF_PUBLIC_KEY:
        return OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(signer), &spki, &e) == 0 &&
               registration_matches_spki(r, buf_span(&spki), &e) == 0;
    case PROOF_MAC:
    case PROOF_VENDOR:
        break;
    }
    return false;
}

/* By the proof that was registered, or by the certificate that came of it (RFC 9483 4.1.2 to
 * 4.1.4). An ir is first of all for a registration that pins what signs it; any other that is
 * signed with a certificate of ours gets what cr would (RFC 9483 4.1.2).
 */
static int
check_right(const struct requester_question *q, X509 *signer, struct renewal *renewal,
            enum cmp_failure *failure, struct err *e)
{
    const struct cmp_msg *m = cmp_queued_inner(q->queued);
    const struct cmp_queue_entry *entry = cmp_queued_entry(q->queued);
    const struct issuance_holder *holder = q->holder;
    const enum cmp_body body = cmp_msg_body(m);

    if (holder != NULL && !(body == CMP_IR && is_pinned(q->registration, signer))) {
        const struct renew_request r = {.msg = m,
                                        .asked = q->asked,
                                        .signer = signer,
                                        .holder = holder,
                                        .registration = entry->registration_id,
                                        .is_superseded =
                                            q->registration->supersedes[0] != '\0' &&
                                            strcmp(holder->registration, holder->governs) != 0,
                                        .profile = entry->profile,
                                        .trust = q->trust,
                                        .now = q->now};

        return renew_judge(q->renew, &r, renewal, failure, e);
    }
    if (body == CMP_KUR || body == CMP_CR) {
        (void)phrase_refuse(failure, PHRASE_NOT_OURS, e,
                            "%s is signed with a certificate that is not ours",
                            cmp_body_name(body));
        return phrase_value(e, "%s", cmp_body_name(body));
    }
    return check_signer(q, signer, failure, e);
}

int
requester_check(const struct requester_question *q, struct renewal *renewal, X509 **requester,
                enum cmp_failure *failure, struct err *e)
{
    const struct registration *r = q->registration;
    const struct cmp_msg *m = cmp_queued_inner(q->queued);
    const enum cmp_assurance attested = cmp_queued_entry(q->queued)->assurance;

    *requester = NULL;
    switch (cmp_protection_of(m)) {
    case CMP_PROTECTION_MAC:
        if (attested != CMP_ASSURANCE_MAC || r->proof.kind != PROOF_MAC) {
            return phrase_refuse(failure, PHRASE_PROOF, e,
                                 "protected by a MAC, but not registered or attested so");
        }
        if (cmp_msg_body(m) == CMP_KUR) {
            return phrase_refuse(failure, PHRASE_UPDATE_MAC, e,
                                 "kur is signed with the certificate that it updates");
        }
        *failure = CMP_NO_FAILURE;
        return 0;
    case CMP_PROTECTION_SIGNATURE:
        if (attested != CMP_ASSURANCE_SIGNATURE) {
            return phrase_refuse(failure, PHRASE_PROOF, e,
                                 "protected by a signature, but not attested so");
        }
        break;
    case CMP_UNPROTECTED:
    case CMP_PROTECTION_UNKNOWN:
        return phrase_refuse(failure, PHRASE_UNPROTECTED, e,
                             "not protected, or in a way that we do not know");
    }
    *requester = cmp_signer_parse(m, e);
    if (*requester == NULL) {
        return phrase_say(failure, PHRASE_NO_SIGNER, e);
    }
    if (cmp_signature_verify(m, *requester, failure, e) != 0 ||
        check_right(q, *requester, renewal, failure, e) != 0) {
        return -1;
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}
