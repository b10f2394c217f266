/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/wrapper.h"

#include <string.h>

#include "ra/secret/seal.h"
#include "tests/support/forge.h"
#include "tests/support/wrapper.h"
#include "tests/unit/ca/cmp/fixture.h"

enum { AT = 1790000000, DAY = 24 * 60 * 60 };

static const uint8_t seal[SEAL_KEY_SIZE] = {1, 2, 3};

struct pki {
    EVP_PKEY *key; /* of all of them */
    X509 *root;
    X509 *issuing;
};

static X509 *
issue(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const char *eku)
{
    struct forge f = {.subject = subject,
                      .key = key,
                      .issuer = issuer,
                      .issuer_key = issuer_key,
                      .not_before = AT - DAY,
                      .not_after = AT + DAY,
                      .extensions = {FORGE_CA}};

    if (eku != NULL) {
        f.extensions[0] = "keyUsage=critical,digitalSignature";
        f.extensions[1] = eku;
    }
    return forge_certificate(&f);
}

static void
pki_make(struct pki *p)
{
    p->key = EVP_EC_gen("P-256");
    p->root = issue("CN=Root", p->key, NULL, NULL, NULL);
    p->issuing = issue("CN=CA", p->key, p->root, p->key, NULL);
}

static void
pki_free(struct pki *p)
{
    X509_free(p->root);
    X509_free(p->issuing);
    EVP_PKEY_free(p->key);
}

/* The ProtectedPart around an ir, as an RA with this certificate makes it for this CA. */
static void
part_of(const struct world *w, X509 *ra, const struct pki *p, struct buf *part)
{
    const struct cmp_queue_entry entry = {.registration_id = "0123456789abcdef0123456789abcdef",
                                          .assurance = CMP_ASSURANCE_MAC,
                                          .profile = "nf-tls",
                                          .received_at = AT};
    const struct wrapper by = wrapper_by(ra, X509_get_subject_name(p->issuing), AT);
    CLEANUP(buf_free) struct buf inner = {0};
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;

    request_der(w, &w->mac, &inner);
    msg = parse_ok(buf_span(&inner));
    *part = wrapper_part(&by, &entry, msg);
}

static int
check(const struct pki *p, struct span nested, time_t now, struct err *e)
{
    const struct wrapper_owner owner = {
        .seal_key = span_of(seal, sizeof(seal)), .issuing = p->issuing, .root = p->root};
    CLEANUP(buf_free) struct buf message = BUF_INIT(CMP_MESSAGE_MAX);
    struct cmp_queue_entry says;
    int result = wrapper_open(&owner, nested, now, &says, &message, e);

    assert_int_equal(message.n > 0, result == 0);
    assert_true(result != 0 || says.received_at == AT);
    return result;
}

/* As it was done while the signer was away. */
static int
seal_part(struct span key, struct span part, struct buf *out, struct err *e)
{
    const struct span none = SPAN_LITERAL("\x30\x00");
    uint8_t stamp[SEAL_STAMP_SIZE];

    *out = BUF_INIT(CMP_NESTED_MAX);
    return seal_stamp(key, part, stamp, e) != 0
               ? -1
               : cmp_build_finish(part, span_of(stamp, sizeof(stamp)), &none, 1, out, e);
}

static const char ra_eku[] = "extendedKeyUsage=1.3.6.1.5.5.7.3.28";

static void
what_nobody_signed_is_known_by_its_seal(void **state)
{
    static const uint8_t others[SEAL_KEY_SIZE] = {1, 2, 4};
    static const uint8_t nothing[] = {0};
    const struct span none = SPAN_LITERAL("\x30\x00");
    const struct world *w = *state;
    CLEANUP(pki_free) struct pki p;
    CLEANUP(x509_cleanup) X509 *ra = NULL;
    CLEANUP(buf_free) struct buf part = {0};
    CLEANUP(buf_free) struct buf ours = {0};
    CLEANUP(buf_free) struct buf foreign = {0};
    CLEANUP(buf_free) struct buf bare = BUF_INIT(CMP_NESTED_MAX);
    struct err e = {0};

    pki_make(&p);
    ra = issue("CN=RA", p.key, p.issuing, p.key, ra_eku);
    part_of(w, ra, &p, &part);
    assert_ok(seal_part(span_of(seal, sizeof(seal)), buf_span(&part), &ours, &e), &e);
    assert_ok(check(&p, buf_span(&ours), AT, &e), &e);
    assert_ok(seal_part(span_of(others, sizeof(others)), buf_span(&part), &foreign, &e), &e);
    assert_err(check(&p, buf_span(&foreign), AT, &e), ERR_CRYPTO, &e);
    assert_string_equal(e.text, "queue: an unsigned wrapper that is not sealed by this RA");
    assert_ok(
        cmp_build_finish(buf_span(&part), span_of(nothing, sizeof(nothing)), &none, 1, &bare, &e),
        &e);
    assert_err(check(&p, buf_span(&bare), AT, &e), ERR_CRYPTO, &e);
    assert_string_equal(e.text, "queue: an unsigned wrapper that is not sealed by this RA");
}

