/* SPDX-License-Identifier: Apache-2.0 */
/* A first message against its registration, and what is given on to the CA. Later messages are in
 * later.c. */
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "tests/support/der_edit.h"
#include "tests/unit/ra/fixture.h"

#define NF(n) "1d5b94b1-35ad-49bb-b118-8e8fc24abf" n
#define BOTH "{\"name\":\"nf-tls\"},{\"name\":\"nf-tls-client\"}"
#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SAYS_MAC "{\"kind\":\"mac\"}"
#define SAYS_CERTIFICATE "{\"kind\":\"certificate\",\"sha256\":\"" HASH "\"}"
#define SAYS_KEY "{\"kind\":\"publicKey\",\"sha256\":\"" HASH "\"}"
#define SAYS_VENDOR "{\"kind\":\"vendor\",\"issuer\":\"CN=a\",\"subject\":\"CN=b\"}"

/* Certificates that sign. */
enum who {
    HOLDER,        /* of FIXTURE_NF, delivered for nf-tls-client */
    DEVICE,        /* registered by its names */
    DEVICE_OTHER,  /* the same; the document has other names */
    DEVICE_BY_MAC, /* the same; the document wants a MAC */
    PINNED,
    PINNED_OTHER, /* the document has another hash */
    KEY,          /* registered by its key, which is f->key */
    KEY_OTHER,    /* the document has another hash */
    LISTED,       /* with a key of the operator's list */
    PEOPLE,
};

static struct {
    EVP_PKEY *key;
    EVP_PKEY *key_other;
    EVP_PKEY *listed;
    X509 *of[PEOPLE];
    char id[REGISTRATION_ID_SIZE]; /* of FIXTURE_NF */
} w;

static EVP_PKEY *
key_of(const struct fixture *f, enum who who)
{
    switch (who) {
    case KEY:
        return f->key;
    case KEY_OTHER:
        return w.key_other;
    case LISTED:
        return w.listed;
    case HOLDER:
    case DEVICE:
    case DEVICE_OTHER:
    case DEVICE_BY_MAC:
    case PINNED:
    case PINNED_OTHER:
    case PEOPLE:
        break;
    }
    return w.key;
}

static void
enlist(struct fixture *f, enum proof_kind proof, enum who who, const char *instance,
       const char *says)
{
    char id[REGISTRATION_ID_SIZE];

    fixture_register(f,
                     &(struct fixture_registration){.proof = proof,
                                                    .certificate = w.of[who],
                                                    .key = key_of(f, who),
                                                    .instance = instance,
                                                    .says = says},
                     id);
}

static int
set_up(void **state)
{
    static const char *const names[] = {
        [DEVICE] = "d1",       [DEVICE_OTHER] = "d2", [DEVICE_BY_MAC] = "d3", [PINNED] = "p1",
        [PINNED_OTHER] = "p2", [KEY] = "k1",          [KEY_OTHER] = "k2",     [LISTED] = "l1"};
    struct fixture *f = fixture_new(PKI_NOW);

    *state = f;
    w.key = pki_key("P-256");
    w.key_other = pki_key("P-256");
    w.listed = pki_key("P-256");
    w.of[HOLDER] = fixture_certificate(f, NULL, w.key);
    for (enum who who = DEVICE; who < PEOPLE; who++) {
        w.of[who] = fixture_device(f, names[who], key_of(f, who));
    }
    fixture_register(f, &(struct fixture_registration){.reference = "amf-1", .profiles = BOTH},
                     w.id);
    fixture_deliver(f, w.of[HOLDER], w.id, "nf-tls-client");
    enlist(f, PROOF_VENDOR, DEVICE, NF("01"), NULL);
    enlist(f, PROOF_VENDOR, DEVICE_OTHER, NF("02"), SAYS_VENDOR);
    enlist(f, PROOF_VENDOR, DEVICE_BY_MAC, NF("03"), SAYS_MAC);
    enlist(f, PROOF_CERTIFICATE, PINNED, NF("04"), NULL);
    enlist(f, PROOF_CERTIFICATE, PINNED_OTHER, NF("05"), SAYS_CERTIFICATE);
    enlist(f, PROOF_PUBLIC_KEY, KEY, NF("06"), NULL);
    enlist(f, PROOF_PUBLIC_KEY, KEY_OTHER, NF("07"), SAYS_KEY);
    enlist(f, PROOF_VENDOR, LISTED, NF("08"), NULL);
    return 0;
}

