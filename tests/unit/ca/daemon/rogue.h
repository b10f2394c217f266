/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rogue.h - an RA that somebody else owns: it has its genuine key and all that network functions
 * have ever sent, and hands in whatever it likes, by the thousand. What each frame is about, and
 * what the CA may say to it, is a row of a table (rogue_lies.c).
 */
#pragma once

#include "tests/support/submit.h"
#include "tests/unit/ca/daemon/lie.h"

enum { ROGUE_WANTED_MAX = 3, ROGUE_GROUP = 6, ROGUE_KEPT = 512 };

/* A network function, and what it proves itself by. */
struct rogue_nf {
    struct nf nf;
    X509 *device; /* that signs for it; NULL: a MAC, by a secret that the RA has */
    bool by_key;  /* registered by public key */
    int may;      /* certificates that its registration allows */
    int got;
    X509 *certificate; /* that it has from before; NULL: none */
};

/* What was answered, to be handed in again. */
struct rogue_kept {
    struct buf message;
    struct cmp_queue_entry entry;
    enum link_type type;
    unsigned fail_info;
    struct buf certificate;
};

struct rogue {
    struct world *w;
    uint64_t random;
    struct rogue_nf certificates[ROGUE_GROUP]; /* pinned, */
    struct rogue_nf vendors[ROGUE_GROUP];      /* by issuer and subject, */
    struct rogue_nf keys[ROGUE_GROUP];         /* by public key, */
    struct rogue_nf secrets[ROGUE_GROUP];      /* by MAC */
    struct rogue_nf holders[ROGUE_GROUP];      /* that have their certificate, unconfirmed */
    struct rogue_nf later;                     /* registered long after it asked */
    struct rogue_nf cancelled;
    struct rogue_nf unopened;
    struct rogue_nf busy; /* by MAC, with a use left and a transaction that is known */
    EVP_PKEY *stranger;
    struct buf cancelled_cms;
    struct rogue_kept kept[ROGUE_KEPT]; /* a ring */
    size_t n_kept;
    size_t next_again; /* of them */
    time_t begun;
};

/* One that is handed in. */
struct rogue_frame {
    enum link_type type;
    uint8_t id[SHA256_SIZE];
    size_t id_n;
    struct buf body;
    /* of SUBMIT: */
    struct buf message;
    struct cmp_queue_entry entry;
    const struct rogue_kept *again; /* the same answer is due */
    bool other_rid;
};

struct rogue_kind {
    const char *name;
    void (*make)(struct rogue *, struct rogue_frame *);
    bool is_again; /* of what was answered before */
    /* What is not so, of what is under a genuine head. */
    void (*damage)(struct rogue *, struct submit *);
    struct {
        enum link_type type; /* 0: no more */
        int failure;         /* -1: any */
        const char *words;   /* a part of the phrase; NULL: any */
    } wanted[ROGUE_WANTED_MAX];
};

extern const struct rogue_kind rogue_kinds[];
extern const size_t rogue_n_kinds;

/* For cmocka: *state is a struct rogue. */
int rogue_setup(void **state);
int rogue_teardown(void **state);

/* 0 .. n - 1; the same from the same seed. */
uint32_t rogue_random(struct rogue *, uint32_t n);
