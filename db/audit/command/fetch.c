/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/command/fetch.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ossl.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/ask_policy.h"
#include "db/audit/command/commands.h"

enum { STALLED = 30, TRIES = 8, WAIT = 1000, TELL = 200 /* milliseconds */ };

/* On a terminal alone. */
static void
on_progress(void *arg, uint64_t done, uint64_t all)
{
    int64_t *told = arg;
    const int64_t now = clock_monotonic_ms();

    if (done == all || now - *told >= TELL) {
        *told = now;
        (void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " files%s", done, all,
                      done == all ? "\n" : "");
    }
}

/* Once: a server may make it minutes, in which nothing else is to be seen. */
static void
on_wait(void *arg, const char *name, const char *why, int64_t ms)
{
    bool *said = arg;

    if (!*said) {
        (void)fprintf(stderr,
                      "nfpki-audit: %s: %s: asked again in %" PRId64
                      " s, and %d times at most; so is each other file\n",
                      name, why, (ms + 999) / 1000, TRIES);
    }
    *said = true;
}

static void
report(const char *dir, const struct fetch_result *r)
{
    static const char *const from[] = {
        [FETCH_KEY_GIVEN] = "given",
        [FETCH_KEY_KEPT] = "kept from the first time: give it with --key",
        [FETCH_KEY_FIRST] = "FROM THE SOURCE ITSELF, for the first time: nothing to compare with"};
    char id[2 * LOG_KEY_ID + 1];

    hex_format(span_of(r->key, LOG_KEY_ID), id);
    (void)printf("fetched: %" PRIu64
                 " files; what the checkpoint covers; what leaves say is not verified yet\n",
                 r->files);
    (void)printf("  %-12s %s\n", "folder", dir);
    (void)printf("  %-12s %" PRIu64 " leaves, %" PRIu64 " before\n", "size", r->size, r->earlier);
    (void)printf("  %-12s %s, %s\n", "log key", id, from[r->key_from]);
    if (r->messages_absent > 0) {
        (void)printf("  %-12s %" PRIu64 " files of them are not published there\n", "messages",
                     r->messages_absent);
    }
    if (r->messages_wrong > 0) {
        (void)printf("  %-12s %" PRIu64 " files of them HAVE OTHERS than the leaves name: kept as "
                     "they came\n",
                     "messages", r->messages_wrong);
    }
}

bool
fetch_is_url(const char *source)
{
    return strncmp(source, "http://", 7) == 0 || strncmp(source, "https://", 8) == 0;
}

int
fetch_bring(const char *url, const char *dir, const struct log_key *key,
            const struct tlog_policy *policy, struct fetch_result *result, struct err *e)
{
    CLEANUP(log_key_free) struct log_key given = {0};
    int64_t told = 0;
    bool wait_said = false;
    const struct fetch f = {.from = {.url = url,
                                     .cacert = asked.cacert,
                                     .stalled = STALLED,
                                     .tries = TRIES,
                                     .wait = WAIT,
                                     .waits = on_wait,
                                     .arg = &wait_said},
                            .dir = dir,
                            .key = asked.key == NULL ? key : &given,
                            .policy = policy,
                            .progress = isatty(STDERR_FILENO) == 1 ? on_progress : NULL,
                            .arg = &told};

    if (asked.key != NULL && ask_key(&given, e) != 0) {
        return err_wrap(e, "--key");
    }
    return fetch_folder(&f, result, e);
}

int
fetch_run(int argc, char **argv)
{
    CLEANUP(tlog_policy_cleanup) struct tlog_policy *policy = NULL;
    CLEANUP(log_key_free) struct log_key key = {0};
    struct fetch_result result;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc - 2 || !ask_only(ASK_POLICY | ASK_CACERT)) {
        return ask_usage("fetch");
    }
    if (transfer_url(argv[optind], &e) != 0 || (asked.key != NULL && ask_key(&key, &e) != 0)) {
        return ask_misuse(e.text);
    }
    status = ask_policy(&policy);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    (void)umask(S_IWGRP | S_IWOTH); /* others may read what everybody may */
    if (fetch_bring(argv[optind], argv[optind + 1], NULL, policy, &result, &e) != 0) {
        (void)fprintf(stderr, "nfpki-audit: not fetched: %s\n", e.text);
        return EXIT_FAILED;
    }
    report(argv[optind + 1], &result);
    return ask_finish(0, &e);
}
