/* SPDX-License-Identifier: Apache-2.0 */
/* What an officer is granted; and of every grant: is it the same after a restart, what is sealed,
 * and whose certificate signs. */
#include "ca/policy/policy.h"

#include <openssl/pem.h>
#include <string.h>

#include "base/file.h"
#include "ca/cmp/message/der.h"
#include "ca/x509/serial.h"
#include "tests/support/der_edit.h"
#include "tests/support/forge.h"
#include "tests/unit/ca/policy/grant.h"

/* ---- officers ---- */

static struct buf
csr_of(EVP_PKEY *key)
{
    struct buf der = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(cmp_client_pkcs10(key, NULL, NULL, &der, &e), &e);
    return der;
}

#define ISSUES "an officer issues ra-cmp, registrar and officer"

static void
an_officer_gets_certificates_of_our_own_and_no_others(void **state)
{
    const struct scene *s = *state;
    CLEANUP(buf_free) struct buf csr = csr_of(s->key);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *small = pki_key("RSA-1024");
    CLEANUP(buf_free) struct buf weak = csr_of(small);
    const struct {
        const char *name;
        struct span csr;
        const char *profile;
        const char *common_name;
        int days;
        const char *why; /* NULL: it is granted */
    } rows[] = {
        {"a day", buf_span(&csr), "ra-cmp", "RA 1", 1, NULL},
        {"three years", buf_span(&csr), "registrar", "OAM", 3 * 365, NULL},
        {"an officer", buf_span(&csr), "officer", "A. Person", 30, NULL},
        {"no day", buf_span(&csr), "ra-cmp", "RA 1", 0, "days: 1 to 1095"},
        {"less than that", buf_span(&csr), "ra-cmp", "RA 1", -1, "days: 1 to 1095"},
        {"a day more than three years", buf_span(&csr), "officer", "A", 3 * 365 + 1,
         "days: 1 to 1095"},
        {"a network function", buf_span(&csr), "nf-tls", "RA 1", 1, "profile 'nf-tls': " ISSUES},
        {"a CA", buf_span(&csr), "issuing", "RA 1", 1, "profile 'issuing': " ISSUES},
        {"a root", buf_span(&csr), "root", "RA 1", 1, "profile 'root': " ISSUES},
        {"what nobody knows", buf_span(&csr), "ra", "RA 1", 1, "profile 'ra': " ISSUES},
        {"without a name", buf_span(&csr), "ra-cmp", "", 1, "needs a CN"},
        {"a name of 65 octets", buf_span(&csr), "ra-cmp",
         "12345678901234567890123456789012345678901234567890123456789012345", 1,
         "CN: more than 64 characters"},
        {"no request", SPAN_LITERAL("hello"), "ra-cmp", "RA 1", 1, "CSR"},
        {"a small key", buf_span(&weak), "ra-cmp", "RA 1", 1, "1024"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(policy_grant_free) struct policy_grant g = {0};
        struct err e = {0};
        int result = policy_grant_officer(&s->policy, rows[i].csr, rows[i].profile,
                                          rows[i].common_name, rows[i].days, PKI_NOW, &g, &e);

        if ((result == 0) != (rows[i].why == NULL) ||
            (rows[i].why != NULL && strstr(e.text, rows[i].why) == NULL)) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
        if (result == 0) {
            assert_int_equal(g.request.not_after - g.request.not_before,
                             (time_t)rows[i].days * SCENE_DAY);
            assert_string_equal(g.request.subject->common_name, rows[i].common_name);
            /* in the organization of the CA */
            assert_string_equal(g.request.subject->organization, "Example Operator");
        }
    }
}

/* The key is on the operator's list. The rules of keys alone are csr_parse()'s. */
static void
an_officers_key_is_none_that_others_have(void **state)
{
    const struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/blocked", s->dir);
    CLEANUP(buf_free) struct buf spki = pki_spki(s->key);
    CLEANUP(buf_free) struct buf csr = csr_of(s->key);
    CLEANUP(blocked_keys_cleanup) struct blocked_keys *blocked = NULL;
    CLEANUP(policy_grant_free) struct policy_grant g = {0};
    struct policy policy = s->policy;
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    struct err e = {0};

    assert_ok(sha256(buf_span(&spki), hash, &e), &e);
    hex_format(span_of(hash, sizeof(hash)), hex);
    assert_ok(file_write(path, span_str(hex), 0600, &e), &e);
    blocked = blocked_keys_load(path, &e);
    policy.blocked = blocked;
    assert_err(policy_grant_officer(&policy, buf_span(&csr), "ra-cmp", "RA", 1, PKI_NOW, &g, &e),
               ERR_INPUT, &e);
    assert_non_null(strstr(e.text, "it is one of blocked_keys"));
}

static void
the_clock_here_is_within_the_issuing_certificates_time(void **state)
{
    const struct scene *s = *state;
    CLEANUP(buf_free) struct buf csr = csr_of(s->key);
    const time_t from = PKI_NOW - SCENE_DAY; /* of the issuing certificate */
    const struct {
        const char *name;
        time_t now;
        time_t begins; /* 0: refused */
    } rows[] = {
        {"a second before", from - 1, 0},
        {"its first second", from, from},
        {"as long as it may be backdated", from + 600, from},
        {"a second more", from + 601, from + 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(policy_grant_free) struct policy_grant g = {0};
        struct policy policy = s->policy;
        struct err e = {0};
        int result;

        policy.backdate_s = 600;
        result =
            policy_grant_officer(&policy, buf_span(&csr), "ra-cmp", "RA", 1, rows[i].now, &g, &e);
        if ((result == 0) != (rows[i].begins != 0) ||
            (result != 0 &&
             strstr(e.text, "the clock here is 1 s before the issuing certificate begins") ==
                 NULL)) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
        if (result == 0) {
            assert_int_equal(g.request.not_before, rows[i].begins);
        }
    }
}

/* ---- after a restart ---- */

static void
only_the_very_same_is_finished_after_a_restart(void **state)
{
    const struct scene *s = *state;
    const struct grant_row row = {.name = "a grant"};
    CLEANUP(policy_grant_free) struct policy_grant g = {0};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(TBS_MAX);
    uint8_t serial[SERIAL_SIZE + 1] = {0};
    uint8_t other[SERIAL_SIZE];
    enum cmp_failure failure;
    struct err e = {0};

    assert_ok(grant(s, &s->policy, &row, &g, &failure, &e), &e);
    assert_ok(buf_set(&tbs, buf_span(&g.tbs), &e), &e);
    memcpy(serial, g.request.serial, SERIAL_SIZE);
    memcpy(other, serial, SERIAL_SIZE);
    assert_ok(policy_same(&g, span_of(serial, SERIAL_SIZE), buf_span(&tbs), &e), &e);
    for (size_t n = 0; n <= sizeof(serial); n++) {
        if (n != SERIAL_SIZE) {
            assert_err(policy_same(&g, span_of(serial, n), buf_span(&tbs), &e), ERR_DENIED, &e);
            assert_non_null(strstr(e.text, "a serial number of "));
        }
    }
    /* each octet of it, and one more or less */
    for (size_t i = 0; i < tbs.n; i++) {
        tbs.p[i] ^= 1;
        assert_err(policy_same(&g, span_of(serial, SERIAL_SIZE), buf_span(&tbs), &e), ERR_DENIED,
                   &e);
        assert_non_null(strstr(e.text, "the stored TBS is not what the request is given"));
        tbs.p[i] ^= 1;
    }
    assert_err(policy_same(&g, span_of(serial, SERIAL_SIZE), span_of(tbs.p, tbs.n - 1), &e),
               ERR_DENIED, &e);
    /* a serial number that none of ours is (tbs.h) */
    memset(serial, 0, sizeof(serial));
    assert_int_equal(policy_same(&g, span_of(serial, SERIAL_SIZE), buf_span(&tbs), &e), -1);
    assert_non_null(strstr(e.text, "serial"));
    memcpy(serial, other, SERIAL_SIZE);
    serial[SERIAL_SIZE - 1] ^= 1;
    assert_err(policy_same(&g, span_of(serial, SERIAL_SIZE), buf_span(&tbs), &e), ERR_DENIED, &e);
}

/* ---- sealing ---- */

static void
what_is_sealed_verifies_and_is_what_was_granted(void **state)
{
    const struct scene *s = *state;
    const struct grant_row row = {.name = "a grant"};
    CLEANUP(policy_grant_free) struct policy_grant g = {0};
    CLEANUP(policy_grant_free) struct policy_grant other = {0};
    CLEANUP(buf_free) struct buf good = {0};
    CLEANUP(buf_free) struct buf of_other_key = {0};
    CLEANUP(buf_free) struct buf of_other = {0};
    enum cmp_failure failure;
    struct err e = {0};

    assert_ok(grant(s, &s->policy, &row, &g, &failure, &e), &e);
    assert_ok(grant(s, &s->policy, &row, &other, &failure, &e), &e);
    good = pki_sign(s->pki->issuing_key, buf_span(&g.tbs));
    of_other_key = pki_sign(s->pki->root_key, buf_span(&g.tbs));
    of_other = pki_sign(s->pki->issuing_key, buf_span(&other.tbs));
    {
        const struct {
            const char *name;
            struct span tbs;
            struct span signature;
            const struct policy_grant *grant;
            const char *why; /* NULL: it is sealed */
        } rows[] = {
            {"as granted", buf_span(&g.tbs), buf_span(&good), &g, NULL},
            {"after a restart", buf_span(&g.tbs), buf_span(&good), NULL, NULL},
            {"by another key", buf_span(&g.tbs), buf_span(&of_other_key), &g,
             "the signature does not verify"},
            {"about something else", buf_span(&g.tbs), buf_span(&of_other), NULL,
             "the signature does not verify"},
            {"no signature", buf_span(&g.tbs), span_of(NULL, 0), NULL, "signature empty"},
            {"signed, and not what was granted", buf_span(&other.tbs), buf_span(&of_other), &g,
             "serial"},
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            CLEANUP(buf_free) struct buf certificate = {0};
            CLEANUP(x509_cleanup) X509 *parsed = NULL;
            int result = policy_seal(&s->policy, rows[i].tbs, rows[i].signature, rows[i].grant,
                                     &certificate, &e);

            if ((result == 0) != (rows[i].why == NULL) ||
                (rows[i].why != NULL && strstr(e.text, rows[i].why) == NULL)) {
                fail_msg("%s: %s", rows[i].name, e.text);
            }
            if (result == 0) {
                parsed = certificate_parse(buf_span(&certificate), &e);
                assert_non_null(parsed);
                assert_int_equal(X509_verify(parsed, s->policy.issuing_key), 1);
            }
        }
    }
}

/* ---- whose certificate signs ---- */

/* Says that `issuer` issued it, with this serial number. */
static X509 *
pretender(const struct scene *s, X509 *issuer, const char *serial)
{
    const struct forge f = {.subject = "O=Vendor/CN=device 1",
                            .key = s->device_key,
                            .issuer = issuer,
                            .issuer_key = s->device_key,
                            .not_before = PKI_NOW,
                            .not_after = SCENE_END,
                            .serial = serial,
                            .extensions = {FORGE_LEAF}};

    return forge_certificate(&f);
}

static void
ca_db_is_asked_for_what_says_that_it_is_ours(void **state)
{
    const struct scene *s = *state;
    CLEANUP(x509_cleanup)
    X509 *of15 = pretender(s, s->pki->issuing, "41000000000000000000000000000f");
    CLEANUP(x509_cleanup)
    X509 *of16 = pretender(s, s->pki->issuing, "4100000000000000000000000000000f");
    CLEANUP(x509_cleanup)
    X509 *of17 = pretender(s, s->pki->issuing, "410000000000000000000000000000000f");
    CLEANUP(x509_cleanup)
    X509 *vendors = pretender(s, s->vendor, "4100000000000000000000000000000f");
    const struct {
        const char *name;
        struct scene_request request;
        bool asked;
    } rows[] = {
        {"a MAC", {0}, false},
        {"of a vendor, with a serial number as ours are",
         {.certificate = vendors, .signs = s->device_key},
         false},
        {"of a vendor", {.certificate = s->device, .signs = s->device_key}, false},
        {"of ours", {.certificate = s->held, .signs = s->held_key}, true},
        {"says so, serial number of 15 octets",
         {.certificate = of15, .signs = s->device_key},
         false},
        {"says so, 16 octets", {.certificate = of16, .signs = s->device_key}, true},
        {"says so, 17 octets", {.certificate = of17, .signs = s->device_key}, false},
        {"without its certificate",
         {.certificate = s->held, .signs = s->held_key, .edit = "3"},
         false},
        {"with a certificate that is none",
         {.certificate = s->held,
          .signs = s->held_key,
          .edit = "3.0.0",
          .with = SPAN_LITERAL("\x30\x00")},
         false},
        {"not protected", {.unprotected = true}, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *q = scene_queued(s, &rows[i].request);
        uint8_t serial[ISSUANCE_SERIAL_SIZE] = {0};
        struct span der;
        struct err e = {0};

        assert_ok(policy_holder_serial(&s->policy, cmp_queued_inner(q), serial, &der, &e), &e);
        if ((der.n != 0) != rows[i].asked) {
            fail_msg("%s: %s", rows[i].name, rows[i].asked ? "not asked" : "asked");
        }
        if (rows[i].asked) {
            assert_true(span_equal(span_of(serial, sizeof(serial)),
                                   serial_of(rows[i].request.certificate)));
        }
    }
}

/* Its senderKID and sender are no certificate's: what lies beside it is nobody's. */
static void
a_mac_with_a_certificate_of_ours_beside_it_is_a_mac(void **state)
{
    const struct scene *s = *state;
    const struct scene_request r = {0};
    CLEANUP(buf_free) struct buf message = scene_message(s, &r);
    CLEANUP(buf_free) struct buf held = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf list = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf tail = BUF_INIT(SMALL);
    CLEANUP(buf_free) struct buf both = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *m = NULL;
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    struct span none;
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, s->held, &held, &e), &e);
    assert_ok(der_append(&list, DER_SEQUENCE, buf_span(&held), &e), &e);
    assert_ok(buf_set(&tail, der_at(buf_span(&message), "2"), &e), &e);
    assert_ok(der_append(&tail, DER_CONTEXT | 1, buf_span(&list), &e), &e);
    assert_ok(der_edit(buf_span(&message), "2", buf_span(&tail), &both, &e), &e);
    m = cmp_msg_parse(buf_span(&both), CMP_MESSAGE_MAX, &e);
    assert_non_null(m);
    assert_int_equal(cmp_msg_extra_count(m), 1);
    assert_ok(policy_holder_serial(&s->policy, m, serial, &none, &e), &e);
    assert_int_equal(none.n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_officer_gets_certificates_of_our_own_and_no_others),
        cmocka_unit_test(an_officers_key_is_none_that_others_have),
        cmocka_unit_test(the_clock_here_is_within_the_issuing_certificates_time),
        cmocka_unit_test(only_the_very_same_is_finished_after_a_restart),
        cmocka_unit_test(what_is_sealed_verifies_and_is_what_was_granted),
        cmocka_unit_test(ca_db_is_asked_for_what_says_that_it_is_ours),
        cmocka_unit_test(a_mac_with_a_certificate_of_ours_beside_it_is_a_mac),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
