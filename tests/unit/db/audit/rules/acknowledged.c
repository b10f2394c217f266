/* SPDX-License-Identifier: Apache-2.0 */
/* An acknowledgement that a CA claims to have been signed by officers. */
#include "db/audit/rules/acknowledged.h"

#include <string.h>

#include "tests/unit/db/audit/rules/people.h"

enum who { ALICE, BOB, OAM, ALICE_AGAIN };

/* What the officers signed, and what the leaf says. */
struct said {
    const char *kind, *object, *serial, *reason;
    int leaves; /* more than there are */
    int line, number;
    uint8_t root, key, hash; /* to be added to an octet */
};
#define GOOD                                                                                       \
    {                                                                                              \
        .kind = "acknowledgement", .object = "T", .serial = "5001", .reason = "stolen", .line = 41 \
    }

static char *
hex_of(uint8_t first)
{
    const uint8_t octets[SHA256_SIZE] = {first};

    return hex_dup(span_of(octets, sizeof(octets)));
}

static char *
text_of(const struct people_log *l, const struct said *s)
{
    struct merkle_hash root = merkle_root(&l->edge);
    CLEANUP(mem_cleanup) char *hash = hex_of((uint8_t)(7 + s->hash));
    CLEANUP(mem_cleanup) char *key = hex_of((uint8_t)(9 + s->key));
    CLEANUP(mem_cleanup) char *hex = NULL;

    root.octets[0] = (uint8_t)(root.octets[0] + s->root);
    hex = hex_dup(span_of(root.octets, sizeof(root.octets)));
    return mem_printf("{\"version\":1,\"kind\":\"%s\",\"log\":{\"leaves\":%d,\"root\":\"%s\"},"
                      "\"key\":\"%s\",\"line\":%d,\"object\":\"%s\",\"sha256\":\"%s\","
                      "\"serial\":\"%s\",\"number\":%d,\"reason\":\"%s\"}",
                      s->kind, PEOPLE_LEAVES + s->leaves, hex, key, s->line, s->object, hash,
                      s->serial, s->number, s->reason);
}

static struct leaf *
acknowledged(const char *text, bool other_plan, const struct people_person *first,
             const struct people_person *second)
{
    struct leaf *leaf = leaf_new(LEAF_ACKNOWLEDGED, PEOPLE_AT);
    CLEANUP(mem_cleanup) char *hash = hex_of(7);
    CLEANUP(mem_cleanup) char *key = hex_of(9);
    uint8_t plan[SHA256_SIZE];
    struct err e = {0};

    assert_ok(sha256(span_str(text), plan, &e), &e);
    plan[0] ^= other_plan ? 1 : 0;
    leaf_set_int(leaf, "record", LEAF_RECORD_VERSION);
    leaf_set_text(leaf, "key", key);
    leaf_set_int(leaf, "line", 41);
    leaf_set_text(leaf, "object", "T");
    leaf_set_text(leaf, "sha256", hash);
    leaf_set_text(leaf, "serial", "5001");
    leaf_set_text(leaf, "reason", "stolen");
    leaf_set_hex(leaf, "plan", span_of(plan, sizeof(plan)));
    leaf_set_text(leaf, "officer", first->serial);
    leaf_set_text(leaf, "secondOfficer", second->serial);
    people_sign(first, text, leaf, "cms");
    people_sign(second, text, leaf, "secondCms");
    return leaf;
}

static void
two_officers_signed_what_was_acknowledged(void **state)
{
    static const char other[] = "signed something else than was acknowledged";
    static const struct {
        const char *name;
        struct said said;
        enum who first, second;
        bool other_plan;
        const char *says;
    } rows[] = {
        {"as it should be", GOOD, ALICE, BOB, false, NULL},
        {"another kind", {"restore", "T", "5001", "stolen", .line = 41}, ALICE, BOB, false, other},
        {"another object",
         {"acknowledgement", "L", "5001", "stolen", .line = 41},
         ALICE,
         BOB,
         false,
         other},
        {"no serial", {"acknowledgement", "T", "", "stolen", .line = 41}, ALICE, BOB, false, other},
        {"another reason",
         {"acknowledgement", "T", "5001", "lost", .line = 41},
         ALICE,
         BOB,
         false,
         other},
        {"another line",
         {"acknowledgement", "T", "5001", "stolen", .line = 42},
         ALICE,
         BOB,
         false,
         other},
        {"a number",
         {"acknowledgement", "T", "5001", "stolen", .line = 41, .number = 7},
         ALICE,
         BOB,
         false,
         other},
        {"another digest",
         {"acknowledgement", "T", "5001", "stolen", .line = 41, .hash = 1},
         ALICE,
         BOB,
         false,
         other},
        {"another key",
         {"acknowledgement", "T", "5001", "stolen", .line = 41, .key = 1},
         ALICE,
         BOB,
         false,
         other},
        {"of more leaves",
         {"acknowledgement", "T", "5001", "stolen", .line = 41, .leaves = 1},
         ALICE,
         BOB,
         false,
         "of other leaves than are before it"},
        {"of another root",
         {"acknowledgement", "T", "5001", "stolen", .line = 41, .root = 1},
         ALICE,
         BOB,
         false,
         "of other leaves than are before it"},
        {"a registrar first", GOOD, OAM, BOB, false, "which is no officer"},
        {"a registrar second", GOOD, ALICE, OAM, false, "which is no officer"},
        {"one officer twice", GOOD, ALICE, ALICE, false, "one person signed twice"},
        {"one person twice", GOOD, ALICE, ALICE_AGAIN, false, "one person signed twice"},
        {"another plan", GOOD, ALICE, BOB, true, "signed another plan"},
    };
    struct people_person people[] = {people_new(1, "Alice"), people_new(2, "Bob"),
                                     people_new(3, "OAM"), people_new(4, "Alice")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct people_log l = {.rules = audit_restored_new()};
        CLEANUP(mem_cleanup) char *text = NULL;
        struct err e = {0};
        int result;

        people_certify(&l, people);
        text = text_of(&l, &rows[i].said);
        result = people_append(
            &l,
            acknowledged(text, rows[i].other_plan, &people[rows[i].first], &people[rows[i].second]),
            &e);
        people_must(rows[i].name, rows[i].says, result, &e);
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
        cmocka_unit_test(two_officers_signed_what_was_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
