/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/policy/policy.h"

#include <string.h>

#include "ca/cmp/message/names.h"
#include "ca/cmp/message/phrase.h"
#include "ca/cmp/message/support.h"
#include "ca/cmp/protection/protect.h"
#include "ca/cmp/weakness.h"
#include "ca/policy/backdate.h"
#include "ca/policy/requester.h"
#include "ca/x509/csr.h"
#include "ca/x509/lint/lint.h"
#include "ca/x509/profile/profiles.h"
#include "ca/x509/profile/wish.h"
#include "ca/x509/pubkey.h"
#include "ca/x509/signed.h"
#include "ca/x509/weak_key.h"

enum { DAY = 24 * 60 * 60 };

void
policy_grant_free(struct policy_grant *g)
{
    buf_free(&g->spki);
    buf_free(&g->tbs);
    proof_shown_free(&g->shown);
}

/* Sets the failure beside the reason that is in `e` already. */
static int
fail(enum cmp_failure *failure, enum cmp_failure value)
{
    *failure = value;
    return -1;
}

/* A first message under judgement; everything borrowed. */
struct asking {
    const struct policy *policy;
    const struct cmp_queued *queued;
    const struct policy_facts *facts;
    const struct cmp_certreq *asked;
    time_t now;
};

/* ---- who asks ---- */

static int
check_requester(const struct asking *a, struct policy_grant *g, X509 **requester,
                enum cmp_failure *failure, struct err *e)
{
    const struct requester_question q = {.queued = a->queued,
                                         .asked = a->asked,
                                         .registration = &g->registration,
                                         .holder = a->facts->holder,
                                         .trust = a->policy->trust,
                                         .renew = &a->policy->renew,
                                         .now = a->now};

    if (requester_check(&q, &g->renewal, requester, failure, e) != 0) {
        return -1;
    }
    /* The holder of a certificate of ours has one registration; but an ir is first of all for one
     * that pins what signs it (requester.c), so that there must be none. */
    if (*requester == NULL ||
        (g->renewal.profile != NULL && cmp_msg_body(cmp_queued_inner(a->queued)) != CMP_IR)) {
        return 0;
    }
    if (proof_shown_by(*requester, &g->shown, e) != 0) {
        return fail(failure, CMP_SYSTEM_FAILURE);
    }
    return 0;
}

int
policy_holder_serial(const struct policy *p, const struct cmp_msg *m,
                     uint8_t serial[ISSUANCE_SERIAL_SIZE], struct span *der, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *signer = NULL;
    const ASN1_INTEGER *number;
    struct span found;

    *der = span_of(NULL, 0);
    if (cmp_protection_of(m) != CMP_PROTECTION_SIGNATURE || cmp_msg_extra_count(m) == 0) {
        return 0;
    }
    if (cmp_signer_find(m, &found, e) != 0) {
        return -1;
    }
    signer = certificate_parse_keyless(found, e);
    if (signer == NULL) {
        return e->code == ERR_BUSY ? -1 : 0;
    }
    number = X509_get0_serialNumber(signer);
    if (X509_NAME_cmp(X509_get_issuer_name(signer), p->name) == 0 &&
        ASN1_STRING_length(number) == ISSUANCE_SERIAL_SIZE) {
        memcpy(serial, ASN1_STRING_get0_data(number), ISSUANCE_SERIAL_SIZE);
        *der = found;
    }
    return 0;
}

/* ---- what they get ---- */

/* Now, or as the intent recorded it. */
static int
begin(const struct policy *p, struct policy_grant *g, time_t now, struct err *e)
{
    time_t *from = &g->request.not_before;

    g->judged = now;
    if (*from == 0 && backdate_begin(p->issuing, p->backdate_s, now, from, e) != 0) {
        return -1;
    }
    return backdate_check(p->issuing, *from, now, e);
}

static int
build(const struct policy *p, struct policy_grant *g, struct span spki, struct err *e)
{
    struct tbs_request *t = &g->request;

    g->spki = BUF_INIT(PUBKEY_SPKI_MAX);
    g->tbs = BUF_INIT(TBS_MAX);
    if (buf_set(&g->spki, spki, e) != 0 || sha256(spki, g->spki_sha256, e) != 0 ||
        serial_new(t->serial, g->judged, e) != 0) {
        return -1;
    }
    t->issuer = p->issuing;
    t->nf_rules = &p->rules;
    t->spki = buf_span(&g->spki);
    t->crl_url = t->profile->no_rev_avail ? NULL : p->crl_url;
    t->rehearsal = p->rehearsal;
    if (t->rehearsal && t->not_after - t->not_before > (time_t)REHEARSAL_DAYS_MAX * DAY) {
        t->not_after = t->not_before + (time_t)REHEARSAL_DAYS_MAX * DAY;
    }
    if (tbs_build(t, &g->tbs, e) != 0) {
        return -1;
    }
    return lint_tbs(buf_span(&g->tbs), t, e);
}

