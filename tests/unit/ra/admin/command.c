/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators ask over the local socket: lists, bundles, registrations alone and in
 * batches. */
#include "ra/admin/command.h"

#include <string.h>

#include "ca/cmp/message/failure.h"
#include "ca/link/admin.h"
#include "ra/admin/closing.h"
#include "tests/unit/ra/admin/asking.h"
#include "tests/unit/ra/lot.h"

/* ---- what cannot be asked ---- */

static void
a_command_says_what_it_lacks(void **state)
{
    struct running *w = *state;
    const struct {
        const char *request;
        enum err_code code;
        const char *why;
    } rows[] = {
        {"{\"command\":\"nonsense\"}", ERR_INPUT, "unknown command"},
        {"{\"command\":\"Register\"}", ERR_INPUT, "unknown command"},
        {"{\"command\":\"register\"}", ERR_INPUT, "register: \"cms\" (base64) is missing"},
        {"{\"command\":\"register\",\"cms\":1}", ERR_INPUT, "cms: must be text"},
        {"{\"command\":\"register\",\"cms\":\"-\"}", ERR_INPUT, "register: "},
        {"{\"command\":\"register\",\"cms\":\"aGVsbG8=\"}", ERR_INPUT, "registration"},
        {"{\"command\":\"cancel\"}", ERR_INPUT, "cancel: \"cms\" (base64) is missing"},
        {"{\"command\":\"cancel\",\"cms\":null}", ERR_INPUT, "cms: must be text"},
        {"{\"command\":\"cancel\",\"cms\":\"-\"}", ERR_INPUT, "cancel: "},
        {"{\"command\":\"cancel\",\"cms\":\"aGVsbG8=\"}", ERR_INPUT, "cancellation"},
        {"{\"command\":\"import\"}", ERR_INPUT, "import: \"manifest\" (base64) is missing"},
        {"{\"command\":\"import\",\"manifest\":{}}", ERR_INPUT, "manifest: must be text"},
        {"{\"command\":\"import\",\"manifest\":\"-\"}", ERR_INPUT, "import: "},
        {"{\"command\":\"import\",\"manifest\":\"aGVsbG8=\"}", ERR_INPUT, "manifest"},
        {"{\"command\":\"show\"}", ERR_INPUT, "id: must be the 32 hexadecimal digits"},
        {"{\"command\":\"show\",\"id\":7}", ERR_INPUT, "id: must be text"},
        {"{\"command\":\"show\",\"id\":\"0\"}", ERR_INPUT, "id: must be the 32 hexadecimal digits"},
        {"{\"command\":\"show\",\"id\":\"" NO_ID "\"}", ERR_NOTFOUND,
         "no registration " NO_ID "; 'list' shows them all"},
        {"{\"command\":\"bundle\"}", ERR_INPUT, "id: must be the 32 hexadecimal digits"},
        {"{\"command\":\"bundle\",\"id\":\"" NO_ID "\"}", ERR_NOTFOUND, "no registration " NO_ID},
        {"{\"command\":\"list\",\"state\":1}", ERR_INPUT, "state: must be text"},
        {"{\"command\":\"list\",\"after\":1}", ERR_INPUT, "after: must be text"},
        {"{\"command\":\"list\",\"nfInstanceId\":1}", ERR_INPUT, "nfInstanceId: must be text"},
        {"{\"command\":\"list\",\"limit\":\"1\"}", ERR_INPUT, "limit: must be a number"},
        {"{\"command\":\"list\",\"limit\":1.0}", ERR_INPUT, "limit: must be a number"},
        {"{\"command\":\"list\",\"limit\":0}", ERR_INPUT, "limit: must be 1..1000"},
        {"{\"command\":\"list\",\"limit\":1001}", ERR_INPUT, "limit: must be 1..1000"},
        {"{\"command\":\"list\",\"limit\":4294967297}", ERR_INPUT, "limit: must be 1..1000"},
        {"{\"command\":\"list\",\"state\":\"any\"}", ERR_INPUT, "state: must be open, used"},
        {"{\"command\":\"list\",\"nfInstanceId\":\"x\"}", ERR_INPUT, "must be a UUID"},
        {"{\"command\":\"list\",\"after\":\"x\"}", ERR_INPUT, "after: must be the id"},
        {"{\"command\":\"list\",\"after\":\"" NO_ID "\"}", ERR_NOTFOUND, ""},
        {"{\"command\":\"certificates\",\"after\":\"1\"}", ERR_INPUT,
         "after: must be the \"next\" of the page before"},
        {"{\"command\":\"certificates\",\"after\":-1}", ERR_INPUT, "after: must be the"},
        {"{\"command\":\"certificates\",\"limit\":0}", ERR_INPUT, "limit: must be 1..200"},
        {"{\"command\":\"certificates\",\"limit\":201}", ERR_INPUT, "limit: must be 1..200"},
        {"{\"command\":\"certificates\",\"limit\":\"1\"}", ERR_INPUT, "limit: must be 1..200"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        asking_is_refused(w, json_loads(rows[i].request, 0, NULL), rows[i].code, rows[i].why);
    }
    assert_int_equal(w->asked[LINK_REGISTER] + w->asked[LINK_CANCEL], 0);
}

/* ---- list, show, bundle ---- */

static void
a_list_has_pages(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(admin_json_cleanup) json_t *one = NULL;
    CLEANUP(admin_json_cleanup) json_t *two = NULL;
    CLEANUP(admin_json_cleanup) json_t *of = NULL;
    CLEANUP(admin_json_cleanup) json_t *none = NULL;
    const char *next;
    const json_t *row;

    one = asking_is_taken(w, json_pack("{s:s, s:i}", "command", "list", "limit", 1));
    assert_int_equal(json_array_size(json_object_get(one, "registrations")), 1);
    next = json_string_value(json_object_get(one, "next"));
    row = json_array_get(json_object_get(one, "registrations"), 0);
    assert_string_equal(next, json_string_value(json_object_get(row, "id")));
    assert_non_null(json_object_get(row, "reference"));
    assert_null(json_object_get(row, "registration"));
    two = asking_is_taken(
        w, json_pack("{s:s, s:i, s:s}", "command", "list", "limit", 1, "after", next));
    row = json_array_get(json_object_get(two, "registrations"), 0);
    assert_string_not_equal(next, json_string_value(json_object_get(row, "id")));
    of = asking_is_taken(w, json_pack("{s:s, s:s, s:s}", "command", "list", "nfInstanceId",
                                      m.instance, "state", "open"));
    assert_int_equal(json_array_size(json_object_get(of, "registrations")), 1);
    assert_null(json_object_get(of, "next"));
    none = asking_is_taken(w, json_pack("{s:s, s:s, s:s}", "command", "list", "nfInstanceId",
                                        n.instance, "state", "used"));
    assert_int_equal(json_array_size(json_object_get(none, "registrations")), 0);
}

/* Of each state the one that is in it, and as many as may be asked for. */
static void
a_list_is_of_those_in_a_state(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const struct {
        const char *state;
        const char *sql;
    } rows[] = {
        {"open", "UPDATE registration SET used = 0 WHERE id = ?"},
        {"used", "UPDATE registration SET used = certificates WHERE id = ?"},
        {"expired", "UPDATE registration SET used = 0, not_after = 1 WHERE id = ?"},
        {"cancelled", "UPDATE registration SET cancelled = 1 WHERE id = ?"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        running_sql(w, rows[i].sql, STORE_VALUES(store_text(m.id)));
        for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
            CLEANUP(admin_json_cleanup)
            json_t *list = asking_is_taken(w, json_pack("{s:s, s:s, s:s, s:i}", "command", "list",
                                                        "nfInstanceId", m.instance, "state",
                                                        rows[k].state, "limit", 1000));

            if (json_array_size(json_object_get(list, "registrations")) != (k == i)) {
                fail_msg("%s, asked for %s", rows[i].state, rows[k].state);
            }
        }
    }
}

static void
a_bundle_says_where_and_whom_to_ask(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(admin_json_cleanup) json_t *show = NULL;
    CLEANUP(admin_json_cleanup) json_t *bundle = NULL;
    CLEANUP(admin_json_cleanup) json_t *tls = NULL;
    CLEANUP(mem_cleanup) char *root = base64_dup(buf_span(&w->ra.credentials.root_der));
    const size_t n = w->settings->public_url.n;
    struct err e = {0};

    show = asking_is_taken(w, json_pack("{s:s, s:s}", "command", "show", "id", m.id));
    assert_string_equal(json_string_value(json_object_get(show, "nfInstanceId")), m.instance);
    assert_non_null(json_object_get(show, "registration"));
    assert_null(json_object_get(show, "root"));
    bundle = asking_is_taken(w, json_pack("{s:s, s:s}", "command", "bundle", "id", m.id));
    assert_string_equal(json_string_value(json_object_get(bundle, "root")), root);
    assert_int_equal(json_array_size(json_object_get(bundle, "publicUrls")), 1);
    assert_null(json_object_get(bundle, "tlsRoot"));
    assert_ok(buf_append_str(&w->ra.credentials.tls_root, "PEM", &e), &e);
    tls = asking_is_taken(w, json_pack("{s:s, s:s}", "command", "bundle", "id", m.id));
    buf_truncate(&w->ra.credentials.tls_root, 0);
    assert_string_equal(json_string_value(json_object_get(tls, "tlsRoot")), "PEM");
    w->settings->public_url.n = 0;
    asking_is_refused(w, json_pack("{s:s, s:s}", "command", "bundle", "id", m.id), ERR_DENIED,
                      "set 'public_url' in nfpki-ra.conf");
    w->settings->public_url.n = n;
}

/* ---- status ---- */

/* Its key is a file, and seals no pages; status.c has one that does. */
static void
a_file_that_is_not_sealed_is_said(void **state)
{
    CLEANUP(admin_json_cleanup)
    json_t *answer = asking_is_taken(*state, json_pack("{s:s}", "command", "status"));
    const char *seals = NULL;
    int pages = -1;
    int seen = -1;

    assert_int_equal(json_unpack(answer, "{s:{s:s, s:i}, s:{s:i, s:n, s:n}}", "seals", "state",
                                 &seals, "pages", &pages, "scrub", "lastSeen", &seen, "begun",
                                 "lastEnded"),
                     0);
    assert_string_equal(seals, "no key");
    assert_true(pages > 0);
    assert_int_equal(seen, 0);
}

/* ---- register ---- */

static void
a_registration_is_the_cas_to_take(void **state)
{
    struct running *w = *state;
    const struct {
        const char *name;
        unsigned fail_info;
        enum err_code code;
    } rows[] = {{"duplicate", CMP_DUPLICATE_CERT_REQ, ERR_CONFLICT},
                {"another reason", CMP_NOT_AUTHORIZED, ERR_DENIED}};
    CLEANUP(buf_free) struct buf cms = {0};
    CLEANUP(mem_cleanup) char *document = NULL;
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    char instance[37];

    running_instance(instance);
    document = running_document(instance, "", 1);
    cms = running_signed(w, document);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        asking_ca.refused = LINK_REGISTER;
        asking_ca.fail_info = rows[i].fail_info;
        asking_is_refused(w, asking_with_cms("register", buf_span(&cms)), rows[i].code,
                          "the CA says: not by this CA");
    }
    asking_ca.refused = 0;
    asking_ca.busy = LINK_REGISTER;
    asking_is_refused(w, asking_with_cms("register", buf_span(&cms)), ERR_BUSY,
                      "the CA did not answer: repeat the command");
    asking_ca.busy = 0;
    answer = asking_is_taken(w, asking_with_cms("register", buf_span(&cms)));
    asking_is_refused(w, asking_with_cms("register", buf_span(&cms)), ERR_CONFLICT,
                      "this file is registered already as");
}

