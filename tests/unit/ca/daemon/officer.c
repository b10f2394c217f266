/* SPDX-License-Identifier: Apache-2.0 */
/* An officer's certificates through the admin socket: what is refused, what is asked twice, and
 * what a CA that was killed between intent and signature is asked for again. */
#include "tests/unit/ca/daemon/officer.h"

#include "ca/link/admin.h"

/* ---- what is refused ---- */

static void
what_an_officer_may_not_have_leaves_no_trace(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(mem_cleanup) char *csr = world_csr(key);
    const struct record before = record_read(w);
    static const char needed[] = "issue: csr, profile, commonName and days are needed";

    officer_is_refused(w, "no csr",
                       json_pack("{s:s,s:s,s:s,s:i}", "command", "issue", "profile", "ra-cmp",
                                 "commonName", "RA", "days", 1),
                       ERR_INPUT, needed);
    officer_is_refused(w, "no profile",
                       json_pack("{s:s,s:s,s:s,s:i}", "command", "issue", "csr", csr, "commonName",
                                 "RA", "days", 1),
                       ERR_INPUT, needed);
    officer_is_refused(w, "no name",
                       json_pack("{s:s,s:s,s:s,s:i}", "command", "issue", "csr", csr, "profile",
                                 "ra-cmp", "days", 1),
                       ERR_INPUT, needed);
    officer_is_refused(w, "a name that is a number",
                       json_pack("{s:s,s:s,s:s,s:i,s:i}", "command", "issue", "csr", csr, "profile",
                                 "ra-cmp", "commonName", 1, "days", 1),
                       ERR_INPUT, needed);
    officer_is_refused(w, "more days than a number has",
                       json_pack("{s:s,s:s,s:s,s:s,s:I}", "command", "issue", "csr", csr, "profile",
                                 "ra-cmp", "commonName", "RA", "days", (json_int_t)1 + INT32_MAX),
                       ERR_INPUT, needed);
    officer_is_refused(w, "fewer",
                       json_pack("{s:s,s:s,s:s,s:s,s:I}", "command", "issue", "csr", csr, "profile",
                                 "ra-cmp", "commonName", "RA", "days", (json_int_t)INT32_MIN - 1),
                       ERR_INPUT, needed);
    officer_is_refused(w, "the most days that a number has",
                       officer_wants(csr, "ra-cmp", "RA", INT32_MAX), ERR_INPUT, "days: 1 to 1095");
    officer_is_refused(w, "no days",
                       json_pack("{s:s,s:s,s:s,s:s}", "command", "issue", "csr", csr, "profile",
                                 "ra-cmp", "commonName", "RA"),
                       ERR_INPUT, "days: 1 to 1095");
    officer_is_refused(w, "not a request", officer_wants("hello", "ra-cmp", "RA", 1), ERR_INPUT,
                       "CSR");
    officer_is_refused(w, "a network function's", officer_wants(csr, "nf-tls", "RA", 1), ERR_DENIED,
                       "profile 'nf-tls': an officer issues ra-cmp, registrar and officer");
    officer_is_refused(w, "nothing to revoke",
                       json_pack("{s:s,s:s}", "command", "revoke", "reason", "superseded"),
                       ERR_INPUT, "revoke: serial and reason are needed");
    officer_is_refused(w, "no reason to revoke",
                       json_pack("{s:s,s:s}", "command", "revoke", "serial", "00"), ERR_INPUT,
                       "revoke: serial and reason are needed");
    officer_is_refused(
        w, "a serial number that is none",
        json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", "4x", "reason", "superseded"),
        ERR_INPUT, "serial");
    officer_is_refused(w, "a serial number that nobody has",
                       json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial",
                                 "40000000000000000000000000000001", "reason", "superseded"),
                       ERR_NOTFOUND, "no certificate with this serial number was issued");
    officer_is_refused(w, "a reason that is none",
                       json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial",
                                 "40000000000000000000000000000001", "reason", "because"),
                       ERR_INPUT, "reason: must be ");
    officer_is_refused(w, "nothing to cancel", json_pack("{s:s}", "command", "cancel"), ERR_INPUT,
                       "cancel: the 32 hex digits of a registration are needed");
    officer_is_refused(w, "31 digits",
                       json_pack("{s:s,s:s}", "command", "cancel", "registration",
                                 "0011223344556677889900112233445"),
                       ERR_INPUT, "cancel: the 32 hex digits of a registration are needed");
    officer_is_refused(
        w, "what nobody registered",
        json_pack("{s:s,s:s}", "command", "cancel", "registration", SCENE_REGISTRATION),
        ERR_NOTFOUND, "no such registration: 'registrations' lists them");
    officer_is_refused(w, "nothing to approve", json_pack("{s:s}", "command", "approve"), ERR_INPUT,
                       "approve: cms is needed, in base64");
    officer_is_refused(w, "an approval in no base64",
                       json_pack("{s:s,s:s}", "command", "approve", "cms", "%"), ERR_INPUT,
                       "approve: cms is needed, in base64");
    officer_is_refused(
        w, "what does not wait",
        json_pack("{s:s,s:s}", "command", "pending", "rid", SCENE_REGISTRATION SCENE_REGISTRATION),
        ERR_NOTFOUND, "nothing waits under this rid: see nfpki-cactl pending");
    officer_is_refused(w, "what is no rid",
                       json_pack("{s:s,s:s}", "command", "pending", "rid", "00"), ERR_INPUT, "rid");
    officer_is_refused(w, "a command that nobody knows", json_pack("{s:s}", "command", "give"),
                       ERR_INPUT, "unknown command");
    record_is_unchanged(w, "refused", &before);
}