/* The key that is to be certified, before a TBS is made of it, and the one that signs. */
static int
check_keys(const struct asking *a, X509 *requester, enum cmp_failure *failure, struct err *e)
{
    const struct blocked_keys *blocked = a->policy->blocked;

    if (requester != NULL && weakness_check_signer(requester, blocked, failure, e) != 0) {
        return -1;
    }
    return weakness_check(cmp_certreq_spki(a->asked), blocked, failure, e);
}

/* As an honest RA has done: who asks for other names stands under somebody else's registration. */
static int
check_names(const struct profile *profile, const struct cmp_msg *m, const struct cmp_certreq *asked,
            const struct nf_identity *nf, enum cmp_failure *failure, struct err *e)
{
    const struct cmp_names names = {.subject = cmp_certreq_subject(asked),
                                    .extensions = cmp_certreq_extensions(asked),
                                    .is_update = cmp_msg_body(m) == CMP_KUR};

    return cmp_names_check(&names, nf, profile, failure, e);
}

/* What the profile demands of the request. */
static int
check_profile(const struct profile *profile, const struct cmp_msg *m,
              const struct cmp_certreq *asked, const struct nf_identity *nf,
              enum cmp_failure *failure, struct err *e)
{
    if (profile->signature_only && cmp_protection_of(m) == CMP_PROTECTION_MAC) {
        return phrase_refuse(failure, PHRASE_SIGNED_ONLY, e,
                             "profile %s: only for requests that are signed", profile->name);
    }
    if (check_names(profile, m, asked, nf, failure, e) != 0) {
        return -1;
    }
    if (profile_check_key(profile, cmp_certreq_spki(asked), e) != 0) {
        return phrase_say(failure, PHRASE_KEY_PROFILE, e);
    }
    if (wish_check(profile, nf, cmp_certreq_extensions(asked), e) != 0) {
        return phrase_say(failure, e->code == ERR_INPUT ? PHRASE_EXTENSION : PHRASE_NF_TYPE, e);
    }
    return 0;
}

/* The window is that of initial certificates; a renewal needs the profile only. */
static int
check_window(const struct registration *r, const struct profile *profile, bool renews, time_t now,
             enum cmp_failure *failure, struct err *e)
{
    char when[ERR_VALUE_SIZE];
    bool ended;

    if (registration_profile(r, profile->name) == NULL) {
        return phrase_refuse(failure, PHRASE_PROFILE, e, "registration: not for profile %s",
                             profile->name);
    }
    if (renews || !registration_is_closed(r, now, &ended, when, sizeof(when))) {
        return 0;
    }
    (void)phrase_refuse(failure, ended ? PHRASE_ENDED : PHRASE_NOT_OPEN, e,
                        "the registration %s %s", ended ? "ended at" : "begins at", when);
    return phrase_value(e, "%s", when);
}

/* When it was made, and whose word that is. */
static int
check_made(const struct asking *a, struct policy_grant *g, enum cmp_failure *failure, struct err *e)
{
    const struct registration *r = &g->registration;
    const struct policy *p = a->policy;
    struct made_question q = {.queued = a->queued,
                              .begins = a->facts->registered,
                              .window_s = p->message_window_s,
                              .required = p->message_required,
                              .behind_s = p->message_window_s < p->backdate_s ? p->message_window_s
                                                                              : p->backdate_s};

    if (!g->renewal.replaces) { /* the window is that of initial certificates */
        q.begins = r->not_before > q.begins ? r->not_before : q.begins;
        q.ends = r->not_after;
    }
    return made_judge(&q, &g->made, failure, e);
}

/* The profile that the network function names itself is not the RA's to change (RFC 9810 5.1.1.4).
 */
static int
check_profile_wish(const struct cmp_queued *q, const char *profile, enum cmp_failure *failure,
                   struct err *e)
{
    char wish[CMP_PROFILE_NAME_MAX + 1];

    if (cmp_profile_read(cmp_queued_inner(q), wish, failure, e) != 0) {
        return -1;
    }
    if (wish[0] != '\0' && strcmp(wish, profile) != 0) {
        (void)phrase_refuse(failure, PHRASE_PROFILE_HELD, e,
                            "certProfile is %s, and what is granted %s", wish, profile);
        return phrase_value(e, "%s", profile);
    }
    return 0;
}

/* The RA names it, except for what is renewed as it was. */
static const char *
granted_profile(const struct asking *a, const struct policy_grant *g)
{
    return g->renewal.profile != NULL ? g->renewal.profile : cmp_queued_entry(a->queued)->profile;
}

/* Whatever fails here and is neither the request's nor the registration's fault is ours, and stays
 * undecided: our file of profiles lacks one that the RA's has, our certificate ends, our rules
 * contradict each other. */
static int
grant_from_registration(const struct asking *a, struct policy_grant *g, enum cmp_failure *failure,
                        struct err *e)
{
    const struct policy *p = a->policy;
    const time_t now = a->now;
    const char *name = granted_profile(a, g);
    const struct profile *profile = profiles_find(p->rules.profiles, name);

