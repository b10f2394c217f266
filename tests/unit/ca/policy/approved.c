/* SPDX-License-Identifier: Apache-2.0 */
/* Which approvals count, and which stored registration is believed: whoever can write ca.db can
 * write rows. */
#include "ca/policy/approved.h"

#include <stdio.h>
#include <string.h>

#include "ca/policy/registered.h"
#include "ca/x509/serial.h"
#include "tests/unit/ca/policy/grant.h"

enum { AT = PKI_NOW + HOUR };

struct person {
    EVP_PKEY *key;
    X509 *certificate;
};

static struct person
person_new(const struct scene *s, const char *profile, const char *name, EVP_PKEY *key)
{
    struct person p = {.key = key != NULL ? key : pki_key("P-256")};
    CLEANUP(buf_free) struct buf spki = pki_spki(p.key);
    struct tbs_request request = pki_request(s->pki, NULL, buf_span(&spki));
    struct name subject;
    struct err e = {0};

    if (key != NULL) {
        assert_int_equal(EVP_PKEY_up_ref(key), 1);
    }
    assert_ok(name_set(&subject, "SE", "Example Operator", name, &e), &e);
    request.profile = profile_by_name(profile);
    request.subject = &subject;
    p.certificate = pki_issue(&request, s->pki->issuing_key);
    return p;
}

static void
person_free(struct person *p)
{
    EVP_PKEY_free(p->key);
    X509_free(p->certificate);
}

/* The row of a registration that `registrar` signed. */
static struct issuance_registration
registered_by(const struct person *registrar)
{
    CLEANUP(mem_cleanup) char *json = scene_registration(SCENE_MAC, SCENE_PROFILES, "");
    struct issuance_registration row = {.json = BUF_INIT(REGISTRATION_JSON_MAX),
                                        .registrar = BUF_INIT(32),
                                        .by_registrar = true,
                                        .registered = PKI_NOW};
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    row.cms = pki_cms(span_str(json), registrar->certificate, registrar->key);
    assert_ok(buf_set(&row.json, span_str(json), &e), &e);
    assert_ok(buf_set(&row.registrar, serial_of(registrar->certificate), &e), &e);
    assert_ok(sha256(buf_span(&row.cms), hash, &e), &e);
    hex_format(span_of(hash, (REGISTRATION_ID_SIZE - 1) / 2), row.id);
    return row;
}

/* ---- approvals ---- */

static struct approval
of_request(void)
{
    struct approval a = {.approves = true,
                         .rid = {1},
                         .registration = SCENE_REGISTRATION,
                         .nf_instance = SCENE_INSTANCE,
                         .profile = "nf-tls",
                         .public_key = {2},
                         .time = PKI_NOW + 1,
                         .expires = AT + 1};

    return a;
}

/* One more row: what `by` signed, under the serial number of `named`. */
static void
add(struct approved *all, const struct approval *a, const struct person *by,
    const struct person *named, time_t created)
{
    CLEANUP(mem_cleanup) char *json = approval_format(a);
    struct err e = {0};

    all->list[all->n].cms = BUF_INIT(APPROVAL_CMS_MAX);
    all->list[all->n].officer = BUF_INIT(32);
    all->list[all->n].created = created;
    assert_ok(approval_sign(span_str(json), by->certificate, by->key, &all->list[all->n].cms, &e),
              &e);
    assert_ok(buf_set(&all->list[all->n].officer, serial_of(named->certificate), &e), &e);
    all->n++;
}

struct row {
    const char *name;
    struct approval a;
    const struct person *by;
    const struct person *named; /* NULL: the same */
    time_t created;             /* 0: PKI_NOW + 1 */
    bool damaged;
    bool alone;  /* counts when there is no other */
    bool beside; /* counts beside that of Alice */
};

