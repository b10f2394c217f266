/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/tbs/crl.h"

#include <string.h>

#include "ca/x509/der.h"
#include "ca/x509/name.h"
#include "ca/x509/profile/profile.h"
#include "ca/x509/pubkey.h"

enum { DAY = 24 * 60 * 60 };

static const struct {
    enum crl_reason reason;
    const char *name;
} reasons[] = {
    {CRL_UNSPECIFIED, "unspecified"},
    {CRL_KEY_COMPROMISE, "keyCompromise"},
    {CRL_CA_COMPROMISE, "cACompromise"},
    {CRL_AFFILIATION_CHANGED, "affiliationChanged"},
    {CRL_SUPERSEDED, "superseded"},
    {CRL_CESSATION_OF_OPERATION, "cessationOfOperation"},
    {CRL_PRIVILEGE_WITHDRAWN, "privilegeWithdrawn"},
    {CRL_AA_COMPROMISE, "aACompromise"},
};

const char *
crl_reason_name(enum crl_reason reason)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].reason == reason) {
            return reasons[i].name;
        }
    }
    return NULL;
}

int
crl_reason_parse(const char *name, enum crl_reason *out, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (strcmp(reasons[i].name, name) == 0) {
            *out = reasons[i].reason;
            return 0;
        }
    }
    return err_set(e, ERR_INPUT,
                   "reason: must be unspecified, keyCompromise, cACompromise, affiliationChanged, "
                   "superseded, cessationOfOperation, privilegeWithdrawn or aACompromise");
}

/* Below zero when a is the lesser number; both without leading zeros. */
static int
serial_compare(const struct crl_entry *a, const struct crl_entry *b)
{
    if (a->serial_size != b->serial_size) {
        return a->serial_size < b->serial_size ? -1 : 1;
    }
    return memcmp(a->serial, b->serial, a->serial_size);
}

static int
entry_check(const struct crl_request *request, size_t i, struct err *e)
{
    const struct crl_entry *entry = &request->entries[i];

    /* RFC 5280 4.1.2.2: at most 20 octets of INTEGER, so 19 and a half of number */
    if (entry->serial_size == 0 || entry->serial_size > CRL_SERIAL_MAX || entry->serial[0] == 0 ||
        (entry->serial_size == CRL_SERIAL_MAX && entry->serial[0] >= 0x80)) {
        return err_set(e, ERR_INPUT, "entries[%zu].serial: not a positive number in shortest form",
                       i);
    }
    if (i > 0 && serial_compare(&request->entries[i - 1], entry) >= 0) {
        return err_set(e, ERR_INPUT, "entries[%zu].serial: not above the one before", i);
    }
    if (crl_reason_name(entry->reason) == NULL) {
        return err_set(e, ERR_INPUT, "entries[%zu].reason: unknown", i);
    }
    if (entry->revoked_at > request->this_update) {
        return err_set(e, ERR_INPUT, "entries[%zu].revocationDate: after thisUpdate", i);
    }
    return 0;
}

static int
request_check(const struct crl_request *request, struct err *e)
{
    if (request->number == 0 || request->number > INT64_MAX) {
        return err_set(e, ERR_INPUT, "cRLNumber: must be 1 or more");
    }
    if (request->next_update <= request->this_update) {
        return err_set(e, ERR_INPUT, "nextUpdate: not after thisUpdate");
    }
    if (request->rehearsal &&
        request->next_update - request->this_update > (time_t)REHEARSAL_DAYS_MAX * DAY) {
        return err_set(e, ERR_DENIED, "nextUpdate: more than %d days in a rehearsal",
                       REHEARSAL_DAYS_MAX);
    }
    if (X509_check_ca(request->issuer) != 1 ||
        (X509_get_key_usage(request->issuer) & KU_CRL_SIGN) == 0) {
        return err_set(e, ERR_INPUT, "issuer: not a CA certificate that may sign CRLs");
    }
    for (size_t i = 0; i < request->n_entries; i++) {
        if (entry_check(request, i, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static void
entry_put(struct der *w, const struct crl_entry *entry)
{
    uint8_t reason = (uint8_t)entry->reason;

    der_begin(w, DER_SEQUENCE);
    der_put_unsigned(w, span_of(entry->serial, entry->serial_size));
    der_put_time(w, entry->revoked_at);
    if (entry->reason != CRL_UNSPECIFIED) {
        der_begin(w, DER_SEQUENCE);
        der_begin(w, DER_SEQUENCE);
        der_put_oid(w, "2.5.29.21");
        der_begin(w, DER_OCTET_STRING);
        der_put(w, DER_ENUMERATED, span_of(&reason, 1));
        der_end(w);
        der_end(w);
        der_end(w);
    }
    der_end(w);
}

static void
extensions_put(struct der *w, struct span authority_key_id, uint64_t number)
{
    der_begin(w, DER_CONSTRUCTED);
    der_begin(w, DER_SEQUENCE);
    der_begin(w, DER_SEQUENCE);
    der_put_oid(w, "2.5.29.35");
    der_begin(w, DER_OCTET_STRING);
    der_begin(w, DER_SEQUENCE);
    der_put(w, DER_CONTEXT, authority_key_id);
    der_end(w);
    der_end(w);
    der_end(w);
    der_begin(w, DER_SEQUENCE);
    der_put_oid(w, "2.5.29.20");
    der_begin(w, DER_OCTET_STRING);
    der_put_uint(w, number);
    der_end(w);
    der_end(w);
    der_end(w);
    der_end(w);
}

int
crl_build(const struct crl_request *request, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(CRL_TBS_MAX);
    const ASN1_OCTET_STRING *key_id;
    struct span algorithm;
    struct span issuer;
    struct der w = DER_WRITER(&bytes, e);

    if (request_check(request, e) != 0 ||
        pubkey_signature_algorithm(X509_get0_pubkey(request->issuer), &algorithm, NULL, e) != 0 ||
        name_der(X509_get_subject_name(request->issuer), &issuer, e) != 0) {
        return err_wrap(e, "CRL");
    }
    key_id = X509_get0_subject_key_id(request->issuer);
    if (key_id == NULL) {
        return err_set(e, ERR_INPUT, "CRL: the issuer has no subjectKeyIdentifier");
    }
    der_begin(&w, DER_SEQUENCE);
    der_put_uint(&w, 1); /* v2 */
    der_put_raw(&w, algorithm);
    der_put_raw(&w, issuer);
    der_put_time(&w, request->this_update);
    der_put_time(&w, request->next_update);
    if (request->n_entries > 0) { /* RFC 5280 5.1.2.6: absent when there are none */
        der_begin(&w, DER_SEQUENCE);
        for (size_t i = 0; i < request->n_entries; i++) {
            entry_put(&w, &request->entries[i]);
        }
        der_end(&w);
    }
    extensions_put(&w, span_of(ASN1_STRING_get0_data(key_id), (size_t)ASN1_STRING_length(key_id)),
                   request->number);
    der_end(&w);
    if (der_finish(&w) != 0) {
        return err_wrap(e, "CRL");
    }
    return buf_append(out, buf_span(&bytes), e);
}
