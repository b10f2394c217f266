/* SPDX-License-Identifier: Apache-2.0 */
/* A restore that a CA claims to have been signed by officers. */
#include "db/audit/rules/restored.h"

#include <openssl/ec.h>
#include <string.h>

#include "base/tlog/checkpoint.h"
#include "tests/unit/db/audit/rules/people.h"

/* What differs from a restore as it should be. */
enum row {
    AS_IT_SHOULD_BE,
    OTHER_PLACE,
    NOTHING_READ_BACK,
    OTHER_ROOT,
    OTHER_PLAN,
    PLAN_OF_MORE,
    PLAN_OF_ANOTHER_ROOT,
    NO_PLAN,
    FIRST_IS_REGISTRAR,
    SECOND_IS_REGISTRAR,
    SECOND_REVOKED,
    SECOND_IS_FIRST,
    SECOND_SIGNED_BY_FIRST,
    SECOND_HAS_THE_NAME,
    N_ROWS,
};

static const struct {
    const char *name;
    const char *says;
} rows[N_ROWS] = {
    [AS_IT_SHOULD_BE] = {"as it should be", NULL},
    [OTHER_PLACE] = {"at another place", "behind 9 leaves"},
    [NOTHING_READ_BACK] = {"of no leaf", "behind 9 leaves"},
    [OTHER_ROOT] = {"another root", "has another root"},
    [OTHER_PLAN] = {"another plan", "signed another plan"},
    [PLAN_OF_MORE] = {"a plan of more leaves", "signed something else"},
    [PLAN_OF_ANOTHER_ROOT] = {"a plan of another root", "signed something else"},
    [NO_PLAN] = {"something else that they signed", "signed something else"},
    [FIRST_IS_REGISTRAR] = {"a registrar first", "which is no officer"},
    [SECOND_IS_REGISTRAR] = {"a registrar second", "which is no officer"},
    [SECOND_REVOKED] = {"an officer who is revoked", "which is no officer"},
    [SECOND_IS_FIRST] = {"one officer twice", "one person signed twice"},
    [SECOND_SIGNED_BY_FIRST] = {"under another's name", "does not verify"},
    [SECOND_HAS_THE_NAME] = {"another certificate of the same person", "one person signed twice"},
};

static char *
plan_of(const struct people_log *l, enum row row)
{
    struct merkle_hash root = merkle_root(&l->edge);
    CLEANUP(mem_cleanup) char *hex = NULL;

    root.octets[0] ^= row == PLAN_OF_ANOTHER_ROOT ? 1 : 0;
    hex = hex_dup(span_of(root.octets, sizeof(root.octets)));
    return mem_printf("{\"version\":1,\"kind\":\"%s\",\"log\":{\"leaves\":%d,\"root\":\"%s\"}}",
                      row == NO_PLAN ? "approval" : "restore",
                      row == PLAN_OF_MORE ? PEOPLE_LEAVES + 1 : PEOPLE_LEAVES, hex);
}

static const struct people_person *
second_of(enum row row, const struct people_person people[4])
{
    return row == SECOND_IS_REGISTRAR   ? &people[2]
           : row == SECOND_IS_FIRST     ? &people[0]
           : row == SECOND_HAS_THE_NAME ? &people[3]
                                        : &people[1];
}

static struct leaf *
restored(const struct people_log *l, enum row row, const struct people_person people[4])
{
    static const char *const numbers[] = {"registrations", "certificates", "revocations",
                                          "crls",          "abandoned",    "refused",
                                          "void",          "fromCrl"};
    struct leaf *leaf = leaf_new(LEAF_RESTORED, PEOPLE_AT);
    struct merkle_hash root = merkle_root(&l->edge);
    CLEANUP(mem_cleanup) char *plan = plan_of(l, row);
    const struct people_person *first = row == FIRST_IS_REGISTRAR ? &people[2] : &people[0];
    const struct people_person *second = second_of(row, people);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    root.octets[0] ^= row == OTHER_ROOT ? 1 : 0;
    assert_ok(sha256(span_str(plan), hash, &e), &e);
    hash[0] ^= row == OTHER_PLAN ? 1 : 0;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        leaf_set_int(leaf, numbers[i], 0);
    }
    leaf_set_int(leaf, "record", LEAF_RECORD_VERSION);
    leaf_set_int(leaf, "from", row == NOTHING_READ_BACK ? PEOPLE_LEAVES : 3);
    leaf_set_int(leaf, "to", row == OTHER_PLACE ? PEOPLE_LEAVES + 1 : PEOPLE_LEAVES);
    leaf_set_hex(leaf, "root", span_of(root.octets, sizeof(root.octets)));
    leaf_set_hex(leaf, "plan", span_of(hash, sizeof(hash)));
    leaf_set_text(leaf, "officer", first->serial);
    leaf_set_text(leaf, "secondOfficer", second->serial);
    people_sign(first, plan, leaf, "cms");
    people_sign(row == SECOND_SIGNED_BY_FIRST ? first : second, plan, leaf, "secondCms");
    return leaf;
}

