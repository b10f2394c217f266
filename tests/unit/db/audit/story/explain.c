/* SPDX-License-Identifier: Apache-2.0 */
/* The story of a certificate in sentences, and the signatures behind them. */
#include "db/audit/story/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/story/signatures.h"
#include "tests/support/history/history.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/here.h"

static struct history h;
static struct history_told told;
static struct mirror *mirror;

static int
setup(void **state)
{
    (void)state;
    history_begin(&h, 1768204800); /* 2026-01-12T08:00:00Z */
    history_tell(&h, &told);
    mirror = mirror_here(h.l.dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mirror_close(mirror);
    history_end(&h);
    return 0;
}

static char *
explained(const char *typed, bool with_issuer, enum sink_format format)
{
    CLEANUP(story_free) struct story story = {0};
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *issuers = audit_issuers_new();
    const struct basis basis = {mirror_checkpoint(mirror), mirror_key(mirror), false, -1};
    const struct explanation x = {.mirror = mirror,
                                  .story = &story,
                                  .issuers = issuers,
                                  .basis = &basis,
                                  .now = told.as_of,
                                  .key = SPAN_LITERAL("{}")};
    char *text = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&text, &n);
    struct err e = {0};

    assert_non_null(memory);
    if (with_issuer) {
        assert_ok(audit_issuers_add(issuers, "issuing", h.pki->issuing, &e), &e);
    }
    assert_ok(story_of(mirror, typed, &story, &e), &e);
    assert_ok(explain(&x, format, memory, &e), &e);
    assert_int_equal(fclose(memory), 0);
    return text;
}

static void
assert_in_order(const char *text, const char *const *wanted, size_t n)
{
    const char *at = text;

    for (size_t i = 0; i < n; i++) {
        at = strstr(at, wanted[i]);
        if (at == NULL) {
            fail_msg("no \"%s\" there in:\n%s", wanted[i], text);
        }
    }
}

static void
a_certificate_is_told_from_its_registration_on(void **state)
{
    static const char *const wanted[] = {
        "registered the network function ",
        ": 1 initial certificate(s) from ",
        "for who proves himself by mac.\n",
        "; signature: verified again\n",
        "CN=RA 1,O=Example Operator,C=SE (serial ",
        ", an RA, signed the head ",
        "; signature: verified again\n",
        "The network function asked for a certificate of profile nf-tls, with request ",
        "; it proved itself by the one-time secret of its registration",
        "; 2 officer(s) had to approve.\n",
        "; signature: verified again\n",
        "    the message: ir of ",
        ": verified again\n",
        "    it is protected with the one-time secret: the RA's word, which it signed\n",
        "    the certificate is for the key that it asks for: verified again\n",
        "CN=Ada Alder,O=Example Operator,C=SE (serial ",
        ") approved request ",
        "; signature: verified again\n",
        "CN=Boris Birch,O=Example Operator,C=SE (serial ",
        ": seen on site.\n",
        "; signature: verified again\n",
        "The CA decided to issue the certificate ",
        "The issuing key signed it, as it was intended: subject ",
        "; signature: verified again\n",
        "Whoever asked confirmed that he has it.\n",
        "    it has the hash of this certificate: verified again\n",
        "it is confirmed, and has expired.\nNot shown by the record:\n",
        "  - that whoever asked knew the one-time secret: that is the RA's word\n",
        "\nVerified\n",
    };
    char *text = explained(told.approved->serial, true, SINK_TABLE);

    (void)state;
    assert_in_order(text, wanted, ARRAY_LEN(wanted));
    assert_null(strstr(text, "not verified"));
    assert_null(strstr(text, "messages that are not there"));
    assert_null(strchr(text, '\x1b'));
    free(text);
}

/* What a restore adopted was asked for with something that nobody has. */
static void
a_message_that_is_not_there_is_said(void **state)
{
    static const char *const wanted[] = {
        "    the message itself: the CA did not have it, or keeps it back: not there\n",
        "  - messages that are not there, as said above: the record has their SHA-256\n",
    };
    char *text = explained(told.adopted, true, SINK_TABLE);

    (void)state;
    assert_in_order(text, wanted, ARRAY_LEN(wanted));
    free(text);
}

/* Its holder's own message was verified again. */
static void
who_revoked_is_known_by_the_message(void **state)
{
    char *text = explained(told.rejected_first, true, SINK_TABLE);

    (void)state;
    assert_non_null(strstr(text, "the message: rr of "));
    assert_null(strstr(text, "who revoked it"));
    free(text);
}

static void
what_was_revoked_has_its_crl_and_what_nobody_verified_is_said(void **state)
{
    static const char *const wanted[] = {
        "; signature: not verified: give the issuing certificate with --issuer\n",
        " was revoked: keyCompromise, by uid 0 (root) \\u{1b}[2J, as of ",
        "CRL number 3 was issued, from ",
        "it is revoked.\n",
        "  - that the issuing key signed it: give its certificate with --issuer\n",
        "  - who revoked it, but for what the CA wrote down\n",
        "  - the CRL itself: ",
    };
    char *text = explained(told.compromised, false, SINK_TABLE);

    (void)state;
    assert_in_order(text, wanted, ARRAY_LEN(wanted));
    free(text);
}

