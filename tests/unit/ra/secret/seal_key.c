/* SPDX-License-Identifier: Apache-2.0 */
/* Which key seals one-time secrets, and how ra.db comes under it. */
#include "ra/secret/seal_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ra/secret/seal.h"
#include "tests/support/tap.h"
#include "tests/unit/ra/fixture.h"

#define FILE_KEY "0123456789abcdef0123456789abcdef"

static const uint8_t of_token[SEAL_KEY_SIZE] = {1, 2, 3};
static const uint8_t of_nobody[SEAL_KEY_SIZE] = {9, 9, 9};

/* One each: what is in ra.db stays there. */
static int
begin(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);

    *state = f;
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f->dir, 1), 0);
    return 0;
}

static int
end(void **state)
{
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    fixture_free(*state);
    return 0;
}

/* The key that is sealed under from now on; none is there for settling. */
static void
set_key(struct fixture *f, struct span key)
{
    struct err e = {0};

    buf_free(&f->ra.seal_key);
    f->ra.seal_key = BUF_SECRET(128);
    assert_ok(buf_set(&f->ra.seal_key, key, &e), &e);
}

static void
write_file(struct fixture *f, struct span octets, mode_t mode)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ra-seal-key", f->dir);
    struct err e = {0};

    (void)unlink(path);
    assert_ok(file_write(path, octets, mode, &e), &e);
    assert_int_equal(chmod(path, mode), 0);
}

static void
enlist(struct fixture *f, const char *reference, struct span key)
{
    char id[REGISTRATION_ID_SIZE];

    set_key(f, key);
    fixture_register(f, &(struct fixture_registration){.reference = reference}, id);
    set_key(f, (struct span){0});
}

struct opening {
    struct span key;
    int opened;
};

static int
open_each(void *arg, const char *id, struct span sealed, struct buf *out, bool *changed,
          struct err *e)
{
    struct opening *o = arg;
    CLEANUP(buf_free) struct buf secret = BUF_SECRET(128);

    (void)out;
    *changed = false;
    if (seal_open(o->key, id, sealed, &secret, e) == 0) {
        assert_true(span_equal(buf_span(&secret), SPAN_LITERAL(FIXTURE_SECRET)));
        o->opened++;
    }
    return 0;
}

static int
verb_open(struct store_db *db, void *arg, struct err *e)
{
    return requests_reseal(db, 0, open_each, arg, e);
}

/* How many secrets of ra.db are sealed under this key. */
static int
count_under(struct fixture *f, struct span key)
{
    struct opening o = {.key = key};

    fixture_call(f, verb_open, &o);
    return o.opened;
}

static struct span
token(void)
{
    return span_of(of_token, sizeof(of_token));
}

static struct span
nobody(void)
{
    return span_of(of_nobody, sizeof(of_nobody));
}

/* ---- the file alone ---- */

