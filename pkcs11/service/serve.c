/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/service/serve.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/ossl.h"
#include "pkcs11/client/attempted.h"
#include "pkcs11/client/evidence.h"
#include "pkcs11/service/answer.h"
#include "pkcs11/service/control.h"
#include "pkcs11/signer/object.h"

enum {
    FRAME_TIMEOUT_MS = 10000,
    BATCH_BYTES_MAX = 16 * 1024 * 1024,
    SAY_EACH_MS = 100, /* that this works still: far below any deadline */
    SCRUB_EACH_MS = 10000,
    SCRUB_MARKS = 8, /* of 256 lines each: 5 ms at most */
};

/* ---- what the supervisor hears: its deadline runs from the last word that this works ---- */

static void
works(struct serve *s)
{
    int64_t now = clock_monotonic_ms();

    if (s->control >= 0 && (s->said == 0 || now - s->said >= SAY_EACH_MS)) {
        control_say(s->control, CONTROL_WORKS);
        s->said = now;
    }
}

static void
rests(struct serve *s)
{
    if (s->control >= 0 && s->said != 0) {
        control_say(s->control, CONTROL_RESTS);
        s->said = 0;
    }
}

/* ---- frames ---- */

static int
hello(struct serve *s, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(SIGNER_HELLO_HEAD + SPKI_MAX);
    uint8_t version = SIGNER_PROTOCOL_VERSION;
    const struct journal *j = s->held->journal;
    uint8_t signatures[SIGNER_NUMBER_SIZE];
    const struct token *token = session_token(s->held->session);
    bool software = token->software;

    if (software) {
        log_event(LOG_WARNING, "software-token",
                  "%s, token '%s', %s: for tests and demonstrations only",
                  module_description(s->held->module), token->label, token->model);
    }
    signer_number_put(signatures, j == NULL ? 0 : journal_signatures(j));
    if (buf_append(&body, span_of(&version, 1), e) != 0 ||
        buf_append(&body, span_of(s->held->policy->hash, SHA256_SIZE), e) != 0 ||
        buf_append(&body, span_of(signatures, sizeof(signatures)), e) != 0 ||
        buf_append(&body, buf_span(&s->held->policy->spki), e) != 0) {
        return -1;
    }
    return serve_answer(s, SIGNER_HELLO,
                        (uint8_t)((software ? SIGNER_HELLO_SOFTWARE : 0) |
                                  (s->held->anchored != NULL ? SIGNER_HELLO_ANCHOR : 0)),
                        j == NULL ? 0 : journal_attempts(j), buf_span(&body), e);
}

int
serve_self_test(struct serve *s, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    bool sign = !key_policy_always_authenticate(key_get_policy(s->held->key));

    if (hello(s, e) != 0 ||
        (sign && key_sign(s->held->key, SIGNER_SELF_TEST_TEXT, &signature, e) != 0)) {
        return -1;
    }
    return serve_answer(s, SIGNER_PROVED, sign ? 1 : 0, 0, buf_span(&signature), e);
}

/* Lines from before the last snapshot: no start has read them. By time, whatever is asked for. */
static int
look_again(struct serve *s, struct err *e)
{
    const int64_t now = clock_monotonic_ms();

    if (s->looked != 0 && now - s->looked < SCRUB_EACH_MS) {
        return 0;
    }
    s->looked = now;
    return journal_scrub(s->held->journal, SCRUB_MARKS, e);
}

/* Until there is something to read. The supervisor says nothing while a connection is served: what
 * can be read there is its end. */
static int
wait_to_be_asked(struct serve *s, bool *closed, struct err *e)
{
    struct pollfd p[] = {{.fd = s->fd, .events = POLLIN}, {.fd = s->control, .events = POLLIN}};
    int n;

    while ((n = poll(p, ARRAY_LEN(p), SCRUB_EACH_MS)) == 0 || (n < 0 && errno == EINTR)) {
        if (n == 0 && look_again(s, e) != 0) {
            return -1;
        }
    }
    *closed = p[1].revents != 0;
    return 0;
}

static bool
more_waiting(const struct serve *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;
}

/* The first frame, which is there, and what else is waiting. After a frame that is not a SIGN
 * nothing more is believed. *closed: the other end is gone, nothing is to be done. */
