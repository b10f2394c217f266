/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h - nfpki-ra.conf(5), read once at start.
 *
 * Ownership: settings_free() releases everything; whoever reads it borrows.
 */
#pragma once

#include "ca/trust/conf.h"
#include "ca/x509/blocked_keys.h"
#include "ca/x509/profile/profiles.h"
#include "pkcs11/client/pool.h"
#include "ra/daemon/settings_http.h"
#include "ra/daemon/settings_value.h"

struct settings {
    struct settings_list listen;
    enum settings_strictness strictness; /* of these */
    char *state;
    char *database; /* state/ra.db */
    char *link;
    char *admin;
    /* The administrators' HTTPS door; no address: it is shut. */
    struct settings_list admin_listen;
    char *admin_tls_certificate;
    char *admin_tls_credential;
    struct settings_list admin_crls;
    /* For onboarding bundles: where network functions find us, and the anchor of our TLS. */
    struct settings_list public_url;
    char *public_tls_root; /* NULL: none */
    char *signer;          /* NULL: they are services */
    bool signer_listens;   /* the same: each of these is a socket, or else a policy file */
    char *signers[SIGNER_POOL_MAX];
    size_t n_signers;
    char *certificate;
    char *issuing;
    char *root;
    char *log_key; /* NULL: the first that the CA shows */
    struct trust_conf trust;
    char *ledger_dir;                 /* NULL: it is not served */
    char *crl_dir;                    /* NULL: none is served */
    struct settings_list root_update; /* newWithNew, newWithOld, oldWithNew; or none */
    struct profiles *profiles;        /* NULL: the built-in ones */
    struct blocked_keys *blocked;     /* NULL: none */
    int message_time_window;
    bool message_time_required;
    int pbm_min_iterations;
    int pbm_max_iterations;
    int pbmac1_max_iterations;
    int confirm_wait;
    bool implicit_confirm;
    int sync_wait;
    int report_period;         /* seconds (report/report.h) */
    uint8_t hash[SHA256_SIZE]; /* of the file */
    int workers;
    int expired_renewal_days; /* a kur may be signed with what ended so long ago */
    int requests_max;
    int beginning_max; /* of these, those that begin a transaction */
    int crl_max_age;   /* seconds that a cache may keep a CRL; 0: none may without asking */
    struct settings_http http;
};

/* What errors and logs call the first signer: its policy file or its socket. */
const char *settings_signer_name(const struct settings *);

void settings_free(struct settings *);
/* ERR_INPUT "file:line: reason" or with the name of the option. */
struct settings *settings_load(const char *path, struct err *e) OWNED(settings_free);
DEFINE_CLEANUP(settings_cleanup, struct settings, settings_free)
