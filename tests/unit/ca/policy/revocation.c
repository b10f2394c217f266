/* SPDX-License-Identifier: Apache-2.0 */
/* Who may have what revoked, at the times that matter. */
#include "ca/policy/revocation.h"

#include <string.h>

#include "ca/cmp/message/phrase.h"
#include "ca/x509/serial.h"
#include "tests/unit/ca/policy/grant.h"

enum { KEY_COMPROMISE = 1 };

enum signer { BY_MAC, BY_HELD, BY_RA, BY_REGISTRAR, BY_DEVICE };

struct row {
    const char *name;
    enum signer signer;
    const char *profile;     /* of the holder, by the record; NULL: a network function */
    bool not_ours;           /* ca.db has not the certificate that signs */
    bool revoked;            /* that one */
    enum signer about;       /* whose certificate; BY_MAC: nobody's of ours */
    bool target_revoked;     /* that one */
    time_t target_ends;      /* 0: SCENE_END */
    EVP_PKEY *names_key;     /* the template's */
    struct scene_request as; /* what else is wrong with it */
    enum cmp_failure malformed;
    time_t now; /* 0: PKI_NOW + 1 */
    enum cmp_failure failure;
    const char *why; /* or who it is by */
    enum phrase phrase;
};

struct people {
    const struct scene *s;
    EVP_PKEY *registrar_key;
    X509 *registrar;
};

static X509 *
certificate_of(const struct people *p, enum signer who)
{
    X509 *const all[] = {NULL, p->s->held, p->s->ra, p->registrar, p->s->device};

    return all[who];
}

static struct issuance_holder
holder_of(const struct row *row, const X509 *certificate)
{
    struct issuance_holder h = {.revoked = row->revoked};
    const char *profile = row->profile != NULL ? row->profile : "nf-tls";

    memcpy(h.serial, serial_of(certificate).p,
           serial_of(certificate).n < sizeof(h.serial) ? serial_of(certificate).n
                                                       : sizeof(h.serial));
    memcpy(h.profile, profile, strlen(profile) + 1);
    if (row->profile == NULL) {
        memcpy(h.nf_instance, SCENE_INSTANCE, sizeof(SCENE_INSTANCE));
    }
    return h;
}

static struct issuance_target
target_of(const struct people *p, const struct row *row)
{
    struct issuance_target t = {.revoked = row->target_revoked,
                                .not_after = row->target_ends != 0 ? row->target_ends : SCENE_END,
                                .certificate = BUF_INIT(SMALL)};
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate_of(p, row->about), &t.certificate, &e), &e);
    if (row->about == BY_HELD || row->about == BY_DEVICE) {
        memcpy(t.nf_instance, SCENE_INSTANCE, sizeof(SCENE_INSTANCE));
    }
    return t;
}

static struct cmp_revreq
asked_of(const struct people *p, const struct row *row)
{
    struct cmp_revreq r = {.reason = KEY_COMPROMISE, .serial_size = ISSUANCE_SERIAL_SIZE};
    struct err e = {0};

    if (row->about != BY_MAC) {
        const struct span serial = serial_of(certificate_of(p, row->about));

        r.serial_size = serial.n;
        memcpy(r.serial, serial.p, serial.n);
    }
    if (row->names_key != NULL) {
        CLEANUP(buf_free) struct buf spki = pki_spki(row->names_key);

        r.has_key = true;
        assert_ok(sha256(buf_span(&spki), r.spki_sha256, &e), &e);
    }
    return r;
}

static struct cmp_queued *
message_of(const struct people *p, const struct row *row)
{
    EVP_PKEY *const keys[] = {NULL, p->s->held_key, p->s->ra_key, p->registrar_key,
                              p->s->device_key};
    CLEANUP(buf_free) struct buf body = BUF_INIT(SMALL);
    struct scene_request r = row->as;
    struct err e = {0};

    assert_ok(cmp_client_body_rr(X509_get_issuer_name(p->s->held),
                                 X509_get0_serialNumber(p->s->held), KEY_COMPROMISE, &body, &e),
              &e);
    r.content = buf_span(&body);
    r.certificate = certificate_of(p, row->signer);
    r.signs = r.signs != NULL ? r.signs : keys[row->signer];
    return scene_queued(p->s, &r);
}

