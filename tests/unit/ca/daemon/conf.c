/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ca.conf(5): what each option may be, and what its reader is told. */
#include "ca/daemon/conf.h"

#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

/* The least that is needed; an option of a test takes the place of its line, or comes behind. */
static const struct {
    const char *option;
    const char *value;
} needed[] = {
    {"state_dir", "\"state\""},
    {"ledger_dir", "\"ledger\""},
    {"log_origin", "\"log.test/ca\""},
    {"issuing_certificate", "\"issuing.pem\""},
    {"root_certificate", "\"/r.pem\""},
    {"root_crl", "\"root.crl\""},
    {"signer_program", "\"signer\""},
    {"issuing_policy", "\"issuing.conf\""},
    {"log_policy", "\"log.conf\""},
    {"link_socket", "\"link.sock\""},
    {"link_users", "{0}"},
    {"admin_socket", "\"admin.sock\""},
    {"crl_dir", "\"crl\""},
    {"crl_url", "\"http://crl.test/i.crl\""},
};

enum { LAST_LINE = sizeof(needed) / sizeof(needed[0]) + 1 };

/* Writes the file with these settings ("option = value" lines of options that are not above come
 * behind it); gives the line that `option` then has. */
static int
write_conf(const char *path, const char *option, const char *value, const char *more)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CONF_FILE_MAX);
    struct err e = {0};
    int line = 0;

    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        bool is_it = option != NULL && strcmp(option, needed[i].option) == 0;
        const char *given = is_it ? value : needed[i].value;
        CLEANUP(mem_cleanup)
        char *written =
            given == NULL ? mem_strdup("\n") : mem_printf("%s = %s\n", needed[i].option, given);

        line = is_it ? (int)i + 1 : line;
        assert_ok(buf_append_str(&text, written, &e), &e);
    }
    if (option != NULL && line == 0) {
        CLEANUP(mem_cleanup) char *written = mem_printf("%s = %s\n", option, value);

        assert_ok(buf_append_str(&text, written, &e), &e);
        line = LAST_LINE;
    }
    assert_ok(buf_append_str(&text, more, &e), &e);
    assert_ok(file_write(path, buf_span(&text), 0600, &e), &e);
    return line;
}

static void
must_load(const char *path, struct ca_conf *c)
{
    struct err e = {0};

    assert_ok(ca_conf_load(path, c, &e), &e);
}

/* `reason` begins behind "PATH:LINE: ". */
static void
must_refuse(const char *path, int line, const char *reason)
{
    struct ca_conf c;
    struct err e = {0};
    CLEANUP(mem_cleanup)
    char *wanted = mem_printf("%s:%d: %s", path, line, reason);

    assert_err(ca_conf_load(path, &c, &e), ERR_INPUT, &e);
    if (strcmp(e.text, wanted) != 0) {
        fail_msg("\"%s\" instead of \"%s\"", e.text, wanted);
    }
}

static void
what_is_not_said_is_the_default(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);
    CLEANUP(mem_cleanup) char *database = mem_printf("%s/state/ca.db", dir);
    CLEANUP(ca_conf_free) struct ca_conf c = {0};

    (void)state;
    (void)write_conf(path, NULL, NULL, "");
    must_load(path, &c);
    assert_string_equal(c.database, database);
    assert_string_equal(c.root_certificate, "/r.pem");
    assert_string_equal(c.log_origin, "log.test/ca");
    assert_string_equal(c.crl_url, "http://crl.test/i.crl");
    assert_int_equal(c.signer_timeout_ms, 10000);
    assert_int_equal(c.crl_validity_s, 168 * 3600);
    assert_int_equal(c.crl_overlap_s, 96 * 3600);
    assert_int_equal(c.backdate_s, 300);
    assert_int_equal(c.message_window_s, 300);
    assert_int_equal(c.workers, 2);
    assert_int_equal(c.renewal_window, 66);
    assert_int_equal(c.confirm_wait_s, 900);
    assert_int_equal(c.expired_renewal_days, 0);
    assert_int_equal(c.approval_s, 7 * 24 * 3600);
    assert_int_equal(c.approval_check_after_s, 60);
    assert_int_equal(c.scrub_share, 1);
    assert_true(c.revoke_unconfirmed);
    assert_true(c.reenrolment);
    assert_false(c.allow_same_key_renewal);
    assert_false(c.retry_rejected);
    assert_false(c.lab_profiles);
    assert_false(c.message_required);
    assert_null(c.profiles);
    assert_null(c.blocked);
    assert_int_equal(c.n_home_domains + c.n_fqdn_suffixes + c.n_registrar_policies +
                         c.n_officer_policies + c.n_witnesses + c.trust.n,
                     0);
}

