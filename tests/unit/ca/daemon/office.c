/* SPDX-License-Identifier: Apache-2.0 */
/* What officers ask of the daemon, over its admin socket. */
#include <string.h>

#include "ca/link/admin.h"
#include "tests/unit/ca/daemon/nf.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registrations_are_listed_newest_first_with_their_use_and_state),
        cmocka_unit_test(status_counts_what_there_is),
        cmocka_unit_test(each_crl_has_the_next_number),
        cmocka_unit_test(what_is_no_command_is_refused),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