static int
tear_down(void **state)
{
    for (size_t i = 0; i < PEOPLE; i++) {
        X509_free(w.of[i]);
    }
    EVP_PKEY_free(w.key);
    EVP_PKEY_free(w.key_other);
    EVP_PKEY_free(w.listed);
    return fixture_teardown(state);
}

static struct cmp_client
client_of(struct fixture *f, enum who who)
{
    return fixture_signer(f, w.of[who], key_of(f, who));
}

/* ---- the proof ---- */

/* What the document says counts, which a registrar signed, not the columns beside it. */
static void
the_proof_is_the_one_in_the_signed_document(void **state)
{
    static const struct {
        const char *name;
        const char *says;
    } macs[] = {{"certificate", SAYS_CERTIFICATE}, {"key", SAYS_KEY}, {"vendor", SAYS_VENDOR}};
    static const struct fixture_verdict another = {
        FIXTURE_REQUEST, CMP_WRONG_INTEGRITY, "the registration wants another proof", PHRASE_PROOF};
    static const struct fixture_verdict other_certificate = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED,
                                                             NULL, PHRASE_OTHER_CERTIFICATE};
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    const struct {
        const char *name;
        enum who who;
        const struct fixture_verdict *verdict;
    } rows[] = {
        {"a device", DEVICE, &good},
        {"a device of other names", DEVICE_OTHER, &other_certificate},
        {"a device that should have a secret", DEVICE_BY_MAC, &another},
        {"a certificate", PINNED, &good},
        {"another certificate", PINNED_OTHER, &other_certificate},
        {"a key", KEY, &good},
    };
    CLEANUP(buf_free) struct buf ir = fixture_body(f, CMP_IR, NULL);
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client c = client_of(f, rows[i].who);

        wrong += fixture_row(f, &c, buf_span(&ir), NULL, rows[i].verdict, rows[i].name);
    }
    for (size_t i = 0; i < ARRAY_LEN(macs); i++) {
        CLEANUP(mem_cleanup) char *reference = mem_printf("says-%s", macs[i].name);
        const struct cmp_client c = fixture_mac(f, reference);
        char id[REGISTRATION_ID_SIZE];

        fixture_register(f,
                         &(struct fixture_registration){
                             .reference = reference, .instance = NF("30"), .says = macs[i].says},
                         id);
        wrong += fixture_row(f, &c, buf_span(&ir), NULL, &another, macs[i].name);
    }
    assert_int_equal(wrong, 0);
}

/* The registered key protects the request and is what the request asks for. */
static void
a_registered_key_is_asked_for_by_itself(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    static const struct fixture_verdict not_itself = {
        FIXTURE_REQUEST, CMP_NOT_AUTHORIZED,
        "the request is not protected by the key that it asks for", PHRASE_KEY_REGISTERED};
    static const struct fixture_verdict other = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, NULL,
                                                 PHRASE_KEY_REGISTERED};
    struct fixture *f = *state;
    const struct cmp_client key = client_of(f, KEY);
    const struct cmp_client key_other = client_of(f, KEY_OTHER);
    EVP_PKEY *before = f->key;
    CLEANUP(buf_free) struct buf own = fixture_body(f, CMP_IR, NULL);
    CLEANUP(buf_free) struct buf others = {0};
    int wrong = 0;

    f->key = w.key_other;
    others = fixture_body(f, CMP_IR, NULL);
    f->key = before;
    wrong += fixture_row(f, &key, buf_span(&own), NULL, &good, "its own key");
    wrong += fixture_row(f, &key, buf_span(&others), NULL, &not_itself, "another key");
    wrong += fixture_row(f, &key_other, buf_span(&others), NULL, &other, "another hash");
    assert_int_equal(wrong, 0);
}

static void
a_registered_key_is_itself_to_the_last_octet_of_its_hash(void **state)
{
    struct fixture *f = *state;
    const struct cmp_client key = client_of(f, KEY);
    CLEANUP(buf_free) struct buf message = fixture_ask(f, &key, CMP_IR);
    struct job *job = fixture_job(f, buf_span(&message));

    fixture_look_up(job);
    assert_int_equal(judge_requester(job), 0);
    job->signer_key[SHA256_SIZE - 1] ^= 1;
    assert_int_equal(judge_request(job), -1);
    assert_int_equal(job->failure, CMP_NOT_AUTHORIZED);
    assert_non_null(strstr(job->e.text, "not protected by the key that it asks for"));
    job_free(job);
}

