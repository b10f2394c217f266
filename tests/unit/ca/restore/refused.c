/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ca --restore with a state, approvals and certificates that it does not take: it says why.
 * What it does with the right ones is in tests/fault/restore.sh. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/restore/adopt.h"
#include "ca/restore/approvals.h"
#include "ca/x509/signed.h"
#include "pkcs11/algorithm.h"
#include "tests/unit/ca/restore/scene.h"

enum { DAY = 24 * 60 * 60 };

/* ---- the state ---- */

static void
a_state_that_cannot_be_restored_is_refused(void **state)
{
    static const struct {
        const char *name;
        unsigned yesterday; /* the rest is today's */
        unsigned elsewhere;
        unsigned further;
        bool previous; /* as if the log were at its end */
        const char *says;
    } rows[] = {
        {"nothing is lost", 0, 0, 0, false, "leaves that were signed: nothing is lost, start"},
        {"the ledger is yesterday's, too", STATE | LEDGER, 0, 0, false,
         " does not have them: take the newest copy of it; when no copy "
         "has them, they are missing for good"},
        {"the journal is yesterday's, too", STATE | LOG | ISSUING | TOKEN, 0, 0, false,
         ": put back the newest journal, nfpki-ca(8)"},
        {"another ledger", STATE, 0, LEDGER, false,
         "/ledger has another history than what was signed"},
        {"another database", 0, STATE, 0, false, "/ledger: move it away, and keep it, "},
        {"another CRL", STATE, CRL, 0, false, " serial numbers that the ledger does not have"},
        {"the log's key is no new one", STATE, 0, 0, true,
         " leaves: a new log has a new key, of the ceremony key-generate"},
    };
    static const char *const none[] = {NULL};
    static const char *const previous[] = {"--old-ledger", "ledger", "--signed", "1:", NULL};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        copy_parts(s->today, s->w->dir, ALL | TOKEN);
        copy_parts(s->yesterday, s->w->dir, rows[i].yesterday);
        copy_parts(s->elsewhere, s->w->dir, rows[i].elsewhere);
        copy_parts(s->further, s->w->dir, rows[i].further);
        scene_is_refused(s->w, rows[i].name, rows[i].previous ? previous : none, rows[i].says);
    }
}

/* ---- approvals ---- */

/* The plan with another time; mem_free() it. */
static char *
plan_of(const char *plan, time_t at)
{
    const char *time = strstr(plan, "\"time\": \"");
    char text[TIME_TEXT_SIZE];

    assert_non_null(time);
    time += strlen("\"time\": \"");
    time_format(at, text);
    return mem_printf("%.*s%s%s", (int)(time - plan), plan, text, time + strlen(text));
}

static void
approvals_are_refused(const struct scene *s, const char *row, const char *says)
{
    CLEANUP(mem_cleanup) char *first = scene_path(s, "first.p7s");
    CLEANUP(mem_cleanup) char *second = scene_path(s, "second.p7s");
    const char *const arguments[] = {"--approval", first, "--approval", second, NULL};

    scene_is_refused(s->w, row, arguments, says);
}

static void
what_no_two_officers_signed_is_not_done(void **state)
{
    static const char *const none[] = {NULL};
    static const char not_a_plan[] = "what was signed is not the plan of a restore";
    static const char bad_time[] = "more than 7 days ago, or in the future; make a new one";
    struct scene *s = *state;
    const time_t now = clock_now();
    CLEANUP(buf_free) struct buf plan = BUF_INIT(OUTPUT_MAX);
    CLEANUP(buf_free) struct buf said = BUF_INIT(OUTPUT_MAX);
    const char *text;

    scene_lose_the_day(s);
    if (scene_restore(s->w, none, &plan, &said) != 0) {
        fail_msg("no plan: %s", (const char *)said.p);
    }
    text = (const char *)plan.p;
    {
        CLEANUP(mem_cleanup) char *old = plan_of(text, now - (time_t)(PLAN_DAYS + 1) * DAY);
        CLEANUP(mem_cleanup) char *early = plan_of(text, now + DAY);
        CLEANUP(mem_cleanup) char *another = mem_printf("%s ", text);
        const struct {
            const char *name;
            const char *text;
            const char *says;
        } rows[] = {
            {"nothing", "{}", not_a_plan},
            {"another kind", "{\"kind\":\"approval\",\"time\":\"2026-11-29T20:00:00Z\"}",
             not_a_plan},
            {"no time", "{\"kind\":\"restore\"}", not_a_plan},
            {"a bad time", "{\"kind\":\"restore\",\"time\":\"today\"}", not_a_plan},
            {"an old one", old, bad_time},
            {"one of tomorrow", early, bad_time},
            {"another plan", another,
             "what was signed is not the plan of this state: make a new one"},
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            scene_sign(s, "first.p7s", rows[i].text, s->alice, s->alice_key);
            scene_sign(s, "second.p7s", rows[i].text, s->alice, s->alice_key);
            approvals_are_refused(s, rows[i].name, rows[i].says);
        }
    }
    scene_sign(s, "first.p7s", text, s->alice, s->alice_key);
    scene_sign(s, "second.p7s", text, s->alice, s->alice_key);
    approvals_are_refused(s, "Alice twice",
                          "both approvals are of one person: two officers must sign");
    scene_sign(s, "second.p7s", text, s->w->registrar, s->w->registrar_key);
    approvals_are_refused(s, "a registrar",
                          "which signed an approval, is no officer's by the record, or is "
                          "revoked");
}

