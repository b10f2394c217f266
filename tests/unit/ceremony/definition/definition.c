/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ceremony/definition/definition.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/ceremony/definition/rows.h"

static const char GOOD[] = "# a comment\n"
                           "ceremony = 1\n"
                           "id = \"root-g1\"\n"
                           "type = \"root-generate\"\n"
                           "cps = \"CPS 1.0 section 7\"\n"
                           "prev = \"none\"\n"
                           "output = \"bundle\"\n"
                           "person \"alice\" { name = \"Alice\" role = \"administrator\" }\n"
                           "person \"walter\" { name = \"Walter\" role = \"witness\" }\n"
                           "token {\n"
                           "    module = \"/usr/lib/x.so\"\n"
                           "    label = \"root-token\"\n"
                           "    expect = \"fresh\"\n"
                           "}\n"
                           "key \"root\" {\n"
                           "    algorithm = \"P-384\"\n"
                           "    attributes = \"root-signing-v1\"\n"
                           "}\n"
                           "certificate {\n"
                           "    profile = \"root\"\n"
                           "    subject = \"C=SE, O=Example, CN=Root\"\n"
                           "    not_before = 2026-11-23T12:00:00Z\n"
                           "    not_after = 2046-11-22T11:59:59Z\n"
                           "}\n"
                           "clock {\n"
                           "    not_before = 2026-11-23T08:00:00Z\n"
                           "    not_after = 2026-11-23T20:00:00Z\n"
                           "}\n";

