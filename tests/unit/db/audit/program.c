/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-audit as its user sees it: what it prints and the status that it ends with. */
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/program_scene.h"

/* ---- tests ---- */

static void
show_tells_the_whole_story_of_a_certificate(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *leaf = NULL;
    CLEANUP(mem_cleanup) char *first = NULL;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, "show", s->revoked.serial), 0);
    assert_string_equal(s->errors, "");
    assert_says(s->out, "status       revoked");
    assert_says(s->out, "subject      O=5gc.example");
    assert_says(s->out, "names        DNS:amf1.5gc.example, URI:urn:uuid:" AUDIT_NF);
    assert_says(s->out, "valid        2027-01-15T08:00:00Z to 2027-01-16T08:00:00Z");
    assert_says(s->out, "key          EC P-256");
    assert_says(
        s->out,
        "registered   2027-01-15T08:00:02Z  leaf 2\n               registration " AUDIT_REGISTRATION
        "\n               NF " AUDIT_NF
        "\n               proves itself by mac, 1 initial certificate(s)");
    assert_says(s->out, "registrar    O=Registrar One\n               serial ");
    assert_says(
        s->out,
        "asked        2027-01-15T08:00:03Z  leaf 3\n               profile nf-tls, assurance mac");
    assert_says(s->out,
                "intent       2027-01-15T08:00:04Z  leaf 4\n               profile nf-tls, valid ");
    assert_says(s->out, "issued       2027-01-15T08:00:05Z  leaf 5\n");
    assert_says(s->out, "confirmed    2027-01-15T08:00:06Z  leaf 6\n");
    assert_says(s->out, "revoked      2027-01-15T08:00:18Z  leaf 18\n               reason "
                        "keyCompromise, by officer");
    assert_says(s->out, "leaf 5: inclusion proof verified against checkpoint size 19 (5 hashes)");
    assert_null(strstr(s->out, s->confirmed.serial));
    /* What a leaf says cannot drive the terminal. */
    assert_says(s->out, "officer\\u{1b}[2J");
    assert_null(strchr(s->out, '\x1b'));

    first = mem_strdup(s->out);
    assert_int_equal(RUN(s, "show", "--ledger", s->l.dir, "--key", key, s->revoked.rid), 0);
    assert_string_equal(s->out, first);
    assert_int_equal(RUN(s, "show", "18", "--ledger", s->l.dir, "--key", key), 0);
    assert_string_equal(s->out, first);
    leaf = mem_printf("%" PRIu64, s->revoked.issued);
    assert_int_equal(RUN(s, "show", "--ledger", s->l.dir, "--key", key, leaf), 0);
    assert_string_equal(s->out, first);
}

static void
show_of_a_registration_has_everything_under_it(void **state)
{
    struct scene *s = *state;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", AUDIT_REGISTRATION), 0);
    assert_says(s->out, "registration " AUDIT_REGISTRATION);
    assert_says(s->out, s->revoked.serial);
    assert_says(s->out, s->confirmed.serial);
    assert_says(s->out, s->issued.serial);
    assert_null(strstr(s->out, "Certificate\n"));
}

static void
show_without_a_given_key_warns(void **state)
{
    struct scene *s = *state;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", "0"), 0);
    assert_says(s->errors, "warning: the log key was read from the ledger itself");
}

static void
list_has_a_row_with_the_status_of_each_certificate(void **state)
{
    struct scene *s = *state;
    const struct audit_enrolment *const all[] = {&s->registrar, &s->revoked, &s->confirmed,
                                                 &s->rejected, &s->issued};
    static const char *const statuses[] = {"issued", "revoked", "confirmed", "rejected", "issued"};

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "list"), 0);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        CLEANUP(mem_cleanup)
        char *row = mem_printf("%s  %-36s  %-9s  %-9s  2027-01-16T08:00:00Z  %" PRIu64 "\n",
                               all[i]->serial, i == 0 ? "-" : AUDIT_NF,
                               i == 0 ? "registrar" : "nf-tls", statuses[i], all[i]->intent);

        assert_says(s->out, row);
    }
    assert_int_equal(
        RUN(s, "--ledger", s->l.dir, "list", "--nf", "6BA7B810-9DAD-41D1-80B4-00C04FD430C8"), 0);
    assert_null(strstr(s->out, s->registrar.serial));
    assert_says(s->out, s->issued.serial);
    assert_int_equal(
        RUN(s, "--ledger", s->l.dir, "list", "--nf", "00000000-0000-4000-8000-000000000000"), 3);
    assert_string_equal(s->out, "");
}

