/* SPDX-License-Identifier: Apache-2.0 */
/* What an RA says of itself, over the link: who may, and that it is in the record once. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/tlog/ra_report.h"
#include "ca/cmp/report.h"
#include "tests/unit/ca/daemon/nf.h"

enum {
    HOUR_MAX = 120,
    SENT_MAX = 1200,
    KNOWN_MS = 60 * 1000, /* an RA that was certified is one, at the latest */
    PAUSE_MS = 100,
};

struct said {
    bool other_key, other_ca, other_name, other_certificate, broken_signature, no_report;
};

/* Who says it: an RA's certificate and key. */
struct teller {
    X509 *certificate;
    EVP_PKEY *key;
};

static void
send_as(struct world *w, struct teller ra, uint64_t number, struct said how)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(RA_REPORT_TEXT_MAX);
    CLEANUP(buf_free) struct buf issuing = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(buf_free) struct buf certificate = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_REPORT_MAX);
    CLEANUP(buf_free) struct buf signature = {0};
    struct ra_report said = {.number = number, .from = 1000, .to = 2000};
    uint8_t hash[SHA256_SIZE];
    struct cmp_report report;
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, w->issuing, &issuing, &e), &e);
    assert_ok(
        OSSL_ENCODE(X509, how.other_certificate ? w->registrar : ra.certificate, &certificate, &e),
        &e);
    assert_ok(certificate_key_hash(ra.certificate, said.ra, &e), &e);
    assert_ok(sha256(buf_span(&issuing), said.ca, &e), &e);
    said.ra[0] ^= how.other_key ? 1 : 0;
    said.ca[0] ^= how.other_ca ? 1 : 0;
    assert_ok(ra_report_format(&said, SPAN_LITERAL("others 3 2\n"), &text, &e), &e);
    if (how.no_report) {
        assert_ok(buf_append(&text, SPAN_LITERAL("more\n"), &e), &e);
    }
    signature = pki_sign(ra.key, buf_span(&text));
    signature.p[signature.n - 1] ^= how.broken_signature ? 1 : 0;
    assert_ok(sha256(buf_span(&text), hash, &e), &e);
    hash[0] ^= how.other_name ? 1 : 0;
    report = (struct cmp_report){.text = buf_span(&text),
                                 .signature = buf_span(&signature),
                                 .certificate = buf_span(&certificate)};
    assert_ok(cmp_report_encode(&report, &body, &e), &e);
    world_send(w, &(struct link_message){.type = LINK_REPORT,
                                         .id = span_of(hash, sizeof(hash)),
                                         .body = buf_span(&body)});
}

static void
tell_as(struct world *w, struct teller ra, uint64_t number, struct said how, struct answer *answer)
{
    send_as(w, ra, number, how);
    world_receive(w, answer);
}

static void
tell(struct world *w, uint64_t number, struct said how, struct answer *answer)
{
    tell_as(w, (struct teller){w->ra, w->ra_key}, number, how, answer);
}

/* The CA knows of an RA a little after it has certified it. */
static void
tell_when_known(struct world *w, struct teller ra, uint64_t *number, struct answer *answer)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000 * 1000};

    for (int ms = 0; ms < KNOWN_MS; ms += PAUSE_MS) {
        tell_as(w, ra, (*number)++, (struct said){0}, answer);
        if (answer->m.type != LINK_REFUSED) {
            break;
        }
        (void)nanosleep(&pause, NULL);
    }
    assert_int_equal(answer->m.type, LINK_REPORTED);
}

static int
reports(struct world *w)
{
    int n;

    assert_int_equal(world_stop(w), 0);
    n = world_leaves(w, "RA-REPORT", "", "");
    world_start(w);
    return n;
}

static void
a_report_is_in_the_record_once(void **state)
{
    struct world *w = *state;
    CLEANUP(answer_free) struct answer a = {0};
    const int before = reports(w);

    for (int i = 0; i < 3; i++) { /* its answer got lost twice */
        tell(w, 1, (struct said){0}, &a);
        assert_int_equal(a.m.type, LINK_REPORTED);
    }
    tell(w, 2, (struct said){0}, &a);
    assert_int_equal(a.m.type, LINK_REPORTED);
    assert_int_equal(reports(w), before + 2);
}

static void
what_no_ra_says_is_not_recorded(void **state)
{
    static const struct said lies[] = {
        {.other_key = true},         {.other_ca = true},         {.other_name = true},
        {.other_certificate = true}, {.broken_signature = true}, {.no_report = true},
    };
    struct world *w = *state;
    CLEANUP(answer_free) struct answer a = {0};
    const int before = reports(w);

    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        tell(w, 10 + i, lies[i], &a);
        assert_int_equal(a.m.type, LINK_REFUSED);
    }
    assert_int_equal(reports(w), before);
}