static int
read_batch(struct serve *s, bool *closed, struct err *e)
{
    size_t bytes = 0;

    s->n = 0;
    do {
        struct serve_request *r = &s->batch[s->n];

        buf_truncate(&r->frame, 0);
        if (frame_read(s->fd, SIGNER_FRAME_MAX, &r->frame, s->n == 0 ? -1 : FRAME_TIMEOUT_MS, e) !=
            0) {
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
    } while (s->n < SIGNER_BATCH_MAX && bytes < BATCH_BYTES_MAX && more_waiting(s));
    return 0;
}

/* A certificate or CRL that was allowed: it is not another under a number that is taken. */
static int
admit_numbered(struct serve *s, struct serve_request *r, const uint8_t hash[SHA256_SIZE],
               struct err *e)
{
    const struct again *again = journal_again(s->held->journal);
    uint8_t serial[AGAIN_SERIAL];
    struct crl_head head;

    if (r->sign.detail == SIGNER_CERTIFICATE) {
        r->result = object_serial(r->sign.bytes, serial, &r->e) != 0
                        ? -1
                        : again_check_certificate(again, serial, hash, &r->e);
        return r->result != 0 ? 0 : journal_add_certificate(s->held->journal, hash, serial, e);
    }
    r->result = object_crl_head(s->held->policy, r->sign.bytes, &head, &r->e) != 0
                    ? -1
                    : again_check_crl(again, &head, clock_now(), &r->e);
    return r->result != 0 ? 0 : journal_add_crl(s->held->journal, &head, e);
}

/* Of two that run one of them signs nothing any more. -1: the token failed. */
static int
check_anchored(struct serve *s, struct serve_request *r, struct err *e)
{
    struct anchored *a = s->held->anchored;

    r->result = 0;
    if (a == NULL) {
        return 0;
    }
    r->result = r->sign.detail == SIGNER_CHECKPOINT ? anchored_hold(a, clock_monotonic_ms(), &r->e)
                                                    : anchored_is_lost(a, &r->e);
    if (r->result != 0 && r->e.code != ERR_STALE) {
        *e = r->e;
        return -1;
    }
    return 0;
}

static void
admit_anchor(struct serve *s, struct serve_request *r)
{
    const struct tree_head *head = journal_checkpoint(s->held->journal);

    /* What comes behind it in this batch is not committed. */
    r->has_committed = head != NULL;
    if (head != NULL) {
        r->committed = *head;
    }
}

/* One request: understood, allowed, and a line for the journal. -1 only for a broken journal, or
 * token. */
static int
admit(struct serve *s, struct serve_request *r, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    bool is_checkpoint = r->sign.detail == SIGNER_CHECKPOINT;

    if (check_anchored(s, r, e) != 0) {
        return -1;
    }
    if (r->result != 0) {
        return 0;
    }
    r->result = object_check(s->held->policy, r->sign.detail, r->sign.bytes, r->sign.evidence,
                             journal_checkpoint(s->held->journal), &r->checkpoint, &r->e);
    if (r->sign.detail == SIGNER_ANCHOR) {
        admit_anchor(s, r);
    }
    if (r->result != 0 || !signer_is_attempt((enum signer_object)r->sign.detail)) {
        return 0;
    }
    if (sha256(r->sign.bytes, hash, e) != 0) {
        return -1;
    }
    if (r->sign.detail == SIGNER_CERTIFICATE || r->sign.detail == SIGNER_CRL) {
        return admit_numbered(s, r, hash, e);
    }
    return journal_add(s->held->journal, (char)r->sign.detail, hash,
                       is_checkpoint ? &r->checkpoint : NULL, e);
}

static int
refuse(struct serve *s, const struct serve_request *r, const struct err *reason, struct err *e)
{
    return serve_answer(s, SIGNER_REFUSED, (uint8_t)reason->code, r->sign.number,
                        span_str(reason->text), e);
}

/* What the journal has on disk by now. */
static int
answer_last(struct serve *s, const struct serve_request *r, struct err *e)
{
    const struct tree_head *head = journal_checkpoint(s->held->journal);
    CLEANUP(buf_free) struct buf body = BUF_INIT(SIGNED_LAST_SIZE);
    struct signed_last last = {0};

    if (head != NULL) {
        last.size = head->size;
        memcpy(last.root, head->root, sizeof(last.root));
    }
    return signed_last_encode(&last, &body, e) != 0
               ? -1
               : serve_answer(s, SIGNER_SIGNED, 0, r->sign.number, buf_span(&body), e);
}

/* Of two only one goes on; a token that does not keep it ends this. */
static int
answer_anchor(struct serve *s, const struct serve_request *r, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(ANCHORED_SIZE);
    struct err ignored = {0};
    struct anchor now = {0};
    struct signer_anchored said;

    if (anchored_commit(s->held->anchored, r->has_committed ? &r->committed : NULL,
                        clock_monotonic_ms(), &now, e) != 0) {
        bool goes_on = refuse(s, r, e, &ignored) == 0 && e->code == ERR_STALE;

        s->its_fault = false;
        return goes_on ? 0 : -1;
    }
    said = (struct signer_anchored){.generation = now.generation, .size = now.size};
    return signer_anchored_encode(&said, &body, e) != 0
               ? -1
               : serve_answer(s, SIGNER_SIGNED, 0, r->sign.number, buf_span(&body), e);
}

/* ---- lines of the journal ---- */

static bool
tell(void *arg, const struct journal_attempt *a)
{
    struct attempted told = {.number = a->number,
                             .kind = a->kind,
                             .bare = a->bare,
                             .size = a->kind == 'L' ? a->crl.number : a->checkpoint.size};

    memcpy(told.hash, a->hash, sizeof(told.hash));
    memcpy(told.serial, a->serial, sizeof(told.serial));
    memcpy(told.root, a->checkpoint.root, sizeof(told.root));
    return attempted_add(arg, &told);
}

static int
tell_from(const struct journal *j, uint64_t first, struct buf *body, struct err *e)
{
    uint8_t chain[ATTEMPTED_HASH];

    if (attempted_begin(body, journal_attempts(j), e) != 0) {
        return -1;
    }
    if (first - 1 > journal_attempts(j)) {
        return 0;
    }
    return journal_chain(j, first, chain, e) != 0 || attempted_begin_chain(body, chain, e) != 0
               ? -1
               : journal_each(j, first, tell, body, e);
}

static int
answer_attempted(struct serve *s, const struct serve_request *r, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(ATTEMPTED_MAX);
    uint64_t first;

    return attempted_asked(r->sign.bytes, &first, e) != 0 ||
                   tell_from(s->held->journal, first, &body, e) != 0
               ? -1
               : serve_answer(s, SIGNER_SIGNED, 0, r->sign.number, buf_span(&body), e);
}

static int
sign_one(struct serve *s, const struct serve_request *r, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_SECRET(SIGNATURE_MAX);
    struct err ignored = {0};
    bool seals = r->sign.detail == SIGNER_SEAL;

    if (r->result != 0) {
        log_err(LOG_WARNING, "refused", &r->e, "object %c of %zu octets", r->sign.detail,
                r->sign.bytes.n);
        return refuse(s, r, &r->e, e);
    }
    if (r->sign.detail == SIGNER_LAST) {
        return answer_last(s, r, e);
    }
    if (r->sign.detail == SIGNER_ANCHOR) {
        return answer_anchor(s, r, e);
    }
    if (r->sign.detail == SIGNER_ATTEMPTED) {
        return answer_attempted(s, r, e);
    }
    if (r->sign.detail == SIGNER_CHECKPOINT && s->held->anchored != NULL) {
        anchored_signs(s->held->anchored, &r->checkpoint, clock_monotonic_ms());
    }
    if ((seals ? secret_mac(s->held->secret, r->sign.bytes, &signature, e)
               : key_sign(s->held->key, r->sign.bytes, &signature, e)) != 0) {
        (void)refuse(s, r, e, &ignored);
        s->its_fault = false;
        return -1;
    }
    if (!seals) {
        journal_signed(s->held->journal);
    }
    return serve_answer(s, SIGNER_SIGNED, 0, r->sign.number, buf_span(&signature), e);
}

static int
sign_batch(struct serve *s, struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        works(s);
        if (sign_one(s, &s->batch[i], e) != 0) {
            return -1;
        }
        buf_free(&s->batch[i].frame);
    }
    return 0;
}