    *failure = CMP_SYSTEM_FAILURE;
    if (profile == NULL) {
        return err_set(e, ERR_NOTFOUND, "profile %s is not in the CA's file of profiles", name);
    }
    if (check_profile(profile, cmp_queued_inner(a->queued), a->asked, &g->registration.nf, failure,
                      e) != 0 ||
        check_window(&g->registration, profile, g->renewal.replaces, now, failure, e) != 0 ||
        check_made(a, g, failure, e) != 0) {
        return -1;
    }
    g->request.profile = profile;
    g->request.nf = &g->registration.nf;
    if (begin(p, g, now, e) != 0 ||
        registration_not_after(&g->registration, profile, g->request.not_before, p->issuing,
                               &g->request.not_after, e) != 0) {
        return -1;
    }
    return build(p, g, cmp_certreq_spki(a->asked), e);
}

int
policy_grant_request(const struct policy *p, const struct cmp_queued *q,
                     const struct policy_facts *facts, time_t now, struct policy_grant *g,
                     X509 **requester, enum cmp_failure *failure, struct err *e)
{
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *asked = NULL;
    struct asking a = {.policy = p, .queued = q, .facts = facts, .now = now};

    *requester = NULL;
    if (registration_parse(facts->json, &p->stored_rules, &g->registration, e) != 0) {
        return fail(failure, CMP_NOT_AUTHORIZED);
    }
    asked = cmp_certreq_read(cmp_queued_inner(q), failure, e);
    if (asked == NULL) {
        return -1;
    }
    a.asked = asked;
    g->cert_req_id = cmp_certreq_id(asked);
    if (check_requester(&a, g, requester, failure, e) != 0 ||
        check_keys(&a, *requester, failure, e) != 0 ||
        cmp_certreq_check_pop(asked, failure, e) != 0 ||
        check_profile_wish(q, granted_profile(&a, g), failure, e) != 0 ||
        grant_from_registration(&a, g, failure, e) != 0) {
        return -1;
    }
    *failure = CMP_NO_FAILURE;
    return 0;
}

static const struct profile *
own_profile(const struct policy *p, const char *name)
{
    return strcmp(name, "registrar") == 0 ? &p->registrar
           : strcmp(name, "officer") == 0 ? &p->officer
                                          : profile_by_name(name);
}

int
policy_grant_officer(const struct policy *p, struct span csr_octets, const char *profile,
                     const char *common_name, int days, time_t now, struct policy_grant *g,
                     struct err *e)
{
    CLEANUP(csr_cleanup) struct csr *csr = csr_parse(csr_octets, e);
    struct span issuer_der;
    struct name issuer;

    if (csr == NULL || weak_key_check(csr_spki(csr), p->blocked, NULL, e) != 0) {
        return -1;
    }
    g->request.profile = own_profile(p, profile);
    if (g->request.profile == NULL || g->request.profile->class != PROFILE_INFRASTRUCTURE) {
        return err_set(e, ERR_DENIED,
                       "profile '%s': an officer issues ra-cmp, registrar and officer", profile);
    }
    if (days < 1 || days > g->request.profile->max_validity / DAY) {
        return err_set(e, ERR_INPUT, "days: 1 to %d",
                       (int)(g->request.profile->max_validity / DAY));
    }
    /* Our own processes and officers are in the organization of the CA. */
    if (name_der(p->name, &issuer_der, e) != 0 || name_decode(issuer_der, &issuer, e) != 0 ||
        name_set(&g->subject, issuer.country, issuer.organization, common_name, e) != 0) {
        return -1;
    }
    if (begin(p, g, now, e) != 0) {
        return -1;
    }
    g->request.subject = &g->subject;
    g->request.not_after = g->request.not_before + (time_t)days * DAY;
    return build(p, g, csr_spki(csr), e);
}

int
policy_same(struct policy_grant *g, struct span serial, struct span tbs, struct err *e)
{
    CLEANUP(buf_free) struct buf again = BUF_INIT(TBS_MAX);

    if (serial.n != sizeof(g->request.serial)) {
        return err_set(e, ERR_DENIED, "a serial number of %zu octets", serial.n);
    }
    memcpy(g->request.serial, serial.p, serial.n);
    if (tbs_build(&g->request, &again, e) != 0) {
        return -1;
    }
    return span_equal(buf_span(&again), tbs)
               ? 0
               : err_set(e, ERR_DENIED, "the stored TBS is not what the request is given");
}

int
policy_seal(const struct policy *p, struct span tbs, struct span signature,
            const struct policy_grant *g, struct buf *certificate, struct err *e)
{
    /* Verified there: it is about these octets. */
    *certificate = BUF_INIT(tbs.n + SIGNED_OVERHEAD);
    if (signed_assemble(SIGNED_CERTIFICATE, tbs, signature, p->issuing_key, certificate, e) != 0) {
        return -1;
    }
    /* What went through the linter before, octet for octet, would pass again. */
    return g == NULL || span_equal(tbs, buf_span(&g->tbs)) ? 0 : lint_tbs(tbs, &g->request, e);
}
