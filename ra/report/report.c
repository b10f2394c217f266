/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/report/report.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/tlog/ra_report.h"
#include "ca/cmp/report.h"
#include "ca/link/msg.h"
#include "ra/queue/queue.h"

enum {
    STOP_WAIT_MS = 10000,
    HOUR = 3600,
    REGISTRATION_SIZE = 33,
    FAILURES = RA_REPORT_FAIL_INFO_MAX + 1,
    OBJECT_MAX = RA_REPORT_WORD_MAX,
};

/* What was refused alike. */
struct refused {
    uint64_t count;
    enum cmp_failure failure;
    char registration[REGISTRATION_SIZE];
    const char *why; /* of a table: for ever */
};

struct report {
    struct ra *ra;
    struct event *tick;
    /* What is not told yet. */
    struct refused refused[REPORT_LINES_MAX];
    size_t n;
    uint64_t others[FAILURES];
    bool any_others;
    struct buf did; /* lines */
    unsigned n_did, untold;
    bool at_once; /* it tells of a start, or no more lines fit */
    time_t from;
    /* Of this hour. */
    time_t hour;
    unsigned told, full;
    /* What is told now, until the CA has it. */
    struct buf text;
    uint8_t hash[SHA256_SIZE];
    uint8_t previous[SHA256_SIZE];
    uint64_t number;
    struct signer_job sign;
    bool with_signer, signed_, with_ca;
    int64_t stop_by; /* 0: it does not stop */
};

static bool
is_empty(const struct report *r)
{
    return r->n == 0 && !r->any_others && r->did.n == 0;
}

/* ---- what is told ---- */

static struct refused *
find(struct report *r, const char *registration, enum cmp_failure failure, const char *why)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->refused[i].failure == failure && r->refused[i].why == why &&
            strcmp(r->refused[i].registration, registration) == 0) {
            return &r->refused[i];
        }
    }
    return NULL;
}

static void
begin_hour(struct report *r)
{
    const time_t hour = clock_now() / HOUR;

    if (r->hour != hour) {
        r->hour = hour;
        r->told = 0;
        r->full = 0;
    }
}

/* One more line of this hour, when there may be. */
static struct refused *
add(struct report *r, const char *registration, enum cmp_failure failure, const char *why)
{
    struct refused *one;

    begin_hour(r);
    if (r->n == REPORT_LINES_MAX || r->told == REPORT_HOUR_MAX) {
        return NULL;
    }
    r->told++;
    one = &r->refused[r->n++];
    *one = (struct refused){.failure = failure, .why = why};
    (void)snprintf(one->registration, sizeof(one->registration), "%s", registration);
    return one;
}

void
report_refused(struct report *r, const char *registration, enum cmp_failure failure,
               const char *why)
{
    const enum cmp_failure bit =
        failure >= 0 && (int)failure < FAILURES ? failure : CMP_SYSTEM_FAILURE;
    struct refused *one;

    if (r == NULL) {
        return;
    }
    one = find(r, registration, bit, why);
    one = one != NULL ? one : add(r, registration, bit, why);
    if (one != NULL) {
        one->count++;
    } else {
        r->others[bit]++;
        r->any_others = true;
    }
}

/* A line of what happened once: a stop has its place always. What does not fit is in the log
 * alone. */
static void
put(struct report *r, const struct ra_report_line *line)
{
    const unsigned places = REPORT_DID_MAX + (line->what == RA_REPORT_STOP ? 1 : 0);
    struct err e = {0};

    if (r->n_did < places && ra_report_put(&r->did, line, &e) == 0) {
        r->n_did++;
        if (r->n_did == REPORT_DID_MAX) {
            begin_hour(r);
            r->at_once = r->at_once || r->full++ < REPORT_FULL_MAX;
        }
        return;
    }
    r->untold++;
    log_event(LOG_WARNING, "report", "not told to the CA: %s: %s", ra_report_what_name(line->what),
              e.code == ERR_NONE ? "too many at once" : e.text);
}

static void
printable(const char *text, size_t max, char *out, size_t size)
{
    (void)snprintf(out, size < max + 1 ? size : max + 1, "%s", text);
    for (char *p = out; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || (unsigned char)*p > '~') {
            *p = '?';
        }
    }
}