static const struct record_change one_certificate[] = {
    {RECORD_LEAVES, 2},       {RECORD_REQUESTS, 1},    {RECORD_INTENTS, 1},
    {RECORD_CERTIFICATES, 1}, {RECORD_PUBLIC_KEYS, 1}, {RECORD_FIGURES, 0}};

static void
a_request_that_was_used_gives_the_same_or_nothing(void **state)
{
    static const char used[] = "this request was used before, for something else: make a new one";
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(mem_cleanup) char *csr = world_csr(key);
    const struct record before = record_read(w);
    CLEANUP(mem_cleanup)
    char *first = officer_is_issued(w, officer_wants(csr, "registrar", "OAM 3", 30));
    CLEANUP(mem_cleanup)
    char *second = officer_is_issued(w, officer_wants(csr, "registrar", "OAM 3", 30));

    assert_string_equal(first, second);
    record_changed(w, "twice the same", &before, one_certificate);
    officer_is_refused(w, "another name", officer_wants(csr, "registrar", "OAM 4", 30),
                       ERR_CONFLICT, used);
    officer_is_refused(w, "a longer name", officer_wants(csr, "registrar", "OAM 33", 30),
                       ERR_CONFLICT, used);
    officer_is_refused(w, "another profile", officer_wants(csr, "ra-cmp", "OAM 3", 30),
                       ERR_CONFLICT, used);
    record_changed(w, "used", &before, one_certificate);
    {
        struct err e = {0};
        CLEANUP(admin_json_cleanup)
        json_t *done = world_ask(w,
                                 json_pack("{s:s,s:s,s:s}", "command", "revoke", "serial", first,
                                           "reason", "superseded"),
                                 &e);

        assert_non_null(done);
    }
    officer_is_refused(w, "revoked", officer_wants(csr, "registrar", "OAM 3", 30), ERR_CONFLICT,
                       used);
    /* a key of our own processes stays one of theirs */
    {
        CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){0});

        lie_is_found_out(w, &(struct lie){.name = "an officer's key",
                                          .of = &n,
                                          .request = {.asked = key},
                                          .failure = CMP_BAD_CERT_TEMPLATE,
                                          .words = "certified to another network function",
                                          .reason = "certified to another owner"});
    }
    {
        CLEANUP(nf_free) struct nf n = lie_nf(w, &(struct lie_terms){0});
        CLEANUP(mem_cleanup) char *of_nf = world_csr(n.key);

        X509_free(lie_is_granted(w, &(struct lie){.name = "a network function", .of = &n}));
        officer_is_refused(w, "its key", officer_wants(of_nf, "officer", "A", 30), ERR_INPUT,
                           "the public key is certified to another owner");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_officer_may_not_have_leaves_no_trace),
        cmocka_unit_test(a_request_that_was_used_gives_the_same_or_nothing),
        cmocka_unit_test(what_is_being_worked_on_is_not_begun_twice),
        cmocka_unit_test(a_kill_before_the_signature_leaves_one_certificate),
        cmocka_unit_test(what_cannot_be_signed_now_is_asked_for_again),
        cmocka_unit_test(a_daemon_that_stops_ends_what_it_began_and_begins_nothing),
        cmocka_unit_test(what_no_officer_asks_for_again_within_a_day_is_given_up),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
