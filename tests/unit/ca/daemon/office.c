/* SPDX-License-Identifier: Apache-2.0 */
/* What officers ask of the daemon, over its admin socket. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tlog/cosigner.h"
#include "ca/link/admin.h"
#include "tests/unit/ca/daemon/nf.h"

enum { OPERATIONS_AN_HOUR = 60, OPERATIONS_TRIED = 150 };

static json_t *
ask(struct world *w, const char *command)
{
    struct err e = {0};
    json_t *answer = world_ask(w, json_pack("{s:s}", "command", command), &e);

    if (answer == NULL) {
        fail_msg("%s: %s", command, e.text);
    }
    return answer;
}

static const char *
text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

/* What the list says of this one. */
static const json_t *
entry_of(const json_t *list, const char *id, size_t *at)
{
    for (*at = 0; *at < json_array_size(list); ++*at) {
        if (strcmp(text_of(json_array_get(list, *at), "id"), id) == 0) {
            return json_array_get(list, *at);
        }
    }
    fail_msg("%s is not listed", id);
    return NULL;
}

static void
registrations_are_listed_newest_first_with_their_use_and_state(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf used = nf_new(w, BY_MAC, 1);
    CLEANUP(nf_free) struct nf fresh = nf_new(w, BY_MAC, 3);
    CLEANUP(nf_free) struct nf gone = nf_new(w, BY_MAC, 1);
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    const struct {
        const char *id;
        int certificates;
        int used;
        const char *state;
    } rows[] = {
        {gone.id, 1, 0, "cancelled"},
        {fresh.id, 3, 0, "live"},
        {used.id, 1, 1, "live"},
    };
    const json_t *list;

    X509_free(nf_enrol(w, &used));
    world_cancel(w, gone.id);
    answer = ask(w, "registrations");
    list = json_object_get(answer, "registrations");
    assert_int_equal(json_array_size(list), world_record(w, "registrations"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t at;
        const json_t *entry = entry_of(list, rows[i].id, &at);

        assert_int_equal(at, i);
        assert_int_equal(json_integer_value(json_object_get(entry, "certificates")),
                         rows[i].certificates);
        assert_int_equal(json_integer_value(json_object_get(entry, "used")), rows[i].used);
        assert_string_equal(text_of(entry, "state"), rows[i].state);
        assert_int_equal(strlen(text_of(entry, "nfInstanceId")), 36);
        assert_int_equal(strlen(text_of(entry, "notAfter")), TIME_TEXT_SIZE - 1);
    }
}

static void
status_counts_what_there_is(void **state)
{
    struct world *w = *state;
    CLEANUP(admin_json_cleanup) json_t *before = ask(w, "status");
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(admin_json_cleanup) json_t *after = NULL;
    const json_t *was = json_object_get(before, "record");
    const json_t *is;
    const json_t *signers;
    static const char *const one_more[] = {"registrations", "certificates"};

    X509_free(nf_enrol(w, &n));
    after = ask(w, "status");
    is = json_object_get(after, "record");
    signers = json_object_get(after, "signers");
    for (size_t i = 0; i < ARRAY_LEN(one_more); i++) {
        assert_int_equal(json_integer_value(json_object_get(is, one_more[i])),
                         json_integer_value(json_object_get(was, one_more[i])) + 1);
    }
    assert_int_equal(json_integer_value(json_object_get(is, "open")), 0);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(after, "link"), "peers")),
                     1);
    assert_true(json_integer_value(json_object_get(json_object_get(after, "link"), "jobs")) >=
                1); /* the question itself */
    assert_true(json_is_false(json_object_get(after, "rehearsal")));
    assert_true(json_is_true(json_object_get(json_object_get(signers, "issuing"), "software")));
    assert_true(json_integer_value(json_object_get(json_object_get(signers, "log"), "pid")) > 1);
    /* started by the daemon: within its reach */
    assert_true(json_is_false(json_object_get(json_object_get(signers, "issuing"), "apart")));
    assert_string_equal(text_of(after, "version"), NFPKI_VERSION);
}

static void
each_crl_has_the_next_number(void **state)
{
    struct world *w = *state;
    CLEANUP(admin_json_cleanup) json_t *one = ask(w, "crl");
    CLEANUP(admin_json_cleanup) json_t *two = ask(w, "crl");

    assert_int_equal(json_integer_value(json_object_get(two, "crlNumber")),
                     json_integer_value(json_object_get(one, "crlNumber")) + 1);
}

static json_t *
ask_witness(struct world *w, const char *note, struct err *e)
{
    return world_ask(w, json_pack("{s:s,s:s}", "command", "witness", "note", note), e);
}