/* Every octet of what is sealed, and of the seal. */
static void
a_seal_is_over_all_of_a_wrapper(void **state)
{
    const struct world *w = *state;
    CLEANUP(pki_free) struct pki p;
    CLEANUP(x509_cleanup) X509 *ra = NULL;
    CLEANUP(buf_free) struct buf part = {0};
    CLEANUP(buf_free) struct buf ours = {0};
    size_t read = 0;
    struct err e = {0};

    pki_make(&p);
    ra = issue("CN=RA", p.key, p.issuing, p.key, ra_eku);
    part_of(w, ra, &p, &part);
    assert_ok(seal_part(span_of(seal, sizeof(seal)), buf_span(&part), &ours, &e), &e);
    for (size_t i = 0; i < ours.n; i++) {
        ours.p[i] ^= 1;
        if (check(&p, buf_span(&ours), AT, &e) == 0) {
            fail_msg("octet %zu", i);
        }
        read += strstr(e.text, "not sealed by this RA") != NULL;
        ours.p[i] ^= 1;
    }
    assert_true(read > ours.n / 4); /* many of them can be read, and are not ours */
}

/* An earlier certificate of an RA's, which has expired, say; and nobody else's. */
static void
what_is_signed_is_by_an_ra_of_this_ca(void **state)
{
    const struct world *w = *state;
    CLEANUP(pki_free) struct pki p;
    CLEANUP(pki_free) struct pki other;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *stranger = EVP_EC_gen("P-256");
    static const char *const why[] = {"", "certification path", "extendedKeyUsage",
                                      "certification path"};
    X509 *signers[4];
    struct err e = {0};

    pki_make(&p);
    pki_make(&other);
    signers[0] = issue("CN=RA", p.key, p.issuing, p.key, ra_eku);
    signers[1] = issue("CN=RA", p.key, other.issuing, other.key, ra_eku);
    signers[2] = issue("CN=RA", p.key, p.issuing, p.key, "extendedKeyUsage=clientAuth");
    signers[3] = issue("CN=RA", p.key, NULL, NULL, ra_eku);
    for (size_t i = 0; i < ARRAY_LEN(signers); i++) {
        CLEANUP(buf_free) struct buf part = {0};
        CLEANUP(buf_free) struct buf good = {0};
        CLEANUP(buf_free) struct buf forged = {0};

        part_of(w, signers[i], &p, &part);
        good = wrapper_sign(buf_span(&part), p.key, signers[i]);
        for (int days = -2; days <= 2; days += 2) {
            int result = check(&p, buf_span(&good), AT + (time_t)days * DAY, &e);

            if ((result == 0) != (i == 0) ||
                (result != 0 && (strstr(e.text, "queue: not wrapped by an RA of this CA") == NULL ||
                                 strstr(e.text, why[i]) == NULL))) {
                fail_msg("signer %zu, day %d: %s", i, days, result == 0 ? "good" : e.text);
            }
        }
        forged = wrapper_sign(buf_span(&part), stranger, signers[i]);
        assert_int_equal(check(&p, buf_span(&forged), AT, &e), -1);
        assert_non_null(strstr(e.text, i == 0 ? "signature" : why[i]));
        X509_free(signers[i]);
    }
}

/* One that was made for another CA is not for this queue. */
static void
what_is_meant_for_another_ca_is_not_taken(void **state)
{
    const struct world *w = *state;
    CLEANUP(pki_free) struct pki p;
    struct pki named;
    CLEANUP(x509_cleanup) X509 *ra = NULL;
    CLEANUP(buf_free) struct buf part = {0};
    CLEANUP(buf_free) struct buf nested = {0};
    struct err e = {0};

    pki_make(&p);
    named = p;
    named.issuing = p.root; /* whose name it says */
    ra = issue("CN=RA", p.key, p.issuing, p.key, ra_eku);
    part_of(w, ra, &named, &part);
    nested = wrapper_sign(buf_span(&part), p.key, ra);
    assert_int_equal(check(&p, buf_span(&nested), AT, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_signed_is_known_by_its_seal),
        cmocka_unit_test(what_is_signed_is_by_an_ra_of_this_ca),
        cmocka_unit_test(a_seal_is_over_all_of_a_wrapper),
        cmocka_unit_test(what_is_meant_for_another_ca_is_not_taken),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
