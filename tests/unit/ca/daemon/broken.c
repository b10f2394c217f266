/* SPDX-License-Identifier: Apache-2.0 */
/* A medium that fails: whatever the daemon was doing it ends, says what, and answers nobody. The
 * database refuses one thing at a time, by a trigger, or lacks a column (breaksql.c). */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "ca/link/frame.h"
#include "ca/x509/serial.h"
#include "tests/unit/ca/daemon/holder.h"

enum { SUPERSEDED = 4, LOG_MAX = 16 * 1024 * 1024 };

#define REFUSES(event, table)                                                                      \
    "CREATE TEMP TRIGGER broken BEFORE " event " ON main." table                                   \
    " BEGIN SELECT RAISE(ABORT, 'broken'); END"
#define REFUSES_LEAF(kind)                                                                         \
    "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.leaf WHEN NEW.kind = '" kind "' "            \
    "BEGIN SELECT RAISE(ABORT, 'broken'); END"

/* What is asked of the daemon, all made before. */
enum asked { REGISTER, CANCEL, REQUEST, USED_UP, CONFIRMATION, REVOCATION, OFFICERS_REVOCATION };

struct scene {
    struct world *w;
    struct nf holder;
    struct nf fresh;
    X509 *certificate;
    struct buf registration;
    struct buf used_up; /* one more under the registration of the holder */
    struct buf used_up_nested;
    struct buf confirmation;
    struct buf confirmation_nested;
    struct buf revocation;
    struct buf revocation_nested;
};

static int
setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));
    char uuid[NF_INSTANCE_ID_SIZE];
    struct err e = {0};

    (void)world_setup(state);
    s->w = *state;
    s->holder = holder_enrolled(s->w, 1, &s->certificate);
    s->confirmation = holder_certconf(&s->holder, s->certificate, true);
    s->confirmation_nested = world_wrap(s->w, buf_span(&s->confirmation), s->holder.id,
                                        CMP_ASSURANCE_MAC, s->w->ra_key, s->w->ra);
    nf_request(s->w, &s->holder);
    buf_move(&s->used_up, &s->holder.request);
    buf_move(&s->used_up_nested, &s->holder.nested);
    s->revocation = BUF_INIT(CMP_MESSAGE_MAX);
    assert_ok(
        cmp_client_rr(&(struct cmp_client){.certificate = s->certificate, .key = s->holder.key},
                      s->certificate, SUPERSEDED, &s->holder.state, &s->revocation, &e),
        &e);
    s->revocation_nested = world_wrap(s->w, buf_span(&s->revocation), s->holder.id,
                                      CMP_ASSURANCE_SIGNATURE, s->w->ra_key, s->w->ra);
    s->fresh = nf_new(s->w, BY_MAC, 1);
    nf_uuid(uuid);
    s->registration = world_registration(s->w, uuid, 1, MAC);
    *state = s;
    return world_stop(s->w);
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    nf_free(&s->holder);
    nf_free(&s->fresh);
    X509_free(s->certificate);
    buf_free(&s->registration);
    buf_free(&s->used_up);
    buf_free(&s->used_up_nested);
    buf_free(&s->confirmation);
    buf_free(&s->confirmation_nested);
    buf_free(&s->revocation);
    buf_free(&s->revocation_nested);
    world_free(s->w);
    mem_free(s);
    return 0;
}

static size_t
times(const struct world *w, const char *says)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(LOG_MAX);
    struct err e = {0};
    const uint8_t *at;
    size_t n = 0;

    assert_ok(file_read(path, &text, &e), &e);
    at = text.p;
    while ((at = memmem(at, text.n - (size_t)(at - text.p), says, strlen(says))) != NULL) {
        at++;
        n++;
    }
    return n;
}

