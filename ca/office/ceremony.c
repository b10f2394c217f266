/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   verify (worker, one at a time: libconfuse parses one file at a time) -> append (store)
 * -> release -> answer
 */
#include "ca/office/ceremony.h"

#include <limits.h>
#include <string.h>

#include "ca/publish/checkpoint.h"
#include "ca/publish/operation.h"
#include "ceremony/bundle/bundle.h"

struct ceremony {
    struct ceremony *next; /* that waits behind it */
    struct ca *ca;
    struct admin_call *call;
    char *directory;
    struct bundle *bundle;
    struct task work;
    struct store_op op;
    struct release_item release;
    uint64_t leaf;
    bool already;
    time_t now;
    struct err e;
};

static void
ceremony_free(struct ceremony *c)
{
    c->ca->jobs--;
    bundle_free(c->bundle);
    mem_free(c->directory);
    mem_free(c);
}

static bool
is_production(const struct bundle *b)
{
    return !b->rehearsal && !b->software;
}

static void
on_released(struct release_item *item)
{
    struct ceremony *c = CONTAINER_OF(item, struct ceremony, release);
    const struct bundle *b = c->bundle;
    CLEANUP(mem_cleanup) char *head = hex_dup(span_of(b->head, sizeof(b->head)));
    json_t *answer = json_pack("{s:s,s:s,s:s,s:b,s:b}", "name", b->definition->id, "type",
                               ceremony_type_name(b->definition->type), "head", head, "production",
                               is_production(b), "already", c->already);

    if (c->already) { /* no leaf says so yet */
        operation_answer(c->ca, c->call, answer);
    } else {
        admin_answer(c->call, answer);
    }
    ceremony_free(c);
}

static int
run_append(struct store_op *op, struct store_db *db, struct err *e)
{
    struct ceremony *c = CONTAINER_OF(op, struct ceremony, op);
    const struct bundle *b = c->bundle;
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CEREMONY, c->now);

    if (ledger_find(db, LEAF_CEREMONY, span_of(b->head, sizeof(b->head)), &c->leaf, &c->already,
                    e) != 0) {
        return -1;
    }
    if (c->already) {
        return 0;
    }
    leaf_set_hex(leaf, "head", span_of(b->head, sizeof(b->head)));
    leaf_set_text(leaf, "name", b->definition->id);
    leaf_set_hex(leaf, "sha256", span_of(b->sha256, sizeof(b->sha256)));
    leaf_set_text(leaf, "type", ceremony_type_name(b->definition->type));
    if (b->has_prev) {
        leaf_set_hex(leaf, "previous", span_of(b->prev_head, sizeof(b->prev_head)));
    }
    leaf_set_bool(leaf, "production", is_production(b));
    leaf_set_text(leaf, "by", admin_who(c->call));
    return ledger_append(db, leaf, &c->leaf, e);
}

static void
on_appended(struct task *task)
{
    struct ceremony *c = CONTAINER_OF(task, struct ceremony, op.task);

    ca_check_store(&c->op, "a ceremony");
    c->release = (struct release_item){.leaf = c->leaf, .released = on_released};
    release_wait(c->ca->release, &c->release);
}

static void
run_verify(struct task *task)
{
    struct ceremony *c = CONTAINER_OF(task, struct ceremony, work);

    c->bundle = bundle_load(c->directory, &c->e);
}

static void
on_verified(struct task *task)
{
    struct ceremony *c = CONTAINER_OF(task, struct ceremony, work);

    c->ca->ceremonies = c->next;
    if (c->next != NULL) {
        pool_submit(c->ca->pool, &c->next->work);
    }
    if (c->bundle == NULL) {
        ca_printable(c->e.text);
        log_err(LOG_WARNING, "ceremony-refused", &c->e, "a bundle");
        operation_refuse(c->ca, c->call, &c->e);
        ceremony_free(c);
        return;
    }
    c->op = (struct store_op){.run = run_append, .task = {.done = on_appended}};
    store_submit(c->ca->store, &c->op);
}

void
ceremony_officer(struct ca *ca, struct admin_call *call, const json_t *request)
{
    const char *directory = json_string_value(json_object_get(request, "bundle"));
    struct ceremony **last = &ca->ceremonies;
    struct ceremony *c;
    struct err e = {0};

    if (directory == NULL || directory[0] != '/' || strlen(directory) >= PATH_MAX) {
        (void)err_set(&e, ERR_INPUT, "ceremony: the absolute path of a bundle is needed");
        operation_refuse(ca, call, &e);
        return;
    }
    admin_about(call, directory);
    c = mem_new(sizeof(*c));
    c->ca = ca;
    c->call = call;
    c->now = clock_now();
    c->directory = mem_strdup(directory);
    c->work = (struct task){.run = run_verify, .done = on_verified};
    ca->jobs++;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = c;
    if (ca->ceremonies == c) {
        pool_submit(ca->pool, &c->work);
    }
}
