/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clients HOST PORT OLD_PORT PATH CREDENTIALS
 *
 * What other people's clients send and no client of ours would: gencmpclient, CmpRaComponent's and
 * base stations that know RFC 4210 alone, each message made as theirs were. PORT is a listener of
 * cmp_strictness "rfc9483", with message_time_required, OLD_PORT one of "rfc4210". What the former
 * refuses and the latter takes is refused there, too, when its protection is wrong. Prints each and
 * ends with 1 when an answer is not as it should be.
 * CREDENTIALS is a folder with mac.{reference,secret}, registered; pinned.{pem,key} and
 * second.{pem,key}, registered by certificate; held.{pem,key}, issued to a network function;
 * ra.pem, issuing.pem.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/ossl.h"
#include "ca/cmp/message/der.h"
#include "tests/interop/clients_message.h"
#include "tests/support/der_edit.h"

enum { TIMEOUT_MS = 60000, OLD_ID = 7 };

/* ---- base stations ---- */

static void
check_old(struct client_run *r)
{
    const struct {
        const char *what;
        const struct cmp_client *as;
        struct client_quirk quirk;
        const char *strict;
        const char *once; /* the answer when nothing is to be confirmed; NULL: certConf follows */
    } rows[] = {
        {"transactionID of 8 octets", &r->mac.client, {.id_size = 8}, "error badDataFormat", NULL},
        {"senderNonce of 8 octets",
         &r->mac.client,
         {.nonce_size = 8},
         "error badSenderNonce",
         NULL},
        {"both, signed", &r->pinned, {.id_size = 8, .nonce_size = 8}, "error badDataFormat", NULL},
        {"certReqId 7", &r->mac.client, {.cert_req_id = OLD_ID}, "ip badRequest", NULL},
        {"certReqId 7, signed", &r->pinned, {.cert_req_id = OLD_ID}, "ip badRequest", NULL},
        {"the CA's certificate first",
         &r->pinned,
         {.ca_first = true},
         "error badMessageCheck",
         NULL},
        {"no senderKID", &r->pinned, {.no_kid = true}, "error badMessageCheck", NULL},
        {"neither of them",
         &r->pinned,
         {.no_kid = true, .ca_first = true},
         "error badMessageCheck",
         NULL},
        {"implicitConfirm without NULL",
         &r->mac.client,
         {.info = CMP_OID_IMPLICIT_CONFIRM},
         "error badDataFormat",
         "ip confirmed"},
        {"no messageTime", &r->mac.client, {.no_time = true}, "error badTime", NULL},
        {"all of it",
         &r->pinned,
         {.id_size = 8,
          .nonce_size = 8,
          .no_kid = true,
          .no_time = true,
          .ca_first = true,
          .cert_req_id = OLD_ID},
         "error badDataFormat",
         NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *forged = mem_printf("%s, forged", rows[i].what);
        struct client_quirk spoilt = rows[i].quirk;

        spoilt.spoilt = true;
        client_ask(r, &r->strict, rows[i].as, &rows[i].quirk, rows[i].what, rows[i].strict);
        client_ask(r, &r->old, rows[i].as, &spoilt, forged, "error badMessageCheck");
        if (rows[i].once != NULL) {
            client_ask(r, &r->old, rows[i].as, &rows[i].quirk, rows[i].what, rows[i].once);
        } else {
            client_enrol(r, &r->old, rows[i].as, &rows[i].quirk, rows[i].what);
        }
    }
    /* and what neither takes */
    client_ask(r, &r->old, &r->mac.client, &(struct client_quirk){.no_kid = true},
               "a MAC without senderKID", "error badMessageCheck");
    client_ask(r, &r->old, &r->mac.client, &(struct client_quirk){.id_size = 7},
               "transactionID of 7 octets", "error badDataFormat");
    client_ask(r, &r->old, &r->mac.client, &(struct client_quirk){.nonce_size = 7},
               "senderNonce of 7 octets", "error badSenderNonce");
    client_ask(r, &r->old, &r->mac.client, &(struct client_quirk){.cert_req_id = -1},
               "certReqId -1", "ip badRequest");
}

/* The same octets again: remembered under an id of 8 octets as under one of 16. */
static void
check_old_replay(struct client_run *r)
{
    CLEANUP(client_transaction_end) struct client_transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf message = BUF_INIT(CLIENT_MESSAGE_MAX);
    const struct client_quirk q = {.id_size = 8, .nonce_size = 8, .no_time = true};

    client_transaction_begin(&t);
    client_body_of_request(r, &r->mac.client, &q, &body);
    client_make(r, &r->mac.client, &q, buf_span(&body), &t, &message);
    client_expect(r, &r->old, "8 octets, once", "ip", buf_span(&message), &q, &t);
    client_expect(r, &r->old, "8 octets, twice", "error transactionIdInUse", buf_span(&message), &q,
                  &t);
}

/* ---- recipient ---- */

static X509_NAME *
reversed(const X509_NAME *name)
{
    X509_NAME *out = X509_NAME_new();

    for (int i = X509_NAME_entry_count(name) - 1; out != NULL && i >= 0; i--) {
        if (X509_NAME_add_entry(out, X509_NAME_get_entry(name, i), -1, 0) != 1) {
            verdict_stop("name", "OpenSSL");
        }
    }
    return out;
}

static void
check_recipients(struct client_run *r)
{
    const X509_NAME *issuing = X509_get_subject_name(r->issuing);
    CLEANUP(x509_name_cleanup) X509_NAME *from_the_end = reversed(issuing);
    const struct {
        const char *what;
        const struct cmp_client *as;
        const X509_NAME *recipient;
        const char *wanted;
    } rows[] = {
        {"recipient is the RA", &r->mac.client, X509_get_subject_name(r->ra), "ip"},
        {"recipient is the issuing CA", &r->mac.client, issuing, "ip"},
        {"recipient is the issuing CA, from the end", &r->mac.client, from_the_end, "ip"},
        {"recipient is the root", &r->mac.client, X509_get_issuer_name(r->issuing), "ip"},
        {"recipient is nobody", &r->mac.client, NULL, "ip"},
        {"recipient is the signer's issuer", &r->pinned,
         X509_get_issuer_name(r->pinned.certificate), "ip"},
        {"recipient is the signer's issuer, by MAC", &r->mac.client,
         X509_get_issuer_name(r->pinned.certificate), "error wrongAuthority"},
        {"recipient is somebody else", &r->mac.client, r->subject, "error wrongAuthority"},
        {"recipient is somebody else, signed", &r->pinned, r->subject, "error wrongAuthority"},
    };

    /* a stranger hears that it is one */
    client_ask(r, &r->strict, &r->mac.client,
               &(struct client_quirk){.recipient = r->subject, .spoilt = true},
               "recipient is somebody else, forged", "error badMessageCheck");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        client_ask(r, &r->strict, rows[i].as,
                   &(struct client_quirk){.recipient = rows[i].recipient}, rows[i].what,
                   rows[i].wanted);
    }
}

