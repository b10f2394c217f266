/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg.h - what RA and CA say to each other (PROTOCOL.md): octets <-> struct link_message.
 *
 * Strict: exactly one DER LinkMessage, canonical, with exactly the fields of its type. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    LINK_VERSION = 3,
    LINK_FRAME_MAX = 128 * 1024, /* octets of a message, without its length */
    LINK_RID_SIZE = 32,          /* SHA-256 of a raw PKIMessage or of a registration's CMS */
    LINK_REGISTRATION_SIZE = 16, /* the octets of a registrationId */
    LINK_PROFILES_SIZE = 32,     /* SHA-256 of the CA's file of profiles */
    LINK_SUBMIT_MAX = 96 * 1024,
    LINK_REGISTER_MAX = 32 * 1024,
    LINK_CANCEL_MAX = 16 * 1024,
    LINK_REPORT_MAX = 34 * 1024,
    LINK_CERTIFICATE_MAX = 16 * 1024,
    LINK_PHRASE_MAX = 128,
    LINK_CHECKPOINT_MAX = 2048,
    LINK_LOG_KEY_MAX = 1024,
    LINK_CHECK_AFTER_MAX = 24 * 60 * 60, /* seconds */
    LINK_BACKDATE_MAX = 3600,            /* seconds */
    LINK_FAIL_INFO_MAX = 26, /* duplicateCertReq, the last bit of PKIFailureInfo (RFC 9810 5.2.3) */
};

/* On the wire; see PROTOCOL.md. */
enum link_type {
    /* RA to CA */
    LINK_HELLO = 1,
    LINK_SUBMIT = 2,
    LINK_REGISTER = 3,
    LINK_CANCEL = 4,
    LINK_ROLE = 5,
    LINK_REPORT = 6,
    /* CA to RA */
    LINK_WELCOME = 16,
    LINK_ISSUED = 17,
    LINK_CONFIRMED = 18,
    LINK_REFUSED = 19,
    LINK_REGISTERED = 20,
    LINK_CANCELLED = 21,
    LINK_BUSY = 22,
    LINK_WAITING = 23,
    LINK_REVOKED = 24,
    LINK_ROLE_IS = 25,
    LINK_DEFERRED = 26,
    LINK_CHECKPOINT = 27,
    LINK_REPORTED = 28,
};

/* Spans are borrowed: from the caller to encode, from the octets after decoding. A field that the
 * type does not have is zero or empty. */
struct link_message {
    enum link_type type;
    struct span id;   /* SUBMIT ISSUED CONFIRMED WAITING REVOKED DEFERRED: rid; REGISTER REGISTERED:
                         SHA-256 of the CMS;    CANCEL CANCELLED: registrationId (16 octets); REFUSED
                         BUSY: the id of what is answered; WELCOME: SHA-256 of the CA's file of
                         profiles, or empty; HELLO CHECKPOINT: empty; ROLE ROLE_IS: SHA-256 of a
                         certificate; REPORT REPORTED: of the text */
    struct span body; /* SUBMIT: Submission; REGISTER, CANCEL: CMS; ISSUED: certificate;
                         WELCOME: issuing certificate */
    struct span root; /* WELCOME: root certificate */
    bool software;    /* WELCOME: a key of the CA is in a software token */
    unsigned fail_info;   /* REFUSED, DEFERRED: bit of PKIFailureInfo */
    struct span phrase;   /* REFUSED, WAITING, DEFERRED: why, 1..128 printable ASCII octets;
                             ROLE_IS: "ra-cmp", "registrar", "officer" or "none" */
    uint32_t check_after; /* WAITING, DEFERRED: seconds after which it makes sense to ask again */
    uint32_t backdate; /* WELCOME: certificates begin so many seconds before they are made; 0: not
                          said */
    struct span checkpoint; /* a signed note: WELCOME, CHECKPOINT: the newest that the CA has
                               stored; HELLO: the newest that the RA remembers; empty: none */
    struct span log_key;    /* WELCOME: of these checkpoints, as log.vkey has it */
};

/* "SUBMIT"; "?" for a number that is none of them. */
const char *link_type_name(enum link_type);
/* Sent by the RA (HELLO SUBMIT REGISTER CANCEL ROLE REPORT). */
bool link_type_is_request(enum link_type);

/* Appends the DER. A field out of its limits is ERR_INPUT. */
int link_encode(const struct link_message *, struct buf *out, struct err *e);
/* ERR_INPUT for everything that link_encode() would not write. */
int link_decode(struct span der, struct link_message *out, struct err *e);
