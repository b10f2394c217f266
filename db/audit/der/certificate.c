/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/der/certificate.h"

#include <openssl/err.h>
#include <string.h>

#include "db/audit/der/outline.h"

enum { NAMES_MAX = 16 * 1024 };

X509 *
audit_certificate(const struct leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    const unsigned char *p;
    X509 *certificate;

    if (audit_outline_octets(leaf, &der, e) != 0) {
        return NULL;
    }
    p = der.p;
    certificate = d2i_X509(NULL, &p, (long)der.n);
    if (certificate == NULL || p != der.p + der.n) {
        X509_free(certificate);
        (void)ossl_err(e, ERR_CRYPTO, "what was issued is not one certificate in DER");
        return NULL;
    }
    return certificate;
}

char *
audit_certificate_serial(const X509 *certificate)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);

    return hex_dup(span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
}

void
audit_summary_free(struct audit_summary *summary)
{
    mem_free(summary->subject);
    mem_free(summary->issuer);
    mem_free(summary->names);
    mem_free(summary->key);
    *summary = (struct audit_summary){0};
}

static char *
bio_text(BIO *bio)
{
    char *data = NULL;
    long n = BIO_get_mem_data(bio, &data);
    char *text;

    n = n < 0 ? 0 : n > NAMES_MAX ? NAMES_MAX : n;
    text = mem_zalloc((size_t)n + 1, 1);
    for (long i = 0; i < n; i++) {
        text[i] = data[i];
        if (text[i] == '\0') {
            text[i] = '?';
        }
    }
    return text;
}

static char *
name_text(const X509_NAME *name)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0) {
        return mem_strdup("?");
    }
    return bio_text(bio);
}

static char *
names_text(X509 *certificate)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    CLEANUP(general_names_cleanup)
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; bio != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        if ((i > 0 && BIO_puts(bio, ", ") <= 0) ||
            GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i)) != 1) {
            break;
        }
    }
    return bio == NULL ? mem_strdup("") : bio_text(bio);
}

static char *
key_text(X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    char group[64] = "";

    if (key == NULL) {
        return mem_strdup("unknown");
    }
    if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1) {
        const char *curve = strcmp(group, "prime256v1") == 0  ? "P-256"
                            : strcmp(group, "secp384r1") == 0 ? "P-384"
                                                              : group;

        return mem_printf("EC %s", curve);
    }
    return mem_printf("%s %d", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
}

static int
time_text(const ASN1_TIME *time, char out[TIME_TEXT_SIZE], struct err *e)
{
    struct tm tm = {0};

    if (ASN1_TIME_to_tm(time, &tm) != 1) {
        return ossl_err(e, ERR_CRYPTO, "validity of the certificate");
    }
    time_format(timegm(&tm), out);
    return 0;
}

int
audit_summarize(X509 *certificate, struct audit_summary *summary, struct err *e)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (time_text(X509_get0_notBefore(certificate), summary->not_before, e) != 0 ||
        time_text(X509_get0_notAfter(certificate), summary->not_after, e) != 0) {
        return -1;
    }
    if (X509_digest(certificate, EVP_sha256(), hash, &n) != 1 || n != SHA256_SIZE) {
        return ossl_err(e, ERR_CRYPTO, "SHA-256");
    }
    hex_format(span_of(hash, n), summary->sha256);
    summary->subject = name_text(X509_get_subject_name(certificate));
    summary->issuer = name_text(X509_get_issuer_name(certificate));
    summary->names = names_text(certificate);
    summary->key = key_text(certificate);
    ERR_clear_error();
    return 0;
}