static void
judge(const struct people *p, const struct row *row)
{
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *queued = message_of(p, row);
    const struct issuance_holder holder =
        holder_of(row, row->signer == BY_MAC ? p->s->held : certificate_of(p, row->signer));
    const struct cmp_revreq asked = asked_of(p, row);
    const struct err why = {.code = ERR_INPUT, .text = "why it cannot be read"};
    CLEANUP(issuance_target_free) struct issuance_target target = {0};
    struct revocation_question q = {.queued = queued,
                                    .asked = &asked,
                                    .malformed = row->malformed,
                                    .why = &why,
                                    .holder = row->not_ours ? NULL : &holder,
                                    .trust = p->s->policy.trust,
                                    .now = row->now != 0 ? row->now : PKI_NOW + 1};
    CLEANUP(mem_cleanup) char *by = NULL;
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};
    int result;

    if (row->about != BY_MAC) {
        target = target_of(p, row);
        q.target = &target;
    }
    result = revocation_judge(&q, &by, &failure, &e);
    if ((result == 0) != (row->failure == CMP_NO_FAILURE) || failure != row->failure ||
        strstr(result == 0 ? by : e.text, row->why) == NULL ||
        (row->phrase != PHRASE_NONE && e.said != (int)row->phrase)) {
        fail_msg("%s: %s: %s (%d)", row->name, cmp_failure_name(failure), result == 0 ? by : e.text,
                 e.said);
    }
    if (result != 0) {
        assert_null(by);
    }
}

static void
judge_all(const struct scene *s, const struct row *rows, size_t n)
{
    struct people p = {.s = s, .registrar_key = pki_key("P-256")};

    p.registrar = pki_issue_officer(s->pki, "registrar", p.registrar_key);
    for (size_t i = 0; i < n; i++) {
        struct row row = rows[i];

        row.malformed = row.malformed != 0 ? row.malformed : CMP_NO_FAILURE;
        judge(&p, &row);
    }
    X509_free(p.registrar);
    EVP_PKEY_free(p.registrar_key);
}

#define OK .failure = CMP_NO_FAILURE
#define SIGNED "rr that is not signed, or not attested so"

static void
a_holder_revokes_its_own(void **state)
{
    const struct scene *s = *state;
    const struct row rows[] = {
        {.name = "its own", .signer = BY_HELD, .about = BY_HELD, OK, .why = "rr of its holder"},
        {.name = "its own, and names its key",
         .signer = BY_HELD,
         .about = BY_HELD,
         .names_key = s->held_key,
         OK,
         .why = "rr of its holder"},
        {.name = "and names another key",
         .signer = BY_HELD,
         .about = BY_HELD,
         .names_key = s->key,
         .failure = CMP_BAD_CERT_ID,
         .why = "rr names another key than the certificate's",
         .phrase = PHRASE_REVOKE_KEY},
        {.name = "in its first second",
         .signer = BY_HELD,
         .about = BY_HELD,
         .now = PKI_NOW,
         OK,
         .why = "rr of its holder"},
        {.name = "in its last second",
         .signer = BY_HELD,
         .about = BY_HELD,
         .now = SCENE_END,
         OK,
         .why = "rr of its holder"},
        {.name = "a second later",
         .signer = BY_HELD,
         .about = BY_HELD,
         .now = SCENE_END + 1,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "expired"},
        {.name = "somebody else's",
         .signer = BY_HELD,
         .about = BY_DEVICE,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "rr for somebody else's certificate",
         .phrase = PHRASE_REVOKE_OTHERS},
        {.name = "the RA's",
         .signer = BY_HELD,
         .about = BY_RA,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "rr for somebody else's certificate",
         .phrase = PHRASE_REVOKE_OTHERS},
        {.name = "nobody's",
         .signer = BY_HELD,
         .failure = CMP_BAD_CERT_ID,
         .why = "rr for a certificate that was not issued here",
         .phrase = PHRASE_REVOKE_UNKNOWN},
        {.name = "once more",
         .signer = BY_HELD,
         .about = BY_HELD,
         .target_revoked = true,
         .failure = CMP_CERT_REVOKED,
         .why = "rr for what is revoked already",
         .phrase = PHRASE_REVOKE_AGAIN},
        {.name = "a CA of the same name that vouches for it",
         .signer = BY_DEVICE,
         .about = BY_DEVICE,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "certification path"},
    };

    judge_all(s, rows, ARRAY_LEN(rows));
}

