/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/fetch/transfer.h"

#include <curl/curl.h>
#include <string.h>

#include "base/ossl.h"
#include "base/text.h"

enum {
    HEADERS_MAX = 64 * 1024,
    CONNECT_SECONDS = 30,
    FILE_SECONDS = 600,
    SLOW = 512,             /* octets a second */
    WAIT_MAX = 60 * 1000,   /* between two tries, milliseconds */
    ASKED_MAX = 300 * 1000, /* the same, when the source asks for it */
    MALFORMED_TRIES = 3,
    POLL = 1000,
    OK = 200,
    NOT_FOUND = 404,
    GONE = 410,
    TOO_MANY = 429,
    FIRST_REDIRECT = 300,
    FIRST_CLIENT = 400,
    FIRST_SERVER = 500,
};

DEFINE_CLEANUP(url_cleanup, CURLU, curl_url_cleanup)

int
transfer_url(const char *url, struct err *e)
{
    static const CURLUPart none[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
                                     CURLUPART_FRAGMENT};
    CLEANUP(url_cleanup) CURLU *parsed = curl_url();

    if ((strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) || parsed == NULL ||
        curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK) {
        return err_set(e, ERR_INPUT, "not a URL of http or https");
    }
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        char *part = NULL;

        if (curl_url_get(parsed, none[i], &part, 0) == CURLUE_OK) {
            curl_free(part);
            return err_set(e, ERR_INPUT, "the URL has a user, a query or a fragment");
        }
    }
    return 0;
}

/* ---- one file ---- */

struct slot {
    CURL *easy;
    struct transfer_job job;
    bool has_job;
    bool is_out;
    bool is_whole; /* the full one is asked for */
    unsigned tries;
    int64_t not_before; /* monotonic, milliseconds */
    struct buf body;
    size_t headers;
    bool is_too_large;
    char reason[CURL_ERROR_SIZE];
};

struct run {
    const struct transfer_from *from;
    const struct transfer_calls *calls;
    CURLM *multi;
    struct curl_slist *fresh;
    struct slot slots[TRANSFER_PARALLEL];
    bool is_empty; /* there is no next job */
};

static const char *
asked_name(const struct slot *s)
{
    return s->is_whole ? s->job.file.whole : s->job.file.name;
}

static void
run_free(struct run *r)
{
    for (size_t i = 0; i < TRANSFER_PARALLEL; i++) {
        struct slot *s = &r->slots[i];

        if (s->is_out) {
            (void)curl_multi_remove_handle(r->multi, s->easy);
        }
        curl_easy_cleanup(s->easy);
        buf_free(&s->body);
    }
    curl_slist_free_all(r->fresh);
    if (r->multi != NULL) {
        (void)curl_multi_cleanup(r->multi);
    }
    curl_global_cleanup();
}

/* What is decoded counts, whatever it says of its length. */
static size_t
on_body(char *octets, size_t size, size_t n, void *arg)
{
    struct slot *s = arg;
    struct err ignored;

    s->is_too_large = buf_append(&s->body, span_of(octets, size * n), &ignored) != 0;
    return s->is_too_large ? 0 : size * n;
}

static size_t
on_header(char *octets, size_t size, size_t n, void *arg)
{
    struct slot *s = arg;

    (void)octets;
    s->headers += size * n;
    s->is_too_large = s->headers > HEADERS_MAX;
    return s->is_too_large ? 0 : size * n;
}

static int
set_options(const struct run *r, struct slot *s, const char *url)
{
    CURL *c = s->easy;
    int bad = 0;

    curl_easy_reset(c);
    bad |= curl_easy_setopt(c, CURLOPT_URL, url) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)FILE_SECONDS) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)r->from->stalled) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip") != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_USERAGENT, "nfpki-audit/" NFPKI_VERSION) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->reason) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_WRITEDATA, s) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK;
    bad |= curl_easy_setopt(c, CURLOPT_HEADERDATA, s) != CURLE_OK;
    if (s->job.fresh) {
        bad |= curl_easy_setopt(c, CURLOPT_HTTPHEADER, r->fresh) != CURLE_OK;
    }
    if (r->from->cacert != NULL) {
        bad |= curl_easy_setopt(c, CURLOPT_CAINFO, r->from->cacert) != CURLE_OK;
        bad |= curl_easy_setopt(c, CURLOPT_CAPATH, NULL) != CURLE_OK;
    }
    return bad;
}

