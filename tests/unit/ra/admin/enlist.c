/* SPDX-License-Identifier: Apache-2.0 */
/* A registration is verified here, accepted by the CA, and only then stored. */
#include "ra/admin/enlist.h"

#include <stdio.h>
#include <string.h>

#include "ca/cmp/message/failure.h"
#include "ra/queue/queue.h"
#include "tests/support/forge.h"
#include "tests/unit/ra/running.h"

#define CERTIFICATE                                                                                \
    "{\"kind\":\"certificate\",\"sha256\":"                                                        \
    "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}"
#define KEY                                                                                        \
    "{\"kind\":\"publicKey\",\"sha256\":"                                                          \
    "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}"
#define VENDOR "{\"kind\":\"vendor\",\"issuer\":\"CN=Root\",\"subject\":\"CN=device\"}"

static struct {
    bool done;
    size_t times;
    struct link_message then; /* what the CA says to REGISTER; type 0: that it is registered */
    bool goes;                /* the link goes away instead */
} it;

static void
on_done(struct enlisting *x)
{
    (void)x;
    it.done = true;
    it.times++;
}

/* The loop, until it is done. */
static void
wait_for(struct running *w)
{
    while (!it.done) {
        running_for(w, 1);
    }
}

static void
ca_does(struct running *w, link_peer peer, const struct link_message *m)
{
    struct link_message answer = it.then;

    if (m->type != LINK_REGISTER || (it.then.type == 0 && !it.goes)) {
        running_ca_does(w, peer, m);
    } else if (!it.goes) {
        answer.id = m->id;
        link_server_answer(w->ca, peer, &answer);
    } /* else the test ends the link */
}

static int
reset(void **state)
{
    struct running *w = *state;

    (void)running_reset(state);
    memset(&it, 0, sizeof(it));
    w->ca_does = ca_does;
    return 0;
}

static struct enlisting
begin(struct running *w, struct span input)
{
    struct enlisting x = {.ra = &w->ra, .done = on_done, .input = BUF_INIT(REGISTRATION_MAX)};
    struct err e = {0};

    it.done = false;
    assert_ok(buf_set(&x.input, input, &e), &e);
    return x;
}

/* Its result. */
static void
run(struct running *w, struct enlisting *x)
{
    enlist(x);
    wait_for(w);
}

static struct buf
signed_by_registrar(struct running *w, const char *proof)
{
    char instance[37];
    CLEANUP(mem_cleanup) char *document = NULL;

    running_instance(instance);
    document = running_document(instance, proof, 2);
    return running_signed(w, document);
}

struct finding {
    const char *id;
    struct requests_registration row;
    bool found;
};

static int find_run(struct store_op *op, struct store_db *db, struct err *e);

struct finding_op {
    struct store_op op;
    struct finding *f;
};

static int
find_run(struct store_op *op, struct store_db *db, struct err *e)
{
    struct finding *f = CONTAINER_OF(op, struct finding_op, op)->f;

    return requests_registration_by_id(db, f->id, &f->row, &f->found, e);
}

static bool
find(struct running *w, const char *id, struct requests_registration *row)
{
    struct finding f = {.id = id};
    struct finding_op op = {.op.run = find_run, .f = &f};
    struct err e = {0};

    assert_ok(store_call(w->ra.store, &op.op, &e), &e);
    *row = f.row;
    return f.found;
}

/* ---- good ones ---- */

