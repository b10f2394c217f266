/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/issuer.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/der/certificate.h"

struct issuer {
    char *name;
    X509 *certificate;
    char hash[2 * SHA256_SIZE + 1];
    bool named; /* by a START */
};

struct brought {
    char *name;
    X509_CRL *crl;
    int64_t number;
    char hash[2 * SHA256_SIZE + 1];
    bool found;
};

struct audit_issuers {
    struct issuer *all;
    size_t n, capacity;
    struct brought *crls;
    size_t n_crls, crls_capacity;
    struct issuer *now; /* NULL: the last START names one that is not there */
    bool elsewhere;     /* somebody else verifies certificates */
    struct audit_signatures count;
};

struct audit_issuers *
audit_issuers_new(void)
{
    return mem_new(sizeof(struct audit_issuers));
}

void
audit_issuers_free(struct audit_issuers *a)
{
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        mem_free(a->all[i].name);
        X509_free(a->all[i].certificate);
    }
    for (size_t i = 0; i < a->n_crls; i++) {
        mem_free(a->crls[i].name);
        X509_CRL_free(a->crls[i].crl);
    }
    mem_free(a->all);
    mem_free(a->crls);
    mem_free(a);
}

struct audit_signatures
audit_issuers_count(const struct audit_issuers *a)
{
    return a->count;
}

void
audit_issuers_elsewhere(struct audit_issuers *a)
{
    a->elsewhere = true;
}

/* ---- what is brought ---- */

static int
hash_text(struct span der, char out[2 * SHA256_SIZE + 1], struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    if (sha256(der, hash, e) != 0) {
        return -1;
    }
    hex_format(span_of(hash, sizeof(hash)), out);
    return 0;
}

int
audit_issuers_add(struct audit_issuers *a, const char *name, X509 *certificate, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    struct issuer issuer = {0};

    if (OSSL_ENCODE(X509, certificate, &der, e) != 0 ||
        hash_text(buf_span(&der), issuer.hash, e) != 0) {
        return err_wrap(e, "%s", name);
    }
    if (X509_up_ref(certificate) != 1) {
        return ossl_err(e, ERR_CRYPTO, "%s", name);
    }
    issuer.certificate = certificate;
    issuer.name = mem_strdup(name);
    a->all = mem_grow(a->all, &a->capacity, a->n + 1, sizeof(*a->all));
    a->all[a->n++] = issuer;
    return 0;
}

static int64_t
number_of(const X509_CRL *crl)
{
    CLEANUP(asn1_integer_cleanup)
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    int64_t n = -1;

    return number != NULL && ASN1_INTEGER_get_int64(&n, number) == 1 ? n : -1;
}

int
audit_issuers_add_crl(struct audit_issuers *a, const char *name, struct span der, struct err *e)
{
    const unsigned char *p = der.p;
    struct brought b = {.crl = d2i_X509_CRL(NULL, &p, (long)der.n)};

    b.number = b.crl == NULL ? -1 : number_of(b.crl);
    if (b.number < 0 || p != der.p + der.n || hash_text(der, b.hash, e) != 0) {
        X509_CRL_free(b.crl);
        return ossl_err(e, ERR_INPUT, "%s: not one CRL with a number in DER", name);
    }
    b.name = mem_strdup(name);
    a->crls = mem_grow(a->crls, &a->crls_capacity, a->n_crls + 1, sizeof(*a->crls));
    a->crls[a->n_crls++] = b;
    return 0;
}

/* ---- leaves ---- */

static int
start_note(struct audit_issuers *a, const struct leaf *leaf, struct err *e)
{
    (void)e;
    a->now = NULL;
    for (size_t i = 0; i < a->n && a->now == NULL; i++) {
        if (strcmp(a->all[i].hash, leaf_text(leaf, "issuer")) == 0) {
            a->now = &a->all[i];
            a->now->named = true;
        }
    }
    return 0;
}

static int
issued_check(struct audit_issuers *a, const struct leaf *leaf, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    X509 *issuer;

    if (a->now == NULL) {
        a->count.unverified++;
        return 0;
    }
    if (a->elsewhere) {
        a->count.verified++;
        return 0;
    }
    certificate = audit_certificate(leaf, e);
    if (certificate == NULL) {
        return -1;
    }
    issuer = a->now->certificate;
    if (X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) != 0 ||
        X509_verify(certificate, X509_get0_pubkey(issuer)) != 1) {
        return ossl_err(e, ERR_CRYPTO, "serial %s was issued, and %s did not sign it",
                        leaf_text(leaf, "serial"), a->now->name);
    }
    a->count.verified++;
    return 0;
}

static int
brought_check(struct audit_issuers *a, struct brought *b, const struct leaf *leaf, struct err *e)
{
    if (strcmp(b->hash, leaf_text(leaf, "sha256")) != 0) {
        return err_set(e, ERR_CRYPTO,
                       "%s has number %" PRId64 ", and is not the CRL of that number", b->name,
                       b->number);
    }
    b->found = true;
    if (a->now == NULL || X509_CRL_verify(b->crl, X509_get0_pubkey(a->now->certificate)) != 1) {
        return ossl_err(e, ERR_CRYPTO, "%s was not signed by %s", b->name,
                        a->now == NULL ? "an issuing certificate that was given" : a->now->name);
    }
    a->count.crls++;
    return 0;
}

static int
crl_check(struct audit_issuers *a, const struct leaf *leaf, struct err *e)
{
    for (size_t i = 0; i < a->n_crls; i++) {
        if (a->crls[i].number == leaf_int(leaf, "number", -1) &&
            brought_check(a, &a->crls[i], leaf, e) != 0) {
            return -1;
        }
    }
    return 0;
}

typedef int check_leaf(struct audit_issuers *, const struct leaf *, struct err *);

/* The other kinds have nothing that the issuing key signs. */
static check_leaf *const CHECKS[LEAF_KINDS] = {
    [LEAF_START] = start_note,
    [LEAF_ISSUED] = issued_check,
    [LEAF_CRL] = crl_check,
};

int
audit_issuers_check(struct audit_issuers *a, const struct leaf *leaf, struct err *e)
{
    check_leaf *check = CHECKS[leaf_kind(leaf)];

    return check == NULL ? 0 : check(a, leaf, e);
}

int
audit_issuers_end(const struct audit_issuers *a, struct err *e)
{
    for (size_t i = 0; i < a->n; i++) {
        if (!a->all[i].named) {
            return err_set(e, ERR_CRYPTO, "%s: no START names this issuing certificate",
                           a->all[i].name);
        }
    }
    for (size_t i = 0; i < a->n_crls; i++) {
        if (!a->crls[i].found) {
            return err_set(e, ERR_CRYPTO,
                           "%s has number %" PRId64
                           ", which the ledger does not: the ledger is older, or another",
                           a->crls[i].name, a->crls[i].number);
        }
    }
    return 0;
}
