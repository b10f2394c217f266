/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-audit as a witness, and with a policy about witnesses, as its user sees it. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tlog/checkpoint.h"
#include "base/tlog/cosigner.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/program_scene.h"

enum { TEXT_MAX = 4 << 20 };

static void
write_text(const struct scene *s, const char *name, const char *text)
{
    CLEANUP(mem_cleanup) char *path = scene_path(s, name);
    struct err e = {0};

    assert_ok(file_write(path, span_str(text), 0600, &e), &e);
}

/* Owned. */
static char *
read_text(const struct scene *s, const char *name)
{
    CLEANUP(mem_cleanup) char *path = scene_path(s, name);
    CLEANUP(buf_free) struct buf b = BUF_INIT(TEXT_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &b, &e), &e);
    return mem_printf("%.*s", (int)b.n, (const char *)b.p);
}

static int
run_witness(struct scene *s, const char *key_name, const char *state_name)
{
    CLEANUP(mem_cleanup) char *key = scene_path(s, key_name);
    CLEANUP(mem_cleanup) char *state = scene_path(s, state_name);

    return RUN(s, "--ledger", s->l.dir, "witness", "--key-file", key, "--state", state);
}

/* Makes the key in the file of its name; its verifier key, owned. */
static char *
make_key(struct scene *s, const char *name)
{
    CLEANUP(mem_cleanup) char *path = scene_path(s, name);

    assert_int_equal(RUN(s, "witness-key", "--key-file", path, name), 0);
    return mem_strdup(s->out);
}

/* What was printed last goes beside the ledger, as the authority would publish it. */
static void
publish(const struct scene *s, const char *vkey)
{
    struct cosigner c;
    char hex[2 * NOTE_KEY_ID + 1];
    CLEANUP(mem_cleanup) char *name = NULL;
    CLEANUP(mem_cleanup) char *folder = mem_printf("%s/witness", s->l.dir);
    struct err e = {0};

    assert_ok(cosigner_parse(&c, span_str(vkey), &e), &e);
    hex_format(span_of(c.id, NOTE_KEY_ID), hex);
    assert_ok(file_mkdirs(folder, 0755, &e), &e);
    name = mem_printf("ledger/witness/%s", hex);
    write_text(s, name, s->out);
}

static void
grow(struct scene *s)
{
    (void)audit_ledger_about(&s->l, LEAF_CONFIRMED, &s->issued);
    audit_ledger_publish(&s->l);
}

/* A checkpoint that the log's key signs, whatever it says. */
static void
lie(const struct scene *s, uint64_t size, const char *name)
{
    CLEANUP(log_key_free) struct log_key key = {0};
    CLEANUP(buf_free) struct buf text = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(buf_free) struct buf note = BUF_INIT(CHECKPOINT_MAX);
    CLEANUP(mem_cleanup) char *vkey = read_text(s, "ledger/log.vkey");
    CLEANUP(mem_cleanup) char *path = scene_path(s, name);
    struct checkpoint c = {.size = size, .root = merkle_leaf(SPAN_LITERAL("another past"))};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[128];
    size_t n = sizeof(der);
    struct err e = {0};

    assert_ok(log_key_parse(&key, span_str(vkey), &e), &e);
    memcpy(c.origin, key.origin, sizeof(c.origin));
    assert_ok(checkpoint_text(&c, &text, &e), &e);
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, s->l.key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, text.p, text.n), 1);
    EVP_MD_CTX_free(ctx);
    assert_ok(checkpoint_seal(&key, buf_span(&text), span_of(der, n), &note, &e), &e);
    assert_ok(file_write(path, buf_span(&note), 0600, &e), &e);
}

static int
run_policy(struct scene *s, const char *text, bool json)
{
    CLEANUP(mem_cleanup) char *path = scene_path(s, "policy");

    write_text(s, "policy", text);
    return json ? RUN(s, "--ledger", s->l.dir, "verify", "--json", "--policy", path)
                : RUN(s, "--ledger", s->l.dir, "verify", "--policy", path);
}

/* ---- witness ---- */

