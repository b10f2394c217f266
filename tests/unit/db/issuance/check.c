/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that somebody edited, and what a start says of them: the leaves are under a signed
 * checkpoint, the rows are not. */
#include <string.h>

#include "tests/unit/db/issuance/scene.h"

#define UUID_3 "b5f0a1de-5b0e-4a6c-9f5e-0d4f8f2f0003"

static int
do_crl(struct store_db *db, void *arg, struct err *e)
{
    struct issuance_crl c = {.tbs = SPAN_LITERAL("TBS"),
                             .up_to = 1,
                             .digest = SPAN_LITERAL("01234567890123456789012345678901"),
                             .now = NOW};
    uint64_t leaf;

    (void)arg;
    if (issuance_crl_reserve(db, NOW - 300, NOW + 3600, &c.number, e) != 0 ||
        issuance_crl_intend(db, &c, &leaf, e) != 0) {
        return -1;
    }
    return issuance_crl_store(db, &c, SPAN_LITERAL("CRL"), &leaf, e);
}

/* One that was confirmed, one that was refused, a CRL. */
static void
more(struct scene *s)
{
    const struct octets three = scene_octets(3);
    const struct octets four = scene_octets(4);
    const struct octets conf = scene_octets(103);
    struct registering third = scene_registration(UUID_3, "third", 1);
    struct intend i;
    struct issue done;
    struct confirming confirm;
    struct refusing refuse = {.r = {.rid = span_of(four.rid, sizeof(four.rid)),
                                    .ra_der = RA,
                                    .profile = "nf-tls",
                                    .evidence = SPAN_LITERAL("asked"),
                                    .queue_previous = span_of(four.key, sizeof(four.key)),
                                    .fail_info = 2,
                                    .phrase = "no",
                                    .reason = "no",
                                    .now = NOW}};
    struct err e = {0};

    assert_ok(verb_call(s->store, do_register, &third, &e), &e);
    i = scene_nf(&three, third.row.id, SPAN_LITERAL("3"));
    i.intent.nf_instance = UUID_3;
    done = (struct issue){.rid = i.intent.rid, .certificate = scene_certificate_of(i.intent.rid)};
    confirm = (struct confirming){.c = {.rid = span_of(conf.rid, sizeof(conf.rid)),
                                        .ra_der = RA,
                                        .request = i.intent.rid,
                                        .accepted = true,
                                        .evidence = SPAN_LITERAL("certConf"),
                                        .when = WHEN}};
    assert_ok(verb_call(s->store, do_intend, &i, &e), &e);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    assert_ok(verb_call(s->store, do_confirm, &confirm, &e), &e);
    assert_int_equal(confirm.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_refuse, &refuse, &e), &e);
    assert_int_equal(refuse.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_crl, NULL, &e), &e);
    issuance_registration_free(&third.row);
}

/* Two enrolments of the scene's registration: 1 was rejected by its network function, 2 is open;
 * a second registration that is cancelled, an officer who is revoked, and more. */
