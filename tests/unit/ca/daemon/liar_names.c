/* SPDX-License-Identifier: Apache-2.0 */
/* Names that are asked for and not registered, and names of every kind in place of others. */
#include <openssl/x509v3.h>
#include <string.h>

#include "ca/cmp/message/der.h"
#include "ca/cmp/message/phrase.h"
#include "ca/x509/name.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ca/daemon/lie.h"

enum { SMALL = 4096, CONTEXT_9 = 0xa9, OCTET_STRING = 0x04 };

/* ---- a subjectAltName ---- */

/* Extension { subjectAltName, these GeneralNames }. */
static struct buf
extension(struct span names)
{
    CLEANUP(buf_free) struct buf value = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf content = BUF_INIT(SMALL);
    struct buf out = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(der_append(&value, DER_SEQUENCE, names, &e), &e);
    assert_ok(buf_append(&content, SPAN_LITERAL("\x06\x03\x55\x1d\x11"), &e), &e);
    assert_ok(der_append(&content, OCTET_STRING, buf_span(&value), &e), &e);
    assert_ok(der_append(&out, DER_SEQUENCE, buf_span(&content), &e), &e);
    return out;
}

/* A kur for a new key whose template has these extensions besides. Its proof of possession is not
 * right any more: whoever gets so far hears that. */
static struct buf
kur_with(const X509 *of, struct span extensions)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(buf_free) struct buf plain = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf more = BUF_INIT(SMALL);
    struct buf out = BUF_INIT(2 * SMALL);
    struct err e = {0};

    assert_ok(cmp_client_body_request(CMP_KUR, key, X509_get_subject_name(of), &plain, &e), &e);
    assert_ok(buf_append(&more, der_at(buf_span(&plain), "0.0.0.1.1"), &e), &e);
    assert_ok(der_append(&more, CONTEXT_9, extensions, &e), &e);
    assert_ok(der_edit(buf_span(&plain), "0.0.0.1.1", buf_span(&more), &out, &e), &e);
    return out;
}

/* The GeneralNames of a certificate, without their SEQUENCE. */
static struct buf
names_of(const X509 *certificate)
{
    X509_EXTENSION *found =
        X509_get_ext(certificate, X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1));
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(found);
    struct span in = span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    struct buf out = BUF_INIT(SMALL);
    struct der sequence;
    struct err e = {0};

    assert_true(der_only(in, DER_SEQUENCE, &sequence));
    assert_ok(buf_set(&out, sequence.content, &e), &e);
    return out;
}

static struct buf
joined(struct span a, struct span b)
{
    struct buf out = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(buf_set(&out, a, &e), &e);
    assert_ok(buf_append(&out, b, &e), &e);
    return out;
}

/* The names of this certificate, the first one under the tag of another kind. */
static struct buf
retagged(const X509 *certificate, uint8_t tag)
{
    struct buf names = names_of(certificate);

    names.p[0] = tag;
    return names;
}

struct names {
    const char *name;
    struct span names;
    bool once_more; /* the extension is there twice */
    bool same;      /* and says what the certificate says */
};

enum { ROWS_MAX = 32 };

static void
ask(struct world *w, const struct nf *n, X509 *held, const struct names *rows, size_t count)
{
    struct buf bodies[ROWS_MAX];
    struct lie lies[ROWS_MAX];

    assert_true(count <= ROWS_MAX);
    for (size_t i = 0; i < count; i++) {
        CLEANUP(buf_free) struct buf one = extension(rows[i].names);
        CLEANUP(buf_free)
        struct buf all =
            joined(buf_span(&one), rows[i].once_more ? buf_span(&one) : span_of(NULL, 0));

        bodies[i] = kur_with(held, buf_span(&all));
        lies[i] = (struct lie){
            .name = rows[i].name,
            .of = n,
            .request = {.body = CMP_KUR,
                        .content = buf_span(&bodies[i]),
                        .certificate = held,
                        .signs = n->key},
            .failure = rows[i].same ? CMP_BAD_POP : CMP_NOT_AUTHORIZED,
            .words = rows[i].same ? phrase_text(PHRASE_POP) : "kur asks for another subjectAltName",
            .reason =
                rows[i].same ? "does not verify" : "the update asks for another subjectAltName"};
    }
    lies_are_found_out(w, lies, count);
    for (size_t i = 0; i < count; i++) {
        buf_free(&bodies[i]);
    }
}

