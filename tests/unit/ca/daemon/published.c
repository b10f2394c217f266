/* SPDX-License-Identifier: Apache-2.0 */
/* The CRL that is out: which file is believed, and what ca.db must have then. */
#include "ca/daemon/published.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "ca/x509/signed.h"
#include "ca/x509/tbs/crl.h"
#include "tests/unit/ca/x509/tbs/revoked.h"
#include "tests/unit/db/issuance/scene.h"

enum { NUMBER = 45, ENTRIES = 3, ROOM = 4096 };

struct out {
    char *dir;
    struct ca_conf conf;
};

static int
setup(void **state)
{
    struct out *o = mem_new(sizeof(*o));

    o->dir = tmpdir_new();
    o->conf.crl_dir = o->dir;
    o->conf.issuing_certificate = mem_strdup("issuing.pem");
    *state = o;
    return 0;
}

static int
teardown(void **state)
{
    struct out *o = *state;

    tmpdir_remove(o->dir);
    mem_free(o->conf.issuing_certificate);
    mem_free(o);
    return 0;
}

static struct buf
make_crl(uint64_t number, size_t entries, EVP_PKEY *key)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(CRL_TBS_MAX);
    CLEANUP(buf_free) struct buf signature = {0};
    struct crl_request r = revoked_request();
    struct buf der = BUF_INIT(ROOM);
    struct err e = {0};

    r.number = number;
    r.n_entries = entries;
    assert_ok(crl_build(&r, &tbs, &e), &e);
    signature = pki_sign(key, buf_span(&tbs));
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature), key, &der, &e), &e);
    return der;
}

static void
publish(const struct out *o, struct span octets)
{
    CLEANUP(mem_cleanup) char *path = published_crl_path(&o->conf);
    struct err e = {0};

    assert_ok(file_write(path, octets, 0644, &e), &e);
}

static int
look(const struct out *o, struct published_crl *out, struct err *e)
{
    published_crl_free(out);
    return published_crl_read(&o->conf, revoked_pki->issuing, out, e);
}

static void
only_a_crl_of_this_issuer_is_believed(void **state)
{
    const struct out *o = *state;
    CLEANUP(buf_free)
    struct buf ours = make_crl(NUMBER, ENTRIES, revoked_pki->issuing_key);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = pki_key("RSA-3072");
    CLEANUP(buf_free) struct buf forged = make_crl(NUMBER, ENTRIES, other);
    CLEANUP(buf_free) struct buf longer = BUF_INIT(ROOM);
    CLEANUP(published_crl_free) struct published_crl out = {0};
    struct err e = {0};

    assert_ok(look(o, &out, &e), &e); /* there is none yet */
    assert_int_equal(out.number, 0);
    assert_ok(published_crl_check(&out, NULL, &e), &e);
    publish(o, buf_span(&ours));
    assert_ok(look(o, &out, &e), &e);
    assert_int_equal(out.number, NUMBER);
    assert_ok(buf_set(&longer, buf_span(&ours), &e), &e);
    assert_ok(buf_append(&longer, span_of("", 1), &e), &e);
    const struct span bad[] = {buf_span(&forged), buf_span(&longer), span_of(ours.p, ours.n - 1),
                               SPAN_LITERAL("no CRL"), span_of(NULL, 0)};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        publish(o, bad[i]);
        assert_err(look(o, &out, &e), ERR_CONFLICT, &e);
        assert_non_null(strstr(e.text, "issuing.crl: not a CRL that issuing.pem signed"));
    }
}

static void
a_file_that_cannot_be_read_is_no_missing_one(void **state)
{
    const struct out *o = *state;
    CLEANUP(mem_cleanup) char *path = published_crl_path(&o->conf);
    CLEANUP(published_crl_free) struct published_crl out = {0};
    struct err e = {0};

    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(look(o, &out, &e), 0);
    assert_non_null(strstr(e.text, "the CRL that is out"));
}

/* ---- and ca.db ---- */

struct row {
    const struct published_crl *out;
    int64_t number;
    struct span der; /* p NULL: reserved */
};

static int
add_leaf(struct store_db *db, const struct row *r, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CRL, 1);
    uint8_t hash[SHA256_SIZE];

    assert_ok(sha256(r->der, hash, e), e);
    leaf_set_int(leaf, "number", r->number);
    leaf_set_hex(leaf, "sha256", span_of(hash, sizeof(hash)));
    leaf_set_time(leaf, "thisUpdate", 1);
    leaf_set_time(leaf, "nextUpdate", 2);
    leaf_set_int(leaf, "entries", 0);
    return ledger_append(db, leaf, NULL, e);
}

/* With its leaf when it is stored. */
static int
add(struct store_db *db, void *arg, struct err *e)
{
    const struct row *r = arg;

    return store_exec(db,
                      "INSERT INTO crl(number, this_update, next_update, entries, der) "
                      "VALUES(?1, 1, 2, 0, ?2)",
                      STORE_VALUES(store_int(r->number),
                                   r->der.p == NULL ? store_null() : store_blob(r->der)),
                      e) != 0
               ? -1
           : r->der.p != NULL ? add_leaf(db, r, e)
                              : 0;
}

