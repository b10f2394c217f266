/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ractl manifest and import: many registrations under one signature. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/link/admin.h"
#include "ca/registration/batch.h"
#include "ca/x509/profile/profiles.h"
#include "ra/ractl/ractl.h"

enum { ERRORS_MAX = 20 };

/* ---- manifest ---- */

/* Says of every document what is wrong with it, as far as somebody reads. */
static int
check_all(struct batch *b, const char *path, const struct nf_rules *rules)
{
    size_t wrong = 0;

    for (size_t i = 0; i < batch_count(b); i++) {
        struct err e;

        if (batch_check(b, i, rules, &e) != 0 && ++wrong <= ERRORS_MAX) {
            (void)fprintf(stderr, "%s:%zu: %s\n", path, i + 1, e.text);
        }
    }
    if (wrong > ERRORS_MAX) {
        (void)fprintf(stderr, "%s: and %zu more\n", path, wrong - ERRORS_MAX);
    }
    return wrong == 0 ? 0 : -1;
}

int
ractl_manifest(int argc, char **argv)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(BATCH_OCTETS_MAX);
    CLEANUP(batch_cleanup) struct batch *batch = NULL;
    CLEANUP(mem_cleanup) char *manifest = NULL;
    CLEANUP(profiles_cleanup) struct profiles *profiles = NULL;
    struct nf_rules rules = {.lab_profiles = true};
    struct err e;

    if (argc == 4 && strcmp(argv[1], "--profiles") == 0) {
        profiles = profiles_load(argv[2], &e);
        if (profiles == NULL) {
            return ractl_complain(&e);
        }
        rules.profiles = profiles;
        argc -= 2;
        argv += 2;
    }
    if (argc != 2) {
        return ractl_misuse("manifest");
    }
    if (file_read(argv[1], &text, &e) != 0) {
        return ractl_complain(&e);
    }
    batch = batch_new(buf_span(&text), &e);
    if (batch == NULL) {
        (void)err_wrap(&e, "%s", argv[1]);
        return ractl_complain(&e);
    }
    if (check_all(batch, argv[1], &rules) != 0) {
        return 2;
    }
    manifest = batch_manifest_format(batch);
    (void)fputs(manifest, stdout);
    return ractl_finish();
}

/* ---- import ---- */

struct importing {
    const char *secrets_path; /* NULL: stdout */
    FILE *secrets;
    bool any_secret;
    struct err e; /* of the secrets' file */
    bool failed;
};

static int
open_secrets(struct importing *m, struct err *e)
{
    int fd;

    if (m->secrets_path == NULL) {
        return 0;
    }
    fd = open(m->secrets_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == EEXIST ? err_set(e, ERR_CONFLICT, "%s is there already: name a new file",
                                         m->secrets_path)
                               : err_errno(e, ERR_IO, errno, "%s", m->secrets_path);
    }
    m->secrets = fdopen(fd, "w");
    if (m->secrets == NULL) {
        (void)close(fd);
        return err_errno(e, ERR_IO, errno, "%s", m->secrets_path);
    }
    return 0;
}

/* What was shown once must be on the disk before anybody believes that it is. */
static int
close_secrets(struct importing *m, struct err *e)
{
    if (m->secrets == NULL) {
        return 0;
    }
    m->failed |= fsync(fileno(m->secrets)) != 0; /* each line was flushed */
    m->failed |= fclose(m->secrets) != 0;
    m->secrets = NULL;
    if (m->failed) {
        return err_set(e, ERR_IO, "%s could not be written whole: cancel what it lacks",
                       m->secrets_path);
    }
    if (!m->any_secret) {
        (void)unlink(m->secrets_path);
    }
    return 0;
}

