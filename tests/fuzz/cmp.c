/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What RA and CA do with a PKIMessage of anybody, without its secrets: decode, judge the header,
 * check a MAC or a signature, read the body, check the proof of possession, unwrap a queue entry.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ossl.h"
#include "ca/cmp/certreq.h"
#include "ca/cmp/echo.h"
#include "ca/cmp/message/body.h"
#include "ca/cmp/message/revoke.h"
#include "ca/cmp/message/support.h"
#include "ca/cmp/protection/check.h"
#include "ca/cmp/protection/mac.h"
#include "ca/cmp/protection/protect.h"
#include "ca/cmp/queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Low, so that a run gets far: deriving is no parser. */
enum { COUNT_MAX = 2000 };
static const struct cmp_mac_limits limits = {.count_max = COUNT_MAX, .pbmac1_max = COUNT_MAX};

static void
check_header(const struct cmp_msg *msg)
{
    struct cmp_rules rules = {.bodies = UINT32_MAX, .mac = limits};
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};

    (void)cmp_check_time(msg, 0, 300, 300, &failure, &e);
    failure = CMP_NO_FAILURE;
    if (cmp_check_first(msg, &rules, &failure, &e) != 0) {
        assert(failure != CMP_NO_FAILURE && e.code != ERR_NONE);
    }
    failure = CMP_NO_FAILURE;
    if (cmp_check_later(msg, &rules, &failure, &e) != 0) {
        assert(failure != CMP_NO_FAILURE && e.code != ERR_NONE);
    }
}

static void
check_protection(const struct cmp_msg *msg)
{
    CLEANUP(cmp_mac_key_cleanup) struct cmp_mac_key *key = NULL;
    CLEANUP(x509_cleanup) X509 *signer = NULL;
    enum cmp_failure failure;
    struct err e = {0};

    switch (cmp_protection_of(msg)) {
    case CMP_PROTECTION_MAC:
        key = cmp_mac_key_new(cmp_msg_protection_alg(msg), SPAN_LITERAL("secret-1"), &limits,
                              &failure, &e);
        if (key != NULL) {
            (void)cmp_mac_verify(key, msg, &failure, &e);
        }
        break;
    case CMP_PROTECTION_SIGNATURE:
        signer = cmp_msg_signer(msg, &e);
        if (signer != NULL) {
            (void)cmp_signature_verify(msg, signer, &failure, &e);
        }
        break;
    case CMP_UNPROTECTED:
    case CMP_PROTECTION_UNKNOWN:
        break;
    }
}

static void
read_request(const struct cmp_msg *msg)
{
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *r = NULL;
    enum cmp_failure failure = CMP_NO_FAILURE;
    const X509_NAME *issuer;
    const ASN1_INTEGER *serial;
    struct err e = {0};

    r = cmp_certreq_read(msg, &failure, &e);
    assert((r != NULL) == (failure == CMP_NO_FAILURE));
    if (r != NULL) {
        (void)cmp_certreq_check_pop(r, &failure, &e);
        (void)cmp_certreq_old_cert(r, &issuer, &serial);
        assert(cmp_certreq_key(r) != NULL && cmp_certreq_spki(r).n != 0);
    }
}

static void
read_revreq(const struct cmp_msg *msg)
{
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct cmp_revreq revreq;
    struct err e = {0};

    if (cmp_revreq_read(msg, NULL, &revreq, &failure, &e) != 0) {
        assert(failure != CMP_NO_FAILURE);
    } else {
        assert(revreq.serial_size > 0);
    }
}

static void
read_genm(const struct cmp_msg *msg)
{
    struct cmp_crl_status list[CMP_CRL_STATUS_MAX];
    struct cmp_genm genm;
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};
    size_t n;

    if (cmp_genm_read(msg, &genm, &failure, &e) != 0) {
        assert(failure != CMP_NO_FAILURE);
    } else if (genm.info == CMP_INFO_CRLS &&
               cmp_crl_status_read(genm.value, list, &n, &failure, &e) == 0) {
        assert(n > 0 && n <= CMP_CRL_STATUS_MAX);
    }
}

static void
read_profile(const struct cmp_msg *msg)
{
    char name[CMP_PROFILE_NAME_MAX + 1];
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};

    if (cmp_profile_read(msg, name, &failure, &e) != 0) {
        assert(failure != CMP_NO_FAILURE);
    }
}

static void
read_body(const struct cmp_msg *msg)
{
    struct cmp_status_info info;
    struct cmp_certconf conf;
    enum cmp_failure failure;
    struct span inner;
    struct err e = {0};
    int id;

    switch (cmp_msg_body(msg)) {
    case CMP_IR:
    case CMP_CR:
    case CMP_KUR:
    case CMP_P10CR:
        read_request(msg);
        break;
    case CMP_CERTCONF:
        (void)cmp_certconf_read(msg, 0, &conf, &failure, &e);
        break;
    case CMP_POLLREQ:
        (void)cmp_pollreq_read(msg, &id, &failure, &e);
        break;
    case CMP_NESTED:
        (void)cmp_nested_read(msg, &inner, &failure, &e);
        break;
    case CMP_RR:
        read_revreq(msg);
        break;
    case CMP_GENM:
        read_genm(msg);
        break;
    case CMP_ERROR:
        (void)cmp_error_read(msg, &info, &failure, &e);
        break;
    case CMP_IP:
    case CMP_CP:
    case CMP_POPDECC:
    case CMP_POPDECR:
    case CMP_KUP:
    case CMP_KRR:
    case CMP_KRP:
    case CMP_RP:
    case CMP_CCR:
    case CMP_CCP:
    case CMP_CKUANN:
    case CMP_CANN:
    case CMP_RANN:
    case CMP_CRLANN:
    case CMP_PKICONF:
    case CMP_GENP:
    case CMP_POLLREP:
        break;
    }
}

/* There is one way to write it. */
static void
check_submission(const struct cmp_queued *q, struct span der)
{
    const struct cmp_submission *s = cmp_queued_submission(q);
    CLEANUP(buf_free) struct buf again = BUF_INIT(CMP_NESTED_MAX);
    struct err e = {0};

    assert((s == NULL) == (cmp_queued_outer(q) != NULL));
    if (s != NULL) {
        assert(cmp_submission_encode(s, &again, &e) == 0);
        assert(span_equal(buf_span(&again), der));
        assert(cmp_queued_sequence(q) > s->index);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = NULL;
    struct span der = span_of(data, size);
    struct cmp_echo echo;
    struct err e = {0};

    cmp_echo_read(der, CMP_MESSAGE_MAX, &echo);
    msg = cmp_msg_parse(der, CMP_MESSAGE_MAX, &e);
    if (msg != NULL) {
        assert(span_equal(cmp_msg_der(msg), der));
        assert(span_equal(echo.transaction_id, cmp_msg_transaction_id(msg)));
        assert(span_equal(echo.sender_nonce, cmp_msg_sender_nonce(msg)));
        check_header(msg);
        check_protection(msg);
        read_body(msg);
        read_profile(msg);
    } else {
        assert(e.code == ERR_INPUT);
    }
    q = cmp_queued_parse(der, &e);
    if (q != NULL) {
        assert(cmp_queued_entry(q)->profile[0] != '\0');
        check_submission(q, der);
    }
    return 0;
}
