/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/policy/revocation.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/protect.h"

static int
fail(enum cmp_failure *failure, enum cmp_failure value)
{
    *failure = value;
    return -1;
}

static struct span
serial_of_asked(const struct revocation_question *q)
{
    return span_of(q->asked->serial, q->asked->serial_size);
}

/* An end entity speaks for its own certificate. */
static int
check_own(const struct revocation_question *q, X509 *requester, char **by,
          enum cmp_failure *failure, struct err *e)
{
    const struct issuance_holder *h = q->holder;

    if (trust_check_own(q->trust, cmp_queued_inner(q->queued), requester, q->now, failure, e) !=
        0) {
        return -1;
    }
    if (q->target != NULL &&
        !span_equal(serial_of_asked(q), span_of(h->serial, sizeof(h->serial)))) {
        return phrase_refuse(failure, PHRASE_REVOKE_OTHERS, e,
                             "rr for somebody else's certificate");
    }
    *by = mem_strdup("rr of its holder");
    return 0;
}

/* A registrar and an RA speak for those of network functions, never for ours. */
static int
check_for_others(const struct revocation_question *q, X509 *requester, char **by,
                 enum cmp_failure *failure, struct err *e)
{
    const struct issuance_holder *h = q->holder;
    const bool is_ra = strcmp(h->profile, "ra-cmp") == 0;
    char hex[2 * ISSUANCE_SERIAL_SIZE + 1];

    if (!is_ra && strcmp(h->profile, "registrar") != 0) {
        (void)err_set(e, ERR_DENIED, "rr signed under profile %s", h->profile);
        return fail(failure, CMP_NOT_AUTHORIZED);
    }
    if ((is_ra ? trust_check_ra : trust_check_person)(q->trust, cmp_queued_inner(q->queued),
                                                      requester, q->now, failure, e) != 0) {
        return -1;
    }
    if (q->target != NULL && q->target->nf_instance[0] == '\0') {
        return phrase_refuse(failure, PHRASE_REVOKE_OTHERS, e,
                             "rr for a certificate of our own processes or officers");
    }
    hex_format(span_of(h->serial, sizeof(h->serial)), hex);
    *by = mem_printf("rr of %s %s", h->profile, hex);
    return 0;
}

static int
check_key(const struct revocation_question *q, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(x509_cleanup)
    X509 *certificate = certificate_parse_keyless(buf_span(&q->target->certificate), e);
    uint8_t hash[SHA256_SIZE];

    if (certificate == NULL || certificate_key_hash(certificate, hash, e) != 0) {
        return fail(failure, CMP_SYSTEM_FAILURE);
    }
    return cmp_revreq_check_key(q->asked, hash, failure, e);
}

static int
check_target(const struct revocation_question *q, enum cmp_failure *failure, struct err *e)
{
    if (q->target == NULL) {
        return phrase_refuse(failure, PHRASE_REVOKE_UNKNOWN, e,
                             "rr for a certificate that was not issued here");
    }
    if (check_key(q, failure, e) != 0) {
        return -1;
    }
    if (q->target->revoked) {
        return phrase_refuse(failure, PHRASE_REVOKE_AGAIN, e, "rr for what is revoked already");
    }
    if (q->target->not_after < q->now) {
        return phrase_refuse(failure, PHRASE_REVOKE_EXPIRED, e, "rr for what has expired");
    }
    return 0;
}

/* Signed by a certificate of ours that is not revoked. */
static int
check_signer(const struct revocation_question *q, X509 **requester, enum cmp_failure *failure,
             struct err *e)
{
    const struct cmp_msg *m = cmp_queued_inner(q->queued);

    if (cmp_protection_of(m) != CMP_PROTECTION_SIGNATURE ||
        cmp_queued_entry(q->queued)->assurance != CMP_ASSURANCE_SIGNATURE) {
        return phrase_refuse(failure, PHRASE_REVOKE_MAC, e,
                             "rr that is not signed, or not attested so");
    }
    *requester = cmp_signer_parse(m, e);
    if (*requester == NULL) {
        return phrase_say(failure, PHRASE_NO_SIGNER, e);
    }
    if (cmp_signature_verify(m, *requester, failure, e) != 0) {
        return -1;
    }
    if (q->holder == NULL) {
        (void)phrase_refuse(failure, PHRASE_NOT_OURS, e,
                            "rr signed with a certificate that is not ours");
        return phrase_value(e, "rr");
    }
    if (q->holder->revoked) {
        (void)err_set(e, ERR_DENIED, "rr signed with a certificate that is revoked");
        return fail(failure, CMP_CERT_REVOKED);
    }
    return 0;
}

int
revocation_judge(const struct revocation_question *q, char **by, enum cmp_failure *failure,
                 struct err *e)
{
    CLEANUP(x509_cleanup) X509 *requester = NULL;
    CLEANUP(mem_cleanup) char *name = NULL;

    if (check_signer(q, &requester, failure, e) != 0) {
        return -1;
    }
    if (q->malformed != CMP_NO_FAILURE) {
        *e = *q->why;
        return fail(failure, q->malformed);
    }
    if ((q->holder->nf_instance[0] != '\0' ? check_own : check_for_others)(q, requester, &name,
                                                                           failure, e) != 0 ||
        check_target(q, failure, e) != 0) {
        return -1;
    }
    *by = TAKE(name);
    return 0;
}