/* ---- a new log ---- */

enum new_log {
    NEW_LOG,
    NOTHING_IS_READ_BACK, /* all was there, but what is lost */
    CHECKPOINT_OF_LESS,
    CHECKPOINT_OF_OTHERS,
    CHECKPOINT_BY_ANOTHER_KEY,
    ANOTHER_ORIGIN,
    SIGNED_LESS,
    NO_KEY,
    N_NEW_LOGS,
};

static const struct {
    const char *name;
    const char *says;
} new_logs[N_NEW_LOGS] = {
    [NEW_LOG] = {"a new log", NULL},
    [NOTHING_IS_READ_BACK] = {"nothing is read back", NULL},
    [CHECKPOINT_OF_LESS] = {"a checkpoint over less", "behind other leaves"},
    [CHECKPOINT_OF_OTHERS] = {"a checkpoint over other leaves", "behind other leaves"},
    [CHECKPOINT_BY_ANOTHER_KEY] = {"by another key", "is not named as it must be"},
    [ANOTHER_ORIGIN] = {"another origin", "is not named as it must be"},
    [SIGNED_LESS] = {"less was signed", "behind other leaves"},
    [NO_KEY] = {"no key", "is not named as it must be"},
};

static void
name_previous(struct leaf *leaf, const struct people_log *l, enum new_log row)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *private = EVP_EC_gen("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(LOG_KEY_SPKI_MAX);
    CLEANUP(buf_free) struct buf shown = BUF_INIT(LOG_KEY_SPKI_MAX);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(evp_md_ctx_cleanup) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct checkpoint c = {.origin = "log.test/1", .root = merkle_root(&l->edge)};
    uint8_t signature[128];
    size_t n = sizeof(signature);
    struct err e = {0};

    c.size = row == CHECKPOINT_OF_LESS ? PEOPLE_LEAVES - 1 : PEOPLE_LEAVES;
    c.root.octets[0] ^= row == CHECKPOINT_OF_OTHERS ? 1 : 0;
    assert_ok(OSSL_ENCODE(PUBKEY, private, &spki, &e), &e);
    assert_ok(OSSL_ENCODE(PUBKEY, row == CHECKPOINT_BY_ANOTHER_KEY ? other : private, &shown, &e),
              &e);
    assert_ok(log_key_set(&key, c.origin, buf_span(&spki), &e), &e);
    assert_ok(checkpoint_text(&c, &text, &e), &e);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, private), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &n, text.p, text.n), 1);
    assert_ok(checkpoint_seal(&key, buf_span(&text), span_of(signature, n), &note, &e), &e);
    leaf_set_text(leaf, "previousOrigin", row == ANOTHER_ORIGIN ? "log.test/2" : c.origin);
    if (row != NO_KEY) {
        leaf_set_base64(leaf, "previousKey", buf_span(&shown));
    }
    leaf_set_base64(leaf, "previousCheckpoint", buf_span(&note));
    leaf_set_int(leaf, "signed", row == SIGNED_LESS ? PEOPLE_LEAVES - 1 : PEOPLE_LEAVES + 3);
    leaf_set_hex(leaf, "signedRoot", span_of(c.root.octets, sizeof(c.root.octets)));
}

static void
a_new_log_begins_with_what_the_old_key_signed(void **state)
{
    struct people_person people[] = {people_new(1, "Alice"), people_new(2, "Bob"),
                                     people_new(3, "OAM"), people_new(4, "Alice")};

    (void)state;
    for (int row = 0; row < N_NEW_LOGS; row++) {
        struct people_log l = {.rules = audit_restored_new()};
        struct leaf *leaf;
        struct err e = {0};

        people_certify(&l, people);
        leaf = restored(&l, AS_IT_SHOULD_BE, people);
        name_previous(leaf, &l, (enum new_log)row);
        leaf_set_int(leaf, "from", row == NOTHING_IS_READ_BACK ? PEOPLE_LEAVES : 3);
        people_must(new_logs[row].name, new_logs[row].says, people_append(&l, leaf, &e), &e);
        audit_restored_free(l.rules);
    }
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        people_free(&people[i]);
    }
}

/* ---- what is adopted ---- */