/* What was shown once is in ra.db sealed, and with it all that was signed. */
static void
a_secret_is_shown_once_and_kept_sealed(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf cms = signed_by_registrar(w, "");
    struct enlisting x = begin(w, buf_span(&cms));
    CLEANUP(requests_registration_clear) struct requests_registration row = {0};
    CLEANUP(buf_free) struct buf opened = BUF_SECRET(128);
    struct err e = {0};

    run(w, &x);
    assert_int_equal(it.times, 1);
    assert_ok(x.result, &x.e);
    assert_false(x.known);
    assert_int_equal(strlen(x.reference), SEAL_REFERENCE_SIZE);
    assert_int_equal(x.secret.n, SEAL_SECRET_SIZE);
    assert_true(find(w, x.registration->id, &row));
    assert_string_equal(row.reference, x.reference);
    assert_string_equal(row.nf_instance, x.registration->content.nf.instance_id);
    assert_int_equal(row.proof, PROOF_MAC);
    assert_int_equal(row.certificates, 2);
    assert_int_equal(row.not_after, x.registration->content.not_after);
    assert_true(row.registered <= clock_now() && row.registered > clock_now() - 60);
    assert_true(span_equal(buf_span(&row.cms), buf_span(&x.registration->cms)));
    assert_true(span_equal(buf_span(&row.json), buf_span(&x.registration->json)));
    assert_int_equal(row.fingerprint.n, 0);
    assert_int_equal(row.public_key.n, 0);
    assert_ok(seal_open(buf_span(&w->ra.seal_key), row.id, buf_span(&row.sealed), &opened, &e), &e);
    assert_true(span_equal(buf_span(&opened), buf_span(&x.secret)));
    enlisting_clear(&x);
    assert_null(x.registration);
}

static void
another_proof_has_no_secret(void **state)
{
    static const uint8_t hash[SHA256_SIZE] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                              11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                              22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    struct running *w = *state;
    const char *const proofs[] = {CERTIFICATE, KEY};

    for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
        CLEANUP(buf_free) struct buf cms = signed_by_registrar(w, proofs[i]);
        struct enlisting x = begin(w, buf_span(&cms));
        CLEANUP(requests_registration_clear) struct requests_registration row = {0};

        run(w, &x);
        assert_ok(x.result, &x.e);
        assert_string_equal(x.reference, "");
        assert_int_equal(x.secret.n, 0);
        assert_true(find(w, x.registration->id, &row));
        assert_string_equal(row.reference, "");
        assert_int_equal(row.sealed.n, 0);
        assert_int_equal(row.proof, i == 0 ? PROOF_CERTIFICATE : PROOF_PUBLIC_KEY);
        assert_true(span_equal(buf_span(i == 0 ? &row.fingerprint : &row.public_key),
                               span_of(hash, sizeof(hash))));
        assert_int_equal((i == 0 ? &row.public_key : &row.fingerprint)->n, 0);
        enlisting_clear(&x);
    }
}

/* A vendor's device needs an anchor of vendors. */
static void
a_vendor_needs_an_anchor(void **state)
{
    struct running *w = *state;
    CLEANUP(mem_cleanup) char *root = mem_printf("%s/root.pem", w->dir);
    const struct trust_conf conf = {.n = 1,
                                    .sets = {{.name = (char[]){"v"},
                                              .purpose = TRUST_VENDOR,
                                              .roots = {.items = {root}, .n = 1},
                                              .crl_policy = PATH_STATUS_NONE}}};
    struct trust *before = w->ra.credentials.trust;
    CLEANUP(trust_cleanup) struct trust *with = NULL;
    struct err e = {0};

    with = trust_new(w->pki->root, w->pki->issuing, &conf, &e);
    if (with == NULL) {
        fail_msg("%s", e.text);
    }
    for (int there = 0; there <= 1; there++) {
        CLEANUP(buf_free) struct buf cms = signed_by_registrar(w, VENDOR);
        struct enlisting x = begin(w, buf_span(&cms));
        CLEANUP(requests_registration_clear) struct requests_registration row = {0};

        w->ra.credentials.trust = there ? with : before;
        run(w, &x);
        w->ra.credentials.trust = before;
        assert_int_equal(x.result, there ? 0 : -1);
        assert_int_equal(w->asked[LINK_REGISTER], there);
        if (there) {
            assert_true(find(w, x.registration->id, &row));
            assert_string_equal(row.issuer, "CN=Root");
            assert_string_equal(row.subject, "CN=device");
        } else {
            assert_int_equal(x.e.code, ERR_DENIED);
            assert_non_null(strstr(x.e.text, "proof kind vendor needs 'vendor_roots'"));
        }
        enlisting_clear(&x);
    }
}

/* ---- refused here ---- */

