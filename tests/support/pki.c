/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pki.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/x509/lint/lint.h"
#include "ca/x509/pubkey.h"
#include "ca/x509/signed.h"

enum { DAY = 24 * 60 * 60, BYTES_MAX = 64 * 1024 };

static void
need(int ok, const struct err *e, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "support/pki: %s: %s\n", what, e == NULL ? "failed" : e->text);
        abort();
    }
}

EVP_PKEY *
pki_key(const char *kind)
{
    EVP_PKEY *key;

    if (strncmp(kind, "RSA-", 4) == 0) {
        key = EVP_RSA_gen((unsigned)strtoul(kind + 4, NULL, 10));
    } else {
        key = EVP_EC_gen(kind);
    }
    need(key != NULL, NULL, kind);
    return key;
}

EVP_PKEY *
pki_weak_key(const char *name)
{
    CLEANUP(mem_cleanup)
    char *path = mem_printf("%s/vectors/weak-keys/%s.pem", TEST_SOURCE_DIR, name);
    CLEANUP(bio_cleanup) BIO *in = BIO_new_file(path, "r");
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);

    need(key != NULL, NULL, path);
    return key;
}

struct buf
pki_spki(EVP_PKEY *key)
{
    struct buf spki = BUF_INIT(BYTES_MAX);
    struct err e;

    need(OSSL_ENCODE(PUBKEY, key, &spki, &e) == 0, &e, "SPKI");
    return spki;
}

struct nf_identity
pki_nf(void)
{
    struct nf_identity nf = {.instance_id = "9c5b94b1-35ad-49bb-b118-8e8fc24abf80",
                             .types = {"AMF"},
                             .n_types = 1,
                             .fqdns = {"amf1.amf.5gc.mnc012.mcc345.3gppnetwork.org"},
                             .n_fqdns = 1,
                             .home_domain = "5gc.mnc012.mcc345.3gppnetwork.org",
                             .country = "SE"};

    return nf;
}

struct nf_identity
pki_nf_of(const char *type, const char *other)
{
    struct nf_identity nf = pki_nf();
    struct err e;

    nf.n_types = 0;
    need(nf_identity_add_type(&nf, type, &e) == 0, &e, "type");
    need(other == NULL || nf_identity_add_type(&nf, other, &e) == 0, &e, "another type");
    return nf;
}

struct tbs_request
pki_request(const struct pki *pki, const struct nf_identity *nf, struct span spki)
{
    struct tbs_request request = {.profile = profile_by_name("nf-tls"),
                                  .issuer = pki->issuing,
                                  .nf = nf,
                                  .spki = spki,
                                  .not_before = pki->now,
                                  .not_after = pki->now + (time_t)30 * DAY,
                                  .crl_url = "http://pki.example/crl/issuing.crl"};
    struct err e;

    need(serial_new(request.serial, clock_now(), &e) == 0, &e, "serial");
    return request;
}

struct buf
pki_sign(EVP_PKEY *key, struct span tbs)
{
    struct buf signature = BUF_INIT(BYTES_MAX);
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct span algorithm;
    const EVP_MD *md;
    size_t n = 1024;
    struct err e;
    uint8_t *to;

    need(pubkey_signature_algorithm(key, &algorithm, &md, &e) == 0, &e, "algorithm");
    need(EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1, NULL, "sign");
    to = buf_extend(&signature, n, &e);
    need(EVP_DigestSign(ctx, to, &n, tbs.p, tbs.n) == 1, NULL, "sign");
    buf_truncate(&signature, n);
    return signature;
}

X509 *
pki_issue(const struct tbs_request *request, EVP_PKEY *issuer_key)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(BYTES_MAX);
    CLEANUP(buf_free) struct buf signature = {0};
    struct err e;
    X509 *certificate;

    need(tbs_build(request, &tbs, &e) == 0, &e, "build");
    need(lint_tbs(buf_span(&tbs), request, &e) == 0, &e, "lint");
    signature = pki_sign(issuer_key, buf_span(&tbs));
    need(signed_assemble(SIGNED_CERTIFICATE, buf_span(&tbs), buf_span(&signature), issuer_key, &der,
                         &e) == 0,
         &e, "assemble");
    certificate = certificate_parse(buf_span(&der), &e);
    need(certificate != NULL, &e, "parse");
    return certificate;
}

static X509 *
ca_issue(const char *profile, const char *common_name, EVP_PKEY *key, X509 *issuer,
         EVP_PKEY *issuer_key, time_t now, int years)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    struct name subject;
    struct err e;
    struct tbs_request request = {.profile = profile_by_name(profile),
                                  .issuer = issuer,
                                  .subject = &subject,
                                  .spki = buf_span(&spki),
                                  .not_before = now - DAY,
                                  .not_after = now - DAY + (time_t)years * 365 * DAY};

    need(name_set(&subject, "SE", "Example Operator", common_name, &e) == 0, &e, "name");
    need(serial_new(request.serial, clock_now(), &e) == 0, &e, "serial");
    if (issuer != NULL) {
        request.crl_url = "http://pki.example/crl/root.crl";
    }
    return pki_issue(&request, issuer_key);
}

struct pki *
pki_new(const char *root_key, const char *issuing_key)
{
    return pki_new_at(root_key, issuing_key, PKI_NOW);
}

struct pki *
pki_new_at(const char *root_key, const char *issuing_key, time_t now)
{
    struct pki *pki = mem_zalloc(1, sizeof(*pki));

    pki->now = now;
    pki->root_key = pki_key(root_key);
    pki->issuing_key = pki_key(issuing_key);
    pki->root = ca_issue("root", "Example Root", pki->root_key, NULL, pki->root_key, now, 20);
    pki->issuing =
        ca_issue("issuing", "Example Issuing", pki->issuing_key, pki->root, pki->root_key, now, 5);
    return pki;
}

void
pki_free(struct pki *pki)
{
    if (pki != NULL) {
        EVP_PKEY_free(pki->root_key);
        EVP_PKEY_free(pki->issuing_key);
        X509_free(pki->root);
        X509_free(pki->issuing);
        mem_free(pki);
    }
}

X509 *
pki_issue_officer(const struct pki *pki, const char *profile, EVP_PKEY *key)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(key);
    struct tbs_request request = pki_request(pki, NULL, buf_span(&spki));
    struct name subject;
    struct err e;

    need(name_set(&subject, "SE", "Example Operator", profile, &e) == 0, &e, "name");
    request.profile = profile_by_name(profile);
    request.subject = &subject;
    return pki_issue(&request, pki->issuing_key);
}

struct buf
pki_cms(struct span content, X509 *signer, EVP_PKEY *key)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new_mem_buf(content.p, (int)content.n);
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *cms = CMS_sign(signer, key, NULL, bio, CMS_BINARY | CMS_NOSMIMECAP);
    struct buf der = BUF_INIT(BYTES_MAX);
    struct err e;

    need(cms != NULL, NULL, "CMS");
    need(OSSL_ENCODE(CMS_ContentInfo, cms, &der, &e) == 0, &e, "CMS");
    return der;
}
