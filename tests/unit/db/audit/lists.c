/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and SQL as the user of nfpki-audit sees them: formats, limits, times and statuses. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/program_scene.h"

static void
a_list_leaves_in_each_format(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *csv = mem_printf("\"0x%s\",\"revoked\",4\r\n", s->revoked.serial);
    CLEANUP(mem_cleanup) char *raw = mem_printf("\"%s\",\"revoked\",4\r\n", s->revoked.serial);
    CLEANUP(mem_cleanup)
    char *json =
        mem_printf("\"leaf\":4,\"serial\":\"%s\",\"status\":\"revoked\"}\n", s->revoked.serial);
    static const char *const columns = "serial,status";
    const char *const dir = s->l.dir;

    assert_int_equal(RUN(s, "--ledger", dir, "list", "--columns", columns, "--format", "csv"), 0);
    assert_says(s->out, csv);
    assert_int_equal(
        RUN(s, "--ledger", dir, "list", "--columns", columns, "--format", "csv", "--raw"), 0);
    assert_says(s->out, raw);
    assert_int_equal(
        RUN(s, "--ledger", dir, "--key", key, "list", "--columns", columns, "--format", "jsonl"),
        0);
    assert_says(s->out, "{\"key\":{\"from\":\"given\",\"id\":\"");
    assert_says(s->out, json);
    assert_int_equal(RUN(s, "--ledger", dir, "list", "revocations"), 0);
    assert_says(s->out, "keyCompromise  officer\\u{1b}[2J");
    assert_says(s->out, "\nVerified\n  log          nfpki.test/audit\n  size         19 leaves\n");
}

/* Nobody takes a part for the whole, nor one day's answer for another's. */
static void
what_is_cut_and_when_it_was_asked_is_told(void **state)
{
    struct scene *s = *state;
    const char *const dir = s->l.dir;

    assert_int_equal(RUN(s, "--ledger", dir, "list", "--limit", "2"), 0);
    assert_says(s->errors, "truncated: there are more than 2 (--limit)");
    assert_int_equal(RUN(s, "--ledger", dir, "list", "--limit", "5"), 0);
    assert_null(strstr(s->errors, "truncated"));
    assert_int_equal(
        RUN(s, "--ledger", dir, "list", "--status", "live", "--as-of", "2027-01-16T08:00:01Z"), 3);
    assert_says(s->errors, "no certificates like that in this ledger");
    assert_string_equal(s->out, "");
    assert_int_equal(
        RUN(s, "--ledger", dir, "list", "--status", "live", "--as-of", "2027-01-16T08:00:00Z"), 0);
    assert_says(s->out, "\n  as of        2027-01-16T08:00:00Z\n");
    assert_int_equal(
        RUN(s, "--ledger", dir, "list", "--status", "expired", "--as-of", "2027-01-16", "--json"),
        0);
    assert_says(s->out, "{\"asOf\":\"2027-01-16T23:59:59Z\",");
    assert_int_equal(RUN(s, "--ledger", dir, "list", "--status", "expired", "--as-of", "2027-01-16",
                         "--format", "csv"),
                     0);
    assert_says(s->errors, "as of 2027-01-16T23:59:59Z");
}

static void
the_noun_may_stand_before_or_behind_filters(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *first = NULL;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "list", "requests", "--status", "revoked"), 0);
    first = mem_strdup(s->out);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "list", "--status", "revoked", "requests"), 0);
    assert_string_equal(s->out, first);
    assert_int_equal(RUN(s, "list", "--status", "revoked", "requests", "--ledger", s->l.dir), 0);
    assert_string_equal(s->out, first);
}

