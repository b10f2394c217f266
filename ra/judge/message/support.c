/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/message/support.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "ca/registration/registration.h"
#include "ca/x509/name.h"
#include "ca/x509/profile/profile.h"
#include "ca/x509/pubkey.h"
#include "ra/daemon/crl_files.h"
#include "ra/judge/job.h"

enum { GENERAL_NAME_DIRECTORY = DER_CONTEXT | 4, GENERAL_NAME_URI = 0x86 };

/* The CRL of the CA is called so by nfpki-ca(8). */
#define ISSUING_CRL "issuing.crl"

/* What is offered of what a profile may take: bit i of job->facts.question.keys is row i. */
static const struct {
    enum pubkey_kind kind;
    int bits;
} keys[] = {
    {PUBKEY_P256, 256}, {PUBKEY_P384, 384}, {PUBKEY_RSA, PUBKEY_RSA_BITS_MIN},
    {PUBKEY_RSA, 3072}, {PUBKEY_RSA, 4096},
};

bool
support_asks_keys(const struct job *job)
{
    return job->facts.question.genm.info == CMP_INFO_TEMPLATE ||
           job->facts.question.genm.info == CMP_INFO_SIGN_KEY_TYPES;
}

void
support_set_keys(struct job *job, const struct profile *profile)
{
    job->facts.question.keys = 0;
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        if (profile_takes_key(profile, keys[i].kind, keys[i].bits)) {
            job->facts.question.keys |= 1U << i;
        }
    }
}

/* Does one of the names say this CRL? Names of other kinds say none. */
static bool
is_named(const struct crl_file *file, const struct cmp_crl_status *status)
{
    struct span names = status->names;
    struct der name;

    while (der_next(&names, &name)) {
        if (name.tag == GENERAL_NAME_DIRECTORY) {
            const unsigned char *p = name.content.p;
            CLEANUP(x509_name_cleanup)
            X509_NAME *issuer = d2i_X509_NAME(NULL, &p, (long)name.content.n);

            if (issuer != NULL && crl_file_is_of(file, issuer)) {
                return true;
            }
        } else if (name.tag == GENERAL_NAME_URI && !status->is_issuer &&
                   crl_file_is_at(file, name.content)) {
            return true;
        }
    }
    return false;
}

/* Is the CRL of our CA among what is asked for? */
static bool
asks_issuing_crl(const struct job *job)
{
    struct cmp_crl_status list[CMP_CRL_STATUS_MAX];
    const struct crl_file issuing = {.name = ISSUING_CRL,
                                     .issuer = X509_get_subject_name(job->ra->credentials.issuing)};
    enum cmp_failure failure;
    struct err e;
    size_t n;

    if (job->facts.question.genm.info == CMP_INFO_CURRENT_CRL) {
        return true;
    }
    if (job->facts.question.genm.info != CMP_INFO_CRLS ||
        cmp_crl_status_read(job->facts.question.genm.value, list, &n, &failure, &e) != 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (is_named(&issuing, &list[i])) {
            return true;
        }
    }
    return false;
}

/* There will be a current one as soon as the CA is back. */
static bool
must_wait(const struct job *job)
{
    const char *dir = job->ra->settings->crl_dir;
    const X509_NAME *issuing = X509_get_subject_name(job->ra->credentials.issuing);
    CLEANUP(crl_files_cleanup) struct crl_files *crls = NULL;
    struct err e;

    if (dir == NULL || !asks_issuing_crl(job)) {
        return false;
    }
    crls = crl_files_read(dir, &e);
    for (size_t i = 0; crls != NULL && i < crls->n; i++) {
        if (crl_file_is_of(&crls->files[i], issuing)) {
            return crls->files[i].next_update < job->now;
        }
    }
    return crls != NULL; /* a folder that cannot be read is no reason to wait */
}

int
support_poll(struct job *job)
{
    if (cmp_genm_parse(buf_span(&job->enrolment.question), &job->facts.question.genm, &job->failure,
                       &job->e) != 0) {
        return job_fail(job, CMP_SYSTEM_FAILURE);
    }
    job->facts.question.waits = must_wait(job);
    return 0;
}

int
support_judge(struct job *job, const struct registration *registration)
{
    CLEANUP(x509_cleanup) X509 *root = NULL;
    struct cmp_crl_status list[CMP_CRL_STATUS_MAX];
    size_t n;

    /* The window is for enrolments; who has a certificate may ask on. A secret ends with it. */
    if (job->protection == CMP_PROTECTION_MAC && job->now > registration->not_after) {
        (void)err_set(&job->e, ERR_DENIED, "the registration has ended");
        return job_say_window(job, registration);
    }
    if (cmp_genm_read(job->msg, &job->facts.question.genm, &job->failure, &job->e) != 0) {
        return job->failure == CMP_BAD_REQUEST ? job_say(job, PHRASE_GENM) : -1;
    }
    if (job->facts.question.genm.info == CMP_INFO_CRLS &&
        cmp_crl_status_read(job->facts.question.genm.value, list, &n, &job->failure, &job->e) !=
            0) {
        return -1;
    }
    job->facts.question.waits = must_wait(job);
    if (job->facts.question.genm.info == CMP_INFO_ROOT_UPDATE &&
        job->facts.question.genm.value.n != 0) {
        root = certificate_parse_keyless(job->facts.question.genm.value, &job->e);
        return root != NULL ? 0 : job_fail(job, CMP_BAD_DATA_FORMAT);
    }
    return 0;
}

/* ---- answers ---- */

static bool
takes(const struct job *job, size_t i)
{
    return (job->facts.question.keys >> i & 1U) != 0;
}