void
report_did(struct report *r, const char *command, bool done, const char *object, const char *who)
{
    char name[RA_REPORT_WHY_MAX + 1];
    struct ra_report_line line = {.what = RA_REPORT_DID, .at = clock_now()};

    if (r == NULL) {
        return;
    }
    printable(who, RA_REPORT_WHY_MAX, name, sizeof(name));
    line.word[0] = span_str(command);
    line.word[1] = done ? SPAN_LITERAL("done") : SPAN_LITERAL("refused");
    line.word[2] = object == NULL ? SPAN_LITERAL("-") : span_str(object);
    line.text = span_str(name);
    put(r, &line);
}

/* ---- on its way ---- */

static void look(struct report *r);

static void
on_reply(void *arg, const struct link_message *reply)
{
    struct report *r = arg;

    r->with_ca = false;
    if (reply != NULL && reply->type == LINK_REFUSED) {
        log_event(LOG_ERROR, "report", "the CA takes no report: %.*s", (int)reply->phrase.n,
                  (const char *)reply->phrase.p);
    }
    if (reply != NULL && (reply->type == LINK_REPORTED || reply->type == LINK_REFUSED)) {
        memcpy(r->previous, r->hash, sizeof(r->previous));
        buf_truncate(&r->text, 0);
        r->signed_ = false;
        if (r->stop_by != 0) {
            look(r); /* the stop itself, which came meanwhile: no tick is waited for */
        }
    }
}

static void
send_on(struct report *r)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_REPORT_MAX);
    const struct cmp_report report = {.text = buf_span(&r->text),
                                      .signature = buf_span(&r->sign.signature),
                                      .certificate = buf_span(&r->ra->credentials.certificate_der)};
    struct link_message m = {.type = LINK_REPORT, .id = span_of(r->hash, sizeof(r->hash))};
    struct err e = {0};

    if (!queue_is_up(r->ra->queue) || cmp_report_encode(&report, &body, &e) != 0) {
        return;
    }
    m.body = buf_span(&body);
    r->with_ca = queue_ask(r->ra->queue, &m, on_reply, r, &e) == 0; /* else at the next tick */
}

static void
on_signed(struct task *task)
{
    struct report *r = CONTAINER_OF(task, struct report, sign.task);

    r->with_signer = false;
    r->signed_ = r->sign.result == 0;
    if (r->signed_) {
        send_on(r);
    } else if (r->sign.e.code == ERR_DENIED || r->sign.e.code == ERR_INPUT) {
        log_err(LOG_ERROR, "report", &r->sign.e, "the signer signs no report: it is dropped");
        buf_truncate(&r->text, 0);
    }
}

static void
ask_signature(struct report *r)
{
    r->with_signer = true;
    buf_free(&r->sign.signature);
    r->sign = (struct signer_job){
        .task.done = on_signed, .object = SIGNER_RA_REPORT, .tbs = buf_span(&r->text)};
    signer_pool_submit(r->ra->signers, &r->sign);
}