static struct leaf *
adopted(const char *serial)
{
    struct leaf *leaf = leaf_new(LEAF_ADOPTED, PEOPLE_AT);

    leaf_set_text(leaf, "serial", serial);
    leaf_set_text(leaf, "from", "certificate");
    return leaf;
}

static struct leaf *
intended(const char *serial)
{
    const uint8_t hash[SHA256_SIZE] = {1};
    struct leaf *leaf = leaf_new(LEAF_INTENT, PEOPLE_AT);

    leaf_set_hex(leaf, "rid", span_of(hash, sizeof(hash)));
    leaf_set_text(leaf, "serial", serial);
    leaf_set_text(leaf, "profile", "adopted");
    leaf_set_hex(leaf, "tbs", span_of(hash, sizeof(hash)));
    leaf_set_time(leaf, "notBefore", PEOPLE_AT - 99999);
    leaf_set_time(leaf, "notAfter", PEOPLE_AT + 9);
    return leaf;
}

static struct leaf *
started(void)
{
    const uint8_t hash[SHA256_SIZE] = {1};
    struct leaf *leaf = leaf_new(LEAF_START, PEOPLE_AT);

    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "1");
    leaf_set_hex(leaf, "config", span_of(hash, sizeof(hash)));
    leaf_set_bool(leaf, "softwareToken", true);
    leaf_set_hex(leaf, "issuer", span_of(hash, sizeof(hash)));
    leaf_set_int(leaf, "record", LEAF_RECORD_VERSION);
    return leaf;
}

/* `steps`: A and B adopt, a and b intend, S starts; the last one is judged. */
static void
as_many_are_adopted_as_the_officers_signed(void **state)
{
    static const struct {
        const char *steps;
        const char *says;
    } adoptions[] = {
        {"AaBbS", NULL},
        {"ABS", NULL}, /* their INTENTs were there */
        {"AS", "1 more ADOPTED must follow"},
        {"AaBbA", "no RESTORED speaks of"},
        {"ABSA", "no RESTORED speaks of"},
        {"a", "without an ADOPTED"},
        {"Ab", "without an ADOPTED"},
        {"Aaa", "without an ADOPTED"},
    };
    struct people_person people[] = {people_new(1, "Alice"), people_new(2, "Bob"),
                                     people_new(3, "OAM"), people_new(4, "Alice")};

    (void)state;
    for (size_t row = 0; row < ARRAY_LEN(adoptions); row++) {
        struct people_log l = {.rules = audit_restored_new()};
        struct leaf *leaf;
        struct err e = {0};

        people_certify(&l, people);
        leaf = restored(&l, AS_IT_SHOULD_BE, people);
        leaf_set_int(leaf, "adopted", 2);
        assert_ok(people_append(&l, leaf, &e), &e);
        for (const char *step = adoptions[row].steps; *step != '\0'; step++) {
            const char *serial = *step == 'A' || *step == 'a' ? "5071" : "5072";

            leaf = *step == 'S' ? started() : *step < 'a' ? adopted(serial) : intended(serial);
            people_must(adoptions[row].steps, step[1] == '\0' ? adoptions[row].says : NULL,
                        people_append(&l, leaf, &e), &e);
        }
        audit_restored_free(l.rules);
    }
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        people_free(&people[i]);
    }
}

static void
two_officers_signed_what_was_restored(void **state)
{
    struct people_person people[] = {people_new(1, "Alice"), people_new(2, "Bob"),
                                     people_new(3, "OAM"), people_new(4, "Alice")};

    (void)state;
    for (int row = 0; row < N_ROWS; row++) {
        struct people_log l = {.rules = audit_restored_new()};
        struct err e = {0};
        int result;

        people_certify_one(&l, &people[0], "officer");
        people_certify_one(&l, &people[1], "officer");
        people_certify_one(&l, &people[2], "registrar");
        people_certify_one(&l, &people[3], "officer");
        people_revoke(&l, row == SECOND_REVOKED ? &people[1] : &people[2]);
        assert_int_equal(l.edge.size, PEOPLE_LEAVES);
        result = people_append(&l, restored(&l, (enum row)row, people), &e);
        if ((result == 0) != (rows[row].says == NULL) ||
            (result != 0 && (e.code != ERR_CRYPTO || strstr(e.text, rows[row].says) == NULL))) {
            fail_msg("%s: %d %s", rows[row].name, result, e.text);
        }
        audit_restored_free(l.rules);
    }
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        people_free(&people[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_officers_signed_what_was_restored),
        cmocka_unit_test(a_new_log_begins_with_what_the_old_key_signed),
        cmocka_unit_test(as_many_are_adopted_as_the_officers_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
