/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h - who the programs of interop/ are: files of a folder that their scripts fill. What
 * is not there ends the program, as verdict_must() does.
 */
#pragma once

#include "tests/support/cmp_client.h"

X509 *credentials_certificate(const char *folder, const char *name) OWNED(X509_free);

/* NAME.pem and NAME.key. */
struct cmp_client credentials_client(const char *folder, const char *name);
void credentials_client_free(struct cmp_client *);

/* Who has the secret of mac.{reference,secret}, and sends PasswordBasedMac. */
struct credentials_mac {
    struct cmp_client client;
    char *reference;
    char *secret;
    struct buf algorithm;
};
void credentials_mac_load(struct credentials_mac *, const char *folder);
void credentials_mac_free(struct credentials_mac *);