static void
what_a_witness_gives_back_is_published(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(buf_free) struct buf line = BUF_INIT(NOTE_MAX);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ledger/checkpoint", w->dir);
    CLEANUP(mem_cleanup) char *published = NULL;
    CLEANUP(mem_cleanup) char *vkey = NULL;
    CLEANUP(mem_cleanup) char *option = NULL;
    CLEANUP(mem_cleanup) char *text = NULL;
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    CLEANUP(buf_free) struct buf there = BUF_INIT(NOTE_MAX);
    struct cosigner c;
    struct note parsed;
    struct err e = {0};

    assert_ok(cosigner_of(&c, "auditor.example", key, &e), &e);
    vkey = cosigner_format(&c);
    option = mem_printf("witnesses = {\"%.*s\"}\n", (int)strlen(vkey) - 1, vkey);
    assert_ok(file_read(path, &note, &e), &e);
    assert_ok(note_parse(buf_span(&note), &parsed, &e), &e);
    assert_ok(cosigner_sign(&c, key, parsed.text, clock_now(), &line, &e), &e);
    text = mem_printf("%.*s%.*s", (int)note.n, (const char *)note.p, (int)line.n,
                      (const char *)line.p);
    assert_null(ask_witness(w, text, &e));
    assert_int_equal(e.code, ERR_DENIED);
    assert_non_null(strstr(e.text, "no line of a witness whom the configuration names"));
    world_restart(w, option);
    assert_null(world_ask(w, json_pack("{s:s}", "command", "witness"), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_null(ask_witness(w, "x\n", &e));
    assert_int_equal(e.code, ERR_INPUT);
    answer = ask_witness(w, text, &e);
    assert_non_null(answer);
    assert_int_equal(json_integer_value(json_object_get(answer, "published")), 1);
    published = mem_printf("%s/ledger/witness/%02x%02x%02x%02x", w->dir, c.id[0], c.id[1], c.id[2],
                           c.id[3]);
    assert_ok(file_read(published, &there, &e), &e);
    assert_true(span_equal(buf_span(&there), span_str(text)));
    world_restart(w, "");
}

static void
what_is_no_command_is_refused(void **state)
{
    static const char *const commands[] = {"", "Status", "status ", "shutdown", "REGISTRATIONS"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        struct err e = {0};

        assert_null(world_ask(w, json_pack("{s:s}", "command", commands[i]), &e));
        assert_int_equal(e.code, ERR_INPUT);
        assert_string_equal(e.text, "unknown command");
    }
}

/* How many OPERATION leaves the record has, with these two texts; the CA is stopped and started. */
static int
operations(struct world *w, const char *part, const char *other)
{
    int n;

    assert_int_equal(world_stop(w), 0);
    n = world_leaves(w, "OPERATION", part, other);
    world_start(w);
    return n;
}

static void
refused(struct world *w, json_t *request)
{
    struct err e = {0};

    assert_null(world_ask(w, request, &e));
}

static void
the_record_says_who_tried_what(void **state)
{
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *by = mem_printf("\"by\":\"uid %u", (unsigned)geteuid());
    const int crls = operations(w, "\"command\":\"crl\"", by);
    CLEANUP(admin_json_cleanup) json_t *one = ask(w, "crl");
    CLEANUP(admin_json_cleanup) json_t *status = ask(w, "status");
    CLEANUP(admin_json_cleanup) json_t *list = ask(w, "registrations");
    int all;

    refused(w, json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial",
                         "00112233445566778899aabbccddeeff", "reason", "keyCompromise"));
    refused(w, json_pack("{s:s,s:s}", "command", "cancel", "registration",
                         "00112233445566778899aabbccddeeff"));
    refused(w, json_pack("{s:s,s:s}", "command", "approve", "cms", "AAAA"));
    refused(w, json_pack("{s:s,s:s}", "command", "issue", "profile", "officer\x1b[2J\xc3\xa4"));
    assert_int_equal(operations(w, "\"command\":\"crl\"", by), crls + 1);
    assert_int_equal(operations(w, "\"command\":\"crl\"", "\"outcome\":\"done\""), crls + 1);
    assert_int_equal(operations(w, "\"command\":\"revoke\"",
                                "\"object\":\"00112233445566778899aabbccddeeff\",\"outcome\":"
                                "\"refused\",\"reason\":\""),
                     1);
    assert_int_equal(operations(w, "\"command\":\"cancel\"", by), 1);
    assert_int_equal(operations(w, "\"command\":\"approve\"", by), 1);
    assert_int_equal(operations(w, "\"command\":\"issue\"", "\"object\":\"officer?[2J??\""), 1);
    all = operations(w, "", "");
    assert_int_equal(operations(w, "\"command\":\"status\"", ""), 0);
    for (int i = 0; i < OPERATIONS_TRIED; i++) { /* nobody fills the record */
        refused(w, json_pack("{s:s}", "command", "cancel"));
    }
    assert_in_range(operations(w, "", ""), all + 1, all + 2 * OPERATIONS_AN_HOUR);
    (void)one;
    (void)status;
    (void)list;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registrations_are_listed_newest_first_with_their_use_and_state),
        cmocka_unit_test(status_counts_what_there_is),
        cmocka_unit_test(each_crl_has_the_next_number),
        cmocka_unit_test(what_a_witness_gives_back_is_published),
        cmocka_unit_test(what_is_no_command_is_refused),
        cmocka_unit_test(the_record_says_who_tried_what),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
