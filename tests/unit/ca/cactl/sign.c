/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-cactl sign: what an officer sees and signs that is not about a request. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/registration/envelope.h"
#include "tests/support/test.h"
#include "tests/unit/ca/cactl/officer.h"
#include "tests/unit/ca/cactl/scene.h"

#define ROOT "abababababababababababababababababababababababababababababababab"
#define NEW_LOG ", \"new log\":{\"origin\":\"ca.example/2\", \"signed\":212, \"root\":\"" ROOT "\"}"
/* With these four members. */
#define PLAN(kind, time, origin, root, more)                                                       \
    "{\n \"version\":1, \"kind\":\"" kind "\", \"time\":\"" time "\",\n"                           \
    " \"database\":{\"leaves\":120, \"root\":\"" ROOT "\"},\n"                                     \
    " \"log\":{\"origin\":\"" origin "\", \"leaves\":207, \"root\":\"" root "\"},\n"               \
    " \"crl\":{\"number\":41, \"sha256\":\"" ROOT "\"},\n"                                         \
    " \"read back\":{\"registrations\":3, \"certificates\":5, \"revocations\":1, \"crls\":2},\n"   \
    " \"given up\":4, \"refused\":6, \"void\":7, \"from the CRL\":8,\n"                            \
    " \"adopted\":{\"certificates\":9, \"sha256\":\"" ROOT "\"},\n"                                \
    " \"on trust\":\"journal\"" more "}\n"
#define TIME "2026-11-29T20:00:00Z"
#define GOOD PLAN("restore", TIME, "ca.example/1", ROOT, "")

struct desk {
    struct cactl_scene *scene;
    struct cactl_officer officer;
    char *plan;
    char *out;
};

static int
setup(void **state)
{
    struct desk *d = mem_zalloc(1, sizeof(*d));
    void *scene;

    assert_int_equal(cactl_scene_setup(&scene), 0);
    d->scene = scene;
    cactl_officer_make(&d->officer, scene);
    d->plan = cactl_file(scene, "plan.json", SPAN_LITERAL(GOOD));
    d->out = mem_printf("%s/plan.p7s", d->scene->dir);
    *state = d;
    return 0;
}

static int
teardown(void **state)
{
    struct desk *d = *state;
    void *scene = d->scene;

    cactl_officer_free(&d->officer);
    mem_free(d->plan);
    mem_free(d->out);
    mem_free(d);
    return cactl_scene_teardown(&scene);
}

static void
must_say(const char *text, const char *wanted)
{
    if (strstr(text, wanted) == NULL) {
        fail_msg("no \"%s\" in:\n%s", wanted, text);
    }
}

/* One more "must not be there" than access(2) says. */
static void
nothing_is_written(const struct desk *d)
{
    assert_int_equal(access(d->out, F_OK), -1);
    assert_int_equal(d->scene->n_asked, 0);
}

static void
a_plan_is_shown_with_all_that_is_in_it(void **state)
{
    static const char *const lines[] = {
        "Plan of a restore of ca.db, made " TIME "\n",
        "  left         120 leaves, root " ROOT "\n",
        "  ledger       ca.example/1: 207 leaves, root " ROOT "\n",
        "  CRL          number 41, SHA-256 " ROOT "\n",
        "  read back    3 registrations, 5 certificates, 1 revocations, 2 CRLs\n",
        "  given up     4 requests",
        "  refused      6 requests",
        "  void         7 one-time secrets\n",
        "  from the CRL 8 revocations",
        "  adopted      9 that the ledger lost and somebody has; file SHA-256 " ROOT "\n",
        "  on trust     journal\n",
    };
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;
    CLEANUP(mem_cleanup)
    char *new_log = cactl_file(s, "new.json",
                               SPAN_LITERAL(PLAN("restore", TIME, "ca.example/1", ROOT, NEW_LOG)));

    CACTL_RUN(s, "sign", "--show", d->plan);
    cactl_expect(s, "show", 0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        must_say(s->out, lines[i]);
    }
    assert_null(strstr(s->out, "new log"));
    CACTL_RUN(s, "sign", "--show", new_log);
    cactl_expect(s, "a new log", 0, NULL);
    must_say(s->out, "  new log      ca.example/2; the one before is at its end, its key had "
                     "signed 212 leaves, root " ROOT "\n");
    nothing_is_written(d);
}