/* Another one is heard while one is told to wait; forged ones count as nobody's. */
static void
no_ra_fills_the_record_nor_silences_another(void **state)
{
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *second = world_officer(w, "ra-cmp", "RA 2", key);
    const struct teller quiet = {second, key};
    CLEANUP(answer_free) struct answer a = {0};
    CLEANUP(answer_free) struct answer b = {0};
    uint64_t number = 1;
    time_t hour;
    bool alone = false;

    tell_when_known(w, quiet, &number, &b);
    for (int i = 0; i < HOUR_MAX + 5; i++) {
        tell_as(w, quiet, number++, (struct said){.broken_signature = true}, &b);
        assert_int_equal(b.m.type, LINK_REFUSED);
    }
    while (!alone) { /* within one hour of the clock, be it the next */
        uint64_t more = 2000;

        hour = time(NULL) / 3600;
        do {
            tell(w, more++, (struct said){0}, &a);
        } while (a.m.type == LINK_REPORTED && more < 4000);
        assert_int_equal(a.m.type, LINK_BUSY);
        tell_as(w, quiet, number++, (struct said){0}, &b);
        assert_int_equal(b.m.type, LINK_REPORTED);
        tell(w, more, (struct said){0}, &a);
        alone = hour == time(NULL) / 3600;
    }
    assert_int_equal(a.m.type, LINK_BUSY);
}

/* Everybody can read what is in the record, and whoever is at the link sends it again and again. */
static void
what_is_recorded_silences_nobody(void **state)
{
    struct world *w = *state;
    CLEANUP(answer_free) struct answer a = {0};
    const int before = reports(w);

    for (int i = 0; i < HOUR_MAX + 5; i++) {
        tell(w, 20, (struct said){0}, &a);
        assert_int_equal(a.m.type, LINK_REPORTED);
    }
    tell(w, 21, (struct said){0}, &a);
    assert_int_equal(a.m.type, LINK_REPORTED);
    assert_int_equal(reports(w), before + 2);
}

/* While what it says is on its way through the CA it is revoked: nothing of it is recorded behind
 * that. */
static void
who_is_revoked_says_nothing_more(void **state)
{
    enum { MANY = 100 };
    struct world *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *third = world_officer(w, "ra-cmp", "RA 3", key);
    CLEANUP(mem_cleanup) char *serial = hex_dup(serial_of(third));
    CLEANUP(answer_free) struct answer a = {0};
    uint64_t number = 1;

    tell_when_known(w, (struct teller){third, key}, &number, &a);
    for (int i = 0; i < MANY; i++) {
        send_as(w, (struct teller){third, key}, number++, (struct said){0});
    }
    world_revoke(w, third, "superseded");
    for (int i = 0; i < MANY; i++) {
        world_receive(w, &a);
        assert_true(a.m.type == LINK_REPORTED || a.m.type == LINK_REFUSED);
    }
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(world_leaves(w, "REVOKED", serial, ""), 1);
    assert_int_equal(world_leaves_when_revoked(w, "RA-REPORT", serial), 0);
    world_start(w);
}

/* Nothing of it is looked at then: not even what is no report is refused; nor by a new connection.
 */
static void
who_sends_too_many_waits(void **state)
{
    struct world *w = *state;
    CLEANUP(answer_free) struct answer a = {0};
    time_t hour;

    do { /* within one hour of the clock, be it the next */
        const int first = w->link;
        int sent = 0;

        hour = time(NULL) / 3600;
        do {
            tell(w, 1, (struct said){.no_report = true}, &a);
        } while (a.m.type == LINK_REFUSED && ++sent <= 2 * SENT_MAX);
        assert_int_equal(a.m.type, LINK_BUSY);
        world_connect(w);
        (void)close(first);
        tell(w, 1, (struct said){.no_report = true}, &a);
    } while (hour != time(NULL) / 3600);
    assert_int_equal(a.m.type, LINK_BUSY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_is_in_the_record_once),
        cmocka_unit_test(what_no_ra_says_is_not_recorded),
        cmocka_unit_test(what_is_recorded_silences_nobody),
        cmocka_unit_test(who_is_revoked_says_nothing_more),
        cmocka_unit_test(no_ra_fills_the_record_nor_silences_another),
        cmocka_unit_test(who_sends_too_many_waits),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
