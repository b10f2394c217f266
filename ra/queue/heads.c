/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/heads.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "ca/cmp/queue.h"
#include "pkcs11/client/pool.h"
#include "ra/secret/seal.h"

enum { BUCKETS = 256 };

struct head {
    struct head *next; /* in its bucket */
    bool known;
    bool made; /* here, just now: it was not read back */
    struct requests_head row;
    struct queue_head says; /* its text */
    uint8_t id[SHA256_SIZE];
    size_t users;
    uint64_t left; /* when nobody used it any more, in counts of that */
    struct heads *heads;
    struct signer_job sign;
    bool asked;
    struct buf signature; /* empty: not yet */
    struct head_waiter *waiting;
};

struct heads {
    struct ra *ra;
    struct head *buckets[BUCKETS];
    size_t unused;
    uint64_t count;
};

/* ---- made ---- */

static int
stamp(void *arg, struct span text, uint8_t out[REQUESTS_STAMP_SIZE], struct err *e)
{
    const struct ra *ra = arg;

    return seal_stamp(buf_span(&ra->seal_key), text, out, e);
}

struct requests_author
heads_author(struct ra *ra)
{
    struct requests_author author = {.now = clock_now(), .stamp = stamp, .arg = ra};

    memcpy(author.ra, ra->credentials.key_hash, sizeof(author.ra));
    memcpy(author.ca, ra->credentials.issuing_hash, sizeof(author.ca));
    return author;
}

static void
destroy(struct head *head)
{
    requests_head_clear(&head->row);
    buf_free(&head->signature);
    buf_free(&head->sign.signature);
    mem_free(head);
}

struct head *
head_new(struct requests_head *row, struct err *e)
{
    struct head *head = mem_new(sizeof(*head));

    head->users = 1;
    head->row = *row;
    memset(row, 0, sizeof(*row));
    if (queue_head_parse(buf_span(&head->row.text), &head->says, e) != 0 ||
        sha256(buf_span(&head->row.text), head->id, e) != 0) {
        destroy(head);
        return NULL;
    }
    return head;
}

struct head *
head_made(struct requests_head *row, struct err *e)
{
    struct head *head = head_new(row, e);

    if (head != NULL) {
        head->made = true;
    }
    return head;
}

/* ---- known, and used ---- */

static struct head **
place_of(struct heads *heads, const struct head *head)
{
    struct head **place = &heads->buckets[head->id[0] % BUCKETS];

    while (*place != NULL && memcmp((*place)->id, head->id, sizeof(head->id)) != 0) {
        place = &(*place)->next;
    }
    return place;
}

static void
remove_head(struct heads *heads, struct head *head)
{
    *place_of(heads, head) = head->next;
    heads->unused--;
    destroy(head);
}

/* The one that nobody has used for longest. */
static void
make_room(struct heads *heads)
{
    struct head *oldest = NULL;

    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct head *h = heads->buckets[i]; h != NULL; h = h->next) {
            if (h->users == 0 && !h->asked && (oldest == NULL || h->left < oldest->left)) {
                oldest = h;
            }
        }
    }
    if (oldest != NULL) {
        remove_head(heads, oldest);
    }
}

struct head *
head_use(struct head *head)
{
    head->users++;
    return head;
}

void
head_release(struct heads *heads, struct head *head)
{
    if (head == NULL || --head->users > 0) {
        return;
    }
    if (!head->known) {
        destroy(head);
        return;
    }
    head->left = ++heads->count;
    heads->unused++;
    if (heads->unused > HEADS_KEPT) {
        make_room(heads);
    }
}

struct head *
heads_know(struct heads *heads, struct head *head)
{
    struct head **place = place_of(heads, head);

    if (*place == NULL) {
        head->known = true;
        head->heads = heads;
        *place = head;
    } else if (*place != head) {
        struct head *known = *place;

        heads->unused -= known->users == 0;
        known->users++;
        head_release(heads, head);
        return known;
    }
    return head;
}

/* ---- what it says ---- */

bool
head_is_current(const struct ra *ra, const struct head *head)
{
    const struct credentials *c = &ra->credentials;

    return memcmp(head->says.ra, c->key_hash, sizeof(head->says.ra)) == 0 &&
           memcmp(head->says.ca, c->issuing_hash, sizeof(head->says.ca)) == 0;
}

int
head_check_stamp(const struct ra *ra, const struct head *head, struct err *e)
{
    uint8_t ours[SEAL_STAMP_SIZE];

    if (seal_stamp(buf_span(&ra->seal_key), buf_span(&head->row.text), ours, e) != 0) {
        return -1;
    }
    return span_equal_secret(span_of(ours, sizeof(ours)),
                             span_of(head->row.stamp, sizeof(head->row.stamp)))
               ? 0
               : err_set(e, ERR_DENIED,
                         "the queue's head at entry %" PRIu64 " is not sealed by this RA",
                         head->says.first);
}

