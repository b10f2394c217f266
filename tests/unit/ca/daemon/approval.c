/* SPDX-License-Identifier: Apache-2.0 */
/* A profile that demands two officers' approvals, and everybody who would rather do with less. */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/cmp/message/phrase.h"
#include "ca/link/admin.h"
#include "ca/link/frame.h"
#include "ca/registration/approval.h"
#include "ca/x509/serial.h"
#include "ca/x509/tbs/tbs.h"
#include "db/issuance/issuance.h"
#include "tests/unit/ca/daemon/nf.h"

enum { DAY = 24 * 60 * 60, KILLS = 8, CHECK_AFTER = 7, LOG_MAX = 16 * 1024 * 1024 };

struct scene {
    struct world *w;
    EVP_PKEY *alice_key;
    X509 *alice;
    EVP_PKEY *bob_key;
    X509 *bob;
};

static void
append(const struct world *w, const char *name, const char *text)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", w->dir, name);
    CLEANUP(buf_free) struct buf all = BUF_INIT(16 * 1024);
    struct err e = {0};

    if (file_read(path, &all, &e) != 0) {
        buf_free(&all);
    }
    assert_ok(buf_append_str(&all, text, &e), &e);
    assert_ok(file_write(path, buf_span(&all), 0644, &e), &e);
}

static int
setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));

    (void)signal(SIGPIPE, SIG_IGN);
    s->w = world_new();
    assert_int_equal(world_stop(s->w), 0);
    append(s->w, "profiles.conf",
           "profile \"nf-tls\" {\n key_usage = {\"digitalSignature\"}\n"
           " extended_key_usage = {\"serverAuth\", \"clientAuth\"}\n server = true\n"
           " keys = {\"P-256\"}\n max_validity_days = 30\n approvals = 2\n}\n");
    append(s->w, "nfpki-ca.conf", "profiles = \"profiles.conf\"\napproval_check_after = 7\n");
    world_start(s->w);
    s->alice_key = pki_key("P-256");
    s->bob_key = pki_key("P-256");
    s->alice = world_officer(s->w, "officer", "Alice", s->alice_key);
    s->bob = world_officer(s->w, "officer", "Bob", s->bob_key);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    X509_free(s->alice);
    X509_free(s->bob);
    EVP_PKEY_free(s->alice_key);
    EVP_PKEY_free(s->bob_key);
    world_free(s->w);
    mem_free(s);
    return 0;
}

/* ---- what is done to a request ---- */

static void
submit(struct scene *s, const struct nf *n, struct answer *a)
{
    world_submit(s->w, buf_span(&n->request), buf_span(&n->nested), a);
}

static void
is_waiting(const struct answer *a)
{
    if (a->m.type != LINK_WAITING) {
        fail_msg("%s %.*s", link_type_name(a->m.type), (int)a->m.phrase.n,
                 (const char *)a->m.phrase.p);
    }
    assert_int_equal(a->m.check_after, CHECK_AFTER);
    assert_true(span_equal(a->m.phrase, span_str(phrase_text(PHRASE_WAITING))));
}

static struct nf
waiting_nf(struct scene *s)
{
    CLEANUP(answer_free) struct answer a = {0};
    struct nf n = nf_new(s->w, BY_MAC, 1);

    submit(s, &n, &a);
    is_waiting(&a);
    return n;
}

static json_t *
pending(struct scene *s, const struct nf *n, struct err *e)
{
    uint8_t rid[SHA256_SIZE];
    CLEANUP(mem_cleanup) char *hex = NULL;

    assert_ok(sha256(buf_span(&n->request), rid, e), e);
    hex = hex_dup(span_of(rid, sizeof(rid)));
    return world_ask(s->w, json_pack("{s:s,s:s}", "command", "pending", "rid", hex), e);
}

static json_int_t
approved(struct scene *s, const struct nf *n)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = pending(s, n, &e);

    assert_non_null(answer);
    return json_integer_value(
        json_object_get(json_array_get(json_object_get(answer, "pending"), 0), "approved"));
}

static const char *
text(const json_t *entry, const char *name)
{
    const char *value = json_string_value(json_object_get(entry, name));

    assert_non_null(value);
    return value;
}