/* What read_batch() has: each is signed or refused, in the order of serve.h. */
static int
do_batch(struct serve *s, struct err *e)
{
    uint64_t before = journal_attempts(s->held->journal);
    struct err ignored = {0};
    bool its_fault;

    works(s);
    for (size_t i = 0; i < s->n; i++) {
        if (admit(s, &s->batch[i], e) != 0) {
            return -1;
        }
    }
    if (journal_attempts(s->held->journal) != before && journal_commit(s->held->journal, e) != 0) {
        return -1;
    }
    serve_gather(s);
    if (sign_batch(s, e) == 0) {
        return serve_end_gather(s, e);
    }
    its_fault = s->its_fault;
    (void)serve_end_gather(s, &ignored); /* those before it, and why it is not signed */
    s->its_fault = its_fault;
    return -1;
}

/* What is asked for next, all of it. */
static int
serve_next(struct serve *s, bool *closed, struct err *e)
{
    int result;

    s->its_fault = false;
    if (wait_to_be_asked(s, closed, e) != 0) {
        return -1;
    }
    if (*closed) {
        return 0;
    }
    if (read_batch(s, closed, e) != 0) {
        s->its_fault = true;
        return -1;
    }
    if (*closed) {
        return 0;
    }
    result = do_batch(s, e);
    held_keep(s->held, HELD_KEEP);
    if (result == 0) {
        result = look_again(s, e);
    }
    rests(s);
    return result;
}

int
serve_connection(struct serve *s, struct err *e)
{
    bool closed = false;
    int result = hello(s, e);

    while (result == 0 && !closed) {
        result = serve_next(s, &closed, e);
    }
    for (size_t i = 0; i < SIGNER_BATCH_MAX; i++) {
        buf_free(&s->batch[i].frame);
    }
    return result;
}

void
serve_failed(struct serve *s, const struct err *why)
{
    struct err ignored = {0};

    (void)serve_answer(s, SIGNER_FAILED, (uint8_t)why->code, 0, span_str(why->text), &ignored);
}

void
serve_init(struct serve *s, const struct held *held, int fd, int control)
{
    s->held = held;
    s->fd = fd;
    s->control = control;
    s->out = BUF_SECRET(SIGNER_FRAME_HEAD + SIGNER_ANSWER_MAX);
    s->frames = BUF_SECRET(FRAME_LENGTH + SIGNER_FRAME_HEAD + SIGNER_ANSWER_MAX);
    for (size_t i = 0; i < SIGNER_BATCH_MAX; i++) {
        s->batch[i].frame = BUF_INIT(SIGNER_FRAME_MAX);
    }
}
