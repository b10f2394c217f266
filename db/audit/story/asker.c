/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/asker.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/der/certificate.h"
#include "db/audit/der/names.h"
#include "db/audit/message/signed.h"
#include "db/audit/query/cells.h"
#include "db/audit/rules/evidence.h"

enum { LATE = 300 /* seconds from when the CA judged to the leaf's time */, SERIAL_MAX = 64 };

/* A certificate of this record that signs. */
struct holder {
    X509 *certificate;        /* borrowed */
    const char *serial;       /* borrowed */
    struct story_leaf intent; /* of it */
    uint64_t revoked;         /* leaf that says so; UINT64_MAX: none */
};

static void
holder_free(struct holder *holder)
{
    story_leaf_free(&holder->intent);
}

/* Of the certificate in whose place the new one comes: its serial number; NULL: none. */
static const char *
former_of(const struct looking *l)
{
    const struct leaf *intent = looking_leaf(l, LEAF_INTENT);
    const char *updates = intent == NULL ? NULL : leaf_text(intent, "updates");

    return updates != NULL || intent == NULL ? updates : leaf_text(intent, "renews");
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

/* ---- by a certificate of this record ---- */

static int
holder_take(const struct looking *l, struct holder *holder, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    const size_t n = strlen(holder->serial) / 2;
    uint8_t octets[SERIAL_MAX];
    int rc;

    if (statement_prepare(mirror_sqlite(l->a->mirror),
                          "SELECT leaf, revoked, max(issued) FROM certificates WHERE serial = ?",
                          &statement, e) != 0 ||
        hex_parse(holder->serial, octets, n, e) != 0) {
        return -1;
    }
    (void)sqlite3_bind_blob(statement, 1, octets, (int)n, SQLITE_STATIC);
    rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW) { /* looking_issued() found it */
        (void)statement_ended(statement, rc, e);
        return -1;
    }
    holder->revoked = sqlite3_column_type(statement, 1) == SQLITE_NULL
                          ? UINT64_MAX
                          : (uint64_t)sqlite3_column_int64(statement, 1);
    return story_leaf_load(l->a->mirror, (uint64_t)sqlite3_column_int64(statement, 0),
                           &holder->intent, e);
}

/* When the leaf was written. */
static int
check_status(const struct looking *l, const struct holder *holder, struct err *e)
{
    time_t at = leaf_time(l->leaf->leaf) - LATE;

    if (holder->revoked < l->leaf->index) {
        return err_set(e, ERR_CRYPTO,
                       "it is signed with the certificate %s, which leaf %" PRIu64 " had revoked",
                       holder->serial, holder->revoked);
    }
    if (X509_cmp_time(X509_get0_notAfter(holder->certificate), &at) > 0) {
        looking_say(l, ASKED_VERIFIED, "that was neither revoked nor expired");
        return 0;
    }
    if (l->m.body != MESSAGE_KUR) {
        return err_set(e, ERR_CRYPTO, "it is signed with the certificate %s, which had expired",
                       holder->serial);
    }
    looking_say(l, ASKED_VERIFIED,
                "that was not revoked; it had expired, and the CA's policy says for how long it is "
                "renewed all the same");
    return 0;
}

/* audit_names_each */
struct instance {
    const char *id;
    bool is_named;
};

static int
take_instance(void *arg, const char *type, const char *value, struct err *e)
{
    static const char prefix[] = "urn:uuid:";
    const size_t n = sizeof(prefix) - 1;
    struct instance *i = arg;

    (void)e;
    if (strcmp(type, "URI") == 0 && strncasecmp(value, prefix, n) == 0 &&
        strcasecmp(value + n, i->id) == 0) {
        i->is_named = true;
    }
    return 0;
}

/* Is it a certificate of the network function that is registered? */
static int
names_registered(const struct looking *l, struct span der, bool *is, struct err *e)
{
    const struct leaf *registration = looking_leaf(l, LEAF_REGISTRATION);
    struct instance i = {.id =
                             registration == NULL ? NULL : leaf_text(registration, "nfInstanceId")};
    struct audit_outline outline;
    bool whole = false;

    if (i.id != NULL && (audit_outline_read(der, &outline, e) != 0 ||
                         audit_names_read(&outline, take_instance, &i, &whole, e) != 0)) {
        return -1;
    }
    *is = whole && i.is_named;
    return 0;
}

