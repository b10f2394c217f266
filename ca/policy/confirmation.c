/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/policy/confirmation.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/phrase.h"
#include "ca/cmp/protection/mac.h"
#include "ca/cmp/protection/protect.h"

/* RFC 9483 3.5: protection of another kind than the request's is wrongIntegrity; of the same kind
 * it has to verify under the same credentials. That a MAC does is the RA's word. */
static int
check_same_requester(const struct cmp_queued *q, const struct cmp_queued *first, bool by_mac,
                     enum cmp_failure *failure, struct err *e)
{
    const struct cmp_msg *m = cmp_queued_inner(q);
    const struct cmp_msg *request = cmp_queued_inner(first);
    const enum cmp_protection wanted = by_mac ? CMP_PROTECTION_MAC : CMP_PROTECTION_SIGNATURE;
    const enum cmp_assurance attested = by_mac ? CMP_ASSURANCE_MAC : CMP_ASSURANCE_SIGNATURE;
    CLEANUP(x509_cleanup) X509 *signer = NULL;

    if (cmp_protection_of(m) != wanted || cmp_queued_entry(q)->assurance != attested ||
        (by_mac && cmp_mac_is_pbmac1(cmp_msg_protection_algorithm(m)) !=
                       cmp_mac_is_pbmac1(cmp_msg_protection_algorithm(request)))) {
        return phrase_refuse(failure, PHRASE_OTHER_PROTECTION, e,
                             "certConf: not protected as the request was");
    }
    if (strcmp(cmp_queued_entry(q)->registration_id, cmp_queued_entry(first)->registration_id) !=
            0 ||
        (by_mac && !span_equal(cmp_msg_sender_kid(m), cmp_msg_sender_kid(request)))) {
        return phrase_refuse(failure, PHRASE_OTHER_CREDENTIALS, e,
                             "certConf: under other credentials than the request");
    }
    if (by_mac) {
        return 0;
    }
    signer = cmp_signer_parse(request, e);
    if (signer == NULL) {
        *failure = CMP_BAD_MESSAGE_CHECK;
        return -1;
    }
    return cmp_signature_verify(m, signer, failure, e);
}

int
confirmation_judge(const struct cmp_queued *q, const struct cmp_queued *first, bool by_mac,
                   int cert_req_id, struct span certificate, struct cmp_certconf *out,
                   enum cmp_failure *failure, struct err *e)
{
    const struct cmp_msg *m = cmp_queued_inner(q);

    if (check_same_requester(q, first, by_mac, failure, e) != 0) {
        return -1;
    }
    if (cmp_certconf_read(m, cert_req_id, out, failure, e) != 0) {
        return -1;
    }
    /* A rejection need not tell the hash of what it does not want to have (RFC 9810 5.3.18). */
    return out->accepted ? cmp_certconf_match(out, certificate, failure, e) : 0;
}
