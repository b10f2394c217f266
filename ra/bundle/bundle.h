/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h - what a client needs to enrol one registered network function once and to renew its
 * certificate (TS 33.310 10.2.2: the initial trust data), as a text for that client. Private to
 * nfpki-ractl.
 *
 * The text is a shell script, or what Kubernetes takes. It has no secret, and nothing in it
 * revokes: how to do that is a text of its own.
 */
#pragma once

#include <jansson.h>
#include <openssl/x509.h>

#include "base/buf.h"

enum { BUNDLE_TEXT_MAX = 64 * 1024 };

struct bundle {
    const json_t *answer; /* of the RA; borrowed, as everything that is const here */
    const char *profile;
    const char *proof; /* "mac", "certificate", "vendor", "publicKey" */
    X509 *root;
    X509 *issuing;
    X509 *ra;
    char *url;        /* with the profile */
    char *server;     /* of it: host and port */
    const char *path; /* of it: what follows */
    char *recipient;  /* "/C=SE/CN=x" */
    char *subject;    /* the registered one, alike */
    bool tls;
    struct buf text;
    struct err e;
    int result;
};

struct bundle_client {
    const char *name;
    const char *what;
    const char *file;               /* "bundle.sh" */
    void (*enrol)(struct bundle *); /* the whole, when there is no `renew` */
    void (*renew)(struct bundle *);
    void (*revoke)(struct bundle *);
};
/* NULL and ERR_INPUT with the names that there are. */
const struct bundle_client *bundle_client_find(const char *name, struct err *e);

/* With what the RA says; `profile` NULL: the first registered one. ERR_INPUT; ERR_DENIED when the
 * registration is cancelled. bundle_release() in any case. */
int bundle_take(struct bundle *, const json_t *answer, const char *profile);
void bundle_release(struct bundle *);
/* b->text. */
int bundle_render(struct bundle *, const struct bundle_client *, bool revocation);

/* For the clients (text.c): adds to the text. */
void bundle_add(struct bundle *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A certificate as PEM, each line behind so many spaces. */
void bundle_add_pem(struct bundle *, X509 *, int indent);
/* A PEM text of somebody else's, alike. */
void bundle_add_lines(struct bundle *, const char *text, int indent);
/* One word for the shell. */
char *bundle_quoted(const char *word) __attribute__((warn_unused_result));
/* A text member of the answer; "" when it is not there. */
const char *bundle_member(const json_t *object, const char *name);
/* Is it enrolled by the secret? */
bool bundle_is_mac(const struct bundle *);
/* Ends the script unless the secret is there. */
void bundle_add_secret(struct bundle *);
/* Makes a key in this file; `before` stands in front of the command. */
void bundle_add_genpkey(struct bundle *, const char *before, const char *file);
/* The steps before the client's own: the key, or what stands in place of the secret. */
void bundle_add_key(struct bundle *);

/* openssl.c, java.c, kubernetes.c */
extern const struct bundle_client bundle_openssl;
extern const struct bundle_client bundle_openssl_32;
extern const struct bundle_client bundle_gencmpclient;
extern const struct bundle_client bundle_cmpracomponent;
extern const struct bundle_client bundle_bouncycastle;
extern const struct bundle_client bundle_certmanager;
