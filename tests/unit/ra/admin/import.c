/* SPDX-License-Identifier: Apache-2.0 */
/* How many of a batch are under way at once, and what no manifest is; ra/admin/command.c has the
 * rest. */
#include "ra/admin/import.h"

#include <string.h>

#include "ca/registration/batch.h"
#include "tests/unit/ra/lot.h"

enum { WINDOW = 64, MANY = WINDOW + 6 };

/* What the CA was asked and has not answered yet. */
static struct {
    link_peer peer;
    uint8_t ids[MANY][SHA256_SIZE];
    size_t n;
    bool holds;
} ca;

static void
does(struct running *w, link_peer peer, const struct link_message *m)
{
    if (m->type != LINK_REGISTER || !ca.holds) {
        running_ca_does(w, peer, m);
        return;
    }
    assert_true(ca.n < MANY && m->id.n == SHA256_SIZE);
    ca.peer = peer;
    memcpy(ca.ids[ca.n++], m->id.p, m->id.n);
}

static bool
is_full(struct running *w)
{
    (void)w;
    return ca.n >= WINDOW;
}

struct asking {
    struct import_request request;
    json_t *summary;
    struct err e;
    size_t rows;
    bool done;
};

static void
on_row(void *arg, json_t *row)
{
    struct asking *a = arg;

    json_decref(row);
    a->rows++;
}

static void
on_done(void *arg, json_t *summary, const struct err *why)
{
    struct asking *a = arg;

    a->summary = summary;
    if (why != NULL) {
        a->e = *why;
    }
    a->done = true;
}

/* A batch of so many, signed by the registrar. */
static void
ask(struct running *w, struct asking *a, size_t n)
{
    CLEANUP(lot_free) struct lot l = lot_good(w, n);
    struct err e = {0};

    a->request = (struct import_request){.ra = &w->ra,
                                         .who = "user 0",
                                         .manifest = BUF_INIT(2 * BATCH_MANIFEST_MAX),
                                         .text = BUF_INIT(BATCH_OCTETS_MAX),
                                         .row = on_row,
                                         .done = on_done,
                                         .arg = a};
    assert_ok(buf_set(&a->request.manifest, buf_span(&l.manifest), &e), &e);
    assert_ok(buf_set(&a->request.text, buf_span(&l.text), &e), &e);
}

static void
run(struct running *w, struct asking *a)
{
    import_begin(&a->request);
    while (!a->done) {
        running_for(w, 1);
    }
}

static int
reset(void **state)
{
    struct running *w = *state;

    (void)running_reset(state);
    memset(&ca, 0, sizeof(ca));
    w->ca_does = does;
    return 0;
}

/* The others follow as places become free. */
static void
a_window_is_under_way(void **state)
{
    struct running *w = *state;
    struct asking a = {0};

    ask(w, &a, MANY);
    ca.holds = true;
    import_begin(&a.request);
    running_until(w, is_full);
    running_for(w, 50);
    assert_int_equal(ca.n, WINDOW);
    assert_int_equal(a.rows, 0);
    ca.holds = false;
    for (size_t i = 0; i < WINDOW; i++) {
        link_server_answer(
            w->ca, ca.peer,
            &(struct link_message){.type = LINK_REGISTERED, .id = span_of(ca.ids[i], SHA256_SIZE)});
    }
    while (!a.done) {
        running_for(w, 1);
    }
    assert_int_equal(a.rows, MANY);
    assert_int_equal(json_integer_value(json_object_get(a.summary, "registered")), MANY);
    json_decref(a.summary);
}

static void
what_is_no_manifest_is_named(void **state)
{
    struct running *w = *state;
    static const struct {
        const char *manifest;
        const char *why;
    } rows[] = {
        {"", "manifest: neither DER nor PEM"},
        {"hello", "manifest: neither DER nor PEM"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
         "manifest: the PEM block is not labelled CMS"},
        {"-----BEGIN CMS-----\n-----END CMS-----\n", "manifest: neither DER nor PEM"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asking a = {0};
        struct err e = {0};

        ask(w, &a, 1);
        assert_ok(buf_set(&a.request.manifest, span_str(rows[i].manifest), &e), &e);
        run(w, &a);
        if (a.summary != NULL || a.rows != 0 || a.e.code != ERR_INPUT ||
            strstr(a.e.text, rows[i].why) == NULL) {
            fail_msg("row %zu: %s: %s", i, err_code_name(a.e.code), a.e.text);
        }
    }
    assert_int_equal(w->asked[LINK_REGISTER], 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_window_is_under_way, reset),
        cmocka_unit_test_setup(what_is_no_manifest_is_named, reset),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