static void
sql_answers_and_says_what_it_rests_on(void **state)
{
    struct scene *s = *state;
    const char *const dir = s->l.dir;

    assert_int_equal(
        RUN(s, "--ledger", dir, "sql", "SELECT status, count(*) AS n FROM certificates GROUP BY 1"),
        0);
    assert_says(
        s->out,
        "status     n\nconfirmed  1\nissued     2\nrejected   1\nrevoked    1\n\nVerified\n");
    assert_int_equal(RUN(s, "--ledger", dir, "sql", "SELECT leaf FROM certificates WHERE leaf < 0"),
                     3);
    assert_int_equal(RUN(s, "--ledger", dir, "sql", "--limit", "3", "SELECT leaf FROM leaves"), 0);
    assert_says(s->errors, "truncated: there are more than 3 (--limit)");
    assert_int_equal(
        RUN(s, "--ledger", dir, "list", "--since", "2027-01-02", "--until", "2027-01-01"), 2);
    assert_says(s->errors, "--since is behind --until");
    assert_int_equal(RUN(s, "--ledger", dir, "sql", "DELETE FROM leaf"), 2);
    assert_says(s->errors, "SQL: not one SELECT; there are activity, ");
    assert_int_equal(
        RUN(s, "--ledger", dir, "sql", "--timeout", "100",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n"),
        1);
    assert_says(s->errors, "NO WHOLE ANSWER: it took more than 100 ms");
    /* A thousand rows of half a MiB, sorted in memory. */
    assert_int_equal(
        RUN(s, "--ledger", dir, "sql", "--timeout", "300000",
            "WITH RECURSIVE s(t) AS (SELECT 'xxxxxxxxxxxxxxxx' UNION ALL SELECT t||t FROM s "
            "WHERE length(t) < 500000), c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE "
            "n<1000) "
            "SELECT n||t AS x FROM c, s WHERE length(t) > 500000 ORDER BY x"),
        1);
    assert_says(s->errors, "NO WHOLE ANSWER: it took more than 256 MiB of memory");
    /* One step of SQLite's, which asks nobody whether it is late: half a MiB is compared half a
     * million times. */
    assert_int_equal(
        RUN(s, "--ledger", dir, "sql", "--timeout", "100",
            "WITH RECURSIVE s(t) AS (SELECT 'xxxxxxxxxxxxxxxx' UNION ALL SELECT t||t FROM s "
            "WHERE length(t) < 500000) SELECT instr(t||t, t||'y') AS x FROM s WHERE length(t) > "
            "500000"),
        1);
    assert_says(s->errors, "NO WHOLE ANSWER: its process was ended: CPU time limit exceeded");
    assert_int_equal(RUN(s, "--ledger", dir, "sql", "--json", "SELECT 1 AS a, 2 AS a"), 2);
    assert_says(s->errors, "two columns have one name");
}

/* Whoever has a mirror gets the same answers as who has the folder. */
static void
a_mirror_answers_as_the_folder_does(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *db = scene_path(s, "mirror.db");
    CLEANUP(mem_cleanup) char *environment = mem_printf("NFPKI_MIRROR=%s", db);
    CLEANUP(mem_cleanup) char *folder = NULL;
    const char *const questions[][2] = {{"list", "events"},
                                        {"show", s->revoked.serial},
                                        {"explain", s->revoked.serial},
                                        {"prove", "3"},
                                        {"sql", "SELECT * FROM certificates"}};

    assert_int_not_equal(RUN(s, "--key", key, "mirror", "--init", s->l.dir, db), 1);
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        assert_int_equal(
            RUN(s, "--ledger", s->l.dir, "--key", key, questions[i][0], "--as-of", "2027-01-15",
                questions[i][1]) == 0 ||
                RUN(s, "--ledger", s->l.dir, "--key", key, questions[i][0], questions[i][1]) == 0,
            1);
        mem_free(folder);
        folder = mem_strdup(s->out);
        assert_int_equal(RUN(s, "--mirror", db, questions[i][0], "--as-of", "2027-01-15",
                             questions[i][1]) == 0 ||
                             RUN(s, "--mirror", db, questions[i][0], questions[i][1]) == 0,
                         1);
        assert_string_equal(s->out, folder);
    }
    s->environment = environment;
    assert_int_equal(RUN(s, "list", "staff"), 0);
    assert_string_equal(s->errors, "");
    s->environment = NULL;
}

static void
a_mirror_of_another_log_gives_no_answer(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *db = scene_path(s, "mirror.db");
    struct audit_ledger other;
    CLEANUP(mem_cleanup) char *key = NULL;

    assert_int_not_equal(RUN(s, "mirror", "--init", s->l.dir, db), 1);
    assert_int_equal(RUN(s, "--mirror", db, "list"), 0);
    assert_says(s->errors, "warning: the log key of ");
    audit_ledger_begin(&other);
    audit_ledger_register(&other, "5a00");
    audit_ledger_publish(&other);
    key = mem_printf("%s/log.vkey", other.dir);
    assert_int_equal(RUN(s, "--mirror", db, "--key", key, "list"), 1);
    assert_says(s->errors, "is of a log with another key");
    assert_string_equal(s->out, "");
    assert_int_equal(RUN(s, "--mirror", db, "--key", "/nonexistent", "list"), 2);
    assert_int_equal(RUN(s, "--mirror", db, "--key", key, "serve"), 1);
    assert_says(s->errors, "is of a log with another key");
    assert_int_equal(RUN(s, "--mirror", db, "serve", "--vendor", "/nonexistent"), 2);
    assert_says(s->errors, "/nonexistent");
    audit_ledger_end(&other);
}

/* That says nothing against the record. */
static void
an_address_that_is_taken_is_misuse(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *db = scene_path(s, "mirror.db");
    CLEANUP(mem_cleanup) char *address = NULL;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&at, n), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&at, &n), 0);
    address = mem_printf("127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_not_equal(RUN(s, "mirror", "--init", s->l.dir, db), 1);
    assert_int_equal(RUN(s, "--mirror", db, "serve", "--listen", address), 2);
    assert_says(s->errors, address);
    assert_null(strstr(s->errors, "NOT VERIFIED"));
    (void)close(fd);
}