/* One line of JSON at once, so that a kill loses none that came. */
static void
save_secret(struct importing *m, const json_t *row)
{
    CLEANUP(admin_json_cleanup)
    json_t *line = json_pack("{s:s, s:s, s:s, s:s}", "id", ractl_text(row, "id"), "nfInstanceId",
                             ractl_text(row, "nfInstanceId"), "reference",
                             ractl_text(row, "reference"), "secret", ractl_text(row, "secret"));

    m->any_secret = true;
    if (json_dumpf(line, m->secrets, JSON_COMPACT) != 0 || fputc('\n', m->secrets) == EOF ||
        fflush(m->secrets) != 0) {
        m->failed = true;
    }
}

static void
on_row(void *arg, json_t *row)
{
    struct importing *m = arg;
    bool has_secret = json_object_get(row, "secret") != NULL;

    if (has_secret && m->secrets != NULL) {
        save_secret(m, row);
        (void)json_object_del(row, "secret");
        (void)json_object_del(row, "reference");
        has_secret = false;
    }
    if (ractl_json) {
        (void)json_dumpf(row, stdout, JSON_COMPACT | JSON_SORT_KEYS);
        (void)putchar('\n');
        return;
    }
    (void)printf("%6lld  %-32s  %-36s  %-10s",
                 (long long)json_integer_value(json_object_get(row, "index")),
                 ractl_text(row, "id"), ractl_text(row, "nfInstanceId"), ractl_text(row, "result"));
    if (has_secret) {
        (void)printf("  %s  %s", ractl_text(row, "reference"), ractl_text(row, "secret"));
    } else if (json_object_get(row, "reason") != NULL) {
        (void)printf("  %s", ractl_text(row, "reason"));
    }
    (void)putchar('\n');
}

static long long
number(const json_t *object, const char *member)
{
    return (long long)json_integer_value(json_object_get(object, member));
}

static int
import(struct importing *m, struct span manifest, struct span text, struct err *e)
{
    CLEANUP(mem_cleanup) char *base64 = base64_dup(manifest);
    CLEANUP(admin_json_cleanup)
    json_t *request = json_pack("{s:s, s:s}", "command", "import", "manifest", base64);
    CLEANUP(admin_json_cleanup)
    json_t *answer = admin_ask_rows(ractl_socket, request, text, on_row, m, RACTL_TIMEOUT_MS, e);

    if (answer == NULL) {
        return ractl_explain(e);
    }
    (void)fprintf(stderr, "%lld registrations: %lld new, %lld known, %lld refused, %lld busy\n",
                  number(answer, "registrations"), number(answer, "registered"),
                  number(answer, "known"), number(answer, "refused"), number(answer, "busy"));
    if (number(answer, "busy") > 0) {
        (void)fputs("The CA did not take all of them in time: import the same files again.\n",
                    stderr);
    }
    return number(answer, "refused") + number(answer, "busy") == 0 ? 0 : 1;
}

static int
parse(int argc, char **argv, struct importing *m)
{
    static const struct option options[] = {
        {"secrets", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int option;

    optind = 0; /* glibc: begin anew, with options anywhere */
    while ((option = getopt_long(argc, argv, "s:", options, NULL)) != -1) {
        if (option != 's') {
            return -1;
        }
        m->secrets_path = optarg;
    }
    return argc - optind == 2 ? 0 : -1;
}

int
ractl_import(int argc, char **argv)
{
    CLEANUP(buf_free) struct buf manifest = BUF_INIT(2 * BATCH_MANIFEST_MAX);
    CLEANUP(buf_free) struct buf text = BUF_INIT(BATCH_OCTETS_MAX);
    struct importing m = {0};
    struct err e;
    int status;

    if (parse(argc, argv, &m) != 0) {
        return ractl_misuse(argv[0]);
    }
    if (file_read(argv[optind], &manifest, &e) != 0 ||
        file_read(argv[optind + 1], &text, &e) != 0 || open_secrets(&m, &e) != 0) {
        return ractl_complain(&e);
    }
    status = import(&m, buf_span(&manifest), buf_span(&text), &e);
    if (close_secrets(&m, &e) != 0) {
        return ractl_complain(&e);
    }
    return ractl_finish() == 0 ? status : 1;
}
