/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "ceremony/bundle/bundle.h"

#include <stdio.h>
#include <string.h>

#include "ceremony/transcript/fact.h"
#include "tests/unit/ceremony/bundle/forge.h"
#include "tests/unit/ceremony/bundle/rows.h"
#include "tests/unit/ceremony/bundle/signed.h"
#include "tests/unit/ceremony/scene.h"

static struct scene *scene;
static struct forge *bases[BASES];
static const char *const names[BASES] = {"root", "keys", "sub", "crl", "rehearsed", "secret"};

/* The CRL revokes what SUB certified: the serial is in its register. */
static char *
revocation(void)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/sub", scene->dir);
    CLEANUP(bundle_cleanup) struct bundle *b = NULL;
    CLEANUP(mem_cleanup) char *serial = NULL;
    struct err e = {0};

    b = bundle_load(path, &e);
    if (b == NULL) {
        fail_msg("%s", e.text);
        return NULL;
    }
    serial = hex_dup(span_of(b->after.issued[0].serial, SERIAL_SIZE));
    return mem_printf("crl {\n    revoke \"%s\" { time = 2026-01-01T00:00:00Z reason = "
                      "\"superseded\" }\n",
                      serial);
}

static int
hold(void **state)
{
    static const struct change rsa[SCENE_CHANGES_MAX] = {
        {"secret \"seal\"", "key \"ra\" {\n    algorithm = \"RSA-3072\"\n    attributes = "
                            "\"ra-signing-v1\"\n}\nsecret \"seal\""}};
    struct change revoke[SCENE_CHANGES_MAX] = {{"crl {\n", NULL}};
    CLEANUP(mem_cleanup) char *text = NULL;

    (void)state;
    scene = scene_new();
    scene_run(scene, scene_root(scene, "root", NULL));
    scene_run(scene, scene_keys(scene, "keys", rsa));
    scene_run(scene, scene_sub(scene, "sub", "root", "keys", NULL));
    text = revocation();
    revoke[0].to = text;
    scene_run(scene, scene_crl(scene, "crl", "sub", revoke));
    scene_rehearse(scene, scene_root(scene, "rehearsed", NULL));
    scene_run(scene, scene_secret(scene, "secret", "keys", NULL));
    for (size_t i = 0; i < BASES; i++) {
        CLEANUP(mem_cleanup) char *from = mem_printf("%s/%s", scene->dir, names[i]);
        CLEANUP(mem_cleanup) char *to = mem_printf("%s/forged-%s", scene->dir, names[i]);

        bases[i] = forge_load(from, to);
    }
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASES; i++) {
        forge_free(bases[i]);
    }
    scene_free(scene);
    return 0;
}

/* What the verifier says to what is in `f`; "" when it verifies. */
static const char *
verdict(struct forge *f, struct err *e)
{
    CLEANUP(bundle_cleanup) struct bundle *b = NULL;

    *e = (struct err){0};
    forge_write(f);
    b = bundle_load(f->directory, e);
    if (b == NULL && e->code != ERR_INPUT && e->code != ERR_CRYPTO && e->code != ERR_NOTFOUND &&
        e->code != ERR_DENIED && e->code != ERR_CONFLICT) {
        fail_msg("%s: %s", err_code_name(e->code), e->text);
    }
    return b == NULL ? e->text : "";
}

static void
the_forger_s_tool_itself_leaves_nothing_to_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < BASES; i++) {
        CLEANUP(forge_cleanup) struct forge *f = forge_dup(bases[i]);
        struct err e;

        forge_edit(f, "reseal", NULL);
        if (verdict(f, &e)[0] != '\0') {
            fail_msg("%s: %s", names[i], e.text);
        }
    }
}