static void
without_a_token_it_is_the_file(void **state)
{
    static const struct {
        const char *name;
        struct span octets; /* p == NULL: there is no file */
        mode_t mode;
        enum err_code code; /* ERR_NONE: it is the key */
        const char *why;
    } rows[] = {
        {"32 octets", {.p = (const uint8_t *)FILE_KEY, .n = 32}, 0600, ERR_NONE, NULL},
        {"none", {0}, 0, ERR_NOTFOUND, "no key seals one-time secrets"},
        {"30 octets",
         {.p = (const uint8_t *)FILE_KEY, .n = 30},
         0600,
         ERR_INPUT,
         "must be 32 octets, not 30"},
        {"one octet",
         {.p = (const uint8_t *)FILE_KEY, .n = 1},
         0600,
         ERR_INPUT,
         "must be 32 octets, not 1"},
        {"33 octets", {.p = (const uint8_t *)FILE_KEY "x", .n = 33}, 0600, ERR_INPUT, ""},
        {"others can read it",
         {.p = (const uint8_t *)FILE_KEY, .n = 32},
         0644,
         ERR_DENIED,
         "ra-seal-key"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        int result;

        if (rows[i].octets.p != NULL) {
            write_file(f, rows[i].octets, rows[i].mode);
        } else {
            CLEANUP(mem_cleanup) char *path = mem_printf("%s/ra-seal-key", f->dir);

            (void)unlink(path);
        }
        set_key(f, (struct span){0});
        tap_mark();
        result = seal_key_settle(&f->ra, false, &e);
        assert_int_equal(tap_has("\"seal-key-in-file\""), result == 0);
        if ((result == 0) != (rows[i].code == ERR_NONE) ||
            (result != 0 && (e.code != rows[i].code || strstr(e.text, rows[i].why) == NULL)) ||
            (result == 0 && !span_equal(buf_span(&f->ra.seal_key), SPAN_LITERAL(FILE_KEY)))) {
            fail_msg("%s: %d, %s: %s", rows[i].name, result, err_code_name(e.code), e.text);
        }
    }
}

/* 32 random octets may end like a line, which is taken off when a secret is read. */
static void
a_key_may_end_with_a_line_break(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    write_file(f, SPAN_LITERAL("0123456789abcdef0123456789abcde\n"), 0600);
    set_key(f, (struct span){0});
    assert_ok(seal_key_settle(&f->ra, false, &e), &e);
    assert_true(
        span_equal(buf_span(&f->ra.seal_key), SPAN_LITERAL("0123456789abcdef0123456789abcde\n")));
}

/* ---- the token ---- */

static void
with_a_token_ra_db_must_be_sealed_under_its_key(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    set_key(f, token());
    assert_ok(seal_key_settle(&f->ra, true, &e), &e); /* nothing is in it */
    enlist(f, "one", token());
    set_key(f, token());
    tap_mark();
    assert_ok(seal_key_settle(&f->ra, true, &e), &e);
    assert_false(tap_has("\"resealed\""));
    assert_false(tap_has("\"seal-key-in-file\""));
    assert_true(span_equal(buf_span(&f->ra.seal_key), token()));
    set_key(f, nobody());
    assert_err(seal_key_settle(&f->ra, true, &e), ERR_CRYPTO, &e);
    assert_non_null(
        strstr(e.text, "ra.db is sealed under another key than that of the RA's token"));
    assert_non_null(strstr(e.text, "registration 00000000000000000000000000000001"));
    assert_int_equal(count_under(f, token()), 1);
}

/* With both everything comes under the token's key, once. */
static void
with_both_everything_is_sealed_anew(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    enlist(f, "one", SPAN_LITERAL(FILE_KEY));
    enlist(f, "two", token());
    enlist(f, "three", SPAN_LITERAL(FILE_KEY));
    write_file(f, SPAN_LITERAL(FILE_KEY), 0600);
    for (int again = 0; again <= 1; again++) {
        set_key(f, token());
        tap_mark();
        assert_ok(seal_key_settle(&f->ra, true, &e), &e);
        tap_need(again ? "0 one-time secrets are under the token's key now: remove the file"
                       : "2 one-time secrets are under the token's key now: remove the file");
        assert_true(span_equal(buf_span(&f->ra.seal_key), token()));
        assert_int_equal(count_under(f, token()), 3);
        assert_int_equal(count_under(f, SPAN_LITERAL(FILE_KEY)), 0);
    }
}

/* ---- the queue's heads ---- */

struct stamping {
    const char *registration;
    uint8_t n; /* makes the message */
    struct span key;
    int heads;
    int under;
};

static int
stamp_under(void *arg, struct span text, uint8_t out[REQUESTS_STAMP_SIZE], struct err *e)
{
    const struct stamping *s = arg;

    return seal_stamp(s->key, text, out, e);
}

static int
verb_head(struct store_db *db, void *arg, struct err *e)
{
    struct stamping *s = arg;
    const struct requests_author author = {.stamp = stamp_under, .arg = s};
    const uint8_t rid[REQUESTS_RID_SIZE] = {s->n};
    const struct requests_admission a = {.identity = "mac:heads",
                                         .transaction_id = span_of(&s->n, 1),
                                         .registration = s->registration,
                                         .profile = "nf-tls",
                                         .uncounted = true,
                                         .rid = span_of(rid, sizeof(rid)),
                                         .message = SPAN_LITERAL("message"),
                                         .entry = SPAN_LITERAL("entry")};
    CLEANUP(requests_head_clear) struct requests_head head = {0};
    uint64_t sequence;
    int64_t enrolment;

    return requests_admit(db, &a, &enrolment, &sequence, e) != 0
               ? -1
               : requests_put_head(db, &author, &head, e);
}

static int
count_stamp(void *arg, struct span text, uint8_t stamp[REQUESTS_STAMP_SIZE], bool *changed,
            struct err *e)
{
    struct stamping *s = arg;
    uint8_t ours[SEAL_STAMP_SIZE];

    s->heads++;
    *changed = false;
    if (seal_stamp(s->key, text, ours, e) != 0) {
        return -1;
    }
    s->under += memcmp(ours, stamp, sizeof(ours)) == 0;
    return 0;
}

static int
verb_count(struct store_db *db, void *arg, struct err *e)
{
    return requests_restamp(db, count_stamp, arg, e);
}

static int
stamps_under(struct fixture *f, struct span key)
{
    struct stamping s = {.key = key};

    fixture_call(f, verb_count, &s);
    assert_int_equal(s.heads, 3);
    return s.under;
}

/* What nobody of us has stamped stays as it is. */
static void
with_both_the_heads_of_the_queue_are_stamped_anew(void **state)
{
    struct fixture *f = *state;
    const struct span keys[] = {SPAN_LITERAL(FILE_KEY), nobody(), token()};
    char id[REGISTRATION_ID_SIZE];
    struct err e = {0};

    set_key(f, token());
    fixture_register(f, &(struct fixture_registration){.reference = "one"}, id);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct stamping s = {.registration = id, .n = (uint8_t)i, .key = keys[i]};

        fixture_call(f, verb_head, &s);
    }
    assert_ok(seal_key_settle(&f->ra, true, &e), &e); /* without the file nothing changes */
    assert_int_equal(stamps_under(f, SPAN_LITERAL(FILE_KEY)), 1);
    write_file(f, SPAN_LITERAL(FILE_KEY), 0600);
    for (int again = 0; again <= 1; again++) {
        assert_ok(seal_key_settle(&f->ra, true, &e), &e);
        assert_int_equal(stamps_under(f, token()), 2);
        assert_int_equal(stamps_under(f, SPAN_LITERAL(FILE_KEY)), 0);
        assert_int_equal(stamps_under(f, nobody()), 1);
    }
}

