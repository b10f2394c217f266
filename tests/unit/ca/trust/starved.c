/* SPDX-License-Identifier: Apache-2.0 */
/* Whose certificates are believed, while memory is short inside OpenSSL: nobody's that would not
 * be, and nobody's for ever that was not once. */
#include <string.h>

#include "ca/cmp/build.h"
#include "ca/trust/trust.h"
#include "tests/support/forge.h"
#include "tests/support/pki.h"
#include "tests/support/starve.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { HOUR = 3600, DER_MAX = 8192, RUNS = 8 };

typedef int check(const struct trust *, const struct cmp_msg *, X509 *, time_t, enum cmp_failure *,
                  struct err *);

static struct {
    char *dir;
    time_t now;
    struct pki *pki;
    EVP_PKEY *key;
    EVP_PKEY *vendor_key;
    X509 *vendor;
    X509 *device;
    X509 *revoked;
    X509 *stranger; /* of a vendor of the same name */
    X509 *ra;
    X509 *person;
    X509 *nf;
    struct trust_conf conf;
    struct trust *trust;
} s;

static X509 *
device_of(X509 *issuer, EVP_PKEY *issuer_key, const char *serial)
{
    const struct forge f = {.subject = "O=Vendor/CN=device",
                            .key = s.key,
                            .issuer = issuer,
                            .issuer_key = issuer_key,
                            .not_before = s.now - HOUR,
                            .not_after = s.now + 50L * HOUR,
                            .serial = serial,
                            .extensions = {FORGE_LEAF}};

    return forge_certificate(&f);
}

static void
make_vendor(void)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other_key = EVP_EC_gen("P-256");
    CLEANUP(x509_cleanup) X509 *other = NULL;
    struct forge f = {.subject = "O=Vendor/CN=Root",
                      .not_before = s.now - HOUR,
                      .not_after = s.now + 100L * HOUR,
                      .extensions = {FORGE_CA}};

    s.vendor_key = f.key = EVP_EC_gen("P-256");
    s.vendor = forge_certificate(&f);
    f.key = other_key;
    other = forge_certificate(&f);
    s.device = device_of(s.vendor, s.vendor_key, "2000");
    s.revoked = device_of(s.vendor, s.vendor_key, "3000");
    s.stranger = device_of(other, other_key, "2000");
}

static void
make_trust(void)
{
    CLEANUP(mem_cleanup) char *root = mem_printf("%s/root.der", s.dir);
    CLEANUP(mem_cleanup) char *list = mem_printf("%s/root.crl", s.dir);
    const struct forge_crl f = {.issuer = s.vendor,
                                .issuer_key = s.vendor_key,
                                .this_update = s.now - HOUR,
                                .next_update = s.now + 20L * HOUR,
                                .revoked = s.revoked,
                                .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&f);
    struct err e = {0};

    forge_certificate_write(s.vendor, root);
    forge_crl_write(crl, list);
    s.conf.sets[0] = (struct trust_conf_set){.name = mem_strdup("vendor"),
                                             .purpose = TRUST_VENDOR,
                                             .roots = {.items = {mem_strdup(root)}, .n = 1},
                                             .crls = {.items = {mem_strdup(list)}, .n = 1},
                                             .crl_policy = PATH_STATUS_IF_PRESENT};
    s.conf.n = 1;
    s.trust = trust_new(s.pki->root, s.pki->issuing, &s.conf, &e);
    assert_non_null(s.trust);
}

static int
make(void **state)
{
    const struct nf_identity identity = pki_nf();
    CLEANUP(buf_free) struct buf spki = {0};
    struct tbs_request request;

    (void)state;
    s.dir = tmpdir_new();
    s.now = clock_now();
    s.pki = pki_new_at("P-256", "P-256", s.now);
    s.key = pki_key("P-256");
    s.ra = pki_issue_officer(s.pki, "ra-cmp", s.key);
    s.person = pki_issue_officer(s.pki, "registrar", s.key);
    spki = pki_spki(s.key);
    request = pki_request(s.pki, &identity, buf_span(&spki));
    s.nf = pki_issue(&request, s.pki->issuing_key);
    make_vendor();
    make_trust();
    return 0;
}

static int
drop(void **state)
{
    (void)state;
    trust_free(s.trust);
    trust_conf_free(&s.conf);
    X509_free(s.vendor);
    X509_free(s.device);
    X509_free(s.revoked);
    X509_free(s.stranger);
    X509_free(s.ra);
    X509_free(s.person);
    X509_free(s.nf);
    EVP_PKEY_free(s.key);
    EVP_PKEY_free(s.vendor_key);
    pki_free(s.pki);
    tmpdir_remove(s.dir);
    return 0;
}

