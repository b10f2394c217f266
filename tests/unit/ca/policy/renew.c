/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of renewal, row by row, at the times that matter. */
#include "ca/policy/renew.h"

#include <string.h>

#include "ca/cmp/message/phrase.h"
#include "tests/support/cmp_client.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"

enum { DAY = 24 * 60 * 60, LIFETIME = 30 * DAY, END = PKI_NOW + LIFETIME };

#define REGISTRATION "00112233445566778899aabbccddeeff"

struct scene {
    struct pki *pki;
    struct trust *trust;
    EVP_PKEY *key;
    X509 *certificate; /* of the network function, from PKI_NOW to END */
};

enum kind { KUR, KUR_SAME_KEY, CR, CR_SAME_KEY, CR_OTHER_PROFILE };

struct row {
    const char *name;
    enum kind kind;
    struct renew_rules rules;
    time_t now;
    enum cmp_failure failure;
    bool replaces;
};

static void
judge(const struct scene *s, const struct row *row, const struct issuance_holder *holder,
      bool is_superseded, struct renewal *out, enum cmp_failure *failure, struct err *e)
{
    const bool is_kur = row->kind == KUR || row->kind == KUR_SAME_KEY;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = pki_key("P-256");
    EVP_PKEY *key = row->kind == KUR_SAME_KEY || row->kind == CR_SAME_KEY ? s->key : other;
    const struct cmp_client client = {.certificate = s->certificate, .key = s->key};
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    CLEANUP(cmp_certreq_cleanup) struct cmp_certreq *asked = NULL;
    struct cmp_client_state state;
    struct renew_request r = {.signer = s->certificate,
                              .holder = holder,
                              .registration = REGISTRATION,
                              .is_superseded = is_superseded,
                              .profile = row->kind == CR_OTHER_PROFILE ? "nf-tls-client" : "nf-tls",
                              .trust = s->trust,
                              .now = row->now};
    int result;

    assert_ok(cmp_client_request(&client, is_kur ? CMP_KUR : CMP_CR, key,
                                 X509_get_subject_name(s->certificate), &state, &der, e),
              e);
    msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, e);
    assert_non_null(msg);
    asked = cmp_certreq_read(msg, failure, e);
    assert_non_null(asked);
    r.msg = msg;
    r.asked = asked;
    *out = (struct renewal){0};
    *failure = CMP_NO_FAILURE;
    result = renew_judge(&row->rules, &r, out, failure, e);
    if ((result == 0) != (row->failure == CMP_NO_FAILURE) || *failure != row->failure) {
        fail_msg("%s: %s: %s", row->name, cmp_failure_name(*failure), e->text);
    }
}

static struct issuance_holder
holder_of_nf(void)
{
    return (struct issuance_holder){.nf_instance = "b5f0a1de-5b0e-4a6c-9f5e-0d4f8f2f0001",
                                    .profile = "nf-tls",
                                    .registration = REGISTRATION,
                                    .governs = REGISTRATION};
}

static void
window_expiry_and_key_are_policy(void **state)
{
    const struct scene *s = *state;
    static const struct row rows[] = {
        {"at once", KUR, {0}, PKI_NOW + 1, CMP_NO_FAILURE, true},
        {"a second early",
         KUR,
         {.window = 66},
         PKI_NOW + LIFETIME / 100 * 66 - 1,
         CMP_NOT_AUTHORIZED,
         false},
        {"in time", KUR, {.window = 66}, PKI_NOW + LIFETIME / 100 * 66, CMP_NO_FAILURE, true},
        {"a second before the end", KUR, {.window = 66}, END - 1, CMP_NO_FAILURE, true},
        {"at the end", KUR, {.window = 66}, END, CMP_NO_FAILURE, true},
        {"expired", KUR, {.window = 66}, END + 1, CMP_SIGNER_NOT_TRUSTED, false},
        {"expired two days ago", KUR, {.expired_days = 3}, END + 2 * DAY, CMP_NO_FAILURE, true},
        {"expired three days ago", KUR, {.expired_days = 3}, END + 3 * DAY, CMP_NO_FAILURE, true},
        {"and a second",
         KUR,
         {.expired_days = 3},
         END + 3 * DAY + 1,
         CMP_SIGNER_NOT_TRUSTED,
         false},
        {"expired, and not by kur",
         CR,
         {.expired_days = 3, .reenrolment = true},
         END + DAY,
         CMP_SIGNER_NOT_TRUSTED,
         false},
        {"before it begins", KUR, {0}, PKI_NOW - 2, CMP_SIGNER_NOT_TRUSTED, false},
        {"the same key", KUR_SAME_KEY, {0}, PKI_NOW + 1, CMP_BAD_CERT_TEMPLATE, false},
        {"the same key, allowed",
         KUR_SAME_KEY,
         {.same_key = true},
         PKI_NOW + 1,
         CMP_NO_FAILURE,
         true},
        {"cr refused", CR, {0}, PKI_NOW + 1, CMP_NOT_AUTHORIZED, false},
        {"cr in its place",
         CR,
         {.reenrolment = true, .window = 66},
         END - DAY,
         CMP_NO_FAILURE,
         true},
        {"cr in the first second in which it takes its place",
         CR,
         {.reenrolment = true, .window = 66},
         PKI_NOW + LIFETIME / 100 * 66,
         CMP_NO_FAILURE,
         true},
        {"cr a second earlier",
         CR,
         {.reenrolment = true, .window = 66},
         PKI_NOW + LIFETIME / 100 * 66 - 1,
         CMP_NO_FAILURE,
         false},
        {"cr for the same key",
         CR_SAME_KEY,
         {.reenrolment = true},
         PKI_NOW + DAY,
         CMP_BAD_CERT_TEMPLATE,
         false},
        {"cr beside it",
         CR,
         {.reenrolment = true, .window = 66},
         PKI_NOW + DAY,
         CMP_NO_FAILURE,
         false},
        {"cr for another profile",
         CR_OTHER_PROFILE,
         {.reenrolment = true},
         END - DAY,
         CMP_NO_FAILURE,
         false},
    };
    const struct issuance_holder holder = holder_of_nf();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const bool is_kur = rows[i].kind == KUR || rows[i].kind == KUR_SAME_KEY;
        enum cmp_failure failure;
        struct renewal renewal;
        struct err e = {0};

        print_message("%s\n", rows[i].name);
        judge(s, &rows[i], &holder, false, &renewal, &failure, &e);
        assert_int_equal(renewal.replaces, rows[i].replaces);
        assert_int_equal(renewal.is_update, rows[i].replaces && is_kur);
        if (failure == CMP_NO_FAILURE) {
            assert_string_equal(renewal.profile,
                                rows[i].kind == CR_OTHER_PROFILE ? "nf-tls-client" : "nf-tls");
        }
    }
}