/* ---- cancel ---- */

static void imports_without_its_database(struct running *);

/* A database that cannot be read or written any more ends the program: what is durable is found at
 * the next start. */
static void
a_database_that_is_gone_ends_the_ra(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    const struct err again = {.code = ERR_STORE, .text = "once more"};

    asking_ca.busy = LINK_CANCEL;
    asking_cancels_in_vain(w, m.id, ERR_BUSY, "cancelled here; the CA did not answer");
    asking_ca.busy = 0;
    running_sql(w, "ALTER TABLE registration RENAME COLUMN cancellation TO gone", STORE_NO_VALUES);
    closing_run(w->ra.closing); /* cannot read what is to be told */
    running_settle(w);
    assert_true(w->ra.failed);
    assert_int_equal(tap_count("\"store-failed\""), 1);
    ra_fail(&w->ra, &again); /* it is said once */
    assert_int_equal(tap_count("\"store-failed\""), 1);
    w->asked[LINK_CANCEL] = 0;
    running_sql(w, "ALTER TABLE registration RENAME COLUMN gone TO cancellation", STORE_NO_VALUES);
    closing_run(w->ra.closing); /* nothing more is begun */
    running_settle(w);
    assert_int_equal(w->asked[LINK_CANCEL], 0);
    w->ra.failed = false;
    running_sql(w,
                "CREATE TRIGGER no_end BEFORE UPDATE OF closed ON registration BEGIN SELECT "
                "RAISE(ABORT, 'no'); END",
                STORE_NO_VALUES);
    closing_run(w->ra.closing); /* cannot keep that the CA has it */
    running_settle(w);
    assert_true(w->ra.failed);
    w->ra.failed = false;
    asking_cancels_in_vain(w, m.id, ERR_DENIED, "no");
    running_sql(w, "DROP TRIGGER no_end", STORE_NO_VALUES);
    imports_without_its_database(w);
    running_sql(w, "ALTER TABLE signed RENAME COLUMN json TO gone", STORE_NO_VALUES);
    asking_is_refused(w, json_pack("{s:s, s:s}", "command", "show", "id", n.id), ERR_STORE, "");
    running_sql(w, "ALTER TABLE signed RENAME COLUMN gone TO json", STORE_NO_VALUES);
    assert_true(w->ra.failed);
    w->ra.failed = false;
    closing_run(w->ra.closing);
    running_settle(w);
    assert_int_equal(asking_is_closed(w, m.id), 1);
}

