/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is named, all leaves about it are found and proven, and no others. */
#include "db/audit/story/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/history/history.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/here.h"

enum { TEXT = 4096 };

static struct history h;
static struct history_told told;
static struct mirror *mirror;

static int
setup(void **state)
{
    (void)state;
    history_begin(&h, 1768204800); /* 2026-01-12T08:00:00Z */
    history_tell(&h, &told);
    mirror = mirror_here(h.l.dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mirror_close(mirror);
    history_end(&h);
    return 0;
}

/* The kinds of its leaves, in their order. */
static void
assert_kinds(const char *typed, const char *wanted)
{
    CLEANUP(story_free) struct story story = {0};
    char kinds[TEXT] = "";
    size_t n = 0;
    struct err e = {0};

    assert_ok(story_of(mirror, typed, &story, &e), &e);
    for (size_t i = 0; i < story.n && n < sizeof(kinds); i++) {
        const enum leaf_kind kind = leaf_kind(story.leaves[i].leaf);
        const struct merkle_hash hash = merkle_leaf(leaf_body(story.leaves[i].leaf));

        n += (size_t)snprintf(kinds + n, sizeof(kinds) - n, "%s%s", n == 0 ? "" : " ",
                              leaf_kind_name(kind));
        assert_ok(merkle_verify_inclusion(story.leaves[i].index, told.size, &hash,
                                          &story.leaves[i].proof, &mirror_checkpoint(mirror)->root,
                                          &e),
                  &e);
    }
    if (strcmp(kinds, wanted) != 0) {
        fail_msg("%s: %s instead of %s", typed, kinds, wanted);
    }
}

static void
a_certificate_has_all_that_led_to_it(void **state)
{
    static const char approved[] =
        "REGISTRATION QUEUE-HEAD REQUEST APPROVAL APPROVAL INTENT ISSUED CONFIRMED";

    (void)state;
    assert_kinds(told.approved->serial, approved);
    assert_kinds(told.approved->rid, approved);
    assert_kinds(told.compromised,
                 "REGISTRATION QUEUE-HEAD REQUEST INTENT ISSUED CONFIRMED REVOKED");
    assert_kinds(told.superseded,
                 "REGISTRATION QUEUE-HEAD REQUEST INTENT ISSUED CONFIRMED REVOKED");
    assert_kinds(told.open, "REGISTRATION QUEUE-HEAD REQUEST INTENT");
    assert_kinds(told.waiting->rid, "REGISTRATION QUEUE-HEAD REQUEST APPROVAL");
}

static void
a_registration_and_a_network_function_have_all_under_them(void **state)
{
    static const char refused[] = "REGISTRATION QUEUE-HEAD REQUEST APPROVAL REFUSAL QUEUE-HEAD "
                                  "REQUEST REFUSAL CANCEL";

    (void)state;
    assert_kinds(told.refused_nf->registration, refused);
    assert_kinds(told.refused_nf->identity.instance_id, refused);
    assert_kinds(told.unused->registration, "REGISTRATION");
    assert_kinds(told.rejected->registration,
                 "REGISTRATION QUEUE-HEAD REQUEST INTENT ISSUED REJECTED QUEUE-HEAD REQUEST INTENT "
                 "ISSUED CONFIRMED REVOKED");
}

static void
people_have_what_they_did(void **state)
{
    static const char carla[] = "INTENT ISSUED APPROVAL REVOKED";

    (void)state;
    assert_kinds("Carla Cedar", carla);
    assert_kinds("carla", carla);
    assert_kinds(told.carla->serial, carla);
    assert_kinds(told.boris->serial, "INTENT ISSUED APPROVAL ACKNOWLEDGED RESTORED");
}

static void
a_leaf_stands_for_what_it_is_about(void **state)
{
    CLEANUP(story_free) struct story story = {0};
    CLEANUP(mem_cleanup) char *crl = mem_printf("%" PRIu64, h.last[LEAF_CRL]);
    CLEANUP(mem_cleanup) char *issued = NULL;
    CLEANUP(mem_cleanup) char *beyond = mem_printf("%" PRIu64, told.size);
    struct err e = {0};

    (void)state;
    assert_kinds("0", "START");
    assert_kinds(crl, "CRL");
    assert_kinds(beyond, "");
    assert_ok(story_of(mirror, told.compromised, &story, &e), &e);
    issued = mem_printf("%" PRIu64, story_find(&story, LEAF_ISSUED)->index);
    assert_kinds(issued, "REGISTRATION QUEUE-HEAD REQUEST INTENT ISSUED CONFIRMED REVOKED");
}

static void
what_it_is_of_has_its_names(void **state)
{
    CLEANUP(story_free) struct story one = {0};
    CLEANUP(story_free) struct story all = {0};
    struct err e = {0};

    (void)state;
    assert_ok(story_of(mirror, told.approved->rid, &one, &e), &e);
    assert_string_equal(one.names.serial, told.approved->serial);
    assert_string_equal(one.names.rid, told.approved->rid);
    assert_string_equal(one.names.registration, told.approved->registration);
    assert_string_equal(one.names.registrar, told.hostile->serial);
    assert_string_equal(one.status, "confirmed");
    assert_string_equal(leaf_text(one.registrar.leaf, "serial"), told.hostile->serial);
    assert_ok(story_of(mirror, told.refused_nf->registration, &all, &e), &e);
    assert_string_equal(all.names.serial, "");
    assert_string_equal(all.names.registration, told.refused_nf->registration);
}

static void
a_serial_is_hex(void **state)
{
    bool found = true;
    uint64_t index;
    struct err e = {0};

    (void)state;
    assert_err(story_issued(mirror, "x", &found, &index, &e), ERR_INPUT, &e);
    assert_ok(story_issued(mirror, "00fe01", &found, &index, &e), &e);
    assert_false(found);
}

static void
nothing_is_found_where_there_is_nothing(void **state)
{
    (void)state;
    assert_kinds("00fe01", "");
    assert_kinds("00000000-0000-4000-8000-000000000000", "");
    assert_kinds("nobody", "");
    assert_kinds("%", "");
    assert_kinds("' OR 1=1 --", "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_has_all_that_led_to_it),
        cmocka_unit_test(a_registration_and_a_network_function_have_all_under_them),
        cmocka_unit_test(people_have_what_they_did),
        cmocka_unit_test(a_leaf_stands_for_what_it_is_about),
        cmocka_unit_test(what_it_is_of_has_its_names),
        cmocka_unit_test(a_serial_is_hex),
        cmocka_unit_test(nothing_is_found_where_there_is_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