/* Who has a certificate of ours renews it for a new key. */
static void
a_holder_is_not_bound_to_the_registered_key(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    CLEANUP(x509_cleanup) X509 *holder = fixture_certificate(f, NF("06"), w.key_other);
    const struct cmp_client c = fixture_signer(f, holder, w.key_other);
    CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_CR, NULL);

    assert_int_equal(fixture_row(f, &c, buf_span(&body), NULL, &good, "another key"), 0);
}

/* ---- weak keys ---- */

static void
weak_keys_are_refused(void **state)
{
    static const struct fixture_verdict listed = {FIXTURE_REQUEST, CMP_SIGNER_NOT_TRUSTED, NULL,
                                                  PHRASE_SIGNER_LISTED};
    static const struct fixture_verdict asked = {FIXTURE_REQUEST, CMP_BAD_CERT_TEMPLATE, NULL,
                                                 PHRASE_KEY_LISTED};
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    const struct cmp_client signer = client_of(f, LISTED);
    const struct cmp_client mac = fixture_mac(f, "amf-1");
    EVP_PKEY *before = f->key;
    CLEANUP(buf_free) struct buf strong = fixture_body(f, CMP_IR, NULL);
    CLEANUP(buf_free) struct buf weak = {0};
    int wrong = 0;

    f->key = w.listed;
    weak = fixture_body(f, CMP_IR, NULL);
    f->key = before;
    wrong += fixture_row(f, &signer, buf_span(&strong), NULL, &good, "before it is listed");
    wrong += fixture_row(f, &mac, buf_span(&weak), NULL, &good, "asked for, before");
    fixture_block(f, w.listed);
    wrong += fixture_row(f, &signer, buf_span(&strong), NULL, &listed, "it signs");
    wrong += fixture_row(f, &mac, buf_span(&weak), NULL, &asked, "it is asked for");
    wrong += fixture_row(f, &mac, buf_span(&strong), NULL, &good, "another is asked for");
    assert_int_equal(wrong, 0);
}

/* ---- the profile ---- */

static void
the_profile_is_the_one_that_is_named_and_registered(void **state)
{
    static const struct {
        const char *name;
        const char *wish; /* certProfile; NULL: none */
        const char *path;
        bool holder; /* signs; else a secret */
        enum cmp_body body;
        const char *profile; /* NULL: refused */
        struct fixture_verdict verdict;
    } rows[] = {
        {"nobody names one", NULL, "", false, CMP_IR, "nf-tls", FIXTURE_GOOD},
        {"certProfile", "nf-tls-client", "", false, CMP_IR, "nf-tls-client", FIXTURE_GOOD},
        {"the path", NULL, "nf-tls-client", false, CMP_IR, "nf-tls-client", FIXTURE_GOOD},
        {"both the same", "nf-tls-client", "nf-tls-client", false, CMP_IR, "nf-tls-client",
         FIXTURE_GOOD},
        {"both, and they disagree",
         "nf-tls-client",
         "nf-tls",
         false,
         CMP_IR,
         NULL,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED,
          "certProfile is nf-tls-client and the path's profile nf-tls", PHRASE_PATH_PROFILE}},
        {"one that is not registered",
         "nf-tls-server",
         "",
         false,
         CMP_IR,
         NULL,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "profile nf-tls-server is not registered",
          PHRASE_PROFILE}},
        {"the same by its path",
         NULL,
         "nf-tls-server",
         false,
         CMP_IR,
         NULL,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "profile nf-tls-server is not registered",
          PHRASE_PROFILE}},
        {"a name that none can have",
         "NF TLS",
         "",
         false,
         CMP_IR,
         NULL,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, NULL, PHRASE_PROFILE_NAME}},
        {"kur", NULL, "", true, CMP_KUR, "nf-tls-client", FIXTURE_GOOD},
        {"kur, the same is named", "nf-tls-client", "", true, CMP_KUR, "nf-tls-client",
         FIXTURE_GOOD},
        {"kur for another profile",
         "nf-tls",
         "",
         true,
         CMP_KUR,
         NULL,
         {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "a kur for another profile than its certificate's",
          PHRASE_PROFILE_HELD}},
        {"cr for another profile", "nf-tls", "", true, CMP_CR, "nf-tls", FIXTURE_GOOD},
        {"cr", NULL, "", true, CMP_CR, "nf-tls-client", FIXTURE_GOOD},
    };
    struct fixture *f = *state;
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cmp_client c = rows[i].holder ? client_of(f, HOLDER) : fixture_mac(f, "amf-1");
        CLEANUP(buf_free) struct buf body = fixture_body(f, rows[i].body, NULL);
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job;

        c.profile = rows[i].wish;
        message = fixture_message(f, &c, buf_span(&body), NULL, NULL);
        job = fixture_job(f, buf_span(&message));
        (void)snprintf(job->route.profile, sizeof(job->route.profile), "%s", rows[i].path);
        wrong += fixture_expect(job, &rows[i].verdict, rows[i].name);
        if (rows[i].profile != NULL && strcmp(job->profile, rows[i].profile) != 0) {
            print_error("%s: %s\n", rows[i].name, job->profile);
            wrong++;
        }
        assert_true(job->in_body);
        assert_int_equal(job->uncounted, rows[i].holder);
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* What was delivered, and is not known any more, may be updated to any registered one. */
static void
a_kur_of_what_is_not_known_names_its_profile(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    CLEANUP(x509_cleanup) X509 *holder = fixture_certificate(f, NULL, w.key);
    struct cmp_client c = fixture_signer(f, holder, w.key);
    CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_KUR, NULL);

    c.profile = "nf-tls";
    assert_int_equal(fixture_row(f, &c, buf_span(&body), NULL, &good, "not known"), 0);
    c.profile = NULL;
    assert_int_equal(fixture_row(f, &c, buf_span(&body), NULL, &good, "not known, default"), 0);
}

