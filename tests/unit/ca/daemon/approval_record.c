/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for officers where somebody writes the CA's file, or the medium fails. */
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "ca/cmp/message/phrase.h"
#include "ca/registration/approval.h"
#include "ca/x509/serial.h"
#include "ca/x509/tbs/tbs.h"
#include "db/issuance/issuance.h"
#include "tests/unit/ca/daemon/desk.h"

enum { LOG_MAX = 16 * 1024 * 1024 };

/* ---- who can write the file ---- */

static void
what_is_not_approved_in_time_is_refused_and_the_ra_is_told(void **state)
{
    struct desk *s = *state;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(nf_free) struct nf asked_late = desk_nf(s);
    CLEANUP(answer_free) struct answer a = {0};

    desk_officer(s, &n, true, true, "waiting");
    assert_int_equal(world_stop(s->w), 0);
    s->w->clock = "+8d";
    world_start(s->w);
    for (int i = 0; i < 2; i++) {
        const struct nf *late = i == 0 ? &n : &asked_late;

        desk_submit(s, late, &a);
        while (a.m.type == LINK_BUSY) {
            desk_submit(s, late, &a);
        }
        nf_is_refused(&a, CMP_NOT_AUTHORIZED);
        assert_true(span_equal(a.m.phrase, span_str(phrase_text(PHRASE_LATE_APPROVAL))));
    }
}

/* ---- a medium that fails ---- */

/* Asks; the daemon ends by itself, says what, and answers nobody. */
static void
ends(struct desk *s, const struct nf *n, const struct approval *approval, bool known,
     const char *says)
{
    struct world *w = s->w;
    CLEANUP(mem_cleanup) char *log = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf text_before = BUF_INIT(LOG_MAX);
    CLEANUP(buf_free) struct buf text_after = BUF_INIT(LOG_MAX);
    struct err e = {0};
    int status = 0;

    assert_ok(file_read(log, &text_before, &e), &e);
    if (approval != NULL) {
        assert_null(desk_decide(s, approval, s->alice, s->alice_key, &e));
    } else if (known) {
        assert_null(desk_pending(s, n, &e));
    } else {
        world_send_submit(w, buf_span(&n->request), buf_span(&n->nested));
    }
    assert_true(world_hung_up(w));
    assert_int_equal(waitpid(w->daemon, &status, 0), w->daemon);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_ok(file_read(log, &text_after, &e), &e);
    if (memmem(text_after.p + text_before.n, text_after.n - text_before.n, says, strlen(says)) ==
        NULL) {
        fail_msg("not said: %s", says);
    }
}

static void
what_cannot_be_stored_or_read_of_it_ends_the_daemon(void **state)
{
    enum { SUBMIT, SUBMIT_NEW, SHOW, DECIDE };
    static const char no_cms[] = "a.subject, a.cms";
    static const char no_evidence[] = "unpacked(p.evidence) FROM pending";
    static const struct {
        int asked;
        const char *breaks;
        const char *lacks;
        const char *says;
    } rows[] = {
        {SUBMIT_NEW,
         "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.pending BEGIN SELECT RAISE(ABORT, "
         "'broken'); END",
         NULL, "record a request: "},
        {DECIDE,
         "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.approval BEGIN SELECT RAISE(ABORT, "
         "'broken'); END",
         NULL, "store an approval: nothing"},
        {SUBMIT, NULL, no_cms, "look a request up: "},
        {SHOW, NULL, no_cms, "list what waits: nothing"},
        {SUBMIT, NULL, no_evidence, "look a request up: "},
        {SHOW, NULL, no_evidence, "list what waits: nothing"},
        {DECIDE, NULL, no_evidence, "find what an approval is about: nothing"},
    };
    struct desk *s = *state;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(nf_free) struct nf fresh = nf_new(s->w, BY_MAC, 1);
    const struct approval approval = desk_document(s, &n);
    CLEANUP(answer_free) struct answer a = {0};

    assert_int_equal(world_stop(s->w), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        s->w->breaks = rows[i].breaks;
        s->w->lacks = rows[i].lacks;
        world_start(s->w);
        ends(s, rows[i].asked == SUBMIT_NEW ? &fresh : &n,
             rows[i].asked == DECIDE ? &approval : NULL, rows[i].asked == SHOW, rows[i].says);
        world_kill(s->w); /* what is left of it here */
    }
    s->w->breaks = NULL;
    s->w->lacks = NULL;
    world_start(s->w);
    desk_officer(s, &n, true, false, "refused");
    desk_submit(s, &n, &a);
    nf_is_refused(&a, CMP_NOT_AUTHORIZED);
}

/* Rows without leaves are found at the start. What a row is edited for where no leaf says otherwise
 * is found when the signatures are counted. */
static void
an_approval_that_nobody_signed_is_worth_nothing(void **state)
{
    struct desk *s = *state;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(nf_free) struct nf other = desk_nf(s);
    CLEANUP(answer_free) struct answer a = {0};

    desk_officer(s, &n, true, true, "waiting");
    desk_officer(s, &other, true, true, "waiting");
    desk_officer(s, &other, false, false, "refused");
    world_receive(s->w, &a);
    nf_is_refused(&a, CMP_NOT_AUTHORIZED);
    assert_int_equal(world_stop(s->w), 0);
    /* Bob's rejection of another request becomes his approval of this one */
    world_edit_as_ca(
        s->w, "DROP TRIGGER IF EXISTS approval_fixed; DROP TRIGGER IF EXISTS approval_open;"
              "INSERT INTO approval SELECT (SELECT rid FROM pending WHERE open = 1), 1, officer, "
              "subject, key_sha256, cms, created, leaf + 1000000 FROM approval WHERE approves = 0 "
              "ORDER BY leaf DESC LIMIT 1");
    assert_true(world_is_edited(s->w));
    world_edit_as_ca(
        s->w,
        "DELETE FROM approval WHERE leaf = -1;"
        "DROP TRIGGER approval_kept;"
        "DELETE FROM approval WHERE leaf >= 1000000;"
        /* one approval, but counted twice by a row that demands one */
        "DROP TRIGGER IF EXISTS pending_fixed; UPDATE pending SET approvals = 1 WHERE open = 1");
    assert_true(world_is_edited(s->w));
    world_edit_as_ca(
        s->w,
        "DROP TRIGGER IF EXISTS pending_fixed; UPDATE pending SET approvals = 2 WHERE open = 1");
    world_start(s->w);
    desk_submit(s, &n, &a);
    desk_is_waiting(&a);
}