/* `text` with the first `from` replaced by `to`. */
static char *
changed_in(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    if (at == NULL) {
        fail_msg("no '%s'", from);
        return NULL;
    }
    return mem_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static char *
changed(const char *from, const char *to)
{
    return changed_in(GOOD, from, to);
}

static struct definition *
load(const char *dir, const char *text, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/def.conf", dir);

    FILE *file = fopen(path, "we"); /* without fsync: there are hundreds */

    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
    return definition_load(path, e);
}

static void
a_good_definition_is_read(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    struct err e = {0};
    CLEANUP(definition_cleanup) struct definition *d = load(dir, GOOD, &e);
    CLEANUP(mem_cleanup) char *output = mem_printf("%s/bundle", dir);
    uint8_t hash[SHA256_SIZE];

    (void)state;
    if (d == NULL) {
        fail_msg("%s", e.text);
        return;
    }
    assert_int_equal(d->type, ROOT_GENERATE);
    assert_true(definition_makes_token(d));
    assert_string_equal(d->id, "root-g1");
    assert_null(d->prev);
    assert_string_equal(d->output, output);
    assert_int_equal(d->n_people, 2);
    assert_int_equal(d->people[1].role, ROLE_WITNESS);
    assert_string_equal(d->token.label, "root-token");
    assert_null(d->token.config);
    assert_int_equal(d->n_keys, 1);
    assert_string_equal(d->keys[0].algorithm, "P-384");
    assert_int_equal(d->keys[0].kind, PUBKEY_P384);
    assert_string_equal(d->certificate.subject.common_name, "Root");
    assert_int_equal(d->clock.skew_max, 120);
    assert_false(d->software_token_accepted);
    assert_ok(sha256(span_str(GOOD), hash, &e), &e);
    assert_memory_equal(hash, d->hash, sizeof(hash));
}

static void
what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *reason; /* must be in the text */
    } rows[] = {
        {"ceremony = 1", "ceremony = 2", ":2: ceremony: the format must be 1"},
        {"id = \"root-g1\"\n", "", ":1: id: is missing"},
        {"id = \"root-g1\"", "id = \"../x\"", ":3: id: '../x'"},
        {"type = \"root-generate\"", "type = \"root-make\"", ":4: type: 'root-make'"},
        {"cps = \"CPS 1.0 section 7\"\n", "", "cps: is missing"},
        {"prev = \"none\"", "prev = \"bundles/x\"", ":6: prev: a root's line begins"},
        {"output = \"bundle\"\n", "", "output: is missing"},
        {"output = \"bundle\"\n", "output = \"a\"\noutput = \"b\"\n", ":8: 'output' stands"},
        {"output = \"bundle\"\n", "outptu = \"bundle\"\n", ":7: no such option 'outptu'"},
        {"label = \"root-token\"", "lable = \"x\"", ":12: no such option 'token.lable'"},
        {"output = \"bundle\"\n", "output = \"$HOME/x\"\n", ":7: `$` is not allowed"},
        {"output = \"bundle\"\n", "output =\t\"bundle\"\n", ":7: octet 0x09"},
        {"\"administrator\"", "\"boss\"", ":8: person.alice.role: 'boss'"},
        {"\"administrator\"", "\"officer\"", "there must be an administrator"},
        {"name = \"Walter\"", "name = \"Alice\"", ":9: person.walter.role: Alice has a role"},
        {"person \"walter\"", "person \"alice\"", ":9: 'person.alice' stands in line 8"},
        {"module = \"/usr/lib/x.so\"", "module = \"x.so\"", ":11: token.module: must be an abs"},
        {"    label = \"root-token\"\n", "", ":10: token.label: is missing"},
        {"expect = \"fresh\"", "expect = \"root\"", ":13: token.expect"},
        {"expect = \"fresh\"", "expect = \"fresh\"\nserial = \"12\"", ":14: token.serial: a fresh"},
        {"clock {", "secret \"s\" { attributes = \"ra-seal-v1\" }\nclock {",
         "secret.s: root-generate has no such section"},
        {"\"P-384\"", "\"P-521\"", ":16: key.root.algorithm: 'P-521'"},
        {"\"root-signing-v1\"", "\"issuing-signing-v1\"", ":17: key.root.attributes"},
        {"key \"root\" {",
         "key \"two\" {algorithm = \"P-256\" attributes = \"root-signing-v1\"}\n"
         "key \"root\" {",
         "one key too many"},
        {"profile = \"root\"", "profile = \"issuing\"", ":20: certificate.profile"},
        {"CN=Root", "CN=REHEARSAL Root", ":21: certificate.subject"},
        {"C=SE, O=Example, CN=Root", "C=SE, O=Example", ":21: certificate.subject: needs a CN"},
        {"2026-11-23T12:00:00Z", "2026-11-31T12:00:00Z", ":22: certificate.not_before: no such"},
        {"2046-11-22T11:59:59Z", "2026-11-22T11:59:59Z", ":23: certificate.not_after: is not la"},
        {"    not_after = 2046", "    crl_url = \"http://x/y\"\n    not_after = 2046",
         ":23: certificate.crl_url: a root has none"},
        {"clock {", "csr { file = \"x\" }\nclock {", ":25: csr: root-generate has no such"},
        {"clock {", "crl { this_update = 2026-11-23T08:00:00Z }\nclock {", ":25: crl: root-gen"},
        {"clock {", "clock {\n    skew_max = 0", ":26: clock.skew_max: 0 is not within"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        CLEANUP(mem_cleanup) char *text = changed(rows[i].from, rows[i].to);
        struct err e = {0};
        CLEANUP(definition_cleanup) struct definition *d = load(dir, text, &e);

        if (d != NULL) {
            fail_msg("row %zu (%s): accepted", i, rows[i].to);
        }
        if (e.code != ERR_INPUT || strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("row %zu (%s): %s", i, rows[i].to, e.text);
        }
    }
}

static const char CRL[] = "ceremony = 1\n"
                          "id = \"crl-2\"\n"
                          "type = \"root-crl\"\n"
                          "cps = \"CPS\"\n"
                          "prev = \"b1\"\n"
                          "output = \"b2\"\n"
                          "person \"a\" { name = \"A\" role = \"administrator\" }\n"
                          "person \"w\" { name = \"W\" role = \"witness\" }\n"
                          "token { module = \"/x.so\" label = \"r\" serial = \"%s\" expect = "
                          "\"root\" }\n"
                          "crl {\n"
                          "    this_update = 2026-11-23T12:00:00Z\n"
                          "    next_update = %s\n"
                          "%s"
                          "}\n"
                          "clock { not_before = 2026-11-23T08:00:00Z not_after = "
                          "2026-11-24T08:00:00Z }\n";