static void
what_is_needed_must_be_there_and_not_empty(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        const char *option = needed[i].option;
        bool is_list = strcmp(option, "link_users") == 0;
        CLEANUP(mem_cleanup)
        char *reason = is_list ? mem_strdup("link_users: 1 to 8 users are expected")
                               : mem_printf("option '%s' is missing or empty", option);

        /* What has no value is nowhere, so it is missed at the end. */
        (void)write_conf(path, option, is_list ? "{}" : NULL, "");
        must_refuse(path, LAST_LINE - 1, reason);
        if (!is_list) {
            must_refuse(path, write_conf(path, option, "\"\"", ""), reason);
        }
    }
}

/* ---- signers ---- */

static void
a_signer_is_started_or_a_service(void **state)
{
    static const struct {
        const char *option;
        const char *value; /* NULL: it is left out */
        const char *more;
        bool issuing; /* is a service */
        bool log;
        const char *reason; /* NULL: it is read */
    } rows[] = {
        {NULL, NULL, "", false, false, NULL},
        {"issuing_policy", NULL, "issuing_socket = \"i.sock\"\n", true, false, NULL},
        {"log_policy", NULL, "log_socket = \"/l.sock\"\n", false, true, NULL},
        {NULL, NULL, "issuing_socket = \"i.sock\"\n", false, false,
         "issuing_socket: issuing_policy is there, too, and one of them is right"},
        {NULL, NULL, "log_socket = \"l.sock\"\n", false, false,
         "log_socket: log_policy is there, too, and one of them is right"},
        {"log_policy", NULL, "log_socket = \"\"\n", false, false,
         "option 'log_socket' is missing or empty"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);
    CLEANUP(mem_cleanup) char *socket = mem_printf("%s/i.sock", dir);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(ca_conf_free) struct ca_conf c = {0};

        (void)write_conf(path, rows[i].option, rows[i].value, rows[i].more);
        if (rows[i].reason != NULL) {
            must_refuse(path, LAST_LINE, rows[i].reason);
            continue;
        }
        must_load(path, &c);
        assert_non_null(c.signer_program);
        assert_int_equal(c.n_issuing, 1);
        assert_int_equal(c.issuing[0].socket != NULL, rows[i].issuing);
        assert_int_equal(c.issuing[0].policy == NULL, rows[i].issuing);
        assert_int_equal(c.log.socket != NULL, rows[i].log);
        assert_int_equal(c.log.policy == NULL, rows[i].log);
        assert_string_equal(ca_signer_name(&c.log), rows[i].log ? "/l.sock" : c.log.policy);
        assert_true(!rows[i].issuing || strcmp(c.issuing[0].socket, socket) == 0);
    }
}

