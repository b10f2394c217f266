/* SPDX-License-Identifier: Apache-2.0 */
/* What nfpki-audit says of the messages that leaves name, of a real ledger that has them
 * (tests/vectors/ledger/7/asked): there, missing, or others. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/program_scene.h"

#define FOLDER TEST_SOURCE_DIR "/vectors/ledger/7/asked"
#define MESSAGES_OF "tile/messages/000.p/77"
#define NAMED "  messages     19 that leaves name: "

static void
copy(const struct scene *s, const char *name)
{
    CLEANUP(mem_cleanup) char *from = mem_printf("%s/%s", FOLDER, name);
    CLEANUP(mem_cleanup) char *to = mem_printf("%s/asked/%s", s->l.base, name);
    CLEANUP(mem_cleanup) char *folder = mem_strdup(to);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(OUTPUT_MAX);
    struct err e = {0};

    *strrchr(folder, '/') = '\0';
    assert_ok(file_mkdirs(folder, 0700, &e), &e);
    assert_ok(file_read(from, &octets, &e), &e);
    assert_ok(file_write(to, buf_span(&octets), 0600, &e), &e);
}

static int
begin(void **state)
{
    static const char *const names[] = {"checkpoint", "log.vkey", "tile/0/000.p/77",
                                        "tile/entries/000.p/77", MESSAGES_OF};

    assert_int_equal(scene_begin(state), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        copy(*state, names[i]);
    }
    return 0;
}

static void
flip(const struct scene *s, size_t at)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/asked/" MESSAGES_OF, s->l.base);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(OUTPUT_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &octets, &e), &e);
    octets.p[at] ^= 1;
    assert_ok(file_write(path, buf_span(&octets), 0600, &e), &e);
}

static void
verify_says_how_many_messages_are_there(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *dir = scene_path(s, "asked");
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" MESSAGES_OF, dir);

    assert_int_equal(RUN(s, "--ledger", dir, "verify"), 0);
    assert_says(s->out, "\n" NAMED "19 there\n");
    assert_int_equal(RUN(s, "--ledger", dir, "verify", "--json"), 0);
    assert_says(s->out, "\"messages\":{\"missing\":0,\"named\":19,\"there\":19,\"wrong\":0}");
    flip(s, 4);
    assert_int_equal(RUN(s, "--ledger", dir, "verify"), 4);
    assert_says(s->out, "\n" NAMED "18 there, 1 OTHER THAN NAMED\n");
    assert_says(s->errors, "nfpki-audit: finding: leaf ");
    assert_says(s->errors, "names is another one");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(RUN(s, "--ledger", dir, "verify"), 0);
    assert_says(s->out, "\n" NAMED "0 there, 19 missing\n");
}

static void
mirror_says_how_many_messages_are_there(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *dir = scene_path(s, "asked");
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" MESSAGES_OF, dir);
    CLEANUP(mem_cleanup) char *mirror = scene_path(s, "asked.db");

    flip(s, 4);
    assert_int_equal(RUN(s, "mirror", "--init", dir, mirror), 4);
    assert_says(s->out, "\n" NAMED "18 there, 1 OTHER THAN NAMED\n");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(RUN(s, "mirror", dir, mirror, "--json"), 4);
    assert_says(s->out, "\"messages\":{\"missing\":0,\"named\":19,\"there\":18,\"wrong\":1}");
    assert_says(s->errors, " messages are others than leaves name: check says which\n");
    copy(s, MESSAGES_OF);
    assert_int_equal(RUN(s, "mirror", dir, mirror), 0);
    assert_says(s->out, "\n" NAMED "19 there\n");
    assert_says(s->out, "nothing new\n");
}

static void
show_names_the_message_of_each_leaf(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *dir = scene_path(s, "asked");
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" MESSAGES_OF, dir);

    assert_int_equal(RUN(s, "--ledger", dir, "show", "47"), 0);
    assert_says(s->out, "\n               message "
                        "017c79a60bbd2898dfe8d3ecf0260301958ab75304109a5e120b11c6e9e6918b\n"
                        "               p10cr of 386 octets, as the leaf names it\n");
    assert_says(s->out, "\n               certConf of 249 octets, as the leaf names it\n");
    assert_int_equal(RUN(s, "--ledger", dir, "show", "47", "--json"), 0);
    assert_says(s->out, "\"message\":{\"body\":\"p10cr\",\"octets\":386,\"sha256\":"
                        "\"017c79a60bbd2898dfe8d3ecf0260301958ab75304109a5e120b11c6e9e6918b\","
                        "\"there\":true}");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(RUN(s, "--ledger", dir, "show", "47"), 0);
    assert_says(s->out, "\n               not there: tile/messages/000 is not published, or was "
                        "not fetched\n");
    assert_int_equal(RUN(s, "--ledger", dir, "show", "47", "--json"), 0);
    assert_says(s->out, "\"reason\":\"tile/messages/000 is not published, or was not fetched\","
                        "\"sha256\":\"017c79a6");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(verify_says_how_many_messages_are_there, begin, scene_end),
        cmocka_unit_test_setup_teardown(mirror_says_how_many_messages_are_there, begin, scene_end),
        cmocka_unit_test_setup_teardown(show_names_the_message_of_each_leaf, begin, scene_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
