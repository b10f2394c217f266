/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that were made for a record (tests/support/history), and are not what its leaves rest
 * on: by another one than who may, of another kind, for other names. */
#include "db/audit/story/asker.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "db/audit/message/names.h"
#include "tests/support/history/history.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/here.h"

/* How they asked: told->rejected with an rr at the end, two of many. */
enum { BY_MAC = 1, BY_KEY = 14, SAID_MAX = 1 << 14 };

static struct history h;
static struct history_told told;
static struct mirror *mirror;
static char said[SAID_MAX];

static int
setup(void **state)
{
    (void)state;
    history_begin(&h, 1768204800); /* 2026-01-12T08:00:00Z */
    history_tell(&h, &told);
    mirror = mirror_here(h.l.dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mirror_close(mirror);
    history_end(&h);
    return 0;
}

static void
tell(void *arg, const struct story_leaf *leaf, const char *text, enum asked_verdict verdict)
{
    const size_t at = strlen(said);

    (void)arg;
    (void)leaf;
    (void)snprintf(said + at, sizeof(said) - at, "%s: %s\n", text, asked_verdict_name(verdict));
}

/* Of the certificate of this serial: the leaf, with these octets as its message. */
static int
look(const char *serial, enum leaf_kind kind, struct span octets, struct err *e)
{
    CLEANUP(story_free) struct story story = {0};
    const struct asking a = {.mirror = mirror, .story = &story, .told = tell};

    said[0] = '\0';
    assert_ok(story_of(mirror, serial, &story, e), e);
    assert_non_null(story_find(&story, kind));
    return asked_look(&a, story_find(&story, kind), octets, e);
}

/* ---- messages ---- */

/* A MAC without a certificate. */
static struct cmp_client
client(X509 *certificate, EVP_PKEY *key)
{
    return (struct cmp_client){.reference = "reference",
                               .secret = SPAN_LITERAL("a secret"),
                               .algorithm = buf_span(&h.algorithm),
                               .certificate = certificate,
                               .key = key};
}

static struct cmp_client
nf_client(const struct history_nf *nf)
{
    return client(nf->asks_with, nf->asks_by);
}

static struct buf
rr(struct cmp_client by, const X509 *target)
{
    struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_client_state state = {0};
    struct err e = {0};

    assert_ok(cmp_client_rr(&by, target, 5, &state, &out, &e), &e);
    return out;
}

static struct buf
certconf(struct cmp_client by, const X509 *certificate)
{
    struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_client_state state = {0};
    struct err e = {0};

    assert_ok(cmp_client_certconf(&by, certificate, true, &state, &out, &e), &e);
    return out;
}

static struct buf
request(struct cmp_client by, EVP_PKEY *key, const X509_NAME *subject, const char *names)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    STACK_OF(X509_EXTENSION) *all = sk_X509_EXTENSION_new_null();
    struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_client_state state = {0};
    const struct cmp_client_wish wish = {.subject = subject,
                                         .extensions = names == NULL ? NULL : all};
    struct err e = {0};

    if (names != NULL) {
        (void)sk_X509_EXTENSION_push(all,
                                     X509V3_EXT_nconf_nid(NULL, NULL, NID_subject_alt_name, names));
    }
    assert_ok(cmp_client_body_wish(CMP_IR, key, &wish, &body, &e), &e);
    assert_ok(cmp_client_message(&by, true, buf_span(&body), &state, &out, &e), &e);
    sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
    return out;
}

/* ---- who may ---- */

static void
must_be(int result, const char *says, const struct err *e)
{
    if (result == 0 || e->code != ERR_CRYPTO || strcmp(e->text, says) != 0) {
        fail_msg("%s, not %s", result == 0 ? "verified" : e->text, says);
    }
}