/* ---- the window ---- */

/* Both ends are within it; it is for initial certificates. */
static void
a_registration_is_used_within_its_window(void **state)
{
    struct fixture *f = *state;
    const struct fixture_verdict early = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, NULL,
                                          PHRASE_NOT_OPEN};
    const struct fixture_verdict late = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, NULL, PHRASE_ENDED};
    const struct fixture_verdict good = FIXTURE_GOOD;
    const struct {
        const char *name;
        const char *reference;
        time_t from;
        time_t until;
        const struct fixture_verdict *verdict;
    } rows[] = {
        {"it begins", "w-1", f->now, f->now + 1000, &good},
        {"it begins in a second", "w-2", f->now + 1, f->now + 1000, &early},
        {"it ends", "w-3", f->now - 1000, f->now, &good},
        {"it ended a second ago", "w-4", f->now - 1000, f->now - 1, &late},
    };
    CLEANUP(buf_free) struct buf ir = fixture_body(f, CMP_IR, NULL);
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client c = fixture_mac(f, rows[i].reference);
        char id[REGISTRATION_ID_SIZE];

        fixture_register(f,
                         &(struct fixture_registration){.reference = rows[i].reference,
                                                        .instance = NF("10"),
                                                        .not_before = rows[i].from,
                                                        .not_after = rows[i].until},
                         id);
        wrong += fixture_row(f, &c, buf_span(&ir), NULL, rows[i].verdict, rows[i].name);
    }
    {
        CLEANUP(x509_cleanup) X509 *holder = fixture_certificate(f, NF("10"), w.key);
        const struct cmp_client c = fixture_signer(f, holder, w.key);
        CLEANUP(buf_free) struct buf cr = fixture_body(f, CMP_CR, NULL);

        wrong += fixture_row(f, &c, buf_span(&cr), NULL, &good, "a holder, after it");
    }
    assert_int_equal(wrong, 0);
}

/* ---- a registration that is not good any more ---- */

