/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/ask_policy.h"
#include "db/audit/command/commands.h"
#include "db/audit/command/fetch.h"
#include "db/audit/json.h"
#include "db/audit/mirror/noted.h"
#include "db/audit/mirror/run.h"
#include "db/audit/print_leaf.h"

enum { STALE_HOURS = 24, HOURS_MAX = 1000000, HOUR = 60 * 60 };

/* What the witnesses of --policy have seen. */
struct seen {
    bool asked;
    uint64_t size; /* the first leaves */
    struct checkpoint of;
};

/* What a run has to say. */
struct said {
    const struct mirror_outcome *outcome;
    const struct seen *seen;
    time_t newest; /* leaf; 0: there is none */
    bool stale;
    uint64_t findings;
    struct message_count messages;
};

/* ---- the mirror ---- */

static int
hours_parse(const char *text, int64_t *hours)
{
    size_t digits = text == NULL ? 0 : strspn(text, "0123456789");

    *hours = STALE_HOURS;
    if (text == NULL) {
        return 0;
    }
    if (digits == 0 || digits > 6 || text[digits] != '\0') {
        return -1;
    }
    *hours = 0;
    for (; *text != '\0'; text++) {
        *hours = *hours * 10 + (*text - '0');
    }
    return 0;
}

static bool
is_named(const struct tlog_policy *policy, const struct log_key *key)
{
    return policy != NULL && tlog_policy_has_logs(policy) && tlog_policy_has_log(policy, key);
}

/* The key that somebody gave, or the one in the folder, which a policy may name. */
static int
key_of(const char *dir, const struct tlog_policy *policy, struct log_key *key, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(mem_cleanup) char *path = NULL;

    if (asked.key != NULL) {
        return ask_key(key, e) == 0 ? 0 : err_wrap(e, "--key");
    }
    path = mem_printf("%s/log.vkey", dir);
    if (file_read(path, &text, e) != 0 || log_key_parse(key, buf_span(&text), e) != 0) {
        return -1;
    }
    if (is_named(policy, key)) {
        return 0;
    }
    (void)fprintf(stderr,
                  "nfpki-audit: warning: the log key was read from the ledger itself (%s): get it "
                  "by another way and give it with --key\n",
                  path);
    return 0;
}

static int
make(const char *dir, const struct tlog_policy *policy, const char *path, struct err *e)
{
    CLEANUP(log_key_free) struct log_key key = {0};

    return key_of(dir, policy, &key, e) != 0
               ? -1
               : mirror_init(path, &key, asked.key != NULL || is_named(policy, &key), e);
}

/* A URL is fetched into a folder of the mirror's own, and verified there. The mirror's key is the
 * log's: whose key the source shows is of no interest; NULL: there is no mirror yet. */
static int
bring(const char *source, struct mirror *m, const struct tlog_policy *policy, const char *dir)
{
    const struct log_key *key = m == NULL ? NULL : mirror_key(m);
    struct fetch_result result;
    struct err e = {0};
    struct err kept = {0};

    if (!fetch_is_url(source) || fetch_bring(source, dir, key, policy, &result, &e) == 0) {
        return EXIT_VERIFIED;
    }
    if (m != NULL && e.code == ERR_CONFLICT &&
        mirror_refused(m, source, result.size, result.size >= result.earlier, e.text, &kept) != 0) {
        (void)err_wrap(&e, "(not kept: %.200s)", kept.text);
    }
    return ask_failed(&e);
}

/* As many witnesses as --policy asks for have seen what is there. */
static int
witnesses_ask(const struct tlog_policy *policy, const char *dir, struct seen *seen)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    struct witnessed w;
    struct err e = {0};
    int status;

    if (policy == NULL) {
        return EXIT_VERIFIED;
    }
    asked.ledger = dir;
    status = ask_policy_ledger(policy, &log);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (ask_policy_check(policy, log, &w, &e) != 0) {
        return ask_failed(&e);
    }
    *seen = (struct seen){true, w.size, *audit_checkpoint(log)};
    return EXIT_VERIFIED;
}

/* What they gave back is kept, so that whoever asks the mirror can verify it again. */
static int
witnesses_keep(const struct tlog_policy *policy, const char *dir, struct mirror *m, struct err *e)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;

    if (policy == NULL) {
        return 0;
    }
    log = audit_open(dir, mirror_key(m), e);
    if (log == NULL) {
        return -1;
    }
    for (size_t i = 0; i < tlog_policy_witnesses(policy); i++) {
        const struct cosigner *key = &tlog_policy_witness(policy, i)->key;
        CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
        char name[AUDIT_NAME_MAX];
        bool found;

        if (ask_policy_note(policy, i, log, name, &note, &found, e) != 0 ||
            (found &&
             mirror_note_keep(m, span_of(key->id, sizeof(key->id)), buf_span(&note), e) != 0)) {
            return -1;
        }
    }
    return 0;
}

