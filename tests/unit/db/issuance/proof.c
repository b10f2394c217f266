/* SPDX-License-Identifier: Apache-2.0 */
/* One proof, one live registration; and what a state of before may have. */
#include "ca/registration/proof.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/db/issuance/scene.h"

enum { DAY = 86400, MIGRATIONS_MAX = 64, BEFORE = 20 };

#define PIN "certificate 0101"
#define OTHER_PIN "vendor CN=a\nCN=b"

/* Registers it with this pin; what came of it. */
static enum issuance_outcome
enlist(struct scene *s, struct registering *r, const char *pins, time_t now)
{
    struct err e = {0};

    r->row.pins = pins;
    r->now = now;
    assert_ok(verb_call(s->store, do_register, r, &e), &e);
    return r->outcome;
}

static void
cancel(struct scene *s, struct registering *r)
{
    struct err e = {0};

    assert_ok(verb_call(s->store, do_cancel, r, &e), &e);
    assert_int_equal(r->outcome, ISSUANCE_DONE);
}

static void
the_second_of_one_proof_is_refused(void **state)
{
    struct scene *s = *state;
    struct registering a = scene_registration(UUID_2, "a", 1);
    struct registering b = scene_registration("another", "b", 1);
    struct registering c = scene_registration("a third", "c", 1);
    const uint64_t leaves = scene_leaves(s->store) + 1;

    assert_int_equal(enlist(s, &a, PIN, NOW), ISSUANCE_DONE);
    assert_string_equal(a.row.proven, "");
    assert_int_equal(enlist(s, &b, PIN, NOW), ISSUANCE_PROOF_SHARED);
    assert_string_equal(b.row.proven, a.row.id);
    assert_int_equal(scene_leaves(s->store), leaves);
    /* another proof, or a secret, is no objection */
    assert_int_equal(enlist(s, &b, OTHER_PIN, NOW), ISSUANCE_DONE);
    assert_int_equal(enlist(s, &c, NULL, NOW), ISSUANCE_DONE);
    issuance_registration_free(&a.row);
    issuance_registration_free(&b.row);
    issuance_registration_free(&c.row);
}

static void
what_is_over_has_its_proof_no_more(void **state)
{
    struct scene *s = *state;
    struct registering a = scene_registration(UUID_2, "a", 1);
    struct registering next = scene_registration(UUID_2, "next", 1);
    struct registering b = scene_registration("another", "b", 1);
    struct registering c = scene_registration("a third", "c", 1);

    assert_int_equal(enlist(s, &a, PIN, NOW), ISSUANCE_DONE);
    /* its own next one is no second */
    next.row.supersedes = a.row.id;
    next.row.not_after = NOW + DAY;
    assert_int_equal(enlist(s, &next, PIN, NOW), ISSUANCE_DONE);
    assert_int_equal(enlist(s, &b, PIN, NOW + DAY), ISSUANCE_PROOF_SHARED);
    assert_string_equal(b.row.proven, next.row.id);
    assert_int_equal(enlist(s, &b, PIN, NOW + DAY + 1), ISSUANCE_DONE); /* it has ended */
    assert_int_equal(enlist(s, &c, OTHER_PIN, NOW), ISSUANCE_DONE);
    cancel(s, &c);
    issuance_registration_free(&c.row);
    c = scene_registration("a fourth", "d", 1);
    assert_int_equal(enlist(s, &c, OTHER_PIN, NOW), ISSUANCE_DONE);
    issuance_registration_free(&a.row);
    issuance_registration_free(&next.row);
    issuance_registration_free(&b.row);
    issuance_registration_free(&c.row);
}

static enum issuance_outcome
intend(struct scene *s, uint8_t n, const char *registration, const char *uuid,
       const char *const shows[ISSUANCE_SHOWN_MAX])
{
    const struct octets o = scene_octets(n);
    struct intend i = scene_nf(&o, registration, span_of(o.key, 16));
    struct err e = {0};

    i.intent.nf_instance = uuid;
    memcpy(i.intent.shows, shows, sizeof(i.intent.shows));
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    return i.outcome;
}

/* One certificate may be pinned here and be a vendor's there. */
static void
what_shows_two_proofs_gets_nothing(void **state)
{
    static const char *const both[] = {PIN, "publicKey 02", OTHER_PIN};
    static const char *const one[] = {PIN, "publicKey 02", "vendor CN=a\nCN=c"};
    struct scene *s = *state;
    struct registering a = scene_registration(UUID_2, "a", 2);
    struct registering b = scene_registration("another", "b", 2);

    assert_int_equal(enlist(s, &a, PIN, NOW), ISSUANCE_DONE);
    assert_int_equal(enlist(s, &b, OTHER_PIN, NOW), ISSUANCE_DONE);
    assert_int_equal(intend(s, 1, a.row.id, UUID_2, both), ISSUANCE_PROOF_SHARED);
    assert_int_equal(intend(s, 2, b.row.id, "another", both), ISSUANCE_PROOF_SHARED);
    assert_int_equal(intend(s, 3, a.row.id, UUID_2, one), ISSUANCE_DONE);
    cancel(s, &b);
    assert_int_equal(intend(s, 4, a.row.id, UUID_2, both), ISSUANCE_DONE);
    issuance_registration_free(&a.row);
    issuance_registration_free(&b.row);
}

/* ---- a state of before ---- */