/* The place of one that is gone stays empty, so that the others keep theirs. */
static void
several_signers_hold_the_issuing_key(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);
    CLEANUP(mem_cleanup) char *first = mem_printf("%s/a.conf", dir);
    CLEANUP(mem_cleanup) char *twice = mem_printf("{\"a.conf\", \"b.conf\", \"%s\"}", first);
    CLEANUP(mem_cleanup) char *again = mem_printf("issuing_policy: \"%s\" is there twice", first);
    CLEANUP(buf_free) struct buf many = BUF_INIT(CONF_FILE_MAX);
    CLEANUP(ca_conf_free) struct ca_conf c = {0};
    struct err e = {0};
    int line;

    (void)state;
    (void)write_conf(path, "issuing_policy", "{\"a.conf\", \"\", \"/b.conf\"}", "");
    must_load(path, &c);
    assert_int_equal(c.n_issuing, 2);
    assert_string_equal(ca_signer_name(&c.issuing[0]), first);
    assert_int_equal(c.issuing[0].number, 0);
    assert_string_equal(ca_signer_name(&c.issuing[1]), "/b.conf");
    assert_int_equal(c.issuing[1].number, 2);
    line = write_conf(path, "issuing_policy", "{\"\", \"\"}", "");
    must_refuse(path, line, "option 'issuing_policy' is missing or empty");
    line = write_conf(path, "issuing_policy", twice, "");
    must_refuse(path, line, again);
    for (int i = 0; i <= SIGNER_POOL_MAX; i++) {
        assert_ok(buf_append_str(&many, i == 0 ? "{p" : ", p", &e), &e);
    }
    assert_ok(buf_append(&many, span_of("}", 2), &e), &e);
    line = write_conf(path, "issuing_policy", (const char *)many.p, "");
    must_refuse(path, line, "issuing_policy: at most 32");
}

/* Then no program is started. */
static void
two_services_need_no_program(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);
    CLEANUP(buf_free) struct buf text = BUF_INIT(CONF_FILE_MAX);
    CLEANUP(ca_conf_free) struct ca_conf c = {0};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        const char *option = needed[i].option;
        CLEANUP(mem_cleanup)
        char *line =
            strcmp(option, "signer_program") == 0   ? mem_strdup("")
            : strcmp(option, "issuing_policy") == 0 ? mem_strdup("issuing_socket = \"i\"\n")
            : strcmp(option, "log_policy") == 0     ? mem_strdup("log_socket = \"l\"\n")
                                                : mem_printf("%s = %s\n", option, needed[i].value);

        assert_ok(buf_append_str(&text, line, &e), &e);
    }
    assert_ok(file_write(path, buf_span(&text), 0600, &e), &e);
    must_load(path, &c);
    assert_null(c.signer_program);
    assert_non_null(c.issuing[0].socket);
    assert_non_null(c.log.socket);
}

/* ---- numbers ---- */

static void
numbers_have_their_limits(void **state)
{
    static const struct {
        const char *option;
        long min;
        long max;
        long highest; /* that is right with the others */
        size_t at;
        int factor;
        const char *more;
    } rows[] = {
        {"signer_timeout_ms", 100, 600000, 600000, offsetof(struct ca_conf, signer_timeout_ms), 1,
         ""},
        {"crl_validity_hours", 1, 8784, 8784, offsetof(struct ca_conf, crl_validity_s), 3600,
         "crl_overlap_hours = 0\n"},
        {"crl_overlap_hours", 0, 8784, 8783, offsetof(struct ca_conf, crl_overlap_s), 3600,
         "crl_validity_hours = 8784\n"},
        {"backdate", 60, 3600, 3600, offsetof(struct ca_conf, backdate_s), 1, ""},
        {"message_time_window", 1, 86400, 86400, offsetof(struct ca_conf, message_window_s), 1, ""},
        {"approval_days", 1, 31, 31, offsetof(struct ca_conf, approval_s), 86400, ""},
        {"approval_check_after", 1, 86400, 86400, offsetof(struct ca_conf, approval_check_after_s),
         1, ""},
        {"renewal_window", 0, 99, 99, offsetof(struct ca_conf, renewal_window), 1, ""},
        {"expired_renewal_days", 0, 366, 366, offsetof(struct ca_conf, expired_renewal_days), 1,
         ""},
        {"confirm_wait", 1, 2592000, 2592000, offsetof(struct ca_conf, confirm_wait_s), 1, ""},
        {"workers", 1, 64, 64, 0, 1, ""},
        {"scrub_share", 1, 50, 50, offsetof(struct ca_conf, scrub_share), 1, ""},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const long values[] = {rows[i].min - 1, 0,           1,        rows[i].min, rows[i].highest,
                               rows[i].max + 1, 2147483648L, -1000000, 4294967297L};
        CLEANUP(mem_cleanup)
        char *reason =
            mem_printf("%s: %ld to %ld are allowed", rows[i].option, rows[i].min, rows[i].max);

        for (size_t k = 0; k < ARRAY_LEN(values); k++) {
            CLEANUP(mem_cleanup) char *value = mem_printf("%ld", values[k]);
            CLEANUP(ca_conf_free) struct ca_conf c = {0};
            int line = write_conf(path, rows[i].option, value, rows[i].more);

            if (values[k] < rows[i].min || values[k] > rows[i].max) {
                must_refuse(path, line, reason);
                continue;
            }
            if (strcmp(rows[i].option, "backdate") == 0 && values[k] == 3600) {
                line = write_conf(path, rows[i].option, value, "crl_overlap_hours = 0\n");
            }
            must_load(path, &c);
            if (rows[i].at == 0) {
                assert_int_equal(c.workers, values[k]);
            } else {
                assert_int_equal(*(const int *)(const void *)((const char *)&c + rows[i].at),
                                 values[k] * rows[i].factor);
            }
        }
    }
}

