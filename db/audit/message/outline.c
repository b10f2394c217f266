/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/message/outline.h"

#include "db/audit/der/der.h"

/* What is tagged by a context: [n], with content of its own structure, or without. */
enum { CONTEXT = 0xa0, CONTEXT_PLAIN = 0x80, CONTEXT_MAX = 0xa0 + 30 };

static int
not_one(const char *what, struct err *e)
{
    return err_set(e, ERR_CRYPTO, "the message is no %s", what);
}

/* Whatever is in front. */
static bool
take_any(struct span *in, uint8_t *tag, struct span *content, struct span *whole)
{
    *tag = in->n == 0 ? 0 : in->p[0];
    return in->n > 0 && audit_take(in, *tag, content, whole);
}

const char *
message_body_name(int body)
{
    switch (body) {
    case MESSAGE_IR:
        return "ir";
    case MESSAGE_CR:
        return "cr";
    case MESSAGE_P10CR:
        return "p10cr";
    case MESSAGE_KUR:
        return "kur";
    case MESSAGE_RR:
        return "rr";
    case MESSAGE_CERTCONF:
        return "certConf";
    default:
        return NULL;
    }
}

/* ---- the message ---- */

/* [n] EXPLICIT of the header, as far as they matter here. */
static bool
take_options(struct span in, struct message_outline *m)
{
    while (in.n > 0) {
        struct span content;
        struct span *octets;
        uint8_t tag;

        if (!take_any(&in, &tag, &content, NULL)) {
            return false;
        }
        if (tag == CONTEXT + 1) {
            m->algorithm = content;
        }
        octets = tag == CONTEXT + 4   ? &m->transaction_id
                 : tag == CONTEXT + 5 ? &m->sender_nonce
                                      : NULL;
        if (octets != NULL && !audit_take(&content, DER_OCTET_STRING, octets, NULL)) {
            return false;
        }
    }
    return true;
}

static bool
take_header(struct span *in, struct message_outline *m)
{
    struct span content;
    struct span part;
    uint8_t tag;

    return audit_take(in, DER_SEQUENCE, &content, &m->header) &&
           audit_take(&content, DER_INTEGER, &part, NULL) && /* pvno */
           take_any(&content, &tag, &part, NULL) &&          /* sender */
           take_any(&content, &tag, &part, NULL) &&          /* recipient */
           take_options(content, m);
}

static bool
take_body(struct span *in, struct message_outline *m)
{
    uint8_t tag;

    if (!take_any(in, &tag, &m->content, &m->tagged_body) || tag < CONTEXT || tag > CONTEXT_MAX) {
        return false;
    }
    m->body = tag - CONTEXT;
    return true;
}

/* protection and extraCerts, [0] and [1] EXPLICIT. */
static bool
take_rest(struct span in, struct message_outline *m)
{
    struct span content;

    if (in.n > 0 && in.p[0] == CONTEXT &&
        (!audit_take(&in, CONTEXT, &content, NULL) ||
         !audit_take(&content, DER_BIT_STRING, &m->protection, NULL))) {
        return false;
    }
    if (in.n > 0 && (!audit_take(&in, CONTEXT + 1, &content, NULL) ||
                     !audit_take(&content, DER_SEQUENCE, &m->certificates, NULL))) {
        return false;
    }
    return in.n == 0;
}

int
message_outline_read(struct span der, struct message_outline *m, struct err *e)
{
    struct span content;

    *m = (struct message_outline){0};
    return audit_take(&der, DER_SEQUENCE, &content, NULL) && der.n == 0 &&
                   take_header(&content, m) && take_body(&content, m) && take_rest(content, m)
               ? 0
               : not_one("PKIMessage", e);
}

/* ---- what it asks ---- */

/* CertTemplate: publicKey and extensions IMPLICIT; subject, which is a CHOICE, EXPLICIT. */
static bool
take_template(struct span in, struct message_request *r)
{
    while (in.n > 0) {
        struct span content;
        uint8_t tag;

        if (!take_any(&in, &tag, &content, NULL)) {
            return false;
        }
        if (tag == CONTEXT + 5) {
            r->subject = content;
        } else if (tag == CONTEXT + 6) {
            r->key = content;
        } else if (tag == CONTEXT + 9) {
            r->extensions = content;
        }
    }
    return true;
}

/* ProofOfPossession ::= CHOICE { raVerified [0], signature [1] IMPLICIT POPOSigningKey, ... } */
static bool
take_proof(struct span in, struct message_request *r)
{
    struct span part;
    uint8_t tag;

    if (in.n == 0 || in.p[0] != CONTEXT + 1) {
        return in.n == 0 || take_any(&in, &tag, &part, NULL);
    }
    /* Without poposkInput, which is for requests without a key. */
    return audit_take(&in, CONTEXT + 1, &part, NULL) &&
           audit_take(&part, DER_SEQUENCE, &(struct span){0}, &r->algorithm) &&
           audit_take(&part, DER_BIT_STRING, &r->signature, NULL);
}

int
message_request_read(struct span content, struct message_request *r, struct err *e)
{
    struct span all;
    struct span one;
    struct span request;
    struct span part;

    *r = (struct message_request){0};
    return audit_take(&content, DER_SEQUENCE, &all, NULL) &&
                   audit_take(&all, DER_SEQUENCE, &one, NULL) && all.n == 0 &&
                   audit_take(&one, DER_SEQUENCE, &request, &r->request) &&
                   audit_take(&request, DER_INTEGER, &part, NULL) &&
                   audit_take(&request, DER_SEQUENCE, &part, NULL) && take_template(part, r) &&
                   take_proof(one, r)
               ? 0
               : not_one("request for one certificate", e);
}

int
message_confirmation_read(struct span content, struct message_confirmation *c, struct err *e)
{
    struct span all;
    struct span one;
    struct span part;
    uint8_t tag;

    *c = (struct message_confirmation){0};
    if (!audit_take(&content, DER_SEQUENCE, &all, NULL) ||
        !audit_take(&all, DER_SEQUENCE, &one, NULL) || all.n != 0 ||
        !audit_take(&one, DER_OCTET_STRING, &c->hash, NULL)) {
        return not_one("certConf for one certificate", e);
    }
    while (one.n > 0) {
        if (!take_any(&one, &tag, &part, NULL)) {
            return not_one("certConf for one certificate", e);
        }
        if (tag == CONTEXT) { /* hashAlg, EXPLICIT */
            c->algorithm = part;
        }
    }
    return 0;
}

int
message_revocation_read(struct span content, struct span *serial, struct err *e)
{
    struct span all;
    struct span one;
    struct span template;
    struct span part;
    uint8_t tag;

    if (!audit_take(&content, DER_SEQUENCE, &all, NULL) ||
        !audit_take(&all, DER_SEQUENCE, &one, NULL) ||
        !audit_take(&one, DER_SEQUENCE, &template, NULL)) {
        return not_one("rr", e);
    }
    while (template.n > 0) {
        if (!take_any(&template, &tag, &part, NULL)) {
            break;
        }
        if (tag == CONTEXT_PLAIN + 1) { /* serialNumber, IMPLICIT */
            *serial = part;
            return 0;
        }
    }
    return not_one("rr that names a certificate", e);
}
