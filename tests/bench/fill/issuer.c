/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/fill/issuer.h"

#include <openssl/pem.h>
#include <string.h>

#include "base/file.h"
#include "base/proc.h"
#include "ca/x509/der.h"
#include "ca/x509/pubkey.h"
#include "pkcs11/key.h"
#include "pkcs11/signer/journal/journal.h"
#include "tests/support/journal_open.h"

enum { HALF = 32, LINE = 256 };
#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define TOKEN "nfpki-issuing"

struct issuer {
    struct module *module;
    struct session *session;
    struct key *key;
    struct journal *journal;
    struct span algorithm;
};

void
issuer_free(struct issuer *i)
{
    if (i == NULL) {
        return;
    }
    if (i->journal != NULL) {
        journal_close(i->journal);
    }
    if (i->key != NULL) {
        key_free(i->key);
    }
    if (i->session != NULL) {
        session_close(i->session);
    }
    if (i->module != NULL) {
        module_close(i->module);
    }
    mem_free(i);
}

/* The first line of a file of the ceremony. */
static int
read_line(const char *pki, const char *name, char out[LINE], struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ceremony/issuing-keys/%s", pki, name);
    CLEANUP(buf_free) struct buf text = BUF_INIT(LINE - 1);

    if (file_read(path, &text, e) != 0) {
        return -1;
    }
    memset(out, 0, LINE);
    memcpy(out, text.p, text.n);
    out[strcspn(out, "\n")] = '\0';
    return 0;
}

static int
read_spki(const char *pki, struct buf *der, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ceremony/issuing-keys/issuing.spki.pem", pki);
    CLEANUP(bio_cleanup) BIO *bio = BIO_new_file(path, "r");
    CLEANUP(evp_pkey_cleanup)
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

    return key == NULL ? ossl_err(e, ERR_INPUT, "%s: no public key", path)
                       : OSSL_ENCODE(PUBKEY, key, der, e);
}

static int
log_in(struct issuer *i, const char *pki, struct err *e)
{
    CLEANUP(mem_cleanup) char *config = mem_printf("%s/ca/softhsm2.conf", pki);
    CLEANUP(buf_free) struct buf pin = BUF_SECRET(255);
    char serial[LINE];

    if (read_line(pki, TOKEN ".serial", serial, e) != 0 ||
        secret_read(-1, TOKEN ".pin", &pin, e) != 0) {
        return -1;
    }
    i->module = module_open(MODULE, config, e);
    if (i->module == NULL) {
        return -1;
    }
    i->session = session_open(i->module, TOKEN, serial, SESSION_READ_ONLY, e);
    return i->session == NULL ? -1 : session_login(i->session, buf_span(&pin), e);
}

static int
open_all(struct issuer *i, const char *pki, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca/state/issuing.journal", pki);
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);
    const struct key_policy *policy = key_policy_find("issuing-signing-v1", e);
    uint8_t id[KEY_ID_SIZE];
    uint8_t hash[SHA256_SIZE];
    char hex[LINE];
    size_t torn;

    if (policy == NULL || log_in(i, pki, e) != 0 || read_line(pki, "issuing.id", hex, e) != 0 ||
        hex_parse(hex, id, sizeof(id), e) != 0 || read_spki(pki, &spki, e) != 0 ||
        sha256(buf_span(&spki), hash, e) != 0) {
        return -1;
    }
    i->key = key_find(i->session, policy, span_of(id, sizeof(id)), buf_span(&spki), e);
    if (i->key == NULL ||
        pubkey_signature_algorithm(key_get_public(i->key), &i->algorithm, NULL, e) != 0) {
        return -1;
    }
    i->journal = journal_open(path, hash, &torn, e);
    return i->journal == NULL ? -1 : 0;
}

struct issuer *
issuer_open(const char *pki, struct err *e)
{
    struct issuer *i = mem_new(sizeof(*i));

    if (open_all(i, pki, e) != 0) {
        issuer_free(i);
        return NULL;
    }
    return i;
}

int
issuer_announce(struct issuer *i, struct span tbs, const uint8_t serial[16], struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    return sha256(tbs, hash, e) != 0 ? -1 : journal_add_certificate(i->journal, hash, serial, e);
}

int
issuer_commit(struct issuer *i, struct err *e)
{
    return journal_commit(i->journal, e);
}

static struct span
without_zeros(const uint8_t *p, size_t n)
{
    while (n > 1 && *p == 0) {
        p++;
        n--;
    }
    return span_of(p, n);
}

/* C_Sign and nothing else; the auditor verifies it. */
static int
sign(struct issuer *i, struct span tbs, struct buf *value, struct err *e)
{
    const CK_FUNCTION_LIST *f = module_functions(session_module(i->session));
    CK_SESSION_HANDLE handle = session_handle(i->session);
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    struct der der = DER_WRITER(value, e);
    uint8_t digest[SHA256_SIZE];
    CK_BYTE raw[2 * HALF];
    CK_ULONG n = sizeof(raw);
    CK_RV rv;

    if (sha256(tbs, digest, e) != 0) {
        return -1;
    }
    rv = f->C_SignInit(handle, &mechanism, key_get_private(i->key));
    if (rv == CKR_OK) {
        rv = f->C_Sign(handle, digest, sizeof(digest), raw, &n);
    }
    if (rv != CKR_OK || n != sizeof(raw)) {
        return session_err(i->session, rv, "C_Sign", e);
    }
    der_begin(&der, DER_SEQUENCE);
    der_put_unsigned(&der, without_zeros(raw, HALF));
    der_put_unsigned(&der, without_zeros(raw + HALF, HALF));
    der_end(&der);
    return der_finish(&der);
}

int
issuer_sign(struct issuer *i, struct span tbs, struct buf *certificate, struct err *e)
{
    CLEANUP(buf_free) struct buf value = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(buf_free) struct buf bits = BUF_INIT(SIGNATURE_MAX + 1);
    struct der der = DER_WRITER(certificate, e);
    const uint8_t none = 0;

    buf_truncate(certificate, 0);
    if (sign(i, tbs, &value, e) != 0 || buf_append(&bits, span_of(&none, 1), e) != 0 ||
        buf_append(&bits, buf_span(&value), e) != 0) {
        return -1;
    }
    der_begin(&der, DER_SEQUENCE);
    der_put_raw(&der, tbs);
    der_put_raw(&der, i->algorithm);
    der_put(&der, DER_BIT_STRING, buf_span(&bits));
    der_end(&der);
    return der_finish(&der);
}