/* A kind stands there once, however many lengths of RSA there are. */
static int
key_types_body(const struct job *job, struct buf *body, struct err *e)
{
    struct span types[ARRAY_LEN(keys)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct span type = pubkey_kind_identifier(keys[i].kind);

        if (takes(job, i) && (n == 0 || !span_equal(type, types[n - 1]))) {
            types[n++] = type;
        }
    }
    return cmp_body_genp_list(CMP_INFO_SIGN_KEY_TYPES, types, n, body, e);
}

static int
template_body(const struct job *job, struct buf *body, struct err *e)
{
    CLEANUP(mem_cleanup)
    struct registration *registration = mem_new(sizeof(*registration));
    CLEANUP(buf_free) struct buf subject = BUF_INIT(NAME_DER_MAX);
    struct span curves[ARRAY_LEN(keys)];
    int bits[ARRAY_LEN(keys)];
    struct cmp_key_spec spec = {.algorithms = curves, .rsa_bits = bits};
    struct name name;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (takes(job, i) && keys[i].kind == PUBKEY_RSA) {
            bits[spec.n_rsa_bits++] = keys[i].bits;
        } else if (takes(job, i)) {
            curves[spec.n_algorithms++] = pubkey_kind_identifier(keys[i].kind);
        }
    }
    if (registration_parse(buf_span(&job->registration.json), &job->ra->stored_rules, registration,
                           e) != 0 ||
        name_set(&name, registration->nf.country, registration->nf.home_domain, NULL, e) != 0 ||
        name_encode(&name, &subject, e) != 0) {
        return -1;
    }
    return cmp_body_genp_template(buf_span(&subject), &spec, body, e);
}

static int
root_body(const struct job *job, struct buf *body, struct err *e)
{
    const struct root_update *u = &job->ra->credentials.root_update;
    CLEANUP(x509_cleanup) X509 *asked = NULL;

    if (job->facts.question.genm.value.n != 0) {
        asked = certificate_parse_keyless(job->facts.question.genm.value, e);
        if (asked == NULL) {
            return -1;
        }
    }
    if (!root_update_is_for(u, asked)) {
        return cmp_body_genp_none(CMP_INFO_ROOT_UPDATE, body, e);
    }
    return cmp_body_genp_root(buf_span(&u->new_with_new), buf_span(&u->new_with_old),
                              buf_span(&u->old_with_new), body, e);
}

static int
current_crl_body(const struct job *job, const struct crl_files *crls, struct buf *body,
                 struct err *e)
{
    const X509_NAME *issuing = X509_get_subject_name(job->ra->credentials.issuing);

    for (size_t i = 0; i < crls->n; i++) {
        if (crl_file_is_of(&crls->files[i], issuing)) {
            return cmp_body_genp_one(CMP_INFO_CURRENT_CRL, buf_span(&crls->files[i].der), body, e);
        }
    }
    return cmp_body_genp_none(CMP_INFO_CURRENT_CRL, body, e);
}

/* RFC 9483 4.3.4: of the asked ones those that are newer than the asker's. */
static bool
is_wanted(const struct crl_file *file, const struct cmp_crl_status *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        /* 0, which all of them are newer than: the asker has none */
        if (is_named(file, &list[i]) && file->this_update > list[i].this_update) {
            return true;
        }
    }
    return false;
}

static int
crls_body(struct job *job, const struct crl_files *crls, struct buf *body, struct err *e)
{
    struct cmp_crl_status list[CMP_CRL_STATUS_MAX];
    struct span wanted[CRL_FILES_MAX];
    size_t n_list;
    size_t n = 0;

    if (cmp_crl_status_read(job->facts.question.genm.value, list, &n_list, &job->failure, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < crls->n; i++) {
        if (is_wanted(&crls->files[i], list, n_list)) {
            wanted[n++] = buf_span(&crls->files[i].der);
        }
    }
    return cmp_body_genp_list(CMP_INFO_CRLS, wanted, n, body, e);
}

static int
crl_body(struct job *job, struct buf *body, struct err *e)
{
    const char *dir = job->ra->settings->crl_dir;
    CLEANUP(crl_files_cleanup) struct crl_files *crls = NULL;

    if (dir == NULL) {
        return cmp_body_genp_none(job->facts.question.genm.info, body, e);
    }
    crls = crl_files_read(dir, e);
    if (crls == NULL) {
        return -1;
    }
    if ((job->facts.question.genm.info == CMP_INFO_CURRENT_CRL
             ? current_crl_body(job, crls, body, e)
             : crls_body(job, crls, body, e)) == 0) {
        return 0;
    }
    /* An answer without it would say that there is none. */
    return e->code == ERR_INPUT ? job_say(job, PHRASE_LONG_CRL) : -1;
}

int
support_body(struct job *job, struct buf *body, struct err *e)
{
    struct span issuing = buf_span(&job->ra->credentials.issuing_der);
    int result = -1;

    job->failure = CMP_SYSTEM_FAILURE;
    switch (job->facts.question.genm.info) {
    case CMP_INFO_CA_CERTS:
        result = cmp_body_genp_list(CMP_INFO_CA_CERTS, &issuing, 1, body, e);
        break;
    case CMP_INFO_ROOT_UPDATE:
        result = root_body(job, body, e);
        break;
    case CMP_INFO_TEMPLATE:
        result = template_body(job, body, e);
        break;
    case CMP_INFO_SIGN_KEY_TYPES:
        result = key_types_body(job, body, e);
        break;
    case CMP_INFO_CRLS:
    case CMP_INFO_CURRENT_CRL:
        result = crl_body(job, body, e);
        break;
    }
    if (result == 0) {
        job->failure = CMP_NO_FAILURE;
    }
    return result;
}