static void
verify_finds_a_certificate_octet_by_octet(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = scene_path(s, "cert.der");
    struct span der = buf_span(&s->confirmed.certificate);
    CLEANUP(buf_free) struct buf other = BUF_INIT(4096);
    struct err e = {0};

    assert_ok(file_write(path, der, 0600, &e), &e);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--certificate", path), 0);
    assert_says(s->out, "verified: checkpoint, tiles and every leaf");
    assert_says(s->out,
                "REGISTRATION 1 REQUEST 4 INTENT 5 ISSUED 5 CONFIRMED 2 REJECTED 1 REVOKED 1");
    assert_says(s->out, "certificate  leaf 9, confirmed, inclusion proof verified");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--json", "--certificate", path), 0);
    assert_says(s->out, "\"certificate\":{\"leaf\":9,\"status\":\"confirmed\"}");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--json"), 0);
    assert_null(strstr(s->out, "\"certificate\":"));
    /* Another signature over the same content is another certificate. */
    assert_ok(buf_set(&other, der, &e), &e);
    other.p[other.n - 1] ^= 1;
    assert_ok(file_write(path, buf_span(&other), 0600, &e), &e);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--certificate", path), 3);
    assert_says(s->errors, "is not in this ledger");
}

static void
verify_remembers_and_notices_a_roll_back(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = scene_path(s, "state");
    CLEANUP(mem_cleanup) char *checkpoint = mem_printf("%s/checkpoint", s->l.dir);
    CLEANUP(buf_free) struct buf old = BUF_INIT(4096);
    CLEANUP(buf_free) struct buf now = BUF_INIT(4096);
    struct err e = {0};

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--state", path), 0);
    assert_says(s->out, "state        remembered for the first time");
    assert_ok(file_read(checkpoint, &old, &e), &e);
    (void)audit_ledger_about(&s->l, LEAF_CONFIRMED, &s->issued);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--state", path), 0);
    assert_says(s->out, "state        consistent with the remembered size 19");
    assert_ok(file_read(checkpoint, &now, &e), &e);
    assert_ok(file_write(checkpoint, buf_span(&old), 0644, &e), &e);
    assert_ok(file_write(checkpoint, buf_span(&now), 0644, &e), &e);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--state", path, "--json"), 0);
    assert_says(s->out, "\"consistentWith\":20");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--json"), 0);
    assert_null(strstr(s->out, "consistentWith"));
    assert_ok(file_write(checkpoint, buf_span(&old), 0644, &e), &e);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--state", path, "--json"), 1);
    assert_says(s->errors, "NOT VERIFIED: checkpoint: rolled back: it covers 19 leaves, the "
                           "remembered one 20");
    assert_says(s->out, "{\"reason\":\"checkpoint: rolled back");
    assert_says(s->out, "\"verified\":false}\n");
    /* The failure did not overwrite what was remembered. */
    assert_ok(file_read(path, &old, &e), &e);
    assert_true(span_equal(buf_span(&old), buf_span(&now)));
}

static void
a_changed_ledger_gets_no_answer(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/tile/entries/000.p/19", s->l.dir);
    CLEANUP(buf_free) struct buf bundle = BUF_INIT(1 << 20);
    struct err e = {0};

    assert_ok(file_read(path, &bundle, &e), &e);
    bundle.p[10] ^= 1;
    assert_ok(file_write(path, buf_span(&bundle), 0644, &e), &e);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "list"), 1);
    assert_string_equal(s->out, "");
    assert_says(s->errors, "NOT VERIFIED: tile/entries/000.p/19: leaf 0 was changed");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", "3"), 1);
    assert_string_equal(s->out, "");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify"), 1);
    assert_string_equal(s->out, "");
}