/* What an officer signed is in the leaf, too. */
static void
an_approval_whose_signature_was_edited_is_not_started_with(void **state)
{
    struct desk *s = *state;
    CLEANUP(nf_free) struct nf n = desk_nf(s);
    CLEANUP(answer_free) struct answer a = {0};

    desk_officer(s, &n, true, true, "waiting");
    assert_int_equal(world_stop(s->w), 0);
    world_edit_as_ca(s->w,
                     "DROP TRIGGER IF EXISTS approval_fixed;"
                     "UPDATE approval SET cms = CAST(cms || x'00' AS BLOB) WHERE leaf = (SELECT "
                     "max(leaf) FROM approval)");
    assert_true(world_is_edited(s->w));
    world_edit_as_ca(
        s->w,
        "DROP TRIGGER IF EXISTS approval_fixed; UPDATE approval SET cms = CAST(substr(cms, 1, "
        "length(cms) - 1) AS BLOB) "
        "WHERE leaf = (SELECT max(leaf) FROM approval)");
    world_start(s->w);
    desk_officer(s, &n, false, true, "approved");
    desk_submit(s, &n, &a);
}

/* Exactly what the CA would intend for this request, if it were approved. */
static void
make_tbs(const struct world *w, const struct nf *n, const struct registration *registered,
         struct tbs_request *t, struct buf *tbs)
{
    CLEANUP(buf_free) struct buf spki = pki_spki(n->key);
    struct err e = {0};

    *t = (struct tbs_request){.profile = profile_by_name("nf-tls"),
                              .issuer = w->issuing,
                              .nf = &registered->nf,
                              .spki = buf_span(&spki),
                              .not_before = clock_now(),
                              .crl_url = "http://pki.example/crl/issuing.crl"};
    assert_ok(registration_not_after(registered, t->profile, t->not_before, w->issuing,
                                     &t->not_after, &e),
              &e);
    assert_ok(serial_new(t->serial, clock_now(), &e), &e);
    assert_ok(tbs_build(t, tbs, &e), &e);
    t->spki = span_of(NULL, 0);
}

/* Right in everything but that nobody approved it: a start does not finish it. */
static void
an_intent_without_approvals_is_not_finished(void **state)
{
    static const uint8_t previous[SHA256_SIZE];
    struct desk *s = *state;
    struct world *w = s->w;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
    CLEANUP(answer_free) struct answer a = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf ra = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *message = NULL;
    CLEANUP(registration_signed_cleanup) struct registration_signed *v = NULL;
    uint8_t spki_hash[SHA256_SIZE];
    uint8_t rid[SHA256_SIZE];
    struct tbs_request t;
    struct issuance_intent i;
    struct err e = {0};

    v = registration_verify(buf_span(&n.cms), w->issuing, w->pki->root, clock_now(), NULL, NULL,
                            &e);
    assert_non_null(v);
    message = cmp_msg_parse(buf_span(&n.request), CMP_MESSAGE_MAX, &e);
    make_tbs(w, &n, &v->content, &t, &tbs);
    assert_ok(OSSL_ENCODE(X509, w->ra, &ra, &e), &e);
    assert_ok(sha256(buf_span(&n.request), rid, &e), &e);
    assert_ok(sha256(buf_span(&tbs), spki_hash, &e), &e); /* some key that is nobody's yet */
    i = (struct issuance_intent){.rid = span_of(rid, sizeof(rid)),
                                 .registration = n.id,
                                 .ra_der = buf_span(&ra),
                                 .nf_instance = v->content.nf.instance_id,
                                 .transaction_id = cmp_msg_transaction_id(message),
                                 .queue_previous = span_of(previous, sizeof(previous)),
                                 .profile = "nf-tls",
                                 .evidence = buf_span(&n.nested),
                                 .spki_sha256 = span_of(spki_hash, sizeof(spki_hash)),
                                 .serial = span_of(t.serial, sizeof(t.serial)),
                                 .tbs = buf_span(&tbs),
                                 .not_before = t.not_before,
                                 .judged = t.not_before,
                                 .not_after = t.not_after,
                                 .certificates = 1,
                                 .now = clock_now()};
    assert_int_equal(world_stop(w), 0);
    world_intend(w, &i);
    world_start(w);
    desk_submit(s, &n, &a);
    nf_is_refused(&a, CMP_SYSTEM_FAILURE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_intent_without_approvals_is_not_finished),
        cmocka_unit_test(what_cannot_be_stored_or_read_of_it_ends_the_daemon),
        cmocka_unit_test(an_approval_that_nobody_signed_is_worth_nothing),
        cmocka_unit_test(an_approval_whose_signature_was_edited_is_not_started_with),
        cmocka_unit_test(
            what_is_not_approved_in_time_is_refused_and_the_ra_is_told), /* its clock is another */
    };

    return cmocka_run_group_tests(tests, desk_setup, desk_teardown);
}