/* ---- certificates ---- */

/* The same certificate with the other signature that ECDSA has for it, as anybody can make. */
static X509 *
twin_of(const struct scene *s)
{
    EVP_PKEY *issuing = X509_get0_pubkey(s->w->issuing);
    CLEANUP(bn_cleanup) BIGNUM *order = NULL;
    CLEANUP(buf_free) struct buf made = BUF_INIT(LINK_CERTIFICATE_MAX);
    struct span tbs;
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    const ASN1_BIT_STRING *bits = NULL;
    const unsigned char *p;
    ECDSA_SIG *pair;
    BIGNUM *r;
    BIGNUM *other = BN_new();
    struct err e = {0};
    X509 *twin;

    X509_get0_signature(&bits, NULL, s->alice);
    p = ASN1_STRING_get0_data(bits);
    pair = d2i_ECDSA_SIG(NULL, &p, ASN1_STRING_length(bits));
    assert_non_null(pair);
    assert_int_equal(EVP_PKEY_get_bn_param(issuing, OSSL_PKEY_PARAM_EC_ORDER, &order), 1);
    r = BN_dup(ECDSA_SIG_get0_r(pair));
    assert_int_equal(BN_sub(other, order, ECDSA_SIG_get0_s(pair)), 1);
    assert_int_equal(ECDSA_SIG_set0(pair, r, other), 1);
    assert_ok(OSSL_ENCODE(ECDSA_SIG, pair, &signature, &e), &e);
    ECDSA_SIG_free(pair);
    assert_ok(OSSL_ENCODE(X509, s->alice, &der, &e), &e);
    assert_ok(signed_tbs(buf_span(&der), &tbs, &e), &e);
    assert_ok(signed_assemble(SIGNED_CERTIFICATE, tbs, buf_span(&signature), issuing, &made, &e),
              &e);
    p = made.p;
    twin = d2i_X509(NULL, &p, (long)made.n);
    assert_non_null(twin);
    return twin;
}

/* PEM of it, so often; buf_free() it. */
static struct buf
pem_of(X509 *certificate, size_t times)
{
    CLEANUP(bio_cleanup) BIO *out = BIO_new(BIO_s_mem());
    struct buf all = BUF_INIT((size_t)64 * OUTPUT_MAX);
    struct err e = {0};
    char *text = NULL;
    long n;

    assert_int_equal(PEM_write_bio_X509(out, certificate), 1);
    n = BIO_get_mem_data(out, &text);
    for (size_t i = 0; i < times; i++) {
        assert_ok(buf_append(&all, span_of(text, (size_t)n), &e), &e);
    }
    return all;
}

static void
certificates_that_are_not_ours_are_not_adopted(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = scene_path(s, "adopt.pem");
    CLEANUP(x509_cleanup) X509 *twin = twin_of(s);
    CLEANUP(buf_free) struct buf foreign = pem_of(s->w->vendor, 1);
    CLEANUP(buf_free) struct buf many = pem_of(s->alice, ADOPT_MAX + 1);
    CLEANUP(buf_free) struct buf other = pem_of(twin, 1);
    const struct {
        const char *name;
        struct span octets;
        const char *says;
    } rows[] = {
        {"nothing", SPAN_LITERAL("nothing\n"), "adopt.pem: no certificate in PEM"},
        {"no PEM", SPAN_LITERAL("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n"),
         "adopt.pem: certificate 1: bad base64 decode"},
        {"a vendor's", buf_span(&foreign),
         "adopt.pem: certificate 1: not signed by the issuing key"},
        {"too many", buf_span(&many), "adopt.pem: certificate 4096: more than 4096 certificates"},
        {"another of a number that there is", buf_span(&other),
         "the record has another certificate with this serial number"},
    };
    const char *const arguments[] = {"--adopt", path, NULL};

    scene_lose_the_day(s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        scene_put(s, "adopt.pem", rows[i].octets);
        scene_is_refused(s->w, rows[i].name, arguments, rows[i].says);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_that_cannot_be_restored_is_refused),
        cmocka_unit_test(what_no_two_officers_signed_is_not_done),
        cmocka_unit_test(certificates_that_are_not_ours_are_not_adopted),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
