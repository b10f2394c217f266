/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/asker.h"

#include <jansson.h>
#include <string.h>

#include "db/audit/der/certificate.h"
#include "db/audit/message/signed.h"
#include "db/audit/rules/evidence.h"

/* Of the certificate in whose place the new one comes: its serial number; NULL: none. */
static const char *
former_of(const struct looking *l)
{
    const struct leaf *intent = looking_leaf(l, LEAF_INTENT);
    const char *updates = intent == NULL ? NULL : leaf_text(intent, "updates");

    return updates != NULL || intent == NULL ? updates : leaf_text(intent, "renews");
}

static const char *
subject_of(X509 *certificate, char text[256])
{
    return X509_NAME_oneline(X509_get_subject_name(certificate), text, 256);
}

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
    looking_say(l, ASKED_VERIFIED, "it is signed with the %s that the registrar signed", what);
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
    looking_say(l, ASKED_VERIFIED,
                "its certificate has the issuer and the subject that the registrar signed");
    if (sk_X509_num(l->a->vendors) <= 0) {
        looking_say(l, ASKED_UNASKED, "whether the vendor issued that certificate");
        return 0;
    }
    if (message_path(&l->m, signer, l->a->vendors, leaf_time(l->leaf->leaf), e) != 0) {
        return -1;
    }
    looking_say(l, ASKED_VERIFIED, "its certificate was issued by the vendor, and was valid then");
    return 0;
}

static int
check_proof(const struct looking *l, X509 *signer, const json_t *proof, struct err *e)
{
    const char *kind = json_string_value(json_object_get(proof, "kind"));
    CLEANUP(buf_free) struct buf der = BUF_INIT(LOOKING_MAX);

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
    const struct leaf *registration = looking_leaf(l, LEAF_REGISTRATION);
    CLEANUP(buf_free) struct buf text = BUF_INIT(LEAF_MAX);
    json_t *document;
    int result;

    if (registration == NULL ||
        (leaf_text(registration, "cms") == NULL && leaf_text(registration, "batch") == NULL)) {
        looking_say(l, ASKED_NOT_THERE, "what the registrar signed about who may ask");
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

/* Who asks for a revocation: its holder, or an RA or a registrar for it. */
static int
check_revoker(const struct looking *l, const char *serial, struct err *e)
{
    const char *revoked = leaf_text(l->leaf->leaf, "serial");
    CLEANUP(story_free) struct story story = {0};
    const struct story_leaf *intent;
    const char *profile;

    if (revoked != NULL && strcmp(revoked, serial) == 0) {
        looking_say(l, ASKED_VERIFIED, "it is from the holder of this certificate");
        return 0;
    }
    if (story_of(l->a->mirror, serial, &story, e) != 0) {
        return -1;
    }
    intent = story_find(&story, LEAF_INTENT);
    profile = intent == NULL ? NULL : leaf_text(intent->leaf, "profile");
    if (profile == NULL || (strcmp(profile, "ra-cmp") != 0 && strcmp(profile, "registrar") != 0)) {
        return err_set(e, ERR_CRYPTO, "it is from somebody who may not revoke this certificate");
    }
    looking_say(l, ASKED_VERIFIED, "it is from who has a certificate of profile %s", profile);
    return 0;
}

/* Whose certificate it is that signs: one of this authority, or what the registrar signed. */
static int
check_signer(const struct looking *l, X509 *signer, struct err *e)
{
    CLEANUP(mem_cleanup) char *serial = audit_certificate_serial(signer);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LOOKING_MAX);
    CLEANUP(buf_free) struct buf own = BUF_INIT(LOOKING_MAX);
    CLEANUP(x509_cleanup) X509 *ours = NULL;
    const enum leaf_kind kind = leaf_kind(l->leaf->leaf);
    const char *former = kind == LEAF_REQUEST || kind == LEAF_AGAIN ? former_of(l) : NULL;

    if (OSSL_ENCODE(X509, signer, &der, e) != 0 || looking_issued(l, serial, &ours, &own, e) != 0) {
        return -1;
    }
    if (ours != NULL && span_equal(buf_span(&own), buf_span(&der))) {
        if (former != NULL && strcmp(former, serial) != 0) {
            return err_set(e, ERR_CRYPTO,
                           "it is signed with the certificate %s, in whose place the new one does "
                           "not come",
                           serial);
        }
        looking_say(l, ASKED_VERIFIED, "its certificate is of this record: %s", serial);
        return kind == LEAF_REVOKED ? check_revoker(l, serial, e) : 0;
    }
    if (former != NULL) {
        return err_set(e, ERR_CRYPTO,
                       "it is not signed with the certificate in whose place the new one comes");
    }
    return check_registered(l, signer, e);
}

/* A MAC is of somebody whom the registration gave a secret; none revokes with it. */
static int
check_mac(const struct looking *l, struct err *e)
{
    const enum leaf_kind kind = leaf_kind(l->leaf->leaf);
    const struct leaf *registration = looking_leaf(l, LEAF_REGISTRATION);
    const char *proof = registration == NULL ? NULL : leaf_text(registration, "proof");

    if (kind == LEAF_REVOKED) {
        return err_set(e, ERR_CRYPTO, "it is an rr that nobody signed");
    }
    if ((kind == LEAF_REQUEST || kind == LEAF_AGAIN) && proof != NULL &&
        strcmp(proof, "mac") != 0) {
        return err_set(e, ERR_CRYPTO, "it is protected with a MAC, and registered for \"%s\"",
                       proof);
    }
    looking_say(l, ASKED_WORD, "it is protected with the one-time secret");
    return 0;
}

/* Who confirms, or rejects, is who asked: a MAC again, or the same certificate. `signer` may be
 * NULL. */
static int
check_same(const struct looking *l, X509 *signer, struct err *e)
{
    const enum leaf_kind kind = leaf_kind(l->leaf->leaf);
    const struct story_leaf *request = story_find(l->a->story, LEAF_REQUEST);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(MESSAGE_MAX);
    CLEANUP(x509_cleanup) X509 *first = NULL;
    struct message_outline m;

    if ((kind != LEAF_CONFIRMED && kind != LEAF_REJECTED) || request == NULL ||
        mirror_message(l->a->mirror, request->index, &octets, e) != 0) {
        return 0; /* that the request is not there is said where it stands */
    }
    if (message_outline_read(buf_span(&octets), &m, e) != 0) {
        return -1;
    }
    if (message_protection_of(&m) == MESSAGE_BY_SIGNATURE) {
        first = message_signer(&m, e);
        if (first == NULL) {
            return -1;
        }
    }
    if ((first == NULL) != (signer == NULL) || (first != NULL && X509_cmp(first, signer) != 0)) {
        return err_set(e, ERR_CRYPTO, "it is not protected as the request was");
    }
    looking_say(l, first == NULL ? ASKED_WORD : ASKED_VERIFIED, "it is from who asked");
    return 0;
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
        return check_mac(l, e) != 0 ? -1 : check_same(l, NULL, e);
    case MESSAGE_BY_SIGNATURE:
        break;
    }
    signer = message_signer(&l->m, e);
    if (signer == NULL) {
        return -1;
    }
    looking_say(l, ASKED_VERIFIED, "it is signed by %s", subject_of(signer, subject));
    return check_signer(l, signer, e) != 0 ? -1 : check_same(l, signer, e);
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

int
asker_check(const struct looking *l, struct err *e)
{
    return check_protection(l, e) != 0 ? -1 : check_assurance(l, e);
}
