/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ractl bundle: of one registration, or of all that are open, a folder for each. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/link/admin.h"
#include "ra/bundle/bundle.h"
#include "ra/ractl/ractl.h"

enum { PAGE = 1000, SECRETS_MAX = 64 * 1024 * 1024, INDEX_MAX = 64 * 1024 * 1024 };

struct bundling {
    const char *profile; /* NULL: the first registered one */
    const char *output;  /* NULL: stdout only */
    const char *secrets; /* what import wrote; NULL: nothing */
    const struct bundle_client *client;
    bool all;
    bool revocation;
    json_t *by_id; /* secrets */
    struct buf index;
    size_t made;
    size_t failed;
};

static json_t *
ask_bundle(const char *id, struct err *e)
{
    CLEANUP(admin_json_cleanup)
    json_t *request = json_pack("{s:s, s:s}", "command", "bundle", "id", id);

    return admin_ask(ractl_socket, request, RACTL_TIMEOUT_MS, e);
}

/* Into a file that was not there. */
static int
save(const struct bundling *o, const char *dir, const struct bundle *b, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *path = mem_printf("%s/%s", dir, o->revocation ? "revoke.sh" : o->client->file);

    return file_mkdirs(dir, 0700, e) != 0 || file_create(path, buf_span(&b->text), 0600, e) != 0
               ? -1
               : 0;
}

/* ---- one ---- */

static int
make_one(const struct bundling *o, const char *id)
{
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    CLEANUP(bundle_release) struct bundle b = {0};
    struct err e;

    answer = ask_bundle(id, &e);
    if (answer == NULL) {
        return ractl_explain(&e);
    }
    if (ractl_json) {
        ractl_print_json(answer);
        return ractl_finish();
    }
    if (bundle_take(&b, answer, o->profile) != 0 ||
        bundle_render(&b, o->client, o->revocation) != 0) {
        return ractl_complain(&b.e);
    }
    if (o->output == NULL) {
        (void)fwrite(b.text.p, 1, b.text.n, stdout);
        return ractl_finish();
    }
    if (save(o, o->output, &b, &e) != 0) {
        return ractl_complain(&e);
    }
    (void)fprintf(stderr, "%s/%s\n", o->output, o->revocation ? "revoke.sh" : o->client->file);
    return 0;
}

/* ---- all that are open ---- */

/* A batch goes into a folder of its own: what was there before is nobody's to mix with. */
static int
check_empty(const char *dir, struct err *e)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    bool empty = true;

    if (d == NULL) {
        return errno == ENOENT ? 0 : err_errno(e, ERR_IO, errno, "%s", dir);
    }
    while (empty && (entry = readdir(d)) != NULL) {
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    (void)closedir(d);
    return empty ? 0 : err_set(e, ERR_CONFLICT, "%s is not empty: name a new folder", dir);
}

/* The file that import wrote: {"id": ..., "secret": ...} on each line. */
static int
read_secrets(struct bundling *o, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(SECRETS_MAX); /* wiped as every buf is */
    const char *line;
    size_t number = 0;

    o->by_id = json_object();
    if (o->secrets == NULL) {
        return 0;
    }
    if (file_read(o->secrets, &text, e) != 0) {
        return -1;
    }
    line = (const char *)text.p;
    while (line < (const char *)text.p + text.n) {
        size_t left = (size_t)((const char *)text.p + text.n - line);
        const char *end = memchr(line, '\n', left);
        size_t n = end == NULL ? left : (size_t)(end - line);
        json_t *row = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
        const char *id = bundle_member(row, "id");

        number++;
        if (id[0] == '\0' || bundle_member(row, "secret")[0] == '\0') {
            json_decref(row);
            return err_set(e, ERR_INPUT,
                           "%s:%zu: no \"id\" and \"secret\": take the file that `nfpki-ractl "
                           "import --secrets` wrote",
                           o->secrets, number);
        }
        (void)json_object_set(o->by_id, id, json_object_get(row, "secret"));
        json_decref(row);
        line += n + 1;
    }
    return 0;
}

static int
save_secret(const struct bundling *o, const char *dir, const char *id, struct err *e)
{
    const char *secret = bundle_member(o->by_id, id);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/secret.txt", dir);

    return secret[0] == '\0' ? 0 : file_create(path, span_str(secret), 0600, e);
}

static int
add_to_index(struct bundling *o, const json_t *row, const struct bundle *b, struct err *e)
{
    const char *id = bundle_member(row, "id");
    CLEANUP(mem_cleanup) char *file = mem_printf("%s/%s", id, o->client->file);
    CLEANUP(admin_json_cleanup)
    json_t *line =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "id", id, "nfInstanceId",
                  bundle_member(row, "nfInstanceId"), "proof", b->proof, "profile", b->profile,
                  "file", file, "secret", json_object_get(o->by_id, id) != NULL);
    char *text = json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS);
    int result = text == NULL || buf_append_str(&o->index, text, e) != 0 ||
                         buf_append_str(&o->index, "\n", e) != 0
                     ? -1
                     : 0;

    free(text);
    return result;
}

