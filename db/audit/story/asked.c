/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/asked.h"

#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit/der/certificate.h"
#include "db/audit/message/signed.h"
#include "db/audit/rules/evidence.h"
#include "db/ledger/messages.h"

enum { OCTETS_MAX = 64 * 1024 };

struct looking {
    const struct asking *a;
    const struct story_leaf *leaf;
    struct span octets;
    struct message_outline m;
    bool is_pkcs10; /* of an officer: m is empty */
};

const char *
asked_verdict_name(enum asked_verdict verdict)
{
    switch (verdict) {
    case ASKED_VERIFIED:
        return "verified again";
    case ASKED_WORD:
        return "the RA's word, which it signed";
    case ASKED_UNASKED:
        return "not verified: give the vendor's root with --vendor";
    case ASKED_NOT_THERE:
        return "not there";
    }
    assert(false);
    return "";
}

static void say(const struct looking *, enum asked_verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
say(const struct looking *l, enum asked_verdict verdict, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) >= 0) {
        l->a->told(l->a->arg, l->leaf, text, verdict);
        free(text);
    }
    va_end(args);
}

/* ---- what the story has ---- */

/* NULL and no error: it came to none. */
static int
issued_of(const struct looking *l, const char *serial, X509 **certificate, struct buf *der,
          struct err *e)
{
    CLEANUP(story_leaf_free) struct story_leaf issued = {0};
    bool found = false;
    uint64_t index = 0;

    *certificate = NULL;
    if (serial == NULL || serial[0] == '\0' ||
        story_issued(l->a->mirror, serial, &found, &index, e) != 0) {
        return serial == NULL || serial[0] == '\0' ? 0 : -1;
    }
    if (!found) {
        return 0;
    }
    if (story_leaf_load(l->a->mirror, index, &issued, e) != 0) {
        return -1;
    }
    *certificate = audit_certificate(issued.leaf, e);
    return *certificate == NULL ? -1 : OSSL_ENCODE(X509, *certificate, der, e);
}

static const struct leaf *
leaf_of(const struct story *story, enum leaf_kind kind)
{
    const struct story_leaf *found = story_find(story, kind);

    return found == NULL ? NULL : found->leaf;
}

/* Of the certificate in whose place the new one comes: its serial number; NULL: none. */
static const char *
former_of(const struct story *story)
{
    const struct leaf *intent = leaf_of(story, LEAF_INTENT);
    const char *updates = intent == NULL ? NULL : leaf_text(intent, "updates");

    return updates != NULL || intent == NULL ? updates : leaf_text(intent, "renews");
}

static const char *
subject_of(X509 *certificate, char text[256])
{
    return X509_NAME_oneline(X509_get_subject_name(certificate), text, 256);
}

/* ---- who asked ---- */

static int
hash_hex(struct span octets, char out[2 * SHA256_SIZE + 1], struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    if (sha256(octets, hash, e) != 0) {
        return -1;
    }
    hex_format(span_of(hash, sizeof(hash)), out);
    return 0;
}

/* By the SHA-256 of what it signs with, which the registrar signed. */
static int
check_pinned(const struct looking *l, const char *what, struct span octets, const json_t *proof,
             struct err *e)
{
    const char *pinned = json_string_value(json_object_get(proof, "sha256"));
    char hex[2 * SHA256_SIZE + 1];

    if (hash_hex(octets, hex, e) != 0) {
        return -1;
    }
    if (pinned == NULL || strcasecmp(pinned, hex) != 0) {
        return err_set(e, ERR_CRYPTO, "it is not signed with the %s that the registrar signed",
                       what);
    }
    say(l, ASKED_VERIFIED, "it is signed with the %s that the registrar signed", what);
    return 0;
}

static int
check_vendor(const struct looking *l, X509 *signer, const json_t *proof, struct err *e)
{
    const char *issuer = json_string_value(json_object_get(proof, "issuer"));
    const char *subject = json_string_value(json_object_get(proof, "subject"));
    CLEANUP(audit_summary_free) struct audit_summary s = {0};

    if (audit_summarize(signer, &s, e) != 0) {
        return -1;
    }
    if (issuer == NULL || subject == NULL || strcmp(issuer, s.issuer) != 0 ||
        strcmp(subject, s.subject) != 0) {
        return err_set(e, ERR_CRYPTO,
                       "it is signed by another device than the registrar signed: %s", s.subject);
    }
    say(l, ASKED_VERIFIED,
        "its certificate has the issuer and the subject that the registrar signed");
    if (sk_X509_num(l->a->vendors) <= 0) {
        say(l, ASKED_UNASKED, "whether the vendor issued that certificate");
        return 0;
    }
    if (message_path(&l->m, signer, l->a->vendors, leaf_time(l->leaf->leaf), e) != 0) {
        return -1;
    }
    say(l, ASKED_VERIFIED, "its certificate was issued by the vendor, and was valid then");
    return 0;
}