/* The document that the daemon's list leads to. */
static struct approval
document(struct scene *s, const struct nf *n)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = pending(s, n, &e);
    const json_t *entry = json_array_get(json_object_get(answer, "pending"), 0);
    struct approval a = {.approves = true, .time = clock_now()};

    assert_non_null(entry);
    assert_ok(hex_parse(text(entry, "rid"), a.rid, sizeof(a.rid), &e), &e);
    assert_ok(hex_parse(text(entry, "publicKey"), a.public_key, sizeof(a.public_key), &e), &e);
    (void)snprintf(a.registration, sizeof(a.registration), "%s", text(entry, "registration"));
    (void)snprintf(a.nf_instance, sizeof(a.nf_instance), "%s", text(entry, "nfInstanceId"));
    (void)snprintf(a.profile, sizeof(a.profile), "%s", text(entry, "profile"));
    assert_ok(time_parse(text(entry, "expires"), &a.expires, &e), &e);
    return a;
}

static json_t *
hand_in(struct scene *s, struct span cms, struct err *e)
{
    CLEANUP(mem_cleanup) char *base64 = base64_dup(cms);

    return world_ask(s->w, json_pack("{s:s,s:s}", "command", "approve", "cms", base64), e);
}

static json_t *
decide(struct scene *s, const struct approval *a, X509 *officer, EVP_PKEY *key, struct err *e)
{
    CLEANUP(mem_cleanup) char *json = approval_format(a);
    CLEANUP(buf_free) struct buf cms = BUF_INIT(APPROVAL_CMS_MAX);

    assert_ok(approval_sign(span_str(json), officer, key, &cms, e), e);
    return hand_in(s, buf_span(&cms), e);
}

/* Alice or Bob decides; the state that the daemon answers with. */
static void
officer_decides(struct scene *s, const struct nf *n, bool alice, bool approves, const char *state)
{
    struct approval a = document(s, n);
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;

    a.approves = approves;
    answer = decide(s, &a, alice ? s->alice : s->bob, alice ? s->alice_key : s->bob_key, &e);
    if (answer == NULL) {
        fail_msg("%s", e.text);
    }
    assert_string_equal(text(answer, "state"), state);
}

static void
is_refused(struct scene *s, const struct approval *a, X509 *officer, EVP_PKEY *key,
           enum err_code code, const char *says)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = decide(s, a, officer, key, &e);

    if (answer != NULL || e.code != code || strstr(e.text, says) == NULL) {
        fail_msg("\"%s\" (%s) instead of \"%s\"", answer != NULL ? "done" : e.text,
                 err_code_name(e.code), says);
    }
}

/* ---- tests ---- */

static void
two_officers_let_it_go_on_and_the_ra_is_told_unasked(void **state)
{
    struct scene *s = *state;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(answer_free) struct answer a = {0};
    CLEANUP(answer_free) struct answer again = {0};
    CLEANUP(x509_cleanup) X509 *certificate = NULL;

    submit(s, &n, &a);
    is_waiting(&a);
    officer_decides(s, &n, true, true, "waiting");
    officer_decides(s, &n, true, true, "waiting"); /* once more is not one more */
    assert_int_equal(approved(s, &n), 1);
    submit(s, &n, &a);
    is_waiting(&a);
    officer_decides(s, &n, false, true, "approved");
    world_receive(s->w, &a);
    certificate = nf_issued(&a);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), n.key), 1);
    submit(s, &n, &again);
    assert_true(span_equal(a.m.body, again.m.body));
}