static int
forget_octets(struct store_db *db, void *arg, struct err *e)
{
    (void)arg;
    return store_exec(db, "UPDATE crl SET der = x'' WHERE der IS NOT NULL", STORE_NO_VALUES, e);
}

static int
check(struct store_db *db, void *arg, struct err *e)
{
    return published_crl_check(((const struct row *)arg)->out, db, e);
}

static void
must_say(struct store *store, struct row r, const char *says)
{
    struct err e = {0};

    assert_err(verb_call(store, check, &r, &e), ERR_STALE, &e);
    if (strstr(e.text, says) == NULL) {
        fail_msg("\"%s\", not \"%s\"", e.text, says);
    }
}

static void
a_ca_db_without_that_crl_is_named(void **state)
{
    const struct out *o = *state;
    CLEANUP(buf_free)
    struct buf ours = make_crl(NUMBER, ENTRIES, revoked_pki->issuing_key);
    CLEANUP(published_crl_free) struct published_crl out = {0};
    CLEANUP(store_cleanup) struct store *store = scene_open(o->dir);
    struct err e = {0};

    publish(o, buf_span(&ours));
    assert_ok(look(o, &out, &e), &e);
    const struct row older = {&out, NUMBER - 4, SPAN_LITERAL("41")};
    const struct row reserved = {&out, NUMBER, {NULL, 0}};
    const struct row newer = {&out, NUMBER + 1, SPAN_LITERAL("46")};

    assert_err(published_crl_check(&out, NULL, &e), ERR_STALE, &e);
    assert_non_null(strstr(e.text, "has number 45, ca.db ends at 0"));
    must_say(store, older, "has number 45, ca.db ends at 0");
    assert_ok(verb_call(store, add, &(struct row){older.out, older.number, older.der}, &e), &e);
    must_say(store, older, "issuing.crl has number 45, ca.db ends at 41");
    assert_ok(verb_call(store, add, &(struct row){reserved.out, NUMBER, reserved.der}, &e), &e);
    must_say(store, older, "has number 45, ca.db ends at 41");
    assert_ok(verb_call(store, add, &(struct row){newer.out, newer.number, newer.der}, &e), &e);
    must_say(store, older, "another history"); /* 45 was never stored, so not by this one */
}

static void
a_ca_db_with_another_crl_of_that_number_is_named(void **state)
{
    const struct out *o = *state;
    CLEANUP(buf_free)
    struct buf ours = make_crl(NUMBER, ENTRIES, revoked_pki->issuing_key);
    CLEANUP(buf_free)
    struct buf twin = make_crl(NUMBER, ENTRIES - 1, revoked_pki->issuing_key);
    CLEANUP(buf_free)
    struct buf next = make_crl(NUMBER + 1, ENTRIES, revoked_pki->issuing_key);
    CLEANUP(published_crl_free) struct published_crl out = {0};
    CLEANUP(store_cleanup) struct store *store = scene_open(o->dir);
    struct row stored = {&out, NUMBER, buf_span(&ours)};
    struct err e = {0};

    assert_ok(verb_call(store, add, &stored, &e), &e);
    publish(o, buf_span(&twin));
    assert_ok(look(o, &out, &e), &e);
    must_say(store, stored, "another history");
    publish(o, buf_span(&ours));
    assert_ok(look(o, &out, &e), &e);
    assert_ok(verb_call(store, check, &stored, &e), &e);
    stored.number++; /* a crash left this one unpublished */
    stored.der = buf_span(&next);
    assert_ok(verb_call(store, add, &stored, &e), &e);
    assert_ok(verb_call(store, check, &stored, &e), &e);
    assert_ok(verb_call(store, forget_octets, NULL, &e), &e); /* its leaf says what it was */
    assert_ok(verb_call(store, check, &stored, &e), &e);
    publish(o, buf_span(&twin));
    assert_ok(look(o, &out, &e), &e);
    must_say(store, stored, "another history");
}

static void
a_file_without_tables_has_no_crl(void **state)
{
    const struct out *o = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/empty.db", o->dir);
    const struct store_options options = {.path = path};
    const struct published_crl out = {.path = path, .number = 1};
    struct err e = {0};
    CLEANUP(store_cleanup) struct store *store = store_open(&options, &e);

    assert_non_null(store);
    must_say(store, (struct row){.out = &out}, "ca.db ends at 0");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_a_crl_of_this_issuer_is_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_no_missing_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_ca_db_without_that_crl_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ca_db_with_another_crl_of_that_number_is_named, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_without_tables_has_no_crl, setup, teardown),
    };

    return cmocka_run_group_tests(tests, revoked_make, revoked_drop);
}
