/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations: who finds which, and how they are listed. */
#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/db/requests/verb.h"

struct lookup {
    const char *reference;
    const char *fingerprint;
    const char *subject;
    const char *public_key;
    struct requests_registration out;
    bool found;
};

static int
verb_lookup(struct store_db *db, void *arg, struct err *e)
{
    struct lookup *l = arg;
    struct requests_signer signer;

    if (l->reference != NULL) {
        return requests_registration_by_reference(db, span_str(l->reference), &l->out, &l->found,
                                                  e);
    }
    signer = (struct requests_signer){span_str(l->fingerprint),
                                      span_str(l->public_key == NULL ? "" : l->public_key),
                                      "CN=Vendor", l->subject};
    return requests_registration_by_signer(db, &signer, &l->out, &l->found, e);
}

static void
a_registration_is_found_by_what_the_message_shows(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct registering rows[] = {
        {"mac", "ref", "", NULL, 1, 1, NULL, NULL},
        {"pinned", "", "fingerprint", NULL, 1, 2, NULL, NULL},
        {"vendor-old", "", "", "CN=NF", 1, 3, NULL, NULL},
        {"vendor-new", "", "", "CN=NF", 1, 4, NULL, NULL},
        {"key", "", "", NULL, 1, 5, "spki", NULL},
    };
    struct {
        struct lookup query;
        const char *expected;
    } lookups[] = {
        {{.reference = "ref"}, "mac"},
        {{.reference = "re"}, NULL},
        {{.reference = ""}, NULL},
        {{.reference = "0123456789012345678901234567890123456789"}, NULL},
        {{.fingerprint = "fingerprint", .subject = "CN=NF"}, "pinned"},
        {{.fingerprint = "other", .subject = "CN=NF"}, "vendor-new"},
        {{.fingerprint = "other", .subject = "CN=nf"}, NULL},
        {{.fingerprint = "other", .subject = "CN=NF", .public_key = "spki"}, "key"},
        {{.fingerprint = "other", .subject = "CN=nf", .public_key = "spk"}, NULL},
    };
    struct lookup old = {.fingerprint = "x", .subject = "CN=NF"};
    struct lookup other = {.fingerprint = "fingerprint", .subject = "CN=NF"};
    char cancelled[] = "vendor-new";
    char pinned[] = "pinned";
    char nobody[] = "nobody";
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_ok(verb_call(store, verb_register, &rows[i], &e), &e);
        assert_err(verb_call(store, verb_register, &rows[i], &e), ERR_CONFLICT, &e);
    }
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        struct lookup *l = &lookups[i].query;

        assert_ok(verb_call(store, verb_lookup, l, &e), &e);
        assert_int_equal(l->found, lookups[i].expected != NULL);
        if (l->found) {
            assert_string_equal(l->out.id, lookups[i].expected);
        }
        requests_registration_clear(&l->out);
    }
    assert_ok(verb_call(store, verb_cancel, cancelled, &e), &e);
    assert_ok(verb_call(store, verb_cancel, cancelled, &e), &e);
    assert_err(verb_call(store, verb_cancel, nobody, &e), ERR_NOTFOUND, &e);
    assert_ok(verb_call(store, verb_lookup, &old, &e), &e);
    assert_string_equal(old.out.id, "vendor-old");
    requests_registration_clear(&old.out);
    assert_ok(verb_call(store, verb_cancel, pinned, &e), &e);
    assert_ok(verb_call(store, verb_lookup, &other, &e), &e);
    assert_string_equal(other.out.id, "vendor-old"); /* not the cancelled one that is pinned */
    requests_registration_clear(&other.out);
}

struct page {
    struct requests_filter filter;
    char ids[256];
};

static void
page_visit(void *arg, const struct requests_registration *r)
{
    struct page *page = arg;
    size_t n = strlen(page->ids);

    assert_int_equal(r->json.n, 0);
    (void)snprintf(page->ids + n, sizeof(page->ids) - n, "%s ", r->id);
}

static int
verb_page(struct store_db *db, void *arg, struct err *e)
{
    struct page *page = arg;

    page->ids[0] = '\0';
    return requests_registration_each(db, &page->filter, page_visit, page, e);
}

static void
registrations_are_listed_by_page_and_by_what_they_are(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(verb_end_cleanup) struct store *store = verb_store(dir);
    struct registering rows[] = {
        {ID, "ref", "", NULL, 1, 1, NULL, NULL}, {"b", "", "", NULL, 1, 2, NULL, NULL},
        {"d", "", "", NULL, 1, 3, NULL, NULL},   {"c", "", "", NULL, 1, 3, NULL, NULL},
        {"e", "", "", NULL, 1, 4, NULL, NULL},
    };
    struct {
        struct requests_filter filter;
        const char *expected;
    } pages[] = {
        {{.limit = 2}, "e d "},
        {{.limit = 2, .after = "d"}, "c b "}, /* the same second does not end a page early */
        {{.limit = 2, .after = "b"}, ID " "},
        {{.limit = 2, .after = ID}, ""},
        {{.limit = 9, .standing = REQUESTS_CANCELLED}, "c "},
        {{.limit = 9, .standing = REQUESTS_USED}, ID " "},
        {{.limit = 9, .standing = REQUESTS_OPEN}, "e d b "},
        {{.limit = 9, .standing = REQUESTS_EXPIRED}, ""},
        {{.limit = 9, .standing = REQUESTS_EXPIRED, .now = 5001}, "e d b " ID " "},
        {{.limit = 9, .nf_instance = "nf"}, "e d c b " ID " "},
        {{.limit = 9, .nf_instance = "another"}, ""},
    };
    struct page unknown = {.filter = {.limit = 1, .after = "nobody"}};
    struct admitting in = {.identity = "mac:ref", .tid = "tid", .rid = {1}};
    char cancelled[] = "c";
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_ok(verb_call(store, verb_register, &rows[i], &e), &e);
    }
    assert_ok(verb_call(store, verb_admit, &in, &e), &e);
    assert_ok(verb_call(store, verb_cancel, cancelled, &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct page page = {.filter = pages[i].filter};

        assert_ok(verb_call(store, verb_page, &page, &e), &e);
        assert_string_equal(page.ids, pages[i].expected);
    }
    assert_err(verb_call(store, verb_page, &unknown, &e), ERR_NOTFOUND, &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registration_is_found_by_what_the_message_shows),
        cmocka_unit_test(registrations_are_listed_by_page_and_by_what_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