/* A message with this certificate; its protection is not asked here. */
static struct cmp_msg *
message_of(X509 *certificate)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf part = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf out = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(buf_free) struct buf der = BUF_INIT(DER_MAX);
    struct cmp_header header = {0};
    struct cmp_msg *msg;
    struct span extra;
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    extra = buf_span(&der);
    assert_ok(cmp_header_first(&header, &e), &e);
    assert_ok(cmp_body_error(CMP_BAD_REQUEST, NULL, &body, &e), &e);
    assert_ok(cmp_build_part(&header, buf_span(&body), &part, &e), &e);
    assert_ok(cmp_build_finish(buf_span(&part), (struct span){0}, &extra, 1, &out, &e), &e);
    msg = cmp_msg_parse(buf_span(&out), CMP_MESSAGE_MAX, &e);
    assert_non_null(msg);
    return msg;
}

struct question {
    check *check;
    X509 *signer;
    struct cmp_msg *msg;
};

/* The signer comes out of the message, as octets: OpenSSL keeps in the object what it finds out. */
static int
ask(const struct question *q, const struct trust *trust, bool fed, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *signer = NULL;
    enum cmp_failure failure = CMP_NO_FAILURE;
    int result;

    starve_pause();
    signer = certificate_parse(cmp_msg_extra(q->msg, 0), e);
    assert_non_null(signer);
    if (!fed) {
        starve_resume();
    }
    result = q->check(trust, q->msg, signer, s.now, &failure, e);
    assert_true((result == 0) == (failure == CMP_NO_FAILURE));
    return result;
}

static int
signer_is_checked(const void *arg, struct buf *out, struct err *e)
{
    (void)out;
    return ask(arg, s.trust, false, e);
}

/* With a trust that has read nothing yet. */
static int
signer_is_checked_at_first(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(trust_cleanup)
    struct trust *trust = trust_new(s.pki->root, s.pki->issuing, &s.conf, e);

    (void)out;
    return trust == NULL ? -1 : ask(arg, trust, false, e);
}

/* With one that reads its CRL while memory is short, and then has enough: it must say what is
 * right, whatever it said before. */
static int
signer_is_checked_after_it(const void *arg, struct buf *out, struct err *e)
{
    CLEANUP(trust_cleanup) struct trust *trust = NULL;
    struct err ignored = {0};
    int result;

    starve_pause();
    trust = trust_new(s.pki->root, s.pki->issuing, &s.conf, e);
    assert_non_null(trust);
    starve_resume();
    (void)ask(arg, trust, false, &ignored);
    result = ask(arg, trust, true, e);
    return buf_append_str(out, result == 0 ? "believed" : e->text, e);
}

/* That a pinned one is revoked is not among it: what a set does not know is nothing against it
 * (trust.h), and OpenSSL does not tell a path that it has no memory for from one that is not there.
 */
static void
nobody_is_believed_who_is_not(void **state)
{
    const struct {
        const char *name;
        check *check;
        X509 *signer;
        starve_run *run;
        const char *why; /* NULL: believed */
    } rows[] = {
        {"initial", trust_check_initial, s.device, signer_is_checked, NULL},
        {"initial, at first", trust_check_initial, s.device, signer_is_checked_at_first, NULL},
        {"initial, revoked", trust_check_initial, s.revoked, signer_is_checked, "revoked"},
        {"initial, revoked, at first", trust_check_initial, s.revoked, signer_is_checked_at_first,
         "revoked"},
        {"initial, stranger", trust_check_initial, s.stranger, signer_is_checked, "depth 0"},
        {"pinned", trust_check_pinned, s.device, signer_is_checked, NULL},
        {"own", trust_check_own, s.nf, signer_is_checked, NULL},
        {"own, stranger", trust_check_own, s.device, signer_is_checked, "depth 0"},
        {"ra", trust_check_ra, s.ra, signer_is_checked, NULL},
        {"ra, a person", trust_check_ra, s.person, signer_is_checked, "extendedKeyUsage"},
        {"person", trust_check_person, s.person, signer_is_checked, NULL},
        {"person, a network function", trust_check_person, s.nf, signer_is_checked,
         "subjectAltName"},
    };
    size_t findings = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = message_of(rows[i].signer);
        const struct question q = {rows[i].check, rows[i].signer, msg};
        const struct starve sweep = {rows[i].name, rows[i].run, rows[i].why, &q, RUNS};

        findings += starve_sweep(&sweep, 1);
    }
    assert_int_equal(findings, 0);
}

static void
a_crl_that_could_not_be_read_is_read_again(void **state)
{
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *device = message_of(s.device);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *revoked = message_of(s.revoked);
    const struct question good = {trust_check_initial, s.device, device};
    const struct question bad = {trust_check_initial, s.revoked, revoked};
    const struct starve rows[] = {
        {"then good", signer_is_checked_after_it, NULL, &good, RUNS},
        {"then revoked", signer_is_checked_after_it, NULL, &bad, RUNS},
    };

    (void)state;
    assert_int_equal(starve_sweep(rows, ARRAY_LEN(rows)), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_believed_who_is_not),
        cmocka_unit_test(a_crl_that_could_not_be_read_is_read_again),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