static int
story_setup(void **state)
{
    const struct octets one = scene_octets(1);
    const struct octets two = scene_octets(2);
    const struct octets conf = scene_octets(101);
    const struct octets gone = scene_octets(202);
    struct registering other = scene_registration(UUID_2, "second", 1);
    struct revoking revoke = {.serial = span_of(gone.serial, sizeof(gone.serial))};
    struct confirming confirm;
    struct intend first;
    struct intend second;
    struct issue done;
    struct scene *s;
    struct err e = {0};

    assert_int_equal(scene_setup(state), 0);
    s = *state;
    first = scene_nf(&one, s->id, SPAN_LITERAL("1"));
    second = scene_nf(&two, s->id, SPAN_LITERAL("2"));
    done = (struct issue){.rid = first.intent.rid,
                          .certificate = scene_certificate_of(first.intent.rid)};
    confirm = (struct confirming){.c = {.rid = span_of(conf.rid, sizeof(conf.rid)),
                                        .ra_der = RA,
                                        .request = first.intent.rid,
                                        .accepted = false,
                                        .evidence = SPAN_LITERAL("certConf"),
                                        .reason = "does not fit",
                                        .when = WHEN}};
    first.intent.attested = &(struct issuance_attested){.entry = SPAN_LITERAL("entry"),
                                                        .head = SPAN_LITERAL("head"),
                                                        .signature = SPAN_LITERAL("signature")};
    assert_ok(verb_call(s->store, do_intend, &first, &e), &e);
    assert_ok(verb_call(s->store, do_intend, &second, &e), &e);
    assert_int_equal(second.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    assert_ok(verb_call(s->store, do_confirm, &confirm, &e), &e);
    assert_int_equal(confirm.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(s->store, do_register, &other, &e), &e);
    assert_ok(verb_call(s->store, do_cancel, &other, &e), &e);
    assert_int_equal(other.outcome, ISSUANCE_DONE);
    issuance_registration_free(&other.row);
    scene_issue(s->store, 202, "officer", SCENE_CERTIFICATE("\312"));
    assert_ok(verb_call(s->store, do_revoke, &revoke, &e), &e);
    assert_int_equal(revoke.outcome, ISSUANCE_DONE);
    more(s);
    return 0;
}

/* The statements that were prepared keep their text until the store is gone. */
enum { TRIGGERS_MAX = 64 };
static char *drops[TRIGGERS_MAX];

static int
drop_triggers(struct store_db *db, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    size_t n = 0;
    bool row = true;

    assert_ok(store_query(db, &rows, "SELECT name FROM sqlite_schema WHERE type = 'trigger'",
                          STORE_NO_VALUES, e),
              e);
    while (store_next(&rows, &row, e) == 0 && row) {
        assert_true(n < TRIGGERS_MAX);
        if (drops[n] == NULL) {
            drops[n] = mem_printf("DROP TRIGGER %s", row_text(&rows, 0));
        }
        n++;
    }
    store_end(&rows);
    for (size_t i = 0; i < n; i++) {
        assert_ok(store_exec(db, drops[i], STORE_NO_VALUES, e), e);
    }
    return 0;
}

struct editing {
    const char *sql;   /* NULL: nothing */
    const char *then;  /* the same */
    struct leaf *leaf; /* that the log signed besides; NULL: none */
    int result;
    struct err why;
};

/* Edits, checks, and fails, so that everything is as it was. */
static int
do_edit_and_check(struct store_db *db, void *arg, struct err *e)
{
    struct editing *x = arg;
    uint64_t index;

    assert_ok(store_exec(db, "PRAGMA defer_foreign_keys = ON", STORE_NO_VALUES, e), e);
    (void)drop_triggers(db, e);
    if (x->sql != NULL) {
        assert_ok(store_exec(db, x->sql, STORE_NO_VALUES, e), e);
        assert_true(store_changes(db) > 0);
    }
    if (x->then != NULL) {
        assert_ok(store_exec(db, x->then, STORE_NO_VALUES, e), e);
    }
    if (x->leaf != NULL) {
        assert_ok(ledger_append(db, x->leaf, &index, e), e);
    }
    x->result = issuance_check(db, &x->why);
    return err_set(e, ERR_DENIED, "not to be kept");
}

static void
check_edited(struct scene *s, struct editing x, const char *says)
{
    struct err e = {0};

    assert_err(verb_call(s->store, do_edit_and_check, &x, &e), ERR_DENIED, &e);
    leaf_free(x.leaf);
    if (says == NULL
            ? x.result != 0
            : x.result == 0 || x.why.code != ERR_STALE || strstr(x.why.text, says) == NULL ||
                  strstr(x.why.text, "it was edited: ") == NULL) {
        fail_msg("%s: %d \"%s\"", x.sql == NULL ? "nothing" : x.sql, x.result, x.why.text);
    }
}

static void
check(struct scene *s, const char *sql, struct leaf *leaf, const char *says)
{
    check_edited(s, (struct editing){.sql = sql, .leaf = leaf}, says);
}

#define HAS(what) "the record has " what " that ca.db has not, or has in another state"

static void
every_edit_of_a_row_is_found(void **state)
{
    static const struct {
        const char *sql;
        const char *says;
    } rows[] = {
        {NULL, NULL},
        {"UPDATE registration SET state = 0, leaf = leaf - 1 WHERE state = 1",
         HAS("a cancellation")},
        {"UPDATE registration SET leaf = leaf - 1", HAS("a registration")},
        {"UPDATE registration SET leaf = leaf - 1 WHERE state = 1", HAS("a cancellation")},
        {"UPDATE registration SET cms = CAST(cms || x'00' AS BLOB)", HAS("a registration")},
        {"UPDATE registration SET registrar = zeroblob(16)", HAS("a registration")},
        {"UPDATE registration SET certificates = certificates + 1", HAS("a registration")},
        {"UPDATE registration SET not_before = not_before - 1", HAS("a registration")},
        {"UPDATE registration SET not_after = not_after + 1", HAS("a registration")},
        {"UPDATE registration SET registered = registered - 1", HAS("a registration")},
        {"DELETE FROM registration WHERE state = 1", HAS("a registration")},
        {"UPDATE registration SET nf_instance = 'x' WHERE rowid = 1", HAS("a registration")},
        {"UPDATE registration SET supersedes = id WHERE state = 0", HAS("a registration")},
        {"UPDATE registration SET id = 'x' WHERE rowid = 1", HAS("a registration")},
        {"UPDATE registration SET json = CAST('{\"proof\":{\"kind\":\"mac\"}}' AS BLOB), "
         "proof = 'vendor CN=a' || char(10) || 'CN=b' WHERE rowid = 1",
         HAS("a registration")},
        {"UPDATE registration SET json = CAST('{\"proof\":{\"kind\":\"vendor\","
         "\"issuer\":\"CN=a\",\"subject\":\"CN=b\"}}' AS BLOB) WHERE rowid = 1",
         HAS("a registration")},
        {"UPDATE request SET serial = zeroblob(16) WHERE state = 0 AND registration IS NOT NULL",
         HAS("an intent")},
        {"UPDATE request SET rid = zeroblob(32) WHERE state = 0 AND registration IS NOT NULL",
         HAS("a request")},
        {"UPDATE request SET registration = NULL WHERE state = 0", HAS("a request")},
        {"UPDATE request SET renews = serial WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET is_update = 1 WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET profile_file = zeroblob(32) WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET not_before = not_before - 1 WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET not_after = not_after + 1 WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET instead_of = serial WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET tbs = CAST(tbs || x'00' AS BLOB) WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET profile = 'nf-tls-server' WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET assurance = 1 WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET leaf = leaf - 1 WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET created = created + 1 WHERE state = 0", HAS("an intent")},
        {"UPDATE request SET queue_sequence = queue_sequence + 1 WHERE state = 0",
         HAS("a request")},
        {"UPDATE request SET queue_previous = zeroblob(32) WHERE state = 4", HAS("a request")},
        {"UPDATE request SET leaf = leaf + 1 WHERE state = 4", HAS("a rejection")},
        {"DELETE FROM request WHERE state = 0", HAS("a request")},
        {"DELETE FROM request WHERE state = 2", HAS("a refusal")},
        {"UPDATE request SET fail_info = 1 WHERE state = 2", HAS("a refusal")},
        {"UPDATE request SET leaf = leaf - 1 WHERE state = 2", HAS("a refusal")},
        {"UPDATE request SET created = created - 1 WHERE state = 2", HAS("a refusal")},
        {"UPDATE certificate SET leaf = leaf + 1", HAS("a certificate")},
        {"UPDATE certificate SET nf_instance = NULL WHERE nf_instance IS NOT NULL",
         HAS("a certificate")},
        {"UPDATE certificate SET profile = 'registrar' WHERE profile = 'ra-cmp'",
         HAS("a certificate")},
        {"UPDATE certificate SET not_after = not_after + 1", HAS("a certificate")},
        {"UPDATE certificate SET issued = issued - 1", HAS("a certificate")},
        {"UPDATE certificate SET revoked = NULL", HAS("a revocation")},
        {"UPDATE certificate SET revoked = 1 WHERE revoked IS NULL",
         "is revoked, and the record does not say so"},
        {"UPDATE certificate SET leaf = (SELECT leaf FROM certificate WHERE profile = 'registrar') "
         "WHERE profile = 'officer'",
         HAS("a certificate")},
        {"DELETE FROM certificate WHERE nf_instance IS NOT NULL", HAS("a certificate")},
        {"UPDATE certificate SET request = 1000 WHERE rowid = 3", HAS("a certificate")},
        {"UPDATE request SET state = 5 WHERE state = 4", HAS("a certificate")},
        {"UPDATE request SET state = 0 WHERE state = 4", HAS("an intent")},
        {"UPDATE request SET state = 3 WHERE state = 4", HAS("a rejection")},
        {"UPDATE request SET state = 4 WHERE state = 3", HAS("a confirmation")},
        {"UPDATE confirmation SET accepted = 1 WHERE accepted = 0", HAS("a rejection")},
        {"UPDATE confirmation SET accepted = 0 WHERE accepted = 1", HAS("a confirmation")},
        {"UPDATE confirmation SET created = 1 WHERE accepted = 1", HAS("a confirmation")},
        {"UPDATE confirmation SET leaf = 1 WHERE accepted = 1", HAS("a confirmation")},
        {"UPDATE confirmation SET created = 1 WHERE accepted = 0", HAS("a rejection")},
        {"UPDATE confirmation SET leaf = 1 WHERE accepted = 0", HAS("a rejection")},
        {"DELETE FROM confirmation WHERE accepted = 0", HAS("a rejection")},
        {"DELETE FROM confirmation WHERE accepted = 1", HAS("a confirmation")},
        {"INSERT INTO confirmation SELECT zeroblob(32), rid, 1, x'00', 1, 1 FROM request WHERE "
         "state = 0",
         "ca.db has rows that the record has not"},
        {"INSERT INTO confirmation SELECT zeroblob(32), rid, 0, x'00', 1, 1 FROM request WHERE "
         "state = 0",
         "ca.db has rows that the record has not"},
        {"DELETE FROM public_key WHERE owner = 'infrastructure'", "whose key ca.db has not"},
        {"DELETE FROM public_key WHERE owner <> 'infrastructure'", "whose key ca.db has not"},
        {"UPDATE public_key SET owner = 'infrastructure'", "or as another owner's"},
        {"UPDATE public_key SET sha256 = CAST(sha256 || x'00' AS BLOB)", "whose key ca.db has not"},
        {"DELETE FROM revocation", HAS("a revocation")},
        {"UPDATE revocation SET revoked = revoked + 1", HAS("a revocation")},
        {"UPDATE revocation SET crl_date = crl_date - 1", HAS("a revocation")},
        {"UPDATE revocation SET crl_date = NULL", HAS("a revocation")},
        {"UPDATE revocation SET reason = 0", HAS("a revocation")},
        {"UPDATE revocation SET not_after = 1", HAS("a revocation")},
        {"INSERT INTO revocation SELECT serial, created, 1, not_after, created FROM request WHERE "
         "state = 0 AND serial IS NOT NULL",
         "ca.db has rows that the record has not"},
        {"INSERT INTO revocation_request SELECT zeroblob(32), serial, x'00', 1, 1 FROM revocation "
         "LIMIT 1",
         "ca.db has rows that the record has not"},
        {"UPDATE crl SET der = x'00' WHERE number = 1", HAS("a CRL")},
        {"UPDATE crl SET der = NULL WHERE number = 1", HAS("a CRL")},
        {"UPDATE crl SET entries = 1 WHERE number = 1", HAS("a CRL")},
        {"UPDATE crl SET this_update = 1 WHERE number = 1", HAS("the number of a CRL")},
        {"UPDATE crl SET next_update = next_update + 1 WHERE number = 1",
         HAS("the number of a CRL")},
        {"UPDATE crl SET number = 7 WHERE number = 1", HAS("the number of a CRL")},
        {"UPDATE leaf SET kind = 'STOP' WHERE idx = 1", "of another kind or time"},
        {"UPDATE leaf SET time = 1 WHERE idx = 1", "of another kind or time"},
        {"UPDATE leaf_subject SET subject = x'00' WHERE idx = (SELECT max(idx) FROM leaf_subject)",
         "its row in leaf_subject says another"},
        {"DELETE FROM leaf_subject WHERE idx = (SELECT max(idx) FROM leaf_subject)",
         "its row in leaf_subject says another"},
        {"INSERT INTO leaf_subject VALUES(100000, x'00')", "leaf_subject has rows of leaves"},
        {"UPDATE leaf SET hash = zeroblob(32) WHERE idx = 2", "leaf 2: its hash is not that of"},
        {"UPDATE completed SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB) WHERE idx "
         "= 3",
         "leaf 3: the hash 1/1 above it is not that of its halves"},
        {"UPDATE completed SET hashes = CAST(substr(hashes, 1, 32) || zeroblob(32) AS BLOB) WHERE "
         "idx = 3",
         "leaf 3: the hash 2/0 above it is not that of its halves"},
        {"DELETE FROM completed WHERE idx = 1", "leaf 1: ledger: hash 1/0"},
        {"UPDATE registration SET used = used - 1 WHERE rowid = 1",
         "was used another number of times than ca.db says"},
        {"INSERT INTO registration SELECT 'x', cms, json, 'y', registrar, not_before, not_after, "
         "certificates, used, state, registered, leaf, supersedes, proof FROM registration WHERE "
         "state = "
         "1",
         "ca.db has rows that the record has not"},
        {"INSERT INTO request(rid, state, profile, evidence, serial, created, leaf) "
         "VALUES(zeroblob(32), 0, 'officer', x'00', zeroblob(16), 1, 1)",
         "ca.db has rows that the record has not"},
        {"INSERT INTO certificate SELECT q.rowid, c.leaf, 'z', c.profile, c.not_after, c.issued, "
         "NULL FROM certificate c, request q WHERE q.state = 0 LIMIT 1",
         "ca.db has rows that the record has not"},
        {"INSERT INTO crl(this_update, next_update, entries, der) VALUES(1, 2, 0, x'00')",
         "ca.db has rows that the record has not"},
        {"INSERT INTO pending SELECT zeroblob(32), registration, x'07', profile, 0, x'', x'00', "
         "x'00', 1, x'00', 1, 1, 2, 1, 1, NULL FROM request WHERE state = 0",
         "ca.db has rows that the record has not"},
        {"INSERT INTO approval SELECT zeroblob(32), 1, serial, 'x', x'00', x'00', 1, 1 FROM "
         "request WHERE serial IS NOT NULL LIMIT 1",
         "ca.db has rows that the record has not"},
        {"INSERT INTO again SELECT zeroblob(32), rid, registration, x'07', 0, 1, x'00', 1, x'00', "
         "1, 1 FROM request WHERE state = 0",
         "ca.db has rows that the record has not"},
        {"INSERT INTO revocation VALUES(zeroblob(16), 1, 1, 2, NULL)",
         "ca.db has rows that the record has not: revocation 00"},
        {"INSERT INTO revocation VALUES(zeroblob(65), 1, 1, 2, NULL)", /* no serial number */
         "ca.db has rows that the record has not: revocation 00"},
        {"INSERT INTO queue_head VALUES(zeroblob(32), zeroblob(16), 1, 1)",
         "ca.db has rows that the record has not: queue_head"},
        {"INSERT INTO queue_head VALUES(zeroblob(32), zeroblob(16), 1, 1000000)",
         "ca.db has rows that the record has not: queue_head"},
        {"UPDATE queue_head SET hash = zeroblob(32)",
         "ca.db has rows that the record has not: queue_head"},
        {"UPDATE queue_head SET ra = zeroblob(16)",
         "ca.db has rows that the record has not: queue_head"},
        {"UPDATE queue_head SET recorded = recorded + 1",
         "was recorded at another time than ca.db says"},
        {"UPDATE queue_head SET leaf = leaf + 1",
         "ca.db has rows that the record has not: queue_head"},
        /* It is recorded again, then. */
        {"DELETE FROM queue_head", NULL},
        /* What is reserved is not released, and what is confirmed is nobody's loss. */
        {"INSERT INTO crl(this_update, next_update) VALUES(1, 2)", NULL},
        {"INSERT INTO public_key VALUES(x'00', 'x')", NULL},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check(s, rows[i].sql, NULL, rows[i].says);
    }
    check(s, NULL, NULL, NULL); /* nothing of it stayed */
}

/* A leaf that its kind allows, about what no row can be. */
static void
a_leaf_of_what_no_row_can_be_is_found(void **state)
{
    static const char serial[] = "00112233445566778899aabbccddeeff";
    struct scene *s = *state;
    char many[2 * 65 + 1];
    struct leaf *leaf;

    memset(many, '0', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    leaf = leaf_new(LEAF_REVOKED, NOW);
    leaf_set_text(leaf, "serial", many);
    leaf_set_int(leaf, "reason", 1);
    check(s, NULL, leaf, "a leaf without serial");
    leaf = leaf_new(LEAF_REVOKED, NOW);
    leaf_set_text(leaf, "serial", many + 2); /* 64 octets: of nothing, but looked for */
    leaf_set_int(leaf, "reason", 1);
    check(s, NULL, leaf, HAS("a revocation"));
    leaf = leaf_new(LEAF_ISSUED, NOW);
    leaf_set_text(leaf, "rid", many);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_base64(leaf, "certificate", SPAN_LITERAL("x"));
    check(s, NULL, leaf, "a leaf without rid");
    leaf = leaf_new(LEAF_REQUEST, NOW);
    leaf_set_text(leaf, "rid", many + 66);
    leaf_set_text(leaf, "registration", s->id);
    leaf_set_text(leaf, "profile", "nf-tls");
    leaf_set_text(leaf, "assurance", "mac");
    leaf_set_int(leaf, "qseq", 1);
    leaf_set_int(leaf, "approvals", 1);
    check(s, NULL, leaf, HAS("a pending request"));
    leaf = leaf_new(LEAF_APPROVAL, NOW);
    leaf_set_text(leaf, "rid", many + 66);
    leaf_set_text(leaf, "registration", s->id);
    leaf_set_text(leaf, "decision", "approve");
    leaf_set_text(leaf, "officer", serial);
    leaf_set_text(leaf, "key", serial);
    leaf_set_text(leaf, "subject", "CN=x");
    leaf_set_base64(leaf, "cms", SPAN_LITERAL("x"));
    check(s, NULL, leaf, HAS("an approval"));
    leaf = leaf_new(LEAF_AGAIN, NOW);
    leaf_set_text(leaf, "rid", many + 66);
    leaf_set_text(leaf, "serial", serial);
    leaf_set_text(leaf, "again", many + 66);
    leaf_set_text(leaf, "registration", s->id);
    leaf_set_time(leaf, "messageTime", NOW);
    leaf_set_int(leaf, "qseq", 1);
    check(s, NULL, leaf, HAS("an answer that was given again"));
}

/* The date of such a row is the time of its leaf. */
static void
a_revocation_of_before_has_no_date_in_its_leaf(void **state)
{
    static const struct {
        const char *sql;
        const char *says;
    } rows[] = {
        {"INSERT INTO revocation SELECT serial, 1790000000, 1, not_after, NULL FROM request "
         "WHERE profile = 'ra-cmp'",
         NULL},
        {"INSERT INTO revocation SELECT serial, 1790000000, 1, not_after, 1789999700 FROM "
         "request WHERE profile = 'ra-cmp'",
         HAS("a revocation")},
    };
    const struct octets ra = scene_octets(200);
    CLEANUP(mem_cleanup) char *serial = hex_dup(span_of(ra.serial, sizeof(ra.serial)));

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct leaf *leaf = leaf_new(LEAF_REVOKED, NOW);
        const struct editing edited = {
            .sql = rows[i].sql,
            .then =
                "UPDATE certificate SET revoked = (SELECT max(idx) + 1 FROM leaf) WHERE profile "
                "= 'ra-cmp'",
            .leaf = leaf};

        leaf_set_text(leaf, "serial", serial);
        leaf_set_int(leaf, "reason", 1);
        check_edited(*state, edited, rows[i].says);
    }
}

/* ---- one certificate for each request, serial and intent, whoever asks ---- */

static int
do_sql(struct store_db *db, void *arg, struct err *e)
{
    return store_exec(db, *(const char *const *)arg, STORE_NO_VALUES, e);
}

static void
the_store_has_one_certificate_for_a_request_a_serial_and_an_intent(void **state)
{
    static const struct {
        const char *name;
        const char *sql;
        enum err_code code;
    } rows[] = {
        {"a second certificate of a request",
         "INSERT INTO certificate SELECT request, leaf + 1, nf_instance, profile, not_after, "
         "issued, revoked FROM certificate WHERE nf_instance IS NOT NULL",
         ERR_CONFLICT},
        {"another one in its place",
         "INSERT OR REPLACE INTO certificate SELECT request, leaf + 1, nf_instance, profile, "
         "not_after, issued, revoked FROM certificate WHERE nf_instance IS NOT NULL",
         ERR_DENIED},
        {"a second intent of a serial",
         "INSERT INTO request(rid, state, profile, evidence, serial, created, leaf) SELECT "
         "zeroblob(32), 0, profile, x'00', serial, 1, 1 FROM request WHERE state = 0",
         ERR_CONFLICT},
        {"a second intent of a request",
         "INSERT INTO request(rid, state, profile, evidence, serial, created, leaf) SELECT rid, 0, "
         "profile, x'00', zeroblob(16), 1, 1 FROM request WHERE state = 0",
         ERR_CONFLICT},
        {"a request of a transaction that is used",
         "INSERT INTO request(rid, state, registration, transaction_id, profile, evidence, serial, "
         "created, leaf) SELECT zeroblob(32), 0, registration, transaction_id, profile, x'00', "
         "zeroblob(16), 1, 1 FROM request WHERE state = 0",
         ERR_CONFLICT},
        {"a second live registration of a network function",
         "INSERT INTO registration SELECT 'x', cms, json, nf_instance, registrar, not_before, "
         "not_after, certificates, 0, 0, registered, leaf, NULL, NULL FROM registration WHERE "
         "state = 0",
         ERR_CONFLICT},
        {"a second confirmation by one leaf",
         "INSERT INTO confirmation SELECT zeroblob(32), request, accepted, evidence, created, leaf "
         "FROM confirmation LIMIT 1",
         ERR_CONFLICT},
    };
    struct scene *s = *state;
    uint64_t leaves = scene_leaves(s->store);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        if (verb_call(s->store, do_sql, (void *)(uintptr_t)&rows[i].sql, &e) == 0 ||
            e.code != rows[i].code) {
            fail_msg("%s: %s: %s", rows[i].name, err_code_name(e.code), e.text);
        }
    }
    assert_int_equal(scene_leaves(s->store), leaves);
}