static void
who_revokes_is_its_holder_or_speaks_for_it(void **state)
{
    const struct history_nf *holder = told.rejected;
    X509 *target = holder->asks_with;
    CLEANUP(buf_free) struct buf good = rr(nf_client(holder), target);
    CLEANUP(buf_free) struct buf other = rr(nf_client(holder), h.nfs[BY_MAC]->certificate);
    CLEANUP(buf_free)
    struct buf stranger = rr(client(h.nfs[BY_MAC]->certificate, h.nfs[BY_MAC]->key), target);
    CLEANUP(buf_free)
    struct buf registrar = rr(client(told.north->certificate, told.north->key), target);
    CLEANUP(buf_free) struct buf officer = rr(client(told.ada->certificate, told.ada->key), target);
    CLEANUP(buf_free) struct buf mac = rr(client(NULL, NULL), target);
    struct err e = {0};

    (void)state;
    assert_ok(look(told.rejected_first, LEAF_REVOKED, buf_span(&good), &e), &e);
    assert_non_null(strstr(said, "it is from the holder of this certificate: verified again\n"));
    assert_ok(look(told.rejected_first, LEAF_REVOKED, buf_span(&registrar), &e), &e);
    assert_non_null(
        strstr(said, "it is from who has a certificate of profile registrar: verified again\n"));
    must_be(look(told.rejected_first, LEAF_REVOKED, buf_span(&other), &e),
            "the message: it asks for the revocation of another certificate", &e);
    must_be(look(told.rejected_first, LEAF_REVOKED, buf_span(&stranger), &e),
            "the message: it is from somebody who may not revoke this certificate", &e);
    must_be(look(told.rejected_first, LEAF_REVOKED, buf_span(&officer), &e),
            "the message: it is from somebody who may not revoke this certificate", &e);
    must_be(look(told.rejected_first, LEAF_REVOKED, buf_span(&mac), &e),
            "the message: it is an rr that nobody signed", &e);
}

static void
who_confirms_is_who_asked(void **state)
{
    const struct history_nf *nf = h.nfs[BY_KEY];
    const struct history_nf *other = h.nfs[BY_MAC];
    CLEANUP(buf_free) struct buf good = certconf(nf_client(nf), nf->certificate);
    CLEANUP(buf_free)
    struct buf own = certconf(client(nf->certificate, nf->key), nf->certificate);
    CLEANUP(buf_free) struct buf mac = certconf(client(NULL, NULL), nf->certificate);
    CLEANUP(buf_free)
    struct buf signature = certconf(client(other->certificate, other->key), other->certificate);
    struct err e = {0};

    (void)state;
    assert_ok(look(nf->serial, LEAF_CONFIRMED, buf_span(&good), &e), &e);
    assert_non_null(strstr(said, "it is from who asked: verified again\n"));
    must_be(look(nf->serial, LEAF_CONFIRMED, buf_span(&own), &e),
            "the message: it is not protected as the request was", &e);
    must_be(look(nf->serial, LEAF_CONFIRMED, buf_span(&mac), &e),
            "the message: it is protected with a MAC, and registered for \"publicKey\"", &e);
    must_be(look(other->serial, LEAF_CONFIRMED, buf_span(&signature), &e),
            "the message: it is not protected as the request was", &e);
}

static void
who_asks_is_who_was_registered(void **state)
{
    const struct history_nf *nf = h.nfs[BY_KEY];
    CLEANUP(buf_free) struct buf mac = request(client(NULL, NULL), nf->key, NULL, NULL);
    CLEANUP(buf_free)
    struct buf ir = request(client(NULL, NULL), h.nfs[BY_MAC]->key, NULL, NULL);
    struct err e = {0};

    (void)state;
    must_be(look(nf->serial, LEAF_REQUEST, buf_span(&mac), &e),
            "the message: it is protected with a MAC, and registered for \"publicKey\"", &e);
    must_be(look(h.nfs[BY_MAC]->serial, LEAF_CONFIRMED, buf_span(&ir), &e),
            "the message: it is of kind ir, which is none for a leaf CONFIRMED", &e);
}

/* ---- names ---- */