uint64_t
head_first(const struct head *head)
{
    return head->says.first;
}

static int
path_of(const struct head *head, uint64_t sequence, struct buf *path, struct err *e)
{
    *path = BUF_INIT(QUEUE_HEAD_PATH_MAX);
    return sequence >= head->says.first
               ? queue_head_path(buf_span(&head->row.leaves), sequence - head->says.first, path, e)
               : err_set(e, ERR_INPUT, "queue entry %" PRIu64 " is before its head", sequence);
}

int
head_covers(const struct head *head, uint64_t sequence, struct span entry, struct err *e)
{
    CLEANUP(buf_free) struct buf path = {0};

    return path_of(head, sequence, &path, e) != 0
               ? -1
               : queue_head_covers(&head->says, entry, sequence - head->says.first, buf_span(&path),
                                   e);
}

int
head_submission(const struct ra *ra, const struct queue_item *item, struct buf *out, struct err *e)
{
    const struct head *head = item->head;
    CLEANUP(buf_free) struct buf path = {0};
    struct cmp_submission s = {.message = item->message,
                               .entry = item->entry,
                               .head = buf_span(&head->row.text),
                               .signature = buf_span(&head->signature),
                               .certificate = buf_span(&ra->credentials.certificate_der)};

    if (path_of(head, item->sequence, &path, e) != 0) {
        return -1;
    }
    s.index = item->sequence - head->says.first;
    s.path = buf_span(&path);
    *out = BUF_INIT(CMP_NESTED_MAX);
    return cmp_submission_encode(&s, out, e);
}

/* ---- its signature ---- */

bool
head_is_signed(const struct head *head)
{
    return head->signature.n > 0;
}

#define WAIT "requests wait in the queue until they can be signed"

static void
say_unsigned(struct ra *ra, const struct err *why)
{
    if (!ra->unsigned_said) {
        log_err(LOG_ERROR, "not-wrapped", why, WAIT);
    }
    ra->unsigned_said = true;
}

void
heads_say_not_ours(struct ra *ra, const struct err *why)
{
    if (ra->not_ours_told) {
        return;
    }
    ra->not_ours_told = true;
    if (strcmp(ra->not_ours.text, why->text) != 0) {
        log_err(LOG_ERROR, "not-wrapped", why, WAIT);
    }
    ra->not_ours = *why;
}

static void
on_signed(struct task *task)
{
    struct head *head = CONTAINER_OF(task, struct head, sign.task);
    struct ra *ra = head->heads->ra;
    struct head_waiter *waiting = head->waiting;
    const bool failed = head->sign.result != 0;
    const struct err why = head->sign.e;

    head->asked = false;
    head->waiting = NULL;
    ra->heads_asked--;
    if (failed) {
        say_unsigned(ra, &why);
    } else {
        ra->unsigned_said = false;
        buf_move(&head->signature, &head->sign.signature);
    }
    while (waiting != NULL) { /* one may ask again */
        struct head_waiter *w = waiting;

        waiting = w->next;
        w->done(w, failed ? &why : NULL);
    }
    head_release(head->heads, head);
}

int
heads_ask(struct heads *heads, struct head *head, struct head_waiter *w, struct err *e)
{
    struct head_waiter **last = &head->waiting;

    if (!head->asked) {
        if (!head->made && head_check_stamp(heads->ra, head, e) != 0) {
            return -1;
        }
        if (!head_is_current(heads->ra, head)) {
            return err_set(e, ERR_DENIED,
                           "the queue's head at entry %" PRIu64
                           " is another RA's, or for another CA",
                           head->says.first);
        }
        head->asked = true;
        heads->ra->heads_asked++;
        buf_free(&head->sign.signature);
        head->sign = (struct signer_job){
            .task.done = on_signed, .object = SIGNER_QUEUE_HEAD, .tbs = buf_span(&head->row.text)};
        (void)head_use(head); /* the signer does */
        signer_pool_submit(heads->ra->signers, &head->sign);
    }
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = w;
    w->next = NULL;
    return 0;
}

void
heads_forget(struct head *head, struct head_waiter *w)
{
    for (struct head_waiter **place = &head->waiting; *place != NULL; place = &(*place)->next) {
        if (*place == w) {
            *place = w->next;
            return;
        }
    }
}

/* ---- life ---- */

struct heads *
heads_new(struct ra *ra)
{
    struct heads *heads = mem_new(sizeof(*heads));

    heads->ra = ra;
    return heads;
}

void
heads_free(struct heads *heads)
{
    if (heads == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while (heads->buckets[i] != NULL) {
            struct head *head = heads->buckets[i];

            heads->buckets[i] = head->next;
            destroy(head);
        }
    }
    mem_free(heads);
}