static int
check_proof(const struct looking *l, X509 *signer, const json_t *proof, struct err *e)
{
    const char *kind = json_string_value(json_object_get(proof, "kind"));
    CLEANUP(buf_free) struct buf der = BUF_INIT(OCTETS_MAX);

    if (kind != NULL && strcmp(kind, "certificate") == 0) {
        return OSSL_ENCODE(X509, signer, &der, e) != 0
                   ? -1
                   : check_pinned(l, "certificate", buf_span(&der), proof, e);
    }
    if (kind != NULL && strcmp(kind, "publicKey") == 0) {
        return OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(signer), &der, e) != 0
                   ? -1
                   : check_pinned(l, "key", buf_span(&der), proof, e);
    }
    if (kind != NULL && strcmp(kind, "vendor") == 0) {
        return check_vendor(l, signer, proof, e);
    }
    return err_set(e, ERR_CRYPTO, "it is signed, and registered for a MAC");
}

static int
check_registered(const struct looking *l, X509 *signer, struct err *e)
{
    const struct leaf *registration = leaf_of(l->a->story, LEAF_REGISTRATION);
    CLEANUP(buf_free) struct buf text = BUF_INIT(LEAF_MAX);
    json_t *document;
    int result;

    if (registration == NULL ||
        (leaf_text(registration, "cms") == NULL && leaf_text(registration, "batch") == NULL)) {
        say(l, ASKED_NOT_THERE, "what the registrar signed about who may ask");
        return 0;
    }
    if (audit_evidence_document(registration, &text, e) != 0) {
        return -1;
    }
    document = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    result = check_proof(l, signer, json_object_get(document, "proof"), e);
    json_decref(document);
    return result;
}

/* Whose certificate it is that signs: one of this authority, or what the registrar signed. */
static int
check_signer(const struct looking *l, X509 *signer, struct err *e)
{
    CLEANUP(mem_cleanup) char *serial = audit_certificate_serial(signer);
    CLEANUP(buf_free) struct buf der = BUF_INIT(OCTETS_MAX);
    CLEANUP(buf_free) struct buf own = BUF_INIT(OCTETS_MAX);
    CLEANUP(x509_cleanup) X509 *ours = NULL;
    const enum leaf_kind kind = leaf_kind(l->leaf->leaf);
    const char *former = kind == LEAF_REQUEST || kind == LEAF_AGAIN ? former_of(l->a->story) : NULL;

    if (OSSL_ENCODE(X509, signer, &der, e) != 0 || issued_of(l, serial, &ours, &own, e) != 0) {
        return -1;
    }
    if (ours != NULL && span_equal(buf_span(&own), buf_span(&der))) {
        if (former != NULL && strcmp(former, serial) != 0) {
            return err_set(e, ERR_CRYPTO,
                           "it is signed with the certificate %s, in whose place the new one does "
                           "not come",
                           serial);
        }
        say(l, ASKED_VERIFIED, "its certificate is of this record: %s", serial);
        return 0;
    }
    if (former != NULL) {
        return err_set(e, ERR_CRYPTO,
                       "it is not signed with the certificate in whose place the new one comes");
    }
    return check_registered(l, signer, e);
}

static int
check_protection(const struct looking *l, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *signer = NULL;
    char subject[256];

    switch (message_protection_of(&l->m)) {
    case MESSAGE_UNPROTECTED:
        return err_set(e, ERR_CRYPTO, "it is not protected");
    case MESSAGE_BY_MAC:
        say(l, ASKED_WORD, "it is protected with the one-time secret");
        return 0;
    case MESSAGE_BY_SIGNATURE:
        break;
    }
    signer = message_signer(&l->m, e);
    if (signer == NULL) {
        return -1;
    }
    say(l, ASKED_VERIFIED, "it is signed by %s", subject_of(signer, subject));
    return check_signer(l, signer, e);
}

/* The leaf says on what the certificate rests. */
static int
check_assurance(const struct looking *l, struct err *e)
{
    const char *assurance = leaf_text(l->leaf->leaf, "assurance");
    const bool mac = message_protection_of(&l->m) == MESSAGE_BY_MAC;

    return assurance == NULL || (strcmp(assurance, "mac") == 0) == mac
               ? 0
               : err_set(e, ERR_CRYPTO,
                         "the leaf says \"%s\", and the message is protected by a %s", assurance,
                         mac ? "MAC" : "signature");
}

/* ---- what was asked for ---- */