static void
a_document_that_does_not_parse_is_nobodys_fault_out_there(void **state)
{
    static const struct fixture_verdict broken = {FIXTURE_REQUEST, CMP_SYSTEM_FAILURE, "JSON",
                                                  PHRASE_NONE};
    static const struct fixture_verdict denied = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED,
                                                  "fqdns[0]: not below", PHRASE_NONE};
    struct fixture *f = *state;
    const struct {
        const char *reference;
        const char *json;
        const struct fixture_verdict *verdict;
    } rows[] = {
        {"broken-1", "{", &broken},
        {"broken-2",
         "{\"version\":1,\"nfInstanceId\":\"" FIXTURE_NF "\",\"nfTypes\":[\"AMF\"],\"fqdns\":["
         "\"amf1.elsewhere.example\"],\"homeDomain\":\"5gc.mnc012.mcc345.3gppnetwork.org\","
         "\"country\":\"SE\",\"profiles\":[{\"name\":\"nf-tls\"}],\"notBefore\":"
         "\"2026-09-01T00:00:00Z\",\"notAfter\":\"2026-10-10T00:00:00Z\",\"proof\":{\"kind\":"
         "\"mac\"}}",
         &denied},
    };
    CLEANUP(buf_free) struct buf ir = fixture_body(f, CMP_IR, NULL);
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cmp_client c = fixture_mac(f, rows[i].reference);
        char id[REGISTRATION_ID_SIZE];

        fixture_register(f,
                         &(struct fixture_registration){.reference = rows[i].reference,
                                                        .instance = NF("31"),
                                                        .json = rows[i].json},
                         id);
        wrong += fixture_row(f, &c, buf_span(&ir), NULL, rows[i].verdict, rows[i].reference);
    }
    assert_int_equal(wrong, 0);
}

/* ---- the request ---- */

static void
what_is_asked_for_is_judged_before_it_goes_to_the_ca(void **state)
{
    struct fixture *f = *state;
    CLEANUP(x509_name_cleanup) X509_NAME *other = X509_NAME_new();
    STACK_OF(X509_EXTENSION) *names = sk_X509_EXTENSION_new_null();
    const struct cmp_client_wish usual = {.subject = f->subject};
    const struct cmp_client c = fixture_mac(f, "amf-1");
    int wrong = 0;

    assert_int_equal(X509_NAME_add_entry_by_txt(other, "O", MBSTRING_ASC,
                                                (const unsigned char *)"elsewhere", -1, -1, 0),
                     1);
    assert_true(sk_X509_EXTENSION_push(
                    names, fixture_extension(NID_subject_alt_name, "DNS:elsewhere.example")) > 0);
    {
        const struct {
            const char *name;
            struct cmp_client_wish wish;
            bool old;
            const char *edit;
            struct span with;
            struct fixture_verdict verdict;
        } rows[] = {
            {"right", usual, false, NULL, {0}, FIXTURE_GOOD},
            {"another number",
             {.subject = f->subject, .cert_req_id = 1},
             false,
             NULL,
             {0},
             {FIXTURE_REQUEST, CMP_BAD_REQUEST, "certReqId is not 0", PHRASE_CERT_REQ_ID}},
            {"another number, of RFC 4210",
             {.subject = f->subject, .cert_req_id = 1},
             true,
             NULL,
             {0},
             FIXTURE_GOOD},
            {"another subject",
             {.subject = other},
             false,
             NULL,
             {0},
             {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "the subject asked for", PHRASE_SUBJECT}},
            {"another name",
             {.subject = f->subject, .extensions = names},
             false,
             NULL,
             {0},
             {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "a subjectAltName asked for", PHRASE_ALT_NAME}},
            {"no proof of possession",
             usual,
             false,
             "1.0.0.1",
             {0},
             {FIXTURE_REQUEST, CMP_BAD_POP, "no proof of possession", PHRASE_NO_POP}},
            {"raVerified",
             usual,
             false,
             "1.0.0.1",
             SPAN_LITERAL("\x80\x00"),
             {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED, "raVerified", PHRASE_RA_VERIFIED}},
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_IR, &rows[i].wish);
            const struct fixture_message how = {.edit = rows[i].edit, .with = rows[i].with};
            CLEANUP(buf_free)
            struct buf message = fixture_message(f, &c, buf_span(&body), &how, NULL);
            struct job *job = fixture_job(f, buf_span(&message));

            job->rules = rows[i].old ? &f->ra.old_rules : &f->ra.rules;
            wrong += fixture_expect(job, &rows[i].verdict, rows[i].name);
            job_free(job);
        }
    }
    sk_X509_EXTENSION_pop_free(names, X509_EXTENSION_free);
    assert_int_equal(wrong, 0);
}