static int
put_refused(const struct report *r, struct buf *lines, struct err *e)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct refused *one = &r->refused[i];
        const struct ra_report_line line = {.what = RA_REPORT_REFUSED,
                                            .count = one->count,
                                            .fail_info = (unsigned)one->failure,
                                            .word = {one->registration[0] == '\0'
                                                         ? SPAN_LITERAL("unknown")
                                                         : span_str(one->registration)},
                                            .text = span_str(one->why)};

        if (ra_report_put(lines, &line, e) != 0) {
            return -1;
        }
    }
    for (unsigned i = 0; i < FAILURES; i++) {
        const struct ra_report_line line = {
            .what = RA_REPORT_OTHERS, .count = r->others[i], .fail_info = i};

        if (line.count > 0 && ra_report_put(lines, &line, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int
put_untold(const struct report *r, struct buf *lines, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = mem_printf("%u more", r->untold);
    const struct ra_report_line line = {
        .what = RA_REPORT_DID,
        .at = clock_now(),
        .word = {SPAN_LITERAL("untold"), SPAN_LITERAL("-"), SPAN_LITERAL("-")},
        .text = span_str(text)};

    return r->untold == 0 ? 0 : ra_report_put(lines, &line, e);
}

/* All that is there becomes the text. */
static int
format(struct report *r, struct err *e)
{
    CLEANUP(buf_free) struct buf lines = BUF_INIT(RA_REPORT_TEXT_MAX);
    struct ra_report head = {.from = r->from, .to = clock_now()};

    /* It grows, whatever was before: nobody keeps it over a start. */
    head.number = (uint64_t)head.to > r->number ? (uint64_t)head.to : r->number + 1;
    head.from = head.from > head.to ? head.to : head.from; /* the clock was set */
    memcpy(head.ra, r->ra->credentials.key_hash, sizeof(head.ra));
    memcpy(head.ca, r->ra->credentials.issuing_hash, sizeof(head.ca));
    memcpy(head.previous, r->previous, sizeof(head.previous));
    if (buf_append(&lines, buf_span(&r->did), e) != 0 || put_untold(r, &lines, e) != 0 ||
        put_refused(r, &lines, e) != 0 ||
        ra_report_format(&head, buf_span(&lines), &r->text, e) != 0 ||
        sha256(buf_span(&r->text), r->hash, e) != 0) {
        return -1;
    }
    r->number = head.number;
    r->from = head.to;
    return 0;
}

static void
tell(struct report *r)
{
    struct err e = {0};

    if (format(r, &e) != 0) {
        log_err(LOG_ERROR, "report", &e, "it is dropped");
        buf_truncate(&r->text, 0);
    } else {
        ask_signature(r);
    }
    r->n = 0;
    r->n_did = 0;
    r->untold = 0;
    r->any_others = false;
    r->at_once = false;
    memset(r->others, 0, sizeof(r->others));
    buf_truncate(&r->did, 0);
}

static void
look(struct report *r)
{
    const bool is_due = r->at_once || clock_now() - r->from >= r->ra->settings->report_period ||
                        clock_now() < r->from || r->stop_by != 0;

    if (r->with_signer || r->with_ca || !queue_is_up(r->ra->queue)) {
        return;
    }
    if (r->text.n > 0) {
        if (r->signed_) {
            send_on(r);
        } else {
            ask_signature(r);
        }
    } else if (!is_empty(r) && is_due) {
        tell(r);
    }
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    look(arg);
}

/* ---- life ---- */

static void
put_start(struct report *r)
{
    const struct settings *s = r->ra->settings;
    char config[2 * SHA256_SIZE + 1];
    char profiles[2 * SHA256_SIZE + 1];
    uint8_t hash[SHA256_SIZE];
    struct err e;

    if (profiles_hash(s->profiles, hash, &e) != 0) {
        memset(hash, 0, sizeof(hash));
    }
    hex_format(span_of(hash, sizeof(hash)), profiles);
    hex_format(span_of(s->hash, sizeof(s->hash)), config);
    put(r, &(struct ra_report_line){
               .what = RA_REPORT_START,
               .at = clock_now(),
               .word = {SPAN_LITERAL(NFPKI_VERSION), span_str(config), span_str(profiles)}});
}

struct report *
report_new(struct ra *ra, int tick_ms)
{
    const struct timeval tick = {.tv_sec = tick_ms / 1000,
                                 .tv_usec = (suseconds_t)(tick_ms % 1000) * 1000};
    struct report *r = mem_new(sizeof(*r));

    r->ra = ra;
    r->from = clock_now();
    r->text = BUF_INIT(RA_REPORT_TEXT_MAX);
    r->did = BUF_INIT(RA_REPORT_TEXT_MAX / 2);
    r->tick = event_new(ra->base, -1, EV_PERSIST, on_tick, r);
    if (r->tick == NULL || event_add(r->tick, &tick) != 0) {
        abort(); /* out of memory */
    }
    put_start(r);
    r->at_once = true;
    return r;
}

void
report_free(struct report *r)
{
    if (r != NULL) {
        event_free(r->tick);
        buf_free(&r->sign.signature);
        buf_free(&r->text);
        buf_free(&r->did);
        mem_free(r);
    }
}

void
report_stop(struct report *r, const char *why)
{
    if (r == NULL) {
        return;
    }
    r->stop_by = clock_monotonic_ms() + STOP_WAIT_MS;
    put(r,
        &(struct ra_report_line){.what = RA_REPORT_STOP, .at = clock_now(), .text = span_str(why)});
    look(r);
}

bool
report_with_signer(const struct report *r)
{
    return r != NULL && r->with_signer;
}

bool
report_is_busy(const struct report *r)
{
    if (r == NULL || r->with_signer) {
        return r != NULL;
    }
    return r->stop_by != 0 && clock_monotonic_ms() < r->stop_by && queue_is_up(r->ra->queue) &&
           (r->text.n > 0 || !is_empty(r));
}