/* ---- import ---- */

/* So many lines; the line `bad` has no home domain, and `changed` was changed after signing. */
static json_t *
import_request(const struct lot *l)
{
    CLEANUP(mem_cleanup) char *base64 = base64_dup(buf_span(&l->manifest));

    return json_pack("{s:s, s:s}", "command", "import", "manifest", base64);
}

static void
is_not_imported(struct running *w, const struct lot *l, struct span text, enum err_code code,
                const char *why)
{
    CLEANUP(admin_json_cleanup) json_t *rows = NULL;
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    struct err e = {0};

    answer = running_ask_rows(w, import_request(l), text, &rows, &e);
    if (answer != NULL || json_array_size(rows) != 0 || e.code != code ||
        strstr(e.text, why) == NULL) {
        fail_msg("\"%s\" instead of \"%s\"", e.text, why);
    }
}

static void
counts(const json_t *summary, size_t registered, size_t known, size_t refused, size_t busy)
{
    const struct {
        const char *name;
        size_t n;
    } rows[] = {{"registrations", registered + known + refused + busy},
                {"registered", registered},
                {"known", known},
                {"refused", refused},
                {"busy", busy}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (json_integer_value(json_object_get(summary, rows[i].name)) != (json_int_t)rows[i].n) {
            fail_msg("%s: %lld instead of %zu", rows[i].name,
                     (long long)json_integer_value(json_object_get(summary, rows[i].name)),
                     rows[i].n);
        }
    }
}

