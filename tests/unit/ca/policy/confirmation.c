/* SPDX-License-Identifier: Apache-2.0 */
/* Is it the certConf of that request? One thing is wrong with each. */
#include "ca/policy/confirmation.h"

#include <string.h>

#include "ca/cmp/message/phrase.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ca/policy/grant.h"

struct row {
    const char *name;
    struct scene_request request;  /* what began the transaction */
    struct scene_request certconf; /* its content is made */
    const X509 *about;             /* NULL: the certificate that was issued */
    bool rejects;
    bool of_pbmac1;  /* the certConf has the other kind of MAC */
    int cert_req_id; /* of the request */
    enum cmp_failure failure;
    const char *why;
    enum phrase phrase;
};

static struct buf
body_of(const struct scene *s, const struct row *row)
{
    struct buf body = BUF_INIT(SMALL);
    struct err e = {0};

    assert_ok(cmp_client_body_certconf(row->about != NULL ? row->about : s->held, !row->rejects,
                                       &body, &e),
              &e);
    return body;
}

static void
judge(const struct scene *s, const struct row *row)
{
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *first = scene_queued(s, &row->request);
    CLEANUP(cmp_queued_cleanup) struct cmp_queued *queued = NULL;
    CLEANUP(buf_free) struct buf body = body_of(s, row);
    CLEANUP(buf_free) struct buf algorithm = BUF_INIT(256);
    CLEANUP(buf_free) struct buf held = BUF_INIT(CMP_MESSAGE_MAX);
    struct scene other = *s;
    struct cmp_client_state state = {.recip_nonce_size = CMP_NONCE_SIZE};
    struct scene_request certconf = row->certconf;
    struct cmp_certconf out;
    enum cmp_failure failure = CMP_BAD_ALG;
    struct err e = {0};
    int result;

    memcpy(state.transaction_id, cmp_msg_transaction_id(cmp_queued_inner(first)).p, CMP_NONCE_SIZE);
    if (row->of_pbmac1) {
        assert_ok(cmp_client_pbmac1(NID_hmacWithSHA256, 500, NID_hmacWithSHA256, &algorithm, &e),
                  &e);
        other.algorithm = algorithm;
    }
    if (certconf.content.n == 0) {
        certconf.content = buf_span(&body);
    }
    certconf.body = CMP_CERTCONF;
    certconf.goes_on = &state;
    queued = scene_queued(&other, &certconf);
    assert_ok(OSSL_ENCODE(X509, s->held, &held, &e), &e);
    result = confirmation_judge(queued, first, row->request.certificate == NULL, row->cert_req_id,
                                buf_span(&held), &out, &failure, &e);
    if ((result == 0) != (row->failure == CMP_NO_FAILURE) || failure != row->failure ||
        (row->why != NULL && strstr(e.text, row->why) == NULL) ||
        (row->phrase != PHRASE_NONE && e.said != (int)row->phrase)) {
        fail_msg("%s: %s: %s (%d)", row->name, cmp_failure_name(failure), e.text, e.said);
    }
    if (result == 0) {
        assert_int_equal(out.accepted, !row->rejects);
    }
}

#define BY_DEVICE .certificate = s->device, .signs = s->device_key
#define OTHER_ID "ffeeddccbbaa99887766554433221100"

static void
it_is_protected_as_the_request_was(void **state)
{
    const struct scene *s = *state;
    const struct row rows[] = {
        {.name = "both by MAC", .failure = CMP_NO_FAILURE},
        {.name = "both signed",
         .request = {BY_DEVICE},
         .certconf = {BY_DEVICE},
         .failure = CMP_NO_FAILURE},
        {.name = "a request by MAC, signed",
         .certconf = {BY_DEVICE},
         .failure = CMP_WRONG_INTEGRITY,
         .why = "certConf: not protected as the request was",
         .phrase = PHRASE_OTHER_PROTECTION},
        {.name = "a signed request, by MAC",
         .request = {BY_DEVICE},
         .failure = CMP_WRONG_INTEGRITY,
         .why = "certConf: not protected as the request was",
         .phrase = PHRASE_OTHER_PROTECTION},
        {.name = "a MAC attested as a signature",
         .certconf = {.lies = true},
         .failure = CMP_WRONG_INTEGRITY,
         .phrase = PHRASE_OTHER_PROTECTION},
        {.name = "a signature attested as a MAC",
         .request = {BY_DEVICE},
         .certconf = {BY_DEVICE, .lies = true},
         .failure = CMP_WRONG_INTEGRITY,
         .phrase = PHRASE_OTHER_PROTECTION},
        {.name = "a MAC of the other kind",
         .of_pbmac1 = true,
         .failure = CMP_WRONG_INTEGRITY,
         .phrase = PHRASE_OTHER_PROTECTION},
        {.name = "not protected",
         .certconf = {.unprotected = true},
         .failure = CMP_WRONG_INTEGRITY,
         .phrase = PHRASE_OTHER_PROTECTION},
        {.name = "under another registration",
         .certconf = {.registration = OTHER_ID},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "certConf: under other credentials than the request",
         .phrase = PHRASE_OTHER_CREDENTIALS},
        {.name = "signed, under another registration",
         .request = {BY_DEVICE},
         .certconf = {BY_DEVICE, .registration = OTHER_ID},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .phrase = PHRASE_OTHER_CREDENTIALS},
        {.name = "with another reference",
         .certconf = {.reference = "another one"},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .phrase = PHRASE_OTHER_CREDENTIALS},
        {.name = "signed by somebody else",
         .request = {BY_DEVICE},
         .certconf = {.certificate = s->held, .signs = s->held_key},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "sender is not the subject of the protection certificate"},
        {.name = "with somebody else's key",
         .request = {BY_DEVICE},
         .certconf = {.certificate = s->device, .signs = s->key},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "does not verify"},
        {.name = "a request whose certificate is gone",
         .request = {BY_DEVICE, .edit = "3"},
         .certconf = {BY_DEVICE},
         .failure = CMP_BAD_MESSAGE_CHECK,
         .why = "no extraCerts"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        judge(s, &rows[i]);
    }
}

static void
it_is_about_the_certificate_that_was_issued(void **state)
{
    const struct scene *s = *state;
    const struct row rows[] = {
        {.name = "about another one",
         .about = s->device,
         .failure = CMP_BAD_CERT_ID,
         .phrase = PHRASE_CERT_HASH},
        {.name = "a rejection needs no hash",
         .about = s->device,
         .rejects = true,
         .failure = CMP_NO_FAILURE},
        {.name = "a rejection", .rejects = true, .failure = CMP_NO_FAILURE},
        {.name = "another certReqId",
         .cert_req_id = 1,
         .failure = CMP_BAD_REQUEST,
         .why = "certReqId is not 1"},
        {.name = "no status at all",
         .certconf = {.content = SPAN_LITERAL("\xb8\x02\x30\x00")},
         .failure = CMP_BAD_REQUEST,
         .phrase = PHRASE_CERT_STATUS},
        {.name = "malformed",
         .certconf = {.content = SPAN_LITERAL("\xb8\x02\x05\x00")},
         .failure = CMP_BAD_DATA_FORMAT,
         .why = "certConf"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        judge(s, &rows[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_protected_as_the_request_was),
        cmocka_unit_test(it_is_about_the_certificate_that_was_issued),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