static struct store *
open_before(const char *dir)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.db", dir);
    struct store_migration some[MIGRATIONS_MAX] = {{0}};
    const struct store_options options = {
        .path = path, .application = 0x6e664341, .schemas = {some}};
    size_t n = 0;
    struct err e = {0};
    struct store *store;

    for (size_t i = 0; i < 2; i++) {
        const struct store_migration *m = i == 0 ? ledger_migrations : issuance_migrations;

        for (; m->sql != NULL; m++) {
            if (m->version <= BEFORE) {
                assert_true(n < MIGRATIONS_MAX - 1);
                some[n++] = *m;
            }
        }
    }
    store = store_open(&options, &e);
    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

/* An element of JSON, and the text that it leads to. */
struct old {
    const char *id;
    const char *json;
    const char *pins; /* NULL: none */
    time_t not_after;
    int state;
};

#define HASH "abababababababababababababababababababababababababababababababab"
#define LONG_AGO 5
static const struct old OLD[] = {
    {"mac", "{\"proof\":{\"kind\":\"mac\"}}", NULL, LATER, 0},
    {"pinned", "{\"proof\" : {\"sha256\":\"" HASH "\", \"kind\":\"certificate\"}}",
     "certificate " HASH, LATER, 0},
    {"key", "{\"proof\":{\"kind\":\"publicKey\",\"sha256\":\"" HASH "\"}}", "publicKey " HASH,
     LATER, 0},
    {"vendor", "{\"proof\":{\"kind\":\"vendor\",\"issuer\":\"CN=\\u00fc\",\"subject\":\"CN=b\"}}",
     "vendor CN=\u00fc\nCN=b", LATER, 0},
    {"the same", "{\"proof\":{\"kind\":\"vendor\",\"subject\":\"CN=b\",\"issuer\":\"CN=\u00fc\"}}",
     "vendor CN=\u00fc\nCN=b", LATER, 0},
    {"over", "{\"proof\":{\"kind\":\"certificate\",\"sha256\":\"" HASH "\"}}", "certificate " HASH,
     LONG_AGO, 0},
    {"cancelled", "{\"proof\":{\"kind\":\"certificate\",\"sha256\":\"" HASH "\"}}",
     "certificate " HASH, LATER, 1},
    {"no document", "?", NULL, LATER, 0},
};

static int
insert_old(struct store_db *db, void *arg, struct err *e)
{
    const struct old *o = arg;

    return store_exec(db,
                      "INSERT INTO registration(id, cms, json, nf_instance, registrar, not_before, "
                      "not_after, certificates, state, registered, leaf) "
                      "VALUES(?1, x'00', ?2, ?1, x'00', 1, ?3, 1, ?4, 1, 1)",
                      STORE_VALUES(store_text(o->id), store_blob(span_str(o->json)),
                                   store_int(o->not_after), store_int(o->state)),
                      e);
}

static int
compare(struct store_db *db, void *arg, struct err *e)
{
    const struct old *o = arg;
    bool same;

    assert_ok(store_has_row(db, "SELECT 1 FROM registration WHERE id = ?1 AND proof IS ?2",
                            STORE_VALUES(store_text(o->id), store_text(o->pins)), &same, e),
              e);
    if (!same) {
        fail_msg("%s: not %s", o->id, o->pins == NULL ? "nothing" : o->pins);
    }
    return 0;
}

static void
take_pair(void *arg, const char *id, const char *other)
{
    char *pairs = arg;
    const size_t n = strlen(pairs);

    (void)snprintf(pairs + n, 64 - n, "%s/%s ", id, other);
}

static int
list(struct store_db *db, void *arg, struct err *e)
{
    return issuance_registration_each_shared(db, NOW, 10, take_pair, arg, e);
}

static void
an_old_state_gets_the_texts_and_its_pairs_are_named(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct store *store = open_before(dir);
    char pairs[64] = "";
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(OLD); i++) {
        struct old o = OLD[i];

        assert_ok(verb_call(store, insert_old, &o, &e), &e);
    }
    store_free(store);
    store = scene_open(dir);
    for (size_t i = 0; i < ARRAY_LEN(OLD); i++) {
        struct old o = OLD[i];

        assert_ok(verb_call(store, compare, &o, &e), &e);
    }
    assert_ok(verb_call(store, list, pairs, &e), &e);
    assert_string_equal(pairs, "vendor/the same ");
    store_free(store);
}

/* What ca.sql makes of a document is what the CA makes of it. */
static void
the_texts_are_those_of_the_ca(void **state)
{
    struct proof vendor = {.kind = PROOF_VENDOR, .issuer = "CN=\u00fc", .subject = "CN=b"};
    struct proof pinned = {.kind = PROOF_CERTIFICATE};
    CLEANUP(mem_cleanup) char *text = proof_text(&vendor);
    CLEANUP(mem_cleanup) char *certificate = NULL;
    CLEANUP(mem_cleanup) char *key = NULL;

    (void)state;
    assert_string_equal(text, OLD[3].pins);
    memset(pinned.sha256, 0xab, sizeof(pinned.sha256));
    certificate = proof_text(&pinned);
    assert_string_equal(certificate, OLD[1].pins);
    pinned.kind = PROOF_PUBLIC_KEY;
    key = proof_text(&pinned);
    assert_string_equal(key, OLD[2].pins);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_second_of_one_proof_is_refused, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(what_is_over_has_its_proof_no_more, scene_setup,
                                        scene_teardown),
        cmocka_unit_test_setup_teardown(what_shows_two_proofs_gets_nothing, scene_setup,
                                        scene_teardown),
        cmocka_unit_test(an_old_state_gets_the_texts_and_its_pairs_are_named),
        cmocka_unit_test(the_texts_are_those_of_the_ca),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