static json_int_t
number(const json_t *entry, const char *name)
{
    const json_t *value = json_object_get(entry, name);

    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

/* What a person sees before and after a decision, and what the decision is answered. */
static void
officers_are_shown_what_waits_and_who_has_decided(void **state)
{
    struct scene *s = *state;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(answer_free) struct answer a = {0};
    struct approval approval = document(s, &n);
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(s->alice));
    struct err e = {0};

    for (int decided = 0; decided <= 1; decided++) {
        CLEANUP(admin_json_cleanup)
        json_t *all = world_ask(s->w, json_pack("{s:s}", "command", "pending"), &e);
        CLEANUP(admin_json_cleanup) json_t *one = pending(s, &n, &e);
        const json_t *entry = json_array_get(json_object_get(one, "pending"), 0);
        const json_t *decisions = json_object_get(entry, "decisions");
        size_t at = 0;

        /* the same stands in the list of all */
        while (!json_equal(json_array_get(json_object_get(all, "pending"), at), entry)) {
            at++;
            assert_true(at < json_array_size(json_object_get(all, "pending")));
        }
        assert_string_equal(text(entry, "assurance"), "mac");
        assert_string_equal(text(entry, "requester"), "");
        assert_string_equal(text(entry, "homeDomain"), "5gc.mnc012.mcc345.3gppnetwork.org");
        assert_string_equal(text(entry, "country"), "SE");
        assert_int_equal(json_array_size(json_object_get(entry, "nfTypes")), 1);
        assert_int_equal(json_array_size(json_object_get(entry, "fqdns")), 1);
        assert_int_equal(number(entry, "approvals"), 2);
        assert_int_equal(number(entry, "approved"), decided);
        assert_int_equal(number(entry, "missing"), 2 - decided);
        assert_int_equal(json_array_size(decisions), decided);
        if (decided == 0) {
            officer_decides(s, &n, true, true, "waiting");
        } else {
            const json_t *decision = json_array_get(decisions, 0);

            assert_string_equal(text(decision, "serial"), serial);
            assert_string_equal(text(decision, "decision"), "approve");
            assert_true(json_is_true(json_object_get(decision, "counts")));
            assert_int_equal(strlen(text(decision, "time")), TIME_TEXT_SIZE - 1);
        }
    }
    for (int already = 0; already <= 1; already++) {
        CLEANUP(admin_json_cleanup)
        json_t *answer = decide(s, &approval, already == 1 ? s->alice : s->bob,
                                already == 1 ? s->alice_key : s->bob_key, &e);

        assert_non_null(answer);
        assert_string_equal(text(answer, "decision"), "approve");
        assert_int_equal(number(answer, "approved"), 2);
        assert_int_equal(number(answer, "approvals"), 2);
        assert_true(json_is_boolean(json_object_get(answer, "already")));
        assert_int_equal(json_is_true(json_object_get(answer, "already")), already);
        if (already == 0) {
            world_receive(s->w, &a);
            X509_free(nf_issued(&a));
        } else {
            assert_string_equal(text(answer, "state"), "closed");
        }
    }
    assert_null(pending(s, &n, &e));
    assert_int_equal(e.code, ERR_NOTFOUND);
}

/* Its only certificate is issued: nothing waits for officers who could change nothing. */
static void
what_the_database_refuses_does_not_wait(void **state)
{
    struct scene *s = *state;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(answer_free) struct answer a = {0};

    officer_decides(s, &n, true, true, "waiting");
    officer_decides(s, &n, false, true, "approved");
    world_receive(s->w, &a);
    X509_free(nf_issued(&a));
    nf_request(s->w, &n);
    submit(s, &n, &a);
    nf_is_refused_for(&a, CMP_NOT_AUTHORIZED, phrase_text(PHRASE_USED_UP));
    submit(s, &n, &a);
    nf_is_refused_for(&a, CMP_NOT_AUTHORIZED, phrase_text(PHRASE_USED_UP));
}

/* What another peer says about the same rid, and nobody signed, is that peer's alone. */
static void
a_refusal_that_nobody_stands_for_is_not_told(void **state)
{
    struct scene *s = *state;
    struct world *w = s->w;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/link.sock", w->dir);
    CLEANUP(buf_free)
    struct buf forged =
        world_wrap(w, buf_span(&n.request), n.id, CMP_ASSURANCE_MAC, s->alice_key, w->ra);
    const struct link_message hello = {.type = LINK_HELLO};
    CLEANUP(answer_free) struct answer a = {0};
    int first = w->link;
    struct err e = {0};

    w->link = unix_connect(path, true, &e);
    assert_true(w->link >= 0);
    world_send(w, &hello);
    world_receive(w, &a);
    world_submit(w, buf_span(&n.request), buf_span(&forged), &a);
    nf_is_deferred(&a, CMP_BAD_MESSAGE_CHECK, "signature of the RA");
    (void)close(w->link);
    w->link = first;
    officer_decides(s, &n, true, true, "waiting");
    officer_decides(s, &n, false, true, "approved");
    world_receive(w, &a);
    X509_free(nf_issued(&a));
}

