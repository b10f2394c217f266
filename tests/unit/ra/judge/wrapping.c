/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/judge/wrapping.h"

#include "ca/cmp/message/der.h"

#define REFERENCE "amf-1"
#define CMC_RA "extendedKeyUsage=1.3.6.1.5.5.7.3.28"

struct wrapping wrapping;

static X509 *
forge_of(const struct fixture *f, X509 *issuer, const char *usage, const char *eku, int from,
         int until)
{
    const struct forge forge = {.subject = "O=Partner/CN=Partner RA",
                                .key = wrapping.key,
                                .issuer = issuer,
                                .issuer_key = issuer == NULL ? NULL : f->vendor_key,
                                .not_before = f->now + from,
                                .not_after = f->now + until,
                                .extensions = {"basicConstraints=critical,CA:FALSE", usage, eku}};

    return forge_certificate(&forge);
}

static X509 *
partner(const struct fixture *f, X509 *issuer, int from, int until)
{
    return forge_of(f, issuer, "keyUsage=critical,digitalSignature", CMC_RA, from, until);
}

static X509 *
expired_ra(const struct fixture *f)
{
    struct forge forge = {.subject = "C=SE/O=Example Operator/CN=Old RA",
                          .key = wrapping.key,
                          .issuer = f->pki->issuing,
                          .issuer_key = f->pki->issuing_key,
                          .not_before = f->now - 2,
                          .not_after = f->now - 1,
                          .extensions = {FORGE_LEAF, CMC_RA}};

    return forge_certificate(&forge);
}

static void
make_signers(struct fixture *f)
{
    wrapping.of[OURS] = pki_issue_officer(f->pki, "ra-cmp", wrapping.key);
    wrapping.of[OURS_EXPIRED] = expired_ra(f);
    wrapping.of[OUR_NF] = fixture_certificate(f, NULL, wrapping.key);
    wrapping.of[OUR_REGISTRAR] = pki_issue_officer(f->pki, "registrar", wrapping.key);
    wrapping.of[ITSELF] = X509_dup(f->ra.credentials.certificate);
    wrapping.of[ITSELF_BEFORE] = pki_issue_officer(f->pki, "ra-cmp", f->ra_key);
    wrapping.of[PARTNER] = partner(f, f->upstream, -1000, 1000);
    wrapping.of[PARTNER_NO_RA] = forge_of(f, f->upstream, "keyUsage=critical,digitalSignature",
                                          "extendedKeyUsage=clientAuth", -1000, 1000);
    wrapping.of[PARTNER_NO_SIGNS] =
        forge_of(f, f->upstream, "keyUsage=critical,keyAgreement", CMC_RA, -1000, 1000);
    wrapping.of[PARTNER_ENDS] = partner(f, f->upstream, -1000, 0);
    wrapping.of[PARTNER_ENDED] = partner(f, f->upstream, -1000, -1);
    wrapping.of[PARTNER_BEGINS] = partner(f, f->upstream, 0, 1000);
    wrapping.of[PARTNER_EARLY] = partner(f, f->upstream, 1, 1000);
    wrapping.of[VENDOR] = partner(f, f->vendor, -1000, 1000);
    wrapping.of[NOBODY] = partner(f, NULL, -1000, 1000);
}

struct buf
wrapping_nest(const struct span *messages, size_t n)
{
    CLEANUP(buf_free) struct buf all = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf sequence = BUF_INIT(CMP_MESSAGE_MAX);
    struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    for (size_t i = 0; i < n; i++) {
        assert_ok(buf_append(&all, messages[i], &e), &e);
    }
    assert_ok(der_append(&sequence, DER_SEQUENCE, buf_span(&all), &e), &e);
    assert_ok(der_append(&body, (uint8_t)(DER_CONTEXT | CMP_NESTED), buf_span(&sequence), &e), &e);
    return body;
}

int
wrapping_set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];
    struct span inner;
    struct err e = {0};

    *state = f;
    wrapping.key = pki_key("P-256");
    wrapping.other_key = pki_key("P-256");
    make_signers(f);
    fixture_register(f, &(struct fixture_registration){.reference = REFERENCE}, id);
    wrapping.nf = fixture_mac(f, REFERENCE);
    wrapping.inner = fixture_ask(f, &wrapping.nf, CMP_IR);
    inner = buf_span(&wrapping.inner);
    wrapping.msg = cmp_msg_parse(inner, CMP_MESSAGE_MAX, &e);
    assert_non_null(wrapping.msg);
    wrapping.body = wrapping_nest(&inner, 1);
    fixture_crl(f, NULL, 1000);
    return 0;
}

int
wrapping_tear_down(void **state)
{
    for (size_t i = 0; i < SIGNERS; i++) {
        X509_free(wrapping.of[i]);
    }
    EVP_PKEY_free(wrapping.key);
    EVP_PKEY_free(wrapping.other_key);
    buf_free(&wrapping.inner);
    buf_free(&wrapping.body);
    cmp_msg_free(wrapping.msg);
    return fixture_teardown(state);
}

struct cmp_client
wrapping_client(struct fixture *f, enum wrapped_by signer)
{
    return fixture_signer(f, wrapping.of[signer],
                          signer == ITSELF || signer == ITSELF_BEFORE ? f->ra_key : wrapping.key);
}

int
wrapping_expect(struct fixture *f, const struct cmp_client *by, struct span body,
                const struct fixture_message *how, const struct fixture_verdict *verdict,
                const char *row)
{
    CLEANUP(buf_free) struct buf message = fixture_message(f, by, body, how, NULL);
    struct job *job = fixture_job(f, buf_span(&message));
    int wrong;

    wrong = fixture_expect(job, verdict, row);
    if ((job->outer != NULL && job->upstream != NULL) != (verdict->stage != FIXTURE_FORM)) {
        print_error("%s: the wrapper is%s kept\n", row, job->outer == NULL ? " not" : "");
        wrong = 1;
    }
    job_free(job);
    return wrong;
}
