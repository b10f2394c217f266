/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks, and may they? Cheap checks first, then the one that costs, then what it entitles to
 * (R37 of TS 33.310 and RFC 9483 3.5). An unknown reference and a wrong MAC do the same work and
 * get the same answer: nobody learns here which references exist.
 */
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/registration/registration.h"
#include "ca/x509/name.h"
#include "ca/x509/pubkey.h"
#include "ra/job.h"
#include "ra/judge_own.h"
#include "ra/judge_profile.h"
#include "ra/judge_revoke.h"
#include "ra/mac_cache.h"
#include "ra/nested.h"
#include "ra/seal.h"
#include "ra/support.h"

/* ---- stage 1 ---- */

/* "mac:<reference>" with what a text column may hold. */
static int
identity_of_mac(struct job *job)
{
    struct span kid = cmp_msg_sender_kid(job->msg);

    if (kid.n == 0 || kid.n >= REQUESTS_REFERENCE_SIZE) {
        (void)err_set(&job->e, ERR_DENIED, "senderKID of %zu octets is no reference", kid.n);
        return job_fail(job, CMP_BAD_MESSAGE_CHECK);
    }
    for (size_t i = 0; i < kid.n; i++) {
        if (kid.p[i] <= ' ' || kid.p[i] > '~') {
            (void)err_set(&job->e, ERR_DENIED, "senderKID is no reference");
            return job_fail(job, CMP_BAD_MESSAGE_CHECK);
        }
    }
    (void)snprintf(job->identity, sizeof(job->identity), "mac:%.*s", (int)kid.n,
                   (const char *)kid.p);
    return 0;
}

static int
hash_of_key(X509 *certificate, uint8_t out[SHA256_SIZE], struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);

    return OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(certificate), &spki, e) != 0
               ? -1
               : sha256(buf_span(&spki), out, e);
}