static int
make_folder(struct bundling *o, const json_t *row, struct err *e)
{
    const char *id = bundle_member(row, "id");
    CLEANUP(mem_cleanup) char *dir = mem_printf("%s/%s", o->output, id);
    CLEANUP(admin_json_cleanup) json_t *answer = ask_bundle(id, e);
    CLEANUP(bundle_release) struct bundle b = {0};

    if (answer == NULL) {
        return -1;
    }
    if (bundle_take(&b, answer, o->profile) != 0 || bundle_render(&b, o->client, false) != 0) {
        *e = b.e;
        return -1;
    }
    return save(o, dir, &b, e) != 0 || save_secret(o, dir, id, e) != 0 ||
                   add_to_index(o, row, &b, e) != 0
               ? -1
               : 0;
}

/* What is wrong with one is told, and the others are made. */
static void
make_page(struct bundling *o, const json_t *rows)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        struct err e;

        if (make_folder(o, row, &e) == 0) {
            o->made++;
        } else {
            o->failed++;
            (void)fprintf(stderr, "nfpki-ractl: %s: %s\n", bundle_member(row, "id"), e.text);
        }
    }
}

static int
make_pages(struct bundling *o, struct err *e)
{
    CLEANUP(mem_cleanup) char *after = NULL;
    bool more = true;

    while (more) {
        CLEANUP(admin_json_cleanup)
        json_t *request = json_pack("{s:s, s:s, s:s*, s:i}", "command", "list", "state", "open",
                                    "after", after, "limit", PAGE);
        CLEANUP(admin_json_cleanup)
        json_t *page = admin_ask(ractl_socket, request, RACTL_TIMEOUT_MS, e);
        const char *next = json_string_value(json_object_get(page, "next"));

        if (page == NULL) {
            return -1;
        }
        make_page(o, json_object_get(page, "registrations"));
        more = next != NULL;
        mem_free(after);
        after = next == NULL ? NULL : mem_strdup(next);
    }
    return 0;
}

static int
make_all(struct bundling *o)
{
    CLEANUP(mem_cleanup) char *index = mem_printf("%s/index.jsonl", o->output);
    struct err e;

    if (check_empty(o->output, &e) != 0 || read_secrets(o, &e) != 0 ||
        file_mkdirs(o->output, 0700, &e) != 0) {
        return ractl_complain(&e);
    }
    if (make_pages(o, &e) != 0) {
        return ractl_explain(&e);
    }
    if (file_create(index, buf_span(&o->index), 0600, &e) != 0) {
        return ractl_complain(&e);
    }
    (void)fprintf(stderr, "%s: %zu bundles, %zu that could not be made\n", o->output, o->made,
                  o->failed);
    return o->failed == 0 ? 0 : 1;
}

/* ---- command ---- */

static int
parse(int argc, char **argv, struct bundling *o, const char **client)
{
    static const struct option options[] = {
        {"client", required_argument, NULL, 'c'},
        {"profile", required_argument, NULL, 'p'},
        {"output", required_argument, NULL, 'o'},
        {"secrets", required_argument, NULL, 's'},
        {"revocation", no_argument, NULL, 'r'},
        {"all", no_argument, NULL, 'a'},
        {NULL, 0, NULL, 0},
    };
    int option;

    optind = 0; /* glibc: begin anew, with options anywhere */
    while ((option = getopt_long(argc, argv, "c:p:o:s:ra", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            *client = optarg;
            break;
        case 'p':
            o->profile = optarg;
            break;
        case 'o':
            o->output = optarg;
            break;
        case 's':
            o->secrets = optarg;
            break;
        case 'r':
            o->revocation = true;
            break;
        case 'a':
            o->all = true;
            break;
        default:
            return -1;
        }
    }
    if (o->all) {
        return argc == optind && o->output != NULL && !o->revocation && !ractl_json ? 0 : -1;
    }
    return argc - optind == 1 && o->secrets == NULL ? 0 : -1;
}

int
ractl_bundle(int argc, char **argv)
{
    struct bundling o = {.index = BUF_INIT(INDEX_MAX)};
    const char *client = "openssl";
    struct err e;
    int status;

    if (parse(argc, argv, &o, &client) != 0) {
        return ractl_misuse(argv[0]);
    }
    o.client = bundle_client_find(client, &e);
    if (o.client == NULL) {
        return ractl_complain(&e);
    }
    status = o.all ? make_all(&o) : make_one(&o, argv[optind]);
    json_decref(o.by_id);
    buf_free(&o.index);
    return status;
}