static int
start(struct run *r, struct slot *s, struct err *e)
{
    size_t n = strlen(r->from->url);
    CLEANUP(mem_cleanup) char *url = NULL;

    while (n > 0 && r->from->url[n - 1] == '/') {
        n--;
    }
    url = mem_printf("%.*s/%s", (int)n, r->from->url, asked_name(s));
    buf_free(&s->body);
    s->body = BUF_INIT(s->job.file.max);
    s->headers = 0;
    s->is_too_large = false;
    s->reason[0] = '\0';
    if (set_options(r, s, url) != 0 || curl_multi_add_handle(r->multi, s->easy) != CURLM_OK) {
        return err_set(e, ERR_IO, "libcurl refuses what it is asked for");
    }
    s->is_out = true;
    s->tries++;
    return 0;
}

/* ---- what came of it ---- */

/* Twice as long each time, and not for all at once. */
static int64_t
backoff(const struct run *r, const struct slot *s)
{
    int64_t wait = r->from->wait;
    uint8_t octets[2] = {0};
    struct err ignored;

    for (unsigned i = 1; i < s->tries && wait < WAIT_MAX; i++) {
        wait *= 2;
    }
    wait = wait < WAIT_MAX ? wait : WAIT_MAX;
    (void)random_bytes(octets, sizeof(octets), &ignored); /* without it, no jitter */
    return wait / 2 + wait * (octets[0] << 8 | octets[1]) / UINT16_MAX / 2;
}

/* Later again, unless it was asked for often enough; `why` says what ends it then. */
static int
again(const struct run *r, struct slot *s, unsigned tries, const struct err *why, struct err *e)
{
    curl_off_t asked = 0;
    int64_t wait = backoff(r, s);

    if (s->tries >= tries) {
        *e = *why;
        return err_wrap(e, "%s, tried %u times", asked_name(s), s->tries);
    }
    if (curl_easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &asked) == CURLE_OK && asked > 0) {
        wait = asked < ASKED_MAX / 1000 ? asked * 1000 : ASKED_MAX;
    }
    s->not_before = clock_monotonic_ms() + wait;
    if (r->from->waits != NULL) {
        r->from->waits(r->from->arg, asked_name(s), why->text, wait);
    }
    return 0;
}

static bool
may_be_wrong(const struct run *r, const struct slot *s)
{
    return s->job.optional && r->calls->wrong != NULL;
}

static int
wrong(const struct run *r, struct slot *s, const struct err *why, struct err *e)
{
    s->has_job = false;
    return r->calls->wrong(r->calls->arg, &s->job, buf_span(&s->body), why, e);
}

static int
take(const struct run *r, struct slot *s, struct err *e)
{
    const unsigned tries = r->from->tries < MALFORMED_TRIES ? r->from->tries : MALFORMED_TRIES;
    struct err why = {0};

    if (r->calls->take(r->calls->arg, &s->job, s->is_whole, buf_span(&s->body), &why) == 0) {
        s->has_job = false;
        return 0;
    }
    if (why.code == ERR_INPUT) { /* the writer may be between two files */
        return s->tries >= tries && may_be_wrong(r, s) ? wrong(r, s, &why, e)
                                                       : again(r, s, tries, &why, e);
    }
    *e = why;
    return -1;
}

static int
missing(struct slot *s, struct err *e)
{
    if (!s->is_whole && s->job.file.whole[0] != '\0') {
        s->is_whole = true; /* as soon as it is there, a log may take the partial one away */
        s->tries = 0;
        s->not_before = 0;
        return 0;
    }
    if (s->job.optional) {
        s->has_job = false;
        return 0;
    }
    return err_set(e, ERR_NOTFOUND, "%s is not there", s->job.file.name);
}

static int
answered(const struct run *r, struct slot *s, long status, struct err *e)
{
    struct err why = {0};

    if (status == OK) {
        return take(r, s, e);
    }
    if (status == NOT_FOUND || status == GONE) {
        return missing(s, e);
    }
    if (status == TOO_MANY || status >= FIRST_SERVER) {
        (void)err_set(&why, ERR_BUSY, "status %ld", status);
        return again(r, s, r->from->tries, &why, e);
    }
    return err_set(e, ERR_DENIED, "%s: status %ld%s", asked_name(s), status,
                   status >= FIRST_REDIRECT && status < FIRST_CLIENT
                       ? ", a redirect: give the URL that it leads to, if it is the right one"
                       : "");
}