/* Where the folder is: EXIT_VERIFIED, or another status after the reason was printed. */
static int
source_open(const char *source, const char *db, struct mirror *m, const struct tlog_policy *policy,
            char **dir, struct seen *seen)
{
    struct err e = {0};
    int status;

    if (!fetch_is_url(source)) {
        if (strstr(source, "://") != NULL) {
            return ask_misuse("a source is a folder, or a URL of http or https");
        }
        if (asked.cache != NULL || asked.cacert != NULL) {
            return ask_misuse("--cache and --cacert are for a source that is a URL");
        }
        *dir = mem_strdup(source);
    } else if (transfer_url(source, &e) != 0) {
        return ask_misuse(e.text);
    } else {
        *dir = asked.cache != NULL ? mem_strdup(asked.cache) : mem_printf("%s-ledger", db);
    }
    status = bring(source, m, policy, *dir);
    return status == EXIT_VERIFIED ? witnesses_ask(policy, *dir, seen) : status;
}

/* EXIT_VERIFIED and the mirror, or another status after the reason was printed. */
static int
open_mirror(const char *dir, const struct tlog_policy *policy, const char *path,
            struct mirror **out)
{
    CLEANUP(log_key_free) struct log_key key = {0};
    struct err e = {0};

    if (asked.init && make(dir, policy, path, &e) != 0) {
        return ask_misuse(e.text);
    }
    *out = mirror_open_writable(path, &e);
    if (*out == NULL) {
        if (e.code == ERR_NOTFOUND) {
            (void)err_set(&e, ERR_NOTFOUND,
                          "%s is not there, or cannot be opened; --init makes a new one", path);
        }
        return ask_misuse(e.text);
    }
    if (asked.key == NULL && !is_named(policy, mirror_key(*out))) {
        return EXIT_VERIFIED;
    }
    if ((asked.key != NULL && ask_key(&key, &e) != 0) ||
        mirror_trust(*out, asked.key != NULL ? &key : mirror_key(*out), &e) != 0) {
        return ask_misuse(e.text);
    }
    return EXIT_VERIFIED;
}

/* ---- what it says ---- */

static void
show_progress(void *arg, uint64_t done, uint64_t size)
{
    const bool *terminal = arg;

    (void)fprintf(stderr, "%s%" PRIu64 " of %" PRIu64 " leaves%s", *terminal ? "\r" : "", done,
                  size, *terminal ? " " : "\n");
}

static int
look(struct mirror *m, int64_t hours, struct said *said, struct err *e)
{
    if (mirror_newest(m, &said->newest, e) != 0 ||
        mirror_figure(m, "findings", &said->findings, e) != 0 ||
        mirror_messages_count(m, &said->messages, e) != 0) {
        return -1;
    }
    said->stale = clock_now() - said->newest > hours * HOUR;
    return 0;
}

/* Of what was taken in: the quorum may have seen a beginning of it alone. */
static bool
is_seen(const struct mirror *m, const struct seen *seen)
{
    const struct checkpoint *c = mirror_checkpoint(m);

    return !seen->asked || (seen->size == c->size && seen->of.size == c->size &&
                            merkle_equal(&seen->of.root, &c->root));
}

static int
say_json(struct mirror *m, const struct said *said, const char *reason)
{
    const struct checkpoint *c = mirror_checkpoint(m);
    CLEANUP(mem_cleanup) char *root = base64_dup(span_of(c->root.octets, MERKLE_HASH));
    char key[2 * LOG_KEY_ID + 1];
    char newest[TIME_TEXT_SIZE];
    json_t *all;
    int result;

    hex_format(span_of(mirror_key(m)->id, LOG_KEY_ID), key);
    time_format(said->newest, newest);
    all = json_pack(
        "{s:b, s:s, s:I, s:I, s:s, s:s, s:{s:s, s:s}, s:s, s:b, s:I, s:o, s:s*, s:s*, s:o*}",
        "verified", reason == NULL, "result", mirror_result_name(said->outcome->result), "from",
        (json_int_t)said->outcome->from, "size", (json_int_t)c->size, "origin",
        mirror_key(m)->origin, "root", root, "key", "id", key, "from",
        mirror_key_is_given(m) ? "given" : "from the ledger", "newest", newest, "stale",
        said->stale, "findings", (json_int_t)said->findings, "messages",
        json_messages(&said->messages), "reason", reason, "evidence", said->outcome->evidence,
        "witnessed", said->seen->asked ? json_integer((json_int_t)said->seen->size) : NULL);
    result =
        all == NULL ||
                json_dumpf(all, stdout, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII) != 0 ||
                fputc('\n', stdout) == EOF
            ? -1
            : 0;
    json_decref(all);
    return result;
}