static void
a_key_is_made_once_and_for_its_owner(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *path = scene_path(s, "w1");
    CLEANUP(mem_cleanup) char *vkey = make_key(s, "w1");
    CLEANUP(mem_cleanup) char *text = read_text(s, "w1");
    struct stat st;

    assert_int_equal(strncmp(vkey, "w1+", 3), 0);
    assert_int_equal(strncmp(text, vkey, strlen(vkey)), 0);
    assert_says(text, "\n-----BEGIN PRIVATE KEY-----\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(RUN(s, "witness-key", "--key-file", path, "w1"), 2);
    assert_string_equal(s->out, "");
    assert_int_equal(RUN(s, "witness-key", "w1"), 2);
    assert_says(s->errors, "needs --key-file");
    assert_int_equal(RUN(s, "witness-key", "--key-file", path), 2);
    assert_int_equal(RUN(s, "witness-key", "--key-file", path, "--json", "w1"), 2);
    assert_int_equal(RUN(s, "witness-key", "--key-file", "/nonexistent/k", "w 1"), 2);
    assert_says(s->errors, "the name of a witness");
}

static void
what_continues_is_signed_again_and_remembered_first(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *vkey = make_key(s, "w1");
    CLEANUP(mem_cleanup) char *published = read_text(s, "ledger/checkpoint");
    CLEANUP(mem_cleanup) char *remembered = NULL;
    CLEANUP(mem_cleanup) char *grown = NULL;
    struct cosigner c;
    struct cosigned seen;
    struct note note;
    struct err e = {0};

    assert_ok(cosigner_parse(&c, span_str(vkey), &e), &e);
    assert_int_equal(run_witness(s, "w1", "state"), 0);
    assert_says(s->errors, "first contact: nothing to compare with\n");
    assert_int_equal(strncmp(s->out, published, strlen(published)), 0);
    assert_ok(note_parse(span_str(s->out), &note, &e), &e);
    assert_int_equal(note.n, 2);
    assert_ok(cosigner_verify(&c, &note, &seen, &e), &e);
    assert_true(seen.found && seen.time > 1700000000);
    remembered = read_text(s, "state");
    assert_string_equal(remembered, published);

    /* the same once more; its old line, wherever it comes from, is replaced */
    write_text(s, "ledger/checkpoint", s->out);
    assert_int_equal(run_witness(s, "w1", "state"), 0);
    assert_says(s->errors, "19 leaves, which begin with the 19 that were cosigned last\n");
    assert_ok(note_parse(span_str(s->out), &note, &e), &e);
    assert_int_equal(note.n, 2);

    grow(s);
    assert_int_equal(run_witness(s, "w1", "state"), 0);
    assert_says(s->errors, "20 leaves, which begin with the 19 that were cosigned last\n");
    grown = read_text(s, "state");
    assert_int_equal(strncmp(grown, s->out, strlen(grown)), 0);
}

static void
what_does_not_continue_is_refused_and_kept(void **state)
{
    static const struct {
        uint64_t size;
        const char *says;
    } rows[] = {{100, "rolled back"}, {19, "fork"}, {7, "fork"}, {16, "fork"}};
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *published = read_text(s, "ledger/checkpoint");

    mem_free(make_key(s, "w1"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *remembered = NULL;
        CLEANUP(mem_cleanup) char *after = NULL;
        CLEANUP(mem_cleanup) char *refused = NULL;
        CLEANUP(mem_cleanup) char *earlier = NULL;
        CLEANUP(mem_cleanup) char *name = NULL;
        const char *kept;

        lie(s, rows[i].size, "state");
        remembered = read_text(s, "state");
        assert_int_equal(run_witness(s, "w1", "state"), 1);
        assert_string_equal(s->out, "");
        assert_says(s->errors, rows[i].says);
        after = read_text(s, "state");
        assert_string_equal(after, remembered);
        kept = strstr(s->errors, "state.refused-");
        assert_non_null(kept);
        name = mem_printf("%.30s", kept);
        refused = read_text(s, name);
        assert_string_equal(refused, published);
        mem_free(name);
        name = mem_printf("%.30s.earlier", kept);
        earlier = read_text(s, name);
        assert_string_equal(earlier, remembered);
    }
}

/* Nothing is signed that is not remembered. */
static void
without_a_memory_nothing_is_signed(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *folder = scene_path(s, "folder");
    CLEANUP(mem_cleanup) char *lock = scene_path(s, "state.lock");
    struct err e = {0};
    char longest[250 + 1] = "";
    int fd;

    mem_free(make_key(s, "w1"));
    /* so long that its lock has a name, and the file that is to take its place has none */
    memset(longest, 's', sizeof(longest) - 1);
    assert_int_equal(run_witness(s, "w1", longest), 1);
    assert_says(s->errors, "File name too long");
    assert_string_equal(s->out, "");
    assert_int_equal(run_witness(s, "w1", "nowhere/state"), 1);
    assert_string_equal(s->out, "");
    assert_ok(file_mkdirs(folder, 0700, &e), &e);
    assert_int_equal(run_witness(s, "w1", "folder"), 1);
    assert_string_equal(s->out, "");
    write_text(s, "state", "no note\n");
    assert_int_equal(run_witness(s, "w1", "state"), 1);
    assert_says(s->errors, "state is not a remembered checkpoint of this log");
    assert_string_equal(s->out, "");
    lie(s, 100, "state");
    fd = open(lock, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(run_witness(s, "w1", "state"), 1);
    assert_says(s->errors, "state.lock: another run has it");
    assert_string_equal(s->out, "");
    assert_int_equal(close(fd), 0);
}

static void
what_is_no_key_of_ours(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *one = make_key(s, "w1");
    CLEANUP(mem_cleanup) char *two = make_key(s, "w2");
    CLEANUP(mem_cleanup) char *text = read_text(s, "w1");
    CLEANUP(mem_cleanup) char *mixed = mem_printf("%s%s", two, text + strlen(one));
    CLEANUP(mem_cleanup) char *path = scene_path(s, "w1");
    const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"", "its first line is no verifier key"},
        {"no line", "its first line is no verifier key"},
        {text + strlen(one), "the first line: not a verifier key"},
        {one, "no private key in PEM"},
        {mixed, "the first line is not of the key behind it"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_text(s, "other", rows[i].text);
        assert_int_equal(run_witness(s, "other", "state"), 2);
        assert_says(s->errors, rows[i].says);
        assert_string_equal(s->out, "");
    }
    assert_int_equal(run_witness(s, "nothing", "state"), 2);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(run_witness(s, "w1", "state"), 2);
    assert_says(s->errors, "others than its owner may read");
}

static void
misuse_of_witness(void **state)
{
    struct scene *s = *state;
    static const char *const rows[][ARGS_MAX] = {
        {"witness"},
        {"witness", "--key-file", "x"},
        {"witness", "--state", "x"},
        {"witness", "--key-file", "x", "--state", "x", "extra"},
        {"witness", "--key-file", "x", "--state", "x", "--json"},
        {"witness", "--key-file", "x", "--state", "x", "--policy", "x"},
        {"verify", "--key-file", "x"},
        {"list", "--policy", "x"},
        {"show", "1", "--key-file", "x"},
        {"prove", "1", "--policy", "x"},
        {"check-proof", "x", "--policy", "x"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (scene_run(s, rows[i]) != 2) {
            fail_msg("row %zu: %s", i, s->errors);
        }
        assert_string_equal(s->out, "");
    }
}

/* ---- policies ---- */

static void
a_quorum_is_counted_over_what_each_has_seen(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *one = make_key(s, "w1");
    CLEANUP(mem_cleanup) char *two = make_key(s, "w2");
    CLEANUP(mem_cleanup)
    char *policy = mem_printf("witness first %switness second %sgroup both all first second\n"
                              "quorum both\n",
                              one, two);

    assert_int_equal(run_policy(s, policy, false), 1);
    assert_says(s->errors, "NOT VERIFIED: the quorum \"both\" of the policy has not cosigned this "
                           "log: missing: first, second\n");
    assert_string_equal(s->out, "");
    assert_int_equal(run_witness(s, "w1", "state1"), 0);
    publish(s, one);
    assert_int_equal(run_policy(s, policy, true), 1);
    assert_says(s->out, "{\"reason\":\"the quorum");
    assert_says(s->out, "missing: second\",\"verified\":false}");
    grow(s);
    assert_int_equal(run_witness(s, "w2", "state2"), 0);
    publish(s, two);
    grow(s);
    assert_int_equal(run_policy(s, policy, false), 0);
    assert_says(s->out, "witnesses    quorum \"both\" over the first 19 of 21 leaves\n"
                        "               first, w1, key ");
    assert_says(s->out, ": 19 leaves, 20");
    assert_says(s->out, "second, w2, key ");
    assert_says(s->out, ": 20 leaves, 20");
    assert_int_equal(run_witness(s, "w1", "state1"), 0);
    write_text(s, "ledger/checkpoint", s->out); /* as a log that stands still publishes it */
    assert_int_equal(run_policy(s, policy, true), 0);
    assert_says(s->out, "\"witnessed\":{\"quorum\":\"both\",\"size\":20,\"witnesses\":[{"
                        "\"cosigned\":true,\"id\":\"");
    assert_says(s->out, "\"name\":\"w1\",\"size\":21,\"time\":\"20");
}

/* In any format, of 20 leaves. */
static void
answers_say(struct scene *s, const char *db, int cosigned)
{
    CLEANUP(mem_cleanup) char *page = scene_path(s, "page.html");
    CLEANUP(mem_cleanup) char *text = NULL;
    CLEANUP(mem_cleanup)
    char *says = mem_printf("the quorum has cosigned the first %d of 20 leaves", cosigned);
    CLEANUP(mem_cleanup)
    char *warns = mem_printf("warning: leaves from %d on are not witnessed", cosigned);
    const char *const questions[][3] = {
        {"list", "staff"}, {"show", "3"}, {"list", "staff", "--json"}, {"report", "--html", page}};

    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        const char *args[ARGS_MAX] = {"--mirror", db, questions[i][0], questions[i][1],
                                      questions[i][2]};

        assert_int_equal(scene_run(s, args), 0);
        assert_int_equal(strstr(s->errors, warns) != NULL, cosigned < 20);
        if (i < 2) {
            assert_says(s->out, says);
        }
    }
    text = read_text(s, "page.html");
    assert_says(text, says);
}

/* What is behind that is taken in, and said; until they have seen it. */
static void
a_mirror_says_how_much_of_it_the_quorum_has_seen(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *one = make_key(s, "w1");
    CLEANUP(mem_cleanup) char *text = mem_printf("witness w %squorum w\n", one);
    CLEANUP(mem_cleanup) char *policy = scene_path(s, "policy");
    CLEANUP(mem_cleanup) char *db = scene_path(s, "mirror.db");

    write_text(s, "policy", text);
    assert_int_equal(
        RUN(s, "mirror", "--init", "--stale", "999999", "--policy", policy, s->l.dir, db), 1);
    assert_says(s->errors, "missing: w\n");
    assert_int_not_equal(access(db, F_OK), 0);
    assert_int_equal(run_witness(s, "w1", "state"), 0);
    publish(s, one);
    grow(s);
    assert_int_equal(
        RUN(s, "mirror", "--init", "--stale", "999999", "--policy", policy, s->l.dir, db), 4);
    assert_says(s->out, "20 leaves, 20 of them new");
    assert_says(s->out, "witnesses    the quorum has cosigned the first 19 of 20 leaves\n");
    assert_says(s->errors, "not witnessed: the quorum of ");
    answers_say(s, db, 19);
    assert_int_equal(run_witness(s, "w1", "state"), 0);
    publish(s, one);
    assert_int_equal(RUN(s, "mirror", "--stale", "999999", "--policy", policy, s->l.dir, db), 0);
    assert_says(s->out, "mirror.db: nothing new");
    assert_says(s->out, "witnesses    the quorum has cosigned the first 20 of 20 leaves\n");
    assert_null(strstr(s->errors, "not witnessed"));
    answers_say(s, db, 20);
    assert_int_equal(
        RUN(s, "--mirror", db, "sql", "SELECT 'kept ' || count(*) AS notes FROM witness_note"), 0);
    assert_says(s->out, "kept 1");
    grow(s);
    assert_int_equal(
        RUN(s, "mirror", "--json", "--stale", "999999", "--policy", policy, s->l.dir, db), 4);
    assert_says(s->out, "\"verified\":true,\"witnessed\":20}");
}

static void
what_a_witness_saw_must_be_of_this_history(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *one = make_key(s, "w1");
    CLEANUP(mem_cleanup) char *policy = mem_printf("witness w %squorum w\n", one);
    CLEANUP(mem_cleanup) char *text = NULL;
    CLEANUP(mem_cleanup) char *good = read_text(s, "ledger/checkpoint");
    char *at;

    /* another past, by the log's own signature */
    lie(s, 7, "lie");
    text = read_text(s, "lie");
    (void)snprintf(s->out, sizeof(s->out), "%s", text);
    publish(s, one);
    assert_int_equal(run_policy(s, policy, false), 1);
    assert_says(s->errors, "witness/");
    assert_says(s->errors, "fork: the first 7 leaves");
    /* a good one, whose cosignature is not */
    assert_int_equal(run_witness(s, "w1", "state"), 0);
    at = strrchr(s->out, ' ') + 20;
    *at = *at == 'A' ? 'B' : 'A';
    publish(s, one);
    assert_int_equal(run_policy(s, policy, false), 1);
    assert_says(s->errors, "the signature is wrong");
    *at = '*';
    publish(s, one);
    assert_int_equal(run_policy(s, policy, false), 1);
    /* one that is newer than this copy says so */
    grow(s);
    assert_int_equal(run_witness(s, "w1", "state"), 0);
    publish(s, one);
    write_text(s, "ledger/checkpoint", good);
    assert_int_equal(run_policy(s, policy, false), 1);
    assert_says(s->errors, "missing: w (but a newer one than is here)");
    mem_free(policy);
    policy = mem_printf("witness w %squorum none\n", one);
    assert_int_equal(run_policy(s, policy, false), 0);
    assert_says(s->out, "has not cosigned it; and 20 leaves, more than are here\n");
    assert_int_equal(run_policy(s, policy, true), 0);
    assert_says(s->out, "[{\"beyond\":20,\"cosigned\":false,");
}

static void
a_policy_may_name_the_log(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *vkey = read_text(s, "ledger/log.vkey");
    CLEANUP(mem_cleanup) char *key = scene_key(s);
    CLEANUP(mem_cleanup) char *path = scene_path(s, "policy");
    CLEANUP(mem_cleanup) char *policy = mem_printf("log %squorum none\n", vkey);

    assert_int_equal(run_policy(s, policy, false), 0);
    assert_string_equal(s->errors, "");
    assert_says(s->out, ", given\n");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, "verify", "--policy", path), 0);
    assert_int_equal(
        run_policy(s,
                   "log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n"
                   "quorum none\n",
                   false),
        1);
    assert_says(s->errors, "log.vkey is the key of no log that ");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "--key", key, "verify", "--policy", path), 1);
    assert_says(s->errors, "policy does not name this log");
    write_text(s, "ledger/log.vkey", "x\n");
    assert_int_equal(run_policy(s, policy, false), 1);
    assert_says(s->errors, "log.vkey: not a verifier key");
    assert_int_equal(run_policy(s, "quorum\n", false), 2);
    assert_says(s->errors, "policy: line 1: not one line");
    assert_int_equal(RUN(s, "--ledger", s->l.dir, "verify", "--policy", "/nonexistent"), 2);
    assert_int_equal(RUN(s, "verify", "--policy", path), 2);
}