static void
ask(struct scene *s, enum asked asked)
{
    struct world *w = s->w;
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(s->certificate));
    uint8_t hash[SHA256_SIZE] = {0};
    struct link_message m = {.type = LINK_REGISTER, .id = span_of(hash, sizeof(hash))};
    struct err e = {0};

    switch (asked) {
    case REGISTER:
        assert_ok(sha256(buf_span(&s->registration), hash, &e), &e);
        m.body = buf_span(&s->registration);
        world_send(w, &m);
        return;
    case CANCEL:
        world_send_cancel(w, s->fresh.id);
        return;
    case REQUEST:
        world_send_submit(w, buf_span(&s->fresh.request), buf_span(&s->fresh.nested));
        return;
    case USED_UP:
        world_send_submit(w, buf_span(&s->used_up), buf_span(&s->used_up_nested));
        return;
    case CONFIRMATION:
        world_send_submit(w, buf_span(&s->confirmation), buf_span(&s->confirmation_nested));
        return;
    case REVOCATION:
        world_send_submit(w, buf_span(&s->revocation), buf_span(&s->revocation_nested));
        return;
    case OFFICERS_REVOCATION:
        assert_null(world_ask(w,
                              json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", serial,
                                        "reason", "superseded"),
                              &e));
        return;
    }
}

/* From the next start on. */
static void
break_it(struct world *w, const char *breaks, const char *lacks)
{
    w->breaks = breaks;
    w->lacks = lacks;
}

/* The link ends without an answer, and then the daemon, by itself. */
static void
ends(struct world *w, const char *row)
{
    int status = 0;

    if (!world_hung_up(w)) {
        fail_msg("%s: it was answered", row);
    }
    assert_int_equal(waitpid(w->daemon, &status, 0), w->daemon);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1) {
        fail_msg("%s: %d", row, status);
    }
    world_kill(w); /* what is left of it here */
}

static void
what_cannot_be_stored_or_read_ends_the_daemon(void **state)
{
    static const struct {
        enum asked asked;
        const char *breaks;
        const char *lacks; /* the statement */
        const char *says;
    } rows[] = {
        {REGISTER, REFUSES("INSERT", "registration"), NULL, "store a registration: nothing"},
        {CANCEL, REFUSES("UPDATE", "registration"), NULL, "cancel a registration: nothing"},
        {USED_UP, REFUSES("INSERT", "request"), NULL, "record a request: "},
        {CONFIRMATION, REFUSES("INSERT", "confirmation"), NULL, "record a request: "},
        {CONFIRMATION, NULL, "SELECT leaf FROM confirmation", "look a request up: "},
        {CONFIRMATION, NULL, "SELECT unpacked(evidence) FROM request", "look a request up: "},
        {REVOCATION, REFUSES("INSERT", "revocation_request"), NULL, "record a request: "},
        {REVOCATION, NULL, "SELECT leaf FROM revocation_request", "look a request up: "},
        {OFFICERS_REVOCATION, REFUSES("INSERT", "revocation"), NULL, "revoke: nothing"},
        {REQUEST, REFUSES("INSERT", "request"), NULL, "store an intent: "},
        {REQUEST, NULL, "SELECT owner FROM public_key", "store an intent: "},
        {REQUEST, REFUSES("INSERT", "certificate"), NULL, "record a request: "},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t before = times(s->w, rows[i].says);

        break_it(s->w, rows[i].breaks, rows[i].lacks);
        world_start(s->w);
        ask(s, rows[i].asked);
        ends(s->w, rows[i].says);
        break_it(s->w, NULL, NULL);
        if (times(s->w, rows[i].says) != before + 1) {
            fail_msg("row %zu: not said: %s", i, rows[i].says);
        }
    }
}

/* The holder's certificate was never confirmed. */
static void
what_cannot_be_ended_in_time_ends_the_daemon(void **state)
{
    static const char says[] = "end what was not confirmed: nothing";
    struct scene *s = *state;
    size_t before = times(s->w, says);

    break_it(s->w, REFUSES("INSERT", "revocation"), NULL);
    world_configure(s->w, "confirm_wait = 1\nunconfirmed = \"revoke\"\n");
    world_start(s->w);
    ends(s->w, "unconfirmed");
    break_it(s->w, NULL, NULL);
    world_configure(s->w, "");
    assert_int_equal(times(s->w, says), before + 1);
}

