/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history.h - the record of a CA that never ran: leaves with every signature that a verifier asks
 * for, in a real ledger (tests/unit/db/audit/ledger.h), whose certificates, CRLs, registrations,
 * attestations and approvals are made by the code of the CA and of the RA. A test tells what
 * happened, at the times that it likes; history_tell() tells a year with everything in it.
 *
 * Everything here fails the test when it cannot.
 */
#pragma once

#include "base/tlog/merkle.h"
#include "ca/x509/tbs/crl.h"
#include "tests/support/cmp_client.h"
#include "tests/support/pki.h"
#include "tests/unit/db/audit/ledger.h"

enum {
    HISTORY_PEOPLE = 12,
    HISTORY_NFS = 24,
    HISTORY_REVOKED = 64,
    HISTORY_HEX = 2 * 32 + 1,
};

/* Somebody, or a program, with a certificate of the CA's own. */
struct history_person {
    char serial[HISTORY_HEX];
    char subject[128];
    EVP_PKEY *key;
    X509 *certificate;
};

/* A network function, and the newest of what it has. */
struct history_nf {
    struct nf_identity identity;
    char registration[HISTORY_HEX];
    char rid[HISTORY_HEX];
    char serial[HISTORY_HEX];
    EVP_PKEY *key;
    X509 *certificate;
    int certificates;              /* that its registration allows */
    time_t until;                  /* its registration's end */
    EVP_PKEY *next_key;            /* that it asked for */
    X509 *asks_with;               /* certificate that protects what it asks, by this key; */
    EVP_PKEY *asks_by;             /* NULL: a MAC */
    struct cmp_client_state state; /* of its transaction */
    time_t made;                   /* its request */
};

struct history {
    struct audit_ledger l;
    struct merkle_edge edge; /* of all leaves so far */
    time_t begin;
    struct pki *pki;
    struct history_person *people[HISTORY_PEOPLE];
    size_t n_people;
    struct history_nf *nfs[HISTORY_NFS];
    size_t n_nfs;
    const struct history_person *ra; /* that attests now */
    uint64_t asked;                  /* places of its queue */
    uint8_t head[32];                /* of its last head */
    struct crl_entry revoked[HISTORY_REVOKED];
    size_t n_revoked;
    uint64_t crls;
    struct buf crl;              /* the newest one, DER */
    struct buf algorithm;        /* of MACs */
    uint64_t reports;            /* of the RA; */
    uint8_t report[SHA256_SIZE]; /* the last */
    uint64_t kinds[LEAF_KINDS];  /* how many leaves of each there are */
    uint64_t last[LEAF_KINDS];   /* the newest of each */
};

void history_begin(struct history *, time_t begin);
void history_end(struct history *); /* for CLEANUP */
/* The next leaf is of this time, after the beginning; nothing happens in between. */
void history_at(struct history *, int day, int hour, int minute);
time_t history_time(const struct history *, int day, int hour, int minute);

/* ---- the CA itself ---- */

/* clock_set_back: NULL, or what START says of it. */
void history_start(struct history *, const char *version, const time_t *clock_set_back);
void history_stop(struct history *, const char *reason);
/* The hash of a file is that of `content`; `previous` may be NULL. */
void history_config(struct history *, const char *file, const char *content, const char *previous);
void history_ceremony(struct history *, const char *name);
/* `object` and `reason` may be NULL: done, then. */
void history_operation(struct history *, const char *command, const char *by, const char *object,
                       const char *reason);
void history_clock(struct history *, time_t expected);
void history_sealed(struct history *, int pages);
void history_recovered(struct history *, int resumed, int abandoned, const char *text);
void history_crl(struct history *, int days);
/* RESTORED of the leaves from `from` on, by two officers, and then ADOPTED of a certificate that
 * the record had lost, with its INTENT and ISSUED. */
void history_restored(struct history *, const struct history_person *,
                      const struct history_person *, uint64_t from, char adopted[HISTORY_HEX]);