/* Through the verbs: what was issued, rejected or given up is not issued again. */
static void
what_is_not_open_is_not_issued(void **state)
{
    const struct octets one = scene_octets(1);
    const struct octets two = scene_octets(2);
    const struct octets nobody = scene_octets(77);
    struct scene *s = *state;
    struct issue again = {.rid = span_of(one.rid, sizeof(one.rid)),
                          .certificate = SPAN_LITERAL("another")};
    struct issue done = {.rid = span_of(two.rid, sizeof(two.rid)),
                         .certificate = scene_certificate_of(span_of(two.rid, sizeof(two.rid)))};
    struct issue none = {.rid = span_of(nobody.rid, sizeof(nobody.rid)),
                         .certificate = SPAN_LITERAL("of nothing")};
    struct err e = {0};
    uint64_t leaves;

    leaves = scene_leaves(s->store);
    assert_err(verb_call(s->store, do_issue, &again, &e), ERR_CONFLICT, &e);
    assert_int_equal(scene_leaves(s->store), leaves);
    assert_ok(verb_call(s->store, do_issue, &done, &e), &e);
    leaves = scene_leaves(s->store);
    assert_err(verb_call(s->store, do_issue, &done, &e), ERR_CONFLICT, &e);
    done.certificate = SPAN_LITERAL("another");
    assert_err(verb_call(s->store, do_issue, &done, &e), ERR_CONFLICT, &e);
    assert_err(verb_call(s->store, do_abandon, &done, &e), ERR_CONFLICT, &e);
    assert_int_not_equal(verb_call(s->store, do_issue, &none, &e), 0);
    assert_int_equal(scene_leaves(s->store), leaves);
}

static int
story_teardown(void **state)
{
    int result = scene_teardown(state);

    for (size_t i = 0; i < TRIGGERS_MAX; i++) {
        mem_free(drops[i]);
        drops[i] = NULL;
    }
    return result;
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, story_setup, story_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(every_edit_of_a_row_is_found),
        STORY(a_leaf_of_what_no_row_can_be_is_found),
        STORY(a_revocation_of_before_has_no_date_in_its_leaf),
        STORY(the_store_has_one_certificate_for_a_request_a_serial_and_an_intent),
        STORY(what_is_not_open_is_not_issued),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