static void
revocations_ascend_and_have_a_reason(void **state)
{
    static const char one[] = "revoke \"40000000000000000000000000000001\" { time = "
                              "2026-11-20T00:00:00Z reason = \"superseded\" }\n";
    static const char two[] = "revoke \"40000000000000000000000000000002\" { time = "
                              "2026-11-20T00:00:00Z reason = \"keyCompromise\" }\n";
    static const char none[] = "revoke \"40000000000000000000000000000003\" { time = "
                               "2026-11-20T00:00:00Z reason = \"unspecified\" }\n";
    const struct {
        const char *serial;
        const char *next;
        const char *first;
        const char *second;
        const char *reason; /* NULL: good */
    } rows[] = {
        {"previous", "2027-11-22T12:00:00Z", one, two, NULL},
        {"0123456789abcdef", "2027-11-22T12:00:00Z", "", "", NULL},
        {"", "2027-11-22T12:00:00Z", "", "", ":9: token.serial: is missing"},
        {"previous", "2027-11-23T12:00:00Z", "", "", ":12: crl.next_update: is more than 365"},
        {"previous", "2027-11-22T12:00:00Z", two, one, "serials must ascend"},
        {"previous", "2027-11-22T12:00:00Z", one, one, "stands in line 13 already"},
        {"previous", "2027-11-22T12:00:00Z", none, "", "is revoked for a reason"},
        {"previous", "2027-11-22T12:00:00Z", "revoke \"12\" {}\n", "", ":13: crl.revoke.12"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
        CLEANUP(mem_cleanup) char *entries = mem_printf("%s%s", rows[i].first, rows[i].second);
        CLEANUP(mem_cleanup) char *text = mem_printf(CRL, rows[i].serial, rows[i].next, entries);
        struct err e = {0};
        CLEANUP(definition_cleanup) struct definition *d = load(dir, text, &e);

        if ((d != NULL) != (rows[i].reason == NULL) ||
            (d == NULL && strstr(e.text, rows[i].reason) == NULL)) {
            fail_msg("row %zu: %s", i, e.text);
        }
        if (d != NULL && i == 0) {
            assert_int_equal(d->crl.n_revoked, 2);
            assert_int_equal(d->crl.revoked[1].reason, CRL_KEY_COMPROMISE);
        }
    }
}

static void
each_option_has_its_limits_and_each_reason_its_line(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < n_definition_rows; i++) {
        const struct definition_row *row = &definition_rows[i];
        CLEANUP(mem_cleanup)
        char *text = changed_in(definition_texts[row->which], row->from, row->to);
        struct err e = {0};
        CLEANUP(definition_cleanup) struct definition *d = load(dir, text, &e);
        const char *said = d == NULL ? strstr(e.text, "def.conf:") : "";
        bool right = row->reason == NULL ? d != NULL
                                         : d == NULL && e.code == ERR_INPUT && said != NULL &&
                                               strstr(said, row->reason) != NULL;

        if (!right) {
            print_error("row %zu (%s): not '%s' but '%s'\n", i, row->to,
                        row->reason == NULL ? "" : row->reason, e.text);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* So many sections of one kind, and one more. */
static void
sections_are_counted(void **state)
{
    static const struct {
        enum which which;
        const char *before; /* they are put in front of this */
        const char *section;
        size_t there;
        size_t most;
        const char *reason;
    } rows[] = {
        {A_ROOT, "person \"walter\"", "person \"p%zu\" { name = \"P%zu\" role = \"officer\" }\n", 2,
         16, "person.walter: more than 16 people"},
        {A_ROOT, "key \"root\"",
         "key \"k%zu\" { algorithm = \"P-256\" attributes = \"root-signing-v1\" } # %zu\n", 1, 1,
         "key.root: one key too many"},
        {A_KEYS, "key \"issuing\"",
         "key \"k%zu\" { algorithm = \"P-256\" attributes = \"ra-signing-v1\" } # %zu\n", 1, 8,
         "key.issuing: one key too many"},
        {A_CRL, " revoke \"40000000000000000000000000000001\"",
         "revoke \"300000000000000000000000000%05zu\" { time = 2026-11-20T00:00:00Z reason = "
         "\"superseded\" } # %zu\n",
         2, 64, "crl.revoke.40000000000000000000000000000002: more than 64 revocations"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t more = 0; more < 2; more++) {
            CLEANUP(buf_free) struct buf sections = BUF_INIT(64 * 1024);
            CLEANUP(mem_cleanup) char *text = NULL;
            CLEANUP(definition_cleanup) struct definition *d = NULL;
            struct err e = {0};

            for (size_t n = rows[i].there; n < rows[i].most + more; n++) {
                char line[256];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                (void)snprintf(line, sizeof(line), rows[i].section, n, n);
#pragma GCC diagnostic pop
                assert_ok(buf_append_str(&sections, line, &e), &e);
            }
            assert_ok(buf_append_str(&sections, rows[i].before, &e), &e);
            assert_ok(buf_append(&sections, span_of("", 1), &e), &e);
            text = changed_in(definition_texts[rows[i].which], rows[i].before,
                              (const char *)sections.p);
            d = load(dir, text, &e);
            if ((d != NULL) != (more == 0) ||
                (d == NULL && strstr(e.text, rows[i].reason) == NULL)) {
                fail_msg("row %zu, %zu more: '%s'", i, more, e.text);
            }
        }
    }
}

static void
without_people_or_a_key_or_a_section_there_is_no_ceremony(void **state)
{
    static const struct {
        enum which which;
        const char *section; /* goes, up to its end */
        const char *reason;
    } rows[] = {
        {A_ROOT, "key \"root\" {", ":1: key: there is no key"},
        {A_SUB, "csr {", ":1: csr: the section is missing"},
        {A_SUB, "certificate {", ":1: certificate: the section is missing"},
        {A_CRL, "token {", ":1: token: the section is missing"},
        {A_KEYS, "clock {", ":1: clock: the section is missing"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *text = definition_texts[rows[i].which];
        const char *at = strstr(text, rows[i].section);
        const char *end = strstr(at, "\n}\n");
        CLEANUP(mem_cleanup) char *rest = mem_printf("%.*s%s", (int)(at - text), text, end + 3);
        struct err e = {0};
        CLEANUP(definition_cleanup) struct definition *d = load(dir, rest, &e);

        if (d != NULL || strstr(e.text, rows[i].reason) == NULL) {
            fail_msg("row %zu: not '%s' but '%s'", i, rows[i].reason, e.text);
        }
    }
    {
        CLEANUP(mem_cleanup)
        char *text = mem_printf(
            "%.*s", (int)(strstr(definition_texts[A_CRL], "crl {") - definition_texts[A_CRL]),
            definition_texts[A_CRL]);
        struct err e = {0};

        assert_null(load(dir, text, &e));
        assert_non_null(strstr(e.text, ":1: crl: the section is missing"));
    }
}

/* Every option gets where it belongs. */
static void
every_value_is_read(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *here = mem_printf("%s/before", dir);
    CLEANUP(mem_cleanup) char *csr = mem_printf("%s/a.csr", dir);
    CLEANUP(mem_cleanup) char *config = mem_printf("%s/x.conf", dir);
    CLEANUP(mem_cleanup) char *tokens = mem_printf("%s/tokens", dir);
    struct err e = {0};
    CLEANUP(definition_cleanup) struct definition *root = load(dir, definition_texts[A_ROOT], &e);
    CLEANUP(definition_cleanup) struct definition *keys = load(dir, definition_texts[A_KEYS], &e);
    CLEANUP(definition_cleanup) struct definition *sub = load(dir, definition_texts[A_SUB], &e);
    CLEANUP(definition_cleanup) struct definition *crl = load(dir, definition_texts[A_CRL], &e);
    CLEANUP(definition_cleanup)
    struct definition *secret = load(dir, definition_texts[A_SECRET], &e);
    char text[TIME_TEXT_SIZE];

    (void)state;
    if (root == NULL || keys == NULL || sub == NULL || crl == NULL || secret == NULL) {
        fail_msg("%s", e.text);
        return;
    }
    assert_int_equal(keys->type, KEY_GENERATE);
    assert_int_equal(sub->type, SUB_ISSUE);
    assert_int_equal(crl->type, ROOT_CRL);
    assert_true(definition_makes_token(root) && definition_makes_token(keys));
    assert_false(definition_makes_token(sub) || definition_makes_token(crl));
    assert_int_equal(secret->type, SECRET_GENERATE);
    assert_false(definition_makes_token(secret) || definition_uses_root(secret));
    assert_true(definition_makes_keys(root) && definition_makes_keys(keys) &&
                definition_makes_keys(secret));
    assert_true(definition_uses_root(sub) && definition_uses_root(crl));
    assert_string_equal(secret->token.serial, "N 4711");
    assert_string_equal(secret->secrets[0].attributes, "ra-seal-v1");
    assert_string_equal(root->cps, "CPS 1.0");
    assert_string_equal(root->credentials, "/secret");
    assert_true(root->software_token_accepted && root->network_accepted && root->swap_accepted);
    assert_string_equal(root->people[0].id, "alice");
    assert_string_equal(root->people[0].name, "Alice");
    assert_string_equal(person_role_name(root->people[0].role), "administrator");
    assert_string_equal(root->token.module, "/x.so");
    assert_string_equal(root->token.config, config);
    assert_string_equal(root->token.directory, tokens);
    assert_string_equal(sub->token.directory, "/tokens");
    assert_string_equal(sub->token.serial, "");
    assert_int_equal(root->clock.skew_max, 60);
    time_format(root->clock.not_before, text);
    assert_string_equal(text, "2026-11-23T08:00:00Z");
    time_format(root->clock.not_after, text);
    assert_string_equal(text, "2026-11-23T20:00:00Z");
    time_format(root->certificate.not_after, text);
    assert_string_equal(text, "2027-11-23T12:00:00Z");
    assert_false(root->keys[0].has_subject);
    assert_string_equal(root->certificate.crl_url, "");
    assert_string_equal(keys->prev, here);
    assert_string_equal(keys->keys[0].label, "issuing");
    assert_string_equal(keys->keys[0].attributes, "issuing-signing-v1");
    assert_int_equal(keys->keys[0].kind, PUBKEY_P256);
    assert_true(keys->keys[0].has_subject);
    assert_string_equal(keys->keys[0].subject.organization, "Example");
    assert_int_equal(keys->n_secrets, 1);
    assert_string_equal(keys->secrets[0].label, "seal");
    assert_string_equal(sub->prev, "/before");
    assert_string_equal(sub->csr.file, csr);
    assert_int_equal(sub->csr.sha256[SHA256_SIZE - 1], 0x0f);
    assert_string_equal(sub->certificate.crl_url, "http://x/y");
    assert_int_equal(crl->crl.skip, 3);
    assert_int_equal(crl->crl.n_revoked, 2);
    assert_int_equal(crl->crl.revoked[1].serial[SERIAL_SIZE - 1], 2);
    assert_int_equal(crl->crl.revoked[1].serial_size, SERIAL_SIZE);
    time_format(crl->crl.revoked[0].revoked_at, text);
    assert_string_equal(text, "2026-11-20T00:00:00Z");
    time_format(crl->crl.next_update, text);
    assert_string_equal(text, "2027-05-23T12:00:00Z");
}

static void
a_definition_has_64_kib_at_most(void **state)
{
    enum { LIMIT = 64 * 1024 };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();

    (void)state;
    for (int more = 0; more < 2; more++) {
        int blanks = LIMIT - (int)strlen(GOOD) + more;
        CLEANUP(mem_cleanup) char *text = mem_printf("%s%*s", GOOD, blanks, "\n");
        struct err e = {0};
        CLEANUP(definition_cleanup) struct definition *d = load(dir, text, &e);

        if ((d != NULL) != (more == 0) ||
            (d == NULL && strstr(e.text, "more than the allowed 65536 octets") == NULL)) {
            fail_msg("%d more: %s", more, e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_definition_is_read),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(revocations_ascend_and_have_a_reason),
        cmocka_unit_test(each_option_has_its_limits_and_each_reason_its_line),
        cmocka_unit_test(sections_are_counted),
        cmocka_unit_test(without_people_or_a_key_or_a_section_there_is_no_ceremony),
        cmocka_unit_test(every_value_is_read),
        cmocka_unit_test(a_definition_has_64_kib_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