/* The template was signed, and then another subject put into it. */
static void
the_proof_of_possession_is_over_the_request(void **state)
{
    static const struct fixture_verdict bad = {FIXTURE_REQUEST, CMP_BAD_POP, NULL, PHRASE_POP};
    struct fixture *f = *state;
    const struct cmp_client c = fixture_mac(f, "amf-1");
    CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_IR, NULL);
    CLEANUP(buf_free)
    struct buf other =
        fixture_body(f, CMP_IR, &(struct cmp_client_wish){.subject = f->subject, .cert_req_id = 0});
    struct fixture_message how = {.edit = "1.0.0.1"};

    /* The proof of another request for the same key: ECDSA is random, so it is not the same. */
    {
        CLEANUP(buf_free)
        struct buf third = fixture_body(
            f, CMP_IR, &(struct cmp_client_wish){.subject = f->subject, .cert_req_id = 1});

        how.with = der_at(buf_span(&third), "0.0.1");
        assert_int_equal(fixture_row(f, &c, buf_span(&body), &how, &bad, "of another request"), 0);
    }
    how.with = der_at(buf_span(&other), "0.0.1");
    {
        static const struct fixture_verdict good = FIXTURE_GOOD;

        assert_int_equal(fixture_row(f, &c, buf_span(&body), &how, &good, "of the same"), 0);
    }
}

/* PKCS #10 has no certReqId (RFC 9483 4.1.4). */
static void
a_p10cr_is_judged_like_the_others(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    const struct cmp_client c = fixture_mac(f, "amf-1");
    CLEANUP(buf_free) struct buf body = fixture_p10cr(f);

    assert_int_equal(fixture_row(f, &c, buf_span(&body), NULL, &good, "p10cr"), 0);
}

/* ---- what goes to the CA, and what is kept ---- */

static void
the_entry_says_what_was_found_out(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    const struct cmp_client by[] = {fixture_mac(f, "amf-1"), client_of(f, HOLDER)};
    const struct span certificate = buf_span(&f->ra.credentials.certificate_der);

    for (size_t i = 0; i < ARRAY_LEN(by); i++) {
        CLEANUP(buf_free) struct buf body = fixture_body(f, CMP_CR, NULL);
        CLEANUP(buf_free)
        struct buf message = fixture_message(f, &by[i], buf_span(&body), NULL, NULL);
        CLEANUP(buf_free) struct buf nested = BUF_INIT(CMP_NESTED_MAX);
        CLEANUP(cmp_queued_cleanup) struct cmp_queued *queued = NULL;
        struct job *job = fixture_job(f, buf_span(&message));
        const struct cmp_queue_entry *entry;
        uint8_t rid[SHA256_SIZE];
        struct err e = {0};

        assert_int_equal(fixture_expect(job, &good, "good"), 0);
        assert_true(job->facts.enrolment.asked.n > 0);
        assert_ok(cmp_build_finish(buf_span(&job->part), SPAN_LITERAL("signature"), &certificate, 1,
                                   &nested, &e),
                  &e);
        queued = cmp_queued_parse(buf_span(&nested), &e);
        if (queued == NULL) {
            fail_msg("%s", e.text);
        }
        entry = cmp_queued_entry(queued);
        assert_string_equal(entry->registration_id, w.id);
        assert_string_equal(entry->profile, i == 0 ? "nf-tls" : "nf-tls-client");
        assert_int_equal(entry->assurance, i == 0 ? CMP_ASSURANCE_MAC : CMP_ASSURANCE_SIGNATURE);
        assert_int_equal(entry->received_at, f->now);
        assert_true(span_equal(cmp_msg_der(cmp_queued_inner(queued)), buf_span(&message)));
        assert_ok(sha256(buf_span(&message), rid, &e), &e);
        assert_memory_equal(job->rid, rid, sizeof(rid));
        job_free(job);
    }
}

static void
a_registration_that_replaces_another_needs_a_confirmation(void **state)
{
    static const struct fixture_verdict good = FIXTURE_GOOD;
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf ir = fixture_body(f, CMP_IR, NULL);
    const char *const more[] = {NULL, "\"supersedes\":\"00112233445566778899aabbccddeeff\""};
    const char *const references[] = {"first", "second"};

    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        const struct cmp_client c = fixture_mac(f, references[i]);
        CLEANUP(buf_free) struct buf message = {0};
        char id[REGISTRATION_ID_SIZE];
        struct job *job;

        fixture_register(f,
                         &(struct fixture_registration){
                             .reference = references[i], .instance = NF("20"), .more = more[i]},
                         id);
        message = fixture_message(f, &c, buf_span(&ir), NULL, NULL);
        job = fixture_job(f, buf_span(&message));
        assert_int_equal(fixture_expect(job, &good, references[i]), 0);
        assert_int_equal(job->facts.enrolment.superseding, i == 1);
        job_free(job);
    }
}

/* ---- genm ---- */

