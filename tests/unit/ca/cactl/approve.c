/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-cactl pending, approve and reject: what an officer sees, signs and hands in. */
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ca/registration/approval.h"
#include "tests/support/test.h"
#include "tests/unit/ca/cactl/officer.h"
#include "tests/unit/ca/cactl/scene.h"

#define RID "abababababababababababababababababababababababababababababababab"
#define KEY_HASH "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
#define REGISTRATION "aabbccddeeff00112233445566778899"
#define UUID "6ba7b810-9dad-41d1-80b4-00c04fd430c8"

enum { DAY = 86400 };

struct desk {
    struct cactl_scene *scene;
    struct cactl_officer officer;
    char *pending; /* what the daemon answers about RID */
    char *expires;
};

/* The daemon's entry about RID with these four members; a member that is NULL is not there. */
static char *
pending(const char *rid, const char *registration, const char *profile, const char *expires)
{
    json_t *entry = json_pack(
        "{s:s,s:s*,s:s,s:[s,s],s:[s],s:s,s:s*,s:s,s:s,s:s,s:s,s:s*,s:i,s:i,s:i}", "rid", rid,
        "registration", registration, "nfInstanceId", UUID, "nfTypes", "AMF", "SMF", "fqdns",
        "amf1.5gc.example", "homeDomain", "5gc.example", "profile", profile, "publicKey", KEY_HASH,
        "assurance", "mac", "requester", "CN=vendor", "since", "2026-11-23T00:00:00Z", "expires",
        expires, "approvals", 2, "approved", 1, "missing", 1);
    json_t *answer = json_pack("{s:[o]}", "pending", entry);
    char *text;
    char *copy;

    assert_non_null(answer);
    (void)json_object_set_new(entry, "decisions",
                              json_pack("[{s:s,s:s,s:b},{s:s,s:s,s:b}]", "decision", "approve",
                                        "subject", "CN=Bob", "counts", 1, "decision", "approve",
                                        "subject", "CN=Eve", "counts", 0));
    text = json_dumps(answer, JSON_COMPACT);
    copy = mem_strdup(text);
    free(text);
    json_decref(answer);
    return copy;
}

static int
setup(void **state)
{
    struct desk *d = mem_zalloc(1, sizeof(*d));
    void *scene;
    char expires[TIME_TEXT_SIZE];

    assert_int_equal(cactl_scene_setup(&scene), 0);
    d->scene = scene;
    cactl_officer_make(&d->officer, scene);
    time_format(time(NULL) + (time_t)7 * DAY, expires);
    d->expires = mem_strdup(expires);
    d->pending = pending(RID, REGISTRATION, "nf-tls", expires);
    *state = d;
    return 0;
}

static int
teardown(void **state)
{
    struct desk *d = *state;
    void *scene = d->scene;

    cactl_officer_free(&d->officer);
    mem_free(d->pending);
    mem_free(d->expires);
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

/* ---- pending ---- */

static void
what_waits_is_shown_with_all_that_an_officer_must_know(void **state)
{
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;

    s->answers[0] = d->pending;
    CACTL_RUN(s, "pending", RID);
    cactl_expect(s, "pending", 0, NULL);
    assert_string_equal(json_string_value(json_object_get(s->asked[0], "rid")), RID);
    must_say(s->out, RID "\n  NF           " UUID "\n");
    must_say(s->out, "  types        AMF SMF\n");
    must_say(s->out, "  FQDNs        amf1.5gc.example\n");
    must_say(s->out, "  profile      nf-tls\n");
    must_say(s->out, "  public key   SHA-256 " KEY_HASH "\n");
    must_say(s->out, "  registration " REGISTRATION "\n");
    must_say(s->out, "  asked by     mac CN=vendor\n");
    must_say(s->out, "  approved     1 of 2, 1 missing\n");
    must_say(s->out, "approve CN=Bob\n");
    must_say(s->out, "approve CN=Eve (revoked: not counted)\n");
    CACTL_RUN(s, "pending", "--json", RID);
    cactl_expect(s, "as JSON", 0, NULL);
    must_say(s->out, "\"homeDomain\": \"5gc.example\"");
}

static void
the_document_is_what_the_daemon_will_take(void **state)
{
    static const struct {
        const char *decision; /* NULL: not said */
        const char *reason;
        bool approves;
    } rows[] = {{NULL, NULL, true}, {"approve", "ticket 1", true}, {"reject", "n", false}};
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;

    s->answers[0] = d->pending;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct approval a;
        struct err e = {0};

        if (rows[i].decision == NULL) {
            CACTL_RUN(s, "pending", "--document", RID);
        } else {
            CACTL_RUN(s, "pending", "--document", RID, "--decision", rows[i].decision, "--reason",
                      rows[i].reason);
        }
        cactl_expect(s, "document", 0, NULL);
        assert_ok(approval_parse(span_str(s->out), &a, &e), &e);
        assert_int_equal(a.approves, rows[i].approves);
        assert_string_equal(a.reason, rows[i].reason == NULL ? "" : rows[i].reason);
        assert_string_equal(a.registration, REGISTRATION);
        assert_string_equal(a.profile, "nf-tls");
        assert_int_equal(a.rid[31], 0xab);
        assert_int_equal(a.public_key[31], 0xcd);
        assert_in_range(a.time, time(NULL) - 600, time(NULL) + 1);
    }
    CACTL_RUN(s, "pending", "--document", RID, "--decision", "perhaps");
    cactl_expect(s, "another decision", 2, "usage: nfpki-cactl pending");
}

