/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outline.h - where the parts of a PKIMessage (RFC 9810 5.1) are, as the auditor reads it: once
 * more, by nothing that the RA or the CA runs. Pure; everything borrowed from the octets.
 */
#pragma once

#include "base/buf.h"

/* PKIBody: the number of its tag. */
enum message_body {
    MESSAGE_IR = 0,
    MESSAGE_CR = 2,
    MESSAGE_P10CR = 4,
    MESSAGE_KUR = 7,
    MESSAGE_RR = 11,
    MESSAGE_CERTCONF = 24,
};
/* "ir"; NULL: one that nobody asks with. */
const char *message_body_name(int body);

struct message_outline {
    int body;
    struct span header;         /* both as they are protected: with their tags */
    struct span tagged_body;    /* */
    struct span content;        /* of the body */
    struct span algorithm;      /* AlgorithmIdentifier; empty: there is none */
    struct span transaction_id; /* empty: there is none */
    struct span sender_nonce;
    struct span protection;   /* content of the BIT STRING; empty: there is none */
    struct span certificates; /* extraCerts, one behind the other */
};
/* ERR_CRYPTO: it is none. */
int message_outline_read(struct span der, struct message_outline *, struct err *e);

/* A request for a certificate within an ir, cr or kur (RFC 4211). */
struct message_request {
    struct span request;    /* CertRequest, which the proof of possession signs */
    struct span subject;    /* Name; empty: there is none */
    struct span key;        /* content of its SubjectPublicKeyInfo; empty: there is none */
    struct span extensions; /* content of Extensions; empty: there are none */
    struct span algorithm;  /* of the proof by a signature; empty: there is none, or another one */
    struct span signature;  /* content of the BIT STRING */
};
int message_request_read(struct span content, struct message_request *, struct err *e);

/* Of a certConf (RFC 9810 5.3.18), for one certificate. */
struct message_confirmation {
    struct span hash;
    struct span algorithm; /* AlgorithmIdentifier of the hash; empty: as the certificate's */
};
int message_confirmation_read(struct span content, struct message_confirmation *, struct err *e);

/* Of an rr: the serial number that is to be revoked, as content of an INTEGER. */
int message_revocation_read(struct span content, struct span *serial, struct err *e);