static void
misuse_is_status_2_and_says_what_to_do(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *garbage = scene_path(s, "garbage");
    const struct {
        const char *words[ARGS_MAX];
        const char *says;
    } rows[] = {
        {{"list"}, "Give its folder with --ledger DIR or in $NFPKI_LEDGER"},
        {{"--ledger", "/nonexistent", "list"}, "/nonexistent: No such file"},
        {{"--ledger", s->l.dir, "lst"}, "no such command: lst"},
        {{"--ledger", s->l.dir}, "usage: nfpki-audit"},
        {{"--ledger"}, "usage: nfpki-audit"},
        {{"--nonsense"}, "usage: nfpki-audit"},
        {{"--ledger", s->l.dir, "show"}, "usage: nfpki-audit show"},
        {{"--ledger", s->l.dir, "show", "1", "2"}, "usage: nfpki-audit show"},
        {{"--ledger", s->l.dir, "show", "--state", "x", "1"}, "usage: nfpki-audit show"},
        {{"--ledger", s->l.dir, "show", "--certificate", "x", "1"}, "usage: nfpki-audit show"},
        {{"--ledger", s->l.dir, "show", "--nf", "x", "1"}, "usage: nfpki-audit show"},
        {{"--ledger", s->l.dir, "show", "--nonsense", "1"}, "usage: nfpki-audit show"},
        {{"--ledger", s->l.dir, "show", ""}, "usage: nfpki-audit show"},
        {{"--ledger", s->l.dir, "list", "extra"}, "list what? One of certificates registrations"},
        {{"--ledger", s->l.dir, "list", "--state", "x"}, "usage: nfpki-audit list"},
        {{"--ledger", s->l.dir, "list", "--certificate", "x"}, "usage: nfpki-audit list"},
        {{"--ledger", s->l.dir, "verify", "--nf", "x"}, "usage: nfpki-audit verify"},
        {{"--ledger", s->l.dir, "verify", "extra"}, "usage: nfpki-audit verify"},
        {{"--ledger", s->l.dir, "--key", "a+b+c", "list"}, "--key: verifier key: "},
        {{"--ledger", s->l.dir, "--key", "/nonexistent", "list"}, "--key: open /nonexistent"},
        {{"--ledger", s->l.dir, "--key", garbage, "list"}, "--key: not a verifier key"},
        {{"--ledger", s->l.dir, "verify", "--certificate", "/nonexistent"}, "/nonexistent"},
        {{"--ledger", s->l.dir, "verify", "--certificate", garbage}, "garbage"},
    };
    struct err e = {0};

    assert_ok(file_write(garbage, SPAN_LITERAL("x"), 0600, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status = scene_run(s, rows[i].words);

        if (status != 2 || strstr(s->errors, rows[i].says) == NULL || s->out[0] != '\0') {
            fail_msg("row %zu: %d: %s", i, status, s->errors);
        }
    }
    assert_int_equal(RUN(s, "--help"), 0);
    assert_int_equal(RUN(s, "--version"), 0);
}

static void
the_ledger_may_be_in_the_environment_and_the_key_on_the_command_line(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *environment = mem_printf("NFPKI_LEDGER=%s", s->l.dir);
    CLEANUP(mem_cleanup) char *path = scene_key(s);
    CLEANUP(buf_free) struct buf key = BUF_INIT(4096);
    CLEANUP(mem_cleanup) char *text = NULL;
    struct err e = {0};

    assert_ok(file_read(path, &key, &e), &e);
    text = mem_printf("%.*s", (int)key.n, (const char *)key.p);
    s->environment = environment;
    assert_int_equal(RUN(s, "--key", text, "list"), 0);
    assert_string_equal(s->errors, "");
    assert_says(s->out, s->issued.serial);
    s->environment = NULL;
}

static void
what_cannot_be_written_is_no_answer(void **state)
{
    static const struct {
        const char *words[ARGS_MAX];
    } rows[] = {
        {{"verify"}},
        {{"verify", "--json"}},
        {{"list"}},
        {{"list", "--json"}},
        {{"show", "3"}},
        /* longer than what is kept back before it is written */
        {{"show", "--json", AUDIT_REGISTRATION}},
    };
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *environment = mem_printf("NFPKI_LEDGER=%s", s->l.dir);

    s->environment = environment;
    s->out_path = "/dev/full";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status = scene_run(s, rows[i].words);

        if (status != 1 ||
            strstr(s->errors, "nfpki-audit: standard output could not be written: the answer is "
                              "not whole\n") == NULL ||
            strstr(s->errors, "NOT VERIFIED") != NULL) {
            fail_msg("row %zu: %d: %s", i, status, s->errors);
        }
    }
    s->out_path = NULL;
    s->environment = NULL;
}

/* 4096 leaves are shown, one more is too many. */
static void
more_leaves_than_anybody_reads_are_not_shown(void **state)
{
    struct scene *s = *state;
    /* REGISTRATION, REQUEST, INTENT, ISSUED and REVOKED are about `revoked`, and CONFIRMED */
    enum { ARE_THERE = 6, MOST = 4096 };

    audit_ledger_refuse(&s->l, s->revoked.rid, MOST - ARE_THERE);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", "--json", s->revoked.serial), 0);
    assert_says(s->out, "\"status\":\"revoked\"");
    audit_ledger_refuse(&s->l, s->revoked.rid, 1);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", s->revoked.serial), 2);
    assert_says(s->errors, "more than 4096 leaves are about this: ask for one of them");
    assert_string_equal(s->out, "");
}