static void
an_answer_that_cannot_be_signed_is_refused(void **state)
{
    static const char long_reason[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef1";
    static const char most[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;
    const struct {
        const char *name;
        char *answer;
        const char *reason;
        const char *says; /* NULL: it is taken */
    } rows[] = {
        {"nothing", mem_strdup("{\"pending\":[]}"), "r", "hex"},
        {"a short rid", pending("abab", REGISTRATION, "nf-tls", d->expires), "r", "hex"},
        {"no registration", pending(RID, NULL, "nf-tls", d->expires), "r",
         "the daemon's answer: registration"},
        {"a long registration", pending(RID, REGISTRATION "0", "nf-tls", d->expires), "r",
         "the daemon's answer: registration"},
        {"no profile", pending(RID, REGISTRATION, NULL, d->expires), "r",
         "the daemon's answer: profile"},
        {"an empty profile", pending(RID, REGISTRATION, "", d->expires), "r", "profile"},
        {"no end", pending(RID, REGISTRATION, "nf-tls", NULL), "r", "time"},
        {"an end in 1970", pending(RID, REGISTRATION, "nf-tls", "1970-01-02T00:00:00Z"), "r",
         "expires"},
        {"a reason of the limit", mem_strdup(d->pending), most, NULL},
        {"a reason of one more", mem_strdup(d->pending), long_reason,
         "--reason: at most 128 characters"},
        {"a reason that is not printable", mem_strdup(d->pending), "a\nb", "reason"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        s->answers[0] = rows[i].answer;
        CACTL_RUN(s, "pending", "--document", RID, "--reason", rows[i].reason);
        cactl_expect(s, rows[i].name, rows[i].says == NULL ? 0 : 2, rows[i].says);
        /* Nor is anything signed. */
        if (rows[i].says != NULL) {
            CACTL_RUN(s, "approve", "--certificate", d->officer.certificate_path, "--key",
                      d->officer.key_path, "--yes", "--reason", rows[i].reason, RID);
            cactl_expect(s, rows[i].name, 2, rows[i].says);
            assert_int_equal(s->n_asked, 1);
        }
        mem_free(rows[i].answer);
    }
}

/* ---- approve and reject ---- */

/* What was handed in, by its content. */
static void
check_handed_in(const struct cactl_scene *s, bool approves)
{
    const char *text = json_string_value(json_object_get(s->asked[1], "cms"));
    CLEANUP(buf_free) struct buf der = BUF_INIT(APPROVAL_CMS_MAX);
    CLEANUP(cms_cleanup) CMS_ContentInfo *cms = NULL;
    ASN1_OCTET_STRING **content;
    const unsigned char *p;
    struct approval a;
    struct err e = {0};

    assert_string_equal(json_string_value(json_object_get(s->asked[1], "command")), "approve");
    assert_ok(base64_parse(text, &der, &e), &e);
    p = der.p;
    cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    assert_non_null(cms);
    content = CMS_get0_content(cms);
    assert_ok(
        approval_parse(
            span_of(ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content)), &a, &e),
        &e);
    assert_int_equal(a.approves, approves);
    assert_int_equal(a.rid[0], 0xab);
}

static void
what_is_signed_is_the_decision_of_the_command(void **state)
{
    static const char *const commands[] = {"approve", "reject"};
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;

    s->answers[0] = d->pending;
    s->answers[1] = "{\"missing\":0}";
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        CACTL_RUN(s, commands[i], "--certificate", d->officer.certificate_path, "--key",
                  d->officer.key_path, "--yes", RID);
        cactl_expect(s, commands[i], 0, RID);
        assert_int_equal(s->n_asked, 2);
        check_handed_in(s, i == 0);
        must_say(s->out, "\"missing\": 0");
    }
    s->passphrase_fd = cactl_readable("secret\n");
    CACTL_RUN(s, "approve", "--certificate", d->officer.certificate_path, "--key",
              d->officer.locked_path, "--passphrase-fd", "3", "--yes", RID);
    cactl_expect(s, "with a passphrase", 0, RID);
    check_handed_in(s, true);
    (void)close(s->passphrase_fd);
    s->passphrase_fd = -1;
    s->answers[1] = NULL;
    CACTL_RUN(s, "approve", "--certificate", d->officer.certificate_path, "--key",
              d->officer.key_path, "--yes", RID);
    cactl_expect(s, "the daemon refuses", 1, "nfpki-cactl: no\n");
}

static void
what_cannot_sign_hands_nothing_in(void **state)
{
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;
    CLEANUP(mem_cleanup) char *garbage = cactl_file(s, "garbage.pem", SPAN_LITERAL("x"));
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = EVP_EC_gen("P-256");
    CLEANUP(mem_cleanup) char *other_path = NULL;
    CLEANUP(mem_cleanup) char *longest = mem_printf("%01025d", 0);
    const struct {
        const char *name;
        const char *certificate;
        const char *key;
        const char *passphrase; /* NULL: none is given */
        int status;
        const char *says;
    } rows[] = {
        {"no certificate there", "/nonexistent/c", d->officer.key_path, NULL, 1,
         "/nonexistent/c: No such file"},
        {"no certificate", garbage, d->officer.key_path, NULL, 2, "garbage.pem"},
        {"no key there", d->officer.certificate_path, "/nonexistent/k", NULL, 1,
         "/nonexistent/k: No such file"},
        {"no key", d->officer.certificate_path, garbage, NULL, 2,
         "garbage.pem: no private key in PEM"},
        {"another passphrase", d->officer.certificate_path, d->officer.locked_path, "wrong", 2,
         "the passphrase is another one"},
        {"the longest passphrase", d->officer.certificate_path, d->officer.locked_path, longest + 1,
         2, "the passphrase is another one"},
        {"a longer one", d->officer.certificate_path, d->officer.locked_path, longest, 2,
         "1024 octets"},
        {"an empty passphrase", d->officer.certificate_path, d->officer.locked_path, "", 2,
         "secret"},
        {"nowhere to ask", d->officer.certificate_path, d->officer.locked_path, NULL, 1,
         "a secret is typed at a terminal only"},
        {"another's key", d->officer.certificate_path, "other", NULL, 2, "key"},
    };

    other_path = cactl_key_write(s, other, "other.pem", NULL);
    s->answers[0] = d->pending;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *key = strcmp(rows[i].key, "other") == 0 ? other_path : rows[i].key;

        if (rows[i].passphrase != NULL) {
            s->passphrase_fd = cactl_readable(rows[i].passphrase);
            CACTL_RUN(s, "approve", "--certificate", rows[i].certificate, "--key", key,
                      "--passphrase-fd", "3", "--yes", RID);
            (void)close(s->passphrase_fd);
            s->passphrase_fd = -1;
        } else {
            CACTL_RUN(s, "approve", "--certificate", rows[i].certificate, "--key", key, "--yes",
                      RID);
        }
        cactl_expect(s, rows[i].name, rows[i].status, rows[i].says);
        assert_int_equal(s->n_asked, 1);
    }
}

