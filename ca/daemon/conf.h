/* SPDX-License-Identifier: Apache-2.0 */
/* conf.h - nfpki-ca.conf(5), read and checked; every path is ready for use. Private to nfpki-ca. */
#pragma once

#include <sys/types.h>

#include "base/ossl.h"
#include "base/tlog/cosigner.h"
#include "ca/trust/conf.h"
#include "ca/x509/blocked_keys.h"
#include "ca/x509/profile/nf.h"
#include "ca/x509/profile/profiles.h"
#include "pkcs11/client/pool.h"

enum { CA_LINK_USERS_MAX = 8, CA_NAMES_MAX = 16, CA_WORKERS_MAX = 64 };

/* Started by us with a policy file, or a service that listens at a socket: one of them is there. */
struct ca_signer {
    char *policy;
    char *socket;
    unsigned number; /* its place in the configuration, from 0: that of its journal in ca.db */
};

struct ca_conf {
    uint8_t hash[SHA256_SIZE]; /* of the file */
    char *state_dir;
    char *database;
    char *ledger_dir;
    char *log_origin;
    char *issuing_certificate;
    char *root_certificate;
    char *root_crl;
    char *signer_program;                      /* NULL: all signers are services */
    struct ca_signer issuing[SIGNER_POOL_MAX]; /* the first signs CRLs, too */
    size_t n_issuing;
    struct ca_signer log;
    char *link_socket;
    char *admin_socket;
    char *crl_dir;
    char *crl_url;
    uid_t link_uids[CA_LINK_USERS_MAX];
    size_t n_link_uids;
    struct trust_conf trust;
    char *registrar_policies[CERT_POLICIES_MAX]; /* certificatePolicies of our people */
    size_t n_registrar_policies;
    char *officer_policies[CERT_POLICIES_MAX];
    size_t n_officer_policies;
    char *home_domains[CA_NAMES_MAX];
    size_t n_home_domains;
    char *fqdn_suffixes[CA_NAMES_MAX];
    size_t n_fqdn_suffixes;
    struct cosigner witnesses[CA_NAMES_MAX]; /* whose lines come back */
    size_t n_witnesses;
    struct profiles *profiles;    /* NULL: the built-in ones */
    struct blocked_keys *blocked; /* NULL: none */
    bool lab_profiles;
    int signer_timeout_ms;
    int crl_validity_s;
    int crl_overlap_s;
    int backdate_s;        /* certificates and CRLs begin so long before they are made */
    int message_window_s;  /* messageTime is at most so far from when the RA took the request, */
    bool message_required; /* and must be there */
    bool clock_set_back;   /* go on though the clock is behind the last leaf */
    size_t workers;
    int renewal_window; /* percent */
    int expired_renewal_days;
    bool allow_same_key_renewal;
    bool reenrolment;
    bool revoke_unconfirmed;
    int confirm_wait_s;
    bool retry_rejected;
    int approval_s;             /* a request waits for officers so long */
    int approval_check_after_s; /* what the network function is told meanwhile */
    int scrub_share;            /* percent */
};

/* What errors and logs call it: its policy file or its socket. */
const char *ca_signer_name(const struct ca_signer *);

void ca_conf_free(struct ca_conf *);
/* ERR_INPUT "file:line: option: ..."; the line of an option that is missing is the last one of its
 * section. */
int ca_conf_load(const char *path, struct ca_conf *out, struct err *e);
