/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-signer - one process, one session, one key, one thread.
 *
 * Order, and none of it may be swapped: the whole object is understood and allowed -> its line is
 * in the journal and on disk -> the token signs -> the signature verified -> it leaves. A failure
 * of token or journal ends the process; the parent starts a fresh one (client/PROTOCOL.md).
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/ossl.h"
#include "base/proc.h"
#include "pkcs11/client/client.h"
#include "pkcs11/client/protocol.h"
#include "pkcs11/key.h"
#include "pkcs11/secret.h"
#include "pkcs11/signer/journal/journal.h"
#include "pkcs11/signer/object.h"
#include "pkcs11/signer/policy.h"

enum {
    PARENT_FD = 3,
    PIN_MAX = 255,
    FRAME_TIMEOUT_MS = 10000,
    BATCH_BYTES_MAX = 16 * 1024 * 1024,
    ORPHAN_SECONDS = 5, /* what a token that hangs gets when the parent is gone */
};

struct options {
    const char *policy;
    int pin_fd;
    bool self_test;
};

struct request {
    struct buf frame;
    struct signer_frame sign; /* borrows from frame */
    int result;
    struct err e;
};

struct service {
    struct policy *policy;
    struct journal *journal; /* NULL in a self-test */
    struct module *module;
    struct session *session;
    struct key *key;
    struct secret *secret; /* NULL: the policy has no section seal */
    struct buf out;
    struct request batch[SIGNER_BATCH_MAX];
    size_t n;
};

static int
answer(struct service *s, enum signer_frame_type type, uint8_t detail, uint64_t number,
       struct span bytes, struct err *e)
{
    struct signer_frame frame = {.type = type, .detail = detail, .number = number, .bytes = bytes};

    if (signer_frame_encode(&frame, &s->out, e) != 0) {
        return -1;
    }
    return frame_write(PARENT_FD, buf_span(&s->out), FRAME_TIMEOUT_MS, e);
}

static int
log_in(struct service *s, int pin_fd, struct err *e)
{
    CLEANUP(buf_free) struct buf pin = BUF_SECRET(PIN_MAX);

    if (secret_read(pin_fd, s->policy->credential, &pin, e) != 0) {
        return -1;
    }
    return session_login(s->session, buf_span(&pin), e);
}

static int
open_key(struct service *s, const struct options *options, struct err *e)
{
    const struct policy *p = s->policy;
    const struct key_policy *attributes = key_policy_find(p->attributes, e);

    if (attributes == NULL) {
        return err_wrap(e, "%s", options->policy);
    }
    /* The root's PIN is not left with a service. */
    if (!options->self_test && key_policy_always_authenticate(attributes)) {
        return err_set(e, ERR_DENIED, "%s: keys of %s are for ceremonies only", options->policy,
                       p->attributes);
    }
    s->module = module_open(p->module, p->module_config, e);
    if (s->module == NULL) {
        return -1;
    }
    s->session = session_open(s->module, p->token, p->serial, SESSION_READ_ONLY, e);
    if (s->session == NULL || log_in(s, options->pin_fd, e) != 0) {
        return -1;
    }
    s->key = key_find(s->session, attributes, span_of(p->key_id, sizeof(p->key_id)),
                      buf_span(&p->spki), e);
    if (s->key == NULL) {
        return -1;
    }
    if (p->seals) {
        s->secret = secret_find(s->session, span_of(p->seal_id, sizeof(p->seal_id)), e);
    }
    return p->seals && s->secret == NULL ? err_wrap(e, "seal") : 0;
}

static int
open_journal(struct service *s, struct err *e)
{
    uint8_t key_hash[SHA256_SIZE];
    size_t torn = 0;

    if (sha256(buf_span(&s->policy->spki), key_hash, e) != 0) {
        return -1;
    }
    s->journal = journal_open(s->policy->journal, key_hash, &torn, e);
    if (s->journal == NULL) {
        return -1;
    }
    if (torn > 0) {
        log_event(LOG_WARNING, "journal-repaired", "%s: cut %zu octets of a torn last line",
                  s->policy->journal, torn);
    }
    return 0;
}