/* "cert:<SHA-256>" */
static int
identity_of_signature(struct job *job)
{
    char hex[2 * SHA256_SIZE + 1];
    struct span der = cmp_msg_extra(job->msg, 0);

    job->signer = cmp_msg_signer(job->msg, &job->e);
    if (job->signer == NULL) {
        return job_fail(job, CMP_BAD_MESSAGE_CHECK);
    }
    if (hash_of_key(job->signer, job->signer_key, &job->e) != 0) {
        return job_fail(job, CMP_BAD_MESSAGE_CHECK); /* longer than any key that we take */
    }
    if (sha256(der, job->fingerprint, &job->e) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    hex_format(span_of(job->fingerprint, sizeof(job->fingerprint)), hex);
    (void)snprintf(job->identity, sizeof(job->identity), "cert:%s", hex);
    job->signer_issuer = name_text(X509_get_issuer_name(job->signer));
    job->signer_subject = name_text(X509_get_subject_name(job->signer));
    judge_own_identify(job);
    return 0;
}

static int
identify(struct job *job)
{
    job->protection = cmp_protection_of(job->msg);
    switch (job->protection) {
    case CMP_PROTECTION_MAC:
        return identity_of_mac(job);
    case CMP_PROTECTION_SIGNATURE:
        return identity_of_signature(job);
    case CMP_UNPROTECTED:
        (void)err_set(&job->e, ERR_DENIED, "the message is not protected");
        return job_fail(job, CMP_BAD_MESSAGE_CHECK);
    case CMP_PROTECTION_UNKNOWN:
        (void)err_set(&job->e, ERR_DENIED, "protectionAlg is none of ours");
        return job_fail(job, CMP_BAD_ALG);
    }
    return job_fail(job, CMP_BAD_ALG);
}

int
judge_form(struct job *job)
{
    struct span raw = http_exchange_request(job->exchange)->body;
    bool first;

    job->failure = CMP_NO_FAILURE;
    job->msg = cmp_msg_parse(raw, CMP_MESSAGE_MAX, &job->e);
    if (job->msg == NULL) {
        return job_fail(job, CMP_BAD_DATA_FORMAT);
    }
    job->body = cmp_msg_body(job->msg);
    if (job->body == CMP_NESTED) {
        if (nested_open(job) != 0) {
            return -1;
        }
        job->body = cmp_msg_body(job->msg);
    }
    job->cert_req_id = cmp_body_asks_certificate(job->body) && job->body != CMP_P10CR
                           ? CMP_CERT_REQ_ID
                           : CMP_POLL_OTHER;
    if (sha256(cmp_msg_der(job->msg), job->rid, &job->e) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    /* A client that lost our only answer knows no nonce of ours: its poll has the form of a first
     * message, and check_nonce() decides. */
    first = !cmp_is_later(job->body) ||
            (job->body == CMP_POLLREQ && cmp_msg_recip_nonce(job->msg).n == 0);
    if ((first
             ? cmp_check_first(job->msg, &job->ra->rules, job->now, &job->failure, &job->e)
             : cmp_check_later(job->msg, &job->ra->rules, job->now, &job->failure, &job->e)) != 0) {
        return -1;
    }
    if (!route_takes(&job->route, job->body) &&
        (job->outer == NULL || job->route.body != (int)CMP_NESTED)) {
        (void)err_set(&job->e, ERR_DENIED, "%s on a path for another operation",
                      cmp_body_name(job->body));
        return job_fail(job, CMP_BAD_REQUEST);
    }
    if (job->body == CMP_RR) {
        judge_revoke_form(job);
    }
    return identify(job);
}

/* ---- stage 2: authentication ---- */

/* The registration's secret, or one that nobody has when there is none: the same work follows. */
static int
open_secret(struct job *job, struct buf *secret, bool *real)
{
    *real = job->registered && job->registration.sealed.n > 0 && !job->registration.cancelled;
    if (*real) {
        return seal_open(buf_span(&job->ra->seal_key), job->registration.id,
                         buf_span(&job->registration.sealed), secret, &job->e);
    }
    return seal_make_secret(secret, &job->e);
}

static int
authenticate_mac(struct job *job)
{
    CLEANUP(buf_free) struct buf secret = BUF_SECRET(128);
    uint32_t count_max = job->ra->rules.mac.count_max;
    bool real = false;

    if (open_secret(job, &secret, &real) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    /* A first message derives in any case: it must not show whether its reference is known. */
    if (real && job->found) {
        job->key = mac_cache_get(job->ra->mac_cache, job->registration.id,
                                 cmp_msg_protection_alg(job->msg), job->now);
    }
    if (job->key == NULL) {
        job->key = cmp_mac_key_new(cmp_msg_protection_alg(job->msg), buf_span(&secret), count_max,
                                   &job->failure, &job->e);
    }
    if (job->key == NULL || cmp_mac_verify(job->key, job->msg, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (!real) {
        (void)err_set(&job->e, ERR_DENIED, "nobody is registered under this reference");
        return job_fail(job, CMP_BAD_MESSAGE_CHECK);
    }
    job->authenticated = true;
    if (cmp_body_asks_certificate(job->body) && !cmp_msg_implicit_confirm(job->msg)) {
        mac_cache_put(job->ra->mac_cache, job->registration.id, job->key, job->now);
    }
    return 0;
}

static int
check_path(struct job *job, bool pinned)
{
    const struct trust *trust = job->ra->credentials.trust;

    return pinned
               ? trust_check_pinned(trust, job->msg, job->signer, job->now, &job->failure, &job->e)
               : trust_check_initial(trust, job->msg, job->signer, job->now, &job->failure,
                                     &job->e);
}

static int
authenticate_signature(struct job *job)
{
    bool usable = job->registered && !job->registration.cancelled;
    bool pinned = usable && (job->registration.proof == PROOF_CERTIFICATE ||
                             job->registration.proof == PROOF_PUBLIC_KEY);

    if (cmp_signature_verify(job->msg, job->signer, &job->failure, &job->e) != 0 ||
        (judge_own_applies(job) || (job->own && !pinned) ? judge_own_path(job)
                                                         : check_path(job, pinned)) != 0) {
        /* The rest of the path is good, so this is no stranger: RFC 9483 3.6.2. */
        job->in_body = job->failure == CMP_CERT_REVOKED && cmp_body_asks_certificate(job->body);
        return -1;
    }
    /* That it is revoked is said in the body, also when its registration was cancelled. */
    if (!usable && !job->held.revoked && !(job->body == CMP_RR && judge_own_applies(job))) {
        (void)err_set(&job->e, ERR_DENIED, "nobody is registered with this certificate");
        return job_fail(job, CMP_NOT_AUTHORIZED);
    }
    job->authenticated = true;
    return 0;
}

/* ---- stage 2: what the registration has ---- */

static bool
is_own_fqdn(const struct nf_identity *nf, const char *name, size_t n)
{
    for (size_t i = 0; i < nf->n_fqdns; i++) {
        if (strlen(nf->fqdns[i]) == n && strncasecmp(nf->fqdns[i], name, n) == 0) {
            return true;
        }
    }
    return false;
}

/* The subject is a suggested name (RFC 9810 5.3.1; TS 33.310 9.5.4.2), and the certificate says
 * what the registration says: a country or an organization that is not the registered one is a
 * request that went to the wrong place; all other parts, which no certificate of ours has, are
 * passed over. */
static bool
subject_part_agrees(const struct nf_identity *nf, const X509_NAME_ENTRY *entry)
{
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    const char *text = (const char *)ASN1_STRING_get0_data(value);
    size_t n = (size_t)ASN1_STRING_length(value);

    switch (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))) {
    case NID_countryName:
        return n == strlen(nf->country) && strncasecmp(text, nf->country, n) == 0;
    case NID_organizationName:
        return n == strlen(nf->home_domain) && strncasecmp(text, nf->home_domain, n) == 0;
    default:
        return true;
    }
}

/* What a certificate of the profile names besides the FQDNs. */
static bool
is_own_type(const struct nf_identity *nf, const struct profile *profile, const char *name, size_t n)
{
    for (size_t i = 0; profile->extra_dns_nf_type && i < nf->n_types; i++) {
        if (strlen(nf->types[i]) == n && memcmp(nf->types[i], name, n) == 0) {
            return true;
        }
    }
    return false;
}

static bool
name_agrees(const struct nf_identity *nf, const struct profile *profile, const GENERAL_NAME *name)
{
    static const char prefix[] = "urn:uuid:";
    const ASN1_IA5STRING *text;
    const char *p;
    size_t n;

    if (name->type != GEN_DNS && name->type != GEN_URI) {
        return false;
    }
    text = name->d.ia5;
    p = (const char *)ASN1_STRING_get0_data(text);
    n = (size_t)ASN1_STRING_length(text);
    if (name->type == GEN_DNS) {
        return is_own_fqdn(nf, p, n) || is_own_type(nf, profile, p, n);
    }
    return n == sizeof(prefix) - 1 + strlen(nf->instance_id) &&
           strncasecmp(p, prefix, sizeof(prefix) - 1) == 0 &&
           strncasecmp(p + sizeof(prefix) - 1, nf->instance_id, strlen(nf->instance_id)) == 0;
}

static int
check_wishes(struct job *job, const struct nf_identity *nf, const struct profile *profile)
{
    const X509_NAME *subject = cmp_certreq_subject(job->certreq);
    CLEANUP(general_names_cleanup)
    GENERAL_NAMES *names =
        X509V3_get_d2i(cmp_certreq_extensions(job->certreq), NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < X509_NAME_entry_count(subject); i++) {
        if (!subject_part_agrees(nf, X509_NAME_get_entry(subject, i))) {
            (void)err_set(&job->e, ERR_DENIED, "the subject asked for is not the registered one");
            return job_fail(job, CMP_NOT_AUTHORIZED);
        }
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (!name_agrees(nf, profile, sk_GENERAL_NAME_value(names, i))) {
            (void)err_set(&job->e, ERR_DENIED, "a subjectAltName asked for is not registered");
            return job_fail(job, CMP_NOT_AUTHORIZED);
        }
    }
    return 0;
}

static int
check_proof(struct job *job, const struct registration *registration)
{
    if (judge_own_right(job) != 0) {
        return -1;
    }
    if (judge_own_applies(job)) {
        return 0; /* the CA issued it to this network function */
    }
    switch (registration->proof.kind) {
    case PROOF_MAC:
        if (job->protection == CMP_PROTECTION_MAC) {
            return 0;
        }
        break;
    case PROOF_CERTIFICATE:
    case PROOF_VENDOR:
        if (job->protection == CMP_PROTECTION_SIGNATURE) {
            return registration_matches_certificate(registration, job->signer, &job->e) == 0
                       ? 0
                       : job_fail(job, CMP_NOT_AUTHORIZED);
        }
        break;
    case PROOF_PUBLIC_KEY:
        if (job->protection == CMP_PROTECTION_SIGNATURE) {
            return 0; /* check_asked_key(), when the key that it asks for is known */
        }
        break;
    }
    (void)err_set(&job->e, ERR_DENIED, "the registration wants another proof");
    return job_fail(job, CMP_WRONG_INTEGRITY);
}

/* Proof publicKey: the registered key protects the request and is what the request asks for. */
static int
check_asked_key(struct job *job, const struct registration *registration)
{
    struct span spki = cmp_certreq_spki(job->certreq);
    uint8_t asked[SHA256_SIZE];

    if (registration->proof.kind != PROOF_PUBLIC_KEY || judge_own_applies(job)) {
        return 0;
    }
    if (sha256(spki, asked, &job->e) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    if (memcmp(asked, job->signer_key, sizeof(asked)) != 0) {
        (void)err_set(&job->e, ERR_DENIED,
                      "the request is not protected by the key that it asks for");
        return job_fail(job, CMP_NOT_AUTHORIZED);
    }
    return registration_matches_spki(registration, spki, &job->e) == 0
               ? 0
               : job_fail(job, CMP_NOT_AUTHORIZED);
}

static int
prepare_entry(struct job *job)
{
    const struct credentials *c = &job->ra->credentials;
    struct cmp_queue_entry entry = {.received_at = job->now};
    struct cmp_wrapper wrapper = {
        .ra = X509_get_subject_name(c->certificate),
        .ca = X509_get_subject_name(c->issuing),
        .sender_kid = c->ski,
        .algorithm = signer_algorithm_identifier(job->ra->signer),
        .time = job->now,
    };

    entry.assurance =
        job->protection == CMP_PROTECTION_MAC ? CMP_ASSURANCE_MAC : CMP_ASSURANCE_SIGNATURE;
    (void)snprintf(entry.registration_id, sizeof(entry.registration_id), "%s",
                   job->registration.id);
    (void)snprintf(entry.profile, sizeof(entry.profile), "%s", job->profile);
    job->part = BUF_INIT(CMP_NESTED_MAX);
    if (cmp_queue_build(&entry, job->msg, &wrapper, &job->part, &job->e) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    return 0;
}

/* When nobody names one: that of the certificate that signs, else the first registered one. */
static const char *
default_profile(const struct job *job, const struct registration *registration)
{
    return judge_own_profile(job)[0] != '\0' ? judge_own_profile(job)
                                             : registration->profiles[0].profile->name;
}

/* Which profile: the one that certProfile names (RFC 9810 5.1.1.4), or the path, who must not
 * disagree; else the default. */
static int
choose_profile(struct job *job, const struct registration *registration)
{
    const struct registered_profile *chosen;
    char wish[CMP_PROFILE_NAME_MAX + 1];
    const char *name = job->route.profile;

    if (cmp_profile_read(job->msg, wish, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (wish[0] != '\0' && name[0] != '\0' && strcmp(wish, name) != 0) {
        (void)err_set(&job->e, ERR_DENIED, "certProfile is %s and the path's profile %s", wish,
                      name);
        job->phrase = "certProfile is not the profile of the path";
        return job_fail(job, CMP_NOT_AUTHORIZED);
    }
    if (wish[0] != '\0') {
        name = wish;
    } else if (name[0] == '\0') {
        name = default_profile(job, registration);
    }
    chosen = registration_profile(registration, name);
    if (chosen == NULL) {
        (void)err_set(&job->e, ERR_DENIED, "profile %s is not registered", name);
        return job_fail(job, CMP_NOT_AUTHORIZED);
    }
    if (job->body == CMP_KUR && job->held.profile[0] != '\0' &&
        strcmp(name, job->held.profile) != 0) {
        (void)err_set(&job->e, ERR_DENIED, "a kur for another profile than its certificate's");
        return job_fail(job, CMP_NOT_AUTHORIZED);
    }
    /* The window is that of initial certificates; the CA says what a holder may. */
    if (!judge_own_applies(job) &&
        registration_allows(registration, chosen->profile, job->now, &job->e) != 0) {
        return job_fail(job, CMP_NOT_AUTHORIZED);
    }
    (void)snprintf(job->profile, sizeof(job->profile), "%s", name);
    return 0;
}

/* What is asked for, against what the registration and its profile have. */
static int
check_asked(struct job *job, const struct registration *registration)
{
    const struct nf_identity *nf = &registration->nf;
    const struct profile *profile = registration_profile(registration, job->profile)->profile;

    return check_asked_key(job, registration) != 0 || check_wishes(job, nf, profile) != 0 ||
                   judge_profile(job, profile, nf) != 0
               ? -1
               : 0;
}

/* For the answer, which may be fetched later. */
static int
keep_wishes(struct job *job)
{
    job->asked = BUF_INIT(CMP_MESSAGE_MAX);
    return cmp_certreq_encode_asked(job->certreq, &job->asked, &job->e) != 0
               ? job_fail(job, CMP_SYSTEM_FAILURE)
               : 0;
}

static int
judge_first(struct job *job)
{
    struct registration *registration = mem_zalloc(1, sizeof(*registration));
    int result = -1;

    job->in_body = job->body != CMP_GENM;
    job->uncounted = judge_own_applies(job);
    if (job->held.revoked) {
        (void)err_set(&job->e, ERR_DENIED, "signed with a certificate that is revoked");
        (void)job_fail(job, CMP_CERT_REVOKED);
    } else if (job->body == CMP_RR) {
        result = judge_revoke(job);
    } else if (registration_parse(buf_span(&job->registration.json), &job->ra->stored_rules,
                                  registration, &job->e) != 0) {
        (void)job_fail(job, job->e.code == ERR_DENIED ? CMP_NOT_AUTHORIZED : CMP_SYSTEM_FAILURE);
    } else if (job->body == CMP_GENM) {
        result = check_proof(job, registration) == 0 ? support_judge(job, registration) : -1;
        if (result == 0 && support_asks_keys(job)) {
            result = choose_profile(job, registration);
            if (result == 0) {
                support_set_keys(job, registration_profile(registration, job->profile)->profile);
            }
        }
        mem_free(registration);
        return result;
    } else if (check_proof(job, registration) == 0 && choose_profile(job, registration) == 0) {
        job->superseding = registration->supersedes[0] != '\0';
        job->certreq = cmp_certreq_read(job->msg, &job->failure, &job->e);
        if (job->certreq == NULL && job->e.code == ERR_DENIED) {
            job->phrase = "keys are not made here: make one, and send its public half";
        }
        if (job->certreq != NULL && check_asked(job, registration) == 0 &&
            judge_own_wishes(job) == 0 &&
            cmp_certreq_check_pop(job->certreq, &job->failure, &job->e) == 0) {
            result = keep_wishes(job);
        }
    }
    mem_free(registration);
    return result == 0 ? prepare_entry(job) : -1;
}

/* Our last senderNonce, or the one before it, when the last answer got lost on its way. A poll may
 * have none: a client that lost our only answer knows none (RFC 9483 4.4). */
static int
check_nonce(struct job *job)
{
    struct span given = cmp_msg_recip_nonce(job->msg);
    struct span last = buf_span(&job->enrolment.nonce);
    struct span before = buf_span(&job->enrolment.nonce_before);

    if (given.n == 0 && job->body == CMP_POLLREQ) {
        return 0;
    }
    if (given.n > 0 && (span_equal_secret(given, last) || span_equal_secret(given, before))) {
        return 0;
    }
    (void)err_set(&job->e, ERR_DENIED, "recipNonce is none of our senderNonces");
    return job_fail(job, CMP_BAD_RECIPIENT_NONCE);
}

static int
judge_certconf(struct job *job)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    const struct requests_enrolment *x = &job->enrolment;

    if (x->state == REQUESTS_CONFIRMED || x->state == REQUESTS_REJECTED) {
        (void)err_set(&job->e, ERR_CONFLICT, "certConf after the end of the transaction");
        return job_fail(job, CMP_CERT_CONFIRMED);
    }
    if (x->certificate.n == 0) {
        (void)err_set(&job->e, ERR_CONFLICT, "certConf without a certificate");
        return job_fail(job, CMP_BAD_REQUEST);
    }
    certificate = certificate_parse_keyless(buf_span(&x->certificate), &job->e);
    if (certificate == NULL) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    if (cmp_certconf_read(job->msg, x->cert_req_id, &job->certconf, &job->failure, &job->e) != 0 ||
        cmp_certconf_match(&job->certconf, certificate, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (x->state == REQUESTS_CONFIRMING) {
        if (job->certconf.accepted == x->accepted) {
            return 0; /* says the same again */
        }
        (void)err_set(&job->e, ERR_CONFLICT, "another certConf than the one before");
        return job_fail(job, CMP_CERT_CONFIRMED);
    }
    (void)snprintf(job->profile, sizeof(job->profile), "%s", x->profile);
    return prepare_entry(job);
}

/* RFC 9483 4.4: the certReqId of the request, or -1 for the pkiConf and whatever is no certificate.
 */
static int
judge_pollreq(struct job *job)
{
    if (cmp_pollreq_read(job->msg, &job->poll_id, &job->failure, &job->e) != 0) {
        return -1;
    }
    if (job->poll_id != CMP_POLL_OTHER && job->poll_id != job->enrolment.cert_req_id) {
        (void)err_set(&job->e, ERR_INPUT, "pollReq: certReqId is not that of the request");
        return job_fail(job, CMP_BAD_REQUEST);
    }
    return job->enrolment.body == CMP_GENM ? support_poll(job) : 0;
}

/* RFC 9483 3.6.1 has no errors of end entities; RFC 9810 5.3.21 has them answered with pkiConf.
 * What it says is for the log, and its transaction is over. */
static int
judge_error(struct job *job)
{
    struct cmp_status_info said;

    if (cmp_error_read(job->msg, &said, &job->failure, &job->e) != 0) {
        return -1;
    }
    log_event(LOG_WARNING, "client-error", "%s ends its transaction: status %d, failInfo 0x%x, %s",
              job->identity, (int)said.status, said.failures, said.text);
    return 0;
}

int
judge_requester(struct job *job)
{
    bool later = cmp_is_later(job->body);

    job->failure = CMP_NO_FAILURE;
    if (later && !job->found) {
        (void)err_set(&job->e, ERR_NOTFOUND, "%s without its transaction",
                      cmp_body_name(job->body));
        return job_fail(job, job->known ? CMP_WRONG_INTEGRITY : CMP_BAD_REQUEST);
    }
    if ((job->protection == CMP_PROTECTION_MAC ? authenticate_mac(job)
                                               : authenticate_signature(job)) != 0) {
        return -1;
    }
    if (!later) {
        return judge_first(job);
    }
    if (check_nonce(job) != 0) {
        return -1;
    }
    if (job->body == CMP_CERTCONF) {
        return judge_certconf(job);
    }
    return job->body == CMP_ERROR ? judge_error(job) : judge_pollreq(job);
}
