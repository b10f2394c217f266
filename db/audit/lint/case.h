/* SPDX-License-Identifier: Apache-2.0 */
/*
 * case.h - one certificate, with all that the record says about it, as a lint is given it; and how
 * a lint answers. Everything is borrowed.
 */
#pragma once

#include <jansson.h>
#include <openssl/x509.h>

#include "base/ossl.h"
#include "db/audit/der/outline.h"
#include "db/audit/lint/expected.h"
#include "db/ledger/leaf.h"

struct lint_case {
    const struct leaf *intent;
    struct span der;
    X509 *certificate; /* NULL: it is none that OpenSSL reads */
    struct audit_outline outline;
    time_t issued;                      /* when ISSUED was recorded */
    const struct lint_profile *profile; /* NULL: not in the table; then `unknown` says which */
    const char *unknown;
    bool no_profile;        /* its file is here, and has none of that name */
    const json_t *document; /* what the registrar signed; NULL: nothing in the record */
    X509 *issuer;           /* by whom, as the last START says; NULL: not given */
    bool serial_twice;      /* another certificate has its serial number */
    const char *key_owner;  /* who else has this key: an NF instance, or a profile; NULL: nobody */
};

enum lint_outcome {
    LINT_PASSED,
    LINT_FAILED,
    LINT_NOT_RUN, /* it could not be asked */
    LINT_APART,   /* it is of other certificates */
};

/* One question. `why` is set unless it has passed or is apart. */
typedef enum lint_outcome lint_check(const struct lint_case *, struct err *why);

#define LINT_FAIL(why, ...) ((void)err_text((why), ERR_DENIED, __VA_ARGS__), LINT_FAILED)

/* ---- octets.c ---- */
lint_check lint_der_canonical, lint_version, lint_serial_positive, lint_serial_size,
    lint_serial_twice, lint_serial_intent, lint_tbs_intent, lint_signature_algorithm,
    lint_signature_issuer, lint_unique_ids;

/* ---- fields.c ---- */
lint_check lint_issuer_name, lint_validity_form, lint_validity_order, lint_validity_cap,
    lint_validity_issuer, lint_validity_recorded, lint_validity_intent, lint_validity_registration;

/* ---- key.c ---- */
lint_check lint_key_kind, lint_key_valid, lint_key_rsa, lint_key_issuer, lint_key_owner,
    lint_ski_value, lint_aki_form, lint_aki_value;

/* ---- extensions.c ---- */
lint_check lint_ext_once, lint_ext_allowed, lint_ext_missing, lint_ext_critical, lint_ext_form,
    lint_bc_end_entity, lint_crldp_form, lint_status_one, lint_policies_value;

/* ---- purpose.c ---- */
lint_check lint_ku_value, lint_eku_value, lint_eku_any, lint_eku_pair, lint_nftypes_form,
    lint_nftypes_registered, lint_profile_known, lint_profile_enabled, lint_profile_registered,
    lint_profile_types;

/* ---- names.c ---- */
lint_check lint_subject_form, lint_subject_registered, lint_san_kinds, lint_san_dns,
    lint_san_wildcard, lint_san_uuid, lint_san_registered, lint_san_domain, lint_san_server,
    lint_registration_nf;

/* The profile of an INTENT for what a restore adopted: its certificate is of another time. */
#define LINT_ADOPTED "adopted"

/* ---- what several of them need (case.c) ---- */

/* The extension of this name in the table (expected.h), the first one; NULL: there is none. */
X509_EXTENSION *lint_case_extension(const struct lint_case *, const char *name);
struct span lint_extension_value(X509_EXTENSION *);
/* "2.5.29.15" */
enum { LINT_OID_MAX = 128 };
void lint_oid_text(const ASN1_OBJECT *, char out[LINT_OID_MAX]);
/* A text of what the registrar signed; NULL when it has none. */
const char *lint_document_text(const struct lint_case *, const char *name);
const json_t *lint_document_list(const struct lint_case *, const char *name);
bool lint_list_has(const json_t *list, const char *text);
/* Validity as times; false: no times. */
bool lint_times(const X509 *, time_t *from, time_t *until);
bool lint_is_nf(const struct lint_case *);
/* The text of a dNSName; NULL for another kind of name. Octets of 0 become '?', which is in no
 * name. */
char *lint_dns_text(const GENERAL_NAME *) OWNED(mem_free);