#define OTHER_DNS                                                                                  \
    "\x82\x0b"                                                                                     \
    "evil.invald"

void
an_update_asks_for_no_other_names(void **state)
{
    struct world *w = *state;
    CLEANUP(x509_cleanup) X509 *held = NULL;
    CLEANUP(nf_free) struct nf n = holder_enrolled(w, 1, &held);
    CLEANUP(buf_free) struct buf same = names_of(held);
    CLEANUP(buf_free) struct buf more = joined(buf_span(&same), SPAN_LITERAL(OTHER_DNS));
    CLEANUP(buf_free) struct buf as_mail = retagged(held, 0x81);
    CLEANUP(buf_free) struct buf as_uri = retagged(held, 0x86);
    CLEANUP(buf_free) struct buf as_address = retagged(held, 0x87);
    CLEANUP(buf_free) struct buf as_id = retagged(held, 0x88);
    /* x400Address [3], an empty ORAddress as RFC 5280 A.1 has it */
    CLEANUP(buf_free)
    struct buf x400 = joined(buf_span(&same), SPAN_LITERAL("\xa3\x02\x30\x00"));
    CLEANUP(buf_free)
    struct buf edi = joined(buf_span(&same), SPAN_LITERAL("\xa5\x05\xa1\x03\x0c\x01x"));
    CLEANUP(buf_free)
    struct buf other = joined(buf_span(&same), SPAN_LITERAL("\xa0\x09\x06\x02\x2a\x03\xa0\x03\x0c"
                                                            "\x01x"));
    CLEANUP(buf_free)
    struct buf directory = joined(buf_span(&same), SPAN_LITERAL("\xa4\x02\x30\x00"));
    const struct names rows[] = {
        {.name = "the same", .names = buf_span(&same), .same = true},
        {.name = "one more", .names = buf_span(&more)},
        {.name = "another one", .names = SPAN_LITERAL(OTHER_DNS)},
        {.name = "the first one alone", .names = span_of(same.p, 2 + (size_t)same.p[1])},
        {.name = "none", .names = span_of(NULL, 0)},
        {.name = "twice the extension", .names = buf_span(&same), .once_more = true},
        {.name = "cut off", .names = span_of(same.p, same.n - 1)},
        {.name = "the first one as a mail address", .names = buf_span(&as_mail)},
        {.name = "as a URI", .names = buf_span(&as_uri)},
        {.name = "as an address", .names = buf_span(&as_address)},
        {.name = "as an object identifier", .names = buf_span(&as_id)},
        {.name = "one more of X.400", .names = buf_span(&x400)},
        {.name = "one more of EDI", .names = buf_span(&edi)},
        {.name = "one more of another kind", .names = buf_span(&other)},
        {.name = "one more directory name", .names = buf_span(&directory)},
    };

    ask(w, &n, held, rows, ARRAY_LEN(rows));
}

/* ---- first certificates: what is asked for lies within the registration ---- */

/* A PKCS #10 request for these names. */
static struct buf
pkcs10(EVP_PKEY *key, const X509_NAME *subject, const char *alt_names)
{
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt_names);
    struct buf out = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(cmp_client_body_p10cr(key, subject, extension, &out, &e), &e);
    return out;
}

