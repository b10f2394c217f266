/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever has the key that seals ca.db puts an entry ACKNOWLEDGED behind the last leaf, where no
 * signed checkpoint covers it, as a kill leaves one: a start goes past the line when two officers
 * signed that entry, and for nothing less.
 */
#include <string.h>

#include "ca/registration/acknowledgement.h"
#include "ca/x509/serial.h"
#include "db/issuance/journal.h"
#include "tests/unit/ca/daemon/acknowledging.h"
#include "tests/unit/ca/daemon/copies.h"
#include "tests/unit/ca/daemon/journal_lines.h"
#include "tests/unit/ca/daemon/trace.h"

#define REASON "the PIN was stolen"
#define NOT_SIGNED "ACKNOWLEDGED, and not by two officers: "

struct forging {
    struct store_op op;
    struct issuance_acknowledgement leaf;
    time_t now;
    struct span revoked; /* the serial number of who is, behind it; empty: nobody */
};

static int
run_forge(struct store_op *op, struct store_db *db, struct err *e)
{
    const struct forging *f = CONTAINER_OF(op, struct forging, op);
    const struct issuance_when when = {.now = f->now, .date = f->now};
    enum issuance_outcome outcome;
    uint64_t leaf;

    if (issuance_acknowledge(db, &f->leaf, f->now, e) != 0) {
        return -1;
    }
    return f->revoked.n == 0
               ? 0
               : issuance_revoke(db, f->revoked, 4, "alice", when, &leaf, &outcome, e);
}

/* What differs from an entry that two officers signed. */
enum leaf_change { NOTHING, NAMES, PLAN, SIGNATURE, NO_CMS };

struct row {
    const char *name;
    enum who first, second;
    const char *was, *is; /* in the texts that are signed; NULL: as it is printed */
    bool one_only;        /* in that of the second */
    enum leaf_change change;
    const char *says;
};

static char *
other(const char *text, const struct row *row)
{
    const char *at = row->was == NULL ? NULL : strstr(text, row->was);

    return at == NULL
               ? mem_strdup(text)
               : mem_printf("%.*s%s%s", (int)(at - text), text, row->is, at + strlen(row->was));
}

/* An entry about the line, as this row has it. */
static void
forge(const struct acknowledging *s, const struct row *row, const char *text, struct span revoked)
{
    CLEANUP(mem_cleanup) char *changed = other(text, row);
    const char *signed_first = row->one_only ? text : changed;
    CLEANUP(buf_free) struct buf first = acknowledging_cms(s, row->first, signed_first);
    CLEANUP(buf_free) struct buf second = acknowledging_cms(s, row->second, changed);
    const struct span officers[] = {serial_of(s->people[row->first].certificate),
                                    serial_of(s->people[row->second].certificate)};
    struct acknowledgement line;
    uint8_t plan[SHA256_SIZE];
    struct forging f = {.op = {.run = run_forge}, .now = clock_now(), .revoked = revoked};
    struct err e = {0};

    assert_ok(acknowledgement_parse(span_str(text), &line, &e), &e);
    assert_ok(sha256(span_str(signed_first), plan, &e), &e);
    if (row->change == PLAN) {
        plan[0] ^= 1;
    } else if (row->change == SIGNATURE) {
        second.p[second.n - 1] ^= 1;
    } else if (row->change == NO_CMS) {
        assert_ok(buf_set(&second, SPAN_LITERAL("signed: Bob"), &e), &e);
    }
    f.leaf = (struct issuance_acknowledgement){
        .key = line.key,
        .line = line.line,
        .object = line.object,
        .hash = line.hash,
        .serial = span_of(line.serial, sizeof(line.serial)),
        .reason = REASON,
        .plan = span_of(plan, sizeof(plan)),
        .officers = {{officers[row->change == NAMES], buf_span(&first)},
                     {officers[row->change != NAMES], buf_span(&second)}}};
    world_call(s->w, &f.op);
}

static void
what_two_officers_did_not_sign_is_not_believed(void **state)
{
    static const struct row rows[] = {
        {"no signature", ALICE, BOB, NULL, NULL, false, NO_CMS, "neither DER nor PEM"},
        {"another signature", ALICE, BOB, NULL, NULL, false, SIGNATURE, "signature"},
        {"somebody who calls herself Alice", MALLORY, BOB, NULL, NULL, false, NOTHING, "signer: "},
        {"one officer twice", ALICE, ALICE, NULL, NULL, false, NOTHING, "are of one person"},
        {"one person twice", ALICE, ALICE_AGAIN, NULL, NULL, false, NOTHING, "are of one person"},
        {"an officer who was revoked before", ALICE, EVE, NULL, NULL, false, NOTHING,
         "is no officer's"},
        {"a registrar", OAM, BOB, NULL, NULL, false, NOTHING, "is no officer's"},
        {"officers by other names", ALICE, BOB, NULL, NULL, false, NAMES, "is not who signed"},
        {"another text's hash", ALICE, BOB, NULL, NULL, false, PLAN, "is another text"},
        {"another line", ALICE, BOB, "\"line\": ", "\"line\": 9", false, NOTHING,
         "is another text"},
        {"other leaves", ALICE, BOB, "\"leaves\": ", "\"leaves\": 1", false, NOTHING,
         "is another text"},
        {"the other signer", ALICE, BOB, "\"issuing\"", "\"log\"", false, NOTHING,
         "is another text"},
        {"another reason", ALICE, BOB, "stolen", "lost", false, NOTHING, "is another text"},
        {"two reasons", ALICE, BOB, "stolen", "lost", true, NOTHING, "is another text"},
        {"the plan of a restore", ALICE, BOB, "acknowledgement", "restore", false, NOTHING,
         "is not the plan of an acknowledgement"},
        {"of another century", ALICE, BOB, "\"time\": \"20", "\"time\": \"19", false, NOTHING,
         "more than 7 days ago"},
    };
    static const struct row genuine = {.first = ALICE, .second = BOB};
    struct acknowledging *s = *state;
    CLEANUP(buf_free) struct buf text = {0};

    (void)acknowledging_add(s->w, "issuing", 'T', NULL);
    text = acknowledging_text(s->w, REASON);
    world_keep(s->w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        forge(s, &rows[i], (const char *)text.p, span_of(NULL, 0));
        trace_must_refuse(s->w, rows[i].name, 1, LINES_REFUSED, NOT_SIGNED);
        trace_must_refuse(s->w, rows[i].name, 1, LINES_REFUSED, rows[i].says);
        world_put_back(s->w);
    }
    trace_must_refuse(s->w, "no entry", 1, LINES_REFUSED, "belongs to nothing in the record");
    /* Who was an officer then may be none any more. */
    forge(s, &genuine, (const char *)text.p, serial_of(s->people[ALICE].certificate));
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_two_officers_did_not_sign_is_not_believed),
    };

    return cmocka_run_group_tests(tests, acknowledging_setup, acknowledging_teardown);
}