/* All or nothing. */
static void
one_that_opens_with_neither_leaves_all_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    enlist(f, "one", SPAN_LITERAL(FILE_KEY));
    enlist(f, "two", nobody());
    write_file(f, SPAN_LITERAL(FILE_KEY), 0600);
    set_key(f, token());
    assert_err(seal_key_settle(&f->ra, true, &e), ERR_CRYPTO, &e);
    assert_non_null(strstr(e.text, "registration 00000000000000000000000000000002"));
    assert_int_equal(count_under(f, token()), 0);
    assert_int_equal(count_under(f, SPAN_LITERAL(FILE_KEY)), 1);
}

/* A file that is there and not good is an error with a token, too. */
static void
a_bad_file_is_not_passed_over(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};

    write_file(f, SPAN_LITERAL("short"), 0600);
    set_key(f, token());
    assert_err(seal_key_settle(&f->ra, true, &e), ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "must be 32 octets, not 5"));
}

static int
clean_up(void **state)
{
    (void)state;
    OPENSSL_cleanup(); /* the random generators, which hang on locked memory */
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_token_it_is_the_file),
        TEST(a_key_may_end_with_a_line_break),
        TEST(with_a_token_ra_db_must_be_sealed_under_its_key),
        TEST(with_both_everything_is_sealed_anew),
        TEST(with_both_the_heads_of_the_queue_are_stamped_anew),
        TEST(one_that_opens_with_neither_leaves_all_as_it_is),
        TEST(a_bad_file_is_not_passed_over),
    };

    tap_open();
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
