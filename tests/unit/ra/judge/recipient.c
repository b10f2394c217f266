/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/recipient.h"

#include <string.h>

#include "base/ossl.h"
#include "tests/unit/ra/fixture.h"

/* Which name stands there. */
enum recipient { NONE, RA, ISSUING, ROOT, VENDOR, UPSTREAM, STRANGER, RA_REVERSED, RA_AND_MORE };

static struct {
    EVP_PKEY *key;
    X509 *device; /* of the vendor */
    struct buf ir;
    struct buf outer;
    struct cmp_client mac;
    struct cmp_client signer;
} w;

static X509_NAME *
stranger(void)
{
    X509_NAME *name = X509_NAME_new();

    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"stranger", -1, -1, 0),
                     1);
    return name;
}

/* The same RDNs from the end, as RFC 4514 prints them. */
static X509_NAME *
reversed(const X509_NAME *of)
{
    X509_NAME *name = X509_NAME_new();

    for (int i = X509_NAME_entry_count(of) - 1; i >= 0; i--) {
        assert_int_equal(X509_NAME_add_entry(name, X509_NAME_get_entry(of, i), -1, 0), 1);
    }
    return name;
}

static X509_NAME *
name_of(const struct fixture *f, enum recipient which)
{
    X509_NAME *name = NULL;

    switch (which) {
    case NONE:
        return X509_NAME_new();
    case RA:
        return X509_NAME_dup(X509_get_subject_name(f->ra.credentials.certificate));
    case ISSUING:
        return X509_NAME_dup(X509_get_subject_name(f->pki->issuing));
    case ROOT:
        return X509_NAME_dup(X509_get_subject_name(f->pki->root));
    case VENDOR:
        return X509_NAME_dup(X509_get_subject_name(f->vendor));
    case UPSTREAM:
        return X509_NAME_dup(X509_get_subject_name(f->upstream));
    case STRANGER:
        return stranger();
    case RA_REVERSED:
        return reversed(X509_get_subject_name(f->ra.credentials.certificate));
    case RA_AND_MORE:
        name = X509_NAME_dup(X509_get_subject_name(f->ra.credentials.certificate));
        assert_int_equal(X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC,
                                                    (const unsigned char *)"more", -1, -1, 0),
                         1);
        return name;
    }
    return NULL;
}

static int
set_up(void **state)
{
    struct fixture *f = fixture_new(PKI_NOW);
    char id[REGISTRATION_ID_SIZE];

    *state = f;
    w.key = pki_key("P-256");
    w.device = fixture_device(f, "device", w.key);
    w.ir = fixture_body(f, CMP_IR, NULL);
    fixture_register(f, &(struct fixture_registration){.reference = "amf-1"}, id);
    fixture_register(f,
                     &(struct fixture_registration){.proof = PROOF_VENDOR,
                                                    .certificate = w.device,
                                                    .instance = FIXTURE_OTHER_NF},
                     id);
    w.mac = fixture_mac(f, "amf-1");
    w.signer = fixture_signer(f, w.device, w.key);
    /* A message of the upstream RA: what counts of it is its sender. */
    {
        struct cmp_client upstream = fixture_signer(f, f->upstream, f->vendor_key);

        w.outer = fixture_message(f, &upstream, buf_span(&w.ir), NULL, NULL);
    }
    return 0;
}

static int
tear_down(void **state)
{
    X509_free(w.device);
    EVP_PKEY_free(w.key);
    buf_free(&w.ir);
    buf_free(&w.outer);
    return fixture_teardown(state);
}