static void
each_change_is_found_for_its_reason(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < n_bundle_rows; i++) {
        const struct row *row = &bundle_rows[i];
        CLEANUP(forge_cleanup) struct forge *f = forge_dup(bases[row->base]);
        const char *said;
        struct err e;

        for (size_t k = 0; k < ARRAY_LEN(row->edits) && row->edits[k].at != NULL; k++) {
            forge_edit(f, row->edits[k].at, row->edits[k].value);
        }
        said = verdict(f, &e);
        if (row->reason == NULL ? said[0] != '\0' : strstr(said, row->reason) == NULL) {
            print_error("row %zu, %s, %s: not '%s' but '%s'\n", i, names[row->base],
                        row->edits[0].at, row->reason == NULL ? "" : row->reason, said);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* The n-th record from the end goes, and all behind it. */
static void
a_transcript_cut_at_any_record_is_not_sealed(void **state)
{
    (void)state;
    for (size_t i = 0; i < REHEARSED; i++) {
        for (size_t n = forge_count(bases[i]) - 1; n > 0; n--) {
            CLEANUP(forge_cleanup) struct forge *f = forge_dup(bases[i]);
            CLEANUP(mem_cleanup)
            char *reason = mem_printf(": ends where a record `%s` must follow: not sealed",
                                      forge_type(bases[i], n));
            struct err e;

            while (forge_count(f) > n) {
                (void)json_array_remove(f->records, forge_count(f) - 1);
            }
            if (strstr(verdict(f, &e), reason) == NULL) {
                fail_msg("%s cut to %zu records: '%s'", names[i], n, e.text);
            }
        }
    }
}

static void
a_record_that_is_missing_is_found(void **state)
{
    (void)state;
    for (size_t n = 0; n < forge_count(bases[SUB]); n++) {
        CLEANUP(forge_cleanup) struct forge *f = forge_dup(bases[SUB]);
        struct err e;

        (void)json_array_remove(f->records, n);
        if (verdict(f, &e)[0] == '\0') {
            fail_msg("without record %zu it verifies", n);
        }
    }
}

/* What the token says of every key, and the verifier does not ask for. */
static bool
is_only_told(const char *row)
{
    static const char *const told[] = {"private CKA_CLASS",       "private CKA_KEY_TYPE",
                                       "public CKA_CLASS",        "public CKA_KEY_TYPE",
                                       "public CKA_EC_PARAMS",    "public CKA_KEY_GEN_MECHANISM",
                                       "public CKA_MODULUS_BITS", "public CKA_PUBLIC_EXPONENT"};

    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        if (strncmp(row, told[i], strlen(told[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void
lose_row(enum base base, size_t n, size_t k)
{
    CLEANUP(forge_cleanup) struct forge *f = forge_dup(bases[base]);
    json_t *rows = json_object_get(forge_fact(f, n), "rows");
    const char *row = json_string_value(json_array_get(rows, k));
    CLEANUP(mem_cleanup) char *reason = mem_printf("attributes: the token did not show '%s'", row);
    bool told = is_only_told(row);
    const char *said;
    struct err e;

    /* another value, and no string at all */
    (void)json_array_set_new(rows, k, k % 2 == 0 ? json_string("private CKA_SIGN") : json_true());
    said = verdict(f, &e);
    if (told ? said[0] != '\0' : strstr(said, reason) == NULL) {
        fail_msg("%s: not '%s' but '%s'", names[base], told ? "" : reason, said);
    }
}

static void
each_attribute_of_a_key_must_have_been_seen(void **state)
{
    static const size_t rows[REHEARSED] = {1, 4, 1, 1};

    (void)state;
    for (size_t i = 0; i < REHEARSED; i++) {
        size_t seen = 0;

        for (size_t n = 0; n < forge_count(bases[i]); n++) {
            const json_t *fact = forge_fact(bases[i], n);
            const json_t *list = json_object_get(fact, "rows");

            seen += json_array_size(list) > 0;
            if (i == CRL || fact_is(fact, "label", "log")) {
                continue; /* as SUB and the issuing key */
            }
            for (size_t k = 0; k < json_array_size(list); k++) {
                lose_row((enum base)i, n, k);
            }
        }
        assert_int_equal(seen, rows[i]);
    }
}

/* An EC key is asked for what RSA keys do, too, and the other way round: it could not matter. */
static bool
is_of_other_kind(const json_t *fact, const char *probe)
{
    bool rsa = fact_is(fact, "label", "ra");

    return strncmp(probe, "sign with ", 10) == 0 && (strstr(probe, "RSA") != NULL) != rsa;
}

static void
change_probe(enum base base, size_t n, size_t k)
{
    static const struct {
        const char *member;
        const char *value;
        const char *reason;
    } rows[] = {
        {"refused", "false", "the token allowed: "},
        {"refused", "1", "the token allowed: "},
        {"result", "\"CKR_OK\"", "the token allowed: "},
        {"probe", "\"another\"", "the token was not asked to: "},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(forge_cleanup) struct forge *f = forge_dup(bases[base]);
        json_t *probe = json_array_get(json_object_get(forge_fact(f, n), "probes"), k);
        CLEANUP(mem_cleanup)
        char *reason = mem_printf("probes: %s%s", rows[i].reason, fact_text(probe, "probe"));
        bool any = strcmp(rows[i].member, "probe") == 0 &&
                   is_of_other_kind(forge_fact(f, n), fact_text(probe, "probe"));
        struct err e;

        if (k > 0 && i < 3) {
            continue; /* the first one will do */
        }
        (void)json_object_set_new(probe, rows[i].member,
                                  json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
        if (strstr(verdict(f, &e), any ? "" : reason) == NULL || (any && e.text[0] != '\0')) {
            fail_msg("%s: not '%s' but '%s'", names[base], reason, e.text);
        }
    }
}

static void
each_forbidden_operation_must_have_been_refused(void **state)
{
    static const enum base made[] = {ROOT, KEYS};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        for (size_t n = 0; n < forge_count(bases[made[i]]); n++) {
            const json_t *list = json_object_get(forge_fact(bases[made[i]], n), "probes");

            for (size_t k = 0; k < json_array_size(list); k++) {
                change_probe(made[i], n, k);
            }
        }
    }
}

/* ---- time -------------------------------------------------------------------------------------
 */

static time_t
time_of(const struct forge *f, size_t i)
{
    time_t t = 0;
    struct err e = {0};

    assert_ok(fact_time(json_object_get(json_array_get(f->records, i), "a"), "t", &t, &e), &e);
    return t;
}

/* All records at `from`, the machine's own clock too; but the last, which is `later` on the wall
 * and `up` on the machine. */
static void
set_times(struct forge *f, time_t from, int later, int up)
{
    for (size_t i = 0; i < forge_count(f); i++) {
        json_t *a = json_object_get(json_array_get(f->records, i), "a");
        bool last = i + 1 == forge_count(f);

        (void)json_object_set_new(a, "t", fact_of_time(last ? from + later : from));
        (void)json_object_set_new(a, "up", json_integer(last ? 1000 + up : 1000));
    }
}

static void
a_clock_that_was_set_during_the_ceremony_is_found(void **state)
{
    static const struct {
        int later;
        int up;
        const char *reason;
    } rows[] = {
        {0, 0, NULL},      {600, 600, NULL},
        {120, 0, NULL},    {121, 0, "the clock was set by 121 s during the ceremony"},
        {-120, 0, NULL},   {-121, 0, "the clock was set by -121 s during the ceremony"},
        {0, 120, NULL},    {0, 121, "the clock was set by -121 s"},
        {900, 1020, NULL}, {900, 779, "the clock was set by 121 s"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(forge_cleanup) struct forge *f = forge_dup(bases[ROOT]);
        const char *said;
        struct err e;

        set_times(f, time_of(f, 0), rows[i].later, rows[i].up);
        said = verdict(f, &e);
        if (rows[i].reason == NULL ? said[0] != '\0' : strstr(said, rows[i].reason) == NULL) {
            fail_msg("row %zu: not '%s' but '%s'", i, rows[i].reason, said);
        }
    }
}

static void
records_outside_the_window_are_found_but_in_a_rehearsal(void **state)
{
    static const enum base kinds[] = {ROOT, REHEARSED};

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        CLEANUP(bundle_cleanup) struct bundle *b = NULL;
        CLEANUP(forge_cleanup) struct forge *plain = forge_dup(bases[kinds[k]]);
        struct err e = {0};
        time_t at[4];

        forge_write(plain);
        b = bundle_load(plain->directory, &e);
        assert_non_null(b);
        at[0] = b->definition->clock.not_before;
        at[1] = b->definition->clock.not_after;
        at[2] = at[0] - 1;
        at[3] = at[1] + 1;
        for (size_t i = 0; i < ARRAY_LEN(at); i++) {
            CLEANUP(forge_cleanup) struct forge *f = forge_dup(bases[kinds[k]]);
            bool found;

            set_times(f, at[i], 0, 0);
            found = strstr(verdict(f, &e), "the time is outside the definition's window") != NULL;
            if (found != (i >= 2 && kinds[k] == ROOT) || (!found && e.text[0] != '\0')) {
                fail_msg("%s, row %zu: '%s'", names[kinds[k]], i, e.text);
            }
        }
    }
}

/* The witness may be as far from the machine as the definition says. */
static void
the_witness_s_clock_may_differ_by_what_the_definition_says(void **state)
{
    static const int rows[] = {0, 120, -120, 121, -121};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(forge_cleanup) struct forge *f = forge_dup(bases[ROOT]);
        bool bad = rows[i] > 120 || rows[i] < -120;
        time_t now = 0;
        struct err e = {0};
        size_t n = 0;

        while (strcmp(forge_type(f, n), "clock") != 0) {
            n++;
        }
        assert_ok(fact_time(forge_fact(f, n), "machine", &now, &e), &e);
        (void)json_object_set_new(forge_fact(f, n - 1), "answer", fact_of_time(now + rows[i]));
        if ((strstr(verdict(f, &e), "clock: the machine's clock and the witness's differ") !=
             NULL) != bad) {
            fail_msg("%d: '%s'", rows[i], e.text);
        }
    }
}

/* ---- a line of bundles ------------------------------------------------------------------------
 */

static struct bundle *
loaded(enum base base)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", scene->dir, names[base]);
    struct err e = {0};
    struct bundle *b = bundle_load(path, &e);

    if (b == NULL) {
        fail_msg("%s: %s", names[base], e.text);
    }
    return b;
}

static void
a_bundle_follows_the_one_that_it_names_and_no_other(void **state)
{
    CLEANUP(bundle_cleanup) struct bundle *root = loaded(ROOT);
    CLEANUP(bundle_cleanup) struct bundle *keys = loaded(KEYS);
    CLEANUP(bundle_cleanup) struct bundle *sub = loaded(SUB);
    struct err e = {0};

    (void)state;
    assert_ok(bundle_check_follows(sub, root, &e), &e);
    assert_err(bundle_check_follows(sub, keys, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, " does not follow "));
    assert_err(bundle_check_follows(root, keys, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, " does not follow "));
    sub->prev_head[SHA256_SIZE - 1] ^= 1;
    assert_err(bundle_check_follows(sub, root, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, " does not follow "));
    sub->prev_head[SHA256_SIZE - 1] ^= 1;
    /* a bundle that begins a line follows none, though no head is 32 zero octets */
    memset(keys->head, 0, SHA256_SIZE);
    assert_err(bundle_check_follows(root, keys, &e), ERR_INPUT, &e);
    sub->rehearsal = true; /* a rehearsal behind a production ceremony */
    assert_err(bundle_check_follows(sub, root, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "a rehearsal and a production ceremony cannot follow"));
    sub->rehearsal = false;
    root->rehearsal = true; /* and the other way round */
    assert_err(bundle_check_follows(sub, root, &e), ERR_DENIED, &e);
    root->rehearsal = false;
    root->after.crl_number++;
    assert_err(bundle_check_follows(sub, root, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "the register is not the one that"));
}

static void
what_a_forger_s_own_root_signs_is_no_better_than_it(void **state)
{
    (void)state;
    a_forger_s_own_root_is_no_better_than_it_is(bases[SUB]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forger_s_tool_itself_leaves_nothing_to_find),
        cmocka_unit_test(each_change_is_found_for_its_reason),
        cmocka_unit_test(a_transcript_cut_at_any_record_is_not_sealed),
        cmocka_unit_test(a_record_that_is_missing_is_found),
        cmocka_unit_test(each_attribute_of_a_key_must_have_been_seen),
        cmocka_unit_test(each_forbidden_operation_must_have_been_refused),
        cmocka_unit_test(a_clock_that_was_set_during_the_ceremony_is_found),
        cmocka_unit_test(records_outside_the_window_are_found_but_in_a_rehearsal),
        cmocka_unit_test(the_witness_s_clock_may_differ_by_what_the_definition_says),
        cmocka_unit_test(what_a_forger_s_own_root_signs_is_no_better_than_it),
        cmocka_unit_test(a_bundle_follows_the_one_that_it_names_and_no_other),
    };
    struct err e = {0};
    int result = ossl_init(&e) != 0 ? 1 : cmocka_run_group_tests(tests, hold, drop);

    OPENSSL_cleanup();
    return result;
}
