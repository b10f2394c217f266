/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a real ledger (tests/vectors/ledger/7/asked), verified again; and each in another's
 * place, or edited. */
#include "db/audit/story/asked.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/audit/message/outline.h"
#include "db/audit/mirror/import.h"
#include "db/audit/query/cells.h"
#include "tests/support/test.h"

#define FOLDER TEST_SOURCE_DIR "/vectors/ledger/7/asked"
enum { CERTIFICATES_MAX = 16, TEXT_MAX = 1 << 16, PEM_MAX = 1 << 14 };

/* By what its registration says, and how it was asked for. */
enum which { BY_IR, BY_CR, BY_P10CR, BY_KUR, BY_VENDOR, PINNED, KEYED, WHICH };

static struct {
    struct mirror *mirror;
    STACK_OF(X509) * vendors;
    struct story stories[WHICH];
    char said[TEXT_MAX];
} all;

/* ---- the ledger ---- */

static enum which
which_of(const struct story *story)
{
    const struct leaf *registration = story_find(story, LEAF_REGISTRATION)->leaf;
    const struct story_leaf *request = story_find(story, LEAF_REQUEST);
    const char *proof = leaf_text(registration, "proof");
    CLEANUP(buf_free) struct buf octets = BUF_INIT(TEXT_MAX);
    struct message_outline m;
    struct err e = {0};

    if (strcmp(proof, "vendor") == 0) {
        return BY_VENDOR;
    }
    if (strcmp(proof, "certificate") == 0) {
        return PINNED;
    }
    if (strcmp(proof, "publicKey") == 0) {
        return KEYED;
    }
    assert_ok(mirror_message(all.mirror, request->index, &octets, &e), &e);
    assert_ok(message_outline_read(buf_span(&octets), &m, &e), &e);
    return m.body == MESSAGE_IR    ? BY_IR
           : m.body == MESSAGE_CR  ? BY_CR
           : m.body == MESSAGE_KUR ? BY_KUR
                                   : BY_P10CR;
}

static int
setup(void **state)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *rows = NULL;
    struct err e = {0};
    CLEANUP(audit_log_cleanup) struct audit_log *log = audit_open(FOLDER, NULL, &e);
    X509 *root = certificate_load(FOLDER "/vendor.pem", &e);

    (void)state;
    all.mirror = log == NULL ? NULL : mirror_of(log, &e);
    assert_ok(all.mirror == NULL || root == NULL ? -1 : 0, &e);
    all.vendors = sk_X509_new_null();
    assert_int_not_equal(sk_X509_push(all.vendors, root), 0);
    assert_ok(statement_prepare(mirror_sqlite(all.mirror),
                                "SELECT lower(hex(serial)) FROM certificates WHERE nf IS NOT NULL",
                                &rows, &e),
              &e);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        struct story story = {0};
        enum which which;

        assert_ok(story_of(all.mirror, (const char *)sqlite3_column_text(rows, 0), &story, &e), &e);
        if (story_find(&story, LEAF_REQUEST) == NULL) {
            story_free(&story);
            continue;
        }
        which = which_of(&story);
        if (which == BY_IR && story_find(&story, LEAF_REVOKED) == NULL) { /* nothing renewed it */
            story_free(&story);
            continue;
        }
        story_free(&all.stories[which]);
        all.stories[which] = story;
    }
    for (size_t i = 0; i < WHICH; i++) {
        assert_true(all.stories[i].n > 0);
    }
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHICH; i++) {
        story_free(&all.stories[i]);
    }
    sk_X509_pop_free(all.vendors, X509_free);
    mirror_close(all.mirror);
    return 0;
}

static void
told(void *arg, const struct story_leaf *leaf, const char *text, enum asked_verdict verdict)
{
    const size_t at = strlen(all.said);

    (void)arg;
    (void)leaf;
    (void)snprintf(all.said + at, sizeof(all.said) - at, "%s: %s\n", text,
                   asked_verdict_name(verdict));
}

static struct asking
asking_of(enum which which)
{
    all.said[0] = '\0';
    return (struct asking){
        .mirror = all.mirror, .story = &all.stories[which], .vendors = all.vendors, .told = told};
}

/* ---- as it is ---- */

#define PROVEN                                                                                     \
    "whoever asked had the private key: verified again\n"                                          \
    "the certificate is for the key that it asks for: verified again\n"
#define SAME "it is from who asked: "
#define CONFIRMED_BY "it has the hash of this certificate: verified again\n"
#define WORD "it is protected with the one-time secret: the RA's word, which it signed\n"

