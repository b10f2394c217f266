/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include "tests/unit/ceremony/scene.h"

#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/softhsm.h"
#include "tests/support/tmpdir.h"

enum { TEXT_MAX = 64 * 1024, HOUR = 3600, DAY = 24 * HOUR };

#define PROGRAM TEST_BINARY_DIR "/nfpki-ceremony"

const struct scene_times scene_usual_times = {.begin = -60, .from = -HOUR, .until = HOUR};

void
scene_free(struct scene *s)
{
    tmpdir_remove(s->dir);
    mem_free(s);
}

struct scene *
scene_new(void)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));

    s->dir = tmpdir_new();
    s->now = clock_now();
    s->times = scene_usual_times;
    softhsm_use(s->dir); /* writes DIR/softhsm2.conf, tokens in DIR/tokens */
    return s;
}

/* ---- definitions ------------------------------------------------------------------------------
 */

/* Behind the first line of every definition; the token is named as the bundle. */
static char *
head_of(const char *type, const char *name, const char *token, const char *prev, const char *expect)
{
    return mem_printf("ceremony = 1\nid = \"%s\"\ntype = \"%s\"\ncps = \"CPS 1.0\"\n"
                      "prev = \"%s\"\noutput = \"%s\"\ncredentials = \"credentials\"\n"
                      "software_token_accepted = true\nnetwork_accepted = true\n"
                      "swap_accepted = true\n"
                      "person \"alice\" { name = \"Alice\" role = \"administrator\" }\n"
                      "person \"walter\" { name = \"Walter\" role = \"witness\" }\n"
                      "token {\n    module = \"" SOFTHSM_MODULE "\"\n"
                      "    config = \"softhsm2.conf\"\n    directory = \"tokens\"\n"
                      "    label = \"%s\"\n%s}\n",
                      name, type, prev, name, token, expect);
}

static char *
head(const char *type, const char *name, const char *token, const char *prev)
{
    return head_of(type, name, token, prev,
                   strstr(type, "generate") != NULL
                       ? "    expect = \"fresh\"\n"
                       : "    serial = \"previous\"\n    expect = \"root\"\n");
}

static char *
times(const char *first, time_t from, const char *last, time_t until)
{
    char from_text[TIME_TEXT_SIZE];
    char until_text[TIME_TEXT_SIZE];

    time_format(from, from_text);
    time_format(until, until_text);
    return mem_printf("    %s = %s\n    %s = %s\n", first, from_text, last, until_text);
}

/* Of what is signed, for so many days when nothing else is said. */
static char *
dates_of(const struct scene *s, const char *first, const char *last, long days)
{
    time_t begin = s->now + s->times.begin;

    return times(first, begin, last,
                 begin - 1 + DAY * (time_t)(s->times.days == 0 ? days : s->times.days));
}

/* The whole text with the clock's window, changed and written. */
static char *
definition(const struct scene *s, const char *name, const char *begin, const char *parts,
           const struct change *changes)
{
    CLEANUP(mem_cleanup)
    char *window =
        times("not_before", s->now + s->times.from, "not_after", s->now + s->times.until);
    char *path = mem_printf("%s/%s.conf", s->dir, name);
    CLEANUP(mem_cleanup) char *text = mem_printf("%s%sclock {\n%s}\n", begin, parts, window);
    struct err e = {0};

    for (size_t i = 0; changes != NULL && i < SCENE_CHANGES_MAX && changes[i].from != NULL; i++) {
        const char *at = strstr(text, changes[i].from);
        char *changed;

        if (at == NULL) {
            fail_msg("%s is not in: %s", changes[i].from, text);
            break;
        }
        changed = mem_printf("%.*s%s%s", (int)(at - text), text, changes[i].to,
                             at + strlen(changes[i].from));
        mem_free(text);
        text = changed;
    }
    assert_ok(file_write(path, span_str(text), 0600, &e), &e);
    return path;
}

char *
scene_root(const struct scene *s, const char *name, const struct change *changes)
{
    CLEANUP(mem_cleanup) char *begin = head("root-generate", name, name, "none");
    CLEANUP(mem_cleanup)
    char *dates = dates_of(s, "not_before", "not_after", 7300);
    CLEANUP(mem_cleanup)
    char *parts = mem_printf("key \"root\" {\n    algorithm = \"P-384\"\n"
                             "    attributes = \"root-signing-v1\"\n}\n"
                             "certificate {\n    profile = \"root\"\n"
                             "    subject = \"C=SE, O=Example, CN=Root\"\n%s}\n",
                             dates);

    return definition(s, name, begin, parts, changes);
}