static void
numbers_of_crls_fit_together(void **state)
{
    static const struct {
        const char *name;
        const char *more; /* behind backdate, which comes first */
        const char *backdate;
        const char *reason; /* NULL: fine */
        int line;
    } rows[] = {
        {"an overlap of one hour less", "crl_validity_hours = 5\ncrl_overlap_hours = 4\n", "300",
         NULL, 0},
        {"an overlap as long", "crl_validity_hours = 5\ncrl_overlap_hours = 5\n", "300",
         "crl_overlap_hours must be less than crl_validity_hours", LAST_LINE + 2},
        {"the default of the overlap is too much", "crl_validity_hours = 96\n", "300",
         "crl_overlap_hours must be less than crl_validity_hours", LAST_LINE + 1},
        {"half of an hour", "crl_validity_hours = 5\ncrl_overlap_hours = 4\n", "1800", NULL, 0},
        {"a second more", "crl_validity_hours = 5\ncrl_overlap_hours = 4\n", "1801",
         "backdate must be at most half of crl_validity_hours less crl_overlap_hours", LAST_LINE},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(ca_conf_free) struct ca_conf c = {0};

        print_message("%s\n", rows[i].name);
        (void)write_conf(path, "backdate", rows[i].backdate, rows[i].more);
        if (rows[i].reason == NULL) {
            must_load(path, &c);
        } else {
            must_refuse(path, rows[i].line, rows[i].reason);
        }
    }
}

/* ---- lists and words ---- */

/* {x, x, ...} of `n` elements of this form. */
static char *
list_of(size_t n, const char *element)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CONF_FILE_MAX);
    struct err e = {0};

    assert_ok(buf_append_str(&text, "{", &e), &e);
    for (size_t i = 0; i < n; i++) {
        CLEANUP(mem_cleanup) char *one = mem_printf("%s\"%s%zu\"", i == 0 ? "" : ", ", element, i);

        assert_ok(buf_append_str(&text, one, &e), &e);
    }
    assert_ok(buf_append_str(&text, "}", &e), &e);
    return mem_printf("%.*s", (int)text.n, (const char *)text.p);
}