static void
what_no_registrar_signed_does_not_reach_the_ca(void **state)
{
    struct running *w = *state;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *stranger = NULL;
    CLEANUP(mem_cleanup)
    char *document = running_document("9c5b94b1-35ad-49bb-b118-8e8fc24abf80", "", 1);
    CLEANUP(buf_free) struct buf foreign = {0};
    CLEANUP(buf_free) struct buf form = running_signed(w, "{}");
    const struct {
        const char *name;
        enum err_code code;
    } rows[] = {{"octets", ERR_INPUT}, {"a stranger's", ERR_DENIED}, {"no document", ERR_INPUT}};
    struct span inputs[3] = {SPAN_LITERAL("hello")};

    stranger = forge_certificate(&(struct forge){.subject = "CN=stranger",
                                                 .key = key,
                                                 .issuer_key = key,
                                                 .not_before = clock_now() - 60,
                                                 .not_after = clock_now() + 3600,
                                                 .extensions = {FORGE_LEAF}});
    foreign = pki_cms(span_str(document), stranger, key);
    inputs[1] = buf_span(&foreign);
    inputs[2] = buf_span(&form);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct enlisting x = begin(w, inputs[i]);

        run(w, &x);
        if (x.result != -1 || x.e.code != rows[i].code) {
            fail_msg("%s: %d, %s: %s", rows[i].name, x.result, err_code_name(x.e.code), x.e.text);
        }
        assert_null(x.registration);
        enlisting_clear(&x);
    }
    assert_int_equal(w->asked[LINK_REGISTER], 0);
}

/* Its secret was shown then. */
static void
the_same_file_again_shows_nothing(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf cms = signed_by_registrar(w, "");

    for (int again = 0; again <= 1; again++) {
        struct enlisting x = begin(w, buf_span(&cms));

        run(w, &x);
        assert_int_equal(x.result, again ? -1 : 0);
        assert_int_equal(x.known, again);
        if (again) {
            assert_int_equal(x.e.code, ERR_CONFLICT);
            assert_non_null(strstr(x.e.text, "this file is registered already as"));
            assert_non_null(strstr(x.e.text, x.registration->id));
        }
        enlisting_clear(&x);
    }
    assert_int_equal(w->asked[LINK_REGISTER], 1);
}

static void
the_same_file_twice_at_once_is_asked_for_once(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf cms = signed_by_registrar(w, "");
    struct enlisting one = begin(w, buf_span(&cms));
    struct enlisting two = begin(w, buf_span(&cms));

    enlist(&one);
    enlist(&two);
    while (it.times < 2) {
        running_for(w, 1);
    }
    assert_int_equal((one.result == 0) + (two.result == 0), 1);
    if (one.result != 0) {
        assert_true(one.e.code == ERR_BUSY || one.e.code == ERR_CONFLICT);
    } else {
        assert_true(two.e.code == ERR_BUSY || two.e.code == ERR_CONFLICT);
    }
    enlisting_clear(&one);
    enlisting_clear(&two);
}

/* Of the instance, with this proof; its result. */
static int
enlist_proof(struct running *w, const char *instance, const char *proof,
             char id[REGISTRATION_ID_SIZE], struct err *e)
{
    CLEANUP(mem_cleanup) char *document = running_document(instance, proof, 2);
    CLEANUP(buf_free) struct buf cms = running_signed(w, document);
    struct enlisting x = begin(w, buf_span(&cms));
    int result;

    run(w, &x);
    result = x.result;
    *e = x.e;
    memcpy(id, x.registration->id, REGISTRATION_ID_SIZE);
    enlisting_clear(&x);
    return result;
}