/* An officer at a terminal who types this. */
static void
at_a_terminal(struct desk *d, const char *types)
{
    struct cactl_scene *s = d->scene;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    assert_true(terminal >= 0);
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    s->stdin_fd = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(s->stdin_fd >= 0);
    assert_int_equal(write(terminal, types, strlen(types)), strlen(types));
    CACTL_RUN(s, "reject", "--certificate", d->officer.certificate_path, "--key",
              d->officer.key_path, RID);
    (void)close(s->stdin_fd);
    (void)close(terminal);
    s->stdin_fd = -1;
}

static void
nothing_is_signed_before_the_officer_typed_yes(void **state)
{
    static const char *const others[] = {"no\n",   "y\n", "YES\n", "yess\n",
                                         "yes \n", "\n",  "\x04" /* end of the input */};
    struct desk *d = *state;
    struct cactl_scene *s = d->scene;

    s->answers[0] = d->pending;
    s->answers[1] = "{}";
    CACTL_RUN(s, "approve", "--certificate", d->officer.certificate_path, "--key",
              d->officer.key_path, RID);
    cactl_expect(s, "no terminal", 2, "there is no terminal to ask at: give --yes");
    assert_int_equal(s->n_asked, 1);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        at_a_terminal(d, others[i]);
        cactl_expect(s, others[i], 1, "Reject? Type yes: nfpki-cactl: nothing was signed\n");
        assert_int_equal(s->n_asked, 1);
    }
    at_a_terminal(d, "yes\n");
    cactl_expect(s, "yes", 0, "Reject? Type yes: ");
    check_handed_in(s, false);
}

