/* SPDX-License-Identifier: Apache-2.0 */
/* officer.h - an officer at nfpki-cactl: a key and its certificate, in files of the scene. */
#pragma once

#include "base/ossl.h"
#include "tests/unit/ca/cactl/scene.h"

struct cactl_officer {
    EVP_PKEY *key;
    X509 *certificate;
    char *certificate_path;
    char *key_path;
    char *locked_path; /* the same key, with the passphrase "secret" */
};
/* Everything fails the test when it cannot be made. */
void cactl_officer_make(struct cactl_officer *, const struct cactl_scene *);
void cactl_officer_free(struct cactl_officer *);

/* PEM; with this passphrase, NULL: none. Its path is owned. */
char *cactl_key_write(const struct cactl_scene *, EVP_PKEY *key, const char *name,
                      const char *passphrase);
/* A descriptor from which this can be read. */
int cactl_readable(const char *text);
