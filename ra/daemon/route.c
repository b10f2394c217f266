/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/route.h"

#include <string.h>

#include "ca/cmp/protection/check.h"
#include "ra/daemon/ledger_file.h"

#define CMP_PREFIX "/.well-known/cmp"
#define CRL_PREFIX "/crl/"
#define CRL_SUFFIX ".crl"
#define LEDGER_PREFIX "/ledger/"

static const struct {
    const char *name;
    enum cmp_body body;
} operations[] = {
    {"initialization", CMP_IR},  {"certification", CMP_CR},        {"keyupdate", CMP_KUR},
    {"pkcs10", CMP_P10CR},       {"revocation", CMP_RR},           {"getcacerts", CMP_GENM},
    {"getrootupdate", CMP_GENM}, {"getcertreqtemplate", CMP_GENM}, {"getcrls", CMP_GENM},
    {"nested", CMP_NESTED},
};

static void
refuse(struct route *out, int status, const char *why)
{
    out->kind = ROUTE_REFUSED;
    out->status = status;
    out->why = why;
}

static void
refuse_method(struct route *out, const char *allow)
{
    refuse(out, 405, "another method is for this path");
    out->allow = allow;
}

/* a-z 0-9 - only: what stands here is looked up in tables and folders. */
static bool
is_plain(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9');

        if (!letter && text[i] != '-') {
            return false;
        }
    }
    return n > 0;
}

/* "name", at the end of the path. */
static bool
take_operation(const char *text, struct route *out)
{
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        if (strcmp(text, operations[i].name) == 0) {
            out->body = (int)operations[i].body;
            return true;
        }
    }
    return false;
}

/* What follows CMP_PREFIX. */
static bool
find_cmp(const char *rest, struct route *out)
{
    out->kind = ROUTE_CMP;
    out->body = -1;
    if (strncmp(rest, "/p/", 3) == 0) {
        size_t n = strcspn(rest + 3, "/");

        if (n > CMP_PROFILE_MAX || !is_plain(rest + 3, n)) {
            return false;
        }
        memcpy(out->profile, rest + 3, n);
        rest += 3 + n;
    }
    if (rest[strspn(rest, "/")] == '\0') { /* clients end their path with any number of them */
        return true;
    }
    return rest[0] == '/' && take_operation(rest + 1, out);
}

static bool
find_crl(const char *name, struct route *out)
{
    size_t n = strlen(name);
    size_t suffix = strlen(CRL_SUFFIX);

    out->kind = ROUTE_CRL;
    if (n > ROUTE_FILE_MAX || n <= suffix || strcmp(name + n - suffix, CRL_SUFFIX) != 0 ||
        !is_plain(name, n - suffix)) {
        return false;
    }
    memcpy(out->file, name, n); /* and zeros behind it */
    return true;
}

static bool
find_ledger(const char *name, struct route *out)
{
    const size_t n = strlen(name);

    out->kind = ROUTE_LEDGER;
    if (n > ROUTE_FILE_MAX || !ledger_file_is_one(name)) {
        return false;
    }
    memcpy(out->file, name, n); /* and zeros behind it */
    return true;
}

/* What a CMP message comes with. */
static void
check_cmp(const struct http_request *request, struct route *out)
{
    if (request->method != HTTP_METHOD_POST) {
        refuse_method(out, "POST");
    } else if (strcmp(request->content_type, "application/pkixcmp") != 0) {
        refuse(out, 415, "Content-Type is not application/pkixcmp");
    }
}

static bool
find_alias(const char *path, const struct route_alias *aliases, size_t n, struct route *out)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(path, aliases[i].path) == 0) {
            out->kind = ROUTE_CMP;
            out->body = aliases[i].body;
            memcpy(out->profile, aliases[i].profile, sizeof(out->profile));
            return true;
        }
    }
    return false;
}

void
route_find(const struct http_request *request, const struct route_alias *aliases, size_t n_aliases,
           struct route *out)
{
    const char *path = request->path;

    memset(out, 0, sizeof(*out));
    out->body = -1;
    if (strncmp(path, CMP_PREFIX, strlen(CMP_PREFIX)) == 0) {
        if (find_cmp(path + strlen(CMP_PREFIX), out)) {
            check_cmp(request, out);
        } else {
            refuse(out, 404, "no operation or profile can have this path");
        }
    } else if (strncmp(path, CRL_PREFIX, strlen(CRL_PREFIX)) == 0) {
        if (!find_crl(path + strlen(CRL_PREFIX), out)) {
            refuse(out, 404, "no CRL can have this name");
        } else if (request->method != HTTP_METHOD_GET) {
            refuse_method(out, "GET, HEAD");
        }
    } else if (strncmp(path, LEDGER_PREFIX, strlen(LEDGER_PREFIX)) == 0) {
        if (!find_ledger(path + strlen(LEDGER_PREFIX), out)) {
            refuse(out, 404, "no file of a ledger can have this name");
        } else if (request->method != HTTP_METHOD_GET) {
            refuse_method(out, "GET, HEAD");
        }
    } else if (find_alias(path, aliases, n_aliases, out)) {
        check_cmp(request, out);
    } else {
        refuse(out, 404, "nothing is at this path");
    }
}

/* Every request's path has this form (http/message/parse.h), and one spelling of a path is enough.
 */
static bool
is_path(const char *path)
{
    if (path[0] != '/' || strlen(path) > HTTP_PATH_MAX) {
        return false;
    }
    for (const char *p = path; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~' || strchr("%?#\\", *p) != NULL) {
            return false;
        }
        if (*p == '/') {
            size_t n = strcspn(p + 1, "/");

            if (n == 0 || (n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.')) {
                return false;
            }
        }
    }
    return true;
}

static bool
is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

int
route_alias_set(struct route_alias *out, const char *path, const char *profile,
                const char *operation, struct err *e)
{
    struct route found = {.body = -1};

    if (!is_path(path)) {
        return err_set(e, ERR_INPUT,
                       "write a path of 2 to %d printable characters that begins with / and does "
                       "not end with one, without %% ? # \\ and without . or .. as a part",
                       (int)HTTP_PATH_MAX);
    }
    if (is_below(path, "/.well-known") || is_below(path, "/crl") || is_below(path, "/ledger")) {
        return err_set(e, ERR_INPUT,
                       "paths below /.well-known, /crl and /ledger have their meaning already");
    }
    if (strlen(profile) > CMP_PROFILE_MAX || !is_plain(profile, strlen(profile))) {
        return err_set(e, ERR_INPUT, "\"%.64s\" cannot be the name of a profile", profile);
    }
    if (operation != NULL && !take_operation(operation, &found)) {
        return err_set(e, ERR_INPUT,
                       "operation \"%.64s\" is none of RFC 9811 3.4 (initialization, "
                       "certification, keyupdate, pkcs10, revocation, ...)",
                       operation);
    }
    memset(out, 0, sizeof(*out));
    memcpy(out->path, path, strlen(path));
    memcpy(out->profile, profile, strlen(profile));
    out->body = found.body;
    return 0;
}

bool
route_takes(const struct route *route, enum cmp_body body)
{
    return route->body == -1 || route->body == (int)body || cmp_is_later(body);
}
