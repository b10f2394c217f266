/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an RA says about a network function's message. Whatever is wrong with it is the RA's fault
 * or ours, never the network function's, so nothing is decided by it: the RA hears why, in words
 * for its operator, and asks again when it is mended.
 */
#include "ca/policy/policy.h"

#include "base/validity.h"

static int
fail(enum cmp_failure *failure, enum cmp_failure value)
{
    *failure = value;
    return -1;
}

/* It is none that we have as good. The certificate is not verified: this is for the log of who
 * sent it. */
static int
explain(const struct policy *p, struct span der, time_t now, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = certificate_parse_keyless(der, e);
    char at[TIME_TEXT_SIZE];
    char here[TIME_TEXT_SIZE];
    time_t from;
    time_t until;

    if (certificate == NULL || validity_read(certificate, &from, &until, e) != 0) {
        return err_set(e, ERR_DENIED, "the RA's certificate cannot be read");
    }
    if (X509_NAME_cmp(X509_get_issuer_name(certificate), p->name) != 0) {
        return err_set(e, ERR_DENIED,
                       "the RA's certificate is of another CA: check ra_certificate");
    }
    if (now > until) {
        time_format(until, at);
        return err_set(
            e, ERR_DENIED,
            "the RA's certificate ended at %s: nfpki-cactl issue ra-cmp, and restart the RA", at);
    }
    if (now < from) {
        time_format(from, at);
        time_format(now, here);
        return err_set(e, ERR_DENIED,
                       "the RA's certificate begins at %s, and here it is %s: compare the clocks",
                       at, here);
    }
    return err_set(e, ERR_DENIED,
                   "the RA's certificate is revoked, or no RA's: nfpki-cactl issue ra-cmp, and "
                   "restart the RA");
}

static const struct policy_ra *
find_ra(const struct policy_ra *ras, size_t n_ras, struct span der, time_t now)
{
    for (size_t i = 0; i < n_ras; i++) {
        if (span_equal(buf_span(&ras[i].der), der)) {
            return validity_has(ras[i].certificate, now) ? &ras[i] : NULL;
        }
    }
    return NULL;
}

static int
check_clock(const struct cmp_queued *q, time_t now, struct err *e)
{
    const time_t received = cmp_queued_entry(q)->received_at;

    return received <= now + MADE_CLOCKS_APART_S
               ? 0
               : err_set(e, ERR_DENIED,
                         "received %lld s from now: the clocks of RA and CA differ, compare them",
                         (long long)(received - now));
}

static int
verify(const struct policy *p, const struct cmp_queued *q, struct span rid,
       const struct policy_ra *ras, size_t n_ras, time_t now, enum cmp_failure *failure,
       struct err *e)
{
    const struct span der = cmp_queued_ra(q);
    const struct policy_ra *ra = find_ra(ras, n_ras, der, now);
    struct cmp_parties with = {.ca = p->name,
                               .ca_hash = span_of(p->issuing_hash, sizeof(p->issuing_hash)),
                               .heads = p->heads};
    uint8_t hash[SHA256_SIZE];

    if (ra == NULL) {
        (void)explain(p, der, now, e);
        return fail(failure, CMP_SIGNER_NOT_TRUSTED);
    }
    with.ra = ra->certificate;
    if (cmp_queued_verify(q, &with, e) != 0) {
        return fail(failure, CMP_BAD_MESSAGE_CHECK);
    }
    if (sha256(cmp_msg_der(cmp_queued_inner(q)), hash, e) != 0) {
        return fail(failure, CMP_SYSTEM_FAILURE);
    }
    if (!span_equal(span_of(hash, sizeof(hash)), rid)) {
        (void)err_set(e, ERR_INPUT, "the rid is not the hash of the message");
        return fail(failure, CMP_BAD_DATA_FORMAT);
    }
    return check_clock(q, now, e) == 0 ? 0 : fail(failure, CMP_TIME_NOT_AVAILABLE);
}

struct cmp_queued *
policy_open(const struct policy *p, struct span submitted, struct span rid,
            const struct policy_ra *ras, size_t n_ras, time_t now, enum cmp_failure *failure,
            struct err *e)
{
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = cmp_queued_parse(submitted, e);

    if (q == NULL) {
        (void)fail(failure, e->code == ERR_CRYPTO ? CMP_BAD_MESSAGE_CHECK : CMP_BAD_DATA_FORMAT);
        return NULL;
    }
    if (verify(p, q, rid, ras, n_ras, now, failure, e) != 0) {
        return NULL;
    }
    *failure = CMP_NO_FAILURE;
    return TAKE(q);
}
