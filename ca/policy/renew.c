/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/policy/renew.h"

#include <string.h>

#include "base/validity.h"
#include "ca/cmp/message/phrase.h"
#include "ca/cmp/update.h"

enum { DAY = 24 * 60 * 60, SPKI_MAX = 4096 };

static int
fail(enum cmp_failure *failure, enum cmp_failure value)
{
    *failure = value;
    return -1;
}

/* ca.db's answer comes first: whoever has a revoked certificate hears that, whatever else is wrong
 * (R45). */
static int
check_holder(const struct renew_request *r, enum cmp_failure *failure, struct err *e)
{
    const struct issuance_holder *h = r->holder;

    if (h->revoked) {
        (void)err_set(e, ERR_DENIED, "the certificate that signs is revoked");
        return fail(failure, CMP_CERT_REVOKED);
    }
    if (h->nf_instance[0] == '\0') {
        return phrase_refuse(failure, PHRASE_NOT_REGISTERED, e,
                             "signed with a certificate of our own processes or officers");
    }
    if (h->governs[0] == '\0') {
        return phrase_refuse(failure, PHRASE_NOT_REGISTERED, e,
                             "no registration of this network function is live");
    }
    if (strcmp(h->governs, r->registration) != 0) {
        return phrase_refuse(failure, PHRASE_NOT_REGISTERED, e,
                             "the live registration of the signer is %s, not %s", h->governs,
                             r->registration);
    }
    if (r->is_superseded) {
        return phrase_refuse(failure, PHRASE_SUPERSEDED, e, "registration %s was superseded by %s",
                             h->registration, h->governs);
    }
    return 0;
}

/* Under our own root alone; an expired one as of its last second, when policy allows it. */
static int
check_path(const struct renew_rules *rules, const struct renew_request *r, time_t not_after,
           enum cmp_failure *failure, struct err *e)
{
    const bool is_update = cmp_msg_body(r->msg) == CMP_KUR;
    const time_t grace = is_update ? (time_t)rules->expired_days * DAY : 0;
    const time_t at = r->now > not_after && r->now <= not_after + grace ? not_after : r->now;

    return trust_check_own(r->trust, r->msg, r->signer, at, failure, e);
}

static int
check_key(const struct renew_rules *rules, const struct renew_request *r, enum cmp_failure *failure,
          struct err *e)
{
    CLEANUP(buf_free) struct buf old = BUF_INIT(SPKI_MAX);

    if (OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(r->signer), &old, e) != 0) {
        return fail(failure, CMP_SYSTEM_FAILURE);
    }
    if (!rules->same_key && span_equal(buf_span(&old), cmp_certreq_spki(r->asked))) {
        return phrase_refuse(failure, PHRASE_KEY_SAME, e,
                             "the key of the certificate that signs; a new one is needed");
    }
    return 0;
}

/* From when a renewal may be asked for: `window` percent of the way from notBefore to notAfter. */
static time_t
opens(const struct renew_rules *rules, time_t not_before, time_t not_after)
{
    return not_before + (not_after - not_before) / 100 * rules->window;
}

static int
judge_update(const struct renew_rules *rules, const struct renew_request *r, time_t opens_at,
             struct renewal *out, enum cmp_failure *failure, struct err *e)
{
    char at[TIME_TEXT_SIZE];

    if (cmp_certreq_check_update(r->asked, r->signer, failure, e) != 0 ||
        check_key(rules, r, failure, e) != 0) {
        return -1;
    }
    if (r->now < opens_at) {
        time_format(opens_at, at);
        (void)phrase_refuse(failure, PHRASE_EARLY, e, "too early: not before %s", at);
        return phrase_value(e, "%s", at);
    }
    out->profile = r->holder->profile;
    out->replaces = true;
    out->is_update = true;
    return 0;
}

static int
judge_reenrolment(const struct renew_rules *rules, const struct renew_request *r, time_t opens_at,
                  struct renewal *out, enum cmp_failure *failure, struct err *e)
{
    if (!rules->reenrolment) {
        (void)phrase_refuse(failure, PHRASE_NO_REENROLMENT, e, "reenrolment = \"refuse\"");
        return phrase_value(e, "%s", cmp_body_name(cmp_msg_body(r->msg)));
    }
    if (check_key(rules, r, failure, e) != 0) {
        return -1;
    }
    out->profile = r->profile;
    out->replaces = r->now >= opens_at && strcmp(r->profile, r->holder->profile) == 0;
    return 0;
}

int
renew_judge(const struct renew_rules *rules, const struct renew_request *r, struct renewal *out,
            enum cmp_failure *failure, struct err *e)
{
    const bool is_update = cmp_msg_body(r->msg) == CMP_KUR;
    time_t from;
    time_t to;

    if (validity_read(r->signer, &from, &to, e) != 0) {
        return fail(failure, CMP_SIGNER_NOT_TRUSTED);
    }
    if (check_holder(r, failure, e) != 0 || check_path(rules, r, to, failure, e) != 0) {
        return -1;
    }
    return is_update ? judge_update(rules, r, opens(rules, from, to), out, failure, e)
                     : judge_reenrolment(rules, r, opens(rules, from, to), out, failure, e);
}
