/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - one ceremony under way.
 *
 * Rules of every step: what changes the token stands in the transcript as an intent before and as
 * done after; an answer that is not the expected one ends the ceremony; nothing is retried.
 */
#pragma once

#include "ceremony/bundle/bundle.h"
#include "ceremony/definition/steps.h"
#include "ceremony/run/desk.h"
#include "ceremony/transcript/fact.h"
#include "pkcs11/key.h"
#include "pkcs11/session.h"

/* What exists when the ceremony stops now (what to do about it: left.c). */
enum leftover {
    LEFT_NOTHING,
    LEFT_TOKEN_OPEN,   /* the initialisation was begun */
    LEFT_TOKEN,        /* a fresh token without keys */
    LEFT_KEYGEN_OPEN,  /* a generation was begun */
    LEFT_KEY_UNPROVEN, /* generated, not all checks passed yet */
    LEFT_KEYS,         /* good keys */
    LEFT_SIGN_OPEN,    /* a signature was begun */
    LEFT_UNCHECKED,    /* a signature was made, its checks are not through */
    LEFT_WORK_DONE,
};

struct run_key {
    uint8_t id[KEY_ID_SIZE];
    struct buf spki;
};

struct run {
    const struct definition *d;
    struct desk desk;
    bool rehearsal;
    struct recorder *recorder;
    struct bundle *prev; /* NULL: none */
    struct circumstances circumstances;
    struct state state; /* the register as it will be */

    struct module *module;
    struct session *session;
    bool software;
    char serial[TOKEN_SERIAL_SIZE]; /* as large as state.token_serial */
    struct buf pin;
    struct run_key keys[DEFINITION_KEYS_MAX];
    uint8_t secrets[DEFINITION_SECRETS_MAX][KEY_ID_SIZE];
    struct buf subject_spki; /* of what is certified */
    struct inventory before; /* on the token at activation */

    json_t *artifacts; /* {"file","sha256"} */
    const struct step *step;
    enum leftover left;
};

/* Exit statuses of the program. */
enum run_status {
    RUN_DONE = 0,
    RUN_REFUSED = 1, /* before any change */
    RUN_STOPPED = 2, /* nothing needs to be destroyed */
    RUN_DESTROY = 3, /* stopped, and something must be destroyed */
    RUN_MISUSE = 4,
};

/* What a stop leaves and who stopped must do (left.c). */
struct advice {
    const char *text;
    enum run_status status;
};
const struct advice *run_advice(const struct run *);

/* The whole ceremony; prints what happens and, on a stop, what exists and what to do. */
enum run_status run_ceremony(const struct definition *, bool rehearsal);

/* ---- for the steps */

int run_record(struct run *, json_t *fact, struct err *e);
/* Asks and records; the answer must be exactly `word`. */
int run_confirm(struct run *, const char *question, const char *word, struct err *e);
/* Records an artifact, then writes its file into the bundle. */
int run_artifact(struct run *, const char *file, const char *form, struct span content,
                 struct err *e);
/* A token call that changes something: {"function", ...} */
int run_intent(struct run *, const char *function, json_t *detail, struct err *e);
int run_done(struct run *, const char *function, json_t *detail, struct err *e);

/* frame.c */
int run_environment(struct run *, struct err *e);
int run_people(struct run *, struct err *e);
int run_clock(struct run *, struct err *e);
int run_definition(struct run *, struct err *e);
int run_previous(struct run *, struct err *e);
int run_seal(struct run *, struct err *e);

/* token.c */
int run_token(struct run *, struct err *e);
int run_activation(struct run *, struct err *e);
int run_deactivation(struct run *, struct err *e);
/* Opens module and session, logs in with the PIN in `pin`. */
int run_login(struct run *, struct err *e);
/* Closes session and module; the token's files are on the medium afterwards. */
int run_logout(struct run *, struct err *e);
/* The root key, found by identifier and public half. */
struct key *run_find_root(struct run *, struct err *e) OWNED(key_free);
int run_record_rows(struct run *, const char *label, const char *policy, json_t *rows,
                    struct err *e);
int run_record_attributes(struct run *, struct key *, const char *label, struct err *e);
/* For key_probe() and secret_probe(): `context` is the array that the next one records. */
int run_probe_seen(void *context, const char *probe, const char *ckr, bool refused, struct err *e);
/* What a "key" or a "secret key" was asked for; returns `result`, of the probing, or -1 when it
 * cannot be recorded. */
int run_record_probes(struct run *, const char *kind, const char *label, json_t *probes, int result,
                      struct err *e);

/* keys.c */
int run_keys(struct run *, struct err *e);
int run_key_checks(struct run *, struct err *e);

/* secrets.c; part of the steps above */
int run_secrets(struct run *, struct err *e);
int run_secret_checks(struct run *, struct err *e);

/* sign.c */
int run_requests(struct run *, struct err *e);
int run_incoming(struct run *, struct err *e);
int run_certificate(struct run *, struct err *e);
int run_crl(struct run *, struct err *e);

/* The request of the definition, read, hashed and checked (also used by `check`). `bytes` gets the
 * file, `spki` the key. */
int run_read_request(const struct definition *, bool rehearsal, struct buf *bytes, struct buf *spki,
                     struct err *e);
