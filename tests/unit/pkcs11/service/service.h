/* SPDX-License-Identifier: Apache-2.0 */
/* service.h - a token, the policy of a log's key in it, nfpki-signer --listen, and its clients. */
#pragma once

#include <sys/types.h>

#include "pkcs11/client/client.h"
#include "pkcs11/client/protocol.h"
#include "pkcs11/key.h"
#include "pkcs11/session.h"
#include "tests/unit/pkcs11/signer/scene_log.h"

#define USER_PIN SPAN_LITERAL("user-pin-0123456789")

/* Of the service: one that no machine is too slow for, and one that a test waits for. */
enum { DEADLINE_MS = 60000, SHORT_DEADLINE_MS = 3000 };

struct world {
    char *dir, *policy, *socket, *journal, *log;
    char *stands; /* while this file is there the token does not come back (faultp11.c) */
    char serial[TOKEN_SERIAL_SIZE];
    uint8_t id[KEY_ID_SIZE];
    struct buf spki;
    struct scene_log ledger;
    /* of a test */
    pid_t service;    /* -1: none */
    uid_t client;     /* whom the policy names; our own */
    int pin_fd;       /* -1: the PIN is a credential */
    int deadline_ms;  /* DEADLINE_MS */
    const char *more; /* lines of the policy; "" */
};

/* Of a group: the token. */
int world_make(void **state);
int world_free(void **state);
/* Of a test: the files beside it, and the end of the service. */
int service_setup(void **state);
int service_teardown(void **state);

void write_pin(const struct world *, struct span pin);
/* The policy with these lines more; its purpose is a log, or the section that is given. */
void write_policy(const struct world *, const char *more);
void write_policy_for(const struct world *, const char *more, const char *purpose);
void stands(const struct world *, bool);

/* Starts it with its policy and these words for the module, and waits until it listens. */
void service_start(struct world *, const char *faults);
/* Its exit status; -1: a signal ended it. */
int service_stop(struct world *, int signal);
/* The exit status of one that does not start. */
int service_run(const struct world *, const char *socket);

/* Lines of the log with this event; the process that the last session is; is this text in it? */
size_t log_count(const struct world *, const char *event);
pid_t log_session(const struct world *);
bool log_has(const struct world *, const char *text);
void wait_log(const struct world *, const char *event, size_t n);
/* Until the journal has so many attempts. */
void wait_journal(const struct world *, size_t attempts);

/* A client, or NULL and why not. */
struct signer *client_try(const struct world *, struct err *e);
/* A client, at last: a short deadline may end a start. Fails the test. */
struct signer *client_start(const struct world *, struct err *e);
/* Lets it sign the next checkpoint, and verifies the signature. */
int client_sign(struct world *, struct signer *, struct err *e);
/* The same, as soon as there is a session again; what is in the way meanwhile is of this kind, or
 * the token. */
void client_sign_soon(struct world *, struct signer *, enum err_code meanwhile);

/* A bare connection: the next frame is HELLO; is FAILED with this; the next checkpoint is asked
 * for. */
bool greeted(int fd);
bool closed(int fd); /* by the other end, and nothing more was said */
bool told(int fd, enum err_code code, const char *text);
void ask(struct world *, int fd);