static int
check_key(const struct looking *l, struct err *e)
{
    CLEANUP(evp_pkey_cleanup)
    EVP_PKEY *key = message_possessed(l->octets, l->is_pkcs10 ? NULL : &l->m, e);
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(OCTETS_MAX);

    if (key == NULL) {
        return -1;
    }
    say(l, ASKED_VERIFIED, "whoever asked had the private key");
    if (issued_of(l, l->a->story->names.serial, &certificate, &der, e) != 0) {
        return -1;
    }
    if (certificate == NULL) {
        return 0;
    }
    if (EVP_PKEY_eq(key, X509_get0_pubkey(certificate)) != 1) {
        return err_set(e, ERR_CRYPTO, "it asks for another key than the certificate has");
    }
    say(l, ASKED_VERIFIED, "the certificate is for the key that it asks for");
    return 0;
}

static int
check_confirmed(const struct looking *l, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(OCTETS_MAX);

    if (issued_of(l, leaf_text(l->leaf->leaf, "serial"), &certificate, &der, e) != 0 ||
        certificate == NULL || message_confirms(&l->m, certificate, buf_span(&der), e) != 0) {
        return certificate == NULL ? err_set(e, ERR_CRYPTO, "it is for no certificate") : -1;
    }
    say(l, ASKED_VERIFIED, "it has the hash of this certificate");
    return 0;
}

static int
check_revoked(const struct looking *l, struct err *e)
{
    const char *serial = leaf_text(l->leaf->leaf, "serial");
    struct span asked = {0};
    CLEANUP(mem_cleanup) char *hex = NULL;

    if (message_revocation_read(l->m.content, &asked, e) != 0) {
        return -1;
    }
    if (asked.n > 1 && asked.p[0] == 0) { /* for the sign */
        asked = span_of(asked.p + 1, asked.n - 1);
    }
    hex = hex_dup(asked);
    if (serial == NULL || strcmp(serial, hex) != 0) {
        return err_set(e, ERR_CRYPTO, "it asks for the revocation of another certificate");
    }
    say(l, ASKED_VERIFIED, "it asks for the revocation of this certificate");
    return 0;
}

static int
check_content(const struct looking *l, struct err *e)
{
    switch (l->is_pkcs10 ? MESSAGE_P10CR : l->m.body) {
    case MESSAGE_IR:
    case MESSAGE_CR:
    case MESSAGE_P10CR:
    case MESSAGE_KUR:
        return check_key(l, e);
    case MESSAGE_CERTCONF:
        return check_confirmed(l, e);
    case MESSAGE_RR:
        return check_revoked(l, e);
    default:
        return err_set(e, ERR_CRYPTO, "it is of a kind that nobody asks with");
    }
}

static int
look(struct looking *l, struct err *e)
{
    CLEANUP(mem_cleanup) char *transaction = NULL;

    if (leaf_kind(l->leaf->leaf) == LEAF_REFUSAL) { /* what was refused need not verify */
        say(l, ASKED_VERIFIED, "the message: %zu octets, which the leaf names", l->octets.n);
        return 0;
    }
    l->is_pkcs10 = leaf_kind(l->leaf->leaf) == LEAF_INTENT;
    if (l->is_pkcs10) {
        say(l, ASKED_VERIFIED, "the message: a PKCS #10 of %zu octets, which the leaf names",
            l->octets.n);
        return check_content(l, e);
    }
    if (message_outline_read(l->octets, &l->m, e) != 0) {
        return -1;
    }
    transaction = l->m.transaction_id.n > 0 ? hex_dup(l->m.transaction_id) : mem_strdup("none");
    say(l, ASKED_VERIFIED, "the message: %s of %zu octets, transactionID %s, which the leaf names",
        message_body_name(l->m.body) == NULL ? "another" : message_body_name(l->m.body),
        l->octets.n, transaction);
    return check_protection(l, e) != 0 || check_assurance(l, e) != 0 ? -1 : check_content(l, e);
}

int
asked_look(const struct asking *a, const struct story_leaf *leaf, struct span octets, struct err *e)
{
    struct looking l = {.a = a, .leaf = leaf, .octets = octets};

    return look(&l, e) == 0 ? 0 : err_wrap(e, "the message");
}

int
asked_check(const struct asking *a, const struct story_leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(MESSAGE_MAX);
    const struct looking l = {.a = a, .leaf = leaf};
    struct message named;

    if (!message_named(leaf_body(leaf->leaf), &named)) {
        return 0;
    }
    if (mirror_message(a->mirror, leaf->index, &octets, e) != 0) {
        if (e->code != ERR_NOTFOUND) {
            return -1;
        }
        say(&l, ASKED_NOT_THERE, "the message itself: %s", e->text);
        return 0;
    }
    return asked_look(a, leaf, buf_span(&octets), e);
}