/* The mirror's key is the policy's then, and nothing is said of where it was found. */
static void
a_mirror_is_of_the_log_that_a_policy_names(void **state)
{
    struct scene *s = *state;
    CLEANUP(mem_cleanup) char *vkey = read_text(s, "ledger/log.vkey");
    CLEANUP(mem_cleanup) char *path = scene_path(s, "policy");
    CLEANUP(mem_cleanup) char *db = scene_path(s, "mirror.db");
    CLEANUP(mem_cleanup) char *other = scene_path(s, "other.db");
    CLEANUP(mem_cleanup) char *policy = mem_printf("log %squorum none\n", vkey);

    write_text(s, "policy", policy);
    assert_int_equal(
        RUN(s, "mirror", "--init", "--stale", "999999", "--policy", path, s->l.dir, db), 0);
    assert_says(s->out, ", given\n");
    assert_string_equal(s->errors, "");
    assert_int_equal(RUN(s, "mirror", "--init", "--stale", "999999", s->l.dir, other), 0);
    assert_says(s->errors, "warning: the log key was read from the ledger itself");
    assert_null(strstr(s->out, ", given\n"));
    assert_int_equal(RUN(s, "mirror", "--stale", "999999", "--policy", path, s->l.dir, other), 0);
    assert_says(s->out, ", given\n");
    /* nothing listens for another log */
    write_text(s, "policy",
               "log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n"
               "quorum none\n");
    assert_int_equal(RUN(s, "--mirror", db, "serve", "--policy", path), 1);
    assert_says(s->errors, "policy does not name this log");
    assert_int_equal(RUN(s, "--mirror", db, "serve", "--policy", "/nonexistent"), 2);
    assert_int_equal(RUN(s, "--mirror", db, "serve", "--listen", "0.0.0.0:0"), 2);
    assert_says(s->errors, "is no loopback address");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(a_key_is_made_once_and_for_its_owner),
        SCENE(what_continues_is_signed_again_and_remembered_first),
        SCENE(what_does_not_continue_is_refused_and_kept),
        SCENE(without_a_memory_nothing_is_signed),
        SCENE(what_is_no_key_of_ours),
        SCENE(misuse_of_witness),
        SCENE(a_quorum_is_counted_over_what_each_has_seen),
        SCENE(a_mirror_says_how_much_of_it_the_quorum_has_seen),
        SCENE(what_a_witness_saw_must_be_of_this_history),
        SCENE(a_policy_may_name_the_log),
        SCENE(a_mirror_is_of_the_log_that_a_policy_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