/* A request with these in its template. */
static struct buf template(enum cmp_body body, EVP_PKEY *key, const X509_NAME *subject,
                           const char *alt_names)
{
    CLEANUP(x509_extension_cleanup)
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt_names);
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    const struct cmp_client_wish wish = {.subject = subject, .extensions = extensions};
    struct buf out = BUF_INIT(SMALL);
    struct err e = {0};

    if (body == CMP_P10CR) {
        sk_X509_EXTENSION_free(extensions);
        return pkcs10(key, subject, alt_names);
    }
    assert_true(sk_X509_EXTENSION_push(extensions, extension) > 0);
    assert_ok(cmp_client_body_wish(body, key, &wish, &out, &e), &e);
    sk_X509_EXTENSION_free(extensions);
    return out;
}

static bool
has(const X509 *certificate, const char *text)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    return memmem(der.p, der.n, text, strlen(text)) != NULL;
}

static const enum cmp_body firsts[] = {CMP_IR, CMP_CR, CMP_P10CR};

/* Parts of a subject that no certificate of ours has are passed over, as the RA does. */
void
a_certificate_says_what_is_registered_whatever_is_asked(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf usual = lie_nf(w, &(struct lie_terms){0});
    CLEANUP(x509_cleanup)
    X509 *wanted = lie_is_granted(w, &(struct lie){.name = "usual", .of = &usual});
    const X509_NAME *other = X509_get_subject_name(w->vendor); /* CN=Vendor Root */

    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){0});
        CLEANUP(buf_free)
        struct buf body = template(firsts[i], n.key, other, "DNS:" LIE_FQDN);
        const struct lie lie = {.name = cmp_body_name(firsts[i]),
                                .of = &n,
                                .request = {.body = firsts[i], .content = buf_span(&body)}};
        CLEANUP(x509_cleanup) X509 *certificate = lie_is_granted(w, &lie);

        assert_int_equal(
            X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_subject_name(wanted)), 0);
        assert_false(has(certificate, "Vendor Root"));
        assert_true(has(certificate, LIE_FQDN));
    }
}

/* Widened, or another network function's: the registration that the RA names is not the one. */
void
a_first_request_asks_for_registered_names_only(void **state)
{
    static const char *const alt_names[] = {
        "DNS:evil.example",
        "DNS:" LIE_FQDN ",DNS:evil.example",
        "DNS:" LIE_FQDN ",IP:192.0.2.1",
        "URI:urn:uuid:1d5b94b1-35ad-49bb-b118-8e8fc24abf81",
        "DNS:*.5gc.mnc012.mcc345.3gppnetwork.org",
    };
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){0});
    const X509_NAME *own = X509_get_subject_name(w->vendor);
    struct buf bodies[ROWS_MAX];
    struct lie lies[ROWS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        for (size_t k = 0; k < ARRAY_LEN(alt_names); k++) {
            bodies[count] = template(firsts[i], n.key, own, alt_names[k]);
            lies[count] =
                (struct lie){.name = alt_names[k],
                             .of = &n,
                             .request = {.body = firsts[i], .content = buf_span(&bodies[count])},
                             .failure = CMP_NOT_AUTHORIZED,
                             .words = phrase_text(PHRASE_ALT_NAME),
                             .reason = "a subjectAltName asked for is not registered"};
            count++;
        }
        bodies[count] =
            template(firsts[i], n.key, X509_get_subject_name(w->registrar), "DNS:" LIE_FQDN);
        lies[count] =
            (struct lie){.name = "another organization",
                         .of = &n,
                         .request = {.body = firsts[i], .content = buf_span(&bodies[count])},
                         .failure = CMP_NOT_AUTHORIZED,
                         .words = phrase_text(PHRASE_SUBJECT),
                         .reason = "the subject asked for is not the registered one"};
        count++;
    }
    lies_are_found_out(w, lies, count);
    for (size_t i = 0; i < count; i++) {
        buf_free(&bodies[i]);
    }
    X509_free(lie_is_granted(w, &(struct lie){.name = "as registered", .of = &n}));
}
