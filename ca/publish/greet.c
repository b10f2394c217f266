/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/publish/greet.h"

#include <event2/event.h>

enum { TELL_S = 1 };

struct greeter {
    struct ca *ca;
    void (*connected)(struct ca *);
    struct event *soon;
    bool due; /* `soon` is set, or `op` is under way */
    struct store_op op;
    struct buf note;
    uint64_t size; /* that was told last */
};

/* ---- HELLO ---- */

struct greeting {
    struct ca *ca;
    link_peer peer;
    struct store_op op;
    struct buf shown;
    struct err why; /* it is not shown what is ours */
    struct buf note;
    uint64_t size;
};

static int
run_compare(struct store_op *op, struct store_db *db, struct err *e)
{
    struct greeting *g = CONTAINER_OF(op, struct greeting, op);

    if (g->shown.n > 0 && ledger_has(g->ca->ledger, db, buf_span(&g->shown), &g->why) != 0) {
        *e = g->why;
        return -1;
    }
    return ledger_newest(g->ca->ledger, db, &g->note, &g->size, e);
}

static void
welcome(const struct greeting *g)
{
    struct ca *ca = g->ca;
    const struct link_message m = {
        .type = LINK_WELCOME,
        .id = span_of(ca->profile_file, SHA256_SIZE),
        .body = buf_span(&ca->issuing_der),
        .root = buf_span(&ca->root_der),
        .software = signer_pool_is_software(ca->issuing) || signer_is_software(ca->log),
        .backdate = (uint32_t)ca->policy.backdate_s,
        .checkpoint = buf_span(&g->note),
        .log_key = span_str(ledger_vkey(ca->ledger)),
    };

    log_event(LOG_INFO, "ra-connected", "peer %llu", (unsigned long long)g->peer);
    ca->greeter->connected(ca);
    ca_answer(ca, g->peer, &m);
}

static void
refuse(const struct greeting *g)
{
    struct err e = g->why;

    if (e.code != ERR_INPUT && e.code != ERR_CRYPTO) {
        (void)err_wrap(&e, "the checkpoint that an RA remembers");
        ca_die(&e, e.code == ERR_STALE ? "ca.db is older than, or not, what was signed, nfpki-ca(8)"
                                       : "greet an RA");
    }
    (void)err_wrap(&e, "it remembers another log's checkpoint, see log_key in nfpki-ra.conf(5)");
    if (g->ca->link != NULL) {
        link_server_close(g->ca->link, g->peer, &e);
    }
}

static void
on_compared(struct task *task)
{
    struct greeting *g = CONTAINER_OF(task, struct greeting, op.task);

    if (g->op.result == 0) {
        welcome(g);
    } else if (g->why.code == ERR_NONE) {
        ca_check_store(&g->op, "greet an RA");
    } else {
        refuse(g);
    }
    g->ca->jobs--;
    buf_free(&g->shown);
    buf_free(&g->note);
    mem_free(g);
}

void
greet(struct ca *ca, link_peer peer, const struct link_message *hello)
{
    struct greeting *g = mem_new(sizeof(*g));
    struct err e = {0};

    g->ca = ca;
    g->peer = peer;
    g->note = BUF_INIT(LINK_CHECKPOINT_MAX);
    g->shown = BUF_INIT(LINK_CHECKPOINT_MAX);
    if (buf_set(&g->shown, hello->checkpoint, &e) != 0) {
        ca_die(&e, "greet an RA"); /* the link's limit is the same */
    }
    g->op = (struct store_op){.run = run_compare, .task = {.done = on_compared}};
    ca->jobs++;
    store_submit(ca->store, &g->op);
}

/* ---- CHECKPOINT ---- */

static void
tell_soon(struct greeter *g)
{
    const struct timeval pause = {.tv_sec = TELL_S};
    const struct ca *ca = g->ca;

    if (!g->due && ca->link != NULL && link_server_peers(ca->link) > 0 &&
        g->size < ledger_stored(ca->ledger)) {
        g->due = true;
        (void)event_add(g->soon, &pause);
    }
}

static int
run_newest(struct store_op *op, struct store_db *db, struct err *e)
{
    struct greeter *g = CONTAINER_OF(op, struct greeter, op);

    return ledger_newest(g->ca->ledger, db, &g->note, &g->size, e);
}

static void
on_newest(struct task *task)
{
    struct greeter *g = CONTAINER_OF(task, struct greeter, op.task);
    const struct link_message m = {.type = LINK_CHECKPOINT, .checkpoint = buf_span(&g->note)};

    ca_check_store(&g->op, "tell RAs a checkpoint");
    g->ca->jobs--;
    g->due = false;
    if (g->ca->link != NULL) {
        link_server_tell_all(g->ca->link, &m);
    }
    tell_soon(g);
}

static void
on_soon(evutil_socket_t fd, short what, void *arg)
{
    struct greeter *g = arg;

    (void)fd;
    (void)what;
    if (g->ca->stopping) {
        return;
    }
    g->ca->jobs++;
    g->op = (struct store_op){.run = run_newest, .task = {.done = on_newest}};
    store_submit(g->ca->store, &g->op);
}

void
greeter_stored(struct greeter *g)
{
    tell_soon(g);
}

struct greeter *
greeter_new(struct ca *ca, void (*connected)(struct ca *))
{
    struct greeter *g = mem_new(sizeof(*g));

    g->ca = ca;
    g->connected = connected;
    g->note = BUF_INIT(LINK_CHECKPOINT_MAX);
    g->soon = ca_timer(ca, on_soon, g);
    return g;
}

void
greeter_free(struct greeter *g)
{
    if (g == NULL) {
        return;
    }
    event_free(g->soon);
    buf_free(&g->note);
    mem_free(g);
}