/* More than one chunk of checks (100), and more than the window (64). */
static void
a_batch_is_registered_whole(void **state)
{
    struct running *w = *state;
    CLEANUP(lot_free) struct lot l = lot_good(w, 101);
    CLEANUP(admin_json_cleanup) json_t *rows = NULL;
    CLEANUP(admin_json_cleanup) json_t *again = NULL;
    CLEANUP(admin_json_cleanup) json_t *summary = NULL;
    CLEANUP(admin_json_cleanup) json_t *twice = NULL;
    bool seen[101] = {false};
    const json_t *row;
    struct err e = {0};
    size_t i;

    summary = running_ask_rows(w, import_request(&l), buf_span(&l.text), &rows, &e);
    if (summary == NULL) {
        fail_msg("%s", e.text);
    }
    counts(summary, 101, 0, 0, 0);
    assert_int_equal(json_array_size(rows), 101);
    json_array_foreach(rows, i, row)
    {
        const size_t index = (size_t)json_integer_value(json_object_get(row, "index"));

        assert_true(index < 101 && !seen[index]);
        seen[index] = true;
        assert_string_equal(json_string_value(json_object_get(row, "result")), "registered");
        assert_non_null(json_string_value(json_object_get(row, "secret")));
        assert_non_null(json_string_value(json_object_get(row, "reference")));
        assert_null(json_object_get(row, "reason"));
    }
    assert_int_equal(w->asked[LINK_REGISTER], 101);
    assert_int_equal(tap_count("\"registered\""), 101);
    tap_need("101 registrations: 101 new, 0 known, 0 refused by uid ");
    twice = running_ask_rows(w, import_request(&l), buf_span(&l.text), &again, &e);
    counts(twice, 0, 101, 0, 0);
    assert_int_equal(tap_count("\"registered\""), 101);
    assert_false(tap_has("\"registration-refused\""));
    row = json_array_get(again, 0);
    assert_string_equal(json_string_value(json_object_get(row, "result")), "known");
    assert_null(json_object_get(row, "secret"));
    assert_null(json_object_get(row, "reason"));
    assert_non_null(json_object_get(row, "id"));
}