static void
a_first_message_is_meant_for_us(void **state)
{
    static const struct {
        const char *row;
        enum recipient name;
        bool is_signed;
        bool wrapped;
        bool taken;
    } rows[] = {
        {"nobody", NONE, false, false, true},
        {"the RA", RA, false, false, true},
        {"the RA, from its end", RA_REVERSED, false, false, true},
        {"the RA and more", RA_AND_MORE, false, false, false},
        {"the issuing CA", ISSUING, false, false, true},
        {"the root", ROOT, false, false, true},
        {"somebody else", STRANGER, false, false, false},
        {"somebody else, signed", STRANGER, true, false, false},
        {"the issuer of who signs", VENDOR, true, false, true},
        {"the same with a MAC", VENDOR, false, false, false},
        {"the upstream RA", UPSTREAM, false, true, true},
        {"the same without a wrapper", UPSTREAM, false, false, false},
        {"somebody else in a wrapper", STRANGER, false, true, false},
    };
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_name_cleanup) X509_NAME *name = name_of(f, rows[i].name);
        struct cmp_client c = rows[i].is_signed ? w.signer : w.mac;
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job;

        c.recipient = name;
        message = fixture_message(f, &c, buf_span(&w.ir), NULL, NULL);
        job = fixture_job(f, buf_span(&message));
        fixture_look_up(job);
        if (rows[i].wrapped) {
            job->outer = cmp_msg_parse(buf_span(&w.outer), CMP_MESSAGE_MAX, &job->e);
            assert_non_null(job->outer);
        }
        if ((judge_recipient(job) == 0) != rows[i].taken ||
            job->failure != (rows[i].taken ? CMP_NO_FAILURE : CMP_WRONG_AUTHORITY) ||
            (!rows[i].taken && ((enum phrase)job->e.said != PHRASE_RECIPIENT ||
                                strcmp(job->e.text, "recipient is none of us") != 0))) {
            print_error("%s: failInfo %d\n", rows[i].row, (int)job->failure);
            wrong++;
        }
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* A GeneralName of each kind that is none. */
static void
a_recipient_is_a_directory_name(void **state)
{
    static const struct fixture_verdict refused = {FIXTURE_REQUEST, CMP_WRONG_AUTHORITY,
                                                   "recipient is none of us", PHRASE_RECIPIENT};
    const struct span kinds[] = {
        SPAN_LITERAL("\xa0\x08\x06\x01\x2a\xa0\x03\x02\x01\x01"), /* otherName */
        SPAN_LITERAL("\x81\x03"
                     "a@b"),
        SPAN_LITERAL("\x82\x01"
                     "a"),
        SPAN_LITERAL("\xa5\x07\xa1\x05\x0c\x03"
                     "edi"), /* ediPartyName */
        SPAN_LITERAL("\x86\x05"
                     "urn:a"),
        SPAN_LITERAL("\x87\x04\x0a\x00\x00\x01"),
        SPAN_LITERAL("\x88\x01\x2a"),
    };
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        CLEANUP(mem_cleanup) char *name = mem_printf("kind %zu", i);

        wrong +=
            fixture_row(f, &w.mac, buf_span(&w.ir),
                        &(struct fixture_message){.edit = "0.2", .with = kinds[i]}, &refused, name);
        wrong +=
            fixture_row(f, &w.signer, buf_span(&w.ir),
                        &(struct fixture_message){.edit = "0.2", .with = kinds[i]}, &refused, name);
    }
    assert_int_equal(wrong, 0);
}

/* It is tied to its transaction by more than a name. */
static void
a_later_message_may_name_anybody(void **state)
{
    struct fixture *f = *state;
    CLEANUP(x509_name_cleanup) X509_NAME *name = stranger();
    struct cmp_client c = w.mac;
    CLEANUP(buf_free) struct buf poll = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf message = {0};
    struct job *job;
    struct err e = {0};

    assert_ok(cmp_client_body_pollreq(0, &poll, &e), &e);
    c.recipient = name;
    message = fixture_message(f, &c, buf_span(&poll), NULL, NULL);
    job = fixture_job(f, buf_span(&message));
    fixture_look_up(job);
    assert_int_equal(judge_recipient(job), 0);
    job_free(job);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_message_is_meant_for_us),
        cmocka_unit_test(a_recipient_is_a_directory_name),
        cmocka_unit_test(a_later_message_may_name_anybody),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
