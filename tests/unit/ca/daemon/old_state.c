/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state that is not the one over which the log was signed last: older, of another history, or
 * gone. nfpki-ca is started with it again and again, as a service manager does. It never opens, and
 * not an octet is other than before.
 */
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/tmpdir.h"
#include "tests/unit/ca/daemon/copies.h"

enum { STARTS = 30, FEW = 2, FILE_MAX = 64 * 1024 * 1024, FDS = 16, REFUSED = 3 };

/* ---- files ---- */

static struct buf seen; /* by look_at */

static int
look_at(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(FILE_MAX);
    CLEANUP(mem_cleanup) char *line = NULL;
    char hex[2 * SHA256_SIZE + 1] = "";
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    (void)ftw;
    if (S_ISSOCK(st->st_mode) || strstr(path, "/ca.log") != NULL ||
        strstr(path, "/token.object") != NULL) { /* where SoftHSM notes each log-in */
        return 0;
    }
    if (type == FTW_F) {
        assert_ok(file_read(path, &octets, &e), &e);
        assert_ok(sha256(buf_span(&octets), hash, &e), &e);
        hex_format(span_of(hash, sizeof(hash)), hex);
    }
    line = mem_printf("%s %o %s\n", path, (unsigned)st->st_mode, hex);
    assert_ok(buf_append_str(&seen, line, &e), &e);
    return 0;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names, modes and hashes of all that is in the world's folder: policies, token and all. */
static char *
snapshot(const struct world *w)
{
    CLEANUP(buf_free) struct buf sorted = BUF_INIT(FILE_MAX);
    char *lines[4096];
    size_t n = 0;
    char *rest;
    struct err e = {0};

    seen = BUF_INIT(FILE_MAX);
    assert_int_equal(nftw(w->dir, look_at, FDS, FTW_PHYS), 0);
    assert_ok(buf_append(&seen, span_of("", 1), &e), &e);
    rest = (char *)seen.p;
    while ((lines[n] = strsep(&rest, "\n")) != NULL) {
        n++;
        assert_true(n < ARRAY_LEN(lines));
    }
    qsort(lines, n, sizeof(lines[0]), by_name);
    for (size_t i = 0; i < n; i++) {
        assert_ok(buf_append_str(&sorted, lines[i], &e), &e);
        assert_ok(buf_append_str(&sorted, "\n", &e), &e);
    }
    buf_free(&seen);
    return mem_printf("%.*s", (int)sorted.n, (const char *)sorted.p);
}

static void
show_difference(const char *row, int start, const char *before, const char *after)
{
    print_error("%s: start %d changed\n", row, start);
    for (const char *const *side = (const char *const[]){before, after, NULL}; *side != NULL;
         side++) {
        const char *other = *side == before ? after : before;
        CLEANUP(mem_cleanup) char *text = mem_strdup(*side);
        char *rest = text;

        for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
            if (strstr(other, line) == NULL) {
                print_error("  %s %s\n", *side == before ? "was" : "is ", line);
            }
        }
    }
}

/* ---- starts ---- */

static size_t
log_end(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (size_t)st.st_size;
}

static void
must_say(const struct world *w, const char *row, size_t from, const char *says)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.log", w->dir);
    CLEANUP(buf_free) struct buf log = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &log, &e), &e);
    if (memmem(log.p + from, log.n - from, says, strlen(says)) == NULL) {
        fail_msg("%s: no \"%s\" in:\n%.*s", row, says, (int)(log.n - from),
                 (const char *)log.p + from);
    }
}

static void
must_be_refused(struct world *w, const char *row, int starts, const char *says)
{
    CLEANUP(mem_cleanup) char *before = snapshot(w);

    for (int i = 1; i <= starts; i++) {
        const size_t from = log_end(w);
        const int status = world_start_status(w);
        CLEANUP(mem_cleanup) char *after = snapshot(w);

        if (strcmp(before, after) != 0) {
            show_difference(row, i, before, after);
        }
        if (status != REFUSED || strcmp(before, after) != 0) {
            fail_msg("%s: start %d: status %d", row, i, status);
        }
        must_say(w, row, from, says);
    }
}

/* ---- what happened meanwhile ---- */

static void
live(struct world *w, const char *name)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *officer = NULL;

    world_start(w);
    officer = world_officer(w, "officer", name, key);
    world_revoke(w, officer, "keyCompromise");
    assert_int_equal(world_stop(w), 0);
}

struct scene {
    struct world *w;
    char *yesterday; /* copies of the parts */
    char *today;
    char *elsewhere; /* of a CA that went on from yesterday's state otherwise, and further */
};

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    assert_int_equal(world_setup((void **)&s->w), 0);
    s->yesterday = tmpdir_new();
    s->today = tmpdir_new();
    s->elsewhere = tmpdir_new();
    world_settle(s->w);
    world_kill(s->w); /* so that much of it is in the WAL */
    copy_parts(s->w->dir, s->yesterday, ALL | TOKEN);
    live(s->w, "Eve");
    live(s->w, "Mallory");
    copy_parts(s->w->dir, s->elsewhere, ALL | TOKEN);
    copy_parts(s->yesterday, s->w->dir, ALL | TOKEN);
    live(s->w, "Alice");
    live(s->w, "Bob");
    live(s->w, "Carol");
    copy_parts(s->w->dir, s->today, ALL | TOKEN);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    world_free(s->w);
    tmpdir_remove(s->yesterday);
    tmpdir_remove(s->today);
    tmpdir_remove(s->elsewhere);
    mem_free(s);
    return 0;
}