static void
names_that_are_no_text_are_shown_but_not_as_json(void **state)
{
    struct scene *s = *state;
    struct audit_enrolment odd;

    s->l.alt_names = "otherName:1.3.6.1.5.5.7.8.9;UTF8:amf^.example";
    audit_ledger_enrol(&s->l, 6, true, &odd);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", odd.serial), 0);
    assert_null(strchr(s->out, '\xff'));
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", "--json", odd.serial), 1);
    assert_says(s->errors, "the names in the certificate are not UTF-8");
    buf_free(&odd.certificate);
}

static void
a_certificate_that_ends_at_no_time_is_not_summed_up(void **state)
{
    struct scene *s = *state;
    struct audit_enrolment odd;

    s->l.no_time = true;
    audit_ledger_enrol(&s->l, 6, true, &odd);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify"), 0);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", odd.serial), 1);
    assert_says(s->errors, "validity of the certificate");
    buf_free(&odd.certificate);
}

static void
what_is_not_there_is_status_3(void **state)
{
    struct scene *s = *state;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", "19"), 3);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", "5a000000000000000000000000000000"), 3);
    assert_says(s->errors, "nothing about 5a0000");
}

static void
json_is_json_and_has_the_proofs(void **state)
{
    struct scene *s = *state;
    json_t *root;
    json_t *leaves;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", "--json", s->confirmed.serial), 0);
    root = json_loads(s->out, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "status")), "confirmed");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(root, "certificate"), "subject")),
        "O=5gc.example");
    leaves = json_object_get(root, "leaves");
    /* REGISTRATION, REQUEST, INTENT, ISSUED, CONFIRMED */
    assert_int_equal(json_array_size(leaves), 5);
    for (size_t i = 0; i < json_array_size(leaves); i++) {
        assert_true(json_array_size(json_object_get(json_array_get(leaves, i), "proof")) > 0);
    }
    assert_non_null(json_object_get(root, "registrarCertificate"));
    json_decref(root);

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--json"), 0);
    root = json_loads(s->out, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_is_true(json_object_get(root, "verified")));
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(root, "checkpoint"), "size")), 19);
    json_decref(root);

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "list", "--json"), 0);
    root = json_loads(s->out, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
    assert_string_equal(json_string_value(json_object_get(root, "serial")), s->registrar.serial);
    json_decref(root);
}

/* It is for people to judge: the record is in order. */
static void
places_that_an_ra_gave_twice_are_told(void **state)
{
    struct scene *s = *state;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify"), 0);
    assert_null(strstr(s->out, "queue twice"));
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--json"), 0);
    assert_says(s->out, "\"queueTwice\":0,");
    audit_ledger_two_heads(&s->l);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify"), 0);
    assert_says(s->out, "\n  unapproved   0\n  queue twice  1\n");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--json"), 0);
    assert_says(s->out, "\"queueTwice\":1,");
}

static void
start_of(struct scene *s, int64_t record, time_t back_from)
{
    struct leaf *leaf = audit_ledger_leaf(&s->l, LEAF_START);
    const uint8_t hash[SHA256_SIZE] = {1};

    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "0");
    leaf_set_hex(leaf, "config", span_of(hash, sizeof(hash)));
    leaf_set_bool(leaf, "softwareToken", false);
    leaf_set_hex(leaf, "issuer", span_of(hash, sizeof(hash)));
    leaf_set_int(leaf, "record", record);
    if (back_from != 0) {
        leaf_set_time(leaf, "clockSetBack", back_from);
    }
    (void)audit_ledger_append(&s->l, leaf);
}

static void
times_that_go_back_are_told_and_findings_by_much(void **state)
{
    struct scene *s = *state;
    time_t before;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--json"), 0);
    assert_says(s->out,
                "\"times\":{\"back\":0,\"findings\":0,\"found\":[],\"most\":0,\"setBack\":0}");
    s->l.now -= 86400; /* in version 1 */
    (void)audit_ledger_about(&s->l, LEAF_CONFIRMED, &s->issued);
    before = s->l.now + 86400;
    s->l.now = before; /* of the START */
    start_of(s, 4, 0);
    s->l.now = before - 3600; /* as people said */
    start_of(s, 4, before);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify"), 0);
    assert_says(s->out, "\n  times back   2, by 86399 s at most\n  set back     2\n  signatures");
    assert_null(strstr(s->errors, "finding"));

    s->l.now = before - 3600 - 7200;
    start_of(s, 4, 0);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify"), 4);
    assert_says(s->out, "verified: checkpoint, tiles and every leaf\n");
    assert_says(s->out, "\n  set back     2\n  findings     1\n");
    assert_says(s->errors, "nfpki-audit: finding: leaf 22 is dated ");
    assert_says(s->errors, "Z, 7200 s before the leaf before it: the clock was set back");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--json"), 4);
    assert_says(s->out, "\"findings\":1,\"found\":[{\"before\":\"");
    assert_says(s->out, "\"leaf\":22,");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "list"), 0);
    assert_says(s->errors, "finding: leaf 22 is dated ");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", "3"), 0);
    assert_says(s->errors, "finding: leaf 22 is dated ");
}