static void
one_proof_is_of_one_network_function(void **state)
{
    static const char *const kinds[] = {"certificate", "publicKey"};
    struct running *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        CLEANUP(mem_cleanup)
        char *proof = mem_printf("{\"kind\":\"%s\",\"sha256\":\"%064d\"}", kinds[i], 7);
        CLEANUP(mem_cleanup)
        char *other = mem_printf("{\"kind\":\"%s\",\"sha256\":\"%064d\"}", kinds[i], 8);
        const size_t asked = w->asked[LINK_REGISTER];
        char first[37];
        char second[37];
        char id[REGISTRATION_ID_SIZE];
        char again[REGISTRATION_ID_SIZE];
        struct err e = {0};

        running_instance(first);
        running_instance(second);
        assert_ok(enlist_proof(w, first, proof, id, &e), &e);
        assert_err(enlist_proof(w, second, proof, again, &e), ERR_CONFLICT, &e);
        assert_non_null(strstr(e.text, "the proof is that of the live registration "));
        assert_non_null(strstr(e.text, id));
        assert_int_equal(w->asked[LINK_REGISTER], asked + 1); /* the CA was not asked */
        /* another proof is none of its; and its own next one may have the same */
        assert_ok(enlist_proof(w, second, other, again, &e), &e);
        assert_ok(enlist_proof(w, first, proof, again, &e), &e);
        /* what its newest does not pin any more is free */
        assert_ok(enlist_proof(w, first, "", again, &e), &e);
        assert_ok(enlist_proof(w, second, proof, again, &e), &e);
    }
}

/* ---- refused by the CA, or not heard ---- */

static void
what_the_ca_does_not_accept_is_not_stored(void **state)
{
    static const char why[] = "closed";
    const struct {
        const char *name;
        struct link_message then;
        enum err_code code;
        const char *text;
    } rows[] = {
        {"something stands against it",
         {.type = LINK_REFUSED, .fail_info = CMP_DUPLICATE_CERT_REQ, .phrase = SPAN_LITERAL(why)},
         ERR_CONFLICT,
         "the CA says: closed"},
        {"refused",
         {.type = LINK_REFUSED, .fail_info = CMP_NOT_AUTHORIZED, .phrase = SPAN_LITERAL(why)},
         ERR_DENIED,
         "the CA says: closed"},
        {"busy", {.type = LINK_BUSY}, ERR_BUSY, "the CA did not answer: repeat the command"},
    };
    struct running *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf cms = signed_by_registrar(w, "");
        struct enlisting x = begin(w, buf_span(&cms));
        CLEANUP(requests_registration_clear) struct requests_registration row = {0};

        it.then = rows[i].then;
        run(w, &x);
        if (x.result != -1 || x.e.code != rows[i].code || strstr(x.e.text, rows[i].text) == NULL ||
            find(w, x.registration->id, &row)) {
            fail_msg("%s: %d, %s: %s", rows[i].name, x.result, err_code_name(x.e.code), x.e.text);
        }
        enlisting_clear(&x);
    }
}

static void
a_link_that_goes_leaves_nothing_behind(void **state)
{
    struct running *w = *state;
    CLEANUP(buf_free) struct buf cms = signed_by_registrar(w, "");
    CLEANUP(requests_registration_clear) struct requests_registration row = {0};
    struct enlisting x = begin(w, buf_span(&cms));

    it.goes = true;
    enlist(&x);
    while (w->asked[LINK_REGISTER] == 0) {
        running_for(w, 1);
    }
    running_ca_goes(w);
    wait_for(w);
    assert_int_equal(x.result, -1);
    assert_int_equal(x.e.code, ERR_BUSY);
    assert_non_null(strstr(x.e.text, "the CA did not answer: repeat the command"));
    assert_false(find(w, x.registration->id, &row));
    enlisting_clear(&x);
    /* It is away: nothing is asked. */
    while (queue_is_up(w->ra.queue)) {
        running_for(w, 1);
    }
    x = begin(w, buf_span(&cms));
    run(w, &x);
    assert_int_equal(x.result, -1);
    assert_int_equal(x.e.code, ERR_BUSY);
    enlisting_clear(&x);
    it.goes = false;
    running_ca_comes(w);
    x = begin(w, buf_span(&cms));
    run(w, &x);
    assert_ok(x.result, &x.e);
    enlisting_clear(&x);
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_secret_is_shown_once_and_kept_sealed),
        TEST(another_proof_has_no_secret),
        TEST(a_vendor_needs_an_anchor),
        TEST(what_no_registrar_signed_does_not_reach_the_ca),
        TEST(one_proof_is_of_one_network_function),
        TEST(the_same_file_again_shows_nothing),
        TEST(the_same_file_twice_at_once_is_asked_for_once),
        TEST(what_the_ca_does_not_accept_is_not_stored),
        TEST(a_link_that_goes_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