static void
names_are_compared_with_those_of_the_certificate(void **state)
{
    static const char *const rows[] = {
        "the certificate has a subject, and it asks for none: as the registration has it\n"
        "the certificate has 2 names that it does not ask for: as the registration has it\n",
        "the certificate has 1 of the 2 names that it asks for: verified again\n"
        "the certificate lacks 1 of the 2 names that it asks for: as the registration has it\n"
        "the certificate has 1 names that it does not ask for: as the registration has it\n",
        "the certificate has 2 of the 2 names that it asks for: verified again\n",
    };
    const struct history_nf *nf = h.nfs[BY_MAC];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *dns = mem_printf("DNS:%s", nf->identity.fqdns[0]);
        CLEANUP(mem_cleanup)
        char *names = i == 0   ? NULL
                      : i == 1 ? mem_printf("%s,DNS:other.example", dns)
                               : mem_printf("%s,URI:urn:uuid:%s", dns, nf->identity.instance_id);
        CLEANUP(buf_free) struct buf ir = request(client(NULL, NULL), nf->key, NULL, names);
        struct err e = {0};

        assert_ok(look(nf->serial, LEAF_REQUEST, buf_span(&ir), &e), &e);
        if (strstr(said, rows[i]) == NULL) {
            fail_msg("no \"%s\" in: %s", rows[i], said);
        }
    }
}

static void
a_subject_is_compared_with_that_of_the_certificate(void **state)
{
    const struct history_nf *nf = h.nfs[BY_MAC];
    CLEANUP(buf_free)
    struct buf same =
        request(client(NULL, NULL), nf->key, X509_get_subject_name(nf->certificate), NULL);
    CLEANUP(buf_free)
    struct buf other =
        request(client(NULL, NULL), nf->key, X509_get_subject_name(told.ada->certificate), NULL);
    struct err e = {0};

    (void)state;
    assert_ok(look(nf->serial, LEAF_REQUEST, buf_span(&same), &e), &e);
    assert_non_null(
        strstr(said, "the certificate has the subject that it asks for: verified again\n"));
    assert_ok(look(nf->serial, LEAF_REQUEST, buf_span(&other), &e), &e);
    assert_non_null(strstr(said, "the certificate has another subject than it asks for: as the "
                                 "registration has it\n"));
}

/* Somebody of the staff: a PKCS #10, whose names are what who asked at the CA says. */
static void
an_officers_names_are_who_asked_at_the_cas(void **state)
{
    CLEANUP(buf_free) struct buf pkcs10 = BUF_INIT(CMP_MESSAGE_MAX);
    struct err e = {0};

    (void)state;
    assert_ok(cmp_client_pkcs10(told.ada->key, X509_get_subject_name(told.north->certificate), NULL,
                                &pkcs10, &e),
              &e);
    assert_ok(look(told.ada->serial, LEAF_INTENT, buf_span(&pkcs10), &e), &e);
    assert_non_null(strstr(said, "the certificate has another subject than it asks for: as who "
                                 "asked for it at the CA has it\n"));
}

static void
names_that_cannot_be_read_are_named(void **state)
{
    static const uint8_t none[] = {0x30, 0x00};
    const struct history_nf *nf = h.nfs[BY_MAC];
    CLEANUP(mem_cleanup) char *names = mem_printf("DNS:%s", nf->identity.fqdns[0]);
    CLEANUP(buf_free) struct buf ir = request(client(NULL, NULL), nf->key, NULL, names);
    static const uint8_t alt_name[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
    uint8_t *at = memmem(ir.p, ir.n, alt_name, sizeof(alt_name));
    struct message_outline m;
    struct message_names n;
    struct err e = {0};

    (void)state;
    assert_non_null(at);
    assert_ok(message_outline_read(buf_span(&ir), &m, &e), &e);
    at[sizeof(alt_name) + 2] = 0x31; /* in the octets: GeneralNames is no SET */
    must_be(message_names_compare(buf_span(&ir), &m, nf->certificate, &n, &e),
            "the names that the message asks for cannot be read", &e);
    at[0] = 0x04; /* no OID in front */
    must_be(message_names_compare(buf_span(&ir), &m, nf->certificate, &n, &e),
            "the names that the message asks for cannot be read", &e);
    must_be(message_names_compare(span_of(none, sizeof(none)), NULL, nf->certificate, &n, &e),
            "the names that the PKCS #10 asks for cannot be read", &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_revokes_is_its_holder_or_speaks_for_it),
        cmocka_unit_test(who_confirms_is_who_asked),
        cmocka_unit_test(who_asks_is_who_was_registered),
        cmocka_unit_test(names_are_compared_with_those_of_the_certificate),
        cmocka_unit_test(a_subject_is_compared_with_that_of_the_certificate),
        cmocka_unit_test(an_officers_names_are_who_asked_at_the_cas),
        cmocka_unit_test(names_that_cannot_be_read_are_named),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
