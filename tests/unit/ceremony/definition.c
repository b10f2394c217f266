/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <string.h>

#include "base/file.h"
#include "ceremony/definition.h"
#include "tests/support/tmpdir.h"

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

/* GOOD with the first `from` replaced by `to`. */
static char *
changed(const char *from, const char *to)
{
    const char *at = strstr(GOOD, from);

    assert_non_null(at);
    return mem_printf("%.*s%s%s", (int)(at - GOOD), GOOD, to, at + strlen(from));
}

static struct definition *
load(const char *dir, const char *text, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/def.conf", dir);

    assert_ok(file_write(path, span_str(text), 0600, e), e);
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
         "secret: root-generate has no such section"},
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_definition_is_read),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(revocations_ascend_and_have_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