/* The row before has left an intent behind, which each start finds. */
static void
what_cannot_be_stored_at_a_start_ends_it(void **state)
{
    static const struct {
        const char *breaks;
        const char *lacks; /* the statement */
        const char *says;
    } rows[] = {
        {REFUSES("INSERT", "certificate"), NULL, "record a request: "},
        {NULL, "SELECT unpacked(evidence) FROM request", "no such column: broken"},
        {REFUSES_LEAF("RECOVERED"), NULL, "broken"},
        {NULL, "SELECT value FROM setting", "no such column: broken"},
        {REFUSES_LEAF("CONFIG"), NULL, "broken"},
        {REFUSES_LEAF("START"), NULL, "broken"},
        {REFUSES("INSERT", "crl"), NULL, "reserve a CRL number: nothing"},
        {REFUSES("UPDATE", "crl"), NULL, "store a CRL: nothing"},
    };
    struct scene *s = *state;
    struct world *w = s->w;

    world_configure(w, "workers = 1\n"); /* another configuration than at the last start */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t before = times(w, rows[i].says);

        break_it(w, rows[i].breaks, rows[i].lacks);
        if (!world_start_fails(w)) {
            fail_msg("row %zu: it started", i);
        }
        break_it(w, NULL, NULL);
        if (times(w, rows[i].says) == before) {
            fail_msg("row %zu: not said: %s", i, rows[i].says);
        }
    }
    break_it(w, REFUSES_LEAF("STOP"), NULL);
    world_start(w);
    assert_int_not_equal(world_stop(w), 0);
    break_it(w, NULL, NULL);
    world_start(w);
    assert_int_equal(world_record(w, "open"), 0);
    {
        CLEANUP(answer_free) struct answer answer = {0};

        world_submit(w, buf_span(&s->fresh.request), buf_span(&s->fresh.nested), &answer);
        X509_free(nf_issued(&answer));
    }
}

/* A configuration is recorded when it is another one, with the one before; each start and end is.
 */
static void
a_start_and_an_end_are_recorded_as_they_were(void **state)
{
    struct scene *s = *state;
    struct world *w = s->w;
    int configs;
    int others;
    int starts;
    int stops;

    (void)world_stop(w);
    configs = world_leaves(w, "CONFIG", "", "");
    others = world_leaves(w, "CONFIG", "", "\"previous\"");
    starts = world_leaves(w, "START", "", "\"softwareToken\":true");
    stops = world_leaves(w, "STOP", "", "\"reason\":\"signal\"");
    world_start(w);
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "CONFIG", "", ""), configs);
    assert_int_equal(world_leaves(w, "START", "", "\"softwareToken\":true"), starts + 1);
    assert_int_equal(world_leaves(w, "STOP", "", "\"reason\":\"signal\""), stops + 1);
    assert_int_equal(world_leaves(w, "RECOVERED", "", "\"resumed\":0"), 0);
    world_configure(w, "workers = 3\n");
    world_start(w);
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "CONFIG", "", ""), configs + 1);
    assert_int_equal(world_leaves(w, "CONFIG", "", "\"previous\""), others + 1);
    assert_int_equal(world_leaves(w, "RECOVERED", "", "\"resumed\":0"), 0);
}

/* Leaves under the checkpoint in the folder, which is what others see; *note is it. */
static unsigned long
published(const struct world *w, struct buf *note)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ledger/checkpoint", w->dir);
    struct err e = {0};

    buf_truncate(note, 0);
    assert_ok(file_read(path, note, &e), &e);
    return strtoul((const char *)memchr(note->p, '\n', note->n) + 1, NULL, 10);
}

static void
a_start_tells_what_was_stored_and_not_published(void **state)
{
    struct scene *s = *state;
    struct world *w = s->w;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ledger/checkpoint", w->dir);
    CLEANUP(mem_cleanup) char *says = NULL;
    CLEANUP(buf_free) struct buf old = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf now = BUF_INIT(4096);
    const size_t before = times(w, "published-late");
    unsigned long first;
    unsigned long next;
    struct err e = {0};

    first = published(w, &old);
    world_start(w);
    assert_int_equal(world_stop(w), 0);
    next = published(w, &now);
    assert_true(next > first);
    assert_int_equal(times(w, "published-late"), before); /* all was */
    assert_ok(file_write(path, buf_span(&old), 0644, &e), &e);
    says = mem_printf("leaves %lu to %lu were stored, and not published before this start", first,
                      next - 1);
    world_start(w);
    assert_true(published(w, &now) >= next);
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(times(w, says), 1);
    assert_int_equal(times(w, "published-late"), before + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_ended_in_time_ends_the_daemon),
        cmocka_unit_test(what_cannot_be_stored_or_read_ends_the_daemon),
        cmocka_unit_test(what_cannot_be_stored_at_a_start_ends_it),
        cmocka_unit_test(a_start_and_an_end_are_recorded_as_they_were),
        cmocka_unit_test(a_start_tells_what_was_stored_and_not_published),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