static const char *const SAID[WHICH][6] = {
    [BY_IR] = {"the message: ir of ", WORD PROVEN, "the message: certConf of ", WORD SAME,
               CONFIRMED_BY},
    [BY_CR] = {"the message: cr of ", WORD PROVEN, CONFIRMED_BY, "the message: rr of ",
               "it asks for the revocation of this certificate: verified again\n"},
    [BY_P10CR] = {"the message: p10cr of ", WORD PROVEN, CONFIRMED_BY},
    [BY_KUR] = {"the message: kur of ", "its certificate is of this record: ", PROVEN,
                CONFIRMED_BY},
    [BY_VENDOR] = {"it is signed by CN=device,O=Vendor: verified again\n",
                   "its certificate has the issuer and the subject that the registrar signed: "
                   "verified again\n",
                   "its certificate was issued by the vendor, and was valid then: verified again\n",
                   PROVEN, CONFIRMED_BY},
    [PINNED] = {"it is signed with the certificate that the registrar signed: verified again\n",
                PROVEN, CONFIRMED_BY},
    [KEYED] = {"it is signed with the key that the registrar signed: verified again\n", PROVEN,
               CONFIRMED_BY},
};

static void
each_message_is_verified_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHICH; i++) {
        const struct story *story = &all.stories[i];
        const struct asking a = asking_of((enum which)i);
        const char *at = all.said;
        struct err e = {0};

        for (size_t n = 0; n < story->n; n++) {
            assert_ok(asked_check(&a, &story->leaves[n], &e), &e);
        }
        for (size_t n = 0; n < ARRAY_LEN(SAID[i]) && SAID[i][n] != NULL; n++) {
            at = strstr(at, SAID[i][n]);
            if (at == NULL) {
                fail_msg("%zu: no \"%s\" in: %s", i, SAID[i][n], all.said);
            }
        }
    }
}

/* Nobody gave the vendor's root, or it is another one. */
static void
a_vendor_is_believed_by_its_root(void **state)
{
    struct asking a = asking_of(BY_VENDOR);
    const struct story_leaf *leaf = story_find(&all.stories[BY_VENDOR], LEAF_REQUEST);
    STACK_OF(X509) *others = sk_X509_new_null();
    CLEANUP(x509_cleanup) X509 *other = NULL;
    struct err e = {0};

    (void)state;
    a.vendors = others;
    assert_ok(asked_check(&a, leaf, &e), &e);
    assert_non_null(strstr(all.said, "whether the vendor issued that certificate: not verified: "
                                     "give the vendor's root with --vendor\n"));
    other = X509_dup(sk_X509_value(all.vendors, 0));
    assert_int_equal(X509_set_subject_name(other, X509_get_subject_name(other)), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(other), -1000000000));
    sk_X509_push(others, other);
    assert_err(asked_check(&a, leaf, &e), ERR_CRYPTO, &e);
    assert_non_null(strstr(e.text, "the certificate that signs the message has no path: "));
    sk_X509_free(others);
}

/* ---- as it is not ---- */

/* What is done to the octets of a message, whose parts are these. */
typedef void edit(struct span octets, const struct message_outline *);

static void
flip(struct span at, size_t from_end, uint8_t bits)
{
    uint8_t *p = (uint8_t *)(uintptr_t)(at.p + at.n - 1 - from_end);

    *p ^= bits;
}

static void
edit_header(struct span octets, const struct message_outline *m)
{
    (void)octets;
    flip(m->transaction_id, 0, 1);
}

static void
edit_end_of_body(struct span octets, const struct message_outline *m)
{
    (void)octets;
    flip(m->content, 4, 1);
}

static void
edit_kind(struct span octets, const struct message_outline *m)
{
    (void)octets;
    flip(span_of(m->tagged_body.p, 1), 0, 1); /* ip */
}

static void
edit_tag(struct span octets, const struct message_outline *m)
{
    (void)m;
    flip(span_of(octets.p, 1), 0, 1);
}

/* protection [0] becomes something that nobody knows */
static void
edit_protection(struct span octets, const struct message_outline *m)
{
    uint8_t *tag = (uint8_t *)(uintptr_t)(m->tagged_body.p + m->tagged_body.n);

    (void)octets;
    *tag = 0xa5;
}

static void
edit_content(struct span octets, const struct message_outline *m)
{
    (void)octets;
    flip(span_of(m->content.p, 1), 0, 1);
}

static void
edit_algorithm(struct span octets, const struct message_outline *m)
{
    (void)octets;
    flip(span_of(m->algorithm.p, 1), 0, 1);
}