/* genm [21] SEQUENCE OF { infoType, no value }. */
static struct buf
genm_of(const char *oid)
{
    struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    assert_ok(buf_append_str(&body, oid, &e), &e);
    return body;
}

static void
a_question_needs_the_proof_and_sometimes_a_profile(void **state)
{
    /* certReqTemplate (id-it 19) and caCerts (17) */
    static const char template[] =
        "\xb5\x0e\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x04\x13";
    static const char ca_certs[] =
        "\xb5\x0e\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x04\x11";
    static const struct fixture_verdict good = {FIXTURE_TAKEN, CMP_NO_FAILURE, NULL, PHRASE_NONE};
    static const struct fixture_verdict another = {
        FIXTURE_REQUEST, CMP_WRONG_INTEGRITY, "the registration wants another proof", PHRASE_PROOF};
    static const struct fixture_verdict unknown = {FIXTURE_REQUEST, CMP_NOT_AUTHORIZED,
                                                   "profile nf-tls-server is not registered",
                                                   PHRASE_PROFILE};
    struct fixture *f = *state;
    const struct {
        const char *name;
        const char *question;
        bool other_proof;
        const char *profile;
        const struct fixture_verdict *verdict;
    } rows[] = {
        {"CA certificates", ca_certs, false, NULL, &good},
        {"CA certificates, whatever the profile", ca_certs, false, "nf-tls-server", &good},
        {"CA certificates, another proof", ca_certs, true, NULL, &another},
        {"a template", template, false, NULL, &good},
        {"a template of another profile", template, false, "nf-tls-server", &unknown},
        {"a template, another proof", template, true, NULL, &another},
    };
    int wrong = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cmp_client c =
            rows[i].other_proof ? client_of(f, DEVICE_BY_MAC) : fixture_mac(f, "amf-1");
        CLEANUP(buf_free) struct buf body = genm_of(rows[i].question);
        CLEANUP(buf_free) struct buf message = {0};
        struct job *job;

        c.profile = rows[i].profile;
        message = fixture_message(f, &c, buf_span(&body), NULL, NULL);
        job = fixture_job(f, buf_span(&message));
        wrong += fixture_expect(job, rows[i].verdict, rows[i].name);
        assert_false(job->in_body); /* RFC 9483 3.6.2: an error */
        assert_int_equal(job->facts.question.keys != 0,
                         rows[i].question == template && rows[i].verdict == &good);
        assert_int_equal(job->part.n, 0);
        job_free(job);
    }
    assert_int_equal(wrong, 0);
}

/* Meant for somebody else: nothing of it is judged. */
static void
a_request_for_another_authority_goes_no_further(void **state)
{
    static const struct fixture_verdict other = {FIXTURE_REQUEST, CMP_WRONG_AUTHORITY,
                                                 "recipient is none of us", PHRASE_RECIPIENT};
    struct fixture *f = *state;
    struct cmp_client c = fixture_mac(f, "amf-1");
    CLEANUP(buf_free) struct buf ir = fixture_body(f, CMP_IR, NULL);

    c.recipient = X509_get_subject_name(f->vendor);
    assert_int_equal(fixture_row(f, &c, buf_span(&ir), NULL, &other, "another"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_proof_is_the_one_in_the_signed_document),
        cmocka_unit_test(a_registered_key_is_asked_for_by_itself),
        cmocka_unit_test(a_registered_key_is_itself_to_the_last_octet_of_its_hash),
        cmocka_unit_test(a_holder_is_not_bound_to_the_registered_key),
        cmocka_unit_test(the_profile_is_the_one_that_is_named_and_registered),
        cmocka_unit_test(a_kur_of_what_is_not_known_names_its_profile),
        cmocka_unit_test(a_registration_is_used_within_its_window),
        cmocka_unit_test(a_document_that_does_not_parse_is_nobodys_fault_out_there),
        cmocka_unit_test(what_is_asked_for_is_judged_before_it_goes_to_the_ca),
        cmocka_unit_test(the_proof_of_possession_is_over_the_request),
        cmocka_unit_test(a_p10cr_is_judged_like_the_others),
        cmocka_unit_test(the_entry_says_what_was_found_out),
        cmocka_unit_test(a_registration_that_replaces_another_needs_a_confirmation),
        cmocka_unit_test(a_question_needs_the_proof_and_sometimes_a_profile),
        cmocka_unit_test(a_request_for_another_authority_goes_no_further),
        cmocka_unit_test(weak_keys_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
