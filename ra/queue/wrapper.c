/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose wrapper it is shows at its end: the one of its extraCerts is the last field of a
 * PKIMessage. What nobody signed has an empty SEQUENCE there, and the MAC under the seal key as its
 * protection.
 */
#include "ra/queue/wrapper.h"

#include "base/ossl.h"
#include "base/validity.h"
#include "ca/x509/path/path.h"
#include "ra/secret/seal.h"

static const uint8_t no_certificate[] = {0x30, 0x00};

static int
check_stamp(const struct wrapper_owner *owner, const struct cmp_msg *outer, struct err *e)
{
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_NESTED_MAX);
    uint8_t stamp[SEAL_STAMP_SIZE];

    if (cmp_msg_protected_part(outer, &part, e) != 0 ||
        seal_stamp(owner->seal_key, buf_span(&part), stamp, e) != 0) {
        return -1;
    }
    return span_equal_secret(cmp_msg_protection(outer), span_of(stamp, sizeof(stamp)))
               ? 0
               : err_set(e, ERR_CRYPTO, "queue: an unsigned wrapper that is not sealed by this RA");
}

static int
check_certificate(const struct wrapper_owner *owner, X509 *certificate, time_t now, struct err *e)
{
    struct path_request request = {.purpose = PATH_RA_CMP,
                                   .at = now,
                                   .anchors = &owner->root,
                                   .n_anchors = 1,
                                   .untrusted = &owner->issuing,
                                   .n_untrusted = 1};
    time_t from;
    time_t until;

    if (validity_read(certificate, &from, &until, e) != 0) {
        return -1;
    }
    if (now < from) {
        request.at = from;
    } else if (now > until) {
        request.at = until;
    }
    return path_verify(certificate, &request, e);
}

static int
check(const struct wrapper_owner *owner, const struct cmp_msg *outer, time_t now, struct err *e)
{
    const struct span der = cmp_msg_extra(outer, 0);
    CLEANUP(x509_cleanup) X509 *certificate = NULL;

    if (span_equal(der, span_of(no_certificate, sizeof(no_certificate)))) {
        return check_stamp(owner, outer, e);
    }
    certificate = certificate_parse(der, e);
    if (certificate == NULL || check_certificate(owner, certificate, now, e) != 0 ||
        cmp_wrapper_verify(outer, certificate, X509_get_subject_name(owner->issuing), e) != 0) {
        return err_wrap(e, "queue: not wrapped by an RA of this CA");
    }
    return 0;
}

int
wrapper_open(const struct wrapper_owner *owner, struct span wrapped, time_t now,
             struct cmp_queue_entry *says, struct buf *message, struct err *e)
{
    struct cmp_msg *outer = NULL;
    struct cmp_msg *inner = NULL;
    int result = cmp_wrapper_read(wrapped, &outer, &inner, says, e);

    if (result != 0) {
        (void)err_wrap(e, "queue entry");
    } else {
        result = check(owner, outer, now, e);
    }
    if (result == 0) {
        result = buf_set(message, cmp_msg_der(inner), e);
    }
    cmp_msg_free(outer);
    cmp_msg_free(inner);
    return result;
}