static const struct {
    enum which which;
    enum leaf_kind kind; /* this leaf, */
    enum which whose;
    enum leaf_kind from; /* with the message of that one, */
    edit *edit;          /* edited so; NULL: as it is */
    const char *says;
} WRONG[] = {
    {BY_KUR, LEAF_REQUEST, BY_IR, LEAF_REQUEST, NULL,
     "the message: the leaf says \"signature\", and the message is protected by a MAC"},
    {BY_IR, LEAF_REQUEST, BY_VENDOR, LEAF_REQUEST, NULL,
     "the message: it is signed, and registered for a MAC"},
    {BY_IR, LEAF_REQUEST, BY_CR, LEAF_REQUEST, NULL,
     "the message: it asks for another key than the certificate has"},
    {BY_VENDOR, LEAF_REQUEST, BY_KUR, LEAF_REQUEST, NULL,
     "the message: it is signed by another device than the registrar signed: "},
    {PINNED, LEAF_REQUEST, BY_KUR, LEAF_REQUEST, NULL,
     "the message: it is not signed with the certificate that the registrar signed"},
    {KEYED, LEAF_REQUEST, BY_KUR, LEAF_REQUEST, NULL,
     "the message: it is not signed with the key that the registrar signed"},
    {BY_CR, LEAF_REVOKED, BY_VENDOR, LEAF_REQUEST, NULL,
     "the message: it is from somebody who may not revoke this certificate"},
    {BY_VENDOR, LEAF_REQUEST, PINNED, LEAF_REQUEST, NULL,
     "the message: it is signed by another device than the registrar signed: CN=pinned,O=Vendor"},
    {PINNED, LEAF_REQUEST, BY_VENDOR, LEAF_REQUEST, NULL,
     "the message: it is not signed with the certificate that the registrar signed"},
    {KEYED, LEAF_REQUEST, BY_VENDOR, LEAF_REQUEST, NULL,
     "the message: it is not signed with the key that the registrar signed"},
    {BY_KUR, LEAF_REQUEST, BY_VENDOR, LEAF_REQUEST, NULL,
     "the message: it is not signed with the certificate in whose place the new one comes"},
    {BY_KUR, LEAF_REQUEST, BY_CR, LEAF_REVOKED, NULL, "in whose place the new one does not come"},
    {BY_CR, LEAF_CONFIRMED, BY_IR, LEAF_CONFIRMED, NULL,
     "the message: the certConf is not for this certificate"},
    {BY_IR, LEAF_REVOKED, BY_CR, LEAF_REVOKED, NULL,
     "the message: it is from somebody who may not revoke this certificate"},
    {BY_VENDOR, LEAF_REQUEST, BY_VENDOR, LEAF_REQUEST, edit_header,
     "the message: the signature of the message does not verify with a certificate that it "
     "carries"},
    {BY_IR, LEAF_REQUEST, BY_IR, LEAF_REQUEST, edit_end_of_body,
     "the message: the message has no proof of possession that verifies"},
    {BY_P10CR, LEAF_REQUEST, BY_P10CR, LEAF_REQUEST, edit_end_of_body,
     "the message: the PKCS #10 is not signed with the key that it asks for"},
    {BY_IR, LEAF_REQUEST, BY_IR, LEAF_REQUEST, edit_kind,
     "the message: it is of a kind that nobody asks with"},
    {BY_IR, LEAF_REQUEST, BY_IR, LEAF_REQUEST, edit_tag,
     "the message: the message is no PKIMessage"},
    {BY_IR, LEAF_REQUEST, BY_IR, LEAF_REQUEST, edit_protection,
     "the message: the message is no PKIMessage"},
    {BY_IR, LEAF_REQUEST, BY_IR, LEAF_REQUEST, edit_algorithm, "the message: it is not protected"},
    {BY_IR, LEAF_REQUEST, BY_IR, LEAF_REQUEST, edit_content,
     "the message: the message is no request for one certificate"},
    {BY_IR, LEAF_CONFIRMED, BY_IR, LEAF_CONFIRMED, edit_content,
     "the message: the message is no certConf for one certificate"},
};

static int
look(size_t row, struct err *e)
{
    const struct asking a = asking_of(WRONG[row].which);
    const struct story_leaf *leaf = story_find(&all.stories[WRONG[row].which], WRONG[row].kind);
    const struct story_leaf *from = story_find(&all.stories[WRONG[row].whose], WRONG[row].from);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(TEXT_MAX);
    struct message_outline m;

    assert_non_null(leaf);
    assert_non_null(from);
    assert_ok(mirror_message(all.mirror, from->index, &octets, e), e);
    if (WRONG[row].edit != NULL) {
        assert_ok(message_outline_read(buf_span(&octets), &m, e), e);
        WRONG[row].edit(buf_span(&octets), &m);
    }
    return asked_look(&a, leaf, buf_span(&octets), e);
}