static void
what_waits_takes_none_of_the_links_places(void **state)
{
    enum { MANY = 3 };
    struct scene *s = *state;
    CLEANUP(answer_free) struct answer a = {0};
    struct nf all[MANY];

    for (size_t i = 0; i < MANY; i++) {
        all[i] = waiting_nf(s);
    }
    for (size_t i = MANY; i > 0; i--) {
        officer_decides(s, &all[i - 1], true, false, "refused");
        world_receive(s->w, &a);
        nf_is_refused(&a, CMP_NOT_AUTHORIZED);
        nf_free(&all[i - 1]);
    }
}

static void
one_rejection_is_the_end(void **state)
{
    struct scene *s = *state;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(answer_free) struct answer a = {0};
    struct approval late = document(s, &n);

    officer_decides(s, &n, true, true, "waiting");
    officer_decides(s, &n, true, false, "refused"); /* on second thought */
    world_receive(s->w, &a);
    nf_is_refused(&a, CMP_NOT_AUTHORIZED);
    is_refused(s, &late, s->bob, s->bob_key, ERR_CONFLICT, "nothing waits");
    submit(s, &n, &a);
    nf_is_refused(&a, CMP_NOT_AUTHORIZED);
    assert_true(span_equal(a.m.phrase, span_str(phrase_text(PHRASE_NOT_APPROVED))));
}