static void
lists_have_their_limits_and_no_empty_elements(void **state)
{
    static const struct {
        const char *option;
        const char *element;
        size_t max;
        size_t at; /* of the count */
        const char *too_many;
        const char *empty;
    } rows[] = {
        {"home_domains", "d", CA_NAMES_MAX, offsetof(struct ca_conf, n_home_domains),
         "home_domains: at most 16", "home_domains: an empty element"},
        {"fqdn_suffixes", "d", CA_NAMES_MAX, offsetof(struct ca_conf, n_fqdn_suffixes),
         "fqdn_suffixes: at most 16", "fqdn_suffixes: an empty element"},
        {"registrar_policies", "1.3.6.1.4.1.99999.1.", CERT_POLICIES_MAX,
         offsetof(struct ca_conf, n_registrar_policies), "registrar_policies: at most 4",
         "registrar_policies: an empty element"},
        {"officer_policies", "1.3.6.1.4.1.99999.1.", CERT_POLICIES_MAX,
         offsetof(struct ca_conf, n_officer_policies), "officer_policies: at most 4",
         "officer_policies: an empty element"},
        {"link_users", "", CA_LINK_USERS_MAX, offsetof(struct ca_conf, n_link_uids),
         "link_users: 1 to 8 users are expected", "link_users: there is no user ''"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const size_t counts[] = {1, rows[i].max, rows[i].max + 1};

        for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
            CLEANUP(mem_cleanup) char *value = list_of(counts[k], rows[i].element);
            CLEANUP(ca_conf_free) struct ca_conf c = {0};
            int line = write_conf(path, rows[i].option, value, "");

            if (counts[k] > rows[i].max) {
                must_refuse(path, line, rows[i].too_many);
            } else {
                must_load(path, &c);
                assert_int_equal(*(const size_t *)(const void *)((const char *)&c + rows[i].at),
                                 counts[k]);
            }
        }
        must_refuse(path, write_conf(path, rows[i].option, "{\"\"}", ""), rows[i].empty);
    }
    for (size_t i = 0; i < 2; i++) { /* one letter is no empty element */
        CLEANUP(ca_conf_free) struct ca_conf c = {0};

        (void)write_conf(path, rows[i].option, "{\"x\"}", "");
        must_load(path, &c);
    }
}

static void
witnesses_are_keys_and_none_is_there_twice(void **state)
{
#define W1 "witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    static const struct {
        const char *value;
        const char *reason; /* NULL: none */
    } rows[] = {
        {"{}", NULL},
        {"{\"" W1 "\"}", NULL},
        {"{\"" W1 "\", \"" W1 "\"}", "witnesses: a key is there twice"},
        {"{\"x\"}", "witnesses: not a verifier key: no \"origin+keyid+key\""},
        {"{\"\"}", "witnesses: not a verifier key: 0 octets"},
        {"{\"witness.example/w2+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\"}",
         "witnesses: verifier key: the key id is not of this key"},
        {"{a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q}", "witnesses: at most 16"},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(ca_conf_free) struct ca_conf c = {0};
        const int line = write_conf(path, "witnesses", rows[i].value, "");

        if (rows[i].reason != NULL) {
            must_refuse(path, line, rows[i].reason);
        } else {
            must_load(path, &c);
            assert_int_equal(c.n_witnesses, i);
        }
    }
}

static void
users_are_numbers_or_names(void **state)
{
    static const struct {
        const char *value;
        const char *reason; /* NULL: it is `uid` */
        uid_t uid;
    } rows[] = {
        {"{root}", NULL, 0},
        {"{0}", NULL, 0},
        {"{4294967294}", NULL, 4294967294U},
        {"{4294967295}", "link_users: there is no user '4294967295'", 0},
        {"{99999999999999999999999}", "link_users: there is no user '99999999999999999999999'", 0},
        {"{\"0x\"}", "link_users: there is no user '0x'", 0},
        {"{\" 0\"}", "link_users: there is no user ' 0'", 0},
        {"{\"-1\"}", "link_users: there is no user '-1'", 0},
        {"{nobody-here}", "link_users: there is no user 'nobody-here'", 0},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(ca_conf_free) struct ca_conf c = {0};
        int line = write_conf(path, "link_users", rows[i].value, "");

        if (rows[i].reason != NULL) {
            must_refuse(path, line, rows[i].reason);
            continue;
        }
        must_load(path, &c);
        assert_int_equal(c.link_uids[0], rows[i].uid);
    }
}

