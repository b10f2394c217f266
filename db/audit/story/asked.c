/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/asked.h"

#include <assert.h>
#include <string.h>

#include "db/audit/message/names.h"
#include "db/audit/message/signed.h"
#include "db/audit/story/asker.h"
#include "db/ledger/messages.h"

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
    case ASKED_REGISTERED:
        return "as the registration has it";
    case ASKED_DECIDED:
        return "as who asked for it at the CA has it";
    case ASKED_NOT_THERE:
        return "not there";
    }
    assert(false);
    return "";
}

/* ---- what was asked for ---- */

/* The certificate has the names that somebody else says: what a network function asks for lies
 * within its registration, and is all of that or not. */
static int
check_names(const struct looking *l, X509 *certificate, struct err *e)
{
    const enum asked_verdict by = l->is_pkcs10 ? ASKED_DECIDED : ASKED_REGISTERED;
    struct message_names n;

    if (message_names_compare(l->octets, l->is_pkcs10 ? NULL : &l->m, certificate, &n, e) != 0) {
        return -1;
    }
    if (n.same_subject) {
        looking_say(l, ASKED_VERIFIED, "the certificate has the subject that it asks for");
    } else {
        looking_say(l, by,
                    n.asks_subject ? "the certificate has another subject than it asks for"
                                   : "the certificate has a subject, and it asks for none");
    }
    if (n.common > 0) {
        looking_say(l, ASKED_VERIFIED, "the certificate has %d of the %d names that it asks for",
                    n.common, n.asked);
    }
    if (n.asked > n.common) {
        looking_say(l, by, "the certificate lacks %d of the %d names that it asks for",
                    n.asked - n.common, n.asked);
    }
    if (n.has > n.common) {
        looking_say(l, by, "the certificate has %d names that it does not ask for",
                    n.has - n.common);
    }
    return 0;
}

static int
check_key(const struct looking *l, struct err *e)
{
    CLEANUP(evp_pkey_cleanup)
    EVP_PKEY *key = message_possessed(l->octets, l->is_pkcs10 ? NULL : &l->m, e);
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(LOOKING_MAX);

    if (key == NULL) {
        return -1;
    }
    looking_say(l, ASKED_VERIFIED, "whoever asked had the private key");
    if (looking_issued(l, l->a->story->names.serial, &certificate, &der, e) != 0) {
        return -1;
    }
    if (certificate == NULL) {
        return 0;
    }
    if (EVP_PKEY_eq(key, X509_get0_pubkey(certificate)) != 1) {
        return err_set(e, ERR_CRYPTO, "it asks for another key than the certificate has");
    }
    looking_say(l, ASKED_VERIFIED, "the certificate is for the key that it asks for");
    return check_names(l, certificate, e);
}

static int
check_confirmed(const struct looking *l, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(LOOKING_MAX);

    if (looking_issued(l, leaf_text(l->leaf->leaf, "serial"), &certificate, &der, e) != 0 ||
        certificate == NULL || message_confirms(&l->m, certificate, buf_span(&der), e) != 0) {
        return certificate == NULL ? err_set(e, ERR_CRYPTO, "it is for no certificate") : -1;
    }
    looking_say(l, ASKED_VERIFIED, "it has the hash of this certificate");
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
    looking_say(l, ASKED_VERIFIED, "it asks for the revocation of this certificate");
    return 0;
}

/* Does a leaf of this kind name such a message? */
static bool
fits(enum leaf_kind kind, int body)
{
    switch (body) {
    case MESSAGE_IR:
    case MESSAGE_CR:
    case MESSAGE_P10CR:
        return kind == LEAF_REQUEST;
    case MESSAGE_KUR:
        return kind == LEAF_REQUEST || kind == LEAF_AGAIN;
    case MESSAGE_CERTCONF:
        return kind == LEAF_CONFIRMED || kind == LEAF_REJECTED;
    case MESSAGE_RR:
        return kind == LEAF_REVOKED;
    default:
        return true; /* it has no name either */
    }
}

static int
check_content(const struct looking *l, struct err *e)
{
    const enum leaf_kind kind = leaf_kind(l->leaf->leaf);

    if (!l->is_pkcs10 && !fits(kind, l->m.body)) {
        return err_set(e, ERR_CRYPTO, "it is of kind %s, which is none for a leaf %s",
                       message_body_name(l->m.body), leaf_kind_name(kind));
    }
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
        looking_say(l, ASKED_VERIFIED, "the message: %zu octets, which the leaf names",
                    l->octets.n);
        return 0;
    }
    l->is_pkcs10 = leaf_kind(l->leaf->leaf) == LEAF_INTENT;
    if (l->is_pkcs10) {
        looking_say(l, ASKED_VERIFIED,
                    "the message: a PKCS #10 of %zu octets, which the leaf names", l->octets.n);
        return check_content(l, e);
    }
    if (message_outline_read(l->octets, &l->m, e) != 0) {
        return -1;
    }
    transaction = l->m.transaction_id.n > 0 ? hex_dup(l->m.transaction_id) : mem_strdup("none");
    looking_say(l, ASKED_VERIFIED,
                "the message: %s of %zu octets, transactionID %s, which the leaf names",
                message_body_name(l->m.body) == NULL ? "another" : message_body_name(l->m.body),
                l->octets.n, transaction);
    return asker_check(l, e) != 0 ? -1 : check_content(l, e);
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
        looking_say(&l, ASKED_NOT_THERE, "the message itself: %s", e->text);
        return 0;
    }
    return asked_look(a, leaf, buf_span(&octets), e);
}