static int
hello(struct service *s, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(1 + SHA256_SIZE + SPKI_MAX);
    uint8_t version = SIGNER_PROTOCOL_VERSION;
    const struct token *token = session_token(s->session);
    bool software = token->software;

    if (software) {
        log_event(LOG_WARNING, "software-token",
                  "%s, token '%s', %s: for tests and demonstrations only",
                  module_description(s->module), token->label, token->model);
    }
    if (buf_append(&body, span_of(&version, 1), e) != 0 ||
        buf_append(&body, span_of(s->policy->hash, SHA256_SIZE), e) != 0 ||
        buf_append(&body, buf_span(&s->policy->spki), e) != 0) {
        return -1;
    }
    return answer(s, SIGNER_HELLO, software ? 1 : 0,
                  s->journal == NULL ? 0 : journal_attempts(s->journal), buf_span(&body), e);
}

static int
self_test(struct service *s, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    bool sign = !key_policy_always_authenticate(key_get_policy(s->key));

    if (hello(s, e) != 0 || (sign && key_sign(s->key, SIGNER_SELF_TEST_TEXT, &signature, e) != 0)) {
        return -1;
    }
    return answer(s, SIGNER_PROVED, sign ? 1 : 0, 0, buf_span(&signature), e);
}

static bool
more_waiting(void)
{
    struct pollfd p = {.fd = PARENT_FD, .events = POLLIN};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
}

/* Blocks for the first frame, then takes what is waiting. A frame that is not a SIGN is a broken
 * parent: the process ends. *closed: the parent is gone, nothing is to be done. */
static int
read_batch(struct service *s, bool *closed, struct err *e)
{
    size_t bytes = 0;

    *closed = false;
    s->n = 0;
    do {
        struct request *r = &s->batch[s->n];

        buf_truncate(&r->frame, 0);
        if (frame_read(PARENT_FD, SIGNER_FRAME_MAX, &r->frame, s->n == 0 ? -1 : FRAME_TIMEOUT_MS,
                       e) != 0) {
            *closed = e->code == ERR_NOTFOUND;
            if (*closed && s->n > 0) {
                *closed = false; /* what was asked for is still recorded and signed */
                return 0;
            }
            return *closed ? 0 : -1;
        }
        if (signer_frame_decode(buf_span(&r->frame), &r->sign, e) != 0) {
            return -1;
        }
        if (r->sign.type != SIGNER_SIGN) {
            return err_set(e, ERR_INPUT, "a frame of type %d from the parent", (int)r->sign.type);
        }
        bytes += r->frame.n;
        s->n++;
    } while (s->n < SIGNER_BATCH_MAX && bytes < BATCH_BYTES_MAX && more_waiting());
    return 0;
}

/* A certificate or CRL that was allowed: it is not another under a number that is taken. */
static int
admit_numbered(struct service *s, struct request *r, const uint8_t hash[SHA256_SIZE], struct err *e)
{
    const struct again *again = journal_again(s->journal);
    uint8_t serial[AGAIN_SERIAL];
    struct crl_head head;

    if (r->sign.detail == SIGNER_CERTIFICATE) {
        r->result = object_serial(r->sign.bytes, serial, &r->e) != 0
                        ? -1
                        : again_check_certificate(again, serial, hash, &r->e);
        return r->result != 0 ? 0 : journal_add_certificate(s->journal, hash, serial, e);
    }
    r->result = object_crl_head(s->policy, r->sign.bytes, &head, &r->e) != 0
                    ? -1
                    : again_check_crl(again, &head, clock_now(), &r->e);
    return r->result != 0 ? 0 : journal_add_crl(s->journal, &head, e);
}

/* One request: understood, allowed, and a line for the journal. -1 only for a broken journal. */
static int
admit(struct service *s, struct request *r, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    struct tree_head checkpoint = {0};
    bool is_checkpoint = r->sign.detail == SIGNER_CHECKPOINT;

    r->result = object_check(s->policy, r->sign.detail, r->sign.bytes, r->sign.evidence,
                             journal_checkpoint(s->journal), &checkpoint, &r->e);
    if (r->result != 0) {
        return 0;
    }
    if (sha256(r->sign.bytes, hash, e) != 0) {
        return -1;
    }
    if (r->sign.detail == SIGNER_CERTIFICATE || r->sign.detail == SIGNER_CRL) {
        return admit_numbered(s, r, hash, e);
    }
    return journal_add(s->journal, (char)r->sign.detail, hash, is_checkpoint ? &checkpoint : NULL,
                       e);
}

