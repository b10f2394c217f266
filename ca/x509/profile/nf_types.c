/* SPDX-License-Identifier: Apache-2.0 */
/* NF types: the table, their order, the extension that carries them. */
#include <string.h>
#include <strings.h>

#include "ca/x509/der.h"
#include "ca/x509/profile/nf_types.h"

/* RFC 9310 Appendix A: the table of TS 29.510 6.1.6.3.3-1 (Release 17), in ASCII order. */
static const char *const standard_types[] = {
    "5G_DDNMF", "5G_EIR", "AANF",   "ADRF",  "AF",   "AMF",   "AUSF",     "BSF",
    "CBCF",     "CEF",    "CHF",    "DCCF",  "DRA",  "EASDF", "GBA_BSF",  "GMLC",
    "HSS",      "ICSCF",  "IMS_AS", "LMF",   "MBSF", "MBSTF", "MB_SMF",   "MB_UPF",
    "MFAF",     "MME",    "MNPF",   "N3IWF", "NEF",  "NRF",   "NSACF",    "NSSAAF",
    "NSSF",     "NSWOF",  "NWDAF",  "PANF",  "PCF",  "PCSCF", "PKMF",     "SCEF",
    "SCP",      "SCSAS",  "SCSCF",  "SEPP",  "SMF",  "SMSF",  "SMS_GMSC", "SMS_IWMSC",
    "SOR_AF",   "SPAF",   "TSCTSF", "UCMF",  "UDM",  "UDR",   "UDSF",     "UPF",
};

bool
nf_type_is_standard(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(standard_types); i++) {
        if (strcmp(standard_types[i], type) == 0) {
            return true;
        }
    }
    return false;
}

const char *
nf_type_lookalike(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(standard_types); i++) {
        if (strcasecmp(standard_types[i], type) == 0) {
            return standard_types[i];
        }
    }
    return NULL;
}

bool
nf_type_is_formed(const char *type)
{
    size_t n = strlen(type);

    for (size_t i = 0; i < n; i++) {
        if (type[i] < 33 || type[i] > 126) {
            return false;
        }
    }
    return n > 0 && n < NF_TYPE_SIZE;
}

int
nf_types_check_order(const struct nf_identity *nf, struct err *e)
{
    if (nf->n_types == 0 || nf->n_types > NF_TYPES_MAX) {
        return err_set(e, ERR_INPUT, "nfTypes: must have 1..%d elements", NF_TYPES_MAX);
    }
    for (size_t i = 0; i < nf->n_types; i++) {
        if (!nf_type_is_formed(nf->types[i])) {
            return err_set(e, ERR_INPUT,
                           "nfTypes[%zu]: must be 1..32 printable ASCII characters without blanks",
                           i);
        }
        /* RFC 9310 3: ascending lexicographic order by ASCII value, each once */
        if (i > 0 && strcmp(nf->types[i - 1], nf->types[i]) >= 0) {
            return err_set(e, ERR_INPUT, "nfTypes[%zu]: %s", i,
                           strcmp(nf->types[i - 1], nf->types[i]) == 0
                               ? "stands there twice"
                               : "not in ascending ASCII order");
        }
    }
    return 0;
}

int
nf_types_encode(const struct nf_identity *nf, struct buf *out, struct err *e)
{
    struct der w = DER_WRITER(out, e);

    if (nf_types_check_order(nf, e) != 0) {
        return -1;
    }
    der_begin(&w, DER_SEQUENCE);
    for (size_t i = 0; i < nf->n_types; i++) {
        der_put_str(&w, DER_IA5_STRING, nf->types[i]);
    }
    der_end(&w);
    return der_finish(&w);
}

int
nf_types_decode(struct span der, struct nf_identity *out, struct err *e)
{
    struct span list;
    struct span value;

    out->n_types = 0;
    if (der_expect(&der, DER_SEQUENCE, "nfTypes", &list, e) != 0 ||
        der_empty(der, "nfTypes", e) != 0) {
        return -1;
    }
    while (list.n > 0) {
        char *to;

        if (out->n_types == NF_TYPES_MAX) {
            return err_set(e, ERR_INPUT, "nfTypes: more than %d", NF_TYPES_MAX);
        }
        if (der_expect(&list, DER_IA5_STRING, "nfTypes", &value, e) != 0) {
            return -1;
        }
        if (value.n >= NF_TYPE_SIZE || memchr(value.p, 0, value.n) != NULL) {
            return err_set(e, ERR_INPUT, "nfTypes[%zu]: must be 1..32 characters", out->n_types);
        }
        to = out->types[out->n_types];
        memcpy(to, value.p, value.n);
        to[value.n] = '\0';
        out->n_types++;
    }
    return nf_types_check_order(out, e);
}
