/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/proof.h"

#include "ca/x509/name.h"

static char *
text_of_hash(enum proof_kind kind, const uint8_t sha256[SHA256_SIZE])
{
    char hex[2 * SHA256_SIZE + 1];

    hex_format(span_of(sha256, SHA256_SIZE), hex);
    return mem_printf("%s %s", proof_kind_name(kind), hex);
}

static char *
text_of_vendor(const char *issuer, const char *subject)
{
    return mem_printf("%s %s\n%s", proof_kind_name(PROOF_VENDOR), issuer, subject);
}

char *
proof_text(const struct proof *proof)
{
    switch (proof->kind) {
    case PROOF_MAC:
        return NULL;
    case PROOF_CERTIFICATE:
    case PROOF_PUBLIC_KEY:
        return text_of_hash(proof->kind, proof->sha256);
    case PROOF_VENDOR:
        break;
    }
    return text_of_vendor(proof->issuer, proof->subject);
}

void
proof_shown_free(struct proof_shown *p)
{
    mem_free(p->certificate);
    mem_free(p->public_key);
    mem_free(p->vendor);
}

int
proof_shown_by(X509 *certificate, struct proof_shown *out, struct err *e)
{
    CLEANUP(mem_cleanup) char *issuer = name_text(X509_get_issuer_name(certificate));
    CLEANUP(mem_cleanup) char *subject = name_text(X509_get_subject_name(certificate));
    uint8_t hash[SHA256_SIZE];
    unsigned int n = 0;

    if (X509_digest(certificate, EVP_sha256(), hash, &n) != 1 || n != sizeof(hash)) {
        return ossl_err(e, ERR_CRYPTO, "fingerprint");
    }
    out->certificate = text_of_hash(PROOF_CERTIFICATE, hash);
    if (certificate_key_hash(certificate, hash, e) != 0) {
        return -1;
    }
    out->public_key = text_of_hash(PROOF_PUBLIC_KEY, hash);
    out->vendor = text_of_vendor(issuer, subject);
    return 0;
}
