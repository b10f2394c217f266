/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/message/names.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "db/audit/der/der.h"

static const uint8_t ALT_NAME[] = {0x55, 0x1d, 0x11}; /* 2.5.29.17 */

struct wanted {
    X509_NAME *subject;
    GENERAL_NAMES *names;
};

static void
wanted_free(struct wanted *w)
{
    X509_NAME_free(w->subject);
    GENERAL_NAMES_free(w->names);
}

/* ---- what it asks for ---- */

/* Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING } */
static int
take_extensions(struct span in, struct wanted *w)
{
    while (in.n > 0) {
        struct span one;
        struct span id;
        struct span value;

        if (!audit_take(&in, DER_SEQUENCE, &one, NULL) || !audit_take(&one, DER_OID, &id, NULL) ||
            (one.n > 0 && one.p[0] == DER_BOOLEAN &&
             !audit_take(&one, DER_BOOLEAN, &value, NULL)) ||
            !audit_take(&one, DER_OCTET_STRING, &value, NULL)) {
            return -1;
        }
        if (span_equal(id, span_of(ALT_NAME, sizeof(ALT_NAME)))) {
            const unsigned char *p = value.p;

            if (w->names != NULL) {
                return -1;
            }
            w->names = d2i_GENERAL_NAMES(NULL, &p, (long)value.n);
            if (w->names == NULL || p != value.p + value.n) {
                return -1;
            }
        }
    }
    return 0;
}

static int
read_crmf(struct span content, struct wanted *w, struct err *e)
{
    struct message_request r;
    const unsigned char *p;

    if (message_request_read(content, &r, e) != 0) {
        return -1;
    }
    p = r.subject.p;
    if (r.subject.n > 0) {
        w->subject = d2i_X509_NAME(NULL, &p, (long)r.subject.n);
    }
    return (r.subject.n == 0 || (w->subject != NULL && p == r.subject.p + r.subject.n)) &&
                   take_extensions(r.extensions, w) == 0
               ? 0
               : err_set(e, ERR_CRYPTO, "the names that the message asks for cannot be read");
}

static int
read_pkcs10(struct span der, struct wanted *w, struct err *e)
{
    const unsigned char *p = der.p;
    CLEANUP(x509_req_cleanup) X509_REQ *request = d2i_X509_REQ(NULL, &p, (long)der.n);
    STACK_OF(X509_EXTENSION) *all = request == NULL ? NULL : X509_REQ_get_extensions(request);

    w->subject = request == NULL ? NULL : X509_NAME_dup(X509_REQ_get_subject_name(request));
    w->names = X509V3_get_d2i(all, NID_subject_alt_name, NULL, NULL);
    sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
    return w->subject != NULL
               ? 0
               : err_set(e, ERR_CRYPTO, "the names that the PKCS #10 asks for cannot be read");
}

/* ---- beside the certificate ---- */

static bool
has(const GENERAL_NAMES *all, GENERAL_NAME *one)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(all, i), one) == 0) {
            return true;
        }
    }
    return false;
}

static void
compare(const struct wanted *w, X509 *certificate, struct message_names *out)
{
    CLEANUP(general_names_cleanup)
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    *out = (struct message_names){.asks_subject =
                                      w->subject != NULL && X509_NAME_entry_count(w->subject) > 0,
                                  .asked = w->names == NULL ? 0 : sk_GENERAL_NAME_num(w->names),
                                  .has = names == NULL ? 0 : sk_GENERAL_NAME_num(names)};
    out->same_subject =
        out->asks_subject && X509_NAME_cmp(w->subject, X509_get_subject_name(certificate)) == 0;
    for (int i = 0; i < out->asked; i++) {
        out->common += names != NULL && has(names, sk_GENERAL_NAME_value(w->names, i)) ? 1 : 0;
    }
}

int
message_names_compare(struct span message, const struct message_outline *m, X509 *certificate,
                      struct message_names *out, struct err *e)
{
    CLEANUP(wanted_free) struct wanted w = {0};
    const int result = m == NULL                  ? read_pkcs10(message, &w, e)
                       : m->body == MESSAGE_P10CR ? read_pkcs10(m->content, &w, e)
                                                  : read_crmf(m->content, &w, e);

    if (result == 0) {
        compare(&w, certificate, out);
    }
    ERR_clear_error();
    return result;
}