/* ---- generalInfo and nonces ---- */

static void
check_headers(struct client_run *r)
{
    static const uint8_t profile[] = {0x30, 8, 0x0c, 6, 'n', 'f', '-', 't', 'l', 's'};
    const struct {
        const char *what;
        struct client_quirk quirk;
        const char *wanted;
    } rows[] = {
        {"senderNonce of 255 octets", {.nonce_size = CMP_NONCE_MAX}, "ip"},
        {"senderNonce of 256 octets", {.nonce_size = CMP_NONCE_MAX + 1}, "error badDataFormat"},
        {"generalInfo of gencmpclient: -geninfo 1.2.3:int:987",
         {.info = "1.2.3", .value = {(const uint8_t *)"\x02\x02\x03\xdb", 4}},
         "ip"},
        {"generalInfo without a value", {.info = "1.2.3.4"}, "ip"},
        {"confirmWaitTime", {.wait = 1795467171}, "ip"},
        {"certProfile, pvno 3",
         {.info = "1.3.6.1.5.5.7.4.21", .value = {profile, sizeof(profile)}, .pvno = 3},
         "ip"},
        {"implicitConfirm", {.implicit = true}, "ip confirmed"},
        {"implicitConfirm and confirmWaitTime",
         {.info = CMP_OID_IMPLICIT_CONFIRM,
          .value = {(const uint8_t *)"\x05\x00", 2},
          .wait = 1795467171},
         "error badRequest"},
        {"implicitConfirm that is an INTEGER",
         {.info = CMP_OID_IMPLICIT_CONFIRM, .value = {(const uint8_t *)"\x02\x01\x00", 3}},
         "error badDataFormat"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        client_ask(r, &r->strict, &r->mac.client, &rows[i].quirk, rows[i].what, rows[i].wanted);
    }
}

/* ---- confirmations ---- */

static void
check_confirmations(struct client_run *r)
{
    CLEANUP(client_transaction_end) struct client_transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf changed = BUF_INIT(CMP_MESSAGE_MAX);
    const struct client_quirk none = {0};
    const struct client_quirk implicit = {.implicit = true};
    struct err e = {0};

    client_transaction_begin(&t);
    client_body_of_request(r, &r->pinned, &none, &body);
    client_say(r, &r->strict, &r->pinned, &none, buf_span(&body), &t, "an ir that is signed", "ip");
    client_certconf_body(&t, &none, &body);
    client_say(r, &r->strict, &r->second, &none, buf_span(&body), &t,
               "certConf of another certificate", "error badMessageCheck");
    client_say(r, &r->strict, &r->mac.client, &none, buf_span(&body), &t, "certConf by MAC",
               "error wrongIntegrity");
    client_say(r, &r->strict, &r->pinned, &(struct client_quirk){.spoilt = true}, buf_span(&body),
               &t, "certConf with another key", "error badMessageCheck");
    /* PKIStatusInfo { accepted, failInfo badAlg } */
    verdict_must(der_edit(buf_span(&body), "0.0.2",
                          SPAN_LITERAL("\x30\x07\x02\x01\x00\x03\x02\x07\x80"), &changed, &e),
                 "certConf", &e);
    client_say(r, &r->strict, &r->pinned, &none, buf_span(&changed), &t,
               "certConf: accepted, with a failInfo", "error badRequest");
    client_say(r, &r->strict, &r->pinned, &implicit, buf_span(&body), &t,
               "certConf with implicitConfirm", "pkiConf");
}

/* ---- PKCS #10 ---- */

static void
check_pkcs10(struct client_run *r)
{
    for (long version = 0; version <= 1; version++) {
        CLEANUP(client_transaction_end) struct client_transaction t = {0};
        CLEANUP(x509_req_cleanup) X509_REQ *request = X509_REQ_new();
        CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
        struct err e = {0};

        if (request == NULL || X509_REQ_set_version(request, version) != 1 ||
            X509_REQ_set_subject_name(request, r->subject) != 1 ||
            X509_REQ_set_pubkey(request, r->key) != 1 ||
            X509_REQ_sign(request, r->key, EVP_sha256()) <= 0) {
            verdict_stop("PKCS #10", "OpenSSL");
        }
        verdict_must(OSSL_ENCODE(X509_REQ, request, &der, &e), "PKCS #10", &e);
        verdict_must(der_append(&body, DER_CONTEXT | CMP_P10CR, buf_span(&der), &e), "p10cr", &e);
        client_transaction_begin(&t);
        client_say(r, &r->strict, &r->mac.client, &(struct client_quirk){.cert_req_id = -1},
                   buf_span(&body), &t,
                   version == 0 ? "PKCS #10 of version 0" : "PKCS #10 of version 1",
                   version == 0 ? "cp" : "cp badDataFormat");
    }
}

/* ---- what a holder asks ---- */

static void
update(struct client_run *r, const X509_NAME *subject, const X509_NAME *issuer, const char *what,
       const char *wanted)
{
    CLEANUP(client_transaction_end) struct client_transaction t = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};
    const struct cmp_client_wish wish = {.subject = subject,
                                         .old_issuer = issuer,
                                         .old_serial = X509_get0_serialNumber(r->held.certificate)};

    key = cmp_client_key(&e);
    verdict_must(key == NULL, "key", &e);
    verdict_must(cmp_client_body_wish(CMP_KUR, key, &wish, &body, &e), "kur", &e);
    client_transaction_begin(&t);
    client_say(r, &r->strict, &r->held, &(struct client_quirk){0}, buf_span(&body), &t, what,
               wanted);
}

