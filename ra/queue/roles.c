/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   free --ask--> ASKING --ROLE_IS--> known --too old, newer CRL--> ASKING
 *                   \---- no answer in time, or none: whoever waits is told ROLE_UNKNOWN
 */
#include "ra/queue/roles.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct place {
    struct roles *roles;
    uint8_t fingerprint[SHA256_SIZE];
    bool asking;
    bool outdated;  /* the CRLs changed while it was asked */
    enum role role; /* ROLE_UNKNOWN: no answer, or forgotten */
    int64_t at;
    struct role_waiter *waiters; /* the last comes first */
    struct event *late;
};

struct roles {
    struct roles_options options;
    uint8_t crls[SHA256_SIZE];
    struct place places[ROLES_MAX];
};

static const char *const names[] = {
    [ROLE_UNKNOWN] = "unknown", [ROLE_NOBODY] = "none",         [ROLE_RA] = "ra-cmp",
    [ROLE_OFFICER] = "officer", [ROLE_REGISTRAR] = "registrar",
};

const char *
role_name(enum role role)
{
    return names[role];
}

/* Whatever else a CA says is nobody. */
static enum role
role_parse(struct span name)
{
    for (enum role r = ROLE_RA; r <= ROLE_REGISTRAR; r++) {
        if (span_equal(name, span_str(names[r]))) {
            return r;
        }
    }
    return ROLE_NOBODY;
}

/* A waiter that is told may ask again at once. */
static void
tell(struct place *p, enum role role)
{
    struct role_waiter *w = p->waiters;

    p->waiters = NULL;
    (void)event_del(p->late);
    while (w != NULL) {
        struct role_waiter *next = w->next;

        w->done(w, role);
        w = next;
    }
}

static void on_reply(void *arg, const struct link_message *answer);

static void
send_question(struct place *p)
{
    const struct link_message m = {.type = LINK_ROLE,
                                   .id = span_of(p->fingerprint, sizeof(p->fingerprint))};
    const struct roles_options *o = &p->roles->options;
    struct err e = {0};

    p->outdated = false;
    p->asking = o->ask(o->user, &m, on_reply, p, &e) == 0;
    if (!p->asking) {
        log_err(LOG_WARNING, "role-unknown", &e, "an administrator is told to come again");
        tell(p, ROLE_UNKNOWN);
    }
}

static void
on_reply(void *arg, const struct link_message *answer)
{
    struct place *p = arg;

    p->asking = false;
    if (p->outdated) {
        p->role = ROLE_UNKNOWN;
        send_question(p);
        return;
    }
    p->role =
        answer != NULL && answer->type == LINK_ROLE_IS ? role_parse(answer->phrase) : ROLE_UNKNOWN;
    p->at = clock_monotonic_ms();
    tell(p, p->role);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    tell(arg, ROLE_UNKNOWN);
}

/* The place of this certificate, or the one whose answer is the oldest, which one that is free has
 * at 0; NULL when all of them wait. */
static struct place *
place_of(struct roles *roles, const uint8_t fingerprint[SHA256_SIZE])
{
    struct place *best = NULL;

    for (size_t i = 0; i < ROLES_MAX; i++) {
        struct place *p = &roles->places[i];

        if (memcmp(p->fingerprint, fingerprint, SHA256_SIZE) == 0) {
            return p;
        }
        if (!p->asking && (best == NULL || p->at < best->at)) {
            best = p;
        }
    }
    if (best != NULL) {
        memcpy(best->fingerprint, fingerprint, SHA256_SIZE);
        best->role = ROLE_UNKNOWN;
    }
    return best;
}

void
roles_ask(struct roles *roles, const uint8_t fingerprint[SHA256_SIZE], bool anew,
          struct role_waiter *w)
{
    const int ms = roles->options.wait_ms;
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    struct place *p = place_of(roles, fingerprint);

    if (p == NULL) {
        w->done(w, ROLE_UNKNOWN);
        return;
    }
    if (!anew && !p->asking && p->role != ROLE_UNKNOWN &&
        clock_monotonic_ms() - p->at <= roles->options.age_ms) {
        w->done(w, p->role);
        return;
    }
    if (p->waiters == NULL) {
        (void)event_add(p->late, &wait);
    }
    w->next = p->waiters;
    p->waiters = w;
    if (!p->asking) {
        send_question(p);
    }
}

void
roles_note_crls(struct roles *roles, const uint8_t crls[SHA256_SIZE])
{
    if (memcmp(roles->crls, crls, SHA256_SIZE) == 0) {
        return;
    }
    memcpy(roles->crls, crls, SHA256_SIZE);
    for (size_t i = 0; i < ROLES_MAX; i++) {
        roles->places[i].role = ROLE_UNKNOWN;
        roles->places[i].outdated = roles->places[i].asking;
    }
}

struct roles *
roles_new(const struct roles_options *options)
{
    struct roles *roles = mem_new(sizeof(*roles));

    roles->options = *options;
    if (roles->options.age_ms == 0) {
        roles->options.age_ms = ROLES_AGE_MS;
    }
    if (roles->options.wait_ms == 0) {
        roles->options.wait_ms = ROLES_WAIT_MS;
    }
    for (size_t i = 0; i < ROLES_MAX; i++) {
        struct place *p = &roles->places[i];

        p->roles = roles;
        p->late = evtimer_new(options->base, on_late, p);
        if (p->late == NULL) {
            abort(); /* out of memory */
        }
    }
    return roles;
}

void
roles_free(struct roles *roles)
{
    if (roles == NULL) {
        return;
    }
    for (size_t i = 0; i < ROLES_MAX; i++) {
        tell(&roles->places[i], ROLE_UNKNOWN);
        event_free(roles->places[i].late);
    }
    mem_free(roles);
}