static bool
is_passing(CURLcode result)
{
    switch ((int)result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

static int
ended(struct run *r, struct slot *s, CURLcode result, struct err *e)
{
    char shown[TEXT_SHOWN_SIZE(CURL_ERROR_SIZE)];
    struct err why = {0};
    long status = 0;

    (void)curl_multi_remove_handle(r->multi, s->easy);
    s->is_out = false;
    if (result == CURLE_OK) {
        (void)curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
        return answered(r, s, status, e);
    }
    if (s->is_too_large) {
        (void)err_set(&why, ERR_DENIED, "%s: more than %zu octets, or of %d in its header",
                      asked_name(s), s->job.file.max, HEADERS_MAX);
        if (may_be_wrong(r, s)) {
            return wrong(r, s, &why, e);
        }
        *e = why;
        return -1;
    }
    text_show(span_str(s->reason[0] == '\0' ? curl_easy_strerror(result) : s->reason), shown);
    if (!is_passing(result)) {
        return err_set(e, ERR_IO, "%s: %.300s", asked_name(s), shown);
    }
    (void)err_set(&why, ERR_BUSY, "%.300s", shown);
    return again(r, s, r->from->tries, &why, e);
}

/* ---- all of them ---- */

/* Gives each its next job, and begins what may begin; *left: how many have one. */
static int
fill(struct run *r, size_t *left, int *wait, struct err *e)
{
    const int64_t now = clock_monotonic_ms();

    *left = 0;
    *wait = POLL;
    for (size_t i = 0; i < TRANSFER_PARALLEL; i++) {
        struct slot *s = &r->slots[i];

        if (!s->has_job && !r->is_empty) {
            s->job = (struct transfer_job){0};
            s->has_job = r->calls->next(r->calls->arg, &s->job);
            r->is_empty = !s->has_job;
            s->is_whole = false;
            s->tries = 0;
            s->not_before = 0;
        }
        if (!s->has_job) {
            continue;
        }
        (*left)++;
        if (!s->is_out && s->not_before > now) {
            const int64_t rest = s->not_before - now;

            *wait = rest < *wait ? (int)rest : *wait;
        } else if (!s->is_out && start(r, s, e) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Waits only when nothing has come to its end: what follows on that begins at once. */
static int
step(struct run *r, int wait, struct err *e)
{
    const CURLMsg *message;
    bool any = false;
    int ignored;

    if (curl_multi_perform(r->multi, &ignored) != CURLM_OK) {
        return err_set(e, ERR_IO, "libcurl failed");
    }
    while ((message = curl_multi_info_read(r->multi, &ignored)) != NULL) {
        size_t i = 0;

        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        while (i + 1 < TRANSFER_PARALLEL && r->slots[i].easy != message->easy_handle) {
            i++;
        }
        if (ended(r, &r->slots[i], message->data.result, e) != 0) {
            return -1;
        }
        any = true;
    }
    if (!any && curl_multi_poll(r->multi, NULL, 0, wait, NULL) != CURLM_OK) {
        return err_set(e, ERR_IO, "libcurl failed");
    }
    return 0;
}

static int
begin(struct run *r)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return -1;
    }
    r->multi = curl_multi_init();
    r->fresh = curl_slist_append(NULL, "Cache-Control: no-cache");
    for (size_t i = 0; i < TRANSFER_PARALLEL; i++) {
        r->slots[i].easy = curl_easy_init();
        if (r->slots[i].easy == NULL) {
            return -1;
        }
    }
    return r->multi == NULL || r->fresh == NULL ? -1 : 0;
}

int
transfer_run(const struct transfer_from *from, const struct transfer_calls *calls, struct err *e)
{
    CLEANUP(run_free) struct run r = {.from = from, .calls = calls};
    size_t left;
    int wait;

    if (begin(&r) != 0) {
        return err_set(e, ERR_IO, "libcurl cannot begin");
    }
    for (;;) {
        if (fill(&r, &left, &wait, e) != 0) {
            return -1;
        }
        if (left == 0) {
            return 0;
        }
        if (step(&r, wait, e) != 0) {
            return -1;
        }
    }
}
