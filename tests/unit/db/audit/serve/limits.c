/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is more than can be answered now: each limit, set so low that it is met. A page that never
 * ends is there: a view of the mirror whose rows are looked for without end.
 */
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "tests/unit/db/audit/serve/site.h"

#define ENDLESS "/changes"
#define LARGE "/events.jsonl"

static char *endless; /* the mirror */

static int
set_up(void **state)
{
    sqlite3 *db = NULL;

    assert_int_equal(site_set_up(state), 0);
    endless = mem_printf("%s/endless.db", site_record.folder);
    site_mirror_new(endless);
    assert_int_equal(sqlite3_open(endless, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "DROP VIEW changes; CREATE VIEW changes AS "
                                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                                  "SELECT i AS leaf, i AS time, 'x' AS file, NULL AS previous, "
                                  "NULL AS sha256 FROM n WHERE i < 0",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return 0;
}

static int
tear_down(void **state)
{
    mem_free(endless);
    return site_tear_down(state);
}

/* Of two that ask for what never ends, where one may: that one is under way when this returns. */
static int
only_one_of_two(const struct site *site)
{
    struct pollfd asked[] = {{.fd = site_get(site, ENDLESS), .events = POLLIN},
                             {.fd = site_get(site, ENDLESS), .events = POLLIN}};
    CLEANUP(mem_cleanup) char *answer = NULL;
    int refused;

    assert_int_equal(poll(asked, 2, SITE_LONG_S * 1000), 1);
    refused = asked[0].revents != 0 ? 0 : 1;
    answer = site_read(asked[refused].fd);
    assert_int_equal(site_status(answer), 503);
    assert_non_null(strstr(answer, "Retry-After: 1\r\n"));
    assert_non_null(strstr(answer, "Too many questions at once"));
    return asked[1 - refused].fd;
}

static void
what_takes_too_long_is_ended(void **state)
{
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.mirror = endless, .limits.ms = 1});
    site_expect(&site, ENDLESS, 503, "takes too long");
    site_end(&site);
    site_begin(&site, &(struct serve_options){.limits.ms = -1});
    site_expect(&site, "/", 503, "takes too long");
    site_expect(&site, "/help", 503, "takes too long");
    site_expect(&site, "/prove/0", 503, "takes too long");
    site_expect(&site, "/show/0", 503, "takes too long");
    site_end(&site);
}

/* What nobody waits for any more gives way to who asks. */
static void
who_goes_away_keeps_nobody_waiting(void **state)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    const time_t end = time(NULL) + SITE_LONG_S;
    struct site site;
    int status;

    (void)state;
    site_begin(&site, &(struct serve_options){.mirror = endless,
                                              .limits.jobs = 1,
                                              .limits.ms = 10 * SITE_LONG_S * 1000});
    (void)close(only_one_of_two(&site));
    do {
        CLEANUP(mem_cleanup) char *answer = site_ask(&site, "/help");

        status = site_status(answer);
        (void)nanosleep(&pause, NULL);
    } while (status == 503 && time(NULL) < end);
    assert_int_equal(status, 200);
    site_end(&site);
}

static void
so_many_wait_and_no_more(void **state)
{
    CLEANUP(mem_cleanup) char *answer = NULL;
    struct site site;
    int fd;

    (void)state;
    site_begin(&site, &(struct serve_options){.mirror = endless, .limits.jobs = 1});
    fd = only_one_of_two(&site);
    site_end(&site);
    answer = site_read(fd);
    assert_int_equal(site_status(answer), 503);
    assert_non_null(strstr(answer, "told to end"));
}

static void
a_signal_ends_what_takes_long(void **state)
{
    static const int numbers[] = {SIGINT, SIGTERM};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        CLEANUP(mem_cleanup) char *answer = NULL;
        struct site site;
        int fd;

        site_begin(&site, &(struct serve_options){.mirror = endless, .limits.jobs = 1});
        fd = only_one_of_two(&site);
        assert_int_equal(kill(getpid(), numbers[i]), 0);
        assert_int_equal(pthread_join(site.thread, NULL), 0);
        serve_free(site.serve);
        answer = site_read(fd);
        assert_int_equal(site_status(answer), 503);
        assert_non_null(strstr(answer, "told to end"));
    }
}

