/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/support.h"

#include <string.h>

#include "base/ossl.h"
#include "ca/cmp/der.h"
#include "ca/registration/registration.h"
#include "ca/x509/name.h"
#include "ca/x509/profile.h"
#include "ca/x509/pubkey.h"
#include "ra/crl_files.h"
#include "ra/job.h"

enum { GENERAL_NAME_DIRECTORY = DER_CONTEXT | 4, GENERAL_NAME_URI = 0x86, DIRECTORY_MAX = 4096 };

static const int rsa_bits[] = {PUBKEY_RSA_BITS_MIN, 3072, 4096};

static int
fail(struct job *job, enum cmp_failure failure, const char *phrase)
{
    job->failure = failure;
    job->phrase = phrase;
    return -1;
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
        return fail(job, CMP_NOT_AUTHORIZED, NULL);
    }
    if (cmp_genm_read(job->msg, &job->genm, &job->failure, &job->e) != 0) {
        job->phrase = job->failure == CMP_BAD_REQUEST
                          ? "one of caCerts, rootCaCert, certReqTemplate, crlStatusList, "
                            "currentCRL, signKeyPairTypes can be asked for at a time"
                          : NULL;
        return -1;
    }
    if (job->genm.info == CMP_INFO_CRLS) {
        return cmp_crl_status_read(job->genm.value, list, &n, &job->failure, &job->e);
    }
    if (job->genm.info == CMP_INFO_ROOT_UPDATE && job->genm.value.n != 0) {
        root = certificate_parse_keyless(job->genm.value, &job->e);
        return root != NULL ? 0 : fail(job, CMP_BAD_DATA_FORMAT, NULL);
    }
    return 0;
}

/* ---- answers ---- */

static int
key_types_body(struct buf *body, struct err *e)
{
    const struct span types[] = {
        pubkey_kind_identifier(PUBKEY_P256),
        pubkey_kind_identifier(PUBKEY_P384),
        pubkey_kind_identifier(PUBKEY_RSA),
    };

    return cmp_body_genp_list(CMP_INFO_SIGN_KEY_TYPES, types, ARRAY_LEN(types), body, e);
}

/* The profile that the request names, else the first registered one. */
static const struct profile *
asked_profile(const struct job *job, const struct registration *registration)
{
    char wish[CMP_PROFILE_NAME_MAX + 1];
    enum cmp_failure ignored;
    const struct registered_profile *found = NULL;
    struct err e;

    if (cmp_profile_read(job->msg, wish, &ignored, &e) == 0) {
        found = registration_profile(registration, wish[0] != '\0' ? wish : job->route.profile);
    }
    return found != NULL ? found->profile : registration->profiles[0].profile;
}

/* What may be asked for: the curves and lengths that the profile takes. */
struct keys {
    struct span curves[2];
    size_t n_curves;
    int bits[ARRAY_LEN(rsa_bits)];
    size_t n_bits;
};

static void
keys_of(const struct profile *profile, struct keys *keys)
{
    static const enum pubkey_kind kinds[] = {PUBKEY_P256, PUBKEY_P384};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (profile_takes_key(profile, kinds[i], 0)) {
            keys->curves[keys->n_curves++] = pubkey_kind_identifier(kinds[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(rsa_bits); i++) {
        if (profile_takes_key(profile, PUBKEY_RSA, rsa_bits[i])) {
            keys->bits[keys->n_bits++] = rsa_bits[i];
        }
    }
}

static int
template_body(const struct job *job, struct buf *body, struct err *e)
{
    CLEANUP(mem_cleanup)
    struct registration *registration = mem_zalloc(1, sizeof(*registration));
    CLEANUP(buf_free) struct buf subject = BUF_INIT(NAME_DER_MAX);
    struct keys keys = {0};
    struct cmp_key_spec spec;
    struct name name;

    if (registration_parse(buf_span(&job->registration.json), &job->ra->stored_rules, registration,
                           e) != 0 ||
        name_set(&name, registration->nf.country, registration->nf.home_domain, NULL, e) != 0 ||
        name_encode(&name, &subject, e) != 0) {
        return -1;
    }
    keys_of(asked_profile(job, registration), &keys);
    spec = (struct cmp_key_spec){keys.curves, keys.n_curves, keys.bits, keys.n_bits};
    return cmp_body_genp_template(buf_span(&subject), &spec, body, e);
}

static int
root_body(const struct job *job, struct buf *body, struct err *e)
{
    const struct root_update *u = &job->ra->credentials.root_update;
    CLEANUP(x509_cleanup) X509 *asked = NULL;

    if (job->genm.value.n != 0) {
        asked = certificate_parse_keyless(job->genm.value, e);
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

/* Does one of the names say this CRL? Names of other kinds say none. */
static bool
is_named(const struct crl_file *file, const struct cmp_crl_status *status)
{
    struct span names = status->names;
    struct der name;

    while (der_next(&names, &name)) {
        if (name.tag == GENERAL_NAME_DIRECTORY && name.content.n < DIRECTORY_MAX) {
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

/* RFC 9483 4.3.4: of the asked ones those that are newer than the asker's. */
static bool
is_wanted(const struct crl_file *file, const struct cmp_crl_status *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_named(file, &list[i]) &&
            (list[i].this_update == 0 || file->this_update > list[i].this_update)) {
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

    if (cmp_crl_status_read(job->genm.value, list, &n_list, &job->failure, e) != 0) {
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
        return cmp_body_genp_none(job->genm.info, body, e);
    }
    crls = crl_files_read(dir, e);
    if (crls == NULL) {
        return -1;
    }
    if ((job->genm.info == CMP_INFO_CURRENT_CRL ? current_crl_body(job, crls, body, e)
                                                : crls_body(job, crls, body, e)) == 0) {
        return 0;
    }
    /* An answer without it would say that there is none. */
    return e->code == ERR_INPUT
               ? fail(job, CMP_SYSTEM_FAILURE,
                      "the CRL is too long for a CMP message; get it from its distribution point")
               : -1;
}

int
support_body(struct job *job, struct buf *body, struct err *e)
{
    struct span issuing = buf_span(&job->ra->credentials.issuing_der);
    int result = -1;

    job->failure = CMP_SYSTEM_FAILURE;
    switch (job->genm.info) {
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
        result = key_types_body(body, e);
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