/* ---- what was signed elsewhere ---- */

enum { DER, PEM, DETACHED };

/* `document` signed, in a file. */
static char *
signed_file(const struct desk *d, const char *document, int form)
{
    CLEANUP(bio_cleanup) BIO *content = BIO_new_mem_buf(document, -1);
    CLEANUP(bio_cleanup) BIO *out = BIO_new(BIO_s_mem());
    CLEANUP(cms_cleanup)
    CMS_ContentInfo *cms =
        CMS_sign(d->officer.certificate, d->officer.key, NULL, content,
                 CMS_BINARY | CMS_NOSMIMECAP | (form == DETACHED ? CMS_DETACHED : 0U));
    char *text;
    long n;

    assert_non_null(cms);
    assert_int_equal(form == PEM ? PEM_write_bio_CMS(out, cms) : i2d_CMS_bio(out, cms), 1);
    n = BIO_get_mem_data(out, &text);
    return cactl_file(d->scene, "signed", span_of(text, (size_t)n));
}

static void
what_was_signed_elsewhere_must_be_the_decision_of_the_command(void **state)
{
    const struct desk *d = *state;
    struct cactl_scene *s = d->scene;
    CLEANUP(mem_cleanup) char *approve = NULL;
    CLEANUP(mem_cleanup) char *garbage = cactl_file(s, "garbage", SPAN_LITERAL("x"));
    CLEANUP(mem_cleanup)
    char *integer = cactl_file(s, "integer", SPAN_LITERAL("\x30\x03\x02\x01\x01"));

    s->answers[0] = d->pending;
    CACTL_RUN(s, "pending", "--document", RID);
    approve = mem_strdup(s->out);
    s->answers[0] = "{\"missing\":0}";
    for (int form = DER; form <= DETACHED; form++) {
        CLEANUP(mem_cleanup) char *path = signed_file(d, approve, form);

        CACTL_RUN(s, "approve", "--signed", path);
        if (form == DETACHED) {
            cactl_expect(s, "detached", 2, "no CMS with its content: sign with -nodetach");
            assert_int_equal(s->n_asked, 0);
            continue;
        }
        cactl_expect(s, "handed in", 0, NULL);
        assert_int_equal(s->n_asked, 1);
        must_say(s->out, "\"missing\": 0");
        CACTL_RUN(s, "reject", "--signed", path);
        cactl_expect(s, "the other command", 2, "what was signed says \"approve\"");
        assert_int_equal(s->n_asked, 0);
    }
    {
        CLEANUP(mem_cleanup) char *path = signed_file(d, "{}", DER);

        CACTL_RUN(s, "approve", "--signed", path);
        cactl_expect(s, "another document", 2, "approval");
        CACTL_RUN(s, "approve", "--signed", garbage);
        cactl_expect(s, "no DER", 2, "the signed approval: neither DER nor PEM");
        CACTL_RUN(s, "approve", "--signed", integer);
        cactl_expect(s, "no CMS", 2, "no CMS with its content");
        CACTL_RUN(s, "approve", "--signed", "/nonexistent/f");
        cactl_expect(s, "no file", 1, "/nonexistent/f: No such file");
        assert_int_equal(s->n_asked, 0);
    }
}

#define DESK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DESK(what_waits_is_shown_with_all_that_an_officer_must_know),
        DESK(the_document_is_what_the_daemon_will_take),
        DESK(an_answer_that_cannot_be_signed_is_refused),
        DESK(what_is_signed_is_the_decision_of_the_command),
        DESK(what_cannot_sign_hands_nothing_in),
        DESK(nothing_is_signed_before_the_officer_typed_yes),
        DESK(what_was_signed_elsewhere_must_be_the_decision_of_the_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
