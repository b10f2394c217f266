/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/journal_lines.h"

#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/link/admin.h"
#include "pkcs11/signer/policy.h"
#include "tests/support/journal_open.h"

enum { FILE_MAX = 8 * 1024 * 1024 };

/* ---- files ---- */

static char *
lines_path(const struct world *w, const char *name)
{
    return mem_printf("%s/%s", w->dir, name);
}

struct buf
lines_load(const struct world *w, const char *name)
{
    CLEANUP(mem_cleanup) char *path = lines_path(w, name);
    struct buf out = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &out, &e), &e);
    return out;
}

void
lines_save(const struct world *w, const char *name, const struct buf *octets)
{
    CLEANUP(mem_cleanup) char *path = lines_path(w, name);
    struct err e = {0};

    assert_ok(file_write(path, buf_span(octets), 0600, &e), &e);
}

bool
lines_log_says(const struct world *w, size_t from, const char *says)
{
    CLEANUP(buf_free) struct buf log = lines_load(w, "ca.log");

    return memmem(log.p + from, log.n - from, says, strlen(says)) != NULL;
}

size_t
lines_log_end(const struct world *w)
{
    CLEANUP(buf_free) struct buf log = lines_load(w, "ca.log");

    return log.n;
}

/* ---- journals, while their signer does not run ---- */

struct journal *
lines_open(const struct world *w, const char *name)
{
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/%s.conf", w->dir, name);
    struct err e = {0};
    CLEANUP(policy_cleanup) struct policy *p = policy_load(file, &e);
    uint8_t key[SHA256_SIZE];
    struct journal *j;
    size_t torn;

    assert_non_null(p);
    assert_ok(sha256(buf_span(&p->spki), key, &e), &e);
    j = journal_open(p->journal, key, &torn, &e);
    if (j == NULL) {
        fail_msg("%s", e.text);
    }
    return j;
}

struct last {
    char kind;
    struct journal_attempt a;
};

static bool
keep(void *arg, const struct journal_attempt *a)
{
    struct last *l = arg;

    if (a->kind == l->kind) {
        l->a = *a;
    }
    return true;
}

/* The newest line of this kind. */
struct journal_attempt
lines_newest(const struct journal *j, char kind)
{
    struct last l = {.kind = kind};
    struct err e = {0};

    assert_ok(journal_each(j, 1, keep, &l, &e), &e);
    assert_int_equal(l.a.kind, kind);
    return l.a;
}

void
lines_add(struct journal *j, const struct journal_attempt *a)
{
    struct err e = {0};

    switch (a->kind) {
    case 'T':
        assert_ok(a->bare ? journal_add(j, 'T', a->hash, NULL, &e)
                          : journal_add_certificate(j, a->hash, a->serial, &e),
                  &e);
        break;
    case 'L':
        assert_ok(journal_add_crl(j, &a->crl, &e), &e);
        break;
    default:
        assert_ok(journal_add(j, a->kind, a->hash, a->kind == 'K' ? &a->checkpoint : NULL, &e), &e);
        break;
    }
}

/* ---- what is asked ---- */

json_int_t
lines_figure(struct world *w, const char *signer, const char *name)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup)
    json_t *status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    json_t *value =
        json_object_get(json_object_get(json_object_get(status, "signers"), signer), name);

    assert_non_null(value);
    return json_integer_value(value);
}

void
lines_make_crl(struct world *w)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup)
    json_t *answer = world_ask(w, json_pack("{s:s}", "command", "crl"), &e);

    assert_non_null(answer);
}

void
lines_must_refuse(struct world *w, const char *row, const char *says)
{
    const size_t from = lines_log_end(w);
    const int status = world_start_status(w);

    if (status != LINES_REFUSED || !lines_log_says(w, from, says)) {
        world_show_log(w);
        fail_msg("%s: status %d, not \"%s\"", row, status, says);
    }
}