/* `key` NULL: certDetails name none. */
static void
revoke(struct client_run *r, const X509_NAME *issuer, EVP_PKEY *key, const char *what,
       const char *wanted)
{
    CLEANUP(client_transaction_end) struct client_transaction t = {0};
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    verdict_must(
        cmp_client_body_rr(issuer, X509_get0_serialNumber(r->held.certificate), 1, &body, &e), "rr",
        &e);
    if (key != NULL) { /* [6] behind [1] serialNumber and [3] issuer */
        CLEANUP(buf_free) struct buf with = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf changed = BUF_INIT(CMP_MESSAGE_MAX);
        CLEANUP(buf_free) struct buf spki = BUF_INIT(4096);
        struct der inside;

        verdict_must(OSSL_ENCODE(PUBKEY, key, &spki, &e), "key", &e);
        if (!der_only(buf_span(&spki), DER_SEQUENCE, &inside)) {
            verdict_stop("rr", "no SubjectPublicKeyInfo");
        }
        verdict_must(buf_append(&with, der_at(buf_span(&body), "0.0.0.1"), &e), "rr", &e);
        verdict_must(der_append(&with, DER_CONTEXT | 6, inside.content, &e), "rr", &e);
        verdict_must(der_edit(buf_span(&body), "0.0.0.1", buf_span(&with), &changed, &e), "rr", &e);
        buf_move(&body, &changed);
    }
    client_transaction_begin(&t);
    client_say(r, &r->strict, &r->held, &(struct client_quirk){0}, buf_span(&body), &t, what,
               wanted);
}

