/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/daemon/daemon.h"

#include <assert.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

#include "ca/policy/backdate.h"
#include "ca/x509/path/path.h"
#include "db/issuance/role.h"

void
ca_die(const struct err *e, const char *what)
{
    log_err(LOG_ERROR, "stop", e, "%s: nothing more is done; %s", what,
            e->code == ERR_STALE ? "another start is no use, see nfpki-ca(8)"
                                 : "start again to recover");
    _exit(e->code == ERR_STALE ? err_exit_status(e->code) : 1);
}

void
ca_check_store(const struct store_op *op, const char *what)
{
    if (op->result != 0) {
        ca_die(&op->e, what);
    }
}

struct issuance_when
ca_when(const struct ca *ca, time_t now)
{
    const struct policy *p = &ca->policy;
    struct issuance_when when = {.now = now};
    struct err e = {0};

    if (backdate_begin(p->issuing, p->backdate_s, now, &when.date, &e) != 0) {
        ca_die(&e, "issuing certificate"); /* a start reads its dates, too */
    }
    when.date = when.date < now ? when.date : now; /* before its issuer's, where a clock is wrong */
    return when;
}

void
ca_printable(char *text)
{
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e) {
            *p = '?';
        }
    }
}

struct signer_options
ca_signer_options(const struct ca *ca, const struct ca_signer *conf)
{
    return (struct signer_options){.program = ca->conf.signer_program,
                                   .policy = conf->policy,
                                   .socket = conf->socket,
                                   .pin_fd = -1,
                                   .timeout_ms = ca->conf.signer_timeout_ms,
                                   .finished = ca->finished};
}

struct event *
ca_timer(struct ca *ca, void (*run)(int fd, short what, void *arg), void *arg)
{
    struct event *timer = evtimer_new(ca->base, run, arg);

    assert(timer != NULL);
    return timer;
}

/* ---- flights ---- */

static struct flight **
bucket_of(struct ca *ca, const uint8_t *rid)
{
    /* A rid is a hash already. */
    return &ca->flights[((unsigned)rid[0] << 8 | rid[1]) % FLIGHT_BUCKETS];
}

struct flight *
ca_flight_begin(struct ca *ca, struct span rid, link_peer peer, struct flight **busy)
{
    struct flight **bucket = bucket_of(ca, rid.p);
    struct flight *flight;

    *busy = NULL;
    for (flight = *bucket; flight != NULL; flight = flight->next) {
        if (memcmp(flight->rid, rid.p, sizeof(flight->rid)) == 0) {
            *busy = flight;
            return NULL;
        }
    }
    if (ca->n_flights >= FLIGHTS_MAX || ca->stopping) {
        return NULL;
    }
    flight = mem_new(sizeof(*flight));
    memcpy(flight->rid, rid.p, sizeof(flight->rid));
    flight->peer = peer;
    flight->next = *bucket;
    *bucket = flight;
    ca->n_flights++;
    return flight;
}

void
ca_flight_end(struct ca *ca, struct flight *flight)
{
    struct flight **at = bucket_of(ca, flight->rid);

    while (*at != flight) {
        at = &(*at)->next;
    }
    *at = flight->next;
    ca->n_flights--;
    mem_free(flight);
}

/* ---- RA certificates ---- */

enum { RAS_MAX = 64 };

struct ras_op {
    struct store_op op;
    struct ca *ca;
    struct ras *ras;
};

static void
add_ra(void *arg, struct span der)
{
    struct ras_op *r = arg;
    struct ras *ras = r->ras;
    struct err e = {0};
    X509 *certificate;

    if (ras->n == RAS_MAX) {
        return;
    }
    certificate = certificate_parse(der, &e);
    if (certificate != NULL && X509_verify(certificate, r->ca->policy.issuing_key) == 1 &&
        path_check_purpose(certificate, PATH_RA_CMP, &e) == 0) {
        ras->list[ras->n].certificate = certificate;
        ras->list[ras->n].der = BUF_INIT(LINK_CERTIFICATE_MAX);
        /* one that is too long stays without octets, and equals nothing */
        (void)buf_set(&ras->list[ras->n].der, der, &e);
        ras->n++;
    } else {
        /* A row that somebody else wrote. */
        ERR_clear_error();
        log_event(LOG_ERROR, "not-an-ra", "ca.db has an RA's certificate that we did not issue");
        X509_free(certificate);
    }
}

static int
run_ras(struct store_op *op, struct store_db *db, struct err *e)
{
    struct ras_op *r = CONTAINER_OF(op, struct ras_op, op);

    return issuance_infrastructure_each(db, ISSUANCE_RA, clock_now(), add_ra, r, e);
}

static struct ras *
ras_new(void)
{
    struct ras *ras = mem_new(sizeof(*ras) + RAS_MAX * sizeof(ras->list[0]));

    ras->users = 1;
    return ras;
}

void
ca_ras_drop(struct ras *ras)
{
    ras->users--;
    if (ras->users > 0) {
        return;
    }
    for (size_t i = 0; i < ras->n; i++) {
        X509_free(ras->list[i].certificate);
        buf_free(&ras->list[i].der);
    }
    mem_free(ras);
}

struct ras *
ca_ras_hold(struct ca *ca)
{
    ca->ras->users++;
    return ca->ras;
}

static void
replace(struct ca *ca, struct ras *ras)
{
    if (ca->ras != NULL) {
        ca_ras_drop(ca->ras);
    }
    ca->ras = ras;
}

int
ca_ras_load(struct ca *ca, struct err *e)
{
    struct ras_op r = {.op = {.run = run_ras}, .ca = ca, .ras = ras_new()};

    if (store_call(ca->store, &r.op, e) != 0) {
        ca_ras_drop(r.ras);
        return -1;
    }
    replace(ca, r.ras);
    return 0;
}

static void
on_ras(struct task *task)
{
    struct ras_op *r = CONTAINER_OF(task, struct ras_op, op.task);

    ca_check_store(&r->op, "load the RAs' certificates");
    replace(r->ca, r->ras);
    r->ca->jobs--;
    mem_free(r);
}

void
ca_ras_reload(struct ca *ca)
{
    struct ras_op *r = mem_new(sizeof(*r));

    r->ca = ca;
    r->ras = ras_new();
    r->op = (struct store_op){.run = run_ras, .task = {.done = on_ras}};
    ca->jobs++;
    store_submit(ca->store, &r->op);
}

/* ---- answers ---- */

void
ca_answer(struct ca *ca, link_peer peer, const struct link_message *m)
{
    if (ca->link != NULL) { /* no peer has the number 0 */
        link_server_answer(ca->link, peer, m);
    }
}

struct link_message
ca_refusal(struct span id, int fail_info, const char *phrase)
{
    size_t n = strlen(phrase);

    return (struct link_message){
        .type = LINK_REFUSED,
        .id = id,
        .fail_info = fail_info < 0 ? (unsigned)CMP_SYSTEM_FAILURE : (unsigned)fail_info,
        .phrase = span_of(phrase, n > LINK_PHRASE_MAX ? LINK_PHRASE_MAX : n)};
}

void
ca_answer_refused(struct ca *ca, link_peer peer, struct span id, int fail_info, const char *phrase)
{
    const struct link_message m = ca_refusal(id, fail_info, phrase);

    ca_answer(ca, peer, &m);
}

void
ca_answer_busy(struct ca *ca, link_peer peer, struct span id)
{
    const struct link_message m = {.type = LINK_BUSY, .id = id};

    ca_answer(ca, peer, &m);
}
