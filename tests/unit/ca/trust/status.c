/* SPDX-License-Identifier: Apache-2.0 */
/* What CRLs say, and a vendor's root in the middle of its roll-over. */
#include "ca/trust/trust.h"

#include <string.h>
#include <unistd.h>

#include "tests/support/forge.h"
#include "tests/support/pki.h"
#include "tests/support/test.h"
#include "tests/unit/ca/trust/vendors.h"

/* ---- what there is ---- */

static void
write_crl(const char *name, X509 *issuer, EVP_PKEY *key, X509 *revoked, long from, long to)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", vendors_dir, name);
    const struct forge_crl f = {.issuer = issuer,
                                .issuer_key = key,
                                .this_update = vendors_now + from * HOUR,
                                .next_update = vendors_now + to * HOUR,
                                .revoked = revoked,
                                .number = "1"};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = forge_crl(&f);

    forge_crl_write(crl, path);
}

/* As a device of vendor x does now. */
static enum cmp_failure
ask_of_x(const struct trust *t, struct err *e)
{
    return vendors_ask(trust_check_initial, t, vendor_x.device, vendor_x.ca, vendors_now, e);
}

static void
unlink_crl(const char *name)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", vendors_dir, name);

    (void)unlink(path);
}

/* ---- status ---- */

/* Vendor x with the CRL of its root (fine) and of its CA, under `policy`. */
static struct trust *
with_crls(const struct pki *pki, enum path_status policy, int max_age_hours)
{
    CLEANUP(trust_conf_free) struct trust_conf c = {0};

    vendors_set(&c, TRUST_VENDOR, "x", "x.der");
    vendors_list(&c.sets[0].crls, "x-root.crl");
    vendors_list(&c.sets[0].crls, "x-ca.crl");
    c.sets[0].crl_policy = policy;
    c.sets[0].crl_max_age_s = max_age_hours * HOUR;
    write_crl("x-root.crl", vendor_x.root, vendor_x.keys[0], NULL, -1, 90);
    return vendors_trust(pki, &c);
}

static void
the_policy_decides_about_a_crl_that_is_missing_stale_or_old(void **state)
{
    static const struct row {
        const char *what;
        long from, to; /* hours from now; 0, 0: there is no file */
        bool revoked;
        int max_age_hours;
        enum cmp_failure require, if_present;
        const char *why;
    } rows[] = {
        {"good", -2, 5, false, 0, CMP_NO_FAILURE, CMP_NO_FAILURE, ""},
        {"young enough", -2, 5, false, 3, CMP_NO_FAILURE, CMP_NO_FAILURE, ""},
        {"revoked", -2, 5, true, 0, CMP_CERT_REVOKED, CMP_CERT_REVOKED, "depth 0, CN=device,O=X"},
        {"missing", 0, 0, false, 0, CMP_SIGNER_NOT_TRUSTED, CMP_NO_FAILURE,
         "x-ca.crl: does not exist: fetch"},
        {"stale", -9, -1, false, 0, CMP_SIGNER_NOT_TRUSTED, CMP_SIGNER_NOT_TRUSTED,
         "x-ca.crl: its nextUpdate has passed: fetch"},
        {"old", -5, 5, false, 3, CMP_SIGNER_NOT_TRUSTED, CMP_SIGNER_NOT_TRUSTED,
         "x-ca.crl: older than crl_max_age_hours: fetch"},
        {"of tomorrow", 24, 48, false, 0, CMP_SIGNER_NOT_TRUSTED, CMP_SIGNER_NOT_TRUSTED,
         "CRL is not yet valid"},
    };
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        CLEANUP(trust_cleanup)
        struct trust *require = with_crls(pki, PATH_STATUS_REQUIRED, r->max_age_hours);
        CLEANUP(trust_cleanup)
        struct trust *if_present = with_crls(pki, PATH_STATUS_IF_PRESENT, r->max_age_hours);
        CLEANUP(trust_cleanup)
        struct trust *none = with_crls(pki, PATH_STATUS_NONE, r->max_age_hours);
        enum cmp_failure a;
        enum cmp_failure b;
        struct err e;
        struct err ignored;

        unlink_crl("x-ca.crl");
        if (r->from != r->to) {
            write_crl("x-ca.crl", vendor_x.ca, vendor_x.keys[1],
                      r->revoked ? vendor_x.device : NULL, r->from, r->to);
        }
        a = ask_of_x(require, &e);
        b = ask_of_x(if_present, &ignored);
        if (a != r->require || b != r->if_present || strstr(e.text, r->why) == NULL) {
            fail_msg("%s: %s, %s: %s", r->what, cmp_failure_name(a), cmp_failure_name(b), e.text);
        }
        assert_int_equal(ask_of_x(none, &e), CMP_NO_FAILURE);
    }
}

