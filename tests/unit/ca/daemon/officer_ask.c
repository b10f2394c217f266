/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/officer.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/unix.h"
#include "ca/link/admin.h"

enum { TEXT_MAX = 64 * 1024 };

json_t *
officer_wants(const char *csr, const char *profile, const char *name, int days)
{
    return json_pack("{s:s,s:s,s:s,s:i,s:s}", "command", "issue", "profile", profile, "commonName",
                     name, "days", days, "csr", csr);
}

void
officer_is_refused(struct world *w, const char *row, json_t *request, enum err_code code,
                   const char *says)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = world_ask(w, request, &e);

    if (answer != NULL || e.code != code || strstr(e.text, says) == NULL) {
        fail_msg("%s: \"%s\" (%s) instead of \"%s\"", row, answer != NULL ? "done" : e.text,
                 err_code_name(e.code), says);
    }
}

static char *
serial_in(json_t *answer, const struct err *e)
{
    if (answer == NULL) {
        fail_msg("%s", e->text);
    }
    return mem_strdup(json_string_value(json_object_get(answer, "serial")));
}

/* The serial number of what the officer gets. */
char *
officer_is_issued(struct world *w, json_t *request)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = world_ask(w, request, &e);

    return serial_in(answer, &e);
}

int
officer_connects(const struct world *w)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/admin.sock", w->dir);
    struct err e = {0};
    int fd = unix_connect(path, true, &e);

    assert_true(fd >= 0);
    return fd;
}

void
officer_says(int fd, json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT);
    struct err e = {0};

    assert_ok(frame_write(fd, span_str(text), -1, &e), &e);
    json_decref(request);
    free(text);
}

int
officer_sends(const struct world *w, json_t *request)
{
    int fd = officer_connects(w);

    officer_says(fd, request);
    return fd;
}

json_t *
officer_reads(int fd)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(TEXT_MAX);
    struct err e = {0};
    json_t *answer;

    assert_ok(frame_read(fd, TEXT_MAX, &body, -1, &e), &e);
    answer = json_loadb((const char *)body.p, body.n, 0, NULL);
    assert_non_null(answer);
    return answer;
}

json_t *
officer_hears(int fd)
{
    json_t *answer = officer_reads(fd);

    (void)close(fd);
    return answer;
}