/* Whoever reaches the admin socket may hand in what he likes. */
static void
only_an_officers_approval_of_this_very_request_counts(void **state)
{
    struct scene *s = *state;
    struct world *w = s->w;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(nf_free) struct nf other = waiting_nf(s);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *foreign = pki_issue_officer(w->pki, "officer", key);
    CLEANUP(x509_cleanup) X509 *registrar_too = world_officer(w, "officer", "OAM", key);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other_key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *registrar = world_officer(w, "registrar", "OAM 2", other_key);
    CLEANUP(mem_cleanup) char *json = NULL;
    CLEANUP(buf_free) struct buf cms = BUF_INIT(APPROVAL_CMS_MAX);
    const struct approval good = document(s, &n);
    const struct approval others = document(s, &other);
    struct approval a = good;
    struct err e = {0};

    is_refused(s, &good, foreign, key, ERR_DENIED, "signer");
    /* ours, but no officers by the record */
    is_refused(s, &good, registrar, other_key, ERR_DENIED, "in this role");
    is_refused(s, &good, w->ra, w->ra_key, ERR_DENIED, "in this role");
    is_refused(s, &good, registrar_too, key, ERR_DENIED, "who registered");
    memcpy(a.rid, others.rid, sizeof(a.rid)); /* for another request */
    is_refused(s, &a, s->alice, s->alice_key, ERR_DENIED, "is not that of the request");
    a = good;
    memcpy(a.public_key, others.public_key, sizeof(a.public_key));
    is_refused(s, &a, s->alice, s->alice_key, ERR_DENIED, "publicKey");
    a = good;
    a.rid[0] ^= 1;
    is_refused(s, &a, s->alice, s->alice_key, ERR_NOTFOUND, "nothing waits");
    a = good;
    a.time = clock_now() - 2 * DAY;
    a.expires = clock_now() - DAY;
    is_refused(s, &a, s->alice, s->alice_key, ERR_DENIED, "expired");
    a = good;
    a.time = clock_now() + DAY;
    is_refused(s, &a, s->alice, s->alice_key, ERR_DENIED, "future");
    json = approval_format(&good);
    assert_ok(approval_sign(span_str(json), s->alice, s->alice_key, &cms, &e), &e);
    cms.p[cms.n - 1] ^= 1;
    assert_null(hand_in(s, buf_span(&cms), &e));
    assert_int_equal(e.code, ERR_CRYPTO);
    assert_null(hand_in(s, SPAN_LITERAL("nonsense"), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_null(world_ask(w, json_pack("{s:s}", "command", "approve"), &e));
    assert_int_equal(e.code, ERR_INPUT);
    assert_int_equal(approved(s, &n), 0);
    assert_int_equal(approved(s, &other), 0);
}

static void
revoke_officer(struct scene *s, const X509 *certificate)
{
    const ASN1_INTEGER *number = X509_get0_serialNumber(certificate);
    CLEANUP(mem_cleanup)
    char *serial =
        hex_dup(span_of(ASN1_STRING_get0_data(number), (size_t)ASN1_STRING_length(number)));
    struct err e = {0};
    CLEANUP(admin_json_cleanup)
    json_t *answer = world_ask(s->w,
                               json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", serial,
                                         "reason", "cessationOfOperation"),
                               &e);

    assert_non_null(answer);
}

static void
a_revoked_officers_approval_does_not_count(void **state)
{
    struct scene *s = *state;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *carol = world_officer(s->w, "officer", "Carol", key);
    CLEANUP(answer_free) struct answer a = {0};
    struct err e = {0};
    struct approval approval = document(s, &n);
    CLEANUP(admin_json_cleanup) json_t *answer = decide(s, &approval, carol, key, &e);

    assert_non_null(answer);
    revoke_officer(s, carol);
    is_refused(s, &approval, carol, key, ERR_DENIED, "revoked");
    officer_decides(s, &n, true, true, "waiting");
    submit(s, &n, &a);
    is_waiting(&a);
    officer_decides(s, &n, false, true, "approved");
    world_receive(s->w, &a);
    X509_free(nf_issued(&a));
}

static void
what_is_no_longer_registered_is_refused_after_all(void **state)
{
    struct scene *s = *state;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(answer_free) struct answer a = {0};
    bool cancelled = false;

    officer_decides(s, &n, true, true, "waiting");
    world_send_cancel(s->w, n.id);
    /* CANCELLED, and REFUSED for what waited, in any order */
    for (int i = 0; i < 2; i++) {
        world_receive(s->w, &a);
        if (a.m.type == LINK_CANCELLED) {
            cancelled = true;
        } else {
            nf_is_refused(&a, CMP_NOT_AUTHORIZED);
        }
    }
    assert_true(cancelled);
    submit(s, &n, &a);
    nf_is_refused(&a, CMP_NOT_AUTHORIZED);
}

static void
a_kill_at_any_moment_loses_no_approval(void **state)
{
    struct scene *s = *state;
    struct world *w = s->w;

    for (unsigned i = 0; i < KILLS; i++) {
        CLEANUP(nf_free) struct nf n = waiting_nf(s);
        CLEANUP(answer_free) struct answer a = {0};
        const struct timespec pause = {.tv_nsec = (long)i * 3 * 1000 * 1000};

        world_kill(w);
        world_start(w);
        officer_decides(s, &n, true, true, "waiting");
        world_kill(w);
        world_start(w);
        submit(s, &n, &a); /* as an RA does with a new connection */
        is_waiting(&a);
        assert_int_equal(approved(s, &n), 1);
        officer_decides(s, &n, false, true, "approved");
        (void)nanosleep(&pause, NULL);
        world_kill(w);
        world_start_and_kill(w, i * 10);
        world_start(w);
        submit(s, &n, &a);
        while (a.m.type == LINK_BUSY) {
            submit(s, &n, &a);
        }
        X509_free(nf_issued(&a));
    }
}

/* ---- who can write the file ---- */

static void
edit(const struct world *w, const char *sql)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/state/ca.db", w->dir);
    sqlite3 *db = NULL;
    char *message = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s", message);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
what_is_not_approved_in_time_is_refused_and_the_ra_is_told(void **state)
{
    struct scene *s = *state;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(nf_free) struct nf asked_late = waiting_nf(s);
    CLEANUP(answer_free) struct answer a = {0};

    officer_decides(s, &n, true, true, "waiting");
    assert_int_equal(world_stop(s->w), 0);
    /* the clock's work */
    edit(s->w, "DROP TRIGGER pending_fixed;"
               "UPDATE pending SET created = 1, expires = 2 WHERE open = 1;"
               "CREATE TRIGGER pending_fixed BEFORE UPDATE OF expires ON pending "
               "BEGIN SELECT RAISE(ABORT, 'no'); END");
    world_start(s->w);
    for (int i = 0; i < 2; i++) {
        const struct nf *late = i == 0 ? &n : &asked_late;

        submit(s, late, &a);
        while (a.m.type == LINK_BUSY) {
            submit(s, late, &a);
        }
        nf_is_refused(&a, CMP_NOT_AUTHORIZED);
        assert_true(span_equal(a.m.phrase, span_str(phrase_text(PHRASE_LATE_APPROVAL))));
    }
}

/* ---- a medium that fails ---- */

/* Asks; the daemon ends by itself, says what, and answers nobody. */
static void
ends(struct scene *s, const struct nf *n, const struct approval *approval, bool known,
     const char *says)
{
    struct world *w = s->w;
    CLEANUP(mem_cleanup) char *log = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf text_before = BUF_INIT(LOG_MAX);
    CLEANUP(buf_free) struct buf text_after = BUF_INIT(LOG_MAX);
    CLEANUP(buf_free) struct buf answer = BUF_INIT(LINK_FRAME_MAX);
    struct err e = {0};
    int status = 0;

    assert_ok(file_read(log, &text_before, &e), &e);
    if (approval != NULL) {
        assert_null(decide(s, approval, s->alice, s->alice_key, &e));
    } else if (known) {
        assert_null(pending(s, n, &e));
    } else {
        world_send_submit(w, buf_span(&n->request), buf_span(&n->nested));
    }
    assert_int_equal(frame_read(w->link, LINK_FRAME_MAX, &answer, -1, &e), -1);
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
    static const struct {
        int asked;
        const char *breaks;
        const char *mends;
        const char *says;
    } rows[] = {
        {SUBMIT_NEW,
         "CREATE TRIGGER broken BEFORE INSERT ON pending BEGIN SELECT RAISE(ABORT, 'broken'); END",
         "DROP TRIGGER broken", "record a request: "},
        {DECIDE,
         "CREATE TRIGGER broken BEFORE INSERT ON approval BEGIN SELECT RAISE(ABORT, 'broken'); END",
         "DROP TRIGGER broken", "store an approval: nothing"},
        {SUBMIT, "ALTER TABLE approval RENAME COLUMN cms TO broken",
         "ALTER TABLE approval RENAME COLUMN broken TO cms", "look a request up: "},
        {SHOW, "ALTER TABLE approval RENAME COLUMN cms TO broken",
         "ALTER TABLE approval RENAME COLUMN broken TO cms", "list what waits: nothing"},
        {SUBMIT, "ALTER TABLE pending RENAME COLUMN evidence TO broken",
         "ALTER TABLE pending RENAME COLUMN broken TO evidence", "look a request up: "},
        {SHOW, "ALTER TABLE pending RENAME COLUMN evidence TO broken",
         "ALTER TABLE pending RENAME COLUMN broken TO evidence", "list what waits: nothing"},
        {DECIDE, "ALTER TABLE pending RENAME COLUMN evidence TO broken",
         "ALTER TABLE pending RENAME COLUMN broken TO evidence",
         "find what an approval is about: nothing"},
    };
    struct scene *s = *state;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(nf_free) struct nf fresh = nf_new(s->w, BY_MAC, 1);
    const struct approval approval = document(s, &n);
    CLEANUP(answer_free) struct answer a = {0};

    assert_int_equal(world_stop(s->w), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        edit(s->w, rows[i].breaks);
        world_start(s->w);
        ends(s, rows[i].asked == SUBMIT_NEW ? &fresh : &n,
             rows[i].asked == DECIDE ? &approval : NULL, rows[i].asked == SHOW, rows[i].says);
        world_kill(s->w); /* what is left of it here */
        edit(s->w, rows[i].mends);
    }
    world_start(s->w);
    officer_decides(s, &n, true, false, "refused");
    submit(s, &n, &a);
    nf_is_refused(&a, CMP_NOT_AUTHORIZED);
}

/* Rows without leaves are found at the start. What a row is edited for where no leaf says otherwise
 * is found when the signatures are counted. */
static void
an_approval_that_nobody_signed_is_worth_nothing(void **state)
{
    struct scene *s = *state;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(nf_free) struct nf other = waiting_nf(s);
    CLEANUP(answer_free) struct answer a = {0};

    officer_decides(s, &n, true, true, "waiting");
    officer_decides(s, &other, true, true, "waiting");
    officer_decides(s, &other, false, false, "refused");
    world_receive(s->w, &a);
    nf_is_refused(&a, CMP_NOT_AUTHORIZED);
    assert_int_equal(world_stop(s->w), 0);
    /* Bob's rejection of another request becomes his approval of this one */
    edit(s->w, "DROP TRIGGER IF EXISTS approval_fixed; DROP TRIGGER approval_open;"
               "INSERT INTO approval SELECT (SELECT rid FROM pending WHERE open = 1), 1, officer, "
               "subject, key_sha256, cms, created, leaf + 1000000 FROM approval WHERE approves = 0 "
               "ORDER BY leaf DESC LIMIT 1");
    assert_true(world_start_fails(s->w));
    edit(s->w,
         "DELETE FROM approval WHERE leaf = -1;"
         "DROP TRIGGER approval_kept;"
         "DELETE FROM approval WHERE leaf >= 1000000;"
         /* one approval, but counted twice by a row that demands one */
         "DROP TRIGGER IF EXISTS pending_fixed; UPDATE pending SET approvals = 1 WHERE open = 1");
    assert_true(world_start_fails(s->w));
    edit(s->w, "UPDATE pending SET approvals = 2 WHERE open = 1");
    world_start(s->w);
    submit(s, &n, &a);
    is_waiting(&a);
}

/* The rows count two; the signatures do not. */
static void
an_approval_whose_signature_was_edited_does_not_count(void **state)
{
    struct scene *s = *state;
    CLEANUP(nf_free) struct nf n = waiting_nf(s);
    CLEANUP(answer_free) struct answer a = {0};

    officer_decides(s, &n, true, true, "waiting");
    assert_int_equal(world_stop(s->w), 0);
    edit(s->w, "DROP TRIGGER IF EXISTS approval_fixed;"
               "UPDATE approval SET cms = (SELECT cms FROM approval ORDER BY leaf LIMIT 1) "
               "WHERE leaf = (SELECT max(leaf) FROM approval)");
    world_start(s->w);
    officer_decides(s, &n, false, true, "approved");
    for (int i = 0; i < 3; i++) {
        submit(s, &n, &a);
        while (a.m.type == LINK_BUSY) {
            submit(s, &n, &a);
        }
        is_waiting(&a);
    }
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
    assert_ok(serial_new(t->serial, &e), &e);
    assert_ok(tbs_build(t, tbs, &e), &e);
    t->spki = span_of(NULL, 0);
}

/* Right in everything but that nobody approved it: a start does not finish it. */
static void
an_intent_without_approvals_is_not_finished(void **state)
{
    static const uint8_t previous[LINK_PREVIOUS_SIZE];
    struct scene *s = *state;
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
    submit(s, &n, &a);
    nf_is_refused(&a, CMP_SYSTEM_FAILURE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_officers_let_it_go_on_and_the_ra_is_told_unasked),
        cmocka_unit_test(officers_are_shown_what_waits_and_who_has_decided),
        cmocka_unit_test(what_the_database_refuses_does_not_wait),
        cmocka_unit_test(a_refusal_that_nobody_stands_for_is_not_told),
        cmocka_unit_test(what_waits_takes_none_of_the_links_places),
        cmocka_unit_test(one_rejection_is_the_end),
        cmocka_unit_test(only_an_officers_approval_of_this_very_request_counts),
        cmocka_unit_test(a_revoked_officers_approval_does_not_count),
        cmocka_unit_test(what_is_no_longer_registered_is_refused_after_all),
        cmocka_unit_test(a_kill_at_any_moment_loses_no_approval),
        cmocka_unit_test(what_is_not_approved_in_time_is_refused_and_the_ra_is_told),
        cmocka_unit_test(an_intent_without_approvals_is_not_finished),
        cmocka_unit_test(what_cannot_be_stored_or_read_of_it_ends_the_daemon),
        cmocka_unit_test(an_approval_that_nobody_signed_is_worth_nothing),
        cmocka_unit_test(an_approval_whose_signature_was_edited_does_not_count),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