static void
a_crl_is_believed_from_its_issuer_only(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_cleanup) struct trust *t = with_crls(pki, PATH_STATUS_REQUIRED, 0);
    struct err e;

    (void)state;
    write_crl("x-ca.crl", vendor_x.ca, vendor_y.keys[1], NULL, -2, 5); /* signed by somebody else */
    assert_int_equal(ask_of_x(t, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "CRL signature failure"));
    write_crl("x-ca.crl", vendor_y.ca, vendor_y.keys[1], NULL, -2,
              5); /* about somebody else's certificates */
    assert_int_equal(ask_of_x(t, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "unable to get certificate CRL"));
}

static void
a_file_that_is_no_crl_is_never_passed_over(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_cleanup) struct trust *t = with_crls(pki, PATH_STATUS_IF_PRESENT, 0);
    struct err e;

    (void)state;
    vendors_write(vendor_x.ca, "x-ca.crl");
    assert_int_equal(ask_of_x(t, &e), CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "x-ca.crl: not a CRL"));
}

static void
a_new_file_counts_at_once(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_cleanup) struct trust *t = with_crls(pki, PATH_STATUS_REQUIRED, 0);
    struct err e;

    (void)state;
    write_crl("x-ca.crl", vendor_x.ca, vendor_x.keys[1], NULL, -2, 5);
    assert_int_equal(ask_of_x(t, &e), CMP_NO_FAILURE);
    write_crl("x-ca.crl", vendor_x.ca, vendor_x.keys[1], vendor_x.device, -2, 5);
    assert_int_equal(ask_of_x(t, &e), CMP_CERT_REVOKED);
    write_crl("x-ca.crl", vendor_x.ca, vendor_x.keys[1], NULL, -2, 5);
    assert_int_equal(ask_of_x(t, &e), CMP_NO_FAILURE);
}

/* A stranger who gives the serial number of a revoked certificate is a stranger. */
static void
revoked_is_said_of_genuine_certificates_only(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_cleanup) struct trust *t = with_crls(pki, PATH_STATUS_REQUIRED, 0);
    CLEANUP(x509_cleanup) X509 *forged = X509_dup(vendor_x.device);
    struct err e;

    (void)state;
    write_crl("x-ca.crl", vendor_x.ca, vendor_x.keys[1], vendor_x.device, -2, 5);
    assert_true(X509_sign(forged, vendor_y.keys[1], EVP_sha256()) > 0);
    assert_int_equal(ask_of_x(t, &e), CMP_CERT_REVOKED);
    assert_int_equal(vendors_ask(trust_check_initial, t, forged, vendor_x.ca, vendors_now, &e),
                     CMP_SIGNER_NOT_TRUSTED);
}

static void
a_pinned_certificate_may_be_revoked_by_its_vendor(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_cleanup) struct trust *t = with_crls(pki, PATH_STATUS_REQUIRED, 0);
    struct err e;

    (void)state;
    write_crl("x-ca.crl", vendor_x.ca, vendor_x.keys[1], NULL, -2, 5);
    assert_int_equal(
        vendors_ask(trust_check_pinned, t, vendor_x.device, vendor_x.ca, vendors_now, &e),
        CMP_NO_FAILURE);
    assert_int_equal(vendors_ask(trust_check_pinned, t, vendor_x.device, NULL, vendors_now, &e),
                     CMP_NO_FAILURE);
    assert_int_equal(vendors_ask(trust_check_pinned, t, vendor_y.device, NULL, vendors_now, &e),
                     CMP_NO_FAILURE);
    assert_int_equal(
        vendors_ask(trust_check_pinned, t, vendor_x.device, NULL, vendors_now - 2 * HOUR, &e),
        CMP_SIGNER_NOT_TRUSTED);
    write_crl("x-ca.crl", vendor_x.ca, vendor_x.keys[1], vendor_x.device, -2, 5);
    assert_int_equal(
        vendors_ask(trust_check_pinned, t, vendor_x.device, vendor_x.ca, vendors_now, &e),
        CMP_CERT_REVOKED);
}