/* What is in the file is that document, signed by this officer. */
static void
check_signed(const struct desk *d)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(ENVELOPE_MAX);
    CLEANUP(cms_cleanup) CMS_ContentInfo *cms = NULL;
    ASN1_OCTET_STRING **content;
    X509 *signer;
    const unsigned char *p;
    struct err e = {0};

    assert_ok(file_read(d->out, &der, &e), &e);
    p = der.p;
    cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    assert_non_null(cms);
    assert_int_equal(
        CMS_verify(cms, NULL, NULL, NULL, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY), 1);
    content = CMS_get0_content(cms);
    assert_true(
        span_equal(span_of(ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content)),
                   SPAN_LITERAL(GOOD)));
    {
        STACK_OF(X509) *signers = CMS_get0_signers(cms);

        assert_int_equal(sk_X509_num(signers), 1);
        signer = sk_X509_value(signers, 0);
        assert_int_equal(X509_cmp(signer, d->officer.certificate), 0);
        sk_X509_free(signers);
    }
    assert_int_equal(unlink(d->out), 0);
}

static void
what_is_signed_is_the_octets_that_were_shown(void **state)
{
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;

    CACTL_RUN(s, "sign", "--certificate", d->officer.certificate_path, "--key", d->officer.key_path,
              "--out", d->out, "--yes", d->plan);
    cactl_expect(s, "sign", 0, "Plan of a restore of ca.db");
    check_signed(d);
    s->passphrase_fd = cactl_readable("secret\n");
    CACTL_RUN(s, "sign", "--certificate", d->officer.certificate_path, "--key",
              d->officer.locked_path, "--passphrase-fd", "3", "--out", d->out, "--yes", d->plan);
    cactl_expect(s, "with a passphrase", 0, "Plan of a restore of ca.db");
    check_signed(d);
    (void)close(s->passphrase_fd);
    s->passphrase_fd = -1;
    assert_int_equal(s->n_asked, 0);
}

static void
what_is_no_document_of_a_known_kind_is_not_signed(void **state)
{
    static const char other_kind[] = "no document that officers sign: give the file as nfpki-ca "
                                     "--restore or --acknowledge printed it";
    static char large[ENVELOPE_CONTENT_MAX + 1];
    const struct {
        const char *name;
        struct span text; /* none: there is no file */
        int status;
        const char *says;
    } rows[] = {
        {"no file", span_of(NULL, 0), 1, "No such file"},
        {"too long", span_of(large, sizeof(large)), 2, "document"},
        {"a text", SPAN_LITERAL("pay 100\n"), 2, other_kind},
        {"a kind of JSON as a text", SPAN_LITERAL("restore\n"), 2, other_kind},
        {"half of JSON", SPAN_LITERAL("{\n \"kind\":\"restore\""), 2, other_kind},
        {"an array", SPAN_LITERAL("[\n]\n"), 2, other_kind},
        {"another kind", SPAN_LITERAL(PLAN("approval", TIME, "o", ROOT, "")), 2, other_kind},
        {"two kinds", SPAN_LITERAL(PLAN("restore", TIME, "o", ROOT, ", \"kind\":\"restore\"")), 2,
         other_kind},
        {"something besides", SPAN_LITERAL(PLAN("restore", TIME, "o", ROOT, ", \"more\":1")), 2,
         "plan of a restore: "},
        {"something besides the new log",
         SPAN_LITERAL(PLAN("restore", TIME, "o", ROOT,
                           ", \"new log\":{\"origin\":\"o\", \"signed\":1, \"root\":\"" ROOT
                           "\", \"more\":1}")),
         2, "plan of a restore: "},
        {"something is missing", SPAN_LITERAL("{\n \"kind\":\"restore\", \"version\":1}"), 2,
         "plan of a restore: "},
        {"a root that is none", SPAN_LITERAL(PLAN("restore", TIME, "o", "abab", "")), 2,
         "log.root: not 64 hexadecimal digits"},
        {"a time that is none", SPAN_LITERAL(PLAN("restore", "today", "o", ROOT, "")), 2, "time: "},
        {"what moves the cursor", SPAN_LITERAL(PLAN("restore", TIME, "o\\u001b[2J", ROOT, "")), 2,
         "a text that is not printable ASCII"},
    };
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;

    memset(large, ' ', sizeof(large));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *path = rows[i].text.n == 0 ? mem_printf("%s/none", s->dir)
                                         : cactl_file(s, "document", rows[i].text);

        CACTL_RUN(s, "sign", "--certificate", d->officer.certificate_path, "--key",
                  d->officer.key_path, "--out", d->out, "--yes", path);
        cactl_expect(s, rows[i].name, rows[i].status, rows[i].says);
        nothing_is_written(d);
        CACTL_RUN(s, "sign", "--show", path);
        cactl_expect(s, rows[i].name, rows[i].status, rows[i].says);
        assert_string_equal(s->out, "");
    }
}