static void
thirty_starts_on_yesterdays_state_leave_no_trace(void **state)
{
    struct scene *s = *state;

    copy_parts(s->today, s->w->dir, ALL | TOKEN);
    copy_parts(s->yesterday, s->w->dir, STATE | LEDGER | CRL);
    must_be_refused(s->w, "all but the journals", STARTS, "ca.db is older than what was signed");
    copy_parts(s->today, s->w->dir, ALL);
    world_start(s->w); /* what is right is started with */
    assert_int_equal(world_stop(s->w), 0);
}

/* Nothing in these files contradicts anything else in them: the token alone remembers. */
static void
thirty_starts_on_a_consistent_copy_of_yesterday_leave_no_trace(void **state)
{
    struct scene *s = *state;

    copy_parts(s->today, s->w->dir, ALL | TOKEN);
    copy_parts(s->yesterday, s->w->dir, ALL);
    must_be_refused(s->w, "all but the token", STARTS, "this is an older copy of the journal");
    must_be_refused(s->w, "all but the token", 1, "token 'ca' knows a checkpoint of ");
    copy_parts(s->elsewhere, s->w->dir, ALL);
    must_be_refused(s->w, "all of another history", FEW, "token 'ca' knows a checkpoint of ");
    copy_parts(s->today, s->w->dir, ALL);
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
}

/* The limit: who has the token's files, too, as with a software token, or a clone of a token. */
static void
with_the_tokens_files_nothing_remembers(void **state)
{
    struct scene *s = *state;

    copy_parts(s->yesterday, s->w->dir, ALL | TOKEN);
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
}

static void
what_is_older_or_of_another_history_is_named(void **state)
{
    static const struct {
        const char *name;
        unsigned yesterday;
        unsigned elsewhere;
        const char *gone; /* below the world's folder */
        const char *says;
    } rows[] = {
        {"ca.db alone", STATE, 0, NULL, "ca.db is older than what was signed"},
        {"no ca.db", 0, 0, "state/ca.db", "ca.db is older than what was signed"},
        {"no state at all", 0, 0, "state", "ca.db is older than what was signed"},
        {"no state and no ledger", LEDGER, 0, "state", "ca.db is older than what was signed"},
        {"the log's journal", LOG, 0, NULL, "this is an older copy of the journal"},
        {"no journal of the log", 0, 0, "log.journal", "the journal ends at 0"},
        {"both journals", LOG | ISSUING, 0, NULL, "this is an older copy of the journal"},
        {"the log's journal, and what the token knew", LOG | TOKEN, 0, NULL,
         "the log signer's journal is older than ca.db"},
        {"both journals, and what the token knew", LOG | ISSUING | TOKEN, 0, NULL,
         "the log signer's journal is older than ca.db"},
        {"the issuing key's journal", ISSUING, 0, NULL, "or an older copy of it"},
        {"all but the ledger", STATE | CRL | ISSUING | LOG | TOKEN, 0, NULL,
         "the published checkpoint covers"},
        {"all but the CRL that is out", STATE | LEDGER | ISSUING | LOG | TOKEN, 0, NULL,
         "ca.db is older than the CRL that is out"},
        {"another history's CRL", 0, CRL, NULL,
         "ca.db has another history than the CRL that is out"},
        {"another history", 0, STATE | LEDGER | CRL | ISSUING, NULL,
         "ca.db is older than what was signed"},
        {"another history's journal", 0, LOG, NULL, "token 'ca' knows a checkpoint of "},
        {"another history's journal, and what that token knew", 0, LOG | TOKEN, NULL,
         "ca.db has another history"},
        {"another history's ledger", 0, LEDGER, NULL, "the published checkpoint has another root"},
    };
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        copy_parts(s->today, s->w->dir, ALL | TOKEN);
        copy_parts(s->yesterday, s->w->dir, rows[i].yesterday);
        copy_parts(s->elsewhere, s->w->dir, rows[i].elsewhere);
        if (rows[i].gone != NULL) {
            CLEANUP(mem_cleanup) char *gone = mem_printf("%s/%s", s->w->dir, rows[i].gone);

            copies_remove(gone);
        }
        if (rows[i].gone != NULL && strcmp(rows[i].gone, "log.journal") == 0) {
            assert_int_equal(world_start_status(s->w), REFUSED); /* the signer begins another */
        }
        must_be_refused(s->w, rows[i].name, FEW, rows[i].says);
    }
    copy_parts(s->today, s->w->dir, ALL | TOKEN);
    world_start(s->w);
    assert_int_equal(world_stop(s->w), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_starts_on_yesterdays_state_leave_no_trace),
        cmocka_unit_test(thirty_starts_on_a_consistent_copy_of_yesterday_leave_no_trace),
        cmocka_unit_test(what_is_older_or_of_another_history_is_named),
        cmocka_unit_test(with_the_tokens_files_nothing_remembers),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