/* The registrar's certificate, signed by itself here, as that of the authority. */
static void
start_under(struct scene *s, struct span issuing)
{
    struct leaf *leaf = audit_ledger_leaf(&s->l, LEAF_START);
    uint8_t hash[SHA256_SIZE] = {0};
    struct err e = {0};

    assert_ok(sha256(issuing, hash, &e), &e);
    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "0");
    leaf_set_hex(leaf, "config", span_of(hash, sizeof(hash)));
    leaf_set_bool(leaf, "softwareToken", false);
    leaf_set_hex(leaf, "issuer", span_of(hash, sizeof(hash)));
    (void)audit_ledger_append(&s->l, leaf);
}

static void
what_the_issuing_key_signed_is_verified_or_said_not_to_be(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *issuing = mem_printf("%s/issuing.der", s->l.base);
    CLEANUP(mem_cleanup) char *other = mem_printf("%s/other.der", s->l.base);
    struct audit_enrolment officer;
    struct err e = {0};

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify"), 0);
    assert_says(s->out, "signatures   5 certificates are NOT VERIFIED with the issuing key");
    assert_ok(file_write(issuing, buf_span(&s->registrar.certificate), 0600, &e), &e);
    assert_ok(file_write(other, buf_span(&s->issued.certificate), 0600, &e), &e);
    start_under(s, buf_span(&s->registrar.certificate));
    audit_ledger_enrol(&s->l, 9, false, &officer);
    buf_free(&officer.certificate);
    audit_ledger_publish(&s->l);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--issuer", issuing), 0);
    assert_says(s->out, "signatures   1 certificates and 0 CRLs, verified with the issuing key");
    assert_says(s->out, "signatures   5 certificates are NOT VERIFIED with the issuing key");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--json", "--issuer", issuing), 0);
    assert_says(s->out, "\"verified\":1");
    assert_says(s->out, "\"unverified\":5");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--issuer", other), 1);
    assert_says(s->errors, "other.der: no START names this issuing certificate");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--issuer", "/nonexistent"), 2);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--state", "/nonexistent/state"), 2);
    assert_null(strstr(s->errors, "NOT VERIFIED"));
    assert_says(s->errors, "/nonexistent/state");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "check", "--state", "/nonexistent/state"), 2);
    assert_null(strstr(s->errors, "NOT VERIFIED"));
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "lint", "--state", "/nonexistent/state"), 2);
    assert_null(strstr(s->errors, "NOT VERIFIED"));
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--crl", issuing), 2);
    assert_says(s->errors, "--crl needs --issuer");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--issuer", issuing, "--crl", issuing),
                     2);
    assert_says(s->errors, "issuing.der: not one CRL with a number in DER");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "list", "--issuer", issuing), 0);
    assert_says(s->out, "registrar  issued");
    assert_null(strstr(s->out, "nf-tls"));
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "list", "--issuer", other), 3);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "show", "0", "--issuer", issuing), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(show_tells_the_whole_story_of_a_certificate),
        SCENE(show_of_a_registration_has_everything_under_it),
        SCENE(show_without_a_given_key_warns),
        SCENE(list_has_a_row_with_the_status_of_each_certificate),
        SCENE(verify_finds_a_certificate_octet_by_octet),
        SCENE(verify_remembers_and_notices_a_roll_back),
        SCENE(a_changed_ledger_gets_no_answer),
        SCENE(misuse_is_status_2_and_says_what_to_do),
        SCENE(the_ledger_may_be_in_the_environment_and_the_key_on_the_command_line),
        SCENE(what_cannot_be_written_is_no_answer),
        SCENE(more_leaves_than_anybody_reads_are_not_shown),
        SCENE(names_that_are_no_text_are_shown_but_not_as_json),
        SCENE(a_certificate_that_ends_at_no_time_is_not_summed_up),
        SCENE(what_is_not_there_is_status_3),
        SCENE(json_is_json_and_has_the_proofs),
        SCENE(places_that_an_ra_gave_twice_are_told),
        SCENE(times_that_go_back_are_told_and_findings_by_much),
        SCENE(what_the_issuing_key_signed_is_verified_or_said_not_to_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