static void
a_certificate_is_explained_with_what_is_not_shown(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *issuing = scene_path(s, "issuing.der");
    struct err e = {0};

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "explain", s->revoked.serial), 0);
    assert_says(s->out, "O=Registrar One (serial ");
    assert_says(s->out, "signature: not in the record\n");
    assert_says(s->out, "  - signatures that are not in the record, as said above\n");
    assert_says(s->out, "  - a CRL since the revocation\n");
    assert_says(s->out, "officer\\u{1b}[2J");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "explain", "00ff"), 3);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "explain", AUDIT_REGISTRATION), 2);
    assert_says(s->errors, "that is not one certificate or request");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "explain"), 2);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "explain", "--nf", "x", "1"), 2);
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "explain", "--issuer", "/nonexistent", "1"), 2);
    assert_ok(file_write(issuing, buf_span(&s->registrar.certificate), 0600, &e), &e);
    assert_int_equal(
        RUN(s, "--ledger", s->l.dir, "explain", "--issuer", issuing, s->revoked.serial), 0);
    assert_says(s->out, "signature: not verified: give the issuing certificate with --issuer\n");
}

static void
what_makes_no_sense_is_misuse(void **state)
{
    struct scene *s = *state;
    const char *const dir = s->l.dir;
    const struct {
        const char *words[ARGS_MAX];
        const char *says;
    } rows[] = {
        {{"--ledger", dir, "list", "staff", "--nf", "x"}, "staff have no --nf, but --serial"},
        {{"--ledger", dir, "list", "--columns", "x"}, "certificates have no column x, but serial"},
        {{"--ledger", dir, "list", "--format", "xml"}, "--format: a format is table, csv or jsonl"},
        {{"--ledger", dir, "list", "--json", "--format", "csv"}, "--json is --format jsonl"},
        {{"--ledger", dir, "list", "--raw"}, "--raw is of --format csv"},
        {{"--ledger", dir, "list", "--limit", "0"}, "--limit: a number from 1"},
        {{"--ledger", dir, "list", "--limit", "1x"}, "--limit: a number from 1"},
        {{"--ledger", dir, "list", "--as-of", "today"}, "--as-of: a time is YYYY-MM-DD"},
        {{"--ledger", dir, "list", "--serial", "g"}, "--serial: hexadecimal"},
        {{"--ledger", dir, "list", "--issuer", "/nonexistent"}, "--issuer: "},
        {{"--ledger", dir, "list", "--issuer", "aa", "--issuer", "bb"}, "--issuer: one of them"},
        {{"--ledger", dir, "list", "--timeout", "1"}, "usage: nfpki-audit list"},
        {{"--ledger", dir, "list", "staff", "staff"}, "usage: nfpki-audit list"},
        {{"--ledger", dir, "list", "staff", "--nonsense"}, "usage: nfpki-audit list"},
        {{"--ledger", dir, "sql"}, "usage: nfpki-audit sql"},
        {{"--ledger", dir, "sql", "SELECT 1", "SELECT 2"}, "usage: nfpki-audit sql"},
        {{"--ledger", dir, "sql", "--nf", "x", "SELECT 1"}, "usage: nfpki-audit sql"},
        {{"--ledger", dir, "sql", "--timeout", "0", "SELECT 1"}, "--timeout: a number from 1"},
        {{"--ledger", dir, "--mirror", "x", "list"}, "--ledger DIR or --mirror DB, not both"},
        {{"--mirror", "/nonexistent", "list"}, "/nonexistent"},
        {{"--mirror", "/dev/null", "list"}, "/dev/null"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const int status = scene_run(s, rows[i].words);

        if (status != 2 || strstr(s->errors, rows[i].says) == NULL || s->out[0] != '\0') {
            fail_msg("row %zu: %d: %s", i, status, s->errors);
        }
    }
}

/* What the questions of the manual find, where there is something to be found. */
static void
what_was_used_too_often_and_who_has_a_name_are_found(void **state)
{
    struct scene *s = *state;

    assert_int_equal(RUN(s, "--ledger", s->l.dir, "sql", "--format", "csv", "--raw",
                         "SELECT registration, used, certificates FROM registrations "
                         "WHERE used > certificates"),
                     0);
    assert_says(s->out, AUDIT_REGISTRATION "\",4,1\r\n");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "sql", "--format", "csv", "--raw",
                         "SELECT type, value, count(DISTINCT nf) AS nfs, count(*) AS n FROM names "
                         "WHERE type = 'DNS' AND nf IS NOT NULL GROUP BY value"),
                     0);
    assert_says(s->out, "\"DNS\",\"amf1.5gc.example\",1,4\r\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(what_was_used_too_often_and_who_has_a_name_are_found),
        SCENE(a_list_leaves_in_each_format),
        SCENE(what_is_cut_and_when_it_was_asked_is_told),
        SCENE(the_noun_may_stand_before_or_behind_filters),
        SCENE(sql_answers_and_says_what_it_rests_on),
        SCENE(a_mirror_answers_as_the_folder_does),
        SCENE(a_mirror_of_another_log_gives_no_answer),
        SCENE(an_address_that_is_taken_is_misuse),
        SCENE(a_certificate_is_explained_with_what_is_not_shown),
        SCENE(what_makes_no_sense_is_misuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