static void
of_a_batch_that_is_wrong_nothing_is_registered(void **state)
{
    struct running *w = *state;
    CLEANUP(lot_free) struct lot two = lot_good(w, 2);
    CLEANUP(lot_free) struct lot bad = lot_new(101, 100, w->registrar, w->registrar_key);
    CLEANUP(lot_free) struct lot first = lot_new(2, 0, w->registrar, w->registrar_key);
    CLEANUP(lot_free) struct lot officer = lot_new(1, SIZE_MAX, w->officer, w->officer_key);
    CLEANUP(lot_free) struct lot stranger = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *nobody = running_officer(w, "registrar", "Nobody", key);
    const size_t line = (size_t)((uint8_t *)memchr(two.text.p, '\n', two.text.n) - two.text.p) + 1;

    stranger = lot_new(1, SIZE_MAX, nobody, key);
    is_not_imported(w, &two, span_of(two.text.p, line), ERR_INPUT,
                    "batch.registrations: the manifest says 2, the file has 1: not this file was "
                    "signed");
    is_not_imported(w, &two, span_of(NULL, 0), ERR_INPUT, "");
    two.text.p[line + 20] ^= 1;
    is_not_imported(w, &two, buf_span(&two.text), ERR_INPUT,
                    "batch.root: the file was changed after the manifest was signed");
    is_not_imported(w, &bad, buf_span(&bad.text), ERR_INPUT, "registrations[100].nfInstanceId");
    is_not_imported(w, &first, buf_span(&first.text), ERR_INPUT, "registrations[0].nfInstanceId");
    is_not_imported(w, &officer, buf_span(&officer.text), ERR_DENIED,
                    "manifest: the signer's role is officer by the CA's record: a registrar signs");
    is_not_imported(w, &stranger, buf_span(&stranger.text), ERR_DENIED,
                    "manifest: the signer's role is none by the CA's record: a registrar signs");
    stranger.manifest.p[stranger.manifest.n - 1] ^= 1;
    is_not_imported(w, &stranger, buf_span(&stranger.text), ERR_CRYPTO, "");
    assert_int_equal(w->asked[LINK_REGISTER], 0);
}

