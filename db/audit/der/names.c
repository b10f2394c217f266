/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/der/names.h"

#include <openssl/err.h>
#include <string.h>

#include "base/text.h"

enum {
    ISSUER_UNIQUE_ID = 0x81,
    SUBJECT_UNIQUE_ID = 0x82,
    EXTENSIONS = 0xa3,
    RFC822_NAME = 0x81,
    DNS_NAME = 0x82,
    RESOURCE = 0x86,
    IP_ADDRESS = 0x87,
};

/* ---- subject ---- */

static X509_NAME *
subject_read(const struct audit_outline *o)
{
    const unsigned char *p = o->subject.p;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)o->subject.n);

    ERR_clear_error();
    return name;
}

char *
audit_names_subject(const struct audit_outline *o)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = subject_read(o);
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    CLEANUP(mem_cleanup) char *shown = NULL;
    char *text = NULL;
    long n;

    if (name == NULL || bio == NULL || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0) {
        ERR_clear_error();
        return NULL;
    }
    n = BIO_get_mem_data(bio, &text);
    shown = mem_zalloc(1, TEXT_SHOWN_SIZE((size_t)n));
    text_show(span_of(text, (size_t)n), shown);
    return TAKE(shown);
}

struct telling {
    audit_names_each *each;
    void *arg;
};

static int
tell(const struct telling *t, const char *type, struct span octets, struct err *e)
{
    CLEANUP(mem_cleanup) char *shown = mem_zalloc(1, TEXT_SHOWN_SIZE(octets.n));

    text_show(octets, shown);
    return t->each(t->arg, type, shown, e);
}

static int
common_names(const struct audit_outline *o, const struct telling *t, bool *whole, struct err *e)
{
    CLEANUP(x509_name_cleanup) X509_NAME *name = subject_read(o);
    int at = -1;

    *whole = *whole && name != NULL;
    while (name != NULL && (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0) {
        unsigned char *text = NULL;
        int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
        int result = n < 0 ? 0 : tell(t, "CN", span_of(text, (size_t)n), e);

        *whole = *whole && n >= 0;
        OPENSSL_free(text);
        if (result != 0) {
            return -1;
        }
    }
    ERR_clear_error();
    return 0;
}

/* ---- subjectAltName ---- */

static int
tell_octets(const struct telling *t, const char *type, struct span octets, struct err *e)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(octets);

    return t->each(t->arg, type, hex, e);
}

static int
tell_address(const struct telling *t, struct span ip, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *text =
        ip.n == 4 ? mem_printf("%u.%u.%u.%u", ip.p[0], ip.p[1], ip.p[2], ip.p[3]) : hex_dup(ip);

    return t->each(t->arg, "IP", text, e);
}

static int
general_name(const struct telling *t, uint8_t tag, struct span content, struct span element,
             struct err *e)
{
    switch (tag) {
    case RFC822_NAME:
        return tell(t, "email", content, e);
    case DNS_NAME:
        return tell(t, "DNS", content, e);
    case RESOURCE:
        return tell(t, "URI", content, e);
    case IP_ADDRESS:
        return tell_address(t, content, e);
    default:
        return tell_octets(t, "other", element, e);
    }
}

static int
general_names(struct span in, const struct telling *t, bool *whole, struct err *e)
{
    struct span all;

    if (!audit_take(&in, DER_SEQUENCE, &all, NULL) || in.n != 0) {
        *whole = false;
        return 0;
    }
    while (all.n > 0) {
        const uint8_t tag = all.p[0];
        struct span content;
        struct span element;

        if (!audit_take(&all, tag, &content, &element)) {
            *whole = false;
            return 0;
        }
        if (general_name(t, tag, content, element, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The next extension; false: it is none. */
static bool
take_extension(struct span *all, struct span *oid, struct span *value)
{
    struct span one;
    struct span critical;

    if (!audit_take(all, DER_SEQUENCE, &one, NULL) || !audit_take(&one, DER_OID, oid, NULL)) {
        return false;
    }
    (void)audit_take(&one, DER_BOOLEAN, &critical, NULL);
    return audit_take(&one, DER_OCTET_STRING, value, NULL) && one.n == 0;
}

static int
alternative_names(const struct audit_outline *o, const struct telling *t, bool *whole,
                  struct err *e)
{
    static const uint8_t subject_alt_name[] = {0x55, 0x1d, 0x11};
    struct span in = o->rest;
    struct span all;

    (void)audit_take(&in, ISSUER_UNIQUE_ID, &all, NULL);
    (void)audit_take(&in, SUBJECT_UNIQUE_ID, &all, NULL);
    if (in.n == 0) {
        return 0; /* it has no extensions */
    }
    if (!audit_take(&in, EXTENSIONS, &all, NULL) || in.n != 0 ||
        !audit_take(&all, DER_SEQUENCE, &in, NULL) || all.n != 0) {
        *whole = false;
        return 0;
    }
    while (in.n > 0) {
        struct span oid;
        struct span value;

        if (!take_extension(&in, &oid, &value)) {
            *whole = false;
            return 0;
        }
        if (span_equal(oid, span_of(subject_alt_name, sizeof(subject_alt_name))) &&
            general_names(value, t, whole, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
audit_names_read(const struct audit_outline *o, audit_names_each *each, void *arg, bool *whole,
                 struct err *e)
{
    const struct telling t = {.each = each, .arg = arg};

    *whole = true;
    return common_names(o, &t, whole, e) != 0 || alternative_names(o, &t, whole, e) != 0 ? -1 : 0;
}