/* Who asks for a revocation: its holder, or an RA or a registrar for a network function. */
static int
check_revoker(const struct looking *l, const struct holder *holder, struct err *e)
{
    const struct leaf *target = looking_leaf(l, LEAF_INTENT);
    const char *profile =
        holder == NULL ? NULL : leaf_text(holder->intent.leaf, "profile"); /* always there */

    if (holder != NULL && strcmp(leaf_text(l->leaf->leaf, "serial"), holder->serial) == 0) {
        looking_say(l, ASKED_VERIFIED, "it is from the holder of this certificate");
        return check_status(l, holder, e);
    }
    if (holder == NULL || leaf_text(holder->intent.leaf, "nfInstanceId") != NULL ||
        (strcmp(profile, "ra-cmp") != 0 && strcmp(profile, "registrar") != 0) || target == NULL ||
        leaf_text(target, "nfInstanceId") == NULL) {
        return err_set(e, ERR_CRYPTO, "it is from somebody who may not revoke this certificate");
    }
    looking_say(l, ASKED_VERIFIED, "it is from who has a certificate of profile %s", profile);
    return check_status(l, holder, e);
}

/* Who asks: with what is replaced, another certificate of the same network function (RFC 9483
 * 4.1.2), or what the registrar signed. `holder` is NULL when no certificate of this record signs.
 */
static int
check_asker(const struct looking *l, X509 *signer, const struct holder *holder, struct span der,
            struct err *e)
{
    const enum leaf_kind kind = leaf_kind(l->leaf->leaf);
    const char *former = former_of(l);
    bool is_right = former != NULL;

    if (former != NULL && holder == NULL) {
        return err_set(e, ERR_CRYPTO,
                       "it is not signed with the certificate in whose place the new one comes");
    }
    if (former != NULL && strcmp(former, holder->serial) != 0) {
        return err_set(e, ERR_CRYPTO,
                       "it is signed with the certificate %s, in whose place the new one does "
                       "not come",
                       holder->serial);
    }
    if (former == NULL && holder != NULL && names_registered(l, der, &is_right, e) != 0) {
        return -1;
    }
    if (!is_right) {
        return check_registered(l, signer, e);
    }
    looking_say(l, ASKED_VERIFIED, "its certificate is of this record: %s", holder->serial);
    return kind == LEAF_REQUEST || kind == LEAF_AGAIN ? check_status(l, holder, e) : 0;
}

/* Whose certificate it is that signs: one of this authority, or what the registrar signed. */
static int
check_signer(const struct looking *l, X509 *signer, struct err *e)
{
    CLEANUP(mem_cleanup) char *serial = audit_certificate_serial(signer);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LOOKING_MAX);
    CLEANUP(buf_free) struct buf own = BUF_INIT(LOOKING_MAX);
    CLEANUP(x509_cleanup) X509 *ours = NULL;
    CLEANUP(holder_free) struct holder holder = {.certificate = signer, .serial = serial};
    bool is_ours;

    if (OSSL_ENCODE(X509, signer, &der, e) != 0 ||
        (strlen(serial) <= 2 * (size_t)SERIAL_MAX &&
         looking_issued(l, serial, &ours, &own, e) != 0)) {
        return -1;
    }
    is_ours = ours != NULL && span_equal(buf_span(&own), buf_span(&der));
    if (is_ours && holder_take(l, &holder, e) != 0) {
        return -1;
    }
    return leaf_kind(l->leaf->leaf) == LEAF_REVOKED
               ? check_revoker(l, is_ours ? &holder : NULL, e)
               : check_asker(l, signer, is_ours ? &holder : NULL, buf_span(&der), e);
}

/* ---- how it is protected ---- */

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
    if (kind == LEAF_AGAIN) {
        return err_set(e, ERR_CRYPTO, "it is an update that nobody signed");
    }
    if (proof == NULL || strcmp(proof, "mac") != 0) {
        return err_set(e, ERR_CRYPTO, "it is protected with a MAC, and registered for \"%s\"",
                       proof == NULL ? "nothing" : proof);
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
    CLEANUP(audit_summary_free) struct audit_summary s = {0};

    switch (message_protection_of(&l->m)) {
    case MESSAGE_UNPROTECTED:
        return err_set(e, ERR_CRYPTO, "it is not protected");
    case MESSAGE_BY_MAC:
        return check_mac(l, e) != 0 ? -1 : check_same(l, NULL, e);
    case MESSAGE_BY_SIGNATURE:
        break;
    }
    signer = message_signer(&l->m, e);
    if (signer == NULL || audit_summarize(signer, &s, e) != 0) {
        return -1;
    }
    looking_say(l, ASKED_VERIFIED, "it is signed by %s", s.subject);
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
