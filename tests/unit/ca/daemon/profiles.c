/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intent that a stop left behind, and a start with another file of profiles: it is finished when
 * the file leads to the same octets, else given up. What is signed follows from what RA and
 * requester signed and from the file of today, never from a row.
 */
#include <string.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "ca/registration/registration.h"
#include "ca/x509/profiles.h"
#include "db/issuance.h"
#include "db/store.h"
#include "tests/support/test.h"
#include "tests/unit/ca/daemon/nf.h"

enum { DAY = 24 * 60 * 60, DAYS = 30 /* of world_registration() */ };

#define NF_TLS(NAME, DAYS_TEXT)                                                                    \
    "profile \"" NAME "\" {\n extended_key_usage = {serverAuth, clientAuth}\n server = true\n"     \
    " max_validity_days = " DAYS_TEXT "\n}\n"

static void
use_file(struct world *w, const char *text)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/profiles.conf", w->dir);
    struct err e = {0};

    assert_ok(file_write(path, span_str(text), 0600, &e), &e);
    world_configure(w, "profiles = \"profiles.conf\"\n");
}

static json_int_t
record(struct world *w, const char *what)
{
    CLEANUP(admin_json_cleanup) json_t *status = NULL;
    struct err e = {0};

    status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_non_null(status);
    return json_integer_value(json_object_get(json_object_get(status, "record"), what));
}

/* The row that a CA which was killed after T1 leaves for the request of `n`. */
static void
leave_intent(struct world *w, const struct nf *n)
{
    CLEANUP(registration_signed_cleanup) struct registration_signed *v = NULL;
    CLEANUP(buf_free) struct buf spki = pki_spki(n->key);
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    CLEANUP(buf_free) struct buf ra = BUF_INIT(LINK_CERTIFICATE_MAX);
    static const uint8_t previous[LINK_PREVIOUS_SIZE];
    static const uint8_t file[SHA256_SIZE] = {1};
    uint8_t rid[SHA256_SIZE];
    uint8_t spki_hash[SHA256_SIZE];
    const time_t now = clock_now();
    struct cmp_msg *message;
    struct tbs_request t;
    struct err e = {0};

    v = registration_verify(buf_span(&n->cms), w->issuing, w->pki->root, now, NULL, NULL, &e);
    assert_non_null(v);
    t = (struct tbs_request){.profile = profile_by_name("nf-tls"),
                             .issuer = w->issuing,
                             .nf = &v->content.nf,
                             .spki = buf_span(&spki),
                             .not_before = now,
                             .not_after = now + (time_t)DAYS * DAY,
                             .crl_url = "http://pki.example/crl/issuing.crl"};
    assert_ok(serial_new(t.serial, &e), &e);
    assert_ok(tbs_build(&t, &tbs, &e), &e);
    assert_ok(OSSL_ENCODE(X509, w->ra, &ra, &e), &e);
    assert_ok(sha256(buf_span(&n->request), rid, &e), &e);
    assert_ok(sha256(buf_span(&spki), spki_hash, &e), &e);
    message = cmp_msg_parse(buf_span(&n->request), CMP_MESSAGE_MAX, &e);
    assert_non_null(message);
    world_intend(w, &(struct issuance_intent){.rid = span_of(rid, sizeof(rid)),
                                              .registration = n->id,
                                              .ra_der = buf_span(&ra),
                                              .nf_instance = v->content.nf.instance_id,
                                              .transaction_id = cmp_msg_transaction_id(message),
                                              .queue_previous = span_of(previous, sizeof(previous)),
                                              .profile = "nf-tls",
                                              .profile_file = span_of(file, sizeof(file)),
                                              .evidence = buf_span(&n->nested),
                                              .spki_sha256 = span_of(spki_hash, sizeof(spki_hash)),
                                              .serial = span_of(t.serial, sizeof(t.serial)),
                                              .tbs = buf_span(&tbs),
                                              .not_before = t.not_before,
                                              .not_after = t.not_after,
                                              .certificates = 1,
                                              .now = now});
    cmp_msg_free(message);
}

static void
an_intent_is_finished_only_when_the_new_file_says_the_same(void **state)
{
    static const struct {
        const char *file;
        bool finished;
    } rows[] = {
        {"# the same, in other words\n" NF_TLS("nf-tls", "1095"), true},
        {NF_TLS("nf-tls", "40") NF_TLS("other", "1"), true},
        {NF_TLS("nf-tls", "10"), false},  /* another notAfter */
        {NF_TLS("other", "1095"), false}, /* the profile is gone */
        {"profile \"nf-tls\" { extended_key_usage = {clientAuth} }", false}, /* another purpose */
        {"profile \"nf-tls\" { extended_key_usage = {serverAuth, clientAuth} server = true\n"
         "assurance = signature }",
         false}, /* not with a MAC any more */
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 1);
        CLEANUP(answer_free) struct answer answer = {0};
        json_int_t certificates = record(w, "certificates");
        json_int_t revoked = record(w, "revoked");

        assert_int_equal(world_stop(w), 0);
        leave_intent(w, &n);
        use_file(w, rows[i].file);
        world_start(w);
        assert_int_equal(record(w, "open"), 0);
        if (record(w, "certificates") != certificates + rows[i].finished ||
            record(w, "revoked") != revoked + !rows[i].finished) {
            fail_msg("row %zu: %s", i, rows[i].file);
        }
        world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
        if (rows[i].finished) {
            X509_free(nf_issued(&answer));
        } else {
            nf_is_refused(&answer, CMP_SYSTEM_FAILURE);
        }
        assert_int_equal(world_stop(w), 0);
        world_configure(w, "");
        world_start(w);
    }
}

static void
a_profile_that_left_the_file_is_not_issued_and_others_are(void **state)
{
    struct world *w = *state;
    CLEANUP(nf_free) struct nf n = nf_new(w, BY_MAC, 2);
    CLEANUP(answer_free) struct answer answer = {0};

    assert_int_equal(world_stop(w), 0);
    use_file(w, NF_TLS("other", "10"));
    world_start(w);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    nf_is_refused(&answer, CMP_NOT_AUTHORIZED);
    assert_int_equal(world_stop(w), 0);
    use_file(w, NF_TLS("nf-tls", "10"));
    world_start(w);
    nf_request(w, &n);
    world_submit(w, buf_span(&n.request), buf_span(&n.nested), &answer);
    X509_free(nf_issued(&answer));
    assert_int_equal(world_stop(w), 0);
    world_configure(w, "");
    world_start(w);
}

static void
a_bad_file_is_not_started_with(void **state)
{
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    use_file(w, "profile \"nf-tls\" {\n extended_key_usage = {\"2.5.29.37.0\"}\n}\n");
    assert_true(world_start_fails(w));
    world_configure(w, "");
    world_start(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_intent_is_finished_only_when_the_new_file_says_the_same),
        cmocka_unit_test(a_profile_that_left_the_file_is_not_issued_and_others_are),
        cmocka_unit_test(a_bad_file_is_not_started_with),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