static void
check_holder(struct client_run *r)
{
    const X509_NAME *own = X509_get_subject_name(r->held.certificate);
    const X509_NAME *issuing = X509_get_subject_name(r->issuing);
    CLEANUP(x509_name_cleanup) X509_NAME *from_the_end = reversed(issuing);

    update(r, NULL, issuing, "kur for nobody", "kup badCertTemplate");
    update(r, own, r->subject, "kur: oldCertID of another issuer", "kup badCertId");
    update(r, own, from_the_end, "kur of CmpRaComponent: oldCertID from the end", "kup");
    revoke(r, r->subject, NULL, "rr of another issuer", "rp badCertId");
    revoke(r, issuing, r->key, "rr that names another key", "rp badCertId");
    revoke(r, from_the_end, r->held.key, "rr with the issuer from the end and its own key", "rp");
}

/* ---- the whole ---- */

static void
become(struct client_run *r, const char *folder)
{
    struct err e = {0};

    credentials_mac_load(&r->mac, folder);
    r->pinned = credentials_client(folder, "pinned");
    r->second = credentials_client(folder, "second");
    r->held = credentials_client(folder, "held");
    r->ra = credentials_certificate(folder, "ra.pem");
    r->issuing = credentials_certificate(folder, "issuing.pem");
    r->key = cmp_client_key(&e);
    r->signed_key = cmp_client_key(&e);
    r->subject = X509_NAME_new();
    if (r->key == NULL || r->signed_key == NULL || r->subject == NULL ||
        X509_NAME_add_entry_by_NID(r->subject, NID_commonName, MBSTRING_UTF8,
                                   (const unsigned char *)"x", -1, -1, 0) != 1) {
        verdict_stop("keys", "OpenSSL");
    }
}

static void
end(struct client_run *r)
{
    credentials_client_free(&r->pinned);
    credentials_client_free(&r->second);
    credentials_client_free(&r->held);
    X509_free(r->ra);
    X509_free(r->issuing);
    EVP_PKEY_free(r->key);
    EVP_PKEY_free(r->signed_key);
    X509_NAME_free(r->subject);
    credentials_mac_free(&r->mac);
    http_client_close(&r->strict);
    http_client_close(&r->old);
    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
}

int
main(int argc, char **argv)
{
    struct client_run r = {0};
    struct err e = {0};

    if (argc != 6) {
        (void)fprintf(stderr, "usage: clients HOST PORT OLD_PORT PATH CREDENTIALS\n");
        return 2;
    }
    verdict_must(ossl_init(&e), "start", &e);
    r.strict = (struct http_client){.host = argv[1],
                                    .port = (int)strtol(argv[2], NULL, 10),
                                    .fd = -1,
                                    .timeout_ms = TIMEOUT_MS};
    r.old = r.strict;
    r.old.port = (int)strtol(argv[3], NULL, 10);
    r.path = argv[4];
    become(&r, argv[5]);
    check_old(&r);
    check_old_replay(&r);
    check_recipients(&r);
    check_headers(&r);
    check_confirmations(&r);
    check_pkcs10(&r);
    check_holder(&r);
    end(&r);
    return verdict_end(&r.verdict);
}