static void
what_cannot_sign_writes_nothing(void **state)
{
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;
    CLEANUP(mem_cleanup) char *garbage = cactl_file(s, "garbage.pem", SPAN_LITERAL("x"));
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    CLEANUP(mem_cleanup) char *other_path = cactl_key_write(s, other, "other.pem", NULL);
    const struct {
        const char *name;
        const char *certificate;
        const char *key;
        int status;
        const char *says;
    } rows[] = {
        {"no certificate", garbage, d->officer.key_path, 2, "garbage.pem"},
        {"no key", d->officer.certificate_path, garbage, 2, "see EXAMPLES in nfpki-cactl(8)"},
        {"another's key", d->officer.certificate_path, other_path, 2,
         "the key is not that of the certificate"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CACTL_RUN(s, "sign", "--certificate", rows[i].certificate, "--key", rows[i].key, "--out",
                  d->out, "--yes", d->plan);
        cactl_expect(s, rows[i].name, rows[i].status, rows[i].says);
        nothing_is_written(d);
    }
    CACTL_RUN(s, "sign", "--certificate", d->officer.certificate_path, "--key", d->officer.key_path,
              "--out", d->plan, "--yes", d->plan);
    cactl_expect(s, "over the plan", 1, "plan.json");
    CACTL_RUN(s, "sign", "--show", d->plan);
    cactl_expect(s, "the plan is as it was", 0, NULL);
}

static void
nothing_is_signed_without_a_yes(void **state)
{
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    CACTL_RUN(s, "sign", "--certificate", d->officer.certificate_path, "--key", d->officer.key_path,
              "--out", d->out, d->plan);
    cactl_expect(s, "no terminal", 2, "there is no terminal to ask at: give --yes");
    nothing_is_written(d);
    assert_true(terminal >= 0);
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    s->stdin_fd = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(s->stdin_fd >= 0);
    assert_int_equal(write(terminal, "no\nyes\n", 7), 7);
    CACTL_RUN(s, "sign", "--certificate", d->officer.certificate_path, "--key", d->officer.key_path,
              "--out", d->out, d->plan);
    cactl_expect(s, "no", 1, "Sign this restore? Type yes: nfpki-cactl: nothing was signed\n");
    nothing_is_written(d);
    CACTL_RUN(s, "sign", "--certificate", d->officer.certificate_path, "--key", d->officer.key_path,
              "--out", d->out, d->plan);
    cactl_expect(s, "yes", 0, "Sign this restore? Type yes: ");
    check_signed(d);
    (void)close(s->stdin_fd);
    (void)close(terminal);
    s->stdin_fd = -1;
}

#define DESK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DESK(a_plan_is_shown_with_all_that_is_in_it),
        DESK(what_is_signed_is_the_octets_that_were_shown),
        DESK(what_is_no_document_of_a_known_kind_is_not_signed),
        DESK(what_cannot_sign_writes_nothing),
        DESK(nothing_is_signed_without_a_yes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