/* One that its vendor's anchor has issued itself: what else the message brings is not needed, and
 * cannot hide that it is revoked. */
static void
what_cannot_be_read_hides_no_revocation(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(trust_conf_free) struct trust_conf conf = {0};
    CLEANUP(trust_conf_free) struct trust_conf silent = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    CLEANUP(trust_cleanup) struct trust *asks_nothing = NULL;
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct span extra[2] = {{0}, SPAN_LITERAL("\x30\x00")};
    enum cmp_failure failure = CMP_NO_FAILURE;
    struct err e = {0};

    (void)state;
    vendors_set(&conf, TRUST_VENDOR, "x", "x-ca.der");
    vendors_list(&conf.sets[0].crls, "x-ca.crl");
    conf.sets[0].crl_policy = PATH_STATUS_IF_PRESENT;
    vendors_set(&silent, TRUST_VENDOR, "x", "x-ca.der");
    t = vendors_trust(pki, &conf);
    asks_nothing = vendors_trust(pki, &silent);
    write_crl("x-ca.crl", vendor_x.ca, vendor_x.keys[1], vendor_x.device, -2, 5);
    assert_ok(OSSL_ENCODE(X509, vendor_x.device, &der, &e), &e);
    extra[0] = buf_span(&der);
    msg = vendors_message_with(extra, ARRAY_LEN(extra));
    assert_int_equal(vendors_ask(trust_check_pinned, t, vendor_x.device, NULL, vendors_now, &e),
                     CMP_CERT_REVOKED);
    assert_int_equal(trust_check_pinned(t, msg, vendor_x.device, vendors_now, &failure, &e), -1);
    assert_int_equal(failure, CMP_SIGNER_NOT_TRUSTED);
    assert_non_null(strstr(e.text, "extraCerts[1]"));
    /* where nobody is asked it does not matter */
    assert_ok(trust_check_pinned(asks_nothing, msg, vendor_x.device, vendors_now, &failure, &e),
              &e);
    unlink_crl("x-ca.crl");
}

/* ---- a vendor's root in the middle of its roll-over ---- */

/* A root with two keys, a CA that both have issued, and one of its devices. */
struct rollover {
    EVP_PKEY *keys[4]; /* old, new, of the CA, of the device */
    X509 *old_root;
    X509 *new_root;
    X509 *new_with_old; /* the new key, signed with the old one (RFC 9810 4.4) */
    X509 *old_with_new;
    X509 *ca_by_old;
    X509 *ca_by_new;
    X509 *device;
};

static X509 *
device_of(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, bool bare)
{
    const struct forge f = {.subject = "O=Z/CN=device",
                            .key = key,
                            .issuer = issuer,
                            .issuer_key = issuer_key,
                            .not_before = vendors_now - HOUR,
                            .not_after = vendors_now + 100L * HOUR,
                            .bare = bare,
                            .extensions = {FORGE_LEAF}};

    return forge_certificate(&f);
}

static void
rollover_make(struct rollover *r)
{
    static const char root[] = "O=Z/CN=Root";

    for (size_t i = 0; i < ARRAY_LEN(r->keys); i++) {
        r->keys[i] = EVP_EC_gen("P-256");
    }
    r->old_root = vendors_certificate(root, r->keys[0], NULL, NULL);
    r->new_root = vendors_certificate(root, r->keys[1], NULL, NULL);
    r->new_with_old = vendors_certificate(root, r->keys[1], r->old_root, r->keys[0]);
    r->old_with_new = vendors_certificate(root, r->keys[0], r->new_root, r->keys[1]);
    r->ca_by_old = vendors_certificate("O=Z/CN=CA", r->keys[2], r->old_root, r->keys[0]);
    r->ca_by_new = vendors_certificate("O=Z/CN=CA", r->keys[2], r->new_root, r->keys[1]);
    r->device = device_of(r->keys[3], r->ca_by_old, r->keys[2], false);
    vendors_write(r->old_root, "z-old.der");
    vendors_write(r->new_root, "z-new.der");
}