static void
anothers_message_and_an_edited_one_are_named(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        struct err e = {0};
        const bool is_named =
            look(i, &e) != 0 && e.code == ERR_CRYPTO && strstr(e.text, WRONG[i].says) != NULL;

        good += is_named ? 1 : 0;
        if (!is_named) {
            print_error("row %zu: %s instead of %s\n", i, e.text, WRONG[i].says);
        }
    }
    assert_int_equal(good, ARRAY_LEN(WRONG));
}

static void
a_confirmation_is_of_a_certificate(void **state)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CONFIRMED, 1795000000);
    const struct story_leaf no = {.leaf = leaf};
    const struct story_leaf *from = story_find(&all.stories[BY_IR], LEAF_CONFIRMED);
    const struct asking a = asking_of(BY_IR);
    CLEANUP(buf_free) struct buf octets = BUF_INIT(TEXT_MAX);
    struct err e = {0};

    (void)state;
    leaf_set_text(leaf, "rid", "00");
    leaf_set_text(leaf, "serial", "00");
    assert_ok(leaf_seal(leaf, &e), &e);
    assert_ok(mirror_message(all.mirror, from->index, &octets, &e), &e);
    assert_err(asked_look(&a, &no, buf_span(&octets), &e), ERR_CRYPTO, &e);
    assert_string_equal(e.text, "the message: it is for no certificate");
}

/* mirror_over: so often it is not. */
static int
count_down(void *arg)
{
    unsigned *left = arg;

    return *left == 0 ? 1 : ((*left)--, 0);
}

/* Each leaf and message is a place to stop at. */
static void
who_is_gone_gets_no_answer(void **state)
{
    const struct asking a = asking_of(BY_KUR);
    const struct story_leaf *request = story_find(a.story, LEAF_REQUEST);
    struct err e = {0};
    unsigned tries = 0;
    int result = -1;

    (void)state;
    for (unsigned left = 0; result != 0 && tries < 100; left = ++tries) {
        mirror_watch(all.mirror, count_down, &left);
        result = asked_check(&a, request, &e);
        mirror_watch(all.mirror, NULL, NULL);
        if (result != 0 && e.code != ERR_STORE) { /* it was not SQLite that stopped */
            assert_int_equal(e.code, ERR_BUSY);
        }
    }
    assert_ok(result, &e);
    assert_true(tries > 2); /* the message; leaves of the certificate that signs */
}

/* ---- leaves that the ledger has not ---- */

enum { YEARS = 20 * 365 * 24 * 60 * 60 };

/* As looking at `from`'s message, for that leaf; *said may say more. */
static int
look_as(const struct asking *a, const struct leaf *leaf, uint64_t index, enum which whose,
        enum leaf_kind from, struct err *e)
{
    const struct story_leaf as = {.leaf = (struct leaf *)(uintptr_t)leaf, .index = index};
    CLEANUP(buf_free) struct buf octets = BUF_INIT(TEXT_MAX);
    const struct story_leaf *asked = story_find(&all.stories[whose], from);

    all.said[0] = '\0';
    assert_ok(mirror_message(all.mirror, asked->index, &octets, e), e);
    return asked_look(a, &as, buf_span(&octets), e);
}

static struct leaf *
leaf_like(const struct leaf *like, enum leaf_kind kind, time_t time)
{
    static const char *const names[] = {"rid", "serial", "registration", "assurance"};
    struct leaf *leaf = leaf_new(kind, time);
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (leaf_text(like, names[i]) != NULL) {
            leaf_set_text(leaf, names[i], leaf_text(like, names[i]));
        }
    }
    (void)leaf_seal(leaf, &e);
    return leaf;
}

/* What waits for officers has no INTENT that says what it replaces. */
static void
whoever_waits_asks_for_itself(void **state)
{
    const struct story_leaf *request = story_find(&all.stories[BY_KUR], LEAF_REQUEST);
    struct story before = all.stories[BY_KUR];
    struct asking a = asking_of(BY_KUR);
    struct err e = {0};

    (void)state;
    for (before.n = 0; leaf_kind(before.leaves[before.n].leaf) != LEAF_INTENT; before.n++) {
    }
    a.story = &before;
    assert_ok(look_as(&a, request->leaf, request->index, BY_KUR, LEAF_REQUEST, &e), &e);
    assert_non_null(strstr(all.said, "its certificate is of this record: "));
    assert_non_null(strstr(all.said, "that was neither revoked nor expired: verified again\n"));
    assert_err(look_as(&a, request->leaf, request->index, BY_VENDOR, LEAF_REQUEST, &e), ERR_CRYPTO,
               &e);
    assert_string_equal(e.text, "the message: it is signed, and registered for a MAC");
}

