/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate that is out: the record has it, has lost it, or has another one of its number. */
#include "db/issuance/rebuild/restored.h"

#include <string.h>

#include "tests/unit/db/issuance/scene.h"

/* The registrar's serial number on other octets. */
#define TWIN                                                                                       \
    SPAN_LITERAL("\x30\x1b\x30\x17\xa0\x03\x02\x01\x03\x02\x10\x40\311"                            \
                 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\0")

struct look {
    struct span serial;
    struct span der;
    bool known;
    bool intended;
};

static int
do_find_certificate(struct store_db *db, void *arg, struct err *e)
{
    struct look *l = arg;

    return restored_certificate_find(db, l->serial, l->der, &l->known, &l->intended, e);
}

static void
what_the_record_has_lost_or_only_intended_is_told_apart(void **state)
{
    struct scene *s = *state;
    const struct octets o = scene_octets(210);
    struct intend i = scene_officer(&o, "officer");
    const struct look rows[] = {
        {.serial = scene_serial(REGISTRAR), .der = REGISTRAR, .known = true},
        {.serial = span_of(o.serial, sizeof(o.serial)), .der = TWIN, .intended = true},
        {.serial = span_of(o.rid, ISSUANCE_SERIAL_SIZE), .der = TWIN},
    };
    struct err e = {0};

    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    for (size_t n = 0; n < ARRAY_LEN(rows); n++) {
        struct look l = {.serial = rows[n].serial, .der = rows[n].der};

        assert_ok(verb_call(s->store, do_find_certificate, &l, &e), &e);
        assert_int_equal(l.known, rows[n].known);
        assert_int_equal(l.intended, rows[n].intended);
    }
}

static void
another_certificate_of_a_known_number_is_refused(void **state)
{
    struct scene *s = *state;
    struct look l = {.serial = scene_serial(REGISTRAR), .der = TWIN};
    struct err e = {0};

    assert_err(verb_call(s->store, do_find_certificate, &l, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "the record has another certificate with this serial number"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_record_has_lost_or_only_intended_is_told_apart,
                                        scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(another_certificate_of_a_known_number_is_refused,
                                        scene_setup, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