char *
scene_keys(const struct scene *s, const char *name, const struct change *changes)
{
    CLEANUP(mem_cleanup) char *begin = head("key-generate", name, name, "none");

    return definition(s, name, begin,
                      "key \"issuing\" {\n    algorithm = \"P-256\"\n"
                      "    attributes = \"issuing-signing-v1\"\n"
                      "    subject = \"C=SE, O=Example, CN=Issuing\"\n}\n"
                      "key \"log\" {\n    algorithm = \"P-256\"\n"
                      "    attributes = \"log-signing-v1\"\n}\n"
                      "secret \"seal\" {\n    attributes = \"ra-seal-v1\"\n}\n",
                      changes);
}

char *
scene_secret(const struct scene *s, const char *name, const char *keys,
             const struct change *changes)
{
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/%s/%s.serial", s->dir, keys, keys);
    CLEANUP(buf_free) struct buf serial = BUF_INIT(TEXT_MAX);
    CLEANUP(mem_cleanup) char *expect = NULL;
    CLEANUP(mem_cleanup) char *begin = NULL;
    struct err e = {0};

    assert_ok(file_read(file, &serial, &e), &e);
    assert_true(serial.n > 1); /* and its line break */
    expect = mem_printf("    serial = \"%.*s\"\n    expect = \"keys\"\n", (int)serial.n - 1,
                        (const char *)serial.p);
    begin = head_of("secret-generate", name, keys, "none", expect);
    return definition(s, name, begin, "secret \"seal-2\" {\n    attributes = \"ca-seal-v1\"\n}\n",
                      changes);
}

char *
scene_sub(const struct scene *s, const char *name, const char *prev, const char *keys,
          const struct change *changes)
{
    CLEANUP(mem_cleanup) char *begin = head("sub-issue", name, "root", prev);
    CLEANUP(mem_cleanup) char *csr = mem_printf("%s/%s/issuing.csr.pem", s->dir, keys);
    CLEANUP(mem_cleanup)
    char *dates = dates_of(s, "not_before", "not_after", 1825);
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(TEXT_MAX);
    CLEANUP(mem_cleanup) char *hex = NULL;
    CLEANUP(mem_cleanup) char *parts = NULL;
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    assert_ok(file_read(csr, &bytes, &e), &e);
    assert_ok(sha256(buf_span(&bytes), hash, &e), &e);
    hex = hex_dup(span_of(hash, sizeof(hash)));
    parts = mem_printf("csr {\n    file = \"%s\"\n    sha256 = \"%s\"\n}\n"
                       "certificate {\n    profile = \"issuing\"\n"
                       "    subject = \"C=SE, O=Example, CN=Issuing\"\n%s"
                       "    crl_url = \"http://crl.example.net/root.crl\"\n}\n",
                       csr, hex, dates);
    return definition(s, name, begin, parts, changes);
}

char *
scene_crl(const struct scene *s, const char *name, const char *prev, const struct change *changes)
{
    CLEANUP(mem_cleanup) char *begin = head("root-crl", name, "root", prev);
    CLEANUP(mem_cleanup)
    char *dates = dates_of(s, "this_update", "next_update", 180);
    CLEANUP(mem_cleanup) char *parts = mem_printf("crl {\n%s}\n", dates);

    return definition(s, name, begin, parts, changes);
}

/* ---- ceremonies -------------------------------------------------------------------------------
 */

int
scene_hold(const struct scene *s, const char *command, const char *path, const struct typed *other,
           size_t n_other, struct buf *out)
{
    bool alone = strcmp(command, "run") != 0;
    char *argv[] = {mem_strdup("/bin/sh"), mem_strdup("-c"),
                    mem_printf("exec %s " PROGRAM " %.*s %s", s->around == NULL ? "" : s->around,
                               (int)strcspn(command, " "), command, path),
                    NULL};
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    CLEANUP(mem_cleanup) char *hex = NULL;
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};
    int status;

    assert_ok(file_read(path, &text, &e), &e);
    assert_ok(sha256(buf_span(&text), hash, &e), &e);
    hex = hex_dup(span_of(hash, sizeof(hash)));
    buf_truncate(out, 0);
    status = alone ? typist_run_alone(argv, out)
                   : typist_run(argv, hex + sizeof(hash) * 2 - 16, other, n_other, out);
    assert_ok(buf_append(out, span_of("", 1), &e), &e); /* a text from here on */
    for (size_t i = 0; i < ARRAY_LEN(argv); i++) {
        mem_free(argv[i]);
    }
    return status;
}

static void
hold_well(const struct scene *s, const char *command, char *path)
{
    CLEANUP(mem_cleanup) char *owned = path;
    CLEANUP(buf_free) struct buf out = BUF_INIT(TYPIST_OUTPUT_MAX);

    if (scene_hold(s, command, owned, NULL, 0, &out) != 0) {
        fail_msg("%s %s: %s", command, owned, (const char *)out.p);
    }
}

void
scene_run(const struct scene *s, char *path)
{
    hold_well(s, "run", path);
}

void
scene_rehearse(const struct scene *s, char *path)
{
    hold_well(s, "rehearse", path);
}