static void
each_registration_of_a_batch_has_its_own_end(void **state)
{
    struct running *w = *state;
    CLEANUP(lot_free) struct lot l = lot_good(w, 3);
    CLEANUP(admin_json_cleanup) json_t *rows = NULL;
    CLEANUP(admin_json_cleanup) json_t *busy_rows = NULL;
    CLEANUP(admin_json_cleanup) json_t *summary = NULL;
    CLEANUP(admin_json_cleanup) json_t *busy = NULL;
    const json_t *row;
    struct err e = {0};

    asking_ca.refused = LINK_REGISTER;
    asking_ca.fail_info = CMP_NOT_AUTHORIZED;
    summary = running_ask_rows(w, import_request(&l), buf_span(&l.text), &rows, &e);
    counts(summary, 0, 0, 3, 0);
    assert_int_equal(tap_count("\"registration-refused\""), 3);
    tap_need("3 registrations: 0 new, 0 known, 3 refused by uid ");
    row = json_array_get(rows, 0);
    assert_string_equal(json_string_value(json_object_get(row, "result")), "refused");
    assert_string_equal(json_string_value(json_object_get(row, "reason")),
                        "the CA says: not by this CA");
    assert_null(json_object_get(row, "secret"));
    asking_ca.refused = 0;
    running_ca_goes(w);
    running_until(w, running_is_down);
    running_forget_roles(
        w); /* it may be a registrar's: each registration says that the CA is away */
    busy = running_ask_rows(w, import_request(&l), buf_span(&l.text), &busy_rows, &e);
    counts(busy, 0, 0, 0, 3);
    row = json_array_get(busy_rows, 0);
    assert_string_equal(json_string_value(json_object_get(row, "result")), "busy");
    assert_non_null(json_object_get(row, "reason"));
}

/* Each registration has its reason, and the program ends. */
static void
imports_without_its_database(struct running *w)
{
    static const struct {
        const char *spoil;
        const char *mend;
    } rows[] = {{"ALTER TABLE registration RENAME COLUMN nf_instance TO gone", /* is it known? */
                 "ALTER TABLE registration RENAME COLUMN gone TO nf_instance"},
                {"CREATE TRIGGER no_row BEFORE INSERT ON registration BEGIN DELETE FROM nowhere; "
                 "END",
                 "DROP TRIGGER no_row"}};
    CLEANUP(lot_free) struct lot l = lot_good(w, 1);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(admin_json_cleanup) json_t *answer = NULL;
        CLEANUP(admin_json_cleanup) json_t *reasons = NULL;
        struct err e = {0};

        w->asked[LINK_REGISTER] = 0;
        running_sql(w, rows[i].spoil, STORE_NO_VALUES);
        answer = running_ask_rows(w, import_request(&l), buf_span(&l.text), &reasons, &e);
        running_sql(w, rows[i].mend, STORE_NO_VALUES);
        counts(answer, 0, 0, 1, 0);
        assert_int_equal(w->asked[LINK_REGISTER], i); /* first it is looked for */
        assert_true(w->ra.failed);
        w->ra.failed = false;
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_command_says_what_it_lacks, asking_reset),
        cmocka_unit_test_setup(a_list_has_pages, asking_reset),
        cmocka_unit_test_setup(a_list_is_of_those_in_a_state, asking_reset),
        cmocka_unit_test_setup(a_bundle_says_where_and_whom_to_ask, asking_reset),
        cmocka_unit_test_setup(a_file_that_is_not_sealed_is_said, asking_reset),
        cmocka_unit_test_setup(a_registration_is_the_cas_to_take, asking_reset),
        cmocka_unit_test_setup(a_database_that_is_gone_ends_the_ra, asking_reset),
        cmocka_unit_test_setup(a_batch_is_registered_whole, asking_reset),
        cmocka_unit_test_setup(of_a_batch_that_is_wrong_nothing_is_registered, asking_reset),
        cmocka_unit_test_setup(each_registration_of_a_batch_has_its_own_end, asking_reset),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