static void
words_are_one_of_two(void **state)
{
    static const struct {
        const char *option;
        const char *value;
        const char *reason;
        size_t at;
        bool is;
    } rows[] = {
        {"unconfirmed", "keep", NULL, offsetof(struct ca_conf, revoke_unconfirmed), false},
        {"unconfirmed", "revoke", NULL, offsetof(struct ca_conf, revoke_unconfirmed), true},
        {"unconfirmed", "revok", "unconfirmed: \"keep\" or \"revoke\" is expected", 0, false},
        {"unconfirmed", "\"\"", "unconfirmed: \"keep\" or \"revoke\" is expected", 0, false},
        {"reenrolment", "refuse", NULL, offsetof(struct ca_conf, reenrolment), false},
        {"reenrolment", "same-identity", NULL, offsetof(struct ca_conf, reenrolment), true},
        {"reenrolment", "yes", "reenrolment: \"refuse\" or \"same-identity\" is expected", 0,
         false},
        {"retry_rejected", "true", NULL, offsetof(struct ca_conf, retry_rejected), true},
        {"allow_same_key_renewal", "true", NULL, offsetof(struct ca_conf, allow_same_key_renewal),
         true},
        {"lab_profiles", "true", NULL, offsetof(struct ca_conf, lab_profiles), true},
        {"message_time_required", "true", NULL, offsetof(struct ca_conf, message_required), true},
        {"registrar_policies", "{gold}",
         "registrar_policies: policy 'gold': not below 1.3.6.1.4.1.<your enterprise number>", 0,
         false},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(ca_conf_free) struct ca_conf c = {0};
        int line = write_conf(path, rows[i].option, rows[i].value, "");

        if (rows[i].reason != NULL) {
            must_refuse(path, line, rows[i].reason);
            continue;
        }
        must_load(path, &c);
        assert_int_equal(*((const bool *)(const void *)((const char *)&c + rows[i].at)),
                         rows[i].is);
    }
}

/* ---- files that it names, and what the file itself may not be ---- */

static void
what_it_names_is_read_with_it(void **state)
{
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.conf", dir);
    static const struct {
        const char *name;
        const char *option;
        const char *value;
        const char *more;
        const char *reason;
        enum err_code code;
    } rows[] = {
        {"profiles that are not there", "profiles", "\"p.conf\"", "", "p.conf", ERR_NOTFOUND},
        {"keys that are not there", "blocked_keys", "\"k\"", "", "/k", ERR_NOTFOUND},
        {"an anchor that is none", "backdate", "300", "trust \"x\" {\n purpose = \"vendor\"\n}\n",
         "roots: one at least", ERR_INPUT},
        {"another option", "nothing", "1", "", "no such option 'nothing'", ERR_INPUT},
        {"a word instead of a number", "backdate", "soon", "", ":15: ", ERR_INPUT},
    };
    struct ca_conf c;
    struct err e = {0};

    (void)state;
    assert_err(ca_conf_load(path, &c, &e), ERR_NOTFOUND, &e);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        (void)write_conf(path, rows[i].option, rows[i].value, rows[i].more);
        assert_err(ca_conf_load(path, &c, &e), rows[i].code, &e);
        if (strstr(e.text, rows[i].reason) == NULL || strstr(e.text, dir) == NULL) {
            fail_msg("%s: %s", rows[i].name, e.text);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_is_the_default),
        cmocka_unit_test(what_is_needed_must_be_there_and_not_empty),
        cmocka_unit_test(a_signer_is_started_or_a_service),
        cmocka_unit_test(several_signers_hold_the_issuing_key),
        cmocka_unit_test(two_services_need_no_program),
        cmocka_unit_test(numbers_have_their_limits),
        cmocka_unit_test(numbers_of_crls_fit_together),
        cmocka_unit_test(lists_have_their_limits_and_no_empty_elements),
        cmocka_unit_test(witnesses_are_keys_and_none_is_there_twice),
        cmocka_unit_test(users_are_numbers_or_names),
        cmocka_unit_test(words_are_one_of_two),
        cmocka_unit_test(what_it_names_is_read_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