static void
a_request_that_waits_or_was_refused_is_told_too(void **state)
{
    static const char *const waits[] = {"approved request ",
                                        "it is a request without a certificate.\n"};
    static const char *const refused[] = {"was refused (badCertTemplate): the template has "};
    static const char *const open[] = {"The CA decided to issue", "it is pending.\n"};
    char *text = explained(told.waiting->rid, false, SINK_TABLE);

    (void)state;
    assert_in_order(text, waits, ARRAY_LEN(waits));
    free(text);
    text = explained(told.refused_nf->rid, false, SINK_TABLE);
    assert_in_order(text, refused, ARRAY_LEN(refused));
    free(text);
    text = explained(told.open, false, SINK_TABLE);
    assert_in_order(text, open, ARRAY_LEN(open));
    free(text);
}

/* Each certificate and each of the people: nothing that is in the record is without words, and all
 * that was signed verifies. */
static void
every_certificate_of_the_record_can_be_explained(void **state)
{
    sqlite3_stmt *statement = NULL;

    (void)state;
    assert_int_equal(sqlite3_prepare_v2(mirror_sqlite(mirror),
                                        "SELECT lower(hex(serial)) FROM certificates", -1,
                                        &statement, NULL),
                     SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        char *text = explained((const char *)sqlite3_column_text(statement, 0), true, SINK_TABLE);

        assert_null(strstr(text, "not in the record\n"));
        assert_null(strstr(text, "somebody whose certificate"));
        free(text);
    }
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
}

static void
programs_get_rows(void **state)
{
    static const char *const wanted[] = {
        "{\"key\":{},\"kind\":\"REGISTRATION\",\"leaf\":",
        "\"signature\":\"verified again\",\"text\":\"",
        "\"kind\":\"now\",\"leaf\":null,\"signature\":null,\"text\":\"As of ",
        "\"kind\":\"not shown\",\"leaf\":null,",
    };
    char *text = explained(told.approved->serial, true, SINK_JSONL);

    (void)state;
    assert_in_order(text, wanted, ARRAY_LEN(wanted));
    free(text);
    text = explained(told.approved->serial, true, SINK_CSV);
    assert_non_null(strstr(text, "\"time\",\"kind\",\"text\",\"signature\",\"leaf\"\r\n"));
    free(text);
}

static void
several_certificates_are_not_one_story(void **state)
{
    CLEANUP(story_free) struct story story = {0};
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *issuers = audit_issuers_new();
    const struct explanation x = {.mirror = mirror, .story = &story, .issuers = issuers};
    struct err e = {0};

    (void)state;
    assert_ok(story_of(mirror, told.rejected->registration, &story, &e), &e);
    assert_err(explain(&x, SINK_TABLE, stdout, &e), ERR_INPUT, &e);
}

/* ---- signatures ---- */

/* The leaf of this kind of a story with a member of another one's. */
static void
forge(const char *typed, const char *other, enum leaf_kind kind, const char *member,
      const char *says)
{
    CLEANUP(story_free) struct story story = {0};
    CLEANUP(story_free) struct story from = {0};
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *issuers = audit_issuers_new();
    CLEANUP(signatures_cleanup) struct signatures *s = signatures_new(mirror, issuers);
    CLEANUP(mem_cleanup) char *body = NULL;
    CLEANUP(mem_cleanup) char *forged = NULL;
    const struct story_leaf *real;
    struct story_leaf leaf;
    const char *value, *taken, *at;
    enum signature signature;
    struct err e = {0};

    assert_ok(story_of(mirror, typed, &story, &e), &e);
    assert_ok(other == NULL ? 0 : story_of(mirror, other, &from, &e), &e);
    real = story_find(&story, kind);
    assert_non_null(real);
    value = leaf_text(real->leaf, member);
    taken = other == NULL ? "00" : leaf_text(story_find(&from, kind)->leaf, member);
    body = mem_printf("%.*s", (int)leaf_body(real->leaf).n, (const char *)leaf_body(real->leaf).p);
    at = strstr(body, value);
    assert_non_null(at);
    forged = mem_printf("%.*s%s%s", (int)(at - body), body, taken, at + strlen(value));
    leaf = (struct story_leaf){.index = real->index, .leaf = leaf_parse(span_str(forged), &e)};
    assert_non_null(leaf.leaf);
    assert_err(signatures_check(s, &leaf, &signature, &e), ERR_CRYPTO, &e);
    if (strstr(e.text, says) == NULL) {
        fail_msg("%s", e.text);
    }
    assert_ok(signatures_check(s, real, &signature, &e), &e);
    assert_int_equal(signature, SIGNATURE_VERIFIED);
    leaf_free(leaf.leaf);
}

static void
what_nobody_signed_is_not_believed(void **state)
{
    (void)state;
    forge(told.approved->serial, told.compromised, LEAF_REGISTRATION, "cms", "");
    forge(told.approved->serial, told.compromised, LEAF_REGISTRATION, "registrar",
          "signature does not verify");
    forge(told.approved->serial, NULL, LEAF_REGISTRATION, "registrar",
          "the certificate of serial 00 is not in the record");
    forge(told.approved->serial, told.compromised, LEAF_QUEUE_HEAD, "signature",
          "whose signature does not verify");
    forge(told.approved->serial, told.waiting->rid, LEAF_APPROVAL, "officer",
          "signature does not verify");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_told_from_its_registration_on),
        cmocka_unit_test(a_message_that_is_not_there_is_said),
        cmocka_unit_test(who_revoked_is_known_by_the_message),
        cmocka_unit_test(what_was_revoked_has_its_crl_and_what_nobody_verified_is_said),
        cmocka_unit_test(a_request_that_waits_or_was_refused_is_told_too),
        cmocka_unit_test(every_certificate_of_the_record_can_be_explained),
        cmocka_unit_test(programs_get_rows),
        cmocka_unit_test(several_certificates_are_not_one_story),
        cmocka_unit_test(what_nobody_signed_is_not_believed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