static void
say_text(struct mirror *m, const struct said *said)
{
    const struct checkpoint *c = mirror_checkpoint(m);
    CLEANUP(mem_cleanup) char *root = base64_dup(span_of(c->root.octets, MERKLE_HASH));
    char newest[TIME_TEXT_SIZE];

    time_format(said->newest, newest);
    (void)printf("%s: %s\n", mirror_path(m), mirror_result_name(said->outcome->result));
    print_line(stdout, "log", mirror_key(m)->origin);
    (void)printf("  %-12s %" PRIu64 " leaves, %" PRIu64 " of them new\n", "size", c->size,
                 c->size - said->outcome->from);
    print_line(stdout, "root", root);
    print_key(stdout, mirror_key(m)->id, mirror_key_is_given(m));
    if (said->seen->asked) {
        (void)printf("  %-12s the quorum has cosigned the first %" PRIu64 " of %" PRIu64
                     " leaves\n",
                     "witnesses", said->seen->size, c->size);
    }
    if (c->size > 0) {
        print_line(stdout, "newest leaf", newest);
    }
    print_messages(stdout, &said->messages);
    (void)printf("  %-12s %" PRIu64 "\n", "findings", said->findings);
}

static int
failed(struct mirror *m, struct said *said, const struct err *reason)
{
    struct err ignored;

    (void)fprintf(stderr, "nfpki-audit: NOT VERIFIED: ");
    print_text(stderr, reason->text);
    (void)fputc('\n', stderr);
    if (said->outcome->evidence != NULL) {
        (void)fprintf(stderr, "nfpki-audit: both checkpoints are in %s\n", said->outcome->evidence);
    }
    (void)look(m, STALE_HOURS, said, &ignored);
    if (asked.json) {
        (void)say_json(m, said, reason->text);
    }
    return EXIT_FAILED;
}

static int
finish(struct mirror *m, const struct said *said, int64_t hours)
{
    struct err e = {0};
    int status;

    if (!asked.json) {
        say_text(m, said);
    } else if (say_json(m, said, NULL) != 0) {
        (void)err_set(&e, ERR_IO, "JSON could not be written");
    }
    status = ask_finish(e.code == ERR_IO ? -1 : 0, &e);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (said->stale) {
        (void)fprintf(
            stderr, "nfpki-audit: stale: the newest leaf is older than %" PRId64 " hours\n", hours);
    }
    if (!is_seen(m, said->seen)) {
        (void)fprintf(stderr,
                      "nfpki-audit: not witnessed: the quorum of %s has not cosigned the newest "
                      "leaves\n",
                      asked.policy);
    }
    if (said->messages.wrong > 0) {
        (void)fprintf(stderr,
                      "nfpki-audit: finding: %" PRIu64
                      " messages are others than leaves name: check says which\n",
                      said->messages.wrong);
    }
    return said->stale || said->findings > 0 || said->messages.wrong > 0 || !is_seen(m, said->seen)
               ? EXIT_FINDINGS
               : EXIT_VERIFIED;
}

int
mirror_command_run(int argc, char **argv)
{
    CLEANUP(mem_cleanup) char *dir = NULL;
    CLEANUP(tlog_policy_cleanup) struct tlog_policy *policy = NULL;
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    CLEANUP(mirror_outcome_free) struct mirror_outcome outcome = {0};
    struct seen seen = {0};
    struct said said = {.outcome = &outcome, .seen = &seen};
    bool terminal = isatty(STDERR_FILENO) != 0;
    struct err e = {0};
    int64_t hours;
    int result;
    int status;

    if (ask_parse(argc, argv) != 0 || argc - optind != 2 || hours_parse(asked.stale, &hours) != 0 ||
        !ask_only(ASK_INIT | ASK_STALE | ASK_PROGRESS | ASK_JSON | ASK_POLICY | ASK_CACERT |
                  ASK_CACHE)) {
        return ask_usage("mirror");
    }
    /* One that is not there is said before anything is fetched for it. */
    status = ask_policy(&policy);
    if (status == EXIT_VERIFIED && !asked.init) {
        status = open_mirror("", policy, argv[optind + 1], &m);
    }
    if (status == EXIT_VERIFIED) {
        status = source_open(argv[optind], argv[optind + 1], m, policy, &dir, &seen);
    }
    if (status == EXIT_VERIFIED && asked.init) {
        status = open_mirror(dir, policy, argv[optind + 1], &m);
    }
    if (status != EXIT_VERIFIED) {
        return status;
    }
    mirror_expect(m, &seen.of);
    result = mirror_run(m, dir, terminal || asked.progress ? show_progress : NULL, &terminal,
                        &outcome, &e);
    if (terminal) {
        (void)fprintf(stderr, "\r");
    }
    if (result == 0 && seen.asked) {
        result = mirror_note_cosigned(m, seen.size, &e);
    }
    if (result != 0 || witnesses_keep(policy, dir, m, &e) != 0 || look(m, hours, &said, &e) != 0) {
        return failed(m, &said, &e);
    }
    return finish(m, &said, hours);
}