static void
an_ra_and_a_registrar_revoke_for_network_functions(void **state)
{
    const struct scene *s = *state;
    const struct row rows[] = {
        {.name = "an RA",
         .signer = BY_RA,
         .profile = "ra-cmp",
         .about = BY_HELD,
         OK,
         .why = "rr of ra-cmp "},
        {.name = "a registrar",
         .signer = BY_REGISTRAR,
         .profile = "registrar",
         .about = BY_HELD,
         OK,
         .why = "rr of registrar "},
        {.name = "an officer",
         .signer = BY_REGISTRAR,
         .profile = "officer",
         .about = BY_HELD,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "rr signed under profile officer"},
        {.name = "who is nobody in the record",
         .signer = BY_RA,
         .profile = "none",
         .about = BY_HELD,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "rr signed under profile none"},
        {.name = "a registrar whose certificate is an RA's in the record",
         .signer = BY_REGISTRAR,
         .profile = "ra-cmp",
         .about = BY_HELD,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "extendedKeyUsage without 1.3.6.1.5.5.7.3.28"},
        {.name = "an RA, ended",
         .signer = BY_RA,
         .profile = "ra-cmp",
         .about = BY_HELD,
         .now = SCENE_END + 1,
         .target_ends = SCENE_END + 2,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "expired"},
        {.name = "a registrar, ended",
         .signer = BY_REGISTRAR,
         .profile = "registrar",
         .about = BY_HELD,
         .now = SCENE_END + 1,
         .target_ends = SCENE_END + 2,
         .failure = CMP_SIGNER_NOT_TRUSTED,
         .why = "expired"},
        {.name = "an RA, for itself",
         .signer = BY_RA,
         .profile = "ra-cmp",
         .about = BY_RA,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "rr for a certificate of our own processes or officers",
         .phrase = PHRASE_REVOKE_OTHERS},
        {.name = "a registrar, for an RA",
         .signer = BY_REGISTRAR,
         .profile = "registrar",
         .about = BY_RA,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "rr for a certificate of our own processes or officers",
         .phrase = PHRASE_REVOKE_OTHERS},
        {.name = "for nobody's",
         .signer = BY_RA,
         .profile = "ra-cmp",
         .failure = CMP_BAD_CERT_ID,
         .why = "rr for a certificate that was not issued here",
         .phrase = PHRASE_REVOKE_UNKNOWN},
        {.name = "for what ends now",
         .signer = BY_RA,
         .profile = "ra-cmp",
         .about = BY_HELD,
         .target_ends = PKI_NOW + 1,
         OK,
         .why = "rr of ra-cmp "},
        {.name = "for what ended a second ago",
         .signer = BY_RA,
         .profile = "ra-cmp",
         .about = BY_HELD,
         .target_ends = PKI_NOW,
         .failure = CMP_BAD_CERT_ID,
         .why = "rr for what has expired",
         .phrase = PHRASE_REVOKE_EXPIRED},
    };

    judge_all(s, rows, ARRAY_LEN(rows));
}

static void
who_does_not_sign_is_not_heard(void **state)
{
    const struct scene *s = *state;
    const struct row rows[] = {
        {.name = "a MAC",
         .signer = BY_MAC,
         .about = BY_HELD,
         .failure = CMP_WRONG_INTEGRITY,
         .why = SIGNED,
         .phrase = PHRASE_REVOKE_MAC},
        {.name = "a MAC attested as a signature",
         .signer = BY_MAC,
         .about = BY_HELD,
         .as = {.lies = true},
         .failure = CMP_WRONG_INTEGRITY,
         .why = SIGNED,
         .phrase = PHRASE_REVOKE_MAC},
        {.name = "a signature attested as a MAC",
         .signer = BY_HELD,
         .about = BY_HELD,
         .as = {.lies = true},
         .failure = CMP_WRONG_INTEGRITY,
         .why = SIGNED,
         .phrase = PHRASE_REVOKE_MAC},
        {.name = "without its certificate",
         .signer = BY_HELD,
         .about = BY_HELD,
         .as = {.edit = "3"},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "no extraCerts",
         .phrase = PHRASE_NO_SIGNER},
        {.name = "with another key",
         .signer = BY_HELD,
         .about = BY_HELD,
         .as = {.signs = s->key},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "does not verify"},
        {.name = "with what is not ours",
         .signer = BY_DEVICE,
         .not_ours = true,
         .about = BY_HELD,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "rr signed with a certificate that is not ours",
         .phrase = PHRASE_NOT_OURS},
        {.name = "with what is revoked",
         .signer = BY_HELD,
         .revoked = true,
         .about = BY_HELD,
         .failure = CMP_CERT_REVOKED,
         .why = "rr signed with a certificate that is revoked"},
        {.name = "what cannot be read, from who is known",
         .signer = BY_HELD,
         .about = BY_HELD,
         .malformed = CMP_BAD_DATA_FORMAT,
         .failure = CMP_BAD_DATA_FORMAT,
         .why = "why it cannot be read"},
        {.name = "what cannot be read, from who is not",
         .signer = BY_DEVICE,
         .not_ours = true,
         .malformed = CMP_BAD_DATA_FORMAT,
         .failure = CMP_NOT_AUTHORIZED,
         .why = "rr signed with a certificate that is not ours"},
    };

    judge_all(s, rows, ARRAY_LEN(rows));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_holder_revokes_its_own),
        cmocka_unit_test(an_ra_and_a_registrar_revoke_for_network_functions),
        cmocka_unit_test(who_does_not_sign_is_not_heard),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