static void
count(const struct scene *s, const struct issuance_registration *registration,
      const struct row *row, const struct person *beside, int wanted)
{
    const struct approval request = of_request();
    CLEANUP(approved_free) struct approved all = {0};
    struct err e = {0};
    int n = -1;

    if (beside != NULL) {
        add(&all, &request, beside, beside, PKI_NOW + 1);
    }
    add(&all, &row->a, row->by, row->named != NULL ? row->named : row->by,
        row->created != 0 ? row->created : PKI_NOW + 1);
    if (row->damaged) {
        all.list[all.n - 1].cms.p[all.list[all.n - 1].cms.n - 1] ^= 1;
    }
    assert_ok(approved_count(&s->policy, registration, &request, &all, AT, &n, &e), &e);
    if (n != wanted) {
        fail_msg("%s: %d count, not %d", row->name, n, wanted);
    }
}

static void
only_what_an_officer_signed_about_this_counts_and_once(void **state)
{
    const struct scene *s = *state;
    CLEANUP(person_free) struct person registrar = person_new(s, "registrar", "Rita", NULL);
    CLEANUP(person_free) struct person alice = person_new(s, "officer", "Alice", NULL);
    CLEANUP(person_free) struct person bob = person_new(s, "officer", "Bob", NULL);
    CLEANUP(person_free) struct person new_key = person_new(s, "officer", "Alice", NULL);
    CLEANUP(person_free) struct person new_name = person_new(s, "officer", "Alicia", alice.key);
    CLEANUP(person_free) struct person rita = person_new(s, "officer", "Rita", NULL);
    CLEANUP(person_free) struct person ritas_key = person_new(s, "officer", "R.", registrar.key);
    CLEANUP(issuance_registration_free)
    struct issuance_registration row = registered_by(&registrar);
    const struct approval good = of_request();
    struct approval other_rid = good;
    struct approval other_registration = good;
    struct approval other_instance = good;
    struct approval other_profile = good;
    struct approval other_key = good;
    struct approval rejects = good;
    struct approval ends_now = good;
    struct approval early = good;

    other_rid.rid[SHA256_SIZE - 1] ^= 1;
    other_registration.registration[0] = 'f';
    other_instance.nf_instance[0] = 'a';
    memcpy(other_profile.profile, "nf-tls-client", sizeof("nf-tls-client"));
    other_key.public_key[SHA256_SIZE - 1] ^= 1;
    rejects.approves = false;
    ends_now.expires = AT;
    early.time = AT + APPROVAL_SKEW_S + 1;
    early.expires = early.time + 1;
    {
        const struct row rows[] = {
            {.name = "Bob", .a = good, .by = &bob, .alone = true, .beside = true},
            {.name = "Alice once more", .a = good, .by = &alice, .alone = true},
            {.name = "Alice with a new key", .a = good, .by = &new_key, .alone = true},
            {.name = "Alice under a new name", .a = good, .by = &new_name, .alone = true},
            {.name = "who registered it, as an officer", .a = good, .by = &rita},
            {.name = "who registered it, with the same key", .a = good, .by = &ritas_key},
            {.name = "of another request", .a = other_rid, .by = &bob},
            {.name = "of another registration", .a = other_registration, .by = &bob},
            {.name = "of another network function", .a = other_instance, .by = &bob},
            {.name = "of another profile", .a = other_profile, .by = &bob},
            {.name = "of another key", .a = other_key, .by = &bob},
            {.name = "a rejection", .a = rejects, .by = &bob},
            {.name = "that ends now", .a = ends_now, .by = &bob},
            {.name = "from the future", .a = early, .by = &bob, .created = AT + 2 * HOUR},
            {.name = "under another officer's serial number",
             .a = good,
             .by = &bob,
             .named = &alice},
            {.name = "with another signature", .a = good, .by = &bob, .damaged = true},
            {.name = "before the officer's certificate began",
             .a = good,
             .by = &bob,
             .created = PKI_NOW - 1},
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            count(s, &row, &rows[i], NULL, rows[i].alone ? 1 : 0);
            count(s, &row, &rows[i], &alice, rows[i].beside ? 2 : 1);
        }
    }
}