static void
a_certificate_that_was_revoked_asks_for_nothing(void **state)
{
    const struct story_leaf *request = story_find(&all.stories[BY_KUR], LEAF_REQUEST);
    const struct asking a = asking_of(BY_KUR);
    struct err e = {0};

    (void)state;
    assert_err(look_as(&a, request->leaf, UINT32_MAX, BY_KUR, LEAF_REQUEST, &e), ERR_CRYPTO, &e);
    assert_non_null(strstr(e.text, "the message: it is signed with the certificate "));
    assert_non_null(strstr(e.text, " had revoked"));
}

static void
a_certificate_that_had_expired_is_renewed_at_most(void **state)
{
    const struct story_leaf *request = story_find(&all.stories[BY_KUR], LEAF_REQUEST);
    const struct story_leaf *revoked = story_find(&all.stories[BY_CR], LEAF_REVOKED);
    const time_t late = leaf_time(request->leaf) + YEARS;
    CLEANUP(leaf_cleanup) struct leaf *update = leaf_like(request->leaf, LEAF_REQUEST, late);
    CLEANUP(leaf_cleanup) struct leaf *revocation = leaf_like(revoked->leaf, LEAF_REVOKED, late);
    struct asking a = asking_of(BY_KUR);
    struct err e = {0};

    (void)state;
    assert_ok(look_as(&a, update, request->index, BY_KUR, LEAF_REQUEST, &e), &e);
    assert_non_null(strstr(all.said, "it had expired, and the CA's policy says for how long"));
    a.story = &all.stories[BY_CR];
    assert_err(look_as(&a, revocation, revoked->index, BY_CR, LEAF_REVOKED, &e), ERR_CRYPTO, &e);
    assert_non_null(strstr(e.text, ", which had expired"));
}

/* Who asks again signs again. */
static void
an_answer_that_is_given_again_is_asked_for_by_its_holder(void **state)
{
    const struct story_leaf *request = story_find(&all.stories[BY_KUR], LEAF_REQUEST);
    CLEANUP(leaf_cleanup)
    struct leaf *again = leaf_like(request->leaf, LEAF_AGAIN, leaf_time(request->leaf));
    const struct asking a = asking_of(BY_KUR);
    struct err e = {0};

    (void)state;
    assert_ok(look_as(&a, again, request->index, BY_KUR, LEAF_REQUEST, &e), &e);
    assert_non_null(strstr(all.said, "its certificate is of this record: "));
    assert_err(look_as(&a, again, request->index, BY_IR, LEAF_REQUEST, &e), ERR_CRYPTO, &e);
    assert_string_equal(e.text, "the message: it is an update that nobody signed");
}

static void
a_revocation_names_a_certificate(void **state)
{
    static const uint8_t none[] = {0x30, 0x04, 0x30, 0x02, 0x30, 0x00};
    static const uint8_t cut[] = {0x30, 0x00};
    struct span serial;
    struct err e = {0};

    (void)state;
    assert_err(message_revocation_read(span_of(none, sizeof(none)), &serial, &e), ERR_CRYPTO, &e);
    assert_string_equal(e.text, "the message is no rr that names a certificate");
    assert_err(message_revocation_read(span_of(cut, sizeof(cut)), &serial, &e), ERR_CRYPTO, &e);
    assert_string_equal(e.text, "the message is no rr");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_is_verified_again),
        cmocka_unit_test(a_vendor_is_believed_by_its_root),
        cmocka_unit_test(anothers_message_and_an_edited_one_are_named),
        cmocka_unit_test(a_confirmation_is_of_a_certificate),
        cmocka_unit_test(who_is_gone_gets_no_answer),
        cmocka_unit_test(whoever_waits_asks_for_itself),
        cmocka_unit_test(a_certificate_that_was_revoked_asks_for_nothing),
        cmocka_unit_test(a_certificate_that_had_expired_is_renewed_at_most),
        cmocka_unit_test(an_answer_that_is_given_again_is_asked_for_by_its_holder),
        cmocka_unit_test(a_revocation_names_a_certificate),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