void history_acknowledge(struct history *, const struct history_person *,
                         const struct history_person *, const char *reason);

/* ---- people and programs ---- */

/* role: "officer", "registrar", "ra-cmp". */
struct history_person *history_person(struct history *, const char *role, const char *name,
                                      int days);
/* What the RA says of itself since its last report: lines of base/tlog/ra_report.h, of which the
 * history knows no more. */
void history_report(struct history *, const char *lines);
/* The same with a subject that no code of ours would make; a registrar. */
struct history_person *history_hostile_person(struct history *);
#define HISTORY_HOSTILE "=HYPERLINK(\"http://x\")<script>alert(1)</script>\x1b]0;x\x07\u202e&'"
#define HISTORY_HOSTILE_DNS "amf\0.evil.example\"><img src=http://x>"

/* ---- network functions ---- */

struct history_nf *history_register(struct history *, const char *type, const char *name,
                                    const struct history_person *registrar, const char *proof,
                                    int certificates, int days);
void history_register_again(struct history *, struct history_nf *,
                            const struct history_person *registrar, int days);
void history_cancel(struct history *, const struct history_nf *,
                    const struct history_person *registrar);
void history_cancel_by(struct history *, const struct history_nf *, const char *by,
                       const char *reason);
/* For a new key, or for that of `how`, which says whose place it takes, too. */
struct history_how;
void history_request(struct history *, struct history_nf *, const char *profile, int approvals);
void history_request_how(struct history *, struct history_nf *, const struct history_how *);
void history_approve(struct history *, const struct history_nf *, const struct history_person *,
                     const char *decision, const char *reason);
void history_refuse(struct history *, const struct history_nf *, int fail_info, const char *reason);
/* How the certificate comes about; zero is a first one. */
struct history_how {
    const char *profile; /* "nf-tls" */
    const char *updates, *renews, *instead_of;
    EVP_PKEY *key; /* NULL: a new one */
    int approvals;
    int days; /* 45 */
    bool hostile;
};
/* INTENT alone, the certificate is kept; and its ISSUED. The request for it came before. */
void history_intend(struct history *, struct history_nf *, struct history_how);
void history_issued(struct history *, struct history_nf *);
void history_confirm(struct history *, struct history_nf *);
void history_reject(struct history *, struct history_nf *, const char *reason, bool by_nf);
/* serial: of any certificate. */
void history_revoke(struct history *, const char *serial, int reason, const char *by,
                    const char *superseded_by);
/* As its network function asks, for one that it had. */
void history_give_back(struct history *, struct history_nf *, X509 *certificate, EVP_PKEY *,
                       int reason);
/* The request once more, answered with the update that waits. */
void history_again(struct history *, struct history_nf *);
/* Request, INTENT, ISSUED, CONFIRMED. */
void history_enrol(struct history *, struct history_nf *, struct history_how);
/* Request, INTENT, ISSUED, CONFIRMED of an update, and REVOKED of what it follows. */
void history_update(struct history *, struct history_nf *);

/* A year in the life of a CA, about 250 leaves with every kind that there is and names that nobody
 * would want; `told` says what is known of it. Published. */
struct history_told {
    const struct history_person *ada, *boris, *carla, *north, *hostile, *ra, *second_ra;
    struct history_nf *used, *hostile_nf, *never_confirmed, *rejected, *unused, *revoked, *waiting,
        *refused_nf, *approved, *greedy;
    char open[HISTORY_HEX]; /* an INTENT without an end */
    char compromised[HISTORY_HEX];
    char superseded[HISTORY_HEX];
    char superseded_too[HISTORY_HEX];
    char rejected_first[HISTORY_HEX]; /* by `rejected`, which then had another */
    char adopted[HISTORY_HEX];        /* that the record had lost */
    char shared[2][HISTORY_HEX];      /* one key in two network functions */
    time_t as_of;                     /* when the auditor asks */
    uint64_t size;
};
void history_tell(struct history *, struct history_told *);