static void
who_registered_it_does_not_decide_about_it(void **state)
{
    const struct scene *s = *state;
    CLEANUP(person_free) struct person registrar = person_new(s, "registrar", "Rita", NULL);
    CLEANUP(person_free) struct person alice = person_new(s, "officer", "Alice", NULL);
    CLEANUP(person_free) struct person rita = person_new(s, "officer", "Rita", NULL);
    CLEANUP(person_free) struct person ritas_key = person_new(s, "officer", "R.", registrar.key);
    CLEANUP(issuance_registration_free)
    struct issuance_registration row = registered_by(&registrar);
    const struct approval request = of_request();
    struct approved none = {0};
    struct err e = {0};
    int n;

    assert_ok(approved_check_eyes(&s->policy, &row, alice.certificate, &e), &e);
    assert_err(approved_check_eyes(&s->policy, &row, rita.certificate, &e), ERR_DENIED, &e);
    assert_non_null(strstr(e.text, "who registered the network function does not decide"));
    assert_err(approved_check_eyes(&s->policy, &row, ritas_key.certificate, &e), ERR_DENIED, &e);
    assert_ok(approved_count(&s->policy, &row, &request, &none, AT, &n, &e), &e);
    assert_int_equal(n, 0);
    /* a registration that nobody signed so is nobody's */
    row.cms.p[row.cms.n - 1] ^= 1;
    assert_int_equal(approved_check_eyes(&s->policy, &row, alice.certificate, &e), -1);
    assert_int_equal(approved_count(&s->policy, &row, &request, &none, AT, &n, &e), -1);
}

/* ---- the stored registration ---- */

enum change { NOTHING, JSON, ID, REGISTRAR, CMS, NOT_BY_REGISTRAR, BEFORE_ITS_REGISTRAR };

static void
a_stored_registration_is_what_a_registrar_signed(void **state)
{
    const struct scene *s = *state;
    static const char denied[] = "the stored registration is not what a registrar signed";
    static const struct {
        const char *name;
        enum change change;
        const char *why; /* NULL: it is believed */
    } rows[] = {
        {"as it was signed", NOTHING, NULL},
        {"another content", JSON, denied},
        {"under another id", ID, denied},
        {"another registrar's serial number", REGISTRAR, denied},
        {"another signature", CMS, denied},
        {"before its registrar was one", BEFORE_ITS_REGISTRAR, denied},
        {"whose signer is no registrar by the record", NOT_BY_REGISTRAR,
         "the stored registration is not by a registrar's certificate"},
    };
    CLEANUP(person_free) struct person registrar = person_new(s, "registrar", "Rita", NULL);

    /* fresh, and when the right one was remembered: only what does not matter may differ then */
    for (int remembered = 0; remembered <= 1; remembered++) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            CLEANUP(issuance_registration_free)
            struct issuance_registration row = registered_by(&registrar);
            struct registered *r = registered_new();
            const char *why = rows[i].why;
            struct err e = {0};
            int result;

            if (remembered != 0) {
                assert_ok(registered_check(r, &s->policy, row.id, &row, &e), &e);
                why = rows[i].change == JSON || rows[i].change == ID ||
                              rows[i].change == REGISTRAR || rows[i].change == NOT_BY_REGISTRAR
                          ? why
                          : NULL;
            }
            switch (rows[i].change) {
            case NOTHING:
                break;
            case JSON:
                row.json.p[row.json.n - 2] ^= 1;
                break;
            case ID:
                row.id[REGISTRATION_ID_SIZE - 2] ^= 1;
                break;
            case REGISTRAR:
                row.registrar.p[row.registrar.n - 1] ^= 1;
                break;
            case CMS:
                row.cms.p[row.cms.n - 1] ^= 1;
                break;
            case NOT_BY_REGISTRAR:
                row.by_registrar = false;
                break;
            case BEFORE_ITS_REGISTRAR:
                row.registered = PKI_NOW - 1;
                break;
            }
            result = registered_check(r, &s->policy, row.id, &row, &e);
            if ((result == 0) != (why == NULL) ||
                (why != NULL && (e.code != ERR_DENIED || strstr(e.text, why) == NULL))) {
                fail_msg("%s, %s: %s", rows[i].name, remembered != 0 ? "remembered" : "fresh",
                         e.text);
            }
            registered_free(r);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_an_officer_signed_about_this_counts_and_once),
        cmocka_unit_test(who_registered_it_does_not_decide_about_it),
        cmocka_unit_test(a_stored_registration_is_what_a_registrar_signed),
    };

    return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