static int
refuse(struct service *s, const struct request *r, const struct err *reason, struct err *e)
{
    return answer(s, SIGNER_REFUSED, (uint8_t)reason->code, r->sign.number, span_str(reason->text),
                  e);
}

static int
sign_one(struct service *s, const struct request *r, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_SECRET(SIGNATURE_MAX);
    struct err ignored = {0};
    bool seals = r->sign.detail == SIGNER_SEAL;

    if (r->result != 0) {
        log_err(LOG_WARNING, "refused", &r->e, "object %c of %zu octets", r->sign.detail,
                r->sign.bytes.n);
        return refuse(s, r, &r->e, e);
    }
    if ((seals ? secret_mac(s->secret, r->sign.bytes, &signature, e)
               : key_sign(s->key, r->sign.bytes, &signature, e)) != 0) {
        (void)refuse(s, r, e, &ignored);
        return -1;
    }
    return answer(s, SIGNER_SIGNED, 0, r->sign.number, buf_span(&signature), e);
}

static int
serve(struct service *s, struct err *e)
{
    bool closed = false;

    for (;;) {
        uint64_t before = journal_attempts(s->journal);

        if (read_batch(s, &closed, e) != 0) {
            return -1;
        }
        if (closed) {
            return 0;
        }
        for (size_t i = 0; i < s->n; i++) {
            if (admit(s, &s->batch[i], e) != 0) {
                return -1;
            }
        }
        if (journal_attempts(s->journal) != before && journal_commit(s->journal, e) != 0) {
            return -1;
        }
        for (size_t i = 0; i < s->n; i++) {
            if (sign_one(s, &s->batch[i], e) != 0) {
                return -1;
            }
            buf_free(&s->batch[i].frame);
        }
    }
}

static int
run(struct service *s, const struct options *options, struct err *e)
{
    s->policy = policy_load(options->policy, e);
    if (s->policy == NULL) {
        return -1;
    }
    if (!options->self_test && s->policy->purpose == POLICY_SELF_TEST) {
        return err_set(e, ERR_DENIED, "%s: its purpose is self_test; use --self-test",
                       options->policy);
    }
    if ((!options->self_test && open_journal(s, e) != 0) || open_key(s, options, e) != 0) {
        return -1;
    }
    if (options->self_test) {
        return self_test(s, e);
    }
    return hello(s, e) != 0 ? -1 : serve(s, e);
}

static int
parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"policy", required_argument, NULL, 'p'},
        {"pin-fd", required_argument, NULL, 'f'},
        {"self-test", no_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    char *end = NULL;
    int c;

    *options = (struct options){.pin_fd = -1};
    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'p':
            options->policy = optarg;
            break;
        case 'f':
            options->pin_fd = (int)strtol(optarg, &end, 10);
            if (*end != '\0' || options->pin_fd < 4 || options->pin_fd > 1023) {
                return -1;
            }
            break;
        case 't':
            options->self_test = true;
            break;
        default:
            return -1;
        }
    }
    return options->policy != NULL && optind == argc ? 0 : -1;
}

/* _exit: some modules crash in their destructors, and leaving the process is the only sure logout
 * (SoftHSM issue 900). */
static _Noreturn void
leave(int status)
{
    (void)fflush(NULL);
    _exit(status);
}

int
main(int argc, char **argv)
{
    static struct service s;
    struct options options;
    struct err e = {0};
    struct err ignored = {0};

    if (parse_options(argc, argv, &options) != 0) {
        (void)fprintf(stderr, "usage: nfpki-signer --policy FILE [--pin-fd N] [--self-test]\n"
                              "started by its parent with a socket as descriptor 3\n");
        leave(2);
    }
    log_open("nfpki-signer", LOG_INFO);
    s.out = BUF_SECRET(SIGNER_FRAME_HEAD + SIGNER_ANSWER_MAX);
    for (size_t i = 0; i < SIGNER_BATCH_MAX; i++) {
        s.batch[i].frame = BUF_INIT(SIGNER_FRAME_MAX);
    }
    if (proc_finish_calls(ORPHAN_SECONDS, &e) != 0 || proc_harden(&e) != 0 || ossl_init(&e) != 0 ||
        run(&s, &options, &e) != 0) {
        log_err(LOG_ERROR, "ended", &e, "%s", options.policy);
        (void)answer(&s, SIGNER_FAILED, (uint8_t)e.code, 0, span_str(e.text), &ignored);
        leave(err_exit_status(e.code));
    }
    leave(0);
}