/* An answer that is as long as all that may be on their way is one; a longer one is not. */
static void
so_many_octets_are_on_their_way_and_no_more(void **state)
{
    CLEANUP(mem_cleanup) char *help = NULL;
    struct site site;
    size_t n;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    help = site_ask(&site, "/help");
    n = strlen(strstr(help, "\r\n\r\n") + 4);
    site_end(&site);
    site_begin(&site, &(struct serve_options){.key_is_given = true, .limits.octets = n});
    site_expect(&site, "/help", 200, "What can be asked");
    site_expect(&site, "/help", 200, "What can be asked");
    site_end(&site);
    site_begin(&site, &(struct serve_options){.key_is_given = true, .limits.octets = n - 1});
    site_expect(&site, "/help", 503, "Answers before this one are still on their way");
    site_end(&site);
}

/* What a slow reader has not taken yet is on its way: nobody looks into the mirror meanwhile. */
static void
a_slow_reader_holds_what_he_asked_for(void **state)
{
    CLEANUP(mem_cleanup) char *request = NULL;
    CLEANUP(mem_cleanup) char *whole = NULL;
    CLEANUP(mem_cleanup) char *slow = NULL;
    struct pollfd asked = {.events = POLLIN};
    struct site site;
    size_t n;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true});
    whole = site_ask(&site, LARGE);
    n = strlen(strstr(whole, "\r\n\r\n") + 4);
    site_end(&site);
    site_begin(&site, &(struct serve_options){.key_is_given = true, .limits.octets = n});
    request = site_get_text(&site, LARGE);
    asked.fd = site_connect_slowly(&site, request);
    assert_int_equal(poll(&asked, 1, SITE_LONG_S * 1000), 1);
    site_expect(&site, "/help", 503, "Too many questions at once");
    slow = site_read(asked.fd);
    assert_string_equal(strstr(slow, "\r\n\r\n"), strstr(whole, "\r\n\r\n"));
    site_expect(&site, "/help", 200, "What can be asked");
    site_end(&site);
}

/* Who says nothing gives way to who asks, whatever his address. */
static void
so_many_are_connected_and_no_more(void **state)
{
    CLEANUP(mem_cleanup) char *request = NULL;
    CLEANUP(mem_cleanup) char *answer = NULL;
    struct site site;
    int silent;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true, .limits.connections = 1});
    request = site_get_text(&site, "/help");
    silent = site_connect_slowly(&site, "");
    site_expect(&site, "/help", 200, "What can be asked");
    (void)send(silent, request, strlen(request), MSG_NOSIGNAL);
    answer = site_read(silent);
    assert_string_equal(answer, "");
    site_end(&site);
}

static void
a_file_has_so_many_rows_and_no_more(void **state)
{
    struct site site;

    (void)state;
    site_begin(&site, &(struct serve_options){.key_is_given = true, .limits.rows = 3});
    site_expect(&site, "/certificates.csv", 400, "more than 3 rows");
    site_expect(&site, "/certificates.jsonl", 400, "more than 3 rows");
    site_expect(&site, "/ceremonies.csv", 200, "filename=\"ceremonies.csv\"");
    site_end(&site);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_takes_too_long_is_ended),
        cmocka_unit_test(who_goes_away_keeps_nobody_waiting),
        cmocka_unit_test(so_many_wait_and_no_more),
        cmocka_unit_test(a_signal_ends_what_takes_long),
        cmocka_unit_test(so_many_octets_are_on_their_way_and_no_more),
        cmocka_unit_test(a_slow_reader_holds_what_he_asked_for),
        cmocka_unit_test(so_many_are_connected_and_no_more),
        cmocka_unit_test(a_file_has_so_many_rows_and_no_more),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