static void
too_early_says_from_when(void **state)
{
    const struct scene *s = *state;
    const struct row row = {"early", KUR, {.window = 50}, PKI_NOW + DAY, CMP_NOT_AUTHORIZED, false};
    const struct issuance_holder holder = holder_of_nf();
    enum cmp_failure failure;
    struct renewal renewal;
    char phrase[PHRASE_SIZE];
    struct err e = {0};

    judge(s, &row, &holder, false, &renewal, &failure, &e);
    phrase_tell(failure, &e, phrase);
    assert_string_equal(phrase,
                        "too early: this certificate may be updated from 2026-10-06T14:13:20Z on");
}

static void
the_holder_is_who_the_database_says(void **state)
{
    const struct scene *s = *state;
    struct issuance_holder revoked = holder_of_nf();
    struct issuance_holder ours = holder_of_nf();
    struct issuance_holder nobody = holder_of_nf();
    struct issuance_holder other = holder_of_nf();
    const struct issuance_holder good = holder_of_nf();
    const struct {
        const char *name;
        const struct issuance_holder *holder;
        bool is_superseded;
        enum cmp_failure failure;
        const char *why;
    } rows[] = {
        {"good", &good, false, CMP_NO_FAILURE, ""},
        {"revoked", &revoked, false, CMP_CERT_REVOKED, "the certificate that signs is revoked"},
        {"of our own processes", &ours, false, CMP_NOT_AUTHORIZED,
         "signed with a certificate of our own processes or officers"},
        {"whose registration is cancelled", &nobody, false, CMP_NOT_AUTHORIZED,
         "no registration of this network function is live"},
        {"of another registration than the RA says", &other, false, CMP_NOT_AUTHORIZED,
         "the live registration of the signer is ff"},
        {"whose registration was replaced on purpose", &good, true, CMP_NOT_AUTHORIZED,
         "was superseded by"},
    };

    revoked.revoked = true;
    ours.nf_instance[0] = '\0';
    nobody.governs[0] = '\0';
    memcpy(other.governs, "ff", 2);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row row = {rows[i].name, KUR, {0}, PKI_NOW + 1, rows[i].failure, false};
        enum cmp_failure failure;
        struct renewal renewal;
        struct err e = {0};

        print_message("%s\n", rows[i].name);
        judge(s, &row, rows[i].holder, rows[i].is_superseded, &renewal, &failure, &e);
        if (strstr(e.text, rows[i].why) == NULL) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
    }
}

/* Whose validity nobody can read. */
static void
a_certificate_without_times_renews_nothing(void **state)
{
    const struct scene *s = *state;
    CLEANUP(x509_cleanup) X509 *odd = X509_dup(s->certificate);
    const struct scene with_odd = {
        .pki = s->pki, .trust = s->trust, .key = s->key, .certificate = odd};
    const struct issuance_holder holder = holder_of_nf();
    const struct row row = {"no time", KUR, {0}, PKI_NOW + 1, CMP_SIGNER_NOT_TRUSTED, false};
    enum cmp_failure failure;
    struct renewal renewal;
    struct err e = {0};

    assert_int_equal(ASN1_STRING_set(X509_getm_notAfter(odd), "never", -1), 1);
    judge(&with_odd, &row, &holder, false, &renewal, &failure, &e);
    assert_non_null(strstr(e.text, "validity"));
}

static int
setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));
    CLEANUP(buf_free) struct buf spki = {0};
    const struct nf_identity nf = pki_nf();
    struct tbs_request request;
    struct err e = {0};

    s->pki = pki_new("P-256", "P-256");
    s->key = pki_key("P-256");
    spki = pki_spki(s->key);
    request = pki_request(s->pki, &nf, buf_span(&spki));
    s->certificate = pki_issue(&request, s->pki->issuing_key);
    s->trust = trust_new(s->pki->root, s->pki->issuing, &(struct trust_conf){0}, &e);
    if (s->trust == NULL) {
        fail_msg("%s", e.text);
    }
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    trust_free(s->trust);
    X509_free(s->certificate);
    EVP_PKEY_free(s->key);
    pki_free(s->pki);
    mem_free(s);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_expiry_and_key_are_policy),
        cmocka_unit_test(too_early_says_from_when),
        cmocka_unit_test(the_holder_is_who_the_database_says),
        cmocka_unit_test(a_certificate_without_times_renews_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
