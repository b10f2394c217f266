/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asked.h - what a leaf says that somebody asked with, looked at again: the message itself, which
 * was hashed; who signed it, and whether it is who the registration says; that whoever asked had
 * the key; that the certificate is for that key.
 */
#pragma once

#include <openssl/x509.h>

#include "db/audit/story/story.h"

enum asked_verdict {
    ASKED_VERIFIED,   /* again, now */
    ASKED_WORD,       /* that is the RA's word, which it signed */
    ASKED_UNASKED,    /* the root of a vendor, which was not given */
    ASKED_REGISTERED, /* it need not be as the message says */
    ASKED_DECIDED,    /* the same of who works for the CA */
    ASKED_NOT_THERE,  /* nothing to look at */
};
/* "verified again" */
const char *asked_verdict_name(enum asked_verdict);

struct asking {
    struct mirror *mirror;
    const struct story *story;
    STACK_OF(X509) * vendors; /* roots that somebody gave; may be empty */
    /* Told of each thing that was looked at. */
    void (*told)(void *arg, const struct story_leaf *, const char *text, enum asked_verdict);
    void *arg;
};
/* Of a leaf of the story; one that names no message is passed over. ERR_CRYPTO: something does not
 * verify. */
int asked_check(const struct asking *, const struct story_leaf *, struct err *e);
/* The same of the message at hand, which was hashed. */
int asked_look(const struct asking *, const struct story_leaf *, struct span octets, struct err *e);
