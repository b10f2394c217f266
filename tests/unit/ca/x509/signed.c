/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/signed.h"

#include "tests/support/pki.h"
#include "tests/support/test.h"

struct made {
    struct pki *pki;
    struct buf spki;
    struct buf tbs;
    struct buf signature;
    struct buf der;
};

static int
make(void **state)
{
    struct made *m = mem_zalloc(1, sizeof(*m));
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    struct nf_identity nf = pki_nf();
    struct tbs_request request;
    struct err e = {0};

    m->pki = pki_new("P-384", "P-256");
    m->spki = pki_spki(key);
    m->tbs = BUF_INIT(TBS_MAX);
    m->der = BUF_INIT(TBS_MAX + SIGNED_OVERHEAD);
    request = pki_request(m->pki, &nf, buf_span(&m->spki));
    assert_ok(tbs_build(&request, &m->tbs, &e), &e);
    m->signature = pki_sign(m->pki->issuing_key, buf_span(&m->tbs));
    assert_ok(signed_assemble(SIGNED_CERTIFICATE, buf_span(&m->tbs), buf_span(&m->signature),
                              m->pki->issuing_key, &m->der, &e),
              &e);
    *state = m;
    return 0;
}

static int
drop(void **state)
{
    struct made *m = *state;

    pki_free(m->pki);
    buf_free(&m->spki);
    buf_free(&m->tbs);
    buf_free(&m->signature);
    buf_free(&m->der);
    mem_free(m);
    return 0;
}

static void
the_signed_octets_come_out_as_they_went_in(void **state)
{
    struct made *m = *state;
    struct span tbs;
    struct err e = {0};

    assert_ok(signed_tbs(buf_span(&m->der), &tbs, &e), &e);
    assert_true(span_equal(tbs, buf_span(&m->tbs)));
    assert_ok(signed_verify(SIGNED_CERTIFICATE, buf_span(&m->der), tbs, m->pki->issuing_key, &e),
              &e);
}

static void
other_structures_are_refused(void **state)
{
    const struct span rows[] = {
        SPAN_LITERAL("\x30\x09\x02\x01\x01\x30\x00\x03\x02\x00\x01"), /* INTEGER first */
        SPAN_LITERAL("\x30\x09\x30\x00\x02\x01\x01\x03\x02\x00\x01"), /* INTEGER second */
        SPAN_LITERAL("\x30\x08\x30\x00\x30\x00\x04\x02\x00\x01"),     /* OCTET STRING */
        SPAN_LITERAL("\x30\x08\x30\x00\x30\x00\x03\x02\x01\x02"),     /* unused bits */
        SPAN_LITERAL("\x30\x07\x30\x00\x30\x00\x03\x01\x00"),         /* no signature */
        SPAN_LITERAL("\x30\x0a\x30\x00\x30\x00\x03\x02\x00\x01\x05\x00"),
    };
    struct span tbs;
    struct err e = {0};

    (void)state;
    assert_ok(signed_tbs(SPAN_LITERAL("\x30\x08\x30\x00\x30\x00\x03\x02\x00\x01"), &tbs, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_err(signed_tbs(rows[i], &tbs, &e), ERR_INPUT, &e);
    }
}

static void
a_wrong_signature_gives_nothing(void **state)
{
    struct made *m = *state;
    CLEANUP(buf_free) struct buf out = BUF_INIT(TBS_MAX + SIGNED_OVERHEAD);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = pki_key("P-256");
    struct err e = {0};

    assert_err(signed_assemble(SIGNED_CERTIFICATE, buf_span(&m->tbs), buf_span(&m->signature),
                               other, &out, &e),
               ERR_CRYPTO, &e);
    assert_int_equal(out.n, 0);
    for (size_t i = 0; i < m->signature.n; i++) {
        m->signature.p[i] ^= 1;
        assert_int_equal(signed_assemble(SIGNED_CERTIFICATE, buf_span(&m->tbs),
                                         buf_span(&m->signature), m->pki->issuing_key, &out, &e),
                         -1);
        m->signature.p[i] ^= 1;
    }
    assert_int_equal(out.n, 0);
}

/* The root's key is P-384: its signature is good, but the TBS names ecdsa-with-SHA256. */
static void
the_algorithm_inside_must_be_the_keys(void **state)
{
    struct made *m = *state;
    CLEANUP(buf_free) struct buf out = BUF_INIT(TBS_MAX + SIGNED_OVERHEAD);
    CLEANUP(buf_free) struct buf signature = pki_sign(m->pki->root_key, buf_span(&m->tbs));
    struct err e = {0};

    assert_err(signed_assemble(SIGNED_CERTIFICATE, buf_span(&m->tbs), buf_span(&signature),
                               m->pki->root_key, &out, &e),
               ERR_CRYPTO, &e);
    assert_int_equal(out.n, 0);
}

static void
any_flipped_octet_fails(void **state)
{
    struct made *m = *state;
    struct err e = {0};

    for (size_t i = 0; i < m->der.n; i++) {
        m->der.p[i] ^= 1;
        if (signed_verify(SIGNED_CERTIFICATE, buf_span(&m->der), buf_span(&m->tbs),
                          m->pki->issuing_key, &e) == 0) {
            fail_msg("octet %zu: verified", i);
        }
        m->der.p[i] ^= 1;
    }
    for (size_t n = 0; n < m->der.n; n++) {
        struct span tbs;

        assert_int_equal(signed_tbs(span_of(m->der.p, n), &tbs, &e), -1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signed_octets_come_out_as_they_went_in),
        cmocka_unit_test(other_structures_are_refused),
        cmocka_unit_test(a_wrong_signature_gives_nothing),
        cmocka_unit_test(the_algorithm_inside_must_be_the_keys),
        cmocka_unit_test(any_flipped_octet_fails),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