static void
rollover_free(struct rollover *r)
{
    X509 *all[] = {r->old_root,  r->new_root,  r->new_with_old, r->old_with_new,
                   r->ca_by_old, r->ca_by_new, r->device};

    for (size_t i = 0; i < ARRAY_LEN(r->keys); i++) {
        EVP_PKEY_free(r->keys[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        X509_free(all[i]);
    }
}

enum { MIDDLE_MAX = 5 };

static bool
next_order(size_t *order, size_t n)
{
    size_t i = n - 1;
    size_t k = n - 1;
    size_t swap;

    while (i > 0 && order[i - 1] > order[i]) {
        i--;
    }
    if (i == 0) {
        return false;
    }
    while (order[k] < order[i - 1]) {
        k--;
    }
    swap = order[i - 1];
    order[i - 1] = order[k];
    order[k] = swap;
    for (size_t low = i, high = n - 1; low < high; low++, high--) {
        swap = order[low];
        order[low] = order[high];
        order[high] = swap;
    }
    return true;
}

/* The same answer in every order. */
static void
every_order(const char *what, const struct trust *t, X509 *leaf, X509 *const *middle, size_t n,
            enum cmp_failure wanted)
{
    size_t order[MIDDLE_MAX];
    size_t orders = 0;

    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    do {
        X509 *certificates[MIDDLE_MAX + 1] = {leaf};
        enum cmp_failure failure = CMP_NO_FAILURE;
        struct err e = {0};

        for (size_t i = 0; i < n; i++) {
            certificates[i + 1] = middle[order[i]];
        }
        {
            CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = vendors_message(certificates, n + 1);

            (void)trust_check_initial(t, msg, leaf, vendors_now, &failure, &e);
        }
        if (failure != wanted) {
            fail_msg("%s, order %zu: %s: %s", what, orders, cmp_failure_name(failure), e.text);
        }
        orders++;
    } while (next_order(order, n));
    assert_int_equal(orders, n == 2 ? 2 : n == 3 ? 6 : n == 4 ? 24 : 120);
}

static void
a_roll_over_verifies_whatever_the_order(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(rollover_free) struct rollover r = {0};
    X509 *forged_root;
    X509 *forged_ca;
    X509 *forged;

    (void)state;
    rollover_make(&r);
    forged_root = vendors_certificate("O=Z/CN=Root", r.keys[3], NULL, NULL);
    forged_ca = vendors_certificate("O=Z/CN=CA", r.keys[2], forged_root, r.keys[3]);
    forged = device_of(r.keys[3], forged_ca, r.keys[3], false);
    for (size_t i = 0; i < 3; i++) {
        static const char *const anchors[] = {"z-old.der", "z-new.der"};
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        CLEANUP(trust_cleanup) struct trust *t = NULL;
        X509 *all[] = {r.new_root, r.new_with_old, r.ca_by_new, r.old_root, r.ca_by_old};
        X509 *by_new[] = {r.new_root, r.ca_by_new, r.old_with_new, r.new_with_old};
        X509 *by_old[] = {r.old_root, r.ca_by_old, r.old_with_new, r.new_with_old};
        X509 *both[] = {r.ca_by_new, r.ca_by_old};
        X509 *foreign[] = {r.new_with_old, forged_root, forged_ca, r.ca_by_old};

        vendors_set(&c, TRUST_VENDOR, "z", anchors[i % 2]);
        if (i == 2) {
            vendors_list(&c.sets[0].roots, anchors[1]);
        }
        t = vendors_trust(pki, &c);
        every_order("all", t, r.device, all, ARRAY_LEN(all), CMP_NO_FAILURE);
        every_order("a CA of the new root", t, r.device, by_new, ARRAY_LEN(by_new), CMP_NO_FAILURE);
        every_order("a CA of the old root", t, r.device, by_old, ARRAY_LEN(by_old), CMP_NO_FAILURE);
        every_order("a CA of each", t, r.device, both, ARRAY_LEN(both), CMP_NO_FAILURE);
        every_order("a stranger", t, forged, foreign, ARRAY_LEN(foreign), CMP_SIGNER_NOT_TRUSTED);
    }
    X509_free(forged_root);
    X509_free(forged_ca);
    X509_free(forged);
}

/* The keys of the CA were changed, and nothing but the signature says which one it was. */
static void
an_end_entity_without_key_identifier_is_found_by_its_signature(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(rollover_free) struct rollover r = {0};
    X509 *next_ca;
    X509 *bare;
    X509 *by_next;

    (void)state;
    rollover_make(&r);
    next_ca = vendors_certificate("O=Z/CN=CA", r.keys[3], r.old_root, r.keys[0]);
    bare = device_of(r.keys[3], r.ca_by_old, r.keys[2], true);
    by_next = device_of(r.keys[2], next_ca, r.keys[3], true);
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(trust_conf_free) struct trust_conf c = {0};
        CLEANUP(trust_cleanup) struct trust *t = NULL;
        X509 *middle[] = {next_ca, r.ca_by_old, r.new_with_old};
        enum cmp_failure wanted = i == 0 ? CMP_SIGNER_NOT_TRUSTED : CMP_NO_FAILURE;

        vendors_set(&c, TRUST_VENDOR, "z", "z-old.der");
        c.sets[0].allow = i == 0 ? 0 : PATH_ALLOW_NO_AKI;
        t = vendors_trust(pki, &c);
        every_order("of the CA's first key", t, bare, middle, ARRAY_LEN(middle), wanted);
        every_order("of its second", t, by_next, middle, ARRAY_LEN(middle), wanted);
    }
    X509_free(next_ca);
    X509_free(bare);
    X509_free(by_next);
}

/* A revoked cross certificate is no reason where another way is good; a revoked device is, on all.
 */
static void
a_revoked_way_is_no_reason_when_another_is_good(void **state)
{
    CLEANUP(pki_cleanup) struct pki *pki = pki_new("P-384", "P-256");
    CLEANUP(rollover_free) struct rollover r = {0};
    CLEANUP(trust_conf_free) struct trust_conf c = {0};
    CLEANUP(trust_cleanup) struct trust *t = NULL;
    X509 *middle[] = {r.new_with_old, r.ca_by_new, r.ca_by_old};

    (void)state;
    rollover_make(&r);
    middle[0] = r.new_with_old;
    middle[1] = r.ca_by_new;
    middle[2] = r.ca_by_old;
    vendors_set(&c, TRUST_VENDOR, "z", "z-old.der");
    vendors_list(&c.sets[0].crls, "z-old.crl");
    vendors_list(&c.sets[0].crls, "z-ca.crl");
    c.sets[0].crl_policy = PATH_STATUS_IF_PRESENT;
    t = vendors_trust(pki, &c);
    write_crl("z-old.crl", r.old_root, r.keys[0], r.new_with_old, -1, 10);
    every_order("a revoked cross certificate", t, r.device, middle, ARRAY_LEN(middle),
                CMP_NO_FAILURE);
    write_crl("z-ca.crl", r.ca_by_old, r.keys[2], r.device, -1, 10);
    every_order("a revoked device", t, r.device, middle, ARRAY_LEN(middle), CMP_CERT_REVOKED);
    unlink_crl("z-ca.crl");
    {
        /* one way is refused for a matter of form, and the other one has a revoked CA in it */
        const struct forge f = {
            .subject = "O=Z/CN=CA",
            .serial = "4000",
            .key = r.keys[2],
            .issuer = r.old_root,
            .issuer_key = r.keys[0],
            .not_before = vendors_now - HOUR,
            .not_after = vendors_now + 100L * HOUR,
            .extensions = {"basicConstraints=CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"}};
        CLEANUP(x509_cleanup) X509 *formless = forge_certificate(&f);
        X509 *two[] = {formless, r.ca_by_old};

        write_crl("z-old.crl", r.old_root, r.keys[0], r.ca_by_old, -1, 10);
        every_order("a revoked CA beside one without form", t, r.device, two, ARRAY_LEN(two),
                    CMP_CERT_REVOKED);
    }
    unlink_crl("z-old.crl");
    unlink_crl("z-ca.crl");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_decides_about_a_crl_that_is_missing_stale_or_old),
        cmocka_unit_test(a_crl_is_believed_from_its_issuer_only),
        cmocka_unit_test(a_file_that_is_no_crl_is_never_passed_over),
        cmocka_unit_test(a_new_file_counts_at_once),
        cmocka_unit_test(revoked_is_said_of_genuine_certificates_only),
        cmocka_unit_test(a_pinned_certificate_may_be_revoked_by_its_vendor),
        cmocka_unit_test(what_cannot_be_read_hides_no_revocation),
        cmocka_unit_test(a_roll_over_verifies_whatever_the_order),
        cmocka_unit_test(an_end_entity_without_key_identifier_is_found_by_its_signature),
        cmocka_unit_test(a_revoked_way_is_no_reason_when_another_is_good),
    };

    return cmocka_run_group_tests(tests, vendors_make, vendors_drop);
}
